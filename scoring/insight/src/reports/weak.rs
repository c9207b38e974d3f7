//! Which dimension is weak in common among those who were not advanced.

use super::{Asked, Kind as ReportKind};
use crate::figures::{FEWEST, Rate, exact, percent, percent_axis};
use crate::input;
use crate::report::{Cell, Chart, Finding, Kind, Plot, Report, Table};
use crate::text::Text;
use hub_calc::Exact;
use hub_interview::statistics;
use std::collections::BTreeMap;

/// What it is.
pub(super) const KIND: ReportKind = ReportKind {
    name: "weak-dimension",
    title,
    about: "The dimension in which most of those who were not advanced are below what is required.",
    columns: COLUMNS,
    make: |table, asked| {
        let read = |cells: &input::Cells<'_, '_>| {
            Ok(Row {
                dimension: cells.text("dimension")?.to_owned(),
                score: cells.number("score")?,
                required: cells.optional_number("required")?,
                advanced: cells.yes_or_no("advanced")?.ok_or("`advanced` is empty or missing")?,
            })
        };
        Ok(report(&input::rows(table, COLUMNS, read)?, asked))
    },
};

const COLUMNS: &[&str] = &["dimension", "score", "required", "advanced"];

fn title() -> Text {
    Text::new("未通过者的共同短板", "Weak dimensions of those not advanced")
}

/// One person's score in one dimension.
#[derive(Clone, Debug)]
pub struct Row {
    /// In which dimension.
    pub dimension: String,
    /// From 0 to 100.
    pub score: Exact,
    /// What the model requires; else the mark.
    pub required: Option<Exact>,
    /// Whether the person went on.
    pub advanced: bool,
}

/// A dimension among those who were not advanced, and among the others.
struct Standing<'r> {
    dimension: &'r str,
    weak: Rate,
    others: Rate,
    mean: Option<Exact>,
    deviation: Option<Exact>,
}

/// The report.
#[must_use]
pub fn report(rows: &[Row], asked: &Asked) -> Report {
    let mark = asked.mark_or_house();
    let mut dimensions: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        dimensions.entry(&row.dimension).or_default().push(row);
    }
    let mut standings: Vec<Standing<'_>> =
        dimensions.into_iter().map(|(dimension, rows)| standing(dimension, &rows, &mark)).collect();
    standings.retain(|one| one.weak.all >= FEWEST);
    standings.sort_by_key(|one| std::cmp::Reverse(one.weak.share()));
    let half = Exact::one().over(&Exact::from(2));
    let findings: Vec<Finding> =
        standings.first().map(|one| finding(one, one.weak.share() >= half)).into_iter().collect();
    let bars: Vec<_> =
        standings.iter().enumerate().filter_map(|(at, one)| one.weak.bar(Text::same(one.dimension), at == 0)).collect();
    let mut charts = Vec::new();
    if !bars.is_empty() {
        let axis = Text::new(
            "未通过者中低于要求的比例（%，95% 区间）",
            "not advanced and below what is required (%, 95 % interval)",
        );
        charts.push(Chart {
            title: Text::new("各维度低于要求的比例", "Below what is required"),
            plot: Plot::Bars { axis, bars, ends: percent_axis(), mark: None },
        });
    }
    let table = standings.iter().map(Standing::row).collect();
    let heads = vec![
        Text::new("维度", "Dimension"),
        Text::new("未通过 n", "n not advanced"),
        Text::new("均值", "Mean"),
        Text::new("标准差", "SD"),
        Text::new("低于要求", "Below required"),
        Text::new("95% 区间", "95 % interval"),
        Text::new("通过 n", "n advanced"),
        Text::new("通过者低于要求", "Below, of those advanced"),
        Text::new("差值（百分点）", "Difference (points)"),
        Text::new("差值 95% 区间", "95 % of the difference"),
    ];
    Report {
        name: KIND.name,
        title: title(),
        about: asked.about(Text::new("得分数", "Scores"), rows.len()),
        findings,
        charts,
        tables: vec![Table { title: Text::new("各维度", "By dimension"), heads, rows: table }],
        method: vec![Text::new(
            format!(
                "低于要求＝得分严格低于模型对该维度的要求；模型没有要求时以 {mark} 分为准。少于 5 人的维度不显示。"
            ),
            format!(
                "Below required: strictly below what the model asks of the dimension, or below {mark} where it asks nothing. Dimensions of fewer than 5 people are not shown."
            ),
        )],
    }
}

