//! Which events a subscription's filter lets through, and what its deliveries say of the record.
//!
//! Both read the record as its owner may read it, and restricted fields never: of those a reader gets to know by asking
//! for the record.

use crate::effects::Telling;
use crate::event::EventMessage;
use hub_engine::types;
use hub_expr::{Cx, Expr, Scope, Type};
use hub_model::{Class, EntityType, mask};
use hub_tree::{Arena, Limits, Value, json};
use std::collections::BTreeMap;

/// Most bytes that the `data` of a delivery has.
pub const DATA_BYTES: usize = 20_000;
/// Longest expression, in bytes.
const LONGEST: usize = 4_000;

/// What is wrong with an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where, in characters from 1.
    pub column: usize,
    /// What.
    pub message: String,
}

/// The names that an expression of a subscription may use: `event` and `record`. Which fields a record has is known
/// when the subscription is about one entity.
fn scope(entities: &[String]) -> Scope {
    let event = Type::record(
        "event",
        [
            ("id", Type::Text),
            ("type", Type::Text),
            ("at", Type::Text),
            ("entity", Type::Text),
            ("version", Type::Number),
            ("connection", Type::Text),
            ("changed", Type::list(Type::Text)),
        ],
    );
    let entity = match entities {
        [one] => hub_model::entity(one),
        _ => None,
    };
    Scope::new([("event", event), ("record", entity.map_or(Type::Any, types::record))])
}

fn compile(text: &str, entities: &[String], condition: bool) -> Result<Expr, Mistake> {
    if text.len() > LONGEST {
        return Err(Mistake { column: 1, message: format!("an expression has at most {LONGEST} bytes") });
    }
    let expr = Expr::compile(text, &scope(entities)).map_err(|problems| {
        let first = problems.into_iter().next();
        first.map_or_else(
            || Mistake { column: 1, message: "it cannot be understood".to_owned() },
            |problem| {
                let hint = problem.suggestion.map(|hint| format!("; {hint}")).unwrap_or_default();
                Mistake { column: problem.start + 1, message: format!("{}{hint}", problem.message) }
            },
        )
    })?;
    if condition && !expr.ty().may_be(&Type::Bool) {
        let message = format!("a filter is true or false, this is {}", expr.ty());
        return Err(Mistake { column: 1, message });
    }
    Ok(expr)
}

/// Checks the expression of a filter.
///
/// # Errors
/// The first mistake.
pub fn check_filter(text: &str, entities: &[String]) -> Result<(), Mistake> {
    compile(text, entities, true).map(drop)
}

/// Checks the expression of a member of a transformation.
///
/// # Errors
/// The first mistake.
pub fn check_member(text: &str, entities: &[String]) -> Result<(), Mistake> {
    compile(text, entities, false).map(drop)
}

/// A record as a subscription's owner may read it.
pub(crate) struct Seen<'a> {
    pub(crate) entity: &'static EntityType,
    /// The whole document, as JSON.
    pub(crate) document: &'a str,
    /// What the owner may read.
    pub(crate) allowed: Class,
}

impl Seen<'_> {
    fn value<'a>(&self, arena: &'a Arena) -> Result<(Value<'a>, Vec<String>), String> {
        let document = json::read(arena, arena.bytes(self.document.as_bytes()), Limits::default());
        let document = document.map_err(|_| "the record cannot be read".to_owned())?;
        Ok(mask::mask(arena, self.entity, document, self.allowed.min(Class::S2)))
    }
}

fn slots<'a>(arena: &'a Arena, event: &EventMessage, seen: &Seen<'_>) -> Result<Vec<Value<'a>>, String> {
    let text = |text: &str| Value::Text(arena.text(text));
    let said = event.data(arena);
    let of = arena.map(&[
        ("id", text(&event.id)),
        ("type", text(&event.full_type())),
        ("at", text(&event.at)),
        ("entity", text(&event.entity)),
        ("version", said.get("version")),
        ("connection", said.get("connection")),
        ("changed", said.get("changed")),
    ]);
    Ok(vec![of, seen.value(arena)?.0])
}

/// Whether a filter lets an event through.
///
/// # Errors
/// Why nobody can say; no values.
pub(crate) fn holds(filter: &str, entities: &[String], event: &EventMessage, seen: &Seen<'_>) -> Result<bool, String> {
    let expr = compile(filter, entities, true).map_err(|mistake| mistake.message)?;
    let arena = Arena::new();
    let mut cx = Cx::new(&arena, slots(&arena, event, seen)?);
    match expr.eval(&mut cx).map_err(|error| error.message)? {
        Value::Bool(holds) => Ok(holds),
        value if value.is_absent() => Err("the filter is absent: give what it reads a default with `??`".to_owned()),
        value => Err(format!("the filter is {}", value.kind())),
    }
}

/// What a transformation makes of an event: a member that is absent is left out.
///
/// # Errors
/// Why it makes nothing; no values.
pub(crate) fn transformed(
    transform: &BTreeMap<String, String>,
    entities: &[String],
    event: &EventMessage,
    seen: &Seen<'_>,
) -> Result<Telling, String> {
    let mut exprs: Vec<(&str, Expr)> = Vec::with_capacity(transform.len());
    for (name, text) in transform {
        let expr = compile(text, entities, false).map_err(|mistake| format!("`{name}`: {}", mistake.message))?;
        exprs.push((name.as_str(), expr));
    }
    let arena = Arena::new();
    let mut cx = Cx::new(&arena, slots(&arena, event, seen)?);
    let mut members = Vec::with_capacity(exprs.len());
    for (name, expr) in &exprs {
        members.push((*name, expr.eval(&mut cx).map_err(|error| format!("`{name}`: {}", error.message))?));
    }
    let data = json::to_string(&arena.map(&members));
    if data.len() > DATA_BYTES {
        return Err(format!("it makes {} bytes; at most {DATA_BYTES} are sent", data.len()));
    }
    Ok(Telling::Data(data))
}

