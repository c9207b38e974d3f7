//! A run beside the one before: what changed, for whom, and what to look at.

use super::collect::day;
use super::facts::{id_of, is_settled, status_of};
use hub_flow::reading::{self, Known};
use hub_flow::{Failure, Hub};
use hub_model::entities::employment::Employee;
use hub_model::entities::pay::{PayrollRun, Payslip, RunKind};
use hub_payroll::out::variance::{Change, Person, Rules, Slip, variance};
use hub_tree::Decimal;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// When somebody is flagged: a net that moved by more than 30 % and 500, a bonus of more than half of the gross. A house
/// rule of whoever reviews pay; ask with other bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Per cent of the net before.
    pub percent: u32,
    /// In the currency of the run.
    pub amount: u32,
    /// Per cent of the gross.
    pub bonus: u32,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { percent: 30, amount: 500, bonus: 50 }
    }
}

/// Payslips that are read at once.
const PAGE: i64 = 500;

/// Compares a run with the settled one of its group before it, or with `against`. `None`: there is no such run.
///
/// # Errors
/// The store fails, or a record cannot be read.
pub async fn compare(
    hub: &Hub,
    tenant: &str,
    run: &str,
    against: Option<&str>,
    bounds: Bounds,
) -> Result<Option<Value>, Failure> {
    let found: Vec<Known<PayrollRun>> = reading::these(hub, tenant, "payroll_run", [run.to_owned()]).await?;
    let Some(run) = found.into_iter().next() else { return Ok(None) };
    let before = match against {
        Some(id) => reading::these(hub, tenant, "payroll_run", [id.to_owned()]).await?.into_iter().next(),
        None => last_before(hub, tenant, &run).await?,
    };
    if before.is_none() && against.is_some() {
        return Ok(None);
    }
    let now = slips(hub, tenant, &run.id).await?;
    let then = match &before {
        Some(before) => slips(hub, tenant, &before.id).await?,
        None => Vec::new(),
    };
    let rules = Rules {
        percent_above: bounds.percent.into(),
        amount_above: bounds.amount.into(),
        bonus_percent_above: bounds.bonus.into(),
    };
    let of = |slips: &[(String, Known<Payslip>)]| -> Decimal {
        slips.iter().filter_map(|(_, slip)| slip.record.net.as_ref()?.amount).sum()
    };
    let (net_before, net_now) = (of(&then), of(&now));
    let people = variance(&shown(&then), &shown(&now), &rules);
    let count = |change: Change| people.iter().filter(|person| person.net.change == change).count();
    let summary = json!({
        "net_before": net_before, "net_now": net_now, "delta": net_now - net_before,
        "new": count(Change::New), "gone": count(Change::Gone), "changed": count(Change::Changed),
        "same": count(Change::Same), "flagged": people.iter().filter(|person| !person.flags.is_empty()).count(),
    });
    // Whoever is paid as before needs no look.
    let looked_at =
        |person: &&Person| person.net.change != Change::Same || !person.flags.is_empty() || !person.lines.is_empty();
    let people: Vec<&Person> = people.iter().filter(looked_at).collect();
    Ok(Some(json!({ "run": run.id, "against": before.map(|before| before.id), "summary": summary, "people": people })))
}

fn shown(slips: &[(String, Known<Payslip>)]) -> Vec<Slip<'_>> {
    slips.iter().map(|(number, slip)| Slip { employee_no: number, payslip: &slip.record }).collect()
}

/// The settled run of the group and kind that paid last before this one.
async fn last_before(hub: &Hub, tenant: &str, run: &Known<PayrollRun>) -> Result<Option<Known<PayrollRun>>, Failure> {
    let Some(group) = id_of(run.record.pay_group.as_ref()) else { return Ok(None) };
    let pay_on = day(run.record.pay_on.as_ref());
    let all: Vec<Known<PayrollRun>> =
        reading::by(hub, tenant, "payroll_run", "pay_group", vec![group.to_owned()]).await?;
    let kind = |run: &PayrollRun| run.kind.as_ref().map_or(RunKind::Regular, |kind| kind.value);
    let before = all.into_iter().filter(|other| {
        let earlier = day(other.record.pay_on.as_ref()).zip(pay_on).is_some_and(|(other, this)| other < this);
        let same = kind(&other.record) == kind(&run.record);
        other.id != run.id && same && earlier && status_of(&other.record).is_some_and(is_settled)
    });
    Ok(before.max_by_key(|other| day(other.record.pay_on.as_ref())))
}

/// The payslips of a run with the number of each employee; who has none is called by the hub's id.
pub(super) async fn slips(hub: &Hub, tenant: &str, run: &str) -> Result<Vec<(String, Known<Payslip>)>, Failure> {
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let equals = vec![("run", run.to_owned())];
        let page: Vec<Known<Payslip>> = reading::page(hub, tenant, "payslip", equals, (&after, PAGE)).await?;
        let full = i64::try_from(page.len()).is_ok_and(|count| count >= PAGE);
        let people = page.iter().filter_map(|slip| id_of(slip.record.employee.as_ref())).map(ToOwned::to_owned);
        let people: Vec<Known<Employee>> = reading::these(hub, tenant, "employee", people.collect::<Vec<_>>()).await?;
        let numbers: BTreeMap<String, String> =
            people.into_iter().filter_map(|one| Some((one.id, one.record.employee_number?))).collect();
        if let Some(last) = page.last() {
            after.clone_from(&last.id);
        }
        found.extend(page.into_iter().map(|slip| {
            let id = id_of(slip.record.employee.as_ref()).unwrap_or_default();
            (numbers.get(id).cloned().unwrap_or_else(|| id.to_owned()), slip)
        }));
        if !full {
            return Ok(found);
        }
    }
}
