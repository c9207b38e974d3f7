//! `goal_from_gap`, `growth_report`, `recommend_courses` and `goal_ladder_check`.

use super::courses::Catalogue;
use super::{by_name, named_number, not_negative, numbers, said, step};
use crate::goal::{Aim, gap, largest_first, split_target, target, trend};
use hub_calc::{Answer, Exact, Explain, Given, Wrong};
use hub_tree::{Value, value::parse_decimal};
use std::cmp::Ordering;
use std::collections::BTreeSet;

pub(super) fn goal_from_gap<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let dim = given.text("dim")?;
    let (score, required) = (given.number("score")?, given.number("required")?);
    let missing = gap(&score, &required);
    let because = step(format!("{required} − {score} = {missing}"), "score", &missing);
    let is_goal = missing.is_positive();
    let mut answer =
        Answer::new(given.arena()).flag("goal", is_goal).text("gap", &missing.to_string()).because(because);
    if !is_goal {
        return Ok(answer);
    }
    if let Some(kpi) = given.optional_map("kpi")? {
        let (current, forward) = (kpi.number("current")?, kpi.number("step")?);
        let most = kpi.optional_number("max")?;
        if let Some(most) = most.as_ref().filter(|most| **most < current) {
            return Err(kpi.wrong("current", &format!("`current` is {current}, out of range: `max` is {most}")));
        }
        let next = target(&current, &forward, most.as_ref());
        let limit = most.map(|most| format!(", at most {most}")).unwrap_or_default();
        let because = step(format!("{current} + {forward}{limit} = {next}"), "kpi.current", &next);
        answer = answer.text("target", &next.to_string()).because(because);
    }
    let courses = Catalogue::of(given, "catalogue")?.courses(dim)?;
    if let Some(course) = courses.first() {
        let because = said(format!("the catalogue has it for {dim}"), "dim", course);
        answer = answer.text("course", course).because(because);
    } else {
        answer.warn(&given.pointer_of("dim"), &format!("the catalogue has no course for `{dim}`"));
    }
    Ok(answer)
}

pub(super) fn growth_report<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let band = if given.has("noise_band") { not_negative(given, "noise_band")? } else { Exact::zero() };
    let catalogue = Catalogue::of(given, "courses")?;
    let mut answer = Answer::new(given.arena());
    let (mut achieved, mut missed) = (Vec::new(), Vec::new());
    let kpis = given.has("kpis").then(|| given.list("kpis")).transpose()?;
    for (index, kpi) in kpis.into_iter().flatten().enumerate() {
        let (name, after, wanted) = (kpi.text("name")?, kpi.number("after")?, kpi.number("target")?);
        let aim = match kpi.optional_text("direction")? {
            None | Some("up") => Aim::AtLeast,
            Some("down") => Aim::AtMost,
            Some(other) => return Err(wrong_direction(kpi, other)),
        };
        let met = aim.is_met(&after, &wanted);
        let before = kpi.optional_number("before")?.map(|before| format!(" from {before}")).unwrap_or_default();
        let text = format!("{name} went{before} to {after}; {}", reached(aim, met, &after, &wanted));
        answer = answer.because(Explain::leaf(text, Some(format!("kpis[{index}].after")), Value::Bool(met)));
        if met { &mut achieved } else { &mut missed }.push(name);
    }
    let (mut improved, mut declined, mut recommend) = (Vec::new(), Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    let behaviours = given.has("behaviours").then(|| given.list("behaviours")).transpose()?;
    for (index, behaviour) in behaviours.into_iter().flatten().enumerate() {
        let name = behaviour.text("name")?;
        let (baseline, current) = (behaviour.number("baseline")?, behaviour.number("current")?);
        let way = trend(&baseline, &current, &band);
        let delta = &current - &baseline;
        let text = format!("{name}: {current} − {baseline} = {delta}");
        answer = answer.because(step(text, &format!("behaviours[{index}].current"), &delta));
        match way {
            Ordering::Greater => improved.push(name),
            Ordering::Equal => {}
            Ordering::Less => {
                declined.push(name);
                let courses = catalogue.courses(name)?;
                if courses.is_empty() {
                    answer.warn(&behaviour.pointer_of("name"), &format!("there is no course for `{name}`"));
                }
                for course in courses {
                    if seen.insert(course) {
                        recommend.push(course);
                    }
                }
            }
        }
    }
    let answer = answer.texts("achieved", &achieved).texts("missed", &missed).texts("improved", &improved);
    Ok(answer.texts("declined", &declined).texts("recommend", &recommend))
}

