//! What leaves a payroll run: files for banks, and what people look at before they approve.
//!
//! Pure functions: dates and times are given, nothing is stored or sent. A function that refuses tells all that is wrong
//! at once, each [`Problem`] with the employee's number and the field.

pub mod bank;
pub mod cells;
pub mod journal;
pub mod pain001;
pub mod payslip;
pub mod tax;
pub mod transfer;
pub mod variance;

use std::fmt;

/// Why a file of a run cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The employee's number; none when it is about the whole file.
    pub employee_no: Option<String>,
    /// The field that is wrong.
    pub field: &'static str,
    /// What is wrong and what to do.
    pub message: String,
}

impl Problem {
    pub(crate) fn of(employee_no: &str, field: &'static str, message: impl Into<String>) -> Self {
        Self { employee_no: Some(employee_no.to_owned()), field, message: message.into() }
    }

    pub(crate) fn of_all(field: &'static str, message: impl Into<String>) -> Self {
        Self { employee_no: None, field, message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.employee_no {
            Some(number) => write!(f, "employee {number}, {}: {}", self.field, self.message),
            None => write!(f, "{}: {}", self.field, self.message),
        }
    }
}
