//! `/v1/events`: the change feed. What happened, in order, from a cursor that stays good as long as events are kept: a
//! page, a page that waits for something to happen, or a stream of server-sent events.

use crate::Api;
use crate::auth::Caller;
use crate::problem::Problem;
use crate::query::{Parameters, parameters};
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::Stream;
use futures::stream;
use hub_flow::access::{Principal, Scope};
use hub_flow::event::EventMessage;
use hub_flow::feed::{FeedFilter, FeedPage, FeedPlace};
use hub_flow::subscriptions::types;
use hub_tree::finding::suggest;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;
use tokio::time::Instant;

/// The kind of its cursors.
const CURSOR: &str = "e";
/// Longest that a page waits, in seconds.
const LONGEST_WAIT: u64 = 60;
/// After so long a stream ends, and its reader comes back with a key that is looked at again.
const STREAM: Duration = Duration::from_secs(300);
/// A stream that has nothing to say says so.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Events that a stream reads at once.
const BATCH: i64 = 100;

const KNOWN: [&str; 6] = ["after", "types", "entity", "connection", "record", "wait"];

/// Where a reader begins.
enum From {
    /// Behind a position.
    Behind(i64),
    /// With the oldest event that is kept.
    Oldest,
    /// With what comes.
    Now,
}

/// What a reader asks for.
struct Asked {
    filter: FeedFilter,
    from: From,
    limit: i64,
    wait: Duration,
    /// What was asked, without the cursor, for the address of the next page.
    rest: String,
}

/// A page of the feed, or a stream of it.
pub(crate) async fn list(
    State(api): State<Api>,
    Caller(who): Caller,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if let Err(denied) = who.readable() {
        who.need(Scope::Ops).map_err(|_| denied)?;
    }
    let accepts = |kind: &str| {
        let given = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        given.flat_map(|value| value.split(',')).any(|value| value.split(';').next().map(str::trim) == Some(kind))
    };
    let streams = accepts("text/event-stream");
    let last = headers.get("last-event-id").filter(|_| streams).and_then(|value| value.to_str().ok());
    let asked = read(query.as_deref(), last)?;
    let mut after = match asked.from {
        From::Behind(position) => Some(position),
        From::Oldest => None,
        From::Now => Some(api.hub.feed_end(true).await?),
    };
    let place = |needed: bool| -> Result<Option<FeedPlace>, Problem> {
        let place = needed.then(|| api.hub.feed_place(&who.handle));
        place.map(|place| place.ok_or_else(Problem::too_many_readers)).transpose()
    };
    if streams {
        // What is gone is said before the stream begins.
        let page = page(&api, &who, &asked.filter, after, 1).await?;
        let begin = after.unwrap_or_else(|| page.events.first().map_or(page.next, |(position, _)| position - 1));
        let Some(place) = place(true)? else { return Err(Problem::too_many_readers()) };
        let reading = Reading {
            api,
            who,
            filter: asked.filter,
            after: begin,
            ready: VecDeque::new(),
            until: Instant::now() + STREAM,
            first: true,
            _place: place,
        };
        let alive = KeepAlive::new().interval(HEARTBEAT);
        let mut response = Sse::new(told(reading)).keep_alive(alive).into_response();
        // Proxies must not collect what is meant for now.
        response.headers_mut().insert("x-accel-buffering", header::HeaderValue::from_static("no"));
        return Ok(response);
    }
    let _place = place(!asked.wait.is_zero())?;
    let until = Instant::now() + asked.wait;
    let found = loop {
        let end = api.hub.feed_end(false).await?;
        let found = page(&api, &who, &asked.filter, after, asked.limit).await?;
        if !found.events.is_empty() || found.more || !api.hub.feed_grows(end.max(found.next), until).await? {
            break found;
        }
        after = Some(found.next);
    };
    Ok(shown(&found, &asked.rest, accepts("application/cloudevents-batch+json")))
}

async fn page(
    api: &Api,
    who: &Principal,
    filter: &FeedFilter,
    after: Option<i64>,
    limit: i64,
) -> Result<FeedPage, Problem> {
    api.hub.feed(who, &api.zone, filter, after, limit).await?.ok_or_else(Problem::cursor_expired)
}

