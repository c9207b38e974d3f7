//! Trust in decisions about people: nothing is ordered about somebody without their consent, whoever asks about a
//! decision is answered by somebody who did not make it, and the ledger tells how it all was.

use hub_support::{Backends, Candidate, Place, run_hrhub, said, wait_for, wait_until};
use serde_json::{Value, json};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(240);

pub(crate) fn send(place: &Place, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let request = place.http().request(method.parse().unwrap(), place.url(path)).json(body);
    let answer = request.bearer_auth(place.secret("HRHUB_ADMIN_KEY")).send().unwrap();
    (answer.status().as_u16(), answer.json().unwrap_or_default())
}

pub(crate) fn made(place: &Place, path: &str, body: &Value) -> String {
    let (status, made) = send(place, "POST", path, body);
    assert_eq!(status, 201, "{made}");
    made["id"].as_str().unwrap().to_owned()
}

pub(crate) fn reference(entity: &str, id: &str) -> Value {
    json!({ "type": entity, "id": id })
}

/// Has the simulated Greenhouse tell of an application of a candidate, at the interview stage; its hub id, and that of
/// the person who applies.
pub(crate) fn applied(place: &Place, number: u32, candidate: &Candidate) -> (String, String) {
    let with = json!({
        "application_id": number, "candidate_id": 900_000 + candidate.number, "first_name": candidate.first,
        "last_name": candidate.last, "email": candidate.email, "phone": candidate.phone, "stage_id": 71416,
    });
    let url = place.sandbox_url("/_sandbox/greenhouse/move_candidate");
    assert!(place.http().post(url).json(&with).send().unwrap().status().is_success());
    let path = format!("/v1/applications?connection=greenhouse-main&remote_id={number}");
    let found = wait_for("the application", LIMIT, || place.get(&path)["data"].get(0).cloned());
    let id = |value: &Value| value["id"].as_str().unwrap().to_owned();
    let candidate = place.get(&format!("/v1/candidates/{}", id(&found["candidate"])));
    (id(&found), id(&candidate["person"]))
}

/// How many calls wait for a consent.
fn held(place: &Place) -> Vec<Value> {
    place.get("/v1/parked?code=CONSENT_MISSING")["data"].as_array().unwrap().clone()
}

pub(crate) fn held_are(place: &Place, count: usize) -> Vec<Value> {
    wait_until(LIMIT, || {
        let found = held(place);
        if found.len() == count { Ok(found) } else { Err(format!("{} are held: {found:?}", found.len())) }
    })
}

fn invitations(place: &Place) -> u64 {
    place.effects().iter().filter(|(name, _)| name.starts_with("ai-interview ")).map(|(_, count)| count).sum()
}

fn decision(place: &Place, application: &str) -> Value {
    let path = format!("/v1/decisions?application={application}");
    wait_for("the decision", LIMIT, || place.get(&path)["data"].get(0).cloned())
}

