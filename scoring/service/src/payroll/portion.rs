//! One portion of a run: some people's inputs, or some people's payslips.

use super::collect::{About, Collected, Payee, Person, collect, day};
use super::facts::{Facts, Span, id_of, is_off_cycle, is_settled, status_of};
use super::payees::{self, Page, payee_of};
use super::retro::late;
use super::slips::{self, Sums};
use super::{PayFile, PayrollRuns};
use hub_flow::journey::Went;
use hub_flow::reading::{self, Known};
use hub_flow::records::{Target, Write};
use hub_flow::{Effects, EventMessage, Failure, Hub};
use hub_model::entities::pay::{
    PAYROLL_INPUT, PAYROLL_RUN, PAYSLIP, PayFrequency, PayGroup, PayProblem, PayrollInput, PayrollRun, RunProgress,
    RunStatus,
};
use hub_model::enums::EnumOf;
use hub_model::scalars::Ref;
use hub_model::{EntityType, Enum};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Records of a portion: others wait for the writer while they are written.
pub(super) const PORTION: i64 = 200;
/// Problems that a run keeps; it counts the others.
const MOST_PROBLEMS: usize = 100;
/// Longest period, in days: what compensations pay is a month's.
const LONGEST_PERIOD: usize = 31;

/// What a run is about.
pub(super) struct Subject<'a> {
    pub(super) file: &'a PayFile,
    pub(super) span: Span,
    pub(super) group: Known<PayGroup>,
}

/// What is wrong with the run itself, by field.
pub(super) type Unfit = (&'static str, String);

pub(super) async fn subject<'a>(
    runs: &'a PayrollRuns,
    hub: &Hub,
    tenant: &str,
    run: &PayrollRun,
) -> Result<Result<Subject<'a>, Vec<Unfit>>, Failure> {
    let mut wrong = Vec::new();
    let rules = run.rule_set.as_ref().and_then(|rules| rules.id.as_deref()).unwrap_or_default();
    let file = runs.files.get(rules);
    if file.is_none() {
        let known: Vec<&str> = runs.files.keys().map(String::as_str).collect();
        wrong.push(("rule_set", format!("there are no pay rules `{rules}`; known: {}", known.join(", "))));
    }
    let span = match (day(run.period_start.as_ref()), day(run.period_end.as_ref()), day(run.pay_on.as_ref())) {
        (Some(first), Some(last), Some(pay_on)) => {
            let span = Span { first, last, pay_on };
            let days = span.days().take(LONGEST_PERIOD + 1).count();
            if days == 0 {
                wrong.push(("period_end", "the period ends before it begins".to_owned()));
            } else if days > LONGEST_PERIOD {
                wrong.push(("period_end", "the period is longer than a month".to_owned()));
            }
            Some(span)
        }
        _ => {
            wrong.push(("period_start", "a run needs `period_start`, `period_end` and `pay_on`".to_owned()));
            None
        }
    };
    let group = match id_of(run.pay_group.as_ref()) {
        Some(id) => reading::these::<PayGroup>(hub, tenant, "pay_group", [id.to_owned()]).await?.into_iter().next(),
        None => None,
    };
    match &group {
        None => wrong.push(("pay_group", "there is no such pay group".to_owned())),
        Some(group) => {
            let frequency = group.record.frequency.as_ref().map(|frequency| frequency.value);
            if !matches!(frequency, None | Some(PayFrequency::Monthly)) {
                wrong
                    .push(("pay_group", "the hub calculates pay by the month; the group is paid otherwise".to_owned()));
            }
            let currency = group.record.currency.as_ref().map(|currency| currency.0.as_str());
            if let (Some(currency), Some(file)) = (currency, file)
                && currency != file.rules.currency
            {
                wrong.push((
                    "pay_group",
                    format!("the group is paid in {currency}, the rules pay {}", file.rules.currency),
                ));
            }
        }
    }
    match (file, span, group) {
        (Some(file), Some(span), Some(group)) if wrong.is_empty() => Ok(Ok(Subject { file, span, group })),
        _ => Ok(Err(wrong)),
    }
}

/// Other runs of the group that pay no later and are not settled: sums of the year would leave them out.
pub(super) async fn unsettled(
    hub: &Hub,
    tenant: &str,
    run: &Known<PayrollRun>,
    span: Span,
) -> Result<Vec<Unfit>, Failure> {
    let Some(group) = id_of(run.record.pay_group.as_ref()) else { return Ok(Vec::new()) };
    let others: Vec<Known<PayrollRun>> =
        reading::by(hub, tenant, "payroll_run", "pay_group", vec![group.to_owned()]).await?;
    let waits = |other: &&Known<PayrollRun>| {
        let status = status_of(&other.record);
        let before =
            day(other.record.pay_on.as_ref()).is_some_and(|on| on <= span.pay_on && on.year() == span.pay_on.year());
        let begun = !matches!(status, None | Some(RunStatus::Draft | RunStatus::Failed | RunStatus::Reversed));
        other.id != run.id && other.record.rule_set.is_some() && before && begun && !status.is_some_and(is_settled)
    };
    let told = |other: &Known<PayrollRun>| {
        let status = status_of(&other.record).map_or("-", EnumOf::as_str);
        ("pay_on", format!("payroll_run/{} pays no later and is {status}: lock it first", other.id))
    };
    Ok(others.iter().filter(waits).map(told).collect())
}

