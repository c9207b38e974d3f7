//! Follows a compiled mapping over one input: names, records, and the rules of their fields.

mod issues;

use crate::explain::Steps;
use crate::limits::{self, Excess, MAX_DEPTH, OF_A_RECORD, Room};
use crate::mapping::{Draft, Emit, Entry, FieldRule, LISTS, Made, Mapping, ROOTS};
use crate::outcome::{Filled, Input, Issue, Level, Outcome, Record, Reply};
use hub_expr::{Cx, EvalError, Explain, Located};
use hub_tree::{Arena, Limits, Position, Source, Span, Value, json};

/// The state of one run.
pub(crate) struct Run<'a> {
    source: &'a Source,
    mapping: Option<&'a Mapping>,
    pub(crate) cx: Cx<'a>,
    pub(crate) connection: &'a str,
    pub(crate) issues: Vec<Issue>,
    /// How many warnings and errors there were, listed or not.
    warnings: usize,
    errors: usize,
    /// Where the first finding stood that is not listed.
    unlisted: Option<Position>,
    /// What may still be made.
    pub(crate) room: Room,
    /// Nothing more is made: the room or the budget of steps is used up.
    stopped: bool,
    /// How many lists and objects are being made around the value that is being made.
    pub(crate) depth: usize,
    entity: &'static str,
    /// Which of the records of an `each` is made.
    item: Option<usize>,
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
        Filled { fields, rules, issues: run.into_issues() }
    }
}

