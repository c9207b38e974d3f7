//! Reads a file of rules; everything wrong with it is told at once.

use super::entries;
use super::names::Names;
use super::order::order;
use super::rules::{Constant, InForce, Input, InputKind, PayRules, Rounding, Step, What, Whom};
use super::sheet::Sheets;
use super::tables::{Table, table};
use crate::tables::Pack;
use hub_expr::Type;
use hub_model::entities::pay::TaxTreatment;
use hub_standards::codes;
use hub_tree::jiff::civil::Date;
use hub_tree::rust_decimal::RoundingStrategy;
use hub_tree::value::parse_decimal;
use hub_tree::yaml::{self, Context, Fields, Key, Kind, Node};
use hub_tree::{Decimal, Findings, Source};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) fn rules(source: &Arc<Source>, findings: &Findings) -> Option<PayRules> {
    let before = findings.error_count();
    let root = yaml::read(source, findings)?;
    let cx = Context::new(source, findings);
    let mut fields = root.fields(&cx)?;
    fields.version(1);
    let id = fields.required("pay").and_then(|node| id(node, &cx));
    fields.required("revision");
    let revision = fields.integer("revision", 1, i64::from(u32::MAX)).and_then(|number| u32::try_from(number).ok());
    let name: BTreeMap<String, String> =
        fields.required("name").map(|node| names_by_language(node, &cx)).unwrap_or_default();
    let currency = fields.required("currency").and_then(|node| currency(node, &cx));
    let rounding = fields.required("rounding").and_then(|node| rounding(node, &cx));
    let whom = whom(&mut fields);
    let mut names = Names::new();
    let period = ["start", "end", "pay_on"].map(|key| (key, Type::Date));
    let period = names.scope.push("period", Type::record("the period", period));
    let inputs: Vec<Input> = fields
        .optional("inputs")
        .map(|node| node.entries(&cx).iter().filter_map(|(key, node)| input(key, node, &mut names, &cx)).collect())
        .unwrap_or_default();
    let mut tables: Vec<Table> = Vec::new();
    for (key, node) in fields.optional("tables").map(|node| node.entries(&cx)).unwrap_or_default() {
        let Some(slot) = names.declare(&key.name, Type::Any, key.span, &cx) else { continue };
        let Some(table) = table(&key.name, slot, node, &cx) else { continue };
        names.scope.retype(slot, table.ty());
        tables.push(table);
    }
    let steps = match (fields.required("items"), rounding) {
        (Some(node), Some(rounding)) => entries::steps(node, rounding, currency.as_deref(), &mut names, &cx),
        _ => Vec::new(),
    };
    fields.finish();
    let order = in_order(&steps, &cx, &root)?;
    if findings.error_count() == before {
        unused(&inputs, &mut tables, &steps, &names, &root, &cx);
    }
    let mut packs: Vec<&'static str> = steps.iter().flat_map(Step::packs).copied().collect();
    packs.sort_unstable();
    packs.dedup();
    (findings.error_count() == before).then_some(PayRules {
        id: id?,
        revision: revision?,
        name,
        currency: currency?,
        sha256: sha256(source, &packs),
        packs,
        inputs,
        whom,
        source: Arc::clone(source),
        tables,
        period,
        slots: names.scope.len(),
        steps,
        order,
        sheets: Sheets::default(),
    })
}

fn id(node: &Node, cx: &Context<'_>) -> Option<String> {
    let id = node.text(cx)?;
    let file = cx.source.path.rsplit('/').next().unwrap_or_default().trim_end_matches(".yaml");
    if id != file {
        cx.error(node.span, format!("this file is `{file}.yaml`; `pay` says `{id}`"));
    }
    Some(id)
}

fn names_by_language(node: &Node, cx: &Context<'_>) -> BTreeMap<String, String> {
    let entries = node.entries(cx).iter();
    entries.filter_map(|(key, value)| Some((key.name.clone(), value.text(cx)?))).collect()
}

fn currency(node: &Node, cx: &Context<'_>) -> Option<String> {
    let currency = node.text(cx)?;
    if !codes::is_currency(&currency) {
        cx.error(node.span, format!("`{currency}` is no ISO 4217 currency such as CNY"));
    }
    Some(currency)
}

