//! What needs a person, trying it again, and the past once more.

use super::Topic;
use super::operation::{Body, CURSOR, LIMIT, Parameter, get, json, post, query};
use super::shape::{Member, Shape, may, must};

const CONNECTION: Parameter = query("connection", Shape::Text, "");
const STEP: Parameter = query("step", Shape::Text, "Where it stopped.");
const CODE: Parameter = query("code", Shape::Text, "Why it stopped.");
const GROUP: Parameter = query("group", Shape::Text, "Those of one cause.");

const RESOLVED: Shape = Shape::Object(
    "Resolved",
    &[
        must("at", Shape::Time, ""),
        must("how", Shape::Text, ""),
        must("by", Shape::Text, ""),
        must("redrive", Shape::Any, ""),
        must("note", Shape::Text, ""),
    ],
);
const PARKED: Shape = Shape::Object(
    "Parked",
    &[
        must("id", Shape::Text, ""),
        must("connection", Shape::Text, ""),
        must("step", Shape::Text, "Where it stopped."),
        must("code", Shape::Text, "Why it stopped."),
        must("reason", Shape::Text, "The same in words, with file and line."),
        must("place", Shape::Text, ""),
        must("trace_id", Shape::Text, ""),
        must("kind", Shape::Text, ""),
        must("reference", Shape::Text, ""),
        must("at", Shape::Time, ""),
        must("group", Shape::Text, "Its cause."),
        may("former", Shape::Any, "As which it lay here before."),
        may("resolved", RESOLVED, "What became of it."),
        may("what", Shape::Any, "What it is about."),
        may("payload", Shape::Any, "The payload, masked."),
    ],
);
const CAUSE: Shape = Shape::Object(
    "ParkedGroup",
    &[
        must("group", Shape::Text, ""),
        must("count", Shape::Integer, ""),
        must("oldest", Shape::Time, ""),
        must("newest", Shape::Time, ""),
        must("connection", Shape::Text, ""),
        must("step", Shape::Text, ""),
        must("code", Shape::Text, ""),
        must("place", Shape::Text, ""),
        must("reason", Shape::Text, ""),
        must("example", Shape::Text, "The id of one of them."),
    ],
);
const REDRIVE: Shape = Shape::Object(
    "Redrive",
    &[
        must("id", Shape::Text, ""),
        must("of", Shape::Word(&["parked", "events", "raws"]), ""),
        must("what", Shape::Map(&Shape::Any), "Which ones."),
        must("state", Shape::Text, ""),
        must("rate_per_second", Shape::Integer, ""),
        must("asked_at", Shape::Time, ""),
        must("asked_by", Shape::Text, ""),
        must("note", Shape::Text, ""),
        must("total", Shape::Integer, ""),
        must("done", Shape::Integer, ""),
        must("refused", Shape::Integer, ""),
        must("changed_at", Shape::Time, ""),
        must("changed_by", Shape::Text, ""),
        may("error", Shape::Text, ""),
    ],
);

const IDS: Member = may("ids", Shape::Some(1, 1000, &Shape::Long(1, 100)), "These; or `filter`.");
const FILTER: Member = may("filter", WHICH, "All that it fits; `{}` means everything.");
const RATE: Member = may("rate_per_second", Shape::Between(1, 1000), "How many a second.");
const NOTE: Member = may("note", Shape::Long(0, 500), "Why, for those who look later.");
const OUTCOME: Member =
    may("outcome", Shape::Word(&["carried_out", "not_carried_out"]), "What a person saw at the vendor.");
