//! What a candidate is told after an interview: each dimension in a word, strengths, and what to do better.
//!
//! It never tells thresholds, scores or the decision: the words have bounds of their own that are no model's, and the
//! dimension with the lowest score always gets a suggestion, whether it lies below what is asked for or not.

mod page;
#[cfg(test)]
mod tests;
mod words;

pub use words::Language;

use crate::assess::Assessment;
use crate::figures::has_figures;
use crate::model::{Dimension, Model, Origin};
use crate::profile::profile;
use hub_model::entities::assessment::{FeatureClass, Speaker, Turn};
use hub_model::scalars::Localized;
use hub_tree::Decimal;
use std::collections::BTreeMap;
use words::Words;

/// A score in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Below 60.
    Developing,
    /// From 60.
    Sound,
    /// From 75.
    Good,
    /// From 90.
    Outstanding,
}

impl Level {
    /// The word for a score from 0 to 100.
    #[must_use]
    pub fn of(score: Decimal) -> Self {
        let bounds = [(90, Self::Outstanding), (75, Self::Good), (60, Self::Sound)];
        let reached = bounds.into_iter().find(|(bound, _)| score >= Decimal::from(*bound));
        reached.map_or(Self::Developing, |(_, level)| level)
    }
}

/// Something to do better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Advice<'m> {
    /// The model's words.
    Model(&'m BTreeMap<String, String>),
    /// Words for a kind of evidence, where the model has none.
    Default(Kind),
}

/// What an advice without words of the model is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// No answer had a figure.
    Figures,
    /// How somebody speaks.
    Speech,
    /// What somebody tells.
    Example,
}

/// What is told of one dimension.
struct Told<'m> {
    dimension: &'m Dimension,
    level: Option<Level>,
    advice: Vec<Advice<'m>>,
}

/// What a candidate is told after an interview.
pub struct Feedback<'m> {
    model: &'m Model,
    dimensions: Vec<Told<'m>>,
    strengths: Vec<&'m Dimension>,
    /// Advice that is about no dimension.
    general: Vec<Advice<'m>>,
}

/// Rule texts beside the dimension's own.
const MOST_RULES: usize = 2;

impl<'m> Feedback<'m> {
    /// The feedback on an assessment by the model that it was made with. `turns` are the transcript, where there is one.
    #[must_use]
    pub fn of(model: &'m Model, assessment: &Assessment, turns: &[Turn]) -> Self {
        let candidate = |turn: &&Turn| turn.speaker.as_ref().is_some_and(|speaker| speaker.value == Speaker::Candidate);
        let answers: Vec<&str> = turns.iter().filter(candidate).filter_map(|turn| turn.text.as_deref()).collect();
        let figures = (!answers.is_empty()).then(|| answers.iter().any(|text| has_figures(text)));
        let profile = profile(model, &assessment.dimensions);
        let scored = assessment.dimensions.iter().map(|dimension| {
            let fired = dimension.evidence.iter().flatten().filter_map(|evidence| evidence.rule.as_deref()).collect();
            let score = dimension.score.as_ref().and_then(|score| score.value);
            (score, Some(fired))
        });
        Self::made(model, scored.collect(), &profile.strengths, &profile.risks, figures)
    }

    /// Puts together what is known of each dimension of the model: its score and, where known, the rules that fired.
    /// `figures`: whether answers had any; `None` without answers.
    pub(crate) fn made(
        model: &'m Model,
        scored: Vec<(Option<Decimal>, Option<Vec<&str>>)>,
        strengths: &[String],
        risks: &[String],
        figures: Option<bool>,
    ) -> Self {
        let told = model.dimensions.iter().zip(scored).map(|(dimension, (score, fired))| {
            let advice = if risks.contains(&dimension.id) { advice(dimension, fired.as_deref()) } else { Vec::new() };
            Told { dimension, level: score.map(Level::of), advice }
        });
        let dimensions: Vec<Told<'m>> = told.collect();
        let mut general = Vec::new();
        if figures == Some(false) {
            general.push(Advice::Default(Kind::Figures));
        }
        // Nobody is left without a suggestion.
        if general.is_empty() && dimensions.iter().all(|told| told.advice.is_empty()) {
            general.push(Advice::Default(Kind::Example));
        }
        let strengths = model.dimensions.iter().filter(|dimension| strengths.contains(&dimension.id)).collect();
        Self { model, dimensions, strengths, general }
    }

