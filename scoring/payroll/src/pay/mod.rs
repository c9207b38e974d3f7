//! Pay that is not tax: attendance, overtime, part months, bonuses, subsidies, corrections, and from gross to net.
//!
//! Each subject is a module of pure functions; [`rules`] takes what the law sets from its pack, and `face` reads
//! requests and writes answers.

pub mod attendance;
pub mod calendar;
pub(crate) mod face;
pub mod lines;
pub mod month;
pub mod net;
pub mod proration;
pub mod retro;
pub mod rules;

pub use face::CALCULATIONS;
