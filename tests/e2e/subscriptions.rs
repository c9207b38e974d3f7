//! Third parties are told of events: signed, in order, again under the same id, and only where they may be.

mod alarms;
mod peers;
mod receiver;
mod wishes;

use hub_support::{Backends, Place, run_hrhub, said, wait_for, wait_until};
use receiver::{Got, Receiver};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(240);

/// Sends a request with a key; status and body (null when it is empty).
fn ask(place: &Place, key: &str, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
    let request = place.http().request(method.parse().unwrap(), place.url(path)).bearer_auth(key);
    let request = match body {
        Some(body) => request.header("content-type", "application/json").body(body.to_string()),
        None => request,
    };
    let answer = request.send().unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_str(&answer.text().unwrap()).unwrap_or_default())
}

fn admin(place: &Place, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
    ask(place, &place.secret("HRHUB_ADMIN_KEY"), method, path, body)
}

/// Makes a subscription; its id and secret.
fn subscribe(place: &Place, url: &str, types: &[&str]) -> (String, String) {
    let (status, made) = admin(place, "POST", "/v1/subscriptions", Some(&json!({ "url": url, "types": types })));
    assert_eq!(status, 201, "{made:#}");
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    assert!(text("secret").starts_with("whsec_"), "{made:#}");
    assert_eq!((made["status"].as_str(), made["disabled"].as_bool()), (Some("active"), Some(false)));
    (text("id"), text("secret"))
}

fn shown(place: &Place, id: &str) -> Value {
    place.get(&format!("/v1/subscriptions/{id}"))
}

fn deliveries(place: &Place, id: &str) -> Vec<Value> {
    let list = place.get(&format!("/v1/subscriptions/{id}/deliveries"));
    list["data"].as_array().unwrap().clone()
}

/// A candidate of the simulated applicant system is moved to a stage; the web hook is signed and accepted.
pub(crate) fn stage_change(place: &Place, application: u32, stage: &str, minute: u32) {
    let golden = "tests/golden/payloads/greenhouse/candidate_stage_change.json";
    let text = std::fs::read_to_string(hub_support::project_root().join(golden)).unwrap();
    let mut body: Value = serde_json::from_str(&text).unwrap();
    let moved = &mut body["payload"]["application"];
    moved["id"] = application.into();
    moved["current_stage"]["id"] = (7_000 + minute).into();
    moved["current_stage"]["name"] = stage.into();
    moved["last_activity_at"] = format!("2026-03-02T10:{minute:02}:00.000Z").into();
    moved["candidate"]["id"] = (900_000 + application).into();
    let event = format!("evt-{application}-{minute}");
    place.greenhouse_sends(&event, body.to_string().as_bytes());
}

