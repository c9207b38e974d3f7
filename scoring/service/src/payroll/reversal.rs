//! Reversals: payslips that are paid are taken back by full negative ones that are linked to them.
//!
//! Nothing of what was paid changes. Each line stands again with the other sign, and sums of the year lose what they got
//! from it. What was paid out is owed by the employee from then on, as a line of its own, so that the net says what
//! moves; the next pay takes it off where its rules ask for what was carried forward.

use super::PayrollRuns;
use super::collect::{About, Payee, Person, day};
use super::facts::{Facts, id_of, status_of};
use super::payees::payee_of;
use super::portion::{self, PORTION, Subject, Unfit, back, patch_run, status, write};
use super::slips::{Sums, is_chinese, money};
use hub_flow::journey::Went;
use hub_flow::reading::{self, Known};
use hub_flow::{Effects, EventMessage, Failure, Hub};
use hub_model::Enum;
use hub_model::entities::pay::{
    PAYSLIP, PayFormula, PayLineItem, PayLineKind, PayProblem, PaySide, PayrollInput, PayrollRun, Payslip, RunPhase,
    RunProgress, RunStatus, TaxTreatment,
};
use hub_model::scalars::{Money, Ref};
use hub_standards::codes;
use hub_tree::Decimal;
use hub_tree::value::parse_decimal;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The line that says what is to be given back.
const OWED: &str = "to_be_given_back";
/// Problems that a run keeps; it counts the others.
const MOST_PROBLEMS: usize = 100;

/// The run that is taken back.
async fn original(
    hub: &Hub,
    tenant: &str,
    run: &Known<PayrollRun>,
) -> Result<Result<Known<PayrollRun>, Unfit>, Failure> {
    let wrong = |detail: &str| Ok(Err(("corrects", detail.to_owned())));
    let Some(id) = id_of(run.record.corrects.as_ref()) else {
        return wrong("a reversal names the run whose payslips it takes back");
    };
    let found: Vec<Known<PayrollRun>> = reading::these(hub, tenant, "payroll_run", [id.to_owned()]).await?;
    let Some(original) = found.into_iter().next() else { return wrong("there is no such run") };
    let of = |run: &PayrollRun| {
        let rules = run.rule_set.as_ref().and_then(|rules| rules.id.clone());
        (rules, id_of(run.pay_group.as_ref()).map(ToOwned::to_owned))
    };
    if of(&original.record) != of(&run.record) {
        return wrong(
            "it was paid by other rules, or to another group: a reversal has those of the run that it takes back",
        );
    }
    if super::facts::is_reversal(&original.record) {
        return wrong("it is a reversal itself: pay the people again instead, by a run of kind CORRECTION");
    }
    match status_of(&original.record) {
        Some(RunStatus::Paid | RunStatus::Closed) => {}
        Some(RunStatus::Locked) => return wrong("nobody of it is paid yet: withdraw it with `:reverse`"),
        Some(RunStatus::Paying) => return wrong("the bank is at work on it: import its result and settle it first"),
        _ => return wrong("it is not paid: calculate it again instead"),
    }
    let (then, now) = (day(original.record.pay_on.as_ref()), day(run.record.pay_on.as_ref()));
    match then.zip(now) {
        Some((then, now)) if then > now => wrong("it pays later than this run"),
        Some((then, now)) if then.year() != now.year() => {
            wrong("it was paid in another year, and tax of that year is settled with the tax office, not by a payslip")
        }
        _ => Ok(Ok(original)),
    }
}

/// Whom a reversal is for: those that somebody named in a `payroll_input`; everybody, if nobody is named.
struct Chosen(BTreeSet<Payee>);

impl Chosen {
    async fn read(hub: &Hub, tenant: &str, run: &str) -> Result<Self, Failure> {
        let inputs: Vec<Known<PayrollInput>> =
            reading::by(hub, tenant, "payroll_input", "run", vec![run.to_owned()]).await?;
        Ok(Self(inputs.iter().filter_map(|input| payee_of(&input.record)).collect()))
    }

