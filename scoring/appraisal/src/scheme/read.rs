//! Reads the file of a scheme.

use super::{Also, Behaviour, Course, Distribution, GoalStep, Indicator, Probation, Scheme, Weights};
use crate::grade::{Cuts, Ties};
use crate::kpi::Direction;
use crate::training::EffectWeights;
use hub_calc::Exact;
use hub_tree::value::parse_decimal;
use hub_tree::yaml::{Context, Fields, Kind, Node};
use hub_tree::{Span, finding::suggest};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The most points of an indicator where the scheme does not say (house rule).
const HOUSE_CAP: i64 = 120;
/// Smaller groups are graded by cuts (house rule).
const HOUSE_MIN_GROUP: i64 = 5;

pub(super) fn scheme(root: &Node, cx: &Context<'_>) -> Option<Scheme> {
    let mut fields = root.fields(cx)?;
    let id = fields.required("scheme").and_then(|node| {
        let file = cx.source.path.rsplit('/').next().unwrap_or_default().trim_end_matches(".yaml");
        let id = node.text(cx)?;
        if id != file {
            cx.error(node.span, format!("this file is `{file}.yaml`; `scheme` says `{id}`"));
        }
        Some(id)
    });
    fields.version(1);
    fields.required("revision");
    let revision = fields.integer("revision", 1, i64::MAX);
    let name = fields.required("name").map(|node| {
        let entries = node.entries(cx).iter();
        entries.filter_map(|(key, value)| Some((key.name.clone(), value.text(cx)?))).collect()
    });
    let owner = fields.required_text("owner");
    let weights = fields.required("weights").and_then(|node| weights(node, cx));
    let cap = number(&mut fields, "cap").unwrap_or_else(|| Exact::from(HOUSE_CAP));
    let kpis = part(&mut fields, cx, "kpis", |node| indicator(node, cx, &cap), |kpi| (&kpi.id, &kpi.weight));
    let behaviours = part(&mut fields, cx, "behaviours", |node| behaviour(node, cx), |one| (&one.id, &one.weight));
    if let Some(weights) = &weights {
        for (part, weight, none) in
            [("kpis", &weights.kpi, kpis.is_empty()), ("behaviours", &weights.behaviour, behaviours.is_empty())]
        {
            if none && weight.is_positive() {
                cx.error(fields.span, format!("`{part}` weighs {weight}, and none is named"));
            }
        }
    }
    let grades = fields.required("grades").and_then(|node| grades(node, cx));
    let known: Vec<&str> = grades.iter().flat_map(|(_, all)| all.iter().map(|(grade, _)| grade.as_str())).collect();
    let distribution = fields.optional("distribution").and_then(|node| distribution(node, cx, &known)).flatten();
    let noise_band = number(&mut fields, "noise_band").unwrap_or_else(Exact::zero);
    if noise_band.is_negative() {
        cx.error(fields.span, "`noise_band` is a number of points that is not negative");
    }
    let dimensions: Vec<&str> = behaviours.iter().map(|one| one.id.as_str()).collect();
    let courses = fields.optional("courses").map(|node| courses(node, cx, &dimensions)).unwrap_or_default();
    let goals = fields.optional("goals").map(|node| node.items(cx)).unwrap_or_default();
    let goals = goals.iter().filter_map(|node| goal(node, cx, &dimensions, &kpis)).collect();
    let probation = fields.optional("probation").and_then(|node| probation(node, cx));
    let also = fields.optional("also").and_then(|node| also(node, cx)).unwrap_or_default();
    let final_at_once =
        fields.word("final", &[("at_once", true), ("by_person", false)]).unwrap_or(distribution.is_none());
    if final_at_once && distribution.is_some() {
        cx.error(fields.span, "with a `distribution`, a review alone cannot be final: `final: by_person`");
    }
    fields.finish();
    let (cuts, coefficients) = grades?;
    Some(Scheme {
        id: id?,
        revision: revision?,
        name: name.unwrap_or_default(),
        owner: owner?,
        weights: weights?,
        kpis,
        behaviours,
        cuts,
        coefficients,
        distribution,
        noise_band,
        courses,
        goals,
        probation,
        also,
        final_at_once,
        source: Arc::clone(&cx.source),
    })
}

