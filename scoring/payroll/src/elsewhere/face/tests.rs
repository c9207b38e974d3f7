use super::*;
use hub_tree::{Arena, Limits, Value, json};

fn ask<T>(request: &str, look: impl FnOnce(Result<Value<'_>, Wrong>) -> T) -> T {
    let arena = Arena::new();
    let value = json::read(&arena, request.as_bytes(), Limits::default()).unwrap_or_else(|e| panic!("{request}: {e}"));
    look(hub_calc::answer(CALCULATIONS, Given::new(&arena, value)))
}

/// Fields of an answer, with a blank between them.
fn fields(request: &str, names: &[&str]) -> String {
    ask(request, |answer| {
        let answer = answer.unwrap_or_else(|wrong| panic!("{request}: {wrong}"));
        assert!(!answer.get("explain").items().is_empty(), "{request} does not say why");
        let field = |name: &&str| answer.get(name).as_text().unwrap_or("(none)").to_owned();
        names.iter().map(field).collect::<Vec<_>>().join(" ")
    })
}

/// Whether an answer has something to beware of at a place.
fn warns(request: &str, pointer: &str) -> bool {
    ask(request, |answer| {
        let answer = answer.unwrap_or_else(|wrong| panic!("{request}: {wrong}"));
        answer.get("warnings").items().iter().any(|warning| warning.get("pointer").as_text() == Some(pointer))
    })
}

fn refused(request: &str, pointer: &str, words: &str) {
    ask(request, |answer| {
        let Err(wrong) = answer else { panic!("{request} was answered") };
        assert_eq!(wrong.pointer, pointer, "{request}: {wrong}");
        assert!(wrong.detail.contains(words), "{request}: {wrong}");
    });
}

#[test]
fn cpf_by_month_age_and_status() {
    let of = |period: &str, born: &str, status: &str, wage: &str, rest: &str| {
        format!(
            r#"{{"type": "sg_cpf", "period": "{period}", "born": "{born}", "status": "{status}", "ordinary_wage": "{wage}"{rest}}}"#
        )
    };
    let found = |request: &str| fields(request, &["total", "employee", "employer", "sdl"]);
    // By hand: 37% and 34% of 5,000; in 2025 23.5% and 37% of 7,400; in 2027 35.5% of 5,000; 9% and 24% of 5,000.
    for (period, born, status, wage, wanted) in [
        ("2026-04", "1996-09-09", "citizen", "5000", "1850 1000 850 11.25"),
        ("2026-04", "1996-09-09", "citizen", "600", "162 60 102 2.00"),
        ("2026-04", "1996-09-09", "permanent_resident", "1234.50", "457 246 211 3.09"),
        ("2026-04", "1971-04-30", "citizen", "5000", "1850 1000 850 11.25"),
        ("2026-05", "1971-04-30", "citizen", "5000", "1700 900 800 11.25"),
        ("2025-12", "1964-01-01", "citizen", "9000", "1739 851 888 11.25"),
        ("2025-12", "1996-01-01", "citizen", "9000", "2738 1480 1258 11.25"),
        ("2027-01", "1970-01-01", "citizen", "5000", "1775 950 825 11.25"),
        ("2026-04", "1996-09-09", "PR2", "5000", "1200 750 450 11.25"),
        ("2026-04", "1996-09-09", "foreigner", "5000", "0 0 0 11.25"),
        ("2026-04", "1996-09-09", "pr_first_year", "5000", "450 250 200 11.25"),
        ("2026-04", "1996-09-09", "pr_second_year", "5000", "1200 750 450 11.25"),
        ("2026-04", "1996-09-09", "citizen", "0", "0 0 0 0.00"),
    ] {
        assert_eq!(found(&of(period, born, status, wage, "")), wanted, "{period} {born} {status} {wage}");
    }
    let young = |wage: &str, rest: &str| of("2026-04", "1996-09-09", "citizen", wage, rest);
    let bonus = r#", "additional_wage": "10000""#;
    assert_eq!(found(&young("8000", bonus)), "6660 3600 3060 11.25");
    assert!(warns(&young("8000", bonus), "/additional_wage_ceiling_left"));
    let bounded = format!(r#"{bonus}, "additional_wage_ceiling_left": "6000""#);
    assert_eq!(found(&young("8000", &bounded)), "5180 2800 2380 11.25");
    assert!(!warns(&young("8000", &bounded), "/additional_wage_ceiling_left"));
    // (102,000 − 8,000) + 8,000 = 102,000 × 37%.
    assert_eq!(found(&young("8000", r#", "additional_wage": 1000000"#)), "37740 20400 17340 11.25");
    refused(&of("2024-12", "1996-09-09", "citizen", "5000", ""), "/period", "2024-12-01");
    refused(&of("2028-01", "1996-09-09", "citizen", "5000", ""), "/period", "2028-01-01");
    refused(&of("2026-4", "1996-09-09", "citizen", "5000", ""), "/period", "YYYY-MM");
    refused(&of("2026-04", "2026-05-01", "citizen", "5000", ""), "/born", "range");
    refused(&of("2026-04", "1996-09-09", "martian", "5000", ""), "/status", "`martian`");
    refused(&of("2026-04", "1960-09-09", "pr_first_year", "5000", ""), "/period", "of this age");
    refused(&young("-1", ""), "/ordinary_wage", "range");
    refused(&young("1", r#", "additional_wage": "-1""#), "/additional_wage", "range");
    refused(&young("1", r#", "additional_wage_ceiling_left": "-1""#), "/additional_wage_ceiling_left", "range");
}

#[test]
fn additional_wage_ceilings() {
    let of = |year: &str, wages: &str| {
        format!(r#"{{"type": "sg_aw_ceiling", "year": {year}, "ordinary_wage_months": [{wages}]}}"#)
    };
    let found = |request: &str| fields(request, &["ow_subject_to_cpf", "aw_ceiling"]);
    assert_eq!(found(&of("2026", r#""8500", "8500", "8500", "8500", "8500""#)), "40000.00 62000.00");
    assert_eq!(found(&of("2025", r#""8500", 7399.99"#)), "14799.99 87200.01");
    assert_eq!(found(&of("2026", "")), "0.00 102000.00");
    let full = ["9000"; 12].join(", ");
    assert_eq!(found(&of("2026", &full)), "96000.00 6000.00");
    refused(&of("2026", &format!("{full}, 1")), "/ordinary_wage_months", "range");
    refused(&of("2026", "1, -1"), "/ordinary_wage_months/1", "range");
    refused(&of("2026", r#"1, "x""#), "/ordinary_wage_months/1", "number");
    refused(&of("2024", "1"), "/year", "2024-01-01");
}

#[test]
fn self_help_groups() {
    let of = |fund: &str, wages: &str, rest: &str| {
        format!(r#"{{"type": "sg_shg", "fund": "{fund}", "total_wages": "{wages}"{rest}}}"#)
    };
    for (wages, amount) in [("2000", "0.50"), ("2000.01", "1.00"), ("5000", "1.50"), ("7500", "2.00"), ("8000", "3.00")]
    {
        assert_eq!(fields(&of("CDAC", wages, ""), &["amount"]), amount, "{wages}");
    }
    refused(&of("SINDA", "2000", ""), "/fund", "`SINDA`");
    refused(&of("cpf", "2000", ""), "/fund", "known funds");
    refused(&of("CDAC", "-1", ""), "/total_wages", "range");
    refused(&of("CDAC", "1", r#", "period": "2024-12""#), "/period", "2024-12-01");
}

#[test]
fn provident_fund() {
    let of = |period: &str, income: &str, age: &str, rest: &str| {
        format!(r#"{{"type": "hk_mpf", "wage_period": "{period}", "relevant_income": "{income}", "age": {age}{rest}}}"#)
    };
    for (period, income, age, rest, wanted) in [
        ("monthly", "7099.99", "30", "", "0.00 355.00"),
        ("monthly", "7100", "30", "", "355.00 355.00"),
        ("monthly", "30000.01", "30", "", "1500.00 1500.00"),
        ("monthly", "20000", "17", "", "0.00 0.00"),
        ("monthly", "20000", "18", "", "1000.00 1000.00"),
        ("monthly", "20000", "64", "", "1000.00 1000.00"),
        ("monthly", "20000", "64.9", "", "1000.00 1000.00"),
        ("monthly", "20000", "65", "", "0.00 0.00"),
        // 280 and 1,000 a day.
        ("weekly", "1959.99", "30", "", "0.00 98.00"),
        ("weekly", "1960", "30", "", "98.00 98.00"),
        ("weekly", "9000", "30", "", "350.00 350.00"),
        ("weekly", "9000", "30", r#", "days": 6"#, "300.00 300.00"),
        ("daily", "2800", "30", r#", "days": 10"#, "140.00 140.00"),
        ("daily", "2799.99", "30", r#", "days": 10"#, "0.00 140.00"),
        ("ten days", "2799.99", "30", r#", "days": 10"#, "0.00 140.00"),
    ] {
        let request = of(period, income, age, rest);
        assert_eq!(fields(&request, &["employee", "employer"]), wanted, "{request}");
    }
    refused(&of("daily", "1", "30", ""), "/days", "missing");
    refused(&of("daily", "1", "30", r#", "days": 0"#), "/days", "range");
    refused(&of("lunar", "1", "30", ""), "/wage_period", "`lunar`");
    refused(&of("monthly", "-1", "30", ""), "/relevant_income", "range");
    refused(&of("monthly", "1", "-30", ""), "/age", "range");
    refused(&of("monthly", "1", "30", r#", "period": "2010-01""#), "/period", "2010-01-01");
}

#[test]
fn start_of_the_fund() {
    let of = |joined: &str, period: &str| {
        format!(r#"{{"type": "hk_mpf_start", "joined": "{joined}", "wage_period": {period}}}"#)
    };
    let names = [
        "day_30",
        "first_employee_contribution_month",
        "employer_contributes_from",
        "day_60",
        "first_contribution_due",
    ];
    let wanted = "2026-04-01 2026-05 2026-03-03 2026-05-01 2026-06-10";
    assert_eq!(fields(&of("2026-03-03", r#""calendar month""#), &names), wanted);
    assert_eq!(fields(&of("2026-03-03", "null"), &names), wanted);
    refused(&of("2026-03-03", r#""weekly""#), "/wage_period", "`weekly`");
    refused(&of("2026-02-29", "null"), "/joined", "2026-02-29");
    refused(&of("2010-01-01", "null"), "/joined", "2010-01-01");
    refused(&of("9999-12-01", "null"), "/joined", "9999-12-01");
}

#[test]
fn salaries_tax() {
    let of = |year: &str, income: &str, rest: &str| {
        format!(r#"{{"type": "hk_salaries_tax", "year": "{year}", "total_income": "{income}"{rest}}}"#)
    };
    let names = ["net_income", "net_chargeable_income", "progressive", "standard", "basis", "reduction", "tax_payable"];
    let allowances = r#", "deductions": "21000", "allowances": "524000""#;
    let estimate = "679000.00 155000.00 9700.00 101850.00 progressive";
    for (year, rest) in [("2024/25", "1500.00 8200.00"), ("2025/26", "3000.00 6700.00"), ("2026/27", "0.00 9700.00")] {
        assert_eq!(fields(&of(year, "700000", allowances), &names), format!("{estimate} {rest}"), "{year}");
    }
    let rich = "6000000.00 6000000.00 1002000.00 910000.00 standard 3000.00 907000.00";
    assert_eq!(fields(&of("2025/26", "6000000", ""), &names), rich);
    let none = "0.00 0.00 0.00 0.00 progressive 0.00 0.00";
    assert_eq!(fields(&of("2025/26", "0", allowances), &names), none);
    for year in ["2025", "2025/27", "2025-26", "25/26", "2025/26/27", "2099/0"] {
        refused(&of(year, "1", ""), "/year", "2025/26");
    }
    refused(&of("2023/24", "1", ""), "/year", "2023-04-01");
    refused(&of("2099/00", "1", ""), "/year", "2099-04-01");
    refused(&of("2025/26", "-1", ""), "/total_income", "range");
    refused(&of("2025/26", "1", r#", "allowances": "-1""#), "/allowances", "range");
}

#[test]
fn hungary() {
    let of = |gross: &str, rest: &str| format!(r#"{{"type": "hu_flat", "gross": {gross}{rest}}}"#);
    let found = |request: &str| fields(request, &["pit", "ssc", "net", "employer_szocho", "employer_cost"]);
    let wanted = "67500 83250 299250 58500 508500";
    for rest in ["", r#", "allowances": "none", "under_25": false"#, r#", "allowances": null"#, r#", "allowances": []"#]
    {
        assert_eq!(found(&of("\"450000\"", rest)), wanted, "{rest}");
    }
    // Fillér are rounded before anything is taken.
    assert_eq!(found(&of("\"449999.5\"", "")), wanted);
    refused(&of("450000", r#", "allowances": "family""#), "/allowances", "allowances");
    refused(&of("450000", r#", "allowances": ["family"]"#), "/allowances", "allowances");
    refused(&of("450000", r#", "under_25": true"#), "/under_25", "under 25");
    refused(&of("-1", ""), "/gross", "range");
    refused(&of("1", r#", "period": "2026-01""#), "/period", "2022-01-01 to 2025-12-31");
}