fn wrong_direction(given: Given<'_>, found: &str) -> Wrong {
    given.wrong("direction", &format!("`direction` should be `up` or `down`, and is `{found}`"))
}

fn reached(aim: Aim, met: bool, actual: &Exact, target: &Exact) -> String {
    let sign = match (aim, met) {
        (Aim::AtLeast, true) => "≥",
        (Aim::AtLeast, false) => "<",
        (Aim::AtMost, true) => "≤",
        (Aim::AtMost, false) => ">",
    };
    format!("{actual} {sign} {target}")
}

pub(super) fn recommend_courses<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let scores = given.map("scores")?;
    let by_dim = by_name(scores);
    let catalogue = Catalogue::of(given, "catalogue")?;
    let mut answer = Answer::new(given.arena());
    let (mut dims, mut gaps, mut missing) = (Vec::new(), Vec::new(), Vec::new());
    for (dim, required) in numbers(given.map("required")?)? {
        let Some(found) = by_dim.get(dim) else {
            let detail = format!("there is no score for `{dim}`; a missing score is no gap and was not counted as 0");
            answer.warn(&scores.pointer_of(dim), &detail);
            missing.push(dim);
            continue;
        };
        let score = named_number(scores, dim, *found)?;
        let open = gap(&score, &required);
        answer = answer.because(step(format!("{dim}: {required} − {score} = {open}"), &format!("scores.{dim}"), &open));
        dims.push(dim);
        gaps.push(open);
    }
    let arena = given.arena();
    let mut plan = Vec::new();
    for place in largest_first(&gaps) {
        let (Some(dim), Some(open)) = (dims.get(place).copied(), gaps.get(place)) else { continue };
        let courses = catalogue.courses(dim)?;
        if courses.is_empty() {
            answer.warn(&given.pointer_of("catalogue"), &format!("the catalogue has no course for `{dim}`"));
        }
        let items: Vec<Value<'a>> = courses.into_iter().map(Value::Text).collect();
        let open = Value::Text(arena.text(&open.to_string()));
        plan.push(arena.map(&[("dim", Value::Text(dim)), ("gap", open), ("items", arena.list(&items))]));
    }
    Ok(answer.with("plan", arena.list(&plan)).texts("missing", &missing))
}

pub(super) fn goal_ladder_check<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let actuals = given.map("actuals")?;
    let by_kpi = by_name(actuals);
    let mut answer = Answer::new(given.arena());
    let (mut met, mut missed, mut unmeasured) = (Vec::new(), Vec::new(), Vec::new());
    for (index, goal) in given.list("goals")?.enumerate() {
        let kpi = goal.text("kpi")?;
        let (said_aim, wanted) = wanted(goal)?;
        let aim = match goal.optional_text("direction")? {
            Some("up") => Aim::AtLeast,
            Some("down") => Aim::AtMost,
            Some(other) => return Err(wrong_direction(goal, other)),
            None => said_aim.unwrap_or_else(|| Aim::of(&wanted)),
        };
        let Some(actual) = by_kpi.get(kpi) else {
            let detail = format!("there is no actual value for `{kpi}`; the goal is neither met nor missed");
            answer.warn(&actuals.pointer_of(kpi), &detail);
            unmeasured.push(kpi);
            continue;
        };
        let actual = named_number(actuals, kpi, *actual)?;
        let is_met = aim.is_met(&actual, &wanted);
        let stage = goal.optional_text("stage")?.map(|stage| format!("{stage}: ")).unwrap_or_default();
        let text = format!("{stage}{kpi} {}", reached(aim, is_met, &actual, &wanted));
        answer = answer.because(Explain::leaf(text, Some(format!("goals[{index}].target")), Value::Bool(is_met)));
        if is_met { &mut met } else { &mut missed }.push(kpi);
    }
    Ok(answer.texts("met", &met).texts("missed", &missed).texts("unmeasured", &unmeasured))
}

/// The target of a goal: a number, or a text such as `>= 90%`.
fn wanted(goal: Given<'_>) -> Result<(Option<Aim>, Exact), Wrong> {
    let Some(text) = goal.field("target").value().as_text() else { return Ok((None, goal.number("target")?)) };
    let (aim, bare) = split_target(text);
    let number = parse_decimal(bare).map(Exact::from);
    let number = number.ok_or_else(|| {
        goal.wrong("target", &format!("the target should be a number such as `90` or `>= 90%`, and is `{text}`"))
    })?;
    Ok((aim, number))
}
