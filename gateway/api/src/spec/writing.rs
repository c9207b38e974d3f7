//! Writing to systems.

use super::Topic;
use super::operation::{
    Body, CURSOR, Each, IDEMPOTENCY_KEY, LIMIT, Parameter, delete, empty, get, header, json, patch, post, query,
};
use super::shape::{Member, Shape, may, must};

/// Entities whose requests are read in a way of their own, or that only the hub makes.
const OTHERS: &[&str] = &["approval", "audit_event", "calendar_event", "identity_link", "message"];
const TROUBLE: Shape = Shape::Object(
    "OperationProblem",
    &[
        must("code", Shape::Text, "Stable."),
        must("detail", Shape::Text, "What is wrong."),
        must("vendor_code", Shape::Null(&Shape::Text), "The vendor's own code."),
        must("party", Shape::Null(&Shape::Text), "Who must act."),
        must("pointer", Shape::Null(&Shape::Text), "Where in the request, where the mapping tells."),
    ],
);
const WARNING: Shape = Shape::Object(
    "WriteWarning",
    &[
        must("code", Shape::Text, "Stable."),
        must("detail", Shape::Text, "What a caller should know."),
        may("pointer", Shape::Text, "Where in the request."),
    ],
);
const OPERATION: Shape = Shape::Object(
    "WriteOperation",
    &[
        must("id", Shape::Text, ""),
        must("status", Shape::Word(&["waiting", "running", "succeeded", "failed", "needs_attention"]), ""),
        must("entity", Shape::Text, ""),
        must("collection", Shape::Null(&Shape::Text), ""),
        must("record_id", Shape::Null(&Shape::Text), "The record; null until its system has said yes."),
        must("connection", Shape::Null(&Shape::Text), "The system that it is sent to."),
        must("call", Shape::Null(&Shape::Text), "The operation of its connector."),
        must("batch", Shape::Null(&Shape::Text), "The batch that it is an item of."),
        must("asked_at", Shape::Time, ""),
        must("ended_at", Shape::Null(&Shape::Time), ""),
        must("trace_id", Shape::Text, "Its journey."),
        must("warnings", Shape::List(&WARNING), ""),
        must("problem", Shape::Null(&TROUBLE), "Why it was not carried out."),
    ],
);
pub(super) const ASKED: Shape = Shape::Object("AskedOfSystem", &[must("operation", OPERATION, "What to look at.")]);
const COUNTS: Shape = Shape::Object(
    "BatchCounts",
    &[
        must("total", Shape::Integer, ""),
        must("waiting", Shape::Integer, ""),
        must("running", Shape::Integer, ""),
        must("succeeded", Shape::Integer, ""),
        must("failed", Shape::Integer, ""),
        must("cancelled", Shape::Integer, ""),
    ],
);
const BATCH: Shape = Shape::Object(
    "Batch",
    &[
        must("id", Shape::Text, ""),
        must("status", Shape::Word(&["uploading", "running", "done", "cancelled"]), ""),
        must("entity", Shape::Text, ""),
        must("connection", Shape::Null(&Shape::Text), "The system that items are sent to."),
        must("items", COUNTS, "How many items stand how."),
        must("asked_at", Shape::Time, ""),
        must("changed_at", Shape::Time, ""),
        must("trace_id", Shape::Null(&Shape::Text), "Its journey."),
    ],
);
const TAKEN: Shape = Shape::Object(
    "BatchTaken",
    &[must("batch", Shape::Object("BatchBegun", &[must("id", Shape::Text, ""), must("status", Shape::Text, "")]), "")],
);
const ITEM: Shape = Shape::Object(
    "BatchItem",
    &[
        must("index", Shape::Integer, "Which, from 0."),
        must("status", Shape::Word(&["waiting", "running", "succeeded", "failed", "cancelled"]), ""),
        must("id", Shape::Null(&Shape::Text), "The record."),
        must("operation", Shape::Null(&Shape::Text), "What carries it out at its system."),
        must("problem", Shape::Null(&TROUBLE), "Why not."),
    ],
);
const NEEDS: Shape = Shape::Object(
    "Requirements",
    &[
        must("connection", Shape::Text, ""),
        must("system", Shape::Text, "The connector."),
        must("entity", Shape::Text, ""),
        must("collection", Shape::Text, ""),
        must(
            "create",
            Shape::Null(&Shape::Map(&Shape::Any)),
            "What making a record needs; null: it cannot be made there.",
        ),
        must("update", Shape::Null(&Shape::Map(&Shape::Any)), "What a change needs."),
        must("delete", Shape::Bool, "Whether records can be deleted there."),
    ],
);
const BESIDE: &[Member] = &[
    may("connection", Shape::Text, "The system that gets it; without one it is the hub's own."),
    may("with", Shape::Map(&Shape::Any), "Records that the system wants to know beside, by entity."),
    may("ext", Shape::Map(&Shape::Map(&Shape::Any)), "Systems' own fields, by connection or system."),
    may("custom", Shape::Map(&Shape::Any), "Your own fields."),
];
const SENT_ITEM: Shape = Shape::Object(
    "",
    &[
        may("method", Shape::Word(&["create", "update", "upsert", "delete"]), ""),
        may("id", Shape::Text, "The record."),
        may("key", Shape::Long(1, 200), "Your own name for the record."),
        may("data", Shape::Map(&Shape::Any), "The fields."),
    ],
);
const TO: Parameter = query("connection", Shape::Text, "The system that gets it.");
const PREFER: Parameter = header("Prefer", "`wait=10`: how long to wait for the system; `respond-async`: not at all.");
const IF_MATCH: Parameter = header("If-Match", "The `ETag` as it was read: 412 if the record has changed since.");
const WRITTEN: &[(&str, &str)] = &[("ETag", "The version."), ("Location", "The record.")];
pub(super) const TAG: &[(&str, &str)] = &[("ETag", "The version.")];
pub(super) const LOOK: &[(&str, &str)] = &[("Location", "The operation.")];
const ONCE: &[&str] = &["idempotency_key_reused", "request_running", "vendor_refused"];
const ONCE_SINCE: &[&str] = &["idempotency_key_reused", "request_running", "vendor_refused", "version_differs"];

