//! Lists of e-mail addresses and telephone numbers: found by what the values look like, whatever holds them.

use super::{LIKELY, Scene};
use crate::assign::{Found, SHOW};
use crate::fit::{self, Fit, Like, Verdict};
use crate::leaf::Leaf;
use crate::observe::Node;
use crate::targets::Slot;
use crate::text::{dotted, quoted};
use crate::words::alike;
use hub_model::{EnumType, Type};

impl Scene<'_> {
    pub(super) fn contacts(&self, slot: &Slot, leaf: &Leaf<'_>, word: &'static str) -> Option<(u32, Found)> {
        let like = if word == "email" { Like::Email } else { Like::Phone };
        let shape = |node: &Node| fit::fit(&Type::Text, like, &node.values, self.vocabulary);
        let mut name = self.name(&slot.names, leaf, false);
        let mut also = Vec::new();
        let list = leaf.read.expr(self.base);
        let (fit, rule, below) = match &leaf.node.items {
            Some(items) if items.maps > 0 => {
                // The child with the right values is the address; its name may be anything harmless.
                let (key, fit) = self.address(slot, items, shape)?;
                let value = quoted(&format!("item{}", dotted(key)));
                let rule = match self.contact_type(items) {
                    Some((kind, path)) => {
                        also.push(format!("{}{path}", leaf.read.shown(self.path)));
                        format!("{{ each: {}, {word}: {{ path: {value}, type: {kind} }} }}", quoted(&list))
                    }
                    None => format!("{{ each: {}, {word}: {value} }}", quoted(&list)),
                };
                (fit, rule, format!("[]{}", dotted(key)))
            }
            Some(items) => (shape(items), format!("{{ each: {}, {word}: item }}", quoted(&list)), "[]".to_owned()),
            None if leaf.node.lists > 0 => return None,
            None => {
                let fit = shape(leaf.node);
                let rule = if word == "phone" {
                    format!("{{ each: {}, phone: item }}", quoted(&list))
                } else {
                    format!("{{ {} }}", self.source(leaf, &fit))
                };
                (fit, rule, String::new())
            }
        };
        // Addresses under a name that says nothing are worth a commented line, if the name is nobody else's.
        let alone = name == 0 && word == "email" && fit.verdict == Verdict::Strong && self.is_nearby(leaf);
        if name == 0 && !alone {
            return None;
        }
        if alone {
            name = 0;
        }
        let (_, mut found) = self.found(slot, leaf, name, &fit, rule);
        if alone {
            found.confidence = SHOW;
        }
        found.source += &below;
        found.also = also;
        Some((name, found))
    }

    /// The child of a list's items that holds the address: by its values, then by a name that says so. An id of
    /// eight digits looks like a phone number too.
    fn address<'n>(&self, slot: &Slot, items: &'n Node, shape: impl Fn(&Node) -> Fit) -> Option<(&'n str, Fit)> {
        let mut found: Vec<(bool, bool, &str, Fit)> = Vec::new();
        for (key, node) in items.keys.iter().filter(|(_, node)| node.is_scalar()) {
            let words = self.vocabulary.words(key);
            let fit = shape(node);
            let strong = fit.verdict == Verdict::Strong;
            if words.last().is_some_and(|word| word == "id") || !(strong || matches!(fit.verdict, Verdict::Partly(_))) {
                continue;
            }
            let named = words.iter().all(|word| self.vocabulary.noise.contains(word))
                || words.iter().any(|word| word == "address")
                || slot.names.iter().any(|name| alike(name, &words, &self.own, self.vocabulary) >= LIKELY);
            found.push((!named, !strong, key, fit));
        }
        found.sort_by_key(|(named, strong, key, _)| (*named, *strong, *key));
        found.into_iter().next().map(|(_, _, key, fit)| (key, fit))
    }

    fn is_nearby(&self, leaf: &Leaf<'_>) -> bool {
        leaf.parents.iter().all(|above| self.neutral(above)) && !self.foreign
    }

    /// The rule for what a number or address is for, where the items say so in known words.
    fn contact_type(&self, items: &Node) -> Option<(String, String)> {
        const TYPE: &[&str] = &["type", "kind", "label", "use", "类型"];
        let of: &'static EnumType = match hub_model::entity("person")?.field("emails")?.ty {
            Type::List(Type::Struct(of)) => match of.field("type")?.ty {
                Type::Enum(of) => of,
                _ => return None,
            },
            _ => return None,
        };
        let (key, node) = items.keys.iter().find(|(key, node)| {
            node.is_scalar() && TYPE.iter().any(|known| self.vocabulary.words(key) == self.vocabulary.words(known))
        })?;
        let fit = fit::fit(&Type::Enum(of), Like::Anything, &node.values, self.vocabulary);
        let path = quoted(&format!("item{}", dotted(key)));
        let known = matches!(fit.verdict, Verdict::Strong | Verdict::Partly(_));
        known.then(|| (format!("{{ path: {path}{} }}", fit.extra), format!("[]{}", dotted(key))))
    }
}
