//! The entities, grouped as people speak of them.

pub mod approvals;
pub mod assessment;
pub mod benefits;
pub mod calendar;
pub mod checks;
pub mod employment;
pub mod governance;
pub mod hiring;
pub mod identity;
pub mod learning;
pub mod organization;
pub mod pay;
pub mod performance;
pub mod person;
pub mod recruiting;
pub mod requisition;
pub mod shared;
pub mod time;
