//! Signed web hooks to apps.

use super::Topic;
use super::operation::{Body, CURSOR, LIMIT, delete, empty, get, json, patch, post};
use super::shape::{Member, Shape, may, must};

const READS: &[&str] = &["read:structure", "read", "read:restricted"];
const TYPES: Shape = Shape::Some(1, 50, &Shape::Long(1, 200));

const ID: Member = must("id", Shape::Text, "");
const URL: Member = must("url", Shape::Text, "Where events are sent; to others than its owner, only the host.");
const PATTERNS: Member = must("types", Shape::List(&Shape::Text), "Types of events; `*` stands for any text.");
const CONNECTION: Member =
    must("connection", Shape::Null(&Shape::Text), "Only events that this connection has caused.");
const STATUS: Member = must("status", Shape::Word(&["active", "failing", "disabled"]), "");
const DISABLED: Member = must("disabled", Shape::Bool, "");
const DISABLED_REASON: Member = must("disabled_reason", Shape::Null(&Shape::Text), "");
const FAILING_SINCE: Member = must("failing_since", Shape::Null(&Shape::Time), "");
const FAILING_REASON: Member = must("failing_reason", Shape::Null(&Shape::Text), "");
const SEQUENCE: Member = must("sequence", Shape::Integer, "The number of the last event.");
const APP: Member = must("app", Shape::Text, "Who made it.");
const CREATED_AT: Member = must("created_at", Shape::Time, "");
const UPDATED_AT: Member = must("updated_at", Shape::Time, "");
const NOTES: Member = may("notes", Shape::List(&Shape::Text), "What is allowed and looks wrong.");
const SECRET: Member = may("secret", Shape::Text, "Signs what is sent; shown once.");
const PREVIOUS: Member = may("previous_valid_until", Shape::Time, "Until then the secret before signs too.");

const EXPRESSIONS: Shape = Shape::Map(&Shape::Text);
const RATE: [Member; 1] = [must("per_second", Shape::Between(0, 10_000), "0 for any number.")];
const FAILURES: Shape = Shape::Object(
    "SubscriptionFailures",
    &[
        must("in_a_row", Shape::Integer, "Tries that failed since one went well."),
        must("allowed", Shape::Integer, "So many disable it."),
        must("percent", Shape::Integer, "The share of those that are allowed."),
    ],
);
const LEFT_OUT: Shape = Shape::Object(
    "SubscriptionLeftOut",
    &[
        must("count", Shape::Integer, "Events whose filter or transformation failed."),
        must("reason", Shape::Null(&Shape::Text), "Of the last one."),
    ],
);
const DESCRIPTION: Member = may("description", Shape::Null(&Shape::Long(0, 500)), "What it is for.");
const ENTITIES: Member = may("entities", Shape::Some(0, 50, &Shape::Text), "Only events of records of these.");
const CONNECTIONS: Member = may("connections", Shape::Some(0, 50, &Shape::Text), "Only events that these caused.");
const FILTER: Member = may("filter", Shape::Null(&Shape::Long(0, 4_000)), "An expression that must be true.");
const TRANSFORM: Member =
    may("transform", Shape::Null(&EXPRESSIONS), "Names, and an expression each, that `data` is made of instead.");
const PAYLOAD: Member = may("payload", Shape::Word(&["thin", "full"]), "Whether the record is sent too.");
const SIGNING: Member = may("signing", Shape::Word(&["hmac", "ed25519", "both"]), "");
const RATES: Member = may("rate", Shape::Null(&Shape::Object("SubscriptionRate", &RATE)), "How much it takes.");
const RATES_SENT: Member =
    may("rate", Shape::Null(&Shape::Object("SubscriptionRateFields", &RATE)), "How much it takes.");
const ORDER: Member = may("order", Shape::Word(&["record", "none"]), "What waits for what.");
const RETRIES: Member = may("retries", Shape::Any, "`default`, or how many seconds to wait after each failed try.");
const DISABLE_AFTER: Member =
    may("disable_after", Shape::Between(1, 100_000), "Tries that fail in a row until it is disabled.");

