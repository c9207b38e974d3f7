//! Horizontal bars with intervals. Names stand above their bars, not beside them, so that long ones fit a phone.

use super::scale::Scale;
use super::{Picture, WIDTH, fitted};
use crate::Exact;
use maud::html;

const LEFT: i64 = 12;
const RIGHT: i64 = 346;
const TOP: i64 = 26;
const ROW: i64 = 36;

/// One bar.
#[derive(Clone, Debug)]
pub struct Bar {
    /// What it is called.
    pub name: String,
    /// How long it is.
    pub value: Exact,
    /// What stands beside its name, such as the value with its unit.
    pub label: String,
    /// The ends of its interval.
    pub interval: Option<(Exact, Exact)>,
    /// Whether it is drawn hollow, as one to look at; its label should say why.
    pub flagged: bool,
}

/// Bars over one axis, which holds zero.
#[derive(Clone, Debug)]
pub struct Bars {
    /// What the chart shows.
    pub title: String,
    /// What the axis measures, with its unit.
    pub axis: String,
    /// The bars from top to bottom.
    pub bars: Vec<Bar>,
    /// The ends of the axis; where absent, they follow the numbers.
    pub ends: Option<(Exact, Exact)>,
    /// A line across, and what it is called.
    pub mark: Option<(Exact, String)>,
}

impl Bars {
    /// Draws it.
    #[must_use]
    pub fn draw(&self) -> Picture {
        let ends = self.bars.iter().flat_map(|bar| {
            [Some(&bar.value), bar.interval.as_ref().map(|(low, _)| low), bar.interval.as_ref().map(|(_, high)| high)]
        });
        let numbers: Vec<&Exact> = ends.flatten().chain(self.mark.as_ref().map(|(at, _)| at)).collect();
        let zero = Exact::zero();
        let (low, high) = match &self.ends {
            Some((low, high)) => (low, high),
            None => (
                numbers.iter().copied().min().filter(|low| **low < zero).unwrap_or(&zero),
                numbers.iter().copied().max().filter(|high| **high > zero).unwrap_or(&zero),
            ),
        };
        let scale = Scale::nice(low, high, (LEFT, RIGHT));
        let rows: Vec<(i64, &Bar)> = (0..).map(|index: i64| TOP + ROW * index).zip(&self.bars).collect();
        let bottom = TOP + ROW * rows.last().map_or(0, |(y, _)| (y - TOP) / ROW + 1) + 4;
        let base = scale.place(scale.low().max(&zero));
        let body = html! {
            @for tick in scale.ticks() {
                @let x = scale.at(&tick);
                line .grid x1=(x) y1=(TOP) x2=(x) y2=(bottom) {}
                text x=(x) y=(bottom + 15) text-anchor="middle" { (tick) }
            }
            @for (y, bar) in &rows {
                @let end = scale.place(&bar.value);
                @let (from, to) = if end < base { (&end, &base) } else { (&base, &end) };
                rect .(if bar.flagged { "below" } else { "bar" }) x=(from.to_places(1)) y=(y + 18)
                    width=((to - from).to_places(1)) height="12" {}
                @if let Some((low, high)) = &bar.interval {
                    (whisker((&scale.at(low), &scale.at(high)), y + 24))
                }
            }
            line .axis x1=(LEFT) y1=(bottom) x2=(RIGHT) y2=(bottom) {}
            line .axis x1=(base.to_places(1)) y1=(TOP) x2=(base.to_places(1)) y2=(bottom) {}
            @if let Some((at, name)) = &self.mark {
                @let x = scale.at(at);
                line .mark x1=(x) y1=(TOP - 6) x2=(x) y2=(bottom) {}
                text x=(x) y=(TOP - 9) text-anchor="middle" { (name) }
            }
            @for (y, bar) in &rows {
                @let width: i64 = bar.label.chars().map(|c| if super::is_wide(c) { 11 } else { 6 }).sum();
                text .name.value x=(LEFT + 2) y=(y + 13) { (fitted(&bar.name, RIGHT - LEFT - width - 12)) }
                text .value x=(RIGHT) y=(y + 13) text-anchor="end" { (bar.label) }
            }
            text x=(RIGHT) y=(bottom + 30) text-anchor="end" { (fitted(&self.axis, WIDTH - LEFT)) }
        };
        Picture { title: self.title.clone(), height: bottom + 36, body }
    }
}

/// The ends of an interval and what lies between.
fn whisker((low, high): (&str, &str), y: i64) -> maud::Markup {
    html! {
        line .whisker x1=(low) y1=(y) x2=(high) y2=(y) {}
        line .whisker x1=(low) y1=(y - 4) x2=(low) y2=(y + 4) {}
        line .whisker x1=(high) y1=(y - 4) x2=(high) y2=(y + 4) {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_have_a_length_in_proportion_and_whiskers_where_there_are_intervals() {
        let half = Exact::one().over(&Exact::from(2)).unwrap();
        let bar = |name: &str, value: &Exact, interval| Bar {
            name: name.into(),
            value: value.clone(),
            label: "x".into(),
            interval,
            flagged: interval_is_none(name),
        };
        let bars = vec![bar("one", &Exact::one(), Some((half.clone(), Exact::one()))), bar("half", &half, None)];
        let chart = Bars {
            title: "t".into(),
            axis: "share".into(),
            bars,
            ends: Some((Exact::zero(), Exact::one())),
            mark: None,
        };
        let text = chart.draw().inline().into_string();
        assert!(text.contains("width=\"334.0\"") && text.contains("width=\"167.0\""), "{text}");
        assert_eq!(text.matches("whisker").count(), 3);
        assert_eq!(text.matches("class=\"below\"").count(), 1);
        assert!(text.contains(">share<") && text.contains(">0.2<"));
    }

    fn interval_is_none(name: &str) -> bool {
        name == "half"
    }

    #[test]
    fn without_bars_there_is_an_empty_axis() {
        let empty = Bars { title: String::new(), axis: String::new(), bars: Vec::new(), ends: None, mark: None };
        assert!(empty.draw().inline().into_string().contains("axis"));
    }
}
