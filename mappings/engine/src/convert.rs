//! A source's value as the target's declared type. Text is never looked at to guess a type: the target decides.

use crate::fill::is_empty;
use crate::mapping::{DateForm, EnumTable, Rule};
use crate::outcome::Level;
use crate::run::{Run, Step};
use hub_model::{Field, Type, scalars};
use hub_standards::dates::{DateError, Form, Moment};
use hub_standards::{codes, contact};
use hub_tree::jiff::Timestamp;
use hub_tree::jiff::tz::TimeZone;
use hub_tree::{Arena, Decimal, Value};

/// Why a value cannot become what the target is.
pub(crate) struct Misfit {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    /// The message must be parked whatever the field is.
    pub(crate) park: bool,
}

pub(crate) fn misfit<T>(code: &'static str, message: impl Into<String>) -> Result<T, Misfit> {
    Err(Misfit { code, message: message.into(), park: false })
}

/// The wire form of `value` as `ty`; `None` when there is nothing.
pub(crate) fn convert<'a>(
    run: &mut Run<'a>,
    value: Value<'a>,
    ty: &'static Type,
    rule: &'a Rule,
) -> Result<Value<'a>, Misfit> {
    if value.is_absent() {
        return Ok(Value::Absent);
    }
    // An empty cell says nothing about a number, a day or a code; only text may be empty.
    let may_be_empty = matches!(ty, Type::Text | Type::Localized | Type::Json | Type::Enum(_));
    if !may_be_empty && is_empty(value) {
        // Where nothing is a way to write that there is no date, it says so.
        let no_date = rule.date.as_ref().is_some_and(|date| date.form.read("", None) == Ok(Moment::Nothing));
        return Ok(if no_date { Value::Null } else { Value::Absent });
    }
    let arena = run.cx.arena;
    if let Type::Enum(of) = ty {
        return enumeration(run, value, of, rule);
    }
    let value = match &rule.enumeration {
        Some(table) if !matches!(ty, Type::List(_)) => translate(run, value, table)?,
        _ => value,
    };
    match ty {
        Type::Json => Ok(match (&rule.date, value) {
            (Some(form), value) => free_date(run, value, form)?,
            (None, value) => value,
        }),
        Type::Text => scalar(run, value).map(Value::Text),
        Type::Localized => match value {
            Value::Map(map) if map.entries().iter().all(|(_, text)| text.as_text().is_some()) => Ok(value),
            value => scalar(run, value).map(Value::Text),
        },
        Type::Bool => match value {
            Value::Bool(_) => Ok(value),
            Value::Text("true") => Ok(Value::Bool(true)),
            Value::Text("false") => Ok(Value::Bool(false)),
            value => misfit("not_a_boolean", format!("expected true or false, found {}", value.kind())),
        },
        Type::Integer => {
            let number = decimal(value)?;
            let whole = number.fract().is_zero();
            if whole && i64::try_from(number).is_err() {
                misfit("out_of_range", "a whole number has at most 64 bits")
            } else if whole {
                Ok(Value::Number(arena.format(format_args!("{}", number.trunc().normalize()))))
            } else {
                misfit("not_an_integer", "expected a whole number")
            }
        }
        Type::Decimal | Type::Rate => decimal(value).map(|number| Value::Text(arena.format(format_args!("{number}")))),
        Type::Date | Type::PartialDate | Type::DateTime => date(run, value, ty, rule.date.as_ref()),
        Type::LocalTime
        | Type::TimeZone
        | Type::Duration
        | Type::Currency
        | Type::Country
        | Type::Subdivision
        | Type::Lang => {
            let text = scalar(run, value)?.trim();
            match scalars::check_text(ty, text) {
                Ok(text) => Ok(Value::Text(arena.text(&text))),
                Err(wanted) => misfit("malformed", format!("expected {wanted}")),
            }
        }
        Type::Enum(_) => unreachable_kind(),
        Type::Ref(_) => match value {
            Value::Map(map) if map.get("type").as_text().is_some() => Ok(value),
            value => misfit("not_a_reference", format!("expected a reference, found {}: use `ref`", value.kind())),
        },
        Type::List(item) => list(run, value, rule, |run, value| convert(run, value, item, rule)),
        Type::Struct(of) => match (of.name, value) {
            ("Phone", Value::Text(_) | Value::Number(_)) => phone(run, value, None),
            ("Email", Value::Text(_)) => email(run, value),
            (_, Value::Map(map)) => {
                let mut made = Vec::with_capacity(of.fields.len());
                for field in of.fields {
                    let value = convert(run, map.get(field.name), field.ty, rule)?;
                    if !value.is_absent() {
                        made.push((field.name, value));
                    }
                }
                Ok(arena.map(&made))
            }
            (name, value) => misfit("not_an_object", format!("expected {name}, found {}", value.kind())),
        },
    }
}

