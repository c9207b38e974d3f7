//! Sealed callbacks of chat platforms at the door: checks of the address, good ones, repeats, and every bad one, which
//! all look alike from outside.

mod door;
pub(crate) mod peers;

pub(crate) use peers::python;

use hub_im::envelope::{self, AesKey};
use hub_im::hashed;
use hub_support::{Place, Running, wait_for};
use reqwest::blocking::Response;
use serde_json::{Value, json};
use std::fs;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(240);

const KEY: &str = "4g5j64qlyl3zvetqxz5jiocdr586fn2zvjpa8zls3ij";
const TOKEN: &str = "heronToken";
const RECEIVER: &str = "heron0corp";
const ENCRYPT_KEY: &str = "heron encrypt key";

/// The platforms, by their drivers.
const DRIVERS: [&str; 4] = ["dingtalk", "wecom", "wechat-oa", "feishu"];

/// Writes a connector of each driver with its connection, `heron-<driver>`.
fn configure(place: &Place) {
    for driver in DRIVERS {
        let (event, fields) = match driver {
            "feishu" => ("payload.header.event_type", "payload.event"),
            _ => ("payload.EventType", "payload"),
        };
        let vendor = format!("heron-{driver}");
        let folder = place.config().join("connectors").join(&vendor);
        fs::create_dir_all(&folder).unwrap();
        let manifest = format!(
            "version: 1\nvendor: {vendor}\nname: Heron\nfamily: chat\ndriver: {driver}\nbase_url: https://heron.example\n\
             egress: [heron.example]\nsettings:\n  token: {{ secret: true }}\n  encoding_aes_key: {{ secret: true }}\n  \
             receiver_id: {{}}\n  verification_token: {{ secret: true }}\nwebhook:\n  verify: {{ kind: driver }}\n  \
             content_types: [application/json, text/xml]\n  max_body_bytes: 20000\n  max_skew_secs: 900\n  \
             event: {event}\n  dedupe: {fields}.eventId\n  events: {{ joined: person }}\n"
        );
        fs::write(folder.join("manifest.yaml"), manifest).unwrap();
        let folder = place.config().join("mappings").join(&vendor);
        fs::create_dir_all(&folder).unwrap();
        let mapping = format!(
            "version: 1\nfrom: {vendor}/person\nemit:\n  - to: candidate\n    key: {fields}.id\n    fields:\n      \
             name.full: {{ path: {fields}.name }}\n"
        );
        fs::write(folder.join("person.in.yaml"), mapping).unwrap();
        let settings = match driver {
            "feishu" => format!("encrypt_key: \"{ENCRYPT_KEY}\"\n  verification_token: {TOKEN}"),
            _ => format!("token: {TOKEN}\n  encoding_aes_key: {KEY}\n  receiver_id: {RECEIVER}"),
        };
        let connection = format!("id: {vendor}\nconnector: {vendor}\nsettings:\n  {settings}\n");
        fs::write(place.config().join(format!("connections/{vendor}.yaml")), connection).unwrap();
    }
}

/// An address with a query.
fn with(url: &str, query: &[(&str, impl AsRef<str>)]) -> reqwest::Url {
    let query = query.iter().map(|(name, value)| (*name, value.as_ref()));
    reqwest::Url::parse_with_params(url, query).unwrap()
}

fn now() -> i64 {
    hub_tree::Clock::System.now().as_second()
}

/// The message that somebody joined, as a platform writes it.
fn joined(driver: &str, event: &str, id: &str) -> String {
    match driver {
        "dingtalk" => json!({ "EventType": "joined", "eventId": event, "id": id, "name": "林晓雨" }).to_string(),
        "feishu" => json!({
            "schema": "2.0",
            "header": { "event_type": "joined", "token": TOKEN },
            "event": { "eventId": event, "id": id, "name": "林晓雨" },
        })
        .to_string(),
        _ => format!(
            "<xml><EventType><![CDATA[joined]]></EventType><eventId>{event}</eventId><id>{id}</id>\
             <name><![CDATA[林晓雨]]></name></xml>"
        ),
    }
}

/// A callback that a platform sends, and what may be wrong with it.
#[derive(Clone)]
struct Callback {
    driver: &'static str,
    message: String,
    token: String,
    key: String,
    receiver: String,
    at: i64,
    /// Changes the sealed text before it is signed.
    sealed: fn(String) -> String,
    /// Changes the body after it is signed.
    body: fn(String) -> String,
    unsigned: bool,
}

impl Callback {
    fn of(driver: &'static str, message: String) -> Self {
        let key = if driver == "feishu" { ENCRYPT_KEY } else { KEY };
        Self {
            driver,
            message,
            token: TOKEN.to_owned(),
            key: key.to_owned(),
            receiver: RECEIVER.to_owned(),
            at: now(),
            sealed: |text| text,
            body: |text| text,
            unsigned: false,
        }
    }

