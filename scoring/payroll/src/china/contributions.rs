//! Social insurance (社会保险) and the housing fund (住房公积金): bounded base times rate, rounded per side.

use crate::money::{Rounding, cents};
use crate::tables::share;
use hub_calc::Exact;

/// What one side of an item pays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// Per cent of the base.
    pub percent: Exact,
    /// Yuan that are added, such as three for Beijing's medical insurance.
    pub fixed: Exact,
    /// How the sum is rounded.
    pub rounding: Rounding,
}

impl Side {
    /// What is paid on a base, in yuan.
    #[must_use]
    pub fn pays(&self, base: &Exact) -> Exact {
        self.rounding.apply(&(base * &share(&self.percent) + &self.fixed))
    }
}

/// An item: one of the insurances, or the fund. Bounds in yuan a month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Such as `pension`.
    pub code: String,
    /// The least base.
    pub floor: Option<Exact>,
    /// The greatest base.
    pub cap: Option<Exact>,
    /// The employee's side.
    pub employee: Side,
    /// The employer's side.
    pub employer: Side,
}

/// What is paid for an item in a month, in yuan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The item's.
    pub code: String,
    /// The bounded base.
    pub base: Exact,
    /// By the employee.
    pub employee: Exact,
    /// By the employer.
    pub employer: Exact,
}

impl Item {
    /// What is paid on a declared base.
    #[must_use]
    pub fn line(&self, declared: &Exact) -> Line {
        let base = self.floor.as_ref().filter(|floor| declared < *floor).unwrap_or(declared);
        let base = self.cap.as_ref().filter(|cap| base > *cap).unwrap_or(base);
        Line {
            code: self.code.clone(),
            base: base.clone(),
            employee: self.employee.pays(base),
            employer: self.employer.pays(base),
        }
    }
}

/// What an employee is insured for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheme {
    /// The insurances.
    pub insurance: Vec<Item>,
    /// The housing fund; foreigners may be without.
    pub fund: Option<Item>,
}

impl Scheme {
    /// The lines of a month: the insurances on one base, then the fund on its own, if there is one for both.
    #[must_use]
    pub fn lines(&self, insurance_base: &Exact, fund_base: Option<&Exact>) -> Vec<Line> {
        let insurance = self.insurance.iter().map(|item| item.line(insurance_base));
        insurance.chain(self.fund.as_ref().zip(fund_base).map(|(item, base)| item.line(base))).collect()
    }
}

/// What employee and employer pay together for all lines.
#[must_use]
pub fn totals(lines: &[Line]) -> (Exact, Exact) {
    (lines.iter().map(|line| &line.employee).sum(), lines.iter().map(|line| &line.employer).sum())
}

/// One side's deposit in the fund, and what of it is free of tax, in yuan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deposit {
    /// To the fen.
    pub deposit: Exact,
    /// The wage that bounds the free part.
    pub wage: Exact,
    /// Free of tax, to the fen.
    pub deductible: Exact,
    /// Added to the month's wages.
    pub excess: Exact,
}

/// Caishui 2006 No. 10: a side's deposit is free within `free_percent` of the employee's average monthly wage of the
/// year before, which counts up to `averages` city averages.
#[must_use]
pub fn fund_deposit(
    (base, percent): (&Exact, &Exact),
    (own_average, city_average): (&Exact, &Exact),
    (free_percent, averages): (&Exact, &Exact),
) -> Deposit {
    let limit = city_average * averages;
    let wage = if *own_average < limit { own_average.clone() } else { limit };
    let deposit = cents(&(base * &share(percent)));
    let free = cents(&(&wage * &share(free_percent)));
    let deductible = if deposit < free { deposit.clone() } else { free };
    Deposit { excess: &deposit - &deductible, deposit, wage, deductible }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_tree::value::parse_decimal;
    use proptest::prelude::*;

    fn d(text: &str) -> Exact {
        Exact::from(parse_decimal(text).unwrap())
    }

    fn side(percent: &str, fixed: &str, round: &str) -> Side {
        Side { percent: d(percent), fixed: d(fixed), rounding: Rounding::named(round).unwrap() }
    }

    #[test]
    fn bounds_are_taken_before_rates_and_each_side_is_rounded() {
        let item = Item {
            code: "medical".to_owned(),
            floor: Some(d("7162")),
            cap: Some(d("35811")),
            employee: side("2", "3", "fen_half_up"),
            employer: side("9.8", "0", "fen_to_jiao_up"),
        };
        for (declared, base, employee, employer) in [
            ("15000", "15000", "303", "1470"),
            ("0", "7162", "146.24", "701.9"),
            ("7162", "7162", "146.24", "701.9"),
            ("7162.01", "7162.01", "146.24", "701.9"),
            ("35811", "35811", "719.22", "3509.5"),
            ("99999999", "35811", "719.22", "3509.5"),
        ] {
            let line = item.line(&d(declared));
            let found = [line.base, line.employee, line.employer].map(|amount| amount.to_string());
            assert_eq!(found, [base, employee, employer], "{declared}");
        }
        let unbounded = Item { floor: None, cap: None, ..item };
        assert_eq!(unbounded.line(&d("1")).base, d("1"));
    }

    /// By hand: 12% of the lower of the own wage and three city averages is free.
    #[test]
    fn the_fund_is_free_within_its_share_of_a_capped_wage() {
        for (base, percent, own, city, wanted) in [
            ("20000", "12", "20000", "12000", ["2400.00", "2400.00", "0.00"]),
            ("40000", "12", "40000", "12000", ["4800.00", "4320.00", "480.00"]),
            ("20000", "12", "15000", "12000", ["2400.00", "1800.00", "600.00"]),
            ("20000", "7", "20000", "12000", ["1400.00", "1400.00", "0.00"]),
            ("36000.05", "12", "36000.05", "12000", ["4320.01", "4320.00", "0.01"]),
            ("0", "12", "0", "12000", ["0.00", "0.00", "0.00"]),
        ] {
            let found = fund_deposit((&d(base), &d(percent)), (&d(own), &d(city)), (&d("12"), &d("3")));
            let found = [found.deposit, found.deductible, found.excess].map(|amount| amount.to_places(2));
            assert_eq!(found, wanted, "{base} {percent} {own} {city}");
        }
    }

    proptest! {
        #[test]
        fn lines_add_up_and_a_higher_base_never_pays_less(base in 0_i64..5_000_000, more in 0_i64..1_000_000) {
            let item = |code: &str, round| Item {
                code: code.to_owned(),
                floor: Some(d("2690")),
                cap: Some(d("37302")),
                employee: side("8", "0", round),
                employer: side("16", "0", round),
            };
            let scheme = Scheme { insurance: vec![item("a", "fen_half_up"), item("b", "li_to_fen_up")], fund: Some(item("c", "yuan_down")) };
            let [low, high] = [base, base + more].map(|fen| Exact::from(fen).over(&Exact::hundred()).unwrap());
            let (low, high) = (scheme.lines(&low, Some(&low)), scheme.lines(&high, Some(&high)));
            prop_assert!(low.iter().zip(&high).all(|(low, high)| low.employee <= high.employee && low.employer <= high.employer));
            let (employee, employer) = totals(&low);
            prop_assert_eq!(employee.rounded(2), employee);
            prop_assert_eq!(employer.rounded(2), employer);
            prop_assert_eq!(low.len(), 3);
        }
    }
}
