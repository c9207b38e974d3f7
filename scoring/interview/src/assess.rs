//! Puts a vendor's scorecard and a competency model together.

use crate::caps::{Facts, lower};
use crate::model::{Dimension, Model, Origin};
use crate::numbers::{normalise, shown, speech};
use crate::rules::Heard;
use crate::verdict::{Bar, Known, Line, RULE, Verdict};
use hub_expr::Explain;
use hub_model::Enum;
use hub_model::entities::assessment as record;
use hub_model::entities::assessment::{DecisionLabel, EvidenceKind, FeatureClass, Scorecard, Speaker, Turn};
use hub_model::scalars::{Localized, Rate, Score};
use hub_tree::rust_decimal::RoundingStrategy;
use hub_tree::{Decimal, Value};

/// What a region allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Whether facial expressions may count. Off by default: the EU forbids reading emotions in recruitment.
    pub expressions: bool,
}

/// A scorecard on one scale, and the decision that follows.
#[derive(Debug)]
pub struct Assessment {
    /// The model's dimensions in its order; without a score where there is none.
    pub dimensions: Vec<record::Dimension>,
    /// The weighted mean from 0 to 100; `None` when too little of the weight has a score.
    pub composite: Option<Decimal>,
    /// The match with the job, from 0 to 10, unrounded: a tenth of the composite.
    pub match_score: Option<Decimal>,
    /// The share of the weight that has a score.
    pub coverage: Decimal,
    /// 推荐, 待考虑 or 不推荐.
    pub label: DecisionLabel,
    /// Deciding dimensions below their floor.
    pub below_floor: Vec<String>,
    /// Deciding dimensions below what is asked for.
    pub below_min: Vec<String>,
    /// Deciding dimensions without a score that rests on evidence.
    pub missing: Vec<String>,
    /// A sentence for each deciding dimension, with value and threshold.
    pub reasons: Vec<record::Reason>,
    /// Every step.
    pub explain: Explain,
}

/// The Chinese word that is shown for a label.
#[must_use]
pub const fn label_text(label: DecisionLabel) -> &'static str {
    match label {
        DecisionLabel::Recommended => "推荐",
        DecisionLabel::NotRecommended => "不推荐",
        _ => "待考虑",
    }
}

impl Assessment {
    /// The label with the word that is shown for it.
    #[must_use]
    pub fn label(&self) -> Enum<DecisionLabel> {
        Enum::labelled(self.label, label_text(self.label))
    }

    /// Whether a person must decide: always, unless it is 推荐.
    #[must_use]
    pub fn human_review_required(&self) -> bool {
        self.label != DecisionLabel::Recommended
    }

    /// What the candidate is told on request.
    #[must_use]
    pub fn explanation(&self, model: &Model) -> Localized {
        let sentences = |separator: &str| {
            let texts: Vec<&str> = self.reasons.iter().filter_map(|reason| reason.text.as_deref()).collect();
            texts.join(separator)
        };
        let name = |lang: &str| model.name.get(lang).cloned().unwrap_or_else(|| model.id.clone());
        let english = match self.label {
            DecisionLabel::Recommended => "recommended",
            DecisionLabel::NotRecommended => "not recommended; a person decides",
            _ => "to be considered by a person",
        };
        let chinese =
            format!("按“{}”胜任力模型：{}。结论：{}。", name("zh-CN"), sentences("；"), label_text(self.label));
        let english = format!("By the competency model \"{}\": {}. Result: {english}.", name("en"), sentences("; "));
        Localized::ByLang([("zh-CN".to_owned(), chinese), ("en".to_owned(), english)].into())
    }
}

/// A dimension's score with what it rests on.
struct Scored {
    score: Option<Decimal>,
    evidence: Vec<record::Evidence>,
    explain: Explain,
}

