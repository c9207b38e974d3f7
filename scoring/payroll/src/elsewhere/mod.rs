//! Pay rules of places other than mainland China: Singapore, Hong Kong, Hungary.
//!
//! Each place is a module of pure functions on the numbers of its pack; `face` reads requests and writes answers.

pub(crate) mod face;
pub mod hong_kong;
pub mod hungary;
pub mod singapore;

pub use face::CALCULATIONS;

use crate::tables::Embedded;

static HONG_KONG: Embedded =
    Embedded::new("scoring/models/packs/hong-kong.yaml", include_str!("../../../models/packs/hong-kong.yaml"));
static HUNGARY: Embedded =
    Embedded::new("scoring/models/packs/hungary.yaml", include_str!("../../../models/packs/hungary.yaml"));
static SINGAPORE: Embedded =
    Embedded::new("scoring/models/packs/singapore.yaml", include_str!("../../../models/packs/singapore.yaml"));

/// The rule packs of this module.
pub static PACKS: &[&Embedded] = &[&HONG_KONG, &HUNGARY, &SINGAPORE];
