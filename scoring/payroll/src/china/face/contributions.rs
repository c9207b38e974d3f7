//! Social insurance and housing fund: from the caller's parameters, else from the pack of the city.

use super::{amount, amount_or_nothing, percent, step};
use crate::china::cities::{FUND, item_of_city};
use crate::china::contributions::{Item, Line, Scheme, Side, fund_deposit, totals};
use crate::china::rules;
use crate::money::{Mode, ROUNDINGS, Rounding};
use crate::tables::{Pack, Row};
use hub_calc::{Answer, Exact, Given, Wrong};
use hub_tree::Value;
use hub_tree::jiff::civil::Date;

/// A rounding: a word, or an object of `places`, `mode`, `cut_first` and `even_last_digit`; `otherwise` where none is
/// given.
fn rounding(given: Given<'_>, field: &str, otherwise: Rounding) -> Result<Rounding, Wrong> {
    match given.value().get(field) {
        Value::Absent | Value::Null => Ok(otherwise),
        Value::Map(_) => custom(given.field(given.arena().text(field))),
        _ => {
            let word = given.text(field)?;
            Rounding::named(word).ok_or_else(|| {
                let known: Vec<&str> = ROUNDINGS.iter().map(|(word, ..)| *word).collect();
                given.wrong(field, &format!("there is no rounding `{word}`; known: {}", known.join(", ")))
            })
        }
    }
}

fn custom(given: Given<'_>) -> Result<Rounding, Wrong> {
    let places = |field: &str| {
        let places = given.count(field)?;
        let few = u32::try_from(places).ok().filter(|places| *places <= 6);
        few.ok_or_else(|| given.wrong(field, &format!("`{field}` is outside the range 0 to 6: {places}")))
    };
    let mode = match given.text("mode")? {
        "half_up" => Mode::HalfUp,
        "up" => Mode::Up,
        "down" => Mode::Down,
        other => return Err(given.wrong("mode", &format!("`mode` is half_up, up or down, and not `{other}`"))),
    };
    Ok(Rounding {
        places: places("places")?,
        mode,
        cut_first: given.has("cut_first").then(|| places("cut_first")).transpose()?,
        even_last_digit: given.flag_or("even_last_digit", false)?,
    })
}

/// Refuses a floor above its cap.
fn bounded(given: Given<'_>, field: &str, item: Item) -> Result<Item, Wrong> {
    match (&item.floor, &item.cap) {
        (Some(floor), Some(cap)) if floor > cap => {
            let detail = format!("the floor {floor} of the base of `{}` is above its cap {cap}", item.code);
            Err(given.wrong(field, &detail))
        }
        _ => Ok(item),
    }
}

/// A side of the caller's item: `ee` or `er`, with `ee_fixed` (or `ee_add`), `ee_round` and the like.
fn side(given: Given<'_>, name: &str, share: Exact) -> Result<Side, Wrong> {
    let whole = rounding(given, "round", Rounding::FEN)?;
    let [fixed, added] = ["fixed", "add"].map(|what| amount_or_nothing(given, &format!("{name}_{what}")));
    Ok(Side { percent: share, fixed: fixed? + added?, rounding: rounding(given, &format!("{name}_round"), whole)? })
}

fn or_own(given: Given<'_>, own: &str, shared: (Given<'_>, &str)) -> Result<Option<Exact>, Wrong> {
    Ok(Some(if given.has(own) { amount(given, own)? } else { amount(shared.0, shared.1)? }))
}

/// An insurance of the caller's `items`.
fn insurance(params: Given<'_>, given: Given<'_>) -> Result<Item, Wrong> {
    let item = Item {
        code: given.text("code")?.to_owned(),
        floor: or_own(given, "floor", (params, "si_floor"))?,
        cap: or_own(given, "cap", (params, "si_cap"))?,
        employee: side(given, "ee", percent(given, "ee")?)?,
        employer: side(given, "er", percent(given, "er")?)?,
    };
    bounded(given, "code", item)
}

/// The caller's `hf`: one `rate` for both sides, or `ee` and `er`.
fn fund(given: Given<'_>) -> Result<Item, Wrong> {
    let share = |own: &str| percent(given, if given.has(own) { own } else { "rate" });
    let item = Item {
        code: FUND.to_owned(),
        floor: Some(amount(given, "floor")?),
        cap: Some(amount(given, "cap")?),
        employee: side(given, "ee", share("ee")?)?,
        employer: side(given, "er", share("er")?)?,
    };
    bounded(given, "floor", item)
}

