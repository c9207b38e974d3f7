//! Tables of other systems' databases, which are looked at again and again.
//!
//! Each row becomes a payload of the connection, durable before anybody counts on it, and is mapped as any other. What
//! became of it is read from the payload's own state and written back, also when a person has re-driven it days later.
//! A crash at any point loses nothing: a row that was taken and not kept comes back when it is stale, one that was kept
//! is known by its key and what it says, and writing back again does no harm.
//!
//! One worker at a time looks at a connection, under a lease. Rows are taken with a claim all the same, where the table
//! has columns for it: other programs of the customer may read there, too.

mod keep;
mod map;
mod marks;

pub(crate) use map::{map_row, table_of};

use crate::hub::Hub;
use hub_kit::manifest::{Find, Table};
use hub_kit::tables::{PAGE, RowEnd, Since, TableRow, TableSession, Tables, WroteBack};
use hub_kit::{CallContext, CallError, Connection, Leave};
use hub_store::{StagedEnd, StagedTable, StoreError, job};
use hub_tree::jiff::Timestamp;
use hub_tree::{TraceContext, random};
use keep::keep;
use marks::Marks;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// How often it is looked whether payloads have been processed.
const TICK: Duration = Duration::from_millis(400);
/// One session with a database takes at most so long, and the lease holds longer.
const SESSION: Duration = Duration::from_secs(40);
const LEASE_MICROS: i64 = 60_000_000;
/// How long others wait before they try to take the lease.
const BESIDE: Duration = Duration::from_secs(1);
/// Pages that are taken in one look.
const MOST_PAGES: usize = 20;
/// While so many rows of a table wait to be processed, no more are taken.
const MOST_OPEN: i64 = 5_000;
/// Rows that are written back in one session.
const WRITTEN_AT_ONCE: i64 = 200;
/// The gap after a failure grows up to this.
const LONGEST_GAP: Duration = Duration::from_secs(300);
/// How long rows that are done are remembered, µs: 30 days.
const KEPT_MICROS: i64 = 30 * 86_400_000_000;
const FORGOTTEN_AT_ONCE: i64 = 500;

/// How the tables of this process's connections stand, by connection.
#[derive(Default)]
pub(crate) struct Standings(Mutex<BTreeMap<String, TableStanding>>);

/// How the tables of a connection stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableStanding {
    /// When they were looked at last.
    pub at: Timestamp,
    /// What keeps one of them from being read.
    pub trouble: Option<String>,
}

impl Hub {
    /// How the tables of a connection stand; `None` when this process does not look at them.
    #[must_use]
    pub fn tables_of(&self, connection: &str) -> Option<TableStanding> {
        self.tables.0.lock().unwrap_or_else(PoisonError::into_inner).get(connection).cloned()
    }
}

/// What went wrong with a table.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TableError {
    #[error(transparent)]
    Call(#[from] CallError),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Columns have gone or changed; it is not read until they are as they were, or the hub is started anew.
    #[error("{0}")]
    Changed(String),
}

/// Looks at tables until the hub stops.
pub(crate) async fn run(hub: Arc<Hub>) {
    let mut looking = JoinSet::new();
    for connection in hub.registry().connections.values().filter(|known| !known.manifest.tables.is_empty()) {
        looking.spawn(look_at(Arc::clone(&hub), Arc::clone(connection)));
    }
    let _ = hub.stopping().wait_for(|stop| *stop).await;
    while looking.join_next().await.is_some() {}
}

async fn look_at(hub: Arc<Hub>, connection: Arc<Connection>) {
    let Some(driver) = hub.driver(&connection.manifest.driver).cloned() else { return };
    let Some(tables) = driver.tables() else { return };
    let mut poller = Poller::new(&hub, &connection, tables);
    let mut stopping = hub.stopping();
    while !hub.stops() {
        let wait = match poller.round().await {
            Ok(true) => TICK,
            Ok(false) => BESIDE,
            Err(error) => {
                tracing::warn!(error = %error, connection.id = %connection.id, "the store does not answer");
                BESIDE
            }
        };
        let _ = tokio::time::timeout(wait, stopping.wait_for(|stop| *stop)).await;
    }
}

