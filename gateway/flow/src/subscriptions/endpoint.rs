//! What is secret of a subscription: its address, and the secrets that prove who speaks.

use super::options::Signing;
use hub_kit::ed25519;
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
    /// Shared with the subscriber.
    text: Private<String>,
    /// The private key, of which the subscriber has the public one. Older subscriptions have none until they need it.
    key: Option<Private<String>>,
    /// Until when they sign, µs; the newest have no end.
    until: Option<i64>,
}

impl Secret {
    fn make() -> Self {
        Self { text: make_standard_secret(), key: Some(ed25519::make_private_key()), until: None }
    }
}

fn context(id: &str) -> String {
    format!("subscription:{id}")
}

impl Endpoint {
    /// An address, with a new secret.
    #[must_use]
    pub fn new(url: &str) -> Self {
        Self { url: Private::new(url.to_owned()), secrets: vec![Secret::make()] }
    }

    /// The newest secret, which is shown once.
    #[must_use]
    pub fn secret(&self) -> &str {
        self.secrets.first().map_or("", |secret| secret.text.expose())
    }

    /// Makes sure that there is a private key.
    pub fn need_key(&mut self) {
        if let Some(newest) = self.secrets.first_mut() {
            newest.key.get_or_insert_with(ed25519::make_private_key);
        }
    }

    /// The public keys that may have signed something now (µs), newest first.
    #[must_use]
    pub fn public_keys(&self, now: i64) -> Vec<String> {
        let keys = self.valid(now).filter_map(|secret| secret.key.as_ref());
        keys.filter_map(|key| ed25519::public_key(key.expose())).collect()
    }

    fn valid(&self, now: i64) -> impl Iterator<Item = &Secret> {
        self.secrets.iter().filter(move |secret| secret.until.is_none_or(|until| until > now))
    }

    /// Makes a new secret; the ones before sign beside it until a day from now, or until they would have ended.
    /// Returns when the last of them ends, µs.
    pub fn rotate(&mut self, now: i64) -> i64 {
        let end = now + OVERLAP_MICROS;
        self.secrets.retain(|secret| secret.until.is_none_or(|until| until > now));
        for secret in &mut self.secrets {
            secret.until.get_or_insert(end);
        }
        self.secrets.insert(0, Secret::make());
        self.secrets.truncate(MOST);
        end
    }

    /// The value of `webhook-signature`: the signatures of each secret and key that is valid now (µs).
    #[must_use]
    pub fn sign(&self, signing: Signing, now: i64, id: &str, timestamp: i64, body: &[u8]) -> String {
        let signed = self.valid(now).flat_map(|secret| {
            let shared = || sign_standard_webhooks(secret.text.expose(), id, timestamp, body);
            let proven = || ed25519::sign_standard_webhooks(secret.key.as_ref()?.expose(), id, timestamp, body);
            [signing.shares().then(shared).flatten(), signing.proves().then(proven).flatten()]
        });
        signed.flatten().collect::<Vec<_>>().join(" ")
    }

    /// Seals it for keeping.
    ///
    /// # Errors
    /// The tenant has no key.
    pub fn seal(&self, keyring: &Keyring, tenant: &str, id: &str) -> Result<Sealed, StoreError> {
        let of = |secret: &Secret| {
            let key = secret.key.as_ref().map(|key| key.expose().as_str());
            json!({ "text": secret.text.expose(), "key": key, "until": secret.until })
        };
        let secrets: Vec<Value> = self.secrets.iter().map(of).collect();
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
            let key = value.get("key").and_then(Value::as_str).map(|key| Private::new(key.to_owned()));
            Some(Secret { text, key, until: value.get("until").and_then(Value::as_i64) })
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
        assert_eq!(endpoint.sign(Signing::Hmac, 10, "id", 7, b"{}"), with(&first));
        let end = endpoint.rotate(10);
        let second = endpoint.secret().to_owned();
        assert_eq!(end, 10 + OVERLAP_MICROS);
        assert_eq!(
            endpoint.sign(Signing::Hmac, end - 1, "id", 7, b"{}"),
            format!("{} {}", with(&second), with(&first))
        );
        assert_eq!(endpoint.sign(Signing::Hmac, end, "id", 7, b"{}"), with(&second));
        // Another change on the same day does not lengthen the first one's life.
        endpoint.rotate(20);
        assert_eq!(endpoint.sign(Signing::Hmac, end - 1, "id", 7, b"{}").split(' ').count(), 3);
        assert_eq!(endpoint.sign(Signing::Hmac, end, "id", 7, b"{}").split(' ').count(), 2);
        for _ in 0..10 {
            endpoint.rotate(30);
        }
        assert_eq!(endpoint.sign(Signing::Hmac, 30, "id", 7, b"{}").split(' ').count(), MOST);
    }

    #[test]
    fn a_private_key_signs_beside_the_secret_or_alone() {
        let mut endpoint = Endpoint::new("https://app.example/hooks");
        let kinds = |endpoint: &Endpoint, signing| {
            let signed = endpoint.sign(signing, 10, "id", 7, b"{}");
            signed.split(' ').map(|one| one.split(',').next().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(kinds(&endpoint, Signing::Ed25519), ["v1a"]);
        assert_eq!(kinds(&endpoint, Signing::Both), ["v1", "v1a"]);
        let first = endpoint.public_keys(10);
        endpoint.rotate(10);
        assert_eq!(kinds(&endpoint, Signing::Ed25519), ["v1a", "v1a"]);
        let keys = endpoint.public_keys(10);
        assert!(keys.len() == 2 && keys[1] == first[0] && keys[0] != first[0], "{keys:?}");
        assert_eq!(endpoint.public_keys(10 + OVERLAP_MICROS), keys[..1]);
        // One that was sealed before there were keys.
        let old = br#"{"url":"https://app.example","secrets":[{"text":"whsec_AAAA","until":null}]}"#;
        let mut old = Endpoint::read(old).unwrap();
        assert_eq!((kinds(&old, Signing::Hmac), old.public_keys(0).len()), (vec!["v1".to_owned()], 0));
        old.need_key();
        assert_eq!((kinds(&old, Signing::Both), old.public_keys(0).len()), (vec!["v1".into(), "v1a".into()], 1));
    }

    #[test]
    fn neither_address_nor_secret_shows_itself() {
        let endpoint = Endpoint::new("https://app.example/hooks?key=hidden");
        let shown = format!("{endpoint:?}");
        assert!(!shown.contains("hidden") && !shown.contains("whsec_") && !shown.contains("whsk_"), "{shown}");
    }
}
