//! Descriptions of the model: what generic code knows about every entity and field.

/// How sensitive a field is; decides masking, scopes, logs and exports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Structural ids and states.
    S0,
    /// Business contact of an employee.
    S1,
    /// Personal: home address, private phone, birth date, résumé text, scores, pay.
    S2,
    /// Restricted: national id, bank account, health, background findings, recordings. Needs a scope of its own.
    S3,
}

/// An entity of the model.
#[derive(Debug)]
pub struct EntityType {
    /// Its name in documents and references, such as `assessment_order`.
    pub name: &'static str,
    /// Its name in the API, such as `assessment-orders`.
    pub collection: &'static str,
    /// Its name in event types, such as `assessment`.
    pub event: &'static str,
    /// What it is.
    pub doc: &'static str,
    /// Its fields in the order documents write them.
    pub fields: &'static [Field],
    /// The events that its changes mean, beside created, updated and deleted.
    pub verbs: &'static [Verb],
}

/// A field.
#[derive(Debug)]
pub struct Field {
    /// Its name in documents.
    pub name: &'static str,
    /// Its type.
    pub ty: &'static Type,
    /// How sensitive it is.
    pub class: Class,
    /// Whether a complete record has it.
    pub required: bool,
    /// Whether lists can be filtered by it.
    pub indexed: bool,
    /// What it holds.
    pub doc: &'static str,
}

/// The type of a field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Type {
    /// Text in one language.
    Text,
    /// Text, or an object of texts by BCP 47 language.
    Localized,
    /// True or false.
    Bool,
    /// A whole number.
    Integer,
    /// An exact number, written as text.
    Decimal,
    /// A share of one, written as text: 8.5 % is `0.085`.
    Rate,
    /// A calendar day without a zone.
    Date,
    /// A year, a month or a day.
    PartialDate,
    /// An instant, RFC 3339 in UTC with milliseconds.
    DateTime,
    /// A time of day.
    LocalTime,
    /// An IANA time zone.
    TimeZone,
    /// An ISO 8601 duration.
    Duration,
    /// An ISO 4217 currency.
    Currency,
    /// An ISO 3166-1 alpha-2 country.
    Country,
    /// An ISO 3166-2 subdivision.
    Subdivision,
    /// A BCP 47 language.
    Lang,
    /// An enum, written `{value, raw, label}`.
    Enum(&'static EnumType),
    /// A reference to an entity; to any when the name is empty.
    Ref(&'static str),
    /// Any JSON.
    Json,
    /// A list.
    List(&'static Type),
    /// An object with fields.
    Struct(&'static StructType),
}

/// An object with fields that is part of an entity.
#[derive(Debug)]
pub struct StructType {
    /// Its name, such as `PersonName`.
    pub name: &'static str,
    /// What it is.
    pub doc: &'static str,
    /// Its fields.
    pub fields: &'static [Field],
}

/// Two struct types are the same when they have one name.
impl PartialEq for StructType {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// An enum.
#[derive(Debug)]
pub struct EnumType {
    /// Its name, such as `StageKind`.
    pub name: &'static str,
    /// What it says.
    pub doc: &'static str,
    /// Its wire values; `OTHER` is always among them.
    pub values: &'static [&'static str],
}

/// Two enums are the same when they have one name.
impl PartialEq for EnumType {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// An event that a change means.
#[derive(Debug)]
pub struct Verb {
    /// The verb, such as `stage_changed`.
    pub verb: &'static str,
    /// When it happens.
    pub when: When,
}

/// When a change means an event.
#[derive(Debug)]
pub enum When {
    /// The record is new.
    Created,
    /// The field has a value now, and it is another one than before. References compare without their display text.
    Changed(&'static str),
    /// The enum field has this value now and had another one, or none, before.
    Becomes(&'static str, &'static str),
    /// The enum field has one of these values now and had none of them before.
    Enters(&'static str, &'static [&'static str]),
}

/// A Rust type that is the type of a field.
pub trait ModelType {
    /// The description.
    const TYPE: &'static Type;
}

impl<T: ModelType> ModelType for Vec<T> {
    const TYPE: &'static Type = &Type::List(T::TYPE);
}

impl ModelType for String {
    const TYPE: &'static Type = &Type::Text;
}

impl ModelType for bool {
    const TYPE: &'static Type = &Type::Bool;
}

impl ModelType for i64 {
    const TYPE: &'static Type = &Type::Integer;
}

impl ModelType for hub_tree::Decimal {
    const TYPE: &'static Type = &Type::Decimal;
}

impl ModelType for serde_json::Value {
    const TYPE: &'static Type = &Type::Json;
}

impl EntityType {
    /// The field called `name`, of the entity or of the envelope.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        find(self.fields, name)
    }
}

impl StructType {
    /// The field called `name`.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        find(self.fields, name)
    }
}

fn find(fields: &'static [Field], name: &str) -> Option<&'static Field> {
    fields.iter().find(|field| field.name == name)
}

impl Type {
    /// What the type is called in messages.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Enum(of) => of.name.to_owned(),
            Self::Struct(of) => of.name.to_owned(),
            Self::Ref("") => "Ref".to_owned(),
            Self::Ref(entity) => format!("Ref to {entity}"),
            Self::List(item) => format!("list of {}", item.name()),
            other => format!("{other:?}"),
        }
    }

    /// The fields of an object type.
    #[must_use]
    pub const fn fields(&self) -> &'static [Field] {
        match self {
            Self::Struct(of) => of.fields,
            _ => &[],
        }
    }
}