fn is_asked_and_told(backends: Backends) {
    let place = Place::new(backends);
    let trust = "trust: { region: CN, answer_days: 15, gates: { assessment_order: AI_ASSESSMENT } }\n";
    let reminded = "flows:\n  requests: { chat: dingtalk-main, people: [petra.osei] }\n";
    place.edit("hub.yaml", |text| format!("{}{trust}", text.replacen("flows:\n", reminded, 1)));
    let _sandbox = place.sandbox();
    let _hub = place.serve();

    // Nobody has agreed to an interview by a machine: the invitation does not leave.
    let chen = Candidate::new(84_001, "strong.example");
    let (application, person) = applied(&place, 84_001, &chen);
    let waiting = held_are(&place, 1);
    let why = waiting[0]["reason"].as_str().unwrap();
    assert!(why.contains(&person) && why.contains("AI_ASSESSMENT"), "{why}");
    let consent = |purpose: &str| {
        let given =
            json!({ "person": reference("person", &person), "purpose": purpose, "given_at": "2026-01-05T09:00:00Z" });
        made(&place, "/v1/consents", &given)
    };
    consent("TALENT_POOL");
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!((held(&place).len(), invitations(&place)), (1, 0), "a consent for something else opens nothing");

    // With the consent it goes on by itself.
    let agreed = consent("AI_ASSESSMENT");
    let decided = decision(&place, &application);
    assert_eq!((held(&place).len(), invitations(&place)), (0, 1));
    let id = decided["id"].as_str().unwrap();
    let ledger = place.get(&format!("/v1/decisions/{id}/ledger"));
    assert_eq!(ledger["machine"]["label"], "RECOMMENDED", "{ledger:#}");
    let purposes = |ledger: &Value| -> Vec<String> {
        let found = ledger["consents"].as_array().unwrap().iter();
        found.map(|one| one["purpose"].as_str().unwrap().to_owned()).collect()
    };
    let mut given = purposes(&ledger);
    given.sort();
    assert_eq!(given, ["AI_ASSESSMENT", "TALENT_POOL"]);
    let inputs = ledger["inputs"].as_array().unwrap();
    assert_eq!(inputs.len(), 2, "{ledger:#}");
    assert!(inputs.iter().all(|input| input["version"].is_i64() && input["record"]["dimensions"].is_array()));
    assert_eq!(ledger["basis"]["switched_off"][0]["value"], "EXPRESSION");
    assert_eq!(ledger["basis"]["model"][0]["name"], "customer-service");
    assert!(!ledger["basis"]["thresholds"].as_array().unwrap().is_empty(), "{ledger:#}");
    assert_eq!((&ledger["human"]["agreement"], &ledger["requests"]), (&Value::Null, &json!([])));
    assert!(ledger["missing"].as_array().unwrap().contains(&json!("/told")), "nobody has told them anything");
    assert_eq!(ledger["journeys"].as_array().unwrap().len(), 1);

    // A person decides otherwise, and the candidate asks.
    let user = |name: &str| made(&place, "/v1/users", &json!({ "username": name, "active": true }));
    let (lin, petra) = (user("lin.hao"), user("petra.osei"));
    let at = format!("/v1/decisions/{id}");
    let rejected = json!({ "kind": "REJECT", "made_by": { "kind": "HUMAN", "user": reference("user", &lin) } });
    assert_eq!(send(&place, "PATCH", &at, &rejected).0, 200);
    let question = json!({ "kind": "REVIEW", "reason": "The line broke off", "asked_on": "2026-01-10" });
    let (status, asked) = send(&place, "POST", &format!("{at}:request"), &question);
    assert_eq!((status, &asked["requests"][0]["due_on"]), (200, &json!("2026-01-25")), "{asked:#}");
    let request = asked["requests"][0]["id"].as_str().unwrap();
    assert_eq!(send(&place, "POST", &format!("{at}:request"), &question).0, 409, "it is asked already");
    // Its day is over: whoever answers is reminded at once.
    wait_until(LIMIT, || {
        let all = place.get(&format!("/v1/messages?about={id}"));
        let own = all["data"].as_array().unwrap().iter().find(|one| one["idempotency_key"] == request);
        match own {
            Some(own) if own["status"]["value"] == "SENT" => Ok(()),
            _ => Err(format!("{all:#}")),
        }
    });
    let late = json!({ "kind": "CORRECTION", "asked_on": "2999-01-01" });
    assert_eq!(send(&place, "POST", &format!("{at}:request"), &late).0, 422);
    let open = place.get("/v1/decision-requests?open=true&overdue=true");
    assert_eq!((&open["data"][0]["request"]["id"], &open["data"][0]["overdue"]), (&json!(request), &json!(true)));
    assert_eq!(send(&place, "PATCH", &at, &json!({ "requests": [] })).0, 422, "the hub keeps them");

    // Who decided does not review it, and an answer has a name.
    let answer = |by: &str, outcome: &str| json!({ "request": request, "outcome": outcome, "answer": "We listened to it again.", "answered_by": by });
    let to = format!("{at}:answer");
    let (status, problem) = send(&place, "POST", &to, &answer(&lin, "UPHELD"));
    assert_eq!((status, &problem["code"]), (403, &json!("other_reviewer")), "{problem}");
    let (status, problem) = send(&place, "POST", &to, &answer(id, "UPHELD"));
    assert_eq!((status, &problem["pointer"]), (422, &json!("/answered_by")), "{problem}");
    let (status, problem) = send(&place, "POST", &to, &answer(&petra, "OVERTURNED"));
    assert_eq!((status, &problem["pointer"]), (422, &json!("/outcome")), "by nothing: {problem}");
    let advance = |user: &str| {
        let decision = json!({ "application": reference("application", &application), "kind": "ADVANCE",
            "made_by": { "kind": "HUMAN", "user": reference("user", user) } });
        made(&place, "/v1/decisions", &decision)
    };
    let mut overturned = answer(&petra, "OVERTURNED");
    overturned["decision"] = json!(advance(&lin));
    assert_eq!(send(&place, "POST", &to, &overturned).0, 403, "by the same person");
    let new = advance(&petra);
    overturned["decision"] = json!(new);
    let (status, answered) = send(&place, "POST", &to, &overturned);
    assert_eq!((status, &answered["request_status"]["value"]), (200, &json!("ANSWERED")), "{answered:#}");
    assert_eq!(send(&place, "POST", &to, &overturned).0, 409, "it was answered");
    assert_eq!(place.get("/v1/decision-requests?open=true")["data"], json!([]));

    let ledger = place.get(&format!("{at}/ledger"));
    let told = &ledger["requests"][0];
    assert_eq!((&told["outcome"]["value"], &told["decision"]["id"]), (&json!("OVERTURNED"), &json!(new)), "{ledger:#}");
    assert_eq!(told["answered_by"]["id"], json!(petra));
    let steps = ledger["human"]["steps"].as_array().unwrap();
    let agreements: Vec<&Value> = steps.iter().map(|step| &step["agreement"]).collect();
    assert_eq!(agreements, [&Value::Null, &json!("OVERTURNED"), &Value::Null, &Value::Null], "{ledger:#}");
    assert_eq!(steps[1]["by"]["name"], "admin");
    assert!(steps[1]["changed"].as_array().unwrap().contains(&json!("made_by")));
    // Petra went the way that the machine had proposed.
    assert_eq!(ledger["human"]["agreement"], "AGREED", "{ledger:#}");
    assert_eq!(ledger["machine"]["label"], "RECOMMENDED");

    // What was withdrawn stops what has not left, until there is a new consent.
    let withdrawn = json!({ "withdrawn_at": "2026-02-01T09:00:00Z" });
    assert_eq!(send(&place, "PATCH", &format!("/v1/consents/{agreed}"), &withdrawn).0, 200);
    applied(&place, 84_002, &chen);
    held_are(&place, 1);
    consent("MARKETING");
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!((held(&place).len(), invitations(&place)), (1, 1));
    consent("AI_ASSESSMENT");
    held_are(&place, 0);
    wait_until(LIMIT, || if invitations(&place) == 2 { Ok(()) } else { Err("it has not left".to_owned()) });
    // The withdrawal counts from a day before the decision, and was written down after it.
    let ledger = place.get(&format!("{at}/ledger"));
    let first = ledger["consents"].as_array().unwrap().iter().find(|one| one["consent"]["id"] == json!(agreed));
    let known = ["as_known_then", "as_known_now", "live_now"].map(|name| first.unwrap()[name].clone());
    assert_eq!(known, [json!(true), json!(false), json!(false)], "{ledger:#}");
}

