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
limited:
  - { when: 'starts_with(address, "/jobs/7")', status: 200, body: { code: slow down } }
failing:
  - { when: 'starts_with(address, "/jobs/7")', status: 200, headers: { content-type: text/html }, text: "<p>{address}</p>" }
callbacks: { within_ms: 400, gaps_secs: [1, 2] }
actions:
  tell:
    send: [{ to: body.to, body: { said: "{body.said}" }, lost: { in: lost, key: body.said, set: { said: "{body.said}" } } }]
  untell: { keep: [{ in: lost, key: body.said, set: {}, expires_secs: 0 }] }
  lost: { let: { all: { in: lost } }, answer: { body: "{all}" } }
  close: { keep: [{ in: jobs, key: body.id, set: { closed: true } }], answer: { body: { closed: "{body.id}" } } }
"#;

const SOAP_VENDOR: &str = r#"
version: 1
vendor: kestrel
routes:
  - post: /soap
    element: ask
    refuse: [{ when: 'body.n == "0"', fault: { code: Client.zero, reason: no zero, detail: { e: { code: Z } } } }]
    answer: { soap: { askResponse: { "@xmlns": "urn:h", n: "{body.n}", user: "{envelope.header.Security.User}" } } }
  - post: /soap
    element: add
    answer: { xml: { added: { "@ok": "Y" } } }
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
    assert!(again.act("kestrel", "clsoe", "{}").unwrap_err().to_string().contains("it has: tell, untell, lost, close"));
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

#[tokio::test]
async fn a_vendor_has_its_own_words_for_too_fast_and_for_trouble() {
    let sandbox = open(None, &Clock::System);
    let notes = ("POST", "/kestrel/jobs/7/notes");
    sandbox.turn(Dial { limit_every: 1, ..Dial::default() });
    let (status, body) = ask(&sandbox, notes, &[], "{}").await;
    assert_eq!((status, &body["code"]), (200, &Value::from("slow down")));
    assert_eq!(ask(&sandbox, ("POST", "/kestrel/jobs/8/notes"), &[], "{}").await.0, 503);
    sandbox.turn(Dial { fail_every: 1, ..Dial::default() });
    let router = Arc::clone(&sandbox).router(None).unwrap();
    let response = router.oneshot(Request::post(notes.1).body(Body::from("{}")).unwrap()).await.unwrap();
    assert_eq!(
        (response.status(), &response.headers()["content-type"]),
        (StatusCode::OK, &"text/html".parse().unwrap())
    );
    assert_eq!(to_bytes(response.into_body(), 1 << 20).await.unwrap(), "<p>/jobs/7/notes</p>");
    assert_eq!(sandbox.effects(), []);
}

