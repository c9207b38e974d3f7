//! How recruiting runs: time to hire, offers, interviews, who comes, and whether high scores are hired.

use super::thresholds::correlation;
use super::{Asked, Kind as ReportKind};
use crate::figures::{Rate, bins, median, percent, percent_axis};
use crate::input;
use crate::report::{Cell, Chart, Finding, Kind, Plot, Report, Table};
use crate::text::Text;
use hub_calc::Exact;
use hub_interview::statistics;
use hub_tree::jiff::civil::Date;
use std::collections::BTreeMap;

/// What it is.
pub(super) const KIND: ReportKind = ReportKind {
    name: "programme",
    title,
    about: "Time to hire, offer acceptance, interview minutes, show-up, satisfaction, and hires among high scores.",
    columns: COLUMNS,
    make: |table, asked| {
        let read = |cells: &input::Cells<'_, '_>| {
            let accepted = match cells.optional("offer") {
                None | Some("open") => None,
                Some("accepted") => Some(true),
                Some("declined") => Some(false),
                Some(other) => {
                    return Err(format!("`offer` is `{other}`: accepted, declined, open or nothing is needed"));
                }
            };
            Ok(Row {
                applied_on: cells.day("applied_on")?,
                hired_on: cells.day("hired_on")?,
                hired: cells.yes_or_no("hired")?.unwrap_or(false),
                accepted,
                minutes: cells.optional_number("interview_minutes")?,
                invited: cells.count("interviews")?,
                came: cells.count("attended")?,
                match_score: cells.optional_number("match_score")?,
                satisfaction: cells.optional_number("satisfaction")?,
            })
        };
        Ok(report(&input::rows(table, COLUMNS, read)?, asked))
    },
};

const COLUMNS: &[&str] = &[
    "applied_on",
    "hired_on",
    "hired",
    "offer",
    "interview_minutes",
    "interviews",
    "attended",
    "match_score",
    "satisfaction",
];
/// From this match score on a hire is expected, of 10 (requirement 004).
const HIGH: i64 = 8;

fn title() -> Text {
    Text::new("招聘项目指标", "Recruiting programme")
}

/// One application.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// When it came.
    pub applied_on: Option<Date>,
    /// When the person was hired.
    pub hired_on: Option<Date>,
    /// Whether the person was hired.
    pub hired: bool,
    /// Whether the offer was accepted, where it was answered.
    pub accepted: Option<bool>,
    /// Minutes of all its interviews.
    pub minutes: Option<Exact>,
    /// Interviews of which it is known whether the candidate came.
    pub invited: usize,
    /// Those to which the candidate came.
    pub came: usize,
    /// The match score, 0 to 10.
    pub match_score: Option<Exact>,
    /// What the candidate said about it, on whatever scale the survey has.
    pub satisfaction: Option<Exact>,
}

impl Row {
    /// Days from the application to the hire.
    fn days(&self) -> Option<Exact> {
        let days = self.hired_on?.since(self.applied_on?).ok()?.get_days();
        (days >= 0).then(|| Exact::from(days))
    }
}

