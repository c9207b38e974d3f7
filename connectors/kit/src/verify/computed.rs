//! A proof that the manifest computes: what the vendor shows, and what it should be, are expressions.
//!
//! They read a request that is not believed yet, so nothing of it goes further than the comparison.

use super::WebhookError;
use super::shown::slots;
use crate::hook::instant;
use crate::inbound::InboundRequest;
use hub_expr::{Cx, EvalError, Located};
use hub_tree::{Arena, Value};
use subtle::ConstantTimeEq;

/// A proof made of expressions over the request and a secret.
#[derive(Clone, Debug)]
pub struct Computed {
    /// What the request shows: a text, or a list of which one must be right.
    pub given: Located,
    /// What it should show, for one of the secrets.
    pub wanted: Located,
    /// When it was signed, where the proof covers that: RFC 3339, or a Unix time in seconds or milliseconds.
    pub at: Option<Located>,
}

impl Computed {
    /// Checks a request against any of the secrets, in constant time.
    ///
    /// # Errors
    /// Why the request is not believed.
    pub(super) fn check(
        &self,
        request: &InboundRequest,
        secrets: &[String],
        settings: Value<'_>,
        max_skew_secs: i64,
    ) -> Result<(), WebhookError> {
        let arena = Arena::new();
        let read: Vec<_> = [&self.given, &self.wanted].into_iter().chain(&self.at).collect();
        let mut slots = slots(&arena, request, settings, &read);
        let secret_slot = slots.len();
        slots.push(Value::Absent);
        let mut cx = Cx::new(&arena, slots);
        let given: Vec<&str> = match self.given.expr.eval(&mut cx) {
            Ok(Value::Text(text)) => vec![text],
            Ok(Value::List(items)) => items.iter().filter_map(Value::as_text).collect(),
            Ok(Value::Absent) => return Err(WebhookError::MissingSignature),
            _ => Vec::new(),
        };
        if given.iter().all(|text| text.is_empty()) {
            return Err(WebhookError::MalformedSignature);
        }
        let mut good = false;
        for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
            if let Some(slot) = cx.slots.get_mut(secret_slot) {
                *slot = Value::Text(arena.text(secret));
            }
            // What lacks a part that is signed has no proof of it.
            let Some(wanted) = text(self.wanted.expr.eval(&mut cx)) else { continue };
            for shown in &given {
                good |= bool::from(wanted.as_bytes().ct_eq(shown.as_bytes()));
            }
        }
        if !good {
            return Err(WebhookError::SignatureMismatch);
        }
        let Some(at) = &self.at else { return Ok(()) };
        // The time is part of what is signed, so it is looked at only once it is believed.
        let at = at.expr.eval(&mut cx).ok().and_then(instant).ok_or(WebhookError::TimestampMissing)?;
        let apart = request.now.as_microsecond().abs_diff(at) / 1_000_000;
        if apart > max_skew_secs.unsigned_abs() { Err(WebhookError::TimestampOutOfTolerance) } else { Ok(()) }
    }
}

/// A text that is not empty.
fn text<'a>(value: Result<Value<'a>, EvalError>) -> Option<&'a str> {
    value.ok()?.as_text().filter(|text| !text.is_empty())
}
