//! What became of telling a subscriber: its deliveries, and how it stands.

use crate::error::StoreError;
use crate::keyring::Sealed;
use crate::subscriptions::calls_of;
use crate::tx::{Tx, sql};

/// What became of an event on its way to a subscriber.
#[derive(Clone, Debug)]
pub struct SubscriptionDelivery {
    /// Id of the call.
    pub id: String,
    /// The business reference of the call: the event's id, and behind `~` that of a replay.
    pub key: String,
    /// The record, `entity/id`.
    pub subject: String,
    /// `traceparent`.
    pub trace: String,
    /// `ready`, `running`, `done` or `parked`.
    pub state: String,
    /// How often it was tried.
    pub tries: i64,
    /// When it is tried next, µs; means something while it is `ready`.
    pub available_at: i64,
    /// Since when, µs.
    pub created_at: i64,
    /// When it arrived, µs.
    pub done_at: Option<i64>,
    /// Why the last try failed.
    pub error: Option<String>,
    /// What was sent, sealed.
    pub body: Sealed,
}

/// How a subscriber stands after a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Tries that failed in a row, this one included; before one that went well, that many had.
    pub failures: i64,
    /// Whether it failed until now.
    pub was_failing: bool,
    /// The subscription's revision.
    pub revision: i64,
}

impl Tx {
    /// Notes how the last try to reach a subscriber went: why it failed, or that it arrived. `None` when it is gone.
    ///
    /// # Errors
    /// The store fails.
    pub async fn note_subscriber(
        &mut self,
        id: &str,
        now: i64,
        failed: Option<String>,
    ) -> Result<Option<Standing>, StoreError> {
        let well = failed.is_none();
        let statement = match failed {
            Some(why) => sql("UPDATE subscriptions SET failing_since = COALESCE(failing_since, $2), failing_why = $3,
                     failures = failures + 1
                 WHERE id = $1 RETURNING failures, revision")
            .bind(id.to_owned())
            .bind(now)
            .bind(why),
            None => sql("UPDATE subscriptions SET failing_since = NULL, failing_why = '', failures = 0
                 WHERE id = $1 AND failing_since IS NOT NULL RETURNING failures, revision")
            .bind(id.to_owned()),
        };
        let found =
            self.one(statement, |row| Ok((row.try_get::<i64, _>("failures")?, row.try_get::<i64, _>("revision")?)));
        let standing = |(failures, revision)| Standing { failures, was_failing: well || failures > 1, revision };
        Ok(found.await?.map(standing))
    }

    /// Counts an event that a subscriber was not told of, and why.
    ///
    /// # Errors
    /// The store fails.
    pub async fn note_unfit(&mut self, id: &str, why: &str) -> Result<(), StoreError> {
        let statement = sql("UPDATE subscriptions SET unfit = unfit + 1, unfit_why = $2 WHERE id = $1")
            .bind(id.to_owned())
            .bind(why.to_owned());
        self.run(statement).await.map(drop)
    }

    /// What was sent to a subscription, newest first; behind `before`, if it is not empty.
    ///
    /// # Errors
    /// The store fails.
    pub async fn subscription_deliveries(
        &mut self,
        tenant: &str,
        id: &str,
        before: &str,
        limit: i64,
    ) -> Result<Vec<SubscriptionDelivery>, StoreError> {
        // References begin with the event's id, which rises with time. A receiver that asked to wait is left alone by
        // all calls for so long.
        let statement =
            sql("SELECT c.id, c.key, c.subject, c.trace, c.state, c.tries, c.created_at, c.done_at, c.error,
                 c.body, CASE WHEN w.wait_until > c.available_at THEN w.wait_until ELSE c.available_at END AS next_at
             FROM calls c LEFT JOIN circuits w ON w.connection = c.connection
             WHERE c.tenant = $1 AND c.connection = $2 AND ($3 = '' OR c.key < $3) ORDER BY c.key DESC LIMIT $4")
            .bind(tenant.to_owned())
            .bind(calls_of(id))
            .bind(before.to_owned())
            .bind(limit);
        self.all(statement, |row| {
            Ok(SubscriptionDelivery {
                id: row.try_get("id")?,
                key: row.try_get("key")?,
                subject: row.try_get("subject")?,
                trace: row.try_get("trace")?,
                state: row.try_get("state")?,
                tries: row.try_get("tries")?,
                available_at: row.try_get("next_at")?,
                created_at: row.try_get("created_at")?,
                done_at: row.try_get("done_at")?,
                error: row.try_get("error")?,
                body: Sealed(row.try_get("body")?),
            })
        })
        .await
    }
}
