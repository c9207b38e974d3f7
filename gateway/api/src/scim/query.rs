//! Which resources a list is about, in which order, which page of them, and which attributes of each.

use crate::scim::error::ScimError;
use crate::scim::filter::{self, Filter};
use crate::scim::schema::{Place, ResourceType};
use serde_json::{Map, Value, json};

/// Resources of a page at most.
pub(crate) const MOST: usize = 200;

/// What a list asks for.
#[derive(Debug, Default)]
pub(crate) struct Query {
    pub(crate) filter: Option<Filter>,
    pub(crate) sort: Option<(Place, bool)>,
    /// The number of the first one, from 0.
    pub(crate) start: usize,
    pub(crate) count: usize,
    pub(crate) shown: Shown,
}

/// Which attributes an answer has.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    only: Option<Vec<Place>>,
    without: Vec<Place>,
}

impl Query {
    /// Reads the parameters of an address, or the body of a `.search`.
    pub(crate) fn read(of: &ResourceType, given: &[(String, String)]) -> Result<Self, ScimError> {
        let take = |name: &str| {
            given.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
        };
        let number = |name: &str, default: i64| match take(name) {
            None => Ok(default),
            Some(text) => text
                .trim()
                .parse::<i64>()
                .map_err(|_| ScimError::bad("invalidValue", format!("`{name}` is a whole number"))),
        };
        let start = number("startIndex", 1)?.max(1) - 1;
        let count = number("count", 100)?.max(0);
        let sort = match take("sortBy") {
            None => None,
            Some(path) => {
                let place = of.place(path);
                let place =
                    place.ok_or_else(|| ScimError::bad("invalidPath", format!("there is no attribute `{path}`")))?;
                Some((place, take("sortOrder").is_some_and(|order| order.eq_ignore_ascii_case("descending"))))
            }
        };
        Ok(Self {
            filter: take("filter")
                .filter(|text| !text.trim().is_empty())
                .map(|text| filter::read(of, text))
                .transpose()?,
            sort,
            start: usize::try_from(start).unwrap_or(usize::MAX),
            count: usize::try_from(count).unwrap_or(MOST).min(MOST),
            shown: Shown::read(of, take("attributes"), take("excludedAttributes")),
        })
    }
}

/// The parameters of an address.
pub(crate) fn parameters(query: Option<&str>) -> Vec<(String, String)> {
    let pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

/// The same from the body of a `.search`.
pub(crate) fn search(body: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| match value {
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    body.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), text(value))).collect()
}

impl Shown {
    pub(crate) fn read(of: &ResourceType, only: Option<&str>, without: Option<&str>) -> Self {
        let places = |text: &str| text.split(',').filter_map(|path| of.place(path.trim())).collect::<Vec<_>>();
        Self {
            only: only.filter(|text| !text.trim().is_empty()).map(places),
            without: without.map(places).unwrap_or_default(),
        }
    }

    /// Whether an attribute is shown at all.
    pub(crate) fn shows(&self, name: &str) -> bool {
        let named = |places: &[Place], whole: bool| {
            places.iter().any(|place| place.attribute.name == name && (!whole || place.part.is_none()))
        };
        self.only.as_ref().is_none_or(|only| named(only, false)) && !named(&self.without, true)
    }

    /// A resource with what is to be shown of it: always its schemas and its id.
    pub(crate) fn of(&self, resource: Value) -> Value {
        let mut resource = resource;
        if let Some(only) = &self.only {
            let mut kept = Map::new();
            for name in ["schemas", "id"] {
                kept.extend(resource.get(name).map(|value| (name.to_owned(), value.clone())));
            }
            let mut kept = Value::Object(kept);
            for place in only {
                copy(place, &resource, &mut kept);
            }
            resource = kept;
        }
        for place in self.without.iter().filter(|place| place.attribute.name != "id") {
            remove(place, &mut resource);
        }
        resource
    }
}

fn copy(place: &Place, from: &Value, into: &mut Value) {
    let Some(value) = place.slot(from) else { return };
    let chosen = match place.part {
        None => value.clone(),
        Some(part) => {
            let pick = |item: &Value| json!({ part.name: item.get(part.name).cloned().unwrap_or_default() });
            match value {
                Value::Array(items) => items.iter().map(pick).collect(),
                one => pick(one),
            }
        }
    };
    let Some(fields) = into.as_object_mut() else { return };
    let fields = match place.within {
        Some(uri) => fields.entry(uri).or_insert_with(|| json!({})).as_object_mut(),
        None => Some(fields),
    };
    if let Some(fields) = fields {
        match (fields.get_mut(place.attribute.name), chosen) {
            // Two parts of one attribute were asked for.
            (Some(Value::Object(known)), Value::Object(more)) => known.extend(more),
            (_, chosen) => {
                fields.insert(place.attribute.name.to_owned(), chosen);
            }
        }
    }
}

