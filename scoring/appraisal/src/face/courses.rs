//! Which courses help with what: the catalogue of a request, else that of the house.

use super::by_name;
use hub_calc::{Given, Wrong};
use hub_tree::{Arena, Limits, Value, json};
use std::collections::BTreeMap;

/// Dimensions and skills, each with its courses; data that a request may replace.
const HOUSE: &[u8] = include_bytes!("../../courses.json");

/// Courses by dimension or skill. An entry is a list of texts, or one text.
pub(super) struct Catalogue<'a>(BTreeMap<&'a str, Given<'a>>);

impl<'a> Catalogue<'a> {
    pub(super) fn of(given: Given<'a>, field: &'a str) -> Result<Self, Wrong> {
        if let Some(catalogue) = given.optional_map(field)? {
            return Ok(Self(by_name(catalogue)));
        }
        let arena = given.arena();
        Ok(Self(by_name(Given::new(arena, house(arena)))))
    }

    /// The courses for a dimension; none for one that it does not know.
    pub(super) fn courses(&self, dim: &str) -> Result<Vec<&'a str>, Wrong> {
        let Some(courses) = self.0.get(dim) else { return Ok(Vec::new()) };
        match courses.value() {
            Value::Text(course) => Ok(vec![course]),
            Value::List(_) => courses.items().map(|course| course.as_text()).collect(),
            _ => Err(courses.wrong_here(&format!("the courses for `{dim}` should be a list of texts"))),
        }
    }
}

fn house(arena: &Arena) -> Value<'_> {
    json::read(arena, arena.bytes(HOUSE), Limits::default()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_of_the_house_can_be_read() {
        let arena = Arena::new();
        let catalogue = Catalogue(by_name(Given::new(&arena, house(&arena))));
        assert_eq!(catalogue.courses("Python").unwrap(), ["Python进阶"]);
        assert!(catalogue.0.keys().all(|dim| !catalogue.courses(dim).unwrap().is_empty()));
        assert!(catalogue.courses("打字").unwrap().is_empty());
    }
}
