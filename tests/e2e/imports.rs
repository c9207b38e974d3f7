//! Files become records: what is wrong is said of each cell, nothing is half applied, and all of it can be undone.

mod console;
mod exports;
mod review;

use hub_support::{Backends, Place, hrhub, said, wait_for};
use serde_json::{Value, json};
use std::process::Command;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(240);
/// Headings as people write them.
const HEAD: &str = "*工号,*姓名,身份证号,手机,入职日期,基本工资";
/// Three rows; the first has an identity number, which no preview shows.
const STAFF: &str = "A0101,刘洋,11019919910101000X,199 0000 0101,2019/3/5,8500元\n\
    A0102,李娜,,19900000102,2020年1月2日,\"9,000.50\"\n\
    A0103,张伟,,19900000103,2021-02-03,7000\n";

/// Somebody who calls the API.
#[derive(Clone)]
struct Caller<'p> {
    place: &'p Place,
    key: String,
}

impl<'p> Caller<'p> {
    fn admin(place: &'p Place) -> Self {
        Self { place, key: place.secret("HRHUB_ADMIN_KEY") }
    }

    /// Somebody with a key of these scopes.
    fn with(place: &'p Place, name: &str, scopes: &str) -> Self {
        let mut command = Command::new(hrhub());
        command.args(["keys", "create", "--name", name, "--scopes", scopes, "--config"]).arg(place.config());
        let (out, err) = said(&command.output().unwrap());
        let key = out.split_whitespace().find(|word| word.starts_with("hrk_"));
        Self { place, key: key.unwrap_or_else(|| panic!("{out}{err}")).to_owned() }
    }

    fn get(&self, path: &str) -> (u16, Value) {
        let asked = self.place.http().get(self.place.url(path)).bearer_auth(&self.key).header("purpose", "to look");
        let answer = asked.send().unwrap();
        (answer.status().as_u16(), answer.json().unwrap())
    }

