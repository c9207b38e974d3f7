//! This run against the one before: what is new, gone or changed, for each person and line, the largest first.

use hub_model::entities::pay::{PayLineItem, PayLineKind, PaySide, Payslip};
use hub_tree::Decimal;
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// When a person is flagged. Data of the client; no bound stands in the code.
#[derive(Clone, Debug)]
pub struct Rules {
    /// A net that moved by more than this many percent …
    pub percent_above: Decimal,
    /// … and by more than this amount.
    pub amount_above: Decimal,
    /// A bonus above this many percent of the gross.
    pub bonus_percent_above: Decimal,
}

/// A payslip and whose it is.
#[derive(Clone, Debug)]
pub struct Slip<'a> {
    /// The employee's number.
    pub employee_no: &'a str,
    /// What the employee gets.
    pub payslip: &'a Payslip,
}

/// What became of a line or a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Change {
    /// Only in this run.
    New,
    /// Only in the run before.
    Gone,
    /// In both, with other amounts.
    Changed,
    /// In both, alike.
    Same,
}

/// A line, or the net, before and now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The code of the line; `net` for the net.
    pub code: String,
    /// What became of it.
    pub change: Change,
    /// The amount before.
    pub before: Decimal,
    /// The amount now.
    pub now: Decimal,
    /// Now less before.
    pub delta: Decimal,
    /// The delta in percent of the magnitude before, to 2 digits; none where that is 0 or the share is past all sense.
    pub percent: Option<Decimal>,
}

/// Why a person should be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Flag {
    /// The net moved by more than the rules allow.
    Outlier,
    /// The net is 0.
    NetZero,
    /// The net is below 0.
    NetNegative,
    /// Not in the run before.
    NewPerson,
    /// Not in this run.
    LeftPerson,
    /// The bonus is a large share of the gross.
    BonusShare,
    /// The currency is another one; amounts are not comparable.
    Currency,
}

/// What became of one person's pay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Person {
    /// The employee's number.
    pub employee_no: String,
    /// The net.
    pub net: Difference,
    /// Lines that differ, the largest first.
    pub lines: Vec<Difference>,
    /// Why to look.
    pub flags: Vec<Flag>,
}

/// Compares two runs. Lines with one code and one side are added up. Persons stand by the size of what happened to their net,
/// then by number; nobody is left out, so that the list can be counted.
#[must_use]
pub fn variance(before: &[Slip<'_>], now: &[Slip<'_>], rules: &Rules) -> Vec<Person> {
    let by_number = |slips: &[Slip<'_>]| {
        let mut found: BTreeMap<String, Pay> = BTreeMap::new();
        for slip in slips {
            found.entry(slip.employee_no.to_owned()).or_default().add(slip.payslip);
        }
        found
    };
    let (before, now) = (by_number(before), by_number(now));
    let numbers: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    let mut people: Vec<Person> =
        numbers.into_iter().map(|number| person(number, before.get(number), now.get(number), rules)).collect();
    people.sort_by_key(|one| Reverse(one.net.delta.abs()));
    people
}

/// The pay of one person in one run; off-cycle payslips of the same run are added.
#[derive(Default)]
struct Pay {
    net: Decimal,
    gross: Decimal,
    bonus: Decimal,
    currencies: BTreeSet<String>,
    lines: BTreeMap<String, Decimal>,
}

impl Pay {
    fn add(&mut self, slip: &Payslip) {
        self.net = plus(self.net, slip.net.as_ref().and_then(|net| net.amount));
        self.gross = plus(self.gross, slip.gross.as_ref().and_then(|gross| gross.amount));
        self.currencies.extend(slip.currency.as_ref().map(|currency| currency.0.clone()));
        for line in slip.lines.iter().flatten() {
            let amount = line.amount.as_ref().and_then(|amount| amount.amount);
            if is(line, PayLineKind::EarningBonus) {
                self.bonus = plus(self.bonus, amount);
            }
            let code = line.code.clone().unwrap_or_default();
            let employer = line.side.as_ref().is_some_and(|side| side.value == PaySide::Employer);
            let code = if employer { format!("{code} (employer)") } else { code };
            let sum = self.lines.entry(code).or_default();
            *sum = plus(*sum, amount);
        }
    }
}

fn is(line: &PayLineItem, kind: PayLineKind) -> bool {
    line.kind.as_ref().is_some_and(|found| found.value == kind)
}

/// A sum that stops at the largest number instead of failing: such pay is flagged, not lost.
fn plus(sum: Decimal, amount: Option<Decimal>) -> Decimal {
    sum.saturating_add(amount.unwrap_or_default())
}

fn person(number: &str, before: Option<&Pay>, now: Option<&Pay>, rules: &Rules) -> Person {
    let net = difference("net", before.map(|pay| pay.net), now.map(|pay| pay.net));
    let lines_of = |pay: Option<&Pay>, code: &str| pay.and_then(|pay| pay.lines.get(code).copied());
    let codes: BTreeSet<&String> = before.into_iter().chain(now).flat_map(|pay| pay.lines.keys()).collect();
    let differences = codes.into_iter().map(|code| difference(code, lines_of(before, code), lines_of(now, code)));
    let mut lines: Vec<Difference> = differences.filter(|one| one.change != Change::Same).collect();
    lines.sort_by_key(|one| Reverse(one.delta.abs()));
    let mut flags = Vec::new();
    match (before, now) {
        (None, _) => flags.push(Flag::NewPerson),
        (_, None) => flags.push(Flag::LeftPerson),
        (Some(before), Some(now)) => {
            // Not by the rounded percentage. Where before was 0, any move is past any percentage.
            let far = ratio(net.delta, net.before).is_none_or(|percent| percent.abs() > rules.percent_above);
            if far && net.delta.abs() > rules.amount_above {
                flags.push(Flag::Outlier);
            }
            if before.currencies != now.currencies {
                flags.push(Flag::Currency);
            }
        }
    }
    if let Some(now) = now {
        if now.net.is_zero() {
            flags.push(Flag::NetZero);
        } else if now.net.is_sign_negative() {
            flags.push(Flag::NetNegative);
        }
        if ratio(now.bonus, now.gross).is_some_and(|percent| percent > rules.bonus_percent_above) {
            flags.push(Flag::BonusShare);
        }
    }
    flags.sort_unstable();
    Person { employee_no: number.to_owned(), net, lines, flags }
}

fn difference(code: &str, before: Option<Decimal>, now: Option<Decimal>) -> Difference {
    let change = match (before, now) {
        (None, _) => Change::New,
        (_, None) => Change::Gone,
        (before, now) if before == now => Change::Same,
        _ => Change::Changed,
    };
    let (before, now) = (before.unwrap_or_default(), now.unwrap_or_default());
    let delta = now.saturating_sub(before);
    Difference { code: code.to_owned(), change, before, now, delta, percent: share(delta, before.abs()) }
}

/// In percent.
fn ratio(part: Decimal, whole: Decimal) -> Option<Decimal> {
    part.checked_div(whole)?.checked_mul(Decimal::ONE_HUNDRED)
}

/// In percent, to 2 digits, halves away from zero.
fn share(part: Decimal, whole: Decimal) -> Option<Decimal> {
    use hub_tree::rust_decimal::RoundingStrategy::MidpointAwayFromZero;
    ratio(part, whole).map(|percent| percent.round_dp_with_strategy(2, MidpointAwayFromZero))
}

#[cfg(test)]
mod tests;