fn events_arrive_signed_and_in_order(backends: Backends) {
    let place = Place::new(backends);
    let _hub = place.serve();
    // What happened before is not told.
    stage_change(&place, 71, "Application Review", 1);
    wait_for("the application", LIMIT, || {
        place.get("/v1/applications?connection=greenhouse-main&remote_id=71")["data"].get(0).cloned()
    });
    let receiver = Receiver::start();
    let (id, secret) = subscribe(&place, &receiver.url("/hooks"), &["hr.application.*"]);
    let listener = Receiver::start();
    let (_, other_secret) = subscribe(&place, &listener.url("/all?of=it"), &["*"]);
    assert_ne!(secret, other_secret);
    let stages = ["Phone Screen", "Take Home Test", "Face to Face", "Offer"];
    for (minute, stage) in (10..).zip(stages) {
        for application in [72, 73] {
            stage_change(&place, application, stage, minute);
        }
    }
    // Each application has four versions, and each of them is an event of a general kind and one of a special kind.
    let got = wait_until(LIMIT, || {
        let got = receiver.got();
        if got.len() >= 16 { Ok(got) } else { Err(format!("16 events: {got:#?}")) }
    });
    let mut sequences = BTreeSet::new();
    let mut versions: BTreeMap<&str, i64> = BTreeMap::new();
    for one in &got {
        one.check(&[&secret]);
        assert_eq!(one.path, "/hooks");
        assert_eq!(one.header("content-type"), "application/cloudevents+json; charset=utf-8");
        let body = &one.body;
        assert_eq!((body["specversion"].as_str(), body["id"].as_str()), (Some("1.0"), Some(one.id.as_str())));
        let kind = body["type"].as_str().unwrap();
        assert!(kind.starts_with("hr.application.") && kind.ends_with(".v1"), "{kind}");
        assert!(one.subject().starts_with("application/"), "{body:#}");
        assert_eq!(body["data"]["connection"], "greenhouse-main");
        assert!(sequences.insert(one.sequence()), "a number was given twice: {got:#?}");
        // No version of a record comes before an older one.
        let version = versions.entry(one.subject()).or_default();
        assert!(*version <= one.version(), "{got:#?}");
        *version = one.version();
        assert_eq!(one.header("traceparent").split('-').nth(1).map(str::len), Some(32));
        let text = body.to_string();
        assert!(!text.contains("Screen") && !text.contains("@"), "values must not travel: {text}");
    }
    let count = i64::try_from(sequences.len()).unwrap();
    assert_eq!(sequences, (1..=count).collect(), "the sequence has gaps");
    // The other one hears of everything, under the same ids.
    let all = wait_until(LIMIT, || {
        let all = listener.got();
        let ids: BTreeSet<&str> = all.iter().map(|one| one.id.as_str()).collect();
        let missing = got.iter().find(|one| !ids.contains(one.id.as_str()));
        missing.map_or_else(|| Ok(all.clone()), |one| Err(one.id.clone()))
    });
    assert!(all.iter().any(|one| one.subject().starts_with("candidate/")), "{all:#?}");
    all.iter().for_each(|one| _ = one.check(&[&other_secret]));
    // The log says the same.
    let log = wait_until(LIMIT, || {
        let log = deliveries(&place, &id);
        let waiting = log.iter().filter(|one| one["status"] != "delivered").count();
        if waiting == 0 { Ok(log) } else { Err(format!("{waiting} deliveries")) }
    });
    assert_eq!(log.len(), got.len());
    assert!(log.iter().all(|one| one["tries"] == 1 && one["delivered_at"].is_string()), "{log:#?}");
    assert_eq!(shown(&place, &id)["sequence"], count);
}

#[test]
fn events_arrive_signed_and_in_order_on_the_embedded_default() {
    events_arrive_signed_and_in_order(Backends::Embedded);
}

#[test]
fn events_arrive_signed_and_in_order_on_rabbitmq_and_postgresql() {
    events_arrive_signed_and_in_order(Backends::Servers);
}

#[test]
fn what_fails_comes_again_under_the_same_id_and_holds_back_only_its_record() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    let receiver = Receiver::start();
    let (id, secret) = subscribe(&place, &receiver.url("/"), &["hr.application.*"]);
    receiver.answer_once(500);
    stage_change(&place, 81, "Phone Screen", 1);
    let first = wait_for("the first try", LIMIT, || receiver.got().first().cloned());
    // Another record goes on meanwhile.
    stage_change(&place, 82, "Phone Screen", 1);
    wait_for("the other record's event", LIMIT, || {
        receiver.got().iter().find(|one| one.subject() != first.subject()).cloned()
    });
    let again = wait_for("the second try", LIMIT, || {
        let tries: Vec<Got> = receiver.got().into_iter().filter(|one| one.id == first.id).collect();
        (tries.len() == 2).then_some(tries)
    });
    assert_eq!(again[0].body, again[1].body);
    again.iter().for_each(|one| _ = one.check(&[&secret]));
    wait_for("the subscription to be well", LIMIT, || (shown(&place, &id)["status"] == "active").then_some(()));
    // Of the record, nothing came between the two tries.
    let own: Vec<String> =
        receiver.got().iter().filter(|one| one.subject() == first.subject()).map(|one| one.id.clone()).collect();
    assert_eq!(own[0], own[1], "{own:?}");
}

