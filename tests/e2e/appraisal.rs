//! A manager's review becomes an appraisal with its reasons, goals for the next month, and a growth report on the
//! employee's own phone; a person may change the grade, with a name and a reason.

use hub_support::{Backends, Place, Running, hrhub, said, wait_until};
use hub_tree::Decimal;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(240);

/// A hub that tells employees of their appraisals.
fn place() -> Place {
    let place = Place::new(Backends::Embedded);
    place.edit("hub.yaml", |text| {
        text.replacen("flows:\n", "flows:\n  appraisal: { chat: dingtalk-main, trainers: [petra.osei] }\n", 1)
    });
    place
}

fn send(place: &Place, method: &str, path: &str, body: &Value) -> Value {
    let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
    let request = place.http().request(method, place.url(path)).bearer_auth(place.secret("HRHUB_ADMIN_KEY"));
    let answer = request.header("content-type", "application/json").body(body.to_string()).send().unwrap();
    let status = answer.status();
    let text = answer.text().unwrap();
    assert!(status.is_success(), "{path} {body}: {status} {text}");
    serde_json::from_str(&text).unwrap()
}

/// Writes a record; gives its id.
fn write(place: &Place, collection: &str, body: &Value) -> String {
    send(place, "POST", &format!("/v1/{collection}"), body)["id"].as_str().unwrap().to_owned()
}

fn points(value: &str) -> Value {
    json!({ "value": value, "min": "0", "max": "100" })
}

fn reference(entity: &str, id: &str) -> Value {
    json!({ "type": entity, "id": id })
}

/// The people, cycles, goals and competencies of one month.
struct Month {
    employee: String,
    manager: String,
    cycle: String,
    next: String,
    items: Vec<Value>,
}

impl Month {
    /// 85 of 90 % of enquiries solved, all else on target; 78 in solving problems, where 82 was the baseline.
    fn write(place: &Place, solved: Option<&str>) -> Self {
        let manager = write(place, "employees", &json!({ "display_name": "Ines Falk", "status": "ACTIVE" }));
        let dimension = |name: &str, score: &str| json!({ "name": name, "score": points(score) });
        let employee = json!({
            "display_name": "陆安然", "status": "ACTIVE",
            "accounts": [{ "system": "DINGTALK", "external_id": "lu.anran" }],
            "ability_baseline": { "dimensions": [dimension("问题解决", "82"), dimension("沟通能力", "80")] },
        });
        let employee = write(place, "employees", &employee);
        let cycle = |name: &str, start: &str, end: &str| {
            let template = "customer-service-monthly";
            json!({ "name": name, "kind": "MONTH", "period_start": start, "period_end": end, "template": template })
        };
        let this = write(place, "review-cycles", &cycle("2026-10", "2026-10-01", "2026-10-31"));
        let next = write(place, "review-cycles", &cycle("2026-11", "2026-11-01", "2026-11-30"));
        let goal = |title: &str, current: Option<&str>, target: &str| {
            let mut metric = json!({ "target": target });
            if let Some(current) = current {
                metric["current"] = json!(current);
            }
            let goal = json!({ "owner": reference("employee", &employee), "title": title, "metric": metric });
            json!({ "goal": reference("goal", &write(place, "goals", &goal)) })
        };
        let competency = |name: &str, score: &str| {
            let id = write(place, "competencies", &json!({ "name": name }));
            json!({ "competency": reference("competency", &id), "score": points(score) })
        };
        let items = vec![
            goal("客户问题解决率", solved, "90"),
            goal("客户满意度", Some("4.5"), "4.5"),
            goal("平均响应时长", Some("60"), "60"),
            competency("问题解决", "78"),
            competency("沟通能力", "85"),
            competency("情绪稳定性", "80"),
        ];
        Self { employee, manager, cycle: this, next, items }
    }

    fn review(&self, place: &Place, kind: &str) -> String {
        let review = json!({
            "cycle": reference("review_cycle", &self.cycle), "employee": reference("employee", &self.employee),
            "reviewer": reference("employee", &self.manager), "kind": kind, "status": "SUBMITTED", "items": self.items,
        });
        write(place, "reviews", &review)
    }

    fn appraisal(&self, place: &Place, fits: impl Fn(&Value) -> bool) -> Value {
        wait_until(LIMIT, || {
            let found = place.get(&format!("/v1/appraisals?employee={}", self.employee));
            let all = found["data"].as_array().unwrap();
            match all.as_slice() {
                [one] if fits(one) => Ok(one.clone()),
                _ => Err(format!("{found:#}\n{:#}", place.get("/v1/parked"))),
            }
        })
    }
}

fn serve(place: &Place) -> (Running, Running) {
    (place.sandbox(), place.serve())
}