const BEGUN: Shape = Shape::Object(
    "Begun",
    &[
        must("id", Shape::Text, "The record that shows what becomes of it."),
        must("entity", Shape::Text, "Its entity."),
        must("status", Shape::Null(&Shape::Text), "How far it is."),
        must("trace_id", Shape::Text, "Its journey."),
        must("operation", OPERATION, "What carries it out."),
    ],
);
const PLACE: &[(&str, &str)] = &[("Location", "The record.")];
const SYSTEM: Shape = Shape::Object(
    "ApprovalSystem",
    &[
        must("connection", Shape::Text, ""),
        must("definition", Shape::Text, "The platform's form or process."),
        must("applicant", Shape::Text, "The platform's id of who applies."),
        may("department", Shape::Text, ""),
        may("title", Shape::Text, ""),
        may("approvers", Shape::Any, ""),
        may("cc", Shape::Any, ""),
        may("form", Shape::Any, ""),
    ],
);
const MESSAGE: &str = r#"{"connection": "chat-main", "channel": "EMAIL", "to": [{"user": "hx0311"}], "kind": "TEXT",
    "body": "Welcome, Li Na"}"#;
const APPROVAL: &str = r#"{"systems": [{"connection": "chat-main", "definition": "PROC-6C1B7F0E-3D42-4E4B-9A77-2F5C10D9E8A1",
    "applicant": "hx0002", "title": "Joining: Li Na", "approvers": ["hx0009"], "form": {"姓名": "李娜", "岗位": "工程师"}}]}"#;
const MEETING: &str = r#"{"connection": "chat-main", "title": "First interview: Li Na", "organizer": "uB3kLpW8sR2fA",
    "attendees": [{"address": "uQ7mXhZ1kT9iE", "required": true}], "starts_at": "2026-11-24T10:00:00+08:00",
    "ends_at": "2026-11-24T11:00:00+08:00", "time_zone": "Asia/Shanghai", "location": "Room 301"}"#;
const MOVED: &str = r#"{"starts_at": "2026-11-25T10:00:00+08:00", "ends_at": "2026-11-25T11:00:00+08:00"}"#;

/// What is wrong with an item is told of it when its turn comes, so nothing is said of items here.
const ITEMS: Shape = Shape::Either(&[
    Shape::Object("", &[must("items", Shape::Some(1, 50_000, &LOOSE_ITEM), "")]),
    Shape::Some(1, 50_000, &LOOSE_ITEM),
]);
const LOOSE_ITEM: Shape = Shape::Either(&[SENT_ITEM, Shape::Any]);

