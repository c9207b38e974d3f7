//! Dated rule packs: what law and authorities change is data in `scoring/models/packs/*.yaml`, never code.
//!
//! A pack has three kinds of entry, each a list of versions with a first day, mostly a last day (both included) and a
//! source: `brackets` (progressive tables), `numbers`, and `rows` (tables of named cells). A day that no version covers
//! is refused ([`NoRule`]); rules of another time are never taken instead.

mod read;

use hub_calc::{Exact, Given, Wrong};
use hub_tree::jiff::civil::Date;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::OnceLock;

/// There is no rule for a day.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct NoRule {
    /// What was looked for, when, and when there are rules.
    pub detail: String,
}

impl NoRule {
    /// The same, blamed on the field of a request that named the day.
    #[must_use]
    pub fn at(&self, given: Given<'_>, field: &str) -> Wrong {
        given.wrong(field, &self.detail)
    }
}

/// A rule and the days on which it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version<T> {
    /// The first day.
    pub from: Date,
    /// The last day; `None` while no end is known.
    pub to: Option<Date>,
    /// The law or notice, for explanations.
    pub source: String,
    /// The rule.
    pub rule: T,
}

impl<T> Version<T> {
    /// Whether it holds on a day.
    #[must_use]
    pub fn holds(&self, on: Date) -> bool {
        self.from <= on && self.to.is_none_or(|last| on <= last)
    }
}

/// The days of a version: `2019-01-01 to 2027-12-31`, `from 2019-01-01`.
impl<T> fmt::Display for Version<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to {
            Some(to) => write!(f, "{} to {to}", self.from),
            None => write!(f, "from {}", self.from),
        }
    }
}

/// A band of a progressive table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Band {
    /// Where it ends, itself included; `None` for the last.
    pub up_to: Option<Exact>,
    /// Per cent.
    pub percent: Exact,
    /// The quick deduction: what `amount × rate` is too much, because lower bands have lower rates.
    pub less: Exact,
}

impl Band {
    /// The rate as a fraction of one.
    #[must_use]
    pub fn rate(&self) -> Exact {
        share(&self.percent)
    }

    /// `amount × rate − quick deduction`.
    #[must_use]
    pub fn tax(&self, amount: &Exact) -> Exact {
        amount * &self.rate() - self.less.clone()
    }
}

/// Per cent as a fraction of one.
#[must_use]
pub fn share(percent: &Exact) -> Exact {
    // A hundred is not nothing.
    percent.over(&Exact::hundred()).unwrap_or_else(Exact::zero)
}

/// A progressive table: bands with rising ends, the last without end, continuous where they meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brackets {
    /// All bands but the last.
    bands: Vec<Band>,
    last: Band,
}

impl Brackets {
    /// The band of an amount; the end of a band belongs to it, and what is not above nothing is in the first.
    #[must_use]
    pub fn band(&self, amount: &Exact) -> &Band {
        let ends = |band: &&Band| band.up_to.as_ref().is_none_or(|up_to| amount <= up_to);
        self.bands.iter().find(ends).unwrap_or(&self.last)
    }

    /// The tax on an amount, not rounded; nothing on what is not above nothing.
    #[must_use]
    pub fn tax(&self, amount: &Exact) -> Exact {
        if amount.is_positive() { self.band(amount).tax(amount) } else { Exact::zero() }
    }

    /// All bands in their order.
    pub fn bands(&self) -> impl Iterator<Item = &Band> {
        self.bands.iter().chain([&self.last])
    }
}

/// A row of a table of a pack: named cells, each a number or a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row(Vec<(String, Cell)>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Cell {
    Number(Exact),
    Word(String),
}

impl Row {
    fn cell(&self, name: &str) -> Option<&Cell> {
        self.0.iter().find(|(found, _)| found == name).map(|(_, cell)| cell)
    }

    /// The number in a cell.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<&Exact> {
        match self.cell(name)? {
            Cell::Number(number) => Some(number),
            Cell::Word(_) => None,
        }
    }

    /// The word in a cell.
    #[must_use]
    pub fn word(&self, name: &str) -> Option<&str> {
        match self.cell(name)? {
            Cell::Word(word) => Some(word),
            Cell::Number(_) => None,
        }
    }
}

/// The entries of one kind by name, each with its versions in the order of time.
type Dated<T> = BTreeMap<String, Vec<Version<T>>>;

/// The rules of a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pack {
    /// Its name: that of its file.
    pub id: String,
    /// ISO 4217.
    pub currency: String,
    brackets: Dated<Brackets>,
    numbers: Dated<Exact>,
    rows: Dated<Vec<Row>>,
}

