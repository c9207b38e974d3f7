//! ERPs that speak JSON, as data: rounds that read them, writes that count only once the ERP says so, sessions that get
//! lost, and failures with HTTP status 200. The ERPs are simulated, the hub is real, and so are signatures and sessions.

use crate::outgoing::act;
use hub_support::{Backends, Place, wait_until};
use serde_json::{Value, json};
use std::fs;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(240);

/// An invented system that tells whom to employ.
const KESTREL: &str = r#"version: 1
vendor: kestrel-hr
name: Kestrel HR
family: hr
driver: http
base_url: http://127.0.0.1:1
egress: [127.0.0.1]
webhook:
  verify: { kind: hmac_sha256, header: signature }
  event: '"hired"'
  dedupe: payload.id
  events: { hired: hired }
"#;

const HIRED: &str = "version: 1\nfrom: kestrel-hr/hired\nemit:\n  - to: employee\n    key: payload.id\n    fields: { \
    display_name: { path: payload.name }, employee_number: { path: payload.number }, work_email: { path: payload.mail }, \
    original_hire_on: { path: payload.first_day }, status: { value: PREHIRE } }\n";

/// Who is new in the hub and unknown to the ERP, is created there.
const FLOW: &str = r#"version: 1
flow: erp
settings: { erp: { type: connection, required: true, doc: the ERP } }
rules:
  - id: hire
    on: employee.created
    when: 'not any(record.sources ?? [], item.connection_id == settings.erp) and exists(record.employee_number)'
    key: record.id
    load: { person: record.person }
    do:
      - call: settings.erp
        operation: create_employee
        key: '"hire:" & record.id'
        with: { employee: record, person: person }
"#;

