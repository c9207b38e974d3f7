//! What a person may ask about a decision, and who answers: an explanation, a review by somebody else, a correction,
//! that no machine decides about them. And what people did with what a machine proposed.

mod agreement;

pub use agreement::{Agreement, agreement, machine_label};

use hub_model::Enum;
use hub_model::entities::assessment::{
    AutomationLevel, Decider, DeciderKind, Decision, DecisionKind, DecisionLabel, DecisionRequest, RequestKind,
    RequestOutcome, RequestStatus,
};
use hub_model::enums::EnumOf;
use hub_model::scalars::{Date, DateTime, Ref};
use hub_tree::jiff::ToSpan;
use hub_tree::jiff::civil;
use serde_json::{Value, json};

/// Requests that one decision takes.
const MOST: usize = 100;

/// Why something is not done with a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// A part of the request makes no sense: its JSON pointer, and why.
    Part(&'static str, String),
    /// The decision does not stand so that it could be done.
    State {
        /// What is wrong.
        detail: String,
        /// What to do.
        next: String,
    },
    /// Somebody else has to do it.
    Maker(String),
}

fn part(pointer: &'static str, detail: impl Into<String>) -> Refused {
    Refused::Part(pointer, detail.into())
}

fn state(detail: impl Into<String>, next: impl Into<String>) -> Refused {
    Refused::State { detail: detail.into(), next: next.into() }
}

/// What a person asks.
#[derive(Clone, Debug)]
pub struct Question {
    /// The id that it gets.
    pub id: String,
    /// What for.
    pub kind: RequestKind,
    /// Why, in their words.
    pub reason: Option<String>,
    /// On which day.
    pub asked_on: civil::Date,
}

/// The day until which a question is answered that was asked on `asked_on`.
#[must_use]
pub fn due_on(asked_on: civil::Date, answer_days: u16) -> civil::Date {
    asked_on.checked_add(i32::from(answer_days).days()).unwrap_or(civil::Date::MAX)
}

/// Writes a question down: a patch of the decision. Who asks for a person gets one, whatever the machine said of that.
///
/// # Errors
/// Why not.
pub fn ask(decision: &Decision, question: &Question, answer_days: u16, at: DateTime) -> Result<Value, Refused> {
    let mut requests = decision.requests.clone().unwrap_or_default();
    if requests.len() >= MOST {
        return Err(state(format!("this decision has {MOST} requests"), "answer them first"));
    }
    let same = |known: &&DecisionRequest| is_open(known) && kind_of(known) == Some(question.kind);
    if let Some(known) = requests.iter().find(same) {
        let id = known.id.as_deref().unwrap_or_default();
        let detail = format!("a request of kind {} is open already: `{id}`", question.kind.as_str());
        return Err(state(detail, "answer it first: POST /v1/decisions/{id}:answer"));
    }
    requests.push(DecisionRequest {
        id: Some(question.id.clone()),
        kind: Some(Enum::of(question.kind)),
        reason: question.reason.clone(),
        asked_on: Some(Date(question.asked_on.to_string())),
        opened_at: Some(at),
        due_on: Some(Date(due_on(question.asked_on, answer_days).to_string())),
        status: Some(Enum::of(RequestStatus::Open)),
        ..DecisionRequest::default()
    });
    let mut patch = json!({ "requests": requests, "request_status": Enum::of(RequestStatus::Open) });
    if needs_other(question.kind) {
        patch["human_review_required"] = json!(true);
    }
    Ok(patch)
}

/// An answer to a question.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Which question.
    pub request: String,
    /// What it comes to.
    pub outcome: RequestOutcome,
    /// The words.
    pub text: String,
    /// The hub id of the user who answers.
    pub by: String,
    /// The new label, where it takes the place of the old one.
    pub label: Option<DecisionLabel>,
    /// The new decision, where one takes the place of this one.
    pub decision: Option<NewDecision>,
}

/// A decision that takes the place of another.
#[derive(Clone, Debug)]
pub struct NewDecision {
    /// Its hub id.
    pub id: String,
    /// When it was written down, µs.
    pub created_at: i64,
    /// What it says.
    pub record: Decision,
}

