use super::*;
use hub_tree::{Arena, Limits, json};

/// Runs a request; `look` sees the answer or what is wrong.
fn ask<T>(request: &str, look: impl FnOnce(Result<Value<'_>, Wrong>) -> T) -> T {
    let arena = Arena::new();
    let value = json::read(&arena, request.as_bytes(), Limits::default()).unwrap_or_else(|e| panic!("{request}: {e}"));
    look(hub_calc::answer(CALCULATIONS, Given::new(&arena, value)))
}

/// The answer to a request, as JSON, without why.
fn answer(request: &str) -> String {
    ask(request, |answer| {
        let answer = answer.unwrap_or_else(|wrong| panic!("{request}: {wrong}"));
        assert!(!answer.get("explain").items().is_empty(), "{request} does not say why");
        let arena = Arena::new();
        let fields: Vec<_> = answer.entries().iter().filter(|(name, _)| *name != "explain").copied().collect();
        json::to_string(&arena.map(&fields))
    })
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

/// Why an answer is what it is, all steps after one another.
fn why(request: &str) -> String {
    ask(request, |answer| json::to_string(&answer.unwrap_or_else(|wrong| panic!("{request}: {wrong}")).get("explain")))
}

#[test]
fn attendance() {
    let of = |rest: &str| format!(r#"{{"type": "attendance_deduction", {rest}}}"#);
    let wage = r#""monthly_wage": "21750.00", "divisor": "21.75", "unpaid_days""#;
    assert_eq!(answer(&of(&format!("{wage}: \"2\""))), r#"{"day_rate":"1000.00","deduction":"2000.00"}"#);
    // Numbers are taken too, and the law's divisor where none is given.
    let plain = of(r#""monthly_wage": 10000, "divisor": null, "unpaid_days": 7"#);
    assert_eq!(answer(&plain), r#"{"day_rate":"459.77","deduction":"3218.39"}"#);
    assert!(why(&plain).contains("10000 ÷ 21.75 × 7 days = 3218.390804…"), "{}", why(&plain));
    let all = answer(&of(&format!("{wage}: 23")));
    assert!(all.starts_with(r#"{"day_rate":"1000.00","deduction":"21750.00","warnings""#), "{all}");
    refused(&of(&format!("{wage}: 32")), "/unpaid_days", "range");
    refused(&of(&format!("{wage}: \"-1\"")), "/unpaid_days", "range");
    refused(&of(&format!("{wage}: \"two\"")), "/unpaid_days", "`two`");
    refused(&of(r#""monthly_wage": "1", "divisor": "0", "unpaid_days": 1"#), "/divisor", "divisor");
    refused(&of(r#""divisor": "21.75", "unpaid_days": 1"#), "/monthly_wage", "missing");
}

#[test]
fn overtime() {
    let of = |rest: &str| format!(r#"{{"type": "overtime", "base_monthly": "21750"{rest}}}"#);
    let hours = r#", "workday_hours": "2", "restday_hours": "3", "holiday_hours": "3""#;
    let wanted = |restday: &str, total: &str| {
        format!(
            r#"{{"hour_rate":"125.00","workday":"375.00","restday":"{restday}","holiday":"1125.00","total":"{total}"}}"#
        )
    };
    assert_eq!(answer(&of(hours)), wanted("750.00", "2250.00"));
    assert_eq!(answer(&of(&format!(r#"{hours}, "restday_comp_leave": true"#))), wanted("0.00", "1500.00"));
    let none = r#"{"hour_rate":"125.00","workday":"0.00","restday":"0.00","holiday":"0.00","total":"0.00"}"#;
    assert_eq!(answer(&of("")), none);
    assert!(answer(&of(r#", "workday_hours": 36.5"#)).contains("36.5 h of overtime are more than the 36 h"));
    assert!(!answer(&of(r#", "workday_hours": 36"#)).contains("warnings"));
    refused(&of(r#", "workday_hours": -1"#), "/workday_hours", "range");
    refused(&of(r#", "holiday_hours": 745"#), "/holiday_hours", "range");
    refused(&of(r#", "divisor": 0"#), "/divisor", "divisor");
    refused(&of(r#", "hours_per_day": 0"#), "/hours_per_day", "divisor");
    refused(&of(r#", "hours_per_day": 25"#), "/hours_per_day", "range");
    refused(&of(r#", "restday_comp_leave": "yes""#), "/restday_comp_leave", "true or false");
}

#[test]
fn multipliers() {
    let of = |date: &str, leave: &str| {
        format!(
            r#"{{"type": "overtime_multiplier", "date": "{date}", "calendar": "CN-2026", "compensatory_leave": {leave}}}"#
        )
    };
    for (date, owed, with_leave) in [
        ("2026-01-01", "3.0", "3.0"),
        ("2026-01-02", "2.0", "0.0"),
        ("2026-01-04", "1.5", "1.5"),
        ("2026-01-05", "1.5", "1.5"),
        ("2026-01-10", "2.0", "0.0"),
        ("2026-02-15", "2.0", "0.0"),
        ("2026-02-16", "3.0", "3.0"),
        ("2026-02-19", "3.0", "3.0"),
        ("2026-02-20", "2.0", "0.0"),
        ("2026-02-28", "1.5", "1.5"),
        // A holiday on a Sunday, and the Monday after.
        ("2026-04-05", "3.0", "3.0"),
        ("2026-04-06", "2.0", "0.0"),
        ("2026-05-02", "3.0", "3.0"),
        ("2026-05-03", "2.0", "0.0"),
        ("2026-10-03", "3.0", "3.0"),
        ("2026-10-04", "2.0", "0.0"),
        ("2026-10-10", "1.5", "1.5"),
        ("2026-12-31", "1.5", "1.5"),
    ] {
        for (leave, wanted) in [("false", owed), ("null", owed), ("true", with_leave)] {
            assert_eq!(answer(&of(date, leave)), format!(r#"{{"multiplier":"{wanted}"}}"#), "{date} {leave}");
        }
    }
    refused(&of("2027-01-01", "false"), "/date", "calendar");
    refused(&of("2026-02-30", "false"), "/date", "day of the calendar");
    refused(&of("2027-01-01", "false").replace("CN-2026", "CN-2027"), "/calendar", "CN-2027");
    refused(&of("2026-01-01", "false").replace("CN-2026", "Mars"), "/calendar", "Mars");
}

#[test]
fn parts_of_months() {
    let of = |rest: &str| format!(r#"{{"type": "proration", "monthly_wage": "21750.00", {rest}}}"#);
    for (rest, pay) in [
        (r#""method": "by_21_75_worked_days", "working_days_employed": 13, "working_days_in_month": 23"#, "13000.00"),
        (r#""method": "by_21_75_worked_days", "working_days_employed": 22, "working_days_in_month": 23"#, "21750.00"),
        (r#""method": "by_21_75_worked_days", "working_days_employed": 17, "working_days_in_month": 17"#, "21750.00"),
        (r#""method": "by_actual_working_days", "working_days_employed": 10, "working_days_in_month": 20"#, "10875.00"),
        (r#""method": "by_calendar_days", "calendar_days_employed": 10, "calendar_days_in_month": 30"#, "7250.00"),
        (r#""method": "by_calendar_days", "calendar_days_employed": 0, "calendar_days_in_month": 30"#, "0.00"),
    ] {
        assert_eq!(answer(&of(rest)), format!(r#"{{"pay":"{pay}"}}"#), "{rest}");
    }
    let days = r#""working_days_employed": 13, "working_days_in_month": 23"#;
    refused(&of(&format!(r#""method": "by_moon", {days}"#)), "/method", "by_calendar_days");
    refused(&of(&format!(r#""method": "by_calendar_days", {days}"#)), "/calendar_days_employed", "missing");
    let method = r#""method": "by_working_days", "working_days_employed""#;
    refused(&of(&format!(r#"{method}: 24, "working_days_in_month": 23"#)), "/working_days_employed", "range");
    refused(&of(&format!(r#"{method}: 0, "working_days_in_month": 0"#)), "/working_days_in_month", "range");
    refused(&of(&format!(r#"{method}: -1, "working_days_in_month": 23"#)), "/working_days_employed", "range");
    refused(&of(&format!(r#"{method}: 1, "working_days_in_month": 32"#)), "/working_days_in_month", "range");
}

#[test]
fn months_with_two_wages() {
    let of = |method: &str, segments: &str| {
        format!(r#"{{"type": "proration_split", "method": "{method}", "segments": [{segments}]}}"#)
    };
    let working = |first: i64, second: i64| {
        format!(
            r#"{{"monthly_wage": "10000", "working_days": {first}}}, {{"monthly_wage": "12000", "working_days": {second}}}"#
        )
    };
    assert_eq!(answer(&of("by_21_75_worked_days", &working(10, 12))), r#"{"pay":"11218.39"}"#);
    assert_eq!(answer(&of("by_actual_working_days", &working(7, 14))), r#"{"pay":"11333.33"}"#);
    let calendar = working(15, 15).replace("working", "calendar");
    assert_eq!(answer(&of("by_calendar_days", &calendar)), r#"{"pay":"11000.00"}"#);
    refused(&of("by_working_days", &calendar), "/segments/0/working_days", "missing");
    refused(&of("by_working_days", &working(0, 0)), "/segments", "range");
    refused(&of("by_working_days", &working(20, 12)), "/segments", "range");
    refused(&of("by_working_days", ""), "/segments", "range");
    refused(&of("by_working_days", &working(-1, 12)), "/segments/0/working_days", "range");
    refused(&of("by_half", &working(1, 1)), "/method", "known");
}

#[test]
fn performance() {
    let of = |rest: &str| {
        let coefficients = r#""coefficients": {"S": "1.5", "A": "1.2", "B": "1.0", "C": 0.8}"#;
        format!(r#"{{"type": "performance_pay", "base": "5000", "bonus_base": "1500.00", {coefficients}, {rest}}}"#)
    };
    for (grade, factor, bonus, gross) in [
        ("S", "1.5", "2250", "7250"),
        ("A", "1.2", "1800", "6800"),
        ("B", "1.0", "1500", "6500"),
        ("C", "0.8", "1200", "6200"),
    ] {
        let request = of(&format!(r#""grade": "{grade}""#));
        let wanted = format!(
            r#"{{"bonus":"{bonus}.00","gross":"{gross}.00","explain_contains":["{grade}","{factor}","1500"]}}"#
        );
        assert_eq!(answer(&request), wanted);
        let why = why(&request);
        assert!([grade, factor, "1500"].iter().all(|word| why.contains(word)), "{why}");
    }
    assert!(answer(&of(r#""grade": "S", "allowance": "300.005""#)).contains(r#""gross":"7550.01""#));
    refused(&of(r#""grade": "D""#), "/grade", "grade `D`");
    refused(&of(r#""grade": null"#), "/grade", "`grade` is null");
    refused(&of(r#""allowance": 1"#), "/grade", "missing");
    refused(&of(r#""grade": "S", "allowance": "-1""#), "/allowance", "range");
    refused(&of(r#""grade": "S""#).replace("\"1.5\"", "\"-1.5\""), "/coefficients/S", "range");
    refused(&of(r#""grade": "S""#).replace("\"1.5\"", "\"high\""), "/coefficients/S", "`high`");
}

#[test]
fn trips() {
    let of = |trips: &str| {
        format!(r#"{{"type": "travel_subsidy", "rates": {{"tier1": "180", "tier2": "120.50"}}, "trips": [{trips}]}}"#)
    };
    let trip = |region: &str, days: &str| format!(r#"{{"region": "{region}", "days": {days}}}"#);
    for (trips, subsidy) in [
        (String::new(), "0.00"),
        (trip("tier1", "\"2.5\""), "450.00"),
        ([trip("tier1", "1"), trip("tier2", "0.5"), trip("tier1", "0")].join(", "), "240.25"),
    ] {
        assert_eq!(answer(&of(&trips)), format!(r#"{{"subsidy":"{subsidy}"}}"#), "{trips}");
    }
    let second = |bad: String| of(&[trip("tier1", "1"), bad].join(", "));
    refused(&second(trip("tier3", "1")), "/trips/1/region", "region `tier3`");
    refused(&second(trip("tier1", "0.3")), "/trips/1/days", "half days");
    refused(&second(trip("tier1", "-1")), "/trips/1/days", "range");
    refused(&of(&trip("tier1", "1")).replace("\"180\"", "\"-180\""), "/rates/tier1", "range");
}

#[test]
fn damage() {
    let of = |wage: &str, claim: &str, minimum: &str| {
        format!(
            r#"{{"type": "loss_compensation", "month_wage": "{wage}", "claim": "{claim}", "local_min_wage": "{minimum}"}}"#
        )
    };
    let wanted =
        |deducted: &str, carried: &str| format!(r#"{{"deducted":"{deducted}","carried_forward":"{carried}"}}"#);
    assert_eq!(answer(&of("5000", "2000", "2740")), wanted("1000.00", "1000.00"));
    assert_eq!(answer(&of("3000", "2000", "2740")), wanted("260.00", "1740.00"));
    assert_eq!(answer(&of("2000", "2000", "2740")), wanted("0.00", "2000.00"));
    refused(&of("5000", "-1", "2740"), "/claim", "range");
    refused(&of("-5000", "1", "2740"), "/month_wage", "range");
    refused(&of("5000", "1", "x"), "/local_min_wage", "`x`");
}

#[test]
fn net_pay_below_nothing() {
    let of = |gross: &str, rest: &str| format!(r#"{{"type": "negative_net", "gross": "{gross}", {rest}}}"#);
    let rest = r#""employee_contributions": "800", "iit": "0", "policy": "statutory_first_then_priority",
        "other_deductions": [{"code": "gym", "amount": "50", "priority": 2}, {"code": "loan", "amount": "500", "priority": 1}]"#;
    for (gross, net, taken, carried, alert) in [
        ("2000", "650.00", ["800.00", "500.00", "50.00"], ["0.00", "0.00", "0.00"], "false"),
        ("1350", "0.00", ["800.00", "500.00", "50.00"], ["0.00", "0.00", "0.00"], "false"),
        ("1349.99", "0.00", ["800.00", "500.00", "49.99"], ["0.00", "0.00", "0.01"], "true"),
        ("1000", "0.00", ["800.00", "200.00", "0.00"], ["0.00", "300.00", "50.00"], "true"),
        ("500", "0.00", ["500.00", "0.00", "0.00"], ["300.00", "500.00", "50.00"], "true"),
        ("0", "0.00", ["0.00", "0.00", "0.00"], ["800.00", "500.00", "50.00"], "true"),
    ] {
        let map = |[contributions, loan, gym]: [&str; 3]| {
            format!(r#"{{"contributions":"{contributions}","loan":"{loan}","gym":"{gym}"}}"#)
        };
        let (taken, carried) = (map(taken), map(carried));
        let wanted = format!(r#"{{"net":"{net}","taken":{taken},"carried_forward":{carried},"alert":{alert}}}"#);
        assert_eq!(answer(&of(gross, rest)), wanted, "{gross}");
    }
    // Tax comes before what no law orders, and those without a priority last.
    let taxed = answer(&of(
        "100",
        r#""iit": "60", "other_deductions": [{"code": "a", "amount": "30"}, {"code": "b", "amount": "30", "priority": 9}]"#,
    ));
    let taken = r#""taken":{"contributions":"0.00","iit":"60.00","b":"30.00","a":"10.00"}"#;
    assert!(taxed.contains(taken), "{taxed}");
    assert!(answer(&of("1", r#""policy": "none""#)).contains("there is one policy"));
    let twice = r#""other_deductions": [{"code": "a", "amount": "1"}, {"code": "a", "amount": "1"}]"#;
    refused(&of("1", twice), "/other_deductions/1/code", "twice");
    refused(&of("1", &twice.replacen("\"a\"", "\"iit\"", 1)), "/other_deductions/0/code", "twice");
    refused(&of("-1", rest), "/gross", "range");
    refused(&of("1", r#""iit": "-1""#), "/iit", "range");
    refused(&of("1", r#""other_deductions": [{"code": "a", "amount": "-1"}]"#), "/other_deductions/0/amount", "range");
}

#[test]
fn back_pay() {
    let of = |rest: &str| {
        format!(r#"{{"type": "retro", "old_monthly": "12000", "new_monthly": "13500", "paid_in": "2026-04", {rest}}}"#)
    };
    let line = |period: &str, element: &str, delta: &str| {
        format!(r#"{{"period":"{period}","element":"{element}","delta":"{delta}"}}"#)
    };
    let two = r#""effective_from": "2026-02-01", "periods": ["2026-02", "2026-03"]"#;
    let lines = [line("2026-02", "base", "1500.00"), line("2026-03", "base", "1500.00")].join(",");
    assert_eq!(answer(&of(two)), format!(r#"{{"lines":[{lines}],"total":"3000.00"}}"#));
    // A month that is not touched has no line.
    let three = two.replace(r#"["2026-02""#, r#"["2026-01", "2026-02""#);
    assert_eq!(answer(&of(&three)), format!(r#"{{"lines":[{lines}],"total":"3000.00"}}"#));
    let lower = answer(&of(&format!(r#"{two}, "bonus_pct_of_base": "10""#)).replace("13500", "11999.95"));
    let wanted = [
        line("2026-02", "base", "-0.05"),
        line("2026-03", "base", "-0.05"),
        // 1,199.995 rounds to 1,200.00: no difference.
    ];
    assert_eq!(lower, format!(r#"{{"lines":[{}],"total":"-0.10"}}"#, wanted.join(",")));
    let within = answer(&of(&two.replace("2026-02-01", "2026-02-15")));
    assert!(within.contains(&line("2026-02", "base", "750.00")) && within.contains("calendar days"), "{within}");
    let forgotten = answer(&of(&two.replace(r#""2026-02", "#, "")));
    assert!(forgotten.contains("2026-02 is closed and touched"), "{forgotten}");
    let empty = r#""effective_from": "2026-04-01", "periods": []"#;
    assert_eq!(answer(&of(empty)), r#"{"lines":[],"total":"0.00"}"#);
    refused(&of(&two.replace("2026-03", "2026-04")), "/periods/1", "not closed");
    refused(&of(&two.replace("2026-03", "2026-02")), "/periods/1", "twice");
    refused(&of(&two.replace("2026-03", "2026-13")), "/periods/1", "YYYY-MM");
    refused(&of(&two.replace("2026-02-01", "2026-02")), "/effective_from", "YYYY-MM-DD");
    refused(&of(two).replace("13500", "-1"), "/new_monthly", "range");
    refused(&of(&format!(r#"{two}, "bonus_pct_of_base": "-10""#)), "/bonus_pct_of_base", "range");
}

/// A request for Shanghai in 2025-07, whose rules stand in the packs.
fn shanghai(months: &str, rest: &str) -> String {
    format!(
        r#"{{"type": "gross_to_net", "year": 2026, "pack": "CN-SH@2025-07", "injury_class": 1, "hf_rate": "7",
        "months": [{months}]{rest}}}"#
    )
}

fn month(number: i64, wage: &str, rest: &str) -> String {
    format!(r#"{{"month": {number}, "earnings": {{"base": "{wage}"}}, "si_base": "20000", "hf_base": "20000"{rest}}}"#)
}

#[test]
fn gross_to_net() {
    let first = r#"{"month":1,"gross":"20000.00","attendance_deductions":"0.00","employee_contributions":"3500.00","employer_contributions":"6540.00","iit":"345.00","net":"16155.00","employer_cost":"26540.00"}"#;
    assert_eq!(answer(&shanghai(&month(1, "20000", ""), "")), format!(r#"{{"months":[{first}]}}"#));
    // In whatever order: the second month's tax rests on the first's.
    let turned = [month(2, "60000", ""), month(1, "20000", "")].join(", ");
    let both = answer(&shanghai(&turned, ""));
    // 11,500 + 51,500 = 63,000 × 10% − 2,520 − 345 = 3,435.
    assert!(both.contains(first) && both.contains(r#""month":2,"gross":"60000.00""#), "{both}");
    assert!(both.contains(r#""iit":"3435.00","net":"53065.00""#), "{both}");
    // 2 days of 21.75: 20,000 ÷ 21.75 × 2 = 1,839.08; with 100 more, (18,060.92 − 8,500) × 3% = 286.83.
    let unpaid = answer(&shanghai(&month(1, "20000", r#", "unpaid_days": 2, "attendance_deductions": "100""#), ""));
    let wanted = r#""gross":"20000.00","attendance_deductions":"1939.08","employee_contributions":"3500.00","employer_contributions":"6540.00","iit":"286.83","net":"14274.09","employer_cost":"24600.92""#;
    assert!(unpaid.contains(wanted), "{unpaid}");
    let late = r#", "attendance_deductions": {"late": "60.50", "absent": 39.5}"#;
    assert!(answer(&shanghai(&month(1, "20000", late), "")).contains(r#""attendance_deductions":"100.00""#));
    // Deductions of the employee's family, and months since joining.
    let relieved =
        answer(&shanghai(&month(3, "20000", r#", "additional": "2000""#), r#", "first_month_with_this_employer": 2"#));
    assert!(relieved.contains(r#""iit":"135.00""#), "{relieved}");
    let poor = answer(&shanghai(&month(1, "3000", ""), ""));
    assert!(poor.contains(r#""iit":"0.00","net":"0.00""#) && poor.contains(r#""carried_forward":"500.00""#), "{poor}");
    assert!(poor.contains("month 1: 500 cannot be taken"), "{poor}");
    let no_fund = answer(&shanghai(&month(1, "20000", "").replace(r#", "hf_base": "20000""#, ""), ""));
    assert!(
        no_fund.contains(r#""employee_contributions":"2100.00""#) && no_fund.contains("/months/0/hf_base"),
        "{no_fund}"
    );
    assert!(answer(&shanghai(&month(1, "1", r#", "bonus": 1"#), "")).contains("/months/0/bonus"));
    assert_eq!(ask(&shanghai("", ""), |answer| json::to_string(&answer.unwrap().get("months"))), "[]");
}

#[test]
fn gross_to_net_refuses() {
    let one = month(1, "20000", "");
    refused(&shanghai(&[one.clone(), one.clone()].join(", "), ""), "/months/1", "twice");
    refused(&shanghai(&month(13, "1", ""), ""), "/months/0/month", "range");
    refused(&shanghai(&month(1, "-1", ""), ""), "/months/0/earnings/base", "range");
    refused(&shanghai(&month(1, "much", ""), ""), "/months/0/earnings/base", "`much`");
    let without_base = month(1, "1", r#", "unpaid_days": 1"#).replace("\"base\"", "\"fee\"");
    refused(&shanghai(&without_base, ""), "/months/0/unpaid_days", "`base`");
    refused(
        &shanghai(&month(1, "1", r#", "attendance_deductions": 2"#), ""),
        "/months/0/attendance_deductions",
        "range",
    );
    refused(&shanghai(&one.replace("si_base", "base"), ""), "/months/0/si_base", "missing");
    refused(&shanghai(&one, r#", "first_month_with_this_employer": 2"#), "/first_month_with_this_employer", "month 1");
    refused(&shanghai(&one, "").replace("CN-SH", "SG"), "/pack", "mainland China");
    refused(&shanghai(&one, "").replace("2025-07", "2031-07"), "/pack", "2031-07-01");
    refused(&shanghai(&one, "").replace("2026", "2018"), "/year", "2018-01-01");
    refused(&shanghai(&one, "").replace("2026", "99999"), "/year", "calendar");
    refused(&shanghai(&one, "").replace("\"injury_class\": 1", "\"injury_class\": 9"), "/injury_class", "class 9");
}
