//! What is known about the people of a run: accounts, cost centres, documents, earlier payslips.

use super::super::collect::day;
use super::super::facts::{id_of, is_settled, status_of};
use hub_flow::reading::{self, Known};
use hub_flow::{Failure, Hub};
use hub_model::entities::employment::{Employee, Employment, JobAssignment};
use hub_model::entities::organization::CostCenter;
use hub_model::entities::pay::{AccountUsage, BankAccount, PayrollRun, Payslip};
use hub_model::entities::person::Person;
use hub_tree::Decimal;
use hub_tree::jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};

/// People whose records are read at once.
const PORTION: usize = 200;

/// The account that somebody is paid to; how many fit where it is not one.
pub(super) type Account = Result<Known<BankAccount>, usize>;

/// The account for pay of each employee (hub ids).
pub(super) async fn accounts(hub: &Hub, tenant: &str, people: &[String]) -> Result<BTreeMap<String, Account>, Failure> {
    let mut found: BTreeMap<String, Vec<Known<BankAccount>>> = BTreeMap::new();
    for people in people.chunks(PORTION) {
        let all: Vec<Known<BankAccount>> =
            reading::by(hub, tenant, "bank_account", "employee", people.to_vec()).await?;
        for one in all {
            let is_for_pay = one.record.usage.as_ref().is_none_or(|usage| usage.value == AccountUsage::Salary);
            if let Some(employee) = id_of(one.record.employee.as_ref()).filter(|_| is_for_pay) {
                found.entry(employee.to_owned()).or_default().push(one);
            }
        }
    }
    Ok(found.into_iter().map(|(employee, accounts)| (employee, one_of(accounts))).collect())
}

/// The primary one, else the only one.
fn one_of(mut accounts: Vec<Known<BankAccount>>) -> Account {
    let is_primary = |one: &Known<BankAccount>| one.record.is_primary == Some(true);
    if accounts.iter().any(is_primary) {
        accounts.retain(is_primary);
    }
    match (accounts.pop(), accounts.len()) {
        (Some(account), 0) => Ok(account),
        (_, others) => Err(others + 1),
    }
}

/// The payslip of an employee before a day, of a settled run other than this one: that of the last day of payment.
async fn last_payslips(
    hub: &Hub,
    tenant: &str,
    (run, pay_on): (&str, Date),
    people: &[String],
    counts: impl Fn(&Payslip, Date) -> bool,
) -> Result<BTreeMap<String, Payslip>, Failure> {
    let mut last: BTreeMap<String, (Date, String, Payslip)> = BTreeMap::new();
    let mut runs: BTreeMap<String, Option<Date>> = BTreeMap::new();
    for people in people.chunks(PORTION) {
        let slips: Vec<Known<Payslip>> = reading::by(hub, tenant, "payslip", "employee", people.to_vec()).await?;
        let new = slips.iter().filter_map(|slip| id_of(slip.record.run.as_ref())).filter(|id| !runs.contains_key(*id));
        let new: BTreeSet<String> = new.map(str::to_owned).collect();
        let known: Vec<Known<PayrollRun>> = reading::these(hub, tenant, "payroll_run", new.clone()).await?;
        runs.extend(new.into_iter().map(|id| (id, None)));
        for one in known {
            let on = day(one.record.pay_on.as_ref()).filter(|_| status_of(&one.record).is_some_and(is_settled));
            runs.insert(one.id, on);
        }
        for slip in slips {
            let of = id_of(slip.record.run.as_ref()).filter(|id| *id != run);
            let on = of.and_then(|of| *runs.get(of)?).filter(|on| *on <= pay_on && counts(&slip.record, *on));
            let (Some(on), Some(employee)) = (on, id_of(slip.record.employee.as_ref())) else { continue };
            let employee = employee.to_owned();
            if last.get(&employee).is_none_or(|(known, id, _)| (*known, id) < (on, &slip.id)) {
                last.insert(employee, (on, slip.id, slip.record));
            }
        }
    }
    Ok(last.into_iter().map(|(employee, (_, _, slip))| (employee, slip)).collect())
}

/// The payslip before of the same year.
pub(super) async fn before(
    hub: &Hub,
    tenant: &str,
    run: (&str, Date),
    people: Vec<String>,
) -> Result<BTreeMap<String, Payslip>, Failure> {
    last_payslips(hub, tenant, run, &people, |_, on| on.year() == run.1.year()).await
}

