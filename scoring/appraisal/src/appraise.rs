//! An appraisal by a scheme: what a manager's review, indicators and training come to, and why.

use crate::face::{said, shown, step};
use crate::grade::Cuts;
use crate::kpi::{self, Unscored};
use crate::scheme::{Behaviour, Indicator, Probation, Scheme};
use crate::training::{effect, too_low};
use hub_calc::{Exact, Explain};
use serde::{Deserialize, Serialize};

/// One thing that a review speaks of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Where it stands in the review, such as `/items/0`.
    #[serde(default)]
    pub place: String,
    /// What the review calls it.
    pub name: String,
    /// Its weight in percent, where the review says one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<Exact>,
    /// What was measured, of an indicator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual: Option<Exact>,
    /// What was aimed at, of an indicator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Exact>,
    /// Points from 0 to 100 that were given; of an indicator they count only where nothing was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<Exact>,
}

/// All that an appraisal is made of besides its scheme; an appraisal keeps it, so that it can be made again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Work {
    /// What the review says of indicators.
    pub kpis: Vec<Item>,
    /// Of behaviour.
    pub behaviours: Vec<Item>,
    /// Of the training of a probation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub training: Option<Learnt>,
}

/// What came of the training of a probation, in points from 0 to 100.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Learnt {
    /// The mean score of exams.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exam: Option<Exact>,
    /// The mean share of lessons completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completion: Option<Exact>,
    /// The mentor's opinion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mentor: Option<Exact>,
}

/// Why there is no appraisal, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// A stable code.
    pub code: &'static str,
    /// The sentence, with the place in the review.
    pub text: String,
}

fn refused<T>(code: &'static str, text: String) -> Result<T, Refused> {
    Err(Refused { code, text })
}

/// An indicator of an appraisal.
#[derive(Debug)]
pub struct Reached<'s> {
    /// Which.
    pub indicator: &'s Indicator,
    /// What was measured and what was aimed at, where it was measured.
    pub measured: Option<(Exact, Exact)>,
    /// Its points, 0 to its cap.
    pub points: Exact,
}

impl Reached<'_> {
    /// Whether the target was reached; the target itself is.
    #[must_use]
    pub fn is_met(&self) -> bool {
        match &self.measured {
            Some((actual, target)) if self.indicator.direction == kpi::Direction::Down => actual <= target,
            Some((actual, target)) => actual >= target,
            None => self.points >= Exact::hundred(),
        }
    }
}

/// A dimension of behaviour of an appraisal.
#[derive(Debug)]
pub struct Shown<'s> {
    /// Which.
    pub behaviour: &'s Behaviour,
    /// Its score, 0 to 100.
    pub score: Exact,
}

/// An appraisal.
#[derive(Debug)]
pub struct Appraised<'s> {
    /// The mean of the indicators; `None` when they do not count.
    pub kpi: Option<Exact>,
    /// The mean of behaviour; `None` when it does not count.
    pub behaviour: Option<Exact>,
    /// The effect of training, of a probation.
    pub training: Option<Exact>,
    /// All in all, unrounded.
    pub total: Exact,
    /// Its grade by the scheme's cuts.
    pub grade: &'s str,
    /// What a bonus is multiplied by.
    pub coefficient: Exact,
    /// The indicators, in the order of the scheme.
    pub indicators: Vec<Reached<'s>>,
    /// Behaviour, in the order of the scheme.
    pub dimensions: Vec<Shown<'s>>,
    /// Whether a probation was passed.
    pub passed: Option<bool>,
    /// The parts of a training that are too low: `completion`, `exam`.
    pub alerts: Vec<&'static str>,
    /// Every step of the calculation.
    pub explain: Vec<Explain>,
}

