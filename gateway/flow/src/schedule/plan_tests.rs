//! Plans against a clock that is looked at minute by minute.

use super::*;
use hub_tree::{Findings, Source};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn plan(line: &str, zone: &str) -> Plan {
    let when = When::Cron(Cron::parse(line).unwrap());
    Plan { when, zone: TimeZone::get(zone).unwrap(), only: Only::All, calendar: None }
}

fn every(seconds: i64, zone: &str) -> Plan {
    Plan { when: When::Every(seconds), ..plan("* * * * *", zone) }
}

/// The next `count` times behind an instant, in UTC.
fn next(plan: &Plan, after: &str, count: usize) -> Vec<String> {
    let mut at: Timestamp = after.parse().unwrap();
    let mut found = Vec::new();
    for _ in 0..count {
        at = plan.next(at).unwrap();
        found.push(format!("{at:.0}"));
    }
    found
}

#[test]
fn a_time_that_does_not_exist_is_the_next_instant_that_does() {
    // Clocks go from 02:00 to 03:00 on 29 March 2026 in Berlin, on 8 March in New York.
    assert_eq!(
        next(&plan("30 2 * * *", "Europe/Berlin"), "2026-03-28T00:00:00Z", 3),
        ["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]
    );
    assert_eq!(
        next(&plan("30 2 * * *", "America/New_York"), "2026-03-07T12:00:00Z", 2),
        ["2026-03-08T07:00:00Z", "2026-03-09T06:30:00Z"]
    );
    // Many times that do not exist, and one that does, are one instant and fire once.
    assert_eq!(
        next(&plan("*/20 1-3 * * *", "Europe/Berlin"), "2026-03-29T00:30:00Z", 4),
        ["2026-03-29T00:40:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:20:00Z", "2026-03-29T01:40:00Z"]
    );
}

#[test]
fn a_time_that_comes_twice_fires_once() {
    // Clocks go from 03:00 to 02:00 on 25 October 2026 in Berlin, from 02:00 to 01:00 on 1 November in New York.
    assert_eq!(
        next(&plan("30 2 * * *", "Europe/Berlin"), "2026-10-24T12:00:00Z", 2),
        ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]
    );
    assert_eq!(
        next(&plan("30 1 * * *", "America/New_York"), "2026-10-31T12:00:00Z", 2),
        ["2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"]
    );
    // Asked between the two, too.
    assert_eq!(next(&plan("30 2 * * *", "Europe/Berlin"), "2026-10-25T01:15:00Z", 1), ["2026-10-26T01:30:00Z"]);
    // An interval counts real time.
    assert_eq!(
        next(&every(1_800, "Europe/Berlin"), "2026-10-25T00:10:00Z", 3),
        ["2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z"]
    );
}

#[test]
fn a_day_that_a_zone_skips_is_the_next_instant() {
    // Apia had no 30 December 2011.
    assert_eq!(
        next(&plan("0 9 30 12 *", "Pacific/Apia"), "2011-12-29T12:00:00Z", 2),
        ["2011-12-30T10:00:00Z", "2012-12-29T19:00:00Z"]
    );
}

#[test]
fn midnight_that_does_not_exist_still_begins_the_day() {
    // Clocks in Cairo went from 00:00 to 01:00 on 26 April 2024.
    assert_eq!(
        next(&plan("0 0 * * *", "Africa/Cairo"), "2024-04-25T00:00:00Z", 2),
        ["2024-04-25T22:00:00Z", "2024-04-26T21:00:00Z"]
    );
}

fn calendar(years: &str) -> Option<Arc<Calendar>> {
    let text = format!("version: 1\ncalendar: t\nyears: {years}\n");
    let calendar = Calendar::compile("t", &Source::new("t.yaml", text), &Findings::new());
    Some(Arc::new(calendar.unwrap()))
}

#[test]
fn working_days_follow_the_calendar_and_stop_where_it_ends() {
    let years = "{ 2026: { holidays: [2026-12-31], workdays: [2026-12-27] } }";
    let workdays = |line| Plan { only: Only::Workdays, calendar: calendar(years), ..plan(line, "Asia/Shanghai") };
    let daily = workdays("0 9 * * *");
    assert_eq!(
        next(&daily, "2026-12-25T02:00:00Z", 4),
        ["2026-12-27T01:00:00Z", "2026-12-28T01:00:00Z", "2026-12-29T01:00:00Z", "2026-12-30T01:00:00Z"]
    );
    let ends = NoTime::CalendarEnds { calendar: "t".into(), day: "2027-01-01".parse().unwrap() };
    assert_eq!(daily.next("2026-12-30T02:00:00Z".parse().unwrap()), Err(ends));
    // Days that the line does not name need not be known.
    let spring = workdays("0 9 15 3 *");
    let ends = NoTime::CalendarEnds { calendar: "t".into(), day: "2027-03-15".parse().unwrap() };
    assert_eq!(spring.next("2026-12-30T02:00:00Z".parse().unwrap()), Err(ends));
    let off = Plan { only: Only::Holidays, ..daily };
    assert_eq!(next(&off, "2026-12-25T02:00:00Z", 2), ["2026-12-26T01:00:00Z", "2026-12-31T01:00:00Z"]);
    let often = Plan { when: When::Every(43_200), ..off };
    assert_eq!(
        next(&often, "2026-12-25T02:00:00Z", 3),
        ["2026-12-26T00:00:00Z", "2026-12-26T12:00:00Z", "2026-12-31T00:00:00Z"]
    );
}

