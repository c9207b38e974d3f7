//! A payslip as PDF, with what it refers to.

use super::is_locked;
use hub_flow::reading::{self, Known};
use hub_flow::{Failure, Hub};
use hub_model::entities::employment::Employee;
use hub_model::entities::organization::LegalEntity;
use hub_model::entities::pay::{PayGroup, PayrollRun, Payslip};
use hub_model::scalars::Localized;
use hub_payroll::out::payslip::{Face, Language, Printed, Refused, pdf};
use serde::de::DeserializeOwned;

/// Why a payslip is not printed.
#[derive(Debug)]
pub enum NotPrinted {
    /// There is no such payslip.
    NotThere,
    /// Its run is not locked: nobody sees a draft.
    Draft,
    /// `hub.yaml` names no font.
    NoFont,
    /// The font lacks something.
    Refused(Refused),
    /// The store fails, or a record cannot be read.
    Failed(Failure),
}

impl From<Failure> for NotPrinted {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

async fn one<T: DeserializeOwned>(
    hub: &Hub,
    tenant: &str,
    entity: &'static str,
    id: Option<String>,
) -> Result<Option<T>, Failure> {
    let found: Vec<Known<T>> = reading::these(hub, tenant, entity, id).await?;
    Ok(found.into_iter().next().map(|found| found.record))
}

/// A name in a language; else in whichever there is.
fn in_language(name: &Localized, language: Language) -> Option<&str> {
    match name {
        Localized::Plain(name) => Some(name),
        Localized::ByLang(names) => {
            let wanted = language.say("en", "zh");
            let own = names.iter().find(|(tag, _)| tag.split('-').next().is_some_and(|tag| tag == wanted));
            own.or_else(|| names.iter().next()).map(|(_, name)| name.as_str())
        }
    }
}

/// Whether a payslip never changes any more: its run is locked, or no run of the hub's.
///
/// # Errors
/// The store fails, or a record cannot be read.
pub async fn is_settled(hub: &Hub, tenant: &str, payslip: &Payslip) -> Result<bool, Failure> {
    if payslip.rule_set.is_none() {
        return Ok(true);
    }
    let run = payslip.run.as_ref().and_then(|run| run.id.clone());
    Ok(one::<PayrollRun>(hub, tenant, "payroll_run", run).await?.is_some_and(|run| is_locked(&run)))
}

/// The PDF of a payslip whose run is locked. The company is that of the run's pay group.
///
/// # Errors
/// Why there is none.
pub async fn print(
    hub: &Hub,
    tenant: &str,
    id: &str,
    (face, language): (Option<&Face>, Language),
) -> Result<Vec<u8>, NotPrinted> {
    let payslip: Option<Payslip> = one(hub, tenant, "payslip", Some(id.to_owned())).await?;
    let payslip = payslip.ok_or(NotPrinted::NotThere)?;
    if !is_settled(hub, tenant, &payslip).await? {
        return Err(NotPrinted::Draft);
    }
    let face = face.ok_or(NotPrinted::NoFont)?;
    let run = payslip.run.as_ref().and_then(|run| run.id.clone());
    let run: Option<PayrollRun> = one(hub, tenant, "payroll_run", run).await?;
    let group = run.as_ref().and_then(|run| run.pay_group.as_ref()).and_then(|group| group.id.clone());
    let group: Option<PayGroup> = one(hub, tenant, "pay_group", group).await?;
    let company = group.and_then(|group| group.legal_entity).and_then(|company| company.id);
    let company: Option<LegalEntity> = one(hub, tenant, "legal_entity", company).await?;
    let employee = payslip.employee.as_ref().and_then(|employee| employee.id.clone());
    let employee: Option<Employee> = one(hub, tenant, "employee", employee).await?;
    let employee = employee.unwrap_or_default();
    let printed = Printed {
        payslip: &payslip,
        run: run.as_ref(),
        company: company
            .as_ref()
            .and_then(|company| company.name.as_ref())
            .and_then(|name| in_language(name, language)),
        name: employee.display_name.as_deref(),
        number: employee.employee_number.as_deref(),
        language,
    };
    pdf(&printed, face).map_err(NotPrinted::Refused)
}
