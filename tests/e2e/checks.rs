//! Background checks and verified degrees: ordered with consent alone, told without what was found, and nobody is moved.

use crate::outgoing::act;
use crate::trust::{applied, held_are, made, reference};
use hub_support::{Backends, Candidate, Place, run_hrhub, said, wait_until};
use serde_json::{Value, json};
use std::fs;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(240);

/// A hub whose candidates are checked by a vendor at the stage of interviews; a key that may read what is restricted.
fn place(checks: &str, package: &str, settings: &str) -> (Place, String) {
    let place = Place::new(Backends::Embedded);
    let port = place.sandbox_port;
    let connection = |name: &str, settings: &str| {
        let text = format!(
            "id: {name}-main\nconnector: {name}\nsettings:\n  base_url: \"http://127.0.0.1:{port}/{name}\"\n{settings}"
        );
        fs::write(place.config().join(format!("connections/{name}-main.yaml")), text).unwrap();
    };
    connection(checks, settings);
    connection(
        "degree-verify-cn",
        "  path: edu/verify\n  app_id: sandbox-degree\n  app_secret: sandbox-degree-secret\n",
    );
    let flow = format!(
        "flows:\n  background: {{ checks: {checks}-main, package: {package}, stage: AI interview, degrees: degree-verify-cn-main, chat: dingtalk-main, people: [petra.osei] }}\n"
    );
    place.edit("hub.yaml", |text| text.replacen("flows:\n", &flow, 1));
    let config = place.config().to_str().unwrap().to_owned();
    let scopes = ["read", "read:restricted"].join(",");
    let output = run_hrhub(["keys", "create", "--config", &config, "--name", "compliance", "--scopes", &scopes]);
    let (key, problems) = said(&output);
    assert!(output.status.success(), "{problems}");
    (place, key.lines().next().unwrap().trim().to_owned())
}

fn restricted(place: &Place, key: &str, path: &str) -> Value {
    let asked = place.http().get(place.url(path)).bearer_auth(key).header("purpose", "hiring review");
    asked.send().unwrap().json().unwrap()
}

/// Waits for the check of an application to be as wanted; all of it.
fn check(place: &Place, key: &str, application: &str, status: &str) -> Value {
    wait_until(LIMIT, || {
        let found = restricted(place, key, &format!("/v1/background-checks?application={application}"));
        match found["data"].get(0) {
            Some(one) if one["status"]["value"] == status => Ok(one.clone()),
            _ => Err(format!("not {status}: {found:#} {:#}", place.get("/v1/parked"))),
        }
    })
}

fn consent(place: &Place, person: &str) {
    let given = json!({ "person": reference("person", person), "purpose": "BACKGROUND_CHECK", "given_at": "2026-01-05T09:00:00Z" });
    made(place, "/v1/consents", &given);
}

/// The messages about a record, once there are so many.
fn told(place: &Place, about: &str, count: usize) -> Vec<String> {
    wait_until(LIMIT, || {
        let all = place.get(&format!("/v1/messages?about={about}"));
        let sent = all["data"].as_array().unwrap().iter().filter(|one| one["status"]["value"] == "SENT");
        let sent: Vec<String> = sent.map(|one| one["body"].as_str().unwrap().to_owned()).collect();
        if sent.len() == count { Ok(sent) } else { Err(format!("{all:#} {:#}", place.get("/v1/parked"))) }
    })
}

fn count(place: &Place, begin: &str) -> u64 {
    place.effects().iter().filter(|(name, _)| name.starts_with(begin)).map(|(_, count)| count).sum()
}

#[test]
fn a_check_leaves_with_the_persons_consent_and_what_it_finds_moves_nobody() {
    let settings =
        "  api_key: sandbox-checkr-key\n  webhook_secret: [\"next-key\", sandbox-checkr-key]\n  work_country: US\n";
    let (place, key) = place("checkr", "driver_plus", settings);
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    // Each web hook comes twice, every second one late.
    let dial = json!({ "duplicates": 1, "disorder_ms": 300, "vendors": ["checkr"] });
    assert!(place.http().put(place.sandbox_url("/_sandbox/dial")).json(&dial).send().unwrap().status().is_success());
    let candidate = Candidate::new(85_001, "strong.example");
    let (application, person) = applied(&place, 85_001, &candidate);
    // Nothing of the person leaves: the call that would name them is the one that is held.
    let waiting = held_are(&place, 1);
    assert!(waiting[0]["reason"].as_str().unwrap().contains("BACKGROUND_CHECK"), "{waiting:?}");
    assert_eq!(count(&place, "checkr "), 0);
    let ordered = check(&place, &key, &application, "PENDING_CONSENT");
    let id = ordered["id"].as_str().unwrap();

    consent(&place, &person);
    check(&place, &key, &application, "ORDERED");
    assert_eq!((count(&place, "checkr candidate"), count(&place, "checkr invite")), (1, 1));
    let (status, filled) = act(&place, "checkr", "fill_in_form", &json!({ "email": candidate.email }));
    assert_eq!(status, 200, "{filled}");
    let report = json!({ "report_id": filled["report_id"], "result": "consider" });
    assert_eq!(act(&place, "checkr", "finish_report", &report).0, 200);
    let complete = check(&place, &key, &application, "COMPLETED");
    assert_eq!(complete["id"], ordered["id"], "it is the same check: {complete:#}");
    assert_eq!(complete["conclusion"]["value"], "CONSIDER", "{complete:#}");
    let kinds: Vec<&Value> = complete["items"].as_array().unwrap().iter().map(|item| &item["kind"]["value"]).collect();
    assert!(kinds.contains(&&json!("EDUCATION")), "{complete:#}");
    // Without the scope nobody sees what was found, and the message does not tell it.
    let open = place.get(&format!("/v1/background-checks/{id}"));
    assert!(open.get("conclusion").is_none() && open.get("items").is_none(), "{open:#}");
    let message = &told(&place, id, 1)[0];
    assert!(message.contains("背景调查") && message.contains("不会自动移动"), "{message}");
    assert!(!message.to_lowercase().contains("consider"), "{message}");
    assert_eq!(place.get(&format!("/v1/applications/{application}"))["stage"]["display"], "AI interview");
    assert_eq!(place.get(&format!("/v1/decisions?application={application}&kind=REJECT"))["data"], json!([]));
    assert_eq!(place.get("/v1/background-checks")["data"].as_array().unwrap().len(), 1);
    // Where a value comes from, down to the vendor's own word.
    let path = format!("/v1/background-checks/{id}/explain?field=/conclusion");
    let why = restricted(&place, &key, &path);
    assert!(why.to_string().contains("checkr") && why.to_string().contains("result"), "{why:#}");
}

