//! What is stored already, as far as checks ask for it.

use crate::clean;
use std::collections::BTreeMap;

/// What is known of a name or number in a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// Nobody can tell here; the cell is taken as it is.
    Untold,
    /// It is stored, perhaps under an id that the row is to carry.
    Found(Option<String>),
    /// It is not stored. These come near; none of them is ever taken by itself.
    Unknown(Vec<String>),
}

/// What is stored already. Every question may be left unanswered.
pub trait Known {
    /// A department by code, full name or path (`公司>部门>小组`).
    fn department(&self, _text: &str) -> Match {
        Match::Untold
    }

    /// A position by code or name.
    fn position(&self, _text: &str) -> Match {
        Match::Untold
    }

    /// An employee by number, folded as by [`crate::folded`].
    fn employee(&self, _number: &str) -> Match {
        Match::Untold
    }

    /// Whether a record with this key is stored; the parts of a key are joined by a line feed, each folded.
    fn is_stored(&self, _key: &str) -> bool {
        false
    }

    /// The key under which a value of a unique field is stored.
    fn holder(&self, _field: &str, _value: &str) -> Option<String> {
        None
    }
}

/// Knows nothing of what is stored.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nothing;

impl Known for Nothing {}

/// Names, codes and paths of what is stored, each with its id.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Normal form → id, and the name as it is shown.
    entries: BTreeMap<String, (Option<String>, String)>,
}

/// Most names that are offered.
const OFFERED: usize = 3;

impl Names {
    /// No names yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a name, a code or a path of one thing.
    pub fn add(&mut self, name: &str, id: Option<&str>) {
        let normal = normal(name);
        if !normal.is_empty() {
            self.entries.entry(normal).or_insert_with(|| (id.map(str::to_owned), clean::on_one_line(name)));
        }
    }

    /// What is known of a text.
    #[must_use]
    pub fn find(&self, text: &str) -> Match {
        let wanted = normal(text);
        if let Some((id, _)) = self.entries.get(&wanted) {
            return Match::Found(id.clone());
        }
        let mut near: Vec<(usize, &str)> = Vec::new();
        for (name, (_, shown)) in &self.entries {
            if let Some(distance) = distance(&wanted, name) {
                near.push((distance, shown));
            }
        }
        near.sort();
        near.dedup();
        Match::Unknown(near.into_iter().take(OFFERED).map(|(_, name)| name.to_owned()).collect())
    }
}

/// Plain, in small letters, without blanks; all marks between the steps of a path are one.
fn normal(text: &str) -> String {
    let plain = clean::plain(text).to_lowercase();
    let step = |c: char| if matches!(c, '/' | '\\' | '›' | '»' | '→') { '>' } else { c };
    plain.chars().filter(|c| !c.is_whitespace()).map(step).collect::<String>().trim_matches('>').to_owned()
}

/// How far two names lie apart, if they are near: one holds the other, or one letter differs.
fn distance(wanted: &str, name: &str) -> Option<usize> {
    if wanted.is_empty() {
        return None;
    }
    let (a, b): (Vec<char>, Vec<char>) = (wanted.chars().collect(), name.chars().collect());
    if name.contains(wanted) || wanted.contains(name) {
        return Some(a.len().abs_diff(b.len()));
    }
    if a.len() != b.len() || a.len() < 3 {
        return None;
    }
    let different = a.iter().zip(&b).filter(|(a, b)| a != b).count();
    (different == 1).then_some(different)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_offered_and_never_taken() {
        let mut names = Names::new();
        for (name, id) in [("研发部", "1"), ("示例科技/研发部/平台组", "2"), ("财务部", "3"), ("D001", "1")]
        {
            names.add(name, Some(id));
        }
        let found = |id: &str| Match::Found(Some(id.to_owned()));
        assert_eq!(names.find(" 研发部　"), found("1"));
        assert_eq!(names.find("ｄ００１"), found("1"));
        assert_eq!(names.find("示例科技 > 研发部 > 平台组"), found("2"));
        assert_eq!(names.find("研发"), Match::Unknown(vec!["研发部".into(), "示例科技/研发部/平台组".into()]));
        assert_eq!(names.find("财物部"), Match::Unknown(vec!["财务部".into()]));
        assert_eq!(names.find("市场部"), Match::Unknown(Vec::new()));
    }
}
