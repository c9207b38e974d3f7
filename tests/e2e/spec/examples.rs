//! Every operation of the description is sent to a hub as the description shows it: with its example where it has a
//! body, with ids of things that are there. What comes back has the status, the kind and the shape that are promised.

use super::begin_at;
use crate::outgoing;
use hub_support::{Backends, Place, run_hrhub, said, wait_for};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(60);
/// What stands in examples for an id that the caller has.
const SOME_ID: &str = "0193a5c2-7d5e-7cc0-9d3b-1f2e3a4b5c6d";
/// What stands in an example for an app of the caller's, and for its key.
const SOME_APP: &str = "client_id=kestrel9wd";
const SOME_KEY: &str = "client_secret=hrk_kestrel9wd_x";

/// Operations that are not sent, and why. A line more is a decision.
const WAIVED: &[(&str, &str)] = &[
    ("receive_hook", "the body is the vendor's, and signed"),
    ("receive_soap", "the body is the vendor's, and signed"),
    ("describe_soap", "no connection of the default configuration speaks SOAP"),
    ("store_statements", "no connection of the default configuration takes statements: tests/e2e/xapi.rs"),
    ("store_statement", "the same"),
    ("get_statement", "the same"),
    ("describe_xapi", "the same"),
    ("cancel_batch", "a batch of one item ends before anybody can cancel it: tests/e2e/staging.rs"),
    ("compare_import", "a trial must have ended: tests/e2e/imports/review.rs"),
    ("get_audit_event", "nobody makes one, and none is there"),
    ("list_audit_event_history", "the same"),
    ("explain_audit_event", "the same"),
    ("list_audit_event_payloads", "the same"),
    ("calculate_payroll_run", "a run goes from state to state, with rules and two persons: tests/e2e/payroll.rs"),
    ("review_payroll_run", "the same"),
    ("approve_payroll_run", "the same"),
    ("lock_payroll_run", "the same"),
    ("reopen_payroll_run", "the same"),
    ("reverse_payroll_run", "the same"),
    ("pay_payroll_run", "the same"),
    ("settle_payroll_run", "the same"),
    ("close_payroll_run", "the same"),
    ("answer_decision", "a request must be open, and somebody there who answers it: tests/e2e/trust.rs"),
    ("bank_file_payroll_run", "only a locked run has one: tests/e2e/payout.rs"),
    ("import_result_payroll_run", "the same"),
    ("journal_payroll_run", "the same"),
    ("post_payroll_run_journal", "the same"),
    ("tax_file_payroll_run", "the same"),
    ("deliver_payroll_run", "only of a locked run: tests/e2e/payslips.rs"),
    ("print_payslip", "a font must be configured, and the run locked: tests/e2e/payslips.rs"),
];

/// An operation of the description.
struct Operation<'d> {
    id: &'d str,
    method: &'d str,
    path: &'d str,
    told: &'d Value,
}

impl Operation<'_> {
    /// When it is sent: what makes things, what reads, what changes, what acts, what deletes.
    fn turn(&self) -> (u8, &str) {
        let acts = self.path.contains(':') && !self.path.ends_with(":batch");
        let turn = match self.method {
            "post" if !acts => 0,
            "get" => 1,
            "patch" => 2,
            "post" => 3,
            _ => 4,
        };
        (turn, self.path)
    }

    /// The media type and the examples of its body; none when it has no body.
    fn bodies(&self) -> Vec<(&str, &Value)> {
        let kinds = self.told["requestBody"]["content"].as_object().into_iter().flatten();
        let examples = kinds.flat_map(|(kind, content)| {
            let all = content["examples"].as_object().into_iter().flatten();
            all.map(move |(_, example)| (kind.as_str(), &example["value"]))
        });
        examples.collect()
    }
}

/// What is known of the hub while its operations are tried.
struct Trial {
    place: Place,
    key: String,
    /// Somebody else, for what needs a second person.
    second: String,
    document: Value,
    /// Records by entity, and collections by entity.
    records: BTreeMap<String, String>,
    app: Value,
}

impl Trial {
    fn get(&self, path: &str) -> Value {
        self.place.get(path)
    }

