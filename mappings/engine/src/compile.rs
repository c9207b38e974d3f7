//! Reads a mapping file and reports every problem in it.

mod rule;

use crate::mapping::{Direction, Draft, Emit, FieldRule, Let, Mapping, PAYLOAD, PathSet, ROOTS};
use hub_expr::{Expr, Located, Read, Scope, Segment, Type as ExprType, report};
use hub_model::{EntityType, Type};
use hub_tree::yaml::{self, Context, Node};
use hub_tree::{Findings, Source, Span};
use sha2::{Digest, Sha256};
use std::sync::Arc;

impl Mapping {
    /// Compiles the file `<object>.in.yaml` or `<object>.out.yaml` of `connector`. All problems go to `findings`;
    /// `None` when one of them is an error.
    #[must_use]
    pub fn compile(connector: &str, source: &Arc<Source>, findings: &Findings) -> Option<Mapping> {
        let before = findings.error_count();
        let root = yaml::read(source, findings)?;
        let cx = Context::new(source, findings);
        let file = source.path.rsplit('/').next().unwrap_or_default();
        let (object, direction) = match (file.strip_suffix(".in.yaml"), file.strip_suffix(".out.yaml")) {
            (Some(object), _) => (object, Direction::In),
            (_, Some(object)) => (object, Direction::Out),
            _ => {
                cx.error(Span::default(), "a mapping file is called `<object>.in.yaml` or `<object>.out.yaml`");
                return None;
            }
        };
        let mut compiler = Compiler::new(&cx, direction);
        let mut fields = root.fields(&cx)?;
        fields.version(1);
        let (word, suffix) = if direction == Direction::In { ("from", "in") } else { ("to", "out") };
        if let Some(node) = fields.required(word)
            && let Some(text) = node.text(&cx)
            && text != format!("{connector}/{object}")
        {
            cx.error(node.span, format!("this file is `{connector}/{object}`; `{word}` says `{text}`"));
        }
        if let Some(lets) = fields.optional("let") {
            compiler.lets(lets);
        }
        if direction == Direction::In {
            if let Some(emit) = fields.required("emit") {
                compiler.emits(emit);
            }
        } else if let Some(body) = fields.required("fields") {
            compiler.body = compiler.field_rules(body, &Target::Open, "body");
        }
        let mut ignored = PathSet::default();
        if let Some(node) = fields.optional("ignore") {
            for item in node.items(&cx) {
                compiler.ignore(item, &mut ignored);
            }
        }
        fields.finish();
        let Compiler { lets, emits, body, reads, .. } = compiler;
        (findings.error_count() == before).then(|| Mapping {
            id: format!("{connector}/{object}.{suffix}"),
            version: hex::encode(&Sha256::digest(source.text.as_bytes())[..16]),
            direction,
            connector: connector.to_owned(),
            source: Arc::clone(source),
            lets,
            emits,
            body,
            reads,
            ignored,
        })
    }
}

impl Draft {
    /// Compiles a `fields` map for `entity`, whose expressions know the names of `scope`. `id` begins the rules' names
    /// in `field_meta`. Problems go to the context.
    #[must_use]
    pub fn compile(node: &Node, cx: &Context<'_>, entity: &'static EntityType, scope: &Scope, id: &str) -> Self {
        let mut compiler = Compiler::new(cx, Direction::Out);
        compiler.scope = scope.clone();
        compiler.places = vec![None; scope.len()];
        let fields = compiler.field_rules(node, &Target::Entity(entity), id);
        for field in entity.fields.iter().filter(|field| field.required) {
            if !fields.iter().any(|rule| rule.target[0] == field.name) {
                cx.error(node.span, format!("no rule sets `{}`, which a complete {} has", field.name, entity.name));
            }
        }
        Self { entity, source: Arc::clone(&cx.source), names: scope.names().map(str::to_owned).collect(), fields }
    }
}

