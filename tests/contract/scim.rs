//! SCIM on SQLite and on PostgreSQL: names that are nobody else's even when all ask at once, groups that many change, and
//! the requests that Microsoft Entra ID and Okta send.

use crate::backend::Backend;
use crate::desk::{ADMIN, Answer, Desk, desk};
use axum::body::Body;
use axum::http::Request;
use hub_tree::Clock;
use serde_json::{Value, json};
use std::sync::Arc;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

async fn ask(desk: &Desk, method: &str, path: &str, body: &Value) -> Answer {
    let request = Request::builder().method(method).uri(format!("/scim/v2{path}"));
    let request = request.header("authorization", format!("Bearer {ADMIN}"));
    let request = request.header("content-type", "application/scim+json");
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    desk.ask(request.body(body).unwrap()).await
}

/// A request that must end with this status; what was said.
async fn done(desk: &Desk, (method, path, status): (&str, &str, u16), body: &Value) -> Value {
    let answer = ask(desk, method, path, body).await;
    assert_eq!(answer.status, status, "{method} {path} {body}: {}", answer.text);
    if answer.text.is_empty() { Value::Null } else { answer.json() }
}

async fn get(desk: &Desk, path: &str) -> Value {
    done(desk, ("GET", path, 200), &Value::Null).await
}

async fn make_user(desk: &Desk, name: &str) -> String {
    let made = done(desk, ("POST", "/Users", 201), &json!({ "schemas": [USER], "userName": name })).await;
    made["id"].as_str().unwrap().to_owned()
}

/// Sends a change; the resource as it is read afterwards.
async fn patch(desk: &Desk, path: &str, operations: Value) -> Value {
    let request = json!({ "schemas": [PATCH], "Operations": operations });
    let answered = done(desk, ("PATCH", path, 200), &request).await;
    let read = get(desk, path).await;
    assert_eq!(answered, read, "{operations}: the answer is what is kept");
    read
}

