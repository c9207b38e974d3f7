//! The way to a PostgreSQL server that may be away.
//!
//! One task owns it: it connects, brings the schema up to date, and watches over a connection of its own whether the
//! server still answers and takes writes. Whenever it does not, everything under way is given up at once, and what
//! comes then fails at once, until a server is found again: the same one, or another that the address leads to now.
//! Connections are made anew each time, so that none of them leads to a server that has become a standby.

use crate::dialect::Dialect;
use crate::error::{Cause, StoreError};
use crate::keyring::Keyring;
use crate::tx::{Inner, Tx, sql};
use crate::writer::Options;
use futures::future::BoxFuture;
use hub_tree::Clock;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, PgConnection, PgPool};
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;

/// How long a server may take for a connection before the next is tried.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// How long it may be silent before it counts as away.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Waits between two attempts to connect.
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// An answer that took longer says too little about the server's clock.
const CLOCK_WITHIN: Duration = Duration::from_millis(500);

/// What a connection is told first: a client that has vanished must not hold locks for hours.
const SESSION: &str = "SET idle_in_transaction_session_timeout = '60s'; SET tcp_keepalives_idle = 15; \
    SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 4; SET client_min_messages = 'warning'";

/// The way to a server.
pub(crate) struct Server {
    shared: Arc<Shared>,
    task: AbortHandle,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Shared {
    /// Where to look, in this order.
    places: Vec<PgConnectOptions>,
    max_connections: u32,
    schema: usize,
    state: watch::Sender<State>,
    /// Why it cannot be reached, for the first who asks.
    reason: Mutex<Option<StoreError>>,
    /// Somebody has met an error that may mean that the server is away.
    look: Notify,
    /// The server's time, and when it was that, by a clock that never jumps.
    time: Mutex<Option<(i64, Instant)>>,
}

#[derive(Clone)]
enum State {
    /// Nothing was tried yet.
    Unknown,
    Away,
    Open(PgPool),
    /// It will never work.
    Refused,
}

/// Tells when connections are of no use any more.
pub(crate) struct Gone(watch::Receiver<State>);

fn away() -> StoreError {
    StoreError::Unavailable(Cause::Away)
}

impl Server {
    pub(crate) fn start(options: &Options, keyring: &Arc<Keyring>, clock: &Clock) -> Result<Self, StoreError> {
        let places = places(&options.url)
            .iter()
            .map(|url| Ok(PgConnectOptions::from_str(url)?.disable_statement_logging()))
            .collect::<Result<Vec<_>, StoreError>>()?;
        let shared = Arc::new(Shared {
            places,
            max_connections: options.max_connections.max(1),
            schema: options.schema,
            state: watch::Sender::new(State::Unknown),
            reason: Mutex::default(),
            look: Notify::new(),
            time: Mutex::default(),
        });
        let task = tokio::spawn(keep(Arc::clone(&shared), Arc::clone(keyring), clock.clone()));
        Ok(Self { shared, task: task.abort_handle() })
    }

    /// Waits for the end of the first attempt to connect.
    pub(crate) async fn tried(&self) -> Result<(), StoreError> {
        self.until(|state| !matches!(state, State::Unknown)).await
    }

    /// Waits until a server was reached, or until it is clear that this never works.
    pub(crate) async fn connected(&self) -> Result<(), StoreError> {
        self.until(|state| matches!(state, State::Open(_) | State::Refused)).await
    }

    async fn until(&self, wanted: impl FnMut(&State) -> bool) -> Result<(), StoreError> {
        let mut state = self.shared.state.subscribe();
        match state.wait_for(wanted).await.as_deref() {
            Ok(State::Open(_)) => Ok(()),
            _ => Err(self.shared.reason.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_else(away)),
        }
    }

    /// The server's time, µs, once it was asked.
    pub(crate) fn now(&self) -> Option<i64> {
        let (then, at) = (*self.shared.time.lock().unwrap_or_else(PoisonError::into_inner))?;
        Some(then.saturating_add(i64::try_from(at.elapsed().as_micros()).unwrap_or(i64::MAX)))
    }

    /// The connections, and what tells when they are of no use any more.
    pub(crate) fn pool(&self) -> Result<(PgPool, Gone), StoreError> {
        let mut state = self.shared.state.subscribe();
        let State::Open(pool) = state.borrow_and_update().clone() else { return Err(away()) };
        Ok((pool, Gone(state)))
    }

    /// Does something for as long as the server is there.
    pub(crate) async fn within<T>(
        &self,
        mut gone: Gone,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let result = tokio::select! {
            result = work => result,
            // On a connection to a server that is gone, one would wait for the network's own time limits.
            _ = gone.0.changed() => Err(StoreError::Unavailable(Cause::Lost)),
        };
        if matches!(&result, Err(StoreError::Unavailable(_))) {
            self.shared.look.notify_one();
        }
        result
    }

