//! Interview scoring: pure calculation. The same scorecard and model give the same result, and every number comes with
//! the steps that made it.
//!
//! A vendor's scores, on whatever scale, are brought to 0–100 ([`normalise`]); a competency [`Model`] says which
//! dimensions count, with what weight, and which of them decide; [`assess`] puts them together into dimensions with
//! evidence, a composite and a decision: 推荐, 待考虑 or 不推荐.
//!
//! Never guessed: the scale comes with the score; what lies outside it is an error, not clamped; a missing dimension is
//! not zero; a score without evidence decides nothing.

mod assess;
mod model;
mod numbers;
mod rules;
#[cfg(test)]
mod tests;

pub use assess::{Assessment, Policy, assess, label_text, total_share};
pub use model::{Dimension, Model, Origin};
pub use numbers::{ScaleError, Speech, normalise, shown, speech};
pub use rules::{Fired, Matcher, Rule};
