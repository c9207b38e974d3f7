//! Which keywords answers hold, and which stand without the one that should be with them.

use super::{Asked, Kind as ReportKind};
use crate::figures::{FEWEST, Rate, percent, percent_axis};
use crate::input;
use crate::report::{Cell, Chart, Finding, Kind, Plot, Report, Table};
use crate::text::Text;
use hub_calc::Exact;
use hub_interview::{is_keyword, plain};
use std::collections::BTreeMap;

/// What it is.
pub(super) const KIND: ReportKind = ReportKind {
    name: "keyword-gaps",
    title,
    about: "Keywords of answers by frequency, and pairs (`pair`) of which the second word is missing.",
    columns: COLUMNS,
    make: |table, asked| {
        let read = |cells: &input::Cells<'_, '_>| Ok(Row { keywords: cells.words("keywords") });
        Ok(report(&input::rows(table, COLUMNS, read)?, asked))
    },
};

const COLUMNS: &[&str] = &["keywords"];
/// Keywords that a page has room for.
const MOST: usize = 20;

fn title() -> Text {
    Text::new("关键词与缺失", "Keywords and what is missing")
}

/// The answers of one interview.
#[derive(Clone, Debug)]
pub struct Row {
    /// The keywords that were found in them.
    pub keywords: Vec<String>,
}

/// The report.
#[must_use]
pub fn report(rows: &[Row], asked: &Asked) -> Report {
    let answers: Vec<Vec<String>> =
        rows.iter().map(|row| row.keywords.iter().map(|word| plain(word)).collect()).collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for words in &answers {
        let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
        words.sort_unstable();
        words.dedup();
        for word in words {
            *counts.entry(word).or_default() += 1;
        }
    }
    let mut frequent: Vec<(&str, Rate)> =
        counts.into_iter().map(|(word, met)| (word, Rate { met, all: rows.len() })).collect();
    frequent.retain(|(_, rate)| rate.met >= FEWEST);
    frequent.sort_by_key(|(_, rate)| std::cmp::Reverse(rate.met));
    frequent.truncate(MOST);
    let gaps: Vec<(&(String, String), Rate)> = asked.pairs.iter().map(|pair| (pair, gap(&answers, pair))).collect();
    let half = Exact::one().over(&Exact::from(2));
    let found =
        |(pair, rate): &(&(String, String), Rate)| finding(pair, *rate, rate.all >= FEWEST && rate.share() >= half);
    let mut tables = Vec::new();
    if !gaps.is_empty() {
        tables.push(Table {
            title: Text::new("应同时出现的词", "Words that should stand together"),
            heads: vec![
                Text::new("关键词", "Keyword"),
                Text::new("应伴随", "Should be with"),
                Text::new("含关键词的面试", "Interviews with it"),
                Text::new("缺失比例", "Without the other"),
                Text::new("95% 区间", "95 % interval"),
            ],
            rows: gaps.iter().map(|((word, with), rate)| gap_row(word, with, *rate)).collect(),
        });
    }
    tables.push(Table {
        title: Text::new("高频关键词", "Frequent keywords"),
        heads: vec![
            Text::new("关键词", "Keyword"),
            Text::new("面试数", "Interviews"),
            Text::new("占比", "Share"),
            Text::new("95% 区间", "95 % interval"),
        ],
        rows: frequent
            .iter()
            .map(|(word, rate)| {
                vec![Cell::name(word), Cell::count(rate.met), Cell::share(rate.share()), Cell::shares(rate.interval())]
            })
            .collect(),
    });
    let bars: Vec<_> = frequent.iter().filter_map(|(word, rate)| rate.bar(Text::same(*word), false)).collect();
    let mut charts = Vec::new();
    if !bars.is_empty() {
        let axis = Text::new("出现该词的面试（%，95% 区间）", "interviews with the word (%, 95 % interval)");
        charts.push(Chart {
            title: Text::new("高频关键词", "Frequent keywords"),
            plot: Plot::Bars { axis, bars, ends: percent_axis(), mark: None },
        });
    }
    Report {
        name: KIND.name,
        title: title(),
        about: asked.about(Text::new("面试数", "Interviews"), rows.len()),
        findings: gaps.iter().map(found).collect(),
        charts,
        tables,
        method: vec![Text::new(
            "每场面试中同一关键词只计一次；比较前统一字形与大小写。出现少于 5 次的词不显示。",
            "A keyword counts once for an interview; forms and case are made equal first. Words of fewer than 5 interviews are not shown.",
        )],
    }
}

