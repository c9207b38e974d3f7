//! The loop that claims timers that are due.

use super::{FLOW, POLL, SCHEDULE, fire, polls};
use crate::commit::{Prepared, keep_effects};
use crate::effects::Failure;
use crate::hub::Hub;
use crate::journey::{Steps, Went};
use crate::rules::{self, Outcome};
use futures::FutureExt;
use hub_store::{NewParked, StoreError, Timer, TimerEnd, job};
use hub_tree::TraceContext;
use hub_tree::clock::rfc3339_micros;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

const KINDS: [&str; 3] = [FLOW, SCHEDULE, POLL];
/// Timers that are claimed at once.
const BATCH: i64 = 32;
/// How long a claim holds, µs: firing evaluates and commits, and waits for nobody.
const LEASE_MICROS: i64 = 15_000_000;
/// Tries before a timer is parked.
const MAX_TRIES: i64 = 8;
/// From this try on a timer runs alone.
const SUSPECT_TRIES: i64 = 3;
/// What fires later than this is late, µs.
pub(super) const LATE_MICROS: i64 = 60_000_000;
/// How long to sleep at most: another process may set a timer that is due sooner.
const LONGEST_SLEEP: Duration = Duration::from_millis(500);
/// How long ended timers are kept, µs: 90 days.
const KEPT: i64 = 90 * 86_400_000_000;
const FORGET_EVERY: i64 = 3_600_000_000;

/// How the claim of a timer ended.
pub(super) enum Ended {
    Fired {
        late: bool,
    },
    Skipped,
    Cancelled,
    /// Another worker's, or not for now.
    Left,
}

pub(crate) async fn run(hub: Arc<Hub>) {
    while !hub.stops() {
        let wound = async {
            fire::wind_up(&hub).await?;
            polls::wind_up(&hub).await
        };
        match wound.await {
            Ok(()) => break,
            Err(error) => {
                tracing::warn!(error = %error, "schedules and polls could not be wound up");
                tokio::time::sleep(LONGEST_SLEEP).await;
            }
        }
    }
    let mut forgotten_at = 0;
    while !hub.stops() {
        let now = hub.clock.micros();
        let claimed = claim(&hub, now).await.unwrap_or_else(|error| {
            tracing::warn!(error = %error, "no timers can be claimed");
            Err(LONGEST_SLEEP)
        });
        match claimed {
            Ok(timers) => handle_all(&hub, timers).await,
            Err(sleep) => tokio::time::sleep(sleep).await,
        }
        if now - forgotten_at > FORGET_EVERY {
            forgotten_at = now;
            if let Err(error) = hub.store.write(job!(|tx| { tx.forget_timers(now - KEPT).await })).await {
                tracing::warn!(error = %error, "old timers could not be forgotten");
            }
        }
    }
}

/// Claims what is due; when nothing is, how long to sleep.
async fn claim(hub: &Hub, now: i64) -> Result<Result<Vec<Timer>, Duration>, StoreError> {
    let next = hub.store.read(job!(|tx| { tx.next_timer(&KINDS).await })).await?;
    let wait = next.map_or(i64::MAX, |next| next.saturating_sub(now));
    if wait > 0 {
        return Ok(Err(Duration::from_micros(wait.unsigned_abs()).min(LONGEST_SLEEP)));
    }
    let timers = hub.store.write(job!(|tx| { tx.claim_timers(&KINDS, now, now + LEASE_MICROS, BATCH).await })).await?;
    // Others were faster, or it is of a kind that this program does not know.
    Ok(if timers.is_empty() { Err(Duration::from_millis(50)) } else { Ok(timers) })
}

/// Handles claimed timers side by side; those whose tries did not come to an end alone, one of them: it may be what
/// kills the process, and the others are given back as if they had not been claimed.
async fn handle_all(hub: &Arc<Hub>, timers: Vec<Timer>) {
    let (mut suspects, fresh): (Vec<Timer>, Vec<Timer>) =
        timers.into_iter().partition(|timer| timer.tries >= SUSPECT_TRIES);
    futures::future::join_all(fresh.iter().map(|timer| handle(hub, timer))).await;
    let alone = suspects.pop();
    for timer in suspects {
        let now = hub.clock.micros();
        if let Err(error) = hub.store.write(job!(|tx| { tx.put_back_timer(&timer, now, false).await })).await {
            tracing::warn!(error = %error, "a timer could not be given back");
        }
    }
    if let Some(timer) = alone {
        handle(hub, &timer).await;
    }
}

async fn handle(hub: &Arc<Hub>, timer: &Timer) {
    let kind = KINDS.into_iter().find(|kind| *kind == timer.new.kind).unwrap_or(SCHEDULE);
    let handling = async {
        if timer.tries > MAX_TRIES {
            let reason = format!("given up after {MAX_TRIES} tries that did not come to an end");
            return Err(Failure::park("TRIES_USED_UP", reason));
        }
        match kind {
            FLOW => fire_action(hub, timer).await,
            POLL => polls::fire(hub, timer).await,
            _ => fire::fire(hub, timer).await,
        }
    };
    let result = AssertUnwindSafe(handling).catch_unwind().await;
    let result = result.unwrap_or_else(|_| Err(Failure::Retry("firing broke off".to_owned())));
    let kept = match result {
        Ok(ended) => {
            count(hub, kind, &ended);
            Ok(())
        }
        Err(Failure::Retry(reason)) => put_back(hub, timer, kind, &reason).await,
        Err(Failure::Park { code, reason, place }) => park(hub, timer, kind, &code, &reason, place).await,
    };
    if let Err(error) = kept {
        // The claim runs out, and the timer fires then.
        tracing::warn!(error = %error, timer = timer.new.name, "the end of a timer could not be kept");
    }
}

