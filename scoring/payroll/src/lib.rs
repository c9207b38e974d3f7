//! Payroll: taxes, contributions, pay and what follows from them, by dated tables; pure calculation.
//!
//! Amounts are exact until a line is rounded ([`money`]). Rates, brackets and bounds are data with dates ([`tables`]):
//! `scoring/models/packs/*.yaml`; no rate stands in the code. Payslips are made by formulas of files ([`items`]). Each module below lists what it calculates.

pub mod china;
pub mod elsewhere;
pub mod items;
pub mod money;
pub mod out;
pub mod pay;
pub mod tables;

use hub_calc::Calculation;
use std::sync::LazyLock;

/// What this service calculates.
pub static CALCULATIONS: LazyLock<Vec<Calculation>> = LazyLock::new(|| {
    let all = [china::CALCULATIONS, pay::CALCULATIONS, elsewhere::CALCULATIONS];
    let copy = |of: &Calculation| Calculation { name: of.name, about: of.about, fields: of.fields, run: of.run };
    all.into_iter().flatten().map(copy).collect()
});
