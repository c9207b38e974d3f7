//! What thresholds tell of later outcomes, dimension by dimension, and which one to propose.
//!
//! Every candidate needs 30 outcomes on each side (house rule, as in the calculation `threshold_analysis`). What comes
//! out is a proposal with its data window, numbers and expected effect on selection rates, also by group where groups
//! are known; nothing is changed by it.

mod groups;

use super::{Asked, Kind as ReportKind};
use crate::figures::{FEWEST, Rate, ends, exact, hundredfold, percent, percent_axis};
use crate::input;
use crate::report::{Cell, Chart, Finding, Kind, Plot, Proposal, Report, Table};
use crate::text::Text;
use hub_calc::Exact;
use hub_interview::statistics;
use std::collections::{BTreeMap, BTreeSet};

/// What it is.
pub(super) const KIND: ReportKind = ReportKind {
    name: "thresholds",
    title,
    about: "Later outcomes above and below each candidate threshold, and a proposal with its effect on groups.",
    columns: COLUMNS,
    make: |table, asked| {
        let read = |cells: &input::Cells<'_, '_>| {
            Ok(Row {
                dimension: cells.text("dimension")?.to_owned(),
                score: cells.number("score")?,
                met: cells.yes_or_no("met")?,
                group: cells.optional("group").map(str::to_owned),
            })
        };
        Ok(report(&input::rows(table, COLUMNS, read)?, asked))
    },
};

const COLUMNS: &[&str] = &["dimension", "score", "met", "group"];
/// Outcomes that are needed on each side (house rule).
const EACH_SIDE: usize = 30;
/// Candidates stand so far apart.
const APART: i64 = 5;

fn title() -> Text {
    Text::new("门槛与后续结果", "Thresholds and later outcomes")
}

/// One person's score in one dimension.
#[derive(Clone, Debug)]
pub struct Row {
    /// In which dimension.
    pub dimension: String,
    /// From 0 to 100.
    pub score: Exact,
    /// Whether the later target was met; nothing for who was not hired, or not yet appraised.
    pub met: Option<bool>,
    /// A group for the fairness check, as the person said.
    pub group: Option<String>,
}

/// A candidate threshold.
struct Candidate {
    at: Exact,
    above: Rate,
    below: Rate,
    /// Of all applicants, those at or above it.
    selected: Rate,
    is_youden: bool,
}

/// One dimension.
struct Study<'r> {
    dimension: &'r str,
    rows: Vec<&'r Row>,
    scores: Vec<Exact>,
    met: Vec<bool>,
    candidates: Vec<Candidate>,
}

/// The report.
#[must_use]
pub fn report(rows: &[Row], asked: &Asked) -> Report {
    let mut by_dimension: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        by_dimension.entry(&row.dimension).or_default().push(row);
    }
    let (mut findings, mut charts, mut tables) = (Vec::new(), Vec::new(), Vec::new());
    for (dimension, rows) in by_dimension {
        let study = Study::of(dimension, rows);
        let Some(best) = study.best() else {
            findings.push(study.refused());
            continue;
        };
        findings.push(study.finding(best, asked));
        charts.push(study.outcomes(best));
        charts.push(study.line());
        tables.push(study.table());
        if let Some((table, chart, finding)) = study.groups(&best.at, asked) {
            tables.push(table);
            charts.push(chart);
            findings.extend(finding);
        }
    }
    findings.sort_by_key(|finding| match finding.kind {
        Kind::Proposal => 0,
        Kind::Warning => 1,
        Kind::Fact => 2,
        Kind::Refused => 3,
    });
    Report {
        name: KIND.name,
        title: title(),
        about: asked.about(Text::new("得分数", "Scores"), rows.len()),
        findings,
        charts,
        tables,
        method: method(),
    }
}