#[test]
fn what_was_missed_is_made_up_for_by_its_last_time() {
    let daily = plan("0 9,18 * * 1-5", "Europe/Berlin");
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let last = |from, until| format!("{:.0}", daily.last(at(from), at(until)));
    assert_eq!(last("2026-03-02T08:00:00Z", "2026-03-08T12:00:00Z"), "2026-03-06T17:00:00Z");
    assert_eq!(last("2026-03-02T08:00:00Z", "2026-03-02T08:00:00Z"), "2026-03-02T08:00:00Z");
    assert_eq!(last("2026-03-02T08:00:00Z", "2026-03-02T16:59:59Z"), "2026-03-02T08:00:00Z");
    // A year of seconds is no loop over seconds.
    let second = every(1, "UTC");
    assert_eq!(second.last(at("2025-01-01T00:00:00Z"), at("2026-01-01T00:00:00.7Z")), at("2026-01-01T00:00:00Z"));
}

#[test]
fn a_leap_day_on_a_weekday_is_found_and_an_impossible_one_is_said() {
    let years = "{ 2026: {} }";
    assert_eq!(next(&plan("0 0 29 2 *", "UTC"), "2026-01-01T00:00:00Z", 1), ["2028-02-29T00:00:00Z"]);
    let never = Plan { only: Only::Holidays, calendar: calendar(years), ..plan("0 0 5 1 *", "UTC") };
    assert!(never.next("2026-01-01T00:00:00Z".parse().unwrap()).is_err());
}

/// What a cron line means, told apart from how it is written.
#[derive(Clone, Debug)]
struct Wanted {
    minutes: BTreeSet<i8>,
    hours: BTreeSet<i8>,
    days: Option<BTreeSet<i8>>,
    weekdays: Option<BTreeSet<i8>>,
}

impl Wanted {
    fn line(&self) -> String {
        let list = |set: &BTreeSet<i8>| set.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let days = |set: &Option<BTreeSet<i8>>| set.as_ref().map_or("*".to_owned(), list);
        format!("{} {} {} * {}", list(&self.minutes), list(&self.hours), days(&self.days), days(&self.weekdays))
    }

    fn means(&self, local: hub_tree::jiff::civil::DateTime) -> bool {
        let day = self.days.as_ref().map(|set| set.contains(&local.day()));
        let weekday = self.weekdays.as_ref().map(|set| set.contains(&local.weekday().to_sunday_zero_offset()));
        let on = match (day, weekday) {
            (Some(a), Some(b)) => a || b,
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => true,
        };
        on && self.minutes.contains(&local.minute()) && self.hours.contains(&local.hour())
    }
}

/// The planned times of some days, found by looking at every minute and at what clocks skip in it.
fn by_looking(wanted: &Wanted, zone: &TimeZone, from: Timestamp, minutes: i64) -> Vec<Timestamp> {
    let mut found = Vec::new();
    let minute = SignedDuration::from_mins(1);
    // What has been shown: local times only count when they are later than all before.
    let mut latest = zone.to_datetime(from.checked_sub(SignedDuration::from_hours(3)).unwrap());
    let mut at = from.checked_sub(SignedDuration::from_hours(3)).unwrap();
    let end = from.checked_add(SignedDuration::from_mins(minutes)).unwrap();
    while at <= end {
        let shown = zone.to_datetime(at);
        let mut means = false;
        while latest < shown {
            latest = latest.checked_add(minute).unwrap();
            means |= wanted.means(latest);
        }
        if means && at > from {
            found.push(at);
        }
        at = at.checked_add(minute).unwrap();
    }
    found
}

fn set(range: std::ops::Range<i8>, most: usize) -> impl Strategy<Value = BTreeSet<i8>> {
    proptest::collection::btree_set(range, 1..=most)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn every_planned_time_is_one_that_a_watcher_of_the_clock_would_say(
        minutes in set(0..60, 3),
        hours in set(0..24, 6),
        days in proptest::option::of(set(1..32, 8)),
        weekdays in proptest::option::of(set(0..7, 4)),
        zone in proptest::sample::select(vec!["Europe/Berlin", "America/New_York", "Asia/Shanghai", "Australia/Lord_Howe", "Africa/Cairo"]),
        // Around the changes of 2026, and anywhere.
        start in prop_oneof![
            proptest::sample::select(vec!["2026-03-28T00:00:00Z", "2026-10-24T00:00:00Z", "2026-03-07T12:00:00Z", "2026-10-31T12:00:00Z", "2026-04-04T00:00:00Z", "2026-10-03T00:00:00Z", "2026-04-23T00:00:00Z"])
                .prop_map(|text| text.parse::<Timestamp>().unwrap()),
            (1_700_000_000_i64..1_900_000_000).prop_map(|second| Timestamp::from_second(second / 60 * 60).unwrap()),
        ],
    ) {
        let wanted = Wanted { minutes, hours, days, weekdays };
        let plan = plan(&wanted.line(), zone);
        let looked = by_looking(&wanted, &plan.zone, start, 3 * 24 * 60);
        let mut at = start;
        for expected in &looked {
            at = plan.next(at).unwrap();
            prop_assert_eq!(at, *expected, "{} in {}", wanted.line(), zone);
        }
        if let (Some(first), Some(last)) = (looked.first(), looked.last()) {
            let end = start.checked_add(SignedDuration::from_hours(72)).unwrap();
            prop_assert_eq!(plan.last(*first, end), *last);
        }
    }
}
