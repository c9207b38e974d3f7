//! Pay by grade against leaving, and what part of pay depends on performance.

use super::{Asked, Kind as ReportKind};
use crate::figures::{FEWEST, Rate, percent, percent_axis};
use crate::input;
use crate::report::{Bar, Cell, Chart, Finding, Kind, Plot, Report, Table};
use crate::text::Text;
use hub_appraisal::grade::HOUSE_GRADES;
use hub_appraisal::pay::{mean, percent_above, points};
use hub_calc::Exact;
use std::collections::BTreeMap;

/// What it is.
pub(super) const KIND: ReportKind = ReportKind {
    name: "pay",
    title,
    about: "Mean pay and leaving by grade, relative gaps and points told apart, and the share of bonuses.",
    columns: COLUMNS,
    make: |table, asked| {
        let read = |cells: &input::Cells<'_, '_>| {
            Ok(Row {
                grade: cells.text("grade")?.to_owned(),
                pay: cells.number("pay")?,
                bonus: cells.optional_number("bonus")?,
                left: cells.yes_or_no("left")?,
            })
        };
        Ok(report(&input::rows(table, COLUMNS, read)?, asked))
    },
};

const COLUMNS: &[&str] = &["grade", "pay", "bonus", "left"];
/// A bonus that is a smaller part of pay than this percentage moves nobody (requirement 000).
const WARN_BELOW: i64 = 20;

fn title() -> Text {
    Text::new("薪酬、绩效与离职", "Pay, grades and leaving")
}

/// One person.
#[derive(Clone, Debug)]
pub struct Row {
    /// The grade of the last appraisal.
    pub grade: String,
    /// Pay of the period, one currency.
    pub pay: Exact,
    /// The part of it that is a performance bonus.
    pub bonus: Option<Exact>,
    /// Whether the person left.
    pub left: Option<bool>,
}

struct Grade<'r> {
    name: &'r str,
    people: usize,
    pay: Exact,
    left: Rate,
    share: Option<Exact>,
}

/// The report.
#[must_use]
pub fn report(rows: &[Row], asked: &Asked) -> Report {
    let mut by_grade: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        by_grade.entry(&row.grade).or_default().push(row);
    }
    let hidden: Vec<&str> = by_grade.iter().filter(|(_, rows)| rows.len() < FEWEST).map(|(name, _)| *name).collect();
    let mut grades: Vec<Grade<'_>> =
        by_grade.iter().filter(|(_, rows)| rows.len() >= FEWEST).filter_map(|(name, rows)| grade(name, rows)).collect();
    let order = |name: &str| HOUSE_GRADES.iter().position(|known| *known == name).unwrap_or(HOUSE_GRADES.len());
    grades.sort_by_key(|grade| order(grade.name));
    let mut findings: Vec<Finding> =
        grades.iter().zip(grades.iter().skip(1)).flat_map(|(one, other)| gap(one, other)).collect();
    findings.extend(bonus_share(rows));
    let mut table: Vec<Vec<Cell>> = grades.iter().map(Grade::row).collect();
    table.extend(
        hidden
            .iter()
            .map(|name| vec![Cell::name(name), Cell::Hidden, Cell::Empty, Cell::Empty, Cell::Empty, Cell::Empty]),
    );
    Report {
        name: KIND.name,
        title: title(),
        about: asked.about(Text::new("人数", "People"), rows.len()),
        findings,
        charts: charts(&grades),
        tables: vec![Table {
            title: Text::new("各等级", "By grade"),
            heads: vec![
                Text::new("等级", "Grade"),
                Text::same("n"),
                Text::new("平均薪酬", "Mean pay"),
                Text::new("奖金占比", "Bonus share"),
                Text::new("离职率", "Left"),
                Text::new("95% 区间", "95 % interval"),
            ],
            rows: table,
        }],
        method: vec![
            Text::new(
                "薪酬差为相对百分比，离职率差为百分点，二者分列。",
                "Gaps of pay are relative percentages, gaps of leaving are percentage points; they are told apart.",
            ),
            Text::new(
                "离职率附 Wilson 95% 区间，差值附 Newcombe 区间；少于 5 人的等级不显示。",
                "Rates of leaving have Wilson's 95 % interval, differences Newcombe's; grades of fewer than 5 people are not shown.",
            ),
        ],
    }
}

fn grade<'r>(name: &'r str, rows: &[&Row]) -> Option<Grade<'r>> {
    let pay: Vec<Exact> = rows.iter().map(|row| row.pay.clone()).collect();
    let with_bonus = rows.iter().filter_map(|row| Some((row.bonus.clone()?, row.pay.clone())));
    let (bonus, of): (Vec<Exact>, Vec<Exact>) = with_bonus.unzip();
    let share = Exact::total(&bonus).over(&Exact::total(&of));
    Some(Grade {
        name,
        people: rows.len(),
        pay: mean(&pay)?,
        left: Rate::of(rows.iter().filter_map(|row| row.left)),
        share,
    })
}

impl Grade<'_> {
    fn row(&self) -> Vec<Cell> {
        vec![
            Cell::name(self.name),
            Cell::count(self.people),
            Cell::Number(self.pay.clone(), 2),
            Cell::share(self.share.clone()),
            Cell::share(self.left.share()),
            Cell::shares(self.left.interval()),
        ]
    }
}

