//! The fields of an entity as places that a source can fill, each with the names by which systems call it.

use crate::synonyms::Vocabulary;
use crate::words::Words;
use hub_model::{EntityType, Field, StructType, Type};

/// How a place is filled.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Make {
    /// The record's page, beside `key`.
    Url,
    /// `{ path: … }`.
    Plain,
    /// A part of a `person_name`.
    NamePart,
    /// A list of e-mail addresses or phone numbers; the word is that of the rule.
    Contacts(&'static str),
    Ref(&'static str),
    Money,
    Score,
    /// A list of single values.
    List(&'static Type),
    /// A list of objects with fields.
    Objects(&'static StructType),
    Refs(&'static str),
}

/// A place.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    /// The dotted target, such as `rejection.reason`.
    pub(crate) target: String,
    pub(crate) ty: &'static Type,
    pub(crate) make: Make,
    pub(crate) names: Vec<Words>,
}

/// The places of an entity.
pub(crate) fn of_entity(entity: &EntityType, vocabulary: &Vocabulary) -> Vec<Slot> {
    let names = vocabulary.field(entity.name, "url").to_vec();
    let mut slots = vec![Slot { target: "url".to_owned(), ty: &Type::Text, make: Make::Url, names }];
    collect(entity.name, entity.fields, "", 0, vocabulary, &mut slots);
    slots
}

/// The places of an object inside a list.
pub(crate) fn of_struct(of: &StructType, vocabulary: &Vocabulary) -> Vec<Slot> {
    let mut slots = Vec::new();
    collect(of.name, of.fields, "", 1, vocabulary, &mut slots);
    slots.retain(|slot| matches!(slot.make, Make::Plain | Make::List(_) | Make::Score));
    slots
}

fn collect(
    owner: &str,
    fields: &'static [Field],
    prefix: &str,
    depth: usize,
    vocabulary: &Vocabulary,
    into: &mut Vec<Slot>,
) {
    for field in fields {
        let target = format!("{prefix}{}", field.name);
        let make = match field.ty {
            // A reference to any entity says no more than a sample does.
            Type::Json | Type::Ref("") | Type::List(Type::Ref("")) => continue,
            Type::Struct(of) => match of.name {
                "PersonName" => {
                    for part in of.fields {
                        let target = format!("{target}.{}", part.name);
                        into.push(slot(owner, target, part.ty, Make::NamePart, vocabulary));
                    }
                    continue;
                }
                "Money" => Make::Money,
                "Score" => Make::Score,
                "Email" | "Phone" => continue,
                _ if depth > 1 => continue,
                _ => {
                    collect(owner, of.fields, &format!("{target}."), depth + 1, vocabulary, into);
                    continue;
                }
            },
            Type::List(Type::Struct(of)) => match of.name {
                "Email" => Make::Contacts("email"),
                "Phone" => Make::Contacts("phone"),
                _ => Make::Objects(of),
            },
            Type::List(Type::Ref(entity)) => Make::Refs(entity),
            Type::List(item) => Make::List(item),
            Type::Ref(entity) => Make::Ref(entity),
            _ => Make::Plain,
        };
        into.push(slot(owner, target, field.ty, make, vocabulary));
    }
}

fn slot(owner: &str, target: String, ty: &'static Type, make: Make, vocabulary: &Vocabulary) -> Slot {
    let mut names = vec![vocabulary.words(&target)];
    names.extend_from_slice(vocabulary.field(owner, &target));
    Slot { target, ty, make, names }
}

/// Every name under which `synonyms.yaml` can give words.
#[cfg(test)]
pub(crate) fn all_targets() -> std::collections::BTreeSet<String> {
    let vocabulary = Vocabulary::default();
    let mut all = std::collections::BTreeSet::new();
    for entity in hub_model::ENTITIES {
        for slot in of_entity(entity, &vocabulary) {
            if let Make::Objects(of) = slot.make {
                all.extend(of_struct(of, &vocabulary).iter().map(|part| format!("{}.{}", of.name, part.target)));
            }
            all.insert(format!("{}.{}", entity.name, slot.target));
            all.insert(slot.target);
        }
    }
    all
}

/// The enum of the model that has this name.
#[cfg(test)]
pub(crate) fn enum_type(name: &str) -> Option<&'static hub_model::EnumType> {
    fn find(fields: &'static [Field], name: &str, depth: usize) -> Option<&'static hub_model::EnumType> {
        fields.iter().find_map(|field| {
            let mut ty = field.ty;
            while let Type::List(item) = ty {
                ty = item;
            }
            match ty {
                Type::Enum(of) if of.name == name => Some(*of),
                Type::Struct(of) if depth < 4 => find(of.fields, name, depth + 1),
                _ => None,
            }
        })
    }
    hub_model::ENTITIES.iter().find_map(|entity| find(entity.fields, name, 0))
}
