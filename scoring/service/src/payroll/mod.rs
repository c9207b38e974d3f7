//! Payroll runs: a run that names rules of the hub is calculated here, a portion of people at a time.
//!
//! Each portion commits with the run's own progress, and that change is the event which the next portion reacts to. So a
//! hub that is killed goes on where it was, nobody is paid twice, and whoever subscribes sees how far it is. First all
//! inputs are collected and checked; only when nothing is wrong with anybody are payslips made, out of what was kept.

mod collect;
mod compare;
mod facts;
mod pay;
mod payees;
mod payout;
mod portion;
mod print;
mod retro;
mod reversal;
mod rewards;
mod rules;
mod slips;
mod source;
pub mod steps;
mod told;

pub use compare::{Bounds, compare};
pub use payout::{
    BankFile, Imported, NotMade, PayoutFiles, bank_file, import_result, journal_of, load_payout, tax_file, unpaid,
};
pub use print::{NotPrinted, is_settled, print};
pub use rules::{PayFile, load_pay_rules};
pub use told::{Notice, notices};

use async_trait::async_trait;
use facts::status_of;
use hub_flow::reading::{self, Known};
use hub_flow::{Consumer, Effects, EventMessage, Failure, Hub};
use hub_model::entities::pay::{PayrollRun, RunPhase, RunStatus};
use hub_tree::jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The consumer that calculates runs.
pub struct PayrollRuns {
    files: BTreeMap<String, Arc<PayFile>>,
    zone: TimeZone,
}

impl PayrollRuns {
    /// Calculates by these rules; days begin and end in `zone`.
    #[must_use]
    pub const fn new(files: BTreeMap<String, Arc<PayFile>>, zone: TimeZone) -> Self {
        Self { files, zone }
    }
}

/// Whether a run never changes any more.
#[must_use]
pub fn is_locked(run: &PayrollRun) -> bool {
    status_of(run).is_some_and(facts::is_settled)
}

#[async_trait]
impl Consumer for PayrollRuns {
    fn name(&self) -> &'static str {
        "payroll"
    }

    fn topics(&self) -> &'static [&'static str] {
        &["hr.payroll_run.updated"]
    }

    async fn handle(&self, hub: &Arc<Hub>, event: &EventMessage) -> Result<Effects, Failure> {
        let found = reading::these(hub, &event.tenant, "payroll_run", [event.record.clone()]).await?;
        let run: Option<Known<PayrollRun>> = found.into_iter().next();
        // A later version has an event of its own.
        let Some(run) = run.filter(|run| run.version == event.version) else { return Ok(Effects::of(event)) };
        match status_of(&run.record) {
            Some(RunStatus::Calculating) => {}
            Some(RunStatus::Paid | RunStatus::Closed) if run.record.rule_set.is_some() => {
                rewards::settle(hub, event, facts::is_reversal(&run.record)).await?;
                return Ok(Effects::of(event));
            }
            _ => return Ok(Effects::of(event)),
        }
        let phase = run.record.progress.as_ref().and_then(|progress| progress.phase.as_ref()).map(|phase| phase.value);
        match phase {
            Some(RunPhase::Inputs) if facts::is_reversal(&run.record) => reversal::inputs(self, hub, event, &run).await,
            Some(RunPhase::Payslips) if facts::is_reversal(&run.record) => {
                reversal::payslips(self, hub, event, &run).await
            }
            Some(RunPhase::Inputs) => portion::inputs(self, hub, event, &run).await,
            Some(RunPhase::Payslips) => portion::payslips(self, hub, event, &run).await,
            _ => Ok(Effects::of(event)),
        }
    }
}
