//! Schedules and delayed actions, on SQLite and on PostgreSQL: whole hubs under a clock that the test moves.

use crate::backend::{Backend, hub_on, open};
use hub_flow::records::{self, Target, Write};
use hub_flow::rules::Flows;
use hub_flow::{Hub, Registry, Sources, schedule};
use hub_kit::Catalog;
use hub_store::job;
use hub_telemetry::Metrics;
use hub_tree::env::Environment;
use hub_tree::jiff::{Span, Timestamp};
use hub_tree::{Clock, Findings, Source, TraceContext, yaml};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

const MANIFEST: &str = "version: 1\nvendor: bell\nname: A bell\nfamily: other\ndriver: http\nsettings: { base_url: { required: true, doc: where } }\noperations:\n  ring: { post: /ring, body: args, idempotency: { key: idempotency-key } }\n";
const FLOW: &str = r#"
version: 1
flow: nudge
rules:
  - id: new
    on: application.created
    do:
      - create: assessment_order
        as: order
        fields: { application: { ref: application, hub_id: record.id }, package.id: { value: m }, package.type: { value: AI_INTERVIEW }, vendor: { value: v }, invited_at: { path: event.at }, status: { value: OPEN } }
      - id: remind
        after: 3d
        unless: (record.outcome ?? "PENDING") == "HIRED" or (order.status ?? "OPEN") == "COMPLETED"
        call: '"bell-main"'
        operation: ring
        key: '"remind:" & record.id'
        with: { outcome: record.outcome, order: order.id }
      - id: on_the_day
        at: record.applied_at
        call: '"bell-main"'
        operation: ring
        key: '"day:" & record.id'
"#;

/// A hub at work; stopped, without being asked, when dropped.
struct AtWork {
    hub: Arc<Hub>,
    loops: JoinHandle<()>,
    _folder: tempfile::TempDir,
}

impl Drop for AtWork {
    fn drop(&mut self) {
        self.loops.abort();
    }
}

impl AtWork {
    async fn stop(mut self) {
        self.hub.stop();
        (&mut self.loops).await.unwrap();
    }

    /// How many timers ended so.
    fn counted(&self, kind: &str, result: &str) -> u64 {
        counted(&self.hub.metrics, kind, result)
    }
}

