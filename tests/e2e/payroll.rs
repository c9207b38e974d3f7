//! A month of payroll as people run it: people, pay and grades come in, a run is calculated, looked at, approved by a
//! second person, locked; the next month goes on from there.

use hub_support::{Backends, Place, hrhub, said, wait_until};
use hub_tree::{Decimal, env};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// How long a step may take; the full form of the tests has many more people.
fn limit() -> Duration {
    Duration::from_secs(if env::read("HRHUB_LONG").is_some() { 1_800 } else { 120 })
}

/// Somebody with a key.
pub(crate) struct Desk<'p> {
    pub(crate) place: &'p Place,
    pub(crate) key: String,
}

impl<'p> Desk<'p> {
    pub(crate) fn new(place: &'p Place, name: &str, scopes: &str) -> Self {
        let mut command = Command::new(hrhub());
        command.args(["keys", "create", "--name", name, "--scopes", scopes, "--config"]).arg(place.config());
        let (out, err) = said(&command.output().unwrap());
        let key = out.split_whitespace().find(|word| word.starts_with("hrk_"));
        Self { place, key: key.unwrap_or_else(|| panic!("{out}{err}")).to_owned() }
    }

    pub(crate) fn send(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let method = method.parse().unwrap();
        let request = self.place.http().request(method, self.place.url(path)).bearer_auth(&self.key);
        let answer = if body.is_null() { request } else { request.json(body) }.send().unwrap();
        (answer.status().as_u16(), answer.json().unwrap_or_default())
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        let (status, body) = self.send("GET", path, &Value::Null);
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    pub(crate) fn make(&self, collection: &str, body: &Value) -> String {
        let (status, made) = self.send("POST", &format!("/v1/{collection}"), body);
        assert_eq!(status, 201, "{collection}: {made}");
        made["id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn step(&self, run: &str, step: &str) -> (u16, Value) {
        self.send("POST", &format!("/v1/payroll-runs/{run}:{step}"), &Value::Null)
    }

    /// The run, once it is not calculated any more.
    pub(crate) fn calculated(&self, run: &str) -> Value {
        let (status, answer) = self.step(run, "calculate");
        assert_eq!((status, &answer["status"]["value"]), (202, &json!("CALCULATING")), "{answer}");
        let mut found = Value::Null;
        wait_until(limit(), || {
            found = self.get(&format!("/v1/payroll-runs/{run}"));
            if found["status"]["value"] == "CALCULATING" { Err(found["progress"].to_string()) } else { Ok(()) }
        });
        found
    }

    /// The payslips of a run by the employee's id.
    pub(crate) fn payslip(&self, run: &str, employee: &str) -> Value {
        let all = self.get(&format!("/v1/payslips?run={run}&employee={employee}"));
        assert_eq!(all["data"].as_array().unwrap().len(), 1, "{all}");
        all["data"][0].clone()
    }
}

pub(crate) fn reference(entity: &str, id: &str) -> Value {
    json!({ "type": entity, "id": id })
}

pub(crate) fn cny(amount: &str) -> Value {
    json!({ "amount": amount, "currency": "CNY" })
}

pub(crate) fn amount<'v>(payslip: &'v Value, code: &str) -> &'v str {
    let line = payslip["lines"].as_array().unwrap().iter().find(|line| line["code"] == code);
    line.and_then(|line| line["amount"]["amount"].as_str()).unwrap_or_else(|| panic!("no {code}: {payslip:#}"))
}

/// A company of two: a pay group, people with pay, a grade.
pub(crate) struct Company {
    pub(crate) group: String,
    pub(crate) lin: String,
    pub(crate) wu: String,
}

