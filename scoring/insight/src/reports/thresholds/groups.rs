//! What a threshold does to groups: the fairness check that stands beside every proposal.

use super::Study;
use crate::figures::{Rate, hidden, percent_axis};
use crate::report::{Bar, Cell, Chart, Finding, Kind, Plot, Table};
use crate::reports::Asked;
use crate::text::Text;
use hub_calc::Exact;
use hub_trust::impact::{Group, impact};
use std::collections::BTreeMap;

impl Study<'_> {
    /// The expected selection rate of each group; `None` where fewer than two groups are large enough.
    pub(super) fn groups(&self, at: &Exact, asked: &Asked) -> Option<(Table, Chart, Option<Finding>)> {
        let mut groups: BTreeMap<&str, (Rate, Rate)> = BTreeMap::new();
        for row in &self.rows {
            let Some(group) = &row.group else { continue };
            let (then, now) = groups.entry(group).or_default();
            for (rate, threshold) in [(then, Some(at)), (now, asked.mark.as_ref())] {
                rate.all += 1;
                rate.met += usize::from(threshold.is_some_and(|threshold| row.score >= *threshold));
            }
        }
        let hidden = hidden(&groups.values().map(|(rate, _)| rate.all).collect::<Vec<_>>());
        let shown: Vec<(&str, Rate, Rate)> = groups
            .iter()
            .zip(&hidden)
            .filter(|(_, hidden)| !**hidden)
            .map(|((name, (then, now)), _)| (*name, *then, *now))
            .collect();
        if shown.len() < 2 {
            return None;
        }
        let counted = |rate: &Rate| Group { assessed: rate.all as u64, favoured: rate.met as u64 };
        let found = impact(&shown.iter().map(|(_, rate, _)| counted(rate)).collect::<Vec<_>>(), |_| false, None);
        let mut rows = Vec::new();
        let mut bars: Vec<Bar> = Vec::new();
        let mut lowest: Option<(&str, Exact)> = None;
        for ((name, then, now), standing) in shown.iter().zip(&found.standings) {
            let flagged = standing.below_four_fifths();
            let ratio = standing.ratio().cloned();
            if let Some(ratio) = ratio.clone().filter(|_| flagged)
                && lowest.as_ref().is_none_or(|(_, least)| ratio < *least)
            {
                lowest = Some((name, ratio));
            }
            bars.extend(then.bar(Text::same(*name), flagged));
            let word = if flagged { Cell::Flag(Text::new("低于五分之四", "below 4/5")) } else { Cell::Empty };
            let before = asked.mark.as_ref().and_then(|_| now.share());
            rows.push(vec![
                Cell::name(name),
                Cell::count(then.all),
                Cell::share(before),
                Cell::share(then.share()),
                Cell::number(ratio, 4),
                word,
            ]);
        }
        for ((name, _), _) in groups.iter().zip(&hidden).filter(|(_, hidden)| **hidden) {
            rows.push(vec![Cell::name(name), Cell::Hidden, Cell::Empty, Cell::Empty, Cell::Empty, Cell::Empty]);
        }
        let heads = vec![
            Text::new("组别", "Group"),
            Text::same("n"),
            Text::new("现行入选率", "Selection rate now"),
            Text::new("建议下入选率", "As proposed"),
            Text::new("影响比", "Impact ratio"),
            Text::new("说明", "Note"),
        ];
        let title = Text::new(
            format!("{} ≥ {at}：各组预计入选率", self.dimension),
            format!("{} ≥ {at}: expected selection rates", self.dimension),
        );
        let axis = Text::new("入选率（%，95% 区间）", "selected (%, 95 % interval)");
        let chart = Chart { title: title.clone(), plot: Plot::Bars { axis, bars, ends: percent_axis(), mark: None } };
        let n = shown.iter().map(|(_, rate, _)| rate.all).sum();
        let finding = lowest.map(|(name, ratio)| Finding {
            kind: Kind::Warning,
            text: Text::new(
                format!(
                    "{} ≥ {at} 时，{name} 的影响比为 {}，低于五分之四；批准前须先核查。",
                    self.dimension,
                    ratio.to_places(2)
                ),
                format!(
                    "With {} ≥ {at}, the impact ratio of {name} is {}, below 4/5: look closer before it is approved.",
                    self.dimension,
                    ratio.to_places(2)
                ),
            ),
            n,
            effect: Some((Text::new("影响比", "impact ratio"), ratio, None)),
            not_shown: Text::new(
                "是否构成歧视；这需要人来判断。",
                "whether this is discrimination: people judge that.",
            ),
            proposal: None,
        });
        Some((Table { title, heads, rows }, chart, finding))
    }
}
