//! Broken on purpose. `HRHUB_LONG=1` (set by `tests/run --long`) kills more often.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod broker;
mod late;
mod noisy;
mod overload;
mod poison;
mod roles;
mod store;

use hub_support::{Backends, Candidate, Demo, Place, free_port, wait_for, wait_until};
use hub_tree::{env, random};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(120);
/// How many candidates set out between two kills.
const EACH: u32 = 4;

fn kills(short: u32, long: u32) -> u32 {
    if env::read("HRHUB_LONG").is_some() { long } else { short }
}

fn random_wait(up_to_ms: u64) {
    std::thread::sleep(Duration::from_millis(random::below(up_to_ms)));
}

/// What was parked, by trace id; every one must be an outcome that nobody can know.
fn unknown_outcomes(place: &Place) -> BTreeMap<String, Value> {
    let parked = place.get("/v1/parked?limit=200");
    let all = parked["data"].as_array().unwrap();
    let by_trace = all.iter().map(|item| {
        assert_eq!(item["code"], "OUTCOME_UNKNOWN", "{item:#}");
        assert_eq!(item["connection"], "dingtalk-main", "only its call has neither key nor lookup: {item:#}");
        (item["trace_id"].as_str().unwrap().to_owned(), item.clone())
    });
    by_trace.collect()
}

fn is_strong(candidate: &Candidate) -> bool {
    candidate.email.ends_with("@strong.example")
}

/// Whether everything came of a candidate that must; else what lacks.
fn went_the_whole_road(
    place: &Place,
    candidate: &Candidate,
    effects: &[(String, u64)],
    parked: &BTreeMap<String, Value>,
) -> Result<(), String> {
    let number = candidate.number;
    let found = place.get(&format!("/v1/applications?connection=greenhouse-main&remote_id={number}"));
    let applications = found["data"].as_array().unwrap();
    assert!(applications.len() <= 1, "{applications:#?}");
    let id = applications.first().ok_or(format!("application {number}"))?["id"].as_str().unwrap();
    let decisions = place.get(&format!("/v1/decisions?application={id}"));
    let decisions = decisions["data"].as_array().unwrap();
    assert!(decisions.len() <= 1, "{decisions:#?}");
    decisions.first().ok_or(format!("the decision of application {number}"))?;
    let has =
        |name: &str| effects.iter().any(|(known, _)| known.starts_with(name)).then_some(()).ok_or(name.to_owned());
    has(&format!("ai-interview invite application/{id}"))?;
    has(&format!("greenhouse note candidate/{}", 900_000 + number))?;
    has(&format!("greenhouse score application/{number}"))?;
    if is_strong(candidate) {
        has(&format!("greenhouse move application/{number}"))?;
    }
    let journeys = place.get(&format!("/v1/journeys?about=application/{id}"));
    let mut traces = journeys["data"].as_array().unwrap().iter().map(|journey| journey["trace_id"].as_str().unwrap());
    if traces.any(|trace| parked.contains_key(trace)) {
        return Ok(());
    }
    has(&format!("dingtalk message petra.osei: {} {}", candidate.first, candidate.last))
}

