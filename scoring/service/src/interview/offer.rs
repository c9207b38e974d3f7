//! The draft of an offer for whom the model recommends: base pay within the range of finance. It is never sent by itself.

use crate::records::typed;
use hub_calc::Explain;
use hub_flow::rules::{document, documents_by};
use hub_flow::{EventMessage, Failure, Hub};
use hub_interview::{Assessment, NoProposal, propose};
use hub_model::Enum;
use hub_model::entities::assessment::{DecisionLabel, Reason};
use hub_model::entities::organization::{JobGrade, JobLevel};
use hub_model::entities::recruiting::Application;
use hub_model::entities::requisition::{
    CompensationLine, OFFER, Offer, OfferStatus, PayKind, PayPeriod, Requisition, SalaryRange,
};
use hub_model::scalars::{Money, Ref, to};
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// What is proposed, or why nothing is.
pub(super) struct Proposed {
    /// Why, without amounts: reasons travel in messages.
    pub(super) reason: Reason,
    /// The steps, with amounts.
    pub(super) explain: Option<Explain>,
    /// The draft.
    pub(super) draft: Option<Offer>,
}

fn nothing(code: &str, why: &str) -> Proposed {
    Proposed { reason: reason(code, why), explain: None, draft: None }
}

fn reason(code: &str, text: &str) -> Reason {
    Reason { code: Some(code.to_owned()), dimension: None, text: Some(text.to_owned()) }
}

/// Proposes an offer for an assessment; `None` unless the label is 推荐: nothing is said of offers then.
pub(super) async fn propose_for(
    hub: &Arc<Hub>,
    event: &EventMessage,
    application: Option<&Ref<to::Application>>,
    assessment: &Assessment,
) -> Result<Option<Proposed>, Failure> {
    if assessment.label != DecisionLabel::Recommended {
        return Ok(None);
    }
    let Some(composite) = assessment.composite else {
        return Ok(Some(nothing("no_offer", "no offer is proposed: there is no composite score")));
    };
    let read: Option<Application> = referred(hub, event, "application", application).await?;
    let Some(read) = read else {
        return Ok(Some(nothing("no_offer", "no offer is proposed: the application is not known")));
    };
    let id = application.and_then(|application| application.id.clone()).unwrap_or_default();
    // Whoever made an offer already, in whichever system, knows better.
    if !documents_by(hub, &event.tenant, &OFFER, "application", &id).await?.is_empty() {
        return Ok(Some(nothing("no_offer", "no offer is proposed: the application has one")));
    }
    let requisition: Option<Requisition> = referred(hub, event, "requisition", read.requisition.as_ref()).await?;
    let requisition = requisition.unwrap_or_default();
    let Some(range) = range(hub, event, &requisition).await? else {
        let why = "no offer is proposed: neither the requisition nor the grade of its level has a range of pay in one currency";
        return Ok(Some(nothing("no_pay_range", why)));
    };
    let (Some(low), Some(high), Some(currency)) = (range.low.amount, range.high.amount, range.low.currency) else {
        return Ok(Some(nothing("no_pay_range", "no offer is proposed: the range of pay has no amounts")));
    };
    Ok(Some(match propose(composite, low, high) {
        Err(error) => {
            let code = if error == NoProposal::NotEligible { "no_offer" } else { "no_pay_range" };
            nothing(code, &format!("no offer is proposed: {error}"))
        }
        Ok(proposal) => Proposed {
            reason: reason("offer_proposed", "an offer is proposed as a draft; a person checks and sends it"),
            explain: Some(proposal.explain),
            draft: Some(draft(
                id,
                requisition,
                Money { amount: Some(proposal.base), currency: Some(currency) },
                range.period,
            )),
        },
    }))
}

/// A record that a reference leads to; `None` when it leads nowhere.
async fn referred<T: DeserializeOwned, E: to::Target>(
    hub: &Arc<Hub>,
    event: &EventMessage,
    entity: &str,
    reference: Option<&Ref<E>>,
) -> Result<Option<T>, Failure> {
    let Some(id) = reference.and_then(|reference| reference.id.as_ref()) else { return Ok(None) };
    let found = document(hub, &event.tenant, entity, id, None).await?;
    found.map(|found| typed(&found)).transpose()
}

/// A range of pay in one currency.
struct Range {
    low: Money,
    high: Money,
    period: Option<Enum<PayPeriod>>,
}

/// What finance lets the requisition pay: its own range; else from the lowest pay of its lowest level's grade to the
/// highest of its highest level's.
async fn range(hub: &Arc<Hub>, event: &EventMessage, requisition: &Requisition) -> Result<Option<Range>, Failure> {
    if let Some(SalaryRange { min: Some(low), max: Some(high), period }) = requisition.salary.clone() {
        return Ok((low.currency == high.currency).then_some(Range { low, high, period }));
    }
    let lowest = grade(hub, event, requisition.level_min.as_ref()).await?;
    let highest = grade(hub, event, requisition.level_max.as_ref().or(requisition.level_min.as_ref())).await?;
    let ends = lowest.and_then(|grade| grade.pay_min).zip(highest.and_then(|grade| grade.pay_max));
    let ends = ends.filter(|(low, high)| low.currency == high.currency);
    Ok(ends.map(|(low, high)| Range { low, high, period: None }))
}

async fn grade(
    hub: &Arc<Hub>,
    event: &EventMessage,
    level: Option<&Ref<to::JobLevel>>,
) -> Result<Option<JobGrade>, Failure> {
    let level: Option<JobLevel> = referred(hub, event, "job_level", level).await?;
    referred(hub, event, "job_grade", level.and_then(|level| level.grade).as_ref()).await
}

fn draft(application: String, requisition: Requisition, base: Money, period: Option<Enum<PayPeriod>>) -> Offer {
    let line = CompensationLine {
        code: Some("BASE".to_owned()),
        kind: Some(Enum::of(PayKind::Base)),
        amount: Some(base),
        period,
        ..CompensationLine::default()
    };
    Offer {
        application: Some(Ref::new(application)),
        status: Some(Enum::of(OfferStatus::Draft)),
        employment_type: requisition.employment_type,
        legal_entity: requisition.legal_entity,
        department: requisition.department,
        job: requisition.job,
        location: requisition.locations.and_then(|locations| locations.into_iter().next()),
        compensation: Some(vec![line]),
        ..Offer::default()
    }
}