fn count(hub: &Hub, kind: &'static str, ended: &Ended) {
    match ended {
        Ended::Fired { late } => {
            hub.metrics.timer(kind, "fired");
            if *late {
                hub.metrics.timer(kind, "late");
            }
        }
        Ended::Skipped => hub.metrics.timer(kind, "skipped"),
        Ended::Cancelled => hub.metrics.timer(kind, "cancelled"),
        Ended::Left => {}
    }
}

/// Does a delayed action of a flow.
async fn fire_action(hub: &Arc<Hub>, timer: &Timer) -> Result<Ended, Failure> {
    let outcome = rules::fire(hub, timer).await?;
    let now = hub.clock.micros();
    let name = rules::short_name(timer).to_owned();
    let (inner, claimed) = (Arc::clone(hub), timer.clone());
    let done = matches!(outcome, Outcome::Done(..));
    let committed = match outcome {
        Outcome::NotNeeded(why) => {
            let context = context_of(timer);
            let mut steps = Steps::of(&context, &timer.new.tenant);
            steps.add(&hub.ids, now, ("wait", Went::Ok), "hub", &timer.new.subject, format!("{name}: {why}"));
            hub.store
                .write(job!(|tx| {
                    tx.add_steps(steps.into_vec()).await?;
                    let kept = tx.finish_timer(&claimed, TimerEnd::Cancelled, now).await?;
                    if kept { Ok(Ok(())) } else { Err(StoreError::Raced) }
                }))
                .await?
        }
        Outcome::Done(event, mut effects) => {
            let detail = format!("{name}: due since {}", rfc3339_micros(timer.new.due_at));
            effects.steps.add(&hub.ids, now, ("rule", Went::Ok), "hub", &timer.new.subject, detail);
            let prepared = Prepared::of(hub, &event, effects)?;
            hub.store
                .write(job!(|tx| {
                    if let Err(failure) = keep_effects(&inner, tx, &event, prepared).await? {
                        return Ok(Err(failure));
                    }
                    let kept = tx.finish_timer(&claimed, TimerEnd::Fired, now).await?;
                    if kept { Ok(Ok(())) } else { Err(StoreError::Raced) }
                }))
                .await?
        }
    };
    committed?;
    hub.wake.events.notify_one();
    hub.wake.calls.notify_one();
    Ok(if done { Ended::Fired { late: now - timer.new.due_at > LATE_MICROS } } else { Ended::Cancelled })
}

fn context_of(timer: &Timer) -> TraceContext {
    timer.new.trace.parse().unwrap_or_else(|_| TraceContext::begin())
}

/// Waits longer from try to try: 0.2 s, 0.4 s … 13 s, with some jitter.
async fn put_back(hub: &Hub, timer: &Timer, kind: &'static str, reason: &str) -> Result<(), StoreError> {
    let base = 100_000_i64 << timer.tries.clamp(1, 7);
    let jitter = i64::try_from(hub_tree::random::below(base.unsigned_abs() / 2)).unwrap_or(0);
    tracing::warn!(timer = timer.new.name, reason, wait_ms = base / 1000, "a timer will be tried again");
    let (claimed, again) = (timer.clone(), hub.clock.micros() + base + jitter);
    hub.store.write(job!(|tx| { tx.put_back_timer(&claimed, again, true).await })).await?;
    hub.metrics.timer(kind, "retried");
    Ok(())
}

/// What lies parked of a timer.
pub(super) fn park_row(hub: &Hub, timer: &Timer, trace: &str, code: &str, reason: &str, place: String) -> NewParked {
    NewParked {
        id: hub.ids.next().to_string(),
        tenant: timer.new.tenant.clone(),
        connection: String::new(),
        step: timer.new.kind.clone(),
        code: code.to_owned(),
        reason: reason.to_owned(),
        place,
        trace: trace.to_owned(),
        kind: "timer".to_owned(),
        reference: timer.new.name.clone(),
        at: hub.clock.micros(),
    }
}

async fn park(
    hub: &Hub,
    timer: &Timer,
    kind: &'static str,
    code: &str,
    reason: &str,
    place: String,
) -> Result<(), StoreError> {
    tracing::warn!(timer = timer.new.name, code, "a timer was parked");
    let context = context_of(timer);
    let now = hub.clock.micros();
    let parked = park_row(hub, timer, &context.id(), code, reason, place);
    let mut steps = Steps::of(&context, &timer.new.tenant);
    steps.add(&hub.ids, now, (kind, Went::Parked), "hub", &timer.new.subject, format!("{code}: {reason}"));
    let claimed = timer.clone();
    hub.store
        .write(job!(|tx| {
            if tx.finish_timer(&claimed, TimerEnd::Parked, now).await? {
                tx.park(parked).await?;
                tx.add_steps(steps.into_vec()).await?;
            }
            Ok(())
        }))
        .await?;
    hub.metrics.timer(kind, "parked");
    Ok(())
}
