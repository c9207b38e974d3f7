//! Rows of what became of employees: courses, skills, pay.

use super::Ask;
use super::sight::{Appraised, ById, NotMade, Sight, id_of, on_hundred};
use hub_calc::Exact;
use hub_flow::reading::Known;
use hub_insight::{courses, pay, talent};
use hub_model::entities::employment::{Employee, EmployeeStatus};
use hub_model::entities::hiring::Resume;
use hub_model::entities::learning::{Course, Enrolment, EnrolmentStatus};
use hub_model::entities::organization::Job;
use hub_model::entities::pay::{PayLineKind, PayrollRun, Payslip, RunStatus};
use hub_model::entities::requisition::{Requisition, RequisitionStatus};
use hub_model::scalars::Localized;
use hub_tree::jiff::civil::Date;
use std::collections::BTreeMap;

/// The level that requisitions ask of a skill (house rule: 熟练).
const WANTED_LEVEL: usize = hub_appraisal::talent::GOOD_AT;
/// Levels above none.
const LEVELS: i64 = 5;

/// What people call an employee.
pub(super) fn name_of(known: &Known<Employee>) -> String {
    let employee = &known.record;
    employee.employee_number.clone().or_else(|| employee.display_name.clone()).unwrap_or_else(|| known.id.clone())
}

/// A day that a record writes.
pub(super) fn day(date: Option<&hub_model::scalars::Date>) -> Option<Date> {
    date?.0.parse().ok()
}

/// Whether the employee works in the department that is asked for.
pub(super) fn is_wanted(ask: &Ask, employee: &Employee) -> bool {
    let department = employee.current.as_ref().and_then(|current| id_of(current.department.as_ref()));
    ask.department.as_deref().is_none_or(|id| department == Some(id))
}

pub(super) fn is_working(employee: &Employee) -> bool {
    let gone = [EmployeeStatus::Terminated, EmployeeStatus::Retired, EmployeeStatus::Deceased, EmployeeStatus::Prehire];
    employee.status.as_ref().is_some_and(|status| !gone.contains(&status.value))
}

/// Completion of courses, and the first appraisal after the person enrolled.
pub(super) async fn courses(sight: &Sight<'_>, ask: &Ask) -> Result<Vec<courses::Row>, NotMade> {
    let employees: ById<Employee> = sight.by_id("employee").await?;
    let titles: ById<Course> = sight.by_id("course").await?;
    let appraisals = sight.appraisals().await?;
    let mut rows = Vec::new();
    for Known { record, .. } in sight.all::<Enrolment>("enrolment").await? {
        let (Some(employee), Some(course)) = (id_of(record.employee.as_ref()), id_of(record.course.as_ref())) else {
            continue;
        };
        let Some(enrolled) = record.enrolled_at.map(|at| sight.day(at)).filter(|day| Sight::holds(ask, *day)) else {
            continue;
        };
        if !employees.get(employee).is_some_and(|known| is_wanted(ask, &known.record)) {
            continue;
        }
        let later = appraisals.get(employee).and_then(|all| all.iter().find(|one| one.on > enrolled)?.total.clone());
        let completed = record.status.as_ref().is_some_and(|status| status.value == EnrolmentStatus::Completed);
        let progress = record.progress.map(|share| Exact::from(share.0) * Exact::hundred());
        let completion = if completed { Some(Exact::hundred()) } else { progress };
        if let (Some(completion), Some(performance)) = (completion, later) {
            let title = titles.get(course).and_then(|known| known.record.title.clone());
            rows.push(courses::Row { course: title.unwrap_or_else(|| course.to_owned()), completion, performance });
        }
    }
    Ok(rows)
}

fn told(text: &Localized) -> Option<String> {
    match text {
        Localized::Plain(text) => Some(text.clone()),
        Localized::ByLang(texts) => texts.get("zh-CN").or_else(|| texts.values().next()).cloned(),
    }
}

/// A skill's level from 0 to 5: the fifth of its scale that it fills, rounded down.
fn level(score: Option<&hub_model::scalars::Score>) -> Option<usize> {
    let share = on_hundred(score?)?.over(&Exact::hundred())?;
    (share * Exact::from(LEVELS)).floor().to_whole().and_then(|level| usize::try_from(level).ok())
}

