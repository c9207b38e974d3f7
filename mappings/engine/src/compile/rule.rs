//! Reads one rule of a mapping file: what makes a value, and what is done to it on the way into its field.

use super::Compiler;
use super::fields::Target;
use super::shapes::takes_days;
use crate::mapping::{EachRule, Letters, Rule, What};
use hub_expr::Type as ExprType;
use hub_model::scalars::ContactType;
use hub_model::{Enum, ModelType, Type};
use hub_tree::Span;
use hub_tree::yaml::{Fields, Key, Kind, Node};

/// Where a rule's value comes from.
pub(crate) const WHATS: [&str; 11] =
    ["path", "value", "expr", "each", "fields", "ref", "money", "score", "phone", "email", "person_name"];

/// What is done to the value that `path` or `expr` finds; the others make their values themselves.
pub(crate) const SHAPES: [&str; 12] =
    ["trim", "lower", "upper", "split", "join", "enum", "lookup", "unknown", "date", "datetime", "zone", "clear"];

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
        for (key, _) in entries.iter().filter(|(_, value)| value.kind == Kind::Null) {
            let help = (key.name == "value").then(|| "to remove what is stored, write `clear: on_null`".to_owned());
            self.cx.error_with(key.span, format!("`{}` is empty: write its value or take it out", key.name), help);
        }
        self.check_together(entries, &whats, ty);
        let mut fields = node.fields(self.cx)?;
        let when = fields.optional("when").and_then(|node| self.condition(node));
        let rule = match fields.optional("each") {
            Some(list) => self.each_rule(list, &mut fields, node, ty, id),
            None => {
                // That it needs an `each` has been said.
                let _ = fields.optional("where");
                self.plain_rule(&mut fields, node, ty, id)
            }
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
                let help = match what {
                    "value" => "take it out, and write the value as it is to be".to_owned(),
                    what => format!("take it out, or put it into a rule inside `{what}`"),
                };
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
        let (split, join) = (fields.text("split"), fields.text("join"));
        let required = fields.bool("required").unwrap_or(false);
        let always = self.writes && fields.bool("always").unwrap_or(false);
        let clear_on_null = fields.word("clear", &[("on_null", true)]).unwrap_or(false);
        // Every key has been asked for by now: a source with an error does not make the others unknown.
        let rule = Rule {
            what: what?,
            when: None,
            trim,
            letters,
            split,
            join,
            enumeration,
            lookup,
            date,
            default,
            required,
            always,
            clear_on_null,
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
            let entity = node.text(self.cx);
            match ty {
                Type::Ref(wanted) if wanted.is_empty() || entity.as_deref().is_none_or(|entity| entity == *wanted) => {}
                Type::Ref(wanted) => self.cx.error_with(
                    node.span,
                    format!("the field refers to {wanted}, not to {}", entity.as_deref().unwrap_or_default()),
                    Some(format!("write `ref: {wanted}`")),
                ),
                other => self.cx.error(node.span, format!("`ref` makes a reference, the field is {}", other.name())),
            }
            let mut part = |compiler: &mut Self, key| {
                fields.optional(key).and_then(|node| compiler.short_rule(node, &Type::Text, id)).map(Box::new)
            };
            let (key, hub_id, display) = (part(self, "key"), part(self, "hub_id"), part(self, "display"));
            let named = fields.optional("key").is_some() || fields.optional("hub_id").is_some();
            if !named {
                self.cx.error(node.span, "a reference needs a `key`, or the `hub_id` that the vendor hands back");
            }
            let whole = entity.filter(|_| key.is_some() || hub_id.is_some());
            found = whole.map(|entity| What::Ref { entity, key, hub_id, display });
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
