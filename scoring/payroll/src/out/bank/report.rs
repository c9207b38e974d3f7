//! Reads a bank's status report, ISO 20022 `pain.002`, on a file that was made as `pain.001`.
//!
//! A payment that the report names stands as its own status says. One that it does not name stands as the whole order does,
//! where that is final: banks report of an order that was carried out, or refused, as a whole. A status that is not final
//! (`ACCP`, `ACSP`, `PDNG` …) says nothing yet. Versions differ in nothing that is read here.
//!
//! Source: ISO 20022 external code sets `ExternalPaymentTransactionStatus1Code` and `ExternalPaymentGroupStatus1Code`.

use super::result::{Expected, Outcome, Paid};
use super::write::short;
use crate::out::Problem;
use hub_tree::value::parse_decimal;
use hub_tree::{Arena, Limits, Value, xml};
use std::collections::{BTreeMap, BTreeSet};

/// The statuses after which the money has gone, unless the profile says others.
pub(super) const PAID: [&str; 2] = ["ACCC", "ACSC"];
/// Refused, cancelled, or held by an authority.
const FAILED: [&str; 3] = ["BLCK", "CANC", "RJCT"];
/// Something else will come. A profile may take one of them for the last: not every bank reports the settlement.
const UNDER_WAY: [&str; 15] = [
    "ACCC", "ACCP", "ACFC", "ACIS", "ACPD", "ACSC", "ACSP", "ACTC", "ACWC", "ACWP", "PART", "PATC", "PDNG", "PRES",
    "RCVD",
];

/// What became of the payments of a run, by the statuses that mean paid.
pub(super) fn outcomes(
    paid: &[String],
    bytes: &[u8],
    run: &str,
    expected: &[Expected],
) -> Result<Vec<Outcome>, Vec<Problem>> {
    let all = |field, message: String| vec![Problem::of_all(field, message)];
    let arena = Arena::new();
    let tree = xml::read(&arena, bytes, Limits::default()).map_err(|error| all("file", error.to_string()))?;
    let report = tree.path("Document.CstmrPmtStsRpt");
    if report.is_absent() {
        return Err(all("file", "it is no pain.002: there is no `CstmrPmtStsRpt` in a `Document`".to_owned()));
    }
    let (group, message) = (report.get("OrgnlGrpInfAndSts").at(0), short(run));
    let orders = each(report.get("OrgnlPmtInfAndSts"));
    let ids = std::iter::once(group.get("OrgnlMsgId")).chain(orders.iter().map(|order| order.get("OrgnlPmtInfId")));
    for id in ids {
        let id = text(id).unwrap_or_default();
        if id != message {
            let told = format!("it reports on `{id}`; the file of this run is `{message}`");
            return Err(all("message", told));
        }
    }
    let known: BTreeMap<String, &Expected> = expected.iter().map(|one| (short(&one.payslip), one)).collect();
    let mut problems = Vec::new();
    // The whole stands as its one order does, else as the message does.
    let mut whole = (None, None);
    for at in std::iter::once(group).chain(orders.iter().copied()) {
        if let Some(status) = text(at.get("GrpSts")).or_else(|| text(at.get("PmtInfSts"))) {
            match verdict(paid, status) {
                Ok(verdict) => whole = (verdict, reason(at)),
                Err(message) => problems.push(Problem::of_all("status", message)),
            }
        }
    }
    let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
    for payment in orders.iter().flat_map(|order| each(order.get("TxInfAndSts"))) {
        let name = text(payment.get("OrgnlEndToEndId")).unwrap_or_default();
        let Some(one) = known.get(&name.to_lowercase()) else {
            let message = format!("`OrgnlEndToEndId` {name} names no payment of this run");
            problems.push(Problem::of_all("payment", message));
            continue;
        };
        let mut wrong = |field, message: String| problems.push(Problem::of(&one.employee_no, field, message));
        if !seen.insert(one.payslip.as_str()) {
            wrong("payment", "the payment is in the file a second time".to_owned());
            continue;
        }
        let amount = payment.path("OrgnlTxRef.Amt.InstdAmt");
        if let Some(told) = text(amount)
            && parse_decimal(told) != Some(one.amount)
        {
            wrong("amount", format!("the bank says {told}, the payslip {}", one.amount));
        }
        match verdict(paid, text(payment.get("TxSts")).unwrap_or_default()) {
            Ok(Some(paid)) => {
                let reference = text(payment.get("AcctSvcrRef")).map(str::to_owned);
                found.push(outcome(one, paid, reason(payment), reference));
            }
            Ok(None) => {}
            Err(message) => wrong("status", message),
        }
    }
    if let (Some(paid), why) = whole {
        let others = expected.iter().filter(|one| !seen.contains(one.payslip.as_str()));
        found.extend(others.map(|one| outcome(one, paid, why.clone(), None)));
    }
    if problems.is_empty() { Ok(found) } else { Err(problems) }
}

fn outcome(one: &Expected, paid: Paid, reason: Option<String>, reference: Option<String>) -> Outcome {
    let reason = reason.filter(|_| paid == Paid::Failed);
    Outcome { payslip: one.payslip.clone(), employee_no: one.employee_no.clone(), paid, reason, reference }
}

/// What a status says; none while it is not final.
fn verdict(paid: &[String], status: &str) -> Result<Option<Paid>, String> {
    match status {
        _ if paid.iter().any(|word| word == status) => Ok(Some(Paid::Paid)),
        _ if FAILED.contains(&status) => Ok(Some(Paid::Failed)),
        _ if UNDER_WAY.contains(&status) => Ok(None),
        _ => Err(format!("`{status}` is no status of ISO 20022 that is known here; add it to `paid` of the profile")),
    }
}

/// Codes and words of a refusal: `AC04: account closed`.
fn reason(at: Value<'_>) -> Option<String> {
    let one = |why: &Value<'_>| {
        let code = text(why.path("Rsn.Cd")).or_else(|| text(why.path("Rsn.Prtry")));
        let words: Vec<&str> = each(why.get("AddtlInf")).iter().filter_map(|line| text(*line)).collect();
        match (code, words.is_empty()) {
            (Some(code), false) => Some(format!("{code}: {}", words.join(" "))),
            (Some(code), true) => Some(code.to_owned()),
            (None, false) => Some(words.join(" ")),
            (None, true) => None,
        }
    };
    let all: Vec<String> = each(at.get("StsRsnInf")).iter().filter_map(one).collect();
    (!all.is_empty()).then(|| all.join("; "))
}

/// An element that may stand several times.
fn each(value: Value<'_>) -> Vec<Value<'_>> {
    match value {
        Value::List(items) => items.to_vec(),
        value if value.is_absent() => Vec::new(),
        one => vec![one],
    }
}

/// The text of an element, be it with attributes.
fn text<'a>(value: Value<'a>) -> Option<&'a str> {
    let text = value.as_text().or_else(|| value.get("#text").as_text())?.trim();
    (!text.is_empty()).then_some(text)
}
