//! Callbacks as chat platforms send them: sealed and signed anew for each try, and counted as taken only by the answer
//! that the platform asks for.

use crate::Sandbox;
use crate::state::Delivery;
use hub_im::envelope::{self, AesKey};
use hub_im::hashed;
use hub_tree::yaml::{Context, Fields};
use hub_tree::{Arena, Limits, Value, json, random, xml};
use serde::{Deserialize, Serialize};

/// How a callback is sealed. Its secrets are the settings `token`, `encoding_aes_key` and `receiver_id`, or
/// `encrypt_key`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seal {
    family: Family,
    /// Whether message and outer body are XML.
    xml: bool,
    /// A check of the address: the body is a text that must come back.
    echo: bool,
    /// Whether only a sealed `success` counts.
    sealed_answer: bool,
    /// The name of a second signature: over all four strings, or over three when `clear_signature`.
    second_signature: Option<String>,
    clear_signature: bool,
    /// Whether the message stands in clear beside its sealed form.
    beside: bool,
    /// Further parameters of the query.
    query: Vec<(String, String)>,
}

/// Which cipher and signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Family {
    /// The envelope with a receiver's id, signed in the query.
    Envelope,
    /// The envelope whose key is a hash, signed in headers.
    Hashed,
    /// Nothing is sealed; the query is signed.
    Clear,
}

/// The kinds of [`Seal`].
pub(crate) const KINDS: [&str; 3] = ["sealed_envelope", "hashed_envelope", "clear_query"];

impl Seal {
    /// Reads what stands beside `kind`.
    pub(crate) fn read(kind: &str, fields: &mut Fields<'_, '_>, cx: &Context<'_>) -> Option<Self> {
        let family = match kind {
            "sealed_envelope" => Family::Envelope,
            "hashed_envelope" => Family::Hashed,
            _ => Family::Clear,
        };
        let xml = fields.word("form", &[("json", false), ("xml", true)]).unwrap_or(false);
        let echo = fields.bool("echo").unwrap_or(false);
        // Who takes JSON in this envelope wants a sealed answer; who takes XML wants a word.
        let sealed_answer = fields.word("answer", &[("sealed", true), ("plain", false)]);
        let second_signature = fields.text("second_signature");
        let clear_signature = fields.text("clear_signature");
        let beside = fields.bool("beside").unwrap_or(false);
        let query = fields.optional("query").map(|node| {
            let entries = node.entries(cx).iter();
            entries.filter_map(|(key, value)| Some((key.name.clone(), value.text(cx)?))).collect()
        });
        Some(Self {
            family,
            xml,
            echo,
            sealed_answer: sealed_answer.unwrap_or(family == Family::Envelope && !xml),
            clear_signature: clear_signature.is_some(),
            second_signature: clear_signature.or(second_signature),
            beside,
            query: query.unwrap_or_default(),
        })
    }
}

/// A request to send.
pub(crate) struct Dressed {
    pub(crate) method: &'static str,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) content_type: &'static str,
    pub(crate) body: Vec<u8>,
    /// What the answer must be.
    pub(crate) wants: Wants,
}

/// The answer that counts.
pub(crate) enum Wants {
    /// A good status.
    Status,
    /// Nothing, or `success`.
    Word,
    /// Exactly this text.
    Text(String),
    /// An object with this `challenge`.
    Challenge(String),
    /// A sealed and signed `success`.
    Sealed { token: String, key: AesKey, receiver: String },
}

impl Wants {
    /// Why an answer does not count.
    pub(crate) fn missing(&self, body: &[u8]) -> Option<&'static str> {
        let arena = Arena::new();
        let object = || json::read(&arena, arena.bytes(body), Limits::default()).unwrap_or_default();
        match self {
            Self::Status => None,
            Self::Word => (!matches!(body, b"" | b"success")).then_some("it is neither empty nor `success`"),
            Self::Text(text) => (body != text.as_bytes()).then_some("it is not the text that was waited for"),
            Self::Challenge(text) => (object().get("challenge").as_text() != Some(text.as_str()))
                .then_some("the challenge did not come back"),
            Self::Sealed { token, key, receiver } => {
                let object = object();
                let part = |name: &str| object.get(name).as_text().unwrap_or_default();
                let sealed = part("encrypt");
                let signature = envelope::signature(&[token, part("timeStamp"), part("nonce"), sealed]);
                if hex::encode(signature) != part("msg_signature") {
                    return Some("its signature does not fit");
                }
                match envelope::open(key, sealed) {
                    Ok(message) if message.receiver != receiver.as_bytes() => Some("it is sealed for somebody else"),
                    Ok(message) if message.text == b"success" => None,
                    _ => Some("it does not open to `success`"),
                }
            }
        }
    }
}