fn as_number(node: &Node, cx: &Context<'_>) -> Option<Exact> {
    let number = match &node.kind {
        Kind::Number(text) => parse_decimal(text).map(Exact::from),
        _ => None,
    };
    if number.is_none() {
        node.expected("a number", cx);
    }
    number
}

fn number(fields: &mut Fields<'_, '_>, key: &'static str) -> Option<Exact> {
    let cx = fields.context().clone();
    as_number(fields.optional(key)?, &cx)
}

/// A number from 0 to 100.
fn percent(fields: &mut Fields<'_, '_>, key: &'static str) -> Option<Exact> {
    let cx = fields.context().clone();
    let node = fields.optional(key)?;
    let number = as_number(node, &cx)?;
    if number.is_negative() || number > Exact::hundred() {
        cx.error(node.span, format!("`{key}` lies between 0 and 100"));
    }
    Some(number)
}

fn required_percent(fields: &mut Fields<'_, '_>, key: &'static str) -> Option<Exact> {
    fields.required(key);
    percent(fields, key)
}

/// Two percentages or more that must total 100.
fn totals_100<'n>(weights: impl Iterator<Item = &'n Exact>, span: Span, what: &str, cx: &Context<'_>) {
    let sum: Exact = weights.sum();
    if sum != Exact::hundred() {
        cx.error(span, format!("{what} sum to {sum}, not to 100"));
    }
}

fn weights(node: &Node, cx: &Context<'_>) -> Option<Weights> {
    let mut fields = node.fields(cx)?;
    let (kpi, behaviour) = (required_percent(&mut fields, "kpi"), required_percent(&mut fields, "behaviour"));
    fields.finish();
    let weights = Weights { kpi: kpi?, behaviour: behaviour? };
    totals_100([&weights.kpi, &weights.behaviour].into_iter(), node.span, "the weights of the two parts", cx);
    Some(weights)
}

/// The items of a part: each once, and with weights that total 100.
fn part<T>(
    fields: &mut Fields<'_, '_>,
    cx: &Context<'_>,
    key: &'static str,
    read: impl Fn(&Node) -> Option<T>,
    seen: impl Fn(&T) -> (&String, &Exact),
) -> Vec<T> {
    let Some(node) = fields.optional(key) else { return Vec::new() };
    let before = cx.findings().error_count();
    let mut items: Vec<T> = Vec::new();
    for item in node.items(cx) {
        if let Some(one) = read(item) {
            if items.iter().any(|known| seen(known).0 == seen(&one).0) {
                cx.error(item.span, format!("`{}` stands twice among the {key}", seen(&one).0));
            }
            items.push(one);
        }
    }
    // A sum over items that could not all be read would only repeat their errors.
    if !items.is_empty() && cx.findings().error_count() == before {
        totals_100(items.iter().map(|item| seen(item).1), node.span, &format!("the weights of the {key}"), cx);
    }
    items
}

fn indicator(node: &Node, cx: &Context<'_>, house: &Exact) -> Option<Indicator> {
    let mut fields = node.fields(cx)?;
    let (id, english) = (fields.required_text("id"), fields.text("english"));
    let names = fields.texts("names");
    let weight = required_percent(&mut fields, "weight");
    fields.required("direction");
    let direction = fields.word("direction", &[("up", Direction::Up), ("down", Direction::Down)]);
    let cap = number(&mut fields, "cap").unwrap_or_else(|| house.clone());
    if !cap.is_positive() {
        cx.error(fields.span, "`cap` is a number of points above 0");
    }
    let unit = fields.text("unit").unwrap_or_default();
    fields.finish();
    let id = id?;
    let english = english.unwrap_or_else(|| id.clone());
    Some(Indicator { english, id, names, weight: weight?, direction: direction?, cap, unit })
}

fn behaviour(node: &Node, cx: &Context<'_>) -> Option<Behaviour> {
    let mut fields = node.fields(cx)?;
    let (id, english) = (fields.required_text("id"), fields.text("english"));
    let names = fields.texts("names");
    let weight = required_percent(&mut fields, "weight");
    let required = percent(&mut fields, "required");
    fields.finish();
    let id = id?;
    Some(Behaviour { english: english.unwrap_or_else(|| id.clone()), id, names, weight: weight?, required })
}

