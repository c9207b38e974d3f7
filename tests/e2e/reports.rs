//! Reports for analysts: over the records of a running hub, and over rows of a file; as JSON, as a page, as a picture.

use hub_support::{Backends, Place, hrhub, said};
use serde_json::{Value, json};
use std::fs;
use std::process::Command;

/// Asks with a key and headers: status, media type, body.
fn ask(place: &Place, key: &str, path: &str, headers: &[(&str, &str)]) -> (u16, String, String) {
    let request = place.http().get(place.url(path)).bearer_auth(key);
    let answer = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).send().unwrap();
    let kind = answer.headers().get("content-type").map_or("", |kind| kind.to_str().unwrap()).to_owned();
    (answer.status().as_u16(), kind, answer.text().unwrap())
}

fn write((place, key): (&Place, &str), collection: &str, body: &Value) -> String {
    let request = place.http().post(place.url(&format!("/v1/{collection}"))).bearer_auth(key);
    let request = request.header("content-type", "application/json").header("purpose", "test");
    let answer = request.body(body.to_string()).send().unwrap();
    let (status, text) = (answer.status(), answer.text().unwrap());
    assert!(status.is_success(), "{collection} {body}: {status} {text}");
    let made: Value = serde_json::from_str(&text).unwrap();
    made["id"].as_str().unwrap().to_owned()
}

fn key_of(place: &Place, words: &[&str]) -> String {
    let mut command = Command::new(hrhub());
    command.args(["apps", "create", "--name", "analyst"]).args(words).arg("--config").arg(place.config());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{:?}", said(&output));
    said(&output).0.trim().to_owned()
}

fn reference(entity: &str, id: &str) -> Value {
    json!({ "type": entity, "id": id })
}

fn points(value: u32) -> Value {
    json!({ "value": value.to_string(), "min": "0", "max": "100" })
}

/// Requisitions of two departments with twelve people each, scored by the hub: in one department 逻辑思维 is low.
struct Records {
    departments: [String; 2],
    requisitions: [String; 2],
}

impl Records {
    fn write(place: &Place) -> Self {
        // Ethnicity is a restricted field: it needs the scope and a purpose.
        let key = key_of(place, &["--grants", "read,write,read:restricted"]);
        let place = (place, key.as_str());
        let department = |name: &str| write(place, "departments", &json!({ "name": name, "status": "ACTIVE" }));
        let departments = [department("产品部"), department("客服部")];
        let title = ["产品经理", "客服专员"];
        let requisition = |at: usize| {
            let body = json!({ "title": title[at], "status": "OPEN", "department": reference("department", &departments[at]) });
            write(place, "requisitions", &body)
        };
        let requisitions = [requisition(0), requisition(1)];
        for (at, requisition) in requisitions.iter().enumerate() {
            for person in 0..12_u32 {
                Self::application(place, requisition, person, if at == 0 { 40 + person } else { 70 + person });
            }
        }
        Self { departments, requisitions }
    }

    /// Somebody who applied; every third was hired after 20 days, whoever has an even number is a woman.
    fn application(place: (&Place, &str), requisition: &str, number: u32, logic: u32) {
        let sex = if number.is_multiple_of(2) { "FEMALE" } else { "MALE" };
        let person = write(
            place,
            "people",
            &json!({ "name": { "full": format!("Test {number}") }, "sex": sex, "ethnicity": "Han" }),
        );
        let candidate = json!({ "name": { "full": format!("Test {number}") }, "person": reference("person", &person) });
        let candidate = write(place, "candidates", &candidate);
        let hired = number.is_multiple_of(3);
        let mut application = json!({
            "candidate": reference("candidate", &candidate), "requisition": reference("requisition", requisition),
            "applied_at": "2026-03-01T01:00:00Z", "outcome": if hired { "HIRED" } else { "REJECTED" },
            "stage_kind": if hired { "ONBOARDED" } else { "REJECTED" },
            "history": [{ "from": "SCREENING", "to": "INTERVIEW" }],
        });
        if hired {
            application["hired_at"] = json!("2026-03-21T01:00:00Z");
        }
        let application = write(place, "applications", &application);
        let scored = |id: &str, value: u32| json!({ "id": id, "score": points(value), "required": "60" });
        let scorecard = json!({
            "application": reference("application", &application), "rater": { "kind": "AI" },
            "dimensions": [scored("逻辑思维", logic), scored("语言表达", 85)], "total": points((logic + 85) / 2),
            "match_score": { "value": if hired { "8.5" } else { "6" }, "min": "0", "max": "10" },
            "keywords": ["用户需求"], "submitted_at": "2026-03-05T01:00:00Z", "status": "SUBMITTED",
        });
        write(place, "scorecards", &scorecard);
        let interview = json!({
            "application": reference("application", &application), "status": "COMPLETED",
            "starts_at": "2026-03-04T01:00:00Z", "ends_at": "2026-03-04T01:30:00Z",
            "candidate_attendance": if number == 1 { "NO_SHOW" } else { "ATTENDED" },
        });
        write(place, "interviews", &interview);
    }
}

