//! Laws in short numbers: what the part says, without fractions. Any number that does not fit, and anything that is not
//! plain, is left to the part itself.

use super::MOST_PARAMS;
use crate::china::cities::FUND;
use crate::china::rules::pack;
use crate::items::rules::{InputKind, Period};
use crate::items::statutory::{Call, Statutory, Taxed, china_contributions};
use crate::money::{Mode, Rounding};
use crate::tables::{Pack, Row};
use hub_calc::Exact;
use hub_expr::{Got, Quick, Short};
use hub_tree::rust_decimal::RoundingStrategy;
use std::cell::RefCell;
use std::cmp::Ordering;

/// A part that is used.
#[derive(Debug)]
pub(super) enum Law {
    Contributions(Cities),
    WageTax(WageTax),
    /// As the part does it.
    Other,
}

impl Law {
    pub(super) fn of(part: &'static Statutory, period: Period) -> Self {
        let found = match part.id {
            "china.contributions" => Cities::of(period).map(Self::Contributions),
            "china.wage_tax" => WageTax::of(part, period).map(Self::WageTax),
            _ => None,
        };
        found.unwrap_or(Self::Other)
    }
}

fn short(exact: &Exact) -> Option<Short> {
    let decimal = exact.to_decimal().filter(|decimal| Exact::from(*decimal) == *exact)?;
    Short::of(decimal)
}

/// Arguments of a part, by the places of its parameters.
#[derive(Debug)]
pub(super) struct Args<'a> {
    numbers: [Option<Short>; MOST_PARAMS],
    text: Option<&'a str>,
    flag: bool,
}

impl<'a> Args<'a> {
    /// `None` where one is not plain: absent, below nothing, of many digits.
    pub(super) fn read(part: &Statutory, with: &'a [Option<Quick>], slots: &[Got<'a>]) -> Option<Self> {
        let mut args = Self { numbers: [None; MOST_PARAMS], text: None, flag: false };
        for ((param, quick), number) in part.params.iter().zip(with).zip(&mut args.numbers) {
            let Some(quick) = quick else { continue };
            match param.kind {
                InputKind::Money | InputKind::Number => {
                    let short = quick.number(slots).ok()??.short()?;
                    *number = Some(short).filter(|short| !short.is_negative());
                    (*number)?;
                }
                InputKind::Text => match quick.run(slots) {
                    Ok(Got::Text(text)) => args.text = Some(text),
                    _ => return None,
                },
                InputKind::Flag => args.flag = quick.truth(slots).ok()??,
                InputKind::Date => return None,
            }
        }
        Some(args)
    }
}

/// The contributions of the cities of the pack in a month.
#[derive(Debug)]
pub(super) struct Cities {
    cities: Vec<(&'static str, City)>,
    /// Class of trade, the employer's rate.
    classes: Vec<(Short, Short)>,
}

#[derive(Debug)]
struct City {
    insurance: Vec<Item>,
    fund: Option<Fund>,
}

/// An item; the employer's rate is that of the class of trade where none stands here.
#[derive(Debug)]
struct Item {
    code: usize,
    bounds: Bounds,
    own: Side,
    employer: Option<Side>,
    /// For the class of trade.
    employer_fixed: Short,
}

#[derive(Debug)]
struct Fund {
    bounds: Bounds,
    least: Short,
    most: Short,
    own_fixed: Short,
    employer_fixed: Short,
}

#[derive(Debug)]
struct Bounds {
    floor: Option<Short>,
    cap: Option<Short>,
    rounding: Rounding,
}

#[derive(Clone, Copy, Debug)]
struct Side {
    percent: Short,
    fixed: Short,
}

/// A line that a law makes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Due {
    /// Its place in the part's lines.
    pub(super) line: usize,
    pub(super) amount: Short,
    pub(super) base: Short,
    /// Per cent.
    pub(super) rate: Short,
}

impl Bounds {
    fn of(row: &Row) -> Option<Self> {
        let rounding = row.word("round").and_then(Rounding::named).unwrap_or(Rounding::FEN);
        if rounding.even_last_digit {
            return None;
        }
        Some(Self { floor: cell(row, "floor")?, cap: cell(row, "cap")?, rounding })
    }

    /// What counts of a declared base.
    fn base(&self, declared: Short) -> Option<Short> {
        let base = match self.floor {
            Some(floor) if declared.order(floor)? == Ordering::Less => floor,
            _ => declared,
        };
        Some(match self.cap {
            Some(cap) if base.order(cap)? == Ordering::Greater => cap,
            _ => base,
        })
    }