/// The fields of an item and of the fund.
const ITEM: [&str; 13] = [
    "code", "ee", "er", "rate", "floor", "cap", "round", "ee_fixed", "er_fixed", "ee_add", "er_add", "ee_round",
    "er_round",
];

/// The fields of the parameters that are not read.
fn unknown(params: Given<'_>) -> Vec<String> {
    let of = |given: Given<'_>, known: &[&str]| {
        let names = given.entries().iter().map(|(name, _)| *name).filter(|name| !known.contains(name));
        names.map(|name| given.pointer_of(name)).collect::<Vec<_>>()
    };
    let items = params.field("items").items().flat_map(|item| of(item, &ITEM));
    let own = of(params, &["si_floor", "si_cap", "items", "hf"]);
    own.into_iter().chain(items).chain(of(params.field("hf"), &ITEM)).collect()
}

/// What an employee is insured for, as a request says: `params`, or the rules that the pack named by `pack` (such as
/// `CN-SH@2025-07`) has for that month.
pub(crate) fn scheme(given: Given<'_>) -> Result<Scheme, Wrong> {
    let Some(params) = given.optional_map("params")? else { return of_city(given) };
    let insurance = params.list("items")?.map(|item| insurance(params, item)).collect::<Result<Vec<Item>, Wrong>>()?;
    let mut codes: Vec<&str> = insurance.iter().map(|item| item.code.as_str()).chain([FUND]).collect();
    codes.sort_unstable();
    if let Some(pair) = codes.windows(2).find(|pair| pair.first() == pair.last()) {
        let code = pair.first().copied().unwrap_or_default();
        return Err(params.wrong("items", &format!("the item `{code}` is there twice")));
    }
    Ok(Scheme { insurance, fund: params.optional_map("hf")?.map(fund).transpose()? })
}

fn of_city(given: Given<'_>) -> Result<Scheme, Wrong> {
    let name = given.text("pack")?;
    let month =
        name.split_once('@').and_then(|(city, month)| Some((city, format!("{month}-01").parse::<Date>().ok()?)));
    let Some((city, on)) = month.filter(|_| name.len() == "CN-SH@2025-07".len()) else {
        let detail = format!("`pack` should be a city and a month such as `CN-SH@2025-07`, and is `{name}`");
        return Err(given.wrong("pack", &detail));
    };
    let pack = Pack::load("china-cities").map_err(|none| none.at(given, "pack"))?;
    let rows = |name: &str| pack.rows(name, on).map_err(|none| none.at(given, "pack"));
    let (mut insurance, mut fund) = (Vec::new(), None);
    for row in &rows(city)?.rule {
        if row.word("code") == Some(FUND) {
            if given.has("hf_base_declared") || given.has("hf_rate") {
                fund = Some(fund_of_city(given, row)?);
            }
            continue;
        }
        let employer = match row.word("er") {
            Some(_) => class(given, &rows("injury")?.rule)?,
            None => cell(given, row, "er")?,
        };
        insurance.push(item_of_city(row, cell(given, row, "ee")?, employer));
    }
    Ok(Scheme { insurance, fund })
}

fn cell(given: Given<'_>, row: &Row, name: &str) -> Result<Exact, Wrong> {
    let number = row.number(name).cloned();
    number.ok_or_else(|| given.wrong("pack", &format!("the pack has no number `{name}` for this item")))
}

fn fund_of_city(given: Given<'_>, row: &Row) -> Result<Item, Wrong> {
    let rate = percent(given, "hf_rate")?;
    let (least, most) = (cell(given, row, "least")?, cell(given, row, "most")?);
    if rate < least || rate > most {
        let detail = format!("the rate `hf_rate` is outside the range {least} to {most} % of this city: {rate}");
        return Err(given.wrong("hf_rate", &detail));
    }
    Ok(item_of_city(row, rate.clone(), rate))
}

/// The employer's rate of the class of trade.
fn class(given: Given<'_>, classes: &[Row]) -> Result<Exact, Wrong> {
    let class = given.number("injury_class")?;
    let found = classes.iter().find(|row| row.number("class") == Some(&class)).and_then(|row| row.number("er"));
    found
        .cloned()
        .ok_or_else(|| given.wrong("injury_class", &format!("there is no injury class {class}; classes are 1 to 8")))
}

