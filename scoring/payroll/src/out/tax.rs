//! What a company tells the tax office of wages in mainland China for a month: one row for each person (个人所得税扣缴申报,
//! 工资薪金所得). A neutral table: the client of the tax office imports it after its columns have been matched.

use super::Problem;
use super::cells::{Form, bytes, harmless, unfit};
use hub_model::entities::pay::{PayLineItem, PayLineKind, PaySide, Payslip, TaxTreatment};
use hub_model::enums::EnumOf;
use hub_model::scalars::{NationalId, NationalIdType};
use hub_standards::identity;
use hub_tree::Decimal;
use hub_tree::jiff::civil::Date;
use serde_json::Value;

/// A payslip as the tax file needs it.
#[derive(Clone, Debug)]
pub struct Withheld<'a> {
    /// The employee's number.
    pub employee_no: &'a str,
    /// The name, as in the identity document.
    pub name: Option<&'a str>,
    /// Identity documents.
    pub ids: &'a [NationalId],
    /// The payslip.
    pub payslip: &'a Payslip,
    /// The sums of the year at the payslip before, if it was paid in the same year.
    pub before: Option<&'a Value>,
}

/// The columns.
pub const COLUMNS: [&str; 20] = [
    "工号",
    "姓名",
    "证件类型",
    "证件号码",
    "所得期间起",
    "所得期间止",
    "本期收入",
    "本期免税收入",
    "基本养老保险费",
    "基本医疗保险费",
    "失业保险费",
    "其他社会保险费",
    "住房公积金",
    "年金",
    "其他税前扣除",
    "累计收入",
    "累计专项附加扣除",
    "本期扣缴税额",
    "单独计税收入",
    "单独计税税额",
];

