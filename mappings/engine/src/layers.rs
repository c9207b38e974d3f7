//! What a mapping is made of: the connector's file, what a tenant and a connection lay over it, and code lists.
//!
//! A file that begins with `from` or `to` is whole and hides what lies below it. One that begins with `extends`
//! changes what lies below: it replaces single rules, adds some, and takes some away.

mod effective;

use hub_tree::yaml::{self, Context, Key, Kind, Node};
use hub_tree::{Arena, Findings, Limits, Source, Value, finding, json};
use std::sync::Arc;

/// The files behind a mapping.
#[derive(Clone, Debug, Default)]
pub struct Parts {
    /// The mapping's files, the lowest layer first.
    pub files: Vec<Arc<Source>>,
    /// The code lists that it may look up in; of two with one name the later counts.
    pub lists: Vec<Arc<Source>>,
}

impl Parts {
    /// A mapping of one file without code lists.
    #[must_use]
    pub fn of(file: &Arc<Source>) -> Self {
        Self { files: vec![Arc::clone(file)], lists: Vec::new() }
    }

    /// All files as one text, to be kept with what the mapping made. A single file is kept as it is.
    #[must_use]
    pub fn to_text(&self) -> String {
        if let ([only], []) = (&*self.files, &*self.lists) {
            return only.text.clone();
        }
        let arena = Arena::new();
        let list = |files: &[Arc<Source>]| {
            let files: Vec<Value<'_>> = files
                .iter()
                .map(|file| {
                    let (path, text) = (arena.text(&file.path), arena.text(&file.text));
                    arena.map(&[("path", Value::Text(path)), ("text", Value::Text(text))])
                })
                .collect();
            arena.list(&files)
        };
        json::to_string(&arena.map(&[("files", list(&self.files)), ("lists", list(&self.lists))]))
    }

    /// The files that [`Parts::to_text`] made `text` of; `path` is the path of a single one.
    #[must_use]
    pub fn from_text(path: &str, text: &str) -> Self {
        let arena = Arena::new();
        // A mapping file is a YAML map that begins with a word, never with a brace.
        let read = text.starts_with("{\"files\":").then(|| json::read(&arena, text.as_bytes(), Limits::default()));
        let Some(Ok(stored)) = read else { return Self::of(&Source::new(path, text)) };
        let files = |key| {
            let text = |file: &Value<'_>, key| file.get(key).as_text().unwrap_or_default().to_owned();
            stored.get(key).items().iter().map(|file| Source::new(text(file, "path"), text(file, "text"))).collect()
        };
        Self { files: files("files"), lists: files("lists") }
    }
}

/// A document made of layers.
pub(crate) struct Stacked {
    pub(crate) root: Node,
    /// All layers that count, under one numbering of lines.
    pub(crate) source: Arc<Source>,
    pub(crate) files: Vec<Arc<Source>>,
}

/// Reads the layers that count and lays them over each other.
pub(crate) fn stack(files: &[Arc<Source>], findings: &Findings) -> Option<Stacked> {
    let mut read: Vec<(Arc<Source>, Node)> = Vec::new();
    for file in files.iter().rev() {
        let root = yaml::read(file, findings)?;
        let extends = root.get("extends").is_some();
        read.push((Arc::clone(file), root));
        if !extends {
            break;
        }
        if read.len() == files.len() {
            let span = read.last().and_then(|(_, root)| root.get("extends")).map(|node| node.span).unwrap_or_default();
            let help = "a whole file begins with `from: <vendor>/<object>`, or `to:` for an out mapping".to_owned();
            findings.error(file, span, "there is no mapping below this one to extend", Some(help));
            return None;
        }
    }
    read.reverse();
    let files: Vec<Arc<Source>> = read.iter().map(|(source, _)| Arc::clone(source)).collect();
    let (source, before) = Source::stacked(&files);
    let mut layers = read.into_iter().zip(before).map(|((_, root), lines)| root.moved_down(lines));
    let mut root = layers.next()?;
    let cx = Context::new(&source, findings);
    for layer in layers {
        lay_over(&mut root, layer, &cx);
    }
    Some(Stacked { root, source, files })
}

/// Keys of a layer that are laid over key by key; all others replace what lies below.
const MAPS: [&str; 2] = ["let", "fields"];

/// Lays a layer over the document below it.
fn lay_over(base: &mut Node, layer: Node, cx: &Context<'_>) {
    let from = if base.get("to").is_some() { "to" } else { "from" };
    let below = base.get(from).and_then(Node::scalar).unwrap_or_default().to_owned();
    let Kind::Map(entries) = layer.kind else { return layer.expected("a map", cx) };
    for (key, node) in entries {
        match key.name.as_str() {
            "version" => {
                if node.scalar() != Some("1") {
                    cx.error(node.span, "version 1 is the one that this hub knows");
                }
            }
            "extends" => {
                if node.scalar() != Some(&below) {
                    cx.error_with(
                        node.span,
                        format!("the mapping below is `{below}`"),
                        Some(format!("write `extends: {below}`")),
                    );
                }
            }
            "from" | "to" => {
                cx.error(key.span, format!("a file that extends another one has no `{}`", key.name));
            }
            "emit" => lay_emits(base, node, cx),
            "remove" => remove(base, &node, cx),
            "ignore" => append(base, key, node),
            name if MAPS.contains(&name) => lay_map(base, key, node, cx),
            _ => replace(base, key, node),
        }
    }
}

