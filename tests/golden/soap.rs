//! SOAP messages: what becomes of each, as it came and by what was said of it.
//!
//! `soap/envelopes.json` is a list of cases. `message` is text, in which `@A@` stands for what `repeat` says
//! (`{"A": [text, times]}`) or `count` (the same, with `@N@` the number and `@M@` the next one); `hex` are bytes instead.
//! `encoding` is how the text becomes bytes, `content_encoding` how those are compressed (not if `as_is`, without the
//! last `cut` bytes), `side` is `request` with `now`, `username` and `password`, or else an answer. `expect` is a part of
//! what `hrhub soap read` prints; a `tree` is the whole tree.

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use hub_soap::Message;
use hub_soap::judge::{Side, judge};
use hub_soap::security::Policy;
use hub_support::project_root;
use hub_tree::Private;
use hub_tree::jiff::SignedDuration;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;

fn text_of(case: &Value) -> String {
    let mut text = case["message"].as_str().unwrap().to_owned();
    for (name, part) in case["repeat"].as_object().into_iter().flatten() {
        let times = usize::try_from(part[1].as_u64().unwrap()).unwrap();
        text = text.replace(&format!("@{name}@"), &part[0].as_str().unwrap().repeat(times));
    }
    for (name, part) in case["count"].as_object().into_iter().flatten() {
        let one = part[0].as_str().unwrap();
        let numbered = |n: u64| one.replace("@N@", &n.to_string()).replace("@M@", &(n + 1).to_string());
        let all: String = (0..part[1].as_u64().unwrap()).map(numbered).collect();
        text = text.replace(&format!("@{name}@"), &all);
    }
    text
}

fn encoded(text: &str, encoding: &str) -> Vec<u8> {
    let wide = |mark: &[u8], bytes: fn(u16) -> [u8; 2]| {
        mark.iter().copied().chain(text.encode_utf16().flat_map(bytes)).collect::<Vec<u8>>()
    };
    match encoding {
        "utf-8" => text.as_bytes().to_vec(),
        "utf-8-mark" => ["\u{FEFF}", text].concat().into_bytes(),
        "utf-16le" => wide(b"", u16::to_le_bytes),
        "utf-16be" => wide(b"", u16::to_be_bytes),
        "utf-16le-mark" => wide(b"\xFF\xFE", u16::to_le_bytes),
        "utf-16be-mark" => wide(b"\xFE\xFF", u16::to_be_bytes),
        label => {
            let encoding = encoding_rs::Encoding::for_label(label.as_bytes()).unwrap();
            let (bytes, _, unmappable) = encoding.encode(text);
            assert!(!unmappable, "{label} cannot write {text}");
            bytes.into_owned()
        }
    }
}

fn bytes_of(case: &Value) -> Vec<u8> {
    if let Some(digits) = case["hex"].as_str() {
        return hex::decode(digits).unwrap();
    }
    let bytes = encoded(&text_of(case), case["encoding"].as_str().unwrap_or("utf-8"));
    let mut bytes = match case["content_encoding"].as_str() {
        _ if case["as_is"].as_bool() == Some(true) => bytes,
        Some("gzip") => {
            let mut out = GzEncoder::new(Vec::new(), Compression::best());
            out.write_all(&bytes).unwrap();
            out.finish().unwrap()
        }
        Some("deflate") => {
            let mut out = ZlibEncoder::new(Vec::new(), Compression::best());
            out.write_all(&bytes).unwrap();
            out.finish().unwrap()
        }
        _ => bytes,
    };
    let cut = usize::try_from(case["cut"].as_u64().unwrap_or(0)).unwrap();
    bytes.truncate(bytes.len() - cut);
    bytes
}

/// What is wrong with what was found, by the expectation.
fn difference(found: &Value, wanted: &Value) -> Option<String> {
    wanted.as_object().unwrap().iter().find_map(|(key, wanted)| match (key.as_str(), wanted) {
        ("tree", _) | (_, Value::String(_) | Value::Bool(_) | Value::Array(_) | Value::Null) => {
            (found[key] != *wanted).then(|| format!("{key} is {}, not {wanted}", found[key]))
        }
        _ => difference(&found[key], wanted).map(|difference| format!("{key}: {difference}")),
    })
}

#[tokio::test]
async fn every_message_becomes_what_it_should() {
    let path = project_root().join("tests/golden/soap/envelopes.json");
    let cases: Vec<Value> = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for case in &cases {
        let name = case["name"].as_str().unwrap();
        assert!(seen.insert(name), "two cases are called `{name}`");
        let bytes = bytes_of(case);
        let message = Message {
            body: &bytes,
            content_type: case["content_type"].as_str(),
            content_encoding: case["content_encoding"].as_str(),
        };
        let policy = case["username"].as_str().map(|username| Policy {
            username: username.to_owned(),
            password: Private::new(case["password"].as_str().unwrap().to_owned()),
            text: true,
            digest: true,
            window: SignedDuration::from_secs(300),
        });
        let now = case["now"].as_str().unwrap_or("2025-11-01T08:00:00Z").parse().unwrap();
        let side = match case["side"].as_str() {
            Some("request") => Side::Request { now, policy: policy.as_ref() },
            _ => Side::Answer,
        };
        let found: Value = serde_json::from_str(&judge(&message, side).await).unwrap();
        if let Some(difference) = difference(&found, &case["expect"]) {
            let message = found["message"].as_str().unwrap_or_default();
            wrong.push(format!("{name}: {difference} ({message})"));
        }
    }
    assert!(seen.len() >= 150, "only {} messages", seen.len());
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
