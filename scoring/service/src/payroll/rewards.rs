//! Rewards of referrals that a run has paid, or taken back: once it is settled, the referral says so.

use super::compare::slips;
use super::facts::id_of;
use hub_flow::audit::Entry;
use hub_flow::change::change;
use hub_flow::reading::{self, Known};
use hub_flow::{EventMessage, Failure, Hub};
use hub_model::Enum;
use hub_model::entities::hiring::{REFERRAL, Referral, RewardStatus};
use hub_model::entities::pay::{PayrollInput, Payslip};
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

/// Marks the rewards that went into a settled run as paid; those of payslips that it takes back as reversed. What is marked
/// already stays as it is, so that it may be done again.
pub(super) async fn settle(hub: &Arc<Hub>, event: &EventMessage, is_reversal: bool) -> Result<(), Failure> {
    let tenant = event.tenant.as_str();
    let mut payslips: Vec<Known<Payslip>> =
        slips(hub, tenant, &event.record).await?.into_iter().map(|(_, slip)| slip).collect();
    let (from, to, action) = match is_reversal {
        true => (RewardStatus::Paid, RewardStatus::Reversed, "referral.reward_reversed"),
        false => (RewardStatus::Approved, RewardStatus::Paid, "referral.reward_paid"),
    };
    if is_reversal {
        let taken_back = payslips.iter().filter_map(|one| id_of(one.record.reverses.as_ref()).map(ToOwned::to_owned));
        payslips = reading::these(hub, tenant, "payslip", taken_back.collect::<Vec<_>>()).await?;
    }
    let inputs = payslips.iter().filter_map(|one| id_of(one.record.input.as_ref()).map(ToOwned::to_owned));
    let inputs: Vec<Known<PayrollInput>> =
        reading::these(hub, tenant, "payroll_input", inputs.collect::<Vec<_>>()).await?;
    let mut of_input: BTreeMap<String, BTreeSet<(String, usize)>> = BTreeMap::new();
    for input in &inputs {
        let origins = input.record.origins.as_ref().and_then(|origins| origins.as_object());
        let texts = origins.into_iter().flat_map(|origins| origins.values()).filter_map(|text| text.as_str());
        let found: BTreeSet<(String, usize)> = texts.flat_map(|text| text.split(", ")).filter_map(named).collect();
        if !found.is_empty() {
            of_input.insert(input.id.clone(), found);
        }
    }
    let at = Timestamp::from_microsecond(hub.clock.micros()).map(DateTime).ok();
    for slip in &payslips {
        let Some(rewards) = id_of(slip.record.input.as_ref()).and_then(|input| of_input.get(input)) else { continue };
        for (referral, index) in rewards {
            let (index, at, payslip) = (*index, at, slip.id.clone());
            let entry = Entry::by_hub(tenant, action).detail("payslip", payslip.as_str());
            // A referral that has gone, or whose reward stands elsewhere by now, is left as it is.
            change(hub, (tenant, &REFERRAL, referral), (entry, "reward"), move |document| {
                let referral: Referral = serde_json::from_str(document).map_err(|_| ())?;
                let mut rewards = referral.rewards.unwrap_or_default();
                let reward = rewards.get_mut(index).ok_or(())?;
                let of_payslip = !is_reversal || id_of(reward.payroll_line.as_ref()) == Some(payslip.as_str());
                if !of_payslip || reward.status.as_ref().is_none_or(|status| status.value != from) {
                    return Err(());
                }
                reward.status = Some(Enum::of(to));
                reward.paid_at = if is_reversal { None } else { at };
                reward.payroll_line = Some(Ref::new(payslip));
                Ok((json!({ "rewards": rewards }).to_string(), ()))
            })
            .await?;
        }
    }
    Ok(())
}
