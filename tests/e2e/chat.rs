//! The chat platforms, simulated, as an enterprise lives in them: who joins, changes and leaves is known; approvals that
//! are begun here are answered there; what the platform could not deliver is fetched.

use hub_support::{Backends, Place, wait_until};
use serde_json::{Value, json};
use std::fs;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(240);
const KEY: &str = "q7Lr2vXc9TnB4mYk8WsD1fGh6JpZ3eAu5RoE0iVtNyM";

/// A hub with one connection to each of two platforms. `more` is added to the first one's file.
fn place(more: &str) -> Place {
    let place = Place::new(Backends::Embedded);
    let port = place.sandbox_port;
    let write = |id: &str, vendor: &str, settings: &str, more: &str| {
        let text = format!(
            "id: {id}\nconnector: {vendor}\n{more}settings:\n  token: callbackToken\n  encoding_aes_key: {KEY}\n  \
             base_url: http://127.0.0.1:{port}/{vendor}\n{settings}retry: {{ first_ms: 50, tries: 5 }}\n"
        );
        fs::write(place.config().join(format!("connections/{id}.yaml")), text).unwrap();
    };
    let ding =
        "  app_key: dinghb7p2xkq9mzt3v1c\n  app_secret: ding-secret\n  agent_id: \"3100417\"\n  corp_id: dinga17c\n";
    write("dingtalk-main", "dingtalk", ding, more);
    let wecom = "  corp_id: ww7f3a1c9e5b2d4086\n  secret: wecom-secret\n  agent_id: \"1000014\"\n";
    write("wecom-main", "wecom", wecom, "polls: [directory, check_ins]\n");
    place
}

fn act(place: &Place, action: &str, body: &Value) -> Value {
    let answer = place.http().post(place.sandbox_url(&format!("/_sandbox/{action}"))).body(body.to_string());
    let answer = answer.send().unwrap();
    let status = answer.status();
    let text = answer.text().unwrap();
    assert!(status.is_success(), "{action} {body}: {text}");
    serde_json::from_str(&text).unwrap()
}

fn post(place: &Place, path: &str, body: &Value) -> Value {
    let request = place.http().post(place.url(path)).bearer_auth(place.secret("HRHUB_ADMIN_KEY"));
    let answer = request.header("content-type", "application/json").body(body.to_string()).send().unwrap();
    let status = answer.status();
    let text = answer.text().unwrap();
    assert_eq!(status, 202, "{path} {body}: {text}");
    serde_json::from_str(&text).unwrap()
}

/// The records of a connection that fit.
fn records(place: &Place, collection: &str, connection: &str, fits: impl Fn(&Value) -> bool) -> Vec<Value> {
    let found = place.get(&format!("/v1/{collection}?connection={connection}&limit=100"));
    found["data"].as_array().unwrap().iter().filter(|record| fits(record)).cloned().collect()
}

/// Waits for the record of an employee with this id at the vendor to be as wanted.
fn employee(place: &Place, connection: &str, id: &str, fits: impl Fn(&Value) -> bool) -> Value {
    wait_until(LIMIT, || {
        let all = records(place, "employees", connection, |record| record["username"] == id);
        match all.as_slice() {
            [one] if fits(one) => Ok(one.clone()),
            _ => Err(format!("{id}: {all:#?}\n{:#}", place.get("/v1/parked"))),
        }
    })
}

fn delivered(place: &Place) {
    wait_until(LIMIT, || {
        let overview: Value = place.http().get(place.sandbox_url("/_sandbox")).send().unwrap().json().unwrap();
        if overview["undelivered"] == 0 { Ok(()) } else { Err(overview.to_string()) }
    });
}

