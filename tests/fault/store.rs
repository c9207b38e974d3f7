//! The store goes away, comes back elsewhere, loses answers, and is full.

use crate::roles::{application, every_payload_became_one_application, payload};
use hub_support::{
    Backends, Candidate, CutProxy, Place, Postgres, RabbitMq, SwitchProxy, rabbitmq, wait_for, wait_until,
};
use serde_json::{Value, json};
use std::process::Command;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(120);

/// What an address answers: status, `Retry-After`, body.
fn answer(place: &Place, path: &str) -> (u16, Option<String>, Value) {
    let request = place.http().get(place.url(path)).bearer_auth(place.secret("HRHUB_ADMIN_KEY"));
    let answer = request.send().unwrap();
    let wait = answer.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
    (answer.status().as_u16(), wait, answer.json().unwrap_or_default())
}

fn wait_for_status(place: &Place, path: &str, status: u16) {
    wait_for(&format!("{status} of {path}"), LIMIT, || (answer(place, path).0 == status).then_some(()));
}

/// With the store away: alive, not ready, and what needs the store says when to come again.
fn is_without_its_store(place: &Place) {
    wait_for("the hub to miss its store", LIMIT, || {
        let (status, _, ready) = answer(place, "/readyz");
        (status == 503 && ready["store"]["connected"] == false).then_some(())
    });
    assert_eq!(answer(place, "/healthz").0, 200);
    let (status, wait, problem) = answer(place, "/v1/applications");
    assert_eq!((status, problem["code"].as_str()), (503, Some("unavailable")), "{problem}");
    assert!(wait.is_some());
}

fn send(place: &Place, numbers: std::ops::Range<u32>) {
    for number in numbers {
        place.greenhouse_sends(&format!("evt-{number}"), &payload(number));
    }
}

fn place_on(database: &Postgres) -> Place {
    Place::on_servers(&RabbitMq::url(rabbitmq().port), &database.new_database())
}

#[test]
fn web_hooks_are_taken_while_postgresql_is_away_and_followed_when_it_is_back() {
    let database = Postgres::start();
    let place = place_on(&database);
    let hub = place.serve();
    send(&place, 50_000..50_010);
    for round in 1..3 {
        if round == 1 {
            database.stop();
        } else {
            database.crash();
        }
        is_without_its_store(&place);
        send(&place, 50_000 + round * 10..50_010 + round * 10);
        database.start_again();
        wait_for_status(&place, "/readyz", 200);
    }
    every_payload_became_one_application(&place, place.port, 50_000..50_030);
    assert!(hub.stop().success());
}

#[test]
fn a_large_web_hook_is_taken_while_postgresql_is_away() {
    let database = Postgres::start();
    let place = place_on(&database);
    let hub = place.serve();
    wait_for_status(&place, "/readyz", 200);
    database.stop();
    is_without_its_store(&place);
    // Its body would wait in the store, and travels instead.
    let mut body = payload(50_100);
    body.extend(vec![b' '; 1_000_000]);
    place.greenhouse_sends("evt-50100", &body);
    database.start_again();
    every_payload_became_one_application(&place, place.port, 50_100..50_101);
    assert!(hub.stop().success());
}

#[test]
fn a_hub_that_starts_without_broker_and_store_takes_what_it_can_seal() {
    let database = Postgres::start();
    let broker = CutProxy::in_front_of(rabbitmq().port);
    let place = Place::on_servers(&RabbitMq::url(broker.port), &database.new_database());
    broker.cut();
    database.stop();
    // It has never seen the store: nothing can be sealed yet.
    let hub = place.serve();
    is_without_its_store(&place);
    let refused = place.greenhouse_hook("evt-51000", &payload(51_000));
    assert_eq!(refused.status(), 503);
    assert!(refused.headers().contains_key("retry-after"));
    assert_eq!(refused.json::<Value>().unwrap()["code"], "unavailable");
    // The store comes, and nobody starts the hub again.
    database.start_again();
    wait_for("the store", LIMIT, || answer(&place, "/readyz").2["store"]["connected"].as_bool().filter(|yes| *yes));
    send(&place, 51_000..51_005);
    database.stop();
    assert!(hub.stop().success());
    // Now it knows the keys, and begins without broker and store.
    let hub = place.serve();
    is_without_its_store(&place);
    send(&place, 51_005..51_010);
    broker.restore();
    database.start_again();
    every_payload_became_one_application(&place, place.port, 51_000..51_010);
    assert!(hub.stop().success());
}

#[test]
fn another_server_takes_over_under_the_same_address() {
    let first = Postgres::start();
    let second = first.standby();
    let address = SwitchProxy::in_front_of(first.port);
    let url = first.new_database();
    let place = Place::on_servers(
        &RabbitMq::url(rabbitmq().port),
        &url.replace(&first.port.to_string(), &address.port.to_string()),
    );
    let hub = place.serve();
    send(&place, 52_000..52_010);
    first.crash();
    // The address leads to the other one before that takes writes.
    address.lead_to(second.port);
    is_without_its_store(&place);
    send(&place, 52_010..52_020);
    second.promote();
    wait_for_status(&place, "/readyz", 200);
    send(&place, 52_020..52_030);
    every_payload_became_one_application(&place, place.port, 52_000..52_030);
    assert!(hub.stop().success());
}

