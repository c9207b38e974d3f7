//! One chain per tenant: the link of an entry is a keyed hash over its place, the link before it and what it says.
//!
//! Entries are written without a place, so that nobody waits for anybody; whoever links them holds the row of the
//! tenant's head, so that processes make one chain. The head carries a proof: a chain that somebody else has cut is
//! not gone on with.

use super::{AuditRow, FIELDS, NewAudit, context, read_row};
use crate::error::StoreError;
use crate::job;
use crate::keyring::Keyring;
use crate::row::{ColumnError, Row};
use crate::tx::{Tx, built, list_of, sql};
use crate::writer::Store;

/// Entries that are linked in one transaction, or removed.
const PORTION: i64 = 500;

/// The end of a chain.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) position: i64,
    pub(super) link: String,
    proof: String,
    pub(super) floor: i64,
    pub(super) floor_link: String,
    floor_proof: String,
}

const HEAD: &str = "position, link, proof, floor, floor_link, floor_proof";

fn read_head(row: &Row<'_>) -> Result<Head, ColumnError> {
    Ok(Head {
        position: row.try_get("position")?,
        link: row.try_get("link")?,
        proof: row.try_get("proof")?,
        floor: row.try_get("floor")?,
        floor_link: row.try_get("floor_link")?,
        floor_proof: row.try_get("floor_proof")?,
    })
}

impl Head {
    /// Whether only a holder of the key can have written it.
    pub(super) fn is_ours(&self, keyring: &Keyring, tenant: &str) -> Result<bool, StoreError> {
        Ok(self.proof == proof(keyring, tenant, "head", self.position, &self.link)?
            && self.floor_proof == proof(keyring, tenant, "floor", self.floor, &self.floor_link)?
            && self.floor <= self.position)
    }
}

fn proof(keyring: &Keyring, tenant: &str, of: &str, position: i64, link: &str) -> Result<String, StoreError> {
    keyring.audit_mac(tenant, &[of.as_bytes(), &position.to_be_bytes(), link.as_bytes()])
}

/// The link that holds an entry in its place.
pub(super) fn link_of(
    keyring: &Keyring,
    tenant: &str,
    position: i64,
    before: &str,
    row: &AuditRow,
) -> Result<String, StoreError> {
    // What cannot be opened any more is linked as it is: it is found as what it is.
    let plain = keyring.open(tenant, &context(&row.id), &row.body).unwrap_or_else(|_| row.body.clone());
    keyring.audit_mac(tenant, &[b"entry", &position.to_be_bytes(), before.as_bytes(), row.id.as_bytes(), &plain])
}

const CUT: StoreError =
    StoreError::Sealed("the end of the audit log was changed by somebody else; `hrhub audit verify` says more");

impl Store {
    /// Links entries that have no place yet; how many. More may be left when it is a whole portion.
    ///
    /// # Errors
    /// The store fails, or somebody else has written to the chain.
    pub async fn link_audit(&self, tenant: &str) -> Result<usize, StoreError> {
        let (keyring, tenant) = (self.keyring_arc(), tenant.to_owned());
        self.write(job!(|tx| {
            let mut head = tx.take_audit_head(&keyring, &tenant).await?;
            let rows = tx.unlinked_audit(&tenant, "", PORTION).await?;
            for row in &rows {
                head.position += 1;
                head.link = link_of(&keyring, &tenant, head.position, &head.link, row)?;
                let statement = sql("UPDATE audit SET position = $3, link = $4 WHERE tenant = $1 AND id = $2")
                    .bind(tenant.clone())
                    .bind(row.id.clone())
                    .bind(head.position)
                    .bind(head.link.clone());
                tx.run(statement).await?;
            }
            if !rows.is_empty() {
                tx.set_audit_head(&keyring, &tenant, &head).await?;
            }
            Ok(rows.len())
        }))
        .await
    }

    /// Removes the oldest entries, as far as they are from before `before`, and keeps the last link of what went;
    /// `told` is written with it. How many went; more may be left when it is a whole portion.
    ///
    /// # Errors
    /// The store fails, or somebody else has written to the chain.
    pub async fn forget_audit(&self, tenant: &str, before: i64, told: NewAudit) -> Result<usize, StoreError> {
        let (keyring, tenant) = (self.keyring_arc(), tenant.to_owned());
        self.write(job!(|tx| {
            let mut head = tx.take_audit_head(&keyring, &tenant).await?;
            let mut rows = tx.audit_chain(&tenant, head.floor, PORTION).await?;
            // The chain goes from its beginning; an entry between younger ones stays with them.
            rows.truncate(rows.iter().take_while(|row| row.at < before).count());
            let Some(last) = rows.last() else { return Ok(0) };
            (head.floor, head.floor_link) =
                (last.position.unwrap_or(head.floor), last.link.clone().unwrap_or_default());
            for part in rows.chunks(32) {
                let list = list_of(2, part.len());
                for table in ["audit", "audit_about"] {
                    let text = format!("DELETE FROM {table} WHERE tenant = $1 AND id IN ({list})");
                    let statement = built(text).bind(tenant.clone());
                    let statement = part.iter().fold(statement, |statement, row| statement.bind(row.id.clone()));
                    tx.run(statement).await?;
                }
            }
            tx.set_audit_head(&keyring, &tenant, &head).await?;
            tx.append_audit(told).await?;
            Ok(rows.len())
        }))
        .await
    }
}

