//! What requests give and answers hold.

mod bonus;
pub(crate) mod contributions;
mod payees;
mod rounding;
mod wages;

use super::rules;
use hub_calc::{Calculation, Exact, Explain, Given, Wrong};
use hub_tree::Value;
use hub_tree::jiff::civil::Date;

/// What is calculated for mainland China.
pub const CALCULATIONS: &[Calculation] = &[
    Calculation {
        name: "iit_cumulative",
        about: "Tax on a resident's wages by cumulative withholding, month by month",
        fields: &[
            "year",
            "residency",
            "months",
            "first_month_with_this_employer",
            "first_wage_income_of_year_declared",
            "prior_year_60000_election",
        ],
        run: wages::cumulative,
    },
    Calculation {
        name: "iit_cumulative_two_years",
        about: "The same over two years: the second begins anew",
        fields: &["residency", "first", "second"],
        run: wages::two_years,
    },
    Calculation {
        name: "off_cycle",
        about: "Tax of several pay runs of one month: each withholds what it adds",
        fields: &["year", "prior_months", "month", "runs", "first_month_with_this_employer"],
        run: wages::off_cycle,
    },
    Calculation {
        name: "iit_two_employers",
        about: "Tax withheld by two employers in a year, and what the year's settlement adds",
        fields: &["year", "employer_a", "employer_b"],
        run: wages::two_employers,
    },
    Calculation {
        name: "annual_bonus_separate",
        about: "An annual bonus taxed by itself",
        fields: &["paid_on", "amount"],
        run: bonus::separate,
    },
    Calculation {
        name: "annual_bonus_compare",
        about: "Whether an annual bonus is cheaper taxed by itself or with the year's income",
        fields: &["year", "bonus", "other_comprehensive_taxable_for_year"],
        run: bonus::compare,
    },
    Calculation {
        name: "annual_bonus_separate_with_low_wage",
        about: "A month's wage and a bonus taxed by itself: what the wage leaves of its deductions is not set off",
        fields: &["year", "month", "wage", "special", "bonus"],
        run: bonus::with_low_wage,
    },
    Calculation {
        name: "annual_bonus_once",
        about: "Several bonuses of a year: one may be taxed by itself",
        fields: &["year", "payments"],
        run: bonus::once,
    },
    Calculation {
        name: "labour_remuneration",
        about: "Tax withheld from labour remuneration (劳务报酬)",
        fields: &["residency", "amount", "paid_on"],
        run: payees::labour,
    },
    Calculation {
        name: "author_remuneration",
        about: "Tax withheld from an author's remuneration (稿酬)",
        fields: &["residency", "amount", "paid_on"],
        run: payees::author,
    },
    Calculation {
        name: "royalty",
        about: "Tax withheld from royalties (特许权使用费)",
        fields: &["residency", "amount", "paid_on"],
        run: payees::royalty,
    },
    Calculation {
        name: "intern_labour_cumulative",
        about: "Tax on a full-time student's labour pay by cumulative withholding",
        fields: &["year", "months", "full_time_student"],
        run: payees::intern,
    },
    Calculation {
        name: "nonresident_wage",
        about: "Tax on a non-resident's wage of a month",
        fields: &["amount", "special", "paid_on"],
        run: payees::nonresident_wage,
    },
    Calculation {
        name: "nonresident_bonus",
        about: "Tax on a non-resident's bonus for several months",
        fields: &["amount", "paid_on"],
        run: bonus::nonresident,
    },
    Calculation {
        name: "nonresident_labour",
        about: "Tax on a non-resident's labour remuneration",
        fields: &["amount", "paid_on"],
        run: payees::nonresident_labour,
    },
    Calculation {
        name: "nonresident_author",
        about: "Tax on a non-resident's remuneration as an author",
        fields: &["amount", "paid_on"],
        run: payees::nonresident_author,
    },
    Calculation {
        name: "severance_compensation",
        about: "Tax on compensation for the end of a contract",
        fields: &["amount", "local_prior_year_average_annual_wage", "paid_on"],
        run: payees::severance,
    },
    Calculation {
        name: "contributions",
        about: "Social insurance and housing fund of a month, both sides",
        fields: &["pack", "params", "si_base_declared", "hf_base_declared", "injury_class", "hf_rate"],
        run: contributions::contributions,
    },
    Calculation {
        name: "hf_excess",
        about: "What of a housing-fund deposit is free of tax, and what is added to wages",
        fields: &[
            "deposit_base",
            "rate",
            "own_prior_year_average_monthly_wage",
            "city_average_monthly_wage",
            "paid_on",
        ],
        run: contributions::fund_excess,
    },
    Calculation {
        name: "rounding",
        about: "An amount by each rounding that contribution rules name",
        fields: &["amount"],
        run: rounding::all,
    },
];

