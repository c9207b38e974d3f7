//! Appraisal: a manager's review comes in, an appraisal, goals and a growth report go out.
//!
//! A review cycle names its scheme as its `template`; reviews of a cycle that names none belong to another system and
//! are left alone. Only a manager's review is counted; what the employee and peers say stands beside it.

mod calibrate;
mod distribute;
mod make;
mod read;

use async_trait::async_trait;
use hub_appraisal::appraise::{Refused, appraise};
use hub_appraisal::growth::growth;
use hub_appraisal::scheme::Scheme;
use hub_flow::journey::Went;
use hub_flow::{Consumer, Effects, EventMessage, Failure, Hub};
use hub_kit::Catalog;
use hub_tree::Findings;
use read::Seen;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Reads every appraisal scheme of the catalog; those of a configuration folder stand in for those of the same name.
/// Problems go to `findings`; what has errors is left out.
#[must_use]
pub fn load_schemes(catalog: &Catalog, findings: &Findings) -> BTreeMap<String, Arc<Scheme>> {
    let files = catalog.below("models/appraisal/").filter(|(place, _)| place.ends_with(".yaml"));
    let schemes = files.filter_map(|(_, source)| Scheme::compile(source, findings));
    schemes.map(|scheme| (scheme.id.clone(), Arc::new(scheme))).collect()
}

/// The consumer that appraises.
pub struct AppraisalScoring {
    schemes: BTreeMap<String, Arc<Scheme>>,
}

impl AppraisalScoring {
    /// Appraises by these schemes.
    #[must_use]
    pub const fn new(schemes: BTreeMap<String, Arc<Scheme>>) -> Self {
        Self { schemes }
    }

    /// The scheme that a cycle names.
    fn scheme(&self, name: &str) -> Result<&Arc<Scheme>, Failure> {
        self.schemes.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.schemes.keys().map(String::as_str).collect();
            let text = format!(
                "there is no appraisal scheme `{name}`, which the cycle's `template` names; known: {}. Name one of \
                 them, or add models/appraisal/{name}.yaml to the configuration",
                known.join(", ")
            );
            Failure::park("SCHEME_MISSING", text)
        })
    }

    async fn review(&self, hub: &Arc<Hub>, event: &EventMessage) -> Result<Effects, Failure> {
        let mut effects = Effects::of(event);
        let Some((review, cycle_id, cycle)) = read::review(hub, event).await? else { return Ok(effects) };
        let Some(name) = cycle.template.as_deref() else { return Ok(effects) };
        let scheme = self.scheme(name)?;
        let seen = Seen::read(hub, event, scheme, review, (cycle_id, cycle)).await?;
        if seen.existing.as_ref().is_some_and(|known| known.is_final) {
            let text = "the appraisal of this employee in this cycle is final; change its grade by an entry of its \
                        `calibration`, with `by`, `to` and `reason`";
            return Err(Failure::park("APPRAISAL_FINAL", text));
        }
        let parked = |Refused { code, text }: Refused| Failure::park(code, text);
        let appraised = appraise(scheme, &seen.work).map_err(parked)?;
        let growth = growth(scheme, &appraised, &seen.baseline);
        let made = make::Making { scheme, seen: &seen, event, appraised: &appraised, growth: &growth };
        for write in made.writes()? {
            let id = make::id_of(&write.target);
            let subject = format!("{}/{id}", write.entity.name);
            // Grades are personal: the journey tells by which scheme, the records tell what.
            effects.steps.add(&hub.ids, hub.clock.micros(), ("appraise", Went::Ok), "hub", &subject, scheme.version());
            effects.writes.push(write);
        }
        Ok(effects)
    }
}

#[async_trait]
impl Consumer for AppraisalScoring {
    fn name(&self) -> &'static str {
        "appraisal"
    }

    fn topics(&self) -> &'static [&'static str] {
        &["hr.review.submitted", "hr.appraisal.updated", "hr.review_cycle.updated"]
    }

    async fn handle(&self, hub: &Arc<Hub>, event: &EventMessage) -> Result<Effects, Failure> {
        match event.kind.as_str() {
            "review.submitted" => self.review(hub, event).await,
            "appraisal.updated" => self.calibrated(hub, event).await,
            "review_cycle.updated" => self.cycle_moved(hub, event).await,
            _ => Ok(Effects::of(event)),
        }
    }
}
