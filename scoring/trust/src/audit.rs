//! A whole bias audit from rows, and its public page.
//!
//! Source: New York City Local Law 144 (6 RCNY 5-301 to 5-303): selection and scoring rates with impact ratios by sex, by
//! race/ethnicity and by both together; people of unknown category are counted and are in no ratio; small categories
//! may be left out of the ratios with a reason. Four fifths and significance stand beside them (29 CFR 1607.4(D)); the
//! law itself sets no pass mark. Who the auditor is and whether independent is for people to see to.

mod count;
mod page;
mod words;

pub use count::{Headcount, Row, known};
pub use page::page;
pub use words::Language;

use crate::impact::{Group, Standing, impact};
use crate::significance::{self, fisher, is_small, p_of_z, z};
use count::Tally;
use hub_calc::Exact;
use hub_tree::jiff::civil::Date;
use std::collections::BTreeMap;

/// What the public summary says of the audit itself.
#[derive(Clone, Debug)]
pub struct About {
    /// The tool's name.
    pub tool: String,
    /// The version that was audited.
    pub version: String,
    /// When the audit was made.
    pub audited: Date,
    /// Who made it: an independent person or body.
    pub auditor: String,
    /// Where the data came from, and why test data was used if it was.
    pub data_source: String,
    /// The first and the last day of the data.
    pub period: (Date, Date),
    /// When the tool was first used, if it has been.
    pub first_used: Option<Date>,
}

/// Which small categories are left out of the ratios, and why.
#[derive(Clone, Debug)]
pub struct Exclusion {
    /// Categories with a smaller share of all people assessed.
    pub below: Exact,
    /// The auditor's reason.
    pub reason: String,
}

impl Exclusion {
    /// The largest share that the rule lets an auditor leave out: under 2 %.
    #[must_use]
    pub fn two_percent(reason: &str) -> Self {
        let below = Exact::from(2).over(&Exact::hundred()).unwrap_or_else(Exact::zero);
        Self { below, reason: reason.to_owned() }
    }
}

/// A bias audit.
#[derive(Clone, Debug)]
pub struct Audit {
    /// What it is about.
    pub about: About,
    /// What was left out of the ratios, if anything could be.
    pub exclusion: Option<Exclusion>,
    /// All people of the data.
    pub people: Headcount,
    /// Selection rates, where rows say who was selected.
    pub selection: Option<Measure>,
    /// The median and the scoring rates, where rows have scores.
    pub scoring: Option<(Exact, Measure)>,
}

/// Rates of one kind in the three tables that the law asks for.
#[derive(Clone, Debug)]
pub struct Measure {
    /// The people who have an outcome of this kind.
    pub people: Headcount,
    /// By sex.
    pub sex: Table,
    /// By race/ethnicity.
    pub race: Table,
    /// By every combination of both that is in the data.
    pub intersection: Table,
}

/// The categories of one table, in the order of their names.
#[derive(Clone, Debug)]
pub struct Table {
    /// Their counts, rates and ratios.
    pub categories: Vec<Category>,
    /// The people of unknown category, who are in no ratio.
    pub unknown: Group,
    /// Which category has the highest rate of those compared.
    pub benchmark: Option<usize>,
}

/// One category of a table.
#[derive(Clone, Debug)]
pub struct Category {
    /// The sex, except in the table by race/ethnicity.
    pub sex: Option<String>,
    /// The race or ethnicity, except in the table by sex.
    pub race: Option<String>,
    /// Its people.
    pub group: Group,
    /// Its impact ratio, or why it has none.
    pub standing: Standing,
    /// Whether its distance from the benchmark may be chance; not for the benchmark itself.
    pub chance: Option<Chance>,
}

/// What a test of significance says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chance {
    /// Which test: Fisher's for fewer than 30 people together, else z.
    pub test: Test,
    /// How likely a distance at least this large is by chance alone, 0 to 1.
    pub p: f64,
}

/// A test of significance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    /// Fisher's exact test.
    Fisher,
    /// The z of two proportions.
    Z,
}

impl Chance {
    /// Tests a category against the benchmark; `None` where the test is not defined.
    #[must_use]
    pub fn of(group: &Group, benchmark: &Group) -> Option<Self> {
        if is_small(group, benchmark) {
            return fisher(group, benchmark).map(|p| Self { test: Test::Fisher, p });
        }
        z(group, benchmark).map(|z| Self { test: Test::Z, p: p_of_z(z) })
    }

    /// Whether it is taken as more than chance: p under 0.05.
    #[must_use]
    pub fn is_significant(&self) -> bool {
        self.p < significance::LEVEL
    }
}

/// Makes the audit. Each row is looked at once; what is kept of it is its score.
pub fn audit<'a>(rows: impl IntoIterator<Item = Row<'a>>, about: About, exclusion: Option<Exclusion>) -> Audit {
    let mut tally = Tally::default();
    for row in rows {
        tally.add(&row);
    }
    let below = exclusion.as_ref().map(|exclusion| &exclusion.below);
    let people = tally.people();
    let selection = tally.selected();
    let selection = (!selection.is_empty()).then(|| measure(&selection, below));
    let scoring = tally.above_median().map(|(median, cells)| (median, measure(&cells, below)));
    Audit { about, exclusion, people, selection, scoring }
}

/// People by sex and race/ethnicity, unknown ones included.
type Cells<'a> = BTreeMap<(Option<&'a str>, Option<&'a str>), Group>;

fn measure(cells: &Cells<'_>, below: Option<&Exact>) -> Measure {
    let mut people = Headcount::default();
    for ((sex, race), group) in cells {
        people.add(*sex, *race, group.assessed);
    }
    Measure {
        people,
        sex: table(cells, |sex, _| sex.map(|sex| (Some(sex), None)), below),
        race: table(cells, |_, race| race.map(|race| (None, Some(race))), below),
        intersection: table(cells, |sex, race| Some((Some(sex?), Some(race?))), below),
    }
}

/// The categories of one table: `of` names that of a cell, `None` when it is not known.
fn table<'a>(
    cells: &Cells<'a>,
    of: impl Fn(Option<&'a str>, Option<&'a str>) -> Option<(Option<&'a str>, Option<&'a str>)>,
    below: Option<&Exact>,
) -> Table {
    let mut categories: Cells<'a> = BTreeMap::new();
    let mut unknown = Group::default();
    for ((sex, race), group) in cells {
        let sum = of(*sex, *race).map_or(&mut unknown, |name| categories.entry(name).or_default());
        sum.assessed += group.assessed;
        sum.favoured += group.favoured;
    }
    let mut groups: Vec<Group> = categories.values().copied().collect();
    let last = groups.len();
    groups.push(unknown);
    let found = impact(&groups, |at| at == last, below);
    let benchmark = found.benchmark.map(|(at, _)| at);
    let best = benchmark.and_then(|at| groups.get(at)).copied();
    let categories = categories.into_iter().zip(found.standings).enumerate();
    let categories = categories.map(|(at, (((sex, race), group), standing))| {
        let tested = benchmark != Some(at) && standing.ratio().is_some();
        let chance = best.filter(|_| tested).and_then(|best| Chance::of(&group, &best));
        Category { sex: sex.map(str::to_owned), race: race.map(str::to_owned), group, standing, chance }
    });
    Table { categories: categories.collect(), unknown, benchmark }
}

#[cfg(test)]
mod tests;