/// Asks all at once, as many callers do; the statuses in order, and what the refused were told.
async fn all_at_once(desk: &Arc<Desk>, requests: Vec<(&'static str, String, Value)>) -> (Vec<u16>, Vec<Value>) {
    let mut asked = Vec::new();
    for (method, path, body) in requests {
        let desk = Arc::clone(desk);
        asked.push(tokio::spawn(async move { ask(&desk, method, &path, &body).await }));
    }
    let (mut statuses, mut refused) = (Vec::new(), Vec::new());
    for one in asked {
        let answer = one.await.unwrap();
        statuses.push(answer.status);
        if answer.status >= 400 {
            refused.push(answer.json());
        }
    }
    statuses.sort_unstable();
    (statuses, refused)
}

fn member_ids(group: &Value) -> Vec<&str> {
    let members = group["members"].as_array().into_iter().flatten();
    members.map(|member| member["value"].as_str().unwrap()).collect()
}

async fn found(desk: &Desk, name: &str) -> usize {
    let filter: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let list = get(desk, &format!("/Users?filter=userName%20eq%20%22{filter}%22")).await;
    usize::try_from(list["totalResults"].as_u64().unwrap()).unwrap()
}

mod contract {
    use super::*;

    pub(super) async fn of_all_who_want_one_name_at_once_one_gets_it(b: Backend) {
        let desk = Arc::new(desk(&b, Clock::System).await);
        for round in 0..5 {
            // The case makes no difference.
            let names = ["mei", "Mei", "MEI", "mEi"].map(|form| format!("{form}.{round}@corp.example"));
            let user = |name: &String| ("POST", "/Users".to_owned(), json!({ "schemas": [USER], "userName": name }));
            let (statuses, refused) = all_at_once(&desk, names.iter().chain(&names).map(user).collect()).await;
            assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409], "round {round}: {refused:?}");
            assert!(refused.iter().all(|said| said["scimType"] == "uniqueness" && said["status"] == "409"));
            assert_eq!(found(&desk, &names[3]).await, 1);
        }
        assert_eq!(get(&desk, "/Users").await["totalResults"], 5, "who was refused left nothing");
    }

    pub(super) async fn of_two_who_are_renamed_alike_at_once_one_is(b: Backend) {
        let desk = Arc::new(desk(&b, Clock::System).await);
        for round in 0..5 {
            let mut requests = Vec::new();
            for number in 0..2 {
                let id = make_user(&desk, &format!("old{number}.{round}")).await;
                let change =
                    json!({ "Operations": [{ "op": "replace", "path": "userName", "value": format!("new.{round}") }] });
                requests.push(("PATCH", format!("/Users/{id}"), change));
            }
            let (statuses, refused) = all_at_once(&desk, requests).await;
            assert_eq!(statuses, [200, 409], "{refused:?}");
            assert_eq!(found(&desk, &format!("new.{round}")).await, 1);
        }
    }

    pub(super) async fn a_name_is_free_again_behind_its_user_and_taken_while_hr_shows_it(b: Backend) {
        let desk = desk(&b, Clock::System).await;
        let id = make_user(&desk, "mei").await;
        // One's own name in another case is no conflict.
        let again =
            patch(&desk, &format!("/Users/{id}"), json!([{ "op": "replace", "value": { "userName": "Mei" } }])).await;
        assert_eq!(again["userName"], "Mei");
        let put = json!({ "schemas": [USER], "userName": "MEI" });
        done(&desk, ("PUT", &format!("/Users/{id}"), 200), &put).await;
        done(&desk, ("DELETE", &format!("/Users/{id}"), 204), &Value::Null).await;
        make_user(&desk, "mei").await;
        // Whoever has no name to sign in with is shown by the work address, the number or the id.
        let known = desk.make("employee", json!({ "work_email": "Jun@corp.example", "employee_number": "E7" })).await;
        let numbered = desk.make("employee", json!({ "employee_number": "E8" })).await;
        let nameless = desk.make("employee", json!({ "status": { "value": "ACTIVE" } })).await;
        for (name, whose) in [("jun@corp.example", &known), ("e8", &numbered), (nameless.as_str(), &nameless)] {
            let said = done(&desk, ("POST", "/Users", 409), &json!({ "schemas": [USER], "userName": name })).await;
            assert_eq!(said["scimType"], "uniqueness", "{name}");
            assert_eq!(found(&desk, name).await, 1, "{name}");
            assert_eq!(get(&desk, &format!("/Users/{whose}")).await["id"].as_str(), Some(whose.as_str()));
        }
        make_user(&desk, "Änne").await;
        done(&desk, ("POST", "/Users", 409), &json!({ "schemas": [USER], "userName": "äNNE" })).await;
        make_user(&desk, "Önne").await;
        assert_eq!((found(&desk, "ÖNNE").await, found(&desk, "äNNE").await), (1, 1));
        for (length, status) in [(2000, 201), (2001, 400)] {
            // Nothing in it that a database could make shorter.
            let name: String = (0_u32..)
                .map(|n| char::from(b'a' + u8::try_from(n * n % 8_191 * 7 % 26).unwrap()))
                .take(length)
                .collect();
            let said = done(&desk, ("POST", "/Users", status), &json!({ "schemas": [USER], "userName": name })).await;
            assert_eq!(said["scimType"] == "invalidValue", status == 400, "{said}");
        }
        // A number that is not shown as a name is no name.
        make_user(&desk, "E7").await;
        assert_eq!((found(&desk, "E7").await, found(&desk, "nobody").await), (1, 0));
    }

    pub(super) async fn members_that_are_added_at_once_are_all_in(b: Backend) {
        let desk = Arc::new(desk(&b, Clock::System).await);
        let mut ids = Vec::new();
        for number in 0..9 {
            ids.push(make_user(&desk, &format!("user{number}")).await);
        }
        let first = json!({ "schemas": [GROUP], "displayName": "Tide", "members": [{ "value": ids[8] }] });
        let group = done(&desk, ("POST", "/Groups", 201), &first).await;
        let path = format!("/Groups/{}", group["id"].as_str().unwrap());
        let change = |op: &str, id: &String| json!({ "Operations": [{ "op": op, "path": "members", "value": [{ "value": id }] }] });
        let mut requests: Vec<_> = ids[..8].iter().map(|id| ("PATCH", path.clone(), change("add", id))).collect();
        requests.push(("PATCH", path.clone(), change("remove", &ids[8])));
        let (statuses, refused) = all_at_once(&desk, requests).await;
        assert_eq!(statuses, [200; 9], "{refused:?}");
        let mut wanted: Vec<&str> = ids[..8].iter().map(String::as_str).collect();
        wanted.sort_unstable();
        assert_eq!(member_ids(&get(&desk, &path).await), wanted);
    }

    /// As Entra ID's provisioning service sends it, in the order of an employee's life.
    pub(super) async fn what_entra_sends_is_done(b: Backend) {
        let desk = desk(&b, Clock::System).await;
        assert_eq!(found(&desk, "mei.lin@corp.example").await, 0, "it looks before it makes");
        let user = done(
            &desk,
            ("POST", "/Users", 201),
            &json!({
                "schemas": [USER, ENTERPRISE], "externalId": "4f1c", "userName": "mei.lin@corp.example", "active": true,
                "displayName": "Mei Lin", "emails": [{ "primary": true, "type": "work", "value": "mei.lin@corp.example" }],
                "meta": { "resourceType": "User" }, "name": { "formatted": "Mei Lin", "familyName": "Lin", "givenName": "Mei" },
                "roles": [], "title": "Engineer",
            }),
        )
        .await;
        let path = format!("/Users/{}", user["id"].as_str().unwrap());
        let now = patch(
            &desk,
            &path,
            json!([
                { "op": "Replace", "path": "emails[type eq \"work\"].value", "value": "mei@corp.example" },
                { "op": "Add", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "+12025550143" },
                { "op": "Replace", "path": "name.familyName", "value": "Chen" },
                { "op": "Add", "path": format!("{ENTERPRISE}:employeeNumber"), "value": "E77" },
                { "op": "Add", "path": format!("{ENTERPRISE}:manager"), "value": "somebody" },
            ]),
        )
        .await;
        assert_eq!(now["emails"], json!([{ "primary": true, "type": "work", "value": "mei@corp.example" }]));
        assert_eq!(now["phoneNumbers"], json!([{ "type": "mobile", "value": "+12025550143" }]));
        assert_eq!((&now["name"]["familyName"], &now["name"]["givenName"]), (&json!("Chen"), &json!("Mei")));
        assert_eq!(now[ENTERPRISE], json!({ "employeeNumber": "E77" }), "the manager is HR's to say");
        // The work address of the record follows.
        assert_eq!(
            desk.get(&format!("/v1/employees/{}", user["id"].as_str().unwrap())).await["work_email"],
            "mei@corp.example"
        );
        for (value, active) in [(json!("False"), false), (json!("True"), true), (json!(false), false)] {
            let now = patch(&desk, &path, json!([{ "op": "Replace", "path": "active", "value": value }])).await;
            assert_eq!(now["active"], active, "{value}");
        }
        let now = patch(
            &desk,
            &path,
            json!([
                { "op": "Replace", "value": { "active": "True", "name.givenName": "Meimei", "displayName": "Meimei Chen" } },
                { "op": "Remove", "path": "phoneNumbers[type eq \"mobile\"].value" },
                { "op": "Remove", "path": format!("{ENTERPRISE}:employeeNumber") },
            ]),
        )
        .await;
        assert_eq!((&now["active"], &now["displayName"]), (&json!(true), &json!("Meimei Chen")));
        assert_eq!(
            (&now["name"]["givenName"], &now["phoneNumbers"], &now[ENTERPRISE]),
            (&json!("Meimei"), &Value::Null, &Value::Null)
        );

        let group = json!({ "schemas": [GROUP], "externalId": "8aa1", "displayName": "Tide", "meta": { "resourceType": "Group" } });
        let group = done(&desk, ("POST", "/Groups", 201), &group).await;
        let (group, other) = (format!("/Groups/{}", group["id"].as_str().unwrap()), make_user(&desk, "jun").await);
        let id = user["id"].as_str().unwrap();
        let value = json!([{ "$ref": null, "value": id }, { "$ref": null, "value": other }]);
        let now = patch(&desk, &group, json!([{ "op": "Add", "path": "members", "value": value }])).await;
        assert_eq!(member_ids(&now).len(), 2);
        let without = get(&desk, &format!("{group}?excludedAttributes=members")).await;
        assert!(without.get("members").is_none(), "{without}");
        let gone = json!([{ "op": "Remove", "path": "members", "value": [{ "$ref": null, "value": id }] }]);
        assert_eq!(member_ids(&patch(&desk, &group, gone).await), [other.as_str()]);
        let renamed = patch(&desk, &group, json!([{ "op": "Replace", "path": "displayName", "value": "Ebb" }])).await;
        assert_eq!((&renamed["displayName"], member_ids(&renamed).len()), (&json!("Ebb"), 1));
        done(&desk, ("DELETE", &path, 204), &Value::Null).await;
        done(&desk, ("DELETE", &group, 204), &Value::Null).await;
        done(&desk, ("GET", &group, 404), &Value::Null).await;
    }

    /// As Okta's SCIM integrations send it: users by `PUT`, flags and group names by a path-less change.
    pub(super) async fn what_okta_sends_is_done(b: Backend) {
        let desk = desk(&b, Clock::System).await;
        let list = get(&desk, "/Users?startIndex=1&count=2&filter=userName%20eq%20%22jun%40corp.example%22").await;
        assert_eq!((&list["totalResults"], &list["Resources"]), (&json!(0), &json!([])));
        let mut user = json!({
            "schemas": [USER], "userName": "jun@corp.example", "name": { "givenName": "Jun", "familyName": "Abe" },
            "emails": [{ "primary": true, "value": "jun@corp.example", "type": "work" }], "displayName": "Jun Abe",
            "locale": "en-US", "externalId": "00ujl29", "groups": [], "password": "1mz050nq", "active": true,
        });
        let made = done(&desk, ("POST", "/Users", 201), &user).await;
        assert!(made.get("password").is_none() && made.get("locale").is_none(), "{made}");
        let path = format!("/Users/{}", made["id"].as_str().unwrap());
        user["id"] = made["id"].clone();
        user["name"]["familyName"] = "Sato".into();
        user["phoneNumbers"] = json!([{ "primary": true, "value": "+12025550177", "type": "mobile" }]);
        user["meta"] = json!({ "resourceType": "User" });
        let put = done(&desk, ("PUT", &path, 200), &user).await;
        assert_eq!(
            (&put["name"]["familyName"], &put["phoneNumbers"][0]["value"]),
            (&json!("Sato"), &json!("+12025550177"))
        );
        for active in [false, true] {
            let now = patch(&desk, &path, json!([{ "op": "replace", "value": { "active": active } }])).await;
            assert_eq!(now["active"], active);
        }

        let group = json!({ "schemas": [GROUP], "displayName": "Tide", "members": [] });
        let group = done(&desk, ("POST", "/Groups", 201), &group).await;
        let (at, other) = (format!("/Groups/{}", group["id"].as_str().unwrap()), make_user(&desk, "ilse").await);
        let named = json!([{ "op": "replace", "value": { "id": group["id"], "displayName": "Tide Team" } }]);
        assert_eq!(patch(&desk, &at, named).await["displayName"], "Tide Team");
        let id = made["id"].as_str().unwrap();
        let both = json!([
            { "op": "add", "path": "members", "value": [{ "value": id, "display": "jun@corp.example" }] },
            { "op": "add", "path": "members", "value": [{ "value": other, "display": "ilse" }] },
        ]);
        assert_eq!(member_ids(&patch(&desk, &at, both).await).len(), 2);
        let one = json!([{ "op": "remove", "path": format!("members[value eq \"{other}\"]") }]);
        assert_eq!(member_ids(&patch(&desk, &at, one).await), [id]);
        assert_eq!(get(&desk, &path).await["groups"][0]["display"], "Tide Team");
        let all = json!([{ "op": "replace", "path": "members", "value": [{ "value": other, "display": "ilse" }] }]);
        assert_eq!(member_ids(&patch(&desk, &at, all).await), [other.as_str()]);
        // Somebody who is nobody changes nothing.
        let wrong = json!({ "Operations": [{ "op": "add", "path": "members", "value": [{ "value": "nobody" }] }] });
        assert_eq!(done(&desk, ("PATCH", &at, 400), &wrong).await["scimType"], "invalidValue");
        assert_eq!(member_ids(&patch(&desk, &at, json!([{ "op": "remove", "path": "members" }])).await), [""; 0]);
    }
}

on_both_stores!(
    of_all_who_want_one_name_at_once_one_gets_it,
    of_two_who_are_renamed_alike_at_once_one_is,
    a_name_is_free_again_behind_its_user_and_taken_while_hr_shows_it,
    members_that_are_added_at_once_are_all_in,
    what_entra_sends_is_done,
    what_okta_sends_is_done,
);
