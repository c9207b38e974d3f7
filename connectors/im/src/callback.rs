//! What callbacks in the shared envelope have in common: secrets of a connection, the order of the checks, the clock, and
//! what a refusal says about the part that is wrong.
//!
//! A bad signature alone does not tell a wrong token from a changed body, so the cipher is tried all the same: what it
//! shows goes into the hint, never to the outside.

use crate::envelope::{self, AesKey, KEY_LENGTH, Message};
use hub_kit::hook::{is_xml, read_opened};
use hub_kit::{Connection, HookAnswer, InboundRequest, WebhookError};
use hub_tree::{Arena, Findings, Value, random};
use subtle::ConstantTimeEq;

/// A refusal with a stable word and what a person should look at.
pub(crate) fn refusal(reason: &'static str, hint: impl Into<String>) -> WebhookError {
    WebhookError::Wire { reason, hint: hint.into(), proved: None }
}

/// The parameters of a query that prove a request.
pub(crate) struct Proof<'r> {
    pub(crate) signature: Option<&'r str>,
    pub(crate) timestamp: Option<&'r str>,
    pub(crate) nonce: Option<&'r str>,
}

impl<'r> Proof<'r> {
    /// Reads the parameters; the signature has the first of these names that is there.
    pub(crate) fn of(request: &'r InboundRequest, signature: &[&str]) -> Self {
        Self {
            signature: signature.iter().find_map(|name| parameter(request, name)),
            timestamp: parameter(request, "timestamp").or_else(|| parameter(request, "timeStamp")),
            nonce: parameter(request, "nonce"),
        }
    }
}

/// A parameter of the query that is not empty.
pub(crate) fn parameter<'r>(request: &'r InboundRequest, name: &str) -> Option<&'r str> {
    let found = request.query.iter().find(|(known, _)| known == name);
    found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
}

/// The secrets that open a connection's callbacks; several of each while one is changed for another.
pub(crate) struct Lock {
    pub(crate) tokens: Vec<String>,
    pub(crate) keys: Vec<AesKey>,
    pub(crate) receivers: Vec<String>,
    skew_secs: i64,
}

/// An envelope that opened, and with what.
pub(crate) struct Unlocked {
    /// The message.
    pub(crate) text: Vec<u8>,
    /// Its receiver's id.
    pub(crate) receiver: String,
    /// The key that opened it.
    pub(crate) key: AesKey,
    /// The token that signed it.
    pub(crate) token: String,
}

impl Lock {
    /// The secrets of a connection. Without `receiver_id`, the settings in `receivers` name whom callbacks may be for.
    pub(crate) fn of(connection: &Connection, receivers: &[&str]) -> Self {
        let keys = connection.setting_list("encoding_aes_key");
        let tokens = connection.setting_list("token").into_iter().filter(|token| !token.is_empty()).collect();
        Self {
            tokens,
            keys: keys.iter().filter_map(|text| AesKey::read(text)).collect(),
            receivers: receiver_ids(connection, receivers),
            skew_secs: connection.max_skew_secs(),
        }
    }

    /// Opens sealed text: signature, clock, cipher, receiver, in this order.
    pub(crate) fn open(
        &self,
        proof: &Proof<'_>,
        sealed: &str,
        request: &InboundRequest,
    ) -> Result<Unlocked, WebhookError> {
        if self.keys.is_empty() {
            return Err(refusal("bad_key", "AES key: the connection has no usable `encoding_aes_key`"));
        }
        let token = match self.token_of(proof, Some(sealed)) {
            Err(WebhookError::SignatureMismatch) => return Err(self.diagnose(proof, sealed, request)),
            other => other?,
        };
        check_clock(proof.timestamp.unwrap_or_default(), request, self.skew_secs)?;
        let mut fault = None;
        for key in &self.keys {
            match envelope::open(key, sealed) {
                Ok(Message { text, receiver }) => {
                    let Some(receiver) = self.receiver(&receiver) else { return Err(foreign(&receiver)) };
                    return Ok(Unlocked { text, receiver: receiver.to_owned(), key: key.clone(), token });
                }
                // What the key that fits says is worth more than what another says.
                Err(found) if fault.is_none_or(|last: envelope::Fault| !last.key_fits()) => fault = Some(found),
                Err(_) => {}
            }
        }
        let fault = fault.unwrap_or(envelope::Fault::Ciphertext);
        Err(refusal(
            fault.reason(),
            match fault {
                envelope::Fault::Ciphertext => {
                    "body: its sealed part is no base64 of whole blocks; it was cut before it was signed"
                }
                fault if fault.key_fits() => "body: the AES key fits, but the end of the sealed part is broken",
                _ => "AES key: the signature fits, but the body does not open with `encoding_aes_key`",
            },
        ))
    }