/// The event's data with the record; without it when that is too long.
///
/// # Errors
/// The record cannot be read.
pub(crate) fn full(event: &EventMessage, seen: &Seen<'_>) -> Result<Telling, String> {
    let arena = Arena::new();
    let text = |text: &str| Value::Text(arena.text(text));
    let (record, masked) = seen.value(&arena)?;
    let masked: Vec<Value<'_>> = masked.iter().map(|pointer| text(pointer)).collect();
    let place = format!("/v1/{}/{}", seen.entity.collection, event.record);
    let said = event.data(&arena);
    let head = [said.entries(), &[("href", text(&place))]].concat();
    let whole = [&head[..], &[("record", record), ("masked", arena.list(&masked))]].concat();
    let data = json::to_string(&arena.map(&whole));
    if data.len() <= DATA_BYTES {
        return Ok(Telling::Data(data));
    }
    let short = [&head[..], &[("record_left_out", text("it is too long: read it at `href`"))]].concat();
    Ok(Telling::Data(json::to_string(&arena.map(&short))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_tree::TraceContext;

    const CANDIDATE: &str = r#"{"id":"1","name":{"full":"Li Na"},"national_ids":[{"number":"1"}],"tags":["vip"]}"#;

    fn event() -> EventMessage {
        EventMessage {
            id: "e".into(),
            tenant: "default".into(),
            kind: "candidate.updated".into(),
            entity: "candidate".into(),
            record: "1".into(),
            version: 3,
            connection: None,
            at: "2026-03-01T09:30:00.000Z".into(),
            changed: vec!["name".into()],
            trace: TraceContext::begin(),
            replay: None,
        }
    }

    fn seen(allowed: Class) -> Seen<'static> {
        Seen { entity: hub_model::entity("candidate").unwrap(), document: CANDIDATE, allowed }
    }

    #[test]
    fn a_mistake_in_an_expression_is_told_with_its_place() {
        let one = ["candidate".to_owned()];
        assert_eq!(check_filter("record.name.full == \"x\" and event.version > 1", &one), Ok(()));
        let wrong = check_filter("record.nam == \"x\"", &one).unwrap_err();
        assert!(wrong.column > 1 && wrong.message.contains("nam"), "{wrong:?}");
        assert!(check_filter("evnt.id == \"x\"", &[]).unwrap_err().message.contains("evnt"));
        assert!(check_filter("event.version", &[]).unwrap_err().message.contains("true or false"));
        assert!(check_filter("1 +", &[]).is_err());
        assert_eq!(check_member("event.version", &[]), Ok(()));
    }

    #[test]
    fn expressions_read_what_the_owner_may_read_and_fail_closed() {
        let none: [String; 0] = [];
        let is_li_na = "record.name.full == \"Li Na\"";
        assert_eq!(holds(is_li_na, &none, &event(), &seen(Class::S2)), Ok(true));
        assert_ne!(holds(is_li_na, &none, &event(), &seen(Class::S1)), Ok(true), "a field beyond the owner's scope");
        // A restricted field is beyond everybody's.
        let counts = "record.national_ids.0.number == \"1\"";
        assert_ne!(holds(counts, &none, &event(), &seen(Class::S3)), Ok(true));
        assert!(holds("record.name", &none, &event(), &seen(Class::S2)).is_err());
    }

    #[test]
    fn a_full_delivery_is_masked_and_a_long_one_says_where_to_read() {
        let Ok(Telling::Data(data)) = full(&event(), &seen(Class::S3)) else { panic!("no data") };
        assert!(data.contains("Li Na") && !data.contains("\"number\""), "{data}");
        assert!(data.contains("\"/national_ids\"") && data.contains("\"href\":\"/v1/candidates/1\""), "{data}");
        let Ok(Telling::Data(data)) = full(&event(), &seen(Class::S1)) else { panic!("no data") };
        assert!(!data.contains("Li Na"), "{data}");
        let long = format!(r#"{{"id":"1","name":{{"full":"{}"}}}}"#, "x".repeat(DATA_BYTES));
        let long = Seen { document: &long, ..seen(Class::S2) };
        let Ok(Telling::Data(data)) = full(&event(), &long) else { panic!("no data") };
        assert!(data.len() < 1_000 && data.contains("record_left_out"), "{data}");
        let of = |text: &str| BTreeMap::from([("who".to_owned(), text.to_owned())]);
        let name = of("record.name.full & \"!\"");
        assert!(transformed(&name, &[], &event(), &long).unwrap_err().contains("at most 20000"));
        let made = transformed(&name, &[], &event(), &seen(Class::S2));
        assert_eq!(made, Ok(Telling::Data("{\"who\":\"Li Na!\"}".to_owned())));
        let none = transformed(&of("record.national_ids"), &[], &event(), &seen(Class::S3));
        assert_eq!(none, Ok(Telling::Data("{}".to_owned())), "restricted fields are never there");
    }
}
