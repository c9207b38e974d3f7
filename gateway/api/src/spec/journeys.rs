//! What became of messages.

use super::Topic;
use super::operation::{CURSOR, LIMIT, get, json, query};
use super::shape::{Shape, must};

const JOURNEY: Shape = Shape::Object(
    "Journey",
    &[
        must("trace_id", Shape::Text, ""),
        must("started_at", Shape::Time, ""),
        must("last_at", Shape::Time, "When its last step happened."),
        must("steps", Shape::Integer, "How many."),
        must("trouble", Shape::Integer, "How many of them went wrong."),
        must("subject", Shape::Text, "What it is about: entity and id."),
    ],
);
const STEP: Shape = Shape::Object(
    "JourneyStep",
    &[
        must("at", Shape::Time, ""),
        must("step", Shape::Text, "What happened."),
        must("system", Shape::Text, "Where."),
        must("result", Shape::Text, "How it went."),
        must("subject", Shape::Text, "The record, rule or place."),
        must("detail", Shape::Text, "What there is to say; no personal values."),
    ],
);
const STEPS: Shape =
    Shape::Object("JourneySteps", &[must("trace_id", Shape::Text, ""), must("steps", Shape::List(&STEP), "")]);

pub(super) static TOPIC: Topic = Topic {
    name: "Journeys",
    doc: "All that one message has caused, step by step, across systems.",
    operations: &[
        get("/v1/journeys", "list_journeys", "Journeys, newest first.")
            .needs(&["ops"])
            .parameters(&[LIMIT, CURSOR, query("about", Shape::Text, "Those of one record: `application/<id>`.")])
            .answers(&[json(200, Shape::Page(&JOURNEY))]),
        get("/v1/journeys/{trace_id}", "get_journey", "One journey with its steps.")
            .needs(&["ops"])
            .answers(&[json(200, STEPS)]),
    ],
};
