//! Step 1: a vendor's request is verified, sealed and durable before the vendor gets its answer.

use crate::blobs;
use crate::hub::Hub;
use crate::payload::hook_value;
use crate::refusals::Proofs;
use hub_bus::{BusError, Message};
use hub_expr::Located;
use hub_kit::manifest::{HOOK_HEADERS, Webhook};
use hub_kit::{Connection, HookAnswer, InboundRequest, Opened, RawEnvelope, WebhookError};
use hub_telemetry::{context_of, within};
use hub_tree::{Arena, TraceContext, Value};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use tracing::Instrument;

/// A request that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The status to answer with.
    pub status: u16,
    /// The id of the payload; `None` when it was known already, or nothing is kept of it.
    pub raw_id: Option<String>,
    /// Whether it was only a check of the address.
    pub check: bool,
    /// The answer in the vendor's own form; the hub's usual one when there is none.
    pub answer: Option<HookAnswer>,
    /// The journey that it began, or joined.
    pub trace: TraceContext,
}

/// Why a request was not taken. What the vendor sees is the same for every reason of [`Refused::Unauthorized`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// There is no such connection, or it takes nothing in.
    NotFound,
    /// The media type is not one that the vendor uses.
    MediaType(Vec<String>),
    /// The proof is not good.
    Unauthorized,
    /// The bytes are not text in the encoding that was declared.
    Encoding,
    /// The body is too large.
    TooLarge(usize),
    /// Nothing can be accepted now.
    Unavailable(String),
}

impl Hub {
    /// Takes a request for a connection; when it returns `Ok`, the payload is durable.
    ///
    /// # Errors
    /// Why it was not taken. The reason behind [`Refused::Unauthorized`] is in the log and in the counters only.
    pub async fn receive(&self, connection_id: &str, request: InboundRequest) -> Result<Accepted, Refused> {
        let connection = self.connection(connection_id);
        let Some((connection, webhook)) =
            connection.as_ref().and_then(|known| Some((known, known.manifest.webhook.as_ref()?)))
        else {
            self.metrics.hook("unknown", "unknown_connection");
            return Err(Refused::NotFound);
        };
        let result = self.receive_for(connection, webhook, request).await;
        let counted = match &result {
            Ok(Accepted { check: true, .. }) => "address_check",
            Ok(Accepted { raw_id: Some(_), .. }) => "accepted",
            Ok(Accepted { raw_id: None, .. }) => "duplicate",
            Err(Refused::NotFound) => "unknown_connection",
            Err(Refused::MediaType(_)) => "media_type",
            Err(Refused::Unauthorized) => "unauthorized",
            Err(Refused::Encoding) => "encoding",
            Err(Refused::TooLarge(_)) => "too_large",
            Err(Refused::Unavailable(_)) => "unavailable",
        };
        self.metrics.hook(connection_id, counted);
        result
    }

    /// Whether a request proves itself to a connection. Nothing is kept of it.
    ///
    /// # Errors
    /// It does not, or the connection takes nothing in.
    pub fn believes(&self, connection: &Connection, request: &InboundRequest) -> Result<(), Refused> {
        let driver = self.driver(&connection.manifest.driver).ok_or(Refused::NotFound)?;
        let opened = driver.open_webhook(connection, request);
        opened.map(drop).map_err(|reason| self.refuse(connection, request, &reason))
    }

    /// Takes an event that came over a long connection of our own, where nobody else can speak; when it returns `Ok`,
    /// the event is durable.
    ///
    /// # Errors
    /// Why it was not taken.
    pub async fn receive_event(&self, connection: &Connection, body: Vec<u8>) -> Result<Accepted, Refused> {
        let webhook = connection.manifest.webhook.as_ref().ok_or(Refused::NotFound)?;
        let most = connection.max_body_bytes(self.max_body_bytes);
        if body.len() > most {
            self.metrics.hook(&connection.id, "too_large");
            return Err(Refused::TooLarge(most));
        }
        let now = self.clock.now();
        self.refusals.believed(&connection.id, now);
        let (query, headers) = (Vec::new(), Vec::new());
        let request = InboundRequest { method: "STREAM".to_owned(), query, headers, body, now };
        let result = self.keep(connection, webhook, request, TraceContext::begin(), None).await;
        let counted = match &result {
            Ok(Accepted { raw_id: Some(_), .. }) => "accepted",
            Ok(_) => "duplicate",
            Err(_) => "unavailable",
        };
        self.metrics.hook(&connection.id, counted);
        result
    }