#[test]
fn every_answer_but_2xx_is_a_failure_that_waits_as_long_as_it_is_asked_to() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    let receiver = Receiver::start();
    let (id, _) = subscribe(&place, &receiver.url("/here"), &["hr.application.created.v1"]);
    let now = hub_tree::Clock::System.micros();
    let answers = [302, 404, 401, 500, 503, 429, 1_429];
    for (application, status) in (300..).zip(answers) {
        receiver.answer_next(status);
        stage_change(&place, application, "Phone Screen", 1);
        let tried = wait_for("the try", LIMIT, || {
            let log = deliveries(&place, &id);
            let own = log.first().filter(|_| log.len() == usize::try_from(application - 299).unwrap());
            own.filter(|one| one["error"].is_string() && one["status"] == "waiting").cloned()
        });
        assert!(tried["error"].as_str().unwrap().contains(&(status % 1_000).to_string()), "{status}: {tried:#}");
        // The last one asks for an hour.
        let next: i64 =
            tried["next_try_at"].as_str().unwrap().parse::<hub_tree::jiff::Timestamp>().unwrap().as_microsecond();
        assert_eq!(next > now + 3_600_000_000, status == 1_429, "{status}: {tried:#}");
    }
    assert!(receiver.got().iter().all(|one| one.path == "/here"), "a redirect was followed");
    let failing = shown(&place, &id);
    assert_eq!((failing["status"].as_str(), failing["disabled"].as_bool()), (Some("failing"), Some(false)));
    assert!(failing["failing_since"].is_string() && failing["failing_reason"].is_string(), "{failing:#}");
}

#[test]
fn a_subscriber_that_is_gone_gets_nothing_more() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    let (receiver, other) = (Receiver::start(), Receiver::start());
    let (id, _) = subscribe(&place, &receiver.url("/"), &["hr.application.*"]);
    let (_, secret) = subscribe(&place, &other.url("/"), &["hr.application.*"]);
    receiver.answer_always(410);
    stage_change(&place, 91, "Phone Screen", 1);
    let gone = wait_for("the subscription to be disabled", LIMIT, || {
        let shown = shown(&place, &id);
        (shown["disabled"] == true).then_some(shown)
    });
    assert_eq!(gone["status"], "disabled");
    assert!(gone["disabled_reason"].as_str().unwrap().contains("410"), "{gone:#}");
    let before = receiver.got().len();
    let heard = other.got().len();
    stage_change(&place, 92, "Phone Screen", 1);
    wait_for("the other one to hear of it", LIMIT, || (other.got().len() > heard).then_some(()));
    other.got().iter().for_each(|one| _ = one.check(&[&secret]));
    let log = wait_until(LIMIT, || {
        let log = deliveries(&place, &id);
        let open = log.iter().filter(|one| one["status"] != "parked").count();
        if open == 0 { Ok(log) } else { Err(format!("{open} deliveries to end")) }
    });
    assert_eq!(receiver.got().len(), before, "{log:#?}");
    let (status, refused) = admin(&place, "POST", &format!("/v1/subscriptions/{id}:test"), None);
    assert_eq!((status, refused["code"].as_str()), (409, Some("conflict")));
    // Enabled again, it gets what happens from now on.
    receiver.answer_always(204);
    let (status, back) =
        admin(&place, "PATCH", &format!("/v1/subscriptions/{id}"), Some(&json!({ "disabled": false })));
    assert_eq!((status, back["disabled"].as_bool()), (200, Some(false)), "{back:#}");
    stage_change(&place, 93, "Phone Screen", 1);
    wait_for("an event", LIMIT, || (receiver.got().len() > before).then_some(()));
    // What was parked for it arrives when somebody sends it again.
    let missed: BTreeSet<&str> = log.iter().map(|one| one["event_id"].as_str().unwrap()).collect();
    let filter = json!({ "filter": { "connection": format!("subscription/{id}") } });
    let (status, begun) = admin(&place, "POST", "/v1/parked:redrive", Some(&filter));
    assert_eq!(status, 202, "{begun:#}");
    wait_until(LIMIT, || {
        let arrived: BTreeSet<String> = receiver.got().into_iter().skip(before).map(|one| one.id).collect();
        let lacking = missed.iter().find(|id| !arrived.contains(**id));
        lacking.map_or(Ok(()), |id| Err(format!("event {id}")))
    });
}