const WHICH: Shape = Shape::Object(
    "ParkedFilter",
    &[
        may("connection", Shape::Text, ""),
        may("step", Shape::Text, ""),
        may("code", Shape::Text, ""),
        may("group", Shape::Text, ""),
    ],
);
const ASKED: Shape = Shape::Object("ParkedRequest", &[IDS, FILTER, RATE, OUTCOME, NOTE]);
const EVERYTHING: &str = r#"{"filter": {"connection": "ats-main"}, "note": "the mapping was mended"}"#;
const PAST: Shape = Shape::Object(
    "ReplayRequest",
    &[
        may("of", Shape::Word(&["events", "raws"]), "`events` if absent."),
        must("from", Shape::Time, ""),
        may("to", Shape::Time, "Now, if absent."),
        may("connection", Shape::Text, ""),
        may("types", Shape::Some(0, 50, &Shape::Text), ""),
        may("record", Shape::Text, "One record: entity/id."),
        may("consumer", Shape::Text, "Only this consumer."),
        RATE,
        NOTE,
    ],
);
const YEAR: &str = r#"{"from": "2026-01-01T00:00:00Z", "types": ["hr.application.*"]}"#;

pub(super) static TOPIC: Topic = Topic {
    name: "Parked and replays",
    doc: "What needs a person, by cause; trying it again; events and payloads of the past once more.",
    operations: &[
        get("/v1/parked", "list_parked", "What needs a person, oldest first.")
            .needs(&["ops"])
            .parameters(&[
                LIMIT,
                CURSOR,
                CONNECTION,
                STEP,
                CODE,
                GROUP,
                query("state", Shape::Word(&["open", "resolved"]), "`resolved`: what needed one."),
            ])
            .answers(&[json(200, Shape::Page(&PARKED))]),
        get("/v1/parked/groups", "list_parked_groups", "The same by cause.")
            .needs(&["ops"])
            .parameters(&[LIMIT, CONNECTION, STEP, CODE, GROUP])
            .answers(&[json(200, Shape::Page(&CAUSE))]),
        get("/v1/parked/{id}", "get_parked", "One of them, with its payload masked.")
            .needs(&["ops"])
            .answers(&[json(200, PARKED)]),
        post("/v1/parked:preview", "preview_redrive", "Says what trying again would do, and changes nothing.")
            .needs(&["ops"])
            .body(Body::Json(ASKED))
            .examples(&[EVERYTHING])
            .problems(&["bad_parameter"])
            .answers(&[json(200, Shape::Map(&Shape::Any))]),
        post("/v1/parked:redrive", "redrive_parked", "Begins to try parked things again.")
            .needs(&["ops"])
            .body(Body::Json(ASKED))
            .examples(&[EVERYTHING])
            .problems(&["bad_parameter"])
            .answers(&[json(202, REDRIVE)]),
        post("/v1/parked:discard", "discard_parked", "Discards parked things.")
            .needs(&["ops"])
            .body(Body::Json(ASKED))
            .examples(&[EVERYTHING])
            .problems(&["bad_parameter"])
            .answers(&[json(200, Shape::Object("Discarded", &[must("discarded", Shape::Integer, "How many.")]))]),
        get("/v1/redrives", "list_redrives", "Re-drives and replays, newest first.")
            .needs(&["ops"])
            .parameters(&[LIMIT, CURSOR])
            .answers(&[json(200, Shape::Page(&REDRIVE))]),
        get("/v1/redrives/{id}", "get_redrive", "One of them.").needs(&["ops"]).answers(&[json(200, REDRIVE)]),
        post("/v1/redrives/{id}:stop", "stop_redrive", "Holds it.").needs(&["ops"]).answers(&[json(200, REDRIVE)]),
        post("/v1/redrives/{id}:resume", "resume_redrive", "Lets it go on.")
            .needs(&["ops"])
            .answers(&[json(200, REDRIVE)]),
        post("/v1/replays:preview", "preview_replay", "Says what a replay would do, and changes nothing.")
            .needs(&["ops"])
            .body(Body::Json(PAST))
            .examples(&[YEAR])
            .problems(&["bad_parameter"])
            .answers(&[json(200, Shape::Map(&Shape::Any))]),
        post("/v1/replays", "replay", "Hands events of the past to consumers again, or maps payloads again.")
            .needs(&["ops"])
            .body(Body::Json(PAST))
            .examples(&[YEAR])
            .problems(&["bad_parameter"])
            .answers(&[json(202, REDRIVE)]),
    ],
};