    fn pays(&self, side: Side, base: Short) -> Option<Short> {
        let amount = base.times(side.percent)?.hundredth()?.plus(side.fixed)?;
        let amount = match self.rounding.cut_first {
            Some(places) => amount.rounded(places, RoundingStrategy::ToZero)?,
            None => amount,
        };
        let strategy = match self.rounding.mode {
            Mode::HalfUp => RoundingStrategy::MidpointAwayFromZero,
            Mode::Up => RoundingStrategy::AwayFromZero,
            Mode::Down => RoundingStrategy::ToZero,
        };
        amount.rounded(self.rounding.places, strategy)
    }
}

impl Side {
    fn is_due(self) -> bool {
        self.percent.is_positive() || self.fixed.is_positive()
    }
}

/// A number of a row, if there is one; the outer `None` is one of many digits.
fn cell(row: &Row, name: &str) -> Option<Option<Short>> {
    match row.number(name) {
        None => Some(None),
        Some(number) => short(number).map(Some),
    }
}

impl Cities {
    fn of(period: Period) -> Option<Self> {
        let pack = Pack::load("china-cities").ok()?;
        let on = period.end.first_of_month();
        let rows = |name: &str| pack.rows(name, on).ok().map(|version| version.rule.as_slice());
        let class = |row: &Row| Some((cell(row, "class")??, cell(row, "er")??));
        let classes = rows("injury").unwrap_or_default().iter().filter_map(class).collect();
        // A city that is not plain is not here, and is asked in the long way.
        let cities = pack.row_names().filter_map(|name| Some((name, City::of(rows(name)?)?))).collect();
        Some(Self { cities, classes })
    }

    /// The lines of a month, the employee's first.
    pub(super) fn due(&self, args: &Args<'_>, mut line: impl FnMut(Due) -> Option<()>) -> Option<()> {
        let [_, base, class, fund_base, fund_rate, ..] = args.numbers;
        let (base, name) = (base?, args.text?);
        let (_, city) = self.cities.iter().find(|(known, _)| *known == name)?;
        let fund = match (fund_base, fund_rate) {
            (Some(base), _) if base.is_zero() => None,
            (Some(base), Some(rate)) => Some((base, rate)),
            (None, None) => None,
            _ => return None,
        };
        let fund = match (&city.fund, fund) {
            (Some(fund), Some((base, rate))) => {
                if rate.order(fund.least)? == Ordering::Less || rate.order(fund.most)? == Ordering::Greater {
                    return None;
                }
                Some((fund, fund.bounds.base(base)?, rate))
            }
            _ => None,
        };
        let codes = china_contributions::CODES.len();
        for own in [true, false] {
            for item in &city.insurance {
                let side = match (own, item.employer) {
                    (true, _) => item.own,
                    (false, Some(side)) => side,
                    (false, None) => Side { percent: self.class(class?)?, fixed: item.employer_fixed },
                };
                if side.is_due() {
                    let base = item.bounds.base(base)?;
                    let place = item.code + if own { 0 } else { codes };
                    line(Due { line: place, amount: item.bounds.pays(side, base)?, base, rate: side.percent })?;
                }
            }
            if let Some((fund, base, rate)) = fund {
                let side = Side { percent: rate, fixed: if own { fund.own_fixed } else { fund.employer_fixed } };
                if side.is_due() {
                    let place = codes - 1 + if own { 0 } else { codes };
                    line(Due { line: place, amount: fund.bounds.pays(side, base)?, base, rate })?;
                }
            }
        }
        Some(())
    }

    fn class(&self, class: Short) -> Option<Short> {
        let is_it = |known: &&(Short, Short)| known.0.order(class) == Some(Ordering::Equal);
        self.classes.iter().find(is_it).map(|(_, rate)| *rate)
    }
}

