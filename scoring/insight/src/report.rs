//! What a report is.

use crate::text::Text;
use hub_calc::Exact;

/// The two ends of an interval or an axis.
pub type Ends = (Exact, Exact);

/// A report.
#[derive(Clone, Debug)]
pub struct Report {
    /// Its name in addresses, such as `thresholds`.
    pub name: &'static str,
    /// Its title.
    pub title: Text,
    /// What it is about: the period, the source, how many.
    pub about: Vec<(Text, Text)>,
    /// What it says, the most important first.
    pub findings: Vec<Finding>,
    /// Its charts.
    pub charts: Vec<Chart>,
    /// Its numbers.
    pub tables: Vec<Table>,
    /// How it is calculated.
    pub method: Vec<Text>,
}

/// What kind of finding it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Something that the numbers say.
    Fact,
    /// Something to look at.
    Warning,
    /// A change that a person may approve.
    Proposal,
    /// Too little is known to say anything.
    Refused,
}

impl Kind {
    /// How it is written.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Fact => "fact",
            Self::Warning => "warning",
            Self::Proposal => "proposal",
            Self::Refused => "insufficient_sample",
        }
    }
}

/// One thing that a report says.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What kind.
    pub kind: Kind,
    /// What it says.
    pub text: Text,
    /// How many rows it rests on.
    pub n: usize,
    /// The effect: what it is called, its size, and the ends of its 95 % interval.
    pub effect: Option<(Text, Exact, Option<Ends>)>,
    /// What it does not show.
    pub not_shown: Text,
    /// What would change.
    pub proposal: Option<Proposal>,
}

/// A change that waits for approval.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// What is changed: `threshold`, `mandatory_course`.
    pub change: &'static str,
    /// Of what, such as a dimension or a course.
    pub of: String,
    /// The value now, where it is known.
    pub from: Option<String>,
    /// The value proposed.
    pub to: String,
}

/// A table: the first column names the row.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its title.
    pub title: Text,
    /// The heads of its columns.
    pub heads: Vec<Text>,
    /// Its rows, each with as many cells as there are heads.
    pub rows: Vec<Vec<Cell>>,
}

/// A cell of a table.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// A text.
    Text(Text),
    /// A text that asks to be looked at.
    Flag(Text),
    /// How many.
    Count(u64),
    /// A number with its decimal places.
    Number(Exact, u32),
    /// A share from 0 to 1.
    Share(Exact),
    /// The ends of an interval, with their decimal places.
    Interval(Ends, u32),
    /// The ends of an interval of shares.
    Shares(Exact, Exact),
    /// Too few to be shown.
    Hidden,
    /// Nothing.
    Empty,
}

impl Cell {
    /// A number, or nothing.
    #[must_use]
    pub fn number(number: Option<Exact>, places: u32) -> Self {
        number.map_or(Self::Empty, |number| Self::Number(number, places))
    }

    /// A share, or nothing.
    #[must_use]
    pub fn share(share: Option<Exact>) -> Self {
        share.map_or(Self::Empty, Self::Share)
    }

    /// An interval of shares, or nothing.
    #[must_use]
    pub fn shares(ends: Option<Ends>) -> Self {
        ends.map_or(Self::Empty, |(low, high)| Self::Shares(low, high))
    }

    /// A count of rows.
    #[must_use]
    pub fn count(count: usize) -> Self {
        Self::Count(count as u64)
    }

    /// A name.
    #[must_use]
    pub fn name(name: &str) -> Self {
        Self::Text(Text::same(name))
    }
}

/// A chart.
#[derive(Clone, Debug)]
pub struct Chart {
    /// What it shows.
    pub title: Text,
    /// What is drawn.
    pub plot: Plot,
}

/// What a chart draws. Numbers are those of the axes: shares are percentages here.
#[derive(Clone, Debug)]
pub enum Plot {
    /// Bars with intervals.
    Bars {
        /// What the axis measures, with its unit.
        axis: Text,
        /// The bars.
        bars: Vec<Bar>,
        /// The ends of the axis; where absent, they follow the numbers.
        ends: Option<Ends>,
        /// A line across.
        mark: Option<(Exact, Text)>,
    },
    /// How many of each width there are.
    Histogram {
        /// What is measured, with its unit.
        x: Text,
        /// What is counted.
        y: Text,
        /// From, to, how many.
        bins: Vec<(Exact, Exact, u64)>,
        /// A line across.
        mark: Option<(Exact, Text)>,
    },
    /// Points with a fitted line.
    Scatter {
        /// What is measured across.
        x: Text,
        /// What is measured upwards.
        y: Text,
        /// The points.
        points: Vec<(Exact, Exact)>,
        /// Intercept and slope.
        line: Option<Ends>,
    },
    /// A number over time.
    Line {
        /// What the names across are.
        x: Text,
        /// What is measured, with its unit.
        y: Text,
        /// The numbers by name.
        points: Vec<(String, Option<Exact>)>,
        /// The ends of the axis upwards.
        ends: Option<Ends>,
    },
    /// Boxes in rows and columns.
    Grid {
        /// What grows to the right.
        x: Text,
        /// What grows upwards.
        y: Text,
        /// Counts from the bottom row upwards; `None` is not shown.
        rows: Vec<Vec<Option<u64>>>,
        /// Their names.
        names: Vec<Vec<Text>>,
    },
}

/// One bar.
#[derive(Clone, Debug)]
pub struct Bar {
    /// What it is called.
    pub name: Text,
    /// How long it is.
    pub value: Exact,
    /// The value for people, with its unit.
    pub label: Text,
    /// The ends of its interval.
    pub interval: Option<Ends>,
    /// Whether it is one to look at.
    pub flagged: bool,
}
