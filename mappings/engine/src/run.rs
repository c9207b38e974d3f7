//! Follows a compiled mapping over one input.

use crate::convert::{self, Misfit, convert, misfit};
use crate::explain::Steps;
use crate::mapping::{Draft, EachRule, Emit, FieldRule, Letters, Mapping, ROOTS, Rule, What};
use crate::unread;
use hub_expr::{Cx, EvalError, Located};
use hub_model::{EntityType, Type};
use hub_standards::names;
use hub_tree::{Arena, Limits, Position, Source, Span, Value, json};
use serde::Serialize;
use std::fmt;

/// What a mapping reads.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The vendor's payload, or for an out mapping the canonical input.
    pub payload: Value<'a>,
    /// The HTTP headers that were kept, by lower-case name.
    pub headers: Value<'a>,
    /// The vendor's name of the event, or the operation whose answer this is.
    pub event: &'a str,
    /// The connection's id; references name it.
    pub connection: &'a str,
    /// The connection's settings, without secrets.
    pub settings: Value<'a>,
    /// The arguments of the call whose answer this is.
    pub request: Value<'a>,
}

impl<'a> Input<'a> {
    /// An input of nothing but a payload.
    #[must_use]
    pub const fn of(payload: Value<'a>, connection: &'a str) -> Self {
        Self { payload, headers: Value::Absent, event: "", connection, settings: Value::Absent, request: Value::Absent }
    }
}

/// How much an issue matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The record is good; one field of it was left out or kept raw.
    Warning,
    /// The record is not made; the message waits for a person.
    Error,
}

/// Something that went wrong with one value. It never quotes the value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Issue {
    /// Warning or error.
    pub level: Level,
    /// A stable code, such as `unparsable_phone`.
    pub code: &'static str,
    /// The entity that the record would be.
    pub entity: &'static str,
    /// The field as a JSON pointer; empty when the issue is the record's.
    pub field: String,
    /// What is wrong.
    pub message: String,
    /// Where in the mapping the rule stands.
    pub file: String,
    /// Line from 1.
    pub line: usize,
    /// Column from 1.
    pub column: usize,
}

impl fmt::Display for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, entity, field, message, .. } = self;
        write!(f, "{file}:{line}:{column}: {entity}{field}: {message}")
    }
}

/// One record that a payload says something about.
#[derive(Clone, Debug)]
pub struct Record<'a> {
    /// Its entity.
    pub entity: &'static EntityType,
    /// Its id at the vendor.
    pub key: Option<&'a str>,
    /// The hub's own id, where the vendor hands it back.
    pub hub_id: Option<&'a str>,
    /// The vendor says that it is gone.
    pub deleted: bool,
    /// Where a person can look at it.
    pub url: Option<&'a str>,
    /// The fields to set: a patch. An explicit null removes a field.
    pub fields: Value<'a>,
    /// What no rule read, to be kept under the connector's name in `ext`.
    pub ext: Value<'a>,
    /// Field pointers and the rules that set them.
    pub rules: Vec<(String, &'a str)>,
}

/// What a mapping made of a payload.
#[derive(Debug, Default)]
pub struct Outcome<'a> {
    /// The records, without those that have errors.
    pub records: Vec<Record<'a>>,
    /// What went wrong.
    pub issues: Vec<Issue>,
    /// Source paths that no rule reads and nobody told to ignore.
    pub unread: Vec<String>,
}

impl Outcome<'_> {
    /// The first error, if some record could not be made.
    #[must_use]
    pub fn first_error(&self) -> Option<&Issue> {
        self.issues.iter().find(|issue| issue.level == Level::Error)
    }
}

/// What an out mapping made.
#[derive(Debug)]
pub struct Reply<'a> {
    /// The vendor's body.
    pub body: Value<'a>,
    /// What went wrong; with an error the body must not be sent.
    pub issues: Vec<Issue>,
}

/// The state of one run.
pub(crate) struct Run<'a> {
    source: &'a Source,
    /// The names of the slots, in order.
    names: Vec<&'a str>,
    pub(crate) cx: Cx<'a>,
    pub(crate) connection: &'a str,
    issues: Vec<Issue>,
    entity: &'static str,
    field: String,
    span: Span,
    /// Recorded when somebody asks why.
    pub(crate) steps: Option<Steps>,
}

