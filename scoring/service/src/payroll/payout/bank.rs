//! The bank's file of a run, and what the run keeps of it.

use super::super::facts::id_of;
use super::people::{accounts, paid_to};
use super::{Locked, NotMade, net_of};
use hub_flow::Hub;
use hub_flow::reading::Known;
use hub_model::entities::pay::{BankAccount, RunFile};
use hub_payroll::out::Problem;
use hub_payroll::out::bank::{Made, Paying, Profile, make};
use hub_payroll::out::transfer::Transfer;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// A file for a bank.
#[derive(Debug)]
pub struct BankFile {
    /// What was made.
    pub made: Made,
    /// SHA-256 of the bytes, hex.
    pub sha256: String,
    /// Its currency.
    pub currency: String,
    /// Numbers of employees whose net is 0: nothing is paid to them.
    pub left_out: Vec<String>,
    /// Hub ids of the bank accounts in it.
    pub accounts: Vec<String>,
    /// The files that the run keeps already.
    pub kept: Vec<RunFile>,
    /// Numbers of employees whose account was confirmed and is another one than at the last payment.
    pub confirmed: Vec<String>,
}

/// Payments of a run, and what they are paid to.
pub(super) struct Payments {
    pub(super) transfers: Vec<Transfer>,
    pub(super) left_out: Vec<String>,
    /// By payslip.
    pub(super) accounts: BTreeMap<String, Known<BankAccount>>,
}

impl Payments {
    /// # Errors
    /// People who cannot be paid, by employee number: no account, several, a net below 0.
    pub(super) async fn of(hub: &Hub, tenant: &str, run: &Locked) -> Result<(Self, Vec<Problem>), NotMade> {
        let people = run.people();
        let accounts = accounts(hub, tenant, &people).await?;
        let before = paid_to(hub, tenant, (&run.id, run.pay_on), &people).await?;
        let mut problems = Vec::new();
        let mut payments = Self { transfers: Vec::new(), left_out: Vec::new(), accounts: BTreeMap::new() };
        for (number, slip) in &run.slips {
            let mut wrong = |field, message: String| {
                problems.push(Problem { employee_no: Some(number.clone()), field, message });
            };
            let net = net_of(&slip.record);
            if net.is_zero() {
                payments.left_out.push(number.clone());
                continue;
            }
            let employee = id_of(slip.record.employee.as_ref()).unwrap_or_default();
            let account = match accounts.get(employee) {
                Some(Ok(account)) => account,
                None => {
                    wrong("account", "there is no bank account for pay; add one".to_owned());
                    continue;
                }
                Some(Err(several)) => {
                    let message = format!("there are {several} bank accounts for pay; make one `is_primary`");
                    wrong("account", message);
                    continue;
                }
            };
            let last4 = last4(&account.record);
            payments.transfers.push(Transfer {
                payslip: slip.id.clone(),
                employee_no: number.clone(),
                amount: net,
                currency: slip.record.currency.as_ref().map(|currency| currency.0.clone()).unwrap_or_default(),
                account: account.record.clone(),
                changed: before.get(employee).is_some_and(|before| Some(before) != last4.as_ref()),
            });
            payments.accounts.insert(slip.id.clone(), account.clone());
        }
        Ok((payments, problems))
    }
}

/// The last four characters of an account.
pub(super) fn last4(account: &BankAccount) -> Option<String> {
    let number = account.iban.as_ref().or(account.account_no.as_ref())?;
    let number: Vec<char> = number.chars().filter(|c| !c.is_whitespace()).collect();
    number.len().checked_sub(4).and_then(|from| number.get(from..)).map(|last| last.iter().collect())
}

fn paying(run: &Locked, confirmed: BTreeSet<String>) -> Paying {
    Paying {
        run: run.id.clone(),
        period_start: run.period.0,
        locked_at: run.locked_at,
        pay_on: run.pay_on,
        currency: run.currency(),
        confirmed,
    }
}

/// The file of a locked run by a profile. `confirmed` are numbers of employees whose changed account a person has
/// confirmed.
///
/// # Errors
/// The run is not locked, or something is wrong with somebody: then there is no file.
pub async fn bank_file(
    hub: &Hub,
    tenant: &str,
    run: &str,
    profile: &Profile,
    confirmed: BTreeSet<String>,
) -> Result<BankFile, NotMade> {
    let run = Locked::read(hub, tenant, run).await?;
    let (payments, mut problems) = Payments::of(hub, tenant, &run).await?;
    let changed = payments.transfers.iter().filter(|one| one.changed && confirmed.contains(&one.employee_no));
    let changed = changed.map(|one| one.employee_no.clone()).collect();
    let made = make(profile, &paying(&run, confirmed), &payments.transfers);
    let made = match made {
        Ok(made) if problems.is_empty() => made,
        Ok(_) => return Err(NotMade::Wrong(problems)),
        Err(others) => {
            problems.extend(others);
            return Err(NotMade::Wrong(problems));
        }
    };
    Ok(BankFile {
        sha256: sha256(&made.bytes),
        made,
        currency: profile.currency.clone().unwrap_or_else(|| run.currency()),
        left_out: payments.left_out,
        accounts: payments.accounts.into_values().map(|account| account.id).collect(),
        kept: run.record.files.unwrap_or_default(),
        confirmed: changed,
    })
}

/// Whether the payments as they are now make the file that the run keeps: then no account has changed since.
pub(super) fn is_as_ordered(run: &Locked, profile: &Profile, payments: &Payments) -> bool {
    let confirmed = payments.transfers.iter().map(|one| one.employee_no.clone()).collect();
    let Ok(made) = make(profile, &paying(run, confirmed), &payments.transfers) else { return false };
    let sha256 = sha256(&made.bytes);
    run.record.files.iter().flatten().any(|file| file.sha256.as_deref() == Some(sha256.as_str()))
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
