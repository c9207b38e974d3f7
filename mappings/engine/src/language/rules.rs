//! Every key of a mapping file and of a code list.

use super::{Example, Key, Takes};

const fn key(name: &'static str, takes: Takes, doc: &'static str) -> Key {
    Key { name, takes, doc, example: None, errors: &[] }
}

const fn rule(
    name: &'static str,
    takes: Takes,
    doc: &'static str,
    [field, rule, payload, gives]: [&'static str; 4],
    errors: &'static [&'static str],
) -> Key {
    Key { name, takes, doc, example: Some(Example { field, rule, payload, gives }), errors }
}

/// The keys of `<object>.in.yaml`.
pub const FILE_IN: &[Key] = &[
    key("version", Takes::Version, "The form of the file. Required."),
    key("from", Takes::Object, "What the file maps; agrees with its folder and name. Required, unless it `extends`."),
    key("extends", Takes::Object, "In place of `from`: the file changes single rules of the layer below it."),
    key(
        "let",
        Takes::Names,
        "Names for expressions, computed in order before everything else; one may use those above it.",
    ),
    key("emit", Takes::Emits, "The records that a payload speaks of. Required."),
    key("ignore", Takes::PathList, "Payload paths that nobody reads on purpose; `[]` stands for the items of a list."),
];

/// The keys of `<object>.out.yaml`.
pub const FILE_OUT: &[Key] = &[
    key("version", Takes::Version, "The form of the file. Required."),
    key("to", Takes::Object, "What the file makes; agrees with its folder and name. Required, unless it `extends`."),
    key("extends", Takes::Object, "In place of `to`: the file changes single rules of the layer below it."),
    key(
        "format",
        Takes::Word(&["json", "xml"]),
        "What the body is written as; JSON unless told. XML has one root, \
        `@name` keys are attributes, `#text` is the text beside them, elements come in the order of the rules.",
    ),
    key(
        "takes",
        Takes::Entities,
        "What the mapping is given: names below `payload` and their entities, so that paths are checked.",
    ),
    key(
        "let",
        Takes::Names,
        "Names for expressions, computed in order before everything else; one may use those above it.",
    ),
    key("fields", Takes::Fields, "The body, field by field: any key, any value. Required."),
    key("remove", Takes::FieldNames, "Beside `extends`: rules of the layer below that are taken away."),
];

/// The keys of an item of `emit`.
pub const EMIT: &[Key] = &[
    key("to", Takes::Entity, "What the record is. Required."),
    key("name", Takes::Text, "Tells records of one entity apart, for the layers above."),
    key("each", Takes::Expression, "A list: one record for each `item`; a single value stands for a list of one."),
    key("key", Takes::Expression, "The record's id at the vendor. Required, unless `hub_id` is there."),
    key("hub_id", Takes::Expression, "The hub's own id, where the vendor hands it back."),
    key(
        "formerly",
        Takes::Expression,
        "Beside `key`: the id that the vendor has changed into it. The record of that id keeps its hub id and is known by the new one.",
    ),
    key("url", Takes::Expression, "Where people see the record at the vendor."),
    key("when", Takes::Condition, "Whether the payload speaks of this record."),
    key("deleted", Takes::Condition, "Whether the vendor says that the record is gone."),
    key("fields", Takes::Fields, "What is set. A patch: a field that comes to nothing leaves what is stored."),
    key("remove", Takes::FieldNames, "In a layer: rules of the layer below that are taken away."),
];

/// What a field of the wrong kind is reported as.
const KINDS: &[&str] =
    &["not_text", "not_a_boolean", "not_a_number", "not_an_integer", "not_a_reference", "not_an_object", "malformed"];

