//! What the hub keeps: records in their canonical form.

use super::super::CONNECTION;
use super::input::Text;
use hub_tree::Decimal;
use hub_tree::jiff::Timestamp;
use hub_tree::jiff::civil::Date;
use serde::ser::{SerializeMap, SerializeStruct};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

#[derive(Serialize)]
pub(super) struct Record<'d, F> {
    pub(super) entity: &'static str,
    pub(super) key: Number,
    pub(super) url: Option<&'d Text<'d>>,
    pub(super) fields: F,
}

#[derive(Serialize)]
pub(super) struct Candidate<'d> {
    pub(super) person: Ref<'d, Number>,
    pub(super) name: Name<'d>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) emails: Option<Vec<Email<'d>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) phones: Option<Vec<Phone<'d>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) headline: Option<Headline<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) current_company: Option<&'d Text<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) current_title: Option<&'d Text<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) years_of_experience: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) highest_education: Option<Enum<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) preferred_locations: Option<&'d [Text<'d>]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) expected_salary: Option<Money<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) available_from: Option<Shown<Date>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) origin: Option<Enum<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) source_detail: Option<&'d Text<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) owner: Option<Ref<'d, Number>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tags: Option<Vec<Cow<'d, str>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) is_confidential: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) do_not_contact: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) agency_protected_until: Option<Shown<Date>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) resumes: Option<Vec<Ref<'d, &'d str>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_interaction_at: Option<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) retention_until: Option<Shown<Date>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) custom: Option<Custom<'d>>,
}

#[derive(Serialize)]
pub(super) struct Application<'d> {
    pub(super) candidate: Ref<'d, Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) requisition: Option<Ref<'d, Number>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) posting: Option<Ref<'d, &'d str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) applied_at: Option<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) source: Option<SourceOf<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stage: Option<Ref<'d, Number>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stage_kind: Option<Enum<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stage_entered_at: Option<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) history: Option<Vec<Move<'d>>>,
    pub(super) outcome: Enum<'d>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rejection: Option<Rejection<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) answers: Option<Vec<Answer<'d>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) score: Option<Score<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) recruiter: Option<Ref<'d, Number>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) interviews: Option<Vec<Ref<'d, Number>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hired_at: Option<Utc>,
}

/// A vendor's number as the text that an id is.
#[derive(Clone, Copy)]
pub(super) struct Number(pub(super) u64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(itoa::Buffer::new().format(self.0))
    }
}

/// A value as its `Display` writes it.
pub(super) struct Shown<T>(pub(super) T);

impl<T: fmt::Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// An instant with milliseconds.
pub(super) struct Utc(pub(super) Timestamp);

impl Serialize for Utc {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:.3}", self.0))
    }
}

/// A reference to what is known under an id at the vendor.
pub(super) struct Ref<'d, K> {
    pub(super) entity: &'static str,
    pub(super) key: K,
    pub(super) display: Option<&'d Text<'d>>,
}

impl<K: Serialize> Serialize for Ref<'_, K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct At<'a, K> {
            connection_id: &'static str,
            remote_id: &'a K,
        }
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", self.entity)?;
        map.serialize_entry("source", &At { connection_id: CONNECTION, remote_id: &self.key })?;
        if let Some(display) = self.display {
            map.serialize_entry("display", display)?;
        }
        map.end()
    }
}

/// Our value, and theirs where it is another word.
pub(super) struct Enum<'d> {
    pub(super) value: &'static str,
    pub(super) raw: &'d str,
}

impl Serialize for Enum<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_struct("Enum", 2)?;
        map.serialize_field("value", self.value)?;
        if self.value == self.raw {
            map.skip_field("raw")?;
        } else {
            map.serialize_field("raw", self.raw)?;
        }
        map.end()
    }
}

#[derive(Serialize)]
pub(super) struct Name<'d> {
    pub(super) full: FullName<'d>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) family: Option<&'d Text<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) given: Option<&'d Text<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) preferred: Option<&'d Text<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) latin: Option<&'d Text<'d>>,
}

/// 李娜 where both parts are Chinese, Korean or Japanese, else given, space, family.
pub(super) enum FullName<'d> {
    One(Cow<'d, str>),
    FamilyGiven(Cow<'d, str>, Cow<'d, str>),
    GivenFamily(Cow<'d, str>, Cow<'d, str>),
}

impl Serialize for FullName<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::One(name) => serializer.serialize_str(name),
            Self::FamilyGiven(family, given) => serializer.collect_str(&format_args!("{family}{given}")),
            Self::GivenFamily(given, family) => serializer.collect_str(&format_args!("{given} {family}")),
        }
    }
}

#[derive(Serialize)]
pub(super) struct Email<'d> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) address: Option<Cow<'d, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) r#type: Option<Enum<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) is_primary: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) raw: Option<&'d str>,
}

#[derive(Serialize)]
pub(super) struct Phone<'d> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) e164: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) extension: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) r#type: Option<Enum<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) raw: Option<&'d str>,
}

pub(super) struct Headline<'d> {
    pub(super) title: &'d str,
    pub(super) company: &'d str,
}

impl Serialize for Headline<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{} / {}", self.title, self.company))
    }
}

#[derive(Serialize)]
pub(super) struct Money<'d> {
    pub(super) amount: Decimal,
    pub(super) currency: &'d str,
}

#[derive(Serialize)]
pub(super) struct Custom<'d> {
    pub(super) notice_months: &'d RawValue,
}

#[derive(Serialize)]
pub(super) struct SourceOf<'d> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) channel: Option<&'d Text<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) detail: Option<&'d Text<'d>>,
}

#[derive(Serialize)]
pub(super) struct Move<'d> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) from: Option<&'d Text<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) to: Option<&'d Text<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) at: Option<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) by: Option<&'d Text<'d>>,
}

#[derive(Serialize)]
pub(super) struct Rejection<'d> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<&'d Text<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) at: Option<Utc>,
}

#[derive(Serialize)]
pub(super) struct Answer<'d> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) question_id: Option<&'d Text<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) r#type: Option<&'d Text<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) value: Option<&'d Text<'d>>,
}

#[derive(Serialize)]
pub(super) struct Score<'d> {
    pub(super) value: Decimal,
    pub(super) min: Decimal,
    pub(super) max: Decimal,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) scale: Option<&'d Text<'d>>,
}
