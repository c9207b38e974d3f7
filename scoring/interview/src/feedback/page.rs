//! The feedback as a page for the candidate.

use super::{Feedback, Language};
use hub_calc::page::STYLE;
use maud::{DOCTYPE, PreEscaped, html};

/// The page, whole.
pub(super) fn page(feedback: &Feedback<'_>, language: Language) -> String {
    let (words, title) = (language.words(), feedback.title(language));
    let suggestions = feedback.suggestions(language);
    let whole = html! {
        (DOCTYPE)
        html lang=(language.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    h1 { (title) }
                    p { (words.thanks) }
                    h2 { (words.performance) }
                    dl {
                        @for told in &feedback.dimensions {
                            dt { (language.name(told.dimension)) }
                            dd { (told.level.map_or(words.not_assessed, |level| words.level(level))) }
                        }
                    }
                    @if !feedback.strengths.is_empty() {
                        h2 { (words.strengths) }
                        p { (feedback.strong(language)) }
                    }
                    h2 { (words.improve) }
                    ul {
                        @for (dimension, text) in suggestions {
                            li { @if let Some(dimension) = dimension { strong { (language.name(dimension)) } (words.colon) } (text) }
                        }
                    }
                    p { (words.closing) }
                }
            }
        }
    };
    whole.into_string()
}
