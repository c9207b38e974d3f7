use super::*;
use hub_tree::{Arena, Limits, json};

/// Runs a request; `look` sees the answer or what is wrong.
fn ask<T>(request: &str, look: impl FnOnce(Result<Value<'_>, Wrong>) -> T) -> T {
    let arena = Arena::new();
    let value = json::read(&arena, request.as_bytes(), Limits::default()).unwrap_or_else(|e| panic!("{request}: {e}"));
    look(hub_calc::answer(CALCULATIONS, Given::new(&arena, value)))
}

/// An answer has these fields, written as JSON.
fn check(request: &str, wanted: &[(&str, &str)]) {
    ask(request, |answer| {
        let answer = answer.unwrap_or_else(|wrong| panic!("{request}: {wrong}"));
        for (path, wanted) in wanted {
            let found = path.split('.').fold(answer, |value, step| match step.parse() {
                Ok(index) => value.at(index),
                Err(_) => value.get(step),
            });
            assert_eq!(json::to_string(&found), *wanted, "{path} of {request}");
        }
    });
}

/// A request is refused at this place with these words.
fn refused(request: &str, pointer: &str, words: &str) {
    ask(request, |answer| {
        let wrong = match answer {
            Err(wrong) => wrong,
            Ok(answer) => panic!("{request}: {}", json::to_string(&answer)),
        };
        assert_eq!(wrong.pointer, pointer, "{request}: {wrong}");
        assert!(wrong.detail.contains(words), "{request}: {wrong}");
    });
}

fn iit(rest: &str) -> String {
    format!(r#"{{"type": "iit_cumulative", "year": 2026, {rest}}}"#)
}

#[test]
fn deductions_that_are_left_over_show_as_nothing_and_count_later() {
    // 5,000 − 5,000 − 500; then 20,000 − 10,000 − 500 = 9,500 × 3%.
    let months =
        r#""months": [{"m": 1, "income": "5000", "special": "500"}, {"m": 2, "income": 15000, "special": null}]"#;
    check(
        &iit(months),
        &[
            ("rows.0.cumulative_taxable", r#""0.00""#),
            ("rows.0.tax", r#""0.00""#),
            ("rows.0.rate", r#""0.03""#),
            ("rows.1.cumulative_taxable", r#""9500.00""#),
            ("rows.1.tax", r#""285.00""#),
            ("tax_total", r#""285.00""#),
        ],
    );
    check(&iit(r#""months": []"#), &[("rows", "[]"), ("tax_total", r#""0.00""#)]);
}

#[test]
fn months_without_pay_count_from_the_first_here() {
    let pay = r#""months": [{"m": 9, "income": "20000"}, {"m": 7, "income": "20000"}]"#;
    // July: 15,000; September: 40,000 − 15,000.
    check(&iit(pay), &[("rows.0.month", "7"), ("rows.0.tax", r#""450.00""#), ("rows.1.tax", r#""300.00""#)]);
    let joined = format!(r#"{pay}, "first_month_with_this_employer": 6"#);
    check(&iit(&joined), &[("rows.0.tax", r#""300.00""#), ("rows.1.tax", r#""300.00""#)]);
    let declared = format!(r#"{joined}, "first_wage_income_of_year_declared": true"#);
    check(&iit(&declared), &[("rows.0.tax", r#""0.00""#), ("tax_total", r#""0.00""#)]);
    let joined_late = format!(r#"{pay}, "first_month_with_this_employer": 8"#);
    refused(&iit(&joined_late), "/first_month_with_this_employer", "month 7");
}

#[test]
fn the_whole_years_deduction_ends_where_income_passes_it() {
    let months: Vec<String> = (1..=12).map(|m| format!(r#"{{"m": {m}, "income": "6000"}}"#)).collect();
    let request = iit(&format!(r#""months": [{}], "prior_year_60000_election": true"#, months.join(", ")));
    check(
        &request,
        &[
            ("rows.9.withheld_to_date", r#""0.00""#),
            ("rows.10.tax", r#""180.00""#),
            ("tax_total", r#""360.00""#),
            ("warnings", "null"),
        ],
    );
    let early = request.replacen("2026", "2020", 1);
    ask(&early, |answer| {
        assert!(answer.unwrap().get("warnings").at(0).get("detail").as_text().unwrap().contains("from 2021-01-01"));
    });
    let both = request.replacen(r#""year""#, r#""first_wage_income_of_year_declared": true, "year""#, 1);
    refused(&both, "/prior_year_60000_election", "cannot be true");
}

#[test]
fn bad_wages_are_refused_with_their_place() {
    let months = r#""months": [{"m": 1, "income": "1"}]"#;
    for (request, pointer, words) in [
        (iit(r#""months": [{"m": 13, "income": "1"}]"#), "/months/0/m", "range"),
        (iit(r#""months": [{"m": 0, "income": "1"}]"#), "/months/0/m", "range"),
        (iit(r#""months": [{"m": 1.5, "income": "1"}]"#), "/months/0/m", "whole number"),
        (iit(r#""months": [{"m": 1, "income": "-1"}]"#), "/months/0/income", "not be negative"),
        (iit(r#""months": [{"m": 1, "income": "1,000"}]"#), "/months/0/income", "number"),
        (iit(r#""months": [{"m": 1}]"#), "/months/0/income", "missing"),
        (iit(r#""months": [{"m": 1, "income": "1", "special": "-0.01"}]"#), "/months/0/special", "negative"),
        (iit(r#""months": {}"#), "/months", "a list"),
        (iit(&format!(r#"{months}, "residency": "nonresident""#)), "/residency", "resident"),
        (iit(&format!(r#"{months}, "residency": "alien""#)), "/residency", "`alien`"),
        (iit(months).replacen("2026", "2018", 1), "/year", "from 2019-01-01"),
        (iit(months).replacen("2026", "99999", 1), "/year", "calendar"),
        (iit(months).replacen(r#""year": 2026, "#, "", 1), "/year", "missing"),
    ] {
        refused(&request, pointer, words);
    }
    let odd = iit(r#""months": [{"m": 1, "income": "1", "bonus": "2"}]"#);
    ask(&odd, |answer| {
        assert_eq!(answer.unwrap().get("warnings").at(0).get("pointer").as_text(), Some("/months/0/bonus"));
    });
}

#[test]
fn the_second_run_of_a_month_withholds_what_it_adds() {
    let request = r#"{"type": "off_cycle", "year": 2026, "prior_months": [], "month": 3,
        "runs": [{"run": "regular", "income": "10000"}, {"run": "leaving", "income": "4000.50", "special": "0"}]}"#;
    // 5,000 × 3%; 9,000.50 × 3% = 270.015 less 150.
    check(
        request,
        &[("tax_regular", r#""150.00""#), ("tax_off_cycle", r#""120.02""#), ("withheld_to_date", r#""270.02""#)],
    );
    refused(&request.replace("[]", r#"[{"m": 4, "income": "1"}]"#), "/prior_months", "after month 3");
    refused(&request.replace(r#""month": 3"#, r#""month": 13"#), "/month", "range");
}

#[test]
fn two_years_begin_anew_and_keep_their_order() {
    let request = r#"{"type": "iit_cumulative_two_years", "first": {"year": 2025, "months": [{"m": 12, "income": "9000"}]},
        "second": {"year": 2026, "months": [{"m": 2, "income": "12000"}]}}"#;
    // The second year's January counts though it is without pay.
    check(request, &[("first.0.tax", r#""120.00""#), ("second.0.tax", r#""60.00""#)]);
    refused(&request.replace("2025", "2026"), "/second/year", "after the first");
    refused(&request.replace(r#"{"m": 2,"#, "{"), "/second/months/0/m", "missing");
}

#[test]
fn a_small_settlement_is_waived() {
    let request = r#"{"type": "iit_two_employers", "year": 2026, "employer_a": [{"m": 1, "income": "40000"}],
        "employer_b": [{"m": 1, "income": "70000"}]}"#;
    // a: 35,000 × 3% = 1,050, b: 3,980; the year: 50,000 × 10% − 2,520 = 2,480: paid back, and so not waived.
    check(request, &[("annual_settlement_extra", r#""-2550.00""#), ("warnings", "null")]);
    let months = |first: usize| {
        (first..first + 6).map(|m| format!(r#"{{"m": {m}, "income": "11000"}}"#)).collect::<Vec<_>>().join(",")
    };
    let request = format!(
        r#"{{"type": "iit_two_employers", "year": 2026, "employer_a": [{}], "employer_b": [{}]}}"#,
        months(1),
        months(7)
    );
    // 36,000 × 3% each; the year: 72,000 × 10% − 2,520 = 4,680.
    check(&request, &[("annual_settlement_extra", r#""2520.00""#), ("warnings", "null")]);
    let request = request.replace("11000", "9000");
    // 720 each; 48,000 × 10% − 2,520 = 2,280; 108,000 a year is within 120,000.
    check(&request, &[("annual_settlement_extra", r#""840.00""#), ("warnings.0.pointer", r#""/year""#)]);
}

#[test]
fn annual_bonuses() {
    let separate = |amount: &str, day: &str| {
        format!(r#"{{"type": "annual_bonus_separate", "paid_on": "{day}", "amount": "{amount}"}}"#)
    };
    check(
        &separate("40000", "2026-01-20"),
        &[("rate", r#""0.10""#), ("quick_deduction", r#""210""#), ("tax", r#""3790.00""#), ("warnings", "null")],
    );
    check(&separate("36001", "2027-12-31"), &[("tax", r#""3390.10""#), ("warnings.0.pointer", r#""/amount""#)]);
    check(&separate("0", "2019-01-01"), &[("tax", r#""0.00""#), ("net", r#""0.00""#)]);
    refused(&separate("36000", "2028-01-01"), "/paid_on", "merge it into the year's income");
    refused(&separate("36000", "2018-12-31"), "/paid_on", "2019-01-01 to 2027-12-31");
    refused(&separate("-1", "2026-01-20"), "/amount", "negative");
    refused(&separate("36000", "2026-02-30"), "/paid_on", "calendar");

    let compare = |bonus: &str, other: &str| {
        format!(
            r#"{{"type": "annual_bonus_compare", "year": 2026, "bonus": "{bonus}", "other_comprehensive_taxable_for_year": "{other}"}}"#
        )
    };
    // 36,000 alone is 1,080 either way; on 100,000 more it is 10% of it.
    check(&compare("36000", "0"), &[("cheaper", r#""equal""#), ("difference", r#""0.00""#)]);
    check(
        &compare("36000", "100000"),
        &[("merged_extra_tax", r#""3600.00""#), ("cheaper", r#""separate""#), ("difference", r#""2520.00""#)],
    );
    check(
        &compare("20000", "-50000"),
        &[("separate_tax", r#""600.00""#), ("merged_extra_tax", r#""0.00""#), ("cheaper", r#""merged""#)],
    );
    refused(&compare("1", "0").replace("2026", "2028"), "/year", "merge");

    let once = |second: &str| {
        format!(
            r#"{{"type": "annual_bonus_once", "year": 2026, "payments": [{second}, {{"paid_on": "2026-01-20", "amount": "12000", "method": "separate"}}]}}"#
        )
    };
    check(
        &once(r#"{"paid_on": "2026-06-20", "amount": "12000", "method": "merged"}"#),
        &[("first_tax", r#""360.00""#), ("second", r#""merged""#)],
    );
    check(
        &once(r#"{"paid_on": "2026-06-20", "amount": "12000", "method": "separate"}"#),
        &[("first_tax", r#""360.00""#), ("second", r#""refused""#)],
    );
    check(
        &once(r#"{"paid_on": "2027-06-20", "amount": "24000", "method": "separate"}"#),
        &[("first_tax", r#""360.00""#), ("second", r#""720.00""#)],
    );
    refused(&once(r#"{"paid_on": "2026-06-20", "amount": "12000", "method": "half"}"#), "/payments/0/method", "`half`");
    refused(r#"{"type": "annual_bonus_once", "year": 2026, "payments": []}"#, "/payments", "empty");
}

#[test]
fn other_payees() {
    check(
        r#"{"type": "labour_remuneration", "amount": "60000"}"#,
        &[("taxable", r#""48000.00""#), ("tax", r#""12400.00""#), ("net", r#""47600.00""#), ("rate", r#""0.30""#)],
    );
    check(
        r#"{"type": "labour_remuneration", "residency": "nonresident", "amount": "30000"}"#,
        &[("tax", r#""3390.00""#)],
    );
    check(
        r#"{"type": "labour_remuneration", "amount": 500}"#,
        &[("taxable", r#""0.00""#), ("tax", r#""0.00""#), ("net", r#""500.00""#)],
    );
    check(r#"{"type": "royalty", "residency": "nonresident", "amount": "100000"}"#, &[("tax", r#""20840.00""#)]);
    check(
        r#"{"type": "nonresident_wage", "amount": "30000", "special": "4500"}"#,
        &[("tax", r#""3590.00""#), ("warnings.0.pointer", r#""/special""#)],
    );
    check(r#"{"type": "nonresident_bonus", "amount": "18000.01"}"#, &[("tax", r#""540.00""#)]);
    check(
        r#"{"type": "intern_labour_cumulative", "months": [{"m": 7, "amount": "5000"}, {"m": 8, "amount": "600"}], "full_time_student": false}"#,
        &[
            ("tax", r#"["800.00","0.00"]"#),
            ("without_election_first_month", r#""800.00""#),
            ("warnings.0.pointer", r#""/full_time_student""#),
        ],
    );
    check(
        r#"{"type": "intern_labour_cumulative", "months": [], "full_time_student": true}"#,
        &[("tax", "[]"), ("without_election_first_month", "null")],
    );
    check(
        r#"{"type": "severance_compensation", "amount": "500000", "local_prior_year_average_annual_wage": "150924"}"#,
        &[("exempt", r#""452772.00""#), ("taxable", r#""47228.00""#), ("tax", r#""2202.80""#)],
    );
    for (request, pointer, words) in [
        (r#"{"type": "labour_remuneration", "amount": "-800"}"#, "/amount", "negative"),
        (r#"{"type": "author_remuneration", "amount": ""}"#, "/amount", "number"),
        (r#"{"type": "royalty", "amount": true}"#, "/amount", "number"),
        (r#"{"type": "royalty", "amount": "1", "paid_on": "2018-10-01"}"#, "/paid_on", "from 2019-01-01"),
        (r#"{"type": "nonresident_wage", "special": "0"}"#, "/amount", "missing"),
        (
            r#"{"type": "intern_labour_cumulative", "months": [{"m": 7}], "full_time_student": true}"#,
            "/months/0/amount",
            "missing",
        ),
        (r#"{"type": "intern_labour_cumulative", "months": []}"#, "/full_time_student", "missing"),
        (
            r#"{"type": "intern_labour_cumulative", "year": 2019, "months": [], "full_time_student": true}"#,
            "/year",
            "from 2020-07-01",
        ),
        (
            r#"{"type": "severance_compensation", "amount": "1", "local_prior_year_average_annual_wage": "0"}"#,
            "/local_prior_year_average_annual_wage",
            "above 0",
        ),
    ] {
        refused(request, pointer, words);
    }
}

const SHANGHAI: &str = r#"{"type": "contributions", "pack": "CN-SH@2025-07", "params": {"si_floor": "7460", "si_cap": "37302",
    "items": [{"code": "pension", "ee": "8", "er": "16"}, {"code": "medical", "ee": "2", "er": "9"}],
    "hf": {"floor": "2690", "cap": "37302", "rate": "7", "round": "yuan_half_up"}},
    "si_base_declared": "12345.67", "hf_base_declared": "12345.67"}"#;

#[test]
fn contributions_by_the_callers_parameters() {
    check(
        SHANGHAI,
        &[
            ("items.pension.employee", r#""987.65""#),
            ("items.pension.employer", r#""1975.31""#),
            ("items.medical.employer", r#""1111.11""#),
            ("items.housing_fund.employee", r#""864.00""#),
            ("employee_total", r#""2098.56""#),
            ("warnings", "null"),
        ],
    );
    let capped = SHANGHAI.replace("12345.67", "50000");
    check(&capped, &[("items.pension.base", r#""37302.00""#), ("items.housing_fund.employee", r#""2611.00""#)]);
    let least = SHANGHAI.replace("12345.67", "0");
    check(&least, &[("items.pension.base", r#""7460.00""#), ("items.housing_fund.base", r#""2690.00""#)]);
    let fixed = SHANGHAI
        .replace(r#""er": "9"}"#, r#""er": "9", "ee_fixed": "3", "er_round": "fen_to_jiao_up", "floor": "20000"}"#);
    check(&fixed, &[("items.medical.employee", r#""403.00""#), ("items.medical.base", r#""20000.00""#)]);
    let added = SHANGHAI.replace(r#""er": "9"}"#, r#""er": "9", "ee_add": "3", "er_ad": "4"}"#);
    check(
        &added,
        &[
            ("items.medical.employee", r#""249.91""#),
            ("items.medical.employer", r#""1111.11""#),
            ("warnings.0.pointer", r#""/params/items/1/er_ad""#),
        ],
    );
    let custom = SHANGHAI
        .replace(r#""yuan_half_up""#, r#"{"places": 1, "mode": "up", "cut_first": 2, "even_last_digit": true}"#);
    // 864.1969 → 864.19 → 864.2, which is even.
    check(&custom, &[("items.housing_fund.employee", r#""864.20""#)]);
    let foreigner = SHANGHAI.replace(r#""hf_base_declared": "12345.67""#, r#""hf_base_declared": null"#);
    check(&foreigner, &[("items.housing_fund", "null"), ("warnings.0.pointer", r#""/hf_base_declared""#)]);
}

#[test]
fn contributions_by_the_pack_of_a_city() {
    let city =
        |pack: &str, rest: &str| format!(r#"{{"type": "contributions", "pack": "{pack}", "injury_class": 1, {rest}}}"#);
    let shanghai = city("CN-SH@2025-07", r#""hf_rate": "7", "si_base_declared": "20000", "hf_base_declared": "20000""#);
    check(
        &shanghai,
        &[
            ("employee_total", r#""3500.00""#),
            ("employer_total", r#""6540.00""#),
            ("items.injury.employer", r#""40.00""#),
        ],
    );
    let beijing = city("CN-BJ@2026-06", r#""hf_rate": "12", "si_base_declared": "15000", "hf_base_declared": "15000""#);
    check(&beijing, &[("employee_total", r#""3378.00""#), ("items.medical.employee", r#""303.00""#)]);
    // The published greatest deposit of both sides together: 5,282 at 7%.
    let most = city("CN-SH@2026-07", r#""hf_rate": "7", "si_base_declared": "90000", "hf_base_declared": "90000""#);
    check(&most, &[("items.housing_fund.employee", r#""2641.00""#), ("items.housing_fund.employer", r#""2641.00""#)]);
    refused(&shanghai.replace("2025-07", "2025-06"), "/pack", "2025-07-01 to 2026-06-30");
    refused(&shanghai.replace("2025-07", "2028-01"), "/pack", "no rule");
    refused(&shanghai.replace("CN-SH", "CN-XX"), "/pack", "no rule");
    refused(&shanghai.replace("@2025-07", ""), "/pack", "`CN-SH`");
    refused(&shanghai.replace(r#""injury_class": 1"#, r#""injury_class": 9"#), "/injury_class", "class");
    refused(&shanghai.replace(r#""hf_rate": "7""#, r#""hf_rate": "8""#), "/hf_rate", "range");
}

#[test]
fn bad_contributions_are_refused_with_their_place() {
    for (old, new, pointer, words) in [
        (r#""ee": "8""#, r#""ee": "108""#, "/params/items/0/ee", "range"),
        (r#""ee": "8""#, r#""ee": "-8""#, "/params/items/0/ee", "range"),
        (r#""ee": "8", "#, "", "/params/items/0/ee", "missing"),
        (r#""code": "medical""#, r#""code": "pension""#, "/params/items", "twice"),
        (r#""code": "medical", "#, "", "/params/items/1/code", "missing"),
        (r#""si_cap": "37302""#, r#""si_cap": "7459.99""#, "/params/items/0/code", "above its cap"),
        (r#""si_cap": "37302","#, "", "/params/si_cap", "missing"),
        (r#""floor": "2690""#, r#""floor": "40000""#, "/params/hf/floor", "above its cap"),
        ("yuan_half_up", "yuan_up", "/params/hf/round", "yuan_half_up"),
        (r#""si_base_declared": "12345.67""#, r#""si_base_declared": "-1""#, "/si_base_declared", "negative"),
        (r#""si_base_declared": "12345.67", "#, "", "/si_base_declared", "missing"),
        (r#""hf_base_declared": "12345.67""#, r#""hf_base_declared": "much""#, "/hf_base_declared", "`much`"),
    ] {
        let request = SHANGHAI.replacen(old, new, 1);
        assert_ne!(request, SHANGHAI, "{old}");
        refused(&request, pointer, words);
    }
}

#[test]
fn the_fund_and_roundings() {
    let excess = r#"{"type": "hf_excess", "deposit_base": "40000", "rate": "12",
        "own_prior_year_average_monthly_wage": "20000", "city_average_monthly_wage": "12000"}"#;
    check(
        excess,
        &[("deposit", r#""4800.00""#), ("deductible", r#""2400.00""#), ("added_back_to_income", r#""2400.00""#)],
    );
    refused(&excess.replace(r#""12","#, r#""112","#), "/rate", "range");
    refused(&excess.replace("40000", "-1"), "/deposit_base", "negative");
    check(
        r#"{"type": "rounding", "amount": "-0.004"}"#,
        &[("fen_half_up", r#""0.00""#), ("li_to_fen_up", r#""-0.01""#)],
    );
    check(
        r#"{"type": "rounding", "amount": 31.204}"#,
        &[("fen_to_jiao_up", r#""31.3""#), ("drop_li_fen_to_jiao_up", r#""31.2""#)],
    );
    refused(r#"{"type": "rounding", "amount": "12 yuan"}"#, "/amount", "number");
    refused(r#"{"type": "rounding"}"#, "/amount", "missing");
}
