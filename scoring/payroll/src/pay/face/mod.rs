//! What requests give and answers hold.

mod lines;
mod month;
mod net;
mod retro;
mod time;

use super::rules;
use crate::tables::NoRule;
use hub_calc::{Calculation, Exact, Explain, Given, Wrong};
use hub_tree::Value;
use hub_tree::jiff::civil::Date;

/// What is calculated of pay that is not tax.
pub const CALCULATIONS: &[Calculation] = &[
    Calculation {
        name: "attendance_deduction",
        about: "What days without pay take off a month's wage",
        fields: &["monthly_wage", "divisor", "unpaid_days"],
        run: time::attendance_deduction,
    },
    Calculation {
        name: "overtime",
        about: "Overtime pay of a month: working days, rest days, statutory holidays",
        fields: &[
            "base_monthly",
            "divisor",
            "hours_per_day",
            "workday_hours",
            "restday_hours",
            "holiday_hours",
            "restday_comp_leave",
        ],
        run: time::overtime,
    },
    Calculation {
        name: "overtime_multiplier",
        about: "How many times the hourly wage overtime on a day pays",
        fields: &["date", "calendar", "compensatory_leave"],
        run: time::overtime_multiplier,
    },
    Calculation {
        name: "proration",
        about: "The wage of a part of a month",
        fields: &[
            "method",
            "monthly_wage",
            "working_days_employed",
            "working_days_in_month",
            "calendar_days_employed",
            "calendar_days_in_month",
        ],
        run: time::proration,
    },
    Calculation {
        name: "proration_split",
        about: "The wage of a month in which it changed",
        fields: &["method", "segments", "working_days_in_month", "calendar_days_in_month"],
        run: time::proration_split,
    },
    Calculation {
        name: "performance_pay",
        about: "Base, performance bonus by grade, and allowance",
        fields: &["base", "bonus_base", "allowance", "grade", "coefficients"],
        run: lines::performance_pay,
    },
    Calculation {
        name: "travel_subsidy",
        about: "The subsidy of trips: the day's rate of each region times days",
        fields: &["rates", "trips"],
        run: lines::travel_subsidy,
    },
    Calculation {
        name: "loss_compensation",
        about: "What a month's wage may be cut by for damage, and what is left for later months",
        fields: &["month_wage", "claim", "local_min_wage"],
        run: lines::loss_compensation,
    },
    Calculation {
        name: "negative_net",
        about: "Deductions that a pay can bear, and those that are carried to the next run",
        fields: &["gross", "employee_contributions", "iit", "other_deductions", "policy"],
        run: net::negative_net,
    },
    Calculation {
        name: "retro",
        about: "Back pay of closed months at a wage that came to be known later",
        fields: &["old_monthly", "new_monthly", "effective_from", "paid_in", "periods", "bonus_pct_of_base"],
        run: retro::retro,
    },
    Calculation {
        name: "gross_to_net",
        about: "The months of a year from gross to net in mainland China, and what they cost the employer",
        fields: &["year", "pack", "params", "months", "injury_class", "hf_rate", "first_month_with_this_employer"],
        run: month::gross_to_net,
    },
];

/// A quantity that is not below nothing.
pub(crate) fn quantity(given: Given<'_>, field: &str) -> Result<Exact, Wrong> {
    let number = given.number(field)?;
    if number.is_negative() {
        let detail = format!("`{field}` is {number}, which is out of range; 0 or more is needed");
        return Err(given.wrong(field, &detail));
    }
    Ok(number)
}

/// The same, and nothing where it is left out.
pub(crate) fn quantity_or_nothing(given: Given<'_>, field: &str) -> Result<Exact, Wrong> {
    if given.has(field) { quantity(given, field) } else { Ok(Exact::zero()) }
}

/// A quantity up to a limit.
pub(crate) fn up_to(given: Given<'_>, field: &str, most: i64) -> Result<Exact, Wrong> {
    let number = quantity(given, field)?;
    if number > Exact::from(most) {
        let detail = format!("`{field}` is outside the range 0 to {most}: {number}");
        return Err(given.wrong(field, &detail));
    }
    Ok(number)
}

/// The first day of a month that is written `2026-04`.
pub(crate) fn period(given: Given<'_>, field: &str, text: &str) -> Result<Date, Wrong> {
    let month = format!("{text}-01").parse().ok().filter(|_| text.len() == "2026-04".len());
    month.ok_or_else(|| given.wrong(field, &format!("`{field}` should be a month (YYYY-MM), and is `{text}`")))
}

/// Blames a field for a rule that is not there.
pub(crate) fn law<T>(given: Given<'_>, field: &str, rule: Result<T, NoRule>) -> Result<T, Wrong> {
    rule.map_err(|none| none.at(given, field))
}

/// A step that ends in an amount with so many places.
pub(crate) fn step_of(given: Given<'_>, text: String, path: &str, amount: &Exact, places: u32) -> Explain {
    Explain::leaf(text, Some(path.to_owned()), Value::Text(given.arena().text(&amount.to_places(places))))
}

/// A step that ends in an amount of money with cents.
pub(crate) fn step(given: Given<'_>, text: String, path: &str, amount: &Exact) -> Explain {
    step_of(given, text, path, amount, 2)
}

/// A number in an explanation: whole, or its beginning where it has no end.
pub(crate) fn shown(number: &Exact) -> String {
    match number.to_decimal() {
        Some(decimal) if Exact::from(decimal) == *number => decimal.to_string(),
        _ => format!("{}…", number.cut(6)),
    }
}

#[cfg(test)]
mod tests;
