//! Carries re-drives and replays on: a portion at a time, at the rate that was asked for, by whichever worker is first.
//!
//! A portion is one transaction together with the place that was reached, so that a worker that dies, or a person who
//! stops it, leaves every parked thing either open again or as it was.

use crate::hub::{Hub, IDLE};
use crate::intake::{self, MAP};
use crate::journey::Steps;
use crate::parked::{OUTCOME_UNKNOWN, can_tell, step};
use crate::{poll, replay, requests};
use hub_store::{Errand, NewParked, NewWork, Parked, Portion, Redrive, Resolved, StoreError, Tx, Verdict, Which, job};
use hub_tree::TraceContext;
use std::sync::Arc;
use std::time::Duration;

/// The largest portion: what one transaction does while others wait for the writer.
const LARGEST_PORTION: i64 = 100;
/// Portions a second, so that a high rate is spread out.
const PORTIONS: i64 = 5;
const SECOND: i64 = 1_000_000;
/// Rows of older programs that are grouped at once.
const GROUPED_AT_ONCE: i64 = 200;

pub(crate) async fn run(hub: Arc<Hub>) {
    loop {
        let wait = match next(&hub).await {
            Ok(Some(wait)) => wait,
            Ok(None) => IDLE,
            Err(error) => {
                tracing::warn!(error = %error, "re-drives do not go on");
                Duration::from_millis(500)
            }
        };
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }
}

/// Does the next portion that is due; how long until there may be another one, `None` when nothing runs.
async fn next(hub: &Arc<Hub>) -> Result<Option<Duration>, StoreError> {
    if hub.store.read(job!(|tx| { tx.has_ungrouped_parked().await })).await? {
        hub.store.write(job!(|tx| { tx.group_parked(GROUPED_AT_ONCE).await })).await?;
    }
    let Some((id, due)) = hub.store.read(job!(|tx| { tx.next_redrive().await })).await? else { return Ok(None) };
    let now = hub.store_now();
    if due > now {
        return Ok(Some(Duration::from_micros(u64::try_from(due - now).unwrap_or(0)).min(IDLE)));
    }
    let (inner, wanted) = (Arc::clone(hub), id.clone());
    let went = hub.store.write(job!(|tx| { portion(&inner, tx, &wanted).await })).await;
    match went {
        Ok(true) => {
            hub.wake.work.notify_one();
            hub.wake.calls.notify_one();
            Ok(Some(Duration::ZERO))
        }
        // Another worker is at it.
        Ok(false) => Ok(Some(IDLE)),
        Err(error) if error.is_temporary() => Err(error),
        Err(error) => {
            tracing::error!(error = %error, redrive.id = %id, "a re-drive cannot go on");
            let text = error.to_string();
            let now = hub.clock.micros();
            hub.store.write(job!(|tx| { tx.fail_redrive(&id, &text, now).await })).await?;
            Ok(Some(Duration::ZERO))
        }
    }
}

/// One portion; `false` when it is not ours to do.
async fn portion(hub: &Arc<Hub>, tx: &mut Tx, id: &str) -> Result<bool, StoreError> {
    let now = hub.store_now();
    let Some(redrive) = tx.lock_redrive(id, now).await? else { return Ok(false) };
    let rate = redrive.new.rate.max(1);
    let size = (rate / PORTIONS).clamp(1, LARGEST_PORTION);
    let (portion, handled) = match &redrive.new.errand {
        Errand::Parked(which, verdict) => parked(hub, tx, &redrive, which, *verdict, size).await?,
        Errand::Events(past, consumer) => match replay::events(hub, tx, &redrive, past, consumer, size).await? {
            Ok(went) => went,
            Err(unknown) => {
                tx.fail_redrive(id, &unknown, now).await?;
                return Ok(true);
            }
        },
        Errand::Raws(past) => replay::raws(hub, tx, &redrive, past, size).await?,
    };
    // What was missed while no worker was there is made up for by a second's worth at most.
    let due = redrive.available_at.max(now - SECOND) + handled * SECOND / rate;
    tx.move_redrive(id, portion, due, now).await?;
    Ok(true)
}

