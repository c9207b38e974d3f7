//! The reports, each a module: what a row is, how it is read from a table, and what is said about rows.

pub mod attrition;
pub mod courses;
pub mod distribution;
pub mod keywords;
pub mod oversight;
pub mod pay;
pub mod programme;
pub mod talent;
pub mod thresholds;
pub mod weak;

use crate::input::Wrong;
use crate::report::Report;
use crate::text::Text;
use hub_calc::Exact;
use hub_tree::Value;
use hub_tree::jiff::civil::Date;

/// What a report is asked for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The first and the last day of the rows, where they are limited.
    pub window: (Option<Date>, Option<Date>),
    /// Where the rows come from.
    pub source: Text,
    /// The day on which it is made.
    pub made: Date,
    /// A score to compare with, 0 to 100: below it is low; of `thresholds`, the threshold in force.
    pub mark: Option<Exact>,
    /// Words that should stand together: the first, and the one that should be with it.
    pub pairs: Vec<(String, String)>,
}

impl Asked {
    /// The lines that every report begins with.
    pub(crate) fn about(&self, counted: Text, n: usize) -> Vec<(Text, Text)> {
        let day = |day: Option<Date>| day.map_or_else(|| "…".to_owned(), |day| day.to_string());
        let period = match self.window {
            (None, None) => Text::new("不限", "not limited"),
            (since, until) => Text::same(format!("{} – {}", day(since), day(until))),
        };
        vec![
            (Text::new("数据期间", "Period of the data"), period),
            (Text::new("数据来源", "Source"), self.source.clone()),
            (Text::new("生成日期", "Made on"), Text::same(self.made.to_string())),
            (counted, Text::same(n.to_string())),
        ]
    }

    /// The mark, or the house's: 60 of 100.
    pub(crate) fn mark_or_house(&self) -> Exact {
        self.mark.clone().unwrap_or_else(|| Exact::from(60))
    }
}

/// A report that can be made.
pub struct Kind {
    /// Its name in addresses.
    pub name: &'static str,
    /// Its title.
    pub title: fn() -> Text,
    /// What it answers, in one line.
    pub about: &'static str,
    /// The columns of its table; none where features have names of their own.
    pub columns: &'static [&'static str],
    /// Makes it from a table.
    pub make: fn(&[Value<'_>], &Asked) -> Result<Report, Wrong>,
}

/// All of them.
pub static REPORTS: &[Kind] = &[
    distribution::KIND,
    thresholds::KIND,
    programme::KIND,
    weak::KIND,
    keywords::KIND,
    oversight::KIND,
    courses::KIND,
    attrition::KIND,
    talent::KIND,
    pay::KIND,
];

/// The report of a name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Kind> {
    REPORTS.iter().find(|kind| kind.name == name)
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    pub(crate) fn d(text: &str) -> Exact {
        Exact::from(text.parse::<hub_tree::Decimal>().unwrap())
    }

    pub(crate) fn asked() -> Asked {
        let made = "2026-11-02".parse().unwrap();
        Asked { window: (None, None), source: Text::same("test"), made, mark: None, pairs: Vec::new() }
    }

    /// A report of a table as text.
    pub(crate) fn made(name: &str, table: &str, asked: &Asked) -> Result<Report, Wrong> {
        let arena = hub_tree::Arena::new();
        let options = hub_tree::csv::Options::default();
        let read = hub_tree::csv::read(&arena, table.as_bytes(), options, hub_tree::Limits::default()).unwrap();
        (find(name).unwrap().make)(read.items(), asked)
    }
}

#[cfg(test)]
mod tests {
    use super::testing::asked;
    use super::*;
    use crate::{Language, json, page};

    #[test]
    fn every_report_of_no_rows_is_a_page_that_says_so() {
        for kind in REPORTS {
            let report = (kind.make)(&[], &asked()).unwrap();
            assert_eq!(report.name, kind.name);
            assert!(!report.title.zh.is_empty() && !report.method.is_empty(), "{}", kind.name);
            for language in [Language::Chinese, Language::English] {
                let page = page(&report, language);
                assert!(page.starts_with("<!DOCTYPE html>") && !page.contains("<script"), "{}", kind.name);
            }
            assert_eq!(json(&report)["report"], kind.name);
        }
    }

    #[test]
    fn a_row_that_cannot_be_read_is_named() {
        let wrong =
            testing::made("distribution", "role,dimension,score\nsales,抗压能力,eighty\n", &asked()).unwrap_err();
        assert!(wrong.row == 2 && wrong.detail.contains("eighty"), "{wrong}");
        let wrong = testing::made("distribution", "role,dimension,scores\nsales,抗压能力,80\n", &asked()).unwrap_err();
        assert!(wrong.detail.contains("`scores`") && wrong.detail.contains("score"), "{wrong}");
    }
}
