//! Rules are compiled from text as files hold it; payslips are compared in whole numbers of cents.

mod files;
mod properties;
mod quick;
mod shipped;
mod slips;

use crate::items::{PayRules, Period, Problem, Slip};
use hub_tree::jiff::civil::{Date, date};
use hub_tree::{Arena, Findings, Limits, Source, json};

/// The head of a file whose places begin on line 7.
const HEAD: &str = "version: 1\npay: test\nrevision: 1\nname: { en: Test }\ncurrency: CNY\n\
                    rounding: { places: 2, mode: half_up }\n";

/// What is said of a file, and its rules if it is sound.
fn compile(text: &str) -> (Option<PayRules>, String) {
    let source = Source::new("pay/test.yaml", format!("{HEAD}{text}"));
    let findings = Findings::new();
    let rules = PayRules::compile(&source, &findings);
    let told: Vec<String> = findings.into_sorted().iter().map(ToString::to_string).collect();
    (rules, told.join("\n"))
}

fn rules(text: &str) -> PayRules {
    let (rules, told) = compile(text);
    rules.unwrap_or_else(|| panic!("{told}"))
}

/// Rules that ship with the program.
fn shipped(id: &str) -> PayRules {
    let path = format!("{}/../models/pay/{id}.yaml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap();
    let findings = Findings::new();
    let rules = PayRules::compile(&Source::new(path, text), &findings);
    let told = findings.into_sorted();
    assert!(told.is_empty(), "{told:?}");
    rules.unwrap()
}

/// A calendar month that is paid on its last day.
fn month(year: i16, month: i8) -> Period {
    let start = date(year, month, 1);
    let end: Date = start.last_of_month();
    Period { start, end, pay_on: end }
}

/// `given`: JSON.
fn slip_in(rules: &PayRules, given: &str, period: Period) -> Result<Slip, Vec<Problem>> {
    let arena = Arena::new();
    let given = json::read(&arena, given.as_bytes(), Limits::default()).unwrap();
    rules.slip("E-1", given, period, true)
}

fn slip(rules: &PayRules, given: &str) -> Result<Slip, Vec<Problem>> {
    slip_in(rules, given, month(2026, 1))
}

/// What keeps a payslip from being made, a line each.
fn problems(rules: &PayRules, given: &str) -> Vec<String> {
    slip(rules, given).unwrap_err().iter().map(ToString::to_string).collect()
}

/// The lines as `code amount`.
fn lines(slip: &Slip) -> Vec<String> {
    slip.lines.iter().map(|line| format!("{} {}", line.code, line.amount)).collect()
}
