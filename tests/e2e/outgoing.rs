//! What is asked of chat platforms through the API: messages, approvals and events in calendars; one approval in three
//! systems at once. The platforms are simulated, the hub is real, and so are handshake, seals and tokens.

use hub_support::{Backends, Place, wait_until};
use serde_json::{Value, json};
use std::fs;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(240);
const HIRE: &str = "PROC-6C1B7F0E-3D42-4E4B-9A77-2F5C10D9E8A1";

/// A place connected to three platforms.
pub(crate) fn place(backends: Backends) -> Place {
    let place = Place::new(backends);
    let write = |name: &str, connector: &str, settings: &str| {
        let text = format!(
            "id: {name}\nconnector: {connector}\nsettings:\n  base_url: \"http://127.0.0.1:{}/{connector}\"\n{settings}retry: \
             {{ first_ms: 50 }}\n",
            place.sandbox_port
        );
        fs::write(place.config().join(format!("connections/{name}.yaml")), text).unwrap();
    };
    let api = format!("  api_url: \"http://127.0.0.1:{}/dingtalk\"\n", place.sandbox_port);
    let key = "  encoding_aes_key: ruIFNFm67Hk7zUuq3o7FyXfjbLcujziKr5mdUPqRZDy\n";
    let ding = "  app_key: sandbox-app\n  app_secret: s3cret\n  agent_id: \"1000001\"\n  token: sandboxDingtalkToken\n";
    write("dingtalk-main", "dingtalk", &format!("{ding}{key}{api}"));
    let feishu = "  app_id: cli_a6f1d2c3b4e5500d\n  app_secret: s3cret\n  encrypt_key: sandboxFeishuKey\n  \
                  verification_token: sandboxFeishuToken\n  approval_codes: [7C468A54-8745-2245-9675-08B7C63E7A85]\npolls: \
                  [approval_forms]\n";
    write("feishu-main", "feishu", feishu);
    let wecom = "  corp_id: ww7f3a1c9e5b2d4086\n  secret: s3cret\n  agent_id: \"1000014\"\n  token: sandboxWecomToken\n  \
                 encoding_aes_key: knowJja53j91eYmxOQjp3S6EmY9EkbMYPOksZcDhqkJ\n";
    write("wecom-main", "wecom", wecom);
    place
}

pub(crate) fn act(place: &Place, vendor: &str, action: &str, body: &Value) -> (u16, Value) {
    let url = place.sandbox_url(&format!("/_sandbox/{vendor}/{action}"));
    let answer = place.http().post(url).body(body.to_string()).send().unwrap();
    (answer.status().as_u16(), answer.json().unwrap_or_default())
}

fn post(place: &Place, path: &str, key: Option<&str>, body: &Value) -> (u16, Value) {
    let request = place.http().post(place.url(path)).bearer_auth(place.secret("HRHUB_ADMIN_KEY")).json(body);
    let request = key.into_iter().fold(request, |request, key| request.header("idempotency-key", key));
    let answer = request.send().unwrap();
    (answer.status().as_u16(), answer.json().unwrap())
}

fn ask(place: &Place, path: &str, body: &Value) -> String {
    let (status, answer) = post(place, path, None, body);
    assert_eq!(status, 202, "{answer:#}");
    answer["id"].as_str().unwrap().to_owned()
}

fn happened(place: &Place, text: &str) -> Vec<(String, u64)> {
    place.effects().into_iter().filter(|(name, _)| name.contains(text)).collect()
}

fn until_status(place: &Place, path: &str, wanted: &str) -> Value {
    wait_until(LIMIT, || {
        let record = place.get(path);
        if record["status"]["value"] == wanted {
            Ok(record)
        } else {
            Err(format!("{wanted}: {record:#}, {:#}", place.get("/v1/parked")))
        }
    })
}

