//! Reads one rule of a mapping file: what makes a value, and what is done to it on the way into its field.

use super::{Compiler, Target};
use crate::mapping::{DateForm, DateKind, EachRule, EnumTable, FieldRule, Letters, Literal, Rule, What};
use hub_expr::{Segment, Type as ExprType};
use hub_model::scalars::ContactType;
use hub_model::{Enum, ModelType, Type, scalars};
use hub_tree::yaml::{Fields, Kind, Node};
use hub_tree::{Span, Value, jiff, json};

/// Every key of a rule, so that a misspelt one is found.
const WHATS: [&str; 11] =
    ["path", "value", "expr", "each", "fields", "ref", "money", "score", "phone", "email", "person_name"];

/// The type of `type` in phones and e-mail addresses.
const CONTACT_TYPE: &Type = <Enum<ContactType> as ModelType>::TYPE;

impl Compiler<'_, '_> {
    pub(super) fn rule(&mut self, node: &Node, ty: &'static Type, id: &str) -> Option<Rule> {
        let Kind::Map(entries) = &node.kind else {
            let help = match node.scalar() {
                Some(text) => format!("write `{{ path: {text} }}`, or `{{ value: {text} }}` for the text itself"),
                None => "write a rule such as `{ path: payload.id }`".to_owned(),
            };
            self.cx.error_with(node.span, format!("expected a rule, found {}", node.kind_name()), Some(help));
            return None;
        };
        let whats: Vec<&str> = entries.iter().map(|(key, _)| key.name.as_str()).filter(|k| WHATS.contains(k)).collect();
        let sources = whats.iter().filter(|what| **what != "each").count();
        if sources != 1 {
            let found = if whats.is_empty() { "none".to_owned() } else { whats.join(", ") };
            let message = if whats.contains(&"each") {
                format!("`each` goes with one rule for what an item becomes, found {found}")
            } else {
                format!("a rule says once where its value comes from, found {found}")
            };
            self.cx.error_with(node.span, message, Some(format!("one of: {}", WHATS.join(", "))));
            return None;
        }
        let mut fields = node.fields(self.cx)?;
        let when = fields.optional("when").and_then(|node| self.condition(node));
        let rule = match fields.optional("each") {
            Some(list) => self.each_rule(list, &mut fields, node, ty, id),
            None => self.plain_rule(&mut fields, node, ty, id),
        };
        fields.finish();
        rule.map(|rule| Rule { when, ..rule })
    }

