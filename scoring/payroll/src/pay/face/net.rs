//! Deductions that a pay cannot bear.

use super::{quantity, quantity_or_nothing, step};
use crate::money::cents;
use crate::pay::net::{Settled, settle};
use hub_calc::{Answer, Exact, Given, Wrong};
use std::collections::BTreeSet;

/// What the law orders to be taken: contributions before tax.
const STATUTORY: [(&str, &str); 2] = [("contributions", "employee_contributions"), ("iit", "iit")];

/// Words for the one policy there is.
const POLICIES: [&str; 4] =
    ["statutory_first", "statutory_first_then_priority", "carry_forward", "statutory_then_priority_carry_forward"];

/// A deduction: its code, where it stands, its amount, and when its turn is among those that no law orders.
struct Deduction<'a> {
    code: &'a str,
    path: String,
    amount: Exact,
    /// Lower is earlier; without one it is last.
    priority: Option<Exact>,
}

/// The other deductions in the order of their priority, those of the same priority as they are given.
fn others(given: Given<'_>) -> Result<Vec<Deduction<'_>>, Wrong> {
    let mut codes: BTreeSet<&str> = STATUTORY.iter().map(|(code, _)| *code).collect();
    let mut all = Vec::new();
    if !given.has("other_deductions") {
        return Ok(all);
    }
    for (index, item) in given.list("other_deductions")?.enumerate() {
        let code = item.text("code")?;
        if !codes.insert(code) {
            let detail = format!("the deduction `{code}` is there twice; give each a code of its own");
            return Err(item.wrong("code", &detail));
        }
        let path = format!("other_deductions[{index}].amount");
        let priority = item.optional_number("priority")?;
        all.push(Deduction { code, path, amount: cents(&quantity(item, "amount")?), priority });
    }
    all.sort_by(|one, other| (one.priority.is_none(), &one.priority).cmp(&(other.priority.is_none(), &other.priority)));
    Ok(all)
}

pub(super) fn negative_net<'a>(given: Given<'a>) -> Result<Answer<'a>, Wrong> {
    let gross = cents(&quantity(given, "gross")?);
    let mut all = Vec::new();
    for (code, field) in STATUTORY {
        let amount = cents(&quantity_or_nothing(given, field)?);
        // Contributions have their line even where there are none; most people this poor owe no tax.
        if code == "contributions" || !amount.is_zero() {
            all.push(Deduction { code, path: field.to_owned(), amount, priority: None });
        }
    }
    all.extend(others(given)?);
    let (net, settled) = settle(&gross, all.iter().map(|deduction| &deduction.amount));
    let named = |of: fn(&Settled) -> &Exact| {
        let amounts = settled.iter().map(|settled| of(settled).to_places(2));
        all.iter().map(|deduction| deduction.code).zip(amounts).collect::<Vec<_>>()
    };
    let mut because = Vec::new();
    for (Deduction { code, path, amount, .. }, Settled { taken, carried }) in all.iter().zip(&settled) {
        let text = format!("{code}: of {amount} {taken} is taken and {carried} carried forward");
        because.push(step(given, text, path, taken));
    }
    let taken: Exact = settled.iter().map(|one| &one.taken).sum();
    let text = format!("{gross} − {taken}: statutory deductions first, then by priority; never below 0");
    let answer = Answer::new(given.arena()).number("net", &net, 2);
    let answer = answer.named("taken", &named(|one| &one.taken)).named("carried_forward", &named(|one| &one.carried));
    let alert = settled.iter().any(|one| one.carried.is_positive());
    let mut answer = answer.flag("alert", alert).because(step(given, text, "gross", &net).because(because));
    if let Some(policy) = given.optional_text("policy")?
        && !POLICIES.contains(&policy)
    {
        let detail = format!(
            "there is one policy: statutory deductions first, then by priority, the rest carried forward; `{policy}` was \
             taken for it"
        );
        answer.warn("/policy", &detail);
    }
    Ok(answer)
}
