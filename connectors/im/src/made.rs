//! Requests as the platforms would make them, from a connection's own settings: what the hub opens of them shows whether
//! the settings fit together, before the vendor has sent anything.

use crate::callback::{random16, receiver_ids};
use crate::envelope::{self, AesKey};
use crate::hashed;
use hub_kit::{Connection, InboundRequest};
use hub_tree::jiff::Timestamp;
use hub_tree::{Arena, Value, json, random};

/// A message in the shared envelope; `None` when token, key or receiver is missing or unusable.
pub(crate) fn enveloped(
    connection: &Connection,
    receivers: &[&str],
    body: &[u8],
    now: Timestamp,
) -> Option<InboundRequest> {
    let first = |name: &str| connection.setting_list(name).into_iter().find(|text| !text.is_empty());
    let (token, key) = (first("token")?, AesKey::read(&first("encoding_aes_key")?)?);
    let receiver = receiver_ids(connection, receivers).into_iter().next()?;
    let sealed = envelope::seal(&key, random16(), body, &receiver);
    let (timestamp, nonce) = (now.as_second().to_string(), random::token(8));
    let signature = hex::encode(envelope::signature(&[&token, &timestamp, &nonce, &sealed]));
    let query = [("msg_signature", signature), ("timestamp", timestamp), ("nonce", nonce)];
    let mut query: Vec<(String, String)> = query.map(|(name, value)| (name.to_owned(), value)).into();
    query.push(("encrypt_type".to_owned(), "aes".to_owned()));
    Some(post(query, Vec::new(), outer(&sealed), now))
}

/// A signed clear message, whose signature covers the query alone.
pub(crate) fn clear(connection: &Connection, body: &[u8], now: Timestamp) -> Option<InboundRequest> {
    let token = connection.setting_list("token").into_iter().find(|text| !text.is_empty())?;
    let (timestamp, nonce) = (now.as_second().to_string(), random::token(8));
    let signature = hex::encode(envelope::signature(&[&token, &timestamp, &nonce]));
    let query = [("signature", signature), ("timestamp", timestamp), ("nonce", nonce)];
    let query = query.map(|(name, value)| (name.to_owned(), value)).into();
    Some(post(query, Vec::new(), body.to_vec(), now))
}

/// A check of the address, sealed and signed with the Encrypt Key, or clear without one.
pub(crate) fn challenge(connection: &Connection, now: Timestamp) -> Option<InboundRequest> {
    let first = |name: &str| connection.setting_list(name).into_iter().find(|text| !text.is_empty());
    let (key, token) = (first("encrypt_key"), first("verification_token"));
    if key.is_none() && token.is_none() {
        return None;
    }
    let arena = Arena::new();
    let mut fields = vec![("challenge", Value::Text("x")), ("type", Value::Text("url_verification"))];
    fields.extend(token.as_deref().map(|token| ("token", Value::Text(token))));
    let clear = json::to_string(&arena.map(&fields)).into_bytes();
    let Some(key) = key else { return Some(post(Vec::new(), Vec::new(), clear, now)) };
    let body = outer(&hashed::seal(&key, random16(), &clear));
    let (timestamp, nonce) = (now.as_second().to_string(), random::token(8));
    let signature = hex::encode(hashed::signature(&key, &timestamp, &nonce, &body));
    let headers =
        [("x-lark-request-timestamp", timestamp), ("x-lark-request-nonce", nonce), ("x-lark-signature", signature)];
    Some(post(Vec::new(), headers.map(|(name, value)| (name.to_owned(), value)).into(), body, now))
}

fn outer(sealed: &str) -> Vec<u8> {
    let arena = Arena::new();
    json::to_string(&arena.map(&[("encrypt", Value::Text(sealed))])).into_bytes()
}

fn post(query: Vec<(String, String)>, headers: Vec<(String, String)>, body: Vec<u8>, now: Timestamp) -> InboundRequest {
    InboundRequest { method: "POST".to_owned(), query, headers, body, now }
}
