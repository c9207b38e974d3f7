//! What needs a person: what lies parked, grouped by its cause, and what became of it.
//!
//! A row is never reused. What is tried again and fails again is parked anew, and names the row before it.

use crate::error::StoreError;
use crate::row::{ColumnError, Row};
use crate::tx::{Statement, Tx, built, list_of, portions, sql};
use sha2::{Digest, Sha256};

/// Schema version 2: groups of causes, and who resolved what.
pub(crate) const COLUMNS: &str = "
ALTER TABLE parked ADD COLUMN cause TEXT NOT NULL DEFAULT '';
ALTER TABLE parked ADD COLUMN former TEXT NOT NULL DEFAULT '';
ALTER TABLE parked ADD COLUMN resolution TEXT NOT NULL DEFAULT '';
ALTER TABLE parked ADD COLUMN resolved_by TEXT NOT NULL DEFAULT '';
ALTER TABLE parked ADD COLUMN redrive TEXT NOT NULL DEFAULT '';
ALTER TABLE parked ADD COLUMN note TEXT NOT NULL DEFAULT '';
CREATE INDEX parked_todo ON parked (tenant, id) WHERE resolved_at IS NULL;
CREATE INDEX parked_reference ON parked (tenant, kind, reference);
-- Rows that a program before version 2 wrote.
CREATE INDEX parked_causeless ON parked (id) WHERE cause = '';
";

/// Something to park.
#[derive(Clone, Debug)]
pub struct NewParked {
    /// Hub id.
    pub id: String,
    /// Tenant.
    pub tenant: String,
    /// Connection; empty when there is none.
    pub connection: String,
    /// The step that could not go on: `map`, `call`, a consumer's name.
    pub step: String,
    /// A stable code to group by.
    pub code: String,
    /// What is wrong, without personal values.
    pub reason: String,
    /// `file:line:column`, where one is to blame.
    pub place: String,
    /// Trace id.
    pub trace: String,
    /// What lies parked: `raw`, `event` or `call`.
    pub kind: String,
    /// Its id.
    pub reference: String,
    /// Since when, µs.
    pub at: i64,
}

/// Something that lies, or lay, parked.
#[derive(Clone, Debug)]
pub struct Parked {
    /// What was parked.
    pub new: NewParked,
    /// The group of things with the same cause.
    pub group: String,
    /// The parked thing that this one was before it was tried again.
    pub former: Option<String>,
    /// How it was resolved, if it was.
    pub resolved: Option<Resolved>,
}

/// How something parked was resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// When, µs.
    pub at: i64,
    /// `redriven`, `carried_out`, `duplicate` or `discarded`.
    pub how: String,
    /// By whom.
    pub by: String,
    /// The re-drive that did it, if one did.
    pub redrive: Option<String>,
    /// What they said about it.
    pub note: String,
}

/// Which parked things are meant: those that fit every part that is not empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Which {
    /// Of this connection.
    pub connection: String,
    /// Of this step.
    pub step: String,
    /// With this code.
    pub code: String,
    /// Of this group.
    pub group: String,
    /// One of these.
    pub ids: Vec<String>,
}

impl Which {
    /// How many parameters [`Which::condition`] takes.
    pub(crate) const fn parameters(&self) -> usize {
        5 + self.ids.len()
    }

    /// The condition on rows `p` of `parked`; its parameters are the statement's first.
    pub(crate) fn condition(&self) -> String {
        let ids = match self.ids.len() {
            0 => String::new(),
            count => format!(" AND p.id IN ({})", list_of(6, count)),
        };
        format!(
            "p.tenant = $1 AND ($2 = '' OR p.connection = $2) AND ($3 = '' OR p.step = $3)
             AND ($4 = '' OR p.code = $4) AND ($5 = '' OR p.cause = $5){ids}"
        )
    }

    pub(crate) fn bind(&self, statement: Statement, tenant: &str) -> Statement {
        let own = [tenant, &self.connection, &self.step, &self.code, &self.group].map(str::to_owned);
        own.into_iter().chain(self.ids.iter().cloned()).fold(statement, Statement::bind)
    }
}

/// Which parked things to list.
#[derive(Clone, Debug, Default)]
pub struct ParkedFilter {
    /// Which.
    pub which: Which,
    /// Those that were resolved, instead of those that wait.
    pub resolved: bool,
    /// Behind this id.
    pub after: String,
    /// At most so many.
    pub limit: i64,
}

/// Things that lie parked for the same cause.
#[derive(Clone, Debug)]
pub struct ParkedGroup {
    /// The group.
    pub group: String,
    /// How many.
    pub count: i64,
    /// When the first was parked, µs.
    pub oldest: i64,
    /// When the last was parked, µs.
    pub newest: i64,
    /// One of them.
    pub example: NewParked,
}

