//! Apps: made by an admin, with keys that overlap and end, scopes that reach single collections, and tokens.

use hub_support::{Backends, Place, run_hrhub, said};
use reqwest::Method;
use serde_json::{Value, json};

/// Sends a request as somebody; a body of null is none.
fn send(place: &Place, key: &str, method: Method, path: &str, body: &Value) -> (u16, Value) {
    let request = place.http().request(method, place.url(path)).bearer_auth(key);
    let request = if body.is_null() { request } else { request.body(body.to_string()) };
    let answer = request.send().unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_str(&answer.text().unwrap()).unwrap_or_default())
}

/// Makes an app by the command; gives its id and key.
fn make_app(place: &Place, more: &[&str]) -> (String, String) {
    let config = place.config();
    let args = ["apps", "create", "--name", "made here", "--config", config.to_str().unwrap()];
    let args: Vec<&str> = args.iter().chain(more).copied().collect();
    let output = std::process::Command::new(hub_support::hrhub()).args(args).output().unwrap();
    let (out, err) = said(&output);
    assert!(output.status.success(), "{out}{err}");
    let id = err.split("The app is ").nth(1).unwrap().split('.').next().unwrap().to_owned();
    (id, out.trim().to_owned())
}

fn token(place: &Place, form: &[(&str, &str)]) -> (u16, Value) {
    let answer = place.http().post(place.url("/oauth/token")).form(form).send().unwrap();
    assert_eq!(answer.headers()["cache-control"], "no-store");
    (answer.status().as_u16(), answer.json().unwrap())
}

#[test]
fn an_app_keeps_its_name_while_its_keys_come_and_go() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    let (_, admin) = make_app(&place, &["--roles", "admin"]);
    let wish = json!({ "name": "payroll", "grants": ["read:employees", "read:payslips:restricted"] });
    let (status, app) = send(&place, &admin, Method::POST, "/v1/apps", &wish);
    assert_eq!((status, &app["grants"]), (201, &wish["grants"]), "{app}");
    let (id, first) = (app["id"].as_str().unwrap(), app["key"]["key"].as_str().unwrap());
    assert_eq!(place.get_as(first, "/v1/employees").0, 200);
    let (status, problem) = place.get_as(first, "/v1/applications");
    assert_eq!(status, 403);
    assert!(problem["detail"].as_str().unwrap().contains("`read:applications`"), "{problem}");
    assert_eq!(place.get_as(first, "/v1/apps").0, 403);
    let (_, me) = place.get_as(first, "/v1/me");
    assert_eq!((me["app"].as_str(), me["name"].as_str()), (Some(id), Some("payroll")), "{me}");

    let (status, second) = send(&place, &admin, Method::POST, &format!("/v1/apps/{id}:rotate"), &Value::Null);
    assert_eq!(status, 201, "{second}");
    let second = second["key"].as_str().unwrap();
    assert_eq!((place.get_as(first, "/v1/me").0, place.get_as(second, "/v1/me").0), (200, 200), "both for a day");
    assert_eq!(place.get_as(second, "/v1/me").1["app"].as_str(), Some(id), "the same caller");
    let at_once = json!({ "overlap_secs": 0 });
    let (_, third) = send(&place, &admin, Method::POST, &format!("/v1/apps/{id}:rotate"), &at_once);
    let third = third["key"].as_str().unwrap();
    assert_eq!((place.get_as(first, "/v1/me").0, place.get_as(second, "/v1/me").0), (401, 401));
    assert_eq!(place.get_as(third, "/v1/me").0, 200);

    let (_, keys) = place.get_as(&admin, &format!("/v1/apps/{id}/keys"));
    let keys = keys["data"].as_array().unwrap();
    assert_eq!(keys.iter().map(|key| key["valid"].as_bool().unwrap()).collect::<Vec<_>>(), [false, false, true]);
    assert!(keys.iter().all(|key| key.get("key").is_none() && key.get("hash").is_none()));
    hub_support::wait_for("the use of the key to be noted", std::time::Duration::from_secs(30), || {
        let (_, keys) = place.get_as(&admin, &format!("/v1/apps/{id}/keys"));
        keys["data"][2]["last_used_at"].is_string().then_some(())
    });
    let (status, now) =
        send(&place, &admin, Method::PATCH, &format!("/v1/apps/{id}"), &json!({ "grants": ["read:structure"] }));
    assert_eq!((status, &now["grants"]), (200, &json!(["read:structure"])));
    assert_eq!(place.get_as(third, "/v1/applications").0, 200, "what an app may do, its keys may do");
    let third_id = keys[2]["id"].as_str().unwrap();
    let path = format!("/v1/apps/{id}/keys/{third_id}:revoke");
    assert_eq!(send(&place, &admin, Method::POST, &path, &Value::Null).0, 204);
    assert_eq!(send(&place, &admin, Method::POST, &path, &Value::Null).0, 404);
    assert_eq!(place.get_as(third, "/v1/me").0, 401);
    assert_eq!(send(&place, &admin, Method::DELETE, &format!("/v1/apps/{id}"), &Value::Null).0, 204);
    assert_eq!(place.get_as(&admin, &format!("/v1/apps/{id}")).0, 404);
}

