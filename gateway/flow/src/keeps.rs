//! What records must keep, whoever writes them and by whatever road: a caller, a vendor, a file, a flow, a service.

use hub_tree::{Arena, Limits, Value, json};

/// Why a word cannot be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Stable; the documentation has a page on it.
    pub code: &'static str,
    /// The code under which a message that says it is parked.
    pub parked: &'static str,
    /// The field, as a JSON pointer.
    pub pointer: String,
    /// What is wrong.
    pub reason: String,
    /// What to do.
    pub next: &'static str,
}

/// A word about a record, over what is known of it.
struct Word<'v> {
    /// The record as it is; absent when it is new.
    old: Value<'v>,
    /// What is said: a patch.
    said: Value<'v>,
    /// It is to go.
    deleted: bool,
    /// A system says it, and not the hub.
    from_system: bool,
}

impl<'v> Word<'v> {
    /// A field after the word, by its path.
    fn after(&self, path: &[&str]) -> Value<'v> {
        let (mut old, mut said) = (self.old, self.said);
        for name in path {
            (old, said) = (old.get(name), said.get(name));
            match said {
                // Nothing is said of it, or of anything below it.
                Value::Absent => return path_of(old, path, name),
                Value::Null => return Value::Absent,
                _ => {}
            }
        }
        said
    }

    fn has_said(&self, name: &str) -> bool {
        !matches!(self.said.get(name), Value::Absent)
    }

    /// The first field that is said and is none of these.
    fn other_than(&self, known: &[&str]) -> Option<&'v str> {
        self.said.entries().iter().map(|(name, _)| *name).find(|name| !known.contains(name))
    }
}

/// What lies further down a path, behind `name`.
fn path_of<'v>(value: Value<'v>, path: &[&str], name: &str) -> Value<'v> {
    let rest = path.iter().skip_while(|step| **step != name).skip(1);
    rest.fold(value, |value, step| value.get(step))
}

/// The text of an enum, written as an object or alone.
fn word_of(value: Value<'_>) -> &str {
    value.get("value").as_text().or_else(|| value.as_text()).unwrap_or_default()
}

/// Why a word breaks what records of its entity must keep: `said` is a patch over the document `old`.
pub(crate) fn broken(
    entity: &str,
    old: Option<&[u8]>,
    said: &str,
    (deleted, from_system): (bool, bool),
) -> Option<Broken> {
    let rule = rule_of(entity)?;
    let arena = Arena::new();
    let read = |bytes: &[u8]| json::read(&arena, arena.bytes(bytes), Limits::default()).unwrap_or_default();
    rule(&Word { old: old.map(read).unwrap_or_default(), said: read(said.as_bytes()), deleted, from_system })
}

