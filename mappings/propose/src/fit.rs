//! Whether the values of a path can be what a field declares, and what the rule must say for that.

use crate::dates::{self, Form};
use crate::observe::{Kind, Scalar};
use crate::synonyms::Vocabulary;
use crate::text::quoted;
use hub_model::{EnumType, Type, scalars};
use hub_standards::contact;

/// How well values fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The values have the shape of the type, which few other values have.
    Strong,
    /// Nothing speaks against it.
    Weak,
    /// So many of a hundred have the shape.
    Partly(u32),
    /// A person must say something first.
    Hold,
    /// There are no values.
    Unseen,
    /// The values are something else.
    Not,
}

/// The verdict, in words, and what goes into the rule beside its source.
#[derive(Clone, Debug)]
pub(crate) struct Fit {
    pub(crate) verdict: Verdict,
    pub(crate) words: String,
    /// Such as `, date: "%d/%m/%Y"`.
    pub(crate) extra: String,
}

impl Fit {
    pub(crate) fn new(verdict: Verdict, words: impl Into<String>) -> Self {
        Self { verdict, words: words.into(), extra: String::new() }
    }

    fn with(mut self, extra: impl Into<String>) -> Self {
        self.extra = extra.into();
        self
    }
}

/// What text of a field must look like beyond its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Like {
    Anything,
    Name,
    Url,
    Email,
    Phone,
    Id,
}

/// Weighs values against a type.
pub(crate) fn fit(ty: &Type, like: Like, values: &[Scalar], vocabulary: &Vocabulary) -> Fit {
    if values.is_empty() {
        return Fit::new(Verdict::Unseen, "no sample has a value");
    }
    match ty {
        Type::Text | Type::Localized => text(like, values),
        Type::Bool => boolean(values, vocabulary),
        Type::Integer => share(values, "whole numbers", |v| number(v).is_some_and(|n| n.fract().is_zero())),
        Type::Decimal | Type::Rate => share(values, "numbers", |v| number(v).is_some()),
        Type::Date | Type::PartialDate => day(ty, values),
        Type::DateTime => instant(values),
        Type::Enum(of) => enumeration(of, values, vocabulary),
        Type::LocalTime
        | Type::TimeZone
        | Type::Duration
        | Type::Currency
        | Type::Country
        | Type::Subdivision
        | Type::Lang => {
            let what = match ty {
                Type::LocalTime => "times of day",
                Type::TimeZone => "IANA time zones",
                Type::Duration => "ISO 8601 durations",
                Type::Currency => "ISO 4217 currencies",
                Type::Country => "ISO 3166 countries",
                Type::Subdivision => "ISO 3166-2 subdivisions",
                _ => "BCP 47 languages",
            };
            share(values, what, |v| v.kind == Kind::Text && scalars::check_text(ty, v.text.trim()).is_ok())
        }
        Type::Json | Type::Ref(_) | Type::List(_) | Type::Struct(_) => {
            Fit::new(Verdict::Not, "the field is no single value")
        }
    }
}

pub(crate) fn number(value: &Scalar) -> Option<hub_tree::Decimal> {
    (value.kind != Kind::Bool).then(|| hub_tree::value::parse_decimal(value.text.trim())).flatten()
}

/// How many of the values have a shape.
fn share(values: &[Scalar], what: &str, has: impl Fn(&Scalar) -> bool) -> Fit {
    share_above(80, values, what, has)
}

/// The same, for a shape that is partly there from `least` of a hundred values on.
fn share_above(least: u32, values: &[Scalar], what: &str, has: impl Fn(&Scalar) -> bool) -> Fit {
    let found = values.iter().filter(|value| has(value)).count();
    let words = format!("{found} of {} values are {what}", values.len());
    let percent = u32::try_from(found * 100 / values.len().max(1)).unwrap_or(0);
    let verdict = match percent {
        100 => Verdict::Strong,
        _ if percent >= least => Verdict::Partly(percent),
        50.. => Verdict::Hold,
        _ => Verdict::Not,
    };
    Fit::new(verdict, words)
}

pub(crate) fn is_email(value: &Scalar) -> bool {
    value.kind == Kind::Text && contact::parse_email(&value.text).is_ok()
}

pub(crate) fn is_url(value: &Scalar) -> bool {
    let text = value.text.trim();
    text.starts_with("https://") || text.starts_with("http://")
}

/// Whether the text could be dialled; numbers without a prefix count too.
pub(crate) fn is_phone(value: &Scalar) -> bool {
    let text = value.text.trim();
    if value.kind == Kind::Bool || !dates::forms(value).is_empty() {
        return false;
    }
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let allowed = text.chars().all(|c| c.is_ascii_digit() || " +-()./".contains(c));
    let prefixed = text.starts_with('+') || text.starts_with("00");
    let loose = allowed && (if prefixed { 7 } else { 8 }..=15).contains(&digits) && !text.contains("..");
    loose || contact::parse_phone(text, None).is_ok()
}

