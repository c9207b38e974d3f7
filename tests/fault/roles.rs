//! Edges and workers, any number of each, that come and go.

use hub_support::{Backends, Candidate, Node, Place, RabbitMq, free_port, postgres, project_root, rabbitmq, run_hrhub};
use hub_support::{said, wait_for, wait_until};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(120);

/// A Greenhouse payload about application `number`.
pub(crate) fn payload(number: u32) -> Vec<u8> {
    let path = project_root().join("tests/golden/payloads/greenhouse/candidate_stage_change.json");
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains("55120034"));
    text.replace("55120034", &number.to_string()).into_bytes()
}

/// The application that came of [`payload`].
pub(crate) fn application(place: &Place, port: u16, number: u32) -> Option<Value> {
    let path = format!("/v1/applications?connection=greenhouse-main&remote_id={number}");
    let request = place.http().get(format!("http://127.0.0.1:{port}{path}"));
    let found: Value = request.bearer_auth(place.secret("HRHUB_ADMIN_KEY")).send().ok()?.json().ok()?;
    found["data"].get(0).cloned()
}

fn readiness(place: &Place, node: &Node) -> Option<(u16, Value)> {
    let answer = place.http().get(node.url("/readyz")).send().ok()?;
    Some((answer.status().as_u16(), answer.json().ok()?))
}

fn wait_until_ready(place: &Place, node: &Node) {
    wait_for("the process to be ready", LIMIT, || readiness(place, node).filter(|(status, _)| *status == 200));
}

#[test]
fn one_edge_and_one_worker_of_one_folder_are_a_whole_hub() {
    let place = Place::new(Backends::Servers);
    let _sandbox = place.sandbox();
    let edge = place.serve_as("edge", "edge", place.port);
    let worker = place.serve_as("worker", "worker", free_port());
    for (node, role) in [(&edge, "edge"), (&worker, "worker")] {
        wait_until_ready(&place, node);
        assert_eq!(readiness(&place, node).unwrap().1["role"], role);
    }
    let candidate = Candidate::new(31_000, "strong.example");
    place.move_candidate(&candidate);
    wait_until(LIMIT, || {
        let effects = place.effects();
        crate::invariants::went_the_whole_road(
            &place,
            &candidate,
            &effects,
            &crate::invariants::unknown_outcomes(&place),
        )
    });
    assert!(place.effects().iter().all(|(_, count)| *count == 1), "{:#?}", place.effects());
    // A worker answers monitoring and nobody else.
    for path in ["/v1/applications", "/console", "/hooks/greenhouse-main"] {
        assert_eq!(place.http().get(worker.url(path)).send().unwrap().status(), 404, "{path}");
    }
    assert!(place.http().get(worker.url("/metrics")).send().unwrap().status().is_success());
    // They share a master key that only its owner can read.
    let key = place.config().join("master.key");
    assert_eq!(fs::metadata(key).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!place.folder().join("edge/master.key").exists());
    assert!(edge.running.stop().success() && worker.running.stop().success());
}

#[test]
fn an_edge_does_not_do_a_worker_s_work() {
    let place = Place::new(Backends::Servers);
    let edge = place.serve_as("edge", "edge", place.port);
    wait_until_ready(&place, &edge);
    place.greenhouse_sends("evt-edge", &payload(31_100));
    // The message waits at the broker, whatever the edge does meanwhile.
    assert!(edge.running.stop().success());
    let edge = place.serve_as("edge", "edge", place.port);
    wait_until_ready(&place, &edge);
    assert_eq!(application(&place, edge.port, 31_100), None);
    let worker = place.serve_as("worker", "worker", free_port());
    wait_for("the application", LIMIT, || application(&place, edge.port, 31_100));
    assert!(edge.running.stop().success() && worker.running.stop().success());
}

