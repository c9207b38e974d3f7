//! Reading through the API, on SQLite and on PostgreSQL.

use crate::backend::Backend;
use crate::desk::{ADMIN, Desk, desk, word};
use hub_store::job;
use hub_tree::Clock;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

fn reference(entity: &str, id: &str) -> Value {
    json!({ "type": entity, "id": id })
}

fn ids(page: &Value) -> Vec<String> {
    let of = |record: &Value| record["id"].as_str().unwrap().to_owned();
    page["data"].as_array().unwrap().iter().map(of).collect()
}

/// All pages of a list: every record, and what the next list is asked with.
async fn pages(desk: &Desk, path: &str) -> (Vec<Value>, String) {
    let (mut all, mut cursor, mut since) = (Vec::new(), String::new(), None);
    loop {
        let page = desk.get(&format!("{path}{cursor}")).await;
        all.extend(page["data"].as_array().unwrap().clone());
        let told = page["next_updated_after"].as_str().unwrap().to_owned();
        assert_eq!(since.get_or_insert_with(|| told.clone()), &told, "all pages name one place");
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return (all, told),
        }
    }
}

mod contract {
    use super::*;

    pub(super) async fn of_ten_thousand_rows_that_change_while_they_are_read_none_is_lost_or_doubled(b: Backend) {
        let desk = Arc::new(desk(&b, Clock::System).await);
        let mut all = Vec::new();
        for _ in 0..20 {
            let made: Vec<String> = (0..500).map(|_| crate::backend::id()).collect();
            let words = made.iter().map(|id| word("location", id, true, &json!({ "name": "old", "code": id })));
            desk.apply(words.collect()).await;
            all.extend(made);
        }
        desk.publish().await;
        let writer = {
            let (desk, all) = (Arc::clone(&desk), all.clone());
            tokio::spawn(async move {
                let mut edited = BTreeSet::new();
                for n in 0..50_usize {
                    let ids: Vec<String> = (0..10).map(|m| all[(n * 7919 + m * 997) % all.len()].clone()).collect();
                    let words =
                        ids.iter().map(|id| word("location", id, false, &json!({ "name": format!("new {n}") })));
                    desk.apply(words.collect()).await;
                    edited.extend(ids);
                    if n % 3 == 0 {
                        desk.publish().await;
                    }
                    tokio::task::yield_now().await;
                }
                let fresh = desk.make("location", json!({ "name": "fresh", "code": "fresh" })).await;
                (edited, fresh)
            })
        };
        let (first, since) = pages(&desk, "/v1/locations?limit=97").await;
        let (edited, fresh) = writer.await.unwrap();
        assert_eq!(edited.len(), 500);
        let read: Vec<&str> = first.iter().map(|record| record["id"].as_str().unwrap()).collect();
        let unique: BTreeSet<&str> = read.iter().copied().collect();
        assert_eq!(unique.len(), read.len(), "none is doubled");
        assert!(all.iter().all(|id| unique.contains(id.as_str())), "none is lost");
        // The two lists together say the newest of every record.
        let (second, after) = pages(&desk, &format!("/v1/locations?limit=97&updated_after={since}")).await;
        let told: BTreeMap<&str, i64> = first
            .iter()
            .chain(&second)
            .map(|record| (record["id"].as_str().unwrap(), record["version"].as_i64().unwrap()))
            .collect();
        let (now, _) = pages(&desk, "/v1/locations?limit=500").await;
        assert_eq!(now.len(), all.len() + 1);
        for record in &now {
            let id = record["id"].as_str().unwrap();
            assert_eq!(told.get(id), record["version"].as_i64().as_ref(), "{id}");
        }
        assert!(told.contains_key(fresh.as_str()) && second.len() <= 501, "{} changed", second.len());
        // When everything is published and read, nothing is news.
        desk.publish().await;
        let (_, last) = pages(&desk, &format!("/v1/locations?limit=500&updated_after={after}")).await;
        assert_eq!(pages(&desk, &format!("/v1/locations?limit=500&updated_after={last}")).await.0, [Value::Null; 0]);
    }

    pub(super) async fn a_change_that_is_committed_late_is_in_the_next_list(b: Backend) {
        let clock = Clock::fixed("2026-03-01T10:00:00Z".parse().unwrap());
        let desk = desk(&b, clock.clone()).await;
        let early = desk.make("location", json!({ "name": "a" })).await;
        desk.publish().await;
        let (_, since) = pages(&desk, "/v1/locations?limit=5").await;
        // A change says when it was begun, and may be seen after others that began later.
        clock.set("2026-03-01T09:00:00Z".parse().unwrap());
        let late = desk.make("location", json!({ "name": "late" })).await;
        assert_eq!(ids(&desk.get("/v1/locations?updated_after=2026-03-01T09:30:00Z").await), [early]);
        let next = desk.get(&format!("/v1/locations?updated_after={since}")).await;
        assert_eq!(ids(&next), std::slice::from_ref(&late), "before it is published");
        desk.publish().await;
        assert_eq!(ids(&desk.get(&format!("/v1/locations?updated_after={since}")).await), [late]);
        let since = next["next_updated_after"].as_str().unwrap();
        desk.publish().await;
        let (_, now) = pages(&desk, "/v1/locations?limit=5").await;
        assert_eq!(ids(&desk.get(&format!("/v1/locations?updated_after={now}")).await), [""; 0]);
        assert_eq!(desk.get_as(ADMIN, "/v1/locations?updated_after=yesterday").await.0, 400);
        // What is not kept any more is said, not passed over.
        for n in 0..3 {
            desk.make("location", json!({ "name": format!("{n}") })).await;
        }
        desk.publish().await;
        b.store.write(job!(|tx| { tx.forget_events(i64::MAX, 100).await })).await.unwrap();
        let (status, problem) = desk.get_as(ADMIN, &format!("/v1/locations?updated_after={since}")).await;
        assert_eq!((status, problem["code"].as_str()), (410, Some("gone")), "{problem}");
    }

