//! Who may leave: a logistic model learnt from the house's own records, tried on later ones, with each person's parts.
//!
//! A risk opens a talk about staying; it is never a reason for a penalty. Protected attributes and health are refused.

use super::{Asked, Kind as ReportKind};
use crate::figures::{exact, percent_axis};
use crate::input::{self, Wrong};
use crate::report::{Bar, Cell, Chart, Finding, Kind, Plot, Report, Table};
use crate::text::Text;
use hub_appraisal::attrition::{FEWEST_LEAVERS, FEWEST_PEOPLE, auc, contributions, is_protected};
use hub_appraisal::logit::{Fit, NoFit, fit, logit, probability};
use hub_calc::Exact;
use hub_tree::Value;

/// What it is.
pub(super) const KIND: ReportKind = ReportKind {
    name: "attrition",
    title,
    about: "A logistic model of leaving: coefficients, errors, AUC on later data, and each person's parts.",
    columns: &[],
    make: |table, asked| {
        let features = feature_names(table)?;
        let read = |cells: &input::Cells<'_, '_>| {
            let period = match cells.text("period")? {
                "learn" => Period::Learn,
                "later" => Period::Later,
                "now" => Period::Now,
                other => return Err(format!("`period` is `{other}`: learn, later or now is needed")),
            };
            let left = cells.yes_or_no("left")?;
            if left.is_none() && period != Period::Now {
                return Err("`left` is empty or missing".to_owned());
            }
            let values: Result<Vec<Exact>, String> = features.iter().map(|name| cells.number(name)).collect();
            Ok(Row { person: cells.text("person")?.to_owned(), period, left, features: values? })
        };
        let rows = input::rows(table, &[], read)?;
        Ok(report(&features, &rows, asked))
    },
};

/// People are warned of from here on (requirement 004).
const ALERT_PERCENT: i64 = 60;
/// People whose risks are listed.
const MOST_PEOPLE: usize = 50;

fn title() -> Text {
    Text::new("离职风险", "Risk of leaving")
}

/// The columns that are features: all but those of the report itself.
fn feature_names(table: &[Value<'_>]) -> Result<Vec<String>, Wrong> {
    let heads = table.first().map(Value::entries).unwrap_or_default();
    let names: Vec<String> = heads
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .filter(|name| !["person", "period", "left"].contains(&name.as_str()))
        .collect();
    match names.iter().find(|name| is_protected(name)) {
        Some(name) => Err(Wrong {
            row: 1,
            detail: format!("`{name}` is a protected attribute or about health; leave the column out"),
        }),
        None => Ok(names),
    }
}

/// What a row is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// The model is learnt from it.
    Learn,
    /// The model is tried on it.
    Later,
    /// Its risk is asked for.
    Now,
}

/// One person at one time.
#[derive(Clone, Debug)]
pub struct Row {
    /// Who, as people know them.
    pub person: String,
    /// What for.
    pub period: Period,
    /// Whether the person left, where that is known.
    pub left: Option<bool>,
    /// The features, in the order of their names.
    pub features: Vec<Exact>,
}

/// The report. `features` are their names.
#[must_use]
pub fn report(features: &[String], rows: &[Row], asked: &Asked) -> Report {
    let of = |period: Period| rows.iter().filter(move |row| row.period == period);
    let (people, leavers) = (of(Period::Learn).count(), of(Period::Learn).filter(|row| row.left == Some(true)).count());
    let learnt = learn(&of(Period::Learn).collect::<Vec<_>>(), features.len());
    let mut report = Report {
        name: KIND.name,
        title: title(),
        about: asked.about(Text::new("人次", "People and times"), rows.len()),
        findings: Vec::new(),
        charts: Vec::new(),
        tables: Vec::new(),
        method: method(),
    };
    match learnt {
        Err(why) => report.findings.push(Finding {
            kind: Kind::Refused,
            text: why,
            n: people,
            effect: None,
            not_shown: Text::default(),
            proposal: None,
        }),
        Ok(found) => {
            report.findings.push(tried(&found, &of(Period::Later).collect::<Vec<_>>(), people, leavers));
            report.tables.push(model(&found, features));
            report.charts.extend(coefficients(&found, features));
            people_of(&mut report, &found, features, &of(Period::Now).collect::<Vec<_>>());
        }
    }
    report
}

