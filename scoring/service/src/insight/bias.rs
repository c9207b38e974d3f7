//! A bias audit over the records of the hub: per requisition and stage.

use super::Ask;
use super::hiring::{by_application, own_scorecards};
use super::sight::{ById, NotMade, Sight, id_of, sex};
use hub_flow::Hub;
use hub_flow::access::Principal;
use hub_flow::restricted;
use hub_model::entities::assessment::{DeciderKind, Decision, DecisionKind};
use hub_model::entities::person::Person;
use hub_model::entities::recruiting::{Application, Candidate, Outcome, StageKind};
use hub_model::enums::EnumOf;
use hub_tree::Decimal;
use hub_tree::jiff::civil::Date;
use hub_tree::jiff::tz::TimeZone;
use hub_trust::audit::{About, Audit, Exclusion, Row, audit};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Its name among the reports.
pub const BIAS_AUDIT: &str = "bias-audit";

/// Stages in their order; an application that is in a later one was selected in those before.
const ORDER: [StageKind; 11] = [
    StageKind::Lead,
    StageKind::Applied,
    StageKind::Screening,
    StageKind::Assessment,
    StageKind::Interview,
    StageKind::Decision,
    StageKind::Offer,
    StageKind::BackgroundCheck,
    StageKind::Signing,
    StageKind::PreHire,
    StageKind::Onboarded,
];

/// What an auditor says of the audit.
#[derive(Clone, Debug, Default)]
pub struct Audited {
    /// Who makes it: an independent person or body.
    pub auditor: Option<String>,
    /// When the tool was first used.
    pub first_used: Option<Date>,
    /// Why categories under 2 % are left out of the ratios, if they are.
    pub exclude_small: Option<String>,
}

/// The audit. It needs the scope `audit`, which stands for reading records here, since counts alone come out; ethnicity
/// is in it only where the request names a purpose. Categories of fewer than five people count as not told.
///
/// # Errors
/// The caller may not read what it rests on, the stage means nothing, or the store fails.
pub async fn audited(
    hub: &Arc<Hub>,
    who: &Principal,
    zone: &TimeZone,
    ask: &Ask,
    said: Audited,
) -> Result<Audit, NotMade> {
    let sight = Sight::of_auditor(hub, who, zone)?;
    let stage = ask.stage.as_deref().map(stage_named).transpose()?;
    let applications = sight.applications(ask).await?;
    let with_ethnicity = restricted::purpose().is_some();
    let persons: ById<Person> = sight.by_id("person").await?;
    let candidates: ById<Candidate> = sight.by_id("candidate").await?;
    let scorecards = own_scorecards(&sight, &Ask { since: None, until: None, ..ask.clone() }, &applications).await?;
    let decisions = sight.all::<Decision>("decision").await?;
    let decisions = by_application(&decisions, |decision| id_of(decision.application.as_ref()));
    let mut tools: BTreeSet<String> = BTreeSet::new();
    let mut people: Vec<Assessed> = Vec::new();
    for (id, known) in &applications.all {
        let application = &known.record;
        let inside = application.applied_at.is_none_or(|at| Sight::holds(ask, sight.day(at)));
        let own = decisions.get(id.as_str()).map(Vec::as_slice).unwrap_or_default();
        let selected = match stage {
            Some(stage) => passed(application, stage),
            None => own_word(own, &mut tools),
        };
        let Some(selected) = selected.filter(|_| inside) else { continue };
        let candidate = id_of(application.candidate.as_ref()).and_then(|id| candidates.get(id));
        let person = candidate.and_then(|known| persons.get(id_of(known.record.person.as_ref())?));
        let ethnicity = person.filter(|_| with_ethnicity).and_then(|person| {
            restricted::note("person", &person.id, ["/ethnicity"]);
            person.record.ethnicity.clone()
        });
        let score = scorecards.get(id).and_then(|scorecard| scorecard.total.as_ref()?.value);
        people.push(Assessed { sex: person.and_then(|person| sex(&person.record)), ethnicity, selected, score });
    }
    hide_small(&mut people);
    let rows = people.iter().map(|one| Row {
        sex: one.sex,
        race: one.ethnicity.as_deref(),
        selected: Some(one.selected),
        score: one.score,
    });
    let tool = stage.map_or_else(|| "HR Hub interview scoring".to_owned(), |stage| format!("Stage {}", stage.as_str()));
    let today = sight.today();
    let about = About {
        tool,
        version: if tools.is_empty() { "–".to_owned() } else { tools.into_iter().collect::<Vec<_>>().join(", ") },
        audited: today,
        auditor: said.auditor.unwrap_or_else(|| "–".to_owned()),
        data_source: data_source(ask),
        period: (
            ask.since.or_else(|| first_day(&sight, &applications.all)).unwrap_or(today),
            ask.until.unwrap_or(today),
        ),
        first_used: said.first_used,
    };
    Ok(audit(rows, about, said.exclude_small.as_deref().map(Exclusion::two_percent)))
}