pub(super) async fn talent(sight: &Sight<'_>, ask: &Ask) -> Result<talent::Rows, NotMade> {
    let jobs: ById<Job> = sight.by_id("job").await?;
    let appraisals = sight.appraisals().await?;
    let mut resumes: BTreeMap<String, Resume> = BTreeMap::new();
    for Known { record, .. } in sight.all::<Resume>("resume").await? {
        let Some(candidate) = id_of(record.candidate.as_ref()).map(str::to_owned) else { continue };
        if resumes.get(&candidate).is_none_or(|known| known.parsed_at < record.parsed_at) {
            resumes.insert(candidate, record);
        }
    }
    let title = |id: Option<&str>| jobs.get(id?)?.record.title.as_ref().and_then(told);
    let mut rows = talent::Rows::default();
    for known in sight.all::<Employee>("employee").await? {
        let employee = &known.record;
        if !is_working(employee) || !is_wanted(ask, employee) {
            continue;
        }
        let person = name_of(&known);
        let role = title(employee.current.as_ref().and_then(|current| id_of(current.job.as_ref())));
        let resume = id_of(employee.candidate.as_ref()).and_then(|id| resumes.get(id));
        let skills = resume.and_then(|resume| resume.skills.as_ref()).into_iter().flatten();
        for skill in skills {
            if let (Some(role), Some(name), Some(level)) = (&role, &skill.name, level(skill.level.as_ref())) {
                let (person, role) = (person.clone(), role.clone());
                rows.skills.push(talent::Skill { person, role, skill: name.clone(), level });
            }
        }
        let performance = appraisals.get(&known.id).and_then(|all| all.last()?.total.clone());
        let potential = employee.ability_baseline.as_ref().and_then(|baseline| on_hundred(baseline.overall.as_ref()?));
        if let (Some(performance), Some(potential)) = (performance, potential) {
            rows.placed.push(talent::Placed { person, performance, potential });
        }
    }
    for Known { record, .. } in sight.all::<Requisition>("requisition").await? {
        let open = record.status.as_ref().is_some_and(|status| status.value == RequisitionStatus::Open);
        let of_department = ask.department.as_deref().is_none_or(|id| id_of(record.department.as_ref()) == Some(id));
        let missing = record.headcount.unwrap_or(1) - record.filled.unwrap_or(0);
        let Some(count) = usize::try_from(missing).ok().filter(|count| *count > 0 && open && of_department) else {
            continue;
        };
        let Some(role) = title(id_of(record.job.as_ref())).or_else(|| record.title.clone()) else { continue };
        for skill in record.skills.into_iter().flatten() {
            rows.needs.push(talent::Need { role: role.clone(), skill, level: WANTED_LEVEL, count });
        }
    }
    Ok(rows)
}

/// Pay of settled runs in the period by employee, in the currency of most payslips; with that currency.
pub(super) async fn pay(sight: &Sight<'_>, ask: &Ask) -> Result<(Vec<pay::Row>, String), NotMade> {
    let runs: ById<PayrollRun> = sight.by_id("payroll_run").await?;
    let employees: ById<Employee> = sight.by_id("employee").await?;
    let appraisals = sight.appraisals().await?;
    let settled = |id: &str| {
        let run = &runs.get(id)?.record;
        let status = run.status.as_ref()?.value;
        let paid = matches!(status, RunStatus::Locked | RunStatus::Paying | RunStatus::Paid | RunStatus::Closed);
        day(run.pay_on.as_ref()).filter(|day| paid && Sight::holds(ask, *day))
    };
    let mut by_currency: BTreeMap<String, Vec<Payslip>> = BTreeMap::new();
    for Known { record, .. } in sight.all::<Payslip>("payslip").await? {
        let currency =
            record.gross.as_ref().and_then(|gross| gross.currency.as_ref()).map(|currency| currency.0.clone());
        if let (Some(currency), Some(_)) = (currency, id_of(record.run.as_ref()).and_then(settled)) {
            by_currency.entry(currency).or_default().push(record);
        }
    }
    let Some((currency, payslips)) = by_currency.into_iter().max_by_key(|(_, slips)| slips.len()) else {
        return Ok((Vec::new(), "–".to_owned()));
    };
    let mut paid: BTreeMap<String, (Exact, Exact)> = BTreeMap::new();
    for slip in payslips {
        let (Some(employee), Some(gross)) =
            (id_of(slip.employee.as_ref()), slip.gross.as_ref().and_then(|gross| gross.amount))
        else {
            continue;
        };
        let bonuses = slip
            .lines
            .iter()
            .flatten()
            .filter(|line| line.kind.as_ref().is_some_and(|kind| kind.value == PayLineKind::EarningBonus));
        let bonus: Exact = bonuses.filter_map(|line| line.amount.as_ref()?.amount).map(Exact::from).sum();
        let (all, of_bonus) = paid.entry(employee.to_owned()).or_insert_with(|| (Exact::zero(), Exact::zero()));
        *all = &*all + &Exact::from(gross);
        *of_bonus = &*of_bonus + &bonus;
    }
    let row = |(id, (pay, bonus)): (String, (Exact, Exact))| {
        let employee = &employees.get(&id)?.record;
        let graded = |one: &&Appraised| one.grade.is_some() && ask.until.is_none_or(|until| one.on <= until);
        let grade = appraisals.get(&id)?.iter().rev().find(graded)?.grade.clone()?;
        let left = day(employee.terminated_on.as_ref()).is_some_and(|day| Sight::holds(ask, day));
        is_wanted(ask, employee).then_some(pay::Row { grade, pay, bonus: Some(bonus), left: Some(left) })
    };
    Ok((paid.into_iter().filter_map(row).collect(), currency))
}
