//! `sandbox.yaml`: how a vendor behaves, as data.
//!
//! A step runs in one order: `let` (read state, compute), `repeat` (an idempotency key seen before gets the answer of
//! then), `refuse`, `effect`, `keep`, `then` (as `let`, after what is kept), `send`, `answer`. Expressions see `settings`, `hook_url`, `now`, `fresh.id` and
//! `fresh.token` (new with each request), `query`, `headers`, `basic.username`, `basic.password`, `path` (the names
//! in braces of the route), `body`, `address` (the path below the vendor), and of XML `element` and `envelope`; then the
//! names of `let`.

use crate::callbacks::Callbacks;
use crate::gateway::StreamProfile;
use crate::shape::Shape;
use crate::sign::{Sign, sign};
use crate::wire::{SendBody, Written};
use hub_expr::{Located, Scope, Templated, Type};
use hub_tree::yaml::{self, Context, Fields, Kind, Node};
use hub_tree::{Arena, Findings, Source, Span, json};
use std::sync::Arc;

/// How a vendor behaves.
#[derive(Debug)]
pub struct Profile {
    /// The vendor's id.
    pub vendor: String,
    /// Settings that the simulator has when no connection gives them, as JSON.
    pub(crate) settings: String,
    /// What it keeps from the beginning.
    pub(crate) seed: Vec<Seed>,
    /// What every route asks for that is not open.
    pub(crate) guard: Option<Step>,
    /// How it answers a request that the dial makes come too fast, or fail.
    pub(crate) limited: Option<Step>,
    pub(crate) failing: Option<Step>,
    /// How it treats a web hook that is not taken.
    pub(crate) callbacks: Callbacks,
    pub(crate) routes: Vec<Route>,
    /// How it hands web hooks over where the hub has opened a long connection.
    pub(crate) stream: Option<StreamProfile>,
    /// What people can do in the vendor's own pages.
    pub(crate) actions: Vec<(String, Step)>,
    pub(crate) source: Arc<Source>,
}

#[derive(Debug)]
pub(crate) struct Seed {
    pub(crate) collection: String,
    pub(crate) key: String,
    pub(crate) json: String,
}

#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) method: &'static str,
    pub(crate) path: Vec<Piece>,
    pub(crate) open: bool,
    /// The element that the request holds: operations of one address are told apart by it.
    pub(crate) element: Option<String>,
    pub(crate) step: Step,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Fixed(String),
    Named(String),
}

#[derive(Debug, Default)]
pub(crate) struct Step {
    pub(crate) lets: Vec<Let>,
    pub(crate) repeat: Option<Located>,
    pub(crate) refuse: Vec<(Located, AnswerShape)>,
    pub(crate) effects: Vec<(String, Option<Located>, Located)>,
    pub(crate) keeps: Vec<Keep>,
    pub(crate) then: Vec<Let>,
    pub(crate) sends: Vec<Send>,
    pub(crate) answer: AnswerShape,
}

#[derive(Debug)]
pub(crate) enum Let {
    Value(Located),
    /// The document of a collection with this key.
    Find {
        collection: String,
        key: Located,
    },
    /// The documents of a collection whose keys lie under this one.
    List {
        collection: String,
        under: Option<Located>,
    },
}

#[derive(Debug, Default)]
pub(crate) struct AnswerShape {
    pub(crate) status: Option<u16>,
    pub(crate) headers: Vec<(String, Templated)>,
    pub(crate) body: Option<Shape>,
    /// In place of a JSON body.
    pub(crate) text: Option<Templated>,
    pub(crate) written: Option<(Span, Written)>,
}

#[derive(Debug)]
pub(crate) struct Keep {
    pub(crate) when: Option<Located>,
    pub(crate) each: Option<Located>,
    pub(crate) collection: String,
    pub(crate) key: Located,
    pub(crate) set: Shape,
    pub(crate) expires_secs: Option<i64>,
}

/// A webhook that follows.
#[derive(Debug)]
pub(crate) struct Send {
    pub(crate) when: Option<Located>,
    pub(crate) to: Located,
    pub(crate) after_ms: i64,
    pub(crate) headers: Vec<(String, Templated)>,
    pub(crate) body: SendBody,
    pub(crate) escape_unicode: bool,
    pub(crate) sign: Option<Sign>,
    /// The text of the answer that counts.
    pub(crate) wants: Option<String>,
    /// What is kept when the vendor gives up delivering it.
    pub(crate) lost: Option<Keep>,
}