fn method() -> Vec<Text> {
    vec![
        Text::new(
            "候选门槛为每 5 分一档及 Youden 点；每侧至少 30 个结果，否则不作判断。",
            "Candidates are every 5 points and Youden's point; with fewer than 30 outcomes on either side nothing is said.",
        ),
        Text::new(
            "比例附 Wilson 95% 区间，差值附 Newcombe 区间；AUC 的标准误按 Hanley–McNeil。",
            "Rates have Wilson's 95 % interval, differences Newcombe's; the standard error of the AUC is Hanley and McNeil's.",
        ),
        Text::new(
            "只有录用者有后续结果，因此相关性被低估；按组的入选率以全部候选人计算，少于 5 人的组不显示。",
            "Only people who were hired have outcomes, so that relations are understated; selection rates by group count all candidates, and groups of fewer than 5 are not shown.",
        ),
    ]
}

impl<'r> Study<'r> {
    fn of(dimension: &'r str, rows: Vec<&'r Row>) -> Self {
        let known: Vec<(Exact, bool)> = rows.iter().filter_map(|row| Some((row.score.clone(), row.met?))).collect();
        let (scores, met): (Vec<Exact>, Vec<bool>) = known.into_iter().unzip();
        let mut study = Self { dimension, rows, scores, met, candidates: Vec::new() };
        study.candidates = study.candidates();
        study
    }

    fn candidates(&self) -> Vec<Candidate> {
        let youden = statistics::youden(&self.scores, &self.met).and_then(|(at, _)| self.scores.get(at)).cloned();
        let mut places: BTreeSet<Exact> = (0..=100 / APART).map(|step| Exact::from(step * APART)).collect();
        places.extend(youden.clone());
        let candidate = |at: Exact| {
            let side = |above: bool| {
                let of_side = self.scores.iter().zip(&self.met).filter(|(score, _)| (**score >= at) == above);
                Rate::of(of_side.map(|(_, met)| *met))
            };
            let selected = Rate::of(self.rows.iter().map(|row| row.score >= at));
            Candidate { above: side(true), below: side(false), selected, is_youden: youden.as_ref() == Some(&at), at }
        };
        let all = places.into_iter().map(candidate);
        all.filter(|one| one.above.all >= EACH_SIDE && one.below.all >= EACH_SIDE).collect()
    }

    /// Youden's point, or else the candidate with the largest difference.
    fn best(&self) -> Option<&Candidate> {
        let difference = |one: &Candidate| one.above.less(one.below).map(|(difference, _)| difference);
        let youden = self.candidates.iter().find(|one| one.is_youden);
        youden.or_else(|| self.candidates.iter().max_by_key(|one| difference(one)))
    }

    fn refused(&self) -> Finding {
        let (dimension, n) = (self.dimension, self.scores.len());
        let text = Text::new(
            format!("{dimension}：{n} 个后续结果，没有任何门槛两侧各有 {EACH_SIDE} 个；不作判断。"),
            format!(
                "{dimension}: {n} outcomes, and no threshold has {EACH_SIDE} of them on each side; nothing is said."
            ),
        );
        Finding { kind: Kind::Refused, text, n, effect: None, not_shown: Text::default(), proposal: None }
    }