    fn holds(&self, payee: &Payee) -> bool {
        let whole = Payee { employment: None, ..payee.clone() };
        self.0.is_empty() || self.0.contains(payee) || self.0.contains(&whole)
    }
}

fn payee(slip: &Payslip) -> Option<Payee> {
    let employee = id_of(slip.employee.as_ref())?.to_owned();
    Some(Payee { employee, employment: id_of(slip.employment.as_ref()).map(ToOwned::to_owned) })
}

/// A portion of the payslips that are taken back, and what is known about their people.
struct Portion {
    slips: Vec<(Payee, Known<Payslip>)>,
    facts: Facts,
    /// Payslips that another run takes back, with that run.
    elsewhere: BTreeMap<String, String>,
    last: String,
    more: bool,
}

impl Portion {
    async fn read(
        (hub, tenant): (&Hub, &str),
        (run, original): (&Known<PayrollRun>, &str),
        (chosen, after, about): (&Chosen, &str, &About<'_>),
    ) -> Result<Self, Failure> {
        let page: Vec<Known<Payslip>> =
            reading::page(hub, tenant, "payslip", vec![("run", original.to_owned())], (after, PORTION)).await?;
        let more = i64::try_from(page.len()).unwrap_or(i64::MAX) >= PORTION;
        let last = page.last().map(|one| one.id.clone()).unwrap_or_default();
        let of_chosen = |one: Known<Payslip>| Some((payee(&one.record).filter(|payee| chosen.holds(payee))?, one));
        let slips: Vec<(Payee, Known<Payslip>)> = page.into_iter().filter_map(of_chosen).collect();
        let people: BTreeSet<String> = slips.iter().map(|(payee, _)| payee.employee.clone()).collect();
        let people: Vec<String> = people.into_iter().collect();
        let facts = Facts::read(hub, tenant, (&run.id, about.span), &people, &[]).await?;
        let ids = slips.iter().map(|(_, slip)| slip.id.clone()).collect();
        let back: Vec<Known<Payslip>> = reading::by(hub, tenant, "payslip", "reverses", ids).await?;
        let of_run = |one: &Known<Payslip>| {
            Some((id_of(one.record.reverses.as_ref())?.to_owned(), id_of(one.record.run.as_ref())?.to_owned()))
        };
        let back: Vec<(String, String)> = back.iter().filter_map(of_run).filter(|(_, of)| *of != run.id).collect();
        let runs: BTreeSet<String> = back.iter().map(|(_, of)| of.clone()).collect();
        let runs: Vec<Known<PayrollRun>> = reading::these(hub, tenant, "payroll_run", runs).await?;
        let withdrawn: BTreeSet<&str> = runs
            .iter()
            .filter(|run| status_of(&run.record) == Some(RunStatus::Reversed))
            .map(|run| run.id.as_str())
            .collect();
        let elsewhere = back.iter().filter(|(_, of)| !withdrawn.contains(of.as_str())).cloned().collect();
        Ok(Self { slips, facts, elsewhere, last, more })
    }
}

/// Checks the next payslips; when nothing is wrong with any, they are taken back.
pub(super) async fn inputs(
    runs: &PayrollRuns,
    hub: &Arc<Hub>,
    event: &EventMessage,
    run: &Known<PayrollRun>,
) -> Result<Effects, Failure> {
    let mut effects = Effects::of(event);
    let tenant = event.tenant.as_str();
    let Subject { file, span, group } = match portion::subject(runs, hub, tenant, &run.record).await? {
        Ok(subject) => subject,
        Err(wrong) => return Ok(back(effects, event, wrong)),
    };
    let original = match original(hub, tenant, run).await? {
        Ok(original) => original,
        Err(wrong) => return Ok(back(effects, event, vec![wrong])),
    };
    let progress = run.record.progress.clone().unwrap_or_default();
    let after = progress.after.clone().unwrap_or_default();
    if after.is_empty() {
        let wrong = portion::unsettled(hub, tenant, run, span).await?;
        if !wrong.is_empty() {
            return Ok(back(effects, event, wrong));
        }
    }
    let chosen = Chosen::read(hub, tenant, &run.id).await?;
    let about = About { span, group: &group.id, currency: &file.rules.currency, calendar: None, zone: &runs.zone };
    let portion = Portion::read((hub, tenant), (run, &original.id), (&chosen, &after, &about)).await?;
    let mut problems = run.record.problems.clone().unwrap_or_default();
    let (mut done, mut wrong) = (progress.done.unwrap_or(0), progress.wrong.unwrap_or(0));
    for (payee, slip) in &portion.slips {
        done += 1;
        let person = Person { about: &about, facts: &portion.facts, payee };
        let found = match portion.elsewhere.get(&slip.id) {
            Some(other) => Err(format!("payslip/{} is taken back by payroll_run/{other} already", slip.id)),
            None => owed(&person, slip).map(drop),
        };
        let Err(detail) = found else { continue };
        wrong += 1;
        if problems.len() < MOST_PROBLEMS {
            let employee = portion.facts.employees.get(&payee.employee);
            problems.push(PayProblem {
                employee: Some(Ref::new(payee.employee.clone())),
                employee_number: employee.and_then(|employee| employee.record.employee_number.clone()),
                item: Some("payslip".to_owned()),
                detail: Some(detail),
                place: None,
            });
        }
    }
    let subject = format!("payroll_run/{}", run.id);
    let went = if wrong == 0 { Went::Ok } else { Went::Parked };
    effects.steps.add(&hub.ids, hub.clock.micros(), ("collect", went), "hub", &subject, format!("{done} payslips"));
    let phase = |phase: RunPhase, after: String, done: i64| RunProgress {
        attempt: Some(progress.attempt.unwrap_or(1)),
        phase: Some(Enum::of(phase)),
        after: Some(after),
        done: Some(done),
        wrong: Some(wrong),
        sha256: None,
    };
    let fields = if portion.more {
        json!({ "progress": phase(RunPhase::Inputs, portion.last, done), "problems": problems })
    } else if done < i64::try_from(chosen.0.len()).unwrap_or(i64::MAX) || done == 0 {
        let detail = "not everybody who is named has a payslip in the run that it takes back".to_owned();
        return Ok(back(effects, event, vec![("corrects", detail)]));
    } else if wrong > 0 {
        let progress = phase(RunPhase::Inputs, portion.last, done);
        json!({ "status": status(RunStatus::Draft), "progress": progress, "problems": problems })
    } else {
        let rules = original.record.rule_set;
        json!({ "progress": phase(RunPhase::Payslips, String::new(), 0), "rule_set": rules, "problems": null })
    };
    effects.writes.push(patch_run(event, &fields));
    Ok(effects)
}

/// Takes the next payslips back.
pub(super) async fn payslips(
    runs: &PayrollRuns,
    hub: &Arc<Hub>,
    event: &EventMessage,
    run: &Known<PayrollRun>,
) -> Result<Effects, Failure> {
    let mut effects = Effects::of(event);
    let tenant = event.tenant.as_str();
    let Subject { file, span, group } = match portion::subject(runs, hub, tenant, &run.record).await? {
        Ok(subject) => subject,
        Err(wrong) => return Ok(back(effects, event, wrong)),
    };
    let original = match original(hub, tenant, run).await? {
        Ok(original) => original,
        Err(wrong) => return Ok(back(effects, event, vec![wrong])),
    };
    let progress = run.record.progress.clone().unwrap_or_default();
    let after = progress.after.clone().unwrap_or_default();
    let chosen = Chosen::read(hub, tenant, &run.id).await?;
    let about = About { span, group: &group.id, currency: &file.rules.currency, calendar: None, zone: &runs.zone };
    let portion = Portion::read((hub, tenant), (run, &original.id), (&chosen, &after, &about)).await?;
    if after.is_empty() {
        // Payslips of an earlier attempt are made anew.
        let made: Vec<Known<Payslip>> = reading::by(hub, tenant, "payslip", "run", vec![run.id.clone()]).await?;
        let stays = |one: &Known<Payslip>| payee(&one.record).is_some_and(|payee| chosen.holds(&payee));
        for one in made.iter().filter(|one| !stays(one)) {
            effects.writes.push(portion::gone(&PAYSLIP, &one.id, &json!({ "warnings": null })));
        }
    }
    let month = day(original.record.period_start.as_ref()).map(|first| first.strftime("%Y-%m").to_string());
    let month = month.unwrap_or_default();
    let mut sums = Sums::of(run.record.totals.as_ref());
    let mut done = progress.done.unwrap_or(0);
    let mut hash = progress.sha256.clone().unwrap_or_default();
    for (payee, slip) in &portion.slips {
        let person = Person { about: &about, facts: &portion.facts, payee };
        let given = file_values(&portion.facts, payee, slip);
        let sum_of_year = |name: &str| file.sum_of_year(name).and_then(|input| given?.get(input));
        let taken = taken_back(&person, slip, &month, &sum_of_year).map_err(|why| Failure::park("PAY_CHANGED", why))?;
        sums.add(taken.totals, taken.lines.iter().filter_map(counted));
        done += 1;
        hash = hex::encode(Sha256::digest(format!("{hash}{}@{}", slip.id, slip.version)));
        let id = event.id_in(&run.id, &format!("payslip/{}", slip.id));
        effects.writes.push(write(&PAYSLIP, &id, &taken.record(&run.id, slip), "reversal"));
    }
    let subject = format!("payroll_run/{}", run.id);
    effects.steps.add(&hub.ids, hub.clock.micros(), ("pay", Went::Ok), "hub", &subject, format!("{done} payslips"));
    let progress = RunProgress {
        phase: Some(Enum::of(RunPhase::Payslips)),
        after: Some(portion.last),
        done: Some(done),
        wrong: Some(0),
        sha256: Some(hash.clone()),
        ..progress
    };
    let mut fields = json!({ "progress": progress, "totals": sums.totals(&file.rules.currency), "headcount": done });
    if !portion.more {
        fields["status"] = status(RunStatus::Calculated);
        fields["input_snapshot"] = json!({ "sha256": hash, "at": event.at });
    }
    effects.writes.push(patch_run(event, &fields));
    Ok(effects)
}

/// What went into a payslip that is taken back.
fn file_values<'f>(facts: &'f Facts, payee: &Payee, slip: &Known<Payslip>) -> Option<&'f Value> {
    let input = id_of(slip.record.input.as_ref())?;
    let inputs = facts.settled_inputs.get(&payee.employee)?;
    inputs.iter().find(|one| one.id == input)?.record.values.as_ref()
}