/// What a set of fields is written into.
enum Target {
    Entity(&'static EntityType),
    /// A field with declared fields of its own.
    Part(&'static Type),
    /// A vendor's body: any key, any value.
    Open,
}

struct Compiler<'c, 'f> {
    cx: &'c Context<'f>,
    scope: Scope,
    /// Where the value of each slot lies in the payload, as far as that is one place.
    places: Vec<Option<Vec<Segment>>>,
    lets: Vec<Let>,
    emits: Vec<Emit>,
    body: Vec<FieldRule>,
    reads: PathSet,
}

impl<'c, 'f> Compiler<'c, 'f> {
    fn new(cx: &'c Context<'f>, direction: Direction) -> Self {
        let connection = ExprType::record("connection", [("id", ExprType::Text), ("settings", ExprType::Any)]);
        let types = [ExprType::Any, ExprType::Any, ExprType::Text, connection, ExprType::Any];
        let scope = Scope::new(ROOTS.into_iter().zip(types));
        let mut places = vec![None; ROOTS.len()];
        if direction == Direction::In {
            places[PAYLOAD] = Some(Vec::new());
        }
        Self { cx, scope, places, lets: Vec::new(), emits: Vec::new(), body: Vec::new(), reads: PathSet::default() }
    }

    /// The place in the payload that a read leads to.
    fn place(&self, read: &Read) -> Option<Vec<Segment>> {
        let base = self.places.get(read.slot)?.as_ref()?;
        Some(base.iter().chain(&read.path).cloned().collect())
    }

    /// Compiles an expression. What it reads on the way counts as read; the place of its value only when `whole`.
    fn expr(&mut self, node: &Node, whole: bool) -> Option<Located> {
        let located = Located::compile(node, &self.scope, self.cx)?;
        let places: Vec<_> = located.expr.reads().iter().filter_map(|read| self.place(read)).collect();
        for place in places {
            self.reads.insert(&place);
        }
        if whole && let Some(place) = located.expr.source().and_then(|read| self.place(read)) {
            self.reads.insert(&place);
        }
        Some(located)
    }

    fn path(&mut self, node: &Node) -> Option<Located> {
        let located = self.expr(node, true)?;
        if !located.expr.is_path() {
            let help = "write `{ expr: … }` for something computed".to_owned();
            self.cx.error_with(node.span, "a path is made of names, keys and numbered items", Some(help));
        }
        Some(located)
    }

    fn condition(&mut self, node: &Node) -> Option<Located> {
        let located = self.expr(node, true)?;
        if !located.expr.ty().may_be(&ExprType::Bool) {
            self.cx.error(node.span, format!("a condition is true or false, this is {}", located.expr.ty()));
        }
        Some(located)
    }

    fn lets(&mut self, node: &Node) {
        for (key, value) in node.entries(self.cx) {
            if self.scope.find(&key.name).is_some() {
                self.cx.error(key.span, format!("the name `{}` is taken", key.name));
            }
            let Some(expr) = self.expr(value, false) else {
                self.push_slot(&key.name, ExprType::Any, None);
                continue;
            };
            let place = expr.expr.source().and_then(|read| self.place(read));
            self.push_slot(&key.name, expr.expr.ty().clone(), place);
            self.lets.push(Let { name: key.name.clone(), expr });
        }
    }

    fn push_slot(&mut self, name: &str, ty: ExprType, place: Option<Vec<Segment>>) {
        self.scope.push(name, ty);
        self.places.push(place);
    }

    fn pop_slot(&mut self) {
        self.scope.pop();
        self.places.pop();
    }

    fn emits(&mut self, node: &Node) {
        for (index, item) in node.items(self.cx).iter().enumerate() {
            self.emit(index, item);
        }
        if self.emits.is_empty() && node.items(self.cx).is_empty() {
            self.cx.error(node.span, "`emit` names no record");
        }
    }

    fn emit(&mut self, index: usize, node: &Node) {
        let Some(mut fields) = node.fields(self.cx) else { return };
        let entity = fields.required("to").and_then(|to| {
            let name = to.text(self.cx)?;
            let entity = hub_model::entity(&name);
            if entity.is_none() {
                self.cx.unknown(to.span, "entity", &name, hub_model::ENTITIES.iter().map(|e| e.name));
            }
            entity
        });
        let each = fields.optional("each").and_then(|each| self.expr(each, false));
        if let Some(each) = &each {
            let place = each.expr.source().and_then(|read| self.place(read)).map(|mut place| {
                place.push(Segment::Items);
                place
            });
            self.push_slot("item", each.expr.ty().item(), place);
        }
        let mut named = |compiler: &mut Self, key| fields.optional(key).and_then(|node| compiler.expr(node, true));
        let key = named(self, "key");
        let hub_id = named(self, "hub_id");
        let url = named(self, "url");
        let when = fields.optional("when").and_then(|node| self.condition(node));
        let deleted = fields.optional("deleted").and_then(|node| self.condition(node));
        let mut rules = Vec::new();
        if let Some(entity) = entity {
            if let Some(node) = fields.optional("fields") {
                rules = self.field_rules(node, &Target::Entity(entity), &format!("emit[{index}]"));
            }
            let complete = hub_id.is_none() && deleted.is_none();
            for field in entity.fields.iter().filter(|field| complete && field.required) {
                if !rules.iter().any(|rule| rule.target[0] == field.name) {
                    let help = format!("a complete {} has it; without it the record is incomplete", entity.name);
                    self.cx.warning(fields.span, format!("no rule sets `{}`", field.name), Some(help));
                }
            }
        }
        if key.is_none() && hub_id.is_none() {
            self.cx.error_with(
                fields.span,
                "`key` is missing",
                Some(
                    "it is the record's id at the vendor; `hub_id` is the hub's own id that the vendor hands back"
                        .into(),
                ),
            );
        }
        let container = key
            .as_ref()
            .and_then(|key| key.expr.source())
            .and_then(|read| self.place(read))
            .map(|place| place[..place.len().saturating_sub(1)].to_vec());
        if each.is_some() {
            self.pop_slot();
        }
        let span = fields.span;
        fields.finish();
        if let Some(entity) = entity {
            let container = container.unwrap_or_default();
            self.emits.push(Emit { entity, when, each, key, hub_id, url, deleted, fields: rules, container, span });
        }
    }

    /// The rules of a `fields` map. Dotted keys reach into objects: `name.full`.
    fn field_rules(&mut self, node: &Node, target: &Target, id: &str) -> Vec<FieldRule> {
        let mut rules: Vec<FieldRule> = Vec::new();
        for (key, value) in node.entries(self.cx) {
            let Some((path, ty)) = self.resolve(&key.name, key.span, target) else { continue };
            let clash = rules.iter().find(|rule| rule.target.starts_with(&path) || path.starts_with(&rule.target));
            if let Some(other) = clash {
                let other = other.target.join(".");
                self.cx.error(key.span, format!("`{}` is set by the rule for `{other}` too", key.name));
            }
            let id = format!("{id}.{}", key.name);
            if let Some(rule) = self.rule(value, ty, &id) {
                rules.push(FieldRule { target: path, ty, rule, span: key.span, id });
            }
        }
        rules
    }

    /// The keys and declared type of a dotted target.
    fn resolve(&self, dotted: &str, span: Span, target: &Target) -> Option<(Vec<String>, &'static Type)> {
        let path: Vec<String> = dotted.split('.').map(str::to_owned).collect();
        if path.iter().any(String::is_empty) {
            self.cx.error(span, format!("`{dotted}` is no field name"));
            return None;
        }
        let (mut known, mut ty, mut owner) = match target {
            Target::Open => return Some((path, &Type::Json)),
            Target::Entity(entity) => (entity.fields, &Type::Json, entity.name.to_owned()),
            Target::Part(ty) => (ty.fields(), *ty, ty.name()),
        };
        for (index, key) in path.iter().enumerate() {
            if matches!(target, Target::Entity(_)) && index == 0 && key == "custom" && path.len() == 2 {
                return Some((path, &Type::Json));
            }
            let Some(field) = known.iter().find(|field| field.name == key) else {
                let known = known.iter().map(|field| field.name);
                self.cx.error_with(
                    span,
                    format!("{owner} has no field `{key}`"),
                    hub_tree::finding::suggest(key, known),
                );
                return None;
            };
            ty = field.ty;
            known = ty.fields();
            owner = ty.name();
        }
        Some((path, ty))
    }

    fn ignore(&mut self, node: &Node, into: &mut PathSet) {
        let Some(text) = node.text(self.cx) else { return };
        let text = text.replace("[]", "[0]");
        match Expr::compile(&text, &self.scope) {
            Ok(expr) if expr.is_path() => match expr.source().and_then(|read| self.place(read)) {
                Some(place) => into.insert(&place),
                None => self.cx.error(node.span, "only paths of the payload can be ignored"),
            },
            Ok(_) => self.cx.error(node.span, "expected a path"),
            Err(problems) => report(problems, node, self.cx),
        }
    }
}
