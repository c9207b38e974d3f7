//! The steps of a run: from where each may be taken, and by whom. Who prepared a run does not agree to it.

use super::collect::day;
use super::facts::{id_of, is_settled, locked_at, status_of};
use hub_flow::reading::{self, Known};
use hub_flow::{Failure, Hub};
use hub_model::Enum;
use hub_model::entities::pay::{PayrollRun, RunPhase, RunProgress, RunStatus, RunStep};
use hub_model::enums::EnumOf;
use hub_model::scalars::DateTime;
use hub_tree::jiff::civil::Date;
use serde_json::{Value, json};

/// A step that somebody takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Collects the inputs and makes the payslips.
    Calculate,
    /// Somebody has looked at it.
    Review,
    /// Somebody else agrees.
    Approve,
    /// From now on it never changes.
    Lock,
    /// Back to the beginning.
    Reopen,
    /// The bank is asked to pay.
    Pay,
    /// The money has arrived.
    Settle,
    /// Nothing is left to do.
    Close,
    /// It is withdrawn before anybody is paid: nothing counts it any more.
    Reverse,
}

impl Step {
    /// All steps and how they are written: `POST /v1/payroll-runs/{id}:<word>`.
    pub const ALL: [(&'static str, Self); 9] = [
        ("calculate", Self::Calculate),
        ("review", Self::Review),
        ("approve", Self::Approve),
        ("lock", Self::Lock),
        ("reopen", Self::Reopen),
        ("pay", Self::Pay),
        ("settle", Self::Settle),
        ("close", Self::Close),
        ("reverse", Self::Reverse),
    ];

    /// The step of a word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == word).map(|(_, step)| *step)
    }

    /// How it is written.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, step)| *step == self).map_or("", |(word, _)| word)
    }

    /// What the audit log calls it.
    #[must_use]
    pub const fn action(self) -> &'static str {
        match self {
            Self::Calculate => "payroll_run.calculating",
            Self::Review => "payroll_run.reviewed",
            Self::Approve => "payroll_run.approved",
            Self::Lock => "payroll_run.locked",
            Self::Reopen => "payroll_run.reopened",
            Self::Pay => "payroll_run.paying",
            Self::Settle => "payroll_run.paid",
            Self::Close => "payroll_run.closed",
            Self::Reverse => "payroll_run.reversed",
        }
    }

    const fn from(self) -> &'static [RunStatus] {
        match self {
            Self::Calculate => &[RunStatus::Draft, RunStatus::Calculated, RunStatus::Reviewed, RunStatus::Failed],
            Self::Review => &[RunStatus::Calculated],
            Self::Approve => &[RunStatus::Reviewed],
            Self::Lock => &[RunStatus::Approved],
            Self::Reopen => &[RunStatus::Calculated, RunStatus::Reviewed, RunStatus::Approved, RunStatus::Failed],
            Self::Pay => &[RunStatus::Locked],
            Self::Settle => &[RunStatus::Paying],
            Self::Close => &[RunStatus::Paid],
            Self::Reverse => &[RunStatus::Locked],
        }
    }

    const fn to(self) -> RunStatus {
        match self {
            Self::Calculate => RunStatus::Calculating,
            Self::Review => RunStatus::Reviewed,
            Self::Approve => RunStatus::Approved,
            Self::Lock => RunStatus::Locked,
            Self::Reopen => RunStatus::Draft,
            Self::Pay => RunStatus::Paying,
            Self::Settle => RunStatus::Paid,
            Self::Close => RunStatus::Closed,
            Self::Reverse => RunStatus::Reversed,
        }
    }
}

/// Who takes a step.
#[derive(Clone, Debug)]
pub struct Actor {
    /// As the audit log names them.
    pub handle: String,
    /// What people call them.
    pub name: String,
}

/// Why a step is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotTaken {
    /// The run is not in a state for it, or lacks something.
    State {
        /// What is wrong.
        detail: String,
        /// What to do.
        next: String,
    },
    /// They may not, whatever their key allows.
    Segregation(String),
}

fn state(detail: impl Into<String>, next: impl Into<String>) -> NotTaken {
    NotTaken::State { detail: detail.into(), next: next.into() }
}