/// Answers a question: a patch of the decision. `makers` are the users who made it, in any of its versions.
///
/// # Errors
/// Why not.
pub fn answer(decision: &Decision, answer: &Answer, makers: &[String], at: DateTime) -> Result<Value, Refused> {
    let mut requests = decision.requests.clone().unwrap_or_default();
    let found = requests.iter_mut().find(|known| known.id.as_deref() == Some(answer.request.as_str()));
    let request = found.ok_or_else(|| part("/request", "this decision has no request with this id"))?;
    let kind = kind_of(request).filter(|_| is_open(request));
    let Some(kind) = kind else {
        return Err(state("this request was answered", "open a new one: POST /v1/decisions/{id}:request"));
    };
    let known = outcomes(kind);
    if !known.contains(&answer.outcome) {
        let words: Vec<&str> = known.iter().map(|outcome| outcome.as_str()).collect();
        let detail = format!("a request of kind {} is answered by {}", kind.as_str(), words.join(" or "));
        return Err(part("/outcome", detail));
    }
    let current = maker_of(decision);
    let is_maker = |user: &str| makers.iter().any(|maker| maker == user) || current == Some(user);
    if needs_other(kind) && is_maker(&answer.by) {
        return Err(Refused::Maker("who made the decision does not review it: somebody else has to".to_owned()));
    }
    let overturned = answer.outcome == RequestOutcome::Overturned;
    if !overturned && (answer.label.is_some() || answer.decision.is_some()) {
        let pointer = if answer.label.is_some() { "/label" } else { "/decision" };
        return Err(part(pointer, "only a decision that is overturned gets a new label or a new decision"));
    }
    let mut patch = match (&answer.label, &answer.decision) {
        _ if !overturned => json!({}),
        (Some(label), None) => relabelled(decision, *label, &answer.by, at)?,
        (None, Some(new)) => {
            let opened_at = request.opened_at.map_or(i64::MIN, |opened| opened.0.as_microsecond());
            replaces(decision, new, opened_at)?;
            if needs_other(kind) && maker_of(&new.record).is_some_and(is_maker) {
                let why = "the new decision is made by who made the old one: somebody else has to";
                return Err(Refused::Maker(why.to_owned()));
            }
            request.decision = Some(Ref::new(new.id.clone()));
            json!({})
        }
        (None, None) => {
            let detail = "a decision is overturned by a person's new label or new decision: give `label` or `decision`";
            return Err(part("/outcome", detail));
        }
        (Some(_), Some(_)) => return Err(part("/decision", "give either `label` or `decision`")),
    };
    request.status = Some(Enum::of(RequestStatus::Answered));
    request.outcome = Some(Enum::of(answer.outcome));
    request.answer = Some(answer.text.clone());
    request.answered_at = Some(at);
    request.answered_by = Some(Ref::new(answer.by.clone()));
    let open = requests.iter().any(is_open);
    let status = if open { RequestStatus::Open } else { RequestStatus::Answered };
    if needs_other(kind) && !requests.iter().any(|known| is_open(known) && kind_of(known).is_some_and(needs_other)) {
        patch["human_review_required"] = json!(false);
    }
    patch["request_status"] = json!(Enum::of(status));
    patch["requests"] = json!(requests);
    Ok(patch)
}

/// Whether a request waits for its answer.
#[must_use]
pub fn is_open(request: &DecisionRequest) -> bool {
    request.status.as_ref().is_none_or(|status| status.value == RequestStatus::Open)
}

fn kind_of(request: &DecisionRequest) -> Option<RequestKind> {
    request.kind.as_ref().map(|kind| kind.value)
}

/// The user who made a decision, where one is named.
#[must_use]
pub fn maker_of(decision: &Decision) -> Option<&str> {
    decision.made_by.as_ref()?.user.as_ref()?.id.as_deref()
}

/// Whether somebody else has looked at a decision and upheld it.
#[must_use]
pub fn is_upheld(decision: &Decision) -> bool {
    decision.requests.iter().flatten().any(|request| {
        let outcome = request.outcome.as_ref().map(|outcome| outcome.value);
        kind_of(request).is_some_and(needs_other) && outcome == Some(RequestOutcome::Upheld)
    })
}

/// Who made the decision cannot answer it.
const fn needs_other(kind: RequestKind) -> bool {
    matches!(kind, RequestKind::Review | RequestKind::Refusal)
}

