//! Screening a text by request.

use super::keywords::shipped_model;
use crate::screen::screen;
use hub_calc::{Answer, Given, Wrong};

pub(super) fn resume_screen(given: Given<'_>) -> Result<Answer<'_>, Wrong> {
    let model = shipped_model(&given)?;
    let text = given.text("text")?;
    let Some(found) = screen(model, text) else {
        return Err(given.wrong("model", &format!("the model `{}` screens no résumés", model.id)));
    };
    let words: Vec<(&str, String)> =
        found.matched.iter().map(|(dimension, words)| (dimension.as_str(), words.join(", "))).collect();
    let reasons: Vec<&str> = found.reasons.iter().filter_map(|reason| reason.text.as_deref()).collect();
    Ok(Answer::new(given.arena())
        .flag("passed", found.passed)
        .named("matched", &words)
        .texts("missing", &found.missing)
        .texts("reasons", &reasons)
        .because(found.explain))
}