struct Assessed {
    sex: Option<&'static str>,
    ethnicity: Option<String>,
    selected: bool,
    score: Option<Decimal>,
}

/// Counts categories of fewer than five people as not told, so that no count tells of single people: those of each
/// characteristic, then those of both together. Each round only takes away, so that it ends.
fn hide_small(people: &mut [Assessed]) {
    loop {
        let mut counts: BTreeMap<(Option<&str>, Option<String>), usize> = BTreeMap::new();
        for one in people.iter() {
            let (sex, race) = (one.sex, one.ethnicity.clone());
            if sex.is_some() && race.is_some() {
                *counts.entry((sex, race.clone())).or_default() += 1;
            }
            if sex.is_some() {
                *counts.entry((sex, None)).or_default() += 1;
            }
            if race.is_some() {
                *counts.entry((None, race)).or_default() += 1;
            }
        }
        let is_small = |sex: Option<&str>, race: Option<&String>| {
            counts.get(&(sex, race.cloned())).is_some_and(|count| *count < hub_insight::FEWEST)
        };
        let mut changed = false;
        for one in people.iter_mut() {
            let (sex, race) = (one.sex, one.ethnicity.clone());
            if sex.is_some() && is_small(sex, None) {
                (one.sex, changed) = (None, true);
            } else if race.is_some() && (is_small(None, race.as_ref()) || is_small(sex, race.as_ref())) {
                (one.ethnicity, changed) = (None, true);
            }
        }
        if !changed {
            return;
        }
    }
}

fn data_source(ask: &Ask) -> String {
    let of = ask.requisition.as_ref().map(|id| format!(", requisition {id}")).unwrap_or_default();
    format!("applications kept by HR Hub{of}; categories of fewer than 5 people count as unknown")
}

fn first_day(sight: &Sight<'_>, applications: &ById<Application>) -> Option<Date> {
    applications.values().filter_map(|known| known.record.applied_at).min().map(|at| sight.day(at))
}

fn stage_named(name: &str) -> Result<StageKind, NotMade> {
    ORDER.into_iter().find(|stage| stage.as_str() == name).ok_or_else(|| {
        let known = ORDER.map(StageKind::as_str).join(", ");
        NotMade::Parameter("stage", format!("`{name}` is no stage to audit; there are {known}"))
    })
}

fn rank(stage: StageKind) -> Option<usize> {
    ORDER.iter().position(|known| *known == stage)
}

/// Whether an application went beyond a stage; `None` where it never came there, or is still in it.
fn passed(application: &Application, stage: StageKind) -> Option<bool> {
    let wanted = rank(stage)?;
    let moves = application.history.iter().flatten().flat_map(|one| [one.from.as_deref(), one.to.as_deref()]);
    let named = moves.flatten().filter_map(StageKind::from_wire);
    let now = application.stage_kind.as_ref().map(|stage| stage.value);
    let furthest = named.chain(now).filter_map(rank).max();
    let outcome = application.outcome.as_ref().map(|outcome| outcome.value);
    if outcome == Some(Outcome::Hired) || furthest.is_some_and(|furthest| furthest > wanted) {
        return Some(true);
    }
    let ended = outcome == Some(Outcome::Rejected) || now == Some(StageKind::Rejected);
    (ended && furthest.is_some_and(|furthest| furthest == wanted)).then_some(false)
}

/// What the hub's own last decision said; `None` where it said nothing.
fn own_word(decisions: &[&Decision], tools: &mut BTreeSet<String>) -> Option<bool> {
    let by_rule = |decision: &&&Decision| {
        let maker = decision.made_by.as_ref().and_then(|by| by.kind.as_ref());
        maker.is_some_and(|kind| kind.value == DeciderKind::Rule)
    };
    let last = decisions.iter().filter(by_rule).max_by_key(|decision| decision.at)?;
    tools.extend(last.made_by.as_ref().and_then(|by| by.rule_id.clone()));
    match last.kind.as_ref()?.value {
        DecisionKind::Advance | DecisionKind::Hire => Some(true),
        DecisionKind::Hold | DecisionKind::Reject => Some(false),
        _ => None,
    }
}

