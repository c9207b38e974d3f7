//! Who is paid by a run, a portion at a time.

use super::collect::{About, Payee, is_paid_in};
use super::facts::{Facts, id_of};
use super::portion::PORTION;
use hub_flow::reading::{self, Known};
use hub_flow::{Failure, Hub};
use hub_model::entities::pay::{Compensation, PayProblem, PayrollInput};
use hub_model::scalars::Ref;
use serde_json::Value;
use std::collections::BTreeSet;

/// The next people of a run.
pub(super) struct Page {
    pub(super) payees: BTreeSet<Payee>,
    /// The record behind which the next portion begins.
    pub(super) last: String,
    pub(super) more: bool,
}

fn page<T>(rows: &[Known<T>], payees: BTreeSet<Payee>) -> Page {
    let more = i64::try_from(rows.len()).unwrap_or(i64::MAX) >= PORTION;
    Page { payees, last: rows.last().map(|one| one.id.clone()).unwrap_or_default(), more }
}

/// Those whom a compensation of the group pays in the period.
pub(super) async fn paid(hub: &Hub, tenant: &str, about: &About<'_>, after: &str) -> Result<Page, Failure> {
    let of_group = vec![("pay_group", about.group.to_owned())];
    let rows: Vec<Known<Compensation>> = reading::page(hub, tenant, "compensation", of_group, (after, PORTION)).await?;
    let payees = rows.iter().filter(|one| is_paid_in(&one.record, about)).filter_map(|one| {
        let employment = id_of(one.record.employment.as_ref()).map(ToOwned::to_owned);
        Some(Payee { employee: id_of(one.record.employee.as_ref())?.to_owned(), employment })
    });
    Ok(page(&rows, payees.collect()))
}

/// Those whom somebody has given something to pay in an off-cycle run, whether they are still there or not.
pub(super) async fn given(hub: &Hub, tenant: &str, run: &str, after: &str) -> Result<Page, Failure> {
    let of_run = vec![("run", run.to_owned())];
    let rows: Vec<Known<PayrollInput>> = reading::page(hub, tenant, "payroll_input", of_run, (after, PORTION)).await?;
    let says =
        |input: &PayrollInput| input.given.as_ref().and_then(Value::as_object).is_some_and(|given| !given.is_empty());
    let payees = rows.iter().filter(|one| says(&one.record)).filter_map(|one| payee_of(&one.record));
    Ok(page(&rows, payees.collect()))
}

/// The compensations that the group has ever paid somebody.
fn of_group<'f>(facts: &'f Facts, payee: &Payee, group: &'f str) -> impl Iterator<Item = &'f Compensation> {
    let all = facts.compensations.get(&payee.employee).map(Vec::as_slice).unwrap_or_default();
    all.iter().map(|one| &one.record).filter(move |one| id_of(one.pay_group.as_ref()) == Some(group))
}

/// Whom nobody named an employment for is paid for the only one that the group knows: sums of the year are its sums.
pub(super) fn with_employment(payee: Payee, facts: &Facts, group: &str) -> Payee {
    if payee.employment.is_some() {
        return payee;
    }
    let known: BTreeSet<Option<&str>> =
        of_group(facts, &payee, group).map(|one| id_of(one.employment.as_ref())).collect();
    let only = if known.len() == 1 { known.first().copied().flatten().map(ToOwned::to_owned) } else { None };
    Payee { employment: only, ..payee }
}

/// What is wrong with paying whom the group has never paid.
pub(super) fn stranger(facts: &Facts, payee: &Payee, group: &str) -> Option<PayProblem> {
    if of_group(facts, payee, group).any(|one| id_of(one.employment.as_ref()) == payee.employment.as_deref()) {
        return None;
    }
    let employee = facts.employees.get(&payee.employee);
    Some(PayProblem {
        employee: Some(Ref::new(payee.employee.clone())),
        employee_number: employee.and_then(|employee| employee.record.employee_number.clone()),
        item: Some("pay_group".to_owned()),
        detail: Some("this group has never paid them; of several employments, name one in the input".to_owned()),
        place: None,
    })
}

/// Whom an input is for.
pub(super) fn payee_of(input: &PayrollInput) -> Option<Payee> {
    let employee = id_of(input.employee.as_ref())?.to_owned();
    Some(Payee { employee, employment: id_of(input.employment.as_ref()).map(ToOwned::to_owned) })
}
