//! What the bank says became of the payments of a run, and who is not paid yet.

use super::super::compare::slips;
use super::bank::{Payments, is_as_ordered, last4};
use super::{Locked, NotMade, net_of, state};
use hub_flow::{Failure, Hub};
use hub_model::entities::pay::{Payslip, RunStatus};
use hub_payroll::out::bank::{Expected, Outcome, Paid, Profile, outcomes};
use hub_tree::Decimal;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What came of a result.
#[derive(Debug)]
pub struct Imported {
    /// What to change: ids of payslips and patches of their fields, JSON.
    pub patches: Vec<(String, String)>,
    /// How many payments arrived, by this file.
    pub paid: usize,
    /// Those that failed, by this file: numbers of employees and the bank's reasons.
    pub failed: Vec<(String, Option<String>)>,
    /// Numbers of employees who are not paid yet, failed ones too, when this is in.
    pub open: Vec<String>,
}

/// What the bank's result changes on payslips; `now` is an RFC 3339 time. Nothing is changed here.
///
/// # Errors
/// The run is not under way to its people, no file of this profile was made for it, or something is wrong with a row.
pub async fn import_result(
    hub: &Hub,
    tenant: &str,
    run: &str,
    (profile, file): (&Profile, &[u8]),
    now: &str,
) -> Result<Imported, NotMade> {
    let Some(form) = &profile.result else {
        let detail = format!("the profile `{}` does not say how a result is read", profile.id);
        return Err(state(detail, "add `result` to the profile: docs/bank-files.md"));
    };
    let run = Locked::read(hub, tenant, run).await?;
    if !matches!(run.status, RunStatus::Paying | RunStatus::Paid) {
        let next = "pay it first: POST /v1/payroll-runs/{id}:pay; a closed run is done";
        return Err(state("the run is not being paid", next));
    }
    let of_profile = |name: &String| name.split('@').next() == Some(profile.id.as_str());
    if !run.record.files.iter().flatten().any(|file| file.profile.as_ref().is_some_and(of_profile)) {
        let detail = format!("no file of the profile `{}` was made for this run", profile.id);
        return Err(state(detail, "make it: GET /v1/payroll-runs/{id}/bank-file?profile=…, and send it to the bank"));
    }
    // Whoever has no account any more was not in the file, or has lost it since: the bank's row names nobody then.
    let (payments, _) = Payments::of(hub, tenant, &run).await?;
    let account = |slip: &str| {
        let account = &payments.accounts.get(slip)?.record;
        account.iban.clone().or_else(|| account.account_no.clone())
    };
    let by_account = form.names_accounts();
    let expected: Vec<Expected> = run
        .slips
        .iter()
        .filter(|(_, slip)| net_of(&slip.record) > Decimal::ZERO)
        .map(|(number, slip)| Expected {
            payslip: slip.id.clone(),
            employee_no: number.clone(),
            account: if by_account { account(&slip.id) } else { None },
            amount: net_of(&slip.record),
        })
        .collect();
    let found = outcomes(form, file, &run.id, &expected)?;
    let same = is_as_ordered(&run, profile, &payments);
    let known: BTreeMap<&str, &Payslip> = run.slips.iter().map(|(_, slip)| (slip.id.as_str(), &slip.record)).collect();
    let mut imported = Imported { patches: Vec::new(), paid: 0, failed: Vec::new(), open: Vec::new() };
    let mut is_paid: BTreeMap<&str, bool> = BTreeMap::new();
    for one in &found {
        is_paid.insert(&one.payslip, one.paid == Paid::Paid);
        match one.paid {
            Paid::Paid => imported.paid += 1,
            Paid::Failed => imported.failed.push((one.employee_no.clone(), one.reason.clone())),
        }
        let last4 = payments.accounts.get(&one.payslip).filter(|_| same).and_then(|account| last4(&account.record));
        let slip = known.get(one.payslip.as_str()).copied();
        imported.patches.extend(patch(one, slip, last4, now).map(|patch| (one.payslip.clone(), patch)));
    }
    for (number, slip) in &run.slips {
        let paid = is_paid.get(slip.id.as_str()).copied().unwrap_or_else(|| is_done(&slip.record));
        if !paid && !net_of(&slip.record).is_zero() {
            imported.open.push(number.clone());
        }
    }
    Ok(imported)
}

fn is_done(slip: &Payslip) -> bool {
    slip.payment.as_ref().and_then(|payment| payment.status.as_deref()) == Some(Paid::Paid.word())
}

/// The patch of a payslip; none where it says so already.
fn patch(one: &Outcome, slip: Option<&Payslip>, last4: Option<String>, now: &str) -> Option<String> {
    let before = slip.and_then(|slip| slip.payment.as_ref());
    let status = before.and_then(|payment| payment.status.as_deref());
    let reason = before.and_then(|payment| payment.reason.as_ref());
    if status == Some(one.paid.word()) && reason == one.reason.as_ref() {
        return None;
    }
    let mut payment = Map::new();
    payment.insert("method".to_owned(), json!({ "value": "BANK" }));
    payment.insert("status".to_owned(), Value::from(one.paid.word()));
    // What is no longer so goes; where there was nothing, there is nothing to take away.
    let mut set = |name: &str, value: Option<String>, was: bool| {
        if value.is_some() || was {
            payment.insert(name.to_owned(), value.map_or(Value::Null, Value::from));
        }
    };
    set("reason", one.reason.clone(), reason.is_some());
    let was_paid = before.is_some_and(|payment| payment.paid_at.is_some());
    set("paid_at", Some(now.to_owned()).filter(|_| one.paid == Paid::Paid), was_paid);
    set("reference", one.reference.clone(), before.is_some_and(|payment| payment.reference.is_some()));
    // Only what has arrived somewhere tells where pay usually goes.
    let was_known = before.is_some_and(|payment| payment.account_last4.is_some());
    set("account_last4", last4.filter(|_| one.paid == Paid::Paid), was_known);
    Some(json!({ "payment": payment }).to_string())
}

/// Who of a run is not paid: numbers of employees, and what their payslips say of the payment.
///
/// # Errors
/// The store fails, or a record cannot be read.
pub async fn unpaid(hub: &Hub, tenant: &str, run: &str) -> Result<Vec<(String, String)>, Failure> {
    let slips = slips(hub, tenant, run).await?;
    let open = slips.into_iter().filter(|(_, slip)| net_of(&slip.record) > Decimal::ZERO && !is_done(&slip.record));
    let said = |slip: &Payslip| slip.payment.as_ref().and_then(|payment| payment.status.clone());
    Ok(open.map(|(number, slip)| (number, said(&slip.record).unwrap_or_else(|| "not paid".to_owned()))).collect())
}