#[test]
fn who_joins_changes_and_leaves_is_known_whatever_the_order_and_however_often_it_is_told() {
    let place = place("");
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    for vendor in ["dingtalk", "wecom"] {
        act(&place, &format!("{vendor}/check_url"), &json!({}));
    }
    delivered(&place);
    place.turn(&json!({ "duplicates": 1, "disorder_ms": 300, "limit_every": 4 }));

    act(
        &place,
        "dingtalk/join",
        &json!({ "userid": "hx0500", "name": "周子墨", "dept_id": 432_825_033, "mobile": "13900000002" }),
    );
    let joined = employee(&place, "dingtalk-main", "hx0500", |one| one["display_name"] == "周子墨");
    assert_eq!(joined["status"]["value"], "ACTIVE");
    act(&place, "dingtalk/change", &json!({ "userid": "hx0500", "job_number": "HX-0500" }));
    employee(&place, "dingtalk-main", "hx0500", |one| one["employee_number"] == "HX-0500" && one["id"] == joined["id"]);
    act(&place, "dingtalk/leave", &json!({ "userid": "hx0500", "old": true }));
    let left = employee(&place, "dingtalk-main", "hx0500", |one| one["status"]["value"] == "TERMINATED");
    assert_eq!((&left["display_name"], &left["employee_number"]), (&json!("周子墨"), &json!("HX-0500")));

    // The short form says nothing but the id; the rest is read. A new id is the same employee.
    act(&place, "wecom/join", &json!({ "userid": "gao.rui", "name": "高睿", "department": 3 }));
    let joined = employee(&place, "wecom-main", "gao.rui", |one| one["display_name"] == "高睿");
    act(
        &place,
        "wecom/change",
        &json!({ "userid": "gao.rui", "new_userid": "gaorui01", "position": "薪酬主管", "long": true }),
    );
    let renamed = employee(&place, "wecom-main", "gaorui01", |one| one["id"] == joined["id"]);
    assert_eq!(renamed["sources"].as_array().unwrap().len(), 1, "{renamed:#}");
    assert_eq!(renamed["sources"][0]["remote_id"], "gaorui01");
    act(&place, "wecom/leave", &json!({ "userid": "gaorui01" }));
    employee(&place, "wecom-main", "gaorui01", |one| {
        one["status"]["value"] == "TERMINATED" && one["id"] == joined["id"]
    });

    delivered(&place);
    // The directory poll of the second has named everybody else; nothing waits for a person.
    employee(&place, "wecom-main", "lin.ke", |one| one["display_name"] == "林可");
    assert_eq!(place.get("/v1/parked")["data"], json!([]));
}

#[test]
fn an_approval_in_two_platforms_has_the_outcome_of_the_first_answer_and_is_withdrawn_in_the_other() {
    let place = place("");
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    let systems = json!([
        { "connection": "dingtalk-main", "definition": "PROC-6C1B7F0E-3D42-4E4B-9A77-2F5C10D9E8A1", "applicant": "hx0311",
          "approvers": ["hx0009"], "form": { "姓名": "周子墨", "起止": ["2026-11-23", "2026-11-24"] } },
        { "connection": "wecom-main", "definition": "C4NxepvGj4Fo3M5wRk2Lq8", "applicant": "he.my", "approvers": ["lin.ke", "zhou.zm"],
          "title": "录用：周子墨", "form": { "Text-15111111111": "周子墨", "Date-1566272800000": "2026-11-23" } },
    ]);
    let asked = post(&place, "/v1/approvals", &json!({ "systems": systems }));
    let path = format!("/v1/approvals/{}", asked["id"].as_str().unwrap());
    let instances = wait_until(LIMIT, || {
        let record = place.get(&path);
        let of = |connection: &str| {
            let mirrors = record["mirrors"].as_array().cloned().unwrap_or_default();
            let mirror = mirrors.into_iter().find(|mirror| mirror["connection"] == connection)?;
            mirror["external_instance_id"].as_str().map(ToOwned::to_owned)
        };
        of("dingtalk-main").zip(of("wecom-main")).ok_or_else(|| format!("{record:#}\n{:#}", place.get("/v1/parked")))
    });
    act(&place, "wecom/decide", &json!({ "instance_id": instances.1, "userid": "lin.ke", "result": "agree" }));
    act(&place, "wecom/decide", &json!({ "instance_id": instances.1, "userid": "zhou.zm", "result": "agree" }));
    let record = wait_until(LIMIT, || {
        let record = place.get(&path);
        let closed = |mirror: &Value| mirror["status"]["value"] != "PENDING" && !mirror["status"].is_null();
        let all = record["mirrors"].as_array().unwrap().iter().all(closed);
        if record["status"]["value"] == "APPROVED" && all { Ok(record) } else { Err(format!("{record:#}")) }
    });
    assert_eq!(record["system"], "wecom-main", "{record:#}");
    // Each was begun once, and the other one withdrawn once.
    let effects = place.effects();
    let count =
        |part: &str| effects.iter().filter(|(name, _)| name.contains(part)).map(|(_, count)| count).sum::<u64>();
    assert_eq!(
        [count("dingtalk approval"), count("wecom approval"), count("dingtalk withdraw")],
        [1, 1, 1],
        "{effects:?}"
    );
}

