//! Runs a step of a profile: one request, or one action.

use crate::profile::{AnswerShape, Keep, Let, Profile, Send, Step};
use crate::shape::render;
use crate::state::{Answer, Change, Delivery, Document, State};
use crate::wire::SendBody;
use crate::{SandboxError, Settings};
use hub_expr::{Cx, EvalError, Located};
use hub_tree::{Arena, Clock, Limits, Span, Value, json, random};
use std::fmt::Write as _;

/// A request, taken apart.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) basic: Option<(String, String)>,
    pub(crate) path: Vec<(String, String)>,
    /// JSON, or empty.
    pub(crate) body: Vec<u8>,
    /// The path below the vendor.
    pub(crate) address: String,
    /// Of XML: the element that holds the body.
    pub(crate) element: String,
    /// Of SOAP: the envelope's version and header as JSON.
    pub(crate) envelope: Vec<u8>,
    /// The body as it came, for what is signed; what is no UTF-8 is not there.
    pub(crate) text: String,
}

struct Run<'r, 'a> {
    profile: &'a Profile,
    state: &'r State,
    cx: Cx<'a>,
    arena: &'a Arena,
    /// The version of the envelope that asked.
    version: &'a str,
    now: i64,
    change: Change,
}

type Failed = (Span, EvalError);

