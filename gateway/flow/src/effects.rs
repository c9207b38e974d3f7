//! What handling a message leads to. Handlers compute effects; the loop commits them together with the mark that the
//! message was done.

use crate::event::EventMessage;
use crate::journey::Steps;
use crate::records::Write;
use hub_store::{NewRedrive, NewTimer};

/// What handling a message leads to.
#[derive(Debug)]
pub struct Effects {
    /// Records to write.
    pub writes: Vec<Write>,
    /// Calls to make.
    pub calls: Vec<CallRequest>,
    /// Subscriptions that are told of the event, in the order of their ids.
    pub told: Vec<Told>,
    /// Timers to set; those whose name is taken stay as they are.
    pub timers: Vec<NewTimer>,
    /// Parked things to try again.
    pub redrives: Vec<NewRedrive>,
    /// What the journey tells.
    pub steps: Steps,
}

impl Effects {
    /// Nothing, as yet, in the journey of an event.
    #[must_use]
    pub fn of(event: &EventMessage) -> Self {
        let steps = Steps::of(&event.trace, &event.tenant);
        let (writes, calls, told, timers, redrives) = Default::default();
        Self { writes, calls, told, timers, redrives, steps }
    }
}

/// A subscription and what it is told of an event.
#[derive(Clone, Debug)]
pub struct Told {
    /// Its id.
    pub id: String,
    /// What; or why nothing.
    pub what: Result<Telling, String>,
}

/// What a subscriber is told of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Telling {
    /// Ids, version and names of fields.
    Thin,
    /// This JSON as the event's `data`.
    Data(String),
}

/// A call to make.
#[derive(Clone, Debug)]
pub struct CallRequest {
    /// Connection.
    pub connection: String,
    /// Operation.
    pub operation: String,
    /// The business reference under which it is made once.
    pub key: String,
    /// Calls of one order key are made one after the other.
    pub order_key: String,
    /// The record that it is about, `entity/id`.
    pub subject: String,
    /// The arguments as JSON.
    pub args: String,
}

/// Why a message could not be handled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It may work later.
    Retry(String),
    /// It needs a person.
    Park {
        /// A stable code to group by.
        code: String,
        /// What is wrong, without personal values.
        reason: String,
        /// `file:line:column`, where one is to blame.
        place: String,
    },
}

impl Failure {
    /// Parks, with nobody's file to blame.
    #[must_use]
    pub fn park(code: &str, reason: impl Into<String>) -> Self {
        Self::Park { code: code.to_owned(), reason: reason.into(), place: String::new() }
    }
}

impl From<hub_store::StoreError> for Failure {
    fn from(error: hub_store::StoreError) -> Self {
        Self::Retry(error.to_string())
    }
}
