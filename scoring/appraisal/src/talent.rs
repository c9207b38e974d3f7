//! Talent: what a portrait says of a person, the nine boxes, and what skills are missing.

use hub_calc::Exact;
use std::collections::BTreeMap;

/// Words for how well somebody has a skill, from low to high; words of one row say the same.
const LEVELS: [&[&str]; 6] = [
    &["无", "不会", "none"],
    &["入门", "了解", "一般", "初级", "beginner", "basic", "novice"],
    &["熟悉", "掌握", "中级", "intermediate", "familiar"],
    &["熟练", "proficient"],
    &["精通", "高级", "advanced"],
    &["专家", "expert"],
];

/// From this level on a portrait says that somebody is good at a skill: 熟练.
pub const GOOD_AT: usize = 3;

/// How well, from 0; `None` for a word that is not known.
#[must_use]
pub fn level(word: &str) -> Option<usize> {
    let word = word.trim().to_lowercase();
    LEVELS.iter().position(|words| words.contains(&word.as_str()))
}

/// All words for levels, from low to high.
#[must_use]
pub fn levels() -> String {
    LEVELS.concat().join(", ")
}

/// The band of a score, 0 to 2: how many of the two cuts it reaches.
#[must_use]
pub fn band(score: &Exact, cuts: [&Exact; 2]) -> usize {
    cuts.iter().filter(|cut| score >= **cut).count()
}

/// People of a role by how well they have a skill.
#[derive(Default)]
pub struct Skilled<'p> {
    people: BTreeMap<(&'p str, &'p str), Vec<(usize, &'p str)>>,
}

/// How a role stands with a skill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stand<'p> {
    /// How many are at the level or above.
    pub available: usize,
    /// How many are missing to the number required; never below zero.
    pub gap: usize,
    /// Who is one level below: candidates for training.
    pub near: Vec<&'p str>,
}

impl<'p> Skilled<'p> {
    /// Adds a skill of a person.
    pub fn add(&mut self, role: &'p str, skill: &'p str, level: usize, id: &'p str) {
        self.people.entry((role, skill)).or_default().push((level, id));
    }

    /// How a role stands with a skill of which `required` people at `level` are wanted.
    #[must_use]
    pub fn stand(&self, role: &'p str, skill: &'p str, level: usize, required: usize) -> Stand<'p> {
        let people = self.people.get(&(role, skill)).map(Vec::as_slice).unwrap_or_default();
        let available = people.iter().filter(|(of_person, _)| *of_person >= level).count();
        let near = people.iter().filter(|(of_person, _)| of_person.checked_add(1) == Some(level));
        Stand { available, gap: required.saturating_sub(available), near: near.map(|(_, id)| *id).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::testing::d;

    #[test]
    fn bands_begin_on_their_cuts() {
        let (low, high) = (d("70"), d("85"));
        for (score, wanted) in [("69.999", 0), ("70", 1), ("84.999", 1), ("85", 2), ("120", 2), ("-5", 0)] {
            assert_eq!(band(&d(score), [&low, &high]), wanted, "{score}");
        }
    }

    #[test]
    fn levels_are_ordered_words() {
        assert!(level("熟练") == Some(GOOD_AT) && level(" Expert ") > Some(GOOD_AT) && level("熟悉") < Some(GOOD_AT));
        assert_eq!(level("很好"), None);
    }

    #[test]
    fn those_one_level_below_are_near() {
        let mut skilled = Skilled::default();
        for (id, level) in [("a", 4), ("b", 3), ("c", 2), ("d", 1), ("e", 2)] {
            skilled.add("研发", "Python", level, id);
        }
        skilled.add("产品", "Python", 5, "f");
        assert_eq!(skilled.stand("研发", "Python", 3, 4), Stand { available: 2, gap: 2, near: vec!["c", "e"] });
        assert_eq!(skilled.stand("研发", "Python", 3, 1).gap, 0);
        assert_eq!(skilled.stand("研发", "Go", 3, 1), Stand { available: 0, gap: 1, near: vec![] });
    }
}
