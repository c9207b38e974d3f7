//! What an interview leads to, as a recruiter sees it: scorecard, decision, feedback to the candidate, the draft of an
//! offer; and, once somebody is hired, the ability baseline of the employee. Before it: résumés that are screened.

use crate::mail::{Sink, connect};
use hub_support::{Backends, Candidate, Place, project_root, wait_for, wait_until};
use serde_json::{Value, json};
use std::fs;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(240);

/// What the customer's own layer takes from the same web hook: the requisition with its range of pay, the résumé from the
/// candidate's title, and, of whom was hired, the employee.
const OWN: &str = r#"  - to: requisition
    key: 'app.jobs[0].id'
    fields:
      title: { path: 'app.jobs[0].name', required: true }
      salary.min: { money: { amount: { expr: '8000' }, currency: { expr: '"CNY"' } } }
      salary.max: { money: { amount: { expr: '10000' }, currency: { expr: '"CNY"' } } }
      salary.period: { value: MONTH }
      status: { value: OPEN }
  - to: resume
    each: where([person], exists(item.title))
    key: item.id
    fields:
      candidate: { ref: candidate, key: item.id }
      summary: { path: item.title }
  - to: employee
    each: where([app], item.status == "hired")
    key: item.candidate.id
    fields:
      candidate: { ref: candidate, key: item.candidate.id }
      employee_number: { expr: text(item.candidate.id) }
      latest_hire_on: { expr: 'date("2026-12-01")' }
      display_name: { path: item.candidate.company }
      status: { value: ACTIVE }
"#;

/// A hub whose Greenhouse mapping also tells of requisitions, résumés and employees.
fn place() -> Place {
    let place = Place::new(Backends::Embedded);
    let shipped = project_root().join("mappings/greenhouse/application.in.yaml");
    let text = fs::read_to_string(shipped).unwrap();
    let (rules, ignored) = text.split_once("ignore:\n").unwrap();
    let file = place.config().join("mappings/greenhouse/application.in.yaml");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, format!("{rules}{OWN}ignore:\n{ignored}")).unwrap();
    place
}

/// A Greenhouse web hook about an application; `at` orders what is told, without it the time of receipt does.
fn hook(number: u32, at: Option<&str>, change: &Value) -> Vec<u8> {
    let golden = "tests/golden/payloads/greenhouse/candidate_stage_change.json";
    let text = fs::read_to_string(project_root().join(golden)).unwrap();
    let mut body: Value = serde_json::from_str(&text).unwrap();
    let application = &mut body["payload"]["application"];
    application["id"] = json!(number);
    application["last_activity_at"] = json!(at);
    application["candidate"]["id"] = json!(900_000 + number);
    for part in ["title", "company"] {
        application["candidate"][part] = Value::Null;
    }
    for (name, value) in change.as_object().unwrap() {
        match name.as_str() {
            "title" | "company" => application["candidate"][name] = value.clone(),
            "job" => application["jobs"][0] = value.clone(),
            _ => application[name] = value.clone(),
        }
    }
    body.to_string().into_bytes()
}

fn application(place: &Place, number: u32) -> Value {
    wait_for("the application", LIMIT, || {
        let found = place.get(&format!("/v1/applications?connection=greenhouse-main&remote_id={number}"));
        found["data"].get(0).cloned()
    })
}

fn decision(place: &Place, application: &Value) -> Value {
    let id = application["id"].as_str().unwrap();
    wait_for("the decision", LIMIT, || place.get(&format!("/v1/decisions?application={id}"))["data"].get(0).cloned())
}

fn codes(decision: &Value) -> Vec<&str> {
    decision["reasons"].as_array().unwrap().iter().map(|reason| reason["code"].as_str().unwrap()).collect()
}

fn own_scorecard(place: &Place, application: &Value) -> Value {
    let id = application["id"].as_str().unwrap();
    let all = place.get(&format!("/v1/scorecards?application={id}"));
    let own = all["data"].as_array().unwrap().iter().find(|one| one["rater"]["kind"]["value"] == "AI");
    own.unwrap_or_else(|| panic!("{all:#}")).clone()
}