#[test]
fn messages_reach_people_on_each_platform_once_and_say_what_became_of_them() {
    let place = place(Backends::Embedded);
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    for (connection, channel, user) in
        [("dingtalk-main", "DINGTALK", "hx0311"), ("feishu-main", "FEISHU", "hx0417"), ("wecom-main", "WECOM", "he.my")]
    {
        for (kind, text) in
            [("TEXT", "入职资料已收到，请于周一到前台报到。"), ("MARKDOWN", "**周子墨** 的入职资料已收到")]
        {
            let body = json!({ "connection": connection, "channel": channel, "to": [{ "user": user }], "kind": kind, "subject": "入职", "body": text });
            let (status, first) = post(&place, "/v1/messages", Some(&format!("{connection}{kind}")), &body);
            assert_eq!((status, &first["status"]), (202, &json!("QUEUED")), "{first:#}");
            let sent = until_status(&place, &format!("/v1/messages/{}", first["id"].as_str().unwrap()), "SENT");
            assert!(sent["provider_message_id"].is_string(), "{sent:#}");
            // The same again under the same key is the same message; another body under it is refused.
            let (status, again) = post(&place, "/v1/messages", Some(&format!("{connection}{kind}")), &body);
            assert_eq!((status, &again), (202, &first));
            let other = json!({ "connection": connection, "channel": channel, "to": [{ "user": "hx0002" }], "kind": kind, "body": text });
            let (status, problem) = post(&place, "/v1/messages", Some(&format!("{connection}{kind}")), &other);
            assert_eq!((status, &problem["code"]), (422, &json!("idempotency_key_reused")), "{problem:#}");
        }
    }
    // A group: a chat at one platform, the people of a department at the others.
    for (connection, channel, group) in [
        ("dingtalk-main", "DINGTALK", "432825034"),
        ("feishu-main", "FEISHU", "oc_5f6e7d8c9bab"),
        ("wecom-main", "WECOM", "3"),
    ] {
        let body = json!({ "connection": connection, "channel": channel, "to": [{ "group": group }], "body": "周五 15:00 全员会" });
        until_status(&place, &format!("/v1/messages/{}", ask(&place, "/v1/messages", &body)), "SENT");
    }
    assert!(happened(&place, " message ").iter().all(|(_, count)| *count == 1), "{:#?}", place.effects());
    // Nobody gets what has nobody, goes nowhere or says nothing; every problem has its place.
    for (body, pointer) in [
        (
            json!({ "connection": "dingtalk-main", "channel": "PIGEON", "to": [{ "user": "x" }], "body": "x" }),
            "/channel",
        ),
        (
            json!({ "connection": "dingtalk-mian", "channel": "DINGTALK", "to": [{ "user": "x" }], "body": "x" }),
            "/connection",
        ),
        (json!({ "connection": "dingtalk-main", "channel": "DINGTALK", "to": [], "body": "x" }), "/to"),
        (
            json!({ "connection": "dingtalk-main", "channel": "DINGTALK", "to": [{ "usr": "x" }], "body": "x" }),
            "/to/0/usr",
        ),
        (json!({ "connection": "dingtalk-main", "to": [{ "user": "x" }], "body": "x" }), "/channel"),
        (json!({ "connection": "dingtalk-main", "channel": "DINGTALK", "to": [{ "user": "x" }] }), "/body"),
    ] {
        let (status, problem) = post(&place, "/v1/messages", None, &body);
        assert_eq!((status, problem["pointer"].as_str()), (422, Some(pointer)), "{problem:#}");
    }
}

#[test]
fn a_message_that_the_platform_refuses_has_failed_and_lies_parked() {
    let place = place(Backends::Embedded);
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    assert!(act(&place, "wecom", "trouble", &json!({ "kind": "right" })).0 < 300);
    let body = json!({ "connection": "wecom-main", "channel": "WECOM", "to": [{ "user": "he.my" }], "body": "您好" });
    let id = ask(&place, "/v1/messages", &body);
    until_status(&place, &format!("/v1/messages/{id}"), "FAILED");
    let parked = place.get("/v1/parked");
    assert!(parked["data"][0]["reason"].as_str().unwrap().contains("48002"), "{parked:#}");
}

#[test]
fn calendar_events_are_made_moved_and_cancelled() {
    let place = place(Backends::Embedded);
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    for (connection, people) in [
        ("dingtalk-main", ["uB3kLpW8sR2fA", "uQ7mXhZ1kT9iE"]),
        ("feishu-main", ["hx0002", "hx0417"]),
        ("wecom-main", ["lin.ke", "he.my"]),
    ] {
        let body = json!({
            "connection": connection, "title": format!("一面：周子墨 {connection}"), "organizer": people[0],
            "attendees": [{ "address": people[1], "required": true }], "starts_at": "2026-11-24T10:00:00+08:00",
            "ends_at": "2026-11-24T11:00:00+08:00", "time_zone": "Asia/Shanghai", "location": "3 楼 301",
        });
        let path = format!("/v1/calendar-events/{}", ask(&place, "/v1/calendar-events", &body));
        wait_until(LIMIT, || {
            let record = place.get(&path);
            let known = record["sources"][0]["remote_id"].is_string();
            if known { Ok(()) } else { Err(format!("{record:#} {:#}", place.get("/v1/parked"))) }
        });
        let request = place.http().patch(place.url(&path)).bearer_auth(place.secret("HRHUB_ADMIN_KEY"));
        let moved = json!({ "starts_at": "2026-11-25T10:00:00+08:00", "ends_at": "2026-11-25T11:00:00+08:00" });
        let answer = request.json(&moved).send().unwrap();
        assert_eq!(answer.status(), 202, "{}", answer.text().unwrap());
        let vendor = connection.trim_end_matches("-main");
        let wait = |effect: &str| {
            wait_until(LIMIT, || {
                let found = happened(&place, &format!("{vendor} {effect}"));
                if found.len() == 1 {
                    Ok(())
                } else {
                    Err(format!("{effect}: {:#?} {:#}", place.effects(), place.get("/v1/parked")))
                }
            });
        };
        wait("event_moved");
        let (status, answer) = post(&place, &format!("{path}:cancel"), None, &json!({}));
        assert_eq!(status, 202, "{answer:#}");
        wait("event_cancelled");
        // The vendor has done it before its answer is here.
        until_status(&place, &path, "CANCELLED");
    }
    assert!(place.effects().iter().all(|(_, count)| *count == 1), "{:#?}", place.effects());
    assert_eq!(place.get("/v1/parked")["data"], json!([]));
}

