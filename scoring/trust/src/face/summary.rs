//! `audit_summary_counts`: who is in the tables of an audit.

use super::whole;
use crate::audit::{Headcount, known};
use hub_calc::{Answer, Explain, Given, Wrong};
use hub_tree::Value;

/// `audit_summary_counts`.
pub(super) fn counts(given: Given<'_>) -> Result<Answer<'_>, Wrong> {
    let mut count = Headcount::default();
    for row in given.list("rows")? {
        if !matches!(row.value(), Value::Map(_)) {
            return Err(
                row.wrong_here(&format!("an object with sex and race is needed, and there is {}", row.value().kind()))
            );
        }
        count.add(known(row.optional_text("sex")?), known(row.optional_text("race")?), 1);
    }
    let mut answer = Answer::new(given.arena())
        .with("assessed", whole(count.assessed))
        .with("in_sex", whole(count.in_sex()))
        .with("in_race", whole(count.in_race()))
        .with("in_intersection", whole(count.in_intersection()))
        .with("unknown_sex", whole(count.unknown_sex))
        .with("unknown_race", whole(count.unknown_race))
        .with("unknown_intersection", whole(count.unknown_intersection));
    let steps = [
        ("by sex", count.unknown_sex, count.in_sex()),
        ("by race/ethnicity", count.unknown_race, count.in_race()),
        ("by both, where neither may be unknown", count.unknown_intersection, count.in_intersection()),
    ];
    for (which, unknown, within) in steps {
        let text = format!("{which}: {} assessed − {unknown} unknown = {within}", count.assessed);
        answer = answer.because(Explain::leaf(text, Some("rows".to_owned()), whole(within)));
    }
    Ok(answer)
}
