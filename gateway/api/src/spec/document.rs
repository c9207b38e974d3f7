//! The table of operations as an OpenAPI 3.1 document.

use super::examples;
use super::operation::{Body, Operation, Parameter};
use super::shape::{Schemas, Shape, may, must, with};
use super::{Described, TOPICS, described};
use crate::deprecation::{DEPRECATIONS, Deprecation};
use crate::problem::status_of;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// A problem, as RFC 9457 has it.
const PROBLEM: Shape = Shape::Object(
    "Problem",
    &[
        must("type", Shape::Text, "The page that explains the code."),
        must("title", Shape::Text, "The kind of problem, for people."),
        must("status", Shape::Integer, "The status of the answer."),
        must("code", Shape::Text, "Stable; programs branch on it."),
        must("detail", Shape::Text, "What is wrong."),
        may("next", Shape::Text, "What to do."),
        may("parameter", Shape::Text, "Which parameter or header."),
        may("pointer", Shape::Text, "Where in the body, as a JSON pointer."),
        may("trace_id", Shape::Text, "The journey of the request."),
        may("vendor_code", Shape::Null(&Shape::Text), "The vendor's own code."),
        may(
            "party",
            Shape::Word(&["CALLER", "CREDENTIAL", "CONFIG", "REMOTE", "NETWORK"]),
            "Who must act when a call to a vendor failed.",
        ),
        may("errors", Shape::List(&PART), "All that is wrong with a body, each with its place."),
        may("operation", Shape::Text, "The operation that failed."),
        may("retryable", Shape::Bool, "Whether the same may be sent again without harm."),
    ],
);

const PART: Shape = Shape::Object(
    "ProblemPart",
    &[
        must("pointer", Shape::Text, "Where in the body, as a JSON pointer."),
        must("detail", Shape::Text, "What is wrong."),
    ],
);

const ABOUT: &str = "One API over every connected HR system. Lists give `data` and `next_cursor`; a record carries `id`, \
`version` and the sources that feed it. Words of enums are open: read words that you do not know as such. Exact numbers \
are text. Errors are problems with a stable `code`.";

static DOCUMENT: LazyLock<Value> = LazyLock::new(make);
static TEXT: LazyLock<String> = LazyLock::new(|| DOCUMENT.to_string());

/// The document.
#[must_use]
pub fn document() -> &'static Value {
    &DOCUMENT
}

/// The document as JSON text.
#[must_use]
pub fn text() -> &'static str {
    &TEXT
}

fn make() -> Value {
    let mut schemas = Schemas { shared: BTreeMap::new() };
    let problem = schemas.answered(&PROBLEM, None);
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for one in described().into_iter().filter(is_told) {
        let method = one.of.method.to_ascii_lowercase();
        let made = operation(&mut schemas, &one, &problem);
        paths.entry(one.path).or_default().insert(method, made);
    }
    let tags = TOPICS.iter().filter(|topic| topic.operations.iter().all(|of| !of.path.starts_with("/scim/")));
    let tags: Vec<Value> = tags.map(|topic| json!({ "name": topic.name, "description": topic.doc })).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "HR Hub",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "The unified HR API",
            "description": ABOUT,
            "license": { "name": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/", "description": "this hub" }],
        "security": [{ "key": [] }],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas.shared,
            "securitySchemes": {
                "key": {
                    "type": "http", "scheme": "bearer",
                    "description": "An API key, or a token made with one. Each operation names the scopes that it needs.",
                },
            },
        },
    })
}

/// Whether the document tells of an operation. SCIM describes itself, in its own words.
pub(super) fn is_told(one: &Described) -> bool {
    !one.path.starts_with("/scim/")
}

fn operation(schemas: &mut Schemas, one: &Described, problem: &Value) -> Value {
    let of = one.of;
    let mut made = json!({
        "operationId": one.id,
        "summary": summary(one),
        "tags": [one.topic.name],
        "responses": responses(schemas, one, problem),
    });
    let parameters = parameters(schemas, one);
    if !parameters.is_empty() {
        made = with(made, "parameters", parameters.into());
    }
    if let Some(body) = body(schemas, one) {
        made = with(made, "requestBody", body);
    }
    let leaves =
        |known: &Deprecation| known.method == of.method && known.route == of.route() && known.parameter.is_none();
    if DEPRECATIONS.iter().any(leaves) {
        made = with(made, "deprecated", true.into());
    }
    if of.needs.is_empty() {
        return with(made, "security", json!([]));
    }
    let scopes: Vec<String> = of.needs.iter().map(|scope| format!("`{scope}`")).collect();
    made = with(made, "description", format!("Needs {}.", scopes.join(" or ")).into());
    with(made, "x-scopes", json!(of.needs))
}

fn summary(one: &Described) -> String {
    let names = one.entity.map_or((String::new(), String::new()), |entity| {
        (entity.name.replace('_', " "), entity.collection.replace('-', " "))
    });
    one.of.summary.replace("{entity}", &names.0).replace("{collection}", &names.1)
}

/// What reading and writing records takes beside what each operation says.
const PURPOSE: Parameter = Parameter {
    name: "Purpose",
    place: "header",
    shape: Shape::Long(1, 300),
    required: false,
    doc: "What restricted fields are read or written for; without it they are masked, and refused.",
};

