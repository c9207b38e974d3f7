//! Opening the store, and who may write when.

use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::keyring::{Keyring, MasterKey};
use crate::tx::{Inner, Job, Tx, built, sql};
use futures::FutureExt;
use futures::future::BoxFuture;
use hub_tree::Clock;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyPool, ConnectOptions};
use std::panic::AssertUnwindSafe;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// How to open a store.
#[derive(Clone, Debug)]
pub struct Options {
    /// `sqlite:///path/to/hub.db` or `postgres://user:password@host/database`.
    pub url: String,
    /// Most connections to a PostgreSQL server, or readers of a SQLite file.
    pub max_connections: u32,
}

/// Waiting transactions that a SQLite writer commits together at most.
const MAX_GROUP: usize = 128;
/// Transactions that may wait for the writer before callers wait for room.
const QUEUE: usize = 4_096;

/// The store.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

struct Shared {
    dialect: Dialect,
    readers: AnyPool,
    writer: Option<mpsc::Sender<Queued>>,
    keyring: Keyring,
}

/// A transaction body that waits for SQLite's writer.
type Queued = Box<dyn for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Option<Finish>> + Send>;
/// Tells the caller how it ended, once the group is committed (`true`) or lost.
type Finish = Box<dyn FnOnce(bool) + Send>;

impl Store {
    /// Opens the store and brings its schema up to date.
    ///
    /// # Errors
    /// It cannot be reached, its schema is newer than this program, or the master key is not the one it was sealed with.
    pub async fn open(options: &Options, master: MasterKey, clock: &Clock) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let dialect = if options.url.starts_with("sqlite:") { Dialect::Sqlite } else { Dialect::Postgres };
        let connect = AnyConnectOptions::from_str(&options.url)?.disable_statement_logging();
        let pool = AnyPoolOptions::new()
            .max_connections(options.max_connections.max(1))
            .acquire_timeout(Duration::from_secs(5))
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    for pragma in reader_pragmas(dialect) {
                        sqlx::raw_sql(*pragma).execute(&mut *connection).await?;
                    }
                    Ok(())
                })
            });
        let mut writer = None;
        if dialect == Dialect::Sqlite {
            let mut own = Tx { dialect, inner: Inner::Own(connect.connect().await?) };
            for pragma in WRITER_PRAGMAS {
                sqlx::raw_sql(*pragma).execute(own.conn()).await?;
            }
            sqlx::raw_sql("BEGIN IMMEDIATE").execute(own.conn()).await?;
            own.migrate().await?;
            sqlx::raw_sql("COMMIT").execute(own.conn()).await?;
            let (sender, receiver) = mpsc::channel(QUEUE);
            tokio::spawn(write_loop(own, receiver));
            writer = Some(sender);
        }
        let readers = pool.connect_with(connect).await?;
        if dialect == Dialect::Postgres {
            let mut tx = Tx { dialect, inner: Inner::Transaction(readers.begin().await?) };
            tx.migrate().await?;
            commit(tx).await?;
        }
        let keyring = Keyring::new(master);
        let store = Self { shared: Arc::new(Shared { dialect, readers, writer, keyring }) };
        store.shared.keyring.load(&store, clock).await?;
        Ok(store)
    }

    /// The keys that bodies are sealed with.
    #[must_use]
    pub fn keyring(&self) -> &Keyring {
        &self.shared.keyring
    }

    /// `sqlite` or `postgres`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.shared.dialect {
            Dialect::Sqlite => "sqlite",
            Dialect::Postgres => "postgres",
        }
    }

    /// Runs a transaction; when the future is ready, its changes are on disk.
    ///
    /// # Errors
    /// What the body returned, after a rollback, or why it could not commit.
    pub async fn write<T, F>(&self, job: F) -> Result<T, StoreError>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> Job<'t, T> + Send + 'static,
        T: Send + 'static,
    {
        let Some(writer) = &self.shared.writer else {
            let transaction = self.shared.readers.begin().await?;
            let mut tx = Tx { dialect: self.shared.dialect, inner: Inner::Transaction(transaction) };
            let value = job(&mut tx).await?;
            commit(tx).await?;
            return Ok(value);
        };
        let (sender, receiver) = oneshot::channel();
        let queued: Queued = Box::new(move |tx| {
            Box::pin(async move {
                match AssertUnwindSafe(job(tx)).catch_unwind().await {
                    Ok(Ok(value)) => Some(Box::new(move |committed: bool| {
                        // Without a commit the sender is dropped, which the caller sees.
                        if committed {
                            let _ = sender.send(Ok(value));
                        }
                    }) as Finish),
                    Ok(Err(error)) => {
                        let _ = sender.send(Err(error));
                        None
                    }
                    Err(_) => {
                        let _ = sender.send(Err(StoreError::Broken));
                        None
                    }
                }
            })
        });
        if writer.send(queued).await.is_err() {
            return Err(StoreError::Unavailable(sqlx::Error::WorkerCrashed));
        }
        receiver.await.unwrap_or_else(|_| Err(StoreError::Unavailable(sqlx::Error::WorkerCrashed)))
    }

    /// Looks, without changing anything.
    ///
    /// # Errors
    /// What the body returned, or why the store cannot be reached.
    pub async fn read<T, F>(&self, job: F) -> Result<T, StoreError>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> Job<'t, T>,
    {
        let connection = self.shared.readers.acquire().await?;
        let mut tx = Tx { dialect: self.shared.dialect, inner: Inner::Pooled(connection) };
        job(&mut tx).await
    }

    /// Lets running transactions finish and closes the connections.
    pub async fn close(&self) {
        self.shared.readers.close().await;
    }
}

