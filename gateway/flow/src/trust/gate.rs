//! The one place where a call leaves: what it orders about a person needs their consent. It is looked at before every
//! try, so that a consent that was withdrawn stops what has not left.

use super::consent::{holds, person_of};
use super::{CONSENT_MISSING, Rules};
use crate::effects::Failure;
use crate::hub::Hub;
use crate::poll;
use crate::send::destination::{Repeat, Tried};
use hub_engine::Direction;
use hub_kit::client::SendError;
use hub_kit::parts::is_part;
use hub_kit::{CallError, Connection, Operation};
use hub_model::entities::governance::ConsentPurpose;
use hub_model::enums::EnumOf;
use hub_store::Call;
use std::collections::BTreeSet;

/// What operations that take something back are called: nobody's consent is needed for them.
const TAKE_BACK: [&str; 4] = ["cancel_", "delete_", "revoke_", "withdraw_"];

/// What a call comes to that must not leave now; `None` when it may.
pub(crate) async fn stops(hub: &Hub, call: &Call) -> Option<Tried> {
    match lacking(hub, call).await {
        Ok(None) => None,
        Ok(Some(reason)) => Some(Tried::Impossible(CONSENT_MISSING, reason)),
        // Whether there is a consent is not known: it waits.
        Err(Failure::Retry(reason)) => {
            let error = CallError::from(SendError::NotSent(format!("consents cannot be looked up: {reason}")));
            Some(Tried::Failed(error, Repeat::Never))
        }
        Err(Failure::Park { reason, .. }) => Some(Tried::Impossible(CONSENT_MISSING, reason)),
    }
}

/// Why a call must not leave.
pub(super) async fn lacking(hub: &Hub, call: &Call) -> Result<Option<String>, Failure> {
    if hub.trust.gates.is_empty() {
        return Ok(None);
    }
    let new = &call.new;
    let Some(connection) = hub.connection(&new.connection) else { return Ok(None) };
    let Some(operation) = connection.manifest.operation(&new.operation) else { return Ok(None) };
    // A part is there already, and a poll asks for what a system has, about nobody.
    if is_part(&new.operation) || poll::round_of(&new.subject).is_some() {
        return Ok(None);
    }
    let (entity, id) = new.subject.split_once('/').unwrap_or_default();
    let purposes = purposes(hub, &connection, operation, entity);
    if purposes.is_empty() {
        return Ok(None);
    }
    let person = person_of(hub, &new.tenant, entity, id).await?;
    let Some(person) = person else {
        return Ok(Some(format!(
            "{} leads to no person, whose consent for {} is needed: name the `person` of the candidate or employee, \
             then record the consent",
            new.subject,
            words(&purposes)
        )));
    };
    let mut missing = BTreeSet::new();
    for purpose in purposes {
        if !holds(hub, &new.tenant, &person, purpose, hub.clock.micros()).await? {
            missing.insert(purpose);
        }
    }
    Ok((!missing.is_empty()).then(|| {
        format!(
            "person/{person} has given no consent for {} that is in force: record it (POST /v1/consents), and the \
             call leaves by itself",
            words(&missing)
        )
    }))
}

pub(crate) fn words(purposes: &BTreeSet<ConsentPurpose>) -> String {
    purposes.iter().map(|purpose| purpose.as_str()).collect::<Vec<_>>().join(" and ")
}

/// What an operation needs consents for: as it is named, as it or what follows from it makes records of an entity at the
/// system, or as it is about such a record.
pub(crate) fn purposes(
    hub: &Hub,
    connection: &Connection,
    operation: &Operation,
    entity: &str,
) -> BTreeSet<ConsentPurpose> {
    let Rules { gates, .. } = &hub.trust;
    let mut found = BTreeSet::new();
    found.extend(gates.get(&format!("{}/{}", connection.manifest.vendor, operation.name)));
    if !operation.writes() || takes_back(&operation.name) {
        return found;
    }
    found.extend(gates.get(entity));
    let registry = hub.registry();
    for operation in makes(connection, operation) {
        let object = operation.reply.as_deref();
        let mapping = object.and_then(|object| registry.mapping(connection, object, Direction::In));
        let made = mapping.map(|mapping| mapping.entities()).unwrap_or_default();
        found.extend(made.into_iter().filter_map(|entity| gates.get(entity.name)));
    }
    found
}

/// An operation and all that write and follow from it: an order may begin with the person and end with the order.
fn makes<'c>(connection: &'c Connection, operation: &'c Operation) -> Vec<&'c Operation> {
    let mut all = vec![operation];
    let mut next = 0;
    while let Some(at) = all.get(next).copied() {
        next += 1;
        for follow in &at.then {
            let found = connection.manifest.operation(&follow.operation).filter(|found| found.writes());
            if let Some(found) = found.filter(|found| !all.iter().any(|known| known.name == found.name)) {
                all.push(found);
            }
        }
    }
    all
}

fn takes_back(operation: &str) -> bool {
    TAKE_BACK.iter().any(|begin| operation.starts_with(begin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_back_needs_no_consent() {
        assert!(takes_back("cancel_assessment_order") && takes_back("delete_background_check"));
        assert!(!takes_back("create_assessment_order") && !takes_back("invite"));
    }
}
