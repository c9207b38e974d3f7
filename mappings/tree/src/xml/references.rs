//! References inside a document, as encoded SOAP 1.1 replies have them: `<manager href="#id1"/>` stands for the
//! element with `id="id1"` elsewhere.

use super::ShapeError;
use crate::arena::Arena;
use crate::reader::Limits;
use crate::value::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Puts in place of each element that has only attributes, among them `href="#…"`, the element with that `id`,
/// without its `id`. The elements referred to also stay where they are.
///
/// # Errors
/// An `id` stands twice, nothing has the `id` that is referred to, a reference leads back to itself, or the result
/// would exceed the depth, the number of values or the bytes of `limits`: shared parts count each time.
pub fn resolve_references<'a>(arena: &'a Arena, tree: &Value<'a>, limits: Limits) -> Result<Value<'a>, ShapeError> {
    let mut resolver =
        Resolver { arena, limits, targets: BTreeMap::new(), resolved: BTreeMap::new(), open: BTreeSet::new() };
    resolver.collect(tree)?;
    resolver.value(tree, 0).map(|part| part.value)
}

/// A resolved part with the number of its values and their depth.
#[derive(Clone, Copy)]
struct Part<'a> {
    value: Value<'a>,
    nodes: usize,
    depth: usize,
    /// How long its texts are together.
    bytes: usize,
}

struct Resolver<'a> {
    arena: &'a Arena,
    limits: Limits,
    targets: BTreeMap<&'a str, Value<'a>>,
    resolved: BTreeMap<&'a str, Part<'a>>,
    /// Targets that are being resolved.
    open: BTreeSet<&'a str>,
}

fn fail<T>(message: impl Into<String>, id: &str) -> Result<T, ShapeError> {
    Err(ShapeError { message: message.into(), path: format!("#{}", super::tag::shown(id)) })
}

/// The id that an element refers to, if it is nothing but a reference.
fn referred<'a>(value: &Value<'a>) -> Option<&'a str> {
    let id = value.get("@href").as_text()?.strip_prefix('#')?;
    value.entries().iter().all(|(key, _)| key.starts_with('@')).then_some(id)
}

impl<'a> Resolver<'a> {
    /// Finds all elements that have an id.
    fn collect(&mut self, value: &Value<'a>) -> Result<(), ShapeError> {
        if let Some(id) = value.get("@id").as_text()
            && self.targets.insert(id, *value).is_some()
        {
            return fail("two elements have the same id", id);
        }
        let parts = value.items().iter().chain(value.entries().iter().map(|(_, value)| value));
        for part in parts {
            self.collect(part)?;
        }
        Ok(())
    }

    fn value(&mut self, value: &Value<'a>, depth: usize) -> Result<Part<'a>, ShapeError> {
        // References go deeper than any document, so this also bounds the stack.
        if depth > self.limits.max_depth {
            return fail(format!("references nest deeper than {} levels", self.limits.max_depth), "");
        }
        if let Some(id) = referred(value) {
            return self.target(id, depth);
        }
        let (mut nodes, mut below) = (1_usize, 0);
        let mut bytes = value.as_text().map_or(0, str::len);
        let mut count = |part: Part<'a>| {
            bytes = bytes.saturating_add(part.bytes);
            nodes = nodes.saturating_add(part.nodes);
            below = below.max(part.depth);
            part.value
        };
        let value = match value {
            Value::List(items) => {
                let mut resolved = Vec::with_capacity(items.len());
                for item in *items {
                    // A list is no level of an XML document.
                    resolved.push(count(self.value(item, depth)?));
                }
                self.arena.list(&resolved)
            }
            Value::Map(map) => {
                let mut resolved = Vec::with_capacity(map.entries().len());
                for (key, value) in map.entries() {
                    resolved.push((*key, count(self.value(value, depth + 1)?)));
                }
                self.arena.map(&resolved)
            }
            scalar => *scalar,
        };
        if nodes > self.limits.max_nodes {
            return fail(format!("references make more than {} values", self.limits.max_nodes), "");
        }
        if bytes > self.limits.max_bytes {
            return fail(format!("references make more than {} bytes", self.limits.max_bytes), "");
        }
        Ok(Part { value, nodes, depth: below + 1, bytes })
    }

