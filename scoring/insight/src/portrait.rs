//! The portrait of a candidate or an employee: what stored records say of them, on one scale from 0 to 10; pure
//! calculation.
//!
//! Each score, strength and tag names the records that it rests on. A score that a vendor gave without evidence is shown
//! and counts for nothing. Nothing is filled in: what the records lack is said by whoever reads them.

mod json;
mod rules;
#[cfg(test)]
mod tests;

pub use json::json;
pub use rules::{Rules, TagRule};

use hub_tree::Decimal;
use hub_tree::jiff::civil::Date;
use std::collections::BTreeMap;

/// What kind of fact it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A skill of a résumé, with its level.
    Skill,
    /// A dimension that was scored in an interview.
    Scorecard,
    /// A dimension that was scored in a test.
    Assessment,
    /// An ability of the baseline.
    Baseline,
    /// A competency that a reviewer scored.
    Review,
    /// A test as a whole.
    Test,
    /// How well somebody fits a job.
    Match,
    /// What an appraisal came to.
    Appraisal,
    /// A course that was completed.
    Course,
}

impl Kind {
    /// As answers name it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Skill => "RESUME",
            Self::Scorecard | Self::Match => "SCORECARD",
            Self::Assessment | Self::Test => "ASSESSMENT",
            Self::Baseline => "BASELINE",
            Self::Review => "REVIEW",
            Self::Appraisal => "APPRAISAL",
            Self::Course => "COURSE",
        }
    }

    /// Whether it scores a competency.
    fn is_competency(self) -> bool {
        matches!(self, Self::Scorecard | Self::Assessment | Self::Baseline | Self::Review)
    }
}

/// Where a fact stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The entity.
    pub entity: &'static str,
    /// The hub id.
    pub id: String,
    /// JSON pointer of the field.
    pub pointer: String,
}

/// One thing that a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What kind.
    pub kind: Kind,
    /// Of what: the skill, dimension, package, job, course, or the cycle of an appraisal.
    pub name: String,
    /// On the scale from 0 to 10; a course has none.
    pub value: Option<Decimal>,
    /// What was asked for, on the same scale.
    pub required: Option<Decimal>,
    /// As of which day, if the record says.
    pub on: Option<Date>,
    /// Whether it rests on evidence or on a person's word.
    pub supported: bool,
    /// The record that it was taken over from.
    pub taken_from: Option<String>,
    /// The grade of an appraisal.
    pub label: Option<String>,
    /// Where it stands.
    pub place: Place,
}

/// Something that the records do not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// What, such as `skills`.
    pub what: &'static str,
    /// Why.
    pub why: Why,
    /// Where, if it is lacking in a record.
    pub place: Option<Place>,
}

/// Why something is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// No record says it.
    NoRecord,
    /// The caller may not read it.
    NotReadable,
    /// The record gives no value that has a place on a scale.
    NoScale,
}

impl Why {
    /// As answers name it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::NoRecord => "NO_RECORD",
            Self::NotReadable => "NOT_READABLE",
            Self::NoScale => "NO_SCALE",
        }
    }
}

/// A competency over time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Competency {
    /// Its name.
    pub name: String,
    /// Its scores, oldest first; never empty. The last one counts.
    pub history: Vec<Fact>,
}

/// Why a competency is a strength, or is to be worked on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The score that counts.
    pub fact: Fact,
    /// The bound, 0 to 10.
    pub bound: Decimal,
    /// Whose bound: `strong_from`, `weak_below`, or `required` of the record.
    pub rule: &'static str,
}

/// A tag with what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// In Chinese.
    pub tag: String,
    /// In English.
    pub english: String,
    /// The id of its rule.
    pub rule: String,
    /// The records, oldest first; never empty.
    pub evidence: Vec<Fact>,
}

/// A portrait.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Portrait {
    /// The model and its revision.
    pub model: String,
    /// By name.
    pub competencies: Vec<Competency>,
    /// Skills by name, the last level of each.
    pub skills: Vec<Fact>,
    /// What lies at `strong_from` or above.
    pub strengths: Vec<Judged>,
    /// 待提升方向: what lies below what was asked for, or else below `weak_below`.
    pub improve: Vec<Judged>,
    /// In the order of the model.
    pub tags: Vec<Tag>,
    /// Tests as a whole, oldest first.
    pub tests: Vec<Fact>,
    /// How well the person fits which job, oldest first.
    pub matches: Vec<Fact>,
    /// The ability baseline.
    pub baseline: Vec<Fact>,
    /// Courses completed, oldest first.
    pub courses: Vec<Fact>,
    /// The last appraisals, oldest first.
    pub appraisals: Vec<Fact>,
    /// What the records do not say.
    pub missing: Vec<Missing>,
}

