//! What is said of files.

use super::{compile, rules, shipped};
use crate::items::PayRules;

/// The one error of a file, without the line that is shown of it.
fn error(text: &str) -> String {
    let (rules, told) = compile(text);
    assert!(rules.is_none(), "it should not compile: {text}");
    told
}

const A: &str = "items:\n  - { item: a, kind: EARNING_BASE, formula: ";

#[test]
fn an_unknown_name_is_told_with_its_place_and_the_one_that_is_near() {
    let told = error(
        "inputs:\n  月薪标准: { type: money, required: true }\nitems:\n  - { item: 基本工资, kind: EARNING_BASE, formula: 月薪标淮 * 2 }\n",
    );
    assert!(told.contains("pay/test.yaml:10:48: error: unknown name `月薪标淮`"), "{told}");
    assert!(told.contains("did you mean `月薪标准`?"), "{told}");
}

#[test]
fn a_circle_is_shown_with_the_place_of_each() {
    let told = error(
        "items:\n  - { item: a, kind: EARNING_BASE, formula: b + 1 }\n  - { item: b, kind: EARNING_BASE, formula: c }\n  \
         - { item: c, kind: EARNING_BASE, formula: a / 2 }\n",
    );
    let shown = "a (pay/test.yaml:8:13) → b (pay/test.yaml:9:13) → c (pay/test.yaml:10:13) → a (pay/test.yaml:8:13)";
    assert!(told.contains(&format!("items read each other in a circle: {shown}")), "{told}");
    let told = error(&format!("{A}a }}\n"));
    assert!(told.contains("a (pay/test.yaml:8:13) → a (pay/test.yaml:8:13)"), "{told}");
}

#[test]
fn taxable_pay_that_reads_the_wage_tax_is_a_circle() {
    let told = error(
        "items:\n  - { item: 奖金, kind: EARNING_BONUS, formula: 个人所得税 }\n  - use: china.wage_tax\n    \
         with: { income: 0, special: 0, tax: 0, first_month: 1, additional: 0 }\n",
    );
    assert!(told.contains("奖金 (pay/test.yaml:8:13) → china.wage_tax (pay/test.yaml:9:10) → 奖金"), "{told}");
}

#[test]
fn each_mistake_is_told() {
    for (text, wanted) in [
        (format!("{A}1 }}\n  - {{ item: a, kind: EARNING_BASE, formula: 2 }}\n"), "`a` is there twice on one day"),
        ("inputs:\n  a: { type: money }\n".to_owned() + A + "1 }\n", "`a` stands for something else already"),
        (format!("{A}\"'x'\" }}\n"), "an amount is number, this is text"),
        (format!("{A}1, when: 2 }}\n"), "a condition is true/false, this is number"),
        (format!("{A}1, from: 2026-02-01, until: 2026-01-01 }}\n"), "`until` is before `from`"),
        (format!("{A}1, from: 2026-02-30 }}\n"), "expected a day of the calendar"),
        (format!("{A}1, side: EMPLOYER }}\n"), "an earning is on the employee's side"),
        (format!("{A}1, tax: PRE_TAX }}\n"), "is one of: TAXABLE, EXEMPT"),
        (format!("{A}1, kind_of: x }}\n"), "unknown key `kind_of`"),
        (format!("{A}1, rounding: {{ places: 9, mode: up }} }}\n"), "expected a whole number from 0 to 6"),
        ("items:\n  - { item: a, kind: EARNING_BASE }\n".to_owned(), "has no `formula`"),
        ("items:\n  - { item: 1a, kind: EARNING_BASE, formula: 1 }\n".to_owned(), "formulas cannot use the name `1a`"),
        ("items:\n  - { item: a, value: b, formula: 1 }\n".to_owned(), "an entry is one of"),
        ("items:\n  - { item: a, kind: EARNING_BAS, formula: 1 }\n".to_owned(), "did you mean `EARNING_BASE`?"),
        ("items: []\n".to_owned(), "there is no item"),
        ("items:\n  - { use: china.contribution, with: {} }\n".to_owned(), "did you mean `china.contributions`?"),
        ("items:\n  - { use: hong_kong.mpf, with: {} }\n".to_owned(), "`hong_kong.mpf` is in HKD"),
        (
            "items:\n  - { use: china.contributions, with: { city: \"'CN-SH'\", base: 1, bas: 1 } }\n".to_owned(),
            "unknown parameter `bas`",
        ),
        ("items:\n  - { use: china.contributions, with: { base: 1 } }\n".to_owned(), "`with` lacks `city`"),
        (
            "items:\n  - { use: china.contributions, with: { city: 5, base: 1 } }\n".to_owned(),
            "`city` is text, this is number",
        ),
        (
            "items:\n  - { use: china.bonus_tax, with: { bonus: 1 + 1 } }\n".to_owned(),
            "`bonus` is the name of one item",
        ),
        (
            "inputs:\n  x: { type: money, required: true, default: 0 }\n".to_owned() + A + "x }\n",
            "an input that is required has no default",
        ),
        ("inputs:\n  x: { type: mony }\n".to_owned() + A + "x }\n", "did you mean `money`?"),
        ("inputs:\n  period: { type: money }\n".to_owned() + A + "1 }\n", "has a meaning of its own"),
        ("tables:\n  t: { S: 1 }\n".to_owned() + A + "t.X }\n", "the table `t` has no `X`"),
        ("tables:\n  t: [[5, 1], [5, 2]]\n".to_owned() + A + "bracket(t, 1) }\n", "a row begins above the one before"),
        (
            "tables:\n  t: [{ values: { S: 1 } }, { from: 2026-01-01, values: { S: 2 } }]\n".to_owned() + A + "t.S }\n",
            "two versions of the table `t` hold on one day",
        ),
        ("for: {}\n".to_owned() + A + "1 }\n", "`for` names nobody"),
    ] {
        let told = error(&text);
        assert!(told.contains(wanted), "{text}\n{wanted}\n{told}");
    }
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let told = error(
        "items:\n  - { item: a, kind: EARNING_BASE, formula: x }\n  - { item: b, kind: EARNING_BASE, formula: y }\n",
    );
    assert!(told.contains("unknown name `x`") && told.contains("unknown name `y`"), "{told}");
}

#[test]
fn what_no_formula_reads_is_warned_of() {
    let (rules, told) = compile(
        "inputs:\n  x: { type: money }\ntables:\n  t: { S: 1 }\nitems:\n  - { item: a, kind: EARNING_BASE, formula: 1 }\n",
    );
    assert!(
        rules.is_some() && told.contains("no formula reads the input `x`") && told.contains("the table `t`"),
        "{told}"
    );
}

#[test]
fn the_hash_is_that_of_the_text_and_the_packs() {
    let one = rules(&format!("{A}1 }}\n"));
    let other = rules(&format!("{A}2 }}\n"));
    assert_ne!(one.sha256(), other.sha256());
    assert_eq!(one.sha256(), rules(&format!("{A}1 }}\n")).sha256());
    assert_eq!((one.sha256().len(), one.version().as_str()), (64, "test@1"));
    assert_eq!(shipped("china-monthly").packs, ["china", "china-cities"]);
}

#[test]
fn rules_are_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<PayRules>();
}
