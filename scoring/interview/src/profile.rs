//! What somebody is good at and what to work on, from a scorecard.

use crate::model::{Model, Origin};
use hub_model::entities::assessment as record;
use hub_tree::Decimal;

/// From here on a score is a strength.
const STRONG: i64 = 85;

/// Strengths and risks, the ids of dimensions in the order of the model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// Scores of 85 and above that rest on evidence.
    pub strengths: Vec<String>,
    /// What lies below its `min`, and the lowest score, unless that is a strength.
    pub risks: Vec<String>,
}

/// What a scorecard by a model says; `dimensions` are the model's, in its order, on 0–100. A vendor's score without
/// evidence is neither strength nor risk. Of a dimension with rules, that none has fired is what it rests on.
#[must_use]
pub fn profile(model: &Model, dimensions: &[record::Dimension]) -> Profile {
    let strong = Decimal::from(STRONG);
    let scored = model.dimensions.iter().zip(dimensions).filter_map(|(asked, dimension)| {
        let score = dimension.score.as_ref()?.value?;
        let evidence = dimension.evidence.as_ref().is_some_and(|evidence| !evidence.is_empty());
        let by_rules = matches!(asked.origin, Origin::Rules { .. });
        (evidence || by_rules).then_some((asked, score, evidence))
    });
    let scored: Vec<_> = scored.collect();
    let lowest = scored.iter().map(|(_, score, _)| *score).min().filter(|lowest| *lowest < strong);
    let mut profile = Profile::default();
    for (asked, score, evidence) in scored {
        if asked.min.is_some_and(|min| score < min) || Some(score) == lowest {
            profile.risks.push(asked.id.clone());
        } else if score >= strong && evidence {
            profile.strengths.push(asked.id.clone());
        }
    }
    profile
}
