//! What lies parked is looked at, tried again and discarded; the past is replayed. Whatever people do there, what was
//! done once is not done twice, and nothing is lost.

use crate::road::{journey_with_calls, sign_in};
use hub_kit::RawEnvelope;
use hub_store::{MasterKey, NewParked, NewRaw, Options, Sealed, Store, job};
use hub_support::{Backends, Candidate, Place, Running, hrhub, project_root, said, wait_for, wait_until};
use hub_tree::{Clock, Ids, env};
use serde_json::{Value, json};
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(240);
/// A layer that nothing can be built with: its key is unknown.
const BROKEN: (&str, &str) =
    ("mappings/ai-interview/invite.out.yaml", "version: 1\nextends: ai-interview/invite\nbodi: {}\n");

fn write(place: &Place, (file, text): (&str, &str)) {
    let path = place.config().join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn remove(place: &Place, (file, _): (&str, &str)) {
    fs::remove_file(place.config().join(file)).unwrap();
}

fn post(place: &Place, path: &str, body: &Value) -> (u16, Value) {
    let request = place.http().post(place.url(path)).bearer_auth(place.secret("HRHUB_ADMIN_KEY"));
    let answer = request.json(body).send().unwrap();
    (answer.status().as_u16(), answer.json().unwrap())
}

/// Runs the program beside the hub; its JSON.
fn run(place: &Place, args: &[&str]) -> Value {
    let mut command = Command::new(hrhub());
    command.args(args).args(["--format", "json", "--config"]).arg(place.config());
    let output = command.output().unwrap();
    let (out, err) = said(&output);
    assert!(output.status.success(), "{args:?}: {out}{err}");
    serde_json::from_str(&out).unwrap_or_else(|_| panic!("{args:?}: {out}"))
}

/// How many lie parked.
fn parked(place: &Place) -> u64 {
    let groups = place.get("/v1/parked/groups");
    groups["data"].as_array().unwrap().iter().map(|group| group["count"].as_u64().unwrap()).sum()
}

/// Waits until a re-drive or replay has ended.
fn ended(place: &Place, id: &str) -> Value {
    wait_for("the re-drive to end", LIMIT, || {
        let found = place.get(&format!("/v1/redrives/{id}"));
        (found["state"] != "running").then_some(found)
    })
}

/// Waits until nothing is open or under way any more: nothing changes over longer than the counters take to be renewed.
fn at_rest(place: &Place) {
    let quiet = Duration::from_secs(7);
    let (mut last, mut since) = (Value::Null, Instant::now());
    wait_until(LIMIT, || {
        let text = place.http().get(place.url("/metrics")).send().unwrap().text().unwrap();
        let open: Vec<&str> =
            text.lines().filter(|line| line.starts_with("hrhub_open{") && !line.ends_with(" 0")).collect();
        let sandbox: Value = place.http().get(place.sandbox_url("/_sandbox")).send().unwrap().json().unwrap();
        let now = json!([open, sandbox["undelivered"], place.get("/v1/journeys?limit=500"), place.effects()]);
        if now != last {
            (last, since) = (now, Instant::now());
        }
        let rests = open.is_empty() && sandbox["undelivered"] == 0 && since.elapsed() > quiet;
        if rests { Ok(()) } else { Err(format!("rest; open: {}", open.join(", "))) }
    });
}

fn invitations(place: &Place) -> Vec<(String, u64)> {
    place.effects().into_iter().filter(|(name, _)| name.starts_with("ai-interview invite")).collect()
}

fn count(place: &Place, collection: &str) -> usize {
    place.get(&format!("/v1/{collection}?limit=500"))["data"].as_array().unwrap().len()
}

/// Many events lie parked for one cause; what some of them lead to was done before. They are tried again, the hub is
/// killed and the re-drive stopped half way, and in the end each effect has happened once.
fn a_group_is_tried_again_and_each_effect_happens_once(backends: Backends) {
    let long = env::read("HRHUB_LONG").is_some();
    let (all, done) = if long { (400_u32, 12_u32) } else { (30, 3) };
    let place = Place::new(backends);
    let _sandbox = place.sandbox();
    let hub = place.serve();
    for number in 0..done {
        place.move_candidate(&Candidate::new(20_000 + number, "weak.example"));
    }
    for number in 0..done {
        let _ = journey_with_calls(&place, 20_000 + number, 4);
    }
    assert!(hub.stop().success());

    // The mapping breaks. The events of those who were invited are handed to the flow again, and more come.
    write(&place, BROKEN);
    let hub = place.serve();
    let from = "2020-01-01T00:00:00Z";
    let stage_changed = ["--type", "hr.application.stage_changed", "--consumer", "flow"];
    let dry = run(&place, &[&["replay", "--from", from, "--dry-run"][..], &stage_changed].concat());
    let moved = dry["total"].as_u64().unwrap();
    assert!(moved >= u64::from(done) && dry["effects_done"].to_string().contains("ai-interview-main"), "{dry:#}");
    let replay = run(&place, &[&["replay", "--from", from, "--wait"][..], &stage_changed].concat());
    assert_eq!((replay["state"].as_str(), replay["done"].as_u64()), (Some("done"), Some(moved)), "{replay:#}");
    wait_until(LIMIT, || {
        let found = parked(&place);
        if found == u64::from(done) { Ok(()) } else { Err(format!("{done} parked, there are {found}")) }
    });
    for number in done..all {
        place.move_candidate(&Candidate::new(20_000 + number, "weak.example"));
    }
    wait_until(LIMIT, || {
        let found = parked(&place);
        if found == u64::from(all) { Ok(()) } else { Err(format!("{all} parked, there are {found}")) }
    });
    let groups = run(&place, &["parked", "groups"]);
    assert_eq!(groups.as_array().unwrap().len(), 1, "one cause, one group: {groups:#}");
    let group = groups[0]["group"].as_str().unwrap().to_owned();
    assert_eq!((groups[0]["count"].as_u64(), &groups[0]["code"]), (Some(u64::from(all)), &json!("CALL_NOT_BUILT")));
    assert!(hub.stop().success());
    remove(&place, BROKEN);

    // Mended. Before anything is done, people see what it will touch.
    let hub = place.serve();
    let preview = run(&place, &["parked", "preview", "--group", &group]);
    assert_eq!((preview["total"].as_u64(), preview["refused"].as_u64()), (Some(u64::from(all)), Some(0)));
    assert_eq!(preview["records"].as_u64(), Some(u64::from(all)), "{preview:#}");
    assert_eq!(parked(&place), u64::from(all), "looking changes nothing");
    let (status, begun) = post(
        &place,
        "/v1/parked:redrive",
        &json!({ "filter": { "group": group }, "rate_per_second": all / 6, "note": "mended" }),
    );
    assert_eq!(status, 202, "{begun:#}");
    let id = begun["id"].as_str().unwrap().to_owned();
    assert_eq!(begun["total"].as_u64(), Some(u64::from(all)));
    let path = format!("/v1/redrives/{id}");
    wait_for("the re-drive to be under way", LIMIT, || place.get(&path)["done"].as_u64().filter(|done| *done >= 3));
    hub.kill();
    let _hub = place.serve();
    let (status, stopped) = post(&place, &format!("{path}:stop"), &json!({}));
    assert_eq!((status, &stopped["state"]), (200, &json!("stopped")), "{stopped:#}");
    let half = stopped["done"].as_u64().unwrap();
    assert!(half >= 3 && half < u64::from(all), "{stopped:#}");
    assert_eq!(parked(&place) + half, u64::from(all), "stopped half way, nothing is lost");
    let (_, resumed) = post(&place, &format!("{path}:resume"), &json!({}));
    assert_eq!(resumed["state"], "running");
    let end = ended(&place, &id);
    assert_eq!((end["done"].as_u64(), end["refused"].as_u64()), (Some(u64::from(all)), Some(0)), "{end:#}");

    wait_until(LIMIT, || {
        let invited = invitations(&place).len();
        if invited == all as usize { Ok(()) } else { Err(format!("{all} invitations, there are {invited}")) }
    });
    wait_until(LIMIT, || {
        let decided = count(&place, "decisions");
        if decided == all as usize { Ok(()) } else { Err(format!("{all} decisions, there are {decided}")) }
    });
    at_rest(&place);
    assert_eq!(parked(&place), 0);
    for (name, times) in place.effects() {
        assert_eq!(times, 1, "`{name}` happened {times} times");
    }
    assert_eq!(count(&place, "assessment-orders"), all as usize, "a replay finds the order that the first run made");
    assert_eq!(count(&place, "decisions"), all as usize, "no more decisions come than candidates are");
    let resolved = place.get("/v1/parked?state=resolved&limit=500");
    let resolved = resolved["data"].as_array().unwrap();
    assert_eq!(resolved.len(), all as usize);
    for item in resolved {
        let how = &item["resolved"];
        assert_eq!((&how["how"], &how["by"], &how["redrive"]), (&json!("redriven"), &json!("admin"), &json!(id)));
        assert_eq!(how["note"], "mended");
    }
}

#[test]
fn a_group_is_tried_again_and_each_effect_happens_once_on_the_embedded_default() {
    a_group_is_tried_again_and_each_effect_happens_once(Backends::Embedded);
}

#[test]
fn a_group_is_tried_again_and_each_effect_happens_once_on_rabbitmq_and_postgresql() {
    a_group_is_tried_again_and_each_effect_happens_once(Backends::Servers);
}

/// A candidate whose second result is told in a message of which nobody knows whether it arrived.
fn with_an_unknown_outcome(place: &Place, number: u32) -> (Value, u64) {
    place.move_candidate(&Candidate::new(number, "weak.example"));
    let journey = journey_with_calls(place, number, 4);
    let find = |entity: &str| {
        let subjects = journey["steps"].as_array().unwrap().iter().filter_map(|step| step["subject"].as_str());
        subjects.filter_map(|s| s.strip_prefix(entity)).next().unwrap().to_owned()
    };
    let body = json!({
        "type": "interview.completed", "timestamp": "2099-11-22T03:00:00Z",
        "data": { "interview_id": format!("ivw_{number}"), "reference": find("assessment_order/"),
                  "application_reference": find("application/"), "status": "completed",
                  "completed_at": "2026-11-22T03:00:00Z", "dimensions": [] }
    });
    let before = place.get("/v1/parked")["data"].as_array().unwrap().len();
    place.turn(&json!({ "lose_every": 1 }));
    assert_eq!(place.interview_hook(&format!("msg_{number}"), body.to_string().as_bytes()).status(), 200);
    let item = wait_for("the unknown outcome", LIMIT, || {
        let found = place.get("/v1/parked");
        let found = found["data"].as_array().unwrap();
        (found.len() > before).then(|| found.last().unwrap().clone())
    });
    place.turn(&json!({}));
    assert_eq!((&item["code"], &item["connection"]), (&json!("OUTCOME_UNKNOWN"), &json!("dingtalk-main")), "{item:#}");
    (item, messages(place, number))
}

fn messages(place: &Place, number: u32) -> u64 {
    let name = format!("First{number} Last{number}");
    let all =
        place.effects().into_iter().filter(|(known, _)| known.starts_with("dingtalk message") && known.contains(&name));
    all.map(|(_, count)| count).sum()
}

#[test]
fn a_call_that_may_have_been_carried_out_waits_for_what_a_person_knows() {
    let place = Place::new(Backends::Embedded);
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    let (first, sent) = with_an_unknown_outcome(&place, 21_001);
    let id = first["id"].as_str().unwrap();
    let preview = run(&place, &["parked", "preview", id]);
    assert_eq!((preview["total"].as_u64(), preview["refused"].as_u64()), (Some(1), Some(1)), "{preview:#}");
    let left = run(&place, &["parked", "redrive", id, "--wait"]);
    assert_eq!((left["done"].as_u64(), left["refused"].as_u64()), (Some(0), Some(1)), "{left:#}");
    assert_eq!(parked(&place), 1, "nobody can know: it stays");

    let known = run(&place, &["parked", "redrive", id, "--carried-out", "--note", "seen in the chat", "--wait"]);
    assert_eq!((known["done"].as_u64(), known["refused"].as_u64()), (Some(1), Some(0)), "{known:#}");
    assert_eq!(parked(&place), 0);
    let item = place.get(&format!("/v1/parked/{id}"));
    assert_eq!(
        (&item["resolved"]["how"], &item["resolved"]["note"]),
        (&json!("carried_out"), &json!("seen in the chat"))
    );
    assert!(item["resolved"]["by"].as_str().unwrap().starts_with("cli"), "{item:#}");

    let (second, sent_second) = with_an_unknown_outcome(&place, 21_002);
    let again = run(&place, &["parked", "redrive", second["id"].as_str().unwrap(), "--not-carried-out", "--wait"]);
    assert_eq!(again["done"].as_u64(), Some(1), "{again:#}");
    wait_until(LIMIT, || {
        let now = messages(&place, 21_002);
        if now == sent_second + 1 { Ok(()) } else { Err(format!("{} messages, there are {now}", sent_second + 1)) }
    });
    assert_eq!(messages(&place, 21_001), sent, "what was carried out is not sent again");
}

fn golden() -> String {
    let path = "tests/golden/payloads/greenhouse/candidate_stage_change.json";
    fs::read_to_string(project_root().join(path)).unwrap()
}

const APPLICATION: &str = "/v1/applications?connection=greenhouse-main&remote_id=55120034";
const BROKEN_IN: (&str, &str) =
    ("mappings/greenhouse/application.in.yaml", "version: 1\nextends: greenhouse/application\nemitt: []\n");

/// Stops the hub, changes files, starts it.
fn with_change(place: &Place, hub: Running, change: impl FnOnce()) -> Running {
    assert!(hub.stop().success(), "{}", hub.log());
    drop(hub);
    change();
    place.serve()
}

#[test]
fn an_older_update_that_is_tried_again_does_not_win_over_a_newer_one() {
    let place = Place::new(Backends::Embedded);
    write(&place, BROKEN_IN);
    let hub = place.serve();
    let body = golden();
    place.greenhouse_sends("older", body.as_bytes());
    let item = wait_for("the parked payload", LIMIT, || place.get("/v1/parked")["data"].get(0).cloned());
    assert_eq!((&item["code"], &item["kind"]), (&json!("MAPPING_MISSING"), &json!("raw")));

    // Tried again while the cause is still there, it is parked anew and names the one before.
    let id = item["id"].as_str().unwrap();
    let (status, begun) = post(&place, "/v1/parked:redrive", &json!({ "ids": [id] }));
    assert_eq!(status, 202);
    let end = ended(&place, begun["id"].as_str().unwrap());
    assert_eq!((end["total"].as_u64(), end["done"].as_u64()), (Some(1), Some(1)), "what it parks anew is not its own");
    let anew = wait_for("the payload to be parked anew", LIMIT, || place.get("/v1/parked")["data"].get(0).cloned());
    assert_eq!((&anew["former"], &anew["reference"]), (&item["id"], &item["reference"]));
    assert_eq!(parked(&place), 1);

    let _hub = with_change(&place, hub, || remove(&place, BROKEN_IN));
    let newer = body.replace("\"status\": \"active\"", "\"status\": \"rejected\"");
    let newer = newer.replace("\"last_activity_at\": \"2026-11-02", "\"last_activity_at\": \"2026-11-20");
    assert_ne!(newer, body);
    let now = wait_for("the application", LIMIT, || {
        place.greenhouse_sends("newer", newer.as_bytes());
        place.get(APPLICATION)["data"].get(0).cloned()
    });
    let (_, begun) = post(&place, "/v1/parked:redrive", &json!({ "filter": { "code": "MAPPING_MISSING" } }));
    let end = ended(&place, begun["id"].as_str().unwrap());
    assert_eq!(end["done"].as_u64(), Some(1), "{end:#}");
    let trace = anew["trace_id"].as_str().unwrap();
    wait_for("the older update to be found outdated", LIMIT, || {
        let steps = place.get(&format!("/v1/journeys/{trace}")).to_string();
        steps.contains("application outdated").then_some(())
    });
    assert_eq!(place.get(APPLICATION)["data"][0], now, "the newer word stands");
    assert_eq!(parked(&place), 0);
}

/// Puts a payload into the store as intake does with one that it cannot read.
fn take_in_unread(place: &Place, body: &Sealing<'_>) -> String {
    let clock = Clock::System;
    let id = Ids::new(clock.clone()).next().to_string();
    let key = fs::read_to_string(place.config().join("data/master.key")).unwrap();
    let url = format!("sqlite://{}", place.config().join("data/hub.db").display());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let options = Options { url, ..Options::default() };
        let store = Store::open(&options, MasterKey::from_hex(key.trim()).unwrap(), &clock).await.unwrap();
        let at = clock.micros();
        let body = match body {
            Sealing::Good(text) => {
                let headers = vec![("greenhouse-event-id".to_owned(), format!("late-{id}"))];
                let envelope = RawEnvelope { received_at: at, headers, body: text.as_bytes().to_vec() };
                store.keyring().seal("default", &format!("raw:{id}"), &envelope.encode()).unwrap()
            }
            Sealing::Bad => Sealed(vec![1; 64]),
        };
        let trace = format!("00-{}-{}-01", "ab".repeat(16), "cd".repeat(8));
        let raw = NewRaw {
            id: id.clone(),
            tenant: "default".into(),
            connection: "greenhouse-main".into(),
            dedupe_id: format!("unreadable:{id}"),
            parent: None,
            received_at: at,
            trace,
            sha256: String::new(),
            body,
        };
        let parked = NewParked {
            id: id.clone(),
            tenant: "default".into(),
            connection: "greenhouse-main".into(),
            step: "intake".into(),
            code: "UNREADABLE_MESSAGE".into(),
            reason: "the payload cannot be opened: the master key has changed".into(),
            place: String::new(),
            trace: "ab".repeat(16),
            kind: "raw".into(),
            reference: id.clone(),
            at,
        };
        let written = store.write(job!(|tx| {
            tx.insert_raws(vec![raw]).await?;
            tx.park_raw(&parked.reference.clone()).await?;
            tx.park(parked).await
        }));
        written.await.unwrap();
        store.close().await;
    });
    id
}

