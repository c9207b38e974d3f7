//! `hrhub pay`: checking rules of pay, making payslips with them, and saying what each line was made from.

use hub_support::{Backends, Place, hrhub, said};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scoring/models/pay").join(name)
}

/// The exit code, what was printed as the result, and what beside it.
fn pay(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(hrhub()).arg("pay").args(arguments).output().unwrap();
    let (out, err) = said(&output);
    (output.status.code(), out, err)
}

/// Somebody in Shanghai; `own` is laid over the usual inputs.
fn person(own: &Value) -> Value {
    let mut inputs = json!({
        "月薪": "5000", "奖金基数": 1500, "绩效等级": "S", "津贴标准": "300", "城市": "CN-SH", "社保基数": "7460",
        "公积金基数": "5000", "公积金比例": 5, "工伤类别": 1, "本月专项附加扣除": 0, "起算月": 1, "累计收入": 0,
        "累计专项扣除": 0, "累计专项附加扣除": 0, "累计已预缴税额": 0,
    });
    let own = own.as_object().unwrap().clone();
    inputs.as_object_mut().unwrap().extend(own);
    json!({"employee": "E-1", "inputs": inputs})
}

fn people(place: &Place, people: &[Value]) -> String {
    let file = place.folder().join("people.json");
    let period = json!({"start": "2026-01-01", "end": "2026-01-31", "pay_on": "2026-01-31"});
    fs::write(&file, json!({"period": period, "people": people}).to_string()).unwrap();
    file.to_str().unwrap().to_owned()
}

#[test]
fn shipped_rules_are_sound_and_a_circle_is_told_by_line() {
    let (code, out, err) = pay(&["check", shipped("").to_str().unwrap()]);
    let files = fs::read_dir(shipped("")).unwrap().count();
    assert!(code == Some(0) && out.contains(&format!("no problems; sound: {files} of {files} files")), "{out}{err}");
    let place = Place::new(Backends::Embedded);
    let broken = place.folder().join("china-monthly.yaml");
    let text = fs::read_to_string(shipped("china-monthly.yaml")).unwrap();
    fs::write(
        &broken,
        text.replace("formula: 月薪 }", "formula: 月薪 + 日工资 }")
            .replace("月薪 / 月计薪天数", "基本工资 / 月计薪天数"),
    )
    .unwrap();
    let (code, out, _) = pay(&["check", broken.to_str().unwrap()]);
    assert!(code == Some(1) && out.contains("基本工资 (") && out.contains("→ 日工资 ("), "{out}");
}

#[test]
fn payslips_are_made_and_each_line_explained() {
    let place = Place::new(Backends::Embedded);
    let rules = shipped("china-monthly.yaml");
    let rules = rules.to_str().unwrap();
    let file = people(&place, &[person(&json!({}))]);
    let (code, out, err) = pay(&["try", rules, &file]);
    assert_eq!(code, Some(0), "{err}");
    for wanted in ["E-1  china-monthly@1  CNY", "2250.00", "gross", "7550.00", "-596.80"] {
        assert!(out.contains(wanted), "{wanted}: {out}");
    }
    let (_, out, _) = pay(&["explain", rules, &file, "--item", "绩效奖金"]);
    assert!(out.contains("绩效奖金 = 1,500 × 1.5（S）= 2,250") && out.contains("china-monthly@1"), "{out}");
    assert!(!out.contains("养老保险"), "{out}");
    let (_, out, _) = pay(&["try", rules, &file, "--format", "json"]);
    let all: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&all["rules"], &all["people"][0]["gross"]), (&json!("china-monthly@1"), &json!("7550.00")));
    assert_eq!(all["people"][0]["lines"][1]["how"], "绩效奖金 = 1,500 × 1.5（S）= 2,250");
}

#[test]
fn what_keeps_a_payslip_from_being_made_is_told_and_the_others_are_made() {
    let place = Place::new(Backends::Embedded);
    let rules = shipped("china-monthly.yaml");
    let rules = rules.to_str().unwrap();
    let file = people(&place, &[person(&json!({"绩效等级": "D"})), person(&json!({"月薪": null})), person(&json!({}))]);
    let (code, out, err) = pay(&["try", rules, &file]);
    assert_eq!(code, Some(1));
    assert!(out.contains("7550.00"), "{out}");
    assert!(err.contains("the table `绩效系数` has nothing for \"D\""), "{err}");
    assert!(err.contains("/月薪") && err.contains("the input is missing"), "{err}");
    let (code, _, err) = pay(&["explain", rules, &file, "--item", "年终分红"]);
    assert!(code != Some(0) && err.contains("no payslip has a line `年终分红`"), "{err}");
}
