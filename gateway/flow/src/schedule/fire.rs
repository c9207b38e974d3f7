//! Schedules: their timers are wound up when the hub starts, and from each time to the next.

use super::SCHEDULE;
use super::files::{Misfire, Schedule};
use super::plan::NoTime;
use super::run::{Ended, LATE_MICROS, park_row};
use crate::commit::call_row;
use crate::effects::{CallRequest, Failure};
use crate::evaluation::Evaluation;
use crate::hub::Hub;
use crate::journey::{Steps, Went};
use crate::rules::arguments;
use hub_store::{Again, NewCall, NewParked, NewTimer, StoreError, Timer, TimerEnd, Tx, job};
use hub_tree::clock::rfc3339_micros;
use hub_tree::duration;
use hub_tree::jiff::Timestamp;
use hub_tree::{Arena, Limits, TraceContext, Value, json};
use std::sync::Arc;

/// How long a schedule that another worker has planned by another file is left to that worker, µs.
const LEFT_TO_OTHERS: i64 = 60_000_000;
/// How long a schedule that this worker does not know is left to others before it is taken for removed, µs.
const UNKNOWN_FOR: i64 = 86_400_000_000;
/// After how long a timer that is left to others is looked at again, µs.
const AGAIN: i64 = 2_000_000;

/// What the timer of a schedule holds.
struct Kept {
    schedule: String,
    /// The fingerprint of the plan; none for a run out of turn.
    plan: Option<String>,
}

fn body(schedule: &str, plan: Option<&str>) -> String {
    let arena = Arena::new();
    let plan = plan.map_or(Value::Absent, Value::Text);
    json::to_string(&arena.map(&[("schedule", Value::Text(schedule)), ("plan", plan)]))
}

fn kept(body: &str) -> Option<Kept> {
    let arena = Arena::new();
    let value = json::read(&arena, body.as_bytes(), Limits::default()).ok()?;
    let text = |key: &str| value.get(key).as_text().map(str::to_owned);
    Some(Kept { schedule: text("schedule")?, plan: text("plan") })
}

