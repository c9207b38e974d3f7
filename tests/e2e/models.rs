//! `hrhub model`: checking, trying, explaining and comparing competency models; `hrhub bias-audit`: who they let through.

use hub_support::{Backends, Candidate, Place, hrhub, said};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scoring/models").join(name)
}

fn model(arguments: &[&str]) -> (bool, String, String) {
    let output = Command::new(hrhub()).arg("model").args(arguments).output().unwrap();
    let (out, err) = said(&output);
    (output.status.success(), out, err)
}

/// A sales interview: fast speech, frowns, no word of empathy, and a team that was led.
fn interview() -> Value {
    json!({
        "scorecard": {
            "keywords": [],
            "dimensions": [
                {"id": "谈判技巧", "score": {"value": "7", "min": "0", "max": "10"}, "evidence": [{"text": "问了预算"}]},
                {"id": "抗压能力", "score": {"value": "80", "min": "0", "max": "100"}},
            ],
            "features": [
                {"name": "speech_rate", "class": {"value": "SPEECH"}, "value": "3.5"},
                {"name": "frown_count", "class": {"value": "EXPRESSION"}, "value": "5"},
            ],
        },
        "turns": [{"speaker": {"value": "CANDIDATE"}, "text": "我带领团队，超额完成，达到 120%。"}],
    })
}

#[test]
fn shipped_models_are_sound_and_a_broken_one_is_told_by_line() {
    let (fine, out, err) = model(&["check", shipped("").to_str().unwrap()]);
    let told = out + &err;
    assert!(fine && told.contains("4 of 4 models, 3 of 3 schemes, 22 of 22 presets"), "{told}");
    let place = Place::new(Backends::Embedded);
    let broken = place.folder().join("sales.yaml");
    fs::write(&broken, fs::read_to_string(shipped("sales.yaml")).unwrap().replace("weight: 30", "weight: 31")).unwrap();
    let (fine, out, err) = model(&["check", broken.to_str().unwrap()]);
    let told = out + &err;
    assert!(!fine && told.contains("sales.yaml:9") && told.contains("101"), "{told}");
}

#[test]
fn an_interview_is_tried_and_each_number_explained() {
    let place = Place::new(Backends::Embedded);
    let file = place.folder().join("interview.json");
    fs::write(&file, interview().to_string()).unwrap();
    let (file, sales) = (file.to_str().unwrap().to_owned(), shipped("sales.yaml"));
    let sales = sales.to_str().unwrap();
    let (fine, out, err) = model(&["try", sales, &file, "--expressions"]);
    assert!(fine, "{err}");
    for wanted in
        ["客户导向  70", "执行力  90", "谈判技巧  70", "composite  77.5", "decision  待考虑; a person decides"]
    {
        assert!(out.contains(wanted), "`{wanted}` is not in:\n{out}");
    }
    // Where expressions are switched off, the frowns take nothing off.
    let (_, out, _) = model(&["try", sales, &file]);
    assert!(out.contains("客户导向  80") && out.contains("decision  推荐"), "{out}");
    let (fine, out, _) = model(&["explain", sales, &file]);
    assert!(fine && out.contains("frown: expressions are switched off here"), "{out}");
    assert!(out.contains("speech_rate: measured 3.5") && out.contains("团队管理"), "{out}");
    let (fine, _, err) = model(&["try", sales, sales]);
    assert!(!fine && err.contains("is no interview"), "{err}");
}

#[test]
fn two_versions_are_compared_and_interviews_scored_with_both() {
    let place = Place::new(Backends::Embedded);
    let (file, draft) = (place.folder().join("interview.json"), place.folder().join("sales.yaml"));
    fs::write(&file, interview().to_string()).unwrap();
    let text = fs::read_to_string(shipped("sales.yaml")).unwrap();
    fs::write(&draft, text.replace("revision: 2", "revision: 3").replace("min: 80", "min: 85")).unwrap();
    let sales = shipped("sales.yaml");
    let (fine, out, err) = model(&["diff", sales.to_str().unwrap(), draft.to_str().unwrap(), file.to_str().unwrap()]);
    assert!(fine, "{err}");
    for wanted in
        ["revision: 2 -> 3", "dimensions/客户导向/min: 80 -> 85", "decision 推荐 -> 待考虑", "推荐 -> 待考虑: 1"]
    {
        assert!(out.contains(wanted), "`{wanted}` is not in:\n{out}");
    }
}

