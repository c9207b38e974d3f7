//! What attendance does to pay: days without pay, and overtime (加班).
//!
//! A day's wage is the month's over the days that a month is paid for, an hour's is a day's over its hours; neither is
//! rounded. Overtime by article 44 of the Labour Law.

use crate::money::cents;
use crate::tables::share;
use hub_calc::Exact;

/// What is taken off for days without pay, in yuan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpaid {
    /// A day's wage, not rounded.
    pub day_rate: Exact,
    /// Days times rate, not rounded.
    pub by_days: Exact,
    /// To the fen; never more than the month's wage.
    pub deduction: Exact,
}

impl Unpaid {
    /// Whether the days come to more than the wage. A month may have more working days than it is paid for.
    #[must_use]
    pub fn is_whole_wage(&self, wage: &Exact) -> bool {
        self.by_days > *wage
    }
}

/// What days without pay cost. `None` if a month is paid for no days.
#[must_use]
pub fn unpaid(wage: &Exact, paid_days: &Exact, days: &Exact) -> Option<Unpaid> {
    let day_rate = wage.over(paid_days)?;
    let by_days = &day_rate * days;
    let deduction = cents(if by_days > *wage { wage } else { &by_days });
    Some(Unpaid { day_rate, by_days, deduction })
}

/// Something for each of the three kinds of overtime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kinds<T> {
    /// On working days.
    pub workday: T,
    /// On rest days (休息日).
    pub restday: T,
    /// On statutory holidays (法定休假日).
    pub holiday: T,
}

/// Per cent of an hour's wage that an hour of overtime pays.
pub type Percents<'r> = Kinds<&'r Exact>;

/// Overtime pay, in yuan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overtime {
    /// An hour's wage, not rounded.
    pub hour_rate: Exact,
    /// Each to the fen.
    pub pay: Kinds<Exact>,
}

impl Overtime {
    /// All lines together.
    #[must_use]
    pub fn total(&self) -> Exact {
        [&self.pay.workday, &self.pay.restday, &self.pay.holiday].into_iter().sum()
    }
}

