//! One source weighed against one field: by how alike the names are, where the source stands and what its values are.

mod amounts;
mod contacts;
mod refs;

use crate::TAKE;
use crate::assign::{Found, assign};
use crate::fit::{self, Fit, Like, Verdict};
use crate::leaf::Leaf;
use crate::synonyms::Vocabulary;
use crate::targets::{self, Make, Slot};
use crate::text::{dotted, literal, quoted};
use crate::words::{Words, alike};
use hub_model::Type;
use std::collections::BTreeSet;

/// A name that is less alike has words that the field's names do not have.
const LIKELY: u32 = 80;

/// What is weighed against what.
pub(crate) struct Scene<'s> {
    pub(crate) vocabulary: &'s Vocabulary,
    /// Words that name the entity itself.
    pub(crate) own: BTreeSet<String>,
    /// The object is called like another entity, so its plain names speak of that one.
    pub(crate) foreign: bool,
    /// How rules name the object.
    pub(crate) base: &'s str,
    /// The whole path of the object.
    pub(crate) path: &'s str,
    /// How many samples there are.
    pub(crate) samples: usize,
}

/// The words that name an entity, for [`Scene::own`].
pub(crate) fn own_words(entity: &str, vocabulary: &Vocabulary) -> BTreeSet<String> {
    let phrases = vocabulary.entity(entity).into_iter();
    phrases.filter_map(|phrase| <[String; 1]>::try_from(phrase).ok()).map(|[word]| word).collect()
}

/// The confidence in a pair whose names are `name` alike.
fn confidence(name: u32, verdict: &Verdict, values: usize) -> u32 {
    let points = match verdict {
        Verdict::Strong => name * 70 / 100 + 30,
        Verdict::Weak => name * 90 / 100 + 4,
        Verdict::Partly(percent) => (name * 70 / 100 + percent * 30 / 100).saturating_sub(10),
        Verdict::Hold => (name * 60 / 100 + 8).min(TAKE - 1),
        Verdict::Unseen => name / 2,
        Verdict::Not => name / 3,
    };
    // One value shows little.
    if values == 1 { points.saturating_sub(3) } else { points.min(100) }
}