fn amount(money: Option<&Money>) -> Decimal {
    money.and_then(|money| money.amount).unwrap_or_default()
}

/// What was paid out, and has not come back.
fn paid_out(slip: &Payslip) -> Decimal {
    let came_back = slip.payment.as_ref().and_then(|payment| payment.status.as_deref()) == Some("FAILED");
    if came_back { Decimal::ZERO } else { amount(slip.net.as_ref()) }
}

/// What the employee owes when a payslip is taken back: what was paid out, and what they owed before it; what it carried
/// forward is owed no longer.
fn owed(person: &Person<'_>, slip: &Known<Payslip>) -> Result<Decimal, String> {
    let carried = |of: Option<&Known<Payslip>>| amount(of.and_then(|one| one.record.carried_forward.as_ref()));
    let now = carried(person.last_payslip().map(|(last, _)| last));
    let before = carried(person.payslip_before(&slip.id).map(|(before, _)| before));
    let owed = now - (carried(Some(slip)) - before) + paid_out(&slip.record);
    if owed < Decimal::ZERO {
        return Err(format!(
            "what payslip/{} carried forward has been taken off since: take the payslips after it back first, the last one \
             before the others",
            slip.id
        ));
    }
    Ok(owed)
}

/// A payslip with all signs turned.
struct Taken {
    /// Gross, net, what it costs the employer.
    totals: [Decimal; 3],
    taxable: Decimal,
    carried_forward: Decimal,
    lines: Vec<PayLineItem>,
    year: Value,
    currency: String,
}