fn a_replay_tells_again_under_the_same_ids(backends: Backends) {
    let place = Place::new(backends);
    let _hub = place.serve();
    let receiver = Receiver::start();
    let (id, secret) = subscribe(&place, &receiver.url("/"), &["hr.application.*"]);
    for minute in [1, 2] {
        stage_change(&place, 94, "Phone Screen", minute);
    }
    let ids = |got: &[Got]| got.iter().map(|one| one.id.clone()).collect::<Vec<_>>();
    let first = wait_for("four events", LIMIT, || Some(receiver.got()).filter(|got| got.len() == 4));
    let body = json!({ "from": "2020-01-01T00:00:00Z", "consumer": "subscriptions" });
    let (status, begun) = admin(&place, "POST", "/v1/replays", Some(&body));
    assert_eq!(status, 202, "{begun:#}");
    let all = wait_for("them again", LIMIT, || Some(receiver.got()).filter(|got| got.len() >= 8));
    assert_eq!(ids(&all[4..]), ids(&first), "the same events, in the same order");
    let numbers: Vec<i64> = all.iter().map(Got::sequence).collect();
    assert_eq!(numbers, (1..=8).collect::<Vec<_>>());
    all.iter().for_each(|one| _ = one.check(&[&secret]));
    let log = deliveries(&place, &id);
    assert_eq!(log.len(), 8, "{log:#?}");
    assert!(log.iter().all(|one| first.iter().any(|event| one["event_id"] == event.id)), "{log:#?}");
}

#[test]
fn a_replay_tells_again_under_the_same_ids_on_the_embedded_default() {
    a_replay_tells_again_under_the_same_ids(Backends::Embedded);
}

#[test]
fn a_replay_tells_again_under_the_same_ids_on_rabbitmq_and_postgresql() {
    a_replay_tells_again_under_the_same_ids(Backends::Servers);
}

#[test]
fn private_networks_are_out_of_reach_unless_they_are_allowed() {
    let place = Place::new(Backends::Embedded);
    let receiver = Receiver::start();
    let (id, _) = {
        let _hub = place.serve();
        subscribe(&place, &receiver.url("/"), &["*"])
    };
    // The same folder, without the permission: refused when it is made, and for what was there before, when it is sent.
    place.edit("hub.yaml", |text| {
        text.lines().filter(|line| !line.starts_with("egress:")).map(|line| format!("{line}\n")).collect()
    });
    let _hub = place.serve();
    for url in [
        receiver.url("/"),
        receiver.url("/").replace("http:", "https:"),
        "https://localhost/hooks".to_owned(),
        "https://10.0.0.8/hooks".to_owned(),
        "https://[::ffff:169.254.169.254]/latest".to_owned(),
    ] {
        let (status, refused) =
            admin(&place, "POST", "/v1/subscriptions", Some(&json!({ "url": url, "types": ["*"] })));
        assert_eq!((status, refused["code"].as_str()), (422, Some("private_target")), "{url}: {refused:#}");
        let path = format!("/v1/subscriptions/{id}");
        let (status, _) = admin(&place, "PATCH", &path, Some(&json!({ "url": url })));
        assert_eq!(status, 422, "{url}");
    }
    let (status, _) = admin(&place, "POST", &format!("/v1/subscriptions/{id}:test"), None);
    assert_eq!(status, 202);
    let tried = wait_for("a try", LIMIT, || deliveries(&place, &id).into_iter().find(|one| one["error"].is_string()));
    assert!(tried["error"].as_str().unwrap().contains("HUB-C111"), "{tried:#}");
    assert_eq!((tried["status"].as_str(), receiver.got().len()), (Some("waiting"), 0));
}

