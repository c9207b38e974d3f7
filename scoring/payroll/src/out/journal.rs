//! The journal of a run: double entry by a chart of accounts that is data (`scoring/models/journal/*.yaml`).
//!
//! Each line of a payslip is one amount from one account to another, so entries balance as long as every line has a
//! rule, every amount is in whole hundredths and the lines of a payslip sum to its net; all three are checked.

mod read;

use super::Problem;
use super::cells::{Form, bytes, harmless};
use hub_model::entities::pay::{PayLineItem, PayLineKind, PaySide};
use hub_model::enums::EnumOf;
use hub_tree::{Decimal, Findings, Source};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A chart of accounts.
#[derive(Clone, Debug)]
pub struct Chart {
    /// Equal to the file's name: `cn-enterprise`.
    pub id: String,
    /// Rises when the file changes.
    pub revision: u32,
    /// By number.
    pub accounts: BTreeMap<String, Account>,
    /// Where costs of people without a cost centre go; none: that is a problem.
    pub without_cost_center: Option<String>,
    /// The first that fits a line is taken.
    pub rules: Vec<Rule>,
    pub(super) sha256: String,
}

impl Chart {
    /// Reads a chart. Problems go to `findings`.
    #[must_use]
    pub fn read(source: &Arc<Source>, findings: &Findings) -> Option<Self> {
        read::chart(source, findings)
    }

    /// Of the file, and of its text.
    #[must_use]
    pub fn version(&self) -> String {
        format!("{}@{}+{}", self.id, self.revision, self.sha256.get(..12).unwrap_or_default())
    }
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// What people call it.
    pub name: String,
    /// Whether its amounts are told for each cost centre.
    pub by_cost_center: bool,
}

/// From which account to which lines go. A line that takes from the net (or, on the employer's side, lessens the cost)
/// where lines of its kind usually add to it, or the other way round, goes the other way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Codes of lines; empty: all.
    pub codes: Vec<String>,
    /// Kinds of lines; empty: all.
    pub kinds: Vec<PayLineKind>,
    /// Whose.
    pub side: PaySide,
    /// The account that is debited.
    pub debit: String,
    /// The account that is credited.
    pub credit: String,
}

impl Rule {
    fn fits(&self, code: &str, kind: Option<PayLineKind>, side: PaySide) -> bool {
        let coded = self.codes.is_empty() || self.codes.iter().any(|known| known == code);
        let kind = self.kinds.is_empty() || kind.is_some_and(|kind| self.kinds.contains(&kind));
        self.side == side && coded && kind
    }
}

/// A payslip as the journal needs it.
#[derive(Clone, Debug)]
pub struct Posted<'a> {
    /// The employee's number.
    pub employee_no: &'a str,
    /// Cost centres and their shares, which sum to 1; none: nobody said.
    pub cost_centers: Vec<(String, Decimal)>,
    /// Its lines.
    pub lines: &'a [PayLineItem],
    /// Its net.
    pub net: Decimal,
}

/// An entry: one of `debit` and `credit` is above 0, the other is 0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The number of the account.
    pub account: String,
    /// Its name.
    pub name: String,
    /// The cost centre, where the account is told by it.
    pub cost_center: Option<String>,
    /// What is debited.
    pub debit: Decimal,
    /// What is credited.
    pub credit: Decimal,
}

/// The journal of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Journal {
    /// By account and cost centre: what was debited before what was credited.
    pub entries: Vec<Entry>,
    /// The sum of either side.
    pub total: Decimal,
}

/// Sums by account, cost centre and side (a credit is `true`).
type Sums = BTreeMap<(String, Option<String>, bool), Decimal>;

