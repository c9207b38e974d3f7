//! Accounts elsewhere: one hub's employees become users of another hub's SCIM, change with them and are switched off.

use hub_support::{Backends, Place, wait_until};
use serde_json::{Value, json};
use std::fs;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(240);

fn ask(place: &Place, (method, path): (&str, &str), body: &Value) -> Value {
    let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
    let request = place.http().request(method, place.url(path)).bearer_auth(place.secret("HRHUB_ADMIN_KEY"));
    let answer = request.body(body.to_string()).send().unwrap();
    let status = answer.status();
    let said = answer.json().unwrap_or_default();
    assert!(status.is_success(), "{status} {said:#}");
    said
}

/// A hub that provisions into the SCIM of another one.
fn provisioning(into: &Place) -> Place {
    let place = Place::new(Backends::Embedded);
    let text = format!(
        "id: directory\nconnector: scim\nsettings:\n  base_url: \"{}\"\n  api_key: \"{}\"\nretry: {{ first_ms: 50 }}\n",
        into.url("/scim/v2"),
        into.secret("HRHUB_ADMIN_KEY")
    );
    fs::write(place.config().join("connections/directory.yaml"), text).unwrap();
    place.edit("hub.yaml", |text| text.replace("\nflows:\n", "\nflows:\n  provision: { to: directory }\n"));
    place
}

/// Waits until the only users there are as wanted.
fn until_users(place: &Place, at: &Place, wanted: &Value) -> Value {
    wait_until(LIMIT, || {
        let list = place.get("/scim/v2/Users");
        let users = list["Resources"].as_array().cloned().unwrap_or_default();
        let told = |user: &Value| {
            json!({ "externalId": user["externalId"], "userName": user["userName"], "name": user["name"]["formatted"],
                    "displayName": user["displayName"], "active": user["active"] })
        };
        let told: Value = users.iter().map(told).collect();
        if told == *wanted {
            Ok(users.first().cloned().unwrap_or_default())
        } else {
            Err(format!("{wanted:#}, there is {told:#}; {:#}", at.get("/v1/parked")))
        }
    })
}

#[test]
fn an_employee_gets_one_account_that_follows_and_is_switched_off_at_the_end() {
    let there = Place::new(Backends::Embedded);
    let _there = there.serve();
    let here = provisioning(&there);
    let hub = here.serve();
    let person = ask(&here, ("POST", "/v1/people"), &json!({ "name": { "full": "Mira Solano", "given": "Mira" } }));
    let made = json!({ "person": person["id"], "username": "mira", "work_email": "mira@example.com",
                       "employee_number": "HX7001", "display_name": "Mira", "status": "ACTIVE" });
    let employee = ask(&here, ("POST", "/v1/employees"), &made);
    let user = |name: &str, full: &str, shown: &str, active: bool| json!([{ "externalId": employee["id"], "userName": name, "name": full, "displayName": shown, "active": active }]);
    let account = until_users(&there, &here, &user("mira", "Mira Solano", "Mira", true));
    assert_eq!(account["emails"][0]["value"], "mira@example.com", "{account:#}");
    let path = format!("/v1/employees/{}", employee["id"].as_str().unwrap());
    // The account's id is the employee's there.
    wait_until(LIMIT, || {
        let known = here.get(&path);
        let source = &known["sources"][0];
        let is = source["connection_id"] == "directory" && source["remote_id"] == account["id"];
        is.then_some(()).ok_or_else(|| format!("the source: {known:#}"))
    });

    // Somebody without a name to sign in with has no account; another one has, after a restart, and nothing is twice.
    ask(&here, ("POST", "/v1/employees"), &json!({ "employee_number": "HX7002", "status": "ACTIVE" }));
    ask(&here, ("PATCH", &path), &json!({ "display_name": "Mira S." }));
    drop(hub);
    let _hub = here.serve();
    until_users(&there, &here, &user("mira", "Mira Solano", "Mira S.", true));
    let named = format!("/v1/people/{}", person["id"].as_str().unwrap());
    ask(&here, ("PATCH", &named), &json!({ "name": { "full": "Mira Tanaka" } }));
    until_users(&there, &here, &user("mira", "Mira Tanaka", "Mira S.", true));
    ask(&here, ("PATCH", &path), &json!({ "status": "SUSPENDED" }));
    until_users(&there, &here, &user("mira", "Mira Tanaka", "Mira S.", false));
    ask(&here, ("PATCH", &path), &json!({ "status": "ACTIVE", "username": "mira.tanaka" }));
    until_users(&there, &here, &user("mira.tanaka", "Mira Tanaka", "Mira S.", true));
    ask(&here, ("PATCH", &path), &json!({ "status": "TERMINATED" }));
    until_users(&there, &here, &user("mira.tanaka", "Mira Tanaka", "Mira S.", false));
    assert_eq!(here.get("/v1/parked")["data"], json!([]));
}

#[test]
fn an_account_that_was_there_already_becomes_the_employees() {
    let there = Place::new(Backends::Embedded);
    let _there = there.serve();
    let schemas = ["urn:ietf:params:scim:schemas:core:2.0:User"];
    let made = ask(&there, ("POST", "/scim/v2/Users"), &json!({ "schemas": schemas, "userName": "ilse" }));
    let here = provisioning(&there);
    let _hub = here.serve();
    let employee = json!({ "username": "ilse", "display_name": "Ilse Haraldsen", "status": "ACTIVE" });
    let employee = ask(&here, ("POST", "/v1/employees"), &employee);
    let wanted = json!([{ "externalId": employee["id"], "userName": "ilse", "name": "Ilse Haraldsen",
                          "displayName": "Ilse Haraldsen", "active": true }]);
    let user = until_users(&there, &here, &wanted);
    assert_eq!(user["id"], made["id"]);
}