/// One connection's tables and when each is due.
struct Poller<'p> {
    hub: &'p Arc<Hub>,
    connection: &'p Arc<Connection>,
    tables: &'p dyn Tables,
    due: BTreeMap<String, Due>,
    lease_until: i64,
}

/// When a table is looked at next, and what is known of it.
struct Due {
    at: Instant,
    gap: Duration,
    /// Its columns as they were when this process saw them first.
    columns: Option<Vec<(String, String)>>,
    trouble: Option<String>,
    forgotten: bool,
}

impl<'p> Poller<'p> {
    fn new(hub: &'p Arc<Hub>, connection: &'p Arc<Connection>, tables: &'p dyn Tables) -> Self {
        let now = Instant::now();
        let due = |table: &Table| {
            let due = Due { at: now, gap: Duration::ZERO, columns: None, trouble: None, forgotten: false };
            (table.name.clone(), due)
        };
        let due = connection.manifest.tables.iter().map(due).collect();
        Self { hub, connection, tables, due, lease_until: 0 }
    }

    fn staged(&self, table: &Table) -> StagedTable {
        let (tenant, connection) = (self.connection.tenant.clone(), self.connection.id.clone());
        StagedTable { tenant, connection, name: table.name.clone() }
    }

    /// Takes or keeps the lease; `false` while another worker looks at this connection.
    async fn holds(&mut self) -> Result<bool, StoreError> {
        let now = self.hub.store_now();
        if now < self.lease_until - LEASE_MICROS / 2 {
            return Ok(true);
        }
        let (name, node) = (format!("tables/{}", self.connection.id), self.hub.node.clone());
        let until = now + LEASE_MICROS;
        let held = self.hub.store.write(job!(|tx| { tx.lease(&name, &node, now, until).await })).await?;
        self.lease_until = if held { until } else { 0 };
        Ok(held)
    }

    /// Writes back what has been processed, and reads what is due. `false` when it is another worker's turn.
    async fn round(&mut self) -> Result<bool, StoreError> {
        if !self.holds().await? {
            return Ok(false);
        }
        let manifest = Arc::clone(&self.connection.manifest);
        for table in &manifest.tables {
            let (staged, tells) = (self.staged(table), table.status().is_some());
            let mut ends = Vec::new();
            if tells {
                let of = staged.clone();
                ends = self.hub.store.read(job!(|tx| { tx.staged_ends(&of, WRITTEN_AT_ONCE).await })).await?;
            }
            let due = self.due.get(&table.name).is_none_or(|due| due.at <= Instant::now());
            let failing = self.due.get(&table.name).is_some_and(|due| due.trouble.is_some());
            // What cannot be written back now is written when the table is due.
            if !due && (ends.is_empty() || failing) {
                continue;
            }
            if self.hub.stops() {
                break;
            }
            let went = self.visit(table, &staged, ends, due).await;
            self.note(table, went);
        }
        Ok(true)
    }

    /// One session about one table; whether there may be more to do at once.
    async fn visit(
        &mut self,
        table: &Table,
        staged: &StagedTable,
        ends: Vec<StagedEnd>,
        due: bool,
    ) -> Result<bool, TableError> {
        let held = || true;
        let call_id = self.hub.ids.next().to_string();
        let cx = CallContext {
            connection: self.connection,
            client: &self.hub.client,
            tokens: &self.hub.tokens,
            trace: TraceContext::begin(),
            call_id: &call_id,
            leave: Leave { until: Instant::now() + SESSION, held: &held },
            spools: false,
            clock: &self.hub.clock,
        };
        let mut session = self.tables.open(&cx).await?;
        self.compare(table, &session.columns(table).await?)?;
        let told = self.write_back(&mut *session, table, staged, ends).await?;
        // Rows that waited for those which were told now can be taken.
        let more = if due || (told && !table.record.is_empty()) {
            match &table.find {
                Find::Status(_) => self.take(&mut *session, table, staged).await?,
                Find::Mark { overlap_secs, .. } => self.read(&mut *session, table, staged, *overlap_secs).await?,
            }
        } else {
            false
        };
        session.close().await;
        self.forget(table, staged).await?;
        Ok(more)
    }