    fn send(&self, place: &Place) -> Response {
        let url = place.url(&format!("/hooks/heron-{}", self.driver));
        let (stamp, nonce) = (self.at.to_string(), hub_tree::random::token(10));
        if self.driver == "feishu" {
            let sealed = (self.sealed)(hashed::seal(&self.key, hub_tree::random::bytes(), self.message.as_bytes()));
            // With spaces: it is the bytes that are signed.
            let body = format!("{{ \"encrypt\" :  \"{sealed}\" }}");
            let signature = hex::encode(hashed::signature(&self.key, &stamp, &nonce, body.as_bytes()));
            let mut request = place.http().post(url).header("content-type", "application/json; charset=utf-8");
            if !self.unsigned {
                let headers = [("Timestamp", &stamp), ("Nonce", &nonce)];
                request = headers
                    .iter()
                    .fold(request, |to, (name, value)| to.header(format!("X-Lark-Request-{name}"), *value));
                request = request.header("X-Lark-Signature", signature);
            }
            return request.body((self.body)(body)).send().unwrap();
        }
        let key = AesKey::read(&self.key).unwrap();
        let sealed = envelope::seal(&key, hub_tree::random::bytes(), self.message.as_bytes(), &self.receiver);
        let sealed = (self.sealed)(sealed);
        let signature = hex::encode(envelope::signature(&[&self.token, &stamp, &nonce, &sealed]));
        let clear = hex::encode(envelope::signature(&[&self.token, &stamp, &nonce]));
        let mut query = vec![("timestamp", stamp.as_str()), ("nonce", &nonce)];
        match self.driver {
            _ if self.unsigned => {}
            "dingtalk" => query.push(("signature", &signature)),
            "wechat-oa" => query.extend([("signature", clear.as_str()), ("msg_signature", &signature)]),
            _ => query.push(("msg_signature", &signature)),
        }
        if self.driver == "wechat-oa" {
            query.push(("encrypt_type", "aes"));
        }
        let (kind, body) = match self.driver {
            "dingtalk" => ("application/json", json!({ "encrypt": sealed }).to_string()),
            _ => {
                ("text/xml", format!("<xml>\n<ToUserName>x</ToUserName><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>"))
            }
        };
        let request = place.http().post(with(&url, &query)).header("content-type", kind);
        request.body((self.body)(body)).send().unwrap()
    }
}

/// Asserts that an answer is the one that the platform waits for.
fn assert_good(driver: &str, answer: Response) {
    assert_eq!(answer.status(), 200, "{driver}");
    let text = answer.text().unwrap();
    match driver {
        "dingtalk" => {
            let answer: Value = serde_json::from_str(&text).unwrap();
            let part = |name: &str| answer[name].as_str().unwrap();
            let parts = [TOKEN, part("timeStamp"), part("nonce"), part("encrypt")];
            assert_eq!(part("msg_signature"), hex::encode(envelope::signature(&parts)));
            let inner = envelope::open(&AesKey::read(KEY).unwrap(), part("encrypt")).unwrap();
            assert_eq!((inner.text.as_slice(), inner.receiver.as_slice()), (&b"success"[..], RECEIVER.as_bytes()));
        }
        "feishu" => assert_eq!(text, "{}"),
        _ => assert_eq!(text, "success", "{driver}"),
    }
}

fn candidate(place: &Place, driver: &str, id: &str) -> Option<Value> {
    let found = place.get(&format!("/v1/candidates?connection=heron-{driver}&remote_id={id}"));
    found["data"].get(0).cloned()
}

fn kept(place: &Place) -> usize {
    place.get("/v1/journeys?limit=200")["data"].as_array().unwrap().len()
}

/// How often something became of the callbacks of a driver.
fn counted(place: &Place, driver: &str, result: &str) -> u64 {
    let text = place.http().get(place.url("/metrics")).send().unwrap().text().unwrap();
    let begin = format!("hrhub_hooks_total{{connection=\"heron-{driver}\",result=\"{result}\"}} ");
    text.lines().find_map(|line| line.strip_prefix(&begin)).map_or(0, |value| value.parse().unwrap())
}

fn begin() -> (Place, Running) {
    let place = Place::new(hub_support::Backends::Embedded);
    configure(&place);
    let hub = place.serve();
    (place, hub)
}

/// Waits until a person that a callback spoke of is there.
fn wait_for_person(place: &Place, driver: &str, id: &str) -> Value {
    wait_for("the record of a callback", LIMIT, || candidate(place, driver, id))
}
