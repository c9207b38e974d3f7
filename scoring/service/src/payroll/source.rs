//! Where an input of pay rules comes from: the words of `from` in a rules file.

use hub_payroll::pay::proration::{METHODS, Method};
use hub_tree::finding::suggest;

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// A line of the compensation by its code or kind, a month's worth of it. With a method, pay that changes within the
    /// period, and a period that is worked in part, is counted by it.
    Compensation { line: String, by: Option<Method> },
    /// A field of a record, by its path.
    Field { of: Of, path: Vec<String> },
    /// A sum over the days of the period.
    Attendance(Attendance),
    /// Days of approved time off of a kind.
    TimeOff(String),
    /// Days of the period on approved trips.
    TripDays,
    /// What referrals earn that is approved and not paid yet.
    ReferralRewards,
    /// Something about the period.
    Period(PeriodFact),
    /// The year so far, as the payslip before tells it.
    YearToDate(String),
    /// What the payslip before could not take off.
    CarriedForward,
    /// What late data changes in months that are settled.
    Retro,
}

/// Whose field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    Employee,
    Person,
    Employment,
    Assignment,
    Location,
    Appraisal,
    Compensation,
}

/// What is summed up over days of attendance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attendance {
    Days,
    LateCount,
    LateMinutes,
    EarlyLeaveMinutes,
    AbsentMinutes,
    PlannedMinutes,
    WorkedMinutes,
    OvertimeWeekdayMinutes,
    OvertimeRestdayMinutes,
    OvertimeHolidayMinutes,
    /// Days of eight hours.
    AbsentDays,
    OvertimeWeekdayHours,
    OvertimeRestdayHours,
    OvertimeHolidayHours,
}

/// Something about the period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PeriodFact {
    Month,
    Year,
    /// Its days.
    Length,
    /// Those of them on which the payee is employed.
    LengthEmployed,
    /// The first month of the year that the payee is employed in.
    FirstMonthOfYear,
    /// The first day of the employment.
    Joined,
}

const ATTENDANCE: [(&str, Attendance); 14] = [
    ("days", Attendance::Days),
    ("late_count", Attendance::LateCount),
    ("late_minutes", Attendance::LateMinutes),
    ("early_leave_minutes", Attendance::EarlyLeaveMinutes),
    ("absent_minutes", Attendance::AbsentMinutes),
    ("planned_minutes", Attendance::PlannedMinutes),
    ("worked_minutes", Attendance::WorkedMinutes),
    ("overtime_weekday_minutes", Attendance::OvertimeWeekdayMinutes),
    ("overtime_restday_minutes", Attendance::OvertimeRestdayMinutes),
    ("overtime_holiday_minutes", Attendance::OvertimeHolidayMinutes),
    ("absent_days", Attendance::AbsentDays),
    ("overtime_weekday_hours", Attendance::OvertimeWeekdayHours),
    ("overtime_restday_hours", Attendance::OvertimeRestdayHours),
    ("overtime_holiday_hours", Attendance::OvertimeHolidayHours),
];
const PERIOD: [(&str, PeriodFact); 6] = [
    ("month", PeriodFact::Month),
    ("year", PeriodFact::Year),
    ("days", PeriodFact::Length),
    ("days_employed", PeriodFact::LengthEmployed),
    ("first_month_of_year", PeriodFact::FirstMonthOfYear),
    ("joined", PeriodFact::Joined),
];
const FIELDS: [(&str, Of); 7] = [
    ("employee", Of::Employee),
    ("person", Of::Person),
    ("employment", Of::Employment),
    ("assignment", Of::Assignment),
    ("location", Of::Location),
    ("appraisal", Of::Appraisal),
    ("compensation_field", Of::Compensation),
];
const SOURCES: [&str; 15] = [
    "retro",
    "person",
    "previous",
    "compensation",
    "employee",
    "employment",
    "assignment",
    "location",
    "appraisal",
    "attendance",
    "time_off",
    "trips",
    "referrals",
    "period",
    "ytd",
];

