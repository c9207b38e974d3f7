//! Follows a compiled mapping over one input: names, records, and the rules of their fields.

use crate::convert::Misfit;
use crate::explain::Steps;
use crate::mapping::{Draft, Emit, Entry, FieldRule, Format, LISTS, Made, Mapping, ROOTS, rules};
use crate::outcome::{Filled, Input, Issue, Level, Outcome, Record, Reply};
use hub_expr::{Cx, EvalError, Located};
use hub_tree::{Arena, Limits, Position, Source, Span, Value, json, xml};

/// The state of one run.
pub(crate) struct Run<'a> {
    source: &'a Source,
    mapping: Option<&'a Mapping>,
    pub(crate) cx: Cx<'a>,
    pub(crate) connection: &'a str,
    pub(crate) issues: Vec<Issue>,
    entity: &'static str,
    /// The way to the field that is being filled; text is made of it only when there is something to say.
    pub(crate) way: Vec<Step<'a>>,
    pub(crate) span: Span,
    /// The entries of the objects that are being made, the innermost last.
    scratch: Vec<(&'a str, Value<'a>)>,
    /// The names of the slots, while somebody asks why.
    names: Vec<&'a str>,
    /// What was done, while somebody asks why.
    pub(crate) steps: Option<Steps>,
}

/// A step on the way to a field.
#[derive(Clone, Copy)]
pub(crate) enum Step<'a> {
    /// A JSON pointer.
    Pointer(&'a str),
    /// An item of a list.
    Item(usize),
}

impl Draft {
    /// Fills the draft in: the fields, which rule set which, and what went wrong. `slots` are the values of the names
    /// that it was compiled with.
    #[must_use]
    pub fn fill<'a>(&'a self, arena: &'a Arena, slots: Vec<Value<'a>>) -> Filled<'a> {
        let mut run = Run::over(&self.source, arena, slots, "");
        run.entity = self.entity.name;
        let mut rules = Vec::new();
        let fields = run.fields(&self.fields, Some(&mut rules)).unwrap_or_else(|| arena.map(&[]));
        Filled { fields, rules, issues: run.issues }
    }
}

impl Mapping {
    /// Maps a vendor's payload.
    #[must_use]
    pub fn run_in<'a>(&'a self, arena: &'a Arena, input: &Input<'a>) -> Outcome<'a> {
        let mut run = Run::new(self, arena, input);
        let mut records = Vec::new();
        if run.lets() {
            for emit in &self.emits {
                let first = records.len();
                run.emit(emit, &mut records);
                if let (Some(leftovers), Some(record)) = (&emit.leftovers, records.get_mut(first)) {
                    record.ext = leftovers.of(arena, input.payload);
                }
            }
        }
        Outcome { records, issues: run.issues }
    }

    /// Maps canonical input to a vendor's body.
    #[must_use]
    pub fn run_out<'a>(&'a self, arena: &'a Arena, input: &Input<'a>) -> Reply<'a> {
        let mut run = Run::new(self, arena, input);
        let mut body = Value::Absent;
        if run.lets() {
            body = run.fields(&self.body, None).unwrap_or_else(|| arena.map(&[]));
        }
        let mut reply = Reply { body, xml: None, issues: run.issues };
        self.write(&mut reply);
        reply
    }
}

impl Mapping {
    /// Maps canonical input to the body of an update: what differs between `before` and `after`, and what is
    /// `required` or `always` part of it. What is no longer there is null. An absent body means that nothing of it
    /// changed.
    #[must_use]
    pub fn run_out_changed<'a>(&'a self, arena: &'a Arena, before: &Input<'a>, after: &Input<'a>) -> Reply<'a> {
        let values = |input: &Input<'a>| {
            let mut run = Run::new(self, arena, input);
            let followed = run.lets();
            let values = rules(&self.body).into_iter().map(|rule| run.field_rule(rule).filter(|_| followed));
            (values.collect::<Vec<Option<Value<'a>>>>(), run.issues)
        };
        let (old, _) = values(before);
        let (new, issues) = values(after);
        let changed = old != new;
        let mut pairs = old.into_iter().zip(new);
        let body = if changed { update(&self.body, &mut pairs, arena) } else { None };
        let mut reply = Reply { body: body.unwrap_or_default(), xml: None, issues };
        self.write(&mut reply);
        reply
    }

    /// Writes the body of a mapping that makes XML.
    fn write(&self, reply: &mut Reply<'_>) {
        let sound = reply.issues.iter().all(|issue| issue.level == Level::Warning);
        if self.format == Format::Json || !sound || reply.body.is_absent() {
            return;
        }
        match xml::write(&reply.body, true) {
            Ok(text) => reply.xml = Some(text),
            Err(error) => {
                let (file, Position { line, column }) = self.source.locate(Position::default());
                reply.issues.push(Issue {
                    level: Level::Error,
                    code: "malformed_body",
                    entity: "",
                    field: String::new(),
                    message: format!("this is no XML document: {error}"),
                    file: file.to_owned(),
                    line,
                    column,
                });
            }
        }
    }
}

