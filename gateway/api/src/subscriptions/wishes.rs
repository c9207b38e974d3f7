//! What a subscription may wish beside address and types: how these members are read and shown.

use crate::Api;
use crate::body::Fields;
use crate::problem::Problem;
use hub_flow::access::Principal;
use hub_flow::subscriptions::fit::{self, Mistake};
use hub_flow::subscriptions::options::{Options, Order, Payload, Signing};
use hub_tree::finding::suggest;
use serde_json::{Map, Value, json};

/// The members.
pub(super) const NAMES: [&str; 11] = [
    "description",
    "entities",
    "connections",
    "filter",
    "transform",
    "payload",
    "signing",
    "rate",
    "order",
    "retries",
    "disable_after",
];

/// Most entities or connections that one names.
const MOST: usize = 50;
/// Longest description, in characters.
const DESCRIPTION: usize = 500;
/// Most deliveries in a second that are promised to be kept below.
const FASTEST: i64 = 10_000;
/// Most tries less one, and the longest wait between two: a week.
const RETRIES: usize = 30;
const LONGEST_WAIT: u64 = 604_800;
/// Most failures in a row.
const MOST_FAILURES: i64 = 100_000;

/// Refuses a connection that the tenant does not have.
pub(super) fn known_connection(api: &Api, who: &Principal, name: &str, pointer: &str) -> Result<(), Problem> {
    let registry = api.hub.registry();
    let own = registry.connections.values().filter(|known| known.tenant == who.tenant);
    let names: Vec<&str> = own.map(|known| known.id.as_str()).collect();
    if names.contains(&name) {
        return Ok(());
    }
    let near = suggest(name, names.iter().copied()).map(|near| format!("; {near}")).unwrap_or_default();
    Err(Problem::invalid_body(pointer, format!("there is no connection `{name}`{near}")))
}

/// Reads the members of a body into `options`; what it does not name stays.
pub(super) fn read(api: &Api, who: &Principal, body: &mut Fields, options: &mut Options) -> Result<(), Problem> {
    if let Some(text) = body.text("description")? {
        if text.chars().count() > DESCRIPTION {
            let detail = format!("`description` has at most {DESCRIPTION} characters");
            return Err(Problem::invalid_body("/description", detail));
        }
        options.description = text;
    }
    if let Some(names) = list(body, "entities")? {
        for (index, name) in names.iter().enumerate() {
            if hub_model::entity(name).is_none() {
                let hint = suggest(name, hub_model::ENTITIES.iter().map(|entity| entity.name));
                let near = hint.map(|near| format!("; {near}")).unwrap_or_default();
                let detail = format!("there is no entity `{name}`{near}");
                return Err(Problem::invalid_body(&format!("/entities/{index}"), detail));
            }
            who.reads(name)?;
        }
        options.entities = names;
    }
    if let Some(names) = list(body, "connections")? {
        for (index, name) in names.iter().enumerate() {
            known_connection(api, who, name, &format!("/connections/{index}"))?;
        }
        options.connections = names;
    }
    if let Some(text) = body.text("filter")? {
        options.filter = text;
    }
    match body.take("transform") {
        None => {}
        Some(Value::Object(members)) if members.len() <= MOST => {
            let text = |(name, value): (String, Value)| match value {
                Value::String(text) => Ok((name, text)),
                _ => Err(Problem::invalid_body("/transform", format!("`{name}` is an expression, as text"))),
            };
            options.transform = members.into_iter().map(text).collect::<Result<_, _>>()?;
        }
        Some(_) => {
            let detail = format!("`transform` is an object of at most {MOST} names with an expression each");
            return Err(Problem::invalid_body("/transform", detail));
        }
    }
    // What an expression may name depends on the entities.
    if !options.filter.is_empty() {
        fit::check_filter(&options.filter, &options.entities).map_err(|mistake| wrong("/filter", &mistake))?;
    }
    for (name, text) in &options.transform {
        let pointer = format!("/transform/{}", name.replace('~', "~0").replace('/', "~1"));
        fit::check_member(text, &options.entities).map_err(|mistake| wrong(&pointer, &mistake))?;
    }
    const PAYLOADS: [(&str, Payload); 2] = [("thin", Payload::Thin), ("full", Payload::Full)];
    const SIGNINGS: [(&str, Signing); 3] =
        [("hmac", Signing::Hmac), ("ed25519", Signing::Ed25519), ("both", Signing::Both)];
    const ORDERS: [(&str, Order); 2] = [("record", Order::Record), ("none", Order::None)];
    one_of(body, "payload", &PAYLOADS, &mut options.payload)?;
    one_of(body, "signing", &SIGNINGS, &mut options.signing)?;
    one_of(body, "order", &ORDERS, &mut options.order)?;
    match body.take("rate") {
        None => {}
        Some(Value::Object(rate)) if rate.keys().all(|name| name == "per_second") => {
            let given = rate.get("per_second").and_then(Value::as_i64).filter(|rate| (0..=FASTEST).contains(rate));
            let detail = format!("`per_second` is a whole number from 1 to {FASTEST}, or 0 for any number");
            options.per_second = given.ok_or_else(|| Problem::invalid_body("/rate/per_second", detail))?;
        }
        Some(_) => return Err(Problem::invalid_body("/rate", "`rate` is an object with `per_second`")),
    }
    match body.take("retries") {
        None => {}
        Some(Value::String(word)) if word == "default" => options.retries = Vec::new(),
        Some(Value::Array(waits)) => {
            let read = |wait: &Value| wait.as_u64().filter(|secs| (1..=LONGEST_WAIT).contains(secs));
            let read: Option<Vec<u64>> = waits.iter().map(read).collect();
            let read = read.filter(|waits| (1..=RETRIES).contains(&waits.len()));
            options.retries = read.ok_or_else(retries)?;
        }
        Some(_) => return Err(retries()),
    }
    if let Some(value) = body.take("disable_after") {
        let given = value.as_i64().filter(|count| (1..=MOST_FAILURES).contains(count));
        let detail = format!("`disable_after` is a whole number from 1 to {MOST_FAILURES}");
        options.disable_after = given.ok_or_else(|| Problem::invalid_body("/disable_after", detail))?;
    }
    Ok(())
}

