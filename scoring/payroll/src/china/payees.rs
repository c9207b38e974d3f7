//! Pay that is no wage: labour remuneration (劳务报酬), authors' remuneration (稿酬), royalties (特许权使用费), student
//! interns, non-residents, and compensation for the end of a contract.

use crate::china::wages::{Basic, Month, Rules, withhold};
use crate::money::cents;
use crate::tables::{Brackets, share};
use hub_calc::Exact;

/// What a payment is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 劳务报酬.
    Labour,
    /// 稿酬.
    Author,
    /// 特许权使用费.
    Royalty,
}

/// What the law sets.
#[derive(Clone, Copy, Debug)]
pub struct PayeeRules<'r> {
    /// Up to this amount a fixed sum is taken off.
    pub small_up_to: &'r Exact,
    /// That sum.
    pub small_deduction: &'r Exact,
    /// Per cent that are taken off a larger amount.
    pub percent_off: &'r Exact,
    /// Per cent of it that count for authors.
    pub author_percent: &'r Exact,
    /// The rate for authors and royalties, per cent.
    pub flat_percent: &'r Exact,
    /// The bands of labour remuneration.
    pub labour: &'r Brackets,
    /// The monthly bands of non-residents.
    pub month: &'r Brackets,
}

/// A payment's tax, in yuan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taxed {
    /// What of the amount is taxed; not rounded.
    pub taxable: Exact,
    /// The rate, per cent.
    pub percent: Exact,
    /// The quick deduction.
    pub less: Exact,
    /// To the fen.
    pub tax: Exact,
}

fn by_bands(taxable: Exact, table: &Brackets) -> Taxed {
    let band = table.band(&taxable);
    Taxed { percent: band.percent.clone(), less: band.less.clone(), tax: cents(&table.tax(&taxable)), taxable }
}

fn or_nothing(amount: Exact) -> Exact {
    if amount.is_negative() { Exact::zero() } else { amount }
}

impl PayeeRules<'_> {
    fn after_percent(&self, amount: &Exact) -> Exact {
        amount - &(amount * &share(self.percent_off))
    }

    fn part_that_counts(&self, kind: Kind, income: Exact) -> Exact {
        match kind {
            Kind::Author => income * share(self.author_percent),
            Kind::Labour | Kind::Royalty => income,
        }
    }

    /// What is withheld from a payment to a resident (STA announcement 2018 No. 61, article 8).
    #[must_use]
    pub fn resident(&self, kind: Kind, amount: &Exact) -> Taxed {
        let small = amount <= self.small_up_to;
        let income = if small { amount - self.small_deduction } else { self.after_percent(amount) };
        let taxable = self.part_that_counts(kind, or_nothing(income));
        match kind {
            Kind::Labour => by_bands(taxable, self.labour),
            Kind::Author | Kind::Royalty => {
                let tax = cents(&(&taxable * &share(self.flat_percent)));
                Taxed { percent: self.flat_percent.clone(), less: Exact::zero(), tax, taxable }
            }
        }
    }

    /// The same for a non-resident: always per cent off, by the monthly bands (article 9).
    #[must_use]
    pub fn nonresident(&self, kind: Kind, amount: &Exact) -> Taxed {
        by_bands(self.part_that_counts(kind, self.after_percent(amount)), self.month)
    }

    /// A full-time student's labour pay by cumulative withholding (STA announcement 2020 No. 13, item 2): each payment
    /// with its month, in any order; tax in the order of months. A month of the internship is one with a payment.
    /// House reading: income (收入额) is what is left after the per cent of labour remuneration.
    #[must_use]
    pub fn intern(&self, mut payments: Vec<(usize, Exact)>, rules: Rules<'_>) -> Vec<InternMonth> {
        payments.sort_by_key(|(month, _)| *month);
        let (mut count, mut latest) = (0, None);
        let run = |(month, amount): (usize, Exact)| {
            count += usize::from(latest != Some(month));
            latest = Some(month);
            let nothing = Exact::zero;
            let income = self.after_percent(&amount);
            Month {
                month: count,
                income,
                exempt: nothing(),
                special: nothing(),
                additional: nothing(),
                other: nothing(),
            }
        };
        let months: Vec<usize> = payments.iter().map(|(month, _)| *month).collect();
        let rows = withhold(payments.into_iter().map(run).collect(), Basic::From(1), rules);
        let one = |(month, row): (usize, super::wages::Withheld<'_>)| InternMonth {
            month,
            taxable: row.taxable(),
            tax: row.tax,
        };
        months.into_iter().zip(rows).map(one).collect()
    }
}

/// What is withheld from an intern in a month, in yuan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InternMonth {
    /// 1 to 12.
    pub month: usize,
    /// Cumulative taxable income.
    pub taxable: Exact,
    /// To the fen.
    pub tax: Exact,
}

/// A non-resident's wage of a month: the basic deduction is all that is taken off it (article 9).
#[must_use]
pub fn nonresident_wage(amount: &Exact, basic_month: &Exact, month: &Brackets) -> Taxed {
    by_bands(or_nothing(amount - basic_month), month)
}

/// Compensation for the end of a contract, in yuan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Severance {
    /// Free of tax.
    pub exempt: Exact,
    /// The rest and its tax by the table of the year, apart from other income.
    pub taxed: Taxed,
}

