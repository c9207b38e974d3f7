//! A report as one page that needs nothing else, and its charts as pictures.

use crate::report::{Cell, Chart, Finding, Kind, Plot, Report, Table};
use crate::text::Text;
use hub_calc::Exact;
use hub_calc::chart::{self, Bars, Grid, Histogram, Line, Picture, Scatter};
use hub_calc::page::{STYLE, TABLES};
use hub_trust::audit::Language;
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// What findings look like; the rest is shared with all pages.
const FINDINGS: &str = "
ol.findings { list-style: none; margin: 0; padding: 0; }
ol.findings li { margin: .6rem 0; padding: .6rem .8rem; border: 1px solid var(--line); border-left: 4px solid var(--soft);
  break-inside: avoid; }
ol.findings li.warning { border-left-color: var(--below); } ol.findings li.proposal { border-left: 4px double var(--bar); }
ol.findings p { margin: .2rem 0; overflow-wrap: anywhere; } .kind { font-weight: 600; } .small { color: var(--soft); font-size: .875rem; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); gap: 0 2rem; }
figure { margin: .5rem 0; break-inside: avoid; } figcaption { font-weight: 600; }
";

struct Words {
    findings: &'static str,
    charts: &'static str,
    tables: &'static str,
    method: &'static str,
    nothing: &'static str,
    interval: &'static str,
    not_shown: &'static str,
    approve: &'static str,
    colon: &'static str,
    stop: &'static str,
    kinds: [&'static str; 4],
}

const ENGLISH: Words = Words {
    findings: "Findings",
    charts: "Charts",
    tables: "Numbers",
    method: "How this is calculated",
    nothing: "There is nothing to report for this period.",
    interval: "95 % interval",
    not_shown: "What this does not show",
    approve: "A person approves or refuses it; it never applies to decisions already made.",
    colon: ": ",
    stop: "; ",
    kinds: ["Finding", "Look at this", "Proposal", "Too little data"],
};

const CHINESE: Words = Words {
    findings: "发现",
    charts: "图表",
    tables: "数据",
    method: "计算方法",
    nothing: "该期间没有可报告的内容。",
    interval: "95% 置信区间",
    not_shown: "不能说明的是",
    approve: "须由人批准或否决；对已作出的决定不具追溯力。",
    colon: "：",
    stop: "；",
    kinds: ["发现", "请关注", "建议", "数据不足"],
};

const fn words(language: Language) -> &'static Words {
    match language {
        Language::Chinese => &CHINESE,
        Language::English => &ENGLISH,
    }
}

/// The page of a report, whole.
#[must_use]
pub fn page(report: &Report, language: Language) -> String {
    let (words, title) = (words(language), report.title.of(language));
    let whole = html! {
        (DOCTYPE)
        html lang=(language.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) (PreEscaped(TABLES)) (PreEscaped(chart::STYLE)) (PreEscaped(FINDINGS)) }
            }
            body {
                main {
                    h1 { (title) }
                    dl { @for (name, value) in &report.about { dt { (name.of(language)) } dd { (value.of(language)) } } }
                    h2 { (words.findings) }
                    @if report.findings.is_empty() { p { (words.nothing) } }
                    ol .findings { @for one in &report.findings { (finding(one, language)) } }
                    @if !report.charts.is_empty() {
                        h2 { (words.charts) }
                        div .charts { @for one in &report.charts {
                            figure { figcaption { (one.title.of(language)) } (picture(one, language).inline()) }
                        } }
                    }
                    @if report.tables.iter().any(|table| !table.rows.is_empty()) { h2 { (words.tables) } }
                    @for one in report.tables.iter().filter(|table| !table.rows.is_empty()) { (table(one, language)) }
                    h2 { (words.method) }
                    ul { @for line in &report.method { li { (line.of(language)) } } }
                }
            }
        }
    };
    whole.into_string()
}