/// The hub dies at random moments while candidates set out; in the end each has gone the whole road, once.
fn nothing_is_lost_and_nothing_happens_twice(backends: Backends) {
    let place = Place::new(backends);
    let sandbox = place.sandbox();
    // Vendors answer late, lose answers, fail, and send everything twice.
    place.turn(&json!({ "slow_ms": 80, "lose_every": 23, "fail_every": 11, "limit_every": 17, "duplicates": 1 }));
    let kills = kills(5, 20);
    let mut sent = Vec::new();
    for round in 0..kills {
        // Before the door is open, behind it, and on the way back up.
        let hub = place.serve();
        for index in 0..EACH {
            let number = 10_000 + round * EACH + index;
            let domain = ["strong.example", "middling.example", "weak.example"][(number % 3) as usize];
            let candidate = Candidate::new(number, domain);
            place.move_candidate(&candidate);
            sent.push(candidate);
            random_wait(150);
        }
        random_wait(1500);
        hub.kill();
    }
    let hub = place.serve();
    wait_until(LIMIT, || {
        assert!(!hub.has_ended(), "{}", hub.log());
        let (effects, parked) = (place.effects(), unknown_outcomes(&place));
        sent.iter().try_for_each(|candidate| went_the_whole_road(&place, candidate, &effects, &parked))
    });
    let (effects, parked) = (place.effects(), unknown_outcomes(&place));
    for (name, count) in &effects {
        assert_eq!(*count, 1, "`{name}` happened {count} times");
    }
    // Everybody gets an invitation, a message, a note and a score; 推荐 also moves. Nothing else happens.
    let moves = sent.iter().filter(|candidate| is_strong(candidate)).count();
    assert!(effects.len() <= sent.len() * 4 + moves, "{effects:#?}");
    eprintln!(
        "{backends:?}: {kills} kills, {} candidates, {} effects, {} outcomes unknown",
        sent.len(),
        effects.len(),
        parked.len()
    );
    assert!(hub.stop().success());
    assert!(!sandbox.has_ended(), "{}", sandbox.log());
}

#[test]
fn a_killed_hub_loses_nothing_and_repeats_nothing_on_the_embedded_default() {
    nothing_is_lost_and_nothing_happens_twice(Backends::Embedded);
}

#[test]
fn a_killed_hub_loses_nothing_and_repeats_nothing_on_rabbitmq_and_postgresql() {
    nothing_is_lost_and_nothing_happens_twice(Backends::Servers);
}

/// Stopping in peace cuts no call off: vendors answer late, and every call is still heard out.
#[test]
fn a_hub_that_is_asked_to_stop_hears_its_calls_out() {
    let place = Place::new(Backends::Embedded);
    let _sandbox = place.sandbox();
    place.turn(&json!({ "slow_ms": 700 }));
    let mut hub = place.serve();
    let sent: Vec<Candidate> = (0..6).map(|index| Candidate::new(20_000 + index, "strong.example")).collect();
    for candidate in &sent {
        place.move_candidate(candidate);
    }
    for _ in 0..4 {
        random_wait(1500);
        assert!(hub.stop().success());
        hub = place.serve();
    }
    wait_until(LIMIT, || {
        let (effects, parked) = (place.effects(), unknown_outcomes(&place));
        assert!(parked.is_empty(), "{parked:#?}");
        sent.iter().try_for_each(|candidate| went_the_whole_road(&place, candidate, &effects, &parked))
    });
    assert!(place.effects().iter().all(|(_, count)| *count == 1), "{:#?}", place.effects());
}

/// Hub and vendors die together, as in `hrhub demo`.
#[test]
fn a_killed_demo_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let ports = (free_port(), free_port());
    let kills = kills(5, 20);
    for _ in 0..kills {
        let mut demo = Demo::start(folder.path(), ports, false);
        random_wait(1500);
        demo.kill();
    }
    let demo = Demo::start(folder.path(), ports, false);
    let lines = demo.until("Ctrl-C");
    let decided = lines.iter().filter(|line| line.contains("RECOMMENDED") || line.contains("CONSIDER")).count();
    assert_eq!(decided, 3, "{lines:#?}");
    let url = format!("http://127.0.0.1:{}/_sandbox/effects", ports.1);
    let unknown = lines.iter().filter(|line| line.contains("OUTCOME_UNKNOWN")).count();
    let effects = wait_for("every effect", LIMIT, || {
        let all: Value = reqwest::blocking::get(&url).unwrap().json().unwrap();
        let all = all["effects"].as_array().unwrap().clone();
        (all.len() + unknown > 3 * 4).then_some(all)
    });
    assert!(effects.iter().all(|effect| effect["count"] == 1), "{effects:#?}");
    eprintln!("demo: {kills} kills, {} effects, {unknown} outcomes unknown", effects.len());
}
