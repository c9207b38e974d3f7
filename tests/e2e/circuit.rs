//! Vendors that fail, crawl or ask to wait: their calls are left alone for a while, all others go on, and in the end
//! everything has happened once.

use hub_support::{Backends, Candidate, Place, run_hrhub, said, wait_for, wait_until};
use serde_json::{Value, json};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(240);
const NAME: &str = "greenhouse-main";

/// A place whose connection to the applicant tracking system is paced like this.
fn paced(backends: Backends, circuit: &str) -> Place {
    let place = Place::new(backends);
    let pace =
        format!("retry: {{ first_ms: 50, longest_secs: 1, tries: 100, least_per_minute: 1000 }}\ncircuit: {circuit}\n");
    place.edit(&format!("connections/{NAME}.yaml"), |text| format!("{text}\n{pace}"));
    place
}

fn circuit(place: &Place) -> Value {
    place.get(&format!("/v1/connections/{NAME}"))["circuit"].clone()
}

/// Has somebody decide about the circuit, and gives what is said of it then.
fn decide(place: &Place, action: &str) -> Value {
    let url = place.url(&format!("/v1/connections/{NAME}:{action}"));
    let answer = place.http().post(url).bearer_auth(place.secret("HRHUB_ADMIN_KEY")).send().unwrap();
    assert_eq!(answer.status(), 200);
    answer.json::<Value>().unwrap()["circuit"].clone()
}

fn strong(number: u32) -> Candidate {
    Candidate::new(number, "strong.example")
}

/// What happened that begins so.
fn happened(place: &Place, beginning: &str) -> usize {
    place.effects().iter().filter(|(name, _)| name.starts_with(beginning)).count()
}

/// Waits until everybody was invited and the recruiter told of everybody.
fn others_went_on(place: &Place, count: usize) {
    wait_until(LIMIT, || {
        let told = (happened(place, "ai-interview invite"), happened(place, "dingtalk message"));
        if told == (count, count) { Ok(()) } else { Err(format!("invitations and messages: {told:?} of {count}")) }
    });
}

/// Waits until note, score and move of everybody have arrived, too; each thing happened once, nothing was parked.
fn all_happened_once(place: &Place, count: usize) {
    wait_until(LIMIT, || {
        let kept = happened(place, "greenhouse");
        if kept == 3 * count {
            Ok(())
        } else {
            Err(format!("{kept} of {} write-backs; {:#}", 3 * count, circuit(place)))
        }
    });
    let effects = place.effects();
    assert_eq!(effects.len(), 5 * count, "{effects:#?}");
    assert!(effects.iter().all(|(_, times)| *times == 1), "{effects:#?}");
    assert_eq!(place.get("/v1/parked")["data"], json!([]));
}

/// What the journeys tell of the circuit.
fn told(place: &Place, beginning: &str) -> usize {
    let journeys = place.get("/v1/journeys?limit=200");
    let traces = journeys["data"].as_array().unwrap().iter().map(|journey| journey["trace_id"].as_str().unwrap());
    let steps = |trace: &str| {
        let journey = place.get(&format!("/v1/journeys/{trace}"));
        let steps = journey["steps"].as_array().unwrap().iter();
        let about = steps.filter(|step| step["step"] == "circuit" && step["system"] == NAME);
        about.filter(|step| step["detail"].as_str().unwrap().starts_with(beginning)).count()
    };
    traces.map(steps).sum()
}

/// Calls of the connection that were tried and will be tried again.
fn retried(place: &Place) -> u64 {
    let text = place.http().get(place.url("/metrics")).send().unwrap().text().unwrap();
    let ours = |line: &&str| {
        line.starts_with("hrhub_calls_total") && line.contains(NAME) && line.contains("result=\"retried\"")
    };
    text.lines().filter(ours).filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}

fn a_failing_vendor_is_left_alone_until_it_is_well(backends: Backends) {
    let place = paced(backends, "{ least_calls: 5, open_secs: 2 }");
    let _sandbox = place.sandbox();
    place.turn(&json!({ "error_every": 1, "vendors": ["greenhouse"] }));
    let hub = place.serve();
    assert_eq!(circuit(&place)["state"], "closed");
    (0..4).for_each(|index| place.move_candidate(&strong(31_000 + index)));
    let open = wait_for("the circuit to open", LIMIT, || Some(circuit(&place)).filter(|c| c["state"] == "open"));
    assert!(!open["why"].as_str().unwrap().is_empty() && open["next_probe_at"].is_string(), "{open:#}");
    others_went_on(&place, 4);
    assert_eq!(told(&place, "opened: "), 1, "a change is told once");
    assert_eq!(told(&place, "closed: "), 0);

    // Another process finds the circuit as it was.
    assert!(hub.stop().success(), "{}", hub.log());
    let hub = place.serve();
    assert_ne!(circuit(&place)["state"], "closed");
    place.move_candidate(&strong(31_004));
    others_went_on(&place, 5);
    assert_ne!(circuit(&place)["state"], "closed");
    assert_eq!(happened(&place, "greenhouse"), 0);

    // Well again: probes find out, and what waited is made, in order and once.
    place.turn(&json!({}));
    all_happened_once(&place, 5);
    assert_eq!(circuit(&place)["state"], "closed", "{}", hub.log());
    assert_eq!((told(&place, "opened: "), told(&place, "closed: ")), (1, 1));
}

#[test]
fn a_failing_vendor_is_left_alone_until_it_is_well_on_the_embedded_default() {
    a_failing_vendor_is_left_alone_until_it_is_well(Backends::Embedded);
}