    fn found(&self, path: &str) -> Value {
        let (status, body) = self.get(path);
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    fn post(&self, path: &str, body: &[u8]) -> (u16, Value) {
        let request = self.place.http().post(self.place.url(path)).bearer_auth(&self.key).body(body.to_vec());
        let answer = request.send().unwrap();
        (answer.status().as_u16(), answer.json().unwrap())
    }

    fn does(&self, id: &str, verb: &str, body: &Value) -> (u16, Value) {
        self.post(&format!("/v1/imports/{id}:{verb}"), body.to_string().as_bytes())
    }

    /// Brings a file and waits for its rows to be checked.
    fn brings(&self, query: &str, file: &str) -> Value {
        let (status, body) = self.post(&format!("/v1/imports?{query}"), file.as_bytes());
        assert_eq!(status, 201, "{body}");
        self.settled(body["id"].as_str().unwrap())
    }

    fn settled(&self, id: &str) -> Value {
        wait_for("the import to stand still", LIMIT, || {
            let found = self.found(&format!("/v1/imports/{id}"));
            let moves = ["CHECKING", "APPLYING", "UNDOING"].iter().any(|state| found["state"] == *state);
            (!moves).then_some(found)
        })
    }

    /// Has an import applied and waits for its end.
    fn applies(&self, id: &str) -> Value {
        let (status, body) = self.does(id, "apply", &json!({}));
        assert!(status < 300, "{body}");
        self.settled(id)
    }

    fn list(&self, path: &str) -> Vec<Value> {
        self.found(path)["data"].as_array().unwrap().clone()
    }

    /// The employee of a number.
    fn employee(&self, number: &str) -> Option<Value> {
        self.list(&format!("/v1/employees?employee_number={number}")).pop()
    }
}

fn id(import: &Value) -> &str {
    import["id"].as_str().unwrap()
}

fn csv(rows: &str) -> String {
    format!("员工花名册,,,,,\n{HEAD}\n{rows}")
}

#[test]
fn a_file_becomes_records_that_name_its_rows_and_cells_and_goes_again_without_a_trace_of_its_own() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    let admin = Caller::admin(&place);
    let bad = "A0104,王芳,,12345,2021-02-30,面议\n合计,,,,,\n";
    let checked = admin.brings("as=employee&file_name=staff.csv", &csv(&format!("{STAFF}{bad}")));
    assert_eq!(checked["state"], "CHECKED", "{checked}");
    assert_eq!((&checked["header_row"], &checked["kind"], &checked["missing"]), (&json!(2), &json!("CSV"), &json!([])));
    let rows = &checked["rows"];
    assert_eq!((&rows["total"], &rows["good"], &rows["bad"]), (&json!(4), &json!(3), &json!(1)), "{checked}");
    let wrong = admin.list(&format!("/v1/imports/{}/rows?state=bad", id(&checked)));
    let told: Vec<(&str, &str)> = wrong[0]["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| (finding["code"].as_str().unwrap(), finding["cell"].as_str().unwrap()))
        .collect();
    assert_eq!(told, [("PHONE", "D6"), ("DATE", "E6"), ("AMOUNT", "F6")]);
    // Restricted values are shown to nobody before they are records.
    let good = admin.list(&format!("/v1/imports/{}/rows?state=good", id(&checked)));
    assert_eq!((&good[0]["row"], &good[0]["cells"]["身份证号"]), (&json!(3), &json!("•••")));
    assert_eq!(good[0]["cells"]["姓名"], "刘洋");
    assert_eq!(admin.list("/v1/employees").len(), 0, "nothing is written before somebody says so");

    let applied = admin.applies(id(&checked));
    assert_eq!((&applied["state"], &applied["rows"]["applied"]), (&json!("APPLIED"), &json!(3)), "{applied}");
    let employee = admin.employee("A0101").unwrap();
    let source = &employee["sources"][0];
    assert_eq!((&source["connection_id"], &source["remote_id"]), (&json!("import"), &json!("A0101")));
    let number = employee["id"].as_str().unwrap();
    let why = admin.found(&format!("/v1/employees/{number}/explain?field=employee_number"));
    let file = &why["source"]["file"];
    assert_eq!(
        (&file["name"], &file["row"], &file["import"]),
        (&json!("staff.csv"), &json!(3), &applied["id"]),
        "{why}"
    );
    assert_eq!(file["columns"], json!([{ "column": "A", "heading": "工号", "cell": "A3" }]), "{why}");
    let person = admin.found(&format!("/v1/people/{}", employee["person"]["id"].as_str().unwrap()));
    assert_eq!(person["national_ids"][0]["number"], "11019919910101000X");
    let pay = admin.list("/v1/compensations");
    assert!(pay.iter().any(|one| one["lines"][0]["amount"]["amount"] == "9000.50"), "{pay:?}");
    let about = admin.list(&format!("/v1/journeys?about=employee/{number}"));
    assert_eq!(about.len(), 1, "a row has a journey: {about:?}");

    let report = place.http().get(place.url(&format!("/v1/imports/{}/report.xlsx", id(&applied))));
    let report = report.bearer_auth(&admin.key).send().unwrap().bytes().unwrap();
    assert!(report.starts_with(b"PK"));
    let (status, undone) = admin.does(id(&applied), "undo", &json!({}));
    assert_eq!(status, 202, "{undone}");
    let undone = admin.settled(id(&applied));
    assert_eq!((&undone["state"], &undone["records"]["kept"]), (&json!("UNDONE"), &json!(0)));
    for collection in ["employees", "people", "employments", "compensations"] {
        assert_eq!(admin.list(&format!("/v1/{collection}")).len(), 0, "{collection}");
    }
    let gone = admin.found(&format!("/v1/employees/{number}"));
    assert!(!gone["deleted_at"].is_null() && gone["version"] == 2, "{gone}");
    assert_eq!(admin.does(id(&applied), "undo", &json!({})).0, 409);
    let steps: Vec<&str> = undone["history"].as_array().unwrap().iter().map(|s| s["step"].as_str().unwrap()).collect();
    assert_eq!(steps, ["uploaded", "applying", "applied", "undo", "undone"]);
    assert!(undone["history"][0]["by"] == "admin" && undone["history"][0]["at"].is_string());
}

#[test]
fn nothing_is_half_applied_and_an_undo_keeps_what_somebody_has_changed_since() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    let admin = Caller::admin(&place);
    let mixed = admin.brings("as=employee", &csv(&format!("{STAFF}A0104,王芳,,12345,,\n")));
    let (status, refused) = admin.does(id(&mixed), "apply", &json!({ "all_or_nothing": true }));
    assert_eq!((status, &refused["code"]), (409, &json!("conflict")), "{refused}");
    assert_eq!(admin.list("/v1/employees").len(), 0);
    let first = admin.brings("as=employee", &csv(STAFF));
    admin.applies(id(&first));
    // The second file changes two of them and brings one more.
    let second = "A0101,刘扬,,,,\nA0102,李娜娜,,,,\nA0105,陈晨,,19900000105,2022-01-01,6000\n";
    let second = admin.brings("as=employee", &csv(second));
    assert_eq!(second["rows"]["good"], 3, "{second}");
    admin.applies(id(&second));
    assert_eq!(admin.employee("A0101").unwrap()["display_name"], "刘扬");
    // Somebody changes one of them since.
    let third = admin.brings("as=employee", &csv("A0102,李丽,,,,\n"));
    admin.applies(id(&third));
    admin.does(id(&second), "undo", &json!({}));
    let undone = admin.settled(id(&second));
    assert_eq!(undone["state"], "UNDONE");
    assert!(undone["records"]["kept"].as_i64().unwrap() >= 1, "{undone}");
    let kept: Vec<&str> =
        undone["conflicts"].as_array().unwrap().iter().map(|one| one["entity"].as_str().unwrap()).collect();
    assert!(kept.contains(&"employee"), "{undone}");
    assert_eq!(admin.employee("A0101").unwrap()["display_name"], "刘洋", "as it was before");
    assert_eq!(admin.employee("A0102").unwrap()["display_name"], "李丽", "somebody has said so since");
    assert!(admin.employee("A0105").is_none());
    let restored = admin.employee("A0101").unwrap();
    let history = admin.list(&format!("/v1/employees/{}/history", restored["id"].as_str().unwrap()));
    assert_eq!(history.len(), 3, "made, changed, restored: nothing is rewritten");
    // In insert mode what is there already is an error.
    let again = admin.brings("as=employee&mode=insert", &csv("A0101,刘洋,,,2019-03-05,1\n"));
    assert_eq!(again["rows"]["bad"], 1, "{again}");
}

