//! Portraits of a candidate and an employee, from the records of a running hub.

use hub_support::{Backends, Place, hrhub, run_hrhub, said, wait_for};
use serde_json::{Value, json};
use std::fs;
use std::process::Command;
use std::time::Duration;

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
    command.args(["apps", "create", "--name", "portraits"]).args(words).arg("--config").arg(place.config());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{:?}", said(&output));
    said(&output).0.trim().to_owned()
}

fn reference(entity: &str, id: &str) -> Value {
    json!({ "type": entity, "id": id })
}

fn score(value: &str, max: &str) -> Value {
    json!({ "value": value, "min": "0", "max": max })
}

/// What stands in a transcript, which is restricted.
const SAID: &str = "绝不外传的话";

/// Somebody who applied, was scored and tested, and was hired.
struct Records {
    other_department: String,
    candidate: String,
    resume: String,
    scorecard: String,
    employee: String,
    appraisal: String,
}

impl Records {
    fn write(place: &Place, key: &str) -> Self {
        let place = (place, key);
        let department = |name: &str| write(place, "departments", &json!({ "name": name, "status": "ACTIVE" }));
        let (own, other_department) = (department("研发部"), department("客服部"));
        let requisition =
            json!({ "title": "研发工程师", "status": "OPEN", "department": reference("department", &own) });
        let requisition = write(place, "requisitions", &requisition);
        let candidate = write(place, "candidates", &json!({ "name": { "full": "Test Applicant" } }));
        let skill = |name: &str, level: &str| json!({ "name": name, "level": score(level, "5") });
        let resume = json!({
            "candidate": reference("candidate", &candidate), "parsed_at": "2026-03-01T01:00:00Z",
            "skills": [skill("Python", "4"), skill("SQL", "2"), { "name": "Go" }],
        });
        let resume = write(place, "resumes", &resume);
        let application = json!({
            "candidate": reference("candidate", &candidate), "requisition": reference("requisition", &requisition),
            "applied_at": "2026-03-01T01:00:00Z", "outcome": "HIRED", "hired_at": "2026-03-21T01:00:00Z",
        });
        let application = reference("application", &write(place, "applications", &application));
        let scorecard = Self::scored(place, &application);
        let employee = json!({
            "status": "ACTIVE", "employee_number": "T-0001", "original_hire_on": "2026-04-01",
            "candidate": reference("candidate", &candidate),
        });
        let employee = write(place, "employees", &employee);
        let appraisal = Self::at_work(place, &reference("employee", &employee));
        Self { other_department, candidate, resume, scorecard, employee, appraisal }
    }

    /// An interview with a vendor's scorecard and the hub's, and a test. The answer is the hub's scorecard.
    fn scored(place: (&Place, &str), application: &Value) -> String {
        let interview = json!({
            "application": application, "status": "COMPLETED", "starts_at": "2026-03-04T01:00:00Z",
            "turns": [{ "speaker": "CANDIDATE", "text": SAID }],
        });
        let interview = reference("interview", &write(place, "interviews", &interview));
        let vendor = json!({
            "application": application, "interview": interview, "rater": { "kind": "VENDOR" }, "status": "SUBMITTED",
            "submitted_at": "2026-03-05T01:00:00Z", "dimensions": [{ "id": "逻辑思维", "score": score("9", "20") }],
        });
        write(place, "scorecards", &vendor);
        let proof = json!([{ "kind": "ANSWER", "ref": "q1", "text": "an answer" }]);
        let own = json!({
            "application": application, "interview": interview, "rater": { "kind": "AI" }, "status": "SUBMITTED",
            "submitted_at": "2026-03-05T02:00:00Z", "match_score": score("8.2", "10"),
            "dimensions": [
                { "id": "逻辑思维", "score": score("90", "100"), "required": "60", "evidence": proof },
                { "id": "沟通表达", "score": score("62", "100"), "required": "70", "evidence": proof },
                { "id": "抗压能力", "score": score("99", "100") },
            ],
        });
        let scorecard = write(place, "scorecards", &own);
        let order = json!({
            "application": application, "package": { "id": "code", "name": "编程测验", "type": "SKILLS_TEST" },
            "status": "COMPLETED", "completed_at": "2026-03-06T01:00:00Z",
        });
        let order = reference("assessment_order", &write(place, "assessment-orders", &order));
        let test = json!({
            "application": application, "order": order, "rater": { "kind": "VENDOR" }, "status": "SUBMITTED",
            "submitted_at": "2026-03-06T01:00:00Z", "total": score("45", "50"),
        });
        write(place, "scorecards", &test);
        scorecard
    }