#[test]
fn a_failing_vendor_is_left_alone_until_it_is_well_on_rabbitmq_and_postgresql() {
    a_failing_vendor_is_left_alone_until_it_is_well(Backends::Servers);
}

#[test]
fn a_slow_vendor_is_left_alone_and_a_person_has_the_last_word() {
    let place = paced(Backends::Embedded, "{ least_calls: 3, slow_ms: 400, slow_rate: 0.5, open_secs: 3600 }");
    let _sandbox = place.sandbox();
    place.turn(&json!({ "slow_ms": 700, "vendors": ["greenhouse"] }));
    let _hub = place.serve();
    (0..3).for_each(|index| place.move_candidate(&strong(32_000 + index)));
    let open = wait_for("the circuit to open", LIMIT, || Some(circuit(&place)).filter(|c| c["state"] == "open"));
    assert!(open["why"].as_str().unwrap().contains("400 ms or longer"), "{open:#}");
    others_went_on(&place, 3);

    // Closed by hand: calls are made although they are slow.
    let closed = decide(&place, "close");
    assert_eq!((&closed["state"], &closed["decided"]["by"]), (&json!("closed"), &json!("admin")), "{closed:#}");
    all_happened_once(&place, 3);
    assert_eq!((&circuit(&place)["state"], told(&place, "opened: ")), (&json!("closed"), 1));

    // Opened on the command line: nothing is made, whatever comes.
    let config = place.config();
    let command = |action: &str| {
        let output = run_hrhub(["circuit", action, NAME, "--config", config.to_str().unwrap()]);
        assert!(output.status.success(), "{:?}", said(&output));
        said(&output).0
    };
    let line = command("open");
    assert!(line.starts_with("greenhouse-main  open") && line.contains("the command line"), "{line}");
    place.move_candidate(&strong(32_003));
    others_went_on(&place, 4);
    assert_eq!(happened(&place, "greenhouse"), 9);
    let listed = run_hrhub(["circuit", "list", "--config", config.to_str().unwrap()]);
    assert_eq!(said(&listed).0.lines().filter(|line| line.contains("  open")).count(), 1, "{:?}", said(&listed));

    // Left to itself again.
    place.turn(&json!({}));
    let line = command("auto");
    assert!(line.starts_with("greenhouse-main  closed"), "{line}");
    all_happened_once(&place, 4);
    assert_eq!(circuit(&place)["decided"], Value::Null);
    let missing = run_hrhub(["circuit", "open", "greenhouse-mian", "--config", config.to_str().unwrap()]);
    assert!(!missing.status.success() && said(&missing).1.contains(NAME), "{:?}", said(&missing));
}

#[test]
fn a_vendor_that_asks_to_wait_gets_no_calls_at_all_until_then() {
    let place = paced(Backends::Embedded, "{ least_calls: 100000 }");
    let _sandbox = place.sandbox();
    // A year is not believed.
    place.turn(&json!({ "limit_every": 1, "retry_after": "31536000", "vendors": ["greenhouse"] }));
    let _hub = place.serve();
    (0..5).for_each(|index| place.move_candidate(&strong(33_000 + index)));
    others_went_on(&place, 5);
    let waiting = wait_for("the connection to wait", LIMIT, || {
        Some(circuit(&place)).filter(|circuit| circuit["waits_until"].is_string())
    });
    assert_eq!(waiting["state"], "closed", "that it is asked too much is no trouble of its own: {waiting:#}");
    let until: hub_tree::jiff::Timestamp = waiting["waits_until"].as_str().unwrap().parse().unwrap();
    let hours = until.duration_since(hub_tree::Clock::System.now()).as_hours();
    assert!((22..=24).contains(&hours), "{waiting:#}");
    let tried = retried(&place);
    assert!((1..=4).contains(&tried), "only what was under way together was tried: {tried}");
    place.move_candidate(&strong(33_005));
    others_went_on(&place, 6);
    assert_eq!((retried(&place), happened(&place, "greenhouse")), (tried, 0));
    place.turn(&json!({}));
    assert_eq!(decide(&place, "auto")["waits_until"], Value::Null);
    all_happened_once(&place, 6);
}

#[test]
fn deciding_needs_the_scope_and_a_connection() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    let config = place.config();
    let made = ["keys", "create", "--name", "r", "--scopes", "read", "--config", config.to_str().unwrap()];
    let reader = said(&run_hrhub(made)).0.trim().to_owned();
    let post = |key: &str, path: &str| {
        let answer = place.http().post(place.url(path)).bearer_auth(key).send().unwrap();
        (answer.status().as_u16(), answer.json::<Value>().unwrap()["code"].as_str().unwrap_or_default().to_owned())
    };
    let admin = place.secret("HRHUB_ADMIN_KEY");
    assert_eq!(post(&reader, &format!("/v1/connections/{NAME}:open")), (403, "forbidden".to_owned()));
    assert_eq!(post("nobody", &format!("/v1/connections/{NAME}:open")), (401, "unauthorized".to_owned()));
    assert_eq!(post(&admin, "/v1/connections/nobody:open"), (404, "not_found".to_owned()));
    assert_eq!(post(&admin, &format!("/v1/connections/{NAME}:opne")), (404, "not_found".to_owned()));
    assert_eq!(post(&admin, &format!("/v1/connections/{NAME}")), (405, "method_not_allowed".to_owned()));
    assert_eq!(circuit(&place)["decided"], Value::Null);
}
