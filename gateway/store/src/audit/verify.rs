//! Looks whether the audit log is as it was written.

use super::chain::link_of;
use super::{AuditEntry, AuditRow};
use crate::error::StoreError;
use crate::job;
use crate::keyring::Keyring;
use crate::tx::{Tx, sql};
use crate::writer::Store;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Entries that are read at once.
const PAGE: i64 = 500;

/// A link of a chain that is kept elsewhere: a chain that was cut behind it, or made anew, does not have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    /// Tenant.
    pub tenant: String,
    /// Place in the chain.
    pub position: i64,
    /// The link, 64 hex digits.
    pub link: String,
}

/// The first entry that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadEntry {
    /// Its place in the chain; none where it has none.
    pub position: Option<i64>,
    /// Its id; none where it is missing.
    pub id: Option<String>,
    /// What is wrong.
    pub what: &'static str,
}

/// What was found in a tenant's log.
#[derive(Clone, Debug)]
pub struct AuditReport {
    /// Entries in the chain.
    pub entries: u64,
    /// Entries that are not in the chain yet.
    pub unlinked: u64,
    /// The place behind which the chain begins: what was before went with age.
    pub floor: i64,
    /// The end of the chain.
    pub head: Anchor,
    /// What is wrong, if anything.
    pub bad: Option<BadEntry>,
}

impl Store {
    /// Looks at every entry of a tenant, and whether the chain has the links that were kept elsewhere.
    ///
    /// # Errors
    /// The store fails.
    pub async fn verify_audit(&self, tenant: &str, anchors: &[Anchor]) -> Result<AuditReport, StoreError> {
        loop {
            let report = self.look_at_audit(tenant, anchors).await?;
            let owner = tenant.to_owned();
            let head = self.read(job!(|tx| { tx.audit_head(&owner).await })).await?;
            // What went with age meanwhile is not missing.
            if report.bad.is_none() || head.is_none_or(|head| head.floor <= report.floor) {
                return Ok(report);
            }
        }
    }

    async fn look_at_audit(&self, tenant: &str, anchors: &[Anchor]) -> Result<AuditReport, StoreError> {
        let keyring = self.keyring();
        let owner = tenant.to_owned();
        let head = self.read(job!(|tx| { tx.audit_head(&owner).await })).await?;
        let nothing = Anchor { tenant: tenant.to_owned(), position: 0, link: String::new() };
        let mut report = AuditReport { entries: 0, unlinked: 0, floor: 0, head: nothing, bad: None };
        let mut anchors: BTreeMap<i64, &str> =
            anchors.iter().filter(|anchor| anchor.tenant == tenant).map(|a| (a.position, a.link.as_str())).collect();
        let mut links = (0, String::new());
        if let Some(head) = head {
            (report.head.position, report.head.link) = (head.position, head.link.clone());
            report.floor = head.floor;
            links = (head.floor, head.floor_link.clone());
            if !head.is_ours(keyring, tenant)? {
                report.bad = bad(None, None, "the end of the chain was changed");
            }
        }
        anchors = anchors.split_off(&links.0);
        check_anchor(&mut anchors, &links, &mut report);
        let end = report.head.position;
        while report.bad.is_none() && links.0 < end {
            let (owner, behind) = (tenant.to_owned(), links.0);
            let (rows, abouts) = self
                .read(job!(|tx| {
                    let rows = tx.audit_chain(&owner, behind, PAGE).await?;
                    tx.with_abouts(&owner, rows).await
                }))
                .await?;
            for row in rows.iter().take_while(|row| row.position.is_some_and(|place| place <= end)) {
                let place = links.0 + 1;
                let link = link_of(keyring, tenant, place, &links.1, row)?;
                let what = if row.position != Some(place) {
                    report.bad = bad(Some(place), None, "the entry is missing");
                    break;
                } else if let Err(what) = sound(keyring, tenant, row, &abouts) {
                    Some(what)
                } else if row.link.as_deref() != Some(link.as_str()) {
                    Some("the entry does not belong in this place, or one before it was changed")
                } else {
                    None
                };
                if let Some(what) = what {
                    report.bad = bad(Some(place), Some(&row.id), what);
                    break;
                }
                report.entries += 1;
                links = (place, link);
                check_anchor(&mut anchors, &links, &mut report);
                if report.bad.is_some() {
                    break;
                }
            }
            if report.bad.is_none() && links.0 == behind {
                report.bad = bad(Some(behind + 1), None, "the entry is missing, and all behind it");
            }
        }
        if report.bad.is_none() && links.1 != report.head.link {
            report.bad = bad(Some(links.0), None, "the end of the chain is another");
        }
        if let (None, Some(place)) = (&report.bad, anchors.keys().next()) {
            report.bad = bad(Some(*place), None, "the anchor lies behind the end of the chain: entries are missing");
        }
        if report.bad.is_none() {
            self.look_beside_chain(tenant, &mut report).await?;
        }
        Ok(report)
    }

