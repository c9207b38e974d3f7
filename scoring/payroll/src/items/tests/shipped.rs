//! The rules that ship, by worked examples: authorities' own, and by hand.

use super::{lines, month, rules, shipped, slip_in};
use crate::items::{PayRules, Period, Slip, YearPart};
use hub_tree::Decimal;
use hub_tree::jiff::civil::date;

/// An employee in Shanghai, with some inputs replaced or added.
pub(super) fn employee(own: &[(&str, &str)]) -> String {
    let usual = [
        ("月薪", "20000"),
        ("城市", "\"CN-SH\""),
        ("社保基数", "20000"),
        ("公积金基数", "20000"),
        ("公积金比例", "7"),
        ("工伤类别", "1"),
        ("本月专项附加扣除", "0"),
        ("起算月", "1"),
        ("累计收入", "0"),
        ("累计专项扣除", "0"),
        ("累计专项附加扣除", "0"),
        ("累计已预缴税额", "0"),
    ];
    let kept = usual.iter().filter(|(name, _)| own.iter().all(|(other, _)| other != name));
    let all: Vec<String> = kept.chain(own).map(|(name, value)| format!("\"{name}\": {value}")).collect();
    format!("{{{}}}", all.join(", "))
}

fn paid(rules: &PayRules, own: &[(&str, &str)], period: Period) -> Slip {
    slip_in(rules, &employee(own), period).unwrap_or_else(|told| panic!("{told:#?}"))
}

fn amount(slip: &Slip, code: &str) -> String {
    slip.line(code).map_or_else(|| "none".to_owned(), |line| line.amount.to_string())
}

#[test]
fn a_first_month_in_shanghai() {
    let slip = paid(&shipped("china-monthly"), &[("起算月", "7")], month(2025, 7));
    let wanted = [
        "基本工资 20000.00",
        "养老保险个人 -1600.00",
        "医疗保险个人 -400.00",
        "失业保险个人 -100.00",
        "住房公积金个人 -1400.00",
        "养老保险单位 3200.00",
        "医疗保险单位 1800.00",
        "失业保险单位 100.00",
        "工伤保险单位 40.00",
        "住房公积金单位 1400.00",
        "个人所得税 -345.00",
    ];
    assert_eq!(lines(&slip), wanted);
    let sums = [slip.gross, slip.net, slip.taxable, slip.employer_cost].map(|sum| sum.to_string());
    assert_eq!(sums, ["20000.00", "16155.00", "16500.00", "26540.00"]);
    let pension = slip.line("养老保险个人").unwrap();
    assert_eq!(
        pension.how.as_deref(),
        Some("养老保险个人 = 20,000 × 8% = 1,600（CN-SH：上海市2025年度基数上下限；失业保险减半费率为阶段性政策）")
    );
    assert_eq!([pension.base, pension.rate].map(|part| part.unwrap().to_string()), ["20000", "8"]);
    let how = slip.line("个人所得税").unwrap().how.as_deref().unwrap();
    assert!(how.starts_with("个人所得税 = 11,500 × 3% − 0 − 0 = 345（累计应纳税所得额 = 16,500 − 5,000；"), "{how}");
    assert!(slip.warnings.is_empty(), "{:?}", slip.warnings);
}

#[test]
fn bases_with_cents_and_the_rounding_of_each_side() {
    let base = "12345.67";
    let slip =
        paid(&shipped("china-monthly"), &[("社保基数", base), ("公积金基数", base), ("起算月", "7")], month(2025, 7));
    for (code, wanted) in [
        ("养老保险个人", "-987.65"),
        ("养老保险单位", "1975.31"),
        ("医疗保险个人", "-246.91"),
        ("医疗保险单位", "1111.11"),
        ("失业保险个人", "-61.73"),
        ("失业保险单位", "61.73"),
        ("工伤保险单位", "24.69"),
        ("住房公积金个人", "-864.00"),
        ("住房公积金单位", "864.00"),
    ] {
        assert_eq!(amount(&slip, code), wanted, "{code}");
    }
}

#[test]
fn beijing_adds_three_yuan() {
    let own = [("城市", "\"CN-BJ\""), ("社保基数", "15000"), ("公积金基数", "15000"), ("公积金比例", "12")];
    let slip = paid(&shipped("china-monthly"), &own, month(2026, 7));
    let own = ["养老保险个人", "医疗保险个人", "失业保险个人", "住房公积金个人"].map(|code| amount(&slip, code));
    assert_eq!(own, ["-1200.00", "-303.00", "-75.00", "-1800.00"]);
    assert_eq!(
        amount(&paid(&shipped("china-monthly"), &[("公积金基数", "0")], month(2026, 7)), "住房公积金个人"),
        "none"
    );
}

#[test]
fn who_starts_in_july_may_have_the_deduction_from_january() {
    let of = |first: &str| amount(&paid(&shipped("china-monthly"), &[("起算月", first)], month(2025, 7)), "个人所得税");
    assert_eq!([of("7"), of("1")], ["-345.00", "0.00"]);
}

