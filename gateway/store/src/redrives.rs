//! Re-drives and replays: work that goes through many rows, a portion at a time, and can be stopped between any two.
//!
//! A row holds what was asked for and how far it is. A worker locks it, does a portion and moves the row on, all in one
//! transaction: a worker that dies leaves it where it was, and any other goes on from there.

use crate::error::StoreError;
use crate::parked::{self, FIELDS as PARKED, Parked, Which};
use crate::replays::Past;
use crate::row::{ColumnError, Row};
use crate::tx::{Statement, Tx, built, sql};

/// Schema version 2: the table.
pub(crate) const TABLES: &str = "
CREATE TABLE redrives (
    id TEXT PRIMARY KEY, tenant TEXT NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL,
    asked_at BIGINT NOT NULL, asked_by TEXT NOT NULL, note TEXT NOT NULL, rate BIGINT NOT NULL,
    connection TEXT NOT NULL, step TEXT NOT NULL, code TEXT NOT NULL, cause TEXT NOT NULL, ids TEXT NOT NULL,
    verdict TEXT NOT NULL, from_at BIGINT NOT NULL, to_at BIGINT NOT NULL, types TEXT NOT NULL, record TEXT NOT NULL,
    consumer TEXT NOT NULL, total BIGINT NOT NULL, done BIGINT NOT NULL, refused BIGINT NOT NULL,
    place TEXT NOT NULL, available_at BIGINT NOT NULL, changed_at BIGINT NOT NULL, changed_by TEXT NOT NULL,
    error TEXT NOT NULL);
CREATE INDEX redrives_tenant ON redrives (tenant, id);
CREATE INDEX redrives_running ON redrives (available_at) WHERE state = 'running';
";

/// What a person knows about calls that may have been carried out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing: the vendor is asked, where it can tell.
    #[default]
    Unknown,
    /// They were: there is nothing left to do.
    CarriedOut,
    /// They were not: they are made again.
    NotCarriedOut,
}

impl Verdict {
    /// The words, as the API and the store write them.
    pub const WORDS: [(&'static str, Self); 3] =
        [("", Self::Unknown), ("carried_out", Self::CarriedOut), ("not_carried_out", Self::NotCarriedOut)];

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, verdict)| *verdict == self).map_or("", |(word, _)| word)
    }
}

/// What is gone through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Errand {
    /// Parked things are tried again.
    Parked(Which, Verdict),
    /// Events are handed to a consumer again; to all when it is empty.
    Events(Past, String),
    /// Payloads are mapped again.
    Raws(Past),
}

impl Errand {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Parked(..) => "parked",
            Self::Events(..) => "events",
            Self::Raws(..) => "raws",
        }
    }
}

/// A re-drive or a replay to begin.
#[derive(Clone, Debug)]
pub struct NewRedrive {
    /// Hub id.
    pub id: String,
    /// Tenant.
    pub tenant: String,
    /// What is gone through.
    pub errand: Errand,
    /// When it was asked for, µs: only what was there before is gone through.
    pub asked_at: i64,
    /// By whom.
    pub asked_by: String,
    /// What they said about it.
    pub note: String,
    /// At most so many a second.
    pub rate: i64,
}

/// A re-drive or a replay.
#[derive(Clone, Debug)]
pub struct Redrive {
    /// What was asked for.
    pub new: NewRedrive,
    /// `running`, `stopped`, `done` or `failed`.
    pub state: String,
    /// How many it was about when it began.
    pub total: i64,
    /// How many were tried again.
    pub done: i64,
    /// How many could not be, and stay as they are.
    pub refused: i64,
    /// When the state changed last, µs.
    pub changed_at: i64,
    /// Who stopped it or let it go on; empty for the hub itself.
    pub changed_by: String,
    /// Why it failed; empty if it did not.
    pub error: String,
    /// The place that was reached.
    pub place: String,
    /// When the next portion is due, µs.
    pub available_at: i64,
}

/// How a portion went.
#[derive(Clone, Debug, Default)]
pub struct Portion {
    /// How many were tried again.
    pub done: i64,
    /// How many could not be.
    pub refused: i64,
    /// The place that was reached.
    pub place: String,
    /// Whether nothing is left.
    pub last: bool,
}

const SEPARATOR: &str = "\n";

/// Each text with its end, so that a list with a blank in it never reads back as no list, which would mean everything.
fn joined(texts: &[String]) -> String {
    texts.iter().flat_map(|text| [text.as_str(), SEPARATOR]).collect()
}

fn split(text: &str) -> Vec<String> {
    text.split_terminator(SEPARATOR).map(str::to_owned).collect()
}

/// The columns that [`read`] reads.
const FIELDS: &str = "id, tenant, kind, state, asked_at, asked_by, note, rate, connection, step, code, cause, ids, \
    verdict, from_at, to_at, types, record, consumer, total, done, refused, place, available_at, \
    changed_at, changed_by, error";

