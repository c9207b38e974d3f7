//! What expressions of a manifest see of a request that came in: for its proof, and for what is opened of it.

use crate::inbound::InboundRequest;
use hub_expr::{Located, Scope, Type};
use hub_tree::{Arena, Limits, Value, json};
use std::collections::HashSet;

const PAYLOAD: usize = 1;
const FORM: usize = 5;

/// The names, in the order of [`slots`]: `settings`, `payload` (the body where it is JSON), `headers`, `query`, `body`
/// (its text) and `form` (the fields of a body that is a form).
pub(crate) fn scope(settings: Type) -> Scope {
    let known = [("payload", Type::Any), ("headers", Type::Any), ("query", Type::Any)];
    let body = [("body", Type::Text), ("form", Type::Any)];
    Scope::new([("settings", settings)].into_iter().chain(known).chain(body))
}

/// The values of a request; what none of the expressions in `read` names is not looked for.
pub(crate) fn slots<'a>(
    arena: &'a Arena,
    request: &'a InboundRequest,
    settings: Value<'a>,
    read: &[&Located],
) -> Vec<Value<'a>> {
    let reads = |slot: usize| {
        let mut places = read.iter().flat_map(|located| located.expr.reads().iter().chain(located.expr.source()));
        places.any(|place| place.slot == slot)
    };
    // A body that is no JSON, or no form, has no members.
    let payload = || json::read(arena, &request.body, Limits::default()).unwrap_or_default();
    let payload = if reads(PAYLOAD) { payload() } else { Value::Absent };
    let form =
        || first_of_each(arena, request.form().iter().map(|(name, value)| (arena.text(name), arena.text(value))));
    let form = if reads(FORM) { form() } else { Value::Absent };
    let pairs = |pairs: &'a [(String, String)]| {
        first_of_each(arena, pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    };
    let body = str::from_utf8(&request.body).map_or(Value::Absent, Value::Text);
    vec![settings, payload, pairs(&request.headers), pairs(&request.query), body, form]
}

/// Names and values as an object; of a name that comes twice the first counts.
fn first_of_each<'a>(arena: &'a Arena, pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Value<'a> {
    let mut known = HashSet::new();
    let firsts = pairs.filter(|(name, _)| known.insert(*name));
    let entries: Vec<(&str, Value<'_>)> = firsts.map(|(name, value)| (name, Value::Text(value))).collect();
    arena.map(&entries)
}