    /// The token that made a signature over timestamp, nonce and, if there is one, the sealed text.
    pub(crate) fn token_of(&self, proof: &Proof<'_>, sealed: Option<&str>) -> Result<String, WebhookError> {
        let signature = proof.signature.ok_or(WebhookError::MissingSignature)?;
        let timestamp = proof.timestamp.ok_or(WebhookError::TimestampMissing)?;
        let nonce = proof.nonce.ok_or_else(|| refusal("nonce_missing", "nonce: the query has none"))?;
        if self.tokens.is_empty() {
            return Err(refusal("secret_missing", "token: the connection has none"));
        }
        if !is_lower_hex(signature, 40) {
            return Err(WebhookError::MalformedSignature);
        }
        let mut good = None;
        for token in &self.tokens {
            let parts = [token.as_str(), timestamp, nonce, sealed.unwrap_or_default()];
            let wanted = hex::encode(envelope::signature(&parts));
            if bool::from(wanted.as_bytes().ct_eq(signature.as_bytes())) {
                good = Some(token.clone());
            }
        }
        good.ok_or(WebhookError::SignatureMismatch)
    }

    /// What the cipher shows about a signature that does not fit.
    fn diagnose(&self, proof: &Proof<'_>, sealed: &str, request: &InboundRequest) -> WebhookError {
        let mut body = false;
        for key in &self.keys {
            match envelope::open(key, sealed) {
                Ok(Message { receiver, .. }) if self.receiver(&receiver).is_none() => {
                    let hint = format!(
                        "token and receiver id: the body opens with the AES key and names the receiver {}, which is \
                         not the connection's; it seems to be another app's callback",
                        shown(&receiver)
                    );
                    return refusal("signature_mismatch", hint);
                }
                Ok(_) => return self.query_refusal(proof, request),
                Err(fault) => body |= fault.key_fits() || fault == envelope::Fault::Ciphertext,
            }
        }
        refusal(
            "signature_mismatch",
            if body {
                "body: its sealed part was cut or changed on its way"
            } else {
                "AES key: neither the signature fits nor does `encoding_aes_key` open the body; if only the body is \
                 wrong, it was changed on its way"
            },
        )
    }

    /// The body is right, so the token or the query is not; if the token has fitted before, it is the query.
    fn query_refusal(&self, proof: &Proof<'_>, request: &InboundRequest) -> WebhookError {
        let late = check_clock(proof.timestamp.unwrap_or_default(), request, self.skew_secs).is_err();
        let (hint, proved) = if late {
            (
                "timestamp or token: the body opens with the AES key, and the timestamp of the query is far from now; \
                 either it was changed on its way, or `token` is not the vendor's",
                "timestamp: the token fitted earlier requests and the body opens, but the timestamp of the query is \
                 far from now: it was changed on its way",
            )
        } else {
            (
                "token: the body opens with the AES key and names the right receiver, so `token` is not the vendor's \
                 (or nonce or timestamp were changed on their way)",
                "nonce or timestamp: the token fitted earlier requests and the body opens, so the query was changed \
                 on its way",
            )
        };
        WebhookError::Wire { reason: "signature_mismatch", hint: hint.to_owned(), proved: Some(proved.to_owned()) }
    }

    /// The connection's receiver id that equals a tail, byte for byte.
    fn receiver(&self, tail: &[u8]) -> Option<&str> {
        self.receivers.iter().find(|known| bool::from(known.as_bytes().ct_eq(tail))).map(String::as_str)
    }
}

