//! Feishu and WeChat Official Accounts, simulated: what a callback leaves out is read, whatever order and however often
//! it comes; candidates are written to, and what became of that comes back.

use crate::outgoing::act;
use hub_support::{Backends, Place, wait_until};
use serde_json::{Value, json};
use std::fs;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(240);
const OPENID: &str = "oTYR3IyJ41cTJdguujZzcNpNpX4N";
const TEMPLATE: &str = "ngqIpbwh8bUfcSsECmogfXcV14J0tQlEpBO27izEYtY";

fn place() -> Place {
    let place = Place::new(Backends::Embedded);
    let write = |id: &str, vendor: &str, settings: &str| {
        let base = format!("base_url: \"http://127.0.0.1:{}/{vendor}\"", place.sandbox_port);
        let text =
            format!("id: {id}\nconnector: {vendor}\nsettings: {{ {settings}, {base} }}\nretry: {{ first_ms: 50 }}\n");
        fs::write(place.config().join(format!("connections/{id}.yaml")), text).unwrap();
    };
    let tokens = "encrypt_key: sandboxFeishuKey, verification_token: sandboxFeishuToken";
    write("feishu-main", "feishu", &format!("app_id: cli_a6f1d2c3b4e5500d, app_secret: s3cret, {tokens}"));
    let key = "encoding_aes_key: wtUnSp4SGL7vg3XJbiNev3JsFN45jdHLokhIAoZ14r8";
    let sealed = format!("token: sandboxWechatToken, {key}, mode: secure");
    write("careers", "wechat-oa", &format!("app_id: wx5a7c3e1f9b2d4680, app_secret: s3cret, {sealed}"));
    place
}

fn does(place: &Place, vendor: &str, action: &str, body: &Value) {
    let (status, answer) = act(place, vendor, action, body);
    assert!(status < 300, "{action} {body}: {answer:#}");
}

/// Waits for the record that a connection knows by this id to be as wanted.
fn record(place: &Place, path: (&str, &str, &str), fits: impl Fn(&Value) -> bool) -> Value {
    let (collection, connection, id) = path;
    wait_until(LIMIT, || {
        let found = place.get(&format!("/v1/{collection}?connection={connection}&remote_id={id}&include_deleted=true"));
        match found["data"].as_array().unwrap().as_slice() {
            [one] if fits(one) => Ok(one.clone()),
            _ => Err(format!("{path:?}: {found:#}\n{:#}", place.get("/v1/parked"))),
        }
    })
}

#[test]
fn what_feishu_leaves_out_is_read_and_who_leaves_is_known_to_have_left() {
    let place = place();
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    place.turn(&json!({ "duplicates": 1, "disorder_ms": 300, "limit_every": 4 }));
    let group = "od-9a8b7c6d5e4f30211203f4e5d6c7b8a9";
    does(&place, "feishu", "join", &json!({ "user_id": "hx0500", "name": "周子墨", "department_id": group }));
    let joined = record(&place, ("employees", "feishu-main", "hx0500"), |one| one["display_name"] == "周子墨");
    assert_eq!(
        (&joined["status"]["value"], &joined["accounts"][0]["external_id"]),
        (&json!("ACTIVE"), &json!("hx0500"))
    );
    does(&place, "feishu", "change", &json!({ "user_id": "hx0500", "frozen": true }));
    record(&place, ("employees", "feishu-main", "hx0500"), |one| one["status"]["value"] == "SUSPENDED");
    does(&place, "feishu", "leave", &json!({ "user_id": "hx0500" }));
    let left = record(&place, ("employees", "feishu-main", "hx0500"), |one| one["status"]["value"] == "TERMINATED");
    assert_eq!((&left["id"], &left["display_name"]), (&joined["id"], &json!("周子墨")));

    // Hire says two ids; the application, its stage's kind and the candidate are read.
    let moved = json!({ "application_id": "7024335283840485001", "stage_id": "6891470273281123214" });
    does(&place, "feishu", "move_application", &moved);
    let application = record(&place, ("applications", "feishu-main", "7024335283840485001"), |_| true);
    assert_eq!(application["stage_kind"]["value"], "INTERVIEW", "{application:#}");
    let named = |one: &Value| one["name"]["full"] == "周子墨";
    let candidate = record(&place, ("candidates", "feishu-main", "6960663240925956631"), named);
    assert_eq!(application["candidate"]["id"], candidate["id"], "{application:#}");
    assert_eq!(place.get("/v1/parked")["data"], json!([]));
}

#[test]
fn a_follower_is_written_to_and_the_report_comes_back_to_the_message() {
    let place = place();
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    does(&place, "wechat-oa", "follow", &json!({ "openid": OPENID, "scene": "offer-118" }));
    record(&place, ("users", "careers", OPENID), |one| one["custom"]["scene"] == "offer-118");
    // The report comes before the answer to the call that sends: it waits for it, and is newer.
    place.turn(&json!({ "slow_ms": 1500 }));
    let message = json!({
        "connection": "careers", "channel": "WECHAT", "to": [{ "user": OPENID }], "template": { "id": TEMPLATE },
        "variables": { "thing1": "一面", "time2": "2026年11月24日 10:00" },
    });
    let request = place.http().post(place.url("/v1/messages")).bearer_auth(place.secret("HRHUB_ADMIN_KEY"));
    let answer = request.json(&message).send().unwrap();
    assert_eq!(answer.status(), 202);
    let id = answer.json::<Value>().unwrap()["id"].as_str().unwrap().to_owned();
    wait_until(LIMIT, || {
        let message = place.get(&format!("/v1/messages/{id}"));
        if message["status"]["value"] == "DELIVERED" {
            Ok(())
        } else {
            Err(format!("{message:#}\n{:#}", place.get("/v1/parked")))
        }
    });
    does(&place, "wechat-oa", "unfollow", &json!({ "openid": OPENID }));
    record(&place, ("users", "careers", OPENID), |one| one["deleted_at"].is_string());
}
