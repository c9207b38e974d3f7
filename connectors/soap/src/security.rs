//! WS-Security: the UsernameToken with a text or a digest, and the Timestamp.

use crate::fault::FaultCode;
use crate::names::{BASE64, PASSWORD_DIGEST, PASSWORD_TEXT, Version, WSSE, WSU};
use crate::read::Envelope;
use crate::write::{FaultAnswer, Subcode, escape};
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hub_kit::Party;
use hub_tree::jiff::civil::DateTime;
use hub_tree::jiff::tz::TimeZone;
use hub_tree::jiff::{SignedDuration, Timestamp};
use hub_tree::{Private, Value};
use sha1::{Digest as _, Sha1};
use subtle::ConstantTimeEq as _;

/// How a password is proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// It stands as it is.
    Text,
    /// By a digest of nonce, time and password.
    Digest,
}

/// Base64 of SHA-1 of nonce, time and password (UsernameToken profile 1.0, section 3.1).
#[must_use]
pub fn password_digest(nonce: &[u8], created: &str, password: &str) -> String {
    let mut hash = Sha1::new();
    hash.update(nonce);
    hash.update(created.as_bytes());
    hash.update(password.as_bytes());
    STANDARD.encode(hash.finalize())
}

/// The header block with a token, and a Timestamp that ends `lives` after `now`.
#[must_use]
pub fn header(
    version: Version,
    proof: Proof,
    username: &str,
    password: &str,
    nonce: &[u8],
    now: Timestamp,
    lives: SignedDuration,
) -> String {
    let created = instant(now);
    let expires = instant(now.checked_add(lives).unwrap_or(now));
    let (kind, shown) = match proof {
        Proof::Text => (PASSWORD_TEXT, escape(password)),
        Proof::Digest => (PASSWORD_DIGEST, password_digest(nonce, &created, password)),
    };
    let more = match proof {
        Proof::Text => String::new(),
        Proof::Digest => format!(
            "<wsse:Nonce EncodingType=\"{BASE64}\">{}</wsse:Nonce><wsu:Created>{created}</wsu:Created>",
            STANDARD.encode(nonce)
        ),
    };
    let must = match version {
        Version::V11 => "1",
        Version::V12 => "true",
    };
    format!(
        "<wsse:Security soapenv:mustUnderstand=\"{must}\" xmlns:wsse=\"{WSSE}\" xmlns:wsu=\"{WSU}\">\
         <wsu:Timestamp wsu:Id=\"TS-1\"><wsu:Created>{created}</wsu:Created><wsu:Expires>{expires}</wsu:Expires></wsu:Timestamp>\
         <wsse:UsernameToken wsu:Id=\"UT-1\"><wsse:Username>{}</wsse:Username>\
         <wsse:Password Type=\"{kind}\">{shown}</wsse:Password>{more}</wsse:UsernameToken></wsse:Security>",
        escape(username)
    )
}

fn instant(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// Why a message is not believed. Whoever sends it learns no more than this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SecurityFault {
    /// The header block is missing, twice, or holds what must not be in it.
    InvalidSecurity,
    /// It proves something by a signature, a certificate or encryption, which is not read.
    UnsupportedSecurityToken,
    /// A token is not complete, too old, or was there before.
    InvalidSecurityToken,
    /// Name and password do not belong together.
    FailedAuthentication,
    /// The message says that its time is over.
    MessageExpired,
}

impl SecurityFault {
    /// The name of the fault, with the prefix that it is known by.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::InvalidSecurity => "wsse:InvalidSecurity",
            Self::UnsupportedSecurityToken => "wsse:UnsupportedSecurityToken",
            Self::InvalidSecurityToken => "wsse:InvalidSecurityToken",
            Self::FailedAuthentication => "wsse:FailedAuthentication",
            Self::MessageExpired => "wsu:MessageExpired",
        }
    }

    /// Who must act.
    #[must_use]
    pub const fn party(self) -> Party {
        Party::Credential
    }

    /// The fault to answer with.
    #[must_use]
    pub fn answer(self) -> FaultAnswer {
        let (prefix, name) = self.word().split_once(':').unwrap_or_default();
        let reason = match self {
            Self::InvalidSecurity => "the message needs one WS-Security header with one UsernameToken",
            Self::UnsupportedSecurityToken => "only UsernameToken and Timestamp are read",
            Self::InvalidSecurityToken => "the UsernameToken is not complete, too old, or was used before",
            Self::FailedAuthentication => "the user is not known or the password is wrong",
            Self::MessageExpired => "the message has expired",
        };
        let namespace = if prefix == "wsu" { WSU } else { WSSE };
        let subcode = Subcode { namespace: namespace.to_owned(), prefix: prefix.to_owned(), name: name.to_owned() };
        FaultAnswer { subcode: Some(subcode), ..FaultAnswer::new(FaultCode::Sender, reason) }
    }
}

/// What was shown before. A nonce is shown once.
#[async_trait]
pub trait Nonces: Send + Sync {
    /// Remembers `nonce` until `until`; says whether it is new. Of several that ask at once, one is told that it is.
    async fn is_new(&self, nonce: &str, until: Timestamp) -> bool;
}

/// Remembers nothing: for looking at a single message.
#[derive(Clone, Copy, Debug)]
pub struct NoMemory;

#[async_trait]
impl Nonces for NoMemory {
    async fn is_new(&self, _: &str, _: Timestamp) -> bool {
        true
    }
}

