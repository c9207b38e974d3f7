//! Where the records lie: for each entity the object of the samples that is it, and the key of that object.

use crate::leaf::{Leaf, below};
use crate::observe::{Kind, Node, Observed};
use crate::synonyms::Vocabulary;
use crate::text::{dotted, literal};
use crate::words::Words;
use hub_model::EntityType;
use std::collections::BTreeSet;

/// Deepest object that can be a record.
const DEEPEST: usize = 6;
/// The confidence in an id that is called after the same human in another role.
pub(crate) const ALSO: u32 = 85;
/// An envelope has at most this many values beside what it wraps.
const ENVELOPE: usize = 4;

/// An object that is a record.
#[derive(Clone, Debug)]
pub(crate) struct Anchor<'t> {
    pub(crate) node: &'t Node,
    /// Its path, with `[]` where it is an item.
    pub(crate) path: String,
    /// The list that it is an item of.
    pub(crate) list: Option<String>,
    /// Its path below the item.
    pub(crate) inner: String,
    /// Whether it is called like its entity.
    pub(crate) named: bool,
}

impl<'t> Anchor<'t> {
    fn root(node: &'t Node) -> Self {
        Self { node, path: "payload".to_owned(), list: None, inner: String::new(), named: false }
    }

    fn key(&self, key: &str, node: &'t Node) -> Self {
        let step = dotted(key);
        let inner = if self.list.is_some() { format!("{}{step}", self.inner) } else { String::new() };
        Self { node, path: format!("{}{step}", self.path), list: self.list.clone(), inner, named: false }
    }

    /// The items of a list; a list in a list is no place for records.
    fn items(&self, node: &'t Node) -> Option<Self> {
        let list = self.list.is_none().then(|| self.path.clone())?;
        Some(Self { node, path: format!("{}[]", self.path), list: Some(list), inner: String::new(), named: false })
    }
}

/// The objects that are called like an entity, nearest to the top first, those outside lists before items.
fn named<'t>(
    at: &Anchor<'t>,
    names: &[Words],
    depth: usize,
    vocabulary: &Vocabulary,
    found: &mut Vec<(usize, Anchor<'t>)>,
) {
    if depth > DEEPEST {
        return;
    }
    for (key, node) in &at.node.keys {
        let here = at.key(key, node);
        let matches = names.contains(&vocabulary.words(key));
        if node.maps > 0 && node.lists == 0 {
            if matches && !node.keys.is_empty() {
                found.push((depth, Anchor { named: true, ..here.clone() }));
            }
            named(&here, names, depth + 1, vocabulary, found);
        }
        if let Some(items) = node.items.as_deref().filter(|items| items.maps > 0 && node.maps == 0)
            && let Some(item) = here.items(items)
        {
            if matches {
                found.push((depth + DEEPEST, Anchor { named: true, ..item.clone() }));
            }
            named(&item, names, depth + 1 + DEEPEST, vocabulary, found);
        }
    }
}

/// The object that the samples are about, below envelopes.
fn main<'t>(root: &'t Node, vocabulary: &Vocabulary) -> Anchor<'t> {
    let mut at = Anchor::root(root);
    for _ in 0..DEEPEST {
        let node = at.node;
        if let (0, Some(items)) = (node.maps, node.items.as_deref().filter(|items| items.maps > 0)) {
            match at.items(items) {
                Some(item) => at = item,
                None => break,
            }
            continue;
        }
        let objects: Vec<_> = node.keys.iter().filter(|(_, child)| child.maps > 0 && child.lists == 0).collect();
        let lists: Vec<_> = node
            .keys
            .iter()
            .filter(|(_, child)| child.maps == 0 && child.items.as_deref().is_some_and(|items| items.maps > 0))
            .collect();
        let single = node.keys.values().filter(|child| child.is_scalar()).count();
        let wraps = |key: &str| vocabulary.wraps(&vocabulary.words(key));
        let has_id = node.keys.keys().any(|key| vocabulary.id_of(&vocabulary.words(key)).is_some());
        let wrapped = objects.iter().chain(&lists).find(|(key, _)| wraps(key));
        let only = match (objects.as_slice(), lists.as_slice()) {
            ([one], []) | ([], [one]) if !has_id => Some(one),
            _ => None,
        };
        match wrapped.or(only).filter(|_| single <= ENVELOPE && !(has_id && wrapped.is_none())) {
            Some((key, child)) => at = at.key(key, child),
            None => break,
        }
    }
    at
}

