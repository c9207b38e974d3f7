//! Why a field has its value: the rule, the source paths with their values, each transform, the result.
//!
//! Invariant: the tree is exact. Its root has the value that the record holds at the rule's pointer; an input of
//! nothing but the steps that have a path gives that value again.

use crate::convert::Misfit;
use crate::mapping::{DateForm, Direction, Emit, FieldRule, Letters, Mapping, Rule, What, rules};
use crate::outcome::{Input, Record};
use crate::run::Run;
use crate::targets::covers;
use hub_expr::{Explain, Located};
use hub_model::Type;
use hub_standards::dates::Form;
use hub_tree::jiff::civil::Date;
use hub_tree::{Arena, Value};
use std::collections::BTreeSet;

/// Most steps of one field that are recorded; a person reads a few dozen. What comes after them is counted.
const MAX_STEPS: usize = 20_000;

/// What a rule did, in order, while somebody asks.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    done: Vec<Explain>,
    /// How many steps there were, recorded or not, with those that they rest on.
    count: usize,
    /// The slots that were read.
    used: BTreeSet<usize>,
    /// Names that are no roots, in order.
    names: Vec<Named>,
}

/// Why a name has its value.
#[derive(Debug)]
struct Named {
    slot: usize,
    /// The slots that it was made of.
    uses: Vec<usize>,
    /// How it was computed; nothing when it is only a path, which the steps that use it say.
    why: Option<Explain>,
}

impl Steps {
    pub(crate) fn add(&mut self, step: Explain) {
        let recorded = !self.is_full();
        self.count += size(&step);
        if recorded {
            self.done.push(step);
        }
    }

    /// Whether nothing more is recorded.
    pub(crate) fn is_full(&self) -> bool {
        self.count >= MAX_STEPS
    }

    /// The steps from here on can be made one by [`Steps::group`].
    pub(crate) fn mark(&self) -> usize {
        self.done.len()
    }

    /// Puts the steps since a mark below one of their own.
    pub(crate) fn group(&mut self, mark: usize, text: String, value: Value<'_>) {
        if self.is_full() && mark >= self.done.len() {
            self.count += 1;
            return;
        }
        let below = self.done.split_off(mark.min(self.done.len()));
        self.count += 1;
        self.done.push(Explain::leaf(text, None, value).because(below));
    }

    /// Where the value of the last step lies in the input.
    pub(crate) fn last_path(&self) -> Option<String> {
        self.done.last().and_then(|step| step.path.clone())
    }

    /// Notes which names an expression reads.
    pub(crate) fn read(&mut self, located: &Located) {
        self.used.extend(slots_of(located));
    }

    /// Notes why a name has its value; the rules that use it rest on that.
    pub(crate) fn named(&mut self, slot: usize, name: &str, located: &Located, why: Option<Explain>) {
        let why = why.filter(|_| !located.expr.is_path());
        let why = why.map(|why| Explain { text: format!("{name}: {}", why.text), ..why });
        self.names.push(Named { slot, uses: slots_of(located).collect(), why });
    }

    /// The text transforms of a rule, when it has any.
    pub(crate) fn transformed(&mut self, rule: &Rule, value: Value<'_>) {
        let mut names = Vec::new();
        names.extend(rule.join.as_ref().map(|separator| format!("join: {separator:?}")));
        names.extend(rule.split.as_ref().map(|separator| format!("split: {separator:?}")));
        names.extend(rule.trim.then(|| "trim".to_owned()));
        names.extend(rule.letters.map(|l| if l == Letters::Lower { "lower".into() } else { "upper".into() }));
        if !names.is_empty() {
            self.add(Explain::leaf(names.join(", "), None, value));
        }
    }

    /// What a code list said.
    pub(crate) fn looked_up(&mut self, list: &str, day: Option<Date>, found: Option<&str>) {
        let on = day.map(|day| format!(" on {day}")).unwrap_or_default();
        self.add(Explain::leaf(format!("lookup: {list}{on}"), None, found.map_or(Value::Absent, Value::Text)));
    }

