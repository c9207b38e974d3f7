//! How a subscriber stands: after half of the failures in a row that are allowed its owner is warned, and again until
//! they are used up and it is disabled; when it works again, that is told too.

use super::choose::ITSELF;
use super::options::Options;
use crate::hub::Hub;
use crate::journey::{Steps, Went};
use hub_store::{Call, NewEvent, Standing, StoreError, Tx};
use hub_tree::TraceContext;
use std::sync::Arc;

/// The shares of the allowed failures at which somebody is told, in percent.
const ALERTS: [i64; 4] = [50, 70, 90, 100];

/// The share that is reached with the last of so many failures of `allowed`, if it is one of those that are told.
fn reached(failures: i64, allowed: i64) -> Option<i64> {
    let is_past = |alert: &i64, count: i64| count.saturating_mul(100) >= alert.saturating_mul(allowed);
    ALERTS.into_iter().rev().find(|alert| is_past(alert, failures) && !is_past(alert, failures - 1))
}

/// How a try to reach a subscriber went, to be kept with its end.
pub(super) struct Outcome<'a> {
    pub(super) hub: &'a Arc<Hub>,
    pub(super) call: &'a Call,
    pub(super) options: &'a Options,
    /// When, µs.
    pub(super) at: i64,
}

impl Outcome<'_> {
    /// It arrived.
    pub(super) async fn well(&self, tx: &mut Tx, id: &str) -> Result<(), StoreError> {
        match tx.note_subscriber(id, self.at, None).await? {
            Some(standing) => self.tell(tx, id, &standing, "recovered", Went::Ok, "deliveries arrive again").await,
            None => Ok(()),
        }
    }

    /// It did not.
    pub(super) async fn failed(&self, tx: &mut Tx, id: &str, why: &str) -> Result<(), StoreError> {
        let Some(standing) = tx.note_subscriber(id, self.at, Some(why.to_owned())).await? else { return Ok(()) };
        let allowed = self.options.disable_after;
        let Some(percent) = reached(standing.failures, allowed) else { return Ok(()) };
        let detail = format!("{} tries failed in a row, {percent} % of those that are allowed", standing.failures);
        tracing::warn!(subscription = id, percent, "a subscriber fails");
        self.tell(tx, id, &standing, "failing", Went::Retry, &detail).await?;
        if percent < 100 {
            return Ok(());
        }
        let why = format!("{} tries failed in a row; the last one: {why}", standing.failures);
        self.disabled(tx, id, &why).await
    }

    /// It gets nothing any more.
    pub(super) async fn disabled(&self, tx: &mut Tx, id: &str, why: &str) -> Result<(), StoreError> {
        if !tx.disable_subscription(id, self.at, why).await? {
            return Ok(());
        }
        let standing = tx.subscription(&self.call.new.tenant, id).await?.map_or(1, |found| found.revision);
        let standing = Standing { failures: 0, was_failing: true, revision: standing };
        self.tell(tx, id, &standing, "disabled", Went::Parked, why).await
    }

    async fn tell(
        &self,
        tx: &mut Tx,
        id: &str,
        standing: &Standing,
        verb: &str,
        went: Went,
        detail: &str,
    ) -> Result<(), StoreError> {
        let (hub, new) = (self.hub, &self.call.new);
        let trace: TraceContext = new.trace.parse().unwrap_or_else(|_| TraceContext::begin());
        let mut steps = Steps::of(&trace, &new.tenant);
        let subject = format!("{ITSELF}/{id}");
        steps.add(&hub.ids, self.at, ("subscription", went), &new.connection, &subject, format!("{verb}: {detail}"));
        tx.add_steps(steps.into_vec()).await?;
        let event = NewEvent {
            id: hub.ids.next().to_string(),
            tenant: new.tenant.clone(),
            kind: format!("{ITSELF}.{verb}"),
            entity: ITSELF.to_owned(),
            record: id.to_owned(),
            version: standing.revision,
            connection: None,
            at: self.at,
            trace: new.trace.clone(),
            changed: "status,failures".to_owned(),
        };
        tx.insert_events(vec![event]).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_share_is_told_once() {
        let told = |allowed: i64| {
            (1..=allowed).filter_map(|failures| Some((failures, reached(failures, allowed)?))).collect::<Vec<_>>()
        };
        assert_eq!(told(100), [(50, 50), (70, 70), (90, 90), (100, 100)]);
        assert_eq!(told(4), [(2, 50), (3, 70), (4, 100)]);
        assert_eq!(told(1), [(1, 100)]);
        assert_eq!(reached(101, 100), None);
    }
}
