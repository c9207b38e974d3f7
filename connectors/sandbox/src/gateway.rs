//! Long connections: a hub opens a WebSocket, and web hooks travel over it as frames instead. Each goes to one of the
//! connections that are open; what is not answered well comes again, what nobody listens to waits.

use crate::profile::{Step, step};
use crate::run::Asked;
use crate::state::{Answer, Delivery};
use crate::{Sandbox, SandboxError};
use axum::extract::ws::{Message, WebSocket};
use hub_expr::Scope;
use hub_tree::yaml::{Context, Node};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// The gap while nobody is connected.
const NOBODY_MS: i64 = 100;
/// Frames that wait for one connection.
const WAITING: usize = 256;

/// `stream`: how a vendor speaks over a long connection. Each part is a step whose answer counts.
#[derive(Debug)]
pub(crate) struct StreamProfile {
    /// Refused: web hooks are sent over HTTP.
    when: Step,
    /// Takes a connection: sees `query`.
    connect: Step,
    /// The first frame.
    greet: Option<Step>,
    /// The frame that asks for another connection.
    leave: Option<Step>,
    /// The frame of a web hook: sees its `body`, and `path.id`, which the answer names.
    frame: Step,
    /// Reads an answer as `body`: the `id` that it names; refused when the frame is to come again.
    taken: Step,
    again_secs: i64,
}

impl StreamProfile {
    pub(crate) fn read(node: &Node, scope: &Scope, cx: &Context<'_>) -> Option<Self> {
        let mut fields = node.fields(cx)?;
        let mut part = |key: &'static str| {
            let mut own = fields.optional(key)?.fields(cx)?;
            let found = step(&mut own, &mut scope.clone(), cx);
            own.finish();
            found
        };
        let (when, connect, greet) = (part("when"), part("connect"), part("greet"));
        let (leave, frame, taken) = (part("leave"), part("frame"), part("taken"));
        let again_secs = fields.integer("again_secs", 1, 86_400).unwrap_or(60);
        let span = fields.span;
        fields.finish();
        let (Some(frame), Some(taken)) = (frame, taken) else {
            cx.error(span, "a long connection needs `frame` and `taken`");
            return None;
        };
        let (when, connect) = (when.unwrap_or_default(), connect.unwrap_or_default());
        Some(Self { when, connect, greet, leave, frame, taken, again_secs })
    }
}

/// The connections that are open.
#[derive(Default)]
pub(crate) struct Gateway {
    lines: Mutex<BTreeMap<u64, Line>>,
    next: AtomicU64,
}

struct Line {
    vendor: String,
    frames: mpsc::Sender<Out>,
    /// Frames that wait for their answers, by what the answer names.
    waiting: BTreeMap<String, oneshot::Sender<bool>>,
}

/// What goes out on a connection.
enum Out {
    Frame(String),
    /// It breaks, without a goodbye.
    Cut,
}

impl Gateway {
    fn lines(&self) -> MutexGuard<'_, BTreeMap<u64, Line>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a frame on one of a vendor's connections, each in turn; gives what will say whether it was taken.
    fn send(&self, vendor: &str, id: &str, frame: &str) -> Option<oneshot::Receiver<bool>> {
        let mut lines = self.lines();
        let own: Vec<u64> = lines.iter().filter(|(_, line)| line.vendor == vendor).map(|(key, _)| *key).collect();
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let chosen = own.get(usize::try_from(turn).unwrap_or(0).checked_rem(own.len())?)?;
        let line = lines.get_mut(chosen)?;
        line.frames.try_send(Out::Frame(frame.to_owned())).ok()?;
        let (sender, answer) = oneshot::channel();
        line.waiting.insert(id.to_owned(), sender);
        Some(answer)
    }
}

impl Sandbox {
    /// Whether a vendor's web hooks travel over long connections.
    pub(crate) fn streams(&self, vendor: &str) -> bool {
        let Some(profile) = self.profiles.get(vendor) else { return false };
        let Some(stream) = &profile.stream else { return false };
        self.perform(profile, None, &stream.when, &Asked::default()).is_ok_and(|answer| answer.status < 300)
    }

    /// Whether a hub may connect.
    pub(crate) fn admit(&self, vendor: &str, query: Vec<(String, String)>) -> Result<(), SandboxError> {
        let profile = self.profile(vendor)?;
        let unknown = || SandboxError::Unknown(format!("{vendor} has no long connections"));
        let stream = profile.stream.as_ref().ok_or_else(unknown)?;
        let answer = self.perform(profile, None, &stream.connect, &Asked { query, ..Asked::default() })?;
        if answer.status < 300 { Ok(()) } else { Err(SandboxError::Refused(answer.body)) }
    }

