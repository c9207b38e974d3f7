//! What a calculation gives back.

use crate::exact::Exact;
use hub_expr::Explain;
use hub_tree::{Arena, Limits, Value, json};

/// The fields of an answer in the order in which they were added, why each is what it is, and what to beware of.
pub struct Answer<'a> {
    arena: &'a Arena,
    fields: Vec<(&'a str, Value<'a>)>,
    because: Vec<Explain>,
    warnings: Vec<Value<'a>>,
}

impl<'a> Answer<'a> {
    /// An answer without fields.
    #[must_use]
    pub const fn new(arena: &'a Arena) -> Self {
        Self { arena, fields: Vec::new(), because: Vec::new(), warnings: Vec::new() }
    }

    /// Adds a field.
    #[must_use]
    pub fn with(mut self, field: &str, value: Value<'a>) -> Self {
        self.fields.push((self.arena.text(field), value));
        self
    }

    /// Adds a text.
    #[must_use]
    pub fn text(self, field: &str, text: &str) -> Self {
        let text = Value::Text(self.arena.text(text));
        self.with(field, text)
    }

    /// Adds a number as decimal text with exactly so many places, halves away from zero.
    #[must_use]
    pub fn number(self, field: &str, number: &Exact, places: u32) -> Self {
        self.text(field, &number.to_places(places))
    }

    /// Adds a whole number.
    #[must_use]
    pub fn count(self, field: &str, count: usize) -> Self {
        let count = Value::Decimal(count.into());
        self.with(field, count)
    }

    /// Adds true or false.
    #[must_use]
    pub fn flag(self, field: &str, flag: bool) -> Self {
        self.with(field, Value::Bool(flag))
    }

    /// Adds a list of texts.
    #[must_use]
    pub fn texts<T: AsRef<str>>(self, field: &str, texts: &[T]) -> Self {
        let texts: Vec<Value<'a>> = texts.iter().map(|text| Value::Text(self.arena.text(text.as_ref()))).collect();
        let list = self.arena.list(&texts);
        self.with(field, list)
    }

    /// Adds an object of texts.
    #[must_use]
    pub fn named<T: AsRef<str>>(self, field: &str, texts: &[(&str, T)]) -> Self {
        let entry = |(name, text): &(&str, T)| (self.arena.text(name), Value::Text(self.arena.text(text.as_ref())));
        let entries: Vec<(&'a str, Value<'a>)> = texts.iter().map(entry).collect();
        let map = self.arena.map(&entries);
        self.with(field, map)
    }

    /// Adds a step that tells why the answer is what it is.
    #[must_use]
    pub fn because(mut self, step: Explain) -> Self {
        self.because.push(step);
        self
    }

    /// Adds something to beware of, at a place of the request.
    pub fn warn(&mut self, pointer: &str, detail: &str) {
        let text = |text: &str| Value::Text(self.arena.text(text));
        let warning = self.arena.map(&[("pointer", text(pointer)), ("detail", text(detail))]);
        self.warnings.push(warning);
    }

    /// The answer as a tree: the fields, then `explain` and `warnings` where there are any.
    #[must_use]
    pub fn finish(mut self) -> Value<'a> {
        if !self.because.is_empty() {
            let steps: Vec<Value<'a>> = self.because.iter().map(|step| tree(self.arena, step)).collect();
            self.fields.push(("explain", self.arena.list(&steps)));
        }
        if !self.warnings.is_empty() {
            self.fields.push(("warnings", self.arena.list(&self.warnings)));
        }
        self.arena.map(&self.fields)
    }
}

/// A step as data: `text`, `path`, `value`, `because`.
fn tree<'a>(arena: &'a Arena, step: &Explain) -> Value<'a> {
    let mut fields = vec![("text", Value::Text(arena.text(&step.text)))];
    if let Some(path) = &step.path {
        fields.push(("path", Value::Text(arena.text(path))));
    }
    let value = step.value.as_ref().map(|value| arena.bytes(value.as_bytes()));
    let value = value.and_then(|value| json::read(arena, value, Limits::default()).ok());
    fields.push(("value", value.unwrap_or(Value::Null)));
    if !step.because.is_empty() {
        let steps: Vec<Value<'a>> = step.because.iter().map(|step| tree(arena, step)).collect();
        fields.push(("because", arena.list(&steps)));
    }
    arena.map(&fields)
}