fn model(arguments: &[&str]) -> (bool, String) {
    let output = Command::new(hrhub()).arg("model").args(arguments).output().unwrap();
    let (out, err) = said(&output);
    (output.status.success(), out + &err)
}

/// The messages that the simulated chat platform took for a user.
fn told(place: &Place, user: &str) -> u64 {
    let effects = place.effects();
    let name = format!("dingtalk message {user}");
    effects.iter().filter(|(effect, _)| effect.starts_with(&name)).map(|(_, count)| count).sum()
}

#[test]
fn a_managers_review_becomes_an_appraisal_a_goal_and_a_growth_message() {
    let place = place();
    let _running = serve(&place);
    let month = Month::write(&place, Some("85"));
    // What the employee says of themselves decides nothing.
    month.review(&place, "SELF");
    month.review(&place, "MANAGER");
    let appraisal = month.appraisal(&place, |_| true);
    // 0.6 × (50 × 94.4… + 30 × 100 + 20 × 100) ÷ 100 + 0.4 × 80.7 = 90.6133…
    assert!(appraisal["raw_total"]["value"].as_str().unwrap().starts_with("90.6133"), "{appraisal:#}");
    let kept = [&appraisal["grade"], &appraisal["bonus_factor"], &appraisal["scheme"]];
    assert_eq!(kept, [&json!("S"), &json!("1.5"), &json!("customer-service-monthly@1")]);
    assert!(appraisal["finalised_at"].is_string(), "{appraisal:#}");
    let calculation = &appraisal["calculation"];
    assert_eq!(calculation["baseline"][0]["trend"], "下降", "{calculation:#}");
    assert!(calculation["ratings"]["manager"].is_object() && calculation["ratings"]["self"].is_object());

    let goals = place.get(&format!("/v1/goals?cycle={}", month.next));
    let goals = goals["data"].as_array().unwrap();
    assert_eq!(goals.len(), 1, "{goals:#?}");
    assert_eq!((&goals[0]["title"], &goals[0]["status"]["value"]), (&json!("客户问题解决率"), &json!("NOT_STARTED")));
    assert_eq!((&goals[0]["metric"]["start"], &goals[0]["metric"]["target"]), (&json!("85"), &json!("90")));
    assert!(goals[0]["description"].as_str().unwrap().contains("客户问题解决技巧"));
    let plans = place.get(&format!("/v1/development-plans?employee={}", month.employee));
    assert_eq!(plans["data"][0]["goals"][0]["id"], goals[0]["id"], "{plans:#}");

    wait_until(LIMIT, || match told(&place, "lu.anran") {
        1 => Ok(()),
        count => Err(format!("{count} messages: {:?}\n{:#}", place.effects(), place.get("/v1/parked"))),
    });
    let message = &place.get("/v1/messages")["data"][0];
    let body = message["body"].as_str().unwrap();
    assert!(body.contains("问题解决 82→78 (-4)") && body.contains("《客户问题解决技巧》"), "{body}");

    // A draft of the scheme, before it is published: what it would have made of this month.
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scoring/models/appraisal");
    let (scheme, draft) =
        (shipped.join("customer-service-monthly.yaml"), place.folder().join("customer-service-monthly.yaml"));
    let text = fs::read_to_string(&scheme).unwrap();
    fs::write(&draft, text.replace("grade: S, from: 90", "grade: S, from: 92")).unwrap();
    let past = |since: &str| {
        let (config, url) = (place.config(), place.url(""));
        let places = [&scheme, &draft, &config].map(|path| path.to_str().unwrap());
        let [scheme, draft, config] = places;
        model(&["diff", scheme, draft, "--hub", &url, "--config", config, "--since", since])
    };
    let (fine, told) = past("2020-01-01");
    assert!(fine && told.contains("grades/S/from: 90 -> 92") && told.contains("S -> A: 1"), "{told}");
    let (fine, told) = past("2999-01-01");
    assert!(fine && !told.contains("S -> A"), "{told}");

    // A person changes the grade: without a reason nothing happens, with one the new coefficient is there.
    let path = format!("/v1/appraisals/{}", appraisal["id"].as_str().unwrap());
    let by_hand = place
        .http()
        .patch(place.url(&path))
        .bearer_auth(place.secret("HRHUB_ADMIN_KEY"))
        .json(&json!({ "grade": "A" }));
    let refused = by_hand.send().unwrap();
    assert_eq!(refused.status(), 409);
    assert_eq!(refused.json::<Value>().unwrap()["code"], "calculated_by_hub");
    let entry = json!({ "by": reference("employee", &month.manager), "from": "S", "to": "A", "reason": "团队拉平" });
    let mut bare = entry.clone();
    bare.as_object_mut().unwrap().remove("reason");
    send(&place, "PATCH", &path, &json!({ "calibration": [bare] }));
    wait_until(LIMIT, || {
        let parked = place.get("/v1/parked");
        if parked.to_string().contains("CALIBRATION_INCOMPLETE") { Ok(()) } else { Err(parked.to_string()) }
    });
    assert_eq!(place.get(&path)["grade"], "S");
    send(&place, "PATCH", &path, &json!({ "calibration": [entry] }));
    let changed = month.appraisal(&place, |one| one["grade"] == "A");
    assert_eq!(changed["bonus_factor"], "1.2");
    assert_ne!(changed["finalised_at"], appraisal["finalised_at"], "payroll is told anew");
    assert!(changed["reasons"].to_string().contains("团队拉平"), "{changed:#}");
}