enum Sealing<'t> {
    /// By a key that is there now.
    Good(&'t str),
    /// By a key that nobody has.
    Bad,
}

#[test]
fn a_payload_that_could_not_be_read_is_taken_in_when_its_key_is_there() {
    let place = Place::new(Backends::Embedded);
    // It makes its store and its keys.
    drop(place.serve());
    let body = golden();
    let (late, twice, never) = (
        take_in_unread(&place, &Sealing::Good(&body)),
        take_in_unread(&place, &Sealing::Good(&body.replace("55120034", "55120036"))),
        take_in_unread(&place, &Sealing::Bad),
    );
    let _hub = place.serve();
    let (_, begun) = post(&place, "/v1/parked:redrive", &json!({ "ids": [late, never], "rate_per_second": 1000 }));
    let end = ended(&place, begun["id"].as_str().unwrap());
    assert_eq!((end["done"].as_u64(), end["refused"].as_u64()), (Some(2), Some(0)), "{end:#}");
    wait_for("the late application", LIMIT, || place.get(APPLICATION)["data"].get(0).cloned());
    let open = place.get("/v1/parked");
    let open = open["data"].as_array().unwrap();
    assert_eq!(open.len(), 2, "{open:#?}");
    let anew = open.iter().find(|item| item["reference"] == json!(never)).unwrap();
    assert_eq!((&anew["former"], &anew["step"]), (&json!(never), &json!("intake")), "{anew:#}");

    // The vendor has sent the other one again meanwhile, under the same event id.
    let again = body.replace("55120034", "55120036");
    place.greenhouse_sends(&format!("late-{twice}"), again.as_bytes());
    let other = APPLICATION.replace("55120034", "55120036");
    wait_for("the other application", LIMIT, || place.get(&other)["data"].get(0).cloned());
    let (_, begun) = post(&place, "/v1/parked:redrive", &json!({ "ids": [twice] }));
    ended(&place, begun["id"].as_str().unwrap());
    assert_eq!(place.get(&format!("/v1/parked/{twice}"))["resolved"]["how"], "duplicate");
    assert_eq!(place.get(&other)["data"][0]["version"], 1);
}

