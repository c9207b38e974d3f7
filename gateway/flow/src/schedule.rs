//! What is done later: delayed actions of flows, schedules, and rounds of polls.
//!
//! All are timers of the store. Any worker claims those that are due; what a timer leads to commits together with the
//! mark that it has fired, so that it happens once, whoever dies in between. There is no leader, and no clock but the
//! workers' own: one that goes ahead fires early, and never twice.

mod calendar;
mod cron;
mod files;
mod fire;
mod plan;
mod polls;
mod run;

pub use calendar::Calendar;
pub(crate) use files::load;
pub use files::{Schedule, check_outlook};
pub use fire::run_now;
pub use plan::{NoTime, Plan};
pub use polls::poll_now;
pub(crate) use run::run;

/// The kind of timers that are delayed actions of flows.
pub(crate) const FLOW: &str = "flow";
/// The kind of timers that are schedules.
pub const SCHEDULE: &str = "schedule";
/// The kind of timers that begin rounds of polls.
pub const POLL: &str = "poll";
