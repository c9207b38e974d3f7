//! Replays: events of the feed are handed to consumers again, payloads are mapped again.
//!
//! Nothing that was done once is done twice: a call is known by its key, a record that a rule or a service made by its
//! id, which follows from the event ([`EventMessage::id_of`](crate::EventMessage::id_of)), a payload's word about a
//! record by its time. So a replay does what is missing, and only that.
//!
//! A replayed message has a row of its own in the inbox, `<id>~<replay>`: behind what waits of its order key, and before
//! what comes later.

use crate::effects::Failure;
use crate::event::EventMessage;
use crate::hub::Hub;
use crate::imports;
use crate::intake::{self, MAP};
use crate::map_in::{Mapped, map_reply};
use crate::records::SourceOf;
use hub_bus::topic_matches;
use hub_engine::Direction;
use hub_kit::parts::{is_part, unpack};
use hub_kit::{Connection, RawEnvelope};
use hub_store::{
    Call, Errand, NewRedrive, NewWork, Passed, Past, Portion, Raw, Redrive, Step, Store, StoreError, Tx, job,
};
use hub_tree::TraceContext;
use std::sync::Arc;

const MARK: char = '~';

/// The id of the message that a row of the inbox is about, replayed or not.
#[must_use]
pub fn original(message: &str) -> &str {
    message.split(MARK).next().unwrap_or(message)
}

/// The replay that a row of the inbox belongs to.
#[must_use]
pub fn replay_of(message: &str) -> Option<&str> {
    message.split_once(MARK).map(|(_, replay)| replay)
}

/// Reads patterns of event types, as subscriptions write them: `hr.application.*`, `application.created`,
/// `hr.decision.made.v1`.
///
/// # Errors
/// The pattern that is none.
pub fn types(patterns: &[String]) -> Result<Vec<String>, String> {
    let read = |pattern: &String| {
        let text = pattern.trim();
        let text = text.strip_prefix("hr.").unwrap_or(text);
        let text = text.strip_suffix(".v1").unwrap_or(text);
        let sound = !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || matches!(c, '_' | '.' | '*'));
        if sound {
            Ok(text.to_owned())
        } else {
            Err(format!("`{pattern}` is no type of event, such as `hr.application.*`"))
        }
    };
    patterns.iter().map(read).collect()
}

/// What a replay would do. Nothing was changed to find out.
///
/// # Errors
/// The store fails.
pub async fn preview(store: &Store, tenant: &str, errand: &Errand) -> Result<Passed, StoreError> {
    let (tenant, errand) = (tenant.to_owned(), errand.clone());
    store.read(job!(|tx| { tx.replay_touches(&tenant, &errand).await })).await
}

/// A portion of events; `Err` names a consumer that is not there.
pub(crate) async fn events(
    hub: &Arc<Hub>,
    tx: &mut Tx,
    redrive: &Redrive,
    past: &Past,
    consumer: &str,
    size: i64,
) -> Result<Result<(Portion, i64), String>, StoreError> {
    // `subscriptions/<id>`: one of what a consumer serves.
    let (consumer, only) = consumer.split_once('/').map_or((consumer, None), |(name, only)| (name, Some(only)));
    let replay = only.map_or_else(|| redrive.new.id.clone(), |only| format!("{}/{only}", redrive.new.id));
    let own: Vec<(&str, &[&str])> = hub
        .consumers
        .iter()
        .filter(|known| consumer.is_empty() || known.name() == consumer)
        .map(|known| (known.name(), known.topics()))
        .collect();
    if own.is_empty() {
        let known: Vec<&str> = hub.consumers.iter().map(|known| known.name()).collect();
        return Ok(Err(format!("there is no consumer `{consumer}`; known: {}", known.join(", "))));
    }
    let events = tx.redrive_events(redrive, past, size).await?;
    let handled = i64::try_from(events.len()).unwrap_or(i64::MAX);
    let place = events.last().and_then(|event| event.position).map_or_else(|| redrive.place.clone(), |p| p.to_string());
    let now = hub.clock.micros();
    let (mut work, mut steps) = (Vec::new(), Vec::new());
    for event in events {
        let topic = format!("hr.{}", event.new.kind);
        let context: TraceContext = event.new.trace.parse().unwrap_or_else(|_| TraceContext::begin());
        let message = EventMessage { replay: Some(replay.clone()), ..EventMessage::of(&event.new, context) };
        let body = message.to_cloud_event();
        let wanting = own.iter().filter(|(_, topics)| topics.iter().any(|pattern| topic_matches(pattern, &topic)));
        let mut names = Vec::new();
        for (name, _) in wanting {
            names.push(*name);
            work.push(NewWork {
                consumer: (*name).to_owned(),
                message: format!("{}{MARK}{}", event.new.id, redrive.new.id),
                tenant: event.new.tenant.clone(),
                connection: String::new(),
                order_key: message.subject(),
                trace: context.to_string(),
                body: body.clone(),
                received_at: now,
            });
        }
        if !names.is_empty() {
            steps.push(Step {
                trace: context.id(),
                id: hub.ids.next().to_string(),
                tenant: event.new.tenant.clone(),
                at: now,
                step: "replay".to_owned(),
                system: "hub".to_owned(),
                result: "ok".to_owned(),
                subject: message.subject(),
                detail: format!(
                    "{} handed to {} again for {} (replay {})",
                    event.new.kind,
                    names.join(", "),
                    redrive.new.asked_by,
                    redrive.new.id
                ),
            });
        }
    }
    tx.insert_work(work).await?;
    tx.add_steps(steps).await?;
    Ok(Ok((Portion { done: handled, refused: 0, place, last: handled < size }, handled)))
}

