//! Whose consents are in force, and whom a record is about.

use crate::effects::Failure;
use crate::hub::Hub;
use crate::reading::{self, Known};
use crate::rules::document;
use hub_model::entities::governance::{Consent, ConsentPurpose};
use hub_model::{EntityType, Type};
use hub_tree::{Arena, Limits, json};

/// Fields that lead from a record to the person whom it is about, the nearest first.
const LEADS: [&str; 9] =
    ["person", "candidate", "employee", "application", "order", "interview", "offer", "pre_hire", "employment"];
/// From an order to its application, the candidate and the person, and one more.
const FARTHEST: usize = 5;

/// Whether a consent is in force at a time, µs: given by then, not withdrawn by then, and not run out.
#[must_use]
pub fn is_live(consent: &Consent, at: i64) -> bool {
    let micros = |time: &hub_model::scalars::DateTime| time.0.as_microsecond();
    let given = consent.given_at.as_ref().is_some_and(|given| micros(given) <= at);
    let ended = [&consent.withdrawn_at, &consent.expires_at].into_iter().flatten().any(|end| micros(end) <= at);
    given && !ended
}

/// The consents of a person that were ever written down and are not deleted.
///
/// # Errors
/// The store fails, or a record cannot be read.
pub async fn of_person(hub: &Hub, tenant: &str, person: &str) -> Result<Vec<Known<Consent>>, Failure> {
    reading::by(hub, tenant, "consent", "person", vec![person.to_owned()]).await
}

/// Whether a person's consent for a purpose is in force at a time, µs.
///
/// # Errors
/// The store fails, or a record cannot be read.
pub(super) async fn holds(
    hub: &Hub,
    tenant: &str,
    person: &str,
    purpose: ConsentPurpose,
    at: i64,
) -> Result<bool, Failure> {
    let consents = of_person(hub, tenant, person).await?;
    let for_it = |consent: &Consent| consent.purpose.as_ref().is_some_and(|known| known.value == purpose);
    Ok(consents.iter().any(|known| for_it(&known.record) && is_live(&known.record, at)))
}

/// The person whom a record is about: its own, or that of the candidate, the application or the employee that it
/// belongs to. `None` when it leads to none.
///
/// # Errors
/// The store fails, or a record cannot be read.
pub async fn person_of(hub: &Hub, tenant: &str, entity: &str, id: &str) -> Result<Option<String>, Failure> {
    let (mut entity, mut id) = (entity.to_owned(), id.to_owned());
    for _ in 0..FARTHEST {
        if entity == "person" {
            return Ok(Some(id));
        }
        let Some(next) = lead(hub, tenant, &entity, &id).await? else { return Ok(None) };
        (entity, id) = next;
    }
    Ok((entity == "person").then_some(id))
}

/// Whether records of an entity name somebody on the way to a person, or are persons.
#[must_use]
pub fn leads_to_person(entity: &EntityType) -> bool {
    let leads = |name: &&str| entity.field(name).is_some_and(|field| matches!(field.ty, Type::Ref(_)));
    entity.name == "person" || LEADS.iter().any(leads)
}

/// The next record on the way to the person.
async fn lead(hub: &Hub, tenant: &str, entity: &str, id: &str) -> Result<Option<(String, String)>, Failure> {
    let Some(known) = hub_model::entity(entity) else { return Ok(None) };
    let Some(text) = document(hub, tenant, entity, id, None).await? else { return Ok(None) };
    let arena = Arena::new();
    let read = json::read(&arena, text.as_bytes(), Limits::default()).unwrap_or_default();
    let found = LEADS.iter().find_map(|name| {
        let Type::Ref(to) = *known.field(name)?.ty else { return None };
        let id = read.get(name).get("id").as_text()?;
        (!to.is_empty()).then(|| (to.to_owned(), id.to_owned()))
    });
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_model::scalars::DateTime;

    #[test]
    fn a_consent_holds_from_when_it_is_given_until_it_ends() {
        let time = |text: &str| Some(DateTime(text.parse().unwrap()));
        let at = |text: &str| time(text).unwrap().0.as_microsecond();
        let given = Consent { given_at: time("2026-03-01T09:00:00Z"), ..Consent::default() };
        assert!(is_live(&given, at("2026-03-01T09:00:00Z")));
        assert!(!is_live(&given, at("2026-03-01T08:59:59Z")), "not yet given");
        assert!(!is_live(&Consent::default(), at("2026-03-01T09:00:00Z")), "asked for and not given");
        let ends = Consent { expires_at: time("2026-06-01T00:00:00Z"), ..given.clone() };
        assert!(is_live(&ends, at("2026-05-31T23:59:59Z")) && !is_live(&ends, at("2026-06-01T00:00:00Z")));
        let taken_back = Consent { withdrawn_at: time("2026-04-01T00:00:00Z"), ..given };
        assert!(is_live(&taken_back, at("2026-03-31T00:00:00Z")) && !is_live(&taken_back, at("2026-04-01T00:00:00Z")));
    }

    #[test]
    fn what_is_ordered_leads_to_a_person() {
        for entity in ["assessment_order", "background_check", "application", "candidate", "employee", "decision"] {
            assert!(leads_to_person(hub_model::entity(entity).unwrap()), "{entity}");
        }
        assert!(!leads_to_person(hub_model::entity("department").unwrap()));
    }
}