#[test]
fn an_order_that_somebody_takes_back_is_cancelled_and_a_dispute_has_no_conclusion() {
    let (place, key) = place(
        "certn",
        "criminal+education",
        "  client_id: sandbox-certn\n  client_secret: sandbox-certn-secret\n  webhook_secret: sandbox-certn-hook\n  order_path: hr/invite\n  applicant_path: hr/applicants\n",
    );
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    let candidate = Candidate::new(85_011, "middling.example");
    let (application, person) = applied(&place, 85_011, &candidate);
    held_are(&place, 1);
    consent(&place, &person);
    check(&place, &key, &application, "ORDERED");
    let finish = |status: &str, result: &str| {
        let with = json!({ "email": candidate.email, "status": status, "result": result });
        assert_eq!(act(&place, "certn", "finish", &with).0, 200);
    };
    finish("COMPLETE", "IN_DISPUTE");
    let disputed = check(&place, &key, &application, "IN_PROGRESS");
    assert_eq!((&disputed["is_disputed"], disputed.get("conclusion")), (&json!(true), None), "{disputed:#}");
    finish("COMPLETE", "CLEARED");
    let clear = check(&place, &key, &application, "COMPLETED");
    assert_eq!((&clear["conclusion"]["value"], &clear["is_disputed"]), (&json!("CLEAR"), &json!(false)), "{clear:#}");
    assert_eq!(count(&place, "certn order"), 1);
    // A word that nobody knows parks the message; the check stays as it was.
    finish("COMPLETE", "PURPLE");
    wait_until(LIMIT, || {
        let parked = place.get("/v1/parked?code=UNKNOWN_ENUM_VALUE");
        if parked["data"].as_array().unwrap().len() == 1 { Ok(()) } else { Err(format!("{parked:#}")) }
    });
    check(&place, &key, &application, "COMPLETED");
}

#[test]
fn a_claimed_degree_is_verified_and_a_mismatch_is_a_persons_to_do() {
    let (place, key) = place("checkr", "driver_plus", "  api_key: sandbox-checkr-key\n");
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    let verify = |number: u32, certificate: &str, name: (&str, &str)| -> Value {
        // The candidate is there before the stage, with what they claim.
        let candidate = Candidate::new(number, "strong.example");
        let with = json!({ "application_id": number, "candidate_id": 900_000 + candidate.number, "first_name": name.1,
            "last_name": name.0, "email": candidate.email, "phone": candidate.phone, "stage_id": 71415 });
        assert_eq!(act(&place, "greenhouse", "move_candidate", &with).0, 200);
        let path = format!("/v1/applications?connection=greenhouse-main&remote_id={number}");
        let found = wait_until(LIMIT, || place.get(&path)["data"].get(0).cloned().ok_or_else(String::new));
        let id = found["candidate"]["id"].as_str().unwrap();
        let claimed = json!({ "school": "华东理工大学", "major": "软件工程", "level": "BACHELOR", "end": "2018", "certificate_no": certificate });
        made(&place, "/v1/resumes", &json!({ "candidate": reference("candidate", id), "educations": [claimed] }));
        let (_, person) =
            applied(&place, number, &Candidate { first: name.1.into(), last: name.0.into(), ..candidate });
        held_are(&place, 2);
        consent(&place, &person);
        wait_until(LIMIT, || {
            let found = restricted(&place, &key, &format!("/v1/education-verifications?person={person}"));
            match found["data"].get(0) {
                Some(one) if one["status"]["value"] != "PENDING" => Ok(one.clone()),
                _ => Err(format!("{found:#} {:#}", place.get("/v1/parked"))),
            }
        })
    };
    let good = verify(85_021, "102511201805001234", ("林", "予安"));
    assert_eq!(good["status"]["value"], "VERIFIED", "{good:#}");
    assert_eq!(good["matched_fields"]["school"]["value"], "MATCH", "{good:#}");
    let left = verify(85_022, "102511201806009999", ("林", "予安"));
    assert_eq!(left["status"]["value"], "MISMATCH", "{left:#}");
    let message = &told(&place, left["id"].as_str().unwrap(), 1)[0];
    assert!(message.contains("待办") && message.contains("人工确认") && !message.contains("肄业"), "{message}");
    assert_eq!(count(&place, "degree-verify-cn verify"), 2);
    assert_eq!(place.get(&format!("/v1/messages?about={}", good["id"].as_str().unwrap()))["data"], json!([]));
}
