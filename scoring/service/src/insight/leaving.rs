//! Rows of who left: features of employees on three days, and what became of them.
//!
//! The period is halved. Features are those known at its beginning, its middle and its end; the model is learnt from
//! who left in the first half, tried on the second, and asked about those who are there now. Nothing that happened
//! later than its day is in a feature.

use super::Ask;
use super::people::{day, is_wanted, name_of};
use super::sight::{Appraised, ById, NotMade, Sight, id_of};
use hub_calc::Exact;
use hub_flow::reading::Known;
use hub_insight::attrition::{Period, Row};
use hub_model::entities::employment::Employee;
use hub_model::entities::time::AttendanceDay;
use hub_tree::jiff::ToSpan;
use hub_tree::jiff::civil::Date;
use std::collections::BTreeMap;

/// Minutes late by employee and day.
type Lateness = BTreeMap<String, BTreeMap<Date, i64>>;
const FEATURES: [&str; 3] = ["late_increase_minutes", "score_drop", "years_here"];

/// The names of the features that vary, and the rows.
pub(super) async fn rows(sight: &Sight<'_>, ask: &Ask) -> Result<(Vec<String>, Vec<Row>), NotMade> {
    let until = ask.until.unwrap_or_else(|| sight.today());
    let since = match ask.since {
        Some(since) => since,
        None => until
            .checked_sub(2.years())
            .map_err(|_| NotMade::Parameter("until", "the day is out of range".to_owned()))?,
    };
    if since >= until {
        return Err(NotMade::Parameter("since", "the period ends before it begins".to_owned()));
    }
    let days = i64::from(since.until(until).map(|span| span.get_days()).unwrap_or_default());
    let middle = since.checked_add((days / 2).days()).unwrap_or(until);
    let employees: ById<Employee> = sight.by_id("employee").await?;
    let appraisals = sight.appraisals().await?;
    let lateness = lateness(sight).await?;
    let mut rows = Vec::new();
    let cuts = [(Period::Learn, since, Some(middle)), (Period::Later, middle, Some(until)), (Period::Now, until, None)];
    for (period, cut, end) in cuts {
        for known in employees.values().filter(|known| is_wanted(ask, &known.record)) {
            let Some(gone) = there(&known.record, cut) else { continue };
            let left = end.map(|end| gone.is_some_and(|day| day <= end));
            let features = features(known, cut, &appraisals, &lateness);
            rows.push(Row { person: name_of(known), period, left, features });
        }
    }
    Ok(varying(rows))
}

/// Of somebody who is there on a day, when they leave; `None` of others.
fn there(employee: &Employee, on: Date) -> Option<Option<Date>> {
    let came = day(employee.latest_hire_on.as_ref()).or_else(|| day(employee.original_hire_on.as_ref()))?;
    let gone = day(employee.terminated_on.as_ref());
    (came <= on && gone.is_none_or(|gone| gone > on)).then_some(gone)
}

async fn lateness(sight: &Sight<'_>) -> Result<Lateness, NotMade> {
    let mut found = Lateness::new();
    for Known { record, .. } in sight.all::<AttendanceDay>("attendance_day").await? {
        if let (Some(employee), Some(on), Some(late)) =
            (id_of(record.employee.as_ref()), day(record.on.as_ref()), record.late_minutes)
        {
            found.entry(employee.to_owned()).or_default().insert(on, late);
        }
    }
    Ok(found)
}

/// What is known on a day: minutes late in the three months before it less those in the three before these, points lost
/// from the last appraisal but one to the last, and years since the hire.
fn features(
    known: &Known<Employee>,
    on: Date,
    appraisals: &BTreeMap<String, Vec<Appraised>>,
    lateness: &Lateness,
) -> Vec<Exact> {
    let back = |months: i32| on.checked_sub(months.months()).unwrap_or(on);
    let late = |from: Date, to: Date| -> i64 {
        lateness.get(&known.id).map_or(0, |days| days.range(from..to).map(|(_, minutes)| minutes).sum())
    };
    let (three, six) = (back(3), back(6));
    let increase = late(three, on) - late(six, three);
    let known_then = |one: &&Appraised| one.on <= on;
    let totals: Vec<&Exact> = appraisals
        .get(&known.id)
        .into_iter()
        .flatten()
        .filter(known_then)
        .filter_map(|one| one.total.as_ref())
        .collect();
    let drop = match totals.as_slice() {
        [.., before, last] => *before - *last,
        _ => Exact::zero(),
    };
    let came = day(known.record.latest_hire_on.as_ref()).or_else(|| day(known.record.original_hire_on.as_ref()));
    let days = came.and_then(|came| came.until(on).ok()).map_or(0, |span| i64::from(span.get_days()));
    let years = Exact::from(days).over(&Exact::from(365)).unwrap_or_else(Exact::zero);
    vec![Exact::from(increase), drop, years]
}

/// Leaves features out that are the same for everybody the model is learnt from.
fn varying(rows: Vec<Row>) -> (Vec<String>, Vec<Row>) {
    let learnt = || rows.iter().filter(|row| row.period == Period::Learn);
    let varies = |at: usize| {
        let first = learnt().next().and_then(|row| row.features.get(at));
        learnt().any(|row| row.features.get(at) != first)
    };
    let kept: Vec<bool> = (0..FEATURES.len()).map(varies).collect();
    let keep = |row: Row| {
        let features = row.features.into_iter().zip(&kept).filter(|(_, kept)| **kept).map(|(value, _)| value).collect();
        Row { features, ..row }
    };
    let names = FEATURES.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(name, _)| (*name).to_owned()).collect();
    let rows = rows.into_iter().map(keep).collect();
    (names, rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_came_later_or_left_before_is_not_there() {
        let date = |text: &str| Some(hub_model::scalars::Date(text.to_owned()));
        let employee =
            Employee { latest_hire_on: date("2025-03-01"), terminated_on: date("2026-03-01"), ..Employee::default() };
        let on = |text: &str| there(&employee, text.parse().unwrap());
        assert_eq!(on("2025-02-28"), None);
        assert_eq!(on("2025-03-01"), Some(Some("2026-03-01".parse().unwrap())));
        assert_eq!(on("2026-03-01"), None, "gone from that day on");
        assert_eq!(there(&Employee::default(), "2026-01-01".parse().unwrap()), None, "nobody knows since when");
    }

    #[test]
    fn features_that_do_not_vary_are_left_out() {
        let row = |period, late: i64, years: i64| Row {
            person: String::new(),
            period,
            left: None,
            features: vec![Exact::from(late), Exact::zero(), Exact::from(years)],
        };
        let (names, rows) = varying(vec![row(Period::Learn, 0, 1), row(Period::Learn, 0, 2), row(Period::Now, 9, 3)]);
        assert_eq!(names, ["years_here"]);
        assert_eq!(rows[2].features, [Exact::from(3)]);
    }
}
