//! Writes the file of a profile.

use super::{Cell, Each, Format, Need, Of, Profile, Table};
use crate::out::Problem;
use crate::out::cells::{bytes, harmless, unfit};
use crate::out::pain001::{Order, pain001};
use crate::out::transfer::{Transfer, check, number, text};
use hub_tree::Decimal;
use hub_tree::jiff::Timestamp;
use hub_tree::jiff::civil::Date;
use hub_tree::rust_decimal::prelude::ToPrimitive;
use std::collections::BTreeSet;

/// What a run pays.
#[derive(Clone, Debug)]
pub struct Paying {
    /// The hub id of the run.
    pub run: String,
    /// The first day of its period.
    pub period_start: Date,
    /// When it was locked: the file of a run is the same whenever it is asked for.
    pub locked_at: Timestamp,
    /// The day of payment.
    pub pay_on: Date,
    /// The currency of the run.
    pub currency: String,
    /// Numbers of employees whose changed account a person has confirmed.
    pub confirmed: BTreeSet<String>,
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// How many payments.
    pub payments: usize,
    /// Their sum.
    pub total: Decimal,
}

/// The file for these payments, in their order.
///
/// # Errors
/// All that is wrong, and no file.
pub fn make(profile: &Profile, paying: &Paying, transfers: &[Transfer]) -> Result<Made, Vec<Problem>> {
    let currency = profile.currency.as_ref().unwrap_or(&paying.currency).clone();
    let purpose = purpose(profile, paying);
    let total = transfers.iter().try_fold(Decimal::ZERO, |sum, one| sum.checked_add(one.amount));
    let Some(total) = total else {
        return Err(vec![Problem::of_all("amount", "the sum is too large; split the run")]);
    };
    let bytes = match &profile.format {
        Format::Pain001 => {
            let Some(payer) = profile.payer.clone() else {
                let message =
                    "the profile has no `payer`: copy it to models/bank/ of your configuration and say who pays";
                return Err(vec![Problem::of_all("payer", message)]);
            };
            let order = Order {
                message: short(&paying.run),
                created: paying.locked_at,
                execute_on: paying.pay_on,
                debtor: payer.name,
                account: payer.account,
                currency,
                purpose,
            };
            pain001(&order, transfers, &paying.confirmed)?.into_bytes()
        }
        Format::Table(table) => {
            let file = File { profile, paying, table, currency: &currency, purpose: &purpose, total };
            let mut problems = check(transfers, &currency, &paying.confirmed);
            problems.extend(file.wrong(transfers));
            if !problems.is_empty() {
                return Err(problems);
            }
            bytes(&file.rows(transfers), table.form).map_err(|problem| vec![problem])?
        }
    };
    Ok(Made { bytes, payments: transfers.len(), total })
}

fn purpose(profile: &Profile, paying: &Paying) -> String {
    let (year, month) = (paying.period_start.year(), paying.period_start.month());
    let text = profile.purpose.replace("{year}", &year.to_string()).replace("{month}", &month.to_string());
    text.replace("{period}", &format!("{year}-{month:02}"))
}

/// An id that fits where a UUID is too long.
pub(in crate::out) fn short(id: &str) -> String {
    id.replace('-', "")
}

/// Hundredths, digits only.
fn cents(amount: Decimal) -> String {
    let cents = amount.checked_mul(Decimal::ONE_HUNDRED).and_then(|cents| cents.round().to_i128());
    cents.map(|cents| cents.to_string()).unwrap_or_default()
}

struct File<'f> {
    profile: &'f Profile,
    paying: &'f Paying,
    table: &'f Table,
    currency: &'f str,
    purpose: &'f str,
    total: Decimal,
}

