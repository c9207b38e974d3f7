//! A payslip as a record, out of what the rules calculated; and the sums of a run.

use super::PayFile;
use super::collect::{Payee, Person, day};
use super::facts::Span;
use hub_flow::reading::Known;
use hub_model::entities::pay::{PayDifference, PayLineKind, PaySide, PayrollInput, RunTotals};
use hub_model::enums::EnumOf;
use hub_payroll::items::{Line, Period, Problem, Slip, Warning};
use hub_standards::codes;
use hub_tree::value::parse_decimal;
use hub_tree::{Arena, Decimal, Value as Tree};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// One payslip; the texts are made where they are wanted.
pub(super) fn calculate(
    file: &PayFile,
    payee: &Payee,
    span: Span,
    values: &BTreeMap<String, Value>,
    texts: bool,
) -> Result<Slip, Vec<Problem>> {
    let arena = Arena::new();
    let entries: Vec<(&str, Tree<'_>)> =
        values.iter().map(|(name, value)| (name.as_str(), tree(&arena, value))).collect();
    let period = Period { start: span.first, end: span.last, pay_on: span.pay_on };
    file.rules.slip(&payee.employee, arena.map(&entries), period, texts)
}

/// Numbers in records are text; what people gave as a JSON number is taken by how it is written.
fn tree<'a>(arena: &'a Arena, value: &Value) -> Tree<'a> {
    match value {
        Value::String(text) => Tree::Text(arena.text(text)),
        Value::Bool(value) => Tree::Bool(*value),
        Value::Number(number) => Tree::Number(arena.text(&number.to_string())),
        _ => Tree::Absent,
    }
}

pub(super) fn money(amount: Decimal, currency: &str) -> Value {
    json!({ "amount": amount, "currency": currency })
}

/// The fields of the payslip.
pub(super) fn record(
    file: &PayFile,
    (run, input): (&str, &Known<PayrollInput>),
    person: &Person<'_>,
    slip: &Slip,
) -> Value {
    let currency = file.rules.currency.as_str();
    let late = input.record.retro.as_deref().unwrap_or_default();
    // Rules that do not take off what an earlier pay could not bear leave it to the next ones.
    let before = person.last_payslip().filter(|_| !file.takes_what_was_carried());
    let carried_on =
        before.and_then(|(payslip, _)| payslip.record.carried_forward.as_ref()?.amount).unwrap_or_default();
    let lines: Vec<Value> = slip
        .lines
        .iter()
        .flat_map(|line| match is_of_late_data(file, line, late) {
            true => late.iter().map(|one| late_line(file, line, one)).chain(unborne(file, line)).collect(),
            false => vec![line_of(file, line)],
        })
        .collect();
    json!({
        "run": { "type": "payroll_run", "id": run },
        "employee": { "type": "employee", "id": person.payee.employee },
        "employment": person.payee.employment.as_ref().map(|id| json!({ "type": "employment", "id": id })),
        "input": { "type": "payroll_input", "id": input.id },
        "rule_set": { "id": file.rules.id, "version": file.version() },
        "currency": currency,
        "gross": money(slip.gross, currency),
        "net": money(slip.net, currency),
        "taxable": money(slip.taxable, currency),
        "employer_cost": money(slip.employer_cost, currency),
        "carried_forward": money(slip.carried_forward + carried_on, currency),
        "lines": lines,
        "ytd": year_to_date(file, input.record.values.as_ref(), person, slip),
        "warnings": slip.warnings.iter().map(warning).collect::<Vec<_>>(),
    })
}

/// Whether a line pays what late data has changed, and nothing else.
fn is_of_late_data(file: &PayFile, line: &Line, late: &[PayDifference]) -> bool {
    let named = file.retro().is_some_and(|name| line.inputs.iter().any(|(input, _)| **input == *name));
    named && !late.is_empty() && line.amount - line.carried == late.iter().filter_map(|one| one.delta).sum()
}

/// What the pay cannot bear of what late data takes back: the lines of the months stand in full.
fn unborne(file: &PayFile, line: &Line) -> Option<Value> {
    if line.carried.is_zero() {
        return None;
    }
    let mut fields = line_of(file, line);
    let title = match is_chinese(&line.name) {
        true => format!("{} 结转下期", line.name),
        false => format!("{}, carried forward", line.name),
    };
    fields["amount"] = money(line.carried, &file.rules.currency);
    fields["formula"]["text"] = Value::from(format!("{title} = {}", line.carried));
    fields["name"] = Value::from(title);
    Some(fields)
}

