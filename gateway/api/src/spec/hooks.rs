//! Where vendors knock.

use super::Topic;
use super::operation::{Body, bytes, empty, get, json, post, put};
use super::shape::{Shape, may, must};

const ACCEPTED: Shape = Shape::Object(
    "AcceptedHook",
    &[
        must("accepted", Shape::Bool, "It is on disk."),
        may("trace_id", Shape::Text, "The journey that it begins."),
        may("duplicate", Shape::Bool, "It came before."),
    ],
);

const ABOUT: Shape = Shape::Object("XapiAbout", &[must("version", Shape::List(&Shape::Text), "Such as `1.0.3`.")]);

pub(super) static TOPIC: Topic = Topic {
    name: "Ports for vendors",
    doc: "Vendors send web hooks and SOAP messages here, in their own form; their proof is checked.",
    operations: &[
        post(
            "/hooks/{connection}",
            "receive_hook",
            "Takes a web hook, as the vendor sends it, of any verb that it uses.",
        )
        .body(Body::Bytes(&["application/json", "*/*"]))
        .problems(&["webhook_refused", "unknown_connection", "unsupported_media_type", "bad_encoding", "overloaded"])
        .answers(&[json(200, ACCEPTED)]),
        get("/soap/{connection}", "describe_soap", "With `?wsdl`: what the connection takes.")
            .answers(&[bytes(200, "text/xml")]),
        post("/soap/{connection}", "receive_soap", "Takes a SOAP 1.1 or 1.2 message; refusals are faults.")
            .body(Body::Bytes(&["text/xml", "application/soap+xml"]))
            .answers(&[bytes(200, "text/xml"), bytes(400, "text/xml"), bytes(500, "text/xml")]),
        get("/xapi/{connection}/about", "describe_xapi", "The versions of xAPI that are spoken.")
            .answers(&[json(200, ABOUT)]),
        get("/xapi/{connection}/statements", "get_statement", "One statement, by `statementId`.")
            .problems(&["webhook_refused", "unknown_connection", "bad_parameter", "not_found"])
            .answers(&[json(200, Shape::Any)]),
        post("/xapi/{connection}/statements", "store_statements", "Takes one statement of xAPI, or a list.")
            .body(Body::Bytes(&["application/json"]))
            .problems(&[
                "webhook_refused",
                "unknown_connection",
                "bad_parameter",
                "invalid_statement",
                "statement_conflict",
            ])
            .answers(&[json(200, Shape::List(&Shape::Text))]),
        put("/xapi/{connection}/statements", "store_statement", "Takes the statement `statementId`.")
            .body(Body::Bytes(&["application/json"]))
            .problems(&[
                "webhook_refused",
                "unknown_connection",
                "bad_parameter",
                "invalid_statement",
                "statement_conflict",
            ])
            .answers(&[empty(204)]),
    ],
};
