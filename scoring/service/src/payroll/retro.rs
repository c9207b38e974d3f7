//! Late data: what settled months would have paid by what is known now.
//!
//! A settled month never changes. What comes to light about it later is paid, or taken back, in a later run, as lines
//! that name the month. For each settled regular run of the group within [`MONTHS`] the dated inputs are collected anew;
//! where one differs from what the run kept, the payslip is calculated twice by today's rules, from the values as they
//! were and as they are: the difference is of the data alone, never of changed rules. What later runs have corrected
//! already is taken off.
//!
//! Earnings and what was taken off for absence count. Contributions and tax of the month are not made again: a difference
//! is taxed in the month in which it is paid.

use super::PayFile;
use super::collect::{About, Payee, Wanted, collect, day};
use super::facts::{Facts, Span, attendance, id_of};
use super::slips::calculate;
use super::source::{Of, Source};
use hub_flow::reading::Known;
use hub_flow::{Failure, Hub};
use hub_model::entities::pay::{PayDifference, PayLineKind, PaySide, PayrollInput, PayrollRun, RunKind};
use hub_model::enums::EnumOf;
use hub_model::scalars::Ref;
use hub_payroll::items::{Line, Problem, Slip};
use hub_tree::Decimal;
use hub_tree::jiff::ToSpan;
use hub_tree::value::parse_decimal;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// How far back a run looks.
const MONTHS: i32 = 6;

/// What a payee's settled months lack, or why it cannot be said.
pub(super) type Late = Result<Vec<PayDifference>, String>;

impl Source {
    /// Whether what it says of a month may come late: records that hold from a day on, or of a day. Other fields say
    /// what is so today.
    fn is_dated(&self) -> bool {
        match self {
            Self::Compensation { .. } | Self::Attendance(_) | Self::TimeOff(_) => true,
            Self::Field { of, .. } => !matches!(of, Of::Employee | Of::Person),
            Self::TripDays
            | Self::ReferralRewards
            | Self::Period(_)
            | Self::YearToDate(_)
            | Self::CarriedForward
            | Self::Retro => false,
        }
    }
}

/// The settled regular runs of the group whose late data a run looks for, earliest first.
fn earlier<'f>(facts: &'f Facts, file: &PayFile, about: &About<'_>) -> Vec<(&'f Known<PayrollRun>, Span)> {
    let since = about.span.first.checked_sub(MONTHS.months()).unwrap_or(about.span.first);
    let counts = |run: &&Known<PayrollRun>| {
        let record = &run.record;
        let regular = record.kind.as_ref().is_none_or(|kind| kind.value == RunKind::Regular);
        let rules = record.rule_set.as_ref().and_then(|rules| rules.id.as_deref());
        regular && rules == Some(file.rules.id.as_str()) && id_of(record.pay_group.as_ref()) == Some(about.group)
    };
    let span_of = |run: &PayrollRun| {
        let dates = [&run.period_start, &run.period_end, &run.pay_on].map(|date| day(date.as_ref()));
        let [Some(first), Some(last), Some(pay_on)] = dates else { return None };
        (first >= since && last < about.span.first).then_some(Span { first, last, pay_on })
    };
    let runs = facts.runs.values().filter(counts);
    let mut runs: Vec<_> = runs.filter_map(|run| Some((run, span_of(&run.record)?))).collect();
    runs.sort_by_key(|(run, span)| (span.first, run.id.as_str()));
    runs
}

/// What the settled months of some payees lack. Afterwards `facts` are as they were.
pub(super) async fn late(
    hub: &Hub,
    tenant: &str,
    file: &PayFile,
    about: &About<'_>,
    facts: &mut Facts,
    payees: &BTreeSet<Payee>,
) -> Result<BTreeMap<Payee, Late>, Failure> {
    let mut found: BTreeMap<Payee, Late> = payees.iter().map(|payee| (payee.clone(), Ok(Vec::new()))).collect();
    let people: BTreeSet<String> = payees.iter().map(|payee| payee.employee.clone()).collect();
    let by_day = file.wanted.iter().any(|one| matches!(one.source, Some(Source::Attendance(_))));
    let runs: Vec<(Known<PayrollRun>, Span)> =
        earlier(facts, file, about).into_iter().map(|(run, span)| (run.clone(), span)).collect();
    for (run, span) in runs {
        let days = match by_day {
            true => attendance(hub, tenant, span, people.iter().cloned().collect()).await?,
            false => BTreeMap::new(),
        };
        let now = std::mem::replace(&mut facts.attendance, days);
        let then = About { span, ..*about };
        for payee in payees {
            let Some(Ok(lines)) = found.get_mut(payee) else { continue };
            match of_month(&then, facts, payee, file, &run) {
                Ok(more) => lines.extend(more),
                Err(wrong) => {
                    let month = span.first.strftime("%Y-%m");
                    found.insert(payee.clone(), Err(format!("late data of {month} (payroll_run/{}): {wrong}", run.id)));
                }
            }
        }
        facts.attendance = now;
    }
    Ok(found)
}

