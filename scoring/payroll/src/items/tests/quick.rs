//! What is made quickly is what is made in the long way, to the last digit.

use super::shipped::employee;
use super::{month, rules, shipped};
use crate::items::pay::slip as long_way;
use crate::items::{PayRules, Period, Problem, Slip};
use hub_tree::{Arena, Decimal, Limits, json};
use proptest::prelude::*;
use std::sync::LazyLock;

static CHINA: LazyLock<PayRules> = LazyLock::new(|| shipped("china-monthly"));
static HONG_KONG: LazyLock<PayRules> = LazyLock::new(|| shipped("hong-kong-monthly"));
static SINGAPORE: LazyLock<PayRules> = LazyLock::new(|| shipped("singapore-monthly"));

/// Both ways: through a map, at a desk, and long.
fn ways(rules: &PayRules, given: &str, period: Period) -> [Result<Slip, Vec<Problem>>; 3] {
    let arena = Arena::new();
    let map = json::read(&arena, given.as_bytes(), Limits::default()).unwrap();
    let payer = rules.payer(period);
    let mut desk = payer.desk();
    for (name, value) in map.entries() {
        desk.set(rules.slot(name).unwrap(), *value);
    }
    let at_desk = desk.pay("E-1").map(|paid| {
        let net = paid.net();
        let slip = paid.into_slip();
        assert_eq!(net, slip.net);
        slip
    });
    [rules.slip("E-1", map, period, false), at_desk, long_way(rules, "E-1", map, period, false)]
}

/// All three are one, to the byte; whether it could be made quickly.
fn same(rules: &PayRules, given: &str, period: Period) -> bool {
    let [by_map, at_desk, long] = ways(rules, given, period);
    let text = |way: &Result<Slip, Vec<Problem>>| format!("{way:#?}");
    assert_eq!(text(&by_map), text(&long), "{given}");
    assert_eq!(text(&at_desk), text(&long), "{given}");
    let arena = Arena::new();
    let map = json::read(&arena, given.as_bytes(), Limits::default()).unwrap();
    crate::items::sheet::quick_slip(rules, map, period).is_some()
}

