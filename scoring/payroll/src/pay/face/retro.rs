//! Back pay.

use super::{period, quantity, step};
use crate::pay::retro::{Line, lines, share_from};
use hub_calc::{Answer, Exact, Given, Wrong};
use hub_tree::Value;
use hub_tree::jiff::civil::Date;
use hub_tree::jiff::{Span, ToSpan};
use std::collections::BTreeSet;

/// A month as periods are written.
fn written(month: Date) -> String {
    format!("{:04}-{:02}", month.year(), month.month())
}

/// The months to be corrected, each once and closed before that of the payment.
fn months(given: Given<'_>, paid_in: Date) -> Result<Vec<Date>, Wrong> {
    let (mut months, mut seen) = (Vec::new(), BTreeSet::new());
    for item in given.list("periods")? {
        let text = item.as_text()?;
        let month = period(given, "periods", text).map_err(|wrong| item.wrong_here(&wrong.detail))?;
        if month >= paid_in {
            let detail =
                format!("the period {text} is not closed before {}, in which it would be paid", written(paid_in));
            return Err(item.wrong_here(&detail));
        }
        if !seen.insert(month) {
            return Err(item.wrong_here(&format!("the period {text} is there twice")));
        }
        months.push(month);
    }
    Ok(months)
}

/// The first closed month since the change that is not among those to be corrected.
fn forgotten(effective: Date, paid_in: Date, months: &[Date]) -> Option<Date> {
    let months: BTreeSet<&Date> = months.iter().collect();
    let one: Span = 1.month();
    effective.first_of_month().series(one).take_while(|month| *month < paid_in).find(|month| !months.contains(month))
}

pub(super) fn retro<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let (old, new) = (quantity(given, "old_monthly")?, quantity(given, "new_monthly")?);
    let percent = given.has("bonus_pct_of_base").then(|| quantity(given, "bonus_pct_of_base")).transpose()?;
    let effective = given.date("effective_from")?;
    let paid_in = period(given, "paid_in", given.text("paid_in")?)?;
    let months = months(given, paid_in)?;
    let found = lines(&old, &new, percent.as_ref(), effective, &months);
    let arena = given.arena();
    let text = |text: &str| Value::Text(arena.text(text));
    let (mut shown, mut because) = (Vec::new(), Vec::new());
    for Line { month, element, delta } in &found {
        let (period, amount) = (written(*month), delta.to_places(2));
        shown.push(arena.map(&[("period", text(&period)), ("element", text(element)), ("delta", text(&amount))]));
        let part = share_from(*month, effective);
        let part = if part == Exact::one() { String::new() } else { format!(" for {part} of the month") };
        let (how, path) = match (*element, &percent) {
            ("bonus", Some(percent)) => (format!("{percent}% of the base before and after"), "bonus_pct_of_base"),
            _ => (format!("base {new} instead of {old}{part}"), "new_monthly"),
        };
        because.push(step(given, format!("{period} {element}: {how}"), path, delta));
    }
    let total: Exact = found.iter().map(|line| &line.delta).sum();
    let why = format!("the sum of {} lines, paid and taxed in {}", found.len(), written(paid_in));
    let answer = Answer::new(arena).with("lines", arena.list(&shown)).number("total", &total, 2);
    let mut answer = answer.because(step(given, why, "periods", &total).because(because));
    if effective.day() > 1 && months.contains(&effective.first_of_month()) {
        answer.warn("/effective_from", "the wage changed within a month; that month counts by calendar days");
    }
    if let Some(month) = forgotten(effective, paid_in, &months) {
        let detail = format!("{} is closed and touched by the change, and not among `periods`", written(month));
        answer.warn("/periods", &detail);
    }
    Ok(answer)
}
