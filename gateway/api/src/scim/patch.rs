//! Changes (RFC 7644, section 3.5.2) as identity providers really send them: `op` in any case, flags as text, objects
//! without a path whose keys are paths, one value where a list is meant, and replacing what is not there yet.
//!
//! What only HR or the hub sets is left as it is and named; a request of which nothing can be done is refused.

use crate::scim::error::ScimError;
use crate::scim::filter::{self, Filter, Op, Spot};
use crate::scim::schema::{Place, ResourceType, Set, typed};
use serde_json::{Map, Value, json};

/// Operations of one request at most.
const MOST: usize = 1000;

/// A resource after its changes.
#[derive(Debug)]
pub(crate) struct Patched {
    pub(crate) resource: Value,
    /// What was left as it is, by the names that the request used.
    pub(crate) left: Vec<String>,
}

/// What one operation does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    Add,
    Replace,
    Remove,
}

/// A path: a place, and which values of a list.
struct Target {
    place: Place,
    filter: Option<Filter>,
}

enum Why {
    /// Only the hub sets it.
    Kept,
    /// The hub keeps no such attribute.
    Unknown,
}

/// A value by its name in any case: providers write `Operations` and `operations`.
fn member<'v>(of: &'v Value, name: &str) -> Option<&'v Value> {
    of.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// Applies a request to a resource.
pub(crate) fn apply(of: &ResourceType, resource: &Value, request: &Value) -> Result<Patched, ScimError> {
    let wrong = |detail: &str| ScimError::bad("invalidSyntax", detail);
    let operations = member(request, "Operations").and_then(Value::as_array);
    let operations = operations.ok_or_else(|| wrong("`Operations` is missing, a list"))?;
    if operations.is_empty() || operations.len() > MOST {
        return Err(wrong("a change has 1 to 1000 operations"));
    }
    let mut work = Work { of, resource: resource.clone(), left: Vec::new(), unknown: None, done: 0 };
    for operation in operations {
        let verb = match member(operation, "op").and_then(Value::as_str).map(str::to_lowercase).as_deref() {
            Some("add") => Verb::Add,
            Some("replace") => Verb::Replace,
            Some("remove") => Verb::Remove,
            _ => return Err(wrong("`op` is add, replace or remove")),
        };
        let value = member(operation, "value").unwrap_or(&Value::Null);
        match member(operation, "path").and_then(Value::as_str).filter(|path| !path.is_empty()) {
            Some(path) => work.at(verb, path, value)?,
            None if verb == Verb::Remove => return Err(ScimError::bad("noTarget", "`remove` needs a `path`")),
            None => work.object(verb, value)?,
        }
    }
    if work.done == 0 && !work.left.is_empty() {
        return Err(match work.unknown {
            Some(path) => ScimError::bad("invalidPath", format!("the hub keeps no attribute `{path}`")),
            None => {
                let left = work.left.join(", ");
                ScimError::bad("mutability", format!("only HR sets {left}: change it there"))
            }
        });
    }
    Ok(Patched { resource: work.resource, left: work.left })
}

struct Work<'w> {
    of: &'w ResourceType,
    resource: Value,
    left: Vec<String>,
    unknown: Option<String>,
    done: usize,
}