impl Source {
    /// Reads `from`, such as `compensation.BASE by calendar_days` or `ytd.taxable`.
    ///
    /// # Errors
    /// What is wrong, with what could be meant.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let (what, by) = match text.split_once(" by ") {
            Some((what, by)) => (what.trim(), Some(by.trim())),
            None => (text.trim(), None),
        };
        let (head, rest) = what.split_once('.').unwrap_or((what, ""));
        if by.is_some() && head != "compensation" {
            return Err("`by` belongs to `compensation`".to_owned());
        }
        let one_of = |known: &[&'static str]| {
            let near = suggest(rest, known.iter().copied()).map(|near| format!("; {near}")).unwrap_or_default();
            format!("`{head}` has no `{rest}`{near}")
        };
        match (head, rest) {
            ("retro", "earnings") => Ok(Self::Retro),
            ("previous", "carried_forward") => Ok(Self::CarriedForward),
            ("trips", "days") => Ok(Self::TripDays),
            ("referrals", "rewards") => Ok(Self::ReferralRewards),
            (_, "") => Err(format!("say what of `{head}`: `{head}.<name>`")),
            ("compensation", line) => Ok(Self::Compensation { line: line.to_owned(), by: method(by)? }),
            ("time_off", kind) => Ok(Self::TimeOff(kind.to_uppercase())),
            ("ytd", name) => Ok(Self::YearToDate(name.to_owned())),
            ("attendance", name) => {
                let found =
                    ATTENDANCE.iter().find(|(known, _)| *known == name).map(|(_, what)| Self::Attendance(*what));
                found.ok_or_else(|| one_of(&ATTENDANCE.map(|(known, _)| known)))
            }
            ("period", name) => {
                let found = PERIOD.iter().find(|(known, _)| *known == name).map(|(_, what)| Self::Period(*what));
                found.ok_or_else(|| one_of(&PERIOD.map(|(known, _)| known)))
            }
            ("retro", _) => Err(one_of(&["earnings"])),
            ("trips", _) => Err(one_of(&["days"])),
            ("referrals", _) => Err(one_of(&["rewards"])),
            ("previous", _) => Err(one_of(&["carried_forward"])),
            (head, path) => match FIELDS.iter().find(|(known, _)| *known == head) {
                Some((_, of)) => Ok(Self::Field { of: *of, path: path.split('.').map(ToOwned::to_owned).collect() }),
                None => {
                    let near = suggest(head, SOURCES).map(|near| format!("; {near}")).unwrap_or_default();
                    Err(format!("there is no source `{head}`{near}"))
                }
            },
        }
    }
}

fn method(by: Option<&str>) -> Result<Option<Method>, String> {
    let Some(by) = by else { return Ok(None) };
    let named = Method::named(by).or_else(|| Method::named(&format!("by_{by}")));
    named.map(Some).ok_or_else(|| {
        let known = METHODS.map(|(name, _)| name.trim_start_matches("by_"));
        format!("there is no way `{by}` to count a part of a month; {}", suggest(by, known).unwrap_or_default())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_read_and_others_are_told_what_could_be_meant() {
        let read = |text: &str| Source::read(text);
        assert_eq!(
            read("compensation.BASE by calendar_days"),
            Ok(Source::Compensation { line: "BASE".into(), by: Some(Method::CalendarDays) })
        );
        assert_eq!(read("compensation.BASE"), Ok(Source::Compensation { line: "BASE".into(), by: None }));
        assert_eq!(
            read("employee.custom.city"),
            Ok(Source::Field { of: Of::Employee, path: vec!["custom".into(), "city".into()] })
        );
        assert_eq!(read("attendance.late_minutes"), Ok(Source::Attendance(Attendance::LateMinutes)));
        assert_eq!(read("retro.earnings"), Ok(Source::Retro));
        assert_eq!(read("ytd.taxable"), Ok(Source::YearToDate("taxable".into())));
        for (bad, wanted) in [
            ("attendance.late_minute", "late_minutes"),
            ("retro.earning", "earnings"),
            ("compensaton.BASE", "compensation"),
            ("compensation", "say what of"),
            ("employee.status by calendar_days", "`by` belongs to"),
            ("compensation.BASE by moons", "no way `moons`"),
        ] {
            let error = read(bad).unwrap_err();
            assert!(error.contains(wanted), "{bad}: {error}");
        }
    }
}
