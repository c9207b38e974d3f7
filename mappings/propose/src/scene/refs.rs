//! References: an id whose name says of what, with the name that stands beside it.

use super::Scene;
use crate::assign::Found;
use crate::fit::{self, Fit, Like, Verdict};
use crate::leaf::Leaf;
use crate::observe::Node;
use crate::targets::Slot;
use crate::text::{dotted, quoted};
use crate::words::Words;
use hub_model::Type;

impl Scene<'_> {
    pub(super) fn reference(&self, slot: &Slot, leaf: &Leaf<'_>, entity: &str) -> Option<(u32, Found)> {
        if let Some(items) = &leaf.node.items {
            return self.first_reference(slot, leaf, entity, items);
        }
        if !leaf.node.is_scalar() || !leaf.read.is_path() {
            return None;
        }
        let expr = leaf.read.expr(self.base);
        let name = self.name(&slot.names, leaf, true);
        if name > 0 {
            let fit = fit::fit(&Type::Text, Like::Id, &leaf.node.values, self.vocabulary);
            let shown = self.display(slot, leaf);
            let display = shown
                .as_ref()
                .map(|path| format!(", display: {}", quoted(&format!("{}{path}", self.base))))
                .unwrap_or_default();
            let rule = format!("{{ ref: {entity}, key: {}{display} }}", quoted(&expr));
            let (name, mut found) = self.found(slot, leaf, name, &fit, rule);
            found.also.extend(shown.map(|path| format!("{}{path}", self.path)));
            return Some((name, found));
        }
        let name = self.name(&slot.names, leaf, false);
        if name == 0 {
            return None;
        }
        let mut fit = fit::fit(&Type::Text, Like::Id, &leaf.node.values, self.vocabulary);
        if fit.verdict == Verdict::Weak {
            fit =
                Fit::new(Verdict::Hold, format!("{}; a reference needs an id: make sure that this is one", fit.words));
        }
        Some(self.found(slot, leaf, name, &fit, format!("{{ ref: {entity}, key: {} }}", quoted(&expr))))
    }

    pub(super) fn references(&self, slot: &Slot, leaf: &Leaf<'_>, entity: &str) -> Option<(u32, Found)> {
        let items = leaf.node.items.as_deref()?;
        let name = self.name(&slot.names, leaf, false);
        let (key, node) = self.id_key(items)?;
        if name == 0 || entity.is_empty() {
            return None;
        }
        let fit = fit::fit(&Type::Text, Like::Id, &node.values, self.vocabulary);
        let list = quoted(&leaf.read.expr(self.base));
        let rule = format!("{{ each: {list}, ref: {entity}, key: {} }}", quoted(&format!("item{}", dotted(key))));
        let (name, mut found) = self.found(slot, leaf, name, &fit, rule);
        found.source += &format!("[]{}", dotted(key));
        Some((name, found))
    }

    /// The path of the name beside an id, for showing the reference.
    fn display(&self, slot: &Slot, leaf: &Leaf<'_>) -> Option<String> {
        const SHOWN: &[&str] = &["name", "title", "display name", "label", "full name", "text", "名称", "姓名"];
        let bare = self.vocabulary.id_of(&leaf.name).is_some_and(<[String]>::is_empty);
        let found = leaf.holder.keys.iter().find(|(key, node)| {
            let words = self.vocabulary.words(key);
            let named = SHOWN.iter().any(|shown| {
                let shown = self.vocabulary.words(shown);
                let with = |name: &Words| [name.as_slice(), shown.as_slice()].concat();
                if bare { words == shown } else { slot.names.iter().any(|name| words == with(name)) }
            });
            let text = || fit::fit(&Type::Text, Like::Anything, &node.values, self.vocabulary).verdict == Verdict::Weak;
            node.is_scalar() && named && text()
        });
        found.map(|(key, _)| format!("{}{}", leaf.holder_path, dotted(key)))
    }

    /// A reference to the one item of a list.
    fn first_reference(&self, slot: &Slot, leaf: &Leaf<'_>, entity: &str, items: &Node) -> Option<(u32, Found)> {
        let name = self.name(&slot.names, leaf, false);
        let (key, node) = self.id_key(items)?;
        if name == 0 {
            return None;
        }
        let mut fit = fit::fit(&Type::Text, Like::Id, &node.values, self.vocabulary);
        fit.words = format!("the first item has an id; lists have at most {} items", leaf.node.longest);
        if leaf.node.longest > 1 {
            fit = Fit::new(Verdict::Hold, format!("{}: say which counts", fit.words));
        }
        let first = format!("{}[0]", leaf.read.expr(self.base));
        let shown = ["name", "title"].iter().find(|key| items.keys.contains_key(**key));
        let display = shown.map(|key| format!(", display: {}", quoted(&format!("{first}.{key}")))).unwrap_or_default();
        let rule = format!("{{ ref: {entity}, key: {}{display} }}", quoted(&format!("{first}{}", dotted(key))));
        let (name, mut found) = self.found(slot, leaf, name, &fit, rule);
        found.confidence = found.confidence.saturating_sub(6);
        let list = leaf.read.shown(self.path);
        found.source = format!("{list}[0]{}", dotted(key));
        found.also.push(format!("{list}[]{}", dotted(key)));
        found.also.extend(shown.map(|key| format!("{list}[].{key}")));
        Some((name, found))
    }

    fn id_key<'n>(&self, items: &'n Node) -> Option<(&'n str, &'n Node)> {
        let bare = |key: &str| self.vocabulary.id_of(&self.vocabulary.words(key)).is_some_and(<[String]>::is_empty);
        let found = items.keys.iter().find(|(key, node)| node.is_scalar() && bare(key));
        found.map(|(key, node)| (key.as_str(), node))
    }
}
