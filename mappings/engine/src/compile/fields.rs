//! Reads `fields` maps: which target each rule fills, and in which order the targets stand in what is made.

use super::Compiler;
use crate::mapping::{Entry, FieldRule, Made, rules};
use hub_expr::Segment;
use hub_model::{EntityType, Field, Type};
use hub_tree::yaml::Node;
use hub_tree::{Span, finding};
use std::collections::BTreeSet;

/// Most parts of a dotted field name; each is an object within the one before.
const MAX_NAMES: usize = 16;

/// What a set of fields is written into.
#[derive(Clone, Copy)]
pub(super) enum Target {
    Entity(&'static EntityType),
    /// A field with declared fields of its own.
    Part(&'static Type),
    /// A vendor's body: any key, any value.
    Open,
}

impl Target {
    fn declared(&self) -> &'static [Field] {
        match self {
            Self::Entity(entity) => entity.fields,
            Self::Part(ty) => ty.fields(),
            Self::Open => &[],
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Entity(entity) => entity.name.to_owned(),
            Self::Part(ty) => ty.name(),
            Self::Open => String::new(),
        }
    }
}

impl Compiler<'_, '_> {
    /// The rules of a `fields` map. Dotted keys reach into objects: `name.full`.
    pub(super) fn field_rules(&mut self, node: &Node, target: &Target, id: &str) -> Vec<Entry> {
        self.entries(node, target, id, false)
    }

    /// The same, where a bare text is a path or expression.
    pub(super) fn short_fields(&mut self, node: &Node, target: &Target, id: &str) -> Vec<Entry> {
        self.entries(node, target, id, true)
    }

    fn entries(&mut self, node: &Node, target: &Target, id: &str, short: bool) -> Vec<Entry> {
        let mut entries: Vec<Entry> = Vec::new();
        for (key, value) in node.entries(self.cx) {
            let Some((path, ty)) = self.resolve(&key.name, key.span, target) else { continue };
            let pointer = path.iter().fold(String::new(), |pointer, key| pointer + "/" + key);
            let within = |outer: &str, inner: &str| {
                inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            let set = rules(&entries);
            if let Some(other) = set.iter().find(|o| within(&o.pointer, &pointer) || within(&pointer, &o.pointer)) {
                let other = other.pointer[1..].replace('/', ".");
                self.cx.error(key.span, format!("`{}` is set by the rule for `{other}` too", key.name));
                continue;
            }
            let id = format!("{id}.{}", key.name);
            let logged = self.read_log.len();
            let rule = if short { self.short_rule(value, ty, &id) } else { self.rule(value, ty, &id) };
            let reads = names_of(&self.read_log[logged..]);
            if let Some(rule) = rule {
                insert(&mut entries, &path, FieldRule { pointer, ty, rule, span: key.span, id, reads });
            }
        }
        order(&mut entries, target.declared());
        entries
    }

    /// The keys and declared type of a dotted target.
    fn resolve(&self, dotted: &str, span: Span, target: &Target) -> Option<(Vec<String>, &'static Type)> {
        let path: Vec<String> = dotted.split('.').map(str::to_owned).collect();
        if path.iter().any(String::is_empty) {
            self.cx.error(span, format!("`{dotted}` is no field name"));
            return None;
        }
        if path.len() > MAX_NAMES {
            self.cx.error(span, format!("a field name has at most {MAX_NAMES} parts"));
            return None;
        }
        if matches!(target, Target::Open) {
            return Some((path, &Type::Json));
        }
        let (mut known, mut ty, mut owner) = (target.declared(), &Type::Json, target.name());
        for (index, key) in path.iter().enumerate() {
            if matches!(target, Target::Entity(_)) && index == 0 && key == "custom" && path.len() == 2 {
                return Some((path, &Type::Json));
            }
            let Some(field) = known.iter().find(|field| field.name == key) else {
                let known = known.iter().map(|field| field.name);
                // The colon of a Chinese keyboard, or one without a space behind it, ends no key.
                let help = match key.find(['：', ':', '\u{a0}']) {
                    Some(_) => Some("a key ends with a plain `:` and a plain space behind it".to_owned()),
                    None => finding::suggest(key, known),
                };
                self.cx.error_with(span, format!("{owner} has no field `{key}`"), help);
                return None;
            };
            ty = field.ty;
            known = ty.fields();
            owner = ty.name();
        }
        Some((path, ty))
    }
}

/// Paths as people write them, each once; items are written `[]`.
fn names_of(paths: &[Vec<Segment>]) -> Vec<String> {
    let name = |path: &Vec<Segment>| {
        path.iter().fold("payload".to_owned(), |name, segment| match segment {
            Segment::Key(key) => name + "." + key,
            Segment::Items => name + "[]",
            Segment::Item(index) => format!("{name}[{index}]"),
        })
    };
    let names: BTreeSet<String> = paths.iter().map(name).collect();
    names.into_iter().collect()
}

fn insert(entries: &mut Vec<Entry>, path: &[String], rule: FieldRule) {
    let Some((first, rest)) = path.split_first() else { return };
    if rest.is_empty() {
        entries.push(Entry { key: first.clone(), made: Made::By(Box::new(rule)) });
        return;
    }
    let index = entries.iter().position(|entry| entry.key == *first).unwrap_or_else(|| {
        entries.push(Entry { key: first.clone(), made: Made::Of(Vec::new()) });
        entries.len() - 1
    });
    if let Made::Of(inner) = &mut entries[index].made {
        insert(inner, rest, rule);
    }
}

/// Declared fields first, in their order, so that equal records have equal bytes; what is not declared, as written.
fn order(entries: &mut [Entry], declared: &'static [Field]) {
    let position = |key: &str| declared.iter().position(|field| field.name == key).unwrap_or(usize::MAX);
    entries.sort_by_key(|entry| position(&entry.key));
    for entry in entries {
        if let Made::Of(inner) = &mut entry.made {
            let fields = declared.iter().find(|field| field.name == entry.key).map_or(&[][..], |f| f.ty.fields());
            order(inner, fields);
        }
    }
}
