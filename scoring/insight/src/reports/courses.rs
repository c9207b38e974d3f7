//! How far completing a course and later performance go together.

use super::thresholds::correlation;
use super::{Asked, Kind as ReportKind};
use crate::figures::{fitted, percent};
use crate::input;
use crate::report::{Bar, Cell, Chart, Finding, Kind, Plot, Proposal, Report, Table};
use crate::text::Text;
use hub_calc::Exact;
use hub_interview::statistics;
use std::collections::BTreeMap;

/// What it is.
pub(super) const KIND: ReportKind = ReportKind {
    name: "course-effect",
    title,
    about: "Completion of each course against later performance; from r 0.7 and 30 people on, a proposal.",
    columns: COLUMNS,
    make: |table, asked| {
        let read = |cells: &input::Cells<'_, '_>| {
            Ok(Row {
                course: cells.text("course")?.to_owned(),
                completion: cells.number("completion")?,
                performance: cells.number("performance")?,
            })
        };
        Ok(report(&input::rows(table, COLUMNS, read)?, asked))
    },
};

const COLUMNS: &[&str] = &["course", "completion", "performance"];
/// People without whom a course is not proposed as mandatory (house rule).
const ENOUGH: usize = 30;
/// Scatter plots that a page has room for, and points in one.
const MOST_CHARTS: usize = 6;
const MOST_POINTS: usize = 1_000;

fn title() -> Text {
    Text::new("课程与绩效", "Courses and performance")
}

/// One person in one course.
#[derive(Clone, Debug)]
pub struct Row {
    /// Which course.
    pub course: String,
    /// What was completed of it, 0 to 100.
    pub completion: Exact,
    /// Later performance, 0 to 100.
    pub performance: Exact,
}

struct Course<'r> {
    name: &'r str,
    x: Vec<Exact>,
    y: Vec<Exact>,
    r: Option<(Exact, (Exact, Exact))>,
}

/// The report.
#[must_use]
pub fn report(rows: &[Row], asked: &Asked) -> Report {
    let mut by_course: BTreeMap<&str, (Vec<Exact>, Vec<Exact>)> = BTreeMap::new();
    for row in rows {
        let (x, y) = by_course.entry(&row.course).or_default();
        x.push(row.completion.clone());
        y.push(row.performance.clone());
    }
    let course = |(name, (x, y)): (_, (Vec<Exact>, Vec<Exact>))| Course { name, r: correlation(&x, &y), x, y };
    let mut courses: Vec<Course<'_>> = by_course.into_iter().map(course).collect();
    courses.sort_by(|one, other| other.r.as_ref().map(|(r, _)| r).cmp(&one.r.as_ref().map(|(r, _)| r)));
    let enough = |one: &&Course<'_>| one.r.is_some() && one.x.len() >= ENOUGH;
    let bars: Vec<Bar> = courses.iter().filter_map(Course::bar).collect();
    let mut charts = Vec::new();
    if !bars.is_empty() {
        let ends = Some((-Exact::one(), Exact::one()));
        let axis = Text::new("相关系数 r（95% 区间）", "correlation r (95 % interval)");
        charts.push(Chart {
            title: Text::new("完成度与绩效的相关", "Completion and performance"),
            plot: Plot::Bars { axis, bars, ends, mark: Some((seven_tenths(), Text::same("0.7"))) },
        });
    }
    charts.extend(courses.iter().filter(enough).take(MOST_CHARTS).map(Course::scatter));
    Report {
        name: KIND.name,
        title: title(),
        about: asked.about(Text::new("学习记录数", "Enrolments"), rows.len()),
        findings: courses.iter().map(Course::finding).collect(),
        charts,
        tables: vec![Table {
            title: Text::new("各课程", "By course"),
            heads: vec![
                Text::new("课程", "Course"),
                Text::same("n"),
                Text::new("完成度均值", "Mean completion"),
                Text::new("绩效均值", "Mean performance"),
                Text::same("r"),
                Text::new("95% 区间", "95 % interval"),
            ],
            rows: courses.iter().map(Course::row).collect(),
        }],
        method: vec![Text::new(
            "Pearson 相关系数与 Fisher 95% 区间；少于 30 人不提出建议，少于 5 人不显示。",
            "Pearson's r with Fisher's 95 % interval; nothing is proposed for fewer than 30 people, and nothing shown for fewer than 5.",
        )],
    }
}