fn parameters(schemas: &mut Schemas, one: &Described) -> Vec<Value> {
    let in_path = one.path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    let mut all: Vec<Value> = in_path
        .map(|name| {
            let name = name.trim_start_matches('*');
            json!({
                "name": name, "in": "path", "required": true, "schema": { "type": "string", "minLength": 1 },
            })
        })
        .collect();
    let mut add = |schemas: &mut Schemas, parameter: &Parameter| {
        let mut made = json!({
            "name": parameter.name, "in": parameter.place, "description": parameter.doc,
            "schema": schemas.sent(&parameter.shape, one.entity),
        });
        if parameter.required {
            made = with(made, "required", json!(true));
        }
        all.push(made);
    };
    for parameter in one.of.parameters {
        add(schemas, parameter);
    }
    if one.entity.is_some() && one.of.method != "DELETE" {
        add(schemas, &PURPOSE);
    }
    if let Some(entity) = one.entity.filter(|_| super::records::filters(one.of)) {
        let known = |name: &str| one.of.parameters.iter().any(|parameter| parameter.name == name);
        for field in entity.fields.iter().filter(|field| field.indexed && !known(field.name)) {
            let shape = Shape::Text;
            let parameter = Parameter { name: field.name, place: "query", shape, required: false, doc: field.doc };
            add(schemas, &parameter);
        }
    }
    all
}

fn body(schemas: &mut Schemas, one: &Described) -> Option<Value> {
    let examples: Map<String, Value> = examples::of(one.of, one.entity)
        .into_iter()
        .enumerate()
        .map(|(index, value)| (format!("example-{}", index + 1), json!({ "value": value })))
        .collect();
    let json_body = |schema: Value, required: bool| {
        let mut content = json!({ "schema": schema });
        if !examples.is_empty() {
            content = with(content, "examples", Value::Object(examples.clone()));
        }
        Some(json!({ "required": required, "content": { "application/json": content } }))
    };
    match &one.of.body {
        Body::None => None,
        Body::Json(shape) => json_body(schemas.sent(shape, one.entity), true),
        Body::Optional(shape) => json_body(schemas.sent(shape, one.entity), false),
        Body::Bytes(kinds) => {
            let mut content: Map<String, Value> =
                kinds.iter().map(|kind| ((*kind).to_owned(), json!({ "schema": {} }))).collect();
            if let Some(first) = kinds.first().filter(|_| !examples.is_empty()) {
                content.insert((*first).to_owned(), json!({ "schema": {}, "examples": examples }));
            }
            Some(json!({ "required": true, "content": content }))
        }
    }
}

/// What is answered when all is well, and the problems by status.
fn responses(schemas: &mut Schemas, one: &Described, problem: &Value) -> Map<String, Value> {
    let mut all = Map::new();
    for answer in one.of.answers {
        let mut made = json!({ "description": title_of(answer.status) });
        if !answer.kind.is_empty() {
            let schema = match answer.kind {
                "application/json" => schemas.answered(&answer.shape, one.entity),
                kind if kind.starts_with("text/") => json!({ "type": "string" }),
                _ => json!({ "type": "string", "format": "binary" }),
            };
            made = with(made, "content", json!({ answer.kind: { "schema": schema } }));
        }
        if !answer.headers.is_empty() {
            let headers: Map<String, Value> = answer
                .headers
                .iter()
                .map(|(name, doc)| ((*name).to_owned(), json!({ "description": doc, "schema": { "type": "string" } })))
                .collect();
            made = with(made, "headers", Value::Object(headers));
        }
        // Several kinds of one status stand side by side.
        let kinds = made.get("content").cloned();
        match (all.get_mut(&answer.status.to_string()).and_then(|known: &mut Value| known.get_mut("content")), kinds) {
            (Some(Value::Object(known)), Some(Value::Object(more))) => known.extend(more),
            _ => {
                all.insert(answer.status.to_string(), made);
            }
        }
    }
    let mut by_status: BTreeMap<u16, BTreeSet<&str>> = BTreeMap::new();
    for code in problems(one.of) {
        by_status.entry(status_of(code)).or_default().insert(code);
    }
    for (status, codes) in by_status {
        let codes: Vec<String> = codes.into_iter().map(|code| format!("`{code}`")).collect();
        let made = json!({
            "description": codes.join(", "),
            "content": { "application/problem+json": { "schema": problem } },
        });
        all.entry(status.to_string()).or_insert(made);
    }
    all
}

/// The codes of the problems that an operation may answer with.
pub(super) fn problems(of: &Operation) -> BTreeSet<&'static str> {
    let mut codes: BTreeSet<&'static str> = of.problems.iter().copied().collect();
    codes.extend(["internal", "unavailable", "malformed_request"]);
    if !of.needs.is_empty() {
        codes.extend(["unauthorized", "forbidden"]);
    }
    if !of.parameters.is_empty() {
        codes.insert("bad_parameter");
    }
    if of.path.contains('{') {
        codes.insert("not_found");
    }
    if !matches!(of.body, Body::None) {
        codes.extend(["too_large", "slow_body", "invalid_body"]);
    }
    codes
}

fn title_of(status: u16) -> &'static str {
    match status {
        201 => "Made.",
        202 => "Begun.",
        204 => "Done.",
        304 => "Unchanged.",
        _ => "All is well.",
    }
}
