//! The change feed as its readers use it: pages, a page that waits, a stream, a batch.

use crate::subscriptions::stage_change;
use hub_support::{Backends, Place, wait_for};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(240);

fn page(place: &Place, query: &str) -> Value {
    place.get(&format!("/v1/events?{query}"))
}

fn the_feed_is_read_in_every_way(backends: Backends) {
    let place = Place::new(backends);
    let _hub = place.serve();
    let now = page(&place, "cursor=now");
    assert_eq!((now["data"].as_array().map(Vec::len), now["has_more"].as_bool()), (Some(0), Some(false)));
    let begin = now["next_cursor"].as_str().unwrap().to_owned();
    for minute in 1..=3 {
        stage_change(&place, 41, "Phone Screen", minute);
    }
    // A page that waits answers when something happens.
    let first = page(&place, &format!("cursor={begin}&wait=30&types=hr.application.*&limit=1"));
    let event = &first["data"][0];
    assert_eq!(
        (event["specversion"].as_str(), event["type"].as_str()),
        (Some("1.0"), Some("hr.application.created.v1"))
    );
    assert!(event["data"].get("record").is_none(), "{event:#}");
    let record = event["subject"].as_str().unwrap();
    // From page to page nothing is lost, and the end has a cursor too.
    let all = wait_for("all versions", LIMIT, || {
        let (mut all, mut cursor): (Vec<Value>, String) = (Vec::new(), begin.clone());
        loop {
            let page = page(&place, &format!("cursor={cursor}&limit=2&record={record}"));
            all.extend(page["data"].as_array().unwrap().clone());
            cursor = page["next_cursor"].as_str().unwrap().to_owned();
            if page["has_more"] == false {
                break;
            }
        }
        all.iter().any(|one| one["data"]["version"] == 3).then_some(all)
    });
    let versions: Vec<i64> = all.iter().map(|one| one["data"]["version"].as_i64().unwrap()).collect();
    assert!(versions.is_sorted(), "{versions:?}");
    // As a batch of CloudEvents.
    let key = place.secret("HRHUB_ADMIN_KEY");
    let ask = |accept: &str, query: &str| {
        let request = place.http().get(place.url(&format!("/v1/events?{query}"))).bearer_auth(&key);
        request.header("accept", accept).send().unwrap()
    };
    let batch = ask("application/cloudevents-batch+json", &format!("cursor={begin}&record={record}"));
    assert_eq!(batch.headers()["content-type"], "application/cloudevents-batch+json");
    assert!(batch.headers()["link"].to_str().unwrap().contains("rel=\"next\""), "{batch:?}");
    let batch: Value = serde_json::from_str(&batch.text().unwrap()).unwrap();
    assert_eq!(batch, Value::Array(all.clone()));
    // As a stream, which goes on where a reader broke off.
    let read = |last: &str, count: usize| {
        let request = place.http().get(place.url(&format!("/v1/events?record={record}"))).bearer_auth(&key);
        let answer = request.header("accept", "text/event-stream").header("last-event-id", last).send().unwrap();
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        let (mut id, mut got) = (String::new(), Vec::new());
        for line in BufReader::new(answer).lines().map(|line| line.unwrap()) {
            if let Some(text) = line.strip_prefix("id: ") {
                id = text.to_owned();
            } else if let Some(text) = line.strip_prefix("data: ") {
                got.push(serde_json::from_str::<Value>(text).unwrap());
            }
            if got.len() == count {
                break;
            }
        }
        (id, got)
    };
    let (last, begun) = read(&begin, 1);
    let (_, rest) = read(&last, all.len() - 1);
    assert_eq!([begun, rest].concat(), all);
    for (query, status, parameter) in [
        ("cursor=abc", 400, "cursor"),
        ("types=application", 400, "types"),
        ("entity=aplication", 400, "entity"),
        ("record=x", 400, "record"),
        ("wait=61", 400, "wait"),
        ("limit=0", 400, "limit"),
        ("conection=x", 400, "conection"),
    ] {
        let answer = ask("*/*", query);
        assert_eq!(answer.status(), status, "{query}");
        let problem: Value = serde_json::from_str(&answer.text().unwrap()).unwrap();
        assert_eq!(problem["parameter"], parameter, "{problem:#}");
    }
}

#[test]
fn the_feed_is_read_in_every_way_on_the_embedded_default() {
    the_feed_is_read_in_every_way(Backends::Embedded);
}

#[test]
fn the_feed_is_read_in_every_way_on_rabbitmq_and_postgresql() {
    the_feed_is_read_in_every_way(Backends::Servers);
}
