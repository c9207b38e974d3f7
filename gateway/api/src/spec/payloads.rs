//! Payloads as they were received.

use super::Topic;
use super::operation::{CURSOR, LIMIT, get, json, query};
use super::shape::{Shape, may, must};

const STATES: &[&str] = &["new", "done", "ignored", "parked"];

pub(super) const PAYLOAD: Shape = Shape::Object(
    "Payload",
    &[
        must("id", Shape::Text, ""),
        must("connection", Shape::Text, ""),
        may("remote_id", Shape::Text, "The record's id there."),
        must("state", Shape::Word(STATES), "What became of it."),
        must("event", Shape::Null(&Shape::Text), "What the vendor calls it."),
        must("received_at", Shape::Time, ""),
        must("sha256", Shape::Text, "Of the body as it came."),
        must("trace_id", Shape::Text, "Its journey."),
        must("parent", Shape::Null(&Shape::Text), "The payload that this one completes."),
        may("mapping", Shape::Text, "The mapping that read it."),
        must("mapping_version", Shape::Null(&Shape::Text), ""),
        may("headers", Shape::Map(&Shape::Text), "Headers that were kept."),
        may("payload", Shape::Any, "The body: JSON, of XML the tree that mappings see."),
        may("masked", Shape::List(&Shape::Text), "What of it the key may not read."),
    ],
);

pub(super) static TOPIC: Topic = Topic {
    name: "Payloads",
    doc: "What connected systems sent, as it was received, and what became of it.",
    operations: &[
        get("/v1/raws", "list_raws", "Payloads, newest first, without what they say.")
            .needs(&["ops"])
            .parameters(&[
                LIMIT,
                CURSOR,
                query("connection", Shape::Text, "Those of one connection."),
                query("state", Shape::Word(STATES), ""),
                query("received_after", Shape::Time, ""),
            ])
            .answers(&[json(200, Shape::Page(&PAYLOAD))]),
        get("/v1/raws/{id}", "get_raw", "One payload; what it says, as far as the key may read records.")
            .needs(&["ops"])
            .answers(&[json(200, PAYLOAD)]),
    ],
};
