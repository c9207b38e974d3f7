//! What workers tell each other about connections: their counts go into the store, the others' come from there.

use super::traffic::slot_of;
use crate::hub::Hub;
use hub_store::{CircuitState, job};
use std::sync::Arc;
use std::time::Duration;

/// How often own counts are kept.
const KEEP_EVERY: Duration = Duration::from_secs(1);
/// Every so many times the others' counts are read, and after so many what is old is forgotten.
const LEARN_EVERY: u64 = 2;
const FORGET_EVERY: u64 = 60;

/// Keeps counts and learns the others' until the hub stops.
pub(super) async fn watch(hub: &Arc<Hub>) {
    let mut round: u64 = 0;
    while !hub.stops() {
        tokio::time::sleep(KEEP_EVERY).await;
        round += 1;
        if let Err(error) = keep_and_learn(hub, round).await {
            // Then everybody judges by its own counts alone.
            tracing::warn!(error = %error, "counts of calls could not be shared");
        }
    }
}

async fn keep_and_learn(hub: &Arc<Hub>, round: u64) -> Result<(), hub_store::StoreError> {
    // Counts that are lost here are kept with the slot's next ones, or are too old to matter.
    let changed = hub.sending.traffic.changed();
    if !changed.is_empty() {
        let node = hub.node.clone();
        hub.store.write(job!(|tx| { tx.put_counts(&node, changed).await })).await?;
    }
    if !round.is_multiple_of(LEARN_EVERY) {
        return Ok(());
    }
    let oldest = slot_of(hub.store_now()) - longest_window(hub);
    let node = hub.node.clone();
    let (others, circuits) =
        hub.store.read(job!(|tx| { Ok((tx.counts(oldest, &node).await?, tx.circuits().await?)) })).await?;
    hub.sending.traffic.learn(others, oldest);
    for circuit in circuits {
        let state = match (&circuit.hand, circuit.state) {
            (Some(hand), _) if hand.open => CircuitState::Open,
            (Some(_), _) => CircuitState::Closed,
            (None, state) => state,
        };
        hub.metrics.circuit(&circuit.connection, state.word());
    }
    if round.is_multiple_of(FORGET_EVERY) {
        hub.store.write(job!(|tx| { tx.forget_counts(oldest).await })).await?;
    }
    Ok(())
}

/// Slots that any connection looks back, and a few more.
fn longest_window(hub: &Hub) -> i64 {
    let registry = hub.registry();
    let longest = registry.connections.values().map(|connection| connection.pace.circuit.window).max();
    let longest = longest.unwrap_or_default().max(Duration::from_secs(600));
    slot_of(i64::try_from(longest.as_micros()).unwrap_or(0)) + 12
}
