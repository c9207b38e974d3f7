//! Calendars: which days people work. A calendar knows the days of the years that it lists, and nothing of others: what
//! a government has not announced yet is not guessed.

use hub_tree::jiff::civil::{Date, Weekday};
use hub_tree::yaml::{self, Context, Kind, Node};
use hub_tree::{Findings, Source};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The working days of some years.
#[derive(Debug)]
pub struct Calendar {
    /// Its name.
    pub name: String,
    weekend: Vec<Weekday>,
    years: BTreeSet<i16>,
    /// Days off beside the weekends.
    holidays: BTreeSet<Date>,
    /// Days of weekends on which people work all the same.
    workdays: BTreeSet<Date>,
    /// Its file: a change of it plans anew.
    pub(crate) source: Arc<Source>,
}

const WEEKDAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

impl Calendar {
    /// Whether people work on a day; `None` when its year is not listed.
    #[must_use]
    pub fn is_workday(&self, day: Date) -> Option<bool> {
        let usual = !self.weekend.contains(&day.weekday());
        let known = self.years.contains(&day.year());
        known.then(|| self.workdays.contains(&day) || (usual && !self.holidays.contains(&day)))
    }

    /// Reads `calendars/<name>.yaml`.
    pub(crate) fn compile(name: &str, source: &Arc<Source>, findings: &Findings) -> Option<Self> {
        let before = findings.error_count();
        let root = yaml::read(source, findings)?;
        let cx = Context::new(source, findings);
        let mut fields = root.fields(&cx)?;
        fields.version(1);
        super::files::named(&mut fields, "calendar", name, &cx);
        fields.text("doc");
        let weekend = fields.optional("weekend").map(|node| weekend(node, &cx));
        let mut calendar = Self {
            name: name.to_owned(),
            weekend: weekend.unwrap_or_else(|| vec![Weekday::Saturday, Weekday::Sunday]),
            years: BTreeSet::new(),
            holidays: BTreeSet::new(),
            workdays: BTreeSet::new(),
            source: Arc::clone(source),
        };
        if let Some(node) = fields.required("years") {
            for (key, value) in node.entries(&cx) {
                match key.name.parse::<i16>() {
                    Ok(year @ 1970..=2199) => calendar.year(year, value, &cx),
                    _ => cx.error(key.span, format!("`{}` is no year from 1970 to 2199", key.name)),
                }
            }
        }
        fields.finish();
        (findings.error_count() == before).then_some(calendar)
    }

    fn year(&mut self, year: i16, node: &Node, cx: &Context<'_>) {
        let Some(mut fields) = node.fields(cx) else { return };
        self.years.insert(year);
        let mut listed: BTreeMap<Date, &'static str> = BTreeMap::new();
        for (key, what) in [("holidays", "a holiday"), ("workdays", "a working day")] {
            for item in fields.optional(key).map(|node| node.items(cx)).unwrap_or_default() {
                for day in days(item, year, cx) {
                    match listed.insert(day, what) {
                        Some(other) if other == what => cx.error(item.span, format!("{day} stands twice")),
                        Some(other) => cx.error(item.span, format!("{day} is {other} already")),
                        None => {}
                    }
                    if key == "holidays" {
                        self.holidays.insert(day);
                    } else {
                        if !self.weekend.contains(&day.weekday()) {
                            cx.warning(item.span, format!("{day} is a working day anyway"), None);
                        }
                        self.workdays.insert(day);
                    }
                }
            }
        }
        fields.finish();
    }
}

fn weekend(node: &Node, cx: &Context<'_>) -> Vec<Weekday> {
    let mut found = Vec::new();
    for item in node.items(cx) {
        let word = item.scalar().unwrap_or_default();
        match WEEKDAYS.iter().find(|(name, _)| *name == word) {
            Some((_, day)) => found.push(*day),
            None => cx.unknown(item.span, "weekday", word, WEEKDAYS.iter().map(|(name, _)| *name)),
        }
    }
    found
}

/// A day, or the days `{ from, to, name }`; both ends count.
fn days(node: &Node, year: i16, cx: &Context<'_>) -> Vec<Date> {
    let day = |node: &Node| {
        let day = node.scalar().and_then(|text| text.parse::<Date>().ok());
        match day {
            Some(day) if day.year() == year => return Some(day),
            Some(day) => cx.error(node.span, format!("{day} is not in {year}")),
            None => cx.error_with(node.span, "expected a day", Some(format!("such as {year}-01-01"))),
        }
        None
    };
    if !matches!(node.kind, Kind::Map(_)) {
        return day(node).into_iter().collect();
    }
    let Some(mut fields) = node.fields(cx) else { return Vec::new() };
    let from = fields.required("from").and_then(day);
    let to = fields.optional("to").map_or(from, day);
    fields.text("name");
    fields.finish();
    let (Some(from), Some(to)) = (from, to) else { return Vec::new() };
    if from > to {
        cx.error(node.span, "the days end before they begin");
        return Vec::new();
    }
    from.series(hub_tree::jiff::Span::new().days(1)).take_while(|day| *day <= to).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Option<Calendar>, Vec<String>) {
        let source = Source::new("calendars/t.yaml", text);
        let findings = Findings::new();
        let calendar = Calendar::compile("t", &source, &findings);
        let lines = findings.into_sorted().iter().map(|f| f.to_string().lines().next().unwrap().to_owned()).collect();
        (calendar, lines)
    }

    #[test]
    fn weekends_move_and_other_years_are_not_guessed() {
        let (calendar, problems) = read(
            "version: 1\ncalendar: t\nyears:\n  2026:\n    holidays: [2026-01-01, { from: 2026-02-15, to: 2026-02-23, name: x }]\n    workdays: [2026-02-14]\n",
        );
        assert!(problems.is_empty(), "{problems:?}");
        let calendar = calendar.unwrap();
        let works = |day: &str| calendar.is_workday(day.parse().unwrap());
        assert_eq!(works("2026-01-01"), Some(false));
        assert_eq!(works("2026-01-02"), Some(true));
        assert_eq!(works("2026-01-03"), Some(false), "a Saturday");
        assert_eq!(works("2026-02-14"), Some(true), "a Saturday on which people work");
        assert_eq!(["2026-02-15", "2026-02-23", "2026-02-24"].map(works), [Some(false), Some(false), Some(true)]);
        assert_eq!((works("2025-12-31"), works("2027-01-01")), (None, None));
    }

    #[test]
    fn slips_are_found() {
        let (calendar, problems) = read(
            "version: 1\ncalendar: t\nweekend: [sat, sonday]\nyears:\n  2026:\n    holidays: [2027-01-01, 2026-02-30, 2026-05-01, 2026-05-01]\n    workdays: [2026-05-01, 2026-05-04, 2026-05-09]\n",
        );
        assert!(calendar.is_none());
        assert_eq!(
            problems,
            [
                "calendars/t.yaml:3:16: error: unknown weekday `sonday`",
                "calendars/t.yaml:6:16: error: 2027-01-01 is not in 2026",
                "calendars/t.yaml:6:28: error: expected a day",
                "calendars/t.yaml:6:52: error: 2026-05-01 stands twice",
                "calendars/t.yaml:7:16: error: 2026-05-01 is a holiday already",
                "calendars/t.yaml:7:16: warning: 2026-05-01 is a working day anyway",
                "calendars/t.yaml:7:28: warning: 2026-05-04 is a working day anyway",
            ]
        );
    }
}