/// The report.
#[must_use]
pub fn report(rows: &[Row], asked: &Asked) -> Report {
    let days: Vec<Exact> = rows.iter().filter_map(Row::days).collect();
    let offers = Rate::of(rows.iter().filter_map(|row| row.accepted));
    let shown_up = Rate { met: rows.iter().map(|row| row.came).sum(), all: rows.iter().map(|row| row.invited).sum() };
    let minutes: Vec<Exact> = rows.iter().filter_map(|row| row.minutes.clone()).collect();
    let said: Vec<Exact> = rows.iter().filter_map(|row| row.satisfaction.clone()).collect();
    let scored: Vec<(&Exact, bool)> =
        rows.iter().filter_map(|row| Some((row.match_score.as_ref()?, row.hired))).collect();
    let high = Exact::from(HIGH);
    let side =
        |above: bool| Rate::of(scored.iter().filter(|(score, _)| (**score >= high) == above).map(|(_, hired)| *hired));
    let (above, below) = (side(true), side(false));

    let mut table = Vec::new();
    measure(&mut table, Text::new("招聘周期（天，中位数）", "Time to hire (days, median)"), &days, median(&days));
    rate(&mut table, Text::new("录用接受率", "Offers accepted"), offers);
    measure(
        &mut table,
        Text::new("每份申请的面试时长（分钟，均值）", "Interview minutes an application (mean)"),
        &minutes,
        statistics::mean(&minutes),
    );
    measure(
        &mut table,
        Text::new("面试总时长（小时）", "Interview hours in all"),
        &minutes,
        Exact::total(&minutes).over(&Exact::from(60)).filter(|_| !minutes.is_empty()),
    );
    rate(&mut table, Text::new("面试到场率", "Interviews attended"), shown_up);
    measure(&mut table, Text::new("满意度（均值）", "Satisfaction (mean)"), &said, statistics::mean(&said));
    rate(&mut table, Text::new("匹配度 ≥ 8 的录用率", "Hired of those at 8 and above"), above);
    rate(&mut table, Text::new("匹配度 < 8 的录用率", "Hired of those below 8"), below);

    let bars = [
        offers.bar(Text::new("录用接受率", "Offers accepted"), false),
        shown_up.bar(Text::new("面试到场率", "Interviews attended"), false),
        above.bar(Text::new("匹配度 ≥ 8 的录用率", "Hired at 8 and above"), false),
        below.bar(Text::new("匹配度 < 8 的录用率", "Hired below 8"), false),
    ];
    let bars: Vec<_> = bars.into_iter().flatten().collect();
    let mut charts = Vec::new();
    if !bars.is_empty() {
        let axis = Text::new("比例（%，95% 区间）", "share (%, 95 % interval)");
        charts.push(Chart {
            title: Text::new("关键比率", "Rates"),
            plot: Plot::Bars { axis, bars, ends: percent_axis(), mark: None },
        });
    }
    charts.extend(by_month(rows));
    if !days.is_empty() {
        let plot = Plot::Histogram {
            x: Text::new("招聘周期（天）", "time to hire (days)"),
            y: Text::new("录用人数", "hires"),
            bins: bins(&days),
            mark: median(&days).map(|at| {
                (at.clone(), Text::new(format!("中位数 {}", at.to_places(1)), format!("median {}", at.to_places(1))))
            }),
        };
        charts.push(Chart { title: Text::new("招聘周期分布", "Time to hire"), plot });
    }
    Report {
        name: KIND.name,
        title: title(),
        about: asked.about(Text::new("申请数", "Applications"), rows.len()),
        findings: findings(&scored, above, below, &days),
        charts,
        tables: vec![Table {
            title: Text::new("指标", "Measures"),
            heads: vec![
                Text::new("指标", "Measure"),
                Text::same("n"),
                Text::new("数值", "Value"),
                Text::new("95% 区间", "95 % interval"),
            ],
            rows: table,
        }],
        method: vec![
            Text::new(
                "招聘周期为申请到录用的天数；接受率只计已答复的录用通知；到场率只计已知到场情况的面试。",
                "Time to hire is the days from application to hire. Acceptance counts offers that were answered; show-up counts interviews of which it is known whether the candidate came.",
            ),
            Text::new(
                "比例附 Wilson 95% 区间，差值附 Newcombe 区间，相关系数附 Fisher 区间。",
                "Rates have Wilson's 95 % interval, differences Newcombe's, correlations Fisher's.",
            ),
        ],
    }
}

fn measure(table: &mut Vec<Vec<Cell>>, name: Text, of: &[Exact], value: Option<Exact>) {
    if !of.is_empty() {
        table.push(vec![Cell::Text(name), Cell::count(of.len()), Cell::number(value, 1), Cell::Empty]);
    }
}

fn rate(table: &mut Vec<Vec<Cell>>, name: Text, rate: Rate) {
    if rate.all > 0 {
        table.push(vec![
            Cell::Text(name),
            Cell::count(rate.all),
            Cell::share(rate.share()),
            Cell::shares(rate.interval()),
        ]);
    }
}

fn findings(scored: &[(&Exact, bool)], above: Rate, below: Rate, days: &[Exact]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let not_shown = Text::new(
        "因果：分数参与了录用决定，二者必然相关。",
        "a cause: the score takes part in the decision to hire, so that both go together anyway.",
    );
    if let (Some(of_high), Some((difference, interval))) = (above.share(), above.less(below)) {
        let text = Text::new(
            format!(
                "匹配度 ≥ {HIGH} 的候选人录用率为 {}，其余为 {}。",
                percent(&of_high),
                below.share().map(|s| percent(&s)).unwrap_or_default()
            ),
            format!(
                "Of candidates at {HIGH} and above {} were hired, of others {}.",
                percent(&of_high),
                below.share().map(|s| percent(&s)).unwrap_or_default()
            ),
        );
        let effect = Some((Text::new("录用率之差", "difference of the rates"), difference, Some(interval)));
        findings.push(Finding {
            kind: Kind::Fact,
            text,
            n: above.all + below.all,
            effect,
            not_shown: not_shown.clone(),
            proposal: None,
        });
    }
    let (x, y): (Vec<Exact>, Vec<Exact>) =
        scored.iter().map(|(score, hired)| ((*score).clone(), Exact::from(u32::from(*hired)))).unzip();
    if let Some((r, interval)) = correlation(&x, &y) {
        let text = Text::new("匹配度与录用的相关系数。", "The correlation of match scores and hires.");
        findings.push(Finding {
            kind: Kind::Fact,
            text,
            n: x.len(),
            effect: Some((Text::same("r"), r, Some(interval))),
            not_shown,
            proposal: None,
        });
    }
    if let Some(middle) = median(days) {
        let text = Text::new(
            format!("招聘周期中位数为 {} 天。", middle.to_places(1)),
            format!("Half of all hires took {} days or fewer.", middle.to_places(1)),
        );
        let not_shown = Text::new("尚未录用的申请还要多久。", "how long applications that are still open will take.");
        findings.push(Finding { kind: Kind::Fact, text, n: days.len(), effect: None, not_shown, proposal: None });
    }
    findings
}