/// The items of a review of a probation: everything rated alike.
fn probation_items(place: &Place, employee: &str, score: &str) -> Vec<Value> {
    let goal = |title: &str, current: &str, target: &str| {
        let metric = json!({ "current": current, "target": target });
        let goal = json!({ "owner": reference("employee", employee), "title": title, "metric": metric });
        json!({ "goal": reference("goal", &write(place, "goals", &goal)) })
    };
    let competency = |name: &str| {
        let id = write(place, "competencies", &json!({ "name": name }));
        json!({ "competency": reference("competency", &id), "score": points(score) })
    };
    let (tasks, errors) = (goal("工作任务完成率", score, "100"), goal("工作差错率", "2", "2"));
    vec![tasks, errors, competency("学习能力"), competency("团队协作"), competency("责任心")]
}

#[test]
fn a_probation_weighs_training_with_work_and_tells_trainers_of_what_is_too_low() {
    let place = place();
    let _running = serve(&place);
    let employee = json!({
        "display_name": "Noor Adeyemi", "status": "ACTIVE",
        "accounts": [{ "system": "DINGTALK", "external_id": "noor.adeyemi" }],
    });
    let employee = write(&place, "employees", &employee);
    let mentor = write(&place, "employees", &json!({ "display_name": "Ines Falk", "status": "ACTIVE" }));
    let course = write(&place, "courses", &json!({ "title": "产品知识", "code": "PK-1" }));
    let enrolment = json!({
        "employee": reference("employee", &employee), "course": reference("course", &course),
        "status": "COMPLETED", "progress": "1",
    });
    let enrolment = write(&place, "enrolments", &enrolment);
    // Of two tries the better one counts, and that is below 70.
    for score in ["40", "60"] {
        let result = json!({ "enrolment": reference("enrolment", &enrolment), "score": points(score) });
        write(&place, "learning-results", &result);
    }
    let cycle = json!({
        "name": "Probation of N. A.", "kind": "PROBATION", "period_start": "2026-08-01", "period_end": "2026-10-31",
        "template": "probation",
    });
    let cycle = write(&place, "review-cycles", &cycle);
    let review = |kind: &str, items: &[Value], total: Option<&str>| {
        let mut review = json!({
            "cycle": reference("review_cycle", &cycle), "employee": reference("employee", &employee),
            "reviewer": reference("employee", &mentor), "kind": kind, "status": "SUBMITTED", "items": items,
        });
        if let Some(total) = total {
            review["total"] = points(total);
        }
        write(&place, "reviews", &review);
    };
    review("MENTOR", &[], Some("90"));
    review("MANAGER", &probation_items(&place, &employee, "80"), None);
    let appraisal = wait_until(LIMIT, || {
        let found = place.get(&format!("/v1/appraisals?employee={employee}"));
        let one = found["data"][0].clone();
        if one.is_object() { Ok(one) } else { Err(format!("{:#}", place.get("/v1/parked"))) }
    });
    // Work: 0.5 × (0.6 × 80 + 0.4 × 100) + 0.5 × 80 = 84. Training: 0.5 × 60 + 0.3 × 100 + 0.2 × 90 = 78.
    // 0.7 × 84 + 0.3 × 78 = 82.2: passed, by a person.
    assert_eq!(appraisal["raw_total"]["value"], "82.2", "{appraisal:#}");
    assert!(appraisal["finalised_at"].is_null(), "whether somebody stays is for a person to say");
    let inputs = &appraisal["calculation"]["inputs"];
    assert_eq!(inputs["training"], json!({ "exam": "60", "completion": "100", "mentor": "90" }), "{inputs:#}");
    let reasons = appraisal["reasons"].to_string();
    assert!(reasons.contains("达到合格线 70") && reasons.contains("考试成绩低于预警线"), "{reasons}");
    wait_until(LIMIT, || match told(&place, "petra.osei") {
        0 => Err(format!("{:?}\n{:#}", place.effects(), place.get("/v1/parked"))),
        _ => Ok(()),
    });
    assert_eq!(told(&place, "noor.adeyemi"), 0, "nothing is final yet");
}

