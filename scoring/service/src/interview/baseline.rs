//! The ability baseline: what the scorecard of the winning application says becomes part of the employee, once.
//!
//! Hiring and the employee's record come in any order and from different systems: whenever one of them, or the link between
//! them, becomes known, it is looked whether all is there. A baseline that is there is never written over; each change of
//! an employee is a version that stays readable.

use crate::records::{typed, write};
use hub_flow::journey::Went;
use hub_flow::records::Target;
use hub_flow::rules::{document, documents_by};
use hub_flow::{Effects, EventMessage, Failure, Hub};
use hub_model::Enum;
use hub_model::entities::assessment::{Dimension, RaterKind, SCORECARD, Scorecard, ScorecardStatus};
use hub_model::entities::employment::{
    AbilityBaseline, AbilityDimension, AbilityGap, AbilitySource, EMPLOYEE, Employee,
};
use hub_model::entities::recruiting::{APPLICATION, Application, CANDIDATE, Candidate, Outcome};
use hub_model::scalars::{Date, DateTime, Localized, Ref, to};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Whether an event may lead to a baseline.
pub(super) fn may_matter(event: &EventMessage) -> bool {
    let links: &[&str] = match event.entity.as_str() {
        "employee" => &["candidate", "person"],
        "candidate" => &["person"],
        _ => return true,
    };
    event.changed.iter().any(|changed| links.contains(&changed.as_str()))
}

/// Gives a baseline to each employee whom the event is about and who has none.
pub(super) async fn keep(hub: &Arc<Hub>, event: &EventMessage) -> Result<Effects, Failure> {
    let mut effects = Effects::of(event);
    for (id, employee) in employees(hub, event).await? {
        if employee.ability_baseline.is_some() {
            continue;
        }
        let Some(won) = won(hub, event, &employee).await? else { continue };
        let Some((scorecard_id, scorecard)) = scorecard(hub, event, &won.id).await? else { continue };
        let baseline = baseline(&employee, &won, &scorecard_id, scorecard, event);
        let patch = Employee { ability_baseline: Some(baseline), ..Employee::default() };
        let rule = format!("ability baseline of scorecard {scorecard_id}");
        let target = Target::Remote { key: None, hub_id: Some(id.clone()) };
        let writing = write(&EMPLOYEE, target, &patch, &[], &rule)?;
        let done = ("baseline", Went::Ok);
        effects.steps.add(&hub.ids, hub.clock.micros(), done, "hub", &format!("employee/{id}"), rule);
        effects.writes.push(writing);
    }
    Ok(effects)
}

/// The employees whom an event is about, by id.
async fn employees(hub: &Arc<Hub>, event: &EventMessage) -> Result<BTreeMap<String, Employee>, Failure> {
    let mut found = BTreeMap::new();
    let candidate = match event.entity.as_str() {
        "employee" => {
            if let Some(employee) = document(hub, &event.tenant, "employee", &event.record, None).await? {
                found.insert(event.record.clone(), typed(&employee)?);
            }
            return Ok(found);
        }
        "candidate" => Some(event.record.clone()),
        _ => {
            let application = document(hub, &event.tenant, "application", &event.record, None).await?;
            let application: Option<Application> = application.map(|text| typed(&text)).transpose()?;
            application.and_then(|application| application.candidate?.id)
        }
    };
    let Some(candidate) = candidate else { return Ok(found) };
    let mut documents = documents_by(hub, &event.tenant, &EMPLOYEE, "candidate", &candidate).await?;
    let known = document(hub, &event.tenant, "candidate", &candidate, None).await?;
    let known: Option<Candidate> = known.map(|text| typed(&text)).transpose()?;
    if let Some(person) = known.and_then(|candidate| candidate.person?.id) {
        documents.extend(documents_by(hub, &event.tenant, &EMPLOYEE, "person", &person).await?);
    }
    for (id, text) in documents {
        found.insert(id, typed(&text)?);
    }
    Ok(found)
}

/// The application that an employee was hired through.
struct Won {
    id: String,
    hired_at: Option<DateTime>,
}

