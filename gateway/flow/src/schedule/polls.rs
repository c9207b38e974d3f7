//! The timers of polls: each connection's polls have one, which begins a round and is wound up for the next.

use super::POLL;
use super::run::Ended;
use crate::effects::Failure;
use crate::hub::Hub;
use crate::poll;
use hub_kit::{Connection, Poll};
use hub_store::{Again, NewTimer, RoundState, StoreError, Timer, TimerEnd, job};
use hub_tree::TraceContext;
use std::sync::Arc;

/// How long a poll that this worker does not know is left to others before it is taken for removed, µs.
const UNKNOWN_FOR: i64 = 86_400_000_000;
/// After how long a timer that is left to others is looked at again, µs.
const AGAIN: i64 = 2_000_000;
/// A round that is open for so long has calls that nobody will make; the next one begins, µs.
const STUCK: i64 = 86_400_000_000;
/// After how long a poll whose last round is still under way is looked at again, µs.
const STILL_OPEN: i64 = 10_000_000;

fn timer_name(connection: &str, poll: &str) -> String {
    format!("poll/{connection}/{poll}")
}

/// The timer that begins a round of a connection's poll now, or as soon as the one under way has ended; then it goes on
/// as planned.
#[must_use]
pub fn poll_now(connection: &Connection, poll: &str, every: i64, now: i64) -> NewTimer {
    let name = timer_name(&connection.id, poll);
    NewTimer {
        tenant: connection.tenant.clone(),
        subject: name.clone(),
        name,
        kind: POLL.to_owned(),
        due_at: now,
        created_at: now,
        trace: TraceContext::begin().to_string(),
        body: every.to_string(),
    }
}

/// Winds up the polls of this process's connections: new ones at once, those whose interval has changed anew.
pub(super) async fn wind_up(hub: &Arc<Hub>) -> Result<(), StoreError> {
    for connection in hub.registry().connections.values() {
        for (poll, every) in &connection.polls {
            let (tenant, name) = (connection.tenant.clone(), timer_name(&connection.id, poll));
            let known = hub.store.read(job!(|tx| { tx.timer(&tenant, &name).await })).await?;
            let as_it_is = |known: &Timer| known.state == "waiting" && known.new.body == every.to_string();
            if known.as_ref().is_some_and(as_it_is) {
                continue;
            }
            let again = if known.is_some() { Again::Move } else { Again::Keep };
            let timer = poll_now(connection, poll, *every, hub.clock.micros());
            hub.store.write(job!(|tx| { tx.set_timer(timer, again).await })).await?;
        }
    }
    Ok(())
}

/// Begins a round of a poll that is due.
pub(super) async fn fire(hub: &Arc<Hub>, timer: &Timer) -> Result<Ended, Failure> {
    let now = hub.clock.micros();
    let Some((connection, poll, every)) = configured(hub, timer) else {
        let (claimed, forgotten) = (timer.clone(), now - timer.new.due_at > UNKNOWN_FOR);
        let ending = hub.store.write(job!(|tx| {
            if forgotten {
                tx.finish_timer(&claimed, TimerEnd::Cancelled, now).await
            } else {
                tx.put_back_timer(&claimed, now + AGAIN, false).await
            }
        }));
        ending.await?;
        return Ok(Ended::Left);
    };
    let (of, wanted) = (Arc::clone(&connection), poll.clone());
    let reading = hub.store.read(job!(|tx| {
        let (tenant, id, name) = (of.tenant.as_str(), of.id.as_str(), wanted.name.as_str());
        let last = tx.rounds(tenant, Some(id.to_owned()), Some(name.to_owned()), 1).await?.into_iter().next();
        let since = tx.last_complete_round(tenant, id, name).await?;
        Ok((last, since, poll::known_ids(tx, &of, &wanted).await?))
    }));
    let (last, since, known) = reading.await?;
    let open = last.filter(|round| round.state == RoundState::Open);
    let claimed = timer.clone();
    if open.as_ref().is_some_and(|round| now - round.began_at < STUCK) {
        hub.store.write(job!(|tx| { tx.put_back_timer(&claimed, now + STILL_OPEN, false).await })).await?;
        return Ok(Ended::Left);
    }
    let beginning = poll::prepare(hub, &connection, &poll, since, &known, now)?;
    let next = next_time(timer, every, now);
    hub.store
        .write(job!(|tx| {
            if let Some(stuck) = open {
                tx.end_round(&stuck.id, RoundState::Failed, 0, now).await?;
            }
            beginning.keep(tx).await?;
            let kept = tx.wind_timer(&claimed, next, Some(now), every.to_string()).await?;
            if kept { Ok(()) } else { Err(StoreError::Raced) }
        }))
        .await?;
    hub.wake.calls.notify_one();
    Ok(Ended::Fired { late: false })
}

/// The connection's poll that a timer is for, and its interval.
fn configured(hub: &Hub, timer: &Timer) -> Option<(Arc<Connection>, Poll, i64)> {
    let (connection, poll) = timer.new.name.strip_prefix("poll/")?.split_once('/')?;
    let connection = hub.connection(connection).filter(|known| known.tenant == timer.new.tenant)?;
    let (_, every) = connection.polls.iter().find(|(name, _)| name == poll)?;
    let poll = connection.manifest.polls.iter().find(|known| known.name == poll)?.clone();
    Some((Arc::clone(&connection), poll, *every))
}

/// An interval after now, give or take a twentieth: vendors ask not to be visited by everybody on the full hour.
fn next_time(timer: &Timer, every: i64, now: i64) -> i64 {
    let spread = every / 20;
    let turned = timer.turn.wrapping_mul(0x9E37_79B9).unsigned_abs() % (2 * spread.unsigned_abs() + 1);
    now + every - spread + i64::try_from(turned).unwrap_or(0)
}
