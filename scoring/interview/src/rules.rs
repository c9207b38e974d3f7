//! Additive rules: a start value, points for what is heard and measured, held between 0 and 100, every fired rule kept.

use crate::text::{is_keyword, occurs, plain, without_quoted_questions};
use hub_model::entities::assessment::{FeatureClass, Scorecard, Turn};
use hub_tree::Decimal;
use std::collections::BTreeMap;

/// A rule of a dimension.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name in evidence.
    pub id: String,
    /// When it fires.
    pub matcher: Matcher,
    /// What it adds or takes away.
    pub points: Decimal,
    /// What a candidate who has lost its points can do better, by language.
    pub improve: BTreeMap<String, String>,
}

/// When a rule fires.
#[derive(Clone, Debug)]
pub enum Matcher {
    /// One of the phrases occurs in what the candidate said, or it or the rule's name is among the vendor's keywords.
    /// Counts once. `a…b` is `a` and `b` in one sentence.
    Phrases(Vec<String>),
    /// None of them does.
    NoPhrase(Vec<String>),
    /// A measured feature reaches a bound; bounds are inclusive.
    Feature {
        /// Name of the feature.
        name: String,
        /// Its class, which a region's policy may switch off.
        class: FeatureClass,
        /// Lower bound.
        at_least: Option<Decimal>,
        /// Upper bound.
        at_most: Option<Decimal>,
    },
}

/// A rule that fired, and on what.
#[derive(Clone, Debug)]
pub struct Fired<'m> {
    /// The rule.
    pub rule: &'m Rule,
    /// The answer that it fired on, for phrases.
    pub turn: Option<usize>,
    /// The feature's value, for features.
    pub value: Option<Decimal>,
}

impl Fired<'_> {
    /// What fired, in a word: a feature's rule by its name, phrases as `keyword:…` and `missing_keyword:…`.
    #[must_use]
    pub fn word(&self) -> String {
        match &self.rule.matcher {
            Matcher::Feature { .. } => self.rule.id.clone(),
            Matcher::Phrases(_) => format!("keyword:{}", self.rule.id),
            Matcher::NoPhrase(phrases) => {
                format!("missing_keyword:{}", phrases.first().map_or("", String::as_str))
            }
        }
    }
}

/// What was heard and measured in an interview, as rules compare it.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    answers: Vec<String>,
    keywords: Vec<String>,
    features: Vec<(String, Decimal)>,
}

impl Heard {
    /// Answers of the candidate in their order, keywords that somebody else found, and features by name.
    pub fn new<'t>(
        answers: impl Iterator<Item = &'t str>,
        keywords: impl Iterator<Item = &'t str>,
        features: impl Iterator<Item = (String, Decimal)>,
    ) -> Self {
        Self {
            answers: answers.map(|text| without_quoted_questions(&plain(text))).collect(),
            keywords: keywords.map(plain).collect(),
            features: features.collect(),
        }
    }

    /// What a vendor's scorecard and the candidate's turns say.
    #[must_use]
    pub fn of(scorecard: &Scorecard, answers: &[&Turn]) -> Self {
        let features = scorecard.features.iter().flatten();
        let features = features.filter_map(|feature| Some((feature.name.clone()?, feature.value?)));
        let answers = answers.iter().map(|turn| turn.text.as_deref().unwrap_or_default());
        Self::new(answers, scorecard.keywords.iter().flatten().map(String::as_str), features)
    }

    /// The answer in which one of the phrases occurs; `Some(None)` when only the keywords hold it, or the `group` that the
    /// phrases stand for.
    #[allow(clippy::option_option, reason = "found, and where if it was said")]
    fn find(&self, phrases: &[String], group: Option<&str>) -> Option<Option<usize>> {
        let mut phrases: Vec<String> = phrases.iter().map(|phrase| plain(phrase)).collect();
        let said = self.answers.iter().position(|text| phrases.iter().any(|phrase| occurs(phrase, text)));
        phrases.extend(group.map(plain));
        let is_one = |keyword: &String| phrases.iter().any(|phrase| is_keyword(phrase, keyword));
        said.map(Some).or_else(|| self.keywords.iter().any(is_one).then_some(None))
    }
}

impl Rule {
    /// Whether the rule fires; `None` when it does not, or when its feature was not measured.
    #[must_use]
    pub fn fire(&self, heard: &Heard) -> Option<Fired<'_>> {
        let fired = |turn, value| Some(Fired { rule: self, turn, value });
        match &self.matcher {
            Matcher::Phrases(phrases) => fired(heard.find(phrases, Some(&self.id))?, None),
            Matcher::NoPhrase(phrases) => match heard.find(phrases, None) {
                Some(_) => None,
                None => fired(None, None),
            },
            Matcher::Feature { name, at_least, at_most, .. } => {
                let value = heard.features.iter().find(|(known, _)| known == name).map(|(_, value)| *value)?;
                let inside = at_least.is_none_or(|least| value >= least) && at_most.is_none_or(|most| value <= most);
                if inside { fired(None, Some(value)) } else { None }
            }
        }
    }

    /// The class of sensing that the rule rests on.
    #[must_use]
    pub const fn class(&self) -> FeatureClass {
        match &self.matcher {
            Matcher::Feature { class, .. } => *class,
            Matcher::Phrases(_) | Matcher::NoPhrase(_) => FeatureClass::Text,
        }
    }
}