/// A list of what becomes of each item. A single value stands for a list of one, as XML and careless JSON write it; one
/// item that does not fit costs no other.
pub(crate) fn list<'a>(
    run: &mut Run<'a>,
    value: Value<'a>,
    rule: &'a Rule,
    mut becomes: impl FnMut(&mut Run<'a>, Value<'a>) -> Result<Value<'a>, Misfit>,
) -> Result<Value<'a>, Misfit> {
    let single = [value];
    let items = if let Value::List(items) = value { items } else { &single };
    let mut made = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate().filter(|(_, item)| !item.is_absent()) {
        run.way.push(Step::Item(index));
        let converted = match becomes(run, *item) {
            Err(misfit) if !misfit.park && !rule.required => {
                run.misfit(Level::Warning, misfit, rule.span);
                Ok(Value::Absent)
            }
            converted => converted,
        };
        run.way.pop();
        let value = converted?;
        if !value.is_absent() {
            made.push(value);
        }
    }
    Ok(run.cx.arena.list(&made))
}

/// Enums are handled before; the match above stays total without a panic.
fn unreachable_kind<'a>() -> Result<Value<'a>, Misfit> {
    misfit("malformed", "expected an enum value")
}

pub(crate) fn scalar<'a>(run: &Run<'a>, value: Value<'a>) -> Result<&'a str, Misfit> {
    match value.scalar_text(run.cx.arena) {
        Some(text) => Ok(text),
        None => misfit("not_text", format!("expected text, found {}", value.kind())),
    }
}

pub(crate) fn decimal(value: Value<'_>) -> Result<Decimal, Misfit> {
    let number = match value {
        Value::Text(text) => hub_tree::value::parse_decimal(text.trim()),
        value => value.as_decimal(),
    };
    match (number, value) {
        (Some(number), _) => Ok(number),
        (None, Value::Number(_)) => misfit("out_of_range", "the number has more than 28 digits"),
        (None, Value::Text(_)) => misfit("not_a_number", "the text is no number"),
        (None, value) => misfit("not_a_number", format!("expected a number, found {}", value.kind())),
    }
}

fn enumeration<'a>(
    run: &mut Run<'a>,
    value: Value<'a>,
    of: &'static hub_model::EnumType,
    rule: &'a Rule,
) -> Result<Value<'a>, Misfit> {
    let arena = run.cx.arena;
    if let (Value::Map(map), None) = (value, &rule.enumeration) {
        // A canonical enum, as another record or our own contract writes it.
        if let Some(text) = map.get("value").as_text() {
            return enumeration(run, Value::Text(text), of, rule);
        }
    }
    let raw = scalar(run, value)?;
    if raw.trim().is_empty() && !rule.enumeration.iter().any(|table| table.entries.iter().any(|(from, _)| from == raw))
    {
        return Ok(Value::Absent);
    }
    let (entries, park) =
        rule.enumeration.as_ref().map_or((&[][..], false), |table| (table.entries.as_slice(), table.park_unknown));
    let found = entries.iter().find(|(theirs, _)| theirs == raw).map(|(_, ours)| ours.as_str());
    let found = found.or_else(|| (entries.is_empty() && of.values.contains(&raw)).then_some(raw));
    match found {
        Some(ours) if ours == raw => Ok(arena.map(&[("value", Value::Text(raw))])),
        Some(ours) => Ok(arena.map(&[("value", Value::Text(ours)), ("raw", Value::Text(raw))])),
        None if park => Err(unknown_value(of.name, true)),
        None => {
            run.misfit(Level::Warning, unknown_value(of.name, false), rule.span);
            Ok(arena.map(&[("value", Value::Text("OTHER")), ("raw", Value::Text(raw))]))
        }
    }
}

fn unknown_value(of: &str, park: bool) -> Misfit {
    let message = format!("the value is not in the `enum` table for {of}: add it there");
    Misfit { code: "unknown_enum_value", message, park }
}

/// An `enum` table for a field that is no enum: other words for the same things.
fn translate<'a>(run: &mut Run<'a>, value: Value<'a>, table: &'a EnumTable) -> Result<Value<'a>, Misfit> {
    let raw = scalar(run, value)?;
    match table.entries.iter().find(|(theirs, _)| theirs == raw) {
        Some((_, ours)) => Ok(Value::Text(ours)),
        None if table.park_unknown => Err(unknown_value("this field", true)),
        None => Ok(value),
    }
}

