//! `kill -9` of the hub while it reads a table of another system: every row ends, none is lost, none is processed twice.

use hub_support::{Backends, Place, postgres, wait_until};
use hub_tree::{env, random};
use std::fs;
use std::time::Duration;

const REST: Duration = Duration::from_secs(300);
const ROWS: u32 = 400;

const MANIFEST: &str = "version: 1
vendor: heron-erp
name: Heron ERP
family: erp
driver: staging
tables:
  staff:
    table: hr_out
    key: seq
    record: person
    status: { column: status, new: N, taken: P, done: S, failed: E }
    claim: { by: locked_by, at: locked_at, stale_after_secs: 2 }
    error: { code: err_code, tries: tries }
    mapping: staff
poll: { every_secs: 1 }
";
const MAPPING: &str = "version: 1
from: heron-erp/staff
emit:
  - { to: employee, key: payload.person, fields: { employee_number: { path: payload.person }, display_name: { path: payload.name, required: true } } }
ignore: [payload.seq]
";
const TABLE: &str =
    "CREATE TABLE hr_out (seq int PRIMARY KEY, person text, name text, status char(1) NOT NULL DEFAULT 'N',
    locked_by text, locked_at timestamp, err_code text, tries int, ended int NOT NULL DEFAULT 0);
CREATE FUNCTION count_end() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.status IN ('S', 'E') THEN NEW.ended := OLD.ended + 1; END IF; RETURN NEW; END $$;
CREATE TRIGGER ends BEFORE UPDATE OF status ON hr_out FOR EACH ROW EXECUTE FUNCTION count_end()";

#[test]
fn a_killed_hub_loses_no_row_of_a_table_and_processes_none_twice() {
    let place = Place::new(Backends::Embedded);
    let url = postgres().new_database();
    let database = url.rsplit('/').next().unwrap();
    let sql = |statement: &str| postgres().sql_in(database, statement);
    sql(TABLE);
    // Three rows of each person, the last of which says who they are in the end; every tenth person has no name then.
    sql(&format!(
        "INSERT INTO hr_out (seq, person, name) SELECT n, 'p' || (n % {0}), CASE WHEN n / {0} = 2 AND n % 10 = 0 THEN NULL
             ELSE 'v' || (n / {0}) END FROM generate_series(0, {0} * 3 - 1) n",
        ROWS / 3
    ));
    for (file, text) in [
        ("connectors/heron-erp/manifest.yaml", MANIFEST),
        ("mappings/heron-erp/staff.in.yaml", MAPPING),
        (
            "connections/heron-main.yaml",
            &format!("id: heron-main\nconnector: heron-erp\nsettings: {{ dsn: \"{url}\" }}\n"),
        ),
    ] {
        let path = place.config().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let kills = if env::read("HRHUB_LONG").is_some() { 40 } else { 6 };
    // What the other side has counted: claims and ends.
    let progress = || sql("SELECT sum(COALESCE(tries, 0) + ended) FROM hr_out").trim().parse::<u32>().unwrap();
    let mut under_way = 0;
    for _ in 0..kills {
        let before = progress();
        let hub = place.serve();
        wait_until(REST, || if progress() > before { Ok(()) } else { Err("rows to be taken or told".to_owned()) });
        std::thread::sleep(Duration::from_millis(random::below(800)));
        hub.kill();
        let open: u32 = sql("SELECT count(*) FROM hr_out WHERE status IN ('N', 'P')").trim().parse().unwrap();
        if open == 0 {
            break;
        }
        under_way += 1;
    }
    assert!(under_way > 0, "the hub was never killed in the middle");
    let _hub = place.serve();
    wait_until(REST, || {
        let open = sql("SELECT count(*) FROM hr_out WHERE status IN ('N', 'P')");
        if open.trim() == "0" { Ok(()) } else { Err(format!("{} rows to end", open.trim())) }
    });
    let persons = ROWS / 3;
    let failed = sql("SELECT count(*) FROM hr_out WHERE name IS NULL");
    assert_eq!(sql("SELECT count(*) FROM hr_out WHERE status = 'E'"), failed, "those that cannot be mapped");
    assert_eq!(sql("SELECT count(*) FROM hr_out WHERE status = 'E' AND name IS NOT NULL").trim(), "0");
    assert_eq!(sql("SELECT max(ended) FROM hr_out").trim(), "1", "each row is told once");
    // One raw for each row, however often it was taken; a row of a person never before an earlier one.
    let employees = place.get("/v1/employees?limit=200")["data"].as_array().unwrap().clone();
    assert_eq!(employees.len(), persons as usize);
    for employee in employees {
        let number: u32 = employee["employee_number"].as_str().unwrap()[1..].parse().unwrap();
        let last = if (2 * persons + number).is_multiple_of(10) { "v1" } else { "v2" };
        assert_eq!(employee["display_name"], last, "{employee:#}");
        let versions = if last == "v1" { 2 } else { 3 };
        assert_eq!(employee["version"], versions, "each row has made one version: {employee:#}");
    }
    let parked = place.get("/v1/parked?connection=heron-main&limit=200")["data"].as_array().unwrap().len();
    assert_eq!(parked.to_string(), failed.trim(), "each row that failed lies parked once");
}
