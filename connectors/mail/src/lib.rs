//! `driver: smtp`: mail over a relay of the customer's. The relay signs (DKIM) and delivers; what it has taken counts as
//! sent.
//!
//! The arguments of a call are the mail: `to`, `cc` and `bcc` (addresses, or objects of `address` and `name`),
//! `subject`, `text`, `html`, `reply_to`. The Message-ID is the call's id, the same for every try: a mail that went out
//! although its answer was lost goes out again under the same one, and can be recognised.

mod letter;
mod relay;

use async_trait::async_trait;
use hub_kit::tables::Looked;
use hub_kit::{
    CallContext, CallError, Connection, Driver, InboundRequest, Manifest, Opened, Operation, Reply, WebhookError,
};
use hub_tree::Findings;
use letter::letter;
use relay::{Relay, RelaySettings};

/// The driver.
#[derive(Debug, Default)]
pub struct Smtp;

#[async_trait]
impl Driver for Smtp {
    fn name(&self) -> &'static str {
        "smtp"
    }

    fn check(&self, manifest: &Manifest, findings: &Findings) {
        for operation in manifest.operations.iter().filter(|operation| !operation.mail) {
            let message = format!("`{}` sends no mail, and a relay can do nothing else", operation.name);
            findings.error(&manifest.source, operation.span, message, Some("say `mail: true`".to_owned()));
        }
    }

    fn check_connection(&self, connection: &Connection, findings: &Findings) {
        if let Err((name, reason)) = RelaySettings::of(connection) {
            findings.error(&connection.source, connection.setting_span(name), reason, None);
        }
    }

    async fn call(&self, cx: &CallContext<'_>, operation: &Operation, args: &[u8]) -> Result<Reply, CallError> {
        let build = |reason: String| CallError::Build { operation: operation.name.clone(), reason };
        let settings = RelaySettings::of(cx.connection).map_err(|(_, reason)| build(reason))?;
        let letter = letter(cx, &settings, args).map_err(build)?;
        let mut relay = Relay::open(cx, &settings).await?;
        relay.send(&letter).await?;
        relay.quit().await;
        // What a relay says is for its own people; under this id the mail is found there.
        let body = format!(r#"{{"message_id":"{}"}}"#, letter.id);
        Ok(Reply::new(0, body.into_bytes()))
    }

    async fn look(&self, cx: &CallContext<'_>) -> Vec<Looked> {
        relay::look(cx).await
    }

    fn open_webhook(&self, _: &Connection, _: &InboundRequest) -> Result<Opened, WebhookError> {
        Err(WebhookError::Unsupported)
    }
}
