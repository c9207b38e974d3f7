//! Tables in databases of another system: rows become records, their status is written back, and the other way round.

use hub_support::{Backends, Place, Running, mariadb, postgres, run_hrhub, said, wait_until};
use serde_json::{Value, json};
use std::fs;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(240);

const MANIFEST: &str = r#"version: 1
vendor: heron-erp
name: Heron ERP
family: erp
driver: staging
settings: { dsn: { required: true, secret: true }, time_zone: { doc: zone of the database } }
tables:
  staff:
    table: 人员表
    key: [序号]
    record: [工号]
    status: { column: 状态, new: N, taken: P, done: S, failed: E }
    claim: { by: locked_by, at: locked_at, stale_after_secs: 60 }
    error: { code: err_code, text: err_text, tries: tries, at: done_at }
    mapping: staff
  departments: { table: v_dept, key: code, mark: [modified, code], overlap_secs: 300, mapping: department }
  results: { table: hr_in, key: ext_id, mark: [changed_at, ext_id], when: { status: [S, E] }, mapping: result }
operations:
  push_employee: { insert: hr_in, key: ext_id, set: { status: N }, mapping: push_employee }
poll: { every_secs: 1 }
"#;

const STAFF: &str = r#"version: 1
from: heron-erp/staff
emit:
  - to: employee
    key: payload.工号
    fields:
      employee_number: { path: payload.工号 }
      display_name: { path: payload.姓名, required: true }
      status: { path: payload.在职, enum: { 在职: ACTIVE, 离职: TERMINATED }, unknown: park }
ignore: [payload.序号]
"#;

const DEPARTMENT: &str = "version: 1\nfrom: heron-erp/department\nemit:\n  - { to: department, key: payload.code, \
    fields: { name: { path: payload.name } } }\nignore: [payload.modified, payload.note]\n";
/// What the other side says of rows that the hub wrote.
const RESULT: &str = "version: 1\nfrom: heron-erp/result\nemit:\n  - to: employee\n    key: payload.ext_id\n    fields: \
    { username: { path: payload.status } }\nignore: [payload.name, payload.changed_at]\n";
const PUSH: &str = "version: 1\nto: heron-erp/push_employee\nfields:\n  ext_id: { path: payload.employee.id, required: true }\n  \
    name: { path: payload.employee.name }\n";

const TABLES: &str = "
CREATE TABLE \"人员表\" (\"序号\" int PRIMARY KEY, \"工号\" char(10), \"姓名\" varchar(20), \"在职\" varchar(10),
    \"状态\" char(1) NOT NULL DEFAULT 'N', locked_by varchar(20), locked_at {stamp}, err_code varchar(30),
    err_text varchar(30), tries int, done_at {stamp});
CREATE TABLE dept (code varchar(10) PRIMARY KEY, name varchar(20), note varchar(20), modified {stamp});
CREATE VIEW v_dept AS SELECT code, name, note, modified FROM dept;
CREATE TABLE hr_in (ext_id varchar(40) PRIMARY KEY, name varchar(20), status char(1), changed_at {stamp})";

/// A hub and the database of another system.
struct Erp {
    place: Place,
    kind: &'static str,
    database: String,
}

