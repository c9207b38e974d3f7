//! Payslips on their way to people: by chat or mail, once; opened, kept as PDF, asked about.

use crate::mail::{self, Sink};
use crate::payroll::{Desk, company, grade, reference, run_of};
use hub_support::{Backends, Place, run_hrhub, said, wait_until};
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(60);
const KEY: &str = "q7Lr2vXc9TnB4mYk8WsD1fGh6JpZ3eAu5RoE0iVtNyM";
const FONT: &str = "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc";

/// A hub with a chat platform, a mail relay and a font.
fn place(sink: impl FnOnce(&Place) -> Sink) -> (Place, Sink) {
    let place = Place::new(Backends::Embedded);
    let sandbox = place.sandbox_port;
    let text = format!(
        "id: dingtalk-main\nconnector: dingtalk\nsettings:\n  token: callbackToken\n  encoding_aes_key: {KEY}\n  \
         base_url: http://127.0.0.1:{sandbox}/dingtalk\n  app_key: dinghb7p2xkq9mzt3v1c\n  app_secret: ding-secret\n  \
         agent_id: \"3100417\"\n  corp_id: dinga17c\n"
    );
    fs::write(place.config().join("connections/dingtalk-main.yaml"), text).unwrap();
    let sink = sink(&place);
    mail::connect(&place, &sink, "  security: none\n");
    place.edit("hub.yaml", |text| format!("{text}\npayslips: {{ font: {FONT}, font_index: 0 }}\n"));
    (place, sink)
}