type Rule = fn(&Word<'_>) -> Option<Broken>;

fn rule_of(entity: &str) -> Option<Rule> {
    match entity {
        "appraisal" => Some(appraisal),
        "decision" => Some(decision),
        "payroll_run" => Some(payroll_run),
        "payslip" => Some(payslip),
        "payroll_input" => Some(payroll_input),
        _ => None,
    }
}

/// Nobody is hired or rejected by a machine alone: a person decides, or has approved the rule that does.
fn decision(word: &Word<'_>) -> Option<Broken> {
    if let Some(name) = ["requests", "request_status"].into_iter().find(|name| word.from_system && word.has_said(name))
    {
        let next = "open and answer them in the hub: POST /v1/decisions/{id}:request and :answer";
        return of_hub(name, "what a person asks about a decision is kept by the hub", next);
    }
    let kind = word_of(word.after(&["kind"]));
    if word.deleted || !matches!(kind, "HIRE" | "REJECT") {
        return None;
    }
    let by = word_of(word.after(&["made_by", "kind"]));
    let named = !word.after(&["made_by", "user"]).is_absent();
    let approved = !word.after(&["approval"]).is_absent();
    // A system does not always say who it was; that it was a person it must.
    if by == "HUMAN" && (named || word.from_system) || by == "RULE" && approved {
        return None;
    }
    let reason = match by {
        "HUMAN" => format!("a decision of kind {kind} names the person who made it: `made_by.user`"),
        "" => format!("a decision of kind {kind} says who made it: `made_by`"),
        _ => format!("a decision of kind {kind} is made by a person, or by a rule that a person approved (`approval`)"),
    };
    Some(Broken {
        code: "machine_decision",
        parked: "MACHINE_DECISION",
        pointer: "/made_by".to_owned(),
        reason,
        next: "let a person decide and name them, or write it as HOLD until somebody has",
    })
}

/// What a scheme came to changes by a calibration, which has a name and a reason; another system's appraisals are its own.
fn appraisal(word: &Word<'_>) -> Option<Broken> {
    const CAME_TO: [&str; 6] = ["raw_total", "calibrated_total", "grade", "rank_pct", "bonus_factor", "reasons"];
    if word.old.get("scheme").is_absent() || word.has_said("scheme") {
        return None;
    }
    let given = CAME_TO.into_iter().find(|name| word.has_said(name))?;
    let next = "calibrate it: PATCH `calibration` with `by`, `from`, `to` and `reason` in a new last entry";
    of_hub(given, "the hub appraised by a scheme", next)
}

fn of_hub(name: &str, reason: &str, next: &'static str) -> Option<Broken> {
    Some(Broken {
        code: "calculated_by_hub",
        parked: "CALCULATED_BY_HUB",
        pointer: format!("/{name}"),
        reason: reason.to_owned(),
        next,
    })
}

/// A run that the hub calculates changes by its steps; only the hub sets what they leave behind.
fn payroll_run(word: &Word<'_>) -> Option<Broken> {
    let next = "take its steps: POST /v1/payroll-runs/{id}:calculate, :review, :approve, :lock …";
    if word.after(&["rule_set", "id"]).is_absent() && word.old.get("rule_set").get("id").is_absent() {
        return None;
    }
    let by_hub = ["steps", "progress", "problems", "files"].iter().any(|name| word.has_said(name));
    let results = ["totals", "headcount", "input_snapshot"];
    if word.old.is_absent() {
        if word_of(word.after(&["status"])) != "DRAFT" {
            return of_hub("status", "a run that the hub calculates begins as DRAFT", next);
        }
        let given = results.into_iter().find(|name| word.has_said(name));
        return given.and_then(|name| of_hub(name, "the hub calculates it", next));
    }
    if by_hub {
        return None;
    }
    let is_draft = word_of(word.old.get("status")) == "DRAFT";
    if word.deleted {
        let reason = "the run has been calculated";
        return if is_draft { None } else { of_hub("status", reason, "reopen it first, if it is not locked") };
    }
    if is_draft {
        let given = ["status"].into_iter().chain(results).find(|name| word.has_said(name));
        return given.and_then(|name| of_hub(name, "the hub sets it, step by step", next));
    }
    let given = word.other_than(&["custom", "ext"]);
    given.and_then(|name| of_hub(name, "a run that has been calculated changes by its steps alone", next))
}

/// A payslip of the hub's own: others say how it was paid and what the employee asks.
fn payslip(word: &Word<'_>) -> Option<Broken> {
    let next = "correct the next run: a payslip is never changed";
    if word.old.get("rule_set").get("id").is_absent() || word.has_said("rule_set") {
        return None;
    }
    if word.deleted {
        return of_hub("rule_set", "the hub made this payslip", next);
    }
    let given = word.other_than(&["payment", "acknowledged_at", "dispute", "custom", "ext"]);
    given.and_then(|name| of_hub(name, "the hub made this payslip", next))
}

/// What was collected for a run is kept as it was.
fn payroll_input(word: &Word<'_>) -> Option<Broken> {
    if word.old.get("attempt").is_absent() || word.has_said("attempt") {
        return None;
    }
    let next = "say what is different in `given`, and calculate the run again";
    if word.deleted {
        return of_hub("attempt", "a run was calculated with it", next);
    }
    let given = word.other_than(&["given", "custom", "ext"]);
    given.and_then(|name| of_hub(name, "a run was calculated with it", next))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(entity: &str, old: &str, said: &str, deleted: bool, from_system: bool) -> Option<String> {
        let old = (!old.is_empty()).then_some(old.as_bytes());
        broken(entity, old, said, (deleted, from_system)).map(|broken| broken.pointer)
    }

    #[test]
    fn a_machine_neither_hires_nor_rejects() {
        let decision = |old: &str, said: &str| check("decision", old, said, false, false).is_some();
        for (old, said, refused) in [
            (
                "",
                r#"{"kind": {"value": "REJECT"}, "made_by": {"kind": {"value": "RULE"}, "rule_id": "sales@2"}}"#,
                true,
            ),
            ("", r#"{"kind": "HIRE", "made_by": {"kind": "AI"}}"#, true),
            ("", r#"{"kind": "HIRE"}"#, true),
            ("", r#"{"kind": "REJECT", "made_by": {"kind": "HUMAN"}}"#, true),
            ("", r#"{"kind": "REJECT", "made_by": {"kind": "HUMAN", "user": {"id": "1"}}}"#, false),
            ("", r#"{"kind": "REJECT", "made_by": {"kind": "RULE"}, "approval": {"id": "1"}}"#, false),
            ("", r#"{"kind": "HOLD", "made_by": {"kind": "RULE"}}"#, false),
            // Bit by bit it is not let through either.
            (
                r#"{"kind": {"value": "HOLD"}, "made_by": {"kind": {"value": "RULE"}}}"#,
                r#"{"kind": {"value": "REJECT"}}"#,
                true,
            ),
            (
                r#"{"kind": {"value": "REJECT"}, "made_by": {"kind": {"value": "HUMAN"}, "user": {"id": "1"}}}"#,
                r#"{"made_by": {"kind": {"value": "RULE"}}}"#,
                true,
            ),
            (
                r#"{"kind": {"value": "REJECT"}, "made_by": {"kind": {"value": "HUMAN"}, "user": {"id": "1"}}}"#,
                r#"{"made_by": {"user": null}}"#,
                true,
            ),
            (
                r#"{"kind": {"value": "REJECT"}, "made_by": {"kind": {"value": "HUMAN"}, "user": {"id": "1"}}}"#,
                r#"{"made_by": null}"#,
                true,
            ),
            (
                r#"{"kind": {"value": "REJECT"}, "made_by": {"kind": {"value": "HUMAN"}, "user": {"id": "1"}}}"#,
                r#"{"explanation": "late"}"#,
                false,
            ),
        ] {
            assert_eq!(decision(old, said), refused, "{old} {said}");
        }
        assert_eq!(check("decision", "", r#"{"kind": "REJECT", "made_by": {"kind": "HUMAN"}}"#, false, true), None);
        let answered = r#"{"requests": [{"id": "1", "status": {"value": "ANSWERED"}}]}"#;
        assert_eq!(check("decision", "{}", answered, false, true).as_deref(), Some("/requests"), "no system answers");
        assert_eq!(check("decision", "{}", answered, false, false), None);
    }

    #[test]
    fn what_a_scheme_came_to_changes_by_calibration_alone() {
        let ours = r#"{"scheme": "sales-monthly@2", "grade": "B"}"#;
        let appraisal = |old: &str, said: &str| check("appraisal", old, said, false, false);
        assert_eq!(appraisal(ours, r#"{"grade": "S"}"#).as_deref(), Some("/grade"));
        assert_eq!(appraisal(ours, r#"{"bonus_factor": "3"}"#).as_deref(), Some("/bonus_factor"));
        assert_eq!(appraisal(ours, r#"{"calibration": [], "finalised_at": "2026-02-01T00:00:00Z"}"#), None);
        assert_eq!(appraisal(ours, r#"{"scheme": "sales-monthly@2", "grade": "S"}"#), None, "the hub itself");
        assert_eq!(appraisal(r#"{"grade": "B"}"#, r#"{"grade": "S"}"#), None, "another system's");
        assert_eq!(appraisal("", r#"{"grade": "S"}"#), None);
    }

    #[test]
    fn what_the_hub_calculates_changes_by_its_steps() {
        let draft = r#"{"rule_set": {"id": "c"}, "status": {"value": "DRAFT"}}"#;
        let locked = r#"{"rule_set": {"id": "c"}, "status": {"value": "LOCKED"}}"#;
        let run = |old: &str, said: &str, deleted: bool| check("payroll_run", old, said, deleted, false);
        assert_eq!(run("", r#"{"rule_set": {"id": "c"}, "status": "LOCKED"}"#, false).as_deref(), Some("/status"));
        assert_eq!(run("", r#"{"status": "LOCKED"}"#, false), None, "somebody else's run");
        assert_eq!(run(draft, r#"{"status": {"value": "APPROVED"}}"#, false).as_deref(), Some("/status"));
        assert_eq!(run(draft, r#"{"pay_on": "2026-03-31"}"#, false), None);
        assert_eq!(run(locked, r#"{"pay_on": "2026-03-31"}"#, false).as_deref(), Some("/pay_on"));
        assert_eq!(run(locked, r#"{"rule_set": null}"#, false).as_deref(), Some("/rule_set"));
        assert_eq!(run(locked, r#"{"status": {"value": "PAYING"}, "steps": []}"#, false), None);
        assert_eq!((run(locked, "{}", true).is_some(), run(draft, "{}", true)), (true, None));
        let slip = r#"{"rule_set": {"id": "c"}, "net": {"amount": "1"}}"#;
        let payslip = |said: &str, deleted: bool| check("payslip", slip, said, deleted, false);
        assert_eq!(payslip(r#"{"net": {"amount": "2"}}"#, false).as_deref(), Some("/net"));
        assert_eq!(payslip(r#"{"payment": {"status": "PAID"}}"#, false), None);
        assert!(payslip("{}", true).is_some());
    }
}
