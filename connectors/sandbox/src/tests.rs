//! A made-up vendor that has everything a profile can say.

use super::*;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use hub_tree::Source;
use hub_tree::jiff::Timestamp;
use serde_json::Value;
use tower::ServiceExt;

const KESTREL: &str = r#"
version: 1
vendor: kestrel
settings: { api_key: k-1 }
seed:
  jobs: { "7": { id: 7, title: Designer } }
guard:
  refuse:
    - { when: (headers.authorization ?? "") != "Bearer " & settings.api_key, status: 401, body: { message: no } }
routes:
  - get: /open
    open: true
    answer: { body: { at: "{now}" } }
  - post: /jobs/{id}/notes
    let: { job: { in: jobs, key: path.id } }
    repeat: headers["idempotency-key"]
    refuse:
      - { when: not exists(job), status: 404, body: { message: "no job {path.id}" } }
    effect: { note: '"job/" & path.id' }
    keep:
      - { in: notes, key: 'path.id & "/" & text(fresh.id)', set: { text: "{body.text}" }, expires_secs: 60 }
      - { in: jobs, key: path.id, each: body.tags, set: { tags: { "{item}": true } } }
    then: { after: { in: jobs, key: path.id } }
    answer: { status: 201, headers: { x-id: "{fresh.id}" }, body: { id: "{fresh.id}", job: "{after}", absent: "{body.nothing}" } }
  - get: /jobs/{id}/notes
    let: { notes: { in: notes, under: path.id } }
    answer: { body: "{notes}" }
actions:
  close: { keep: [{ in: jobs, key: body.id, set: { closed: true } }], answer: { body: { closed: "{body.id}" } } }
"#;

fn compile(text: &str) -> (Option<Profile>, String) {
    let source = Source::new("kestrel/sandbox.yaml", text);
    let findings = Findings::new();
    let profile = Profile::compile("kestrel", &source, &findings);
    let lines: Vec<String> = findings.into_sorted().iter().map(ToString::to_string).collect();
    (profile, lines.join("\n"))
}

fn open(folder: Option<&Path>, clock: &Clock) -> Arc<Sandbox> {
    let (profile, problems) = compile(KESTREL);
    let profile = profile.unwrap_or_else(|| panic!("{problems}"));
    Sandbox::open(vec![profile], [], None, folder, clock.clone()).unwrap()
}

async fn ask(sandbox: &Arc<Sandbox>, request: (&str, &str), headers: &[(&str, &str)], body: &str) -> (u16, Value) {
    let mut builder = Request::builder().method(request.0).uri(request.1);
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    let router = Arc::clone(sandbox).router(None).unwrap();
    let response = router.oneshot(builder.body(Body::from(body.to_owned())).unwrap()).await.unwrap();
    let status = response.status().as_u16();
    let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap_or_default();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

const KEY: (&str, &str) = ("authorization", "Bearer k-1");

#[tokio::test]
async fn a_profile_guards_keeps_counts_and_answers() {
    let clock = Clock::fixed(Timestamp::UNIX_EPOCH);
    let sandbox = open(None, &clock);
    let notes = ("POST", "/kestrel/jobs/7/notes");
    assert_eq!(ask(&sandbox, notes, &[], "{}").await.0, 401);
    assert_eq!(ask(&sandbox, ("GET", "/kestrel/open"), &[], "").await.0, 200);
    assert_eq!(ask(&sandbox, ("GET", "/kestrel/nowhere"), &[], "").await.0, 404);
    assert_eq!(ask(&sandbox, ("POST", "/kestrel/jobs/8/notes"), &[KEY], "{}").await.1["message"], "no job 8");
    assert_eq!(ask(&sandbox, notes, &[KEY], "{").await.0, 400);
    let body = r#"{"text":"hello","tags":["a","b"]}"#;
    let (status, made) = ask(&sandbox, notes, &[KEY], body).await;
    assert_eq!((status, &made["job"]["tags"]["b"], made.get("absent")), (201, &Value::Bool(true), None));
    let kept = ask(&sandbox, ("GET", "/kestrel/jobs/7/notes"), &[KEY], "").await.1;
    assert_eq!(kept, serde_json::json!([{ "text": "hello" }]));
    clock.set(Timestamp::from_second(61).unwrap());
    assert_eq!(ask(&sandbox, ("GET", "/kestrel/jobs/7/notes"), &[KEY], "").await.1, serde_json::json!([]));
    let effects = sandbox.effects();
    assert_eq!((effects.len(), effects[0].reference.as_str(), effects[0].count), (1, "job/7", 1));
}

#[tokio::test]
async fn a_repeated_key_gets_the_first_answer_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::System;
    let notes = ("POST", "/kestrel/jobs/7/notes");
    let headers = [KEY, ("idempotency-key", "once")];
    let first = ask(&open(Some(folder.path()), &clock), notes, &headers, r#"{"text":"x"}"#).await;
    // A torn line is a change that nobody was told about.
    let path = folder.path().join("sandbox.jsonl");
    let mut text = std::fs::read_to_string(&path).unwrap();
    text.push_str("{\"vendor\":\"kest");
    std::fs::write(&path, text).unwrap();
    let again = open(Some(folder.path()), &clock);
    assert_eq!(ask(&again, notes, &headers, r#"{"text":"x"}"#).await, first);
    assert_eq!(again.effects()[0].count, 1);
    assert_eq!(again.act("kestrel", "close", "{\"id\":\"7\"}").unwrap(), "{\"closed\":\"7\"}");
    assert!(again.act("kestrel", "clsoe", "{}").unwrap_err().to_string().contains("it has: close"));
    let third = open(Some(folder.path()), &clock);
    let job = ask(&third, notes, &[KEY], "{}").await.1;
    assert_eq!(job["job"]["closed"], true);
    assert_eq!(third.effects()[0].count, 2);
}

#[tokio::test]
async fn a_lost_answer_is_still_an_effect() {
    let sandbox = open(None, &Clock::System);
    let turned = ask(&sandbox, ("PUT", "/_sandbox/dial"), &[], r#"{"lose_every":1}"#).await;
    assert_eq!(turned.0, 204);
    assert_eq!(ask(&sandbox, ("PUT", "/_sandbox/dial"), &[], r#"{"loose_every":1}"#).await.0, 400);
    let router = Arc::clone(&sandbox).router(Some("kestrel")).unwrap();
    let request = Request::post("/jobs/7/notes").header("authorization", "Bearer k-1").body(Body::from("{}")).unwrap();
    let response = router.oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::CREATED);
    assert!(to_bytes(response.into_body(), 1 << 20).await.is_err());
    assert_eq!(sandbox.effects()[0].count, 1);
}

#[test]
fn problems_of_a_profile_name_their_place() {
    let (profile, problems) = compile(
        "version: 1\nvendor: kestrel\nroutes:\n  - { get: /a, answr: {} }\n  - post: /b\n    effect: { x: bdy.id }\n",
    );
    assert!(profile.is_none());
    for wanted in ["sandbox.yaml:4:16: error: unknown key `answr`", "sandbox.yaml:6:18", "did you mean `body`?"] {
        assert!(problems.contains(wanted), "missing {wanted} in\n{problems}");
    }
}
