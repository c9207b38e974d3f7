//! Charts with two axes.

use super::scale::Scale;
use super::{Picture, WIDTH, fitted};
use crate::Exact;
use maud::{Markup, html};

const LEFT: i64 = 46;
const RIGHT: i64 = 346;
const TOP: i64 = 30;
const BOTTOM: i64 = 200;
const HEIGHT: i64 = 236;
/// Names along an axis that can be read beside each other.
const NAMES: usize = 6;

/// How many of each width there are.
#[derive(Clone, Debug)]
pub struct Histogram {
    /// What the chart shows.
    pub title: String,
    /// What is measured, with its unit.
    pub x: String,
    /// What is counted.
    pub y: String,
    /// Where each bar begins, its end left out except for the last; and how many are in it.
    pub bins: Vec<(Exact, Exact, u64)>,
    /// A line across, and what it is called.
    pub mark: Option<(Exact, String)>,
}

/// Points, and the line that fits them best.
#[derive(Clone, Debug)]
pub struct Scatter {
    /// What the chart shows.
    pub title: String,
    /// What is measured across, with its unit.
    pub x: String,
    /// What is measured upwards, with its unit.
    pub y: String,
    /// The points.
    pub points: Vec<(Exact, Exact)>,
    /// Intercept and slope of the line.
    pub line: Option<(Exact, Exact)>,
}

/// A number over time, or over another order.
#[derive(Clone, Debug)]
pub struct Line {
    /// What the chart shows.
    pub title: String,
    /// What the names across are.
    pub x: String,
    /// What is measured, with its unit.
    pub y: String,
    /// The numbers by name, in their order; where there is none, the line has a gap.
    pub points: Vec<(String, Option<Exact>)>,
    /// The ends of the axis upwards; where absent, from zero to the largest.
    pub ends: Option<(Exact, Exact)>,
}

/// Axes with ticks and titles; the title of the axis upwards stands above it, where no neck is bent.
fn axes(x: Option<&Scale>, y: &Scale, titles: (&str, &str)) -> Markup {
    html! {
        @for tick in y.ticks() {
            @let at = y.place(&tick);
            line .grid x1=(LEFT) y1=(at.to_places(1)) x2=(RIGHT) y2=(at.to_places(1)) {}
            text x=(LEFT - 5) y=((at + Exact::from(4)).to_places(1)) text-anchor="end" { (tick) }
        }
        @if let Some(x) = x {
            @for tick in x.ticks() {
                @let at = x.at(&tick);
                line .axis x1=(at) y1=(BOTTOM) x2=(at) y2=(BOTTOM + 4) {}
                text x=(at) y=(BOTTOM + 16) text-anchor="middle" { (tick) }
            }
        }
        line .axis x1=(LEFT) y1=(BOTTOM) x2=(RIGHT) y2=(BOTTOM) {}
        line .axis x1=(LEFT) y1=(TOP) x2=(LEFT) y2=(BOTTOM) {}
        text x="4" y="12" { (fitted(titles.1, WIDTH - 8)) }
        text x=(RIGHT) y=(BOTTOM + 31) text-anchor="end" { (fitted(titles.0, WIDTH - 14)) }
    }
}

impl Histogram {
    /// Draws it.
    #[must_use]
    pub fn draw(&self) -> Picture {
        let (zero, one) = (Exact::zero(), Exact::one());
        let low = self.bins.iter().map(|(from, ..)| from).min().unwrap_or(&zero);
        let high = self.bins.iter().map(|(_, to, _)| to).max().unwrap_or(&one);
        let most = Exact::from(self.bins.iter().map(|(.., count)| *count).max().unwrap_or(1).max(5));
        let (x, y) = (Scale::nice(low, high, (LEFT, RIGHT)), Scale::nice(&zero, &most, (BOTTOM, TOP)));
        let body = html! {
            (axes(Some(&x), &y, (&self.x, &self.y)))
            @for (from, to, count) in self.bins.iter().filter(|(.., count)| *count > 0) {
                @let top = y.place(&Exact::from(*count));
                @let (left, right) = (x.place(from), x.place(to));
                rect .bar x=((&left + &one).to_places(1)) y=(top.to_places(1))
                    width=((right - left - &one).to_places(1)) height=((Exact::from(BOTTOM) - top).to_places(1)) {}
            }
            @if let Some((at, name)) = &self.mark {
                (mark(&x, at, name))
            }
        };
        Picture { title: self.title.clone(), height: HEIGHT, body }
    }
}

/// A line from bottom to top with its name on the side where there is room.
fn mark(x: &Scale, at: &Exact, name: &str) -> Markup {
    let place = x.place(at);
    let anchor = if place > Exact::from(250) { "end" } else { "start" };
    html! {
        line .mark x1=(place.to_places(1)) y1=(TOP - 8) x2=(place.to_places(1)) y2=(BOTTOM) {}
        text .value x=(place.to_places(1)) y=(TOP - 8) dx=(if anchor == "end" { "-4" } else { "4" }) text-anchor=(anchor) { (name) }
    }
}

