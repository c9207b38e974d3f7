//! What is secret of a subscription: its address, and the secrets that prove who speaks.

use hub_kit::verify::{make_standard_secret, sign_standard_webhooks};
use hub_store::{Keyring, Sealed, StoreError};
use hub_tree::Private;
use serde_json::{Value, json};

/// How long a secret is still used beside its successor, µs: a day.
pub const OVERLAP_MICROS: i64 = 24 * 3600 * 1_000_000;
/// Most secrets that sign at once.
const MOST: usize = 4;

/// Address and secrets of a subscription.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The address.
    pub url: Private<String>,
    /// Newest first.
    secrets: Vec<Secret>,
}

#[derive(Clone, Debug)]
struct Secret {
    text: Private<String>,
    /// Until when it signs, µs; the newest has no end.
    until: Option<i64>,
}

fn context(id: &str) -> String {
    format!("subscription:{id}")
}

impl Endpoint {
    /// An address, with a new secret.
    #[must_use]
    pub fn new(url: &str) -> Self {
        let secret = Secret { text: make_standard_secret(), until: None };
        Self { url: Private::new(url.to_owned()), secrets: vec![secret] }
    }

    /// The newest secret, which is shown once.
    #[must_use]
    pub fn secret(&self) -> &str {
        self.secrets.first().map_or("", |secret| secret.text.expose())
    }

    /// Makes a new secret; the ones before sign beside it until a day from now, or until they would have ended.
    /// Returns when the last of them ends, µs.
    pub fn rotate(&mut self, now: i64) -> i64 {
        let end = now + OVERLAP_MICROS;
        self.secrets.retain(|secret| secret.until.is_none_or(|until| until > now));
        for secret in &mut self.secrets {
            secret.until.get_or_insert(end);
        }
        self.secrets.insert(0, Secret { text: make_standard_secret(), until: None });
        self.secrets.truncate(MOST);
        end
    }

    /// The value of `webhook-signature`: one signature for each secret that is valid now (µs).
    #[must_use]
    pub fn sign(&self, now: i64, id: &str, timestamp: i64, body: &[u8]) -> String {
        let valid = self.secrets.iter().filter(|secret| secret.until.is_none_or(|until| until > now));
        let signed = valid.filter_map(|secret| sign_standard_webhooks(secret.text.expose(), id, timestamp, body));
        signed.collect::<Vec<_>>().join(" ")
    }

    /// Seals it for keeping.
    ///
    /// # Errors
    /// The tenant has no key.
    pub fn seal(&self, keyring: &Keyring, tenant: &str, id: &str) -> Result<Sealed, StoreError> {
        let secrets: Vec<Value> =
            self.secrets.iter().map(|secret| json!({ "text": secret.text.expose(), "until": secret.until })).collect();
        let text = json!({ "url": self.url.expose(), "secrets": secrets }).to_string();
        keyring.seal(tenant, &context(id), text.as_bytes())
    }

    /// Opens what [`Endpoint::seal`] sealed.
    ///
    /// # Errors
    /// It cannot be opened, or is not what was sealed.
    pub fn open(keyring: &Keyring, tenant: &str, id: &str, sealed: &Sealed) -> Result<Self, StoreError> {
        let opened = keyring.open(tenant, &context(id), &sealed.0)?;
        Self::read(&opened).ok_or(StoreError::Sealed("a subscription is not in a form this program knows"))
    }

    fn read(text: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(text).ok()?;
        let secret = |value: &Value| {
            let text = Private::new(value.get("text")?.as_str()?.to_owned());
            Some(Secret { text, until: value.get("until").and_then(Value::as_i64) })
        };
        let secrets: Option<Vec<Secret>> = value.get("secrets")?.as_array()?.iter().map(secret).collect();
        Some(Self { url: Private::new(value.get("url")?.as_str()?.to_owned()), secrets: secrets? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_secret_signs_for_a_day_beside_the_new_one() {
        let mut endpoint = Endpoint::new("https://app.example/hooks");
        let first = endpoint.secret().to_owned();
        assert!(first.starts_with("whsec_"), "{first}");
        let with = |secret: &str| sign_standard_webhooks(secret, "id", 7, b"{}").unwrap();
        assert_eq!(endpoint.sign(10, "id", 7, b"{}"), with(&first));
        let end = endpoint.rotate(10);
        let second = endpoint.secret().to_owned();
        assert_eq!(end, 10 + OVERLAP_MICROS);
        assert_eq!(endpoint.sign(end - 1, "id", 7, b"{}"), format!("{} {}", with(&second), with(&first)));
        assert_eq!(endpoint.sign(end, "id", 7, b"{}"), with(&second));
        // Another change on the same day does not lengthen the first one's life.
        endpoint.rotate(20);
        assert_eq!(endpoint.sign(end - 1, "id", 7, b"{}").split(' ').count(), 3);
        assert_eq!(endpoint.sign(end, "id", 7, b"{}").split(' ').count(), 2);
        for _ in 0..10 {
            endpoint.rotate(30);
        }
        assert_eq!(endpoint.sign(30, "id", 7, b"{}").split(' ').count(), MOST);
    }

    #[test]
    fn neither_address_nor_secret_shows_itself() {
        let endpoint = Endpoint::new("https://app.example/hooks?key=hidden");
        let shown = format!("{endpoint:?}");
        assert!(!shown.contains("hidden") && !shown.contains("whsec_"), "{shown}");
    }
}
