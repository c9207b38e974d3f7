//! Payslips as people and programs read them.

use super::Made;
use crate::say;
use hub_model::entities::pay::PaySide;
use hub_model::enums::EnumOf as _;
use hub_payroll::items::{Line, PayRules, Slip};
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr as _;

/// The payslip of one person: a line each, then the totals.
pub(super) fn slip(rules: &PayRules, made: &Made, _: Option<&str>) {
    let Some(slip) = head(rules, made) else { return };
    let width = slip.lines.iter().map(|line| line.name.width()).max().unwrap_or(0).max("employer cost".len());
    let row = |name: &str, amount: String, beside: &str| {
        let gap = " ".repeat(width.saturating_sub(name.width()));
        say::out(format!("  {name}{gap}  {amount:>14}{beside}"));
    };
    for line in &slip.lines {
        let beside = if line.side == PaySide::Employee { "" } else { "  employer" };
        row(&line.name, line.amount.to_string(), beside);
    }
    row("gross", slip.gross.to_string(), "");
    row("taxable", slip.taxable.to_string(), "");
    row("net", slip.net.to_string(), "");
    row("employer cost", slip.employer_cost.to_string(), "");
    if !slip.carried_forward.is_zero() {
        row("carried", slip.carried_forward.to_string(), "");
    }
    warnings(slip);
}

/// What each line was made from.
pub(super) fn explained(rules: &PayRules, made: &Made, item: Option<&str>) {
    let Some(slip) = head(rules, made) else { return };
    for line in wanted(slip, item) {
        say::out(format!("  {}", line.how.as_deref().unwrap_or(&line.code)));
        let place = line.place.as_deref().unwrap_or_default();
        say::out(format!("    {}, {}, {}; {place}", line.kind.as_str(), line.side.as_str(), line.tax.as_str()));
        for (name, value) in &line.inputs {
            say::out(format!("    {name}: {value}"));
        }
        for steps in line.explain.iter().flat_map(|explain| &explain.because) {
            for step in steps.to_lines().lines() {
                say::out(format!("    | {step}"));
            }
        }
    }
    warnings(slip);
}

/// Says whose payslip it is; its problems, where there is none.
fn head<'m>(rules: &PayRules, made: &'m Made) -> Option<&'m Slip> {
    match &made.slip {
        Ok(slip) => {
            say::out(format!("{}  {}  {}", made.employee, rules.version(), rules.currency));
            Some(slip)
        }
        Err(problems) => {
            for problem in problems {
                say::note(format!("error: {problem}"));
            }
            None
        }
    }
}

fn warnings(slip: &Slip) {
    for warning in &slip.warnings {
        let item = warning.item.as_ref().map_or_else(String::new, |item| format!("{item}: "));
        say::note(format!("warning: {item}{}", warning.message));
    }
}

fn wanted<'s>(slip: &'s Slip, item: Option<&str>) -> impl Iterator<Item = &'s Line> {
    slip.lines.iter().filter(move |line| item.is_none_or(|item| *line.code == *item))
}

pub(super) fn as_json(rules: &PayRules, made: &[Made], item: Option<&str>) -> Value {
    let people = made.iter().map(|made| match &made.slip {
        Ok(slip) => slip_as_json(&made.employee, slip, item),
        Err(problems) => {
            let problem = |problem: &hub_payroll::items::Problem| {
                json!({
                    "item": problem.item,
                    "pointer": problem.pointer,
                    "message": problem.message,
                    "place": problem.place,
                })
            };
            json!({"employee": made.employee, "problems": problems.iter().map(problem).collect::<Vec<_>>()})
        }
    });
    json!({
        "rules": rules.version(),
        "sha256": rules.sha256(),
        "currency": rules.currency,
        "people": people.collect::<Vec<_>>(),
    })
}

fn slip_as_json(employee: &str, slip: &Slip, item: Option<&str>) -> Value {
    let warning =
        |warning: &hub_payroll::items::Warning| json!({"item": warning.item.as_deref(), "message": warning.message});
    json!({
        "employee": employee,
        "lines": wanted(slip, item).map(line_as_json).collect::<Vec<_>>(),
        "gross": slip.gross.to_string(),
        "taxable": slip.taxable.to_string(),
        "net": slip.net.to_string(),
        "employer_cost": slip.employer_cost.to_string(),
        "carried_forward": slip.carried_forward.to_string(),
        "warnings": slip.warnings.iter().map(warning).collect::<Vec<_>>(),
    })
}

fn line_as_json(line: &Line) -> Value {
    let text = |number: Option<hub_tree::Decimal>| number.map(|number| number.to_string());
    let inputs = line.inputs.iter().map(|(name, value)| {
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value.as_str()));
        (name.to_string(), value)
    });
    json!({
        "code": &*line.code,
        "name": &*line.name,
        "kind": line.kind.as_str(),
        "side": line.side.as_str(),
        "amount": line.amount.to_string(),
        "tax_treatment": line.tax.as_str(),
        "taxed_apart": line.separate,
        "base": text(line.base),
        "quantity": text(line.quantity),
        "rate": text(line.rate),
        "carried": line.carried.to_string(),
        "how": line.how,
        "inputs": inputs.collect::<serde_json::Map<_, _>>(),
        "place": line.place,
        "explain": line.explain,
    })
}