    /// What the rule's table, its form of days, and the target's type made of a value; nothing when they left it as
    /// it was.
    pub(crate) fn converted(&mut self, rule: &Rule, ty: &Type, before: Value<'_>, after: Value<'_>) {
        let mut names = Vec::new();
        names.extend(rule.enumeration.is_some().then(|| "enum".to_owned()));
        names.extend(rule.date.as_ref().map(date_form));
        let step = Explain::leaf("", None, after);
        let same = step.value == Explain::leaf("", None, before).value;
        if !same && !matches!(ty, Type::Json) {
            names.push(format!("as {}", ty.name()));
        }
        if !names.is_empty() && !before.is_absent() {
            self.add(Explain { text: names.join(", "), ..step });
        }
    }

    /// Why a value was left out.
    pub(crate) fn misfitted(&mut self, misfit: &Misfit) {
        self.add(Explain::leaf(format!("left out: {}", misfit.message), None, Value::Absent));
    }

    /// The steps of a rule, and those of the computed names that they use.
    fn of_rule(&mut self) -> Vec<Explain> {
        let mut steps = std::mem::take(&mut self.done);
        // A name may use names above it.
        for named in self.names.iter().rev() {
            if self.used.contains(&named.slot) {
                self.used.extend(&named.uses);
                steps.extend(named.why.clone());
            }
        }
        self.used.clear();
        if self.is_full() {
            let left_out = Explain::leaf(format!("{MAX_STEPS} steps are shown, more are not"), None, Value::Absent);
            steps.push(left_out);
        }
        self.count = 0;
        steps
    }
}

fn size(step: &Explain) -> usize {
    1 + step.because.iter().map(size).sum::<usize>()
}

/// The names that an expression reads, by slot.
fn slots_of(located: &Located) -> impl Iterator<Item = usize> {
    located.expr.reads().iter().chain(located.expr.source()).map(|read| read.slot)
}

fn date_form(form: &DateForm) -> String {
    let name = match &form.form {
        Form::Strftime(format) => format.as_str(),
        other => Form::NAMES
            .iter()
            .map(|(name, _)| *name)
            .find(|name| Form::named(name).as_ref() == Some(other))
            .unwrap_or_default(),
    };
    let zone = form.zone.as_ref().and_then(|zone| zone.iana_name()).map(|zone| format!(" in {zone}"));
    format!("{}: {name}{}", if form.day { "date" } else { "datetime" }, zone.unwrap_or_default())
}

/// Which item of which `emit` makes a record.
#[derive(Clone, Copy)]
pub(crate) struct Origin<'a> {
    pub(crate) emit: &'a Emit,
    pub(crate) item: usize,
}

impl Mapping {
    /// Explains a field of the record that `entity` and `key` name: `key` is the record's id at the vendor, or the
    /// hub's own id that the vendor hands back; without one, any record of the entity. `pointer` is the field's JSON
    /// pointer, such as `/name/full` or, for an item of a list, `/emails/0`. Of several records with one key it is the
    /// first that has the field; of a record that could not be made, what the rule would give. `None` when no rule
    /// sets that field. A mapping towards a vendor has no records: there `entity` and `key` are passed over.
    #[must_use]
    pub fn explain(&self, input: &Input<'_>, entity: &str, key: Option<&str>, pointer: &str) -> Option<Explain> {
        let arena = Arena::new();
        // The inputs live longer than this arena; copying them ties everything to one lifetime.
        let input = input.copy_into(&arena);
        if self.direction == Direction::Out {
            return self.explain_body(&arena, &input, pointer);
        }
        let made = self.with_origins(&arena, &input);
        let of_key = |record: &Record<'_>| key.is_none_or(|key| record.key == Some(key) || record.hub_id == Some(key));
        let meant = |(record, _): &&(Record<'_>, Origin<'_>)| record.entity.name == entity && of_key(record);
        let mut unset = None;
        for (record, origin) in made.iter().filter(meant) {
            let rules = rules(&origin.emit.fields);
            let covering = || rules.iter().copied().filter(|rule| covers(&rule.pointer, pointer));
            let sets = |rule: &&FieldRule| record.rules.iter().any(|(_, id)| *id == rule.id);
            if let Some(rule) = covering().find(sets) {
                return self.explain_at(&arena, &input, *origin, rule);
            }
            unset = unset.or_else(|| covering().next().map(|rule| (*origin, rule)));
        }
        if let Some((origin, rule)) = unset {
            return self.explain_at(&arena, &input, origin, rule);
        }
        let mut emits = self.emits.iter().filter(|emit| emit.entity.name == entity);
        emits.find_map(|emit| {
            let rule = rules(&emit.fields).into_iter().find(|rule| covers(&rule.pointer, pointer))?;
            let item = self.item_of_key(&arena, &input, emit, key)?;
            self.explain_at(&arena, &input, Origin { emit, item }, rule)
        })
    }

