//! The talent inventory: skills that roles lack, who is near, and the nine boxes of performance and potential.

use super::{Asked, Kind as ReportKind};
use crate::figures::FEWEST;
use crate::input;
use crate::report::{Bar, Cell, Chart, Finding, Kind, Plot, Report, Table};
use crate::text::Text;
use hub_appraisal::talent::{Skilled, band};
use hub_calc::Exact;

/// What it is.
pub(super) const KIND: ReportKind = ReportKind {
    name: "talent",
    title,
    about: "Skill gaps of roles, people one level below, and the nine boxes of performance and potential.",
    columns: COLUMNS,
    make: |table, asked| {
        let read = |cells: &input::Cells<'_, '_>| match cells.text("kind")? {
            "skill" => Ok(Row::Skill(Skill {
                person: cells.text("person")?.to_owned(),
                role: cells.text("role")?.to_owned(),
                skill: cells.text("skill")?.to_owned(),
                level: cells.count("level")?,
            })),
            "need" => Ok(Row::Need(Need {
                role: cells.text("role")?.to_owned(),
                skill: cells.text("skill")?.to_owned(),
                level: cells.count("level")?,
                count: cells.count("count")?,
            })),
            "box" => Ok(Row::Placed(Placed {
                person: cells.text("person")?.to_owned(),
                performance: cells.number("performance")?,
                potential: cells.number("potential")?,
            })),
            other => Err(format!("`kind` is `{other}`: skill, need or box is needed")),
        };
        let mut rows = Rows::default();
        for row in input::rows(table, COLUMNS, read)? {
            match row {
                Row::Skill(skill) => rows.skills.push(skill),
                Row::Need(need) => rows.needs.push(need),
                Row::Placed(placed) => rows.placed.push(placed),
            }
        }
        Ok(report(&rows, asked))
    },
};

const COLUMNS: &[&str] = &["kind", "person", "role", "skill", "level", "count", "performance", "potential"];
/// Where the bands of the nine boxes begin (house rule).
const CUTS: (i64, i64) = (70, 85);

fn title() -> Text {
    Text::new("人才盘点", "Talent inventory")
}

enum Row {
    Skill(Skill),
    Need(Need),
    Placed(Placed),
}

/// How well a person has a skill.
#[derive(Clone, Debug)]
pub struct Skill {
    /// Who, as people know them.
    pub person: String,
    /// In which role.
    pub role: String,
    /// Which skill.
    pub skill: String,
    /// From 0 (none) to 5 (expert).
    pub level: usize,
}

/// What a role needs.
#[derive(Clone, Debug)]
pub struct Need {
    /// Which role.
    pub role: String,
    /// Which skill.
    pub skill: String,
    /// At which level.
    pub level: usize,
    /// How many people.
    pub count: usize,
}

/// A person with both scores of the nine boxes.
#[derive(Clone, Debug)]
pub struct Placed {
    /// Who, as people know them.
    pub person: String,
    /// 0 to 100.
    pub performance: Exact,
    /// 0 to 100.
    pub potential: Exact,
}

/// All that is known.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    /// Skills of people.
    pub skills: Vec<Skill>,
    /// Needs of roles.
    pub needs: Vec<Need>,
    /// People with scores.
    pub placed: Vec<Placed>,
}

/// The report.
#[must_use]
pub fn report(rows: &Rows, asked: &Asked) -> Report {
    let mut skilled = Skilled::default();
    for one in &rows.skills {
        skilled.add(&one.role, &one.skill, one.level, &one.person);
    }
    let (mut findings, mut table, mut bars) = (Vec::new(), Vec::new(), Vec::new());
    for need in &rows.needs {
        let stand = skilled.stand(&need.role, &need.skill, need.level, need.count);
        let plan =
            if stand.gap > 0 && !stand.near.is_empty() { format!("{}进阶", need.skill) } else { String::new() };
        table.push(vec![
            Cell::name(&format!("{} · {}", need.role, need.skill)),
            Cell::count(need.level),
            Cell::count(need.count),
            Cell::count(stand.available),
            Cell::count(stand.gap),
            Cell::name(&stand.near.join("、")),
            Cell::name(&plan),
        ]);
        if stand.gap > 0 {
            findings.push(gap(need, stand.gap, stand.available, &stand.near));
            let label = Text::new(
                format!("缺 {}（有 {} / 需 {}）", stand.gap, stand.available, need.count),
                format!("{} missing ({} of {})", stand.gap, stand.available, need.count),
            );
            let name = Text::same(format!("{} · {}", need.role, need.skill));
            bars.push(Bar {
                name,
                value: Exact::from(stand.gap),
                label,
                interval: None,
                flagged: stand.near.is_empty(),
            });
        }
    }
    let mut charts = Vec::new();
    if !bars.is_empty() {
        bars.sort_by(|one, other| other.value.cmp(&one.value));
        let axis = Text::new("缺口人数（空心：无人接近）", "people missing (hollow: nobody is near)");
        charts.push(Chart {
            title: Text::new("技能缺口", "Skill gaps"),
            plot: Plot::Bars { axis, bars, ends: None, mark: None },
        });
    }
    charts.extend(nine_boxes(&rows.placed));
    let mut tables = vec![Table {
        title: Text::new("技能缺口与培训人选", "Skill gaps and who is near"),
        heads: vec![
            Text::new("岗位与技能", "Role and skill"),
            Text::new("要求等级", "Level"),
            Text::new("需要", "Required"),
            Text::new("已有", "Available"),
            Text::new("缺口", "Gap"),
            Text::new("低一级（培训人选）", "One level below"),
            Text::new("培训", "Training"),
        ],
        rows: table,
    }];
    tables.push(boxed(&rows.placed));
    Report {
        name: KIND.name,
        title: title(),
        about: asked.about(Text::new("技能记录数", "Skills of people"), rows.skills.len()),
        findings,
        charts,
        tables,
        method: vec![
            Text::new(
                "缺口＝需要人数 − 达到等级的人数；低一级者为培训人选。",
                "Gap: required less those at the level or above; those one level below are near.",
            ),
            Text::new(
                format!("九宫格以 {} 与 {} 分为界（含界）。位置仅供讨论，不自动触发任何决定。", CUTS.0, CUTS.1),
                format!(
                    "The nine boxes begin at {} and {}, both included. A place opens a discussion; it decides nothing.",
                    CUTS.0, CUTS.1
                ),
            ),
        ],
    }
}

