//! The model's types as the expression language knows them.

use hub_expr::{EnumType, RecordType, Type};
use hub_model::{EntityType, Field};
use std::sync::Arc;

/// The static type of a whole record, envelope included, for flow conditions and out mappings.
#[must_use]
pub fn record(entity: &EntityType) -> Type {
    let mut fields: Vec<(&str, Type)> = entity.fields.iter().map(|f| (f.name, field(f))).collect();
    let source = Type::record(
        "source",
        ["connection_id", "system", "remote_id", "remote_url", "remote_updated_at", "fetched_at", "raw_ref"]
            .map(|name| (name, Type::Text)),
    );
    fields.extend([
        ("id", Type::Text),
        ("entity", Type::Text),
        ("version", Type::Number),
        ("created_at", Type::Text),
        ("updated_at", Type::Text),
        ("deleted_at", Type::Text),
        ("sources", Type::list(source)),
        ("custom", Type::Any),
        ("ext", Type::Any),
    ]);
    Type::record(entity.name, fields)
}

fn field(field: &Field) -> Type {
    of(field.ty)
}

/// The static type of a canonical value as documents write it: decimals and dates are text there.
#[must_use]
pub fn of(ty: &hub_model::Type) -> Type {
    use hub_model::Type as M;
    match ty {
        M::Bool => Type::Bool,
        M::Integer => Type::Number,
        M::Localized | M::Json => Type::Any,
        M::List(item) => Type::list(of(item)),
        M::Enum(of) => Type::Enum(Arc::new(EnumType {
            name: of.name.to_owned(),
            values: of.values.iter().map(|value| (*value).to_owned()).collect(),
        })),
        M::Ref(entity) => {
            let source = Type::record("source", [("connection_id", Type::Text), ("remote_id", Type::Text)]);
            let name = if entity.is_empty() { "reference" } else { entity };
            Type::record(name, [("type", Type::Text), ("id", Type::Text), ("display", Type::Text), ("source", source)])
        }
        M::Struct(of) => Type::Record(Arc::new(RecordType {
            name: of.name.to_owned(),
            fields: of.fields.iter().map(|f| (f.name.to_owned(), field(f))).collect(),
        })),
        _ => Type::Text,
    }
}
