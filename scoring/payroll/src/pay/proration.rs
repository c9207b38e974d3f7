//! The wage of a part of a month.
//!
//! Three ways are in use, and a company chooses one: by the 21.75 days that each month is paid for (人社部发〔2025〕2号),
//! by the month's own working days, by its calendar days.

use crate::money::cents;
use hub_calc::Exact;

/// How a part of a month is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Wage ÷ 21.75 × days worked. A complete month is the wage; no part of one is more.
    PaidDays,
    /// Wage × days worked ÷ working days of the month.
    WorkingDays,
    /// Wage × days employed ÷ calendar days of the month.
    CalendarDays,
}

/// The words for methods in requests.
pub const METHODS: [(&str, Method); 6] = [
    ("by_21_75_worked_days", Method::PaidDays),
    ("by_21_75", Method::PaidDays),
    ("by_actual_working_days", Method::WorkingDays),
    ("by_working_days", Method::WorkingDays),
    ("by_calendar_days", Method::CalendarDays),
    ("by_actual_calendar_days", Method::CalendarDays),
];

impl Method {
    /// The method of a word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        METHODS.iter().find(|(name, _)| *name == word).map(|(_, method)| *method)
    }
}

/// A wage for so many days, to the fen. `in_month` is not nothing and not below `days`; `paid_days` are those that each
/// month is paid for. `None` if days are none to divide by.
#[must_use]
pub fn part(method: Method, wage: &Exact, days: &Exact, in_month: &Exact, paid_days: &Exact) -> Option<Exact> {
    let pay = match method {
        Method::PaidDays if days == in_month => wage.clone(),
        Method::PaidDays => lower(wage, wage.over(paid_days)? * days),
        Method::WorkingDays | Method::CalendarDays => (wage * days).over(in_month)?,
    };
    Some(cents(&pay))
}

/// Days of a month at one wage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The monthly wage.
    pub wage: Exact,
    /// Its days.
    pub days: Exact,
}

/// A month whose wage changed: each wage by its own days, one pay line, to the fen. Without `in_month` the segments are
/// the whole month. By 21.75 days it is never more than the highest of the wages. `None` if there are no days to divide
/// by.
#[must_use]
pub fn split(method: Method, segments: &[Segment], in_month: Option<&Exact>, paid_days: &Exact) -> Option<Exact> {
    let weighted: Exact = segments.iter().map(|segment| &segment.wage * &segment.days).sum();
    let days: Exact = segments.iter().map(|segment| &segment.days).sum();
    let pay = match method {
        Method::PaidDays => lower(&highest(segments), weighted.over(paid_days)?),
        Method::WorkingDays | Method::CalendarDays => weighted.over(in_month.unwrap_or(&days))?,
    };
    Some(cents(&pay))
}

/// The highest wage that was paid for a day or more.
fn highest(segments: &[Segment]) -> Exact {
    let paid = segments.iter().filter(|segment| segment.days.is_positive()).map(|segment| &segment.wage);
    paid.max().cloned().unwrap_or_else(Exact::zero)
}