    /// The word for each dimension that has a score, by its id.
    pub(crate) fn levels(&self, language: Language) -> Vec<(&'m str, &'static str)> {
        let levels = self.dimensions.iter().filter_map(|told| Some((told.dimension.id.as_str(), told.level?)));
        levels.map(|(id, level)| (id, language.words().level(level))).collect()
    }

    /// The suggestions, each with the dimension that it is about; `None` for the general ones.
    pub(crate) fn suggestions(&self, language: Language) -> Vec<(Option<&'m Dimension>, &str)> {
        let own = self.dimensions.iter().flat_map(|told| told.advice.iter().map(|one| (Some(told.dimension), one)));
        let general = self.general.iter().map(|one| (None, one));
        own.chain(general).map(|(dimension, one)| (dimension, one.text(language))).collect()
    }

    /// The feedback as text, paragraphs and lists in lines.
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        let words = language.words();
        let mut lines = vec![self.title(language), String::new(), words.thanks.to_owned(), String::new()];
        lines.push(format!("{}{}", words.performance, words.colon));
        lines.extend(self.dimensions.iter().map(|told| format!("- {}", line(told, language, words))));
        if !self.strengths.is_empty() {
            lines.extend([String::new(), format!("{}{}{}", words.strengths, words.colon, self.strong(language))]);
        }
        lines.extend([String::new(), format!("{}{}", words.improve, words.colon)]);
        lines.extend(self.suggestions(language).into_iter().map(|(dimension, text)| match dimension {
            Some(dimension) => format!("- {}{}{text}", language.name(dimension), words.colon),
            None => format!("- {text}"),
        }));
        lines.extend([String::new(), words.closing.to_owned()]);
        lines.join("\n")
    }

    /// The feedback in every language.
    #[must_use]
    pub fn texts(&self) -> Localized {
        let texts = Language::ALL.map(|language| (language.tag().to_owned(), self.text(language)));
        Localized::ByLang(texts.into())
    }

    /// The feedback as one HTML file that needs nothing else.
    #[must_use]
    pub fn page(&self, language: Language) -> String {
        page::page(self, language)
    }

    fn title(&self, language: Language) -> String {
        let words = language.words();
        format!("{}{}{}", words.title, words.colon, chosen(&self.model.name, language).unwrap_or(&self.model.id))
    }

    fn strong(&self, language: Language) -> String {
        let names: Vec<&str> = self.strengths.iter().map(|dimension| language.name(dimension)).collect();
        names.join(language.words().comma)
    }
}

fn line(told: &Told<'_>, language: Language, words: &Words) -> String {
    let level = told.level.map_or(words.not_assessed, |level| words.level(level));
    format!("{}{}{level}", language.name(told.dimension), words.colon)
}

/// The text of a language; else English, else any.
fn chosen(texts: &BTreeMap<String, String>, language: Language) -> Option<&str> {
    let own = texts.get(language.tag()).or_else(|| texts.get("en")).or_else(|| texts.values().next());
    own.map(String::as_str)
}

impl Advice<'_> {
    fn text(&self, language: Language) -> &str {
        match self {
            Self::Model(texts) => chosen(texts, language).unwrap_or_default(),
            Self::Default(kind) => language.words().advice(*kind),
        }
    }
}

/// What a candidate can do better in a dimension: the model's words for it and for rules that cost points or were not
/// met; where it has none, words for the kind of evidence.
fn advice<'m>(dimension: &'m Dimension, fired: Option<&[&str]>) -> Vec<Advice<'m>> {
    let rules = if let Origin::Rules { rules, .. } = &dimension.origin { rules.as_slice() } else { &[] };
    let has_fired = |id: &str| fired.is_some_and(|fired| fired.contains(&id));
    let lost = rules.iter().filter(|rule| fired.is_some() && (rule.points < Decimal::ZERO) == has_fired(&rule.id));
    let lost: Vec<_> = lost.collect();
    let mut advice: Vec<Advice<'m>> = Vec::new();
    if !dimension.improve.is_empty() {
        advice.push(Advice::Model(&dimension.improve));
    }
    let by_rule = lost.iter().filter(|rule| !rule.improve.is_empty()).take(MOST_RULES);
    advice.extend(by_rule.map(|rule| Advice::Model(&rule.improve)));
    if advice.is_empty() {
        let speech = lost.iter().any(|rule| rule.class() == FeatureClass::Speech);
        advice.push(Advice::Default(if speech { Kind::Speech } else { Kind::Example }));
    }
    advice
}