#[test]
fn what_is_parked_shows_its_names_and_none_of_its_values_and_can_be_discarded() {
    let place = Place::new(Backends::Embedded);
    write(&place, BROKEN_IN);
    let _hub = place.serve();
    let body = golden();
    place.greenhouse_sends("one", body.as_bytes());
    place.greenhouse_sends("two", body.as_bytes());
    wait_until(LIMIT, || if parked(&place) == 2 { Ok(()) } else { Err("two parked payloads".to_owned()) });
    let id = place.get("/v1/parked")["data"][0]["id"].as_str().unwrap().to_owned();
    let cookie = sign_in(&place);
    let page = |path: &str| {
        let answer = place.http().get(place.url(path)).header("cookie", &cookie).send().unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.text().unwrap()
    };
    let api = place.get(&format!("/v1/parked/{id}"));
    assert_eq!(api["payload"]["payload"]["application"]["status"], "text(6)", "{api:#}");
    let cli = run(&place, &["parked", "show", &id]).to_string();
    let sent: Value = serde_json::from_str(&body).unwrap();
    let (mut values, mut names) = (Vec::new(), String::new());
    texts(&sent["payload"], &mut values, &mut names);
    values.retain(|value| !names.contains(value.as_str()));
    assert!(values.len() > 10, "{values:?}");
    for shown in [api.to_string(), cli, page(&format!("/console/parked/{id}"))] {
        assert!(shown.contains("last_activity_at"), "{shown}");
        for value in &values {
            assert!(!shown.contains(value), "`{value}` is shown: {shown}");
        }
    }

    // The pages: a group, what trying again would touch, and a form that only a page of ours can send.
    let list = page("/console/parked?lang=en");
    assert!(list.contains("MAPPING_MISSING") && list.contains(">Parked</h1>"), "{list}");
    assert!(page("/console/parked?lang=zh").contains("待人工处理"));
    let group = place.get("/v1/parked/groups")["data"][0]["group"].as_str().unwrap().to_owned();
    assert!(list.contains(&format!("/console/parked?group={group}")), "{list}");
    let items = page(&format!("/console/parked?group={group}&lang=en"));
    assert_eq!(items.matches("type=\"checkbox\"").count(), 2, "{items}");
    let preview = page(&format!("/console/parked/preview?id={id}"));
    let proof = preview.split("name=\"proof\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let send = |proof: &str| {
        let form = [("id", id.as_str()), ("note", "a test"), ("proof", proof)];
        let request = place.http().post(place.url("/console/parked/discard")).header("cookie", &cookie);
        request.form(&form).send().unwrap().status().as_u16()
    };
    assert_eq!(send("guessed"), 401);
    assert_eq!(parked(&place), 2);
    assert_eq!(send(&proof), 303);
    assert_eq!(parked(&place), 1);
    let gone = place.get(&format!("/v1/parked/{id}"));
    assert_eq!((&gone["resolved"]["how"], &gone["resolved"]["note"]), (&json!("discarded"), &json!("a test")));
    let (status, all) = post(&place, "/v1/parked:discard", &json!({ "filter": {} }));
    assert_eq!((status, &all["discarded"]), (200, &json!(1)));
    assert_eq!(parked(&place), 0);
}