/// Caishui 2018 No. 164, item 5(1): free up to `averages` local average annual wages of the year before.
#[must_use]
pub fn severance(amount: &Exact, average_annual_wage: &Exact, averages: &Exact, year: &Brackets) -> Severance {
    let limit = average_annual_wage * averages;
    let exempt = if *amount < limit { amount.clone() } else { limit };
    Severance { taxed: by_bands(amount - &exempt, year), exempt }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::china::rules;
    use hub_tree::jiff::civil::date;
    use hub_tree::value::parse_decimal;
    use proptest::prelude::*;

    fn d(text: &str) -> Exact {
        Exact::from(parse_decimal(text).unwrap())
    }

    fn payee() -> PayeeRules<'static> {
        rules::payee(date(2026, 1, 1)).unwrap()
    }

    /// By hand, from the announcement's own examples and each side of each threshold.
    #[test]
    fn residents_payments() {
        for (kind, amount, taxable, tax) in [
            (Kind::Labour, "0", "0.00", "0.00"),
            (Kind::Labour, "799.99", "0.00", "0.00"),
            (Kind::Labour, "800", "0.00", "0.00"),
            (Kind::Labour, "800.01", "0.01", "0.00"),
            (Kind::Labour, "2000", "1200.00", "240.00"),
            (Kind::Labour, "4000", "3200.00", "640.00"),
            (Kind::Labour, "4000.01", "3200.01", "640.00"),
            (Kind::Labour, "10000", "8000.00", "1600.00"),
            (Kind::Labour, "25000", "20000.00", "4000.00"),
            (Kind::Labour, "25000.10", "20000.08", "4000.02"),
            (Kind::Labour, "60000", "48000.00", "12400.00"),
            (Kind::Labour, "62500", "50000.00", "13000.00"),
            (Kind::Labour, "100000", "80000.00", "25000.00"),
            (Kind::Author, "3000", "1540.00", "308.00"),
            (Kind::Author, "800", "0.00", "0.00"),
            (Kind::Author, "40000", "22400.00", "4480.00"),
            (Kind::Royalty, "3000", "2200.00", "440.00"),
            (Kind::Royalty, "100000", "80000.00", "16000.00"),
        ] {
            let taxed = payee().resident(kind, &d(amount));
            let found = [taxed.taxable.to_places(2), taxed.tax.to_places(2)];
            assert_eq!(found, [taxable, tax], "{kind:?} {amount}");
        }
    }

    #[test]
    fn nonresidents_payments() {
        for (kind, amount, tax) in [
            // 24,000 × 20% − 1,410; 5,600 × 10% − 210; 80,000 × 35% − 7,160.
            (Kind::Labour, "30000", "3390.00"),
            (Kind::Author, "10000", "350.00"),
            (Kind::Royalty, "100000", "20840.00"),
            (Kind::Labour, "0", "0.00"),
            (Kind::Labour, "800", "19.20"),
        ] {
            assert_eq!(payee().nonresident(kind, &d(amount)).tax.to_places(2), tax, "{kind:?} {amount}");
        }
        for (wage, tax) in [("5000", "0.00"), ("4000", "0.00"), ("8000", "90.00"), ("30000", "3590.00")] {
            let taxed = nonresident_wage(&d(wage), &d("5000"), payee().month);
            assert_eq!(taxed.tax.to_places(2), tax, "{wage}");
        }
    }

    #[test]
    fn an_interns_months_are_those_with_pay() {
        let wages = rules::wages(date(2026, 1, 1)).unwrap();
        let pay = |months: &[(usize, &str)]| {
            let payments = months.iter().map(|(month, amount)| (*month, d(amount))).collect();
            let taxed = payee().intern(payments, wages);
            taxed.iter().map(|row| format!("{} {}", row.month, row.tax.to_places(2))).collect::<Vec<_>>()
        };
        // 8,000 − 5,000 = 3,000 × 3% a month; a pause is no month of the internship.
        assert_eq!(pay(&[(3, "10000"), (6, "10000")]), ["3 90.00", "6 90.00"]);
        // Two payments of a month share its deduction.
        assert_eq!(pay(&[(7, "5000"), (7, "5000"), (8, "6250")]), ["7 0.00", "7 90.00", "8 0.00"]);
        assert!(pay(&[]).is_empty());
    }

    #[test]
    fn compensation_is_free_up_to_its_limit() {
        let wages = rules::wages(date(2026, 1, 1)).unwrap();
        for (amount, exempt, taxable, tax) in [
            ("300000", "300000.00", "0.00", "0.00"),
            ("452772", "452772.00", "0.00", "0.00"),
            ("452772.01", "452772.00", "0.01", "0.00"),
            ("500000", "452772.00", "47228.00", "2202.80"),
        ] {
            let found = severance(&d(amount), &d("150924"), &d("3"), wages.table);
            let found = [found.exempt, found.taxed.taxable, found.taxed.tax].map(|amount| amount.to_places(2));
            assert_eq!(found, [exempt, taxable, tax], "{amount}");
        }
    }

    proptest! {
        #[test]
        fn more_pay_is_more_tax_and_more_left(fen in 0_i64..50_000_000, more in 1_i64..1_000_000) {
            let [low, high] = [fen, fen + more].map(|fen| Exact::from(fen).over(&Exact::hundred()).unwrap());
            let cent = Exact::one().over(&Exact::hundred()).unwrap();
            for kind in [Kind::Labour, Kind::Author, Kind::Royalty] {
                for of in [PayeeRules::resident, PayeeRules::nonresident] {
                    let (a, b) = (of(&payee(), kind, &low), of(&payee(), kind, &high));
                    prop_assert!(a.taxable <= b.taxable && a.tax <= b.tax);
                    prop_assert!(&low - &a.tax <= &high - &b.tax + cent.clone());
                }
            }
        }
    }
}
