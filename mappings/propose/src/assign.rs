//! Which source fills which field: every pair is weighed by name, place and values; the best pairs are taken, one
//! source for one field; what comes too near to another pair is left to a person.

use crate::fit::{self, Fit, Like, Verdict};
use crate::leaf::Leaf;
use crate::observe::Node;
use crate::synonyms::Vocabulary;
use crate::targets::{self, Make, Slot};
use crate::text::{dotted, literal, quoted};
use crate::words::{Words, alike};
use crate::{MARGIN, TAKE};
use hub_model::{EnumType, Type};
use std::collections::{BTreeMap, BTreeSet};

/// Below this a pair is not worth a line, unless the name fits and the values do not.
const SHOW: u32 = 45;
/// A pair whose name is this near is shown even where its values are something else.
const NAMED: u32 = 92;

/// A name that is less alike has words that the field's names do not have.
const LIKELY: u32 = 80;

/// A proposed rule.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) target: String,
    pub(crate) make: Make,
    /// The whole path of the source.
    pub(crate) source: String,
    pub(crate) confidence: u32,
    pub(crate) reason: String,
    /// The rule in braces; for a part of a name its expression.
    pub(crate) rule: String,
    pub(crate) taken: bool,
    /// Other paths that the rule reads.
    pub(crate) also: Vec<String>,
    /// For a list of objects: the list, and the rules of its items.
    pub(crate) items: Option<(String, Vec<Found>)>,
}

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

/// The rules that the leaves give for the slots, in the order of the slots.
pub(crate) fn assign(slots: &[Slot], leaves: &[Leaf<'_>], scene: &Scene<'_>) -> Vec<Found> {
    let mut pairs: Vec<(usize, Found)> = Vec::new();
    let mut misfits: BTreeMap<usize, Found> = BTreeMap::new();
    for (index, slot) in slots.iter().enumerate() {
        for leaf in leaves {
            let Some((name, found)) = scene.weigh(slot, leaf) else { continue };
            if found.confidence >= SHOW {
                pairs.push((index, found));
            } else if name >= NAMED {
                misfits.entry(index).or_insert(found);
            }
        }
    }
    pairs.sort_by(|(a, one), (b, other)| (other.confidence, a, &one.source).cmp(&(one.confidence, b, &other.source)));
    let mut done: BTreeMap<usize, Found> = BTreeMap::new();
    let mut used: BTreeSet<&str> = BTreeSet::new();
    for (index, found) in &pairs {
        if done.contains_key(index) || used.contains(found.source.as_str()) {
            continue;
        }
        let near = |other: &Found| other.confidence + MARGIN > found.confidence;
        let source_rival = pairs.iter().find(|(other, rival)| {
            other == index && rival.source != found.source && near(rival) && !used.contains(rival.source.as_str())
        });
        let target_rival = pairs.iter().find(|(other, rival)| {
            other != index
                && rival.source == found.source
                && near(rival)
                && !done.contains_key(other)
                && !pairs.iter().any(|(third, better)| {
                    third == other && better.source != rival.source && better.confidence > rival.confidence
                })
        });
        let mut found = found.clone();
        found.taken = found.confidence >= TAKE;
        if let (true, Some((_, rival))) = (found.taken, source_rival) {
            found.doubt(&format!("`{}` fits as well", rival.source));
        } else if let (true, Some((_, rival))) = (found.taken, target_rival) {
            found.doubt(&format!("it fits `{}` as well", rival.target));
        }
        done.insert(*index, found);
        used.extend(
            pairs
                .iter()
                .filter(|(i, f)| i == index && done.get(i).is_some_and(|d| d.source == f.source))
                .map(|(_, f)| f.source.as_str()),
        );
    }
    for (index, found) in misfits {
        done.entry(index).or_insert(found);
    }
    done.into_values().collect()
}

impl Found {
    /// Leaves the rule to a person.
    pub(crate) fn doubt(&mut self, why: &str) {
        self.taken = false;
        self.confidence = self.confidence.min(TAKE - 1);
        self.reason = format!("{why}: choose; {}", self.reason);
    }
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
    fn weigh(&self, slot: &Slot, leaf: &Leaf<'_>) -> Option<(u32, Found)> {
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
        match fit.expr {
            Some(template) => format!("expr: {}{}", quoted(&template.replace('$', &expr)), fit.extra),
            None if leaf.read.is_path() => format!("path: {}{}", quoted(&expr), fit.extra),
            None => format!("expr: {}{}", quoted(&expr), fit.extra),
        }
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

    fn contacts(&self, slot: &Slot, leaf: &Leaf<'_>, word: &'static str) -> Option<(u32, Found)> {
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

    fn reference(&self, slot: &Slot, leaf: &Leaf<'_>, entity: &str) -> Option<(u32, Found)> {
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

    fn references(&self, slot: &Slot, leaf: &Leaf<'_>, entity: &str) -> Option<(u32, Found)> {
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

    fn money(&self, slot: &Slot, leaf: &Leaf<'_>) -> Option<(u32, Found)> {
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

    fn score(&self, slot: &Slot, leaf: &Leaf<'_>) -> Option<(u32, Found)> {
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
