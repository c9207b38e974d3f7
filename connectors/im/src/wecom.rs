//! `driver: wecom`: callbacks of WeCom (企业微信) in the shared envelope, and how it answers calls.

use crate::answers::{Codes, by_errcode};
use crate::callback::{Lock, Proof, check_message, check_settings, parameter, sealed_part, success};
use crate::{driver_proves, made};
use async_trait::async_trait;
use hub_kit::call::{Answer, Verdict, exchange};
use hub_kit::{
    CallContext, CallError, Connection, Driver, HookAnswer, InboundRequest, Manifest, Opened, Operation, Reply,
    WebhookError,
};
use hub_tree::Findings;
use hub_tree::jiff::Timestamp;

/// The driver.
#[derive(Debug, Default)]
pub struct Wecom;

/// Whom callbacks are for, unless `receiver_id` says more: suites and customers of third-party apps stand there.
const RECEIVERS: &[&str] = &["corp_id"];

/// A token is refused; too fast, by minute or by frequency. 40001 is a wrong secret here, never an old token.
const CODES: Codes = Codes { token: &["40014", "42001", "41001"], wait: &["45009", "45033"], retry: &["-1"] };

#[async_trait]
impl Driver for Wecom {
    fn name(&self) -> &'static str {
        "wecom"
    }

    fn check(&self, manifest: &Manifest, findings: &Findings) {
        driver_proves(manifest, findings);
    }

    fn check_connection(&self, connection: &Connection, findings: &Findings) {
        check_settings(connection, RECEIVERS, true, findings);
    }

    async fn call(&self, cx: &CallContext<'_>, operation: &Operation, args: &[u8]) -> Result<Reply, CallError> {
        exchange(cx, operation, args, self).await
    }

    fn read_answer(&self, answer: &Answer<'_>) -> Option<Verdict> {
        by_errcode(answer, &CODES)
    }

    fn make_webhook(&self, connection: &Connection, body: &[u8], now: Timestamp) -> Option<InboundRequest> {
        made::enveloped(connection, RECEIVERS, body, now)
    }

    fn open_webhook(&self, connection: &Connection, request: &InboundRequest) -> Result<Opened, WebhookError> {
        let lock = Lock::of(connection, RECEIVERS);
        let proof = Proof::of(request, &["msg_signature"]);
        if request.method == "GET" {
            // A platform that sends `+` as it is meets readers that take it for a space.
            let sealed = parameter(request, "echostr").ok_or(WebhookError::Unsupported)?.replace(' ', "+");
            let opened = lock.open(&proof, &sealed, request)?;
            return Ok(Opened::check(HookAnswer::text(opened.text)));
        }
        let opened = lock.open(&proof, &sealed_part(&request.body)?, request)?;
        check_message(&opened.text)?;
        Ok(Opened::kept(opened.text).answered(success()))
    }
}
