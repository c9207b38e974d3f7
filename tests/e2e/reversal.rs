//! A payslip that was paid by mistake is taken back, and the month is paid anew.

use crate::payroll::{Desk, amount, cny, company, grade, reference, run_by, run_of};
use hub_support::{Backends, Place, wait_until};
use serde_json::{Value, json};
use std::time::Duration;

const JANUARY: (&str, &str) = ("2026-01-01", "2026-01-31");
const LATER: (&str, &str, &str) = ("2026-01-01", "2026-01-31", "2026-02-05");
const LIMIT: Duration = Duration::from_secs(60);

fn through(clerk: &Desk<'_>, owner: &Desk<'_>, run: &str, steps: &[&str]) {
    for step in steps {
        let who = if *step == "approve" { owner } else { clerk };
        let (status, told) = who.step(run, step);
        assert_eq!(status, 200, "{step}: {told}");
    }
}

/// What stands in the first problem of a draft.
fn problem(run: &Value) -> &str {
    assert_eq!(run["status"]["value"], "DRAFT", "{run:#}");
    run["problems"][0]["detail"].as_str().unwrap_or_default()
}

fn reversal(clerk: &Desk<'_>, group: &str, corrects: &str, pay_on: &str) -> String {
    clerk.make(
        "payroll-runs",
        &json!({
            "pay_group": reference("pay_group", group), "kind": "REVERSAL", "status": "DRAFT",
            "rule_set": { "id": "china-monthly" }, "corrects": reference("payroll_run", corrects),
            "period_start": JANUARY.0, "period_end": JANUARY.1, "pay_on": pay_on,
        }),
    )
}

