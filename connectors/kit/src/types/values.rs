//! The types that every schema knows, and whether a text is one of their values.

use hub_tree::jiff::Timestamp;
use hub_tree::jiff::civil::{Date, DateTime, Time};

/// A type that every schema knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Builtin {
    /// Any text.
    String,
    /// `true`, `false`, `1`, `0`.
    Boolean,
    /// A day, perhaps with a zone.
    Date,
    /// An instant, perhaps without a zone.
    DateTime,
    /// A time of the day.
    Time,
    /// A number without exponent and thousands marks.
    Decimal,
    /// A whole number of any size.
    Integer,
    /// A whole number of 32 bits.
    Int,
    /// A whole number of 64 bits.
    Long,
    /// A whole number of 16 bits.
    Short,
    /// A number with an exponent, of 32 bits.
    Float,
    /// A number with an exponent, of 64 bits.
    Double,
    /// Bytes in Base64.
    Base64,
    /// Bytes in hexadecimal digits.
    Hex,
    /// An address.
    Uri,
    /// A name with a prefix.
    QName,
    /// A span of time.
    Duration,
    /// A year.
    Year,
    /// A year and a month.
    YearMonth,
    /// A text without line breaks and double blanks.
    Token,
    /// A name that is unique in its document.
    Id,
    /// Anything, elements too.
    Any,
}

/// How each is written in manifests and in schemas.
const WORDS: &[(&str, &str, Builtin)] = &[
    ("string", "string", Builtin::String),
    ("boolean", "boolean", Builtin::Boolean),
    ("date", "date", Builtin::Date),
    ("date_time", "dateTime", Builtin::DateTime),
    ("time", "time", Builtin::Time),
    ("decimal", "decimal", Builtin::Decimal),
    ("integer", "integer", Builtin::Integer),
    ("int", "int", Builtin::Int),
    ("long", "long", Builtin::Long),
    ("short", "short", Builtin::Short),
    ("float", "float", Builtin::Float),
    ("double", "double", Builtin::Double),
    ("base64", "base64Binary", Builtin::Base64),
    ("hex", "hexBinary", Builtin::Hex),
    ("uri", "anyURI", Builtin::Uri),
    ("qname", "QName", Builtin::QName),
    ("duration", "duration", Builtin::Duration),
    ("year", "gYear", Builtin::Year),
    ("year_month", "gYearMonth", Builtin::YearMonth),
    ("token", "token", Builtin::Token),
    ("id", "ID", Builtin::Id),
    ("any", "anyType", Builtin::Any),
];

impl Builtin {
    /// The words of manifests.
    pub fn words() -> impl Iterator<Item = &'static str> + Clone {
        WORDS.iter().map(|(word, _, _)| *word)
    }

    /// The type that a manifest calls so.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        WORDS.iter().find(|(known, _, _)| *known == word).map(|(_, _, builtin)| *builtin)
    }

    /// How a manifest calls it.
    #[must_use]
    pub fn word(self) -> &'static str {
        WORDS.iter().find(|(_, _, builtin)| *builtin == self).map_or("", |(word, _, _)| word)
    }

    /// Its local name in the namespace of XML Schema.
    #[must_use]
    pub fn schema_name(self) -> &'static str {
        WORDS.iter().find(|(_, _, builtin)| *builtin == self).map_or("", |(_, name, _)| name)
    }

    /// The type that XML Schema calls so; of narrower ones that have no word, the one that they narrow.
    #[must_use]
    pub fn of_schema_name(name: &str) -> Option<Self> {
        if let Some((_, _, builtin)) = WORDS.iter().find(|(_, known, _)| *known == name) {
            return Some(*builtin);
        }
        Some(match name {
            "normalizedString" | "language" | "Name" | "NCName" | "NMTOKEN" | "NMTOKENS" | "IDREF" | "IDREFS"
            | "ENTITY" | "ENTITIES" | "NOTATION" | "gMonthDay" | "gDay" | "gMonth" => Self::String,
            "nonNegativeInteger" | "positiveInteger" | "nonPositiveInteger" | "negativeInteger" | "unsignedLong" => {
                Self::Integer
            }
            "unsignedInt" => Self::Long,
            "unsignedShort" => Self::Int,
            "byte" | "unsignedByte" => Self::Short,
            "anySimpleType" => Self::String,
            _ => return None,
        })
    }

    /// Whether a text is one of its values, white space around it aside.
    #[must_use]
    pub fn takes(self, text: &str) -> bool {
        let text = match self {
            Self::String | Self::Any => return true,
            _ => text.trim_matches([' ', '\t', '\r', '\n']),
        };
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        match self {
            Self::Boolean => matches!(text, "true" | "false" | "1" | "0"),
            Self::Date => is_date(text),
            Self::DateTime => is_date_time(text),
            Self::Time => is_time(without_zone(text)),
            Self::Decimal => {
                let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
                all_digits(whole) && all_digits(fraction) && !(whole.is_empty() && fraction.is_empty())
            }
            Self::Integer => !digits.is_empty() && all_digits(digits),
            Self::Int => !digits.is_empty() && all_digits(digits) && text.parse::<i32>().is_ok(),
            Self::Long => !digits.is_empty() && all_digits(digits) && text.parse::<i64>().is_ok(),
            Self::Short => !digits.is_empty() && all_digits(digits) && text.parse::<i16>().is_ok(),
            Self::Float | Self::Double => is_float(text),
            Self::Base64 => {
                let packed = text.bytes().filter(|byte| !byte.is_ascii_whitespace());
                packed.clone().count() % 4 == 0
                    && packed.into_iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
            }
            Self::Hex => text.len() % 2 == 0 && text.bytes().all(|byte| byte.is_ascii_hexdigit()),
            Self::Year => matches!(digits.len(), 4..) && all_digits(digits),
            Self::YearMonth => Date::strptime("%Y-%m-%d", format!("{}-01", without_zone(text))).is_ok(),
            Self::Duration => digits.starts_with('P'),
            Self::Uri | Self::QName | Self::Token | Self::Id | Self::String | Self::Any => true,
        }
    }
}

