//! Counting the people of an audit in one pass.

use super::Cells;
use crate::impact::Group;
use crate::median::Middle;
use hub_calc::Exact;
use hub_tree::Decimal;
use std::collections::BTreeMap;

/// One person assessed by the tool.
#[derive(Clone, Copy, Debug, Default)]
pub struct Row<'a> {
    /// As the person said; see [`known`] for what counts as not said.
    pub sex: Option<&'a str>,
    /// As the person said.
    pub race: Option<&'a str>,
    /// Whether the person was selected, where the tool selects.
    pub selected: Option<bool>,
    /// The person's score, where the tool gives one.
    pub score: Option<Decimal>,
}

/// Ways to say that a category was not told.
const NOT_TOLD: &[&str] = &[
    "unknown",
    "undisclosed",
    "not disclosed",
    "not specified",
    "prefer not to say",
    "decline to state",
    "declined to state",
    "n/a",
    "未知",
    "未披露",
    "未填写",
    "不愿透露",
];

/// The category that a person told; nothing for blanks and for the usual words for "not told".
#[must_use]
pub fn known(category: Option<&str>) -> Option<&str> {
    let category = category?.trim();
    let told = !category.is_empty() && !NOT_TOLD.iter().any(|word| category.eq_ignore_ascii_case(word));
    told.then_some(category)
}

/// How many people there are, and how many of them are in no ratio of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Headcount {
    /// All of them.
    pub assessed: u64,
    /// Whose sex is not known.
    pub unknown_sex: u64,
    /// Whose race or ethnicity is not known.
    pub unknown_race: u64,
    /// Of whom at least one of the two is not known.
    pub unknown_intersection: u64,
}

impl Headcount {
    /// Counts people of one sex and race or ethnicity.
    pub fn add(&mut self, sex: Option<&str>, race: Option<&str>, people: u64) {
        let unknown = |is: bool| if is { people } else { 0 };
        self.assessed += people;
        self.unknown_sex += unknown(sex.is_none());
        self.unknown_race += unknown(race.is_none());
        self.unknown_intersection += unknown(sex.is_none() || race.is_none());
    }

    /// Those in the table by sex.
    #[must_use]
    pub const fn in_sex(&self) -> u64 {
        self.assessed.saturating_sub(self.unknown_sex)
    }

    /// Those in the table by race/ethnicity.
    #[must_use]
    pub const fn in_race(&self) -> u64 {
        self.assessed.saturating_sub(self.unknown_race)
    }

    /// Those in the table by both.
    #[must_use]
    pub const fn in_intersection(&self) -> u64 {
        self.assessed.saturating_sub(self.unknown_intersection)
    }
}

/// What is known of the people with one sex and race or ethnicity.
#[derive(Default)]
struct Cell {
    people: u64,
    selection: Group,
}

/// All that is kept of the rows: a few counts for each combination, and one score for each person.
#[derive(Default)]
pub(super) struct Tally<'a> {
    numbers: BTreeMap<(Option<&'a str>, Option<&'a str>), usize>,
    cells: Vec<Cell>,
    scores: Vec<(Decimal, usize)>,
}

impl<'a> Tally<'a> {
    pub(super) fn add(&mut self, row: &Row<'a>) {
        let key = (known(row.sex), known(row.race));
        let number = *self.numbers.entry(key).or_insert_with(|| {
            self.cells.push(Cell::default());
            self.cells.len() - 1
        });
        if let Some(cell) = self.cells.get_mut(number) {
            cell.people += 1;
            if let Some(selected) = row.selected {
                cell.selection.assessed += 1;
                cell.selection.favoured += u64::from(selected);
            }
        }
        if let Some(score) = row.score {
            self.scores.push((score, number));
        }
    }

    pub(super) fn people(&self) -> Headcount {
        let mut count = Headcount::default();
        for ((sex, race), number) in &self.numbers {
            count.add(*sex, *race, self.cells.get(*number).map_or(0, |cell| cell.people));
        }
        count
    }

    /// Those of whom it is known whether they were selected.
    pub(super) fn selected(&self) -> Cells<'a> {
        let group = |number: &usize| self.cells.get(*number).map(|cell| cell.selection).unwrap_or_default();
        let cells = self.numbers.iter().map(|(key, number)| (*key, group(number)));
        cells.filter(|(_, group)| group.assessed > 0).collect()
    }

    /// The median of all scores, and who is above it; `None` without any score.
    pub(super) fn above_median(&self) -> Option<(Exact, Cells<'a>)> {
        let mut scores: Vec<Decimal> = self.scores.iter().map(|(score, _)| *score).collect();
        let middle = Middle::of(&mut scores)?;
        let mut groups = vec![Group::default(); self.cells.len()];
        for (score, number) in &self.scores {
            if let Some(group) = groups.get_mut(*number) {
                group.assessed += 1;
                group.favoured += u64::from(middle.is_under(score));
            }
        }
        let group = |number: &usize| groups.get(*number).copied().unwrap_or_default();
        let cells = self.numbers.iter().map(|(key, number)| (*key, group(number)));
        Some((middle.median(), cells.filter(|(_, group)| group.assessed > 0).collect()))
    }
}