#[test]
fn a_bonus_of_a_year_by_itself_and_with_the_wages() {
    let rules = shipped("china-monthly");
    let apart = paid(&rules, &[("年终奖金额", "40000"), ("年终奖单独计税", "true")], month(2026, 1));
    assert_eq!([amount(&apart, "年终奖个人所得税"), amount(&apart, "个人所得税")], ["-3790.00", "-345.00"]);
    assert_eq!([apart.gross, apart.taxable].map(|sum| sum.to_string()), ["60000.00", "16500.00"]);
    assert!(apart.line("年终奖").unwrap().separate);
    let trapped = paid(&rules, &[("年终奖金额", "37000"), ("年终奖单独计税", "true")], month(2026, 1));
    assert_eq!(
        trapped.warnings[0].message,
        "the bonus 37,000 leaves 33,510 after tax, less than 36,000 would leave: 34,920"
    );
    let together = paid(&rules, &[("年终奖金额", "40000")], month(2026, 1));
    // 60,000 − 3,500 − 5,000 = 51,500: 10% less 2,520.
    assert_eq!([amount(&together, "年终奖个人所得税"), amount(&together, "个人所得税")], ["none", "-2630.00"]);
}

#[test]
fn all_of_a_payslip() {
    let own = [
        ("月薪", "21750"),
        ("奖金基数", "1500"),
        ("绩效等级", "\"A\""),
        ("津贴标准", "500"),
        ("缺勤天数", "2"),
        ("出差天数", "2.5"),
        ("出差地区", "\"一线城市\""),
        ("内推奖励金额", "3000"),
    ];
    let slip = paid(&shipped("china-monthly"), &own, month(2026, 1));
    let wanted = [
        "基本工资 21750.00",
        "缺勤扣款 -2000.00",
        "绩效奖金 1800.00",
        "津贴 500.00",
        "差旅补贴 375.00",
        "内推奖励 3000.00",
    ];
    assert_eq!(lines(&slip)[..6], wanted);
    assert_eq!(slip.line("缺勤扣款").unwrap().how.as_deref(), Some("缺勤扣款 = min(1,000 × 2, 21,750) = 2,000"));
    // Wages of 25,050 less 3,500 and 5,000; the subsidy is free.
    assert_eq!([amount(&slip, "个人所得税"), slip.gross.to_string()], ["-496.50", "27050.00"]);
    assert_eq!(slip.net.to_string(), "21428.50");
}

#[test]
fn overtime_pays_by_its_kind() {
    let hours = [("月薪", "21750"), ("平日加班小时", "2"), ("休息日加班小时", "3"), ("法定节假日加班小时", "3")];
    let slip = paid(&shipped("china-monthly"), &hours, month(2026, 1));
    let found = ["平日加班费", "休息日加班费", "法定节假日加班费"].map(|code| amount(&slip, code));
    assert_eq!(found, ["375.00", "750.00", "1125.00"]);
    assert_eq!(slip.line("休息日加班费").unwrap().how.as_deref(), Some("休息日加班费 = 125 × 3 × 2 = 750"));
}

/// Pays months one after the other; what a run adds to the year is what the next is given.
fn year(pay: &[&str], contributions: &str, additional: &str) -> Vec<String> {
    let rules = rules(
        "inputs:\n  pay: { type: money, required: true }\n  income: { type: money, required: true }\n  special: { type: money, required: true }\n  \
         taken: { type: money, required: true }\n  withheld: { type: money, required: true }\n  own: { type: money, required: true }\n  \
         additional: { type: money, required: true }\n\
         items:\n  - { item: wage, kind: EARNING_BASE, formula: pay }\n  - { item: social, kind: SOCIAL_PENSION, formula: own }\n  \
         - use: china.wage_tax\n    lines: { 个人所得税: iit }\n    \
         with: { income: income, special: special, tax: withheld, first_month: 1, additional: additional, additional_before: taken }\n",
    );
    let mut so_far = YearPart::default();
    let mut taxes = Vec::new();
    for (number, pay) in (1..).zip(pay) {
        let given = format!(
            r#"{{"pay": {pay}, "own": {contributions}, "additional": {additional}, "income": {}, "special": {}, "taken": {}, "withheld": {}}}"#,
            so_far.income, so_far.special, so_far.additional, so_far.tax
        );
        let slip = slip_in(&rules, &given, month(2026, number)).unwrap();
        let part = slip.year.clone().unwrap();
        so_far.income += part.income;
        so_far.special += part.special;
        so_far.additional += part.additional;
        so_far.tax += part.tax;
        taxes.push((Decimal::ZERO - slip.line("iit").unwrap().amount).to_string());
    }
    taxes
}

#[test]
fn the_tax_administrations_example_and_a_month_that_falls_back() {
    assert_eq!(year(&["30000", "30000", "30000"], "4500", "2000"), ["555.00", "625.00", "1850.00"]);
    assert_eq!(year(&["25000", "0", "20000"], "0", "0"), ["600.00", "0.00", "300.00"]);
}

