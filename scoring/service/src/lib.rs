//! The calculators behind one face. By request, each takes inputs and gives a result with its explanation
//! ([`Service::answer`]); on the bus, each reacts to events, reads records, calculates and writes records. The calculators
//! themselves are pure and live in crates of their own.

mod appraisal;
mod calculate;
pub mod decisions;
pub mod insight;
mod interview;
pub mod payroll;
pub mod portrait;
pub mod presets;
mod records;

pub use appraisal::{AppraisalScoring, load_schemes};
pub use calculate::{Answered, SERVICES, Service};

pub use interview::{InterviewScoring, load_models};
pub use payroll::{PayoutFiles, PayrollRuns, load_pay_rules, load_payout};
pub use portrait::{PortraitModels, load_portraits};
