//! Bank files by profile: what a bank wants in which column is data (`scoring/models/bank/*.yaml`), and so is how its
//! result is read.

mod read;
mod report;
mod result;
mod write;

pub(super) use read::named_as_file;
pub use result::{Expected, Outcome, Paid, outcomes};
pub use write::{Made, Paying, make};

use super::cells::Form;
use hub_model::entities::pay::BankAccount;
use hub_tree::{Encoding, Findings, Source, csv};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// A profile of a bank.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Equal to the file's name: `cn-transfer`.
    pub id: String,
    /// Rises when the file changes.
    pub revision: u32,
    /// ISO 4217; none: that of the run.
    pub currency: Option<String>,
    /// What the employee reads on the statement; `{year}`, `{month}` and `{period}` are those of the run.
    pub purpose: String,
    /// Who pays, and from where.
    pub payer: Option<Payer>,
    /// What is written.
    pub format: Format,
    /// How the bank's answer is read.
    pub result: Option<ResultForm>,
    pub(super) sha256: String,
}

impl Profile {
    /// Reads a profile. Problems go to `findings`.
    #[must_use]
    pub fn read(source: &Arc<Source>, findings: &Findings) -> Option<Self> {
        read::profile(source, findings)
    }

    /// As a run keeps it: of the file, and of its text.
    #[must_use]
    pub fn version(&self) -> String {
        format!("{}@{}+{}", self.id, self.revision, self.sha256.get(..12).unwrap_or_default())
    }

    /// The kind of the file for `Content-Type`, and the ending of its name.
    #[must_use]
    pub fn content_type(&self) -> (String, &'static str) {
        match &self.format {
            Format::Pain001 => ("application/xml; charset=utf-8".to_owned(), "xml"),
            Format::Table(table) => (format!("text/csv; charset={}", table.form.encoding.name()), "csv"),
        }
    }
}

pub(super) fn sha256(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

/// Who pays.
#[derive(Clone, Debug)]
pub struct Payer {
    /// The name of the company at its bank.
    pub name: String,
    /// Its account.
    pub account: BankAccount,
}

/// What is written.
#[derive(Clone, Debug)]
pub enum Format {
    /// ISO 20022.
    Pain001,
    /// Rows of cells.
    Table(Table),
}

/// Rows of cells: some above, the names of the columns, one row for each payment.
#[derive(Clone, Debug)]
pub struct Table {
    /// How rows become bytes.
    pub form: Form,
    /// Rows above the columns, such as count and total.
    pub header: Vec<Vec<Cell<Of>>>,
    /// Whether the names of the columns are written.
    pub names: bool,
    /// The columns.
    pub columns: Vec<(String, Cell<Each>)>,
    /// What an account must have beside its number.
    pub needs: Vec<Need>,
}

/// A cell: a text that is always the same, or a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell<V> {
    /// The text.
    Text(String),
    /// The value.
    Value(V),
}

/// Values of the whole file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// How many payments.
    Count,
    /// Their sum, with two digits after the point.
    Total,
    /// Their sum in hundredths.
    TotalCents,
    /// The day of payment: `2026-01-31`.
    PayOn,
    /// The same: `20260131`.
    PayOnCompact,
    /// The currency.
    Currency,
    /// The purpose.
    Purpose,
    /// The run: 32 characters.
    Run,
    /// The payer's name.
    Payer,
    /// The payer's account.
    PayerAccount,
}

impl Of {
    /// As profiles write them.
    pub const WORDS: [(&'static str, Self); 10] = [
        ("count", Self::Count),
        ("total", Self::Total),
        ("total_cents", Self::TotalCents),
        ("pay_on", Self::PayOn),
        ("pay_on_compact", Self::PayOnCompact),
        ("currency", Self::Currency),
        ("purpose", Self::Purpose),
        ("run", Self::Run),
        ("payer", Self::Payer),
        ("payer_account", Self::PayerAccount),
    ];
}

/// Values of one payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Each {
    /// Its place, from 1.
    Number,
    /// The payslip: 32 characters, which come back with the result.
    Payslip,
    /// The employee's number.
    EmployeeNumber,
    /// The holder of the account.
    Holder,
    /// The number of the account, the IBAN where there is one.
    Account,
    /// BIC.
    Bic,
    /// CNAPS code.
    Cnaps,
    /// Bank.
    BankName,
    /// Branch.
    Branch,
    /// How much, with two digits after the point.
    Amount,
    /// How much, in hundredths.
    AmountCents,
    /// Currency.
    Currency,
    /// Purpose.
    Purpose,
}

impl Each {
    /// As profiles write them.
    pub const WORDS: [(&'static str, Self); 13] = [
        ("number", Self::Number),
        ("payslip", Self::Payslip),
        ("employee_number", Self::EmployeeNumber),
        ("holder", Self::Holder),
        ("account", Self::Account),
        ("bic", Self::Bic),
        ("cnaps", Self::Cnaps),
        ("bank_name", Self::BankName),
        ("branch", Self::Branch),
        ("amount", Self::Amount),
        ("amount_cents", Self::AmountCents),
        ("currency", Self::Currency),
        ("purpose", Self::Purpose),
    ];
}

/// What an account must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// The CNAPS code.
    Cnaps,
    /// The name of the bank.
    BankName,
    /// The branch.
    Branch,
    /// A check digit by ISO/IEC 7812-1 annex B, as cards have it.
    Luhn,
}

impl Need {
    /// As profiles write them.
    pub const WORDS: [(&'static str, Self); 4] =
        [("cnaps", Self::Cnaps), ("bank_name", Self::BankName), ("branch", Self::Branch), ("luhn", Self::Luhn)];
}

/// How a bank's result is read.
#[derive(Clone, Debug)]
pub enum ResultForm {
    /// A table with a row for each payment.
    Table(ResultTable),
    /// ISO 20022 `pain.002`, and the statuses that mean paid.
    Report(Vec<String>),
}

impl ResultForm {
    /// Whether payments are named by their accounts.
    #[must_use]
    pub fn names_accounts(&self) -> bool {
        matches!(self, Self::Table(ResultTable { payment: (_, Names::Account), .. }))
    }
}

/// How a table of results is read.
#[derive(Clone, Debug)]
pub struct ResultTable {
    /// Its encoding.
    pub encoding: Encoding,
    /// Between cells.
    pub delimiter: csv::Delimiter,
    /// Lines above the names of the columns.
    pub skip: usize,
    /// The column that names the payment, and what stands in it.
    pub payment: (String, Names),
    /// The column of the amount.
    pub amount: String,
    /// Whether amounts are in hundredths.
    pub cents: bool,
    /// The column of the bank's verdict.
    pub status: String,
    /// Its words for paid.
    pub paid: Vec<String>,
    /// Its words for failed.
    pub failed: Vec<String>,
    /// The column of the reason.
    pub reason: Option<String>,
    /// The column of the bank's own reference.
    pub reference: Option<String>,
}

/// By what a bank names a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// The payslip.
    Payslip,
    /// The employee's number.
    EmployeeNumber,
    /// The account.
    Account,
}

impl Names {
    /// As profiles write them.
    pub const WORDS: [(&'static str, Self); 3] =
        [("payslip", Self::Payslip), ("employee_number", Self::EmployeeNumber), ("account", Self::Account)];
}

#[cfg(test)]
mod tests;
