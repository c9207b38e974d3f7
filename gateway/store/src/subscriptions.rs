//! Subscriptions: where a third party wants to hear of events, and what became of telling it.
//!
//! A delivery is an outgoing call like any other: a row of `calls` under the connection `subscription/<id>`. What is
//! secret of a subscription, its address and its signing secrets, is sealed by the caller.

use crate::error::StoreError;
use crate::keyring::Sealed;
use crate::row::{ColumnError, Row};
use crate::tx::{Tx, built, sql};

pub(crate) const TABLES: &str = "
-- Who wants to hear of which events. `after_event` is the last event that was there when it was made; `sequence` counts
-- what was sent to it.
CREATE TABLE subscriptions (
    id TEXT PRIMARY KEY, tenant TEXT NOT NULL, owner TEXT NOT NULL, types TEXT NOT NULL, connection TEXT NOT NULL,
    sealed {blob} NOT NULL, revision BIGINT NOT NULL, sequence BIGINT NOT NULL, after_event BIGINT NOT NULL,
    created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, disabled_at BIGINT, disabled_why TEXT NOT NULL,
    failing_since BIGINT, failing_why TEXT NOT NULL);
CREATE INDEX subscriptions_tenant ON subscriptions (tenant, id);
";

/// A subscription to keep.
#[derive(Clone, Debug)]
pub struct NewSubscription {
    /// Hub id.
    pub id: String,
    /// Tenant.
    pub tenant: String,
    /// The app that made it: the public part of its key.
    pub owner: String,
    /// The patterns of the types that it wants, separated by spaces.
    pub types: String,
    /// Only events that this connection caused; empty for all.
    pub connection: String,
    /// Its address and its secrets, sealed.
    pub sealed: Sealed,
    /// Since when, µs.
    pub created_at: i64,
}

/// A subscription that is kept.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// The subscription.
    pub new: NewSubscription,
    /// Rises with every change; a change names the one it was made from.
    pub revision: i64,
    /// How much was sent to it.
    pub sequence: i64,
    /// When it was changed last, µs.
    pub updated_at: i64,
    /// Since when it gets nothing, µs.
    pub disabled_at: Option<i64>,
    /// Why it gets nothing.
    pub disabled_why: String,
    /// Since when nothing arrives, µs.
    pub failing_since: Option<i64>,
    /// Why the last try failed.
    pub failing_why: String,
    /// The key of the app that made it is void.
    pub orphaned: bool,
}

/// What to change about a subscription.
#[derive(Clone, Debug)]
pub struct SubscriptionChange {
    /// The revision that it is made from.
    pub revision: i64,
    /// The patterns of types, if they change.
    pub types: Option<String>,
    /// Address and secrets, if they change.
    pub sealed: Option<Sealed>,
    /// Gets nothing any more, and why (`Some(Some(_))`), or gets events again (`Some(None)`).
    pub disabled: Option<Option<String>>,
    /// Who takes a subscription over whose owner's key is void.
    pub by: String,
    /// When, µs.
    pub at: i64,
}

/// Which subscriptions to list.
#[derive(Clone, Debug, Default)]
pub struct SubscriptionFilter {
    /// Of this tenant.
    pub tenant: Option<String>,
    /// Made by this app.
    pub owner: Option<String>,
    /// Behind this id.
    pub after: String,
    /// At most so many.
    pub limit: i64,
}

/// Who wants an event.
#[derive(Clone, Debug)]
pub struct Subscriber {
    /// Id of the subscription.
    pub id: String,
    /// The patterns of the types that it wants, separated by spaces.
    pub types: String,
    /// Only events that this connection caused; empty for all.
    pub connection: String,
}

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

/// The columns that [`read`] reads.
const FIELDS: &str = "id, tenant, owner, types, connection, sealed, revision, sequence, created_at, updated_at, \
    disabled_at, disabled_why, failing_since, failing_why, (SELECT COUNT(*) FROM api_keys k WHERE k.id = s.owner AND k.revoked_at IS NOT NULL) AS void";

fn read(row: &Row<'_>) -> Result<Subscription, ColumnError> {
    Ok(Subscription {
        new: NewSubscription {
            id: row.try_get("id")?,
            tenant: row.try_get("tenant")?,
            owner: row.try_get("owner")?,
            types: row.try_get("types")?,
            connection: row.try_get("connection")?,
            sealed: Sealed(row.try_get("sealed")?),
            created_at: row.try_get("created_at")?,
        },
        revision: row.try_get("revision")?,
        sequence: row.try_get("sequence")?,
        updated_at: row.try_get("updated_at")?,
        disabled_at: row.try_get("disabled_at")?,
        disabled_why: row.try_get("disabled_why")?,
        failing_since: row.try_get("failing_since")?,
        failing_why: row.try_get("failing_why")?,
        orphaned: row.try_get::<i64, _>("void")? > 0,
    })
}

