//! 全年一次性奖金, taxed by itself.

use super::{Call, LineSpec, Made, Param, Statutory, Trouble};
use crate::china::bonus::{separate, trap};
use crate::china::rules::pack;
use crate::items::how::amount;
use crate::items::rules::InputKind;
use hub_model::entities::pay::{PayLineKind, PaySide, TaxTreatment};

pub(super) const PART: Statutory = Statutory {
    id: "china.bonus_tax",
    about: "Tax on the bonus of a year by itself; the wage tax then leaves the bonus out. Once a year for an employee: \
            `when` says who chose it.",
    currency: "CNY",
    packs: &["china"],
    params: &[Param {
        name: "bonus",
        kind: InputKind::Money,
        required: true,
        is_item: true,
        about: "The item of the file that is the bonus.",
    }],
    lines: &[LineSpec {
        name: "年终奖个人所得税",
        kind: PayLineKind::TaxIncome,
        side: PaySide::Employee,
        tax: TaxTreatment::PostTax,
    }],
    reads_taxable: false,
    run,
};

fn run(call: &Call<'_>) -> Result<Vec<Made>, Trouble> {
    let on = call.period.pay_on;
    let pack = pack()?;
    let table = call.rule(pack, pack.brackets("month", on)?, on);
    let months = call.rule(pack, pack.number("bonus_months", on)?, on);
    let bonus = call.number("bonus")?;
    let taxed = separate(&bonus, table, months);
    if let Some((threshold, net)) = trap(&bonus, table, months) {
        call.warn(format!(
            "the bonus {} leaves {} after tax, less than {} would leave: {}",
            amount(&bonus),
            amount(&taxed.net),
            amount(&threshold),
            amount(&net)
        ));
    }
    let band = taxed.band;
    let how = call.explain.then(|| {
        format!(
            "{} × {}% − {} = {}（{} ÷ {months}，按月税率表）",
            amount(&bonus),
            band.percent,
            amount(&band.less),
            amount(&taxed.tax),
            amount(&bonus)
        )
    });
    let rate = Some(band.percent.clone());
    Ok(vec![Made { line: 0, amount: taxed.tax, base: Some(bonus), rate, how }])
}