/// Who is believed, and how long.
#[derive(Debug)]
pub struct Policy {
    /// The user.
    pub username: String,
    /// The password.
    pub password: Private<String>,
    /// Whether a password may stand as it is: only where the way is encrypted.
    pub text: bool,
    /// Whether a digest may stand for it.
    pub digest: bool,
    /// How far the sender's clock may be off, both ways.
    pub window: SignedDuration,
}

/// Verifies the WS-Security header of a message.
///
/// # Errors
/// Why the message is not believed.
pub async fn verify(
    envelope: &Envelope<'_>,
    policy: &Policy,
    now: Timestamp,
    nonces: &dyn Nonces,
) -> Result<(), SecurityFault> {
    let mut blocks = envelope.headers.iter().filter(|b| b.for_us && b.namespace == WSSE && b.name == "Security");
    let (Some(block), None) = (blocks.next(), blocks.next()) else { return Err(SecurityFault::InvalidSecurity) };
    let known = |key: &str| key.starts_with('@') || matches!(key, "UsernameToken" | "Timestamp");
    if block.value.entries().iter().any(|(key, _)| !known(key)) {
        return Err(SecurityFault::UnsupportedSecurityToken);
    }
    let timestamp = block.value.get("Timestamp");
    if !timestamp.is_absent() {
        check_timestamp(&timestamp, policy, now)?;
    }
    let token = block.value.get("UsernameToken");
    if !matches!(token, Value::Map(_)) {
        return Err(SecurityFault::InvalidSecurity);
    }
    let until = check_token(&token, policy, now)?;
    // Only what was proved is remembered: others could fill the memory.
    if let Some((nonce, until)) = until
        && !nonces.is_new(&nonce, until).await
    {
        return Err(SecurityFault::InvalidSecurityToken);
    }
    Ok(())
}

fn check_timestamp(timestamp: &Value<'_>, policy: &Policy, now: Timestamp) -> Result<(), SecurityFault> {
    let at = |name: &str| match timestamp.get(name) {
        Value::Absent => Ok(None),
        value => text(&value).and_then(|text| read_instant(&text)).map(Some).ok_or(SecurityFault::InvalidSecurity),
    };
    let (created, expires) = (at("Created")?, at("Expires")?);
    if expires.is_some_and(|expires| expires <= now) {
        return Err(SecurityFault::MessageExpired);
    }
    if created.is_some_and(|created| created.duration_since(now) > policy.window) {
        return Err(SecurityFault::InvalidSecurity);
    }
    Ok(())
}

/// Checks a token; gives what must not come again, and until when.
fn check_token(
    token: &Value<'_>,
    policy: &Policy,
    now: Timestamp,
) -> Result<Option<(String, Timestamp)>, SecurityFault> {
    let invalid = SecurityFault::InvalidSecurityToken;
    let username = text(&token.get("Username")).ok_or(invalid)?;
    let password = token.get("Password");
    let kind = password.get("@Type").as_text().unwrap_or(PASSWORD_TEXT);
    let digest = kind.trim().ends_with("#PasswordDigest");
    if !digest && !kind.trim().ends_with("#PasswordText") {
        return Err(SecurityFault::UnsupportedSecurityToken);
    }
    if !(if digest { policy.digest } else { policy.text }) {
        return Err(SecurityFault::UnsupportedSecurityToken);
    }
    let shown = text(&password).ok_or(invalid)?;
    let created = text(&token.get("Created"));
    let nonce = match text(&token.get("Nonce")) {
        Some(nonce) => {
            let letters: String = nonce.chars().filter(|c| !c.is_ascii_whitespace()).collect();
            Some(STANDARD.decode(letters).map_err(|_| invalid)?)
        }
        None => None,
    };
    let (wanted, mark) = if digest {
        let (nonce, created) = nonce.zip(created.as_deref()).filter(|(nonce, _)| !nonce.is_empty()).ok_or(invalid)?;
        (password_digest(&nonce, created, policy.password.expose()), Some(nonce))
    } else {
        (policy.password.expose().clone(), nonce)
    };
    // Both are compared whatever the other says, and one answer stands for either.
    let same_user = username.as_bytes().ct_eq(policy.username.as_bytes());
    let same_password = shown.as_bytes().ct_eq(wanted.as_bytes());
    if !bool::from(same_user & same_password) {
        return Err(SecurityFault::FailedAuthentication);
    }
    let Some(created) = created else { return Ok(None) };
    let created = read_instant(&created).ok_or(invalid)?;
    if created.duration_since(now).abs() > policy.window {
        return Err(invalid);
    }
    let until = created.checked_add(policy.window).unwrap_or(created);
    Ok(mark.map(|nonce| (hex::encode(Sha1::digest([username.as_bytes(), b"\0", &nonce].concat())), until)))
}

/// The text of an element, whatever attributes it has; only one of its name may be there.
fn text(value: &Value<'_>) -> Option<String> {
    let found = match value {
        Value::Map(map) => map.get("#text"),
        scalar => *scalar,
    };
    found.as_text().map(ToOwned::to_owned)
}

/// An instant as XML Schema writes it; without a zone it is UTC, as WS-Security wants it.
fn read_instant(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    text.parse::<Timestamp>().ok().or_else(|| {
        let local = text.parse::<DateTime>().ok().filter(|_| text.contains('T'))?;
        local.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    })
}

#[cfg(test)]
mod tests;