fn remove(place: &Place, from: &mut Value) {
    let holder = match place.within {
        Some(uri) => from.get_mut(uri),
        None => Some(from),
    };
    let Some(fields) = holder.and_then(Value::as_object_mut) else { return };
    match place.part {
        None => {
            fields.remove(place.attribute.name);
        }
        Some(part) => match fields.get_mut(place.attribute.name) {
            Some(Value::Array(items)) => items.iter_mut().filter_map(Value::as_object_mut).for_each(|item| {
                item.remove(part.name);
            }),
            Some(Value::Object(one)) => {
                one.remove(part.name);
            }
            _ => {}
        },
    }
}

/// Puts resources in an order; those without the attribute come last, whatever the direction.
pub(crate) fn sort(resources: &mut [Value], (place, descending): &(Place, bool)) {
    let leaf = place.part.unwrap_or(place.attribute);
    let key = |resource: &Value| {
        let values = place.values(resource);
        // Of a list the primary value counts, else the first.
        let primary = place.slot(resource).and_then(Value::as_array).and_then(|items| {
            items.iter().find(|item| item["primary"] == Value::Bool(true)).and_then(|item| item.get("value"))
        });
        primary.or_else(|| values.first().copied()).map(|value| match value {
            Value::String(text) if leaf.exact => text.clone(),
            Value::String(text) => text.to_lowercase(),
            other => other.to_string(),
        })
    };
    resources.sort_by(|one, other| match (key(one), key(other)) {
        (Some(one), Some(other)) if *descending => other.cmp(&one),
        (Some(one), Some(other)) => one.cmp(&other),
        (one, other) => other.is_some().cmp(&one.is_some()),
    });
}

/// A page as SCIM tells it.
pub(crate) fn page(total: usize, start: usize, resources: &[Value]) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": total, "startIndex": start + 1, "itemsPerPage": resources.len(), "Resources": resources,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scim::schema::USERS;

    fn read(parameters: &[(&str, &str)]) -> Query {
        let given: Vec<_> = parameters.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Query::read(&USERS, &given).unwrap()
    }

    #[test]
    fn pages_begin_at_one_and_have_a_limit() {
        let query = read(&[("startIndex", "-3"), ("count", "100000")]);
        assert_eq!((query.start, query.count), (0, MOST));
        let query = read(&[("STARTINDEX", "11"), ("count", "-1")]);
        assert_eq!((query.start, query.count), (10, 0));
    }

    #[test]
    fn attributes_are_chosen_by_name_and_the_id_is_always_there() {
        let user = json!({ "schemas": ["s"], "id": "1", "userName": "m", "name": { "familyName": "L", "givenName": "M" },
            "emails": [{ "value": "a", "type": "work" }] });
        let shown = |name: &str, value: &str| read(&[(name, value)]).shown.of(user.clone());
        assert_eq!(
            shown("attributes", "username,name.familyname,name.givenName"),
            json!({ "schemas": ["s"], "id": "1", "userName": "m", "name": { "familyName": "L", "givenName": "M" } })
        );
        assert_eq!(shown("excludedAttributes", "emails.type,id,name")["emails"], json!([{ "value": "a" }]));
        assert_eq!(shown("excludedAttributes", "id")["id"], "1");
        assert!(!read(&[("excludedAttributes", "emails")]).shown.shows("emails"));
        assert!(read(&[("attributes", "emails.value")]).shown.shows("emails"));
    }

    #[test]
    fn an_order_puts_what_is_missing_last() {
        let mut all = vec![json!({ "id": "1" }), json!({ "displayName": "b" }), json!({ "displayName": "A" })];
        let names =
            |all: &[Value]| all.iter().map(|one| one["displayName"].as_str().map(str::to_owned)).collect::<Vec<_>>();
        let some = |text: &str| Some(text.to_owned());
        sort(&mut all, &read(&[("sortBy", "displayName")]).sort.unwrap());
        assert_eq!(names(&all), [some("A"), some("b"), None]);
        sort(&mut all, &read(&[("sortBy", "displayname"), ("sortOrder", "descending")]).sort.unwrap());
        assert_eq!(names(&all), [some("b"), some("A"), None]);
    }
}
