//! Turns vendors' payloads into canonical records, and canonical records into vendors' bodies, by following a
//! compiled mapping file.
//!
//! Invariant: nothing here does I/O, reads a clock or knows a vendor. The same mapping and input give the same bytes.
//! Entry points: [`Mapping::compile`], [`Mapping::run_in`], [`Mapping::run_out`], [`Mapping::explain`]; the cases
//! beside a mapping are run by [`case`].

pub mod case;
mod compile;
mod convert;
mod explain;
mod fill;
pub mod language;
pub mod layers;
pub mod limits;
pub mod lists;
mod mapping;
mod outcome;
mod run;
mod targets;
#[cfg(test)]
mod tests;
pub mod types;
mod unread;
mod update;

pub use hub_expr::Explain;
pub use layers::Parts;
pub use mapping::{Direction, Draft, Format, Mapping};
pub use outcome::{Filled, Input, Issue, Level, Outcome, Record, Reply};
pub use targets::{Need, SetField};
