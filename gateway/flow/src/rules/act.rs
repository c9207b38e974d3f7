//! What a rule does when its event has happened, and what of it is done later.

use super::delay;
use super::{Action, Flow, Load, Rule, What, document};
use crate::effects::{CallRequest, Effects, Failure};
use crate::evaluation::Evaluation;
use crate::event::EventMessage;
use crate::hub::Hub;
use crate::journey::Went;
use crate::records::{Target, Write, index_entry};
use hub_engine::{Direction, Draft, Input, Issue, Level};
use hub_model::Field;
use hub_store::job;
use hub_tree::{Arena, Limits, Value, json};
use std::sync::Arc;

pub(super) async fn run_rule(
    hub: &Arc<Hub>,
    flow: &Flow,
    rule: &Rule,
    event: &EventMessage,
    effects: &mut Effects,
) -> Result<(), Failure> {
    // The record as it was when the event happened: the same event leads to the same thing, however late it comes.
    let record = document(hub, &event.tenant, rule.entity.name, &event.record, Some(event.version)).await?;
    let Some(record) = record else { return Ok(()) };
    let mut documents = vec![record];
    {
        let arena = Arena::new();
        let mut eval = evaluation(&arena, hub, flow, event, &documents);
        if !eval.holds(rule.when.as_ref())? {
            return Ok(());
        }
    }
    load(hub, flow, rule, event, &mut documents).await?;
    let arena = Arena::new();
    let mut eval = evaluation(&arena, hub, flow, event, &documents);
    let doing = Doing::begin(hub, flow, rule, event, &mut eval)?;
    doing.act(&mut eval, effects)
}

/// Reads the records that a rule loads, as they are now, behind those that are there.
pub(super) async fn load(
    hub: &Hub,
    flow: &Flow,
    rule: &Rule,
    event: &EventMessage,
    documents: &mut Vec<String>,
) -> Result<(), Failure> {
    for Load { entity, by, value } in &rule.load {
        let found = {
            let arena = Arena::new();
            let mut eval = evaluation(&arena, hub, flow, event, documents);
            let value = eval.value(value)?;
            value.as_text().or_else(|| value.get("id").as_text()).map(str::to_owned)
        };
        let id = match (by, found) {
            (Some(field), Some(value)) => found_by(hub, &event.tenant, entity.name, field, &value).await?,
            (_, found) => found,
        };
        let loaded = match id {
            Some(id) => document(hub, &event.tenant, entity.name, &id, None).await?,
            None => None,
        };
        documents.push(loaded.unwrap_or_else(|| "null".to_owned()));
    }
    Ok(())
}

/// The first record of an entity that has a value in a field.
async fn found_by(
    hub: &Hub,
    tenant: &str,
    entity: &'static str,
    field: &'static Field,
    value: &str,
) -> Result<Option<String>, Failure> {
    let wanted = index_entry(hub, tenant, field, value)?;
    let (owner, name, values) = (tenant.to_owned(), field.name, vec![wanted.value]);
    let rows = hub.store.read(job!(|tx| { tx.records_by(&owner, entity, name, values, false).await })).await?;
    Ok(rows.into_iter().next().map(|(_, row)| row.id))
}

/// Expressions of a rule over its documents: the record, then what was loaded.
pub(super) fn evaluation<'a>(
    arena: &'a Arena,
    hub: &Hub,
    flow: &'a Flow,
    event: &EventMessage,
    documents: &'a [String],
) -> Evaluation<'a> {
    let text = |text: &str| Value::Text(arena.text(text));
    let read = |text: &'a String| json::read(arena, text.as_bytes(), Limits::default()).unwrap_or_default();
    let mut slots = vec![
        read(&flow.settings),
        arena.map(&[("public_url", text(&hub.public_url()))]),
        arena.map(&[
            ("id", text(&event.id)),
            ("type", text(&event.kind)),
            ("at", text(&event.at)),
            ("connection", event.connection.as_deref().map_or(Value::Absent, text)),
            ("changed", arena.list(&event.changed.iter().map(|name| text(name)).collect::<Vec<_>>())),
        ]),
    ];
    slots.extend(documents.iter().map(read));
    Evaluation::new(arena, slots, &flow.source, "RULE_FAILED")
}

/// A rule at work on an event.
pub(super) struct Doing<'a> {
    pub(super) hub: &'a Hub,
    pub(super) flow: &'a Flow,
    pub(super) rule: &'a Rule,
    pub(super) event: &'a EventMessage,
    /// What orders the calls.
    key: String,
}

impl<'a> Doing<'a> {
    /// Evaluates what all actions share.
    pub(super) fn begin(
        hub: &'a Hub,
        flow: &'a Flow,
        rule: &'a Rule,
        event: &'a EventMessage,
        eval: &mut Evaluation<'a>,
    ) -> Result<Self, Failure> {
        for located in &rule.lets {
            let value = eval.value(located)?;
            eval.cx.slots.push(value);
        }
        let key = match &rule.key {
            Some(key) => eval.text(key, "the rule's key")?,
            None => event.subject(),
        };
        Ok(Self { hub, flow, rule, event, key })
    }

