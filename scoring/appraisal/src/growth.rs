//! What an appraisal says about growth: targets reached, behaviour against the day of hire, the courses for what fell,
//! and the goals that come next; as data and as text in Chinese and English.

use crate::appraise::Appraised;
use crate::face::shown;
use crate::goal::{gap, largest_first, trend};
use crate::kpi::Direction;
use crate::scheme::{Behaviour, Course, Indicator, Scheme};
use hub_calc::Exact;
use std::cmp::Ordering;

/// A dimension of behaviour beside its baseline.
#[derive(Debug)]
pub struct Compared<'s> {
    /// Which.
    pub behaviour: &'s Behaviour,
    /// Its score when the employee was hired.
    pub baseline: Exact,
    /// Its score now.
    pub current: Exact,
    /// Above (上升), at (持平) or below (下降) the baseline, what is within the scheme's band of noise being at it.
    pub trend: Ordering,
}

/// A goal for the next cycle.
#[derive(Debug)]
pub struct NextGoal<'s> {
    /// The dimension that has a gap.
    pub behaviour: &'s Behaviour,
    /// How much is missing to what the job asks for, in points.
    pub gap: Exact,
    /// The indicator that the goal is about, its value now and the target.
    pub target: Option<(&'s Indicator, Exact, Exact)>,
    /// The course that fits.
    pub course: Option<&'s Course>,
}

/// A growth report.
#[derive(Debug)]
pub struct Growth<'s> {
    /// Indicators whose target was reached.
    pub achieved: Vec<&'s Indicator>,
    /// Indicators whose target was missed.
    pub missed: Vec<&'s Indicator>,
    /// Behaviour that has a baseline.
    pub compared: Vec<Compared<'s>>,
    /// Goals, the largest gap first, equals in the order of the scheme.
    pub goals: Vec<NextGoal<'s>>,
    /// Courses for what fell and for gaps, each once.
    pub courses: Vec<&'s Course>,
}

/// The growth that an appraisal shows. `baseline` holds scores from 0 to 100 by the names of their dimensions; names that
/// the scheme does not know say nothing about it.
#[must_use]
pub fn growth<'s>(scheme: &'s Scheme, appraised: &Appraised<'s>, baseline: &[(String, Exact)]) -> Growth<'s> {
    let (met, missed): (Vec<_>, Vec<_>) = appraised.indicators.iter().partition(|reached| reached.is_met());
    let of = |all: Vec<&crate::appraise::Reached<'s>>| all.into_iter().map(|one| one.indicator).collect();
    let compared = appraised.dimensions.iter().filter_map(|one| {
        let behaviour = one.behaviour;
        let known = |name: &str| scheme.behaviour(name).is_some_and(|known| known.id == behaviour.id);
        let (_, before) = baseline.iter().find(|(name, _)| known(name))?;
        let trend = trend(before, &one.score, &scheme.noise_band);
        Some(Compared { behaviour, baseline: before.clone(), current: one.score.clone(), trend })
    });
    let compared: Vec<Compared<'s>> = compared.collect();
    let goals = goals(scheme, appraised);
    let mut courses: Vec<&'s Course> = Vec::new();
    let fell = compared.iter().filter(|one| one.trend == Ordering::Less);
    let wanted = fell.filter_map(|one| scheme.courses.get(&one.behaviour.id));
    for course in wanted.chain(goals.iter().filter_map(|goal| goal.course)) {
        if !courses.contains(&course) {
            courses.push(course);
        }
    }
    Growth { achieved: of(met), missed: of(missed), compared, goals, courses }
}

fn goals<'s>(scheme: &'s Scheme, appraised: &Appraised<'s>) -> Vec<NextGoal<'s>> {
    let asked = appraised.dimensions.iter().filter_map(|one| {
        let gap = gap(&one.score, one.behaviour.required.as_ref()?);
        Some((one.behaviour, gap))
    });
    let asked: Vec<(&'s Behaviour, Exact)> = asked.collect();
    let gaps: Vec<Exact> = asked.iter().map(|(_, gap)| gap.clone()).collect();
    let open = largest_first(&gaps).into_iter().filter_map(|place| asked.get(place));
    open.map(|(behaviour, gap)| {
        let course = scheme.courses.get(&behaviour.id);
        NextGoal { behaviour, gap: gap.clone(), target: next_target(scheme, appraised, &behaviour.id), course }
    })
    .collect()
}

/// The next target of the indicator that a dimension drives: one step from what was measured, and not beyond the limit.
/// `None` when the scheme names no indicator, nothing was measured, or the limit is reached.
fn next_target<'s>(
    scheme: &'s Scheme,
    appraised: &Appraised<'s>,
    dimension: &str,
) -> Option<(&'s Indicator, Exact, Exact)> {
    let step = scheme.goals.iter().find(|goal| goal.dimension == dimension)?;
    let reached = appraised.indicators.iter().find(|one| one.indicator.id == step.kpi)?;
    let (current, _) = reached.measured.as_ref()?;
    let next = current + &step.step;
    let (next, further) = match reached.indicator.direction {
        Direction::Up => {
            let next = step.limit.clone().map_or(next.clone(), |limit| limit.min(next));
            let further = next > *current;
            (next, further)
        }
        Direction::Down => {
            let next = step.limit.clone().map_or(next.clone(), |limit| limit.max(next));
            let further = next < *current;
            (next, further)
        }
    };
    further.then(|| (reached.indicator, current.clone(), next))
}