#[test]
fn days_without_a_rule_are_refused_and_days_past_the_last_known_one_warned_of() {
    let rules = shipped("china-monthly");
    let told = slip_in(&rules, &employee(&[]), month(2027, 7)).unwrap_err();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].message.contains("pack `china-cities` has no rule for `CN-SH` on the date 2027-07-01"), "{told:?}");
    assert!(told[0].place.as_deref().unwrap().contains("china-monthly.yaml:"), "{told:?}");
    let open = super::rules(
        "items:\n  - use: china.wage_tax\n    with: { income: 0, special: 0, tax: 0, first_month: 1, additional: 0 }\n",
    );
    assert_eq!(slip_in(&open, "{}", month(2027, 12)).unwrap().warnings, []);
    let warned = slip_in(&open, "{}", month(2028, 1)).unwrap();
    assert!(
        warned.warnings[0].message.contains("pack `china` states nothing after 2027-12-31"),
        "{:?}",
        warned.warnings
    );
    assert!(slip_in(&open, "{}", month(2018, 12)).is_err());
}

#[test]
fn what_a_city_does_not_allow_is_told_at_its_parameter() {
    let rules = shipped("china-monthly");
    for (name, value, wanted) in [
        ("公积金比例", "8", "the rate 8 % of the housing fund is outside the range 5 to 7 %"),
        ("工伤类别", "9", "there is no injury class 9"),
        ("城市", "\"CN-XX\"", "no rule for `CN-XX`"),
        ("社保基数", "-1", "`base` of `china.contributions`: it is below nothing: -1"),
        ("起算月", "13", "it is no month, 1 to 12"),
        ("起算月", "2", "it is 2, after the month of payment, 1"),
    ] {
        let told = slip_in(&rules, &employee(&[(name, value)]), month(2026, 1)).unwrap_err();
        assert!(told.iter().any(|told| told.message.contains(wanted)), "{wanted}\n{told:?}");
    }
}

#[test]
fn hong_kong() {
    let rules = shipped("hong-kong-monthly");
    let of = |salary: &str, born: &str, joined: &str| {
        let given = format!(r#"{{"salary": {salary}, "born": "{born}", "joined": "{joined}"}}"#);
        let slip = slip_in(&rules, &given, month(2026, 4)).unwrap();
        ["mpf_employee", "mpf_employer"].map(|code| amount(&slip, code))
    };
    assert_eq!(of("20000", "1990-05-01", "2020-01-01"), ["-1000.00", "1000.00"]);
    assert_eq!(of("7000", "1990-05-01", "2020-01-01"), ["none", "350.00"]);
    assert_eq!(of("50000", "1990-05-01", "2020-01-01"), ["-1500.00", "1500.00"]);
    // Joined on 15 March: day 30 is 13 April, the employee pays from May on.
    assert_eq!(of("20000", "1990-05-01", "2026-03-15"), ["none", "1000.00"]);
    // 65 on the last day of the month; a day later 64.
    assert_eq!(of("20000", "1961-04-30", "2020-01-01"), ["none", "none"]);
    assert_eq!(of("20000", "1961-05-01", "2020-01-01"), ["-1000.00", "1000.00"]);
}

#[test]
fn singapore() {
    let rules = shipped("singapore-monthly");
    let of = |salary: &str, status: &str| {
        let given =
            format!(r#"{{"salary": {salary}, "born": "1996-01-15", "status": "{status}", "additional_ceiling": 0}}"#);
        let slip = slip_in(&rules, &given, month(2026, 3)).unwrap();
        ["cpf_employee", "cpf_employer", "sdl"].map(|code| amount(&slip, code))
    };
    assert_eq!(of("5000", "citizen"), ["-1000.00", "850.00", "11.25"]);
    assert_eq!(of("600", "citizen"), ["-60.00", "102.00", "2.00"]);
    assert_eq!(of("1234.50", "citizen")[..2], ["-246.00", "211.00"]);
    assert_eq!(of("4550", "citizen")[..2], ["-910.00", "774.00"]);
    assert_eq!(of("5000", "foreigner"), ["none", "none", "11.25"]);
    let given = r#"{"salary": 5000, "born": "1996-01-15", "status": "alien", "additional_ceiling": 0}"#;
    assert!(slip_in(&rules, given, month(2026, 3)).unwrap_err()[0].message.contains("there is no status `alien`"));
}

#[test]
fn a_period_that_is_no_month_counts_by_its_last_day_and_tax_by_the_day_of_payment() {
    let period = Period { start: date(2025, 6, 26), end: date(2025, 7, 25), pay_on: date(2025, 8, 5) };
    let slip = paid(&shipped("china-monthly"), &[("社保基数", "1"), ("起算月", "8")], period);
    // 8% of July's floor of 7,460.
    assert_eq!(amount(&slip, "养老保险个人"), "-596.80");
    let year = slip.year.unwrap();
    assert_eq!(year.special, Decimal::new(218_330, 2));
}
