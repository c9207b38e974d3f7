//! Who did what.

use super::Topic;
use super::operation::{CURSOR, LIMIT, Parameter, bytes, get, json, query};
use super::shape::{Shape, must};

const WHO: Shape = Shape::Object(
    "AuditWho",
    &[
        must("handle", Shape::Text, "The id of an app, `person:CONNECTION:ID`, `command`, `hub` or `stranger`."),
        must("name", Shape::Text, "What people call them."),
        must("kind", Shape::Word(&["admin", "app", "command", "hub", "person", "stranger"]), ""),
    ],
);
const ENTRY: Shape = Shape::Object(
    "AuditEntry",
    &[
        must("tenant", Shape::Text, ""),
        must("position", Shape::Null(&Shape::Integer), "Its place in the chain; null for a moment."),
        must("id", Shape::Text, ""),
        must("at", Shape::Time, ""),
        must("who", WHO, ""),
        must("action", Shape::Text, "What was done, such as `restricted.read`."),
        must("about", Shape::List(&Shape::Text), "What it is about: kind and id."),
        must("purpose", Shape::Null(&Shape::Text), "What for, as the request said."),
        must("outcome", Shape::Word(&["ok", "refused", "failed"]), ""),
        must("trace_id", Shape::Null(&Shape::Text), "The journey."),
        must("details", Shape::Map(&Shape::Any), "More; no personal values."),
        must("link", Shape::Null(&Shape::Text), "The keyed hash that holds it in its place."),
    ],
);

const WHO_DID: Parameter = query("who", Shape::Text, "By whom: a handle.");
const ACTION: Parameter = query("action", Shape::Text, "What was done.");
const ABOUT: Parameter = query("about", Shape::Text, "About what: `employee/<id>`.");
const AFTER: Parameter = query("after", Shape::Time, "Not before this time.");
const BEFORE: Parameter = query("before", Shape::Time, "Before this time.");

pub(super) static TOPIC: Topic = Topic {
    name: "Audit",
    doc: "Who did what, about which things, when and what for. `hrhub audit verify` finds any change of it.",
    operations: &[
        get("/v1/audit", "list_audit_entries", "Entries, newest first.")
            .needs(&["audit"])
            .parameters(&[LIMIT, CURSOR, WHO_DID, ACTION, ABOUT, AFTER, BEFORE])
            .answers(&[json(200, Shape::Page(&ENTRY))]),
        get("/v1/audit:export", "export_audit_entries", "All entries, oldest first, one a line.")
            .needs(&["audit"])
            .parameters(&[WHO_DID, ACTION, ABOUT, AFTER, BEFORE])
            .answers(&[bytes(200, "application/x-ndjson")]),
    ],
};