fn has_prefix(value: &Scalar) -> bool {
    value.text.trim().starts_with('+')
}

fn text(like: Like, values: &[Scalar]) -> Fit {
    match like {
        // An address that is none is kept raw, so half of the values are enough.
        Like::Email => share_above(50, values, "e-mail addresses", is_email),
        Like::Url => share(values, "URLs", is_url),
        Like::Phone => phones(values),
        Like::Name | Like::Anything | Like::Id => {
            for (what, is) in FOREIGN {
                if like == Like::Id && *what == "numbers" {
                    continue;
                }
                let found = values.iter().filter(|value| is(value)).count();
                if found * 2 > values.len() {
                    return Fit::new(Verdict::Not, format!("{found} of {} values are {what}", values.len()));
                }
            }
            if like == Like::Name {
                let named = |v: &Scalar| {
                    v.text.chars().any(char::is_alphabetic)
                        && !v.text.chars().any(|c| c.is_ascii_digit() || "@/_".contains(c))
                };
                let fit = share(values, "like names", named);
                return if fit.verdict == Verdict::Strong { Fit { verdict: Verdict::Weak, ..fit } } else { fit };
            }
            let texts = values.iter().filter(|value| value.kind != Kind::Bool).count();
            let what = if like == Like::Id { "ids" } else { "text" };
            Fit::new(Verdict::Weak, format!("{texts} of {} values are {what}", values.len()))
        }
    }
}

type Shape = (&'static str, fn(&Scalar) -> bool);

/// Shapes that no plain text has.
const FOREIGN: &[Shape] = &[
    ("e-mail addresses", |v| is_email(v)),
    ("URLs", |v| is_url(v)),
    ("true/false", |v| v.kind == Kind::Bool || v.text == "true" || v.text == "false"),
    ("dates", |v| v.kind == Kind::Text && !dates::forms(v).is_empty()),
    ("phone numbers", |v| has_prefix(v) && is_phone(v)),
    ("numbers", |v| number(v).is_some()),
];

fn phones(values: &[Scalar]) -> Fit {
    let mut fit = share_above(50, values, "like phone numbers", is_phone);
    let bare = values.iter().filter(|value| is_phone(value) && !has_prefix(value)).count();
    if bare > 0 {
        let chinese =
            values.iter().filter(|value| is_phone(value) && !has_prefix(value)).all(|v| is_cn_mobile(&v.text));
        let guess = if chinese { "; they look like mobile numbers of CN, which is not assumed" } else { "" };
        fit.words += &format!("; {bare} without a + prefix are kept raw until `region` names their country{guess}");
    }
    fit
}

fn is_cn_mobile(text: &str) -> bool {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_digit).collect();
    digits.len() == 11 && digits.first() == Some(&b'1') && digits.get(1).is_some_and(|b| (b'3'..=b'9').contains(b))
}

fn boolean(values: &[Scalar], vocabulary: &Vocabulary) -> Fit {
    let plain = share(values, "true/false", |v| v.kind == Kind::Bool || v.text == "true" || v.text == "false");
    if plain.verdict != Verdict::Not {
        return plain;
    }
    let mut words: Vec<(&str, &str)> =
        values.iter().filter_map(|v| Some((v.text.as_str(), vocabulary.boolean(&v.text)?))).collect();
    let all = words.len() == values.len();
    words.sort_unstable();
    words.dedup();
    if !all {
        return Fit::new(Verdict::Not, format!("the {} values are not true/false", values.len()));
    }
    let table: Vec<String> = words.iter().map(|(raw, ours)| format!("{}: {ours}", quoted(raw))).collect();
    Fit::new(Verdict::Strong, format!("all {} values mean true or false", values.len()))
        .with(format!(", enum: {{ {} }}", table.join(", ")))
}

/// The one form of all values, or why there is none.
fn one_form(values: &[Scalar]) -> Result<Form, Fit> {
    let common = dates::common(values);
    match common.as_slice() {
        [one] => Ok(*one),
        [] => {
            let dated = values.iter().filter(|value| !dates::forms(value).is_empty()).count();
            let (all, verdict) = (values.len(), if dated * 2 > values.len() { Verdict::Hold } else { Verdict::Not });
            let words = if dated == all {
                "the values are written in different ways".to_owned()
            } else {
                format!("{dated} of {all} values are dates")
            };
            Err(Fit::new(verdict, words))
        }
        several => {
            let shown: Vec<String> = several.iter().map(|form| dates::shown(*form)).collect();
            let words = format!("{} fit all {} values; no value decides: say which", shown.join(" and "), values.len());
            Err(Fit::new(Verdict::Hold, words).with(", date: \"%d/%m/%Y or %m/%d/%Y\""))
        }
    }
}

