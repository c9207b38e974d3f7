//! The message broker goes away, in every way that it can: web hooks are answered all the same, and in the end every
//! one has been worked on, once and in order.
//!
//! Two applications move through numbered stages. Each stage is a version of the record; one that came too late would
//! be dropped as older, one that came twice would change nothing: so a history with every stage, in order, is the proof.

use hub_support::{Backends, Brokers, CutProxy, Place, RabbitMq, Running, project_root, run_hrhub, said, wait_until};
use hub_tree::env;
use serde_json::Value;
use std::fs;
use std::time::Duration;

/// Servers start slowly on a busy machine, and a cluster makes its queues one by one.
const LIMIT: Duration = Duration::from_secs(300);
const APPLICATIONS: [u32; 2] = [55_120_034, 55_120_035];

/// A hub whose messages travel over a broker.
fn place_on(url: &str) -> Place {
    let place = Place::new(Backends::Embedded);
    place.edit("hub.yaml", |text| {
        text.replace("bus: { kind: embedded }", &format!("bus: {{ kind: rabbitmq, url: \"{url}\" }}"))
    });
    place
}

/// Sends web hooks about stages that nobody was in before.
struct Stages<'a> {
    place: &'a Place,
    body: String,
    sent: u32,
}

impl<'a> Stages<'a> {
    fn new(place: &'a Place) -> Self {
        let path = project_root().join("tests/golden/payloads/greenhouse/candidate_stage_change.json");
        Self { place, body: fs::read_to_string(path).unwrap(), sent: 0 }
    }

    /// Every application enters so many further stages; each web hook must be answered with 2xx.
    fn send(&mut self, count: u32) {
        for _ in 0..count {
            self.sent += 1;
            let number = self.sent;
            for application in APPLICATIONS {
                let at = format!("2026-11-02T{:02}:{:02}:03Z", 9 + number / 60, number % 60);
                let body = self.body.replace("\"id\": 55120034", &format!("\"id\": {application}"));
                let body = body.replace("2026-11-02T09:14:03Z", &at);
                let body = body.replace("\"id\": 71416", &format!("\"id\": {}", 90_000 + number));
                let body = body.replace("\"name\": \"Assessment\"", &format!("\"name\": \"Stage {number:03}\""));
                let answer = self.place.greenhouse_hook(&format!("evt-{application}-{number}"), body.as_bytes());
                assert!(answer.status().is_success(), "stage {number}: {}", answer.status());
            }
        }
    }

    /// Waits until every stage of every application is in its history, once and in order.
    fn arrive(&self, hub: &Running) {
        let wanted: Vec<String> = (1..=self.sent).map(|number| format!("Stage {number:03}")).collect();
        wait_until(LIMIT, || {
            assert!(!hub.has_ended(), "{}", hub.log());
            APPLICATIONS.iter().try_for_each(|application| {
                let found = stages(self.place, *application);
                let lacking =
                    || format!("{application}: {found:?} of {}; {}; {}", self.sent, bus(self.place), hub.log());
                if found == wanted { Ok(()) } else { Err(lacking()) }
            })
        });
        wait_until(LIMIT, || {
            let bus = bus(self.place);
            (bus["spooled"] == 0 && bus["connected"] == true).then_some(()).ok_or(format!("an empty spool: {bus}"))
        });
    }
}

/// The stages that an application has been in, oldest first.
fn stages(place: &Place, application: u32) -> Vec<String> {
    let found = place.get(&format!("/v1/applications?connection=greenhouse-main&remote_id={application}"));
    let Some(id) = found["data"][0]["id"].as_str() else { return Vec::new() };
    let history = place.get(&format!("/v1/applications/{id}/history"));
    let mut versions: Vec<&Value> = history["data"].as_array().unwrap().iter().collect();
    versions.sort_by_key(|version| version["version"].as_u64());
    versions.iter().map(|version| version["stage"]["display"].as_str().unwrap_or_default().to_owned()).collect()
}

/// How the hub sees its bus.
fn bus(place: &Place) -> Value {
    let ready: Value = place.http().get(place.url("/readyz")).send().unwrap().json().unwrap();
    ready["bus"].clone()
}

