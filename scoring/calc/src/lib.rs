//! What the calculators of scoring, appraisal, payroll and trust share.
//!
//! A calculation takes a tree of inputs ([`Given`]) and gives an [`Answer`] or says what is [`Wrong`] and where. Numbers
//! are exact fractions ([`Exact`]) until they are written with a stated number of places; nothing is compared after it
//! was rounded. Binary floats live in [`stats`] alone.
//!
//! Each calculator lists what it can do as [`Calculation`]s; [`answer`] runs one by its `type`.

mod answer;
pub mod chart;
mod exact;
mod given;
pub mod page;
pub mod stats;

pub use answer::Answer;
pub use exact::{Exact, NoNumber};
pub use given::{Given, Wrong};
pub use hub_expr::Explain;

use hub_tree::Value;

/// One calculation of a service.
pub struct Calculation {
    /// Its name: the `type` of a request.
    pub name: &'static str,
    /// What it does, for the description of the API.
    pub about: &'static str,
    /// The fields that it knows, `type` left out; others are warned about.
    pub fields: &'static [&'static str],
    /// Calculates. Same inputs, same answer.
    pub run: for<'a> fn(Given<'a>) -> Result<Answer<'a>, Wrong>,
}

/// Runs the calculation that `type` names.
///
/// # Errors
/// An unknown `type`, or what the calculation finds wrong.
pub fn answer<'a>(calculations: &[Calculation], given: Given<'a>) -> Result<Value<'a>, Wrong> {
    let name = given.text("type")?;
    let Some(calculation) = calculations.iter().find(|calculation| calculation.name == name) else {
        let known: Vec<&str> = calculations.iter().map(|calculation| calculation.name).collect();
        return Err(given.wrong("type", &format!("there is no calculation `{name}`; known: {}", known.join(", "))));
    };
    let mut answer = (calculation.run)(given)?;
    for (field, _) in given.entries() {
        if *field != "type" && !calculation.fields.contains(field) {
            answer.warn(&given.pointer_of(field), &format!("`{name}` has no field of this name; it was not read"));
        }
    }
    Ok(answer.finish())
}