/// `{ places: 2, mode: half_up }`.
pub(super) fn rounding(node: &Node, cx: &Context<'_>) -> Option<Rounding> {
    let modes = [
        ("half_up", RoundingStrategy::MidpointAwayFromZero),
        ("half_even", RoundingStrategy::MidpointNearestEven),
        ("up", RoundingStrategy::AwayFromZero),
        ("down", RoundingStrategy::ToZero),
    ];
    let mut fields = node.fields(cx)?;
    fields.required("places");
    let places = fields.integer("places", 0, 6);
    fields.required("mode");
    let mode = fields.word("mode", &modes);
    fields.finish();
    Some(Rounding { places: u32::try_from(places?).ok()?, mode: mode? })
}

/// `for: { legal_entities: […], groups: […] }`.
pub(super) fn whom(fields: &mut Fields<'_, '_>) -> Whom {
    let cx = fields.context().clone();
    let Some(mut fields) = fields.optional("for").and_then(|node| node.fields(&cx)) else { return Whom::default() };
    let whom = Whom { legal_entities: fields.texts("legal_entities"), groups: fields.texts("groups") };
    if whom == Whom::default() {
        cx.error(fields.span, "`for` names nobody: give `legal_entities` or `groups`");
    }
    fields.finish();
    whom
}

/// `from` and `until`, both included.
pub(super) fn day_fields(fields: &mut Fields<'_, '_>) -> InForce {
    let cx = fields.context().clone();
    let from = fields.optional("from").and_then(|node| day(node, &cx));
    let until = fields.optional("until").and_then(|node| day(node, &cx));
    if from.zip(until).is_some_and(|(from, until)| until < from) {
        cx.error(fields.span, "`until` is before `from`");
    }
    InForce { from, until }
}

fn day(node: &Node, cx: &Context<'_>) -> Option<Date> {
    let day = node.scalar().and_then(iso_day);
    if day.is_none() {
        node.expected("a day of the calendar (YYYY-MM-DD)", cx);
    }
    day
}

/// A day as it stands in files and inputs.
pub(super) fn iso_day(text: &str) -> Option<Date> {
    if text.len() == "2026-01-31".len() { text.parse().ok() } else { None }
}

pub(super) fn number(node: &Node, cx: &Context<'_>) -> Option<Decimal> {
    let number = match &node.kind {
        Kind::Number(text) => parse_decimal(text),
        _ => None,
    };
    if number.is_none() {
        node.expected("a number of at most 28 digits", cx);
    }
    number
}

/// A number or text.
pub(super) fn constant(node: &Node, cx: &Context<'_>) -> Option<Constant> {
    match &node.kind {
        Kind::Text(text) => Some(Constant::Text(text.clone())),
        _ => number(node, cx).map(Constant::Number),
    }
}

pub(super) const fn type_of(kind: InputKind) -> Type {
    match kind {
        InputKind::Money | InputKind::Number => Type::Number,
        InputKind::Text => Type::Text,
        InputKind::Date => Type::Date,
        InputKind::Flag => Type::Bool,
    }
}

fn input(key: &Key, node: &Node, names: &mut Names, cx: &Context<'_>) -> Option<Input> {
    let kinds = [
        ("money", InputKind::Money),
        ("number", InputKind::Number),
        ("text", InputKind::Text),
        ("date", InputKind::Date),
        ("flag", InputKind::Flag),
    ];
    let mut fields = node.fields(cx)?;
    fields.required("type");
    let kind = fields.word("type", &kinds);
    let required = fields.bool("required").unwrap_or(false);
    let from = fields.text("from");
    let default = fields.optional("default");
    fields.finish();
    if let Some(default) = default.filter(|_| required) {
        cx.error(default.span, "an input that is required has no default");
    }
    // The name is known even where its kind is not: formulas that use it are right.
    names.declare(&key.name, kind.map_or(Type::Any, type_of), key.span, cx)?;
    let kind = kind?;
    let default = default.map(|node| default_of(node, kind, cx)).map_or(Some(None), |default| default.map(Some))?;
    let place = cx.source.place(key.span.start);
    Some(Input { name: key.name.clone(), kind, required, from, default, place })
}

