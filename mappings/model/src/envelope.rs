//! What every record carries beside its own fields.

use crate::describe::{Class, Field, Type};
use crate::scalars::DateTime;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The envelope of a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Envelope {
    /// UUIDv7 made by the hub, never reused, never derived from a vendor's id.
    pub id: String,
    /// The enterprise; from the credential, never from a payload.
    pub tenant_id: String,
    /// The entity's name.
    pub entity: String,
    /// The version of the model that the document obeys.
    pub schema_version: String,
    /// Rises with every change; the ETag.
    pub version: i64,
    /// When the hub first knew the record.
    pub created_at: DateTime,
    /// When the record's own fields last changed.
    pub updated_at: DateTime,
    /// When it was deleted at its source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<DateTime>,
    /// The remote systems that feed it.
    #[serde(default)]
    pub sources: Vec<Source>,
    /// The tenant's own fields.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub custom: BTreeMap<String, serde_json::Value>,
    /// Which source and rule made which field, by JSON pointer.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub field_meta: BTreeMap<String, FieldMeta>,
}

/// A remote system that feeds a record, and the last payload that did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The connection.
    pub connection_id: String,
    /// The connector behind it.
    pub system: String,
    /// The record's id there.
    pub remote_id: String,
    /// Where a person can look at it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote_url: Option<String>,
    /// The vendor's own time of the last change that was taken over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote_updated_at: Option<String>,
    /// When the hub received that payload.
    pub fetched_at: String,
    /// The payload as received.
    pub raw_ref: String,
    /// Its SHA-256, hex.
    pub raw_sha256: String,
    /// The mapping that read it, such as `greenhouse/application.in`.
    pub mapping_id: String,
    /// The hash of that mapping as it was.
    pub mapping_version: String,
}

/// Where a field's value comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldMeta {
    /// The index of the source in `sources`; absent for what the hub itself wrote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<usize>,
    /// The rule: a path in the mapping, such as `emit[0].name.full`, or what in the hub wrote it.
    pub rule: String,
}

const fn field(name: &'static str, ty: &'static Type, doc: &'static str) -> Field {
    Field { name, ty, class: Class::S0, required: true, indexed: false, doc }
}

/// The envelope's fields for schemas and checks; `ext` holds what no rule of a mapping read.
pub static FIELDS: &[Field] = &[
    field("id", &Type::Text, "UUIDv7 made by the hub."),
    field("tenant_id", &Type::Text, "The enterprise."),
    field("entity", &Type::Text, "The entity's name."),
    field("schema_version", &Type::Text, "The version of the model that the document obeys."),
    field("version", &Type::Integer, "Rises with every change; the ETag."),
    field("created_at", &Type::DateTime, "When the hub first knew the record."),
    field("updated_at", &Type::DateTime, "When the record's own fields last changed."),
];

/// The names of all envelope fields: no entity has a field of its own that is called so.
pub const NAMES: &[&str] = &[
    "id",
    "tenant_id",
    "entity",
    "schema_version",
    "version",
    "created_at",
    "updated_at",
    "deleted_at",
    "sources",
    "custom",
    "ext",
    "field_meta",
];
