//! A subscriber: takes web hooks on a port of its own, remembers them, answers as it is told, and checks signatures
//! by itself.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A web hook as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Got {
    pub(crate) path: String,
    headers: Vec<(String, String)>,
    /// `webhook-id`.
    pub(crate) id: String,
    pub(crate) body: Value,
    bytes: Vec<u8>,
}

/// The number that an event has in its sequence.
pub(crate) fn sequence_of(body: &Value) -> i64 {
    body["sequence"].as_str().unwrap().parse().unwrap()
}

impl Got {
    pub(crate) fn header(&self, wanted: &str) -> &str {
        let found: Vec<&str> =
            self.headers.iter().filter(|(name, _)| name == wanted).map(|(_, value)| value.as_str()).collect();
        assert_eq!(found.len(), 1, "{wanted}: {:#?}", self.headers);
        found[0]
    }

    pub(crate) fn subject(&self) -> &str {
        self.body["subject"].as_str().unwrap()
    }

    pub(crate) fn version(&self) -> i64 {
        self.body["data"]["version"].as_i64().unwrap()
    }

    pub(crate) fn sequence(&self) -> i64 {
        sequence_of(&self.body)
    }

    /// It as one object for others to check: headers, and the body as base64.
    pub(crate) fn as_json(&self) -> Value {
        let headers: BTreeMap<&str, &str> = self.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        serde_json::json!({ "headers": headers, "body": STANDARD.encode(&self.bytes) })
    }

    /// Checks that each of these secrets has signed it; how many signatures there are.
    pub(crate) fn check(&self, secrets: &[&str]) -> usize {
        let timestamp = self.header("webhook-timestamp");
        let age = hub_tree::Clock::System.now().as_second() - timestamp.parse::<i64>().unwrap();
        assert!(age.abs() < 300, "signed {age} seconds ago");
        let given: Vec<&str> = self.header("webhook-signature").split(' ').collect();
        for secret in secrets {
            let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
            assert_eq!(key.len(), 32);
            let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
            mac.update(format!("{}.{timestamp}.", self.id).as_bytes());
            mac.update(&self.bytes);
            let wanted = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
            assert!(given.contains(&wanted.as_str()), "no signature of this secret: {self:#?}");
        }
        given.len()
    }
}

#[derive(Default)]
struct State {
    got: Vec<Got>,
    /// Answers to the next ids that were not seen before, and whether they get it at every try; all else gets `always`.
    next: VecDeque<(u16, bool)>,
    kept: BTreeMap<String, u16>,
    always: u16,
    takes: Duration,
}

/// A subscriber.
pub(crate) struct Receiver {
    port: u16,
    state: Arc<Mutex<State>>,
}

impl Receiver {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State { always: 204, ..State::default() }));
        let own = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&own);
                std::thread::spawn(move || while receive(&stream, &state).is_some() {});
            }
        });
        Self { port, state }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// All that has arrived, in order.
    pub(crate) fn got(&self) -> Vec<Got> {
        self.state.lock().unwrap().got.clone()
    }

    /// Answers the first try of the next event with this status.
    pub(crate) fn answer_once(&self, status: u16) {
        self.state.lock().unwrap().next.push_back((status, false));
    }

    /// Answers every try of the next event with this status.
    pub(crate) fn answer_next(&self, status: u16) {
        self.state.lock().unwrap().next.push_back((status, true));
    }

    /// Answers every request with this status.
    pub(crate) fn answer_always(&self, status: u16) {
        self.state.lock().unwrap().always = status;
    }

    /// Takes so long for an answer.
    pub(crate) fn take_ms(&self, millis: u64) {
        self.state.lock().unwrap().takes = Duration::from_millis(millis);
    }
}

/// Takes one request; `None` when the peer is done.
fn receive(mut stream: &TcpStream, state: &Mutex<State>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    if reader.read_line(&mut line).ok()? == 0 {
        return None;
    }
    let path = line.strip_prefix("POST ").unwrap_or_else(|| panic!("{line}")).split(' ').next()?.to_owned();
    let mut headers = Vec::new();
    loop {
        line.clear();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let header = |wanted: &str| headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
    let mut bytes = vec![0; header("content-length")?.parse().ok()?];
    reader.read_exact(&mut bytes).ok()?;
    let id = header("webhook-id").unwrap_or_default();
    let got = Got { path, id, body: serde_json::from_slice(&bytes).unwrap_or_default(), headers, bytes };
    let (status, takes) = {
        let mut state = state.lock().unwrap();
        let seen = state.got.iter().any(|before| before.id == got.id);
        let next = if seen { None } else { state.next.pop_front() };
        if let Some((status, true)) = next {
            state.kept.insert(got.id.clone(), status);
        }
        let kept = state.kept.get(&got.id).copied();
        state.got.push(got);
        (kept.or(next.map(|(status, _)| status)).unwrap_or(state.always), state.takes)
    };
    std::thread::sleep(takes);
    let (status, more) = match status {
        302 => (302, "location: /elsewhere\r\n"),
        // A receiver that asks for an hour.
        1_429 => (429, "retry-after: 3600\r\n"),
        other => (other, ""),
    };
    stream.write_all(format!("HTTP/1.1 {status} Said\r\n{more}content-length: 0\r\n\r\n").as_bytes()).ok()
}
