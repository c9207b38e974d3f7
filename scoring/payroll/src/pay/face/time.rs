//! Attendance, overtime and parts of months.

use super::{law, quantity, quantity_or_nothing, rules, shown, step, step_of, up_to};
use crate::pay::attendance::{Kinds, overtime as pay_overtime, unpaid};
use crate::pay::calendar::Kind;
use crate::pay::proration::{METHODS, Method, Segment, part, split};
use crate::tables::share;
use hub_calc::{Answer, Exact, Given, Wrong};
use hub_tree::Value;

/// Days in the longest month.
const MONTH: i64 = 31;

/// A number to divide by: the request's, or that of the law.
fn divisor(given: Given<'_>, field: &str, rule: &str, most: i64) -> Result<Exact, Wrong> {
    let divisor =
        if given.has(field) { up_to(given, field, most)? } else { law(given, field, rules::number(rule))?.clone() };
    if divisor.is_zero() {
        return Err(
            given.wrong(field, &format!("the divisor `{field}` is 0, which is out of range; it should be above 0"))
        );
    }
    Ok(divisor)
}

fn zero_divisor(given: Given<'_>) -> Wrong {
    given.wrong("divisor", "the divisor should be above 0")
}

pub(super) fn attendance_deduction<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let (wage, days) = (quantity(given, "monthly_wage")?, up_to(given, "unpaid_days", MONTH)?);
    let divisor = divisor(given, "divisor", "paid_days_a_month", MONTH)?;
    let found = unpaid(&wage, &divisor, &days).ok_or_else(|| zero_divisor(given))?;
    let rate = format!("{wage} ÷ {divisor} = {}", shown(&found.day_rate));
    let text = format!("{wage} ÷ {divisor} × {days} days = {}", shown(&found.by_days));
    let mut answer =
        Answer::new(given.arena()).number("day_rate", &found.day_rate, 2).number("deduction", &found.deduction, 2);
    if found.is_whole_wage(&wage) {
        let detail = format!("{days} days come to {}, more than the wage; the wage is deducted", shown(&found.by_days));
        answer.warn("/unpaid_days", &detail);
    }
    let because = vec![step(given, rate, "monthly_wage", &found.day_rate)];
    Ok(answer.because(step(given, text, "unpaid_days", &found.deduction).because(because)))
}

pub(super) fn overtime<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let wage = quantity(given, "base_monthly")?;
    let days = divisor(given, "divisor", "paid_days_a_month", MONTH)?;
    let hours_a_day = divisor(given, "hours_per_day", "hours_a_day", 24)?;
    // A month has no more hours.
    let worked = |field: &str| if given.has(field) { up_to(given, field, MONTH * 24) } else { Ok(Exact::zero()) };
    let hours = Kinds {
        workday: worked("workday_hours")?,
        restday: worked("restday_hours")?,
        holiday: worked("holiday_hours")?,
    };
    let leave = given.flag_or("restday_comp_leave", false)?;
    let percents = law(given, "type", rules::overtime())?;
    let found =
        pay_overtime(&wage, (&days, &hours_a_day), &hours, &percents, leave).ok_or_else(|| zero_divisor(given))?;
    let (rate, pay, total) = (&found.hour_rate, &found.pay, found.total());
    let mut answer = Answer::new(given.arena()).number("hour_rate", rate, 2);
    let mut because =
        vec![step(given, format!("{wage} ÷ {days} ÷ {hours_a_day} = {}", shown(rate)), "base_monthly", rate)];
    for (name, path, hours, percent, pay) in [
        ("workday", "workday_hours", &hours.workday, percents.workday, &pay.workday),
        ("restday", "restday_hours", &hours.restday, percents.restday, &pay.restday),
        ("holiday", "holiday_hours", &hours.holiday, percents.holiday, &pay.holiday),
    ] {
        answer = answer.number(name, pay, 2);
        let exact = shown(&(rate * hours * share(percent)));
        let text = match name {
            "restday" if leave => format!("restday: {hours} h are made good with leave, so they pay 0"),
            _ => format!("{name}: {} × {hours} h × {percent}% = {exact}", shown(rate)),
        };
        because.push(step(given, text, path, pay));
    }
    let sum = format!("{} + {} + {}", pay.workday.to_places(2), pay.restday.to_places(2), pay.holiday.to_places(2));
    let mut answer =
        answer.number("total", &total, 2).because(step(given, sum, "base_monthly", &total).because(because));
    let all: Exact = [&hours.workday, &hours.restday, &hours.holiday].into_iter().sum();
    let most = law(given, "type", rules::number("overtime_hours_a_month"))?;
    if all > *most {
        answer.warn("", &format!("{all} h of overtime are more than the {most} h that the law allows in a month"));
    }
    Ok(answer)
}

pub(super) fn overtime_multiplier<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let (name, day) = (given.text("calendar")?, given.date("date")?);
    if let Some((_, year)) = name.rsplit_once('-')
        && year.parse::<i16>().is_ok_and(|year| year != day.year())
    {
        return Err(given.wrong("date", &format!("the date {day} is outside the calendar `{name}`")));
    }
    let leave = given.flag_or("compensatory_leave", false)?;
    let kind = law(given, "calendar", rules::calendar(name, day))?.kind(day);
    let percents = law(given, "type", rules::overtime())?;
    let (percent, text) = match kind {
        Kind::Work => (percents.workday.clone(), "a working day; leave does not replace the pay"),
        Kind::Rest if leave => (Exact::zero(), "a rest day that is made good with leave"),
        Kind::Rest => (percents.restday.clone(), "a rest day that is not made good with leave"),
        Kind::Holiday => (percents.holiday.clone(), "a statutory holiday; leave does not replace the pay"),
    };
    let multiplier = share(&percent);
    let text = format!("{day} is {text}: {percent}%");
    let answer = Answer::new(given.arena()).number("multiplier", &multiplier, 1);
    Ok(answer.because(step_of(given, text, "date", &multiplier, 1)))
}

