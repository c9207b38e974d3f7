//! Rules of a model that lower the label, in the language of mappings: `when: 谈判技巧 < 75 and 抗压能力 < 60`.
//!
//! They never raise it. A rule that reads something unknown does not hold: what is not known speaks against nobody. That a
//! higher score never lowers the label is tried when a model is read, see [`tried`].

use crate::assess::label_text;
use crate::model::Dimension;
use crate::numbers::shown;
use crate::verdict::{Bar, Known, Verdict};
use hub_expr::{Cx, Explain, Expr, Located, Read, Scope, Segment, Type};
use hub_model::entities::assessment::DecisionLabel;
use hub_tree::value::parse_decimal;
use hub_tree::yaml::{Context, Node};
use hub_tree::{Arena, Decimal, Value};
use std::collections::BTreeSet;

/// Names that stand for something else than a dimension.
const COMPOSITE: &str = "composite";
const MATCH: &str = "match";
const COVERAGE: &str = "coverage";
const FEATURES: &str = "features";
const OTHERS: [&str; 4] = [COMPOSITE, MATCH, COVERAGE, FEATURES];

/// Choices of the other scores under which one dimension is tried.
const MOST_TRIED: usize = 300;

/// A rule.
#[derive(Debug)]
pub struct Cap {
    /// Its id.
    pub id: String,
    /// When it holds.
    pub when: Located,
    /// What the label is at most then.
    pub label: DecisionLabel,
}

/// The rules of a model.
#[derive(Debug, Default)]
pub struct Caps {
    /// The rules, in the order of the file.
    pub rules: Vec<Cap>,
    /// The dimensions whose id can stand in an expression, in the order of the slots.
    named: Vec<usize>,
    /// What each slot is called.
    names: Vec<String>,
}

/// What rules look at.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    /// Each dimension's score from 0 to 100, where it rests on something.
    pub(crate) dimensions: Vec<Option<Decimal>>,
    pub(crate) composite: Option<Decimal>,
    /// From 0 to 10.
    pub(crate) match_score: Option<Decimal>,
    /// From 0 to 1.
    pub(crate) coverage: Decimal,
    /// What was measured.
    pub(crate) features: Vec<(String, Decimal)>,
}

/// What came of a rule.
pub(crate) struct Outcome<'c> {
    pub(crate) cap: &'c Cap,
    pub(crate) holds: bool,
    /// `two_weak: 谈判技巧 < 75 and 抗压能力 < 60 (谈判技巧 71.5, 抗压能力 55)`.
    pub(crate) text: String,
    pub(crate) explain: Explain,
}

/// How good a label is.
pub(crate) const fn rank(label: DecisionLabel) -> u8 {
    match label {
        DecisionLabel::NotRecommended => 0,
        DecisionLabel::Recommended => 2,
        _ => 1,
    }
}

/// The lower of two labels.
pub(crate) const fn lower(one: DecisionLabel, other: DecisionLabel) -> DecisionLabel {
    if rank(other) < rank(one) { other } else { one }
}

/// Reads the rules of a model over its dimensions.
pub(crate) fn read(node: &Node, dimensions: &[Dimension], cx: &Context<'_>) -> Caps {
    let mut scope = Scope::default();
    let mut named = Vec::new();
    for (place, dimension) in dimensions.iter().enumerate() {
        let id = dimension.id.as_str();
        if OTHERS.contains(&id) {
            cx.error(node.span, format!("`{id}` means something else in `caps`: call the dimension otherwise"));
        }
        // An id such as `C++` is no name: no rule can ask for it.
        if Expr::compile(id, &Scope::new([(id, Type::Number)])).is_ok_and(|expr| expr.is_path()) {
            scope.push(id, Type::Number);
            named.push(place);
        }
    }
    for name in [COMPOSITE, MATCH, COVERAGE] {
        scope.push(name, Type::Number);
    }
    scope.push(FEATURES, Type::Any);
    let mut rules: Vec<Cap> = Vec::new();
    for item in node.items(cx) {
        let Some(cap) = rule(item, &scope, cx) else { continue };
        if rules.iter().any(|known| known.id == cap.id) {
            cx.error(item.span, format!("the rule `{}` stands twice", cap.id));
        }
        rules.push(cap);
    }
    Caps { rules, named, names: scope.names().map(str::to_owned).collect() }
}

