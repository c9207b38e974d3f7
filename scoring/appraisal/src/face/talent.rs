//! `talent_inventory`, `nine_box` and `portrait`.

use super::courses::Catalogue;
use super::{named_number, said, step, values};
use crate::talent::{GOOD_AT, Skilled, band, level, levels};
use hub_calc::{Answer, Exact, Explain, Given, Wrong};
use hub_tree::Value;
use std::collections::BTreeSet;

/// A dimension is a strength from here on, in points.
const HOUSE_STRONG_AT: i64 = 85;

pub(super) fn talent_inventory<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let arena = given.arena();
    let mut skilled = Skilled::default();
    for person in given.list("people")? {
        let (id, role) = (person.text("id")?, person.text("role")?);
        let Some(skills) = person.optional_map("skills")? else { continue };
        for (skill, value) in values(skills) {
            let whole = named_number(skills, skill, value)?.to_whole().and_then(|whole| usize::try_from(whole).ok());
            let wrong = || skills.wrong(skill, "a level should be a whole number that is not negative");
            skilled.add(role, skill, whole.ok_or_else(wrong)?, id);
        }
    }
    let catalogue = Catalogue::of(given, "catalogue")?;
    let required = given.map("required")?;
    let mut planned = BTreeSet::new();
    let (mut gaps, mut plan, mut training, mut steps) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let count = |count: usize| Value::Decimal(count.into());
    for (role, of_role) in required.fields() {
        for (skill, wanted) in object(of_role)?.fields() {
            let wanted = object(wanted)?;
            let (at, number) = (wanted.count("level")?, wanted.count("count")?);
            let stand = skilled.stand(role, skill, at, number);
            gaps.push(arena.map(&[
                ("role", Value::Text(role)),
                ("skill", Value::Text(skill)),
                ("required", count(number)),
                ("available", count(stand.available)),
                ("gap", count(stand.gap)),
                ("near", count(stand.near.len())),
            ]));
            let text = format!(
                "{role} {skill}: {number} required at level {at}, {} there, {} one below",
                stand.available,
                stand.near.len()
            );
            steps.push(step(text, &format!("required.{role}.{skill}"), &Exact::from(stand.gap)));
            if stand.gap == 0 || stand.near.is_empty() {
                continue;
            }
            let courses = catalogue.courses(skill)?;
            let course = courses.first().copied().unwrap_or_else(|| arena.text(&format!("{skill}进阶")));
            let people: Vec<Value<'a>> = stand.near.iter().map(|id| Value::Text(id)).collect();
            training.push(arena.map(&[
                ("role", Value::Text(role)),
                ("skill", Value::Text(skill)),
                ("course", Value::Text(course)),
                ("people", arena.list(&people)),
            ]));
            if planned.insert(course) {
                plan.push(course);
            }
        }
    }
    let answer = Answer::new(arena).with("gaps", arena.list(&gaps)).texts("plan", &plan);
    let answer = answer.with("training", arena.list(&training));
    Ok(steps.into_iter().fold(answer, Answer::because))
}

fn object(given: Given<'_>) -> Result<Given<'_>, Wrong> {
    match given.value() {
        Value::Map(_) => Ok(given),
        other => Err(given.wrong_here(&format!("an object is needed here, and there is {}", other.kind()))),
    }
}

pub(super) fn nine_box<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let cuts = given.number_list("cuts")?;
    let (low, high) = match cuts.as_slice() {
        [low, high] if low < high => (low, high),
        _ => return Err(given.wrong("cuts", "two thresholds are needed, the lower one first and the other above it")),
    };
    let mut answer = Answer::new(given.arena());
    let mut cell = Vec::new();
    for field in ["performance", "potential"] {
        let score = given.number(field)?;
        let at = band(&score, [low, high]);
        let text = match at {
            0 => format!("{score} < {low}"),
            1 => format!("{low} ≤ {score} < {high}"),
            _ => format!("{score} ≥ {high}"),
        };
        answer = answer.because(step(text, field, &Exact::from(at)));
        cell.push(Value::Decimal(at.into()));
    }
    Ok(answer.with("cell", given.arena().list(&cell)))
}

pub(super) fn portrait<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let strong_at = given.number_or("strong_at", HOUSE_STRONG_AT)?;
    let mut tags: Vec<(String, Explain)> = Vec::new();
    let mut unknown: Vec<(String, String)> = Vec::new();
    let mut add = |tag: String, why: String, path: String| {
        let because = said(why, &path, &tag);
        tags.push((tag, because));
    };
    if let Some(skills) = given.optional_map("skills")? {
        for (skill, value) in values(skills) {
            let Some(word) = value.value().as_text() else {
                return Err(value.wrong_here(&format!("a level should be one of {}", levels())));
            };
            match level(word) {
                Some(level) if level >= GOOD_AT => {
                    let why = format!("{skill} is at level {word}, 熟练 or above");
                    add(format!("擅长{skill}"), why, format!("skills.{skill}"));
                }
                Some(_) => {}
                None => unknown.push((
                    value.pointer(),
                    format!("level `{word}` is not known and gives no tag; there are {}", levels()),
                )),
            }
        }
    }
    if let Some(dims) = given.optional_map("dims")? {
        for (dim, value) in values(dims) {
            let score = named_number(dims, dim, value)?;
            if score >= strong_at {
                add(format!("{dim}强"), format!("{dim}: {score} ≥ {strong_at}"), format!("dims.{dim}"));
            }
        }
    }
    if let Some(roles) = given.optional_map("roles")? {
        let matches: Vec<(&str, Exact)> = values(roles)
            .map(|(role, fit)| Ok((role, named_number(roles, role, fit)?)))
            .collect::<Result<_, Wrong>>()?;
        // Of equals the first.
        let best = matches.iter().rev().max_by(|(_, one), (_, other)| one.cmp(other));
        if let Some((role, fit)) = best {
            let why = format!("{role} is the best match of {}, with {fit}", matches.len());
            add(format!("适合{role}"), why, format!("roles.{role}"));
        }
    }
    let arena = given.arena();
    let names: Vec<&str> = tags.iter().map(|(tag, _)| tag.as_str()).collect();
    let text = |text: &str| Value::Text(arena.text(text));
    let evidence = tags.iter().map(|(tag, because)| {
        let path = because.path.as_deref().unwrap_or_default();
        arena.map(&[("tag", text(tag)), ("evidence", text(&because.text)), ("path", text(path))])
    });
    let evidence: Vec<Value<'a>> = evidence.collect();
    let mut answer = Answer::new(arena).texts("tags", &names).with("evidence", arena.list(&evidence));
    for (pointer, detail) in &unknown {
        answer.warn(pointer, detail);
    }
    Ok(tags.into_iter().fold(answer, |answer, (_, because)| answer.because(because)))
}
