//! 香港 Hong Kong: Mandatory Provident Fund (MPF) and salaries tax. Amounts in Hong Kong dollars.

use crate::money::cents;
use crate::tables::{Brackets, share};
use hub_calc::Exact;
use hub_tree::jiff::ToSpan;
use hub_tree::jiff::civil::Date;

/// The bounds of relevant income in a wage period, and the rate of each side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mpf {
    /// Per cent.
    pub percent: Exact,
    /// Below it the employee pays nothing.
    pub least: Exact,
    /// Income counts up to it.
    pub most: Exact,
}

/// What each side pays, to the cent: employee, employer.
#[must_use]
pub fn mpf(income: &Exact, rules: &Mpf) -> (Exact, Exact) {
    let employer = cents(&(income.min(&rules.most) * &share(&rules.percent)));
    let employee = if *income < rules.least { Exact::zero() } else { employer.clone() };
    (employee, employer)
}

/// The days and months of a new employee's fund.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// The last day for which the employee's share is waived; the day of joining is the first.
    pub waived_until: Date,
    /// The first day of the month from which the employee pays: the first to begin after that.
    pub employee_from: Date,
    /// The day on which the employment is long enough to be enrolled.
    pub enrolled: Date,
    /// When the first contribution is due: in the month after.
    pub due: Date,
}

/// Counts from the day of joining, for pay by calendar months. `None` where the calendar ends, or a month has no such
/// day.
#[must_use]
pub fn start(joined: Date, waived_days: i64, enrolled_days: i64, due_day: i8) -> Option<Start> {
    let day = |count: i64| joined.checked_add(count.checked_sub(1)?.days()).ok();
    let next = |day: Date| day.first_of_month().checked_add(1.month()).ok();
    let (waived_until, enrolled) = (day(waived_days)?, day(enrolled_days)?);
    let due = next(enrolled)?.with().day(due_day).build().ok()?;
    Some(Start { waived_until, employee_from: next(waived_until)?, enrolled, due })
}

/// How a year's salaries tax is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// By bands on what is left after allowances.
    Progressive,
    /// By the standard rate on net income.
    Standard,
}

/// A year's salaries tax, to the cent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SalariesTax {
    /// Income less deductions.
    pub net_income: Exact,
    /// Less allowances.
    pub chargeable: Exact,
    /// By bands.
    pub progressive: Exact,
    /// By the standard rate.
    pub standard: Exact,
    /// The lower of both.
    pub basis: Basis,
    /// What it comes to.
    pub before: Exact,
    /// Taken off it.
    pub reduction: Exact,
    /// What is left.
    pub payable: Exact,
}

