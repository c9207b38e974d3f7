//! The entities, grouped as people speak of them.

pub mod approvals;
pub mod assessment;
pub mod calendar;
pub mod employment;
pub mod organization;
pub mod person;
pub mod recruiting;
pub mod requisition;
pub mod shared;
pub mod time;
