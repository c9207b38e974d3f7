//! One connection floods, another has a single message.

use hub_support::{Backends, Place, project_root, wait_for};
use serde_json::{Value, json};
use std::fs;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(240);
const FLOOD: usize = 600;
const SENDERS: usize = 8;

/// How many payloads were mapped.
fn mapped(place: &Place) -> usize {
    let text = place.http().get(place.url("/metrics")).send().unwrap().text().unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("hrhub_work_total{consumer=\"map\",result=\"done\"} "));
    line.map_or(0, |count| count.parse().unwrap())
}

fn payload(number: usize) -> Vec<u8> {
    let path = project_root().join("tests/golden/payloads/greenhouse/candidate_stage_change.json");
    let mut body: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    body["payload"]["application"]["id"] = json!(number);
    serde_json::to_vec(&body).unwrap()
}

fn send(place: &Place, connection: &str, number: usize) {
    let body = payload(number);
    let request = place.http().post(place.url(&format!("/hooks/{connection}")));
    let request = request.header("content-type", "application/json").header("greenhouse-event-id", number);
    let answer = request.header("signature", place.greenhouse_signature(&body)).body(body).send().unwrap();
    assert_eq!(answer.status(), 200);
}

/// All waits before a worker looks at any of it; the quiet connection's message came last.
#[test]
fn the_only_message_of_one_connection_does_not_wait_for_the_flood_of_another() {
    let place = Place::new(Backends::Servers);
    let folder = place.config().join("connections");
    let loud = fs::read_to_string(folder.join("greenhouse-main.yaml")).unwrap();
    let quiet = loud.replace("id: greenhouse-main", "id: greenhouse-quiet");
    assert_ne!(loud, quiet);
    fs::write(folder.join("greenhouse-quiet.yaml"), quiet).unwrap();
    place.edit("hub.yaml", |text| text.replace("version: 1\n", "version: 1\nrole: edge\n"));
    let edge = place.serve();
    std::thread::scope(|scope| {
        for sender in 0..SENDERS {
            let place = &place;
            scope.spawn(move || (sender..FLOOD).step_by(SENDERS).for_each(|n| send(place, "greenhouse-main", n)));
        }
    });
    send(&place, "greenhouse-quiet", FLOOD);
    assert!(edge.stop().success());
    place.edit("hub.yaml", |text| text.replace("role: edge\n", "role: all\n"));
    let _hub = place.serve();
    let before = wait_for("the message of the quiet connection", LIMIT, || {
        let before = mapped(&place);
        let found = place.get(&format!("/v1/applications?connection=greenhouse-quiet&remote_id={FLOOD}"));
        found["data"].get(0).map(|_| before)
    });
    assert!(before < FLOOD * 3 / 4, "{before} of the flood were mapped before it");
    wait_for("the end of the flood", LIMIT, || (mapped(&place) == FLOOD + 1).then_some(()));
}
