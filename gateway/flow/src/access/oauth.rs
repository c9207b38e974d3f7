//! OAuth 2.0 client credentials (RFC 6749 §4.4): an app shows one of its keys and gets a token for a quarter of an
//! hour, as narrow as it asks for. Tokens are JSON Web Tokens signed with ES256 by a key that all nodes share.
//!
//! A token counts for nothing by itself: each use looks at the app's revision, so that what is revoked or changed stops
//! at once.

use crate::access::{ApiKeys, Denied, Grants, Principal};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hub_store::{SigningKey, StoreError, job};
use hub_tree::{Clock, Private, random};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// How long a token lasts, seconds.
pub const LASTS_SECS: i64 = 15 * 60;
/// Whom tokens are for.
const AUDIENCE: &str = "hrhub";
/// The tenant under whose key signing keys are sealed.
const TENANT: &str = "default";
/// How long a key signs, µs.
const SIGNS: i64 = 30 * 86_400_000_000;
/// How long it is believed after that, µs: longer than its last token lasts.
const BELIEVED: i64 = 86_400_000_000;
/// Wrong secrets of one client within a minute before it has to wait.
const GUESSES: u32 = 10;
const WINDOW: i64 = 60_000_000;
/// Clients whose wrong secrets are counted.
const COUNTED: usize = 10_000;

/// A token that was issued.
pub struct Issued {
    /// The token.
    pub token: Private<String>,
    /// How long it lasts, seconds.
    pub lasts_secs: i64,
    /// What it opens: words separated by spaces.
    pub scope: String,
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum NoToken {
    /// Client and secret do not belong together.
    #[error("the client is unknown or its secret is wrong")]
    Client,
    /// Too many wrong secrets; again after so many seconds.
    #[error("too many wrong secrets for this client")]
    Wait(u64),
    /// The scope that was asked for is none, or more than the app has.
    #[error("{0}")]
    Scope(String),
    /// The store cannot be asked.
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    client_id: String,
    aud: String,
    iat: i64,
    exp: i64,
    jti: String,
    scope: String,
    /// The app's revision that it was issued under.
    rev: i64,
}

/// A public key, as RFC 7517 writes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Jwk {
    kty: String,
    crv: String,
    x: String,
    y: String,
    kid: String,
    #[serde(rename = "use")]
    usage: String,
    alg: String,
}

/// Wrong secrets, by the client that they were shown for.
#[derive(Debug, Default)]
pub(crate) struct Guesses(Mutex<BTreeMap<String, (i64, u32)>>);

impl Guesses {
    /// Seconds to wait, if there were too many.
    fn wait(&self, client: &str, now: i64) -> Option<u64> {
        let guesses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, count) = guesses.get(client)?;
        let left = since + WINDOW - now;
        (*count >= GUESSES && left > 0).then(|| u64::try_from(left / 1_000_000 + 1).unwrap_or(1))
    }

    fn note(&self, client: &str, now: i64) {
        let mut guesses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if guesses.len() >= COUNTED {
            guesses.retain(|_, (since, _)| *since + WINDOW > now);
        }
        if let Some((since, count)) = guesses.get_mut(client).filter(|(since, _)| *since + WINDOW > now) {
            (*since, *count) = (*since, count.saturating_add(1));
        } else if guesses.len() < COUNTED {
            guesses.insert(client.to_owned(), (now, 1));
        }
    }
}

fn context(id: &str) -> String {
    format!("signing-key:{id}")
}

const BROKEN: StoreError = StoreError::Sealed("a signing key cannot be used");