fn taken_back<'v>(
    person: &Person<'_>,
    slip: &Known<Payslip>,
    month: &str,
    given: &impl Fn(&str) -> Option<&'v Value>,
) -> Result<Taken, String> {
    let currency = slip.record.currency.as_ref().map(|currency| currency.0.clone()).unwrap_or_default();
    let own = slip.record.lines.as_deref().unwrap_or_default();
    let mut lines: Vec<PayLineItem> = own.iter().map(|line| turned(line, slip, month)).collect();
    let paid = paid_out(&slip.record);
    if !paid.is_zero() {
        let chinese = own.iter().filter_map(|line| line.name.as_deref()).any(is_chinese);
        lines.push(to_be_given_back(paid, slip, (month, chinese, &currency)));
    }
    let [gross, net, taxable, cost] =
        [&slip.record.gross, &slip.record.net, &slip.record.taxable, &slip.record.employer_cost]
            .map(|money| amount(money.as_ref()));
    let net = paid - net;
    let year = year_without(person, slip, (net, &lines, &currency), given);
    Ok(Taken {
        totals: [-gross, net, -cost],
        taxable: -taxable,
        carried_forward: owed(person, slip)?,
        lines,
        year,
        currency,
    })
}

impl Taken {
    fn record(&self, run: &str, slip: &Known<Payslip>) -> Value {
        let [gross, net, cost] = self.totals;
        let money = |amount: Decimal| money(amount, &self.currency);
        json!({
            "run": { "type": "payroll_run", "id": run },
            "employee": slip.record.employee,
            "employment": slip.record.employment,
            "reverses": { "type": "payslip", "id": slip.id },
            "rule_set": slip.record.rule_set,
            "currency": self.currency,
            "gross": money(gross),
            "net": money(net),
            "taxable": money(self.taxable),
            "employer_cost": money(cost),
            "carried_forward": money(self.carried_forward),
            "lines": self.lines,
            "ytd": self.year,
        })
    }
}

