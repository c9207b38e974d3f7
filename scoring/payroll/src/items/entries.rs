//! Reads the entries of `items`: lines, values that no line shows, and parts that the law sets.

use super::names::Names;
use super::read::{day_fields, rounding as read_rounding, type_of, whom};
use super::rules::{InForce, LineRule, Parts, Rounding, Step, What, Whom};
use super::settle::is_earning;
use super::statutory::{self, Statutory};
use hub_expr::{Located, Type};
use hub_model::EnumType;
use hub_model::entities::pay::{PayLineKind, PaySide, TaxTreatment};
use hub_model::enums::EnumOf;
use hub_tree::Span;
use hub_tree::yaml::{Context, Fields, Kind, Node};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Reads all entries. Names first, so that an entry may read what stands below it.
pub(super) fn steps(
    node: &Node,
    rounding: Rounding,
    currency: Option<&str>,
    names: &mut Names,
    cx: &Context<'_>,
) -> Vec<Step> {
    let mut made = Made::default();
    let items = node.items(cx);
    let declared: Vec<Option<Vec<usize>>> = items.iter().map(|item| made.declare(item, names, cx)).collect();
    let read = |(item, slots): (&Node, Option<Vec<usize>>)| step(item, &slots?, rounding, currency, names, cx);
    let steps: Vec<Step> = items.iter().zip(declared).filter_map(read).collect();
    if items.is_empty() {
        cx.error(node.span, "there is no item: a payslip would be empty");
    }
    steps
}