#[test]
fn of_several_servers_the_one_that_takes_writes_is_used() {
    let first = Postgres::start();
    let second = first.standby();
    let (one, other) = (format!("127.0.0.1:{}", first.port), format!("127.0.0.1:{}", second.port));
    let url = first.new_database().replace(&one, &format!("{other},{one}"));
    let place = Place::on_servers(&RabbitMq::url(rabbitmq().port), &url);
    let hub = place.serve();
    wait_for_status(&place, "/readyz", 200);
    send(&place, 53_000..53_005);
    every_payload_became_one_application(&place, place.port, 53_000..53_005);
    first.crash();
    second.promote();
    send(&place, 53_005..53_010);
    every_payload_became_one_application(&place, place.port, 53_000..53_010);
    assert!(hub.stop().success());
}

/// Whether a commit reached the database is something that a hub may never learn; it finds out by doing it again.
#[test]
fn lost_answers_and_cut_connections_do_nothing_twice() {
    let database = Postgres::start();
    let proxy = SwitchProxy::in_front_of(database.port);
    let url = database.new_database().replace(&database.port.to_string(), &proxy.port.to_string());
    let place = Place::on_servers(&RabbitMq::url(rabbitmq().port), &url);
    let _sandbox = place.sandbox();
    place.turn(&json!({ "slow_ms": 20, "duplicates": 1 }));
    let hub = place.serve();
    let candidates: Vec<Candidate> = (0..8).map(|n| Candidate::new(54_000 + n, "strong.example")).collect();
    proxy.lose_answers(13);
    for candidate in &candidates[..4] {
        place.move_candidate(candidate);
    }
    wait_for("some answers to be lost", LIMIT, || (proxy.lost_answers() >= 12).then_some(()));
    proxy.lose_answers(0);
    for (round, candidate) in (1_u64..).zip(&candidates[4..]) {
        place.move_candidate(candidate);
        // Anywhere in a transaction.
        proxy.cut_after(9_000 + 1_777 * round);
        proxy.lead_to(database.port);
        std::thread::sleep(Duration::from_millis(700));
    }
    proxy.cut_after(0);
    let returns = || hub.log().matches("the store is available again").count();
    let before = returns();
    proxy.lead_to(database.port);
    wait_for("the store to be back for good", LIMIT, || (returns() > before).then_some(()));
    wait_until(LIMIT, || {
        assert!(!hub.has_ended(), "{}", hub.log());
        let (effects, parked) = (place.effects(), crate::invariants::unknown_outcomes(&place));
        candidates
            .iter()
            .try_for_each(|candidate| crate::invariants::went_the_whole_road(&place, candidate, &effects, &parked))
    });
    assert!(place.effects().iter().all(|(_, count)| *count == 1), "{:#?}", place.effects());
    assert!(hub.stop().success());
}

fn limit_files(process: u32, bytes: &str) {
    let limit = format!("--fsize={bytes}:unlimited");
    let status = Command::new("prlimit").args(["--pid", &process.to_string(), &limit]).status();
    assert!(status.unwrap().success());
}

#[test]
fn a_full_disk_refuses_what_cannot_be_kept_and_is_forgotten_when_there_is_room() {
    let place = Place::new(Backends::Embedded);
    let hub = place.serve();
    send(&place, 55_000..55_005);
    every_payload_became_one_application(&place, place.port, 55_000..55_005);
    // No file may be written beyond what it holds: log and store are full. The signal does not end the program.
    limit_files(hub.id(), "4096");
    let refused = wait_for("a refusal", LIMIT, || {
        let answer = place.greenhouse_hook("evt-full", &payload(55_999));
        (answer.status() == 503).then_some(answer)
    });
    assert!(refused.headers().contains_key("retry-after"));
    assert!(!hub.has_ended(), "{}", hub.log());
    // Room again, and nobody starts the hub again.
    limit_files(hub.id(), "unlimited");
    send(&place, 55_005..55_030);
    every_payload_became_one_application(&place, place.port, 55_000..55_030);
    assert!(application(&place, place.port, 55_999).is_none(), "what was refused was not kept");
    assert!(hub.log().contains("HUB-B302"), "{}", hub.log());
    assert!(hub.stop().success());
}

#[test]
fn a_full_store_leaves_web_hooks_to_the_log_until_there_is_room() {
    let place = Place::new(Backends::Embedded);
    place.edit("hub.yaml", |text| text.replace("kind: sqlite }", "kind: sqlite, max_bytes: 1000000 }"));
    let hub = place.serve();
    let mut sent = 56_000;
    wait_for("the store to be full", LIMIT, || {
        send(&place, sent..sent + 50);
        sent += 50;
        hub.log().contains("HUB-S302").then_some(())
    });
    send(&place, sent..sent + 20);
    sent += 20;
    let (status, _, _) = answer(&place, "/v1/applications");
    assert_eq!(status, 200, "what is there can be read");
    // More room: the same data under a greater limit.
    assert!(hub.stop().success());
    place.edit("hub.yaml", |text| text.replace("max_bytes: 1000000", "max_bytes: 1000000000"));
    let hub = place.serve();
    every_payload_became_one_application(&place, place.port, 56_000..sent);
    assert!(hub.stop().success());
}
