//! A portrait as the API answers it. Numbers are exact and written as text, as in records.

use super::{Competency, Fact, Judged, Missing, Place, Portrait, Tag};
use hub_tree::Decimal;
use serde_json::{Value, json as object};

/// A portrait as JSON.
#[must_use]
pub fn json(portrait: &Portrait) -> Value {
    let facts = |facts: &[Fact]| facts.iter().map(said).collect::<Vec<_>>();
    object!({
        "model": portrait.model,
        "scale": { "min": "0", "max": "10" },
        "competencies": portrait.competencies.iter().map(competency).collect::<Vec<_>>(),
        "skills": facts(&portrait.skills),
        "strengths": portrait.strengths.iter().map(judged).collect::<Vec<_>>(),
        "improve": portrait.improve.iter().map(judged).collect::<Vec<_>>(),
        "tags": portrait.tags.iter().map(|one| tag(one, &portrait.model)).collect::<Vec<_>>(),
        "matches": facts(&portrait.matches),
        "assessments": facts(&portrait.tests),
        "baseline": facts(&portrait.baseline),
        "courses": facts(&portrait.courses),
        "appraisals": facts(&portrait.appraisals),
        "missing": portrait.missing.iter().map(missing).collect::<Vec<_>>(),
    })
}

fn number(value: Decimal) -> String {
    value.normalize().to_string()
}

fn place(of: &Place) -> Value {
    object!({ "type": of.entity, "id": of.id, "field": of.pointer })
}

/// What one record says; what it does not say is left out.
fn said(fact: &Fact) -> Value {
    let mut told = object!({
        "name": fact.name, "source": fact.kind.word(), "supported": fact.supported, "record": place(&fact.place),
    });
    let more = [
        ("value", fact.value.map(number)),
        ("required", fact.required.map(number)),
        ("on", fact.on.map(|day| day.to_string())),
        ("label", fact.label.clone()),
    ];
    if let Some(told) = told.as_object_mut() {
        told.extend(more.into_iter().filter_map(|(name, text)| Some((name.to_owned(), Value::String(text?)))));
    }
    told
}

fn competency(of: &Competency) -> Value {
    let mut told = of.history.last().map(said).unwrap_or_default();
    told["history"] = of.history.iter().map(said).collect();
    told
}

fn judged(of: &Judged) -> Value {
    let mut told = said(&of.fact);
    told["rule"] = Value::from(of.rule);
    told["bound"] = Value::from(number(of.bound));
    told
}

fn tag(of: &Tag, model: &str) -> Value {
    object!({
        "tag": { "zh-CN": of.tag, "en": of.english },
        "rule": format!("{model}/{}", of.rule),
        "evidence": of.evidence.iter().map(said).collect::<Vec<_>>(),
    })
}

fn missing(of: &Missing) -> Value {
    let mut told = object!({ "what": of.what, "why": of.why.word() });
    if let Some(at) = &of.place {
        told["record"] = place(at);
    }
    told
}
