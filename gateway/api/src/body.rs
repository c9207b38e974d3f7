//! Bodies of requests: one JSON object, whose every key is known; and the key by which a request is known again.

use crate::problem::Problem;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::HeaderMap;
use hub_tree::finding::suggest;
use serde_json::{Map, Value};
use std::time::Duration;

/// Longest body of a request that changes something.
const MAX_BYTES: usize = 256 << 10;
/// Longest `Idempotency-Key`.
const LONGEST_KEY: usize = 200;
/// How long it may take to arrive.
const WITHIN: Duration = Duration::from_secs(30);

/// The fields of a body that were not looked at yet.
pub(crate) struct Fields(Map<String, Value>);

/// Reads the bytes of a body.
pub(crate) async fn bytes(body: Body) -> Result<Bytes, Problem> {
    bytes_up_to(MAX_BYTES, body).await
}

/// Reads the bytes of a body that may be so long.
pub(crate) async fn bytes_up_to(most: usize, body: Body) -> Result<Bytes, Problem> {
    let read = tokio::time::timeout(WITHIN, to_bytes(body, most)).await.map_err(|_| Problem::slow_body())?;
    read.map_err(|_| Problem::long_body(most))
}

/// The `Idempotency-Key` of a request.
pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(key) = headers.get("idempotency-key") else { return Ok(None) };
    let key = key.to_str().ok().filter(|key| !key.is_empty() && key.len() <= LONGEST_KEY);
    let detail = format!("an `Idempotency-Key` has 1 to {LONGEST_KEY} printable characters");
    key.map(|key| Some(key.to_owned())).ok_or_else(|| Problem::bad_parameter("Idempotency-Key", detail, None))
}

/// Refuses what no store keeps in a text.
pub(crate) fn without_nul(value: &Value) -> Result<(), Problem> {
    match value {
        Value::String(text) if text.contains('\0') => Err(Problem::malformed("a text in the body holds a NUL")),
        Value::Array(items) => items.iter().try_for_each(without_nul),
        Value::Object(fields) => fields.values().try_for_each(without_nul),
        _ => Ok(()),
    }
}

/// Reads a body.
pub(crate) async fn fields(body: Body) -> Result<Fields, Problem> {
    let value = serde_json::from_slice(&bytes(body).await?);
    value.as_ref().map_or(Ok(()), without_nul)?;
    match value {
        Ok(Value::Object(fields)) => Ok(Fields(fields)),
        Ok(_) => Err(Problem::malformed("the body is no JSON object")),
        Err(error) => {
            let place = format!("line {}, column {}", error.line(), error.column());
            Err(Problem::malformed(format!("the body is no JSON ({place})")))
        }
    }
}

impl Fields {
    /// A field; null is as good as absent.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }

    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>, Problem> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Problem::invalid_body(&format!("/{name}"), format!("`{name}` is text"))),
        }
    }

    pub(crate) fn texts(&mut self, name: &str) -> Result<Option<Vec<String>>, Problem> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let wrong = |at: String| Problem::invalid_body(&at, format!("`{name}` is a list of texts"));
        let Value::Array(items) = value else { return Err(wrong(format!("/{name}"))) };
        let read = |(index, item): (usize, Value)| match item {
            Value::String(text) => Ok(text),
            _ => Err(wrong(format!("/{name}/{index}"))),
        };
        items.into_iter().enumerate().map(read).collect::<Result<_, _>>().map(Some)
    }

    pub(crate) fn flag(&mut self, name: &str) -> Result<Option<bool>, Problem> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(_) => Err(Problem::invalid_body(&format!("/{name}"), format!("`{name}` is true or false"))),
        }
    }

    /// A whole number from 0 on.
    pub(crate) fn whole(&mut self, name: &str, most: i64) -> Result<Option<i64>, Problem> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let detail = format!("`{name}` is a whole number from 0 to {most}");
        let number = value.as_i64().filter(|number| (0..=most).contains(number));
        number.map(Some).ok_or_else(|| Problem::invalid_body(&format!("/{name}"), detail))
    }

    /// Refuses what is left.
    pub(crate) fn finish(self, known: &[&str]) -> Result<(), Problem> {
        let Some(name) = self.0.into_iter().find(|(name, _)| !known.contains(&name.as_str())).map(|(name, _)| name)
        else {
            return Ok(());
        };
        let near = suggest(&name, known.iter().copied()).map(|near| format!("; {near}")).unwrap_or_default();
        let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
        Err(Problem::invalid_body(&pointer, format!("unknown field `{name}`{near}")))
    }
}
