//! What is paid beside the month: a bonus, a compensation for somebody who has left. Sums of the year go through it.

use crate::payroll::{Desk, amount, company, grade, reference, run_by, run_of};
use hub_support::{Backends, Place};
use serde_json::{Value, json};

const FEBRUARY: (&str, &str, &str) = ("2026-02-01", "2026-02-28", "2026-02-10");

fn locked(clerk: &Desk<'_>, owner: &Desk<'_>, run: &str) {
    for (who, step) in [(clerk, "review"), (owner, "approve"), (clerk, "lock")] {
        let (status, told) = who.step(run, step);
        assert_eq!(status, 200, "{step}: {told}");
    }
}

fn give(clerk: &Desk<'_>, run: &str, employee: &str, given: &Value) -> String {
    let input =
        json!({ "run": reference("payroll_run", run), "employee": reference("employee", employee), "given": given });
    clerk.make("payroll-inputs", &input)
}

#[test]
fn a_run_beside_the_month_pays_whom_something_is_given_and_the_year_goes_through_it() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    let clerk = Desk::new(&place, "clerk", "read,write");
    let owner = Desk::new(&place, "owner", "read,pay:approve");
    let company = company(&clerk);
    grade(&clerk, &company.lin, ("2026-01-01", "2026-01-31"), "S");
    let january = run_of(&clerk, &company.group, ("2026-01-01", "2026-01-31"));
    assert_eq!(clerk.calculated(&january)["status"]["value"], "CALCULATED");
    locked(&clerk, &owner, &january);
    let tax = |slip: &Value| slip["ytd"]["tax"].as_str().unwrap().to_owned();
    assert_eq!(tax(&clerk.payslip(&january, &company.lin)), "412.50");

    // February is calculated before anybody thinks of the bonus.
    grade(&clerk, &company.lin, ("2026-02-01", "2026-02-28"), "C");
    let february = run_of(&clerk, &company.group, ("2026-02-01", "2026-02-28"));
    assert_eq!(clerk.calculated(&february)["status"]["value"], "CALCULATED");
    // Petra Osei leaves, and is paid a compensation, of which three average wages of a year are free.
    let left = json!({ "terminated_on": "2026-01-31", "status": "TERMINATED" });
    assert_eq!(clerk.send("PATCH", &format!("/v1/employees/{}", company.wu), &left).0, 200);
    let beside = run_by(&clerk, &company.group, ("OFF_CYCLE", "china-off-cycle"), FEBRUARY);
    let draft = clerk.calculated(&beside);
    assert_eq!(draft["status"]["value"], "DRAFT", "{draft:#}");
    assert!(draft["problems"][0]["detail"].as_str().unwrap().contains("nobody was given anything"), "{draft:#}");
    give(&clerk, &beside, &company.lin, &json!({ "奖金额": "10000" }));
    let compensation = give(&clerk, &beside, &company.wu, &json!({ "离职补偿金额": "600000" }));
    let stranger = clerk.make("employees", &json!({ "employee_number": "HX0009", "status": "ACTIVE" }));
    let strange = give(&clerk, &beside, &stranger, &json!({ "奖金额": "1", "累计收入": "0" }));
    let draft = clerk.calculated(&beside);
    let told = draft["problems"].to_string();
    assert!(told.contains("当地职工年平均工资") && told.contains("has never paid them"), "{draft:#}");
    let given = json!({ "given": { "离职补偿金额": "600000", "当地职工年平均工资": "150924" } });
    assert_eq!(clerk.send("PATCH", &format!("/v1/payroll-inputs/{compensation}"), &given).0, 200);
    assert_eq!(clerk.send("PATCH", &format!("/v1/payroll-inputs/{strange}"), &json!({ "given": null })).0, 200);
    let made = clerk.calculated(&beside);
    assert_eq!((&made["status"]["value"], &made["headcount"]), (&json!("CALCULATED"), &json!(2)), "{made:#}");
    let lin = clerk.payslip(&beside, &company.lin);
    assert_eq!(amount(&lin, "奖金"), "10000.00", "{lin:#}");
    // (22,250 + 10,000 − 3,500 − 2 × 5,000) × 3 % − 412.50.
    assert_eq!((amount(&lin, "个人所得税"), tax(&lin).as_str()), ("-150.00", "562.50"), "{lin:#}");
    let wu = clerk.payslip(&beside, &company.wu);
    // 600,000 − 3 × 150,924 = 147,228, of which 20 % − 16,920.
    assert_eq!(amount(&wu, "离职补偿个人所得税"), "-12525.60", "{wu:#}");
    assert_eq!(wu["net"]["amount"], "587474.40", "{wu:#}");
    let found = clerk.get(&format!("/v1/payroll-runs/{beside}/variance"));
    assert!(found["against"].is_null(), "a bonus is no month: {found:#}");
    locked(&clerk, &owner, &beside);

    // What February was calculated from is not what was paid meanwhile.
    assert_eq!(clerk.step(&february, "review").0, 200);
    assert_eq!(owner.step(&february, "approve").0, 200);
    let (status, refused) = clerk.step(&february, "lock");
    assert!(status == 409 && refused["detail"].as_str().unwrap().contains(&beside), "{refused}");
    let reason = json!({ "note": "a bonus was paid meanwhile" });
    assert_eq!(clerk.send("POST", &format!("/v1/payroll-runs/{february}:reopen"), &reason).0, 200);
    let made = clerk.calculated(&february);
    assert_eq!((&made["status"]["value"], &made["headcount"]), (&json!("CALCULATED"), &json!(1)), "{made:#}");
    locked(&clerk, &owner, &february);
    let lin = clerk.payslip(&february, &company.lin);
    // 22,250 + 10,000 + 21,200 − 7,000 − 10,000 = 36,450: × 10 % − 2,520.
    assert_eq!((&lin["ytd"]["income"], tax(&lin).as_str()), (&json!("53450.00"), "1125.00"), "{lin:#}");
}