impl City {
    fn of(rows: &[Row]) -> Option<Self> {
        let mut city = Self { insurance: Vec::new(), fund: None };
        for row in rows {
            let word = row.word("code")?;
            let bounds = Bounds::of(row)?;
            let fixed = |name: &str| Some(cell(row, name)?.unwrap_or(Short::ZERO));
            let (own_fixed, employer_fixed) = (fixed("ee_fixed")?, fixed("er_fixed")?);
            if word == FUND {
                if city.fund.is_some() {
                    return None;
                }
                let (least, most) = (cell(row, "least")??, cell(row, "most")??);
                city.fund = Some(Fund { bounds, least, most, own_fixed, employer_fixed });
                continue;
            }
            let code = china_contributions::CODES.iter().position(|code| *code == word)?;
            let own = Side { percent: cell(row, "ee")??, fixed: own_fixed };
            let employer = match row.word("er") {
                Some(_) => None,
                None => Some(Side { percent: cell(row, "er")??, fixed: employer_fixed }),
            };
            city.insurance.push(Item { code, bounds, own, employer, employer_fixed });
        }
        Some(city)
    }
}

/// The tax on wages that are paid on a day.
#[derive(Debug)]
pub(super) struct WageTax {
    bands: Vec<Band>,
    basic_month: Short,
    basic_year: Short,
    /// That of payment.
    month: i64,
}

#[derive(Clone, Copy, Debug)]
struct Band {
    up_to: Option<Short>,
    percent: Short,
    less: Short,
}

/// What is withheld, and what it adds to the year.
#[derive(Clone, Copy, Debug)]
pub(super) struct Withheld {
    pub(super) due: Due,
    pub(super) additional: Short,
    pub(super) other: Short,
}

impl WageTax {
    fn of(part: &'static Statutory, period: Period) -> Option<Self> {
        let on = period.pay_on;
        let pack = pack().ok()?;
        let (warnings, year) = (RefCell::default(), RefCell::default());
        let call = Call { part, args: &[], period, taxed: &Taxed::default(), explain: false, warnings, year };
        let table = call.rule(pack, pack.brackets("year", on).ok()?, on);
        let basic_month = short(call.rule(pack, pack.number("basic_deduction_month", on).ok()?, on))?;
        let basic_year = short(call.rule(pack, pack.number("basic_deduction_year", on).ok()?, on))?;
        let band = |band: &crate::tables::Band| {
            let up_to = match &band.up_to {
                Some(up_to) => Some(short(up_to)?),
                None => None,
            };
            Some(Band { up_to, percent: short(&band.percent)?, less: short(&band.less)? })
        };
        let bands: Option<Vec<Band>> = table.bands().map(band).collect();
        // Rules of a day that the pack does not know for sure are warned of with each payslip.
        call.warnings.borrow().is_empty().then_some(())?;
        Some(Self { bands: bands?, basic_month, basic_year, month: i64::from(on.month()) })
    }

    /// `taxed`: income, special, other of this payslip.
    pub(super) fn withheld(&self, args: &Args<'_>, taxed: [Short; 3]) -> Option<Withheld> {
        let [income, special, before, first, additional, additional_before, other, other_before, ..] = args.numbers;
        let [taxed_income, taxed_special, taxed_other] = taxed;
        let (first, before, additional) = (first?, before?, additional?);
        let is_first =
            |month: &i64| Short::new(*month, 0).and_then(|month| month.order(first)) == Some(Ordering::Equal);
        let first = (1..=self.month).find(is_first)?;
        let basic =
            if args.flag { self.basic_year } else { self.basic_month.times(Short::new(self.month + 1 - first, 0)?)? };
        let or_nothing = |number: Option<Short>| number.unwrap_or(Short::ZERO);
        let other = taxed_other.plus(or_nothing(other))?;
        let off_before = special?.plus(or_nothing(additional_before))?.plus(or_nothing(other_before))?;
        let off = taxed_special.plus(additional)?.plus(other)?;
        let all = income?.plus(taxed_income)?;
        let balance = all.minus(off_before)?.minus(off)?.minus(basic)?;
        let band = self.band(balance)?;
        let due = match balance.is_positive() {
            true => balance.times(band.percent)?.hundredth()?.minus(band.less)?,
            false => Short::ZERO,
        };
        let due = due.minus(before)?.rounded(2, RoundingStrategy::MidpointAwayFromZero)?;
        let amount = if due.is_positive() { due } else { Short::ZERO };
        let base = if balance.is_positive() { balance } else { Short::ZERO };
        Some(Withheld { due: Due { line: 0, amount, base, rate: band.percent }, additional, other })
    }

    /// The band of an amount, to which its end belongs.
    fn band(&self, amount: Short) -> Option<Band> {
        for band in &self.bands {
            match band.up_to {
                Some(up_to) if amount.order(up_to)? == Ordering::Greater => {}
                _ => return Some(*band),
            }
        }
        None
    }
}