/// The last four characters of the account at the last payment that arrived.
pub(super) async fn paid_to(
    hub: &Hub,
    tenant: &str,
    run: (&str, Date),
    people: &[String],
) -> Result<BTreeMap<String, String>, Failure> {
    let last4 = |slip: &Payslip| slip.payment.as_ref().and_then(|payment| payment.account_last4.clone());
    let slips = last_payslips(hub, tenant, run, people, |slip, _| last4(slip).is_some()).await?;
    Ok(slips.into_iter().filter_map(|(employee, slip)| Some((employee, last4(&slip)?))).collect())
}

/// The persons of employees.
pub(super) async fn persons(
    hub: &Hub,
    tenant: &str,
    people: Vec<String>,
) -> Result<BTreeMap<String, Known<Person>>, Failure> {
    let employees: Vec<Known<Employee>> = reading::these(hub, tenant, "employee", people).await?;
    let of: Vec<(String, String)> =
        employees.into_iter().filter_map(|one| Some((one.id, id_of(one.record.person.as_ref())?.to_owned()))).collect();
    let found: Vec<Known<Person>> =
        reading::these(hub, tenant, "person", of.iter().map(|(_, person)| person.clone())).await?;
    let found: BTreeMap<String, Known<Person>> = found.into_iter().map(|one| (one.id.clone(), one)).collect();
    Ok(of.into_iter().filter_map(|(employee, person)| Some((employee, found.get(&person)?.clone()))).collect())
}

/// Cost centres by their codes, with the shares of the assignment that holds on a day.
pub(super) async fn cost_centers(
    hub: &Hub,
    tenant: &str,
    people: Vec<String>,
    on: Date,
) -> Result<BTreeMap<String, Vec<(String, Decimal)>>, Failure> {
    let mut shares: BTreeMap<String, Vec<(String, Decimal)>> = BTreeMap::new();
    for people in people.chunks(PORTION) {
        let employments: Vec<Known<Employment>> =
            reading::by(hub, tenant, "employment", "employee", people.to_vec()).await?;
        let ids = employments.iter().map(|one| one.id.clone()).collect();
        let assignments: Vec<Known<JobAssignment>> =
            reading::by(hub, tenant, "job_assignment", "employment", ids).await?;
        for person in people {
            let of_person = |one: &&Known<Employment>| id_of(one.record.employee.as_ref()) == Some(person);
            let employment = best(
                employments.iter().filter(of_person),
                |one| {
                    let dates = (one.record.start_on.as_ref(), one.record.end_on.as_ref());
                    ((day(dates.0), day(dates.1)), one.record.is_primary)
                },
                on,
            );
            let Some(employment) = employment else { continue };
            let of_employment =
                |one: &&Known<JobAssignment>| id_of(one.record.employment.as_ref()) == Some(employment.id.as_str());
            let assignment = best(
                assignments.iter().filter(of_employment),
                |one| {
                    let dates = (one.record.valid_from.as_ref(), one.record.valid_to.as_ref());
                    ((day(dates.0), day(dates.1)), one.record.is_primary)
                },
                on,
            );
            let of = assignment.and_then(|one| one.record.cost_centers.as_ref()).into_iter().flatten();
            let of = of.filter_map(|one| {
                let center = id_of(one.cost_center.as_ref())?.to_owned();
                Some((center, one.rate.as_ref().map_or(Decimal::ONE, |rate| rate.0)))
            });
            shares.insert(person.clone(), of.collect());
        }
    }
    let ids: BTreeSet<String> = shares.values().flatten().map(|(id, _)| id.clone()).collect();
    let centers: Vec<Known<CostCenter>> = reading::these(hub, tenant, "cost_center", ids).await?;
    let codes: BTreeMap<String, String> =
        centers.into_iter().filter_map(|one| Some((one.id, one.record.code?))).collect();
    for (id, _) in shares.values_mut().flatten() {
        if let Some(code) = codes.get(id) {
            id.clone_from(code);
        }
    }
    Ok(shares)
}

/// What holds on a day: the primary one, else the one that began last, also where it ended before.
fn best<'k, T>(
    all: impl Iterator<Item = &'k Known<T>>,
    about: impl Fn(&Known<T>) -> ((Option<Date>, Option<Date>), Option<bool>),
    on: Date,
) -> Option<&'k Known<T>> {
    let began = all.filter(|one| about(one).0.0.is_none_or(|from| from <= on));
    began.max_by_key(|one| {
        let ((from, to), is_primary) = about(one);
        (to.is_none_or(|to| to >= on), is_primary == Some(true), from)
    })
}