pub(crate) fn place(connector: &str, settings: &str, polls: &str) -> Place {
    let place = Place::new(Backends::Embedded);
    let text = format!(
        "id: erp\nconnector: {connector}\npolls: [{polls}]\nsettings:\n  base_url: \"http://127.0.0.1:{}/{connector}\"\n{settings}retry: \
         {{ first_ms: 50, tries: 3 }}\n",
        place.sandbox_port
    );
    fs::write(place.config().join("connections/erp.yaml"), text).unwrap();
    for (file, text) in [
        ("flows/erp.yaml", FLOW),
        ("connectors/kestrel-hr/manifest.yaml", KESTREL),
        ("mappings/kestrel-hr/hired.in.yaml", HIRED),
        ("connections/hr.yaml", "id: hr\nconnector: kestrel-hr\nsettings: { webhook_secret: kestrel }\n"),
    ] {
        let path = place.config().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    place.edit("hub.yaml", |text| match text.find("\nflows:") {
        Some(at) => format!("{}\nflows:\n  erp: {{ erp: erp }}{}", &text[..at], &text[at + "\nflows:".len()..]),
        None => format!("{text}\nflows:\n  erp: {{ erp: erp }}\n"),
    });
    place
}

pub(crate) fn effects(place: &Place, text: &str) -> u64 {
    place.effects().iter().filter(|(name, _)| name.contains(text)).map(|(_, count)| count).sum()
}

/// Waits until the last of so many rounds has ended.
fn round(place: &Place, poll: &str, count: usize) -> Value {
    wait_until(LIMIT, || {
        let polls = place.get("/v1/connections/erp/polls");
        let found = polls["data"].as_array().unwrap().iter().find(|known| known["name"] == poll).cloned();
        let rounds = found.map(|poll| poll["rounds"].as_array().unwrap().clone()).unwrap_or_default();
        match rounds.first() {
            Some(last) if rounds.len() == count && last["state"] != "open" => Ok(last.clone()),
            _ => Err(format!("{count} rounds of {poll}: {rounds:#?} {:#}", place.get("/v1/parked"))),
        }
    })
}

fn run(place: &Place, poll: &str) {
    let url = place.url(&format!("/v1/connections/erp/polls/{poll}:run"));
    let answer = place.http().post(url).bearer_auth(place.secret("HRHUB_ADMIN_KEY")).send().unwrap();
    assert_eq!(answer.status(), 202, "{:?}", answer.text());
}

fn employee(place: &Place, number: &str) -> Value {
    let found = place.get(&format!("/v1/employees?connection=erp&remote_id={number}"));
    found["data"][0].clone()
}

/// Tells the hub whom to employ, as a system would that people are hired in; the record's id.
fn hire(place: &Place, id: &str, name: &str, number: &str) -> String {
    let body =
        json!({ "id": id, "name": name, "number": number, "mail": "xue.zhao@example.com", "first_day": "2025-12-01" });
    let text = body.to_string();
    let proof = hex::encode(hub_kit::verify::hmac_sha256(b"kestrel", &[text.as_bytes()]));
    let request = place.http().post(place.url("/hooks/hr")).header("content-type", "application/json");
    assert_eq!(request.header("signature", proof).body(text).send().unwrap().status(), 200);
    wait_until(LIMIT, || {
        let found = place.get(&format!("/v1/employees?connection=hr&remote_id={id}"));
        found["data"][0]["id"].as_str().map(ToOwned::to_owned).ok_or_else(|| format!("{found:#}"))
    })
}

fn parked(place: &Place) -> Vec<Value> {
    place.get("/v1/parked?connection=erp")["data"].as_array().unwrap().clone()
}

pub(crate) const KINGDEE: &str = "  acct_id: 5f8a1c2b3d4e5f\n  username: hub\n  app_id: 229973_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY\n  \
    app_secret: 1f0e2d3c4b5a69788796a5b4c3d2e1f0\n  page_size: 2\n";

fn kingdee_is_read_and_written(sign_in: &str) {
    let place = place("kingdee-k3cloud", &format!("{KINGDEE}  sign_in: {sign_in}\n"), "organization, employees");
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    for poll in ["organization", "employees"] {
        let first = round(&place, poll, 1);
        assert_eq!((&first["state"], &first["failed_calls"]), (&json!("complete"), &json!(0)), "{first:#}");
    }
    // Three rows in pages of two; the one that nobody has audited does not count.
    assert_eq!(effects(&place, "query BD_Empinfo from 2"), 1);
    let one = employee(&place, "E0001");
    assert_eq!(
        (&one["employee_number"], &one["original_hire_on"]),
        (&json!("ZG0001"), &json!("2020-03-15")),
        "{one:#}"
    );
    assert_eq!(employee(&place, "E0002")["status"]["value"], "TERMINATED");
    assert_eq!(employee(&place, "E0009"), Value::Null);
    let posts = place.get("/v1/job-assignments?connection=erp");
    let mut posts: Vec<&str> =
        posts["data"].as_array().unwrap().iter().map(|post| post["valid_from"].as_str().unwrap()).collect();
    posts.sort_unstable();
    assert_eq!(posts, ["2020-03-15", "2023-01-01"]);

    // A session that is lost is renewed, and the round goes on.
    act(&place, "kingdee-k3cloud", "lose_sessions", &json!({}));
    act(&place, "kingdee-k3cloud", "hire", &json!({ "number": "E0005", "name": "何沐阳", "department": "BM000002" }));
    run(&place, "employees");
    let second = round(&place, "employees", 2);
    assert_eq!((&second["state"], &second["failed_calls"]), (&json!("complete"), &json!(0)), "{second:#}");
    assert_eq!(employee(&place, "E0005")["display_name"], "何沐阳");
    let logins = effects(&place, "login");
    assert_eq!(logins, if sign_in == "signed" { 0 } else { 2 });

    // Saved, submitted, audited: then the record is known by the ERP's number, and reads back as it stands there.
    let id = hire(&place, "h-1", "赵雪", "ZG0003");
    let known = wait_until(LIMIT, || {
        let record = place.get(&format!("/v1/employees/{id}"));
        let audited = effects(&place, "audited");
        // Read back, the account is as the ERP tells it, and the day of joining is still to come.
        if audited == 1 && record["accounts"][0]["external_id"].is_string() && record["accounts"][0]["status"].is_null()
        {
            Ok(record)
        } else {
            Err(format!("{audited}: {record:#} {:#?}", parked(&place)))
        }
    });
    let number = known["sources"].as_array().unwrap().iter().find(|source| source["connection_id"] == "erp").unwrap();
    assert!(number["remote_id"].as_str().unwrap().starts_with('E'), "{known:#}");
    assert_eq!(known["status"]["value"], "PREHIRE");
    assert_eq!((effects(&place, "saved"), effects(&place, "submitted")), (1, 1));
    assert_eq!(parked(&place), Vec::<Value>::new());

    // HTTP 200 and a number that is taken: it waits for a person, with the ERP's code and field.
    hire(&place, "h-2", "赵雪", "ZG0003");
    let held = wait_until(LIMIT, || parked(&place).pop().ok_or_else(|| "nothing parked".to_owned()));
    assert_eq!(held["code"], "REFUSED", "{held:#}");
    assert!(held["reason"].as_str().unwrap().contains("HTTP 200, code 11 FStaffNumber"), "{held:#}");
    assert_eq!(effects(&place, "saved"), 1);
}

#[test]
fn kingdee_is_read_and_written_with_signed_requests() {
    kingdee_is_read_and_written("signed");
}

#[test]
fn kingdee_is_read_and_written_with_sessions_that_get_lost() {
    kingdee_is_read_and_written("app_secret");
}

#[test]
fn what_kingdee_saved_before_its_answer_was_lost_is_found_and_audited_once() {
    let place = place("kingdee-k3cloud", KINGDEE, "organization");
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    round(&place, "organization", 1);
    // The next answer breaks off half way, after what it tells of was done.
    place.turn(&json!({ "lose_every": 1, "vendors": ["kingdee-k3cloud"] }));
    let id = hire(&place, "h-1", "赵雪", "ZG0003");
    wait_until(LIMIT, || if effects(&place, "saved") == 1 { Ok(()) } else { Err("nothing saved".to_owned()) });
    place.turn(&json!({}));
    wait_until(LIMIT, || {
        let record = place.get(&format!("/v1/employees/{id}"));
        let known = record["sources"].as_array().unwrap().iter().any(|source| source["connection_id"] == "erp");
        if known && effects(&place, "audited") == 1 { Ok(()) } else { Err(format!("{record:#} {:#?}", parked(&place))) }
    });
    assert_eq!((effects(&place, "saved"), effects(&place, "submitted")), (1, 1));
}

const YONBIP: &str = "  app_key: 41832a3d2df94989b500da6a22268747\n  app_secret: ba8d6a1e8ce74d5e9f2b3c4d5e6f7a8b\n  \
    org_id: \"1990000000000001\"\n  page_size: 2\n";

#[test]
fn yonbip_is_read_person_by_person_and_written_and_counts_its_failures() {
    let place = place("yonyou-yonbip", YONBIP, "organization, employees");
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    for poll in ["organization", "employees"] {
        let first = round(&place, poll, 1);
        assert_eq!((&first["state"], &first["failed_calls"]), (&json!("complete"), &json!(0)), "{first:#}");
    }
    // Ids of 19 digits, as numbers or as text; a number with a wrong check character would hold the person back.
    let one = employee(&place, "2226463307780352001");
    assert_eq!((&one["employee_number"], &one["original_hire_on"]), (&json!("20001"), &json!("2020-03-15")), "{one:#}");
    assert_eq!(employee(&place, "2226463307780352002")["terminated_on"], "2024-06-30");
    assert_eq!(employee(&place, "2226463307780352003")["original_hire_on"], "2018-07-01");
    assert_eq!(place.get("/v1/job-assignments?connection=erp")["data"].as_array().unwrap().len(), 4);
    // Two pages of people, one token for all.
    assert_eq!((effects(&place, "page staff 2"), effects(&place, "token")), (1, 1));

    // A token that is not good any more is renewed once.
    act(&place, "yonyou-yonbip", "withdraw_tokens", &json!({}));
    act(&place, "yonyou-yonbip", "hire", &json!({ "id": "2226463307780352009", "code": "20009", "name": "何沐阳" }));
    run(&place, "employees");
    let second = round(&place, "employees", 2);
    assert_eq!((&second["state"], &second["failed_calls"]), (&json!("complete"), &json!(0)), "{second:#}");
    assert_eq!(employee(&place, "2226463307780352009")["display_name"], "何沐阳");
    assert_eq!(effects(&place, "token"), 2);

    // Saved; the hub's record is known by the id that the vendor gave.
    let id = hire(&place, "h-1", "赵雪", "20003");
    wait_until(LIMIT, || {
        let record = place.get(&format!("/v1/employees/{id}"));
        let known = record["sources"].as_array().unwrap().iter().any(|source| source["connection_id"] == "erp");
        if known { Ok(()) } else { Err(format!("{record:#} {:#?}", parked(&place))) }
    });
    assert_eq!(effects(&place, "saved Insert 20003"), 1);
    assert_eq!(parked(&place), Vec::<Value>::new());

    // A batch that counts one failure, beside code 200: it waits for a person.
    hire(&place, "h-2", "赵雪", "20003");
    let held = wait_until(LIMIT, || parked(&place).pop().ok_or_else(|| "nothing parked".to_owned()));
    assert_eq!(held["code"], "REFUSED", "{held:#}");
    assert!(held["reason"].as_str().unwrap().contains("HTTP 200, code failCount 1"), "{held:#}");
    assert_eq!(effects(&place, "saved"), 1);
}
