//! The audit log at the command line, and the limits of requests over bare sockets.

use hub_support::{Backends, Place, run_hrhub, said};
use serde_json::Value;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

fn hrhub<const N: usize>(args: [&str; N]) -> (bool, String, String) {
    let output = run_hrhub(args);
    let (out, err) = said(&output);
    (output.status.success(), out, err)
}

#[test]
fn what_was_done_is_listed_taken_out_and_verified() {
    let place = Place::new(Backends::Embedded);
    let config = place.config();
    let config = config.to_str().unwrap();
    let (good, _, err) = hrhub(["circuit", "open", "greenhouse-main", "--config", config]);
    assert!(good, "{err}");
    let (_, out, _) = hrhub(["audit", "list", "--about", "connection/greenhouse-main", "--config", config]);
    assert!(out.contains("connection.open") && out.lines().count() == 1, "{out}");
    let (good, first, err) = hrhub(["audit", "verify", "--config", config]);
    assert!(good && err.contains("1 entry as written"), "{err}");
    let anchor = place.folder().join("anchor");
    fs::write(&anchor, &first).unwrap();
    let (_, out, _) = hrhub(["audit", "export", "--config", config]);
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2, "the export is an entry itself: {out}");
    assert_eq!((&lines[0]["action"], &lines[1]["action"]), (&"connection.open".into(), &"audit.exported".into()));
    let path = anchor.to_str().unwrap();
    let (good, second, err) = hrhub(["audit", "verify", "--anchor", path, "--config", config]);
    assert!(good, "{err}");
    // An export is as good an anchor.
    fs::write(&anchor, out + &second).unwrap();
    assert!(hrhub(["audit", "verify", "--anchor", path, "--config", config]).0);
    // A line of a log that went on further: this one was cut.
    let further = second.replace("\"position\":2", "\"position\":3");
    assert_ne!(further, second);
    fs::write(&anchor, further).unwrap();
    let (good, _, err) = hrhub(["audit", "verify", "--anchor", path, "--config", config]);
    assert!(!good && err.contains("entry 3") && err.contains("missing"), "{err}");
    fs::write(&anchor, first.replace("\"link\":\"", "\"link\":\"00")).unwrap();
    let (good, _, err) = hrhub(["audit", "verify", "--anchor", path, "--config", config]);
    assert!(!good && err.contains("entry 1") && err.contains("another link"), "{err}");
}

/// Status and code of the answer to bytes on a bare socket.
fn answer(place: &Place, request: &str) -> (String, String) {
    let mut socket = TcpStream::connect(("127.0.0.1", place.port)).unwrap();
    socket.write_all(request.as_bytes()).unwrap();
    let mut all = String::new();
    socket.read_to_string(&mut all).unwrap();
    let status = all.split(' ').nth(1).unwrap_or_default().to_owned();
    let body = all.split("\r\n\r\n").nth(1).unwrap_or_default();
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    (status, body["code"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn requests_that_ask_too_much_are_refused_with_their_reason() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    let get = |path: &str, head: &str| {
        answer(&place, &format!("GET {path} HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n{head}\r\n"))
    };
    let is = |status: &str, code: &str| (status.to_owned(), code.to_owned());
    assert_eq!(get("/healthz", "").0, "200");
    assert_eq!(get(&format!("/v1/candidates?limit={}", "1".repeat(9_000)), ""), is("414", "long_address"));
    assert_eq!(get("/healthz", &format!("X: {}\r\n", "x".repeat(40_000))), is("431", "large_head"));
    assert_eq!(get(&format!("/healthz?{}", vec!["a"; 101].join("&")), ""), is("400", "malformed_request"));
    // The framework's own limits.
    assert_eq!(get("/healthz", &"X: x\r\n".repeat(200)).0, "431");
    let key = place.secret("HRHUB_ADMIN_KEY");
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let length = deep.len();
    let post = format!(
        "POST /v1/subscriptions HTTP/1.1\r\nHost: hub\r\nConnection: close\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{deep}"
    );
    assert_eq!(answer(&place, &post), is("400", "malformed_request"));
}