    pub(super) async fn records_are_read_in_parts_with_what_they_refer_to(b: Backend) {
        let desk = desk(&b, Clock::System).await;
        let candidate = desk
            .make("candidate", json!({ "name": { "full": "李娜" }, "emails": [{ "address": "li@strong.example" }] }))
            .await;
        let gone = crate::backend::id();
        let application = desk
            .make(
                "application",
                json!({ "candidate": reference("candidate", &candidate), "requisition": reference("requisition", &gone) }),
            )
            .await;
        let card = desk.make("scorecard", json!({ "application": reference("application", &application) })).await;
        let (structure, reader) = (desk.key("read:structure").await, desk.key("read").await);

        let path = format!("/v1/scorecards/{card}?expand=application.candidate");
        let (_, seen) = desk.get_as(&reader, &path).await;
        let inner = &seen["application"]["record"];
        assert_eq!((&inner["id"], &seen["application"]["id"]), (&json!(application), &json!(application)), "{seen}");
        assert_eq!(inner["candidate"]["record"]["name"]["full"], "李娜");
        // As the caller would see it alone.
        let (_, seen) = desk.get_as(&structure, &path).await;
        let person = &seen["application"]["record"]["candidate"]["record"];
        assert!(person["name"].is_null() && person["masked"].as_array().unwrap().contains(&json!("/name")), "{seen}");
        // What leads nowhere stays as it is, and is named.
        let (_, list) =
            desk.get_as(&reader, "/v1/applications?expand=candidate,requisition&fields=candidate,requisition").await;
        let one = &list["data"][0];
        assert_eq!(
            (&one["not_expanded"], &one["requisition"]["id"]),
            (&json!(["/requisition"]), &json!(gone)),
            "{one}"
        );
        let names: Vec<&String> = one.as_object().unwrap().keys().collect();
        assert_eq!(names, ["candidate", "id", "not_expanded", "requisition", "version"]);
        let (_, list) = desk.get_as(&reader, "/v1/applications?expand=candidate&fields=candidate.record.name").await;
        assert_eq!(list["data"][0]["candidate"], json!({ "record": { "name": { "full": "李娜" } } }));
        let (_, list) = desk.get_as(&structure, "/v1/candidates?fields=id,ability").await;
        assert_eq!(list["code"], "bad_parameter", "{list}");
        for (path, code) in [
            ("/v1/candidates?fields=name", "forbidden"),
            ("/v1/candidates?fields=nmae", "bad_parameter"),
            ("/v1/applications?expand=candidates", "bad_parameter"),
            ("/v1/applications?as_of=2026-01-01", "bad_parameter"),
            ("/v1/applications?known_at=now", "bad_parameter"),
            ("/v1/applications?fild=x", "bad_parameter"),
        ] {
            assert_eq!(desk.get_as(&structure, path).await.1["code"], code, "{path}");
        }
        let (_, problem) = desk.get_as(&structure, &format!("/v1/applications/{application}?limit=3")).await;
        assert_eq!((&problem["code"], &problem["parameter"]), (&json!("bad_parameter"), &json!("limit")));
    }

    pub(super) async fn a_filter_given_several_times_means_any_of_its_values(b: Backend) {
        let desk = desk(&b, Clock::System).await;
        let mut made = Vec::new();
        for outcome in ["PENDING", "HIRED", "REJECTED"] {
            made.push(desk.make("application", json!({ "outcome": { "value": outcome } })).await);
        }
        let two = desk.get("/v1/applications?outcome=PENDING&outcome=REJECTED").await;
        assert_eq!(ids(&two), [made[0].clone(), made[2].clone()]);
        assert_eq!(ids(&desk.get("/v1/applications?outcome=HIRED").await), [made[1].clone()]);
        let lines =
            desk.request("GET", ADMIN, "/v1/applications:export?format=ndjson&fields=outcome&outcome=HIRED", &[]);
        let lines = lines.await;
        assert_eq!(lines.headers["content-type"], "application/x-ndjson");
        let line: Value = serde_json::from_str(lines.text.trim_end()).unwrap();
        assert_eq!((&line["id"], &line["outcome"]["value"]), (&json!(made[1]), &json!("HIRED")), "{line}");
    }

