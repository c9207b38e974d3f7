//! Signature vectors: each is verified as the connector's manifest says, through a connection of its own.

use hub_kit::manifest::Manifest;
use hub_kit::{Connection, InboundRequest};
use hub_support::project_root;
use hub_tree::env::Environment;
use hub_tree::jiff::Timestamp;
use hub_tree::{Findings, Source};
use serde_json::Value;
use std::fs;
use std::sync::Arc;

pub(crate) fn manifest(vendor: &str) -> Arc<Manifest> {
    let path = project_root().join("connectors/vendors").join(vendor).join("manifest.yaml");
    let source = Source::new(path.display().to_string(), fs::read_to_string(&path).unwrap());
    let findings = Findings::new();
    let manifest = Manifest::compile(vendor, &source, &findings);
    let problems: Vec<String> = findings.into_sorted().iter().map(ToString::to_string).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    Arc::new(manifest.unwrap())
}

pub(crate) fn connection(vendor: &str, settings: &str) -> Connection {
    let manifest = manifest(vendor);
    let source = Source::new("case.yaml", format!("id: case\nconnector: {vendor}\nsettings: {settings}\n"));
    let findings = Findings::new();
    let find = |_: &str| Some(Arc::clone(&manifest));
    let connection = Connection::compile(&source, &Environment::default(), find, &[vendor], &findings);
    connection.unwrap_or_else(|| panic!("{:?}", findings.into_sorted()))
}

#[test]
fn every_signature_vector_is_judged_as_it_should_be() {
    let text = fs::read_to_string(project_root().join("tests/golden/vectors/webhooks.json")).unwrap();
    let vectors: Vec<Value> = serde_json::from_str(&text).unwrap();
    let mut ran = 0;
    for vector in &vectors {
        let inputs = &vector["inputs"];
        let secrets = match (inputs.get("secrets"), inputs.get("secrets_by_kind")) {
            (Some(secrets), _) => secrets.to_string(),
            (None, Some(kinds)) => Value::from_iter(kinds.as_object().unwrap().values().cloned()).to_string(),
            (None, None) => inputs["secret"].to_string(),
        };
        let skew = inputs.get("tolerance_seconds").map_or(300, |t| t.as_i64().unwrap());
        let sealed = inputs.get("encrypt_key").map_or(String::new(), |key| format!(", callback_key: {key}"));
        let own = match vector["vendor"].as_str().unwrap() {
            "greenhouse" => ("greenhouse", "client_id: a, client_secret: b"),
            "ashby" => ("ashby", "api_key: a"),
            "workable" => ("workable", "api_key: a, base_url: \"https://x.workable.com\""),
            "lever" => ("lever", "api_key: a"),
            "smartrecruiters" => ("smartrecruiters", "api_key: a"),
            "checkr" => ("checkr", "api_key: a"),
            "certn" => ("certn", "client_id: a, client_secret: b, order_path: o, applicant_path: p"),
            "docusign" => (
                "docusign",
                "base_url: \"https://x.docusign.net\", account_id: a, integration_key: b, user_id: c, private_key: d",
            ),
            "dropbox_sign" => ("dropbox-sign", "api_key: a"),
            "esign_cn" => ("esign-cn", "app_id: a, app_secret: b"),
            "fadada" => ("fadada", "app_id: a, app_secret: b, open_corp_id: c"),
            "tencent_ess" => ("tencent-ess", "secret_id: a, secret_key: b, operator_id: c"),
            "standard_webhooks" => ("ai-interview", "api_key: a, base_url: \"https://x.example\""),
            other => panic!("no connector for {other}"),
        };
        let settings = format!("{{ {}, webhook_secret: {secrets}, max_skew_secs: {skew}{sealed} }}", own.1);
        let request = sent(inputs);
        let found = connection(own.0, &settings).open(&request);
        if let (Ok(opened), Some(plain)) = (&found, vector["expect"].get("plaintext")) {
            assert_eq!(opened.body.as_deref(), plain.as_str().map(str::as_bytes), "{}", vector["name"]);
        }
        if let (Ok(opened), Some(text)) = (&found, vector["expect"].get("response_body")) {
            let answer = opened.answer.as_ref().map(|answer| answer.body.clone());
            assert_eq!(answer.as_deref(), text.as_str().map(str::as_bytes), "{}", vector["name"]);
        }
        let found = found.err().map(|error| error.to_string());
        let wanted = vector.get("error").map(|error| error.as_str().unwrap().to_owned());
        assert_eq!(found, wanted, "{}: {}", vector["vendor"], vector["name"]);
        ran += 1;
    }
    assert!(ran > 10, "only {ran} vectors ran");
}

