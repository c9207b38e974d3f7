//! The description of the API: one table of operations, from which `/openapi.json`, the reference page, the methods of
//! an address and the reviewed list of the API are made.
//!
//! A topic is a file with a [`Topic`]; a route that no topic describes fails a test. The generic operations of records
//! are written once and are there for every entity of the model.

mod document;
mod events;
mod examples;
mod model;
mod operation;
mod outline;
mod shape;

mod apps;
mod audit;
mod batch;
mod connections;
mod decisions;
mod hooks;
mod identity;
mod imports;
mod journeys;
mod machines;
mod parked;
mod payloads;
mod payroll;
mod records;
mod reports;
mod scim;
mod services;
mod subscriptions;
mod writing;

pub use document::{document, text};
pub use outline::outline;

use operation::{Each, Operation};

/// Operations that belong together.
#[derive(Debug)]
pub(crate) struct Topic {
    /// What they are about.
    pub(crate) name: &'static str,
    /// What there is to know.
    pub(crate) doc: &'static str,
    pub(crate) operations: &'static [Operation],
}

/// All topics, in the order of the reference.
static TOPICS: &[&Topic] = &[
    &records::TOPIC,
    &writing::TOPIC,
    &subscriptions::TOPIC,
    &events::TOPIC,
    &imports::TOPIC,
    &apps::TOPIC,
    &connections::TOPIC,
    &batch::TOPIC,
    &journeys::TOPIC,
    &payloads::TOPIC,
    &parked::TOPIC,
    &audit::TOPIC,
    &hooks::TOPIC,
    &identity::TOPIC,
    &scim::TOPIC,
    &decisions::TOPIC,
    &payroll::TOPIC,
    &services::TOPIC,
    &reports::TOPIC,
    &machines::TOPIC,
];

/// An operation as it is described: each entity has its own.
struct Described {
    topic: &'static Topic,
    of: &'static Operation,
    entity: Option<&'static hub_model::EntityType>,
    path: String,
    id: String,
}

/// A topic as people see it: what is there for every entity is shown once.
pub(crate) struct ShownTopic {
    pub(crate) name: &'static str,
    pub(crate) doc: &'static str,
    pub(crate) operations: Vec<Shown>,
}

/// An operation as people see it.
pub(crate) struct Shown {
    pub(crate) id: String,
    pub(crate) method: &'static str,
    /// The address with its parameters, `{collection}` among them.
    pub(crate) template: &'static str,
    /// The address under which the document describes it, for one entity.
    pub(crate) path: String,
    pub(crate) summary: &'static str,
    pub(crate) needs: &'static [&'static str],
    /// The collections that it is there for.
    pub(crate) collections: Vec<&'static str>,
}

/// The topics with their operations.
pub(crate) fn shown() -> Vec<ShownTopic> {
    let show = |of: &'static Operation| {
        let entities: Vec<_> = entities(of.each).into_iter().flatten().collect();
        let (path, id) = entities.first().map_or((of.path.to_owned(), of.id.to_owned()), |entity| named(of, entity));
        let collections = entities.iter().map(|entity| entity.collection).collect();
        Shown { id, method: of.method, template: of.path, path, summary: of.summary, needs: of.needs, collections }
    };
    let topic = |topic: &&'static Topic| ShownTopic {
        name: topic.name,
        doc: topic.doc,
        operations: topic.operations.iter().map(show).collect(),
    };
    TOPICS.iter().map(topic).collect()
}

/// Every operation, those of entities one by one.
fn described() -> Vec<Described> {
    let mut all = Vec::new();
    for topic in TOPICS {
        for of in topic.operations {
            for entity in entities(of.each) {
                let (path, id) = match entity {
                    Some(entity) => named(of, entity),
                    None => (of.path.to_owned(), of.id.to_owned()),
                };
                all.push(Described { topic, of, entity, path, id });
            }
        }
    }
    all
}

fn entities(each: Each) -> Vec<Option<&'static hub_model::EntityType>> {
    let all = hub_model::ENTITIES.iter().copied();
    match each {
        Each::Once => vec![None],
        Each::Entity => all.map(Some).collect(),
        Each::Of(names) => all.filter(|entity| names.contains(&entity.name)).map(Some).collect(),
        Each::But(names) => all.filter(|entity| !names.contains(&entity.name)).map(Some).collect(),
    }
}

fn named(of: &Operation, entity: &hub_model::EntityType) -> (String, String) {
    let id = of.id.replace("{entity}", entity.name).replace("{collection}", &entity.collection.replace('-', "_"));
    (of.path.replace("{collection}", entity.collection), id)
}

/// The methods that an address answers to, such as `/v1/messages`; none when there is nothing at it.
#[must_use]
pub fn methods_of(address: &str) -> Vec<&'static str> {
    let mut methods: Vec<&'static str> = Vec::new();
    for topic in TOPICS {
        for of in topic.operations.iter().filter(|of| is_at(of, address)) {
            methods.push(of.method);
            if of.method == "GET" {
                methods.push("HEAD");
            }
        }
    }
    if !methods.is_empty() {
        methods.push("OPTIONS");
    }
    methods.sort_unstable();
    methods.dedup();
    methods
}

/// Whether an operation is at an address.
fn is_at(of: &Operation, address: &str) -> bool {
    let (mut pattern, mut given) = (of.path.split('/'), address.split('/'));
    loop {
        let fits = match (pattern.next(), given.next()) {
            (None, None) => return true,
            (Some(part), Some(given)) if part.starts_with("{collection}") => {
                let given = given.strip_suffix(part.trim_start_matches("{collection}"));
                let entity = given.and_then(hub_model::collection);
                entity.is_some_and(|entity| match of.each {
                    Each::Of(names) => names.contains(&entity.name),
                    Each::But(names) => !names.contains(&entity.name),
                    Each::Once | Each::Entity => true,
                })
            }
            (Some(part), Some(given)) if part.starts_with("{*") => return !given.is_empty(),
            (Some(part), Some(given)) if part.starts_with('{') => match part.split_once("}:") {
                Some((_, action)) => given.split_once(':').is_some_and(|(id, asked)| !id.is_empty() && asked == action),
                None => !given.is_empty() && !given.contains(':'),
            },
            (part, given) => part == given,
        };
        if !fits {
            return false;
        }
    }
}

/// Every operation: its address, method, and what it needs.
#[must_use]
pub fn operations() -> Vec<(&'static str, &'static str, &'static [&'static str])> {
    TOPICS.iter().flat_map(|topic| topic.operations).map(|of| (of.path, of.method, of.needs)).collect()
}

/// Every route that the description knows: route, method, and what it needs.
#[must_use]
pub fn routes() -> Vec<(&'static str, &'static str, &'static [&'static str])> {
    TOPICS.iter().flat_map(|topic| topic.operations).map(|of| (of.route(), of.method, of.needs)).collect()
}

#[cfg(test)]
mod tests;
