//! A vendor's scorecard comes in; the hub's own scorecard, a decision and, where it is proposed, the draft of an offer go out.

use super::{InterviewScoring, offer};
use crate::records::{to_json, typed, write};
use hub_flow::journey::Went;
use hub_flow::records::Target;
use hub_flow::rules::document;
use hub_flow::{Effects, EventMessage, Failure, Hub};
use hub_interview::{Assessment, Feedback, Model, assess, profile, total_share};
use hub_model::Enum;
use hub_model::entities::assessment::{
    AssessmentOrder, AutomationLevel, DECISION, Decider, DeciderKind, Decision, DecisionKind, DecisionLabel,
    FeatureClass, Interview, Rater, RaterKind, RaterModel, Rubric, SCORECARD, Scorecard, ScorecardStatus, Turn,
};
use hub_model::entities::requisition::OFFER;
use hub_model::scalars::{DateTime, Ref, Score, to};
use hub_tree::Decimal;
use std::sync::Arc;

/// What is read to score one interview.
struct Seen {
    scorecard: Scorecard,
    order: AssessmentOrder,
    interview: Interview,
}

/// Scores the interview of a vendor's scorecard.
pub(super) async fn score(
    hub: &Arc<Hub>,
    event: &EventMessage,
    scoring: &InterviewScoring,
) -> Result<Effects, Failure> {
    let mut effects = Effects::of(event);
    let Some(seen) = read(hub, event).await? else { return Ok(effects) };
    let wanted = seen.order.package.as_ref().and_then(|package| package.id.clone()).unwrap_or_default();
    let model = scoring.models.get(&wanted).ok_or_else(|| {
        let known: Vec<&str> = scoring.models.keys().map(String::as_str).collect();
        Failure::park("MODEL_MISSING", format!("there is no competency model `{wanted}`; known: {}", known.join(", ")))
    })?;
    let turns = seen.interview.turns.clone().unwrap_or_default();
    let assessment = assess(model, &seen.scorecard, &turns, scoring.policy);
    let (scorecard_id, decision_id) = (event.id_of("interview/scorecard"), event.id_of("interview/decision"));
    let at = event.at.parse().ok().map(DateTime);
    let own = scorecard(model, &seen, event, &assessment, &turns, at);
    let mut decision = decision(model, &seen, event, &assessment, &scorecard_id, at);
    // What is off by policy cannot be told from the score alone.
    decision.switched_off = (!scoring.policy.expressions).then(|| vec![Enum::of(FeatureClass::Expression)]);
    let proposed = offer::propose_for(hub, event, seen.scorecard.application.as_ref(), &assessment).await?;
    let now = hub.clock.micros();
    let rule = format!("competency model {}", model.version());
    // Scores and labels are personal: the journey tells by which model, the records tell what.
    let done = [
        ("score", format!("scorecard/{scorecard_id}"), model.version()),
        ("decide", format!("decision/{decision_id}"), rule.clone()),
    ];
    for (step, subject, detail) in done {
        effects.steps.add(&hub.ids, now, (step, Went::Ok), "hub", &subject, detail);
    }
    effects.writes.push(write(&SCORECARD, Target::New(scorecard_id.clone()), &own, &[], &rule)?);
    let mut explain = assessment.explain.clone();
    if let Some(proposed) = proposed {
        decision.reasons.get_or_insert_default().push(proposed.reason);
        explain.because.extend(proposed.explain);
        if let Some(draft) = proposed.draft {
            let offer_id = event.id_of("interview/offer");
            decision.offer = Some(Ref::new(offer_id.clone()));
            let rule = format!("decision {decision_id} by {rule}");
            let subject = format!("offer/{offer_id}");
            effects.steps.add(&hub.ids, now, ("propose", Went::Ok), "hub", &subject, model.version());
            effects.writes.push(write(&OFFER, Target::New(offer_id), &draft, &[], &rule)?);
        }
    }
    let calculation = to_json(&explain)?;
    effects.writes.push(write(
        &DECISION,
        Target::New(decision_id.clone()),
        &decision,
        &[("calculation", &calculation)],
        &rule,
    )?);
    Ok(effects)
}