/// What became of one parked thing.
enum Went {
    /// It is open again.
    Again,
    /// It was a call, and a person knows that it was carried out.
    CarriedOut,
    /// It is a payload that was taken in twice.
    Duplicate,
    /// It is parked anew at once.
    Anew(Box<NewParked>),
    /// It stays as it is.
    Refused,
}

async fn parked(
    hub: &Arc<Hub>,
    tx: &mut Tx,
    redrive: &Redrive,
    which: &Which,
    verdict: Verdict,
    size: i64,
) -> Result<(Portion, i64), StoreError> {
    let now = hub.clock.micros();
    let found = tx.redrive_parked(redrive, which, size).await?;
    let handled = i64::try_from(found.len()).unwrap_or(i64::MAX);
    let place = found.last().map_or_else(|| redrive.place.clone(), |last| last.new.id.clone());
    let mut portion = Portion { place, last: handled < size, ..Portion::default() };
    let mut open = Opened::default();
    let (mut resolved, mut anew): (Vec<(&str, String)>, Vec<NewParked>) = (Vec::new(), Vec::new());
    let mut steps = Vec::with_capacity(found.len());
    for item in found {
        let (how, detail) = match again(hub, tx, redrive, &item, verdict, &mut open).await? {
            Went::Again => ("redriven", "tried again"),
            Went::CarriedOut => ("carried_out", "carried out, says"),
            Went::Duplicate => ("duplicate", "a repetition, found when tried again"),
            Went::Anew(parked) => {
                anew.push(*parked);
                ("redriven", "tried again")
            }
            Went::Refused => {
                portion.refused += 1;
                continue;
            }
        };
        portion.done += 1;
        let by = if how == "carried_out" { "" } else { " for" };
        let detail = format!("{detail}{by} {} (re-drive {})", redrive.new.asked_by, redrive.new.id);
        steps.push(step(&hub.ids, &item, now, "redrive", detail));
        resolved.push((how, item.new.id));
    }
    tx.insert_work(open.work).await?;
    tx.reopen_raws(open.raws).await?;
    for how in ["redriven", "carried_out", "duplicate"] {
        let ids: Vec<String> = resolved.iter().filter(|(own, _)| *own == how).map(|(_, id)| id.clone()).collect();
        let how = Resolved {
            at: now,
            how: how.to_owned(),
            by: redrive.new.asked_by.clone(),
            redrive: Some(redrive.new.id.clone()),
            note: redrive.new.note.clone(),
        };
        tx.resolve_parked(ids, &how).await?;
    }
    // After their forerunners are resolved: a row names the one before it.
    for parked in anew {
        tx.park(parked).await?;
    }
    tx.add_steps(steps).await?;
    Ok((portion, handled))
}

/// What a portion opens, written in one go.
#[derive(Default)]
struct Opened {
    work: Vec<NewWork>,
    raws: Vec<String>,
}

async fn again(
    hub: &Arc<Hub>,
    tx: &mut Tx,
    redrive: &Redrive,
    item: &Parked,
    verdict: Verdict,
    open: &mut Opened,
) -> Result<Went, StoreError> {
    let (new, tenant) = (&item.new, item.new.tenant.as_str());
    if verdict != Verdict::Unknown && new.code != OUTCOME_UNKNOWN {
        return Ok(Went::Refused);
    }
    match new.kind.as_str() {
        "call" => call(hub, tx, redrive, item, verdict, open).await,
        "raw" if new.step == intake::CONSUMER => read_again(hub, tx, item, open).await,
        "raw" => {
            let raw_id = replay::original(&new.reference).to_owned();
            let work = match tx.take_parked_work(tenant, MAP, &new.reference).await? {
                Some(work) => Some(work),
                None => forgotten(hub, tx, redrive, tenant, &raw_id).await?,
            };
            let Some(work) = work else { return Ok(Went::Refused) };
            open.work.push(NewWork { received_at: hub.clock.micros(), ..work });
            open.raws.push(raw_id);
            Ok(Went::Again)
        }
        "event" => {
            let Some(work) = tx.take_parked_work(tenant, &new.step, &new.reference).await? else {
                return Ok(Went::Refused);
            };
            // Available from now on; what was received when stays with the event.
            open.work.push(NewWork { received_at: hub.clock.micros(), ..work });
            Ok(Went::Again)
        }
        // A schedule that has gone on to its next time does not lie parked, and fires by itself.
        "timer" => {
            let opened = tx.reopen_timer(tenant, &new.reference, hub.clock.micros()).await?;
            Ok(if opened { Went::Again } else { Went::Refused })
        }
        poll::KIND => {
            let context: TraceContext = TraceContext::begin();
            let mut steps = Steps::of(&context, tenant);
            let decided = poll::confirm(hub, tx, &new.reference, &mut steps).await?;
            tx.add_steps(steps.into_vec()).await?;
            Ok(if decided { Went::Again } else { Went::Refused })
        }
        _ => Ok(Went::Refused),
    }
}

