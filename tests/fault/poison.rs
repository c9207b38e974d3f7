//! Messages that end the process that handles them.

use hub_support::{Backends, Candidate, Place, Running, project_root, wait_until};
use serde_json::{Value, json};
use std::fs;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(180);

/// A hub that is started again whenever it ends, as a service manager does.
struct Phoenix<'a> {
    place: &'a Place,
    crash: &'a str,
    hub: Running,
    deaths: usize,
}

impl<'a> Phoenix<'a> {
    fn new(place: &'a Place, crash: &'a str) -> Self {
        Self { place, crash, hub: place.begin_with(&[("HRHUB_CRASH", crash)]), deaths: 0 }
    }

    fn rise(&mut self) {
        if self.hub.has_ended() {
            self.deaths += 1;
            self.hub = self.place.begin_with(&[("HRHUB_CRASH", self.crash)]);
        }
    }

    /// Reads from the API, if the hub answers just now.
    fn get(&mut self, path: &str) -> Option<Value> {
        self.rise();
        let key = self.place.secret("HRHUB_ADMIN_KEY");
        let answer = self.place.http().get(self.place.url(path)).bearer_auth(key).send().ok()?;
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().ok()
    }

    /// Sends a web hook until it is accepted, as vendors do.
    fn hook(&mut self, event: &str, body: &[u8]) {
        let signature = self.place.greenhouse_signature(body);
        wait_until(LIMIT, || {
            self.rise();
            let request = self.place.http().post(self.place.url("/hooks/greenhouse-main"));
            let request = request.header("content-type", "application/json").header("greenhouse-event-id", event);
            let answer = request.header("signature", &signature).body(body.to_vec()).send();
            let status = answer.map_err(|error| error.to_string())?.status();
            if status == 200 { Ok(()) } else { Err(format!("an answer other than {status}")) }
        });
    }

    fn application(&mut self, number: u32) -> Option<Value> {
        let path = format!("/v1/applications?connection=greenhouse-main&remote_id={number}");
        self.get(&path)?["data"].get(0).cloned()
    }

    fn parked(&mut self) -> Option<Vec<Value>> {
        Some(self.get("/v1/parked?limit=200")?["data"].as_array()?.clone())
    }
}

/// The web hook of an application, with a name in it.
fn stage_change(number: u32, name: &str) -> Vec<u8> {
    let path = project_root().join("tests/golden/payloads/greenhouse/candidate_stage_change.json");
    let mut body: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let application = &mut body["payload"]["application"];
    application["id"] = json!(number);
    application["candidate"]["id"] = json!(900_000 + number);
    application["candidate"]["first_name"] = json!(name);
    serde_json::to_vec(&body).unwrap()
}

/// Innocents around one poison; one behind it waits for it by its order key.
fn the_poison_is_parked_and_the_rest_goes_on(backends: Backends, point: &str, step: &str, deaths: usize) {
    let place = Place::new(backends);
    let crash = format!("{point}=Mortimer");
    let mut hub = Phoenix::new(&place, &crash);
    let innocents: Vec<u32> = (40_100..40_120).collect();
    for number in &innocents[..10] {
        hub.hook(&format!("evt-{number}"), &stage_change(*number, "Ada"));
    }
    hub.hook("evt-poison", &stage_change(40_001, "Mortimer"));
    hub.hook("evt-behind", &stage_change(40_001, "Bela"));
    for number in &innocents[10..] {
        hub.hook(&format!("evt-{number}"), &stage_change(*number, "Ada"));
    }
    let parked = wait_until(LIMIT, || {
        let parked = hub.parked().ok_or("an answer")?;
        for number in innocents.iter().chain([&40_001]) {
            hub.application(*number).ok_or_else(|| format!("application {number}"))?;
        }
        if parked.is_empty() { Err("the parked message".to_owned()) } else { Ok(parked) }
    });
    assert_eq!(parked.len(), 1, "{parked:#?}");
    assert_eq!((parked[0]["code"].as_str(), parked[0]["step"].as_str()), (Some("CRASHED_CONSUMER"), Some(step)));
    assert_eq!(hub.deaths, deaths, "{}", hub.hub.log());
    // The hub lives on, and the poison stays where it is.
    assert!(hub.hub.stop().success());
    let hub = place.serve_with(&[("HRHUB_CRASH", &crash)]);
    assert_eq!(place.get("/v1/parked")["data"].as_array().unwrap().len(), 1);
    assert!(!hub.has_ended());
}

#[test]
fn a_payload_that_kills_its_mapper_is_parked_alone_on_the_embedded_default() {
    the_poison_is_parked_and_the_rest_goes_on(Backends::Embedded, "map", "map", 4);
}

#[test]
fn a_payload_that_kills_its_mapper_is_parked_alone_on_rabbitmq_and_postgresql() {
    the_poison_is_parked_and_the_rest_goes_on(Backends::Servers, "map", "map", 4);
}

#[test]
fn a_payload_that_kills_its_reader_is_kept_unread_on_the_embedded_default() {
    the_poison_is_parked_and_the_rest_goes_on(Backends::Embedded, "intake", "intake", 4);
}

#[test]
fn a_payload_that_kills_its_reader_is_kept_unread_on_rabbitmq_and_postgresql() {
    the_poison_is_parked_and_the_rest_goes_on(Backends::Servers, "intake", "intake", 4);
}

/// The vendor carried it out; what it answers ends the process. Other calls are made once all the same.
#[test]
fn a_call_that_kills_its_caller_is_parked_and_other_calls_go_on() {
    let place = Place::new(Backends::Embedded);
    let _sandbox = place.sandbox();
    let poison = Candidate { email: "mortimer@strong.example".to_owned(), ..Candidate::new(41_001, "strong.example") };
    let mut hub = Phoenix::new(&place, "reply=mortimer");
    wait_until(LIMIT, || hub.get("/v1/connections").map(drop).ok_or_else(|| "an answer".to_owned()));
    let innocent = Candidate::new(41_002, "strong.example");
    place.move_candidate(&poison);
    place.move_candidate(&innocent);
    let parked = wait_until(LIMIT, || {
        let parked = hub.parked().ok_or("an answer")?;
        let moved = |(name, count): &(String, u64)| name == "greenhouse move application/41002" && *count == 1;
        if !place.effects().iter().any(moved) {
            return Err("the innocent's move".to_owned());
        }
        if parked.is_empty() { Err("the parked call".to_owned()) } else { Ok(parked) }
    });
    assert_eq!(parked.len(), 1, "{parked:#?}");
    assert_eq!((parked[0]["code"].as_str(), parked[0]["step"].as_str()), (Some("CRASHED_CONSUMER"), Some("call")));
    assert_eq!(hub.deaths, 4, "{}", hub.hub.log());
    assert!(place.effects().iter().all(|(_, count)| *count == 1), "{:#?}", place.effects());
}
