//! Which records are about one human: candidates, employees and accounts are linked, never merged.
//!
//! [`Identities`] reacts to every change of such a record: it keeps the record's keys (hashes of identity numbers,
//! addresses and the like), finds the others that have one of them, and puts each pair side by side. What the table
//! `identity.yaml` calls automatic is linked; everything else is proposed to a person, who confirms or rejects it.
//! Every decision can be undone, and what was turned down is not proposed again for the same reasons. A link is a record
//! of its own (`identity_link`): its history says who decided what, when and why.

pub mod chain;
mod facts;
mod judge;
pub mod links;
mod names;
mod rules;
#[cfg(test)]
mod tests;

use crate::effects::{Effects, Failure};
use crate::event::EventMessage;
use crate::hub::Hub;
use crate::journey::Went;
use crate::react::Consumer;
use crate::records::sealed_as;
use async_trait::async_trait;
use facts::Facts;
use hub_bus::Delivery;
use hub_store::{MatchKey, RecordId, StoreError, job};
use hub_tree::{Arena, Limits, json};
use judge::{Judged, judge};
use rules::Rules;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Links the records of one human.
#[derive(Debug, Default)]
pub struct Identities;

#[async_trait]
impl Consumer for Identities {
    fn name(&self) -> &'static str {
        "identities"
    }

    fn topics(&self) -> &'static [&'static str] {
        &["hr.person.*", "hr.candidate.*", "hr.employee.*", "hr.user.*"]
    }

    /// Most changes touch nothing that a human is known by.
    async fn sift(&self, _: &Arc<Hub>, deliveries: Vec<Delivery>) -> Vec<Delivery> {
        let wanted = |delivery: &Delivery| {
            EventMessage::from_cloud_event(&delivery.message.body).is_none_or(|event| concerns(&event))
        };
        deliveries.into_iter().filter(wanted).collect()
    }

    /// What it finds is written at once, not with the mark that the event was done: of two records that come at the
    /// same moment each must see the other's keys. Writing it twice changes nothing.
    async fn handle(&self, hub: &Arc<Hub>, event: &EventMessage) -> Result<Effects, Failure> {
        let mut effects = Effects::of(event);
        if !concerns(event) {
            return Ok(effects);
        }
        let linked = link(hub, event).await?;
        if linked > 0 {
            let detail = format!("{linked} links to other records of the same human");
            effects.steps.add(&hub.ids, hub.clock.micros(), ("link", Went::Ok), "hub", &event.subject(), detail);
        }
        Ok(effects)
    }
}

/// Whether an event can change who a record is about. Domain events come beside one that says what changed.
fn concerns(event: &EventMessage) -> bool {
    match event.kind.rsplit_once('.').map(|(_, verb)| verb) {
        Some("deleted") => true,
        Some("created" | "updated") => Rules::embedded().concerns(&event.entity, &event.changed),
        _ => false,
    }
}

/// What a record says about a human; `None` when it is gone.
async fn facts_of(hub: &Hub, tenant: &str, records: Vec<RecordId>) -> Result<BTreeMap<RecordId, Facts>, StoreError> {
    let owner = tenant.to_owned();
    let rows = hub.store.read(job!(|tx| { tx.stored_records(&owner, records).await })).await?;
    let mut found = BTreeMap::new();
    for (record, row) in rows.into_iter().filter(|(_, row)| row.deleted_at.is_none()) {
        let opened = hub.open(tenant, &sealed_as(&record.0, &record.1), &row.body.0)?;
        let arena = Arena::new();
        let document = json::read(&arena, &opened, Limits::default()).unwrap_or_default();
        let facts = Facts::of(Rules::embedded(), &record.0, document);
        found.insert(record, facts);
    }
    Ok(found)
}