    fn post(&self, path: &str, body: &str) -> Value {
        let request = self.place.http().post(self.place.url(path)).bearer_auth(&self.key).body(body.to_owned());
        let answer = request.send().unwrap();
        let status = answer.status();
        let text = answer.text().unwrap();
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// The entity of a collection.
    fn entity(&self, collection: &str) -> Option<String> {
        let get = &self.document["paths"][format!("/v1/{collection}/{{id}}")]["get"];
        let id = get["operationId"].as_str().filter(|_| get["tags"][0] == "Records")?;
        id.strip_prefix("get_").map(str::to_owned)
    }

    /// The first thing of a list, by a member.
    fn first(&self, list: &str, member: &str) -> Option<String> {
        self.get(list)["data"][0][member].as_str().map(str::to_owned)
    }

    /// A link that the hub has proposed and nobody has decided about.
    fn proposal(&self) -> Option<String> {
        let links = self.get("/v1/identity-links");
        let open = links["data"].as_array()?.iter().find(|link| link["status"]["value"] == "PROPOSED")?;
        open["id"].as_str().map(str::to_owned)
    }

    /// An import that stands as an action needs it.
    fn import(&self, action: &str) -> String {
        let bytes = self.document["paths"]["/v1/imports"]["post"]["requestBody"]["content"]["text/csv"]["examples"]
            ["example-1"]["value"]
            .as_str()
            .unwrap();
        let hold = if action == "check_import" { "&hold=true" } else { "" };
        let id = self.post(&format!("/v1/imports?as=employee{hold}"), bytes)["id"].as_str().unwrap().to_owned();
        let settled = || {
            let state = self.get(&format!("/v1/imports/{id}"))["state"].as_str().unwrap().to_owned();
            let moves = ["CHECKING", "APPLYING", "UNDOING"].contains(&state.as_str());
            (!moves).then_some(state)
        };
        wait_for("the import", LIMIT, settled);
        if matches!(action, "approve_import" | "undo_import" | "list_import_records") {
            self.post(&format!("/v1/imports/{id}:apply"), "{}");
        }
        if matches!(action, "undo_import" | "list_import_records") {
            let path = self.place.url(&format!("/v1/imports/{id}:approve"));
            assert!(self.place.http().post(path).bearer_auth(&self.second).send().unwrap().status().is_success());
            wait_for("the import", LIMIT, settled);
        }
        id
    }

    /// A delivery that waits for its next try, and its subscription.
    fn delivery(&self) -> (String, String) {
        let body = json!({ "url": "https://app.example.com/hooks", "types": ["hr.person.*"] }).to_string();
        let id = self.post("/v1/subscriptions", &body)["id"].as_str().unwrap().to_owned();
        self.post(&format!("/v1/subscriptions/{id}:test"), "");
        let waits = || {
            let one = self.get(&format!("/v1/subscriptions/{id}/deliveries"))["data"][0].clone();
            (one["status"] == "waiting" && one["tries"] != 0).then(|| one["id"].as_str().unwrap().to_owned())
        };
        let delivery = wait_for("a delivery that failed", LIMIT, waits);
        (id, delivery)
    }

    /// The address of an operation with ids of things that are there; `None` while they are not.
    fn address(&self, one: &Operation<'_>) -> Option<String> {
        let section = one.path.split('/').nth(2).unwrap_or_default();
        let section = section.split(':').next().unwrap_or_default();
        let id = |list: &str| self.first(list, "id");
        let path = one.path;
        let filled = match section {
            _ if !path.contains('{') => path.to_owned(),
            "guides" => path.replace("{name}", "api.md"),
            "problems" => path.replace("{code}", "bad_parameter"),
            "presets" => path.replace("{name}", "hospital"),
            "reports" => path.replace("{name}", "distribution"),
            "services" => path.replace("{service}", "interview"),
            "apps" => {
                let app = self.app["id"].as_str()?;
                path.replace("{id}", app).replace("{key}", self.app["key"]["id"].as_str()?)
            }
            "connections" => {
                let connection = if path.contains("/polls") { "feishu-main" } else { "dingtalk-main" };
                let path = path.replace("{id}", connection).replace("{entity}", "employee");
                path.replace("{poll}", "approval_forms")
            }
            "passthrough" => path.replace("{connection}", "dingtalk-main").replace("{operation}", "get_user"),
            "imports" => path.replace("{id}", &self.import(one.id)),
            "subscriptions" if path.contains("{delivery}") => {
                let (id, delivery) = self.delivery();
                path.replace("{id}", &id).replace("{delivery}", &delivery)
            }
            "journeys" => path.replace("{trace_id}", &self.first("/v1/journeys", "trace_id")?),
            "batches" | "operations" | "parked" | "raws" | "redrives" | "subscriptions" => {
                path.replace("{id}", &id(&format!("/v1/{section}"))?)
            }
            _ if one.id == "reject_identity_link" => path.replace("{id}", &self.proposal()?),
            collection => path.replace("{id}", self.records.get(&self.entity(collection)?)?),
        };
        assert!(!filled.contains('{'), "{}: nothing is known for {filled}", one.id);
        let required = one.told["parameters"].as_array().into_iter().flatten();
        let required = required.filter(|of| of["required"] == true && of["in"] == "query");
        let mut query = Vec::new();
        for parameter in required {
            query.push(match parameter["name"].as_str().unwrap() {
                "as" => "as=employee".to_owned(),
                "field" => format!("field={}", self.member(section)),
                other => panic!("{}: what is `{other}`?", one.id),
            });
        }
        Some(if query.is_empty() { filled } else { format!("{filled}?{}", query.join("&")) })
    }

    /// A member that the records of a collection have: the one that the example of a change sends.
    fn member(&self, collection: &str) -> String {
        let body = &self.document["paths"][format!("/v1/{collection}/{{id}}")]["patch"]["requestBody"]["content"];
        let example = body["application/json"]["examples"]["example-1"]["value"].as_object();
        example.and_then(|members| members.keys().next()).map_or("status", String::as_str).to_owned()
    }

    /// An example with ids of records that are there in place of that of none; `None` while they are not.
    fn with_ids(&self, example: &Value) -> Option<Value> {
        Some(match example {
            Value::Array(items) => items.iter().map(|item| self.with_ids(item)).collect::<Option<Vec<_>>>()?.into(),
            Value::Object(members) if members.get("id").is_some_and(|id| id == SOME_ID) => {
                json!({ "type": members["type"], "id": self.records.get(members["type"].as_str()?)? })
            }
            Value::Object(members) => {
                let all = members.iter().map(|(name, value)| Some((name.clone(), self.with_ids(value)?)));
                Value::Object(all.collect::<Option<_>>()?)
            }
            Value::String(text) if text.contains(SOME_KEY) => {
                let app = format!("client_id={}", self.app["id"].as_str()?);
                let key = format!("client_secret={}", self.app["key"]["key"].as_str()?);
                text.replace(SOME_APP, &app).replace(SOME_KEY, &key).into()
            }
            other => other.clone(),
        })
    }

    /// Sends an operation; `None` while what it needs is not there, else what is wrong with the answer.
    fn send(&mut self, one: &Operation<'_>) -> Option<Vec<String>> {
        let bodies = one.bodies();
        let sent: Vec<Option<(&str, Value)>> = if bodies.is_empty() {
            vec![None]
        } else {
            let all = bodies.into_iter().map(|(kind, example)| Some(Some((kind, self.with_ids(example)?))));
            all.collect::<Option<_>>()?
        };
        let mut wrong = Vec::new();
        for body in sent {
            let method = reqwest::Method::from_bytes(one.method.to_ascii_uppercase().as_bytes()).unwrap();
            let key = if one.id == "approve_import" { &self.second } else { &self.key };
            let address = self.address(one)?;
            let mut request = self.place.http().request(method, self.place.url(&address));
            if one.told["security"] != json!([]) {
                request = request.bearer_auth(key);
            }
            let mut parameters = one.told["parameters"].as_array().into_iter().flatten();
            if parameters.any(|of| of["name"] == "Purpose") {
                request = request.header("purpose", "trying the description");
            }
            if let Some((kind, body)) = &body {
                let text = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
                request = request.header("content-type", *kind).body(text);
            }
            let answer = request.send().unwrap();
            let status = answer.status().as_u16();
            let kind = answer.headers().get("content-type").map_or("", |kind| kind.to_str().unwrap());
            let kind = kind.split(';').next().unwrap_or_default().to_owned();
            let bytes = answer.bytes().unwrap();
            let text = String::from_utf8_lossy(&bytes);
            let about = format!("{} ({} {address})", one.id, one.method);
            let content = &one.told["responses"][status.to_string()]["content"];
            if !(200..300).contains(&status) || one.told["responses"].get(status.to_string()).is_none() {
                wrong.push(format!("{about}: {status} is no success that is promised: {text:.500}"));
            } else if kind != "application/json" {
                if !(bytes.is_empty() && content.is_null()) && content.get(&kind).is_none() {
                    wrong.push(format!("{about}: {status} has the kind `{kind}`, which is not promised"));
                }
            } else {
                let answer: Value = serde_json::from_slice(&bytes).unwrap();
                wrong.extend(
                    self.misfits(&content[&kind]["schema"], &answer).into_iter().map(|what| format!("{about}: {what}")),
                );
                self.keep(one, &answer);
            }
        }
        Some(wrong)
    }

    /// Remembers what was made.
    fn keep(&mut self, one: &Operation<'_>, answer: &Value) {
        if one.method != "post" || one.path.contains('{') || one.path.contains(':') {
            return;
        }
        if one.id == "create_app" {
            self.app = answer.clone();
        }
        if let (Some(entity), Some(id)) = (self.entity(one.path.trim_start_matches("/v1/")), answer["id"].as_str()) {
            self.records.insert(entity, id.to_owned());
        }
    }

    /// Where an answer does not fit its schema.
    fn misfits(&self, schema: &Value, answer: &Value) -> Vec<String> {
        let mut schema = schema.clone();
        if !schema.is_object() {
            return vec!["there is no schema for JSON".to_owned()];
        }
        schema["components"] = self.document["components"].clone();
        let validator = jsonschema::validator_for(&schema).unwrap();
        validator.iter_errors(answer).map(|error| format!("{} at {}", error, error.instance_path())).collect()
    }
}

#[test]
fn every_example_of_the_description_is_answered_as_it_promises() {
    let place = outgoing::place(Backends::Embedded);
    place.edit("hub.yaml", |text| format!("{text}\nimports: {{ review: true }}\n"));
    let config = place.config();
    // The chat connection that examples speak of.
    let chat = fs::read_to_string(config.join("connections/dingtalk-main.yaml")).unwrap();
    fs::write(config.join("connections/chat-main.yaml"), chat.replace("id: dingtalk-main", "id: chat-main")).unwrap();
    let made = run_hrhub([
        "keys",
        "create",
        "--name",
        "second",
        "--scopes",
        "import,import:approve",
        "--config",
        config.to_str().unwrap(),
    ]);
    let second = said(&made).0.trim().to_owned();
    let _sandbox = place.sandbox();
    let hub = place.serve();
    begin_at(&place);
    let document: Value = place.http().get(place.url("/openapi.json")).send().unwrap().json().unwrap();
    let key = place.secret("HRHUB_ADMIN_KEY");
    let told = document.clone();
    let mut trial = Trial { place, key, second, document, records: BTreeMap::new(), app: Value::Null };
    let mut all: Vec<Operation<'_>> = Vec::new();
    for (path, methods) in told["paths"].as_object().unwrap() {
        for (method, told) in methods.as_object().unwrap() {
            all.push(Operation { id: told["operationId"].as_str().unwrap(), method, path, told });
        }
    }
    let waived = |one: &Operation<'_>| WAIVED.iter().any(|(id, _)| *id == one.id);
    for (id, _) in WAIVED {
        assert!(all.iter().any(|one| one.id == *id), "there is no operation {id} any more");
    }
    all.retain(|one| !waived(one));
    let without: Vec<&str> = all
        .iter()
        .filter(|one| one.told.get("requestBody").is_some() && one.bodies().is_empty())
        .map(|one| one.id)
        .collect();
    assert!(without.is_empty(), "they have a body and no example: {without:?}");
    let total = all.len();
    assert!(total > 500, "{total}");
    all.sort_by(|one, other| one.turn().cmp(&other.turn()));
    // Two records that look like one human: the hub proposes a link.
    for _ in 0..2 {
        let body = json!({ "name": { "full": "Mara Voss" }, "emails": [{ "address": "mara.voss@example.com" }] });
        trial.post("/v1/people", &body.to_string());
    }
    let mut wrong = Vec::new();
    let (mut makes, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|one| one.turn().0 == 0);
    // What makes records names others: it waits until they are there.
    loop {
        let before = makes.len();
        makes.retain(|one| match trial.send(one) {
            Some(found) => {
                wrong.extend(found);
                false
            }
            None => true,
        });
        if makes.is_empty() || makes.len() == before {
            break;
        }
    }
    wait_for("a proposed link", LIMIT, || trial.proposal());
    wait_for("what is parked", LIMIT, || trial.first("/v1/parked", "id"));
    let event = format!("/v1/calendar-events/{}", trial.records["calendar_event"]);
    wait_for("the event at its system", LIMIT, || {
        trial.get(&event)["sources"][0]["remote_id"].is_string().then_some(())
    });
    for one in makes.iter().chain(&others) {
        let found = trial.send(one);
        wrong.extend(found.unwrap_or_else(|| vec![format!("{}: what it needs is not there", one.id)]));
    }
    assert!(wrong.is_empty(), "{} of {total} are not as they are described:\n{}", wrong.len(), wrong.join("\n"));
    assert!(!hub.has_ended());
}
