//! What must hold after anything that breaks: inputs, records, events and calls are compared.
//!
//! - Every hook that was answered 2xx has been processed: its journey reaches a record.
//! - There is one record per application, and its history holds the stages in the order in which they were sent.
//! - Every effect that must have happened has happened once, and no other has.
//! - Only outcomes that nobody can know are parked; nothing is left open.

use hub_support::{Candidate, Place, wait_until};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long everything may take to come to rest on a busy machine.
const REST: Duration = Duration::from_secs(600);
/// Stages that no flow reacts to.
const STAGES: [&str; 4] = ["Phone Interview", "Face to Face", "Reference Check", "Offer"];

/// All that was sent to a hub, and what must have come of it.
#[derive(Default)]
pub(crate) struct Ledger {
    /// Candidates that the simulated vendor sent on their way.
    candidates: Vec<Candidate>,
    /// Stages of applications that were moved by hooks of our own, in order.
    moved: BTreeMap<u32, Vec<&'static str>>,
    /// Journeys of the hooks that were answered 2xx.
    traces: Vec<String>,
}

impl Ledger {
    /// Somebody reaches the interview stage at the simulated vendor, which tells the hub until it listens.
    pub(crate) fn send(&mut self, place: &Place, candidate: Candidate) {
        place.move_candidate(&candidate);
        self.candidates.push(candidate);
    }

    /// Moves an application to its next stage by a hook of our own; whoever gets no answer sends it again, as vendors
    /// do, until `patience` is over.
    pub(crate) fn step(&mut self, place: &Place, application: u32, patience: Duration) {
        let stages = self.moved.entry(application).or_default();
        let index = stages.len();
        let stage = STAGES[index % STAGES.len()];
        let body = moved(application, index, stage).to_string();
        let id = format!("move-{application}-{index}");
        let answer = wait_until(patience, || match place.greenhouse_hook_at(place.port, &id, body.as_bytes()) {
            Ok(answer) if answer.status().is_success() => Ok(answer.json::<Value>().unwrap_or_default()),
            Ok(answer) => Err(format!("a good answer to a hook, not {}", answer.status())),
            Err(error) => Err(format!("an answer to a hook: {error}")),
        });
        stages.push(stage);
        // A repetition of one that was accepted without our knowing has no journey of its own.
        if let Some(trace) = answer["trace_id"].as_str() {
            self.traces.push(trace.to_owned());
        }
    }

    /// Waits until everything has come to rest, and compares.
    /// `metrics` is where a process that works shows its counters.
    pub(crate) fn check(&self, place: &Place, metrics: &str) -> Checked {
        wait_until(REST, || {
            let parked = unknown_outcomes(place);
            let effects = place.effects();
            let arrived =
                self.candidates.iter().try_for_each(|one| went_the_whole_road(place, one, &effects, &parked)).and_then(
                    |()| self.moved.iter().try_for_each(|(number, stages)| kept_its_order(place, *number, stages)),
                );
            match (arrived, nothing_is_open(place, metrics)) {
                (Ok(()), rest) => rest,
                (Err(missing), Err(open)) => Err(format!("{missing}, with {open}")),
                (Err(missing), Ok(())) => Err(format!("{missing}, though nothing is open")),
            }
        });
        for trace in &self.traces {
            let journey = place.get(&format!("/v1/journeys/{trace}"));
            let steps = journey["steps"].as_array().unwrap();
            let received = steps.iter().any(|step| step["step"] == "receive");
            // Twice accepted, because the first answer was lost on its way: the store dropped the second.
            let mapped = steps.iter().any(|step| step["step"] == "map" && step["result"] == "ok");
            assert!(mapped || !received, "accepted, and nothing came of it: {journey:#}");
        }
        let (effects, parked) = (place.effects(), unknown_outcomes(place));
        for (name, count) in &effects {
            assert_eq!(*count, 1, "`{name}` happened {count} times");
        }
        // Everybody gets an invitation, a message, a note and a score; 推荐 also moves. Nothing else happens.
        let moves = self.candidates.iter().filter(|candidate| is_strong(candidate)).count();
        assert!(effects.len() <= self.candidates.len() * 4 + moves, "{effects:#?}");
        let stages = self.moved.values().map(Vec::len).sum();
        Checked { candidates: self.candidates.len(), moves: stages, effects: effects.len(), unknown: parked.len() }
    }
}

/// What was compared.
#[derive(Debug)]
#[allow(dead_code, reason = "printed by its Debug form")]
pub(crate) struct Checked {
    candidates: usize,
    moves: usize,
    effects: usize,
    unknown: usize,
}

/// A hook about an invented application that reaches a stage; each is a minute later than the one before.
fn moved(application: u32, index: usize, stage: &str) -> Value {
    let at = hub_tree::clock::rfc3339_micros(1_780_000_000_000_000 + i64::try_from(index).unwrap() * 60_000_000);
    json!({
        "action": "candidate_stage_change",
        "payload": { "application": {
            "id": application, "status": "active", "last_activity_at": at, "prospect": false,
            "rejected_at": null, "rejection_reason": null,
            "current_stage": { "id": 400 + index % STAGES.len(), "name": stage },
            "candidate": {
                "id": 700_000_000 + application, "first_name": "Ines", "last_name": format!("Okafor{application}"),
                "email_addresses": [], "phone_numbers": [], "tags": [],
            },
            "jobs": [{ "id": 7, "name": "Shift lead" }],
        }},
    })
}

/// Whether the history of an application holds all its stages in order.
fn kept_its_order(place: &Place, application: u32, stages: &[&str]) -> Result<(), String> {
    let found = place.get(&format!("/v1/applications?connection=greenhouse-main&remote_id={application}"));
    let found = found["data"].as_array().unwrap();
    assert!(found.len() <= 1, "two records of one application: {found:#?}");
    let id = found.first().ok_or(format!("application {application}"))?["id"].as_str().unwrap();
    let history = place.get(&format!("/v1/applications/{id}/history"));
    let versions = history["data"].as_array().unwrap().iter();
    let mut held: Vec<&str> = versions.filter_map(|version| version["stage"]["display"].as_str()).collect();
    held.dedup();
    if held == stages { Ok(()) } else { Err(format!("stages {stages:?} of application {application}, not {held:?}")) }
}

/// Whether all events are published, all messages handled, all calls made.
fn nothing_is_open(place: &Place, metrics: &str) -> Result<(), String> {
    let parked = place.get("/v1/parked?limit=200");
    let text = place.http().get(metrics).send().map_err(|error| error.to_string())?;
    let text = text.text().map_err(|error| error.to_string())?;
    let open: Vec<&str> =
        text.lines().filter(|line| line.starts_with("hrhub_open{") && !line.ends_with(" 0")).collect();
    if open.is_empty() { Ok(()) } else { Err(format!("open {open:?}; parked {parked}")) }
}

/// What was parked, by trace id; every one must be an outcome that nobody can know.
pub(crate) fn unknown_outcomes(place: &Place) -> BTreeMap<String, Value> {
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
pub(crate) fn went_the_whole_road(
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