impl Work<'_> {
    /// An operation without a path: each key of its value is one.
    fn object(&mut self, verb: Verb, value: &Value) -> Result<(), ScimError> {
        let Value::Object(fields) = value else {
            return Err(ScimError::bad("invalidValue", "without a `path`, `value` is an object"));
        };
        for (name, value) in fields {
            if ["id", "meta", "schemas"].iter().any(|own| own.eq_ignore_ascii_case(name)) {
                // Providers send back what they were given.
                continue;
            }
            match (self.of.extension_called(name), value) {
                (Some(uri), Value::Object(inner)) => {
                    for (name, value) in inner {
                        self.at(verb, &format!("{uri}:{name}"), value)?;
                    }
                }
                _ => self.at(verb, name, value)?,
            }
        }
        Ok(())
    }

    fn at(&mut self, verb: Verb, path: &str, value: &Value) -> Result<(), ScimError> {
        if let Some(uri) = self.of.extension_called(path) {
            return match value {
                Value::Object(_) => self.object(verb, &json!({ uri: value })),
                _ => {
                    self.done += usize::from(self.resource.as_object_mut().and_then(|all| all.remove(uri)).is_some());
                    Ok(())
                }
            };
        }
        let target = match self.target(path)? {
            Ok(target) => target,
            Err(why) => {
                if matches!(why, Why::Unknown) {
                    self.unknown.get_or_insert_with(|| path.to_owned());
                }
                self.left.push(path.to_owned());
                return Ok(());
            }
        };
        self.done += 1;
        self.change(verb, &target, value)
    }

    /// Reads a path: `attribute`, `attribute.part`, `attribute[filter]`, `attribute[filter].part`.
    fn target(&self, path: &str) -> Result<Result<Target, Why>, ScimError> {
        let wrong = || ScimError::bad("invalidPath", format!("`{path}` is no path"));
        let (name, brackets, rest) = match path.split_once('[') {
            None => (path, None, ""),
            Some((name, inside)) => {
                let (inside, rest) = inside.rsplit_once(']').ok_or_else(wrong)?;
                (name, Some(inside), rest)
            }
        };
        let well_formed = |c: char| c.is_ascii_alphanumeric() || "._:-$".contains(c);
        if name.is_empty() || !name.chars().all(well_formed) || !rest.chars().all(well_formed) {
            return Err(wrong());
        }
        let Some(place) = self.of.place(&format!("{name}{rest}")) else { return Ok(Err(Why::Unknown)) };
        if place.attribute.set == Set::Hub || place.part.is_some_and(|part| part.set == Set::Hub) {
            return Ok(Err(Why::Kept));
        }
        let filter = match brackets {
            Some(_) if !place.attribute.many => return Err(wrong()),
            Some(text) => Some(filter::read_within(self.of, place.attribute, text)?),
            None => None,
        };
        Ok(Ok(Target { place, filter }))
    }

    fn change(&mut self, verb: Verb, target: &Target, value: &Value) -> Result<(), ScimError> {
        let place = &target.place;
        let Some(slot) = self.slot(place) else { return Ok(()) };
        let before = slot.remove(place.attribute.name);
        let after =
            if place.attribute.many { many(verb, target, before, value)? } else { one(verb, place, before, value)? };
        match after {
            Some(after) => {
                slot.insert(place.attribute.name.to_owned(), after);
            }
            None if place.attribute.required => {
                return Err(ScimError::bad("mutability", format!("`{}` is required", place.attribute.name)));
            }
            None => {}
        }
        Ok(())
    }

    /// The object that an attribute stands in.
    fn slot(&mut self, place: &Place) -> Option<&mut Map<String, Value>> {
        let fields = self.resource.as_object_mut()?;
        match place.within {
            Some(uri) => fields.entry(uri).or_insert_with(|| json!({})).as_object_mut(),
            None => Some(fields),
        }
    }
}

/// A single value after an operation.
fn one(verb: Verb, place: &Place, before: Option<Value>, value: &Value) -> Result<Option<Value>, ScimError> {
    let Some(part) = place.part else {
        return match (verb, typed(place.attribute, value)?, before) {
            (Verb::Remove, ..) | (_, None, _) => Ok(None),
            // What is made of parts keeps those that are not named.
            (_, Some(Value::Object(new)), Some(Value::Object(mut old))) => {
                old.extend(new);
                Ok(Some(Value::Object(old)))
            }
            (_, new, _) => Ok(new),
        };
    };
    let mut fields = before.and_then(|before| before.as_object().cloned()).unwrap_or_default();
    set_part(&mut fields, verb, part, value)?;
    Ok((!fields.is_empty()).then_some(Value::Object(fields)))
}

fn set_part(
    fields: &mut Map<String, Value>,
    verb: Verb,
    part: &'static crate::scim::schema::Attribute,
    value: &Value,
) -> Result<(), ScimError> {
    match typed(part, value)?.filter(|_| verb != Verb::Remove) {
        Some(value) => fields.insert(part.name.to_owned(), value),
        None => fields.remove(part.name),
    };
    Ok(())
}