fn finding(one: &Finding, language: Language) -> Markup {
    let words = words(language);
    let [fact, warning, proposal, refused] = words.kinds;
    let (class, kind) = match one.kind {
        Kind::Fact => ("fact", fact),
        Kind::Warning => ("warning", warning),
        Kind::Proposal => ("proposal", proposal),
        Kind::Refused => ("refused", refused),
    };
    html! {
        li .(class) {
            p { span .kind { (kind) (words.colon) } (one.text.of(language)) }
            p .small {
                "n = " (one.n)
                @if let Some((name, size, interval)) = &one.effect {
                    (words.stop) (name.of(language)) " " (short(size))
                    @if let Some((low, high)) = interval {
                        (words.stop) (words.interval) " " (short(low)) " – " (short(high))
                    }
                }
            }
            @if one.proposal.is_some() { p .small { (words.approve) } }
            @if !one.not_shown.en.is_empty() { p .small { (words.not_shown) (words.colon) (one.not_shown.of(language)) } }
        }
    }
}

/// A number for a sentence: at most three decimal places.
fn short(number: &Exact) -> String {
    number.rounded(3).to_string()
}

fn table(table: &Table, language: Language) -> Markup {
    let numbers = !table.rows.iter().any(|row| matches!(row.last(), Some(Cell::Text(_) | Cell::Flag(_))));
    html! {
        section .table {
            h3 { (table.title.of(language)) }
            div .frame {
                table .numbers[numbers] {
                    thead { tr { @for head in &table.heads { th scope="col" { (head.of(language)) } } } }
                    tbody { @for row in &table.rows { tr { (cells(row, &table.heads, language)) } } }
                }
            }
        }
    }
}

fn cells(row: &[Cell], heads: &[Text], language: Language) -> Markup {
    let (first, rest) = (row.iter().take(1), row.iter().zip(heads).skip(1));
    html! {
        @for cell in first { th scope="row" { (shown(cell, language)) } }
        @for (cell, head) in rest {
            td .text[matches!(cell, Cell::Text(_) | Cell::Flag(_))] data-head=(head.of(language)) {
                span .flag[matches!(cell, Cell::Flag(_))] { (shown(cell, language)) }
            }
        }
    }
}

fn shown(cell: &Cell, language: Language) -> String {
    match cell {
        Cell::Text(text) | Cell::Flag(text) => text.of(language).to_owned(),
        Cell::Count(count) => count.to_string(),
        Cell::Number(number, places) => number.to_places(*places),
        Cell::Share(share) => crate::figures::percent(share),
        Cell::Interval((low, high), places) => format!("{} – {}", low.to_places(*places), high.to_places(*places)),
        Cell::Shares(low, high) => {
            let percent = |share| crate::figures::hundredfold(share).to_places(1);
            format!("{} – {} %", percent(low), percent(high))
        }
        Cell::Hidden => "< 5".to_owned(),
        Cell::Empty => "–".to_owned(),
    }
}

/// A chart as a picture.
#[must_use]
pub fn picture(chart: &Chart, language: Language) -> Picture {
    let told = |text: &Text| text.of(language).to_owned();
    let marked = |mark: &Option<(Exact, Text)>| mark.as_ref().map(|(at, name)| (at.clone(), told(name)));
    let title = told(&chart.title);
    match &chart.plot {
        Plot::Bars { axis, bars, ends, mark } => {
            let bar = |bar: &crate::report::Bar| chart::Bar {
                name: told(&bar.name),
                value: bar.value.clone(),
                label: told(&bar.label),
                interval: bar.interval.clone(),
                flagged: bar.flagged,
            };
            let bars = bars.iter().map(bar).collect();
            Bars { title, axis: told(axis), bars, ends: ends.clone(), mark: marked(mark) }.draw()
        }
        Plot::Histogram { x, y, bins, mark } => {
            Histogram { title, x: told(x), y: told(y), bins: bins.clone(), mark: marked(mark) }.draw()
        }
        Plot::Scatter { x, y, points, line } => {
            Scatter { title, x: told(x), y: told(y), points: points.clone(), line: line.clone() }.draw()
        }
        Plot::Line { x, y, points, ends } => {
            Line { title, x: told(x), y: told(y), points: points.clone(), ends: ends.clone() }.draw()
        }
        Plot::Grid { x, y, rows, names } => {
            let names = names.iter().map(|row| row.iter().map(told).collect()).collect();
            Grid { title, x: told(x), y: told(y), rows: rows.clone(), names }.draw()
        }
    }
}