fn turned(line: &PayLineItem, slip: &Known<Payslip>, month: &str) -> PayLineItem {
    let name = line.name.as_deref().or(line.code.as_deref()).unwrap_or_default();
    let title =
        if is_chinese(name) { format!("撤回 {month} {name}") } else { format!("{name} of {month}, taken back") };
    let paid = amount(line.amount.as_ref());
    let text = match paid.is_sign_negative() {
        true => format!("{title} = 0 − ({paid}) = {}", -paid),
        false => format!("{title} = 0 − {paid} = {}", -paid),
    };
    let formula = PayFormula {
        inputs: Some(json!({ "payslip": slip.id, "amount": paid })),
        text: Some(text),
        ..line.formula.clone().unwrap_or_default()
    };
    PayLineItem {
        name: Some(title),
        amount: line.amount.clone().map(|money| Money { amount: Some(-paid), ..money }),
        formula: Some(formula),
        source: Some(Ref::new(slip.id.clone())),
        period_of_origin: line.period_of_origin.clone().or_else(|| Some(month.to_owned())),
        ..line.clone()
    }
}

/// What was paid out is owed from now on.
fn to_be_given_back(
    paid: Decimal,
    slip: &Known<Payslip>,
    (month, chinese, currency): (&str, bool, &str),
) -> PayLineItem {
    let name = if chinese {
        format!("待收回 {month} 实发工资")
    } else {
        format!("Net pay of {month}, to be given back")
    };
    PayLineItem {
        code: Some(OWED.to_owned()),
        amount: serde_json::from_value(money(paid, currency)).ok(),
        kind: Some(Enum::of(PayLineKind::DeductionLoan)),
        side: Some(Enum::of(PaySide::Employee)),
        tax_treatment: Some(Enum::of(TaxTreatment::PostTax)),
        formula: Some(PayFormula {
            rule_id: Some(OWED.to_owned()),
            inputs: Some(json!({ "payslip": slip.id, "net": paid })),
            text: Some(format!("{name} = {paid}")),
            ..PayFormula::default()
        }),
        name: Some(name),
        source: Some(Ref::new(slip.id.clone())),
        period_of_origin: Some(month.to_owned()),
        ..PayLineItem::default()
    }
}

