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

pub(crate) const COLUMNS: &str = "
-- What else its maker wishes, as JSON; `failures` in a row; events that its filter could not be applied to.
ALTER TABLE subscriptions ADD COLUMN options TEXT NOT NULL DEFAULT '{}';
ALTER TABLE subscriptions ADD COLUMN failures BIGINT NOT NULL DEFAULT 0;
ALTER TABLE subscriptions ADD COLUMN unfit BIGINT NOT NULL DEFAULT 0;
ALTER TABLE subscriptions ADD COLUMN unfit_why TEXT NOT NULL DEFAULT '';
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
    /// What else its maker wishes, as JSON.
    pub options: String,
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
    /// Tries that failed since one went well.
    pub failures: i64,
    /// Events that it was not told of because its filter failed.
    pub unfit: i64,
    /// Why the filter failed last.
    pub unfit_why: String,
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
    /// What else its maker wishes, if that changes.
    pub options: Option<String>,
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
    /// Who made it.
    pub owner: String,
    /// What else its maker wishes, as JSON.
    pub options: String,
}

/// The columns that [`read`] reads.
const FIELDS: &str = "id, tenant, owner, types, connection, sealed, revision, sequence, created_at, updated_at, \
    disabled_at, disabled_why, failing_since, failing_why, options, failures, unfit, unfit_why, (SELECT COUNT(*) FROM apps a WHERE a.id = s.owner AND a.revoked_at IS NOT NULL) AS void";

fn read(row: &Row<'_>) -> Result<Subscription, ColumnError> {
    Ok(Subscription {
        new: NewSubscription {
            id: row.try_get("id")?,
            tenant: row.try_get("tenant")?,
            owner: row.try_get("owner")?,
            types: row.try_get("types")?,
            connection: row.try_get("connection")?,
            sealed: Sealed(row.try_get("sealed")?),
            options: row.try_get("options")?,
            created_at: row.try_get("created_at")?,
        },
        revision: row.try_get("revision")?,
        sequence: row.try_get("sequence")?,
        updated_at: row.try_get("updated_at")?,
        disabled_at: row.try_get("disabled_at")?,
        disabled_why: row.try_get("disabled_why")?,
        failing_since: row.try_get("failing_since")?,
        failing_why: row.try_get("failing_why")?,
        failures: row.try_get("failures")?,
        unfit: row.try_get("unfit")?,
        unfit_why: row.try_get("unfit_why")?,
        orphaned: row.try_get::<i64, _>("void")? > 0,
    })
}

/// The connection under which the calls to a subscription stand.
pub(crate) fn calls_of(id: &str) -> String {
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
                 after_event, created_at, updated_at, disabled_why, failing_why, options)
             VALUES ($1, $2, $3, $4, $5, $6, 1, 0, (SELECT COALESCE(MAX(seq), 0) FROM events), $7, $7, '', '', $8)")
            .bind(new.id)
            .bind(new.tenant)
            .bind(new.owner)
            .bind(new.types)
            .bind(new.connection)
            .bind(new.sealed.0)
            .bind(new.created_at)
            .bind(new.options);
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

    /// What the makers of subscriptions wish of how they are told: id, and options as JSON.
    ///
    /// # Errors
    /// The store fails.
    pub async fn subscription_options(&mut self) -> Result<Vec<(String, String)>, StoreError> {
        let statement = sql("SELECT id, options FROM subscriptions WHERE options <> '{}'");
        self.all(statement, |row| Ok((row.try_get("id")?, row.try_get("options")?))).await
    }

    /// Who may want an event: the subscriptions of its tenant that were there before it and are not disabled. Whether
    /// they want its type, and whether their owners may hear of it, is for the caller to say.
    ///
    /// # Errors
    /// The store fails.
    pub async fn subscribers(&mut self, tenant: &str, event: &str) -> Result<Vec<Subscriber>, StoreError> {
        // An event that is not kept any more counts as a new one: somebody asked for it again.
        let statement = sql("SELECT s.id, s.types, s.connection, s.owner, s.options FROM subscriptions s
             WHERE s.tenant = $1 AND s.disabled_at IS NULL
                 AND s.after_event < COALESCE((SELECT e.seq FROM events e WHERE e.id = $2), s.after_event + 1)
                 AND NOT EXISTS (SELECT 1 FROM apps a WHERE a.id = s.owner AND a.revoked_at IS NOT NULL)
             ORDER BY s.id")
        .bind(tenant.to_owned())
        .bind(event.to_owned());
        self.all(statement, |row| {
            Ok(Subscriber {
                id: row.try_get("id")?,
                types: row.try_get("types")?,
                connection: row.try_get("connection")?,
                owner: row.try_get("owner")?,
                options: row.try_get("options")?,
            })
        })
        .await
    }

    /// The next number of what is sent to a subscription, and its options; `None` when it is disabled or gone. Whoever asks for several
    /// subscriptions asks in the order of their ids.
    ///
    /// # Errors
    /// The store fails.
    pub async fn next_in_sequence(&mut self, id: &str) -> Result<Option<(i64, String)>, StoreError> {
        let statement = sql("UPDATE subscriptions SET sequence = sequence + 1
             WHERE id = $1 AND disabled_at IS NULL RETURNING sequence, options")
        .bind(id.to_owned());
        self.one(statement, |row| Ok((row.try_get("sequence")?, row.try_get("options")?))).await
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
                         AND EXISTS (SELECT 1 FROM apps a WHERE a.id = owner AND a.revoked_at IS NOT NULL)
                     THEN $11 ELSE owner END,
                 options = CASE WHEN $12 = '' THEN options ELSE $12 END,
                 failures = CASE WHEN $8 = 1 AND $9 = 0 THEN 0 ELSE failures END
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
        .bind(change.by)
        .bind(change.options.unwrap_or_default());
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
        self.run(sql("DELETE FROM rates WHERE connection = $1").bind(calls_of(id))).await?;
        let parked = sql("UPDATE parked SET resolved_at = $3
             WHERE tenant = $1 AND connection = $2 AND resolved_at IS NULL")
        .bind(tenant.to_owned())
        .bind(calls_of(id))
        .bind(now);
        self.run(parked).await.map(|_| true)
    }
}
