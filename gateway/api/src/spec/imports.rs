//! Files that become records.

use super::Topic;
use super::operation::{Body, CURSOR, LIMIT, bytes, get, json, post, query, required};
use super::shape::{Member, Shape, may, must};

const EITHER: &[&str] = &["import", "import:approve"];

const COLUMN: Shape = Shape::Object(
    "ImportColumn",
    &[
        must("column", Shape::Text, "Its letters."),
        must("heading", Shape::Text, ""),
        must("field", Shape::Null(&Shape::Text), "What it means."),
    ],
);
const ROWS: Shape = Shape::Object(
    "ImportRowCounts",
    &[
        must("total", Shape::Integer, ""),
        must("good", Shape::Integer, ""),
        must("bad", Shape::Integer, ""),
        must("warned", Shape::Integer, ""),
        must("ignored", Shape::Integer, ""),
        must("applied", Shape::Integer, ""),
        must("failed", Shape::Integer, ""),
    ],
);
const RECORDS: Shape = Shape::Object(
    "ImportRecordCounts",
    &[
        must("created", Shape::Integer, ""),
        must("updated", Shape::Integer, ""),
        must("unchanged", Shape::Integer, ""),
        must("undone", Shape::Integer, ""),
        must("kept", Shape::Integer, "Changed since, and left as they are by an undo."),
    ],
);
const STEP: Shape = Shape::Object(
    "ImportStep",
    &[
        must("at", Shape::Time, ""),
        must("step", Shape::Text, "What happened."),
        must("by", Shape::Text, "Who."),
        must("note", Shape::Text, ""),
    ],
);
const WRITTEN: Shape = Shape::Object(
    "ImportedRecord",
    &[
        must("entity", Shape::Text, ""),
        must("id", Shape::Text, ""),
        must("row", Shape::Integer, ""),
        must("did", Shape::Word(&["created", "updated"]), ""),
        must("version", Shape::Integer, ""),
        must("state", Shape::Text, ""),
    ],
);
const HISTORY: Member = may("history", Shape::List(&STEP), "Who did what with it.");
const CONFLICTS: Member = may("conflicts", Shape::List(&WRITTEN), "The first records that an undo has left.");
const IMPORT: Shape = Shape::Object(
    "Import",
    &[
        must("id", Shape::Text, ""),
        must("state", Shape::Text, "How far it is."),
        must("as", Shape::Text, "What its rows are: an entity."),
        must("file_name", Shape::Text, ""),
        must("bytes", Shape::Integer, ""),
        must("sha256", Shape::Text, ""),
        must("kind", Shape::Any, "The format that was found."),
        must("encoding", Shape::Any, ""),
        must("sheet", Shape::Any, ""),
        must("sheets", Shape::Any, "All sheets of the file."),
        must("header_row", Shape::Any, ""),
        must("columns", Shape::List(&COLUMN), ""),
        must("missing", Shape::Any, "Fields that no column means."),
        must("mode", Shape::Word(&["insert", "upsert"]), ""),
        must("all_or_nothing", Shape::Bool, ""),
        must("mapping", Shape::Text, ""),
        must("tenant", Shape::Text, "Where its records go."),
        must("trial", Shape::Bool, ""),
        must("uploaded_at", Shape::Time, ""),
        must("changed_at", Shape::Time, ""),
        must("rows", ROWS, ""),
        must("records", RECORDS, ""),
        may("error", Shape::Text, "Why it stands still."),
        may("uploaded_by", Shape::Text, ""),
        HISTORY,
        CONFLICTS,
    ],
);
const FINDING: Shape = Shape::Object(
    "ImportFinding",
    &[
        must("code", Shape::Text, ""),
        must("level", Shape::Word(&["error", "warning"]), ""),
        must("cell", Shape::Any, ""),
        must("column", Shape::Any, ""),
        must("message", Shape::Text, "In English."),
        must("message_zh", Shape::Text, "In Chinese."),
    ],
);
const ROW: Shape = Shape::Object(
    "ImportRow",
    &[
        must("row", Shape::Integer, ""),
        must("state", Shape::Word(&["good", "warned", "bad", "ignored", "applied", "failed"]), ""),
        must("cells", Shape::Map(&Shape::Any), "What the file says; masked where the key may not see it."),
        must("findings", Shape::List(&FINDING), ""),
        may("trace_id", Shape::Text, ""),
    ],
);
const COMPARISON: Shape = Shape::Object(
    "ImportComparison",
    &[
        must("trial", Shape::Text, "The tenant of the trial."),
        must("entities", Shape::List(&Shape::Map(&Shape::Any)), "How many there are, differ, and examples."),
    ],
);
const CHECK: Shape = Shape::Object(
    "ImportCheck",
    &[
        may("sheet", Shape::Text, ""),
        may("header_row", Shape::Between(1, 1000), ""),
        may("columns", Shape::Map(&Shape::Null(&Shape::Text)), "Fields by heading or letters; null leaves one out."),
        may("mode", Shape::Word(&["insert", "upsert"]), ""),
        may("all_or_nothing", Shape::Bool, ""),
    ],
);
const APPLY: Shape = Shape::Object(
    "ImportApply",
    &[may("all_or_nothing", Shape::Bool, ""), may("tenant", Shape::Text, "The tenant of the trial, to try it there.")],
);

