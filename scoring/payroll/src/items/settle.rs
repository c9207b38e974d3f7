//! From lines to totals: deductions that the pay cannot bear are carried.

use super::slip::Line;
use crate::pay::net;
use hub_calc::Exact;
use hub_model::entities::pay::{PayLineKind, PaySide};
use hub_model::enums::EnumOf;
use hub_tree::Decimal;

/// The sums of a payslip.
pub(super) struct Totals {
    pub(super) gross: Decimal,
    pub(super) net: Decimal,
    pub(super) employer_cost: Decimal,
    pub(super) carried: Decimal,
}

/// Whether the kind is an earning: what gross is the sum of.
pub(super) fn is_earning(kind: PayLineKind) -> bool {
    kind.as_str().starts_with("EARNING")
}

/// Whether a law orders the deduction, so that it is taken before others.
fn is_statutory(kind: PayLineKind) -> bool {
    let word = kind.as_str();
    ["SOCIAL", "HOUSING_FUND", "TAX", "CONTRIBUTION"].iter().any(|start| word.starts_with(start))
}

/// In which turn a deduction is taken: what was not earned, what the law orders, what a court orders, the rest.
fn turn(kind: PayLineKind) -> u8 {
    match kind {
        _ if is_earning(kind) => 0,
        PayLineKind::DeductionAbsence | PayLineKind::Reimbursement => 0,
        _ if is_statutory(kind) => 1,
        PayLineKind::DeductionGarnishment => 2,
        _ => 3,
    }
}

/// Sums up. Where the net would be below nothing it is nothing: lines are lessened from the last turn on, and what they
/// were lessened by is carried. `None` when a sum is too large.
pub(super) fn settle(lines: &mut [Line]) -> Option<Totals> {
    let own = |line: &&Line| line.side == PaySide::Employee;
    let mut carried = Decimal::ZERO;
    if sum(lines.iter().filter(own))? < Decimal::ZERO {
        carried = carry(lines)?;
    }
    let of = |which: fn(&Line) -> bool| sum(lines.iter().filter(|line| which(line)));
    let gross = of(|line| line.side == PaySide::Employee && is_earning(line.kind))?;
    let absence = of(|line| line.side == PaySide::Employee && line.kind == PayLineKind::DeductionAbsence)?;
    let employer = of(|line| line.side != PaySide::Employee)?;
    let net = sum(lines.iter().filter(own))?;
    let employer_cost = gross.checked_add(absence)?.checked_add(employer)?;
    Some(Totals { gross, net, employer_cost, carried })
}

fn sum<'l>(lines: impl Iterator<Item = &'l Line>) -> Option<Decimal> {
    lines.map(|line| line.amount).try_fold(Decimal::ZERO, Decimal::checked_add)
}

/// Takes what there is, turn by turn, and lessens the rest.
fn carry(lines: &mut [Line]) -> Option<Decimal> {
    let own = lines.iter().enumerate().filter(|(_, line)| line.side == PaySide::Employee);
    let there: Decimal = own
        .clone()
        .map(|(_, line)| line.amount)
        .filter(|amount| *amount > Decimal::ZERO)
        .try_fold(Decimal::ZERO, Decimal::checked_add)?;
    let mut due: Vec<(u8, usize, Exact)> = own
        .filter(|(_, line)| line.amount < Decimal::ZERO)
        .map(|(place, line)| (turn(line.kind), place, Exact::from(-line.amount)))
        .collect();
    due.sort_by_key(|(turn, place, _)| (*turn, *place));
    let (_, settled) = net::settle(&Exact::from(there), due.iter().map(|(_, _, amount)| amount));
    let mut all = Decimal::ZERO;
    for ((_, place, _), settled) in due.iter().zip(settled) {
        if settled.carried.is_zero() {
            continue;
        }
        let carried = settled.carried.to_decimal()?;
        let line = lines.get_mut(*place)?;
        line.amount = line.amount.checked_add(carried)?;
        line.carried = carried;
        all = all.checked_add(carried)?;
    }
    Some(all)
}
