//! Money and scores: a number, and what must stand beside it to mean something.

use super::Scene;
use crate::assign::Found;
use crate::fit::{self, Fit, Like, Verdict};
use crate::leaf::Leaf;
use crate::observe::Node;
use crate::targets::Slot;
use crate::text::{dotted, literal, quoted};
use hub_model::Type;

impl Scene<'_> {
    pub(super) fn money(&self, slot: &Slot, leaf: &Leaf<'_>) -> Option<(u32, Found)> {
        const MINOR: &[&str] = &["cent", "fen", "minor", "分"];
        if !leaf.node.is_scalar() || !leaf.read.is_path() {
            return None;
        }
        let minor = leaf.name.iter().any(|word| MINOR.contains(&word.as_str()));
        let words = leaf.name.iter().filter(|word| !MINOR.contains(&word.as_str())).cloned().collect();
        let plain = leaf.clone().renamed(words);
        let name = self.name(&slot.names, &plain, false);
        if name == 0 || leaf.name.iter().any(|word| word == "currency") {
            return None;
        }
        let mut fit = fit::fit(&Type::Decimal, Like::Anything, &leaf.node.values, self.vocabulary);
        let is_code = |node: &Node| {
            fit::fit(&Type::Currency, Like::Anything, &node.values, self.vocabulary).verdict == Verdict::Strong
        };
        let currency = self.beside(leaf, &["currency", "币种", "货币", "bizhong"], is_code);
        let code = match currency {
            Some((key, _)) => {
                fit.words += &format!(", with a currency in {}", literal(key));
                quoted(&format!("{}{}{}", self.base, leaf.holder_path, dotted(key)))
            }
            None => {
                if matches!(fit.verdict, Verdict::Strong | Verdict::Partly(_)) {
                    fit = Fit::new(Verdict::Hold, format!("{}; no currency stands beside it: name it", fit.words));
                }
                "XXX".to_owned()
            }
        };
        let minor = if minor { ", minor_units: true" } else { "" };
        let amount = quoted(&leaf.read.expr(self.base));
        let rule = format!("{{ money: {{ amount: {amount}, currency: {code}{minor} }} }}");
        let (name, mut found) = self.found(slot, leaf, name, &fit, rule);
        found.also.extend(currency.map(|(key, _)| format!("{}{}{}", self.path, leaf.holder_path, dotted(key))));
        Some((name, found))
    }

    pub(super) fn score(&self, slot: &Slot, leaf: &Leaf<'_>) -> Option<(u32, Found)> {
        if !leaf.node.is_scalar() || !leaf.read.is_path() {
            return None;
        }
        let name = self.name(&slot.names, leaf, false);
        if name == 0 {
            return None;
        }
        let mut fit = fit::fit(&Type::Decimal, Like::Anything, &leaf.node.values, self.vocabulary);
        let numeric = |node: &Node| node.values.iter().all(|value| fit::number(value).is_some());
        let bound = |words| {
            let (key, _) = self.beside(leaf, words, numeric)?;
            Some(format!("{}{}", leaf.holder_path, dotted(key)))
        };
        let bounds = bound(&["min", "minimum", "lowest"]).zip(bound(&["max", "maximum", "highest"]));
        let (min, max) = match &bounds {
            Some((min, max)) => (quoted(&format!("{}{min}", self.base)), quoted(&format!("{}{max}", self.base))),
            None => ("0".to_owned(), "100".to_owned()),
        };
        if bounds.is_none() && fit.verdict != Verdict::Not {
            fit =
                Fit::new(Verdict::Hold, format!("{}; the scale is not in the samples: fill in min and max", fit.words));
        }
        let rule = format!("{{ score: {{ path: {}, min: {min}, max: {max} }} }}", quoted(&leaf.read.expr(self.base)));
        let (name, mut found) = self.found(slot, leaf, name, &fit, rule);
        found
            .also
            .extend(bounds.into_iter().flat_map(|(min, max)| [min, max]).map(|path| format!("{}{path}", self.path)));
        Some((name, found))
    }

    /// The neighbour of a leaf whose name has the word.
    fn beside<'t>(&self, leaf: &Leaf<'t>, words: &[&str], fits: impl Fn(&Node) -> bool) -> Option<(&'t str, &'t Node)> {
        let mut found: Vec<(usize, &str, &Node)> = Vec::new();
        for (key, node) in &leaf.holder.keys {
            let name = self.vocabulary.words(key);
            let has = words.iter().any(|word| name.iter().any(|part| part == word));
            if has && node.is_scalar() && !node.values.is_empty() && fits(node) {
                let shared = name.iter().filter(|part| leaf.name.contains(part)).count();
                found.push((usize::MAX - shared, key, node));
            }
        }
        found.sort_by_key(|(shared, key, _)| (*shared, *key));
        match found.as_slice() {
            [(one, ..), (other, ..), ..] if one == other => None,
            [(_, key, node), ..] => Some((key, node)),
            [] => None,
        }
    }
}
