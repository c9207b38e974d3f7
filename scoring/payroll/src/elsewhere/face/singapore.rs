//! Singapore.

use super::{month, pack};
use crate::elsewhere::singapore::{STATUSES, Status, additional_ceiling, levy, months_of_life, rules, self_help};
use crate::pay::face::{law, period, quantity, quantity_or_nothing, step};
use hub_calc::{Answer, Exact, Explain, Given, Wrong};
use hub_tree::Value;
use hub_tree::jiff::civil::Date;

fn status(given: Given<'_>) -> Result<Status, Wrong> {
    let word = given.text("status")?;
    Status::named(word).ok_or_else(|| {
        let known: Vec<&str> = STATUSES.iter().map(|(word, _)| *word).collect();
        given.wrong("status", &format!("there is no status `{word}`; known: {}", known.join(", ")))
    })
}

/// A step that ends in whole dollars.
fn dollars(given: Given<'_>, text: String, path: &str, amount: &Exact) -> Explain {
    Explain::leaf(text, Some(path.to_owned()), Value::Text(given.arena().text(&amount.to_places(0))))
}

pub(super) fn cpf<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let pack = pack(given, "singapore")?;
    let month = period(given, "period", given.text("period")?)?;
    let (born, status) = (given.date("born")?, status(given)?);
    if months_of_life(born, month) < 0 {
        return Err(given.wrong("born", &format!("`born` is out of range: {born} is after the period")));
    }
    let (ordinary, additional) = (quantity(given, "ordinary_wage")?, quantity_or_nothing(given, "additional_wage")?);
    let number = |name: &str| law(given, "period", pack.number(name, month)).map(|version| &version.rule);
    let wages = &ordinary + &additional;
    let (percent, least, most) = (number("sdl_rate")?, number("sdl_least")?, number("sdl_most")?);
    let sdl = levy(&wages, percent, least, most);
    let levied = format!("SDL: {wages} × {percent}%, not below {least} nor above {most}");
    let levied = step(given, levied, "ordinary_wage", &sdl);
    let answer = Answer::new(given.arena());
    let Some(rules) = law(given, "period", rules(pack, status, born, month))? else {
        let answer = answer.text("total", "0").text("employee", "0").text("employer", "0").number("sdl", &sdl, 2);
        let text = "foreigners do not contribute".to_owned();
        return Ok(answer.because(dollars(given, text, "status", &Exact::zero())).because(levied));
    };
    let annual = number("annual_wage_ceiling")?;
    // What this month's ordinary wage leaves at the most, where nothing is known of the other months.
    let left = (annual - (&ordinary).min(&rules.ordinary_ceiling)).max(Exact::zero());
    let field = "additional_wage_ceiling_left";
    let ceiling = if given.has(field) { quantity(given, field)? } else { left };
    let found = crate::elsewhere::singapore::cpf(&ordinary, &additional, &ceiling, &rules);
    let answer = answer.number("total", &found.total, 0).number("employee", &found.employee, 0);
    let mut answer = answer.number("employer", &found.employer, 0).number("sdl", &sdl, 2);
    let counted = format!("{ordinary} up to {} and {additional} up to {ceiling} count", rules.ordinary_ceiling);
    let both = &found.ordinary + &found.additional;
    let band = band(&wages, &rules);
    let because = vec![
        step(given, counted, "ordinary_wage", &both),
        step(given, format!("wages of {wages}: {band}"), "ordinary_wage", &found.total_exact),
        dollars(given, format!("employee {} without cents", found.employee_exact), "ordinary_wage", &found.employee),
        dollars(given, format!("employer {} − {}", found.total, found.employee), "ordinary_wage", &found.employer),
    ];
    let text = format!("CPF: {} to the nearest dollar", found.total_exact);
    answer = answer.because(dollars(given, text, "ordinary_wage", &found.total).because(because)).because(levied);
    if additional.is_positive() && !given.has(field) {
        let detail = "the other months' ordinary wages are not known, so the additional wage counts up to the ceiling \
                      that this month leaves; `sg_aw_ceiling` tells what is left";
        answer.warn("/additional_wage_ceiling_left", detail);
    }
    Ok(answer)
}

/// How the shares of wages are found, in words.
fn band(wages: &Exact, rules: &crate::elsewhere::singapore::Rules) -> String {
    let (employer, employee) = (&rules.employer, &rules.employee);
    let (alone, grows) = (&rules.employer_alone_up_to, &rules.grows_up_to);
    if *wages <= rules.nothing_up_to {
        format!("up to {} there is no contribution", rules.nothing_up_to)
    } else if wages <= alone {
        format!("up to {alone} the employer's {employer}% alone")
    } else if wages <= grows {
        format!(
            "up to {grows} employer {employer}%, employee {} × {employee}% of what is above {alone}",
            rules.grows_by
        )
    } else {
        format!("employer {employer}%, employee {employee}%")
    }
}

pub(super) fn aw_ceiling<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let pack = pack(given, "singapore")?;
    let year = given.count("year")?;
    let first = i16::try_from(year).ok().and_then(|year| Date::new(year, 1, 1).ok());
    let first = first.ok_or_else(|| given.wrong("year", &format!("`year` is no year of the calendar: {year}")))?;
    let wages = given.number_list("ordinary_wage_months")?;
    let place = given.field("ordinary_wage_months");
    if wages.len() > 12 {
        return Err(place.wrong_here(&format!("{} months are outside the range 0 to 12 of a year", wages.len())));
    }
    if let Some((item, wage)) = place.items().zip(&wages).find(|(_, wage)| wage.is_negative()) {
        return Err(item.wrong_here(&format!("the wage {wage} is out of range; 0 or more is needed")));
    }
    let number = |name: &str| law(given, "year", pack.number(name, first)).map(|version| &version.rule);
    let (monthly, annual) = (number("ordinary_wage_ceiling")?, number("annual_wage_ceiling")?);
    let (counted, left) = additional_ceiling(&wages, monthly, annual);
    let because =
        vec![step(given, format!("{} months, each up to {monthly}", wages.len()), "ordinary_wage_months", &counted)];
    let text = format!("{annual} − {counted} = {left}");
    let answer = Answer::new(given.arena()).number("ow_subject_to_cpf", &counted, 2).number("aw_ceiling", &left, 2);
    Ok(answer.because(step(given, text, "year", &left).because(because)))
}

/// The groups whose contributions are known. Those of the others were not found, so they are refused.
const GROUPS: [&str; 1] = ["CDAC"];

pub(super) fn self_help_group<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let pack = pack(given, "singapore")?;
    let (fund, wages) = (given.text("fund")?, quantity(given, "total_wages")?);
    if !GROUPS.contains(&fund) {
        let known = GROUPS.join(", ");
        return Err(given.wrong("fund", &format!("there are no rates of the fund `{fund}`; known funds: {known}")));
    }
    let version = law(given, "period", pack.rows(fund, month(given, pack)?))?;
    let none = || given.wrong("total_wages", &format!("no row of the fund `{fund}` covers wages of {wages}"));
    let amount = self_help(&wages, &version.rule).ok_or_else(none)?;
    let text = format!("{fund}: wages of {wages} by the table that holds {version}");
    let answer = Answer::new(given.arena()).number("amount", &amount, 2);
    Ok(answer.because(step(given, text, "total_wages", &amount)))
}
