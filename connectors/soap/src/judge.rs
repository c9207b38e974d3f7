//! What the hub makes of one message, as a JSON object for people and tests.

use crate::driver::fault_text;
use crate::read::{Envelope, Message, Refusal, Rules, read};
use crate::security::{self, NoMemory, Policy, SecurityFault};
use hub_kit::Party;
use hub_tree::jiff::Timestamp;
use hub_tree::{Arena, Limits, Value, json};

/// Which end of the wire looks at a message.
#[derive(Clone, Copy, Debug)]
pub enum Side<'s> {
    /// It is an answer to us.
    Answer,
    /// It is a request to us, which came at an instant and must prove something if there is a policy.
    Request {
        /// When it came.
        now: Timestamp,
        /// What it must prove.
        policy: Option<&'s Policy>,
    },
}

/// Judges a message. `outcome` says whether it is taken (`parse`), says itself that something failed (`fault`), or is
/// refused (`reject`); of a refused request `fault` is what our server answers. `tree` is what mappings read, of a fault
/// its detail.
pub async fn judge(message: &Message<'_>, side: Side<'_>) -> String {
    let arena = Arena::new();
    let rules = match side {
        Side::Answer => Rules::client(),
        Side::Request { .. } => Rules::server(),
    };
    let envelope = match read(&arena, message, &rules) {
        Ok(envelope) => envelope,
        Err(refusal) => return refused(&arena, &refusal, side),
    };
    let unproved = match side {
        Side::Request { now, policy: Some(policy) } => security::verify(&envelope, policy, now, &NoMemory).await.err(),
        _ => None,
    };
    match unproved {
        Some(fault) => not_believed(&arena, &envelope, fault),
        None => taken(&arena, &envelope),
    }
}

fn head<'a>(arena: &'a Arena, envelope: &Envelope<'a>) -> Vec<(&'a str, Value<'a>)> {
    let mut entries = vec![("version", Value::Text(envelope.version.word()))];
    if let Some((namespace, name)) = envelope.element {
        let element = [("namespace", Value::Text(namespace)), ("name", Value::Text(name))];
        entries.push(("element", arena.map(&element)));
    }
    let headers: Vec<Value<'a>> = envelope
        .headers
        .iter()
        .map(|block| {
            let entries = [
                ("namespace", Value::Text(block.namespace)),
                ("name", Value::Text(block.name)),
                ("must_understand", Value::Bool(block.must_understand)),
            ];
            arena.map(&entries)
        })
        .collect();
    if !headers.is_empty() {
        entries.push(("headers", arena.list(&headers)));
    }
    if !envelope.notes.is_empty() {
        let notes: Vec<Value<'a>> = envelope.notes.iter().map(|note| Value::Text(note)).collect();
        entries.push(("notes", arena.list(&notes)));
    }
    entries
}

fn taken(arena: &Arena, envelope: &Envelope<'_>) -> String {
    let mut entries = vec![("outcome", Value::Text("parse"))];
    let mut tree = envelope.payload;
    if let Some(fault) = &envelope.fault {
        let text = arena.bytes(fault_text(fault).as_bytes());
        let limits = Limits { max_depth: 512, ..Limits::default() };
        let whole = json::read(arena, text, limits).unwrap_or_default().get("Fault");
        // The detail is the tree.
        let entries_of = whole.entries().iter().filter(|(key, _)| *key != "detail").copied();
        entries = vec![("outcome", Value::Text("fault")), ("fault", arena.map(&entries_of.collect::<Vec<_>>()))];
        tree = fault.detail;
    }
    entries.extend(head(arena, envelope));
    if !tree.is_absent() {
        entries.push(("tree", tree));
    }
    json::to_string(&arena.map(&entries))
}

fn not_believed(arena: &Arena, envelope: &Envelope<'_>, fault: SecurityFault) -> String {
    let reason = fault.answer().reason;
    let entries = [
        ("outcome", Value::Text("reject")),
        ("fault", short(arena, fault.word(), fault.party())),
        ("reason", Value::Text("security")),
        ("message", Value::Text(&reason)),
    ];
    json::to_string(&arena.map(&[&entries[..], &head(arena, envelope)].concat()))
}

fn refused(arena: &Arena, refusal: &Refusal, side: Side<'_>) -> String {
    let party = match side {
        Side::Request { .. } => refusal.party_of_request(),
        Side::Answer => refusal.party_of_answer(),
    };
    let entries = [
        ("outcome", Value::Text("reject")),
        ("fault", short(arena, refusal.fault_code().name(refusal.version), party)),
        ("reason", Value::Text(refusal.reason.word())),
        ("message", Value::Text(&refusal.message)),
        ("version", Value::Text(refusal.version.word())),
    ];
    json::to_string(&arena.map(&entries))
}

fn short<'a>(arena: &'a Arena, code: &'a str, party: Party) -> Value<'a> {
    arena.map(&[("code", Value::Text(code)), ("party", Value::Text(party.word())), ("retryable", Value::Bool(false))])
}
