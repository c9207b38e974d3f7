//! The change feed.

use super::Topic;
use super::operation::{LIMIT, get, json, query};
use super::shape::{Shape, may, must};

const DATA: Shape = Shape::Object(
    "EventData",
    &[
        must("entity", Shape::Text, ""),
        must("id", Shape::Text, "The record."),
        must("version", Shape::Integer, "Its version then."),
        must("changed", Shape::List(&Shape::Text), "The names of the fields that changed."),
        may("connection", Shape::Text, "What caused it."),
    ],
);
const EVENT: Shape = Shape::Object(
    "Event",
    &[
        must("specversion", Shape::Text, "`1.0`, of CloudEvents."),
        must("id", Shape::Text, ""),
        must("type", Shape::Text, "Such as `hr.application.created.v1`."),
        must("source", Shape::Text, ""),
        must("subject", Shape::Text, "The record: entity and id."),
        must("time", Shape::Time, ""),
        must("traceparent", Shape::Text, "Its journey."),
        must("datacontenttype", Shape::Text, ""),
        must("data", DATA, ""),
    ],
);
const PAGE: Shape = Shape::Object(
    "Events",
    &[
        must("data", Shape::List(&EVENT), ""),
        must("next_cursor", Shape::Text, "Where to go on, also from the end."),
        must("has_more", Shape::Bool, "Whether the end was not reached."),
    ],
);

pub(super) static TOPIC: Topic = Topic {
    name: "Events",
    doc: "What happened, in order, from a cursor: as a page, a page that waits, a batch, or a stream.",
    operations: &[get("/v1/events", "list_events", "Events behind a cursor, in order.")
        .needs(&["read:structure", "read", "read:restricted", "ops"])
        .parameters(&[
            LIMIT,
            query("cursor", Shape::Text, "Behind this place; `now` for what comes; absent: from the oldest on."),
            query("after", Shape::Text, "The same as `cursor`."),
            query("types", Shape::Text, "Patterns of types, separated by commas: `hr.application.*`."),
            query("entity", Shape::Text, "Of records of this entity."),
            query("connection", Shape::Text, "Caused by this connection."),
            query("record", Shape::Text, "Of one record: `application/<id>`."),
            query("wait", Shape::Between(0, 60), "Seconds to wait for something if there is nothing."),
        ])
        .problems(&["cursor_expired", "too_many_readers"])
        .answers(&[json(200, PAGE).headers(&[("Link", "The address of the next page.")])])],
};