    fn act(&self, eval: &mut Evaluation<'a>, effects: &mut Effects) -> Result<(), Failure> {
        let (now, subject) = (self.hub.clock.micros(), self.event.subject());
        let detail = format!("{}/{}", self.flow.name, self.rule.id);
        effects.steps.add(&self.hub.ids, now, ("rule", Went::Ok), "hub", &subject, detail);
        // Records made by this rule, by their names in it.
        let mut made: Vec<(&str, String)> = Vec::new();
        for action in &self.rule.actions {
            let applies = eval.holds(action.when.as_ref())?;
            if let Some(delay) = &action.delay {
                if applies {
                    delay::set(self, delay, &made, eval, effects)?;
                }
                continue;
            }
            let done = if applies { self.perform(action, eval, effects)? } else { None };
            if let What::Create { name: Some(name), .. } = &action.what {
                let (id, value) = done.map_or((None, Value::Absent), |(id, value)| (Some(id), value));
                made.extend(id.map(|id| (name.as_str(), id)));
                eval.cx.slots.push(value);
            }
        }
        Ok(())
    }

    /// Does one action. Of a record that it creates, the id and the record.
    pub(super) fn perform(
        &self,
        action: &'a Action,
        eval: &mut Evaluation<'a>,
        effects: &mut Effects,
    ) -> Result<Option<(String, Value<'a>)>, Failure> {
        let (hub, now) = (self.hub, self.hub.clock.micros());
        match &action.what {
            What::Create { name, draft } => {
                let id = self.event.id_of(&self.maker(action, name.as_deref()));
                let write = self.create(draft, eval, &id)?;
                let subject = format!("{}/{id}", draft.entity.name);
                effects.steps.add(&hub.ids, now, ("create", Went::Ok), "hub", &subject, draft.entity.name);
                let made = with_id(eval.arena, &write.fields, &id);
                effects.writes.push(write);
                Ok(Some((id, made)))
            }
            What::Call(call) => {
                let connection = eval.text(&call.connection, "the connection")?;
                let key = eval.text(&call.key, "the call's key")?;
                let args = arguments(hub, &connection, &call.operation, eval.map(&call.with)?)?;
                effects.calls.push(CallRequest {
                    connection,
                    operation: call.operation.clone(),
                    key,
                    order_key: self.key.clone(),
                    subject: self.event.subject(),
                    args,
                });
                Ok(None)
            }
        }
    }

    /// What tells an action from all others, by its name where it has one: a rule may get more actions before its
    /// events are replayed.
    fn maker(&self, action: &Action, name: Option<&str>) -> String {
        let index = self.rule.actions.iter().position(|own| std::ptr::eq(own, action)).unwrap_or_default();
        let which = name.or(action.delay.as_ref().map(|delay| delay.id.as_str()));
        let which = which.map_or_else(|| index.to_string(), str::to_owned);
        format!("flow {}/{}/{which}", self.flow.name, self.rule.id)
    }

    fn create(&self, draft: &Draft, eval: &Evaluation<'_>, id: &str) -> Result<Write, Failure> {
        let arena = Arena::new();
        let slots = eval.cx.slots.iter().map(|slot| slot.copy_into(&arena)).collect();
        let filled = draft.fill(&arena, slots);
        if let Some(issue) = filled.issues.iter().find(|issue| issue.level == Level::Error) {
            return Err(park_issue(issue));
        }
        let rule = format!("flow {}/{}", self.flow.name, self.rule.id);
        Ok(Write {
            entity: draft.entity,
            target: Target::New(id.to_owned()),
            fields: json::to_string(&filled.fields),
            ext: None,
            deleted: false,
            rules: filled.rules.iter().map(|(pointer, _)| ((*pointer).to_owned(), rule.clone())).collect(),
            source: None,
        })
    }
}

fn with_id<'a>(arena: &'a Arena, fields: &str, id: &str) -> Value<'a> {
    let fields = json::read(arena, arena.bytes(fields.as_bytes()), Limits::default()).unwrap_or_default();
    let mut entries = vec![("id", Value::Text(arena.text(id)))];
    entries.extend_from_slice(fields.entries());
    arena.map(&entries)
}

fn park_issue(issue: &Issue) -> Failure {
    Failure::Park {
        code: issue.code.to_uppercase(),
        reason: issue.to_string(),
        place: format!("{}:{}:{}", issue.file, issue.line, issue.column),
    }
}

/// The arguments of an operation: canonical input through its out mapping, or as they are when it has none.
///
/// # Errors
/// There is no such connection or operation, or the mapping cannot make the arguments.
pub fn arguments(hub: &Hub, connection: &str, operation: &str, input: Value<'_>) -> Result<String, Failure> {
    let missing = |what: String| Failure::park("CALL_NOT_BUILT", what);
    let found = hub.connection(connection).ok_or_else(|| missing(format!("there is no connection `{connection}`")))?;
    let manifest = &found.manifest;
    let known = manifest.operation(operation);
    let known = known.ok_or_else(|| missing(format!("{} has no operation `{operation}`", manifest.vendor)))?;
    let Some(object) = &known.mapping else { return Ok(json::to_string(&input)) };
    let registry = hub.registry();
    let mapping = registry.mapping(&found, object, Direction::Out);
    let mapping = mapping.ok_or_else(|| missing(format!("there is no mapping `{}/{object}.out`", manifest.vendor)))?;
    let arena = Arena::new();
    let input = Input {
        settings: Hub::public_settings(&found, &arena),
        ..Input::of(input.copy_into(&arena), arena.text(connection))
    };
    let reply = mapping.run_out(&arena, &input);
    match reply.issues.iter().find(|issue| issue.level == Level::Error) {
        Some(issue) => Err(park_issue(issue)),
        None => Ok(json::to_string(&reply.body)),
    }
}
