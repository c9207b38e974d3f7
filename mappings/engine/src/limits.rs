//! How much a mapping may make of one payload.
//!
//! Expressions have their own budget of steps. What is counted here is the result: rules hand on parts of the payload
//! without copying them, so a few lines could make a result of any size out of a small payload.

use hub_tree::Value;

/// Most values in all that one run makes. As many as the readers take: what the hub made, it can read again.
pub const MAX_VALUES: usize = 2_000_000;

/// Most bytes of text, keys included, that one run makes; as many as the readers take.
pub const MAX_TEXT: usize = 64 << 20;

/// Deepest nesting of a record or body. The readers take 64 levels; four are left for what is laid around a record
/// when it is kept or travels.
pub const MAX_DEPTH: usize = 60;

/// Most warnings, and most errors, that one run lists; a list of 100,000 bad numbers is one problem and not 100,000.
pub const MAX_ISSUES: usize = 1_000;

/// Values that a record stands for besides its fields: its key, its rules, its place in the list.
pub(crate) const OF_A_RECORD: usize = 8;

/// Why something does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Excess {
    Values,
    Text,
    Depth,
}

impl Excess {
    pub(crate) fn message(self) -> String {
        match self {
            Self::Values => format!("the mapping makes more than {MAX_VALUES} values of one payload"),
            Self::Text => format!("the mapping makes more than {MAX_TEXT} bytes of text of one payload"),
            Self::Depth => format!("the value is nested deeper than {MAX_DEPTH} levels"),
        }
    }
}

/// What may still be made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    pub(crate) values: usize,
    pub(crate) text: usize,
}

impl Room {
    pub(crate) const WHOLE: Self = Self { values: MAX_VALUES, text: MAX_TEXT };

    /// Takes room for so many values and bytes of text.
    pub(crate) fn spend(&mut self, values: usize, text: usize) -> Result<(), Excess> {
        self.values = self.values.checked_sub(values).ok_or(Excess::Values)?;
        self.text = self.text.checked_sub(text).ok_or(Excess::Text)?;
        Ok(())
    }

    /// Takes room for a value with all below it, which lies `depth` levels down.
    pub(crate) fn take(&mut self, value: Value<'_>, depth: usize) -> Result<(), Excess> {
        match value {
            Value::Text(text) | Value::Number(text) => self.spend(1, text.len()),
            Value::List(items) => {
                self.spend(1, 0)?;
                if depth >= MAX_DEPTH {
                    return Err(Excess::Depth);
                }
                items.iter().try_for_each(|item| self.take(*item, depth + 1))
            }
            Value::Map(map) => {
                self.spend(1, 0)?;
                if depth >= MAX_DEPTH {
                    return Err(Excess::Depth);
                }
                map.entries().iter().try_for_each(|(key, value)| {
                    self.spend(0, key.len())?;
                    self.take(*value, depth + 1)
                })
            }
            // The longest decimal, date or instant takes no more.
            _ => self.spend(1, 32),
        }
    }
}

/// Whether a value is nested deeper than so many levels.
pub(crate) fn is_deeper(value: Value<'_>, levels: usize) -> bool {
    match (value, levels.checked_sub(1)) {
        (Value::List(_) | Value::Map(_), None) => true,
        (Value::List(items), Some(levels)) => items.iter().any(|item| is_deeper(*item, levels)),
        (Value::Map(map), Some(levels)) => map.entries().iter().any(|(_, value)| is_deeper(*value, levels)),
        _ => false,
    }
}