pub(crate) fn company(clerk: &Desk<'_>) -> Company {
    let group = clerk
        .make("pay-groups", &json!({ "name": "Monthly", "currency": "CNY", "frequency": "MONTHLY", "calendar": "CN" }));
    let person = |number: &str, name: &str, hired: &str| {
        clerk.make(
            "employees",
            &json!({
                "employee_number": number, "display_name": name, "status": "ACTIVE", "latest_hire_on": hired,
                "custom": { "insured_city": "CN-SH", "insurance_base": "20000", "fund_base": "20000", "fund_rate": "7", "injury_class": "1" },
            }),
        )
    };
    let (lin, wu) = (person("HX0001", "林夏", "2026-01-01"), person("HX0002", "Petra Osei", "2026-01-12"));
    let pay = |employee: &str, base: &str, variable: &str| {
        let line = |kind: &str, code: &str, amount: &str| json!({ "code": code, "kind": kind, "amount": cny(amount), "period": "MONTH" });
        clerk.make(
            "compensations",
            &json!({
                "employee": reference("employee", employee), "valid_from": "2026-01-01",
                "pay_group": reference("pay_group", &group),
                "lines": [line("BASE", "BASE", base), line("VARIABLE", "BONUS", variable)],
            }),
        )
    };
    pay(&lin, "20000", "1500");
    pay(&wu, "21000", "0");
    Company { group, lin, wu }
}

pub(crate) fn run_of(clerk: &Desk<'_>, group: &str, (first, last): (&str, &str)) -> String {
    run_by(clerk, group, ("REGULAR", "china-monthly"), (first, last, last))
}

pub(crate) fn run_by(
    clerk: &Desk<'_>,
    group: &str,
    (kind, rules): (&str, &str),
    (first, last, pay_on): (&str, &str, &str),
) -> String {
    clerk.make(
        "payroll-runs",
        &json!({
            "pay_group": reference("pay_group", group), "kind": kind, "status": "DRAFT",
            "rule_set": { "id": rules }, "period_start": first, "period_end": last, "pay_on": pay_on,
        }),
    )
}

pub(crate) fn grade(clerk: &Desk<'_>, employee: &str, (first, last): (&str, &str), grade: &str) {
    let cycle = json!({ "name": format!("{first} month"), "kind": "MONTH", "period_start": first, "period_end": last });
    let cycle = clerk.make("review-cycles", &cycle);
    clerk.make(
        "appraisals",
        &json!({
            "employee": reference("employee", employee), "cycle": reference("review_cycle", &cycle), "grade": grade,
            "bonus_factor": "1.5", "finalised_at": format!("{last}T10:00:00Z"),
        }),
    );
}