#[test]
fn an_admin_looks_after_the_own_tenant_only() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve_with(&[("HRHUB_ADMIN_KEY", "bootstrap-key-for-the-test")]);
    let (north, key) = make_app(&place, &["--roles", "admin", "--tenant", "north"]);
    let (south, _) = make_app(&place, &["--grants", "read", "--tenant", "south"]);
    for (method, path) in [
        (Method::GET, format!("/v1/apps/{south}")),
        (Method::PATCH, format!("/v1/apps/{south}")),
        (Method::DELETE, format!("/v1/apps/{south}")),
        (Method::POST, format!("/v1/apps/{south}:rotate")),
        (Method::GET, format!("/v1/apps/{south}/keys")),
    ] {
        let body = if method == Method::PATCH { json!({ "name": "x" }) } else { Value::Null };
        assert_eq!(send(&place, &key, method.clone(), &path, &body).0, 404, "{method} {path}");
    }
    let listed = place.get_as(&key, "/v1/apps").1;
    assert_eq!(listed["data"].as_array().unwrap().iter().map(|app| &app["id"]).collect::<Vec<_>>(), [&json!(north)]);
    let wish = json!({ "name": "x", "grants": ["read"], "tenant": "south" });
    let (status, problem) = send(&place, &key, Method::POST, "/v1/apps", &wish);
    assert_eq!((status, problem["pointer"].as_str()), (422, Some("/tenant")));
    let (status, made) = send(&place, "bootstrap-key-for-the-test", Method::POST, "/v1/apps", &wish);
    assert_eq!((status, made["tenant"].as_str()), (201, Some("south")), "{made}");
    for (wrong, pointer) in [
        (json!({ "name": "x", "grants": ["root"] }), "/grants"),
        (json!({ "name": " ", "grants": ["read"] }), "/name"),
        (json!({ "name": "x", "grants": ["read"], "units": ["nowhere"] }), "/units"),
        (json!({ "name": "x", "grants": ["read"], "expires_at": "2020-01-01T00:00:00Z" }), "/expires_at"),
        (json!({ "name": "x", "grants": ["read"], "unit": [] }), "/unit"),
    ] {
        let (status, problem) = send(&place, &key, Method::POST, "/v1/apps", &wrong);
        assert_eq!((status, problem["pointer"].as_str()), (422, Some(pointer)), "{problem}");
    }
    let config = place.config();
    let config = config.to_str().unwrap();
    let (shown, _) = said(&run_hrhub(["apps", "show", &north, "--config", config]));
    assert!(shown.contains("[admin]") && shown.contains("key ") && !shown.contains(&key), "{shown}");
    assert!(run_hrhub(["apps", "delete", &north, "--config", config]).status.success());
    assert_eq!(place.get_as(&key, "/v1/me").0, 401);
}

