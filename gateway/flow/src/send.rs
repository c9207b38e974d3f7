//! Step 5: outgoing calls. A call is a row before it is made, and its try is counted before it begins. What became of
//! it and what the answer says about records commit together.
//!
//! An attempt that may have arrived is repeated only where that does no harm: the vendor knows a repetition by its key,
//! or a look-up has found nothing. Else it is parked as `OUTCOME_UNKNOWN`, and a person decides.
//!
//! [`destination`] says where calls go, [`vendor`] makes those of connections, [`settle`] keeps how they ended.

pub(crate) mod destination;
mod leases;
mod retry;
mod settle;
mod vendor;

use crate::claims::LEASE_MICROS;
use crate::hub::{Hub, IDLE};
use destination::{Attempt, resolve};
use hub_kit::Leave;
use hub_store::{Call, job};
use hub_telemetry::{context_of, within};
use hub_tree::TraceContext;
use leases::Leases;
use settle::{Ended, settle};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use tracing::Instrument;

/// Calls that are under way at once.
const CONCURRENCY: i64 = 64;

/// What this process knows of the calls that it makes.
#[derive(Default)]
pub(crate) struct Sending {
    /// Until when each claimed call is this process's.
    pub(crate) leases: Leases,
    under_way: UnderWay,
}

/// How many calls of each connection are under way: one slow vendor must not take everybody's place.
type UnderWay = Arc<Mutex<BTreeMap<String, usize>>>;

pub(crate) async fn run(hub: Arc<Hub>) {
    while !hub.stops() {
        let (busy, full) = occupied(&hub);
        let free = CONCURRENCY - busy;
        let (node, now) = (hub.node.clone(), hub.clock.micros());
        let claiming = hub.store.write(job!(|tx| {
            if free <= 0 {
                return Ok(Vec::new());
            }
            tx.claim_calls(&node, now, now + LEASE_MICROS, (free, 1), &full).await
        }));
        let calls = claiming.await.unwrap_or_else(|error| {
            tracing::warn!(error = %error, "no calls can be claimed");
            Vec::new()
        });
        if calls.is_empty() {
            let _ = tokio::time::timeout(IDLE, hub.wake.calls.notified()).await;
            continue;
        }
        for call in calls {
            let slot = Slot::take(&hub.sending.under_way, &call.new.connection);
            let held = (hub.held.calls.hold(call.seq), hub.sending.leases.hold(call.seq, now + LEASE_MICROS));
            let hub = Arc::clone(&hub);
            tokio::spawn(async move {
                make(&hub, &call).await;
                drop((slot, held));
                hub.wake.calls.notify_one();
            });
        }
    }
}

/// One of the calls that a connection may have under way; free again when dropped, however the call ends.
struct Slot(UnderWay, String);

impl Slot {
    fn take(under_way: &UnderWay, connection: &str) -> Self {
        *under_way.lock().unwrap_or_else(PoisonError::into_inner).entry(connection.to_owned()).or_default() += 1;
        Self(Arc::clone(under_way), connection.to_owned())
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(count) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get_mut(&self.1) {
            *count = count.saturating_sub(1);
        }
    }
}

/// How many calls are under way, and the connections that take no more.
fn occupied(hub: &Hub) -> (i64, Vec<String>) {
    let map = hub.sending.under_way.lock().unwrap_or_else(PoisonError::into_inner);
    let busy: usize = map.values().sum();
    let limit = |id: &str| resolve(hub, id).map_or(1, |known| known.pace().concurrency);
    let full = map.iter().filter(|(id, count)| **count >= limit(id)).map(|(id, _)| id.clone()).collect();
    (i64::try_from(busy).unwrap_or(i64::MAX), full)
}

async fn make(hub: &Arc<Hub>, call: &Call) {
    let context: TraceContext = call.new.trace.parse().unwrap_or_else(|_| TraceContext::begin());
    let span = within(
        &context,
        tracing::info_span!("call", connection.id = %call.new.connection, operation = %call.new.operation, tries = call.tries),
    );
    let context = context_of(&span, &context);
    attempt(hub, call, context).instrument(span).await;
}

async fn attempt(hub: &Arc<Hub>, call: &Call, trace: TraceContext) {
    let destination = resolve(hub, &call.new.connection);
    let time = destination.as_ref().map_or(Duration::ZERO, |known| known.time_for(&call.new.operation));
    let held = || hub.sending.leases.holds(call.seq, hub.clock.micros());
    let leave = Leave { until: Instant::now() + time, held: &held };
    let args = hub.open(&call.new.tenant, &format!("call:{}", call.new.id), &call.new.body.0);
    let attempt = Attempt { hub, call, args: args.as_deref().unwrap_or_default(), trace, leave };
    let ended = match (&destination, &args) {
        (None, _) => {
            let reason = format!("there is no connection `{}` any more", call.new.connection);
            Ended::parked("CONNECTION_MISSING", reason)
        }
        (_, Err(error)) => Ended::parked("UNREADABLE_CALL", error.to_string()),
        (Some(known), Ok(_)) => {
            let tried = known.attempt(&attempt).await;
            let age = u64::try_from(hub.clock.micros() - call.new.created_at).unwrap_or(0);
            let last = retry::is_last(&known.pace().retry, call.tries, Duration::from_micros(age));
            Ended::of(tried, call.tries, last)
        }
    };
    settle(&attempt, destination, ended).await;
}