/// The file: UTF-8 with a byte order mark.
///
/// # Errors
/// All that is wrong: people without a name or an identity document that the tax office knows, numbers with a wrong
/// check digit, payslips without sums of the year, amounts below 0.
pub fn file(period: (Date, Date), people: &[Withheld<'_>]) -> Result<Vec<u8>, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut rows = vec![COLUMNS.map(str::to_owned).to_vec()];
    for one in people {
        rows.extend(row(period, one, &mut problems));
    }
    if problems.is_empty() { bytes(&rows, Form::SHEET).map_err(|problem| vec![problem]) } else { Err(problems) }
}

fn row((first, last): (Date, Date), one: &Withheld<'_>, problems: &mut Vec<Problem>) -> Option<Vec<String>> {
    let before = problems.len();
    let mut wrong = |field, message: &str| problems.push(Problem::of(one.employee_no, field, message));
    let name = one.name.map(str::trim).filter(|name| !name.is_empty());
    match name {
        None => wrong("name", "the person has no name; add it as it stands in the identity document"),
        Some(name) => {
            if let Some(why) = unfit(name, Form::SHEET) {
                wrong("name", &why);
            }
        }
    }
    let id = document(one.ids);
    match &id {
        None => wrong("national_ids", "there is no identity document that the tax office knows; add one"),
        Some((kind, number)) if *kind == RESIDENT && identity::resident_id(number).is_err() => {
            wrong("national_ids", "the number of the resident identity card is wrong; ask for it again");
        }
        Some((_, number)) if number.is_empty() || !number.chars().all(|c| c.is_ascii_alphanumeric()) => {
            wrong("national_ids", "the number of the document has digits and letters only; correct it");
        }
        Some(_) => {}
    }
    let amounts = amounts(one, &mut wrong);
    if problems.len() > before {
        return None;
    }
    let (kind, number) = id?;
    let texts = [harmless(one.employee_no), harmless(name?), kind.to_owned(), number];
    let days = [first, last].map(|day| day.to_string());
    Some(texts.into_iter().chain(days).chain(amounts?.map(|amount| format!("{amount:.2}"))).collect())
}

const RESIDENT: &str = "居民身份证";

/// The kind and number of the document that goes to the tax office: the resident's card before others.
fn document(ids: &[NationalId]) -> Option<(&'static str, String)> {
    let known = |id: &NationalId| {
        let is_chinese = id.country.as_ref().is_some_and(|country| country.0 == "CN");
        let (place, kind) = match id.kind.as_ref()?.value {
            NationalIdType::CnResidentId => (0, RESIDENT),
            NationalIdType::ForeignResidentId => (1, "外国人永久居留身份证"),
            NationalIdType::HkMoPermit => (2, "港澳居民来往内地通行证"),
            NationalIdType::TwPermit => (3, "台湾居民来往大陆通行证"),
            NationalIdType::Passport if is_chinese => (4, "中国护照"),
            NationalIdType::Passport => (5, "外国护照"),
            _ => return None,
        };
        let number = id.number.as_deref().unwrap_or_default();
        Some((place, kind, number.replace(char::is_whitespace, "").to_uppercase()))
    };
    let (_, kind, number) = ids.iter().filter_map(known).min_by_key(|(place, ..)| *place)?;
    Some((kind, number))
}

fn amounts(one: &Withheld<'_>, wrong: &mut dyn FnMut(&'static str, &str)) -> Option<[Decimal; 14]> {
    let Some(ytd) = one.payslip.ytd.as_ref() else {
        wrong("ytd", "the payslip has no sums of the year: it was not made by rules of mainland China");
        return None;
    };
    let of = |sums: &Value, name: &str| -> Option<Decimal> { sums.get(name)?.as_str()?.parse().ok() };
    let since = |name: &str| Some((of(ytd, name)?, one.before.map_or(Some(Decimal::ZERO), |sums| of(sums, name))?));
    let (Some((income, income_before)), Some((tax, tax_before)), Some(additional)) =
        (since("income"), since("tax"), of(ytd, "additional"))
    else {
        wrong("ytd", "the sums of the year lack `income`, `tax` or `additional`");
        return None;
    };
    let own = || one.payslip.lines.iter().flatten().filter(|line| side(line) == PaySide::Employee);
    let sum = |which: &dyn Fn(&PayLineItem) -> bool| -> Decimal {
        let of = own().filter(|line| which(line)).filter_map(|line| line.amount.as_ref()?.amount);
        of.fold(Decimal::ZERO, Decimal::saturating_add)
    };
    let treated =
        |line: &PayLineItem, how: TaxTreatment| line.tax_treatment.as_ref().is_some_and(|one| one.value == how);
    let kind = |line: &PayLineItem| line.kind.as_ref().map(|kind| kind.value);
    let earned = |line: &PayLineItem| {
        kind(line).is_some_and(|kind| kind.as_str().starts_with("EARNING") || kind == PayLineKind::Reimbursement)
    };
    // What is taken off is negative on a payslip, positive in the file.
    let less = |amount: Decimal| Decimal::ZERO.saturating_sub(amount);
    let taken = |wanted: &[PayLineKind]| {
        let is = |line: &PayLineItem| kind(line).is_some_and(|kind| wanted.contains(&kind));
        less(sum(&|line| treated(line, TaxTreatment::PreTax) && is(line)))
    };
    use PayLineKind as K;
    let pension = taken(&[K::SocialPension]);
    let medical = taken(&[K::SocialMedical]);
    let unemployment = taken(&[K::SocialUnemployment]);
    let social = taken(&[K::SocialWorkInjury, K::SocialMaternity]);
    let fund = taken(&[K::HousingFund]);
    let annuity = taken(&[K::ContributionRetirement]);
    let pre_tax = less(sum(&|line| treated(line, TaxTreatment::PreTax)));
    let other =
        [pension, medical, unemployment, social, fund, annuity].into_iter().fold(pre_tax, Decimal::saturating_sub);
    let exempt = sum(&|line| treated(line, TaxTreatment::Exempt) && earned(line));
    let (period, withheld) = (income.saturating_sub(income_before), tax.saturating_sub(tax_before));
    // What is taxable and not in the cumulative income is taxed by itself: a bonus of the year.
    let apart = sum(&|line| treated(line, TaxTreatment::Taxable)).saturating_sub(period);
    let all_tax = less(sum(&|line| kind(line) == Some(K::TaxIncome)));
    let apart_tax = if apart.is_zero() { Decimal::ZERO } else { all_tax.saturating_sub(withheld) };
    // Income that is exempt is told as income, and again as exempt.
    let told = period.saturating_add(exempt);
    let found = [
        told,
        exempt,
        pension,
        medical,
        unemployment,
        social,
        fund,
        annuity,
        other,
        income,
        additional,
        withheld,
        apart,
        apart_tax,
    ];
    // A month may give back what the months before withheld too much.
    let names = COLUMNS.get(6..).unwrap_or_default();
    let mut sound = true;
    for (name, amount) in names.iter().zip(found) {
        if amount.is_sign_negative() && !amount.is_zero() && *name != "本期扣缴税额" {
            wrong("amount", &format!("{name} is {amount}: below 0; the tax office takes no such row"));
            sound = false;
        }
    }
    sound.then_some(found)
}

fn side(line: &PayLineItem) -> PaySide {
    line.side.as_ref().map_or(PaySide::Employee, |side| side.value)
}

#[cfg(test)]
mod tests;
