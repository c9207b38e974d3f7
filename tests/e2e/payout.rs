//! What leaves a locked run: a bank's file, its result, the journal and the tax file.

use crate::erp_json::{KINGDEE, effects};
use crate::payroll::{Company, Desk, amount, company, grade, reference, run_of};
use hub_support::{Backends, Place, wait_until};
use hub_tree::Decimal;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fs;
use std::time::Duration;

const PURPOSE: &str = "salaries of January";

/// An answer that is no JSON.
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: reqwest::header::HeaderMap,
    bytes: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&self.bytes)))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap().trim_start_matches('\u{feff}')
    }

    /// The places of all that is wrong.
    pub(crate) fn wrong(&self) -> Vec<String> {
        let body = self.json();
        assert_eq!((self.status, &body["code"]), (422, &json!("payout_refused")), "{body:#}");
        body["errors"].as_array().unwrap().iter().map(|one| one["pointer"].as_str().unwrap().to_owned()).collect()
    }
}

fn ask(desk: &Desk<'_>, path: &str, headers: &[(&str, &str)]) -> Answer {
    let request = desk.place.http().get(desk.place.url(path)).bearer_auth(&desk.key);
    answered(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)))
}

/// Asked for a purpose.
pub(crate) fn told(desk: &Desk<'_>, path: &str) -> Answer {
    ask(desk, path, &[("purpose", PURPOSE)])
}

fn answered(request: reqwest::blocking::RequestBuilder) -> Answer {
    let answer = request.send().unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    Answer { status, headers, bytes: answer.bytes().unwrap().to_vec() }
}

/// Makes or changes what has restricted fields.
fn put(desk: &Desk<'_>, method: &str, path: &str, body: &Value) -> String {
    let request = desk.place.http().request(method.parse().unwrap(), desk.place.url(path)).bearer_auth(&desk.key);
    let answer = answered(request.header("purpose", "master data").json(body));
    assert!(matches!(answer.status, 200 | 201), "{path}: {}", String::from_utf8_lossy(&answer.bytes));
    answer.json()["id"].as_str().unwrap().to_owned()
}

pub(crate) fn import(desk: &Desk<'_>, run: &str, profile: &str, body: &[u8]) -> Answer {
    let path = format!("/v1/payroll-runs/{run}:import-result?profile={profile}");
    let request = desk.place.http().post(desk.place.url(&path)).bearer_auth(&desk.key);
    answered(request.header("content-type", "text/csv").body(body.to_vec()))
}