/// A day or an instant, as the target declares it.
fn date<'a>(run: &Run<'a>, value: Value<'a>, ty: &Type, form: Option<&'a DateForm>) -> Result<Value<'a>, Misfit> {
    let arena = run.cx.arena;
    let Some(form) = form else {
        return match (ty, value) {
            (Type::DateTime, Value::DateTime(at)) => Ok(instant(arena, at)),
            (Type::Date | Type::PartialDate, Value::Date(day)) => Ok(Value::Text(arena.format(format_args!("{day}")))),
            (_, Value::Text(text)) => match scalars::check_text(ty, text.trim()) {
                Ok(text) => Ok(Value::Text(arena.text(&text))),
                Err(wanted) => {
                    misfit("not_a_date", format!("expected {wanted}; `date` or `datetime` name another form"))
                }
            },
            (_, value) => misfit("not_a_date", format!("expected {}, found {}", ty.name(), value.kind())),
        };
    };
    let zone = form.zone.as_ref();
    let moment = moment(run, value, &form.form, zone)?;
    match (ty, moment) {
        // Said outright, as null is.
        (_, Moment::Nothing) => Ok(Value::Null),
        (Type::PartialDate, Moment::Year(_) | Moment::Month(..)) => {
            Ok(Value::Text(arena.format(format_args!("{moment}"))))
        }
        (Type::Date | Type::PartialDate, _) => match moment.day(zone).map_err(|error| date_misfit(&error))? {
            Some(day) => Ok(Value::Text(arena.format(format_args!("{day}")))),
            None => Ok(Value::Absent),
        },
        (_, Moment::At(at)) => Ok(instant(arena, at)),
        (_, Moment::Local(_)) => Err(date_misfit(&DateError::NeedsZone)),
        // Which time of the day is meant, nobody said.
        _ => misfit("not_a_date", "the value is a day, the field is an instant"),
    }
}

/// An instant in its one written form.
fn instant(arena: &Arena, at: Timestamp) -> Value<'_> {
    Value::Text(arena.format(format_args!("{at:.3}")))
}

fn date_misfit(error: &DateError) -> Misfit {
    let code = if *error == DateError::Ambiguous { "ambiguous_time" } else { "not_a_date" };
    let message = match error {
        DateError::NeedsZone => "it depends on the time zone: name it with `zone`".to_owned(),
        error => error.to_string(),
    };
    Misfit { code, message, park: false }
}

/// What a source says about time in a form; days and instants that were computed are what they are.
fn moment<'a>(run: &Run<'a>, value: Value<'a>, form: &Form, zone: Option<&TimeZone>) -> Result<Moment, Misfit> {
    match value {
        Value::Date(day) => Ok(Moment::Day(day)),
        Value::DateTime(at) => Ok(Moment::At(at)),
        value => form.read(scalar(run, value)?, zone).map_err(|error| date_misfit(&error)),
    }
}

/// A day or an instant where anything may stand: read in the form, or, towards a vendor, written in it.
fn free_date<'a>(run: &Run<'a>, value: Value<'a>, form: &'a DateForm) -> Result<Value<'a>, Misfit> {
    let zone = form.zone.as_ref();
    let misfit = |error: DateError| date_misfit(&error);
    if form.writes {
        let moment = moment(run, value, &Form::Rfc3339, None)?;
        let moment = match (form.day, moment) {
            (true, Moment::At(_) | Moment::Local(_)) => {
                moment.day(zone).map_err(misfit)?.map_or(Moment::Nothing, Moment::Day)
            }
            (_, moment) => moment,
        };
        let text = run.cx.arena.text(&form.form.write(moment, zone).map_err(misfit)?);
        let number = matches!(form.form, Form::EpochSeconds | Form::EpochMillis | Form::Excel);
        return Ok(if number { Value::Number(text) } else { Value::Text(text) });
    }
    let moment = moment(run, value, &form.form, zone)?;
    if form.day {
        return Ok(moment.day(zone).map_err(misfit)?.map_or(Value::Null, Value::Date));
    }
    match moment {
        Moment::Nothing => Ok(Value::Null),
        Moment::At(at) => Ok(Value::DateTime(at)),
        Moment::Local(_) => Err(date_misfit(&DateError::NeedsZone)),
        _ => self::misfit("not_a_date", "the value is a day, an instant is wanted"),
    }
}