#[test]
fn a_secret_is_changed_without_losing_an_event() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    let receiver = Receiver::start();
    let (id, first) = subscribe(&place, &receiver.url("/"), &["hr.candidate.*"]);
    let test = || {
        let (status, sent) = admin(&place, "POST", &format!("/v1/subscriptions/{id}:test"), None);
        assert_eq!(status, 202, "{sent:#}");
        let event = sent["event_id"].as_str().unwrap().to_owned();
        wait_for("the test event", LIMIT, || receiver.got().into_iter().find(|one| one.id == event))
    };
    let before = test();
    assert_eq!(before.body["type"], "hr.subscription.tested.v1");
    assert_eq!(before.body["subject"], format!("subscription/{id}"));
    assert_eq!(before.check(&[&first]), 1);
    let (status, rotated) = admin(&place, "POST", &format!("/v1/subscriptions/{id}:rotate"), None);
    assert_eq!(status, 200, "{rotated:#}");
    let second = rotated["secret"].as_str().unwrap().to_owned();
    assert_ne!(first, second);
    assert!(rotated["previous_valid_until"].is_string());
    let after = test();
    assert_eq!(after.check(&[&first]), 2);
    assert_eq!(after.check(&[&second]), 2);
    assert!(after.sequence() > before.sequence());
    assert_eq!(shown(&place, &id)["secret"], Value::Null);
}

