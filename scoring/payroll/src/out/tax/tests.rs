use super::*;
use hub_model::Enum;
use hub_model::scalars::{Country, Money};
use hub_tree::jiff::civil::date;
use serde_json::json;

fn line(code: &str, kind: PayLineKind, tax: TaxTreatment, amount: &str) -> PayLineItem {
    PayLineItem {
        code: Some(code.to_owned()),
        kind: Some(Enum::of(kind)),
        side: Some(Enum::of(PaySide::Employee)),
        tax_treatment: Some(Enum::of(tax)),
        amount: Some(Money { amount: Some(amount.parse().unwrap()), currency: None }),
        ..PayLineItem::default()
    }
}

fn id(kind: NationalIdType, country: &str, number: &str) -> NationalId {
    NationalId {
        kind: Some(Enum::of(kind)),
        country: Some(Country(country.to_owned())),
        number: Some(number.to_owned()),
        ..NationalId::default()
    }
}

/// A number that nobody has: the place does not exist, the check digit is right.
fn resident() -> String {
    let digits = "11010119900307123";
    format!("{digits}{}", identity::resident_check(digits.as_bytes()))
}

/// February: 21,200 of wage, 36,000 of bonus that is taxed by itself, 300 for travel.
fn payslip() -> Payslip {
    Payslip {
        lines: Some(vec![
            line("基本工资", PayLineKind::EarningBase, TaxTreatment::Taxable, "21400.00"),
            line("缺勤扣款", PayLineKind::DeductionAbsence, TaxTreatment::Taxable, "-200.00"),
            line("年终奖", PayLineKind::EarningBonus, TaxTreatment::Taxable, "36000.00"),
            line("差旅补贴", PayLineKind::Reimbursement, TaxTreatment::Exempt, "300.00"),
            line("养老保险个人", PayLineKind::SocialPension, TaxTreatment::PreTax, "-1600.00"),
            line("住房公积金个人", PayLineKind::HousingFund, TaxTreatment::PreTax, "-1400.00"),
            line("个人所得税", PayLineKind::TaxIncome, TaxTreatment::PostTax, "-381.00"),
            line("年终奖个人所得税", PayLineKind::TaxIncome, TaxTreatment::PostTax, "-1080.00"),
        ]),
        ytd: Some(json!({ "income": "43450.00", "tax": "793.50", "additional": "2000.00" })),
        ..Payslip::default()
    }
}

fn rows(people: &[Withheld<'_>]) -> Result<Vec<String>, Vec<Problem>> {
    let bytes = file((date(2026, 2, 1), date(2026, 2, 28)), people)?;
    let text = String::from_utf8(bytes).unwrap();
    Ok(text.trim_start_matches('\u{feff}').lines().map(str::to_owned).collect())
}

#[test]
fn each_person_has_a_row_of_the_period() {
    let slip = payslip();
    let before = json!({ "income": "22250.00", "tax": "412.50", "additional": "1000.00" });
    let ids = [id(NationalIdType::Passport, "CN", "E1"), id(NationalIdType::CnResidentId, "CN", &resident())];
    let lin =
        Withheld { employee_no: "HX0001", name: Some("林夏"), ids: &ids, payslip: &slip, before: Some(&before) };
    let found = rows(std::slice::from_ref(&lin)).unwrap();
    assert_eq!(found[0], COLUMNS.join(","));
    let wanted = format!(
        "HX0001,林夏,居民身份证,{},2026-02-01,2026-02-28,\
         21500.00,300.00,1600.00,0.00,0.00,0.00,1400.00,0.00,0.00,43450.00,2000.00,381.00,36000.00,1080.00",
        resident()
    );
    assert_eq!(found[1], wanted);
    let ids = [id(NationalIdType::Passport, "GH", "g 123")];
    let petra =
        Withheld { employee_no: "=1", name: Some("@Petra Osei"), ids: &ids, payslip: &slip, before: Some(&before) };
    let found = rows(&[petra]).unwrap();
    assert!(found[1].starts_with("'=1,'@Petra Osei,外国护照,G123,"), "{found:?}");
}

#[test]
fn everything_wrong_is_told_at_once() {
    let slip = payslip();
    let bare = Payslip::default();
    let odd = json!({ "income": "99999999", "tax": "0", "additional": "0" });
    let wrong = [id(NationalIdType::CnResidentId, "CN", "110101199003071230")];
    let odd_number = [id(NationalIdType::Passport, "GH", "=1+1")];
    let other = [id(NationalIdType::Ssn, "US", "1")];
    let of = |number, name, ids, payslip, before| Withheld { employee_no: number, name, ids, payslip, before };
    let people = [
        of("A", None, &other[..], &slip, None),
        of("B", Some("陈一鸣"), &wrong[..], &bare, None),
        of("C", Some("a\nb"), &odd_number[..], &slip, Some(&odd)),
    ];
    let problems = rows(&people).unwrap_err();
    let found: Vec<_> =
        problems.iter().map(|one| (one.employee_no.as_deref().unwrap_or_default(), one.field)).collect();
    let wanted = [
        ("A", "name"),
        ("A", "national_ids"),
        ("B", "national_ids"),
        ("B", "ytd"),
        ("C", "name"),
        ("C", "national_ids"),
        ("C", "amount"),
    ];
    assert!(resident() != wrong[0].number.clone().unwrap());
    assert_eq!(found, wanted, "{problems:#?}");
}
