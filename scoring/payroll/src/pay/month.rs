//! From gross to net in mainland China: the months of a year in their order, because tax is cumulative.
//!
//! Attendance deductions lessen the month's income; contributions are taken from their own declared bases; tax is
//! withheld on what has come in this year. Deductions that a month cannot bear are owed and carried ([`super::net`]).

use super::net::settle;
use crate::china::contributions::{Scheme, totals};
use crate::china::wages::{Basic, Month, Rules, Withheld, withhold};
use crate::money::cents;
use hub_calc::Exact;

/// What a month's pay is made from, in yuan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inputs {
    /// 1 to 12, each once.
    pub month: usize,
    /// Wage, bonuses, allowances: a line each.
    pub earnings: Vec<Exact>,
    /// Taken off for days without pay and the like; not more than the earnings.
    pub attendance: Exact,
    /// The declared base of the insurances.
    pub insurance_base: Exact,
    /// That of the housing fund.
    pub fund_base: Option<Exact>,
    /// Earnings that are free of tax.
    pub exempt: Exact,
    /// Special additional deductions (专项附加扣除).
    pub additional: Exact,
    /// Other deductions from taxable income.
    pub other: Exact,
}

/// A month's pay, in yuan and fen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paid<'r> {
    /// 1 to 12.
    pub month: usize,
    /// The sum of the earnings.
    pub gross: Exact,
    /// Taken off the gross.
    pub attendance: Exact,
    /// The employee's contributions.
    pub employee: Exact,
    /// The employer's.
    pub employer: Exact,
    /// The tax and what it comes from.
    pub withheld: Withheld<'r>,
    /// What is paid out; never below nothing.
    pub net: Exact,
    /// Contributions and tax that the pay could not bear.
    pub owed: Exact,
}

impl Paid<'_> {
    /// What the month costs the employer.
    #[must_use]
    pub fn employer_cost(&self) -> Exact {
        &self.gross - &self.attendance + &self.employer
    }
}

/// Pays the months of a year, whatever order they are given in.
#[must_use]
pub fn pay<'r>(mut months: Vec<Inputs>, scheme: &Scheme, basic: Basic, law: Rules<'r>) -> Vec<Paid<'r>> {
    months.sort_by_key(|inputs| inputs.month);
    let (mut sums, mut runs) = (Vec::with_capacity(months.len()), Vec::with_capacity(months.len()));
    for inputs in months {
        let gross: Exact = inputs.earnings.iter().map(cents).sum();
        let attendance = cents(&inputs.attendance);
        let lines = scheme.lines(&inputs.insurance_base, inputs.fund_base.as_ref());
        let (employee, employer) = totals(&lines);
        runs.push(Month {
            month: inputs.month,
            income: &gross - &attendance,
            exempt: inputs.exempt,
            special: employee.clone(),
            additional: inputs.additional,
            other: inputs.other,
        });
        sums.push((gross, attendance, employee, employer));
    }
    let paid = |((gross, attendance, employee, employer), withheld): (_, Withheld<'r>)| {
        let (net, settled) = settle(&(&gross - &attendance), [&employee, &withheld.tax]);
        let owed = settled.iter().map(|one| &one.carried).sum();
        Paid { month: withheld.month, gross, attendance, employee, employer, withheld, net, owed }
    };
    sums.into_iter().zip(withhold(runs, basic, law)).map(paid).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::china::contributions::{Item, Side};
    use crate::china::rules;
    use crate::money::Rounding;
    use hub_tree::jiff::civil::date;
    use hub_tree::value::parse_decimal;
    use proptest::prelude::*;

    fn d(text: &str) -> Exact {
        Exact::from(parse_decimal(text).unwrap())
    }

    fn scheme() -> Scheme {
        let item = |code: &str, employee: &str, employer: &str, (floor, cap): (&str, &str), rounding| {
            let side = |percent| Side { percent: d(percent), fixed: Exact::zero(), rounding };
            let (floor, cap) = (Some(d(floor)), Some(d(cap)));
            Item { code: code.to_owned(), floor, cap, employee: side(employee), employer: side(employer) }
        };
        let bounds = ("7460", "37302");
        Scheme {
            insurance: vec![
                item("pension", "8", "16", bounds, Rounding::FEN),
                item("medical", "2", "9", bounds, Rounding::FEN),
                item("unemployment", "0.5", "0.5", bounds, Rounding::FEN),
                item("injury", "0", "0.2", bounds, Rounding::FEN),
            ],
            fund: Some(item("fund", "7", "7", ("2690", "37302"), Rounding::named("yuan_half_up").unwrap())),
        }
    }

    fn inputs(month: usize, wage: Exact, base: &Exact) -> Inputs {
        Inputs {
            month,
            earnings: vec![wage],
            attendance: Exact::zero(),
            insurance_base: base.clone(),
            fund_base: Some(base.clone()),
            exempt: Exact::zero(),
            additional: Exact::zero(),
            other: Exact::zero(),
        }
    }

    fn law() -> Rules<'static> {
        rules::wages(date(2026, 1, 1)).unwrap()
    }

    /// Shanghai, by hand: 20,000 − 3,500 − 5,000 = 11,500 × 3% = 345.
    #[test]
    fn a_first_month_in_shanghai() {
        let found = pay(vec![inputs(1, d("20000"), &d("20000"))], &scheme(), Basic::From(1), law());
        let [paid] = &found[..] else { panic!("{found:?}") };
        let amounts = [&paid.gross, &paid.employee, &paid.employer, &paid.withheld.tax, &paid.net];
        let wanted = ["20000.00", "3500.00", "6540.00", "345.00", "16155.00"];
        assert_eq!(amounts.map(|amount| amount.to_places(2)), wanted);
        assert_eq!(paid.employer_cost(), d("26540"));
    }

    #[test]
    fn attendance_lessens_income_and_what_cannot_be_borne_is_owed() {
        let mut months = [2, 1].map(|month| inputs(month, d("20000"), &d("20000")));
        months[1].attendance = d("2000");
        months[0].attendance = d("19000");
        let found = pay(months.to_vec(), &scheme(), Basic::From(1), law());
        // 18,000 − 3,500 − 5,000 = 9,500 × 3%; in February 1,000 bears no more than 1,000 of 3,500.
        let of = |paid: &Paid<'_>| {
            let amounts = [&paid.withheld.tax, &paid.net, &paid.owed].map(|amount| amount.to_places(2));
            format!("{} {}", paid.month, amounts.join(" "))
        };
        assert_eq!(found.iter().map(of).collect::<Vec<_>>(), ["1 285.00 14215.00 0.00", "2 0.00 0.00 2500.00"]);
    }

    proptest! {
        #[test]
        fn all_of_the_gross_is_somewhere(wages in prop::collection::vec(0_i64..5_000_000, 1..12), base in 0_i64..5_000_000) {
            let fen = |fen: i64| Exact::from(fen).over(&Exact::hundred()).unwrap();
            let base = fen(base);
            let months = wages.iter().enumerate().map(|(index, wage)| inputs(index + 1, fen(*wage), &base)).collect();
            for paid in pay(months, &scheme(), Basic::From(1), law()) {
                let out = &paid.net + &paid.employee + &paid.withheld.tax;
                prop_assert_eq!(out, &paid.gross + &paid.owed);
                prop_assert!(!paid.net.is_negative() && (paid.net.is_zero() || paid.owed.is_zero()));
                prop_assert_eq!(paid.net.rounded(2), paid.net);
            }
        }
    }
}