/// What one settled run would have paid somebody beyond what it paid.
fn of_month(
    then: &About<'_>,
    facts: &Facts,
    payee: &Payee,
    file: &PayFile,
    run: &Known<PayrollRun>,
) -> Result<Vec<PayDifference>, String> {
    let inputs = facts.settled_inputs.get(&payee.employee).map(Vec::as_slice).unwrap_or_default();
    let of_payee =
        |input: &&Known<PayrollInput>| id_of(input.record.employment.as_ref()) == payee.employment.as_deref();
    let of_run = |input: &&Known<PayrollInput>| id_of(input.record.run.as_ref()) == Some(run.id.as_str());
    let kept = inputs.iter().filter(of_payee).find(of_run);
    let Some(values) = kept.and_then(|input| input.record.values.as_ref()).and_then(Value::as_object) else {
        return Ok(Vec::new());
    };
    let said = kept.and_then(|input| input.record.given.as_ref()).and_then(Value::as_object);
    let dated = |one: &&Wanted| {
        one.source.as_ref().is_some_and(Source::is_dated) && !said.is_some_and(|said| said.contains_key(&one.name))
    };
    let wanted: Vec<Wanted> = file.wanted.iter().filter(dated).cloned().collect();
    let collected = collect(then, facts, payee, &wanted, None);
    if let Some((name, wrong)) = collected.problems.first() {
        return Err(format!("`{name}`: {wrong}"));
    }
    let before: BTreeMap<String, Value> = values.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    let (mut after, mut origins) = (before.clone(), Vec::new());
    for one in &wanted {
        let (old, new) = (before.get(&one.name), collected.values.get(&one.name));
        if is_same(old, new) {
            continue;
        }
        match new {
            Some(value) => after.insert(one.name.clone(), value.clone()),
            None => after.remove(&one.name),
        };
        let origin = collected.origins.get(&one.name).map_or("nothing is known any more", String::as_str);
        origins.push(format!("{}: {origin}", one.name));
    }
    let corrected = corrected(inputs.iter().filter(of_payee), &run.id);
    if origins.is_empty() && corrected.is_empty() {
        return Ok(Vec::new());
    }
    let slip = |values| calculate(file, payee, then.span, values, false).map_err(|wrong| first_of(&wrong));
    let (was, is) = (slip(&before)?, slip(&after)?);
    let month = then.span.first.strftime("%Y-%m").to_string();
    Ok(differences(&was, &is, &corrected)
        .into_iter()
        .map(|one| PayDifference {
            run: Some(Ref::new(run.id.clone())),
            period: Some(month.clone()),
            code: Some(one.code),
            name: Some(one.name),
            before: Some(one.before),
            after: Some(one.after),
            delta: Some(one.after - one.before),
            origins: Some(origins.clone()),
        })
        .collect())
}

fn first_of(problems: &[Problem]) -> String {
    problems.first().map(ToString::to_string).unwrap_or_default()
}

/// Numbers are the same however they are written.
fn is_same(old: Option<&Value>, new: Option<&Value>) -> bool {
    let number = |value: &Value| value.as_str().and_then(parse_decimal);
    match (old, new) {
        (Some(old), Some(new)) => old == new || number(old).zip(number(new)).is_some_and(|(old, new)| old == new),
        (old, new) => old.is_none() && new.is_none(),
    }
}

/// What later runs have paid of a run already, by line.
fn corrected<'i>(inputs: impl Iterator<Item = &'i Known<PayrollInput>>, run: &str) -> BTreeMap<String, Decimal> {
    let mut sums: BTreeMap<String, Decimal> = BTreeMap::new();
    let all = inputs.flat_map(|input| input.record.retro.iter().flatten());
    for one in all.filter(|one| id_of(one.run.as_ref()) == Some(run)) {
        if let (Some(code), Some(delta)) = (&one.code, one.delta) {
            *sums.entry(code.clone()).or_default() += delta;
        }
    }
    sums
}

/// A line that comes to something else.
#[derive(Debug, PartialEq, Eq)]
struct Difference {
    code: String,
    name: String,
    before: Decimal,
    after: Decimal,
}

