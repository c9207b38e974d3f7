//! `kill -9` of any process of a hub at random moments under load.

use crate::invariants::{Ledger, unknown_outcomes, went_the_whole_road};
use hub_support::{Backends, Candidate, Demo, Node, Place, free_port, wait_for, wait_until};
use hub_tree::{env, random};
use serde_json::{Value, json};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(120);
/// Candidates that set out between two kills.
const EACH: u32 = 4;
/// Applications that are moved by hooks of our own all the time.
const MOVED: u32 = 3;

fn kills(short: u32, long: u32) -> u32 {
    if env::read("HRHUB_LONG").is_some() { long } else { short }
}

fn random_wait(up_to_ms: u64) {
    std::thread::sleep(Duration::from_millis(random::below(up_to_ms)));
}

/// The processes of one hub; the first takes the web hooks, the last works.
struct Processes<'p> {
    place: &'p Place,
    all: Vec<Process>,
}

struct Process {
    role: &'static str,
    name: String,
    port: u16,
    node: Option<Node>,
}

impl<'p> Processes<'p> {
    fn start(place: &'p Place, backends: Backends) -> Self {
        let roles: &[&'static str] = match backends {
            Backends::Embedded => &["all"],
            Backends::Servers => &["edge", "worker", "worker"],
        };
        let process = |(index, role): (usize, &&'static str)| {
            let port = if index == 0 { place.port } else { free_port() };
            Process { role, name: format!("{role}{index}"), port, node: None }
        };
        let mut processes = Self { place, all: roles.iter().enumerate().map(process).collect() };
        (0..roles.len()).for_each(|index| processes.serve(index));
        processes
    }

    fn serve(&mut self, index: usize) {
        let process = &mut self.all[index];
        process.node = Some(self.place.serve_as(process.role, &process.name, process.port));
    }

    /// Kills one of them.
    fn kill_one(&mut self) -> usize {
        let index = usize::try_from(random::below(self.all.len() as u64)).unwrap();
        if let Some(node) = self.all[index].node.take() {
            node.running.kill();
        }
        index
    }

    /// Where a process that works shows its counters.
    fn metrics(&self) -> String {
        format!("http://127.0.0.1:{}/metrics", self.all.last().unwrap().port)
    }
}

/// Processes die at random moments while candidates set out and applications move; in the end all that was accepted
/// has been processed, in order, and each effect has happened once.
fn nothing_is_lost_and_nothing_happens_twice(backends: Backends) {
    let place = Place::new(backends);
    let sandbox = place.sandbox();
    // Vendors answer late, lose answers, fail, and send everything twice.
    place.turn(&json!({ "slow_ms": 80, "lose_every": 23, "fail_every": 11, "limit_every": 17, "duplicates": 1 }));
    let kills = kills(5, 50);
    let mut ledger = Ledger::default();
    let mut processes = Processes::start(&place, backends);
    for round in 0..kills {
        for index in 0..EACH {
            let number = 10_000 + round * EACH + index;
            let domain = ["strong.example", "middling.example", "weak.example"][(number % 3) as usize];
            ledger.send(&place, Candidate::new(number, domain));
            ledger.step(&place, 500 + number % MOVED, LIMIT);
            random_wait(150);
        }
        random_wait(1500);
        // While it is away, vendors go on telling.
        let killed = processes.kill_one();
        random_wait(400);
        processes.serve(killed);
    }
    let checked = ledger.check(&place, &processes.metrics());
    eprintln!("{backends:?}: {kills} kills, {checked:?}");
    assert!(!sandbox.has_ended(), "{}", sandbox.log());
}

#[test]
fn a_killed_hub_loses_nothing_and_repeats_nothing_on_the_embedded_default() {
    nothing_is_lost_and_nothing_happens_twice(Backends::Embedded);
}

#[test]
fn a_killed_hub_loses_nothing_and_repeats_nothing_on_rabbitmq_and_postgresql() {
    nothing_is_lost_and_nothing_happens_twice(Backends::Servers);
}

/// Stopping in peace cuts no call off: vendors answer late, and every call is still heard out.
#[test]
fn a_hub_that_is_asked_to_stop_hears_its_calls_out() {
    let place = Place::new(Backends::Embedded);
    let _sandbox = place.sandbox();
    place.turn(&json!({ "slow_ms": 700 }));
    let mut hub = place.serve();
    let sent: Vec<Candidate> = (0..6).map(|index| Candidate::new(20_000 + index, "strong.example")).collect();
    for candidate in &sent {
        place.move_candidate(candidate);
    }
    for _ in 0..4 {
        random_wait(1500);
        assert!(hub.stop().success());
        hub = place.serve();
    }
    wait_until(LIMIT, || {
        let (effects, parked) = (place.effects(), unknown_outcomes(&place));
        assert!(parked.is_empty(), "{parked:#?}");
        sent.iter().try_for_each(|candidate| went_the_whole_road(&place, candidate, &effects, &parked))
    });
    assert!(place.effects().iter().all(|(_, count)| *count == 1), "{:#?}", place.effects());
}

/// Hub and vendors die together, as in `hrhub demo`.
#[test]
fn a_killed_demo_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let ports = (free_port(), free_port());
    let kills = kills(5, 50);
    for _ in 0..kills {
        let mut demo = Demo::start(folder.path(), ports, false);
        random_wait(1500);
        demo.kill();
    }
    let demo = Demo::start(folder.path(), ports, false);
    let lines = demo.until("Ctrl-C");
    let decided = lines.iter().filter(|line| line.contains("RECOMMENDED") || line.contains("CONSIDER")).count();
    assert_eq!(decided, 3, "{lines:#?}");
    let url = format!("http://127.0.0.1:{}/_sandbox/effects", ports.1);
    let unknown = lines.iter().filter(|line| line.contains("OUTCOME_UNKNOWN")).count();
    let effects = wait_for("every effect", LIMIT, || {
        let all: Value = reqwest::blocking::get(&url).unwrap().json().unwrap();
        let all = all["effects"].as_array().unwrap().clone();
        (all.len() + unknown > 3 * 4).then_some(all)
    });
    assert!(effects.iter().all(|effect| effect["count"] == 1), "{effects:#?}");
    eprintln!("demo: {kills} kills, {} effects, {unknown} outcomes unknown", effects.len());
}
