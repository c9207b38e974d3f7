//! `hrhub pay diff`: what other rules would have paid.
//!
//! The same people are paid by both rules from the same inputs, month after month. Sums of the year (`from: ytd.…`) and
//! what was carried forward follow the rules that are tried: what the months before would have added by them, and not
//! what they did add, goes into the months after.

use super::people::{self, Person};
use super::sound;
use crate::cli::Format;
use crate::running::RunningHub;
use crate::say;
use anyhow::Context as _;
use clap::Args;
use hub_payroll::items::{PayRules, Problem, Slip};
use hub_tree::jiff::civil::Date;
use hub_tree::value::parse_decimal;
use hub_tree::{Arena, Decimal, Limits, Value as Tree, json};
use serde_json::{Value, json as object};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

/// People that are listed in text; JSON has all.
const MOST: usize = 20;

#[derive(Args)]
pub(crate) struct DiffArgs {
    /// The rules as they are.
    older: PathBuf,
    /// The rules as they would be.
    newer: PathBuf,
    /// People to pay by both, as `try` takes them.
    #[arg(value_name = "INPUTS.json", required_unless_present = "hub")]
    inputs: Option<PathBuf>,
    /// A hub that runs: the runs that it calculated by the older rules are paid by both. Its key: HRHUB_KEY, else the
    /// folder's HRHUB_ADMIN_KEY.
    #[arg(long, value_name = "URL", env = "HRHUB_URL", requires = "since", conflicts_with = "inputs")]
    hub: Option<String>,
    /// Runs that pay on this day or later.
    #[arg(long, value_name = "DAY")]
    since: Option<Date>,
    /// Runs that pay before this day.
    #[arg(long, value_name = "DAY")]
    until: Option<Date>,
    /// The configuration folder.
    #[arg(long, value_name = "DIR", default_value = ".")]
    config: PathBuf,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// The sums that are compared.
#[derive(Clone, Copy, Default)]
struct Sums {
    gross: Decimal,
    net: Decimal,
    employer_cost: Decimal,
}

impl Sums {
    fn of(slip: &Slip) -> Self {
        Self { gross: slip.gross, net: slip.net, employer_cost: slip.employer_cost }
    }

    fn add(&mut self, other: Self) {
        self.gross += other.gross;
        self.net += other.net;
        self.employer_cost += other.employer_cost;
    }

    const fn named(self) -> [(&'static str, Decimal); 3] {
        [("gross", self.gross), ("net", self.net), ("employer cost", self.employer_cost)]
    }
}

/// Sums by both rules.
#[derive(Clone, Copy, Default)]
struct Both {
    payslips: usize,
    older: Sums,
    newer: Sums,
}

impl Both {
    fn add(&mut self, older: &Slip, newer: &Slip) {
        self.payslips += 1;
        self.older.add(Sums::of(older));
        self.newer.add(Sums::of(newer));
    }

    /// How much more the employer pays by the newer rules.
    fn cost(&self) -> Decimal {
        self.newer.employer_cost - self.older.employer_cost
    }

    fn rows(&self) -> impl Iterator<Item = (&'static str, Decimal, Decimal)> {
        let pairs = self.older.named().into_iter().zip(self.newer.named());
        pairs.map(|((name, before), (_, after))| (name, before, after))
    }

    fn is_moved(&self) -> bool {
        self.rows().any(|(_, before, after)| before != after)
    }

    fn in_words(&self) -> String {
        let row = |(name, before, after): (&str, Decimal, Decimal)| {
            let more = after - before;
            if more.is_zero() {
                return format!("{name} {before}");
            }
            let sign = if more > Decimal::ZERO { "+" } else { "" };
            format!("{name} {before} -> {after} ({sign}{more})")
        };
        self.rows().map(row).collect::<Vec<_>>().join(", ")
    }

