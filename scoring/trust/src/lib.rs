//! Trust: bias audits, significance, notices; pure calculation.
//!
//! Counts are whole numbers and rates exact fractions, so a ratio of four fifths is four fifths. Nothing here reads a
//! clock, a file or the network. [`impact`] holds the rates and ratios, [`significance`] what chance says about them,
//! [`notice`] the days, [`audit`] a whole bias audit and its page, and `face` what requests and answers look like.

pub mod audit;
mod face;
pub mod impact;
pub mod median;
pub mod notice;
pub mod significance;

use hub_calc::Calculation;

/// What this service calculates.
pub const CALCULATIONS: &[Calculation] = face::CALCULATIONS;
