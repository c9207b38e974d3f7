//! What a flow file says: its rules, checked against the model before anything runs.

use super::delay;
use super::settings::settings;
use super::{Action, CallAction, Load, Rule, Setting, SettingKind, What};
use hub_engine::{Draft, types};
use hub_expr::{Located, Scope, Type};
use hub_model::EntityType;
use hub_tree::yaml::{self, Context, Kind, Node};
use hub_tree::{Findings, Source};
use std::sync::Arc;

/// The entity whose events are called `kind`, and whether it has such an event.
fn entity_of_event(kind: &str) -> Option<&'static EntityType> {
    let (name, verb) = kind.split_once('.')?;
    let entity = hub_model::ENTITIES.iter().find(|entity| entity.event == name)?;
    let known =
        ["created", "updated", "deleted"].contains(&verb) || entity.verbs.iter().any(|known| known.verb == verb);
    known.then_some(entity)
}

fn all_events() -> Vec<String> {
    let verbs = |entity: &'static EntityType| {
        ["created", "updated", "deleted"].into_iter().chain(entity.verbs.iter().map(|verb| verb.verb))
    };
    hub_model::ENTITIES.iter().flat_map(|e| verbs(e).map(move |verb| format!("{}.{verb}", e.event))).collect()
}

pub(super) fn compile(name: &str, source: &Arc<Source>, findings: &Findings) -> Option<(Vec<Setting>, Vec<Rule>)> {
    let before = findings.error_count();
    let root = yaml::read(source, findings)?;
    let cx = Context::new(source, findings);
    let mut fields = root.fields(&cx)?;
    fields.version(1);
    if let Some(node) = fields.required("flow")
        && let Some(text) = node.text(&cx)
        && text != name
    {
        cx.error(node.span, format!("this file is `{name}.yaml`; `flow` says `{text}`"));
    }
    fields.text("doc");
    let settings = fields.optional("settings").map(|node| settings(node, &cx)).unwrap_or_default();
    let mut rules: Vec<Rule> = Vec::new();
    if let Some(node) = fields.required("rules") {
        for item in node.items(&cx) {
            if let Some(rule) = rule(name, item, &settings, &cx) {
                if rules.iter().any(|known| known.id == rule.id) {
                    cx.error(item.span, format!("the rule `{}` stands twice", rule.id));
                }
                rules.push(rule);
            }
        }
    }
    fields.finish();
    (findings.error_count() == before).then_some((settings, rules))
}

/// Slots: `settings`, `hub`, `event`, `record`, then loaded records, `let` names and created records.
fn base_scope(settings: &[Setting], entity: &EntityType) -> Scope {
    let of = |setting: &Setting| match setting.kind {
        SettingKind::Texts => Type::list(Type::Text),
        SettingKind::Connection | SettingKind::Text => Type::Text,
    };
    let settings = Type::record("settings", settings.iter().map(|setting| (setting.name.as_str(), of(setting))));
    let hub = Type::record("hub", [("public_url", Type::Text)]);
    let event = Type::record(
        "event",
        [
            ("id", Type::Text),
            ("type", Type::Text),
            ("at", Type::Text),
            ("connection", Type::Text),
            ("changed", Type::list(Type::Text)),
        ],
    );
    Scope::new([("settings", settings), ("hub", hub), ("event", event), ("record", types::record(entity))])
}

fn rule(flow: &str, node: &Node, settings: &[Setting], cx: &Context<'_>) -> Option<Rule> {
    let mut fields = node.fields(cx)?;
    let id = fields.required_text("id");
    let on_node = fields.required("on");
    let on = fields.texts("on");
    let mut entities: Vec<&'static EntityType> = Vec::new();
    for kind in &on {
        match entity_of_event(kind) {
            Some(entity) => entities.push(entity),
            None => {
                let all = all_events();
                cx.unknown(on_node?.span, "event", kind, all.iter().map(String::as_str).collect::<Vec<_>>());
            }
        }
    }
    let entity = *entities.first()?;
    if entities.iter().any(|other| other.name != entity.name) {
        cx.error(on_node?.span, "a rule reacts to events of one entity");
    }
    let mut scope = base_scope(settings, entity);
    let when = fields.optional("when").and_then(|node| Located::condition(node, &scope, cx));
    let mut loads = Vec::new();
    if let Some(node) = fields.optional("load") {
        for (key, value) in node.entries(cx) {
            let Some(loaded) = load(value, &scope, cx) else { continue };
            scope.push(&key.name, types::record(loaded.entity));
            loads.push(loaded);
        }
    }
    let mut lets = Vec::new();
    if let Some(node) = fields.optional("let") {
        for (key, value) in node.entries(cx) {
            if let Some(located) = Located::compile(value, &scope, cx) {
                scope.push(&key.name, located.expr.ty().clone());
                lets.push(located);
            }
        }
    }
    let key = fields.optional("key").and_then(|node| Located::typed(node, &scope, cx, &Type::Text, "a key"));
    let mut actions = Vec::new();
    let name = format!("{flow}/{}", id.as_deref().unwrap_or_default());
    if let Some(node) = fields.required("do") {
        for item in node.items(cx) {
            let action = action(&name, item, &mut scope, cx);
            if let Some(delay) = action.as_ref().and_then(|action| action.delay.as_ref()) {
                let same = |other: &Action| other.delay.as_ref().is_some_and(|other| other.id == delay.id);
                if actions.iter().any(same) {
                    cx.error(item.span, format!("the delayed action `{}` stands twice in this rule", delay.id));
                }
            }
            actions.extend(action);
        }
    }
    fields.finish();
    Some(Rule { id: id?, on, entity, when, key, load: loads, lets, actions })
}

