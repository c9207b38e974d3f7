//! What comes before interviews, and what they lead to: résumés are screened; a vendor's scorecard becomes the hub's own, a decision, feedback and the draft of an offer; of
//! whom is hired, the scorecard becomes the ability baseline.

mod baseline;
mod offer;
mod score;
mod screening;

use async_trait::async_trait;
use hub_flow::{Consumer, Delivery, Effects, EventMessage, Failure, Hub};
use hub_interview::{Model, Policy};
use hub_kit::Catalog;
use hub_tree::Findings;
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

#[async_trait]
impl Consumer for InterviewScoring {
    fn name(&self) -> &'static str {
        "interview"
    }

    fn topics(&self) -> &'static [&'static str] {
        &[
            "hr.scorecard.submitted",
            "hr.resume.created",
            "hr.resume.updated",
            "hr.application.created",
            "hr.application.hired",
            "hr.candidate.updated",
            "hr.employee.created",
            "hr.employee.updated",
        ]
    }

    /// Of employees and candidates only the links between them matter; nobody is screened where no model screens.
    async fn sift(&self, _: &Arc<Hub>, deliveries: Vec<Delivery>) -> Vec<Delivery> {
        let screens = self.models.values().any(|model| model.screen.is_some());
        let wanted = |delivery: &Delivery| {
            let event = EventMessage::from_cloud_event(&delivery.message.body);
            // What cannot be read is kept, and parked where people see it.
            event.is_none_or(|event| match event.kind.as_str() {
                "application.created" | "resume.created" | "resume.updated" => screens,
                _ => baseline::may_matter(&event),
            })
        };
        deliveries.into_iter().filter(wanted).collect()
    }

    async fn handle(&self, hub: &Arc<Hub>, event: &EventMessage) -> Result<Effects, Failure> {
        match event.kind.as_str() {
            "scorecard.submitted" => Box::pin(score::score(hub, event, self)).await,
            "application.created" | "resume.created" | "resume.updated" => {
                screening::screen_applications(hub, event, self).await
            }
            _ => baseline::keep(hub, event).await,
        }
    }
}
