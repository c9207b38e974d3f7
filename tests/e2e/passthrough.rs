//! Calls that are passed through: the connection's operation with the hub's authentication, once, and what the vendor
//! says of it.

use hub_support::{Backends, Place, wait_until};
use serde_json::{Value, json};
use std::fs;
use std::time::Duration;

const MANIFEST: &str = r#"version: 1
vendor: heron-erp
name: Heron ERP
family: erp
driver: http
base_url: http://127.0.0.1:1
egress: [127.0.0.1]
auth: { kind: header, headers: { x-key: "{settings.api_key}" } }
operations:
  get_person:
    get: /people/{args.id}
    errors: [{ when: status == 404, means: absent, code: payload.error }]
  add_person:
    post: /people
    idempotency: { key: x-request }
    errors: [{ when: payload.error == "locked", means: retry, code: payload.error }]
  add_note:
    post: /notes
    idempotency: none
    success: not exists(payload.error)
  add_badge:
    post: /badges
    xml: 'object("badge", object("@no", args.no, "owner", args.owner))'
    idempotency: none
    success: payload."@ok" == "Y"
"#;

const SANDBOX: &str = r#"version: 1
vendor: heron-erp
settings: { api_key: heron }
seed: { people: { "1": { id: "9007199254740993", pay: 120.50 } } }
routes:
  - get: /people/{id}
    let: { one: { in: people, key: path.id } }
    refuse:
      - { when: 'headers."x-key" != "heron"', status: 401, body: { error: key } }
      - { when: not exists(one), status: 404, body: { error: NOBODY } }
    answer: { body: "{one}" }
  - post: /people
    refuse: [{ when: 'body.name == "锁"', status: 200, body: { error: locked } }]
    effect: { added: 'headers."x-request"' }
    answer: { status: 201, body: { ok: true } }
  - post: /notes
    refuse: [{ when: not exists(body.text), status: 200, body: { error: text } }]
    answer: { status: 204, text: "" }
"#;

