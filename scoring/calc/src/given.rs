//! Inputs that know where they stand.

use crate::exact::Exact;
use hub_tree::jiff::civil::Date;
use hub_tree::value::parse_decimal;
use hub_tree::{Arena, Value};
use std::fmt::Write;

/// What is wrong with an input: where, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail} (at {pointer})")]
pub struct Wrong {
    /// RFC 6901: where in the request.
    pub pointer: String,
    /// What is wrong, in English, with the value where it is no secret.
    pub detail: String,
}

/// An input: an object or a list of a request, and its place in it.
#[derive(Clone, Copy)]
pub struct Given<'a> {
    arena: &'a Arena,
    value: Value<'a>,
    /// Of what holds it.
    parent: &'a str,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Root,
    Key(&'a str),
    Index(usize),
}

impl<'a> Given<'a> {
    /// The whole of a request.
    #[must_use]
    pub const fn new(arena: &'a Arena, value: Value<'a>) -> Self {
        Self { arena, value, parent: "", step: Step::Root }
    }

    /// Where answers are made.
    #[must_use]
    pub const fn arena(&self) -> &'a Arena {
        self.arena
    }

    /// The value itself.
    #[must_use]
    pub const fn value(&self) -> Value<'a> {
        self.value
    }

    /// Where it stands, as a JSON pointer.
    #[must_use]
    pub fn pointer(&self) -> String {
        match self.step {
            Step::Root => String::new(),
            Step::Key(key) => joined(self.parent, key),
            Step::Index(index) => format!("{}/{index}", self.parent),
        }
    }

    /// Where a field of it stands.
    #[must_use]
    pub fn pointer_of(&self, field: &str) -> String {
        joined(&self.pointer(), field)
    }

    /// Says what is wrong with a field of it.
    #[must_use]
    pub fn wrong(&self, field: &str, detail: &str) -> Wrong {
        Wrong { pointer: self.pointer_of(field), detail: detail.to_owned() }
    }

    /// Says what is wrong with it.
    #[must_use]
    pub fn wrong_here(&self, detail: &str) -> Wrong {
        Wrong { pointer: self.pointer(), detail: detail.to_owned() }
    }

    /// The fields of an object in their order; nothing for other kinds.
    #[must_use]
    pub const fn entries(&self) -> &'a [(&'a str, Value<'a>)] {
        self.value.entries()
    }

    /// Whether a field is there and not null.
    #[must_use]
    pub fn has(&self, field: &str) -> bool {
        !self.value.get(field).is_absent()
    }

    /// A field of any kind, for those who look themselves.
    #[must_use]
    pub fn field(&self, field: &'a str) -> Self {
        let parent = if matches!(self.step, Step::Root) { "" } else { self.arena.text(&self.pointer()) };
        Self { arena: self.arena, value: self.value.get(field), parent, step: Step::Key(field) }
    }

    fn expected(&self, field: &str, wanted: &str) -> Wrong {
        match self.value.get(field) {
            Value::Absent => self.wrong(field, &format!("`{field}` is missing; {wanted} is needed")),
            Value::Null => self.wrong(field, &format!("`{field}` is null; {wanted} is needed")),
            found => self.wrong(field, &format!("`{field}` should be {wanted}, and is {}", found.kind())),
        }
    }

    /// A text.
    ///
    /// # Errors
    /// Missing, or no text.
    pub fn text(&self, field: &str) -> Result<&'a str, Wrong> {
        self.value.get(field).as_text().ok_or_else(|| self.expected(field, "text"))
    }

    /// A text that may be left out.
    ///
    /// # Errors
    /// No text.
    pub fn optional_text(&self, field: &str) -> Result<Option<&'a str>, Wrong> {
        self.has(field).then(|| self.text(field)).transpose()
    }

    /// A number, written as decimal text or as a JSON number.
    ///
    /// # Errors
    /// Missing, no number, or one of more than 28 digits.
    pub fn number(&self, field: &str) -> Result<Exact, Wrong> {
        number(self.value.get(field)).ok_or_else(|| self.expected_number(field))
    }

    fn expected_number(&self, field: &str) -> Wrong {
        match self.value.get(field) {
            Value::Text(text) => {
                self.wrong(field, &format!("`{field}` should be a number of at most 28 digits, and is `{text}`"))
            }
            _ => self.expected(field, "a number (decimal text)"),
        }
    }

    /// A number that may be left out.
    ///
    /// # Errors
    /// No number.
    pub fn optional_number(&self, field: &str) -> Result<Option<Exact>, Wrong> {
        self.has(field).then(|| self.number(field)).transpose()
    }

    /// A number with a default.
    ///
    /// # Errors
    /// No number.
    pub fn number_or(&self, field: &str, default: i64) -> Result<Exact, Wrong> {
        Ok(self.optional_number(field)?.unwrap_or_else(|| Exact::from(default)))
    }

    /// A whole number that is not negative.
    ///
    /// # Errors
    /// Missing, or anything else.
    pub fn count(&self, field: &str) -> Result<usize, Wrong> {
        let whole = self.number(field)?.to_whole().and_then(|whole| usize::try_from(whole).ok());
        whole.ok_or_else(|| self.wrong(field, &format!("`{field}` should be a whole number that is not negative")))
    }

    /// True or false.
    ///
    /// # Errors
    /// Missing, or anything else.
    pub fn flag(&self, field: &str) -> Result<bool, Wrong> {
        match self.value.get(field) {
            Value::Bool(flag) => Ok(flag),
            _ => Err(self.expected(field, "true or false")),
        }
    }

    /// True or false with a default.
    ///
    /// # Errors
    /// Anything else.
    pub fn flag_or(&self, field: &str, default: bool) -> Result<bool, Wrong> {
        if self.has(field) { self.flag(field) } else { Ok(default) }
    }

    /// A day, written as `2026-11-30`.
    ///
    /// # Errors
    /// Missing, or no day of the calendar.
    pub fn date(&self, field: &str) -> Result<Date, Wrong> {
        let text = self.text(field)?;
        let plain = text.len() == 10;
        text.parse().ok().filter(|_| plain).ok_or_else(|| {
            self.wrong(field, &format!("`{field}` should be a day of the calendar (YYYY-MM-DD), and is `{text}`"))
        })
    }

    /// An object.
    ///
    /// # Errors
    /// Missing, or anything else.
    pub fn map(&self, field: &'a str) -> Result<Self, Wrong> {
        match self.value.get(field) {
            Value::Map(_) => Ok(self.field(field)),
            _ => Err(self.expected(field, "an object")),
        }
    }

    /// An object that may be left out.
    ///
    /// # Errors
    /// Anything else.
    pub fn optional_map(&self, field: &'a str) -> Result<Option<Self>, Wrong> {
        self.has(field).then(|| self.map(field)).transpose()
    }

    /// The items of a list, each with its place.
    ///
    /// # Errors
    /// Missing, or no list.
    pub fn list(&self, field: &'a str) -> Result<impl ExactSizeIterator<Item = Self> + use<'a>, Wrong> {
        match self.value.get(field) {
            Value::List(_) => Ok(self.field(field).items()),
            _ => Err(self.expected(field, "a list")),
        }
    }

    /// The items of this list, each with its place; nothing for other kinds.
    pub fn items(&self) -> impl ExactSizeIterator<Item = Self> + use<'a> {
        let (arena, parent) = (self.arena, self.arena.text(&self.pointer()));
        let items = self.value.items().iter().enumerate();
        items.map(move |(index, value)| Self { arena, value: *value, parent, step: Step::Index(index) })
    }

    /// The named numbers of an object, in their order.
    ///
    /// # Errors
    /// Missing, no object, or one of them is no number.
    pub fn numbers(&self, field: &'a str) -> Result<Vec<(&'a str, Exact)>, Wrong> {
        let map = self.map(field)?;
        // Looking a name up takes time with the number of names; it is done for the message alone.
        map.fields().map(|(name, field)| Ok((name, field.as_number().or_else(|_| map.number(name))?))).collect()
    }

    /// The fields of this object, each with its place; nothing for other kinds.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = (&'a str, Self)> + use<'a> {
        let arena = self.arena;
        let parent = if matches!(self.step, Step::Root) { "" } else { arena.text(&self.pointer()) };
        let entries = self.value.entries().iter();
        entries.map(move |(name, value)| (*name, Self { arena, value: *value, parent, step: Step::Key(name) }))
    }

    /// The numbers of a list.
    ///
    /// # Errors
    /// Missing, no list, or one of them is no number.
    pub fn number_list(&self, field: &'a str) -> Result<Vec<Exact>, Wrong> {
        self.list(field)?.map(|item| item.as_number()).collect()
    }

    /// The texts of a list.
    ///
    /// # Errors
    /// Missing, no list, or one of them is no text.
    pub fn text_list(&self, field: &'a str) -> Result<Vec<&'a str>, Wrong> {
        self.list(field)?.map(|item| item.as_text()).collect()
    }

    /// It itself as a number.
    ///
    /// # Errors
    /// Anything else.
    pub fn as_number(&self) -> Result<Exact, Wrong> {
        number(self.value)
            .ok_or_else(|| self.wrong_here(&format!("a number is needed here, and there is {}", self.value.kind())))
    }

    /// It itself as a text.
    ///
    /// # Errors
    /// Anything else.
    pub fn as_text(&self) -> Result<&'a str, Wrong> {
        self.value
            .as_text()
            .ok_or_else(|| self.wrong_here(&format!("text is needed here, and there is {}", self.value.kind())))
    }
}

