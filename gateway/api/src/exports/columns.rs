//! Which columns a table of records has, and what a record says in each.

use crate::problem::Problem;
use crate::records::class_of;
use hub_files::{ColumnKind, Datum};
use hub_model::{Class, EntityType, Field, Type};
use hub_tree::finding::suggest;
use hub_tree::jiff::Timestamp;
use hub_tree::jiff::civil::Date;
use hub_tree::{Arena, Value, json};

/// What a record says in a column.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Said {
    Nothing,
    Text(String),
    Integer(i64),
    Flag(bool),
    Date(Date),
    Instant(Timestamp),
}

impl Said {
    /// The same as files take it.
    pub(super) fn as_datum(&self) -> Datum<'_> {
        match self {
            Self::Nothing => Datum::Nothing,
            Self::Text(text) => Datum::Text(text),
            Self::Integer(number) => Datum::Integer(*number),
            Self::Flag(flag) => Datum::Bool(*flag),
            Self::Date(day) => Datum::Date(*day),
            Self::Instant(at) => Datum::DateTime(*at),
        }
    }

    /// A text as the kind of its column; what is no such thing is nothing.
    fn of(text: Option<String>, kind: ColumnKind) -> Self {
        let Some(text) = text else { return Self::Nothing };
        let read = match kind {
            ColumnKind::Integer => text.parse().ok().map(Self::Integer),
            ColumnKind::Bool => text.parse().ok().map(Self::Flag),
            ColumnKind::Date => text.parse().ok().map(Self::Date),
            ColumnKind::DateTime => text.parse().ok().map(Self::Instant),
            // Decimals have as many digits as they have: their texts are exact.
            ColumnKind::Text | ColumnKind::Decimal(_) => return Self::Text(text),
        };
        read.unwrap_or(Self::Nothing)
    }
}

/// A column of a table of records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    /// Its name: the way to the value, such as `name.full`.
    pub(super) name: String,
    /// What it holds.
    pub(super) kind: ColumnKind,
    /// The way to the value in a document.
    path: Vec<&'static str>,
    /// Whether the value is a list, whose items are written one behind the other.
    list: bool,
}

/// How deep columns go into a record.
const DEEPEST: usize = 4;
/// What every record has.
const HEAD: [(&str, ColumnKind); 4] = [
    ("id", ColumnKind::Text),
    ("version", ColumnKind::Integer),
    ("created_at", ColumnKind::DateTime),
    ("updated_at", ColumnKind::DateTime),
];

/// The columns that somebody wants, all that they may see unless they say so. A field means all that lies in it.
pub(super) fn columns_of(
    entity: &'static EntityType,
    allowed: Class,
    wanted: Option<&str>,
) -> Result<Vec<Column>, Problem> {
    let all = |allowed: Class| {
        let head = HEAD.iter().map(|(name, kind)| Column {
            name: (*name).to_owned(),
            kind: *kind,
            path: vec![name],
            list: false,
        });
        let mut columns: Vec<Column> = head.collect();
        for field in entity.fields {
            add(&mut columns, field, &[], allowed);
        }
        columns
    };
    let seen = all(allowed);
    let Some(wanted) = wanted else { return Ok(seen) };
    let names = wanted.split(',').map(str::trim).filter(|name| !name.is_empty());
    let mut chosen: Vec<Column> = Vec::new();
    for name in names {
        let below = format!("{name}.");
        let is_meant = |column: &&Column| column.name == name || column.name.starts_with(&below);
        let before = chosen.len();
        chosen.extend(seen.iter().filter(is_meant).cloned());
        if chosen.len() > before {
            continue;
        }
        let known = all(Class::S3);
        if known.iter().any(|column| is_meant(&column)) {
            let pointer = format!("/{}", name.replace('.', "/"));
            let needs = if class_of(entity, &pointer) > Class::S2 { "read:restricted" } else { "read" };
            return Err(Problem::forbidden(needs));
        }
        let near = suggest(name, known.iter().map(|column| column.name.as_str()));
        return Err(Problem::bad_parameter("fields", format!("there is no field `{name}`"), near));
    }
    if chosen.is_empty() {
        return Err(Problem::bad_parameter("fields", "`fields` names no field", None));
    }
    Ok(chosen)
}