#[test]
fn rows_mean_records_that_other_imports_made_and_columns_mean_what_the_tenant_has_said() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    let admin = Caller::admin(&place);
    let departments = admin.brings("as=department", "部门编码,部门名称,上级部门\nD1,示例科技,\nD2,研发部,D1\n");
    let made = admin.applies(id(&departments));
    assert_eq!((&made["state"], &made["rows"]["applied"]), (&json!("APPLIED"), &json!(2)), "{made}");
    let file =
        "工号,姓名,归属,入职日期,基本工资\nA0101,刘洋,示例科技>研发部,2019-03-05,1\nA0102,李娜,研发,2020-01-02,2\n";
    let held = admin.brings("as=employee&hold=true", file);
    assert_eq!(held["state"], "UPLOADED", "somebody looks at the columns first");
    let column = held["columns"].as_array().unwrap().iter().find(|column| column["heading"] == "归属").unwrap().clone();
    assert_eq!(column["field"], Value::Null);
    let (status, body) = admin.does(id(&held), "check", &json!({ "columns": { "归属": "department" } }));
    assert_eq!(status, 202, "{body}");
    let checked = admin.settled(id(&held));
    assert_eq!((&checked["rows"]["good"], &checked["rows"]["bad"]), (&json!(1), &json!(1)), "{checked}");
    let wrong = admin.list(&format!("/v1/imports/{}/rows?state=bad", id(&held)));
    assert_eq!(wrong[0]["findings"][0]["code"], "DEPARTMENT_UNKNOWN", "a near name is offered, never taken");
    admin.applies(id(&held));
    let department = admin.list("/v1/departments?code=D2").pop().unwrap();
    let jobs = admin.list("/v1/job-assignments");
    assert_eq!(jobs[0]["department"]["id"], department["id"], "{jobs:?}");
    // The next file of this kind needs no word.
    let next = admin.brings("as=employee", file);
    let column = next["columns"].as_array().unwrap().iter().find(|column| column["heading"] == "归属").unwrap().clone();
    assert_eq!(column["field"], "department");
    // What is not applied is thrown away with its file.
    let (status, gone) = admin.does(id(&next), "discard", &json!({}));
    assert_eq!((status, &gone["state"]), (200, &json!("DISCARDED")));
    assert_eq!(admin.list(&format!("/v1/imports/{}/rows", id(&next))).len(), 0);
    assert_eq!(admin.does(id(&next), "apply", &json!({})).0, 409);
}