    /// Holds a connection until it ends.
    pub(crate) async fn hold(&self, vendor: &str, mut socket: WebSocket) {
        let key = self.gateway.next.fetch_add(1, Ordering::Relaxed);
        let (frames, mut outgoing) = mpsc::channel(WAITING);
        if let Some(greeting) = self.frame(vendor, |stream| stream.greet.as_ref(), Vec::new(), "") {
            let _ = frames.try_send(Out::Frame(greeting.body));
        }
        self.gateway.lines().insert(key, Line { vendor: vendor.to_owned(), frames, waiting: BTreeMap::new() });
        self.wake.notify_one();
        loop {
            tokio::select! {
                out = outgoing.recv() => match out {
                    Some(Out::Frame(text)) => {
                        if socket.send(Message::Text(text.into())).await.is_err() {
                            break;
                        }
                    }
                    Some(Out::Cut) | None => break,
                },
                word = socket.recv() => match word {
                    Some(Ok(Message::Text(text))) => self.heard(vendor, key, text.as_str()),
                    Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                    Some(Ok(_)) => {}
                },
            }
        }
        self.gateway.lines().remove(&key);
    }

    /// An answer of a hub.
    fn heard(&self, vendor: &str, key: u64, text: &str) {
        let body = text.as_bytes().to_vec();
        let Some(answer) = self.frame(vendor, |stream| Some(&stream.taken), body, "") else { return };
        let named: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        let Some(id) = named["id"].as_str() else { return };
        if let Some(waiting) = self.gateway.lines().get_mut(&key).and_then(|line| line.waiting.remove(id)) {
            let _ = waiting.send(answer.status < 300);
        }
    }

    /// The answer of a part of the profile.
    fn frame<'s>(
        &'s self,
        vendor: &str,
        part: impl FnOnce(&'s StreamProfile) -> Option<&'s Step>,
        body: Vec<u8>,
        id: &str,
    ) -> Option<Answer> {
        let profile = self.profiles.get(vendor)?;
        let step = part(profile.stream.as_ref()?)?;
        let path = vec![("id".to_owned(), id.to_owned())];
        self.perform(profile, None, step, &Asked { body, path, ..Asked::default() }).ok()
    }

    /// Hands a web hook over on a long connection.
    pub(crate) async fn hand_over(&self, delivery: Delivery) -> String {
        let (again, hurry) = {
            let dial = self.dial.lock().unwrap_or_else(PoisonError::into_inner);
            (dial.duplicates, i64::from(dial.hurry.max(1)))
        };
        let again_secs = self.profiles.get(&delivery.vendor).and_then(|profile| profile.stream.as_ref());
        let gap_ms = again_secs.map_or(60, |stream| stream.again_secs) * 1000 / hurry;
        let (mut taken, mut gap) = (true, gap_ms);
        for number in 0..=again {
            let id = format!("{}_{}_{number}", delivery.id, delivery.tries);
            let body = delivery.body.clone().into_bytes();
            let frame = self.frame(&delivery.vendor, |stream| Some(&stream.frame), body, &id);
            let answer = frame.and_then(|frame| self.gateway.send(&delivery.vendor, &id, &frame.body));
            let Some(answer) = answer else {
                (taken, gap) = (false, NOBODY_MS);
                break;
            };
            let within = Duration::from_millis(u64::try_from(gap_ms).unwrap_or(0));
            match tokio::time::timeout(within, answer).await {
                Ok(Ok(good)) => taken &= good,
                // The connection broke before the answer.
                Ok(Err(_)) => (taken, gap) = (false, NOBODY_MS),
                Err(_) => taken = false,
            }
        }
        if taken {
            self.delivered(&delivery);
        } else {
            self.state().put_off(&delivery.id, self.clock.micros() + gap * 1000);
        }
        delivery.id
    }

    /// Cuts all long connections of a vendor, or asks their hubs for others; says how many there were.
    pub(crate) fn disturb(&self, vendor: &str, politely: bool) -> usize {
        let asked = politely.then(|| self.frame(vendor, |stream| stream.leave.as_ref(), Vec::new(), "")).flatten();
        let lines = self.gateway.lines();
        let own = lines.values().filter(|line| line.vendor == vendor);
        own.map(|line| line.frames.try_send(asked.as_ref().map_or(Out::Cut, |frame| Out::Frame(frame.body.clone()))))
            .filter(Result::is_ok)
            .count()
    }
}