    /// Reviews, appraisals and a course. The answer is the final appraisal.
    fn at_work(place: (&Place, &str), employee: &Value) -> String {
        let competency = reference("competency", &write(place, "competencies", &json!({ "name": "逻辑思维" })));
        let review = |kind: &str, value: &str| {
            json!({
                "employee": employee, "kind": kind, "status": "SHARED", "submitted_at": "2026-06-30T01:00:00Z",
                "items": [{ "competency": competency, "score": score(value, "5") }],
            })
        };
        write(place, "reviews", &review("MANAGER", "3.5"));
        write(place, "reviews", &review("SELF", "5"));
        let appraised = json!({ "employee": employee, "raw_total": score("80", "100"), "grade": "A",
            "calibrated_total": score("88", "100"), "finalised_at": "2026-07-05T01:00:00Z" });
        let appraisal = write(place, "appraisals", &appraised);
        write(place, "appraisals", &json!({ "employee": employee, "raw_total": score("10", "100"), "grade": "D" }));
        let course = reference("course", &write(place, "courses", &json!({ "title": "信息安全" })));
        let enrolment = json!({ "employee": employee, "course": course, "status": "COMPLETED" });
        let enrolment = reference("enrolment", &write(place, "enrolments", &enrolment));
        write(place, "learning-results", &json!({ "enrolment": enrolment, "completed_at": "2026-05-02T01:00:00Z" }));
        let begun = reference("course", &write(place, "courses", &json!({ "title": "谈判" })));
        write(place, "enrolments", &json!({ "employee": employee, "course": begun, "status": "IN_PROGRESS" }));
        appraisal
    }
}

/// Names of a section.
fn names<'p>(portrait: &'p Value, section: &str) -> Vec<&'p str> {
    portrait[section].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect()
}

fn tags(portrait: &Value) -> Vec<&str> {
    portrait["tags"].as_array().unwrap().iter().map(|one| one["tag"]["zh-CN"].as_str().unwrap()).collect()
}

fn lacks(portrait: &Value, what: &str, why: &str) -> bool {
    portrait["missing"].as_array().unwrap().iter().any(|one| one["what"] == what && one["why"] == why)
}

