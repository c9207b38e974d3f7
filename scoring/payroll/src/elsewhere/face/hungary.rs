//! Hungary.

use super::{month, pack};
use crate::elsewhere::hungary::{Rates, pay};
use crate::pay::face::{law, quantity, step_of};
use hub_calc::{Answer, Given, Wrong};
use hub_tree::Value;

/// Refuses whoever claims an allowance: none of them is known here.
fn without_allowances(given: Given<'_>) -> Result<(), Wrong> {
    let none = match given.value().get("allowances") {
        Value::Absent | Value::Null | Value::Bool(false) => true,
        Value::Text(word) => matches!(word, "none" | "no" | ""),
        Value::List(_) => given.field("allowances").items().len() == 0,
        _ => false,
    };
    if !none {
        let detail = "`allowances` should be `none`: pay with family or other allowances is not calculated here";
        return Err(given.wrong("allowances", detail));
    }
    if given.flag_or("under_25", false)? {
        let detail = "`under_25` claims the allowance of people under 25, which is not calculated here";
        return Err(given.wrong("under_25", detail));
    }
    Ok(())
}

pub(super) fn flat<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let pack = pack(given, "hungary")?;
    // There are no smaller coins than the forint.
    let gross = quantity(given, "gross")?.rounded(0);
    without_allowances(given)?;
    let on = month(given, pack)?;
    let rate = |name: &str| law(given, "period", pack.number(name, on));
    let (tax, security, contribution) =
        (rate("income_tax")?, rate("social_security")?, rate("social_contribution_tax")?);
    let rates =
        Rates { income_tax: &tax.rule, social_security: &security.rule, social_contribution: &contribution.rule };
    let paid = pay(&gross, rates);
    let answer = Answer::new(given.arena())
        .number("pit", &paid.income_tax, 0)
        .number("ssc", &paid.social_security, 0)
        .number("net", &paid.net, 0)
        .number("employer_szocho", &paid.social_contribution, 0)
        .number("employer_cost", &paid.cost, 0);
    let because = [
        ("income tax", tax, &paid.income_tax),
        ("social security", security, &paid.social_security),
        ("the employer's social contribution tax", contribution, &paid.social_contribution),
    ];
    let part = |(name, version, amount): (&str, &crate::tables::Version<hub_calc::Exact>, _)| {
        let text = format!("{name}: {gross} × {}%, by the rate of {version}", version.rule);
        step_of(given, text, "gross", amount, 0)
    };
    let text = format!("{gross} − {} − {}", paid.income_tax, paid.social_security);
    Ok(answer.because(step_of(given, text, "gross", &paid.net, 0).because(because.map(part).to_vec())))
}