/// An audit as JSON: counts, rates and ratios as decimal text.
#[must_use]
pub fn as_json(audit: &Audit) -> serde_json::Value {
    use hub_trust::audit::{Measure, Table};
    use serde_json::json;
    let table = |table: &Table| -> Vec<serde_json::Value> {
        let one = |(at, one): (usize, &hub_trust::audit::Category)| {
            json!({
                "sex": one.sex,
                "race": one.race,
                "assessed": one.group.assessed,
                "favoured": one.group.favoured,
                "rate": one.group.rate().map(|rate| rate.to_places(6)),
                "impact_ratio": one.standing.ratio().map(|ratio| ratio.to_places(6)),
                "below_four_fifths": one.standing.below_four_fifths(),
                "benchmark": table.benchmark == Some(at),
                "significant": one.chance.map(|chance| chance.is_significant()),
            })
        };
        table.categories.iter().enumerate().map(one).collect()
    };
    let measure = |measure: &Measure| {
        let tables = [("sex", &measure.sex), ("race", &measure.race), ("intersection", &measure.intersection)];
        tables.into_iter().map(|(name, one)| (name, table(one))).collect::<BTreeMap<_, _>>()
    };
    let (about, people) = (&audit.about, &audit.people);
    json!({
        "report": BIAS_AUDIT,
        "tool": about.tool,
        "version": about.version,
        "audited": about.audited.to_string(),
        "auditor": about.auditor,
        "data_source": about.data_source,
        "period": [about.period.0.to_string(), about.period.1.to_string()],
        "assessed": people.assessed,
        "unknown": {"sex": people.unknown_sex, "race": people.unknown_race, "intersection": people.unknown_intersection},
        "selection": audit.selection.as_ref().map(measure),
        "median": audit.scoring.as_ref().map(|(median, _)| median.to_string()),
        "scoring": audit.scoring.as_ref().map(|(_, scored)| measure(scored)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_model::Enum;
    use hub_model::entities::recruiting::StageMove;

    #[test]
    fn small_categories_count_as_not_told_also_in_combination() {
        let person = |sex, ethnicity: &str| Assessed {
            sex: Some(sex),
            ethnicity: Some(ethnicity.to_owned()),
            selected: true,
            score: None,
        };
        let mut people: Vec<Assessed> = Vec::new();
        people.extend((0..10).map(|_| person("Female", "Asian")));
        people.extend((0..10).map(|_| person("Male", "Asian")));
        people.extend((0..3).map(|_| person("Male", "White")));
        people.extend((0..4).map(|_| person("Female", "White")));
        people.extend((0..2).map(|_| person("Other", "Asian")));
        hide_small(&mut people);
        let count = |sex: Option<&str>, race: Option<&str>| {
            people.iter().filter(|one| one.sex == sex && one.ethnicity.as_deref() == race).count()
        };
        assert_eq!((count(Some("Female"), Some("Asian")), count(Some("Male"), Some("Asian"))), (10, 10));
        assert_eq!((count(Some("Male"), None), count(Some("Female"), None)), (3, 4), "neither combination has five");
        assert_eq!(count(None, Some("Asian")), 2, "two of another sex");
    }

    #[test]
    fn who_is_still_in_a_stage_has_no_outcome_in_it() {
        let application = |now: StageKind, outcome: Outcome, came_through: &[StageKind]| Application {
            stage_kind: Some(Enum::of(now)),
            outcome: Some(Enum::of(outcome)),
            history: Some(
                came_through
                    .iter()
                    .map(|stage| StageMove { to: Some(stage.as_str().to_owned()), ..StageMove::default() })
                    .collect(),
            ),
            ..Application::default()
        };
        let at = |application: Application| passed(&application, StageKind::Interview);
        assert_eq!(at(application(StageKind::Interview, Outcome::Pending, &[])), None);
        assert_eq!(at(application(StageKind::Screening, Outcome::Rejected, &[])), None);
        assert_eq!(at(application(StageKind::Offer, Outcome::Pending, &[])), Some(true));
        assert_eq!(at(application(StageKind::Rejected, Outcome::Rejected, &[StageKind::Interview])), Some(false));
        assert_eq!(
            at(application(StageKind::Rejected, Outcome::Rejected, &[StageKind::Interview, StageKind::Offer])),
            Some(true)
        );
        assert!(stage_named("REJECTED").is_err() && stage_named("INTERVIEW").is_ok());
    }
}