/// The vendor's scorecard and what it belongs to; `None` when the scorecard is not a vendor's.
async fn read(hub: &Arc<Hub>, event: &EventMessage) -> Result<Option<Seen>, Failure> {
    let scorecard = document(hub, &event.tenant, "scorecard", &event.record, Some(event.version)).await?;
    let Some(scorecard) = scorecard else { return Ok(None) };
    let scorecard: Scorecard = typed(&scorecard)?;
    let rater = scorecard.rater.as_ref().and_then(|rater| rater.kind.as_ref()).map(|kind| kind.value);
    if rater != Some(RaterKind::Vendor) {
        return Ok(None);
    }
    let order_id = scorecard.order.as_ref().and_then(|order| order.id.clone());
    let order_id =
        order_id.ok_or_else(|| Failure::park("ORDER_MISSING", "the scorecard belongs to no assessment of ours"))?;
    let order = document(hub, &event.tenant, "assessment_order", &order_id, None).await?;
    let order: AssessmentOrder =
        typed(&order.ok_or_else(|| Failure::park("ORDER_MISSING", "the scorecard's assessment is not in the store"))?)?;
    // A result must not decide about somebody else than the one who was invited.
    let invited = order.application.as_ref().and_then(|application| application.id.as_ref());
    if scorecard.application.as_ref().and_then(|application| application.id.as_ref()) != invited {
        let reason = "the scorecard names another application than its assessment does";
        return Err(Failure::park("ORDER_MISMATCH", reason));
    }
    let interview = match scorecard.interview.as_ref().and_then(|interview| interview.id.clone()) {
        Some(id) => document(hub, &event.tenant, "interview", &id, None).await?,
        None => None,
    };
    let interview = interview.map(|document| typed(&document)).transpose()?.unwrap_or_default();
    Ok(Some(Seen { scorecard, order, interview }))
}

fn ten(value: Decimal) -> Score {
    Score { value: Some(value), min: Some(Decimal::ZERO), max: Some(Decimal::TEN), scale: None }
}

fn hundred(value: Decimal) -> Score {
    Score { value: Some(value), min: Some(Decimal::ZERO), max: Some(Decimal::ONE_HUNDRED), scale: None }
}

fn scorecard(
    model: &Model,
    seen: &Seen,
    event: &EventMessage,
    assessment: &Assessment,
    turns: &[Turn],
    at: Option<DateTime>,
) -> Scorecard {
    let profile = profile(model, &assessment.dimensions);
    let some = |names: Vec<String>| (!names.is_empty()).then_some(names);
    Scorecard {
        application: seen.scorecard.application.clone(),
        interview: seen.scorecard.interview.clone(),
        order: seen.scorecard.order.clone(),
        rater: Some(Rater {
            kind: Some(Enum::of(RaterKind::Ai)),
            model: Some(RaterModel { name: Some(model.id.clone()), version: Some(model.revision.to_string()) }),
            ..Rater::default()
        }),
        rubric: Some(Rubric { id: Some(model.id.clone()), version: Some(model.revision.to_string()) }),
        dimensions: Some(assessment.dimensions.clone()),
        total: assessment.composite.map(hundred),
        total_normalised: assessment.composite.map(total_share),
        coverage: Some(hub_model::scalars::Rate(assessment.coverage)),
        match_score: assessment.match_score.map(ten),
        strengths: some(profile.strengths),
        risks: some(profile.risks),
        feedback: Some(Feedback::of(model, assessment, turns).texts()),
        submitted_at: at,
        status: Some(Enum::of(ScorecardStatus::Submitted)),
        amends: None,
        automation_level: Some(Enum::of(AutomationLevel::Assisted)),
        summary: Some(format!("{} from scorecard {}", model.version(), event.record)),
        ..Scorecard::default()
    }
}

fn decision(
    model: &Model,
    seen: &Seen,
    event: &EventMessage,
    assessment: &Assessment,
    scorecard_id: &str,
    at: Option<DateTime>,
) -> Decision {
    let reference = |entity: &str, id: &str| {
        let mut reference = Ref::<to::Any>::new(id);
        entity.clone_into(&mut reference.entity);
        reference
    };
    let advance = assessment.label == DecisionLabel::Recommended;
    Decision {
        application: seen.scorecard.application.clone(),
        kind: Some(Enum::of(if advance { DecisionKind::Advance } else { DecisionKind::Hold })),
        label: Some(assessment.label()),
        human_review_required: Some(assessment.human_review_required()),
        made_by: Some(Decider { kind: Some(Enum::of(DeciderKind::Rule)), user: None, rule_id: Some(model.version()) }),
        at,
        reasons: Some(assessment.reasons.clone()),
        score: assessment.composite.map(hundred),
        match_score: assessment.match_score.map(ten),
        inputs: Some(vec![reference("scorecard", &event.record), reference("scorecard", scorecard_id)]),
        automation_level: Some(Enum::of(AutomationLevel::Assisted)),
        explanation: Some(assessment.explanation(model)),
        ..Decision::default()
    }
}
