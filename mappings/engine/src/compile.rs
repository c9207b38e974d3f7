//! Reads a mapping file and reports every problem in it.

mod fields;
mod names;
mod rule;
mod shapes;

pub(crate) use rule::{SHAPES, WHATS};

use crate::layers::{self, Parts, Stacked};
use crate::lists::CodeList;
use crate::mapping::{Direction, Draft, Emit, Entry, Format, Leftovers, Let, Mapping, PAYLOAD, PathSet, ROOTS};
use crate::types;
use fields::Target;
use hub_expr::{Expr, Located, Read, Scope, Segment, Type as ExprType, report};
use hub_model::EntityType;
use hub_tree::yaml::{Context, Fields, Node};
use hub_tree::{Findings, Source, Span};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

impl Mapping {
    /// Compiles the file `<object>.in.yaml` or `<object>.out.yaml` of `connector`. All problems go to `findings`;
    /// `None` when one of them is an error.
    #[must_use]
    pub fn compile(connector: &str, source: &Arc<Source>, findings: &Findings) -> Option<Mapping> {
        Self::assemble(connector, &Parts::of(source), findings)
    }

    /// Compiles the mapping that layers and code lists make up. All problems go to `findings`, each at its place in
    /// its file; `None` when one of them is an error.
    #[must_use]
    pub fn assemble(connector: &str, parts: &Parts, findings: &Findings) -> Option<Mapping> {
        let (object, direction) = named(parts.files.last()?, findings)?;
        let mut lists: BTreeMap<String, Arc<CodeList>> = BTreeMap::new();
        for file in &parts.lists {
            let list = CodeList::compile(file, findings).map(Arc::new);
            // No other list is used in place of one that has errors.
            lists.remove(CodeList::name_of(file));
            lists.extend(list.map(|list| (list.name.clone(), list)));
        }
        // A list with errors refuses the mappings that use it, as one that is not there; the others run.
        let before = findings.error_count();
        let Stacked { root, source, files } = layers::stack(&parts.files, findings)?;
        let cx = Context::new(&source, findings);
        let mut compiler = Compiler::new(&cx, lists.into_values().collect());
        let mut fields = root.fields(&cx)?;
        fields.version(1);
        let (word, suffix) = if direction == Direction::In { ("from", "in") } else { ("to", "out") };
        if let Some(node) = fields.required(word)
            && let Some(text) = node.text(&cx)
            && text != format!("{connector}/{object}")
        {
            cx.error(node.span, format!("this file is `{connector}/{object}`; `{word}` says `{text}`"));
        }
        let format = match direction {
            Direction::In => {
                compiler.file_in(&mut fields);
                Format::Json
            }
            Direction::Out => compiler.file_out(&mut fields),
        };
        fields.finish();
        if findings.error_count() > before {
            // What could not be compiled may read any name.
            return None;
        }
        compiler.report_unused();
        let used = |list: &&Arc<CodeList>| compiler.used_lists.contains(&list.name);
        let lists = compiler.lists.iter().filter(used).map(|list| Arc::clone(&list.source)).collect();
        let text = Parts { files, lists }.to_text();
        let leftovers = compiler.leftovers();
        let Compiler { lets, mut emits, body, lists, reads_lists, reads, ignored, .. } = compiler;
        for (emit, left) in emits.iter_mut().zip(leftovers) {
            emit.leftovers = left;
        }
        Some(Mapping {
            id: format!("{connector}/{object}.{suffix}"),
            version: hex::encode(&Sha256::digest(text.as_bytes())[..16]),
            direction,
            connector: connector.to_owned(),
            source,
            text,
            format,
            lets,
            emits,
            body,
            lists,
            reads_lists,
            known: reads.joined(&ignored),
        })
    }
}

/// The object and direction that a file is named after.
fn named<'s>(source: &'s Arc<Source>, findings: &Findings) -> Option<(&'s str, Direction)> {
    let file = source.path.rsplit('/').next().unwrap_or_default();
    match (file.strip_suffix(".in.yaml"), file.strip_suffix(".out.yaml")) {
        (Some(object), _) => Some((object, Direction::In)),
        (_, Some(object)) => Some((object, Direction::Out)),
        _ => {
            let message = "a mapping file is called `<object>.in.yaml` or `<object>.out.yaml`";
            findings.error(source, Span::default(), message, None);
            None
        }
    }
}