/// The method of a request, and what the names of its days begin with.
fn method(given: Given<'_>) -> Result<(Method, &'static str), Wrong> {
    let word = given.text("method")?;
    let Some(method) = Method::named(word) else {
        let known: Vec<&str> = METHODS.iter().map(|(word, _)| *word).collect();
        return Err(given.wrong("method", &format!("there is no method `{word}`; known: {}", known.join(", "))));
    };
    Ok((method, if method == Method::CalendarDays { "calendar" } else { "working" }))
}

/// The days of a month, above nothing.
fn days_in_month(given: Given<'_>, field: &str) -> Result<Exact, Wrong> {
    let days = up_to(given, field, MONTH)?;
    if days.is_zero() {
        return Err(given.wrong(field, &format!("`{field}` is 0, which is out of range; a month has days")));
    }
    Ok(days)
}

pub(super) fn proration<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let (method, days) = method(given)?;
    let [employed_field, month_field] = ["employed", "in_month"].map(|of| format!("{days}_days_{of}"));
    let wage = quantity(given, "monthly_wage")?;
    let (employed, month) = (quantity(given, &employed_field)?, days_in_month(given, &month_field)?);
    if employed > month {
        let detail = format!("`{employed_field}` is outside the range 0 to {month}, the days of the month: {employed}");
        return Err(given.wrong(&employed_field, &detail));
    }
    let paid_days = law(given, "type", rules::number("paid_days_a_month"))?;
    let pay = part(method, &wage, &employed, &month, paid_days).ok_or_else(|| zero_divisor(given))?;
    let text = match method {
        Method::PaidDays if employed == month => format!("a complete month of {month} days: {wage}"),
        Method::PaidDays => format!("{wage} ÷ {paid_days} × {employed} days, and not more than {wage}"),
        Method::WorkingDays | Method::CalendarDays => format!("{wage} × {employed} ÷ {month} {days} days"),
    };
    let answer = Answer::new(given.arena()).number("pay", &pay, 2);
    Ok(answer.because(step(given, text, &employed_field, &pay)))
}

pub(super) fn proration_split<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let (method, days) = method(given)?;
    let [own_field, month_field] = ["", "_in_month"].map(|of| format!("{days}_days{of}"));
    let (mut segments, mut because) = (Vec::new(), Vec::new());
    for (index, item) in given.list("segments")?.enumerate() {
        let segment = Segment { wage: quantity(item, "monthly_wage")?, days: up_to(item, &own_field, MONTH)? };
        let text = format!("{} for {} {days} days", segment.wage, segment.days);
        because.push(step(given, text, &format!("segments[{index}].monthly_wage"), &segment.wage));
        segments.push(segment);
    }
    let all: Exact = segments.iter().map(|segment| &segment.days).sum();
    let month = given.has(&month_field).then(|| days_in_month(given, &month_field)).transpose()?;
    let most = month.clone().unwrap_or_else(|| Exact::from(MONTH));
    if all.is_zero() || all > most {
        let detail = format!("the days of the segments are {all} together, outside the range above 0 up to {most}");
        return Err(given.wrong("segments", &detail));
    }
    let paid_days = law(given, "type", rules::number("paid_days_a_month"))?;
    let pay = split(method, &segments, month.as_ref(), paid_days).ok_or_else(|| zero_divisor(given))?;
    let text = match method {
        Method::PaidDays => format!("each wage ÷ {paid_days} × its days, and not more than the highest wage"),
        Method::WorkingDays | Method::CalendarDays => {
            format!("each wage × its days ÷ {} {days} days", month.as_ref().unwrap_or(&all))
        }
    };
    let answer = Answer::new(given.arena()).number("pay", &pay, 2);
    Ok(answer.because(step(given, text, "segments", &pay).because(because)))
}

/// What unpaid days of a month take off a wage, and how that is calculated.
pub(super) fn unpaid_days(given: Given<'_>, wage: &Exact) -> Result<(Exact, String), Wrong> {
    if !given.has("unpaid_days") {
        return Ok((Exact::zero(), "no day without pay".to_owned()));
    }
    let days = up_to(given, "unpaid_days", MONTH)?;
    let divisor = divisor(given, "divisor", "paid_days_a_month", MONTH)?;
    let found = unpaid(wage, &divisor, &days).ok_or_else(|| zero_divisor(given))?;
    let text = format!("{wage} ÷ {divisor} × {days} days = {}, and not more than the wage", shown(&found.by_days));
    Ok((found.deduction, text))
}

/// Deductions for attendance of a month: those that are given, and those for days without pay.
pub(super) fn attendance(given: Given<'_>, wage: Option<&Exact>) -> Result<(Exact, String), Wrong> {
    let field = "attendance_deductions";
    // One amount, or one for each reason.
    let known = match given.value().get(field) {
        Value::Map(_) => {
            let reasons = given.map(field)?;
            reasons.entries().iter().map(|(reason, _)| quantity(reasons, reason)).sum::<Result<Exact, Wrong>>()?
        }
        _ => quantity_or_nothing(given, field)?,
    };
    let Some(wage) = wage else {
        if given.has("unpaid_days") {
            return Err(given.wrong("unpaid_days", "`unpaid_days` needs the wage `base` among the `earnings`"));
        }
        return Ok((known, "as given".to_owned()));
    };
    let (days, text) = unpaid_days(given, wage)?;
    Ok((&known + &days, format!("given {known}; {text}")))
}