pub(super) fn is_chinese(text: &str) -> bool {
    text.chars().any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter))
}

/// How the amount came about, and what of it waits for the next pay.
fn how(line: &Line) -> Option<String> {
    let text = line.how.as_deref()?;
    Some(match (line.carried.is_zero(), is_chinese(&line.name)) {
        (true, _) => text.to_owned(),
        (false, true) => format!("{text}，其中 {} 结转下期", line.carried),
        (false, false) => format!("{text}, of which {} is carried forward", line.carried),
    })
}

/// The part of such a line that belongs to one line of one month.
fn late_line(file: &PayFile, line: &Line, late: &PayDifference) -> Value {
    let mut fields = line_of(file, line);
    let (period, name) = (late.period.as_deref().unwrap_or_default(), late.name.as_deref().unwrap_or_default());
    let (before, after) = (late.before.unwrap_or_default(), late.after.unwrap_or_default());
    let delta = after - before;
    let title = format!("{} {period} {name}", line.name);
    fields["amount"] = money(delta, &file.rules.currency);
    fields["period_of_origin"] = Value::from(period);
    fields["formula"]["text"] = Value::from(format!("{title} = {after} − {before} = {delta}"));
    fields["formula"]["inputs"] = json!({ "before": before, "after": after, "origins": late.origins });
    fields["name"] = Value::from(title);
    fields
}

fn warning(warning: &Warning) -> String {
    match &warning.item {
        Some(item) => format!("{item}: {}", warning.message),
        None => warning.message.clone(),
    }
}

fn line_of(file: &PayFile, line: &Line) -> Value {
    let currency = file.rules.currency.as_str();
    // Numbers as they are written: a JSON number would pass through a binary float.
    let read = |json: &str| match serde_json::from_str(json) {
        Ok(value @ (Value::String(_) | Value::Bool(_))) => value,
        _ => Value::String(json.to_owned()),
    };
    let inputs: Map<String, Value> = line.inputs.iter().map(|(name, value)| (name.to_string(), read(value))).collect();
    let mut fields = json!({
        "code": &*line.code,
        "name": &*line.name,
        "kind": { "value": line.kind.as_str() },
        "side": { "value": line.side.as_str() },
        "amount": money(line.amount, currency),
        "quantity": line.quantity,
        "rate": line.rate,
        "base": line.base.map(|base| money(base, currency)),
        "tax_treatment": { "value": line.tax.as_str() },
        "formula": { "rule_id": &*line.code, "version": file.version(), "inputs": inputs, "text": how(line) },
    });
    // Items of a list are written as they are: what is not there is left out.
    if let Some(fields) = fields.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    fields
}