    pub(super) async fn lists_and_records_have_tags_heads_and_methods(b: Backend) {
        let desk = desk(&b, Clock::System).await;
        let id = desk.make("location", json!({ "name": "Shanghai" })).await;
        let one = format!("/v1/locations/{id}");
        for (path, weak) in [("/v1/locations", true), (one.as_str(), false)] {
            let full = desk.request("GET", ADMIN, path, &[]).await;
            let tag = full.headers["etag"].to_str().unwrap().to_owned();
            assert_eq!((full.status, tag.starts_with("W/")), (200, weak), "{tag}");
            let same = desk.request("GET", ADMIN, path, &[("if-none-match", &tag)]).await;
            assert_eq!((same.status, same.text.as_str(), &same.headers["etag"]), (304, "", &full.headers["etag"]));
            let head = desk.request("HEAD", ADMIN, path, &[]).await;
            assert_eq!((head.status, head.text.as_str()), (200, ""));
            assert_eq!(head.headers["content-length"], full.text.len().to_string().as_str());
            assert_eq!(head.headers["etag"], full.headers["etag"]);
            desk.change("location", &id, json!({ "name": path })).await;
            let other = desk.request("GET", ADMIN, path, &[("if-none-match", &tag)]).await;
            assert_eq!(other.status, 200);
        }
        for (path, allow) in [
            ("/v1/locations:export", "GET, HEAD, OPTIONS"),
            ("/v1/raws", "GET, HEAD, OPTIONS"),
            ("/v1/batch", "OPTIONS, POST"),
            ("/healthz", "GET, HEAD, OPTIONS"),
        ] {
            for (method, status) in [("OPTIONS", 204), ("DELETE", 405)] {
                let answer = desk.request(method, ADMIN, path, &[]).await;
                let told = answer.headers["allow"].to_str().unwrap();
                assert_eq!((answer.status, told), (status, allow), "{method} {path}");
                assert!(!answer.headers.contains_key("access-control-allow-origin"));
            }
        }
    }

    pub(super) async fn a_batch_answers_each_request_as_if_it_came_alone(b: Backend) {
        let desk = desk(&b, Clock::System).await;
        let id = desk.make("location", json!({ "name": "Shanghai" })).await;
        let reader = desk.key("read").await;
        let one = |id: &str, method: &str, path: &str| json!({ "id": id, "method": method, "path": path });
        let path = format!("/v1/locations/{id}");
        let mut tagged = one("d", "GET", &path);
        tagged["headers"] = json!({ "If-None-Match": "\"1\"" });
        let requests =
            json!([one("a", "GET", &path), one("b", "GET", "/v1/raws"), one("c", "GET", "/v1/nothing"), tagged]);
        let answer = desk.post(&reader, "/v1/batch", &json!({ "requests": requests })).await;
        let told = answer.json();
        let statuses: Vec<(&str, u64)> = told["responses"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| (one["id"].as_str().unwrap(), one["status"].as_u64().unwrap()))
            .collect();
        assert_eq!((answer.status, statuses), (200, vec![("a", 200), ("b", 403), ("c", 404), ("d", 304)]), "{told}");
        let first = &told["responses"][0];
        assert_eq!((&first["body"]["name"], &first["headers"]["etag"]), (&json!("Shanghai"), &json!("\"1\"")));
        assert_eq!(told["responses"][3]["body"], Value::Null);
        let many: Vec<Value> = (0..51).map(|n| one(&n.to_string(), "GET", "/v1/jobs")).collect();
        for (body, status, pointer) in [
            (json!({ "requests": [] }), 422, "/requests"),
            (json!({ "requests": many }), 422, "/requests"),
            (json!({ "requests": [one("a", "GET", "/v1/jobs")], "atomic": true }), 422, "/atomic"),
            (json!({ "requests": [one("a", "POST", "/v1/batch")] }), 422, "/requests/0/path"),
            (json!({ "requests": [one("a", "GET", "/hooks/x")] }), 422, "/requests/0/path"),
            (json!({ "requests": [one("a", "GET", "/v1/jobs"), one("a", "GET", "/v1/jobs")] }), 422, "/requests/1/id"),
            (json!({ "requests": [one("a", "TRACE", "/v1/jobs")] }), 422, "/requests/0/method"),
        ] {
            let answer = desk.post(&reader, "/v1/batch", &body).await;
            assert_eq!((answer.status, answer.json()["pointer"].as_str()), (status, Some(pointer)), "{body}");
        }
        assert_eq!(desk.post(&reader, "/v1/batch", &json!({ "reqests": [] })).await.status, 400);
        assert_eq!(desk.post("nobody", "/v1/batch", &json!({ "requests": [] })).await.status, 401);
    }
}

on_both_stores!(
    of_ten_thousand_rows_that_change_while_they_are_read_none_is_lost_or_doubled,
    a_change_that_is_committed_late_is_in_the_next_list,
    records_are_read_in_parts_with_what_they_refer_to,
    a_filter_given_several_times_means_any_of_its_values,
    lists_and_records_have_tags_heads_and_methods,
    a_batch_answers_each_request_as_if_it_came_alone,
);