fn lower(limit: &Exact, amount: Exact) -> Exact {
    if amount > *limit { limit.clone() } else { amount }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_tree::value::parse_decimal;
    use proptest::prelude::*;

    fn d(text: &str) -> Exact {
        Exact::from(parse_decimal(text).unwrap())
    }

    fn pay(method: Method, wage: &str, days: &str, in_month: &str) -> String {
        part(method, &d(wage), &d(days), &d(in_month), &d("21.75")).unwrap().to_places(2)
    }

    /// By hand.
    #[test]
    fn a_part_of_a_month() {
        for (method, wage, days, in_month, wanted) in [
            (Method::PaidDays, "21750", "13", "23", "13000.00"),
            (Method::PaidDays, "21750", "21", "23", "21000.00"),
            // 22,000 would be more than the wage.
            (Method::PaidDays, "21750", "22", "23", "21750.00"),
            (Method::PaidDays, "21750", "23", "23", "21750.00"),
            // A short month that is complete.
            (Method::PaidDays, "21750", "18", "18", "21750.00"),
            (Method::PaidDays, "21750", "17.5", "18", "17500.00"),
            (Method::PaidDays, "21750", "0", "23", "0.00"),
            (Method::PaidDays, "10000", "10", "21", "4597.70"),
            (Method::WorkingDays, "23000", "13", "23", "13000.00"),
            (Method::WorkingDays, "10000", "10", "21", "4761.90"),
            (Method::WorkingDays, "10000", "21", "21", "10000.00"),
            (Method::CalendarDays, "31000", "16", "31", "16000.00"),
            (Method::CalendarDays, "10000", "15", "28", "5357.14"),
        ] {
            assert_eq!(pay(method, wage, days, in_month), wanted, "{method:?} {wage} {days} {in_month}");
        }
        assert_eq!(part(Method::WorkingDays, &d("1"), &d("0"), &d("0"), &d("21.75")), None);
    }

    fn split_of(method: Method, segments: &[(&str, &str)], in_month: Option<&str>) -> Option<String> {
        let segment = |(wage, days): &(&str, &str)| Segment { wage: d(wage), days: d(days) };
        let segments: Vec<Segment> = segments.iter().map(segment).collect();
        split(method, &segments, in_month.map(d).as_ref(), &d("21.75")).map(|pay| pay.to_places(2))
    }

    #[test]
    fn each_wage_counts_for_its_days() {
        for (method, segments, wanted) in [
            (Method::PaidDays, [("21750", "10"), ("43500", "5")], "20000.00"),
            // 10,000 × 10 ÷ 21.75 + 12,000 × 12 ÷ 21.75 = 11,218.3908.
            (Method::PaidDays, [("10000", "10"), ("12000", "12")], "11218.39"),
            // 25,068.97 would be more than either wage.
            (Method::PaidDays, [("21750", "3"), ("24000", "20")], "24000.00"),
            (Method::WorkingDays, [("10000", "10"), ("12000", "10")], "11000.00"),
            (Method::WorkingDays, [("10000", "7"), ("12000", "14")], "11333.33"),
            (Method::CalendarDays, [("31000", "15"), ("62000", "16")], "47000.00"),
        ] {
            assert_eq!(split_of(method, &segments, None).as_deref(), Some(wanted), "{method:?} {segments:?}");
        }
        assert_eq!(split_of(Method::WorkingDays, &[("10000", "5")], Some("20")).as_deref(), Some("2500.00"));
        assert_eq!(split_of(Method::WorkingDays, &[("10000", "0")], None), None);
        assert_eq!(split_of(Method::PaidDays, &[("10000", "0")], None).as_deref(), Some("0.00"));
        assert_eq!(split_of(Method::PaidDays, &[], None).as_deref(), Some("0.00"));
    }

    #[test]
    fn each_word_is_a_method() {
        assert_eq!(Method::named("by_calendar_days"), Some(Method::CalendarDays));
        assert_eq!(Method::named("by_moon"), None);
    }

    proptest! {
        #[test]
        fn more_days_pay_more_and_a_month_pays_the_wage(fen in 0_i64..10_000_000, days in 0_i64..23, in_month in 17_i64..24) {
            let wage = Exact::from(fen).over(&Exact::hundred()).unwrap();
            let days = Exact::from(days.min(in_month - 1));
            let (next, in_month) = (&days + &Exact::one(), Exact::from(in_month));
            for method in [Method::PaidDays, Method::WorkingDays, Method::CalendarDays] {
                let pay = |days| part(method, &wage, days, &in_month, &d("21.75")).unwrap();
                prop_assert!(pay(&days) <= pay(&next) && pay(&next) <= wage);
                prop_assert_eq!(pay(&in_month), wage.clone());
            }
        }

        #[test]
        fn cutting_a_month_at_one_wage_changes_nothing(fen in 0_i64..10_000_000, cut in 0_i64..=20) {
            let wage = Exact::from(fen).over(&Exact::hundred()).unwrap();
            let days = [cut, 20 - cut].map(|days| Segment { wage: wage.clone(), days: Exact::from(days) });
            let whole = [Segment { wage: wage.clone(), days: Exact::from(20) }];
            for method in [Method::PaidDays, Method::WorkingDays, Method::CalendarDays] {
                let [cut, whole] = [&days[..], &whole[..]].map(|segments| split(method, segments, None, &d("21.75")));
                prop_assert_eq!(cut, whole);
            }
        }
    }
}