impl Scene<'_> {
    /// Weighs one source against one field: how alike the names are, and the rule.
    pub(crate) fn weigh(&self, slot: &Slot, leaf: &Leaf<'_>) -> Option<(u32, Found)> {
        match slot.make {
            Make::Plain | Make::Url | Make::NamePart => self.plain(slot, leaf),
            Make::Contacts(word) => self.contacts(slot, leaf, word),
            Make::Ref(entity) => self.reference(slot, leaf, entity),
            Make::Money => self.money(slot, leaf),
            Make::Score => self.score(slot, leaf),
            Make::List(item) => self.list(slot, leaf, item),
            Make::Objects(of) => self.objects(slot, leaf, of),
            Make::Refs(entity) => self.references(slot, leaf, entity),
        }
    }

    /// How alike the names are, with as many names from above as help. Names above that are passed over and say more
    /// than that something is wrapped speak of something else.
    fn name(&self, names: &[Words], leaf: &Leaf<'_>, strip_id: bool) -> u32 {
        let mut best = 0;
        for (count, whole) in leaf.variants.iter().enumerate() {
            let words = if strip_id {
                match self.vocabulary.id_of(whole) {
                    Some(rest) if !rest.is_empty() => rest,
                    _ => continue,
                }
            } else {
                whole
            };
            let found = names.iter().map(|name| alike(name, words, &self.own, self.vocabulary)).max().unwrap_or(0);
            if found <= best {
                continue;
            }
            let passed = leaf.parents.len() - count;
            let others = leaf.parents.iter().take(passed).filter(|above| !self.neutral(above)).count();
            // What stands in a thing of its own is not a value of this record; its id may be a reference.
            let used = leaf.parents.iter().skip(passed);
            let apart = !strip_id && used.clone().any(|above| self.vocabulary.apart.contains(above));
            let foreign =
                self.foreign && !leaf.parents.iter().flatten().chain(&leaf.name).any(|word| self.own.contains(word));
            let cost = 40 * others + count + if apart { 60 } else { 0 } + if foreign { 30 } else { 0 };
            best = best.max(found.saturating_sub(u32::try_from(cost).unwrap_or(u32::MAX)));
        }
        best
    }

    fn neutral(&self, words: &[String]) -> bool {
        self.vocabulary.wraps(words) || words.iter().all(|word| self.own.contains(word))
    }

    fn found(&self, slot: &Slot, leaf: &Leaf<'_>, name: u32, fit: &Fit, rule: String) -> (u32, Found) {
        let node = leaf.node;
        let mut points = confidence(name, &fit.verdict, node.scalars.max(node.lists));
        let mut reason = if name > 0 {
            format!("name {} and {}", literal(&leaf.label()), fit.words)
        } else {
            format!("{}, but the name {} says nothing of it", fit.words, literal(&leaf.label()))
        };
        if (1..LIKELY).contains(&name) {
            points = points.min(60);
            reason += "; other words in the name may speak of something else";
        }
        if node.disagrees() {
            points = points.min(TAKE - 1);
            reason = format!(
                "the samples disagree: an object in {}, a list in {}, a single value in {}; {reason}",
                node.maps, node.lists, node.scalars
            );
        }
        if (1..self.samples).contains(&node.samples) {
            reason += &format!("; in {} of {} samples", node.samples, self.samples);
        }
        let found = Found {
            target: slot.target.clone(),
            make: slot.make,
            source: leaf.read.shown(self.path),
            confidence: points,
            reason,
            rule,
            taken: false,
            also: Vec::new(),
            items: None,
        };
        (name, found)
    }

    /// `path: …` or `expr: …` of a leaf, with what the fit adds.
    fn source(&self, leaf: &Leaf<'_>, fit: &Fit) -> String {
        let expr = leaf.read.expr(self.base);
        let what = if leaf.read.is_path() { "path" } else { "expr" };
        format!("{what}: {}{}", quoted(&expr), fit.extra)
    }

    fn plain(&self, slot: &Slot, leaf: &Leaf<'_>) -> Option<(u32, Found)> {
        if !leaf.node.is_scalar() && leaf.node.scalars == 0 {
            return None;
        }
        let name = self.name(&slot.names, leaf, false);
        if name == 0 {
            return None;
        }
        let last = slot.target.rsplit('.').next().unwrap_or_default();
        let like = match slot.make {
            Make::NamePart => Like::Name,
            Make::Url => Like::Url,
            _ if last == "url" || last.ends_with("_url") => Like::Url,
            _ if last == "id" || last.ends_with("_id") => Like::Id,
            _ => Like::Anything,
        };
        let fit = fit::fit(slot.ty, like, &leaf.node.values, self.vocabulary);
        let rule = match slot.make {
            Make::Url | Make::NamePart => quoted(&leaf.read.expr(self.base)),
            _ => format!("{{ {} }}", self.source(leaf, &fit)),
        };
        Some(self.found(slot, leaf, name, &fit, rule))
    }

    fn list(&self, slot: &Slot, leaf: &Leaf<'_>, item: &'static Type) -> Option<(u32, Found)> {
        let name = self.name(&slot.names, leaf, false);
        if name == 0 {
            return None;
        }
        let like = if slot.target.ends_with("_links") { Like::Url } else { Like::Anything };
        let expr = leaf.read.expr(self.base);
        let (fit, rule, below) = match &leaf.node.items {
            Some(items) if items.maps > 0 => {
                let child = items.keys.iter().find(|(key, node)| {
                    node.is_scalar() && ["name", "value", "label", "title", "名称"].contains(&key.as_str())
                });
                let (key, node) = child?;
                let fit = fit::fit(item, like, &node.values, self.vocabulary);
                let rule = format!("{{ each: {}, path: {} }}", quoted(&expr), quoted(&format!("item{}", dotted(key))));
                (fit, rule, format!("[]{}", dotted(key)))
            }
            Some(items) => {
                let fit = fit::fit(item, like, &items.values, self.vocabulary);
                let rule = format!("{{ {} }}", self.source(leaf, &fit));
                (fit, rule, "[]".to_owned())
            }
            None if leaf.node.lists > 0 => return None,
            None => {
                let mut fit = fit::fit(item, like, &leaf.node.values, self.vocabulary);
                let has = |sign: char| leaf.node.values.iter().any(|value| value.text.contains(sign));
                if let (true, Some(sign)) =
                    (*item == Type::Text, [',', ';', '|', '，', '、', '；'].into_iter().find(|s| has(*s)))
                {
                    fit.extra += &format!(", split: '{sign}'");
                }
                let rule = format!("{{ {} }}", self.source(leaf, &fit));
                (fit, rule, String::new())
            }
        };
        let (name, mut found) = self.found(slot, leaf, name, &fit, rule);
        found.source += &below;
        Some((name, found))
    }

    fn objects(&self, slot: &Slot, leaf: &Leaf<'_>, of: &'static hub_model::StructType) -> Option<(u32, Found)> {
        let items = leaf.node.items.as_deref().filter(|items| items.maps > 0)?;
        let name = self.name(&slot.names, leaf, false);
        if name == 0 || !leaf.read.is_path() {
            return None;
        }
        let path = format!("{}[]", leaf.read.shown(self.path));
        let inner = Scene {
            vocabulary: self.vocabulary,
            own: BTreeSet::new(),
            foreign: false,
            base: "item",
            path: &path,
            samples: leaf.node.samples,
        };
        let leaves = crate::leaf::below(items, &path, &BTreeSet::new(), self.vocabulary);
        let rules = assign(&targets::of_struct(of, self.vocabulary), &leaves, &inner);
        if rules.is_empty() {
            return None;
        }
        let taken = rules.iter().filter(|rule| rule.taken).count();
        let words = format!("{taken} of {} fields of its objects are found", of.fields.len());
        let verdict = if taken == 0 { Verdict::Hold } else { Verdict::Weak };
        let list = leaf.read.expr(self.base);
        let (name, mut found) = self.found(slot, leaf, name, &Fit::new(verdict, words), quoted(&list));
        found.source = path;
        found.items = Some((list, rules));
        Some((name, found))
    }
}