impl Draft {
    /// Compiles a `fields` map for `entity`, whose expressions know the names of `scope`. `id` begins the rules' names
    /// in `field_meta`. Problems go to the context.
    #[must_use]
    pub fn compile(node: &Node, cx: &Context<'_>, entity: &'static EntityType, scope: &Scope, id: &str) -> Self {
        let mut compiler = Compiler::new(cx, Vec::new());
        compiler.scope = scope.clone();
        compiler.places = vec![None; scope.len()];
        let fields = compiler.field_rules(node, &Target::Entity(entity), id);
        for field in entity.fields.iter().filter(|field| field.required) {
            if !fields.iter().any(|entry| entry.key == field.name) {
                cx.error(node.span, format!("no rule sets `{}`, which a complete {} has", field.name, entity.name));
            }
        }
        Self { entity, source: Arc::clone(&cx.source), fields }
    }
}

struct Compiler<'c, 'f> {
    cx: &'c Context<'f>,
    scope: Scope,
    /// Where the value of each slot lies in the payload, as far as that is one place.
    places: Vec<Option<Vec<Segment>>>,
    lets: Vec<Let>,
    emits: Vec<Emit>,
    /// The source path that each emit's key lies in.
    containers: Vec<Option<Vec<Segment>>>,
    body: Vec<Entry>,
    lists: Vec<Arc<CodeList>>,
    used_lists: BTreeSet<String>,
    /// Whether expressions read code lists as values.
    reads_lists: bool,
    reads: PathSet,
    ignored: PathSet,
    /// The slots of `let` names, and where they stand.
    let_slots: Vec<(usize, Span)>,
    /// What is read of the payload, in order; and by each slot that is computed from it.
    read_log: Vec<Vec<Segment>>,
    reads_of_slots: BTreeMap<usize, Vec<Vec<Segment>>>,
    used_slots: BTreeSet<usize>,
    /// Whether what is made is a vendor's body, whose days and instants are written in the vendor's forms.
    writes: bool,
}

impl<'c, 'f> Compiler<'c, 'f> {
    fn new(cx: &'c Context<'f>, lists: Vec<Arc<CodeList>>) -> Self {
        let connection = ExprType::record("connection", [("id", ExprType::Text), ("settings", ExprType::Any)]);
        let rows = ExprType::list(ExprType::Any);
        let tables = ExprType::record("lists", lists.iter().map(|list| (list.name.as_str(), rows.clone())));
        let types = [ExprType::Any, ExprType::Any, ExprType::Text, connection, ExprType::Any, tables];
        let mut places = vec![None; ROOTS.len()];
        places[PAYLOAD] = Some(Vec::new());
        Self {
            cx,
            scope: Scope::new(ROOTS.into_iter().zip(types)),
            places,
            lets: Vec::new(),
            emits: Vec::new(),
            containers: Vec::new(),
            body: Vec::new(),
            lists,
            used_lists: BTreeSet::new(),
            reads_lists: false,
            reads: PathSet::default(),
            ignored: PathSet::default(),
            let_slots: Vec::new(),
            read_log: Vec::new(),
            reads_of_slots: BTreeMap::new(),
            used_slots: BTreeSet::new(),
            writes: false,
        }
    }

    fn file_in(&mut self, fields: &mut Fields<'_, '_>) {
        if let Some(lets) = fields.optional("let") {
            self.lets(lets);
        }
        if let Some(emit) = fields.required("emit") {
            self.emits(emit);
        }
        if let Some(node) = fields.optional("ignore") {
            for item in node.items(self.cx) {
                self.ignore(item);
            }
        }
    }

    fn file_out(&mut self, fields: &mut Fields<'_, '_>) -> Format {
        let format = fields.word("format", &[("json", Format::Json), ("xml", Format::Xml)]).unwrap_or_default();
        if let Some(takes) = fields.optional("takes") {
            self.takes(takes);
        }
        if let Some(lets) = fields.optional("let") {
            self.lets(lets);
        }
        if let Some(body) = fields.required("fields") {
            self.writes = true;
            self.body = self.field_rules(body, &Target::Open, "body");
            if format == Format::Xml && self.body.len() != 1 {
                self.cx.error(body.span, format!("an XML document has one root, these are {}", self.body.len()));
            }
        }
        format
    }

