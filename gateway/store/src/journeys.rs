//! Journeys: all that one message caused, step by step.

use crate::batches::batches;
use crate::error::StoreError;
use crate::row::{ColumnError, Row};
use crate::tx::{Tx, built, rows_of, sql};
use std::collections::BTreeMap;

/// A step of a journey. It names records and systems; it holds no personal values.
#[derive(Clone, Debug)]
pub struct Step {
    /// Trace id, 32 hex digits.
    pub trace: String,
    /// Hub id; steps of one instant keep the order of their ids.
    pub id: String,
    /// Tenant.
    pub tenant: String,
    /// When, µs.
    pub at: i64,
    /// What was done: `receive`, `map`, `event`, `rule`, `score`, `call` …
    pub step: String,
    /// Where: a connection, or `hub`.
    pub system: String,
    /// How it went: `ok`, `retry`, `parked` …
    pub result: String,
    /// The record that it is about, `entity/id`.
    pub subject: String,
    /// In words.
    pub detail: String,
}

/// A journey as lists show it.
#[derive(Clone, Debug)]
pub struct Journey {
    /// Trace id.
    pub trace: String,
    /// First step, µs.
    pub started_at: i64,
    /// Last step, µs.
    pub last_at: i64,
    /// How many steps.
    pub steps: i64,
    /// How many of them went wrong.
    pub trouble: i64,
    /// What it is about.
    pub subject: String,
}

impl Journey {
    /// Its place in the list, as text for cursors.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{}.{}", self.started_at, self.trace)
    }

    /// Reads a place; `None` when it is none.
    #[must_use]
    pub fn read_place(text: &str) -> Option<(i64, String)> {
        let (at, trace) = text.split_once('.')?;
        Some((at.parse().ok()?, trace.to_owned()))
    }
}

fn read_step(row: &Row<'_>) -> Result<Step, ColumnError> {
    Ok(Step {
        trace: row.try_get("trace")?,
        id: row.try_get("id")?,
        tenant: row.try_get("tenant")?,
        at: row.try_get("at")?,
        step: row.try_get("step")?,
        system: row.try_get("system")?,
        result: row.try_get("result")?,
        subject: row.try_get("subject")?,
        detail: row.try_get("detail")?,
    })
}

/// The columns that [`read_journey`] reads.
const FIELDS: &str = "trace, started_at, last_at, steps, trouble, subject";

fn read_journey(row: &Row<'_>) -> Result<Journey, ColumnError> {
    Ok(Journey {
        trace: row.try_get("trace")?,
        started_at: row.try_get("started_at")?,
        last_at: row.try_get("last_at")?,
        steps: row.try_get("steps")?,
        trouble: row.try_get("trouble")?,
        subject: row.try_get("subject")?,
    })
}

/// Before the first place of a list.
const BEHIND_NOTHING: (i64, String) = (i64::MAX, String::new());

/// What a journey is about: the first record, or the payload as long as nothing has become of it.
fn subject_of(steps: &[&Step]) -> String {
    let named = steps.iter().map(|step| &step.subject).filter(|subject| !subject.is_empty());
    named.min_by_key(|subject| subject.starts_with("raw/")).cloned().unwrap_or_default()
}

impl Tx {
    /// Adds steps to their journeys. A step that stands already (the same id) changes nothing.
    ///
    /// # Errors
    /// The store fails.
    pub async fn add_steps(&mut self, steps: Vec<Step>) -> Result<(), StoreError> {
        let mut traces: BTreeMap<String, Vec<&Step>> = BTreeMap::new();
        for step in &steps {
            traces.entry(step.trace.clone()).or_default().push(step);
        }
        for own in batches(traces.into_values().collect()) {
            self.add_to_journeys(own).await?;
        }
        for steps in batches(steps) {
            let mut statement = built(format!(
                "INSERT INTO journey_steps (trace, id, tenant, at, step, system, result, subject, detail)
                 VALUES {} ON CONFLICT DO NOTHING",
                rows_of(9, steps.len())
            ));
            for step in steps {
                statement = statement
                    .bind(step.trace)
                    .bind(step.id)
                    .bind(step.tenant)
                    .bind(step.at)
                    .bind(step.step)
                    .bind(step.system)
                    .bind(step.result)
                    .bind(step.subject)
                    .bind(step.detail);
            }
            self.run(statement).await?;
        }
        Ok(())
    }

