//! Apps: named callers of a tenant. What an app may do stands here; its keys only prove who calls.

use crate::error::StoreError;
use crate::row::{ColumnError, Row};
use crate::tx::{Tx, built, sql};

/// A key from before there were apps is an app of its own.
pub(crate) const TABLES: &str = "
CREATE TABLE apps (
    id TEXT PRIMARY KEY, tenant TEXT NOT NULL, name TEXT NOT NULL, grants TEXT NOT NULL, units TEXT NOT NULL,
    below BIGINT NOT NULL, revision BIGINT NOT NULL, created_at BIGINT NOT NULL, revoked_at BIGINT);
CREATE INDEX apps_tenant ON apps (tenant, id);
ALTER TABLE api_keys ADD COLUMN app TEXT;
ALTER TABLE api_keys ADD COLUMN expires_at BIGINT;
ALTER TABLE api_keys ADD COLUMN last_used_at BIGINT;
CREATE INDEX api_keys_app ON api_keys (app);
INSERT INTO apps (id, tenant, name, grants, units, below, revision, created_at, revoked_at)
    SELECT k.id, k.tenant, k.name, k.scopes, '', 1, 1, k.created_at, k.revoked_at FROM api_keys k
    WHERE NOT EXISTS (SELECT 1 FROM apps a WHERE a.id = k.id);
UPDATE api_keys SET app = id WHERE app IS NULL;

-- What tokens are signed with: the newest signs, and as long as its tokens live an older one is still believed.
CREATE TABLE signing_keys (
    id TEXT PRIMARY KEY, sealed {blob} NOT NULL, public TEXT NOT NULL, created_at BIGINT NOT NULL);
";

/// An app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App {
    /// Its id.
    pub id: String,
    /// Tenant.
    pub tenant: String,
    /// What people call it.
    pub name: String,
    /// What it may do: words separated by spaces.
    pub grants: String,
    /// The departments that it is limited to, by hub id; none where it sees its whole tenant.
    pub units: Vec<String>,
    /// Departments below those, too.
    pub below: bool,
    /// Rises with every change; what was issued under an older one is void.
    pub revision: i64,
    /// Since when, µs.
    pub created_at: i64,
    /// Since when it is void, µs.
    pub revoked_at: Option<i64>,
}

/// The columns that [`read`] reads.
const FIELDS: &str = "id, tenant, name, grants, units, below, revision, created_at, revoked_at";

pub(crate) fn read(row: &Row<'_>) -> Result<App, ColumnError> {
    let units: String = row.try_get("units")?;
    Ok(App {
        id: row.try_get("id")?,
        tenant: row.try_get("tenant")?,
        name: row.try_get("name")?,
        grants: row.try_get("grants")?,
        units: units.split_whitespace().map(str::to_owned).collect(),
        below: row.try_get::<i64, _>("below")? != 0,
        revision: row.try_get("revision")?,
        created_at: row.try_get("created_at")?,
        revoked_at: row.try_get("revoked_at")?,
    })
}

/// Which apps to list.
#[derive(Clone, Debug, Default)]
pub struct AppFilter {
    /// Only those of this tenant.
    pub tenant: Option<String>,
    /// Void ones too.
    pub include_void: bool,
    /// Behind this id.
    pub after: String,
    /// At most so many.
    pub limit: i64,
}

impl Tx {
    /// Keeps an app.
    ///
    /// # Errors
    /// The store fails.
    pub async fn insert_app(&mut self, app: App) -> Result<(), StoreError> {
        let statement = sql("INSERT INTO apps (id, tenant, name, grants, units, below, revision, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")
        .bind(app.id)
        .bind(app.tenant)
        .bind(app.name)
        .bind(app.grants)
        .bind(app.units.join(" "))
        .bind(i64::from(app.below))
        .bind(app.revision)
        .bind(app.created_at);
        self.run(statement).await.map(drop)
    }

    /// An app, also one that is void.
    ///
    /// # Errors
    /// The store fails.
    pub async fn app(&mut self, id: &str) -> Result<Option<App>, StoreError> {
        self.one(built(format!("SELECT {FIELDS} FROM apps WHERE id = $1")).bind(id.to_owned()), read).await
    }

    /// Apps by id.
    ///
    /// # Errors
    /// The store fails.
    pub async fn apps(&mut self, filter: AppFilter) -> Result<Vec<App>, StoreError> {
        let void = if filter.include_void { "" } else { " AND revoked_at IS NULL" };
        let whose = if filter.tenant.is_some() { " AND tenant = $3" } else { "" };
        let statement = built(format!("SELECT {FIELDS} FROM apps WHERE id > $1{void}{whose} ORDER BY id LIMIT $2"))
            .bind(filter.after)
            .bind(filter.limit);
        let statement = filter.tenant.into_iter().fold(statement, |statement, tenant| statement.bind(tenant));
        self.all(statement, read).await
    }

    /// Changes what an app is called and may do; `false` when it is gone, or was changed since `app.revision`.
    ///
    /// # Errors
    /// The store fails.
    pub async fn change_app(&mut self, app: App) -> Result<bool, StoreError> {
        let statement = sql("UPDATE apps SET name = $3, grants = $4, units = $5, below = $6, revision = revision + 1
             WHERE id = $1 AND revision = $2 AND revoked_at IS NULL")
        .bind(app.id)
        .bind(app.revision)
        .bind(app.name)
        .bind(app.grants)
        .bind(app.units.join(" "))
        .bind(i64::from(app.below));
        Ok(self.run(statement).await? == 1)
    }

    /// Makes an app void with all its keys; `false` when there is no such app.
    ///
    /// # Errors
    /// The store fails.
    pub async fn revoke_app(&mut self, id: &str, now: i64) -> Result<bool, StoreError> {
        let keys = sql("UPDATE api_keys SET revoked_at = $2 WHERE app = $1 AND revoked_at IS NULL")
            .bind(id.to_owned())
            .bind(now);
        self.run(keys).await?;
        let app = sql("UPDATE apps SET revoked_at = $2, revision = revision + 1 WHERE id = $1 AND revoked_at IS NULL")
            .bind(id.to_owned())
            .bind(now);
        Ok(self.run(app).await? == 1)
    }

    /// Makes everything void that was issued to an app, but not the app.
    ///
    /// # Errors
    /// The store fails.
    pub async fn raise_revision(&mut self, app: &str) -> Result<(), StoreError> {
        let statement = sql("UPDATE apps SET revision = revision + 1 WHERE id = $1").bind(app.to_owned());
        self.run(statement).await.map(drop)
    }
}
