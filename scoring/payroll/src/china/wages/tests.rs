use super::*;
use hub_tree::jiff::civil::date;
use hub_tree::value::parse_decimal;
use proptest::prelude::*;

fn d(text: &str) -> Exact {
    Exact::from(parse_decimal(text).unwrap())
}

fn rules() -> Rules<'static> {
    crate::china::rules::wages(date(2026, 1, 31)).unwrap()
}

fn run(month: usize, income: &str, special: &str, additional: &str) -> Month {
    let [exempt, other] = [Exact::zero(), Exact::zero()];
    Month { month, income: d(income), exempt, special: d(special), additional: d(additional), other }
}

fn taxes(runs: Vec<Month>, basic: Basic) -> Vec<String> {
    withhold(runs, basic, rules()).iter().map(|row| row.tax.to_places(2)).collect()
}

/// The worked examples of STA announcement 2018 No. 61 and of its tax offices.
#[test]
fn the_offices_own_examples() {
    let steady = (1..=3).map(|month| run(month, "30000", "4500", "2000")).collect();
    assert_eq!(taxes(steady, Basic::From(1)), ["555.00", "625.00", "1850.00"]);
    let joined_in_july = vec![run(7, "20000", "3500", "0")];
    assert_eq!(taxes(joined_in_july.clone(), Basic::From(7)), ["345.00"]);
    // First wage of the year, declared: seven months of basic deduction.
    assert_eq!(taxes(joined_in_july, Basic::From(1)), ["0.00"]);
    // Deductions that are declared late lower the sum; nothing is paid back, and March makes up for it.
    let late = vec![run(1, "25000", "0", "0"), run(2, "0", "0", "0"), run(3, "20000", "0", "0")];
    assert_eq!(taxes(late, Basic::From(1)), ["600.00", "0.00", "300.00"]);
}

#[test]
fn the_whole_years_deduction_withholds_nothing_up_to_its_limit() {
    let months = (1..=12).map(|month| run(month, "6000", "0", "0")).collect();
    let taxes = taxes(months, Basic::WholeYear);
    assert!(taxes[..10].iter().all(|tax| tax == "0.00"), "{taxes:?}");
    assert_eq!(taxes[10..], ["180.00", "180.00"]);
}

#[test]
fn a_second_run_of_a_month_takes_no_second_basic_deduction() {
    let rows = withhold(
        vec![run(2, "10000", "0", "0"), run(1, "10000", "0", "0"), run(2, "3000", "0", "0")],
        Basic::From(1),
        rules(),
    );
    let found: Vec<_> =
        rows.iter().map(|row| (row.month, row.taxable().to_places(2), row.to_date().to_places(2))).collect();
    let wanted = [(1, "5000.00", "150.00"), (2, "10000.00", "300.00"), (2, "13000.00", "390.00")];
    assert_eq!(found, wanted.map(|(month, taxable, tax)| (month, taxable.to_owned(), tax.to_owned())));
}

#[test]
fn each_threshold_of_the_year_belongs_to_the_lower_band() {
    for (taxable, percent, tax) in [
        ("36000", 3, "1080.00"),
        ("36000.01", 10, "1080.00"),
        ("144000", 10, "11880.00"),
        ("300000", 20, "43080.00"),
        ("420000", 25, "73080.00"),
        ("660000", 30, "145080.00"),
        ("960000", 35, "250080.00"),
        ("960001", 45, "250080.45"),
    ] {
        let rows = withhold(vec![run(1, taxable, "-5000", "0")], Basic::From(1), rules());
        assert_eq!((rows[0].band.percent.clone(), rows[0].tax.to_places(2)), (Exact::from(percent), tax.to_owned()));
    }
}

#[test]
fn the_settlement_has_one_basic_deduction() {
    let a: Vec<Month> = (1..=6).map(|month| run(month, "20000", "0", "0")).collect();
    let b: Vec<Month> = (7..=12).map(|month| run(month, "20000", "0", "0")).collect();
    let of = |runs: &[Month], first| withhold(runs.to_vec(), Basic::From(first), rules()).last().unwrap().to_date();
    // Each: 90,000 × 10% − 2,520 = 6,480. Together: 180,000 × 20% − 16,920 = 19,080.
    let (withheld_a, withheld_b) = (of(&a, 1), of(&b, 7));
    assert_eq!((withheld_a.to_places(2), withheld_b.to_places(2)), ("6480.00".into(), "6480.00".into()));
    let settled = settle(a.iter().chain(&b), &(withheld_a + withheld_b), rules());
    assert_eq!(settled.extra.to_places(2), "6120.00");
}

fn fen(amounts: std::ops::Range<i64>) -> impl Strategy<Value = Exact> {
    amounts.prop_map(|fen| Exact::from(fen).over(&Exact::hundred()).unwrap())
}

fn year() -> impl Strategy<Value = Vec<Month>> {
    let month = (fen(500_000..20_000_000), fen(0..400_000));
    prop::collection::vec(month, 12).prop_map(|months| {
        let run = |(index, (income, special)): (usize, (Exact, Exact))| {
            let nothing = Exact::zero;
            let extra = Exact::from(5000);
            Month {
                month: index + 1,
                income: income + extra,
                exempt: nothing(),
                special,
                additional: nothing(),
                other: nothing(),
            }
        };
        months.into_iter().enumerate().map(run).collect()
    })
}

proptest! {
    /// Where no month is below its deductions, twelve months of one employer leave nothing to settle.
    #[test]
    fn twelve_months_add_up_to_the_tax_of_the_year(runs in year()) {
        let rows = withhold(runs.clone(), Basic::From(1), rules());
        let withheld: Exact = rows.iter().map(|row| &row.tax).sum();
        prop_assert!(settle(&runs, &withheld, rules()).extra.is_zero());
        prop_assert_eq!(&withheld, &rows[11].to_date());
    }

    #[test]
    fn the_order_of_months_and_a_split_of_a_month_change_nothing(mut runs in year(), part in 1_i64..99) {
        let wanted = withhold(runs.clone(), Basic::From(1), rules()).last().unwrap().to_date();
        let mut second = run(4, "0", "0", "0");
        second.income = cents(&(&runs[3].income * &Exact::from(part).over(&Exact::hundred()).unwrap()));
        runs[3].income = &runs[3].income - &second.income;
        runs.push(second);
        runs.reverse();
        prop_assert_eq!(withhold(runs, Basic::From(1), rules()).last().unwrap().to_date(), wanted);
    }

    #[test]
    fn who_earns_more_pays_more_and_keeps_more(runs in year(), month in 0_usize..12, more in fen(1..1_000_000)) {
        let of = |runs: Vec<Month>| withhold(runs, Basic::From(1), rules()).last().unwrap().to_date();
        let before = of(runs.clone());
        let mut raised = runs;
        raised[month].income = &raised[month].income + &more;
        let after = of(raised);
        prop_assert!(before <= after && &after - &before < more + Exact::one().over(&Exact::hundred()).unwrap());
    }
}
