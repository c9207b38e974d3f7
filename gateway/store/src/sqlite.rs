//! SQLite: readers, and one writer that commits what waits together.
//!
//! The writer has a thread of its own; a reader works on the thread that asks, because what it reads lies in memory or
//! in the next room.

use crate::dialect::Dialect;
use crate::error::{Cause, StoreError};
use crate::keyring::Keyring;
use crate::tx::{Inner, Job, Tx, built, sql};
use crate::writer::Options;
use futures::FutureExt;
use futures::executor::block_on;
use futures::future::BoxFuture;
use hub_tree::Clock;
use rusqlite::{Connection, OpenFlags};
use std::panic::AssertUnwindSafe;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc, oneshot};

/// Waiting transactions that are committed together at most.
const MAX_GROUP: usize = 128;
/// Transactions that may wait for the writer before callers wait for room.
const QUEUE: usize = 4_096;
const PAGE_BYTES: u64 = 4_096;
/// Statements that a connection keeps prepared: about as many as there are.
const PREPARED: usize = 512;
/// How long a reader waits for its turn.
const READ_WITHIN: Duration = Duration::from_secs(5);

const WRITER_PRAGMAS: &str = "
    PRAGMA journal_mode = WAL;
    -- Every commit reaches the disk before it is answered.
    PRAGMA synchronous = FULL;
    PRAGMA busy_timeout = 10000;
    PRAGMA wal_autocheckpoint = 4000;
    PRAGMA cache_size = -16000;";
const READER_PRAGMAS: &str = "PRAGMA busy_timeout = 10000; PRAGMA query_only = ON";

/// Opens a file: `sqlite:///path/to/hub.db`, with `?mode=rwc` to make it when it is not there.
pub(crate) fn connect(url: &str) -> Result<Tx, StoreError> {
    let rest = url.strip_prefix("sqlite:").unwrap_or(url);
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let (path, options) = rest.split_once('?').unwrap_or((rest, ""));
    let make = if options.split('&').any(|option| option == "mode=rwc") {
        OpenFlags::SQLITE_OPEN_CREATE
    } else {
        OpenFlags::empty()
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | make;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.set_prepared_statement_cache_capacity(PREPARED);
    Ok(Tx { dialect: Dialect::Sqlite, inner: Inner::Sqlite(connection) })
}

/// A SQLite file.
pub(crate) struct Sqlite {
    url: String,
    writer: mpsc::Sender<Queued>,
    /// Readers that rest, and how many more may be at work.
    resting: Mutex<Vec<Tx>>,
    turns: Semaphore,
}

/// A transaction body that waits for the writer.
type Queued = Box<dyn for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Option<Finish>> + Send>;
/// Tells the caller how it ended, once the group is committed (`true`) or lost.
type Finish = Box<dyn FnOnce(bool) + Send>;

impl Sqlite {
    pub(crate) async fn open(options: &Options, keyring: &Keyring, clock: &Clock) -> Result<Self, StoreError> {
        let mut own = connect(&options.url)?;
        own.batch(WRITER_PRAGMAS).await?;
        if let Some(bytes) = options.max_bytes {
            own.run(built(format!("PRAGMA max_page_count = {}", bytes.div_ceil(PAGE_BYTES)))).await?;
        }
        own.run(sql("BEGIN IMMEDIATE")).await?;
        own.migrate(options.schema).await?;
        keyring.load(&mut own, clock).await?;
        own.run(sql("COMMIT")).await?;
        let (writer, receiver) = mpsc::channel(QUEUE);
        let runtime = Handle::current();
        let writing = move || {
            let _entered = runtime.enter();
            write_loop(own, receiver);
        };
        std::thread::Builder::new()
            .name("hub-store".to_owned())
            .spawn(writing)
            .map_err(|_| StoreError::Unavailable(Cause::Away))?;
        let turns = Semaphore::new(options.max_connections.max(1) as usize);
        Ok(Self { url: options.url.clone(), writer, resting: Mutex::default(), turns })
    }

    pub(crate) async fn read<T, F>(&self, job: F) -> Result<T, StoreError>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> Job<'t, T>,
    {
        let away = || StoreError::Unavailable(Cause::Away);
        let turn = tokio::time::timeout(READ_WITHIN, self.turns.acquire()).await;
        let _turn = turn.map_err(|_| away())?.map_err(|_| away())?;
        let resting = self.resting().pop();
        let mut tx = match resting {
            Some(tx) => tx,
            None => {
                let mut tx = connect(&self.url)?;
                tx.batch(READER_PRAGMAS).await?;
                tx
            }
        };
        let result = job(&mut tx).await;
        if !self.turns.is_closed() {
            self.resting().push(tx);
        }
        result
    }

    fn resting(&self) -> MutexGuard<'_, Vec<Tx>> {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets no more readers begin.
    pub(crate) fn close(&self) {
        self.turns.close();
        self.resting().clear();
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
        let lost = || StoreError::Unavailable(Cause::Lost);
        self.writer.send(queued).await.map_err(|_| lost())?;
        receiver.await.unwrap_or_else(|_| Err(lost()))
    }
}

/// The one writer: whatever waits is run one after the other, each under a savepoint of its own, and committed with
/// one fsync. A body that fails is rolled back alone.
fn write_loop(mut tx: Tx, mut queue: mpsc::Receiver<Queued>) {
    let mut group = Vec::with_capacity(MAX_GROUP);
    while queue.blocking_recv_many(&mut group, MAX_GROUP) > 0 {
        block_on(write_together(&mut tx, &mut group));
    }
}

async fn write_together(tx: &mut Tx, group: &mut Vec<Queued>) {
    let mut finishes = Vec::with_capacity(group.len());
    if let Err(error) = tx.run(sql("BEGIN IMMEDIATE")).await {
        tracing::error!(error = %error, "the SQLite writer cannot begin");
        // A full disk may have left the last transaction open.
        let _ = tx.run(sql("ROLLBACK")).await;
        group.clear();
        std::thread::sleep(Duration::from_millis(50));
        return;
    }
    let mut lost = false;
    for job in group.drain(..) {
        if lost || tx.run(sql("SAVEPOINT job")).await.is_err() {
            lost = true;
            continue;
        }
        let end = match job(tx).await {
            Some(finish) => {
                finishes.push(finish);
                "RELEASE job"
            }
            None => "ROLLBACK TO job",
        };
        lost |= tx.run(sql(end)).await.is_err();
    }
    let committed = !lost && tx.run(sql("COMMIT")).await.inspect_err(report).is_ok();
    if !committed {
        let _ = tx.run(sql("ROLLBACK")).await;
    }
    for finish in finishes {
        finish(committed);
    }
}

fn report(error: &StoreError) {
    tracing::error!(error = %error, "the SQLite writer cannot commit");
}
