//! SQLite: readers, and one writer that commits what waits together.

use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::keyring::Keyring;
use crate::tx::{Inner, Job, Tx, built, sql};
use crate::writer::Options;
use futures::FutureExt;
use futures::future::BoxFuture;
use hub_tree::Clock;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::{AnyPool, ConnectOptions};
use std::panic::AssertUnwindSafe;
use std::str::FromStr;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Waiting transactions that are committed together at most.
const MAX_GROUP: usize = 128;
/// Transactions that may wait for the writer before callers wait for room.
const QUEUE: usize = 4_096;
const PAGE_BYTES: u64 = 4_096;

const WRITER_PRAGMAS: &[&str] = &[
    "PRAGMA journal_mode = WAL",
    // Every commit reaches the disk before it is answered.
    "PRAGMA synchronous = FULL",
    "PRAGMA busy_timeout = 10000",
    "PRAGMA wal_autocheckpoint = 4000",
    "PRAGMA cache_size = -16000",
];
const READER_PRAGMAS: &[&str] = &["PRAGMA busy_timeout = 10000", "PRAGMA query_only = ON"];

/// A SQLite file.
pub(crate) struct Sqlite {
    pub(crate) readers: AnyPool,
    writer: mpsc::Sender<Queued>,
}

/// A transaction body that waits for the writer.
type Queued = Box<dyn for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Option<Finish>> + Send>;
/// Tells the caller how it ended, once the group is committed (`true`) or lost.
type Finish = Box<dyn FnOnce(bool) + Send>;

impl Sqlite {
    pub(crate) async fn open(options: &Options, keyring: &Keyring, clock: &Clock) -> Result<Self, StoreError> {
        let connect = AnyConnectOptions::from_str(&options.url)?.disable_statement_logging();
        let mut own = Tx { dialect: Dialect::Sqlite, inner: Inner::Own(connect.connect().await?) };
        for pragma in WRITER_PRAGMAS {
            sqlx::raw_sql(*pragma).execute(own.conn()).await?;
        }
        if let Some(bytes) = options.max_bytes {
            own.run(built(format!("PRAGMA max_page_count = {}", bytes.div_ceil(PAGE_BYTES)))).await?;
        }
        own.run(sql("BEGIN IMMEDIATE")).await?;
        own.migrate(options.schema).await?;
        keyring.load(&mut own, clock).await?;
        own.run(sql("COMMIT")).await?;
        let (writer, receiver) = mpsc::channel(QUEUE);
        tokio::spawn(write_loop(own, receiver));
        let readers = AnyPoolOptions::new()
            .max_connections(options.max_connections.max(1))
            .acquire_timeout(Duration::from_secs(5))
            .after_connect(|connection, _| {
                Box::pin(async move {
                    for pragma in READER_PRAGMAS {
                        sqlx::raw_sql(*pragma).execute(&mut *connection).await?;
                    }
                    Ok(())
                })
            })
            .connect_with(connect)
            .await?;
        Ok(Self { readers, writer })
    }

    pub(crate) async fn write<T, F>(&self, job: F) -> Result<T, StoreError>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> Job<'t, T> + Send + 'static,
        T: Send + 'static,
    {
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
        if self.writer.send(queued).await.is_err() {
            return Err(StoreError::Unavailable(sqlx::Error::WorkerCrashed));
        }
        receiver.await.unwrap_or_else(|_| Err(StoreError::Unavailable(sqlx::Error::WorkerCrashed)))
    }
}

/// The one writer: whatever waits is run one after the other, each under a savepoint of its own, and committed with
/// one fsync. A body that fails is rolled back alone.
async fn write_loop(mut tx: Tx, mut queue: mpsc::Receiver<Queued>) {
    let mut group = Vec::with_capacity(MAX_GROUP);
    while queue.recv_many(&mut group, MAX_GROUP).await > 0 {
        let mut finishes = Vec::with_capacity(group.len());
        if let Err(error) = tx.run(sql("BEGIN IMMEDIATE")).await {
            tracing::error!(error = %error, "the SQLite writer cannot begin");
            // A full disk may have left the last transaction open.
            let _ = tx.run(sql("ROLLBACK")).await;
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
