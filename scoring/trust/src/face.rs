//! What requests and answers of the service look like.

mod chance;
mod days;
mod rates;
mod summary;

use crate::impact::Group;
use hub_calc::{Calculation, Exact, Given, Wrong};
use hub_tree::Value;

/// What this service calculates.
pub(crate) const CALCULATIONS: &[Calculation] = &[
    Calculation {
        name: "selection_impact",
        about: "Selection rates and impact ratios of categories, four fifths, demographic parity (LL144, 29 CFR 1607.4)",
        fields: &["categories", "exclude_below_share", "unknown_category"],
        run: rates::selection,
    },
    Calculation {
        name: "scoring_impact",
        about: "Scoring rates of categories: the share above the median of the whole sample, and their impact ratios",
        fields: &["scores", "exclude_below_share", "unknown_category"],
        run: rates::scoring,
    },
    Calculation {
        name: "two_proportion",
        about: "Whether a difference of two selection rates may be chance: pooled z and Fisher's exact test",
        fields: &["group", "benchmark"],
        run: chance::two_proportion,
    },
    Calculation {
        name: "audit_summary_counts",
        about: "How many people of an audit are in its tables, and how many of unknown category are not",
        fields: &["rows"],
        run: summary::counts,
    },
    Calculation {
        name: "audit_validity",
        about: "Whether a bias audit is not older than one year on the day of use",
        fields: &["audit_date", "use_date"],
        run: days::validity,
    },
    Calculation {
        name: "notice_date",
        about: "The first day of use after a notice, so many business days later",
        fields: &["notice_given", "business_days", "holidays"],
        run: days::notice,
    },
];

/// A count of people: a whole number that is not negative.
fn people(given: &Given<'_>, field: &str) -> Result<u64, Wrong> {
    let count = given.count(field)?;
    u64::try_from(count).map_err(|_| given.wrong(field, &format!("`{field}` is out of range: {count}")))
}

/// A group of people: those counted by `all`, and those of them selected.
fn group(given: &Given<'_>, all: &str) -> Result<Group, Wrong> {
    let group = Group { assessed: people(given, all)?, favoured: people(given, "selected")? };
    if group.favoured > group.assessed {
        let detail = format!(
            "`selected` is out of range: {} of a group of {} ({all}) cannot be selected",
            group.favoured, group.assessed
        );
        return Err(given.wrong("selected", &detail));
    }
    Ok(group)
}

/// The share of all people under which a category is left out, 0 to 1.
fn least_share(given: &Given<'_>) -> Result<Option<Exact>, Wrong> {
    let field = "exclude_below_share";
    let share = given.optional_number(field)?;
    match share.filter(|share| share.is_negative() || *share > Exact::one()) {
        Some(bad) => {
            let detail = format!("`{field}` is a share in the range 0 to 1 (0.02 for 2 %), and {bad} is out of range");
            Err(given.wrong(field, &detail))
        }
        None => given.optional_number(field),
    }
}

fn whole(count: u64) -> Value<'static> {
    Value::Decimal(count.into())
}
