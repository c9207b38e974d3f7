//! Why a field has its value: the rule, the source paths with their values, each transform, the result.

use crate::mapping::{Direction, FieldRule, Letters, Mapping, Rule, What, rules};
use crate::outcome::Input;
use crate::run::Run;
use crate::targets::covers;
use hub_expr::Explain;
use hub_tree::jiff::civil::Date;
use hub_tree::{Arena, Value};

/// What a rule did, in order, while somebody asks.
#[derive(Debug, Default)]
pub(crate) struct Steps(Vec<Explain>);

impl Steps {
    pub(crate) fn add(&mut self, step: Explain) {
        self.0.push(step);
    }

    /// The text transforms of a rule, when it has any.
    pub(crate) fn transformed(&mut self, rule: &Rule, value: Value<'_>) {
        let mut names = Vec::new();
        names.extend(rule.join.as_ref().map(|separator| format!("join: {separator:?}")));
        names.extend(rule.split.as_ref().map(|separator| format!("split: {separator:?}")));
        names.extend(rule.trim.then(|| "trim".to_owned()));
        names.extend(rule.letters.map(|l| if l == Letters::Lower { "lower".into() } else { "upper".into() }));
        if !names.is_empty() {
            self.0.push(Explain::leaf(names.join(", "), None, value));
        }
    }

    /// What a code list said.
    pub(crate) fn looked_up(&mut self, list: &str, day: Option<Date>, found: Option<&str>) {
        let on = day.map(|day| format!(" on {day}")).unwrap_or_default();
        self.0.push(Explain::leaf(format!("lookup: {list}{on}"), None, found.map_or(Value::Absent, Value::Text)));
    }
}

impl Mapping {
    /// Explains a field of the record that `entity` and `key` name; `pointer` is the field's JSON pointer, such as
    /// `/name/full` or, for an item of a list, `/emails/0`. `None` when no rule sets that field. A mapping towards a
    /// vendor has no records: there `entity` and `key` are passed over.
    #[must_use]
    pub fn explain(&self, input: &Input<'_>, entity: &str, key: Option<&str>, pointer: &str) -> Option<Explain> {
        let arena = Arena::new();
        // The inputs live longer than this arena; copying them ties everything to one lifetime.
        let input = Input {
            payload: input.payload.copy_into(&arena),
            headers: input.headers.copy_into(&arena),
            event: arena.text(input.event),
            connection: arena.text(input.connection),
            settings: input.settings.copy_into(&arena),
            request: input.request.copy_into(&arena),
        };
        let mut run = Run::new(self, &arena, &input);
        run.record_steps();
        if !run.lets() {
            return None;
        }
        if self.direction == Direction::Out {
            let rule = rules(&self.body).into_iter().find(|rule| covers(&rule.pointer, pointer))?;
            return run.explain_rule(self, rule);
        }
        for emit in self.emits.iter().filter(|emit| emit.entity.name == entity) {
            let Some(rule) = rules(&emit.fields).into_iter().find(|rule| covers(&rule.pointer, pointer)) else {
                continue;
            };
            if let Some(each) = &emit.each {
                let items = run.eval(each).ok()?;
                let base = run.source_path(each);
                for (index, item) in items.items().iter().enumerate() {
                    let found = run.with_item(*item, base.as_ref(), index, |run| {
                        let own = emit.key.as_ref().and_then(|located| run.eval(located).ok());
                        let own = own.and_then(|value| value.scalar_text(&arena));
                        if own == key { run.explain_rule(self, rule) } else { None }
                    });
                    if found.is_some() {
                        return found;
                    }
                }
                continue;
            }
            let own = emit.key.as_ref().and_then(|located| run.eval(located).ok());
            let own = own.and_then(|value| value.scalar_text(&arena));
            if key.is_some() && own.is_some() && own != key {
                continue;
            }
            return run.explain_rule(self, rule);
        }
        None
    }
}

impl<'a> Run<'a> {
    fn explain_rule(&mut self, mapping: &Mapping, rule: &'a FieldRule) -> Option<Explain> {
        self.steps = Some(Steps::default());
        let value = self.field_rule(rule).unwrap_or_default();
        let steps = self.steps.take().map(|steps| steps.0).unwrap_or_default();
        self.steps = Some(Steps::default());
        let at = mapping.source.place(rule.span.start);
        let text = format!("{} ({}) at {at}", rule.id, what_name(&rule.rule.what));
        Some(Explain::leaf(text, None, value).because(steps))
    }
}

fn what_name(what: &What) -> &'static str {
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
