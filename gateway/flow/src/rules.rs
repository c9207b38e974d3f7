//! Flows: event–condition–action rules in files. An event of a record finds the rules for it; a rule whose condition
//! holds creates records and asks for calls. Each action happens once per event, because its effects commit with the
//! mark that the event was done.

mod act;
mod delay;
mod read;
mod settings;

pub use act::arguments;
pub(crate) use delay::{Outcome, cancel_about, fire, short_name};
pub(crate) use settings::load;

use crate::effects::{Effects, Failure};
use crate::event::EventMessage;
use crate::hub::Hub;
use crate::react::Consumer;
use crate::records::{index_entry, sealed_as};
use async_trait::async_trait;
use delay::Delay;
use hub_bus::Delivery;
use hub_engine::Draft;
use hub_expr::Located;
use hub_model::{EntityType, Field};
use hub_store::job;
use hub_tree::Source;
use std::sync::Arc;

/// A flow that is switched on.
#[derive(Debug)]
pub struct Flow {
    /// Its name.
    pub name: String,
    /// Its settings as JSON.
    settings: String,
    rules: Vec<Rule>,
    source: Arc<Source>,
}

#[derive(Debug)]
struct Rule {
    id: String,
    /// `application.stage_changed` …
    on: Vec<String>,
    entity: &'static EntityType,
    when: Option<Located>,
    /// What orders the calls of one business case.
    key: Option<Located>,
    load: Vec<Load>,
    lets: Vec<Located>,
    actions: Vec<Action>,
}

/// A record that a rule reads.
#[derive(Debug)]
struct Load {
    entity: &'static EntityType,
    /// The field by whose value it is found; `None` when a reference leads to it.
    by: Option<&'static Field>,
    value: Located,
}

#[derive(Debug)]
struct Action {
    when: Option<Located>,
    /// When it is done later.
    delay: Option<Delay>,
    what: What,
}

#[derive(Debug)]
enum What {
    Create { name: Option<String>, draft: Draft },
    Call(Box<CallAction>),
}

#[derive(Debug)]
struct CallAction {
    connection: Located,
    operation: String,
    key: Located,
    with: Vec<(String, Located)>,
}

/// What a setting of a flow is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SettingKind {
    Connection,
    Text,
    Texts,
}

struct Setting {
    name: String,
    kind: SettingKind,
    required: bool,
    default: Option<String>,
    doc: String,
}

/// The consumer behind all flows.
#[derive(Debug, Default)]
pub struct Flows;

#[async_trait]
impl Consumer for Flows {
    fn name(&self) -> &'static str {
        "flow"
    }

    fn topics(&self) -> &'static [&'static str] {
        &["hr.#"]
    }

    /// Rules name the events that they react to; all others need no row.
    async fn sift(&self, hub: &Arc<Hub>, deliveries: Vec<Delivery>) -> Vec<Delivery> {
        let registry = hub.registry();
        let wanted = |delivery: &Delivery| {
            let kind = delivery.message.topic.strip_prefix("hr.").unwrap_or_default();
            registry.flows.iter().flat_map(|flow| &flow.rules).any(|rule| rule.on.iter().any(|on| on == kind))
        };
        deliveries.into_iter().filter(wanted).collect()
    }

    async fn handle(&self, hub: &Arc<Hub>, event: &EventMessage) -> Result<Effects, Failure> {
        let mut effects = Effects::of(event);
        let registry = hub.registry();
        for flow in &registry.flows {
            for rule in flow.rules.iter().filter(|rule| rule.on.contains(&event.kind)) {
                act::run_rule(hub, flow, rule, event, &mut effects).await?;
            }
        }
        Ok(effects)
    }
}

/// A record's document, now or as it was in a version; `None` when there is none.
///
/// # Errors
/// It cannot be read or opened.
pub async fn document(
    hub: &Hub,
    tenant: &str,
    entity: &str,
    id: &str,
    version: Option<i64>,
) -> Result<Option<String>, Failure> {
    let (owner, name, key) = (tenant.to_owned(), entity.to_owned(), id.to_owned());
    let sealed = hub.store.read(job!(|tx| {
        match version {
            Some(version) => tx.record_version(&owner, &name, &key, version).await,
            None => Ok(tx.record(&owner, &name, &key).await?.map(|row| row.body)),
        }
    }));
    let Some(sealed) = sealed.await? else { return Ok(None) };
    let opened = hub.open(tenant, &sealed_as(entity, id), &sealed.0)?;
    String::from_utf8(opened).map(Some).map_err(|_| Failure::park("UNREADABLE_RECORD", "a record is not text"))
}

/// The documents of the records of an entity, as they are now, that have a value in an indexed field, with their ids.
/// Deleted ones are left out.
///
/// # Errors
/// They cannot be read or opened, or the entity has no such field.
pub async fn documents_by(
    hub: &Hub,
    tenant: &str,
    entity: &'static EntityType,
    field: &str,
    value: &str,
) -> Result<Vec<(String, String)>, Failure> {
    let field = entity.fields.iter().find(|known| known.name == field && known.indexed);
    let field = field
        .ok_or_else(|| Failure::park("UNREADABLE_RECORD", format!("{} has no index of that field", entity.name)))?;
    let wanted = index_entry(hub, tenant, field, value)?;
    let (owner, name, of, values) = (tenant.to_owned(), field.name, entity.name, vec![wanted.value]);
    let rows = hub.store.read(job!(|tx| { tx.records_by(&owner, of, name, values, false).await })).await?;
    let mut documents = Vec::with_capacity(rows.len());
    for (_, row) in rows {
        let opened = hub.open(tenant, &sealed_as(entity.name, &row.id), &row.body.0)?;
        let document = String::from_utf8(opened);
        documents.push((row.id, document.map_err(|_| Failure::park("UNREADABLE_RECORD", "a record is not text"))?));
    }
    Ok(documents)
}