fn method() -> Vec<Text> {
    vec![
        Text::new(
            "逻辑回归：P(离职)＝1÷(1＋e^−(b0＋Σb·x))，最大似然估计；少于 50 人或 10 名离职者不建模；完全分离时不建模。",
            "Logistic regression, P(left) = 1 ÷ (1 + e^−(b0 + Σ b·x)), by maximum likelihood; refused for fewer than 50 people or 10 leavers, and when the features separate leavers without error.",
        ),
        Text::new(
            "AUC 以建模期之后的数据检验。每个人的各项贡献为 b·x。",
            "The AUC is that on data after those that the model was learnt from. A person's parts are b·x.",
        ),
        Text::new(
            "不使用受保护特征与健康信息。风险只用于发起留任沟通，绝不用于处罚。",
            "No protected attribute and nothing about health is used. A risk opens a talk about staying, never a penalty.",
        ),
    ]
}

fn floats(row: &Row) -> Vec<f64> {
    row.features.iter().map(Exact::to_float).collect()
}

fn learn(rows: &[&Row], features: usize) -> Result<Fit, Text> {
    let leavers = rows.iter().filter(|row| row.left == Some(true)).count();
    if rows.len() < FEWEST_PEOPLE || leavers < FEWEST_LEAVERS || leavers == rows.len() || features == 0 {
        return Err(Text::new(
            format!(
                "{} 人、{leavers} 名离职者；至少需要 {FEWEST_PEOPLE} 人、{FEWEST_LEAVERS} 名离职者以及留任者，不建模。",
                rows.len()
            ),
            format!(
                "{} people and {leavers} leavers; at least {FEWEST_PEOPLE} people, {FEWEST_LEAVERS} leavers and some who stayed are needed for a model.",
                rows.len()
            ),
        ));
    }
    let design: Vec<Vec<f64>> = rows.iter().map(|row| floats(row)).collect();
    let left: Vec<bool> = rows.iter().map(|row| row.left == Some(true)).collect();
    fit(&design, &left, 0.0).map_err(|why| match why {
        NoFit::Separated => Text::new(
            "特征把离职者与留任者完全分开，系数无最优值；需要更多数据。",
            "The features tell leavers from stayers without error, so that no coefficients are the best; more records are needed.",
        ),
        NoFit::Dependent => Text::new("有一项特征对所有人相同，或为其他特征之和。", "A feature is the same for everybody, or a sum of others."),
        NoFit::Unsettled => Text::new("系数未收敛；请检查超出范围的数值。", "The search for coefficients did not settle; look for values out of range."),
    })
}

/// What later data say of the model.
fn tried(found: &Fit, later: &[&Row], people: usize, leavers: usize) -> Finding {
    let risks: Vec<(f64, bool)> =
        later.iter().filter_map(|row| Some((logit(&found.coefficients, &floats(row)), row.left?))).collect();
    let not_shown =
        Text::new("离职的原因，以及记录之外的情况。", "why people leave, and whatever is not in the records.");
    let Some(area) = auc(&risks) else {
        let text = Text::new(
            format!("模型由 {people} 人（{leavers} 名离职者）得出，尚无后续数据检验，不可据此排序。"),
            format!(
                "The model is learnt from {people} people, {leavers} of whom left; there are no later data to try it on: do not order people by it yet."
            ),
        );
        return Finding { kind: Kind::Warning, text, n: people, effect: None, not_shown, proposal: None };
    };
    let text = Text::new(
        format!(
            "模型由 {people} 人（{leavers} 名离职者）得出；在之后的 {} 人上 AUC 为 {}。",
            risks.len(),
            area.to_places(3)
        ),
        format!(
            "The model is learnt from {people} people, {leavers} of whom left; its AUC on {} later ones is {}.",
            risks.len(),
            area.to_places(3)
        ),
    );
    let gone = risks.iter().filter(|(_, left)| *left).count();
    let error = hub_interview::statistics::hanley_mcneil(area.to_float(), gone, risks.len() - gone);
    let error = exact(error).map(|error| format!("AUC (SE {})", error.to_places(3))).unwrap_or_default();
    Finding {
        kind: Kind::Fact,
        text,
        n: risks.len(),
        effect: Some((Text::same(error), area, None)),
        not_shown,
        proposal: None,
    }
}

