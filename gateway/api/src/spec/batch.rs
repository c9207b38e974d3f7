//! Several requests in one.

use super::Topic;
use super::operation::{Body, json, post};
use super::shape::{Shape, may, must};

const REQUEST: Shape = Shape::Object(
    "BatchRequest",
    &[
        must("id", Shape::Text, "By which its answer is known."),
        must("method", Shape::Word(&["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]), ""),
        must("path", Shape::Text, "Below `/v1/`, with parameters."),
        may("headers", Shape::Map(&Shape::Text), ""),
        may("body", Shape::Any, ""),
    ],
);
const ANSWER: Shape = Shape::Object(
    "BatchAnswer",
    &[
        must("id", Shape::Text, ""),
        must("status", Shape::Integer, ""),
        must("headers", Shape::Map(&Shape::Text), ""),
        must("body", Shape::Any, "Null where there is none."),
    ],
);
const REQUESTS: Shape = Shape::Object(
    "BatchRequests",
    &[
        must("requests", Shape::Some(1, 50, &REQUEST), "Carried out one after the other."),
        may("atomic", Shape::Bool, "Refused where it is true: one that fails stops nothing."),
    ],
);
const EXAMPLE: &str = r#"{"requests": [{"id": "a", "method": "GET", "path": "/v1/employees?limit=5"}]}"#;

pub(super) static TOPIC: Topic = Topic {
    name: "Batch",
    doc: "Several requests in one, each answered as if it came alone.",
    operations: &[post("/v1/batch", "send_batch", "Carries several requests out, one after the other.")
        .needs(&["read:structure", "read", "write"])
        .body(Body::Json(REQUESTS))
        .examples(&[EXAMPLE])
        .answers(&[json(
            200,
            Shape::Object("BatchAnswers", &[must("responses", Shape::List(&ANSWER), "In the order of the requests.")]),
        )])],
};