/// As people write it; the headings are known ones.
const STAFF: &str = "工号,姓名,手机,入职日期\nA0101,刘洋,19900000101,2019-03-05\nA0102,李娜,19900000102,2020-01-02\n";

pub(super) static TOPIC: Topic = Topic {
    name: "Imports",
    doc: "Spreadsheets and CSV files: every row is checked, a second person agrees, and all can be undone.",
    operations: &[
        get("/v1/imports", "list_imports", "Imports, newest first.")
            .needs(EITHER)
            .parameters(&[LIMIT, CURSOR])
            .answers(&[json(200, Shape::Page(&IMPORT))]),
        post("/v1/imports", "create_import", "Takes a file in and checks its rows; nothing is written.")
            .needs(&["import"])
            .parameters(&[
                required("as", Shape::Text, "What its rows are, such as `employee`."),
                query("file_name", Shape::Text, ""),
                query("mapping", Shape::Text, "The mapping that reads it."),
                query("hold", Shape::Bool, "Whether it waits for `:check` before its rows are read."),
                query("sheet", Shape::Text, ""),
                query("header_row", Shape::Between(1, 1000), ""),
                query("all_or_nothing", Shape::Bool, ""),
                query("mode", Shape::Word(&["insert", "upsert"]), ""),
                query("columns", Shape::Text, "A JSON object: fields by heading or letters."),
            ])
            .body(Body::Bytes(&["text/csv", "application/octet-stream"]))
            .examples(&[STAFF])
            .problems(&["unusable_file"])
            .answers(&[json(201, IMPORT).headers(&[("Location", "Its address.")])]),
        get("/v1/imports/{id}", "get_import", "One import, with who did what.")
            .needs(EITHER)
            .answers(&[json(200, IMPORT)]),
        post("/v1/imports/{id}:check", "check_import", "Reads it in another way and checks its rows again.")
            .needs(&["import"])
            .body(Body::Optional(CHECK))
            .examples(&[r#"{"mode": "insert", "columns": {"手机": null}}"#])
            .problems(&["conflict", "bad_parameter"])
            .answers(&[json(200, IMPORT), json(202, IMPORT)]),
        post("/v1/imports/{id}:apply", "apply_import", "Has its good rows written, or asks for a second person.")
            .needs(&["import"])
            .body(Body::Optional(APPLY))
            .examples(&[r#"{"all_or_nothing": true}"#])
            .problems(&["conflict"])
            .answers(&[json(200, IMPORT), json(202, IMPORT)]),
        post("/v1/imports/{id}:approve", "approve_import", "Agrees to it, as a second person.")
            .needs(&["import:approve"])
            .problems(&["conflict", "second_person"])
            .answers(&[json(200, IMPORT), json(202, IMPORT)]),
        post("/v1/imports/{id}:undo", "undo_import", "Takes back what it has written and nobody has changed since.")
            .needs(&["import"])
            .problems(&["conflict"])
            .answers(&[json(200, IMPORT), json(202, IMPORT)]),
        post("/v1/imports/{id}:discard", "discard_import", "Throws it away before it is applied.")
            .needs(&["import"])
            .problems(&["conflict"])
            .answers(&[json(200, IMPORT), json(202, IMPORT)]),
        get("/v1/imports/{id}/rows", "list_import_rows", "Its rows, with what was found.")
            .needs(EITHER)
            .parameters(&[
                LIMIT,
                CURSOR,
                query("state", Shape::Word(&["good", "warned", "bad", "ignored", "applied", "failed"]), ""),
            ])
            .answers(&[json(200, Shape::Page(&ROW))]),
        get("/v1/imports/{id}/records", "list_import_records", "Records that it has written.")
            .needs(EITHER)
            .parameters(&[LIMIT, query("state", Shape::Text, ""), query("row", Shape::Between(1, 10_000_000), "")])
            .answers(&[json(200, Shape::Page(&WRITTEN))]),
        get("/v1/imports/{id}/report.xlsx", "get_import_report", "The file that came, with what is wrong beside it.")
            .needs(EITHER)
            .parameters(&[query("rows", Shape::Word(&["all", "refused"]), "")])
            .problems(&["conflict"])
            .answers(&[bytes(200, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")]),
        get("/v1/imports/{id}/comparison", "compare_import", "How its trial compares with what is there.")
            .needs(EITHER)
            .problems(&["conflict"])
            .answers(&[json(200, COMPARISON)]),
    ],
};
