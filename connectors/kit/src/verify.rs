//! Proofs of inbound requests, as named kinds. Verification comes before parsing: unverified bytes never become a
//! payload. To the outside every failure looks the same; the reason is for our own log.

mod computed;
pub(crate) mod shown;

pub use computed::Computed;

use crate::inbound::InboundRequest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use hub_tree::jiff::Timestamp;
use hub_tree::{Private, Value};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// Why a request is not what it claims to be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// There is no proof.
    #[error("missing_signature")]
    MissingSignature,
    /// The proof cannot be decoded: wrong prefix, characters or length.
    #[error("malformed_signature")]
    MalformedSignature,
    /// The proof is not of these bytes and this key.
    #[error("signature_mismatch")]
    SignatureMismatch,
    /// The time is absent or no number.
    #[error("timestamp_missing")]
    TimestampMissing,
    /// The time is too far from ours.
    #[error("timestamp_out_of_tolerance")]
    TimestampOutOfTolerance,
    /// The connection has no secret to check with.
    #[error("secret_missing")]
    SecretMissing,
    /// The driver takes nothing in.
    #[error("unsupported")]
    Unsupported,
    /// A rule of the driver's own wire is broken.
    #[error("{reason}")]
    Wire {
        /// A stable word, such as `wrong_receiver`.
        reason: &'static str,
        /// Which part is wrong and what to do, for people. Holds no secret and nothing of the message.
        hint: String,
        /// The hint when an earlier request of the connection was believed: its secrets are right then.
        proved: Option<String>,
    },
}

impl WebhookError {
    /// Which part of the proof is wrong, and what to do about it.
    #[must_use]
    pub fn hint(&self) -> &str {
        match self {
            Self::MissingSignature => "the request carries no signature: it is not the vendor's, or a proxy drops it",
            Self::MalformedSignature => "the signature is not written as this vendor writes it",
            Self::SignatureMismatch => {
                "the secret of the connection is not the vendor's, or the body was changed on its way"
            }
            Self::TimestampMissing => "the time in the proof is missing, or is no number",
            Self::TimestampOutOfTolerance => {
                "the time in the proof is too far from the hub's clock: check the clock, or the setting `max_skew_secs`"
            }
            Self::SecretMissing => "the connection has no usable secret",
            Self::Unsupported => "this connector proves no such request: it asks for a method or a proof it has not",
            Self::Wire { hint, .. } => hint,
        }
    }

    /// The same, of a connection whose earlier requests were believed.
    #[must_use]
    pub fn hint_once_proved(&self) -> &str {
        match self {
            Self::Wire { proved: Some(proved), .. } => proved,
            Self::SignatureMismatch => "the secret proved earlier requests, so the body was changed on its way",
            other => other.hint(),
        }
    }
}

/// A kind of proof and its parameters.
#[derive(Clone, Debug)]
pub enum Verifier {
    /// HMAC-SHA256 over the raw body.
    HmacSha256 {
        /// The header that carries it, lower case.
        header: String,
        /// What stands before the digest, such as `sha256 ` or `sha256=`.
        prefix: String,
        /// How the digest is written.
        encoding: Encoding,
    },
    /// Standard Webhooks (<https://www.standardwebhooks.com>), `v1` signatures; the `svix-` header names too.
    StandardWebhooks,
    /// HTTP Basic; the secret is `USER:PASSWORD`. It proves who sends, not what is sent: only for encrypted connections.
    Basic,
    /// What the manifest computes of the request and a secret.
    Computed(Box<Computed>),
    /// The driver's own proof and cipher.
    Driver,
}

/// How a digest is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Hexadecimal, either case.
    Hex,
    /// Base64 with padding.
    Base64,
}

impl Encoding {
    fn decode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Hex => hex::decode(text).ok(),
            Self::Base64 => STANDARD.decode(text).ok(),
        }
    }
}

/// The HMAC-SHA256 of the parts, one behind the other.
#[must_use]
pub fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

impl Verifier {
    /// The headers that prove a body, as the vendor would send them; `None` when the secret cannot be used, or the
    /// proof is not made of a body alone.
    #[must_use]
    pub fn prove(&self, secret: &str, body: &[u8], now: Timestamp) -> Option<Vec<(String, String)>> {
        Some(match self {
            Self::HmacSha256 { header, prefix, encoding } => {
                let digest = hmac_sha256(secret.as_bytes(), &[body]);
                let text = match encoding {
                    Encoding::Hex => hex::encode(digest),
                    Encoding::Base64 => STANDARD.encode(digest),
                };
                vec![(header.clone(), format!("{prefix}{text}"))]
            }
            Self::StandardWebhooks => {
                let (id, timestamp) = ("msg_self_made", now.as_second());
                vec![
                    ("webhook-id".to_owned(), id.to_owned()),
                    ("webhook-timestamp".to_owned(), timestamp.to_string()),
                    ("webhook-signature".to_owned(), sign_standard_webhooks(secret, id, timestamp, body)?),
                ]
            }
            Self::Basic => vec![("authorization".to_owned(), format!("Basic {}", STANDARD.encode(secret)))],
            Self::Computed(_) | Self::Driver => return None,
        })
    }