/// The work for a parked payload whose row in the inbox is not kept any more.
async fn forgotten(
    hub: &Arc<Hub>,
    tx: &mut Tx,
    redrive: &Redrive,
    tenant: &str,
    raw_id: &str,
) -> Result<Option<NewWork>, StoreError> {
    let raw = tx.raw(tenant, raw_id).await?.filter(|raw| raw.state == "parked");
    let Some(raw) = raw else { return Ok(None) };
    let Ok((_, read)) = intake::read_again(hub, &raw) else { return Ok(None) };
    let (connection, trace) = (&raw.new.connection, &raw.new.trace);
    Ok(Some(replay::work_of_raw(&redrive.new, raw_id, connection, trace, Some(read.order_key))))
}

async fn call(
    hub: &Arc<Hub>,
    tx: &mut Tx,
    redrive: &Redrive,
    item: &Parked,
    verdict: Verdict,
    open: &mut Opened,
) -> Result<Went, StoreError> {
    let (id, tenant) = (item.new.reference.as_str(), item.new.tenant.as_str());
    let Some(call) = tx.call_by_id(tenant, id).await? else { return Ok(Went::Refused) };
    if call.state == "done" {
        // The vendor took it; only what it answered is read again, if that was kept.
        let Some(raw) = tx.raw_by_dedupe(tenant, &call.new.connection, &format!("call:{id}")).await? else {
            return Ok(Went::Refused);
        };
        open.work.push(replay::work_of_raw(&redrive.new, &raw, &call.new.connection, &call.new.trace, None));
        return Ok(Went::Again);
    }
    let unknown = item.new.code == OUTCOME_UNKNOWN;
    match verdict {
        Verdict::CarriedOut => {
            let settled = tx.call_was_carried_out(tenant, id, hub.clock.micros()).await?;
            if settled {
                requests::carried_out(hub, tx, &call).await?;
            }
            return Ok(if settled { Went::CarriedOut } else { Went::Refused });
        }
        Verdict::Unknown if unknown && !tells(hub, &call.new.connection, &call.new.operation) => {
            return Ok(Went::Refused);
        }
        Verdict::Unknown | Verdict::NotCarriedOut => {}
    }
    let unsure = verdict != Verdict::NotCarriedOut && (call.unsure || unknown);
    let opened = tx.reopen_call(tenant, id, unsure).await?;
    if opened {
        tx.reopen_request_of(id).await?;
    }
    Ok(if opened { Went::Again } else { Went::Refused })
}

/// Whether a connection's operation can be repeated, or looked up, after an outcome that nobody knows.
pub fn tells(hub: &Hub, connection: &str, operation: &str) -> bool {
    can_tell(&hub.registry(), connection, operation)
}

/// Takes a payload in that could not be read when it came: the key may be there now.
async fn read_again(hub: &Arc<Hub>, tx: &mut Tx, item: &Parked, open: &mut Opened) -> Result<Went, StoreError> {
    let new = &item.new;
    let Some(raw) = tx.raw(&new.tenant, &new.reference).await? else { return Ok(Went::Refused) };
    let (read, work) = match intake::read_again(hub, &raw) {
        Ok(read) => read,
        Err(reason) => {
            let anew = NewParked {
                id: hub.ids.next().to_string(),
                reason: reason.to_owned(),
                at: hub.clock.micros(),
                ..new.clone()
            };
            return Ok(Went::Anew(Box::new(anew)));
        }
    };
    let of = (read.tenant.as_str(), read.connection.as_str(), read.id.as_str());
    if !tx.raw_was_read(of, &read.dedupe_id, &read.sha256, read.received_at).await? {
        return Ok(Went::Duplicate);
    }
    open.work.push(work);
    Ok(Went::Again)
}