    /// The steps of different journeys, each with at least one.
    async fn add_to_journeys(&mut self, journeys: Vec<Vec<&Step>>) -> Result<(), StoreError> {
        let mut statement = built(format!(
            "INSERT INTO journeys (trace, tenant, started_at, last_at, steps, trouble, subject)
             VALUES {}
             ON CONFLICT (trace) DO UPDATE SET steps = journeys.steps + excluded.steps,
                 trouble = journeys.trouble + excluded.trouble,
                 started_at = CASE WHEN excluded.started_at < journeys.started_at
                                   THEN excluded.started_at ELSE journeys.started_at END,
                 last_at = CASE WHEN excluded.last_at > journeys.last_at
                                THEN excluded.last_at ELSE journeys.last_at END,
                 subject = CASE WHEN excluded.subject <> '' AND (journeys.subject = '' OR
                                     (journeys.subject LIKE 'raw/%' AND excluded.subject NOT LIKE 'raw/%'))
                                THEN excluded.subject ELSE journeys.subject END",
            rows_of(7, journeys.len())
        ));
        for own in journeys {
            let (Some(first), Some(last)) = (own.first(), own.last()) else { continue };
            let trouble = own.iter().filter(|step| step.result != "ok").count();
            statement = statement
                .bind(first.trace.clone())
                .bind(first.tenant.clone())
                .bind(first.at)
                .bind(last.at)
                .bind(i64::try_from(own.len()).unwrap_or(i64::MAX))
                .bind(i64::try_from(trouble).unwrap_or(i64::MAX))
                .bind(subject_of(&own));
        }
        self.run(statement).await.map(drop)
    }

    /// A journey's steps in order; empty when there is no such journey.
    ///
    /// # Errors
    /// The store fails.
    pub async fn journey(&mut self, tenant: &str, trace: &str) -> Result<Vec<Step>, StoreError> {
        let statement = sql("SELECT trace, id, tenant, at, step, system, result, subject, detail FROM journey_steps WHERE tenant = $1 AND trace = $2 ORDER BY at, id")
            .bind(tenant.to_owned())
            .bind(trace.to_owned());
        self.all(statement, read_step).await
    }

    /// The newest journeys; behind `after` (when it began, µs, and its trace id), if given.
    ///
    /// # Errors
    /// The store fails.
    pub async fn journeys(
        &mut self,
        tenant: &str,
        after: Option<(i64, String)>,
        limit: i64,
    ) -> Result<Vec<Journey>, StoreError> {
        let (at, trace) = after.unwrap_or(BEHIND_NOTHING);
        let statement = built(format!(
            "SELECT {FIELDS} FROM journeys
             WHERE tenant = $1 AND (started_at < $2 OR (started_at = $2 AND trace > $3))
             ORDER BY started_at DESC, trace LIMIT $4"
        ))
        .bind(tenant.to_owned())
        .bind(at)
        .bind(trace)
        .bind(limit);
        self.all(statement, read_journey).await
    }

    /// Journeys with a step about a record (`entity/id`), newest first; behind `after`, if given.
    ///
    /// # Errors
    /// The store fails.
    pub async fn journeys_about(
        &mut self,
        tenant: &str,
        subject: &str,
        after: Option<(i64, String)>,
        limit: i64,
    ) -> Result<Vec<Journey>, StoreError> {
        let (at, trace) = after.unwrap_or(BEHIND_NOTHING);
        let statement = built(format!(
            "SELECT {FIELDS} FROM journeys WHERE tenant = $1 AND trace IN
                 (SELECT trace FROM journey_steps WHERE tenant = $1 AND subject = $2)
                 AND (started_at < $3 OR (started_at = $3 AND trace > $4))
             ORDER BY started_at DESC, trace LIMIT $5"
        ))
        .bind(tenant.to_owned())
        .bind(subject.to_owned())
        .bind(at)
        .bind(trace)
        .bind(limit);
        self.all(statement, read_journey).await
    }
}
