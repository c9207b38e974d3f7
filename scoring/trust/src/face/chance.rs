//! `two_proportion`: is a difference of two rates chance?

use super::{group, whole};
use crate::impact::Group;
use crate::significance as by;
use hub_calc::stats::to_places;
use hub_calc::{Answer, Exact, Explain, Given, Wrong};
use hub_tree::{Arena, Value};

const PLACES: usize = 6;

/// A group that somebody is in.
fn people(given: &Given<'_>, field: &'static str) -> Result<Group, Wrong> {
    let map = given.map(field)?;
    let found = group(&map, "n")?;
    if found.assessed == 0 {
        return Err(map.wrong("n", &format!("`n` of the {field} is 0, out of range: a group of nobody has no rate")));
    }
    Ok(found)
}

/// `two_proportion`. What is undefined is null: the ratio where nobody of the benchmark was selected, z where all or
/// none of both groups were.
pub(super) fn two_proportion(given: Given<'_>) -> Result<Answer<'_>, Wrong> {
    let (group, benchmark) = (people(&given, "group")?, people(&given, "benchmark")?);
    let arena = given.arena();
    let zero = Exact::zero;
    let (rate, other) = (group.rate().unwrap_or_else(zero), benchmark.rate().unwrap_or_else(zero));
    let ratio = rate.over(&other);
    let z = by::z(&group, &benchmark);
    let fisher = by::fisher(&group, &benchmark);
    let small = by::is_small(&group, &benchmark);
    let missing = by::selections_to_four_fifths(&group, &benchmark);
    let ratio_text = ratio.as_ref().map(|ratio| ratio.to_places(6));
    let mut answer = Answer::new(arena)
        .with("impact_ratio", text_or_null(arena, ratio_text.as_deref()))
        .with("z", float_or_null(arena, z))
        .with("p_two_sided", float_or_null(arena, z.map(by::p_of_z)))
        .with("fisher_exact_p", float_or_null(arena, fisher))
        .flag("small_sample", small)
        .with("selections_to_four_fifths", whole(missing));
    let of_ratio = match &ratio {
        Some(ratio) => {
            format!(
                "({} ÷ {}) ÷ ({} ÷ {}) = {ratio}",
                group.favoured, group.assessed, benchmark.favoured, benchmark.assessed
            )
        }
        None => "nobody of the benchmark was selected, so that there is no ratio".to_owned(),
    };
    let (all, selected) = (total(group.assessed, benchmark.assessed), total(group.favoured, benchmark.favoured));
    let of_z = match z {
        Some(_) => format!(
            "({rate} − {other}) ÷ √(p × (1 − p) × (1/{} + 1/{})) with the pooled p = {selected} ÷ {all}",
            group.assessed, benchmark.assessed
        ),
        None => format!("of {all} people {selected} were selected: without both kinds there is no z"),
    };
    let which = if small { "under 30, Fisher's exact test counts" } else { "not under 30, z counts" };
    let steps = [
        (of_ratio, "group", text_or_null(arena, ratio_text.as_deref())),
        (of_z, "group", float_or_null(arena, z)),
        (
            "the chances of all tables with the same sums that are at most as likely as this one".to_owned(),
            "group",
            float_or_null(arena, fisher),
        ),
        (format!("{} + {} = {all} people: {which}", group.assessed, benchmark.assessed), "group.n", Value::Bool(small)),
        (
            format!(
                "the least k with 5 × ({} + k) × {} ≥ 4 × {} × {}",
                group.favoured, benchmark.assessed, benchmark.favoured, group.assessed
            ),
            "group.selected",
            whole(missing),
        ),
    ];
    for (text, path, value) in steps {
        answer = answer.because(Explain::leaf(text, Some(path.to_owned()), value));
    }
    if fisher.is_none() {
        let detail =
            format!("more than {} people: Fisher's exact test is not computed, z says the same", by::FISHER_AT_MOST);
        answer.warn(&given.pointer_of("group"), &detail);
    }
    Ok(answer)
}

fn total(one: u64, other: u64) -> Exact {
    Exact::from(one) + Exact::from(other)
}

fn text_or_null<'a>(arena: &'a Arena, text: Option<&str>) -> Value<'a> {
    text.map_or(Value::Null, |text| Value::Text(arena.text(text)))
}

fn float_or_null(arena: &Arena, number: Option<f64>) -> Value<'_> {
    text_or_null(arena, number.and_then(|number| to_places(number, PLACES)).as_deref())
}
