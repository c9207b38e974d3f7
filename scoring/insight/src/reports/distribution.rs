//! How scores are spread in each role: requirement "the distribution is shown, and a low median is flagged".

use super::{Asked, Kind as ReportKind};
use crate::figures::{FEWEST, Rate, bins, percent, percent_axis};
use crate::input;
use crate::report::{Cell, Chart, Finding, Kind, Plot, Report, Table};
use crate::text::Text;
use hub_calc::Exact;
use hub_interview::statistics;
use std::collections::BTreeMap;

/// What it is.
pub(super) const KIND: ReportKind = ReportKind {
    name: "distribution",
    title,
    about: "Scores of each role and dimension: spread, quartiles, share below a mark; low medians are flagged.",
    columns: COLUMNS,
    make: |table, asked| {
        let read = |cells: &input::Cells<'_, '_>| {
            Ok(Row {
                role: cells.text("role")?.to_owned(),
                dimension: cells.text("dimension")?.to_owned(),
                score: cells.number("score")?,
            })
        };
        Ok(report(&input::rows(table, COLUMNS, read)?, asked))
    },
};

const COLUMNS: &[&str] = &["role", "dimension", "score"];
/// Charts that a page has room for.
const MOST_CHARTS: usize = 6;
const MOST_BARS: usize = 24;

fn title() -> Text {
    Text::new("得分分布", "Distribution of scores")
}

/// One score.
#[derive(Clone, Debug)]
pub struct Row {
    /// For which role.
    pub role: String,
    /// In which dimension, or the composite.
    pub dimension: String,
    /// From 0 to 100.
    pub score: Exact,
}

/// What is said about the scores of one role and dimension.
struct Spread<'r> {
    role: &'r str,
    dimension: &'r str,
    sorted: Vec<Exact>,
    median: Exact,
    below: Rate,
    low: bool,
}

/// The report.
#[must_use]
pub fn report(rows: &[Row], asked: &Asked) -> Report {
    let mark = asked.mark_or_house();
    let mut groups: BTreeMap<(&str, &str), Vec<Exact>> = BTreeMap::new();
    for row in rows {
        groups.entry((&row.role, &row.dimension)).or_default().push(row.score.clone());
    }
    let mut spreads = Vec::new();
    let mut table = Vec::new();
    for ((role, dimension), mut scores) in groups {
        scores.sort();
        let below = Rate::of(scores.iter().map(|score| *score < mark));
        let Some(median) = statistics::quartile(&scores, 2).filter(|_| scores.len() >= FEWEST) else {
            let mut row = vec![Cell::name(role), Cell::name(dimension), Cell::Hidden];
            row.resize(heads().len(), Cell::Empty);
            table.push(row);
            continue;
        };
        let low = median < mark;
        let spread = Spread { role, dimension, sorted: scores, median, below, low };
        table.push(spread.row());
        spreads.push(spread);
    }
    let mut findings: Vec<Finding> = spreads.iter().filter(|one| one.low).map(|one| one.finding(&mark)).collect();
    // The lowest first.
    findings.sort_by(|one, other| {
        let share = |finding: &Finding| finding.effect.as_ref().map(|(_, size, _)| size.clone());
        share(other).cmp(&share(one))
    });
    if findings.is_empty() && !spreads.is_empty() {
        let text = Text::new(format!("没有中位数低于 {mark} 分的维度。"), format!("No median is below {mark}."));
        let n = spreads.iter().map(|one| one.sorted.len()).sum();
        findings.push(Finding { kind: Kind::Fact, text, n, effect: None, not_shown: not_shown(), proposal: None });
    }
    let mut shown: Vec<&Spread<'_>> = spreads.iter().collect();
    shown.sort_by_key(|one| !one.low);
    let mut charts: Vec<Chart> = shown.iter().take(MOST_CHARTS).map(|one| one.histogram(&mark)).collect();
    let bars: Vec<_> = shown.iter().take(MOST_BARS).filter_map(|one| one.below.bar(one.name(), one.low)).collect();
    if !bars.is_empty() {
        let share =
            Text::new(format!("低于 {mark} 分的比例（%，95% 区间）"), format!("share below {mark} (%, 95 % interval)"));
        let plot = Plot::Bars { axis: share, bars, ends: percent_axis(), mark: None };
        charts.insert(0, Chart { title: Text::new("低于标准的比例", "Share below the mark"), plot });
    }
    Report {
        name: KIND.name,
        title: title(),
        about: asked.about(Text::new("得分数", "Scores"), rows.len()),
        findings,
        charts,
        tables: vec![Table {
            title: Text::new("各岗位各维度", "By role and dimension"), heads: heads(), rows: table
        }],
        method: vec![
            Text::new(
                "得分为 0–100 的统一标度。四分位数按线性插值（第 7 型），标准差为样本标准差（n−1）。",
                "Scores are on the one scale from 0 to 100. Quartiles by linear interpolation (type 7); sample standard deviation (n − 1).",
            ),
            Text::new(
                "低于标准的比例附 Wilson 95% 区间；少于 5 个得分的组不显示。",
                "The share below the mark has its Wilson 95 % interval; groups of fewer than 5 scores are not shown.",
            ),
        ],
    }
}