    async fn receive_for(
        &self,
        connection: &Connection,
        webhook: &Webhook,
        request: InboundRequest,
    ) -> Result<Accepted, Refused> {
        let most = connection.max_body_bytes(self.max_body_bytes);
        if request.body.len() > most {
            return Err(Refused::TooLarge(most));
        }
        // A handshake proves nothing, and nothing is kept of it.
        if let Some(answer) = connection.handshake(&request) {
            let (answer, trace) = (Some(answer), TraceContext::begin());
            return Ok(Accepted { status: webhook.answer_status, raw_id: None, check: true, answer, trace });
        }
        check_media_type(webhook, &request)?;
        let driver = self.driver(&connection.manifest.driver).ok_or(Refused::NotFound)?;
        let opened = driver.open_webhook(connection, &request);
        let Opened { body, answer } = opened.map_err(|reason| self.refuse(connection, &request, &reason))?;
        self.refusals.believed(&connection.id, request.now);
        if body.as_ref().is_some_and(|body| std::str::from_utf8(body).is_err()) {
            return Err(Refused::Encoding);
        }
        // Only a vendor that has proved itself may say which journey its request belongs to.
        let parent = request.header("traceparent").and_then(|text| text.parse().ok());
        let context: TraceContext = parent.unwrap_or_else(TraceContext::begin);
        let status = webhook.answer_status;
        let Some(body) = body else {
            return Ok(Accepted { status, raw_id: None, check: true, answer, trace: context });
        };
        self.keep(connection, webhook, InboundRequest { body, ..request }, context, answer).await
    }

    /// Makes an opened body durable, unless it is a repetition.
    pub(crate) async fn keep(
        &self,
        connection: &Connection,
        webhook: &Webhook,
        request: InboundRequest,
        context: TraceContext,
        answer: Option<HookAnswer>,
    ) -> Result<Accepted, Refused> {
        let (status, most) = (webhook.answer_status, connection.max_body_bytes(self.max_body_bytes));
        let span = within(&context, tracing::info_span!("receive", connection.id = %connection.id));
        let envelope = RawEnvelope::of(&request, &webhook.keep_headers);
        let shortcut = shortcut_key(connection, webhook, &envelope);
        let horizon = webhook.retry_horizon_hours * 3_600_000_000;
        if self.recent.has(&shortcut, envelope.received_at - horizon) {
            return Ok(Accepted { status, raw_id: None, check: false, answer, trace: context });
        }
        let context = context_of(&span, &context);
        let raw_id = self.ids.next().to_string();
        let sealed = self.store.keyring().seal(&connection.tenant, &format!("raw:{raw_id}"), &envelope.encode());
        let sealed = sealed.map_err(|error| Refused::Unavailable(error.to_string()))?;
        let body = blobs::carried(self, &raw_id, &connection.tenant, sealed).await;
        let message = Message {
            id: raw_id.clone(),
            topic: format!("raw.{}", connection.id),
            tenant: connection.tenant.clone(),
            key: connection.id.clone(),
            trace: context.to_string(),
            body,
        };
        let published = self.bus.publish(vec![message]).instrument(span).await;
        published.map_err(|error| {
            tracing::error!(error = %error, connection.id = %connection.id, "a webhook cannot be accepted");
            match error {
                BusError::TooLarge(_) => Refused::TooLarge(most),
                other => Refused::Unavailable(other.to_string()),
            }
        })?;
        self.recent.add(&shortcut, envelope.received_at);
        Ok(Accepted { status, raw_id: Some(raw_id), check: false, answer, trace: context })
    }

