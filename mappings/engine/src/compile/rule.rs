//! Reads one rule of a mapping file: what makes a value, and what is done to it on the way into its field.

use super::Compiler;
use super::fields::Target;
use crate::mapping::{DateForm, EachRule, EnumTable, Letters, Literal, Lookup, Rule, What};
use hub_expr::Type as ExprType;
use hub_model::scalars::ContactType;
use hub_model::{Enum, ModelType, Type, scalars};
use hub_standards::dates::Form;
use hub_tree::yaml::{Fields, Key, Kind, Node};
use hub_tree::{Span, jiff};

/// Where a rule's value comes from.
pub(crate) const WHATS: [&str; 11] =
    ["path", "value", "expr", "each", "fields", "ref", "money", "score", "phone", "email", "person_name"];

/// What is done to the value that `path` or `expr` finds; the others make their values themselves.
pub(crate) const SHAPES: [&str; 12] =
    ["trim", "lower", "upper", "split", "join", "enum", "lookup", "unknown", "date", "datetime", "zone", "clear"];

/// The type of `type` in phones and e-mail addresses.
const CONTACT_TYPE: &Type = <Enum<ContactType> as ModelType>::TYPE;

/// What happens to a value that a table does not list.
const UNKNOWN: [(&str, bool); 2] = [("keep", false), ("park", true)];