#[test]
fn an_interview_leads_to_a_scorecard_a_decision_feedback_a_draft_offer_and_a_baseline() {
    let place = place();
    let sink = Sink::start(place.folder(), None);
    connect(&place, &sink, "  security: none\n");
    place.edit("hub.yaml", |text| {
        text.replace("    chat: dingtalk-main\n", "    chat: dingtalk-main\n    feedback: mail-main\n")
    });
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    let strong = Candidate::new(81_001, "strong.example");
    let middling = Candidate::new(81_002, "middling.example");
    for candidate in [&strong, &middling] {
        place.move_candidate(candidate);
    }

    let won = application(&place, strong.number);
    let decided = decision(&place, &won);
    assert_eq!(decided["label"]["value"], "RECOMMENDED", "{decided:#}");
    // 30 % × 100 + 25 % × 92 + 25 % × 88 + 20 % × 85 = 92, and a tenth of it is the match.
    assert_eq!((&decided["score"]["value"], &decided["match_score"]["value"]), (&json!("92"), &json!("9.2")));
    assert_eq!(decided["match_score"]["max"], "10");
    assert!(codes(&decided).contains(&"offer_proposed") && codes(&decided).contains(&"match"), "{decided:#}");

    // The offer is a draft at the top of the range, and stays one.
    let offer = place.get(&format!("/v1/offers/{}", decided["offer"]["id"].as_str().unwrap()));
    assert_eq!(offer["status"]["value"], "DRAFT", "{offer:#}");
    let pay = &offer["compensation"][0];
    assert_eq!(
        (&pay["amount"]["amount"], &pay["amount"]["currency"]),
        (&json!("10000.00"), &json!("CNY")),
        "{offer:#}"
    );
    assert_eq!((&pay["kind"]["value"], &pay["period"]["value"]), (&json!("BASE"), &json!("MONTH")));
    assert!(offer.get("sent_at").is_none());
    let why = place.get(&format!("/v1/decisions/{}/explain?field=offer", decided["id"].as_str().unwrap()));
    assert!(why["steps"].to_string().contains("base = 8000 + (10000 − 8000) × 1"), "{why:#}");

    let scorecard = own_scorecard(&place, &won);
    assert_eq!(scorecard["match_score"]["value"], "9.2");
    assert_eq!(scorecard["strengths"], json!(["客户导向", "情绪稳定性", "沟通能力"]), "{scorecard:#}");
    let told = scorecard["feedback"]["zh-CN"].as_str().unwrap();
    assert!(told.contains("情绪稳定性：突出") && scorecard["feedback"]["en"].as_str().unwrap().contains("outstanding"));

    // The candidate's mail says the same, and nothing of the decision.
    // Only the words of the mail: its ids are made of digits, too.
    let mail = sink.mail_to(&strong.email);
    let text = format!("{} {}", mail["headers"]["subject"], mail["text"]);
    assert!(text.contains("您的面试反馈") && text.contains("各方面表现"), "{text}");
    assert!(!text.contains("推荐") && !text.contains("85"), "{text}");

    // In between: a person decides, and no offer is spoken of.
    let open = application(&place, middling.number);
    let held = decision(&place, &open);
    assert_eq!((&held["label"]["value"], &held["kind"]["value"]), (&json!("CONSIDER"), &json!("HOLD")), "{held:#}");
    assert!(held.get("offer").is_none() && !codes(&held).iter().any(|code| code.contains("offer")), "{held:#}");
    assert_eq!(place.get("/v1/offers")["data"].as_array().unwrap().len(), 1);
    let weak = own_scorecard(&place, &open);
    assert!(!weak["risks"].as_array().unwrap().is_empty(), "{weak:#}");
    assert!(sink.mail_to(&middling.email).to_string().contains("待提升方向"));

    // The next stage, which the hub asks for, is told by the vendor, too: as a word about an active application.
    wait_until(LIMIT, || {
        let now = application(&place, strong.number);
        if now["stage"]["source"]["remote_id"] == "71417" { Ok(()) } else { Err(format!("the next stage: {now:#}")) }
    });

    // Hired: the employee begins with what the interview has shown.
    place.greenhouse_sends("evt-hired", &hook(strong.number, None, &json!({ "status": "hired" })));
    let employee = || {
        let found =
            place.get(&format!("/v1/employees?connection=greenhouse-main&remote_id={}", 900_000 + strong.number));
        found["data"].get(0).filter(|one| one.get("ability_baseline").is_some()).cloned()
    };
    let hired = wait_until(LIMIT, || {
        let parked =
            || format!("the baseline; parked {}, employees {}", place.get("/v1/parked"), place.get("/v1/employees"));
        employee().ok_or_else(parked)
    });
    let baseline = &hired["ability_baseline"];
    assert_eq!((&baseline["as_of"], &baseline["overall"]["value"]), (&json!("2026-12-01"), &json!("92")), "{hired:#}");
    assert_eq!(baseline["rubric"], json!({ "id": "customer-service", "version": "2" }));
    let calm = baseline["dimensions"].as_array().unwrap().iter().find(|one| one["name"] == "情绪稳定性").unwrap();
    assert_eq!((&calm["score"]["value"], &calm["source"]["value"]), (&json!("92"), &json!("INTERVIEW")));
    assert_eq!(calm["source_ref"]["id"], scorecard["id"]);
    let id = hired["id"].as_str().unwrap();
    let why = place.get(&format!("/v1/employees/{id}/explain?field=ability_baseline"));
    assert!(why.to_string().contains(scorecard["id"].as_str().unwrap()), "{why:#}");

    // What other systems say later leaves it as it is.
    let later = json!({ "status": "hired", "company": "Petra Example" });
    place.greenhouse_sends("evt-later", &hook(strong.number, None, &later));
    let after = wait_for("the later word", LIMIT, || employee().filter(|one| one["display_name"] == "Petra Example"));
    assert_eq!(after["ability_baseline"], hired["ability_baseline"]);
    let parked = place.get("/v1/parked");
    assert!(parked["data"].as_array().unwrap().is_empty(), "{parked:#}");
}

