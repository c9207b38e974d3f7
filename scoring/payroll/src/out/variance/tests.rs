use super::*;
use serde_json::json;

fn rules() -> Rules {
    Rules { percent_above: Decimal::from(30), amount_above: Decimal::from(500), bonus_percent_above: Decimal::from(50) }
}

/// A payslip as the store gives it; each line is a code, a kind and an amount.
fn payslip(net: &str, gross: &str, lines: &[(&str, &str, &str)]) -> Payslip {
    let money = |amount: &str| json!({"amount": amount, "currency": "CNY"});
    let lines: Vec<_> = lines
        .iter()
        .map(|(code, kind, amount)| {
            json!({"code": code, "kind": {"value": kind}, "side": {"value": "EMPLOYEE"}, "amount": money(amount)})
        })
        .collect();
    serde_json::from_value(json!({"currency": "CNY", "net": money(net), "gross": money(gross), "lines": lines}))
        .unwrap()
}

fn run(before: &[(&str, Payslip)], now: &[(&str, Payslip)]) -> Vec<Person> {
    fn slips<'a>(of: &'a [(&'a str, Payslip)]) -> Vec<Slip<'a>> {
        of.iter().map(|(employee_no, payslip)| Slip { employee_no, payslip }).collect()
    }
    variance(&slips(before), &slips(now), &rules())
}

fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

#[test]
fn lines_are_new_gone_or_changed_and_the_largest_is_first() {
    let before = payslip("9000", "10000", &[("base", "EARNING_BASE", "10000"), ("meal", "EARNING_ALLOWANCE", "300")]);
    let now = payslip("9100", "10150", &[("base", "EARNING_BASE", "10150"), ("ot", "EARNING_OVERTIME", "250")]);
    let found = run(&[("E1", before)], &[("E1", now)]);
    let lines: Vec<_> =
        found[0].lines.iter().map(|one| (one.code.as_str(), one.change, one.delta, one.percent)).collect();
    let wanted = [
        ("meal", Change::Gone, d("-300"), Some(d("-100"))),
        ("ot", Change::New, d("250"), None),
        ("base", Change::Changed, d("150"), Some(d("1.5"))),
    ];
    assert_eq!(lines, wanted);
    assert_eq!((found[0].net.percent, found[0].flags.as_slice()), (Some(d("1.11")), &[][..]));
}

/// Both bounds must be passed; exactly at one of them is not above it.
#[test]
fn an_outlier_is_above_the_share_and_above_the_amount() {
    let flags = |before: &str, now: &str| {
        run(&[("E1", payslip(before, "1", &[]))], &[("E1", payslip(now, "1", &[]))])[0].flags.clone()
    };
    assert_eq!(flags("10000", "13000"), []);
    assert_eq!(flags("10000", "13000.01"), [Flag::Outlier]);
    assert_eq!(flags("1000", "1500"), []);
    assert_eq!(flags("1000", "1500.01"), [Flag::Outlier]);
    assert_eq!(flags("10000", "6900"), [Flag::Outlier]);
    assert_eq!(flags("0", "501"), [Flag::Outlier]);
    assert_eq!(flags("100", "0"), [Flag::NetZero]);
    assert_eq!(flags("100", "-1"), [Flag::NetNegative]);
}

#[test]
fn people_who_came_or_left_and_large_bonuses_are_flagged() {
    let huge = Decimal::MAX.to_string();
    let bonus = payslip("900", "1000", &[("bonus", "EARNING_BONUS", "501")]);
    let found = run(
        &[("E1", payslip("100", "1", &[])), ("E2", payslip("-5", "1", &[]))],
        &[("E2", payslip("-5", "1", &[])), ("E3", bonus), ("E4", payslip(&huge, "1", &[]))],
    );
    let short: Vec<_> = found.iter().map(|one| (one.employee_no.as_str(), one.flags.as_slice())).collect();
    let wanted: [(&str, &[Flag]); 4] = [
        ("E4", &[Flag::NewPerson]),
        ("E3", &[Flag::NewPerson, Flag::BonusShare]),
        ("E1", &[Flag::LeftPerson]),
        ("E2", &[Flag::NetNegative]),
    ];
    assert_eq!(short, wanted);
}
