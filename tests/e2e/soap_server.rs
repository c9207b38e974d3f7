//! Programs that speak SOAP push to the hub: rows are judged before they are answered, a batch is taken once, strangers
//! get faults, and independent libraries manage with nothing but the description.

use crate::callbacks::peers::{node, python, run};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use hub_support::{Backends, Place, Running, project_root, wait_for, wait_until};
use serde_json::Value;
use sha1::{Digest as _, Sha1};
use sha2::Sha256;
use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(240);
const USER: &str = "sap";
const PASSWORD: &str = "hub-secret";
const NS: &str = "http://hub.example.com/integration/push/v1";

fn begin(backends: Backends, auth: &str) -> (Place, Running) {
    let place = Place::new(backends);
    let text = format!(
        "id: push\nconnector: hub-push\nsettings: {{ username: {USER}, password: {PASSWORD}{} }}\n",
        if auth.is_empty() { String::new() } else { format!(", auth: {auth}") }
    );
    fs::write(place.config().join("connections/push.yaml"), text).unwrap();
    departments(&place);
    let hub = place.serve();
    (place, hub)
}

/// A WS-Security header with a digest made now; the nonce is a text.
fn digest(password: &str, nonce: &str) -> String {
    let created = hub_tree::Clock::System.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let proof = STANDARD.encode(Sha1::digest(format!("{nonce}{created}{password}").as_bytes()));
    let wsse = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
    let wsu = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
    let profile = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0";
    format!(
        "<wsse:Security xmlns:wsse='{wsse}' xmlns:wsu='{wsu}' soapenv:mustUnderstand='1'><wsse:UsernameToken>\
         <wsse:Username>{USER}</wsse:Username><wsse:Password Type='{profile}#PasswordDigest'>{proof}</wsse:Password>\
         <wsse:Nonce>{}</wsse:Nonce><wsu:Created>{created}</wsu:Created></wsse:UsernameToken></wsse:Security>",
        STANDARD.encode(nonce)
    )
}

fn envelope(header: &str, body: &str) -> String {
    format!(
        "<soapenv:Envelope xmlns:soapenv='http://schemas.xmlsoap.org/soap/envelope/' xmlns:t='{NS}' \
         xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'><soapenv:Header>{header}</soapenv:Header>\
         <soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
    )
}

/// Sends a message as ERPs do: again while the hub asks for it.
fn post(place: &Place, body: &str) -> (u16, String) {
    wait_until(LIMIT, || {
        let request = place.http().post(place.url("/soap/push")).header("content-type", "text/xml; charset=utf-8");
        let answer = request.header("soapaction", "\"\"").body(body.to_owned()).send().unwrap();
        assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/xml"), "{answer:?}");
        let (status, text) = (answer.status().as_u16(), answer.text().unwrap());
        if text.contains("<t:code>UNAVAILABLE</t:code>") { Err(text) } else { Ok((status, text)) }
    })
}

fn employee(number: &str, more: &str) -> String {
    format!(
        "<t:employee><t:employeeNo>{number}</t:employeeNo><t:legalName>张伟</t:legalName>{more}\
         <t:departmentCode>D001</t:departmentCode><t:hireDate>2020-03-15</t:hireDate></t:employee>"
    )
}

fn push(batch: &str, rows: &str) -> String {
    format!(
        "<t:PushEmployees><t:header><t:sourceSystem>SAP-PRD</t:sourceSystem><t:batchId>{batch}</t:batchId>\
         <t:sentAt>2025-11-01T16:00:00+08:00</t:sentAt></t:header>{rows}</t:PushEmployees>"
    )
}

fn found(place: &Place, collection: &str, key: &str) -> Option<Value> {
    place.get(&format!("/v1/{collection}?connection=push&remote_id={key}"))["data"].get(0).cloned()
}