/// Whether values of the type are days or instants, or anything.
fn takes_days(ty: &Type) -> bool {
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
        for (key, _) in entries.iter().filter(|(_, value)| value.kind == Kind::Null) {
            let help = (key.name == "value").then(|| "to remove what is stored, write `clear: on_null`".to_owned());
            self.cx.error_with(key.span, format!("`{}` is empty: write its value or take it out", key.name), help);
        }
        self.check_together(entries, &whats, ty);
        let mut fields = node.fields(self.cx)?;
        let when = fields.optional("when").and_then(|node| self.condition(node));
        let rule = match fields.optional("each") {
            Some(list) => self.each_rule(list, &mut fields, node, ty, id),
            None => self.plain_rule(&mut fields, node, ty, id),
        };
        fields.finish();
        rule.map(|rule| Rule { when, ..rule })
    }

    /// Keys of a rule that do nothing beside each other.
    fn check_together(&self, entries: &[(Key, Node)], whats: &[&str], ty: &Type) {
        let has = |name: &str| entries.iter().any(|(key, _)| key.name == name);
        for (key, _) in entries {
            let name = key.name.as_str();
            let each_clears = name == "clear" && has("each");
            if SHAPES.contains(&name) && !has("path") && !has("expr") && !each_clears {
                let what = whats.iter().find(|what| **what != "each").copied().unwrap_or_default();
                let help = format!("take it out, or put it into a rule inside `{what}`");
                let message = format!("`{name}` shapes what `path` or `expr` finds; `{what}` makes its value itself");
                self.cx.error_with(key.span, message, Some(help));
            }
            let fixed = has("value") && !has("when");
            if ["default", "required"].contains(&name) && fixed {
                self.cx.error(key.span, format!("`{name}` does nothing beside `value`, which is always there"));
            }
            if ["date", "datetime"].contains(&name) && !takes_days(ty) {
                let message = format!("`{name}` is for days and instants, the field is {}", ty.name());
                self.cx.error_with(key.span, message, Some("write `expr: format_date(…)` for a day as text".into()));
            }
            if name == "where" && !has("each") {
                self.cx.error(key.span, "`where` picks items of an `each`");
            }
        }
        if has("enum") && has("lookup") {
            self.cx.error(entries[0].0.span, "`enum` and `lookup` both say what a code means: keep one");
        }
    }

    fn each_rule(
        &mut self,
        list: &Node,
        fields: &mut Fields<'_, '_>,
        node: &Node,
        ty: &'static Type,
        id: &str,
    ) -> Option<Rule> {
        let item_ty: Option<&'static Type> = match ty {
            Type::List(item) => Some(item),
            Type::Json => Some(&Type::Json),
            other => {
                self.cx.error(node.span, format!("`each` makes a list, the field is {}", other.name()));
                None
            }
        };
        let located = self.expr(list, false);
        if let Some(located) = &located
            && !matches!(located.expr.ty(), ExprType::Any | ExprType::List(_) | ExprType::Record(_))
        {
            self.cx.error(list.span, format!("`each` needs a list, this is {}", located.expr.ty()));
        }
        self.push_item(located.as_ref());
        let filter = fields.optional("where").and_then(|node| self.condition(node));
        let clear_on_null = fields.word("clear", &[("on_null", true)]).unwrap_or(false);
        let item = match item_ty {
            Some(item_ty) => self.plain_rule(fields, node, item_ty, id),
            None => {
                // Nothing can be said about its parts; that they are keys of a rule still counts.
                WHATS.iter().chain(&SHAPES).for_each(|key| _ = fields.optional(key));
                ["default", "required", "always"].iter().for_each(|key| _ = fields.optional(key));
                None
            }
        };
        self.pop_slot();
        let each = EachRule { list: located?, filter, item: item? };
        Some(Rule { clear_on_null, ..Rule::of(What::Each(Box::new(each)), node.span) })
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
        let lookup = self.lookup(fields, ty);
        let date = self.date_form(fields, ty, node.span);
        let default = fields.optional("default").and_then(|node| self.literal(node, ty));
        let rule = Rule {
            what: what?,
            when: None,
            trim,
            letters,
            split: fields.text("split"),
            join: fields.text("join"),
            enumeration,
            lookup,
            date,
            default,
            required: fields.bool("required").unwrap_or(false),
            always: self.writes && fields.bool("always").unwrap_or(false),
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

    /// A rule inside another: a full rule, a path or expression as text, or a literal number. Where a country, a
    /// currency or a value of an enum belongs, a word in capitals is that: `region: CN`, `type: WORK`.
    pub(super) fn short_rule(&mut self, node: &Node, ty: &'static Type, id: &str) -> Option<Rule> {
        let what = match &node.kind {
            Kind::Map(_) => return self.rule(node, ty, id),
            Kind::Text(text) => {
                let a_code = match ty {
                    Type::Country | Type::Currency => text.bytes().all(|b| b.is_ascii_uppercase()),
                    Type::Enum(of) => of.values.contains(&text.as_str()),
                    _ => false,
                };
                if a_code && self.scope.find(text).is_none() {
                    self.literal(node, ty).map(What::Value)
                } else {
                    self.expr(node, true).map(What::Expr)
                }
            }
            _ => self.literal(node, ty).map(What::Value),
        };
        what.map(|what| Rule::of(what, node.span))
    }

    /// A literal value, checked against the target's type now rather than with the first payload.
    fn literal(&mut self, node: &Node, ty: &'static Type) -> Option<Literal> {
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
    fn lookup(&mut self, fields: &mut Fields<'_, '_>, ty: &Type) -> Option<Lookup> {
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
        let list = std::sync::Arc::clone(&self.lists[number]);
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
                let help = hub_tree::finding::suggest(meaning, of.values.iter().copied());
                findings.error(&list.source, at, format!("{} has no value `{meaning}`", of.name), help);
            }
        }
        Some(Lookup { list: number, on, reverse, park_unknown })
    }

    fn enum_table(&mut self, fields: &mut Fields<'_, '_>, ty: &Type) -> Option<EnumTable> {
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

    fn date_form(&mut self, fields: &mut Fields<'_, '_>, ty: &Type, span: Span) -> Option<DateForm> {
        let zone_node = fields.optional("zone");
        let zone = zone_node.and_then(|node| {
            let name = node.text(self.cx)?;
            let zone = jiff::tz::TimeZone::get(&name).ok();
            if zone.is_none() {
                self.cx.error(node.span, format!("`{name}` is no IANA time zone"));
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
    fn check_shape(&mut self, rule: &Rule, ty: &Type) {
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
            lookup: None,
            date: None,
            default: None,
            required: false,
            always: false,
            clear_on_null: false,
            span,
        }
    }
}
