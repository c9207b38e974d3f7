//! What an employee is insured for in a city, from the pack of cities.

use super::contributions::{Item, Scheme, Side};
use crate::money::Rounding;
use crate::tables::{NoRule, Pack, Row};
use hub_calc::Exact;
use hub_tree::jiff::civil::Date;

/// The code of the housing fund's line.
pub const FUND: &str = "housing_fund";

/// Why there is no scheme.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoScheme {
    /// The pack has nothing for the city or the day, or its row lacks a number.
    #[error("{0}")]
    City(#[from] NoRule),
    /// The city's injury insurance depends on the class of trade, and none, or an unknown one, is given.
    #[error("there is no injury class {0}; classes are 1 to 8")]
    Class(String),
    /// The city does not allow the rate of the fund; says which rates it does.
    #[error("{0}")]
    FundRate(String),
}

/// An item by its row and the rates of both sides.
pub(crate) fn item_of_city(row: &Row, employee: Exact, employer: Exact) -> Item {
    let rounding = row.word("round").and_then(Rounding::named).unwrap_or(Rounding::FEN);
    let fixed = |name: &str| row.number(name).cloned().unwrap_or_else(Exact::zero);
    Item {
        code: row.word("code").unwrap_or_default().to_owned(),
        floor: row.number("floor").cloned(),
        cap: row.number("cap").cloned(),
        employee: Side { percent: employee, fixed: fixed("ee_fixed"), rounding },
        employer: Side { percent: employer, fixed: fixed("er_fixed"), rounding },
    }
}

/// The scheme of a city (`CN-SH`) on a day, and the notice that sets it. `fund_percent`: the rate of the fund, of those
/// that have one.
///
/// # Errors
/// The pack has no rule for the city and day; the class or the rate of the fund is not one of the city's.
pub fn scheme(
    city: &str,
    on: Date,
    injury_class: Option<&Exact>,
    fund_percent: Option<&Exact>,
) -> Result<(Scheme, &'static str), NoScheme> {
    let pack = Pack::load("china-cities")?;
    let version = pack.rows(city, on)?;
    let cell = |row: &Row, name: &str| {
        let lacks = || NoRule { detail: format!("the pack `china-cities` has no number `{name}` for {city} on {on}") };
        row.number(name).cloned().ok_or_else(lacks)
    };
    let (mut insurance, mut fund) = (Vec::new(), None);
    for row in &version.rule {
        if row.word("code") == Some(FUND) {
            let Some(rate) = fund_percent else { continue };
            let (least, most) = (cell(row, "least")?, cell(row, "most")?);
            if *rate < least || *rate > most {
                let range = format!("outside the range {least} to {most} % of this city");
                return Err(NoScheme::FundRate(format!("the rate {rate} % of the housing fund is {range}")));
            }
            fund = Some(item_of_city(row, rate.clone(), rate.clone()));
            continue;
        }
        let employer = match row.word("er") {
            Some(_) => class(&pack.rows("injury", on)?.rule, injury_class)?,
            None => cell(row, "er")?,
        };
        insurance.push(item_of_city(row, cell(row, "ee")?, employer));
    }
    Ok((Scheme { insurance, fund }, &version.source))
}

/// The employer's rate of a class of trade.
fn class(classes: &[Row], class: Option<&Exact>) -> Result<Exact, NoScheme> {
    let row = class.and_then(|class| classes.iter().find(|row| row.number("class") == Some(class)));
    let unknown = || NoScheme::Class(class.map_or_else(|| "(none is given)".to_owned(), ToString::to_string));
    row.and_then(|row| row.number("er")).cloned().ok_or_else(unknown)
}
