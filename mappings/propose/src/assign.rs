//! Which source fills which field: every pair is weighed by name, place and values; the best pairs are taken, one
//! source for one field; what comes too near to another pair is left to a person.

use crate::leaf::Leaf;
use crate::scene::Scene;
use crate::targets::{Make, Slot};
use crate::{MARGIN, TAKE};
use std::collections::{BTreeMap, BTreeSet};

/// Below this a pair is not worth a line, unless the name fits and the values do not.
pub(crate) const SHOW: u32 = 45;
/// A name that is less alike speaks of something else: of a colleague's e-mail address, say.
const FAR: u32 = 60;
/// A pair whose name is this near is shown even where its values are something else.
const NAMED: u32 = 92;

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

/// The rules that the leaves give for the slots, in the order of the slots.
pub(crate) fn assign(slots: &[Slot], leaves: &[Leaf<'_>], scene: &Scene<'_>) -> Vec<Found> {
    let mut pairs: Vec<(usize, Found)> = Vec::new();
    let mut misfits: BTreeMap<usize, Found> = BTreeMap::new();
    for (index, slot) in slots.iter().enumerate() {
        for leaf in leaves {
            let Some((name, found)) = scene.weigh(slot, leaf) else { continue };
            if (1..FAR).contains(&name) {
                continue;
            }
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