/// Back to the beginning, with what is wrong.
pub(super) fn back(mut effects: Effects, event: &EventMessage, wrong: Vec<Unfit>) -> Effects {
    let problem = |(field, detail): Unfit| PayProblem {
        item: Some(field.to_owned()),
        detail: Some(detail),
        ..PayProblem::default()
    };
    let problems: Vec<PayProblem> = wrong.into_iter().map(problem).collect();
    effects.writes.push(patch_run(event, &json!({ "status": status(RunStatus::Draft), "problems": problems })));
    effects
}

pub(super) fn status(status: RunStatus) -> Value {
    json!({ "value": status.as_str() })
}

pub(super) fn patch_run(event: &EventMessage, fields: &Value) -> Write {
    write(&PAYROLL_RUN, &event.record, fields, "payroll run")
}

pub(super) fn write(entity: &'static EntityType, id: &str, fields: &Value, rule: &str) -> Write {
    let names = fields.as_object().map(|fields| fields.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
    Write {
        entity,
        target: Target::Remote { key: None, hub_id: Some(id.to_owned()) },
        fields: fields.to_string(),
        ext: None,
        deleted: false,
        rules: names.into_iter().map(|name| (format!("/{name}"), rule.to_owned())).collect(),
        source: None,
    }
}

/// Takes a record of the run away; `mark` is a field that only the hub sets.
pub(super) fn gone(entity: &'static EntityType, id: &str, mark: &Value) -> Write {
    Write { deleted: true, ..write(entity, id, mark, "payroll run") }
}

/// Collects and checks the inputs of the next people.
pub(super) async fn inputs(
    runs: &PayrollRuns,
    hub: &Arc<Hub>,
    event: &EventMessage,
    run: &Known<PayrollRun>,
) -> Result<Effects, Failure> {
    let mut effects = Effects::of(event);
    let tenant = event.tenant.as_str();
    let Subject { file, span, group } = match subject(runs, hub, tenant, &run.record).await? {
        Ok(subject) => subject,
        Err(wrong) => return Ok(back(effects, event, wrong)),
    };
    let progress = run.record.progress.clone().unwrap_or_default();
    let after = progress.after.clone().unwrap_or_default();
    if after.is_empty() {
        let wrong = unsettled(hub, tenant, run, span).await?;
        if !wrong.is_empty() {
            return Ok(back(effects, event, wrong));
        }
    }
    let calendar = group.record.calendar.as_deref();
    let about = About { span, group: &group.id, currency: &file.rules.currency, calendar, zone: &runs.zone };
    let off_cycle = is_off_cycle(&run.record);
    let Page { mut payees, last, more } = match off_cycle {
        true => payees::given(hub, tenant, &run.id, &after).await?,
        false => payees::paid(hub, tenant, &about, &after).await?,
    };
    let people: Vec<String> =
        payees.iter().map(|payee| payee.employee.clone()).collect::<BTreeSet<_>>().into_iter().collect();
    let sources: Vec<_> = file.wanted.iter().filter_map(|one| one.source.as_ref()).collect();
    let mut facts = Facts::read(hub, tenant, (&run.id, span), &people, &sources).await?;
    if off_cycle {
        payees = payees.into_iter().map(|payee| payees::with_employment(payee, &facts, &group.id)).collect();
    }
    if file.retro().is_some() {
        facts.retro = late(hub, tenant, file, &about, &mut facts, &payees).await?;
    }
    let doubled = doubled(hub, tenant, &facts).await?;
    let attempt = progress.attempt.unwrap_or(1);
    let mut problems = run.record.problems.clone().unwrap_or_default();
    let (mut done, mut wrong) = (progress.done.unwrap_or(0), progress.wrong.unwrap_or(0));
    for payee in &payees {
        let before = facts.inputs.get(&payee.employee).into_iter().flatten().find(|input| {
            id_of(input.record.employment.as_ref()) == payee.employment.as_deref()
                || (input.record.employment.is_none() && input.record.values.is_none())
        });
        if before.is_some_and(|input| input.record.attempt == Some(attempt)) {
            // Another compensation of the same person stood on an earlier page.
            continue;
        }
        let person = Person { about: &about, facts: &facts, payee };
        if !off_cycle && facts.employees.contains_key(&payee.employee) && person.employed().is_none() {
            continue;
        }
        let collected = collect(&about, &facts, payee, &file.wanted, before);
        let mut found = check(file, &facts, payee, span, &collected, &doubled);
        if off_cycle {
            found.extend(payees::stranger(&facts, payee, &group.id));
        }
        done += 1;
        if !found.is_empty() {
            wrong += 1;
            let room = MOST_PROBLEMS.saturating_sub(problems.len());
            problems.extend(found.into_iter().take(room));
        }
        let name = format!("input/{}/{}", payee.employee, payee.employment.as_deref().unwrap_or_default());
        let id = before.map_or_else(|| event.id_in(&run.id, &name), |input| input.id.clone());
        let mut fields = kept(&run.id, payee, collected, attempt);
        fields["retro"] = match facts.retro.get(payee) {
            Some(Ok(lines)) if !lines.is_empty() => json!(lines),
            _ => Value::Null,
        };
        effects.writes.push(write(&PAYROLL_INPUT, &id, &fields, "payroll run"));
    }
    let went = if wrong == 0 { Went::Ok } else { Went::Parked };
    let subject = format!("payroll_run/{}", run.id);
    effects.steps.add(&hub.ids, hub.clock.micros(), ("collect", went), "hub", &subject, format!("{done} people"));
    let phase = |word: &str, after: String, done: i64| json!({ "attempt": attempt, "phase": { "value": word }, "after": after, "done": done, "wrong": wrong, "sha256": null });
    let rule_set = json!({ "id": file.rules.id, "version": file.version() });
    let fields = if more {
        json!({ "progress": phase("INPUTS", last, done), "problems": problems })
    } else if wrong > 0 {
        json!({ "status": status(RunStatus::Draft), "progress": phase("INPUTS", last, done), "problems": problems })
    } else if done == 0 {
        let nobody = match off_cycle {
            true => ("kind", "nobody was given anything to pay: POST /v1/payroll-inputs {run, employee, given}"),
            false => ("pay_group", "nobody is paid in this group in the period"),
        };
        return Ok(back(effects, event, vec![(nobody.0, nobody.1.to_owned())]));
    } else {
        json!({ "progress": phase("PAYSLIPS", String::new(), 0), "rule_set": rule_set, "problems": null })
    };
    effects.writes.push(patch_run(event, &fields));
    Ok(effects)
}

/// Numbers that several employees have.
async fn doubled(hub: &Hub, tenant: &str, facts: &Facts) -> Result<BTreeSet<String>, Failure> {
    type Employee = hub_model::entities::employment::Employee;
    let number = |one: &Known<Employee>| one.record.employee_number.clone();
    let numbers: BTreeSet<String> = facts.employees.values().filter_map(number).collect();
    let same: Vec<Known<Employee>> =
        reading::by(hub, tenant, "employee", "employee_number", numbers.into_iter().collect()).await?;
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for number in same.iter().filter_map(number) {
        *counts.entry(number).or_default() += 1;
    }
    Ok(counts.into_iter().filter(|(_, count)| *count > 1).map(|(number, _)| number).collect())
}

/// All that is wrong with somebody's pay.
fn check(
    file: &PayFile,
    facts: &Facts,
    payee: &Payee,
    span: Span,
    collected: &Collected,
    doubled: &BTreeSet<String>,
) -> Vec<PayProblem> {
    let employee = facts.employees.get(&payee.employee);
    let number = employee.and_then(|employee| employee.record.employee_number.clone());
    let problem = |item: &str, detail: String, place: Option<String>| PayProblem {
        employee: Some(Ref::new(payee.employee.clone())),
        employee_number: number.clone(),
        item: Some(item.to_owned()),
        detail: Some(detail),
        place,
    };
    let mut found = Vec::new();
    if employee.is_none() {
        found.push(problem("employee", "there is no such employee".to_owned(), None));
    }
    if let Some(number) = number.as_ref().filter(|number| doubled.contains(*number)) {
        found.push(problem("employee_number", format!("several employees have the number {number}"), None));
    }
    found.extend(collected.problems.iter().map(|(name, detail)| problem(name, detail.clone(), None)));
    if found.is_empty()
        && let Err(wrong) = slips::calculate(file, payee, span, &collected.values, false)
    {
        found.extend(
            wrong.into_iter().map(|one| problem(one.item.as_deref().unwrap_or(&one.pointer), one.message, one.place)),
        );
    }
    found
}

/// What a run was given for somebody, as it is kept.
fn kept(run: &str, payee: &Payee, collected: Collected, attempt: i64) -> Value {
    let values = Value::Object(collected.values.into_iter().collect());
    json!({
        "run": { "type": "payroll_run", "id": run },
        "employee": { "type": "employee", "id": payee.employee },
        "employment": payee.employment.as_ref().map(|id| json!({ "type": "employment", "id": id })),
        "sha256": hex::encode(Sha256::digest(values.to_string())),
        "values": values,
        "origins": collected.origins,
        "attempt": attempt,
    })
}

/// Makes the payslips of the next people out of what was kept.
pub(super) async fn payslips(
    runs: &PayrollRuns,
    hub: &Arc<Hub>,
    event: &EventMessage,
    run: &Known<PayrollRun>,
) -> Result<Effects, Failure> {
    let mut effects = Effects::of(event);
    let tenant = event.tenant.as_str();
    let Subject { file, span, .. } = match subject(runs, hub, tenant, &run.record).await? {
        Ok(subject) => subject,
        Err(wrong) => return Ok(back(effects, event, wrong)),
    };
    let version = run.record.rule_set.as_ref().and_then(|rules| rules.version.clone());
    if version.as_deref() != Some(file.version().as_str()) {
        let detail = "the rules changed while the run was calculated: calculate it again".to_owned();
        return Ok(back(effects, event, vec![("rule_set", detail)]));
    }
    let progress = run.record.progress.clone().unwrap_or_default();
    let (attempt, after) = (progress.attempt.unwrap_or(1), progress.after.clone().unwrap_or_default());
    let page: Vec<Known<PayrollInput>> =
        reading::page(hub, tenant, "payroll_input", vec![("run", run.id.clone())], (&after, PORTION)).await?;
    let people: Vec<String> =
        page.iter().filter_map(|one| id_of(one.record.employee.as_ref())).map(ToOwned::to_owned).collect();
    let facts = Facts::read(hub, tenant, (&run.id, span), &people, &[]).await?;
    let about = About { span, group: "", currency: &file.rules.currency, calendar: None, zone: &runs.zone };
    let mut sums = Sums::of(run.record.totals.as_ref());
    let mut done = progress.done.unwrap_or(0);
    let mut hash = progress.sha256.clone().unwrap_or_default();
    for input in &page {
        let payslip = event.id_in(&run.id, &format!("payslip/{}", input.id));
        if input.record.attempt != Some(attempt) {
            // They were in an earlier attempt, and are not paid in this run any more.
            let rules = json!({ "rule_set": { "id": file.rules.id, "version": file.version() } });
            effects.writes.extend([
                gone(&PAYROLL_INPUT, &input.id, &json!({ "attempt": attempt })),
                gone(&PAYSLIP, &payslip, &rules),
            ]);
            continue;
        }
        let Some(payee) = payee_of(&input.record) else { continue };
        let values = input.record.values.as_ref().and_then(Value::as_object).cloned().unwrap_or_default();
        let slip = slips::calculate(file, &payee, span, &values.into_iter().collect(), true);
        let slip = slip.map_err(|wrong| {
            let first = wrong.first().map(|one| one.message.as_str()).unwrap_or_default();
            Failure::park(
                "PAY_CHANGED",
                format!("payroll_input/{}: what was checked cannot be calculated: {first}", input.id),
            )
        })?;
        let person = Person { about: &about, facts: &facts, payee: &payee };
        let record = slips::record(file, (&run.id, input), &person, &slip);
        let lines = slip.lines.iter().map(|line| (line.kind, line.side, line.amount));
        sums.add([slip.gross, slip.net, slip.employer_cost], lines);
        done += 1;
        let link = format!("{hash}{}", input.record.sha256.as_deref().unwrap_or_default());
        hash = hex::encode(Sha256::digest(link));
        effects.writes.push(write(&PAYSLIP, &payslip, &record, &file.version()));
    }
    let subject = format!("payroll_run/{}", run.id);
    effects.steps.add(&hub.ids, hub.clock.micros(), ("pay", Went::Ok), "hub", &subject, format!("{done} payslips"));
    let more = i64::try_from(page.len()).unwrap_or(i64::MAX) >= PORTION;
    let after = page.last().map(|one| one.id.clone()).unwrap_or_default();
    let progress = RunProgress {
        attempt: Some(attempt),
        phase: progress.phase.map(|phase| Enum::of(phase.value)),
        after: Some(after),
        done: Some(done),
        wrong: Some(0),
        sha256: Some(hash.clone()),
    };
    let mut fields = json!({ "progress": progress, "totals": sums.totals(&file.rules.currency), "headcount": done });
    if !more {
        fields["status"] = status(RunStatus::Calculated);
        fields["input_snapshot"] = json!({ "sha256": hash, "at": event.at });
    }
    effects.writes.push(patch_run(event, &fields));
    Ok(effects)
}