/// What a step makes of a run: a patch of its fields. `edited_by` are those who changed pay data for it.
///
/// # Errors
/// Why it is not taken.
pub fn take(
    step: Step,
    run: &PayrollRun,
    (actor, at): (&Actor, DateTime),
    note: Option<&str>,
    edited_by: &[String],
) -> Result<Value, NotTaken> {
    if run.rule_set.as_ref().and_then(|rules| rules.id.as_deref()).is_none() {
        return Err(state(
            "the run names no `rule_set`: its system calculates it",
            "name the rules in `rule_set.id` if the hub is to calculate it",
        ));
    }
    let Some(status) = status_of(run) else { return Err(state("the run has no status", "set it to DRAFT")) };
    if !step.from().contains(&status) {
        let from: Vec<&str> = step.from().iter().map(|status| status.as_str()).collect();
        let detail = format!("the run is {}, and `{}` follows {}", status.as_str(), step.word(), from.join(" or "));
        return Err(state(detail, next_of(status)));
    }
    let steps = run.steps.as_deref().unwrap_or_default();
    if step == Step::Approve {
        // What was before the last reopening counts too: who prepared it once knows it too well.
        let prepared = |one: &&RunStep| one.status.as_ref().is_none_or(|status| status.value != RunStatus::Approved);
        let prepared = steps.iter().filter(prepared).filter_map(|one| one.by.as_deref());
        if prepared.chain(edited_by.iter().map(String::as_str)).any(|by| by == actor.handle) {
            return Err(NotTaken::Segregation(
                "who prepared the run, or changed pay data for it, does not approve it: somebody else has to"
                    .to_owned(),
            ));
        }
    }
    if matches!(step, Step::Reopen | Step::Reverse) && note.is_none_or(str::is_empty) {
        return Err(state(format!("`{}` needs a reason", step.word()), "say why in `note`"));
    }
    let mut steps = steps.to_vec();
    steps.push(RunStep {
        status: Some(Enum::of(step.to())),
        by: Some(actor.handle.clone()),
        name: Some(actor.name.clone()),
        at: Some(at),
        note: note.map(ToOwned::to_owned),
    });
    let mut patch = json!({ "status": { "value": step.to().as_str() }, "steps": steps });
    if step == Step::Calculate {
        let attempt = run.progress.as_ref().and_then(|progress| progress.attempt).unwrap_or(0) + 1;
        patch["progress"] = json!(RunProgress {
            attempt: Some(attempt),
            phase: Some(Enum::of(RunPhase::Inputs)),
            after: Some(String::new()),
            done: Some(0),
            wrong: Some(0),
            sha256: None,
        });
        for cleared in ["problems", "totals", "headcount", "input_snapshot"] {
            patch[cleared] = Value::Null;
        }
    }
    Ok(patch)
}

fn next_of(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Draft | RunStatus::Failed => "calculate it: POST /v1/payroll-runs/{id}:calculate",
        RunStatus::Calculating => "wait until it is calculated: GET /v1/payroll-runs/{id} shows `progress`",
        RunStatus::Calculated => "look at its payslips, then POST /v1/payroll-runs/{id}:review",
        RunStatus::Reviewed => "somebody else approves it: POST /v1/payroll-runs/{id}:approve",
        RunStatus::Approved => "lock it: POST /v1/payroll-runs/{id}:lock",
        RunStatus::Locked => {
            "a locked run never changes: pay it, correct it by the next one, or withdraw it with `:reverse`"
        }
        RunStatus::Paying => "settle it once the bank has paid: POST /v1/payroll-runs/{id}:settle",
        RunStatus::Paid => "close it: POST /v1/payroll-runs/{id}:close",
        RunStatus::Closed => {
            "a closed run never changes: correct it by the next one, or take payslips back by a run of kind REVERSAL"
        }
        RunStatus::Reversed => "it was withdrawn: begin another run for the month",
        _ => "look at its `status`",
    }
}