/// The application of the employee's candidate that was won last.
async fn won(hub: &Arc<Hub>, event: &EventMessage, employee: &Employee) -> Result<Option<Won>, Failure> {
    let id_of = |reference: Option<&Ref<to::Candidate>>| reference.and_then(|reference| reference.id.clone());
    let mut candidates: Vec<String> = id_of(employee.candidate.as_ref()).into_iter().collect();
    if candidates.is_empty()
        && let Some(person) = employee.person.as_ref().and_then(|person| person.id.as_ref())
    {
        let known = documents_by(hub, &event.tenant, &CANDIDATE, "person", person).await?;
        candidates.extend(known.into_iter().map(|(id, _)| id));
    }
    let mut all = Vec::new();
    for candidate in candidates {
        for (id, text) in documents_by(hub, &event.tenant, &APPLICATION, "candidate", &candidate).await? {
            let application: Application = typed(&text)?;
            if application.outcome.is_some_and(|outcome| outcome.value == Outcome::Hired) {
                all.push(Won { id, hired_at: application.hired_at });
            }
        }
    }
    // Ids keep their order by time.
    Ok(all.into_iter().max_by(|one, other| (one.hired_at, &one.id).cmp(&(other.hired_at, &other.id))))
}

/// The hub's own scorecard of an application, the last of several.
async fn scorecard(
    hub: &Arc<Hub>,
    event: &EventMessage,
    application: &str,
) -> Result<Option<(String, Scorecard)>, Failure> {
    let mut last: Option<(String, Scorecard)> = None;
    for (id, text) in documents_by(hub, &event.tenant, &SCORECARD, "application", application).await? {
        let scorecard: Scorecard = typed(&text)?;
        let kind = scorecard.rater.as_ref().and_then(|rater| rater.kind.as_ref()).map(|kind| kind.value);
        let status = scorecard.status.as_ref().map(|status| status.value);
        let own = kind == Some(RaterKind::Ai) && status == Some(ScorecardStatus::Submitted);
        let later = last.as_ref().is_none_or(|(known, old)| (old.submitted_at, known) < (scorecard.submitted_at, &id));
        if own && later {
            last = Some((id, scorecard));
        }
    }
    Ok(last)
}

/// The baseline as of the first day; where it is not known, as of the day of hiring, in UTC.
fn baseline(
    employee: &Employee,
    won: &Won,
    scorecard_id: &str,
    scorecard: Scorecard,
    event: &EventMessage,
) -> AbilityBaseline {
    let first = employee.latest_hire_on.clone().or_else(|| employee.original_hire_on.clone());
    let at = won.hired_at.or_else(|| event.at.parse().ok().map(DateTime));
    let day = |at: DateTime| Date(at.0.to_string().chars().take(10).collect());
    let scored: Vec<Dimension> =
        scorecard.dimensions.unwrap_or_default().into_iter().filter(|dimension| dimension.score.is_some()).collect();
    let gaps: Vec<AbilityGap> = scored.iter().filter_map(gap).collect();
    let ability = |dimension: Dimension| {
        let mut source = Ref::<to::Any>::new(scorecard_id);
        "scorecard".clone_into(&mut source.entity);
        AbilityDimension {
            name: name(&dimension),
            competency: dimension.competency,
            score: dimension.score,
            normalised: dimension.normalised,
            source: Some(Enum::of(AbilitySource::Interview)),
            source_ref: Some(source),
            evidence: dimension.evidence,
        }
    };
    AbilityBaseline {
        as_of: first.or_else(|| at.map(day)),
        rubric: scorecard.rubric,
        dimensions: Some(scored.into_iter().map(ability).collect()),
        overall: scorecard.total,
        gaps: (!gaps.is_empty()).then_some(gaps),
    }
}

/// What is lacking in a dimension; `None` where all that the model asks for is there.
fn gap(dimension: &Dimension) -> Option<AbilityGap> {
    let (required, actual) = (dimension.required?, dimension.score.as_ref()?.value?);
    (actual < required).then(|| AbilityGap {
        competency: dimension.competency.clone(),
        name: name(dimension),
        required: Some(required),
        actual: Some(actual),
        delta: Some(required - actual),
    })
}

/// The dimension's id, which is its name in the model.
fn name(dimension: &Dimension) -> Option<String> {
    let shown = match &dimension.name {
        Some(Localized::Plain(name)) => Some(name.clone()),
        Some(Localized::ByLang(names)) => names.get("zh-CN").or_else(|| names.values().next()).cloned(),
        None => None,
    };
    dimension.id.clone().or(shown)
}
