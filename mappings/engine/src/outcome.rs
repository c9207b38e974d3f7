//! What goes into a run and what comes out of it.

use hub_model::EntityType;
use hub_tree::{Arena, Value};
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

    /// Copies the input into an arena.
    pub(crate) fn copy_into<'b>(&self, arena: &'b Arena) -> Input<'b> {
        Input {
            payload: self.payload.copy_into(arena),
            headers: self.headers.copy_into(arena),
            event: arena.text(self.event),
            connection: arena.text(self.connection),
            settings: self.settings.copy_into(arena),
            request: self.request.copy_into(arena),
        }
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
    /// Which of the records that an `each` makes, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<usize>,
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

impl Issue {
    /// What it is about, such as `candidate/name/full`, or `candidate[3]/name/full` of records that an `each` makes.
    #[must_use]
    pub fn place(&self) -> String {
        let item = self.item.map(|item| format!("[{item}]")).unwrap_or_default();
        format!("{}{item}{}", self.entity, self.field)
    }
}

impl fmt::Display for Issue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, message, .. } = self;
        write!(f, "{file}:{line}:{column}: {}: {message}", self.place())
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
    /// Its id at the vendor until now, where the vendor has changed it.
    pub formerly: Option<&'a str>,
    /// The vendor says that it is gone.
    pub deleted: bool,
    /// Where a person can look at it.
    pub url: Option<&'a str>,
    /// The fields to set: a patch. An explicit null removes a field.
    pub fields: Value<'a>,
    /// What no rule read, to be kept under the connector's name in `ext`.
    pub ext: Value<'a>,
    /// Field pointers and the rules that set them.
    pub rules: Vec<(&'a str, &'a str)>,
}

/// What a mapping made of a payload.
#[derive(Debug, Default)]
pub struct Outcome<'a> {
    /// The records, without those that have errors.
    pub records: Vec<Record<'a>>,
    /// What went wrong.
    pub issues: Vec<Issue>,
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
    /// The body as text, where the mapping makes XML.
    pub xml: Option<String>,
    /// What went wrong; with an error the body must not be sent.
    pub issues: Vec<Issue>,
}

/// A draft that was filled in.
#[derive(Debug)]
pub struct Filled<'a> {
    /// The fields.
    pub fields: Value<'a>,
    /// Field pointers and the rules that set them.
    pub rules: Vec<(&'a str, &'a str)>,
    /// What went wrong; with an error the record must not be made.
    pub issues: Vec<Issue>,
}
