//! Records: the same operations for every entity of the model.

use super::Topic;
use super::operation::{CURSOR, Each, LIMIT, Operation, Parameter, bytes, empty, get, header, json, query, required};
use super::payloads::PAYLOAD;
use super::shape::{Shape, may, must};

const READS: &[&str] = &["read:structure", "read", "read:restricted"];
const EXPORT: &str = "/v1/{collection}:export";

const CONNECTION: Parameter = query("connection", Shape::Text, "Records that this connection feeds.");
const REMOTE_ID: Parameter = query("remote_id", Shape::Text, "The record with this id at `connection`.");
const UPDATED_AFTER: Parameter = query(
    "updated_after",
    Shape::Text,
    "Records that changed after this RFC 3339 time, or since the list that gave this as `next_updated_after`.",
);
const FIELDS: Parameter = query("fields", Shape::Text, "Parts of records, such as `name.full,emails`.");
const EXPAND: Parameter =
    query("expand", Shape::Text, "References to embed as `record`, such as `candidate,application.candidate`.");
const AS_OF: Parameter = query("as_of", Shape::Day, "What holds on this day, of what holds for a time.");
const KNOWN_AT: Parameter = query("known_at", Shape::Time, "What the hub knew at this time.");
const INCLUDE_DELETED: Parameter = query("include_deleted", Shape::Bool, "Deleted records too.");

const IF_NONE_MATCH: Parameter = header("If-None-Match", "The `ETag` that is known: 304 if nothing has changed.");

const EXPLANATION: Shape = Shape::Object(
    "Explanation",
    &[
        must("field", Shape::Text, "The field, as a JSON pointer."),
        must("rule", Shape::Text, "The rule that set it, with file and line."),
        must("version", Shape::Null(&Shape::Integer), "The version of the record that gave the field its value."),
        must("set_at", Shape::Null(&Shape::Time), "When that was."),
        must("trace_id", Shape::Null(&Shape::Text), "The journey that did it."),
        must("source", Shape::Null(&ORIGIN), "Where the value came from; null for what the hub itself wrote."),
        must("steps", Shape::Any, "How the rule came to the value; null when the key may not see it."),
    ],
);
const ORIGIN: Shape = Shape::Object(
    "ExplanationSource",
    &[
        must("connection", Shape::Text, ""),
        must("system", Shape::Text, "The connector."),
        must("remote_id", Shape::Text, "The record's id there."),
        must("raw", Shape::Text, "The payload, as it is kept."),
        must("received_at", Shape::Text, ""),
        must("mapping", Shape::Text, ""),
        must("mapping_version", Shape::Text, ""),
        may("file", Shape::Map(&Shape::Any), "Where in a file that was imported it stood."),
    ],
);

/// Whether the indexed fields of its entity are parameters of an operation.
pub(super) fn filters(of: &Operation) -> bool {
    of.method == "GET" && (of.path == "/v1/{collection}" || of.path == EXPORT)
}

pub(super) static TOPIC: Topic = Topic {
    name: "Records",
    doc: "Every entity of the model in the same way: list, get, history, why a field is what it is, as a file.",
    operations: &[
        get("/v1/{collection}", "list_{collection}", "A page of {collection}.")
            .each(Each::Entity)
            .needs(READS)
            .parameters(&[
                LIMIT,
                CURSOR,
                CONNECTION,
                REMOTE_ID,
                UPDATED_AFTER,
                INCLUDE_DELETED,
                FIELDS,
                EXPAND,
                AS_OF,
                KNOWN_AT,
                IF_NONE_MATCH,
            ])
            .problems(&["gone"])
            .answers(&[json(200, Shape::Page(&Shape::Record)).headers(&[("ETag", "Of the page; weak.")]), empty(304)]),
        get("/v1/{collection}/{id}", "get_{entity}", "One {entity}.")
            .each(Each::Entity)
            .needs(READS)
            .parameters(&[FIELDS, EXPAND, AS_OF, KNOWN_AT, IF_NONE_MATCH])
            .answers(&[json(200, Shape::Record).headers(&[("ETag", "The version.")]), empty(304)]),
        get("/v1/{collection}/{id}/history", "list_{entity}_history", "All versions, oldest first.")
            .each(Each::Entity)
            .needs(READS)
            .answers(&[json(200, Shape::Page(&Shape::Record))]),
        get("/v1/{collection}/{id}/explain", "explain_{entity}", "Why a field is what it is.")
            .each(Each::Entity)
            .needs(READS)
            .parameters(&[required("field", Shape::Long(1, 500), "Such as `name.full` or `/emails/0/address`.")])
            .problems(&["gone"])
            .answers(&[json(200, EXPLANATION)]),
        get("/v1/{collection}/{id}/raw", "list_{entity}_payloads", "The payloads behind a record, as received.")
            .each(Each::Entity)
            .needs(READS)
            .parameters(&[
                query("connection", Shape::Text, "The one of this connection."),
                query("version", Shape::Between(1, i64::MAX), "The one that made this version."),
            ])
            .problems(&["gone"])
            .answers(&[json(200, Shape::Page(&PAYLOAD))]),
        get(EXPORT, "export_{collection}", "All {collection} as a file.")
            .each(Each::Entity)
            .needs(READS)
            .parameters(&[
                query("format", Shape::Word(&["csv", "ndjson", "xlsx", "parquet"]), "csv if absent."),
                query("fields", Shape::Text, "Fields to write, separated by commas."),
                CONNECTION,
                REMOTE_ID,
                UPDATED_AFTER,
                INCLUDE_DELETED,
            ])
            .answers(&[
                bytes(200, "text/csv"),
                bytes(200, "application/x-ndjson"),
                bytes(200, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
                bytes(200, "application/vnd.apache.parquet"),
            ]),
    ],
};