/// Time to hire by the month of the hire, months without hires included.
fn by_month(rows: &[Row]) -> Option<Chart> {
    let mut months: BTreeMap<Date, Vec<Exact>> = BTreeMap::new();
    for row in rows {
        if let (Some(on), Some(days)) = (row.hired_on, row.days()) {
            months.entry(on.first_of_month()).or_default().push(days);
        }
    }
    let (first, last) = (*months.keys().next()?, *months.keys().last()?);
    let all = first.series(hub_tree::jiff::Span::new().months(1)).take_while(|month| *month <= last);
    let points: Vec<_> = all
        .map(|month| {
            (format!("{:04}-{:02}", month.year(), month.month()), months.get(&month).and_then(|days| median(days)))
        })
        .collect();
    if points.len() < 2 {
        return None;
    }
    let plot = Plot::Line {
        x: Text::new("录用月份", "month of the hire"),
        y: Text::new("招聘周期中位数（天）", "time to hire, median (days)"),
        points,
        ends: None,
    };
    Some(Chart { title: Text::new("招聘周期趋势", "Time to hire by month"), plot })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{asked, d, made};
    use super::*;

    #[test]
    fn the_measures_are_those_of_the_rows() {
        let table = "applied_on,hired_on,hired,offer,interview_minutes,interviews,attended,match_score,satisfaction\n\
            2026-01-05,2026-01-25,yes,accepted,30,2,2,9,5\n\
            2026-01-10,2026-03-11,yes,accepted,45,1,1,8,4\n\
            2026-02-01,,no,declined,15,2,1,8.5,\n\
            2026-02-02,,no,,,0,0,7.99,\n\
            2026-02-03,,no,open,20,1,0,5,3\n";
        let report = made("programme", table, &asked()).unwrap();
        let row = |name: &str| {
            let named = |row: &&Vec<Cell>| matches!(&row[0], Cell::Text(text) if text.en.starts_with(name));
            report.tables[0].rows.iter().find(named).unwrap_or_else(|| panic!("{name}")).clone()
        };
        // 20 and 60 days.
        assert_eq!(row("Time to hire")[1..3], [Cell::Count(2), Cell::Number(d("40"), 1)]);
        assert_eq!(
            row("Offers accepted")[1..3],
            [Cell::Count(3), Cell::Share(Exact::from(2).over(&Exact::from(3)).unwrap())]
        );
        assert_eq!(
            row("Interviews attended")[1..3],
            [Cell::Count(6), Cell::Share(Exact::from(2).over(&Exact::from(3)).unwrap())]
        );
        assert_eq!(row("Interview minutes")[2], Cell::Number(d("27.5"), 1));
        assert_eq!(
            row("Hired of those at 8")[1..3],
            [Cell::Count(3), Cell::Share(Exact::from(2).over(&Exact::from(3)).unwrap())]
        );
        assert_eq!(row("Hired of those below 8")[1], Cell::Count(2));
        assert_eq!(row("Satisfaction")[2], Cell::Number(d("4"), 1));
        let Some(Plot::Line { points, .. }) =
            report.charts.iter().map(|chart| &chart.plot).find(|plot| matches!(plot, Plot::Line { .. }))
        else {
            panic!()
        };
        assert_eq!(
            points.iter().map(|(month, days)| (month.as_str(), days.is_some())).collect::<Vec<_>>(),
            [("2026-01", true), ("2026-02", false), ("2026-03", true)]
        );
        let wrong = made("programme", "offer\nmaybe\n", &asked()).unwrap_err();
        assert!(wrong.detail.contains("maybe"), "{wrong}");
    }
}