    /// Checks a request against any of the secrets (several during rotation), in constant time. `settings` are those of
    /// the connection.
    ///
    /// # Errors
    /// Why the request is not believed.
    pub fn check(
        &self,
        request: &InboundRequest,
        secrets: &[String],
        settings: Value<'_>,
        max_skew_secs: i64,
    ) -> Result<(), WebhookError> {
        if secrets.is_empty() && !matches!(self, Self::Driver) {
            return Err(WebhookError::SecretMissing);
        }
        match self {
            Self::HmacSha256 { header, prefix, encoding } => {
                let value = request.header(header).ok_or(WebhookError::MissingSignature)?.trim();
                let digest = value.strip_prefix(prefix.as_str()).ok_or(WebhookError::MalformedSignature)?;
                let given = encoding.decode(digest).filter(|bytes| bytes.len() == 32);
                let given = given.ok_or(WebhookError::MalformedSignature)?;
                let mut good = false;
                for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
                    good |= bool::from(hmac_sha256(secret.as_bytes(), &[&request.body]).ct_eq(&given));
                }
                if good { Ok(()) } else { Err(WebhookError::SignatureMismatch) }
            }
            Self::StandardWebhooks => standard_webhooks(request, secrets, max_skew_secs),
            Self::Basic => {
                let value = request.header("authorization").ok_or(WebhookError::MissingSignature)?;
                let given = value.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"));
                let given = given.and_then(|(_, pair)| STANDARD.decode(pair.trim()).ok());
                let given = given.ok_or(WebhookError::MalformedSignature)?;
                let mut good = false;
                for secret in secrets.iter().filter(|secret| secret.contains(':')) {
                    good |= bool::from(secret.as_bytes().ct_eq(&given));
                }
                if good { Ok(()) } else { Err(WebhookError::SignatureMismatch) }
            }
            Self::Computed(computed) => computed.check(request, secrets, settings, max_skew_secs),
            Self::Driver => Err(WebhookError::Unsupported),
        }
    }
}

fn standard_webhooks(request: &InboundRequest, secrets: &[String], max_skew_secs: i64) -> Result<(), WebhookError> {
    let header =
        |name: &str| request.header(&format!("webhook-{name}")).or_else(|| request.header(&format!("svix-{name}")));
    let signatures = header("signature").ok_or(WebhookError::MissingSignature)?;
    let id = header("id").filter(|id| !id.is_empty()).ok_or(WebhookError::MissingSignature)?;
    let timestamp = header("timestamp").ok_or(WebhookError::TimestampMissing)?;
    let seconds: i64 = timestamp.parse().map_err(|_| WebhookError::TimestampMissing)?;
    let given: Vec<Vec<u8>> = signatures
        .split_ascii_whitespace()
        .filter_map(|signature| STANDARD.decode(signature.strip_prefix("v1,")?).ok())
        .filter(|digest| digest.len() == 32)
        .collect();
    if given.is_empty() {
        return Err(WebhookError::MalformedSignature);
    }
    let mut good = false;
    for secret in secrets {
        let key = standard_key(secret).ok_or(WebhookError::SecretMissing)?;
        let parts: [&[u8]; 5] = [id.as_bytes(), b".", timestamp.as_bytes(), b".", &request.body];
        let wanted = hmac_sha256(&key, &parts);
        for digest in &given {
            good |= bool::from(wanted.ct_eq(digest));
        }
    }
    if !good {
        return Err(WebhookError::SignatureMismatch);
    }
    // The time is part of what is signed, so it is looked at only once it is believed.
    if request.now.as_second().abs_diff(seconds) > max_skew_secs.unsigned_abs() {
        return Err(WebhookError::TimestampOutOfTolerance);
    }
    Ok(())
}

/// The key bytes of a Standard Webhooks secret: base64 behind `whsec_`.
pub(crate) fn standard_key(secret: &str) -> Option<Vec<u8>> {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap_or(secret)).ok()?;
    // Everybody can sign with an empty key.
    (!key.is_empty()).then_some(key)
}

/// A new Standard Webhooks secret: 32 random bytes as base64 behind `whsec_`.
#[must_use]
pub fn make_standard_secret() -> Private<String> {
    Private::new(format!("whsec_{}", STANDARD.encode(hub_tree::random::bytes::<32>())))
}

/// Signs a body by Standard Webhooks: the value of `webhook-signature`. `None` when the secret is not base64.
#[must_use]
pub fn sign_standard_webhooks(secret: &str, id: &str, timestamp: i64, body: &[u8]) -> Option<String> {
    let key = standard_key(secret)?;
    let timestamp = timestamp.to_string();
    let digest = hmac_sha256(&key, &[id.as_bytes(), b".", timestamp.as_bytes(), b".", body]);
    Some(format!("v1,{}", STANDARD.encode(digest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_takes_any_of_its_pairs_and_nothing_else() {
        let secrets = ["hub:old".to_owned(), "hub:p:w".to_owned(), "nocolon".to_owned()];
        let check = |value: Option<&str>| {
            let headers = value.map(|value| ("authorization".to_owned(), value.to_owned())).into_iter().collect();
            let now = Timestamp::UNIX_EPOCH;
            let request =
                InboundRequest { method: "POST".to_owned(), query: Vec::new(), headers, body: b"<a/>".to_vec(), now };
            Verifier::Basic.check(&request, &secrets, Value::Absent, 300)
        };
        let pair = |text: &str| format!("Basic {}", STANDARD.encode(text));
        assert_eq!(check(Some(&pair("hub:p:w"))), Ok(()));
        assert_eq!(check(Some(&pair("hub:old").replace("Basic", "basic"))), Ok(()));
        for wrong in ["hub:p", "hub:", "nocolon", ""] {
            assert_eq!(check(Some(&pair(wrong))), Err(WebhookError::SignatureMismatch), "{wrong}");
        }
        assert_eq!(check(Some("Basic ???")), Err(WebhookError::MalformedSignature));
        assert_eq!(check(Some("Bearer x")), Err(WebhookError::MalformedSignature));
        assert_eq!(check(None), Err(WebhookError::MissingSignature));
        let proof = Verifier::Basic.prove("hub:p:w", b"", Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(check(Some(&proof[0].1)), Ok(()));
    }
}
