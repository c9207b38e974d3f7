//! What is known about the people of a portion of a run: their records, read many at once, and only those that the
//! rules ask for.

use super::collect::Payee;
use super::retro::Late;
use super::source::{Of, Source};
use hub_flow::reading::{self, Known};
use hub_flow::{Failure, Hub};
use hub_model::entities::employment::{Employee, Employment, JobAssignment};
use hub_model::entities::hiring::Referral;
use hub_model::entities::organization::Location;
use hub_model::entities::pay::{Compensation, PayrollInput, PayrollRun, Payslip, RunKind, RunStatus};
use hub_model::entities::performance::{Appraisal, ReviewCycle};
use hub_model::entities::person::Person;
use hub_model::entities::time::{AttendanceDay, TimeOffRequest, TimeOffType, Trip};
use hub_model::scalars::Ref;
use hub_tree::jiff::Timestamp;
use hub_tree::jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};

/// The days that a run pays for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) first: Date,
    pub(super) last: Date,
    pub(super) pay_on: Date,
}

impl Span {
    pub(super) fn days(self) -> impl Iterator<Item = Date> {
        self.first.series(hub_tree::jiff::Span::new().days(1)).take_while(move |day| *day <= self.last)
    }

    pub(super) fn contains(self, day: Date) -> bool {
        self.first <= day && day <= self.last
    }
}

/// Records by whose they are.
type Whose<T> = BTreeMap<String, Vec<Known<T>>>;

/// What is known about some people.
#[derive(Default)]
pub(super) struct Facts {
    pub(super) employees: BTreeMap<String, Known<Employee>>,
    /// By employee.
    pub(super) persons: BTreeMap<String, Known<Person>>,
    pub(super) employments: Whose<Employment>,
    pub(super) compensations: Whose<Compensation>,
    /// By employment.
    pub(super) assignments: Whose<JobAssignment>,
    pub(super) locations: BTreeMap<String, Known<Location>>,
    pub(super) appraisals: Whose<Appraisal>,
    pub(super) cycles: BTreeMap<String, Known<ReviewCycle>>,
    pub(super) attendance: Whose<AttendanceDay>,
    pub(super) time_off: Whose<TimeOffRequest>,
    pub(super) time_off_types: BTreeMap<String, Known<TimeOffType>>,
    pub(super) trips: Whose<Trip>,
    pub(super) referrals: Whose<Referral>,
    /// Payslips of runs that are settled.
    pub(super) payslips: Whose<Payslip>,
    /// What went into payslips of runs that are settled, and was not taken back since.
    pub(super) settled_inputs: Whose<PayrollInput>,
    /// What this run was given before.
    pub(super) inputs: Whose<PayrollInput>,
    /// What settled months lack by what is known now; filled where the rules ask for it.
    pub(super) retro: BTreeMap<Payee, Late>,
    /// The runs of those payslips.
    pub(super) runs: BTreeMap<String, Known<PayrollRun>>,
}

/// The id of a reference.
pub(super) fn id_of<T>(reference: Option<&Ref<T>>) -> Option<&str> {
    reference.and_then(|reference| reference.id.as_deref())
}

/// Whether a run of this status never changes any more.
pub(super) const fn is_settled(status: RunStatus) -> bool {
    matches!(status, RunStatus::Locked | RunStatus::Paying | RunStatus::Paid | RunStatus::Closed)
}

pub(super) fn status_of(run: &PayrollRun) -> Option<RunStatus> {
    run.status.as_ref().map(|status| status.value)
}

/// When a run was locked last.
pub(super) fn locked_at(run: &PayrollRun) -> Option<Timestamp> {
    let steps = run.steps.as_deref().unwrap_or_default().iter().rev();
    let mut locked = steps.filter(|step| step.status.as_ref().is_some_and(|one| one.value == RunStatus::Locked));
    locked.next()?.at.as_ref().map(|at| at.0)
}

/// Whether it takes payslips back.
pub(super) fn is_reversal(run: &PayrollRun) -> bool {
    run.kind.as_ref().is_some_and(|kind| kind.value == RunKind::Reversal)
}