/// Puts an object that was made field by field into the form that its type has: an address that is none and a number
/// that cannot be understood become `raw`, however the rule was written.
pub(crate) fn settle<'a>(run: &mut Run<'a>, object: Value<'a>, ty: &Type) -> Result<Value<'a>, Misfit> {
    let Type::Struct(of) = ty else { return Ok(object) };
    let (key, checked) = match of.name {
        "Email" if object.get("address").as_text().is_some() => ("address", email(run, object.get("address"))?),
        "Phone" if object.get("e164").as_text().is_some() => ("e164", phone(run, object.get("e164"), None)?),
        _ => return Ok(object),
    };
    let mut entries: Vec<(&'a str, Value<'a>)> = checked.entries().to_vec();
    entries.extend(object.entries().iter().filter(|(name, _)| *name != key && checked.get(name).is_absent()));
    in_declared_order(&mut entries, of.fields);
    Ok(run.cx.arena.map(&entries))
}

/// Sorts the entries of an object as the model writes them.
pub(crate) fn in_declared_order(entries: &mut [(&str, Value<'_>)], declared: &[Field]) {
    entries.sort_by_key(|(name, _)| declared.iter().position(|field| field.name == *name).unwrap_or(usize::MAX));
}

/// A phone number; one that cannot be understood is kept as `raw` with a warning.
pub(crate) fn phone<'a>(run: &mut Run<'a>, value: Value<'a>, region: Option<&str>) -> Result<Value<'a>, Misfit> {
    let arena = run.cx.arena;
    let raw = scalar(run, value)?;
    if raw.trim().is_empty() {
        return Ok(Value::Absent);
    }
    match contact::parse_phone(raw, region) {
        Ok(parsed) => {
            let mut made = vec![("e164", Value::Text(arena.text(&parsed.e164)))];
            if let Some(extension) = &parsed.extension {
                made.push(("extension", Value::Text(arena.text(extension))));
            }
            if parsed.e164 != raw {
                made.push(("raw", Value::Text(raw)));
            }
            Ok(arena.map(&made))
        }
        Err(reason) => {
            run.note_here("unparsable_phone", format!("{reason}; it is kept as `raw`"));
            Ok(arena.map(&[("raw", Value::Text(raw))]))
        }
    }
}

/// An e-mail address; one that is none is kept as `raw` with a warning.
pub(crate) fn email<'a>(run: &mut Run<'a>, value: Value<'a>) -> Result<Value<'a>, Misfit> {
    let arena = run.cx.arena;
    let raw = scalar(run, value)?;
    if raw.trim().is_empty() {
        return Ok(Value::Absent);
    }
    match contact::parse_email(raw) {
        Ok(address) => Ok(arena.map(&[("address", Value::Text(arena.text(&address)))])),
        Err(reason) => {
            run.note_here("invalid_email", format!("{reason}; it is kept as `raw`"));
            Ok(arena.map(&[("raw", Value::Text(raw))]))
        }
    }
}

/// An amount in the major unit of a currency.
pub(crate) fn money<'a>(
    run: &Run<'a>,
    amount: Value<'a>,
    currency: Value<'a>,
    minor_units: bool,
) -> Result<Value<'a>, Misfit> {
    let arena = run.cx.arena;
    let currency = scalar(run, currency)?;
    if !codes::is_currency(currency) {
        return misfit("malformed", "expected an ISO 4217 currency such as CNY");
    }
    let mut amount = decimal(amount)?;
    if minor_units {
        let digits = codes::minor_digits(currency);
        if !amount.fract().is_zero() || amount.set_scale(digits).is_err() {
            return misfit("malformed", "minor units are whole numbers");
        }
    }
    if amount.normalize().scale() > 4 {
        return misfit("out_of_range", "an amount has at most 4 digits after the point");
    }
    let amount = arena.format(format_args!("{amount}"));
    Ok(arena.map(&[("amount", Value::Text(amount)), ("currency", Value::Text(currency))]))
}

/// A score on its scale; one outside it is a finding, never clamped.
pub(crate) fn score<'a>(
    run: &Run<'a>,
    value: Value<'a>,
    min: Value<'a>,
    max: Value<'a>,
    scale: Value<'a>,
) -> Result<Value<'a>, Misfit> {
    let arena = run.cx.arena;
    let (value, min, max) = (decimal(value)?, decimal(min)?, decimal(max)?);
    if min >= max {
        return misfit("malformed", "the scale's `min` is not below its `max`");
    }
    if value < min || value > max {
        return misfit("score_out_of_range", format!("the score lies outside its scale of {min} to {max}"));
    }
    let text = |number: Decimal| Value::Text(arena.format(format_args!("{number}")));
    let mut made = vec![("value", text(value)), ("min", text(min)), ("max", text(max))];
    if !scale.is_absent() {
        made.push(("scale", Value::Text(scalar(run, scale)?)));
    }
    Ok(arena.map(&made))
}
