//! A subscriber that fails: every try is shown, its owner is warned, it is disabled, and the past comes again.

use super::receiver::Receiver;
use super::{LIMIT, admin, deliveries, shown, stage_change, subscribe};
use hub_support::{Backends, Place, wait_for, wait_until};
use serde_json::{Value, json};

fn kinds(receiver: &Receiver, id: &str) -> Vec<String> {
    let subject = format!("subscription/{id}");
    let of = receiver.got().into_iter().filter(|one| one.subject() == subject);
    of.map(|one| one.body["type"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn an_owner_is_warned_before_a_subscription_is_disabled_and_hears_when_it_works_again() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    let (receiver, watcher) = (Receiver::start(), Receiver::start());
    subscribe(&place, &watcher.url("/"), &["hr.subscription.*"]);
    let body = json!({
        "url": receiver.url("/"), "types": ["hr.application.created.v1"], "retries": [1, 1, 1, 1, 1], "disable_after": 4,
    });
    let (status, made) = admin(&place, "POST", "/v1/subscriptions", Some(&body));
    assert_eq!(status, 201, "{made:#}");
    let id = made["id"].as_str().unwrap().to_owned();
    // Once, and well again.
    receiver.answer_once(500);
    stage_change(&place, 51, "Phone Screen", 1);
    wait_until(LIMIT, || {
        let kinds = kinds(&watcher, &id);
        if kinds.iter().any(|kind| kind == "hr.subscription.recovered.v1") { Ok(()) } else { Err(format!("{kinds:?}")) }
    });
    let log = deliveries(&place, &id);
    let path = format!("/v1/subscriptions/{id}/deliveries/{}/attempts", log[0]["id"].as_str().unwrap());
    let tries = place.get(&path);
    let statuses: Vec<Option<i64>> =
        tries["data"].as_array().unwrap().iter().map(|one| one["status"].as_i64()).collect();
    assert_eq!(statuses, [Some(500), Some(204)], "{tries:#}");
    assert!(!tries.to_string().contains("signature"), "{tries:#}");
    // Then for good.
    receiver.answer_always(503);
    stage_change(&place, 52, "Phone Screen", 1);
    let off = wait_for("it to be disabled", LIMIT, || Some(shown(&place, &id)).filter(|one| one["disabled"] == true));
    assert!(off["disabled_reason"].as_str().unwrap().contains("4 tries failed in a row"), "{off:#}");
    assert_eq!(off["failures"], json!({ "in_a_row": 4, "allowed": 4, "percent": 100 }));
    wait_until(LIMIT, || {
        let heard = kinds(&watcher, &id);
        let count = |verb: &str| heard.iter().filter(|kind| **kind == format!("hr.subscription.{verb}.v1")).count();
        if (count("failing"), count("disabled")) == (3, 1) { Ok(()) } else { Err(format!("{heard:?}")) }
    });
    wait_for("what waits to be parked", LIMIT, || {
        deliveries(&place, &id).iter().find(|one| one["status"] == "parked").cloned()
    });
    // Enabled, it counts from the start, and what was missed comes again: only that.
    receiver.answer_always(204);
    let (_, on) = admin(&place, "PATCH", &format!("/v1/subscriptions/{id}"), Some(&json!({ "disabled": false })));
    assert_eq!((on["status"].as_str() != Some("disabled"), on["failures"]["in_a_row"].as_i64()), (true, Some(0)));
    let before = receiver.got();
    let missed = before.last().unwrap().id.clone();
    let asked = json!({ "since": "2020-01-01T00:00:00Z", "only": "failed" });
    let (status, begun) = admin(&place, "POST", &format!("/v1/subscriptions/{id}:replay"), Some(&asked));
    assert_eq!(status, 202, "{begun:#}");
    assert!(begun["total"].as_i64() > Some(0), "{begun:#}");
    let done = wait_for("the replay to end", LIMIT, || {
        Some(place.get(&format!("/v1/redrives/{}", begun["id"].as_str().unwrap()))).filter(|one| one["state"] == "done")
    });
    assert_eq!(done["refused"], 0);
    let again = wait_for("what was missed", LIMIT, || receiver.got().get(before.len()).cloned());
    assert_eq!(again.id, missed);
    let log = wait_until(LIMIT, || {
        let log = deliveries(&place, &id);
        let waits = log.iter().any(|one| one["status"] == "waiting" || one["status"] == "sending");
        if waits { Err(format!("{log:#?}")) } else { Ok(log) }
    });
    assert_eq!(receiver.got().len(), before.len() + 1, "what had arrived came again: {log:#?}");
    // What has arrived is not retried; what is parked is.
    let of = |state: &str| log.iter().find(|one| one["status"] == state).unwrap()["id"].as_str().unwrap().to_owned();
    let retry =
        |delivery: &str| admin(&place, "POST", &format!("/v1/subscriptions/{id}/deliveries/{delivery}:retry"), None);
    let (status, refused): (u16, Value) = retry(&of("delivered"));
    assert_eq!((status, refused["code"].as_str()), (409, Some("conflict")));
    assert_eq!(retry(&of("parked")).0, 202);
    wait_for("the parked one", LIMIT, || receiver.got().get(before.len() + 1).cloned());
    assert_eq!(retry("0193a5c2-0000-7000-8000-000000000000").0, 404);
}