    fn to_json(self) -> Value {
        let rows = self.rows().map(|(name, before, after)| {
            (name.replace(' ', "_"), object!({"before": before, "after": after, "difference": after - before}))
        });
        let mut all: serde_json::Map<String, Value> = rows.collect();
        all.insert("payslips".to_owned(), self.payslips.into());
        Value::Object(all)
    }
}

/// What came out.
#[derive(Default)]
struct Found {
    months: BTreeMap<String, Both>,
    people: BTreeMap<String, Both>,
    all: Both,
    problems: Vec<Problem>,
}

pub(super) async fn run(args: &DiffArgs) -> anyhow::Result<ExitCode> {
    let (Some(older), Some(newer)) = (sound(&args.older), sound(&args.newer)) else { return Ok(ExitCode::FAILURE) };
    let (place, bytes) = match (&args.inputs, &args.hub) {
        (Some(file), _) => {
            let bytes = fs::read(file).with_context(|| format!("reading {}", file.display()))?;
            (file.display().to_string(), bytes)
        }
        (None, hub) => {
            let hub = RunningHub::at(hub.as_deref().unwrap_or_default(), &args.config)?;
            let people = past(&hub, &older.id, (args.since, args.until)).await?;
            if people.is_empty() {
                say::note(format!("The hub has calculated nothing by `{}` in this time.", older.id));
                return Ok(ExitCode::SUCCESS);
            }
            ("the hub's inputs".to_owned(), object!({ "people": people }).to_string().into_bytes())
        }
    };
    let arena = Arena::new();
    let limits = Limits { max_bytes: usize::MAX, max_nodes: usize::MAX, ..Limits::default() };
    let root = json::read(&arena, &bytes, limits).with_context(|| format!("{place} is no JSON"))?;
    let people = people::read(root).with_context(|| format!("in {place}"))?;
    let found = compared(&older, &newer, people);
    match args.format {
        Format::Text => tell(&older, &newer, &found),
        Format::Json => say::out(format!("{:#}", as_json(&older, &newer, &found))),
    }
    Ok(if found.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Everybody in the runs that a hub calculated by rules, as a file of inputs has them.
async fn past(
    hub: &RunningHub,
    rules: &str,
    (since, until): (Option<Date>, Option<Date>),
) -> anyhow::Result<Vec<Value>> {
    let mut people = Vec::new();
    for run in hub.list("payroll-runs", &[]).await? {
        let day = run["pay_on"].as_str().and_then(|day| day.parse::<Date>().ok());
        let Some(day) = day.filter(|_| run["rule_set"]["id"] == rules) else { continue };
        if since.is_some_and(|since| day < since) || until.is_some_and(|until| day >= until) {
            continue;
        }
        let id = run["id"].as_str().unwrap_or_default();
        let period = object!({"start": run["period_start"], "end": run["period_end"], "pay_on": run["pay_on"]});
        for input in hub.list("payroll-inputs", &[("run", id)]).await? {
            // What has no values was given for a run that was not calculated.
            if input["values"].is_object() {
                let employee = &input["employee"]["id"];
                people.push(object!({"employee": employee, "period": period, "inputs": input["values"]}));
            }
        }
    }
    Ok(people)
}

/// What the newer rules have added beyond the older ones since the year began, by the names of `ytd`.
#[derive(Default)]
struct Beyond {
    year: i16,
    sums: BTreeMap<String, Decimal>,
    carried: Decimal,
}

impl Beyond {
    fn add(&mut self, older: &Slip, newer: &Slip) {
        let mut more = |name: &str, before: Decimal, after: Decimal| {
            if before != after {
                *self.sums.entry(name.to_owned()).or_default() += after - before;
            }
        };
        for ((name, before), (_, after)) in Sums::of(older).named().into_iter().zip(Sums::of(newer).named()) {
            more(&name.replace(' ', "_"), before, after);
        }
        more("taxable", older.taxable, newer.taxable);
        let (before, after) = (older.year.clone().unwrap_or_default(), newer.year.clone().unwrap_or_default());
        more("income", before.income, after.income);
        more("special", before.special, after.special);
        more("additional", before.additional, after.additional);
        more("other", before.other, after.other);
        more("tax", before.tax, after.tax);
        for line in &newer.lines {
            more(&line.code, older.line(&line.code).map_or(Decimal::ZERO, |line| line.amount), line.amount);
        }
        for line in older.lines.iter().filter(|line| newer.line(&line.code).is_none()) {
            more(&line.code, line.amount, Decimal::ZERO);
        }
        self.carried = newer.carried_forward - older.carried_forward;
    }

    /// What the newer rules are given: the same, but for what the months before come to by them.
    fn inputs<'a>(&self, rules: &PayRules, arena: &'a Arena, given: Tree<'a>) -> Tree<'a> {
        let more = |name: &str| {
            let from = rules.inputs.iter().find(|input| input.name == name)?.from.as_deref()?;
            let more = match from.strip_prefix("ytd.") {
                Some(sum) => self.sums.get(sum).copied()?,
                None if from == "previous.carried_forward" => self.carried,
                None => return None,
            };
            (!more.is_zero()).then_some(more)
        };
        let entries = given.entries().iter().map(|(name, value)| {
            // Records have numbers as text.
            let number = || value.as_decimal().or_else(|| parse_decimal(value.as_text()?));
            let moved = more(name).and_then(|more| Some(Tree::Decimal(number()? + more)));
            (*name, moved.unwrap_or(*value))
        });
        arena.map(&entries.collect::<Vec<_>>())
    }
}

fn compared(older: &PayRules, newer: &PayRules, mut people: Vec<Person<'_>>) -> Found {
    people.sort_by_key(|one| (one.employee, one.period.pay_on, one.period.start));
    let mut found = Found::default();
    let mut beyond: (&str, Beyond) = ("", Beyond::default());
    let mut arena = Arena::new();
    for one in people {
        arena.reset();
        let year = one.period.pay_on.year();
        if beyond.0 != one.employee || beyond.1.year != year {
            // What is owed is owed in the next year as well.
            let carried = if beyond.0 == one.employee { beyond.1.carried } else { Decimal::ZERO };
            beyond = (one.employee, Beyond { year, carried, ..Beyond::default() });
        }
        let by_older = older.slip(one.employee, one.inputs, one.period, false);
        let by_newer = newer.slip(one.employee, beyond.1.inputs(newer, &arena, one.inputs), one.period, false);
        match (by_older, by_newer) {
            (Ok(before), Ok(after)) => {
                beyond.1.add(&before, &after);
                let month = one.period.pay_on.strftime("%Y-%m").to_string();
                found.months.entry(month).or_default().add(&before, &after);
                found.people.entry(one.employee.to_owned()).or_default().add(&before, &after);
                found.all.add(&before, &after);
            }
            (before, after) => {
                let of = |slip: Result<Slip, Vec<Problem>>| slip.err().into_iter().flatten();
                found.problems.extend(of(before).chain(of(after)));
            }
        }
    }
    found
}

fn tell(older: &PayRules, newer: &PayRules, found: &Found) {
    for problem in &found.problems {
        say::note(format!("error: {problem}"));
    }
    say::out(format!("{} -> {}, {}", older.version(), newer.version(), newer.currency));
    for (month, both) in &found.months {
        say::out(format!("{month}  {}: {}", say::number(both.payslips, "payslip"), both.in_words()));
    }
    say::out(format!("all  {}: {}", say::number(found.all.payslips, "payslip"), found.all.in_words()));
    let mut moved: Vec<(&String, &Both)> = found.people.iter().filter(|(_, both)| both.is_moved()).collect();
    moved.sort_by_key(|(_, both)| std::cmp::Reverse(both.cost().abs()));
    say::out(format!("{} of {} differ", moved.len(), say::number(found.people.len(), "employee")));
    for (employee, both) in moved.iter().take(MOST) {
        say::out(format!("  {employee}: {}", both.in_words()));
    }
}

fn as_json(older: &PayRules, newer: &PayRules, found: &Found) -> Value {
    let by_name = |of: &BTreeMap<String, Both>| -> serde_json::Map<String, Value> {
        of.iter().map(|(name, both)| (name.clone(), both.to_json())).collect()
    };
    object!({
        "older": older.version(),
        "newer": newer.version(),
        "currency": newer.currency,
        "all": found.all.to_json(),
        "months": by_name(&found.months),
        "employees": by_name(&found.people),
        "problems": found.problems.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use hub_tree::{Findings, Source};

    /// A month's pay, and a tenth of what the year has paid before.
    fn rules(times: u32) -> PayRules {
        let text = format!(
            "version: 1\npay: test\nrevision: {times}\nname: {{ en: Test }}\ncurrency: CNY\n\
             rounding: {{ places: 2, mode: half_up }}\ninputs:\n  pay: {{ type: money, required: true }}\n  \
             before: {{ type: money, required: true, from: ytd.base }}\nitems:\n  \
             - {{ item: base, kind: EARNING_BASE, formula: pay * {times} }}\n  \
             - {{ item: seniority, kind: EARNING_BONUS, formula: before / 10 }}\n"
        );
        let findings = Findings::new();
        let rules = PayRules::compile(&Source::new("pay/test.yaml", text), &findings);
        rules.unwrap_or_else(|| panic!("{:?}", findings.into_sorted()))
    }

    fn found(people: &[Value]) -> Found {
        let (arena, text) = (Arena::new(), object!({ "people": people }).to_string());
        let root = json::read(&arena, text.as_bytes(), Limits::default()).unwrap();
        compared(&rules(1), &rules(2), people::read(root).unwrap())
    }

    fn month(employee: &str, month: &str, before: &str) -> Value {
        let day = |day: u32| format!("{month}-{day:02}");
        let period = object!({ "start": day(1), "end": day(28), "pay_on": day(28) });
        object!({ "employee": employee, "period": period, "inputs": { "pay": "100", "before": before } })
    }

    #[test]
    fn what_a_month_would_have_added_goes_into_the_months_after_and_ends_with_the_year() {
        // Months in any order; the second begins with 100 by the older rules, with 200 by the newer ones.
        let found = found(&[
            month("E-1", "2026-02", "100"),
            month("E-1", "2026-01", "0"),
            month("E-1", "2027-01", "0"),
            month("E-2", "2026-02", "0"),
        ]);
        assert!(found.problems.is_empty(), "{:?}", found.problems);
        let gross = |both: &Both| (both.older.gross.to_string(), both.newer.gross.to_string());
        let pair = |before: &str, after: &str| (before.to_owned(), after.to_owned());
        assert_eq!(gross(&found.months["2026-01"]), pair("100.00", "200.00"));
        assert_eq!(gross(&found.months["2026-02"]), pair("210.00", "420.00"));
        assert_eq!(gross(&found.months["2027-01"]), pair("100.00", "200.00"));
        assert_eq!(gross(&found.people["E-2"]), pair("100.00", "200.00"));
        assert_eq!((found.all.payslips, found.all.cost().to_string()), (4, "410.00".to_owned()));
    }

    #[test]
    fn who_cannot_be_paid_is_named_and_counts_nowhere() {
        let mut nobody = month("E-3", "2026-01", "0");
        nobody["inputs"] = object!({ "before": "0" });
        let found = found(&[nobody, month("E-1", "2026-01", "0")]);
        assert_eq!((found.problems.len(), found.all.payslips), (2, 1), "{:?}", found.problems);
        assert!(found.problems.iter().all(|problem| problem.employee == "E-3"));
    }
}