/// The row of a table whose first cells are these texts.
fn row<'r>(report: &'r Value, table: usize, first: &[&str]) -> &'r Vec<Value> {
    let rows = report["tables"][table]["rows"].as_array().unwrap();
    let fits = |row: &&Value| first.iter().enumerate().all(|(at, text)| row[at]["en"] == *text);
    rows.iter().find(fits).unwrap_or_else(|| panic!("{first:?} in {report:#}")).as_array().unwrap()
}

#[test]
fn reports_tell_what_the_caller_may_read_as_json_page_and_picture() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    let records = Records::write(&place);
    let admin = place.secret("HRHUB_ADMIN_KEY");
    let listed = place.get("/v1/reports");
    let names: Vec<&str> =
        listed["data"].as_array().unwrap().iter().map(|one| one["report"].as_str().unwrap()).collect();
    assert!(names.len() == 11 && names.contains(&"thresholds") && names.contains(&"bias-audit"), "{names:?}");

    let report = place.get("/v1/reports/distribution?since=2026-03-01&until=2026-03-31&mark=60");
    // 40 to 51: the median is 45.5, and all of them lie below 60.
    let low = row(&report, 0, &["产品经理", "逻辑思维"]);
    assert_eq!((&low[2], &low[6], &low[8]), (&json!(12), &json!("45.50"), &json!("1")), "{report:#}");
    let finding = &report["findings"][0];
    assert!(
        finding["kind"] == "warning" && finding["text"]["zh"].as_str().unwrap().contains("逻辑思维"),
        "{finding:#}"
    );
    assert!(finding["effect"]["interval_95"][0].as_str().unwrap().starts_with("0.75"), "{finding:#}");
    let of_one = place.get(&format!("/v1/reports/distribution?requisition={}", records.requisitions[1]));
    assert!(!of_one.to_string().contains("产品经理") && of_one.to_string().contains("客服专员"), "{of_one:#}");
    let none = place.get("/v1/reports/distribution?since=2026-04-01");
    assert_eq!(none["findings"], json!([]), "nothing was scored then");

    let programme = place.get("/v1/reports/programme");
    assert_eq!(row(&programme, 0, &["Time to hire (days, median)"])[1..3], [json!(8), json!("20.0")], "{programme:#}");
    let shown_up = row(&programme, 0, &["Interviews attended"]);
    assert_eq!((&shown_up[1], &shown_up[2]), (&json!(24), &json!("0.916667")));
    assert_eq!(row(&programme, 0, &["Hired of those at 8 and above"])[1..3], [json!(8), json!("1")]);
    let weak = place.get("/v1/reports/weak-dimension");
    assert!(weak["findings"][0]["text"]["zh"].as_str().unwrap().contains("逻辑思维：50.0 %"), "{weak:#}");
    let keywords = place.get("/v1/reports/keyword-gaps?pair=用户需求:数据支撑");
    assert_eq!((&keywords["findings"][0]["n"], &keywords["findings"][0]["effect"]["size"]), (&json!(24), &json!("1")));
    let thin = place.get("/v1/reports/thresholds?groups=sex");
    assert_eq!(thin["findings"][0]["kind"], "insufficient_sample", "{thin:#}");
    for name in ["course-effect", "attrition", "talent", "pay"] {
        assert_eq!(place.get(&format!("/v1/reports/{name}"))["report"], name);
    }

    let browser = [("accept", "text/html,application/xhtml+xml"), ("accept-language", "zh-CN,zh;q=0.9")];
    let (status, kind, page) = ask(&place, &admin, "/v1/reports/distribution", &browser);
    assert!(
        status == 200 && kind.starts_with("text/html") && page.contains("lang=\"zh-CN\"") && page.contains("<svg"),
        "{kind}"
    );
    let (status, kind, picture) = ask(&place, &admin, "/v1/reports/distribution?format=svg&chart=2", &[]);
    assert!(status == 200 && kind == "image/svg+xml" && picture.starts_with("<svg "), "{kind} {picture}");
    for (bad, wanted) in [
        ("/v1/reports/distribution?format=pdf", 400),
        ("/v1/reports/distribution?format=svg&chart=99", 400),
        ("/v1/reports/distribution?mark=101", 400),
        ("/v1/reports/distribution?since=2026-03-02&until=2026-03-01", 400),
        ("/v1/reports/distribution?sicne=2026-03-02", 400),
        ("/v1/reports/distributions", 404),
    ] {
        assert_eq!(ask(&place, &admin, bad, &[]).0, wanted, "{bad}");
    }

    // Who reads no personal fields gets no report; who is limited to a department gets that of it.
    let structure = key_of(&place, &["--grants", "read:structure"]);
    assert_eq!(ask(&place, &structure, "/v1/reports/distribution", &[]).0, 403);
    let limited = key_of(&place, &["--grants", "read", "--units", &records.departments[1]]);
    let (status, _, text) = ask(&place, &limited, "/v1/reports/distribution", &[]);
    assert!(status == 200 && text.contains("客服专员") && !text.contains("产品经理"), "{status} {text}");
    let programme: Value = serde_json::from_str(&ask(&place, &limited, "/v1/reports/programme", &[]).2).unwrap();
    assert_eq!(row(&programme, 0, &["Time to hire (days, median)"])[1], json!(4));
}