#[test]
fn interviews_of_a_past_period_are_scored_again_from_a_running_hub() {
    let place = Place::new(Backends::Embedded);
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    let candidate = Candidate::new(51_000, "strong.example");
    place.move_candidate(&candidate);
    crate::road::journey_with_calls(&place, candidate.number, 5);
    let draft = place.folder().join("customer-service.yaml");
    let text = fs::read_to_string(shipped("customer-service.yaml")).unwrap();
    fs::write(&draft, text.replace("min: 85\n    floor: 70", "min: 100\n    floor: 99")).unwrap();
    let (older, config, url) = (shipped("customer-service.yaml"), place.config(), place.url(""));
    let diff = |since: &str| {
        model(&[
            "diff",
            older.to_str().unwrap(),
            draft.to_str().unwrap(),
            "--hub",
            &url,
            "--config",
            config.to_str().unwrap(),
            "--since",
            since,
        ])
    };
    let (fine, out, err) = diff("2020-01-01");
    assert!(fine, "{err}");
    assert!(out.contains("1 interview") && out.contains("推荐 -> 不推荐: 1"), "{out}");
    let (fine, out, err) = diff("2999-01-01");
    assert!(fine && !out.contains("interview"), "{out}{err}");
}

/// What is reviewed of somebody in customer service.
fn reviewed() -> Value {
    let kpi = |name: &str, actual: &str, target: &str| json!({ "name": name, "actual": actual, "target": target });
    let rated = |name: &str, score: &str| json!({ "name": name, "score": score });
    json!({
        "kpis": [kpi("客户问题解决率", "85", "90"), kpi("客户满意度", "4.5", "4.5"), kpi("平均响应时长", "60", "60")],
        "behaviours": [rated("问题解决", "78"), rated("沟通能力", "85"), rated("情绪稳定性", "80")],
    })
}

#[test]
fn a_scheme_is_tried_explained_and_compared_over_what_was_reviewed() {
    let place = Place::new(Backends::Embedded);
    let file = place.folder().join("work.json");
    fs::write(&file, reviewed().to_string()).unwrap();
    let (file, scheme) = (file.to_str().unwrap(), shipped("appraisal/customer-service-monthly.yaml"));
    let scheme = scheme.to_str().unwrap();
    let (fine, out, err) = model(&["try", scheme, file]);
    // 0.6 × (0.5 × 94.4444 + 0.3 × 100 + 0.2 × 100) + 0.4 × (0.4 × 78 + 0.3 × 85 + 0.3 × 80).
    for wanted in ["grade  S", "total  90.6133", "coefficient  1.5", "客户问题解决率  94.4444", "沟通能力  85"]
    {
        assert!(fine && out.contains(wanted), "{wanted} in {out}{err}");
    }
    let (fine, out, err) = model(&["explain", scheme, file]);
    assert!(fine && out.contains("90") && out.contains("/behaviours/0/score"), "{out}{err}");
    let (fine, out, _) = model(&["try", scheme, file, "--format", "json"]);
    let told: Value = serde_json::from_str(&out).unwrap();
    assert!(fine && told["scheme"] == "customer-service-monthly@1" && told["grade"] == "S", "{told:#}");

    let draft = place.folder().join("customer-service-monthly.yaml");
    let text = fs::read_to_string(scheme).unwrap();
    fs::write(&draft, text.replace("revision: 1", "revision: 2").replace("grade: S, from: 90", "grade: S, from: 92"))
        .unwrap();
    let draft = draft.to_str().unwrap();
    let (fine, out, err) = model(&["diff", scheme, draft, file]);
    for wanted in ["grades/S/from: 90 -> 92", "revision: 1 -> 2", "grade S -> A", "1 appraisal:", "  S -> A: 1"] {
        assert!(fine && out.contains(wanted), "{wanted} in {out}{err}");
    }
    let (fine, out, err) = model(&["diff", scheme, shipped("sales.yaml").to_str().unwrap()]);
    assert!(!fine && err.contains("not of one kind"), "{out}{err}");
    let mut missing = reviewed();
    missing["kpis"].as_array_mut().unwrap().pop();
    fs::write(file, missing.to_string()).unwrap();
    let (fine, _, err) = model(&["try", scheme, file]);
    assert!(!fine && err.contains("平均响应时长"), "{err}");
    fs::write(file, json!({ "kpi": [] }).to_string()).unwrap();
    let (fine, _, err) = model(&["try", scheme, file]);
    assert!(!fine && err.contains("unknown field `kpi`"), "{err}");
}