    fn finding(&self, best: &Candidate, asked: &Asked) -> Finding {
        let (dimension, at, n) = (self.dimension, &best.at, self.scores.len());
        let share = |rate: Rate| rate.share().map(|share| percent(&share)).unwrap_or_default();
        let (above, below, selected) = (share(best.above), share(best.below), share(best.selected));
        let (difference, interval) = best.above.less(best.below).unzip();
        let speaks = interval.as_ref().is_some_and(|(low, _)| low.is_positive());
        let area = statistics::auc(&self.scores, &self.met);
        let winners = self.met.iter().filter(|met| **met).count();
        let area = area.map(|area| {
            let error = statistics::hanley_mcneil(area.to_float(), winners, n - winners);
            let error = exact(error).map(|error| error.to_places(3)).unwrap_or_default();
            format!("AUC {} ± {error}", area.to_places(3))
        });
        let area = area.unwrap_or_default();
        let now = asked.mark.as_ref();
        let (now_zh, now_en) = now.map_or_else(Default::default, |now| {
            let rate = share(Rate::of(self.rows.iter().map(|row| row.score >= *now)));
            (format!("（现行 {now} 分时为 {rate}）"), format!(" ({rate} at {now}, the threshold in force)"))
        });
        let text = Text::new(
            format!("{dimension} ≥ {at}：{above} 达标，低于则 {below}；预计入选率 {selected}{now_zh}；{area}。"),
            format!(
                "{dimension} ≥ {at}: {above} met the target, below it {below}; expected selection rate {selected}{now_en}; {area}."
            ),
        );
        let k = self.candidates.len();
        let not_shown = Text::new(
            format!("因果；该门槛是从 {k} 个候选中选出的，区间未计入这一选择，应以之后的数据检验。"),
            format!(
                "a cause; the threshold is the best of {k} candidates, which its interval does not count: try it on later data."
            ),
        );
        let effect =
            difference.map(|difference| (Text::new("达标率之差", "difference of the rates"), difference, interval));
        let proposal = speaks.then(|| Proposal {
            change: "threshold",
            of: dimension.to_owned(),
            from: now.map(ToString::to_string),
            to: at.to_string(),
        });
        let kind = if speaks { Kind::Proposal } else { Kind::Fact };
        Finding { kind, text, n, effect, not_shown, proposal }
    }

    fn outcomes(&self, best: &Candidate) -> Chart {
        let at = &best.at;
        let bars = [
            best.above.bar(Text::new(format!("≥ {at} 分"), format!("{at} and above")), false),
            best.below.bar(Text::new(format!("低于 {at} 分"), format!("below {at}")), false),
        ];
        let axis = Text::new("达标率（%，95% 区间）", "met the target (%, 95 % interval)");
        let plot = Plot::Bars { axis, bars: bars.into_iter().flatten().collect(), ends: percent_axis(), mark: None };
        Chart {
            title: Text::new(
                format!("{}：门槛两侧的达标率", self.dimension),
                format!("{}: outcomes on both sides", self.dimension),
            ),
            plot,
        }
    }

    fn line(&self) -> Chart {
        let point = |one: &Candidate| {
            (one.at.rounded(1).to_string(), one.above.less(one.below).map(|(difference, _)| hundredfold(&difference)))
        };
        let plot = Plot::Line {
            x: Text::new("门槛（分）", "threshold (points)"),
            y: Text::new("达标率之差（百分点）", "difference of the rates (percentage points)"),
            points: self.candidates.iter().map(point).collect(),
            ends: None,
        };
        Chart {
            title: Text::new(
                format!("{}：各门槛的差值", self.dimension),
                format!("{}: difference by threshold", self.dimension),
            ),
            plot,
        }
    }

    fn table(&self) -> Table {
        let row = |one: &Candidate| {
            let (difference, interval) = one.above.less(one.below).unzip();
            let lift = difference.as_ref().and_then(|difference| difference.over(&one.below.share()?));
            let name = if one.is_youden { format!("{} (Youden)", one.at) } else { one.at.to_string() };
            vec![
                Cell::name(&name),
                Cell::count(one.above.all),
                Cell::share(one.above.share()),
                Cell::shares(one.above.interval()),
                Cell::count(one.below.all),
                Cell::share(one.below.share()),
                Cell::shares(one.below.interval()),
                Cell::share(difference),
                Cell::shares(interval),
                Cell::share(lift),
                Cell::share(one.selected.share()),
            ]
        };
        let heads = vec![
            Text::new("门槛", "Threshold"),
            Text::new("以上 n", "n above"),
            Text::new("以上达标率", "Rate above"),
            Text::new("95% 区间", "95 % interval"),
            Text::new("以下 n", "n below"),
            Text::new("以下达标率", "Rate below"),
            Text::new("95% 区间", "95 % interval"),
            Text::new("差值（百分点）", "Difference (points)"),
            Text::new("差值 95% 区间", "95 % of the difference"),
            Text::new("相对提升", "Relative lift"),
            Text::new("入选率", "Selection rate"),
        ];
        Table {
            title: Text::new(
                format!("{}：候选门槛", self.dimension),
                format!("{}: candidate thresholds", self.dimension),
            ),
            heads,
            rows: self.candidates.iter().map(row).collect(),
        }
    }
}

