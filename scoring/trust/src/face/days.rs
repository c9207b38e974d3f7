//! `audit_validity` and `notice_date`.

use crate::notice::{BUSINESS_DAYS, earliest_use, is_covered, last_day_of_use};
use hub_calc::{Answer, Explain, Given, Wrong};
use hub_tree::Value;
use hub_tree::jiff::civil::Date;
use std::collections::BTreeSet;

/// `audit_validity`.
pub(super) fn validity(given: Given<'_>) -> Result<Answer<'_>, Wrong> {
    let (audited, used) = (given.date("audit_date")?, given.date("use_date")?);
    let valid = is_covered(audited, used);
    let mut answer = Answer::new(given.arena()).flag("valid", valid);
    let text = match last_day_of_use(audited) {
        _ if used < audited => format!("the use on {used} is before the audit of {audited}"),
        Some(last) => {
            answer = answer.text("valid_through", &last.to_string());
            let sign = if valid { "≤" } else { ">" };
            format!("{used} {sign} {audited} + 1 year = {last}")
        }
        None => format!("{used} is less than a year after {audited}"),
    };
    Ok(answer.because(Explain::leaf(text, Some("use_date".to_owned()), Value::Bool(valid))))
}

/// `notice_date`. Ten business days, where nothing else is asked for.
pub(super) fn notice(given: Given<'_>) -> Result<Answer<'_>, Wrong> {
    let noticed = given.date("notice_given")?;
    let days = if given.has("business_days") { given.count("business_days")? } else { BUSINESS_DAYS };
    let mut holidays = BTreeSet::new();
    if given.has("holidays") {
        for item in given.list("holidays")? {
            holidays.insert(holiday(&item)?);
        }
    }
    let Some(first) = earliest_use(noticed, days, &holidays) else {
        let detail = format!("`business_days` is out of range: {days} business days after {noticed} no calendar goes");
        return Err(given.wrong("business_days", &detail));
    };
    let within = holidays.range(noticed..=first).filter(|day| **day != noticed).count();
    let text = format!(
        "{noticed} + {days} business days, the day of the notice not counted, without Saturdays, Sundays and {within} holidays = {first}"
    );
    let value = Value::Text(given.arena().text(&first.to_string()));
    let step = Explain::leaf(text, Some("notice_given".to_owned()), value);
    Ok(Answer::new(given.arena()).text("earliest_use", &first.to_string()).because(step))
}

fn holiday(item: &Given<'_>) -> Result<Date, Wrong> {
    let text = item.as_text()?;
    let day = text.parse().ok().filter(|_| text.len() == 10);
    day.ok_or_else(|| {
        item.wrong_here(&format!("a holiday is a day of the calendar (YYYY-MM-DD), and here is `{text}`"))
    })
}