#[test]
fn a_month_is_calculated_from_records_explained_and_locked_by_two_people() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    let clerk = Desk::new(&place, "clerk", "read,write");
    let head = Desk::new(&place, "head", "read,write,pay:approve");
    let company = company(&clerk);
    let january = run_of(&clerk, &company.group, ("2026-01-01", "2026-01-31"));

    // Without a grade there is no bonus of nothing: the run stays a draft, and says who lacks what.
    let draft = clerk.calculated(&january);
    assert_eq!(draft["status"]["value"], "DRAFT", "{draft:#}");
    let problems = draft["problems"].as_array().unwrap();
    assert_eq!(problems.len(), 1, "{draft:#}");
    assert_eq!((&problems[0]["employee_number"], &problems[0]["item"]), (&json!("HX0001"), &json!("绩效奖金")));
    assert!(problems[0]["detail"].as_str().unwrap().contains("`绩效等级` is absent"), "{problems:#?}");
    assert!(problems[0]["place"].as_str().unwrap().contains("china-monthly.yaml:"), "{problems:#?}");
    assert_eq!(clerk.get(&format!("/v1/payslips?run={january}"))["data"], json!([]));

    grade(&clerk, &company.lin, ("2026-01-01", "2026-01-31"), "S");
    let run = clerk.calculated(&january);
    assert_eq!((&run["status"]["value"], &run["headcount"]), (&json!("CALCULATED"), &json!(2)), "{run:#}");
    assert!(run["rule_set"]["version"].as_str().unwrap().starts_with("china-monthly@1+"));

    let lin = clerk.payslip(&january, &company.lin);
    for (code, wanted) in
        [("基本工资", "20000.00"), ("绩效奖金", "2250.00"), ("养老保险个人", "-1600.00"), ("个人所得税", "-412.50")]
    {
        assert_eq!(amount(&lin, code), wanted, "{lin:#}");
    }
    // 22,250 − 3,500 − 5,000 = 13,750, of which 3 % are 412.50.
    assert_eq!((&lin["gross"]["amount"], &lin["net"]["amount"]), (&json!("22250.00"), &json!("18337.50")));
    let bonus = lin["lines"].as_array().unwrap().iter().find(|line| line["code"] == "绩效奖金").unwrap();
    assert_eq!(bonus["formula"]["text"], "绩效奖金 = 1,500 × 1.5（S）= 2,250");
    // Of the 21 working days of January 16 are hers: she joined on the 12th.
    let wu = clerk.payslip(&january, &company.wu);
    assert_eq!(amount(&wu, "基本工资"), "15000.00", "{wu:#}");
    // What it was made of says where each value is from.
    let input = clerk.get(&format!("/v1/payroll-inputs/{}", lin["input"]["id"].as_str().unwrap()));
    assert_eq!((&input["values"]["绩效等级"], &input["values"]["累计收入"]), (&json!("S"), &json!("0")));
    assert!(input["origins"]["绩效等级"].as_str().unwrap().starts_with("appraisal/"), "{input:#}");
    // The totals are the sums of the payslips.
    let sum = |field: &str| {
        [&lin, &wu]
            .iter()
            .map(|slip| slip[field]["amount"].as_str().unwrap().parse::<Decimal>().unwrap())
            .sum::<Decimal>()
    };
    for field in ["gross", "net", "employer_cost"] {
        assert_eq!(run["totals"][field]["amount"].as_str().unwrap().parse(), Ok(sum(field)), "{field}: {run:#}");
    }

    // Two people: who prepared it cannot approve it.
    assert_eq!(clerk.step(&january, "approve").0, 403, "no scope for it");
    assert_eq!(clerk.step(&january, "lock").0, 409);
    assert_eq!(head.step(&january, "review").0, 200);
    let (status, refused) = head.step(&january, "approve");
    assert_eq!((status, &refused["code"]), (403, &json!("second_person")), "{refused}");
    let owner = Desk::new(&place, "owner", "read,pay:approve");
    assert_eq!(owner.step(&january, "approve").0, 200);
    assert_eq!(head.step(&january, "lock").0, 200);
    let (status, refused) = clerk.step(&january, "calculate");
    assert_eq!((status, &refused["code"]), (409, &json!("conflict")), "{refused}");

    // February goes on from there.
    grade(&clerk, &company.lin, ("2026-02-01", "2026-02-28"), "C");
    let february = run_of(&clerk, &company.group, ("2026-02-01", "2026-02-28"));
    let run = clerk.calculated(&february);
    assert_eq!(run["status"]["value"], "CALCULATED", "{run:#}");
    let lin = clerk.payslip(&february, &company.lin);
    assert_eq!(amount(&lin, "绩效奖金"), "1200.00");
    // (43,450 − 7,000 − 10,000) × 3 % − 412.50 = 381.00.
    assert_eq!(amount(&lin, "个人所得税"), "-381.00", "{lin:#}");
    assert_eq!((&lin["ytd"]["gross"], &lin["ytd"]["month_count"]), (&json!("43450.00"), &json!(2)), "{lin:#}");
    // The run beside the one before.
    let found = clerk.get(&format!("/v1/payroll-runs/{february}/variance?percent=3&amount=100"));
    assert_eq!((&found["against"], &found["summary"]["changed"]), (&json!(january), &json!(2)), "{found:#}");
    let people = found["people"].as_array().unwrap();
    assert_eq!(people[0]["employee_no"], "HX0002", "{found:#}");
    assert_eq!(people[0]["flags"], json!(["OUTLIER"]), "{found:#}");
    let bonus = people[1]["lines"].as_array().unwrap().iter().find(|line| line["code"] == "绩效奖金").unwrap();
    assert_eq!(bonus["delta"], "-1050.00", "{found:#}");

    // Nobody changes by hand what the hub has calculated.
    let slip = format!("/v1/payslips/{}", lin["id"].as_str().unwrap());
    let (status, refused) = clerk.send("PATCH", &slip, &json!({ "net": cny("99999") }));
    assert_eq!((status, &refused["code"]), (409, &json!("calculated_by_hub")), "{refused}");
    let locked = format!("/v1/payroll-runs/{january}");
    for change in [json!({ "status": "DRAFT" }), json!({ "pay_on": "2026-02-01" })] {
        assert_eq!(clerk.send("PATCH", &locked, &change).0, 409);
    }
    assert_eq!(clerk.send("DELETE", &locked, &Value::Null).0, 409);
    assert_eq!(clerk.send("POST", &format!("{slip}:link"), &Value::Null).0, 409, "nobody sees a draft");
    for (who, step) in [(&head, "review"), (&owner, "approve"), (&head, "lock")] {
        assert_eq!(who.step(&february, step).0, 200, "{step}");
    }
    employee_reads(&clerk, &slip);
    let explained = clerk.get(&format!("/v1/payslips/{}/explain?field=net", lin["id"].as_str().unwrap()));
    assert!(explained.to_string().contains("china-monthly@1+"), "{explained:#}");
}