fn seven_tenths() -> Exact {
    Exact::from(7).over(&Exact::from(10)).unwrap_or_else(Exact::one)
}

impl Course<'_> {
    fn bar(&self) -> Option<Bar> {
        let (r, interval) = self.r.clone()?;
        let label = Text::same(format!("{} (n={})", r.to_places(2), self.x.len()));
        Some(Bar { name: Text::same(self.name), flagged: false, label, interval: Some(interval), value: r })
    }

    fn scatter(&self) -> Chart {
        let points = self.x.iter().cloned().zip(self.y.iter().cloned()).take(MOST_POINTS).collect();
        let plot = Plot::Scatter {
            x: Text::new("完成度（%）", "completed (%)"),
            y: Text::new("绩效（0–100）", "performance (0–100)"),
            points,
            line: fitted(&self.x, &self.y),
        };
        Chart { title: Text::same(self.name), plot }
    }

    fn row(&self) -> Vec<Cell> {
        let Some((r, interval)) = self.r.clone() else {
            return vec![
                Cell::name(self.name),
                if self.x.len() < crate::FEWEST { Cell::Hidden } else { Cell::count(self.x.len()) },
                Cell::Empty,
                Cell::Empty,
                Cell::Empty,
                Cell::Empty,
            ];
        };
        vec![
            Cell::name(self.name),
            Cell::count(self.x.len()),
            Cell::number(statistics::mean(&self.x), 1),
            Cell::number(statistics::mean(&self.y), 1),
            Cell::Number(r, 3),
            Cell::Interval(interval, 3),
        ]
    }

    fn finding(&self) -> Finding {
        let (name, n) = (self.name, self.x.len());
        let Some((r, interval)) = self.r.clone().filter(|_| n >= ENOUGH) else {
            let text = Text::new(
                format!("{name}：需要至少 {ENOUGH} 人且完成度与绩效有差异，才能判断。"),
                format!("{name}: at least {ENOUGH} people whose completion and performance vary are needed."),
            );
            return Finding { kind: Kind::Refused, text, n, effect: None, not_shown: Text::default(), proposal: None };
        };
        let strong = r >= seven_tenths();
        let explained = percent(&(&r * &r));
        let text = Text::new(
            format!(
                "{name}：完成度与绩效的相关系数为 {}（共同变异 {explained}）{}",
                r.to_places(2),
                if strong { "，建议列为必修。" } else { "。" }
            ),
            format!(
                "{name}: completion and performance correlate with r = {} ({explained} of the variance){}",
                r.to_places(2),
                if strong { ": it is proposed as mandatory." } else { "." }
            ),
        );
        let proposal = strong.then(|| Proposal {
            change: "mandatory_course",
            of: name.to_owned(),
            from: Some("optional".to_owned()),
            to: "mandatory".to_owned(),
        });
        let not_shown = Text::new(
            "因果：更投入的人可能既学完课程又绩效更好。",
            "a cause: keener people may both finish courses and perform better.",
        );
        let kind = if strong { Kind::Proposal } else { Kind::Fact };
        Finding { kind, text, n, effect: Some((Text::same("r"), r, Some(interval))), not_shown, proposal }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{asked, made};
    use super::*;

    #[test]
    fn a_strong_relation_of_thirty_people_is_a_proposal_and_of_fewer_it_is_not() {
        let table = |people: i64| {
            let row = |person: i64| format!("谈判,{},{}\n", person * 3, 50 + person + (person * 7) % 5);
            "course,completion,performance\n".to_owned() + &(0..people).map(row).collect::<String>()
        };
        let report = made("course-effect", &table(30), &asked()).unwrap();
        let finding = &report.findings[0];
        assert!(finding.kind == Kind::Proposal && finding.n == 30, "{finding:?}");
        assert_eq!(finding.proposal.as_ref().unwrap().to, "mandatory");
        assert!(matches!(&report.charts[1].plot, Plot::Scatter { line: Some(_), points, .. } if points.len() == 30));
        let thin = made("course-effect", &table(29), &asked()).unwrap();
        assert_eq!((thin.findings[0].kind, thin.charts.len()), (Kind::Refused, 1));
        let none: String = "course,completion,performance\n".to_owned() + &"谈判,100,80\n".repeat(40);
        assert_eq!(made("course-effect", &none, &asked()).unwrap().findings[0].kind, Kind::Refused);
    }
}