/// The connection under which the calls to a subscription stand.
fn calls_of(id: &str) -> String {
    format!("subscription/{id}")
}

impl Tx {
    /// Keeps a subscription, which gets the events written from now on; `false` when its tenant has `limit` already.
    ///
    /// # Errors
    /// The store fails.
    pub async fn insert_subscription(&mut self, new: NewSubscription, limit: i64) -> Result<bool, StoreError> {
        let count = sql("SELECT COUNT(*) AS count FROM subscriptions WHERE tenant = $1").bind(new.tenant.clone());
        let count = self.one(count, |row| row.try_get::<i64, _>("count")).await?;
        if count.unwrap_or_default() >= limit {
            return Ok(false);
        }
        let statement =
            sql("INSERT INTO subscriptions (id, tenant, owner, types, connection, sealed, revision, sequence,
                 after_event, created_at, updated_at, disabled_why, failing_why)
             VALUES ($1, $2, $3, $4, $5, $6, 1, 0, (SELECT COALESCE(MAX(seq), 0) FROM events), $7, $7, '', '')")
            .bind(new.id)
            .bind(new.tenant)
            .bind(new.owner)
            .bind(new.types)
            .bind(new.connection)
            .bind(new.sealed.0)
            .bind(new.created_at);
        self.run(statement).await.map(|_| true)
    }

    /// A subscription.
    ///
    /// # Errors
    /// The store fails.
    pub async fn subscription(&mut self, tenant: &str, id: &str) -> Result<Option<Subscription>, StoreError> {
        let text = format!("SELECT {FIELDS} FROM subscriptions s WHERE s.tenant = $1 AND s.id = $2");
        self.one(built(text).bind(tenant.to_owned()).bind(id.to_owned()), read).await
    }

    /// Subscriptions, oldest first.
    ///
    /// # Errors
    /// The store fails.
    pub async fn subscriptions(&mut self, filter: SubscriptionFilter) -> Result<Vec<Subscription>, StoreError> {
        let text = format!(
            "SELECT {FIELDS} FROM subscriptions s WHERE ($1 = '' OR s.tenant = $1) AND ($2 = '' OR s.owner = $2)
                 AND s.id > $3 ORDER BY s.id LIMIT $4"
        );
        let statement = built(text)
            .bind(filter.tenant.unwrap_or_default())
            .bind(filter.owner.unwrap_or_default())
            .bind(filter.after)
            .bind(filter.limit);
        self.all(statement, read).await
    }

    /// The types that the enabled subscriptions of each tenant want: tenant, and patterns separated by spaces.
    ///
    /// # Errors
    /// The store fails.
    pub async fn wished_types(&mut self) -> Result<Vec<(String, String)>, StoreError> {
        let statement = sql("SELECT DISTINCT tenant, types FROM subscriptions WHERE disabled_at IS NULL");
        self.all(statement, |row| Ok((row.try_get("tenant")?, row.try_get("types")?))).await
    }