/// Taxes a year: the lower of both ways, less the year's reduction, which is the whole tax up to `most_reduction`.
#[must_use]
pub fn salaries_tax(
    (income, deductions, allowances): (&Exact, &Exact, &Exact),
    (bands, standard_rate): (&Brackets, &Brackets),
    most_reduction: &Exact,
) -> SalariesTax {
    let left = |amount: &Exact, off: &Exact| (amount - off).max(Exact::zero());
    let net_income = left(income, deductions);
    let chargeable = left(&net_income, allowances);
    let (progressive, standard) = (cents(&bands.tax(&chargeable)), cents(&standard_rate.tax(&net_income)));
    let (basis, before) = if progressive <= standard {
        (Basis::Progressive, progressive.clone())
    } else {
        (Basis::Standard, standard.clone())
    };
    let reduction = before.clone().min(most_reduction.clone());
    let payable = &before - &reduction;
    SalariesTax { net_income, chargeable, progressive, standard, basis, before, reduction, payable }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::Pack;
    use hub_tree::jiff::civil::date;
    use hub_tree::value::parse_decimal;
    use proptest::prelude::*;

    fn d(text: &str) -> Exact {
        Exact::from(parse_decimal(text).unwrap())
    }

    fn month() -> Mpf {
        Mpf { percent: d("5"), least: d("7100"), most: d("30000") }
    }

    /// By hand: 5%, nothing of the employee's below 7,100, and no more than 1,500.
    #[test]
    fn the_fund_by_income() {
        for (income, employee, employer) in [
            ("0", "0.00", "0.00"),
            ("7099.99", "0.00", "355.00"),
            ("7100", "355.00", "355.00"),
            ("7100.10", "355.01", "355.01"),
            ("20000", "1000.00", "1000.00"),
            ("30000", "1500.00", "1500.00"),
            ("30000.01", "1500.00", "1500.00"),
            ("1000000", "1500.00", "1500.00"),
        ] {
            let (found_employee, found_employer) = mpf(&d(income), &month());
            let found = [found_employee, found_employer].map(|amount| amount.to_places(2));
            assert_eq!(found, [employee, employer], "{income}");
        }
    }

    #[test]
    fn the_first_month_begins_after_the_thirtieth_day() {
        for (joined, waived, from, enrolled, due) in [
            (date(2026, 3, 1), date(2026, 3, 30), date(2026, 4, 1), date(2026, 4, 29), date(2026, 5, 10)),
            // The thirtieth day is the last of the month.
            (date(2026, 3, 2), date(2026, 3, 31), date(2026, 4, 1), date(2026, 4, 30), date(2026, 5, 10)),
            (date(2026, 3, 3), date(2026, 4, 1), date(2026, 5, 1), date(2026, 5, 1), date(2026, 6, 10)),
            (date(2026, 2, 1), date(2026, 3, 2), date(2026, 4, 1), date(2026, 4, 1), date(2026, 5, 10)),
            (date(2024, 2, 1), date(2024, 3, 1), date(2024, 4, 1), date(2024, 3, 31), date(2024, 4, 10)),
            (date(2026, 11, 15), date(2026, 12, 14), date(2027, 1, 1), date(2027, 1, 13), date(2027, 2, 10)),
        ] {
            let wanted = Start { waived_until: waived, employee_from: from, enrolled, due };
            assert_eq!(start(joined, 30, 60, 10), Some(wanted), "{joined}");
        }
        assert_eq!(start(Date::MAX, 30, 60, 10), None);
    }

    fn tax(year: i16, given: [&str; 3]) -> SalariesTax {
        let (pack, on) = (Pack::load("hong-kong").unwrap(), date(year, 4, 1));
        let [income, deductions, allowances] = given.map(d);
        salaries_tax(
            (&income, &deductions, &allowances),
            (
                &pack.brackets("salaries_tax", on).unwrap().rule,
                &pack.brackets("salaries_tax_standard", on).unwrap().rule,
            ),
            &pack.number("salaries_tax_reduction", on).unwrap().rule,
        )
    }

    /// By hand; the second is the department's own example of 2024/25.
    #[test]
    fn the_lower_of_two_ways_less_the_reduction() {
        for (year, given, progressive, standard, basis, payable) in [
            (2025, ["264000", "13200", "132000"], "5880.00", "37620.00", Basis::Progressive, "2880.00"),
            (2024, ["700000", "21000", "524000"], "9700.00", "101850.00", Basis::Progressive, "8200.00"),
            (2026, ["700000", "21000", "524000"], "9700.00", "101850.00", Basis::Progressive, "9700.00"),
            // 16,000 + (2,868,000 − 200,000) × 17% = 469,560 is more than 3,000,000 × 15%.
            (2025, ["3000000", "0", "132000"], "469560.00", "450000.00", Basis::Standard, "447000.00"),
            // 750,000 + 1,000,000 × 16%.
            (2025, ["6018000", "18000", "132000"], "979560.00", "910000.00", Basis::Standard, "907000.00"),
            (2025, ["5000000", "0", "0"], "832000.00", "750000.00", Basis::Standard, "747000.00"),
            (2025, ["132000", "0", "132000"], "0.00", "19800.00", Basis::Progressive, "0.00"),
            (2025, ["100000", "200000", "132000"], "0.00", "0.00", Basis::Progressive, "0.00"),
            // 1,000 + 3,000 is more than the reduction by 1,000.
            (2025, ["232000", "0", "132000"], "4000.00", "34800.00", Basis::Progressive, "1000.00"),
            (2025, ["182000", "0", "132000"], "1000.00", "27300.00", Basis::Progressive, "0.00"),
        ] {
            let found = tax(year, given);
            let amounts = [&found.progressive, &found.standard, &found.payable].map(|amount| amount.to_places(2));
            assert_eq!(
                (amounts, found.basis),
                ([progressive, standard, payable].map(str::to_owned), basis),
                "{given:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn more_income_is_more_tax_and_never_above_the_standard(income in 0_i64..20_000_000, more in 0_i64..1_000_000) {
            let [low, high] = [income, income + more].map(|income| tax(2025, [&income.to_string(), "18000", "132000"]));
            prop_assert!(low.payable <= high.payable && low.before <= low.standard && low.before <= low.progressive);
            prop_assert_eq!(&low.payable + &low.reduction, low.before);
        }

        #[test]
        fn the_employee_never_pays_more_than_the_employer(cents in 0_i64..5_000_000, more in 0_i64..100_000) {
            let [low, high] = [cents, cents + more].map(|cents| mpf(&Exact::from(cents).over(&Exact::hundred()).unwrap(), &month()));
            prop_assert!(low.0 <= low.1 && low.0 <= high.0 && low.1 <= high.1 && high.1 <= d("1500"));
        }
    }
}
