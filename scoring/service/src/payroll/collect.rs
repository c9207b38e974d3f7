//! What the rules of a run are given for one employee: each value with the record that it comes from, or what is wrong.
//! What is not known is absent, never zero; what could mean two things is refused.

use super::facts::{Facts, Span, id_of, locked_at};
use super::pay::monthly;
use super::retro;
use super::source::{Attendance, Of, PeriodFact, Source};
use hub_flow::reading::Known;
use hub_model::entities::approvals::ApprovalStatus;
use hub_model::entities::hiring::RewardStatus;
use hub_model::entities::pay::{Compensation, PayrollInput, PayrollRun, Payslip};
use hub_model::entities::performance::{Appraisal, CycleKind};
use hub_model::entities::time::{
    AttendanceDayStatus, OvertimeKind, OvertimeReturn, TimeOffRequest, TimeOffStatus, TimeOffUnit,
};
use hub_model::enums::EnumOf;
use hub_tree::jiff::Timestamp;
use hub_tree::jiff::civil::Date;
use hub_tree::jiff::tz::TimeZone;
use hub_tree::{Arena, Decimal, Limits, Value, json};
use std::collections::{BTreeMap, BTreeSet};

const MINUTES_A_DAY: i64 = 480;
const MINUTES_AN_HOUR: i64 = 60;

/// One employment that a run pays.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Payee {
    pub(super) employee: String,
    pub(super) employment: Option<String>,
}

/// An input that the rules name.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) name: String,
    pub(super) source: Option<Source>,
}

/// The run as far as people are concerned.
pub(super) struct About<'a> {
    pub(super) span: Span,
    pub(super) group: &'a str,
    pub(super) currency: &'a str,
    /// The calendar of working days of the group.
    pub(super) calendar: Option<&'a str>,
    pub(super) zone: &'a TimeZone,
}

/// Values by name, where they come from, and what is wrong.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Collected {
    pub(super) values: BTreeMap<String, serde_json::Value>,
    pub(super) origins: BTreeMap<String, String>,
    /// Name of the input, and what is wrong with it.
    pub(super) problems: Vec<(String, String)>,
}

/// A value and where it is from; `None` when nothing is known.
pub(super) type Found = Result<Option<(String, String)>, String>;

/// What the rules are given for one payee; `given` is what people say.
pub(super) fn collect(
    about: &About<'_>,
    facts: &Facts,
    payee: &Payee,
    wanted: &[Wanted],
    given: Option<&Known<PayrollInput>>,
) -> Collected {
    let person = Person { about, facts, payee };
    let mut collected = Collected::default();
    let said = given.and_then(|input| input.record.given.as_ref()).and_then(serde_json::Value::as_object);
    for (name, value) in said.into_iter().flatten() {
        if wanted.iter().all(|one| one.name != *name) {
            let near = hub_tree::finding::suggest(name, wanted.iter().map(|one| one.name.as_str()));
            let near = near.map(|near| format!("; {near}")).unwrap_or_default();
            collected.problems.push((name.clone(), format!("is given, and the rules have no such input{near}")));
        }
        if !value.is_null() {
            collected.values.insert(name.clone(), value.clone());
            let by = given.map(|input| format!("payroll_input/{}#/given", input.id)).unwrap_or_default();
            collected.origins.insert(name.clone(), by);
        }
    }
    for one in wanted.iter().filter(|one| !said.is_some_and(|said| said.contains_key(&one.name))) {
        let Some(source) = &one.source else { continue };
        match person.value(source) {
            Ok(Some((value, origin))) => {
                collected.values.insert(one.name.clone(), serde_json::Value::String(value));
                collected.origins.insert(one.name.clone(), origin);
            }
            Ok(None) => {}
            Err(wrong) => collected.problems.push((one.name.clone(), wrong)),
        }
    }
    collected
}

pub(super) fn day(date: Option<&hub_model::scalars::Date>) -> Option<Date> {
    date.and_then(|date| date.0.parse().ok())
}

/// Where a payslip stands among others: its day of payment, when its run was locked, the run. Of two that pay on one day,
/// that which was locked later rests on the other.
type Order<'f> = (Date, Option<Timestamp>, &'f str);

pub(super) struct Person<'a> {
    pub(super) about: &'a About<'a>,
    pub(super) facts: &'a Facts,
    pub(super) payee: &'a Payee,
}