/// The employee opens the payslip by a link, once, reads how each line came to be, and asks.
fn employee_reads(clerk: &Desk<'_>, slip: &str) {
    let (status, link) = clerk.send("POST", &format!("{slip}:link"), &json!({ "hours": 1 }));
    assert_eq!(status, 201, "{link}");
    let url = link["url"].as_str().unwrap();
    let plain = reqwest::redirect::Policy::none();
    let browser = reqwest::blocking::Client::builder().redirect(plain).build().unwrap();
    let door = browser.get(url).header("accept-language", "zh-CN").send().unwrap().text().unwrap();
    assert!(door.contains("打开工资单") && !door.contains("林夏"), "{door}");
    let entered = browser.post(url).send().unwrap();
    assert_eq!((entered.status().as_u16(), &entered.headers()["location"]), (303, &"/portal/payslip".parse().unwrap()));
    let cookie = entered.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.contains("HttpOnly") && cookie.contains("Path=/portal"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let look = |lang: &str| {
        let asked = browser.get(clerk.place.url("/portal/payslip")).header("cookie", &cookie);
        asked.header("accept-language", lang).send().unwrap().text().unwrap()
    };
    let page = look("zh-CN");
    for wanted in ["林夏", "实发工资", "绩效奖金 = 1,500 × 0.8（C）= 1,200", "本年累计"] {
        assert!(page.contains(wanted), "no {wanted}: {page}");
    }
    // A second person with the same link sees nothing.
    let stranger = reqwest::blocking::Client::new();
    assert_eq!(stranger.post(url).send().unwrap().status().as_u16(), 410);
    assert_eq!(stranger.get(clerk.place.url("/portal/payslip")).send().unwrap().status().as_u16(), 410);
    let asked = [("line", "个人所得税"), ("question", "Why 381 <b>yuan</b>?")];
    let sent = browser.post(clerk.place.url("/portal/payslip")).header("cookie", &cookie).form(&asked).send().unwrap();
    assert_eq!(sent.status().as_u16(), 303);
    let answer = look("en");
    assert!(answer.contains("Why 381 &lt;b&gt;yuan&lt;/b&gt;?"), "{answer}");
    let kept = clerk.get(slip);
    assert_eq!(
        (&kept["dispute"]["status"], &kept["dispute"]["line"]),
        (&json!("OPEN"), &json!("个人所得税")),
        "{kept:#}"
    );
    assert!(kept["acknowledged_at"].is_string(), "{kept:#}");
    let reply = json!({ "dispute": { "status": "ANSWERED", "answer": "Three per cent of 12,700." } });
    assert_eq!(clerk.send("PATCH", slip, &reply).0, 200);
    let page = look("en");
    assert!(page.contains("Three per cent of 12,700."), "{page}");
}

#[test]
fn a_run_goes_on_where_it_was_when_the_hub_was_killed() {
    let place = Place::new(Backends::Embedded);
    let hub = place.serve();
    let clerk = Desk::new(&place, "clerk", "read,write");
    let company = company(&clerk);
    grade(&clerk, &company.lin, ("2026-01-01", "2026-01-31"), "S");
    // Enough people for several portions.
    let people: Vec<Value> = (0..450)
        .map(|n| {
            json!({ "key": format!("p{n}"), "data": {
                "employee_number": format!("HX1{n:03}"), "display_name": format!("Person {n}"), "status": "ACTIVE",
                "latest_hire_on": "2026-01-01",
                "custom": { "insured_city": "CN-SH", "insurance_base": "9000", "fund_base": "9000", "fund_rate": "7", "injury_class": "1" } } })
        })
        .collect();
    batch(&clerk, "employees", &people);
    let employees: Vec<Value> = listed(&clerk, "employees");
    let pay: Vec<Value> = employees
        .iter()
        .filter(|one| one["employee_number"].as_str().unwrap().starts_with("HX1"))
        .map(|one| {
            json!({ "data": { "employee": reference("employee", one["id"].as_str().unwrap()), "valid_from": "2026-01-01",
                "pay_group": reference("pay_group", &company.group),
                "lines": [{ "code": "BASE", "kind": "BASE", "amount": cny("9000"), "period": "MONTH" }] } })
        })
        .collect();
    batch(&clerk, "compensations", &pay);
    let run = run_of(&clerk, &company.group, ("2026-01-01", "2026-01-31"));
    assert_eq!(clerk.step(&run, "calculate").0, 202);
    wait_until(limit(), || {
        let found = clerk.get(&format!("/v1/payroll-runs/{run}"));
        if found["progress"]["done"].as_i64() > Some(0) { Ok(()) } else { Err(found["progress"].to_string()) }
    });
    hub.kill();
    let _hub = place.serve();
    wait_until(limit(), || {
        let found = clerk.get(&format!("/v1/payroll-runs/{run}"));
        if found["status"]["value"] == "CALCULATED" { Ok(()) } else { Err(found.to_string()) }
    });
    let found = clerk.get(&format!("/v1/payroll-runs/{run}"));
    let slips = listed(&clerk, &format!("payslips?run={run}"));
    assert_eq!((found["headcount"].as_i64(), slips.len()), (Some(452), 452), "{found:#}");
    let decimal = |text: &Value| text.as_str().unwrap().parse::<Decimal>().unwrap();
    let net: Decimal = slips.iter().map(|slip| decimal(&slip["net"]["amount"])).sum();
    assert_eq!(decimal(&found["totals"]["net"]["amount"]), net, "{found:#}");
    // Calculated again from the same records it is the same, to the byte of every input.
    let again = clerk.calculated(&run);
    assert_eq!(again["input_snapshot"]["sha256"], found["input_snapshot"]["sha256"]);
    assert_eq!(again["totals"], found["totals"]);
}

pub(crate) fn listed(desk: &Desk<'_>, collection: &str) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let joint = if collection.contains('?') { '&' } else { '?' };
        let behind = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let page = desk.get(&format!("/v1/{collection}{joint}limit=200{behind}"));
        all.extend(page["data"].as_array().unwrap().iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => return all,
        }
    }
}