fn entries_of(node: &mut Node) -> Option<&mut Vec<(Key, Node)>> {
    match &mut node.kind {
        Kind::Map(entries) => Some(entries),
        _ => None,
    }
}

fn replace(base: &mut Node, key: Key, node: Node) {
    let Some(entries) = entries_of(base) else { return };
    match entries.iter_mut().find(|(known, _)| known.name == key.name) {
        Some(entry) => *entry = (key, node),
        None => entries.push((key, node)),
    }
}

/// Adds the items of a list to the list below.
fn append(base: &mut Node, key: Key, node: Node) {
    let Some(entries) = entries_of(base) else { return };
    match (entries.iter_mut().find(|(known, _)| known.name == key.name), node.kind) {
        (Some((_, Node { kind: Kind::List(items), .. })), Kind::List(more)) => items.extend(more),
        (None, kind) => entries.push((key, Node { span: node.span, kind })),
        (Some(entry), kind) => entry.1 = Node { span: node.span, kind },
    }
}

/// `let` and `fields`: each key replaces the one below, or is added. A rule for an object takes the place of the rules
/// for its parts.
fn lay_map(base: &mut Node, key: Key, node: Node, cx: &Context<'_>) {
    let Some(entries) = entries_of(base) else { return };
    let Some((_, below)) = entries.iter_mut().find(|(known, _)| known.name == key.name) else {
        entries.push((key, node));
        return;
    };
    let Kind::Map(layer) = node.kind else { return node.expected("a map", cx) };
    for (key, value) in layer {
        let parts = format!("{}.", key.name);
        if let Some(entries) = entries_of(below) {
            entries.retain(|(known, _)| !known.name.starts_with(&parts));
        }
        replace(below, key, value);
    }
}

/// `remove: [names]` beside `fields`: rules that are taken away.
fn remove(base: &mut Node, names: &Node, cx: &Context<'_>) {
    let Some(entries) = entries_of(base) else { return };
    let fields = entries.iter_mut().find(|(key, _)| key.name == "fields").and_then(|(_, node)| entries_of(node));
    let mut none = Vec::new();
    let fields = fields.unwrap_or(&mut none);
    for name in names.items(cx) {
        let Some(text) = name.scalar() else { return name.expected("the name of a field", cx) };
        let before = fields.len();
        fields.retain(|(key, _)| key.name != text);
        if fields.len() == before {
            let known: Vec<&str> = fields.iter().map(|(key, _)| key.name.as_str()).collect();
            let help = finding::suggest(text, known.iter().copied());
            cx.error_with(name.span, format!("the layer below has no rule for `{text}`"), help);
        }
    }
}

/// `emit`: an item changes the record below of the same entity, or the same name where there are several; an item
/// that fits none is a record of its own.
fn lay_emits(base: &mut Node, layer: Node, cx: &Context<'_>) {
    let Kind::List(items) = layer.kind else { return layer.expected("a list", cx) };
    let Some(entries) = entries_of(base) else { return };
    let Some((_, Node { kind: Kind::List(below), .. })) = entries.iter_mut().find(|(key, _)| key.name == "emit") else {
        return;
    };
    for item in items {
        let word = |node: &Node, key| node.get(key).and_then(Node::scalar).map(str::to_owned);
        let (entity, name) = (word(&item, "to"), word(&item, "name"));
        let fits = |node: &Node| word(node, "to") == entity && (name.is_none() || word(node, "name") == name);
        let found: Vec<usize> = below.iter().enumerate().filter(|(_, node)| fits(node)).map(|(i, _)| i).collect();
        match *found {
            [] if item.get("key").is_none() && item.get("hub_id").is_none() => {
                let made: Vec<String> = below.iter().filter_map(|node| word(node, "to")).collect();
                let wanted = entity.unwrap_or_default();
                let help = finding::suggest(&wanted, made.iter().map(String::as_str));
                let span = item.get("to").map_or(item.span, |node| node.span);
                cx.error_with(
                    span,
                    format!("the layer below makes no `{wanted}`, and a new record needs a `key`"),
                    help,
                );
            }
            [] => below.push(item),
            [index] => lay_emit(&mut below[index], item, cx),
            _ => {
                let help = "give each of them a `name` in the layer below, and name the one that is meant".to_owned();
                let entity = entity.unwrap_or_default();
                cx.error_with(item.span, format!("{} records below are `{entity}`", found.len()), Some(help));
            }
        }
    }
}

fn lay_emit(base: &mut Node, layer: Node, cx: &Context<'_>) {
    let Kind::Map(entries) = layer.kind else { return layer.expected("a map", cx) };
    for (key, node) in entries {
        match key.name.as_str() {
            "to" | "name" => {}
            "remove" => remove(base, &node, cx),
            "fields" => lay_map(base, key, node, cx),
            _ => replace(base, key, node),
        }
    }
}