#[test]
fn embedded() {
    is_asked_and_told(Backends::Embedded);
}

#[test]
fn on_servers() {
    is_asked_and_told(Backends::Servers);
}

#[test]
fn a_gate_stops_a_call_that_names_nobody() {
    let place = Place::new(Backends::Embedded);
    place.edit("hub.yaml", |text| format!("{text}trust: {{ gates: {{ ai-interview/invite: AI_ASSESSMENT }} }}\n"));
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    let (status, problem) = send(&place, "POST", "/v1/passthrough/ai-interview-main/invite", &json!({}));
    assert_eq!((status, &problem["code"]), (409, &json!("consent_missing")), "{problem}");
    assert_eq!(invitations(&place), 0);
}

#[test]
fn faces_do_not_count_in_the_union_and_gates_name_what_there_is() {
    let check = |change: &dyn Fn(String) -> String| {
        let place = Place::new(Backends::Embedded);
        place.edit("hub.yaml", change);
        let output = run_hrhub(["check", place.config().to_str().unwrap()]);
        let (out, err) = said(&output);
        (output.status.success(), format!("{out}{err}"))
    };
    let counted = |text: &str, region: &str| {
        format!("{}trust: {{ region: {region} }}\n", text.replace("expressions: false", "expressions: true"))
    };
    for region in ["EU", "DE"] {
        let (fine, told) = check(&|text| counted(&text, region));
        assert!(!fine && told.contains("hub.yaml:23:") && told.contains("facial expressions do not count"), "{told}");
    }
    assert!(check(&|text| counted(&text, "CN")).0);
    for (wrong, why) in [
        ("region: EUR", "`EUR` is no region"),
        ("answer_days: 0", "whole number"),
        ("gates: { assesment_order: AI_ASSESSMENT }", "assessment_order"),
        ("gates: { department: AI_ASSESSMENT }", "leads to a person"),
        ("gates: { assessment_order: AI_ASESSMENT }", "AI_ASSESSMENT"),
        ("gates: { ai-interview/invit: AI_ASSESSMENT }", "invite"),
        ("gates: { ai-intervew/invite: AI_ASSESSMENT }", "no connector"),
    ] {
        let (fine, told) = check(&|text| format!("{text}trust: {{ {wrong} }}\n"));
        assert!(!fine && told.contains(why), "{wrong}: {told}");
    }
}

