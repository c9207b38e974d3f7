//! What a subscription may wish: filters, records, transformations, an order, a rate.

use super::receiver::Receiver;
use super::{LIMIT, admin, deliveries, shown, stage_change};
use hub_support::{Backends, Place, wait_for};
use serde_json::{Value, json};

fn made(place: &Place, body: &Value) -> String {
    let (status, made) = admin(place, "POST", "/v1/subscriptions", Some(body));
    assert_eq!(status, 201, "{made:#}");
    made["id"].as_str().unwrap().to_owned()
}

#[test]
fn events_are_filtered_and_shaped_as_the_subscription_wishes() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    let [plain, offers, full, shaped, broken] = [(); 5].map(|()| Receiver::start());
    let all = json!(["hr.application.*"]);
    made(
        &place,
        &json!({ "url": plain.url("/"), "types": ["*"], "connections": ["greenhouse-main"], "entities": ["application"] }),
    );
    let only = made(
        &place,
        &json!({ "url": offers.url("/"), "types": all, "entities": ["application"], "filter": "event.version == 2" }),
    );
    made(
        &place,
        &json!({ "url": full.url("/"), "types": ["hr.candidate.*"], "payload": "full", "filter": "record.name.full != \"Nobody\"" }),
    );
    let transform = json!({ "what": "event.type", "stage": "record.stage ?? \"none\"", "number": "event.version" });
    made(
        &place,
        &json!({ "url": shaped.url("/"), "types": all, "transform": transform, "order": "none", "rate": { "per_second": 50 } }),
    );
    let odd = made(&place, &json!({ "url": broken.url("/"), "types": all, "filter": "record.stage" }));
    stage_change(&place, 61, "Phone Screen", 1);
    wait_for("the first stage", LIMIT, || plain.got().first().cloned());
    stage_change(&place, 61, "Offer", 2);
    let got = wait_for("the second version", LIMIT, || offers.got().first().cloned());
    assert!(got.body["data"].get("record").is_none(), "{:#}", got.body);
    assert!(plain.got().iter().all(|one| one.subject().starts_with("application/")));
    let told = offers.got();
    assert!(told.iter().all(|one| one.version() == got.version()), "only the version that was asked for: {told:#?}");
    assert_eq!(shown(&place, &only)["left_out"]["count"], 0);
    let got = wait_for("the candidate", LIMIT, || full.got().first().cloned());
    let data = &got.body["data"];
    assert_eq!(data["record"]["id"], data["id"], "{data:#}");
    assert!(data["href"].as_str().unwrap().starts_with("/v1/candidates/"), "{data:#}");
    let got = wait_for("the shaped event", LIMIT, || shaped.got().first().cloned());
    let data = got.body["data"].as_object().unwrap();
    assert_eq!(data.keys().collect::<Vec<_>>(), ["number", "stage", "what"], "{data:#?}");
    assert!(data["what"].as_str().unwrap().starts_with("hr.application."), "{data:#?}");
    // A filter that is neither true nor false lets nothing through, and says so.
    let noted = wait_for("the note", LIMIT, || {
        let shown = shown(&place, &odd);
        (shown["left_out"]["count"].as_i64() > Some(0)).then_some(shown)
    });
    assert!(noted["left_out"]["reason"].as_str().unwrap().contains("filter"), "{noted:#}");
    assert!(broken.got().is_empty() && deliveries(&place, &odd).is_empty());
}

#[test]
fn wishes_that_make_no_sense_are_refused_with_their_place() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    for (wish, pointer, word) in [
        (json!({ "filter": "record.stge == \"Offer\"", "entities": ["application"] }), "/filter", "character"),
        (json!({ "filter": "1 +" }), "/filter", "character"),
        (json!({ "transform": { "who": "recrd" } }), "/transform/who", "recrd"),
        (json!({ "transform": "record" }), "/transform", "object"),
        (json!({ "entities": ["aplication"] }), "/entities/0", "application"),
        (json!({ "connections": ["greenhouse-mian"] }), "/connections/0", "greenhouse-main"),
        (json!({ "payload": "fat" }), "/payload", "thin"),
        (json!({ "signing": "rsa" }), "/signing", "ed25519"),
        (json!({ "order": "type" }), "/order", "record"),
        (json!({ "rate": 5 }), "/rate", "per_second"),
        (json!({ "rate": { "per_second": -1 } }), "/rate/per_second", "whole"),
        (json!({ "retries": [] }), "/retries", "default"),
        (json!({ "retries": [0] }), "/retries", "default"),
        (json!({ "disable_after": 0 }), "/disable_after", "whole"),
        (json!({ "description": "x".repeat(501) }), "/description", "500"),
        (json!({ "descripton": "x" }), "/descripton", "description"),
    ] {
        let mut body = json!({ "url": "https://93.184.216.34/hooks", "types": ["*"] });
        body.as_object_mut().unwrap().extend(wish.as_object().unwrap().clone());
        let (status, problem) = admin(&place, "POST", "/v1/subscriptions", Some(&body));
        assert_eq!((status, problem["pointer"].as_str()), (422, Some(pointer)), "{wish}: {problem:#}");
        assert!(problem["detail"].as_str().unwrap().contains(word), "{wish}: {problem:#}");
    }
    let body =
        json!({ "url": "https://93.184.216.34/hooks", "types": ["*"], "disabled": true, "description": "later" });
    let (status, made) = admin(&place, "POST", "/v1/subscriptions", Some(&body));
    assert_eq!((status, made["status"].as_str(), made["description"].as_str()), (201, Some("disabled"), Some("later")));
}
