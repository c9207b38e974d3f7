//! The entities, grouped as people speak of them.

pub mod assessment;
pub mod person;
pub mod recruiting;
pub mod shared;