    /// A view that has lost a column, or holds something else in it, would be read as if the other side said nothing.
    fn compare(&mut self, table: &Table, columns: &[(String, String)]) -> Result<(), TableError> {
        let Some(due) = self.due.get_mut(&table.name) else { return Ok(()) };
        let Some(known) = &due.columns else {
            due.columns = Some(columns.to_vec());
            return Ok(());
        };
        for (name, kind) in known {
            let now = columns.iter().find(|(other, _)| other == name).map(|(_, kind)| kind);
            let what = match now {
                Some(now) if now == kind => continue,
                Some(now) => format!("the column `{name}` of `{}` was {kind} and is {now}", table.table),
                None => format!("the column `{name}` of `{}` is gone", table.table),
            };
            let place = self.connection.manifest.place(table.span);
            let message = format!("{place}: {what}: nothing is read until it is back, or the hub is started anew");
            return Err(TableError::Changed(message));
        }
        Ok(())
    }

    async fn write_back(
        &self,
        session: &mut dyn TableSession,
        table: &Table,
        staged: &StagedTable,
        ends: Vec<StagedEnd>,
    ) -> Result<bool, TableError> {
        let mut told = false;
        for end in ends {
            let opened = self.hub.open(&staged.tenant, &format!("staged:{}", end.key), &end.sealed)?;
            let key = keep::read_key(&opened);
            let row = RowEnd {
                key,
                by: end.claim.clone(),
                hash: end.hash.clone(),
                failed: end.failed.clone().map(|(code, reason)| (code, without_place(&reason).to_owned())),
                again: end.again,
            };
            let wrote = session.write_back(table, &row).await?;
            if wrote != WroteBack::Written {
                tracing::info!(connection.id = %staged.connection, table = %staged.name, ?wrote, "a row was not written back");
            }
            // A row that says something else stays as it is there, and comes again; here it is not asked for twice.
            let of = staged.clone();
            self.hub.store.write(job!(|tx| { tx.staged_told(&of, &end).await })).await?;
            told = true;
        }
        Ok(told)
    }

