//! Calls that wait for a consent go on when it is there.

use super::{CONSENT_MISSING, consent, gate};
use crate::effects::{Effects, Failure};
use crate::event::EventMessage;
use crate::hub::Hub;
use crate::journey::Went;
use crate::parked::RATE;
use crate::react::Consumer;
use async_trait::async_trait;
use hub_bus::Delivery;
use hub_store::{Call, Errand, NewRedrive, ParkedFilter, StoreError, Verdict, Which, job};
use std::sync::Arc;

/// Parked calls that are looked at together, and tried again by one re-drive.
const PORTION: i64 = 200;
/// Who tries them again, as people see it.
const HUB: &str = "hub";

/// Tries calls again that wait for a consent, when one of their person is written down.
pub struct Consents;

#[async_trait]
impl Consumer for Consents {
    fn name(&self) -> &'static str {
        "consents"
    }

    fn topics(&self) -> &'static [&'static str] {
        &["hr.consent.created", "hr.consent.updated", "hr.candidate.updated", "hr.employee.updated"]
    }

    /// Of candidates and employees it matters whose they are; nothing does where no consent is asked for.
    async fn sift(&self, hub: &Arc<Hub>, deliveries: Vec<Delivery>) -> Vec<Delivery> {
        if hub.trust.gates.is_empty() {
            return Vec::new();
        }
        let wanted = |delivery: &Delivery| {
            let event = EventMessage::from_cloud_event(&delivery.message.body);
            event.is_none_or(|event| event.entity == "consent" || event.changed.iter().any(|name| name == "person"))
        };
        deliveries.into_iter().filter(wanted).collect()
    }

    async fn handle(&self, hub: &Arc<Hub>, event: &EventMessage) -> Result<Effects, Failure> {
        let mut effects = Effects::of(event);
        let person = consent::person_of(hub, &event.tenant, &event.entity, &event.record).await?;
        let Some(person) = person else { return Ok(effects) };
        let mut after = String::new();
        loop {
            let (found, next) = waiting(hub, &event.tenant, &person, after).await?;
            if !found.is_empty() {
                let detail = format!("{} calls that waited for a consent are tried again", found.len());
                let subject = format!("person/{person}");
                effects.steps.add(&hub.ids, hub.clock.micros(), ("resume", Went::Ok), HUB, &subject, detail);
                effects.redrives.push(redrive(hub, &event.tenant, found));
            }
            match next {
                Some(next) => after = next,
                None => return Ok(effects),
            }
        }
    }
}

/// Of some parked calls behind `after` those that wait for a consent of this person and lack none any more; and where to
/// look on.
async fn waiting(
    hub: &Arc<Hub>,
    tenant: &str,
    person: &str,
    after: String,
) -> Result<(Vec<String>, Option<String>), Failure> {
    let which = Which { code: CONSENT_MISSING.to_owned(), ..Which::default() };
    let filter = ParkedFilter { which, resolved: false, after, limit: PORTION };
    let owner = tenant.to_owned();
    let rows = hub.store.read(job!(|tx| { tx.parked(&owner, filter).await })).await?;
    let full = i64::try_from(rows.len()).is_ok_and(|count| count >= PORTION);
    let next = rows.last().filter(|_| full).map(|last| last.new.id.clone());
    let mut found = Vec::new();
    for row in rows.into_iter().filter(|row| row.new.kind == "call") {
        let (owner, reference) = (tenant.to_owned(), row.new.reference.clone());
        let call = hub.store.read(job!(|tx| { tx.call_by_id(&owner, &reference).await })).await?;
        let Some(call) = call else { continue };
        let (entity, id) = call.new.subject.split_once('/').unwrap_or_default();
        let theirs = consent::person_of(hub, tenant, entity, id).await?.is_some_and(|of| of == person);
        if theirs && gate::lacking(hub, &call).await?.is_none() {
            found.push(row.new.id);
        }
    }
    Ok((found, next))
}

fn redrive(hub: &Hub, tenant: &str, ids: Vec<String>) -> NewRedrive {
    NewRedrive {
        id: hub.ids.next().to_string(),
        tenant: tenant.to_owned(),
        errand: Errand::Parked(Which { ids, ..Which::default() }, Verdict::Unknown),
        asked_at: hub.clock.micros(),
        asked_by: HUB.to_owned(),
        note: "the consent that they waited for is there".to_owned(),
        rate: RATE,
    }
}

/// A consent may have been written down between the look for it and the parking of the call: who wrote it found nothing
/// that waits. Looks once more.
pub(crate) async fn once_parked(hub: &Arc<Hub>, call: &Call) {
    let again = async {
        if gate::lacking(hub, call).await?.is_some() {
            return Ok::<_, Failure>(());
        }
        let (tenant, reference, inner) = (call.new.tenant.clone(), call.new.id.clone(), Arc::clone(hub));
        let which = Which { code: CONSENT_MISSING.to_owned(), ..Which::default() };
        hub.store
            .write(job!(|tx| {
                let filter = ParkedFilter { which, resolved: false, after: String::new(), limit: 1_000 };
                let rows = tx.parked(&tenant, filter).await?;
                let own = rows.into_iter().filter(|row| row.new.reference == reference).map(|row| row.new.id);
                let own: Vec<String> = own.collect();
                if !own.is_empty() {
                    tx.insert_redrive(redrive(&inner, &tenant, own)).await?;
                }
                Ok::<_, StoreError>(())
            }))
            .await?;
        Ok(())
    };
    if let Err(failure) = again.await {
        tracing::warn!(?failure, call.id = %call.new.id, "whether a consent has come meanwhile is not known");
    }
}
