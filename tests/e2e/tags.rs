//! One version of a record is shown in several ways: whole for a purpose, masked without. Who has the one is never told
//! that the other is unchanged.

use hub_support::{Backends, Place};
use reqwest::blocking::Response;
use serde_json::{Value, json};

/// Sends a request as the admin, with a purpose or without.
fn send(
    place: &Place,
    (method, path): (&str, &str),
    purpose: bool,
    headers: &[(&str, &str)],
    body: &Value,
) -> Response {
    let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
    let mut request = place.http().request(method, place.url(path)).bearer_auth(place.secret("HRHUB_ADMIN_KEY"));
    if purpose {
        request = request.header("purpose", "paying salaries");
    }
    request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    if body.is_null() { request.send().unwrap() } else { request.body(body.to_string()).send().unwrap() }
}

fn tag(answer: &Response) -> String {
    answer.headers()["etag"].to_str().unwrap().to_owned()
}

#[test]
fn who_knows_a_masked_record_is_not_told_that_the_whole_one_is_unchanged_nor_the_reverse() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    let new = json!({ "bank_name": "Heron Bank", "account_no": "6222020000000101" });
    let made = send(&place, ("POST", "/v1/bank-accounts"), true, &[], &new);
    let made_as = tag(&made);
    let made: Value = made.json().unwrap();
    let one = format!("/v1/bank-accounts/{}", made["id"].as_str().unwrap());
    for path in [one.as_str(), "/v1/bank-accounts"] {
        let get = |purpose: bool, known: &str| {
            let known = [("if-none-match", known)];
            send(&place, ("GET", path), purpose, if known[0].1.is_empty() { &[] } else { &known }, &Value::Null)
        };
        let (masked, whole) = (get(false, ""), get(true, ""));
        let (masked_as, whole_as) = (tag(&masked), tag(&whole));
        assert_ne!(masked_as, whole_as, "{path}");
        for answer in [&masked, &whole] {
            assert_eq!(answer.headers()["vary"], "authorization, purpose", "{path}");
        }
        let (masked, whole) = (masked.text().unwrap(), whole.text().unwrap());
        assert!(!masked.contains("Heron Bank") && masked.contains("\"masked\""), "{masked}");
        assert!(whole.contains("Heron Bank") && !whole.contains("\"masked\""), "{whole}");
        // Who comes back in another way gets what they are shown in that way.
        for (purpose, known, own, shown) in
            [(true, &masked_as, &whole_as, &whole), (false, &whole_as, &masked_as, &masked)]
        {
            let answer = get(purpose, known);
            assert_eq!((answer.status().as_u16(), &tag(&answer)), (200, own), "{path} {purpose}");
            if path == one {
                assert_eq!(&answer.text().unwrap(), shown);
            }
            // In the same way, there is nothing new, also for who knows both.
            for known in [own.clone(), format!("{known}, {own}")] {
                let answer = get(purpose, &known);
                assert_eq!((answer.status().as_u16(), &tag(&answer)), (304, own), "{path} {purpose}");
                assert_eq!(answer.headers()["vary"], "authorization, purpose");
            }
        }
        if path == one {
            assert_eq!(made_as, whole_as, "an answer to a write is tagged by what it shows");
        }
    }
    // A change is made to the version, however much of it was seen.
    for (version, shown) in [(1, "-s3"), (2, "")] {
        let known = format!("\"{version}{shown}\"");
        let change =
            |custom: Value| send(&place, ("PATCH", &one), false, &[("if-match", &known)], &json!({ "custom": custom }));
        let changed = change(json!({ "checked": version }));
        assert_eq!(changed.status(), 200, "{known}: {}", changed.text().unwrap());
        assert_eq!(change(json!({ "late": version })).status(), 412, "{known}");
    }
}
