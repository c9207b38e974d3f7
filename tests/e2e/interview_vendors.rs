//! Interviews by vendors with an API of their own: the invitation, the result, what comes after it, and the decision.

use crate::outgoing::act;
use crate::trust::applied;
use hub_support::{Backends, Candidate, Place, project_root, wait_until};
use hub_tree::Decimal;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(240);

/// A hub whose candidates are interviewed by a vendor; its connection also takes the list that names the vendor's interview.
fn place(vendor: &str, settings: &str) -> Place {
    let place = Place::new(Backends::Embedded);
    let text = format!(
        "id: {vendor}-main\nconnector: {vendor}\nsettings:\n  base_url: \"http://127.0.0.1:{}/{vendor}\"\n{settings}",
        place.sandbox_port
    );
    fs::write(place.config().join(format!("connections/{vendor}-main.yaml")), text).unwrap();
    place.edit("hub.yaml", |text| text.replace("interview: ai-interview-main", &format!("interview: {vendor}-main")));
    place
}

/// The first record that a list has, once it fits.
fn one(place: &Place, path: &str, fits: impl Fn(&Value) -> bool) -> Value {
    wait_until(LIMIT, || {
        let all = place.get(path);
        let found = all["data"].as_array().and_then(|data| data.iter().find(|one| fits(one)).cloned());
        found.ok_or_else(|| format!("{all:#} {:#}", place.get("/v1/parked")))
    })
}

fn decided(place: &Place, application: &str) -> Value {
    one(place, &format!("/v1/decisions?application={application}"), |one| one["kind"]["value"] != "SCREEN")
}

/// Somebody reaches the stage of interviews and is invited.
fn invited(place: &Place, number: u32) -> (String, Candidate) {
    let candidate = Candidate::new(number, "strong.example");
    let (application, _) = applied(place, number, &candidate);
    let order = one(place, &format!("/v1/assessment-orders?application={application}"), |one| {
        one.get("invite_url").is_some_and(Value::is_string)
    });
    assert_eq!(order["status"]["value"], "OPEN", "{order:#}");
    (application, candidate)
}

fn effects(place: &Place, begin: &str) -> u64 {
    place.effects().iter().filter(|(name, _)| name.starts_with(begin)).map(|(_, count)| count).sum()
}

/// The vendor's own scorecard of an application.
fn scorecard(place: &Place, application: &str, fits: impl Fn(&Value) -> bool) -> Value {
    one(place, &format!("/v1/scorecards?application={application}"), |one| {
        one["rater"]["vendor"].is_string() && fits(one)
    })
}

fn score(card: &Value) -> [Decimal; 3] {
    ["value", "min", "max"].map(|part| card["total"][part].as_str().unwrap().parse().unwrap())
}

#[test]
fn a_report_without_proof_is_read_back_and_what_comes_later_joins_it() {
    let place = place("micro1", "  api_key: sandbox-micro1-key\n  webhook_secret: sandbox-micro1-word\n");
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    let dial = json!({ "duplicates": 1, "vendors": ["micro1"] });
    assert!(place.http().put(place.sandbox_url("/_sandbox/dial")).json(&dial).send().unwrap().status().is_success());
    let (application, candidate) = invited(&place, 86_001);
    assert_eq!(effects(&place, "micro1 invite"), 1);
    // Whoever does not know the word is not heard, whatever they say.
    let forged = json!({ "event": "interview_report.created", "data": { "report_id": "x", "ai_match_score": 100 } });
    for key in ["", "?key=", "?key=guess"] {
        let answer = place.http().post(place.url(&format!("/hooks/micro1-main{key}"))).json(&forged).send().unwrap();
        assert_eq!(answer.status(), 401, "{key}");
    }
    let (status, told) = act(&place, "micro1", "take_interview", &json!({ "email": candidate.email, "score": 0 }));
    assert_eq!(status, 200, "{told}");
    let card = scorecard(&place, &application, |_| true);
    assert_eq!(score(&card), [Decimal::ZERO, Decimal::ZERO, Decimal::from(100)], "zero is a score: {card:#}");
    assert!(card["dimensions"].as_array().unwrap().iter().all(|one| one.get("score").is_none()), "{card:#}");
    let decision = decided(&place, &application);
    assert_ne!(decision["label"]["value"], "RECOMMENDED", "{decision:#}");
    let order = one(&place, &format!("/v1/assessment-orders?application={application}"), |one| {
        one["status"]["value"] == "COMPLETED"
    });
    assert_eq!(order["result"]["id"], card["id"], "{order:#}");
    // The recording and the proctoring join the same report minutes later.
    assert_eq!(act(&place, "micro1", "finish_recording", &json!({ "email": candidate.email })).0, 200);
    let later = scorecard(&place, &application, |one| one["custom"]["integrity_score"].is_number());
    assert_eq!((&later["id"], &later["flags"][0]["kind"]["value"]), (&card["id"], &json!("TAB_SWITCH")), "{later:#}");
    assert_eq!(later["features"][0]["class"]["value"], "EXPRESSION", "{later:#}");
    let interviews = place.get(&format!("/v1/interviews?application={application}"));
    assert_eq!(interviews["data"].as_array().unwrap().len(), 1, "{interviews:#}");
}