#[test]
fn messages_events_and_punches_go_both_ways_and_a_token_that_ended_is_fetched_anew() {
    let place = place("");
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    let card = json!({ "connection": "dingtalk-main", "channel": "DINGTALK", "to": [{ "user": "hx0009" }], "kind": "CARD",
        "subject": "offer 审批", "body": "**周子墨** 工程师\n[去审批](https://hub.example.com/a/118)" });
    let text = json!({ "connection": "wecom-main", "channel": "WECOM", "to": [{ "user": "lin.ke" }, { "user": "nobody" }],
        "kind": "TEXT", "body": "入职资料已收到" });
    let sent = |asked: &Value| {
        let path = format!("/v1/messages/{}", asked["id"].as_str().unwrap());
        wait_until(LIMIT, || {
            let record = place.get(&path);
            if record["status"]["value"] == "SENT" {
                Ok(record)
            } else {
                Err(format!("{record:#}\n{:#}", place.get("/v1/parked")))
            }
        })
    };
    sent(&post(&place, "/v1/messages", &card));
    let partly = sent(&post(&place, "/v1/messages", &text));
    assert_eq!(partly["custom"]["invalid_users"], json!(["nobody"]));
    for vendor in ["dingtalk", "wecom"] {
        act(&place, &format!("{vendor}/expire_tokens"), &json!({}));
    }

    // Union ids there, a header for the token, and one event whatever is repeated.
    let event = json!({ "connection": "dingtalk-main", "title": "一面：周子墨", "organizer": "uQ7mXhZ1kT9iE",
        "attendees": [{ "address": "uM9cJzF6gN1wD" }], "starts_at": "2026-11-24T02:00:00Z", "ends_at": "2026-11-24T03:00:00Z",
        "time_zone": "Asia/Shanghai", "location": "3 楼 301" });
    let asked = post(&place, "/v1/calendar-events", &event);
    let path = format!("/v1/calendar-events/{}", asked["id"].as_str().unwrap());
    wait_until(LIMIT, || {
        let record = place.get(&path);
        if record["status"]["value"] == "CONFIRMED" && record["sources"][0]["remote_id"].is_string() {
            Ok(())
        } else {
            Err(format!("{record:#}"))
        }
    });

    act(&place, "dingtalk/punch", &json!({ "userid": "hx0311", "at": "2026-11-20T01:10:00Z" }));
    wait_until(LIMIT, || {
        let punches = records(&place, "punches", "dingtalk-main", |punch| punch["at"] == "2026-11-20T01:10:00.000Z");
        if punches.len() == 1 { Ok(()) } else { Err(format!("{punches:#?}")) }
    });
    let effects = place.effects();
    assert!(effects.iter().all(|(_, count)| *count == 1), "{effects:?}");
}

#[test]
fn what_the_platform_gave_up_is_fetched() {
    let place = place("polls: { lost_callbacks: { every: 1h } }\n");
    let _sandbox = place.sandbox();
    place.turn(&json!({ "hurry": 200 }));
    // Nobody is there to hear it.
    act(&place, "dingtalk/join", &json!({ "userid": "hx0500", "name": "周子墨", "dept_id": 432_825_033 }));
    act(&place, "dingtalk/leave", &json!({ "userid": "hx0417" }));
    delivered(&place);
    let _hub = place.serve();
    employee(&place, "dingtalk-main", "hx0500", |one| one["display_name"] == "周子墨");
    employee(&place, "dingtalk-main", "hx0417", |one| one["status"]["value"] == "TERMINATED");
}