    fn each_rule(
        &mut self,
        list: &Node,
        fields: &mut Fields<'_, '_>,
        node: &Node,
        ty: &'static Type,
        id: &str,
    ) -> Option<Rule> {
        let item_ty: &'static Type = match ty {
            Type::List(item) => item,
            Type::Json => &Type::Json,
            other => {
                self.cx.error(node.span, format!("`each` makes a list, the field is {}", other.name()));
                return None;
            }
        };
        let list = self.expr(list, false)?;
        if !matches!(list.expr.ty(), ExprType::Any | ExprType::List(_)) {
            self.cx.error(list.span, format!("`each` needs a list, this is {}", list.expr.ty()));
        }
        let place = list.expr.source().and_then(|read| self.place(read)).map(|mut place| {
            place.push(Segment::Items);
            place
        });
        self.push_slot("item", list.expr.ty().item(), place);
        let filter = fields.optional("where").and_then(|node| self.condition(node));
        let item = self.plain_rule(fields, node, item_ty, id);
        self.pop_slot();
        Some(Rule::of(What::Each(Box::new(EachRule { list, filter, item: item? })), node.span))
    }

    /// Everything but `each`.
    fn plain_rule(&mut self, fields: &mut Fields<'_, '_>, node: &Node, ty: &'static Type, id: &str) -> Option<Rule> {
        let what = self.what(fields, ty, id);
        let trim = fields.bool("trim").unwrap_or(false);
        let lower = fields.bool("lower").unwrap_or(false);
        let upper = fields.bool("upper").unwrap_or(false);
        if lower && upper {
            self.cx.error(node.span, "`lower` and `upper` exclude each other");
        }
        let letters = if lower { Some(Letters::Lower) } else { upper.then_some(Letters::Upper) };
        let enumeration = self.enum_table(fields, ty);
        let date = self.date_form(fields, ty, node.span);
        let default = fields.optional("default").and_then(|node| self.literal(node, ty)).map(What::Value);
        let rule = Rule {
            what: what?,
            when: None,
            trim,
            letters,
            split: fields.text("split"),
            join: fields.text("join"),
            enumeration,
            date,
            default,
            required: fields.bool("required").unwrap_or(false),
            clear_on_null: fields.word("clear", &[("on_null", true)]).unwrap_or(false),
            span: node.span,
        };
        if rule.required && rule.default.is_some() {
            self.cx.error(node.span, "`required` and `default` exclude each other");
        }
        self.check_shape(&rule, ty);
        Some(rule)
    }

    fn what(&mut self, fields: &mut Fields<'_, '_>, ty: &'static Type, id: &str) -> Option<What> {
        let mut found = None;
        if let Some(node) = fields.optional("path") {
            let paths = match &node.kind {
                Kind::List(items) => items.iter().map(|item| self.path(item)).collect::<Option<Vec<_>>>(),
                _ => self.path(node).map(|path| vec![path]),
            };
            found = paths.map(What::Paths);
        }
        if let Some(node) = fields.optional("expr") {
            found = self.expr(node, true).map(What::Expr);
        }
        if let Some(node) = fields.optional("value") {
            found = self.literal(node, ty).map(What::Value);
        }
        if let Some(node) = fields.optional("fields") {
            let target = match ty {
                Type::Struct(_) => Target::Part(ty),
                Type::Json => Target::Open,
                other => {
                    self.cx.error(node.span, format!("`fields` makes an object, the field is {}", other.name()));
                    return None;
                }
            };
            found = Some(What::Fields(self.field_rules(node, &target, id)));
        }
        if let Some(node) = fields.optional("ref") {
            let entity = node.text(self.cx)?;
            match ty {
                Type::Ref(wanted) if wanted.is_empty() || *wanted == entity => {}
                Type::Ref(wanted) => self.cx.error_with(
                    node.span,
                    format!("the field refers to {wanted}, not to {entity}"),
                    Some(format!("write `ref: {wanted}`")),
                ),
                other => self.cx.error(node.span, format!("`ref` makes a reference, the field is {}", other.name())),
            }
            let mut part = |compiler: &mut Self, key| {
                fields.optional(key).and_then(|node| compiler.short_rule(node, &Type::Text, id)).map(Box::new)
            };
            let (key, hub_id, display) = (part(self, "key"), part(self, "hub_id"), part(self, "display"));
            if key.is_none() && hub_id.is_none() {
                self.cx.error(node.span, "a reference needs a `key`, or the `hub_id` that the vendor hands back");
            }
            found = Some(What::Ref { entity, key, hub_id, display });
        }
        for key in ["money", "score", "phone", "email", "person_name"] {
            if let Some(node) = fields.optional(key) {
                found = self.composite(key, node, ty, id);
            }
        }
        found
    }

    /// `money`, `score`, `phone`, `email`, `person_name`: an object of rules.
    fn composite(&mut self, key: &str, node: &Node, ty: &'static Type, id: &str) -> Option<What> {
        let wanted = match key {
            "money" => "Money",
            "score" => "Score",
            "phone" => "Phone",
            "email" => "Email",
            _ => "PersonName",
        };
        if !matches!(ty, Type::Json) && ty.name() != wanted {
            self.cx.error(node.span, format!("`{key}` makes {wanted}, the field is {}", ty.name()));
        }
        if key == "person_name" {
            let target = if ty.fields().is_empty() { Target::Open } else { Target::Part(ty) };
            return Some(What::PersonName(self.short_fields(node, &target, id)));
        }
        if !matches!(node.kind, Kind::Map(_)) && matches!(key, "phone" | "email") {
            let value = Box::new(self.short_rule(node, &Type::Text, id)?);
            return Some(if key == "phone" {
                What::Phone { value, region: None, kind: None }
            } else {
                What::Email { value, kind: None, is_primary: None }
            });
        }
        let mut fields = node.fields(self.cx)?;
        let mut part = |compiler: &mut Self, key: &'static str, ty: &'static Type, needed: bool| {
            let node = if needed { fields.required(key) } else { fields.optional(key) };
            node.and_then(|node| compiler.short_rule(node, ty, id)).map(Box::new)
        };
        let what = match key {
            "money" => {
                let amount = part(self, "amount", &Type::Decimal, true);
                let currency = part(self, "currency", &Type::Currency, true);
                let minor_units = fields.bool("minor_units").unwrap_or(false);
                amount.zip(currency).map(|(amount, currency)| What::Money { amount, currency, minor_units })
            }
            "score" => {
                let value = part(self, "path", &Type::Decimal, true);
                let min = part(self, "min", &Type::Decimal, true);
                let max = part(self, "max", &Type::Decimal, true);
                let scale = part(self, "scale", &Type::Text, false);
                value.zip(min).zip(max).map(|((value, min), max)| What::Score { value, min, max, scale })
            }
            "phone" => {
                let value = part(self, "path", &Type::Text, true);
                let region = part(self, "region", &Type::Country, false);
                let kind = part(self, "type", CONTACT_TYPE, false);
                value.map(|value| What::Phone { value, region, kind })
            }
            _ => {
                let value = part(self, "path", &Type::Text, true);
                let kind = part(self, "type", CONTACT_TYPE, false);
                let is_primary = part(self, "is_primary", &Type::Bool, false);
                value.map(|value| What::Email { value, kind, is_primary })
            }
        };
        fields.finish();
        what
    }

    fn short_fields(&mut self, node: &Node, target: &Target, id: &str) -> Vec<FieldRule> {
        let mut rules = Vec::new();
        for (key, value) in node.entries(self.cx) {
            let Some((path, ty)) = self.resolve(&key.name, key.span, target) else { continue };
            let id = format!("{id}.{}", key.name);
            if let Some(rule) = self.short_rule(value, ty, &id) {
                rules.push(FieldRule { target: path, ty, rule, span: key.span, id });
            }
        }
        rules
    }

    /// A rule inside another: a full rule, a path or expression as text, or a literal number. Where a country or
    /// currency belongs, a word in capitals is that code: `region: CN`, `currency: CNY`.
    fn short_rule(&mut self, node: &Node, ty: &'static Type, id: &str) -> Option<Rule> {
        let what = match &node.kind {
            Kind::Map(_) => return self.rule(node, ty, id),
            Kind::Text(text) => {
                let upper = text.bytes().all(|b| b.is_ascii_uppercase()) && self.scope.find(text).is_none();
                let a_code = matches!(ty, Type::Country | Type::Currency) && upper;
                if a_code { self.literal(node, ty).map(What::Value) } else { self.expr(node, true).map(What::Expr) }
            }
            _ => self.literal(node, ty).map(What::Value),
        };
        what.map(|what| Rule::of(what, node.span))
    }

    /// A literal value, checked against the target's type now rather than with the first payload.
    fn literal(&mut self, node: &Node, ty: &'static Type) -> Option<Literal> {
        let text = node.scalar().unwrap_or_default();
        let bad = match ty {
            Type::Enum(of) if !of.values.contains(&text) => {
                self.cx.unknown(node.span, &format!("{} value", of.name), text, of.values.iter().copied());
                return None;
            }
            Type::Decimal | Type::Rate => hub_tree::value::parse_decimal(text).is_none().then_some("a number"),
            Type::Integer => text.parse::<i64>().is_err().then_some("a whole number"),
            Type::Bool => (!matches!(node.kind, Kind::Bool(_))).then_some("true or false"),
            Type::Json | Type::Enum(_) | Type::Localized => None,
            Type::List(_) | Type::Struct(_) | Type::Ref(_) => Some("a rule that makes it"),
            _ => scalars::check_text(ty, text).err(),
        };
        if let Some(wanted) = bad {
            self.cx.error(node.span, format!("the field is {}: expected {wanted}", ty.name()));
            return None;
        }
        let arena = hub_tree::Arena::new();
        let json = match (ty, node.to_value(&arena)) {
            (Type::Json, value) => json::to_string(&value),
            (_, Value::Bool(value)) => value.to_string(),
            _ => json::to_string(&Value::Text(text)),
        };
        Some(Literal { json })
    }

    fn enum_table(&mut self, fields: &mut Fields<'_, '_>, ty: &Type) -> Option<EnumTable> {
        let park_unknown = fields.word("unknown", &[("keep", false), ("park", true)]);
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

    fn date_form(&mut self, fields: &mut Fields<'_, '_>, ty: &Type, span: Span) -> Option<DateForm> {
        let zone_node = fields.optional("zone");
        let zone = zone_node.and_then(|node| {
            let name = node.text(self.cx)?;
            if jiff::tz::TimeZone::get(&name).is_err() {
                self.cx.error(node.span, format!("`{name}` is no IANA time zone"));
            }
            Some(name)
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
        if matches!(ty, Type::Date | Type::PartialDate) && text.starts_with("epoch") {
            let help = "a day has no time of day: read it by a format such as %Y-%m-%d".to_owned();
            self.cx.error_with(
                node.span,
                format!("the field is {}, an instant cannot become one", ty.name()),
                Some(help),
            );
        }
        let kind = match text.as_str() {
            "rfc3339" | "iso" | "iso8601" => DateKind::Rfc3339,
            "epoch_s" => DateKind::EpochSeconds,
            "epoch_ms" => DateKind::EpochMillis,
            format if format.contains('%') => DateKind::Format(text),
            other => {
                self.cx.unknown(node.span, "date form", other, ["rfc3339", "epoch_s", "epoch_ms", "iso"]);
                return None;
            }
        };
        let local = matches!(&kind, DateKind::Format(format) if !format.contains("%z") && !format.contains("%:z"));
        if datetime.is_some() && local && zone.is_none() {
            let help = "add `zone: Asia/Shanghai`, or whichever zone the vendor means".to_owned();
            self.cx.error_with(span, "a local date-time needs a zone", Some(help));
        }
        Some(DateForm { kind, zone })
    }

    /// What a rule makes must be able to become what the field is.
    fn check_shape(&mut self, rule: &Rule, ty: &Type) {
        let What::Expr(located) = &rule.what else { return };
        let found = located.expr.ty();
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
            self.cx.error(rule.span, format!("the field is {}, the expression gives {found}", ty.name()));
        }
    }
}

impl Rule {
    fn of(what: What, span: Span) -> Self {
        Self {
            what,
            when: None,
            trim: false,
            letters: None,
            split: None,
            join: None,
            enumeration: None,
            date: None,
            default: None,
            required: false,
            clear_on_null: false,
            span,
        }
    }
}
