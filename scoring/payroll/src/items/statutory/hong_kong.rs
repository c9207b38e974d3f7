//! 強積金: Hong Kong's Mandatory Provident Fund, for pay by calendar months.

use super::{Call, LineSpec, Made, Param, Statutory, Trouble, line, required};
use crate::elsewhere::hong_kong::{Mpf, mpf, start};
use crate::items::how::amount;
use crate::items::rules::InputKind;
use crate::tables::Pack;
use hub_calc::Exact;
use hub_model::entities::pay::{PayLineKind, PaySide};
use hub_tree::jiff::civil::Date;

pub(super) const MPF: Statutory = Statutory {
    id: "hong_kong.mpf",
    about: "Mandatory contributions for a calendar month. The employee's share is waived for the first days of the \
            employment and the incomplete month after them.",
    currency: "HKD",
    packs: &["hong-kong"],
    params: PARAMS,
    lines: LINES,
    reads_taxable: false,
    run,
};

const PARAMS: &[Param] = &[
    required("income", InputKind::Money, "Relevant income of the month."),
    required("born", InputKind::Date, "The day of birth: contributions are for those of 18 to 64 years."),
    required("joined", InputKind::Date, "The first day of the employment."),
];

const LINES: &[LineSpec] = &[
    line("mpf_employee", PayLineKind::ContributionRetirement, PaySide::Employee),
    line("mpf_employer", PayLineKind::ContributionRetirement, PaySide::Employer),
];

/// Whole years of age on a day.
fn age(born: Date, on: Date) -> i64 {
    let passed = (on.month(), on.day()) >= (born.month(), born.day());
    i64::from(on.year()) - i64::from(born.year()) - i64::from(!passed)
}

fn run(call: &Call<'_>) -> Result<Vec<Made>, Trouble> {
    let pack = Pack::load("hong-kong")?;
    let on = call.period.end;
    let number = |name: &str| Ok::<_, Trouble>(call.rule(pack, pack.number(name, on)?, on));
    let (income, born, joined) = (call.number("income")?, call.date("born")?, call.date("joined")?);
    if joined > on {
        return Err(call.blame("joined", &format!("{joined} is after the period")));
    }
    let age = Exact::from(age(born, on));
    if age < *number("mpf_age_first")? || age > *number("mpf_age_last")? {
        return Ok(Vec::new());
    }
    let rules = Mpf {
        percent: number("mpf_rate")?.clone(),
        least: number("mpf_month_least")?.clone(),
        most: number("mpf_month_most")?.clone(),
    };
    let days = |name: &str| {
        let days = pack.number(name, on)?.rule.to_whole();
        days.ok_or_else(|| Trouble { param: None, message: format!("the pack's `{name}` should be whole days") })
    };
    let due = i8::try_from(days("mpf_due_day")?).unwrap_or(1);
    let first = start(joined, days("mpf_waived_days")?, days("mpf_enrolled_after_days")?, due);
    let first =
        first.ok_or_else(|| call.blame("joined", &format!("the calendar has no days after {joined} to count")))?;
    let waived = call.period.end < first.employee_from;
    let (employee, employer) = mpf(&income, &rules);
    let counted = (&income).min(&rules.most).clone();
    let how = |paid: &Exact| format!("{} × {}% = {}", amount(&counted), rules.percent, amount(paid));
    let mut made = Vec::new();
    let mut add = |line: usize, paid: Exact| {
        let how = call.explain.then(|| how(&paid));
        made.push(Made { line, how, base: Some(counted.clone()), rate: Some(rules.percent.clone()), amount: paid });
    };
    if !waived && employee.is_positive() {
        add(0, employee);
    }
    add(1, employer);
    Ok(made)
}