/// Appraises a review by a scheme.
///
/// Weights that the review names stand in for the scheme's: those of each part total 100, or all of them together do.
/// Where it names none, all that the scheme lists must be there.
///
/// # Errors
/// What is missing, unknown or contradicts itself.
pub fn appraise<'s>(scheme: &'s Scheme, work: &Work) -> Result<Appraised<'s>, Refused> {
    let learnt = work.training.as_ref();
    let mut explain = Vec::new();
    let counted = Weighing::of(scheme, work)?;
    let mut indicators = Vec::new();
    let mut kpi_steps = Vec::new();
    for (indicator, item, _) in &counted.kpis {
        let (reached, because) = reached(indicator, item)?;
        kpi_steps.push(because);
        indicators.push(reached);
    }
    let (mut dimensions, mut behaviour_steps) = (Vec::new(), Vec::new());
    for (behaviour, item, _) in &counted.behaviours {
        let score = rated(item)?;
        let text = format!("{} was rated {}", behaviour.id, shown(&score));
        behaviour_steps.push(step(text, &format!("{}/score", item.place), &score));
        dimensions.push(Shown { behaviour, score });
    }
    let kpi_points = counted.kpis.iter().zip(&indicators).map(|((_, _, weight), one)| (weight, &one.points));
    let behaviour_points = counted.behaviours.iter().zip(&dimensions).map(|((_, _, weight), one)| (weight, &one.score));
    let kpi = mean("indicators", kpi_points, kpi_steps, &mut explain);
    let behaviour = mean("behaviour", behaviour_points, behaviour_steps, &mut explain);
    let mut parts = Vec::new();
    for (name, weight, mean) in [("indicators", &counted.kpi, &kpi), ("behaviour", &counted.behaviour, &behaviour)] {
        if let Some(mean) = mean.as_ref().filter(|_| weight.is_positive()) {
            parts.push((name, weight, mean));
        }
    }
    let mut total = together("work", &parts, &mut explain);
    let (mut training, mut alerts, mut passed) = (None, Vec::new(), None);
    if let Some(probation) = &scheme.probation {
        let effect = trained(probation, learnt, &mut explain)?;
        alerts = too_low(&[
            ("completion", learnt.and_then(|learnt| learnt.completion.as_ref()), &probation.min_completion),
            ("exam", learnt.and_then(|learnt| learnt.exam.as_ref()), &probation.min_exam),
        ]);
        let parts = [("training", &probation.training, &effect), ("work", &probation.work, &total)];
        total = together("probation", &parts, &mut explain);
        training = Some(effect);
        passed = Some(total >= probation.pass);
    }
    let grade = graded(&scheme.cuts, &total, &mut explain);
    let Some(coefficient) = scheme.coefficient(grade) else {
        return refused("GRADE_UNKNOWN", format!("the scheme {} has no coefficient for {grade}", scheme.version()));
    };
    let text = format!("grade {grade} has the coefficient {coefficient}");
    explain.push(step(text, "coefficient", coefficient));
    let coefficient = coefficient.clone();
    Ok(Appraised {
        kpi,
        behaviour,
        training,
        total,
        grade,
        coefficient,
        indicators,
        dimensions,
        passed,
        alerts,
        explain,
    })
}

/// The items of a review with what the scheme knows of them, and what they weigh.
struct Weighing<'s, 'w> {
    kpi: Exact,
    behaviour: Exact,
    kpis: Vec<(&'s Indicator, &'w Item, Exact)>,
    behaviours: Vec<(&'s Behaviour, &'w Item, Exact)>,
}

impl<'s, 'w> Weighing<'s, 'w> {
    fn of(scheme: &'s Scheme, work: &'w Work) -> Result<Self, Refused> {
        let kpis = found(&work.kpis, "indicator", scheme, |name| scheme.indicator(name), |kpi| &kpi.id)?;
        let behaviours = found(&work.behaviours, "dimension", scheme, |name| scheme.behaviour(name), |one| &one.id)?;
        let own = work.kpis.iter().chain(&work.behaviours).any(|item| item.weight.is_some());
        if own {
            return Self::by_review(scheme, kpis, behaviours);
        }
        let (kpi, behaviour) = (scheme.weights.kpi.clone(), scheme.weights.behaviour.clone());
        let (mut all_kpis, mut all_behaviours) = (Vec::new(), Vec::new());
        for known in scheme.kpis.iter().filter(|_| kpi.is_positive()) {
            let item = kpis.iter().find(|(one, _)| one.id == known.id);
            let Some((_, item)) = item else { return Err(missing(scheme, "indicator", &known.id, "goal")) };
            all_kpis.push((known, *item, known.weight.clone()));
        }
        for known in scheme.behaviours.iter().filter(|_| behaviour.is_positive()) {
            let item = behaviours.iter().find(|(one, _)| one.id == known.id);
            let Some((_, item)) = item else { return Err(missing(scheme, "dimension", &known.id, "competency")) };
            all_behaviours.push((known, *item, known.weight.clone()));
        }
        Ok(Self { kpi, behaviour, kpis: all_kpis, behaviours: all_behaviours })
    }

