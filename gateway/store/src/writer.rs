//! The store: opening it, and running transactions on it.

use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::keyring::{Keyring, MasterKey};
use crate::schema;
use crate::server::Server;
use crate::sqlite::Sqlite;
use crate::tx::{Inner, Job, Tx};
use hub_tree::Clock;
use std::path::PathBuf;
use std::sync::Arc;

/// How to open a store.
#[derive(Clone, Debug)]
pub struct Options {
    /// `sqlite:///path/to/hub.db` or `postgres://user:password@host/database`. Several PostgreSQL servers of which one
    /// takes writes are named as `host1:port1,host2:port2`.
    pub url: String,
    /// Most connections to a PostgreSQL server, or readers of a SQLite file.
    pub max_connections: u32,
    /// How large a SQLite file may become.
    pub max_bytes: Option<u64>,
    /// A file that keeps the tenants' sealed keys, so that bodies can be sealed before the store was ever reached.
    pub keys_copy: Option<PathBuf>,
    /// The schema version to work at: an older one stands for an older program in tests.
    pub schema: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { url: String::new(), max_connections: 8, max_bytes: None, keys_copy: None, schema: schema::newest() }
    }
}

/// The store.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

struct Shared {
    database: Database,
    keyring: Arc<Keyring>,
    clock: Clock,
}

enum Database {
    Sqlite(Sqlite),
    Postgres(Server),
}

impl Store {
    /// Opens the store and brings its schema up to date.
    ///
    /// # Errors
    /// It cannot be reached, its schema is newer than this program, or the master key is not the one it was sealed with.
    pub async fn open(options: &Options, master: MasterKey, clock: &Clock) -> Result<Self, StoreError> {
        let store = Self::start(options, master, clock).await?;
        store.tried().await?;
        Ok(store)
    }

    /// Opens the store without waiting for a server: until it is reached, everything that needs it fails for now.
    /// [`Store::connected`] tells when it is.
    ///
    /// # Errors
    /// The URL is none, or a SQLite file cannot be used.
    pub async fn start(options: &Options, master: MasterKey, clock: &Clock) -> Result<Self, StoreError> {
        let keyring = Arc::new(Keyring::new(master, options.keys_copy.clone()));
        let database = if options.url.starts_with("sqlite:") {
            Database::Sqlite(Sqlite::open(options, &keyring, clock).await?)
        } else {
            keyring.recall();
            Database::Postgres(Server::start(options, &keyring, clock)?)
        };
        Ok(Self { shared: Arc::new(Shared { database, keyring, clock: clock.clone() }) })
    }

    /// Waits for the end of the first attempt to reach the store.
    ///
    /// # Errors
    /// Why it failed; after a temporary error it is tried again.
    pub async fn tried(&self) -> Result<(), StoreError> {
        match &self.shared.database {
            Database::Sqlite(_) => Ok(()),
            Database::Postgres(server) => server.tried().await,
        }
    }

    /// Waits until the store was reached for the first time.
    ///
    /// # Errors
    /// It never will be: its schema is newer than this program, or it was sealed with another master key.
    pub async fn connected(&self) -> Result<(), StoreError> {
        match &self.shared.database {
            Database::Sqlite(_) => Ok(()),
            Database::Postgres(server) => server.connected().await,
        }
    }

    /// Now by the store's clock, µs: the same for all processes that share it, whatever their own clocks say.
    #[must_use]
    pub fn now(&self) -> i64 {
        match &self.shared.database {
            Database::Sqlite(_) => self.shared.clock.micros(),
            Database::Postgres(server) => server.now().unwrap_or_else(|| self.shared.clock.micros()),
        }
    }

    /// The keys that bodies are sealed with.
    #[must_use]
    pub fn keyring(&self) -> &Keyring {
        &self.shared.keyring
    }

    /// The same, for transactions.
    pub(crate) fn keyring_arc(&self) -> Arc<Keyring> {
        Arc::clone(&self.shared.keyring)
    }

    /// `sqlite` or `postgres`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.shared.database {
            Database::Sqlite(_) => "sqlite",
            Database::Postgres(_) => "postgres",
        }
    }

    /// Runs a transaction; when the future is ready, its changes are on disk.
    ///
    /// # Errors
    /// What the body returned, after a rollback, or why it could not commit. Where [`StoreError::is_unsure`] says so,
    /// nobody knows whether it did: whoever does it again must find what was done.
    pub async fn write<T, F>(&self, job: F) -> Result<T, StoreError>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> Job<'t, T> + Send + 'static,
        T: Send + 'static,
    {
        match &self.shared.database {
            Database::Sqlite(sqlite) => sqlite.write(job).await,
            Database::Postgres(server) => {
                let (pool, gone) = server.pool()?;
                let work = async move {
                    let mut tx = Tx { dialect: Dialect::Postgres, inner: Inner::Transaction(pool.begin().await?) };
                    let value = job(&mut tx).await?;
                    if let Inner::Transaction(transaction) = tx.inner {
                        transaction.commit().await?;
                    }
                    Ok(value)
                };
                server.within(gone, work).await
            }
        }
    }

    /// Looks, without changing anything.
    ///
    /// # Errors
    /// What the body returned, or why the store cannot be reached.
    pub async fn read<T, F>(&self, job: F) -> Result<T, StoreError>
    where
        F: for<'t> FnOnce(&'t mut Tx) -> Job<'t, T>,
    {
        match &self.shared.database {
            Database::Sqlite(sqlite) => sqlite.read(job).await,
            Database::Postgres(server) => {
                let (pool, gone) = server.pool()?;
                let work = async move {
                    let connection = pool.acquire().await?;
                    job(&mut Tx { dialect: Dialect::Postgres, inner: Inner::Pooled(connection) }).await
                };
                server.within(gone, work).await
            }
        }
    }

    /// Lets running transactions finish and closes the connections.
    pub async fn close(&self) {
        match &self.shared.database {
            Database::Sqlite(sqlite) => sqlite.close(),
            Database::Postgres(server) => server.close().await,
        }
    }
}