/// The keys of a rule: where the value comes from, what is done to it, and when.
pub const RULE: &[Key] = &[
    rule(
        "path",
        Takes::Paths,
        "The value at a place of the payload; of a list of paths the first that is there. One that finds nothing leaves the field out.",
        ["candidate.headline", "{ path: [payload.title, payload.role] }", r#"{"role": "Engineer"}"#, r#""Engineer""#],
        KINDS,
    ),
    rule(
        "expr",
        Takes::Expression,
        "A computed value.",
        [
            "candidate.headline",
            r#"{ expr: 'payload.title & " at " & (payload.company ?? "-")' }"#,
            r#"{"title": "Engineer"}"#,
            r#""Engineer at -""#,
        ],
        &["expression_failed"],
    ),
    rule(
        "value",
        Takes::Value,
        "Always the same value, checked against the field's type when the file is read.",
        ["candidate.origin", "{ value: SOURCED }", "{}", r#"{"value": "SOURCED"}"#],
        &[],
    ),
    rule(
        "each",
        Takes::Expression,
        "A list of what a rule beside it makes of each `item`; a single value stands for a list of one.",
        [
            "candidate.emails",
            "{ each: payload.mails, email: item.value }",
            r#"{"mails": {"value": "na@example.com"}}"#,
            r#"[{"address": "na@example.com"}]"#,
        ],
        &["expression_failed"],
    ),
    rule(
        "where",
        Takes::Condition,
        "Beside `each`: which items count.",
        [
            "candidate.tags",
            "{ each: payload.tags, where: item.active, path: item.name }",
            r#"{"tags": [{"name": "a", "active": true}, {"name": "b", "active": false}]}"#,
            r#"["a"]"#,
        ],
        &["condition_failed"],
    ),
    rule(
        "fields",
        Takes::Fields,
        "An object of rules for its parts; `name.full` as a field's name means the same for one part.",
        [
            "application.rejection",
            "{ fields: { reason: { path: payload.why }, note: { path: payload.note } } }",
            r#"{"why": "Salary"}"#,
            r#"{"reason": "Salary"}"#,
        ],
        &[],
    ),
    rule(
        "ref",
        Takes::Entity,
        "A reference to a record, by `key` (its id at the vendor) or `hub_id` (the hub's), with `display` for people.",
        [
            "application.candidate",
            "{ ref: candidate, key: payload.who }",
            r#"{"who": 7}"#,
            r#"{"type": "candidate", "source": {"connection_id": "case", "remote_id": "7"}}"#,
        ],
        &[],
    ),
    rule(
        "money",
        Takes::Parts,
        "An amount and its currency. With `minor_units: true` the amount is in hundredths, or what the currency has.",
        [
            "candidate.expected_salary",
            "{ money: { amount: payload.fen, currency: CNY, minor_units: true } }",
            r#"{"fen": 1234550}"#,
            r#"{"amount": "12345.50", "currency": "CNY"}"#,
        ],
        &["currency_missing", "malformed", "out_of_range", "not_a_number"],
    ),
    rule(
        "score",
        Takes::Parts,
        "A number on its scale; one outside is reported, never moved into it.",
        [
            "application.score",
            "{ score: { path: payload.rating, min: 0, max: 5 } }",
            r#"{"rating": 4.50}"#,
            r#"{"value": "4.50", "min": "0", "max": "5"}"#,
        ],
        &["score_out_of_range", "scale_missing", "malformed", "not_a_number"],
    ),
    rule(
        "phone",
        Takes::Parts,
        "A telephone number in E.164. Without a country code it needs a `region`. One that cannot be understood is kept as `raw`.",
        [
            "candidate.phones",
            "{ each: payload.phones, phone: { path: item, region: CN } }",
            r#"{"phones": ["138 0013 8000"]}"#,
            r#"[{"e164": "+8613800138000", "raw": "138 0013 8000"}]"#,
        ],
        &["unparsable_phone"],
    ),
    rule(
        "email",
        Takes::Parts,
        "An e-mail address, its domain in small letters. One that is none is kept as `raw`.",
        [
            "candidate.emails",
            "{ each: payload.mails, email: { path: item, type: WORK } }",
            r#"{"mails": ["Li.Na@Example.COM"]}"#,
            r#"[{"address": "Li.Na@example.com", "type": {"value": "WORK"}}]"#,
        ],
        &["invalid_email"],
    ),
    rule(
        "person_name",
        Takes::Parts,
        "A name. Where the parts alone are there, `full` is made of them as their script writes it; a full name is never taken apart.",
        [
            "candidate.name",
            "{ person_name: { given: payload.first, family: payload.last } }",
            r#"{"first": "娜", "last": "李"}"#,
            r#"{"full": "李娜", "family": "李", "given": "娜"}"#,
        ],
        &[],
    ),
    rule(
        "join",
        Takes::Text,
        "A list of texts becomes one text with this between them.",
        [
            "candidate.headline",
            "{ path: payload.skills, join: ', ' }",
            r#"{"skills": ["Rust", "SQL"]}"#,
            r#""Rust, SQL""#,
        ],
        &["not_text"],
    ),
    rule(
        "split",
        Takes::Text,
        "A text becomes a list of the parts between this, trimmed; empty parts are left out.",
        ["candidate.tags", "{ path: payload.tags, split: ';' }", r#"{"tags": "a; b;"}"#, r#"["a", "b"]"#],
        &[],
    ),
    rule(
        "trim",
        Takes::Bool,
        "Without white space at both ends; a text of white space alone is absent.",
        ["candidate.headline", "{ path: payload.title, trim: true }", r#"{"title": "  "}"#, ""],
        &[],
    ),
    rule(
        "lower",
        Takes::Bool,
        "In small letters.",
        ["candidate.headline", "{ path: payload.title, lower: true }", r#"{"title": "CTO"}"#, r#""cto""#],
        &[],
    ),
    rule(
        "upper",
        Takes::Bool,
        "In capital letters.",
        ["candidate.headline", "{ path: payload.title, upper: true }", r#"{"title": "cto"}"#, r#""CTO""#],
        &[],
    ),
    rule(
        "enum",
        Takes::Table,
        "What the vendor's values mean. On a field that is no enum: other words for the same things.",
        [
            "application.stage_kind",
            "{ path: payload.stage, enum: { 'Phone Screen': SCREENING, Offer: OFFER } }",
            r#"{"stage": "Phone Screen"}"#,
            r#"{"value": "SCREENING", "raw": "Phone Screen"}"#,
        ],
        &["unknown_enum_value"],
    ),
    rule(
        "lookup",
        Takes::Lookup,
        "What a code list says about the value: on the day `on` where its rows hold on some days only; with `reverse: true` from our value to the vendor's code.",
        [
            "application.source",
            "{ fields: { channel: { path: payload.channel, lookup: channels } } }",
            r#"{"channel": "01"}"#,
            r#"{"channel": "Campus"}"#,
        ],
        &["unmapped_value", "lookup_day_missing"],
    ),
    rule(
        "unknown",
        Takes::Word(&["keep", "park"]),
        "What happens to a value that `enum` or `lookup` does not list: it is kept (as `OTHER` with its raw text in an enum field) with a warning, or the message waits for a person.",
        [
            "application.stage_kind",
            "{ path: payload.stage, enum: { Offer: OFFER }, unknown: keep }",
            r#"{"stage": "Chat"}"#,
            r#"{"value": "OTHER", "raw": "Chat"}"#,
        ],
        &["unknown_enum_value", "unmapped_value"],
    ),
    rule(
        "date",
        Takes::DateForm,
        "How the source writes a day.",
        [
            "candidate.available_from",
            "{ path: payload.free_on, date: '%d/%m/%Y' }",
            r#"{"free_on": "01/12/2026"}"#,
            r#""2026-12-01""#,
        ],
        &["not_a_date"],
    ),
    rule(
        "datetime",
        Takes::DateForm,
        "How the source writes an instant. One without an offset needs a `zone`.",
        [
            "application.applied_at",
            "{ path: payload.at, datetime: '%Y-%m-%d %H:%M', zone: Asia/Shanghai }",
            r#"{"at": "2026-03-01 17:30"}"#,
            r#""2026-03-01T09:30:00.000Z""#,
        ],
        &["not_a_date", "ambiguous_time"],
    ),
    rule(
        "zone",
        Takes::Zone,
        "The zone of times without an offset.",
        [
            "application.applied_at",
            "{ path: payload.at, datetime: rfc3339, zone: Asia/Shanghai }",
            r#"{"at": "2026-03-01T17:30:00"}"#,
            r#""2026-03-01T09:30:00.000Z""#,
        ],
        &["ambiguous_time"],
    ),
    rule(
        "clear",
        Takes::Word(&["on_null"]),
        "A null in the source removes what is stored; a missing key never does.",
        ["candidate.headline", "{ path: payload.title, clear: on_null }", r#"{"title": null}"#, "null"],
        &[],
    ),
    rule(
        "when",
        Takes::Condition,
        "Whether the rule is followed at all.",
        [
            "candidate.headline",
            "{ path: payload.title, when: payload.public }",
            r#"{"title": "CTO", "public": false}"#,
            "",
        ],
        &["condition_failed"],
    ),
    rule(
        "default",
        Takes::Value,
        "The value when the source has none. Not when it has one that does not fit.",
        [
            "application.outcome",
            "{ path: payload.status, enum: { hired: HIRED }, default: PENDING }",
            "{}",
            r#"{"value": "PENDING"}"#,
        ],
        &[],
    ),
    rule(
        "required",
        Takes::Bool,
        "A value that is absent or does not fit is an error: the record is not made and the message waits for a person.",
        ["candidate.headline", "{ path: payload.title, required: true }", r#"{"title": "CTO"}"#, r#""CTO""#],
        &["required_missing"],
    ),
    rule(
        "always",
        Takes::Bool,
        "In an `.out` file: part of an update even when its value did not change, such as the id of what is updated. Updates hold what changed, what is `required` and what is `always`.",
        ["body.id", "{ path: payload.id, always: true }", r#"{"id": 7}"#, "7"],
        &[],
    ),
];

/// The parts that stand behind a key of a rule, or beside it.
pub const PARTS: &[(&str, &[Key])] = &[
    (
        "ref",
        &[
            key("key", Takes::Rule, "The record's id at the vendor."),
            key("hub_id", Takes::Rule, "The hub's id of it."),
            key("display", Takes::Rule, "What people see."),
        ],
    ),
    (
        "money",
        &[
            key("amount", Takes::Rule, "The amount. Required."),
            key("currency", Takes::Rule, "ISO 4217, as an expression or as the code in capitals. Required."),
            key("minor_units", Takes::Bool, "Whether the amount is in hundredths, or what the currency has."),
        ],
    ),
    (
        "score",
        &[
            key("path", Takes::Rule, "The score. Required."),
            key("min", Takes::Rule, "The least there is. Required."),
            key("max", Takes::Rule, "The most there is. Required."),
            key("scale", Takes::Rule, "The name of the scale."),
        ],
    ),
    (
        "phone",
        &[
            key("path", Takes::Rule, "The number. Required."),
            key(
                "region",
                Takes::Rule,
                "The country of numbers without a country code, as an expression or in capitals.",
            ),
            key("type", Takes::Rule, "What kind of number it is."),
        ],
    ),
    (
        "email",
        &[
            key("path", Takes::Rule, "The address. Required."),
            key("type", Takes::Rule, "What kind of address it is."),
            key("is_primary", Takes::Rule, "Whether it is the first to write to."),
        ],
    ),
    (
        "lookup",
        &[
            key("list", Takes::Text, "The code list. Required."),
            key("on", Takes::Expression, "The day on which the row must hold."),
            key("reverse", Takes::Bool, "From our value to the vendor's code."),
        ],
    ),
];

/// The keys of a code list.
pub const LIST: &[Key] = &[
    key("version", Takes::Version, "The form of the file. Required."),
    key(
        "entries",
        Takes::Codes,
        "Each code and its meaning: a text, a row `{ to, from, until, label }` that holds from one day to another (both \
         included), or a list of rows. Required.",
    ),
];
