//! Mainland China: tax on wages, bonuses and other pay, social insurance and the housing fund.
//!
//! Each subject is a module of pure functions; [`rules`] takes what they need from the packs, and `face` reads requests
//! and writes answers.

pub mod bonus;
pub mod cities;
pub mod contributions;
pub(crate) mod face;
pub mod payees;
pub mod rules;
pub mod wages;

pub use face::CALCULATIONS;

use crate::tables::Embedded;

static TAX: Embedded =
    Embedded::new("scoring/models/packs/china.yaml", include_str!("../../../models/packs/china.yaml"));
static CITIES: Embedded =
    Embedded::new("scoring/models/packs/china-cities.yaml", include_str!("../../../models/packs/china-cities.yaml"));

/// The rule packs of this module.
pub static PACKS: &[&Embedded] = &[&TAX, &CITIES];
