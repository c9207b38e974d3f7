//! The language of mapping files as data: every key with what it takes, what it does, an example that the tests run,
//! and what can go wrong. The reference and the JSON Schema are made of it.

mod reference;
mod rules;
mod schema;
#[cfg(test)]
mod tests;

pub use reference::reference;
pub use rules::{EMIT, FILE_IN, FILE_OUT, LIST, PARTS, RULE};
pub use schema::{cases as case_schema, list as list_schema, mapping as mapping_schema};

/// A key that may stand in a file.
#[derive(Debug)]
pub struct Key {
    /// The key.
    pub name: &'static str,
    /// What stands behind it.
    pub takes: Takes,
    /// What it does.
    pub doc: &'static str,
    /// A rule, the payload it reads, and what it makes.
    pub example: Option<Example>,
    /// What can go wrong: codes of findings.
    pub errors: &'static [&'static str],
}

/// What stands behind a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// The number 1.
    Version,
    /// Text, such as a name.
    Text,
    /// `<vendor>/<object>`.
    Object,
    /// The name of an entity.
    Entity,
    /// True or false.
    Bool,
    /// An expression.
    Expression,
    /// An expression that is true or false.
    Condition,
    /// A path, or a list of paths of which the first that is there counts.
    Paths,
    /// A value of the field's type.
    Value,
    /// Names and expressions.
    Names,
    /// Names and entities.
    Entities,
    /// A list of names of fields.
    FieldNames,
    /// A list of paths.
    PathList,
    /// Records: a list of `emit` items.
    Emits,
    /// Fields and rules.
    Fields,
    /// A rule, or an expression.
    Rule,
    /// Their values and ours.
    Table,
    /// The name of a code list, or a map of `list`, `on`, `reverse`.
    Lookup,
    /// A named form of days and instants, or a strftime format.
    DateForm,
    /// An IANA time zone.
    Zone,
    /// One of some words.
    Word(&'static [&'static str]),
    /// A map of the parts that [`PARTS`] lists for this key; phones and e-mail addresses also as an expression.
    Parts,
    /// Codes and what they mean.
    Codes,
}

/// An example of a rule.
#[derive(Debug)]
pub struct Example {
    /// Entity and field, such as `candidate.headline`.
    pub field: &'static str,
    /// The rule.
    pub rule: &'static str,
    /// The payload, JSON.
    pub payload: &'static str,
    /// What the field becomes, JSON; empty when it is left out.
    pub gives: &'static str,
}

impl Takes {
    /// In words, for the reference.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Version => "`1`".into(),
            Self::Text => "text".into(),
            Self::Object => "`<vendor>/<object>`".into(),
            Self::Entity => "an entity".into(),
            Self::Bool => "`true` or `false`".into(),
            Self::Expression => "an expression".into(),
            Self::Condition => "an expression that is true or false".into(),
            Self::Paths => "a path, or a list of paths".into(),
            Self::Value => "a value of the field's type".into(),
            Self::Names => "names and expressions".into(),
            Self::Entities => "names and entities".into(),
            Self::FieldNames => "a list of fields".into(),
            Self::PathList => "a list of paths".into(),
            Self::Emits => "a list of records".into(),
            Self::Fields => "fields and rules".into(),
            Self::Rule => "an expression, or a rule".into(),
            Self::Table => "their values and ours".into(),
            Self::Lookup => "a code list, or `{ list, on, reverse }`".into(),
            Self::DateForm => "a form of dates".into(),
            Self::Zone => "an IANA time zone".into(),
            Self::Word(words) => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" or "),
            Self::Parts => "its parts".into(),
            Self::Codes => "codes and what they mean".into(),
        }
    }
}