#[test]
fn an_offer_without_a_range_of_pay_is_not_proposed_and_the_reason_is_told() {
    let place = Place::new(Backends::Embedded);
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    place.move_candidate(&Candidate::new(81_101, "strong.example"));
    let decided = decision(&place, &application(&place, 81_101));
    assert!(codes(&decided).contains(&"no_pay_range") && decided.get("offer").is_none(), "{decided:#}");
    assert!(place.get("/v1/offers")["data"].as_array().unwrap().is_empty());
}

#[test]
fn resumes_are_screened_and_whoever_passes_goes_on_to_the_interview() {
    let place = place();
    place.edit("hub.yaml", |text| {
        text.replace("    chat: dingtalk-main\n", "    chat: dingtalk-main\n    screened_to_stage: \"71416\"\n")
    });
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    // The applications wait at the recruiting system; a résumé comes for each. It tells nothing new of the application.
    let apply = |number: u32, title: &str| {
        let candidate = Candidate::new(number, "strong.example");
        let with = json!({
            "application_id": number, "candidate_id": 900_000 + number, "first_name": candidate.first,
            "last_name": candidate.last, "email": candidate.email, "phone": candidate.phone, "stage_id": 71415,
        });
        let url = place.sandbox_url("/_sandbox/greenhouse/move_candidate");
        assert!(place.http().post(url).json(&with).send().unwrap().status().is_success());
        let applied = application(&place, number);
        let body = hook(number, Some("2026-01-01T00:00:00Z"), &json!({ "title": title }));
        place.greenhouse_sends(&format!("evt-{number}"), &body);
        applied
    };
    let other = apply(81_202, "负责大数据平台开发，曾维护服务器");
    let held = decision(&place, &other);
    assert_eq!((&held["kind"]["value"], &held["human_review_required"]), (&json!("HOLD"), &json!(true)), "{held:#}");
    assert!(codes(&held).contains(&"screen_missing") && codes(&held).contains(&"screen_held"), "{held:#}");
    let fitting = apply(81_201, "五年客户服务经验，擅长安抚情绪、快速响应，沟通能力强");
    // Whoever passes is moved on, invited and interviewed, as if a recruiter had done it.
    let interviewed = wait_until(LIMIT, || {
        let all = place.get(&format!("/v1/decisions?application={}", fitting["id"].as_str().unwrap()));
        let found = all["data"].as_array().unwrap().iter().any(|one| one["kind"]["value"] == "ADVANCE");
        if found { Ok(all) } else { Err(format!("an interview, not {all:#}")) }
    });
    let all = interviewed["data"].as_array().unwrap();
    let passed = all.iter().find(|one| one["kind"]["value"] == "SCREEN").unwrap();
    assert_eq!((all.len(), &passed["label"]["value"]), (2, &json!("RECOMMENDED")), "{interviewed:#}");
    let reasons = passed["reasons"].to_string();
    assert!(reasons.contains("客户服务") && reasons.contains("快速响应"), "{passed:#}");
    // Nobody else is, and of screening no recruiter is told.
    wait_for("the message to the recruiter", LIMIT, || {
        place.effects().iter().any(|(name, _)| name.starts_with("dingtalk message")).then_some(())
    });
    let effects = place.effects();
    assert!(!effects.iter().any(|(name, _)| name.contains("81202")), "{effects:?}");
    assert_eq!(place.get("/v1/messages")["data"].as_array().unwrap().len(), 1);
    assert_eq!(
        place.get(&format!("/v1/decisions?application={}", other["id"].as_str().unwrap()))["data"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}
