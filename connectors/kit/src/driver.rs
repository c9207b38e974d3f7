//! What speaks a wire.

use crate::auth::Tokens;
use crate::call::{Answer, Verdict};
use crate::client::{Arrived, Client, Request, Response, SendError};
use crate::connection::Connection;
use crate::failure::CallError;
use crate::hook::Opened;
use crate::inbound::InboundRequest;
use crate::manifest::{Manifest, Operation, RequestTemplate};
use crate::parts::{self, Spool};
use crate::stream::Frame;
use crate::tables::{Looked, Tables};
use crate::verify::WebhookError;
use async_trait::async_trait;
use hub_tree::jiff::Timestamp;
use hub_tree::{Clock, Findings, TraceContext};
use std::time::Duration;
use tokio::time::Instant;

/// Speaks one protocol for every vendor that uses it. Knows wires, not HR.
#[async_trait]
pub trait Driver: Send + Sync {
    /// The word in `driver: http`.
    fn name(&self) -> &'static str;

    /// Adds all that is wrong with a manifest for this wire to `findings`.
    fn check(&self, manifest: &Manifest, findings: &Findings);

    /// Puts a request that is filled in onto the wire, as the last step before it is sent: gives the body the wire's
    /// form, adds what each message has of its own.
    ///
    /// # Errors
    /// The wire cannot hold the body.
    fn write_request(
        &self,
        _: &CallContext<'_>,
        _: &Operation,
        _: &RequestTemplate,
        _: &mut Request,
    ) -> Result<(), CallError> {
        Ok(())
    }

    /// Makes JSON text of an answer's body, so that all that follows sees one form.
    ///
    /// # Errors
    /// The body is not what the request's `answer` says, and where; without its words.
    fn read_response(&self, _: &Connection, template: &RequestTemplate, response: &mut Response) -> Result<(), String> {
        template.answer.read(&mut response.body)
    }

    /// The elements that lead from the root of an answer's document to its payload; `*` is any name.
    fn way_to_payload(&self, _: &RequestTemplate) -> &'static [&'static str] {
        &["*"]
    }

    /// Makes one call: arguments are JSON text, and so is the reply's body.
    async fn call(&self, cx: &CallContext<'_>, operation: &Operation, args: &[u8]) -> Result<Reply, CallError>;

    /// The wire's own reading of an answer, where its status does not say it all. The manifest's rules come before it.
    fn read_answer(&self, _: &Answer<'_>) -> Option<Verdict> {
        None
    }

    /// Whether it reads frames of long connections.
    fn takes_frames(&self) -> bool {
        false
    }

    /// What a frame of the vendor's long connection says.
    fn read_frame(&self, _frame: &str) -> Frame {
        Frame::Nothing
    }

    /// The answer to an event that came in a frame: whether it is durable, or is to come again.
    fn answer_frame(&self, _id: &str, _taken: bool) -> String {
        String::new()
    }

    /// What it does for tables of databases, if that is its wire.
    fn tables(&self) -> Option<&dyn Tables> {
        None
    }

    /// Looks at what a connection needs and no request of the manifest shows; it changes nothing.
    async fn look(&self, _: &CallContext<'_>) -> Vec<Looked> {
        Vec::new()
    }

    /// A request as the vendor would make it, for finding out whether a connection's own settings fit together; `None`
    /// when they do not, or when the vendor sends nothing.
    fn make_webhook(&self, _connection: &Connection, _body: &[u8], _now: Timestamp) -> Option<InboundRequest> {
        None
    }

    /// Adds all that is wrong with a connection for this wire to `findings`.
    fn check_connection(&self, _: &Connection, _: &Findings) {}

    /// Verifies before anything is parsed, and gives the body as plain bytes with the answer that the vendor waits for.
    fn open_webhook(&self, connection: &Connection, request: &InboundRequest) -> Result<Opened, WebhookError>;
}

/// What a call needs.
#[derive(Clone, Copy)]
pub struct CallContext<'c> {
    /// Whom to call.
    pub connection: &'c Connection,
    /// The way out.
    pub client: &'c Client,
    /// The vendors' tokens.
    pub tokens: &'c Tokens,
    /// The journey that the call belongs to.
    pub trace: TraceContext,
    /// The call's id; the same for every try.
    pub call_id: &'c str,
    /// What the attempt may still do.
    pub leave: Leave<'c>,
    /// Whether whoever calls reads answers part by part that are too large for memory.
    pub spools: bool,
    /// The clock, for vendors that name an instant.
    pub clock: &'c Clock,
}

impl CallContext<'_> {
    /// Sends a request of this attempt, as far as its leave goes.
    ///
    /// # Errors
    /// What may have arrived, and why there is no answer.
    pub async fn send(&self, request: Request) -> Result<Response, SendError> {
        self.leave.send(&self.client.of(self.connection)?, request, &self.connection.egress).await
    }

    /// As [`CallContext::send`], for an answer that may be too large for memory.
    ///
    /// # Errors
    /// What may have arrived, and why there is no answer.
    pub(crate) async fn send_spooling(&self, request: Request) -> Result<Arrived, SendError> {
        let left = self.leave.left()?;
        self.client.of(self.connection)?.send_spooling(request, &self.connection.egress, left, parts::IN_MEMORY).await
    }
}

/// What an attempt may still do: all its requests share one time, and nothing is sent once another worker may have
/// the call.
#[derive(Clone, Copy)]
pub struct Leave<'c> {
    /// When the attempt ends.
    pub until: Instant,
    /// Whether the call is still this worker's.
    pub held: &'c (dyn Fn() -> bool + Send + Sync),
}

impl Leave<'_> {
    /// Sends a request with the time that is left; nothing is sent without time, or once the claim is lost.
    ///
    /// # Errors
    /// What may have arrived, and why there is no answer.
    pub async fn send(&self, client: &Client, request: Request, egress: &[String]) -> Result<Response, SendError> {
        client.send_within(request, egress, self.left()?).await
    }

    /// The time that is left.
    fn left(&self) -> Result<Duration, SendError> {
        if (self.held)() { Ok(self.until.saturating_duration_since(Instant::now())) } else { Err(SendError::ClaimLost) }
    }
}

/// What a vendor answered to a call that succeeded.
#[derive(Clone, Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// The body: JSON, or empty.
    pub body: Vec<u8>,
    /// The records of the answer, if they were too many to be read at once; `body` is what is beside them.
    pub spool: Option<Spool>,
    /// Whether it is the answer of a look-up that found the call carried out, and not the call's own.
    pub looked_up: bool,
}

impl Reply {
    /// An answer of the call itself, read at once.
    #[must_use]
    pub const fn new(status: u16, body: Vec<u8>) -> Self {
        Self { status, body, spool: None, looked_up: false }
    }
}