impl Sandbox {
    /// Makes the request of one try; `None` when the settings hold no usable secrets.
    pub(crate) fn dress(&self, delivery: &Delivery, seal: &Seal) -> Option<Dressed> {
        let setting = |name: &str| self.setting(&delivery.vendor, name).filter(|text| !text.is_empty());
        let arena = Arena::new();
        let value = json::read(&arena, delivery.body.as_bytes(), Limits::default()).unwrap_or_default();
        let said = match value {
            Value::Text(text) => text.to_owned(),
            value if seal.xml => xml::write(&arena.map(&[("xml", value)]), false).ok()?,
            _ => delivery.body.clone(),
        };
        let (seconds, nonce) = (self.clock.now().as_second().to_string(), random::token(10));
        if seal.family == Family::Hashed {
            let key = setting("encrypt_key");
            let body = match &key {
                Some(key) => {
                    let sealed = hashed::seal(key, random::bytes::<16>(), said.as_bytes());
                    json::to_string(&arena.map(&[("encrypt", Value::Text(&sealed))]))
                }
                None => said,
            };
            let challenge = value.get("challenge").as_text().map(ToOwned::to_owned);
            let mut headers = Vec::new();
            // A check of the address goes unsigned.
            if let (Some(key), None) = (key, &challenge) {
                let signature = hex::encode(hashed::signature(&key, &seconds, &nonce, body.as_bytes()));
                let values = [seconds.clone(), nonce.clone(), signature];
                headers.extend(hashed::HEADERS.into_iter().map(ToOwned::to_owned).zip(values));
            }
            let wants = challenge.map_or(Wants::Status, Wants::Challenge);
            let content_type = "application/json; charset=utf-8";
            let (method, query, body) = ("POST", Vec::new(), body.into_bytes());
            return Some(Dressed { method, query, headers, content_type, body, wants });
        }
        let token = setting("token")?;
        let timestamp = if seal.sealed_answer { self.clock.now().as_millisecond().to_string() } else { seconds };
        let mut query: Vec<(String, String)> = Vec::new();
        let mut add = |name: &str, value: &str| query.push((name.to_owned(), value.to_owned()));
        let clear = hex::encode(envelope::signature(&[&token, &timestamp, &nonce]));
        let content_type = if seal.xml { "text/xml" } else { "application/json" };
        let (mut body, mut wants) = (Vec::new(), Wants::Word);
        if seal.family == Family::Clear {
            add("signature", &clear);
            if seal.echo {
                add("echostr", &said);
                wants = Wants::Text(said);
            } else {
                body = said.into_bytes();
            }
        } else {
            let key = AesKey::read(&setting("encoding_aes_key")?)?;
            let receiver = self.setting(&delivery.vendor, "receiver_id").unwrap_or_default();
            let sealed = envelope::seal(&key, random::bytes::<16>(), said.as_bytes(), &receiver);
            let signature = hex::encode(envelope::signature(&[&token, &timestamp, &nonce, &sealed]));
            add("msg_signature", &signature);
            if let Some(name) = &seal.second_signature {
                add(name, if seal.clear_signature { &clear } else { &signature });
            }
            if seal.echo {
                add("echostr", &sealed);
                wants = Wants::Text(said);
            } else {
                body = outer(&arena, seal, value, &sealed)?.into_bytes();
                if seal.sealed_answer {
                    wants = Wants::Sealed { token: token.clone(), key, receiver };
                }
            }
        }
        add("timestamp", &timestamp);
        add("nonce", &nonce);
        for (name, value) in &seal.query {
            add(name, value);
        }
        let method = if seal.echo { "GET" } else { "POST" };
        Some(Dressed { method, query, headers: Vec::new(), content_type, body, wants })
    }
}

/// The body around a sealed text; in the compatible form, the clear fields stand there too.
fn outer(arena: &Arena, seal: &Seal, value: Value<'_>, sealed: &str) -> Option<String> {
    let mut entries: Vec<(&str, Value<'_>)> = if seal.beside { value.entries().to_vec() } else { Vec::new() };
    if !seal.xml {
        entries.push(("encrypt", Value::Text(sealed)));
        return Some(json::to_string(&arena.map(&entries)));
    }
    let to = value.get("ToUserName");
    if !seal.beside && !to.is_absent() {
        entries.push(("ToUserName", to));
    }
    entries.push(("Encrypt", Value::Text(sealed)));
    xml::write(&arena.map(&[("xml", arena.map(&entries))]), false).ok()
}
