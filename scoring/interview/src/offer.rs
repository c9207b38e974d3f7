//! The base pay that a score proposes within the range of finance: from 80 on, rising to the top of the range at 90.

use crate::numbers::shown;
use hub_calc::Exact;
use hub_expr::Explain;
use hub_tree::{Decimal, Value};

/// From this composite on an offer is proposed.
pub(crate) const ELIGIBLE_FROM: i64 = 80;
/// From this one on it is the top of the range.
pub(crate) const TOP_FROM: i64 = 90;

/// `(score − from) ÷ (top − from)` within 0 to 1, and `low + (high − low) ×` that. Where `from` is `top`, whoever is
/// eligible takes the top.
pub(crate) fn base(score: &Exact, from: &Exact, top: &Exact, low: &Exact, high: &Exact) -> (Exact, Exact) {
    let share = (score - from).over(&(top - from)).unwrap_or_else(Exact::one);
    let share = share.max(Exact::zero()).min(Exact::one());
    let base = low + &(&(high - low) * &share);
    (share, base)
}

/// Base pay proposed for a composite.
#[derive(Debug)]
pub struct Proposal {
    /// The amount in the currency and for the span of the range, rounded to 0.01, halves away from zero.
    pub base: Decimal,
    /// The steps.
    pub explain: Explain,
}

/// Why there is no proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoProposal {
    /// The composite lies below 80.
    #[error("the composite lies below 80")]
    NotEligible,
    /// The lowest pay lies above the highest, or below zero.
    #[error("the range of pay is none: its lowest lies above its highest, or below 0")]
    NoRange,
}

/// The base pay for a composite from 0 to 100 within a range of finance.
///
/// # Errors
/// The composite is too low, or the range is none.
pub fn propose(composite: Decimal, low: Decimal, high: Decimal) -> Result<Proposal, NoProposal> {
    if composite < Decimal::from(ELIGIBLE_FROM) {
        return Err(NoProposal::NotEligible);
    }
    if low < Decimal::ZERO || high < low {
        return Err(NoProposal::NoRange);
    }
    let (from, top) = (Exact::from(ELIGIBLE_FROM), Exact::from(TOP_FROM));
    let (share, exact) = base(&composite.into(), &from, &top, &low.into(), &high.into());
    let base: Decimal = exact.to_places(2).parse().map_err(|_| NoProposal::NoRange)?;
    let part = format!("({} − {from}) ÷ ({top} − {from}), 1 at most", shown(composite));
    let part = Explain::leaf(part, None, Value::Text(&share.to_string()));
    let text = format!("base = {} + ({} − {}) × {share}", shown(low), shown(high), shown(low));
    let explain = Explain::leaf(text, None, Value::Decimal(base)).because(vec![part]);
    Ok(Proposal { base, explain })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn the_base_rises_within_the_range_and_never_leaves_it() {
        for (score, base) in
            [("80", "8000.00"), ("85", "9000.00"), ("90", "10000.00"), ("100", "10000.00"), ("83.33333", "8666.67")]
        {
            assert_eq!(propose(d(score), d("8000"), d("10000")).unwrap().base, d(base), "{score}");
        }
        assert_eq!(propose(d("79.99"), d("8000"), d("10000")).unwrap_err(), NoProposal::NotEligible);
        assert_eq!(propose(d("85"), d("10000"), d("8000")).unwrap_err(), NoProposal::NoRange);
        let told = propose(d("85"), d("8000"), d("10000")).unwrap().explain.to_lines();
        assert!(told.contains("base = 8000 + (10000 − 8000) × "), "{told}");
    }
}
