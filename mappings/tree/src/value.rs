//! The value tree.

use crate::arena::Arena;
use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use std::fmt;

/// A tree of data that borrows from its input or from an [`Arena`]; copying one copies 24 bytes.
///
/// Numbers keep the text they were written with ([`Value::Number`]) until somebody computes with them
/// ([`Value::Decimal`]); there is no binary floating point anywhere. `Debug` shows kinds and sizes, never content.
#[derive(Clone, Copy, Default)]
pub enum Value<'a> {
    /// Nothing is there: a path that led nowhere.
    #[default]
    Absent,
    /// An explicit null (also `xsi:nil`).
    Null,
    /// True or false.
    Bool(bool),
    /// A number exactly as its source wrote it.
    Number(&'a str),
    /// A number that was computed.
    Decimal(Decimal),
    /// Text.
    Text(&'a str),
    /// A calendar day, without a zone.
    Date(Date),
    /// An instant.
    DateTime(Timestamp),
    /// Values in order.
    List(&'a [Value<'a>]),
    /// Named values in the order of their source.
    Map(Map<'a>),
}

/// The entries of a map in source order; keys are unique.
#[derive(Clone, Copy, Default)]
pub struct Map<'a>(&'a [(&'a str, Value<'a>)]);

impl<'a> Map<'a> {
    /// Wraps entries whose keys are unique.
    #[must_use]
    pub const fn new(entries: &'a [(&'a str, Value<'a>)]) -> Self {
        Self(entries)
    }

    /// The value under `key`, or [`Value::Absent`].
    #[must_use]
    pub fn get(&self, key: &str) -> Value<'a> {
        self.0.iter().find(|(k, _)| *k == key).map_or(Value::Absent, |(_, v)| *v)
    }

    /// All entries.
    #[must_use]
    pub const fn entries(&self) -> &'a [(&'a str, Value<'a>)] {
        self.0
    }
}

impl<'a> Value<'a> {
    /// What kind of value this is, in the words of error messages.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Absent => "nothing",
            Self::Null => "null",
            Self::Bool(_) => "true/false",
            Self::Number(_) | Self::Decimal(_) => "a number",
            Self::Text(_) => "text",
            Self::Date(_) => "a date",
            Self::DateTime(_) => "a date-time",
            Self::List(_) => "a list",
            Self::Map(_) => "an object",
        }
    }

    /// For reading, missing, null and `xsi:nil` are all absent.
    #[must_use]
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent | Self::Null)
    }

    /// The value under `key` of a map; absent for everything else.
    #[must_use]
    pub fn get(&self, key: &str) -> Value<'a> {
        match self {
            Self::Map(map) => map.get(key),
            _ => Value::Absent,
        }
    }

    /// The item at `index` of a list. A single value stands for a list of one, as XML readers need.
    #[must_use]
    pub fn at(&self, index: usize) -> Value<'a> {
        match self {
            Self::List(items) => items.get(index).copied().unwrap_or_default(),
            other if index == 0 => *other,
            _ => Value::Absent,
        }
    }

    /// Follows dotted keys, such as `application.current_stage.id`.
    #[must_use]
    pub fn path(&self, path: &str) -> Value<'a> {
        path.split('.').fold(*self, |value, key| value.get(key))
    }

    /// The text, if it is text.
    #[must_use]
    pub const fn as_text(&self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The items of a list; nothing for other kinds.
    #[must_use]
    pub const fn items(&self) -> &'a [Value<'a>] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    /// The entries of a map; nothing for other kinds.
    #[must_use]
    pub const fn entries(&self) -> &'a [(&'a str, Value<'a>)] {
        match self {
            Self::Map(map) => map.entries(),
            _ => &[],
        }
    }

    /// The number as an exact decimal; `None` for other kinds and for numbers that do not fit
    /// (28 digits, no rounding).
    #[must_use]
    pub fn as_decimal(&self) -> Option<Decimal> {
        match self {
            Self::Number(text) => parse_decimal(text),
            Self::Decimal(number) => Some(*number),
            _ => None,
        }
    }

    /// Text of a scalar as a person would write it: ids, codes, numbers, dates. `None` for lists, maps and nothing.
    #[must_use]
    pub fn scalar_text(&self, arena: &'a Arena) -> Option<&'a str> {
        match self {
            Self::Text(text) | Self::Number(text) => Some(text),
            Self::Bool(value) => Some(if *value { "true" } else { "false" }),
            Self::Decimal(number) => Some(arena.format(format_args!("{number}"))),
            Self::Date(date) => Some(arena.format(format_args!("{date}"))),
            Self::DateTime(at) => Some(arena.format(format_args!("{at:.3}"))),
            Self::Absent | Self::Null | Self::List(_) | Self::Map(_) => None,
        }
    }

    /// Copies the tree into another arena, so that it outlives its input.
    #[must_use]
    pub fn copy_into<'b>(&self, arena: &'b Arena) -> Value<'b> {
        match self {
            Self::Absent => Value::Absent,
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Number(text) => Value::Number(arena.text(text)),
            Self::Decimal(number) => Value::Decimal(*number),
            Self::Text(text) => Value::Text(arena.text(text)),
            Self::Date(date) => Value::Date(*date),
            Self::DateTime(at) => Value::DateTime(*at),
            Self::List(items) => {
                let items: Vec<Value<'b>> = items.iter().map(|item| item.copy_into(arena)).collect();
                arena.list(&items)
            }
            Self::Map(map) => {
                let entries: Vec<(&'b str, Value<'b>)> =
                    map.entries().iter().map(|(key, value)| (arena.text(key), value.copy_into(arena))).collect();
                arena.map(&entries)
            }
        }
    }
}

