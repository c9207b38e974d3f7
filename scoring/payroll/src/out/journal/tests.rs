use super::*;
use hub_model::Enum;
use hub_model::scalars::{Currency, Money};

const SHIPPED: &str = include_str!("../../../../models/journal/cn-enterprise.yaml");

fn read(text: &str) -> Result<Chart, String> {
    let findings = Findings::new();
    let chart = Chart::read(&Source::new("models/journal/cn-enterprise.yaml", text), &findings);
    let found: Vec<String> = findings.into_sorted().iter().map(ToString::to_string).collect();
    chart.filter(|_| found.is_empty()).ok_or_else(|| found.join("\n"))
}

fn line(code: &str, kind: PayLineKind, side: PaySide, amount: &str) -> PayLineItem {
    PayLineItem {
        code: Some(code.to_owned()),
        kind: Some(Enum::of(kind)),
        side: Some(Enum::of(side)),
        amount: Some(Money { amount: Some(decimal(amount)), currency: Some(Currency("CNY".to_owned())) }),
        ..PayLineItem::default()
    }
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// 20,000 less 100 of absence, 1,600 of pension and 412.50 of tax; 3,200 of the employer.
fn lines() -> Vec<PayLineItem> {
    vec![
        line("基本工资", PayLineKind::EarningBase, PaySide::Employee, "20000.00"),
        line("缺勤扣款", PayLineKind::DeductionAbsence, PaySide::Employee, "-100.00"),
        line("养老保险个人", PayLineKind::SocialPension, PaySide::Employee, "-1600.00"),
        line("个人所得税", PayLineKind::TaxIncome, PaySide::Employee, "-412.50"),
        line("养老保险单位", PayLineKind::SocialPension, PaySide::Employer, "3200.00"),
    ]
}

fn posted<'a>(number: &'a str, lines: &'a [PayLineItem], net: &str, shares: &[(&str, &str)]) -> Posted<'a> {
    let cost_centers = shares.iter().map(|(code, share)| ((*code).to_owned(), decimal(share))).collect();
    Posted { employee_no: number, cost_centers, lines, net: decimal(net) }
}

fn rows(journal: &Journal) -> Vec<String> {
    let row = |one: &Entry| {
        let cost_center = one.cost_center.as_deref().unwrap_or("-");
        format!("{} {cost_center} {} {}", one.account, one.debit, one.credit)
    };
    journal.entries.iter().map(row).collect()
}

#[test]
fn costs_go_to_cost_centres_and_both_sides_are_the_same() {
    let chart = read(SHIPPED).unwrap();
    let lines = lines();
    let thirds = [("A100", "0.3333"), ("B200", "0.3333"), ("C300", "0.3334")];
    let found = journal(&chart, &[posted("HX0001", &lines, "17887.50", &thirds)]).unwrap();
    let wanted = [
        "2211.01 - 2112.50 0",
        "2211.01 - 0 20000.00",
        "2211.02 - 0 3200.00",
        "2221.01 - 0 412.50",
        "2241.01 - 0 1600.00",
        "6602.01 A100 6666.00 0",
        "6602.01 A100 0 33.33",
        "6602.01 B200 6666.00 0",
        "6602.01 B200 0 33.33",
        "6602.01 C300 6668.00 0",
        "6602.01 C300 0 33.34",
        "6602.02 A100 1066.56 0",
        "6602.02 B200 1066.56 0",
        "6602.02 C300 1066.88 0",
    ];
    assert_eq!(rows(&found), wanted);
    let side = |of: fn(&Entry) -> Decimal| found.entries.iter().map(of).sum::<Decimal>();
    assert_eq!((side(|one| one.debit), side(|one| one.credit)), (found.total, found.total));
    let text = String::from_utf8(as_csv(&found).unwrap()).unwrap();
    assert!(text.starts_with("\u{feff}account,name,cost_center,debit,credit\r\n"), "{text}");
    assert!(text.contains("\r\n6602.01,管理费用—工资,A100,6666.00,\r\n"), "{text}");
}

#[test]
fn tax_that_is_given_back_goes_the_other_way() {
    let chart = read(SHIPPED).unwrap();
    let lines = [line("个人所得税", PayLineKind::TaxIncome, PaySide::Employee, "50.00")];
    let found = journal(&chart, &[posted("HX0001", &lines, "50", &[])]).unwrap();
    assert_eq!(rows(&found), ["2211.01 - 0 50.00", "2221.01 - 50.00 0"]);
    assert_eq!(journal(&chart, &[]).unwrap(), Journal { entries: Vec::new(), total: Decimal::ZERO });
}

#[test]
fn every_line_that_cannot_be_posted_is_named() {
    let mut chart = read(SHIPPED).unwrap();
    chart.rules.retain(|rule| rule.side == PaySide::Employee && !rule.kinds.contains(&PayLineKind::SocialPension));
    chart.rules.retain(|rule| !rule.kinds.is_empty());
    let all = lines();
    let odd = [line("个人所得税", PayLineKind::TaxIncome, PaySide::Employee, "-0.005")];
    let bare = [line("差旅补贴", PayLineKind::Reimbursement, PaySide::Employee, "100")];
    let half = [("A100", "0.5"), ("=B", "0.4")];
    let slips = [
        posted("HX0001", &all, "17887.50", &[("A100", "1")]),
        posted("HX0002", &odd, "0", &[]),
        posted("HX0003", &bare, "100", &[]),
        posted("HX0004", &bare, "100", &half),
    ];
    let problems = journal(&chart, &slips).unwrap_err();
    let found: Vec<_> =
        problems.iter().map(|one| (one.employee_no.as_deref().unwrap_or_default(), one.field)).collect();
    let wanted = [
        ("HX0001", "line"),
        ("HX0001", "line"),
        ("HX0001", "line"),
        ("HX0002", "line"),
        ("HX0002", "net"),
        ("HX0003", "cost_center"),
        ("HX0004", "cost_center"),
    ];
    assert_eq!(found, wanted, "{problems:#?}");
    assert!(problems[0].message.contains("`基本工资` (EARNING_BASE, EMPLOYEE)"), "{problems:#?}");
    let mut open = read(SHIPPED).unwrap();
    open.without_cost_center = Some("9999".to_owned());
    let found = journal(&open, &[posted("HX0003", &bare, "100", &[])]).unwrap();
    assert_eq!(rows(&found), ["2211.01 - 0 100", "6602.04 9999 100 0"]);
}

#[test]
fn sums_that_no_number_holds_are_refused() {
    let chart = read(SHIPPED).unwrap();
    let huge = [line("个人所得税", PayLineKind::TaxIncome, PaySide::Employee, "-79228162514264337593543950335")];
    let slip = posted("HX0001", &huge, "-79228162514264337593543950335", &[]);
    let fund = [line("住房公积金个人", PayLineKind::HousingFund, PaySide::Employee, "-1")];
    let other = posted("HX0002", &fund, "-1", &[]);
    let problems = journal(&chart, &[slip, other]).unwrap_err();
    assert!(!problems.is_empty(), "a sum that stopped at the largest number is no sum");
}

#[test]
fn a_chart_that_makes_no_sense_is_refused() {
    for (change, by, wanted) in [
        ("debit: \"6602.04\"", "debit: \"6602.05\"", "unknown account `6602.05`"),
        ("[HOUSING_FUND]", "[HOUSE_FUND]", "unknown kind of line"),
        ("side: EMPLOYER,", "side: EMPLOYERS,", "EMPLOYER"),
        ("journal: cn-enterprise", "journal: other", "they are the same"),
    ] {
        assert!(SHIPPED.contains(change), "{change}");
        let found = read(&SHIPPED.replacen(change, by, 1)).unwrap_err();
        assert!(found.contains(wanted), "{by}: {found}");
    }
}