    /// Entries without a place, entries behind the end, and things that no entry is about.
    async fn look_beside_chain(&self, tenant: &str, report: &mut AuditReport) -> Result<(), StoreError> {
        let mut behind = String::new();
        loop {
            let (owner, from) = (tenant.to_owned(), behind.clone());
            let (rows, abouts) = self
                .read(job!(|tx| {
                    let rows = tx.unlinked_audit(&owner, &from, PAGE).await?;
                    tx.with_abouts(&owner, rows).await
                }))
                .await?;
            for row in &rows {
                if let Err(what) = sound(self.keyring(), tenant, row, &abouts) {
                    report.bad = bad(None, Some(&row.id), what);
                    return Ok(());
                }
                report.unlinked += 1;
            }
            match rows.last() {
                Some(last) => behind.clone_from(&last.id),
                None => break,
            }
        }
        let owner = tenant.to_owned();
        let extra = self.read(job!(|tx| { tx.stray_audit(&owner).await })).await?;
        if let Some(id) = extra {
            report.bad = bad(None, Some(&id), "it was put in by somebody else");
        }
        Ok(())
    }
}

#[expect(clippy::unnecessary_wraps, reason = "it is what a report says")]
fn bad(position: Option<i64>, id: Option<&str>, what: &'static str) -> Option<BadEntry> {
    Some(BadEntry { position, id: id.map(str::to_owned), what })
}

/// Compares with the link that was kept of this place, if any.
fn check_anchor(anchors: &mut BTreeMap<i64, &str>, (place, link): &(i64, String), report: &mut AuditReport) {
    if anchors.remove(place).is_some_and(|kept| kept != link) {
        report.bad = bad(Some(*place), None, "the anchor says another link: the chain was made anew");
    }
}

/// Whether an entry and what stands beside it say the same.
fn sound(
    keyring: &Keyring,
    tenant: &str,
    row: &AuditRow,
    abouts: &BTreeMap<String, BTreeSet<String>>,
) -> Result<(), &'static str> {
    let entry = row.open(keyring, tenant).map_err(|_| "the entry was changed: it cannot be opened")?;
    let AuditEntry { id, at, who, action, about, .. } = &entry;
    let same = *id == row.id
        && *at == row.at
        && who.handle == row.who
        && *action == row.action
        && abouts.get(id).map_or(about.is_empty(), |known| known == about);
    if same { Ok(()) } else { Err("a column beside the entry was changed") }
}

impl Tx {
    async fn with_abouts(
        &mut self,
        tenant: &str,
        rows: Vec<AuditRow>,
    ) -> Result<(Vec<AuditRow>, BTreeMap<String, BTreeSet<String>>), StoreError> {
        let abouts = self.audit_abouts(tenant, rows.iter().map(|row| row.id.clone()).collect()).await?;
        Ok((rows, abouts))
    }

    /// Something of a tenant's log that belongs to no chain.
    async fn stray_audit(&mut self, tenant: &str) -> Result<Option<String>, StoreError> {
        let statement = sql("SELECT a.id FROM audit a WHERE a.tenant = $1 AND a.position IS NOT NULL
                 AND NOT EXISTS (SELECT 1 FROM audit_heads h
                     WHERE h.tenant = a.tenant AND a.position > h.floor AND a.position <= h.position)
             UNION SELECT b.id FROM audit_about b WHERE b.tenant = $1 AND NOT EXISTS (
                 SELECT 1 FROM audit a WHERE a.tenant = b.tenant AND a.id = b.id)
             ORDER BY id LIMIT 1")
        .bind(tenant.to_owned());
        self.one(statement, |row| row.try_get("id")).await
    }
}