/// The part of a body that an update holds; `pairs` are the values before and after of its rules, in order.
fn update<'a>(
    entries: &'a [Entry],
    pairs: &mut impl Iterator<Item = (Option<Value<'a>>, Option<Value<'a>>)>,
    arena: &'a Arena,
) -> Option<Value<'a>> {
    let mut made: Vec<(&'a str, Value<'a>)> = Vec::new();
    for entry in entries {
        let value = match &entry.made {
            Made::Of(entries) => update(entries, pairs, arena),
            Made::By(rule) => match pairs.next().unwrap_or_default() {
                (old, new) if old != new => Some(new.unwrap_or(Value::Null)),
                (_, new) => new.filter(|_| rule.rule.always || rule.rule.required),
            },
        };
        made.extend(value.map(|value| (entry.key.as_str(), value)));
    }
    (!made.is_empty()).then(|| arena.map(&made))
}

impl<'a> Run<'a> {
    pub(crate) fn new(mapping: &'a Mapping, arena: &'a Arena, input: &Input<'a>) -> Self {
        let connection = arena.map(&[("id", Value::Text(input.connection)), ("settings", input.settings)]);
        let mut slots = Vec::with_capacity(ROOTS.len() + mapping.lets.len() + 2);
        slots.extend([input.payload, input.headers, Value::Text(input.event), connection, input.request]);
        debug_assert_eq!(slots.len(), LISTS);
        slots.push(if mapping.reads_lists { tables(mapping, arena) } else { Value::Absent });
        Self { mapping: Some(mapping), ..Self::over(&mapping.source, arena, slots, input.connection) }
    }

    /// A run over slots of the caller's own.
    fn over(source: &'a Source, arena: &'a Arena, slots: Vec<Value<'a>>, connection: &'a str) -> Self {
        Self {
            source,
            mapping: None,
            cx: Cx::new(arena, slots),
            connection,
            issues: Vec::new(),
            entity: "",
            way: Vec::new(),
            span: Span::default(),
            scratch: Vec::new(),
            names: Vec::new(),
            steps: None,
        }
    }

    /// From now on, what is done is recorded.
    pub(crate) fn record_steps(&mut self) {
        self.names = ROOTS.to_vec();
        self.steps = Some(Steps::default());
    }