const METHODS: [(&str, &str); 5] =
    [("get", "GET"), ("post", "POST"), ("put", "PUT"), ("patch", "PATCH"), ("delete", "DELETE")];

/// The names that every expression sees, in slot order.
pub(crate) const NAMES: [&str; 13] = [
    "settings", "hook_url", "now", "fresh", "query", "headers", "basic", "path", "body", "address", "element",
    "envelope", "text",
];

fn base_scope() -> Scope {
    let ty = |name: &str| match name {
        "hook_url" | "address" | "element" | "text" => Type::Text,
        "now" => Type::DateTime,
        "fresh" => Type::record("fresh", [("id", Type::Number), ("token", Type::Text)]),
        "basic" => Type::record("basic", [("username", Type::Text), ("password", Type::Text)]),
        _ => Type::Any,
    };
    Scope::new(NAMES.map(|name| (name, ty(name))))
}

impl Profile {
    /// Reads and checks a profile. All problems go to `findings`; `None` when one is an error.
    #[must_use]
    pub fn compile(vendor: &str, source: &Arc<Source>, findings: &Findings) -> Option<Self> {
        let before = findings.error_count();
        let root = yaml::read(source, findings)?;
        let cx = Context::new(source, findings);
        let mut fields = root.fields(&cx)?;
        fields.version(1);
        if let Some(node) = fields.required("vendor")
            && node.text(&cx).is_some_and(|text| text != vendor)
        {
            cx.error(node.span, format!("this folder is `{vendor}`"));
        }
        let arena = Arena::new();
        let settings = fields.optional("settings").map(|node| json::to_string(&node.to_value(&arena)));
        let seed = fields.optional("seed").map(|node| seeds(node, &cx)).unwrap_or_default();
        let scope = base_scope();
        let mut guarded = scope.clone();
        let guard = fields.optional("guard").and_then(|node| {
            let mut fields = node.fields(&cx)?;
            let step = step(&mut fields, &mut guarded, &cx);
            fields.finish();
            step
        });
        let mut turned = |key| {
            let refuse = refusals(Some(fields.optional(key)?), &scope, &cx);
            let answer = AnswerShape { status: Some(503), ..AnswerShape::default() };
            Some(Step { refuse, answer, ..Step::default() })
        };
        let (limited, failing) = (turned("limited"), turned("failing"));
        let callbacks = fields.optional("callbacks").map(|node| Callbacks::read(node, &cx)).unwrap_or_default();
        let stream = fields.optional("stream").and_then(|node| StreamProfile::read(node, &scope, &cx));
        let mut routes = Vec::new();
        for node in fields.optional("routes").map(|node| node.items(&cx)).unwrap_or_default() {
            routes.extend(route(node, &scope, &guarded, &cx));
        }
        let mut actions = Vec::new();
        for (key, node) in fields.optional("actions").map(|node| node.entries(&cx)).unwrap_or_default() {
            let Some(mut fields) = node.fields(&cx) else { continue };
            let _ = fields.text("doc");
            actions.extend(step(&mut fields, &mut scope.clone(), &cx).map(|step| (key.name.clone(), step)));
            fields.finish();
        }
        fields.finish();
        (findings.error_count() == before).then(|| Self {
            vendor: vendor.to_owned(),
            settings: settings.unwrap_or_else(|| "{}".to_owned()),
            seed,
            guard,
            limited,
            failing,
            callbacks,
            routes,
            stream,
            actions,
            source: Arc::clone(source),
        })
    }

    /// The route of a request and the values of its named pieces.
    pub(crate) fn route(
        &self,
        method: &str,
        path: &[String],
        element: &str,
    ) -> Option<(&Route, Vec<(String, String)>)> {
        let fits = |route: &&Route| route.element.as_ref().is_none_or(|wanted| wanted == element);
        self.routes.iter().filter(|route| route.method == method).filter(fits).find_map(|route| {
            if route.path.len() != path.len() {
                return None;
            }
            let mut named = Vec::new();
            for (piece, given) in route.path.iter().zip(path) {
                match piece {
                    Piece::Fixed(fixed) if fixed == given => {}
                    Piece::Fixed(_) => return None,
                    Piece::Named(name) => named.push((name.clone(), given.clone())),
                }
            }
            Some((route, named))
        })
    }

