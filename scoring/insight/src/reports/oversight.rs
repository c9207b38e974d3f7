//! How often people overturn what a machine proposes: who never does is a rubber stamp, and the machine decides.

use super::{Asked, Kind as ReportKind};
use crate::figures::{FEWEST, Rate, percent, percent_axis};
use crate::input;
use crate::report::{Cell, Chart, Finding, Kind, Plot, Report, Table};
use crate::text::Text;
use hub_calc::Exact;
use std::collections::BTreeMap;

/// What it is.
pub(super) const KIND: ReportKind = ReportKind {
    name: "oversight",
    title,
    about: "How many of a machine's labels people overturned, by who decided and by model version.",
    columns: COLUMNS,
    make: |table, asked| {
        let read = |cells: &input::Cells<'_, '_>| {
            let overturned = match cells.text("outcome")? {
                "AGREED" => Some(false),
                "OVERTURNED" => Some(true),
                "DECIDED" => None,
                other => return Err(format!("`outcome` is `{other}`, and not AGREED, OVERTURNED or DECIDED")),
            };
            let text = |name: &str| cells.text(name).map(str::to_owned);
            Ok(Row { recruiter: text("recruiter")?, model: text("model")?, overturned })
        };
        Ok(report(&input::rows(table, COLUMNS, read)?, asked))
    },
};

const COLUMNS: &[&str] = &["recruiter", "model", "outcome"];

/// Who surely overturns less than one in so many follows the machine, whatever it says (house rule).
const RUBBER_STAMP: i64 = 10;

fn title() -> Text {
    Text::new("人工复核与机器建议", "Human oversight of machine labels")
}

/// What one person made of one label of a machine.
#[derive(Clone, Debug)]
pub struct Row {
    /// Who decided.
    pub recruiter: String,
    /// The model and its version.
    pub model: String,
    /// Whether they went another way than the label proposed; `None` where it proposed none.
    pub overturned: Option<bool>,
}

/// What was decided in one group.
struct Standing<'r> {
    name: &'r str,
    overturned: Rate,
    open: usize,
}

/// The report.
#[must_use]
pub fn report(rows: &[Row], asked: &Asked) -> Report {
    let people = standings(rows, |row| &row.recruiter);
    let models = standings(rows, |row| &row.model);
    let total = Standing::of("", rows.iter());
    let mut findings: Vec<Finding> = Vec::new();
    findings.extend(overall(&total));
    findings.extend(people.iter().filter(|one| one.is_rubber_stamp()).map(stamp));
    let bars: Vec<_> = people
        .iter()
        .filter(|one| one.overturned.all >= FEWEST)
        .filter_map(|one| one.overturned.bar(Text::same(one.name), one.is_rubber_stamp()))
        .collect();
    let mut charts = Vec::new();
    if !bars.is_empty() {
        let axis = Text::new("被人工推翻的比例（%，95% 区间）", "overturned by people (%, 95 % interval)");
        charts.push(Chart {
            title: Text::new("各复核人推翻的比例", "Overturned, by who decided"),
            plot: Plot::Bars { axis, bars, ends: percent_axis(), mark: None },
        });
    }
    let heads = |first: Text| {
        vec![
            first,
            Text::new("有建议 n", "n with a proposal"),
            Text::new("推翻", "Overturned"),
            Text::new("推翻比例", "Share overturned"),
            Text::new("95% 区间", "95 % interval"),
            Text::new("待考虑 n", "n left open"),
        ]
    };
    let table = |title: Text, first: Text, of: &[Standing<'_>]| Table {
        title,
        heads: heads(first),
        rows: of.iter().map(Standing::row).collect(),
    };
    Report {
        name: KIND.name,
        title: title(),
        about: asked.about(Text::new("人工决定数", "Human decisions"), rows.len()),
        findings,
        charts,
        tables: vec![
            table(Text::new("按复核人", "By who decided"), Text::new("复核人", "Who"), &people),
            table(Text::new("按模型版本", "By model version"), Text::new("模型版本", "Model version"), &models),
        ],
        method: vec![Text::new(
            "推翻＝机器建议推荐而人工拒绝，或机器不推荐而人工推进；待考虑不计入比例。少于 5 个决定的不显示。若 95% 区间上限低于 10%，视为几乎总是照办。",
            "Overturned: the machine recommended and a person rejected, or the other way round. What it left open (待考虑) is in no share. Fewer than 5 decisions are not shown. Somebody whose 95 % interval ends below 10 % nearly always follows the machine.",
        )],
    }
}

fn standings<'r>(rows: &'r [Row], name: impl Fn(&'r Row) -> &'r str) -> Vec<Standing<'r>> {
    let mut groups: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        groups.entry(name(row)).or_default().push(row);
    }
    groups.into_iter().map(|(name, rows)| Standing::of(name, rows)).collect()
}