/// Whom callbacks may be for: `receiver_id`, or else what the other settings say.
pub(crate) fn receiver_ids(connection: &Connection, others: &[&str]) -> Vec<String> {
    let own = connection.setting_list("receiver_id");
    if own.is_empty() { others.iter().flat_map(|name| connection.setting_list(name)).collect() } else { own }
}

fn foreign(receiver: &[u8]) -> WebhookError {
    let hint = format!(
        "receiver id: the message names {}; if that is this app, put it into the setting `receiver_id`",
        shown(receiver)
    );
    refusal("wrong_receiver", hint)
}

/// An id for people: ids are no secrets, but what is no id is not shown.
pub(crate) fn shown(id: &[u8]) -> String {
    let good = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    match std::str::from_utf8(id) {
        Ok("") => "nobody (an empty id)".to_owned(),
        Ok(text) if id.len() <= 64 && id.iter().all(good) => format!("`{text}`"),
        _ => format!("something that is no id ({} bytes)", id.len()),
    }
}

/// Refuses a time that is no number or too far from ours. Ten digits are seconds, thirteen milliseconds, told by size.
pub(crate) fn check_clock(timestamp: &str, request: &InboundRequest, skew_secs: i64) -> Result<(), WebhookError> {
    if timestamp.is_empty() || !timestamp.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(WebhookError::TimestampMissing);
    }
    let number: i64 = timestamp.parse().map_err(|_| WebhookError::TimestampMissing)?;
    let millis = if number > 100_000_000_000 { number } else { number.saturating_mul(1000) };
    let apart = request.now.as_millisecond().abs_diff(millis);
    if apart > skew_secs.unsigned_abs().saturating_mul(1000) {
        return Err(WebhookError::TimestampOutOfTolerance);
    }
    Ok(())
}

/// The sealed part of an outer body, JSON or XML. Nothing else of that body is signed, so nothing else is read.
pub(crate) fn sealed_part(body: &[u8]) -> Result<String, WebhookError> {
    let arena = Arena::new();
    let outer = read_message(&arena, body)?;
    let found = ["encrypt", "Encrypt"].iter().find_map(|name| outer.get(name).as_text());
    found.map(|text| text.trim().to_owned()).ok_or_else(|| {
        refusal("encryption_required", "body: it has no sealed part; the callback is not set to encrypted")
    })
}

/// Reads a message as the payload that it will be.
pub(crate) fn read_message<'a>(arena: &'a Arena, text: &'a [u8]) -> Result<Value<'a>, WebhookError> {
    let reason = if is_xml(text) { "bad_xml" } else { "bad_json" };
    let unreadable = |what: String| refusal(reason, format!("body: {what}"));
    let value = read_opened(arena, text).map_err(|error| unreadable(format!("it cannot be read: {error}")))?;
    match value {
        Value::Map(_) => Ok(value),
        _ => Err(unreadable("it is no object of fields".to_owned())),
    }
}

/// A message must be text that can be read; what it says does not count here.
pub(crate) fn check_message(text: &[u8]) -> Result<(), WebhookError> {
    read_message(&Arena::new(), text).map(|_| ())
}

/// The answer `success` in plain text, which most platforms take.
pub(crate) fn success() -> HookAnswer {
    HookAnswer::text(b"success".to_vec())
}

/// 16 letters and digits, as the vendors' own libraries take.
pub(crate) fn random16() -> [u8; 16] {
    let mut out = [0; 16];
    out.iter_mut().zip(random::token(16).bytes()).for_each(|(to, from)| *to = from);
    out
}

