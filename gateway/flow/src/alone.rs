//! Suspects: messages that a worker held when it died. Each is handled alone, while nothing else of this process is
//! under way, so that a message that ends its process is found without blaming those beside it.

use crate::claims::LEASE_MICROS;
use crate::hub::Hub;
use crate::react::handle;
use hub_store::job;
use std::sync::Arc;
use std::time::Duration;

/// Deaths of workers that had nothing else under way before a message is parked.
pub(crate) const MAX_CRASHES: i64 = 3;
/// How long calls under way are waited for. Behind it a suspect is handled all the same, and a death says nothing; the
/// process that starts again has no calls yet.
const CALLS_WITHIN: Duration = Duration::from_secs(5);

/// Handles the suspects of these consumers, one after the other; the caller has no messages under way.
pub(crate) async fn run(hub: &Arc<Hub>, consumers: &[&'static str]) {
    // No calls begin and nothing is read from the bus until this ends.
    let _quiet = hub.quiet.write().await;
    let last = tokio::time::Instant::now() + CALLS_WITHIN;
    while !hub.held.is_empty() && tokio::time::Instant::now() < last {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    while !hub.stops() {
        let (node, names, alone) = (hub.node.clone(), consumers.to_vec(), hub.held.is_empty());
        let until = hub.store_now() + LEASE_MICROS;
        let claiming = hub.store.write(job!(|tx| { tx.claim_suspect(&names, &node, until, alone).await }));
        match claiming.await {
            Ok(Some(work)) => {
                let held = hub.held.work.hold(work.seq);
                handle(hub, &work).await;
                drop(held);
            }
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(error = %error, "no suspects can be claimed");
                tokio::time::sleep(Duration::from_millis(500)).await;
                return;
            }
        }
    }
}
