//! Calls that follow from something else: what a callback leaves out is fetched, the next page and the branches of a
//! tree are read, a poll begins. One list of rules says all three.

use crate::connection::Connection;
use hub_expr::{Cx, Located, Scope, Type};
use hub_tree::yaml::{Context, Node};
use hub_tree::{Arena, Span, Value, json};
use std::collections::BTreeMap;

/// Calls that one place may lead to; an answer that names more is not one page of anything.
const MOST: usize = 20_000;

/// A rule for calls.
#[derive(Clone, Debug)]
pub struct FollowUp {
    /// The operation to call.
    pub operation: String,
    /// What there is a call for.
    pub each: Each,
    /// When there is one at all.
    pub when: Option<Located>,
    /// The operation's arguments.
    pub with: Vec<(String, Located)>,
    /// Whether it follows from an answer that says that nothing is there, in place of a good one.
    pub when_absent: bool,
    /// How long to wait with the call: vendors tell of changes before their own read side knows them.
    pub after_secs: i64,
    /// Where the rule stands.
    pub span: Span,
}

/// What there is a call for.
#[derive(Clone, Debug)]
pub enum Each {
    /// One call.
    Once,
    /// One for each element of a list, which expressions know as `item`.
    Item(Located),
    /// One for every `batch` records of an entity that the connection has; `item` is the list of their remote ids.
    Known {
        /// The entity.
        entity: String,
        /// At most so many ids in a call.
        batch: usize,
    },
}

/// A call that follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FollowCall {
    /// The operation.
    pub operation: String,
    /// Its arguments as JSON.
    pub args: String,
    /// How long to wait with it, seconds.
    pub after_secs: i64,
}

/// Why calls cannot be made of a rule: the place in the manifest, and what is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoCalls {
    /// The place.
    pub place: String,
    /// What is wrong.
    pub reason: String,
}

/// Remote ids by entity, for rules over what a connection has.
pub type KnownIds = BTreeMap<String, Vec<String>>;

impl FollowUp {
    /// Reads a list of rules whose expressions see `scope`. `known` says whether `over` may be used.
    pub(crate) fn compile(node: &Node, scope: &Scope, known: bool, cx: &Context<'_>) -> Vec<Self> {
        node.items(cx).iter().filter_map(|item| Self::compile_one(item, scope, known, cx)).collect()
    }

    fn compile_one(node: &Node, scope: &Scope, known: bool, cx: &Context<'_>) -> Option<Self> {
        let mut fields = node.fields(cx)?;
        let operation = fields.required_text("operation");
        let each = fields.optional("each").map(|node| Located::compile(node, scope, cx));
        let over = if known { fields.text("over") } else { None };
        let batch = if known { fields.integer("batch", 1, 10_000) } else { None };
        let mut scope = scope.clone();
        let each = match (each, over) {
            (Some(each), None) => Each::Item(each?),
            (None, Some(entity)) => {
                Each::Known { entity, batch: batch.and_then(|batch| usize::try_from(batch).ok()).unwrap_or(50) }
            }
            (None, None) => Each::Once,
            (Some(_), Some(_)) => {
                cx.error(fields.span, "either `each` (elements of a list) or `over` (an entity)");
                return None;
            }
        };
        if !matches!(each, Each::Once) {
            scope.push("item", Type::Any);
        }
        let when = fields.optional("when").and_then(|node| Located::condition(node, &scope, cx));
        let with = fields.optional("with").map(|node| node.entries(cx)).unwrap_or_default();
        let with = with.iter().filter_map(|(key, node)| Some((key.name.clone(), Located::compile(node, &scope, cx)?)));
        let with = with.collect();
        let after_secs = fields.integer("after_secs", 0, 3600).unwrap_or(0);
        let when_absent = fields.word("on", &[("good", false), ("absent", true)]).unwrap_or(false);
        let span = fields.span;
        fields.finish();
        Some(Self { operation: operation?, each, when, with, when_absent, after_secs, span })
    }