const fn outcomes(kind: RequestKind) -> &'static [RequestOutcome] {
    match kind {
        RequestKind::Explanation => &[RequestOutcome::Explained],
        RequestKind::Review | RequestKind::Refusal => &[RequestOutcome::Upheld, RequestOutcome::Overturned],
        RequestKind::Other => &[],
        RequestKind::Correction => &[RequestOutcome::Corrected, RequestOutcome::Upheld, RequestOutcome::Overturned],
    }
}

/// The decision with another label, which a person gives.
fn relabelled(decision: &Decision, label: DecisionLabel, by: &str, at: DateTime) -> Result<Value, Refused> {
    let kind = decision.kind.as_ref().map(|kind| kind.value);
    if matches!(kind, Some(DecisionKind::Hire | DecisionKind::Reject)) {
        let detail = "a decision to hire or reject is overturned by a new decision: give `decision`";
        return Err(part("/label", detail));
    }
    if decision.label.as_ref().is_some_and(|known| known.value == label) {
        return Err(part("/label", "this is the label that the decision has: it was upheld, or give another one"));
    }
    // Whose label it was before stays to be seen.
    let rule_id = decision.made_by.as_ref().and_then(|by| by.rule_id.clone());
    let made_by = Decider { kind: Some(Enum::of(DeciderKind::Human)), user: Some(Ref::new(by)), rule_id };
    Ok(json!({
        "label": Enum::of(label),
        "made_by": made_by,
        "at": at,
        "automation_level": Enum::of(AutomationLevel::AutomatedReviewed),
    }))
}