fn gap(need: &Need, gap: usize, available: usize, near: &[&str]) -> Finding {
    let (role, skill, required) = (&need.role, &need.skill, need.count);
    let text = Text::new(
        format!(
            "{role}缺 {gap} 名{skill}达到 {} 级的人员（需 {required}，有 {available}）；{} 人低一级，可培训。",
            need.level,
            near.len()
        ),
        format!(
            "{role} lacks {gap} people at level {} of {skill} ({available} of {required}); {} are one level below and could be trained.",
            need.level,
            near.len()
        ),
    );
    let not_shown = Text::new("技能等级的来源是否一致。", "whether levels were told by one standard.");
    Finding { kind: Kind::Warning, text, n: required, effect: None, not_shown, proposal: None }
}

/// The box of a person: performance to the right, potential upwards, 0 to 2 each.
fn place(one: &Placed) -> (usize, usize) {
    let (low, high) = (Exact::from(CUTS.0), Exact::from(CUTS.1));
    (band(&one.performance, [&low, &high]), band(&one.potential, [&low, &high]))
}

fn names() -> Vec<Vec<Text>> {
    vec![
        vec![Text::new("待改进", "Underperformer"), Text::new("胜任", "Effective"), Text::new("骨干", "Trusted")],
        vec![Text::new("待发展", "Inconsistent"), Text::new("中坚", "Core"), Text::new("高绩效", "High performer")],
        vec![Text::new("待激发", "Enigma"), Text::new("潜力", "Growing"), Text::new("明星", "Star")],
    ]
}

fn nine_boxes(placed: &[Placed]) -> Option<Chart> {
    if placed.is_empty() {
        return None;
    }
    let mut rows = vec![vec![Some(0_u64); 3]; 3];
    for (performance, potential) in placed.iter().map(place) {
        let cell = rows.get_mut(potential).and_then(|row| row.get_mut(performance));
        if let Some(Some(count)) = cell {
            *count += 1;
        }
    }
    let plot =
        Plot::Grid { x: Text::new("绩效", "performance"), y: Text::new("潜力", "potential"), rows, names: names() };
    Some(Chart { title: Text::new("九宫格（人数）", "Nine boxes (people)"), plot })
}

fn boxed(placed: &[Placed]) -> Table {
    let names = names();
    let row = |one: &Placed| {
        let (performance, potential) = place(one);
        let name = names.get(potential).and_then(|row| row.get(performance)).cloned().unwrap_or_default();
        vec![
            Cell::name(&one.person),
            Cell::Number(one.performance.clone(), 1),
            Cell::Number(one.potential.clone(), 1),
            Cell::Text(name),
        ]
    };
    // A single person in a small list is not anonymous anyway: who may read this may read the people.
    let rows = if placed.len() < FEWEST { Vec::new() } else { placed.iter().map(row).collect() };
    let heads = vec![
        Text::new("人员", "Person"),
        Text::new("绩效", "Performance"),
        Text::new("潜力", "Potential"),
        Text::new("位置", "Box"),
    ];
    Table { title: Text::new("人员位置", "Places"), heads, rows }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{asked, made};
    use super::*;

    #[test]
    fn gaps_near_people_and_boxes_are_counted() {
        let mut table = "kind,person,role,skill,level,count,performance,potential\n".to_owned();
        table += "need,,研发,Python,3,4,,\nskill,张三,研发,Python,4,,,\nskill,李四,研发,Python,2,,,\nskill,王五,研发,Python,1,,,\n";
        for (person, performance, potential) in
            [("a", 90, 90), ("b", 85, 70), ("c", 69, 84), ("d", 70, 70), ("e", 70, 69)]
        {
            table += &format!("box,{person},,,,,{performance},{potential}\n");
        }
        let report = made("talent", &table, &asked()).unwrap();
        let row = &report.tables[0].rows[0];
        assert_eq!(row[1..6], [Cell::Count(3), Cell::Count(4), Cell::Count(1), Cell::Count(3), Cell::name("李四")]);
        let Plot::Grid { rows, .. } = &report.charts[1].plot else { panic!() };
        let counts: Vec<Vec<u64>> = rows.iter().map(|row| row.iter().flatten().copied().collect()).collect();
        assert_eq!(counts, [[0, 1, 0], [1, 1, 1], [0, 0, 1]]);
        assert_eq!(report.tables[1].rows[0][3], Cell::Text(Text::new("明星", "Star")));
        assert!(made("talent", "kind\nperson\n", &asked()).unwrap_err().detail.contains("`person`"));
    }
}
