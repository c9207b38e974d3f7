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

/// Counts one call more in what is used up, by name; `Err` says when there is room for it.
fn count(full: &mut BTreeMap<String, i64>, rates: &[(String, Rate)], now: i64) -> Result<(), i64> {
    let until = |name: &String, rate: &Rate| full.get(name).copied().unwrap_or(0).max(now) + rate.apart();
    let after: Vec<(&String, i64, &Rate)> = rates.iter().map(|(name, rate)| (name, until(name, rate), rate)).collect();
    let free = after.iter().map(|(_, until, rate)| until - rate.at_once() * rate.apart()).max();
    if let Some(free) = free.filter(|free| *free > now) {
        return Err(free);
    }
    full.extend(after.into_iter().map(|(name, until, _)| (name.clone(), until)));
    Ok(())
}

fn names_of(rates: &[(String, Rate)]) -> impl Iterator<Item = String> {
    rates.iter().map(|(name, _)| name.clone())
}

/// Takes room for one call; when there will be some, if there is none.
pub(super) async fn take(
    tx: &mut Tx,
    connection: &str,
    rates: &[(String, Rate)],
    now: i64,
) -> Result<Option<i64>, StoreError> {
    let names: BTreeSet<String> = names_of(rates).collect();
    let mut full = tx.lock_rates(connection, names.into_iter().collect()).await?;
    if let Err(free) = count(&mut full, rates, now) {
        return Ok(Some(free));
    }
    for (name, until) in full {
        tx.use_rate(connection, &name, until).await?;
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
        names.entry(call.new.connection.clone()).or_default().extend(names_of(rates));
    }
    // In one order for all who lock several.
    let mut full: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::new();
    for (connection, names) in names {
        let locked = tx.lock_rates(&connection, names.into_iter().collect()).await?;
        full.insert(connection, locked);
    }
    let mut used: BTreeSet<(String, String)> = BTreeSet::new();
    let (mut kept, mut back) = (Vec::new(), BTreeMap::<i64, Vec<i64>>::new());
    for (rates, call) in rated {
        match count(full.entry(call.new.connection.clone()).or_default(), &rates, now) {
            Ok(()) => {
                used.extend(names_of(&rates).map(|name| (call.new.connection.clone(), name)));
                kept.push(call);
            }
            Err(free) => back.entry(free).or_default().push(call.seq),
        }
    }
    for (connection, name) in used {
        let until = full.get(&connection).and_then(|of| of.get(&name)).copied().unwrap_or(now);
        tx.use_rate(&connection, &name, until).await?;
    }
    for (free, seqs) in back {
        tx.unclaim_calls(seqs, free).await?;
    }
    Ok(kept)
}
