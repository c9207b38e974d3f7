//! Events over a long connection that the hub opens.

use hub_support::{Backends, Place, Running, wait_for, wait_until};
use serde_json::{Value, json};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(240);

/// A place whose chat connection asks for events over a long connection.
fn place() -> Place {
    let place = Place::new(Backends::Embedded);
    place.edit("connections/dingtalk-main.yaml", |text| format!("{text}\n  delivery: stream\n"));
    place
}

fn act(place: &Place, action: &str, with: &Value) {
    let url = place.sandbox_url(&format!("/_sandbox/dingtalk/{action}"));
    let answer = place.http().post(url).json(with).send().unwrap();
    assert!(answer.status().is_success(), "{}", answer.text().unwrap());
}

/// Somebody joins at the platform.
fn join(place: &Place, user: &str) {
    act(place, "join", &json!({ "userid": user, "name": "李一", "dept_id": 432_825_034 }));
}

fn employees(place: &Place, user: &str) -> Vec<Value> {
    let found = place.get(&format!("/v1/employees?connection=dingtalk-main&remote_id={user}"));
    found["data"].as_array().unwrap().clone()
}

fn is_known(place: &Place, user: &str) {
    wait_for("the employee", LIMIT, || (employees(place, user).len() == 1).then_some(()));
}

/// How many web hooks the simulator has still to deliver.
fn undelivered(place: &Place) -> u64 {
    let overview: Value = place.http().get(place.sandbox_url("/_sandbox")).send().unwrap().json().unwrap();
    overview["undelivered"].as_u64().unwrap()
}

fn counted(place: &Place, result: &str) -> u64 {
    let text = place.http().get(place.url("/metrics")).send().unwrap().text().unwrap();
    let start = format!("hrhub_hooks_total{{connection=\"dingtalk-main\",result=\"{result}\"}} ");
    text.lines().find_map(|line| line.strip_prefix(&start).map(|count| count.parse().unwrap())).unwrap_or(0)
}

/// Disturbs the long connections; says how many there were.
fn disturb(place: &Place, how: &'static str) -> u64 {
    let answer = place.http().post(place.sandbox_url("/_sandbox/dingtalk/stream")).body(how).send().unwrap();
    answer.json::<Value>().unwrap()["connections"].as_u64().unwrap()
}

fn opened(place: &Place) -> u64 {
    place.effects().iter().filter(|(name, _)| name.starts_with("dingtalk stream_opened")).map(|(_, count)| count).sum()
}

fn callback(place: &Place) -> Value {
    let url = place.url("/v1/connections/dingtalk-main:test");
    let answer = place.http().post(url).bearer_auth(place.secret("HRHUB_ADMIN_KEY")).send().unwrap();
    answer.json::<Value>().unwrap()["callback"].clone()
}

fn all_delivered(place: &Place) {
    wait_until(LIMIT, || match undelivered(place) {
        0 => Ok(()),
        left => Err(format!("{left} events are not taken")),
    });
}

#[test]
fn events_come_over_the_connection_that_the_hub_opened_and_repetitions_change_nothing() {
    let place = place();
    let _sandbox = place.sandbox();
    let hub = place.serve();
    wait_until(LIMIT, || if opened(&place) == 1 { Ok(()) } else { Err(hub.log()) });
    join(&place, "sx0001");
    is_known(&place, "sx0001");
    all_delivered(&place);
    assert_eq!(callback(&place)["result"], "good", "{:#}", callback(&place));

    place.turn(&json!({ "duplicates": 3 }));
    join(&place, "sx0002");
    is_known(&place, "sx0002");
    all_delivered(&place);
    assert_eq!((counted(&place, "accepted"), counted(&place, "duplicate")), (2, 3));

    // It stops cleanly, with a goodbye.
    assert!(hub.stop().success());
}

#[test]
fn a_cut_connection_is_opened_again_and_what_came_meanwhile_is_not_lost() {
    let place = place();
    let _sandbox = place.sandbox();
    let hub = place.serve();
    wait_until(LIMIT, || if opened(&place) == 1 { Ok(()) } else { Err(hub.log()) });
    wait_until(LIMIT, || if disturb(&place, "cut") == 1 { Ok(()) } else { Err(hub.log()) });
    join(&place, "sx0003");
    is_known(&place, "sx0003");
    assert_eq!(opened(&place), 2, "each connection has a ticket of its own");

    // The vendor asks for another connection.
    wait_until(LIMIT, || if disturb(&place, "leave") == 1 { Ok(()) } else { Err(hub.log()) });
    wait_until(LIMIT, || if opened(&place) == 3 { Ok(()) } else { Err(hub.log()) });
    join(&place, "sx0004");
    is_known(&place, "sx0004");
    all_delivered(&place);
}

#[test]
fn a_hub_that_is_killed_loses_no_event_and_takes_none_twice() {
    let place = place();
    let _sandbox = place.sandbox();
    // A frame that is not answered comes again after a minute: here a hundred times sooner.
    place.turn(&json!({ "hurry": 100 }));
    let mut hub: Running = place.serve();
    let users: Vec<String> = (0..12).map(|number| format!("sk{number:04}")).collect();
    for (number, user) in users.iter().enumerate() {
        join(&place, user);
        if number % 4 == 3 {
            hub.kill();
            hub = place.serve();
        }
    }
    all_delivered(&place);
    for user in &users {
        is_known(&place, user);
    }
    assert!(!hub.has_ended());
}

#[test]
fn without_the_vendor_the_hub_serves_and_says_that_the_connection_is_closed() {
    let place = place();
    let _hub = place.serve();
    let found =
        wait_for("the connection to be noted", LIMIT, || Some(callback(&place)).filter(|part| part["result"] == "bad"));
    assert!(found["detail"].as_str().unwrap().contains("HUB-C120"), "{found:#}");
    let _sandbox = place.sandbox();
    wait_for("the connection to open", LIMIT, || (callback(&place)["result"] == "good").then_some(()));
}
