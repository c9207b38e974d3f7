//! The sources below one object of the samples, each with its name, the names above it and how it is read.

use crate::observe::Node;
use crate::synonyms::Vocabulary;
use crate::text::{dotted, literal};
use crate::words::Words;
use std::collections::BTreeSet;

/// How a source is read from its object.
#[derive(Clone, Debug)]
pub(crate) enum Read {
    /// `.candidate.email`.
    Path(String),
    /// The value of the item that has a name, in a list of named values.
    Named { list: String, name_key: String, name: String, value_key: String },
}

impl Read {
    /// The expression, where the object is `base`.
    pub(crate) fn expr(&self, base: &str) -> String {
        match self {
            Self::Path(path) => format!("{base}{path}"),
            Self::Named { list, name_key, name, value_key } => {
                let (key, value) = (dotted(name_key), dotted(value_key));
                format!("first(where({base}{list}, item{key} == {})){value}", literal(name))
            }
        }
    }

    /// The same as a person points at it.
    pub(crate) fn shown(&self, base: &str) -> String {
        match self {
            Self::Path(path) => format!("{base}{path}"),
            Self::Named { list, name, value_key, .. } => format!("{base}{list}[{name}]{}", dotted(value_key)),
        }
    }

    /// Whether a rule's `path` can say it.
    pub(crate) const fn is_path(&self) -> bool {
        matches!(self, Self::Path(_))
    }
}

/// A source.
#[derive(Clone, Debug)]
pub(crate) struct Leaf<'t> {
    pub(crate) node: &'t Node,
    pub(crate) read: Read,
    pub(crate) name: Words,
    /// The name alone, and with one and two names from above, as far as there are so many.
    pub(crate) variants: Vec<Words>,
    /// The names between the object and the source.
    pub(crate) parents: Vec<Words>,
    /// The object that it stands in.
    pub(crate) holder: &'t Node,
    /// The path of that object.
    pub(crate) holder_path: String,
}

impl Leaf<'_> {
    /// The same source under another name.
    pub(crate) fn renamed(mut self, name: Words) -> Self {
        self.variants = variants(&name, &self.parents);
        self.name = name;
        self
    }

    /// The key path below the object, as the comments name it.
    pub(crate) fn label(&self) -> String {
        self.read.shown("").trim_start_matches('.').to_owned()
    }
}

fn variants(name: &Words, parents: &[Words]) -> Vec<Words> {
    let with = |count: usize| {
        parents.iter().skip(parents.len().saturating_sub(count)).flatten().chain(name).cloned().collect()
    };
    (0..=parents.len().min(2)).map(with).collect()
}

/// All sources below `node`; `without` are paths of objects that are records of their own.
pub(crate) fn below<'t>(
    node: &'t Node,
    base: &str,
    without: &BTreeSet<String>,
    vocabulary: &Vocabulary,
) -> Vec<Leaf<'t>> {
    let mut leaves = Vec::new();
    gather(node, base, "", &[], without, vocabulary, &mut leaves);
    leaves
}

fn gather<'t>(
    holder: &'t Node,
    base: &str,
    path: &str,
    parents: &[Words],
    without: &BTreeSet<String>,
    vocabulary: &Vocabulary,
    leaves: &mut Vec<Leaf<'t>>,
) {
    for (key, node) in &holder.keys {
        let here = format!("{path}{}", dotted(key));
        if without.contains(&format!("{base}{here}")) || without.contains(&format!("{base}{here}[]")) {
            continue;
        }
        let name = vocabulary.words(key);
        let leaf = |node, read, name: Words, parents: &[Words]| Leaf {
            node,
            read,
            variants: variants(&name, parents),
            name,
            parents: parents.to_vec(),
            holder,
            holder_path: path.to_owned(),
        };
        if node.maps == 0 || node.lists > 0 {
            leaves.push(leaf(node, Read::Path(here.clone()), name.clone(), parents));
        }
        if let Some((name_key, value_key)) = &node.pair {
            for (text, named) in &node.named {
                let (list, name_key, name, value_key) =
                    (here.clone(), name_key.clone(), text.clone(), value_key.clone());
                let words = vocabulary.words(text);
                leaves.push(leaf(named, Read::Named { list, name_key, name, value_key }, words, parents));
            }
        }
        if node.maps > 0 && node.lists == 0 {
            let mut above = parents.to_vec();
            above.push(name);
            gather(node, base, &here, &above, without, vocabulary, leaves);
        }
    }
}