/// Grades, best first: each begins `from` a score, but the last, which takes the rest.
fn grades(node: &Node, cx: &Context<'_>) -> Option<(Cuts, Vec<(String, Exact)>)> {
    let items = node.items(cx);
    let mut steps: Vec<(String, Exact)> = Vec::new();
    let mut coefficients: Vec<(String, Exact)> = Vec::new();
    let mut below = None;
    for (place, item) in items.iter().enumerate() {
        let mut fields = item.fields(cx)?;
        let grade = fields.required_text("grade");
        let is_last = place + 1 == items.len();
        let from = if is_last { number(&mut fields, "from") } else { required_percent(&mut fields, "from") };
        if is_last && from.is_some() {
            cx.error(item.span, "the last grade takes what reaches no other; it has no `from`");
        }
        fields.required("coefficient");
        let coefficient = number(&mut fields, "coefficient");
        if coefficient.as_ref().is_some_and(Exact::is_negative) {
            cx.error(item.span, "a `coefficient` is not negative");
        }
        fields.finish();
        let (grade, coefficient) = (grade?, coefficient?);
        if coefficients.iter().any(|(known, _)| *known == grade) {
            cx.error(item.span, format!("the grade `{grade}` stands twice"));
        }
        if coefficients.last().is_some_and(|(_, better)| *better < coefficient) {
            cx.error(item.span, format!("`{grade}` has a higher coefficient than the better grade before it"));
        }
        coefficients.push((grade.clone(), coefficient));
        if is_last {
            below = Some(grade);
            continue;
        }
        let from = from?;
        if steps.last().is_some_and(|(_, higher)| *higher <= from) {
            cx.error(item.span, format!("`{grade}` does not begin below the better grade before it"));
        }
        steps.push((grade, from));
    }
    let cuts = below.and_then(|below| Cuts::new(steps, below));
    if cuts.is_none() {
        cx.error(node.span, "at least two grades are needed, best first, each from another score");
    }
    Some((cuts?, coefficients))
}

/// The outer `None` is an error; the inner one is a distribution that is off.
fn distribution(node: &Node, cx: &Context<'_>, grades: &[&str]) -> Option<Option<Distribution>> {
    let mut fields = node.fields(cx)?;
    let on = fields.bool("on").unwrap_or(false);
    let owner = fields.text("owner").filter(|owner| !owner.trim().is_empty());
    if on && owner.is_none() {
        cx.error(fields.span, "a forced distribution needs an `owner`: the person who answers for the policy");
    }
    let ties = fields.word("ties", &[("favour", Ties::Favour), ("strict", Ties::Strict)]).unwrap_or(Ties::Favour);
    let min_group = fields.integer("min_group", 1, 1_000_000).unwrap_or(HOUSE_MIN_GROUP);
    let at_status = fields.text("at_status").unwrap_or_else(|| "CALIBRATION".to_owned());
    if on {
        fields.required("quotas");
    }
    let mut quotas = Vec::new();
    if let Some(node) = fields.optional("quotas") {
        for (key, value) in node.entries(cx) {
            if !grades.contains(&key.name.as_str()) {
                cx.unknown(key.span, "grade", &key.name, grades.iter().copied());
            }
            quotas.extend(as_number(value, cx).map(|quota| (key.name.clone(), quota)));
        }
        if quotas.iter().any(|(_, quota)| quota.is_negative()) {
            cx.error(node.span, "a quota is not negative");
        }
        totals_100(quotas.iter().map(|(_, quota)| quota), node.span, "the quotas", cx);
        quotas.sort_by_key(|(grade, _)| grades.iter().position(|known| known == grade));
    }
    fields.finish();
    let min_group = usize::try_from(min_group).ok()?;
    Some(on.then(|| Distribution { owner: owner.unwrap_or_default(), quotas, ties, min_group, at_status }))
}

/// Courses by dimension: a title, or a map of `title` and `code`.
fn courses(node: &Node, cx: &Context<'_>, dimensions: &[&str]) -> BTreeMap<String, Course> {
    let mut courses = BTreeMap::new();
    for (key, value) in node.entries(cx) {
        known_dimension(&key.name, key.span, dimensions, cx);
        let course = match &value.kind {
            Kind::Map(_) => value.fields(cx).and_then(|mut fields| {
                let (title, code) = (fields.required_text("title"), fields.scalar("code"));
                fields.finish();
                Some(Course { title: title?, code })
            }),
            _ => value.text(cx).map(|title| Course { title, code: None }),
        };
        courses.extend(course.map(|course| (key.name.clone(), course)));
    }
    courses
}