const WRITER_PRAGMAS: &[&str] = &[
    "PRAGMA journal_mode = WAL",
    // Every commit reaches the disk before it is answered.
    "PRAGMA synchronous = FULL",
    "PRAGMA busy_timeout = 10000",
    "PRAGMA wal_autocheckpoint = 4000",
    "PRAGMA cache_size = -16000",
];

const fn reader_pragmas(dialect: Dialect) -> &'static [&'static str] {
    match dialect {
        Dialect::Sqlite => &["PRAGMA busy_timeout = 10000", "PRAGMA query_only = ON"],
        Dialect::Postgres => &[],
    }
}

async fn commit(tx: Tx) -> Result<(), StoreError> {
    match tx.inner {
        Inner::Transaction(transaction) => Ok(transaction.commit().await?),
        Inner::Own(_) | Inner::Pooled(_) => Ok(()),
    }
}

/// SQLite's one writer: whatever waits is run one after the other, each under a savepoint of its own, and committed
/// with one fsync. A body that fails is rolled back alone.
async fn write_loop(mut tx: Tx, mut queue: mpsc::Receiver<Queued>) {
    let mut group = Vec::with_capacity(MAX_GROUP);
    while queue.recv_many(&mut group, MAX_GROUP).await > 0 {
        let mut finishes = Vec::with_capacity(group.len());
        if let Err(error) = tx.run(sql("BEGIN IMMEDIATE")).await {
            tracing::error!(error = %error, "the SQLite writer cannot begin");
            group.clear();
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        }
        let mut lost = false;
        for job in group.drain(..) {
            if lost || tx.run(sql("SAVEPOINT job")).await.is_err() {
                lost = true;
                continue;
            }
            let end = match job(&mut tx).await {
                Some(finish) => {
                    finishes.push(finish);
                    "RELEASE job"
                }
                None => "ROLLBACK TO job",
            };
            lost |= tx.run(built(end.to_owned())).await.is_err();
        }
        let committed = !lost && tx.run(sql("COMMIT")).await.inspect_err(report).is_ok();
        if !committed {
            let _ = tx.run(sql("ROLLBACK")).await;
        }
        for finish in finishes {
            finish(committed);
        }
    }
}

fn report(error: &StoreError) {
    tracing::error!(error = %error, "the SQLite writer cannot commit");
}
