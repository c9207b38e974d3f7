//! One approval in several systems. Its record keeps a mirror for each; the first system in which it is answered
//! decides, and the others are closed there. A later answer, from whichever system, changes that system's mirror only.
//!
//! Answers that come at the same time meet at the record: one of the two transactions finds the other's outcome.

use crate::effects::{CallRequest, Effects, Failure};
use crate::event::EventMessage;
use crate::hub::Hub;
use crate::journey::Went;
use crate::react::Consumer;
use crate::records::Write;
use crate::rules::{arguments, document};
use async_trait::async_trait;
use hub_tree::clock::rfc3339_micros;
use hub_tree::{Arena, Limits, Value, json};
use std::sync::Arc;

/// The entity.
pub const ENTITY: &str = "approval";
/// What an approval is as long as nobody has answered.
pub const PENDING: &str = "PENDING";
/// The operation that closes an approval in a system.
const CLOSE: &str = "cancel_approval";
/// What of a word is its system's own, while another system has decided.
const OUTCOME: [&str; 3] = ["status", "ended_at", "tasks"];

fn status<'a>(of: Value<'a>) -> Option<&'a str> {
    of.get("status").get("value").as_text()
}

/// Makes of one system's word what it means for an approval that lies in several: its mirror changes, and the approval
/// itself if nobody has decided before. Words about other records stay as they are.
pub(crate) fn one_of_several(write: &mut Write, old: &[u8], now: i64) {
    let Some(source) = write.source.as_ref().filter(|_| write.entity.name == ENTITY) else { return };
    let arena = Arena::new();
    let read = |bytes| json::read(&arena, bytes, Limits::default()).unwrap_or_default();
    let (old, said) = (read(old), read(write.fields.as_bytes()));
    let mirrors = old.get("mirrors");
    let is_here = |mirror: &Value<'_>| mirror.get("connection").as_text() == Some(&source.connection);
    if !mirrors.items().iter().any(is_here) {
        return;
    }
    let undecided = status(old).is_none_or(|status| status == PENDING);
    let answer = status(said).filter(|status| *status != PENDING);
    let text = |text: &str| Value::Text(arena.text(text));
    let mirror = |mirror: &_| if is_here(mirror) { told(&arena, *mirror, said, now) } else { *mirror };
    let mirrors: Vec<Value<'_>> = mirrors.items().iter().map(mirror).collect();
    let left_out = |name: &str| {
        // The id and the form of the one system that has answered, if any, stand for the approval.
        let decides = undecided && answer.is_some();
        (!undecided && OUTCOME.contains(&name)) || (!decides && matches!(name, "external_instance_id" | "system"))
    };
    let mut entries: Vec<(&str, Value<'_>)> =
        said.entries().iter().filter(|(name, _)| !left_out(name) && *name != "mirrors").copied().collect();
    if undecided && answer.is_some() {
        entries.retain(|(name, _)| *name != "system");
        entries.push(("system", text(&source.connection)));
    }
    entries.push(("mirrors", arena.list(&mirrors)));
    write.rules.retain(|(pointer, _)| !left_out(pointer.trim_start_matches('/').split('/').next().unwrap_or_default()));
    write.fields = json::to_string(&arena.map(&entries));
}

/// A mirror after a word of its system.
fn told<'a>(arena: &'a Arena, mirror: Value<'a>, said: Value<'a>, now: i64) -> Value<'a> {
    let kept = |name: &'static str| {
        let value = said.get(name);
        (name, if value.is_absent() { mirror.get(name) } else { value })
    };
    let answered = status(said).is_some_and(|status| status != PENDING);
    let closed_at = match said.get("ended_at") {
        _ if !answered => mirror.get("closed_at"),
        Value::Absent => Value::Text(arena.text(&rfc3339_micros(now))),
        ended_at => ended_at,
    };
    let mut entries = vec![kept("external_instance_id"), kept("status"), ("closed_at", closed_at)];
    let names = entries.iter().map(|(name, _)| *name).collect::<Vec<_>>();
    entries.extend(mirror.entries().iter().filter(|(name, _)| !names.contains(name)));
    arena.map(&entries)
}

/// Closes approvals that were answered, in the systems where they are still open.
pub struct Approvals;

#[async_trait]
impl Consumer for Approvals {
    fn name(&self) -> &'static str {
        "approvals"
    }

    fn topics(&self) -> &'static [&'static str] {
        &["hr.approval.#"]
    }

    async fn handle(&self, hub: &Arc<Hub>, event: &EventMessage) -> Result<Effects, Failure> {
        let mut effects = Effects::of(event);
        let approval = document(hub, &event.tenant, ENTITY, &event.record, None).await?;
        let Some(approval) = approval else { return Ok(effects) };
        let arena = Arena::new();
        let approval = json::read(&arena, approval.as_bytes(), Limits::default()).unwrap_or_default();
        if status(approval).is_none_or(|status| status == PENDING) {
            return Ok(effects);
        }
        for mirror in approval.get("mirrors").items() {
            let open = status(*mirror).is_none_or(|status| status == PENDING);
            let names = (mirror.get("connection").as_text(), mirror.get("external_instance_id").as_text());
            let (true, (Some(connection), Some(instance))) = (open, names) else { continue };
            close(hub, event, approval, (connection, instance), *mirror, &mut effects)?;
        }
        Ok(effects)
    }
}