fn text_of(pdf: &[u8]) -> String {
    let mut command = Command::new("pdftotext");
    let mut child = command.args(["-layout", "-", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(pdf).unwrap();
    let text = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    text.split_whitespace().collect()
}

/// The PDF of a payslip by API.
fn pdf(desk: &Desk<'_>, slip: &str, query: &str, purpose: Option<&str>) -> (u16, Vec<u8>) {
    let path = format!("/v1/payslips/{slip}/pdf{query}");
    let request = desk.place.http().get(desk.place.url(&path)).bearer_auth(&desk.key);
    let request = match purpose {
        Some(purpose) => request.header("purpose", purpose),
        None => request,
    };
    let answer = request.send().unwrap();
    (answer.status().as_u16(), answer.bytes().unwrap().to_vec())
}

#[test]
fn everybody_of_a_run_is_told_once_opens_it_keeps_it_and_asks() {
    let (place, sink) = place(|place| Sink::start(place.folder(), None));
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    let clerk = Desk::new(&place, "clerk", "read,write");
    let head = Desk::new(&place, "head", "read,write");
    let owner = Desk::new(&place, "owner", "read,pay:approve");
    let office = Desk::new(&place, "office", "read,read:restricted");
    let company = company(&clerk);
    let gone = clerk.make(
        "employees",
        &json!({ "employee_number": "HX0003", "display_name": "Mika Aalto", "status": "ACTIVE",
            "latest_hire_on": "2026-01-01",
            "custom": { "insured_city": "CN-SH", "insurance_base": "9000", "fund_base": "9000", "fund_rate": "7", "injury_class": "1" } }),
    );
    let line =
        json!({ "code": "BASE", "kind": "BASE", "amount": { "amount": "9000", "currency": "CNY" }, "period": "MONTH" });
    clerk.make(
        "compensations",
        &json!({ "employee": reference("employee", &gone), "valid_from": "2026-01-01",
            "pay_group": reference("pay_group", &company.group), "lines": [line] }),
    );
    let legal = clerk.make("legal-entities", &json!({ "name": "禾木科技有限公司" }));
    let path = format!("/v1/pay-groups/{}", company.group);
    assert_eq!(clerk.send("PATCH", &path, &json!({ "legal_entity": reference("legal_entity", &legal) })).0, 200);
    let account = json!({ "accounts": [{ "system": "DINGTALK", "external_id": "hx0009" }] });
    assert_eq!(clerk.send("PATCH", &format!("/v1/employees/{}", company.lin), &account).0, 200);
    let address = json!({ "work_email": "petra.osei@corp.example" });
    assert_eq!(clerk.send("PATCH", &format!("/v1/employees/{}", company.wu), &address).0, 200);
    grade(&clerk, &company.lin, ("2026-01-01", "2026-01-31"), "S");
    let run = run_of(&clerk, &company.group, ("2026-01-01", "2026-01-31"));
    assert_eq!(clerk.calculated(&run)["status"]["value"], "CALCULATED");

    let deliver = format!("/v1/payroll-runs/{run}:deliver");
    let ways =
        json!({ "chats": [{ "connection": "dingtalk-main", "channel": "DINGTALK" }], "mail": "mail-main", "limit": 2 });
    let (status, refused) = clerk.send("POST", &deliver, &ways);
    assert_eq!((status, &refused["code"]), (409, &json!("conflict")), "nobody sees a draft: {refused}");
    let lin = clerk.payslip(&run, &company.lin)["id"].as_str().unwrap().to_owned();
    assert_eq!(pdf(&office, &lin, "", Some("audit of January")).0, 409);
    for (who, step) in [(&head, "review"), (&owner, "approve"), (&head, "lock")] {
        let (status, answer) = who.step(&run, step);
        assert_eq!(status, 200, "{step}: {answer}");
    }

    // In portions; one has a chat account, one a mail address, one neither.
    let everybody = |again: bool| {
        let (mut told, mut already, mut unreachable, mut after) = (0, 0, Vec::new(), Value::Null);
        loop {
            let mut ways = ways.clone();
            ways["again"] = json!(again);
            ways["after"] = after;
            let (status, answer) = clerk.send("POST", &deliver, &ways);
            assert_eq!(status, 200, "{answer}");
            told += answer["told"].as_u64().unwrap();
            already += answer["already"].as_u64().unwrap();
            unreachable.extend(answer["unreachable"].as_array().unwrap().clone());
            after = answer["next"].clone();
            if after.is_null() {
                return (told, already, unreachable);
            }
        }
    };
    let (told, already, unreachable) = everybody(false);
    assert_eq!((told, already, unreachable.len()), (2, 0, 1), "{unreachable:#?}");
    assert_eq!(unreachable[0]["employee_number"], "HX0003");
    assert!(unreachable[0]["reason"].as_str().unwrap().contains("work_email"), "{unreachable:#?}");
    let (told, already, _) = everybody(false);
    assert_eq!((told, already), (0, 2), "nobody is told twice");
    let mail = sink.mail_to("petra.osei@corp.example");
    let text = mail["text"].as_str().unwrap();
    assert!(text.contains("2026-01-01") && text.contains("/portal/"), "{mail:#}");
    let wu = clerk.payslip(&run, &company.wu);
    for hidden in [wu["net"]["amount"].as_str().unwrap(), wu["gross"]["amount"].as_str().unwrap()] {
        assert!(!mail.to_string().contains(hidden), "an amount in a mail: {mail:#}");
    }
    let found = wait_until(LIMIT, || {
        let messages = clerk.get("/v1/messages?channel=DINGTALK");
        let all = messages["data"].as_array().unwrap().clone();
        match all.as_slice() {
            [one] if one["status"]["value"] == "SENT" => Ok(one.clone()),
            _ => Err(format!("{messages:#}\n{:#}", place.get("/v1/parked"))),
        }
    });
    assert_eq!((&found["about"]["id"], &found["to"][0]["user"]), (&json!(lin), &json!("hx0009")), "{found:#}");
    let delivery = clerk.get(&format!("/v1/payroll-runs/{run}/delivery"));
    assert_eq!((&delivery["payslips"], &delivery["told"], &delivery["seen"]), (&json!(3), &json!(2), &json!(0)));
    assert_eq!(delivery["not_told"][0]["employee_number"], "HX0003", "{delivery:#}");

    // The link of the card opens the payslip, and as long as it is open, its PDF.
    let url = found["actions"][0]["url"].as_str().unwrap();
    let plain = reqwest::redirect::Policy::none();
    let browser = reqwest::blocking::Client::builder().redirect(plain).build().unwrap();
    let entered = browser.post(url).send().unwrap();
    let cookie = entered.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let look = |path: &str| browser.get(place.url(path)).header("cookie", &cookie).send().unwrap();
    let page = look("/portal/payslip?lang=zh").text().unwrap();
    assert!(page.contains("/portal/payslip.pdf?lang=zh"), "{page}");
    let printed = look("/portal/payslip.pdf?lang=zh");
    assert_eq!(printed.headers()["content-type"], "application/pdf");
    let bytes = printed.bytes().unwrap().to_vec();
    let text = text_of(&bytes);
    for wanted in
        ["公司禾木科技有限公司", "姓名林夏", "实发工资18,337.50CNY", "绩效奖金=1,500×1.5（S）=2,250", "单位承担"]
    {
        assert!(text.contains(wanted), "no {wanted} in {text}");
    }
    let strangers = reqwest::blocking::get(place.url("/portal/payslip.pdf")).unwrap();
    assert_eq!(strangers.status().as_u16(), 410);

    // By API it is the same file, for whoever may read restricted fields and says what for.
    assert_eq!(pdf(&clerk, &lin, "", Some("audit of January")).0, 403);
    assert_eq!(pdf(&office, &lin, "", None).0, 400);
    assert_eq!(pdf(&office, &lin, "?language=zh-CN", Some("audit of January")), (200, bytes));
    let (status, english) = pdf(&office, &lin, "?language=en", Some("audit of January"));
    assert!(status == 200 && text_of(&english).contains("Netpay18,337.50CNY"));

    // A question is listed until it is answered; the employee sees the answer.
    let asked = [("line", "个人所得税"), ("question", "为什么是 412.50？")];
    let sent = browser.post(place.url("/portal/payslip")).header("cookie", &cookie).form(&asked).send().unwrap();
    assert_eq!(sent.status().as_u16(), 303);
    let delivery = clerk.get(&format!("/v1/payroll-runs/{run}/delivery"));
    let question = &delivery["questions"][0];
    assert_eq!((&question["line"], &question["question"]), (&json!("个人所得税"), &json!("为什么是 412.50？")));
    assert_eq!((&question["payslip"], &delivery["seen"]), (&json!(lin), &json!(1)), "{delivery:#}");
    let answer = json!({ "dispute": { "status": "ANSWERED", "answer": "13,750 的 3%。" } });
    assert_eq!(clerk.send("PATCH", &format!("/v1/payslips/{lin}"), &answer).0, 200);
    assert!(look("/portal/payslip?lang=zh").text().unwrap().contains("13,750 的 3%。"));
    assert_eq!(clerk.get(&format!("/v1/payroll-runs/{run}/delivery"))["questions"], json!([]));

    let (told, _, _) = everybody(true);
    assert_eq!(told, 2, "asked for, they are told again");
}

#[test]
fn without_a_font_there_is_no_pdf_and_the_answer_says_what_to_configure() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    let clerk = Desk::new(&place, "clerk", "read,write,read:restricted");
    let employee =
        clerk.make("employees", &json!({ "employee_number": "HX0009", "display_name": "林夏", "status": "ACTIVE" }));
    let group = clerk.make("pay-groups", &json!({ "name": "Monthly", "currency": "CNY" }));
    let run = clerk.make("payroll-runs", &json!({ "pay_group": reference("pay_group", &group), "status": "PAID" }));
    let slip = clerk.make(
        "payslips",
        &json!({ "run": reference("payroll_run", &run), "employee": reference("employee", &employee), "currency": "CNY",
            "net": { "amount": "1", "currency": "CNY" } }),
    );
    let (status, bytes) = pdf(&clerk, &slip, "", Some("a look"));
    let problem: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(status, 409, "{problem}");
    assert!(problem.to_string().contains("payslips: { font:"), "{problem}");
}

#[test]
fn a_font_that_cannot_be_used_is_found_by_check_with_its_place() {
    let place = Place::new(Backends::Embedded);
    let check = |section: &str| {
        let before = fs::read_to_string(place.config().join("hub.yaml")).unwrap();
        place.edit("hub.yaml", |text| format!("{text}\n{section}\n"));
        let checked = run_hrhub(["check", place.config().to_str().unwrap()]);
        fs::write(place.config().join("hub.yaml"), &before).unwrap();
        (before.lines().count() + 2, checked.status.success(), said(&checked).0)
    };
    let (_, sound, out) = check(&format!("payslips: {{ font: {FONT}, font_index: 1 }}"));
    assert!(sound, "{out}");
    for section in [
        "payslips: { font: fonts/none.ttf }".to_owned(),
        "payslips: { font: hub.yaml }".to_owned(),
        format!("payslips: {{ font: {FONT}, font_index: 7 }}"),
    ] {
        let (line, sound, out) = check(&section);
        assert!(!sound && out.contains(&format!("hub.yaml:{line}:19: error")), "{section}: {out}");
        assert!(out.contains("cannot be used as a font"), "{out}");
    }
}