/// What one grade has more than the next one.
fn gap(one: &Grade<'_>, other: &Grade<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    let (a, b, n) = (one.name, other.name, one.people + other.people);
    let not_shown =
        Text::new("因果；岗位、资历与地区未作控制。", "a cause: roles, seniority and places are not held equal.");
    if let Some(gap) = percent_above(&one.pay, &other.pay) {
        let text = Text::new(
            format!("{a} 级平均薪酬比 {b} 级高 {}%（相对）。", gap.to_places(1)),
            format!("The mean pay of grade {a} is {} % above that of {b} (relative).", gap.to_places(1)),
        );
        let effect = Some((Text::new("相对差（%）", "relative gap (%)"), gap, None));
        found.push(Finding { kind: Kind::Fact, text, n, effect, not_shown: not_shown.clone(), proposal: None });
    }
    if let (Some(of_one), Some(of_other), Some((difference, interval))) =
        (one.left.share(), other.left.share(), one.left.less(other.left))
    {
        let text = Text::new(
            format!(
                "{a} 级离职率与 {b} 级相差 {} 个百分点（{} 与 {}）。",
                points(&of_one, &of_other).to_places(1),
                percent(&of_one),
                percent(&of_other)
            ),
            format!(
                "Leaving in grade {a} and {b} differs by {} percentage points ({} and {}).",
                points(&of_one, &of_other).to_places(1),
                percent(&of_one),
                percent(&of_other)
            ),
        );
        let effect = Some((Text::new("离职率之差", "difference of the rates"), difference, Some(interval)));
        found.push(Finding {
            kind: Kind::Fact,
            text,
            n: one.left.all + other.left.all,
            effect,
            not_shown,
            proposal: None,
        });
    }
    found
}

fn bonus_share(rows: &[Row]) -> Option<Finding> {
    let (bonus, pay): (Vec<Exact>, Vec<Exact>) =
        rows.iter().filter_map(|row| Some((row.bonus.clone()?, row.pay.clone()))).unzip();
    if bonus.len() < FEWEST {
        return None;
    }
    let share = Exact::total(&bonus).over(&Exact::total(&pay))?;
    let low = crate::figures::hundredfold(&share) < Exact::from(WARN_BELOW);
    let text = Text::new(
        format!(
            "绩效奖金占薪酬的 {}{}",
            percent(&share),
            if low { format!("，低于 {WARN_BELOW}%：建议提高到 {WARN_BELOW}%。") } else { "。".to_owned() }
        ),
        format!(
            "Performance bonuses are {} of pay{}",
            percent(&share),
            if low {
                format!(", below {WARN_BELOW} %: it is suggested to raise them to {WARN_BELOW} %.")
            } else {
                ".".to_owned()
            }
        ),
    );
    let not_shown = Text::new("提高占比后的绩效变化。", "what performance would be with a larger share.");
    Some(Finding {
        kind: if low { Kind::Warning } else { Kind::Fact },
        text,
        n: bonus.len(),
        effect: Some((Text::new("奖金占比", "bonus share"), share, None)),
        not_shown,
        proposal: None,
    })
}

fn charts(grades: &[Grade<'_>]) -> Vec<Chart> {
    if grades.is_empty() {
        return Vec::new();
    }
    let pay = grades.iter().map(|grade| {
        let label = Text::same(format!("{} (n={})", grade.pay.to_places(0), grade.people));
        Bar { name: Text::same(grade.name), value: grade.pay.clone(), label, interval: None, flagged: false }
    });
    let of_pay = Plot::Bars {
        axis: Text::new("平均薪酬（所在货币）", "mean pay (in its currency)"),
        bars: pay.collect(),
        ends: None,
        mark: None,
    };
    let left: Vec<Bar> = grades.iter().filter_map(|grade| grade.left.bar(Text::same(grade.name), false)).collect();
    let mut charts = vec![Chart { title: Text::new("各等级平均薪酬", "Mean pay by grade"), plot: of_pay }];
    if !left.is_empty() {
        let axis = Text::new("离职率（%，95% 区间）", "left (%, 95 % interval)");
        charts.push(Chart {
            title: Text::new("各等级离职率", "Leaving by grade"),
            plot: Plot::Bars { axis, bars: left, ends: percent_axis(), mark: None },
        });
    }
    charts
}

#[cfg(test)]
mod tests {
    use super::super::testing::{asked, d, made};
    use super::*;

    #[test]
    fn relative_gaps_and_points_are_told_apart_and_a_small_bonus_is_warned_of() {
        let mut table = "grade,pay,bonus,left\n".to_owned();
        for person in 0..20 {
            table += &format!("A,10000,1000,{}\n", u8::from(person < 4));
            table += &format!("S,12000,1200,{}\n", u8::from(person < 1));
        }
        table += "C,8000,,1\n";
        let report = made("pay", &table, &asked()).unwrap();
        let texts: Vec<&str> = report.findings.iter().map(|one| one.text.en.as_str()).collect();
        assert!(texts[0].contains("grade S is 20.0 % above that of A"), "{texts:?}");
        assert!(texts[1].contains("-15.0 percentage points (5.0 % and 20.0 %)"), "{texts:?}");
        assert!(report.findings[2].kind == Kind::Warning && texts[2].contains("10.0 %"), "{texts:?}");
        let rows = &report.tables[0].rows;
        assert_eq!(
            rows[0][..4],
            [Cell::name("S"), Cell::Count(20), Cell::Number(d("12000"), 2), Cell::Share(d("0.1"))]
        );
        assert_eq!(rows[2][..2], [Cell::name("C"), Cell::Hidden]);
    }
}
