//! Fills one field: where its value comes from, what is done to it, and the type that it becomes.

use crate::convert::{self, Misfit, convert, misfit};
use crate::explain::{Steps, what_name};
use crate::limits::Excess;
use crate::mapping::{EachRule, Entry, Letters, Lookup, Rule, What};
use crate::outcome::Level;
use crate::run::{Run, Step};
use hub_expr::{Explain, Located};
use hub_model::Type;
use hub_standards::names;
use hub_tree::Value;
use hub_tree::jiff::civil::Date;

/// Text of nothing but white space, as forms and sheets write what was not filled in.
pub(crate) fn is_empty(value: Value<'_>) -> bool {
    value.as_text().is_some_and(|text| text.trim().is_empty())
}

impl<'a> Run<'a> {
    pub(crate) fn rule(&mut self, rule: &'a Rule, ty: &'static Type) -> Option<Value<'a>> {
        if self.is_stopped() || !self.asked(rule) {
            return None;
        }
        let errors = self.errors();
        let value = match self.what(&rule.what, rule, ty) {
            Ok(value) => value,
            Err(None) => return None,
            Err(Some(misfit)) => {
                let level = if rule.required || misfit.park { Level::Error } else { Level::Warning };
                if let Some(steps) = &mut self.steps {
                    steps.misfitted(&misfit);
                }
                self.misfit(level, misfit, rule.span);
                return None;
            }
        };
        // Where a value must be there, or has another to stand in for it, empty text is none.
        let wanted = rule.required || rule.default.is_some();
        let empty = wanted && is_empty(value);
        if !value.is_absent() && !empty {
            return self.kept(value, matches!(rule.what, What::Paths(_) | What::Expr(_) | What::Value(_)));
        }
        if rule.clear_on_null && matches!(value, Value::Null) {
            return self.kept(Value::Null, true);
        }
        if let Some(default) = &rule.default {
            let value = default.value(self.cx.arena);
            if let Some(steps) = &mut self.steps {
                steps.add(Explain::leaf("default", None, value));
            }
            return self.kept(value, true);
        }
        // An error inside the value has parked the record already; a warning only left a part of it out.
        if rule.required && self.errors() == errors {
            let missing = Misfit { code: "required_missing", message: "a required value is absent".into(), park: true };
            self.misfit(Level::Error, missing, rule.span);
        }
        None
    }

    /// Whether a rule is to be followed.
    fn asked(&mut self, rule: &'a Rule) -> bool {
        let Some(when) = &rule.when else { return true };
        let mark = self.steps.as_ref().map(Steps::mark);
        let holds = self.holds(when);
        if let (Some(steps), Some(mark)) = (&mut self.steps, mark) {
            steps.group(mark, "when".to_owned(), holds.map_or(Value::Absent, Value::Bool));
        }
        holds == Ok(true)
    }

    /// The value of a rule. `Err(None)`: reported already; `Err(Some(…))`: it does not fit.
    fn what(&mut self, what: &'a What, rule: &'a Rule, ty: &'static Type) -> Result<Value<'a>, Option<Misfit>> {
        let arena = self.cx.arena;
        match what {
            What::Paths(paths) => {
                let mut found = Value::Absent;
                for path in paths {
                    found = self.eval(path).map_err(|()| None)?;
                    if !found.is_absent() {
                        break;
                    }
                }
                self.shaped(found, rule, ty)
            }
            What::Expr(located) => {
                let value = self.eval(located).map_err(|()| None)?;
                self.shaped(value, rule, ty)
            }
            What::Value(literal) => Ok(literal.value(arena)),
            What::Each(each) => self.each(each, rule, ty),
            What::Fields(entries) => match self.fields(entries, None) {
                Some(object) => convert::settle(self, object, ty).map_err(Some),
                None => Ok(Value::Absent),
            },
            What::PersonName(entries) => Ok(self.person_name(entries)),
            What::Ref { entity, key, hub_id, display } => {
                let mut part = |rule: &'a Option<Box<Rule>>| {
                    let value = rule.as_ref().and_then(|rule| self.rule(rule, &Type::Text));
                    value.filter(|value| !is_empty(*value))
                };
                let (key, hub_id, display) = (part(key), part(hub_id), part(display));
                let who = match (hub_id, key) {
                    (Some(id), _) => ("id", id),
                    (None, Some(key)) => {
                        let source = [("connection_id", Value::Text(self.connection)), ("remote_id", key)];
                        ("source", arena.map(&source))
                    }
                    (None, None) => return Ok(Value::Absent),
                };
                let made = [("type", Value::Text(entity)), who, ("display", display.unwrap_or_default())];
                Ok(arena.map(if display.is_some() { &made } else { &made[..2] }))
            }
            What::Money { amount, currency, minor_units } => {
                let mut part = |rule: &'a Rule| self.rule(rule, &Type::Json).filter(|value| !is_empty(*value));
                let (amount, currency) = (part(amount), part(currency));
                match (amount, currency) {
                    (Some(amount), Some(currency)) => {
                        convert::money(self, amount, currency, *minor_units).map_err(Some)
                    }
                    (None, _) => Ok(Value::Absent),
                    (_, None) => misfit("currency_missing", "an amount without a currency").map_err(Some),
                }
            }
            What::Score { value, min, max, scale } => {
                let mut bound = |rule: &'a Rule| self.rule(rule, &Type::Json).filter(|value| !is_empty(*value));
                let Some(value) = bound(value) else { return Ok(Value::Absent) };
                let (Some(min), Some(max)) = (bound(min), bound(max)) else {
                    return misfit("scale_missing", "a score without the bounds of its scale").map_err(Some);
                };
                let scale = scale.as_ref().and_then(|scale| self.rule(scale, &Type::Text)).unwrap_or_default();
                convert::score(self, value, min, max, scale).map_err(Some)
            }
            What::Phone { value, region, kind } => {
                let Some(value) = self.rule(value, &Type::Text) else { return Ok(Value::Absent) };
                let region = region.as_ref().and_then(|region| self.rule(region, &Type::Country));
                let phone = convert::phone(self, value, region.and_then(|region| region.as_text())).map_err(Some)?;
                Ok(self.with_parts(phone, ty, &[("type", kind)]))
            }
            What::Email { value, kind, is_primary } => {
                let Some(value) = self.rule(value, &Type::Text) else { return Ok(Value::Absent) };
                let email = convert::email(self, value).map_err(Some)?;
                Ok(self.with_parts(email, ty, &[("type", kind), ("is_primary", is_primary)]))
            }
        }
    }

    /// Adds the values of further rules to an object, in declared order.
    fn with_parts(
        &mut self,
        object: Value<'a>,
        ty: &'static Type,
        parts: &[(&'static str, &'a Option<Box<Rule>>)],
    ) -> Value<'a> {
        if object.is_absent() || parts.iter().all(|(_, rule)| rule.is_none()) {
            return object;
        }
        let mut entries = object.entries().to_vec();
        for (name, rule) in parts {
            let part = ty.fields().iter().find(|field| field.name == *name).map_or(&Type::Json, |field| field.ty);
            if let Some(value) = rule.as_ref().and_then(|rule| self.rule(rule, part)) {
                entries.push((name, value));
            }
        }
        convert::in_declared_order(&mut entries, ty.fields());
        self.cx.arena.map(&entries)
    }

    /// Text transforms, a code list, then the target's type.
    fn shaped(&mut self, value: Value<'a>, rule: &'a Rule, ty: &'static Type) -> Result<Value<'a>, Option<Misfit>> {
        let arena = self.cx.arena;
        let mut value = value;
        if rule.clear_on_null && matches!(value, Value::Null) {
            return Ok(Value::Null);
        }
        if let (Some(separator), Value::List(items)) = (&rule.join, value) {
            let mut text = String::new();
            for item in items.iter().filter(|item| !item.is_absent()) {
                let Some(part) = item.scalar_text(arena) else {
                    return misfit("not_text", format!("`join` puts texts together, an item is {}", item.kind()))
                        .map_err(Some);
                };
                if text.len() + separator.len() + part.len() > self.room.text {
                    self.too_large(Excess::Text, rule.span.start);
                    return Err(None);
                }
                if !text.is_empty() {
                    text.push_str(separator);
                }
                text.push_str(part);
            }
            value = Value::Text(arena.text(&text));
        }
        if let Some(separator) = &rule.split
            && let Value::Text(text) = value
            && !is_empty(value)
        {
            let parts = text.split(separator.as_str()).map(str::trim).filter(|p| !p.is_empty()).map(Value::Text);
            // One more than there is room for: that it is too much is said with the others.
            let parts: Vec<Value<'a>> = parts.take(self.room.values.saturating_add(1)).collect();
            value = arena.list(&parts);
        }
        value = self.lettered(value, rule);
        if let Some(steps) = &mut self.steps {
            steps.transformed(rule, value);
        }
        match &rule.lookup {
            Some(lookup) if !value.is_absent() => self.looked_up(value, lookup, rule, ty),
            _ => {
                let made = convert(self, value, ty, rule).map_err(Some)?;
                if let Some(steps) = &mut self.steps {
                    steps.converted(rule, ty, value, made);
                }
                Ok(made)
            }
        }
    }

    fn lettered(&self, value: Value<'a>, rule: &Rule) -> Value<'a> {
        let arena = self.cx.arena;
        match value {
            Value::Text(text) => {
                let text = if rule.trim { text.trim() } else { text };
                // After trimming, empty text is nothing: forms send "" for what was not filled in.
                if rule.trim && text.is_empty() {
                    return Value::Absent;
                }
                Value::Text(match rule.letters {
                    Some(Letters::Lower) => arena.text(&text.to_lowercase()),
                    Some(Letters::Upper) => arena.text(&text.to_uppercase()),
                    None => text,
                })
            }
            Value::List(items) if rule.trim || rule.letters.is_some() => {
                let items: Vec<Value<'a>> = items.iter().map(|item| self.lettered(*item, rule)).collect();
                arena.list(&items)
            }
            value => value,
        }
    }

    /// What a code list says about a code, or about each code of a list.
    fn looked_up(
        &mut self,
        value: Value<'a>,
        lookup: &'a Lookup,
        rule: &'a Rule,
        ty: &'static Type,
    ) -> Result<Value<'a>, Option<Misfit>> {
        if is_empty(value) {
            return Ok(Value::Absent);
        }
        let day = match &lookup.on {
            Some(on) => Some(self.day(on)?),
            None => None,
        };
        let made = match ty {
            Type::List(item) => {
                convert::list(self, value, rule, |run, code| run.meaning(code, day, lookup, rule, item))
            }
            ty => self.meaning(value, day, lookup, rule, ty),
        };
        made.map_err(Some)
    }

    /// The day that a look-up is for.
    fn day(&mut self, on: &'a Located) -> Result<Date, Option<Misfit>> {
        let found = match self.eval(on).map_err(|()| None)? {
            Value::Date(day) => Some(day),
            // The day of an instant depends on the zone, so that its text is no day.
            Value::Text(text) if text.len() == 10 => text.parse().ok(),
            _ => None,
        };
        found.map_or_else(|| misfit("lookup_day_missing", "the day of the look-up is no day").map_err(Some), Ok)
    }

    fn meaning(
        &mut self,
        code: Value<'a>,
        day: Option<Date>,
        lookup: &'a Lookup,
        rule: &'a Rule,
        ty: &'static Type,
    ) -> Result<Value<'a>, Misfit> {
        let arena = self.cx.arena;
        let list = self.list(lookup.list);
        // A canonical enum is looked up by its value.
        let code = if lookup.reverse && code.get("value").as_text().is_some() { code.get("value") } else { code };
        let raw = convert::scalar(self, code)?;
        if raw.trim().is_empty() {
            return Ok(Value::Absent);
        }
        let name = list.map_or("", |list| list.name.as_str());
        let found = match list {
            Some(list) if lookup.reverse => list.find_reverse(raw, day).map_err(|_| {
                let message = format!("several codes of `{name}` mean this on that day");
                Misfit { code: "unmapped_value", message, park: true }
            })?,
            Some(list) => list.find(raw, day),
            None => None,
        };
        if let Some(steps) = &mut self.steps {
            steps.looked_up(name, day, found);
        }
        let unknown = || Misfit {
            code: "unmapped_value",
            message: format!("the code list `{name}` has no row for the value: add it there"),
            park: lookup.park_unknown,
        };
        match (ty, found) {
            (Type::Enum(_), Some(ours)) if ours == raw => Ok(arena.map(&[("value", Value::Text(ours))])),
            (Type::Enum(_), Some(ours)) => Ok(arena.map(&[("value", Value::Text(ours)), ("raw", Value::Text(raw))])),
            (_, Some(ours)) => convert(self, Value::Text(ours), ty, rule),
            (_, None) if lookup.park_unknown => Err(unknown()),
            (Type::Enum(_), None) => {
                self.misfit(Level::Warning, unknown(), rule.span);
                Ok(arena.map(&[("value", Value::Text("OTHER")), ("raw", Value::Text(raw))]))
            }
            (_, None) => {
                self.misfit(Level::Warning, unknown(), rule.span);
                convert(self, code, ty, rule)
            }
        }
    }

    fn each(&mut self, each: &'a EachRule, rule: &'a Rule, ty: &'static Type) -> Result<Value<'a>, Option<Misfit>> {
        let item_ty: &'static Type = if let Type::List(item) = ty { item } else { &Type::Json };
        let list = self.eval(&each.list).map_err(|()| None)?;
        if list.is_absent() {
            return Ok(if rule.clear_on_null { list } else { Value::Absent });
        }
        // An empty cell is no list of one: it must not empty what is stored.
        if is_empty(list) {
            return Ok(Value::Absent);
        }
        let mut made = Vec::new();
        self.depth += 1;
        self.each_item(list, &each.list, |run, index| {
            run.way.push(Step::Item(index));
            let mark = run.steps.as_ref().map(Steps::mark);
            let value = match run.holds_or(each.filter.as_ref(), true) {
                Ok(true) => run.rule(&each.item, item_ty),
                _ => None,
            };
            if let (Some(steps), Some(mark)) = (&mut run.steps, mark) {
                steps.group(mark, format!("item {index} ({})", what_name(&each.item.what)), value.unwrap_or_default());
            }
            made.extend(value);
            run.way.pop();
        });
        self.depth -= 1;
        Ok(self.cx.arena.list(&made))
    }

    fn person_name(&mut self, entries: &'a [Entry]) -> Value<'a> {
        let arena = self.cx.arena;
        let Some(name) = self.fields(entries, None) else { return Value::Absent };
        let parts: Vec<(&'a str, Value<'a>)> =
            name.entries().iter().filter(|(_, value)| !is_empty(*value)).copied().collect();
        let name = if parts.len() < name.entries().len() { arena.map(&parts) } else { name };
        if name.get("full").as_text().is_some() {
            return name;
        }
        match names::compose(name.get("given").as_text(), name.get("family").as_text()) {
            Some(full) => {
                let mut made = vec![("full", Value::Text(arena.text(&full)))];
                made.extend_from_slice(name.entries());
                arena.map(&made)
            }
            None => Value::Absent,
        }
    }
}