    /// Who may want an event: the subscriptions of its tenant that were there before it, are not disabled, and whose
    /// owner's key is valid. Whether they want its type is for the caller to say.
    ///
    /// # Errors
    /// The store fails.
    pub async fn subscribers(&mut self, tenant: &str, event: &str) -> Result<Vec<Subscriber>, StoreError> {
        // An event that is not kept any more counts as a new one: somebody asked for it again.
        let statement = sql("SELECT s.id, s.types, s.connection FROM subscriptions s
             WHERE s.tenant = $1 AND s.disabled_at IS NULL
                 AND s.after_event < COALESCE((SELECT e.seq FROM events e WHERE e.id = $2), s.after_event + 1)
                 AND NOT EXISTS (SELECT 1 FROM api_keys k WHERE k.id = s.owner AND k.revoked_at IS NOT NULL)
             ORDER BY s.id")
        .bind(tenant.to_owned())
        .bind(event.to_owned());
        self.all(statement, |row| {
            Ok(Subscriber {
                id: row.try_get("id")?,
                types: row.try_get("types")?,
                connection: row.try_get("connection")?,
            })
        })
        .await
    }

    /// The next number of what is sent to a subscription; `None` when it is disabled or gone. Whoever asks for several
    /// subscriptions asks in the order of their ids.
    ///
    /// # Errors
    /// The store fails.
    pub async fn next_in_sequence(&mut self, id: &str) -> Result<Option<i64>, StoreError> {
        let statement = sql("UPDATE subscriptions SET sequence = sequence + 1
             WHERE id = $1 AND disabled_at IS NULL RETURNING sequence")
        .bind(id.to_owned());
        self.one(statement, |row| row.try_get("sequence")).await
    }

    /// Changes a subscription; `false` when it is gone, or somebody else has changed it meanwhile.
    ///
    /// # Errors
    /// The store fails.
    pub async fn change_subscription(
        &mut self,
        tenant: &str,
        id: &str,
        change: SubscriptionChange,
    ) -> Result<bool, StoreError> {
        let (touched, disabled_at, why) = match change.disabled {
            None => (0_i64, None, String::new()),
            Some(None) => (1, None, String::new()),
            Some(Some(why)) => (1, Some(change.at), why),
        };
        let keeps = change.sealed.is_none();
        let statement = sql("UPDATE subscriptions SET revision = revision + 1, updated_at = $4,
                 types = CASE WHEN $5 = '' THEN types ELSE $5 END,
                 sealed = CASE WHEN $6 = 1 THEN sealed ELSE $7 END,
                 disabled_at = CASE WHEN $8 = 0 THEN disabled_at WHEN $9 = 0 THEN NULL ELSE COALESCE(disabled_at, $9) END,
                 disabled_why = CASE WHEN $8 = 0 THEN disabled_why ELSE $10 END,
                 owner = CASE WHEN $8 = 1 AND $9 = 0
                         AND EXISTS (SELECT 1 FROM api_keys k WHERE k.id = owner AND k.revoked_at IS NOT NULL)
                     THEN $11 ELSE owner END
             WHERE tenant = $1 AND id = $2 AND revision = $3")
        .bind(tenant.to_owned())
        .bind(id.to_owned())
        .bind(change.revision)
        .bind(change.at)
        .bind(change.types.unwrap_or_default())
        .bind(i64::from(keeps))
        .bind(change.sealed.map(|sealed| sealed.0).unwrap_or_default())
        .bind(touched)
        .bind(disabled_at.unwrap_or_default())
        .bind(why)
        .bind(change.by);
        Ok(self.run(statement).await? == 1)
    }

    /// Sends nothing to a subscription any more; `false` when it gets nothing already.
    ///
    /// # Errors
    /// The store fails.
    pub async fn disable_subscription(&mut self, id: &str, now: i64, why: &str) -> Result<bool, StoreError> {
        let statement = sql("UPDATE subscriptions SET disabled_at = $2, disabled_why = $3, revision = revision + 1,
                 updated_at = $2 WHERE id = $1 AND disabled_at IS NULL")
        .bind(id.to_owned())
        .bind(now)
        .bind(why.to_owned());
        Ok(self.run(statement).await? == 1)
    }

    /// Notes how the last try to reach a subscriber went: why it failed, or that it arrived.
    ///
    /// # Errors
    /// The store fails.
    pub async fn note_subscriber(&mut self, id: &str, now: i64, failed: Option<String>) -> Result<(), StoreError> {
        let statement = match failed {
            Some(why) => sql("UPDATE subscriptions SET failing_since = COALESCE(failing_since, $2), failing_why = $3
                 WHERE id = $1 AND (failing_since IS NULL OR failing_why <> $3)")
            .bind(id.to_owned())
            .bind(now)
            .bind(why),
            None => sql("UPDATE subscriptions SET failing_since = NULL, failing_why = ''
                 WHERE id = $1 AND failing_since IS NOT NULL")
            .bind(id.to_owned()),
        };
        self.run(statement).await.map(drop)
    }

    /// Removes a subscription with what waits for it and what is parked of it; `false` when there is none.
    ///
    /// # Errors
    /// The store fails.
    pub async fn delete_subscription(&mut self, tenant: &str, id: &str, now: i64) -> Result<bool, StoreError> {
        let statement = sql("DELETE FROM subscriptions WHERE tenant = $1 AND id = $2");
        if self.run(statement.bind(tenant.to_owned()).bind(id.to_owned())).await? == 0 {
            return Ok(false);
        }
        let waiting = sql("DELETE FROM calls WHERE tenant = $1 AND connection = $2 AND state IN ('ready', 'parked')");
        self.run(waiting.bind(tenant.to_owned()).bind(calls_of(id))).await?;
        let parked = sql("UPDATE parked SET resolved_at = $3
             WHERE tenant = $1 AND connection = $2 AND resolved_at IS NULL")
        .bind(tenant.to_owned())
        .bind(calls_of(id))
        .bind(now);
        self.run(parked).await.map(|_| true)
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
