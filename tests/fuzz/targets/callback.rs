//! Whole callbacks through the drivers, as strangers send them, and signed as a holder of the secrets would send them: the
//! first byte says which platform, and whether the rest is the outer body or the sealed message.
//!
//! `cargo +nightly fuzz run --fuzz-dir tests/fuzz callback`
#![no_main]

use hub_im::envelope::{self, AesKey};
use hub_im::hashed;
use hub_kit::{Connection, Driver, InboundRequest, Manifest};
use hub_tree::env::Environment;
use hub_tree::jiff::Timestamp;
use hub_tree::{Findings, Source};
use libfuzzer_sys::fuzz_target;
use std::sync::{Arc, OnceLock};

const KEY: &str = "4g5j64qlyl3zvetqxz5jiocdr586fn2zvjpa8zls3ij";
const NOW: i64 = 1_795_293_210;

fn platforms() -> &'static [(Box<dyn Driver>, Connection)] {
    static MADE: OnceLock<Vec<(Box<dyn Driver>, Connection)>> = OnceLock::new();
    MADE.get_or_init(|| {
        let drivers: [Box<dyn Driver>; 4] = [
            Box::new(hub_im::Dingtalk),
            Box::new(hub_im::Wecom),
            Box::<hub_im::WechatOa>::default(),
            Box::new(hub_im::Feishu),
        ];
        drivers
            .into_iter()
            .map(|driver| {
                let made = connection(driver.name());
                (driver, made)
            })
            .collect()
    })
}

fn connection(driver: &str) -> Connection {
    let manifest = format!(
        "version: 1\nvendor: heron\nname: Heron\nfamily: chat\ndriver: {driver}\nbase_url: https://a.example\nsettings:\n  \
         token: {{}}\n  encoding_aes_key: {{}}\n  receiver_id: {{}}\nwebhook:\n  verify: {{ kind: driver }}\n  \
         event: payload.event\n  events: {{}}\n"
    );
    let findings = Findings::new();
    let manifest = Manifest::compile("heron", &Source::new("m.yaml", manifest), &findings).map(Arc::new);
    let settings = match driver {
        "feishu" => "encrypt_key: k".to_owned(),
        _ => format!("token: t, encoding_aes_key: {KEY}, receiver_id: corp"),
    };
    let source = Source::new("c.yaml", format!("id: heron\nconnector: heron\nsettings: {{ {settings} }}\n"));
    let find = |_: &str| manifest.clone();
    Connection::compile(&source, &Environment::default(), find, &["heron"], &findings).expect("the connection is sound")
}

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else { return };
    let Some((driver, connection)) = platforms().get(usize::from(first & 3)) else { return };
    let (sealed, get, clear) = (first & 4 != 0, first & 8 != 0, first & 16 != 0);
    let stamp = NOW.to_string();
    let mut request = InboundRequest {
        method: if get { "GET" } else { "POST" }.to_owned(),
        query: vec![("timestamp".to_owned(), stamp.clone()), ("nonce".to_owned(), "n".to_owned())],
        headers: vec![
            ("x-lark-request-timestamp".to_owned(), stamp.clone()),
            ("x-lark-request-nonce".to_owned(), "n".to_owned()),
        ],
        body: rest.to_vec(),
        now: Timestamp::from_second(NOW).unwrap_or_default(),
    };
    let mut text = String::from_utf8_lossy(rest).into_owned();
    if driver.name() == "feishu" {
        if sealed {
            request.body = format!("{{\"encrypt\":\"{}\"}}", hashed::seal("k", [7; 16], rest)).into_bytes();
        }
        let signature = hex::encode(hashed::signature("k", &stamp, "n", &request.body));
        request.headers.push(("x-lark-signature".to_owned(), signature));
    } else {
        if sealed && let Some(key) = AesKey::read(KEY) {
            text = envelope::seal(&key, [7; 16], rest, "corp");
            request.body = format!("<xml><Encrypt>{text}</Encrypt></xml>").into_bytes();
        }
        let mut add = |name: &str, value: String| request.query.push((name.to_owned(), value));
        if !clear {
            add("msg_signature", hex::encode(envelope::signature(&["t", &stamp, "n", &text])));
        }
        add("signature", hex::encode(envelope::signature(&["t", &stamp, "n"])));
        add("echostr", text);
    }
    let _ = driver.open_webhook(connection, &request);
});