/// Draws a portrait from what the records say.
#[must_use]
pub fn portrait(rules: &Rules, mut facts: Vec<Fact>, missing: Vec<Missing>) -> Portrait {
    // Without a day a fact counts as older than those with one; ids keep the order of time.
    facts.sort_by(|one, other| {
        let key = |fact: &Fact| (fact.on, fact.place.id.clone(), fact.place.pointer.clone());
        key(one).cmp(&key(other))
    });
    let of = |kind: Kind| facts.iter().filter(move |fact| fact.kind == kind).cloned();
    let competencies = competencies(&facts);
    let (mut strengths, mut improve) = (Vec::new(), Vec::new());
    for competency in &competencies {
        let Some(last) = competency.history.last().filter(|last| last.supported) else { continue };
        let Some(value) = last.value else { continue };
        let judged = |bound, rule| Judged { fact: last.clone(), bound, rule };
        let (bound, rule) = last.required.map_or((rules.weak_below, "weak_below"), |bound| (bound, "required"));
        if value < bound {
            improve.push(judged(bound, rule));
        } else if value >= rules.strong_from {
            strengths.push(judged(rules.strong_from, "strong_from"));
        }
    }
    let skills: BTreeMap<String, Fact> = of(Kind::Skill).map(|fact| (key_of(&fact.name), fact)).collect();
    let appraisals: Vec<Fact> = of(Kind::Appraisal).collect();
    let shown = appraisals.len().saturating_sub(rules.appraisals);
    Portrait {
        model: rules.version(),
        tags: rules.tags.iter().flat_map(|rule| tags(rule, &facts, &competencies)).collect(),
        competencies,
        skills: skills.into_values().collect(),
        strengths,
        improve,
        tests: of(Kind::Test).collect(),
        matches: of(Kind::Match).collect(),
        baseline: of(Kind::Baseline).collect(),
        courses: of(Kind::Course).collect(),
        appraisals: appraisals.into_iter().skip(shown).collect(),
        missing,
    }
}

/// Names that differ in case or in spaces around them are one.
fn key_of(name: &str) -> String {
    name.trim().to_lowercase()
}

/// Scores by competency. What the baseline took over from a record that is here is no second score.
fn competencies(facts: &[Fact]) -> Vec<Competency> {
    let here = |id: &str| facts.iter().any(|fact| fact.kind != Kind::Baseline && fact.place.id == id);
    let mut by_name: BTreeMap<String, Competency> = BTreeMap::new();
    let scored = facts.iter().filter(|fact| fact.kind.is_competency() && fact.value.is_some());
    for fact in scored.filter(|fact| !fact.taken_from.as_deref().is_some_and(here)) {
        let empty = || Competency { name: fact.name.clone(), history: Vec::new() };
        by_name.entry(key_of(&fact.name)).or_insert_with(empty).history.push(fact.clone());
    }
    by_name.into_values().collect()
}

/// The tags that a rule gives: one for each name of which the last values fit.
fn tags(rule: &TagRule, facts: &[Fact], competencies: &[Competency]) -> Vec<Tag> {
    let mut series: BTreeMap<String, Vec<&Fact>> = BTreeMap::new();
    if rule.from == Kind::Scorecard {
        for competency in competencies {
            series.insert(key_of(&competency.name), competency.history.iter().collect());
        }
    } else {
        for fact in facts.iter().filter(|fact| fact.kind == rule.from) {
            // Each cycle has a name of its own: appraisals are one series.
            let key = if fact.kind == Kind::Appraisal { String::new() } else { key_of(&fact.name) };
            series.entry(key).or_default().push(fact);
        }
    }
    let wanted: Vec<String> = rule.of.iter().map(|name| key_of(name)).collect();
    let given = series.into_iter().filter_map(|(name, all)| {
        if !wanted.is_empty() && !wanted.contains(&name) {
            return None;
        }
        let last = all.get(all.len().checked_sub(rule.times)?..)?;
        let fits = last.iter().all(|fact| fact.supported && rule.fits(fact.value));
        let (tag, english) = rule.about(&last.last().filter(|_| fits)?.name);
        Some(Tag { tag, english, rule: rule.id.clone(), evidence: last.iter().map(|fact| (*fact).clone()).collect() })
    });
    given.collect()
}