    fn by_review(
        scheme: &'s Scheme,
        kpis: Vec<(&'s Indicator, &'w Item)>,
        behaviours: Vec<(&'s Behaviour, &'w Item)>,
    ) -> Result<Self, Refused> {
        let items = kpis.iter().map(|(_, item)| *item).chain(behaviours.iter().map(|(_, item)| *item));
        for item in items {
            match &item.weight {
                None => {
                    let text = format!(
                        "{}: `{}` has no weight, and others of the review have; give each item one, or none",
                        item.place, item.name
                    );
                    return refused("WEIGHT_MISSING", text);
                }
                Some(weight) if weight.is_negative() => {
                    return refused("WEIGHTS_NOT_100", format!("{}: the weight {weight} is negative", item.place));
                }
                Some(_) => {}
            }
        }
        let weight = |item: &Item| item.weight.clone().unwrap_or_else(Exact::zero);
        let kpi: Exact = kpis.iter().map(|(_, item)| weight(item)).sum();
        let behaviour: Exact = behaviours.iter().map(|(_, item)| weight(item)).sum();
        let hundred = Exact::hundred();
        // What is absent must not be needed: a part without items has no say only when the scheme gives it none.
        let whole = |sum: &Exact, of: &Exact| *sum == hundred || (sum.is_zero() && of.is_zero());
        let of_parts = whole(&kpi, &scheme.weights.kpi) && whole(&behaviour, &scheme.weights.behaviour);
        if !of_parts && &kpi + &behaviour != hundred {
            let text = format!(
                "the weights of the indicators total {kpi} and those of behaviour {behaviour}; those of each part must \
                 total 100, or all together must"
            );
            return refused("WEIGHTS_NOT_100", text);
        }
        // A share of the whole is a share of its part, times 100 ÷ the part.
        let of_part = |item: &Item, sum: &Exact| (hundred.clone() * weight(item)).over(sum).unwrap_or_else(Exact::zero);
        let kpis = kpis.into_iter().map(|(one, item)| (one, item, of_part(item, &kpi))).collect();
        let behaviours = behaviours.into_iter().map(|(one, item)| (one, item, of_part(item, &behaviour))).collect();
        let (kpi, behaviour) =
            if of_parts { (scheme.weights.kpi.clone(), scheme.weights.behaviour.clone()) } else { (kpi, behaviour) };
        Ok(Self { kpi, behaviour, kpis, behaviours })
    }
}

fn missing(scheme: &Scheme, what: &str, id: &str, field: &str) -> Refused {
    let text = format!(
        "the review has no {what} `{id}`, which {} asks for; add an item with that {field}, or name weights in the \
         review",
        scheme.version()
    );
    Refused { code: "ITEM_MISSING", text }
}

/// What the scheme knows of each item; each is there once.
fn found<'s, 'w, T>(
    items: &'w [Item],
    what: &str,
    scheme: &Scheme,
    find: impl Fn(&str) -> Option<&'s T>,
    id: impl Fn(&T) -> &String,
) -> Result<Vec<(&'s T, &'w Item)>, Refused> {
    let mut all: Vec<(&'s T, &'w Item)> = Vec::new();
    for item in items {
        let Some(known) = find(&item.name) else {
            let text = format!(
                "{}: the scheme {} knows no {what} `{}`; add it there, or to the `names` of the one that is meant",
                item.place,
                scheme.version(),
                item.name
            );
            return refused("ITEM_UNKNOWN", text);
        };
        if let Some((_, earlier)) = all.iter().find(|(one, _)| id(one) == id(known)) {
            let text = format!("{} and {} both speak of `{}`; keep one", earlier.place, item.place, id(known));
            return refused("ITEM_TWICE", text);
        }
        all.push((known, item));
    }
    Ok(all)
}

fn reached<'s>(indicator: &'s Indicator, item: &Item) -> Result<(Reached<'s>, Explain), Refused> {
    let (id, place) = (&indicator.id, &item.place);
    let (Some(actual), Some(target)) = (&item.actual, &item.target) else {
        let Some(points) = &item.score else {
            let lacks = if item.actual.is_none() { "metric.current" } else { "metric.target" };
            let text = format!(
                "{place}: `{id}` has neither an actual value with its target nor a score; set `{lacks}` of the goal"
            );
            return refused("ACTUAL_MISSING", text);
        };
        let points = rated(&Item { score: Some(points.clone()), ..item.clone() })?;
        let because = step(format!("{id} was given {} points", shown(&points)), &format!("{place}/score"), &points);
        return Ok((Reached { indicator, measured: None, points }, because));
    };
    let points = kpi::score(actual, target, indicator.direction, &indicator.cap).map_err(|reason| {
        let text = match reason {
            Unscored::TargetNotPositive => format!("the target is {target}; where more is better it lies above 0"),
            Unscored::TargetNegative => format!("the target is {target}; where less is better it is not negative"),
            Unscored::ActualNegative => {
                format!("the actual value is {actual}; where less is better it is not negative")
            }
        };
        Refused { code: "INDICATOR_UNFIT", text: format!("{place}: of `{id}`, {text}") }
    })?;
    let cap = &indicator.cap;
    let ratio = match indicator.direction {
        kpi::Direction::Up => format!("100 × {actual} ÷ {target}"),
        kpi::Direction::Down => format!("100 × {target} ÷ {actual}"),
    };
    let text = format!("{id}: {ratio}, limited to 0..{cap} = {}", shown(&points));
    let because = step(text, &format!("{place}/goal/metric/current"), &points);
    Ok((Reached { indicator, measured: Some((actual.clone(), target.clone())), points }, because))
}