/// A number with the check digit of cards.
pub(crate) fn card(digits: &str) -> String {
    let sum: u32 = digits
        .chars()
        .rev()
        .enumerate()
        .map(|(place, c)| (place, c.to_digit(10).unwrap()))
        .map(|(place, digit)| if place % 2 == 0 { digit * 2 / 10 + digit * 2 % 10 } else { digit })
        .sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

/// A resident identity number of nobody, with its check digit.
fn resident(digits: &str) -> String {
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = digits.chars().zip(weights).map(|(c, weight)| c.to_digit(10).unwrap() * weight).sum();
    format!("{digits}{}", ["1", "0", "X", "9", "8", "7", "6", "5", "4", "3", "2"][sum as usize % 11])
}

pub(crate) fn account(hr: &Desk<'_>, employee: &str, holder: &str, number: &str) -> String {
    let body = json!({
        "employee": reference("employee", employee), "holder": holder, "account_no": number, "cnaps": "102100099996",
        "bank_name": "=cmd|' /C calc'!A0", "currency": "CNY", "usage": "SALARY",
    });
    put(hr, "POST", "/v1/bank-accounts", &body)
}

/// Somebody whose pay does not bear the contributions: the net is 0, the rest is carried.
fn poor(hr: &Desk<'_>, group: &str) -> String {
    let employee = json!({
        "employee_number": "HX0003", "display_name": "周宁", "status": "ACTIVE", "latest_hire_on": "2026-01-01",
        "custom": { "insured_city": "CN-SH", "insurance_base": "20000", "fund_base": "20000", "fund_rate": "7", "injury_class": "1" },
    });
    let employee = hr.make("employees", &employee);
    let pay =
        json!({ "code": "BASE", "kind": "BASE", "amount": { "amount": "100", "currency": "CNY" }, "period": "MONTH" });
    let pay = json!({
        "employee": reference("employee", &employee), "valid_from": "2026-01-01", "pay_group": reference("pay_group", group),
        "lines": [pay],
    });
    hr.make("compensations", &pay);
    employee
}

/// Documents and cost centres.
fn people(hr: &Desk<'_>, company: &Company, poor: &str) {
    let person = |employee: &str, name: &str, id: Value| {
        let person = put(hr, "POST", "/v1/people", &json!({ "name": { "full": name }, "national_ids": [id] }));
        let link = json!({ "person": reference("person", &person) });
        put(hr, "PATCH", &format!("/v1/employees/{employee}"), &link);
    };
    person(
        &company.lin,
        "林夏",
        json!({ "type": "CN_RESIDENT_ID", "country": "CN", "number": resident("11010119900307123") }),
    );
    person(&company.wu, "Petra Osei", json!({ "type": "PASSPORT", "country": "GH", "number": "G1234567" }));
    person(poor, "周宁", json!({ "type": "CN_RESIDENT_ID", "country": "CN", "number": resident("11010119910808222") }));
    let center = |code: &str| hr.make("cost-centers", &json!({ "name": code, "code": code }));
    let (one, two) = (center("A100"), center("B200"));
    let share = |center: &str, rate: &str| json!({ "cost_center": reference("cost_center", center), "rate": rate });
    for (employee, hired, shares) in [
        (&company.lin, "2026-01-01", json!([share(&one, "0.6"), share(&two, "0.4")])),
        (&company.wu, "2026-01-12", json!([share(&two, "1")])),
        (&poor.to_owned(), "2026-01-01", json!([share(&center("C300"), "1")])),
    ] {
        let employment = json!({ "employee": reference("employee", employee), "start_on": hired, "is_primary": true });
        let employment = hr.make("employments", &employment);
        let assignment = json!({
            "employment": reference("employment", &employment), "valid_from": hired, "is_primary": true,
            "cost_centers": shares,
        });
        hr.make("job-assignments", &assignment);
    }
}

#[test]
fn a_locked_run_is_paid_settled_and_told_to_books_and_tax_office() {
    let place = Place::new(Backends::Embedded);
    let books = format!(
        "id: books\nconnector: kingdee-k3cloud\nsettings:\n  base_url: \"http://127.0.0.1:{}/kingdee-k3cloud\"\n{KINGDEE}  account_book: \"001\"\n",
        place.sandbox_port
    );
    fs::write(place.config().join("connections/books.yaml"), books).unwrap();
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    let clerk = Desk::new(&place, "clerk", "read,write");
    let hr = Desk::new(&place, "hr", "read,read:restricted,write");
    let head = Desk::new(&place, "head", "read,read:restricted,pay:approve");
    let company = company(&clerk);
    let poor = poor(&hr, &company.group);
    people(&hr, &company, &poor);
    grade(&clerk, &company.lin, ("2026-01-01", "2026-01-31"), "S");
    let reward = |trigger: &str, status: &str| json!({ "trigger": trigger, "status": status, "amount": { "amount": "800", "currency": "CNY" } });
    let rewards = json!([reward("INTERVIEWED", "APPROVED"), reward("HIRED", "PENDING")]);
    let referral = json!({ "referrer": reference("employee", &company.wu), "status": "HIRED", "rewards": rewards });
    let referral = clerk.make("referrals", &referral);
    let run = run_of(&clerk, &company.group, ("2026-01-01", "2026-01-31"));
    let calculated = clerk.calculated(&run);
    assert_eq!(calculated["status"]["value"], "CALCULATED", "{calculated:#}");
    let bank = format!("/v1/payroll-runs/{run}/bank-file?profile=cn-transfer");

    // A draft leaves nothing; then only who approves pay, may see accounts and says what for, gets a file.
    assert_eq!(told(&head, &bank).status, 409);
    let (status, refused) = post(&clerk, &run, &json!({ "connection": "books", "chart": "cn-enterprise" }));
    assert!(status == 409 && refused["detail"].as_str().unwrap().contains("not locked"), "{refused}");
    for (who, step) in [(&clerk, "review"), (&head, "approve"), (&clerk, "lock")] {
        assert_eq!(who.step(&run, step).0, 200, "{step}");
    }
    assert_eq!(told(&clerk, &bank).status, 403);
    assert_eq!(ask(&head, &bank, &[]).json()["parameter"], "Purpose");
    assert_eq!(
        told(&head, &format!("/v1/payroll-runs/{run}/bank-file?profile=cn-transfr")).json()["parameter"],
        "profile"
    );

    // All that is wrong, at once; no file.
    assert_eq!(told(&head, &bank).wrong(), ["/HX0001/account", "/HX0002/account", "/payments"]);
    let (lin_card, wu_card) = (card("622202100100000001"), card("622202100100000002"));
    let lin_account = account(&hr, &company.lin, "林夏", &lin_card);
    let wu_account = account(&hr, &company.wu, "Petra Osei", &lin_card);
    assert_eq!(told(&head, &bank).wrong(), ["/HX0002/account_no"], "one account for two people");
    put(&hr, "PATCH", &format!("/v1/bank-accounts/{wu_account}"), &json!({ "account_no": "6222021001000000029" }));
    assert_eq!(told(&head, &bank).wrong(), ["/HX0002/account_no"], "a wrong check digit");
    assert!(clerk.get(&format!("/v1/payroll-runs/{run}"))["files"].is_null());
    put(&hr, "PATCH", &format!("/v1/bank-accounts/{wu_account}"), &json!({ "account_no": wu_card }));

    let made = told(&head, &bank);
    assert_eq!(made.status, 200, "{}", String::from_utf8_lossy(&made.bytes));
    let sha256 = hex::encode(Sha256::digest(&made.bytes));
    assert_eq!((made.header("hub-sha256"), made.header("content-type")), (sha256.as_str(), "text/csv; charset=gbk"));
    let (text, _, wrong) = encoding_rs::GBK.decode(&made.bytes);
    assert!(!wrong, "{text}");
    let lin = clerk.payslip(&run, &company.lin);
    let wu = clerk.payslip(&run, &company.wu);
    let net = |slip: &Value| slip["net"]["amount"].as_str().unwrap().to_owned();
    let short = |slip: &Value| slip["id"].as_str().unwrap().replace('-', "");
    let total: Decimal = [&lin, &wu].iter().map(|slip| net(slip).parse::<Decimal>().unwrap()).sum();
    assert!(text.contains(&format!(",20260131,CNY,2,{total}\r\n")), "{text}");
    let row = format!(
        "1,{},HX0001,林夏,{lin_card},102100099996,'=cmd|' /C calc'!A0,{},2026年1月工资\r\n",
        short(&lin),
        net(&lin)
    );
    assert!(text.contains(&row), "{text}");
    // Who gets nothing is left out, and told.
    assert_eq!(net(&clerk.payslip(&run, &poor)).parse::<Decimal>(), Ok(Decimal::ZERO));
    assert!(made.header("hub-left-out") == "HX0003" && !text.contains("HX0003"), "{text}");
    // The same bytes; the run keeps one file, the audit log what was shown and what for.
    assert_eq!(told(&head, &bank).bytes, made.bytes);
    let files = clerk.get(&format!("/v1/payroll-runs/{run}"))["files"].clone();
    assert_eq!(files.as_array().unwrap().len(), 1, "{files:#}");
    assert_eq!((&files[0]["sha256"], &files[0]["payments"]), (&json!(sha256), &json!(2)), "{files:#}");
    assert_eq!(files[0]["total"]["amount"].as_str().unwrap().parse(), Ok(total), "{files:#}");
    let auditor = Desk::new(&place, "auditor", "audit");
    let seen = auditor.get("/v1/audit?action=restricted.read")["data"].to_string();
    assert!(seen.contains(&lin_account) && seen.contains(PURPOSE) && !seen.contains(&lin_card), "{seen}");
    let kept = auditor.get("/v1/audit?action=payroll_run.bank_file")["data"].to_string();
    assert!(kept.contains(&sha256) && kept.contains(PURPOSE), "{kept}");

    result(&clerk, &run, (&lin, &wu), &company);
    // The referral says which payslip has paid its reward.
    wait_until(Duration::from_secs(60), || {
        let rewards = clerk.get(&format!("/v1/referrals/{referral}"))["rewards"].clone();
        let stands = |n: usize| rewards[n]["status"]["value"].as_str().unwrap_or_default().to_owned();
        match (stands(0).as_str(), stands(1).as_str(), rewards[0]["payroll_line"]["id"] == wu["id"]) {
            ("PAID", "PENDING", true) => Ok(()),
            _ => Err(rewards.to_string()),
        }
    });
    journal(&clerk, &run, &lin, &wu);
    posted(&clerk, &run);
    tax(&head, &clerk, &run, &lin);
    next_month(&clerk, &hr, &head, &company, &wu_account);
}

/// The bank says that one payment failed, then that it arrived after all.
fn result(clerk: &Desk<'_>, run: &str, (lin, wu): (&Value, &Value), company: &Company) {
    let file = |rows: &[(&Value, &str, &str, &str)]| {
        let mut text = "业务参考号,金额,处理结果,失败原因,银行流水号\r\n".to_owned();
        for (slip, amount, status, reason) in rows {
            let slip = slip["id"].as_str().unwrap().replace('-', "");
            text.push_str(&format!("{slip},{amount},{status},{reason},B{status}\r\n"));
        }
        encoding_rs::GBK.encode(&text).0.into_owned()
    };
    let (lin_net, wu_net) = (lin["net"]["amount"].as_str().unwrap(), wu["net"]["amount"].as_str().unwrap());
    let both = file(&[(lin, lin_net, "成功", ""), (wu, wu_net, "失败", "户名不符")]);
    assert_eq!(import(clerk, run, "cn-transfer", &both).status, 409, "the bank was not asked");
    assert_eq!(clerk.step(run, "pay").0, 200);
    assert_eq!(import(clerk, run, "cn-same-bank", &both).status, 409, "no file of this profile was made");
    let bad = file(&[(lin, "1.00", "成功", ""), (lin, lin_net, "成功", ""), (&json!({ "id": "x" }), "1", "成功", "")]);
    assert_eq!(import(clerk, run, "cn-transfer", &bad).wrong(), ["/HX0001/amount", "/HX0001/payment", "/payment"]);
    assert!(clerk.payslip(run, &company.lin)["payment"].is_null(), "nothing was applied");
    let (status, refused) = clerk.step(run, "settle");
    assert!(status == 409 && refused["detail"].as_str().unwrap().contains("HX0001 (not paid)"), "{refused}");

    let told = import(clerk, run, "cn-transfer", &both);
    let wanted = json!({
        "paid": 1, "failed": [{ "employee_number": "HX0002", "reason": "户名不符" }], "changed": 2, "open": ["HX0002"],
    });
    assert_eq!((told.status, told.json()), (200, wanted));
    let paid = clerk.payslip(run, &company.lin)["payment"].clone();
    assert_eq!((&paid["status"], &paid["reference"]), (&json!("PAID"), &json!("B成功")), "{paid:#}");
    assert!(paid["paid_at"].is_string() && paid["account_last4"].is_string(), "{paid:#}");
    let failed = clerk.payslip(run, &company.wu)["payment"].clone();
    assert_eq!((&failed["status"], &failed["reason"]), (&json!("FAILED"), &json!("户名不符")), "{failed:#}");
    let (status, refused) = clerk.step(run, "settle");
    assert!(status == 409 && refused["detail"].as_str().unwrap().contains("HX0002 (FAILED)"), "{refused}");
    // Sent again it says nothing new.
    assert_eq!(import(clerk, run, "cn-transfer", &both).json()["changed"], 0);

    let told = import(clerk, run, "cn-transfer", &file(&[(wu, wu_net, "成功", "")])).json();
    assert_eq!((&told["open"], &told["changed"]), (&json!([]), &json!(1)), "{told}");
    assert!(clerk.payslip(run, &company.wu)["payment"]["reason"].is_null());
    assert_eq!(clerk.step(run, "settle").0, 200);
    assert_eq!(clerk.step(run, "close").0, 200);
}

fn journal(clerk: &Desk<'_>, run: &str, lin: &Value, wu: &Value) {
    let path = format!("/v1/payroll-runs/{run}/journal?chart=cn-enterprise");
    let found = clerk.get(&path);
    let sum = |of: &dyn Fn(&Value) -> bool, side: &str| -> Decimal {
        let entries = found["entries"].as_array().unwrap().iter().filter(|one| of(one));
        entries.map(|one| one[side].as_str().unwrap().parse::<Decimal>().unwrap()).sum()
    };
    let total: Decimal = found["total"].as_str().unwrap().parse().unwrap();
    assert_eq!((sum(&|_| true, "debit"), sum(&|_| true, "credit")), (total, total), "{found:#}");
    // What is owed to employees after all is what the run pays.
    let decimal = |text: &str| text.parse::<Decimal>().unwrap();
    let wages = |one: &Value| one["account"] == "2211.01";
    let net = [lin, wu].iter().map(|slip| decimal(slip["net"]["amount"].as_str().unwrap())).sum::<Decimal>();
    assert_eq!(sum(&wages, "credit") - sum(&wages, "debit"), net, "{found:#}");
    let earned = |slip: &Value| decimal(slip["gross"]["amount"].as_str().unwrap());
    let of = |center: &'static str| move |one: &Value| one["account"] == "6602.01" && one["cost_center"] == center;
    assert_eq!(sum(&of("A100"), "debit"), earned(lin) * decimal("0.6"), "{found:#}");
    assert_eq!(sum(&of("B200"), "debit"), earned(lin) * decimal("0.4") + earned(wu), "{found:#}");
    let sheet = ask(clerk, &path, &[("accept", "text/csv")]);
    assert_eq!(sheet.header("content-type"), "text/csv; charset=utf-8");
    assert!(sheet.text().starts_with("account,name,cost_center,debit,credit\r\n"), "{}", sheet.text());
    assert!(sheet.text().contains("\r\n6602.01,管理费用—工资,A100,"), "{}", sheet.text());
}

fn post(desk: &Desk<'_>, run: &str, body: &Value) -> (u16, Value) {
    let url = desk.place.url(&format!("/v1/payroll-runs/{run}:post-journal"));
    let request = desk.place.http().post(url).bearer_auth(&desk.key).header("prefer", "wait=60");
    let answer = answered(request.json(body));
    (answer.status, answer.json())
}

/// The journal stands in the books once, submitted and audited.
fn posted(clerk: &Desk<'_>, run: &str) {
    for (body, pointer) in [
        (json!({ "connection": "books" }), "/chart"),
        (json!({ "connection": "books", "chart": "cn-enterprize" }), "/chart"),
        (json!({ "connection": "boks", "chart": "cn-enterprise" }), "/connection"),
        (json!({ "connection": "books", "chart": "cn-enterprise", "agian": true }), "/agian"),
    ] {
        let (status, refused) = post(clerk, run, &body);
        assert_eq!((status, &refused["pointer"]), (422, &json!(pointer)), "{body}: {refused}");
    }
    let wanted = json!({ "connection": "books", "chart": "cn-enterprise" });
    let (status, told) = post(clerk, run, &wanted);
    assert_eq!(status, 200, "{told:#}");
    let of = |told: &Value| {
        let files = told["files"].as_array().unwrap().iter();
        files.filter(|file| file["kind"] == "journal" && file["connection"] == "books").count()
    };
    assert_eq!(of(&told), 1, "{told:#}");
    let count = |word: &str| effects(clerk.place, word);
    let there = || (count("saved GL_VOUCHER"), count("submitted PZ"), count("audited PZ"));
    assert_eq!(there(), (1, 1, 1), "{:?}", clerk.place.effects());
    let (status, refused) = post(clerk, run, &wanted);
    assert_eq!((status, &refused["code"]), (409, &json!("conflict")), "{refused}");
    // Sent again because somebody says so, it is found there by the run's id.
    let (status, told) = post(clerk, run, &json!({ "connection": "books", "chart": "cn-enterprise", "again": true }));
    assert_eq!((status, of(&told)), (200, 2), "{told:#}");
    assert_eq!(there(), (1, 1, 1), "{:?}", clerk.place.effects());
}

fn tax(head: &Desk<'_>, clerk: &Desk<'_>, run: &str, lin: &Value) {
    let path = format!("/v1/payroll-runs/{run}/tax-file");
    assert_eq!(told(clerk, &path).status, 403);
    assert_eq!(ask(head, &path, &[]).status, 400);
    let made = told(head, &path);
    let rows: Vec<&str> = made.text().lines().collect();
    assert_eq!(rows.len(), 4, "{rows:#?}");
    let taken = |code: &str| amount(lin, code).trim_start_matches('-').to_owned();
    let wanted = format!(
        "HX0001,林夏,居民身份证,{},2026-01-01,2026-01-31,22250.00,0.00,{},{},{},0.00,{},0.00,0.00,22250.00,0.00,412.50,0.00,0.00",
        resident("11010119900307123"),
        taken("养老保险个人"),
        taken("医疗保险个人"),
        taken("失业保险个人"),
        taken("住房公积金个人"),
    );
    assert_eq!(rows[1], wanted);
    assert!(rows[2].starts_with("HX0002,Petra Osei,外国护照,G1234567,"), "{rows:#?}");
}

/// An account that changed since it was paid to waits for a person, who is not the one that changed it.
fn next_month(clerk: &Desk<'_>, hr: &Desk<'_>, head: &Desk<'_>, company: &Company, wu_account: &str) {
    grade(clerk, &company.lin, ("2026-02-01", "2026-02-28"), "C");
    let run = run_of(clerk, &company.group, ("2026-02-01", "2026-02-28"));
    let calculated = clerk.calculated(&run);
    assert_eq!(calculated["status"]["value"], "CALCULATED", "{calculated:#}");
    for (who, step) in [(clerk, "review"), (head, "approve"), (clerk, "lock")] {
        assert_eq!(who.step(&run, step).0, 200, "{step}");
    }
    let bank = format!("/v1/payroll-runs/{run}/bank-file?profile=cn-same-bank");
    put(hr, "PATCH", &format!("/v1/bank-accounts/{wu_account}"), &json!({ "account_no": card("622202100100000777") }));
    assert_eq!(told(head, &bank).wrong(), ["/HX0002/account"]);
    let both = Desk::new(clerk.place, "both", "read,read:restricted,write,pay:approve");
    put(&both, "PATCH", &format!("/v1/bank-accounts/{wu_account}"), &json!({ "branch": "Main" }));
    let refused = told(&both, &format!("{bank}&confirmed=HX0002"));
    assert_eq!((refused.status, &refused.json()["code"]), (403, &json!("second_person")));
    let made = told(head, &format!("{bank}&confirmed=HX0002"));
    assert_eq!(made.status, 200, "{}", String::from_utf8_lossy(&made.bytes));
    assert!(made.text().contains(&card("622202100100000777")), "{}", made.text());
}
