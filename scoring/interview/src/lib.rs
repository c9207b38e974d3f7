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
mod caps;
mod diff;
mod face;
mod feedback;
mod figures;
mod model;
mod numbers;
mod offer;
mod profile;
#[cfg(test)]
mod properties;
mod reliability;
mod rules;
mod screen;
pub mod statistics;
#[cfg(test)]
mod tests;
mod text;
mod verdict;

pub use assess::{Assessment, Policy, assess, label_text, total_share};
pub use caps::{Cap, Caps};
pub use diff::{Change, changes, compared};
pub use feedback::{Feedback, Language, Level};
pub use figures::has_figures;
pub use model::{Dimension, Model, Origin};
pub use numbers::{ScaleError, Speech, normalise, shown, speech};
pub use offer::{NoProposal, Proposal, propose};
pub use profile::{Profile, profile};
pub use rules::{Fired, Heard, Matcher, Rule};
pub use screen::{Screen, Screened, applies, screen, screened_text};
pub use text::{is_keyword, plain};

/// What the service `interview` calculates by request.
pub const CALCULATIONS: &[hub_calc::Calculation] = face::CALCULATIONS;
