//! Callbacks through the drivers: the published and made vectors, and every other message made by the same rules.

mod refusals;
mod vectors;

use hub_kit::{Connection, Driver, InboundRequest, Manifest};
use hub_tree::env::Environment;
use hub_tree::jiff::Timestamp;
use hub_tree::{Findings, Source};
use std::sync::Arc;

fn manifest(driver: &str, skew: u32) -> Arc<Manifest> {
    let text = format!(
        "version: 1\nvendor: heron\nname: Heron\nfamily: chat\ndriver: {driver}\nbase_url: https://a.example\nsettings:\n  \
         token: {{ secret: true }}\n  encoding_aes_key: {{ secret: true }}\n  receiver_id: {{}}\n  verification_token: {{}}\n  \
         mode: {{}}\n  app_key: {{}}\n  app_id: {{}}\n  corp_id: {{}}\n  check_answer: {{}}\nwebhook:\n  verify: {{ kind: driver }}\n  \
         event: payload.event\n  max_skew_secs: {skew}\n  events: {{}}\n"
    );
    let findings = Findings::new();
    let manifest = Manifest::compile("heron", &Source::new("manifest.yaml", text), &findings);
    Arc::new(manifest.unwrap_or_else(|| panic!("{:?}", findings.into_sorted())))
}

/// A connection with these settings, as JSON.
fn connection(driver: &str, settings: &str, skew: u32) -> Connection {
    let manifest = manifest(driver, skew);
    let source = Source::new("heron.yaml", format!("id: heron\nconnector: heron\nsettings: {settings}\n"));
    let findings = Findings::new();
    let find = |_: &str| Some(Arc::clone(&manifest));
    let made = Connection::compile(&source, &Environment::default(), find, &["heron"], &findings);
    made.unwrap_or_else(|| panic!("{:?}", findings.into_sorted()))
}

fn driver(name: &str) -> Box<dyn Driver> {
    match name {
        "dingtalk" => Box::new(crate::Dingtalk),
        "feishu" => Box::new(crate::Feishu),
        "wecom" => Box::new(crate::Wecom),
        "wechat-oa" => Box::<crate::WechatOa>::default(),
        other => panic!("no driver {other}"),
    }
}

fn request(method: &str, query: &[(&str, &str)], body: &[u8], second: i64) -> InboundRequest {
    InboundRequest {
        method: method.into(),
        query: query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        headers: vec![],
        body: body.to_vec(),
        now: Timestamp::from_second(second).unwrap(),
    }
}