/// What an entry is, by the one of three keys that it has.
enum Entry<'n> {
    Line(&'n Node),
    Value(&'n Node),
    Use(&'n Node),
}

fn entry<'n>(node: &'n Node, cx: &Context<'_>) -> Option<Entry<'n>> {
    match (node.get("item"), node.get("value"), node.get("use")) {
        (Some(name), None, None) => Some(Entry::Line(name)),
        (None, Some(name), None) => Some(Entry::Value(name)),
        (None, None, Some(id)) => Some(Entry::Use(id)),
        _ => {
            cx.error(node.span, "an entry is one of: an `item`, a `value` that no line shows, a part to `use`");
            None
        }
    }
}

fn part(node: &Node, cx: &Context<'_>) -> Option<&'static Statutory> {
    let id = node.text(cx)?;
    let found = statutory::ALL.iter().find(|part| part.id == id);
    if found.is_none() {
        cx.unknown(node.span, "part", &id, statutory::ALL.iter().map(|part| part.id));
    }
    found
}

/// The names that entries have made, when and for whom.
#[derive(Default)]
struct Made(BTreeMap<String, (usize, Vec<Version>)>);

/// When and for whom an entry is, and where it stands.
type Version = (InForce, Whom, Span);

impl Made {
    /// Declares the names of an entry; their slots.
    fn declare(&mut self, node: &Node, names: &mut Names, cx: &Context<'_>) -> Option<Vec<usize>> {
        let entry = entry(node, cx)?;
        let mut fields = node.fields(cx)?;
        // Read again with the entry; what is wrong with it is told once.
        let quiet = hub_tree::Findings::new();
        let quiet_cx = Context::new(&cx.source, &quiet);
        let (in_force, whom) = match node.fields(&quiet_cx) {
            Some(mut fields) => (day_fields(&mut fields), whom(&mut fields)),
            None => Default::default(),
        };
        let one = |made: &mut Self, name: &str, ty: Type, span: Span, names: &mut Names| {
            made.one(name, ty, (in_force, &whom, span), names, cx)
        };
        match entry {
            Entry::Line(name) => Some(vec![one(self, &name.text(cx)?, Type::Number, name.span, names)?]),
            Entry::Value(name) => Some(vec![one(self, &name.text(cx)?, Type::Any, name.span, names)?]),
            Entry::Use(id) => {
                let part = part(id, cx)?;
                let mut slots = Vec::new();
                let renamed = fields.optional("lines").filter(|node| matches!(node.kind, Kind::Map(_)));
                for line in part.lines {
                    let own = renamed.and_then(|node| node.get(line.name));
                    let (name, span) = match own.and_then(|node| Some((node.text(cx)?, node.span))) {
                        Some(own) => own,
                        None => (line.name.to_owned(), id.span),
                    };
                    slots.push(one(self, &name, Type::Number, span, names)?);
                }
                Some(slots)
            }
        }
    }

    fn one(
        &mut self,
        name: &str,
        ty: Type,
        (in_force, whom, span): (InForce, &Whom, Span),
        names: &mut Names,
        cx: &Context<'_>,
    ) -> Option<usize> {
        if let Some((slot, versions)) = self.0.get_mut(name) {
            let other = versions.iter().find(|(days, other, _)| days.meets(&in_force) && other.meets(whom));
            if let Some((.., first)) = other {
                let place = cx.source.place(first.start);
                let help = "end the earlier one with `until`, or tell them apart with `for`".to_owned();
                cx.error_with(span, format!("`{name}` is there twice on one day, here and at {place}"), Some(help));
            }
            versions.push((in_force, whom.clone(), span));
            return Some(*slot);
        }
        let slot = names.declare(name, ty, span, cx)?;
        self.0.insert(name.to_owned(), (slot, vec![(in_force, whom.clone(), span)]));
        Some(slot)
    }
}

impl Whom {
    /// Whether somebody may be meant by both.
    fn meets(&self, other: &Self) -> bool {
        let meet = |a: &[String], b: &[String]| a.is_empty() || b.is_empty() || a.iter().any(|one| b.contains(one));
        meet(&self.legal_entities, &other.legal_entities) && meet(&self.groups, &other.groups)
    }
}

fn step(
    node: &Node,
    slots: &[usize],
    rounding: Rounding,
    currency: Option<&str>,
    names: &Names,
    cx: &Context<'_>,
) -> Option<Step> {
    let entry = entry(node, cx)?;
    let mut fields = node.fields(cx)?;
    let in_force = day_fields(&mut fields);
    let whom = whom(&mut fields);
    let when = fields.optional("when").and_then(|node| Located::condition(node, &names.scope, cx));
    let (name, what) = match entry {
        Entry::Value(name) => {
            fields.optional("value");
            let formula = fields.required("formula").and_then(|node| Located::compile(node, &names.scope, cx));
            (name, What::Value { slot: *slots.first()?, formula: formula? })
        }
        Entry::Line(name) => (name, line(&mut fields, *slots.first()?, rounding, names)?),
        Entry::Use(id) => (id, used(&mut fields, slots, currency, names)?),
    };
    let span = name.span;
    fields.finish();
    let mut step = Step {
        name: name.text(cx)?.into(),
        place: cx.source.place(span.start),
        span,
        in_force,
        whom,
        when,
        reads: Vec::new(),
        what,
    };
    let reads: BTreeSet<usize> = step.expressions().flat_map(reads_of).collect();
    step.reads = reads.into_iter().collect();
    Some(step)
}

fn reads_of(located: &Located) -> impl Iterator<Item = usize> {
    located.expr.reads().iter().chain(located.expr.source()).map(|read| read.slot)
}

impl Step {
    /// All its expressions.
    fn expressions(&self) -> impl Iterator<Item = &Located> {
        let mut all: Vec<&Located> = self.when.iter().collect();
        match &self.what {
            What::Value { formula, .. } => all.push(formula),
            What::Line { parts, .. } => all.extend(parts.all().into_iter().flatten()),
            What::Use { with, .. } => all.extend(with.iter().flatten()),
        }
        all.into_iter()
    }
}

impl Parts {
    /// Formula, base, quantity, rate.
    pub(super) fn all(&self) -> [Option<&Located>; 4] {
        [&self.formula, &self.base, &self.quantity, &self.rate].map(Option::as_ref)
    }
}

/// The words of an enum for [`Fields::word`].
fn words<T: EnumOf>() -> Vec<(&'static str, T)> {
    let of: &'static EnumType = T::ENUM;
    of.values.iter().filter_map(|value| Some((*value, T::from_wire(value)?))).collect()
}

fn line(fields: &mut Fields<'_, '_>, slot: usize, rounding: Rounding, names: &Names) -> Option<What> {
    let cx = fields.context().clone();
    let code: Arc<str> = fields.required_text("item")?.into();
    let name = fields.text("name").map_or_else(|| Arc::clone(&code), Arc::from);
    fields.required("kind");
    let kind = fields.word("kind", &words::<PayLineKind>());
    let side = fields.word("side", &words::<PaySide>()).unwrap_or(PaySide::Employee);
    let tax_span = fields.optional("tax").map(|node| node.span);
    let tax = fields.word("tax", &words::<TaxTreatment>());
    let own = fields.optional("rounding").and_then(|node| read_rounding(node, &cx));
    let [formula, base, quantity, rate] = ["formula", "base", "quantity", "rate"].map(|key| fields.optional(key));
    if [formula, base, quantity, rate].iter().all(Option::is_none) {
        cx.error(fields.span, format!("`{code}` has no `formula`, nor `base`, `quantity` and `rate` to multiply"));
    }
    let number = |node: Option<&Node>| Located::typed(node?, &names.scope, &cx, &Type::Number, "an amount");
    let parts = Parts { formula: number(formula), base: number(base), quantity: number(quantity), rate: number(rate) };
    let kind = kind?;
    if side != PaySide::Employee && is_earning(kind) {
        cx.error(fields.span, "an earning is on the employee's side");
    }
    let tax = tax.unwrap_or_else(|| usual_tax(kind, side));
    let allowed = treatments(kind, side);
    if !allowed.contains(&tax) {
        let known: Vec<&str> = allowed.iter().map(|tax| tax.as_str()).collect();
        let message = format!("`tax` of {} on this side is one of: {}", kind.as_str(), known.join(", "));
        cx.error(tax_span.unwrap_or(fields.span), message);
    }
    let line = LineRule { slot, code, name, kind, side, tax };
    Some(What::Line { line, parts: Box::new(parts), rounding: own.unwrap_or(rounding) })
}

/// The treatments that make sense, the usual one first. Of the employer's side a taxable line is a benefit in kind.
fn treatments(kind: PayLineKind, side: PaySide) -> &'static [TaxTreatment] {
    use TaxTreatment::{Exempt, PostTax, PreTax, Taxable};
    match kind {
        _ if side != PaySide::Employee => &[Exempt, Taxable],
        _ if is_earning(kind) => &[Taxable, Exempt],
        PayLineKind::Reimbursement => &[Exempt, Taxable],
        PayLineKind::DeductionAbsence => &[Taxable, PostTax],
        PayLineKind::TaxIncome | PayLineKind::TaxRegion | PayLineKind::TaxLocal | PayLineKind::TaxOther => &[PostTax],
        PayLineKind::DeductionBenefit | PayLineKind::DeductionLoan | PayLineKind::DeductionGarnishment => {
            &[PostTax, PreTax]
        }
        PayLineKind::Other => &[PostTax, PreTax, Taxable, Exempt],
        _ => &[PreTax, PostTax],
    }
}

fn usual_tax(kind: PayLineKind, side: PaySide) -> TaxTreatment {
    treatments(kind, side).first().copied().unwrap_or(TaxTreatment::PostTax)
}

fn used(fields: &mut Fields<'_, '_>, slots: &[usize], currency: Option<&str>, names: &Names) -> Option<What> {
    let cx = fields.context().clone();
    let node = fields.required("use")?;
    let part = part(node, &cx)?;
    if currency.is_some_and(|currency| currency != part.currency) {
        cx.error(node.span, format!("`{}` is in {}, these rules are not", part.id, part.currency));
    }
    if let Some(lines) = fields.optional("lines") {
        for (key, _) in lines.entries(&cx) {
            if part.lines.iter().all(|line| line.name != key.name) {
                cx.unknown(key.span, "line", &key.name, part.lines.iter().map(|line| line.name));
            }
        }
    }
    let given = fields.required("with");
    let entries = given.map(|node| node.entries(&cx)).unwrap_or_default();
    for (key, _) in entries {
        if part.params.iter().all(|param| param.name != key.name) {
            cx.unknown(key.span, "parameter", &key.name, part.params.iter().map(|param| param.name));
        }
    }
    let mut with = Vec::new();
    for param in part.params {
        let value = entries.iter().find(|(key, _)| key.name == param.name).map(|(_, node)| node);
        let Some(value) = value else {
            if param.required {
                cx.error(
                    given.map_or(node.span, |node| node.span),
                    format!("`with` lacks `{}`: {}", param.name, param.about),
                );
            }
            with.push(None);
            continue;
        };
        let what = format!("`{}`", param.name);
        let located = Located::typed(value, &names.scope, &cx, &type_of(param.kind), &what);
        if param.is_item && located.as_ref().is_some_and(|located| !located.expr.is_path()) {
            cx.error(value.span, format!("`{}` is the name of one item", param.name));
        }
        with.push(located);
    }
    let lines = part.lines.iter().zip(slots).filter_map(|(line, slot)| {
        let name: Arc<str> = names.scope.names().nth(*slot)?.into();
        let (kind, side, tax) = (line.kind, line.side, line.tax);
        Some(LineRule { slot: *slot, code: Arc::clone(&name), name, kind, side, tax })
    });
    Some(What::Use { statutory: part, with, lines: lines.collect() })
}