impl Person<'_> {
    fn value(&self, source: &Source) -> Found {
        match source {
            Source::Compensation { line, by } => monthly(self, line, *by),
            Source::Field { of, path } => self.field(*of, path),
            Source::Attendance(what) => self.attendance(*what),
            Source::TimeOff(kind) => self.time_off(kind),
            Source::TripDays => Ok(self.trips()),
            Source::ReferralRewards => self.rewards(),
            Source::Period(PeriodFact::Joined) => {
                Ok(self.joined().map(|on| (on.to_string(), "the employment".to_owned())))
            }
            Source::Period(what) => Ok(Some((self.period(*what), "period".to_owned()))),
            Source::YearToDate(name) => self.year_to_date(name),
            Source::CarriedForward => Ok(self.carried_forward()),
            Source::Retro => self.retro(),
        }
    }

    /// The days of the period on which the payee is employed: the employment's, else the employee's own dates.
    pub(super) fn employed(&self) -> Option<(Date, Date)> {
        let Span { first, last, .. } = self.about.span;
        let (from, to) = match self.employment() {
            Some(employment) => (day(employment.record.start_on.as_ref()), day(employment.record.end_on.as_ref())),
            None => {
                let employee = self.facts.employees.get(&self.payee.employee)?;
                (day(employee.record.latest_hire_on.as_ref()), day(employee.record.terminated_on.as_ref()))
            }
        };
        let (from, to) = (from.unwrap_or(first).max(first), to.unwrap_or(last).min(last));
        (from <= to).then_some((from, to))
    }

    /// The first day of the employment.
    fn joined(&self) -> Option<Date> {
        let of_employment = self.employment().and_then(|one| day(one.record.start_on.as_ref()));
        of_employment.or_else(|| day(self.facts.employees.get(&self.payee.employee)?.record.latest_hire_on.as_ref()))
    }

    fn employment(&self) -> Option<&Known<hub_model::entities::employment::Employment>> {
        let all = self.facts.employments.get(&self.payee.employee)?;
        match &self.payee.employment {
            Some(id) => all.iter().find(|one| one.id == *id),
            None => {
                let there = |one: &&Known<hub_model::entities::employment::Employment>| {
                    let from = day(one.record.start_on.as_ref()).is_none_or(|from| from <= self.about.span.last);
                    from && day(one.record.end_on.as_ref()).is_none_or(|to| to >= self.about.span.first)
                };
                let mut all = all.iter().filter(there);
                all.clone().find(|one| one.record.is_primary == Some(true)).or_else(|| all.next())
            }
        }
    }

    /// The compensation rows of this group that hold on some day of the period.
    pub(super) fn compensations(&self) -> Vec<&Known<Compensation>> {
        let all = self.facts.compensations.get(&self.payee.employee).map(Vec::as_slice).unwrap_or_default();
        all.iter().filter(|one| is_paid_in(&one.record, self.about) && self.is_of_employment(&one.record)).collect()
    }

    fn is_of_employment(&self, compensation: &Compensation) -> bool {
        id_of(compensation.employment.as_ref()) == self.payee.employment.as_deref()
    }

    fn field(&self, of: Of, path: &[String]) -> Found {
        let (document, origin) = match of {
            Of::Employee => self.facts.employees.get(&self.payee.employee).map(shown("employee")),
            Of::Person => self.facts.persons.get(&self.payee.employee).map(shown("person")),
            Of::Employment => self.employment().map(shown("employment")),
            Of::Assignment => self.assignment().map(shown("job_assignment")),
            Of::Location => self.location().map(shown("location")),
            Of::Compensation => match self.compensations().as_slice() {
                [] => None,
                [one] => Some(shown("compensation")(one)),
                _ => return Err("there are several compensations in the period".to_owned()),
            },
            Of::Appraisal => self.appraisal()?.map(shown("appraisal")),
        }
        .unzip();
        let (Some(document), Some(origin)) = (document, origin) else { return Ok(None) };
        let arena = Arena::new();
        let document = json::read(&arena, document.as_bytes(), Limits::default()).unwrap_or_default();
        let mut value = path.iter().fold(document, |value, name| value.get(name));
        // Enums, money and the like are one value.
        for inner in ["value", "amount", "id"] {
            if matches!(value, Value::Map(_)) && !value.get(inner).is_absent() {
                value = value.get(inner);
            }
        }
        let pointer = path.join("/");
        match value.scalar_text(&arena) {
            Some(text) => Ok(Some((text.to_owned(), format!("{origin}#/{pointer}")))),
            None if value.is_absent() => Ok(None),
            None => Err(format!("{origin}#/{pointer} is no single value")),
        }
    }

    fn assignment(&self) -> Option<&Known<hub_model::entities::employment::JobAssignment>> {
        let employment = self.employment()?;
        let last = self.employed().map_or(self.about.span.last, |(_, last)| last);
        let holds = |one: &&Known<hub_model::entities::employment::JobAssignment>| {
            day(one.record.valid_from.as_ref()).is_none_or(|from| from <= last)
                && day(one.record.valid_to.as_ref()).is_none_or(|to| to >= last)
        };
        let mut all = self.facts.assignments.get(&employment.id)?.iter().filter(holds);
        all.clone().find(|one| one.record.is_primary == Some(true)).or_else(|| all.next())
    }

    fn location(&self) -> Option<&Known<hub_model::entities::organization::Location>> {
        self.facts.locations.get(id_of(self.assignment()?.record.location.as_ref())?)
    }

    /// The appraisal that the period pays for: that of a cycle which ends in it, else the last one of a longer cycle
    /// before.
    fn appraisal(&self) -> Result<Option<&Known<Appraisal>>, String> {
        let all = self.facts.appraisals.get(&self.payee.employee).map(Vec::as_slice).unwrap_or_default();
        let span = self.about.span;
        let ended = |one: &Known<Appraisal>| -> Option<(Date, Option<CycleKind>)> {
            let finalised = one.record.finalised_at.as_ref()?;
            let cycle = id_of(one.record.cycle.as_ref()).and_then(|id| self.facts.cycles.get(id));
            let end = cycle.and_then(|cycle| day(cycle.record.period_end.as_ref()));
            let end = end.unwrap_or_else(|| finalised.0.to_zoned(self.about.zone.clone()).date());
            Some((end, cycle.and_then(|cycle| cycle.record.kind.as_ref()).map(|kind| kind.value)))
        };
        let known: Vec<_> = all.iter().filter_map(|one| Some((ended(one)?, one))).collect();
        let mut here: Vec<_> = known.iter().filter(|((end, _), _)| span.contains(*end)).collect();
        if here.is_empty() {
            let lasts = |kind: Option<CycleKind>| {
                matches!(kind, Some(CycleKind::Quarter | CycleKind::Half | CycleKind::Annual))
            };
            let before: Vec<_> = known.iter().filter(|((end, kind), _)| *end < span.first && lasts(*kind)).collect();
            let latest = before.iter().map(|((end, _), _)| *end).max();
            here = before.into_iter().filter(|((end, _), _)| Some(*end) == latest).collect();
        }
        match here.as_slice() {
            [] => Ok(None),
            [(_, one)] => Ok(Some(one)),
            _ => {
                let ids: Vec<&str> = here.iter().map(|(_, one)| one.id.as_str()).collect();
                Err(format!("there are {} appraisals for the period: {}", ids.len(), ids.join(", ")))
            }
        }
    }

    fn attendance(&self, what: Attendance) -> Found {
        let Some(days) = self.facts.attendance.get(&self.payee.employee) else { return Ok(None) };
        let employed = self.employed();
        let of_employment = |on: Date| employed.is_some_and(|(from, to)| from <= on && on <= to);
        let mut sum = 0_i64;
        let mut seen: BTreeMap<Date, &str> = BTreeMap::new();
        for one in days {
            let Some(on) = day(one.record.on.as_ref()).filter(|on| of_employment(*on)) else { continue };
            if one.record.status.as_ref().is_none_or(|status| status.value == AttendanceDayStatus::Open) {
                return Err(format!("the attendance of {on} is still open (attendance_day/{})", one.id));
            }
            if let Some(other) = seen.insert(on, &one.id) {
                return Err(format!("{on} has two days of attendance: {other} and {}", one.id));
            }
            let overtime = |kind: OvertimeKind| -> i64 {
                let all = one.record.overtime.iter().flatten();
                let paid = all
                    .filter(|part| part.kind.as_ref().is_some_and(|found| found.value == kind))
                    .filter(|part| part.paid_or_toil.as_ref().is_none_or(|back| back.value == OvertimeReturn::Paid));
                paid.filter_map(|part| part.minutes).sum()
            };
            let record = &one.record;
            sum += match what {
                Attendance::Days => i64::from(record.worked_minutes.is_some_and(|minutes| minutes > 0)),
                Attendance::LateCount => i64::from(record.late_minutes.is_some_and(|minutes| minutes > 0)),
                Attendance::LateMinutes => record.late_minutes.unwrap_or(0),
                Attendance::EarlyLeaveMinutes => record.early_leave_minutes.unwrap_or(0),
                Attendance::AbsentMinutes | Attendance::AbsentDays => record.absent_minutes.unwrap_or(0),
                Attendance::PlannedMinutes => record.planned_minutes.unwrap_or(0),
                Attendance::WorkedMinutes => record.worked_minutes.unwrap_or(0),
                Attendance::OvertimeWeekdayMinutes | Attendance::OvertimeWeekdayHours => {
                    overtime(OvertimeKind::Weekday)
                }
                Attendance::OvertimeRestdayMinutes | Attendance::OvertimeRestdayHours => {
                    overtime(OvertimeKind::Restday)
                }
                Attendance::OvertimeHolidayMinutes | Attendance::OvertimeHolidayHours => {
                    overtime(OvertimeKind::Holiday)
                }
            };
        }
        if seen.is_empty() {
            return Ok(None);
        }
        let unit = match what {
            Attendance::AbsentDays => MINUTES_A_DAY,
            Attendance::OvertimeWeekdayHours | Attendance::OvertimeRestdayHours | Attendance::OvertimeHolidayHours => {
                MINUTES_AN_HOUR
            }
            _ => 1,
        };
        let sum = Decimal::from(sum) / Decimal::from(unit);
        Ok(Some((sum.normalize().to_string(), format!("{} days of attendance", seen.len()))))
    }

    /// Days of approved time off of a kind within the period; none is a known nothing.
    fn time_off(&self, kind: &str) -> Found {
        let all = self.facts.time_off.get(&self.payee.employee).map(Vec::as_slice).unwrap_or_default();
        let is_kind = |request: &TimeOffRequest| {
            let of = id_of(request.time_off_type.as_ref()).and_then(|id| self.facts.time_off_types.get(id));
            of.and_then(|of| of.record.kind.as_ref()).is_some_and(|found| found.value.as_str() == kind)
        };
        let approved = |one: &&Known<TimeOffRequest>| {
            one.record.status.as_ref().is_some_and(|status| status.value == TimeOffStatus::Approved)
        };
        let (mut sum, mut from) = (Decimal::ZERO, Vec::new());
        for one in all.iter().filter(approved).filter(|one| is_kind(&one.record)) {
            let days = self.days_off(one)?;
            if !days.is_zero() {
                sum += days;
                from.push(format!("time_off_request/{}", one.id));
            }
        }
        let origin = if from.is_empty() { "no approved time off of this kind".to_owned() } else { from.join(", ") };
        Ok(Some((sum.normalize().to_string(), origin)))
    }

    fn days_off(&self, one: &Known<TimeOffRequest>) -> Result<Decimal, String> {
        let request = &one.record;
        let days = |amount: Decimal| match request.unit.as_ref().map(|unit| unit.value) {
            Some(TimeOffUnit::Days) => Ok(amount),
            Some(TimeOffUnit::HalfDays) => Ok(amount / Decimal::TWO),
            _ => Err(format!("time_off_request/{} is not counted in days", one.id)),
        };
        if let Some(details) = &request.details {
            let within =
                details.iter().filter(|part| day(part.on.as_ref()).is_some_and(|on| self.about.span.contains(on)));
            return days(within.filter_map(|part| part.amount).sum());
        }
        let point = |point: Option<&hub_model::entities::time::TimeOffPoint>| {
            let point = point?;
            let at = point.at.as_ref().map(|at| at.0.to_zoned(self.about.zone.clone()).date());
            day(point.on.as_ref()).or(at)
        };
        let (from, to) = (point(request.starts.as_ref()), point(request.ends.as_ref()));
        let to = point(request.actual_end.as_ref()).or(to).or(from);
        let (Some(from), Some(to)) = (from, to) else {
            return Err(format!("time_off_request/{} does not say when", one.id));
        };
        let Span { first, last, .. } = self.about.span;
        if to < first || last < from {
            return Ok(Decimal::ZERO);
        }
        match request.amount {
            Some(amount) if first <= from && to <= last => days(amount),
            _ => Err(format!(
                "time_off_request/{} goes beyond the period and does not say how much falls on which day",
                one.id
            )),
        }
    }

    /// Days on approved trips; none is a known nothing.
    fn trips(&self) -> Option<(String, String)> {
        let all = self.facts.trips.get(&self.payee.employee).map(Vec::as_slice).unwrap_or_default();
        let (mut days, mut from) = (BTreeSet::new(), Vec::new());
        for one in all {
            if one.record.status.as_ref().is_none_or(|status| status.value != ApprovalStatus::Approved) {
                continue;
            }
            let before = days.len();
            for leg in one.record.legs.iter().flatten() {
                let on = |at: Option<&hub_model::scalars::DateTime>| {
                    at.map(|at| at.0.to_zoned(self.about.zone.clone()).date())
                };
                let (Some(first), last) = (on(leg.starts.as_ref()), on(leg.ends.as_ref())) else { continue };
                let last = last.unwrap_or(first);
                days.extend(self.about.span.days().filter(|day| first <= *day && *day <= last));
            }
            if days.len() > before {
                from.push(format!("trip/{}", one.id));
            }
        }
        let origin = if from.is_empty() { "no approved trip".to_owned() } else { from.join(", ") };
        Some((days.len().to_string(), origin))
    }

    /// Rewards that are approved, and in no run that is settled; none is a known nothing.
    fn rewards(&self) -> Found {
        let all = self.facts.referrals.get(&self.payee.employee).map(Vec::as_slice).unwrap_or_default();
        let settled = self.facts.settled_inputs.get(&self.payee.employee).map(Vec::as_slice).unwrap_or_default();
        let was_paid = |origin: &str| {
            let origins = settled.iter().filter_map(|input| input.record.origins.as_ref()?.as_object());
            origins
                .flat_map(|origins| origins.values())
                .filter_map(|text| text.as_str())
                .any(|text| text.split(", ").any(|one| one == origin))
        };
        let (mut sum, mut from) = (Decimal::ZERO, Vec::new());
        for one in all {
            for (index, reward) in one.record.rewards.iter().flatten().enumerate() {
                if reward.status.as_ref().is_none_or(|status| status.value != RewardStatus::Approved) {
                    continue;
                }
                let origin = super::rewards::origin(&one.id, index);
                let Some(money) = reward.amount.as_ref().filter(|_| !was_paid(&origin)) else { continue };
                let currency = money.currency.as_ref().map(|currency| currency.0.as_str());
                if currency != Some(self.about.currency) {
                    return Err(format!(
                        "{origin} is in {}, the run pays {}",
                        currency.unwrap_or("-"),
                        self.about.currency
                    ));
                }
                sum += money.amount.unwrap_or_default();
                from.push(origin);
            }
        }
        let origin = if from.is_empty() { "no approved reward".to_owned() } else { from.join(", ") };
        Ok(Some((sum.to_string(), origin)))
    }

    fn period(&self, what: PeriodFact) -> String {
        let span = self.about.span;
        match what {
            PeriodFact::Month => span.pay_on.month().to_string(),
            PeriodFact::Year => span.pay_on.year().to_string(),
            PeriodFact::Joined => self.joined().map(|on| on.to_string()).unwrap_or_default(),
            PeriodFact::Length => span.days().count().to_string(),
            // Somebody whose first day is not known has been here since January.
            PeriodFact::FirstMonthOfYear => {
                let joined = self.joined().filter(|on| on.year() == span.pay_on.year());
                joined.map_or(1, |on| on.month()).to_string()
            }
            PeriodFact::LengthEmployed => {
                let employed = self.employed();
                let days = span.days().filter(|day| employed.is_some_and(|(from, to)| from <= *day && *day <= to));
                days.count().to_string()
            }
        }
    }

    /// The last payslip of a settled run before this one.
    pub(super) fn last_payslip(&self) -> Option<(&Known<Payslip>, &Known<PayrollRun>)> {
        self.payslips().max_by_key(|(order, ..)| *order).map(|(_, payslip, run)| (payslip, run))
    }

    /// The payslip of a settled run on which another of theirs rests.
    pub(super) fn payslip_before(&self, payslip: &str) -> Option<(&Known<Payslip>, &Known<PayrollRun>)> {
        let (its, ..) = self.payslips().find(|(_, one, _)| one.id == payslip)?;
        let before = self.payslips().filter(|(order, ..)| *order < its);
        before.max_by_key(|(order, ..)| *order).map(|(_, payslip, run)| (payslip, run))
    }

    /// Their payslips of settled runs that pay no later than this one, with their place in the order in which they rest on
    /// each other.
    fn payslips(&self) -> impl Iterator<Item = (Order<'_>, &Known<Payslip>, &Known<PayrollRun>)> {
        let all = self.facts.payslips.get(&self.payee.employee).map(Vec::as_slice).unwrap_or_default();
        let of_payee = |one: &&Known<Payslip>| {
            one.record.rule_set.is_some() && id_of(one.record.employment.as_ref()) == self.payee.employment.as_deref()
        };
        all.iter().filter(of_payee).filter_map(|one| {
            let run = self.facts.runs.get(id_of(one.record.run.as_ref())?)?;
            let on = day(run.record.pay_on.as_ref())?;
            (on <= self.about.span.pay_on).then_some(((on, locked_at(&run.record), run.id.as_str()), one, run))
        })
    }

    /// A sum of the year so far. The first payslip of a year begins with nothing, if it pays the first month that the
    /// payee could be paid in; else somebody has to say what was paid elsewhere.
    fn year_to_date(&self, name: &str) -> Found {
        let year = self.about.span.pay_on.year();
        let before =
            self.last_payslip().filter(|(_, run)| day(run.record.pay_on.as_ref()).is_some_and(|on| on.year() == year));
        if let Some((payslip, _)) = before {
            let ytd = payslip.record.ytd.as_ref();
            let found = ytd.and_then(|ytd| ytd.get(name).or_else(|| ytd.get("lines")?.get(name)));
            let text = found
                .and_then(|found| found.as_str().map(ToOwned::to_owned).or_else(|| Some(found.as_i64()?.to_string())));
            // A line that no payslip of the year had adds up to nothing.
            let text = text.unwrap_or_else(|| "0".to_owned());
            return Ok(Some((text, format!("payslip/{}#/ytd/{name}", payslip.id))));
        }
        let first_day = self.employed().map(|(from, _)| from);
        let joined_now = first_day.is_some_and(|from| from > self.about.span.first);
        let started = self.joined();
        let is_first = joined_now
            || started.is_some_and(|start| start >= self.about.span.first)
            || self.about.span.pay_on.month() == 1;
        if is_first {
            return Ok(Some(("0".to_owned(), "the first payslip of the year".to_owned())));
        }
        Err(format!(
            "no payslip of {year} is settled before this run: if nothing was paid in {year} give 0, else the sum so far"
        ))
    }

    fn retro(&self) -> Found {
        let Some(late) = self.facts.retro.get(self.payee) else { return Ok(None) };
        let (sum, origin) = retro::total(late.as_ref().map_err(Clone::clone)?);
        Ok(Some((sum.to_string(), origin)))
    }

    fn carried_forward(&self) -> Option<(String, String)> {
        let Some((payslip, _)) = self.last_payslip() else {
            return Some(("0".to_owned(), "no payslip before".to_owned()));
        };
        let carried = payslip.record.carried_forward.as_ref().and_then(|money| money.amount).unwrap_or_default();
        Some((carried.to_string(), format!("payslip/{}#/carried_forward", payslip.id)))
    }
}

fn shown<'k, T>(entity: &'static str) -> impl Fn(&'k Known<T>) -> (&'k str, String) {
    move |one| (one.document.as_str(), format!("{entity}/{}", one.id))
}

/// Whether a compensation is of the run's group and holds on a day of the period.
pub(super) fn is_paid_in(compensation: &Compensation, about: &About<'_>) -> bool {
    id_of(compensation.pay_group.as_ref()) == Some(about.group)
        && day(compensation.valid_from.as_ref()).is_none_or(|from| from <= about.span.last)
        && day(compensation.valid_to.as_ref()).is_none_or(|to| to >= about.span.first)
}