    /// Takes rows of a table with a status.
    async fn take(
        &mut self,
        session: &mut dyn TableSession,
        table: &Table,
        staged: &StagedTable,
    ) -> Result<bool, TableError> {
        let claims = table.status().is_some_and(|status| status.taken.is_some());
        for _ in 0..MOST_PAGES {
            let of = staged.clone();
            let open = self.hub.store.read(job!(|tx| { tx.staged_open(&of).await })).await?;
            if open > MOST_OPEN || self.hub.stops() || !self.holds().await? {
                return Ok(false);
            }
            let by = if claims { random::token(TOKEN) } else { String::new() };
            let rows = session.take(table, &by).await?;
            let whole = rows.len() == PAGE;
            let news = self.keep_all(table, staged, rows, &by, None).await?;
            // Rows that are not claimed are read again until they were told.
            if !whole || (news == 0 && !claims) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Reads rows of a table with a mark.
    async fn read(
        &mut self,
        session: &mut dyn TableSession,
        table: &Table,
        staged: &StagedTable,
        overlap_secs: i64,
    ) -> Result<bool, TableError> {
        let of = staged.clone();
        let kept = self.hub.store.read(job!(|tx| { tx.staged_marks(&of).await })).await?;
        let began = self.hub.clock.micros();
        let mut marks = Marks::read(kept.as_deref().unwrap_or_default(), overlap_secs);
        let mut behind: Option<Vec<String>> = None;
        for _ in 0..MOST_PAGES {
            if self.hub.stops() || !self.holds().await? {
                return Ok(false);
            }
            let former = marks.former(began);
            let since = match (&behind, marks.latest()) {
                (Some(mark), _) => Since::Behind(mark),
                (None, Some(latest)) => Since::Again { latest, former: former.as_deref() },
                (None, None) => Since::Beginning,
            };
            let rows = session.read(table, since).await?;
            let whole = rows.len() == PAGE;
            let Some(last) = rows.last().map(|row| row.mark.clone()) else { return Ok(false) };
            // A page of the overlap alone moves nothing: what was reached stays reached.
            let passed = behind.is_some() || !whole || marks.latest().is_none();
            if passed {
                marks.reach(last.clone(), began);
            }
            self.keep_all(table, staged, rows, "", passed.then(|| marks.write())).await?;
            if !whole {
                return Ok(false);
            }
            behind = Some(last);
        }
        Ok(true)
    }

    async fn keep_all(
        &self,
        table: &Table,
        staged: &StagedTable,
        rows: Vec<TableRow>,
        by: &str,
        marks: Option<String>,
    ) -> Result<usize, TableError> {
        if rows.is_empty() {
            return Ok(0);
        }
        let news = keep(self.hub, table, staged, rows, by, marks).await?;
        if news > 0 {
            self.hub.wake.work.notify_one();
        }
        Ok(news)
    }

    /// Forgets what was told long ago, once in a while.
    async fn forget(&mut self, table: &Table, staged: &StagedTable) -> Result<(), StoreError> {
        let Some(due) = self.due.get_mut(&table.name).filter(|due| !due.forgotten) else { return Ok(()) };
        let (of, before) = (staged.clone(), self.hub.clock.micros() - KEPT_MICROS);
        let forgotten =
            self.hub.store.write(job!(|tx| { tx.forget_staged(&of, before, FORGOTTEN_AT_ONCE).await })).await?;
        due.forgotten = forgotten < FORGOTTEN_AT_ONCE.unsigned_abs();
        Ok(())
    }

    /// Notes how a visit went, and when the next one is.
    fn note(&mut self, table: &Table, went: Result<bool, TableError>) {
        let every = Duration::from_secs(self.connection.manifest.table_poll_secs.unsigned_abs().max(1));
        let Some(due) = self.due.get_mut(&table.name) else { return };
        let now = Instant::now();
        match went {
            Ok(more) => {
                if due.trouble.take().is_some() {
                    tracing::info!(connection.id = %self.connection.id, table = %table.name, "a table is read again");
                }
                due.gap = Duration::ZERO;
                // A visit that only wrote back leaves the time of the next look as it is.
                if more {
                    due.at = now;
                } else if due.at <= now {
                    due.at = now + every;
                }
            }
            Err(error) => {
                let text = error.to_string();
                if due.trouble.as_ref() != Some(&text) {
                    tracing::error!(connection.id = %self.connection.id, table = %table.name, error = %text, "a table is not read");
                }
                due.trouble = Some(text);
                due.gap = (due.gap * 2).clamp(every, LONGEST_GAP.max(every));
                due.at = now + due.gap;
            }
        }
        let trouble = self.due.iter().find_map(|(name, due)| Some(format!("{name}: {}", due.trouble.as_ref()?)));
        let standing = TableStanding { at: self.hub.clock.now(), trouble };
        let mut all = self.hub.tables.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(self.connection.id.clone(), standing);
    }
}

/// A reason without the place in our files: that is for our own people, and lies with what is parked.
fn without_place(reason: &str) -> &str {
    match reason.split_once(": ") {
        Some((place, rest)) if place.contains(".yaml:") => rest,
        _ => reason,
    }
}

/// Letters of the name under which rows are taken.
const TOKEN: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_side_is_told_what_is_wrong_and_not_where_our_files_lie() {
        let told = without_place("hub/mappings/heron/staff.in.yaml:8:21: employee/status: a required value is absent");
        assert_eq!(told, "employee/status: a required value is absent");
        assert_eq!(
            without_place("given up after 8 tries: the store is away"),
            "given up after 8 tries: the store is away"
        );
    }
}