fn is_float(text: &str) -> bool {
    if matches!(text, "INF" | "-INF" | "NaN") {
        return true;
    }
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    Builtin::Decimal.takes(mantissa) && exponent.is_none_or(|exponent| Builtin::Integer.takes(exponent))
}

/// Cuts `Z` or an offset such as `+08:00` off.
fn without_zone(text: &str) -> &str {
    if let Some(text) = text.strip_suffix('Z') {
        return text;
    }
    let at = text.len().checked_sub(6).filter(|at| text.is_char_boundary(*at));
    match at.map(|at| text.split_at(at)) {
        Some((rest, zone)) if is_offset(zone) => rest,
        _ => text,
    }
}

fn is_offset(zone: &str) -> bool {
    let Some((hours, minutes)) = zone.strip_prefix(['+', '-']).and_then(|rest| rest.split_once(':')) else {
        return false;
    };
    let two = |part: &str, most: u8| part.len() == 2 && part.parse::<u8>().is_ok_and(|number| number <= most);
    two(hours, 14) && two(minutes, 59)
}

fn is_date(text: &str) -> bool {
    let day = without_zone(text);
    day.len() == 10 && day.parse::<Date>().is_ok()
}

fn is_time(text: &str) -> bool {
    text == "24:00:00" || (text.len() >= 8 && text.is_ascii() && text.parse::<Time>().is_ok())
}

/// `2025-11-01T16:00:00+08:00`; the zone may be absent, `24:00:00` is the end of a day.
fn is_date_time(text: &str) -> bool {
    let Some((day, time)) = text.split_once('T') else { return false };
    let whole = |text: &str| text.parse::<Timestamp>().is_ok() || without_zone(text).parse::<DateTime>().is_ok();
    day.len() == 10
        && day.parse::<Date>().is_ok()
        && is_time(without_zone(time))
        && (time.starts_with("24:") || whole(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_a_value_or_it_is_not() {
        for (builtin, good, bad) in [
            (
                Builtin::Date,
                &["2025-11-01", " 2025-10-31+08:00 ", "1960-01-01Z"][..],
                &["2025-02-30", "20251101", "", "2025-11-1"][..],
            ),
            (
                Builtin::DateTime,
                &[
                    "2025-11-01T16:00:00+08:00",
                    "2025-11-01T08:00:00.1234567Z",
                    "2025-11-01T08:00:00",
                    "2025-11-01T24:00:00",
                ],
                &[
                    "2025-11-01",
                    "2025-11-01 08:00:00",
                    "2025-13-01T08:00:00",
                    "2025-11-01T25:00:00",
                    "2025-11-01T08:00:00+99:00",
                ],
            ),
            (
                Builtin::Decimal,
                &["12.50", "-0.5", "+7", ".5", "9007199254740993.000000000000001"],
                &["12,000.00", "1e3", "", ".", "十"],
            ),
            (Builtin::Int, &["0", "-5", "2147483647"], &["2147483648", "1.0", "", "x"]),
            (Builtin::Boolean, &["true", "0", " 1 "], &["True", "yes", ""]),
            (Builtin::Double, &["1e-3", "INF", "5"], &["1e", "e5", "五"]),
            (Builtin::Base64, &["ZXhhbXBsZQ==", "ZXhh\nbXBs"], &["abc", "a!b="]),
            (Builtin::YearMonth, &["2025-10"], &["2025-13", "2025"]),
            (Builtin::String, &["", "anything"], &[]),
        ] {
            for text in good {
                assert!(builtin.takes(text), "{builtin:?} {text:?}");
            }
            for text in bad {
                assert!(!builtin.takes(text), "{builtin:?} {text:?}");
            }
        }
    }

    #[test]
    fn every_word_names_one_type_and_the_narrower_names_of_schemas_are_known() {
        for word in Builtin::words() {
            let builtin = Builtin::of_word(word).unwrap();
            assert_eq!((builtin.word(), Builtin::of_schema_name(builtin.schema_name())), (word, Some(builtin)));
        }
        assert_eq!(Builtin::of_schema_name("unsignedInt"), Some(Builtin::Long));
        assert_eq!(Builtin::of_schema_name("Employee"), None);
    }
}
