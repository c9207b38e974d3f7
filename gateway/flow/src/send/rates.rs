//! What a vendor takes in a time: of the calls that a claim has found, those beyond it are given back until there is
//! room.

use super::destination::resolve;
use crate::hub::Hub;
use hub_kit::Rate;
use hub_kit::parts::is_part;
use hub_store::{Call, StoreError, Tx};
use std::collections::{BTreeMap, BTreeSet};

/// The rates that a call of an operation counts for: its connection's, and its own. The name of each, and the rate.
pub(super) fn rates_of(hub: &Hub, connection: &str, operation: &str) -> Vec<(String, Rate)> {
    // A part of an answer is there: the vendor is not asked.
    let destination = resolve(hub, connection).filter(|_| !is_part(operation));
    let Some(destination) = destination else { return Vec::new() };
    let own = destination.pace().rates.iter().map(|rate| (format!("*/{}", rate.name()), *rate));
    let of_operation = destination.rates_of(operation);
    own.chain(of_operation.into_iter().map(|rate| (format!("{operation}/{}", rate.name()), rate))).collect()
}

/// Takes room for one call; until when there is none, if so.
pub(super) async fn take(
    tx: &mut Tx,
    connection: &str,
    rates: &[(String, Rate)],
    now: i64,
) -> Result<Option<i64>, StoreError> {
    let names: BTreeSet<String> = rates.iter().map(|(name, _)| name.clone()).collect();
    let full = tx.lock_rates(connection, names.into_iter().collect()).await?;
    let after: Vec<(&str, i64, Rate)> = rates
        .iter()
        .map(|(name, rate)| (name.as_str(), full.get(name).copied().unwrap_or(0).max(now) + rate.apart(), *rate))
        .collect();
    let free = after.iter().map(|(_, until, rate)| until - rate.at_once() * rate.apart()).max();
    if let Some(free) = free.filter(|free| *free > now) {
        return Ok(Some(free));
    }
    for (name, until, _) in after {
        tx.use_rate(connection, name, until).await?;
    }
    Ok(None)
}

/// Keeps the calls for which there is room, in their order, and gives the others back.
pub(super) async fn keep_within(hub: &Hub, tx: &mut Tx, calls: Vec<Call>, now: i64) -> Result<Vec<Call>, StoreError> {
    let with_rates = |call: Call| (rates_of(hub, &call.new.connection, &call.new.operation), call);
    let rated: Vec<(Vec<(String, Rate)>, Call)> = calls.into_iter().map(with_rates).collect();
    if rated.iter().all(|(rates, _)| rates.is_empty()) {
        return Ok(rated.into_iter().map(|(_, call)| call).collect());
    }
    let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (rates, call) in &rated {
        let of_connection = names.entry(call.new.connection.clone()).or_default();
        of_connection.extend(rates.iter().map(|(name, _)| name.clone()));
    }
    // In one order for all who lock several.
    let mut full: BTreeMap<(String, String), i64> = BTreeMap::new();
    for (connection, names) in names {
        let locked = tx.lock_rates(&connection, names.into_iter().collect()).await?;
        full.extend(locked.into_iter().map(|(name, until)| ((connection.clone(), name), until)));
    }
    let mut used: BTreeSet<(String, String)> = BTreeSet::new();
    let (mut kept, mut back) = (Vec::new(), BTreeMap::<i64, Vec<i64>>::new());
    for (rates, call) in rated {
        let after: Vec<((String, String), i64, Rate)> = rates
            .into_iter()
            .map(|(name, rate)| {
                let key = (call.new.connection.clone(), name);
                let until = full.get(&key).copied().unwrap_or(0).max(now) + rate.apart();
                (key, until, rate)
            })
            .collect();
        let free = after.iter().map(|(_, until, rate)| until - rate.at_once() * rate.apart()).max();
        if let Some(free) = free.filter(|free| *free > now) {
            back.entry(free).or_default().push(call.seq);
            continue;
        }
        for (key, until, _) in after {
            full.insert(key.clone(), until);
            used.insert(key);
        }
        kept.push(call);
    }
    for (connection, name) in used {
        let until = full.get(&(connection.clone(), name.clone())).copied().unwrap_or(now);
        tx.use_rate(&connection, &name, until).await?;
    }
    for (free, seqs) in back {
        tx.unclaim_calls(seqs, free).await?;
    }
    Ok(kept)
}