#[test]
fn a_trial_is_compared_and_rolled_back_and_tells_nobody() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    let admin = Caller::admin(&place);
    let before = admin.brings("as=employee", &csv("A0101,刘洋,,,2019-03-05,8000\n"));
    admin.applies(id(&before));
    let real = admin.list("/v1/journeys").len();
    let import = admin.brings("as=employee", &csv(STAFF));
    let (status, wrong) = admin.does(id(&import), "apply", &json!({ "tenant": "north" }));
    assert_eq!((status, &wrong["pointer"]), (422, &json!("/tenant")));
    let (status, body) = admin.does(id(&import), "apply", &json!({ "tenant": "default-trial" }));
    assert_eq!(status, 202, "{body}");
    let tried = admin.settled(id(&import));
    assert_eq!(
        (&tried["state"], &tried["trial"], &tried["rows"]["applied"]),
        (&json!("APPLIED"), &json!(true), &json!(3))
    );
    assert_eq!(admin.list("/v1/employees").len(), 1, "the tenant's own records are as they were");
    assert_eq!(admin.list("/v1/journeys").len(), real, "a trial is nobody's journey");
    let compared = admin.found(&format!("/v1/imports/{}/comparison", id(&import)));
    let of = |entity: &str| {
        let found = compared["entities"].as_array().unwrap().iter().find(|one| one["entity"] == entity);
        found.unwrap_or_else(|| panic!("{compared}")).clone()
    };
    let employees = of("employee");
    let counts = ["trial", "target", "matched", "new"].map(|name| employees[name].as_i64().unwrap());
    assert_eq!(counts, [3, 1, 1, 2], "{employees}");
    let pay = of("compensation");
    assert_eq!(pay["differing"], 1, "{pay}");
    let sum = &pay["sums"][0];
    assert_eq!((&sum["trial"], &sum["target"]), (&json!("24500.50"), &json!("8000.00")), "{pay}");
    assert_eq!(pay["samples"][0]["fields"][0]["field"], "lines", "{pay}");
    // Without the scope for personal fields there are counts, and no sums.
    let clerk = Caller::with(&place, "clerk", "import,read:structure");
    let seen = clerk.found(&format!("/v1/imports/{}/comparison", id(&import)));
    let pay = seen["entities"].as_array().unwrap().iter().find(|one| one["entity"] == "compensation").unwrap().clone();
    assert_eq!((&pay["sums"], &pay["trial"]), (&json!([]), &json!(3)));
    let (status, back) = admin.does(id(&import), "undo", &json!({}));
    assert_eq!((status, &back["state"], &back["trial"]), (200, &json!("CHECKED"), &json!(false)), "{back}");
    assert_eq!(admin.does(id(&import), "undo", &json!({})).0, 409);
    let applied = admin.applies(id(&import));
    assert_eq!(
        (&applied["state"], &applied["records"]["created"]),
        (&json!("APPLIED"), &applied["records"]["created"])
    );
    assert_eq!(admin.list("/v1/employees").len(), 3);
}

#[test]
fn what_cannot_be_used_is_refused_with_what_to_do() {
    let place = Place::new(Backends::Embedded);
    place.edit("hub.yaml", |text| format!("{text}\nimports: {{ max_bytes: 20000 }}\n"));
    let _hub = place.serve();
    let admin = Caller::admin(&place);
    let told = |query: &str, body: &[u8]| {
        let (status, problem) = admin.post(&format!("/v1/imports{query}"), body);
        (status, problem["code"].as_str().unwrap().to_owned(), problem.to_string())
    };
    for (query, body, status, code) in [
        ("?as=employee", b"".as_slice(), 422, "unusable_file"),
        ("?as=employee", b"%PDF-1.7", 422, "unusable_file"),
        ("?as=employee", b"a,b\n1,2\n", 422, "unusable_file"),
        ("?as=employees", b"a,b\n", 400, "bad_parameter"),
        ("", b"a,b\n", 400, "bad_parameter"),
        ("?as=employee&mdoe=insert", b"a,b\n", 400, "bad_parameter"),
        ("?as=employee&mode=replace", b"a,b\n", 400, "bad_parameter"),
        ("?as=employee&columns=%5B%5D", b"a,b\n", 400, "bad_parameter"),
        ("?as=employee&mapping=nothing", b"a,b\n", 400, "bad_parameter"),
    ] {
        let (got, known, problem) = told(query, body);
        assert_eq!((got, known.as_str()), (status, code), "{query}: {problem}");
    }
    assert_eq!(told("?as=employee", "x".repeat(20_001).as_bytes()).0, 413);
    let reader = Caller::with(&place, "reader", "read,write,ops");
    for (status, _) in [reader.get("/v1/imports"), reader.post("/v1/imports?as=employee", csv(STAFF).as_bytes())] {
        assert_eq!(status, 403);
    }
    assert_eq!(admin.get("/v1/imports/0198f0aa-0000-7000-8000-000000000001").0, 404);
    let clerk = Caller::with(&place, "clerk", "import");
    let checked = clerk.brings("as=employee", &csv(STAFF));
    assert_eq!(clerk.does(id(&checked), "approve", &json!({})).0, 403);
    assert_eq!(clerk.does(id(&checked), "applied", &json!({})).0, 404);
    assert_eq!(clerk.does(id(&checked), "apply", &json!({ "tenannt": 1 })).0, 422);
    // Who may not read personal fields sees none in the preview either.
    let rows = clerk.list(&format!("/v1/imports/{}/rows", id(&checked)));
    assert_eq!((&rows[0]["cells"]["姓名"], &rows[0]["cells"]["工号"]), (&json!("•••"), &json!("A0101")));
}
