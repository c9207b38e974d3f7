//! Updates that come twice, late and out of order.

use hub_support::{Backends, Place, project_root, wait_for};
use serde_json::{Value, json};
use std::fs;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(120);

fn counted(place: &Place, metric: &str) -> u64 {
    let text = place.http().get(place.url("/metrics")).send().unwrap().text().unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(metric).map(str::to_owned));
    line.map_or(0, |count| count.trim().parse().unwrap())
}

fn update(place: &Place, event: &str, status: &str, at: &str) {
    let path = project_root().join("tests/golden/payloads/greenhouse/candidate_stage_change.json");
    let mut body: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    body["payload"]["application"]["status"] = json!(status);
    body["payload"]["application"]["last_activity_at"] = json!(at);
    place.greenhouse_sends(event, &serde_json::to_vec(&body).unwrap());
}

fn an_older_update_is_dropped_and_counted(backends: Backends) {
    let place = Place::new(backends);
    let hub = place.serve();
    let done = "hrhub_work_total{consumer=\"map\",result=\"done\"}";
    let application = || {
        let found = place.get("/v1/applications?connection=greenhouse-main&remote_id=55120034");
        found["data"].get(0).cloned()
    };
    update(&place, "evt-new", "rejected", "2026-11-02T09:14:03Z");
    wait_for("the newer update", LIMIT, || (counted(&place, done) == 1).then_some(()));
    let newer = application().unwrap();
    update(&place, "evt-old", "active", "2026-11-01T09:14:03Z");
    wait_for("the older update", LIMIT, || (counted(&place, done) == 2).then_some(()));
    assert!(counted(&place, "hrhub_records_total{entity=\"application\",result=\"outdated\"}") >= 1);
    assert_eq!(application().unwrap(), newer);
    // The same again, at a door that remembers nothing: no payload, no work, no version.
    assert!(hub.stop().success());
    let _hub = place.serve();
    update(&place, "evt-new", "rejected", "2026-11-02T09:14:03Z");
    update(&place, "evt-newest", "active", "2026-11-03T09:14:03Z");
    wait_for("the newest update", LIMIT, || (application().unwrap() != newer).then_some(()));
    assert_eq!(counted(&place, done), 1);
}

#[test]
fn an_older_update_is_dropped_and_counted_on_the_embedded_default() {
    an_older_update_is_dropped_and_counted(Backends::Embedded);
}

#[test]
fn an_older_update_is_dropped_and_counted_on_rabbitmq_and_postgresql() {
    an_older_update_is_dropped_and_counted(Backends::Servers);
}