/// Scores an interview by a model.
#[must_use]
pub fn assess(model: &Model, scorecard: &Scorecard, turns: &[Turn], policy: Policy) -> Assessment {
    let scorecard = with_speech_rate(scorecard, turns);
    let answers: Vec<&Turn> = turns.iter().filter(|turn| is_candidate(turn)).collect();
    let heard = Heard::of(&scorecard, &answers);
    let scored: Vec<Scored> = model
        .dimensions
        .iter()
        .map(|dimension| match &dimension.origin {
            Origin::Vendor(names) => from_vendor(dimension, names, &scorecard),
            Origin::Rules { start, rules } => {
                let said = Said { scorecard: &scorecard, answers: &answers, heard: &heard };
                from_rules(dimension, *start, rules, &said, policy)
            }
        })
        .collect();
    let (composite, coverage, composite_step) = composite(model, &scored);
    let verdict = verdict(model, &scored, composite);
    let mut label = verdict.label();
    let (mut reasons, mut steps): (Vec<_>, Vec<_>) = verdict.lines.iter().map(told).unzip();
    if !model.caps.rules.is_empty() {
        let facts = facts(&scorecard, &scored, composite, coverage, policy);
        for outcome in model.caps.outcomes(&facts) {
            if outcome.holds {
                label = lower(label, outcome.cap.label);
                let (code, text) = (Some("cap".to_owned()), Some(outcome.text.clone()));
                reasons.push(record::Reason { code, dimension: None, text });
            }
            let value = if outcome.holds { Value::Text(label_text(outcome.cap.label)) } else { Value::Absent };
            steps.push(Explain::leaf(outcome.text, None, value).because(vec![outcome.explain]));
        }
    }
    steps.push(composite_step);
    steps.extend(scored.iter().map(|scored| scored.explain.clone()));
    let explain = Explain::leaf(RULE, None, Value::Text(label_text(label))).because(steps);
    Assessment {
        dimensions: model.dimensions.iter().zip(scored).map(|(dimension, scored)| report(dimension, scored)).collect(),
        composite,
        match_score: composite.map(match_score),
        coverage,
        label,
        below_floor: verdict.below_floor(),
        below_min: verdict.below_min(),
        missing: verdict.missing(),
        reasons: reasons.into_iter().chain(match_shown(model, composite)).collect(),
        explain,
    }
}

fn is_candidate(turn: &Turn) -> bool {
    turn.speaker.as_ref().is_some_and(|speaker| speaker.value == Speaker::Candidate)
}

/// Vendors that send only a timed transcript still give a speech rate: it is measured from the candidate's turns.
fn with_speech_rate(scorecard: &Scorecard, turns: &[Turn]) -> Scorecard {
    let mut scorecard = scorecard.clone();
    let features = scorecard.features.get_or_insert_default();
    if features.iter().any(|feature| feature.name.as_deref() == Some("speech_rate")) {
        return scorecard;
    }
    let (mut text, mut millis) = (String::new(), 0_i64);
    for turn in turns.iter().filter(|turn| is_candidate(turn)) {
        if let (Some(words), Some(start), Some(end)) = (&turn.text, turn.start_ms, turn.end_ms)
            && let Some(length) = end.checked_sub(start).filter(|length| *length > 0)
        {
            text.push_str(words);
            millis = millis.saturating_add(length);
        }
    }
    if let Some(rate) = speech(&text, Decimal::new(millis, 3), Decimal::ZERO).rate {
        features.push(record::Feature {
            name: Some("speech_rate".to_owned()),
            class: Some(Enum::of(FeatureClass::Speech)),
            value: Some(rate),
            unit: Some("chars/s".to_owned()),
            question_id: None,
        });
    }
    scorecard
}

fn number(value: Decimal) -> Value<'static> {
    Value::Decimal(value)
}