/// Whether a signature is written as these vendors write it.
pub(crate) fn is_lower_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// What a connection lacks for callbacks in the envelope: nothing is said of one that has no callbacks at all.
pub(crate) fn check_settings(connection: &Connection, receivers: &[&str], sealed: bool, findings: &Findings) {
    let (tokens, keys) = (connection.setting_list("token"), connection.setting_list("encoding_aes_key"));
    if tokens.is_empty() && keys.is_empty() {
        return;
    }
    let wrong = |name: &str, message: String, help: &str| {
        findings.error(&connection.source, connection.setting_span(name), message, Some(help.to_owned()));
    };
    if tokens.is_empty() || tokens.iter().any(String::is_empty) {
        wrong("token", "callbacks need the setting `token`".to_owned(), "copy it from the vendor's console");
    }
    if keys.is_empty() && sealed {
        wrong("encoding_aes_key", "callbacks need the setting `encoding_aes_key`".to_owned(), KEY_HELP);
    }
    for key in &keys {
        let count = key.chars().count();
        if count != KEY_LENGTH {
            let message = format!("`encoding_aes_key` has {count} characters; it must have {KEY_LENGTH}");
            wrong("encoding_aes_key", message, KEY_HELP);
        } else if AesKey::read(key).is_none() {
            let message = "`encoding_aes_key` holds other characters than letters and digits".to_owned();
            wrong("encoding_aes_key", message, KEY_HELP);
        }
    }
    if sealed && receiver_ids(connection, receivers).is_empty() {
        let message = "callbacks need the setting `receiver_id`".to_owned();
        wrong("receiver_id", message, "it is the id at the end of each sealed message; an app's key, or the corp's id");
    }
}

const KEY_HELP: &str = "copy all 43 characters from the vendor's console, where the callback is set";

#[cfg(test)]
mod tests {
    use super::*;
    use hub_tree::jiff::Timestamp;

    #[test]
    fn the_clock_takes_seconds_and_milliseconds_and_nothing_else() {
        let now = Timestamp::from_second(1_795_293_210).unwrap();
        let request = InboundRequest { method: String::new(), query: vec![], headers: vec![], body: vec![], now };
        let check = |text: &str| check_clock(text, &request, 300).err().map(|error| error.to_string());
        for good in ["1795293210", "1795293510", "1795292910000", "1795293510000"] {
            assert_eq!(check(good), None, "{good}");
        }
        for late in ["1795293511", "1795292909", "1795293510001", "0", "99999999999999999"] {
            assert_eq!(check(late).as_deref(), Some("timestamp_out_of_tolerance"), "{late}");
        }
        for wrong in ["", "-1795293210", "+1795293210", "1795293210.0", "١٧٩", "99999999999999999999"] {
            assert_eq!(check(wrong).as_deref(), Some("timestamp_missing"), "{wrong}");
        }
    }

    #[test]
    fn an_id_is_shown_and_what_is_none_is_not() {
        assert_eq!(shown(b"ww7f3a1c9e5b2d4086"), "`ww7f3a1c9e5b2d4086`");
        assert_eq!(shown(b""), "nobody (an empty id)");
        assert_eq!(shown("李娜".as_bytes()), "something that is no id (6 bytes)");
        assert_eq!(shown(b"{\"name\":1}"), "something that is no id (10 bytes)");
    }

    #[test]
    fn the_sealed_part_is_read_from_json_and_from_xml_with_or_without_cdata() {
        for body in [
            r#"{"encrypt":"a+/="}"#,
            r#"{"ToUserName":"x","Encrypt":" a+/= "}"#,
            "<xml><ToUserName>x</ToUserName><Encrypt>\n <![CDATA[a+/=]]> </Encrypt></xml>",
            "<xml><Encrypt>a+/=</Encrypt></xml>",
        ] {
            assert_eq!(sealed_part(body.as_bytes()).as_deref(), Ok("a+/="), "{body}");
        }
        for (body, wanted) in [
            ("", "bad_json"),
            ("[]", "bad_json"),
            ("<xml/>", "bad_xml"),
            ("<!DOCTYPE a [<!ENTITY b 'c'>]><a><Encrypt>&b;</Encrypt></a>", "bad_xml"),
            ("<xml><Encrypt>a</Encrypt><Encrypt>b</Encrypt></xml>", "encryption_required"),
            ("{}", "encryption_required"),
        ] {
            assert_eq!(sealed_part(body.as_bytes()).unwrap_err().to_string(), wanted, "{body}");
        }
    }
}
