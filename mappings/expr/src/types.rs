//! Static types: what a checker knows about a value before anything runs.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// A static type. [`Type::Any`] is what vendors' payloads are: checked when they run.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    /// Not known before it runs.
    Any,
    /// The literal `null`.
    Nothing,
    /// True or false.
    Bool,
    /// An exact number.
    Number,
    /// Text.
    Text,
    /// A calendar day.
    Date,
    /// An instant.
    DateTime,
    /// A list.
    List(Arc<Type>),
    /// An object whose keys are known.
    Record(Arc<RecordType>),
    /// A canonical enum: an object `{value, raw, label}` that compares like its value.
    Enum(Arc<EnumType>),
}

/// The keys of an object and their types.
#[derive(Debug, PartialEq)]
pub struct RecordType {
    /// What the object is called in messages.
    pub name: String,
    /// Keys and types; other keys do not exist.
    pub fields: BTreeMap<String, Type>,
}

/// The values of an enum.
#[derive(Debug, PartialEq)]
pub struct EnumType {
    /// What the enum is called in messages.
    pub name: String,
    /// Its wire values.
    pub values: Vec<String>,
}

impl Type {
    /// A list of `item`.
    #[must_use]
    pub fn list(item: Type) -> Self {
        Self::List(Arc::new(item))
    }

    /// An object with exactly these keys.
    #[must_use]
    pub fn record<'a>(name: &str, fields: impl IntoIterator<Item = (&'a str, Type)>) -> Self {
        let fields = fields.into_iter().map(|(key, ty)| (key.to_owned(), ty)).collect();
        Self::Record(Arc::new(RecordType { name: name.to_owned(), fields }))
    }

    /// The type of a list's items; `Any` when it is not known.
    #[must_use]
    pub fn item(&self) -> Type {
        match self {
            Self::List(item) => (**item).clone(),
            _ => Self::Any,
        }
    }

    /// Whether a value of this type could be one of `wanted`.
    #[must_use]
    pub fn may_be(&self, wanted: &Type) -> bool {
        match (self, wanted) {
            (Self::Any | Self::Nothing, _) | (_, Self::Any | Self::Nothing) | (Self::Enum(_), Self::Text) => true,
            (Self::List(a), Self::List(b)) => a.may_be(b),
            (Self::Record(_), Self::Record(_)) | (Self::Enum(_), Self::Enum(_)) => true,
            (a, b) => a == b,
        }
    }

    /// Whether it is one value that can be written as text.
    #[must_use]
    pub fn may_be_scalar(&self) -> bool {
        !matches!(self, Self::List(_) | Self::Record(_))
    }

    /// The one type that covers both, or `None` when they do not go together.
    #[must_use]
    pub fn unify(&self, other: &Type) -> Option<Type> {
        match (self, other) {
            (a, b) if a == b => Some(a.clone()),
            (Self::Nothing, other) | (other, Self::Nothing) => Some(other.clone()),
            (Self::Any, _) | (_, Self::Any) => Some(Self::Any),
            (Self::Enum(_), Self::Text | Self::Enum(_)) | (Self::Text, Self::Enum(_)) => Some(Self::Text),
            (Self::List(a), Self::List(b)) => Some(Self::list(a.unify(b)?)),
            (Self::Record(_), Self::Record(_)) => Some(Self::Any),
            _ => None,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::Nothing => f.write_str("null"),
            Self::Bool => f.write_str("true/false"),
            Self::Number => f.write_str("number"),
            Self::Text => f.write_str("text"),
            Self::Date => f.write_str("date"),
            Self::DateTime => f.write_str("date-time"),
            Self::List(item) if **item == Self::Any => f.write_str("list"),
            Self::List(item) => write!(f, "list of {item}"),
            Self::Record(record) => f.write_str(&record.name),
            Self::Enum(of) => f.write_str(&of.name),
        }
    }
}