/// Runs `guard`, then `step`, and keeps what they change.
pub(crate) fn perform(
    profile: &Profile,
    settings: Option<&Settings>,
    guard: Option<&Step>,
    step: &Step,
    asked: &Asked,
    state: &mut State,
    clock: &Clock,
) -> Result<Answer, SandboxError> {
    let arena = Arena::new();
    let now = clock.now();
    let serial = state.next_serial();
    let map = |entries: &[(String, String)]| {
        let mut out: Vec<(&str, Value<'_>)> = Vec::new();
        for (name, value) in entries {
            if !out.iter().any(|(known, _)| known == name) {
                out.push((arena.text(name), Value::Text(arena.text(value))));
            }
        }
        arena.map(&out)
    };
    let parse = |text: &[u8]| json::read(&arena, arena.bytes(text), Limits::default());
    let body = match asked.body.is_empty() {
        true => Value::Absent,
        false => match parse(&asked.body) {
            Ok(value) => value,
            Err(_) => return Ok(bad_request()),
        },
    };
    let token = random::token(32);
    let fresh = [("id", Value::Decimal((7_000_000 + serial).into())), ("token", Value::Text(&token))];
    let basic = asked.basic.as_ref().map_or(Value::Absent, |(username, password)| {
        arena.map(&[("username", Value::Text(arena.text(username))), ("password", Value::Text(arena.text(password)))])
    });
    let slots = vec![
        settings.and_then(|own| parse(own.json.as_bytes()).ok()).unwrap_or_default(),
        settings.and_then(|own| own.hook_url.as_deref()).map_or(Value::Absent, |url| Value::Text(arena.text(url))),
        Value::DateTime(now),
        arena.map(&fresh),
        map(&asked.query),
        map(&asked.headers),
        basic,
        map(&asked.path),
        body,
        Value::Text(arena.text(&asked.address)),
        Value::Text(arena.text(&asked.element)),
        parse(&asked.envelope).unwrap_or_default(),
        Value::Text(arena.text(&asked.text)),
    ];
    let mut run = Run {
        profile,
        state,
        cx: Cx::new(&arena, slots),
        arena: &arena,
        version: parse(&asked.envelope).unwrap_or_default().get("version").as_text().unwrap_or_default(),
        now: now.as_microsecond(),
        change: Change { vendor: profile.vendor.clone(), serial, ..Change::default() },
    };
    let answer = run.both(guard, step).map_err(|(span, error)| {
        let reason = format!("{}: {error}", profile.place(span));
        tracing::error!(reason, "a simulator's profile failed");
        SandboxError::Refused(reason)
    })?;
    let change = run.change;
    let keeps = !(change.effects.is_empty() && change.documents.is_empty() && change.deliveries.is_empty());
    if keeps || change.answered.is_some() {
        state.commit(change)?;
    }
    Ok(answer)
}

fn bad_request() -> Answer {
    let body = "{\"message\":\"the body is not JSON\"}".to_owned();
    Answer { status: 400, headers: Vec::new(), body }
}

impl<'a> Run<'_, 'a> {
    fn both(&mut self, guard: Option<&'a Step>, step: &'a Step) -> Result<Answer, Failed> {
        if let Some(guard) = guard {
            self.lets(&guard.lets)?;
            if let Some(refusal) = self.refusal(guard)? {
                return Ok(refusal);
            }
        }
        self.lets(&step.lets)?;
        let repeat = match &step.repeat {
            Some(located) => self.text(located)?,
            None => None,
        };
        if let Some(key) = repeat
            && let Some(answer) = self.state.answered(&self.profile.vendor, key)
        {
            return Ok(answer.clone());
        }
        if let Some(refusal) = self.refusal(step)? {
            return Ok(refusal);
        }
        for (effect, when, reference) in &step.effects {
            if self.holds(when.as_ref())? {
                let reference = self.text(reference)?.unwrap_or_default().to_owned();
                self.change.effects.push((effect.clone(), reference));
            }
        }
        for rule in &step.keeps {
            self.keep(rule)?;
        }
        self.lets(&step.then)?;
        for send in &step.sends {
            self.send(send)?;
        }
        let answer = self.answer(&step.answer, 200)?;
        if let Some(key) = repeat {
            self.change.answered = Some((key.to_owned(), answer.clone()));
        }
        Ok(answer)
    }

    fn value(&mut self, located: &'a Located) -> Result<Value<'a>, Failed> {
        located.expr.eval(&mut self.cx).map_err(|error| (located.span, error))
    }

    fn text(&mut self, located: &'a Located) -> Result<Option<&'a str>, Failed> {
        Ok(self.value(located)?.scalar_text(self.arena))
    }

    fn holds(&mut self, condition: Option<&'a Located>) -> Result<bool, Failed> {
        match condition {
            Some(located) => Ok(matches!(self.value(located)?, Value::Bool(true))),
            None => Ok(true),
        }
    }

    fn read(&self, json: &str) -> Value<'a> {
        json::read(self.arena, self.arena.bytes(json.as_bytes()), Limits::default()).unwrap_or_default()
    }

    /// A document as this very request left it.
    fn document(&self, collection: &str, key: &str) -> Option<&str> {
        let own = |document: &&Document| document.collection == collection && document.key == key;
        match self.change.documents.iter().rev().find(own) {
            Some(document) => Some(document.json.as_str()),
            None => self.state.document(&self.profile.vendor, collection, key, self.now),
        }
    }

    fn lets(&mut self, rules: &'a [Let]) -> Result<(), Failed> {
        for rule in rules {
            let value = match rule {
                Let::Value(located) => self.value(located)?,
                Let::Find { collection, key } => match self.text(key)? {
                    Some(key) => self.document(collection, key).map_or(Value::Absent, |json| self.read(json)),
                    None => Value::Absent,
                },
                Let::List { collection, under } => {
                    let prefix = match under {
                        Some(under) => format!("{}/", self.text(under)?.unwrap_or_default()),
                        None => String::new(),
                    };
                    let found = self.state.documents(&self.profile.vendor, collection, &prefix, self.now);
                    let found: Vec<Value<'a>> = found.map(|json| self.read(json)).collect();
                    self.arena.list(&found)
                }
            };
            self.cx.slots.push(value);
        }
        Ok(())
    }

    fn refusal(&mut self, step: &'a Step) -> Result<Option<Answer>, Failed> {
        for (when, shape) in &step.refuse {
            if self.holds(Some(when))? {
                return self.answer(shape, 400).map(Some);
            }
        }
        Ok(None)
    }

    fn answer(&mut self, shape: &'a AnswerShape, status: u16) -> Result<Answer, Failed> {
        let mut headers = Vec::new();
        for (name, value) in &shape.headers {
            let value = render(value, &mut self.cx)?;
            headers.push((name.clone(), value.scalar_text(self.arena).unwrap_or_default().to_owned()));
        }
        let mut status = status;
        let body = match (&shape.written, &shape.text, &shape.body) {
            (Some((span, written)), ..) => {
                status = written.status(status);
                let (body, media_type) = written.write(&mut self.cx, self.version, *span)?;
                if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
                    headers.push(("content-type".to_owned(), media_type.to_owned()));
                }
                body
            }
            (None, Some(text), _) => render(text, &mut self.cx)?.scalar_text(self.arena).unwrap_or_default().to_owned(),
            (None, None, Some(body)) => json::to_string(&body.render(&mut self.cx)?),
            (None, None, None) => String::new(),
        };
        Ok(Answer { status: shape.status.unwrap_or(status), headers, body })
    }

    fn keep(&mut self, rule: &'a Keep) -> Result<(), Failed> {
        let Some(each) = &rule.each else { return self.keep_one(rule) };
        let Value::List(items) = self.value(each)? else { return Ok(()) };
        for item in items {
            self.cx.slots.push(*item);
            let done = self.keep_one(rule);
            self.cx.slots.pop();
            done?;
        }
        Ok(())
    }

    fn keep_one(&mut self, rule: &'a Keep) -> Result<(), Failed> {
        let document = self.laid_over(rule)?;
        self.change.documents.extend(document);
        Ok(())
    }

    /// What is set, laid over the document that is there; `None` when the rule's condition does not hold.
    fn laid_over(&mut self, rule: &'a Keep) -> Result<Option<Document>, Failed> {
        if !self.holds(rule.when.as_ref())? {
            return Ok(None);
        }
        let key = self.text(&rule.key)?.unwrap_or_default().to_owned();
        let set = rule.set.render(&mut self.cx)?;
        let merged = match self.document(&rule.collection, &key) {
            Some(json) => merge(self.arena, self.read(json), set),
            None => set,
        };
        Ok(Some(Document {
            collection: rule.collection.clone(),
            key,
            json: json::to_string(&merged),
            expires_at: rule.expires_secs.map(|secs| self.now + secs * 1_000_000),
        }))
    }

    fn send(&mut self, send: &'a Send) -> Result<(), Failed> {
        if !self.holds(send.when.as_ref())? {
            return Ok(());
        }
        // Nobody listens: the vendor has no webhook configured.
        let Some(url) = self.text(&send.to)?.map(ToOwned::to_owned) else { return Ok(()) };
        let (body, media_type) = match &send.body {
            SendBody::Json(shape) => (json::to_string(&shape.render(&mut self.cx)?), None),
            SendBody::Text(text) => {
                (render(text, &mut self.cx)?.scalar_text(self.arena).unwrap_or_default().to_owned(), None)
            }
            SendBody::Written(span, written) => {
                let (body, media_type) = written.write(&mut self.cx, "1.1", *span)?;
                (body, Some(media_type))
            }
        };
        let body = if send.escape_unicode { escape_unicode(&body) } else { body };
        let mut headers = Vec::new();
        self.cx.slots.push(Value::Text(self.arena.text(&body)));
        for (name, value) in &send.headers {
            if let Some(text) = render(value, &mut self.cx)?.scalar_text(self.arena) {
                headers.push((name.to_lowercase(), text.to_owned()));
            }
        }
        self.cx.slots.pop();
        if let Some(media_type) = media_type
            && !headers.iter().any(|(name, _)| name == "content-type")
        {
            headers.push(("content-type".to_owned(), media_type.to_owned()));
        }
        let lost = match &send.lost {
            Some(rule) => self.laid_over(rule)?,
            None => None,
        };
        let id = format!("msg_{}_{}", self.change.serial, self.change.deliveries.len());
        self.change.deliveries.push(Delivery {
            id,
            vendor: self.profile.vendor.clone(),
            url,
            headers,
            body,
            sign: send.sign.clone(),
            wants: send.wants.clone(),
            due_at: self.now + send.after_ms * 1000,
            tries: 0,
            lost,
        });
        Ok(())
    }
}