/// The sums of the year with this payslip, by name; those of lines under `lines`. A month counts once, however many runs
/// pay in it. A sum goes on from what the rules were given for it, be it of the payslip before or, at the first one of
/// the year, of somebody who says what was paid elsewhere.
fn year_to_date(file: &PayFile, values: Option<&Value>, person: &Person<'_>, slip: &Slip) -> Value {
    let span = person.about.span;
    let before = person
        .last_payslip()
        .filter(|(_, run)| day(run.record.pay_on.as_ref()).is_some_and(|on| on.year() == span.pay_on.year()));
    let before = before.and_then(|(payslip, _)| payslip.record.ytd.as_ref());
    let number = |value: &Value| value.as_str().map_or_else(|| parse_decimal(&value.to_string()), parse_decimal);
    let given = |name: &str| number(values?.get(file.sum_of_year(name)?)?);
    let sum_of = |of: Option<&Value>, name: &str, amount: Decimal| -> Decimal {
        let old = given(name).or_else(|| number(of?.get(name)?));
        old.unwrap_or(Decimal::ZERO) + amount
    };
    let lines_before = before.and_then(|before| before.get("lines"));
    let mut lines: BTreeMap<String, Decimal> = BTreeMap::new();
    for (code, amount) in lines_before.and_then(Value::as_object).into_iter().flatten() {
        lines.insert(code.clone(), amount.as_str().and_then(|text| text.parse().ok()).unwrap_or_default());
    }
    for line in &slip.lines {
        *lines.entry(line.code.to_string()).or_default() += line.amount;
    }
    let months_before = before.and_then(|before| before.get("months")).and_then(Value::as_array);
    let mut months: BTreeSet<i64> = months_before.into_iter().flatten().filter_map(Value::as_i64).collect();
    months.insert(i64::from(span.pay_on.month()));
    let digits = codes::minor_digits(&file.rules.currency);
    let text = |mut amount: Decimal| {
        if amount.scale() < digits {
            amount.rescale(digits);
        }
        Value::String(amount.to_string())
    };
    let texts = |of: BTreeMap<String, Decimal>| -> Map<String, Value> {
        of.into_iter().map(|(name, amount)| (name, text(amount))).collect()
    };
    let year = slip.year.clone().unwrap_or_default();
    let cumulative = [
        ("income", year.income),
        ("special", year.special),
        ("additional", year.additional),
        ("other", year.other),
        ("tax", year.tax),
    ];
    let cumulative = cumulative.map(|(name, amount)| (name.to_owned(), sum_of(before, name, amount)));
    let mut ytd = texts(BTreeMap::from(cumulative));
    ytd.extend(texts(BTreeMap::from([
        ("gross".to_owned(), sum_of(before, "gross", slip.gross)),
        ("net".to_owned(), sum_of(before, "net", slip.net)),
        ("taxable".to_owned(), sum_of(before, "taxable", slip.taxable)),
        ("employer_cost".to_owned(), sum_of(before, "employer_cost", slip.employer_cost)),
    ])));
    ytd.insert("lines".to_owned(), Value::Object(texts(lines)));
    ytd.insert("month_count".to_owned(), Value::from(months.len()));
    ytd.insert("months".to_owned(), Value::from(months.into_iter().collect::<Vec<_>>()));
    ytd.insert("year".to_owned(), Value::from(span.pay_on.year()));
    Value::Object(ytd)
}

/// The sums of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    gross: Decimal,
    net: Decimal,
    tax: Decimal,
    social: Decimal,
    employer_social: Decimal,
    employer_cost: Decimal,
}

impl Sums {
    pub(super) fn of(totals: Option<&RunTotals>) -> Self {
        let amount =
            |money: Option<&hub_model::scalars::Money>| money.and_then(|money| money.amount).unwrap_or_default();
        let Some(totals) = totals else { return Self::default() };
        Self {
            gross: amount(totals.gross.as_ref()),
            net: amount(totals.net.as_ref()),
            tax: amount(totals.employee_tax.as_ref()),
            social: amount(totals.employee_social.as_ref()),
            employer_social: amount(totals.employer_social.as_ref()),
            employer_cost: amount(totals.employer_cost.as_ref()),
        }
    }

    pub(super) fn add(
        &mut self,
        [gross, net, employer_cost]: [Decimal; 3],
        lines: impl Iterator<Item = (PayLineKind, PaySide, Decimal)>,
    ) {
        self.gross += gross;
        self.net += net;
        self.employer_cost += employer_cost;
        for (kind, side, amount) in lines {
            match (is_social(kind), is_tax(kind), side) {
                (true, _, PaySide::Employer) => self.employer_social += amount,
                // What is taken off is negative; the sums say how much was taken off.
                (true, ..) => self.social -= amount,
                (_, true, PaySide::Employee) => self.tax -= amount,
                _ => {}
            }
        }
    }

    pub(super) fn totals(self, currency: &str) -> Value {
        json!({
            "gross": money(self.gross, currency),
            "net": money(self.net, currency),
            "employee_tax": money(self.tax, currency),
            "employee_social": money(self.social, currency),
            "employer_social": money(self.employer_social, currency),
            "employer_cost": money(self.employer_cost, currency),
        })
    }
}

const fn is_social(kind: PayLineKind) -> bool {
    matches!(
        kind,
        PayLineKind::SocialPension
            | PayLineKind::SocialMedical
            | PayLineKind::SocialUnemployment
            | PayLineKind::SocialWorkInjury
            | PayLineKind::SocialMaternity
            | PayLineKind::HousingFund
            | PayLineKind::ContributionRetirement
    )
}

const fn is_tax(kind: PayLineKind) -> bool {
    matches!(kind, PayLineKind::TaxIncome | PayLineKind::TaxRegion | PayLineKind::TaxLocal | PayLineKind::TaxOther)
}
