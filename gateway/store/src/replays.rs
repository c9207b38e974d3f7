//! The past that a replay goes through: events of the feed, and payloads as they were received.

use crate::error::StoreError;
use crate::events::{self, Event, FIELDS as EVENT};
use crate::redrives::{Errand, Redrive};
use crate::row::Row;
use crate::tx::{Statement, Tx, built};

/// A part of the past.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// From this instant, µs.
    pub from: i64,
    /// Up to and without this instant, µs.
    pub to: i64,
    /// Of this connection; empty for all.
    pub connection: String,
    /// Of these types, such as `application.*`; none for all.
    pub types: Vec<String>,
    /// About this record, `entity/id`; empty for all.
    pub record: String,
}

impl Past {
    /// The condition on rows `e` of `events`, the tenant's parameter being the first.
    pub(crate) fn events(&self) -> String {
        let types = match self.types.len() {
            0 => String::new(),
            count => {
                let like: Vec<String> = (6..6 + count).map(|n| format!("e.type LIKE ${n} ESCAPE '\\'")).collect();
                format!(" AND ({})", like.join(" OR "))
            }
        };
        format!(
            "e.tenant = $1 AND e.at >= $2 AND e.at < $3 AND ($4 = '' OR e.connection = $4)
             AND ($5 = '' OR e.entity || '/' || e.record = $5){types} AND e.position IS NOT NULL"
        )
    }

    pub(crate) fn bind_events(&self, statement: Statement, tenant: &str) -> Statement {
        let statement = statement
            .bind(tenant.to_owned())
            .bind(self.from)
            .bind(self.to)
            .bind(self.connection.clone())
            .bind(self.record.clone());
        self.types.iter().fold(statement, |statement, pattern| statement.bind(like(pattern)))
    }

    const fn next_of_events(&self) -> usize {
        6 + self.types.len()
    }

    /// The condition on rows `r` of `raws`: payloads that were mapped or ignored. What is parked is re-driven.
    pub(crate) const RAWS: &'static str = "r.tenant = $1 AND r.received_at >= $2 AND r.received_at < $3
         AND ($4 = '' OR r.connection = $4)
         AND ($5 = '' OR r.id IN (SELECT h.raw FROM history h
                                  WHERE h.tenant = $1 AND h.entity || '/' || h.id = $5 AND h.raw IS NOT NULL))
         AND r.state IN ('done', 'ignored')";

    pub(crate) fn bind_raws(&self, statement: Statement, tenant: &str) -> Statement {
        statement
            .bind(tenant.to_owned())
            .bind(self.from)
            .bind(self.to)
            .bind(self.connection.clone())
            .bind(self.record.clone())
    }
}

/// A pattern with `*` as LIKE takes it.
fn like(pattern: &str) -> String {
    let mut text = String::with_capacity(pattern.len() + 4);
    for letter in pattern.chars() {
        match letter {
            '*' => text.push('%'),
            '%' | '_' | '\\' => text.extend(['\\', letter]),
            letter => text.push(letter),
        }
    }
    text
}

/// What a replay would have to do with.
#[derive(Clone, Debug, Default)]
pub struct Passed {
    /// Connection, then type of event (none for payloads), and how many.
    pub counts: Vec<(String, String, i64)>,
    /// How many records the events are about.
    pub records: i64,
    /// Calls that were carried out in the journeys of these events: connection, and how many.
    pub effects: Vec<(String, i64)>,
}

/// A payload to map again: its id and where it is from.
#[derive(Clone, Debug)]
pub struct OldRaw {
    /// Hub id.
    pub id: String,
    /// Connection.
    pub connection: String,
    /// `traceparent`.
    pub trace: String,
}

impl Tx {
    /// The next events of a replay, in the order of the feed.
    ///
    /// # Errors
    /// The store fails.
    pub async fn redrive_events(
        &mut self,
        redrive: &Redrive,
        past: &Past,
        limit: i64,
    ) -> Result<Vec<Event>, StoreError> {
        let next = past.next_of_events();
        let text = format!(
            "SELECT {EVENT} FROM events e WHERE {} AND e.position > ${next} ORDER BY e.position LIMIT ${}",
            past.events(),
            next + 1
        );
        let after = redrive.place.parse::<i64>().unwrap_or(0);
        let statement = past.bind_events(built(text), &redrive.new.tenant).bind(after).bind(limit);
        self.all(statement, events::read).await
    }

    /// The next payloads of a replay, in the order of their ids.
    ///
    /// # Errors
    /// The store fails.
    pub async fn redrive_raws(
        &mut self,
        redrive: &Redrive,
        past: &Past,
        limit: i64,
    ) -> Result<Vec<OldRaw>, StoreError> {
        let text = format!(
            "SELECT r.id, r.connection, r.trace FROM raws r WHERE {} AND r.id > $6 ORDER BY r.id LIMIT $7",
            Past::RAWS
        );
        let statement = past.bind_raws(built(text), &redrive.new.tenant).bind(redrive.place.clone()).bind(limit);
        self.all(statement, |row| {
            Ok(OldRaw { id: row.try_get("id")?, connection: row.try_get("connection")?, trace: row.try_get("trace")? })
        })
        .await
    }

    /// What a replay would have to do with. It changes nothing.
    ///
    /// # Errors
    /// The store fails.
    pub async fn replay_touches(&mut self, tenant: &str, errand: &Errand) -> Result<Passed, StoreError> {
        let counts = |row: &Row<'_>| Ok((row.try_get("connection")?, row.try_get("type")?, row.try_get("n")?));
        match errand {
            Errand::Parked(..) => Ok(Passed::default()),
            Errand::Raws(past) => {
                let text = format!(
                    "SELECT r.connection, '' AS type, COUNT(*) AS n FROM raws r WHERE {}
                     GROUP BY r.connection ORDER BY r.connection",
                    Past::RAWS
                );
                let counts = self.all(past.bind_raws(built(text), tenant), counts).await?;
                Ok(Passed { counts, ..Passed::default() })
            }
            Errand::Events(past, _) => {
                let of = past.events();
                let ask = |text: String| past.bind_events(built(text), tenant);
                let by_type = ask(format!(
                    "SELECT COALESCE(e.connection, '') AS connection, e.type, COUNT(*) AS n FROM events e WHERE {of}
                     GROUP BY COALESCE(e.connection, ''), e.type ORDER BY 1, 2"
                ));
                let records = ask(format!(
                    "SELECT COUNT(*) AS n FROM (SELECT DISTINCT e.entity, e.record FROM events e WHERE {of}) AS r"
                ));
                // A journey's trace id is the second part of a traceparent.
                let effects = ask(format!(
                    "SELECT j.system, COUNT(*) AS n FROM journey_steps j
                     WHERE j.tenant = $1 AND j.step = 'call' AND j.result = 'ok'
                         AND j.detail NOT LIKE '%asked for before'
                         AND j.trace IN (SELECT SUBSTR(e.trace, 4, 32) FROM events e WHERE {of})
                     GROUP BY j.system ORDER BY j.system"
                ));
                Ok(Passed {
                    counts: self.all(by_type, counts).await?,
                    records: self.count(records).await?,
                    effects: self.all(effects, |row| Ok((row.try_get("system")?, row.try_get("n")?))).await?,
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_in_a_type_stands_for_anything_and_an_underscore_for_itself() {
        assert_eq!(like("application.stage_*"), "application.stage\\_%");
        assert_eq!(like("100%"), "100\\%");
    }
}