impl Erp {
    fn new(kind: &'static str, backends: Backends) -> Self {
        let place = Place::new(backends);
        let (database, url) = if kind == "postgres" {
            let url = postgres().new_database();
            (url.rsplit('/').next().unwrap().to_owned(), url)
        } else {
            let database = mariadb().new_database();
            let url = mariadb().url(&database);
            (database, url)
        };
        let erp = Self { place, kind, database };
        for (file, text) in [
            ("connectors/heron-erp/manifest.yaml", MANIFEST),
            ("mappings/heron-erp/staff.in.yaml", STAFF),
            ("mappings/heron-erp/department.in.yaml", DEPARTMENT),
            ("mappings/heron-erp/result.in.yaml", RESULT),
            ("mappings/heron-erp/push_employee.out.yaml", PUSH),
            (
                "connections/heron-main.yaml",
                &format!(
                    "id: heron-main\nconnector: heron-erp\nsettings: {{ dsn: \"{url}\", time_zone: Asia/Shanghai }}\n"
                ),
            ),
        ] {
            let path = erp.place.config().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        for statement in TABLES.split(";\n") {
            erp.sql(statement);
        }
        erp
    }

    /// Runs a statement as the other side; its lines, columns with `|` between.
    fn sql(&self, statement: &str) -> Vec<String> {
        let text = if self.kind == "postgres" {
            postgres().sql_in(&self.database, &statement.replace("{stamp}", "timestamp(6)"))
        } else {
            let statement = statement.replace("{stamp}", "datetime(6)").replace('"', "`");
            mariadb().sql_in(&self.database, &statement).replace('\t', "|")
        };
        text.lines().map(str::to_owned).collect()
    }

    fn until(&self, query: &str, wanted: &[&str]) {
        wait_until(LIMIT, || {
            let found = self.sql(query);
            if found == wanted { Ok(()) } else { Err(format!("{wanted:?} by {query}, not {found:?}")) }
        });
    }

    fn employees(&self) -> Vec<Value> {
        let mut all = self.place.get("/v1/employees?limit=200")["data"].as_array().unwrap().clone();
        all.sort_by_key(|one| one["employee_number"].as_str().unwrap_or_default().to_owned());
        all
    }

    fn serve(&self) -> Running {
        self.place.serve()
    }
}

const STATES: &str = "SELECT \"序号\", \"状态\", err_code FROM \"人员表\" ORDER BY 1";

fn rows_become_records_and_are_told_what_became_of_them(kind: &'static str, backends: Backends) {
    let erp = Erp::new(kind, backends);
    erp.sql(
        "INSERT INTO \"人员表\" (\"序号\", \"工号\", \"姓名\", \"在职\") VALUES (1, 'A01', '李小', '在职'), \
         (2, 'A01', '李小龙', '在职'), (3, 'B02', '王?', '休假'), (4, 'C03', NULL, '在职')",
    );
    let hub = erp.serve();
    let none = if kind == "postgres" { "" } else { "NULL" };
    let states = |three: &str, code: &str| {
        [format!("1|S|{none}"), format!("2|S|{none}"), format!("3|{three}|{code}"), "4|E|REQUIRED_MISSING".to_owned()]
    };
    let wanted = states("E", "UNKNOWN_ENUM_VALUE");
    erp.until(STATES, &wanted.each_ref().map(String::as_str));
    let employees = erp.employees();
    let names: Vec<_> = employees.iter().map(|one| one["display_name"].as_str().unwrap()).collect();
    assert_eq!(names, ["李小龙"], "the later row of a person counts, and padding is no part of a number");
    assert_eq!(employees[0]["employee_number"], "A01");
    let told = erp.sql("SELECT err_text, tries FROM \"人员表\" WHERE \"序号\" = 3").join("");
    assert!(
        told.starts_with("employee/status: the value")
            && told.contains('…')
            && told.ends_with("|1")
            && !told.contains("休假"),
        "{told}"
    );

    let parked = erp.place.get("/v1/parked?connection=heron-main");
    let reasons: Vec<_> = parked["data"].as_array().unwrap().iter().map(|one| one["code"].as_str().unwrap()).collect();
    assert_eq!(reasons.len(), 2, "{parked:#}");
    assert!(hub.log().contains("letters may be lost"), "a name with `?` is reported");
    assert!(!hub.log().contains("李小龙") && !hub.log().contains("休假"));

    // The mapping learns the value; a re-drive that succeeds is told to the other side.
    drop(hub);
    erp.place.edit("mappings/heron-erp/staff.in.yaml", |text| text.replace("离职: TERM", "休假: ON_LEAVE, 离职: TERM"));
    let _hub = erp.serve();
    let body = json!({ "filter": { "code": "UNKNOWN_ENUM_VALUE" } });
    let key = erp.place.secret("HRHUB_ADMIN_KEY");
    let answer =
        erp.place.http().post(erp.place.url("/v1/parked:redrive")).bearer_auth(key).json(&body).send().unwrap();
    assert!(answer.status().is_success(), "{}", answer.text().unwrap());
    let wanted = states("S", none);
    erp.until(STATES, &wanted.each_ref().map(String::as_str));

    // The other side corrects a row and offers it anew: what lay parked of it needs nobody any more.
    erp.sql("UPDATE \"人员表\" SET \"姓名\" = '陈晨', \"状态\" = 'N' WHERE \"序号\" = 4");
    erp.until("SELECT \"状态\" FROM \"人员表\" WHERE \"序号\" = 4", &["S"]);
    assert_eq!(erp.place.get("/v1/parked?connection=heron-main")["data"], json!([]));
    let names: Vec<_> = erp.employees().iter().map(|one| one["display_name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names, ["李小龙", "王?", "陈晨"]);
    // Nothing is read twice for being told.
    erp.until("SELECT max(tries) FROM \"人员表\"", &["2"]);
}

#[test]
fn rows_of_postgresql_become_records_and_are_told_what_became_of_them() {
    rows_become_records_and_are_told_what_became_of_them("postgres", Backends::Embedded);
}

#[test]
fn rows_of_mariadb_become_records_and_are_told_what_became_of_them() {
    rows_become_records_and_are_told_what_became_of_them("mysql", Backends::Servers);
}

fn department(erp: &Erp, code: &str, wanted: &str) -> Value {
    wait_until(LIMIT, || {
        let all = erp.place.get(&format!("/v1/departments?connection=heron-main&remote_id={code}"));
        let found = all["data"][0].clone();
        if found["name"] == wanted { Ok(found) } else { Err(format!("{code} named {wanted}, not {found}")) }
    })
}

#[test]
fn a_view_is_read_behind_its_mark_with_late_commits_and_stops_when_it_loses_a_column() {
    let erp = Erp::new("postgres", Backends::Embedded);
    erp.sql("INSERT INTO dept VALUES ('d1', '研发部', NULL, '2026-03-01 10:00:00'), ('d2', '人事部', '', '2026-03-01 10:00:00')");
    let hub = erp.serve();
    let first = department(&erp, "d1", "研发部");
    department(&erp, "d2", "人事部");
    // Committed late, with a mark before the one that was reached.
    erp.sql("INSERT INTO dept VALUES ('d3', '财务部', NULL, '2026-03-01 09:58:00')");
    department(&erp, "d3", "财务部");
    erp.sql("UPDATE dept SET name = '研发中心', modified = '2026-03-01 11:00:00' WHERE code = 'd1'");
    department(&erp, "d1", "研发中心");
    // A trigger that moves the time and nothing else makes no version.
    erp.sql("UPDATE dept SET modified = '2026-03-01 12:00:00' WHERE code = 'd1'");
    erp.sql("UPDATE dept SET name = '人事', modified = '2026-03-01 12:00:01' WHERE code = 'd2'");
    department(&erp, "d2", "人事");
    let now = department(&erp, "d1", "研发中心");
    assert_eq!(now["version"].as_u64().unwrap(), first["version"].as_u64().unwrap() + 1, "{now:#}");

    erp.sql("DROP VIEW v_dept; CREATE VIEW v_dept AS SELECT code, name, modified FROM dept");
    wait_until(LIMIT, || {
        let wanted = "the column `note` of `v_dept` is gone";
        if hub.log().contains(wanted) { Ok(()) } else { Err(wanted.to_owned()) }
    });
    erp.sql("UPDATE dept SET name = '不读', modified = '2026-03-01 13:00:00' WHERE code = 'd2'");
    erp.sql("DROP VIEW v_dept; CREATE VIEW v_dept AS SELECT note, modified, code, name FROM dept");
    // It goes on when it is back, whatever the order of its columns.
    department(&erp, "d2", "不读");
}

#[test]
fn a_new_hire_is_written_once_and_the_answer_of_the_other_side_comes_back() {
    let erp = Erp::new("mysql", Backends::Embedded);
    let _hub = erp.serve();
    let push = |id: &str, name: &str| {
        let url = erp.place.url("/v1/passthrough/heron-main/push_employee");
        let body = json!({ "ext_id": id, "name": name });
        let answer = erp.place.http().post(url).bearer_auth(erp.place.secret("HRHUB_ADMIN_KEY")).json(&body).send();
        let answer = answer.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().unwrap())
    };
    let (status, answer) = push("E-1", "苏晨");
    assert_eq!((status, &answer["row"]), (200, &json!("inserted")), "{answer:#}");
    assert_eq!(push("E-1", "苏晨").1["row"], "kept");
    assert_eq!(erp.sql("SELECT ext_id, name, status FROM hr_in"), ["E-1|苏晨|N"]);
    let (status, problem) = push("E-2", &"长".repeat(30));
    assert!(status >= 400 && problem["party"] == "CALLER" && problem["vendor_code"] == "1406", "{status} {problem:#}");
    assert!(!problem.to_string().contains("长长"));
    // Its own rows are no news for the hub; what the other side says of them is.
    erp.sql("UPDATE hr_in SET status = 'S', changed_at = NOW(6) WHERE ext_id = 'E-1'");
    wait_until(LIMIT, || {
        let told = erp.place.get("/v1/employees?connection=heron-main&remote_id=E-1");
        if told["data"][0]["username"] == "S" { Ok(()) } else { Err(format!("the status, not {told}")) }
    });
}

#[test]
fn a_connection_is_tested_table_by_table_and_its_password_is_never_shown() {
    let erp = Erp::new("mysql", Backends::Embedded);
    let config = erp.place.config();
    let test = || {
        let output =
            run_hrhub(["connection", "test", "heron-main", "--config", config.to_str().unwrap(), "--format", "json"]);
        let (out, beside) = said(&output);
        let found: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{beside}"));
        assert!(!out.contains("secret@") && !beside.contains("secret@"), "{out}{beside}");
        found
    };
    let found = test();
    assert_eq!(found["ok"], true, "{found:#}");
    let names: Vec<_> =
        found["permissions"].as_array().unwrap().iter().map(|part| part["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        ["database", "claims", "table staff", "table departments", "table results", "push_employee"],
        "{found:#}"
    );
    erp.sql("DROP VIEW v_dept");
    let found = test();
    assert_eq!((&found["ok"], &found["permissions"][3]["result"]), (&json!(false), &json!("bad")), "{found:#}");
    // Without the network in `allow_private` nothing is connected to.
    erp.place.edit("hub.yaml", |text| {
        let lines = text
            .lines()
            .map(|line| if line.contains("allow_private") { "egress: { allow_private: [] }" } else { line });
        lines.collect::<Vec<_>>().join("\n") + "\n"
    });
    let found = test();
    assert!(found["permissions"][0]["detail"].as_str().unwrap().contains("HUB-C111"), "{found:#}");
}