#[test]
fn a_bias_audit_becomes_a_page_and_a_wrong_row_is_named() {
    let place = Place::new(Backends::Embedded);
    let (rows, page) = (place.folder().join("people.csv"), place.folder().join("page.html"));
    let line = |sex: &str, race: &str, selected: &str, times: usize| format!("{sex},{race},{selected}\n").repeat(times);
    let table =
        ["sex,race,selected\n".to_owned(), line("Female", "Asian", "yes", 60), line("Female", "Asian", "no", 40)];
    let table =
        table.concat() + &line("Male", "White", "1", 40) + &line("Male", "White", "0", 40) + &line("", "", "no", 8);
    let audit = |table: &str, language: &str| {
        fs::write(&rows, table).unwrap();
        let mut command = Command::new(hrhub());
        command.arg("bias-audit").arg(&rows).arg("--out").arg(&page).args(["--tool", "Phone screen"]);
        command.args(["--tool-version", "sales@2", "--auditor", "Example Auditors", "--data-source", "own applicants"]);
        command.args(["--since", "2026-01-01", "--until", "2026-06-30", "--language", language]);
        let output = command.output().unwrap();
        (output.status.success(), said(&output).1)
    };
    let (fine, err) = audit(&table, "en");
    assert!(fine && err.contains("188 people"), "{err}");
    let text = fs::read_to_string(&page).unwrap();
    // 40 of 80 against 60 of 100: 0.5 ÷ 0.6.
    for wanted in ["Phone screen", "sales@2", "Example Auditors", "<svg", "0.833", "Female", "lang=\"en\""] {
        assert!(text.contains(wanted), "`{wanted}` is not in the page");
    }
    assert!(audit(&table, "zh").0 && fs::read_to_string(&page).unwrap().contains("lang=\"zh-CN\""));
    let (fine, err) = audit("sex,race,selected\nMale,White,perhaps\n", "en");
    assert!(!fine && err.contains("row 2") && err.contains("perhaps"), "{err}");
    let (fine, err) = audit("sex,race,hired\nMale,White,1\n", "en");
    assert!(!fine && err.contains("hired"), "{err}");
}

#[test]
fn a_rule_in_the_language_of_mappings_lowers_the_label_and_never_punishes_a_higher_score() {
    let place = Place::new(Backends::Embedded);
    let (file, own) = (place.folder().join("interview.json"), place.folder().join("sales.yaml"));
    fs::write(&file, interview().to_string()).unwrap();
    let (file, own_path) = (file.to_str().unwrap(), own.to_str().unwrap());
    let shipped = fs::read_to_string(shipped("sales.yaml")).unwrap();
    let with = |when: &str, at_most: &str| {
        fs::write(&own, format!("{shipped}\ncaps:\n  - {{ id: thin, when: {when}, at_most: {at_most} }}\n")).unwrap();
    };
    with("composite < 80", "NOT_RECOMMENDED");
    let (fine, out, err) = model(&["try", own_path, file, "--expressions"]);
    assert!(fine && out.contains("decision  不推荐"), "{out}{err}");
    assert!(out.contains("thin: composite < 80 (composite 77.5)"), "{out}");
    let (_, out, _) = model(&["explain", own_path, file, "--expressions"]);
    assert!(out.contains("composite < 80"), "{out}");
    with("谈判技巧 > 90", "CONSIDER");
    let (fine, out, err) = model(&["check", own_path]);
    let told = out + &err;
    assert!(!fine && told.contains("sales.yaml:") && told.contains("`thin` makes a higher score worse"), "{told}");
    with("谈判技能 < 60", "CONSIDER");
    let (fine, out, err) = model(&["check", own_path]);
    assert!(!fine && (out + &err).contains("谈判技巧"), "the nearest name");
}
