//! What held on a day, as it was known at a time: a year of job changes, told again by the API and by an oracle that
//! keeps every state it was in. On SQLite and on PostgreSQL.

use crate::backend::Backend;
use crate::desk::{Desk, desk, word};
use hub_tree::Clock;
use hub_tree::jiff::civil::{Date, date};
use hub_tree::jiff::tz::TimeZone;
use hub_tree::jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const PEOPLE: usize = 8;
const CHANGES: usize = 160;
const QUESTIONS: usize = 500;
const DEPARTMENTS: u64 = 6;

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// An assignment as the oracle knows it.
#[derive(Clone, Debug)]
struct Job {
    employee: usize,
    from: Date,
    to: Option<Date>,
    department: String,
}

type State = BTreeMap<String, Job>;

fn fields(job: &Job, employments: &[String]) -> Value {
    json!({
        "employment": { "type": "employment", "id": employments[job.employee] },
        "valid_from": job.from.to_string(),
        "valid_to": job.to.map(|day| day.to_string()),
        "department": { "type": "department", "id": job.department },
        "is_primary": true,
    })
}

/// The year: what was known from which time on.
async fn script(desk: &Desk, clock: &Clock, dice: &mut Dice, employments: &[String]) -> Vec<(Timestamp, State)> {
    let departments: Vec<String> = (0..DEPARTMENTS).map(|_| crate::backend::id()).collect();
    let department = |dice: &mut Dice| departments[usize::try_from(dice.below(DEPARTMENTS)).unwrap()].clone();
    let mut state = State::new();
    let mut states = Vec::new();
    let mut now: Timestamp = "2026-01-01T08:00:00Z".parse().unwrap();
    for n in 0..CHANGES {
        now += (10 + i64::try_from(dice.below(80)).unwrap()).hours();
        clock.set(now);
        let today = now.to_zoned(TimeZone::UTC).date();
        let employee = n % PEOPLE;
        let mut own: Vec<String> =
            state.iter().filter(|(_, job)| job.employee == employee).map(|(id, _)| id.clone()).collect();
        own.sort_by_key(|id| state[id].from);
        let kind = dice.below(10);
        let mut words = Vec::new();
        let mut put = |state: &mut State, id: &str, new: bool, job: Job| {
            words.push(word("job_assignment", id, new, &fields(&job, employments)));
            state.insert(id.to_owned(), job);
        };
        if own.is_empty() || kind < 5 {
            // Hired, or moved: from a day before or behind today on, and what went on ends the day before.
            let shift = i64::try_from(dice.below(60)).unwrap() - 30;
            let from = today.saturating_add(shift.days());
            if let Some(last) = own.last().filter(|last| state[*last].from < from) {
                let job = Job { to: Some(from.yesterday().unwrap()), ..state[last].clone() };
                put(&mut state, last, false, job);
            }
            let job = Job { employee, from, to: None, department: department(dice) };
            put(&mut state, &crate::backend::id(), true, job);
        } else {
            let pick = own[usize::try_from(dice.below(own.len() as u64)).unwrap()].clone();
            let job = state[&pick].clone();
            match kind {
                // It was another department all the time.
                5 | 6 => put(&mut state, &pick, false, Job { department: department(dice), ..job }),
                // It began, or ended, on another day.
                7 => {
                    let earlier = job.from.saturating_sub(i64::try_from(dice.below(40)).unwrap().days());
                    put(&mut state, &pick, false, Job { from: earlier, ..job });
                }
                8 => {
                    let end = job.from.saturating_add(i64::try_from(dice.below(90)).unwrap().days());
                    put(&mut state, &pick, false, Job { to: Some(end), ..job });
                }
                // It never was.
                _ => {
                    let mut gone = word("job_assignment", &pick, false, &json!({}));
                    gone.deleted = true;
                    words.push(gone);
                    state.remove(&pick);
                }
            }
        }
        desk.apply(words).await;
        states.push((now, state.clone()));
    }
    states
}

/// What the hub knew at a time.
fn known(states: &[(Timestamp, State)], at: Timestamp) -> State {
    states.iter().rev().find(|(since, _)| *since <= at).map(|(_, state)| state.clone()).unwrap_or_default()
}