pub(super) static TOPIC: Topic = Topic {
    name: "Writing",
    doc: "Records, written in the hub or in connected systems, singly or in batches; messages, approvals and calendar \
          events.",
    operations: &[
        post("/v1/{collection}", "create_{entity}", "Makes a {entity}, in the hub or in a system.")
            .each(Each::But(OTHERS))
            .needs(&["write"])
            .parameters(&[TO, IDEMPOTENCY_KEY, PREFER])
            .body(Body::Json(Shape::Fields(BESIDE)))
            .problems(ONCE)
            .answers(&[json(201, Shape::Record).headers(WRITTEN), json(202, ASKED).headers(LOOK)]),
        patch("/v1/{collection}/{id}", "update_{entity}", "Changes a {entity}, by a JSON merge patch.")
            .each(Each::But(OTHERS))
            .needs(&["write"])
            .parameters(&[TO, IDEMPOTENCY_KEY, IF_MATCH, PREFER])
            .body(Body::Json(Shape::Fields(BESIDE)))
            .problems(ONCE_SINCE)
            .answers(&[json(200, Shape::Record).headers(TAG), json(202, ASKED).headers(LOOK)]),
        delete("/v1/{collection}/{id}", "delete_{entity}", "Marks a {entity} as gone.")
            .each(Each::But(OTHERS))
            .needs(&["write"])
            .parameters(&[TO, IDEMPOTENCY_KEY, IF_MATCH, PREFER])
            .problems(&[
                "idempotency_key_reused",
                "invalid_body",
                "request_running",
                "vendor_refused",
                "version_differs",
            ])
            .answers(&[empty(204), json(202, ASKED).headers(LOOK)]),
        post("/v1/{collection}:batch", "batch_{collection}", "Writes many {collection}, each with an end of its own.")
            .each(Each::But(OTHERS))
            .needs(&["write"])
            .parameters(&[TO, IDEMPOTENCY_KEY])
            .body(Body::Json(ITEMS))
            .problems(&["broken_body", "idempotency_key_reused", "request_running", "unsupported_media_type"])
            .answers(&[json(202, TAKEN).headers(&[("Location", "The batch.")])]),
        get("/v1/batches", "list_batches", "Batches, newest first.")
            .needs(&["own", "ops"])
            .parameters(&[LIMIT, CURSOR])
            .answers(&[json(200, Shape::Page(&BATCH))]),
        get("/v1/batches/{id}", "get_batch", "One batch.").needs(&["own", "ops"]).answers(&[json(200, BATCH)]),
        post("/v1/batches/{id}:cancel", "cancel_batch", "Leaves out what waits; what has begun ends.")
            .needs(&["write"])
            .problems(&["conflict"])
            .answers(&[json(200, BATCH)]),
        get("/v1/batches/{id}/items", "list_batch_items", "What became of each item.")
            .needs(&["own", "ops"])
            .parameters(&[
                LIMIT,
                CURSOR,
                query("status", Shape::Word(&["waiting", "running", "succeeded", "failed", "cancelled"]), ""),
            ])
            .answers(&[json(200, Shape::Page(&ITEM))]),
        get("/v1/operations", "list_operations", "What was asked of systems, newest first.")
            .needs(&["own", "ops"])
            .parameters(&[
                LIMIT,
                CURSOR,
                query("status", Shape::Word(&["waiting", "running", "succeeded", "failed", "needs_attention"]), ""),
                query("about", Shape::Text, "One record: `<entity>/<id>`."),
            ])
            .answers(&[json(200, Shape::Page(&OPERATION))]),
        get("/v1/operations/{id}", "get_operation", "What became of a request.")
            .needs(&["own", "ops"])
            .answers(&[json(200, OPERATION)]),
        get(
            "/v1/connections/{id}/requirements/{entity}",
            "get_requirements",
            "What a system needs to make or change a record.",
        )
        .needs(&["write"])
        .problems(&["conflict"])
        .answers(&[json(200, NEEDS)]),
        post("/v1/{collection}", "send_{entity}", "Sends a message through a connection.")
            .each(Each::Of(&["message"]))
            .needs(&["write"])
            .parameters(&[IDEMPOTENCY_KEY])
            .body(Body::Json(Shape::Fields(&[must("connection", Shape::Text, "Through which it is sent.")])))
            .examples(&[MESSAGE])
            .answers(&[json(202, BEGUN).headers(PLACE)]),
        post("/v1/{collection}", "begin_{entity}", "Begins an approval in each system.")
            .each(Each::Of(&["approval"]))
            .needs(&["write"])
            .parameters(&[IDEMPOTENCY_KEY])
            .body(Body::Json(Shape::Fields(&[must("systems", Shape::Some(1, 10, &SYSTEM), "Where it is begun.")])))
            .examples(&[APPROVAL])
            .answers(&[json(202, BEGUN).headers(PLACE)]),
        post("/v1/{collection}", "create_{entity}", "Makes a {entity} and invites people.")
            .each(Each::Of(&["calendar_event"]))
            .needs(&["write"])
            .parameters(&[IDEMPOTENCY_KEY])
            .body(Body::Json(Shape::Fields(&[must("connection", Shape::Text, "Whose calendar it is.")])))
            .examples(&[MEETING])
            .answers(&[json(202, BEGUN).headers(PLACE)]),
        patch("/v1/{collection}/{id}", "update_{entity}", "Moves a {entity}, or changes who is invited.")
            .each(Each::Of(&["calendar_event"]))
            .needs(&["write"])
            .parameters(&[IDEMPOTENCY_KEY])
            .body(Body::Json(Shape::Fields(&[])))
            .examples(&[MOVED])
            .problems(&["conflict"])
            .answers(&[json(202, BEGUN).headers(PLACE)]),
        post("/v1/{collection}/{id}:cancel", "cancel_{entity}", "Cancels a {entity}.")
            .each(Each::Of(&["calendar_event"]))
            .needs(&["write"])
            .parameters(&[IDEMPOTENCY_KEY])
            .problems(&["conflict", "invalid_body"])
            .answers(&[json(202, BEGUN).headers(PLACE)]),
    ],
};