/// All texts of a value that say something, not flags and single letters; and all names.
fn texts(value: &Value, found: &mut Vec<String>, names: &mut String) {
    match value {
        Value::String(text) if text.len() > 5 => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found, names)),
        Value::Object(map) => map.iter().for_each(|(name, value)| {
            names.push_str(name);
            texts(value, found, names);
        }),
        _ => {}
    }
}

#[test]
fn a_replay_of_everything_repeats_no_effect_and_makes_no_record() {
    let place = Place::new(Backends::Embedded);
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    place.move_candidate(&Candidate::new(22_001, "strong.example"));
    let before = journey_with_calls(&place, 22_001, 5);
    at_rest(&place);
    let collections = ["applications", "assessment-orders", "scorecards", "decisions", "messages", "interviews"];
    let records = || collections.map(|collection| place.get(&format!("/v1/{collection}"))["data"].clone());
    let (kept, effects) = (records(), place.effects());
    let (status, events) = post(&place, "/v1/replays", &json!({ "from": "2020-01-01T00:00:00Z" }));
    assert_eq!(status, 202, "{events:#}");
    let events = ended(&place, events["id"].as_str().unwrap());
    assert!(events["done"].as_u64().unwrap() > 5, "{events:#}");
    let (_, raws) = post(&place, "/v1/replays", &json!({ "of": "raws", "from": "2020-01-01T00:00:00Z" }));
    let raws = ended(&place, raws["id"].as_str().unwrap());
    assert!(raws["done"].as_u64().unwrap() >= 2 && raws["refused"] == 0, "{raws:#}");
    at_rest(&place);
    assert_eq!(records(), kept, "records stand as they were, versions included");
    assert_eq!(place.effects(), effects);
    assert_eq!(place.get("/v1/parked")["data"], json!([]));
    let trace = before["trace_id"].as_str().unwrap();
    let after = place.get(&format!("/v1/journeys/{trace}"));
    let steps = |journey: &Value, name: &str| {
        journey["steps"].as_array().unwrap().iter().filter(|step| step["step"] == name).count()
    };
    assert!(steps(&after, "replay") > 3, "{after:#}");
    assert!(steps(&after, "rule") > steps(&before, "rule"), "the rules did run again");
    let body = json!({ "from": "2020-01-01T00:00:00Z", "consumer": "flows" });
    let (status, nobody) = post(&place, "/v1/replays", &body);
    assert_eq!((status, &nobody["parameter"]), (400, &json!("consumer")), "{nobody:#}");
    assert!(nobody["next"].as_str().unwrap().contains("did you mean `flow`?"), "{nobody:#}");
}

