//! Axes: from numbers to places, and where the ticks stand.

use crate::Exact;
use std::cmp::Ordering;

/// A linear axis.
pub(super) struct Scale {
    low: Exact,
    high: Exact,
    step: Exact,
    from: i64,
    to: i64,
}

impl Scale {
    /// From the lowest to the highest number, both moved outwards to the next tick. `from` and `to` are the places of
    /// the ends; upwards, `to` is the smaller one.
    pub(super) fn nice(low: &Exact, high: &Exact, (from, to): (i64, i64)) -> Self {
        let (low, high) = match low.cmp(high) {
            Ordering::Less => (low.clone(), high.clone()),
            // Something has to be between the ends.
            _ => (low.clone(), low + &Exact::one()),
        };
        let step = step(&(&high - &low));
        let steps = |number: &Exact| number.over(&step).unwrap_or_else(Exact::zero);
        let (first, last) = (steps(&low).floor(), -(-steps(&high)).floor());
        Self { low: &first * &step, high: &last * &step, step, from, to }
    }

    /// The place of a number, with one decimal.
    pub(super) fn at(&self, number: &Exact) -> String {
        self.place(number).to_places(1)
    }

    pub(super) fn place(&self, number: &Exact) -> Exact {
        let share = (number - &self.low).over(&(&self.high - &self.low)).unwrap_or_else(Exact::zero);
        Exact::from(self.from) + share * Exact::from(self.to - self.from)
    }

    /// The ticks from low to high.
    pub(super) fn ticks(&self) -> Vec<Exact> {
        let mut ticks = vec![self.low.clone()];
        // `nice` makes at most a dozen steps.
        while let Some(last) = ticks.last().filter(|last| **last < self.high) {
            let next = last + &self.step;
            ticks.push(next);
        }
        ticks
    }

    pub(super) const fn low(&self) -> &Exact {
        &self.low
    }
}

/// The width between ticks: 1, 2 or 5 of a power of ten, so that there are about five.
fn step(range: &Exact) -> Exact {
    let wanted = range.over(&Exact::from(5)).unwrap_or_else(Exact::one);
    let ten = Exact::from(10);
    let mut power = Exact::one();
    while &power * &ten <= wanted {
        power = power * &ten;
    }
    while power > wanted {
        power = power.over(&ten).unwrap_or_else(Exact::one);
    }
    let choices = [1, 2, 5, 10].map(|times| &power * &Exact::from(times));
    choices.into_iter().find(|step| *step >= wanted).unwrap_or(power)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_tree::Decimal;

    fn d(text: &str) -> Exact {
        Exact::from(text.parse::<Decimal>().unwrap())
    }

    #[test]
    fn ticks_are_round_and_hold_all_numbers() {
        for (low, high, wanted) in [
            ("0", "100", "0 20 40 60 80 100"),
            ("42", "97", "40 60 80 100"),
            ("0", "1", "0 0.2 0.4 0.6 0.8 1"),
            ("-3", "4", "-4 -2 0 2 4"),
            ("0", "0.03", "0 0.01 0.02 0.03"),
            ("7", "7", "7 7.2 7.4 7.6 7.8 8"),
            ("12000", "48000", "10000 20000 30000 40000 50000"),
        ] {
            let scale = Scale::nice(&d(low), &d(high), (0, 100));
            let ticks: Vec<String> = scale.ticks().iter().map(ToString::to_string).collect();
            assert_eq!(ticks.join(" "), wanted, "{low} to {high}");
        }
    }

    #[test]
    fn places_follow_the_numbers_also_downwards() {
        let across = Scale::nice(&d("0"), &d("100"), (40, 340));
        assert_eq!(
            (across.at(&d("0")), across.at(&d("50")), across.at(&d("100"))),
            ("40.0".into(), "190.0".into(), "340.0".into())
        );
        let up = Scale::nice(&d("0"), &d("100"), (200, 20));
        assert_eq!((up.at(&d("0")), up.at(&d("100"))), ("200.0".into(), "20.0".into()));
    }
}
