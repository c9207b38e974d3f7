//! Payslips of small rules.

use super::{lines, month, problems, rules, slip, slip_in};

const SEED: &str = "inputs:
  月薪: { type: money, required: true }
  绩效等级: { type: text }
  奖金基数: { type: money, default: 0 }
  津贴标准: { type: money, default: 0 }
tables:
  绩效系数: { S: 1.5, A: 1.2, B: 1.0, C: 0.8 }
items:
  - { item: 基本工资, kind: EARNING_BASE, formula: 月薪 }
  - { item: 绩效奖金, kind: EARNING_BONUS, when: exists(绩效等级), formula: \"奖金基数 * lookup(绩效系数, 绩效等级)\" }
  - { item: 津贴, kind: EARNING_ALLOWANCE, formula: 津贴标准 }
";

#[test]
fn the_seed_example() {
    let rules = rules(SEED);
    let slip = slip(&rules, r#"{"月薪": "5000", "绩效等级": "S", "奖金基数": 1500, "津贴标准": 300}"#).unwrap();
    assert_eq!(lines(&slip), ["基本工资 5000.00", "绩效奖金 2250.00", "津贴 300.00"]);
    assert_eq!([slip.gross, slip.net, slip.taxable].map(|sum| sum.to_string()), ["7550.00"; 3]);
    let bonus = slip.line("绩效奖金").unwrap();
    assert_eq!(bonus.how.as_deref(), Some("绩效奖金 = 1,500 × 1.5（S）= 2,250"));
    let read: Vec<String> = bonus.inputs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(read, ["奖金基数=1500", "绩效等级=\"S\""]);
    assert_eq!(bonus.place.as_deref(), Some("test@1 pay/test.yaml:16:13"));
    assert_eq!(bonus.explain.as_ref().unwrap().value.as_deref(), Some("2250.00"));
}

#[test]
fn each_grade_has_its_coefficient_and_without_one_there_is_no_bonus() {
    for (grade, bonus) in [("S", "2250.00"), ("A", "1800.00"), ("B", "1500.00"), ("C", "1200.00")] {
        let given = format!(r#"{{"月薪": 5000, "绩效等级": "{grade}", "奖金基数": "1500"}}"#);
        assert_eq!(slip(&rules(SEED), &given).unwrap().line("绩效奖金").unwrap().amount.to_string(), bonus);
    }
    assert_eq!(slip(&rules(SEED), r#"{"月薪": 5000, "绩效等级": null}"#).unwrap().line("绩效奖金"), None);
}

#[test]
fn an_unknown_grade_names_key_and_table() {
    let told = problems(&rules(SEED), r#"{"月薪": 5000, "绩效等级": "D"}"#);
    let [told] = told.as_slice() else { panic!("{told:?}") };
    assert!(told.starts_with("pay/test.yaml:16:"), "{told}");
    for wanted in
        ["employee `E-1`", "item `绩效奖金`", "`绩效系数` has nothing for \"D\" (绩效等级); it has S, A, B, C"]
    {
        assert!(told.contains(wanted), "{told}");
    }
}

#[test]
fn all_that_is_wrong_is_told_at_once_and_once() {
    let rules = rules(
        "inputs:\n  x: { type: money, required: true, from: compensation.BASE }\n  n: { type: number, default: 0 }\n  \
         d: { type: date }\n  f: { type: flag, default: false }\n  t: { type: text, default: a }\n\
         items:\n  - { item: a, kind: EARNING_BASE, formula: x }\n  - { item: b, kind: EARNING_BONUS, formula: a / 2 }\n  \
         - { item: c, kind: EARNING_BONUS, formula: 1 / n }\n  \
         - { item: e, kind: EARNING_BONUS, formula: \"if(d > period.start, 1, 0)\" }\n  \
         - { item: g, kind: EARNING_BONUS, when: f, formula: 1 }\n  \
         - { item: h, kind: EARNING_BONUS, formula: \"length(t)\" }\n",
    );
    let told = problems(&rules, r#"{"f": "yes", "t": ["a"]}"#);
    let wanted = [
        "pay/test.yaml:8:3: employee `E-1`, /x: `x`: the input is missing, and is required; it comes from `compensation.BASE`",
        "pay/test.yaml:11:3: employee `E-1`, /f: `f`: it is true or false, this is text",
        "pay/test.yaml:12:3: employee `E-1`, /t: `t`: it is text, this is a list",
        "pay/test.yaml:16:50: employee `E-1`, item `c`: `1 / n`: division by zero",
    ];
    assert_eq!(told.len(), 5, "{told:?}");
    for wanted in wanted {
        assert!(told.iter().any(|told| told == wanted), "{wanted}\n{told:#?}");
    }
    assert!(told.iter().any(|told| told.contains("item `e`") && told.contains("condition is absent")), "{told:#?}");
}

#[test]
fn an_absent_result_is_never_nothing() {
    let rules = rules("inputs:\n  x: { type: money }\nitems:\n  - { item: a, kind: EARNING_BASE, formula: x + 1 }\n");
    let told = problems(&rules, "{}");
    assert!(told[0].contains("`x + 1` has no result: `x` is absent: give it, write a default with `??`"), "{told:?}");
    assert!(told[0].starts_with("pay/test.yaml:10:45: "), "{told:?}");
}

#[test]
fn inputs_are_read_by_their_kind() {
    let rules = rules(
        "inputs:\n  x: { type: money, required: true }\n  d: { type: date, default: 2026-01-31 }\n\
         items:\n  - { item: a, kind: EARNING_BASE, formula: \"if(d == period.end, x, 0)\" }\n",
    );
    for (given, wanted) in [
        (r#"{"x": {"amount": "10.005", "currency": "CNY"}}"#, "10.01"),
        (r#"{"x": "3.001", "d": "2026-01-31"}"#, "3.00"),
        (r#"{"x": 12345678901234567890.5}"#, "12345678901234567890.50"),
    ] {
        assert_eq!(slip(&rules, given).unwrap().gross.to_string(), wanted);
    }
    for (given, wanted) in [
        (r#"{"x": {"amount": "10", "currency": "USD"}}"#, "an amount of these rules is in CNY, this is in USD"),
        (r#"{"x": "1,000"}"#, "it is a number or decimal text"),
        (r#"{"x": 1, "d": "2026-02-30"}"#, "`2026-02-30` is no day"),
        (r#"{"x": 1e400}"#, "at most 28 digits"),
        ("[]", "inputs are a map by name"),
    ] {
        let told = problems(&rules, given).join("\n");
        assert!(told.contains(wanted), "{told}");
    }
    let warned = slip(&rules, r#"{"x": 1, "y": 2}"#).unwrap();
    assert_eq!(warned.warnings[0].message, "the rules have no input `y`; it was not read");
}

#[test]
fn versions_hold_from_their_first_to_their_last_day() {
    let rules = rules(
        "tables:\n  t:\n    - { until: 2026-06-30, values: { S: 1 } }\n    - { from: 2026-07-01, until: 2026-12-31, values: { S: 2 } }\n\
         items:\n  - { item: a, kind: EARNING_BASE, until: 2026-03-31, formula: 100 }\n  \
         - { item: a, kind: EARNING_BASE, from: 2026-04-01, formula: 200 }\n  \
         - { item: b, kind: EARNING_BONUS, from: 2026-03-01, formula: \"lookup(t, 'S')\" }\n",
    );
    let of = |year, number| lines(&slip_in(&rules, "{}", month(year, number)).unwrap());
    assert_eq!(of(2026, 2), ["a 100.00"]);
    assert_eq!(of(2026, 3), ["a 100.00", "b 1.00"]);
    assert_eq!(of(2026, 4), ["a 200.00", "b 1.00"]);
    assert_eq!(of(2026, 7), ["a 200.00", "b 2.00"]);
    let told = slip_in(&rules, "{}", month(2027, 1)).unwrap_err();
    assert!(told[0].message.contains("the table `t` has no version that holds on 2027-01-31"), "{told:?}");
}

#[test]
fn items_may_be_for_some() {
    let rules = rules(
        "for: { legal_entities: [LE-1, LE-2] }\nitems:\n  - { item: a, kind: EARNING_BASE, for: { legal_entities: [LE-1] }, formula: 1 }\n  \
         - { item: a, kind: EARNING_BASE, for: { legal_entities: [LE-2] }, formula: 2 }\n  \
         - { item: b, kind: EARNING_BONUS, for: { groups: [sales] }, formula: 3 }\n",
    );
    let of = |given: &str| lines(&slip(&rules, given).unwrap());
    assert_eq!(of(r#"{"legal_entity": "LE-1", "pay_group": "office"}"#), ["a 1.00"]);
    assert_eq!(of(r#"{"legal_entity": "LE-2", "pay_group": "sales"}"#), ["a 2.00", "b 3.00"]);
    let told = problems(&rules, r#"{"legal_entity": "LE-3", "pay_group": "sales"}"#);
    assert!(told[0].contains("the rules test@1 are not for this legal entity"), "{told:?}");
    let told = problems(&rules, r#"{"legal_entity": "LE-1"}"#);
    assert!(told[0].contains("/pay_group: `pay_group` is missing"), "{told:?}");
}

#[test]
fn each_line_is_rounded_once_by_its_mode() {
    let of = |mode: &str, amount: &str| {
        let rules = rules(&format!(
            "items:\n  - {{ item: a, kind: EARNING_ADJUSTMENT, rounding: {mode}, formula: \"{amount}\" }}\n  - {{ item: b, kind: EARNING_BASE, formula: 1000 }}\n"
        ));
        slip(&rules, "{}").unwrap().lines[0].amount.to_string()
    };
    for (mode, amount, wanted) in [
        ("{ places: 2, mode: half_up }", "10.005", "10.01"),
        ("{ places: 2, mode: half_up }", "-10.005", "-10.01"),
        ("{ places: 2, mode: half_even }", "10.005", "10.00"),
        ("{ places: 2, mode: half_even }", "10.015", "10.02"),
        ("{ places: 1, mode: up }", "10.01", "10.1"),
        ("{ places: 0, mode: up }", "-10.01", "-11"),
        ("{ places: 2, mode: down }", "10.009", "10.00"),
        ("{ places: 2, mode: half_up }", "-0.001", "0.00"),
        ("{ places: 4, mode: half_up }", "10 / 3", "3.3333"),
    ] {
        assert_eq!(of(mode, amount), wanted, "{mode} {amount}");
    }
}

#[test]
fn a_formula_reads_the_rounded_line_and_the_value_that_is_not() {
    let rules = rules(
        "items:\n  - { item: total, kind: EARNING_BONUS, formula: \"3 * third + 3 * exact\" }\n  \
         - { item: third, kind: EARNING_BASE, formula: 100 / 3 }\n  - { value: exact, formula: 1 / 8 }\n",
    );
    assert_eq!(lines(&slip(&rules, "{}").unwrap()), ["total 100.37", "third 33.33"]);
}

#[test]
fn base_quantity_and_rate_make_an_amount() {
    let rules = rules(
        "inputs:\n  h: { type: number, required: true }\nitems:\n  - { item: 加班费, kind: EARNING_OVERTIME, base: 125, quantity: h, rate: 1.5 }\n",
    );
    let slip = slip(&rules, r#"{"h": 2}"#).unwrap();
    let line = &slip.lines[0];
    assert_eq!(line.how.as_deref(), Some("加班费 = 125 × 2 × 1.5 = 375"));
    assert_eq!([line.base, line.quantity, line.rate].map(|part| part.unwrap().to_string()), ["125", "2", "1.5"]);
}

#[test]
fn a_pay_that_cannot_bear_its_deductions_carries_them_the_law_first() {
    let text = |pay: &str| {
        rules(&format!(
            "items:\n  - {{ item: loan, kind: DEDUCTION_LOAN, formula: 500 }}\n  - {{ item: court, kind: DEDUCTION_GARNISHMENT, formula: 300 }}\n  \
             - {{ item: tax, kind: TAX_INCOME, formula: 200 }}\n  - {{ item: absence, kind: DEDUCTION_ABSENCE, formula: 100 }}\n  \
             - {{ item: pay, kind: EARNING_BASE, formula: {pay} }}\n  - {{ item: own, kind: SOCIAL_PENSION, side: EMPLOYER, formula: 160 }}\n"
        ))
    };
    for (pay, taken, net, carried) in [
        ("1200", ["-500.00", "-300.00", "-200.00", "-100.00"], "100.00", "0"),
        ("1100", ["-500.00", "-300.00", "-200.00", "-100.00"], "0.00", "0"),
        ("700", ["-100.00", "-300.00", "-200.00", "-100.00"], "0.00", "400"),
        ("450", ["0.00", "-150.00", "-200.00", "-100.00"], "0.00", "650"),
        ("50", ["0.00", "0.00", "0.00", "-50.00"], "0.00", "1050"),
    ] {
        let slip = slip(&text(pay), "{}").unwrap();
        let found: Vec<String> = slip.lines[..4].iter().map(|line| line.amount.to_string()).collect();
        assert_eq!(found, taken, "{pay}");
        assert_eq!(
            (slip.net.to_string().as_str(), slip.carried_forward.normalize().to_string().as_str()),
            (net, carried)
        );
        let whole: hub_tree::Decimal = slip.lines.iter().map(|line| line.carried).sum();
        assert_eq!(whole, slip.carried_forward);
        assert_eq!(slip.warnings.len(), slip.lines.iter().filter(|line| !line.carried.is_zero()).count());
        assert_eq!(
            slip.employer_cost,
            slip.gross + slip.line("absence").unwrap().amount + hub_tree::Decimal::from(160)
        );
    }
}

#[test]
fn too_much_is_an_error() {
    let most = "9".repeat(28);
    let rules = rules(
        "inputs:\n  x: { type: money, required: true }\nitems:\n  - { item: a, kind: EARNING_BASE, formula: x }\n  \
         - { item: b, kind: EARNING_BASE, formula: x * y }\n  - { item: c, kind: EARNING_BASE, base: x, rate: x }\n  - { value: y, formula: x + 0 }\n",
    );
    let told = problems(&rules, &format!(r#"{{"x": "{most}"}}"#));
    assert!(told.iter().any(|told| told.contains("item `b`") && told.contains("more than 28 digits")), "{told:?}");
    assert!(
        told.iter().any(|told| told.contains("item `c`") && told.contains("more digits than can be paid")),
        "{told:?}"
    );
    let sums = super::rules(
        "inputs:\n  x: { type: money, required: true }\nitems:\n  - { item: a, kind: EARNING_BASE, formula: x }\n  - { item: b, kind: EARNING_BASE, formula: x }\n",
    );
    let most = "79228162514264337593543950335";
    assert!(problems(&sums, &format!(r#"{{"x": "{most}"}}"#)).iter().any(|told| told.contains("more digits")), "sum");
}

#[test]
fn without_explanations_the_amounts_are_the_same() {
    let rules = rules(SEED);
    let arena = hub_tree::Arena::new();
    let text = r#"{"月薪": "5000", "绩效等级": "S", "奖金基数": 1500}"#;
    let given = hub_tree::json::read(&arena, text.as_bytes(), hub_tree::Limits::default()).unwrap();
    let quiet = rules.slip("E-1", given, month(2026, 1), false).unwrap();
    assert_eq!(lines(&quiet), lines(&slip(&rules, text).unwrap()));
    assert!(quiet.lines.iter().all(|line| line.how.is_none() && line.explain.is_none() && line.inputs.is_empty()));
}