/// A record to read: by a reference, or by the value of a field, `{ entity: employee, by: person, value: record.id }`.
fn load(node: &Node, scope: &Scope, cx: &Context<'_>) -> Option<Load> {
    if !matches!(node.kind, Kind::Map(_)) {
        let value = Located::compile(node, scope, cx)?;
        let entity = match value.expr.ty() {
            Type::Record(record) => hub_model::entity(&record.name),
            _ => None,
        };
        if entity.is_none() {
            cx.error(node.span, "`load` takes a reference to a record that the hub keeps");
        }
        return Some(Load { entity: entity?, by: None, value });
    }
    let mut fields = node.fields(cx)?;
    let (place, name) = (fields.required("entity"), fields.required("by"));
    let value = fields.required("value").and_then(|node| Located::typed(node, scope, cx, &Type::Text, "a value"));
    fields.finish();
    let text = place?.text(cx)?;
    let Some(entity) = hub_model::entity(&text) else {
        cx.unknown(place?.span, "entity", &text, hub_model::ENTITIES.iter().map(|entity| entity.name));
        return None;
    };
    let (text, indexed) = (name?.text(cx)?, || entity.fields.iter().filter(|field| field.indexed));
    // A reference may lead to records of any entity; its rule knows which.
    if text == "id" {
        return Some(Load { entity, by: None, value: value? });
    }
    let by = indexed().find(|field| field.name == text);
    if by.is_none() {
        cx.unknown(name?.span, "field to find records by", &text, indexed().map(|field| field.name).chain(["id"]));
    }
    Some(Load { entity, by: Some(by?), value: value? })
}

fn action(rule: &str, node: &Node, scope: &mut Scope, cx: &Context<'_>) -> Option<Action> {
    let mut fields = node.fields(cx)?;
    let when = fields.optional("when").and_then(|node| Located::condition(node, scope, cx));
    let delay = delay::read(&mut fields, scope, cx);
    let delayed = delay.is_some();
    let create = fields.optional("create");
    let call = fields.optional("call");
    let made = match (create, call) {
        (Some(create), None) => {
            let text = create.text(cx)?;
            let Some(entity) = hub_model::entity(&text) else {
                cx.unknown(create.span, "entity", &text, hub_model::ENTITIES.iter().map(|entity| entity.name));
                return None;
            };
            let name = fields.text("as");
            if delayed && name.is_some() {
                cx.error(node.span, "a record that is created later has no name in this rule: leave `as` out");
            }
            let draft = fields.required("fields").map(|node| Draft::compile(node, cx, entity, scope, rule));
            if let Some(name) = name.as_ref().filter(|_| !delayed) {
                scope.push(name, types::record(entity));
            }
            draft.map(|draft| What::Create { name, draft })
        }
        (None, Some(call)) => {
            let connection = Located::typed(call, scope, cx, &Type::Text, "a connection");
            let operation = fields.required_text("operation");
            let key = fields.required("key").and_then(|node| Located::typed(node, scope, cx, &Type::Text, "a key"));
            let with = fields.optional("with").map(|node| {
                let entries = node.entries(cx).iter();
                entries
                    .filter_map(|(key, value)| Some((key.name.clone(), Located::compile(value, scope, cx)?)))
                    .collect()
            });
            let (connection, operation, key) = (connection?, operation?, key?);
            Some(What::Call(Box::new(CallAction { connection, operation, key, with: with.unwrap_or_default() })))
        }
        _ => {
            cx.error(node.span, "an action is either a `create` or a `call`");
            None
        }
    };
    fields.finish();
    Some(Action { when, delay, what: made? })
}
