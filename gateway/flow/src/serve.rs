//! What others call at the hub: rows that they push are judged and kept, documents are kept, batches are told of.
//!
//! A connector's `serves` says what is offered; nothing here knows a wire. What is answered as accepted is in the store,
//! and is mapped like any payload. Edges and workers share nothing but the store: of several copies of a batch, whichever
//! edge they come to, one is the first.

mod judge;
mod keep;

use crate::hub::Hub;
use crate::receive::{Accepted, Refused};
use hub_expr::{Cx, Located};
use hub_kit::serves::{Does, Served};
use hub_kit::{Connection, InboundRequest};
use hub_store::{Push as Batch, StoreError, job};
use hub_tree::clock::rfc3339_micros;
use hub_tree::{Arena, Limits, TraceContext, Value, json};
use std::collections::BTreeMap;

/// The header of kept payloads that names the operation which they came by.
pub const OPERATION_HEADER: &str = "soap-operation";

/// A message that proved itself.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The content of its element, as JSON text.
    pub payload: Vec<u8>,
    /// The request around it; its body does not count.
    pub request: InboundRequest,
    /// The journey that it belongs to.
    pub trace: TraceContext,
}

/// Why something that was asked is not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServeFault {
    /// The message is at fault.
    Caller {
        /// A stable code.
        code: &'static str,
        /// What is wrong, and where.
        message: String,
    },
    /// The hub is; the same message may go through later.
    Unavailable,
    /// What the connector says does not fit the message; somebody must change it.
    Broken,
}

impl ServeFault {
    fn caller(code: &'static str, message: impl Into<String>) -> Self {
        Self::Caller { code, message: message.into() }
    }
}

impl From<StoreError> for ServeFault {
    fn from(error: StoreError) -> Self {
        tracing::error!(error = %error, "what was pushed cannot be kept");
        Self::Unavailable
    }
}

impl Hub {
    /// Does what was asked; when it returns `Ok`, what the answer says is durable. Gives the content of the answer's
    /// element, as JSON text.
    ///
    /// # Errors
    /// Why it was not done.
    pub async fn serve(&self, connection: &Connection, served: &Served, asked: Asked) -> Result<Vec<u8>, ServeFault> {
        check_message(connection, served, &asked.payload)?;
        let told = match &served.does {
            Does::Push(push) => self.push(connection, served, push, &asked).await?,
            Does::Status { batch } => self.status(connection, batch, &asked).await?,
            Does::Keep => {
                self.keep_document(connection, served, &asked).await?;
                "null".to_owned()
            }
        };
        answer(connection, served, &asked.payload, &told)
    }

    async fn keep_document(&self, connection: &Connection, served: &Served, asked: &Asked) -> Result<(), ServeFault> {
        let webhook = connection.manifest.webhook.as_ref().ok_or_else(|| {
            tracing::error!(connection.id = %connection.id, "what is served needs `webhook`, which says how it is mapped");
            ServeFault::Broken
        })?;
        let mut request = InboundRequest { body: asked.payload.clone(), ..asked.request.clone() };
        request.headers.retain(|(name, _)| name != OPERATION_HEADER);
        request.headers.push((OPERATION_HEADER.to_owned(), served.name.clone()));
        match self.keep(connection, webhook, request, asked.trace, None).await {
            Ok(Accepted { .. }) => Ok(()),
            Err(Refused::TooLarge(most)) => {
                Err(ServeFault::caller("TOO_LARGE", format!("the message is longer than {most} bytes")))
            }
            Err(_) => Err(ServeFault::Unavailable),
        }
    }

    /// What became of a batch.
    async fn status(&self, connection: &Connection, batch: &Located, asked: &Asked) -> Result<String, ServeFault> {
        let batch = {
            let arena = Arena::new();
            let payload = read(&arena, &asked.payload);
            value(connection, &arena, batch, &[payload])?.scalar_text(&arena).map(|text| text.trim().to_owned())
        };
        let batch = batch.filter(|batch| !batch.is_empty());
        let batch = batch.ok_or_else(|| ServeFault::caller("BATCH_UNKNOWN", "the message names no batch"))?;
        let (tenant, id, name) = (connection.tenant.clone(), connection.id.clone(), batch.clone());
        let found = self.store.read(job!(|tx| { tx.pushed(&tenant, &id, &name).await })).await?;
        let Some((push, states)) = found else {
            return Err(ServeFault::caller("BATCH_UNKNOWN", "there is no batch of this name"));
        };
        let arena = Arena::new();
        let told = arena.map(&[
            ("batch", Value::Text(&push.batch)),
            ("source", Value::Text(&push.source)),
            ("state", Value::Text(state_of(&push, &states))),
            ("accepted", Value::Decimal(push.accepted.into())),
            ("rejected", Value::Decimal(push.rejected.into())),
            ("received_at", Value::Text(arena.text(&rfc3339_micros(push.received_at)))),
        ]);
        Ok(json::to_string(&told))
    }
}

/// Where a batch stands, by the states of its payloads.
fn state_of(push: &Batch, states: &BTreeMap<String, i64>) -> &'static str {
    let count = |state: &str| states.get(state).copied().unwrap_or(0);
    let all: i64 = states.values().sum();
    match (count("new"), count("parked")) {
        (waiting, _) if waiting > 0 && waiting == all => "RECEIVED",
        (waiting, _) if waiting > 0 => "PROCESSING",
        (_, parked) if parked > 0 => "FAILED",
        _ if push.accepted > 0 || push.rejected > 0 => "DONE",
        _ => "RECEIVED",
    }
}

/// The message as a whole must be of its type; rows are judged by themselves.
fn check_message(connection: &Connection, served: &Served, payload: &[u8]) -> Result<(), ServeFault> {
    let Some(message) = &served.message else { return Ok(()) };
    let arena = Arena::new();
    let tree = read(&arena, payload);
    let rows = match &served.does {
        Does::Push(push) => Some(push.rows.as_str()),
        Does::Keep | Does::Status { .. } => None,
    };
    let flaws = connection.manifest.types.judge_without(message, &tree, rows);
    match flaws.first() {
        Some(flaw) => Err(ServeFault::caller("INVALID_MESSAGE", format!("{}: {}", flaw.path, flaw.message))),
        None => Ok(()),
    }
}

fn read<'a>(arena: &'a Arena, payload: &'a [u8]) -> Value<'a> {
    json::read(arena, payload, Limits { max_depth: 200, ..Limits::default() }).unwrap_or_default()
}

/// An expression of the manifest over settings and what follows them.
fn value<'a>(
    connection: &Connection,
    arena: &'a Arena,
    located: &'a Located,
    slots: &[Value<'a>],
) -> Result<Value<'a>, ServeFault> {
    let mut all = vec![connection.settings(arena)];
    all.extend_from_slice(slots);
    located.expr.eval(&mut Cx::new(arena, all)).map_err(|error| {
        let place = connection.manifest.place(located.span);
        tracing::error!(connection.id = %connection.id, place, error = %error.message, "an expression fails on a message");
        ServeFault::Broken
    })
}

/// What the manifest answers.
fn answer(connection: &Connection, served: &Served, payload: &[u8], told: &str) -> Result<Vec<u8>, ServeFault> {
    let Some(located) = &served.answer else { return Ok(b"{}".to_vec()) };
    let arena = Arena::new();
    let slots = [read(&arena, payload), read(&arena, told.as_bytes())];
    Ok(json::to_string(&value(connection, &arena, located, &slots)?).into_bytes())
}