fn from_vendor(dimension: &Dimension, names: &[String], scorecard: &Scorecard) -> Scored {
    let mut given = scorecard.dimensions.iter().flatten();
    let found = given.find(|given| given.id.as_ref().is_some_and(|id| names.contains(id)));
    let nothing = |why: &str| Scored {
        score: None,
        evidence: Vec::new(),
        explain: Explain::leaf(format!("{}: {why}", dimension.id), None, Value::Absent),
    };
    let Some(found) = found else { return nothing("the vendor gives no such dimension") };
    let Some(Score { value: Some(value), min: Some(min), max: Some(max), .. }) = &found.score else {
        return nothing("the vendor gives no score on a stated scale");
    };
    match normalise(*value, *min, *max) {
        Ok(score) => {
            let formula = format!("{} = 100 × ({value} − {min}) ÷ ({max} − {min})", dimension.id);
            let path = found.id.as_ref().map(|id| format!("scorecard.dimensions[{id}].score"));
            Scored {
                score: Some(score),
                evidence: found.evidence.clone().unwrap_or_default(),
                explain: Explain::leaf(formula, path, number(score)),
            }
        }
        Err(error) => nothing(&error.to_string()),
    }
}

/// What the rules of a dimension look at.
struct Said<'s> {
    scorecard: &'s Scorecard,
    answers: &'s [&'s Turn],
    heard: &'s Heard,
}

fn from_rules(dimension: &Dimension, start: Decimal, rules: &[crate::Rule], said: &Said<'_>, policy: Policy) -> Scored {
    if said.answers.is_empty() && said.scorecard.keywords.is_none() {
        let why = format!("{}: there is no transcript and no keyword to judge by", dimension.id);
        return Scored { score: None, evidence: Vec::new(), explain: Explain::leaf(why, None, Value::Absent) };
    }
    let mut score = start;
    let mut evidence = Vec::new();
    let mut steps = vec![Explain::leaf("start", None, number(start))];
    for rule in rules {
        if rule.class() == FeatureClass::Expression && !policy.expressions {
            steps.push(Explain::leaf(format!("{}: expressions are switched off here", rule.id), None, Value::Absent));
            continue;
        }
        let Some(fired) = rule.fire(said.heard) else { continue };
        score += rule.points;
        let turn = fired.turn.and_then(|index| said.answers.get(index));
        evidence.push(record::Evidence {
            kind: Some(Enum::of(if turn.is_some() { EvidenceKind::TranscriptSpan } else { EvidenceKind::Answer })),
            reference: turn.and_then(|turn| turn.question_id.clone()),
            start_ms: turn.and_then(|turn| turn.start_ms),
            end_ms: turn.and_then(|turn| turn.end_ms),
            text: None,
            rule: Some(rule.id.clone()),
            points: Some(rule.points),
            ..record::Evidence::default()
        });
        let text = match fired.value {
            Some(value) => format!("{}: measured {}", rule.id, shown(value)),
            None => rule.id.clone(),
        };
        steps.push(Explain::leaf(text, None, number(rule.points)));
    }
    let score = score.clamp(Decimal::ZERO, Decimal::ONE_HUNDRED);
    let text = format!("{} = start + points of the rules that fired, within 0 to 100", dimension.id);
    Scored { score: Some(score), evidence, explain: Explain::leaf(text, None, number(score)).because(steps) }
}

/// The weighted mean over the dimensions that have a score, if they cover enough of the weight.
fn composite(model: &Model, scored: &[Scored]) -> (Option<Decimal>, Decimal, Explain) {
    let mut covered = Decimal::ZERO;
    let mut sum = Decimal::ZERO;
    let mut steps = Vec::new();
    for (dimension, scored) in model.dimensions.iter().zip(scored) {
        if let Some(score) = scored.score {
            covered += dimension.weight;
            sum += dimension.weight * score;
            let text = format!("{} % × {} {}", dimension.weight.normalize(), dimension.id, shown(score));
            steps.push(Explain::leaf(
                text,
                None,
                number((dimension.weight * score / Decimal::ONE_HUNDRED).normalize()),
            ));
        }
    }
    let coverage = (covered / Decimal::ONE_HUNDRED).normalize();
    if covered.is_zero() || coverage < model.min_coverage {
        let text = format!(
            "composite: insufficient evidence, {} of the weight is scored and {} is needed",
            coverage, model.min_coverage
        );
        return (None, coverage, Explain::leaf(text, None, Value::Absent).because(steps));
    }
    let composite = sum.checked_div(covered).map(|composite| composite.normalize());
    let value = composite.map_or(Value::Absent, number);
    (composite, coverage, Explain::leaf("composite = Σ weight × score ÷ Σ weight", None, value).because(steps))
}

