//! Expressions of one file while they run; what goes wrong is parked with the place of the expression.

use crate::effects::Failure;
use hub_expr::{Cx, Located};
use hub_tree::jiff::Timestamp;
use hub_tree::{Arena, Source, Span, Value};

/// Evaluates expressions of one file over its slots.
pub(crate) struct Evaluation<'a> {
    pub(crate) arena: &'a Arena,
    pub(crate) cx: Cx<'a>,
    source: &'a Source,
    /// The code under which a failure is parked.
    code: &'static str,
}

impl<'a> Evaluation<'a> {
    pub(crate) fn new(arena: &'a Arena, slots: Vec<Value<'a>>, source: &'a Source, code: &'static str) -> Self {
        Self { arena, cx: Cx::new(arena, slots), source, code }
    }

    pub(crate) fn fail(&self, span: Span, message: &str) -> Failure {
        Failure::Park {
            code: self.code.to_owned(),
            reason: message.to_owned(),
            place: format!("{}:{}", self.source.path, span.start),
        }
    }

    pub(crate) fn value(&mut self, located: &'a Located) -> Result<Value<'a>, Failure> {
        located.expr.eval(&mut self.cx).map_err(|error| self.fail(located.span, &error.message))
    }

    pub(crate) fn holds(&mut self, condition: Option<&'a Located>) -> Result<bool, Failure> {
        let Some(condition) = condition else { return Ok(true) };
        match self.value(condition)? {
            Value::Bool(holds) => Ok(holds),
            value if value.is_absent() => {
                Err(self.fail(condition.span, "the condition is absent: give what it reads a default with `??`"))
            }
            value => Err(self.fail(condition.span, &format!("the condition is {}", value.kind()))),
        }
    }

    pub(crate) fn text(&mut self, located: &'a Located, what: &str) -> Result<String, Failure> {
        match self.value(located)?.scalar_text(self.arena) {
            Some(text) if !text.is_empty() => Ok(text.to_owned()),
            _ => Err(self.fail(located.span, &format!("{what} is absent"))),
        }
    }

    /// An instant: a date-time, or RFC 3339 text, as records write it.
    pub(crate) fn instant(&mut self, located: &'a Located, what: &str) -> Result<Timestamp, Failure> {
        let found = match self.value(located)? {
            Value::DateTime(at) => Some(at),
            value => value.as_text().and_then(|text| text.parse().ok()),
        };
        found.ok_or_else(|| self.fail(located.span, &format!("{what} is absent or no instant")))
    }

    /// A map of named expressions.
    pub(crate) fn map(&mut self, entries: &'a [(String, Located)]) -> Result<Value<'a>, Failure> {
        let mut values = Vec::with_capacity(entries.len());
        for (name, located) in entries {
            values.push((name.as_str(), self.value(located)?));
        }
        Ok(self.arena.map(&values))
    }
}