    /// The records of an input as [`Mapping::run_in`] makes them, with where each comes from.
    pub(crate) fn with_origins<'a>(&'a self, arena: &'a Arena, input: &Input<'a>) -> Vec<(Record<'a>, Origin<'a>)> {
        let mut run = Run::new(self, arena, input);
        let (mut records, mut origins) = (Vec::new(), Vec::new());
        if run.lets() {
            for emit in &self.emits {
                run.for_each(emit, |run, item| {
                    run.record(emit, &mut records);
                    origins.resize(records.len(), Origin { emit, item });
                });
            }
        }
        records.into_iter().zip(origins).collect()
    }

    /// The item of an `emit` whose key is the wanted one, or cannot be told.
    fn item_of_key<'a>(
        &'a self,
        arena: &'a Arena,
        input: &Input<'a>,
        emit: &'a Emit,
        key: Option<&str>,
    ) -> Option<usize> {
        let mut run = Run::new(self, arena, input);
        let mut found = None;
        if run.lets() {
            run.for_each(emit, |run, item| {
                if found.is_none() {
                    let mut own = |located| run.identity(located).ok().flatten();
                    let (own, hub_id) = (own(emit.key.as_ref()), own(emit.hub_id.as_ref()));
                    let fits = key.is_none() || own == key || hub_id == key;
                    let unknown = emit.each.is_none() && own.is_none() && hub_id.is_none();
                    found = (fits || unknown).then_some(item);
                }
            });
        }
        found
    }

    pub(crate) fn explain_at<'a>(
        &'a self,
        arena: &'a Arena,
        input: &Input<'a>,
        origin: Origin<'a>,
        rule: &'a FieldRule,
    ) -> Option<Explain> {
        let mut run = Run::new(self, arena, input);
        run.record_steps();
        if !run.lets() {
            return None;
        }
        let Some(each) = &origin.emit.each else {
            return Some(run.explain_rule(self, rule));
        };
        let list = run.eval(each).ok()?;
        let single = [list];
        let items = if let Value::List(items) = list { items } else { &single };
        let (item, why) = (*items.get(origin.item)?, run.steps.as_mut().and_then(|steps| steps.done.pop()));
        // A single value stands for a list of one, and lies where the list would.
        let base = run.source_path(each).or_else(|| why.as_ref().and_then(|why| why.path.clone()));
        let path = base.map(|path| match list {
            Value::List(_) => format!("{path}[{}]", origin.item),
            _ => path,
        });
        let slot = run.cx.slots.len();
        if let Some(steps) = &mut run.steps {
            steps.named(slot, "each", each, why);
        }
        Some(run.with_item(item, path, |run| run.explain_rule(self, rule)))
    }

    fn explain_body<'a>(&'a self, arena: &'a Arena, input: &Input<'a>, pointer: &str) -> Option<Explain> {
        let mut run = Run::new(self, arena, input);
        run.record_steps();
        if !run.lets() {
            return None;
        }
        let mut found: Option<Explain> = None;
        for rule in rules(&self.body).into_iter().filter(|rule| covers(&rule.pointer, pointer)) {
            let why = run.explain_rule(self, rule);
            if why.value.is_some() || why.kind.is_some() {
                return Some(why);
            }
            found = found.or(Some(why));
        }
        found
    }
}

impl<'a> Run<'a> {
    fn explain_rule(&mut self, mapping: &Mapping, rule: &'a FieldRule) -> Explain {
        let value = self.field_rule(rule).unwrap_or_default();
        let steps = self.steps.as_mut().map(Steps::of_rule).unwrap_or_default();
        let at = mapping.source.place(rule.span.start);
        let text = format!("{} ({}) at {at}", rule.id, what_name(&rule.rule.what));
        Explain::leaf(text, None, value).because(steps)
    }
}

pub(crate) fn what_name(what: &What) -> &'static str {
    match what {
        What::Paths(_) => "path",
        What::Expr(_) => "expr",
        What::Value(_) => "value",
        What::Each(_) => "each",
        What::Fields(_) => "fields",
        What::Ref { .. } => "ref",
        What::Money { .. } => "money",
        What::Score { .. } => "score",
        What::Phone { .. } => "phone",
        What::Email { .. } => "email",
        What::PersonName(_) => "person_name",
    }
}