#[test]
fn an_app_gets_short_tokens_as_narrow_as_it_asks_for_and_they_end_with_it() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    let (id, key) = make_app(&place, &["--grants", "read write:candidates"]);
    let (_, admin) = make_app(&place, &["--roles", "admin"]);
    let grant = ("grant_type", "client_credentials");
    let (status, wide) = token(&place, &[grant, ("client_id", &id), ("client_secret", &key)]);
    assert_eq!((status, wide["token_type"].as_str(), wide["expires_in"].as_i64()), (200, Some("Bearer"), Some(900)));
    assert_eq!(wide["scope"].as_str(), Some("read write:candidates"));
    let answer = place.http().post(place.url("/oauth/token")).basic_auth(&id, Some(&key));
    let answer = answer.form(&[grant, ("scope", "read:employees")]).send().unwrap();
    let narrow: Value = answer.json().unwrap();
    let (wide, narrow) = (wide["access_token"].as_str().unwrap(), narrow["access_token"].as_str().unwrap());
    assert_eq!((place.get_as(wide, "/v1/payslips").0, place.get_as(narrow, "/v1/payslips").0), (200, 403));
    assert_eq!(place.get_as(narrow, "/v1/employees").0, 200);
    let (_, me) = place.get_as(narrow, "/v1/me");
    assert_eq!((me["app"].as_str(), &me["grants"]), (Some(id.as_str()), &json!(["read:employees"])), "{me}");

    // What somebody made up, changed, or signed with another key is nobody's.
    let parts: Vec<&str> = wide.split('.').collect();
    let [head, claims, signature] = parts[..] else { panic!("{wide}") };
    let other: Vec<&str> = narrow.split('.').collect();
    for forged in [
        format!("{head}.{}.{signature}", other[1]),
        format!("{head}.{claims}.{}", other[2]),
        format!("{head}.{claims}."),
        format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{claims}."),
        "..".to_owned(),
    ] {
        assert_eq!(place.get_as(&forged, "/v1/me").0, 401, "{forged}");
    }

    let secret = ("client_secret", key.as_str());
    for (form, status, error) in [
        (vec![grant, ("client_id", &*id), secret, ("scope", "ops")], 400, "invalid_scope"),
        (vec![grant, ("client_id", &*id), secret, ("scope", "read:nothing")], 400, "invalid_scope"),
        (vec![("grant_type", "password"), ("client_id", &*id), secret], 400, "unsupported_grant_type"),
        (vec![("client_id", &*id), secret], 400, "invalid_request"),
        (vec![grant], 401, "invalid_client"),
        (vec![grant, ("client_id", &*id), ("client_secret", &*admin)], 401, "invalid_client"),
        (vec![grant, grant, ("client_id", &*id), secret], 400, "invalid_request"),
    ] {
        let (got, body) = token(&place, &form);
        assert_eq!((got, body["error"].as_str()), (status, Some(error)), "{form:?}");
    }
    let json = place.http().post(place.url("/oauth/token")).body("{}").send().unwrap();
    assert_eq!(json.status(), 400);

    let (_, keys) = place.get_as(wide, "/.well-known/jwks.json");
    assert_eq!((keys["keys"][0]["kty"].as_str(), keys["keys"][0].get("d")), (Some("EC"), None), "{keys}");
    let (_, about) = place.get_as(wide, "/.well-known/oauth-authorization-server");
    assert_eq!(about["token_endpoint"].as_str().unwrap(), place.url("/oauth/token"));

    let renamed = send(&place, &admin, Method::PATCH, &format!("/v1/apps/{id}"), &json!({ "grants": ["read"] }));
    assert_eq!(renamed.0, 200);
    assert_eq!(place.get_as(narrow, "/v1/me").0, 401, "issued before the change");
    let (_, fresh) = token(&place, &[grant, ("client_id", &id), secret]);
    let fresh = fresh["access_token"].as_str().unwrap();
    assert_eq!(place.get_as(fresh, "/v1/me").0, 200);
    assert_eq!(send(&place, &admin, Method::DELETE, &format!("/v1/apps/{id}"), &Value::Null).0, 204);
    assert_eq!(place.get_as(fresh, "/v1/me").0, 401);
    assert_eq!(token(&place, &[grant, ("client_id", &id), secret]).0, 401);

    let guess = |client: &str| token(&place, &[grant, ("client_id", client), ("client_secret", "hrk_aaaaaaaaaa_x")]).0;
    let guesses: Vec<u16> = (0..12).map(|_| guess("app_guessed")).collect();
    assert_eq!((guesses[0], guesses[9], guesses[10]), (401, 401, 429), "{guesses:?}");
    assert_eq!(guess("app_other"), 401, "others do not wait");
}
