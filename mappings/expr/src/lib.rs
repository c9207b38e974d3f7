//! The one expression language of the hub: mappings, flow conditions, decision rules and manifests use it.
//!
//! ```text
//! payload.first_name & " " & payload.last_name
//! if(scores.communication >= 80 and scores.calm >= 85, "RECOMMENDED", "CONSIDER")
//! where(payload.emails, item.type == "work") | first
//! 基本工资 * 绩效系数
//! ```
//!
//! What it promises:
//! - **Checked first.** Names, keys of known records, enum values and types are checked by [`Expr::compile`]; problems
//!   carry their place and a suggestion.
//! - **Exact.** Numbers are decimals of 28 digits; no binary floating point.
//! - **Absent is absent.** A path that leads nowhere, or to null, is *absent*. An operation on something absent is
//!   absent; it is never zero, never the text "None". `==`, `and`, `or`, `??`, `exists` look at it openly, and a
//!   condition that comes out absent is an error that says what to default.
//! - **Bounded.** No loops or recursion; a step budget, a depth limit.
//! - **Pure.** No clock, no I/O, no randomness: the same input gives the same value.
//! - **Explainable.** [`Expr::explain`] runs the very same evaluator and records each step.

mod ast;
mod check;
mod eval;
mod exact;
mod explain;
pub mod functions;
mod html;
mod lex;
mod located;
mod order;
mod parse;
mod places;
mod quick;
mod reads;
mod scope;
mod template;
#[cfg(test)]
mod tests;
mod types;
mod warn;

pub use check::Expr;
pub use eval::{Cx, EvalError};
pub use explain::Explain;
pub use located::{Located, Templated, report};
pub use quick::{Got, Num, Quick, Short, Unsure};
pub use reads::{Read, Segment};
pub use scope::{Problem, Scope};
pub use template::Template;
pub use types::{EnumType, RecordType, Type};
