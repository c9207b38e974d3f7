//! The people of a file of inputs.

use anyhow::{Context as _, bail};
use hub_payroll::items::Period;
use hub_tree::Value;
use hub_tree::jiff::civil::Date;

/// Someone to be paid.
pub(super) struct Person<'a> {
    pub(super) employee: &'a str,
    pub(super) period: Period,
    pub(super) inputs: Value<'a>,
}

/// One person, or those under `people`; a `period` beside `people` counts for all that have none of their own.
pub(super) fn read(root: Value<'_>) -> anyhow::Result<Vec<Person<'_>>> {
    let shared = root.get("period");
    match root.get("people") {
        Value::List([]) => bail!("/people is empty"),
        Value::List(people) => {
            let numbered = people.iter().enumerate();
            let read = numbered.map(|(place, one)| person(*one, shared).with_context(|| format!("at /people/{place}")));
            read.collect()
        }
        value if value.is_absent() => Ok(vec![person(root, Value::Absent)?]),
        value => bail!("/people is a list, and not {}", value.kind()),
    }
}

fn person<'a>(value: Value<'a>, shared: Value<'a>) -> anyhow::Result<Person<'a>> {
    let employee = value.get("employee").as_text().context("`employee` should be text")?;
    let own = value.get("period");
    let period = if own.is_absent() { shared } else { own };
    let day = |key: &str| {
        let day = period.get(key).as_text().and_then(|text| text.parse::<Date>().ok());
        day.with_context(|| format!("`period.{key}` should be a day (YYYY-MM-DD)"))
    };
    let period = Period { start: day("start")?, end: day("end")?, pay_on: day("pay_on")? };
    let inputs = value.get("inputs");
    if !matches!(inputs, Value::Map(_)) {
        bail!("`inputs` should be an object of values by name");
    }
    Ok(Person { employee, period, inputs })
}