fn rule(node: &Node, scope: &Scope, cx: &Context<'_>) -> Option<Cap> {
    let mut fields = node.fields(cx)?;
    let id = fields.required_text("id");
    let when = fields.required("when").and_then(|node| Located::condition(node, scope, cx));
    fields.required("at_most");
    let labels = [("CONSIDER", DecisionLabel::Consider), ("NOT_RECOMMENDED", DecisionLabel::NotRecommended)];
    let label = fields.word("at_most", &labels);
    fields.finish();
    Some(Cap { id: id?, when: when?, label: label? })
}

impl Caps {
    /// What becomes of each rule.
    pub(crate) fn outcomes(&self, facts: &Facts) -> Vec<Outcome<'_>> {
        let arena = Arena::new();
        self.rules.iter().map(|cap| self.outcome(cap, &arena, facts)).collect()
    }

    fn outcome<'c>(&'c self, cap: &'c Cap, arena: &Arena, facts: &Facts) -> Outcome<'c> {
        let expr = &cap.when.expr;
        let slots = self.slots(arena, facts);
        let read = self.values(expr.reads(), &slots);
        let told = |why: &str| format!("{}: {}{why}", cap.id, expr.text());
        let found = expr.explain(&mut Cx::new(arena, slots));
        let (holds, text, explain) = match found {
            Ok((Value::Bool(true), explain)) => (true, told(&read), explain),
            Ok((Value::Bool(false), explain)) => (false, told(&read), explain),
            Ok((_, explain)) => (false, told(" is not known"), explain),
            Err(error) => {
                let text = told(&format!(" is not known: {error}"));
                (false, text.clone(), Explain::leaf(text, None, Value::Absent))
            }
        };
        Outcome { cap, holds, text, explain }
    }

    /// The rules that hold.
    fn holding(&self, facts: &Facts) -> impl Iterator<Item = &Cap> {
        let arena = Arena::new();
        self.rules.iter().filter(move |cap| {
            let mut cx = Cx::new(&arena, self.slots(&arena, facts));
            matches!(cap.when.expr.eval(&mut cx), Ok(Value::Bool(true)))
        })
    }

    fn slots<'a>(&self, arena: &'a Arena, facts: &Facts) -> Vec<Value<'a>> {
        let value = |number: Option<Decimal>| number.map_or(Value::Absent, Value::Decimal);
        let score = |place: &usize| value(facts.dimensions.get(*place).copied().flatten());
        let mut slots: Vec<Value<'a>> = self.named.iter().map(score).collect();
        slots.extend([value(facts.composite), value(facts.match_score), Value::Decimal(facts.coverage)]);
        let features: Vec<(&str, Value<'a>)> =
            facts.features.iter().map(|(name, number)| (arena.text(name), Value::Decimal(*number))).collect();
        slots.push(arena.map(&features));
        slots
    }

    /// What an expression has read: ` (谈判技巧 71.5, features.speech_rate 4)`.
    fn values(&self, reads: &[Read], slots: &[Value<'_>]) -> String {
        let mut told: Vec<String> = Vec::new();
        for read in reads {
            let (Some(name), Some(value)) = (self.names.get(read.slot), slots.get(read.slot)) else { continue };
            let keys = read.path.iter().filter_map(|segment| match segment {
                Segment::Key(key) => Some(&**key),
                Segment::Items | Segment::Item(_) => None,
            });
            let (mut at, mut name) = (*value, name.clone());
            for key in keys {
                at = at.get(key);
                name = format!("{name}.{key}");
            }
            let text = match at {
                Value::Decimal(number) => format!("{name} {}", shown(number)),
                Value::Absent => format!("{name} –"),
                _ => continue,
            };
            if !told.contains(&text) {
                told.push(text);
            }
        }
        if told.is_empty() { String::new() } else { format!(" ({})", told.join(", ")) }
    }
}