/// The sentence on all of them.
fn overall(total: &Standing<'_>) -> Option<Finding> {
    let (n, rate) = (total.overturned.all, total.overturned);
    if n < FEWEST {
        return None;
    }
    let share = rate.share()?;
    let shown = percent(&share);
    Some(Finding {
        kind: Kind::Fact,
        text: Text::new(
            format!("机器给出建议的 {n} 个人工决定中，{shown} 推翻了建议。"),
            format!("Of {n} decisions of people on a machine's proposal, {shown} overturned it."),
        ),
        n,
        effect: Some((Text::new("推翻比例", "share overturned"), share, rate.interval())),
        not_shown: not_shown(),
        proposal: None,
    })
}

fn stamp(one: &Standing<'_>) -> Finding {
    let (who, n) = (one.name, one.overturned.all);
    let share = one.overturned.share().unwrap_or_else(Exact::zero);
    let shown = percent(&share);
    Finding {
        kind: Kind::Warning,
        text: Text::new(
            format!("{who} 几乎总是照办：{n} 个建议中推翻 {shown}。"),
            format!("{who} nearly always follows the machine: {shown} of {n} proposals were overturned."),
        ),
        n,
        effect: Some((Text::new("推翻比例", "share overturned"), share, one.overturned.interval())),
        not_shown: not_shown(),
        proposal: None,
    }
}

fn not_shown() -> Text {
    Text::new(
        "复核是否认真；建议正确时照办也是对的。",
        "whether anybody looked closely: to follow a proposal that is right is right.",
    )
}

impl<'r> Standing<'r> {
    fn of(name: &'r str, rows: impl IntoIterator<Item = &'r Row>) -> Self {
        let (mut told, mut open) = (Vec::new(), 0);
        for row in rows {
            match row.overturned {
                Some(overturned) => told.push(overturned),
                None => open += 1,
            }
        }
        Self { name, overturned: Rate::of(told), open }
    }

    /// Whether they surely overturn less than one in ten.
    fn is_rubber_stamp(&self) -> bool {
        let least = Exact::one().over(&Exact::from(RUBBER_STAMP));
        let end = self.overturned.interval().map(|(_, high)| high);
        self.overturned.all >= FEWEST && end.zip(least).is_some_and(|(end, least)| end < least)
    }

    fn row(&self) -> Vec<Cell> {
        let shown = self.overturned.all >= FEWEST;
        let hidden = |count: usize, shown: bool| if shown || count == 0 { Cell::count(count) } else { Cell::Hidden };
        let share = self.overturned.share().filter(|_| shown);
        vec![
            if self.is_rubber_stamp() { Cell::Flag(Text::same(self.name)) } else { Cell::name(self.name) },
            hidden(self.overturned.all, shown),
            if shown { Cell::count(self.overturned.met) } else { Cell::Hidden },
            Cell::share(share),
            Cell::shares(self.overturned.interval().filter(|_| shown)),
            hidden(self.open, self.open >= FEWEST),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{asked, d, made};
    use super::*;

    #[test]
    fn who_never_overturns_anything_is_named_once_that_is_sure() {
        let mut table = "recruiter,model,outcome\n".to_owned();
        // 3.8415 / (34 + 3.8415) is 0.1015, and with one more 0.0989.
        for (who, count) in [("lin.hao", 34), ("petra.osei", 35)] {
            table += &format!("{who},sales@2,AGREED\n").repeat(count);
        }
        table += &"wu.min,sales@3,OVERTURNED\n".repeat(2);
        table += &"wu.min,sales@3,AGREED\n".repeat(8);
        table += &"wu.min,sales@3,DECIDED\n".repeat(6);
        let report = made("oversight", &table, &asked()).unwrap();
        let told: Vec<(Kind, usize)> = report.findings.iter().map(|one| (one.kind, one.n)).collect();
        assert_eq!(told, [(Kind::Fact, 79), (Kind::Warning, 35)]);
        assert!(report.findings[1].text.en.starts_with("petra.osei "), "{}", report.findings[1].text.en);
        let wu = &report.tables[0].rows[2];
        assert_eq!((&wu[1], &wu[3], &wu[5]), (&Cell::Count(10), &Cell::Share(d("0.2")), &Cell::Count(6)));
        let models = &report.tables[1].rows;
        assert_eq!(models.len(), 2);
        assert_eq!(models[0][1], Cell::Count(69));
    }

    #[test]
    fn few_decisions_are_not_shown() {
        let table = format!("recruiter,model,outcome\n{}", "lin.hao,sales@2,OVERTURNED\n".repeat(4));
        let report = made("oversight", &table, &asked()).unwrap();
        assert!(report.findings.is_empty() && report.charts.is_empty());
        assert_eq!(report.tables[0].rows[0][1], Cell::Hidden);
        assert!(made("oversight", "recruiter,model,outcome\na,b,MAYBE\n", &asked()).is_err());
    }
}
