//! 社会保险 and 住房公积金 of a city.

use super::{Call, LineSpec, Made, Param, Statutory, Trouble, line, optional, required};
use crate::china::cities::{FUND, NoScheme, scheme};
use crate::china::contributions::Side;
use crate::items::how::amount;
use crate::items::rules::InputKind;
use hub_calc::Exact;
use hub_model::entities::pay::{PayLineKind, PaySide};

pub(super) const PART: Statutory = Statutory {
    id: "china.contributions",
    about: "Social insurance and the housing fund by the pack of the city, for the month of the period's last day.",
    currency: "CNY",
    packs: &["china-cities"],
    params: PARAMS,
    lines: LINES,
    reads_taxable: false,
    run,
};

const PARAMS: &[Param] = &[
    required("city", InputKind::Text, "The city of the pack: `CN-SH`."),
    required("base", InputKind::Money, "The declared base of the insurances a month; the city bounds it."),
    optional(
        "injury_class",
        InputKind::Number,
        "The class of trade, 1 to 8, where the city's injury insurance needs it.",
    ),
    optional("fund_base", InputKind::Money, "The declared base of the housing fund; 0, or left out: no fund."),
    optional("fund_rate", InputKind::Number, "The rate of the housing fund in per cent, for each side."),
];

/// The code of the pack, then the lines of both sides.
pub(in crate::items) const CODES: &[&str] = &["pension", "medical", "unemployment", "injury", "maternity", FUND];

const LINES: &[LineSpec] = &[
    line("养老保险个人", PayLineKind::SocialPension, PaySide::Employee),
    line("医疗保险个人", PayLineKind::SocialMedical, PaySide::Employee),
    line("失业保险个人", PayLineKind::SocialUnemployment, PaySide::Employee),
    line("工伤保险个人", PayLineKind::SocialWorkInjury, PaySide::Employee),
    line("生育保险个人", PayLineKind::SocialMaternity, PaySide::Employee),
    line("住房公积金个人", PayLineKind::HousingFund, PaySide::Employee),
    line("养老保险单位", PayLineKind::SocialPension, PaySide::Employer),
    line("医疗保险单位", PayLineKind::SocialMedical, PaySide::Employer),
    line("失业保险单位", PayLineKind::SocialUnemployment, PaySide::Employer),
    line("工伤保险单位", PayLineKind::SocialWorkInjury, PaySide::Employer),
    line("生育保险单位", PayLineKind::SocialMaternity, PaySide::Employer),
    line("住房公积金单位", PayLineKind::HousingFund, PaySide::Employer),
];

fn run(call: &Call<'_>) -> Result<Vec<Made>, Trouble> {
    let city = call.text("city")?;
    let on = call.period.end.first_of_month();
    let class = call.optional_number("injury_class")?;
    let fund_base = call.optional_number("fund_base")?;
    let fund_rate = call.optional_number("fund_rate")?;
    let (fund_base, fund_rate) = match (fund_base, fund_rate) {
        // Said outright: no fund, as foreigners may be without.
        (Some(base), _) if base.is_zero() => (None, None),
        (Some(_), None) => return Err(call.blame("fund_rate", "a base of the fund is declared, and no rate")),
        (None, Some(_)) => return Err(call.blame("fund_base", "a rate of the fund is given, and no base")),
        both => both,
    };
    let (scheme, source) = scheme(city, on, class.as_ref(), fund_rate.as_ref()).map_err(|none| match none {
        NoScheme::City(none) => call.blame("city", &none.detail),
        NoScheme::Class(_) => call.blame("injury_class", &none.to_string()),
        NoScheme::FundRate(_) => call.blame("fund_rate", &none.to_string()),
    })?;
    let declared = call.number("base")?;
    let items = scheme.insurance.iter().chain(&scheme.fund);
    let (mut own, mut employer) = (Vec::new(), Vec::new());
    for (item, line) in items.zip(scheme.lines(&declared, fund_base.as_ref())) {
        let Some(place) = CODES.iter().position(|code| *code == line.code) else {
            let message = format!("the pack `china-cities` has an item `{}` that no line is known for", line.code);
            return Err(Trouble { param: Some("city"), message });
        };
        let made = |place: usize, side: &Side, paid: &Exact| Made {
            line: place,
            amount: paid.clone(),
            base: Some(line.base.clone()),
            rate: Some(side.percent.clone()),
            how: call.explain.then(|| how(&line.base, side, paid, (city, source))),
        };
        let pays = |side: &Side| side.percent.is_positive() || side.fixed.is_positive();
        if pays(&item.employee) {
            own.push(made(place, &item.employee, &line.employee));
        }
        if pays(&item.employer) {
            employer.push(made(place + CODES.len(), &item.employer, &line.employer));
        }
    }
    own.append(&mut employer);
    Ok(own)
}

/// `20,000 × 8% = 1,600（CN-SH：上海市2025年度基数上下限）`.
fn how(base: &Exact, side: &Side, paid: &Exact, (city, source): (&str, &str)) -> String {
    let fixed = if side.fixed.is_zero() { String::new() } else { format!(" + {}", amount(&side.fixed)) };
    format!("{} × {}%{fixed} = {}（{city}：{source}）", amount(base), side.percent, amount(paid))
}