/// Whether only those are paid whom somebody has given something to pay.
pub(super) fn is_off_cycle(run: &PayrollRun) -> bool {
    use RunKind::{Correction, OffCycle, SignOnBonus, Termination};
    run.kind.as_ref().is_some_and(|kind| matches!(kind.value, OffCycle | Correction | Termination | SignOnBonus))
}

impl Facts {
    /// Reads what `sources` need about these people (hub ids of employees).
    pub(super) async fn read(
        hub: &Hub,
        tenant: &str,
        (run, span): (&str, Span),
        people: &[String],
        sources: &[&Source],
    ) -> Result<Self, Failure> {
        let wants = |of: &dyn Fn(&Source) -> bool| sources.iter().any(|source| of(source));
        let field = |wanted: Of| wants(&|source| matches!(source, Source::Field { of, .. } if *of == wanted));
        let people = || people.to_vec();
        let mut facts = Self {
            employees: one_each(reading::these(hub, tenant, "employee", people()).await?),
            employments: grouped(
                reading::by(hub, tenant, "employment", "employee", people()).await?,
                |one: &Employment| id_of(one.employee.as_ref()),
            ),
            compensations: grouped(
                reading::by(hub, tenant, "compensation", "employee", people()).await?,
                |one: &Compensation| id_of(one.employee.as_ref()),
            ),
            ..Self::default()
        };
        let inputs = reading::by(hub, tenant, "payroll_input", "employee", people()).await?;
        let (mine, settled): (Vec<_>, Vec<_>) =
            inputs.into_iter().partition(|input: &Known<PayrollInput>| id_of(input.record.run.as_ref()) == Some(run));
        facts.inputs = grouped(mine, |one| id_of(one.employee.as_ref()));
        facts.settled_inputs = grouped(settled, |one| id_of(one.employee.as_ref()));
        if field(Of::Person) {
            let of =
                facts.employees.values().filter_map(|one| Some((one.id.clone(), id_of(one.record.person.as_ref())?)));
            let of: Vec<(String, String)> = of.map(|(employee, person)| (employee, person.to_owned())).collect();
            let found: BTreeMap<String, Known<Person>> =
                one_each(reading::these(hub, tenant, "person", of.iter().map(|(_, person)| person.clone())).await?);
            let each = of.into_iter().filter_map(|(employee, person)| Some((employee, found.get(&person)?.clone())));
            facts.persons = each.collect();
        }
        if field(Of::Assignment) || field(Of::Location) {
            let employments = facts.employments.values().flatten().map(|one| one.id.clone()).collect();
            let assignments = reading::by(hub, tenant, "job_assignment", "employment", employments).await?;
            facts.assignments = grouped(assignments, |one: &JobAssignment| id_of(one.employment.as_ref()));
            let places = facts.assignments.values().flatten().filter_map(|one| id_of(one.record.location.as_ref()));
            let places: Vec<String> = places.map(ToOwned::to_owned).collect();
            facts.locations = one_each(reading::these(hub, tenant, "location", places).await?);
        }
        if field(Of::Appraisal) {
            let appraisals = reading::by(hub, tenant, "appraisal", "employee", people()).await?;
            facts.appraisals = grouped(appraisals, |one: &Appraisal| id_of(one.employee.as_ref()));
            let cycles = facts.appraisals.values().flatten().filter_map(|one| id_of(one.record.cycle.as_ref()));
            let cycles: Vec<String> = cycles.map(ToOwned::to_owned).collect();
            facts.cycles = one_each(reading::these(hub, tenant, "review_cycle", cycles).await?);
        }
        if wants(&|source| matches!(source, Source::Attendance(_))) {
            facts.attendance = attendance(hub, tenant, span, people()).await?;
        }
        if wants(&|source| matches!(source, Source::TimeOff(_))) {
            let requests = reading::by(hub, tenant, "time_off_request", "employee", people()).await?;
            facts.time_off = grouped(requests, |one: &TimeOffRequest| id_of(one.employee.as_ref()));
            let types = facts.time_off.values().flatten().filter_map(|one| id_of(one.record.time_off_type.as_ref()));
            let types: Vec<String> = types.map(ToOwned::to_owned).collect();
            facts.time_off_types = one_each(reading::these(hub, tenant, "time_off_type", types).await?);
        }
        if wants(&|source| matches!(source, Source::TripDays)) {
            let trips = reading::by(hub, tenant, "trip", "employee", people()).await?;
            facts.trips = grouped(trips, |one: &Trip| id_of(one.employee.as_ref()));
        }
        if wants(&|source| matches!(source, Source::ReferralRewards)) {
            let referrals = reading::by(hub, tenant, "referral", "referrer", people()).await?;
            facts.referrals = grouped(referrals, |one: &Referral| id_of(one.referrer.as_ref()));
        }
        facts.read_payslips(hub, tenant, run, people()).await?;
        Ok(facts)
    }