/// The request of a vector. Where nothing is said of the receiver's clock, it is that of the sender.
fn sent(inputs: &Value) -> InboundRequest {
    let pairs = |name: &str| -> Vec<(String, String)> {
        let entries = inputs.get(name).and_then(Value::as_object);
        entries.into_iter().flatten().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
    };
    let mut headers: Vec<_> = pairs("headers").into_iter().map(|(name, value)| (name.to_lowercase(), value)).collect();
    let header = |name: &str| headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let number = |text: String| text.parse::<i64>().unwrap();
    let millis = inputs.get("now_ms").and_then(Value::as_i64);
    let millis = millis.or_else(|| Some(inputs.get("now")?.as_i64()? * 1000));
    let millis = millis.or_else(|| header("smartrecruiters-timestamp").map(|at| number(at) * 1000));
    let millis = millis.or_else(|| header("x-tsign-open-timestamp").map(number));
    let form = pairs("form");
    let body = match form.first() {
        None => inputs["body"].as_str().unwrap().to_owned(),
        Some((name, value)) => {
            headers.push(("content-type".into(), "multipart/form-data; boundary=form-1".into()));
            format!("--form-1\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n--form-1--\r\n")
        }
    };
    InboundRequest {
        method: "POST".into(),
        query: pairs("query"),
        headers,
        body: body.into_bytes(),
        now: Timestamp::from_millisecond(millis.unwrap_or_default()).unwrap(),
    }
}

fn smartrecruiters(headers: &[(&str, &str)], body: &[u8], now: i64) -> InboundRequest {
    InboundRequest {
        method: "POST".into(),
        query: vec![],
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        body: body.to_vec(),
        now: Timestamp::from_second(now).unwrap(),
    }
}

#[test]
fn a_computed_proof_has_a_time_and_no_empty_signature() {
    let body = br#"{"job_id":"jid","candidate_id":"cid"}"#;
    let signed = |secret: &str| {
        let words = [b"1574080897." as &[u8], body, b".123.application.created.v201910."];
        format!("v1={}", hex::encode(hub_kit::verify::hmac_sha256(secret.as_bytes(), &words)))
    };
    let check = |secrets: &str, signature: &str, at: &str, now: i64| {
        let connection = connection("smartrecruiters", &format!("{{ api_key: a, webhook_secret: {secrets} }}"));
        let headers = [
            ("event-id", "123"),
            ("event-name", "application.created"),
            ("event-version", "v201910"),
            ("smartrecruiters-timestamp", at),
            ("smartrecruiters-signature", signature),
        ];
        connection.verify(&smartrecruiters(&headers, body, now)).map_err(|error| error.to_string())
    };
    let (at, now) = ("1574080897", 1_574_080_900);
    assert_eq!(check("k1", &signed("k1"), at, now), Ok(()));
    assert_eq!(check("[k0, k1]", &format!("{};{}", signed("other"), signed("k1")), at, now), Ok(()));
    assert_eq!(check("k1", &signed("k1"), at, now + 300), Err("timestamp_out_of_tolerance".to_owned()));
    assert_eq!(check("k1", &signed("k1"), at, now - 304), Err("timestamp_out_of_tolerance".to_owned()));
    assert_eq!(check("k1", &signed("k1"), "soon", now), Err("signature_mismatch".to_owned()));
    for empty in ["", ";", "v1=", "v1=;v1=", "v2=abc"] {
        let found = check("k1", empty, at, now);
        let reason = found.unwrap_err();
        assert!(["malformed_signature", "missing_signature"].contains(&reason.as_str()), "{empty}: {reason}");
    }
}

#[test]
fn a_handshake_gives_its_header_back_and_nothing_else_is_one() {
    let connection = connection("smartrecruiters", "{ api_key: a }");
    let answer = |headers: &[(&str, &str)], body: &[u8]| {
        connection.handshake(&smartrecruiters(headers, body, 0)).map(|answer| (answer.status, answer.headers))
    };
    let secret = ("x-hook-secret", "b8c1c0de-77");
    assert_eq!(answer(&[secret], b""), Some((200, vec![(secret.0.to_owned(), secret.1.to_owned())])));
    assert_eq!(answer(&[secret], b"{}"), None, "what has a body is an event, and must be signed");
    assert_eq!(answer(&[], b""), None);
    assert_eq!(answer(&[("x-hook-secret", "a b")], b""), None);
    assert_eq!(answer(&[("x-hook-secret", &"a".repeat(300))], b""), None);
}

#[test]
fn the_hmac_variant_of_the_open_contract_verifies_too() {
    let settings =
        "{ api_key: a, base_url: \"https://x.example\", signature: hmac_sha256, webhook_secret: [old, s3cret] }";
    let connection = connection("ai-interview", settings);
    let body = br#"{"type":"ping"}"#.to_vec();
    let signature = hex::encode(hub_kit::verify::hmac_sha256(b"s3cret", &[&body]));
    let request = |signature: &str| InboundRequest {
        method: "POST".into(),
        query: vec![],
        headers: vec![("x-signature".into(), signature.into())],
        body: body.clone(),
        now: Timestamp::UNIX_EPOCH,
    };
    assert!(connection.verify(&request(&signature)).is_ok());
    assert!(connection.verify(&request(&signature.replace('a', "b"))).is_err());
}
