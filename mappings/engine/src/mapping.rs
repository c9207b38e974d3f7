//! What a mapping file says, compiled.

use hub_expr::{Located, Segment};
use hub_model::{EntityType, Type};
use hub_tree::{Source, Span};
use std::sync::Arc;

/// The names that every mapping's expressions know, in slot order.
pub(crate) const ROOTS: [&str; 5] = ["payload", "headers", "event", "connection", "request"];
pub(crate) const PAYLOAD: usize = 0;

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
    /// The hash of its text, 32 hex digits: two mappings with one version do the same.
    pub version: String,
    /// Which way it maps.
    pub direction: Direction,
    /// The connector that it belongs to.
    pub connector: String,
    /// The file.
    pub source: Arc<Source>,
    pub(crate) lets: Vec<Let>,
    pub(crate) emits: Vec<Emit>,
    /// The fields of an out mapping.
    pub(crate) body: Vec<FieldRule>,
    /// Every source path below `payload` that some rule reads.
    pub(crate) reads: PathSet,
    /// The paths that nobody reads on purpose.
    pub(crate) ignored: PathSet,
}

/// Rules that make one record out of named values, for flows: the same vocabulary as in mapping files.
#[derive(Debug)]
pub struct Draft {
    /// The entity of the record.
    pub entity: &'static EntityType,
    pub(crate) source: Arc<Source>,
    pub(crate) names: Vec<String>,
    pub(crate) fields: Vec<FieldRule>,
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
    pub(crate) url: Option<Located>,
    pub(crate) deleted: Option<Located>,
    pub(crate) fields: Vec<FieldRule>,
    /// The source path whose leftovers this record keeps in `ext`.
    pub(crate) container: Vec<Segment>,
    pub(crate) span: Span,
}

/// One target field and the rule that fills it.
#[derive(Debug)]
pub(crate) struct FieldRule {
    /// The keys of the target, such as `name`, `full`.
    pub(crate) target: Vec<String>,
    pub(crate) ty: &'static Type,
    pub(crate) rule: Rule,
    /// Where the target's key stands.
    pub(crate) span: Span,
    /// The rule's name in `field_meta`, such as `emit[0].name.full`.
    pub(crate) id: String,
}

impl FieldRule {
    /// The target as a JSON pointer.
    pub(crate) fn pointer(&self) -> String {
        self.target.iter().fold(String::new(), |pointer, key| pointer + "/" + key)
    }
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
    pub(crate) date: Option<DateForm>,
    pub(crate) default: Option<What>,
    pub(crate) required: bool,
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

/// How a date or date-time is written at the source.
#[derive(Debug)]
pub(crate) struct DateForm {
    pub(crate) kind: DateKind,
    pub(crate) zone: Option<String>,
}

#[derive(Debug)]
pub(crate) enum DateKind {
    Rfc3339,
    EpochSeconds,
    EpochMillis,
    /// A strftime format.
    Format(String),
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
    Fields(Vec<FieldRule>),
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
    PersonName(Vec<FieldRule>),
}

/// A literal of the file, as JSON text.
#[derive(Debug)]
pub(crate) struct Literal {
    pub(crate) json: String,
}

#[derive(Debug)]
pub(crate) struct EachRule {
    pub(crate) list: Located,
    pub(crate) filter: Option<Located>,
    /// What each item becomes.
    pub(crate) item: Rule,
}

/// A set of source paths, as a tree.
#[derive(Debug, Default)]
pub(crate) struct PathSet {
    /// The path that ends here is in the set, with all that lies below.
    pub(crate) whole: bool,
    pub(crate) keys: Vec<(Box<str>, PathSet)>,
    pub(crate) items: Option<Box<PathSet>>,
}

impl PathSet {
    pub(crate) fn insert(&mut self, path: &[Segment]) {
        let Some((first, rest)) = path.split_first() else {
            self.whole = true;
            return;
        };
        match first {
            Segment::Items => self.items.get_or_insert_default().insert(rest),
            Segment::Key(key) => {
                let index = self.keys.iter().position(|(k, _)| k == key).unwrap_or_else(|| {
                    self.keys.push((key.clone(), Self::default()));
                    self.keys.len() - 1
                });
                self.keys[index].1.insert(rest);
            }
        }
    }

    pub(crate) fn key(&self, key: &str) -> Option<&PathSet> {
        self.keys.iter().find(|(k, _)| &**k == key).map(|(_, set)| set)
    }
}