pub(crate) fn batch(desk: &Desk<'_>, collection: &str, items: &[Value]) {
    let (status, begun) = desk.send("POST", &format!("/v1/{collection}:batch"), &json!({ "items": items }));
    assert_eq!(status, 202, "{begun}");
    let id = begun["batch"]["id"].as_str().unwrap();
    wait_until(limit(), || {
        let found = desk.get(&format!("/v1/batches/{id}"));
        if found["status"] == "done" { Ok(()) } else { Err(found.to_string()) }
    });
    let failed = desk.get(&format!("/v1/batches/{id}/items?status=failed"));
    assert_eq!(failed["data"], json!([]));
}

/// `hrhub pay …` of somebody with a key of their own.
fn pay(desk: &Desk<'_>, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(hrhub());
    command.arg("pay").args(arguments).env("HRHUB_KEY", &desk.key);
    command.args(["--hub", &desk.place.url(""), "--config"]).arg(desk.place.config());
    let output = command.output().unwrap();
    let (out, err) = said(&output);
    (output.status.success(), out + &err)
}

#[test]
fn months_are_run_at_the_command_line_and_other_rules_tried_over_them() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    let clerk = Desk::new(&place, "clerk", "read,write");
    let owner = Desk::new(&place, "owner", "read,pay:approve");
    let company = company(&clerk);
    let begin =
        |month: &str| pay(&clerk, &["run", "--rules", "china-monthly", "--group", &company.group, "--month", month]);
    let (fine, told) = begin("2026-01");
    assert!(!fine && told.contains("HX0001: 绩效奖金") && told.contains("china-monthly.yaml:"), "{told}");
    let run = told.split_whitespace().next().unwrap().to_owned();
    grade(&clerk, &company.lin, ("2026-01-01", "2026-01-31"), "S");
    let (fine, told) = pay(&clerk, &["run", "--run", &run]);
    assert!(
        fine && told.contains("CALCULATED  2026-01-01 to 2026-01-31") && told.contains("gross  37250.00 CNY"),
        "{told}"
    );
    for (who, step) in [(&clerk, "review"), (&owner, "approve"), (&clerk, "lock")] {
        let (fine, told) = pay(who, &["step", &run, step]);
        assert!(fine && told.contains(&run), "{step}: {told}");
    }
    let (fine, told) = pay(&clerk, &["step", &run, "lokc"]);
    assert!(!fine && told.contains("did you mean `lock`"), "{told}");
    let (fine, told) = begin("2026-1");
    assert!(!fine && told.contains("such as 2026-10"), "{told}");

    grade(&clerk, &company.lin, ("2026-02-01", "2026-02-28"), "S");
    let (fine, told) = begin("2026-02");
    assert!(fine && told.contains("look at HX0002"), "she is paid for a whole month now: {told}");

    // 1.5 to 2 for S: 750 more a month before tax, of which 3 % are tax; the employer pays what is earned.
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scoring/models/pay/china-monthly.yaml");
    let draft = place.folder().join("china-monthly.yaml");
    let text = std::fs::read_to_string(&shipped).unwrap();
    std::fs::write(&draft, text.replace("{ S: 1.5,", "{ S: 2,").replace("revision: 1", "revision: 2")).unwrap();
    let files = [shipped.to_str().unwrap(), draft.to_str().unwrap()];
    let (fine, told) = pay(&clerk, &["diff", files[0], files[1], "--since", "2026-01-01", "--format", "json"]);
    let found: Value = serde_json::from_str(&told).unwrap_or_else(|_| panic!("{told}"));
    assert!(fine && found["problems"] == json!([]), "{found:#}");
    assert_eq!(
        (&found["all"]["payslips"], &found["all"]["gross"]["difference"]),
        (&json!(4), &json!("1500.00")),
        "{found:#}"
    );
    for month in ["2026-01", "2026-02"] {
        assert_eq!(found["months"][month]["net"]["difference"], "727.50", "{found:#}");
    }
    let (lin, wu) = (&found["employees"][&company.lin], &found["employees"][&company.wu]);
    assert_eq!(
        (&lin["employer_cost"]["difference"], &wu["employer_cost"]["difference"]),
        (&json!("1500.00"), &json!("0.00"))
    );
    let (fine, told) = pay(&clerk, &["diff", files[0], files[1], "--since", "2026-02-01", "--until", "2026-03-01"]);
    assert!(fine && told.contains("1 of 2 employees differ") && told.contains("(+750.00)"), "{told}");
    let (fine, told) = pay(&clerk, &["diff", files[0], files[1], "--since", "2999-01-01"]);
    assert!(fine && told.contains("has calculated nothing by `china-monthly`"), "{told}");
}