fn read(query: Option<&str>, last: Option<&str>) -> Result<Asked, Problem> {
    let pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let mut rest = url::form_urlencoded::Serializer::new(String::new());
    rest.extend_pairs(pairs.filter(|(name, _)| !matches!(name.as_ref(), "cursor" | "after" | "wait")));
    let rest = rest.finish();
    let mut given = parameters(query);
    let limit = given.limit()?;
    let cursor = given.take("cursor");
    let after = given.take("after");
    let from = match last.map(str::to_owned).or(cursor).or(after).as_deref() {
        None => From::Oldest,
        Some("now") => From::Now,
        Some(text) => {
            let place = Parameters::place(CURSOR, text).and_then(|place| place.parse().ok());
            From::Behind(place.filter(|place| *place >= 0).ok_or_else(Parameters::bad_cursor)?)
        }
    };
    let mut filter = FeedFilter::default();
    if let Some(text) = given.take("types") {
        let patterns: Vec<String> = text.split([',', ' ']).filter(|word| !word.is_empty()).map(str::to_owned).collect();
        types::check(&patterns).map_err(|(_, why)| Problem::bad_parameter("types", why, None))?;
        filter.types = patterns.join(" ");
    }
    if let Some(name) = given.take("entity") {
        if hub_model::entity(&name).is_none() && name != "subscription" {
            let hint = suggest(&name, hub_model::ENTITIES.iter().map(|entity| entity.name));
            return Err(Problem::bad_parameter("entity", format!("there is no entity `{name}`"), hint));
        }
        filter.entity = Some(name);
    }
    filter.connection = given.take("connection");
    if let Some(text) = given.take("record") {
        let record = text.split_once('/').map(|(entity, id)| (entity.to_owned(), id.to_owned()));
        let next = "such as `application/0193a5c1-…`, the `subject` of an event".to_owned();
        filter.record =
            Some(record.ok_or_else(|| Problem::bad_parameter("record", "`record` is entity/id", Some(next)))?);
    }
    let wait = match given.take("wait") {
        None => 0,
        Some(text) => text.parse().ok().filter(|secs| *secs <= LONGEST_WAIT).ok_or_else(|| {
            Problem::bad_parameter("wait", format!("`wait` is a number of seconds from 0 to {LONGEST_WAIT}"), None)
        })?,
    };
    given.finish(&KNOWN)?;
    Ok(Asked { filter, from, limit, wait: Duration::from_secs(wait), rest })
}

fn cursor(position: i64) -> String {
    Parameters::cursor_of(CURSOR, &position.to_string())
}

/// A page as JSON; as a batch of CloudEvents the cursor is in the address of the next page.
fn shown(page: &FeedPage, rest: &str, batch: bool) -> Response {
    let events: Vec<String> = page.events.iter().map(|(_, event)| event.to_cloud_event()).collect();
    let (events, next) = (events.join(","), cursor(page.next));
    let separator = if rest.is_empty() { "" } else { "&" };
    let link = format!("</v1/events?{rest}{separator}cursor={next}>; rel=\"next\"");
    if batch {
        let headers = [(header::CONTENT_TYPE, "application/cloudevents-batch+json".to_owned()), (header::LINK, link)];
        return (headers, format!("[{events}]")).into_response();
    }
    let headers = [(header::CONTENT_TYPE, "application/json".to_owned()), (header::LINK, link)];
    let body = format!("{{\"data\":[{events}],\"next_cursor\":\"{next}\",\"has_more\":{}}}", page.more);
    (headers, body).into_response()
}

/// A reader of a stream.
struct Reading {
    api: Api,
    who: Principal,
    filter: FeedFilter,
    after: i64,
    ready: VecDeque<(i64, EventMessage)>,
    until: Instant,
    first: bool,
    _place: FeedPlace,
}

/// What a stream tells: events, and from time to time where its reader stands.
fn told(reading: Reading) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(reading, |mut reading| async move {
        if std::mem::take(&mut reading.first) {
            let first = Event::default().retry(Duration::from_secs(2)).id(cursor(reading.after));
            return Some((Ok(first), reading));
        }
        let next = next(&mut reading).await?;
        Some((Ok(next), reading))
    })
}

/// The next thing to tell; `None` ends the stream: its time is over, the hub stops, or the feed cannot be read.
async fn next(reading: &mut Reading) -> Option<Event> {
    loop {
        if let Some((position, event)) = reading.ready.pop_front() {
            let told = Event::default().id(cursor(position)).event(event.full_type());
            return Some(told.data(event.to_cloud_event()));
        }
        if Instant::now() >= reading.until {
            return None;
        }
        let end = reading.api.hub.feed_end(false).await.ok()?;
        let Reading { api, who, filter, after, .. } = &*reading;
        let page = api.hub.feed(who, &api.zone, filter, Some(*after), BATCH).await.ok()??;
        let moved = page.next > reading.after;
        reading.after = page.next;
        reading.ready.extend(page.events);
        if !reading.ready.is_empty() || page.more {
            continue;
        }
        if moved {
            // Nothing for this reader, who need not come by here again.
            return Some(Event::default().id(cursor(reading.after)));
        }
        let until = reading.until.min(Instant::now() + HEARTBEAT);
        if !reading.api.hub.feed_grows(end.max(reading.after), until).await.ok()? && reading.api.hub.is_draining() {
            return None;
        }
    }
}