fn rows_are_judged_and_good_ones_become_records(backends: Backends) {
    let (place, _hub) = begin(backends, "none");
    let rows = [
        employee("20001", "<t:idNumber>110199199003070009</t:idNumber><t:mobile xsi:nil='true'/>"),
        employee("20002", "<t:idNumber>110199199003070008</t:idNumber>"),
        employee("20003", "<t:mobile>13912</t:mobile>"),
        employee(" ", ""),
        employee("20001", ""),
        employee("20004", "").replace("2020-03-15", "2021-02-30"),
        employee("20005", "").replace("</t:hireDate>", "</t:hireDate><t:baseSalary>12,000.00</t:baseSalary>"),
        employee("20006", "")
            .replace("</t:hireDate>", "</t:hireDate><t:terminationDate>2019-01-01</t:terminationDate>"),
        employee("20007", "").replace("<t:employee>", "<t:employee change='REMOVE'>"),
        employee("2&lt;8>&amp;𠮷", ""),
    ];
    let (status, answer) = post(&place, &envelope("", &push("b-1", &rows.concat())));
    assert_eq!(status, 200, "{answer}");
    assert!(answer.contains("accepted>2<") && answer.contains("duplicate>false<"), "{answer}");
    let codes: Vec<(String, String)> = answer
        .split("rejected>")
        .filter_map(|part| {
            let of = |name: &str| Some(part.split_once(&format!("{name}>"))?.1.split('<').next()?.to_owned());
            Some((of("index")?, of("code")?))
        })
        .collect();
    let wanted = [
        ("1", "ID_CHECKSUM"),
        ("2", "PHONE"),
        ("3", "REQUIRED"),
        ("4", "DUPLICATE_IN_FILE"),
        ("5", "DATE"),
        ("6", "AMOUNT"),
        ("7", "DATE_ORDER"),
        ("8", "ENUM"),
    ];
    let codes: Vec<(&str, &str)> = codes.iter().map(|(index, code)| (index.as_str(), code.as_str())).collect();
    assert_eq!(codes, wanted, "{answer}");
    let person = wait_for("the employee", LIMIT, || found(&place, "employees", "20001"));
    assert_eq!((&person["employee_number"], &person["status"]["value"]), (&"20001".into(), &"ACTIVE".into()));
    wait_for("the other employee", LIMIT, || found(&place, "employees", "2%3C8%3E%26%F0%A0%AE%B7"));
    let ask = envelope("", "<t:GetPushStatus><t:batchId>b-1</t:batchId></t:GetPushStatus>");
    let told = wait_for("the batch to be done", LIMIT, || {
        let (_, told) = post(&place, &ask);
        told.contains("state>DONE<").then_some(told)
    });
    assert!(told.contains("accepted>2<") && told.contains("rejected>8<"), "{told}");
    // Once the hub knows departments, it knows which it does not know.
    let body = "{\"code\":\"D001\",\"name\":\"研发部\"}";
    let mut proof = Hmac::<Sha256>::new_from_slice(b"secret-of-units").unwrap();
    proof.update(body.as_bytes());
    let unit = place.http().post(place.url("/hooks/units")).header("content-type", "application/json");
    let unit = unit.header("x-proof", hex::encode(proof.finalize().into_bytes())).body(body).send().unwrap();
    assert_eq!(unit.status(), 200);
    wait_for("the department", LIMIT, || {
        place.get("/v1/departments?connection=units&remote_id=D001")["data"].get(0).cloned()
    });
    let rows = [employee("20009", "").replace("D001", "D003"), employee("20010", "")];
    let (_, answer) = post(&place, &envelope("", &push("b-2", &rows.concat())));
    assert!(answer.contains("accepted>1<"), "{answer}");
    assert!(answer.contains("DEPARTMENT_UNKNOWN") && answer.contains("message>D003<"), "{answer}");
}

/// A vendor that tells of departments, so that the hub knows some.
fn departments(place: &Place) {
    let (connector, mappings) = (place.config().join("connectors/units"), place.config().join("mappings/units"));
    fs::create_dir_all(&connector).unwrap();
    fs::create_dir_all(&mappings).unwrap();
    let manifest = "version: 1\nvendor: units\nname: Units\nfamily: erp\ndriver: http\nbase_url: https://units.example\n\
        egress: [units.example]\nwebhook:\n  verify: { kind: hmac_sha256, header: x-proof }\n  event: '\"unit\"'\n  events: { unit: unit }\n";
    fs::write(connector.join("manifest.yaml"), manifest).unwrap();
    let mapping = "version: 1\nfrom: units/unit\nemit:\n  - to: department\n    key: payload.code\n    fields:\n      \
        name: { path: payload.name }\n      code: { path: payload.code }\n";
    fs::write(mappings.join("unit.in.yaml"), mapping).unwrap();
    let connection = "id: units\nconnector: units\nsettings: { webhook_secret: secret-of-units }\n";
    fs::write(place.config().join("connections/units.yaml"), connection).unwrap();
}

#[test]
fn pushed_rows_are_judged_and_good_ones_become_records() {
    rows_are_judged_and_good_ones_become_records(Backends::Embedded);
}

#[test]
fn pushed_rows_are_judged_and_good_ones_become_records_on_servers() {
    rows_are_judged_and_good_ones_become_records(Backends::Servers);
}

