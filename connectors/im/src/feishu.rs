//! `driver: feishu`: callbacks of Feishu and Lark (飞书), sealed or clear, and how they answer calls.

use crate::answers::{Codes, code};
use crate::callback::{check_clock, is_lower_hex, read_message, receiver_ids, refusal, shown};
use crate::{driver_proves, hashed, made};
use async_trait::async_trait;
use hub_kit::call::{Answer, Verdict, exchange};
use hub_kit::manifest::ErrorVerdict;
use hub_kit::{
    CallContext, CallError, Connection, Driver, HookAnswer, InboundRequest, Manifest, Opened, Operation, Reply,
    WebhookError,
};
use hub_tree::jiff::Timestamp;
use hub_tree::{Arena, Findings, Value, json};
use subtle::ConstantTimeEq;

/// The driver.
#[derive(Debug, Default)]
pub struct Feishu;

/// Tokens that are wrong, expired or of another kind; too fast; busy.
const CODES: Codes = Codes {
    token: &["99991661", "99991663", "99991664", "99991665", "99991668", "99991671", "99991677"],
    wait: &["99991400", "11232", "230020"],
    retry: &["1395001"],
};

#[async_trait]
impl Driver for Feishu {
    fn name(&self) -> &'static str {
        "feishu"
    }

    fn check(&self, manifest: &Manifest, findings: &Findings) {
        driver_proves(manifest, findings);
    }

    fn check_connection(&self, connection: &Connection, findings: &Findings) {
        let (keys, tokens) = (connection.setting_list("encrypt_key"), connection.setting_list("verification_token"));
        for (name, values) in [("encrypt_key", &keys), ("verification_token", &tokens)] {
            if values.iter().any(String::is_empty) {
                let message = format!("`{name}` is empty");
                findings.error(&connection.source, connection.setting_span(name), message, None);
            }
        }
        if keys.is_empty() && !tokens.is_empty() {
            let help = "set an Encrypt Key in the vendor's console: without one, events are neither signed nor sealed";
            let message = "callbacks are proved by the verification token alone";
            let span = connection.setting_span("verification_token");
            findings.warning(&connection.source, span, message, Some(help.to_owned()));
        }
    }

    async fn call(&self, cx: &CallContext<'_>, operation: &Operation, args: &[u8]) -> Result<Reply, CallError> {
        exchange(cx, operation, args, self).await
    }

    fn read_answer(&self, answer: &Answer<'_>) -> Option<Verdict> {
        classify(answer)
    }

    fn make_webhook(&self, connection: &Connection, _: &[u8], now: Timestamp) -> Option<InboundRequest> {
        made::challenge(connection, now)
    }

    fn open_webhook(&self, connection: &Connection, request: &InboundRequest) -> Result<Opened, WebhookError> {
        if request.method != "POST" {
            return Err(WebhookError::Unsupported);
        }
        let secrets = Secrets::of(connection);
        let arena = Arena::new();
        let outer = read_message(&arena, &request.body)?;
        let sealed = outer.get("encrypt").as_text();
        let signed = match sealed {
            Some(_) => secrets.signed(connection, request),
            None => Err(refusal("encryption_required", "body: it is clear, but the app has an Encrypt Key")),
        };
        let text = match sealed {
            Some(sealed) if signed.is_ok() => secrets.open(sealed)?,
            // Only the check of the address goes unsigned.
            Some(sealed) => match secrets.open(sealed) {
                Ok(text) if is_check(&text) => text,
                opened => {
                    return Err(secrets.diagnose(signed.err().unwrap_or(WebhookError::Unsupported), opened.is_ok()));
                }
            },
            None if secrets.keys.is_empty() || is_check(&request.body) => request.body.clone(),
            None => return Err(signed.err().unwrap_or(WebhookError::Unsupported)),
        };
        let arena = Arena::new();
        let message = read_message(&arena, &text)?;
        secrets.check_token(message, sealed.is_some())?;
        if message.get("type").as_text() == Some(CHECK) {
            let challenge = message.get("challenge").as_text().unwrap_or_default();
            let answer = json::to_string(&arena.map(&[("challenge", Value::Text(challenge))]));
            return Ok(Opened::check(HookAnswer::json(answer.into_bytes())));
        }
        check_app(connection, message)?;
        Ok(Opened::kept(text.clone()).answered(HookAnswer::json(b"{}".to_vec())))
    }
}

/// The `type` of a check of the address.
const CHECK: &str = "url_verification";

fn is_check(text: &[u8]) -> bool {
    let arena = Arena::new();
    read_message(&arena, text).is_ok_and(|message| message.get("type").as_text() == Some(CHECK))
}

/// The secrets that open a connection's callbacks; several of each while one is changed for another.
struct Secrets {
    keys: Vec<String>,
    tokens: Vec<String>,
}

impl Secrets {
    fn of(connection: &Connection) -> Self {
        let list = |name| connection.setting_list(name).into_iter().filter(|text| !text.is_empty()).collect();
        Self { keys: list("encrypt_key"), tokens: list("verification_token") }
    }

