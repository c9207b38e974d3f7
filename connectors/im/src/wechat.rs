//! `driver: wechat-oa`: callbacks of WeChat Official Accounts (公众号) in their three modes, and how it answers calls.

use crate::answers::{Codes, by_errcode};
use crate::callback::{
    Lock, Proof, check_clock, check_message, check_settings, parameter, refusal, sealed_part, success,
};
use crate::{driver_proves, made};
use async_trait::async_trait;
use hub_kit::call::{Answer, Verdict, exchange};
use hub_kit::{
    CallContext, CallError, Connection, Driver, HookAnswer, InboundRequest, Manifest, Opened, Operation, Reply,
    WebhookError,
};
use hub_tree::Findings;
use hub_tree::jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// The driver.
#[derive(Debug, Default)]
pub struct WechatOa {
    queries: Queries,
}

/// Whom callbacks are for, unless `receiver_id` says it.
const RECEIVERS: &[&str] = &["app_id"];

/// A token that is wrong or superseded; too fast.
const CODES: Codes = Codes { token: &["40001", "40014", "42001"], wait: &["45011"], retry: &["-1"] };

/// How an account is set.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Clear bodies, whose signature does not cover them.
    Plain,
    /// Clear fields beside a sealed part; only that one counts.
    Compat,
    /// Sealed bodies only.
    Secure,
}

impl Mode {
    /// What the setting `mode` says; without it, who has a key wants sealed bodies. `None` when it says something else.
    fn of(connection: &Connection) -> Option<Self> {
        match connection.setting("mode").as_deref() {
            None if connection.setting("encoding_aes_key").is_some() => Some(Self::Secure),
            None | Some("plain") => Some(Self::Plain),
            Some("compat") => Some(Self::Compat),
            Some("secure") => Some(Self::Secure),
            Some(_) => None,
        }
    }
}

#[async_trait]
impl Driver for WechatOa {
    fn name(&self) -> &'static str {
        "wechat-oa"
    }

    fn check(&self, manifest: &Manifest, findings: &Findings) {
        driver_proves(manifest, findings);
    }

    fn check_connection(&self, connection: &Connection, findings: &Findings) {
        let mode = Mode::of(connection);
        if mode.is_none() {
            let message = "`mode` is plain, compat or secure, as the account is set";
            findings.error(&connection.source, connection.setting_span("mode"), message, None);
        }
        check_settings(connection, RECEIVERS, mode != Some(Mode::Plain), findings);
    }

    async fn call(&self, cx: &CallContext<'_>, operation: &Operation, args: &[u8]) -> Result<Reply, CallError> {
        exchange(cx, operation, args, self).await
    }

    fn read_answer(&self, answer: &Answer<'_>) -> Option<Verdict> {
        by_errcode(answer, &CODES)
    }

    fn make_webhook(&self, connection: &Connection, body: &[u8], now: Timestamp) -> Option<InboundRequest> {
        if Mode::of(connection) == Some(Mode::Plain) {
            return made::clear(connection, body, now);
        }
        made::enveloped(connection, RECEIVERS, body, now)
    }

    fn open_webhook(&self, connection: &Connection, request: &InboundRequest) -> Result<Opened, WebhookError> {
        let lock = Lock::of(connection, RECEIVERS);
        if request.method == "GET" {
            clear_proof(&lock, connection, request)?;
            let echo = parameter(request, "echostr").ok_or(WebhookError::Unsupported)?;
            return Ok(Opened::check(HookAnswer::text(echo.as_bytes().to_vec())));
        }
        let clear = matches!(parameter(request, "encrypt_type"), None | Some("raw"));
        if !clear || parameter(request, "msg_signature").is_some() {
            let proof = Proof::of(request, &["msg_signature"]);
            let opened = lock.open(&proof, &sealed_part(&request.body)?, request)?;
            check_message(&opened.text)?;
            return Ok(Opened::kept(opened.text).answered(success()));
        }
        // With an old query string, a clear body could say anything: only an account that is set so gets to send one.
        if Mode::of(connection) != Some(Mode::Plain) {
            let hint = "body: it is clear, but the account is set to encrypted (setting `mode`)";
            return Err(refusal("encryption_required", hint));
        }
        let proof = clear_proof(&lock, connection, request)?;
        self.queries.check(connection, &proof, request)?;
        check_message(&request.body)?;
        self.queries.note(connection, &proof, request);
        Ok(Opened::kept(request.body.clone()).answered(success()))
    }
}

/// Checks the signature over token, timestamp and nonce.
fn clear_proof<'r>(
    lock: &Lock,
    connection: &Connection,
    request: &'r InboundRequest,
) -> Result<Proof<'r>, WebhookError> {
    let proof = Proof::of(request, &["signature"]);
    lock.token_of(&proof, None).map_err(|error| match error {
        WebhookError::SignatureMismatch => {
            let hint = "token: it is not the vendor's, or timestamp or nonce were changed on their way (nothing else \
                        is signed here)";
            refusal("signature_mismatch", hint)
        }
        other => other,
    })?;
    check_clock(proof.timestamp.unwrap_or_default(), request, connection.max_skew_secs())?;
    Ok(proof)
}

/// Queries that came with clear bodies: the signature does not cover those, so a query that comes again with another
/// body is a forgery. In the memory of this process, as long as the clock rule would let a query in.
#[derive(Debug, Default)]
struct Queries(Mutex<BTreeMap<[u8; 32], Used>>);

#[derive(Debug)]
struct Used {
    body: [u8; 32],
    /// When it is forgotten, s.
    until: i64,
}

/// Queries that are remembered at once; with more in one window, the ones that end first go.
const MOST: usize = 50_000;

impl Queries {
    fn check(&self, connection: &Connection, proof: &Proof<'_>, request: &InboundRequest) -> Result<(), WebhookError> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match known.get(&key_of(connection, proof)) {
            Some(used) if used.body[..] != Sha256::digest(&request.body)[..] => {
                Err(refusal("replayed", "nonce: this query came before with another body"))
            }
            _ => Ok(()),
        }
    }

    fn note(&self, connection: &Connection, proof: &Proof<'_>, request: &InboundRequest) {
        let now = request.now.as_second();
        // The time of a query may lie as far ahead as behind.
        let until = now.saturating_add(connection.max_skew_secs().saturating_mul(2));
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.retain(|_, used| used.until > now);
        }
        if known.len() >= MOST {
            let first = known.iter().min_by_key(|(_, used)| used.until).map(|(key, _)| *key);
            first.into_iter().for_each(|key| _ = known.remove(&key));
        }
        known.insert(key_of(connection, proof), Used { body: Sha256::digest(&request.body).into(), until });
    }
}

fn key_of(connection: &Connection, proof: &Proof<'_>) -> [u8; 32] {
    let mut digest = Sha256::new();
    for part in [Some(connection.id.as_str()), proof.timestamp, proof.nonce] {
        digest.update(part.unwrap_or_default().as_bytes());
        digest.update([0]);
    }
    digest.finalize().into()
}
