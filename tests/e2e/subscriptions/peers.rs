//! Others' libraries check what we send: signatures by the makers of Standard Webhooks, events by the CloudEvents SDK.

use super::receiver::Receiver;
use super::{LIMIT, admin};
use crate::callbacks::peers::{node, python, run};
use hub_support::{Backends, Place, project_root, wait_for};
use serde_json::{Value, json};
use std::process::Command;

#[test]
fn others_libraries_verify_and_parse_what_is_sent() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    let receiver = Receiver::start();
    let mut checks = Vec::new();
    for signing in ["hmac", "ed25519", "both"] {
        let body = json!({ "url": receiver.url("/"), "types": ["*"], "signing": signing });
        let (status, made) = admin(&place, "POST", "/v1/subscriptions", Some(&body));
        assert_eq!(status, 201, "{made:#}");
        let path = format!("/v1/subscriptions/{}", made["id"].as_str().unwrap());
        assert_eq!(made["secret"].is_string(), signing != "ed25519", "{made:#}");
        assert_eq!(made["public_keys"].as_array().unwrap().len(), usize::from(signing != "hmac"), "{made:#}");
        let mut keys = vec![(made["secret"].clone(), made["public_keys"][0].clone())];
        for round in 0..2 {
            let (_, sent) = admin(&place, "POST", &format!("{path}:test"), None);
            let got = wait_for("the test event", LIMIT, || {
                receiver.got().into_iter().find(|one| sent["event_id"].as_str() == Some(&one.id))
            });
            for (secret, public) in &keys {
                checks.push(json!({ "secret": secret, "public": public, "got": got.as_json() }));
            }
            if round == 0 {
                // During a rotation both sign.
                let (_, rotated) = admin(&place, "POST", &format!("{path}:rotate"), None);
                assert!(!rotated.to_string().contains("whsk_"), "a private key is nobody's business: {rotated:#}");
                keys.push((rotated["secret"].clone(), rotated["public_keys"][0].clone()));
            }
        }
    }
    assert_eq!(checks.len(), 9);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), Value::from(checks).to_string()).unwrap();
    let script = project_root().join("tests/e2e/peers/subscriber.py");
    let said = run(Command::new(python()).arg(script).arg(file.path()));
    assert_eq!(said.trim(), "hmac 6, ed25519 6, events 9");
    let script = project_root().join("tests/e2e/peers/node/subscriber.js");
    assert_eq!(run(node().arg(script).arg(file.path())).trim(), "hmac 6, ed25519 6");
}