/// The journal of these payslips.
///
/// # Errors
/// All that is wrong: lines without a rule, amounts with parts of a hundredth, payslips whose lines do not sum to the
/// net, costs of people without a cost centre.
pub fn journal(chart: &Chart, slips: &[Posted<'_>]) -> Result<Journal, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut sums = Sums::new();
    for slip in slips {
        post(chart, slip, &mut sums, &mut problems);
    }
    let side = |credit: bool| {
        let mut of = sums.iter().filter(|((_, _, is_credit), _)| *is_credit == credit).map(|(_, sum)| *sum);
        of.try_fold(Decimal::ZERO, Decimal::checked_add)
    };
    let (debit, credit) = (side(false), side(true));
    if problems.is_empty() && debit != credit {
        problems.push(Problem::of_all("journal", "debits and credits differ: tell whoever looks after the hub"));
    }
    let Some(total) = debit.filter(|_| problems.is_empty()) else {
        if problems.is_empty() {
            problems.push(Problem::of_all("amount", "the sum is too large"));
        }
        return Err(problems);
    };
    let entries = sums.into_iter().filter(|(_, sum)| !sum.is_zero()).map(|((account, cost_center, credit), sum)| {
        let name = chart.accounts.get(&account).map(|account| account.name.clone()).unwrap_or_default();
        let (debit, credit) = if credit { (Decimal::ZERO, sum) } else { (sum, Decimal::ZERO) };
        Entry { account, name, cost_center, debit, credit }
    });
    Ok(Journal { entries: entries.collect(), total })
}

/// Whether lines of a kind add to the net, seen from the employee.
fn adds(kind: Option<PayLineKind>) -> bool {
    kind.is_some_and(|kind| kind.as_str().starts_with("EARNING") || kind == PayLineKind::Reimbursement)
}

fn post(chart: &Chart, slip: &Posted<'_>, sums: &mut Sums, problems: &mut Vec<Problem>) {
    let mut wrong = |field, message: String| problems.push(Problem::of(slip.employee_no, field, message));
    let mut own = Some(Decimal::ZERO);
    for line in slip.lines {
        let code = line.code.as_deref().unwrap_or_default();
        let Some(amount) = line.amount.as_ref().and_then(|amount| amount.amount) else {
            wrong("line", format!("`{code}` has no amount"));
            continue;
        };
        let kind = line.kind.as_ref().map(|kind| kind.value);
        let side = line.side.as_ref().map_or(PaySide::Employee, |side| side.value);
        if side == PaySide::Employee {
            own = own.and_then(|sum| sum.checked_add(amount));
        }
        if amount.normalize().scale() > 2 {
            wrong("line", format!("`{code}` is {amount}: more than 2 digits after the point cannot be posted"));
            continue;
        }
        let Some(rule) = chart.rules.iter().find(|rule| rule.fits(code, kind, side)) else {
            let kind = kind.map_or("no kind", |kind| kind.as_str());
            let message = format!("`{code}` ({kind}, {}) has no rule in the chart `{}`", side.as_str(), chart.id);
            wrong("line", message);
            continue;
        };
        if amount.is_zero() {
            continue;
        }
        // On the employer's side a cost is positive.
        let usual = if side == PaySide::Employer || adds(kind) { amount } else { -amount };
        let (debit, credit) =
            if usual.is_sign_negative() { (&rule.credit, &rule.debit) } else { (&rule.debit, &rule.credit) };
        for (account, is_credit) in [(debit, false), (credit, true)] {
            match shares(chart, account, slip, usual.abs()) {
                Ok(shares) => {
                    for (cost_center, amount) in shares {
                        let sum = sums.entry((account.clone(), cost_center, is_credit)).or_default();
                        *sum = sum.saturating_add(amount);
                    }
                }
                Err(why) => wrong("cost_center", format!("`{code}`: {why}")),
            }
        }
    }
    if own != Some(slip.net) {
        let sum = own.map_or_else(|| "more than a number holds".to_owned(), |sum| sum.to_string());
        wrong("net", format!("the lines sum to {sum}, the net is {}", slip.net));
    }
}

/// An amount by cost centre. Each gets its share in whole hundredths, the last one what is left.
fn shares(
    chart: &Chart,
    account: &str,
    slip: &Posted<'_>,
    amount: Decimal,
) -> Result<Vec<(Option<String>, Decimal)>, String> {
    if !chart.accounts.get(account).is_some_and(|account| account.by_cost_center) {
        return Ok(vec![(None, amount)]);
    }
    if slip.cost_centers.is_empty() {
        let Some(other) = &chart.without_cost_center else {
            return Err("the assignment has no cost centre; add one, or `without_cost_center` to the chart".to_owned());
        };
        return Ok(vec![(Some(other.clone()), amount)]);
    }
    let whole: Decimal = slip.cost_centers.iter().map(|(_, share)| *share).fold(Decimal::ZERO, Decimal::saturating_add);
    if whole != Decimal::ONE || slip.cost_centers.iter().any(|(_, share)| share.is_sign_negative()) {
        return Err(format!("the shares of the cost centres sum to {whole}, not to 1; correct the assignment"));
    }
    let mut left = amount;
    let mut found = Vec::with_capacity(slip.cost_centers.len());
    for (place, (cost_center, share)) in slip.cost_centers.iter().enumerate() {
        let is_last = place + 1 == slip.cost_centers.len();
        // Halves away from zero, but never more than is left.
        let part = amount.checked_mul(*share).map(|part| part.round_dp(2).min(left));
        let part = if is_last { Some(left) } else { part };
        let part = part.ok_or("the amount is too large")?;
        left = left.saturating_sub(part);
        found.push((Some(cost_center.clone()), part));
    }
    Ok(found)
}

/// The journal as rows for a spreadsheet: UTF-8 with a byte order mark.
///
/// # Errors
/// None that is known: UTF-8 has every character.
pub fn as_csv(journal: &Journal) -> Result<Vec<u8>, Problem> {
    let names = ["account", "name", "cost_center", "debit", "credit"].map(str::to_owned).to_vec();
    let amount = |of: Decimal| if of.is_zero() { String::new() } else { format!("{of:.2}") };
    let rows = journal.entries.iter().map(|entry| {
        let cost_center = entry.cost_center.as_deref().map(harmless).unwrap_or_default();
        vec![harmless(&entry.account), harmless(&entry.name), cost_center, amount(entry.debit), amount(entry.credit)]
    });
    let rows: Vec<Vec<String>> = [names].into_iter().chain(rows).collect();
    bytes(&rows, Form::SHEET)
}

#[cfg(test)]
mod tests;