/// The columns that [`read`] reads.
pub(crate) const FIELDS: &str = "id, tenant, connection, step, code, reason, place, trace, kind, reference, at, cause, former, \
    resolved_at, resolution, resolved_by, redrive, note";

pub(crate) fn read(row: &Row<'_>) -> Result<Parked, ColumnError> {
    let some = |text: String| (!text.is_empty()).then_some(text);
    let resolved = match row.try_get::<Option<i64>, _>("resolved_at")? {
        None => None,
        Some(at) => Some(Resolved {
            at,
            how: row.try_get("resolution")?,
            by: row.try_get("resolved_by")?,
            redrive: some(row.try_get("redrive")?),
            note: row.try_get("note")?,
        }),
    };
    Ok(Parked { new: read_new(row)?, group: row.try_get("cause")?, former: some(row.try_get("former")?), resolved })
}

fn read_new(row: &Row<'_>) -> Result<NewParked, ColumnError> {
    Ok(NewParked {
        id: row.try_get("id")?,
        tenant: row.try_get("tenant")?,
        connection: row.try_get("connection")?,
        step: row.try_get("step")?,
        code: row.try_get("code")?,
        reason: row.try_get("reason")?,
        place: row.try_get("place")?,
        trace: row.try_get("trace")?,
        kind: row.try_get("kind")?,
        reference: row.try_get("reference")?,
        at: row.try_get("at")?,
    })
}

/// What things of the same cause have in common: connection, step, code, and the place to blame; without one, the shape
/// of the reason.
fn group_of(parked: &NewParked) -> String {
    let shape = if parked.place.is_empty() { shape_of(&parked.reason) } else { parked.place.clone() };
    let text = [&parked.connection, &parked.step, &parked.code, &shape].map(String::as_str).join("\0");
    hex::encode(&Sha256::digest(text.as_bytes())[..6])
}

/// A reason without what differs from one message to the next: what stands in quotes, and words with digits in them.
fn shape_of(reason: &str) -> String {
    let mut shape = String::with_capacity(reason.len());
    for (index, part) in reason.split(['`', '"']).enumerate() {
        if index % 2 == 1 {
            shape.push('…');
            continue;
        }
        let mut words = part.split_inclusive(|c: char| !c.is_alphanumeric() && c != '-' && c != '_');
        words.by_ref().for_each(|word| {
            let known = word.starts_with("HUB-") || !word.contains(|c: char| c.is_ascii_digit());
            shape.push_str(if known { word } else { "# " });
        });
    }
    shape
}