/// `over` laid over `under`: maps key by key, everything else as a whole.
fn merge<'a>(arena: &'a Arena, under: Value<'a>, over: Value<'a>) -> Value<'a> {
    let (Value::Map(below), Value::Map(_)) = (under, over) else { return over };
    let mut out = below.entries().to_vec();
    for (key, value) in over.entries() {
        match out.iter_mut().find(|(known, _)| known == key) {
            Some((_, old)) => *old = merge(arena, *old, *value),
            None => out.push((key, *value)),
        }
    }
    arena.map(&out)
}

/// JSON in which everything outside ASCII is `\uXXXX`, as some vendors write it.
fn escape_unicode(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_json_is_the_same_document() {
        let escaped = escape_unicode("{\"name\":\"林晓雨 🎉\"}");
        assert_eq!(escaped, "{\"name\":\"\\u6797\\u6653\\u96e8 \\ud83c\\udf89\"}");
        assert!(escaped.is_ascii());
    }

    #[test]
    fn maps_are_laid_over_each_other_and_lists_are_not() {
        let arena = Arena::new();
        let read = |text: &str| json::read(&arena, arena.bytes(text.as_bytes()), Limits::default()).unwrap();
        let merged = merge(&arena, read(r#"{"a":{"x":1,"y":2},"l":[1,2]}"#), read(r#"{"a":{"y":3},"l":[4]}"#));
        assert_eq!(json::to_string(&merged), r#"{"a":{"x":1,"y":3},"l":[4]}"#);
    }
}
