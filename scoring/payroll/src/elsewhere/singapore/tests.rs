use super::*;
use hub_tree::jiff::civil::date;
use hub_tree::value::parse_decimal;
use proptest::prelude::*;

fn d(text: &str) -> Exact {
    Exact::from(parse_decimal(text).unwrap())
}

fn pack() -> &'static Pack {
    Pack::load("singapore").unwrap()
}

/// What holds so many months after the month in which somebody became so old.
fn aged(status: Status, year: i16, age: i16, months: i8) -> Rules {
    let born = date(year - age, 6, 15);
    rules(pack(), status, born, date(year, 6 + months, 1)).unwrap().unwrap()
}

fn young(ordinary: &str, additional: &str) -> [String; 3] {
    let found = cpf(&d(ordinary), &d(additional), &d("102000"), &aged(Status::Full, 2026, 30, 0));
    [found.total, found.employee, found.employer].map(|amount| amount.to_string())
}

/// By hand from the Board's bands: 17% and 20%.
#[test]
fn the_bands_of_total_wages() {
    for (ordinary, additional, wanted) in [
        ("0", "0", ["0", "0", "0"]),
        ("49.99", "0", ["0", "0", "0"]),
        ("50", "0", ["0", "0", "0"]),
        // 8.50 and less: 17% alone.
        ("50.01", "0", ["9", "0", "9"]),
        ("500", "0", ["85", "0", "85"]),
        // 500.01 × 17% + 0.006.
        ("500.01", "0", ["85", "0", "85"]),
        ("600", "0", ["162", "60", "102"]),
        // 127.50 + 150 = 277.50 rounds up; just above, 37% of it is the same.
        ("750", "0", ["278", "150", "128"]),
        ("750.01", "0", ["278", "150", "128"]),
        ("1234.50", "0", ["457", "246", "211"]),
        ("4550", "0", ["1684", "910", "774"]),
        ("5000", "0", ["1850", "1000", "850"]),
        ("8000", "0", ["2960", "1600", "1360"]),
        ("8000.01", "0", ["2960", "1600", "1360"]),
        ("20000", "0", ["2960", "1600", "1360"]),
        // The band is that of both wages together.
        ("400", "200", ["162", "60", "102"]),
        ("8000", "10000", ["6660", "3600", "3060"]),
        ("9000", "10000", ["6660", "3600", "3060"]),
        ("0", "10000", ["3700", "2000", "1700"]),
    ] {
        assert_eq!(young(ordinary, additional), wanted, "{ordinary} {additional}");
    }
}

#[test]
fn additional_wages_count_up_to_what_is_left_of_the_year() {
    let rules = aged(Status::Full, 2026, 30, 0);
    let total = |left: &str| cpf(&d("8000"), &d("10000"), &d(left), &rules).total.to_string();
    // (8,000 + 6,000) × 37%.
    assert_eq!([total("6000"), total("10000"), total("0")], ["5180", "6660", "2960"]);
}

#[test]
fn a_new_age_counts_from_the_month_after_the_birthday() {
    for (year, age, months, employer, employee) in [
        (2026, 55, 0, "17", "20"),
        (2026, 55, 1, "16", "18"),
        (2025, 55, 1, "15.5", "17"),
        (2027, 55, 1, "16.5", "19"),
        (2026, 60, 0, "16", "18"),
        (2026, 60, 1, "12.5", "12.5"),
        (2025, 60, 1, "12", "11.5"),
        (2026, 65, 0, "12.5", "12.5"),
        (2026, 65, 1, "9", "7.5"),
        (2026, 70, 0, "9", "7.5"),
        (2026, 70, 1, "7.5", "5"),
        (2026, 90, 0, "7.5", "5"),
        (2026, 0, 0, "17", "20"),
    ] {
        let rules = aged(Status::Full, year, age, months);
        let found = [rules.employer, rules.employee].map(|rate| rate.to_string());
        assert_eq!(found, [employer, employee], "{year} {age} {months}");
    }
    assert_eq!(aged(Status::Full, 2025, 30, 0).ordinary_ceiling, d("7400"));
    assert_eq!(aged(Status::Full, 2027, 30, 0).ordinary_ceiling, d("8000"));
}

