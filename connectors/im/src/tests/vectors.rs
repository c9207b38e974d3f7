//! The vectors of all platforms: opened through the driver, sealed by the envelope.

use super::{connection, driver, request};
use crate::envelope::{self, AesKey};
use crate::hashed;
use hub_kit::hook::read_opened;
use hub_kit::{InboundRequest, Opened, WebhookError};
use hub_tree::Arena;
use hub_tree::jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const VECTORS: &str = include_str!("../../../../tests/golden/vectors/chat.json");

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

/// The words of the vectors for reasons that have another name here.
fn word(reason: &str) -> &str {
    match reason {
        "signature_mismatch" => "bad_signature",
        "timestamp_out_of_tolerance" => "stale_timestamp",
        other => other,
    }
}

fn check_plain(name: &str, plain: &[u8], expect: &Value) {
    assert_eq!(expect["plaintext_bytes"], plain.len(), "{name}");
    assert_eq!(expect["plaintext_sha256"], hex::encode(Sha256::digest(plain)), "{name}");
    if let Some(wanted) = expect["plaintext"].as_str() {
        assert_eq!(wanted.as_bytes(), plain, "{name}");
    }
}

/// The request that a vector describes, at the vector's time or at that of its query.
fn inbound(inputs: &Value) -> InboundRequest {
    let mut query: Vec<(&str, &str)> = Vec::new();
    match inputs["query"].as_object() {
        Some(given) => query.extend(given.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap()))),
        None => {
            query.extend(["timestamp", "nonce", "echostr"].map(|name| (name, text(inputs, name))));
            query.push(("msg_signature", text(inputs, "signature")));
            query.push(("signature", text(inputs, "signature")));
        }
    }
    let method = if inputs["op"] == "verify_url" { "GET" } else { "POST" };
    let body = match inputs["body"].as_str() {
        Some(body) => body.to_owned(),
        None => json!({ "encrypt": inputs["encrypt"] }).to_string(),
    };
    let mut made = request(method, &query, body.as_bytes(), 0);
    for (name, value) in inputs["headers"].as_object().into_iter().flatten() {
        made.headers.push((name.to_lowercase(), value.as_str().unwrap().to_owned()));
    }
    let stamp = query.iter().find(|(name, _)| *name == "timestamp").map(|(_, value)| *value).filter(|t| !t.is_empty());
    let stamp = stamp.unwrap_or_else(|| made.header("x-lark-request-timestamp").unwrap_or("0"));
    let stamp: i64 = stamp.parse().unwrap();
    let millis = inputs["now_ms"].as_i64().unwrap_or(if stamp > 100_000_000_000 { stamp } else { stamp * 1000 });
    made.now = Timestamp::from_millisecond(millis).unwrap();
    made
}

fn open(vector: &Value) -> Result<Opened, WebhookError> {
    let inputs = &vector["inputs"];
    let name = text(vector, "vendor").replace('_', "-");
    let mut settings = serde_json::Map::new();
    for setting in ["token", "encoding_aes_key", "receiver_id", "encrypt_key", "verification_token"] {
        if let Some(value) = inputs[setting].as_str().filter(|value| !value.is_empty()) {
            settings.insert(setting.into(), value.into());
        }
    }
    if inputs["op"] == "plain_push" {
        settings.insert("mode".into(), "plain".into());
    }
    let skew = inputs["max_skew_s"].as_u64().map_or(900, |skew| u32::try_from(skew).unwrap());
    let connection = connection(&name, &Value::from(settings).to_string(), skew);
    driver(&name).open_webhook(&connection, &inbound(inputs))
}

#[test]
fn every_vector_is_judged_as_it_should_be() {
    let vectors: Vec<Value> = serde_json::from_str(VECTORS).unwrap();
    assert!(vectors.len() >= 71, "the vectors are not all there");
    for vector in &vectors {
        let (inputs, expect) = (&vector["inputs"], &vector["expect"]);
        let name = format!("{} {}", text(vector, "vendor"), text(vector, "name"));
        match text(inputs, "op") {
            "seal" => {
                let key = AesKey::read(text(inputs, "encoding_aes_key")).unwrap();
                let random = text(inputs, "random16").as_bytes().try_into().unwrap();
                let plain = text(inputs, "plaintext").as_bytes();
                let sealed = envelope::seal(&key, random, plain, text(inputs, "receiver_id"));
                assert_eq!(expect["encrypt"], sealed, "{name}");
                let parts = [text(inputs, "token"), text(inputs, "timestamp"), text(inputs, "nonce"), &sealed];
                assert_eq!(expect["signature"], hex::encode(envelope::signature(&parts)), "{name}");
            }
            "decrypt" => {
                let plain = hashed::open(text(inputs, "encrypt_key"), text(inputs, "encrypt")).unwrap();
                check_plain(&name, &plain, expect);
            }
            "sign" => {
                let [key, stamp, nonce, body] = ["encrypt_key", "timestamp", "nonce", "body"].map(|n| text(inputs, n));
                let made = hashed::signature(key, stamp, nonce, body.as_bytes());
                assert_eq!(expect["signature"], hex::encode(made), "{name}");
            }
            _ => judge(&name, vector, open(vector)),
        }
    }
}

fn judge(name: &str, vector: &Value, result: Result<Opened, WebhookError>) {
    let expect = &vector["expect"];
    if let Some(wanted) = vector["error"].as_str() {
        let found = result.expect_err(name);
        assert!(!found.hint().is_empty(), "{name}");
        if vector["any_error_ok"] != true {
            assert_eq!(word(&found.to_string()), wanted, "{name}");
        }
        return;
    }
    let Opened { body, answer } = result.unwrap_or_else(|error| panic!("{name}: {error}: {}", error.hint()));
    let answer = answer.unwrap_or_else(|| panic!("{name}: no answer"));
    assert_eq!(answer.status, 200, "{name}");
    if let Some(wanted) = expect["reply_body"].as_str() {
        assert_eq!((answer.body.as_slice(), body.as_ref()), (wanted.as_bytes(), None), "{name}");
        assert!(answer.content_type.starts_with("text/plain"), "{name}");
    }
    if expect["reply_json"].is_object() {
        assert_eq!(serde_json::from_slice::<Value>(&answer.body).unwrap(), expect["reply_json"], "{name}");
        assert_eq!(body, None, "{name}");
    }
    if let (Some(body), true) = (&body, expect["plaintext_sha256"].is_string()) {
        check_plain(name, body, expect);
    }
    for (wanted, pointers) in [
        ("event_id", &["/header/event_id", "/uuid"][..]),
        ("tenant_key", &["/header/tenant_key", "/event/tenant_key"]),
        ("event", &["/Event"]),
        ("change_type", &["/ChangeType"]),
    ] {
        let Some(wanted) = expect[wanted].as_str() else { continue };
        let arena = Arena::new();
        let tree = read_opened(&arena, body.as_deref().unwrap_or_default()).unwrap();
        let body: Value = serde_json::from_str(&hub_tree::json::to_string(&tree)).unwrap();
        let found = pointers.iter().find_map(|pointer| body.pointer(pointer));
        assert_eq!(found.and_then(Value::as_str), Some(wanted), "{name}");
    }
}