#[test]
fn requests_that_do_not_say_what_they_mean_are_refused_and_only_ops_may_ask() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    for (path, body, parameter) in [
        ("/v1/parked:redrive", json!({}), "filter"),
        ("/v1/parked:redrive", json!({ "ids": [], "rate_per_second": 1 }), "ids"),
        // A variable that was not set must not mean everything.
        ("/v1/parked:redrive", json!({ "ids": [""] }), "ids"),
        ("/v1/parked:discard", json!({ "ids": ["a\nb"] }), "ids"),
        ("/v1/parked:redrive", json!({ "filter": {}, "rate_per_second": 0 }), "rate_per_second"),
        ("/v1/parked:preview", json!({ "filter": {}, "outcome": "perhaps" }), "outcome"),
        ("/v1/replays", json!({ "from": "yesterday" }), "from"),
        ("/v1/replays", json!({ "from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z" }), "to"),
        ("/v1/replays", json!({ "from": "2020-01-01T00:00:00Z", "types": ["Application"] }), "types"),
        ("/v1/replays", json!({ "from": "2020-01-01T00:00:00Z", "of": "raws", "consumer": "flow" }), "of"),
        ("/v1/replays:preview", json!({ "from": "2020-01-01T00:00:00Z", "types": vec!["*"; 51] }), "types"),
        ("/v1/replays", json!({ "from": "2020-01-01T00:00:00Z", "note": "x".repeat(501) }), "note"),
    ] {
        let (status, problem) = post(&place, path, &body);
        assert_eq!((status, &problem["parameter"]), (400, &json!(parameter)), "{path} {body}: {problem:#}");
    }
    let (status, problem) = post(&place, "/v1/parked:redrive", &json!({ "filter": { "conection": "x" } }));
    assert_eq!((status, &problem["code"]), (400, &json!("malformed_request")));
    assert!(problem["detail"].as_str().unwrap().contains("`connection`"), "{problem:#}");
    let (status, problem) = post(&place, "/v1/parked:redrive", &json!({ "filter": { "group": "a\0b" } }));
    assert_eq!((status, &problem["code"]), (400, &json!("malformed_request")));
    assert_eq!(place.get("/v1/redrives")["data"], json!([]), "nothing of this was begun");
    let config = place.config();
    let make = ["keys", "create", "--name", "r", "--scopes", "read", "--config", config.to_str().unwrap()];
    let reader = said(&hub_support::run_hrhub(make)).0.trim().to_owned();
    let ask = |path: &str| {
        place.http().post(place.url(path)).bearer_auth(&reader).json(&json!({ "filter": {} })).send().unwrap().status()
    };
    for path in ["/v1/parked:redrive", "/v1/parked:discard", "/v1/parked:preview", "/v1/replays", "/v1/redrives/x:stop"]
    {
        assert_eq!(ask(path), 403, "{path}");
    }
}
