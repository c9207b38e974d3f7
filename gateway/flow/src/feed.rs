//! The change feed as callers read it: published events in the order of their positions, which only rise. A position is
//! given by the relay once the event is published, so a reader who stands at one never misses an earlier event.
//!
//! Any process reads it from the store; who waits for more shares one look at the store with all who wait here.

use crate::access::units::visible;
use crate::access::{Principal, Scope};
use crate::event::EventMessage;
use crate::hub::Hub;
use crate::subscriptions::types;
use hub_store::{Event, StoreError, job};
use hub_tree::TraceContext;
use hub_tree::jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Rows that are read at once, and rows that one page passes at most: filters may leave few of them.
const READ: i64 = 500;
const PASSED: i64 = 5_000;
/// How often those who wait look whether there is more.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Readers that may wait at once: of one app, and in all.
const WAITING_OF_ONE: usize = 10;
const WAITING: usize = 500;

/// Which events a reader wants.
#[derive(Clone, Debug, Default)]
pub struct FeedFilter {
    /// Patterns of types, as [`types::wants`] takes them; empty for all.
    pub types: String,
    /// Of records of this entity.
    pub entity: Option<String>,
    /// Caused by this connection.
    pub connection: Option<String>,
    /// Of this record: entity and id.
    pub record: Option<(String, String)>,
}

impl FeedFilter {
    fn fits(&self, who: &Principal, event: &Event) -> bool {
        let new = &event.new;
        let of_record = |(entity, id): &(String, String)| *entity == new.entity && id.eq_ignore_ascii_case(&new.record);
        self.entity.as_ref().is_none_or(|entity| *entity == new.entity)
            && self.connection.as_ref().is_none_or(|connection| new.connection.as_ref() == Some(connection))
            && self.record.as_ref().is_none_or(of_record)
            && (self.types.is_empty() || types::wants(&self.types, &format!("hr.{}.v1", new.kind)))
            && may_hear(who, &new.entity)
    }
}

/// Whether somebody may hear of events of an entity. What is no entity of the model concerns those who run the hub.
fn may_hear(who: &Principal, entity: &str) -> bool {
    if hub_model::entity(entity).is_some() { who.reads(entity).is_ok() } else { who.need(Scope::Ops).is_ok() }
}

/// A page of the feed.
#[derive(Clone, Debug)]
pub struct FeedPage {
    /// Events and their positions, in order.
    pub events: Vec<(i64, EventMessage)>,
    /// Where to go on: behind all that was looked at.
    pub next: i64,
    /// Whether there was more to look at.
    pub more: bool,
}

/// What waiting readers of this process share.
#[derive(Default)]
pub(crate) struct Feed {
    waiting: Arc<Mutex<BTreeMap<String, usize>>>,
    /// The end of the feed, and when it was looked at.
    end: tokio::sync::Mutex<Option<(Instant, i64)>>,
}

/// The place of a reader who waits; free again when dropped.
#[derive(Debug)]
pub struct FeedPlace(Arc<Mutex<BTreeMap<String, usize>>>, String);

impl Drop for FeedPlace {
    fn drop(&mut self) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = waiting.get_mut(&self.1) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                waiting.remove(&self.1);
            }
        }
    }
}

impl Hub {
    /// Events behind a position. `None` when events behind it are not kept any more, or it was never given out. `zone`
    /// is whose day counts as today, for callers that are limited to org units.
    ///
    /// # Errors
    /// The store fails.
    pub async fn feed(
        &self,
        who: &Principal,
        zone: &TimeZone,
        filter: &FeedFilter,
        after: Option<i64>,
        limit: i64,
    ) -> Result<Option<FeedPage>, StoreError> {
        let limit = usize::try_from(limit).unwrap_or(0);
        let mut page = FeedPage { events: Vec::new(), next: after.unwrap_or(0), more: true };
        let begun = page.next;
        let mut passed = 0;
        while page.more && page.events.len() < limit && passed < PASSED {
            let (tenant, place) = (who.tenant.clone(), page.next);
            // The floor is read after the events: what is forgotten between the two must not go unnoticed.
            let (events, floor) = self
                .store
                .read(job!(|tx| {
                    let events = tx.feed(&tenant, place, READ).await?;
                    Ok((events, tx.feed_floor(&tenant).await?))
                }))
                .await?;
            if floor > place && after.is_some() {
                return Ok(None);
            }
            if after.is_none() && place == 0 {
                page.next = floor;
            }
            page.more = i64::try_from(events.len()).unwrap_or(READ) >= READ;
            for event in events {
                passed += 1;
                let Some(position) = event.position else { continue };
                page.next = position;
                if filter.fits(who, &event) {
                    let trace: TraceContext = event.new.trace.parse().unwrap_or_else(|_| TraceContext::begin());
                    page.events.push((position, EventMessage::of(&event.new, trace)));
                    if page.events.len() == limit {
                        page.more = true;
                        break;
                    }
                }
            }
        }
        // A store that was restored from a backup is behind its readers: what comes would be missed.
        if page.events.is_empty() && begun > 0 && page.next == begun && begun > self.feed_end(true).await? {
            return Ok(None);
        }
        self.within_reach(who, zone, &mut page).await?;
        Ok(Some(page))
    }

    /// Leaves out what a caller who is limited to org units may not know of.
    async fn within_reach(&self, who: &Principal, zone: &TimeZone, page: &mut FeedPage) -> Result<(), StoreError> {
        if who.units().is_none() {
            return Ok(());
        }
        let mut records: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
        for (_, event) in &page.events {
            if let Some(entity) = hub_model::entity(&event.entity) {
                records.entry(entity.name).or_default().insert(event.record.clone());
            }
        }
        let mut seen: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for (entity, ids) in records {
            seen.insert(entity, visible(self, who, zone, entity, ids).await?);
        }
        let reaches =
            |event: &EventMessage| seen.get(event.entity.as_str()).is_some_and(|ids| ids.contains(&event.record));
        page.events.retain(|(_, event)| reaches(event));
        Ok(())
    }

    /// The end of the feed; `now` looks, otherwise what somebody has seen a moment ago will do.
    ///
    /// # Errors
    /// The store fails.
    pub async fn feed_end(&self, now: bool) -> Result<i64, StoreError> {
        let mut seen = self.feed.end.lock().await;
        if let Some((_, end)) = seen.filter(|(at, _)| !now && at.elapsed() < LOOK_EVERY) {
            return Ok(end);
        }
        let end = self.store.read(job!(|tx| { tx.feed_end().await })).await?;
        *seen = Some((Instant::now(), end));
        Ok(end)
    }

    /// Waits until the feed has grown behind an end that was seen, whoever it concerns, or the time is over, or the hub
    /// stops; whether it has.
    ///
    /// # Errors
    /// The store fails.
    pub async fn feed_grows(&self, seen: i64, until: Instant) -> Result<bool, StoreError> {
        loop {
            if self.feed_end(false).await? > seen {
                return Ok(true);
            }
            if self.is_draining() || self.stops() || Instant::now() >= until {
                return Ok(false);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// A place among those who wait for the feed; `None` when too many do.
    #[must_use]
    pub fn feed_place(&self, handle: &str) -> Option<FeedPlace> {
        let mut waiting = self.feed.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let own = waiting.get(handle).copied().unwrap_or(0);
        if own >= WAITING_OF_ONE || waiting.values().sum::<usize>() >= WAITING {
            return None;
        }
        waiting.insert(handle.to_owned(), own + 1);
        Some(FeedPlace(Arc::clone(&self.feed.waiting), handle.to_owned()))
    }
}