/// A score that was given, 0 to 100.
fn rated(item: &Item) -> Result<Exact, Refused> {
    let Some(score) = &item.score else {
        let text = format!("{}: `{}` has no score; the review must give one", item.place, item.name);
        return refused("SCORE_MISSING", text);
    };
    if score.is_negative() || *score > Exact::hundred() {
        let text = format!("{}: the score of `{}` lies outside its own scale", item.place, item.name);
        return refused("SCORE_UNFIT", text);
    }
    Ok(score.clone())
}

/// The weighted mean of points; `None` when there are none.
fn mean<'n>(
    name: &str,
    points: impl Iterator<Item = (&'n Exact, &'n Exact)>,
    steps: Vec<Explain>,
    explain: &mut Vec<Explain>,
) -> Option<Exact> {
    let parts: Vec<(Exact, Exact)> = points.map(|(weight, points)| (weight.clone(), points.clone())).collect();
    let mean = kpi::weighted(&parts)?;
    let sum: Vec<String> =
        parts.iter().map(|(weight, points)| format!("{} × {}", shown(weight), shown(points))).collect();
    let text = format!("{name}: ({}) ÷ 100 = {}", sum.join(" + "), shown(&mean));
    explain.push(step(text, name, &mean).because(steps));
    Some(mean)
}

/// Parts by their weights, which total 100.
fn together(name: &str, parts: &[(&str, &Exact, &Exact)], explain: &mut Vec<Explain>) -> Exact {
    let sum: Exact = parts.iter().map(|(_, weight, points)| *weight * *points).sum();
    let total = sum.over(&Exact::hundred()).unwrap_or(sum);
    let texts: Vec<String> =
        parts.iter().map(|(part, weight, points)| format!("{weight} × {} ({part})", shown(points))).collect();
    explain.push(step(format!("{name}: ({}) ÷ 100 = {}", texts.join(" + "), shown(&total)), name, &total));
    total
}

fn trained(probation: &Probation, learnt: Option<&Learnt>, explain: &mut Vec<Explain>) -> Result<Exact, Refused> {
    let known = learnt.and_then(|learnt| Some((learnt.exam.as_ref()?, learnt.completion.as_ref()?, &learnt.mentor)));
    let Some((exam, completion, mentor)) = known else {
        let text = "a probation needs training: at least one enrolment with its progress, and one learning result with \
                    a score; write them, then hand the review out again";
        return refused("TRAINING_MISSING", text.to_owned());
    };
    let Some(points) = effect(exam, completion, mentor.as_ref(), &probation.effect) else {
        return refused("TRAINING_MISSING", "without a mentor's opinion nothing of the training counts".to_owned());
    };
    let weights = &probation.effect;
    let parts = [("exam", &weights.exam, Some(exam)), ("completion", &weights.completion, Some(completion))];
    let parts = parts.into_iter().chain([("mentor", &weights.mentor, mentor.as_ref())]);
    let parts = parts.filter_map(|(part, weight, points)| Some(format!("{weight} × {} ({part})", shown(points?))));
    let text = format!("training: {} ÷ their weights = {}", parts.collect::<Vec<_>>().join(" + "), shown(&points));
    explain.push(step(text, "training", &points));
    Ok(points)
}

fn graded<'s>(cuts: &'s Cuts, total: &Exact, explain: &mut Vec<Explain>) -> &'s str {
    let (grade, from) = cuts.grade(total);
    let text = match from {
        Some(from) => format!("{} ≥ {from}: {grade}", shown(total)),
        None => format!("{} is below every cut: {grade}", shown(total)),
    };
    explain.push(said(text, "grade", grade));
    grade
}

#[cfg(test)]
mod tests;
