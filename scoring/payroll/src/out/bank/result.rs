//! Reads what a bank says of the payments of a run.

use super::write::short;
use super::{Names, ResultForm, ResultTable, report};
use crate::out::Problem;
use hub_tree::value::parse_decimal;
use hub_tree::{Arena, Decimal, Limits, Value, csv};
use std::collections::{BTreeMap, BTreeSet};

/// A payment that the bank was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The hub id of the payslip.
    pub payslip: String,
    /// The employee's number.
    pub employee_no: String,
    /// The account, where the bank names payments by it.
    pub account: Option<String>,
    /// How much.
    pub amount: Decimal,
}

/// Whether the money has arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paid {
    /// It has.
    Paid,
    /// It has not, or came back.
    Failed,
}

impl Paid {
    /// As a payslip keeps it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Paid => "PAID",
            Self::Failed => "FAILED",
        }
    }
}

/// What became of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The hub id of the payslip.
    pub payslip: String,
    /// The employee's number.
    pub employee_no: String,
    /// Whether it arrived.
    pub paid: Paid,
    /// Why not, in the bank's words.
    pub reason: Option<String>,
    /// The bank's own reference.
    pub reference: Option<String>,
}

/// What became of the payments of a run, by its hub id, as far as the file tells.
///
/// # Errors
/// All that is wrong: then nothing is known. Cells of the file are not repeated, but for the bank's verdict.
pub fn outcomes(
    form: &ResultForm,
    bytes: &[u8],
    run: &str,
    expected: &[Expected],
) -> Result<Vec<Outcome>, Vec<Problem>> {
    match form {
        ResultForm::Table(form) => of_table(form, bytes, expected),
        ResultForm::Report(paid) => report::outcomes(paid, bytes, run, expected),
    }
}

fn of_table(form: &ResultTable, bytes: &[u8], expected: &[Expected]) -> Result<Vec<Outcome>, Vec<Problem>> {
    let all = |field, message: String| vec![Problem::of_all(field, message)];
    let bytes = below(bytes, form.skip);
    let arena = Arena::new();
    let options = csv::Options { delimiter: form.delimiter, encoding: Some(form.encoding) };
    let rows = csv::read(&arena, bytes, options, Limits::default())
        .map_err(|error| all("file", format!("{error} (below the {} lines that are skipped)", form.skip)))?;
    let Value::List(rows) = rows else { return Err(all("file", "it has no rows".to_owned())) };
    let Some(first) = rows.first() else { return Err(all("file", "it has no rows below its header".to_owned())) };
    let columns = [&form.payment.0, &form.amount, &form.status].into_iter();
    let columns = columns.chain(form.reason.as_ref()).chain(form.reference.as_ref());
    let missing = columns.filter(|name| !first.entries().iter().any(|(known, _)| known == name));
    let missing =
        missing.map(|name| Problem::of_all("file", format!("it has no column `{name}`; look at the profile")));
    let missing: Vec<Problem> = missing.collect();
    if !missing.is_empty() {
        return Err(missing);
    }
    let mut known: BTreeMap<String, &Expected> = BTreeMap::new();
    for one in expected {
        known.extend(named(form.payment.1, one).map(|name| (name, one)));
    }
    let (mut problems, mut found, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    for (place, row) in rows.iter().enumerate() {
        let row_no = place + 1;
        let cell = |name: &str| row.get(name).as_text().map(str::trim).filter(|text| !text.is_empty());
        let name = cell(&form.payment.0).map(|name| told(form.payment.1, name));
        let Some(one) = name.as_ref().and_then(|name| known.get(name)) else {
            let message = format!("row {row_no}: `{}` names no payment of this run", form.payment.0);
            problems.push(Problem::of_all("payment", message));
            continue;
        };
        let mut wrong = |field, message: String| {
            problems.push(Problem::of(&one.employee_no, field, format!("row {row_no}: {message}")));
        };
        if !seen.insert(one.payslip.as_str()) {
            wrong("payment", "the payment is in the file a second time".to_owned());
            continue;
        }
        match cell(&form.amount).and_then(|text| amount(text, form.cents)) {
            Some(amount) if amount == one.amount => {}
            Some(amount) => wrong("amount", format!("the bank says {amount}, the payslip {}", one.amount)),
            None => wrong("amount", format!("`{}` is no amount", form.amount)),
        }
        let status = cell(&form.status).unwrap_or_default();
        let is = |words: &[String]| words.iter().any(|word| word == status);
        let paid = match () {
            () if is(&form.paid) => Paid::Paid,
            () if is(&form.failed) => Paid::Failed,
            () => {
                let message = format!("`{status}` is neither in `paid` nor in `failed` of the profile; add it there");
                wrong("status", message);
                continue;
            }
        };
        let of = |name: Option<&String>| name.and_then(|name| cell(name)).map(str::to_owned);
        found.push(Outcome {
            payslip: one.payslip.clone(),
            employee_no: one.employee_no.clone(),
            paid,
            reason: of(form.reason.as_ref()).filter(|_| paid == Paid::Failed),
            reference: of(form.reference.as_ref()),
        });
    }
    if problems.is_empty() { Ok(found) } else { Err(problems) }
}

/// What stands below some lines; in all encodings of banks a line feed is one byte.
fn below(bytes: &[u8], lines: usize) -> &[u8] {
    let mut rest = bytes;
    for _ in 0..lines {
        let end = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
        rest = rest.get(end..).unwrap_or_default();
    }
    rest
}

/// A name as the bank writes it. An apostrophe, which made it harmless, may have come back.
fn told(names: Names, text: &str) -> String {
    let text = text.strip_prefix('\'').unwrap_or(text);
    match names {
        Names::Payslip => short(text).to_lowercase(),
        Names::EmployeeNumber => text.to_owned(),
        Names::Account => text.replace(char::is_whitespace, "").to_uppercase(),
    }
}

fn named(names: Names, one: &Expected) -> Option<String> {
    match names {
        Names::Payslip => Some(told(names, &one.payslip)),
        Names::EmployeeNumber => Some(told(names, &one.employee_no)),
        Names::Account => one.account.as_deref().map(|account| told(names, account)),
    }
}

/// `1,234.50`; in hundredths: `123450`.
fn amount(text: &str, cents: bool) -> Option<Decimal> {
    let amount = parse_decimal(&text.replace([',', '，', ' '], ""))?;
    if cents { amount.checked_div(Decimal::ONE_HUNDRED) } else { Some(amount) }
}