#[test]
fn a_group_is_graded_by_quotas_when_its_cycle_moves_on() {
    let place = place();
    let folder = place.config().join("models/appraisal");
    fs::create_dir_all(&folder).unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scoring/models/appraisal/probation.yaml");
    let text = fs::read_to_string(shipped).unwrap();
    let (before, _) = text.split_once("probation:\n  training").unwrap();
    let text = before.replace("scheme: probation", "scheme: team-year")
        + "final: by_person\ndistribution: { on: true, owner: petra.osei, quotas: { A: 20, B: 60, C: 20 }, min_group: 5, \
           at_status: CALIBRATION }\n";
    fs::write(folder.join("team-year.yaml"), text).unwrap();
    let _running = serve(&place);
    let cycle = json!({
        "name": "2026", "kind": "ANNUAL", "period_start": "2026-01-01", "period_end": "2026-12-31",
        "template": "team-year", "status": "MANAGER",
    });
    let cycle = write(&place, "review-cycles", &cycle);
    for score in ["95", "90", "88", "86", "75"] {
        let employee =
            write(&place, "employees", &json!({ "display_name": format!("Test {score}"), "status": "ACTIVE" }));
        let review = json!({
            "cycle": reference("review_cycle", &cycle), "employee": reference("employee", &employee),
            "kind": "MANAGER", "status": "SUBMITTED", "items": probation_items(&place, &employee, score),
        });
        write(&place, "reviews", &review);
    }
    let grades = |wanted: [&str; 5]| {
        wait_until(LIMIT, || {
            let found = place.get(&format!("/v1/appraisals?cycle={cycle}&limit=10"));
            let mut all: Vec<(Decimal, &str)> = found["data"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| {
                    (one["raw_total"]["value"].as_str().unwrap().parse().unwrap(), one["grade"].as_str().unwrap())
                })
                .collect();
            all.sort_by_key(|one| std::cmp::Reverse(one.0));
            let grades: Vec<&str> = all.iter().map(|(_, grade)| *grade).collect();
            if grades == wanted { Ok(()) } else { Err(format!("{all:?}\n{:#}", place.get("/v1/parked"))) }
        });
    };
    // By the cuts four of five are above 85; by the quotas only the first is.
    grades(["A", "A", "A", "A", "B"]);
    send(&place, "PATCH", &format!("/v1/review-cycles/{cycle}"), &json!({ "status": "CALIBRATION" }));
    grades(["A", "B", "B", "B", "C"]);
}

#[test]
fn what_keeps_a_review_from_being_appraised_is_told_with_what_to_do() {
    let place = place();
    let _running = serve(&place);
    let month = Month::write(&place, None);
    month.review(&place, "MANAGER");
    let parked = wait_until(LIMIT, || {
        let parked = place.get("/v1/parked");
        if parked["data"].as_array().unwrap().is_empty() { Err(parked.to_string()) } else { Ok(parked) }
    });
    let told = parked.to_string();
    assert!(told.contains("ACTUAL_MISSING") && told.contains("metric.current"), "{parked:#}");
    assert_eq!(place.get(&format!("/v1/appraisals?employee={}", month.employee))["data"], json!([]));
}

#[test]
fn a_preset_is_written_once_and_its_weights_count() {
    let place = Place::new(Backends::Embedded);
    let (config, run) = (place.config(), model);
    let (fine, listed) = run(&["presets"]);
    assert!(fine && listed.lines().count() >= 20 && listed.contains("retail-store"), "{listed}");
    let (fine, shown) = run(&["presets", "call-centre"]);
    assert!(fine && shown.contains("21:00-08:00 of the next day, 180 min break, 8 h 00 of work"), "{shown}");
    let into = config.to_str().unwrap();
    let (fine, told) = run(&["preset", "hospital", "--into", into]);
    assert!(fine, "{told}");
    let scheme = fs::read_to_string(config.join("models/appraisal/customer-service-monthly.yaml")).unwrap();
    assert!(scheme.contains("weights: { kpi: 40, behaviour: 60 }"), "{scheme}");
    let (fine, told) = run(&["check", config.join("models").to_str().unwrap()]);
    assert!(fine && told.contains("1 of 1 scheme, 1 of 1 preset"), "{told}");
    let (fine, told) = run(&["preset", "hospital", "--into", into]);
    assert!(!fine && told.contains("is there already"), "{told}");
    let (fine, told) = run(&["preset", "hospitl", "--into", into]);
    assert!(!fine && told.contains("did you mean `hospital`"), "{told}");
}