#[test]
fn an_app_deals_with_its_own_subscriptions_only() {
    let place = Place::new(Backends::Embedded);
    let config = place.config();
    let hub = place.serve();
    let key = |scopes: &str, tenant: &str| {
        let config = config.to_str().unwrap();
        let output =
            run_hrhub(["keys", "create", "--name", "app", "--scopes", scopes, "--tenant", tenant, "--config", config]);
        assert!(output.status.success(), "{:?}", said(&output));
        said(&output).0.trim().to_owned()
    };
    let (one, two, ops) = (key("read:structure", "default"), key("read", "default"), key("ops", "default"));
    let elsewhere = key("read,ops", "elsewhere");
    let receiver = Receiver::start();
    let body = json!({ "url": receiver.url("/hooks?key=hidden"), "types": ["*"] });
    let (status, made) = ask(&place, &one, "POST", "/v1/subscriptions", Some(&body));
    assert_eq!(status, 201, "{made:#}");
    let id = made["id"].as_str().unwrap();
    let path = format!("/v1/subscriptions/{id}");
    let (status, refused) = ask(&place, &ops, "POST", "/v1/subscriptions", Some(&body));
    assert_eq!((status, refused["code"].as_str()), (403, Some("forbidden")));
    for (who, sees) in [(&one, true), (&two, false), (&ops, true), (&elsewhere, false)] {
        let (status, list) = ask(&place, who, "GET", "/v1/subscriptions", None);
        assert_eq!((status, list["data"].as_array().unwrap().len()), (200, usize::from(sees)), "{list:#}");
        let (status, seen) = ask(&place, who, "GET", &path, None);
        assert_eq!(status, if sees { 200 } else { 404 });
        assert_eq!(seen.to_string().contains("hidden"), who == &one, "{seen:#}");
        assert!(!seen.to_string().contains("whsec_"), "{seen:#}");
        let (status, _) = ask(&place, who, "GET", &format!("{path}/deliveries"), None);
        assert_eq!(status, if sees { 200 } else { 404 });
        if !sees {
            for (method, path) in
                [("DELETE", path.clone()), ("POST", format!("{path}:test")), ("POST", format!("{path}:rotate"))]
            {
                assert_eq!(ask(&place, who, method, &path, None).0, 404, "{method} {path}");
            }
        }
    }
    // Who runs the hub may switch it off, and may not redirect it or take its secret.
    assert_eq!(ask(&place, &ops, "POST", &format!("{path}:rotate"), None).0, 403);
    assert_eq!(ask(&place, &ops, "PATCH", &path, Some(&json!({ "url": receiver.url("/x") }))).0, 403);
    let (status, off) = ask(&place, &ops, "PATCH", &path, Some(&json!({ "disabled": true })));
    assert_eq!((status, off["disabled_reason"].as_str()), (200, Some("switched off by `app`")));
    let (status, on) =
        ask(&place, &one, "PATCH", &path, Some(&json!({ "disabled": false, "types": ["hr.candidate.*"] })));
    assert_eq!((status, on["types"][0].as_str(), on["status"].as_str()), (200, Some("hr.candidate.*"), Some("active")));

    // A key that is void is told nothing more.
    let handle = one.split('_').nth(1).unwrap();
    assert!(run_hrhub(["keys", "revoke", handle, "--config", config.to_str().unwrap()]).status.success());
    let seen = shown(&place, id);
    assert_eq!(seen["status"], "disabled", "{seen:#}");
    // Switching off what nobody owns hands it to nobody.
    assert_eq!(ask(&place, &ops, "PATCH", &path, Some(&json!({ "disabled": true }))).0, 200);
    assert_eq!(ask(&place, &ops, "POST", &format!("{path}:rotate"), None).0, 403);
    let listener = Receiver::start();
    subscribe(&place, &listener.url("/"), &["hr.candidate.*"]);
    stage_change(&place, 95, "Phone Screen", 1);
    wait_for("another one to hear of it", LIMIT, || listener.got().first().cloned());

    // The command line does the same.
    let cli = |word: &str| {
        let output = run_hrhub(["subscriptions", word, id, "--config", config.to_str().unwrap()]);
        assert!(output.status.success(), "{:?}", said(&output));
    };
    cli("enable");
    assert_eq!(shown(&place, id)["status"], "active");
    cli("disable");
    let output = run_hrhub(["subscriptions", "list", "--config", config.to_str().unwrap()]);
    let (list, _) = said(&output);
    assert!(list.contains(id) && list.contains("disabled since") && !list.contains("hidden"), "{list}");
    assert_eq!(receiver.got().len(), 0);
    cli("delete");
    assert_eq!(admin(&place, "GET", &path, None).0, 404);
    assert!(!hub.has_ended());
}

#[test]
fn a_body_that_makes_no_sense_is_refused_with_its_place() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    let url = "https://93.184.216.34/hooks";
    for (body, status, code, pointer) in [
        (json!([]), 400, "malformed_request", Value::Null),
        (json!({ "types": ["*"] }), 422, "invalid_body", json!("/url")),
        (json!({ "url": url }), 422, "invalid_body", json!("/types")),
        (json!({ "url": url, "types": [] }), 422, "invalid_body", json!("/types")),
        (json!({ "url": url, "types": "*" }), 422, "invalid_body", json!("/types")),
        (json!({ "url": url, "types": ["*", 1] }), 422, "invalid_body", json!("/types/1")),
        (json!({ "url": url, "types": ["application.created"] }), 422, "invalid_body", json!("/types/0")),
        (json!({ "url": 1, "types": ["*"] }), 422, "invalid_body", json!("/url")),
        (json!({ "url": "app.example", "types": ["*"] }), 422, "invalid_body", json!("/url")),
        (json!({ "url": "http://93.184.216.34/", "types": ["*"] }), 422, "invalid_body", json!("/url")),
        (json!({ "url": url, "types": ["*"], "connection": "nobody" }), 422, "invalid_body", json!("/connection")),
        (json!({ "url": url, "types": ["*"], "filter": 1 }), 422, "invalid_body", json!("/filter")),
    ] {
        let (got, problem) = admin(&place, "POST", "/v1/subscriptions", Some(&body));
        assert_eq!((got, problem["code"].as_str()), (status, Some(code)), "{body}: {problem:#}");
        assert_eq!(problem["pointer"], pointer, "{body}: {problem:#}");
        assert!(!problem["detail"].as_str().unwrap().is_empty());
    }
    let body = json!({ "url": url, "types": ["hr.aplication.created.v1"], "connection": "greenhouse-main" });
    let (status, made) = admin(&place, "POST", "/v1/subscriptions", Some(&body));
    assert_eq!((status, made["connection"].as_str()), (201, Some("greenhouse-main")));
    assert!(made["notes"][0].as_str().unwrap().contains("hr.application.created.v1"), "{made:#}");
    let (status, problem) =
        admin(&place, "POST", &format!("/v1/subscriptions/{}:rotat", made["id"].as_str().unwrap()), None);
    assert_eq!((status, problem["code"].as_str()), (404, Some("not_found")));
}

