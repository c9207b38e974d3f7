//! Selection rates, scoring rates and what becomes of them.

use super::{group, least_share, whole};
use crate::audit::known;
use crate::impact::{Group, Impact, Standing, impact};
use crate::median::{Middle, in_full};
use hub_calc::{Answer, Exact, Explain, Given, Wrong};
use hub_tree::{Arena, Value};
use std::collections::BTreeMap;

/// The places of rates and ratios.
const PLACES: u32 = 6;

/// `selection_impact`.
pub(super) fn selection(given: Given<'_>) -> Result<Answer<'_>, Wrong> {
    let list = given.map("categories")?;
    if list.entries().is_empty() {
        return Err(given.wrong("categories", "`categories` is empty: a rate needs at least one group of people"));
    }
    let (mut names, mut groups) = (Vec::new(), Vec::new());
    for (name, value) in list.entries() {
        // Read by itself, so that a list of many categories is not searched for each of them.
        let one = Given::new(given.arena(), *value);
        let within = |wrong: Wrong| Wrong { pointer: list.pointer_of(name) + &wrong.pointer, ..wrong };
        if !matches!(value, Value::Map(_)) {
            let detail =
                format!("the group `{name}` should be an object with applicants and selected, and is {}", value.kind());
            return Err(within(one.wrong_here(&detail)));
        }
        names.push(*name);
        groups.push(group(&one, "applicants").map_err(within)?);
    }
    let least = least_share(&given)?;
    let unknown_name = given.optional_text("unknown_category")?;
    let unknown = unknown_name.and_then(|unknown| names.iter().position(|name| *name == unknown));
    let found = impact(&groups, |at| unknown == Some(at), least.as_ref());
    let words =
        Words { assessed: "applicants", favoured: "selected", rate: "selection_rate", list: "categories", flags: true };
    let mut answer = write(Answer::new(given.arena()), &words, given.arena(), &names, &groups, &found);
    let arena = given.arena();
    let parity = [
        ("min_ratio", number_or_null(arena, found.min_ratio().as_ref())),
        ("max_difference", number_or_null(arena, found.max_difference().as_ref())),
    ];
    answer = answer.with("demographic_parity", arena.map(&parity));
    answer = explained(answer, &words, arena, &names, &groups, &found);
    warn_of_unknown(&mut answer, &given, unknown_name, unknown);
    Ok(answer)
}

/// `scoring_impact`. People without a category, or with one that says it was not told, are part of the sample, and so of
/// its median, and are in no ratio.
pub(super) fn scoring(given: Given<'_>) -> Result<Answer<'_>, Wrong> {
    let mut people = Vec::new();
    for row in given.list("scores")? {
        if !matches!(row.value(), Value::Map(_)) {
            return Err(row.wrong_here(&format!(
                "an object with category and score is needed, and there is {}",
                row.value().kind()
            )));
        }
        people.push((row.optional_text("category")?.filter(|name| !name.trim().is_empty()), row.number("score")?));
    }
    let mut scores: Vec<Exact> = people.iter().map(|(_, score)| score.clone()).collect();
    let Some(middle) = Middle::of(&mut scores) else {
        return Err(given.wrong("scores", "`scores` is empty: a median needs at least one score"));
    };
    let mut counts: BTreeMap<&str, Group> = BTreeMap::new();
    let mut nameless = Group::default();
    for (category, score) in &people {
        let counted = category.map_or(&mut nameless, |name| counts.entry(name).or_default());
        counted.assessed += 1;
        counted.favoured += u64::from(middle.is_under(score));
    }
    let names: Vec<&str> = counts.keys().copied().collect();
    let mut groups: Vec<Group> = counts.values().copied().collect();
    let least = least_share(&given)?;
    let unknown_name = given.optional_text("unknown_category")?;
    let named_unknown = unknown_name.and_then(|unknown| names.iter().position(|name| *name == unknown));
    // Those without any category count among all people, and come last; they are not handed back as a category.
    groups.push(nameless);
    let is_unknown = |at: usize| named_unknown == Some(at) || known(names.get(at).copied()).is_none();
    let found = impact(&groups, is_unknown, least.as_ref());
    let median = in_full(&middle.median());
    let arena = given.arena();
    let words = Words { assessed: "n", favoured: "above_median", rate: "scoring_rate", list: "scores", flags: false };
    let mut answer = write(Answer::new(arena).text("sample_median", &median), &words, arena, &names, &groups, &found);
    let unknown = groups.iter().zip(&found.standings).filter(|(_, standing)| **standing == Standing::Unknown);
    answer = answer.with("unknown", whole(unknown.map(|(group, _)| group.assessed).sum()));
    let text = format!(
        "the median of all {} scores is {median}; only scores strictly above it count, ties do not",
        people.len()
    );
    let step = Explain::leaf(text, Some("scores".to_owned()), Value::Text(arena.text(&median)));
    answer = explained(answer.because(step), &words, arena, &names, &groups, &found);
    warn_of_unknown(&mut answer, &given, unknown_name, named_unknown);
    if nameless.assessed > 0 {
        let detail =
            format!("{} people have no category; they are part of the median and in no ratio", nameless.assessed);
        answer.warn(&given.pointer_of("scores"), &detail);
    }
    Ok(answer)
}

fn warn_of_unknown(answer: &mut Answer<'_>, given: &Given<'_>, name: Option<&str>, found: Option<usize>) {
    if let (Some(name), None) = (name, found) {
        let detail = format!("no group is called `{name}`; nobody was counted as of unknown category by this name");
        answer.warn(&given.pointer_of("unknown_category"), &detail);
    }
}

/// What the fields are called in one of the two calculations.
struct Words {
    assessed: &'static str,
    favoured: &'static str,
    rate: &'static str,
    list: &'static str,
    /// Whether every flag is told, or only those that are set.
    flags: bool,
}

fn number_or_null<'a>(arena: &'a Arena, number: Option<&Exact>) -> Value<'a> {
    number.map_or(Value::Null, |number| Value::Text(arena.text(&number.to_places(PLACES))))
}

