//! What leaves a run once it is locked: the bank's file and its answer, the journal, the tax file.

mod bank;
mod people;
mod result;

pub use bank::{BankFile, bank_file};
pub use result::{Imported, import_result, unpaid};

use super::compare::slips;
use super::facts::{id_of, is_reversal, is_settled, locked_at, status_of};
use hub_flow::reading::{self, Known};
use hub_flow::{Failure, Hub};
use hub_kit::Catalog;
use hub_model::entities::pay::{PayrollRun, Payslip, RunStatus};
use hub_payroll::out::Problem;
use hub_payroll::out::bank::Profile;
use hub_payroll::out::journal::{Chart, Journal, Posted, journal};
use hub_payroll::out::payslip::Face;
use hub_payroll::out::tax::{self, Withheld};
use hub_tree::jiff::Timestamp;
use hub_tree::jiff::civil::Date;
use hub_tree::{Decimal, Findings};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Profiles of banks and charts of accounts, by their ids; the font of payslips.
#[derive(Clone, Debug, Default)]
pub struct PayoutFiles {
    /// `models/bank/*.yaml`.
    pub banks: BTreeMap<String, Arc<Profile>>,
    /// `models/journal/*.yaml`.
    pub charts: BTreeMap<String, Arc<Chart>>,
    /// `payslips.font` of `hub.yaml`.
    pub face: Option<Face>,
}

/// Reads the profiles of banks and the charts of the catalog. Problems go to `findings`; what has errors is left out.
#[must_use]
pub fn load_payout(catalog: &Catalog, findings: &Findings) -> PayoutFiles {
    let of = |folder: &'static str| {
        let files = catalog.below(folder);
        files.filter(|(place, _)| place.matches('/').count() == 2 && place.ends_with(".yaml"))
    };
    let banks = of("models/bank/").filter_map(|(_, source)| Profile::read(source, findings));
    let charts = of("models/journal/").filter_map(|(_, source)| Chart::read(source, findings));
    PayoutFiles {
        banks: banks.map(|one| (one.id.clone(), Arc::new(one))).collect(),
        charts: charts.map(|one| (one.id.clone(), Arc::new(one))).collect(),
        face: None,
    }
}

/// Why nothing leaves a run.
#[derive(Debug)]
pub enum NotMade {
    /// There is no such run.
    NotThere,
    /// The run is not in a state for it, or lacks something.
    State {
        /// What is wrong.
        detail: String,
        /// What to do.
        next: String,
    },
    /// All that is wrong with it.
    Wrong(Vec<Problem>),
    /// The store fails, or a record cannot be read.
    Failed(Failure),
}

impl From<Failure> for NotMade {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Vec<Problem>> for NotMade {
    fn from(problems: Vec<Problem>) -> Self {
        Self::Wrong(problems)
    }
}

fn state(detail: impl Into<String>, next: impl Into<String>) -> NotMade {
    NotMade::State { detail: detail.into(), next: next.into() }
}

/// A run that never changes any more.
struct Locked {
    id: String,
    record: PayrollRun,
    status: RunStatus,
    locked_at: Timestamp,
    period: (Date, Date),
    pay_on: Date,
    /// Its payslips with the numbers of the employees, in the order of these.
    slips: Vec<(String, Known<Payslip>)>,
}

impl Locked {
    async fn read(hub: &Hub, tenant: &str, run: &str) -> Result<Self, NotMade> {
        let found: Vec<Known<PayrollRun>> = reading::these(hub, tenant, "payroll_run", [run.to_owned()]).await?;
        let Some(Known { id, record, .. }) = found.into_iter().next() else { return Err(NotMade::NotThere) };
        if record.rule_set.as_ref().and_then(|rules| rules.id.as_deref()).is_none() {
            let next = "ask the system that calculates it";
            return Err(state("the run names no `rule_set`: its system pays it", next));
        }
        let status = status_of(&record).filter(|status| is_settled(*status));
        let (Some(status), Some(locked_at)) = (status, locked_at(&record)) else {
            let next = "have it approved, then lock it: POST /v1/payroll-runs/{id}:lock";
            return Err(state("the run is not locked yet, and a draft leaves nothing", next));
        };
        let day = |date| super::collect::day(date);
        let days = (day(record.period_start.as_ref()), day(record.period_end.as_ref()), day(record.pay_on.as_ref()));
        let (Some(first), Some(last), Some(pay_on)) = days else {
            let next = "a run has `period_start`, `period_end` and `pay_on`";
            return Err(state("the run has no period or no day of payment", next));
        };
        let mut slips = slips(hub, tenant, &id).await?;
        slips.sort_by(|(one, slip), (other, another)| (one, &slip.id).cmp(&(other, &another.id)));
        Ok(Self { id, record, status, locked_at, period: (first, last), pay_on, slips })
    }

