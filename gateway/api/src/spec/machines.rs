//! For monitoring, and this description itself.

use super::Topic;
use super::operation::{bytes, empty, get, json};
use super::shape::{Shape, must};

const HEALTH: Shape = Shape::Object("Health", &[must("status", Shape::Text, "`ok`.")]);
const READINESS: Shape = Shape::Object(
    "Readiness",
    &[
        must("ready", Shape::Bool, ""),
        must("role", Shape::Text, "What this process does: `all`, `edge` or `worker`."),
        must("draining", Shape::Bool, "Whether it is about to stop."),
        must("store", Shape::Map(&Shape::Any), "Kind, and whether it answers."),
        must("bus", Shape::Map(&Shape::Any), "Kind, whether it answers, and what waits."),
    ],
);

pub(super) static TOPIC: Topic = Topic {
    name: "For machines",
    doc: "Health, readiness, counters, and the description of the API.",
    operations: &[
        get("/healthz", "get_health", "The process lives.").answers(&[json(200, HEALTH)]),
        get("/readyz", "get_readiness", "Whether store and broker answer.")
            .answers(&[json(200, READINESS), json(503, READINESS)]),
        get("/metrics", "get_metrics", "Counters in the OpenMetrics format.")
            .answers(&[bytes(200, "application/openmetrics-text")]),
        get("/openapi.json", "get_openapi", "This description.")
            .answers(&[json(200, Shape::Map(&Shape::Any)), empty(304)]),
        get("/llms.txt", "get_llms_txt", "An index of the documentation.").answers(&[bytes(200, "text/plain")]),
        get("/docs", "get_reference", "The reference for people.").answers(&[bytes(200, "text/html")]),
        get("/docs/docs.css", "get_reference_style", "Its style.").answers(&[bytes(200, "text/css")]),
        get("/docs/docs.js", "get_reference_script", "Its script.").answers(&[bytes(200, "text/javascript")]),
        get("/docs/guides/{name}", "get_guide", "A guide, as Markdown.").answers(&[bytes(200, "text/plain")]),
        get("/docs/problems/{code}", "get_problem_page", "What a code means.").answers(&[bytes(200, "text/html")]),
    ],
};
