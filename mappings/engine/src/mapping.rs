//! What a mapping file says, compiled.

use crate::lists::CodeList;
use hub_expr::{Located, Segment};
use hub_model::{EntityType, Type};
use hub_standards::dates::Form;
use hub_tree::jiff::tz::TimeZone;
use hub_tree::{Source, Span, Value};
use std::sync::Arc;

/// The names that every mapping's expressions know, in slot order.
pub(crate) const ROOTS: [&str; 6] = ["payload", "headers", "event", "connection", "request", "lists"];
pub(crate) const PAYLOAD: usize = 0;
pub(crate) const LISTS: usize = 5;

/// Vendor to hub, or hub to vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// `*.in.yaml`: a vendor's payload becomes canonical records.
    In,
    /// `*.out.yaml`: canonical records become a vendor's body.
    Out,
}

/// A compiled mapping file.
#[derive(Debug)]
pub struct Mapping {
    /// `connector/object.in` or `connector/object.out`.
    pub id: String,
    /// The hash of the texts that it is made of, 32 hex digits: two mappings with one version do the same.
    pub version: String,
    /// Which way it maps.
    pub direction: Direction,
    /// The connector that it belongs to.
    pub connector: String,
    /// The file, or the stack of its layers.
    pub source: Arc<Source>,
    /// The files that it was compiled from, as far as they count, as [`Parts::to_text`] writes them.
    pub text: String,
    /// What the body of an out mapping is written as.
    pub format: Format,
    pub(crate) lets: Vec<Let>,
    pub(crate) emits: Vec<Emit>,
    /// The fields of an out mapping.
    pub(crate) body: Vec<Entry>,
    /// The code lists that its rules use, in the order of their numbers there.
    pub(crate) lists: Vec<Arc<CodeList>>,
    /// Whether expressions read code lists, which are then made values for them.
    pub(crate) reads_lists: bool,
    /// Every source path below `payload` that a rule reads or that nobody reads on purpose.
    pub(crate) known: PathSet,
}

/// The form of a vendor's body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// JSON.
    #[default]
    Json,
    /// XML: one root; `@name` keys are attributes, `#text` is text beside them; elements in the order of the rules.
    Xml,
}

/// Rules that make one record out of named values, for flows: the same vocabulary as in mapping files.
#[derive(Debug)]
pub struct Draft {
    /// The entity of the record.
    pub entity: &'static EntityType,
    pub(crate) source: Arc<Source>,
    pub(crate) fields: Vec<Entry>,
}

#[derive(Debug)]
pub(crate) struct Let {
    pub(crate) name: String,
    pub(crate) expr: Located,
}

#[derive(Debug)]
pub(crate) struct Emit {
    pub(crate) entity: &'static EntityType,
    pub(crate) when: Option<Located>,
    pub(crate) each: Option<Located>,
    pub(crate) key: Option<Located>,
    /// The hub's own id that a vendor hands back.
    pub(crate) hub_id: Option<Located>,
    /// The id that the vendor has changed into `key`.
    pub(crate) formerly: Option<Located>,
    pub(crate) url: Option<Located>,
    pub(crate) deleted: Option<Located>,
    pub(crate) fields: Vec<Entry>,
    /// What this record keeps in `ext`, unless it is one of many that `each` makes.
    pub(crate) leftovers: Option<Leftovers>,
    pub(crate) span: Span,
}

/// The part of the payload whose leftovers a record keeps: the object that its key lies in.
#[derive(Debug)]
pub(crate) struct Leftovers {
    /// The way there.
    pub(crate) path: Vec<Box<str>>,
    /// What is read, ignored or another record's, in the whole payload: a path that ends above the part takes it all.
    pub(crate) taken: PathSet,
}

/// A key of the object that is made: the parts of the model come in its order, those of a vendor's body as written.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) made: Made,
}

#[derive(Debug)]
pub(crate) enum Made {
    /// By a rule.
    By(Box<FieldRule>),
    /// Of rules for its parts, whose targets are written with dots.
    Of(Vec<Entry>),
}