fn wait_for_spool(place: &Place) {
    wait_until(LIMIT, || {
        let bus = bus(place);
        (bus["spooled"].as_u64() > Some(0)).then_some(()).ok_or(format!("messages in the spool: {bus}"))
    });
}

#[test]
fn a_broker_that_is_stopped_killed_or_in_an_alarm_costs_no_web_hook() {
    let broker = Brokers::start(1);
    let place = place_on(&broker.url());
    let hub = place.serve();
    let mut stages = Stages::new(&place);
    stages.send(3);
    stages.arrive(&hub);

    broker.stop(0);
    stages.send(3);
    wait_for_spool(&place);
    broker.start_again(0);
    stages.send(3);
    stages.arrive(&hub);

    stages.send(2);
    broker.kill(0);
    stages.send(3);
    broker.start_again(0);
    stages.arrive(&hub);

    for (raise, clear) in [
        (["set_disk_free_limit", "90000GB"], ["set_disk_free_limit", "50MB"]),
        (["set_vm_memory_high_watermark", "0.000001"], ["set_vm_memory_high_watermark", "0.6"]),
    ] {
        broker.ctl(0, &raise);
        stages.send(3);
        wait_for_spool(&place);
        broker.ctl(0, &clear);
        stages.send(1);
        stages.arrive(&hub);
    }
    assert!(hub.stop().success());
}

#[test]
fn queues_that_somebody_removes_come_back_and_a_broker_that_is_away_at_the_start_is_waited_for() {
    let broker = Brokers::start(1);
    let place = place_on(&broker.url());
    let hub = place.serve();
    let mut stages = Stages::new(&place);
    stages.send(2);
    stages.arrive(&hub);
    for partition in 0..8 {
        broker.ctl(0, &["delete_queue", &format!("hrhub.intake.{partition}")]);
    }
    stages.send(3);
    stages.arrive(&hub);
    assert!(hub.stop().success());

    broker.stop(0);
    let hub = place.serve();
    stages.send(3);
    wait_for_spool(&place);
    hub.kill();
    // The next one finds what the killed one kept.
    let hub = place.serve();
    stages.send(2);
    broker.start_again(0);
    stages.arrive(&hub);
    assert!(hub.stop().success());
}

#[test]
fn a_queue_that_the_broker_cannot_declare_is_named_and_the_others_are_read_on() {
    let broker = Brokers::start(1);
    let place = place_on(&broker.url());
    let hub = place.serve();
    let mut stages = Stages::new(&place);
    stages.send(2);
    stages.arrive(&hub);
    // What a deletion and a declaration at once leave behind: no record of the queue, but its Raft server.
    let forget =
        "rabbit_amqqueue:internal_delete(rabbit_misc:r(<<\"/\">>, queue, <<\"hrhub.intake.3\">>), <<\"me\">>).";
    broker.ctl(0, &["eval", forget]);
    wait_until(LIMIT, || {
        let bus = bus(&place);
        let trouble = bus["trouble"].as_str().unwrap_or_default();
        let named = trouble.contains("hrhub.intake.3") && trouble.contains("INTERNAL_ERROR");
        (named && trouble.contains("rabbitmqctl start_app")).then_some(()).ok_or(format!("the trouble: {bus}"))
    });
    stages.send(3);
    wait_for_spool(&place);
    wait_until(LIMIT, || {
        let listed = broker.ctl(0, &["list_queues", "name", "consumers", "--no-table-headers"]);
        let read = (0..8).filter(|partition| listed.contains(&format!("hrhub.intake.{partition}\t1"))).count();
        (read == 7).then_some(()).ok_or(format!("seven queues that are read: {listed}"))
    });
    broker.ctl(0, &["stop_app"]);
    broker.ctl(0, &["start_app"]);
    stages.arrive(&hub);
    assert!(hub.stop().success());
}