fn day(ty: &Type, values: &[Scalar]) -> Fit {
    if *ty == Type::PartialDate {
        let partial = share(values, "years, months or days", |v| scalars::check_text(ty, v.text.trim()).is_ok());
        if partial.verdict == Verdict::Strong {
            return partial;
        }
    }
    let form = match one_form(values) {
        Ok(form) => form,
        Err(fit) => return fit,
    };
    let words = format!("{} of {} values are {}", values.len(), values.len(), dates::shown(form));
    let hold = |why: &str, extra: String| Fit::new(Verdict::Hold, format!("{words}; {why}")).with(extra);
    let zoned = |form: &str| hold("the field is a day: say in which zone", format!(", date: {form}, zone: Area/City"));
    match form {
        Form::Day("iso") => Fit::new(Verdict::Strong, words),
        Form::Day(form) => Fit::new(Verdict::Strong, words).with(format!(", date: {}", dates::written(form))),
        Form::Local(form) => {
            hold("the field is a day: say whether the time may go", format!(", date: {}", dates::written(form)))
        }
        Form::Offset => zoned("iso"),
        Form::Instant(form) => zoned(form),
        Form::Excel => hold("make sure that they are days of a spreadsheet", ", date: excel".to_owned()),
        Form::Partial => hold("the field is a whole day", String::new()),
    }
}

fn instant(values: &[Scalar]) -> Fit {
    let form = match one_form(values) {
        Ok(form) => form,
        Err(fit) => return fit,
    };
    let words = format!("{} of {} values are {}", values.len(), values.len(), dates::shown(form));
    let hold = |why: &str, extra: String| Fit::new(Verdict::Hold, format!("{words}; {why}")).with(extra);
    match form {
        Form::Offset => Fit::new(Verdict::Strong, words).with(", datetime: rfc3339"),
        Form::Instant(form) => Fit::new(Verdict::Strong, words).with(format!(", datetime: {form}")),
        Form::Local(form) => {
            hold("fill in their time zone", format!(", datetime: {}, zone: Area/City", dates::written(form)))
        }
        Form::Day(_) | Form::Partial | Form::Excel => {
            hold("the field is an instant: a day alone says neither hour nor zone", String::new())
        }
    }
}

fn enumeration(of: &EnumType, values: &[Scalar], vocabulary: &Vocabulary) -> Fit {
    const MOST: usize = 24;
    let mut distinct: Vec<(&str, usize)> = Vec::new();
    for value in values {
        match distinct.iter_mut().find(|(text, _)| *text == value.text) {
            Some((_, count)) => *count += 1,
            None => distinct.push((&value.text, 1)),
        }
    }
    distinct.sort_unstable();
    let all = distinct.len();
    if all > MOST || values.iter().any(|value| value.kind == Kind::Bool) {
        return Fit::new(
            Verdict::Not,
            format!("{all} different values are too many, or of the wrong kind, for {}", of.name),
        );
    }
    let known: Vec<(&str, &str)> =
        distinct.iter().filter_map(|(raw, _)| Some((*raw, vocabulary.value(of, raw)?))).collect();
    let same = known.len() == all && known.iter().all(|(raw, ours)| raw == ours);
    let table = |rows: &[(&str, &str)]| -> String {
        rows.iter().map(|(raw, ours)| format!("{}: {ours}", quoted(raw))).collect::<Vec<_>>().join(", ")
    };
    let percent = u32::try_from(known.len() * 100 / all.max(1)).unwrap_or(0);
    let words = format!("{} of {all} different values are known words of {}", known.len(), of.name);
    match percent {
        100 if same => Fit::new(Verdict::Strong, words),
        100 => Fit::new(Verdict::Strong, words).with(format!(", enum: {{ {} }}", table(&known))),
        50.. => Fit::new(Verdict::Partly(percent), format!("{words}; the others become OTHER: add them"))
            .with(format!(", enum: {{ {} }}", table(&known))),
        _ => {
            // Only values that repeat are shown: others may be somebody's words.
            let mut rows = known;
            rows.extend(distinct.iter().filter(|(_, count)| *count > 1).map(|(raw, _)| (*raw, "?")));
            rows.sort_unstable();
            rows.dedup_by_key(|(raw, _)| *raw);
            let words = format!("{words}: say what each means");
            Fit::new(Verdict::Hold, words).with(format!(", enum: {{ {} }}", table(&rows)))
        }
    }
}
