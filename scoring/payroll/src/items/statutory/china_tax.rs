//! 个人所得税 on wages, by cumulative withholding (累计预扣法).

use super::{Call, LineSpec, Made, Param, Statutory, Trouble, optional, required};
use crate::china::rules::pack;
use crate::china::wages::{Basic, Before, Month, Rules, withhold_next};
use crate::items::how::amount;
use crate::items::rules::InputKind;
use crate::items::slip::YearPart;
use hub_calc::Exact;
use hub_model::entities::pay::{PayLineKind, PaySide, TaxTreatment};
use hub_tree::Decimal;

pub(super) const PART: Statutory = Statutory {
    id: "china.wage_tax",
    about: "Tax on a resident's wages, withheld cumulatively over the calendar year of payment. It reads all taxable \
            lines and all that is taken off before tax by itself.",
    currency: "CNY",
    packs: &["china"],
    params: PARAMS,
    lines: LINES,
    reads_taxable: true,
    run,
};

const PARAMS: &[Param] = &[
    required("income", InputKind::Money, "Taxable income of earlier runs of the year."),
    required("special", InputKind::Money, "Insurance and housing fund of earlier runs of the year."),
    required("tax", InputKind::Money, "Tax withheld by earlier runs of the year."),
    required(
        "first_month",
        InputKind::Number,
        "The month, 1 to 12, from which the basic deduction counts: that of joining.",
    ),
    required("additional", InputKind::Money, "Special additional deductions that this run takes (专项附加扣除)."),
    optional("additional_before", InputKind::Money, "Those that earlier runs of the year took; nothing if left out."),
    optional("other", InputKind::Money, "Other deductions of this run that no line shows; nothing if left out."),
    optional("other_before", InputKind::Money, "Other deductions of earlier runs of the year; nothing if left out."),
    optional("whole_year", InputKind::Flag, "The whole year's basic deduction from January on; no if left out."),
];

const LINES: &[LineSpec] = &[LineSpec {
    name: "个人所得税",
    kind: PayLineKind::TaxIncome,
    side: PaySide::Employee,
    tax: TaxTreatment::PostTax,
}];

fn run(call: &Call<'_>) -> Result<Vec<Made>, Trouble> {
    let on = call.period.pay_on;
    let pack = pack()?;
    let rules = Rules {
        table: call.rule(pack, pack.brackets("year", on)?, on),
        basic_month: call.rule(pack, pack.number("basic_deduction_month", on)?, on),
        basic_year: call.rule(pack, pack.number("basic_deduction_year", on)?, on),
    };
    let month = usize::try_from(on.month()).unwrap_or(12);
    let first = call.number("first_month")?;
    let first = first.to_whole().and_then(|first| usize::try_from(first).ok()).filter(|first| (1..=12).contains(first));
    let first = first.ok_or_else(|| call.blame("first_month", "it is no month, 1 to 12"))?;
    if first > month {
        return Err(call.blame("first_month", &format!("it is {first}, after the month of payment, {month}")));
    }
    let basic = if call.flag("whole_year") { Basic::WholeYear } else { Basic::From(first) };
    let (additional, other) = (call.number("additional")?, call.number_or_nothing("other")?);
    let before = Before {
        remainder: call.number("income")?
            - call.number("special")?
            - call.number_or_nothing("additional_before")?
            - call.number_or_nothing("other_before")?,
        tax: call.number("tax")?,
    };
    let taxed = call.taxed;
    let this = Month {
        month,
        income: Exact::from(taxed.income),
        exempt: Exact::zero(),
        special: Exact::from(taxed.special),
        additional: additional.clone(),
        other: &Exact::from(taxed.other) + &other,
    };
    let found = withhold_next(&before, &this, basic, rules);
    let decimal = |amount: &Exact| {
        amount.to_decimal().ok_or_else(|| Trouble { param: None, message: "an amount is too large".to_owned() })
    };
    *call.year.borrow_mut() = Some(YearPart {
        income: taxed.income,
        special: taxed.special,
        additional: decimal(&additional)?,
        other: decimal(&this.other)?,
        tax: decimal(&found.tax)?,
    });
    let how = call.explain.then(|| {
        let taxable = found.taxable();
        let band = found.band;
        let due = rules.table.tax(&found.balance);
        let line = |name: &str, amount_of: Decimal| format!("{name} {}", amount(&Exact::from(amount_of)));
        format!(
            "{} × {}% − {} − {} = {}（累计应纳税所得额 = {} − {}；{}，{}，专项附加扣除 {}；{} 月）",
            amount(&taxable),
            band.percent,
            amount(&band.less),
            amount(&found.before),
            amount(&(due - found.before.clone())),
            amount(&found.remainder),
            amount(&found.basic),
            line("本次收入", taxed.income),
            line("专项扣除", taxed.special),
            amount(&additional),
            month
        )
    });
    let (base, rate) = (Some(found.taxable()), Some(found.band.percent.clone()));
    Ok(vec![Made { line: 0, amount: found.tax, base, rate, how }])
}