/// Tries whether a higher score lowers the label: over tens, the numbers that stand in the rules and what lies beside them,
/// for each dimension that a rule reads, with the others as they come. Nothing is known of features then. What is found is
/// an error at the rule.
pub(crate) fn tried(caps: &Caps, dimensions: &[Dimension], match_min: Option<Decimal>, cx: &Context<'_>) {
    let reads: BTreeSet<usize> =
        caps.rules.iter().flat_map(|cap| cap.when.expr.reads()).map(|read| read.slot).collect();
    let read: Vec<usize> = match reads.iter().any(|slot| *slot >= caps.named.len()) {
        // The composite moves with every dimension.
        true => (0..dimensions.len()).collect(),
        false => reads.iter().filter_map(|slot| caps.named.get(*slot).copied()).collect(),
    };
    let marks = marks(caps);
    let label = |scores: &[Decimal]| {
        let facts = known(dimensions, scores);
        let mut verdict = Verdict::new();
        for (dimension, score) in dimensions.iter().zip(scores) {
            let Some(min) = dimension.min else { continue };
            verdict.look_at(&dimension.id, Bar { min, floor: dimension.floor }, Known::Scored(*score));
        }
        if let (Some(min), Some(found)) = (match_min, facts.match_score) {
            verdict.look_at(MATCH, Bar { min, floor: None }, Known::Scored(found));
        }
        caps.holding(&facts).fold(verdict.label(), |label, cap| lower(label, cap.label))
    };
    for (place, dimension) in dimensions.iter().enumerate().filter(|(place, _)| read.contains(place)) {
        let others: Vec<usize> = read.iter().copied().filter(|other| *other != place).collect();
        for choice in choices(others.len(), marks.len()) {
            let mut scores = vec![Decimal::ONE_HUNDRED; dimensions.len()];
            for (other, mark) in others.iter().zip(&choice) {
                if let (Some(score), Some(mark)) = (scores.get_mut(*other), marks.get(*mark)) {
                    *score = *mark;
                }
            }
            let mut before: Option<(Decimal, DecisionLabel)> = None;
            for mark in &marks {
                if let Some(score) = scores.get_mut(place) {
                    *score = *mark;
                }
                let found = label(&scores);
                if let Some((low, better)) = before.filter(|(_, better)| rank(found) < rank(*better)) {
                    let facts = known(dimensions, &scores);
                    let Some(cap) = caps.holding(&facts).find(|cap| cap.label == found) else { continue };
                    let with: Vec<String> = others
                        .iter()
                        .filter_map(|at| Some(format!("{} {}", dimensions.get(*at)?.id, shown(*scores.get(*at)?))))
                        .collect();
                    let with = if with.is_empty() { String::new() } else { format!(", with {}", with.join(", ")) };
                    let message = format!(
                        "`{}` makes a higher score worse: {} {} is {}, {} is {}{with}",
                        cap.id,
                        dimension.id,
                        shown(low),
                        label_text(better),
                        shown(*mark),
                        label_text(found),
                    );
                    let help = "ask for what is too low (`<`, `<=`), never for what is high enough".to_owned();
                    cx.error_with(cap.when.span, message, Some(help));
                    return;
                }
                before = Some((*mark, found));
            }
        }
    }
}

/// What is known when each dimension has a score that rests on something.
fn known(dimensions: &[Dimension], scores: &[Decimal]) -> Facts {
    let sum: Decimal = dimensions.iter().zip(scores).map(|(dimension, score)| dimension.weight * score).sum();
    let composite = (sum / Decimal::ONE_HUNDRED).normalize();
    Facts {
        dimensions: scores.iter().copied().map(Some).collect(),
        composite: Some(composite),
        match_score: Some((composite / Decimal::TEN).normalize()),
        coverage: Decimal::ONE,
        features: Vec::new(),
    }
}

/// Scores to try, rising: tens, and the numbers of the rules with what lies beside them, also as tenths.
fn marks(caps: &Caps) -> Vec<Decimal> {
    let mut marks: BTreeSet<Decimal> = (0..=10).map(|ten| Decimal::from(ten * 10)).collect();
    for cap in &caps.rules {
        let text = cap.when.expr.text();
        let numbers = text.split(|letter: char| !letter.is_ascii_digit() && letter != '.').filter_map(parse_decimal);
        for number in numbers.flat_map(|number| [Some(number), number.checked_mul(Decimal::TEN)]).flatten() {
            let beside = Decimal::new(5, 1);
            let around = [number.checked_sub(beside), Some(number), number.checked_add(beside)];
            marks.extend(
                around.into_iter().flatten().filter(|mark| (Decimal::ZERO..=Decimal::ONE_HUNDRED).contains(mark)),
            );
        }
    }
    marks.into_iter().collect()
}

/// Which mark each of some dimensions has: all that there are, or as many as are tried, spread over them.
fn choices(dimensions: usize, marks: usize) -> impl Iterator<Item = Vec<usize>> {
    let all = u32::try_from(dimensions).ok().and_then(|count| marks.checked_pow(count));
    let tried = all.unwrap_or(usize::MAX).min(MOST_TRIED);
    (0..tried).map(move |number| {
        // A number without a common factor with any count of marks walks through all choices in another order.
        let mut rest = if all == Some(tried) { number } else { number.wrapping_mul(2_654_435_761) };
        (0..dimensions)
            .map(|_| {
                let mark = rest.checked_rem(marks).unwrap_or_default();
                rest = rest.checked_div(marks).unwrap_or_default();
                mark
            })
            .collect()
    })
}

#[cfg(test)]
mod tests;