    /// The code list of a look-up.
    pub(crate) fn list(&self, number: usize) -> Option<&'a crate::lists::CodeList> {
        self.mapping.and_then(|mapping| mapping.lists.get(number)).map(|list| &**list)
    }

    /// Evaluates the `let` names; `false` when one of them fails.
    pub(crate) fn lets(&mut self) -> bool {
        for binding in self.mapping.into_iter().flat_map(|mapping| &mapping.lets) {
            let path = self.source_path(&binding.expr);
            match binding.expr.expr.eval(&mut self.cx) {
                Ok(value) => {
                    self.cx.slots.push(value);
                    if self.steps.is_some() {
                        self.names.push(&binding.name);
                        self.cx.slot_paths.resize(self.cx.slots.len() - 1, None);
                        self.cx.slot_paths.push(path);
                    }
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

    /// The absolute path of an expression that is nothing but a path, while somebody asks why.
    pub(crate) fn source_path(&self, located: &Located) -> Option<String> {
        if self.steps.is_none() || !located.expr.is_path() {
            return None;
        }
        let text = located.expr.text();
        let (root, rest) = text.split_at(text.find(['.', '[']).unwrap_or(text.len()));
        let slot = self.names.iter().rposition(|name| *name == root)?;
        let base = self.cx.slot_paths.get(slot).cloned().flatten().unwrap_or_else(|| root.to_owned());
        Some(base + rest)
    }

    fn issue(&mut self, level: Level, code: &'static str, message: String, at: Position) {
        let mut field = String::new();
        for step in &self.way {
            match step {
                Step::Pointer(pointer) => field.push_str(pointer),
                Step::Item(index) => field.push_str(&format!("/{index}")),
            }
        }
        let (file, Position { line, column }) = self.source.locate(at);
        let file = file.to_owned();
        self.issues.push(Issue { level, code, entity: self.entity, field, message, file, line, column });
    }

    /// A value that does not fit, at the rule that is being followed.
    pub(crate) fn misfit(&mut self, level: Level, misfit: Misfit, span: Span) {
        self.issue(level, misfit.code, misfit.message, span.start);
    }

    /// A warning about the rule that is being followed.
    pub(crate) fn note_here(&mut self, code: &'static str, message: String) {
        self.issue(Level::Warning, code, message, self.span.start);
    }

    fn failed(&mut self, located: &Located, error: EvalError) {
        self.issue(Level::Error, "expression_failed", error.message, located.place(error.start));
    }

    /// How many errors there are.
    fn errors(&self) -> usize {
        self.issues.iter().filter(|issue| issue.level == Level::Error).count()
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
    pub(crate) fn holds(&mut self, located: &'a Located) -> Result<bool, ()> {
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

    /// A condition that may be left out.
    pub(crate) fn holds_or(&mut self, located: Option<&'a Located>, otherwise: bool) -> Result<bool, ()> {
        located.map_or(Ok(otherwise), |located| self.holds(located))
    }

    fn emit(&mut self, emit: &'a Emit, records: &mut Vec<Record<'a>>) {
        self.entity = emit.entity.name;
        let Some(each) = &emit.each else {
            return self.record(emit, records);
        };
        let Ok(list) = self.eval(each) else { return };
        self.each_item(list, each, |run, _| run.record(emit, records));
    }

    /// Does something for every item of a list; a single value stands for a list of one.
    pub(crate) fn each_item(&mut self, list: Value<'a>, located: &Located, mut inner: impl FnMut(&mut Self, usize)) {
        let single = [list];
        let items: &[Value<'a>] = match list {
            Value::List(items) => items,
            list if list.is_absent() => &[],
            _ => &single,
        };
        let base = self.source_path(located);
        for (index, item) in items.iter().enumerate() {
            self.with_item(*item, base.as_ref(), index, |run| inner(run, index));
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
        if self.steps.is_some() {
            self.names.push("item");
            self.cx.slot_paths.resize(depth, None);
            self.cx.slot_paths.push(list.map(|path| format!("{path}[{index}]")));
        }
        let result = inner(self);
        self.cx.slots.truncate(depth);
        self.cx.slot_paths.truncate(depth);
        self.names.truncate(depth);
        result
    }

    /// A text that says who a record is.
    pub(crate) fn identity(&mut self, located: Option<&'a Located>) -> Result<Option<&'a str>, ()> {
        let Some(located) = located else { return Ok(None) };
        let value = self.eval(located)?;
        Ok(value.scalar_text(self.cx.arena).map(str::trim).filter(|text| !text.is_empty()))
    }

    fn record(&mut self, emit: &'a Emit, records: &mut Vec<Record<'a>>) {
        let errors = self.errors();
        // What fails is reported where it fails; the record is not made.
        let _ = self.try_record(emit, errors, records);
    }

    fn try_record(&mut self, emit: &'a Emit, errors: usize, records: &mut Vec<Record<'a>>) -> Result<(), ()> {
        if !self.holds_or(emit.when.as_ref(), true)? {
            return Ok(());
        }
        let key = self.identity(emit.key.as_ref())?;
        let hub_id = self.identity(emit.hub_id.as_ref())?;
        let url = self.identity(emit.url.as_ref())?;
        if key.is_none() && hub_id.is_none() {
            let at = emit.key.as_ref().or(emit.hub_id.as_ref()).map_or(emit.span.start, |located| located.place(0));
            self.issue(Level::Error, "key_missing", "the record's key is absent or empty".to_owned(), at);
            return Err(());
        }
        let deleted = self.holds_or(emit.deleted.as_ref(), false)?;
        let mut rules = Vec::with_capacity(emit.fields.len());
        let arena = self.cx.arena;
        let fields = self.fields(&emit.fields, Some(&mut rules)).unwrap_or_else(|| arena.map(&[]));
        if self.errors() == errors {
            records.push(Record { entity: emit.entity, key, hub_id, deleted, url, fields, ext: Value::Absent, rules });
        }
        Ok(())
    }

    /// An object of fields, in the order of its entries; `None` when none was set. The rules that set one are noted.
    pub(crate) fn fields(
        &mut self,
        entries: &'a [Entry],
        mut made_by: Option<&mut Vec<(&'a str, &'a str)>>,
    ) -> Option<Value<'a>> {
        let mark = self.scratch.len();
        for entry in entries {
            let value = match &entry.made {
                Made::Of(entries) => self.fields(entries, made_by.as_deref_mut()),
                Made::By(rule) => {
                    let value = self.field_rule(rule);
                    if let (Some(rules), Some(_)) = (&mut made_by, value) {
                        rules.push((&rule.pointer, &rule.id));
                    }
                    value
                }
            };
            self.scratch.extend(value.map(|value| (entry.key.as_str(), value)));
        }
        let made = (self.scratch.len() > mark).then(|| self.cx.arena.map(&self.scratch[mark..]));
        self.scratch.truncate(mark);
        made
    }

    /// The value of a field, as its declared type; `None` leaves the field out.
    pub(crate) fn field_rule(&mut self, rule: &'a FieldRule) -> Option<Value<'a>> {
        let span = std::mem::replace(&mut self.span, rule.rule.span);
        self.way.push(Step::Pointer(&rule.pointer));
        let value = self.rule(&rule.rule, rule.ty);
        self.way.pop();
        self.span = span;
        value
    }
}

/// The code lists as expressions see them.
fn tables<'a>(mapping: &'a Mapping, arena: &'a Arena) -> Value<'a> {
    let rows = |text: &'a str| json::read(arena, text.as_bytes(), Limits::default()).unwrap_or_default();
    let lists: Vec<(&'a str, Value<'a>)> =
        mapping.lists.iter().map(|list| (list.name.as_str(), rows(&list.json))).collect();
    arena.map(&lists)
}