fn of_six_copies_one_is_first(backends: Backends) {
    let (place, _hub) = begin(backends, "none");
    let message = envelope("", &push("b-6", &employee("20001", "")));
    let answers: Vec<(u16, String)> = std::thread::scope(|scope| {
        let sending: Vec<_> = (0..6).map(|_| scope.spawn(|| post(&place, &message))).collect();
        sending.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let mut firsts = BTreeMap::new();
    for (status, answer) in &answers {
        assert_eq!(*status, 200, "{answer}");
        assert!(answer.contains("accepted>1<"), "{answer}");
        *firsts.entry(answer.contains("duplicate>false<")).or_insert(0) += 1;
    }
    assert_eq!(firsts, BTreeMap::from([(true, 1), (false, 5)]), "{answers:?}");
    let later = message.replace("2025-11-01T16:00:00", "2025-11-01T17:00:00");
    assert!(post(&place, &later).1.contains("duplicate>true<"), "the same rows, sent again later");
    let other = envelope("", &push("b-6", &employee("20002", "")));
    let (status, fault) = post(&place, &other);
    assert_eq!(status, 500);
    assert!(fault.contains("BATCH_CONFLICT") && fault.contains(":Client<"), "{fault}");
    let elsewhere = other.replace("SAP-PRD", "SAP-TST");
    assert!(post(&place, &elsewhere).1.contains("duplicate>false<"), "batches of another source");
}

#[test]
fn of_six_copies_of_a_batch_exactly_one_is_first() {
    of_six_copies_one_is_first(Backends::Embedded);
}

#[test]
fn of_six_copies_of_a_batch_exactly_one_is_first_on_servers() {
    of_six_copies_one_is_first(Backends::Servers);
}

#[test]
fn what_is_no_message_for_us_gets_a_fault_and_the_next_good_one_is_taken() {
    let (place, _hub) = begin(Backends::Embedded, "none");
    let good = push("b-1", &employee("20001", ""));
    let deep = format!("{}{}", "<a>".repeat(30_000), "</a>".repeat(30_000));
    for (name, body, fault) in [
        ("cut off", envelope("", &good)[..300].to_owned(), ":Client<"),
        ("JSON", "{\"a\":1}".to_owned(), ":Client<"),
        ("empty", String::new(), ":Client<"),
        ("DOCTYPE", format!("<!DOCTYPE a [<!ENTITY b 'c'>]>{}", envelope("", &good)), ":Client<"),
        ("two bodies", envelope("", &format!("{good}{good}")), ":Client<"),
        ("unknown operation", envelope("", "<t:Remove/>"), "UNKNOWN_OPERATION"),
        (
            "unknown envelope",
            envelope("", &good).replace("schemas.xmlsoap.org/soap/envelope", "x.example"),
            ":VersionMismatch<",
        ),
        ("mandatory header", envelope("<x:y xmlns:x='urn:x' soapenv:mustUnderstand='1'/>", &good), ":MustUnderstand<"),
        ("30 000 levels", envelope("", &deep), ":Client<"),
        ("no rows", envelope("", &push("b-2", "")), "EMPTY_PUSH"),
        ("no batch", envelope("", &push("", &employee("1", ""))), "INVALID_MESSAGE"),
        ("bad time", envelope("", &good).replace("2025-11-01T16", "2025-13-01T16"), "INVALID_MESSAGE"),
        (
            "unknown batch",
            envelope("", "<t:GetPushStatus><t:batchId>b-9</t:batchId></t:GetPushStatus>"),
            "BATCH_UNKNOWN",
        ),
    ] {
        let (status, answer) = post(&place, &body);
        assert!(status == 500 && answer.contains(fault), "{name}: {status} {answer}");
        assert!(!answer.contains(place.folder().to_str().unwrap()), "{name} tells a path");
    }
    let twelve = envelope("<x:note xmlns:x='urn:x'>hello</x:note>", &good)
        .replace("http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope");
    let send = |body: Vec<u8>, kind: &str| {
        let answer = place.http().post(place.url("/soap/push")).header("content-type", kind).body(body).send().unwrap();
        (
            answer.status().as_u16(),
            answer.headers()["content-type"].to_str().unwrap().to_owned(),
            answer.text().unwrap(),
        )
    };
    let (status, kind, answer) = send(twelve.clone().into_bytes(), "application/soap+xml; charset=utf-8");
    assert!(status == 200 && kind.starts_with("application/soap+xml") && answer.contains("accepted>1<"), "{answer}");
    let (status, _, answer) = send(twelve.replace("PushEmployees>", "Nothing>").into_bytes(), "application/soap+xml");
    assert!(status == 400 && answer.contains(":Sender<"), "{answer}");
    // Declared GBK alone, GBK by header, UTF-16 with a mark: all the same message.
    let text = envelope("", &good);
    let (gbk, _, _) = encoding_rs::GB18030.encode(&text);
    let declared = [b"<?xml version='1.0' encoding='gb2312'?>".as_slice(), &gbk].concat();
    let wide: Vec<u8> = format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (body, kind) in [(declared, "text/xml"), (gbk.to_vec(), "text/xml; charset=GBK"), (wide, "text/xml")] {
        let (status, _, answer) = send(body, kind);
        assert!(status == 200 && answer.contains("duplicate>true<"), "{kind}: {answer}");
    }
}

#[test]
fn a_digest_is_believed_once_and_strangers_learn_nothing() {
    let (place, _hub) = begin(Backends::Embedded, "");
    let body = push("b-1", &employee("20001", ""));
    let header = digest(PASSWORD, "nonce-1");
    let (status, answer) = post(&place, &envelope(&header, &body));
    assert!(status == 200 && answer.contains("accepted>1<"), "{answer}");
    let (status, again) = post(&place, &envelope(&header, &body));
    assert!(status == 500 && again.contains("InvalidSecurityToken"), "{again}");
    let wrong = post(&place, &envelope(&digest("other", "nonce-2"), &body));
    let stranger = post(&place, &envelope(&digest(PASSWORD, "nonce-3").replace(">sap<", ">sup<"), &body));
    assert_eq!(wrong, stranger);
    assert!(wrong.1.contains("FailedAuthentication"), "{wrong:?}");
    let text = digest(PASSWORD, "nonce-4").replace("PasswordDigest", "PasswordText");
    let plain = text
        .split_once("PasswordText'>")
        .map(|(before, rest)| format!("{before}PasswordText'>{PASSWORD}{}", &rest[rest.find('<').unwrap()..]));
    let (_, refused) = post(&place, &envelope(&plain.unwrap(), &body));
    assert!(refused.contains("UnsupportedSecurityToken"), "a password in clear over an open line: {refused}");
    let (_, none) = post(&place, &envelope("", &body));
    assert!(none.contains("InvalidSecurity"), "{none}");
}

#[test]
fn basic_is_believed_where_the_connection_says_so() {
    let (place, _hub) = begin(Backends::Embedded, "basic");
    let body = envelope("", &push("b-1", &employee("20001", "")));
    let send = |password: Option<&str>| {
        let request = place.http().post(place.url("/soap/push")).header("content-type", "text/xml").body(body.clone());
        let request = match password {
            Some(password) => request.basic_auth(USER, Some(password)),
            None => request,
        };
        let answer = request.send().unwrap();
        (answer.status().as_u16(), answer.headers().contains_key("www-authenticate"))
    };
    assert_eq!(send(None), (401, true));
    assert_eq!(send(Some("wrong")), (401, true));
    assert_eq!(send(Some(PASSWORD)), (200, false));
}

#[test]
fn an_independent_library_reads_the_description_as_the_published_contract_and_calls_by_it() {
    let (place, _hub) = begin(Backends::Embedded, "");
    let script = project_root().join("tests/e2e/peers/soap_server.py");
    let contract = project_root().join("tests/golden/wsdl/hub-push.wsdl");
    let url = place.url("/soap/push?wsdl");
    let said = run(Command::new(python()).arg(script).arg(url).arg(contract).args([USER, PASSWORD]));
    assert_eq!(said.split_whitespace().collect::<Vec<_>>(), ["contract", "HubPushSoap11Port", "HubPushSoap12Port"]);
    for port in ["HubPushSoap11Port", "HubPushSoap12Port"] {
        wait_for("what was pushed", LIMIT, || {
            found(&place, "payslips", &format!("ZEEP%2F2025-10%2FZ%3C1%3E%26%22%27{port}"))
        });
    }
}

#[test]
fn a_library_of_another_language_calls_by_the_description_in_both_versions() {
    let (place, _hub) = begin(Backends::Embedded, "");
    let script = project_root().join("tests/e2e/peers/node/soap_server.js");
    let mut command = node();
    command.arg(script).args([&place.url("/soap/push?wsdl"), USER, PASSWORD]);
    let said = run(&mut command);
    assert_eq!(said.split_whitespace().collect::<Vec<_>>(), ["11", "12"]);
    for version in ["11", "12"] {
        wait_for("what was pushed", LIMIT, || found(&place, "employees", &format!("N%3C{version}%3E%26")));
    }
}
