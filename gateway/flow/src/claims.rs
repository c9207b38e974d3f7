//! Claims: who works on what. A claimed row is this process's for a while; it renews the claims of what it is really
//! working on, and what anybody has lost sight of runs out and is taken back.

use crate::hub::Hub;
use crate::journey::{Steps, Went};
use hub_store::{NewParked, StoreError, TakenBack, job};
use hub_tree::TraceContext;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a claim holds without being renewed, µs.
pub(crate) const LEASE_MICROS: i64 = 30_000_000;
const RENEW_EVERY: Duration = Duration::from_secs(5);
/// Tries of a call in a row that its worker did not survive before it is parked.
const MAX_CRASHES: i64 = 4;
/// Rounds of renewing between two looks for messages that wait for nothing.
const FREE_EVERY: u32 = 6;

/// What this process is working on: messages and calls by their sequence numbers. Only their claims are renewed.
#[derive(Default)]
pub(crate) struct Held {
    pub(crate) work: HeldSet,
    pub(crate) calls: HeldSet,
}

impl Held {
    pub(crate) fn is_empty(&self) -> bool {
        self.work.all().is_empty() && self.calls.all().is_empty()
    }
}

/// The claims of one kind.
#[derive(Clone, Default)]
pub(crate) struct HeldSet(Arc<Mutex<BTreeSet<i64>>>);

impl HeldSet {
    /// Holds a claim until the guard is dropped, however the work ends.
    pub(crate) fn hold(&self, seq: i64) -> Holding {
        self.set().insert(seq);
        Holding(self.clone(), seq)
    }

    fn all(&self) -> Vec<i64> {
        self.set().iter().copied().collect()
    }

    fn set(&self) -> MutexGuard<'_, BTreeSet<i64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A claim that is held.
pub(crate) struct Holding(HeldSet, i64);

impl Drop for Holding {
    fn drop(&mut self) {
        self.0.set().remove(&self.1);
    }
}

const MOST_LOST: usize = 100;

/// Claims that may have been committed though nobody was told: what they hold was never begun.
#[derive(Default)]
pub(crate) struct LostClaims(Vec<i64>);

impl LostClaims {
    /// Notes a claim without an answer by its lease, which none of this process's other claims has.
    pub(crate) fn note(&mut self, error: &StoreError, lease_until: i64) {
        // Beyond that, leases run out as those of the dead do.
        if error.is_unsure() && self.0.len() < MOST_LOST {
            self.0.push(lease_until);
        }
    }

    /// Gives back what they hold, once the store answers again. A call would else count as one that may have been
    /// carried out.
    pub(crate) async fn give_back(&mut self, hub: &Hub, table: &'static str, held: &HeldSet) {
        while let Some(until) = self.0.last().copied() {
            let (node, held) = (hub.node.clone(), held.all());
            match hub.store.write(job!(|tx| { tx.give_back(table, &node, until, held).await })).await {
                Ok(_) => self.0.pop(),
                Err(_) => return,
            };
        }
    }
}

/// Renews this process's claims, takes back those of dead ones, and counts what waits.
pub(crate) async fn keep(hub: Arc<Hub>) {
    for round in 0_u32.. {
        tokio::time::sleep(RENEW_EVERY).await;
        if let Err(error) = look_after(&hub, round % FREE_EVERY == 0).await {
            tracing::warn!(error = %error, "held calls could not be looked after");
        }
        let (now, node) = (hub.store_now(), hub.node.clone());
        let (work, calls) = (hub.held.work.all(), hub.held.calls.all());
        let renewed = calls.clone();
        let kept = hub.store.write(job!(|tx| {
            tx.renew_claims(&node, now + LEASE_MICROS, work, calls).await?;
            tx.take_back(now, None).await
        }));
        let kept = kept.await;
        if kept.is_ok() {
            hub.sending.leases.renewed(&renewed, hub.store_now(), now + LEASE_MICROS);
        }
        match kept {
            Ok(back) if back == TakenBack::default() => {}
            Ok(back) => {
                tracing::warn!(work = back.work, calls = back.calls, "took back what a dead worker held");
                hub.wake.work.notify_one();
                hub.wake.calls.notify_one();
            }
            Err(error) => tracing::warn!(error = %error, "claims could not be renewed"),
        }
        if let Ok((events, work, calls)) = hub.store.read(job!(|tx| { tx.open_work().await })).await {
            hub.metrics.waiting(hub.bus.health().spooled, events, work, calls);
        }
    }
}

/// Lets held calls go one at a time, and parks those that end every worker. With `free`, also frees messages that wait
/// for nothing.
async fn look_after(hub: &Arc<Hub>, free: bool) -> Result<(), StoreError> {
    let crashed = hub.store.read(job!(|tx| { tx.crashed_calls(MAX_CRASHES).await })).await?;
    for call in crashed {
        let context: TraceContext = call.new.trace.parse().unwrap_or_else(|_| TraceContext::begin());
        let reason = format!(
            "{}: the hub ended on {MAX_CRASHES} tries in a row; the call may have been carried out: look there first",
            call.new.operation
        );
        let now = hub.clock.micros();
        let parked = NewParked {
            id: hub.ids.next().to_string(),
            tenant: call.new.tenant.clone(),
            connection: call.new.connection.clone(),
            step: "call".to_owned(),
            code: "CRASHED_CONSUMER".to_owned(),
            reason: reason.clone(),
            place: String::new(),
            trace: context.id(),
            kind: "call".to_owned(),
            reference: call.new.id.clone(),
            at: now,
        };
        let mut steps = Steps::of(&context, &call.new.tenant);
        let told = ("call", Went::Parked);
        steps.add(&hub.ids, now, told, &call.new.connection, &call.new.subject, format!("CRASHED_CONSUMER: {reason}"));
        let parking = hub.store.write(job!(|tx| {
            if tx.park_held_call(call.seq, reason).await? {
                tx.park(parked).await?;
                tx.add_steps(steps.into_vec()).await?;
            }
            Ok(())
        }));
        parking.await?;
    }
    let now = hub.store_now();
    let looking = hub.store.write(job!(|tx| {
        let released = tx.release_call(now).await?;
        Ok((released, free && tx.free_work().await? > 0))
    }));
    let (released, freed) = looking.await?;
    if released {
        hub.wake.calls.notify_one();
    }
    if freed {
        hub.wake.work.notify_one();
    }
    Ok(())
}
