//! A formula with its values, as people write it on paper: `1,500 × 1.5（S）= 2,250`.

use hub_calc::{Exact, Explain};
use hub_tree::Decimal;
use std::sync::Arc;

/// Digits behind the point that are shown of what is no amount.
const SHOWN: u32 = 6;

/// An amount with thousands set off and no needless zeros: `12,345.67`, `1,600`.
pub(super) fn amount(exact: &Exact) -> String {
    grouped(exact.to_places(2).trim_end_matches('0').trim_end_matches('.'))
}

/// A number with thousands set off; one of many digits is cut.
pub(super) fn number(number: Decimal) -> String {
    let short = number.trunc_with_scale(SHOWN).normalize();
    let cut = if short == number { "" } else { "…" };
    grouped(&short.to_string()) + cut
}

fn grouped(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("−", digits));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let mut out = sign.to_owned();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

/// `绩效奖金 = 1,500 × 1.5（S）= 2,250`.
pub(super) fn line(name: &str, right: &str, result: Decimal) -> String {
    let result = number(result);
    if right == result {
        return format!("{name} = {result}");
    }
    let space = if right.ends_with('）') { "" } else { " " };
    format!("{name} = {right}{space}= {result}")
}

/// The right side of a formula: the text with the values of the names in it.
pub(super) fn right_side(step: &Explain) -> String {
    let is_name = step.path.as_ref().is_some_and(|path| *path == step.text);
    if step.because.is_empty() || is_name {
        return value(step);
    }
    if ["lookup(", "bracket("].iter().any(|function| step.text.starts_with(function)) {
        // The last thing looked at is the key; a key that is written out is no step.
        return match step.because.as_slice() {
            [_, .., key] => format!("{}（{}）", value(step), value(key)),
            _ => value(step),
        };
    }
    let mut out = String::new();
    let mut rest = step.text.as_str();
    for below in &step.because {
        let Some((before, after)) = rest.split_once(below.text.as_str()) else { continue };
        out.push_str(&signs(before));
        out.push_str(&right_side(below));
        rest = after;
    }
    out + &signs(rest)
}

/// What stands between values, with the signs of paper; texts in quotes stay as they are.
fn signs(text: &str) -> String {
    if text.contains(['"', '\'']) {
        text.to_owned()
    } else {
        text.replace('*', "×").replace('/', "÷").replace('-', "−")
    }
}

/// The value of a step.
fn value(step: &Explain) -> String {
    let Some(json) = &step.value else { return "（无）".to_owned() };
    match (json.strip_prefix('"').and_then(|text| text.strip_suffix('"')), json.parse::<Decimal>()) {
        (Some(text), _) => text.to_owned(),
        (None, Ok(found)) => number(found),
        (None, Err(_)) => json.clone(),
    }
}

/// The names that a formula read, each once, with their values as JSON. Tables are left out: they stand in the file.
pub(super) fn inputs(step: &Explain, found: &mut Vec<(Arc<str>, String)>) {
    if let (Some(path), Some(value)) = (&step.path, &step.value)
        && !value.starts_with(['{', '['])
        && *path == step.text
        && found.iter().all(|(known, _)| **known != **path)
    {
        found.push((path.as_str().into(), value.clone()));
    }
    for below in &step.because {
        inputs(below, found);
    }
}

/// The first step, from the innermost, that has no value.
pub(super) fn absent(step: &Explain) -> Option<&Explain> {
    if step.value.is_some() {
        return None;
    }
    step.because.iter().find_map(absent).or(Some(step))
}