/// An amount that is not below nothing.
fn amount(given: Given<'_>, field: &str) -> Result<Exact, Wrong> {
    not_negative(given, field, given.number(field)?)
}

/// The same with nothing where it is left out.
fn amount_or_nothing(given: Given<'_>, field: &str) -> Result<Exact, Wrong> {
    not_negative(given, field, given.number_or(field, 0)?)
}

fn not_negative(given: Given<'_>, field: &str, amount: Exact) -> Result<Exact, Wrong> {
    if amount.is_negative() {
        return Err(given.wrong(field, &format!("the amount `{field}` should not be negative, and is {amount}")));
    }
    Ok(amount)
}

/// A share in per cent, 0 to 100.
fn percent(given: Given<'_>, field: &str) -> Result<Exact, Wrong> {
    let percent = given.number(field)?;
    if percent.is_negative() || percent > Exact::hundred() {
        return Err(given.wrong(field, &format!("the rate `{field}` is outside the range 0 to 100 %: {percent}")));
    }
    Ok(percent)
}

/// The first day of the year that is given.
fn year(given: Given<'_>) -> Result<Date, Wrong> {
    let year = given.count("year")?;
    let first = i16::try_from(year).ok().and_then(|year| Date::new(year, 1, 1).ok());
    first.ok_or_else(|| given.wrong("year", &format!("`year` should be a year of the calendar, and is {year}")))
}

/// A month of a year.
fn month(given: Given<'_>, field: &str) -> Result<usize, Wrong> {
    let month = given.count(field)?;
    if !(1..=12).contains(&month) {
        return Err(given.wrong(field, &format!("`{field}` is outside the range of months 1 to 12: {month}")));
    }
    Ok(month)
}

/// The day of payment; where none is given, that on which the law last changed. With the field to blame.
fn paid_on(given: Given<'_>) -> Result<(Date, &'static str), Wrong> {
    if given.has("paid_on") {
        return Ok((given.date("paid_on")?, "paid_on"));
    }
    if given.has("year") {
        return Ok((year(given)?, "year"));
    }
    Ok((rules::pack().map_err(|none| none.at(given, "type"))?.newest(), "paid_on"))
}

/// Whether the payee is a resident, as most are.
fn resident(given: Given<'_>) -> Result<bool, Wrong> {
    match given.optional_text("residency")? {
        None | Some("resident") => Ok(true),
        Some("nonresident" | "non_resident" | "non-resident") => Ok(false),
        Some(other) => {
            let detail = format!("`residency` should be `resident` or `nonresident`, and is `{other}`");
            Err(given.wrong("residency", &detail))
        }
    }
}

/// A step that ends in an amount of money.
fn step(given: Given<'_>, text: String, path: &str, amount: &Exact) -> Explain {
    Explain::leaf(text, Some(path.to_owned()), Value::Text(given.arena().text(&amount.to_places(2))))
}

/// A rate of a table as it is filed: `0.03`, `0.10`.
fn rate(percent: &Exact) -> String {
    crate::tables::share(percent).to_places(2)
}

#[cfg(test)]
mod tests;