    fn target(&mut self, id: &'a str, depth: usize) -> Result<Part<'a>, ShapeError> {
        let part = if let Some(part) = self.resolved.get(id) {
            *part
        } else {
            let Some(target) = self.targets.get(id).copied() else {
                return fail("no element has the id that is referred to", id);
            };
            if !self.open.insert(id) {
                return fail("a reference leads back to itself", id);
            }
            // One level more even where the target is a reference itself: a chain of those must end, too.
            let part = self.value(&without_id(self.arena, &target), depth + 1)?;
            self.open.remove(id);
            self.resolved.insert(id, part);
            part
        };
        if depth + part.depth > self.limits.max_depth.saturating_add(1) {
            return fail(format!("references nest deeper than {} levels", self.limits.max_depth), id);
        }
        Ok(part)
    }
}

/// The value that an element would have without its id.
fn without_id<'a>(arena: &'a Arena, target: &Value<'a>) -> Value<'a> {
    let entries: Vec<_> = target.entries().iter().filter(|(key, _)| *key != "@id").copied().collect();
    match entries.as_slice() {
        [] => Value::Text(""),
        [("#text" | super::ITEMS, content)] => *content,
        _ => arena.map(&entries),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{json, xml};

    fn resolved(text: &str) -> Result<String, String> {
        let arena = Arena::new();
        let limits = Limits { max_nodes: 1000, max_depth: 20, max_bytes: 50_000 };
        let tree = xml::read(&arena, text.as_bytes(), Limits::default()).unwrap();
        resolve_references(&arena, &tree, limits).map(|tree| json::to_string(&tree)).map_err(|e| e.to_string())
    }

    #[test]
    fn references_are_replaced_by_what_they_mean() {
        assert_eq!(
            resolved("<b><r href='#1'/><m id='1'><n href='#2'/><n href='#2'/></m><m id='2'>Li</m><l href='x'/></b>")
                .unwrap(),
            r##"{"b":{"r":{"n":["Li","Li"]},"m":[{"@id":"1","n":["Li","Li"]},{"@id":"2","#text":"Li"}],"l":{"@href":"x"}}}"##
        );
    }

    #[test]
    fn references_that_do_not_end_are_refused() {
        for (text, wanted) in [
            (
                "<b><r href='#1'/><m id='1'><n href='#2'/></m><m id='2'><n href='#1'/></m></b>",
                "leads back to itself at #1",
            ),
            ("<b><r href='#1'/></b>", "no element has the id that is referred to at #1"),
            ("<b><r id='1'/><r id='1'/></b>", "two elements have the same id at #1"),
        ] {
            assert!(resolved(text).unwrap_err().contains(wanted), "{:?}", resolved(text));
        }
        let chain = |times: usize, length: usize| {
            let step = |i: usize| format!("<m id='{i}'>{}</m>", format!("<n href='#{}'/>", i + 1).repeat(times));
            let steps: String = (0..length).map(step).collect();
            resolved(&format!("<b><r href='#0'/>{steps}<m id='{length}'>x</m></b>"))
        };
        assert!(chain(1, 5).is_ok());
        assert!(chain(3, 7).unwrap_err().contains("make more than 1000 values"));
        let long = format!("<b>{}<m id='1'>{}</m></b>", "<r href='#1'/>".repeat(90), "x".repeat(600));
        assert!(resolved(&long).unwrap_err().contains("make more than 50000 bytes"));
        assert!(chain(1, 5000).unwrap_err().contains("nest deeper than 20 levels"));
        let bare: String = (0..5000).map(|i| format!("<m id='{i}' href='#{}'/>", i + 1)).collect();
        assert!(resolved(&format!("<b>{bare}</b>")).unwrap_err().contains("nest deeper than 20 levels"));
    }
}