    /// Notes why a request is not believed, for us; to the outside all reasons look alike.
    fn refuse(&self, connection: &Connection, request: &InboundRequest, error: &WebhookError) -> Refused {
        let hint = self.refusals.refused(&connection.id, request.now, error);
        tracing::warn!(connection.id = %connection.id, reason = %error, hint, "a webhook was refused");
        Refused::Unauthorized
    }

    /// What is known of the proofs that came to a connection since this process began.
    #[must_use]
    pub fn refusals(&self, connection: &str) -> Proofs {
        self.refusals.of(connection)
    }
}

/// Deliveries that were accepted a short while ago: a shortcut past the store for vendors that repeat themselves. It
/// holds hashes, so that ids of any length and number take little memory.
#[derive(Default)]
pub(crate) struct Recent(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// When each was accepted, µs.
    at: BTreeMap<[u8; 16], i64>,
    /// Oldest first.
    order: VecDeque<[u8; 16]>,
}

const RECENT: usize = 20_000;

impl Recent {
    /// Whether it was accepted after `since`, µs.
    pub(crate) fn has(&self, key: &str, since: i64) -> bool {
        let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.at.get(&short(key)).is_some_and(|at| *at > since)
    }

    /// Notes that it was accepted `at`, µs.
    pub(crate) fn add(&self, key: &str, at: i64) {
        let key = short(key);
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Known { at: known, order } = &mut *inner;
        if known.insert(key, at).is_none() {
            order.push_back(key);
        }
        if order.len() > RECENT
            && let Some(oldest) = order.pop_front()
        {
            known.remove(&oldest);
        }
    }
}

/// A hash that stands for a key.
fn short(key: &str) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&Sha256::digest(key.as_bytes())[..16]);
    half
}

/// The media type must be one that the manifest names, in UTF-8. A check of the address by GET has none.
fn check_media_type(webhook: &Webhook, request: &InboundRequest) -> Result<(), Refused> {
    if request.method == "GET" && request.body.is_empty() && webhook.is_opened_by_driver() {
        return Ok(());
    }
    let given = request.header("content-type").unwrap_or_default().to_ascii_lowercase();
    let mut parts = given.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let utf8 = parts
        .filter_map(|part| part.strip_prefix("charset="))
        .all(|charset| matches!(charset.trim_matches('"'), "utf-8" | "utf8" | "us-ascii"));
    let known = webhook.content_types.iter().any(|known| known == essence);
    if known && utf8 { Ok(()) } else { Err(Refused::MediaType(webhook.content_types.clone())) }
}

/// What tells a repetition without reading the body: the dedupe id when headers alone hold it, else a hash of the body.
fn shortcut_key(connection: &Connection, webhook: &Webhook, envelope: &RawEnvelope) -> String {
    let of_headers = |located: &Located| {
        let mut reads = located.expr.reads().iter().chain(located.expr.source());
        reads.all(|read| read.slot == HOOK_HEADERS)
    };
    let arena = Arena::new();
    let id = webhook.dedupe.as_ref().filter(|located| of_headers(located)).and_then(|located| {
        let headers = envelope.headers_value(&arena);
        let value = hook_value(connection, &arena, Value::Absent, headers, located).ok()?;
        value.scalar_text(&arena).filter(|text| !text.is_empty())
    });
    match id {
        Some(id) => format!("{}\0{id}", connection.id),
        None => format!("{}\0{}", connection.id, hex::encode(Sha256::digest(&envelope.body))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_many_ids_come_the_memory_is_that_of_a_few_thousand() {
        let recent = Recent::default();
        for number in 0..100_000 {
            recent.add(&format!("greenhouse-main\0{number}"), number);
        }
        let inner = recent.0.lock().unwrap();
        assert_eq!((inner.at.len(), inner.order.len()), (RECENT, RECENT));
        drop(inner);
        assert!(recent.has("greenhouse-main\u{0}99999", 0));
        assert!(!recent.has("greenhouse-main\u{0}99999", 99_999), "accepted too long ago");
        assert!(!recent.has("greenhouse-main\u{0}1", 0), "forgotten; the store knows it");
    }
}