/// An approval in the three systems, begun in all of them.
fn begin(place: &Place, number: u32) -> (String, Vec<String>) {
    let form = json!({ "姓名": format!("周子墨 {number}"), "岗位": "工程师" });
    let body = json!({ "systems": [
        { "connection": "dingtalk-main", "definition": HIRE, "applicant": "hx0002", "title": "入职", "approvers": ["hx0009"], "form": form },
        { "connection": "feishu-main", "definition": "7C468A54-8745-2245-9675-08B7C63E7A85", "applicant": "hx0009", "form": { "widget16510608596030001": format!("周子墨 {number}") } },
        { "connection": "wecom-main", "definition": "C4NxepvGj4Fo3M5wRk2Lq8", "applicant": "he.my", "title": "入职", "approvers": ["lin.ke"],
          "form": { "Text-15111111111": format!("周子墨 {number}"), "Date-1566272800000": "2026-12-01" } },
    ] });
    let id = ask(place, "/v1/approvals", &body);
    let instances = wait_until(LIMIT, || {
        let record = place.get(&format!("/v1/approvals/{id}"));
        let ids: Vec<String> = record["mirrors"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|mirror| mirror["external_instance_id"].as_str().map(str::to_owned))
            .collect();
        if ids.len() == 3 { Ok(ids) } else { Err(format!("{record:#} {:#}", place.get("/v1/parked"))) }
    });
    (id, instances)
}

fn mirror<'r>(record: &'r Value, connection: &str) -> &'r Value {
    record["mirrors"].as_array().unwrap().iter().find(|mirror| mirror["connection"] == connection).unwrap()
}

fn one_outcome(backends: Backends) {
    let place = place(backends);
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    // Callbacks of a form come once it is subscribed.
    wait_until(LIMIT, || {
        let round = place.get("/v1/connections/feishu-main/polls")["data"][0]["rounds"][0].clone();
        if round["state"] == "complete" { Ok(()) } else { Err(format!("{round:#}")) }
    });
    // Answered in one system: the others are closed.
    let (id, instances) = begin(&place, 0);
    let (status, answer) = act(
        &place,
        "feishu",
        "decide",
        &json!({ "instance_id": instances[1], "user_id": "hx0002", "result": "agree" }),
    );
    assert!(status < 300, "{answer:#}");
    let path = format!("/v1/approvals/{id}");
    let record = until_status(&place, &path, "APPROVED");
    assert_eq!(record["system"], "feishu-main", "{record:#}");
    wait_until(LIMIT, || {
        let record = place.get(&path);
        let closed = mirror(&record, "dingtalk-main")["status"]["value"] != "PENDING";
        if closed { Ok(()) } else { Err(format!("{record:#} {:#}", place.get("/v1/parked"))) }
    });
    assert_eq!(place.get(&path)["status"]["value"], "APPROVED", "closing it elsewhere changes nothing");

    // Three people answer at the same moment, each in another system: one outcome, however often it is told.
    for round in 1..=5 {
        let (id, instances) = begin(&place, round);
        let answers = [
            ("dingtalk", json!({ "instance_id": instances[0], "userid": "hx0009", "result": "agree" })),
            ("feishu", json!({ "instance_id": instances[1], "user_id": "hx0002", "result": "refuse" })),
            ("wecom", json!({ "instance_id": instances[2], "userid": "lin.ke", "result": "agree" })),
        ];
        std::thread::scope(|scope| {
            for (vendor, body) in &answers {
                scope.spawn(|| act(&place, vendor, "decide", body));
            }
        });
        let path = format!("/v1/approvals/{id}");
        wait_until(LIMIT, || {
            let record = place.get(&path);
            let told =
                record["mirrors"].as_array().unwrap().iter().filter(|mirror| mirror["status"]["value"] != "PENDING");
            if told.count() == 3 { Ok(()) } else { Err(format!("{record:#} {:#}", place.get("/v1/parked"))) }
        });
        let history = place.get(&format!("{path}/history"));
        let mut outcomes: Vec<&str> = Vec::new();
        for version in history["data"].as_array().unwrap() {
            let status = version["status"]["value"].as_str().unwrap();
            if outcomes.last() != Some(&status) {
                outcomes.push(status);
            }
        }
        assert_eq!(outcomes.len(), 2, "{outcomes:?}: once it was decided it stays so: {history:#}");
        assert_eq!(outcomes[0], "PENDING");
    }
}

#[test]
fn an_approval_in_three_systems_has_one_outcome() {
    one_outcome(Backends::Embedded);
}

#[test]
fn an_approval_in_three_systems_has_one_outcome_on_rabbitmq_and_postgresql() {
    one_outcome(Backends::Servers);
}
