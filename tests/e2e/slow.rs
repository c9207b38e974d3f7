//! Clients that take a connection and send no request, or its head so slowly that it never comes: they are cut off, and
//! nobody else notices.

use hub_support::{Backends, Place};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Longer than the limit of the test by what a busy machine may take.
const PATIENCE: Duration = Duration::from_secs(20);

fn place(head_secs: u32) -> Place {
    let place = Place::new(Backends::Embedded);
    let limits = "limits: { max_body_bytes: 5000000";
    place.edit("hub.yaml", |text| text.replace(limits, &format!("{limits}, head_secs: {head_secs}")));
    place
}

fn connect(place: &Place) -> TcpStream {
    let socket = TcpStream::connect(("127.0.0.1", place.port)).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    socket
}

/// Sends `head` at ten bytes a second until the hub closes the connection: how long it took, and what was answered.
fn trickle(mut socket: TcpStream, head: &str) -> (Duration, String) {
    let begun = Instant::now();
    let mut left = head.bytes().chain(std::iter::repeat_n(b'x', if head.is_empty() { 0 } else { 10_000 }));
    let (mut answer, mut part) = (String::new(), [0; 1024]);
    while begun.elapsed() < PATIENCE {
        match socket.read(&mut part) {
            Ok(0) => return (begun.elapsed(), answer),
            Ok(read) => answer.push_str(&String::from_utf8_lossy(&part[..read])),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => return (begun.elapsed(), answer),
        }
        if let Some(byte) = left.next()
            && socket.write_all(&[byte]).is_err()
        {
            return (begun.elapsed(), answer);
        }
    }
    panic!("`{head}` still has its connection after {PATIENCE:?}; it was answered {answer:?}")
}

#[test]
fn a_head_that_does_not_come_in_time_costs_its_client_the_connection() {
    let place = place(2);
    let hub = place.serve();
    let heads = [
        "",
        "GET /healthz HTTP/1.1\r\nHost: hub\r\nX: ",
        "P",
        // What HTTP/2 begins with, as far as it comes in that time.
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ];
    std::thread::scope(|scope| {
        let slow = heads.map(|head| scope.spawn(|| trickle(connect(&place), head)));
        // Others are answered meanwhile.
        let quick = Instant::now();
        assert!(place.get("/v1/me")["name"].is_string());
        assert!(quick.elapsed() < PATIENCE);
        for (head, one) in heads.iter().zip(slow) {
            let (took, answer) = one.join().unwrap();
            assert!(took > Duration::from_millis(1_500), "{head:?} was cut off after {took:?}");
            assert!(!answer.contains(" 200 "), "{head:?}: {answer}");
        }
    });
    // The whole beginning of HTTP/2 is no request either.
    let mut socket = connect(&place);
    socket.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").unwrap();
    trickle(socket, "");
    assert!(!hub.has_ended());
}

#[test]
fn the_next_head_of_a_connection_has_its_time_too() {
    let place = place(2);
    let _hub = place.serve();
    for second in ["", "GET /healthz HTTP/1.1\r\nHost: hub\r\nX: "] {
        let mut socket = connect(&place);
        socket.write_all(b"GET /healthz HTTP/1.1\r\nHost: hub\r\n\r\n").unwrap();
        let (took, answer) = trickle(socket, second);
        assert!(answer.contains(" 200 ") && took > Duration::from_millis(1_500), "{second:?}: {took:?} {answer}");
        assert_eq!(answer.matches("HTTP/1.1 200").count(), 1, "{answer}");
    }
}

#[test]
fn who_is_slow_within_the_limit_or_waits_for_an_answer_keeps_the_connection() {
    let place = place(2);
    let _hub = place.serve();
    let mut socket = connect(&place);
    for part in ["GET /healthz HTTP/1.1\r\n", "Host: hub\r\n", "Connection: close\r\n\r\n"] {
        socket.write_all(part.as_bytes()).unwrap();
        std::thread::sleep(Duration::from_millis(300));
    }
    assert!(trickle(socket, "").1.contains(" 200 "));
    // An answer may take longer than the head of its request.
    let begun = Instant::now();
    let page = place.get("/v1/events?cursor=now&wait=4");
    assert!(page["next_cursor"].is_string() && begun.elapsed() > Duration::from_secs(3), "{page}");
}

#[test]
fn a_limit_that_is_none_is_an_error_of_the_configuration() {
    let place = place(0);
    let output = hub_support::run_hrhub(["check", place.config().to_str().unwrap()]);
    let (out, err) = hub_support::said(&output);
    assert!(!output.status.success() && format!("{out}{err}").contains("head_secs"), "{out}{err}");
}