/// How a side is calculated, in words.
fn formula(line: &Line, side: &Side) -> String {
    let fixed = if side.fixed.is_zero() { String::new() } else { format!(" + {}", side.fixed) };
    let exact = &line.base * &crate::tables::share(&side.percent) + &side.fixed;
    format!("{} × {}%{fixed} = {exact}, rounded", line.base, side.percent)
}

pub(super) fn contributions<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let scheme = scheme(given)?;
    let declared = amount(given, "si_base_declared")?;
    let fund_base = given.has("hf_base_declared").then(|| amount(given, "hf_base_declared")).transpose()?;
    let lines = scheme.lines(&declared, fund_base.as_ref());
    let arena = given.arena();
    let text = |amount: &Exact| Value::Text(arena.text(&amount.to_places(2)));
    let mut answer = Answer::new(arena);
    let mut items = Vec::new();
    for (line, item) in lines.iter().zip(scheme.insurance.iter().chain(&scheme.fund)) {
        let Line { code, base, employee, employer } = line;
        let entry = [("base", text(base)), ("employee", text(employee)), ("employer", text(employer))];
        items.push((arena.text(code), arena.map(&entry)));
        let (path, declared) = match &fund_base {
            Some(base) if *code == FUND => ("hf_base_declared", base),
            _ => ("si_base_declared", &declared),
        };
        let bound = |bound: &Option<Exact>| bound.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string);
        let clamped = format!("{code}: {declared} within {} and {} = {base}", bound(&item.floor), bound(&item.cap));
        let sides = vec![
            step(given, clamped, path, base),
            step(given, format!("employee: {}", formula(line, &item.employee)), path, employee),
            step(given, format!("employer: {}", formula(line, &item.employer)), path, employer),
        ];
        let both = employee + employer;
        let sum = format!("{code}: employee {} + employer {}", employee.to_places(2), employer.to_places(2));
        answer = answer.because(step(given, sum, path, &both).because(sides));
    }
    let (employee, employer) = totals(&lines);
    let items = arena.map(&items);
    let mut answer =
        answer.with("items", items).number("employee_total", &employee, 2).number("employer_total", &employer, 2);
    for pointer in unknown(given.field("params")) {
        answer.warn(&pointer, "the parameters have no field of this name here; it was not read");
    }
    if fund_base.is_none() && scheme.fund.is_some() {
        answer.warn("/hf_base_declared", "no base of the housing fund is declared; nothing was calculated for it");
    }
    if fund_base.is_some() && scheme.fund.is_none() {
        answer.warn("/params/hf", "a base of the housing fund is declared, and no rate; nothing was calculated for it");
    }
    Ok(answer)
}

pub(super) fn fund_excess<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let (own_field, city_field) = ("own_prior_year_average_monthly_wage", "city_average_monthly_wage");
    let (base, rate) = (amount(given, "deposit_base")?, percent(given, "rate")?);
    let (own, city) = (amount(given, own_field)?, amount(given, city_field)?);
    let (on, day) = super::paid_on(given)?;
    let free = rules::number("fund_free_percent", on).map_err(|none| none.at(given, day))?;
    let averages = rules::number("fund_wage_cap_averages", on).map_err(|none| none.at(given, day))?;
    let found = fund_deposit((&base, &rate), (&own, &city), (free, averages));
    let wage = format!("the lower of {own} and {averages} × {city} is {}", found.wage);
    let limit = format!("the lower of {} and {} × {free}% is {}", found.deposit, found.wage, found.deductible);
    let because = vec![
        step(given, format!("{base} × {rate}%"), "deposit_base", &found.deposit),
        step(given, limit, own_field, &found.deductible).because(vec![step(given, wage, city_field, &found.wage)]),
    ];
    let text = format!("{} − {} is added to wages", found.deposit, found.deductible);
    let answer =
        Answer::new(given.arena()).number("deposit", &found.deposit, 2).number("deductible", &found.deductible, 2);
    let answer = answer.number("added_back_to_income", &found.excess, 2);
    Ok(answer.because(step(given, text, "rate", &found.excess).because(because)))
}