    /// The place in the payload that a read leads to.
    fn place(&self, read: &Read) -> Option<Vec<Segment>> {
        let base = self.places.get(read.slot)?.as_ref()?;
        Some(base.iter().chain(&read.path).cloned().collect())
    }

    /// The place in the payload that an expression's value lies at, if it is taken from one.
    fn place_of(&self, located: &Located) -> Option<Vec<Segment>> {
        located.expr.source().and_then(|read| self.place(read))
    }

    /// Compiles an expression. What it reads on the way counts as read; the place of its value only when `whole`.
    fn expr(&mut self, node: &Node, whole: bool) -> Option<Located> {
        let located = Located::compile(node, &self.scope, self.cx)?;
        for read in located.expr.reads().iter().chain(located.expr.source()) {
            self.used_slots.insert(read.slot);
            self.use_list(read);
            match self.place(read) {
                Some(place) => self.read_log.push(place),
                None => self.read_log.extend(self.reads_of_slots.get(&read.slot).cloned().unwrap_or_default()),
            }
        }
        let places: Vec<_> = located.expr.reads().iter().filter_map(|read| self.place(read)).collect();
        for place in places {
            self.reads.insert(&place);
        }
        if whole && let Some(place) = self.place_of(&located) {
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
        } else if located.expr.text().trim() == "false" {
            self.cx.warning(node.span, "this is never true: what depends on it never happens", None);
        }
        Some(located)
    }

    /// `takes: { application: application }`: what an out mapping is given, so that its paths can be checked.
    fn takes(&mut self, node: &Node) {
        let mut known = Vec::new();
        for (key, value) in node.entries(self.cx) {
            let Some(name) = value.text(self.cx) else { continue };
            match hub_model::entity(&name) {
                Some(entity) => known.push((key.name.as_str(), types::record(entity))),
                None => {
                    self.cx.unknown(value.span, "entity", &name, hub_model::ENTITIES.iter().map(|e| e.name));
                    known.push((key.name.as_str(), ExprType::Any));
                }
            }
        }
        self.scope.retype(PAYLOAD, ExprType::record("payload", known));
    }

