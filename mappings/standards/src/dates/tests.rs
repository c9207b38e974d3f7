//! Each form with its traps.

use super::read::EXCEL_ZERO;
use super::*;
use hub_tree::jiff::Span;
use proptest::prelude::*;

fn read(form: &str, text: &str, zone: &str) -> String {
    let zone = (!zone.is_empty()).then(|| TimeZone::get(zone).unwrap());
    let form = Form::named(form).unwrap();
    match form.read(text, zone.as_ref()) {
        Ok(Moment::Nothing) => "nothing".to_owned(),
        Ok(moment) => moment.to_string(),
        Err(error) => format!("! {error}"),
    }
}

#[test]
fn each_form_is_read_exactly() {
    for (form, text, zone, wanted) in [
        ("iso", "2026-03-01", "", "2026-03-01"),
        ("iso", "2026-03-01", "Asia/Shanghai", "2026-03-01"),
        ("iso", "2018-09", "", "2018-09"),
        ("iso", "2018", "", "2018"),
        ("iso", "2026-03-01+08:00", "", "2026-03-01"),
        ("iso", "2026-03-01Z", "", "2026-03-01"),
        ("rfc3339", "2026-03-01T17:30:00+08:00", "", "2026-03-01T09:30:00.000Z"),
        ("iso8601", "20260301T093000Z", "", "2026-03-01T09:30:00.000Z"),
        ("rfc3339", "2026-03-01 17:30:00", "Asia/Shanghai", "2026-03-01T09:30:00.000Z"),
        ("rfc3339", "2026-03-01T17:30", "", "2026-03-01T17:30:00"),
        ("epoch_s", "1772357400", "", "2026-03-01T09:30:00.000Z"),
        ("epoch_s", "1772357400.25", "", "2026-03-01T09:30:00.250Z"),
        ("epoch_s", "-1", "", "1969-12-31T23:59:59.000Z"),
        ("epoch_ms", "1772357400123", "Asia/Shanghai", "2026-03-01T09:30:00.123Z"),
        ("yyyyMMdd", "20240229", "", "2024-02-29"),
        ("yyyyMMdd", "20260301173015", "Asia/Shanghai", "2026-03-01T09:30:15.000Z"),
        ("yyyyMMdd", "202603011730", "", "2026-03-01T17:30:00"),
        ("dotnet", "/Date(1330848000000-0800)/", "", "2012-03-04T08:00:00.000Z"),
        ("dotnet", "/Date(123)/", "", "1970-01-01T00:00:00.123Z"),
        ("dotnet", "/Date(-1000+0100)/", "", "1969-12-31T23:59:59.000Z"),
        ("dotnet", "\\/Date(0)\\/", "", "1970-01-01T00:00:00.000Z"),
        ("excel", "1", "", "1900-01-01"),
        ("excel", "59", "", "1900-02-28"),
        ("excel", "61", "", "1900-03-01"),
        ("excel", "46082", "", "2026-03-01"),
        ("excel", "46082.7291666667", "", "2026-03-01T17:30:00"),
        ("excel", "46082.7291666667", "Asia/Shanghai", "2026-03-01T09:30:00.000Z"),
        ("excel", "46082.9999999999", "", "2026-03-02T00:00:00"),
        ("excel", "2958465", "", "9999-12-31"),
        ("sap", "20260301", "", "2026-03-01"),
        ("sap", "2026-03-01", "", "2026-03-01"),
        ("sap", "00000000", "", "nothing"),
        ("sap", "0000-00-00", "", "nothing"),
        ("sap", "99991231", "", "nothing"),
        ("sap", "9999-12-31", "", "nothing"),
        ("sap", "  ", "", "nothing"),
        ("erp", "2026-03-01", "", "2026-03-01"),
        ("erp", "20260301", "", "2026-03-01"),
        ("erp", "20260301173015", "", "2026-03-01"),
        ("erp", "1960-01-01-07:00", "", "1960-01-01"),
        ("erp", "2025-10-31+08:00", "Asia/Shanghai", "2025-10-31"),
        ("erp", "2020-03-15T00:00:00", "", "2020-03-15"),
        ("erp", "2020-03-15 23:59:59.417", "America/New_York", "2020-03-15"),
        ("erp", "2025-11-01T02:00:00.000-07:00", "Asia/Shanghai", "2025-11-01"),
        ("erp", "2020-3-5", "", "2020-03-05"),
        ("erp", "2020/3/15 0:00:00", "", "2020-03-15"),
        ("erp", "/Date(636768000000)/", "", "1990-03-07"),
        ("erp", "/Date(-315619200000)/", "", "1960-01-01"),
        ("erp", "/Date(1761868800000+0480)/", "", "2025-10-31"),
        ("erp", "/Date(253402214400000)/", "", "nothing"),
        ("erp", "9999-12-31T00:00:00", "", "nothing"),
        ("erp", "99991231", "", "nothing"),
        ("erp", "4712-12-31", "", "nothing"),
        ("erp", "00000000", "", "nothing"),
        ("erp", "0000-00-00", "", "nothing"),
        ("erp", "0001-01-01T00:00:00", "", "nothing"),
        ("erp", "~", "", "nothing"),
        ("erp", " ", "", "nothing"),
        ("cn", "2026年3月1日", "", "2026-03-01"),
        ("cn", " ２０２６年 ０３月 ０１日 ", "", "2026-03-01"),
        ("cn", "二〇二六年三月十一日", "", "2026-03-11"),
        ("cn", "2018年9月", "", "2018-09"),
        ("cn", "2018年", "", "2018"),
        ("cn", "2026年3月1日17时30分", "Asia/Shanghai", "2026-03-01T09:30:00.000Z"),
        ("cn", "2026年3月1日 下午5:30:15", "", "2026-03-01T17:30:15"),
        ("%d/%m/%Y", "01/12/2026", "", "2026-12-01"),
        ("%Y-%m", "2018-09", "", "2018-09"),
        ("%Y", "2018", "", "2018"),
        ("%d.%m.%Y %H:%M", "01.03.2026 17:30", "Asia/Shanghai", "2026-03-01T09:30:00.000Z"),
        ("%d.%m.%Y %H:%M", "01.03.2026 17:30", "", "2026-03-01T17:30:00"),
        ("%Y-%m-%d %I:%M %p", "2026-03-01 05:30 PM", "", "2026-03-01T17:30:00"),
        ("%Y-%m-%d %H:%M:%S %z", "2026-03-01 17:30:00 +0800", "", "2026-03-01T09:30:00.000Z"),
    ] {
        assert_eq!(read(form, text, zone), wanted, "{form} {text} {zone}");
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    for (form, text, zone, why) in [
        ("iso", "2026-02-29", "", "not an ISO 8601"),
        ("iso", "01/12/2026", "", "not an ISO 8601"),
        ("iso", "2018-13", "", "not an ISO 8601"),
        ("iso", "20260301", "", "not an ISO 8601"),
        ("iso", "", "", "not an ISO 8601"),
        ("iso", "2026-03-01T25:00:00Z", "", "not an ISO 8601"),
        ("epoch_s", "soon", "", "not a Unix time"),
        ("epoch_s", "99999999999999999999", "", "out of range"),
        ("yyyyMMdd", "20260230", "", "not 8, 12 or 14 digits"),
        ("yyyyMMdd", "2026030", "", "not 8, 12 or 14 digits"),
        ("yyyyMMdd", "202603012460", "", "not 8, 12 or 14 digits"),
        ("yyyyMMdd", "２０２６", "", "not 8, 12 or 14 digits"),
        ("dotnet", "1330848000000", "", "/Date("),
        ("dotnet", "/Date()/", "", "/Date("),
        ("dotnet", "/Date(1-08)/", "", "/Date("),
        ("dotnet", "/Date(99999999999999999)/", "", "out of range"),
        ("excel", "60", "", "60 is no day"),
        ("excel", "60.5", "", "60 is no day"),
        ("excel", "0", "", "a sheet counts"),
        ("excel", "0.5", "", "a sheet counts"),
        ("excel", "-1", "", "a sheet counts"),
        ("excel", "2958466", "", "a sheet counts"),
        ("sap", "20260230", "", "20260301 or 2026-03-01"),
        ("sap", "2026", "", "20260301 or 2026-03-01"),
        ("erp", "2026-02-30", "", "a day such as"),
        ("erp", "2026-03", "", "a day such as"),
        ("erp", "2026-03-01 at noon", "", "a day such as"),
        ("erp", "26-3-1", "", "a day such as"),
        ("erp", "0000-01-00", "", "a day such as"),
        ("cn", "2026年2月30日", "", "2026年3月1日"),
        ("cn", "26年3月1日", "", "2026年3月1日"),
        ("cn", "三月一日", "", "2026年3月1日"),
        ("%d/%m/%Y", "2026-12-01", "", "in the format `%d/%m/%Y`"),
        // Clocks go forward at 02:00 and back at 03:00 in Berlin.
        ("iso", "2026-03-29T02:30:00", "Europe/Berlin", "does not exist, or exists twice"),
        ("iso", "2026-10-25T02:30:00", "Europe/Berlin", "does not exist, or exists twice"),
        ("excel", "46320.1041666667", "Europe/Berlin", "does not exist, or exists twice"),
    ] {
        let found = read(form, text, zone);
        assert!(found.starts_with('!') && found.contains(why), "{form} {text}: {found}");
    }
}

#[test]
fn a_day_is_midnight_only_where_midnight_is() {
    let zone = |name| TimeZone::get(name).unwrap();
    let day = |text: &str| Form::Rfc3339.read(text, None).unwrap();
    assert_eq!(
        day("2026-03-01").instant(Some(&zone("Asia/Shanghai"))).unwrap().unwrap().to_string(),
        "2026-02-28T16:00:00Z"
    );
    // Clocks go forward at midnight in Beirut.
    assert_eq!(day("2024-03-31").instant(Some(&zone("Asia/Beirut"))), Err(DateError::Ambiguous));
    assert_eq!(day("2026-03-01").instant(None), Err(DateError::NeedsZone));
    assert_eq!(day("2018-09").day(None), Err(DateError::Partial));
    let at = Form::DotNet.read("/Date(1330876800000)/", None).unwrap();
    assert_eq!(at.day(None), Err(DateError::NeedsZone));
    assert_eq!(at.day(Some(&zone("Asia/Shanghai"))).unwrap().unwrap().to_string(), "2012-03-05");
}

#[test]
fn forms_say_whether_they_need_a_zone() {
    for (name, local) in [
        ("iso", false),
        ("epoch_ms", false),
        ("dotnet", false),
        ("yyyyMMdd", true),
        ("excel", true),
        ("%d/%m/%Y %H:%M", true),
        ("%Y-%m-%dT%H:%M:%S%z", false),
    ] {
        assert_eq!(Form::named(name).unwrap().is_local(), local, "{name}");
    }
    assert_eq!(Form::named("dd/mm/yyyy"), None);
    assert!(Form::NAMES.iter().all(|(name, _)| Form::named(name).is_some()));
}

#[test]
fn each_form_is_written() {
    let shanghai = TimeZone::get("Asia/Shanghai").unwrap();
    let at = Moment::At("2026-03-01T09:30:15Z".parse().unwrap());
    let day = Moment::Day("2026-03-01".parse().unwrap());
    for (form, moment, wanted) in [
        ("iso", at, "2026-03-01T17:30:15+08:00"),
        ("iso", day, "2026-03-01"),
        ("iso", Moment::Local("2026-03-01T17:30:15".parse().unwrap()), "2026-03-01T17:30:15+08:00"),
        ("epoch_s", at, "1772357415"),
        ("epoch_ms", at, "1772357415000"),
        ("epoch_s", day, "1772294400"),
        ("yyyyMMdd", at, "20260301173015"),
        ("yyyyMMdd", day, "20260301"),
        ("dotnet", at, "/Date(1772357415000)/"),
        ("excel", day, "46082"),
        ("excel", at, "46082.7293402778"),
        ("sap", at, "20260301"),
        ("sap", Moment::Nothing, "00000000"),
        ("cn", day, "2026年3月1日"),
        ("cn", Moment::Month(2018, 9), "2018年9月"),
        ("%d/%m/%Y", day, "01/03/2026"),
        ("%d/%m/%Y %H:%M %:z", at, "01/03/2026 17:30 +08:00"),
    ] {
        let written = Form::named(form).unwrap().write(moment, Some(&shanghai));
        assert_eq!(written.as_deref(), Ok(wanted), "{form}");
    }
    assert_eq!(Form::Rfc3339.write(at, None).as_deref(), Ok("2026-03-01T09:30:15.000Z"));
    assert_eq!(Form::Compact.write(Moment::Year(2018), None), Err(DateError::Partial));
    assert_eq!(Form::Excel.write(Moment::Day("1899-12-31".parse().unwrap()), None), Err(DateError::OutOfRange));
}

proptest! {
    #[test]
    fn days_come_back_from_every_form(number in 1_i64..2_958_465, name in prop::sample::select(vec![
        "iso", "yyyyMMdd", "excel", "sap", "cn", "%d/%m/%Y",
    ])) {
        let day = EXCEL_ZERO.checked_add(Span::new().days(number + 1)).unwrap();
        prop_assume!(day.year() <= 9999 && !(day.year() == 9999 && day.month() == 12 && day.day() == 31));
        let form = Form::named(name).unwrap();
        let text = form.write(Moment::Day(day), None).unwrap();
        prop_assert_eq!(form.read(&text, None), Ok(Moment::Day(day)), "{}", text);
    }

    #[test]
    fn seconds_come_back_from_every_form(seconds in -2_000_000_000_i64..100_000_000_000, name in prop::sample::select(vec![
        "iso", "yyyyMMdd", "excel", "epoch_s", "epoch_ms", "dotnet", "cn",
    ])) {
        let at = Timestamp::from_second(seconds).unwrap();
        let form = Form::named(name).unwrap();
        let text = form.write(Moment::At(at), None).unwrap();
        let back = form.read(&text, Some(&TimeZone::UTC)).unwrap().instant(Some(&TimeZone::UTC));
        prop_assert_eq!(back, Ok(Some(at)), "{}", text);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[0-9TZ:./()+%年月日时分一二十 Date-]{0,24}", which in 0_usize..10) {
        let form = Form::named(Form::NAMES[which].0).unwrap();
        let _ = form.read(&text, Some(&TimeZone::UTC));
    }
}
