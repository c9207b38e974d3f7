//! What international and Chinese standards say about the identifiers and values of HR.
//!
//! Everything here is pure: no clock, no I/O, no table that changes with the machine but the zone data of the date
//! library. The expression functions and the rules of mappings read and write by these functions, so that both
//! understand a value alike. Reasons for a refusal never quote the value.

pub mod chinese;
pub mod codes;
pub mod contact;
pub mod dates;
pub mod iban;
pub mod identity;
pub mod names;
pub mod periods;
mod surnames;
