//! Rewards of referrals that a run has paid: once it is settled, the referral says so.

use super::compare::slips;
use super::facts::id_of;
use hub_flow::audit::Entry;
use hub_flow::change::change;
use hub_flow::reading::{self, Known};
use hub_flow::{EventMessage, Failure, Hub};
use hub_model::Enum;
use hub_model::entities::hiring::{REFERRAL, Referral, RewardStatus};
use hub_model::entities::pay::PayrollInput;
use hub_model::scalars::{DateTime, Ref};
use hub_tree::jiff::Timestamp;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Where the input says that a reward comes from: `referral/<id>#/rewards/<index>`.
pub(super) fn origin(referral: &str, index: usize) -> String {
    format!("referral/{referral}#/rewards/{index}")
}

fn named(origin: &str) -> Option<(String, usize)> {
    let (id, index) = origin.strip_prefix("referral/")?.split_once("#/rewards/")?;
    Some((id.to_owned(), index.parse().ok()?))
}

/// Marks the rewards that went into a settled run as paid. Those that are marked already stay as they are, so that it may
/// be done again.
pub(super) async fn paid(hub: &Arc<Hub>, event: &EventMessage) -> Result<(), Failure> {
    let run = event.record.as_str();
    let inputs: Vec<Known<PayrollInput>> =
        reading::by(hub, &event.tenant, "payroll_input", "run", vec![run.to_owned()]).await?;
    let mut of_input: BTreeMap<String, BTreeSet<(String, usize)>> = BTreeMap::new();
    for input in &inputs {
        let origins = input.record.origins.as_ref().and_then(|origins| origins.as_object());
        let texts = origins.into_iter().flat_map(|origins| origins.values()).filter_map(|text| text.as_str());
        let found: BTreeSet<(String, usize)> = texts.flat_map(|text| text.split(", ")).filter_map(named).collect();
        if !found.is_empty() {
            of_input.insert(input.id.clone(), found);
        }
    }
    if of_input.is_empty() {
        return Ok(());
    }
    let at = Timestamp::from_microsecond(hub.clock.micros()).map(DateTime).ok();
    for (_, slip) in slips(hub, &event.tenant, run).await? {
        let Some(rewards) = id_of(slip.record.input.as_ref()).and_then(|input| of_input.get(input)) else { continue };
        for (referral, index) in rewards {
            let (index, at, payslip) = (*index, at, slip.id.clone());
            let entry = Entry::by_hub(&event.tenant, "referral.reward_paid").detail("payslip", payslip.as_str());
            // A referral that has gone, or whose reward is no longer approved, is left as it is.
            change(hub, (&event.tenant, &REFERRAL, referral), (entry, "reward-paid"), move |document| {
                let referral: Referral = serde_json::from_str(document).map_err(|_| ())?;
                let mut rewards = referral.rewards.unwrap_or_default();
                let reward = rewards.get_mut(index).ok_or(())?;
                if reward.status.as_ref().is_none_or(|status| status.value != RewardStatus::Approved) {
                    return Err(());
                }
                reward.status = Some(Enum::of(RewardStatus::Paid));
                reward.paid_at = at;
                reward.payroll_line = Some(Ref::new(payslip));
                Ok((json!({ "rewards": rewards }).to_string(), ()))
            })
            .await?;
        }
    }
    Ok(())
}