impl Tx {
    /// Tenants with entries that have no place yet.
    ///
    /// # Errors
    /// The store fails.
    pub async fn unlinked_audit_tenants(&mut self) -> Result<Vec<String>, StoreError> {
        let statement = sql("SELECT DISTINCT tenant FROM audit WHERE position IS NULL ORDER BY tenant");
        self.all(statement, |row| row.try_get("tenant")).await
    }

    /// Tenants that have a chain.
    ///
    /// # Errors
    /// The store fails.
    pub async fn audit_tenants(&mut self) -> Result<Vec<String>, StoreError> {
        let statement = sql("SELECT tenant FROM audit_heads UNION SELECT tenant FROM audit ORDER BY tenant");
        self.all(statement, |row| row.try_get("tenant")).await
    }

    /// Entries behind a position, in the order of the chain.
    pub(super) async fn audit_chain(
        &mut self,
        tenant: &str,
        behind: i64,
        limit: i64,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let text = format!("SELECT {FIELDS} FROM audit WHERE tenant = $1 AND position > $2 ORDER BY position LIMIT $3");
        self.all(built(text).bind(tenant.to_owned()).bind(behind).bind(limit), read_row).await
    }

    /// Entries without a place, behind an id.
    pub(super) async fn unlinked_audit(
        &mut self,
        tenant: &str,
        behind: &str,
        limit: i64,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let text = format!(
            "SELECT {FIELDS} FROM audit WHERE tenant = $1 AND position IS NULL AND id > $2 ORDER BY id LIMIT $3"
        );
        self.all(built(text).bind(tenant.to_owned()).bind(behind.to_owned()).bind(limit), read_row).await
    }

    /// The end of a tenant's chain; none before its first link.
    pub(super) async fn audit_head(&mut self, tenant: &str) -> Result<Option<Head>, StoreError> {
        let text = format!("SELECT {HEAD} FROM audit_heads WHERE tenant = $1");
        self.one(built(text).bind(tenant.to_owned()), read_head).await
    }

    /// The end of a tenant's chain, which nobody else goes on with until this transaction ends.
    async fn take_audit_head(&mut self, keyring: &Keyring, tenant: &str) -> Result<Head, StoreError> {
        let taking = format!("UPDATE audit_heads SET position = position WHERE tenant = $1 RETURNING {HEAD}");
        let mut head = self.one(built(taking.clone()).bind(tenant.to_owned()), read_head).await?;
        if head.is_none() {
            if !self.audit_chain(tenant, 0, 1).await?.is_empty() {
                return Err(CUT);
            }
            let statement = sql("INSERT INTO audit_heads
                     (tenant, position, link, proof, floor, floor_link, floor_proof)
                 VALUES ($1, 0, '', $2, 0, '', $3) ON CONFLICT (tenant) DO NOTHING")
            .bind(tenant.to_owned())
            .bind(proof(keyring, tenant, "head", 0, "")?)
            .bind(proof(keyring, tenant, "floor", 0, "")?);
            self.run(statement).await?;
            head = self.one(built(taking).bind(tenant.to_owned()), read_head).await?;
        }
        head.filter(|head| head.is_ours(keyring, tenant).unwrap_or(false)).ok_or(CUT)
    }

    async fn set_audit_head(&mut self, keyring: &Keyring, tenant: &str, head: &Head) -> Result<(), StoreError> {
        let statement = sql("UPDATE audit_heads SET position = $2, link = $3, proof = $4, floor = $5, floor_link = $6,
                 floor_proof = $7 WHERE tenant = $1")
        .bind(tenant.to_owned())
        .bind(head.position)
        .bind(head.link.clone())
        .bind(proof(keyring, tenant, "head", head.position, &head.link)?)
        .bind(head.floor)
        .bind(head.floor_link.clone())
        .bind(proof(keyring, tenant, "floor", head.floor, &head.floor_link)?);
        self.run(statement).await.map(drop)
    }
}