/// Refuses a decision that cannot take the place of another.
fn replaces(old: &Decision, new: &NewDecision, opened_at: i64) -> Result<(), Refused> {
    let application = |of: &Decision| of.application.as_ref().and_then(|application| application.id.clone());
    if application(old) != application(&new.record) {
        return Err(part("/decision", "the new decision is about another application"));
    }
    if new.created_at < opened_at {
        return Err(part("/decision", "the new decision is older than the request"));
    }
    let by = new.record.made_by.as_ref().and_then(|by| by.kind.as_ref()).map(|kind| kind.value);
    if by != Some(DeciderKind::Human) || maker_of(&new.record).is_none() {
        return Err(part("/decision", "the new decision names no person who made it: `made_by.user`"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_model::scalars::to;

    fn at(text: &str) -> DateTime {
        DateTime(text.parse().unwrap())
    }

    fn day(text: &str) -> civil::Date {
        text.parse().unwrap()
    }

    fn decision(kind: DecisionKind, maker: Option<&str>) -> Decision {
        Decision {
            application: Some(Ref::new("a")),
            kind: Some(Enum::of(kind)),
            label: Some(Enum::of(DecisionLabel::Consider)),
            made_by: Some(Decider {
                kind: Some(Enum::of(if maker.is_some() { DeciderKind::Human } else { DeciderKind::Rule })),
                user: maker.map(Ref::<to::User>::new),
                rule_id: maker.is_none().then(|| "sales@2".to_owned()),
            }),
            ..Decision::default()
        }
    }

    fn after(decision: &Decision, patch: &Value) -> Decision {
        let mut document = serde_json::to_value(decision).unwrap();
        for (name, value) in patch.as_object().unwrap() {
            document[name] = value.clone();
        }
        serde_json::from_value(document).unwrap()
    }

    fn asked(decision: &Decision, kind: RequestKind) -> Decision {
        let question = Question { id: "q".into(), kind, reason: None, asked_on: day("2026-01-31") };
        after(decision, &ask(decision, &question, 30, at("2026-02-01T08:00:00Z")).unwrap())
    }

    fn reply(outcome: RequestOutcome, by: &str) -> Answer {
        Answer { request: "q".into(), outcome, text: "we looked".into(), by: by.into(), label: None, decision: None }
    }

    #[test]
    fn a_question_is_due_days_after_it_was_asked_and_is_asked_once() {
        assert_eq!(due_on(day("2026-01-31"), 30), day("2026-03-02"));
        assert_eq!(due_on(day("2028-01-31"), 30), day("2028-03-01"), "a leap year");
        let open = asked(&decision(DecisionKind::Hold, None), RequestKind::Review);
        let request = &open.requests.as_ref().unwrap()[0];
        assert_eq!(request.due_on, Some(Date("2026-03-02".into())));
        assert_eq!(open.human_review_required, Some(true));
        let again = Question { id: "r".into(), kind: RequestKind::Review, reason: None, asked_on: day("2026-02-02") };
        assert!(matches!(ask(&open, &again, 30, at("2026-02-02T08:00:00Z")), Err(Refused::State { .. })));
        let other = Question { kind: RequestKind::Explanation, ..again };
        assert!(ask(&open, &other, 30, at("2026-02-02T08:00:00Z")).is_ok());
    }

    #[test]
    fn who_decided_does_not_review_it() {
        let now = at("2026-02-03T08:00:00Z");
        let by_lin = asked(&decision(DecisionKind::Reject, Some("lin")), RequestKind::Review);
        let own = answer(&by_lin, &reply(RequestOutcome::Upheld, "lin"), &[], now);
        assert!(matches!(own, Err(Refused::Maker(_))), "{own:?}");
        let former = answer(&by_lin, &reply(RequestOutcome::Upheld, "wu"), &["wu".to_owned()], now);
        assert!(matches!(former, Err(Refused::Maker(_))), "who made a version before");
        let done = after(&by_lin, &answer(&by_lin, &reply(RequestOutcome::Upheld, "petra"), &[], now).unwrap());
        let request = &done.requests.as_ref().unwrap()[0];
        assert_eq!(request.answered_by.as_ref().unwrap().id.as_deref(), Some("petra"));
        assert_eq!(done.request_status.as_ref().unwrap().value, RequestStatus::Answered);
        let twice = answer(&done, &reply(RequestOutcome::Upheld, "petra"), &[], now);
        assert!(matches!(twice, Err(Refused::State { .. })));
        // To explain it, who decided is the best.
        let why = asked(&decision(DecisionKind::Reject, Some("lin")), RequestKind::Explanation);
        assert!(answer(&why, &reply(RequestOutcome::Explained, "lin"), &[], now).is_ok());
        assert!(matches!(
            answer(&why, &reply(RequestOutcome::Upheld, "wu"), &[], now),
            Err(Refused::Part("/outcome", _))
        ));
    }

    #[test]
    fn what_is_overturned_gets_a_persons_label_or_decision() {
        let now = at("2026-02-03T08:00:00Z");
        let open = asked(&decision(DecisionKind::Hold, None), RequestKind::Review);
        let bare = reply(RequestOutcome::Overturned, "petra");
        assert!(matches!(answer(&open, &bare, &[], now), Err(Refused::Part("/outcome", _))));
        let same = Answer { label: Some(DecisionLabel::Consider), ..bare.clone() };
        assert!(matches!(answer(&open, &same, &[], now), Err(Refused::Part("/label", _))));
        let other = Answer { label: Some(DecisionLabel::Recommended), ..bare.clone() };
        let done = after(&open, &answer(&open, &other, &[], now).unwrap());
        assert_eq!(maker_of(&done), Some("petra"));
        assert_eq!(done.label.unwrap().value, DecisionLabel::Recommended);
        // A rejection is not made a recommendation: somebody decides anew.
        let rejected = asked(&decision(DecisionKind::Reject, Some("lin")), RequestKind::Review);
        assert!(matches!(answer(&rejected, &other, &[], now), Err(Refused::Part("/label", _))));
        let opened = at("2026-02-01T08:00:00Z").0.as_microsecond();
        let new = |maker: Option<&str>, created_at: i64| {
            let record = decision(DecisionKind::Advance, maker);
            Answer { decision: Some(NewDecision { id: "n".into(), created_at, record }), ..bare.clone() }
        };
        assert!(answer(&rejected, &new(Some("petra"), opened + 1), &[], now).is_ok());
        assert!(matches!(answer(&rejected, &new(Some("lin"), opened + 1), &[], now), Err(Refused::Maker(_))));
        for wrong in [new(None, opened + 1), new(Some("petra"), opened - 1)] {
            assert!(matches!(answer(&rejected, &wrong, &[], now), Err(Refused::Part("/decision", _))));
        }
    }
}
