//! Who of a run has been told of the payslip, who has seen it, who asks something.

use super::facts::id_of;
use hub_flow::reading::{self, Known};
use hub_flow::{Failure, Hub};
use hub_model::entities::employment::Employee;
use hub_model::entities::pay::Payslip;
use hub_model::entities::shared::{Message, MessageStatus};
use std::collections::BTreeMap;

/// A payslip, whose it is, and the messages about it.
#[derive(Debug)]
pub struct Notice {
    /// The payslip.
    pub payslip: Known<Payslip>,
    /// The employee; none: the record is gone.
    pub employee: Option<Employee>,
    /// Messages about it, the oldest first.
    pub messages: Vec<Known<Message>>,
}

impl Notice {
    /// The message that told of it: the last that did not fail.
    #[must_use]
    pub fn told_by(&self) -> Option<&Known<Message>> {
        let failed = |message: &&Known<Message>| {
            let status = message.record.status.as_ref().map(|status| status.value);
            matches!(status, Some(MessageStatus::Failed | MessageStatus::Suppressed | MessageStatus::Expired))
        };
        self.messages.iter().rev().find(|message| !failed(message))
    }

    /// The employee's number, else the id of the payslip.
    #[must_use]
    pub fn number(&self) -> &str {
        let number = self.employee.as_ref().and_then(|employee| employee.employee_number.as_deref());
        number.unwrap_or(&self.payslip.id)
    }
}

/// At most `limit` payslips of a run behind the payslip `after`, in the order of their ids.
///
/// # Errors
/// The store fails, or a record cannot be read.
pub async fn notices(hub: &Hub, tenant: &str, run: &str, (after, limit): (&str, i64)) -> Result<Vec<Notice>, Failure> {
    let slips: Vec<Known<Payslip>> =
        reading::page(hub, tenant, "payslip", vec![("run", run.to_owned())], (after, limit)).await?;
    let people: Vec<String> =
        slips.iter().filter_map(|slip| id_of(slip.record.employee.as_ref())).map(ToOwned::to_owned).collect();
    let people: Vec<Known<Employee>> = reading::these(hub, tenant, "employee", people).await?;
    let people: BTreeMap<String, Employee> = people.into_iter().map(|one| (one.id, one.record)).collect();
    let ids = slips.iter().map(|slip| slip.id.clone()).collect();
    let mut messages: BTreeMap<String, Vec<Known<Message>>> = BTreeMap::new();
    for message in reading::by::<Message>(hub, tenant, "message", "about", ids).await? {
        if let Some(about) = message.record.about.as_ref().and_then(|about| about.id.clone()) {
            messages.entry(about).or_default().push(message);
        }
    }
    let notices = slips.into_iter().map(|payslip| {
        let employee = id_of(payslip.record.employee.as_ref()).and_then(|id| people.get(id)).cloned();
        let mut messages = messages.remove(&payslip.id).unwrap_or_default();
        messages.sort_by(|one, other| one.id.cmp(&other.id));
        Notice { payslip, employee, messages }
    });
    Ok(notices.collect())
}
