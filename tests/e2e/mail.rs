//! Mail over a real relay that throws it away.

use crate::callbacks::python;
use hub_support::{Backends, Place, free_port, project_root, run_hrhub, said, wait_for, wait_until};
use serde_json::{Value, json};
use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(240);

/// A relay that ends when it is dropped.
pub(crate) struct Sink {
    child: Child,
    port: u16,
    file: PathBuf,
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Sink {
    pub(crate) fn start(folder: &Path, certificate: Option<(&Path, &Path)>) -> Self {
        let (port, file) = (free_port(), folder.join(format!("mails-{}.jsonl", hub_support::unique("m"))));
        let mut command = Command::new(python());
        command.arg(project_root().join("tests/e2e/peers/smtp_sink.py")).arg(port.to_string()).arg(&file);
        if let Some((certificate, key)) = certificate {
            command.arg(certificate).arg(key);
        }
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let sink = Self { child, port, file };
        wait_for("the relay to listen", LIMIT, || TcpStream::connect(("127.0.0.1", port)).ok());
        sink
    }

    fn mails(&self) -> Vec<Value> {
        let text = fs::read_to_string(&self.file).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub(crate) fn mail_to(&self, address: &str) -> Value {
        wait_until(LIMIT, || {
            let found = self.mails().into_iter().find(|mail| mail["to"][0] == address);
            found.ok_or_else(|| format!("a mail to {address}"))
        })
    }
}

pub(crate) fn connect(place: &Place, sink: &Sink, more: &str) {
    let text = format!(
        "id: mail-main\nconnector: smtp-relay\nsettings:\n  host: localhost\n  port: {}\n  from: 人事部 <hr@corp.example>\n  \
         reply_to: answers@corp.example\n{more}",
        sink.port
    );
    fs::write(place.config().join("connections/mail-main.yaml"), text).unwrap();
}

fn send(place: &Place, message: &Value) -> String {
    let mut body = json!({ "connection": "mail-main", "channel": { "value": "EMAIL" } });
    body.as_object_mut().unwrap().extend(message.as_object().unwrap().clone());
    body["channel"] = json!("EMAIL");
    let request = place.http().post(place.url("/v1/messages")).bearer_auth(place.secret("HRHUB_ADMIN_KEY"));
    let answer = request.json(&body).send().unwrap();
    let (status, answer) = (answer.status().as_u16(), answer.json::<Value>().unwrap());
    assert_eq!(status, 202, "{answer:#}");
    answer["id"].as_str().unwrap().to_owned()
}

fn becomes(place: &Place, id: &str, wanted: &str) -> Value {
    wait_until(LIMIT, || {
        let message = place.get(&format!("/v1/messages/{id}"));
        let status = &message["status"];
        let status = status.as_str().or(status["value"].as_str()).unwrap_or_default().to_owned();
        if status == wanted { Ok(message) } else { Err(format!("{wanted}, not {message}")) }
    })
}

#[test]
fn messages_go_out_as_mails_with_templates_in_both_languages() {
    let place = Place::new(Backends::Embedded);
    let sink = Sink::start(place.folder(), None);
    connect(&place, &sink, "  security: none\n");
    let hub = place.serve();
    let plain = send(
        &place,
        &json!({ "to": [{ "address": "li.na@example.com" }], "subject": "入职资料已收到 𠮷", "body": "请于周一 9:30 报到。\nSee you" }),
    );
    let mail = sink.mail_to("li.na@example.com");
    assert_eq!(mail["headers"]["subject"], "入职资料已收到 𠮷", "{mail:#}");
    assert_eq!(mail["text"].as_str().unwrap().replace("\r\n", "\n").trim_end(), "请于周一 9:30 报到。\nSee you");
    assert_eq!((&mail["from"], &mail["ascii"]), (&json!("hr@corp.example"), &json!(true)), "{mail:#}");
    assert_eq!(mail["headers"]["from"], "人事部 <hr@corp.example>");
    assert_eq!(mail["headers"]["reply-to"], "answers@corp.example");
    let sent = becomes(&place, &plain, "SENT");
    let id = sent["provider_message_id"].as_str().unwrap();
    assert_eq!(mail["headers"]["message-id"], format!("<{id}>"), "a repetition could be recognised");

    let variables = json!({ "name": "Mira", "company": "Heron", "day": "2 March", "place": "12 Canal Street" });
    let template = |locale: &str| json!({ "id": "welcome", "locale": locale });
    send(
        &place,
        &json!({ "to": [{ "address": "m@example.org" }], "template": template("en"), "variables": variables }),
    );
    send(
        &place,
        &json!({ "to": [{ "address": "z@example.org" }], "template": template("zh"), "variables": variables }),
    );
    assert_eq!(sink.mail_to("m@example.org")["headers"]["subject"], "Welcome to Heron");
    assert_eq!(sink.mail_to("z@example.org")["headers"]["subject"], "欢迎加入 Heron");

    // Told to come back, it comes back; refused, it does not.
    let later = send(&place, &json!({ "to": [{ "address": "later@example.org" }], "body": "x" }));
    becomes(&place, &later, "SENT");
    let refused = send(&place, &json!({ "to": [{ "address": "refused@example.org" }], "body": "x" }));
    becomes(&place, &refused, "FAILED");
    let parked = place.get("/v1/parked?connection=mail-main");
    assert_eq!(parked["data"][0]["code"], "REFUSED", "{parked:#}");
    assert!(parked["data"][0]["reason"].as_str().unwrap().contains("code 550"), "{parked:#}");
    assert_eq!(sink.mails().len(), 4, "each once");
    assert!(!hub.log().contains("li.na@example.com"));
}

fn openssl(folder: &Path, args: &str) {
    let output = Command::new("openssl").args(args.split(' ')).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{args}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_relay_proves_its_name_and_takes_ours_before_anything_goes_out() {
    let place = Place::new(Backends::Embedded);
    let folder = place.folder();
    openssl(folder, "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.pem");
    openssl(folder, "req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout relay.key -out relay.csr");
    fs::write(folder.join("san"), "subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n").unwrap();
    openssl(folder, "x509 -req -in relay.csr -CA ca.pem -CAkey ca.key -days 2 -extfile san -out relay.pem");
    let sink = Sink::start(folder, Some((&folder.join("relay.pem"), &folder.join("relay.key"))));
    let authority = format!("  ca_file: {}\n", folder.join("ca.pem").display());
    let test = || {
        let config = place.config();
        let output =
            run_hrhub(["connection", "test", "mail-main", "--config", config.to_str().unwrap(), "--format", "json"]);
        let (out, beside) = said(&output);
        assert!(!out.contains("relay-secret") && !beside.contains("relay-secret"), "{out}{beside}");
        let found: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{beside}"));
        let relay = found["permissions"].as_array().unwrap().iter().find(|part| part["name"] == "relay").unwrap();
        (relay["result"].as_str().unwrap().to_owned(), relay["code"].clone(), relay["detail"].to_string())
    };
    let good = "  username: hub\n  password: relay-secret\n";
    connect(&place, &sink, good);
    let (result, code, detail) = test();
    assert_eq!((result.as_str(), &code), ("bad", &json!("TLS")), "an authority that nobody knows: {detail}");
    connect(&place, &sink, &format!("{authority}  username: hub\n  password: wrong-secret\n"));
    let (result, code, detail) = test();
    assert_eq!((result.as_str(), &code), ("bad", &json!("535")), "{detail}");
    connect(&place, &sink, &format!("{authority}{good}"));
    let (result, _, detail) = test();
    assert_eq!(result, "good", "{detail}");
    assert!(detail.contains("encrypted"), "{detail}");
    let _hub = place.serve();
    send(&place, &json!({ "to": [{ "address": "li.na@example.com" }], "body": "你好" }));
    assert_eq!(sink.mail_to("li.na@example.com")["encrypted"], true);

    // A password is never sent in clear, and that is told before anything runs.
    connect(&place, &sink, &format!("  security: none\n{good}"));
    let check = run_hrhub(["check", place.config().to_str().unwrap()]);
    let (out, err) = said(&check);
    assert!((out + &err).contains("a password is not sent in clear"));
}
