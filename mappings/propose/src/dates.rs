//! How days and instants are written: the forms that fit every value of a path.

use crate::observe::{Kind, Scalar};
use hub_tree::jiff::Timestamp;
use hub_tree::jiff::civil;
use hub_tree::jiff::fmt::strtime;

/// A form of writing a day or an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// RFC 3339 with an offset.
    Instant,
    /// ISO 8601 without an offset.
    LocalIso,
    /// A strftime format with a time of day and no offset.
    Local(&'static str),
    /// A strftime format of a day.
    Day(&'static str),
    /// A year, or a year and a month.
    Partial,
    Seconds,
    Millis,
    /// `/Date(1775030400000)/`.
    Wrapped,
    /// Days since the end of 1899, as spreadsheets count.
    Serial,
}

const DAYS: [&str; 12] = [
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%Y年%m月%d日",
    "%Y%m%d",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d-%b-%Y",
    "%d %b %Y",
];
const LOCALS: [&str; 6] = [
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%Y%m%d%H%M%S",
    "%Y年%m月%d日 %H:%M",
];

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
            5 if (20_000..80_000).contains(&number) => found.push(Form::Serial),
            8 if reads_day("%Y%m%d", text) => found.push(Form::Day("%Y%m%d")),
            9 | 10 if (600_000_000..4_100_000_000).contains(&number) => found.push(Form::Seconds),
            12 | 13 if (600_000_000_000..4_100_000_000_000).contains(&number) => found.push(Form::Millis),
            14 if reads_local("%Y%m%d%H%M%S", text) => found.push(Form::Local("%Y%m%d%H%M%S")),
            _ => {}
        }
        return found;
    }
    if value.kind == Kind::Number {
        return found;
    }
    if text.starts_with("/Date(") && text.ends_with(")/") {
        return vec![Form::Wrapped];
    }
    if text.parse::<Timestamp>().is_ok() {
        return vec![Form::Instant];
    }
    if text.len() == 7 && format!("{text}-01").parse::<civil::Date>().is_ok() {
        found.push(Form::Partial);
    }
    if text.len() > 13 && text.contains(':') && text.parse::<civil::DateTime>().is_ok() {
        return vec![Form::LocalIso];
    }
    found.extend(DAYS.iter().filter(|form| reads_day(form, text)).map(|form| Form::Day(form)));
    found.extend(LOCALS.iter().filter(|form| reads_local(form, text)).map(|form| Form::Local(form)));
    found
}

fn year_fits(day: civil::Date) -> bool {
    (1900..2200).contains(&day.year())
}

fn reads_day(form: &str, text: &str) -> bool {
    strtime::parse(form, text).and_then(|parts| parts.to_date()).is_ok_and(year_fits)
}

fn reads_local(form: &str, text: &str) -> bool {
    strtime::parse(form, text).and_then(|parts| parts.to_datetime()).is_ok_and(|at| year_fits(at.date()))
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
        Form::Instant => "instants with an offset".to_owned(),
        Form::LocalIso => "local date-times without an offset".to_owned(),
        Form::Local(format) => format!("local date-times ({})", spelt(format)),
        Form::Day(format) => format!("days ({})", spelt(format)),
        Form::Partial => "years or months".to_owned(),
        Form::Seconds => "Unix seconds".to_owned(),
        Form::Millis => "Unix milliseconds".to_owned(),
        Form::Wrapped => "/Date(…)/ instants".to_owned(),
        Form::Serial => "spreadsheet day numbers".to_owned(),
    }
}

/// A strftime format in letters, as people write forms of dates.
fn spelt(format: &str) -> String {
    const LETTERS: [(&str, &str); 7] =
        [("%Y", "yyyy"), ("%m", "MM"), ("%d", "dd"), ("%b", "MMM"), ("%H", "HH"), ("%M", "mm"), ("%S", "ss")];
    LETTERS.iter().fold(format.to_owned(), |text, (sign, letters)| text.replace(sign, letters))
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
        assert_eq!(of(&["2026-03-01T09:00:00+08:00", "2026-03-01T09:00:00.5Z"]), [Form::Instant]);
        assert_eq!(of(&["2026-03-01 09:00:00", "2026-03-01T09:00"]), [Form::LocalIso]);
        assert_eq!(of(&["2026-03-01"]), [Form::Day("%Y-%m-%d")]);
        assert_eq!(of(&["2026年03月01日"]), [Form::Day("%Y年%m月%d日")]);
        assert_eq!(of(&["20260301"]), [Form::Day("%Y%m%d")]);
        assert_eq!(of(&["1772352000"]), [Form::Seconds]);
        assert_eq!(of(&["1772352000000"]), [Form::Millis]);
        assert_eq!(of(&["/Date(1775030400000)/"]), [Form::Wrapped]);
        assert_eq!(of(&["46082"]), [Form::Serial]);
        assert_eq!(of(&["2018-09"]), [Form::Partial]);
        for none in ["soon", "13800138000", "12", "99999999", "2026-13-01", "1.5", "日本語の文字列"] {
            assert_eq!(of(&[none]), [], "{none}");
        }
        assert_eq!(of(&["2026-03-01", "1772352000"]), []);
    }
}