impl Pack {
    /// A pack that ships with the program.
    ///
    /// # Errors
    /// There is none of this name, or it cannot be read.
    pub fn load(id: &str) -> Result<&'static Self, NoRule> {
        let all = crate::china::PACKS.iter().chain(crate::elsewhere::PACKS);
        for embedded in all {
            let pack = embedded.pack()?;
            if pack.id == id {
                return Ok(pack);
            }
        }
        Err(NoRule { detail: format!("there is no rule pack `{id}`") })
    }

    /// The text of the file of a pack that ships with the program.
    #[must_use]
    pub fn text(id: &str) -> Option<&'static str> {
        let all = crate::china::PACKS.iter().chain(crate::elsewhere::PACKS);
        all.copied().find(|embedded| embedded.pack().is_ok_and(|pack| pack.id == id)).map(|embedded| embedded.text)
    }

    /// Reads a pack; `path` is for messages alone.
    ///
    /// # Errors
    /// All that is wrong with it, a line each with its place.
    pub fn read(path: &str, text: &str) -> Result<Self, NoRule> {
        read::pack(path, text).map_err(|detail| NoRule { detail })
    }

    /// A progressive table as of a day.
    ///
    /// # Errors
    /// No version holds on that day.
    pub fn brackets(&self, name: &str, on: Date) -> Result<&Version<Brackets>, NoRule> {
        self.find(&self.brackets, name, on)
    }

    /// A number as of a day.
    ///
    /// # Errors
    /// No version holds on that day.
    pub fn number(&self, name: &str, on: Date) -> Result<&Version<Exact>, NoRule> {
        self.find(&self.numbers, name, on)
    }

    /// A table of rows as of a day.
    ///
    /// # Errors
    /// No version holds on that day.
    pub fn rows(&self, name: &str, on: Date) -> Result<&Version<Vec<Row>>, NoRule> {
        self.find(&self.rows, name, on)
    }

    /// The names of its tables of rows.
    pub fn row_names(&self) -> impl Iterator<Item = &str> {
        self.rows.keys().map(String::as_str)
    }

    /// The day on which its rules last changed: what to go by where a request names no day.
    #[must_use]
    pub fn newest(&self) -> Date {
        fn latest<T>(of: &Dated<T>) -> Option<Date> {
            of.values().flatten().map(|version| version.from).max()
        }
        let days = [latest(&self.brackets), latest(&self.numbers), latest(&self.rows)];
        days.into_iter().flatten().max().unwrap_or(Date::ZERO)
    }

    /// The last day that any of its rules names. An open rule that is asked for a later day may have ended unnoticed.
    #[must_use]
    pub fn known_until(&self) -> Date {
        fn last<T>(of: &Dated<T>) -> Option<Date> {
            of.values().flatten().map(|version| version.to.unwrap_or(version.from)).max()
        }
        let days = [last(&self.brackets), last(&self.numbers), last(&self.rows)];
        days.into_iter().flatten().max().unwrap_or(Date::ZERO)
    }

    fn find<'p, T>(&self, all: &'p Dated<T>, name: &str, on: Date) -> Result<&'p Version<T>, NoRule> {
        let versions = all.get(name).map(Vec::as_slice).unwrap_or_default();
        versions.iter().find(|version| version.holds(on)).ok_or_else(|| {
            let known: Vec<String> = versions.iter().map(ToString::to_string).collect();
            let known = if known.is_empty() { "for no day".to_owned() } else { known.join("; ") };
            let name = name.replace('_', " ");
            NoRule {
                detail: format!("pack `{}` has no rule for `{name}` on the date {on}; it has one {known}", self.id),
            }
        })
    }
}

/// A pack inside the program, read when it is first used.
pub struct Embedded {
    path: &'static str,
    text: &'static str,
    pack: OnceLock<Result<Pack, NoRule>>,
}

impl Embedded {
    /// A pack from the text of its file.
    #[must_use]
    pub const fn new(path: &'static str, text: &'static str) -> Self {
        Self { path, text, pack: OnceLock::new() }
    }

    /// The pack.
    ///
    /// # Errors
    /// It cannot be read; a test reads all that ship.
    pub fn pack(&'static self) -> Result<&'static Pack, NoRule> {
        self.pack.get_or_init(|| Pack::read(self.path, self.text)).as_ref().map_err(Clone::clone)
    }
}

#[cfg(test)]
mod tests;