/// Pays overtime. Rest days that are made good with leave pay nothing; leave replaces neither of the other kinds.
/// `None` if a month is paid for no days, or a day has no hours.
#[must_use]
pub fn overtime(
    wage: &Exact,
    (paid_days, hours_a_day): (&Exact, &Exact),
    hours: &Kinds<Exact>,
    percents: &Percents<'_>,
    leave_for_restdays: bool,
) -> Option<Overtime> {
    let hour_rate = wage.over(paid_days)?.over(hours_a_day)?;
    let line = |hours: &Exact, percent: &Exact| cents(&(&hour_rate * hours * share(percent)));
    let restday = line(&hours.restday, percents.restday);
    let pay = Kinds {
        workday: line(&hours.workday, percents.workday),
        restday: if leave_for_restdays { Exact::zero() } else { restday },
        holiday: line(&hours.holiday, percents.holiday),
    };
    Some(Overtime { hour_rate, pay })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pay::rules;
    use hub_tree::value::parse_decimal;
    use proptest::prelude::*;

    fn d(text: &str) -> Exact {
        Exact::from(parse_decimal(text).unwrap())
    }

    /// By hand: wage ÷ 21.75 × days.
    #[test]
    fn days_without_pay() {
        for (wage, days, rate, deduction) in [
            ("21750", "2", "1000.00", "2000.00"),
            ("21750", "0", "1000.00", "0.00"),
            ("21750", "0.5", "1000.00", "500.00"),
            // 459.7701… × 3 = 1,379.3103…; from the rounded rate it would be 1,379.31 as well, × 7 it would not.
            ("10000", "3", "459.77", "1379.31"),
            ("10000", "7", "459.77", "3218.39"),
            ("21750", "21.75", "1000.00", "21750.00"),
            ("21750", "23", "1000.00", "21750.00"),
            ("0", "5", "0.00", "0.00"),
        ] {
            let found = unpaid(&d(wage), &d("21.75"), &d(days)).unwrap();
            assert_eq!([found.day_rate.to_places(2), found.deduction.to_places(2)], [rate, deduction], "{wage} {days}");
        }
        assert_eq!(unpaid(&d("1"), &d("0"), &d("1")), None);
        assert!(unpaid(&d("100"), &d("20"), &d("21")).unwrap().is_whole_wage(&d("100")));
        assert!(!unpaid(&d("100"), &d("20"), &d("20")).unwrap().is_whole_wage(&d("100")));
    }

    fn pay(wage: &str, hours: [&str; 3], leave: bool) -> Overtime {
        let [workday, restday, holiday] = hours.map(d);
        let month = (&d("21.75"), &d("8"));
        overtime(&d(wage), month, &Kinds { workday, restday, holiday }, &rules::overtime().unwrap(), leave).unwrap()
    }

    #[test]
    fn overtime_pays_by_its_kind() {
        for (wage, hours, leave, wanted) in [
            ("21750", ["2", "3", "3"], false, ["125.00", "375.00", "750.00", "1125.00", "2250.00"]),
            ("21750", ["2", "3", "3"], true, ["125.00", "375.00", "0.00", "1125.00", "1500.00"]),
            ("15225", ["6", "5", "4"], false, ["87.50", "787.50", "875.00", "1050.00", "2712.50"]),
            ("21750", ["0", "0", "0"], false, ["125.00", "0.00", "0.00", "0.00", "0.00"]),
            // 10,000 ÷ 174 = 57.4712…: × 1.5 = 86.2068…, × 2 = 114.9425…, × 3 = 172.4137….
            ("10000", ["1", "1", "1"], false, ["57.47", "86.21", "114.94", "172.41", "373.56"]),
            ("10000", ["0.5", "0", "0"], false, ["57.47", "43.10", "0.00", "0.00", "43.10"]),
        ] {
            let found = pay(wage, hours, leave);
            let total = found.total();
            let found = [found.hour_rate, found.pay.workday, found.pay.restday, found.pay.holiday, total];
            assert_eq!(found.map(|amount| amount.to_places(2)), wanted, "{wage} {hours:?} {leave}");
        }
        let hours = Kinds { workday: d("1"), restday: d("1"), holiday: d("1") };
        let law = rules::overtime().unwrap();
        assert_eq!(overtime(&d("1"), (&d("0"), &d("8")), &hours, &law, false), None);
        assert_eq!(overtime(&d("1"), (&d("20"), &d("0")), &hours, &law, false), None);
    }

    proptest! {
        #[test]
        fn more_days_cost_more_and_never_more_than_the_wage(fen in 0_i64..10_000_000, halves in 0_i64..62) {
            let wage = Exact::from(fen).over(&Exact::hundred()).unwrap();
            let days = |halves: i64| Exact::from(halves).over(&Exact::from(2)).unwrap();
            let cost = |halves| unpaid(&wage, &d("21.75"), &days(halves)).unwrap().deduction;
            prop_assert!(cost(halves) <= cost(halves + 1));
            prop_assert!(cost(halves + 1) <= wage);
        }

        #[test]
        fn the_total_is_that_of_lines_in_fen(fen in 0_i64..10_000_000, tenths in prop::array::uniform3(0_i64..1000)) {
            let wage = Exact::from(fen).over(&Exact::hundred()).unwrap().to_string();
            let hours = tenths.map(|tenths| Exact::from(tenths).over(&Exact::from(10)).unwrap().to_string());
            let [a, b, c] = &hours;
            let found = pay(&wage, [a, b, c], false);
            prop_assert_eq!(found.total().rounded(2), found.total());
            // A line is half a fen off at the most.
            let same = pay(&wage, [a, a, a], false);
            let unrounded = |percent: &str| &same.hour_rate * &d(a) * share(&d(percent));
            prop_assert!((same.pay.holiday - unrounded("300")).abs() <= d("0.005"));
        }
    }
}