/// What other runs of the group say against a step. A run is not withdrawn when one that pays no earlier is begun: its sums
/// of the year rest on this one. Nor is a run locked when one that pays no later was locked after this one was calculated:
/// its sums are not in this one.
///
/// # Errors
/// The store fails, or a record cannot be read.
pub async fn in_the_way(
    hub: &Hub,
    tenant: &str,
    step: Step,
    run: &Known<PayrollRun>,
) -> Result<Option<NotTaken>, Failure> {
    let Some(group) = id_of(run.record.pay_group.as_ref()).filter(|_| matches!(step, Step::Lock | Step::Reverse))
    else {
        return Ok(None);
    };
    let all: Vec<Known<PayrollRun>> =
        reading::by(hub, tenant, "payroll_run", "pay_group", vec![group.to_owned()]).await?;
    let pay_on = day(run.record.pay_on.as_ref());
    let mut others = all.into_iter().filter(|other| other.id != run.id && other.record.rule_set.is_some());
    if step == Step::Reverse {
        let later = others.find(|other| {
            let begun = !matches!(status_of(&other.record), None | Some(RunStatus::Draft | RunStatus::Reversed));
            begun && day(other.record.pay_on.as_ref()) >= pay_on
        });
        return Ok(later.map(|other| {
            state(
                format!("payroll_run/{} pays no earlier and rests on the sums of this one", other.id),
                "take that one back first, or correct this one by the next",
            )
        }));
    }
    let calculated = run.record.input_snapshot.as_ref().and_then(|snapshot| snapshot.at.as_ref()).map(|at| at.0);
    let year = |date: Option<Date>| date.map(Date::year);
    let newer = others.find(|other| {
        let on = day(other.record.pay_on.as_ref());
        let settled = status_of(&other.record).is_some_and(is_settled);
        settled && on <= pay_on && year(on) == year(pay_on) && locked_at(&other.record) > calculated
    });
    Ok(newer.map(|other| {
        state(
            format!("payroll_run/{} was locked after this run was calculated, and its sums are not in it", other.id),
            "reopen this run and calculate it again: POST /v1/payroll-runs/{id}:reopen",
        )
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_model::entities::pay::RuleSet;

    fn at() -> DateTime {
        DateTime("2026-03-27T08:00:00Z".parse().unwrap())
    }

    fn actor(handle: &str) -> Actor {
        Actor { handle: handle.to_owned(), name: handle.to_owned() }
    }

    fn run(status: RunStatus) -> PayrollRun {
        PayrollRun {
            status: Some(Enum::of(status)),
            rule_set: Some(RuleSet { id: Some("china-monthly".into()), version: None }),
            ..PayrollRun::default()
        }
    }

    fn after(run: &PayrollRun, patch: &Value) -> PayrollRun {
        let mut document = serde_json::to_value(run).unwrap();
        for (name, value) in patch.as_object().unwrap() {
            document[name] = value.clone();
        }
        serde_json::from_value(document).unwrap()
    }

    #[test]
    fn a_run_takes_its_steps_in_order_and_two_people() {
        let mut now = run(RunStatus::Draft);
        now = after(&now, &take(Step::Calculate, &now, (&actor("lin"), at()), None, &[]).unwrap());
        assert_eq!(now.progress.as_ref().unwrap().attempt, Some(1));
        now.status = Some(Enum::of(RunStatus::Calculated));
        now = after(&now, &take(Step::Review, &now, (&actor("lin"), at()), None, &[]).unwrap());
        let alone = take(Step::Approve, &now, (&actor("lin"), at()), None, &[]);
        assert!(matches!(alone, Err(NotTaken::Segregation(_))), "{alone:?}");
        let editor = take(Step::Approve, &now, (&actor("zhao"), at()), None, &["zhao".to_owned()]);
        assert!(matches!(editor, Err(NotTaken::Segregation(_))), "{editor:?}");
        now = after(&now, &take(Step::Approve, &now, (&actor("zhao"), at()), None, &[]).unwrap());
        now = after(&now, &take(Step::Lock, &now, (&actor("zhao"), at()), None, &[]).unwrap());
        for step in [Step::Calculate, Step::Reopen, Step::Approve, Step::Close] {
            assert!(matches!(take(step, &now, (&actor("wu"), at()), Some("x"), &[]), Err(NotTaken::State { .. })));
        }
        assert_eq!(now.steps.unwrap().len(), 4);
    }

    #[test]
    fn every_step_is_refused_in_every_state_that_it_does_not_follow() {
        for (_, step) in Step::ALL {
            for status in [
                RunStatus::Draft,
                RunStatus::Calculating,
                RunStatus::Calculated,
                RunStatus::Reviewed,
                RunStatus::Approved,
                RunStatus::Locked,
                RunStatus::Paying,
                RunStatus::Paid,
                RunStatus::Closed,
            ] {
                let taken = take(step, &run(status), (&actor("wu"), at()), Some("late data"), &[]);
                assert_eq!(taken.is_ok(), step.from().contains(&status), "{step:?} {status:?}");
            }
        }
        let mut foreign = run(RunStatus::Draft);
        foreign.rule_set = None;
        assert!(take(Step::Calculate, &foreign, (&actor("wu"), at()), None, &[]).is_err());
        assert!(take(Step::Reopen, &run(RunStatus::Approved), (&actor("wu"), at()), None, &[]).is_err(), "no reason");
    }
}
