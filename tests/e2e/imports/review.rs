//! Two people, where that is switched on; a mapping of its own; the command line.

use super::{Caller, STAFF, csv, id};
use hub_support::{Backends, Place, hrhub, said};
use serde_json::{Value, json};
use std::fs;
use std::process::{Command, Output};

#[test]
fn a_second_person_agrees_before_anything_is_written() {
    let place = Place::new(Backends::Embedded);
    place.edit("hub.yaml", |text| format!("{text}\nimports: {{ review: true }}\n"));
    let _hub = place.serve();
    let clerk = Caller::with(&place, "clerk", "import,import:approve,read");
    let checked = clerk.brings("as=employee", &csv(STAFF));
    let (status, waits) = clerk.does(id(&checked), "apply", &json!({}));
    assert_eq!((status, &waits["state"]), (200, &json!("AWAITING_REVIEW")), "{waits}");
    let (status, refused) = clerk.does(id(&checked), "approve", &json!({}));
    assert_eq!((status, &refused["code"]), (403, &json!("second_person")), "{refused}");
    assert_eq!(clerk.list("/v1/employees").len(), 0);
    let head = Caller::with(&place, "head", "import:approve,read");
    assert_eq!(head.does(id(&checked), "undo", &json!({})).0, 403, "who agrees need not be allowed to import");
    let (status, body) = head.does(id(&checked), "approve", &json!({}));
    assert_eq!(status, 202, "{body}");
    let applied = clerk.settled(id(&checked));
    assert_eq!(applied["state"], "APPLIED");
    let by: Vec<(&str, &str)> = applied["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| (step["step"].as_str().unwrap(), step["by"].as_str().unwrap()))
        .collect();
    assert_eq!(by, [("uploaded", "clerk"), ("asked", "clerk"), ("approved", "head"), ("applied", "")]);
    assert_eq!(clerk.list("/v1/employees").len(), 3);
}

/// A mapping that reads rows by their own headings.
const OWN: &str = "version: 1
from: import/own
emit:
  - to: department
    key: payload.编号
    fields:
      name: { path: payload.部门 }
      code: { path: payload.编号 }
";

fn run(place: &Place, args: &[&str]) -> Output {
    let mut command = Command::new(hrhub());
    // The environment names the hub as well as `--hub` does.
    command.args(args).arg("--config").arg(place.config());
    match args {
        ["import", "list"] => command.env("HRHUB_URL", place.url("")),
        _ => command.args(["--hub", &place.url("")]),
    };
    command.output().unwrap()
}

#[test]
fn the_command_line_brings_applies_lists_and_undoes() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    let admin = Caller::admin(&place);
    let file = place.folder().join("花名册.csv");
    fs::write(&file, csv(&format!("{STAFF}A0104,王芳,,12345,2021-02-03,1\n"))).unwrap();
    let report = place.folder().join("report.xlsx");
    let (file, out) = (file.to_str().unwrap(), report.to_str().unwrap());
    let output = run(&place, &["import", file, "--as", "employee", "--report", out]);
    let (text, err) = said(&output);
    assert!(!output.status.success(), "one row is bad: {text}{err}");
    assert!(text.contains("3 good, 1 bad") && text.contains("D6 手机") && text.contains("PHONE"), "{text}{err}");
    assert!(fs::read(&report).unwrap().starts_with(b"PK"));
    assert_eq!(admin.list("/v1/employees").len(), 0, "without --apply nothing is written");
    let output = run(&place, &["import", file, "--as", "employee", "--apply", "--all-or-nothing"]);
    assert!(!output.status.success() && admin.list("/v1/employees").is_empty(), "{:?}", said(&output));
    let output = run(&place, &["import", file, "--as", "employee", "--apply", "--format", "json"]);
    let (text, err) = said(&output);
    assert!(output.status.success(), "{text}{err}");
    let applied: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&applied["state"], &applied["file_name"]), (&json!("APPLIED"), &json!("花名册.csv")));
    assert_eq!(admin.list("/v1/employees").len(), 3);
    let (text, _) = said(&run(&place, &["import", "list"]));
    assert!(text.contains(id(&applied)) && text.contains("APPLIED") && text.contains("admin"), "{text}");
    let (text, _) = said(&run(&place, &["import", "show", id(&applied)]));
    assert!(text.contains("uploaded") && text.contains("1 bad"), "{text}");
    let output = run(&place, &["import", "undo", id(&applied)]);
    let (text, err) = said(&output);
    assert!(output.status.success() && text.contains("UNDONE"), "{text}{err}");
    assert_eq!(admin.list("/v1/employees").len(), 0);
    let own = place.folder().join("own.in.yaml");
    fs::write(&own, OWN).unwrap();
    let departments = place.folder().join("departments.csv");
    fs::write(&departments, "编号,部门\nD7,法务部\n").unwrap();
    let args =
        ["import", departments.to_str().unwrap(), "--as", "department", "--mapping", own.to_str().unwrap(), "--apply"];
    let output = run(&place, &args);
    let (text, err) = said(&output);
    assert!(output.status.success(), "{text}{err}");
    let department = admin.list("/v1/departments?code=D7").pop().unwrap();
    let path = format!("/v1/departments/{}/explain?field=name", department["id"].as_str().unwrap());
    let why = admin.found(&path);
    assert_eq!(why["source"]["file"]["columns"][0]["heading"], "部门", "{why}");
}
