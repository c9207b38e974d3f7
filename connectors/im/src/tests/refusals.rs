//! What a refusal says about the part that is wrong; rotation; replays.

use super::{connection, driver, request};
use crate::envelope::{self, AesKey};
use crate::hashed;
use hub_kit::{Driver, InboundRequest, Opened, WebhookError};
use hub_tree::Findings;
use proptest::prelude::*;
use serde_json::{Value, json};

const KEY: &str = "4g5j64qlyl3zvetqxz5jiocdr586fn2zvjpa8zls3ij";
const OTHER_KEY: &str = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C";
const NOW: i64 = 1_795_293_210;
const EVENT: &str = r#"{"EventType":"user_add_org","userId":["0153221044"]}"#;

fn settings() -> String {
    json!({ "token": ["new", "old"], "encoding_aes_key": [KEY, OTHER_KEY], "receiver_id": ["corp", ""] }).to_string()
}

struct Sender<'s> {
    token: &'s str,
    key: &'s str,
    receiver: &'s str,
    message: &'s str,
}

const GOOD: Sender<'_> = Sender { token: "new", key: KEY, receiver: "corp", message: EVENT };

impl Sender<'_> {
    fn sealed(&self) -> String {
        envelope::seal(&AesKey::read(self.key).unwrap(), *b"0123456789abcdef", self.message.as_bytes(), self.receiver)
    }

    fn signed(&self, sealed: &str) -> InboundRequest {
        let stamp = NOW.to_string();
        let signature = hex::encode(envelope::signature(&[self.token, &stamp, "n1", sealed]));
        let query = [("msg_signature", signature.as_str()), ("timestamp", &stamp), ("nonce", "n1")];
        request("POST", &query, json!({ "encrypt": sealed }).to_string().as_bytes(), NOW)
    }

    fn request(&self) -> InboundRequest {
        self.signed(&self.sealed())
    }
}

fn open(request: &InboundRequest) -> Result<Opened, WebhookError> {
    driver("dingtalk").open_webhook(&connection("dingtalk", &settings(), 900), request)
}

/// The reason, and the part that the hint begins with.
fn refused(result: Result<Opened, WebhookError>) -> (String, String) {
    let error = result.unwrap_err();
    let hint = error.hint().split(':').next().unwrap_or_default().to_owned();
    (error.to_string(), hint)
}

#[test]
fn old_and_new_secrets_open_and_the_answer_is_sealed_with_those_that_came() {
    for (token, key, receiver) in [("new", KEY, "corp"), ("old", OTHER_KEY, ""), ("new", OTHER_KEY, "corp")] {
        let opened = open(&Sender { token, key, receiver, ..GOOD }.request()).unwrap();
        assert_eq!(opened.body.as_deref(), Some(EVENT.as_bytes()));
        let answer: Value = serde_json::from_slice(&opened.answer.unwrap().body).unwrap();
        let part = |name: &str| answer[name].as_str().unwrap();
        let inner = envelope::open(&AesKey::read(key).unwrap(), part("encrypt")).unwrap();
        assert_eq!((inner.text.as_slice(), inner.receiver.as_slice()), (&b"success"[..], receiver.as_bytes()));
        let parts = [token, part("timeStamp"), part("nonce"), part("encrypt")];
        assert_eq!(part("msg_signature"), hex::encode(envelope::signature(&parts)));
    }
}