/// A receiver that answers with `status` after `wait_ms`, and what it was told.
async fn receiver(status: u16, wait_ms: u64) -> (String, Arc<Mutex<Vec<String>>>) {
    let told: Arc<Mutex<Vec<String>>> = Arc::default();
    let heard = Arc::clone(&told);
    let router = axum::Router::new().fallback(move |body: String| {
        let heard = Arc::clone(&heard);
        async move {
            heard.lock().unwrap().push(body);
            tokio::time::sleep(std::time::Duration::from_millis(wait_ms)).await;
            StatusCode::from_u16(status).unwrap()
        }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hooks/kestrel", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, told)
}

async fn until(done: impl Fn() -> bool) {
    for _ in 0..1000 {
        if done() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("it did not come to that");
}

#[tokio::test]
async fn a_web_hook_that_is_refused_or_answered_late_is_given_up_after_the_last_gap_and_kept_as_lost() {
    for (status, wait_ms) in [(500, 0), (200, 3000)] {
        let sandbox = open(None, &Clock::System);
        sandbox.turn(Dial { hurry: 100, ..Dial::default() });
        let (url, told) = receiver(status, wait_ms).await;
        let running = tokio::spawn(Arc::clone(&sandbox).run());
        sandbox.act("kestrel", "tell", &format!("{{\"to\":\"{url}\",\"said\":\"x\"}}")).unwrap();
        until(|| sandbox.undelivered() == 0).await;
        assert_eq!(told.lock().unwrap().len(), 3, "the first try and two more");
        assert_eq!(sandbox.act("kestrel", "lost", "{}").unwrap(), "[{\"said\":\"x\"}]");
        sandbox.act("kestrel", "untell", "{\"said\":\"x\"}").unwrap();
        assert_eq!(sandbox.act("kestrel", "lost", "{}").unwrap(), "[]");
        running.abort();
    }
}

#[tokio::test]
async fn disorder_lets_a_later_web_hook_arrive_first() {
    let sandbox = open(None, &Clock::System);
    sandbox.turn(Dial { disorder_ms: 1500, ..Dial::default() });
    let (url, told) = receiver(200, 0).await;
    let running = tokio::spawn(Arc::clone(&sandbox).run());
    for said in ["first", "second"] {
        sandbox.act("kestrel", "tell", &format!("{{\"to\":\"{url}\",\"said\":\"{said}\"}}")).unwrap();
    }
    until(|| sandbox.undelivered() == 0).await;
    assert_eq!(*told.lock().unwrap(), ["{\"said\":\"second\"}", "{\"said\":\"first\"}"]);
    assert_eq!(sandbox.act("kestrel", "lost", "{}").unwrap(), "[]");
    running.abort();
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

const HERON: &str = r#"
version: 1
vendor: heron
settings:
  token: heronToken
  encoding_aes_key: 1vZXKLHzBcMbSdZTnsHEu7fEvJbHUpjYb2FyqHoQ1sh
  receiver_id: heron-app
  encrypt_key: heronKey
actions:
  sealed: { send: [{ to: body.to, body: { event: joined }, sign: { kind: sealed_envelope, form: json, second_signature: signature } }] }
  words: { send: [{ to: body.to, body: { ToUserName: heron, Event: a&b }, sign: { kind: sealed_envelope, form: xml, clear_signature: signature, query: { encrypt_type: aes } } }] }
  echo: { send: [{ to: body.to, body: "4375", sign: { kind: sealed_envelope, form: xml, echo: true } }] }
  clear: { send: [{ to: body.to, body: "4376", sign: { kind: clear_query, echo: true } }] }
  hashed: { send: [{ to: body.to, body: { event: joined }, sign: { kind: hashed_envelope } }] }
  challenge: { send: [{ to: body.to, body: { challenge: abc }, sign: { kind: hashed_envelope } }] }
"#;

#[test]
fn callbacks_are_sealed_in_every_form_and_only_the_vendors_answer_counts() {
    use hub_im::envelope::{self, AesKey};
    let source = Source::new("heron/sandbox.yaml", HERON);
    let findings = Findings::new();
    let profile =
        Profile::compile("heron", &source, &findings).unwrap_or_else(|| panic!("{:?}", findings.into_sorted()));
    let clock = Clock::fixed(Timestamp::from_second(1_795_293_210).unwrap());
    let sandbox = Sandbox::open(vec![profile], [], None, None, clock).unwrap();
    let key = AesKey::read("1vZXKLHzBcMbSdZTnsHEu7fEvJbHUpjYb2FyqHoQ1sh").unwrap();
    let sent = |action: &str| {
        sandbox.act("heron", action, r#"{"to":"http://127.0.0.1:9/hooks/heron"}"#).unwrap();
        let delivery = sandbox.state().pending().last().cloned().unwrap();
        let Some(sign::Sign::Sealed(seal)) = &delivery.sign else { panic!("{action} is not sealed") };
        let dressed = sandbox.dress(&delivery, seal).unwrap();
        sandbox.delivered(&delivery);
        dressed
    };
    let of = |query: &[(String, String)], name: &str| {
        query.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let sealed = sent("sealed");
    let body: Value = serde_json::from_slice(&sealed.body).unwrap();
    let text = body["encrypt"].as_str().unwrap();
    assert_eq!(envelope::open(&key, text).unwrap().text, br#"{"event":"joined"}"#);
    let [stamp, nonce] = ["timestamp", "nonce"].map(|name| of(&sealed.query, name));
    let signature = hex::encode(envelope::signature(&["heronToken", &stamp, &nonce, text]));
    assert_eq!((of(&sealed.query, "msg_signature"), of(&sealed.query, "signature")), (signature.clone(), signature));
    assert!(sealed.wants.missing(b"success").is_some());
    let answer = envelope::seal(&key, [1; 16], b"success", "heron-app");
    let signature = hex::encode(envelope::signature(&["heronToken", "1", "n", &answer]));
    let answer = serde_json::json!({ "msg_signature": signature, "timeStamp": "1", "nonce": "n", "encrypt": answer });
    assert_eq!(sealed.wants.missing(answer.to_string().as_bytes()), None);
    let words = sent("words");
    let body = String::from_utf8(words.body).unwrap();
    assert!(body.starts_with("<xml><ToUserName>heron</ToUserName><Encrypt>"), "{body}");
    assert_ne!(of(&words.query, "signature"), of(&words.query, "msg_signature"));
    assert_eq!(of(&words.query, "encrypt_type"), "aes");
    assert_eq!((words.wants.missing(b"success"), words.wants.missing(b"ok").is_some()), (None, true));
    let echo = sent("echo");
    let inside = envelope::open(&key, &of(&echo.query, "echostr")).unwrap();
    assert_eq!((echo.method, inside.text.as_slice(), echo.wants.missing(b"4375")), ("GET", &b"4375"[..], None));
    let clear = sent("clear");
    assert_eq!((of(&clear.query, "echostr").as_str(), clear.wants.missing(b"4375").is_some()), ("4376", true));
    let hashed = sent("hashed");
    let body: Value = serde_json::from_slice(&hashed.body).unwrap();
    let inside = hub_im::hashed::open("heronKey", body["encrypt"].as_str().unwrap());
    assert_eq!((inside.as_deref(), hashed.headers.len()), (Ok(&br#"{"event":"joined"}"#[..]), 3));
    let challenge = sent("challenge");
    assert!(challenge.headers.is_empty() && challenge.wants.missing(br#"{"challenge":"abd"}"#).is_some());
    assert_eq!(challenge.wants.missing(br#"{"challenge":"abc"}"#), None);
}

#[tokio::test]
async fn operations_of_one_address_are_told_apart_by_their_element_and_answered_in_the_version_that_asked() {
    let (profile, problems) = compile(SOAP_VENDOR);
    assert_eq!(problems, "");
    let sandbox = Sandbox::open(vec![profile.unwrap()], [], None, None, Clock::System).unwrap();
    let router = sandbox.router(Some("kestrel")).unwrap();
    let ask = async |body: String| {
        let request = Request::post("/soap").header("content-type", "text/xml").body(Body::from(body)).unwrap();
        let answer = router.clone().oneshot(request).await.unwrap();
        let (status, media_type) =
            (answer.status().as_u16(), answer.headers()["content-type"].to_str().unwrap().to_owned());
        let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        (status, media_type, String::from_utf8(body.to_vec()).unwrap())
    };
    let envelope = |namespace: &str, inner: &str| {
        format!(
            "<e:Envelope xmlns:e='{namespace}'><e:Header><Security><User>u</User></Security></e:Header><e:Body>{inner}</e:Body></e:Envelope>"
        )
    };
    let old = "http://schemas.xmlsoap.org/soap/envelope/";
    let new = "http://www.w3.org/2003/05/soap-envelope";
    let (status, media_type, body) = ask(envelope(old, "<ask><n>7</n></ask>")).await;
    assert_eq!((status, media_type.as_str()), (200, "text/xml; charset=utf-8"));
    assert!(body.contains("<askResponse xmlns=\"urn:h\"><n>7</n><user>u</user></askResponse>"), "{body}");
    let (status, _, body) = ask(envelope(old, "<ask><n>0</n></ask>")).await;
    assert_eq!(status, 500);
    assert!(
        body.contains("<faultcode>S:Client.zero</faultcode><faultstring>no zero</faultstring><detail><e>"),
        "{body}"
    );
    let (_, media_type, body) = ask(envelope(new, "<ask><n>0</n></ask>")).await;
    assert!(media_type.starts_with("application/soap+xml"), "{media_type}");
    assert!(body.contains("<S:Reason><S:Text xml:lang=\"en\">no zero</S:Text></S:Reason>"), "{body}");
    let (status, _, body) = ask("<add/>".to_owned()).await;
    assert_eq!((status, body.as_str()), (200, "<?xml version=\"1.0\" encoding=\"UTF-8\"?><added ok=\"Y\"/>"));
    assert_eq!(ask("<other/>".to_owned()).await.0, 404);
}
