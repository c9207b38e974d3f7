//! Leaves out what a reader may not see.

use crate::describe::{Class, EntityType, Field, Type};
use crate::envelope;
use hub_tree::{Arena, Value};

/// Leaves out every field above `allowed`, and says which ones as JSON pointers.
///
/// `ext` counts as S2: it holds what no rule has classified. Explanations and `field_meta` hold no values.
pub fn mask<'a>(
    arena: &'a Arena,
    entity: &EntityType,
    document: Value<'a>,
    allowed: Class,
) -> (Value<'a>, Vec<String>) {
    let mut masked = Vec::new();
    let mut kept = Vec::new();
    for (name, value) in document.entries() {
        let pointer = format!("/{name}");
        if *name == "ext" || *name == "custom" {
            if allowed >= Class::S2 { kept.push((*name, *value)) } else { masked.push(pointer) }
        } else if envelope::NAMES.contains(name) {
            kept.push((*name, *value));
        } else if let Some(value) = visible(arena, entity.field(name), *value, allowed, &pointer, &mut masked) {
            kept.push((*name, value));
        }
    }
    (arena.map(&kept), masked)
}

/// The part of a field's value that may be seen; a field that the model does not know is not shown to anybody.
fn visible<'a>(
    arena: &'a Arena,
    field: Option<&Field>,
    value: Value<'a>,
    allowed: Class,
    pointer: &str,
    masked: &mut Vec<String>,
) -> Option<Value<'a>> {
    match field {
        Some(field) if field.class <= allowed => Some(below(arena, field.ty, value, allowed, pointer, masked)),
        _ => {
            masked.push(pointer.to_owned());
            None
        }
    }
}

fn below<'a>(
    arena: &'a Arena,
    ty: &Type,
    value: Value<'a>,
    allowed: Class,
    pointer: &str,
    masked: &mut Vec<String>,
) -> Value<'a> {
    match (ty, value) {
        (Type::List(item), Value::List(items)) => {
            let kept: Vec<Value<'a>> = items
                .iter()
                .enumerate()
                .map(|(index, value)| below(arena, item, *value, allowed, &format!("{pointer}/{index}"), masked))
                .collect();
            arena.list(&kept)
        }
        (Type::Struct(of), Value::Map(map)) => {
            let mut kept = Vec::new();
            for (name, value) in map.entries() {
                let pointer = format!("{pointer}/{name}");
                if let Some(value) = visible(arena, of.field(name), *value, allowed, &pointer, masked) {
                    kept.push((*name, value));
                }
            }
            arena.map(&kept)
        }
        (_, value) => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entity;
    use hub_tree::{Limits, json};

    #[test]
    fn what_a_reader_may_not_see_is_left_out_and_named() {
        let arena = Arena::new();
        let text = br#"{"id":"1","name":{"full":"\u674e\u5a1c"},"national_ids":[{"number":"1"}],"origin":{"value":"APPLIED"},"ext":{"x":1},"odd":1}"#;
        let document = json::read(&arena, text, Limits::default()).unwrap();
        let person = entity("person").unwrap();
        let (seen, masked) = mask(&arena, person, document, Class::S2);
        assert_eq!(json::to_string(&seen), r#"{"id":"1","name":{"full":"李娜"},"ext":{"x":1}}"#);
        assert_eq!(masked, ["/national_ids", "/origin", "/odd"]);
        let (seen, masked) = mask(&arena, entity("candidate").unwrap(), document, Class::S0);
        assert_eq!(json::to_string(&seen), r#"{"id":"1","origin":{"value":"APPLIED"}}"#);
        assert_eq!(masked, ["/name", "/national_ids", "/ext", "/odd"]);
    }

    #[test]
    fn a_restricted_part_of_an_open_field_is_left_out_too() {
        let arena = Arena::new();
        let text = br#"{"turns":[{"speaker":{"value":"CANDIDATE"},"text":"secret"}]}"#;
        let document = json::read(&arena, text, Limits::default()).unwrap();
        let (seen, masked) = mask(&arena, entity("interview").unwrap(), document, Class::S2);
        assert_eq!(json::to_string(&seen), "{}");
        assert_eq!(masked, ["/turns"]);
    }
}
