//! Which records are about one human.

use super::Topic;
use super::operation::{Body, Each, get, json, post};
use super::shape::{Shape, may, must};

const READS: &[&str] = &["read:structure", "read", "read:restricted"];
const HUMANS: &[&str] = &["person", "candidate", "employee", "pre_hire", "user"];
const LINK: &[&str] = &["identity_link"];

const END: Shape = Shape::Object(
    "LinkEnd",
    &[must("type", Shape::Word(HUMANS), "The entity."), must("id", Shape::Text, "The hub id.")],
);
const NEW: Shape = Shape::Object(
    "NewIdentityLink",
    &[must("a", END, ""), must("b", END, ""), may("reason", Shape::Null(&Shape::Long(0, 1000)), "Why.")],
);
const SAME: &str = r#"{"a": {"type": "candidate", "id": "0193a5c2-7d5e-7cc0-9d3b-1f2e3a4b5c6d"},
    "b": {"type": "employee", "id": "0193a5c2-7d5e-7cc0-9d3b-1f2e3a4b5c6d"}, "reason": "hired in March"}"#;
const WHY: Shape = Shape::Object("LinkReason", &[may("reason", Shape::Null(&Shape::Long(0, 1000)), "Why.")]);
const MEMBER: Shape = Shape::Object(
    "HumanRecord",
    &[
        must("record", Shape::Map(&Shape::Text), "Type and id."),
        must("joined", Shape::Null(&Shape::Map(&Shape::Any)), "To which record, by what; null for the one asked for."),
    ],
);

pub(super) static TOPIC: Topic = Topic {
    name: "Identities",
    doc: "Records of one human are linked, never merged; people decide about what is proposed.",
    operations: &[
        post("/v1/{collection}", "create_{entity}", "Says that two records are about one human.")
            .each(Each::Of(LINK))
            .needs(&["write"])
            .body(Body::Json(NEW))
            .examples(&[SAME])
            .answers(&[json(201, Shape::Record).headers(&[("Location", "Its address.")])]),
        post("/v1/{collection}/{id}:confirm", "confirm_{entity}", "Both records are about one human.")
            .each(Each::Of(LINK))
            .needs(&["write"])
            .body(Body::Optional(WHY))
            .examples(&[r#"{"reason": "the same papers"}"#])
            .problems(&["conflict"])
            .answers(&[json(200, Shape::Record)]),
        post("/v1/{collection}/{id}:reject", "reject_{entity}", "They are not.")
            .each(Each::Of(LINK))
            .needs(&["write"])
            .body(Body::Optional(WHY))
            .examples(&[r#"{"reason": "father and son"}"#])
            .problems(&["conflict"])
            .answers(&[json(200, Shape::Record)]),
        post("/v1/{collection}/{id}:undo", "undo_{entity}", "Takes the last decision back.")
            .each(Each::Of(LINK))
            .needs(&["write"])
            .body(Body::Optional(WHY))
            .examples(&[r#"{"reason": "the same papers"}"#])
            .problems(&["conflict"])
            .answers(&[json(200, Shape::Record)]),
        get("/v1/{collection}/{id}/identities", "list_{entity}_identities", "All records of the same human.")
            .each(Each::Of(HUMANS))
            .needs(READS)
            .answers(&[json(200, Shape::Page(&MEMBER))]),
    ],
};
