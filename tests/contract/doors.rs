//! Who is limited to org units sees what belongs there, at every door of the API, and no byte of the rest.

use crate::backend::Backend;
use crate::desk::{Answer, Desk, desk};
use axum::body::Body;
use axum::http::Request;
use hub_flow::access::apps::{self, AppChange, NewApp, Unfit};
use hub_flow::access::{Grants, Units};
use hub_flow::audit::Entry;
use hub_store::job;
use hub_tree::Clock;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Records by a short name, with their entity and id: `a.payslip` is the payslip of somebody in branch A.
type Enterprise = BTreeMap<String, (&'static str, String)>;

/// A head office with two branches, each with one of everything.
async fn of_two_branches(desk: &Desk) -> Enterprise {
    let mut all = Enterprise::new();
    let mut add = async |name: String, entity: &'static str, refers: &[(&str, String)], mut says: Value| {
        for (field, to) in refers {
            let (kind, id) = &all[to];
            says[*field] = json!({ "type": kind, "id": id });
        }
        let id = desk.make(entity, says).await;
        all.insert(name, (entity, id));
    };
    add("h.department".to_owned(), "department", &[], json!({ "name": "h-canary" })).await;
    for branch in ["a", "b"] {
        let canary = format!("{branch}-canary");
        let at = |name: &str| format!("{branch}.{name}");
        let up = |field: &'static str, to: &str| (field, format!("{branch}.{to}"));
        let title = || json!({ "title": canary });
        let parent = [("parent", "h.department".to_owned())];
        add(at("department"), "department", &parent, json!({ "name": canary })).await;
        add(at("requisition"), "requisition", &[up("department", "department")], title()).await;
        add(at("staff"), "person", &[], json!({ "name": { "full": canary } })).await;
        add(at("applicant"), "person", &[], json!({ "name": { "full": canary } })).await;
        add(at("candidate"), "candidate", &[up("person", "applicant")], json!({ "headline": canary })).await;
        let of = [up("candidate", "candidate"), up("requisition", "requisition")];
        add(at("application"), "application", &of, json!({ "source_detail": canary })).await;
        add(at("offer"), "offer", &[up("application", "application")], title()).await;
        add(at("employee"), "employee", &[up("person", "staff")], json!({ "username": canary })).await;
        add(at("employment"), "employment", &[up("employee", "employee")], json!({ "start_on": "2020-01-01" })).await;
        let of = [up("employment", "employment"), up("department", "department")];
        add(at("assignment"), "job_assignment", &of, json!({ "valid_from": "2020-01-01" })).await;
        add(at("payslip"), "payslip", &[up("employee", "employee")], json!({ "currency": canary })).await;
        add(at("goal"), "goal", &[up("owner", "employee")], title()).await;
    }
    // Somebody who has moved from A to B, and somebody who has left A.
    for (name, end) in [("moved", "a"), ("left", "a")] {
        let of = |field: &'static str, to: &str| (field, format!("{name}.{to}"));
        add(format!("{name}.employee"), "employee", &[], json!({ "username": name })).await;
        add(format!("{name}.employment"), "employment", &[of("employee", "employee")], json!({})).await;
        let to = [of("employment", "employment"), ("department", format!("{end}.department"))];
        add(format!("{name}.first"), "job_assignment", &to, json!({ "valid_to": "2020-06-30" })).await;
    }
    let to = [("employment", "moved.employment".to_owned()), ("department", "b.department".to_owned())];
    add("moved.second".to_owned(), "job_assignment", &to, json!({ "valid_from": "2020-07-01" })).await;
    // Belongs to nobody's unit, and to everybody's.
    add("run".to_owned(), "payroll_run", &[], json!({ "note": "b-canary" })).await;
    add("place".to_owned(), "location", &[], json!({ "name": "everywhere" })).await;
    all
}

async fn app(desk: &Desk, grants: &str, units: Option<(&str, bool)>) -> Result<(String, String), Unfit> {
    let units = units.map(|(unit, below)| Units { departments: vec![unit.to_owned()], below });
    let (tenant, grants) = ("default".to_owned(), Grants::parse(grants).unwrap());
    let new = NewApp { tenant, name: "limited".to_owned(), grants, units, expires_at: None };
    let entry = Entry::by_command("default", "app.created");
    let made = apps::create(&desk.hub.store, &Clock::System, entry, new).await?;
    Ok((made.row.app.id.clone(), made.shown.expose().clone()))
}

