//! A payslip as PDF, for whoever keeps it: one font, embedded with the characters that are used, so that text can be
//! searched and copied. It has no clock and no random number: the same payslip gives the same bytes.

mod content;
mod face;
mod sheet;

pub use content::{GROUPS, Group, amount};
pub use face::Face;

use hub_model::entities::pay::{PayrollRun, Payslip};
use std::collections::BTreeSet;

/// The language of the words around what the payslip says itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// 中文.
    Chinese,
    /// English.
    English,
}

impl Language {
    /// One of two texts.
    #[must_use]
    pub const fn say(self, english: &'static str, chinese: &'static str) -> &'static str {
        match self {
            Self::English => english,
            Self::Chinese => chinese,
        }
    }
}

/// What is printed.
#[derive(Clone, Copy, Debug)]
pub struct Printed<'a> {
    /// The payslip.
    pub payslip: &'a Payslip,
    /// Its run; it says the period and the day of payment.
    pub run: Option<&'a PayrollRun>,
    /// The company that pays, by name.
    pub company: Option<&'a str>,
    /// The person's name.
    pub name: Option<&'a str>,
    /// The employee's number.
    pub number: Option<&'a str>,
    /// In which language.
    pub language: Language,
}

/// Why there is no PDF.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Characters of the payslip that the font does not have, or that cannot be set one after the other, such as
    /// Arabic; in their order.
    #[error("the font lacks {}", named(.0))]
    Lacks(BTreeSet<char>),
    /// The font cannot be embedded.
    #[error("the font cannot be embedded: {0}")]
    Font(String),
}

/// Characters by sign and number: `龘 (U+9F98)`.
fn named(lacking: &BTreeSet<char>) -> String {
    let all: Vec<String> = lacking.iter().map(|one| format!("{one} (U+{:04X})", u32::from(*one))).collect();
    all.join(", ")
}

/// The payslip on pages of A4.
///
/// # Errors
/// Characters that the font lacks, all of them; or the font itself.
pub fn pdf(printed: &Printed<'_>, face: &Face) -> Result<Vec<u8>, Refused> {
    let rows = content::rows(printed);
    sheet::write(&rows, &content::foot(printed), face, printed.language)
}

#[cfg(test)]
mod tests;