/// Puts the record of an event beside all that have something in common with it; how many links changed.
async fn link(hub: &Arc<Hub>, event: &EventMessage) -> Result<usize, StoreError> {
    let (rules, tenant) = (Rules::embedded(), event.tenant.as_str());
    let own: RecordId = (event.entity.clone(), event.record.clone());
    let facts = facts_of(hub, tenant, vec![own.clone()]).await?.remove(&own);
    let gone = facts.is_none();
    let facts = facts.unwrap_or_default();
    let keys = hashed(hub, tenant, &facts)?;
    keep_keys(hub, tenant, &own, keys.values().cloned().collect()).await?;
    let (others, shared) = others(hub, tenant, &own, &facts, &keys).await?;
    let known = links::of(hub, tenant, &own).await?;
    // Also those that had something in common until now.
    let before: BTreeSet<RecordId> = known.keys().cloned().collect();
    let missing = before.iter().filter(|record| !others.contains_key(*record)).cloned().collect();
    let mut others = others;
    others.extend(facts_of(hub, tenant, missing).await?);
    let (together, mut changed) = (chain::all(hub, tenant, &own).await?, 0);
    for other in others.keys().chain(before.iter().filter(|record| !others.contains_key(*record))) {
        let found = others.get(other).filter(|_| !gone).and_then(|found| judge(rules, &facts, found, &shared));
        // Records that are known to be one human's need no more links.
        let needed = before.contains(other) || (found.is_some() && !together.contains(other));
        if needed && links::found(hub, event, (&own, other), found).await? {
            changed += 1;
        }
    }
    if changed > 0 {
        hub.wake.events.notify_one();
    }
    Ok(changed)
}

/// The keys of a record as they are kept, by what they are made of.
fn hashed(hub: &Hub, tenant: &str, facts: &Facts) -> Result<BTreeMap<(&'static str, String), MatchKey>, StoreError> {
    let hash = |(kind, value): (&'static str, String)| {
        // The prefix keeps these apart from what records are searched by.
        let hash = hub.store.keyring().match_key(tenant, &format!("identity.{kind}"), &value)?;
        Ok(((kind, value), MatchKey { kind: kind.to_owned(), value: hash }))
    };
    facts.keys().into_iter().map(hash).collect()
}

async fn keep_keys(hub: &Hub, tenant: &str, own: &RecordId, keys: BTreeSet<MatchKey>) -> Result<(), StoreError> {
    let (owner, record) = (tenant.to_owned(), own.clone());
    let kept = hub.store.read(job!(|tx| { tx.match_keys(&owner, &record).await })).await?;
    if kept.iter().eq(keys.iter()) {
        return Ok(());
    }
    let (owner, record) = (tenant.to_owned(), own.clone());
    hub.store.write(job!(|tx| { tx.put_match_keys(&owner, &record, keys.into_iter().collect()).await })).await
}

/// The other records that have a key in common with this one, and the values that too many have in common.
async fn others(
    hub: &Hub,
    tenant: &str,
    own: &RecordId,
    facts: &Facts,
    keys: &BTreeMap<(&'static str, String), MatchKey>,
) -> Result<(BTreeMap<RecordId, Facts>, BTreeSet<(&'static str, String)>), StoreError> {
    let rules = Rules::embedded();
    let (mut found, mut shared) = (BTreeMap::new(), BTreeSet::new());
    for (what, key) in keys {
        let (owner, key) = (tenant.to_owned(), key.clone());
        let limit = i64::try_from(rules.most_records + 1).unwrap_or(i64::MAX);
        let records = hub.store.read(job!(|tx| { tx.matches(&owner, &key, limit).await })).await?;
        if records.len() > rules.most_records {
            shared.insert(what.clone());
            continue;
        }
        let unknown = records.into_iter().filter(|record| record != own).collect();
        let with_it = facts_of(hub, tenant, unknown).await?;
        if humans(facts, with_it.values()) > rules.most_humans {
            shared.insert(what.clone());
        }
        found.extend(with_it);
    }
    Ok((found, shared))
}

/// How many humans records are about, as far as their names tell.
fn humans<'f>(own: &'f Facts, others: impl Iterator<Item = &'f Facts>) -> usize {
    let mut different = vec![own];
    for facts in others {
        if different.iter().all(|known| known.is_somebody_else(facts)) {
            different.push(facts);
        }
    }
    different.len()
}
