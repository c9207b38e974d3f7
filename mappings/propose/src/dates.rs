//! How days and instants are written: the forms that fit every value of a path. What a form reads, the mapping engine's
//! own reader says.

use crate::observe::{Kind, Scalar};
use hub_standards::dates::{self, Moment};
use hub_tree::jiff::civil::Date;

/// A form of writing a day or an instant. Names are those of a rule's `date` and `datetime`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// RFC 3339 with an offset.
    Offset,
    /// A form of local date-times.
    Local(&'static str),
    /// A form of days.
    Day(&'static str),
    /// A year, or a year and a month.
    Partial,
    /// A form that always gives an instant: seconds, milliseconds, `/Date(…)/`.
    Instant(&'static str),
    /// Days since the end of 1899, as spreadsheets count.
    Excel,
}

/// Forms of days besides digits alone.
const DAYS: [&str; 11] = [
    "iso", "%Y/%m/%d", "%Y.%m.%d", "cn", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%d-%b-%Y",
    "%d %b %Y",
];
/// Forms of local date-times besides digits alone.
const LOCALS: [&str; 6] =
    ["iso", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S", "cn"];

/// Every form that reads the value.
pub(crate) fn forms(value: &Scalar) -> Vec<Form> {
    let text = value.text.trim();
    let mut found = Vec::new();
    if value.kind == Kind::Bool || text.len() < 4 || text.len() > 40 {
        return found;
    }
    if let (true, Ok(number)) = (text.bytes().all(|b| b.is_ascii_digit()), text.parse::<u64>()) {
        match text.len() {
            4 if (1900..2100).contains(&number) => found.push(Form::Partial),
            5 if (20_000..80_000).contains(&number) => found.push(Form::Excel),
            8 if is_day("yyyyMMdd", text) => found.push(Form::Day("yyyyMMdd")),
            9 | 10 if (600_000_000..4_100_000_000).contains(&number) => found.push(Form::Instant("epoch_s")),
            12 | 13 if (600_000_000_000..4_100_000_000_000).contains(&number) => found.push(Form::Instant("epoch_ms")),
            14 if is_local("yyyyMMdd", text) => found.push(Form::Local("yyyyMMdd")),
            _ => {}
        }
        return found;
    }
    if value.kind == Kind::Number {
        return found;
    }
    if matches!(read("dotnet", text), Some(Moment::At(_))) {
        return vec![Form::Instant("dotnet")];
    }
    match read("iso", text) {
        Some(Moment::At(_)) => return vec![Form::Offset],
        Some(Moment::Month(..)) => found.push(Form::Partial),
        _ => {}
    }
    found.extend(DAYS.iter().filter(|form| is_day(form, text)).map(|form| Form::Day(form)));
    found.extend(LOCALS.iter().filter(|form| is_local(form, text)).map(|form| Form::Local(form)));
    found
}

fn read(form: &str, text: &str) -> Option<Moment> {
    dates::Form::named(form)?.read(text, None).ok()
}

fn year_fits(day: Date) -> bool {
    (1900..2200).contains(&day.year())
}

fn is_day(form: &str, text: &str) -> bool {
    // ISO 8601 also writes days with an offset, which are no days of the hub.
    let plain = form != "iso" || text.len() == 10;
    plain && matches!(read(form, text), Some(Moment::Day(day)) if year_fits(day))
}

fn is_local(form: &str, text: &str) -> bool {
    matches!(read(form, text), Some(Moment::Local(at)) if year_fits(at.date()))
}

/// The forms that read every value; several when no value decides between them.
pub(crate) fn common(values: &[Scalar]) -> Vec<Form> {
    let mut all: Option<Vec<Form>> = None;
    for value in values {
        let here = forms(value);
        all = Some(match all {
            None => here,
            Some(known) => known.into_iter().filter(|form| here.contains(form)).collect(),
        });
        if all.as_ref().is_some_and(Vec::is_empty) {
            break;
        }
    }
    all.unwrap_or_default()
}

/// A form as a person would name it.
pub(crate) fn shown(form: Form) -> String {
    match form {
        Form::Offset => "instants with an offset".to_owned(),
        Form::Local("iso") => "local date-times without an offset".to_owned(),
        Form::Local(form) => format!("local date-times ({})", spelt(form)),
        Form::Day(form) => format!("days ({})", spelt(form)),
        Form::Partial => "years or months".to_owned(),
        Form::Instant("epoch_s") => "Unix seconds".to_owned(),
        Form::Instant("epoch_ms") => "Unix milliseconds".to_owned(),
        Form::Instant(_) => "/Date(…)/ instants".to_owned(),
        Form::Excel => "spreadsheet day numbers".to_owned(),
    }
}

/// A form as a rule writes it.
pub(crate) fn written(form: &str) -> String {
    if form.contains('%') { format!("\"{form}\"") } else { form.to_owned() }
}

/// A form in letters, as people write forms of dates.
fn spelt(form: &str) -> String {
    const LETTERS: [(&str, &str); 9] = [
        ("iso", "yyyy-MM-dd"),
        ("cn", "yyyy年M月d日"),
        ("%Y", "yyyy"),
        ("%m", "MM"),
        ("%d", "dd"),
        ("%b", "MMM"),
        ("%H", "HH"),
        ("%M", "mm"),
        ("%S", "ss"),
    ];
    LETTERS.iter().fold(form.to_owned(), |text, (sign, letters)| text.replace(sign, letters))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(texts: &[&str]) -> Vec<Form> {
        let values: Vec<Scalar> =
            texts.iter().map(|text| Scalar { kind: Kind::Text, text: (*text).to_owned() }).collect();
        common(&values)
    }

    #[test]
    fn a_day_above_twelve_decides_which_part_is_the_month() {
        assert_eq!(of(&["03/04/2026", "05/06/2026"]), [Form::Day("%d/%m/%Y"), Form::Day("%m/%d/%Y")]);
        assert_eq!(of(&["03/04/2026", "25/06/2026"]), [Form::Day("%d/%m/%Y")]);
        assert_eq!(of(&["03/04/2026", "05/26/2026"]), [Form::Day("%m/%d/%Y")]);
        assert_eq!(of(&["25/04/2026", "05/26/2026"]), []);
    }

    #[test]
    fn forms_are_told_apart() {
        assert_eq!(of(&["2026-03-01T09:00:00+08:00", "2026-03-01T09:00:00.5Z"]), [Form::Offset]);
        assert_eq!(of(&["2026-03-01 09:00:00", "2026-03-01T09:00"]), [Form::Local("iso")]);
        assert_eq!(of(&["2026-03-01"]), [Form::Day("iso")]);
        assert_eq!(of(&["2026年3月1日", "2026年03月01日"]), [Form::Day("cn")]);
        assert_eq!(of(&["20260301"]), [Form::Day("yyyyMMdd")]);
        assert_eq!(of(&["1772352000"]), [Form::Instant("epoch_s")]);
        assert_eq!(of(&["1772352000000"]), [Form::Instant("epoch_ms")]);
        assert_eq!(of(&["/Date(1775030400000)/"]), [Form::Instant("dotnet")]);
        assert_eq!(of(&["46082"]), [Form::Excel]);
        assert_eq!(of(&["2018-09"]), [Form::Partial]);
        for none in ["soon", "13800138000", "12", "99999999", "2026-13-01", "1.5", "日本語の文字列"] {
            assert_eq!(of(&[none]), [], "{none}");
        }
        assert_eq!(of(&["2026-03-01", "1772352000"]), []);
    }
}