const SUBSCRIPTION: Shape = Shape::Object(
    "Subscription",
    &[
        ID,
        URL,
        PATTERNS,
        CONNECTION,
        STATUS,
        DISABLED,
        DISABLED_REASON,
        FAILING_SINCE,
        FAILING_REASON,
        must("failures", FAILURES, ""),
        must("left_out", LEFT_OUT, ""),
        must("public_keys", Shape::List(&Shape::Text), "They check `v1a` signatures; newest first."),
        DESCRIPTION,
        ENTITIES,
        CONNECTIONS,
        FILTER,
        TRANSFORM,
        PAYLOAD,
        SIGNING,
        RATES,
        ORDER,
        RETRIES,
        DISABLE_AFTER,
        SEQUENCE,
        APP,
        CREATED_AT,
        UPDATED_AT,
        NOTES,
        SECRET,
        PREVIOUS,
    ],
);
const NEW: Shape = Shape::Object(
    "NewSubscription",
    &[
        must("url", Shape::Address, "Where events are sent; https."),
        must("types", TYPES, "Such as `hr.application.*`."),
        may("connection", Shape::Null(&Shape::Text), "Only events that this connection has caused."),
        may("disabled", Shape::Bool, "Made switched off."),
        DESCRIPTION,
        ENTITIES,
        CONNECTIONS,
        FILTER,
        TRANSFORM,
        PAYLOAD,
        SIGNING,
        RATES_SENT,
        ORDER,
        RETRIES,
        DISABLE_AFTER,
    ],
);
const CHANGE: Shape = Shape::Object(
    "SubscriptionChange",
    &[
        may("url", Shape::Address, ""),
        may("types", TYPES, ""),
        may("disabled", Shape::Bool, "Switches it off, or on again."),
        DESCRIPTION,
        ENTITIES,
        CONNECTIONS,
        FILTER,
        TRANSFORM,
        PAYLOAD,
        SIGNING,
        RATES_SENT,
        ORDER,
        RETRIES,
        DISABLE_AFTER,
    ],
);
const REPLAY: Shape = Shape::Object(
    "SubscriptionReplay",
    &[
        must("since", Shape::Time, "From this instant."),
        may("until", Shape::Time, "Up to this one; else up to now."),
        may("types", Shape::List(&Shape::Text), "Only of these types."),
        may("only", Shape::Word(&["failed", "all"]), "`failed`: not what has arrived or is on its way."),
        may("rate_per_second", Shape::Between(1, 1_000), "At most so many."),
        may("note", Shape::Long(0, 500), ""),
    ],
);
const REPLAYED: Shape = Shape::Object(
    "SubscriptionReplayed",
    &[
        must("id", Shape::Text, "Of the replay."),
        must("state", Shape::Text, ""),
        must("total", Shape::Integer, "Events that are looked at."),
        must("done", Shape::Integer, ""),
        must("refused", Shape::Integer, ""),
    ],
);
const ATTEMPT: Shape = Shape::Object(
    "DeliveryAttempt",
    &[
        must("number", Shape::Integer, ""),
        must("at", Shape::Time, ""),
        must("took_ms", Shape::Integer, ""),
        must("status", Shape::Null(&Shape::Integer), "Of the answer, if there was one."),
        must("error", Shape::Null(&Shape::Text), ""),
        must("request", Shape::Any, "Method and headers, without signatures."),
    ],
);
const RETRIED: Shape =
    Shape::Object("DeliveryRetried", &[must("id", Shape::Text, ""), must("status", Shape::Text, "")]);
const TESTED: Shape = Shape::Object(
    "SubscriptionTest",
    &[must("event_id", Shape::Text, "The event on its way."), must("trace_id", Shape::Text, "Its journey.")],
);
const DELIVERY: Shape = Shape::Object(
    "Delivery",
    &[
        ID,
        must("event_id", Shape::Text, "`webhook-id`."),
        must("type", Shape::Null(&Shape::Text), "The type of the event."),
        must("subject", Shape::Text, "The record: entity and id."),
        must("sequence", Shape::Null(&Shape::Text), "Its number within the subscription."),
        must("status", Shape::Word(&["waiting", "sending", "delivered", "parked"]), ""),
        must("tries", Shape::Integer, ""),
        must("next_try_at", Shape::Null(&Shape::Time), ""),
        must("error", Shape::Null(&Shape::Text), "What the last try met."),
        CREATED_AT,
        must("delivered_at", Shape::Null(&Shape::Time), ""),
        must("trace_id", Shape::Null(&Shape::Text), "The journey of the event."),
    ],
);