impl Tx {
    /// Parks something. When it was parked and tried again before, the row names that one.
    ///
    /// # Errors
    /// The store fails.
    pub async fn park(&mut self, parked: NewParked) -> Result<(), StoreError> {
        let group = group_of(&parked);
        let statement = sql("INSERT INTO parked (id, tenant, connection, step, code, reason, place, trace, kind,
                                 reference, at, cause, former)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, COALESCE((
                 SELECT f.id FROM parked f WHERE f.tenant = $2 AND f.kind = $9 AND f.reference = $10
                     AND f.resolved_at IS NOT NULL AND (f.kind <> 'event' OR f.step = $4)
                 ORDER BY f.at DESC, f.id DESC LIMIT 1), ''))
             ON CONFLICT (id) DO NOTHING")
        .bind(parked.id)
        .bind(parked.tenant)
        .bind(parked.connection)
        .bind(parked.step)
        .bind(parked.code)
        .bind(parked.reason)
        .bind(parked.place)
        .bind(parked.trace)
        .bind(parked.kind)
        .bind(parked.reference)
        .bind(parked.at)
        .bind(group);
        self.run(statement).await.map(drop)
    }

    /// What lies parked, oldest first.
    ///
    /// # Errors
    /// The store fails.
    pub async fn parked(&mut self, tenant: &str, filter: ParkedFilter) -> Result<Vec<Parked>, StoreError> {
        let (condition, next) = (filter.which.condition(), filter.which.parameters() + 1);
        let state = if filter.resolved { "IS NOT NULL" } else { "IS NULL" };
        let statement = built(format!(
            "SELECT {FIELDS} FROM parked p WHERE {condition} AND p.resolved_at {state} AND p.id > ${next}
             ORDER BY p.id LIMIT ${}",
            next + 1
        ));
        let statement = filter.which.bind(statement, tenant).bind(filter.after).bind(filter.limit);
        self.all(statement, read).await
    }

    /// Something that lies, or lay, parked.
    ///
    /// # Errors
    /// The store fails.
    pub async fn parked_one(&mut self, tenant: &str, id: &str) -> Result<Option<Parked>, StoreError> {
        let statement = built(format!("SELECT {FIELDS} FROM parked WHERE tenant = $1 AND id = $2"))
            .bind(tenant.to_owned())
            .bind(id.to_owned());
        self.one(statement, read).await
    }

    /// What lies parked, by cause; the largest group first.
    ///
    /// # Errors
    /// The store fails.
    pub async fn parked_groups(
        &mut self,
        tenant: &str,
        which: Which,
        limit: i64,
    ) -> Result<Vec<ParkedGroup>, StoreError> {
        let statement = built(format!(
            "SELECT {FIELDS}, g.n, g.oldest, g.newest FROM (
                 SELECT COUNT(*) AS n, MIN(p.at) AS oldest, MAX(p.at) AS newest, MIN(p.id) AS example
                 FROM parked p WHERE {} AND p.resolved_at IS NULL GROUP BY p.cause) AS g
             JOIN parked p ON p.id = g.example ORDER BY g.n DESC, p.cause LIMIT ${}",
            which.condition(),
            which.parameters() + 1
        ));
        self.all(which.bind(statement, tenant).bind(limit), |row| {
            Ok(ParkedGroup {
                group: row.try_get("cause")?,
                count: row.try_get("n")?,
                oldest: row.try_get("oldest")?,
                newest: row.try_get("newest")?,
                example: read_new(row)?,
            })
        })
        .await
    }

    /// The oldest of what lay parked before `before`, µs; locked against others until the end of the transaction.
    ///
    /// # Errors
    /// The store fails.
    pub async fn lock_parked(
        &mut self,
        tenant: &str,
        which: &Which,
        before: i64,
        limit: i64,
    ) -> Result<Vec<Parked>, StoreError> {
        let next = which.parameters() + 1;
        let text = format!(
            "SELECT {FIELDS} FROM parked p WHERE {} AND p.resolved_at IS NULL AND p.at <= ${next}
             ORDER BY p.id LIMIT ${}{}",
            which.condition(),
            next + 1,
            self.dialect.skip_locked()
        );
        self.all(which.bind(built(text), tenant).bind(before).bind(limit), read).await
    }

    /// Marks parked things as resolved; those that were resolved before stay as they are.
    ///
    /// # Errors
    /// The store fails.
    pub async fn resolve_parked(&mut self, ids: Vec<String>, how: &Resolved) -> Result<u64, StoreError> {
        let mut count = 0;
        for ids in portions(ids) {
            let statement = built(format!(
                "UPDATE parked SET resolved_at = $1, resolution = $2, resolved_by = $3, redrive = $4, note = $5
                 WHERE resolved_at IS NULL AND id IN ({})",
                list_of(6, ids.len())
            ))
            .bind(how.at)
            .bind(how.how.clone())
            .bind(how.by.clone())
            .bind(how.redrive.clone().unwrap_or_default())
            .bind(how.note.clone());
            count += self.run(ids.into_iter().fold(statement, Statement::bind)).await?;
        }
        Ok(count)
    }

    /// Gives parked things their group that a program before version 2 parked; how many.
    ///
    /// # Errors
    /// The store fails.
    pub async fn group_parked(&mut self, limit: i64) -> Result<usize, StoreError> {
        let rows = self.all(
            built(format!("SELECT {FIELDS} FROM parked WHERE cause = '' ORDER BY id LIMIT $1")).bind(limit),
            read_new,
        );
        let rows = rows.await?;
        for row in &rows {
            let statement = sql("UPDATE parked SET cause = $2 WHERE id = $1").bind(row.id.clone()).bind(group_of(row));
            self.run(statement).await?;
        }
        Ok(rows.len())
    }

    /// Whether [`Tx::group_parked`] has something to do.
    ///
    /// # Errors
    /// The store fails.
    pub async fn has_ungrouped_parked(&mut self) -> Result<bool, StoreError> {
        let found =
            self.one(sql("SELECT id FROM parked WHERE cause = '' LIMIT 1"), |row| row.try_get::<String, _>("id"));
        Ok(found.await?.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parked(place: &str, reason: &str) -> NewParked {
        let [id, tenant, connection, step, code, trace, kind, reference] = Default::default();
        let (place, reason) = (place.to_owned(), reason.to_owned());
        NewParked { id, tenant, connection, step, code, reason, place, trace, kind, reference, at: 0 }
    }

    #[test]
    fn equal_causes_are_one_group_whatever_the_message_was_about() {
        let group = |place, reason| group_of(&parked(place, reason));
        assert_eq!(
            group("", "there is no connection `a` any more, 3 tries"),
            group("", "there is no connection `b` any more, 12 tries")
        );
        assert_ne!(group("", "HUB-C110 the host is not allowed"), group("", "HUB-C111 the host is not allowed"));
        assert_ne!(group("", "refused"), group("", "asked to wait"));
        assert_eq!(group("m.yaml:3:1", "`x` is no date"), group("m.yaml:3:1", "it is absent"));
        assert_ne!(group("m.yaml:3:1", "`x` is no date"), group("m.yaml:4:1", "`x` is no date"));
    }
}
