//! Spreadsheets and CSV files, from the command line and without a hub.

use hub_support::{hrhub, project_root, said};
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

fn known(name: &str) -> PathBuf {
    project_root().join("tests/golden/files").join(name)
}

/// Checks a file; exit code, output and what stood beside it.
fn dry_run(file: &PathBuf, more: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(hrhub());
    command.arg("import").arg(file).args(["--as", "employee", "--dry-run"]).args(more);
    let output = command.output().unwrap();
    let (out, err) = said(&output);
    (output.status.code(), out, err)
}

#[test]
fn a_dirty_file_is_sorted_out_row_by_row() {
    let names = ["--departments", "研发部,财务部", "--positions", "工程师,会计,顾问", "--format", "json"];
    let (code, out, err) = dry_run(&known("employees-dirty.gbk.csv"), &names);
    assert_eq!(code, Some(1), "{err}");
    let found: Value = serde_json::from_str(&out).unwrap();
    let expected: Value = serde_json::from_slice(&fs::read(known("employees-dirty.gbk.expect.json")).unwrap()).unwrap();
    assert_eq!(found["header_row"], expected["header_row"]);
    assert_eq!((&found["kind"], &found["encoding"]), (&json!("CSV"), &json!("gb18030")));
    assert_eq!(found["ignored_rows"], expected["ignored_rows"]);
    let codes = |rows: &Value| {
        let rows = rows.as_array().unwrap().iter();
        rows.map(|row| (row["row"].as_u64().unwrap(), row["code"].as_str().unwrap().to_owned())).collect::<Vec<_>>()
    };
    assert_eq!(codes(&found["rejected_rows"]), codes(&expected["rejected_rows"]));
    for (found, expected) in found["accepted"].as_array().unwrap().iter().zip(expected["accepted"].as_array().unwrap())
    {
        for (field, value) in expected.as_object().unwrap() {
            assert_eq!(&found[field], value, "{field}");
        }
    }
    let cell = &found["rejected_rows"][1]["findings"][0];
    assert_eq!(
        (&cell["cell"], &cell["column"], &cell["code"]),
        (&json!("D7"), &json!("证件号码"), &json!("ID_CHECKSUM"))
    );
    // Two rows are people with all that belongs to them.
    assert_eq!((&found["records"]["employee"], &found["records"]["compensation"]), (&json!(2), &json!(1)));
}

#[test]
fn people_see_columns_and_reasons_and_no_values() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("checked.xlsx");
    let report_name = report.to_str().unwrap();
    let (code, out, _) = dry_run(&known("employees-sheet-dirty.xlsx"), &["--report", report_name, "--language", "zh"]);
    assert_eq!(code, Some(1));
    assert!(out.contains("D   身份证号 → id_number"), "{out}");
    assert!(out.contains("C   内部备注 → is not imported"), "{out}");
    assert!(out.contains("D4 身份证号: error: 单元格为数字格式"), "{out}");
    assert!(out.contains("6 rows: 3 accepted, 3 refused; 0 passed over"), "{out}");
    assert!(!out.contains("110199") && !out.contains("199000"), "{out}");
    // The report is a file that can be checked again: its two columns are passed over.
    let (code, again, _) = dry_run(&report, &["--format", "json"]);
    let again: Value = serde_json::from_str(&again).unwrap();
    // What was refused for being no text is refused again.
    let codes: Vec<&str> =
        again["rejected_rows"].as_array().unwrap().iter().map(|row| row["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["ID_LOST_DIGITS", "FORMULA", "CELL_ERROR"]);
    assert_eq!((code, again["accepted"].as_array().unwrap().len()), (Some(1), 3), "{again:#}");
    assert_eq!(again["columns"][11]["heading"], "结果");
}

#[test]
fn a_mapping_of_ones_own_reads_rows_by_their_headings() {
    let folder = tempfile::tempdir().unwrap();
    let mapping = folder.path().join("mappings/import/staff.in.yaml");
    fs::create_dir_all(mapping.parent().unwrap()).unwrap();
    let text = "version: 1\nfrom: import/staff\nemit:\n  - to: person\n    key: payload.编号\n    fields:\n      \
        name: { person_name: { full: payload.称呼 } }\n      birth_date: { path: payload.生辰, date: cn, required: true }\n";
    fs::write(&mapping, text).unwrap();
    let file = folder.path().join("staff.csv");
    fs::write(&file, "编号,称呼,生辰\n1,李娜,1990年3月7日\n2,张伟,昨天\n").unwrap();
    let (code, out, err) = dry_run(&file, &["--mapping", mapping.to_str().unwrap(), "--format", "json"]);
    assert_eq!(code, Some(1), "{err}");
    let found: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(found["accepted"], json!([{"row": 2, "编号": "1", "称呼": "李娜", "生辰": "1990年3月7日"}]));
    assert_eq!(found["rejected_rows"][0]["row"], 3);
    assert_eq!(found["records"], json!({"person": 1}));
}

#[test]
fn files_that_cannot_be_used_say_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("staff.xlsx");
    fs::write(&file, "PK\u{3}\u{4}").unwrap();
    let (code, out, err) = dry_run(&file, &["--format", "json"]);
    assert_eq!(code, Some(1));
    assert!(out.contains("FILE_BROKEN") && err.contains("the file is damaged"), "{out}{err}");
    let mut unknown = Command::new(hrhub());
    unknown.arg("import").arg(&file).args(["--as", "employe", "--dry-run"]);
    assert_eq!(unknown.output().unwrap().status.code(), Some(2));
}