/// Numbers as people are paid, and as nobody is.
fn number() -> impl Strategy<Value = String> {
    let plain = (0_i64..10_000_000).prop_map(|fen| Decimal::new(fen, 2).to_string());
    let odd = prop::sample::select(vec![
        "0",
        "-0",
        "-0.00",
        "0.00",
        "-1",
        "0.005",
        "0.0000000001",
        "9223372036854775807",
        "9223372036854775808",
        "92233720368547758.07",
        "79228162514264337593543950335",
        "0.0000000000000000000000000001",
        "1e20",
        "100000000000000000",
        "12345678901234.5678901234",
        "99999999999999999999999999999999",
    ]);
    prop_oneof![12 => plain, 1 => odd.prop_map(str::to_owned)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn in_mainland_china(
        numbers in prop::collection::vec(number(), 8),
        small in prop::collection::vec(0_u32..40, 6),
        grade in prop::sample::select(vec!["\"S\"", "\"C\"", "\"D\"", "null"]),
        city in prop::sample::select(vec!["\"CN-SH\"", "\"CN-SH\"", "\"CN-BJ\"", "\"CN-HZ\"", "\"CN-XX\""]),
        rate in prop::sample::select(vec!["5", "7", "7.0", "12", "4", "6.5"]),
        class in 1_u32..10, first in 1_u32..13, apart: bool, annual in prop::option::of(0_i64..30_000_000),
        period in prop::sample::select(vec![month(2026, 1), month(2026, 9), month(2025, 12), month(2028, 1)]),
    ) {
        let numbers: Vec<String> = numbers.iter().map(|number| format!("\"{number}\"")).collect();
        let small: Vec<String> = small.iter().map(|half| format!("\"{}\"", Decimal::new(i64::from(*half) * 5, 1))).collect();
        let (class, first, apart) = (class.to_string(), first.to_string(), apart.to_string());
        let annual = annual.map_or_else(|| "null".to_owned(), |fen| format!("\"{}\"", Decimal::new(fen, 2)));
        let given = employee(&[
            ("月薪", &numbers[0]), ("奖金基数", &numbers[1]), ("绩效等级", grade), ("津贴标准", &numbers[2]),
            ("缺勤天数", &small[0]), ("平日加班小时", &small[1]), ("休息日加班小时", &small[2]), ("出差天数", &small[3]),
            ("城市", city), ("社保基数", &numbers[3]), ("公积金基数", &numbers[4]), ("公积金比例", rate), ("工伤类别", &class),
            ("起算月", &first), ("累计收入", &numbers[5]), ("累计专项扣除", &numbers[6]), ("累计已预缴税额", &numbers[7]),
            ("年终奖金额", &annual), ("年终奖单独计税", &apart),
        ]);
        same(&CHINA, &given, period);
    }

    #[test]
    fn in_hong_kong(numbers in prop::collection::vec(number(), 3), days in 0_u32..31, year in 1955_u32..2009, joined in 1_u32..6) {
        let [salary, allowance, bonus] = [0, 1, 2].map(|place| numbers[place].clone());
        let given = format!(
            r#"{{"salary": "{salary}", "allowance_due": "{allowance}", "bonus_due": "{bonus}", "unpaid_days": {days}, "born": "{year}-04-30", "joined": "2026-0{joined}-15"}}"#
        );
        same(&HONG_KONG, &given, month(2026, 4));
    }

    #[test]
    fn in_singapore(
        numbers in prop::collection::vec(number(), 4), days in 0_u32..31, year in 1950_u32..2009,
        status in prop::sample::select(vec!["citizen", "pr", "pr_first_year", "foreigner", "alien"]),
    ) {
        let [salary, allowance, bonus, ceiling] = [0, 1, 2, 3].map(|place| numbers[place].clone());
        let given = format!(
            r#"{{"salary": "{salary}", "allowance_due": "{allowance}", "bonus_due": "{bonus}", "unpaid_days": {days}, "born": "{year}-01-15", "status": "{status}", "additional_ceiling": "{ceiling}"}}"#
        );
        same(&SINGAPORE, &given, month(2026, 3));
    }
}

/// A formula of random operations on three inputs.
fn formula() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec!["a", "b", "c", "2", "0.5", "3", "100", "21.75", "0.07", "grades.S", "gone"]);
    leaf.prop_map(str::to_owned).prop_recursive(4, 16, 3, |inner| {
        let operator = prop::sample::select(vec!["+", "-", "*", "/", "??"]);
        let comparison = prop::sample::select(vec!["<", "<=", ">", ">=", "==", "!="]);
        let places = prop::sample::select(vec!["", ", 1", ", 2", ", 7"]);
        let rounding = prop::sample::select(vec!["round", "round_half_even", "trunc", "floor"]);
        prop_oneof![
            6 => (inner.clone(), operator, inner.clone()).prop_map(|(l, sign, r)| format!("({l} {sign} {r})")),
            1 => (inner.clone(), inner.clone()).prop_map(|(l, r)| format!("min({l}, {r}, 7)")),
            1 => (inner.clone(), inner.clone()).prop_map(|(l, r)| format!("max({l}, {r})")),
            1 => (inner.clone(), comparison, inner.clone(), inner.clone())
                .prop_map(|(l, sign, r, then)| format!("if({l} {sign} {r} and not ({then} < 1), {then}, {l})")),
            2 => (rounding, inner.clone(), places).prop_map(|(name, number, places)| format!("{name}({number}{places})")),
            1 => inner.clone().prop_map(|inner| format!("abs(-{inner})")),
            1 => inner.prop_map(|inner| format!("(bracket(steps, {inner}) ?? if(exists({inner}), 1, 2))")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn random_rules(
        formulas in prop::collection::vec(formula(), 3), numbers in prop::collection::vec(number(), 3),
        places in 0_u32..5, mode in prop::sample::select(vec!["half_up", "half_even", "up", "down"]),
    ) {
        let [one, two, base] = [0, 1, 2].map(|place| formulas[place].clone());
        let rules = rules(&format!(
            "inputs:\n  a: {{ type: money, required: true }}\n  b: {{ type: number, default: 1.50 }}\n  c: {{ type: number, required: true }}\n  gone: {{ type: number }}\n\
             tables:\n  grades: {{ S: 1.5 }}\n  steps: [[0, 0.03], [36000, 0.1], [144000, 0.2]]\n\
             items:\n  - {{ item: second, kind: EARNING_BONUS, base: \"{base}\", rate: \"value_of\", rounding: {{ places: {places}, mode: {mode} }} }}\n  \
             - {{ value: value_of, formula: \"{two}\" }}\n  - {{ item: first, kind: EARNING_BASE, formula: \"{one}\" }}\n  \
             - {{ item: dues, kind: DEDUCTION_LOAN, when: \"first > second\", formula: \"first - second\" }}\n"
        ));
        let given = format!(r#"{{"a": "{}", "b": "{}", "c": "{}"}}"#, numbers[0], numbers[1], numbers[2]);
        same(&rules, &given, month(2026, 1));
    }
}

/// The quick way is one that is taken: most people are plain.
#[test]
fn plain_people_are_paid_quickly() {
    let given = employee(&[("月薪", "21750"), ("缺勤天数", "2"), ("奖金基数", "1500"), ("绩效等级", "\"A\"")]);
    assert!(same(&CHINA, &given, month(2026, 1)));
    assert!(same(&HONG_KONG, r#"{"salary": 20000, "born": "1990-05-01", "joined": "2020-01-01"}"#, month(2026, 4)));
    let singapore = r#"{"salary": 5000, "born": "1996-01-15", "status": "citizen", "additional_ceiling": 0}"#;
    assert!(same(&SINGAPORE, singapore, month(2026, 3)));
    // The pay cannot bear what is due, or an amount is too large: in the long way, with the same end.
    assert!(!same(&CHINA, &employee(&[("月薪", "0")]), month(2026, 1)));
    assert!(!same(&CHINA, &employee(&[("月薪", "79228162514264337593543950335"), ("津贴标准", "1")]), month(2026, 1)));
}

#[test]
fn an_input_that_the_rules_do_not_know_is_warned_of_as_ever() {
    let arena = Arena::new();
    let given = r#"{"salary": 20000, "born": "1990-05-01", "joined": "2020-01-01", "shoe": 44, "hat": null}"#;
    let map = json::read(&arena, given.as_bytes(), Limits::default()).unwrap();
    let quick = crate::items::sheet::quick_slip(&HONG_KONG, map, month(2026, 4)).unwrap();
    assert_eq!(quick, long_way(&HONG_KONG, "E-1", map, month(2026, 4), false).unwrap());
    assert_eq!(quick.warnings.len(), 2);
}
