//! Which columns a table of records has, and what a record says in each.

use crate::problem::Problem;
use crate::records::class_of;
use hub_model::{Class, EntityType, Field, Type};
use hub_tree::finding::suggest;
use hub_tree::{Arena, Value, json};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    /// Text, codes and everything that is none of the others.
    Text,
    /// A whole number.
    Integer,
    /// An exact number.
    Decimal,
    /// A day.
    Date,
    /// An instant.
    Instant,
    /// True or false.
    Flag,
}

/// A column of a table of records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    /// Its name: the way to the value, such as `name.full`.
    pub(super) name: String,
    /// What it holds.
    pub(super) holds: Holds,
    /// The way to the value in a document.
    path: Vec<&'static str>,
    /// Whether the value is a list, whose items are written one behind the other.
    list: bool,
}

/// How deep columns go into a record.
const DEEPEST: usize = 4;
/// What every record has.
const HEAD: [(&str, Holds); 4] =
    [("id", Holds::Text), ("version", Holds::Integer), ("created_at", Holds::Instant), ("updated_at", Holds::Instant)];

/// The columns that somebody wants, all that they may see unless they say so. A field means all that lies in it.
pub(super) fn columns_of(
    entity: &'static EntityType,
    allowed: Class,
    wanted: Option<&str>,
) -> Result<Vec<Column>, Problem> {
    let all = |allowed: Class| {
        let head = HEAD.iter().map(|(name, holds)| Column {
            name: (*name).to_owned(),
            holds: *holds,
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
    let mut column = |holds, list, behind: &[&'static str]| {
        let path: Vec<&'static str> = path.iter().chain(behind).copied().collect();
        // What a value is made of is named where it has several parts.
        let name = if behind == ["value"] { path[..path.len() - 1].join(".") } else { path.join(".") };
        columns.push(Column { name, holds, path, list });
    };
    match field.ty {
        Type::Struct(of) if path.len() < DEEPEST => {
            for inner in of.fields {
                add(columns, inner, &path, allowed);
            }
        }
        Type::Enum(_) => column(Holds::Text, false, &["value"]),
        Type::Ref(_) => {
            column(Holds::Text, false, &["id"]);
            column(Holds::Text, false, &["display"]);
        }
        Type::List(_) => column(Holds::Text, true, &[]),
        Type::Integer => column(Holds::Integer, false, &[]),
        Type::Decimal | Type::Rate => column(Holds::Decimal, false, &[]),
        Type::Date => column(Holds::Date, false, &[]),
        Type::DateTime => column(Holds::Instant, false, &[]),
        Type::Bool => column(Holds::Flag, false, &[]),
        _ => column(Holds::Text, false, &[]),
    }
}

/// What a record says in each column; `None` where it says nothing.
pub(super) fn cells(columns: &[Column], document: Value<'_>) -> Vec<Option<String>> {
    let arena = Arena::new();
    let cell = |column: &Column| {
        let value = column.path.iter().fold(document, |value, name| value.get(name));
        if column.list { listed(value, &arena) } else { text(value, &arena) }
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
        assert_eq!(at("version").as_deref(), Some("3"));
        assert_eq!(at("name.full").as_deref(), Some("李娜"));
        assert_eq!(at("sex").as_deref(), Some("FEMALE"));
        assert_eq!(at("emails").as_deref(), Some("a@b.cn; c@d.cn"));
        assert_eq!((at("birth_date").as_deref(), at("nationality")), (Some("1990-01-02"), None));
        assert!(at("national_ids").unwrap().starts_with("[{"));
    }
}
