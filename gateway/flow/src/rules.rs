//! Flows: event–condition–action rules in files. An event of a record finds the rules for it; a rule whose condition
//! holds creates records and asks for calls. Each action happens once per event, because its effects commit with the
//! mark that the event was done.

use crate::effects::{CallRequest, Effects, Failure};
use crate::event::EventMessage;
use crate::hub::Hub;
use crate::journey::Went;
use crate::react::Consumer;
use crate::records::{Target, Write, sealed_as};
use crate::registry::{Registry, Sources};
use async_trait::async_trait;
use hub_engine::{Direction, Draft, Input, Issue, Level, types};
use hub_expr::{Cx, Located, Scope, Type};
use hub_model::EntityType;
use hub_store::job;
use hub_tree::yaml::{self, Context, Kind, Node};
use hub_tree::{Arena, Findings, Limits, Source, Span, Value, json};
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
    /// Records to read, by name.
    load: Vec<(String, &'static EntityType, Located)>,
    lets: Vec<Located>,
    actions: Vec<Action>,
}

#[derive(Debug)]
struct Action {
    when: Option<Located>,
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

/// Reads all flow files, and switches on those that `hub.yaml` gives settings to.
pub(crate) fn load(sources: &Sources<'_>, registry: &Registry, findings: &Findings) -> Vec<Arc<Flow>> {
    let mut flows = Vec::new();
    let mut known = Vec::new();
    for (place, source) in sources.catalog.below("flows/") {
        let Some(name) = place.strip_prefix("flows/").and_then(|file| file.strip_suffix(".yaml")) else { continue };
        known.push(name);
        let Some((settings, rules)) = compile(name, source, findings) else { continue };
        if let Some(settings) = configure(name, &settings, sources, registry, findings) {
            let source = Arc::clone(source);
            flows.push(Arc::new(Flow { name: name.to_owned(), settings, rules, source }));
        }
    }
    if let Some((node, source)) = &sources.flows {
        let cx = Context::new(source, findings);
        for (key, _) in node.entries(&cx) {
            if !known.contains(&key.name.as_str()) {
                cx.unknown(key.span, "flow", &key.name, known.iter().copied());
            }
        }
    }
    flows
}

/// The settings of a flow as JSON; `None` when it is off. Being off is no error: a hub may serve without any flow.
fn configure(
    name: &str,
    declared: &[Setting],
    sources: &Sources<'_>,
    registry: &Registry,
    findings: &Findings,
) -> Option<String> {
    let (node, source) = sources.flows.as_ref()?;
    let cx = Context::new(source, findings);
    let (key, own) = node.entries(&cx).iter().find(|(key, _)| key.name == name)?;
    let arena = Arena::new();
    let mut entries = Vec::new();
    let mut off = Vec::new();
    let given = own.entries(&cx);
    for (key, value) in given {
        let Some(setting) = declared.iter().find(|setting| setting.name == key.name) else {
            cx.unknown(key.span, &format!("setting of {name}"), &key.name, declared.iter().map(|s| s.name.as_str()));
            continue;
        };
        match (setting.kind, &value.kind) {
            (SettingKind::Texts, Kind::List(_)) => entries.push((setting.name.as_str(), value.to_value(&arena))),
            (SettingKind::Texts, _) => match value.scalar() {
                Some(text) => entries.push((setting.name.as_str(), arena.list(&[Value::Text(arena.text(text))]))),
                None => value.expected("text, or a list of texts", &cx),
            },
            (kind, _) => match value.scalar() {
                Some(text) => {
                    if kind == SettingKind::Connection && !registry.connections.contains_key(text) {
                        off.push(format!("there is no working connection `{text}`"));
                    }
                    entries.push((setting.name.as_str(), Value::Text(arena.text(text))));
                }
                None => value.expected("text", &cx),
            },
        }
    }
    for setting in declared.iter().filter(|setting| !given.iter().any(|(key, _)| key.name == setting.name)) {
        match &setting.default {
            Some(default) => entries.push((setting.name.as_str(), Value::Text(default))),
            None if setting.required => {
                off.push(format!("its setting `{}` is missing ({})", setting.name, setting.doc));
            }
            None => {}
        }
    }
    if off.is_empty() {
        return Some(json::to_string(&arena.map(&entries)));
    }
    cx.warning(key.span, format!("the flow `{name}` is off: {}", off.join("; ")), None);
    None
}

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

fn compile(name: &str, source: &Arc<Source>, findings: &Findings) -> Option<(Vec<Setting>, Vec<Rule>)> {
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

fn settings(node: &Node, cx: &Context<'_>) -> Vec<Setting> {
    let mut settings = Vec::new();
    for (key, value) in node.entries(cx) {
        let Some(mut fields) = value.fields(cx) else { continue };
        let kinds =
            [("connection", SettingKind::Connection), ("text", SettingKind::Text), ("texts", SettingKind::Texts)];
        settings.push(Setting {
            name: key.name.clone(),
            kind: fields.word("type", &kinds).unwrap_or(SettingKind::Text),
            required: fields.bool("required").unwrap_or(false),
            default: fields.scalar("default"),
            doc: fields.text("doc").unwrap_or_default(),
        });
        fields.finish();
    }
    settings
}

/// Slots: `settings`, `hub`, `event`, `record`, then loaded records, `let` names and created records.
fn base_scope(settings: &[Setting], entity: &EntityType) -> Scope {
    let of = |setting: &Setting| match setting.kind {
        SettingKind::Texts => Type::list(Type::Text),
        SettingKind::Connection | SettingKind::Text => Type::Text,
    };
    let settings = Type::record("settings", settings.iter().map(|setting| (setting.name.as_str(), of(setting))));
    let hub = Type::record("hub", [("public_url", Type::Text)]);
    let event = Type::record("event", [("id", Type::Text), ("type", Type::Text), ("at", Type::Text)]);
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
    let mut load = Vec::new();
    if let Some(node) = fields.optional("load") {
        for (key, value) in node.entries(cx) {
            let Some(located) = Located::compile(value, &scope, cx) else { continue };
            let target = match located.expr.ty() {
                Type::Record(record) => hub_model::entity(&record.name),
                _ => None,
            };
            let Some(target) = target else {
                cx.error(value.span, "`load` takes a reference to a record that the hub keeps");
                continue;
            };
            scope.push(&key.name, types::record(target));
            load.push((key.name.clone(), target, located));
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
            actions.extend(action(&name, item, &mut scope, cx));
        }
    }
    fields.finish();
    Some(Rule { id: id?, on, entity, when, key, load, lets, actions })
}

fn action(rule: &str, node: &Node, scope: &mut Scope, cx: &Context<'_>) -> Option<Action> {
    let mut fields = node.fields(cx)?;
    let when = fields.optional("when").and_then(|node| Located::condition(node, scope, cx));
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
            let draft = fields.required("fields").map(|node| Draft::compile(node, cx, entity, scope, rule));
            if let Some(name) = &name {
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
    made.map(|what| Action { when, what })
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

    async fn handle(&self, hub: &Arc<Hub>, event: &EventMessage) -> Result<Effects, Failure> {
        let mut effects = Effects::of(event);
        let registry = hub.registry();
        for flow in &registry.flows {
            for rule in flow.rules.iter().filter(|rule| rule.on.contains(&event.kind)) {
                run_rule(hub, flow, rule, event, &mut effects).await?;
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

async fn run_rule(
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
        let mut eval = Evaluation::new(&arena, hub, flow, event, &documents);
        if !eval.holds(rule.when.as_ref())? {
            return Ok(());
        }
    }
    for (_, entity, reference) in &rule.load {
        let id = {
            let arena = Arena::new();
            let mut eval = Evaluation::new(&arena, hub, flow, event, &documents);
            eval.value(reference)?.get("id").as_text().map(str::to_owned)
        };
        let loaded = match id {
            Some(id) => document(hub, &event.tenant, entity.name, &id, None).await?,
            None => None,
        };
        documents.push(loaded.unwrap_or_else(|| "null".to_owned()));
    }
    let arena = Arena::new();
    let mut eval = Evaluation::new(&arena, hub, flow, event, &documents);
    act(hub, flow, rule, event, &mut eval, effects)
}

/// Evaluates expressions of one rule over its documents.
struct Evaluation<'a> {
    arena: &'a Arena,
    cx: Cx<'a>,
    source: &'a Source,
}

impl<'a> Evaluation<'a> {
    fn new(arena: &'a Arena, hub: &Hub, flow: &'a Flow, event: &EventMessage, documents: &'a [String]) -> Self {
        let text = |text: &str| Value::Text(arena.text(text));
        let read = |text: &'a String| json::read(arena, text.as_bytes(), Limits::default()).unwrap_or_default();
        let mut slots = vec![
            read(&flow.settings),
            arena.map(&[("public_url", text(&hub.public_url))]),
            arena.map(&[("id", text(&event.id)), ("type", text(&event.kind)), ("at", text(&event.at))]),
        ];
        slots.extend(documents.iter().map(read));
        Self { arena, cx: Cx::new(arena, slots), source: &flow.source }
    }

    fn fail(&self, span: Span, message: &str) -> Failure {
        Failure::Park {
            code: "RULE_FAILED".to_owned(),
            reason: message.to_owned(),
            place: format!("{}:{}", self.source.path, span.start),
        }
    }

    fn value(&mut self, located: &'a Located) -> Result<Value<'a>, Failure> {
        located.expr.eval(&mut self.cx).map_err(|error| self.fail(located.span, &error.message))
    }

    fn holds(&mut self, condition: Option<&'a Located>) -> Result<bool, Failure> {
        let Some(condition) = condition else { return Ok(true) };
        match self.value(condition)? {
            Value::Bool(holds) => Ok(holds),
            value if value.is_absent() => {
                Err(self.fail(condition.span, "the condition is absent: give what it reads a default with `??`"))
            }
            value => Err(self.fail(condition.span, &format!("the condition is {}", value.kind()))),
        }
    }

    fn text(&mut self, located: &'a Located, what: &str) -> Result<String, Failure> {
        match self.value(located)?.scalar_text(self.arena) {
            Some(text) if !text.is_empty() => Ok(text.to_owned()),
            _ => Err(self.fail(located.span, &format!("{what} is absent"))),
        }
    }
}

fn act<'a>(
    hub: &Hub,
    flow: &'a Flow,
    rule: &'a Rule,
    event: &EventMessage,
    eval: &mut Evaluation<'a>,
    effects: &mut Effects,
) -> Result<(), Failure> {
    let now = hub.clock.micros();
    for located in &rule.lets {
        let value = eval.value(located)?;
        eval.cx.slots.push(value);
    }
    let key = match &rule.key {
        Some(key) => eval.text(key, "the rule's key")?,
        None => event.subject(),
    };
    effects.steps.add(&hub.ids, now, ("rule", Went::Ok), "hub", &event.subject(), format!("{}/{}", flow.name, rule.id));
    for (index, action) in rule.actions.iter().enumerate() {
        let applies = eval.holds(action.when.as_ref())?;
        match &action.what {
            What::Create { name, draft } => {
                let mut made = Value::Absent;
                if applies {
                    // Named where it can be: a rule may get more actions before its events are replayed.
                    let which = name.clone().unwrap_or_else(|| index.to_string());
                    let id = event.id_of(&format!("flow {}/{}/{which}", flow.name, rule.id));
                    let write = create(flow, rule, draft, eval, &id)?;
                    let subject = format!("{}/{id}", draft.entity.name);
                    effects.steps.add(&hub.ids, now, ("create", Went::Ok), "hub", &subject, draft.entity.name);
                    made = with_id(eval.arena, &write.fields, &id);
                    effects.writes.push(write);
                }
                if name.is_some() {
                    eval.cx.slots.push(made);
                }
            }
            What::Call(call) if applies => {
                let connection = eval.text(&call.connection, "the connection")?;
                let reference = eval.text(&call.key, "the call's key")?;
                let mut entries = Vec::with_capacity(call.with.len());
                for (name, located) in &call.with {
                    entries.push((name.as_str(), eval.value(located)?));
                }
                let args = arguments(hub, &connection, &call.operation, eval.arena.map(&entries))?;
                effects.calls.push(CallRequest {
                    connection,
                    operation: call.operation.clone(),
                    key: reference,
                    order_key: key.clone(),
                    subject: event.subject(),
                    args,
                });
            }
            What::Call(_) => {}
        }
    }
    Ok(())
}

fn with_id<'a>(arena: &'a Arena, fields: &str, id: &str) -> Value<'a> {
    let fields = json::read(arena, arena.bytes(fields.as_bytes()), Limits::default()).unwrap_or_default();
    let mut entries = vec![("id", Value::Text(arena.text(id)))];
    entries.extend_from_slice(fields.entries());
    arena.map(&entries)
}

fn create(flow: &Flow, rule: &Rule, draft: &Draft, eval: &Evaluation<'_>, id: &str) -> Result<Write, Failure> {
    let arena = Arena::new();
    let slots = eval.cx.slots.iter().map(|slot| slot.copy_into(&arena)).collect();
    let filled = draft.fill(&arena, slots);
    if let Some(issue) = filled.issues.iter().find(|issue| issue.level == Level::Error) {
        return Err(park_issue(issue));
    }
    let rule = format!("flow {}/{}", flow.name, rule.id);
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
