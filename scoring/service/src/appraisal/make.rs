//! The records that an appraisal leads to.

use super::read::Seen;
use crate::records::{hundred, to_json, write};
use hub_appraisal::appraise::{Appraised, Work};
use hub_appraisal::growth::{Growth, NextGoal};
use hub_appraisal::scheme::Scheme;
use hub_calc::{Exact, Explain};
use hub_flow::records::{Target, Write};
use hub_flow::{EventMessage, Failure};
use hub_model::Enum;
use hub_model::entities::assessment::Reason;
use hub_model::entities::learning::{ENROLMENT, Enrolment, EnrolmentStatus};
use hub_model::entities::performance::{
    APPRAISAL, Appraisal, DEVELOPMENT_PLAN, DevelopmentPlan, GOAL, Goal, GoalLevel, GoalMetric, GoalStatus,
};
use hub_model::scalars::{DateTime, Localized, Rate, Ref, to};
use hub_tree::Decimal;
use serde::Serialize;
use std::cmp::Ordering;

/// What makes the id of an appraisal from its event.
pub(super) const APPRAISED: &str = "appraisal/appraisal";

/// The id of the record that a word is about.
pub(super) fn id_of(target: &Target) -> String {
    match target {
        Target::New(id) | Target::Made { id, .. } => id.clone(),
        Target::Remote { hub_id, .. } => hub_id.clone().unwrap_or_default(),
        Target::Renamed { key, .. } => key.clone(),
    }
}

/// The word about a record that is there.
pub(super) fn known(id: &str) -> Target {
    Target::Remote { key: None, hub_id: Some(id.to_owned()) }
}

/// A number as a record holds it.
pub(super) fn decimal(number: &Exact) -> Result<Decimal, Failure> {
    number.to_decimal().ok_or_else(|| Failure::park("NUMBER_TOO_LARGE", "a calculated number is too large to be kept"))
}

pub(super) fn reason(code: &str, dimension: Option<&str>, text: String) -> Reason {
    Reason { code: Some(code.to_owned()), dimension: dimension.map(str::to_owned), text: Some(text) }
}

/// How behaviour stands to its baseline, in the words of the requirement.
const fn trend_word(trend: Ordering) -> &'static str {
    match trend {
        Ordering::Less => "下降",
        Ordering::Equal => "持平",
        Ordering::Greater => "上升",
    }
}

/// A dimension beside its baseline, as the calculation keeps it.
#[derive(Serialize)]
struct Delta<'g> {
    dimension: &'g str,
    baseline: Decimal,
    current: Decimal,
    delta: Decimal,
    trend: &'static str,
}

/// What an appraisal keeps of how it came about.
#[derive(Serialize)]
struct Calculation<'m> {
    inputs: &'m Work,
    steps: &'m [Explain],
    ratings: &'m super::read::Ratings,
    baseline: Vec<Delta<'m>>,
    courses: Vec<&'m str>,
    alerts: &'m [&'static str],
}

/// An appraisal on its way into records.
pub(super) struct Making<'m> {
    pub(super) scheme: &'m Scheme,
    pub(super) seen: &'m Seen,
    pub(super) event: &'m EventMessage,
    pub(super) appraised: &'m Appraised<'m>,
    pub(super) growth: &'m Growth<'m>,
}