impl NextGoal<'_> {
    /// `客户问题解决率 85% → 90%`, or the score of the dimension where no indicator can be aimed at.
    #[must_use]
    pub fn title(&self) -> String {
        match &self.target {
            Some((indicator, current, target)) => {
                let unit = &indicator.unit;
                format!("{} {}{unit} → {}{unit}", indicator.id, shown(current), shown(target))
            }
            None => format!("{} +{}", self.behaviour.id, shown(&self.gap)),
        }
    }

    fn english_title(&self) -> String {
        match &self.target {
            Some((indicator, current, target)) => {
                let unit = &indicator.unit;
                format!("{} {}{unit} → {}{unit}", indicator.english, shown(current), shown(target))
            }
            None => format!("{} +{}", self.behaviour.english, shown(&self.gap)),
        }
    }
}

/// A difference with its sign.
fn signed(delta: &Exact) -> String {
    if delta.is_positive() { format!("+{}", shown(delta)) } else { shown(delta) }
}

impl Growth<'_> {
    fn listed(&self, trend: Ordering, name: impl Fn(&Behaviour) -> &str) -> Vec<String> {
        let found = self.compared.iter().filter(|one| one.trend == trend);
        found
            .map(|one| {
                let delta = &one.current - &one.baseline;
                format!("{} {}→{} ({})", name(one.behaviour), shown(&one.baseline), shown(&one.current), signed(&delta))
            })
            .collect()
    }

    /// The report in Chinese.
    #[must_use]
    pub fn chinese(&self, scheme: &Scheme, appraised: &Appraised<'_>, grade: &str) -> String {
        let mut lines = vec![format!(
            "【{}】总分 {}，等级 {grade}，奖金系数 {}。",
            scheme.called("zh-CN"),
            appraised.total.to_places(2),
            scheme.coefficient(grade).unwrap_or(&appraised.coefficient)
        )];
        let ids = |all: &[&Indicator]| all.iter().map(|one| one.id.clone()).collect::<Vec<_>>();
        for (head, items) in [
            ("已达标指标", ids(&self.achieved)),
            ("未达标指标", ids(&self.missed)),
            ("较入职基线上升", self.listed(Ordering::Greater, |one| &one.id)),
            ("较入职基线持平", self.listed(Ordering::Equal, |one| &one.id)),
            ("较入职基线下降", self.listed(Ordering::Less, |one| &one.id)),
            ("下一周期目标", self.goals.iter().map(NextGoal::title).collect()),
            ("推荐课程", self.courses.iter().map(|course| format!("《{}》", course.title)).collect()),
        ] {
            if !items.is_empty() {
                lines.push(format!("{head}：{}。", items.join("、")));
            }
        }
        if let Some(passed) = appraised.passed {
            lines.push(format!("试用期综合成绩{}合格线。", if passed { "达到" } else { "未达到" }));
        }
        for alert in &appraised.alerts {
            lines.push(match *alert {
                "completion" => "培训预警：完成率偏低，建议线下辅导。".to_owned(),
                _ => "培训预警：考试成绩偏低，建议补充学习资料。".to_owned(),
            });
        }
        lines.join("\n")
    }

    /// The report in English.
    #[must_use]
    pub fn english(&self, scheme: &Scheme, appraised: &Appraised<'_>, grade: &str) -> String {
        let mut lines = vec![format!(
            "{}: total {}, grade {grade}, bonus coefficient {}.",
            scheme.called("en"),
            appraised.total.to_places(2),
            scheme.coefficient(grade).unwrap_or(&appraised.coefficient)
        )];
        let names = |all: &[&Indicator]| all.iter().map(|one| one.english.clone()).collect::<Vec<_>>();
        for (head, items) in [
            ("Targets reached", names(&self.achieved)),
            ("Targets missed", names(&self.missed)),
            ("Better than when hired", self.listed(Ordering::Greater, |one| &one.english)),
            ("As when hired", self.listed(Ordering::Equal, |one| &one.english)),
            ("Below the day of hire", self.listed(Ordering::Less, |one| &one.english)),
            ("Goals for the next cycle", self.goals.iter().map(NextGoal::english_title).collect()),
            ("Courses", self.courses.iter().map(|course| course.title.clone()).collect()),
        ] {
            if !items.is_empty() {
                lines.push(format!("{head}: {}.", items.join(", ")));
            }
        }
        if let Some(passed) = appraised.passed {
            lines.push(format!("The probation {} the pass mark.", if passed { "reaches" } else { "does not reach" }));
        }
        for alert in &appraised.alerts {
            lines.push(match *alert {
                "completion" => "Training alert: few lessons completed; tutoring in person is proposed.".to_owned(),
                _ => "Training alert: a low exam score; extra material is proposed.".to_owned(),
            });
        }
        lines.join("\n")
    }
}