#[test]
fn each_refusal_names_the_part_that_is_wrong() {
    let third = "znaTkQTkRRn7wuRVm7DKhDoHW5IqoHSXbwBHgFHrjqb";
    let mut nonce = GOOD.request();
    nonce.query[2].1 = "n2".into();
    let mut late = GOOD.request();
    late.query[1].1 = (NOW - 10_000).to_string();
    let mut no_nonce = GOOD.request();
    no_nonce.query.truncate(2);
    let mut no_time = GOOD.request();
    no_time.query.remove(1);
    let mut cut = GOOD.request();
    cut.body = json!({ "encrypt": &GOOD.sealed()[..84] }).to_string().into_bytes();
    let mut old = GOOD.request();
    old.now += hub_tree::jiff::SignedDuration::from_secs(901);
    for (request, reason, part) in [
        (Sender { token: "wrong", ..GOOD }.request(), "signature_mismatch", "token"),
        (nonce.clone(), "signature_mismatch", "token"),
        (late.clone(), "signature_mismatch", "timestamp or token"),
        (cut, "signature_mismatch", "body"),
        (Sender { token: "wrong", key: third, ..GOOD }.request(), "signature_mismatch", "AES key"),
        (Sender { key: third, ..GOOD }.request(), "bad_padding", "AES key"),
        (Sender { token: "wrong", receiver: "other", ..GOOD }.request(), "signature_mismatch", "token and receiver id"),
        (Sender { receiver: "corp2", ..GOOD }.request(), "wrong_receiver", "receiver id"),
        (Sender { receiver: "cor", ..GOOD }.request(), "wrong_receiver", "receiver id"),
        (Sender { message: "{", ..GOOD }.request(), "bad_json", "body"),
        (Sender { message: "<!DOCTYPE a><a><b/></a>", ..GOOD }.request(), "bad_xml", "body"),
        (no_nonce, "nonce_missing", "nonce"),
        (no_time, "timestamp_missing", "the time in the proof is missing, or is no number"),
    ] {
        assert_eq!(refused(open(&request)), (reason.to_owned(), part.to_owned()), "{part}");
    }
    assert_eq!(refused(open(&old)).0, "timestamp_out_of_tolerance");
    let hint = open(&Sender { receiver: "corp2", ..GOOD }.request()).unwrap_err().hint().to_owned();
    assert!(hint.contains("`corp2`") && !hint.contains(KEY) && !hint.contains("user_add_org"), "{hint}");
    // Once the token has fitted, it is not the token.
    let proved = |request| open(request).unwrap_err().hint_once_proved().split(':').next().unwrap().to_owned();
    assert_eq!((proved(&nonce), proved(&late)), ("nonce or timestamp".to_owned(), "timestamp".to_owned()));
}

