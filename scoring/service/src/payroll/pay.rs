//! A month's pay out of compensations: the line by its code or kind, day by day where it changes.

use super::collect::{Found, Person, day};
use super::facts::Span;
use hub_calc::Exact;
use hub_flow::reading::Known;
use hub_model::entities::pay::Compensation;
use hub_model::entities::requisition::{CompensationLine, PayPeriod};
use hub_model::enums::EnumOf;
use hub_payroll::pay::calendar::{Kind, WorkingCalendar};
use hub_payroll::pay::proration::{Method, Segment, part, split};
use hub_payroll::pay::rules;
use hub_tree::Decimal;
use hub_tree::jiff::civil::Date;

/// Days on end with one amount.
struct Stretch {
    first: Date,
    last: Date,
    amount: Decimal,
    origin: String,
}

/// The month's amount of a line. Pay that changes within the period, and a period that is not employed throughout, need
/// a way to count parts.
pub(super) fn monthly(person: &Person<'_>, line: &str, by: Option<Method>) -> Found {
    let rows = person.compensations();
    if rows.is_empty() {
        return Ok(None);
    }
    let Some((first, last)) = person.employed() else {
        return Err("is not employed on any day of the period".to_owned());
    };
    let mut stretches = Vec::new();
    for row in &rows {
        let Some((amount, index)) = amount_of(row, line, person.about.currency, person.about.span)? else { continue };
        let from = day(row.record.valid_from.as_ref()).unwrap_or(first).max(first);
        let to = day(row.record.valid_to.as_ref()).unwrap_or(last).min(last);
        if from <= to {
            stretches.push(Stretch {
                first: from,
                last: to,
                amount,
                origin: format!("compensation/{}#/lines/{index}", row.id),
            });
        }
    }
    if stretches.is_empty() {
        return Ok(None);
    }
    stretches.sort_by_key(|one| one.first);
    for pair in stretches.windows(2) {
        if let [one, next] = pair
            && next.first <= one.last
        {
            return Err(format!(
                "{} and {} both hold on {}: compensations overlap",
                one.origin, next.origin, next.first
            ));
        }
    }
    let origin = stretches.iter().map(|one| one.origin.as_str()).collect::<Vec<_>>().join(", ");
    let Span { first: begin, last: end, .. } = person.about.span;
    let covered: usize = stretches.iter().map(|one| days(one.first, one.last)).sum();
    let whole = covered == days(begin, end);
    let same = stretches.iter().all(|one| stretches.first().is_some_and(|first| first.amount == one.amount));
    if whole && same {
        return Ok(stretches.first().map(|one| (one.amount.to_string(), origin)));
    }
    let Some(method) = by else {
        let spans: Vec<String> =
            stretches.iter().map(|one| format!("{} from {} to {}", one.amount, one.first, one.last)).collect();
        return Err(format!(
            "`{line}` is not the same throughout the period ({}): say in the rules how a part is counted, such as \
             `compensation.{line} by calendar_days`",
            spans.join(", ")
        ));
    };
    let amount = prorated(person, method, &stretches)?;
    Ok(Some((amount, origin)))
}

fn days(first: Date, last: Date) -> usize {
    Span { first, last, pay_on: last }.days().count()
}

fn prorated(person: &Person<'_>, method: Method, stretches: &[Stretch]) -> Result<String, String> {
    let span = person.about.span;
    let calendar = match method {
        Method::CalendarDays => None,
        _ => Some(working_days(person.about.calendar, span)?),
    };
    let counted = |first: Date, last: Date| {
        let all = Span { first, last, pay_on: last }.days();
        let count = all.filter(|day| calendar.as_ref().is_none_or(|of| of.kind(*day) == Kind::Work)).count();
        Exact::from(i64::try_from(count).unwrap_or(i64::MAX))
    };
    let in_month = counted(span.first, span.last);
    let paid_days = rules::number("paid_days_a_month").map_err(|missing| missing.detail)?;
    let pay = match stretches {
        [one] => part(method, &Exact::from(one.amount), &counted(one.first, one.last), &in_month, paid_days),
        many => {
            let segments: Vec<Segment> = many
                .iter()
                .map(|one| Segment { wage: Exact::from(one.amount), days: counted(one.first, one.last) })
                .collect();
            split(method, &segments, Some(&in_month), paid_days)
        }
    };
    pay.map(|pay| pay.to_places(2)).ok_or_else(|| "the period has no working days".to_owned())
}

fn working_days(calendar: Option<&str>, span: Span) -> Result<WorkingCalendar, String> {
    let Some(name) = calendar else {
        return Err("counting working days needs the pay group's `calendar`, such as `CN`".to_owned());
    };
    if span.first.year() != span.last.year() {
        return Err("working days of a period over the turn of a year are not counted".to_owned());
    }
    rules::calendar(&format!("{name}-{}", span.first.year()), span.first).map_err(|missing| missing.detail)
}

/// A month's worth of a line, and which line it is.
fn amount_of(
    row: &Known<Compensation>,
    wanted: &str,
    currency: &str,
    span: Span,
) -> Result<Option<(Decimal, usize)>, String> {
    let lines = row.record.lines.as_deref().unwrap_or_default();
    let is_kind = |line: &CompensationLine| line.kind.as_ref().is_some_and(|kind| kind.value.as_str() == wanted);
    let by_code: Vec<usize> = indices(lines, |line| line.code.as_deref() == Some(wanted));
    let found = if by_code.is_empty() { indices(lines, is_kind) } else { by_code };
    let index = match found.as_slice() {
        [] => return Ok(None),
        [one] => *one,
        many => {
            return Err(format!("compensation/{} has {} lines `{wanted}`: name one by its code", row.id, many.len()));
        }
    };
    let Some(line) = lines.get(index) else { return Ok(None) };
    let place = format!("compensation/{}#/lines/{index}", row.id);
    let Some(money) = &line.amount else { return Err(format!("{place} has no amount")) };
    let (Some(amount), Some(found)) = (money.amount, &money.currency) else {
        return Err(format!("{place} has no amount with a currency"));
    };
    if found.0 != currency {
        return Err(format!("{place} is in {}, the rules pay {currency}", found.0));
    }
    let months = line.months_per_year.unwrap_or(Decimal::from(12));
    let part = |divisor: Decimal| {
        amount.checked_div(divisor).ok_or_else(|| format!("{place} is paid in no month of the year"))
    };
    let monthly = match line.period.as_ref().map(|period| period.value) {
        Some(PayPeriod::Month) => Ok(amount),
        Some(PayPeriod::Year) => part(months),
        Some(PayPeriod::HalfYear) => part(Decimal::from(6)),
        Some(PayPeriod::Quarter) => part(Decimal::from(3)),
        Some(PayPeriod::OneTime) => {
            let due = day(row.record.valid_from.as_ref()).is_some_and(|on| span.contains(on));
            Ok(if due { amount } else { Decimal::ZERO })
        }
        Some(other) => {
            Err(format!("{place} is paid by the {other:?}, which is no month's amount: give the amount of the period"))
        }
        None => Err(format!("{place} does not say for which span it is")),
    };
    Ok(Some((monthly?, index)))
}

fn indices<T>(all: &[T], wanted: impl Fn(&T) -> bool) -> Vec<usize> {
    all.iter().enumerate().filter(|(_, one)| wanted(one)).map(|(index, _)| index).collect()
}
