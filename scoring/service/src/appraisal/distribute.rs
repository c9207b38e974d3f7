//! Grades by quotas, for schemes in which somebody answers for that: when the cycle reaches the step that the scheme
//! names, all of its appraisals are graded against each other.

use super::AppraisalScoring;
use super::make::{decimal, known, reason};
use super::read::record;
use crate::records::{typed, write};
use hub_appraisal::grade::{Placed, forced};
use hub_appraisal::scheme::{Distribution, Scheme};
use hub_calc::Exact;
use hub_flow::journey::Went;
use hub_flow::records::Write;
use hub_flow::rules::documents_by;
use hub_flow::{Effects, EventMessage, Failure, Hub};
use hub_model::entities::performance::{APPRAISAL, Appraisal, REVIEW_CYCLE, ReviewCycle};
use hub_model::scalars::Rate;
use std::sync::Arc;

/// An appraisal of the group.
struct Member {
    id: String,
    appraisal: Appraisal,
    total: Exact,
}

impl AppraisalScoring {
    /// Grades the appraisals of a cycle whose status has become the one that its scheme names.
    pub(super) async fn cycle_moved(&self, hub: &Arc<Hub>, event: &EventMessage) -> Result<Effects, Failure> {
        let mut effects = Effects::of(event);
        if !event.changed.iter().any(|field| field == "status") {
            return Ok(effects);
        }
        let cycle: Option<ReviewCycle> = record(hub, event, REVIEW_CYCLE.name, &event.record).await?;
        let Some(cycle) = cycle else { return Ok(effects) };
        // A cycle may name what is no scheme as long as nobody reviews by it.
        let scheme = cycle.template.as_deref().and_then(|name| self.schemes.get(name));
        let Some(scheme) = scheme else { return Ok(effects) };
        let Some(distribution) = &scheme.distribution else { return Ok(effects) };
        if cycle.status.as_deref() != Some(distribution.at_status.as_str()) {
            return Ok(effects);
        }
        let group = group(hub, event).await?;
        if group.len() < distribution.min_group {
            return Ok(effects);
        }
        effects.writes = distributed(scheme, distribution, &group)?;
        let detail = format!("{} by quotas, for which {} answers", scheme.version(), distribution.owner);
        effects.steps.add(&hub.ids, hub.clock.micros(), ("distribute", Went::Ok), "hub", &event.subject(), detail);
        Ok(effects)
    }
}

async fn group(hub: &Hub, event: &EventMessage) -> Result<Vec<Member>, Failure> {
    let mut group = Vec::new();
    for (id, text) in documents_by(hub, &event.tenant, &APPRAISAL, "cycle", &event.record).await? {
        let appraisal: Appraisal = typed(&text)?;
        if let Some(total) = appraisal.raw_total.as_ref().and_then(|total| total.value) {
            group.push(Member { id, appraisal, total: Exact::from(total) });
        }
    }
    Ok(group)
}

/// The grades of a group. Whose grade a person has set, or is final, keeps it, and still takes its place in the order.
fn distributed(scheme: &Scheme, distribution: &Distribution, group: &[Member]) -> Result<Vec<Write>, Failure> {
    let totals: Vec<Exact> = group.iter().map(|member| member.total.clone()).collect();
    let quotas: Vec<Exact> = distribution.quotas.iter().map(|(_, quota)| quota.clone()).collect();
    let rule = format!("appraisal scheme {}", scheme.version());
    let mut writes = Vec::new();
    for (member, placed) in group.iter().zip(forced(&totals, &quotas, distribution.ties)) {
        let decided = member.appraisal.calibration.as_ref().is_some_and(|all| !all.is_empty());
        if decided || member.appraisal.finalised_at.is_some() {
            continue;
        }
        let change = changed(scheme, distribution, member, placed, group.len())?;
        writes.push(write(&APPRAISAL, known(&member.id), &change, &[], &rule)?);
    }
    Ok(writes)
}

fn changed(
    scheme: &Scheme,
    distribution: &Distribution,
    member: &Member,
    placed: Placed,
    people: usize,
) -> Result<Appraisal, Failure> {
    let grade = distribution.quotas.get(placed.grade).map_or("", |(grade, _)| grade.as_str());
    let factor = scheme.coefficient(grade).map(decimal).transpose()?;
    let share = Exact::from(placed.rank).over(&Exact::from(people)).unwrap_or_else(Exact::zero);
    let mut reasons = member.appraisal.reasons.clone().unwrap_or_default();
    reasons.retain(|reason| reason.code.as_deref() != Some("distributed"));
    let text =
        format!("按强制分布（负责人 {}）：第 {} 名，共 {people} 人，{grade} 级", distribution.owner, placed.rank);
    reasons.push(reason("distributed", None, text));
    Ok(Appraisal {
        scheme: member.appraisal.scheme.clone(),
        grade: Some(grade.to_owned()),
        bonus_factor: factor.map(Rate),
        rank_pct: Some(Rate(decimal(&share.rounded(4))?)),
        reasons: Some(reasons),
        ..Appraisal::default()
    })
}
