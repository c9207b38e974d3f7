//! Days against the rules of the Gregorian calendar, written out here; instants against day numbers and offsets.

use super::cases;
use crate::{Cx, Expr, Scope};
use hub_tree::{Arena, json};
use proptest::prelude::*;

fn eval(program: &str) -> Result<String, String> {
    let arena = Arena::new();
    let expr = Expr::compile(program, &Scope::default()).map_err(|problems| problems[0].message.clone())?;
    let value = expr.eval(&mut Cx::new(&arena, Vec::new())).map_err(|error| error.message)?;
    Ok(json::to_string(&value).replace('"', ""))
}

fn is_leap(year: i64) -> bool {
    (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days from 0001-01-01, counted year by year and month by month in closed form.
fn number_of((year, month, day): (i64, i64, i64)) -> i64 {
    let before = year - 1;
    let years = before * 365 + before / 4 - before / 100 + before / 400;
    years + (1..month).map(|month| days_in(year, month)).sum::<i64>() + day - 1
}

/// The inverse, by walking: whole cycles of 400 years first, then years, then months.
fn day_of(mut number: i64) -> (i64, i64, i64) {
    const CYCLE: i64 = 146_097;
    let mut year = 1 + number.div_euclid(CYCLE) * 400;
    number = number.rem_euclid(CYCLE);
    loop {
        let length = if is_leap(year) { 366 } else { 365 };
        if number < length {
            break;
        }
        number -= length;
        year += 1;
    }
    let mut month = 1;
    while number >= days_in(year, month) {
        number -= days_in(year, month);
        month += 1;
    }
    (year, month, number + 1)
}

fn text((year, month, day): (i64, i64, i64)) -> String {
    format!("{year:04}-{month:02}-{day:02}")
}

fn in_range((year, ..): (i64, i64, i64)) -> bool {
    (1..=9999).contains(&year)
}

fn any_day() -> impl Strategy<Value = (i64, i64, i64)> {
    let days = prop_oneof![1_i64..=31, 28_i64..=31];
    let years = prop_oneof![1_i64..=9999, 1890_i64..=2110, Just(1900), Just(2000), Just(9999), Just(1)];
    (years, 1_i64..=12, days).prop_map(|(year, month, day)| (year, month, day.min(days_in(year, month))))
}

proptest! {
    #![proptest_config(cases())]
    #[test]
    fn days_follow_the_gregorian_rules(from in any_day(), to in any_day(), shift in -40_000_i64..40_000) {
        let (a, b) = (text(from), text(to));
        let number = number_of(from);
        prop_assert_eq!(day_of(number), from);
        prop_assert_eq!(eval(&format!("date('{a}')")), Ok(a.clone()));
        let (year, month, day) = from;
        prop_assert_eq!(eval(&format!("year(date('{a}')) & '/' & month(date('{a}')) & '/' & day(date('{a}'))")), Ok(format!("{year}/{month}/{day}")));
        prop_assert_eq!(eval(&format!("days_between(date('{a}'), date('{b}'))")), Ok((number_of(to) - number).to_string()));
        prop_assert_eq!(eval(&format!("date('{a}') < date('{b}')")), Ok((number < number_of(to)).to_string()));
        let later = day_of(number + shift);
        let found = eval(&format!("add_days(date('{a}'), {shift})"));
        if in_range(later) {
            prop_assert_eq!(found, Ok(text(later)));
        }
    }

    #[test]
    fn months_keep_the_day_or_take_the_last_one((year, month, day) in any_day(), shift in -30_000_i64..30_000) {
        let months = year * 12 + month - 1 + shift;
        let (to_year, to_month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
        let wanted = (to_year, to_month, day.min(days_in(to_year, to_month)));
        let found = eval(&format!("add_months(date('{}'), {shift})", text((year, month, day))));
        if in_range(wanted) {
            prop_assert_eq!(found, Ok(text(wanted)));
        } else if !(-9999..=9999).contains(&to_year) {
            prop_assert_eq!(found, Err("`add_months`: the result is out of range".to_owned()));
        }
    }

    #[test]
    fn what_is_no_day_is_refused(year in 0_i64..=10_050, month in 0_i64..=14, day in 0_i64..=34) {
        let text = format!("{year:04}-{month:02}-{day:02}");
        let is_day = year <= 9999 && (1..=12).contains(&month) && day >= 1 && day <= days_in(year, month);
        prop_assert_eq!(eval(&format!("date('{text}')")).is_ok(), is_day, "{}", text);
    }

    #[test]
    fn weekdays_run_in_sevens(from in any_day()) {
        // 0001-01-01 was a Monday.
        let wanted = number_of(from) % 7 + 1;
        prop_assert_eq!(eval(&format!("format_date(date('{}'), '%u')", text(from))), Ok(wanted.to_string()));
    }

    #[test]
    fn instants_are_day_numbers_and_seconds(
        from in any_day(), second in 0_i64..86_400, offset in -18_i64..=18, quarter in 0_i64..4, add in -5_000_000_000_i64..5_000_000_000,
    ) {
        // The last hours of the year 9999 are beyond what instants can be.
        let from = (from.0.clamp(2, 9998), from.1, from.2.min(28));
        let minutes = offset * 60 + if offset < 0 { -quarter * 15 } else { quarter * 15 };
        let clock = format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
        let sign = if minutes < 0 { '-' } else { '+' };
        let zone = format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60);
        let at = format!("datetime('{}T{clock}{zone}')", text(from));
        let utc = number_of(from) * 86_400 + second - minutes * 60;
        let written = |instant: i64| {
            let (day, rest) = (day_of(instant.div_euclid(86_400)), instant.rem_euclid(86_400));
            (in_range(day), format!("{}T{:02}:{:02}:{:02}.000Z", text(day), rest / 3600, rest / 60 % 60, rest % 60))
        };
        let (within, wanted) = written(utc);
        if !within || minutes.abs() > 18 * 60 {
            return Ok(());
        }
        prop_assert_eq!(eval(&at), Ok(wanted));
        let (within, wanted) = written(utc + add);
        if within && (86_400 * 366..86_400 * 3_651_000).contains(&(utc + add)) {
            prop_assert_eq!(eval(&format!("add_seconds({at}, {add})")), Ok(wanted));
        }
        // Zones that have a fixed offset: the name has its sign reversed.
        if quarter == 0 && (-12..=14).contains(&offset) {
            let name = if offset > 0 { format!("Etc/GMT-{offset}") } else { format!("Etc/GMT+{}", -offset) };
            let local = format!("datetime('{}T{clock}', '{name}')", text(from));
            prop_assert_eq!(eval(&local), eval(&at));
            prop_assert_eq!(eval(&format!("local_date({local}, '{name}')")), Ok(text(from)));
        }
    }
}

#[test]
fn zones_move_their_clocks_as_they_do() {
    for (program, wanted) in [
        // The Chinese clock has stood still since 1991; it moved in summer before that.
        ("datetime('2026-07-01T00:00:00', 'Asia/Shanghai')", "2026-06-30T16:00:00.000Z"),
        ("datetime('1988-07-01T00:00:00', 'Asia/Shanghai')", "1988-06-30T15:00:00.000Z"),
        ("datetime('2026-03-29T01:59:59', 'Europe/Berlin')", "2026-03-29T00:59:59.000Z"),
        ("datetime('2026-03-29T03:00:00', 'Europe/Berlin')", "2026-03-29T01:00:00.000Z"),
        ("datetime('2026-10-25T03:00:00', 'Europe/Berlin')", "2026-10-25T02:00:00.000Z"),
        ("datetime('2026-01-01T00:00:00', 'Asia/Kathmandu')", "2025-12-31T18:15:00.000Z"),
        ("local_date(datetime('2011-12-30T09:59:59Z'), 'Pacific/Apia')", "2011-12-29"),
        ("local_date(datetime('2011-12-30T10:00:00Z'), 'Pacific/Apia')", "2011-12-31"),
    ] {
        assert_eq!(eval(program).as_deref(), Ok(wanted), "{program}");
    }
    for never_or_twice in ["2026-03-29T02:30:00", "2026-10-25T02:30:00"] {
        let found = eval(&format!("datetime('{never_or_twice}', 'Europe/Berlin')"));
        assert!(found.is_err_and(|message| message.contains("does not exist, or exists twice")));
    }
}