fn names(features: &[String]) -> impl Iterator<Item = Text> + '_ {
    std::iter::once(Text::new("截距", "intercept")).chain(features.iter().map(Text::same))
}

fn model(found: &Fit, features: &[String]) -> Table {
    let row = |((name, b), error): ((Text, &f64), &f64)| {
        vec![Cell::Text(name), Cell::number(exact(*b), 5), Cell::number(exact(*error), 5)]
    };
    Table {
        title: Text::new("模型系数", "Coefficients"),
        heads: vec![
            Text::new("特征", "Feature"),
            Text::new("系数", "Coefficient"),
            Text::new("标准误", "Standard error"),
        ],
        rows: names(features).zip(&found.coefficients).zip(&found.std_errors).map(row).collect(),
    }
}

/// Coefficients of the features with their 95 % intervals.
fn coefficients(found: &Fit, features: &[String]) -> Option<Chart> {
    let z = exact(hub_interview::statistics::Z95)?;
    let bar = |((name, b), error): ((Text, &f64), &f64)| {
        let (b, half) = (exact(*b)?, exact(*error)? * &z);
        let label = Text::same(b.to_places(3));
        Some(Bar { name, label, interval: Some((&b - &half, &b + &half)), value: b, flagged: false })
    };
    let bars = names(features).zip(&found.coefficients).zip(&found.std_errors).skip(1).filter_map(bar).collect();
    let axis = Text::new("对数几率的变化（每单位，95% 区间）", "change of the logit for a unit (95 % interval)");
    Some(Chart {
        title: Text::new("特征系数", "Coefficients"),
        plot: Plot::Bars { axis, bars, ends: None, mark: None },
    })
}

/// The people with the highest risks, and what their risks are made of.
fn people_of(report: &mut Report, found: &Fit, features: &[String], now: &[&Row]) {
    let risk = |row: &&Row| exact(probability(logit(&found.coefficients, &floats(row))));
    let mut risks: Vec<(&Row, Exact)> = now.iter().filter_map(|row| Some((*row, risk(row)?))).collect();
    risks.sort_by(|(_, one), (_, other)| other.cmp(one));
    risks.truncate(MOST_PEOPLE);
    let alert = Exact::from(ALERT_PERCENT);
    let above = risks.iter().filter(|(_, risk)| crate::figures::hundredfold(risk) >= alert).count();
    if risks.is_empty() {
        return;
    }
    let text = Text::new(
        format!("{above} 人的离职风险不低于 {ALERT_PERCENT}%：建议开展留任沟通。"),
        format!("{above} people have a risk of {ALERT_PERCENT} % or more: a talk about staying is suggested."),
    );
    let not_shown = Text::new(
        "某个人是否会离职；风险只是与过去相似者的比例。",
        "whether a certain person leaves: a risk is what became of similar people.",
    );
    report.findings.push(Finding {
        kind: if above > 0 { Kind::Warning } else { Kind::Fact },
        text,
        n: now.len(),
        effect: None,
        not_shown,
        proposal: None,
    });
    let slopes: Vec<Exact> = found.coefficients.iter().skip(1).filter_map(|b| exact(*b)).collect();
    let row = |(row, risk): &(&Row, Exact)| {
        let parts: Vec<(Exact, Exact)> = slopes.iter().cloned().zip(row.features.iter().cloned()).collect();
        let parts = contributions(&parts).into_iter().map(|part| Cell::Number(part, 3));
        [Cell::name(&row.person), Cell::Share(risk.clone())].into_iter().chain(parts).collect()
    };
    let heads = [Text::new("人员", "Person"), Text::new("风险", "Risk")]
        .into_iter()
        .chain(features.iter().map(|name| Text::new(format!("{name} 的贡献"), format!("part of {name}"))));
    report.tables.push(Table {
        title: Text::new("个人风险及其构成", "Risks and their parts"),
        heads: heads.collect(),
        rows: risks.iter().map(row).collect(),
    });
    let bar = |(row, risk): &(&Row, Exact)| {
        let value = crate::figures::hundredfold(risk);
        Bar {
            name: Text::same(&row.person),
            label: Text::same(format!("{} %", value.to_places(1))),
            flagged: value >= alert,
            interval: None,
            value,
        }
    };
    let axis = Text::new("离职风险（%）", "risk of leaving (%)");
    let mark =
        Some((alert.clone(), Text::new(format!("提醒线 {ALERT_PERCENT}%"), format!("talk from {ALERT_PERCENT} %"))));
    let plot = Plot::Bars { axis, bars: risks.iter().take(20).map(bar).collect(), ends: percent_axis(), mark };
    report.charts.push(Chart { title: Text::new("风险最高的人员", "Highest risks"), plot });
}

