//! Singapore: CPF, the skills development levy, and a self-help group.

use super::{Call, LineSpec, Made, Param, Statutory, Trouble, line, optional, required};
use crate::elsewhere::singapore::{STATUSES, Status, cpf, levy, months_of_life, rules, self_help};
use crate::items::how::amount;
use crate::items::rules::InputKind;
use crate::tables::{Pack, Row};
use hub_calc::Exact;
use hub_model::entities::pay::{PayLineKind, PaySide};

pub(super) const CPF: Statutory = Statutory {
    id: "singapore.cpf",
    about: "CPF of both sides, the employer's levy (SDL), and what is deducted for a self-help group.",
    currency: "SGD",
    packs: &["singapore"],
    params: PARAMS,
    lines: LINES,
    reads_taxable: false,
    run,
};

const PARAMS: &[Param] = &[
    required("ordinary", InputKind::Money, "The ordinary wage of the month."),
    required("status", InputKind::Text, "`citizen`, `pr_first_year`, `pr_second_year`, `pr`, `foreigner`, …"),
    required("born", InputKind::Date, "The day of birth."),
    optional("additional", InputKind::Money, "The additional wage: a bonus and the like; nothing if left out."),
    optional(
        "additional_ceiling",
        InputKind::Money,
        "What is left of the year's ceiling of additional wages; if left out, what this month's ordinary wage leaves.",
    ),
    optional("self_help", InputKind::Text, "The self-help group, such as `CDAC`; none if left out."),
];

const LINES: &[LineSpec] = &[
    line("cpf_employee", PayLineKind::ContributionRetirement, PaySide::Employee),
    line("self_help", PayLineKind::DeductionBenefit, PaySide::Employee),
    line("cpf_employer", PayLineKind::ContributionRetirement, PaySide::Employer),
    line("sdl", PayLineKind::TaxOther, PaySide::Employer),
];

fn run(call: &Call<'_>) -> Result<Vec<Made>, Trouble> {
    let pack = Pack::load("singapore")?;
    let month = call.period.end.first_of_month();
    let number = |name: &str| Ok::<_, Trouble>(call.rule(pack, pack.number(name, month)?, month));
    let (ordinary, additional) = (call.number("ordinary")?, call.number_or_nothing("additional")?);
    let wages = &ordinary + &additional;
    let word = call.text("status")?;
    let status = Status::named(word).ok_or_else(|| {
        let known: Vec<&str> = STATUSES.iter().map(|(word, _)| *word).collect();
        call.blame("status", &format!("there is no status `{word}`; known: {}", known.join(", ")))
    })?;
    let born = call.date("born")?;
    if months_of_life(born, month) < 0 {
        return Err(call.blame("born", &format!("{born} is after the period")));
    }
    let mut made = Vec::new();
    let mut add = |line: usize, paid: Exact, rate: Option<&Exact>, how: &dyn Fn(&Exact) -> String| {
        let how = call.explain.then(|| how(&paid));
        made.push(Made { line, how, base: Some(wages.clone()), rate: rate.cloned(), amount: paid });
    };
    if let Some(law) = rules(pack, status, born, month)? {
        let left = (number("annual_wage_ceiling")? - (&ordinary).min(&law.ordinary_ceiling)).max(Exact::zero());
        let stated = call.optional_number("additional_ceiling")?;
        if stated.is_none() && additional.is_positive() {
            call.warn(
                "the ordinary wages of the other months are not known: the additional wage counts up to what this \
                 month leaves of the year's ceiling; give `additional_ceiling`"
                    .to_owned(),
            );
        }
        let found = cpf(&ordinary, &additional, &stated.unwrap_or(left), &law);
        let counted = &found.ordinary + &found.additional;
        let total = |paid: &Exact| {
            format!(
                "{}（CPF of {}: total {}, employee {})",
                amount(paid),
                amount(&counted),
                amount(&found.total),
                amount(&found.employee)
            )
        };
        if found.employee.is_positive() {
            add(0, found.employee.clone(), Some(&law.employee), &total);
        }
        if found.employer.is_positive() {
            add(2, found.employer.clone(), Some(&law.employer), &total);
        }
    }
    if let Some(group) = call.arg("self_help").as_text() {
        let rows = pack.rows(group, month).map_err(|none| call.blame("self_help", &none.detail))?;
        let rows: &Vec<Row> = call.rule(pack, rows, month);
        let paid = self_help(&wages, rows);
        let paid = paid.ok_or_else(|| call.blame("self_help", "no row of the pack covers these wages"))?;
        if paid.is_positive() {
            add(1, paid, None, &|paid| format!("{}（{group}, wages {}）", amount(paid), amount(&wages)));
        }
    }
    let (percent, least, most) = (number("sdl_rate")?, number("sdl_least")?, number("sdl_most")?);
    let sdl = levy(&wages, percent, least, most);
    if sdl.is_positive() {
        add(3, sdl, Some(percent), &|paid| {
            format!("{} × {percent}%, {least} to {most} = {}", amount(&wages), amount(paid))
        });
    }
    made.sort_by_key(|made| made.line);
    Ok(made)
}