#[test]
fn roles_without_shared_servers_are_refused_and_say_what_to_write() {
    let place = Place::new(Backends::Embedded);
    let config = place.config();
    let config = config.to_str().unwrap();
    for role in ["edge", "worker"] {
        let output = run_hrhub(["serve", "--role", role, "--config", config]);
        let (_, err) = said(&output);
        assert!(!output.status.success());
        for wanted in [role, "hub.yaml", "kind: rabbitmq", "kind: postgres", "--role all"] {
            assert!(err.contains(wanted), "`{wanted}` is not in:\n{err}");
        }
    }
    // The flag wins over the file.
    place.edit("hub.yaml", |text| text.replace("\nlimits:", "\nrole: worker\nlimits:"));
    assert!(!run_hrhub(["serve", "--config", config]).status.success());
    let hub = place.serve_as("all", "all", place.port);
    assert_eq!(readiness(&place, &hub).unwrap().1["role"], "all");
}

/// Sends payloads to whichever edge says that it is ready, as a load balancer does, until told to stop; gives what
/// was refused or not answered, and how many were taken.
fn load(place: &Place, edges: &[u16], stop: &AtomicBool) -> (Vec<String>, u32) {
    let (mut refused, mut count) = (Vec::new(), 0);
    while !stop.load(Ordering::SeqCst) {
        let ready = |port: &&u16| {
            let answer = place.http().get(format!("http://127.0.0.1:{port}/readyz")).send();
            answer.is_ok_and(|answer| answer.status() == 200)
        };
        let ready: Vec<u16> = edges.iter().filter(ready).copied().collect();
        let Some(port) = ready.get(count as usize % ready.len().max(1)) else {
            refused.push("no edge is ready".to_owned());
            std::thread::sleep(Duration::from_millis(50));
            continue;
        };
        let number = 40_000 + count;
        match place.greenhouse_hook_at(*port, &format!("evt-{number}"), &payload(number)) {
            Ok(answer) if answer.status().is_success() => {}
            Ok(answer) => refused.push(format!("{number}: {}", answer.status())),
            Err(error) => refused.push(format!("{number}: {error:?}")),
        }
        count += 1;
    }
    (refused, count)
}

#[test]
fn every_process_is_restarted_under_load_and_no_request_fails() {
    let place = Place::on_servers(&RabbitMq::url(rabbitmq().port), &postgres().new_database());
    place.edit("hub.yaml", |text| text.replace("\nlimits:", "\nshutdown: { drain_secs: 3 }\nlimits:"));
    let ports = [place.port, free_port()];
    let mut edges: Vec<Node> =
        ports.iter().enumerate().map(|(n, port)| place.serve_as("edge", &format!("edge-{n}"), *port)).collect();
    let worker = |n: usize| place.serve_as("worker", &format!("worker-{n}"), free_port());
    let mut workers: Vec<Node> = (0..2).map(worker).collect();
    for node in edges.iter().chain(&workers) {
        wait_until_ready(&place, node);
    }
    let stop = AtomicBool::new(false);
    let (refused, count) = std::thread::scope(|scope| {
        let loading = scope.spawn(|| load(&place, &ports, &stop));
        for n in 0..2 {
            edges[n].running.ask_to_stop();
            // It says so first, and goes on answering.
            let (_, body) = wait_for("the edge to drain", LIMIT, || {
                readiness(&place, &edges[n]).filter(|(status, _)| *status == 503)
            });
            assert_eq!(body["draining"], true, "{body}");
            assert!(edges[n].running.stop().success());
            edges[n] = place.serve_as("edge", &format!("edge-{n}"), ports[n]);
            wait_until_ready(&place, &edges[n]);
            assert!(workers[n].running.stop().success());
            workers[n] = worker(n);
            wait_until_ready(&place, &workers[n]);
        }
        stop.store(true, Ordering::SeqCst);
        loading.join().unwrap()
    });
    assert_eq!(refused, Vec::<String>::new(), "of {count}");
    assert!(count > 0);
    every_payload_became_one_application(&place, place.port, 40_000..40_000 + count);
}

/// Each was mapped, once.
pub(crate) fn every_payload_became_one_application(place: &Place, port: u16, numbers: std::ops::Range<u32>) {
    let mut missing: BTreeSet<u32> = numbers.collect();
    wait_until(LIMIT, || {
        missing.retain(|number| match application(place, port, *number) {
            Some(found) => {
                assert_eq!(found["version"], 1, "{found:#}");
                false
            }
            None => true,
        });
        if missing.is_empty() { Ok(()) } else { Err(format!("applications {missing:?}")) }
    });
}