#[test]
fn a_test_result_is_read_again_when_its_score_is_changed() {
    let settings = "  api_key: sandbox-hackerrank-key\n  webhook_secret: [new-word, sandbox-hackerrank-word]\n";
    let place = place("hackerrank", settings);
    let list = place.config().join("mappings/hackerrank/lists");
    fs::create_dir_all(&list).unwrap();
    fs::write(list.join("tests.yaml"), "version: 1\nentries:\n  88771: customer-service\n").unwrap();
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    let (application, candidate) = invited(&place, 86_002);
    assert_eq!(effects(&place, "hackerrank invite 88771/"), 1);
    assert_eq!(act(&place, "hackerrank", "take_test", &json!({ "email": candidate.email })).0, 200);
    let card = scorecard(&place, &application, |_| true);
    assert_eq!(score(&card)[0], Decimal::new(725, 1), "{card:#}");
    assert_eq!(card["submitted_at"], "2026-11-02T09:28:11.000Z");
    decided(&place, &application);
    let changed = json!({ "email": candidate.email, "percentage": 60, "plagiarism": true });
    assert_eq!(act(&place, "hackerrank", "take_test", &changed).0, 200);
    let later = scorecard(&place, &application, |one| one["flags"][0]["kind"]["value"] == "PLAGIARISM");
    assert_eq!((&later["id"], score(&later)[0]), (&card["id"], Decimal::from(60)), "{later:#}");
}

#[test]
fn stars_are_a_score_once_somebody_has_given_them() {
    let place = place("hireflix", "  api_key: sandbox-hireflix-key\n  webhook_secret: sandbox-hireflix-word\n");
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    let (application, candidate) = invited(&place, 86_003);
    assert_eq!(effects(&place, "hireflix invite p77/"), 1);
    assert_eq!(act(&place, "hireflix", "answer_questions", &json!({ "email": candidate.email })).0, 200);
    let interview =
        one(&place, &format!("/v1/interviews?application={application}"), |one| one["status"]["value"] == "COMPLETED");
    assert_eq!(
        (&interview["custom"]["answered"], &interview["ends_at"]),
        (&json!(2), &json!("2026-11-23T10:52:00.000Z"))
    );
    assert_eq!(
        place.get(&format!("/v1/scorecards?application={application}"))["data"],
        json!([]),
        "nobody has rated it"
    );
    assert_eq!(act(&place, "hireflix", "rate", &json!({ "email": candidate.email, "stars": 4.5 })).0, 200);
    let card = scorecard(&place, &application, |_| true);
    assert_eq!(score(&card), [Decimal::new(45, 1), Decimal::new(5, 1), Decimal::from(5)], "{card:#}");
    decided(&place, &application);
}

#[test]
fn a_report_of_an_assessment_is_taken_from_whoever_speaks_the_standard() {
    let place = Place::new(Backends::Embedded);
    let connection = |name: &str, settings: &str| {
        let text = format!("id: {name}\nconnector: hropen\nsettings: {{ {settings} }}\n");
        fs::write(place.config().join(format!("connections/{name}.yaml")), text).unwrap();
    };
    connection("hropen-main", "webhook_secret: whsec_c2FuZGJveC1ocm9wZW4tc2VjcmV0");
    connection("hropen-second", "webhook_secret: \"tests:its-word\", proof: basic");
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    let (application, _) = applied(&place, 86_004, &Candidate::new(86_004, "weak.example"));
    let golden = project_root().join("tests/golden/payloads/hropen/assessment_report.json");
    let mut report: Value = serde_json::from_str(&fs::read_to_string(golden).unwrap()).unwrap();
    report["assessmentSubject"]["candidateId"]["value"] = json!(application);
    let send = |word: &str| {
        let request = place.http().post(place.url("/hooks/hropen-second")).basic_auth("tests", Some(word));
        request.json(&report).send().unwrap().status().as_u16()
    };
    assert_eq!(send("guess"), 401);
    for _ in 0..2 {
        assert_eq!(send("its-word"), 200);
    }
    let of = |connection: &str| scorecard(&place, &application, |one| one["rater"]["vendor"] == connection);
    let card = of("hropen-second");
    assert_eq!((score(&card)[0], &card["custom"]["percentile"]), (Decimal::from(41), &json!(64)), "{card:#}");
    let signed = json!({ "candidate_id": application, "raw": 20 });
    assert_eq!(act(&place, "hropen", "report", &signed).0, 200);
    assert_eq!(score(&of("hropen-main"))[0], Decimal::from(20));
}

#[test]
fn a_hundred_interviews_at_once_are_a_hundred_decisions() {
    let place = Place::new(Backends::Embedded);
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    let dial = json!({ "duplicates": 1, "disorder_ms": 200, "fail_every": 7, "vendors": ["ai-interview"] });
    assert!(place.http().put(place.sandbox_url("/_sandbox/dial")).json(&dial).send().unwrap().status().is_success());
    let domains = ["strong.example", "middling.example", "weak.example"];
    let numbers: Vec<u32> = (87_000..87_100).collect();
    for (number, domain) in numbers.iter().zip(domains.iter().cycle()) {
        place.move_candidate(&Candidate::new(*number, domain));
    }
    let decided = wait_until(LIMIT, || {
        let all = place.get("/v1/decisions?limit=200");
        let all = all["data"].as_array().unwrap();
        let of: BTreeSet<String> = all
            .iter()
            .filter(|one| one["kind"]["value"] != "SCREEN")
            .map(|one| one["application"]["id"].as_str().unwrap().to_owned())
            .collect();
        if of.len() == numbers.len() {
            Ok(all.len())
        } else {
            Err(format!("{} are decided: {:#}", of.len(), place.get("/v1/parked")))
        }
    });
    assert_eq!(decided, numbers.len(), "each is decided once");
    assert_eq!(effects(&place, "ai-interview invite"), 100);
}