fn a_killed_hub_tells_of_every_event(backends: Backends) {
    let place = Place::new(backends);
    let receiver = Receiver::start();
    let (id, secret) = {
        let _hub = place.serve();
        subscribe(&place, &receiver.url("/"), &["hr.application.*"])
    };
    receiver.take_ms(30);
    let mut numbers = Vec::new();
    for round in 0..4_u32 {
        let hub = place.serve();
        for index in 0..6 {
            let number = 200 + round * 10 + index;
            stage_change(&place, number, "Phone Screen", 1);
            numbers.push(number);
        }
        // Somewhere between the first and the last of them.
        let already = receiver.got().len();
        wait_for("something to arrive", LIMIT, || (receiver.got().len() > already).then_some(()));
        hub.kill();
    }
    let hub = place.serve();
    let subjects: BTreeSet<String> = numbers
        .iter()
        .map(|number| {
            wait_until(LIMIT, || {
                let found = place.get(&format!("/v1/applications?connection=greenhouse-main&remote_id={number}"));
                let subject = found["data"][0]["id"].as_str().map(|id| format!("application/{id}"));
                subject.ok_or_else(|| {
                    let (parked, journeys) = (place.get("/v1/parked"), place.get("/v1/journeys?limit=100"));
                    format!("application {number} of {numbers:?}; {parked:#}\n{journeys:#}\n{}", hub.log())
                })
            })
        })
        .collect();
    let log = wait_until(LIMIT, || {
        let log = deliveries(&place, &id);
        let told: BTreeSet<String> = log.iter().map(|one| one["subject"].as_str().unwrap().to_owned()).collect();
        let open = log.iter().filter(|one| one["status"] != "delivered").count();
        if open == 0 && told == subjects { Ok(log) } else { Err(format!("{open} deliveries; {log:#?}")) }
    });
    let got = receiver.got();
    got.iter().for_each(|one| {
        one.check(&[&secret]);
    });
    // Nothing is lost; what came twice came under the same id, with the same body.
    let mut bodies: BTreeMap<&str, &Value> = BTreeMap::new();
    for one in &got {
        assert_eq!(*bodies.entry(&one.id).or_insert(&one.body), &one.body);
    }
    let logged: BTreeSet<&str> = log.iter().map(|one| one["event_id"].as_str().unwrap()).collect();
    assert_eq!(bodies.keys().copied().collect::<BTreeSet<_>>(), logged);
    let sequences: BTreeSet<i64> = bodies.values().map(|body| receiver::sequence_of(body)).collect();
    assert_eq!(sequences, (1..=i64::try_from(logged.len()).unwrap()).collect(), "the sequence has gaps or repetitions");
}

#[test]
fn a_killed_hub_tells_of_every_event_on_the_embedded_default() {
    a_killed_hub_tells_of_every_event(Backends::Embedded);
}

#[test]
fn a_killed_hub_tells_of_every_event_on_rabbitmq_and_postgresql() {
    a_killed_hub_tells_of_every_event(Backends::Servers);
}