#[test]
fn new_residents_pay_less_and_foreigners_nothing() {
    let rates = |status| {
        let rules = aged(status, 2026, 55, 0);
        [rules.employer, rules.employee].map(|rate| rate.to_string())
    };
    assert_eq!(rates(Status::FirstYear), ["4", "5"]);
    assert_eq!(rates(Status::SecondYear), ["9", "15"]);
    let (born, month) = (date(1971, 6, 15), date(2026, 7, 1));
    assert!(rules(pack(), Status::FirstYear, born, month).unwrap_err().to_string().contains("of this age"));
    assert_eq!(rules(pack(), Status::Foreigner, born, month), Ok(None));
    for month in [date(2024, 12, 1), date(2028, 1, 1)] {
        assert!(rules(pack(), Status::Full, born, month).is_err(), "{month}");
    }
    // 600: 4% × 600 + 3 × 5% × 100 = 39.
    let found = cpf(&d("600"), &d("0"), &d("0"), &aged(Status::FirstYear, 2026, 30, 0));
    assert_eq!([found.total, found.employee, found.employer].map(|amount| amount.to_string()), ["39", "15", "24"]);
}

#[test]
fn ceilings_of_a_year() {
    for (wages, counted, left) in [
        (vec![], "0", "102000"),
        (vec!["8500"; 5], "40000", "62000"),
        (vec!["8000"; 12], "96000", "6000"),
        (vec!["7999.99", "8000.01"], "15999.99", "86000.01"),
    ] {
        let wages: Vec<Exact> = wages.into_iter().map(d).collect();
        assert_eq!(additional_ceiling(&wages, &d("8000"), &d("102000")), (d(counted), d(left)));
    }
    assert_eq!(additional_ceiling(&vec![d("9000"); 12], &d("9000"), &d("102000")).1, d("0"));
}

#[test]
fn levy_and_self_help() {
    let levy = |wages: &str| levy(&d(wages), &d("0.25"), &d("2"), &d("11.25")).to_places(2);
    for (wages, wanted) in [
        ("0", "0.00"),
        ("0.01", "2.00"),
        ("49.99", "2.00"),
        ("800", "2.00"),
        ("801", "2.00"),
        ("802", "2.01"),
        ("1234.50", "3.09"),
        ("4500", "11.25"),
        ("4499", "11.25"),
        ("4498", "11.25"),
        ("4497", "11.24"),
        ("90000", "11.25"),
    ] {
        assert_eq!(levy(wages), wanted, "{wages}");
    }
    let rows = &pack().rows("CDAC", date(2026, 1, 1)).unwrap().rule;
    for (wages, wanted) in [
        ("0", "0.00"),
        ("0.01", "0.50"),
        ("2000", "0.50"),
        ("2000.01", "1.00"),
        ("3500", "1.00"),
        ("3500.01", "1.50"),
        ("5000", "1.50"),
        ("5000.01", "2.00"),
        ("7500", "2.00"),
        ("7500.01", "3.00"),
    ] {
        assert_eq!(self_help(&d(wages), rows).unwrap().to_places(2), wanted, "{wages}");
    }
    assert_eq!(self_help(&d("1"), &[]), None);
}

proptest! {
    #[test]
    fn shares_are_whole_dollars_that_add_up_and_grow(cents in 0_i64..2_000_000, more in 0_i64..100_000, age in 20_i16..80) {
        let rules = aged(Status::Full, 2026, age, 0);
        let [low, high] = [cents, cents + more].map(|cents| {
            let wage = Exact::from(cents).over(&Exact::hundred()).unwrap();
            cpf(&wage, &Exact::zero(), &Exact::zero(), &rules)
        });
        for found in [&low, &high] {
            prop_assert_eq!(&found.employee + &found.employer, found.total.clone());
            prop_assert!(!found.employee.is_negative() && !found.employer.is_negative());
            prop_assert!(found.total.to_whole().is_some() && found.employee.to_whole().is_some());
        }
        prop_assert!(low.total <= high.total && low.employee <= high.employee);
    }
}