    /// The calls that rules lead to. `slots` holds what their expressions see.
    ///
    /// # Errors
    /// An expression that fails, or a list that is too long.
    pub fn calls<'a>(
        rules: impl IntoIterator<Item = &'a Self>,
        connection: &Connection,
        arena: &'a Arena,
        slots: &[Value<'a>],
        known: &KnownIds,
    ) -> Result<Vec<FollowCall>, NoCalls> {
        let mut calls = Vec::new();
        for rule in rules {
            let fail = |span: Span, reason: &str| NoCalls {
                place: connection.manifest.place(span),
                reason: format!("what follows by `{}` cannot be told: {reason}", rule.operation),
            };
            let value = |located: &'a Located, slots: Vec<Value<'a>>| {
                let value = located.expr.eval(&mut Cx::new(arena, slots));
                value.map_err(|error| fail(located.span, &error.message))
            };
            for item in rule.items(arena, slots, known, &value)? {
                let mut slots = slots.to_vec();
                slots.extend(item);
                if let Some(when) = &rule.when
                    && value(when, slots.clone())? != Value::Bool(true)
                {
                    continue;
                }
                let mut args = Vec::with_capacity(rule.with.len());
                for (name, located) in &rule.with {
                    args.push((name.as_str(), value(located, slots.clone())?));
                }
                let (operation, args) = (rule.operation.clone(), json::to_string(&arena.map(&args)));
                calls.push(FollowCall { operation, args, after_secs: rule.after_secs });
                if calls.len() > MOST {
                    return Err(fail(rule.span, &format!("it is more than {MOST} calls")));
                }
            }
        }
        Ok(calls)
    }

    /// What there is a call for: nothing in a slot of its own, or elements.
    fn items<'a>(
        &'a self,
        arena: &'a Arena,
        slots: &[Value<'a>],
        known: &KnownIds,
        value: &impl Fn(&'a Located, Vec<Value<'a>>) -> Result<Value<'a>, NoCalls>,
    ) -> Result<Vec<Option<Value<'a>>>, NoCalls> {
        match &self.each {
            Each::Once => Ok(vec![None]),
            Each::Item(located) => Ok(match value(located, slots.to_vec())? {
                Value::Absent | Value::Null => Vec::new(),
                Value::List(items) => items.iter().copied().map(Some).collect(),
                // XML shows a list of one as its element.
                single => vec![Some(single)],
            }),
            Each::Known { entity, batch } => {
                let ids = known.get(entity).map(Vec::as_slice).unwrap_or_default();
                let list = |ids: &[String]| {
                    let texts: Vec<Value<'a>> = ids.iter().map(|id| Value::Text(arena.text(id))).collect();
                    Some(arena.list(&texts))
                };
                Ok(ids.chunks(*batch).map(list).collect())
            }
        }
    }

    /// The entities whose ids rules go over.
    pub fn entities(rules: &[Self]) -> impl Iterator<Item = &str> {
        rules.iter().filter_map(|rule| match &rule.each {
            Each::Known { entity, .. } => Some(entity.as_str()),
            Each::Once | Each::Item(_) => None,
        })
    }
}

/// Something that is read again and again, because the vendor does not tell it, or not reliably.
#[derive(Clone, Debug)]
pub struct Poll {
    /// Its name.
    pub name: String,
    /// How often, µs, unless a connection says otherwise.
    pub every: i64,
    /// How a round begins.
    pub begin: Vec<FollowUp>,
    /// The entities that a complete round names all of: what it does not name is gone.
    pub complete_for: Vec<String>,
    /// How many percent of an entity's records a round may find gone; more asks a person.
    pub at_most_gone: i64,
    /// Where it stands.
    pub span: Span,
}

/// Percent of an entity's records that a round may find gone, unless the manifest says otherwise.
const AT_MOST_GONE: i64 = 20;

impl Poll {
    /// Reads the polls of a manifest. Their expressions see `settings`, `since` and `until`.
    pub(crate) fn compile_all(node: &Node, settings: &Type, cx: &Context<'_>) -> Vec<Self> {
        let scope = Scope::new([("settings", settings.clone()), ("since", Type::DateTime), ("until", Type::DateTime)]);
        let entries = node.entries(cx).iter();
        entries.filter_map(|(key, node)| Self::compile(&key.name, node, &scope, cx)).collect()
    }

    fn compile(name: &str, node: &Node, scope: &Scope, cx: &Context<'_>) -> Option<Self> {
        let mut fields = node.fields(cx)?;
        let every = fields.required("every").and_then(|node| hub_tree::duration::read(node, cx));
        let begin = fields.required("begin").map(|node| FollowUp::compile(node, scope, true, cx));
        let complete_for = fields.texts("complete_for");
        let at_most_gone = fields.integer("at_most_gone", 0, 100).unwrap_or(AT_MOST_GONE);
        let span = fields.span;
        fields.finish();
        Some(Self { name: name.to_owned(), every: every?, begin: begin?, complete_for, at_most_gone, span })
    }
}
