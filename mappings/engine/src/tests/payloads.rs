//! Random payloads that partly fit the paths of generated mappings, as text.

use super::generate::Choices;
use std::fmt::Write as _;

/// Scalars of payloads as JSON: what fits somewhere, and what fits nowhere.
const SCALARS: &[&str] = &[
    "\"a\"",
    "\"b\"",
    "1",
    "\"2026-03-01\"",
    "\"work\"",
    "true",
    "null",
    "\"\"",
    "\" Ana \"",
    "12.50",
    "\"2026-03-01T09:30:00Z\"",
    "\"2026-03-01 17:30:00\"",
    "\"01/12/2026\"",
    "1767225600",
    "\"138 0013 8000\"",
    "\"+44 20 7946 0018\"",
    "\"ana@example.org\"",
    "\"CNY\"",
    "\"李娜\"",
    "false",
    "-3",
    "1e400",
    "123456789012345678901234567890123456789",
    "0.00000000000000000000000000000001",
    "\"a, b;c\"",
    "\"/Date(1330848000000)/\"",
    "\"\\u0000\\u001f\\\"\\\\\"",
    "\"\\u200b \\u3000\"",
    "\"9999-12-31\"",
    "46000.5",
];

pub(super) const KEYS: &[&str] =
    &["id", "t", "n", "day", "at", "list", "rows", "deep", "one", "b", "odd key", "@attr", "#text", "x", "基本"];

/// A payload as JSON.
pub(super) fn payload(choices: &mut Choices<'_>) -> String {
    let mut out = String::new();
    object(choices, &mut out, 3);
    out
}

fn object(choices: &mut Choices<'_>, out: &mut String, depth: usize) {
    out.push('{');
    let mut first = true;
    for key in KEYS {
        // Most are there.
        if choices.one_in(4) {
            continue;
        }
        if !first {
            out.push(',');
        }
        first = false;
        let _ = write!(out, "\"{key}\":");
        let lists = matches!(*key, "list" | "rows");
        match choices.below(12) {
            9 => value(choices, out, depth.saturating_sub(1)),
            10 => out.push_str("null"),
            11 => out.push_str("[]"),
            _ if lists && depth > 0 => list(choices, out, depth - 1, *key == "rows"),
            _ if matches!(*key, "deep" | "one") && depth > 0 => object(choices, out, depth - 1),
            _ => scalar(choices, out),
        }
    }
    out.push('}');
}

fn scalar(choices: &mut Choices<'_>, out: &mut String) {
    if choices.one_in(40) {
        let _ = write!(out, "\"{}\"", "长x".repeat(3_000));
        return;
    }
    let index = choices.below(SCALARS.len());
    out.push_str(SCALARS[index]);
}

fn list(choices: &mut Choices<'_>, out: &mut String, depth: usize, objects: bool) {
    if choices.one_in(5) {
        // A single value that stands for a list of one.
        return if objects { object(choices, out, depth) } else { scalar(choices, out) };
    }
    out.push('[');
    for index in 0..choices.below(4) {
        if index > 0 {
            out.push(',');
        }
        match choices.below(8) {
            6 => value(choices, out, depth),
            7 => out.push_str("null"),
            _ if objects && depth > 0 => object(choices, out, depth - 1),
            _ => scalar(choices, out),
        }
    }
    out.push(']');
}

fn value(choices: &mut Choices<'_>, out: &mut String, depth: usize) {
    match choices.below(6) {
        4 if depth > 0 => object(choices, out, depth - 1),
        5 if depth > 0 => list(choices, out, depth - 1, false),
        3 => {
            let levels = choices.below(50);
            let _ = write!(out, "{}1{}", "[".repeat(levels), "]".repeat(levels));
        }
        _ => scalar(choices, out),
    }
}