fn add(columns: &mut Vec<Column>, field: &'static Field, above: &[&'static str], allowed: Class) {
    if field.class > allowed {
        return;
    }
    let path: Vec<&'static str> = above.iter().copied().chain([field.name]).collect();
    let mut column = |kind, list, behind: &[&'static str]| {
        let path: Vec<&'static str> = path.iter().chain(behind).copied().collect();
        // What a value is made of is named where it has several parts.
        let name = if behind == ["value"] { path[..path.len() - 1].join(".") } else { path.join(".") };
        columns.push(Column { name, kind, path, list });
    };
    match field.ty {
        Type::Struct(of) if path.len() < DEEPEST => {
            for inner in of.fields {
                add(columns, inner, &path, allowed);
            }
        }
        Type::Enum(_) => column(ColumnKind::Text, false, &["value"]),
        Type::Ref(_) => {
            column(ColumnKind::Text, false, &["id"]);
            column(ColumnKind::Text, false, &["display"]);
        }
        Type::List(_) => column(ColumnKind::Text, true, &[]),
        Type::Integer => column(ColumnKind::Integer, false, &[]),
        Type::Date => column(ColumnKind::Date, false, &[]),
        Type::DateTime => column(ColumnKind::DateTime, false, &[]),
        Type::Bool => column(ColumnKind::Bool, false, &[]),
        _ => column(ColumnKind::Text, false, &[]),
    }
}

/// What a record says in each column.
pub(super) fn cells(columns: &[Column], document: Value<'_>) -> Vec<Said> {
    let arena = Arena::new();
    let cell = |column: &Column| {
        let value = column.path.iter().fold(document, |value, name| value.get(name));
        let text = if column.list { listed(value, &arena) } else { text(value, &arena) };
        Said::of(text, column.kind)
    };
    columns.iter().map(cell).collect()
}

fn text(value: Value<'_>, arena: &Arena) -> Option<String> {
    match value {
        Value::Absent | Value::Null => None,
        Value::List(_) | Value::Map(_) => Some(json::to_string(&value)),
        value => value.copy_into(arena).scalar_text(arena).map(str::to_owned),
    }
}

/// Items by what people know them by, one behind the other; items that have several parts as JSON.
fn listed(value: Value<'_>, arena: &Arena) -> Option<String> {
    let items = value.items();
    if items.is_empty() {
        return text(value, arena).filter(|text| text != "[]");
    }
    let one = |item: &Value<'_>| {
        let known = ["value", "address", "e164", "id"].iter().map(|name| item.get(name)).find(|part| !part.is_absent());
        text(known.unwrap_or(*item), arena).filter(|text| !text.contains(';') && !text.starts_with('{'))
    };
    let simple: Option<Vec<String>> = items.iter().map(one).collect();
    Some(simple.map_or_else(|| json::to_string(&value), |texts| texts.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_tree::Limits;

    fn names(entity: &str, allowed: Class, wanted: Option<&str>) -> Vec<String> {
        let columns = columns_of(hub_model::entity(entity).unwrap(), allowed, wanted).unwrap();
        columns.into_iter().map(|column| column.name).collect()
    }

    #[test]
    fn columns_are_what_the_reader_may_see_and_a_field_means_all_that_lies_in_it() {
        let structure = names("person", Class::S1, None);
        assert!(!structure.iter().any(|name| name.starts_with("name") || name == "birth_date"), "{structure:?}");
        let personal = names("person", Class::S2, None);
        assert!(personal.contains(&"name.full".to_owned()) && !personal.contains(&"national_ids".to_owned()));
        assert!(names("person", Class::S3, None).contains(&"national_ids".to_owned()));
        let chosen = names("person", Class::S2, Some("emails, name.full,id"));
        assert_eq!(chosen, ["emails", "name.full", "id"]);
        assert!(names("person", Class::S2, Some("name")).len() > 1);
        let person = hub_model::entity("person").unwrap();
        let refused = |wanted: &str| columns_of(person, Class::S2, Some(wanted)).unwrap_err().code();
        assert_eq!(
            (refused("national_ids"), refused("nmae"), refused(",")),
            ("forbidden", "bad_parameter", "bad_parameter")
        );
    }

    #[test]
    fn a_record_is_one_text_for_each_column() {
        let arena = Arena::new();
        let text = br#"{"id":"1","version":3,"name":{"full":"\u674e\u5a1c"},"sex":{"value":"FEMALE","label":"x"},
            "emails":[{"address":"a@b.cn"},{"address":"c@d.cn"}],"birth_date":"1990-01-02","nationality":[],
            "national_ids":[{"number":"1","type":{"value":"X"}}]}"#;
        let document = json::read(&arena, text, Limits::default()).unwrap();
        let person = hub_model::entity("person").unwrap();
        let wanted = "version,name.full,sex,emails,birth_date,nationality,national_ids,photo";
        let columns = columns_of(person, Class::S3, Some(wanted)).unwrap();
        let told = cells(&columns, document);
        let at = |name: &str| told[columns.iter().position(|column| column.name == name).unwrap()].clone();
        let said = |text: &str| Said::Text(text.to_owned());
        assert_eq!((at("version"), at("name.full"), at("sex")), (Said::Integer(3), said("李娜"), said("FEMALE")));
        assert_eq!(at("emails"), said("a@b.cn; c@d.cn"));
        assert_eq!(at("birth_date"), Said::Date("1990-01-02".parse().unwrap()));
        assert_eq!(at("nationality"), Said::Nothing);
        assert!(matches!(at("national_ids"), Said::Text(text) if text.starts_with("[{")));
    }
}