/// Reads a decimal exactly: digits, an optional fraction, an optional exponent. More than 28 digits, or a value
/// that would have to be rounded, is `None`.
#[must_use]
pub fn parse_decimal(text: &str) -> Option<Decimal> {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], text[at + 1..].parse::<i32>().ok()?),
        None => (text, 0),
    };
    let digits = mantissa.strip_prefix(['-', '+']).unwrap_or(mantissa);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return None;
    }
    let mut number = Decimal::from_str_exact(mantissa).ok()?;
    if exponent < 0 {
        let scale = number.scale().checked_add(exponent.unsigned_abs())?;
        number.set_scale(scale).ok()?;
    } else if exponent > 0 {
        let exponent = exponent.unsigned_abs();
        let within = exponent.min(number.scale());
        number.set_scale(number.scale() - within).ok()?;
        for _ in within..exponent {
            if number.is_zero() {
                break;
            }
            number = number.checked_mul(Decimal::TEN)?;
        }
    }
    Some(number)
}

/// Deep equality: numbers by value, maps without regard to order, null unlike absent.
impl PartialEq for Value<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Absent, Self::Absent) | (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Date(a), Self::Date(b)) => a == b,
            (Self::DateTime(a), Self::DateTime(b)) => a == b,
            (Self::Number(a), Self::Number(b)) if a == b => true,
            (Self::Number(_) | Self::Decimal(_), Self::Number(_) | Self::Decimal(_)) => {
                matches!((self.as_decimal(), other.as_decimal()), (Some(a), Some(b)) if a == b)
            }
            (Self::List(a), Self::List(b)) => a == b,
            (Self::Map(a), Self::Map(b)) => a.0.len() == b.0.len() && same_entries(a.0, b.0),
            _ => false,
        }
    }
}

/// Whether maps of one length hold the same; a vendor's object may have hundreds of thousands of keys.
fn same_entries<'a>(a: &[(&'a str, Value<'a>)], b: &[(&'a str, Value<'a>)]) -> bool {
    if a.iter().zip(b).all(|((one, _), (other, _))| one == other) {
        return a.iter().zip(b).all(|((_, one), (_, other))| one == other);
    }
    let sorted = |entries: &[(&'a str, Value<'a>)]| {
        let mut entries = entries.to_vec();
        entries.sort_by_key(|(key, _)| *key);
        entries
    };
    sorted(a).iter().zip(&sorted(b)).all(|((one, a), (other, b))| one == other && a == b)
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "text of {} bytes", text.len()),
            Self::List(items) => write!(f, "a list of {}", items.len()),
            Self::Map(map) => write!(f, "an object of {} keys", map.0.len()),
            other => f.write_str(other.kind()),
        }
    }
}

impl fmt::Debug for Map<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object of {} keys", self.0.len())
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}

impl From<Decimal> for Value<'_> {
    fn from(value: Decimal) -> Self {
        Self::Decimal(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact_or_refused() {
        let d = |text: &str| parse_decimal(text).map(|n| n.to_string());
        assert_eq!(d("12000.50").as_deref(), Some("12000.50"));
        assert_eq!(d("-0.1").as_deref(), Some("-0.1"));
        assert_eq!(d("1e3").as_deref(), Some("1000"));
        assert_eq!(d("1.25E-2").as_deref(), Some("0.0125"));
        assert_eq!(d("0e999999999").as_deref(), Some("0"));
        for bad in
            ["", "-", ".", "1e", "1e400", "1e-400", "0.123456789012345678901234567891", "NaN", "1,5", "1_0", " 1"]
        {
            assert_eq!(d(bad), None, "{bad}");
        }
    }

    #[test]
    fn equality_is_by_value_and_debug_shows_no_content() {
        assert_eq!(Value::Number("1.10"), Value::Decimal(parse_decimal("1.1").unwrap()));
        assert_ne!(Value::Null, Value::Absent);
        let arena = Arena::new();
        let a = arena.map(&[("x", Value::Number("1")), ("y", Value::Text("b"))]);
        let b = arena.map(&[("y", Value::Text("b")), ("x", Value::Number("1.0"))]);
        assert_eq!(a, b);
        assert_eq!(format!("{:?}", Value::Text("李娜")), "text of 6 bytes");
    }

    #[test]
    fn a_single_value_stands_for_a_list_of_one() {
        assert_eq!(Value::Text("a").at(0), Value::Text("a"));
        assert_eq!(Value::Text("a").at(1), Value::Absent);
    }
}
