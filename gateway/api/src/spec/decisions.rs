//! Decisions about people, for the people.

use super::Topic;
use super::operation::{Body, CURSOR, Each, LIMIT, get, json, post, query};
use super::shape::{Shape, may, must};

const DECISION: &[&str] = &["decision"];

const QUESTION: Shape = Shape::Object(
    "DecisionQuestion",
    &[
        must("kind", Shape::Word(&["EXPLANATION", "REVIEW", "CORRECTION", "REFUSAL"]), "What the person asks for."),
        may("reason", Shape::Null(&Shape::Long(0, 10_000)), "Why, in their words."),
        may("asked_on", Shape::Null(&Shape::Day), "The day on which they asked; today unless said."),
    ],
);

const ANSWER: Shape = Shape::Object(
    "DecisionAnswer",
    &[
        must("request", Shape::Text, "The request that is answered."),
        must("outcome", Shape::Word(&["EXPLAINED", "UPHELD", "OVERTURNED", "CORRECTED"]), "What it comes to."),
        must("answer", Shape::Long(1, 10_000), "The words that the person is told."),
        must("answered_by", Shape::Text, "The user who answers, by hub id: a person, and of a review another one."),
        may(
            "label",
            Shape::Null(&Shape::Word(&["RECOMMENDED", "CONSIDER", "NOT_RECOMMENDED"])),
            "With OVERTURNED: the label that this user gives instead.",
        ),
        may("decision", Shape::Null(&Shape::Text), "With OVERTURNED: the new decision, made by a person since."),
    ],
);

const OPEN: Shape = Shape::Object(
    "DecisionRequestShown",
    &[
        must("decision", Shape::Map(&Shape::Any), "About which decision."),
        must("application", Shape::Null(&Shape::Map(&Shape::Any)), "Of which application."),
        must("overdue", Shape::Bool, "It is open, and its day is over."),
        must("request", Shape::Map(&Shape::Any), "The request, as the decision holds it."),
    ],
);

const LEDGER: Shape = Shape::Object(
    "DecisionLedger",
    &[
        must("decision", Shape::Map(&Shape::Any), "The decision as it is now."),
        must("about", Shape::Map(&Shape::Any), "Application, candidate and person, by hub id."),
        must(
            "inputs",
            Shape::List(&Shape::Map(&Shape::Any)),
            "What it rests on, each as it was when the decision was made, with that version and the one of now.",
        ),
        must(
            "basis",
            Shape::Map(&Shape::Any),
            "Models with their versions, features that were switched off, thresholds, reasons, every step.",
        ),
        must("machine", Shape::Null(&Shape::Map(&Shape::Any)), "What the machine proposed; null: none did."),
        must("human", Shape::Map(&Shape::Any), "Who changed what and when, and whether they agreed with the machine."),
        must("told", Shape::List(&Shape::Map(&Shape::Any)), "What the person was told, when, and by which channel."),
        must("requests", Shape::List(&Shape::Map(&Shape::Any)), "What the person asked, and what they were answered."),
        must("consents", Shape::Null(&Shape::List(&Shape::Map(&Shape::Any))), "Those in force when it was made."),
        must("journeys", Shape::List(&Shape::Text), "Trace ids of what made and changed it."),
        must("missing", Shape::List(&Shape::Text), "What is not stored, as JSON pointers into this answer."),
        must("withheld", Shape::List(&Shape::Text), "Records that the key may not read."),
    ],
);

pub(super) static TOPIC: Topic = Topic {
    name: "Decisions",
    doc: "What a decision rests on, and what the person whom it is about asks of it. A request has a day by which it is \
          answered (`trust.answer_days` in hub.yaml); a review is answered by somebody who did not decide.",
    operations: &[
        get("/v1/{collection}/{id}/ledger", "get_{entity}_ledger", "All that is stored about how it was made.")
            .each(Each::Of(DECISION))
            .needs(&["read"])
            .answers(&[json(200, LEDGER)]),
        post("/v1/{collection}/{id}:request", "request_{entity}_answer", "Writes down what the person asks about it.")
            .each(Each::Of(DECISION))
            .needs(&["write"])
            .body(Body::Json(QUESTION))
            .examples(&[
                r#"{"kind": "REVIEW", "reason": "The interview broke off twice", "asked_on": "2026-03-02"}"#,
                r#"{"kind": "EXPLANATION"}"#,
            ])
            .problems(&["conflict"])
            .answers(&[json(200, Shape::Record)]),
        post("/v1/{collection}/{id}:answer", "answer_{entity}", "Answers a request; a named person does.")
            .each(Each::Of(DECISION))
            .needs(&["write"])
            .body(Body::Json(ANSWER))
            .examples(&[
                r#"{"request": "0193a5c2-7d5e-7cc0-9d3b-1f2e3a4b5c6d", "outcome": "OVERTURNED", "answer": "The second half was not scored.", "answered_by": "0193a5c2-7d5e-7cc0-9d3b-1f2e3a4b5c6d", "label": "RECOMMENDED"}"#,
            ])
            .problems(&["conflict", "other_reviewer"])
            .answers(&[json(200, Shape::Record)]),
        get("/v1/decision-requests", "list_decision_requests", "What people ask about decisions.")
            .needs(&["read"])
            .parameters(&[
                query("open", Shape::Bool, "Only those that wait for an answer, or only those that do not."),
                query("overdue", Shape::Bool, "Only those that wait and whose day is over."),
                query("kind", Shape::Word(&["EXPLANATION", "REVIEW", "CORRECTION", "REFUSAL"]), "Only of this kind."),
                LIMIT,
                CURSOR,
            ])
            .answers(&[json(200, Shape::Page(&OPEN))]),
    ],
};