fn heads() -> Vec<Text> {
    vec![
        Text::new("岗位", "Role"),
        Text::new("维度", "Dimension"),
        Text::same("n"),
        Text::new("均值", "Mean"),
        Text::new("标准差", "SD"),
        Text::new("下四分位", "Lower quartile"),
        Text::new("中位数", "Median"),
        Text::new("上四分位", "Upper quartile"),
        Text::new("低于标准", "Below the mark"),
        Text::new("95% 区间", "95 % interval"),
    ]
}

fn not_shown() -> Text {
    Text::new(
        "低分的原因：可能是候选人、题目或评分标准。",
        "why scores are low: it may be the candidates, the questions or the rubric.",
    )
}

impl Spread<'_> {
    fn name(&self) -> Text {
        Text::same(format!("{} · {}", self.role, self.dimension))
    }

    fn row(&self) -> Vec<Cell> {
        let deviation = statistics::variance(&self.sorted).map(|variance| statistics::root(&variance));
        vec![
            Cell::name(self.role),
            Cell::name(self.dimension),
            Cell::count(self.sorted.len()),
            Cell::number(statistics::mean(&self.sorted), 2),
            Cell::number(deviation.and_then(crate::figures::exact), 2),
            Cell::number(statistics::quartile(&self.sorted, 1), 2),
            Cell::Number(self.median.clone(), 2),
            Cell::number(statistics::quartile(&self.sorted, 3), 2),
            Cell::share(self.below.share()),
            Cell::shares(self.below.interval()),
        ]
    }

    fn finding(&self, mark: &Exact) -> Finding {
        let (role, dimension, n) = (self.role, self.dimension, self.sorted.len());
        let (median, share) =
            (self.median.to_places(1), self.below.share().map(|share| percent(&share)).unwrap_or_default());
        let text = Text::new(
            format!("{role}的{dimension}普遍偏低：中位数 {median}，低于 {mark} 分；{share} 低于该线。"),
            format!("{dimension} is low among {role}: the median {median} is below {mark}, and {share} lie below it."),
        );
        let effect = self
            .below
            .share()
            .map(|share| (Text::new("低于标准的比例", "share below the mark"), share, self.below.interval()));
        Finding { kind: Kind::Warning, text, n, effect, not_shown: not_shown(), proposal: None }
    }

    fn histogram(&self, mark: &Exact) -> Chart {
        let plot = Plot::Histogram {
            x: Text::new("得分（0–100）", "score (0–100)"),
            y: Text::new("人数", "people"),
            bins: bins(&self.sorted),
            mark: Some((mark.clone(), Text::new(format!("标准 {mark}"), format!("mark {mark}")))),
        };
        Chart { title: self.name(), plot }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{asked, d, made};
    use super::*;

    #[test]
    fn a_low_median_is_flagged_and_a_thin_group_is_hidden() {
        let mut table = "role,dimension,score\n".to_owned();
        for score in [40, 50, 55, 58, 70, 80] {
            table += &format!("产品,逻辑思维,{score}\n");
        }
        for score in [60, 70, 80, 90, 95] {
            table += &format!("产品,语言表达,{score}\n");
        }
        table += "仓库,语言表达,10\n";
        let report = made("distribution", &table, &asked()).unwrap();
        assert_eq!(report.findings.len(), 1);
        let finding = &report.findings[0];
        assert!(finding.kind == Kind::Warning && finding.n == 6 && finding.text.zh.contains("逻辑思维"), "{finding:?}");
        // (55 + 58) / 2, and 4 of 6 below 60.
        assert!(finding.text.en.contains("56.5") && finding.text.en.contains("66.7 %"), "{}", finding.text.en);
        let rows = &report.tables[0].rows;
        let hidden = rows.iter().find(|row| row[0] == Cell::name("仓库")).unwrap();
        assert!(hidden[2] == Cell::Hidden && hidden[3..].iter().all(|cell| *cell == Cell::Empty), "{hidden:?}");
        assert!(rows.iter().any(|row| row[3] == Cell::Number(d("79"), 2)), "the mean of 60, 70, 80, 90, 95");
        // A histogram for each group that is shown, and the bars.
        assert_eq!(report.charts.len(), 3);
        let lower = Asked { mark: Some(d("50")), ..asked() };
        assert_eq!(made("distribution", &table, &lower).unwrap().findings[0].kind, Kind::Fact);
    }
}