async fn ask(desk: &Desk, key: &str, method: &str, path: &str, body: &Value) -> Answer {
    let request = Request::builder().method(method).uri(path).header("authorization", format!("Bearer {key}"));
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    desk.ask(request.header("content-type", "application/json").body(body).unwrap()).await
}

mod contract {
    use super::*;

    pub(super) async fn a_branch_sees_itself_and_a_head_office_its_branches_at_every_door(b: Backend) {
        let desk = desk(&b, Clock::System).await;
        let all = of_two_branches(&desk).await;
        desk.publish().await;
        let (a, h) = (all["a.department"].1.clone(), all["h.department"].1.clone());
        let wide = "read:restricted";
        let callers = [
            ("branch A", app(&desk, wide, Some((&a, true))).await.unwrap().1, "a"),
            ("branch A alone", app(&desk, wide, Some((&a, false))).await.unwrap().1, "a"),
            ("head office", app(&desk, wide, Some((&h, true))).await.unwrap().1, "hab"),
            ("head office alone", app(&desk, wide, Some((&h, false))).await.unwrap().1, "h"),
            ("everybody", app(&desk, wide, None).await.unwrap().1, "hab*"),
        ];
        for (who, key, sees) in &callers {
            let everything = sees.contains('*');
            let hidden: Vec<String> = ["h", "a", "b"]
                .iter()
                .filter(|unit| !sees.contains(**unit))
                .map(|unit| format!("{unit}-canary"))
                .collect();
            let look = async |path: &str, wanted: u16| {
                let answer = ask(&desk, key, "GET", path, &Value::Null).await;
                assert_eq!(answer.status, wanted, "{who}: {path}: {}", answer.text);
                assert!(!hidden.iter().any(|canary| answer.text.contains(canary)), "{who}: {path}: {}", answer.text);
                answer.text
            };
            for (name, (entity, id)) in &all {
                let own = match name.as_str() {
                    "place" => true,
                    "run" => everything,
                    "moved.first" | "left.employee" | "left.employment" | "left.first" => sees.contains('a'),
                    "moved.employee" | "moved.employment" | "moved.second" => sees.contains('b'),
                    other => sees.contains(&other[..1]),
                };
                let collection = hub_model::entity(entity).unwrap().collection;
                let status = if own { 200 } else { 404 };
                look(&format!("/v1/{collection}/{id}"), status).await;
                look(&format!("/v1/{collection}/{id}/history"), status).await;
                if !own {
                    look(&format!("/v1/{collection}/{id}/explain?field=version"), 404).await;
                }
                for path in ["", ":export", "?include_deleted=true", "?limit=500&updated_after=2000-01-01T00:00:00Z"] {
                    let text = look(&format!("/v1/{collection}{path}"), 200).await;
                    // Others may refer to it.
                    let there = text.contains(&format!(r#"{{"id":"{id}","tenant_id""#))
                        || text.lines().any(|line| line.starts_with(id.as_str()));
                    assert_eq!(there, own, "{who}: {collection}{path} and {name}: {text}");
                }
            }
            for expand in ["employee", "employee.person", "application.candidate"] {
                for collection in ["payslips", "offers"] {
                    let path = format!("/v1/{collection}?expand={expand}");
                    let answer = ask(&desk, key, "GET", &path, &Value::Null).await;
                    assert!(!hidden.iter().any(|canary| answer.text.contains(canary)), "{who}: {path}");
                }
            }
            for filter in [format!("parent={h}"), format!("parent={a}")] {
                look(&format!("/v1/departments?{filter}"), 200).await;
            }
            for door in ["/v1/imports", "/v1/journeys", "/v1/parked", "/v1/connections", "/v1/apps"] {
                look(door, 403).await;
            }
            for door in ["/v1/events", "/v1/subscriptions", "/scim/v2/Users", "/scim/v2/Groups"] {
                look(door, if everything { 200 } else { 403 }).await;
            }
            if !everything {
                let path = format!("/v1/departments/{}/raw", if sees.contains('h') { &h } else { &a });
                look(&path, 403).await;
            }
        }
    }

    pub(super) async fn a_limited_caller_writes_what_they_see_and_brings_nothing_else_into_sight(b: Backend) {
        let desk = desk(&b, Clock::System).await;
        let all = of_two_branches(&desk).await;
        let (_, key) = app(&desk, "read write", Some((&all["a.department"].1, true))).await.unwrap();
        let to = |name: &str| json!({ "type": all[name].0, "id": all[name].1 });
        let write = async |method: &str, path: &str, body: Value| {
            let answer = ask(&desk, &key, method, path, &body).await;
            (answer.status, answer.text)
        };
        let own = json!({ "employee": to("a.employee"), "name": "x" });
        let refused = [
            ("POST", "/v1/goals".to_owned(), json!({ "title": "x" })),
            ("POST", "/v1/goals".to_owned(), json!({ "title": "x", "owner": to("b.employee") })),
            ("POST", "/v1/employees".to_owned(), json!({ "username": "x" })),
            ("POST", "/v1/positions".to_owned(), json!({ "title": "x", "department": to("b.department") })),
            (
                "POST",
                "/v1/applications".to_owned(),
                json!({ "requisition": to("a.requisition"), "candidate": to("b.candidate") }),
            ),
            ("PATCH", format!("/v1/goals/{}", all["a.goal"].1), json!({ "owner": to("b.employee") })),
            ("PATCH", format!("/v1/employees/{}", all["a.employee"].1), json!({ "person": to("b.staff") })),
            ("PATCH", format!("/v1/requisitions/{}", all["a.requisition"].1), json!({ "department": null })),
            ("POST", "/v1/goals:batch".to_owned(), json!({ "items": [own] })),
        ];
        for (method, path, body) in refused {
            let (status, text) = write(method, &path, body.clone()).await;
            assert!(status == 403 && text.contains("limited_to_units"), "{method} {path} {body}: {status} {text}");
        }
        for (method, path) in [("PATCH", "goals"), ("DELETE", "goals")] {
            let path = format!("/v1/{path}/{}", all["b.goal"].1);
            assert_eq!(write(method, &path, json!({ "title": "mine" })).await.0, 404, "{method} {path}");
        }
        let (status, text) = write("PATCH", &format!("/v1/goals/{}", all["a.goal"].1), json!({ "title": "y" })).await;
        assert_eq!(status, 200, "{text}");
    }

    pub(super) async fn what_reaches_beyond_units_is_not_granted_together_with_a_limit(b: Backend) {
        let desk = desk(&b, Clock::System).await;
        let all = of_two_branches(&desk).await;
        let unit = all["a.department"].1.as_str();
        for wide in ["read ops", "admin", "read import", "read audit", "passthrough"] {
            assert!(matches!(app(&desk, wide, Some((unit, true))).await, Err(Unfit::TooWide(_))), "{wide}");
        }
        let (id, key) = app(&desk, "read:employees", Some((unit, true))).await.unwrap();
        let count = async || {
            ask(&desk, &key, "GET", "/v1/employees", &Value::Null).await.json()["data"].as_array().unwrap().len()
        };
        assert_eq!(count().await, 2, "one who works there, and one who left");
        let find = async || {
            let id = id.clone();
            desk.hub.store.read(job!(|tx| { tx.app(&id).await })).await.unwrap().unwrap()
        };
        let change = async |change: AppChange| {
            let entry = Entry::by_command("default", "app.changed");
            apps::change(&desk.hub.store, &Clock::System, entry, find().await, change).await
        };
        let wide = AppChange { grants: Some(Grants::parse("ops").unwrap()), ..AppChange::default() };
        assert!(matches!(change(wide).await, Err(Unfit::TooWide(_))));
        change(AppChange { units: Some(Vec::new()), ..AppChange::default() }).await.unwrap();
        assert_eq!(count().await, 4, "no limit any more");
        for (word, known) in [(unit, true), (all["a.employee"].1.as_str(), false), ("hris/1", false)] {
            let found = apps::departments(&desk.hub.store, "default", vec![word.to_owned()]).await;
            assert_eq!(found.is_ok(), known, "{word}");
        }
        let elsewhere = apps::departments(&desk.hub.store, "other", vec![unit.to_owned()]).await;
        assert!(matches!(elsewhere, Err(Unfit::NoUnit(_))), "a department of another tenant");
    }
}

on_both_stores!(
    a_branch_sees_itself_and_a_head_office_its_branches_at_every_door,
    a_limited_caller_writes_what_they_see_and_brings_nothing_else_into_sight,
    what_reaches_beyond_units_is_not_granted_together_with_a_limit,
);