fn default_of(node: &Node, kind: InputKind, cx: &Context<'_>) -> Option<Constant> {
    match (kind, &node.kind) {
        (InputKind::Money | InputKind::Number, _) => number(node, cx).map(Constant::Number),
        (InputKind::Text, _) => node.text(cx).map(Constant::Text),
        (InputKind::Date, _) => day(node, cx).map(Constant::Date),
        (InputKind::Flag, Kind::Bool(flag)) => Some(Constant::Flag(*flag)),
        (InputKind::Flag, _) => {
            node.expected("true or false", cx);
            None
        }
    }
}

impl Step {
    fn packs(&self) -> &'static [&'static str] {
        match &self.what {
            What::Use { statutory, .. } => statutory.packs,
            _ => &[],
        }
    }

    /// The slots that it fills.
    fn makes(&self) -> Vec<usize> {
        match &self.what {
            What::Value { slot, .. } => vec![*slot],
            What::Line { line, .. } => vec![line.slot],
            What::Use { lines, .. } => lines.iter().map(|line| line.slot).collect(),
        }
    }

    /// Whether what it makes bears on taxable income, or on what of it is taxed by itself.
    fn is_taxed(&self) -> bool {
        let counts = |tax: TaxTreatment| matches!(tax, TaxTreatment::Taxable | TaxTreatment::PreTax);
        match &self.what {
            What::Value { .. } => false,
            What::Line { line, .. } => counts(line.tax),
            What::Use { statutory, lines, .. } => {
                lines.iter().any(|line| counts(line.tax)) || statutory.params.iter().any(|param| param.is_item)
            }
        }
    }

    fn reads_taxable(&self) -> bool {
        matches!(&self.what, What::Use { statutory, .. } if statutory.reads_taxable)
    }
}

/// The order of evaluation; a cycle is an error that shows it.
fn in_order(steps: &[Step], cx: &Context<'_>, root: &Node) -> Option<Vec<usize>> {
    let mut makers: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (place, step) in steps.iter().enumerate() {
        for slot in step.makes() {
            makers.entry(slot).or_default().push(place);
        }
    }
    let before = steps.iter().map(|step| {
        let mut before: Vec<usize> = step.reads.iter().filter_map(|slot| makers.get(slot)).flatten().copied().collect();
        if step.reads_taxable() {
            before.extend((0..steps.len()).filter(|other| steps.get(*other).is_some_and(Step::is_taxed)));
        }
        before
    });
    match order(steps, &before.collect::<Vec<_>>()) {
        Ok(order) => Some(order),
        Err(cycle) => {
            let cycle: Vec<&Step> = cycle.iter().filter_map(|place| steps.get(*place)).collect();
            let shown = cycle.iter().chain(cycle.first()).map(|step| format!("{} ({})", step.name, step.place));
            let shown = shown.collect::<Vec<_>>().join(" → ");
            let span = cycle.first().map_or(root.span, |step| step.span);
            cx.error(span, format!("items read each other in a circle: {shown}"));
            None
        }
    }
}

/// Warns of inputs and tables that no formula reads; such tables are dropped.
fn unused(inputs: &[Input], tables: &mut Vec<Table>, steps: &[Step], names: &Names, root: &Node, cx: &Context<'_>) {
    let is_read = |name: &str| {
        let slot = names.slot(name);
        steps.iter().any(|step| step.reads.iter().any(|read| Some(*read) == slot))
    };
    let span_of = |section: &str, name: &str| match root.get(section).map(|node| &node.kind) {
        Some(Kind::Map(entries)) => {
            entries.iter().find(|(key, _)| key.name == name).map_or(root.span, |(key, _)| key.span)
        }
        _ => root.span,
    };
    for input in inputs.iter().filter(|input| !is_read(&input.name)) {
        let help = "take it out, or use it in a formula".to_owned();
        cx.warning(span_of("inputs", &input.name), format!("no formula reads the input `{}`", input.name), Some(help));
    }
    for table in tables.iter().filter(|table| !is_read(&table.name)) {
        cx.warning(span_of("tables", &table.name), format!("no formula reads the table `{}`", table.name), None);
    }
    tables.retain(|table| is_read(&table.name));
}

/// Each text with its length before it, so that none can pass for a part of another.
fn sha256(source: &Source, packs: &[&'static str]) -> String {
    let mut hash = Sha256::new();
    let texts = packs.iter().filter_map(|id| Pack::text(id));
    for text in [source.text.as_str()].into_iter().chain(texts) {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    }
    hex::encode(hash.finalize())
}