impl Making<'_> {
    /// The appraisal, and where it is the first of its employee and cycle, the goals and what the scheme makes besides.
    pub(super) fn writes(&self) -> Result<Vec<Write>, Failure> {
        let rule = format!("appraisal scheme {}", self.scheme.version());
        let target = match &self.seen.existing {
            Some(existing) => known(&existing.id),
            None => Target::New(self.event.id_of(APPRAISED)),
        };
        let calculation = to_json(&self.calculation()?)?;
        let appraisal = write(&APPRAISAL, target, &self.appraisal()?, &[("calculation", &calculation)], &rule)?;
        let mut writes = vec![appraisal];
        // A review that is handed in anew changes the appraisal; its goals were proposed the first time.
        if self.seen.existing.is_none() {
            let mut goals = Vec::new();
            for goal in &self.growth.goals {
                let id = self.event.id_of(&format!("appraisal/goal/{}", goal.behaviour.id));
                writes.push(write(&GOAL, Target::New(id.clone()), &self.goal(goal)?, &[], &rule)?);
                goals.push(id);
            }
            writes.extend(self.enrolments(&rule)?);
            if self.scheme.also.development_plan && !goals.is_empty() {
                let id = self.event.id_of("appraisal/plan");
                writes.push(write(&DEVELOPMENT_PLAN, Target::New(id), &self.plan(&goals), &[], &rule)?);
            }
        }
        Ok(writes)
    }

    fn at(&self) -> Option<DateTime> {
        self.event.at.parse().ok().map(DateTime)
    }

    fn employee<T: to::Target>(&self) -> Ref<T> {
        let mut employee = Ref::<T>::new(&self.seen.employee_id);
        "employee".clone_into(&mut employee.entity);
        employee
    }

    fn appraisal(&self) -> Result<Appraisal, Failure> {
        let (scheme, appraised) = (self.scheme, self.appraised);
        let chinese = self.growth.chinese(scheme, appraised, appraised.grade);
        let english = self.growth.english(scheme, appraised, appraised.grade);
        Ok(Appraisal {
            cycle: Some(Ref::new(&self.seen.cycle_id)),
            employee: Some(self.employee()),
            raw_total: Some(hundred(decimal(&appraised.total)?)),
            grade: Some(appraised.grade.to_owned()),
            bonus_factor: Some(Rate(decimal(&appraised.coefficient)?)),
            scheme: Some(scheme.version()),
            reasons: Some(self.reasons()),
            growth: Some(Localized::ByLang([("zh-CN".to_owned(), chinese), ("en".to_owned(), english)].into())),
            finalised_at: scheme.final_at_once.then(|| self.at()).flatten(),
            ..Appraisal::default()
        })
    }

    fn reasons(&self) -> Vec<Reason> {
        let (scheme, appraised) = (self.scheme, self.appraised);
        let total = appraised.total.to_places(2);
        let mut reasons = vec![reason(
            "grade",
            None,
            format!(
                "总分 {total}，按方案 {} 为 {} 级，奖金系数 {}",
                scheme.version(),
                appraised.grade,
                appraised.coefficient
            ),
        )];
        for reached in appraised.indicators.iter().filter(|reached| !reached.is_met()) {
            let id = &reached.indicator.id;
            let text = match &reached.measured {
                Some((actual, target)) => format!("{id} 实际 {actual}，目标 {target}，未达标"),
                None => format!("{id} 得分 {}，未达标", reached.points.to_places(2)),
            };
            reasons.push(reason("target_missed", Some(id), text));
        }
        for goal in &self.growth.goals {
            let id = &goal.behaviour.id;
            let text = format!("{id} 低于岗位要求 {} 分", goal.gap.to_places(2));
            reasons.push(reason("below_required", Some(id), text));
        }
        for one in &self.growth.compared {
            let text = format!("{} 较入职基线{}", one.behaviour.id, trend_word(one.trend));
            reasons.push(reason("against_baseline", Some(&one.behaviour.id), text));
        }
        if let (Some(passed), Some(probation)) = (appraised.passed, &scheme.probation) {
            let word = if passed { "达到" } else { "未达到" };
            reasons.push(reason("probation", None, format!("试用期综合 {total}，{word}合格线 {}", probation.pass)));
        }
        for alert in &appraised.alerts {
            let text = match *alert {
                "completion" => "培训完成率低于预警线，建议线下辅导",
                _ => "考试成绩低于预警线，建议补充学习资料",
            };
            reasons.push(reason("training_alert", Some(alert), text.to_owned()));
        }
        reasons
    }

    fn calculation(&self) -> Result<Calculation<'_>, Failure> {
        let deltas = self.growth.compared.iter().map(|one| {
            Ok(Delta {
                dimension: &one.behaviour.id,
                baseline: decimal(&one.baseline)?,
                current: decimal(&one.current)?,
                delta: decimal(&(&one.current - &one.baseline))?,
                trend: trend_word(one.trend),
            })
        });
        Ok(Calculation {
            inputs: &self.seen.work,
            steps: &self.appraised.explain,
            ratings: &self.seen.ratings,
            baseline: deltas.collect::<Result<_, Failure>>()?,
            courses: self.growth.courses.iter().map(|course| course.title.as_str()).collect(),
            alerts: &self.appraised.alerts,
        })
    }

    /// A goal for the next cycle; of no cycle while the next one is not planned.
    fn goal(&self, goal: &NextGoal<'_>) -> Result<Goal, Failure> {
        let next = self.seen.next_cycle.as_ref();
        let course = goal.course.map(|course| format!("；推荐课程《{}》", course.title)).unwrap_or_default();
        let metric = match &goal.target {
            Some((indicator, current, target)) => Some(GoalMetric {
                unit: Some(indicator.unit.trim().to_owned()).filter(|unit| !unit.is_empty()),
                start: Some(decimal(current)?),
                target: Some(decimal(target)?),
                current: None,
            }),
            None => None,
        };
        let title = goal.target.as_ref().map_or_else(|| goal.title(), |(indicator, ..)| indicator.id.clone());
        Ok(Goal {
            owner: Some(self.employee()),
            level: Some(Enum::of(GoalLevel::Individual)),
            cycle: next.map(|(id, _)| Ref::new(id)),
            title: Some(title),
            description: Some(format!(
                "{} 差距 {} 分：{}{course}",
                goal.behaviour.id,
                goal.gap.to_places(2),
                goal.title()
            )),
            metric,
            status: Some(Enum::of(GoalStatus::NotStarted)),
            due_on: next.and_then(|(_, cycle)| cycle.period_end.clone()),
            ..Goal::default()
        })
    }

    fn plan(&self, goals: &[String]) -> DevelopmentPlan {
        DevelopmentPlan {
            employee: Some(self.employee()),
            mentor: self.seen.review.reviewer.clone(),
            goals: Some(goals.iter().map(Ref::new).collect()),
            status: Some("PROPOSED".to_owned()),
            ..DevelopmentPlan::default()
        }
    }

    /// Enrolments in the courses that the store has; where the scheme makes none, there are none.
    fn enrolments(&self, rule: &str) -> Result<Vec<Write>, Failure> {
        let mut writes = Vec::new();
        for course in self.growth.courses.iter().filter(|_| self.scheme.also.enrolment) {
            let Some(code) = &course.code else { continue };
            let Some(id) = self.seen.courses.get(code) else { continue };
            let enrolment = Enrolment {
                employee: Some(self.employee()),
                course: Some(Ref::new(id)),
                assigned_by: self.seen.review.reviewer.clone(),
                enrolled_at: self.at(),
                status: Some(Enum::of(EnrolmentStatus::Assigned)),
                ..Enrolment::default()
            };
            let target = Target::New(self.event.id_of(&format!("appraisal/enrolment/{code}")));
            writes.push(write(&ENROLMENT, target, &enrolment, &[], rule)?);
        }
        Ok(writes)
    }
}
