//! Hiring systems whose web hooks only say what to read: proofs that the manifest computes, over HTTP.

use crate::outgoing::act;
use hub_support::{Backends, Place, wait_until};
use serde_json::{Value, json};
use std::fs;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(240);

/// A place connected to two systems.
fn place() -> Place {
    let place = Place::new(Backends::Embedded);
    let port = place.sandbox_port;
    for (vendor, settings) in [
        ("lever", "  api_key: sandbox-lever-key\n  webhook_secret: sandbox-lever-token\n"),
        ("smartrecruiters", "  api_key: sandbox-smart-token\n  webhook_secret: [sandbox-smart-key, old-key]\n"),
    ] {
        let text = format!(
            "id: {vendor}-main\nconnector: {vendor}\nsettings:\n  base_url: \"http://127.0.0.1:{port}/{vendor}\"\n{settings}"
        );
        fs::write(place.config().join(format!("connections/{vendor}-main.yaml")), text).unwrap();
    }
    place
}

/// Waits for the application of a connection to be as wanted.
fn application(place: &Place, connection: &str, remote: &str, fits: impl Fn(&Value) -> bool) -> Value {
    wait_until(LIMIT, || {
        let found = place.get(&format!("/v1/applications?connection={connection}&remote_id={remote}"));
        match found["data"].get(0) {
            Some(one) if fits(one) => Ok(one.clone()),
            _ => Err(format!("{found:#} {:#}", place.get("/v1/parked"))),
        }
    })
}

#[test]
fn a_web_hook_that_only_names_an_application_has_it_read() {
    let place = place();
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    let ai_interview = "49422c7e-5b86-4a06-9386-d432f6e98d57";
    let (status, answer) =
        act(&place, "lever", "move_candidate", &json!({ "opportunity_id": "opp-1", "stage_id": ai_interview }));
    assert_eq!(status, 200, "{answer}");
    let moved = application(&place, "lever-main", "apn-1", |one| one["stage"]["display"] == "AI interview");
    assert_eq!(moved["outcome"]["value"], "PENDING", "{moved:#}");
    let change = json!({ "candidate_id": "sr-1", "status": "OFFERED", "sub_status": "Letter" });
    let (status, answer) = act(&place, "smartrecruiters", "move_candidate", &change);
    assert_eq!(status, 200, "{answer}");
    let moved = application(&place, "smartrecruiters-main", "sr-1/job-1", |one| one["stage_kind"]["value"] == "OFFER");
    assert_eq!(moved["custom"]["sub_status"], "Letter", "{moved:#}");
    assert_eq!(place.get("/v1/parked")["data"], json!([]));
}

#[test]
fn what_is_not_signed_by_the_vendor_is_refused_and_told_once() {
    let place = place();
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    let send = |vendor: &str, headers: &[(&str, &str)], body: &Value| {
        let request = place.http().post(place.url(&format!("/hooks/{vendor}-main"))).json(body);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let answer = request.send().unwrap();
        (answer.status().as_u16(), answer.json::<Value>().unwrap())
    };
    let event = |token: &str, secret: &str| {
        let digest = hub_kit::verify::hmac_sha256(secret.as_bytes(), &[token.as_bytes(), b"1795430400123"]);
        json!({ "event": "candidateStageChange", "triggeredAt": 1_795_430_400_123_i64, "token": token,
            "signature": hex::encode(digest), "data": { "opportunityId": "opp-1" } })
    };
    assert_eq!(send("lever", &[], &event("one", "sandbox-lever-token")).0, 200);
    application(&place, "lever-main", "apn-1", |_| true);
    let (status, again) = send("lever", &[], &event("one", "sandbox-lever-token"));
    assert_eq!((status, &again["duplicate"]), (200, &json!(true)), "{again}");
    assert_eq!(send("lever", &[], &event("two", "guessed")).0, 401);
    assert_eq!(send("lever", &[], &json!({ "event": "candidateStageChange", "data": {} })).0, 401);
    let headers = [("smartrecruiters-signature", "v1=00"), ("smartrecruiters-timestamp", "1795430500")];
    let named = json!({ "job_id": "job-1", "candidate_id": "sr-1" });
    assert_eq!(send("smartrecruiters", &headers, &named).0, 401);
    // A subscription is activated by a header that comes back; with a body it is an event like any other.
    let activate = place.http().post(place.url("/hooks/smartrecruiters-main")).header("x-hook-secret", "b8c1c0de-77");
    let answer = activate.send().unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers()["x-hook-secret"].to_str().unwrap()), (200, "b8c1c0de-77"));
    assert_eq!(send("smartrecruiters", &[("x-hook-secret", "b8c1c0de-77")], &named).0, 401);
    assert_eq!(place.get("/v1/applications?connection=smartrecruiters-main")["data"], json!([]));
}
