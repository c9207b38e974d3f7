//! When: the day that counts (`as_of`), and the time until which the hub had learned what is told (`known_at`).

use crate::problem::Problem;
use crate::query::Parameters;
use hub_model::{Class, EntityType, Field};
use hub_tree::Value;
use hub_tree::jiff::Timestamp;
use hub_tree::jiff::civil::Date;

/// When a question is about; both are now unless they are said.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Times {
    /// The day in the world.
    pub(crate) as_of: Option<Date>,
    /// What came to be known after this counts as not known, µs.
    pub(crate) known_at: Option<i64>,
}

/// The first and the last day of what an entity tells, if it holds for a time only.
fn period_of(entity: &EntityType) -> Option<(&'static Field, &'static Field)> {
    let both = |from, to| Some((entity.field(from)?, entity.field(to)?));
    both("valid_from", "valid_to").or_else(|| both("start_on", "end_on").filter(|_| entity.name == "employment"))
}

impl Times {
    /// Takes both parameters of a question about an entity.
    pub(crate) fn take(entity: &EntityType, allowed: Class, given: &mut Parameters) -> Result<Self, Problem> {
        let as_of = given.take("as_of").map(|text| day(entity, allowed, &text)).transpose()?;
        let known_at = given.take("known_at").map(|text| instant("known_at", &text)).transpose()?;
        Ok(Self { as_of, known_at })
    }

    /// Whether something holds on the day that counts. What has no first or last day holds since or for ever.
    pub(crate) fn holds(self, entity: &EntityType, document: Value<'_>) -> bool {
        let Some((on, (from, to))) = self.as_of.zip(period_of(entity)) else { return true };
        let of = |field: &Field| document.get(field.name).as_text().and_then(|text| text.parse::<Date>().ok());
        of(from).is_none_or(|first| first <= on) && of(to).is_none_or(|last| on <= last)
    }

    /// Whether records of an entity may be passed over, because they do not hold on the day.
    pub(crate) fn choose(self, entity: &EntityType) -> bool {
        self.as_of.is_some() && period_of(entity).is_some()
    }
}

/// A day on which a question about an entity can be asked.
fn day(entity: &EntityType, allowed: Class, text: &str) -> Result<Date, Problem> {
    let period = period_of(entity);
    if let Some((from, to)) = period {
        let class = from.class.max(to.class);
        if class > allowed {
            return Err(Problem::forbidden(scope_for(class)));
        }
    } else if entity.field("current").is_none() {
        let detail = format!("`{}` have no first and last day, so that there is no `as_of`", entity.collection);
        let next = "leave `as_of` out; `known_at` tells what was known at a time".to_owned();
        return Err(Problem::bad_parameter("as_of", detail, Some(next)));
    }
    let day = text.parse::<Date>().ok().filter(|_| text.len() == "2026-03-01".len());
    day.ok_or_else(|| Problem::bad_parameter("as_of", "`as_of` is a day such as 2026-03-01", None))
}

/// An RFC 3339 time, µs.
pub(crate) fn instant(name: &str, text: &str) -> Result<i64, Problem> {
    let at = text.parse::<Timestamp>();
    let at = at.map_err(|_| Problem::bad_parameter(name, format!("`{name}` is an RFC 3339 time"), None))?;
    Ok(at.as_microsecond())
}

/// The scope that fields of a class need.
pub(crate) fn scope_for(class: Class) -> &'static str {
    if class > Class::S2 { "read:restricted" } else { "read" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::parameters;
    use hub_tree::{Arena, Limits, json};

    #[test]
    fn a_day_counts_for_what_holds_for_a_time_and_is_refused_for_what_does_not() {
        let take = |entity: &str, allowed, query: &str| {
            Times::take(hub_model::entity(entity).unwrap(), allowed, &mut parameters(Some(query)))
        };
        for entity in ["job_assignment", "employment", "employee", "department"] {
            assert!(take(entity, Class::S1, "as_of=2026-03-01").is_ok(), "{entity}");
        }
        assert_eq!(take("candidate", Class::S3, "as_of=2026-03-01").unwrap_err().code(), "bad_parameter");
        assert_eq!(take("compensation", Class::S1, "as_of=2026-03-01").unwrap_err().code(), "forbidden");
        for bad in ["as_of=2026-02-30", "as_of=2026-03-01T00:00", "as_of=", "known_at=2026-03-01", "known_at=x"] {
            assert_eq!(take("job_assignment", Class::S1, bad).unwrap_err().code(), "bad_parameter", "{bad}");
        }
        assert!(take("candidate", Class::S1, "known_at=2026-03-01T09:30:00Z").unwrap().known_at.is_some());
    }

    #[test]
    fn first_and_last_days_are_days_on_which_it_holds() {
        let entity = hub_model::entity("job_assignment").unwrap();
        let holds = |text: &str, on: &str| {
            let arena = Arena::new();
            let document = json::read(&arena, text.as_bytes(), Limits::default()).unwrap();
            Times { as_of: Some(on.parse().unwrap()), known_at: None }.holds(entity, document)
        };
        let year = r#"{"valid_from": "2026-01-01", "valid_to": "2026-12-31"}"#;
        assert!(holds(year, "2026-01-01") && holds(year, "2026-12-31"));
        assert!(!holds(year, "2025-12-31") && !holds(year, "2027-01-01"));
        assert!(holds("{}", "1999-01-01") && holds(r#"{"valid_from": "2026-01-01"}"#, "2090-01-01"));
    }
}
