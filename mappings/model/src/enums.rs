//! Enum values as documents write them: `{ "value": "OFFER", "raw": "Offer sent" }`.

use crate::describe::{EnumType, ModelType, Type};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A Rust enum with wire values.
pub trait EnumOf: Copy + PartialEq + 'static {
    /// The description.
    const ENUM: &'static EnumType;
    /// The wire value.
    fn as_str(self) -> &'static str;
    /// The variant of a wire value.
    fn from_wire(text: &str) -> Option<Self>;
}

/// A value of an enum, with what the source wrote and how to show it.
///
/// Readers must accept values that they do not know: an unknown one reads as `OTHER` and keeps its text in `raw`.
#[derive(Clone, Debug, PartialEq)]
pub struct Enum<T> {
    /// The value.
    pub value: T,
    /// What the vendor sent.
    pub raw: Option<String>,
    /// How to show it.
    pub label: Option<String>,
}

impl<T> Enum<T> {
    /// A value of the hub's own, without a raw text.
    pub const fn of(value: T) -> Self {
        Self { value, raw: None, label: None }
    }

    /// A value with the text to show for it.
    pub fn labelled(value: T, label: impl Into<String>) -> Self {
        Self { value, raw: None, label: Some(label.into()) }
    }
}

impl<T: EnumOf> ModelType for Enum<T> {
    const TYPE: &'static Type = &Type::Enum(T::ENUM);
}

#[derive(Serialize, Deserialize)]
struct Wire<'a> {
    value: std::borrow::Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw: Option<std::borrow::Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<std::borrow::Cow<'a, str>>,
}

impl<T: EnumOf> Serialize for Enum<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let borrowed = |text: &'_ Option<String>| text.clone().map(Into::into);
        Wire { value: self.value.as_str().into(), raw: borrowed(&self.raw), label: borrowed(&self.label) }
            .serialize(serializer)
    }
}

impl<'de, T: EnumOf> Deserialize<'de> for Enum<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = Wire::deserialize(deserializer)?;
        let owned = |text: Option<std::borrow::Cow<'_, str>>| text.map(std::borrow::Cow::into_owned);
        let (raw, label) = (owned(wire.raw), owned(wire.label));
        match T::from_wire(&wire.value) {
            Some(value) => Ok(Self { value, raw, label }),
            None => {
                let other = T::from_wire("OTHER").ok_or_else(|| D::Error::custom("the enum has no OTHER"))?;
                Ok(Self { value: other, raw: raw.or_else(|| Some(wire.value.into_owned())), label })
            }
        }
    }
}