fn close(
    hub: &Hub,
    event: &EventMessage,
    approval: Value<'_>,
    (connection, instance): (&str, &str),
    mirror: Value<'_>,
    effects: &mut Effects,
) -> Result<(), Failure> {
    let now = hub.clock.micros();
    let known = hub.connection(connection).filter(|known| known.tenant == event.tenant);
    if known.is_none_or(|known| known.manifest.operation(CLOSE).is_none()) {
        let detail = "decided elsewhere; this system has no way to close it from outside";
        effects.steps.add(&hub.ids, now, ("close", Went::Ok), connection, &event.subject(), detail);
        return Ok(());
    }
    let arena = Arena::new();
    let system = arena.map(&["definition", "applicant"].map(|name| (name, mirror.get(name).copy_into(&arena))));
    let input = arena.map(&[
        ("approval", approval.copy_into(&arena)),
        ("system", system),
        ("instance_id", Value::Text(arena.text(instance))),
    ]);
    effects.calls.push(CallRequest {
        connection: connection.to_owned(),
        operation: CLOSE.to_owned(),
        key: format!("close:{}", event.subject()),
        order_key: event.subject(),
        subject: event.subject(),
        args: arguments(hub, connection, CLOSE, input)?,
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::{SourceOf, Target};

    const PENDING_IN_TWO: &str = r#"{"status":{"value":"PENDING"},"mirrors":[{"connection":"a","status":{"value":"PENDING"},"external_instance_id":"A1"},{"connection":"b","status":{"value":"PENDING"}}]}"#;

    fn word(connection: &str, fields: &str) -> Write {
        let [raw, raw_sha256, mapping, mapping_version, system] = Default::default();
        let connection = connection.to_owned();
        let source = SourceOf {
            connection,
            system,
            url: None,
            vendor_time: None,
            received_at: 0,
            raw,
            raw_sha256,
            mapping,
            mapping_version,
        };
        Write {
            entity: hub_model::entity(ENTITY).unwrap(),
            target: Target::Remote { key: None, hub_id: None },
            fields: fields.to_owned(),
            ext: None,
            deleted: false,
            rules: vec![("/status/value".into(), "r".into()), ("/form".into(), "r".into())],
            source: Some(source),
        }
    }

    fn after(old: &str, connection: &str, fields: &str) -> String {
        let mut write = word(connection, fields);
        one_of_several(&mut write, old.as_bytes(), 0);
        write.fields
    }

    #[test]
    fn the_first_answer_decides_and_a_later_one_changes_its_mirror_only() {
        let approved =
            r#"{"status":{"value":"APPROVED"},"external_instance_id":"B7","ended_at":"2026-03-01T00:00:00.000Z"}"#;
        let first = after(PENDING_IN_TWO, "b", approved);
        assert!(first.starts_with(r#"{"status":{"value":"APPROVED"},"external_instance_id":"B7""#), "{first}");
        assert!(
            first.contains(r#""system":"b""#)
                && first.contains(r#""closed_at":"2026-03-01T00:00:00.000Z","connection":"b""#),
            "{first}"
        );
        let decided = PENDING_IN_TWO.replacen("PENDING", "APPROVED", 1);
        let mut late = word("a", r#"{"status":{"value":"REJECTED"},"form":{"x":"1"}}"#);
        one_of_several(&mut late, decided.as_bytes(), 0);
        assert!(
            late.fields.starts_with(
                r#"{"form":{"x":"1"},"mirrors":[{"external_instance_id":"A1","status":{"value":"REJECTED"}"#
            ),
            "{}",
            late.fields
        );
        assert_eq!(late.rules, [("/form".to_owned(), "r".to_owned())]);
    }

    #[test]
    fn an_instance_id_belongs_to_its_mirror_and_an_approval_of_one_system_stays_as_it_is() {
        let started = after(PENDING_IN_TWO, "b", r#"{"external_instance_id":"B7"}"#);
        assert!(
            started.starts_with(r#"{"mirrors":"#)
                && started.contains(r#"{"external_instance_id":"B7","status":{"value":"PENDING"},"connection":"b"}"#),
            "{started}"
        );
        let alone = r#"{"status":{"value":"APPROVED"}}"#;
        assert_eq!(after(r#"{"status":{"value":"PENDING"}}"#, "c", alone), alone);
        assert_eq!(after(PENDING_IN_TWO, "c", alone), alone);
    }
}
