use super::*;
use crate::manifest::Manifest;
use hub_tree::{Findings, Source};

const HEAD: &str = "version: 1\nvendor: heron\nname: Heron\nfamily: erp\ndriver: staging\n";

fn compile(rest: &str) -> (Option<Manifest>, String) {
    let findings = Findings::new();
    let manifest = Manifest::compile("heron", &Source::new("m.yaml", format!("{HEAD}{rest}")), &findings);
    let lines: Vec<String> = findings.into_sorted().iter().map(ToString::to_string).collect();
    (manifest, lines.join("\n"))
}

const WHOLE: &str = "tables:
  staff:
    table: hr.人员中间表
    key: [序号]
    record: [工号]
    when: { 操作: [I, U], 删除: 0 }
    status: { column: 处理标志, new: 0, taken: 1, done: 2, failed: 9 }
    claim: { by: locked_by, at: locked_at, stale_after_secs: 60 }
    error: { code: err_code, text: 错误信息, tries: retry_cnt, at: 处理时间 }
    batch: { table: hr_batch, on: { batch_id: 批次 }, state: state, expected: expected_rows }
    children: { lines: { table: hr_line, on: { head: 序号 }, order: [line_no], expected: 行数 } }
    mapping: staff
  departments: { table: v_dept, key: code, mark: [modified, code], overlap_secs: 60, mapping: department }
poll: { every_secs: 5 }
";

#[test]
fn tables_are_read_with_names_in_any_script() {
    let (manifest, problems) = compile(WHOLE);
    let manifest = manifest.unwrap_or_else(|| panic!("{problems}"));
    assert_eq!(problems, "");
    let [staff, departments] = manifest.tables.as_slice() else { panic!("{:?}", manifest.tables) };
    assert_eq!((staff.table.as_str(), staff.order.as_slice()), ("hr.人员中间表", &["序号".to_owned()][..]));
    let status = staff.status().unwrap();
    let taken = status.taken.as_ref().unwrap();
    assert_eq!((status.new.as_str(), taken.status.as_str(), taken.stale_after_secs), ("0", "1", 60));
    assert_eq!(staff.when[1], Condition { column: "删除".into(), values: vec!["0".into()] });
    assert_eq!(staff.batch.as_ref().unwrap().ready, Some(("state".into(), "READY".into())));
    assert_eq!(staff.children[0].on, [("head".to_owned(), "序号".to_owned())]);
    let aside: Vec<&str> = staff.aside().into_iter().collect();
    assert_eq!(aside, ["err_code", "locked_at", "locked_by", "retry_cnt", "处理时间", "处理标志", "错误信息"]);
    assert!(staff.columns().contains("行数") && staff.columns().contains("批次"));
    let mark = Find::Mark { columns: vec!["modified".into(), "code".into()], overlap_secs: 60 };
    assert_eq!(departments.find, mark);
    // The code is the key, too: it belongs to the content.
    assert_eq!(departments.aside().into_iter().collect::<Vec<_>>(), ["modified"]);
    assert_eq!(manifest.table_poll_secs, 5);
}

#[test]
fn what_a_table_lacks_is_told_with_its_line() {
    let table = |rest: &str| compile(&format!("tables:\n  staff: {{ table: t, mapping: m, {rest} }}\n")).1;
    for (rest, wanted) in [
        ("key: seq", "m.yaml:7:10: error: a table has either a `status` or a `mark`"),
        ("mark: [a]", "`key` names the columns that tell one row of `staff`"),
        ("key: a, mark: [a], error: { code: c }", "nothing is written into a table that has a `mark`"),
        (
            "key: a, status: { column: s, new: N, taken: P, done: N, failed: E }, claim: { by: b, at: c }",
            "four different values",
        ),
        ("key: a, status: { column: s, new: N, done: S, failed: E }, claim: { by: b, at: c }", "`claim` needs"),
        ("key: a, status: { column: s, new: N, taken: P, done: S, failed: E }", "warning: `taken` is not written"),
        ("key: a, mark: [a], children: { a: { table: c, on: a } }", "`a` is a column already"),
        ("key: \"a\\u0000b\", mark: [a]", "no control characters"),
        ("key: a, mark: [a], batch: { table: b, on: x }", "by its `state`"),
        ("key: a, mrk: [a]", "unknown key `mrk`"),
    ] {
        let problems = table(rest);
        assert!(problems.contains(wanted), "{rest}: {problems}");
    }
}

#[test]
fn an_operation_may_write_rows_instead_of_sending_a_request() {
    let (manifest, problems) = compile(
        "operations:
  push_employee:
    insert: hr_in
    key: ext_id
    again: { update_while: { status: N } }
    set: { batch_id: \"hub\", status: N }
    children: { lines: { table: hr_in_line, key: [ext_id, line_no], on: ext_id } }
  bad: { insert: hr_in }
",
    );
    assert!(manifest.is_none());
    assert!(problems.contains("m.yaml:13:8: error: `key` names the columns"), "{problems}");
    assert!(!problems.contains(":6:") && !problems.contains(":7:"), "only the last is wrong: {problems}");
}
