//! Interview scoring: a vendor's scorecard comes in, the hub's own scorecard and a decision go out.

use async_trait::async_trait;
use hub_flow::journey::Went;
use hub_flow::records::{Target, Write};
use hub_flow::rules::document;
use hub_flow::{Consumer, Effects, EventMessage, Failure, Hub};
use hub_interview::{Assessment, Model, Policy, assess, total_share};
use hub_kit::Catalog;
use hub_model::entities::assessment::{
    AssessmentOrder, AutomationLevel, DECISION, Decider, DeciderKind, Decision, DecisionKind, DecisionLabel, Interview,
    Rater, RaterKind, RaterModel, Rubric, SCORECARD, Scorecard, ScorecardStatus,
};
use hub_model::scalars::{DateTime, Ref, Score, to};
use hub_model::{EntityType, Enum};
use hub_tree::{Arena, Decimal, Findings, Limits, json};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Reads every competency model of the catalog. Problems go to `findings`; what has errors is left out.
#[must_use]
pub fn load_models(catalog: &Catalog, findings: &Findings) -> BTreeMap<String, Arc<Model>> {
    let files =
        catalog.below("models/").filter(|(place, _)| place.matches('/').count() == 1 && place.ends_with(".yaml"));
    let models = files.filter_map(|(_, source)| Model::compile(source, findings));
    models.map(|model| (model.id.clone(), Arc::new(model))).collect()
}

/// The consumer that scores interviews.
pub struct InterviewScoring {
    models: BTreeMap<String, Arc<Model>>,
    policy: Policy,
}

impl InterviewScoring {
    /// Scores by these models, as far as the region allows.
    #[must_use]
    pub const fn new(models: BTreeMap<String, Arc<Model>>, policy: Policy) -> Self {
        Self { models, policy }
    }
}

/// What is read to score one interview.
struct Seen {
    scorecard: Scorecard,
    order: AssessmentOrder,
    interview: Interview,
}

#[async_trait]
impl Consumer for InterviewScoring {
    fn name(&self) -> &'static str {
        "interview"
    }

    fn topics(&self) -> &'static [&'static str] {
        &["hr.scorecard.submitted"]
    }

    async fn handle(&self, hub: &Arc<Hub>, event: &EventMessage) -> Result<Effects, Failure> {
        let mut effects = Effects::of(event);
        let Some(seen) = read(hub, event).await? else { return Ok(effects) };
        let wanted = seen.order.package.as_ref().and_then(|package| package.id.clone()).unwrap_or_default();
        let model = self.models.get(&wanted).ok_or_else(|| {
            let known: Vec<&str> = self.models.keys().map(String::as_str).collect();
            Failure::park(
                "MODEL_MISSING",
                format!("there is no competency model `{wanted}`; known: {}", known.join(", ")),
            )
        })?;
        let turns = seen.interview.turns.clone().unwrap_or_default();
        let assessment = assess(model, &seen.scorecard, &turns, self.policy);
        let (scorecard_id, decision_id) = (event.id_of("interview/scorecard"), event.id_of("interview/decision"));
        let at = event.at.parse().ok().map(DateTime);
        let own = scorecard(model, &seen, event, &assessment, at);
        let decision = decision(model, &seen, event, &assessment, &scorecard_id, at);
        let now = hub.clock.micros();
        let rule = format!("competency model {}", model.version());
        // Scores and labels are personal: the journey tells by which model, the records tell what.
        effects.steps.add(
            &hub.ids,
            now,
            ("score", Went::Ok),
            "hub",
            &format!("scorecard/{scorecard_id}"),
            model.version(),
        );
        effects.steps.add(&hub.ids, now, ("decide", Went::Ok), "hub", &format!("decision/{decision_id}"), rule.clone());
        effects.writes.push(write(&SCORECARD, &scorecard_id, &own, &[], &rule)?);
        let calculation = to_json(&assessment.explain)?;
        effects.writes.push(write(&DECISION, &decision_id, &decision, &[("calculation", &calculation)], &rule)?);
        Ok(effects)
    }
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

fn typed<T: DeserializeOwned>(document: &str) -> Result<T, Failure> {
    // The message of a JSON error can quote the document; only its place is told.
    serde_json::from_str(document).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        Failure::park("UNREADABLE_RECORD", format!("a record does not fit the model at {place}"))
    })
}

fn hundred(value: Decimal) -> Score {
    Score { value: Some(value), min: Some(Decimal::ZERO), max: Some(Decimal::ONE_HUNDRED), scale: None }
}

fn scorecard(
    model: &Model,
    seen: &Seen,
    event: &EventMessage,
    assessment: &Assessment,
    at: Option<DateTime>,
) -> Scorecard {
    let names = |of: &dyn Fn(&hub_interview::Dimension, Decimal) -> bool| {
        let scored = assessment.dimensions.iter().zip(&model.dimensions);
        let scored = scored.filter_map(|(dimension, asked)| Some((asked, dimension.score.as_ref()?.value?)));
        let names: Vec<String> =
            scored.filter(|(asked, score)| of(asked, *score)).map(|(asked, _)| asked.id.clone()).collect();
        (!names.is_empty()).then_some(names)
    };
    let strong = Decimal::from(85);
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
        strengths: names(&|_, score| score >= strong),
        risks: names(&|asked, score| asked.min.is_some_and(|min| score < min)),
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
        inputs: Some(vec![reference("scorecard", &event.record), reference("scorecard", scorecard_id)]),
        automation_level: Some(Enum::of(AutomationLevel::Assisted)),
        explanation: Some(assessment.explanation(model)),
        ..Decision::default()
    }
}

fn to_json<T: Serialize>(value: &T) -> Result<String, Failure> {
    serde_json::to_string(value)
        .map_err(|_| Failure::park("UNREADABLE_RECORD", "a calculated record cannot be written"))
}

/// A new record. `more` adds fields as JSON text, whose numbers stay as exact as they are.
fn write<T: Serialize>(
    entity: &'static EntityType,
    id: &str,
    record: &T,
    more: &[(&str, &str)],
    rule: &str,
) -> Result<Write, Failure> {
    let arena = Arena::new();
    let text = to_json(record)?;
    let read = |text: &str| json::read(&arena, arena.bytes(text.as_bytes()), Limits::default()).unwrap_or_default();
    let mut fields = read(&text).entries().to_vec();
    fields.extend(more.iter().map(|(name, text)| (arena.text(name), read(text))));
    Ok(Write {
        entity,
        target: Target::New(id.to_owned()),
        fields: json::to_string(&arena.map(&fields)),
        ext: None,
        deleted: false,
        rules: fields.iter().map(|(name, _)| (format!("/{name}"), rule.to_owned())).collect(),
        source: None,
    })
}