    /// Payslips and inputs of other runs count once those are settled.
    async fn read_payslips(&mut self, hub: &Hub, tenant: &str, run: &str, people: Vec<String>) -> Result<(), Failure> {
        let payslips: Vec<Known<Payslip>> = reading::by(hub, tenant, "payslip", "employee", people).await?;
        let of_payslips = payslips.iter().filter_map(|one| id_of(one.record.run.as_ref()));
        let of_inputs = self.settled_inputs.values().flatten().filter_map(|one| id_of(one.record.run.as_ref()));
        let runs: BTreeSet<String> =
            of_payslips.chain(of_inputs).filter(|id| *id != run).map(ToOwned::to_owned).collect();
        self.runs = one_each(reading::these(hub, tenant, "payroll_run", runs).await?);
        self.runs.retain(|_, run: &mut Known<PayrollRun>| status_of(&run.record).is_some_and(is_settled));
        let runs = &self.runs;
        let settled = |of: Option<&str>| of.is_some_and(|id| runs.contains_key(id));
        let payslips: Vec<Known<Payslip>> =
            payslips.into_iter().filter(|one| settled(id_of(one.record.run.as_ref()))).collect();
        // What was taken back was not paid.
        let reversed: BTreeSet<&str> = payslips.iter().filter_map(|one| id_of(one.record.reverses.as_ref())).collect();
        let taken_back: BTreeSet<String> = payslips
            .iter()
            .filter(|one| reversed.contains(one.id.as_str()))
            .filter_map(|one| id_of(one.record.input.as_ref()).map(ToOwned::to_owned))
            .collect();
        for inputs in self.settled_inputs.values_mut() {
            inputs.retain(|one| settled(id_of(one.record.run.as_ref())) && !taken_back.contains(&one.id));
        }
        self.payslips = grouped(payslips, |one: &Payslip| id_of(one.employee.as_ref()));
        Ok(())
    }
}

/// People whose days are asked for at once: each has a row for each day.
const PEOPLE_AT_ONCE: usize = 50;

/// Days of attendance within a span, by employee.
pub(super) async fn attendance(
    hub: &Hub,
    tenant: &str,
    span: Span,
    people: Vec<String>,
) -> Result<Whose<AttendanceDay>, Failure> {
    let mut found = Vec::new();
    for people in people.chunks(PEOPLE_AT_ONCE) {
        let employees = people.iter().map(|id| ("employee", id.clone()));
        let equals: Vec<_> = employees.chain(span.days().map(|day| ("on", day.to_string()))).collect();
        let mut after = String::new();
        loop {
            const PAGE: i64 = 1_000;
            let page: Vec<Known<AttendanceDay>> =
                reading::page(hub, tenant, "attendance_day", equals.clone(), (&after, PAGE)).await?;
            let full = i64::try_from(page.len()).unwrap_or(i64::MAX) >= PAGE;
            if let Some(last) = page.last() {
                after.clone_from(&last.id);
            }
            found.extend(page);
            if !full {
                break;
            }
        }
    }
    Ok(grouped(found, |one| id_of(one.employee.as_ref())))
}

fn one_each<T>(found: Vec<Known<T>>) -> BTreeMap<String, Known<T>> {
    found.into_iter().map(|one| (one.id.clone(), one)).collect()
}

fn grouped<T>(found: Vec<Known<T>>, whose: impl Fn(&T) -> Option<&str>) -> Whose<T> {
    let mut groups: Whose<T> = BTreeMap::new();
    for one in found {
        if let Some(whose) = whose(&one.record).map(ToOwned::to_owned) {
            groups.entry(whose).or_default().push(one);
        }
    }
    groups
}
