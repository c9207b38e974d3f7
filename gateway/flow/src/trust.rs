//! What the place where the hub is used asks of decisions about people: within how many days a question is answered,
//! and what nobody does without the person's consent.
//!
//! [`consent`] says whose consents are in force, [`gate`] stops a call that lacks one, and [`resume`] lets it go once
//! the consent is there.

pub mod consent;
pub(crate) mod gate;
mod resume;

pub use resume::Consents;
pub(crate) use resume::once_parked;

use hub_model::entities::governance::ConsentPurpose;
use std::collections::BTreeMap;

/// The code of calls that wait for a consent.
pub const CONSENT_MISSING: &str = "CONSENT_MISSING";

/// Days in which a question about a decision is answered, where nothing else is configured.
const USUAL_DAYS: u16 = 30;

/// The members of the European Union, as ISO 3166-1 codes.
const IN_EU: [&str; 27] = [
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV",
    "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
];

/// The `trust` section of `hub.yaml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Whose law counts: `EU` or a country by its ISO 3166-1 code; empty when nobody has said.
    pub region: String,
    /// Days in which a question about a decision is answered, from the day on which it was asked.
    pub answer_days: u16,
    /// What needs which consent: an entity whose records are ordered from a system, or `connector/operation`. Nothing is
    /// checked about a person who has not agreed to be checked: those two are always there.
    pub gates: BTreeMap<String, ConsentPurpose>,
}

impl Default for Rules {
    fn default() -> Self {
        let always = ["background_check", "education_verification"];
        let gates = always.map(|entity| (entity.to_owned(), ConsentPurpose::BackgroundCheck)).into();
        Self { region: String::new(), answer_days: USUAL_DAYS, gates }
    }
}

impl Rules {
    /// Whether a region is the European Union or lies in it: reading emotions from faces at work is forbidden there
    /// (Regulation (EU) 2024/1689, article 5(1)(f)).
    #[must_use]
    pub fn is_in_eu(region: &str) -> bool {
        region == "EU" || IN_EU.contains(&region)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_in_the_union() {
        assert!(Rules::is_in_eu("EU") && Rules::is_in_eu("DE"));
        assert!(!Rules::is_in_eu("CN") && !Rules::is_in_eu("CH") && !Rules::is_in_eu(""));
    }
}
