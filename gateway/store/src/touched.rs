//! What trying parked things again would have to do with, found without changing anything.

use crate::error::StoreError;
use crate::parked::Which;
use crate::row::Row;
use crate::tx::{Tx, built};

/// What parked things have to do with.
#[derive(Clone, Debug, Default)]
pub struct Touched {
    /// Connection, step and code; how many of them; when the first was parked, µs.
    pub causes: Vec<(String, String, String, i64, i64)>,
    /// Calls among them.
    pub calls: Vec<TouchedCalls>,
    /// How many records events and calls among them are about.
    pub records: i64,
    /// How many payloads are among them.
    pub payloads: i64,
    /// Calls that were carried out already in the journeys of these things: connection, and how many.
    pub effects: Vec<(String, i64)>,
}

/// Parked calls of one operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TouchedCalls {
    /// Connection.
    pub connection: String,
    /// Operation.
    pub operation: String,
    /// Why they were parked.
    pub code: String,
    /// Whether the vendor took them, and only what it answered lies parked.
    pub done: bool,
    /// How many.
    pub count: i64,
}

impl Tx {
    /// What trying parked things again would have to do with. It changes nothing.
    ///
    /// # Errors
    /// The store fails.
    pub async fn parked_touches(&mut self, tenant: &str, which: &Which) -> Result<Touched, StoreError> {
        let open = format!("{} AND p.resolved_at IS NULL", which.condition());
        let ask = |text: String| which.bind(built(text), tenant);
        let causes = ask(format!(
            "SELECT p.connection, p.step, p.code, COUNT(*) AS n, MIN(p.at) AS oldest FROM parked p WHERE {open}
             GROUP BY p.connection, p.step, p.code ORDER BY n DESC, p.connection, p.step, p.code"
        ));
        let calls = ask(format!(
            "SELECT c.connection, c.operation, p.code, CASE WHEN c.state = 'done' THEN 1 ELSE 0 END AS taken,
                    COUNT(*) AS n
             FROM parked p JOIN calls c ON c.id = p.reference AND c.tenant = p.tenant
             WHERE {open} AND p.kind = 'call' GROUP BY c.connection, c.operation, p.code, taken
             ORDER BY c.connection, c.operation, p.code, taken"
        ));
        let records = ask(format!(
            "SELECT COUNT(*) AS n FROM (
                 SELECT c.subject AS about FROM parked p JOIN calls c ON c.id = p.reference AND c.tenant = p.tenant
                 WHERE {open} AND p.kind = 'call'
                 UNION SELECT i.order_key AS about
                 FROM parked p JOIN inbox i ON i.consumer = p.step AND i.message = p.reference
                 WHERE {open} AND p.kind = 'event') AS r"
        ));
        let payloads = ask(format!("SELECT COUNT(*) AS n FROM parked p WHERE {open} AND p.kind = 'raw'"));
        // A call that was asked for again and known changes nothing; it is no effect.
        let effects = ask(format!(
            "SELECT j.system, COUNT(*) AS n FROM journey_steps j
             WHERE j.tenant = $1 AND j.step = 'call' AND j.result = 'ok' AND j.detail NOT LIKE '%asked for before'
                 AND j.trace IN (SELECT p.trace FROM parked p WHERE {open})
             GROUP BY j.system ORDER BY j.system"
        ));
        let count = |row: &Row<'_>| row.try_get::<i64, _>("n");
        Ok(Touched {
            causes: self
                .all(causes, |row| {
                    let of = |name| row.try_get::<String, _>(name);
                    Ok((of("connection")?, of("step")?, of("code")?, row.try_get("n")?, row.try_get("oldest")?))
                })
                .await?,
            calls: self
                .all(calls, |row| {
                    Ok(TouchedCalls {
                        connection: row.try_get("connection")?,
                        operation: row.try_get("operation")?,
                        code: row.try_get("code")?,
                        done: row.try_get::<i64, _>("taken")? == 1,
                        count: row.try_get("n")?,
                    })
                })
                .await?,
            records: self.one(records, count).await?.unwrap_or(0),
            payloads: self.one(payloads, count).await?.unwrap_or(0),
            effects: self.all(effects, |row| Ok((row.try_get("system")?, row.try_get("n")?))).await?,
        })
    }
}