#[test]
fn a_portrait_says_what_records_say_and_each_tag_names_them() {
    let place = Place::new(Backends::Embedded);
    let folder = place.config().join("models/portrait");
    fs::create_dir_all(&folder).unwrap();
    let house = "version: 1\nportrait: house\nrevision: 3\nname: { en: House }\nstrong_from: 9.5\nweak_below: 1\ntags:\n  \
                 - { id: data, tag: \"会{name}\", english: \"knows {name}\", from: skill, of: [sql], min: 4 }\n";
    fs::write(folder.join("house.yaml"), house).unwrap();
    let _hub = place.serve();
    let key = key_of(&place, &["--grants", "read,write,read:restricted"]);
    let records = Records::write(&place, &key);

    let path = format!("/v1/candidates/{}/portrait", records.candidate);
    let portrait = place.get(&path);
    assert_eq!(portrait["of"], reference("candidate", &records.candidate));
    assert_eq!(names(&portrait, "competencies"), ["抗压能力", "沟通表达", "逻辑思维"], "{portrait:#}");
    let logic = &portrait["competencies"][2];
    // The vendor's own scorecard of the same interview is not counted beside the hub's.
    assert_eq!((&logic["value"], logic["history"].as_array().unwrap().len()), (&json!("9"), 1), "{portrait:#}");
    assert_eq!(names(&portrait, "strengths"), ["逻辑思维"], "抗压能力 has no evidence: {portrait:#}");
    assert_eq!(names(&portrait, "improve"), ["沟通表达"]);
    assert_eq!((&portrait["improve"][0]["bound"], &portrait["improve"][0]["rule"]), (&json!("7"), &json!("required")));
    assert_eq!(tags(&portrait), ["擅长Python", "逻辑思维强", "适合研发工程师", "测评优秀：编程测验"], "{portrait:#}");
    let python = &portrait["tags"][0];
    assert_eq!(python["rule"], "standard@1/skilled");
    let record = json!({ "type": "resume", "id": records.resume, "field": "/skills/0/level" });
    assert_eq!((&python["evidence"][0]["record"], &python["evidence"][0]["value"]), (&record, &json!("8")));
    assert_eq!(portrait["tags"][1]["evidence"][0]["record"]["id"], records.scorecard.as_str());
    assert_eq!(portrait["assessments"][0]["value"], "9");
    // A skill without a level is there, and said to lack one.
    assert!(names(&portrait, "skills").contains(&"Go") && lacks(&portrait, "skills", "NO_SCALE"), "{portrait:#}");
    assert!(portrait["appraisals"] == json!([]) && !lacks(&portrait, "appraisals", "NO_RECORD"), "{portrait:#}");

    let house = place.get(&format!("{path}?model=house"));
    assert_eq!((tags(&house), &house["model"]), (vec!["会SQL"], &json!("house@3")), "{house:#}");
    assert!(house["strengths"] == json!([]), "9 lies below 9.5: {house:#}");
    assert_eq!(place.get_as(&key, &format!("{path}?model=hause")).0, 400);
    assert_eq!(place.get_as(&key, &format!("/v1/resumes/{}/portrait", records.resume)).0, 404);

    let path = format!("/v1/employees/{}/portrait", records.employee);
    let with_baseline = || Some(place.get(&path)).filter(|portrait| portrait["baseline"] != json!([]));
    let portrait = wait_for("the ability baseline", Duration::from_secs(60), with_baseline);
    let logic = portrait["competencies"].as_array().unwrap().iter().find(|one| one["name"] == "逻辑思维").unwrap();
    let history: Vec<(&str, &str)> = logic["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["source"].as_str().unwrap(), one["value"].as_str().unwrap()))
        .collect();
    // The manager's word is the last; the baseline is no second score, and what one says of oneself is none.
    assert_eq!(history, [("SCORECARD", "9"), ("REVIEW", "7")], "{portrait:#}");
    assert!(portrait["strengths"] == json!([]), "7 is no strength: {portrait:#}");
    let appraisals = portrait["appraisals"].as_array().unwrap();
    assert_eq!(appraisals.len(), 1, "the other is not final: {portrait:#}");
    let shown = [&appraisals[0]["value"], &appraisals[0]["label"], &appraisals[0]["record"]["id"]];
    assert_eq!(shown, [&json!("8.8"), &json!("A"), &json!(records.appraisal)]);
    assert_eq!((names(&portrait, "courses"), &portrait["courses"][0]["on"]), (vec!["信息安全"], &json!("2026-05-02")));
    let given = tags(&portrait);
    assert!(given.contains(&"绩效优秀") && given.contains(&"已完成信息安全"), "{given:?}");
    assert!(!given.contains(&"逻辑思维强") && given.contains(&"擅长Python"), "{given:?}");
    let drawn = place.get("/v1/audit?action=portrait.drawn");
    assert!(drawn["data"].as_array().unwrap().len() >= 3, "{drawn:#}");

    limits(&place, &key, &records);
}

/// What the key may not read is left out and named; what is restricted is shown to nobody.
fn limits(place: &Place, restricted: &str, records: &Records) {
    let path = format!("/v1/candidates/{}/portrait", records.candidate);
    let request = place.http().get(place.url(&path)).bearer_auth(restricted).header("purpose", "test");
    let text = request.send().unwrap().text().unwrap();
    assert!(text.contains("逻辑思维") && !text.contains(SAID) && !text.contains("an answer"), "{text}");

    let only = key_of(place, &["--grants", "read:candidates,read:resumes"]);
    let (status, portrait) = place.get_as(&only, &path);
    assert_eq!((status, tags(&portrait)), (200, vec!["擅长Python"]), "{portrait:#}");
    assert!(portrait["competencies"] == json!([]) && lacks(&portrait, "competencies", "NOT_READABLE"), "{portrait:#}");
    assert_eq!(place.get_as(&only, &format!("/v1/employees/{}/portrait", records.employee)).0, 403);

    let structure = key_of(place, &["--grants", "read:structure"]);
    let (status, portrait) = place.get_as(&structure, &path);
    assert!(status == 200 && lacks(&portrait, "skills", "NOT_READABLE"), "{status} {portrait:#}");
    assert!(!portrait.to_string().contains("Python") && tags(&portrait).is_empty(), "{portrait:#}");

    let elsewhere = key_of(place, &["--grants", "read", "--units", &records.other_department]);
    assert_eq!(place.get_as(&elsewhere, &path).0, 404);
}

#[test]
fn a_file_of_portraits_that_is_wrong_is_told_with_its_line() {
    let place = Place::new(Backends::Embedded);
    let folder = place.config().join("models/portrait");
    fs::create_dir_all(&folder).unwrap();
    let text =
        "version: 1\nportrait: house\nrevision: 1\nname: { en: House }\nstrong_from: 85\nweak_below: 1\ntags: []\n";
    fs::write(folder.join("house.yaml"), text).unwrap();
    let output = run_hrhub(["check", place.config().to_str().unwrap()]);
    let (out, err) = said(&output);
    let all = format!("{out}{err}");
    assert!(!output.status.success() && all.contains("house.yaml:5:14") && all.contains("from 0 to 10"), "{all}");
    fs::write(folder.join("house.yaml"), text.replace("85", "8.5")).unwrap();
    let output = run_hrhub(["check", place.config().to_str().unwrap()]);
    let (out, err) = said(&output);
    assert!(output.status.success() && format!("{out}{err}").contains("2 portrait models"), "{out}{err}");
}