#[test]
fn a_paid_payslip_is_taken_back_in_full_and_the_month_is_paid_anew() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    let clerk = Desk::new(&place, "clerk", "read,write");
    let owner = Desk::new(&place, "owner", "read,read:restricted,pay:approve");
    let company = company(&clerk);
    let reward = json!([{ "trigger": "HIRED", "status": "APPROVED", "amount": cny("500") }]);
    let referral = json!({ "referrer": reference("employee", &company.lin), "status": "HIRED", "rewards": reward });
    let referral = clerk.make("referrals", &referral);
    let rewards = |wanted: &str| {
        wait_until(LIMIT, || {
            let found = clerk.get(&format!("/v1/referrals/{referral}"))["rewards"][0].clone();
            if found["status"]["value"] == wanted { Ok(()) } else { Err(found.to_string()) }
        });
    };
    grade(&clerk, &company.lin, JANUARY, "S");
    let january = run_of(&clerk, &company.group, JANUARY);
    assert_eq!(clerk.calculated(&january)["status"]["value"], "CALCULATED");
    through(&clerk, &owner, &january, &["review", "approve", "lock"]);
    let paid = clerk.payslip(&january, &company.lin);
    let net = paid["net"]["amount"].as_str().unwrap().to_owned();

    // Before anybody is paid, the run as a whole is withdrawn instead.
    let early = reversal(&clerk, &company.group, &january, LATER.2);
    assert!(problem(&clerk.calculated(&early)).contains("nobody of it is paid yet"));
    through(&clerk, &owner, &january, &["pay"]);
    for employee in [&company.lin, &company.wu] {
        let slip = clerk.payslip(&january, employee)["id"].as_str().unwrap().to_owned();
        let paid = json!({ "payment": { "status": "PAID", "account_last4": "0001" } });
        assert_eq!(clerk.send("PATCH", &format!("/v1/payslips/{slip}"), &paid).0, 200);
    }
    through(&clerk, &owner, &january, &["settle"]);
    rewards("PAID");

    // Only 林夏's was wrong.
    let name = json!({ "run": reference("payroll_run", &early), "employee": reference("employee", &company.lin) });
    clerk.make("payroll-inputs", &name);
    let made = clerk.calculated(&early);
    assert_eq!((&made["status"]["value"], &made["headcount"]), (&json!("CALCULATED"), &json!(1)), "{made:#}");
    let back = clerk.payslip(&early, &company.lin);
    assert_eq!(back["reverses"]["id"], paid["id"], "{back:#}");
    for line in paid["lines"].as_array().unwrap() {
        let code = line["code"].as_str().unwrap();
        let (was, is) = (line["amount"]["amount"].as_str().unwrap(), amount(&back, code));
        assert_eq!(is.trim_start_matches('-'), was.trim_start_matches('-'), "{code}");
        assert!(is == "0.00" || is.starts_with('-') != was.starts_with('-'), "{code}: {was} {is}");
    }
    let text = back["lines"][0]["formula"]["text"].as_str().unwrap();
    assert_eq!(text, "撤回 2026-01 基本工资 = 0 − 20000.00 = -20000.00");
    // What was paid out is owed: nothing moves now, and the next pay takes it off.
    assert_eq!(amount(&back, "to_be_given_back"), net);
    assert_eq!(back["net"]["amount"].as_str().unwrap().parse::<f64>().unwrap(), 0.0, "{back:#}");
    assert_eq!(back["carried_forward"]["amount"], json!(net), "{back:#}");
    for name in ["income", "special", "additional", "tax", "gross", "employer_cost"] {
        assert_eq!(back["ytd"][name].as_str().unwrap().trim_matches(['0', '.']), "", "{name}: {}", back["ytd"]);
    }
    assert_eq!(back["ytd"]["net"], json!(net), "the money is still there: {}", back["ytd"]);

    // Once, and by two people like every run.
    let twice = reversal(&clerk, &company.group, &january, LATER.2);
    assert!(problem(&clerk.calculated(&twice)).contains("pays no later"), "one after the other");
    through(&clerk, &owner, &early, &["review", "approve", "lock"]);
    assert!(problem(&clerk.calculated(&twice)).contains("is taken back by payroll_run/"));
    let again = reversal(&clerk, &company.group, &early, LATER.2);
    assert!(problem(&clerk.calculated(&again)).contains("a reversal itself"));
    let next_year = reversal(&clerk, &company.group, &january, "2027-01-05");
    assert!(problem(&clerk.calculated(&next_year)).contains("another year"));
    // Every line has its account; nobody here has a cost centre.
    let (_, journal) =
        clerk.send("GET", &format!("/v1/payroll-runs/{early}/journal?chart=cn-enterprise"), &Value::Null);
    let wrong = journal["errors"].as_array().unwrap();
    assert!(wrong.iter().all(|one| one["pointer"] == "/HX0001/cost_center"), "{journal:#}");
    let tax_file = place.http().get(place.url(&format!("/v1/payroll-runs/{early}/tax-file")));
    let refused = tax_file.bearer_auth(&owner.key).header("Purpose", "tax of January").send().unwrap();
    assert_eq!(refused.status(), 409);
    assert!(refused.text().unwrap().contains("更正申报"));
    through(&clerk, &owner, &early, &["pay", "settle", "close"]);
    rewards("REVERSED");

    // January anew, at the grade that was right: tax begins from nothing, what is owed is taken off.
    let right = run_by(&clerk, &company.group, ("CORRECTION", "china-monthly"), LATER);
    let given = json!({ "绩效等级": "B" });
    let input = json!({ "run": reference("payroll_run", &right), "employee": reference("employee", &company.lin), "given": given });
    clerk.make("payroll-inputs", &input);
    let made = clerk.calculated(&right);
    assert_eq!(made["status"]["value"], "CALCULATED", "{made:#}");
    let anew = clerk.payslip(&right, &company.lin);
    assert_eq!(amount(&anew, "绩效奖金"), "1500.00", "{anew:#}");
    assert_eq!(amount(&anew, "上期欠款").trim_start_matches('-').split('.').next().unwrap().len(), 5, "{anew:#}");
    // Paid in February: (20,000 + 1,500 − 3,500 − 2 × 5,000) × 3 %.
    assert_eq!(anew["ytd"]["tax"], "240.00", "{anew:#}");
    through(&clerk, &owner, &right, &["review", "approve", "lock"]);

    // February finds nothing late in the January that was taken back.
    grade(&clerk, &company.lin, ("2026-02-01", "2026-02-28"), "B");
    grade(&clerk, &company.wu, ("2026-02-01", "2026-02-28"), "B");
    let february = run_of(&clerk, &company.group, ("2026-02-01", "2026-02-28"));
    let made = clerk.calculated(&february);
    assert_eq!(made["status"]["value"], "CALCULATED", "{made:#}");
    let lin = clerk.payslip(&february, &company.lin);
    assert!(lin["lines"].as_array().unwrap().iter().all(|line| line["code"] != "补发补扣"), "{lin:#}");
    assert_eq!(lin["ytd"]["income"], "43000.00", "{lin:#}");
}