/// How far scores at hiring and outcomes go together, where there are enough of both.
#[must_use]
pub fn correlation(x: &[Exact], y: &[Exact]) -> Option<(Exact, (Exact, Exact))> {
    let r = statistics::pearson(x, y).filter(|_| x.len() >= FEWEST)?;
    Some((exact(r)?, ends(statistics::fisher(r, x.len())?)?))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{asked, d, made};
    use super::*;

    /// 40 people at 70 of whom 10 met the target, 40 at 90 of whom 30 did; all of B are at 70.
    fn table(groups: bool) -> String {
        let mut table = "dimension,score,met,group\n".to_owned();
        for (score, met, all, group) in [(70, 10, 40, "A"), (90, 30, 40, "A")] {
            for person in 0..all {
                let group = if groups && score == 70 && person % 2 == 0 { "B" } else { group };
                let group = if groups { group } else { "" };
                table += &format!("客户导向,{score},{},{group}\n", u8::from(person < met));
            }
        }
        table
    }

    #[test]
    fn the_proposal_names_threshold_rates_and_interval() {
        let report = made("thresholds", &table(false), &Asked { mark: Some(d("70")), ..asked() }).unwrap();
        let [finding] = report.findings.as_slice() else { panic!("{:?}", report.findings) };
        assert_eq!((finding.kind, finding.n), (Kind::Proposal, 80));
        let proposal = finding.proposal.as_ref().unwrap();
        assert_eq!(
            (proposal.change, proposal.of.as_str(), proposal.to.as_str(), proposal.from.as_deref()),
            ("threshold", "客户导向", "90", Some("70"))
        );
        let (_, size, interval) = finding.effect.clone().unwrap();
        assert_eq!(size, d("0.5"));
        // Newcombe for 30 of 40 less 10 of 40.
        let (low, high) = interval.unwrap();
        assert_eq!((low.to_places(3), high.to_places(3)), ("0.285".into(), "0.653".into()));
        assert!(
            finding.text.en.contains("75.0 %")
                && finding.text.en.contains("50.0 %")
                && finding.text.en.contains("100.0 % at 70"),
            "{}",
            finding.text.en
        );
        assert_eq!(report.tables.len(), 1, "no groups were given");
    }

    #[test]
    fn a_proposal_that_leaves_a_group_out_is_warned_of() {
        let report = made("thresholds", &table(true), &asked()).unwrap();
        let warning = report.findings.iter().find(|one| one.kind == Kind::Warning).unwrap();
        assert!(warning.text.en.contains("ratio of B is 0.00"), "{}", warning.text.en);
        assert_eq!(report.tables.len(), 2);
    }

    #[test]
    fn thin_data_and_no_difference_give_no_proposal() {
        let thin: String = table(false).lines().take(60).map(|line| format!("{line}\n")).collect();
        let report = made("thresholds", &thin, &asked()).unwrap();
        assert_eq!(report.findings[0].kind, Kind::Refused);
        assert!(report.charts.is_empty());
        let mut even = "dimension,score,met\n".to_owned();
        for person in 0..120 {
            even += &format!("抗压能力,{},{}\n", if person < 60 { 60 } else { 80 }, person % 2);
        }
        let report = made("thresholds", &even, &asked()).unwrap();
        assert!(
            report.findings.iter().all(|one| one.proposal.is_none() && one.kind != Kind::Proposal),
            "{:?}",
            report.findings
        );
    }
}
