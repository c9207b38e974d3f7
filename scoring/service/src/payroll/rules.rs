//! The pay rules of a hub, and where a run finds what they are given.

use super::collect::Wanted;
use super::source::Source;
use hub_kit::Catalog;
use hub_payroll::items::PayRules;
use hub_tree::{Findings, Span};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A file of pay rules.
pub struct PayFile {
    /// The compiled rules.
    pub rules: PayRules,
    pub(super) wanted: Vec<Wanted>,
}

impl PayFile {
    /// The input that is given a sum of the year so far.
    pub(super) fn sum_of_year(&self, name: &str) -> Option<&str> {
        let is_it = |source: &Option<Source>| matches!(source, Some(Source::YearToDate(known)) if known == name);
        self.wanted.iter().find(|one| is_it(&one.source)).map(|one| one.name.as_str())
    }

    /// Whether what an earlier pay could not bear is taken off by these rules.
    pub(super) fn takes_what_was_carried(&self) -> bool {
        self.wanted.iter().any(|one| one.source == Some(Source::CarriedForward))
    }

    /// The input that is given what late data changes in settled months.
    pub(super) fn retro(&self) -> Option<&str> {
        self.wanted.iter().find(|one| one.source == Some(Source::Retro)).map(|one| one.name.as_str())
    }

    /// The version as runs and payslips name it: of the file, and of its text and packs.
    #[must_use]
    pub fn version(&self) -> String {
        format!("{}+{}", self.rules.version(), self.rules.sha256().get(..12).unwrap_or_default())
    }
}

/// Reads the pay rules of the catalog, `models/pay/*.yaml`. Problems go to `findings`; what has errors is left out.
#[must_use]
pub fn load_pay_rules(catalog: &Catalog, findings: &Findings) -> BTreeMap<String, Arc<PayFile>> {
    let files =
        catalog.below("models/pay/").filter(|(place, _)| place.matches('/').count() == 2 && place.ends_with(".yaml"));
    let mut found = BTreeMap::new();
    for (_, source) in files {
        let Some(rules) = PayRules::compile(source, findings) else { continue };
        let mut wanted = Vec::new();
        for input in &rules.inputs {
            let read = input.from.as_deref().map(Source::read).transpose();
            match read {
                Ok(source) => wanted.push(Wanted { name: input.name.clone(), source }),
                Err(wrong) => {
                    let message = format!("{}: `{}`: {wrong}", input.place, input.name);
                    findings.error(source, Span::default(), message, None);
                }
            }
        }
        if wanted.len() == rules.inputs.len() {
            found.insert(rules.id.clone(), Arc::new(PayFile { rules, wanted }));
        }
    }
    found
}
