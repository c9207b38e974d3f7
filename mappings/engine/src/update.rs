//! Bodies towards a vendor: updates of what changed, and XML.

use crate::mapping::{Entry, Format, Made, Mapping, rules};
use crate::outcome::{Input, Issue, Level, Reply};
use crate::run::Run;
use crate::targets::covers;
use hub_tree::{Arena, Position, Value, xml};

/// The values of a body's rules in their order.
type Values<'a> = Vec<Option<Value<'a>>>;

impl Mapping {
    /// Maps canonical input to the body of an update: what differs between `before` and `after`, and what is
    /// `required` or `always` part of it. What is no longer there is null. An absent body means that nothing of it
    /// changed, or that something could not be made.
    #[must_use]
    pub fn run_out_changed<'a>(&'a self, arena: &'a Arena, before: &Input<'a>, after: &Input<'a>) -> Reply<'a> {
        let (old, _) = self.values(arena, before);
        let (new, issues) = self.values(arena, after);
        // What could not be made is not gone: nothing of it may be nulled at the vendor.
        let sound = issues.iter().all(|issue| issue.level == Level::Warning);
        let changed = sound && old != new;
        let mut pairs = old.into_iter().zip(new);
        let body = if changed { update(&self.body, &mut pairs, arena) } else { None };
        let mut reply = Reply { body: body.unwrap_or_default(), xml: None, issues };
        self.write(&mut reply);
        reply
    }

    fn values<'a>(&'a self, arena: &'a Arena, input: &Input<'a>) -> (Values<'a>, Vec<Issue>) {
        let mut run = Run::new(self, arena, input);
        let named = run.lets();
        let mut value = |rule| if named { run.field_rule(rule) } else { None };
        let values = rules(&self.body).into_iter().map(&mut value).collect();
        (values, run.into_issues())
    }

    /// Writes the body of a mapping that makes XML.
    pub(crate) fn write(&self, reply: &mut Reply<'_>) {
        let sound = reply.issues.iter().all(|issue| issue.level == Level::Warning);
        if self.format == Format::Json || !sound || reply.body.is_absent() {
            return;
        }
        match xml::write(&reply.body, true) {
            Ok(text) => reply.xml = Some(text),
            Err(error) => {
                // The rule whose target the writer was at, or one below it.
                let pointer = format!("/{}", error.path.split('[').next().unwrap_or_default().replace('.', "/"));
                let all = rules(&self.body);
                let rule = all.iter().find(|rule| covers(&rule.pointer, &pointer));
                let at = rule.map_or(Position::default(), |rule| rule.span.start);
                let (file, Position { line, column }) = self.source.locate(at);
                reply.issues.push(Issue {
                    level: Level::Error,
                    code: "malformed_body",
                    entity: "",
                    item: None,
                    field: pointer,
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
