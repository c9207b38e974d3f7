//! What requests give and answers hold.

mod hong_kong;
mod hungary;
mod singapore;

use crate::pay::face::{law, period};
use crate::tables::Pack;
use hub_calc::{Calculation, Given, Wrong};
use hub_tree::jiff::civil::Date;

/// What is calculated for other places.
pub const CALCULATIONS: &[Calculation] = &[
    Calculation {
        name: "sg_cpf",
        about: "Singapore: CPF of a month, both sides, and the skills development levy",
        fields: &["period", "born", "status", "ordinary_wage", "additional_wage", "additional_wage_ceiling_left"],
        run: singapore::cpf,
    },
    Calculation {
        name: "sg_aw_ceiling",
        about: "Singapore: what of a year's additional wages is subject to CPF",
        fields: &["year", "ordinary_wage_months"],
        run: singapore::aw_ceiling,
    },
    Calculation {
        name: "sg_shg",
        about: "Singapore: what of a month's wages goes to a self-help group",
        fields: &["fund", "total_wages", "period"],
        run: singapore::self_help_group,
    },
    Calculation {
        name: "hk_mpf",
        about: "Hong Kong: Mandatory Provident Fund of a wage period, both sides",
        fields: &["wage_period", "relevant_income", "age", "days", "period"],
        run: hong_kong::mpf,
    },
    Calculation {
        name: "hk_mpf_start",
        about: "Hong Kong: from when a new employee and the employer pay to the Mandatory Provident Fund",
        fields: &["joined", "wage_period"],
        run: hong_kong::mpf_start,
    },
    Calculation {
        name: "hk_salaries_tax",
        about: "Hong Kong: an estimate of a year's salaries tax",
        fields: &["year", "total_income", "deductions", "allowances"],
        run: hong_kong::salaries_tax,
    },
    Calculation {
        name: "hu_flat",
        about: "Hungary: a month's tax and contributions without allowances",
        fields: &["gross", "allowances", "under_25", "period"],
        run: hungary::flat,
    },
];

fn pack(given: Given<'_>, id: &str) -> Result<&'static Pack, Wrong> {
    law(given, "type", Pack::load(id))
}

/// The month whose rules are taken: `period`, and without it the one in which the rules last changed.
fn month(given: Given<'_>, pack: &Pack) -> Result<Date, Wrong> {
    given.optional_text("period")?.map_or_else(|| Ok(pack.newest()), |text| period(given, "period", text))
}

#[cfg(test)]
mod tests;