fn retries() -> Problem {
    let detail = format!("`retries` is \"default\" or a list of 1 to {RETRIES} waits of 1 to {LONGEST_WAIT} seconds");
    Problem::invalid_body("/retries", detail)
}

fn wrong(pointer: &str, mistake: &Mistake) -> Problem {
    Problem::invalid_body(pointer, format!("character {}: {}", mistake.column, mistake.message))
        .next("an expression may use `event` and `record`; docs/subscriptions.md has examples")
}

fn list(body: &mut Fields, name: &str) -> Result<Option<Vec<String>>, Problem> {
    let Some(names) = body.texts(name)? else { return Ok(None) };
    if names.len() > MOST {
        return Err(Problem::invalid_body(&format!("/{name}"), format!("`{name}` has at most {MOST} items")));
    }
    Ok(Some(names))
}

fn one_of<T: Copy>(body: &mut Fields, name: &str, words: &[(&str, T)], into: &mut T) -> Result<(), Problem> {
    let Some(given) = body.text(name)? else { return Ok(()) };
    let Some((_, value)) = words.iter().find(|(word, _)| *word == given) else {
        let known: Vec<String> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
        return Err(Problem::invalid_body(&format!("/{name}"), format!("`{name}` is one of {}", known.join(", "))));
    };
    *into = *value;
    Ok(())
}

/// The members as they are shown.
pub(super) fn shown(options: &Options) -> Map<String, Value> {
    let text = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let shown = json!({
        "description": text(&options.description),
        "entities": options.entities,
        "connections": options.connections,
        "filter": text(&options.filter),
        "transform": Some(&options.transform).filter(|members| !members.is_empty()),
        "payload": options.payload,
        "signing": options.signing,
        "rate": (options.per_second > 0).then(|| json!({ "per_second": options.per_second })),
        "order": options.order,
        "retries": if options.retries.is_empty() { json!("default") } else { json!(options.retries) },
        "disable_after": options.disable_after,
    });
    if let Value::Object(shown) = shown { shown } else { Map::new() }
}