    pub(crate) fn place(&self, span: Span) -> String {
        format!("{}:{}", self.source.path, span.start)
    }
}

fn seeds(node: &Node, cx: &Context<'_>) -> Vec<Seed> {
    let mut seeds = Vec::new();
    let arena = Arena::new();
    for (collection, documents) in node.entries(cx) {
        for (key, document) in documents.entries(cx) {
            let json = json::to_string(&document.to_value(&arena));
            seeds.push(Seed { collection: collection.name.clone(), key: key.name.clone(), json });
        }
    }
    seeds
}

fn route(node: &Node, open_scope: &Scope, guarded: &Scope, cx: &Context<'_>) -> Option<Route> {
    let mut fields = node.fields(cx)?;
    let mut found = None;
    for (key, method) in METHODS {
        if let Some(text) = fields.text(key) {
            found = Some((method, text));
        }
    }
    let open = fields.bool("open").unwrap_or(false);
    let element = fields.text("element");
    let mut scope = if open { open_scope.clone() } else { guarded.clone() };
    let step = step(&mut fields, &mut scope, cx);
    fields.finish();
    let Some((method, path)) = found else {
        cx.error(node.span, "a route names its method and path: `get: /path` or `post: /path/{id}`");
        return None;
    };
    let piece = |part: &str| match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
        Some(name) => Piece::Named(name.to_owned()),
        None => Piece::Fixed(part.to_owned()),
    };
    let path = path.split('/').filter(|part| !part.is_empty()).map(piece).collect();
    Some(Route { method, path, open, element, step: step? })
}

pub(crate) fn step(fields: &mut Fields<'_, '_>, scope: &mut Scope, cx: &Context<'_>) -> Option<Step> {
    let lets = read_lets(fields.optional("let"), scope, cx)?;
    let repeat = fields.optional("repeat").and_then(|node| Located::compile(node, scope, cx));
    let refuse = refusals(fields.optional("refuse"), scope, cx);
    let mut effects = Vec::new();
    for (key, node) in fields.optional("effect").map(|node| node.entries(cx)).unwrap_or_default() {
        if let Kind::Map(_) = node.kind {
            let Some(mut own) = node.fields(cx) else { continue };
            let when = own.optional("when").and_then(|node| Located::condition(node, scope, cx));
            let reference = own.required("reference").and_then(|node| Located::compile(node, scope, cx));
            own.finish();
            effects.extend(reference.map(|reference| (key.name.clone(), when, reference)));
        } else {
            effects.extend(Located::compile(node, scope, cx).map(|reference| (key.name.clone(), None, reference)));
        }
    }
    let mut keeps = Vec::new();
    for node in fields.optional("keep").map(|node| node.items(cx)).unwrap_or_default() {
        keeps.extend(keep(node, scope, cx));
    }
    let then = read_lets(fields.optional("then"), scope, cx)?;
    let mut sends = Vec::new();
    for node in fields.optional("send").map(|node| node.items(cx)).unwrap_or_default() {
        sends.extend(send(node, scope, cx));
    }
    let shape = fields.optional("answer").and_then(|node| {
        let mut own = node.fields(cx)?;
        let shape = answer(&mut own, scope, cx);
        own.finish();
        Some(shape)
    });
    Some(Step { lets, repeat, refuse, effects, keeps, then, sends, answer: shape.unwrap_or_default() })
}

/// Answers with the conditions under which they are given.
fn refusals(node: Option<&Node>, scope: &Scope, cx: &Context<'_>) -> Vec<(Located, AnswerShape)> {
    let mut found = Vec::new();
    for node in node.map(|node| node.items(cx)).unwrap_or_default() {
        let Some(mut own) = node.fields(cx) else { continue };
        let when = own.required("when").and_then(|node| Located::condition(node, scope, cx));
        let shape = answer(&mut own, scope, cx);
        own.finish();
        found.extend(when.map(|when| (when, shape)));
    }
    found
}

