//! Portraits over the records of the hub: what a caller may see of them becomes the facts of [`hub_insight::portrait`].
//!
//! A section whose records the key may not read with their personal fields is left out, and named in `missing`; of who is
//! limited to org units only the records of those count. No field of class S3 is read.

mod growth;
mod hiring;
mod sight;

use hub_flow::access::Principal;
use hub_flow::{Failure, Hub};
use hub_insight::portrait::{Fact, Kind, Missing, Portrait, Rules, Why, portrait};
use hub_kit::Catalog;
use hub_tree::Findings;
use hub_tree::jiff::tz::TimeZone;
use sight::Sight;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The model that is taken when none is named.
pub const USUAL: &str = "standard";

/// Models of portraits by their ids.
pub type PortraitModels = BTreeMap<String, Arc<Rules>>;

/// Reads `models/portrait/*.yaml` of the catalog. Problems go to `findings`; what has errors is left out.
#[must_use]
pub fn load_portraits(catalog: &Catalog, findings: &Findings) -> PortraitModels {
    let files = catalog.below("models/portrait/");
    let files = files.filter(|(place, _)| place.matches('/').count() == 2 && place.ends_with(".yaml"));
    let read = files.filter_map(|(_, source)| Rules::read(source, findings));
    read.map(|rules| (rules.id.clone(), Arc::new(rules))).collect()
}

/// Whom a portrait is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// A candidate.
    Candidate,
    /// An employee, with what recruiting knows of them.
    Employee,
}

/// Draws the portrait of a candidate or an employee (hub id) as far as a caller sees the records; `zone` is whose days
/// count.
///
/// # Errors
/// The store fails, or a record cannot be read.
pub async fn drawn(
    hub: &Arc<Hub>,
    who: &Principal,
    zone: &TimeZone,
    rules: &Rules,
    (whose, id): (Whose, &str),
) -> Result<Portrait, Failure> {
    let mut sight = Sight::of(hub, who, zone);
    let mut sections = vec!["skills", "competencies", "matches", "assessments"];
    let candidates = match whose {
        Whose::Candidate => vec![id.to_owned()],
        Whose::Employee => {
            sections.extend(["baseline", "appraisals", "reviews", "courses"]);
            growth::facts(&mut sight, id).await?
        }
    };
    hiring::facts(&mut sight, candidates).await?;
    let Sight { facts, mut missing, .. } = sight;
    for what in sections {
        if !facts.iter().any(|fact| is_in(what, fact)) && !missing.iter().any(|known| known.what == what) {
            missing.push(Missing { what, why: Why::NoRecord, place: None });
        }
    }
    Ok(portrait(rules, facts, missing))
}

/// Whether a section of a portrait holds a fact.
fn is_in(section: &str, fact: &Fact) -> bool {
    match section {
        "skills" => fact.kind == Kind::Skill,
        "competencies" => {
            matches!(fact.kind, Kind::Scorecard | Kind::Assessment | Kind::Baseline | Kind::Review)
        }
        "matches" => fact.kind == Kind::Match,
        "assessments" => fact.kind == Kind::Test,
        "baseline" => fact.kind == Kind::Baseline,
        "appraisals" => fact.kind == Kind::Appraisal,
        "reviews" => fact.kind == Kind::Review,
        _ => fact.kind == Kind::Course,
    }
}