#[test]
fn a_bias_audit_over_the_records_needs_an_auditor_and_a_purpose() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    let records = Records::write(&place);
    let auditor = key_of(&place, &["--roles", "auditor"]);
    let path =
        format!("/v1/reports/bias-audit?stage=INTERVIEW&auditor=Example&requisition={}", records.requisitions[0]);
    let (status, _, text) = ask(&place, &auditor, &path, &[]);
    let audit: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((status, &audit["assessed"]), (200, &json!(12)), "{audit:#}");
    // Of twelve 0, 3, 6, 9 were hired: 0 and 6 are women.
    let female = audit["selection"]["sex"].as_array().unwrap().iter().find(|one| one["sex"] == "Female").unwrap();
    assert_eq!((&female["assessed"], &female["favoured"]), (&json!(6), &json!(2)), "{audit:#}");
    assert_eq!(audit["unknown"]["race"], 12, "ethnicity is read for a purpose only");
    let (_, kind, page) =
        ask(&place, &auditor, &format!("{path}&format=html&language=zh"), &[("purpose", "yearly audit")]);
    assert!(kind.starts_with("text/html") && page.contains("偏差审计") && page.contains("Han"), "{page}");
    assert_eq!(ask(&place, &auditor, "/v1/reports/bias-audit?stage=NOWHERE", &[]).0, 400);
    let reader = key_of(&place, &["--grants", "read"]);
    assert_eq!(ask(&place, &reader, &path, &[]).0, 403);
    let log = place.get("/v1/audit?action=report.made");
    assert!(log["data"].as_array().unwrap().len() >= 2 && log.to_string().contains("yearly audit"), "{log:#}");
}