fn read(row: &Row<'_>) -> Result<Redrive, ColumnError> {
    let text = |name| row.try_get::<String, _>(name);
    let past = || -> Result<Past, ColumnError> {
        Ok(Past {
            from: row.try_get("from_at")?,
            to: row.try_get("to_at")?,
            connection: text("connection")?,
            types: split(&text("types")?),
            record: text("record")?,
        })
    };
    let errand = match text("kind")?.as_str() {
        "parked" => {
            let which = Which {
                connection: text("connection")?,
                step: text("step")?,
                code: text("code")?,
                group: text("cause")?,
                ids: split(&text("ids")?),
            };
            let word = text("verdict")?;
            let verdict = Verdict::WORDS.iter().find(|(known, _)| *known == word).map(|(_, verdict)| *verdict);
            Errand::Parked(which, verdict.unwrap_or_default())
        }
        "events" => Errand::Events(past()?, text("consumer")?),
        _ => Errand::Raws(past()?),
    };
    Ok(Redrive {
        new: NewRedrive {
            id: text("id")?,
            tenant: text("tenant")?,
            errand,
            asked_at: row.try_get("asked_at")?,
            asked_by: text("asked_by")?,
            note: text("note")?,
            rate: row.try_get("rate")?,
        },
        state: text("state")?,
        total: row.try_get("total")?,
        done: row.try_get("done")?,
        refused: row.try_get("refused")?,
        changed_at: row.try_get("changed_at")?,
        changed_by: text("changed_by")?,
        error: text("error")?,
        place: text("place")?,
        available_at: row.try_get("available_at")?,
    })
}