    pub(crate) async fn close(&self) {
        self.task.abort();
        // Nobody waits for a change any more: what is under way may end.
        let State::Open(pool) = self.shared.state.borrow().clone() else { return };
        let _ = tokio::time::timeout(ANSWER_WITHIN, pool.close()).await;
    }
}

/// A URL for each host of `postgres://user@host1:5432,host2:5433/database`.
fn places(url: &str) -> Vec<String> {
    let Some((scheme, rest)) = url.split_once("://") else { return vec![url.to_owned()] };
    let (authority, path) = rest.find(['/', '?']).map_or((rest, ""), |end| rest.split_at(end));
    // A password may hold an encoded `@` only.
    let (user, hosts) = authority.rsplit_once('@').map_or(("", authority), |(user, hosts)| (user, hosts));
    let at = if user.is_empty() { "" } else { "@" };
    hosts.split(',').map(|host| format!("{scheme}://{user}{at}{host}{path}")).collect()
}

/// Keeps a way to a server open for as long as the store lives.
async fn keep(shared: Arc<Shared>, keyring: Arc<Keyring>, clock: Clock) {
    let mut wait = FIRST_WAIT;
    let mut reached = false;
    loop {
        let connecting = connect(Arc::clone(&shared), Arc::clone(&keyring), clock.clone());
        match Box::pin(connecting).await {
            Ok((mut own, pool)) => {
                if reached {
                    tracing::info!("the store is available again");
                }
                (reached, wait) = (true, FIRST_WAIT);
                shared.state.send_replace(State::Open(pool.clone()));
                let error = watch_over(&shared, &mut own).await;
                tracing::warn!(error = %error, "the store went away");
                shared.state.send_replace(State::Away);
                // Its connections end one by one, as far as they still lead anywhere.
                tokio::spawn(async move {
                    let _ = tokio::time::timeout(ANSWER_WITHIN, pool.close()).await;
                });
            }
            Err(error) => {
                // A mistake of the configuration shows at the first attempt; later the server is to blame.
                let ours = matches!(error, StoreError::Schema(_) | StoreError::Sealed(_));
                let refused = ours || (!reached && !error.is_temporary());
                if refused || wait == FIRST_WAIT {
                    tracing::warn!(error = %error, cause = cause(&error), "the store cannot be reached");
                }
                *shared.reason.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                if refused {
                    shared.state.send_replace(State::Refused);
                    return;
                }
                shared.state.send_replace(State::Away);
            }
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

fn cause(error: &StoreError) -> String {
    std::error::Error::source(error).map(ToString::to_string).unwrap_or_default()
}

/// A connection of its own, outside every pool.
pub(crate) async fn connect_to(url: &str) -> Result<Tx, StoreError> {
    let connection = PgConnectOptions::from_str(url)?.disable_statement_logging().connect().await?;
    Ok(Tx { dialect: Dialect::Postgres, inner: Inner::Own(connection) })
}

/// Connects to the first server that takes writes, and brings its schema up to date.
async fn connect(shared: Arc<Shared>, keyring: Arc<Keyring>, clock: Clock) -> Result<(Tx, PgPool), StoreError> {
    let mut last = away();
    for place in shared.places.clone() {
        match reach(Arc::clone(&shared), place.clone()).await {
            Ok(mut own) => {
                own.migrate(shared.schema).await?;
                own.run(sql("BEGIN")).await?;
                keyring.load(&mut own, &clock).await?;
                own.run(sql("COMMIT")).await?;
                let pool = PgPoolOptions::new()
                    .max_connections(shared.max_connections)
                    .acquire_timeout(Duration::from_secs(5))
                    .after_connect(|connection, _| Box::pin(begin_session(connection)))
                    .connect_lazy_with(place);
                return Ok((own, pool));
            }
            // Of several servers some may be gone for good: another one may do.
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn begin_session(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(SESSION).execute(connection).await.map(drop)
}

fn reach(shared: Arc<Shared>, place: PgConnectOptions) -> BoxFuture<'static, Result<Tx, StoreError>> {
    let connecting = async move {
        let mut connection = place.connect().await?;
        begin_session(&mut connection).await?;
        let mut own = Tx { dialect: Dialect::Postgres, inner: Inner::Own(connection) };
        look(&shared, &mut own).await?;
        Ok(own)
    };
    Box::pin(async move { tokio::time::timeout(CONNECT_WITHIN, connecting).await.unwrap_or_else(|_| Err(away())) })
}

/// Returns when the server is away, or takes no writes any more.
async fn watch_over(shared: &Shared, own: &mut Tx) -> StoreError {
    loop {
        let _ = tokio::time::timeout(LOOK_EVERY, shared.look.notified()).await;
        match tokio::time::timeout(ANSWER_WITHIN, look(shared, own)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return error,
            Err(_) => return away(),
        }
    }
}

/// Asks the server for its time, and whether it takes writes.
async fn look(shared: &Shared, own: &mut Tx) -> Result<(), StoreError> {
    let asked = Instant::now();
    let answer = own
        .one(
            sql("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT) AS now,
                     CASE WHEN pg_is_in_recovery() OR current_setting('default_transaction_read_only') = 'on'
                          THEN 1 ELSE 0 END AS standby"),
            |row| Ok((row.try_get::<i64, _>("now")?, row.try_get::<i64, _>("standby")?)),
        )
        .await?;
    let took = asked.elapsed();
    let Some((now, 0)) = answer else {
        return Err(StoreError::Standby);
    };
    let mut time = shared.time.lock().unwrap_or_else(PoisonError::into_inner);
    if took < CLOCK_WITHIN || time.is_none() {
        // The server said it about in the middle.
        *time = Some((now, asked + took / 2));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_host_of_a_url_is_a_place_to_look() {
        assert_eq!(places("postgres://hub@a:5432/d?x=1"), ["postgres://hub@a:5432/d?x=1"]);
        assert_eq!(
            places("postgres://u:p%40q@a:1,b:2/d?sslmode=require"),
            ["postgres://u:p%40q@a:1/d?sslmode=require", "postgres://u:p%40q@b:2/d?sslmode=require"]
        );
        assert_eq!(places("postgres://a,b/d"), ["postgres://a/d", "postgres://b/d"]);
        assert_eq!(places("postgres:///d?host=/run"), ["postgres:///d?host=/run"]);
    }
}
