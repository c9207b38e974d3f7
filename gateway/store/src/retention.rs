//! What is not needed any more goes, in small portions: each statement removes at most `limit` rows, so that nobody
//! waits for it.

use crate::error::StoreError;
use crate::tx::{Tx, built, list_of, sql};

/// What came with schema version 2.
pub(crate) const INDEXES: &str = "
CREATE INDEX raws_ended ON raws (received_at, id) WHERE state IN ('done', 'ignored');
CREATE INDEX raws_parent ON raws (parent) WHERE parent IS NOT NULL;
CREATE INDEX history_raw ON history (raw) WHERE raw IS NOT NULL;
CREATE INDEX journeys_last ON journeys (last_at);
CREATE INDEX events_at ON events (at) WHERE position IS NOT NULL;
CREATE INDEX calls_ended ON calls (created_at) WHERE state IN ('done', 'parked');
CREATE INDEX parked_resolved ON parked (resolved_at) WHERE resolved_at IS NOT NULL;
CREATE INDEX parked_open_reference ON parked (reference) WHERE resolved_at IS NULL;
";

impl Tx {
    async fn forget(&mut self, text: &'static str, before: i64, limit: i64) -> Result<u64, StoreError> {
        self.run(sql(text).bind(before).bind(limit)).await
    }

    /// Forgets messages that were taken before `before` and are done, or parked and resolved: from then on a repetition
    /// is news.
    ///
    /// # Errors
    /// The store fails.
    pub async fn forget_work(&mut self, before: i64, limit: i64) -> Result<u64, StoreError> {
        let text = "DELETE FROM inbox WHERE seq IN (SELECT i.seq FROM inbox i
             WHERE i.state IN ('done', 'parked') AND i.received_at < $1 AND NOT EXISTS (
                 SELECT 1 FROM parked p WHERE p.reference = i.message AND p.resolved_at IS NULL) LIMIT $2)";
        self.forget(text, before, limit).await
    }

    /// Forgets parked things that were resolved before `before`.
    ///
    /// # Errors
    /// The store fails.
    pub async fn forget_parked(&mut self, before: i64, limit: i64) -> Result<u64, StoreError> {
        let text = "DELETE FROM parked WHERE id IN (SELECT id FROM parked
             WHERE resolved_at IS NOT NULL AND resolved_at < $1 LIMIT $2)";
        self.forget(text, before, limit).await
    }

    /// Forgets calls that were asked for before `before` and are done, or parked and resolved. From then on the same
    /// business reference would be called again.
    ///
    /// # Errors
    /// The store fails.
    pub async fn forget_calls(&mut self, before: i64, limit: i64) -> Result<u64, StoreError> {
        let text = "DELETE FROM calls WHERE seq IN (SELECT c.seq FROM calls c
             WHERE c.state IN ('done', 'parked') AND c.created_at < $1 AND NOT EXISTS (
                 SELECT 1 FROM parked p WHERE p.reference = c.id AND p.resolved_at IS NULL) LIMIT $2)";
        self.forget(text, before, limit).await
    }

    /// Forgets journeys whose last step was before `before`.
    ///
    /// # Errors
    /// The store fails.
    pub async fn forget_journeys(&mut self, before: i64, limit: i64) -> Result<u64, StoreError> {
        let old = sql("SELECT trace FROM journeys WHERE last_at < $1 LIMIT $2").bind(before).bind(limit);
        let traces = self.all(old, |row| row.try_get::<String, _>("trace")).await?;
        for part in traces.chunks(32) {
            // A step that comes meanwhile would be the journey's last one: then it is not old any more.
            let list = list_of(2, part.len());
            for text in [
                format!("DELETE FROM journeys WHERE last_at < $1 AND trace IN ({list})"),
                format!(
                    "DELETE FROM journey_steps WHERE at < $1 AND trace IN ({list}) AND NOT EXISTS (
                         SELECT 1 FROM journeys j WHERE j.trace = journey_steps.trace)"
                ),
            ] {
                let mut statement = built(text).bind(before);
                for trace in part {
                    statement = statement.bind(trace.clone());
                }
                self.run(statement).await?;
            }
        }
        Ok(traces.len() as u64)
    }

    /// Forgets payloads that were received before `before`, are done, and are the source of no version of a record.
    /// Looks at `limit` of them behind a place, and returns where the next look begins; `None` at the end.
    ///
    /// # Errors
    /// The store fails.
    pub async fn forget_raws(
        &mut self,
        before: i64,
        (at, id): (i64, String),
        limit: i64,
    ) -> Result<Option<(i64, String)>, StoreError> {
        let statement = sql("SELECT r.id, r.received_at, CAST(CASE WHEN
                 EXISTS (SELECT 1 FROM history h WHERE h.raw = r.id)
                 OR EXISTS (SELECT 1 FROM raws c WHERE c.parent = r.id) THEN 1 ELSE 0 END AS BIGINT) AS needed
             FROM raws r WHERE r.state IN ('done', 'ignored') AND r.received_at < $1 AND (r.received_at, r.id) > ($2, $3)
             ORDER BY r.received_at, r.id LIMIT $4")
        .bind(before)
        .bind(at)
        .bind(id)
        .bind(limit);
        let looked = self
            .all(statement, |row| {
                let place = (row.try_get::<i64, _>("received_at")?, row.try_get::<String, _>("id")?);
                Ok((place, row.try_get::<i64, _>("needed")? != 0))
            })
            .await?;
        let next = looked.last().map(|(place, _)| place.clone());
        let unneeded: Vec<String> = looked.into_iter().filter(|(_, needed)| !needed).map(|((_, id), _)| id).collect();
        for part in unneeded.chunks(32) {
            let list = list_of(1, part.len());
            let text = format!("DELETE FROM raws WHERE state IN ('done', 'ignored') AND id IN ({list})");
            let mut statement = built(text);
            for id in part {
                statement = statement.bind(id.clone());
            }
            self.run(statement).await?;
        }
        Ok(next)
    }
}