/// A line as the sums of the run count it.
fn counted(line: &PayLineItem) -> Option<(PayLineKind, PaySide, Decimal)> {
    let side = line.side.as_ref().map_or(PaySide::Employee, |side| side.value);
    Some((line.kind.as_ref()?.value, side, amount(line.amount.as_ref())))
}

/// The sums of the year without what they got from a payslip: what it had itself, less what it began with.
fn year_without<'v>(
    person: &Person<'_>,
    slip: &Known<Payslip>,
    (net, lines, currency): (Decimal, &[PayLineItem], &str),
    given: &impl Fn(&str) -> Option<&'v Value>,
) -> Value {
    let number = |value: &Value| value.as_str().map_or_else(|| parse_decimal(&value.to_string()), parse_decimal);
    let of = |year: Option<&Value>, name: &str| year.and_then(|year| number(year.get(name)?)).unwrap_or_default();
    let year_of = |date: Option<&hub_model::scalars::Date>| day(date).map(|on| on.year());
    let this_year = Some(person.about.span.pay_on.year());
    let before = person.payslip_before(&slip.id).filter(|(_, run)| year_of(run.record.pay_on.as_ref()) == this_year);
    let before = before.and_then(|(before, _)| before.record.ytd.as_ref());
    let own = slip.record.ytd.as_ref();
    let last = person.last_payslip().and_then(|(last, _)| last.record.ytd.as_ref());
    let digits = codes::minor_digits(currency);
    let text = |mut amount: Decimal| {
        if amount.scale() < digits {
            amount.rescale(digits);
        }
        Value::String(amount.to_string())
    };
    let mut year: Map<String, Value> = last.and_then(Value::as_object).cloned().unwrap_or_default();
    for name in ["income", "special", "additional", "other", "tax"] {
        let began = given(name).and_then(&number).unwrap_or_else(|| of(before, name));
        year.insert(name.to_owned(), text(of(last, name) - (of(own, name) - began)));
    }
    let amounts = [
        ("gross", -amount(slip.record.gross.as_ref())),
        ("net", net),
        ("taxable", -amount(slip.record.taxable.as_ref())),
        ("employer_cost", -amount(slip.record.employer_cost.as_ref())),
    ];
    for (name, turned) in amounts {
        year.insert(name.to_owned(), text(of(last, name) + turned));
    }
    let mut sums: BTreeMap<String, Decimal> = BTreeMap::new();
    for (code, sum) in last.and_then(|last| last.get("lines")).and_then(Value::as_object).into_iter().flatten() {
        sums.insert(code.clone(), number(sum).unwrap_or_default());
    }
    for line in lines {
        *sums.entry(line.code.clone().unwrap_or_default()).or_default() += amount(line.amount.as_ref());
    }
    let sums: Map<String, Value> = sums.into_iter().map(|(code, sum)| (code, text(sum))).collect();
    year.insert("lines".to_owned(), Value::Object(sums));
    Value::Object(year)
}
