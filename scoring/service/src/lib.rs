//! The calculators on the bus: each reacts to events, reads records, calculates and writes records. The calculators
//! themselves are pure and live in crates of their own.

mod interview;

pub use interview::{InterviewScoring, load_models};