#[test]
fn a_check_of_the_address_keeps_nothing() {
    let check = Sender { message: r#"{"EventType":"check_create_suite_url","Random":"r4Nd"}"#, ..GOOD };
    let said = |settings: &str| {
        let made = connection("dingtalk", settings, 900);
        let opened = driver("dingtalk").open_webhook(&made, &check.request()).unwrap();
        assert_eq!(opened.body, None);
        let answer: Value = serde_json::from_slice(&opened.answer.unwrap().body).unwrap();
        let inner = envelope::open(&AesKey::read(KEY).unwrap(), answer["encrypt"].as_str().unwrap()).unwrap();
        String::from_utf8(inner.text).unwrap()
    };
    let with = |answer: &str| {
        json!({ "token": "new", "encoding_aes_key": KEY, "app_key": "corp", "check_answer": answer }).to_string()
    };
    assert_eq!(said(&with("success")), "success");
    assert_eq!(said(&with("random")), "r4Nd");
}

#[test]
fn a_plus_that_became_a_space_is_a_plus_again() {
    let made = connection("wecom", &settings(), 900);
    for count in 0..20 {
        let sealed = Sender { message: &"1".repeat(count), ..GOOD }.sealed();
        let mut request = GOOD.signed(&sealed);
        request.method = "GET".into();
        request.query.push(("echostr".into(), sealed.replace('+', " ")));
        let opened = driver("wecom").open_webhook(&made, &request).unwrap();
        assert_eq!(opened.answer.unwrap().body, "1".repeat(count).into_bytes());
        assert_eq!(opened.body, None);
    }
}

fn clear(nonce: &str, body: &str) -> InboundRequest {
    let stamp = NOW.to_string();
    let signature = hex::encode(envelope::signature(&["new", &stamp, nonce]));
    request("POST", &[("signature", &signature), ("timestamp", &stamp), ("nonce", nonce)], body.as_bytes(), NOW)
}

#[test]
fn a_clear_body_is_taken_in_plain_mode_only_and_its_query_once() {
    let body = "<xml><MsgType>text</MsgType></xml>";
    let of = |mode: &str| {
        let settings = json!({ "token": "new", "encoding_aes_key": KEY, "app_id": "corp", "mode": mode });
        connection("wechat-oa", &settings.to_string(), 900)
    };
    let driver = driver("wechat-oa");
    for mode in ["compat", "secure"] {
        let found = refused(driver.open_webhook(&of(mode), &clear("a", body)));
        assert_eq!(found, ("encryption_required".to_owned(), "body".to_owned()), "{mode}");
    }
    let plain = of("plain");
    assert_eq!(driver.open_webhook(&plain, &clear("a", body)).unwrap().body.as_deref(), Some(body.as_bytes()));
    assert!(driver.open_webhook(&plain, &clear("a", body)).is_ok(), "the vendor repeats itself");
    let other = "<xml><MsgType>event</MsgType></xml>";
    assert_eq!(refused(driver.open_webhook(&plain, &clear("a", other))).0, "replayed");
    assert!(driver.open_webhook(&plain, &clear("b", other)).is_ok());
    assert_eq!(refused(driver.open_webhook(&plain, &clear("c", "<!DOCTYPE a><xml/>"))).0, "bad_xml");
    // A sealed one is taken in every mode.
    for mode in ["plain", "compat", "secure"] {
        let mut request = GOOD.request();
        request.query.push(("encrypt_type".into(), "aes".into()));
        assert!(driver.open_webhook(&of(mode), &request).is_ok(), "{mode}");
    }
}

fn hashed_request(key: &str, body: &str, timestamp: i64) -> InboundRequest {
    let body = json!({ "encrypt": hashed::seal(key, [7; 16], body.as_bytes()) }).to_string();
    let stamp = timestamp.to_string();
    let mut made = request("POST", &[], body.as_bytes(), NOW);
    let signature = hex::encode(hashed::signature(key, &stamp, "n", body.as_bytes()));
    for (name, value) in [("timestamp", stamp.as_str()), ("nonce", "n")] {
        made.headers.push((format!("x-lark-request-{name}"), value.to_owned()));
    }
    made.headers.push(("x-lark-signature".into(), signature));
    made
}

#[test]
fn the_hashed_envelope_tells_key_token_and_changes_apart() {
    let settings = json!({ "encrypt_key": ["k1", "k2"], "verification_token": ["t1", "t2"], "receiver_id": "cli_a" });
    let made = connection("feishu", &settings.to_string(), 25_200);
    let event = |token: &str, app: &str| {
        json!({ "schema": "2.0", "header": { "token": token, "app_id": app, "event_type": "x" }, "event": {} })
            .to_string()
    };
    let open = |request: &InboundRequest| driver("feishu").open_webhook(&made, request);
    for (key, token) in [("k1", "t1"), ("k2", "t2"), ("k1", "t2")] {
        let text = event(token, "cli_a");
        assert_eq!(open(&hashed_request(key, &text, NOW)).unwrap().body, Some(text.into_bytes()));
    }
    let mut changed = hashed_request("k1", &event("t1", "cli_a"), NOW);
    changed.body.push(b' ');
    let mut unsigned = hashed_request("k1", &event("t1", "cli_a"), NOW);
    unsigned.headers.clear();
    let bare = request("POST", &[], event("t1", "cli_a").as_bytes(), NOW);
    for (request, reason, part) in [
        (hashed_request("k3", &event("t1", "cli_a"), NOW), "signature_mismatch", "encrypt key"),
        (changed, "signature_mismatch", "timestamp, nonce or body"),
        (hashed_request("k1", &event("t3", "cli_a"), NOW), "bad_token", "verification token"),
        (hashed_request("k1", &event("t1", "cli_b"), NOW), "wrong_receiver", "receiver id"),
        (bare, "encryption_required", "body"),
    ] {
        assert_eq!(refused(open(&request)), (reason.to_owned(), part.to_owned()));
    }
    assert_eq!(refused(open(&unsigned)).0, "missing_signature");
    assert_eq!(
        refused(open(&hashed_request("k1", &event("t1", "cli_a"), NOW - 25_201))).0,
        "timestamp_out_of_tolerance"
    );
}

#[test]
fn what_a_connection_lacks_is_told_with_its_place() {
    let problems = |name: &str, settings: &str| {
        let findings = Findings::new();
        driver(name).check_connection(&connection(name, settings, 900), &findings);
        findings.into_sorted().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(problems("dingtalk", &settings()), "");
    assert_eq!(problems("wecom", "{ corp_id: ww1 }"), "", "calls only");
    let short = problems("wecom", "{ corp_id: ww1, token: t, encoding_aes_key: abc }");
    assert!(short.contains("heron.yaml:3:") && short.contains("has 3 characters; it must have 43"), "{short}");
    assert!(problems("dingtalk", "{ token: t }").contains("need the setting `encoding_aes_key`"));
    assert!(problems("dingtalk", &format!("{{ token: t, encoding_aes_key: {KEY} }}")).contains("`receiver_id`"));
    assert!(problems("wechat-oa", "{ token: t, mode: open }").contains("`mode` is plain, compat or secure"));
    assert_eq!(problems("wechat-oa", "{ token: t, mode: plain }"), "");
    assert!(problems("feishu", "{ verification_token: t }").contains("warning"));
}

proptest! {
    #[test]
    fn every_message_opens_and_no_change_of_a_character_does(
        message in "[ -~李]{0,300}", at: prop::sample::Index, bit in 0_u8..6, part in 0_usize..4,
    ) {
        let text = json!({ "EventType": "x", "text": message }).to_string();
        let good = Sender { message: &text, ..GOOD }.request();
        prop_assert_eq!(open(&good).unwrap().body, Some(text.into_bytes()));
        let mut bad = good;
        let field: &mut Vec<u8> = if part == 3 { &mut bad.body } else { &mut vec![] };
        if part == 3 {
            // Within the sealed part, behind `{"encrypt":"`.
            let place = 12 + at.index(field.len() - 14);
            field[place] ^= 1 << bit;
        } else {
            let mut value = std::mem::take(&mut bad.query[part].1).into_bytes();
            let place = at.index(value.len());
            value[place] ^= 1 << bit;
            bad.query[part].1 = String::from_utf8(value).unwrap();
        }
        prop_assert!(open(&bad).is_err());
    }

    #[test]
    fn no_request_ends_the_process(
        query in proptest::collection::vec(("(signature|msg_signature|timestamp|nonce|echostr|encrypt_type)", ".{0,40}"), 0..6),
        body: Vec<u8>, text in "(<xml><Encrypt>|\\{\"encrypt\":\"|).{0,60}(</Encrypt></xml>|\"\\}|)", get: bool,
    ) {
        let query: Vec<(&str, &str)> = query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        for name in ["dingtalk", "wecom", "wechat-oa", "feishu"] {
            let settings = if name == "feishu" { r#"{"encrypt_key":"k"}"#.to_owned() } else { settings() };
            let made = connection(name, &settings, 900);
            for body in [body.as_slice(), text.as_bytes()] {
                let request = request(if get { "GET" } else { "POST" }, &query, body, NOW);
                prop_assert!(driver(name).open_webhook(&made, &request).is_err());
            }
        }
    }
}

#[test]
fn drivers_have_their_own_names() {
    for name in ["dingtalk", "wecom", "wechat-oa", "feishu"] {
        let found: Box<dyn Driver> = driver(name);
        assert_eq!(found.name(), name);
    }
}