impl File<'_> {
    /// What a table asks for beside what every bank does.
    fn wrong(&self, transfers: &[Transfer]) -> Vec<Problem> {
        let mut problems = Vec::new();
        let uses = |wanted: Each| self.table.columns.iter().any(|(_, cell)| *cell == Cell::Value(wanted));
        for one in transfers {
            let mut wrong =
                |field, why: Option<String>| problems.extend(why.map(|why| Problem::of(&one.employee_no, field, why)));
            let account = &one.account;
            let missing = |of: Option<&String>| text(of).is_none();
            for need in &self.table.needs {
                match need {
                    Need::Cnaps if missing(account.cnaps.as_ref()) => {
                        wrong("cnaps", Some("the account has no CNAPS code (联行号); add it".to_owned()));
                    }
                    Need::BankName if missing(account.bank_name.as_ref()) => {
                        wrong("bank_name", Some("the account has no bank; add it".to_owned()));
                    }
                    Need::Branch if missing(account.branch.as_ref()) => {
                        wrong("branch", Some("the account has no branch; add it".to_owned()));
                    }
                    // A missing number is told by `check`, and so is a wrong IBAN.
                    Need::Luhn if number(account).is_some_and(|no| account.iban.is_none() && !luhn(&no)) => {
                        let why = "the check digit of the account is wrong; ask for the number again";
                        wrong("account_no", Some(why.to_owned()));
                    }
                    _ => {}
                }
            }
            let texts = [
                (Each::Holder, "holder", text(account.holder.as_ref())),
                (Each::BankName, "bank_name", text(account.bank_name.as_ref())),
                (Each::Branch, "branch", text(account.branch.as_ref())),
                (Each::EmployeeNumber, "employee_no", Some(one.employee_no.as_str())),
            ];
            for (each, field, text) in texts {
                wrong(field, text.filter(|_| uses(each)).and_then(|text| unfit(text, self.table.form)));
            }
            // Digits and letters are in every encoding.
            let plain = |no: &String| no.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
            if number(account).is_some_and(|no| !plain(&no)) {
                wrong("account_no", Some("an account has digits, letters and hyphens only; correct it".to_owned()));
            }
        }
        problems.extend(unfit(self.purpose, self.table.form).map(|why| Problem::of_all("purpose", why)));
        problems
    }

    fn rows(&self, transfers: &[Transfer]) -> Vec<Vec<String>> {
        let mut rows: Vec<Vec<String>> = Vec::with_capacity(transfers.len() + 2);
        for row in &self.table.header {
            rows.push(row.iter().map(|cell| self.of_all(cell, transfers.len())).collect());
        }
        if self.table.names {
            rows.push(self.table.columns.iter().map(|(name, _)| harmless(name)).collect());
        }
        for (place, one) in transfers.iter().enumerate() {
            rows.push(self.table.columns.iter().map(|(_, cell)| self.of_one(cell, place + 1, one)).collect());
        }
        rows
    }

    fn of_all(&self, cell: &Cell<Of>, count: usize) -> String {
        let payer = self.profile.payer.as_ref();
        match cell {
            Cell::Text(text) => harmless(text),
            Cell::Value(value) => match value {
                Of::Count => count.to_string(),
                Of::Total => format!("{:.2}", self.total),
                Of::TotalCents => cents(self.total),
                Of::PayOn => self.paying.pay_on.to_string(),
                Of::PayOnCompact => self.paying.pay_on.strftime("%Y%m%d").to_string(),
                Of::Currency => self.currency.to_owned(),
                Of::Purpose => harmless(self.purpose),
                Of::Run => short(&self.paying.run),
                Of::Payer => payer.map(|payer| harmless(&payer.name)).unwrap_or_default(),
                Of::PayerAccount => payer.and_then(|payer| number(&payer.account)).unwrap_or_default(),
            },
        }
    }

    fn of_one(&self, cell: &Cell<Each>, place: usize, one: &Transfer) -> String {
        let account = &one.account;
        let words = |of: Option<&String>| text(of).map(harmless).unwrap_or_default();
        match cell {
            Cell::Text(text) => harmless(text),
            Cell::Value(value) => match value {
                Each::Number => place.to_string(),
                Each::Payslip => short(&one.payslip),
                Each::EmployeeNumber => harmless(&one.employee_no),
                Each::Holder => words(account.holder.as_ref()),
                Each::Account => number(account).unwrap_or_default(),
                Each::Bic => words(account.bic.as_ref()),
                Each::Cnaps => words(account.cnaps.as_ref()),
                Each::BankName => words(account.bank_name.as_ref()),
                Each::Branch => words(account.branch.as_ref()),
                Each::Amount => format!("{:.2}", one.amount),
                Each::AmountCents => cents(one.amount),
                Each::Currency => self.currency.to_owned(),
                Each::Purpose => harmless(self.purpose),
            },
        }
    }
}

/// The check digit of cards, by ISO/IEC 7812-1 annex B.
pub(super) fn luhn(number: &str) -> bool {
    let digits: Option<Vec<u32>> = number.chars().map(|c| c.to_digit(10)).collect();
    let Some(digits) = digits.filter(|digits| digits.len() > 1) else { return false };
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, digit * 2) {
            (0, _) => *digit,
            (_, double) => double / 10 + double % 10,
        })
        .sum();
    sum.is_multiple_of(10)
}