/// All rules below entries, in their order.
pub(crate) fn rules(entries: &[Entry]) -> Vec<&FieldRule> {
    entries
        .iter()
        .flat_map(|entry| match &entry.made {
            Made::By(rule) => vec![&**rule],
            Made::Of(entries) => rules(entries),
        })
        .collect()
}

/// One target field and the rule that fills it.
#[derive(Debug)]
pub(crate) struct FieldRule {
    /// The target as a JSON pointer, such as `/name/full`.
    pub(crate) pointer: String,
    pub(crate) ty: &'static Type,
    pub(crate) rule: Rule,
    /// Where the target's key stands.
    pub(crate) span: Span,
    /// The rule's name in `field_meta`, such as `emit[0].name.full`.
    pub(crate) id: String,
    /// The paths below `payload` that it reads.
    pub(crate) reads: Vec<String>,
}

/// How a field is filled.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) what: What,
    pub(crate) when: Option<Located>,
    pub(crate) trim: bool,
    pub(crate) letters: Option<Letters>,
    pub(crate) split: Option<String>,
    pub(crate) join: Option<String>,
    pub(crate) enumeration: Option<EnumTable>,
    pub(crate) lookup: Option<Lookup>,
    pub(crate) date: Option<DateForm>,
    pub(crate) default: Option<Literal>,
    pub(crate) required: bool,
    /// Part of an update even when it did not change.
    pub(crate) always: bool,
    /// An explicit null in the source removes the stored value.
    pub(crate) clear_on_null: bool,
    pub(crate) span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Letters {
    Lower,
    Upper,
}

/// A vendor's values and ours.
#[derive(Debug)]
pub(crate) struct EnumTable {
    pub(crate) entries: Vec<(String, String)>,
    /// An unknown value parks the message instead of becoming `OTHER`.
    pub(crate) park_unknown: bool,
}

/// A look-up in a code list.
#[derive(Debug)]
pub(crate) struct Lookup {
    /// Its number among the mapping's lists.
    pub(crate) list: usize,
    /// The day on which the row must hold.
    pub(crate) on: Option<Located>,
    /// From our code to the vendor's.
    pub(crate) reverse: bool,
    /// An unknown code parks the message instead of being kept.
    pub(crate) park_unknown: bool,
}

/// How a day or an instant is written at the source; in a vendor's body, how it is to be written.
#[derive(Debug)]
pub(crate) struct DateForm {
    pub(crate) form: Form,
    pub(crate) zone: Option<TimeZone>,
    /// `date`, not `datetime`.
    pub(crate) day: bool,
    /// Written in the form, not read.
    pub(crate) writes: bool,
}

/// Where a rule's value comes from.
#[derive(Debug)]
pub(crate) enum What {
    /// The first path that is not absent.
    Paths(Vec<Located>),
    Expr(Located),
    Value(Literal),
    Each(Box<EachRule>),
    /// An object made of fields.
    Fields(Vec<Entry>),
    Ref {
        entity: String,
        key: Option<Box<Rule>>,
        hub_id: Option<Box<Rule>>,
        display: Option<Box<Rule>>,
    },
    Money {
        amount: Box<Rule>,
        currency: Box<Rule>,
        minor_units: bool,
    },
    Score {
        value: Box<Rule>,
        min: Box<Rule>,
        max: Box<Rule>,
        scale: Option<Box<Rule>>,
    },
    Phone {
        value: Box<Rule>,
        region: Option<Box<Rule>>,
        kind: Option<Box<Rule>>,
    },
    Email {
        value: Box<Rule>,
        kind: Option<Box<Rule>>,
        is_primary: Option<Box<Rule>>,
    },
    PersonName(Vec<Entry>),
}

/// A value that stands in the file, in the form that its field has.
#[derive(Debug)]
pub(crate) enum Literal {
    Bool(bool),
    Text(String),
    Number(String),
    /// A value of an enum.
    Enum(String),
    List(Vec<Literal>),
    Map(Vec<(String, Literal)>),
    Null,
}