/// What the composite is called as the match with the job.
const MATCH: &str = "岗位匹配度";

/// The match with the job, from 0 to 10: a tenth of the composite, unrounded.
fn match_score(composite: Decimal) -> Decimal {
    (composite / Decimal::TEN).normalize()
}

/// The deciding dimensions against what is asked of them, and the match where the model asks for one.
fn verdict(model: &Model, scored: &[Scored], composite: Option<Decimal>) -> Verdict<Decimal> {
    let mut verdict = Verdict::new();
    for (dimension, scored) in model.dimensions.iter().zip(scored) {
        let Some(min) = dimension.min else { continue };
        let known = match scored.score {
            None => Known::Missing,
            Some(score) if scored.evidence.is_empty() => Known::Unsupported(score),
            Some(score) => Known::Scored(score),
        };
        verdict.look_at(&dimension.id, Bar { min, floor: dimension.floor }, known);
    }
    if let Some(min) = model.match_min {
        let known = composite.map_or(Known::Missing, |composite| Known::Scored(match_score(composite)));
        verdict.look_at(MATCH, Bar { min, floor: None }, known);
    }
    verdict
}

/// What rules that lower the label look at: scores that rest on something, and what may be measured here.
fn facts(
    scorecard: &Scorecard,
    scored: &[Scored],
    composite: Option<Decimal>,
    coverage: Decimal,
    policy: Policy,
) -> Facts {
    let supported = |scored: &Scored| scored.score.filter(|_| !scored.evidence.is_empty());
    let features = scorecard.features.iter().flatten().filter(|feature| {
        // What nobody has classed may come from a face.
        policy.expressions || feature.class.as_ref().is_some_and(|class| class.value != FeatureClass::Expression)
    });
    Facts {
        dimensions: scored.iter().map(supported).collect(),
        composite,
        match_score: composite.map(match_score),
        coverage,
        features: features.filter_map(|feature| Some((feature.name.clone()?, feature.value?))).collect(),
    }
}

/// A reason and a step of one line.
fn told(line: &Line<Decimal>) -> (record::Reason, Explain) {
    let text = line.text(|number| shown(*number));
    let dimension = (line.name != MATCH).then(|| line.name.clone());
    let code = if dimension.is_some() { line.code().to_owned() } else { format!("match_{}", line.code()) };
    let step = Explain::leaf(text.clone(), None, line.score.map_or(Value::Absent, number));
    (record::Reason { code: Some(code), dimension, text: Some(text) }, step)
}

/// The match as a piece of information, where the model asks for none.
fn match_shown(model: &Model, composite: Option<Decimal>) -> Option<record::Reason> {
    let text = format!("{MATCH} {}/10", shown(match_score(composite.filter(|_| model.match_min.is_none())?)));
    Some(record::Reason { code: Some("match".to_owned()), dimension: None, text: Some(text) })
}

fn report(dimension: &Dimension, scored: Scored) -> record::Dimension {
    let share = |value: Decimal| Rate((value / Decimal::ONE_HUNDRED).normalize());
    record::Dimension {
        id: Some(dimension.id.clone()),
        name: Some(Localized::ByLang(
            [("zh-CN".to_owned(), dimension.id.clone()), ("en".to_owned(), dimension.english.clone())].into(),
        )),
        weight: Some(share(dimension.weight)),
        score: scored.score.map(|value| Score {
            value: Some(value),
            min: Some(Decimal::ZERO),
            max: Some(Decimal::ONE_HUNDRED),
            scale: None,
        }),
        normalised: scored.score.map(share),
        evidence: (!scored.evidence.is_empty()).then_some(scored.evidence),
        required: dimension.min,
        ..record::Dimension::default()
    }
}

/// A share of one with four digits, half-even, as totals are kept.
#[must_use]
pub fn total_share(composite: Decimal) -> Rate {
    let share = composite / Decimal::ONE_HUNDRED;
    Rate(share.round_dp_with_strategy(4, RoundingStrategy::MidpointNearestEven))
}