    fn emits(&mut self, node: &Node) {
        let items = node.items(self.cx);
        for (index, item) in items.iter().enumerate() {
            self.emit(index, item);
        }
        if self.emits.is_empty() && items.is_empty() {
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
        // A name tells records of one entity apart, for layers above.
        let _ = fields.text("name");
        let each_node = fields.optional("each");
        let each = each_node.and_then(|each| self.expr(each, false));
        if each_node.is_some() {
            self.push_item(each.as_ref());
        }
        let mut named = |compiler: &mut Self, key| fields.optional(key).and_then(|node| compiler.expr(node, true));
        let key = named(self, "key");
        if let Some(key) = key.as_ref().filter(|key| key.expr.text().trim() == "null") {
            let help = "name the path of the record's id at the vendor".to_owned();
            self.cx.warning(key.span, "the key is always absent: no record is ever made", Some(help));
        }
        let hub_id = named(self, "hub_id");
        let formerly = named(self, "formerly");
        if let Some(former) = formerly.as_ref().filter(|_| key.is_none() || hub_id.is_some()) {
            let help = "it is the id that the vendor has changed into `key`".to_owned();
            self.cx.error_with(former.span, "`formerly` stands beside a `key`, and without a `hub_id`", Some(help));
        }
        let url = named(self, "url");
        let when = fields.optional("when").and_then(|node| self.condition(node));
        let deleted = fields.optional("deleted").and_then(|node| self.condition(node));
        let keyed = fields.optional("key").is_some() || fields.optional("hub_id").is_some();
        if !keyed {
            let help = "it is the record's id at the vendor; `hub_id` is the hub's own id that the vendor hands back";
            self.cx.error_with(fields.span, "`key` is missing", Some(help.to_owned()));
        }
        let mut rules = Vec::new();
        if let Some(entity) = entity {
            if let Some(node) = fields.optional("fields") {
                rules = self.field_rules(node, &Target::Entity(entity), &format!("emit[{index}]"));
            }
            let complete = hub_id.is_none() && deleted.is_none();
            for field in entity.fields.iter().filter(|field| complete && field.required) {
                if !rules.iter().any(|entry| entry.key == field.name) {
                    let help = format!("a complete {} has it; without it the record is incomplete", entity.name);
                    self.cx.warning(fields.span, format!("no rule sets `{}`", field.name), Some(help));
                }
            }
        } else {
            // Without an entity its fields cannot be judged.
            let _ = fields.optional("fields");
        }
        let container = key.as_ref().and_then(|key| self.place_of(key)).map(|mut place| {
            place.pop();
            place
        });
        if each_node.is_some() {
            self.pop_slot();
        }
        let span = fields.span;
        fields.finish();
        if let Some(entity) = entity {
            let same = |other: &Emit| {
                let text = |located: &Option<Located>| located.as_ref().map(|located| located.expr.text().to_owned());
                let always = other.when.is_none() && other.each.is_none() && each_node.is_none();
                always && other.entity.name == entity.name && key.is_some() && text(&other.key) == text(&key)
            };
            if self.emits.iter().any(same) {
                let message = format!("a rule above makes this {} already, with the same key", entity.name);
                self.cx.warning(span, message, Some("put the fields of both into one".to_owned()));
            }
            self.containers.push(container.filter(|_| each.is_none()));
            self.emits.push(Emit {
                entity,
                when,
                each,
                key,
                hub_id,
                formerly,
                url,
                deleted,
                fields: rules,
                leftovers: None,
                span,
            });
        }
    }

    fn ignore(&mut self, node: &Node) {
        let Some(text) = node.text(self.cx) else { return };
        let expr = match Expr::compile(&text.replace("[]", "[0]"), &self.scope) {
            Ok(expr) => expr,
            Err(problems) => return report(problems, node, self.cx),
        };
        if let Some(read) = expr.source() {
            self.used_slots.insert(read.slot);
        }
        let place = expr.source().filter(|_| expr.is_path()).and_then(|read| self.place(read));
        match place {
            Some(place) if self.reads.holds(&place) => {
                let help = "take it out of `ignore`".to_owned();
                self.cx.warning(node.span, format!("a rule reads `{text}`, so that it is not ignored"), Some(help));
            }
            Some(place) => {
                // What nobody needs of one item, nobody needs of the others.
                let all = place.into_iter().map(|segment| match segment {
                    Segment::Item(_) => Segment::Items,
                    segment => segment,
                });
                self.ignored.insert(&all.collect::<Vec<Segment>>());
            }
            None => self.cx.error(node.span, "only paths of the payload can be ignored"),
        }
    }

    /// What each emit may keep in `ext`: the leftovers of the object that its key lies in. The records of an `each`
    /// keep none, because which item is whose is not known.
    fn leftovers(&self) -> Vec<Option<Leftovers>> {
        let known = self.reads.joined(&self.ignored);
        let own = |index: usize| {
            let container = self.containers[index].as_ref()?;
            let keys = container.iter().map(|segment| match segment {
                Segment::Key(key) => Some(key.clone()),
                Segment::Items | Segment::Item(_) => None,
            });
            let path = keys.collect::<Option<Vec<Box<str>>>>()?;
            let mut taken = known.clone();
            for other in self.containers.iter().flatten() {
                if other.len() > container.len() && other.starts_with(container) {
                    taken.insert(other);
                }
            }
            Some(Leftovers { path, taken })
        };
        (0..self.containers.len()).map(own).collect()
    }

    /// Reports what is named and never used.
    fn report_unused(&self) {
        let names: Vec<&str> = self.scope.names().collect();
        for (slot, span) in self.let_slots.iter().filter(|(slot, _)| !self.used_slots.contains(slot)) {
            let name = names.get(*slot).copied().unwrap_or_default();
            self.cx.warning(*span, format!("nothing reads `{name}`"), Some("take it out of `let`".to_owned()));
        }
    }
}