impl Scatter {
    /// Draws it.
    #[must_use]
    pub fn draw(&self) -> Picture {
        let (zero, one) = (Exact::zero(), Exact::one());
        let low_x = self.points.iter().map(|(x, _)| x).min().unwrap_or(&zero);
        let high_x = self.points.iter().map(|(x, _)| x).max().unwrap_or(&one);
        // The line ends with the points: beyond them nothing is known.
        let ends = self.line.as_ref().map(|(intercept, slope)| [low_x, high_x].map(|x| (x, intercept + &(slope * x))));
        let ends = ends.as_ref();
        let heights: Vec<&Exact> =
            self.points.iter().map(|(_, y)| y).chain(ends.into_iter().flatten().map(|(_, y)| y)).collect();
        let low_y = heights.iter().copied().min().unwrap_or(&zero);
        let high_y = heights.iter().copied().max().unwrap_or(&one);
        let x = Scale::nice(low_x, high_x, (LEFT, RIGHT));
        let y = Scale::nice(low_y, high_y, (BOTTOM, TOP));
        let body = html! {
            (axes(Some(&x), &y, (&self.x, &self.y)))
            @for (across, up) in &self.points {
                circle .point cx=(x.at(across)) cy=(y.at(up)) r="3.5" {}
            }
            @if let Some([(x1, y1), (x2, y2)]) = ends {
                line .fit x1=(x.at(x1)) y1=(y.at(y1)) x2=(x.at(x2)) y2=(y.at(y2)) {}
            }
        };
        Picture { title: self.title.clone(), height: HEIGHT, body }
    }
}

impl Line {
    /// Draws it.
    #[must_use]
    pub fn draw(&self) -> Picture {
        let zero = Exact::zero();
        let most = self.points.iter().filter_map(|(_, number)| number.as_ref()).max().unwrap_or(&zero);
        let (low, high) = self.ends.as_ref().map_or((&zero, most), |(low, high)| (low, high));
        let y = Scale::nice(low, high, (BOTTOM, TOP));
        let apart = Exact::from(RIGHT - LEFT).over(&Exact::from(self.points.len())).unwrap_or_else(Exact::zero);
        let place = |index: usize| {
            // In the middle of its own part of the axis.
            let halves = Exact::from(2 * index + 1).over(&Exact::from(2)).unwrap_or_else(Exact::zero);
            Exact::from(LEFT) + &apart * &halves
        };
        let every = self.points.len().div_ceil(NAMES).max(1);
        let found: Vec<(usize, &Exact)> =
            self.points.iter().enumerate().filter_map(|(index, (_, number))| Some((index, number.as_ref()?))).collect();
        let body = html! {
            (axes(None, &y, (&self.x, &self.y)))
            @for (index, (name, _)) in self.points.iter().enumerate().filter(|(index, _)| index % every == 0) {
                @let at = place(index).to_places(1);
                line .axis x1=(at) y1=(BOTTOM) x2=(at) y2=(BOTTOM + 4) {}
                text x=(at) y=(BOTTOM + 16) text-anchor="middle" { (name) }
            }
            @for ((one, from), (other, to)) in found.iter().zip(found.iter().skip(1)).filter(|(one, other)| one.0 + 1 == other.0) {
                line .fit x1=(place(*one).to_places(1)) y1=(y.at(from)) x2=(place(*other).to_places(1)) y2=(y.at(to)) {}
            }
            @for (index, number) in &found {
                circle .point cx=(place(*index).to_places(1)) cy=(y.at(number)) r="4" {}
            }
        };
        Picture { title: self.title.clone(), height: HEIGHT, body }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(number: i64) -> Exact {
        Exact::from(number)
    }

    #[test]
    fn a_histogram_draws_what_is_counted_and_its_mark() {
        let bins = vec![(whole(0), whole(10), 10), (whole(10), whole(20), 0), (whole(20), whole(30), 5)];
        let chart = Histogram {
            title: "t".into(),
            x: "points".into(),
            y: "people".into(),
            bins,
            mark: Some((whole(15), "mark".into())),
        };
        let text = chart.draw().inline().into_string();
        assert_eq!(text.matches("class=\"bar\"").count(), 2, "{text}");
        // Ten of at most ten is the whole height; five of ten half of it.
        assert!(text.contains("height=\"170.0\"") && text.contains("height=\"85.0\""), "{text}");
        assert!(text.contains(">mark<") && text.contains(">points<") && text.contains(">people<"));
    }

    #[test]
    fn a_fitted_line_ends_with_its_points() {
        let points = vec![(whole(0), whole(0)), (whole(10), whole(10))];
        let chart =
            Scatter { title: "t".into(), x: "x".into(), y: "y".into(), points, line: Some((whole(0), whole(1))) };
        let text = chart.draw().inline().into_string();
        assert!(text.contains("<line class=\"fit\" x1=\"46.0\" y1=\"200.0\" x2=\"346.0\" y2=\"30.0\">"), "{text}");
        assert_eq!(text.matches("<circle").count(), 2);
    }

    #[test]
    fn a_line_has_a_gap_where_there_is_no_number() {
        let numbers = [Some(1), Some(2), None, Some(3), Some(4)];
        let points = numbers.iter().enumerate().map(|(at, number)| (format!("m{at}"), number.map(whole))).collect();
        let chart = Line { title: "t".into(), x: "month".into(), y: "days".into(), points, ends: None };
        let text = chart.draw().inline().into_string();
        assert_eq!(text.matches("class=\"fit\"").count(), 2, "{text}");
        assert_eq!(text.matches("<circle").count(), 4);
    }
}
