//! The public page of an audit: one HTML file that needs nothing else.

use super::words::{Words, category};
use super::{Audit, Category, Chance, Language, Measure, Table, Test};
use crate::impact::{Group, Standing};
use crate::median::in_full;
use hub_calc::Exact;
use hub_calc::chart::{self, Bar, Bars};
use hub_calc::page::{STYLE, TABLES};
use hub_calc::stats::to_places;
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// The page of an audit, whole.
#[must_use]
pub fn page(audit: &Audit, language: Language) -> String {
    let words = language.words();
    let about = &audit.about;
    let whole = html! {
        (DOCTYPE)
        html lang=(language.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (words.title) (words.colon) (about.tool) }
                style { (PreEscaped(STYLE)) (PreEscaped(TABLES)) (PreEscaped(chart::STYLE)) }
            }
            body {
                main {
                    h1 { (words.title) (words.colon) (about.tool) }
                    h2 { (words.summary) }
                    (summary(audit, words))
                    @if audit.people.assessed == 0 { p { (words.nobody) } }
                    @if let Some(found) = &audit.selection {
                        h2 { (words.selection) }
                        (measure(found, language, (words.selected, words.selection_rate)))
                    }
                    @if let Some((median, found)) = &audit.scoring {
                        h2 { (words.scoring) }
                        p { (words.median) (words.colon) (in_full(median)) }
                        (measure(found, language, (words.above, words.scoring_rate)))
                    }
                    h2 { (words.method) }
                    ul { @for line in words.explained { li { (line) } } }
                }
            }
        }
    };
    whole.into_string()
}

fn summary(audit: &Audit, words: &Words) -> Markup {
    let (about, people) = (&audit.about, &audit.people);
    let first_used = about.first_used.map_or_else(|| words.not_yet_used.to_owned(), |day| day.to_string());
    let mut lines = vec![
        (words.tool, about.tool.clone()),
        (words.version, about.version.clone()),
        (words.audited, about.audited.to_string()),
        (words.auditor, about.auditor.clone()),
        (words.data_source, about.data_source.clone()),
        (words.period, format!("{} – {}", about.period.0, about.period.1)),
        (words.first_used, first_used),
        (words.assessed, people.assessed.to_string()),
        (words.unknown_sex, people.unknown_sex.to_string()),
        (words.unknown_race, people.unknown_race.to_string()),
        (words.unknown_both, people.unknown_intersection.to_string()),
    ];
    if let Some(exclusion) = &audit.exclusion {
        let Words { exclusion_below, comma, reason, colon, .. } = words;
        let below = in_full(&(&exclusion.below * &Exact::hundred()));
        lines.push((words.exclusion, format!("{exclusion_below} {below}%{comma}{reason}{colon}{}", exclusion.reason)));
    }
    html! { dl { @for (name, value) in lines { dt { (name) } dd { (value) } } } }
}

/// The three tables of one kind of rate; `heads` name those counted and the rate.
fn measure(found: &Measure, language: Language, heads: (&str, &str)) -> Markup {
    let words = language.words();
    let tables = [(words.by_sex, &found.sex), (words.by_race, &found.race), (words.by_both, &found.intersection)];
    html! { @for (title, one) in tables { (table(one, language, title, heads)) } }
}

fn table(table: &Table, language: Language, title: &str, (favoured, rate): (&str, &str)) -> Markup {
    let words = language.words();
    let drawn: Vec<Bar> = table.categories.iter().filter_map(|one| bar(one, language)).collect();
    let heads = [words.assessed, favoured, rate, words.ratio, words.note];
    let unknown = row(&heads, words.unknown, &table.unknown, None, html! { (words.unknown_note) });
    html! {
        section .table {
            h3 { (title) }
            @if !drawn.is_empty() { (ratios(words, title, drawn)) }
            div .frame {
                table {
                    thead { tr { th scope="col" { (words.category) } @for head in heads { th scope="col" { (head) } } } }
                    tbody {
                        @for (index, one) in table.categories.iter().enumerate() {
                            @let note = note(one, table.benchmark == Some(index), words);
                            (row(&heads, &name(one, language), &one.group, one.standing.ratio(), note))
                        }
                        (unknown)
                    }
                }
            }
        }
    }
}

/// A row of a table: its category, and a cell for each of the other heads.
fn row(heads: &[&str; 5], name: &str, group: &Group, ratio: Option<&Exact>, note: Markup) -> Markup {
    let rate = group.rate().map(|rate| (&rate * &Exact::hundred()).to_places(2) + "%");
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    let (rate, ratio) = (or_dash(rate), or_dash(ratio.map(|ratio| ratio.to_places(4))));
    let cells = [html! { (group.assessed) }, html! { (group.favoured) }, html! { (rate) }, html! { (ratio) }, note];
    html! {
        tr {
            th scope="row" { (name) }
            @for (head, cell) in heads.iter().zip(cells) { td data-head=(head) { span { (cell) } } }
        }
    }
}

fn name(one: &Category, language: Language) -> String {
    let told: Vec<&str> = [&one.sex, &one.race].into_iter().flatten().map(|told| category(language, told)).collect();
    told.join(" · ")
}

/// Impact ratios from 0 to 1 with a line at four fifths. Those below are marked by a word, too, since colour alone does
/// not reach everybody.
fn ratios(words: &Words, title: &str, bars: Vec<Bar>) -> Markup {
    let title = format!("{}{}{title}", words.ratio, words.colon);
    let mark = Exact::from(4).over(&Exact::from(5)).map(|at| (at, words.four_fifths.to_owned()));
    let ends = Some((Exact::zero(), Exact::one()));
    Bars { title, axis: words.ratio.to_owned(), bars, ends, mark }.draw().inline()
}

fn bar(one: &Category, language: Language) -> Option<Bar> {
    let (ratio, flagged) = (one.standing.ratio()?, one.standing.below_four_fifths());
    let mut label = ratio.to_places(4);
    if flagged {
        label = format!("{label} {}", language.words().below);
    }
    Some(Bar { name: name(one, language), value: ratio.clone(), label, interval: None, flagged })
}

fn note(one: &Category, is_benchmark: bool, words: &Words) -> Markup {
    match &one.standing {
        Standing::Compared { .. } if is_benchmark => html! { (words.highest) },
        Standing::Compared { below_four_fifths, .. } => html! {
            @if *below_four_fifths { span .flag { (words.below) } }
            @if let Some(chance) = one.chance {
                @if *below_four_fifths { (words.comma) }
                (significance(&chance, words))
            }
        },
        Standing::Small { share } => html! {
            (words.excluded) (words.colon) ((share * &Exact::hundred()).to_places(2)) "% " (words.of_all)
        },
        Standing::NoBenchmark => html! { (words.no_benchmark) },
        Standing::Nobody => html! { (words.nobody) },
        Standing::Unknown => html! { (words.unknown_note) },
    }
}

/// What chance says; a p too small for its places is not shown as nought.
fn significance(chance: &Chance, words: &Words) -> Markup {
    let (test, p) = (if chance.test == Test::Fisher { "Fisher" } else { "z" }, to_places(chance.p, 4));
    let p = p.filter(|p| p != "0.0000").map_or_else(|| "< 0.0001".to_owned(), |p| format!("= {p}"));
    html! { @if chance.is_significant() { (words.significant) } @else { (words.chance) } " (" (test) ", p " (p) ")" }
}