/// A portion of payloads.
pub(crate) async fn raws(
    hub: &Arc<Hub>,
    tx: &mut Tx,
    redrive: &Redrive,
    past: &Past,
    size: i64,
) -> Result<(Portion, i64), StoreError> {
    let raws = tx.redrive_raws(redrive, past, size).await?;
    let handled = i64::try_from(raws.len()).unwrap_or(i64::MAX);
    let place = raws.last().map_or_else(|| redrive.place.clone(), |raw| raw.id.clone());
    let mut work = Vec::with_capacity(raws.len());
    let mut portion = Portion { place, last: handled < size, ..Portion::default() };
    for old in raws {
        // Rows of a file are mapped when their import is applied, and by its mapping.
        if old.connection == imports::SOURCE {
            portion.refused += 1;
            continue;
        }
        // The order key is in the payload, which has to be opened for it.
        let Some(raw) = tx.raw(&redrive.new.tenant, &old.id).await? else { continue };
        match intake::read_again(hub, &raw) {
            Ok((_, again)) => {
                let order_key = Some(again.order_key);
                work.push(work_of_raw(&redrive.new, &old.id, &old.connection, &old.trace, order_key));
                portion.done += 1;
            }
            Err(_) => portion.refused += 1,
        }
    }
    tx.insert_work(work).await?;
    Ok((portion, handled))
}

/// A row of the inbox that maps a payload again.
pub(crate) fn work_of_raw(
    redrive: &NewRedrive,
    raw: &str,
    connection: &str,
    trace: &str,
    order_key: Option<String>,
) -> NewWork {
    NewWork {
        consumer: MAP.to_owned(),
        message: format!("{raw}{MARK}{}", redrive.id),
        tenant: redrive.tenant.clone(),
        connection: connection.to_owned(),
        order_key: order_key.unwrap_or_else(|| connection.to_owned()),
        trace: trace.to_owned(),
        body: String::new(),
        received_at: redrive.asked_at,
    }
}

/// The call whose answer a payload is.
pub(crate) async fn call_behind(hub: &Hub, raw: &Raw) -> Result<Option<Call>, StoreError> {
    let Some(id) = raw.new.dedupe_id.strip_prefix("call:") else { return Ok(None) };
    let (tenant, id) = (raw.new.tenant.clone(), id.to_owned());
    let call = hub.store.read(job!(|tx| { tx.call_by_id(&tenant, &id).await })).await?;
    // A vendor may send ids of this form, too.
    Ok(call.filter(|call| call.new.connection == raw.new.connection && raw.event.as_ref() == Some(&call.new.operation)))
}

/// What the answer of a call says by today's mapping.
pub(crate) fn map_answer(hub: &Hub, connection: &Connection, raw: &Raw, call: &Call) -> Result<Mapped, Failure> {
    let unreadable = |what: &str| Failure::park("UNREADABLE_CALL", what);
    let opened = hub.open(&raw.new.tenant, &format!("raw:{}", raw.new.id), &raw.new.body.0);
    let opened = opened.map_err(|error| Failure::park("UNREADABLE_MESSAGE", error.to_string()))?;
    let envelope = RawEnvelope::decode(&opened).ok_or_else(|| unreadable("the answer is not what was kept"))?;
    let args = hub.open(&call.new.tenant, &format!("call:{}", call.new.id), &call.new.body.0);
    let args = args.map_err(|error| Failure::park("UNREADABLE_CALL", error.to_string()))?;
    let packed = is_part(&call.new.operation).then(|| unpack(&args)).flatten();
    let args = packed.map_or(args, |(args, _)| args);
    let operation = connection.manifest.operation(&call.new.operation);
    let operation = operation.ok_or_else(|| Failure::park("NO_OPERATION", "the connector cannot do this any more"))?;
    let mapping = operation
        .reply
        .as_ref()
        .and_then(|object| hub.registry().mapping(connection, object, Direction::In).cloned())
        .ok_or_else(|| {
            Failure::park("MAPPING_MISSING", "there is no mapping for the answer: `hrhub check` says why")
        })?;
    let source = SourceOf {
        connection: connection.id.clone(),
        system: connection.manifest.vendor.clone(),
        url: None,
        vendor_time: None,
        // As when it was read first: an answer to a repetition is as old as the first try.
        received_at: if call.tries > 1 { call.new.created_at } else { raw.new.received_at },
        raw: raw.new.id.clone(),
        raw_sha256: raw.new.sha256.clone(),
        mapping: mapping.id.clone(),
        mapping_version: mapping.version.clone(),
    };
    Ok(map_reply(connection, &mapping, &operation.name, (&args, &envelope.body), &source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replayed_message_knows_what_it_was() {
        assert_eq!((original("a~b"), replay_of("a~b")), ("a", Some("b")));
        assert_eq!((original("a"), replay_of("a")), ("a", None));
    }

    #[test]
    fn types_are_written_as_subscriptions_write_them() {
        let read = |text: &str| types(&[text.to_owned()]);
        assert_eq!(read("hr.application.stage_changed.v1").unwrap(), ["application.stage_changed"]);
        assert_eq!(read("application.*").unwrap(), ["application.*"]);
        assert!(read("Application").unwrap_err().contains("`Application` is no type"));
    }
}