impl Literal {
    pub(crate) fn value<'a>(&'a self, arena: &'a hub_tree::Arena) -> Value<'a> {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Text(text) => Value::Text(text),
            Self::Number(text) => Value::Number(text),
            Self::Enum(value) => arena.map(&[("value", Value::Text(value))]),
            Self::List(items) => arena.list(&items.iter().map(|item| item.value(arena)).collect::<Vec<Value<'a>>>()),
            Self::Map(entries) => {
                let entries = entries.iter().map(|(key, value)| (key.as_str(), value.value(arena)));
                arena.map(&entries.collect::<Vec<(&'a str, Value<'a>)>>())
            }
        }
    }
}

#[derive(Debug)]
pub(crate) struct EachRule {
    pub(crate) list: Located,
    pub(crate) filter: Option<Located>,
    /// What each item becomes.
    pub(crate) item: Rule,
}

/// A set of source paths, as a tree.
#[derive(Clone, Debug, Default)]
pub(crate) struct PathSet {
    /// The path that ends here is in the set, with all that lies below.
    pub(crate) whole: bool,
    pub(crate) keys: Vec<(Box<str>, PathSet)>,
    /// Below every item of a list.
    pub(crate) items: Option<Box<PathSet>>,
    /// Below single items.
    pub(crate) at: Vec<(usize, PathSet)>,
}

impl PathSet {
    pub(crate) fn insert(&mut self, path: &[Segment]) {
        let Some((first, rest)) = path.split_first() else {
            self.whole = true;
            return;
        };
        match first {
            Segment::Items => self.items.get_or_insert_default().insert(rest),
            Segment::Item(item) => {
                let index = self.at.iter().position(|(known, _)| known == item).unwrap_or_else(|| {
                    self.at.push((*item, Self::default()));
                    self.at.len() - 1
                });
                self.at[index].1.insert(rest);
            }
            Segment::Key(key) => {
                let index = self.keys.iter().position(|(k, _)| k == key).unwrap_or_else(|| {
                    self.keys.push((key.clone(), Self::default()));
                    self.keys.len() - 1
                });
                self.keys[index].1.insert(rest);
            }
        }
    }

    /// The set below a path; `None` when nothing of it lies there.
    pub(crate) fn below(&self, path: &[Segment]) -> Option<&PathSet> {
        path.iter().try_fold(self, |set, segment| match segment {
            Segment::Key(key) => set.key(key),
            Segment::Items => set.items.as_deref(),
            Segment::Item(index) => set.at(*index).or(set.items.as_deref()),
        })
    }

    /// Whether nothing is in it.
    pub(crate) fn is_empty(&self) -> bool {
        !self.whole && self.keys.is_empty() && self.items.is_none() && self.at.is_empty()
    }

    /// Whether all that lies at a path is in it.
    pub(crate) fn holds(&self, path: &[Segment]) -> bool {
        self.whole
            || path
                .split_first()
                .is_some_and(|(first, rest)| self.below(std::slice::from_ref(first)).is_some_and(|set| set.holds(rest)))
    }

    /// The set below the item at `index` alone.
    pub(crate) fn at(&self, index: usize) -> Option<&PathSet> {
        self.at.iter().find(|(known, _)| *known == index).map(|(_, set)| set)
    }

    /// Both sets in one.
    pub(crate) fn joined(&self, other: &PathSet) -> PathSet {
        let mut both = self.clone();
        both.whole |= other.whole;
        for (key, set) in &other.keys {
            match both.keys.iter_mut().find(|(known, _)| known == key) {
                Some((_, known)) => *known = known.joined(set),
                None => both.keys.push((key.clone(), set.clone())),
            }
        }
        for (index, set) in &other.at {
            match both.at.iter_mut().find(|(known, _)| known == index) {
                Some((_, known)) => *known = known.joined(set),
                None => both.at.push((*index, set.clone())),
            }
        }
        if let Some(items) = &other.items {
            both.items =
                Some(Box::new(both.items.as_deref().map_or_else(|| (**items).clone(), |own| own.joined(items))));
        }
        both
    }

    pub(crate) fn key(&self, key: &str) -> Option<&PathSet> {
        self.keys.iter().find(|(k, _)| &**k == key).map(|(_, set)| set)
    }
}