#[test]
fn the_command_line_writes_a_report_of_a_file_or_of_a_hub() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    Records::write(&place);
    let report = |arguments: &[&str]| {
        let mut command = Command::new(hrhub());
        command.arg("report").args(arguments).arg("--config").arg(place.config());
        let output = command.output().unwrap();
        (output.status.success(), said(&output).0, said(&output).1)
    };
    let (page, url) = (place.folder().join("page.html"), place.url(""));
    let page_path = page.to_str().unwrap();
    let (fine, _, err) = report(&["distribution", "--hub", &url, "--out", page_path, "--language", "zh"]);
    assert!(fine && err.contains("is written"), "{err}");
    let text = fs::read_to_string(&page).unwrap();
    assert!(text.contains("得分分布") && text.contains("逻辑思维") && text.contains("<svg"), "{text}");

    let rows = place.folder().join("rows.csv");
    let mut table = "course,completion,performance\n".to_owned();
    for person in 0..40 {
        table += &format!("谈判,{},{}\n", person * 2, 50 + person);
    }
    fs::write(&rows, &table).unwrap();
    let (json, rows_path) = (place.folder().join("report.json"), rows.to_str().unwrap());
    let (fine, _, err) = report(&["course-effect", rows_path, "--out", json.to_str().unwrap()]);
    assert!(fine, "{err}");
    let made: Value = serde_json::from_str(&fs::read_to_string(&json).unwrap()).unwrap();
    let proposal = &made["findings"][0]["proposal"];
    assert_eq!((&proposal["of"], &proposal["status"]), (&json!("谈判"), &json!("to_be_approved")), "{made:#}");

    let (fine, out, _) = report(&["--list"]);
    assert!(fine && out.contains("thresholds") && out.contains("columns: dimension, score, met, group"), "{out}");
    fs::write(&rows, table.replace("谈判,4,", "谈判,four,")).unwrap();
    let (fine, _, err) = report(&["course-effect", rows_path, "--out", page_path]);
    assert!(!fine && err.contains("row 4") && err.contains("four"), "{err}");
    let (fine, _, err) = report(&["course-effects", rows_path, "--out", page_path]);
    assert!(!fine && err.contains("course-effect"), "{err}");
    let (fine, _, err) = report(&["pay", rows_path, "--out", "page.pdf"]);
    assert!(!fine && err.contains(".html"), "{err}");
}

#[test]
fn oversight_tells_who_overturns_what_a_machine_proposes_and_who_never_does() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    let key = place.secret("HRHUB_ADMIN_KEY");
    let to = (&place, key.as_str());
    let requisition = write(to, "requisitions", &json!({ "title": "客服专员", "status": "OPEN" }));
    let user = |name: &str| write(to, "users", &json!({ "username": name, "active": true }));
    let (lin, petra) = (user("lin.hao"), user("petra.osei"));
    let by = |user: &str| json!({ "kind": "HUMAN", "user": reference("user", user) });
    for number in 0..46 {
        let candidate = write(to, "candidates", &json!({ "name": { "full": format!("Test {number}") } }));
        let application = json!({
            "candidate": reference("candidate", &candidate), "requisition": reference("requisition", &requisition),
        });
        let application = reference("application", &write(to, "applications", &application));
        let machine = write(
            to,
            "decisions",
            &json!({
                "application": application, "kind": "HOLD", "label": "RECOMMENDED",
                "made_by": { "kind": "RULE", "rule_id": "customer-service@2" },
            }),
        );
        let (who, kind) = match number {
            0..36 => (&lin, "ADVANCE"),
            36..41 => (&petra, "ADVANCE"),
            _ => (&petra, "REJECT"),
        };
        if number < 45 {
            write(to, "decisions", &json!({ "application": application, "kind": kind, "made_by": by(who) }));
            continue;
        }
        // The machine's own decision becomes a person's.
        let url = place.url(&format!("/v1/decisions/{machine}"));
        let change = json!({ "kind": kind, "made_by": by(who) });
        assert_eq!(place.http().patch(url).bearer_auth(&key).json(&change).send().unwrap().status(), 200);
    }
    let report = place.get("/v1/reports/oversight");
    assert_eq!(row(&report, 0, &["petra.osei"])[1..4], [json!(10), json!(5), json!("0.5")], "{report:#}");
    assert_eq!(row(&report, 1, &["customer-service@2"])[1..3], [json!(46), json!(5)], "{report:#}");
    let named = |name: &str| report["findings"].as_array().unwrap().iter().any(|one| one.to_string().contains(name));
    assert!(named("lin.hao") && !named("petra.osei"), "{report:#}");
}
