//! Text messages: asked for over the API, signed as each operator wants it, and what it says of them.

use hub_support::{Backends, Place, wait_until};
use serde_json::{Value, json};
use std::fs;
use std::time::Duration;

fn place(backends: Backends) -> Place {
    let place = Place::new(backends);
    let connect = |id: &str, settings: &str| {
        let base = format!("http://127.0.0.1:{}/{id}", place.sandbox_port);
        let text = format!(
            "id: {id}\nconnector: {id}\nsettings: {{ base_url: \"{base}\", {settings} }}\nretry: {{ first_ms: 50 }}\n"
        );
        fs::write(place.config().join(format!("connections/{id}.yaml")), text).unwrap();
    };
    connect(
        "aliyun-sms",
        "access_key_id: LTAISANDBOX0001, access_key_secret: sandbox-access-key-secret, sign_name: 示例集团",
    );
    connect(
        "tencent-sms",
        "secret_id: AKIDSANDBOX0001, secret_key: sandbox-secret-key, sdk_app_id: \"1400006666\", sign_name: 示例集团",
    );
    place
}

fn send(place: &Place, body: &Value) -> (u16, Value) {
    let request = place.http().post(place.url("/v1/messages")).bearer_auth(place.secret("HRHUB_ADMIN_KEY"));
    let answer = request.body(body.to_string()).send().unwrap();
    (answer.status().as_u16(), answer.json().unwrap())
}

fn ends(place: &Place, id: &str, wanted: &str) -> Value {
    wait_until(Duration::from_secs(60), || {
        let record = place.get(&format!("/v1/messages/{id}"));
        if record["status"]["value"] == wanted { Ok(record) } else { Err(format!("{record:#}")) }
    })
}

#[test]
fn a_text_message_goes_out_by_its_template_over_both_operators() {
    let place = place(Backends::Embedded);
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    let message = |connection: &str, template: &str, variables: Value, to: &[&str]| {
        let to: Vec<Value> = to.iter().map(|address| json!({ "address": address })).collect();
        json!({ "connection": connection, "channel": "SMS", "to": to, "kind": "TEXT",
            "template": { "id": template }, "variables": variables })
    };
    let named = json!({ "name": "何沐阳", "time": "周三 10:00 *~" });
    let (status, asked) = send(&place, &message("aliyun-sms", "SMS_154950909", named.clone(), &["+8619900000001"]));
    assert_eq!(status, 202, "{asked:#}");
    let sent = ends(&place, asked["id"].as_str().unwrap(), "SENT");
    assert!(sent["provider_message_id"].as_str().unwrap().ends_with("^0"), "{sent:#}");

    let placed = json!({ "2": "10:00", "1": "周三" });
    let to = ["+8619900000001", "19900000404"];
    let (_, asked) = send(&place, &message("tencent-sms", "1110", placed, &to));
    let sent = ends(&place, asked["id"].as_str().unwrap(), "SENT");
    // Who does not get it is told, too.
    assert_eq!(sent["custom"]["refused"][0]["address"], "+8619900000404", "{sent:#}");
    let effects = place.effects();
    let count =
        |text: &str| effects.iter().filter(|(name, _)| name.contains(text)).map(|(_, count)| count).sum::<u64>();
    assert_eq!(
        (count("19900000001 SMS_154950909"), count("+8619900000001,+8619900000404 1110")),
        (1, 1),
        "{effects:?}"
    );

    // What the operator refuses fails and lies parked with its code.
    let (_, asked) = send(&place, &message("aliyun-sms", "SMS_1", named, &["+8619900000001"]));
    ends(&place, asked["id"].as_str().unwrap(), "FAILED");
    let parked = place.get("/v1/parked?connection=aliyun-sms");
    assert!(parked["data"][0]["reason"].as_str().unwrap().contains("isv.SMS_TEMPLATE_ILLEGAL"), "{parked:#}");
    // A text without a template is refused before anything is sent.
    let (status, problem) = send(
        &place,
        &json!({ "connection": "tencent-sms", "channel": "SMS", "to": [{ "address": "+8619900000001" }], "kind": "TEXT", "body": "您好" }),
    );
    assert_eq!(status, 422, "{problem:#}");
    assert!(problem.to_string().contains("TemplateId"), "{problem:#}");
}