fn at(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The name of a schedule's timer.
fn timer_name(schedule: &str) -> String {
    format!("schedule/{schedule}")
}

fn timer(schedule: &Schedule, name: String, due_at: i64, plan: Option<&str>, now: i64) -> NewTimer {
    NewTimer {
        tenant: schedule.tenant.clone(),
        name,
        kind: SCHEDULE.to_owned(),
        subject: timer_name(&schedule.name),
        due_at,
        created_at: now,
        trace: TraceContext::begin().to_string(),
        body: body(&schedule.name, plan),
    }
}

/// Winds up the schedules of this process: new ones, and those whose planned times have changed.
pub(super) async fn wind_up(hub: &Arc<Hub>) -> Result<(), StoreError> {
    for schedule in hub.registry().schedules.values() {
        let (tenant, name) = (schedule.tenant.clone(), timer_name(&schedule.name));
        let known = hub.store.read(job!(|tx| { tx.timer(&tenant, &name).await })).await?;
        let now = hub.clock.micros();
        let plan = |known: &Timer| kept(&known.new.body).and_then(|kept| kept.plan);
        let changed = known.as_ref().is_some_and(|known| plan(known).as_deref() != Some(schedule.fingerprint.as_str()));
        let due_at = match (&known, changed) {
            (Some(_), false) => continue,
            // A time that passed and that the new plan means too is not forgotten.
            (Some(known), true) if known.state == "waiting" && known.new.due_at <= now && means(schedule, known) => {
                known.new.due_at
            }
            _ => match schedule.plan.next(at(now)) {
                Ok(next) => next.as_microsecond(),
                Err(error) => {
                    tracing::error!(schedule = schedule.name, error = %error, "a schedule has no next time");
                    continue;
                }
            },
        };
        let again = if changed { Again::Move } else { Again::Keep };
        let timer = timer(schedule, timer_name(&schedule.name), due_at, Some(&schedule.fingerprint), now);
        hub.store.write(job!(|tx| { tx.set_timer(timer, again).await })).await?;
    }
    Ok(())
}

/// Whether a plan means the time that a timer waits for.
fn means(schedule: &Schedule, timer: &Timer) -> bool {
    let due_at = at(timer.new.due_at);
    let before = Timestamp::from_microsecond(timer.new.due_at - 1).unwrap_or(due_at);
    schedule.plan.next(before) == Ok(due_at)
}

/// The timer that makes a schedule's call now, out of its turn. `id` tells it from others; its trace is the journey's.
#[must_use]
pub fn run_now(schedule: &Schedule, id: &str, now: i64) -> NewTimer {
    timer(schedule, format!("run/{}/{id}", schedule.name), now, None, now)
}

/// What a due schedule leads to.
struct Firing {
    call: Option<NewCall>,
    parked: Option<NewParked>,
    steps: Steps,
    /// The time that it fires for, µs.
    fired_for: Option<i64>,
}

impl Firing {
    /// Writes it down; the time that it fires for.
    async fn keep(self, tx: &mut Tx) -> Result<Option<i64>, StoreError> {
        if let Some(call) = self.call {
            tx.insert_call(call).await?;
        }
        if let Some(parked) = self.parked {
            tx.park(parked).await?;
        }
        tx.add_steps(self.steps.into_vec()).await?;
        Ok(self.fired_for)
    }
}

/// Fires a schedule that is due, and winds it up for its next time.
pub(super) async fn fire(hub: &Arc<Hub>, timer: &Timer) -> Result<Ended, Failure> {
    let unreadable = || Failure::park("UNREADABLE_TIMER", "a timer is not in a form this program knows");
    let kept = kept(&timer.new.body).ok_or_else(unreadable)?;
    let registry = hub.registry();
    let now = hub.clock.micros();
    let overdue = now - timer.new.due_at;
    let known = registry.schedules.get(&kept.schedule).filter(|schedule| schedule.tenant == timer.new.tenant);
    let Some(schedule) = known else {
        return if overdue < UNKNOWN_FOR { leave(hub, timer, now).await } else { drop_it(hub, timer, now).await };
    };
    let Some(plan) = kept.plan else { return run_out_of_turn(hub, schedule, timer, now).await };
    if plan != schedule.fingerprint {
        // Two versions of the file are at work, while workers are started anew one after the other.
        if overdue < LEFT_TO_OTHERS {
            return leave(hub, timer, now).await;
        }
        return wind(hub, schedule, timer, None, now.max(timer.new.due_at)).await;
    }
    if overdue <= LATE_MICROS {
        // One by one, so that a short break loses no time of a schedule that comes often.
        let firing = firing(hub, schedule, timer, timer.new.due_at, now)?;
        return wind(hub, schedule, timer, Some(firing), timer.new.due_at).await;
    }
    let planned = schedule.plan.last(at(timer.new.due_at), at(now)).as_microsecond();
    let firing = if schedule.misfire == Misfire::Skip && now - planned > LATE_MICROS {
        skipped(hub, schedule, timer, planned, now)
    } else {
        firing(hub, schedule, timer, planned, now)?
    };
    wind(hub, schedule, timer, Some(firing), now).await
}

/// Leaves a timer to workers that know it.
async fn leave(hub: &Hub, timer: &Timer, now: i64) -> Result<Ended, Failure> {
    let claimed = timer.clone();
    hub.store.write(job!(|tx| { tx.put_back_timer(&claimed, now + AGAIN, false).await })).await?;
    Ok(Ended::Left)
}

async fn drop_it(hub: &Hub, timer: &Timer, now: i64) -> Result<Ended, Failure> {
    tracing::warn!(timer = timer.new.name, "the schedule is not configured any more: its timer is dropped");
    let claimed = timer.clone();
    hub.store.write(job!(|tx| { tx.finish_timer(&claimed, TimerEnd::Cancelled, now).await })).await?;
    Ok(Ended::Cancelled)
}

/// The journey of one firing.
fn journey(timer: &Timer, tenant: &str) -> (TraceContext, Steps) {
    // A schedule begins a journey each time; a run out of turn has been told its own.
    let manual = timer.new.name.starts_with("run/");
    let context = timer.new.trace.parse().ok().filter(|_| manual).unwrap_or_else(TraceContext::begin);
    let steps = Steps::of(&context, tenant);
    (context, steps)
}

fn skipped(hub: &Hub, schedule: &Schedule, timer: &Timer, planned: i64, now: i64) -> Firing {
    let (_, mut steps) = journey(timer, &schedule.tenant);
    let late = duration::in_words(now - planned);
    let detail = format!("{}: {} was missed by {late} and is skipped", schedule.name, rfc3339_micros(planned));
    steps.add(&hub.ids, now, ("schedule", Went::Ok), "hub", &timer_name(&schedule.name), detail);
    Firing { call: None, parked: None, steps, fired_for: None }
}

fn firing(hub: &Hub, schedule: &Schedule, timer: &Timer, planned: i64, now: i64) -> Result<Firing, Failure> {
    let (context, mut steps) = journey(timer, &schedule.tenant);
    let subject = timer_name(&schedule.name);
    let mut detail = format!("{}: planned for {}", schedule.name, rfc3339_micros(planned));
    if now - planned > LATE_MICROS {
        detail = format!("{detail}, {} late", duration::in_words(now - planned));
    }
    if planned != timer.new.due_at {
        detail = format!("{detail}; makes up for all since {}", rfc3339_micros(timer.new.due_at));
    }
    steps.add(&hub.ids, now, ("schedule", Went::Ok), "hub", &subject, detail);
    let key = if timer.new.name.starts_with("run/") {
        timer.new.name.clone()
    } else {
        format!("{}/{}", schedule.name, rfc3339_micros(planned))
    };
    let (mut call, mut parked) = (None, None);
    match args(hub, schedule, planned, timer.last_due_at) {
        Ok(args) => {
            let request = CallRequest {
                connection: schedule.connection.clone(),
                operation: schedule.operation.clone(),
                key,
                order_key: subject.clone(),
                subject,
                args,
            };
            call = Some(call_row(hub, &schedule.tenant, &context, request)?);
        }
        // The next time may fare better, and must not wait for this one.
        Err(Failure::Park { code, reason, place }) => {
            steps.add(&hub.ids, now, ("schedule", Went::Parked), "hub", &subject, format!("{code}: {reason}"));
            parked = Some(park_row(hub, timer, &context.id(), &code, &reason, place));
        }
        Err(retry) => return Err(retry),
    }
    Ok(Firing { call, parked, steps, fired_for: Some(planned) })
}

/// The arguments of a schedule's call.
fn args(hub: &Hub, schedule: &Schedule, planned: i64, previous: Option<i64>) -> Result<String, Failure> {
    let arena = Arena::new();
    let day = schedule.plan.zone.to_datetime(at(planned)).date();
    let slots = vec![arena.map(&[
        ("name", Value::Text(arena.text(&schedule.name))),
        ("planned_at", Value::DateTime(at(planned))),
        ("previous_at", previous.map_or(Value::Absent, |previous| Value::DateTime(at(previous)))),
        ("day", Value::Date(day)),
    ])];
    let mut eval = Evaluation::new(&arena, slots, &schedule.source, "SCHEDULE_FAILED");
    let input = eval.map(&schedule.with)?;
    arguments(hub, &schedule.connection, &schedule.operation, input)
}

/// Commits a firing, if there is one, together with the next time behind `passed`. A schedule whose calendar ends is
/// parked.
async fn wind(
    hub: &Arc<Hub>,
    schedule: &Schedule,
    timer: &Timer,
    firing: Option<Firing>,
    passed: i64,
) -> Result<Ended, Failure> {
    let now = hub.clock.micros();
    let next = schedule.plan.next(at(passed));
    let late = firing.as_ref().and_then(|firing| firing.fired_for).is_some_and(|at| now - at > LATE_MICROS);
    let ended = match &firing {
        Some(Firing { fired_for: Some(_), .. }) => Ended::Fired { late },
        Some(_) => Ended::Skipped,
        None => Ended::Left,
    };
    let ends = next.as_ref().err().map(|error| {
        let code = if matches!(error, NoTime::CalendarEnds { .. }) { "CALENDAR_ENDS" } else { "SCHEDULE_ENDS" };
        park_row(hub, timer, "", code, &format!("{}: {error}", schedule.name), schedule.source.path.clone())
    });
    let (claimed, body) = (timer.clone(), body(&schedule.name, Some(&schedule.fingerprint)));
    hub.store
        .write(job!(|tx| {
            let fired_for = match firing {
                Some(firing) => firing.keep(tx).await?,
                None => None,
            };
            let kept = match next {
                Ok(next) => tx.wind_timer(&claimed, next.as_microsecond(), fired_for, body).await?,
                Err(_) => tx.finish_timer(&claimed, TimerEnd::Parked, now).await?,
            };
            if let Some(parked) = ends {
                tx.park(parked).await?;
            }
            if kept { Ok(()) } else { Err(StoreError::Raced) }
        }))
        .await?;
    hub.wake.calls.notify_one();
    Ok(ended)
}

async fn run_out_of_turn(hub: &Arc<Hub>, schedule: &Schedule, timer: &Timer, now: i64) -> Result<Ended, Failure> {
    let firing = firing(hub, schedule, timer, timer.new.due_at, now)?;
    let claimed = timer.clone();
    hub.store
        .write(job!(|tx| {
            firing.keep(tx).await?;
            if tx.finish_timer(&claimed, TimerEnd::Fired, now).await? { Ok(()) } else { Err(StoreError::Raced) }
        }))
        .await?;
    hub.wake.calls.notify_one();
    Ok(Ended::Fired { late: now - timer.new.due_at > LATE_MICROS })
}
