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

fn connection(vendor: &str, settings: &str) -> Connection {
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
        let secrets = match inputs.get("secrets") {
            Some(secrets) => secrets.to_string(),
            None => inputs["secret"].to_string(),
        };
        let skew = inputs.get("tolerance_seconds").map_or(300, |t| t.as_i64().unwrap());
        let own = match vector["vendor"].as_str().unwrap() {
            "greenhouse" => ("greenhouse", "client_id: a, client_secret: b"),
            "standard_webhooks" => ("ai-interview", "api_key: a, base_url: \"https://x.example\""),
            other => panic!("no connector for {other}"),
        };
        let settings = format!("{{ {}, webhook_secret: {secrets}, max_skew_secs: {skew} }}", own.1);
        let headers = inputs["headers"].as_object().unwrap();
        let request = InboundRequest {
            method: "POST".into(),
            query: vec![],
            headers: headers.iter().map(|(k, v)| (k.to_lowercase(), v.as_str().unwrap().to_owned())).collect(),
            body: inputs["body"].as_str().unwrap().as_bytes().to_vec(),
            now: Timestamp::from_second(inputs.get("now").map_or(0, |now| now.as_i64().unwrap())).unwrap(),
        };
        let found = connection(own.0, &settings).verify(&request).err().map(|error| error.to_string());
        let wanted = vector.get("error").map(|error| error.as_str().unwrap().to_owned());
        assert_eq!(found, wanted, "{}: {}", vector["vendor"], vector["name"]);
        ran += 1;
    }
    assert!(ran > 10, "only {ran} vectors ran");
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
