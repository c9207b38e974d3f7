//! What is done to a value on its way into a field: literals, tables, code lists, forms of dates, and whether the
//! result fits.

use super::Compiler;
use crate::mapping::{DateForm, EnumTable, Literal, Lookup, Rule, What};
use hub_expr::Type as ExprType;
use hub_model::{Type, scalars};
use hub_standards::dates::Form;
use hub_tree::yaml::{Fields, Kind, Node};
use hub_tree::{Span, finding, jiff};
use std::sync::Arc;

/// What happens to a value that a table does not list.
const UNKNOWN: [(&str, bool); 2] = [("keep", false), ("park", true)];

/// Whether values of the type are days or instants, or anything.
pub(super) fn takes_days(ty: &Type) -> bool {
    match ty {
        Type::Date | Type::PartialDate | Type::DateTime | Type::Json => true,
        Type::List(item) => takes_days(item),
        _ => false,
    }
}

/// A literal where anything may stand.
fn free(node: &Node) -> Literal {
    match &node.kind {
        Kind::Null => Literal::Null,
        Kind::Bool(value) => Literal::Bool(*value),
        Kind::Number(text) => Literal::Number(text.clone()),
        Kind::Text(text) => Literal::Text(text.clone()),
        Kind::List(items) => Literal::List(items.iter().map(free).collect()),
        Kind::Map(entries) => Literal::Map(entries.iter().map(|(key, node)| (key.name.clone(), free(node))).collect()),
    }
}

impl Compiler<'_, '_> {
    /// A literal value, checked against the target's type now rather than with the first payload.
    pub(super) fn literal(&mut self, node: &Node, ty: &'static Type) -> Option<Literal> {
        if let (Type::List(item), Kind::List(items)) = (ty, &node.kind) {
            let items: Vec<Option<Literal>> = items.iter().map(|node| self.literal(node, item)).collect();
            return items.into_iter().collect::<Option<Vec<Literal>>>().map(Literal::List);
        }
        if let (Type::Json, _) = (ty, ()) {
            return Some(free(node));
        }
        let wanted = |what: &str| format!("the field is {}: expected {what}, found {}", ty.name(), node.kind_name());
        let Some(text) = node.scalar() else {
            self.cx.error(node.span, wanted(if matches!(ty, Type::List(_)) { "a list" } else { "one value" }));
            return None;
        };
        let found = match ty {
            Type::Enum(of) if of.values.contains(&text) => Ok(Literal::Enum(text.to_owned())),
            Type::Enum(of) => {
                self.cx.unknown(node.span, &format!("{} value", of.name), text, of.values.iter().copied());
                return None;
            }
            Type::Decimal | Type::Rate => {
                hub_tree::value::parse_decimal(text).map(|_| Literal::Text(text.to_owned())).ok_or("a number")
            }
            Type::Integer => {
                text.parse::<i64>().map(|number| Literal::Number(number.to_string())).map_err(|_| "a whole number")
            }
            Type::Bool => match node.kind {
                Kind::Bool(value) => Ok(Literal::Bool(value)),
                _ => Err("true or false"),
            },
            Type::Text | Type::Localized => Ok(Literal::Text(text.to_owned())),
            Type::Json | Type::List(_) | Type::Struct(_) | Type::Ref(_) => Err("a rule that makes it"),
            _ => scalars::check_text(ty, text).map(Literal::Text),
        };
        found.map_err(|what| self.cx.error(node.span, wanted(what))).ok()
    }

    /// `lookup: departments`, or `lookup: { list: departments, on: payload.starts_on, reverse: true }`.
    pub(super) fn lookup(&mut self, fields: &mut Fields<'_, '_>, ty: &Type) -> Option<Lookup> {
        let node = fields.optional("lookup")?;
        let park_unknown = fields.word("unknown", &UNKNOWN).unwrap_or(false);
        let (name, span, on, reverse) = match node.scalar() {
            Some(name) => (name.to_owned(), node.span, None, false),
            None => {
                let mut parts = node.fields(self.cx)?;
                let name = parts.required("list")?;
                let on = parts.optional("on").and_then(|node| self.expr(node, true));
                let reverse = parts.bool("reverse").unwrap_or(false);
                parts.finish();
                (name.text(self.cx)?, name.span, on, reverse)
            }
        };
        if let Some(on) = &on
            && !on.expr.ty().may_be(&ExprType::Date)
            && !on.expr.ty().may_be(&ExprType::Text)
        {
            self.cx.error(on.span, format!("`on` is a day, this is {}", on.expr.ty()));
        }
        let number = self.list(&name, span)?;
        let list = Arc::clone(&self.lists[number]);
        if list.dated && on.is_none() {
            let help = format!("write `lookup: {{ list: {name}, on: <the day> }}`");
            self.cx.error_with(span, format!("what `{name}` says depends on the day"), Some(help));
        }
        if reverse && let Some(twice) = list.ambiguous() {
            self.cx.error(span, format!("several codes of `{name}` mean `{twice}`, it cannot be read backwards"));
        }
        if let (Type::Enum(of), false) = (ty, reverse) {
            for (meaning, at) in list.meanings().filter(|(meaning, _)| !of.values.contains(meaning)) {
                let findings = self.cx.findings();
                let help = finding::suggest(meaning, of.values.iter().copied());
                findings.error(&list.source, at, format!("{} has no value `{meaning}`", of.name), help);
            }
        }
        Some(Lookup { list: number, on, reverse, park_unknown })
    }