/// A list after an operation.
fn many(verb: Verb, target: &Target, before: Option<Value>, value: &Value) -> Result<Option<Value>, ScimError> {
    let attribute = target.place.attribute;
    let mut items = before.and_then(|before| before.as_array().cloned()).unwrap_or_default();
    let given = match target.place.part {
        // The value of a part is no value of the list.
        Some(_) => Vec::new(),
        None => typed(attribute, value)?.and_then(|list| list.as_array().cloned()).unwrap_or_default(),
    };
    let mut touched = Vec::new();
    match (verb, &target.filter, target.place.part) {
        (Verb::Remove, None, None) if given.is_empty() => items.clear(),
        // Some providers name what to remove in `value`.
        (Verb::Remove, None, None) => items.retain(|item| !given.iter().any(|gone| same_value(item, gone))),
        (Verb::Remove, Some(filter), None) => items.retain(|item| !filter.holds(item)),
        (Verb::Replace, None, None) => {
            touched = (0..given.len()).collect();
            items = given;
        }
        (Verb::Add, None, None) => {
            for new in given {
                match items.iter().position(|item| same_value(item, &new)) {
                    Some(known) => {
                        merge(&mut items[known], new);
                        touched.push(known);
                    }
                    None => {
                        items.push(new);
                        touched.push(items.len() - 1);
                    }
                }
            }
        }
        (_, filter, part) => {
            let meant = |item: &Value| filter.as_ref().is_none_or(|filter| filter.holds(item));
            touched = (0..items.len()).filter(|index| meant(&items[*index])).collect();
            if touched.is_empty() && verb != Verb::Remove {
                // It is made with what the filter says of it.
                let mut made = Map::new();
                filter.iter().for_each(|filter| said_by(filter, &mut made));
                items.push(Value::Object(made));
                touched.push(items.len() - 1);
            }
            for index in &touched {
                let Some(Value::Object(fields)) = items.get_mut(*index) else { continue };
                match part {
                    Some(part) => set_part(fields, verb, part, value)?,
                    None => given.iter().filter_map(Value::as_object).for_each(|new| fields.extend(new.clone())),
                }
            }
            // Without its value an entry of a list says nothing.
            items.retain(|item| item.get("value").is_some());
        }
    }
    one_primary(&mut items, &touched);
    Ok((!items.is_empty()).then_some(Value::Array(items)))
}

/// Whether two entries of a list are the same one.
fn same_value(one: &Value, other: &Value) -> bool {
    match (one.get("value"), other.get("value")) {
        (Some(one_value), Some(other_value)) => {
            let kind = |of: &Value| of.get("type").cloned();
            let kinds = (kind(one), kind(other));
            one_value == other_value && (kinds.0 == kinds.1 || kinds.0.is_none() || kinds.1.is_none())
        }
        _ => one == other,
    }
}

fn merge(into: &mut Value, new: Value) {
    if let (Value::Object(fields), Value::Object(new)) = (into, new) {
        fields.extend(new);
    }
}

/// What a filter says of the entry that it looks for.
fn said_by(filter: &Filter, fields: &mut Map<String, Value>) {
    match filter {
        Filter::And(one, other) => {
            said_by(one, fields);
            said_by(other, fields);
        }
        Filter::Compare(Spot::Part(part), Op::Eq, value) => {
            if let Ok(Some(value)) = typed(part, value) {
                fields.insert(part.name.to_owned(), value);
            }
        }
        _ => {}
    }
}

/// When an entry becomes the primary one, the others are not any more.
fn one_primary(items: &mut [Value], touched: &[usize]) {
    let is_primary = |item: &Value| item.get("primary") == Some(&Value::Bool(true));
    let Some(first) = touched.iter().copied().rfind(|index| items.get(*index).is_some_and(is_primary)) else { return };
    for (index, item) in items.iter_mut().enumerate() {
        if index != first && is_primary(item) {
            item["primary"] = false.into();
        }
    }
}

#[cfg(test)]
#[path = "patch_tests.rs"]
mod tests;
