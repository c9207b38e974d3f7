//! Good callbacks become records once; bad ones leave nothing but a line in the log and a count.

use super::{
    Callback, DRIVERS, KEY, RECEIVER, TOKEN, assert_good, begin, candidate, counted, joined, kept, now,
    wait_for_person, with,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hub_im::envelope::{self, AesKey};
use hub_im::hashed;
use serde_json::{Value, json};

#[test]
fn every_platforms_check_of_the_address_is_answered_and_nothing_is_kept() {
    let (place, _hub) = begin();
    let check = Callback::of("dingtalk", r#"{"EventType":"check_url"}"#.to_owned());
    assert_good("dingtalk", check.send(&place));

    let sealed = |text: &str| {
        let key = AesKey::read(KEY).unwrap();
        envelope::seal(&key, hub_tree::random::bytes(), text.as_bytes(), RECEIVER)
    };
    let (stamp, text) = (now().to_string(), "1616140317555161061");
    let echo = sealed(text);
    let signature = hex::encode(envelope::signature(&[TOKEN, &stamp, "n", &echo]));
    let query = [("msg_signature", signature.as_str()), ("timestamp", &stamp), ("nonce", "n"), ("echostr", &echo)];
    let url = place.url("/hooks/heron-wecom");
    let answer = place.http().get(with(&url, &query)).send().unwrap();
    assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/plain"));
    assert_eq!((answer.status().as_u16(), answer.text().unwrap().as_str()), (200, text));
    let wrong =
        [("msg_signature", "0".repeat(40)), ("timestamp", stamp.clone()), ("nonce", "n".into()), ("echostr", echo)];
    assert_eq!(place.http().get(with(&url, &wrong)).send().unwrap().status(), 401);

    let url = place.url("/hooks/heron-wechat-oa");
    let signature = hex::encode(envelope::signature(&[TOKEN, &stamp, "n"]));
    let echo = "<b>4375</b>";
    let query = [("signature", signature.as_str()), ("timestamp", &stamp), ("nonce", "n"), ("echostr", echo)];
    let answer = place.http().get(with(&url, &query)).send().unwrap();
    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
    assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/plain"));
    assert_eq!(answer.text().unwrap(), echo);
    let query = [("signature", signature.as_str()), ("timestamp", &stamp), ("nonce", "m"), ("echostr", echo)];
    let answer = place.http().get(with(&url, &query)).send().unwrap();
    assert_eq!(answer.status(), 401);
    assert!(!answer.text().unwrap().contains("4375"), "a refused check says nothing of the input");

    let url = place.url("/hooks/heron-feishu");
    let check = |token: &str| json!({ "challenge": "a\"b", "token": token, "type": "url_verification" }).to_string();
    let sealed =
        |text: String| json!({ "encrypt": hashed::seal(super::ENCRYPT_KEY, [3; 16], text.as_bytes()) }).to_string();
    for body in [check(TOKEN), sealed(check(TOKEN))] {
        let answer = place.http().post(&url).header("content-type", "application/json").body(body).send().unwrap();
        assert_eq!(answer.json::<Value>().unwrap(), json!({ "challenge": "a\"b" }));
    }
    for body in [check("other"), sealed(check("other"))] {
        let answer = place.http().post(&url).header("content-type", "application/json").body(body).send().unwrap();
        assert_eq!(answer.status(), 401);
    }
    assert_eq!(kept(&place), 0);
    for (driver, checks) in [("dingtalk", 1), ("wecom", 1), ("wechat-oa", 1), ("feishu", 2)] {
        assert_eq!(counted(&place, driver, "address_check"), checks, "{driver}");
    }
}

#[test]
fn a_good_callback_is_a_record_and_a_repeat_gets_the_same_good_answer() {
    let (place, _hub) = begin();
    for driver in DRIVERS {
        let callback = Callback::of(driver, joined(driver, "e1", "p1"));
        assert_good(driver, callback.send(&place));
        let first = wait_for_person(&place, driver, "p1");
        // Sealed anew, as a platform's repeat may be.
        assert_good(driver, callback.send(&place));
        // A later message of the same road has gone through, so the repeat has too.
        assert_good(driver, Callback::of(driver, joined(driver, "e2", "p2")).send(&place));
        wait_for_person(&place, driver, "p2");
        assert_eq!(candidate(&place, driver, "p1"), Some(first), "{driver}");
        assert_eq!(counted(&place, driver, "duplicate"), 1, "{driver}");
    }
}

fn cut(text: String, bytes: usize) -> String {
    let sealed = STANDARD.decode(text).unwrap();
    STANDARD.encode(&sealed[..sealed.len() - bytes])
}

#[test]
fn every_bad_callback_looks_the_same_from_outside_and_leaves_nothing() {
    let (place, hub) = begin();
    let mut seen = Vec::new();
    for driver in DRIVERS {
        let good = Callback::of(driver, joined(driver, "e1", "p1"));
        let other_key = if driver == "feishu" { "another" } else { "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C" };
        let doctype = "<!DOCTYPE xml [<!ENTITY a 'joined'>]><xml><EventType>&a;</EventType><id>p1</id></xml>";
        let mut bad = vec![
            ("a wrong key", Callback { key: other_key.to_owned(), ..good.clone() }),
            ("no signature", Callback { unsigned: true, ..good.clone() }),
            ("long ago", Callback { at: now() - 901, ..good.clone() }),
            ("far ahead", Callback { at: now() + 1_000, ..good.clone() }),
            ("cut within a block", Callback { sealed: |text| cut(text, 7), ..good.clone() }),
            ("cut between blocks", Callback { sealed: |text| cut(text, 32), ..good.clone() }),
            ("no base64", Callback { sealed: |text| text.replace('=', "*") + "*", ..good.clone() }),
            (
                "changed on its way",
                Callback { body: |text| text.replacen('A', "B", 1).replacen('a', "b", 1), ..good.clone() },
            ),
            ("a message that is no text", Callback { message: "\u{1}".into(), ..good.clone() }),
            ("a doctype inside", Callback { message: doctype.into(), ..good.clone() }),
            ("a doctype outside", Callback { body: |text| format!("<!DOCTYPE a>{text}"), ..good.clone() }),
            ("an empty body", Callback { body: |_| String::new(), ..good.clone() }),
        ];
        if driver == "feishu" {
            let message = good.message.replace(TOKEN, "other");
            bad.push(("another token", Callback { message, ..good.clone() }));
        } else {
            bad.push(("another token", Callback { token: "other".into(), ..good.clone() }));
            bad.push(("another receiver", Callback { receiver: "other0corp".into(), ..good.clone() }));
            bad.push(("a receiver that begins alike", Callback { receiver: "heron0corp2".into(), ..good.clone() }));
            bad.push((
                "a clear body",
                Callback { body: |_| "<xml><EventType>joined</EventType></xml>".into(), ..good.clone() },
            ));
        }
        let count = bad.len();
        for (what, callback) in bad {
            let answer = callback.send(&place);
            let status = answer.status().as_u16();
            let text = answer.text().unwrap();
            assert_eq!(status, 401, "{driver}, {what}: {text}");
            assert!(!text.contains("other0corp") && !text.contains("p1"), "{driver}, {what}: {text}");
            seen.push(text);
        }
        assert_eq!(counted(&place, driver, "unauthorized"), count as u64, "{driver}");
        let huge = Callback { body: |text| text + &" ".repeat(20_001), ..good.clone() };
        assert_eq!(huge.send(&place).status(), 413, "{driver}");
        assert_eq!(counted(&place, driver, "too_large"), 1, "{driver}");
        // What follows is taken as ever.
        assert_eq!(candidate(&place, driver, "p1"), None, "{driver}");
        assert_good(driver, good.send(&place));
        wait_for_person(&place, driver, "p1");
    }
    seen.dedup();
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert_eq!(kept(&place), DRIVERS.len(), "only the good ones are kept");
    let log = hub.log();
    for reason in [
        "signature_mismatch",
        "missing_signature",
        "timestamp_out_of_tolerance",
        "bad_ciphertext",
        "bad_padding",
        "wrong_receiver",
        "bad_xml",
        "bad_json",
        "bad_token",
        "encryption_required",
        "receiver id: the message names `other0corp`",
    ] {
        assert!(log.contains(reason), "the log does not say {reason}");
    }
    assert!(!log.contains(KEY) && !log.contains("林晓雨"), "a secret or a name is in the log");
}

#[test]
fn a_connection_may_say_its_own_largest_body_and_its_wrong_key_is_told_with_its_line() {
    let place = hub_support::Place::new(hub_support::Backends::Embedded);
    super::configure(&place);
    place.edit("connections/heron-wecom.yaml", |text| format!("max_body_bytes: 200\n{text}"));
    place.edit("connections/heron-dingtalk.yaml", |text| text.replace(KEY, &KEY[1..]));
    let _hub = place.serve();
    let good = Callback::of("wecom", joined("wecom", "e1", "p1"));
    assert_eq!(good.send(&place).status(), 413);
    let check = hub_support::run_hrhub(["check", place.config().to_str().unwrap()]);
    let (out, err) = hub_support::said(&check);
    let said = out + &err;
    assert!(said.contains("`encoding_aes_key` has 42 characters; it must have 43"), "{said}");
    assert!(said.contains("heron-dingtalk.yaml:5:"), "{said}");
}
