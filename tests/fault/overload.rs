//! More at once than there is memory for.

use hub_support::{Backends, Place, Running, wait_for};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(240);
const BODY: usize = 1_000_000;
const SENDERS: usize = 120;
/// Beside what an idle program needs: a tenth of what is sent at once may be in flight, and lies in memory several times.
const MOST_MEMORY_KB: u64 = 350_000;

/// The most memory that a process ever held, kB.
fn peak_of(hub: &Running) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", hub.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
}

fn mapped(place: &Place) -> usize {
    let text = place.http().get(place.url("/metrics")).send().unwrap().text().unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("hrhub_work_total{consumer=\"map\",result=\"done\"} "));
    line.map_or(0, |count| count.parse().unwrap())
}

/// An event that the manifest ignores: nothing but its way in takes time.
fn ping(number: usize) -> Vec<u8> {
    format!("{{\"action\":\"ping\",\"number\":{number},\"pad\":\"{}\"}}", "x".repeat(BODY)).into_bytes()
}

#[test]
fn a_flood_is_answered_with_later_and_memory_stays_bounded() {
    let place = Place::new(Backends::Embedded);
    place.edit("hub.yaml", |text| {
        text.replace(
            "limits: { max_body_bytes: 5000000 }",
            "limits: { max_body_bytes: 2000000, max_inflight_requests: 60, max_inflight_bytes: 12000000 }",
        )
    });
    let hub = place.serve();
    let refused = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for number in 0..SENDERS {
            let (place, refused, hub) = (&place, &refused, &hub);
            scope.spawn(move || {
                let body = ping(number);
                wait_for("the body to be accepted", LIMIT, || {
                    assert!(!hub.has_ended(), "{}", hub.log());
                    let answer = place.greenhouse_hook(&format!("evt-{number}"), &body);
                    if answer.status() == 200 {
                        return Some(());
                    }
                    assert_eq!(answer.status(), 503);
                    assert!(answer.headers().contains_key("retry-after"));
                    assert!(answer.text().unwrap().contains("\"overloaded\""));
                    refused.fetch_add(1, Ordering::SeqCst);
                    std::thread::sleep(Duration::from_millis(50));
                    None
                });
            });
        }
    });
    assert!(refused.into_inner() > 0, "nothing was too much");
    wait_for("all that was accepted to be processed", LIMIT, || (mapped(&place) == SENDERS).then_some(()));
    let peak = peak_of(&hub);
    assert!(peak < MOST_MEMORY_KB, "{peak} kB");
    assert!(hub.stop().success());
}

/// Who announces much and sends it slowly takes no room from others.
#[test]
fn slow_senders_hold_nobody_up() {
    use std::io::Write as _;
    let place = Place::new(Backends::Embedded);
    place.edit("hub.yaml", |text| {
        text.replace("limits: { max_body_bytes: 5000000 }", "limits: { max_inflight_bytes: 5000000 }")
    });
    let _hub = place.serve();
    let slow: Vec<_> = (0..20)
        .map(|_| {
            let mut stream = std::net::TcpStream::connect(("127.0.0.1", place.port)).unwrap();
            let head = "POST /hooks/greenhouse-main HTTP/1.1\r\nhost: hub\r\ncontent-length: 4000000\r\n\r\n{";
            stream.write_all(head.as_bytes()).unwrap();
            stream
        })
        .collect();
    for number in 0..5 {
        assert_eq!(place.greenhouse_hook(&format!("evt-{number}"), &ping(number)).status(), 200);
    }
    drop(slow);
}