    pub(super) fn enum_table(&mut self, fields: &mut Fields<'_, '_>, ty: &Type) -> Option<EnumTable> {
        let park_unknown = fields.word("unknown", &UNKNOWN);
        if fields.optional("lookup").is_some() {
            return None;
        }
        let Some(node) = fields.optional("enum") else {
            if let (Some(_), false) = (park_unknown, matches!(ty, Type::Enum(_))) {
                self.cx.error(fields.span, "`unknown` says what to do with a value that `enum` does not list");
            }
            return park_unknown.map(|park_unknown| EnumTable { entries: Vec::new(), park_unknown });
        };
        let mut entries = Vec::new();
        for (key, value) in node.entries(self.cx) {
            let Some(text) = value.scalar() else {
                value.expected("a value", self.cx);
                continue;
            };
            if let Type::Enum(of) = ty
                && !of.values.contains(&text)
            {
                self.cx.unknown(value.span, &format!("{} value", of.name), text, of.values.iter().copied());
            }
            entries.push((key.name.clone(), text.to_owned()));
        }
        Some(EnumTable { entries, park_unknown: park_unknown.unwrap_or(false) })
    }

    pub(super) fn date_form(&mut self, fields: &mut Fields<'_, '_>, ty: &Type, span: Span) -> Option<DateForm> {
        let zone_node = fields.optional("zone");
        let zone = zone_node.and_then(|node| {
            let name = node.text(self.cx)?;
            let zone = jiff::tz::TimeZone::get(&name).ok();
            if zone.is_none() {
                let known: Vec<String> = jiff::tz::db().available().map(|zone| zone.to_string()).collect();
                let names = known.iter().map(String::as_str);
                let city = |zone: &&str| zone.rsplit('/').next().is_some_and(|city| city.eq_ignore_ascii_case(&name));
                let near = names.clone().find(city).or_else(|| finding::nearest(&name, names));
                let help =
                    near.map_or("such as Asia/Shanghai or UTC".to_owned(), |zone| format!("did you mean `{zone}`?"));
                self.cx.error_with(node.span, format!("`{name}` is no IANA time zone"), Some(help));
            }
            zone
        });
        let (date, datetime) = (fields.optional("date"), fields.optional("datetime"));
        let Some(node) = date.or(datetime) else {
            if let Some(node) = zone_node {
                self.cx.error(node.span, "`zone` belongs beside `date` or `datetime`");
            }
            return None;
        };
        let text = node.text(self.cx)?;
        let fits = match ty {
            Type::Date | Type::PartialDate => date.is_some(),
            Type::DateTime => datetime.is_some(),
            _ => true,
        };
        if !fits {
            self.cx.error(node.span, format!("the field is {}", ty.name()));
        }
        if let (Some(_), Some(other)) = (date, datetime) {
            self.cx.error(other.span, "a rule has `date` or `datetime`, not both");
        }
        let Some(form) = Form::named(&text) else {
            self.cx.unknown(node.span, "date form", &text, Form::NAMES.iter().map(|(name, _)| *name));
            return None;
        };
        if date.is_some() && form.is_instant() && zone_node.is_none() {
            let help = "add `zone: Asia/Shanghai`, or whichever zone the day is meant in".to_owned();
            self.cx.error_with(node.span, "an instant is a day only in a time zone", Some(help));
        }
        if datetime.is_some() && form.is_local() && zone_node.is_none() {
            let help = "add `zone: Asia/Shanghai`, or whichever zone the vendor means".to_owned();
            self.cx.error_with(span, "a local date-time needs a zone", Some(help));
        }
        let writes = self.writes && matches!(ty, Type::Json);
        Some(DateForm { form, zone, day: date.is_some(), writes })
    }

    /// What a rule makes must be able to become what the field is.
    pub(super) fn check_shape(&mut self, rule: &Rule, ty: &Type) {
        let sources = match &rule.what {
            What::Expr(located) => std::slice::from_ref(located),
            What::Paths(paths) => paths.as_slice(),
            _ => return,
        };
        // A table or code list may make anything of a code.
        if rule.lookup.is_some() || rule.enumeration.is_some() {
            return;
        }
        for located in sources {
            self.check_becomes(located.expr.ty(), rule, ty);
        }
    }

    fn check_becomes(&mut self, found: &ExprType, rule: &Rule, ty: &Type) {
        let bad = match ty {
            Type::List(_) | Type::Json | Type::Localized => false,
            Type::Struct(_) | Type::Ref(_) => !matches!(found, ExprType::Any | ExprType::Record(_) | ExprType::Nothing),
            Type::Bool => !found.may_be(&ExprType::Bool),
            Type::Integer | Type::Decimal | Type::Rate => matches!(
                found,
                ExprType::Bool | ExprType::Date | ExprType::DateTime | ExprType::Record(_) | ExprType::List(_)
            ),
            _ => matches!(found, ExprType::Record(_)) || (matches!(found, ExprType::List(_)) && rule.join.is_none()),
        };
        if bad {
            self.cx.error(rule.span, format!("the field is {}, its source gives {found}", ty.name()));
        }
    }
}