impl Tx {
    /// Begins a re-drive or a replay: from now on any worker carries it on.
    ///
    /// # Errors
    /// The store fails.
    pub async fn insert_redrive(&mut self, new: NewRedrive) -> Result<Redrive, StoreError> {
        let total = match &new.errand {
            Errand::Parked(which, _) => {
                let text = format!(
                    "SELECT COUNT(*) AS n FROM parked p WHERE {} AND p.resolved_at IS NULL AND p.at <= ${}",
                    which.condition(),
                    which.parameters() + 1
                );
                self.count(which.bind(built(text), &new.tenant).bind(new.asked_at)).await?
            }
            Errand::Events(past, _) => {
                let text = format!("SELECT COUNT(*) AS n FROM events e WHERE {}", past.events());
                self.count(past.bind_events(built(text), &new.tenant)).await?
            }
            Errand::Raws(past) => {
                let text = format!("SELECT COUNT(*) AS n FROM raws r WHERE {}", Past::RAWS);
                self.count(past.bind_raws(built(text), &new.tenant)).await?
            }
        };
        let (mut which, mut past, mut verdict, mut consumer) = (Which::default(), Past::default(), "", String::new());
        match &new.errand {
            Errand::Parked(of, said) => (which, verdict) = (of.clone(), said.word()),
            Errand::Events(of, to) => (past, consumer) = (of.clone(), to.clone()),
            Errand::Raws(of) => past = of.clone(),
        }
        let connection = if past.connection.is_empty() { which.connection.clone() } else { past.connection.clone() };
        let statement = built(format!(
            "INSERT INTO redrives (id, tenant, kind, state, asked_at, asked_by, note, rate, connection,
                 step, code, cause, ids, verdict, from_at, to_at, types, record, consumer, total, done, refused, place,
                 available_at, changed_at, changed_by, error)
             VALUES ($1, $2, $3, 'running', $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
                     0, 0, '', $4, $4, $5, '')
             RETURNING {FIELDS}"
        ))
        .bind(new.id.clone())
        .bind(new.tenant.clone())
        .bind(new.errand.kind().to_owned())
        .bind(new.asked_at)
        .bind(new.asked_by)
        .bind(new.note)
        .bind(new.rate)
        .bind(connection)
        .bind(which.step)
        .bind(which.code)
        .bind(which.group)
        .bind(joined(&which.ids))
        .bind(verdict.to_owned())
        .bind(past.from)
        .bind(past.to)
        .bind(joined(&past.types))
        .bind(past.record)
        .bind(consumer)
        .bind(total);
        self.one(statement, read).await?.ok_or(StoreError::Raced)
    }

    pub(crate) async fn count(&mut self, statement: Statement) -> Result<i64, StoreError> {
        Ok(self.one(statement, |row| row.try_get("n")).await?.unwrap_or(0))
    }

    /// Re-drives and replays, newest first; behind `after`, if it is not empty.
    ///
    /// # Errors
    /// The store fails.
    pub async fn redrives(&mut self, tenant: &str, after: &str, limit: i64) -> Result<Vec<Redrive>, StoreError> {
        let statement = built(format!(
            "SELECT {FIELDS} FROM redrives WHERE tenant = $1 AND ($2 = '' OR id < $2) ORDER BY id DESC LIMIT $3"
        ))
        .bind(tenant.to_owned())
        .bind(after.to_owned())
        .bind(limit);
        self.all(statement, read).await
    }

    /// One of them.
    ///
    /// # Errors
    /// The store fails.
    pub async fn redrive(&mut self, tenant: &str, id: &str) -> Result<Option<Redrive>, StoreError> {
        let statement = built(format!("SELECT {FIELDS} FROM redrives WHERE tenant = $1 AND id = $2"))
            .bind(tenant.to_owned())
            .bind(id.to_owned());
        self.one(statement, read).await
    }

    /// Stops one that runs, or lets one go on that was stopped or failed. Once it is stopped, nothing more of it happens. `None`
    /// when there is no such one in that state.
    ///
    /// # Errors
    /// The store fails.
    pub async fn turn_redrive(
        &mut self,
        tenant: &str,
        id: &str,
        (run, by): (bool, &str),
        now: i64,
    ) -> Result<Option<Redrive>, StoreError> {
        let change = if run {
            "state = 'running', changed_at = $3, changed_by = $4, available_at = $3, error = ''
             WHERE tenant = $1 AND id = $2 AND state IN ('stopped', 'failed')"
        } else {
            "state = 'stopped', changed_at = $3, changed_by = $4
             WHERE tenant = $1 AND id = $2 AND state = 'running'"
        };
        let statement = built(format!("UPDATE redrives SET {change} RETURNING {FIELDS}"))
            .bind(tenant.to_owned())
            .bind(id.to_owned())
            .bind(now)
            .bind(by.to_owned());
        self.one(statement, read).await
    }

    /// The running one that is due first, and when, µs.
    ///
    /// # Errors
    /// The store fails.
    pub async fn next_redrive(&mut self) -> Result<Option<(String, i64)>, StoreError> {
        let statement =
            sql("SELECT id, available_at FROM redrives WHERE state = 'running' ORDER BY available_at, id LIMIT 1");
        self.one(statement, |row| Ok((row.try_get("id")?, row.try_get("available_at")?))).await
    }

    /// Locks a running one until the end of the transaction; `None` while another worker is at it, or when it does not
    /// run any more.
    ///
    /// # Errors
    /// The store fails.
    pub async fn lock_redrive(&mut self, id: &str, now: i64) -> Result<Option<Redrive>, StoreError> {
        let lock = self.dialect.skip_locked();
        let text =
            format!("SELECT {FIELDS} FROM redrives WHERE id = $1 AND state = 'running' AND available_at <= $2{lock}");
        self.one(built(text).bind(id.to_owned()).bind(now), read).await
    }

    /// Moves a locked one on.
    ///
    /// # Errors
    /// The store fails.
    pub async fn move_redrive(
        &mut self,
        id: &str,
        portion: Portion,
        available_at: i64,
        now: i64,
    ) -> Result<(), StoreError> {
        let statement = sql("UPDATE redrives SET done = done + $2, refused = refused + $3, place = $4,
                 available_at = $5, state = CASE WHEN $6 = 1 THEN 'done' ELSE state END,
                 changed_at = CASE WHEN $6 = 1 THEN $7 ELSE changed_at END,
                 changed_by = CASE WHEN $6 = 1 THEN '' ELSE changed_by END
             WHERE id = $1")
        .bind(id.to_owned())
        .bind(portion.done)
        .bind(portion.refused)
        .bind(portion.place)
        .bind(available_at)
        .bind(i64::from(portion.last))
        .bind(now);
        self.run(statement).await.map(drop)
    }

    /// Ends one that cannot go on.
    ///
    /// # Errors
    /// The store fails.
    pub async fn fail_redrive(&mut self, id: &str, error: &str, now: i64) -> Result<(), StoreError> {
        let statement = sql("UPDATE redrives SET state = 'failed', error = $2, changed_at = $3, changed_by = ''
             WHERE id = $1 AND state = 'running'")
        .bind(id.to_owned())
        .bind(error.to_owned())
        .bind(now);
        self.run(statement).await.map(drop)
    }

    /// The next parked things of a re-drive, locked: what lay parked when it began, and nothing that it has tried
    /// itself.
    ///
    /// # Errors
    /// The store fails.
    pub async fn redrive_parked(
        &mut self,
        redrive: &Redrive,
        which: &Which,
        limit: i64,
    ) -> Result<Vec<Parked>, StoreError> {
        let next = which.parameters() + 1;
        let text = format!(
            "SELECT {PARKED} FROM parked p WHERE {} AND p.resolved_at IS NULL AND p.at <= ${next} AND p.id > ${}
                 AND NOT EXISTS (SELECT 1 FROM parked f WHERE f.id = p.former AND f.redrive = ${})
             ORDER BY p.id LIMIT ${}{}",
            which.condition(),
            next + 1,
            next + 2,
            next + 3,
            self.dialect.skip_locked()
        );
        let new = &redrive.new;
        let statement = which
            .bind(built(text), &new.tenant)
            .bind(new.asked_at)
            .bind(redrive.place.clone())
            .bind(new.id.clone())
            .bind(limit);
        self.all(statement, parked::read).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_never_reads_back_as_no_list() {
        for texts in [vec![], vec![""], vec!["", ""], vec!["a"], vec!["a", "b"]] {
            let texts: Vec<String> = texts.into_iter().map(str::to_owned).collect();
            assert_eq!(split(&joined(&texts)), texts);
        }
        assert!(!split(&joined(&["\n".to_owned()])).is_empty());
        assert_eq!(split("a\nb"), ["a", "b"], "as older programs wrote it");
    }
}
