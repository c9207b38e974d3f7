//! Pay items as formulas: a file of YAML says what a payslip is made from, and makes it.
//!
//! Invariant: nothing here does I/O or reads a clock. The same rules, inputs and period give the same payslip, to the
//! byte. A value that is missing, of the wrong kind, or too large is a [`Problem`] with its place, never nothing.
//! Entry points: [`PayRules::compile`], [`PayRules::slip`]; for many payslips of one period [`PayRules::payer`]. What the law sets comes from the dated packs by
//! `use: china.contributions` and the like ([`statutory`]). The form of the file: `docs/pay-items.md`.

mod entries;
mod eval;
mod how;
mod inputs;
mod names;
mod order;
mod pay;
mod read;
mod rules;
mod settle;
mod sheet;
mod slip;
pub mod statutory;
mod tables;
#[cfg(test)]
mod tests;

pub use rules::{Constant, Input, InputKind, PayRules, Period, Rounding, Whom};
pub use sheet::{Desk, Paid, Payer, Quickly};
pub use slip::{Line, Problem, Slip, Warning, YearPart};