/// Of the answers with the keyword, those without its companion.
fn gap(answers: &[Vec<String>], (keyword, companion): &(String, String)) -> Rate {
    let (keyword, companion) = (plain(keyword), plain(companion));
    let holds = |words: &[String], wanted: &str| words.iter().any(|word| is_keyword(wanted, word));
    Rate::of(answers.iter().filter(|words| holds(words, &keyword)).map(|words| !holds(words, &companion)))
}

fn gap_row(word: &str, with: &str, rate: Rate) -> Vec<Cell> {
    let start = vec![Cell::name(word), Cell::name(with)];
    let rest = if rate.all < FEWEST {
        vec![Cell::Hidden, Cell::Empty, Cell::Empty]
    } else {
        vec![Cell::count(rate.all), Cell::share(rate.share()), Cell::shares(rate.interval())]
    };
    [start, rest].concat()
}

fn finding((word, with): &(String, String), rate: Rate, common: bool) -> Finding {
    let not_shown = Text::new(
        "候选人是否具备该能力；可能只是没有被问到。",
        "whether candidates lack it: they may not have been asked.",
    );
    let Some(share) = rate.share().filter(|_| rate.all >= FEWEST) else {
        let text =
            Text::new(format!("提到“{word}”的面试少于 5 场。"), format!("Fewer than 5 interviews hold “{word}”."));
        return Finding {
            kind: Kind::Refused,
            text,
            n: rate.all,
            effect: None,
            not_shown: Text::default(),
            proposal: None,
        };
    };
    let text = Text::new(
        format!(
            "提到“{word}”的面试中，{} 没有提到“{with}”{}",
            percent(&share),
            if common { "：建议在复试中追问。" } else { "。" }
        ),
        format!(
            "Of interviews with “{word}”, {} are without “{with}”{}",
            percent(&share),
            if common { ": ask for it in the second interview." } else { "." }
        ),
    );
    let effect = Some((Text::new("缺失比例", "share without it"), share, rate.interval()));
    Finding {
        kind: if common { Kind::Warning } else { Kind::Fact },
        text,
        n: rate.all,
        effect,
        not_shown,
        proposal: None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{asked, d, made};
    use super::*;

    #[test]
    fn a_word_without_its_companion_is_counted_and_flagged() {
        let mut table = "keywords\n".to_owned();
        for answer in 0..10 {
            table += if answer < 6 {
                "用户需求;沟通\n"
            } else if answer < 8 {
                "用户需求、数据支撑\n"
            } else {
                "沟通\n"
            };
        }
        let pairs = vec![("用户需求".to_owned(), "数据支撑".to_owned()), ("竞品".to_owned(), "数据支撑".to_owned())];
        let report = made("keyword-gaps", &table, &Asked { pairs, ..asked() }).unwrap();
        let [gap, thin] = report.findings.as_slice() else { panic!() };
        assert_eq!((gap.kind, gap.n, gap.effect.as_ref().unwrap().1.clone()), (Kind::Warning, 8, d("0.75")));
        assert_eq!((thin.kind, thin.n), (Kind::Refused, 0));
        let words: Vec<&Cell> = report.tables[1].rows.iter().map(|row| &row[1]).collect();
        assert_eq!(words, [&Cell::Count(8), &Cell::Count(8)], "数据支撑 is in too few");
    }
}