    /// Checks signature and clock. Both stand in headers.
    fn signed(&self, connection: &Connection, request: &InboundRequest) -> Result<(), WebhookError> {
        let header = |name: &str| request.header(name).filter(|value| !value.is_empty());
        let signature = header("x-lark-signature").ok_or(WebhookError::MissingSignature)?;
        let timestamp = header("x-lark-request-timestamp").ok_or(WebhookError::TimestampMissing)?;
        let nonce = header("x-lark-request-nonce");
        let nonce = nonce.ok_or_else(|| refusal("nonce_missing", "nonce: the headers have none"))?;
        if self.keys.is_empty() {
            return Err(refusal("secret_missing", "encrypt key: the connection has no `encrypt_key`"));
        }
        if !is_lower_hex(signature, 64) {
            return Err(WebhookError::MalformedSignature);
        }
        let mut good = false;
        for key in &self.keys {
            let wanted = hex::encode(hashed::signature(key, timestamp, nonce, &request.body));
            good |= bool::from(wanted.as_bytes().ct_eq(signature.as_bytes()));
        }
        if !good {
            return Err(WebhookError::SignatureMismatch);
        }
        check_clock(timestamp, request, connection.max_skew_secs())
    }

    /// Opens sealed text with the first key that does. A wrong key may leave something that looks padded, but not JSON.
    fn open(&self, sealed: &str) -> Result<Vec<u8>, WebhookError> {
        let mut broken = refusal("bad_key", "encrypt key: the connection has no `encrypt_key`");
        for key in &self.keys {
            match hashed::open(key, sealed) {
                Ok(text) => match read_message(&Arena::new(), &text) {
                    Ok(_) => return Ok(text),
                    Err(error) => broken = error,
                },
                Err(fault @ hashed::Fault::Ciphertext) => {
                    broken = refusal(fault.reason(), "body: its sealed part is no base64 of whole blocks");
                }
                Err(fault) => {
                    let hint = "encrypt key: the body does not open with `encrypt_key`, or was sealed wrongly";
                    broken = refusal(fault.reason(), hint);
                }
            }
        }
        Err(broken)
    }

    /// What the cipher shows about a signature that does not fit.
    fn diagnose(&self, error: WebhookError, opened: bool) -> WebhookError {
        match (error, opened) {
            (WebhookError::SignatureMismatch, true) => refusal(
                "signature_mismatch",
                "timestamp, nonce or body: the body opens with `encrypt_key`, so timestamp, nonce or the bytes around \
                 the sealed part were changed on their way",
            ),
            (WebhookError::SignatureMismatch, false) => refusal(
                "signature_mismatch",
                "encrypt key: neither the signature fits nor does `encrypt_key` open the body; if only the body is \
                 wrong, it was changed on its way",
            ),
            (error, _) => error,
        }
    }

    /// The verification token: in the header of events of form 2.0, at the top of form 1.0 and of checks. Clear bodies
    /// have no other proof.
    fn check_token(&self, message: Value<'_>, sealed: bool) -> Result<(), WebhookError> {
        if self.tokens.is_empty() {
            let hint = "verification token: the connection has neither `verification_token` nor `encrypt_key`";
            return if sealed { Ok(()) } else { Err(refusal("secret_missing", hint)) };
        }
        let given = message.get("header").get("token").as_text().or_else(|| message.get("token").as_text());
        let given = given.unwrap_or_default().as_bytes();
        let mut good = false;
        for token in &self.tokens {
            good |= bool::from(token.as_bytes().ct_eq(given));
        }
        let hint = "verification token: the one in the body is not the setting `verification_token`";
        if good { Ok(()) } else { Err(refusal("bad_token", hint)) }
    }
}

/// The app that an event is for, where the connection says which: the key is the app's own already.
fn check_app(connection: &Connection, message: Value<'_>) -> Result<(), WebhookError> {
    let known = receiver_ids(connection, &[]);
    let given = message.get("header").get("app_id").as_text().or_else(|| message.get("event").get("app_id").as_text());
    match given {
        Some(given) if !known.is_empty() && !known.iter().any(|known| known == given) => {
            let hint = format!("receiver id: the event is for the app {}", shown(given.as_bytes()));
            Err(refusal("wrong_receiver", hint))
        }
        _ => Ok(()),
    }
}

/// Reads an answer: `code` 0 is good, whatever the status; other codes come with HTTP 200 and 4xx alike.
fn classify(answer: &Answer<'_>) -> Option<Verdict> {
    let code = code(answer.payload.get("code"))?;
    if code == "0" {
        return (200..=299).contains(&answer.status).then_some(Verdict::Good);
    }
    let verdict = match (answer.status, CODES.verdict(&code)) {
        (429, _) => ErrorVerdict::Wait,
        (500.., ErrorVerdict::Refused) => ErrorVerdict::Retry,
        (_, verdict) => verdict,
    };
    Some(Verdict::Bad(verdict, Some(code)))
}