fn read_lets(node: Option<&Node>, scope: &mut Scope, cx: &Context<'_>) -> Option<Vec<Let>> {
    let mut lets = Vec::new();
    for (key, node) in node.map(|node| node.entries(cx)).unwrap_or_default() {
        let (value, ty) = read_let(node, scope, cx)?;
        lets.push(value);
        scope.push(&key.name, ty);
    }
    Some(lets)
}

fn read_let(node: &Node, scope: &Scope, cx: &Context<'_>) -> Option<(Let, Type)> {
    if !matches!(node.kind, Kind::Map(_)) {
        let located = Located::compile(node, scope, cx)?;
        let ty = located.expr.ty().clone();
        return Some((Let::Value(located), ty));
    }
    let mut fields = node.fields(cx)?;
    let collection = fields.required_text("in")?;
    let key = fields.optional("key").map(|node| Located::compile(node, scope, cx));
    let under = fields.optional("under").map(|node| Located::compile(node, scope, cx));
    fields.finish();
    match (key, under) {
        (Some(key), None) => Some((Let::Find { collection, key: key? }, Type::Any)),
        (None, Some(under)) => Some((Let::List { collection, under: Some(under?) }, Type::list(Type::Any))),
        (None, None) => Some((Let::List { collection, under: None }, Type::list(Type::Any))),
        (Some(_), Some(_)) => {
            cx.error(node.span, "either `key` (one document) or `under` (several)");
            None
        }
    }
}

fn answer(fields: &mut Fields<'_, '_>, scope: &Scope, cx: &Context<'_>) -> AnswerShape {
    AnswerShape {
        status: fields.integer("status", 200, 599).and_then(|status| u16::try_from(status).ok()),
        headers: headers(fields, scope, cx),
        body: fields.optional("body").and_then(|node| Shape::compile(node, scope, cx)),
        text: fields.optional("text").and_then(|node| Templated::compile(node, scope, cx)),
        written: Written::read(fields, scope, cx).map(|written| (fields.span, written)),
    }
}

fn headers(fields: &mut Fields<'_, '_>, scope: &Scope, cx: &Context<'_>) -> Vec<(String, Templated)> {
    let entries = fields.optional("headers").map(|node| node.entries(cx)).unwrap_or_default();
    entries.iter().filter_map(|(key, node)| Some((key.name.clone(), Templated::compile(node, scope, cx)?))).collect()
}

fn keep(node: &Node, scope: &Scope, cx: &Context<'_>) -> Option<Keep> {
    let mut fields = node.fields(cx)?;
    let each =
        fields.optional("each").and_then(|node| Located::typed(node, scope, cx, &Type::list(Type::Any), "`each`"));
    let mut scope = scope.clone();
    if each.is_some() {
        scope.push("item", Type::Any);
    }
    let when = fields.optional("when").and_then(|node| Located::condition(node, &scope, cx));
    let collection = fields.required_text("in");
    let key = fields.required("key").and_then(|node| Located::compile(node, &scope, cx));
    let set = fields.required("set").and_then(|node| Shape::compile(node, &scope, cx));
    let expires_secs = fields.integer("expires_secs", 0, 1_000_000_000);
    fields.finish();
    Some(Keep { when, each, collection: collection?, key: key?, set: set?, expires_secs })
}

fn send(node: &Node, scope: &Scope, cx: &Context<'_>) -> Option<Send> {
    let mut fields = node.fields(cx)?;
    let when = fields.optional("when").and_then(|node| Located::condition(node, scope, cx));
    let to = fields.required("to").and_then(|node| Located::compile(node, scope, cx));
    let after_ms = fields.integer("after_ms", 0, 86_400_000).unwrap_or(0);
    let mut dressing = scope.clone();
    dressing.push("sent", Type::Text);
    let headers = headers(&mut fields, &dressing, cx);
    let body = SendBody::read(&mut fields, scope, cx);
    let escape_unicode = fields.bool("escape_unicode").unwrap_or(false);
    let sign = fields.optional("sign").and_then(|node| sign(node, cx));
    let wants = fields.text("wants");
    let lost = fields.optional("lost").and_then(|node| keep(node, scope, cx));
    fields.finish();
    Some(Send { when, to: to?, after_ms, headers, body: body?, escape_unicode, sign, wants, lost })
}
