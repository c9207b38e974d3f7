//! Connections, their polls, and calls that are passed through.

use super::Topic;
use super::operation::{Body, IDEMPOTENCY_KEY, get, json, post};
use super::shape::{Shape, must};

const CIRCUIT: Shape = Shape::Object(
    "Circuit",
    &[
        must("state", Shape::Word(&["closed", "open", "half_open"]), "Whether calls are made."),
        must("since", Shape::Null(&Shape::Time), "Since when it stands so."),
        must("why", Shape::Text, "What made it so."),
        must("decided", Shape::Null(&DECIDED), "What a person has decided."),
        must("next_probe_at", Shape::Null(&Shape::Time), "When a call is tried."),
        must("waits_until", Shape::Null(&Shape::Time), "Until when the vendor asked to wait."),
        must("waits_why", Shape::Null(&Shape::Text), "Why it asked to."),
        must("window_secs", Shape::Integer, "The time that is looked at."),
        must("calls", Shape::Integer, "Calls in that time."),
        must("error_rate", Shape::Decimal, "The share of them that failed."),
        must("slow_rate", Shape::Decimal, "The share of them that was slow."),
    ],
);
const DECIDED: Shape = Shape::Object(
    "CircuitDecision",
    &[
        must("state", Shape::Word(&["open", "closed"]), ""),
        must("by", Shape::Text, "Who."),
        must("at", Shape::Time, "When."),
    ],
);
const CONNECTION: Shape = Shape::Object(
    "Connection",
    &[
        must("id", Shape::Text, "Its id, unique in the hub."),
        must("connector", Shape::Text, "The connector behind it."),
        must("name", Shape::Text, "The vendor's name."),
        must("family", Shape::Text, "What kind of system it is."),
        must("tenant", Shape::Text, "Whose it is."),
        must("takes_webhooks", Shape::Bool, "Whether the vendor knocks at `/hooks/{connection}`."),
        must("operations", Shape::List(&Shape::Text), "What can be called."),
        must("circuit", Shape::Null(&CIRCUIT), "How calls go; null while none was made."),
    ],
);
const ROUND: Shape = Shape::Object(
    "PollRound",
    &[
        must("id", Shape::Text, ""),
        must("state", Shape::Text, "How far it is."),
        must("began_at", Shape::Time, ""),
        must("ended_at", Shape::Null(&Shape::Time), ""),
        must("calls", Shape::Integer, "Calls that it has made."),
        must("open_calls", Shape::Integer, "Calls that are under way."),
        must("failed_calls", Shape::Integer, "Calls that failed."),
        must("gone", Shape::Integer, "Records that the vendor has no more."),
        must("trace_id", Shape::Null(&Shape::Text), "Its journey."),
    ],
);
const POLL: Shape = Shape::Object(
    "Poll",
    &[
        must("name", Shape::Text, ""),
        must("every_secs", Shape::Integer, "How often it begins."),
        must("next_at", Shape::Null(&Shape::Time), "When it begins next."),
        must("rounds", Shape::List(&ROUND), "The last ones, newest first."),
    ],
);
const DUE: Shape = Shape::Object("PollDue", &[must("poll", Shape::Text, ""), must("state", Shape::Text, "`due`.")]);

pub(super) static TOPIC: Topic = Topic {
    name: "Connections",
    doc: "The connected systems: what they can do, how calls to them go, and calls that are passed through as they are.",
    operations: &[
        get("/v1/connections", "list_connections", "The connections of the tenant, without their settings.")
            .needs(&["ops"])
            .problems(&["bad_parameter"])
            .answers(&[json(200, Shape::Page(&CONNECTION))]),
        get("/v1/connections/{id}", "get_connection", "One connection.")
            .needs(&["ops"])
            .answers(&[json(200, CONNECTION)]),
        post("/v1/connections/{id}:open", "open_circuit", "No calls are made, until somebody says otherwise.")
            .needs(&["ops"])
            .answers(&[json(200, CONNECTION)]),
        post("/v1/connections/{id}:close", "close_circuit", "Calls are made whatever happens.")
            .needs(&["ops"])
            .answers(&[json(200, CONNECTION)]),
        post("/v1/connections/{id}:auto", "free_circuit", "Whether calls are made is decided by how they go.")
            .needs(&["ops"])
            .answers(&[json(200, CONNECTION)]),
        post(
            "/v1/connections/{id}:test",
            "test_connection",
            "Finds out what works, by asking the vendor; changes nothing.",
        )
        .needs(&["ops"])
        .answers(&[json(200, Shape::Any)]),
        get("/v1/connections/{id}/polls", "list_polls", "What is read again and again, with the last rounds.")
            .needs(&["ops"])
            .answers(&[json(200, Shape::Page(&POLL))]),
        post("/v1/connections/{id}/polls/{poll}:run", "run_poll", "Begins a round now.")
            .needs(&["ops"])
            .answers(&[json(202, DUE)]),
        post(
            "/v1/passthrough/{connection}/{operation}",
            "pass_through",
            "Calls an operation of a connection at once; the hub never repeats it.",
        )
        .needs(&["passthrough"])
        .parameters(&[IDEMPOTENCY_KEY])
        .body(Body::Optional(Shape::Map(&Shape::Any)))
        .examples(&[r#"{"userid": "hx0002"}"#])
        .problems(&[
            "vendor_refused",
            "vendor_absent",
            "vendor_busy",
            "vendor_trouble",
            "no_vendor_answer",
            "vendor_unwell",
            "connection_fault",
        ])
        .answers(&[json(200, Shape::Any).headers(&[("hub-trace-id", "The journey of the call.")])]),
    ],
};
