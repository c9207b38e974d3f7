//! The decision rule, once for the bus and for requests: scores against what is asked of them, and the label that follows.
//!
//! 不推荐 if a score lies below its floor; 推荐 if all that is asked for is there and reached; else 待考虑. A score that rests
//! on nothing decides nothing, neither for nor against a person.

use hub_model::entities::assessment::DecisionLabel;

/// The rule in one sentence, as explanations begin.
pub(crate) const RULE: &str = "不推荐 if a score is below its floor; 推荐 if all reach their min; else 待考虑";

/// What is asked of one score. Both bounds are on the score's own scale and inclusive.
#[derive(Clone, Debug)]
pub(crate) struct Bar<N> {
    /// From here on it counts for 推荐.
    pub(crate) min: N,
    /// Below this it is 不推荐.
    pub(crate) floor: Option<N>,
}

/// What is known of a score.
#[derive(Clone, Debug)]
pub(crate) enum Known<N> {
    /// Nothing.
    Missing,
    /// The score, and nothing that it rests on.
    Unsupported(N),
    /// The score.
    Scored(N),
}

/// Where a score stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Missing,
    Unsupported,
    BelowFloor,
    BelowMin,
    Met,
}

/// One score, what is asked of it and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Line<N> {
    pub(crate) name: String,
    pub(crate) bar: Bar<N>,
    pub(crate) score: Option<N>,
    pub(crate) standing: Standing,
}

impl<N: PartialOrd> Line<N> {
    fn of(name: String, bar: Bar<N>, known: Known<N>) -> Self {
        let (score, standing) = match known {
            Known::Missing => (None, Standing::Missing),
            Known::Unsupported(score) => (Some(score), Standing::Unsupported),
            Known::Scored(score) => {
                let standing = match &bar.floor {
                    Some(floor) if score < *floor => Standing::BelowFloor,
                    _ if score < bar.min => Standing::BelowMin,
                    _ => Standing::Met,
                };
                (Some(score), standing)
            }
        };
        Self { name, bar, score, standing }
    }

    /// The stable word for the standing.
    pub(crate) const fn code(&self) -> &'static str {
        match self.standing {
            Standing::Missing => "missing",
            Standing::Unsupported => "unsupported",
            Standing::BelowFloor => "below_floor",
            Standing::BelowMin => "below_min",
            Standing::Met => "met",
        }
    }

    /// The sentence with value and threshold; `show` writes a number so that it stays on its side of the threshold.
    pub(crate) fn text(&self, show: impl Fn(&N) -> String) -> String {
        let Self { name, bar, score, .. } = self;
        let min = show(&bar.min);
        let Some(score) = score.as_ref().map(&show) else {
            return format!("{name} has no score (≥ {min} is asked for)");
        };
        match (self.standing, &bar.floor) {
            (Standing::Unsupported, _) => format!("{name} {score} has no evidence"),
            (Standing::BelowFloor, Some(floor)) => format!("{name} {score} < {}", show(floor)),
            (Standing::Met, _) => format!("{name} {score} ≥ {min}"),
            _ => format!("{name} {score} < {min}"),
        }
    }
}

/// All scores that decide.
#[derive(Clone, Debug)]
pub(crate) struct Verdict<N> {
    pub(crate) lines: Vec<Line<N>>,
}

impl<N: PartialOrd> Verdict<N> {
    pub(crate) const fn new() -> Self {
        Self { lines: Vec::new() }
    }

    /// Looks at one score, and gives where it stands.
    pub(crate) fn look_at(&mut self, name: &str, bar: Bar<N>, known: Known<N>) {
        self.lines.push(Line::of(name.to_owned(), bar, known));
    }

    fn names(&self, of: &[Standing]) -> Vec<String> {
        let found = self.lines.iter().filter(|line| of.contains(&line.standing));
        found.map(|line| line.name.clone()).collect()
    }

    /// Those below their floor.
    pub(crate) fn below_floor(&self) -> Vec<String> {
        self.names(&[Standing::BelowFloor])
    }

    /// Those below what is asked for; whoever is below the floor is among them.
    pub(crate) fn below_min(&self) -> Vec<String> {
        self.names(&[Standing::BelowFloor, Standing::BelowMin])
    }

    /// Those without a score that rests on evidence.
    pub(crate) fn missing(&self) -> Vec<String> {
        self.names(&[Standing::Missing, Standing::Unsupported])
    }

    pub(crate) fn label(&self) -> DecisionLabel {
        if self.lines.iter().any(|line| line.standing == Standing::BelowFloor) {
            DecisionLabel::NotRecommended
        } else if self.lines.iter().all(|line| line.standing == Standing::Met) {
            DecisionLabel::Recommended
        } else {
            DecisionLabel::Consider
        }
    }
}
