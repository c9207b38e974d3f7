//! Reading of packs; everything wrong with a file is told at once.

use super::{Band, Brackets, Cell, Dated, Pack, Row, Version, share};
use hub_calc::Exact;
use hub_tree::jiff::civil::Date;
use hub_tree::value::parse_decimal;
use hub_tree::yaml::{self, Context, Fields, Kind, Node};
use hub_tree::{Findings, Source};

pub(super) fn pack(path: &str, text: &str) -> Result<Pack, String> {
    let source = Source::new(path, text);
    let findings = Findings::new();
    let pack = yaml::read(&source, &findings).and_then(|root| whole(&root, &Context::new(&source, &findings)));
    let wrong = findings.into_sorted();
    pack.filter(|_| wrong.is_empty())
        .ok_or_else(|| wrong.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

fn whole(root: &Node, cx: &Context<'_>) -> Option<Pack> {
    let mut fields = root.fields(cx)?;
    fields.version(1);
    let (id, currency) = (fields.required_text("pack"), fields.required_text("currency"));
    let pack = Pack {
        id: id.unwrap_or_default(),
        currency: currency.unwrap_or_default(),
        brackets: dated(fields.optional("brackets"), cx, brackets),
        numbers: dated(fields.optional("numbers"), cx, |fields, cx| number(fields.required("value")?, cx)),
        rows: dated(fields.optional("rows"), cx, rows),
    };
    fields.finish();
    Some(pack)
}

/// The entries of one kind. Their versions stand in the order of time and do not overlap.
fn dated<T>(
    node: Option<&Node>,
    cx: &Context<'_>,
    rule: impl Fn(&mut Fields<'_, '_>, &Context<'_>) -> Option<T>,
) -> Dated<T> {
    let mut all = Dated::new();
    for (key, node) in node.map(|node| node.entries(cx)).unwrap_or_default() {
        let mut versions: Vec<Version<T>> = Vec::new();
        for node in node.items(cx) {
            let Some(mut fields) = node.fields(cx) else { continue };
            let source = fields.required_text("source");
            let from = fields.required("from").and_then(|node| day(node, cx));
            let to = fields.optional("to").and_then(|node| day(node, cx));
            let rule = rule(&mut fields, cx);
            fields.finish();
            let (Some(source), Some(from), Some(rule)) = (source, from, rule) else { continue };
            if to.is_some_and(|to| to < from) {
                cx.error(node.span, "`to` is before `from`");
            }
            if versions.last().is_some_and(|before| before.to.is_none_or(|to| from <= to)) {
                cx.error(node.span, "it begins before the version above it ends");
            }
            versions.push(Version { from, to, source, rule });
        }
        if versions.is_empty() {
            cx.error(key.span, format!("`{}` has no version", key.name));
        }
        all.insert(key.name.clone(), versions);
    }
    all
}

fn day(node: &Node, cx: &Context<'_>) -> Option<Date> {
    let day = node.scalar().filter(|text| text.len() == 10).and_then(|text| text.parse().ok());
    if day.is_none() {
        node.expected("a day of the calendar (YYYY-MM-DD)", cx);
    }
    day
}

fn number(node: &Node, cx: &Context<'_>) -> Option<Exact> {
    let number = match &node.kind {
        Kind::Number(text) => parse_decimal(text).map(Exact::from),
        _ => None,
    };
    if number.is_none() {
        node.expected("a number of at most 28 digits", cx);
    }
    number
}

fn brackets(fields: &mut Fields<'_, '_>, cx: &Context<'_>) -> Option<Brackets> {
    let mut bands: Vec<Band> = Vec::new();
    for node in fields.required("bands")?.items(cx) {
        let mut fields = node.fields(cx)?;
        let up_to = fields.optional("up_to").map(|node| number(node, cx));
        let percent = fields.required("rate").and_then(|node| number(node, cx));
        let less = fields.optional("less").map(|node| number(node, cx));
        fields.finish();
        let (up_to, percent, less) = (up_to.map_or(Some(None), |n| n.map(Some))?, percent?, less.unwrap_or(None));
        // What the bands below are short of this rate, up to where this one begins.
        let follows = match bands.last() {
            None => Exact::zero(),
            Some(Band { up_to: Some(end), percent: before, less }) => less + &(share(&(&percent - before)) * end),
            Some(Band { up_to: None, .. }) => {
                cx.error(node.span, "the band above it has no end; only the last is without `up_to`");
                return None;
            }
        };
        if less.as_ref().is_some_and(|less| *less != follows) {
            cx.error(node.span, format!("`less` should be {follows}, by the bands above it"));
        }
        let rises = |before: &Band| before.up_to.as_ref() < up_to.as_ref();
        if up_to.is_some() && !bands.last().is_none_or(rises) {
            cx.error(node.span, "`up_to` should be above that of the band before");
        }
        bands.push(Band { up_to, percent, less: follows });
    }
    let last = bands.pop().filter(|last| last.up_to.is_none());
    if last.is_none() {
        cx.error(fields.span, "the last band should have no `up_to`, so that no amount is without a rate");
    }
    Some(Brackets { bands, last: last? })
}

fn rows(fields: &mut Fields<'_, '_>, cx: &Context<'_>) -> Option<Vec<Row>> {
    let mut rows = Vec::new();
    for node in fields.required("rows")?.items(cx) {
        let mut cells = Vec::new();
        for (key, node) in node.entries(cx) {
            let cell = match &node.kind {
                Kind::Text(word) => Some(Cell::Word(word.clone())),
                _ => number(node, cx).map(Cell::Number),
            };
            cells.push((key.name.clone(), cell?));
        }
        rows.push(Row(cells));
    }
    Some(rows)
}
