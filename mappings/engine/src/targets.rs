//! What a mapping can set, told without a payload.

use crate::mapping::{Direction, Entry, Mapping, rules};
use hub_model::EntityType;
use hub_tree::Span;

/// A field that some rule of a mapping sets.
#[derive(Clone, Debug)]
pub struct SetField<'m> {
    /// The entity; `None` in a mapping towards a vendor.
    pub entity: Option<&'static EntityType>,
    /// The field as a JSON pointer.
    pub pointer: &'m str,
    /// The rule's name, such as `emit[0].name.full`.
    pub rule: &'m str,
    /// The paths below `payload` that it reads; items are written `[]`, single ones `[0]`.
    pub reads: &'m [String],
    /// Where the rule stands.
    pub span: Span,
}

impl SetField<'_> {
    /// Whether the rule sets what `pointer` names: that very place, one above it, or one below it.
    #[must_use]
    pub fn covers(&self, pointer: &str) -> bool {
        covers(self.pointer, pointer)
    }
}

/// What a field of a vendor's body is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need<'m> {
    /// The field as a JSON pointer.
    pub pointer: &'m str,
    /// The paths below `payload` that it reads.
    pub reads: &'m [String],
    /// Whether the body is not made without it.
    pub required: bool,
    /// The values that it can translate, where it has a table.
    pub values: Option<Vec<&'m str>>,
}

/// Whether two pointers name the same place, or one a place within the other.
pub(crate) fn covers(rule: &str, wanted: &str) -> bool {
    let within = |outer: &str, inner: &str| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    within(rule, wanted) || within(wanted, rule)
}

impl Mapping {
    /// Every field that a rule sets, in the order of what is made.
    #[must_use]
    pub fn set_fields(&self) -> Vec<SetField<'_>> {
        match self.direction {
            Direction::In => self.emits.iter().flat_map(|emit| set_by(Some(emit.entity), &emit.fields)).collect(),
            Direction::Out => set_by(None, &self.body).collect(),
        }
    }

    /// What an out mapping needs of its input: for each field of the body, the paths that it reads and whether the
    /// vendor requires it.
    #[must_use]
    pub fn needs(&self) -> Vec<Need<'_>> {
        let needs = rules(&self.body).into_iter().map(|rule| Need {
            pointer: &rule.pointer,
            reads: &rule.reads,
            required: rule.rule.required,
            values: rule
                .rule
                .enumeration
                .as_ref()
                .map(|table| table.entries.iter().map(|(from, _)| from.as_str()).collect()),
        });
        needs.collect()
    }

    /// The entities whose records a mapping makes, each once, in the order of the file.
    #[must_use]
    pub fn entities(&self) -> Vec<&'static EntityType> {
        let mut found: Vec<&'static EntityType> = Vec::new();
        for emit in &self.emits {
            if !found.iter().any(|known| known.name == emit.entity.name) {
                found.push(emit.entity);
            }
        }
        found
    }
}

fn set_by<'m>(entity: Option<&'static EntityType>, entries: &'m [Entry]) -> impl Iterator<Item = SetField<'m>> {
    let set = rules(entries).into_iter();
    set.map(move |rule| SetField {
        entity,
        pointer: &rule.pointer,
        rule: &rule.id,
        reads: &rule.reads,
        span: rule.span,
    })
}