/// The categories with their rates and ratios, and the highest rate. What does not exist is null.
fn write<'a>(
    answer: Answer<'a>,
    words: &Words,
    arena: &'a Arena,
    names: &[&'a str],
    groups: &[Group],
    found: &Impact,
) -> Answer<'a> {
    let row = |(group, standing): (&Group, &Standing)| {
        let mut fields = vec![
            (words.assessed, whole(group.assessed)),
            (words.favoured, whole(group.favoured)),
            (words.rate, number_or_null(arena, group.rate().as_ref())),
            ("impact_ratio", number_or_null(arena, standing.ratio())),
        ];
        // Four fifths is a rule of selections; of scores only what leaves a category without a ratio is told.
        let (small, unknown) = (matches!(standing, Standing::Small { .. }), *standing == Standing::Unknown);
        if words.flags {
            fields.push(("below_four_fifths", Value::Bool(standing.below_four_fifths())));
        }
        for (name, flag) in [("excluded_small", small), ("unknown", unknown)] {
            if words.flags || flag {
                fields.push((name, Value::Bool(flag)));
            }
        }
        arena.map(&fields)
    };
    let rows: Vec<Value<'a>> = groups.iter().zip(&found.standings).map(row).collect();
    let rows: Vec<(&'a str, Value<'a>)> = names.iter().copied().zip(rows).collect();
    let highest = found.benchmark.as_ref().map(|(_, rate)| rate);
    answer.with("categories", arena.map(&rows)).with("benchmark_rate", number_or_null(arena, highest))
}

/// Says of each category how its ratio came about.
fn explained<'a>(
    mut answer: Answer<'a>,
    words: &Words,
    arena: &'a Arena,
    names: &[&'a str],
    groups: &[Group],
    found: &Impact,
) -> Answer<'a> {
    let benchmark = found.benchmark.as_ref().and_then(|(at, highest)| Some((*names.get(*at)?, highest)));
    for ((name, group), standing) in names.iter().zip(groups).zip(&found.standings) {
        let (value, why) = told(name, group, standing, benchmark);
        let text = match group.rate() {
            Some(rate) => {
                format!("{name}: {} ÷ {} = {}; {why}", group.favoured, group.assessed, rate.to_places(PLACES))
            }
            None => format!("{name}: {why}"),
        };
        let step = Explain::leaf(text, Some(words.list.to_owned()), number_or_null(arena, value.as_ref()));
        answer = answer.because(step);
    }
    answer
}

/// The ratio of a category, and how it came about or why there is none.
fn told(name: &str, group: &Group, standing: &Standing, benchmark: Option<(&str, &Exact)>) -> (Option<Exact>, String) {
    let why = match (standing, benchmark) {
        (Standing::Compared { ratio, below_four_fifths }, Some((best, highest))) => {
            let sign = if *below_four_fifths { "<" } else { "≥" };
            let rate = group.rate().unwrap_or_else(Exact::zero);
            let whose = if best == name { "its own rate is the highest" } else { "the highest rate" };
            let text = format!("{rate} ÷ {highest} ({whose}, {best}) = {ratio}; 5 × {rate} {sign} 4 × {highest}");
            return (Some(ratio.clone()), text);
        }
        (Standing::Compared { .. } | Standing::NoBenchmark, _) => {
            "the highest rate is 0, so that there is no ratio and no flag".to_owned()
        }
        (Standing::Nobody, _) => "nobody was assessed, so that there is no rate".to_owned(),
        (Standing::Small { share }, _) => {
            format!("{share} of all people is under the share that was asked for; left out of the ratios")
        }
        (Standing::Unknown, _) => "people of unknown category are in no ratio".to_owned(),
    };
    (None, why)
}