fn counted(metrics: &Metrics, kind: &str, result: &str) -> u64 {
    let name = format!("hrhub_timers_total{{kind=\"{kind}\",result=\"{result}\"}} ");
    metrics.encode().lines().find_map(|line| line.strip_prefix(&name)).map_or(0, |count| count.parse().unwrap())
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn clock(now: &str) -> Clock {
    Clock::fixed(at(now))
}

fn forward(clock: &Clock, span: Span) {
    clock.set(clock.now().checked_add(span).unwrap());
}

pub(crate) fn registry(files: &[(&str, &str)]) -> (Registry, String) {
    let mut catalog = Catalog::new();
    catalog.add_built_in("connectors/vendors/bell/manifest.yaml", MANIFEST);
    catalog.add_built_in("gateway/flow/flows/nudge.yaml", FLOW);
    for (path, text) in files {
        catalog.add_built_in(&format!("gateway/flow/{path}"), text);
    }
    let source = Source::new("hub.yaml", "nudge: {}\n");
    let findings = Findings::new();
    let flows = yaml::read(&source, &findings).unwrap();
    let connection = "id: bell-main\nconnector: bell\nsettings: { base_url: \"http://127.0.0.1:1\" }\n";
    let sources = Sources {
        catalog: &catalog,
        connections: vec![Source::new("connections/bell-main.yaml", connection)],
        environment: &Environment::of([]),
        flows: Some((&flows, source)),
        drivers: &[],
    };
    let registry = Registry::load(&sources, &findings);
    schedule::check_outlook(&registry, at("2026-03-01T00:00:00Z"), &findings);
    let found: Vec<String> = findings.into_sorted().iter().map(ToString::to_string).collect();
    (registry, found.join("\n"))
}

/// Starts a hub on a store. What it calls does not answer: only what is asked for counts here.
async fn start(b: &Backend, clock: &Clock, files: &[(&str, &str)]) -> AtWork {
    let (registry, found) = registry(files);
    // No driver speaks in these tests; nothing else may be wrong.
    let wrong = found.lines().filter(|line| line.contains(": error: ") && !line.contains("unknown driver"));
    assert_eq!(wrong.collect::<Vec<_>>(), Vec::<&str>::new());
    let folder = tempfile::tempdir().unwrap();
    let store = if b.store.kind() == "sqlite" { b.store.clone() } else { open(&b.url).await.unwrap() };
    let hub = hub_on(store, folder.path(), clock.clone(), registry, vec![Arc::new(Flows)]);
    let loops = tokio::spawn(Arc::clone(&hub).run());
    AtWork { hub, loops, _folder: folder }
}

/// Waits for a state; the limit only fails a hang.
async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut ready: impl FnMut() -> F) -> T {
    let begun = Instant::now();
    loop {
        if let Some(value) = ready().await {
            return value;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "waited for {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn is_asked_for(b: &Backend, key: &str) -> bool {
    let key = key.to_owned();
    b.store.read(job!(|tx| { tx.call("default", "bell-main", &key).await })).await.unwrap().is_some()
}

async fn asked_for(b: &Backend, key: &str) {
    until(key, || async { is_asked_for(b, key).await.then_some(()) }).await;
}

/// When the timer of a schedule is due, once it is another time than `before`.
async fn planned(b: &Backend, schedule: &str, before: Option<&str>) -> String {
    let name = format!("schedule/{schedule}");
    until("the next time", || async {
        let name = name.clone();
        let timer = b.store.read(job!(|tx| { tx.timer("default", &name).await })).await.unwrap()?;
        let due = format!("{:.0}", Timestamp::from_microsecond(timer.new.due_at).unwrap());
        (timer.state == "waiting" && Some(due.as_str()) != before).then_some(due)
    })
    .await
}

async fn parked_codes(b: &Backend) -> Vec<String> {
    let filter = hub_store::ParkedFilter { limit: 100, ..Default::default() };
    let parked = b.store.read(job!(|tx| { tx.parked("default", filter).await })).await.unwrap();
    parked.into_iter().filter(|parked| parked.new.kind == "timer").map(|parked| parked.new.code).collect()
}

const TICK: &str = "version: 1\nschedule: tick\nevery: 10s\nconnection: bell-main\noperation: ring\nwith: { name: schedule.name, at: schedule.planned_at, before: schedule.previous_at }\n";

fn daily(misfire: &str) -> String {
    format!(
        "version: 1\nschedule: daily\ncron: \"0 9 * * *\"\nzone: Asia/Shanghai\nmisfire: {misfire}\nconnection: bell-main\noperation: ring\n"
    )
}

mod contract {
    use super::*;

    pub(super) async fn each_planned_time_fires_once_whoever_is_there(b: Backend) {
        let clock = clock("2026-03-01T09:00:01Z");
        let files = [("schedules/tick.yaml", TICK)];
        let mut hubs = Vec::new();
        for _ in 0..3 {
            hubs.push(start(&b, &clock, &files).await);
        }
        let mut counters = Vec::new();
        let mut due = planned(&b, "tick", None).await;
        assert_eq!(due, "2026-03-01T09:00:10Z");
        for second in [10, 20, 30, 40, 50] {
            forward(&clock, Span::new().seconds(10));
            asked_for(&b, &format!("tick/2026-03-01T09:00:{second}.000Z")).await;
            due = planned(&b, "tick", Some(&due)).await;
            if second == 30 {
                // One dies without a word; the others go on.
                let dead = hubs.pop().unwrap();
                counters.push(dead.hub.metrics.clone());
            }
        }
        // A break of less than a minute loses none.
        forward(&clock, Span::new().seconds(30));
        for time in ["09:01:00", "09:01:10", "09:01:20"] {
            asked_for(&b, &format!("tick/2026-03-01T{time}.000Z")).await;
        }
        until("what has fired to be counted", || async {
            let living = hubs.iter().map(|hub| &hub.hub.metrics);
            let fired: u64 = living.chain(&counters).map(|metrics| counted(metrics, "schedule", "fired")).sum();
            assert!(fired <= 8, "{fired} of 8 times");
            // The dead one may have died between what it did and counting it.
            (fired >= 7).then_some(())
        })
        .await;
    }

    pub(super) async fn what_passed_while_no_hub_ran_is_made_up_for_once_or_skipped(b: Backend) {
        for misfire in ["fire", "skip"] {
            let clock = clock("2026-03-01T00:00:00Z");
            let text = daily(misfire).replace("daily", misfire);
            let path = format!("schedules/{misfire}.yaml");
            let files = [(path.as_str(), text.as_str())];
            let hub = start(&b, &clock, &files).await;
            let due = planned(&b, misfire, None).await;
            assert_eq!(due, "2026-03-01T01:00:00Z");
            hub.stop().await;
            forward(&clock, Span::new().hours(24 * 4 + 5));
            let hub = start(&b, &clock, &files).await;
            assert_eq!(planned(&b, misfire, Some(&due)).await, "2026-03-06T01:00:00Z");
            let key = |day: &str| format!("{misfire}/2026-03-{day}T01:00:00.000Z");
            assert_eq!(
                is_asked_for(&b, &key("05")).await,
                misfire == "fire",
                "{misfire}: the last of those that passed"
            );
            for day in ["01", "02", "03", "04"] {
                assert!(!is_asked_for(&b, &key(day)).await, "{misfire} {day}");
            }
            until("the counters", || async {
                let told = if misfire == "fire" { ["fired", "late"].as_slice() } else { &["skipped"] };
                told.iter().all(|result| hub.counted("schedule", result) == 1).then_some(())
            })
            .await;
            forward(&clock, Span::new().hours(20));
            asked_for(&b, &key("06")).await;
        }
    }

    pub(super) async fn a_clock_that_is_set_back_repeats_nothing(b: Backend) {
        let clock = clock("2026-03-01T00:59:00Z");
        let text = daily("fire");
        let hub = start(&b, &clock, &[("schedules/daily.yaml", text.as_str())]).await;
        let due = planned(&b, "daily", None).await;
        forward(&clock, Span::new().minutes(2));
        asked_for(&b, "daily/2026-03-01T01:00:00.000Z").await;
        let next = planned(&b, "daily", Some(&due)).await;
        clock.set(at("2026-02-27T00:00:00Z"));
        hub.stop().await;
        let hub = start(&b, &clock, &[("schedules/daily.yaml", text.as_str())]).await;
        for hours in [30, 30] {
            forward(&clock, Span::new().hours(hours));
            // The loops look at the clock twice a second at least.
            tokio::time::sleep(Duration::from_millis(700)).await;
        }
        assert_eq!(planned(&b, "daily", None).await, next);
        assert_eq!(hub.counted("schedule", "fired"), 0);
        assert!(!is_asked_for(&b, "daily/2026-02-28T01:00:00.000Z").await);
    }

    pub(super) async fn where_its_calendar_ends_a_schedule_is_parked_and_a_new_calendar_goes_on(b: Backend) {
        let clock = clock("2026-12-30T12:00:00Z");
        let text = daily("fire").replace("misfire: fire", "only: workdays\ncalendar: t");
        let calendar = |years: &str| format!("version: 1\ncalendar: t\nyears: {years}\n");
        let short = calendar("{ 2026: {} }");
        let files = [("schedules/daily.yaml", text.as_str()), ("calendars/t.yaml", short.as_str())];
        let hub = start(&b, &clock, &files).await;
        assert_eq!(planned(&b, "daily", None).await, "2026-12-31T01:00:00Z");
        forward(&clock, Span::new().hours(14));
        asked_for(&b, "daily/2026-12-31T01:00:00.000Z").await;
        assert_eq!(parked_codes(&b).await, ["CALENDAR_ENDS"]);
        hub.stop().await;
        let long = calendar("{ 2026: {}, 2027: { holidays: [2027-01-01] } }");
        let files = [("schedules/daily.yaml", text.as_str()), ("calendars/t.yaml", long.as_str())];
        let _hub = start(&b, &clock, &files).await;
        assert_eq!(planned(&b, "daily", None).await, "2027-01-04T01:00:00Z", "1 January is off, then comes a weekend");
    }

    pub(super) async fn a_changed_schedule_is_planned_anew_and_a_removed_one_is_dropped(b: Backend) {
        let clock = clock("2026-03-01T00:00:00Z");
        let text = daily("fire");
        let hub = start(&b, &clock, &[("schedules/daily.yaml", text.as_str())]).await;
        let due = planned(&b, "daily", None).await;
        hub.stop().await;
        let changed = text.replace("0 9", "30 8");
        let hub = start(&b, &clock, &[("schedules/daily.yaml", changed.as_str())]).await;
        assert_eq!(planned(&b, "daily", Some(&due)).await, "2026-03-01T00:30:00Z");
        hub.stop().await;
        // A worker that does not know it leaves it to others for a day.
        let state = || async {
            let timer =
                b.store.read(job!(|tx| { tx.timer("default", "schedule/daily").await })).await.unwrap().unwrap();
            (timer.state, timer.turn)
        };
        let (_, turn) = state().await;
        forward(&clock, Span::new().hours(2));
        let hub = start(&b, &clock, &[]).await;
        // A claim is one turn, giving it back is another.
        until("somebody to have looked at it", || async { (state().await.1 > turn + 1).then_some(()) }).await;
        assert_eq!(state().await.0, "waiting");
        forward(&clock, Span::new().hours(48));
        until("it to be dropped", || async { (state().await.0 == "cancelled").then_some(()) }).await;
        assert!(!is_asked_for(&b, "daily/2026-03-01T00:30:00.000Z").await);
        hub.stop().await;
    }

    async fn write(hub: &AtWork, target: Target, fields: &str, deleted: bool) {
        let write = Write {
            entity: hub_model::entity("application").unwrap(),
            target,
            fields: fields.to_owned(),
            ext: None,
            deleted,
            rules: Vec::new(),
            source: None,
        };
        let (inner, context) = (Arc::clone(&hub.hub), TraceContext::begin());
        let written = hub.hub.store.write(job!(|tx| {
            let applied = records::apply(&inner, tx, "default", &context, vec![write]).await?.unwrap();
            tx.insert_events(applied.into_iter().flat_map(|applied| applied.events).collect()).await
        }));
        written.await.unwrap();
    }

    async fn timers(b: &Backend) -> Vec<hub_store::Timer> {
        b.store.read(job!(|tx| { tx.waiting_timers("flow", 100).await })).await.unwrap()
    }

    /// The state of an application's reminder.
    async fn reminder(b: &Backend, timers: &[hub_store::Timer], id: &str) -> String {
        let subject = format!("application/{id}");
        let mine = |timer: &&hub_store::Timer| timer.new.subject == subject && timer.new.name.contains("/remind/");
        let name = timers.iter().find(mine).unwrap().new.name.clone();
        b.store.read(job!(|tx| { tx.timer("default", &name).await })).await.unwrap().unwrap().state
    }

    pub(super) async fn a_delayed_action_is_done_over_the_record_of_then_unless_it_is_not_needed(b: Backend) {
        let clock = clock("2026-03-01T09:00:00Z");
        let hub = start(&b, &clock, &[]).await;
        let ids = ["waits", "hired", "deleted"].map(|_| hub.hub.ids.next().to_string());
        let remote = |id: &String| Target::Remote { key: None, hub_id: Some(id.clone()) };
        for id in &ids {
            write(&hub, Target::New(id.clone()), r#"{"applied_at":"2026-09-01T00:00:00.000Z"}"#, false).await;
        }
        let set = until("all timers", || async { Some(timers(&b).await).filter(|timers| timers.len() == 6) }).await;
        let due = |days: i64| at("2026-03-01T09:00:00Z").checked_add(Span::new().hours(24 * days)).unwrap();
        assert!(set.iter().filter(|t| t.new.due_at == due(3).as_microsecond()).count() == 3, "{set:#?}");
        write(&hub, remote(&ids[1]), r#"{"outcome":{"value":"HIRED"}}"#, false).await;
        write(&hub, remote(&ids[2]), "{}", true).await;
        assert_eq!(timers(&b).await.len(), 4, "those about the deleted record are cancelled with it");
        // The hub is away for months.
        hub.stop().await;
        forward(&clock, Span::new().hours(24 * 90));
        let hub = start(&b, &clock, &[]).await;
        asked_for(&b, &format!("remind:{}", ids[0])).await;
        until("the other reminder to end", || async {
            (reminder(&b, &set, &ids[1]).await == "cancelled").then_some(())
        })
        .await;
        for id in &ids[1..] {
            assert!(!is_asked_for(&b, &format!("remind:{id}")).await);
        }
        assert_eq!(reminder(&b, &set, &ids[0]).await, "fired");
        assert_eq!(reminder(&b, &set, &ids[2]).await, "cancelled");
        // It is counted after it is written down.
        until("the reminder to be counted", || async {
            ((hub.counted("flow", "fired"), hub.counted("flow", "late")) == (1, 1)).then_some(())
        })
        .await;
        // The other action waits for the day that the record names.
        let day = format!("day:{}", ids[0]);
        assert!(!is_asked_for(&b, &day).await);
        clock.set(at("2026-09-01T00:00:01Z"));
        asked_for(&b, &day).await;
        // The journey tells of the wait and of its end.
        let trace = set.iter().find(|timer| timer.new.subject.ends_with(&ids[0])).unwrap().new.trace.clone();
        let trace = trace.parse::<TraceContext>().unwrap().id();
        let steps = b.store.read(job!(|tx| { tx.journey("default", &trace).await })).await.unwrap();
        let told: Vec<&str> = steps.iter().map(|step| step.detail.as_str()).collect();
        for wanted in
            ["nudge/new/remind waits until 2026-03-04T09:00:00", "nudge/new/remind: due since 2026-03-04T09:00:00"]
        {
            assert!(told.iter().any(|detail| detail.contains(wanted)), "no `{wanted}` in {told:#?}");
        }
    }
}

on_both_stores!(
    each_planned_time_fires_once_whoever_is_there,
    what_passed_while_no_hub_ran_is_made_up_for_once_or_skipped,
    a_clock_that_is_set_back_repeats_nothing,
    where_its_calendar_ends_a_schedule_is_parked_and_a_new_calendar_goes_on,
    a_changed_schedule_is_planned_anew_and_a_removed_one_is_dropped,
    a_delayed_action_is_done_over_the_record_of_then_unless_it_is_not_needed,
);

#[test]
fn what_is_wrong_with_a_delayed_action_is_found() {
    let actions = [
        ("id: a\n        after: 3 moons\n        call:", "nudge.yaml:8:16: error: `3 moons` is no length of time"),
        ("id: a\n        after: P1M\n        call:", "`P1M` is no length of time"),
        ("after: 3d\n        call:", "an action that is done later needs an `id`"),
        ("id: a\n        after: 3d\n        at: record.applied_at\n        call:", "either `after` or `at`"),
        ("id: a\n        at: 5 + 3\n        call:", "`at` is an instant, this is number"),
        ("unless: true\n        call:", "`unless` belongs to `after` or `at`"),
        (
            "id: a\n        after: 3d\n        unless: record.stag.display == \"x\"\n        call:",
            "did you mean `stage`?",
        ),
    ];
    for (action, wanted) in actions {
        let flow = format!(
            "version: 1\nflow: nudge\nrules:\n  - id: r\n    on: application.created\n    do:\n      - {action} '\"bell-main\"'\n        operation: ring\n        key: record.id\n"
        );
        let (_, found) = registry(&[("flows/nudge.yaml", &flow)]);
        assert!(found.contains(wanted), "no `{wanted}` in {found}");
    }
    let twice = "version: 1\nflow: nudge\nrules:\n  - id: r\n    on: application.created\n    do:\n      - { id: a, after: 3d, call: '\"b\"', operation: o, key: record.id }\n      - { id: a, after: 4d, call: '\"b\"', operation: o, key: record.id }\n";
    let (_, found) = registry(&[("flows/nudge.yaml", twice)]);
    assert!(found.contains("nudge.yaml:8:9: error: the delayed action `a` stands twice in this rule"), "{found}");
}

#[test]
fn mainland_china_works_on_the_announced_days() {
    let text = include_str!("../../gateway/flow/calendars/cn.yaml");
    let (registry, found) = registry(&[
        ("calendars/cn.yaml", text),
        ("schedules/daily.yaml", &daily("fire").replace("misfire: fire", "only: workdays\ncalendar: cn")),
    ]);
    let wrong: Vec<&str> = found.lines().filter(|line| line.starts_with("gateway/flow")).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let plan = &registry.schedules["daily"].plan;
    let mut months = [0; 12];
    let mut after = at("2025-12-31T16:00:00Z");
    while let Ok(next) = plan.next(after) {
        months[usize::try_from(next.to_zoned(hub_tree::jiff::tz::TimeZone::get("Asia/Shanghai").unwrap()).month())
            .unwrap()
            - 1] += 1;
        after = next;
    }
    assert_eq!(months, [21, 16, 22, 21, 19, 21, 23, 21, 22, 18, 21, 23]);
}