impl Draft {
    /// Fills the draft in: the fields, which rule set which, and what went wrong. `slots` are the values of the names
    /// that it was compiled with.
    #[must_use]
    pub fn fill<'a>(&'a self, arena: &'a Arena, slots: Vec<Value<'a>>) -> Filled<'a> {
        let names = self.names.iter().map(String::as_str).collect();
        let mut run = Run::with(&self.source, arena, names, slots, "");
        run.entity = self.entity.name;
        let mut rules = Vec::new();
        let (fields, _) = run.fields(&self.fields, self.entity.fields, &mut rules);
        Filled { fields, rules, issues: run.issues }
    }
}

/// A draft that was filled in.
#[derive(Debug)]
pub struct Filled<'a> {
    /// The fields.
    pub fields: Value<'a>,
    /// Field pointers and the rules that set them.
    pub rules: Vec<(String, &'a str)>,
    /// What went wrong; with an error the record must not be made.
    pub issues: Vec<Issue>,
}

impl Mapping {
    /// Maps a vendor's payload.
    #[must_use]
    pub fn run_in<'a>(&'a self, arena: &'a Arena, input: &Input<'a>) -> Outcome<'a> {
        let mut run = Run::new(&self.source, arena, input);
        let mut records = Vec::new();
        if run.lets(self) {
            for emit in &self.emits {
                run.emit(emit, &mut records);
            }
        }
        unread::keep_leftovers(self, arena, input.payload, &mut records);
        let records = records.into_iter().map(|(_, record)| record).collect();
        Outcome { records, issues: run.issues, unread: unread::paths(self, input.payload) }
    }

    /// Maps canonical input to a vendor's body.
    #[must_use]
    pub fn run_out<'a>(&'a self, arena: &'a Arena, input: &Input<'a>) -> Reply<'a> {
        let mut run = Run::new(&self.source, arena, input);
        let mut body = Value::Absent;
        if run.lets(self) {
            let mut rules = Vec::new();
            body = run.fields(&self.body, &[], &mut rules).0;
        }
        Reply { body, issues: run.issues }
    }
}

impl<'a> Run<'a> {
    pub(crate) fn new(source: &'a Source, arena: &'a Arena, input: &Input<'a>) -> Self {
        let connection = arena.map(&[("id", Value::Text(input.connection)), ("settings", input.settings)]);
        let slots = vec![input.payload, input.headers, Value::Text(input.event), connection, input.request];
        Self::with(source, arena, ROOTS.to_vec(), slots, input.connection)
    }

    /// A run over slots of the caller's own.
    pub(crate) fn with(
        source: &'a Source,
        arena: &'a Arena,
        names: Vec<&'a str>,
        slots: Vec<Value<'a>>,
        connection: &'a str,
    ) -> Self {
        Self {
            source,
            names,
            cx: Cx::new(arena, slots),
            connection,
            issues: Vec::new(),
            entity: "",
            field: String::new(),
            span: Span::default(),
            steps: None,
        }
    }

    /// Evaluates the `let` names; `false` when one of them fails.
    pub(crate) fn lets(&mut self, mapping: &'a Mapping) -> bool {
        for binding in &mapping.lets {
            let path = self.source_path(&binding.expr);
            match binding.expr.expr.eval(&mut self.cx) {
                Ok(value) => {
                    self.names.push(&binding.name);
                    self.cx.slots.push(value);
                    self.cx.slot_paths.resize(self.cx.slots.len() - 1, None);
                    self.cx.slot_paths.push(path);
                }
                Err(error) => {
                    let message = format!("let `{}`: {}", binding.name, error.message);
                    self.issue(Level::Error, "expression_failed", message, binding.expr.place(error.start));
                    return false;
                }
            }
        }
        true
    }

    /// The absolute path of an expression that is nothing but a path, for explanations.
    pub(crate) fn source_path(&self, located: &Located) -> Option<String> {
        if !located.expr.is_path() {
            return None;
        }
        let text = located.expr.text();
        let (root, rest) = text.split_at(text.find(['.', '[']).unwrap_or(text.len()));
        let slot = self.names.iter().rposition(|name| *name == root)?;
        let base = self.cx.slot_paths.get(slot).cloned().flatten().unwrap_or_else(|| root.to_owned());
        Some(base + rest)
    }

    fn issue(&mut self, level: Level, code: &'static str, message: String, at: Position) {
        self.issues.push(Issue {
            level,
            code,
            entity: self.entity,
            field: self.field.clone(),
            message,
            file: self.source.path.clone(),
            line: at.line,
            column: at.column,
        });
    }

    /// A warning about the rule at `span`.
    pub(crate) fn note(&mut self, misfit: &Misfit, span: Span) {
        self.issue(Level::Warning, misfit.code, misfit.message.clone(), span.start);
    }

