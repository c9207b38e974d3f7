//! 解除劳动合同经济补偿, taxed by itself.

use super::{Call, LineSpec, Made, Param, Statutory, Trouble, required};
use crate::china::payees::severance;
use crate::china::rules::pack;
use crate::items::how::amount;
use crate::items::rules::InputKind;
use hub_model::entities::pay::{PayLineKind, PaySide, TaxTreatment};

pub(super) const PART: Statutory = Statutory {
    id: "china.severance_tax",
    about: "Tax on what is paid for the end of a contract, by itself; the wage tax then leaves it out. Up to three local average \
            annual wages are free (财税〔2018〕164号第五条).",
    currency: "CNY",
    packs: &["china"],
    params: &[
        Param {
            name: "severance",
            kind: InputKind::Money,
            required: true,
            is_item: true,
            about: "The item of the file that is the compensation.",
        },
        required("average_wage", InputKind::Money, "The average wage of a year at the place, of the year before."),
    ],
    lines: &[LineSpec {
        name: "离职补偿个人所得税",
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
    let table = call.rule(pack, pack.brackets("year", on)?, on);
    let averages = call.rule(pack, pack.number("severance_average_wages", on)?, on);
    let (paid, average) = (call.number("severance")?, call.number("average_wage")?);
    let found = severance(&paid, &average, averages, table);
    let taxed = found.taxed;
    let how = call.explain.then(|| {
        format!(
            "({} − {}) × {}% − {} = {}（{averages} × {} 以内免税）",
            amount(&paid),
            amount(&found.exempt),
            taxed.percent,
            amount(&taxed.less),
            amount(&taxed.tax),
            amount(&average)
        )
    });
    let rate = Some(taxed.percent);
    Ok(vec![Made { line: 0, amount: taxed.tax, base: Some(taxed.taxable), rate, how }])
}