#[test]
fn a_connection_that_is_cut_or_leads_nowhere_costs_no_web_hook() {
    let broker = Brokers::start(1);
    let proxy = CutProxy::in_front_of(broker.port(0));
    let place = place_on(&RabbitMq::url(proxy.port));
    let hub = place.serve();
    let mut stages = Stages::new(&place);
    stages.send(2);
    stages.arrive(&hub);
    for _ in 0..3 {
        proxy.cut();
        stages.send(2);
        proxy.restore();
        stages.send(2);
    }
    stages.arrive(&hub);
    // Nothing arrives, and nothing says so: only the missing heartbeat does.
    proxy.halt();
    stages.send(3);
    wait_until(LIMIT, || {
        let bus = bus(&place);
        (bus["connected"] == false).then_some(()).ok_or(format!("the hub to notice: {bus}"))
    });
    stages.send(2);
    proxy.restore();
    stages.arrive(&hub);
    assert!(hub.stop().success());
}

/// The server that leads most of the intake's queues.
fn leader(brokers: &Brokers, ask: usize) -> usize {
    let listed = brokers.ctl(ask, &["list_queues", "name", "leader", "--no-table-headers"]);
    let mut leaders: Vec<&str> = listed
        .lines()
        .filter(|line| line.starts_with("hrhub.intake."))
        .filter_map(|line| line.split_whitespace().nth(1))
        .collect();
    leaders.sort_unstable();
    let most = leaders.iter().max_by_key(|name| leaders.iter().filter(|other| other == name).count());
    brokers.index_of(most.unwrap_or_else(|| panic!("no leader in {listed}")))
}

#[test]
fn a_cluster_that_loses_the_leader_of_its_queues_loses_no_message() {
    let brokers = Brokers::start(3);
    let place = place_on(&brokers.url());
    let hub = place.serve();
    let mut stages = Stages::new(&place);
    stages.send(2);
    stages.arrive(&hub);
    let rounds = if env::read("HRHUB_LONG").is_some() { 4 } else { 1 };
    for _ in 0..rounds {
        let first = leader(&brokers, 0);
        stages.send(1);
        brokers.kill(first);
        stages.send(2);
        // Two of three are enough.
        stages.arrive(&hub);
        brokers.start_again(first);
        // Who loses two of three at once has lost its majority: that is not what is tried here.
        brokers.wait_until_whole();
        let second = leader(&brokers, first);
        brokers.pause(second);
        stages.send(2);
        stages.arrive(&hub);
        brokers.go_on(second);
        stages.send(1);
        stages.arrive(&hub);
        // One that was cut off does not always find back by itself; people start it again.
        brokers.kill(second);
        brokers.start_again(second);
        brokers.wait_until_whole();
    }
    assert!(hub.stop().success());
}

/// The lines of `hrhub topology COMMAND`, and whether it succeeded.
fn topology(place: &Place, command: &str) -> (bool, String) {
    let config = place.config();
    let output = run_hrhub(["topology", command, "--config", config.to_str().unwrap()]);
    let (out, err) = said(&output);
    (output.status.success(), format!("{out}{err}"))
}

#[test]
fn the_topology_command_finds_what_is_missing_and_brings_it_back() {
    let broker = Brokers::start(1);
    let place = place_on(&broker.url());
    let (sound, text) = topology(&place, "check");
    assert!(!sound && text.contains("create queue hrhub.intake.7: it is missing"), "{text}");
    let (sound, text) = topology(&place, "plan");
    assert!(sound && text.contains("create exchange hrhub.publish: it is missing"), "{text}");
    assert!(broker.ctl(0, &["list_queues", "name"]).trim().lines().count() <= 1, "a plan makes nothing");
    let (sound, text) = topology(&place, "apply");
    assert!(sound && text.contains("done: create queue hrhub.dead"), "{text}");
    let (sound, text) = topology(&place, "check");
    assert!(sound && text.contains("as it must be"), "{text}");
    broker.ctl(0, &["delete_queue", "hrhub.flow.2"]);
    let (sound, text) = topology(&place, "check");
    assert!(!sound, "{text}");
    assert_eq!(text.trim(), "create queue hrhub.flow.2: it is missing");
}
