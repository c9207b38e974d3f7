//! Steps of journeys, in one form.

use hub_store::Step;
use hub_tree::{Ids, TraceContext};

/// How a step went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Went {
    /// As it should.
    Ok,
    /// It will be tried again.
    Retry,
    /// It needs a person.
    Parked,
}

impl Went {
    /// The word in the store.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Retry => "retry",
            Self::Parked => "parked",
        }
    }
}

/// Makes the steps of one message.
#[derive(Clone, Debug)]
pub struct Steps {
    trace: String,
    tenant: String,
    made: Vec<Step>,
}

impl Steps {
    /// Steps of the journey that `context` belongs to.
    #[must_use]
    pub fn of(context: &TraceContext, tenant: &str) -> Self {
        Self { trace: context.id(), tenant: tenant.to_owned(), made: Vec::new() }
    }

    /// Adds a step. `system` is a connection or `hub`; `subject` is `entity/id`; `detail` holds no personal values.
    pub fn add(
        &mut self,
        ids: &Ids,
        at: i64,
        (step, went): (&str, Went),
        system: &str,
        subject: &str,
        detail: impl Into<String>,
    ) {
        self.made.push(Step {
            trace: self.trace.clone(),
            id: ids.next().to_string(),
            tenant: self.tenant.clone(),
            at,
            step: step.to_owned(),
            system: system.to_owned(),
            result: went.word().to_owned(),
            subject: subject.to_owned(),
            detail: detail.into(),
        });
    }

    /// The steps.
    #[must_use]
    pub fn into_vec(self) -> Vec<Step> {
        self.made
    }
}