fn known_dimension(name: &str, span: Span, dimensions: &[&str], cx: &Context<'_>) {
    if !dimensions.contains(&name) {
        let help = suggest(name, dimensions.iter().copied());
        cx.error_with(span, format!("no dimension of behaviour is called `{name}`"), help);
    }
}

fn goal(node: &Node, cx: &Context<'_>, dimensions: &[&str], kpis: &[Indicator]) -> Option<GoalStep> {
    let mut fields = node.fields(cx)?;
    let dimension = fields.required("dimension").and_then(|node| {
        let name = node.text(cx)?;
        known_dimension(&name, node.span, dimensions, cx);
        Some(name)
    });
    let kpi = fields.required("kpi").and_then(|node| {
        let name = node.text(cx)?;
        let known = kpis.iter().find(|kpi| kpi.id == name);
        if known.is_none() {
            let help = suggest(&name, kpis.iter().map(|kpi| kpi.id.as_str()));
            cx.error_with(node.span, format!("no indicator is called `{name}`"), help);
        }
        known
    });
    fields.required("step");
    let step = number(&mut fields, "step");
    let (max, min) = (number(&mut fields, "max"), number(&mut fields, "min"));
    let span = fields.span;
    fields.finish();
    let (kpi, step) = (kpi?, step?);
    let (fits, limit, other) = match kpi.direction {
        Direction::Up => (step.is_positive(), max, min),
        Direction::Down => (step.is_negative(), min, max),
    };
    if !fits {
        let wanted = if kpi.direction == Direction::Up { "above" } else { "below" };
        cx.error(span, format!("the `step` of `{}` lies {wanted} 0: that is what is better there", kpi.id));
    }
    if other.is_some() {
        cx.error(span, format!("`{}` ends at a `max` where more is better, at a `min` where less is", kpi.id));
    }
    Some(GoalStep { dimension: dimension?, kpi: kpi.id.clone(), step, limit })
}

fn probation(node: &Node, cx: &Context<'_>) -> Option<Probation> {
    let mut fields = node.fields(cx)?;
    let training = percent(&mut fields, "training").unwrap_or_else(|| Exact::from(30));
    let work = percent(&mut fields, "work").unwrap_or_else(|| Exact::from(70));
    totals_100([&training, &work].into_iter(), node.span, "training and work", cx);
    fields.required("pass");
    let pass = percent(&mut fields, "pass");
    let effect = fields.optional("effect").and_then(|node| effect(node, cx)).unwrap_or_else(EffectWeights::house);
    let (mut min_completion, mut min_exam) = (Exact::from(80), Exact::from(70));
    if let Some(mut alerts) = fields.optional("alerts").and_then(|node| node.fields(cx)) {
        min_completion = percent(&mut alerts, "completion").unwrap_or(min_completion);
        min_exam = percent(&mut alerts, "exam").unwrap_or(min_exam);
        alerts.finish();
    }
    fields.finish();
    Some(Probation { training, work, pass: pass?, effect, min_completion, min_exam })
}

fn effect(node: &Node, cx: &Context<'_>) -> Option<EffectWeights> {
    let mut fields = node.fields(cx)?;
    let exam = required_percent(&mut fields, "exam");
    let completion = required_percent(&mut fields, "completion");
    let mentor = required_percent(&mut fields, "mentor");
    fields.finish();
    let effect = EffectWeights { exam: exam?, completion: completion?, mentor: mentor? };
    totals_100([&effect.exam, &effect.completion, &effect.mentor].into_iter(), node.span, "the parts of training", cx);
    Some(effect)
}

fn also(node: &Node, cx: &Context<'_>) -> Option<Also> {
    let words = [("enrolment", ()), ("development_plan", ())];
    let mut named = BTreeSet::new();
    for item in node.items(cx) {
        let name = item.text(cx)?;
        if !words.iter().any(|(word, ())| *word == name) {
            cx.unknown(item.span, "thing to make", &name, words.iter().map(|(word, ())| *word));
        }
        named.insert(name);
    }
    Some(Also { enrolment: named.contains("enrolment"), development_plan: named.contains("development_plan") })
}
