//! `driver: http`: JSON over HTTP, as most vendors speak it. Everything that tells one vendor from another is in its
//! manifest.

use async_trait::async_trait;
use hub_kit::call::exchange;
use hub_kit::{
    CallContext, CallError, Connection, Driver, InboundRequest, Manifest, Opened, Operation, Reply, WebhookError,
};
use hub_tree::jiff::Timestamp;
use hub_tree::{Findings, Span};

/// The driver.
#[derive(Debug, Default)]
pub struct Http;

#[async_trait]
impl Driver for Http {
    fn name(&self) -> &'static str {
        "http"
    }

    fn check(&self, manifest: &Manifest, findings: &Findings) {
        if manifest.egress.is_empty() && manifest.base_url.is_some() {
            let help = Some("list the hosts of `base_url` and of the token address".to_owned());
            findings.error(&manifest.source, Span::default(), "`egress` names no host that calls may reach", help);
        }
        if let Some(webhook) = manifest.webhook.as_ref().filter(|webhook| webhook.is_opened_by_driver()) {
            let message = "the driver `http` has no proof of its own: `verify` names a kind";
            findings.error(&manifest.source, webhook.span, message, None);
        }
    }

    async fn call(&self, cx: &CallContext<'_>, operation: &Operation, args: &[u8]) -> Result<Reply, CallError> {
        exchange(cx, operation, args, self).await
    }

    fn make_webhook(&self, connection: &Connection, body: &[u8], now: Timestamp) -> Option<InboundRequest> {
        connection.made_request(body, now)
    }

    fn open_webhook(&self, connection: &Connection, request: &InboundRequest) -> Result<Opened, WebhookError> {
        connection.open(request)
    }
}