impl ApiKeys {
    /// A token for the app `client` that shows one of its keys. `issuer` is the hub's own address.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn issue(
        &self,
        clock: &Clock,
        issuer: &str,
        client: &str,
        secret: &str,
        scope: Option<&str>,
    ) -> Result<Issued, NoToken> {
        let now = self.store.now();
        if let Some(seconds) = self.guesses.wait(client, now) {
            return Err(NoToken::Wait(seconds));
        }
        let who = match self.key_of(secret).await {
            Ok(key) if key.new.app.id == client => key,
            Ok(_) | Err(Denied::Unknown | Denied::Lacks(_) | Denied::Limited) => {
                self.guesses.note(client, now);
                return Err(NoToken::Client);
            }
            Err(Denied::Store(error)) => return Err(error.into()),
        };
        let app = &who.new.app;
        let own = Grants::parse(&app.grants).unwrap_or_default();
        let wanted = match scope.filter(|scope| !scope.trim().is_empty()) {
            Some(scope) => Grants::parse(scope).map_err(NoToken::Scope)?,
            None => own.clone(),
        };
        if let Some(lacking) = own.lacking(&wanted) {
            return Err(NoToken::Scope(format!("the app lacks the scope `{lacking}`")));
        }
        let seconds = now / 1_000_000;
        let end = who.new.expires_at.map_or(i64::MAX, |end| end / 1_000_000);
        let claims = Claims {
            iss: issuer.to_owned(),
            sub: app.id.clone(),
            client_id: app.id.clone(),
            aud: AUDIENCE.to_owned(),
            iat: seconds,
            exp: end.min(seconds + LASTS_SECS),
            jti: random::token(26),
            scope: wanted.words().join(" "),
            rev: app.revision,
        };
        let signing = self.signing_key(clock).await?;
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(signing.id.clone());
        let private = self.store.keyring().open(TENANT, &context(&signing.id), &signing.sealed.0)?;
        let token = jsonwebtoken::encode(&header, &claims, &EncodingKey::from_ec_der(&private)).map_err(|_| BROKEN)?;
        Ok(Issued { token: Private::new(token), lasts_secs: claims.exp - seconds, scope: claims.scope })
    }

    /// The key that signs now; made when there is none, or the last one has signed long enough.
    async fn signing_key(&self, clock: &Clock) -> Result<SigningKey, StoreError> {
        let now = self.store.now();
        let kept = self.store.read(job!(|tx| { tx.signing_keys().await })).await?;
        if let Some(newest) = kept.into_iter().next().filter(|key| key.created_at > now - SIGNS) {
            return Ok(newest);
        }
        self.store.keyring().ensure(&self.store, clock, TENANT).await?;
        let id = random::token(16);
        let (private, public) = generate(&id).ok_or(BROKEN)?;
        let sealed = self.store.keyring().seal(TENANT, &context(&id), &private)?;
        let public = serde_json::to_string(&public).map_err(|_| BROKEN)?;
        let made = SigningKey { id, sealed, public, created_at: now };
        // Another node may have been faster: what lies in the store counts.
        let keys = self.store.write(job!(|tx| {
            tx.put_signing_key(made, now - SIGNS, now - SIGNS - BELIEVED).await?;
            tx.signing_keys().await
        }));
        keys.await?.into_iter().next().ok_or(BROKEN)
    }

    /// The public keys by which tokens are believed, the newest first.
    ///
    /// # Errors
    /// The store fails.
    pub async fn public_keys(&self, clock: &Clock) -> Result<Vec<Jwk>, StoreError> {
        self.signing_key(clock).await?;
        let kept = self.store.read(job!(|tx| { tx.signing_keys().await })).await?;
        Ok(kept.iter().filter_map(|key| serde_json::from_str(&key.public).ok()).collect())
    }

    /// Who shows a token.
    pub(crate) async fn of_token(&self, token: &str) -> Result<Principal, Denied> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| Denied::Unknown)?;
        let kid = header.kid.ok_or(Denied::Unknown)?;
        let kept = self.store.read(job!(|tx| { tx.signing_keys().await })).await?;
        let key = kept.into_iter().find(|key| key.id == kid).ok_or(Denied::Unknown)?;
        let public: Jwk = serde_json::from_str(&key.public).map_err(|_| BROKEN)?;
        let public = DecodingKey::from_ec_components(&public.x, &public.y).map_err(|_| BROKEN)?;
        let mut rules = Validation::new(Algorithm::ES256);
        rules.set_audience(&[AUDIENCE]);
        // By the store's clock, below.
        rules.validate_exp = false;
        rules.validate_nbf = false;
        let claims = jsonwebtoken::decode::<Claims>(token, &public, &rules).map_err(|_| Denied::Unknown)?.claims;
        if claims.exp <= self.store.now() / 1_000_000 {
            return Err(Denied::Unknown);
        }
        let id = claims.sub;
        let app = self.store.read(job!(|tx| { tx.app(&id).await })).await?.ok_or(Denied::Unknown)?;
        if app.revoked_at.is_some() || app.revision != claims.rev {
            return Err(Denied::Unknown);
        }
        let own = Grants::parse(&app.grants).unwrap_or_default();
        let narrowed = Grants::parse(&claims.scope).ok().filter(|wanted| own.lacking(wanted).is_none());
        let mut who = Principal::of_app(app, String::new(), Some(claims.exp.saturating_mul(1_000_000)));
        who.grants = narrowed.ok_or(Denied::Unknown)?.into();
        Ok(who)
    }
}

/// A new private key (PKCS#8) and its public half.
fn generate(id: &str) -> Option<(Vec<u8>, Jwk)> {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).ok()?;
    let private = pair.to_pkcs8v1().ok()?.as_ref().to_vec();
    // An uncompressed point: 4, then x and y.
    let point = pair.public_key().as_ref();
    let (x, y) = (point.get(1..33)?, point.get(33..65)?);
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let word = |text: &str| text.to_owned();
    let public = Jwk {
        kty: word("EC"),
        crv: word("P-256"),
        x: text(x),
        y: text(y),
        kid: word(id),
        usage: word("sig"),
        alg: word("ES256"),
    };
    Some((private, public))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_with_many_wrong_secrets_waits_for_a_minute_and_others_do_not() {
        let guesses = Guesses::default();
        for _ in 0..GUESSES {
            assert_eq!(guesses.wait("app_1", 5), None);
            guesses.note("app_1", 5);
        }
        assert_eq!(guesses.wait("app_1", 6), Some(60));
        assert_eq!(guesses.wait("app_2", 6), None);
        assert_eq!(guesses.wait("app_1", 5 + WINDOW), None);
        guesses.note("app_1", 5 + WINDOW);
        assert_eq!(guesses.wait("app_1", 6 + WINDOW), None, "the count begins anew");
    }

    #[test]
    fn a_new_key_signs_what_its_public_half_believes() {
        let (private, public) = generate("k1").unwrap();
        let text = "header.claims";
        let signed =
            jsonwebtoken::crypto::sign(text.as_bytes(), &EncodingKey::from_ec_der(&private), Algorithm::ES256).unwrap();
        let key = DecodingKey::from_ec_components(&public.x, &public.y).unwrap();
        let believed =
            |text: &str| jsonwebtoken::crypto::verify(&signed, text.as_bytes(), &key, Algorithm::ES256).unwrap();
        assert!(believed(text) && !believed("header.other"));
    }
}