fn standing<'r>(dimension: &'r str, rows: &[&Row], mark: &Exact) -> Standing<'r> {
    let side = |advanced: bool| rows.iter().filter(move |row| row.advanced == advanced);
    let weak = |advanced: bool| Rate::of(side(advanced).map(|row| row.score < *row.required.as_ref().unwrap_or(mark)));
    let scores: Vec<Exact> = side(false).map(|row| row.score.clone()).collect();
    let deviation = statistics::variance(&scores).and_then(|variance| exact(statistics::root(&variance)));
    Standing { dimension, weak: weak(false), others: weak(true), mean: statistics::mean(&scores), deviation }
}

fn finding(one: &Standing<'_>, common: bool) -> Finding {
    let (dimension, share) = (one.dimension, one.weak.share().map(|share| percent(&share)).unwrap_or_default());
    let text = if common {
        Text::new(
            format!("未通过者的共同短板是{dimension}：{share} 低于要求。"),
            format!("What most of those not advanced lack is {dimension}: {share} are below what is required."),
        )
    } else {
        Text::new(
            format!("没有半数以上未通过者共有的短板；最常见的是{dimension}（{share}）。"),
            format!("No dimension is weak in half of those not advanced; the most frequent is {dimension} ({share})."),
        )
    };
    let effect = one.weak.less(one.others).map(|(difference, interval)| {
        (Text::new("与通过者之差", "difference to those advanced"), difference, Some(interval))
    });
    let not_shown = Text::new(
        "该维度是否为未通过的原因；它可能参与了决定。",
        "whether the dimension was the reason; it may have taken part in the decision.",
    );
    Finding {
        kind: if common { Kind::Warning } else { Kind::Fact },
        text,
        n: one.weak.all,
        effect,
        not_shown,
        proposal: None,
    }
}

impl Standing<'_> {
    fn row(&self) -> Vec<Cell> {
        let (difference, interval) = self.weak.less(self.others).filter(|_| self.others.all >= FEWEST).unzip();
        let others = self.others.share().filter(|_| self.others.all >= FEWEST);
        vec![
            Cell::name(self.dimension),
            Cell::count(self.weak.all),
            Cell::number(self.mean.clone(), 2),
            Cell::number(self.deviation.clone(), 2),
            Cell::share(self.weak.share()),
            Cell::shares(self.weak.interval()),
            if (1..FEWEST).contains(&self.others.all) { Cell::Hidden } else { Cell::count(self.others.all) },
            Cell::share(others),
            Cell::share(difference),
            Cell::shares(interval),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{asked, made};
    use super::*;

    #[test]
    fn the_common_weak_dimension_is_found_and_a_required_score_is_not_below_itself() {
        let mut table = "dimension,score,required,advanced\n".to_owned();
        for person in 0..10 {
            table += &format!("客户导向,{},80,no\n", if person < 7 { 79 } else { 80 });
            table += &format!("抗压能力,{},,no\n", if person < 3 { 59 } else { 60 });
            table += "客户导向,90,80,yes\n";
        }
        let report = made("weak-dimension", &table, &asked()).unwrap();
        let finding = &report.findings[0];
        assert!(finding.kind == Kind::Warning && finding.text.zh.contains("客户导向：70.0 %"), "{}", finding.text.zh);
        assert_eq!(finding.effect.as_ref().unwrap().1.to_places(2), "0.70");
        let shares: Vec<&Cell> = report.tables[0].rows.iter().map(|row| &row[4]).collect();
        assert_eq!(
            shares,
            [&Cell::Share(super::super::testing::d("0.7")), &Cell::Share(super::super::testing::d("0.3"))]
        );
    }
}
