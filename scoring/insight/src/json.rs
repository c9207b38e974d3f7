//! A report as JSON: the same numbers, as decimal text; shares from 0 to 1, texts in both languages.

use crate::report::{Cell, Chart, Finding, Plot, Report, Table};
use crate::text::Text;
use hub_calc::Exact;
use serde_json::{Value, json};

/// Decimal places of what has none of its own.
const PLACES: u32 = 6;

/// The report, whole.
#[must_use]
pub fn json(report: &Report) -> Value {
    let about = report.about.iter().map(|(name, value)| json!({"name": text(name), "value": text(value)}));
    json!({
        "report": report.name,
        "title": text(&report.title),
        "about": about.collect::<Vec<_>>(),
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
        "charts": report.charts.iter().map(chart).collect::<Vec<_>>(),
        "tables": report.tables.iter().map(table).collect::<Vec<_>>(),
        "method": report.method.iter().map(text).collect::<Vec<_>>(),
    })
}

fn text(text: &Text) -> Value {
    json!({"zh": text.zh, "en": text.en})
}

/// As short as it can be written, six places at most.
fn number(number: &Exact) -> String {
    number.rounded(PLACES).to_string()
}

fn ends((low, high): &(Exact, Exact)) -> Value {
    json!([number(low), number(high)])
}

fn finding(one: &Finding) -> Value {
    let effect = one.effect.as_ref().map(|(name, size, interval)| {
        json!({"name": text(name), "size": number(size), "interval_95": interval.as_ref().map(ends)})
    });
    let proposal = one.proposal.as_ref().map(|change| {
        json!({
            "change": change.change,
            "of": change.of,
            "from": change.from,
            "to": change.to,
            "status": "to_be_approved",
        })
    });
    json!({
        "kind": one.kind.word(),
        "text": text(&one.text),
        "n": one.n,
        "effect": effect,
        "not_shown": text(&one.not_shown),
        "proposal": proposal,
    })
}

fn table(table: &Table) -> Value {
    json!({
        "title": text(&table.title),
        "columns": table.heads.iter().map(text).collect::<Vec<_>>(),
        "rows": table.rows.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>()).collect::<Vec<_>>(),
    })
}

fn cell(cell: &Cell) -> Value {
    match cell {
        Cell::Text(one) | Cell::Flag(one) => text(one),
        Cell::Count(count) => json!(count),
        Cell::Number(one, places) => json!(one.to_places(*places)),
        Cell::Share(share) => json!(number(share)),
        Cell::Interval(interval, _) => ends(interval),
        Cell::Shares(low, high) => json!([number(low), number(high)]),
        Cell::Hidden => json!("<5"),
        Cell::Empty => Value::Null,
    }
}

fn mark(mark: Option<&(Exact, Text)>) -> Value {
    mark.map_or(Value::Null, |(at, name)| json!({"at": number(at), "name": text(name)}))
}

fn chart(chart: &Chart) -> Value {
    let mut drawn = match &chart.plot {
        Plot::Bars { axis, bars, mark: line, .. } => {
            let bar = |bar: &crate::report::Bar| {
                json!({
                    "name": text(&bar.name),
                    "value": number(&bar.value),
                    "interval_95": bar.interval.as_ref().map(ends),
                    "flagged": bar.flagged,
                })
            };
            json!({"kind": "bars", "axis": text(axis), "bars": bars.iter().map(bar).collect::<Vec<_>>(), "mark": mark(line.as_ref())})
        }
        Plot::Histogram { x, y, bins, mark: line } => {
            let bin = |(from, to, count): &(Exact, Exact, u64)| json!({"from": number(from), "to": number(to), "count": count});
            json!({"kind": "histogram", "x": text(x), "y": text(y), "bins": bins.iter().map(bin).collect::<Vec<_>>(), "mark": mark(line.as_ref())})
        }
        Plot::Scatter { x, y, points, line } => {
            let line =
                line.as_ref().map(|(intercept, slope)| json!({"intercept": number(intercept), "slope": number(slope)}));
            json!({"kind": "scatter", "x": text(x), "y": text(y), "points": points.iter().map(ends).collect::<Vec<_>>(), "line": line})
        }
        Plot::Line { x, y, points, .. } => {
            let point = |(name, at): &(String, Option<Exact>)| json!({"name": name, "value": at.as_ref().map(number)});
            json!({"kind": "line", "x": text(x), "y": text(y), "points": points.iter().map(point).collect::<Vec<_>>()})
        }
        Plot::Grid { x, y, rows, names } => {
            let names: Vec<Vec<Value>> = names.iter().map(|row| row.iter().map(text).collect()).collect();
            json!({"kind": "grid", "x": text(x), "y": text(y), "rows": rows, "names": names})
        }
    };
    if let Some(drawn) = drawn.as_object_mut() {
        drawn.insert("title".to_owned(), text(&chart.title));
    }
    drawn
}
