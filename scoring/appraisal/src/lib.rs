//! Appraisal: indicators, behaviour, grades, goals, growth, probation, attrition and talent; pure calculation.
//!
//! Each subject is a module of typed functions that know nothing of requests. `face` reads requests, calls them and
//! says why an answer is what it is; [`CALCULATIONS`] lists what can be asked.
//!
//! An appraisal as a whole follows a scheme, which is data: [`scheme`] reads it, [`appraise`] and [`growth`] apply it.
//!
//! Deliberately absent: models of people. The attrition model is learnt from a customer's own records and given with
//! each request; no protected attribute and nothing about health may be in it.

pub mod appraise;
pub mod attrition;
pub mod bonus;
mod face;
pub mod goal;
pub mod grade;
pub mod growth;
pub mod kpi;
pub mod logit;
pub mod pay;
pub mod preset;
pub mod scheme;
pub mod talent;
pub mod training;

pub use face::CALCULATIONS;