fn differences(was: &Slip, is: &Slip, corrected: &BTreeMap<String, Decimal>) -> Vec<Difference> {
    let counts = |line: &&Line| {
        let kind = line.kind == PayLineKind::DeductionAbsence || line.kind.as_str().starts_with("EARNING");
        kind && line.side == PaySide::Employee && !line.separate
    };
    // What was paid late may come to nothing after all.
    let paid_late = corrected.iter().map(|(code, paid)| {
        let (code, name) = (code.clone(), code.clone());
        (code.clone(), Difference { code, name, before: *paid, after: Decimal::ZERO })
    });
    let mut found: BTreeMap<String, Difference> = paid_late.collect();
    for (slip, is_now) in [(was, false), (is, true)] {
        for line in slip.lines.iter().filter(counts) {
            let one = found.entry(line.code.to_string()).or_insert_with(|| Difference {
                code: line.code.to_string(),
                name: String::new(),
                before: Decimal::ZERO,
                after: Decimal::ZERO,
            });
            one.name = line.name.to_string();
            *(if is_now { &mut one.after } else { &mut one.before }) += line.amount;
        }
    }
    found.into_values().filter(|one| one.before != one.after).collect()
}

/// The sum of differences, and where it comes from.
pub(super) fn total(lines: &[PayDifference]) -> (Decimal, String) {
    let sum = lines.iter().filter_map(|line| line.delta).sum();
    let months: BTreeSet<&str> = lines.iter().filter_map(|line| line.period.as_deref()).collect();
    let from = match months.is_empty() {
        true => format!("no late data in {MONTHS} months"),
        false => format!("late data of {}", months.into_iter().collect::<Vec<_>>().join(", ")),
    };
    (sum, from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slip(lines: &[(&str, PayLineKind, i64)]) -> Slip {
        let line = |(code, kind, amount): &(&str, PayLineKind, i64)| Line {
            code: (*code).into(),
            name: (*code).into(),
            kind: *kind,
            side: PaySide::Employee,
            amount: Decimal::new(*amount, 2),
            tax: hub_model::entities::pay::TaxTreatment::Taxable,
            separate: false,
            quantity: None,
            rate: None,
            base: None,
            carried: Decimal::ZERO,
            how: None,
            inputs: Vec::new(),
            place: None,
            explain: None,
        };
        Slip {
            lines: lines.iter().map(line).collect(),
            gross: Decimal::ZERO,
            net: Decimal::ZERO,
            taxable: Decimal::ZERO,
            employer_cost: Decimal::ZERO,
            carried_forward: Decimal::ZERO,
            year: None,
            warnings: Vec::new(),
        }
    }

    fn found(was: &Slip, is: &Slip, corrected: &[(&str, i64)]) -> Vec<(String, String)> {
        let corrected = corrected.iter().map(|(code, paid)| ((*code).to_owned(), Decimal::new(*paid, 2))).collect();
        let found = differences(was, is, &corrected);
        found.iter().map(|one| (one.code.clone(), (one.after - one.before).to_string())).collect()
    }

    #[test]
    fn each_line_is_corrected_once_and_back_when_the_data_was_right_after_all() {
        use PayLineKind::{DeductionAbsence, EarningBase, TaxIncome};
        let was = slip(&[("pay", EarningBase, 2_000_000), ("tax", TaxIncome, -30_000)]);
        let is =
            slip(&[("pay", EarningBase, 2_100_000), ("absence", DeductionAbsence, -96_552), ("tax", TaxIncome, -1)]);
        let pairs = |all: &[(&str, &str)]| -> Vec<(String, String)> {
            all.iter().map(|(code, delta)| ((*code).to_owned(), (*delta).to_owned())).collect()
        };
        assert_eq!(found(&was, &is, &[]), pairs(&[("absence", "-965.52"), ("pay", "1000.00")]));
        assert_eq!(found(&was, &is, &[("pay", 100_000), ("absence", -96_552)]), []);
        assert_eq!(
            found(&was, &was, &[("absence", -96_552), ("gone", 5)]),
            pairs(&[("absence", "965.52"), ("gone", "-0.05")])
        );
    }

    #[test]
    fn a_number_is_the_same_however_it_is_written() {
        let text = |text: &str| Some(Value::from(text));
        for (old, new, same) in [("1.50", "1.5", true), ("S", "S", true), ("1.5", "1.6", false), ("S", "A", false)] {
            assert_eq!(is_same(text(old).as_ref(), text(new).as_ref()), same, "{old} {new}");
        }
        assert!(is_same(None, None) && !is_same(None, text("0").as_ref()), "nothing known is not zero");
    }
}