#[test]
fn a_calculation_by_request_counts_no_faces_in_the_union() {
    let place = Place::new(Backends::Embedded);
    place.edit("hub.yaml", |text| format!("{text}trust: {{ region: FR }}\n"));
    let _hub = place.serve();
    let plain =
        json!({ "type": "feature_rules", "rule_set": "customer-service.客户导向", "features": { "frown_count": "9" } });
    let with = |value: bool| {
        let mut asked = plain.clone();
        asked["expressions"] = json!(value);
        asked
    };
    let score = |body: &Value| {
        let (status, told) = send(&place, "POST", "/v1/services/interview", body);
        assert_eq!(status, 200, "{told:#}");
        told
    };
    let off = score(&with(false))["score"].clone();
    assert_eq!(score(&plain)["score"], off);
    assert_eq!(score(&json!({ "items": [plain] }))["items"][0]["score"], off);
    for (body, pointer) in
        [(with(true), "/expressions"), (json!({ "items": [plain, with(true)] }), "/items/1/expressions")]
    {
        let (status, refused) = send(&place, "POST", "/v1/services/interview", &body);
        assert_eq!((status, &refused["pointer"]), (422, &json!(pointer)), "{refused}");
    }
    // Elsewhere they count where they are asked for.
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    assert_ne!(send(&place, "POST", "/v1/services/interview", &with(true)).1["score"], off);
}

#[test]
fn presets_are_read_by_their_names() {
    let place = Place::new(Backends::Embedded);
    let own = place.config().join("models/presets");
    std::fs::create_dir_all(&own).unwrap();
    let shipped = hub_support::project_root().join("scoring/models/presets/hospital.yaml");
    let text = std::fs::read_to_string(shipped).unwrap().replace("preset: hospital", "preset: hospice");
    std::fs::write(own.join("hospice.yaml"), text).unwrap();
    let _hub = place.serve();
    let all = place.get("/v1/presets");
    let ids: Vec<&str> = all["data"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert!(ids.len() == 23 && ids.contains(&"hospice") && ids.contains(&"retail-store"), "{ids:?}");
    let one = place.get("/v1/presets/hospital");
    assert_eq!(one["shifts"][1]["work_minutes"], 420, "{one:#}");
    assert_eq!((&one["overtime"]["period"], &one["appraisal"]["weights"]["kpi"]), (&json!("MONTH"), &json!("40")));
    let (status, missing) = send(&place, "GET", "/v1/presets/hospitl", &Value::Null);
    assert!(status == 404 && missing["detail"].as_str().unwrap().contains("hospital"), "{missing}");
}