#[cfg(test)]
mod tests {
    use super::super::testing::{asked, made};
    use super::*;

    /// Of 40 people with two late days 30 left, of 60 with none 10 did.
    fn table() -> String {
        let mut table = "person,period,left,late_increase\n".to_owned();
        for (period, late, left, all) in
            [("learn", 2, 30, 40), ("learn", 0, 10, 60), ("later", 2, 6, 8), ("later", 0, 2, 12)]
        {
            for person in 0..all {
                table += &format!("E{person},{period},{},{late}\n", u8::from(person < left));
            }
        }
        table + "E900,now,,2\nE901,now,,0\n"
    }

    #[test]
    fn the_model_is_shown_tried_on_later_data_and_explained_for_each_person() {
        let report = made("attrition", &table(), &asked()).unwrap();
        // ln(10/50) without lateness; ln(30/10) less that, for two days.
        let cells = &report.tables[0].rows;
        assert!(matches!(&cells[0][1], Cell::Number(b, _) if b.to_places(3) == "-1.609"), "{cells:?}");
        assert!(matches!(&cells[1][1], Cell::Number(b, _) if b.to_places(3) == "1.354"), "{cells:?}");
        let found = &report.findings[0];
        // 6 × 10 pairs won of 8 × 12, and 6 × 2 + 2 × 10 ties.
        assert!(found.n == 20 && found.text.en.contains("0.792"), "{}", found.text.en);
        assert!(
            report.findings[1].kind == Kind::Warning && report.findings[1].text.en.starts_with("1 people"),
            "{:?}",
            report.findings[1]
        );
        let risks = &report.tables[1].rows;
        assert_eq!(risks[0][0], Cell::name("E900"));
        assert!(matches!(&risks[0][1], Cell::Share(risk) if risk.to_places(3) == "0.750"), "{risks:?}");
        assert!(matches!(&risks[0][2], Cell::Number(part, _) if part.to_places(2) == "2.71"), "{risks:?}");
    }

    #[test]
    fn thin_data_and_protected_attributes_are_refused() {
        let thin: String = table().lines().take(30).map(|line| format!("{line}\n")).collect();
        let report = made("attrition", &thin, &asked()).unwrap();
        assert!(report.findings[0].kind == Kind::Refused && report.tables.is_empty(), "{report:?}");
        let wrong = made("attrition", &table().replace("late_increase", "age"), &asked()).unwrap_err();
        assert!(wrong.detail.contains("protected"), "{wrong}");
        let wrong = made("attrition", "person,period,left,x\nE1,soon,1,1\n", &asked()).unwrap_err();
        assert!(wrong.detail.contains("soon"), "{wrong}");
    }
}