fn number(value: Value<'_>) -> Option<Exact> {
    let decimal = match value {
        Value::Text(text) => parse_decimal(text),
        value => value.as_decimal(),
    };
    decimal.map(Exact::from)
}

fn joined(parent: &str, key: &str) -> String {
    let mut pointer = format!("{parent}/");
    for character in key.chars() {
        match character {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => _ = pointer.write_char(other),
        }
    }
    pointer
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_tree::{Limits, json};

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        let arena = Arena::new();
        let text = br#"{"dims": [{"weight": "30"}, {"weight": "much"}], "a/b": {"on": "2026-02-30"}, "n": null}"#;
        let given = Given::new(&arena, json::read(&arena, text, Limits::default()).unwrap());
        let dims: Vec<Given<'_>> = given.list("dims").unwrap().collect();
        assert_eq!(dims[0].number("weight").unwrap(), Exact::from(30));
        let wrong = dims[1].number("weight").unwrap_err();
        assert_eq!(wrong.pointer, "/dims/1/weight");
        assert!(wrong.detail.contains("`much`"), "{wrong}");
        assert_eq!(given.map("a/b").unwrap().date("on").unwrap_err().pointer, "/a~1b/on");
        let (name, first) = given.fields().next().unwrap();
        assert_eq!((name, first.pointer().as_str(), first.items().len()), ("dims", "/dims", 2));
        assert_eq!(given.numbers("a/b").unwrap_err().pointer, "/a~1b/on");
        assert_eq!(given.field("a/b").fields().next().unwrap().1.pointer(), "/a~1b/on");
        assert_eq!(given.optional_number("n").unwrap(), None);
        assert!(given.number("n").unwrap_err().detail.contains("null"));
        assert!(given.text("gone").unwrap_err().detail.contains("missing"));
    }
}