#[test]
fn late_data_is_paid_later_by_month_of_origin_once_and_taken_back_when_it_was_wrong() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    let clerk = Desk::new(&place, "clerk", "read,write");
    let owner = Desk::new(&place, "owner", "read,pay:approve");
    let company = company(&clerk);
    let pays = |span: (&str, &str)| {
        grade(&clerk, &company.lin, span, "B");
        let run = run_of(&clerk, &company.group, span);
        let made = clerk.calculated(&run);
        assert_eq!(made["status"]["value"], "CALCULATED", "{made:#}");
        for (who, step) in [(&clerk, "review"), (&owner, "approve"), (&clerk, "lock")] {
            assert_eq!(who.step(&run, step).0, 200, "{step}");
        }
        clerk.payslip(&run, &company.lin)
    };
    let late = |slip: &Value| -> Vec<(String, String, String)> {
        let lines = slip["lines"].as_array().unwrap().iter().filter(|line| line["code"] == "补发补扣");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        lines
            .map(|line| (text(&line["period_of_origin"]), text(&line["name"]), text(&line["amount"]["amount"])))
            .collect()
    };
    let one = |month: &str, name: &str, amount: &str| {
        (month.to_owned(), format!("补发补扣 {month} {name}"), amount.to_owned())
    };
    let january = pays(("2026-01-01", "2026-01-31"));
    assert_eq!(late(&january), []);

    // In February it turns out that she earns 1,000 more since January, and missed a day in it.
    let pay = clerk.get(&format!("/v1/compensations?employee={}", company.lin));
    let line = |kind: &str, code: &str, amount: &str| json!({ "code": code, "kind": kind, "amount": cny(amount), "period": "MONTH" });
    let raised = json!({ "lines": [line("BASE", "BASE", "21000"), line("VARIABLE", "BONUS", "1500")] });
    let path = format!("/v1/compensations/{}", pay["data"][0]["id"].as_str().unwrap());
    assert_eq!(clerk.send("PATCH", &path, &raised).0, 200);
    let day = json!({ "employee": reference("employee", &company.lin), "on": "2026-01-20", "status": "CLOSED", "absent_minutes": 480 });
    let day = clerk.make("attendance-days", &day);
    let february = pays(("2026-02-01", "2026-02-28"));
    // 21,000 ÷ 21.75 = 965.52.
    let wanted = [one("2026-01", "基本工资", "1000.00"), one("2026-01", "缺勤扣款", "-965.52")];
    assert_eq!(late(&february), wanted, "{february:#}");
    // 21,000 + 1,500 + 34.48.
    assert_eq!(february["gross"]["amount"], "22534.48", "{february:#}");
    let text = february["lines"].as_array().unwrap().iter().find(|line| line["period_of_origin"] == "2026-01").unwrap();
    assert_eq!(text["formula"]["text"], "补发补扣 2026-01 基本工资 = 21000.00 − 20000.00 = 1000.00");
    assert!(text["formula"]["inputs"]["origins"].to_string().contains("compensation/"), "{text:#}");
    assert_eq!(clerk.get(&format!("/v1/payslips/{}", january["id"].as_str().unwrap()))["gross"], january["gross"]);

    // She was there after all. What is paid is paid once.
    assert_eq!(clerk.send("PATCH", &format!("/v1/attendance-days/{day}"), &json!({ "absent_minutes": 0 })).0, 200);
    let march = pays(("2026-03-01", "2026-03-31"));
    assert_eq!(late(&march), [one("2026-01", "缺勤扣款", "965.52")], "{march:#}");
    let april = pays(("2026-04-01", "2026-04-30"));
    assert_eq!(late(&april), []);

    // April is withdrawn before anybody is paid, and run anew; March, which April rested on, cannot be while April stands.
    let withdraw = |who: &Desk<'_>, slip: &Value, note: &Value| {
        let run = slip["run"]["id"].as_str().unwrap();
        who.send("POST", &format!("/v1/payroll-runs/{run}:reverse"), note)
    };
    let note = json!({ "note": "the bank holiday was forgotten" });
    assert_eq!(withdraw(&clerk, &april, &note).0, 403, "it needs who may approve");
    assert_eq!(withdraw(&owner, &april, &Value::Null).0, 409, "it needs a reason");
    let (status, refused) = withdraw(&owner, &march, &note);
    assert!(status == 409 && refused["detail"].as_str().unwrap().contains("rests on"), "{refused}");
    let (status, withdrawn) = withdraw(&owner, &april, &note);
    assert_eq!((status, &withdrawn["status"]["value"]), (200, &json!("REVERSED")), "{withdrawn}");
    let anew = run_of(&clerk, &company.group, ("2026-04-01", "2026-04-30"));
    assert_eq!(clerk.calculated(&anew)["status"]["value"], "CALCULATED");
    let again = clerk.payslip(&anew, &company.lin);
    assert_eq!((&again["net"], &again["ytd"]), (&april["net"], &april["ytd"]), "what was withdrawn counts nowhere");
}