    /// The currency of the payslips; that of the first where they differ, which is told elsewhere.
    fn currency(&self) -> String {
        let first = self.slips.iter().find_map(|(_, slip)| slip.record.currency.as_ref());
        first.map(|currency| currency.0.clone()).unwrap_or_default()
    }

    /// Hub ids of the employees.
    fn people(&self) -> Vec<String> {
        self.slips.iter().filter_map(|(_, slip)| id_of(slip.record.employee.as_ref()).map(str::to_owned)).collect()
    }
}

fn net_of(slip: &Payslip) -> Decimal {
    slip.net.as_ref().and_then(|net| net.amount).unwrap_or_default()
}

/// The journal of a run by a chart.
///
/// # Errors
/// The run is not locked, or a line cannot be posted.
pub async fn journal_of(hub: &Hub, tenant: &str, run: &str, chart: &Chart) -> Result<Journal, NotMade> {
    let run = Locked::read(hub, tenant, run).await?;
    let shares = people::cost_centers(hub, tenant, run.people(), run.period.1).await?;
    let posted = run.slips.iter().map(|(number, slip)| Posted {
        employee_no: number,
        cost_centers: id_of(slip.record.employee.as_ref()).and_then(|id| shares.get(id).cloned()).unwrap_or_default(),
        lines: slip.record.lines.as_deref().unwrap_or_default(),
        net: net_of(&slip.record),
    });
    Ok(journal(chart, &posted.collect::<Vec<_>>())?)
}

/// The tax file of a run, and the persons whose documents are in it (hub ids).
///
/// # Errors
/// The run is not locked, or a row cannot be made.
pub async fn tax_file(hub: &Hub, tenant: &str, run: &str) -> Result<(Vec<u8>, Vec<String>), NotMade> {
    let run = Locked::read(hub, tenant, run).await?;
    if run.currency() != "CNY" {
        let next = "ask for the tax file of a run in CNY";
        return Err(state("the tax file is that of mainland China, and the run is not paid in CNY", next));
    }
    if is_reversal(&run.record) {
        let next = "correct what was declared for the month that it takes back (更正申报)";
        return Err(state("a reversal is not declared by itself", next));
    }
    let persons = people::persons(hub, tenant, run.people()).await?;
    let before = people::before(hub, tenant, (&run.id, run.pay_on), run.people()).await?;
    let rows = run.slips.iter().map(|(number, slip)| {
        let employee = id_of(slip.record.employee.as_ref()).unwrap_or_default();
        let person = persons.get(employee).map(|known| &known.record);
        Withheld {
            employee_no: number,
            name: person.and_then(|person| person.name.as_ref()?.full.as_deref()),
            ids: person.and_then(|person| person.national_ids.as_deref()).unwrap_or_default(),
            payslip: &slip.record,
            before: before.get(employee).and_then(|slip| slip.ytd.as_ref()),
        }
    });
    let bytes = tax::file(run.period, &rows.collect::<Vec<_>>())?;
    Ok((bytes, persons.into_values().map(|person| person.id).collect()))
}