fn holds(job: &Job, on: Date) -> bool {
    job.from <= on && job.to.is_none_or(|to| on <= to)
}

mod contract {
    use super::*;

    pub(super) async fn any_day_as_known_at_any_time_is_what_an_oracle_says(b: Backend) {
        let clock = Clock::fixed("2026-01-01T00:00:00Z".parse().unwrap());
        let desk = desk(&b, clock.clone()).await;
        let (mut people, mut employments) = (Vec::new(), Vec::new());
        for n in 0..PEOPLE {
            let status = json!({ "employee_number": format!("E{n}"), "status": { "value": "ACTIVE" } });
            let employee = desk.make("employee", status).await;
            let of = json!({ "employee": { "type": "employee", "id": employee }, "is_primary": true });
            employments.push(desk.make("employment", of).await);
            people.push(employee);
        }
        let mut dice = Dice(20_260_301);
        let states = script(&desk, &clock, &mut dice, &employments).await;
        let begin: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let hours = u64::try_from((states.last().unwrap().0.as_second() - begin.as_second()) / 3600).unwrap() + 48;
        let mut told = 0;
        for _ in 0..QUESTIONS {
            let on = date(2025, 12, 1).saturating_add(i64::try_from(dice.below(460)).unwrap().days());
            let at = begin + i64::try_from(dice.below(hours)).unwrap().hours();
            let when = format!("as_of={on}&known_at={at}");
            let state = known(&states, at);
            let listed = desk.get(&format!("/v1/job-assignments?limit=500&{when}")).await;
            let of = |record: &Value| {
                let text = |value: &Value| value.as_str().unwrap().to_owned();
                (text(&record["id"]), text(&record["department"]["id"]))
            };
            let listed: BTreeSet<(String, String)> = listed["data"].as_array().unwrap().iter().map(of).collect();
            let wanted = state.iter().filter(|(_, job)| holds(job, on));
            let wanted: BTreeSet<(String, String)> =
                wanted.map(|(id, job)| (id.clone(), job.department.clone())).collect();
            assert_eq!(listed, wanted, "{when}");
            told += listed.len();

            let employee = usize::try_from(dice.below(PEOPLE as u64)).unwrap();
            let current = desk.get(&format!("/v1/employees/{}?{when}", people[employee])).await;
            let own = state.values().filter(|job| job.employee == employee && holds(job, on));
            let latest = own.clone().map(|job| job.from).max();
            let best: Vec<&str> =
                own.filter(|job| Some(job.from) == latest).map(|job| job.department.as_str()).collect();
            match current["current"]["department"]["id"].as_str() {
                Some(department) => assert!(best.contains(&department), "{when}: {current}"),
                None => assert!(best.is_empty(), "{when}: {best:?} {current}"),
            }
            if let Some((id, department)) = wanted.first() {
                let one = desk.get(&format!("/v1/job-assignments/{id}?{when}")).await;
                assert_eq!(&one["department"]["id"], department, "{when}");
            }
        }
        assert!(told > QUESTIONS, "the questions are about something");
        // As long as nobody was known, there was nobody.
        let before = format!("/v1/employees/{}?known_at=2025-12-31T00:00:00Z", people[0]);
        assert_eq!(desk.get_as(crate::desk::ADMIN, &before).await.0, 404);
        assert_eq!(desk.get("/v1/employees?known_at=2025-12-31T00:00:00Z").await["data"], json!([]));
        // Filters are about what was known then, too.
        let at = states[CHANGES / 2].0;
        let state = known(&states, at);
        let path = format!("/v1/job-assignments?limit=500&known_at={at}&employment={}", employments[1]);
        let listed = desk.get(&path).await["data"].as_array().unwrap().len();
        assert_eq!(listed, state.values().filter(|job| job.employee == 1).count());
        assert!(listed > 0);
        let department = state.values().next().unwrap().department.clone();
        let path = format!("/v1/job-assignments?limit=500&known_at={at}&department={department}");
        let listed = desk.get(&path).await["data"].as_array().unwrap().len();
        assert_eq!(listed, state.values().filter(|job| job.department == department).count());
    }
}

on_both_stores!(any_day_as_known_at_any_time_is_what_an_oracle_says);