/// Where a record of the entity lies.
pub(crate) fn find<'t>(entity: &EntityType, observed: &'t Observed, vocabulary: &Vocabulary) -> Anchor<'t> {
    let mut found = Vec::new();
    named(&Anchor::root(&observed.root), &vocabulary.entity(entity.name), 0, vocabulary, &mut found);
    found.sort_by(|(a, one), (b, other)| (a, &one.path).cmp(&(b, &other.path)));
    found.into_iter().next().map_or_else(|| main(&observed.root, vocabulary), |(_, anchor)| anchor)
}

/// What identifies a record.
#[derive(Clone, Debug)]
pub(crate) struct Key<'t> {
    pub(crate) leaf: Leaf<'t>,
    pub(crate) confidence: u32,
    pub(crate) reason: String,
    /// The name says id and nothing else, so it is the id of whatever the object is.
    pub(crate) bare: bool,
}

/// The id of the entity's record at the anchor.
pub(crate) fn key<'t>(
    entity: &EntityType,
    anchor: &Anchor<'t>,
    own: &BTreeSet<String>,
    samples: usize,
    vocabulary: &Vocabulary,
) -> Option<Key<'t>> {
    let mut keys: Vec<Key<'t>> = Vec::new();
    for leaf in below(anchor.node, &anchor.path, &BTreeSet::new(), vocabulary) {
        let near = leaf.parents.iter().all(|above| vocabulary.wraps(above));
        let Some(of) = vocabulary.id_of(&leaf.name).filter(|_| near && leaf.node.is_scalar() && leaf.read.is_path())
        else {
            continue;
        };
        let bare = of.is_empty();
        let plain = leaf.name.last().is_some_and(|word| ["id", "uuid", "guid", "编号"].contains(&word.as_str()));
        let mut confidence = match (bare, plain) {
            (true, true) => 92,
            (true, false) => 70,
            (false, _) if of.iter().all(|word| own.contains(word)) => 97,
            (false, _) if vocabulary.also(entity.name).iter().any(|name| name == of) => ALSO,
            _ => continue,
        };
        let values = &leaf.node.values;
        let distinct: BTreeSet<&str> = values.iter().map(|value| value.text.as_str()).collect();
        let mut reason = format!("name {}", literal(&leaf.label()));
        if values.is_empty() {
            confidence = 50;
            reason += ", but no sample has a value";
        } else if values.iter().any(|value| value.kind == Kind::Bool || value.text.trim().is_empty()) {
            confidence = 30;
            reason += ", but not every value is an id";
        } else {
            reason += &format!("; {} different values in {samples} samples", distinct.len());
            if distinct.len() == 1 && values.len() > 2 {
                confidence = 50;
                reason += ", so it identifies something else";
            }
            if leaf.node.samples < samples && anchor.list.is_none() && leaf.node.samples < anchor.node.samples {
                confidence = confidence.min(70);
                reason += &format!("; missing in {}", samples - leaf.node.samples);
            }
        }
        keys.push(Key { leaf, confidence, reason, bare });
    }
    keys.sort_by(|one, other| {
        (other.confidence, one.leaf.parents.len(), one.leaf.label()).cmp(&(
            one.confidence,
            other.leaf.parents.len(),
            other.leaf.label(),
        ))
    });
    keys.into_iter().next()
}
