//! Appraisal schemes: files that HR and the business agree on. A scheme says which indicators and which behaviour count
//! for how much, where grades begin, what they do to the bonus, and what follows from a gap.

mod read;
#[cfg(test)]
mod tests;

use crate::grade::{Cuts, Ties};
use crate::kpi::Direction;
use crate::training::EffectWeights;
use hub_calc::Exact;
use hub_tree::yaml::{self, Context};
use hub_tree::{Findings, Source};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A scheme.
#[derive(Debug)]
pub struct Scheme {
    /// Its id, equal to its file's name; a review cycle names it as its `template`.
    pub id: String,
    /// Its revision; an appraisal keeps the one it was made by.
    pub revision: i64,
    /// What people call it, by language.
    pub name: BTreeMap<String, String>,
    /// Who answers for it.
    pub owner: String,
    /// What indicators and behaviour weigh in the total, in percent; together 100.
    pub weights: Weights,
    /// Its indicators (KPI); their weights total 100.
    pub kpis: Vec<Indicator>,
    /// Its dimensions of behaviour; their weights total 100.
    pub behaviours: Vec<Behaviour>,
    /// Where grades begin, in points of the total before rounding.
    pub cuts: Cuts,
    /// What a bonus is multiplied by, by grade, best grade first.
    pub coefficients: Vec<(String, Exact)>,
    /// Forced distribution; `None` when it is off.
    pub distribution: Option<Distribution>,
    /// A difference to the baseline of at most so many points is no change.
    pub noise_band: Exact,
    /// The course for each dimension.
    pub courses: BTreeMap<String, Course>,
    /// What is aimed at next where a dimension has a gap.
    pub goals: Vec<GoalStep>,
    /// How a probation is scored; `None` for other schemes.
    pub probation: Option<Probation>,
    /// What is made besides the appraisal and its goals.
    pub also: Also,
    /// Whether a manager's review is final at once; else a person sets when it is.
    pub final_at_once: bool,
    /// The file.
    pub source: Arc<Source>,
}

/// The weights of the two parts of a total, in percent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weights {
    /// Of the indicators.
    pub kpi: Exact,
    /// Of behaviour.
    pub behaviour: Exact,
}

/// An indicator of a scheme.
#[derive(Debug)]
pub struct Indicator {
    /// Its id.
    pub id: String,
    /// Its name in English.
    pub english: String,
    /// Other names that goals have for it.
    pub names: Vec<String>,
    /// Its share of the indicators, in percent.
    pub weight: Exact,
    /// What is better.
    pub direction: Direction,
    /// The most points that it can have.
    pub cap: Exact,
    /// The unit of its values, as it stands behind a number.
    pub unit: String,
}

/// A dimension of behaviour.
#[derive(Debug)]
pub struct Behaviour {
    /// Its id.
    pub id: String,
    /// Its name in English.
    pub english: String,
    /// Other names that competencies have for it.
    pub names: Vec<String>,
    /// Its share of behaviour, in percent.
    pub weight: Exact,
    /// The score that the job asks for; below it there is a gap.
    pub required: Option<Exact>,
}

/// Grades by quotas in place of cuts.
#[derive(Debug)]
pub struct Distribution {
    /// Who answers for the policy.
    pub owner: String,
    /// Percentages by grade, best grade first.
    pub quotas: Vec<(String, Exact)>,
    /// Who wins when equals stand on both sides of a cut.
    pub ties: Ties,
    /// Smaller groups are graded by cuts.
    pub min_group: usize,
    /// The word of the cycle's status from which on the group is graded.
    pub at_status: String,
}

/// A course.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Course {
    /// Its title.
    pub title: String,
    /// Its code in the catalogue of courses, where it can be enrolled in.
    pub code: Option<String>,
}

/// What is aimed at next where a dimension has a gap.
#[derive(Debug)]
pub struct GoalStep {
    /// The dimension.
    pub dimension: String,
    /// The indicator that the goal is about.
    pub kpi: String,
    /// How far the target moves in one cycle; below zero where less is better.
    pub step: Exact,
    /// Where it ends.
    pub limit: Option<Exact>,
}

/// How a probation is scored.
#[derive(Debug)]
pub struct Probation {
    /// What training weighs, in percent.
    pub training: Exact,
    /// What work weighs, in percent.
    pub work: Exact,
    /// From this total on it is passed.
    pub pass: Exact,
    /// What the parts of a training weigh.
    pub effect: EffectWeights,
    /// Below this share of lessons completed, in percent, there is an alert.
    pub min_completion: Exact,
    /// Below this exam score there is an alert.
    pub min_exam: Exact,
}

/// What is made besides the appraisal and its goals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Also {
    /// Enrolments in the matched courses.
    pub enrolment: bool,
    /// A development plan with the goals.
    pub development_plan: bool,
}

impl Scheme {
    /// Reads and checks a scheme. All problems go to `findings`, each with its place; `None` when one is an error.
    #[must_use]
    pub fn compile(source: &Arc<Source>, findings: &Findings) -> Option<Self> {
        let before = findings.error_count();
        let root = yaml::read(source, findings)?;
        let cx = Context::new(source, findings);
        let scheme = read::scheme(&root, &cx);
        scheme.filter(|_| findings.error_count() == before)
    }

    /// `customer-service-monthly@2`: what an appraisal says it was made by.
    #[must_use]
    pub fn version(&self) -> String {
        format!("{}@{}", self.id, self.revision)
    }

    /// What people call it in a language.
    #[must_use]
    pub fn called(&self, language: &str) -> &str {
        self.name.get(language).unwrap_or(&self.id)
    }

    /// The indicator that goes by this name.
    #[must_use]
    pub fn indicator(&self, name: &str) -> Option<&Indicator> {
        self.kpis.iter().find(|kpi| is_called(name, &kpi.id, &kpi.english, &kpi.names))
    }

    /// The dimension of behaviour that goes by this name.
    #[must_use]
    pub fn behaviour(&self, name: &str) -> Option<&Behaviour> {
        self.behaviours.iter().find(|one| is_called(name, &one.id, &one.english, &one.names))
    }

    /// The coefficient of a grade; `None` for a grade that the scheme does not know.
    #[must_use]
    pub fn coefficient(&self, grade: &str) -> Option<&Exact> {
        self.coefficients.iter().find(|(known, _)| known == grade).map(|(_, coefficient)| coefficient)
    }

    /// Its grades, best first.
    pub fn grades(&self) -> impl Iterator<Item = &str> {
        self.coefficients.iter().map(|(grade, _)| grade.as_str())
    }
}

/// Names differ in case and in white space around them, and mean the same.
fn is_called(name: &str, id: &str, english: &str, names: &[String]) -> bool {
    let name = name.trim().to_lowercase();
    [id, english].into_iter().chain(names.iter().map(String::as_str)).any(|known| known.to_lowercase() == name)
}
