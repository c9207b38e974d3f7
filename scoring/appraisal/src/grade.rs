//! Grades: by cuts, and by quotas of a group.

use hub_calc::Exact;

/// The grades of the house, best first.
pub const HOUSE_GRADES: [&str; 4] = ["S", "A", "B", "C"];

/// From which score on a grade is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cuts {
    /// Falling.
    steps: Vec<(String, Exact)>,
    /// The grade of those who reach none.
    below: String,
}

impl Cuts {
    /// S from 90, A from 80, B from 70, else C (house rule).
    #[must_use]
    pub fn house() -> Self {
        let steps = [("S", 90), ("A", 80), ("B", 70)];
        Self { steps: steps.map(|(grade, from)| (grade.to_owned(), Exact::from(from))).into(), below: "C".to_owned() }
    }

    /// Cuts in any order; `None` when there are none, when two are equal, or when `below` is one of them.
    #[must_use]
    pub fn new(mut steps: Vec<(String, Exact)>, below: String) -> Option<Self> {
        steps.sort_by(|(_, one), (_, other)| other.cmp(one));
        let equal = steps.iter().zip(steps.iter().skip(1)).any(|((_, one), (_, next))| one == next);
        let fits = !steps.is_empty() && !equal && !steps.iter().any(|(grade, _)| *grade == below);
        fits.then_some(Self { steps, below })
    }

    /// The best grade whose cut the score reaches; a cut itself is reached. The second is that cut.
    #[must_use]
    pub fn grade(&self, score: &Exact) -> (&str, Option<&Exact>) {
        let reached = self.steps.iter().find(|(_, from)| score >= from);
        reached.map_or((&self.below, None), |(grade, from)| (grade, Some(from)))
    }
}

/// Who wins when equals stand on both sides of a cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ties {
    /// Equals all take the better grade: rank = 1 + number strictly above.
    Favour,
    /// Equals all take the worse grade: rank = number at or above.
    Strict,
}

/// How many people at most reach each grade or a better one: people × quotas so far ÷ 100, halves up.
#[must_use]
pub fn cumulative_cuts(people: usize, quotas: &[Exact]) -> Vec<Exact> {
    let mut share = Exact::zero();
    let mut cut = |quota: &Exact| {
        share = &share + quota;
        (&Exact::from(people) * &share).over(&Exact::hundred()).unwrap_or_else(Exact::zero).rounded(0)
    };
    quotas.iter().map(&mut cut).collect()
}

/// What a person of a graded group got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// By the rule for ties, from 1.
    pub rank: usize,
    /// The place of the grade among the quotas.
    pub grade: usize,
}

/// Forced distribution: each person's grade is the first whose cumulative cut is not below the rank.
///
/// `quotas` are percentages, best grade first, that add up to 100.
#[must_use]
pub fn forced(scores: &[Exact], quotas: &[Exact], ties: Ties) -> Vec<Placed> {
    // Ranks are counted, so that the cuts are too: a cut is a whole number of people.
    let whole = |cut: &Exact| cut.to_whole().and_then(|cut| usize::try_from(cut).ok()).unwrap_or(scores.len());
    let cuts: Vec<usize> = cumulative_cuts(scores.len(), quotas).iter().map(whole).collect();
    let mut order: Vec<(usize, _)> = Exact::sort_keys(scores).into_iter().enumerate().collect();
    order.sort_by(|(_, one), (_, other)| other.cmp(one));
    let mut placed = vec![Placed { rank: 0, grade: 0 }; scores.len()];
    let mut above = 0;
    for equals in order.chunk_by(|(_, one), (_, other)| one == other) {
        let rank = match ties {
            Ties::Favour => above + 1,
            Ties::Strict => above + equals.len(),
        };
        above += equals.len();
        let grade = cuts.partition_point(|cut| *cut < rank).min(quotas.len().saturating_sub(1));
        for (person, _) in equals {
            if let Some(place) = placed.get_mut(*person) {
                *place = Placed { rank, grade };
            }
        }
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::testing::d;
    use proptest::prelude::*;

    fn quotas() -> Vec<Exact> {
        [10, 30, 50, 10].map(Exact::from).into()
    }

    fn letters(scores: &[i64], ties: Ties) -> String {
        let scores: Vec<Exact> = scores.iter().map(|score| Exact::from(*score)).collect();
        forced(&scores, &quotas(), ties).iter().map(|placed| HOUSE_GRADES[placed.grade]).collect()
    }

    #[test]
    fn a_score_on_a_cut_reaches_it_and_one_just_under_does_not() {
        let cuts = Cuts::house();
        for (score, wanted) in
            [("90", "S"), ("89.9999999", "A"), ("80", "A"), ("79.99", "B"), ("70", "B"), ("69.99", "C"), ("-1", "C")]
        {
            assert_eq!(cuts.grade(&d(score)).0, wanted, "{score}");
        }
        assert_eq!(Cuts::new(vec![("S".into(), d("90")), ("A".into(), d("90.0"))], "C".into()), None);
        assert_eq!(Cuts::new(vec![("C".into(), d("60"))], "C".into()), None);
    }

    #[test]
    fn quotas_are_filled_from_the_top() {
        assert_eq!(letters(&[10, 9, 8, 7, 6, 5, 4, 3, 2, 1], Ties::Favour), "SAAABBBBBC");
        // Twelve people: cuts at 1.2, 4.8, 10.8 and 12, so at 1, 5, 11 and 12.
        assert_eq!(letters(&[12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1], Ties::Strict), "SAAAABBBBBBC");
        // Five people: cuts at 0.5 and 4.5 go up, to 1 and 5: nobody is left for C.
        assert_eq!(letters(&[5, 4, 3, 2, 1], Ties::Favour), "SABBB");
    }

    #[test]
    fn equals_on_a_cut_go_up_or_down_together() {
        let scores = [95, 95, 88, 88, 84, 80, 77, 71, 52, 52];
        assert_eq!(letters(&scores, Ties::Favour), "SSAABBBBBB");
        assert_eq!(letters(&scores, Ties::Strict), "AAAABBBBCC");
        assert_eq!(letters(&[7; 10], Ties::Favour), "SSSSSSSSSS");
        assert_eq!(letters(&[7; 10], Ties::Strict), "CCCCCCCCCC");
    }

    proptest! {
        #[test]
        fn the_better_score_never_has_the_worse_grade(scores in prop::collection::vec(0_i64..40, 1..60)) {
            let exact: Vec<Exact> = scores.iter().map(|score| Exact::from(*score)).collect();
            for ties in [Ties::Favour, Ties::Strict] {
                let placed = forced(&exact, &quotas(), ties);
                for (one, of_one) in scores.iter().zip(&placed) {
                    for (other, of_other) in scores.iter().zip(&placed) {
                        prop_assert!(one < other || of_one.grade <= of_other.grade);
                    }
                }
            }
        }

        #[test]
        fn strict_grades_never_exceed_their_quota(scores in prop::collection::vec(0_i64..40, 1..60)) {
            let exact: Vec<Exact> = scores.iter().map(|score| Exact::from(*score)).collect();
            let placed = forced(&exact, &quotas(), Ties::Strict);
            for (grade, cut) in cumulative_cuts(scores.len(), &quotas()).iter().enumerate() {
                prop_assert!(Exact::from(placed.iter().filter(|place| place.grade <= grade).count()) <= *cut);
            }
        }
    }
}
