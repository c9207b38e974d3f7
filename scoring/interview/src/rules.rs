//! Additive rules: a start value, points for what is heard and measured, held between 0 and 100, every fired rule kept.

use hub_model::entities::assessment::{FeatureClass, Scorecard, Turn};
use hub_tree::Decimal;

/// A rule of a dimension.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name in evidence.
    pub id: String,
    /// When it fires.
    pub matcher: Matcher,
    /// What it adds or takes away.
    pub points: Decimal,
}

/// When a rule fires.
#[derive(Clone, Debug)]
pub enum Matcher {
    /// One of the phrases occurs in what the candidate said, or among the vendor's keywords. Counts once.
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
    /// The turn that it fired on, for phrases.
    pub turn: Option<usize>,
    /// The feature's value, for features.
    pub value: Option<Decimal>,
}

/// Text as matchers compare it: full width as half width, lower case.
pub(crate) fn plain(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\u{3000}' => ' ',
            '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
            c => c,
        })
        .flat_map(char::to_lowercase)
        .collect()
}

impl Rule {
    /// Whether the rule fires; `None` when it does not, or when its feature was not measured.
    #[must_use]
    pub fn fire(&self, scorecard: &Scorecard, answers: &[&Turn]) -> Option<Fired<'_>> {
        let fired = |turn, value| Some(Fired { rule: self, turn, value });
        match &self.matcher {
            Matcher::Phrases(phrases) => {
                let found = find(phrases, scorecard, answers)?;
                fired(found, None)
            }
            Matcher::NoPhrase(phrases) => match find(phrases, scorecard, answers) {
                Some(_) => None,
                None => fired(None, None),
            },
            Matcher::Feature { name, at_least, at_most, .. } => {
                let features = scorecard.features.iter().flatten();
                let value = features.filter(|f| f.name.as_deref() == Some(name)).find_map(|f| f.value)?;
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

/// The turn in which one of the phrases occurs; `Some(None)` when only the vendor's keywords hold it.
#[allow(clippy::option_option, reason = "found, and where if it was said")]
fn find(phrases: &[String], scorecard: &Scorecard, answers: &[&Turn]) -> Option<Option<usize>> {
    let phrases: Vec<String> = phrases.iter().map(|phrase| plain(phrase)).collect();
    for (index, turn) in answers.iter().enumerate() {
        let text = plain(turn.text.as_deref().unwrap_or_default());
        if phrases.iter().any(|phrase| text.contains(phrase)) {
            return Some(Some(index));
        }
    }
    let keywords = scorecard.keywords.iter().flatten().map(|keyword| plain(keyword));
    keywords.into_iter().any(|keyword| phrases.contains(&keyword)).then_some(None)
}