/// A place with the vendor at `base`.
fn place(base: &str, key: &str) -> Place {
    let place = Place::new(Backends::Embedded);
    let write = |file: &str, text: &str| {
        let path = place.config().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("connectors/heron-erp/manifest.yaml", MANIFEST);
    write("connectors/heron-erp/sandbox.yaml", SANDBOX);
    let base = base.replace("SANDBOX", &place.sandbox_port.to_string());
    let settings = format!("settings: {{ api_key: {key}, base_url: \"{base}\" }}\n");
    write("connections/erp.yaml", &format!("id: erp\nconnector: heron-erp\n{settings}"));
    place
}

struct Passed {
    status: u16,
    headers: reqwest::header::HeaderMap,
    text: String,
    body: Value,
}

fn pass(place: &Place, operation: &str, args: &Value, key: Option<&str>) -> Passed {
    let url = place.url(&format!("/v1/passthrough/erp/{operation}"));
    let request = place.http().post(url).bearer_auth(place.secret("HRHUB_ADMIN_KEY")).body(args.to_string());
    let request = if let Some(key) = key { request.header("idempotency-key", key) } else { request };
    let answer = request.send().unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let text = answer.text().unwrap();
    let body = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    Passed { status, headers, text, body }
}

fn told(passed: &Passed) -> (u16, &str, &Value, &Value, &Value) {
    let body = &passed.body;
    (passed.status, body["code"].as_str().unwrap(), &body["vendor_code"], &body["party"], &body["retryable"])
}

#[test]
fn a_call_is_passed_through_once_and_what_the_vendor_says_is_told() {
    let place = place("http://127.0.0.1:SANDBOX/heron-erp", "heron");
    let _sandbox = place.sandbox();
    let _hub = place.serve();

    let found = pass(&place, "get_person", &json!({ "id": "1" }), None);
    assert_eq!(found.status, 200, "{}", found.body);
    // Digits stay as the vendor wrote them.
    assert_eq!(found.text, r#"{"id":"9007199254740993","pay":120.50}"#);
    let trace = found.headers["hub-trace-id"].to_str().unwrap().to_owned();
    let journey = place.get(&format!("/v1/journeys/{trace}"));
    assert_eq!(journey["steps"][0]["step"], "passed_through", "{journey:#}");

    let nobody = pass(&place, "get_person", &json!({ "id": "2" }), None);
    assert_eq!(told(&nobody), (404, "vendor_absent", &json!("NOBODY"), &json!("CALLER"), &json!(false)));
    assert_eq!(pass(&place, "add_person", &json!({ "name": "何沐阳" }), Some("hire-7")).status, 200);
    assert!(place.effects().iter().any(|(name, count)| name.contains("hire-7") && *count == 1));
    let locked = pass(&place, "add_person", &json!({ "name": "锁" }), None);
    assert_eq!(told(&locked), (502, "vendor_trouble", &json!("locked"), &json!("REMOTE"), &json!(false)));
    let empty = pass(&place, "add_note", &json!({ "text": "a" }), None);
    assert_eq!((empty.status, empty.body), (200, Value::Null));
    let refused = pass(&place, "add_note", &json!({}), None);
    assert_eq!(told(&refused), (422, "vendor_refused", &Value::Null, &json!("CALLER"), &json!(false)));

    let unknown = pass(&place, "get_persn", &json!({}), None);
    assert_eq!((unknown.status, unknown.body["code"].as_str()), (404, Some("not_found")));
    assert!(unknown.body["detail"].as_str().unwrap().contains("get_person"), "{}", unknown.body);
    let url = place.url("/v1/passthrough/erp/get_person");
    let admin = place.secret("HRHUB_ADMIN_KEY");
    let send = |body: &'static str| place.http().post(&url).bearer_auth(&admin).body(body).send().unwrap().status();
    assert_eq!((send("[1]").as_u16(), send("{").as_u16()), (400, 400));
    assert_eq!(place.http().post(&url).body("{}").send().unwrap().status(), 401);
}

#[test]
fn whom_a_failure_is_for_is_told() {
    let place = place("http://127.0.0.1:SANDBOX/heron-erp", "another");
    let running = place.sandbox();
    let _hub = place.serve();
    let refused = pass(&place, "get_person", &json!({ "id": "1" }), None);
    assert_eq!(told(&refused), (502, "connection_fault", &Value::Null, &json!("CREDENTIAL"), &json!(false)));
    drop(running);
    wait_until(Duration::from_secs(20), || {
        let nobody = pass(&place, "get_person", &json!({ "id": "1" }), None);
        let expected = (502, "connection_fault", &Value::Null, &json!("NETWORK"), &json!(true));
        if told(&nobody) == expected { Ok(()) } else { Err(nobody.body.to_string()) }
    });
    // A person decides that no calls are made.
    let url = place.url("/v1/connections/erp:open");
    let opened = place.http().post(url).bearer_auth(place.secret("HRHUB_ADMIN_KEY")).send().unwrap();
    assert_eq!(opened.status(), 200);
    let shut = pass(&place, "get_person", &json!({ "id": "1" }), None);
    assert_eq!(told(&shut), (503, "vendor_unwell", &Value::Null, &json!("REMOTE"), &json!(true)));
    assert!(shut.headers.contains_key("retry-after"));
}

#[test]
fn a_vendor_that_speaks_xml_is_asked_in_xml_and_its_answer_is_a_tree() {
    use std::io::{BufRead, BufReader, Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let place = place(&format!("http://{}", listener.local_addr().unwrap()), "heron");
    let _hub = place.serve();
    let server = std::thread::spawn(move || {
        let mut asked = Vec::new();
        for answer in ["<r ok='Y'><no>007</no><who>李&amp;王</who></r>", "<r ok='N'><why>x</why></r>", "{\"ok\": true}"]
        {
            let (stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream);
            let (mut head, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                if line.trim().is_empty() {
                    break;
                }
                head.push_str(&line.to_lowercase());
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            asked.push((head, String::from_utf8(body).unwrap()));
            let answer =
                format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{answer}", answer.len());
            reader.get_mut().write_all(answer.as_bytes()).unwrap();
        }
        asked
    });
    let args = json!({ "no": "007", "owner": "李<娜>" });
    let badge = pass(&place, "add_badge", &args, None);
    assert_eq!((badge.status, badge.body), (200, json!({ "@ok": "Y", "no": "007", "who": "李&王" })));
    let refused = pass(&place, "add_badge", &args, None);
    assert_eq!(told(&refused), (422, "vendor_refused", &Value::Null, &json!("CALLER"), &json!(false)));
    let unreadable = pass(&place, "add_badge", &args, None);
    assert_eq!((unreadable.status, unreadable.body["code"].as_str()), (502, Some("vendor_trouble")));
    let asked = server.join().unwrap();
    assert!(asked[0].0.contains("content-type: application/xml; charset=utf-8"), "{}", asked[0].0);
    let sent = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><badge no=\"007\"><owner>李&lt;娜&gt;</owner></badge>";
    assert_eq!(asked[0].1, sent);
}
