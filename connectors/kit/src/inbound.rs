//! What comes in from a vendor, and how it is kept.

use futures::future::ready;
use futures::{FutureExt, stream};
use hub_tree::jiff::Timestamp;
use hub_tree::{Arena, Limits, Value, json};
use std::convert::Infallible;

/// An HTTP request as received.
#[derive(Clone, Debug)]
pub struct InboundRequest {
    /// `POST`.
    pub method: String,
    /// The decoded parameters of the address, in order.
    pub query: Vec<(String, String)>,
    /// The headers by lower-case name, in order.
    pub headers: Vec<(String, String)>,
    /// The body, byte for byte.
    pub body: Vec<u8>,
    /// When it was received.
    pub now: Timestamp,
}

impl InboundRequest {
    /// The first header of this name, which is given in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The fields of a body that is a form, in order: `application/x-www-form-urlencoded`, or `multipart/form-data` of
    /// text. Empty when it is none, or cannot be read to its end.
    #[must_use]
    pub fn form(&self) -> Vec<(String, String)> {
        let media = self.header("content-type").unwrap_or_default();
        if media.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded") {
            let pairs = url::form_urlencoded::parse(&self.body);
            return pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        }
        let Ok(boundary) = multer::parse_boundary(media) else { return Vec::new() };
        let whole = stream::once(ready(Ok::<_, Infallible>(self.body.clone())));
        // All of it is here: there is nothing to wait for.
        fields(multer::Multipart::new(whole, boundary)).now_or_never().flatten().unwrap_or_default()
    }
}

async fn fields(mut form: multer::Multipart<'_>) -> Option<Vec<(String, String)>> {
    let mut found = Vec::new();
    while let Some(field) = form.next_field().await.ok()? {
        let name = field.name().unwrap_or_default().to_owned();
        found.push((name, field.text().await.ok()?));
    }
    Some(found)
}

/// Headers that are never kept: they carry proofs and credentials.
const NEVER_KEPT: &[&str] = &["authorization", "cookie", "proxy-authorization", "signature"];

/// A payload with the headers that mappings may read, as one run of bytes to be sealed: a line of JSON, then the body
/// as received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawEnvelope {
    /// When it was received, µs.
    pub received_at: i64,
    /// Kept headers by lower-case name.
    pub headers: Vec<(String, String)>,
    /// The body, verified and decrypted.
    pub body: Vec<u8>,
}

impl RawEnvelope {
    /// Keeps of a verified request what `keep` names, and nothing that proves or authenticates.
    #[must_use]
    pub fn of(request: &InboundRequest, keep: &[String]) -> Self {
        let wanted = |name: &str| {
            keep.iter().any(|kept| kept == name) && !NEVER_KEPT.contains(&name) && !name.ends_with("-signature")
        };
        let headers = request.headers.iter().filter(|(name, _)| wanted(name)).cloned().collect();
        Self { received_at: request.now.as_microsecond(), headers, body: request.body.clone() }
    }

    /// The bytes to seal.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let arena = Arena::new();
        let entries: Vec<(&str, Value<'_>)> = self.headers.iter().map(|(k, v)| (k.as_str(), Value::Text(v))).collect();
        let received_at = Value::Decimal(self.received_at.into());
        let head = arena.map(&[("received_at", received_at), ("headers", arena.map(&entries))]);
        let mut out = json::to_string(&head).into_bytes();
        out.push(b'\n');
        out.extend_from_slice(&self.body);
        out
    }

    /// Reads what [`RawEnvelope::encode`] wrote; `None` when it did not write these bytes.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let arena = Arena::new();
        let head = json::read(&arena, &bytes[..end], Limits::default()).ok()?;
        let headers = head.get("headers").entries().iter();
        let headers = headers.filter_map(|(k, v)| Some(((*k).to_owned(), v.as_text()?.to_owned()))).collect();
        let received_at = i64::try_from(head.get("received_at").as_decimal()?).ok()?;
        Some(Self { received_at, headers, body: bytes[end + 1..].to_vec() })
    }

    /// The headers as a value for expressions.
    pub fn headers_value<'a>(&self, arena: &'a Arena) -> Value<'a> {
        let mut entries: Vec<(&'a str, Value<'a>)> = Vec::new();
        for (name, value) in &self.headers {
            if !entries.iter().any(|(known, _)| known == name) {
                entries.push((arena.text(name), Value::Text(arena.text(value))));
            }
        }
        arena.map(&entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_read_whole_or_not_at_all() {
        let form = |media: &str, body: &str| {
            let headers = vec![("content-type".to_owned(), media.to_owned())];
            let now = Timestamp::UNIX_EPOCH;
            InboundRequest { method: "POST".into(), query: vec![], headers, body: body.into(), now }.form()
        };
        let one = |value: &str| vec![("json".to_owned(), value.to_owned())];
        assert_eq!(
            form("application/x-www-form-urlencoded; charset=utf-8", "json=%7B%22a+b%22%3A1%7D"),
            one("{\"a b\":1}")
        );
        let body = "--x-1\r\nContent-Disposition: form-data; name=\"json\"\r\n\r\n{\"名\":1}\r\n--x-1--\r\n";
        assert_eq!(form("multipart/form-data; boundary=x-1", body), one("{\"名\":1}"));
        assert_eq!(form("multipart/form-data; boundary=x-1", &body[..60]), []);
        assert_eq!(form("multipart/form-data", body), []);
        assert_eq!(form("application/json", "json=1"), []);
    }

    #[test]
    fn proofs_are_not_kept_and_the_body_survives_byte_for_byte() {
        let header = |name: &str| (name.to_owned(), "v\n\"".to_owned());
        let request = InboundRequest {
            method: "POST".into(),
            query: vec![],
            headers: vec![header("signature"), header("x-event"), header("authorization"), header("webhook-signature")],
            body: b"line\nline \xff".to_vec(),
            now: Timestamp::UNIX_EPOCH,
        };
        let keep = ["signature", "x-event", "authorization", "webhook-signature"].map(str::to_owned);
        let envelope = RawEnvelope::of(&request, &keep);
        assert_eq!(envelope.headers, [header("x-event")]);
        assert_eq!(RawEnvelope::decode(&envelope.encode()), Some(envelope));
        assert_eq!(RawEnvelope::decode(b"no line"), None);
    }
}
