//! `kill -9` while a batch is carried out: each item is done once, and the batch ends by itself.

use hub_support::{Backends, Place, wait_for};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(300);
const ITEMS: i64 = 6_000;

fn names(place: &Place) -> Vec<String> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = place.get(&format!("/v1/locations?limit=500{cursor}"));
        all.extend(page["data"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

#[test]
fn each_item_of_a_batch_is_done_once_when_the_hub_is_killed() {
    let place = Place::new(Backends::Embedded);
    let mut hub = place.serve_as("all", "all", place.port);
    let mut lines = String::new();
    for number in 0..ITEMS {
        // Every second has a key; both kinds are done once.
        let item = json!({ "method": "create", "data": { "name": format!("L{number:05}") } });
        let keyed = json!({ "key": format!("k{number}"), "data": { "name": format!("L{number:05}") } });
        let _ = writeln!(lines, "{}", if number % 2 == 0 { item } else { keyed });
    }
    let request = place.http().post(place.url("/v1/locations:batch")).header("content-type", "application/x-ndjson");
    let answer = request.bearer_auth(place.secret("HRHUB_ADMIN_KEY")).body(lines).send().unwrap();
    assert_eq!(answer.status(), 202, "{:?}", answer.text());
    let taken: Value = answer.json().unwrap();
    let path = format!("/v1/batches/{}", taken["batch"]["id"].as_str().unwrap());
    for from in [1, 2_000] {
        wait_for("items to be done", LIMIT, || {
            let found = place.get(&path);
            assert_eq!(found["status"], "running", "it ended before it could be killed: {found}");
            (found["items"]["succeeded"].as_i64().unwrap() >= from).then_some(())
        });
        hub.running.kill();
        hub = place.serve_as("all", "all", place.port);
    }
    let ended = wait_for("the batch to end", LIMIT, || {
        let found = place.get(&path);
        (found["status"] == "done").then_some(found)
    });
    assert_eq!((&ended["items"]["succeeded"], &ended["items"]["failed"]), (&json!(ITEMS), &json!(0)), "{ended}");
    let made = names(&place);
    assert_eq!(made.len() as i64, ITEMS);
    assert_eq!(made.iter().collect::<BTreeSet<_>>().len() as i64, ITEMS, "an item was done twice");
    drop(hub);
}