impl Mapping {
    /// Maps a vendor's payload.
    #[must_use]
    pub fn run_in<'a>(&'a self, arena: &'a Arena, input: &Input<'a>) -> Outcome<'a> {
        let mut run = Run::new(self, arena, input);
        let mut records = Vec::new();
        // Of several records of one object, the first that is made keeps what is left of it.
        let mut kept: Vec<&[Box<str>]> = Vec::new();
        if run.lets() {
            for emit in &self.emits {
                let first = records.len();
                run.for_each(emit, |run, _| run.record(emit, &mut records));
                if let (Some(leftovers), Some(record)) = (&emit.leftovers, records.get_mut(first))
                    && !kept.contains(&&*leftovers.path)
                {
                    kept.push(&leftovers.path);
                    record.ext = run.leftovers(emit, leftovers.of(arena, input.payload));
                }
            }
        }
        Outcome { records, issues: run.into_issues() }
    }

    /// Maps canonical input to a vendor's body.
    #[must_use]
    pub fn run_out<'a>(&'a self, arena: &'a Arena, input: &Input<'a>) -> Reply<'a> {
        let mut run = Run::new(self, arena, input);
        let mut body = Value::Absent;
        if run.lets() {
            body = run.fields(&self.body, None).unwrap_or_else(|| arena.map(&[]));
        }
        let mut reply = Reply { body, xml: None, issues: run.into_issues() };
        self.write(&mut reply);
        reply
    }
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
            warnings: 0,
            errors: 0,
            unlisted: None,
            room: Room::WHOLE,
            stopped: false,
            depth: 0,
            entity: "",
            item: None,
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
            let mut why = None;
            match self.valued(&binding.expr, &mut why) {
                Ok(value) => {
                    let slot = self.cx.slots.len();
                    self.cx.slots.push(value);
                    if let Some(steps) = &mut self.steps {
                        self.names.push(&binding.name);
                        self.cx.slot_paths.resize(slot, None);
                        // What was picked from somewhere has a place, too.
                        self.cx.slot_paths.push(path.or_else(|| why.as_ref().and_then(|why| why.path.clone())));
                        steps.named(slot, &format!("let {}", binding.name), &binding.expr, why);
                    }
                }
                Err((code, error)) => {
                    let message = format!("let `{}`: {}", binding.name, error.message);
                    self.issue(Level::Error, code, message, binding.expr.place(error.start));
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

    /// The value of an expression, and why while somebody asks; or the code of what is wrong.
    fn valued(
        &mut self,
        located: &'a Located,
        why: &mut Option<Explain>,
    ) -> Result<Value<'a>, (&'static str, EvalError)> {
        let asked = self.steps.as_ref().is_some_and(|steps| !steps.is_full());
        let result = if asked {
            located.expr.explain(&mut self.cx).map(|(value, because)| {
                *why = Some(because);
                value
            })
        } else {
            located.expr.eval(&mut self.cx)
        };
        match result {
            // What lies in the payload is as deep as the readers allow; what is built may be read by an expression
            // that builds on it, until nobody could walk it any more.
            Ok(value @ (Value::List(_) | Value::Map(_)))
                if !located.expr.is_path() && limits::is_deeper(value, MAX_DEPTH) =>
            {
                let message = Excess::Depth.message();
                Err(("result_too_large", EvalError { start: 0, len: 1, message }))
            }
            Ok(value) => Ok(value),
            Err(error) => {
                // An expression that fails costs a step more, so that what fails over and over ends.
                self.stopped |= !self.cx.spend(1);
                Err(("expression_failed", error))
            }
        }
    }

    /// The value of an expression, or an error issue.
    pub(crate) fn eval(&mut self, located: &'a Located) -> Result<Value<'a>, ()> {
        let mut why = None;
        match self.valued(located, &mut why) {
            Ok(value) => {
                if let (Some(steps), Some(why)) = (&mut self.steps, why) {
                    steps.read(located);
                    steps.add(why);
                }
                Ok(value)
            }
            Err((code, error)) => {
                self.issue(Level::Error, code, error.message, located.place(error.start));
                Err(())
            }
        }
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

    /// Does something for each record that an `emit` may make, by the number of the item that it is made of.
    pub(crate) fn for_each(&mut self, emit: &'a Emit, mut inner: impl FnMut(&mut Self, usize)) {
        self.entity = emit.entity.name;
        self.item = None;
        let Some(each) = &emit.each else {
            return inner(self, 0);
        };
        let Ok(list) = self.eval(each) else { return };
        self.each_item(list, each, |run, index| {
            run.item = Some(index);
            inner(run, index);
        });
        self.item = None;
    }

    /// Does something for every item of a list; a single value stands for a list of one.
    pub(crate) fn each_item(&mut self, list: Value<'a>, located: &Located, mut inner: impl FnMut(&mut Self, usize)) {
        let single = [list];
        let is_list = matches!(list, Value::List(_));
        let items: &[Value<'a>] = match list {
            Value::List(items) => items,
            list if list.is_absent() => &[],
            _ => &single,
        };
        let base = self.source_path(located).or_else(|| self.steps.as_ref().and_then(Steps::last_path));
        for (index, item) in items.iter().enumerate() {
            if self.stopped {
                break;
            }
            if !self.cx.spend(1) {
                self.stopped = true;
                let message = "the mapping takes more steps than one payload may cost".to_owned();
                self.issue(Level::Error, "result_too_large", message, located.place(0));
                break;
            }
            let path = base.as_ref().map(|base| if is_list { format!("{base}[{index}]") } else { base.clone() });
            self.with_item(*item, path, |run| inner(run, index));
        }
    }

    pub(crate) fn with_item<T>(
        &mut self,
        item: Value<'a>,
        path: Option<String>,
        inner: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let depth = self.cx.slots.len();
        self.cx.slots.push(item);
        if self.steps.is_some() {
            self.names.push("item");
            self.cx.slot_paths.resize(depth, None);
            self.cx.slot_paths.push(path);
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

    pub(crate) fn record(&mut self, emit: &'a Emit, records: &mut Vec<Record<'a>>) {
        if self.stopped {
            return;
        }
        let errors = self.errors;
        // What fails is reported where it fails; the record is not made.
        let _ = self.try_record(emit, errors, records);
    }

    fn try_record(&mut self, emit: &'a Emit, errors: usize, records: &mut Vec<Record<'a>>) -> Result<(), ()> {
        if !self.holds_or(emit.when.as_ref(), true)? {
            return Ok(());
        }
        let key = self.identity(emit.key.as_ref())?;
        let hub_id = self.identity(emit.hub_id.as_ref())?;
        let formerly = self.identity(emit.formerly.as_ref())?.filter(|former| Some(*former) != key);
        let url = self.identity(emit.url.as_ref())?;
        if key.is_none() && hub_id.is_none() {
            let at = emit.key.as_ref().or(emit.hub_id.as_ref()).map_or(emit.span.start, |located| located.place(0));
            self.issue(Level::Error, "key_missing", "the record's key is absent or empty".to_owned(), at);
            return Err(());
        }
        let deleted = self.holds_or(emit.deleted.as_ref(), false)?;
        let mut rules = Vec::with_capacity(emit.fields.len());
        self.span = emit.span;
        let arena = self.cx.arena;
        let fields = self.fields(&emit.fields, Some(&mut rules)).unwrap_or_else(|| arena.map(&[]));
        let named = [key, hub_id, formerly, url].into_iter().flatten().map(str::len).sum();
        if let Err(excess) = self.room.spend(OF_A_RECORD, named) {
            self.too_large(excess, emit.span.start);
        }
        if self.errors == errors {
            let entity = emit.entity;
            records.push(Record { entity, key, hub_id, formerly, deleted, url, fields, ext: Value::Absent, rules });
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
        if self.depth >= MAX_DEPTH {
            self.too_large(Excess::Depth, self.span.start);
            return None;
        }
        self.depth += 1;
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
        self.depth -= 1;
        let keys = self.scratch[mark..].iter().map(|(key, _)| key.len()).sum();
        if let Err(excess) = self.room.spend(1, keys) {
            self.too_large(excess, self.span.start);
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