pub(super) static TOPIC: Topic = Topic {
    name: "Subscriptions",
    doc: "Apps are told of events by signed web hooks (Standard Webhooks around CloudEvents).",
    operations: &[
        get("/v1/subscriptions", "list_subscriptions", "The subscriptions that the key may see, oldest first.")
            .needs(&["read:structure", "read", "read:restricted", "ops"])
            .parameters(&[LIMIT, CURSOR])
            .answers(&[json(200, Shape::Page(&SUBSCRIPTION))]),
        post("/v1/subscriptions", "create_subscription", "Subscribes to events; the answer shows the secret, once.")
            .needs(READS)
            .body(Body::Json(NEW))
            .examples(&[
                r#"{"url": "https://app.example.com/hooks", "types": ["hr.application.*", "hr.employee.created.v1"]}"#,
            ])
            .problems(&["private_target", "conflict"])
            .answers(&[json(201, SUBSCRIPTION).headers(&[("Location", "Its address.")])]),
        get("/v1/subscriptions/{id}", "get_subscription", "One subscription.")
            .needs(&["read:structure", "read", "read:restricted", "ops"])
            .answers(&[json(200, SUBSCRIPTION)]),
        patch("/v1/subscriptions/{id}", "update_subscription", "Changes address or types; switches it off and on.")
            .needs(&["read:structure", "read", "read:restricted", "ops"])
            .body(Body::Json(CHANGE))
            .examples(&[r#"{"types": ["hr.*.deleted.v1"]}"#])
            .problems(&["private_target", "conflict"])
            .answers(&[json(200, SUBSCRIPTION)]),
        delete("/v1/subscriptions/{id}", "delete_subscription", "Deletes it, with what waits for it.")
            .needs(&["read:structure", "read", "read:restricted", "ops"])
            .answers(&[empty(204)]),
        post(
            "/v1/subscriptions/{id}:rotate",
            "rotate_subscription_secret",
            "Makes a new secret; the old one signs too for a day.",
        )
        .needs(&["read:structure", "read", "read:restricted", "ops"])
        .problems(&["conflict"])
        .answers(&[json(200, SUBSCRIPTION)]),
        post("/v1/subscriptions/{id}:test", "test_subscription", "Sends it an event about itself.")
            .needs(&["read:structure", "read", "read:restricted", "ops"])
            .problems(&["conflict"])
            .answers(&[json(202, TESTED)]),
        get(
            "/v1/subscriptions/{id}/deliveries",
            "list_deliveries",
            "What was sent and what became of it, newest first.",
        )
        .needs(&["read:structure", "read", "read:restricted", "ops"])
        .parameters(&[LIMIT, CURSOR])
        .answers(&[json(200, Shape::Page(&DELIVERY))]),
        post(
            "/v1/subscriptions/{id}:replay",
            "replay_subscription",
            "Sends events of the past again, under their ids.",
        )
        .needs(&["read:structure", "read", "read:restricted", "ops"])
        .body(Body::Json(REPLAY))
        .examples(&[r#"{"since": "2026-03-01T00:00:00Z", "only": "failed"}"#])
        .problems(&["conflict"])
        .answers(&[json(202, REPLAYED)]),
        post("/v1/subscriptions/{id}/deliveries/{delivery}:retry", "retry_delivery", "Tries a delivery again now.")
            .needs(&["read:structure", "read", "read:restricted", "ops"])
            .problems(&["conflict"])
            .answers(&[json(202, RETRIED)]),
        get("/v1/subscriptions/{id}/deliveries/{delivery}/attempts", "list_attempts", "The tries of a delivery.")
            .needs(&["read:structure", "read", "read:restricted", "ops"])
            .answers(&[json(200, Shape::Page(&ATTEMPT))]),
    ],
};
