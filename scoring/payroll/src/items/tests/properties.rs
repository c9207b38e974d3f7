//! What holds for every payslip of random companies.

use super::shipped::employee;
use super::{month, shipped, slip_in};
use crate::china::rules::wages;
use crate::items::{PayRules, Slip};
use hub_calc::Exact;
use hub_model::entities::pay::PaySide;
use hub_model::enums::EnumOf as _;
use hub_tree::Decimal;
use hub_tree::jiff::civil::date;
use proptest::prelude::*;
use std::sync::LazyLock;

static CHINA: LazyLock<PayRules> = LazyLock::new(|| shipped("china-monthly"));

fn yuan(fen: i64) -> Decimal {
    Decimal::new(fen, 2)
}

fn sum(slip: &Slip, counts: impl Fn(&crate::items::Line) -> bool) -> Decimal {
    slip.lines.iter().filter(|line| counts(line)).map(|line| line.amount).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn totals_are_those_of_the_lines_to_the_cent(
        pay in 0_i64..20_000_000, bonus in 0_i64..5_000_000, absent in 0_i64..60, bases in 0_i64..6_000_000,
        grade in prop::sample::select(vec!["\"S\"", "\"A\"", "\"B\"", "\"C\"", "null"]), annual in 0_i64..30_000_000, apart: bool,
    ) {
        let text = |number: Decimal| format!("\"{number}\"");
        let [pay, bonus, bases, annual] = [pay, bonus, bases, annual].map(|fen| text(yuan(fen)));
        let given = employee(&[
            ("月薪", &pay), ("奖金基数", &bonus), ("绩效等级", grade), ("缺勤天数", &text(Decimal::new(absent * 5, 1))),
            ("社保基数", &bases), ("公积金基数", &bases), ("年终奖金额", &annual), ("年终奖单独计税", &apart.to_string()),
        ]);
        let slip = slip_in(&CHINA, &given, month(2026, 1));
        if grade == "null" && bonus != "\"0.00\"" {
            // A bonus without a grade is no bonus of nothing.
            let problems = slip.unwrap_err();
            prop_assert_eq!(problems[0].item.as_deref(), Some("绩效奖金"));
            return Ok(());
        }
        let slip = slip.unwrap();
        // Made again, it is the same to the byte.
        let again = slip_in(&CHINA, &given, month(2026, 1)).unwrap();
        prop_assert_eq!(format!("{slip:?}"), format!("{again:?}"));
        let is_own = |line: &crate::items::Line| line.side == PaySide::Employee;
        prop_assert_eq!(slip.gross, sum(&slip, |line| line.kind.as_str().starts_with("EARNING")));
        prop_assert_eq!(slip.net, sum(&slip, is_own));
        prop_assert!(slip.net >= Decimal::ZERO);
        prop_assert!(slip.lines.iter().all(|line| line.amount.scale() == 2 && line.carried >= Decimal::ZERO));
        let carried: Decimal = slip.lines.iter().map(|line| line.carried).sum();
        prop_assert_eq!(carried, slip.carried_forward);
        prop_assert!(carried.is_zero() || slip.net.is_zero());
        // All that is paid for someone goes to the employee, to the state or to the funds.
        let away = sum(&slip, |line| !is_own(line)) - sum(&slip, |line| is_own(line) && line.amount < Decimal::ZERO && line.kind.as_str() != "DEDUCTION_ABSENCE");
        prop_assert_eq!(slip.employer_cost, slip.net + away);
    }

    #[test]
    fn twelve_months_withhold_the_tax_of_the_year(months in prop::collection::vec(900_000_i64..20_000_000, 12)) {
        let (mut income, mut special, mut tax) = (Decimal::ZERO, Decimal::ZERO, Decimal::ZERO);
        for (number, fen) in (1..).zip(&months) {
            let texts = [yuan(*fen), income, special, tax].map(|number| format!("\"{number}\""));
            let [pay, income_before, special_before, tax_before] = &texts;
            let given = employee(&[
                ("月薪", pay), ("累计收入", income_before), ("累计专项扣除", special_before), ("累计已预缴税额", tax_before),
            ]);
            let part = slip_in(&CHINA, &given, month(2026, number)).unwrap().year.unwrap();
            income += part.income;
            special += part.special;
            tax += part.tax;
        }
        let law = wages(date(2026, 12, 31)).unwrap();
        let of_year = law.tax_of_year(&(Exact::from(income) - Exact::from(special) - Exact::from(60_000)));
        prop_assert_eq!(Exact::from(tax), of_year);
    }
}