    /// A warning about the rule that is being followed.
    pub(crate) fn note_here(&mut self, code: &'static str, message: String) {
        self.issue(Level::Warning, code, message, self.span.start);
    }

    fn failed(&mut self, located: &Located, error: EvalError) {
        self.issue(Level::Error, "expression_failed", error.message, located.place(error.start));
    }

    /// The value of an expression, or an error issue.
    pub(crate) fn eval(&mut self, located: &'a Located) -> Result<Value<'a>, ()> {
        let result = match &mut self.steps {
            None => located.expr.eval(&mut self.cx),
            Some(steps) => located.expr.explain(&mut self.cx).map(|(value, why)| {
                steps.add(why);
                value
            }),
        };
        result.map_err(|error| self.failed(located, error))
    }

    /// A condition; absent is an error, because not knowing is not "no".
    fn holds(&mut self, located: &'a Located) -> Result<bool, ()> {
        match self.eval(located)? {
            Value::Bool(value) => Ok(value),
            value => {
                let what =
                    if value.is_absent() { "absent: give what it reads a default with `??`" } else { value.kind() };
                self.issue(Level::Error, "condition_failed", format!("the condition is {what}"), located.place(0));
                Err(())
            }
        }
    }

    fn emit(&mut self, emit: &'a Emit, records: &mut Vec<(&'a Emit, Record<'a>)>) {
        self.entity = emit.entity.name;
        self.field.clear();
        let Some(each) = &emit.each else {
            self.record(emit, records);
            return;
        };
        let Ok(list) = self.eval(each) else { return };
        let single = [list];
        let items: &[Value<'a>] = match list {
            Value::List(items) => items,
            list if list.is_absent() => &[],
            _ => &single,
        };
        let base = self.source_path(each);
        for (index, item) in items.iter().enumerate() {
            self.with_item(*item, base.as_ref(), index, |run| run.record(emit, records));
        }
    }

    pub(crate) fn with_item<T>(
        &mut self,
        item: Value<'a>,
        list: Option<&String>,
        index: usize,
        inner: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let depth = self.cx.slots.len();
        self.cx.slots.push(item);
        self.names.push("item");
        if self.steps.is_some() {
            self.cx.slot_paths.resize(depth, None);
            self.cx.slot_paths.push(list.map(|path| format!("{path}[{index}]")));
        }
        let result = inner(self);
        self.cx.slots.truncate(depth);
        self.cx.slot_paths.truncate(depth);
        self.names.truncate(depth);
        result
    }

    fn record(&mut self, emit: &'a Emit, records: &mut Vec<(&'a Emit, Record<'a>)>) {
        let errors = self.issues.iter().filter(|issue| issue.level == Level::Error).count();
        match emit.when.as_ref().map(|when| self.holds(when)) {
            None | Some(Ok(true)) => {}
            Some(Ok(false) | Err(())) => return,
        }
        let text = |run: &mut Self, located: &'a Option<Located>| -> Result<Option<&'a str>, ()> {
            let Some(located) = located else { return Ok(None) };
            let value = run.eval(located)?;
            Ok(value.scalar_text(run.cx.arena).map(str::trim).filter(|text| !text.is_empty()))
        };
        let (Ok(key), Ok(hub_id), Ok(url)) = (text(self, &emit.key), text(self, &emit.hub_id), text(self, &emit.url))
        else {
            return;
        };
        if key.is_none() && hub_id.is_none() {
            let at = emit.key.as_ref().or(emit.hub_id.as_ref()).map_or(emit.span.start, |located| located.place(0));
            self.issue(Level::Error, "key_missing", "the record's key is absent or empty".to_owned(), at);
            return;
        }
        let deleted = match emit.deleted.as_ref().map(|deleted| self.holds(deleted)) {
            None => false,
            Some(Ok(deleted)) => deleted,
            Some(Err(())) => return,
        };
        let mut rules = Vec::new();
        let (fields, _) = self.fields(&emit.fields, emit.entity.fields, &mut rules);
        if self.issues.iter().filter(|issue| issue.level == Level::Error).count() == errors {
            let record = Record { entity: emit.entity, key, hub_id, deleted, url, fields, ext: Value::Absent, rules };
            records.push((emit, record));
        }
    }

    /// An object of fields, in declared order; the flag says whether any was set.
    pub(crate) fn fields(
        &mut self,
        rules: &'a [FieldRule],
        declared: &'static [hub_model::Field],
        made_by: &mut Vec<(String, &'a str)>,
    ) -> (Value<'a>, bool) {
        let mut object = Object::default();
        let outer = self.field.clone();
        for rule in rules {
            self.field = format!("{outer}{}", rule.pointer());
            if let Some(value) = self.field_rule(rule) {
                made_by.push((self.field.clone(), &rule.id));
                object.insert(&rule.target, value);
            }
        }
        self.field = outer;
        let set = !object.0.is_empty();
        (object.finish(self.cx.arena, declared), set)
    }

    /// The value of a field, as its declared type; `None` leaves the field out.
    pub(crate) fn field_rule(&mut self, rule: &'a FieldRule) -> Option<Value<'a>> {
        let span = std::mem::replace(&mut self.span, rule.rule.span);
        let value = self.rule(&rule.rule, rule.ty);
        self.span = span;
        value
    }

    fn rule(&mut self, rule: &'a Rule, ty: &'static Type) -> Option<Value<'a>> {
        match rule.when.as_ref().map(|when| self.holds(when)) {
            None | Some(Ok(true)) => {}
            Some(Ok(false) | Err(())) => return None,
        }
        let before = self.issues.len();
        let value = match self.what(&rule.what, rule, ty) {
            Ok(value) => value,
            Err(None) => return None,
            Err(Some(misfit)) => {
                let level = if rule.required || misfit.park { Level::Error } else { Level::Warning };
                self.issue(level, misfit.code, misfit.message, rule.span.start);
                return None;
            }
        };
        if !value.is_absent() {
            return Some(value);
        }
        if rule.clear_on_null && matches!(value, Value::Null) {
            return Some(Value::Null);
        }
        if let Some(default) = &rule.default {
            return self.what(default, rule, ty).ok().filter(|value| !value.is_absent());
        }
        // An error inside the value has parked the record already; a warning only left a part of it out.
        if rule.required && self.issues[before..].iter().all(|issue| issue.level == Level::Warning) {
            self.issue(Level::Error, "required_missing", "a required value is absent".to_owned(), rule.span.start);
        }
        None
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
            What::Value(literal) => {
                let value = json::read(arena, literal.json.as_bytes(), Limits::default()).unwrap_or_default();
                let value = match (ty, value) {
                    (Type::Enum(_), Value::Text(text)) => arena.map(&[("value", Value::Text(text))]),
                    (Type::Integer, Value::Text(text)) => Value::Number(text),
                    (_, value) => value,
                };
                Ok(value)
            }
            What::Each(each) => self.each(each, ty),
            What::Fields(fields) => {
                let mut rules = Vec::new();
                let (object, set) = self.fields(fields, ty.fields(), &mut rules);
                if set { convert::settle(self, object, ty).map_err(Some) } else { Ok(Value::Absent) }
            }
            What::PersonName(fields) => Ok(self.person_name(fields, ty)),
            What::Ref { entity, key, hub_id, display } => {
                let part = |run: &mut Self, rule: &'a Option<Box<Rule>>| {
                    rule.as_ref().and_then(|rule| run.rule(rule, &Type::Text))
                };
                let (key, hub_id, display) = (part(self, key), part(self, hub_id), part(self, display));
                let mut made = vec![("type", Value::Text(entity))];
                match (hub_id, key) {
                    (Some(id), _) => made.push(("id", id)),
                    (None, Some(key)) => {
                        let source = [("connection_id", Value::Text(self.connection)), ("remote_id", key)];
                        made.push(("source", arena.map(&source)));
                    }
                    (None, None) => return Ok(Value::Absent),
                }
                if let Some(display) = display {
                    made.push(("display", display));
                }
                Ok(arena.map(&made))
            }
            What::Money { amount, currency, minor_units } => {
                let amount = self.rule(amount, &Type::Json);
                let currency = self.rule(currency, &Type::Json);
                match (amount, currency) {
                    (Some(amount), Some(currency)) => {
                        convert::money(self, amount, currency, *minor_units).map_err(Some)
                    }
                    (None, _) => Ok(Value::Absent),
                    (_, None) => misfit("currency_missing", "an amount without a currency").map_err(Some),
                }
            }
            What::Score { value, min, max, scale } => {
                let Some(value) = self.rule(value, &Type::Json) else { return Ok(Value::Absent) };
                let mut bound = |rule: &'a Rule| self.rule(rule, &Type::Json);
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
        if object.is_absent() {
            return object;
        }
        let mut entries = object.entries().to_vec();
        for (name, rule) in parts {
            let part = ty.fields().iter().find(|field| field.name == *name).map_or(&Type::Json, |field| field.ty);
            if let Some(value) = rule.as_ref().and_then(|rule| self.rule(rule, part)) {
                entries.push((name, value));
            }
        }
        let position = |key: &str| ty.fields().iter().position(|field| field.name == key).unwrap_or(usize::MAX);
        entries.sort_by_key(|(key, _)| position(key));
        self.cx.arena.map(&entries)
    }

    /// Text transforms, then the target's type.
    fn shaped(&mut self, value: Value<'a>, rule: &'a Rule, ty: &'static Type) -> Result<Value<'a>, Option<Misfit>> {
        let arena = self.cx.arena;
        let mut value = value;
        if rule.clear_on_null && matches!(value, Value::Null) {
            return Ok(Value::Null);
        }
        if let (Some(separator), Value::List(items)) = (&rule.join, value) {
            let parts: Vec<&str> = items.iter().filter_map(|item| item.scalar_text(arena)).collect();
            value = Value::Text(arena.text(&parts.join(separator)));
        }
        if let Some(separator) = &rule.split
            && let Value::Text(text) = value
        {
            let parts: Vec<Value<'a>> =
                text.split(separator.as_str()).map(str::trim).filter(|p| !p.is_empty()).map(Value::Text).collect();
            value = arena.list(&parts);
        }
        value = self.lettered(value, rule);
        if let Some(steps) = &mut self.steps {
            steps.transformed(rule, value);
        }
        convert(self, value, ty, rule).map_err(Some)
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

    fn each(&mut self, each: &'a EachRule, ty: &'static Type) -> Result<Value<'a>, Option<Misfit>> {
        let item_ty: &'static Type = if let Type::List(item) = ty { item } else { &Type::Json };
        let list = self.eval(&each.list).map_err(|()| None)?;
        if list.is_absent() {
            return Ok(Value::Absent);
        }
        let single = [list];
        let items: &[Value<'a>] = if let Value::List(items) = list { items } else { &single };
        let base = self.source_path(&each.list);
        let mut made = Vec::with_capacity(items.len());
        let outer = self.field.clone();
        for (index, item) in items.iter().enumerate() {
            self.field = format!("{outer}/{index}");
            let value = self.with_item(*item, base.as_ref(), index, |run| {
                match each.filter.as_ref().map(|filter| run.holds(filter)) {
                    None | Some(Ok(true)) => run.rule(&each.item, item_ty),
                    Some(Ok(false) | Err(())) => None,
                }
            });
            made.extend(value);
        }
        self.field = outer;
        Ok(self.cx.arena.list(&made))
    }

    fn person_name(&mut self, fields: &'a [FieldRule], ty: &'static Type) -> Value<'a> {
        let arena = self.cx.arena;
        let mut rules = Vec::new();
        let (name, set) = self.fields(fields, ty.fields(), &mut rules);
        if !set || name.get("full").as_text().is_some() {
            return if set { name } else { Value::Absent };
        }
        match names::compose(name.get("given").as_text(), name.get("family").as_text()) {
            Some(full) => {
                let mut entries = vec![("full", Value::Text(arena.text(&full)))];
                entries.extend_from_slice(name.entries());
                arena.map(&entries)
            }
            None => Value::Absent,
        }
    }
}

/// An object that is being put together from dotted targets.
#[derive(Default)]
struct Object<'a>(Vec<(&'a str, Part<'a>)>);

enum Part<'a> {
    Value(Value<'a>),
    Object(Object<'a>),
}

impl<'a> Object<'a> {
    fn insert(&mut self, target: &'a [String], value: Value<'a>) {
        let Some((first, rest)) = target.split_first() else { return };
        if rest.is_empty() {
            self.0.push((first, Part::Value(value)));
            return;
        }
        let index = self.0.iter().position(|(key, _)| key == first).unwrap_or_else(|| {
            self.0.push((first, Part::Object(Object::default())));
            self.0.len() - 1
        });
        if let Part::Object(inner) = &mut self.0[index].1 {
            inner.insert(rest, value);
        }
    }

    /// The object with declared fields first, in their order, so that equal records have equal bytes.
    fn finish(mut self, arena: &'a Arena, declared: &'static [hub_model::Field]) -> Value<'a> {
        let position = |key: &str| declared.iter().position(|field| field.name == key).unwrap_or(usize::MAX);
        self.0.sort_by_key(|(key, _)| position(key));
        let entries: Vec<(&'a str, Value<'a>)> = self
            .0
            .into_iter()
            .map(|(key, part)| {
                let value = match part {
                    Part::Value(value) => value,
                    Part::Object(inner) => {
                        let fields = declared.iter().find(|field| field.name == key).map_or(&[][..], |f| f.ty.fields());
                        inner.finish(arena, fields)
                    }
                };
                (key, value)
            })
            .collect();
        arena.map(&entries)
    }
}
