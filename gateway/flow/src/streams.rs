//! Events that come over long connections which the hub opens: every edge holds one for each connection that asks for
//! it, and the vendor gives each event to one of them. An event takes the same road as a web hook: it is durable before
//! it is answered. What is not answered comes again, and a repetition is known by its id.

use crate::hub::Hub;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use hub_kit::client::{Socket, Word};
use hub_kit::stream::{Frame, StreamRule};
use hub_kit::{CallContext, Connection, Driver, Leave};
use hub_tree::jiff::Timestamp;
use hub_tree::{TraceContext, random};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// The gap before another attempt grows from the first to the second; half of it is by chance, so that edges which lost
/// their connections together do not come back together.
const FIRST_GAP: Duration = Duration::from_secs(1);
const LONGEST_GAP: Duration = Duration::from_secs(60);
/// A connection that has lasted so long was a good one: the gaps begin anew.
const GOOD: Duration = Duration::from_secs(60);
/// How long asking for a place may take.
const ASKING: Duration = Duration::from_secs(20);
/// How often we ask whether the other end is there, and after which silence it is not.
const ASK_EVERY: Duration = Duration::from_secs(30);
const SILENCE: Duration = Duration::from_secs(90);
/// Events of one connection that are made durable at once; more wait at the vendor.
const AT_ONCE: usize = 32;
/// A frame holds its event as text in text: quotes of it take several bytes.
const FRAME_OVER_BODY: usize = 4;

/// How the long connections of this process stand.
#[derive(Default)]
pub(crate) struct Streams(Mutex<BTreeMap<String, Standing>>);

/// How a long connection stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Whether it is open.
    pub open: bool,
    /// Since when.
    pub since: Timestamp,
    /// Why it is not open.
    pub why: String,
}

impl Streams {
    fn note(&self, connection: &str, standing: Standing) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(connection.to_owned(), standing);
    }
}

impl Hub {
    /// How the long connection of a connection stands in this process; `None` when it has none.
    #[must_use]
    pub fn stream_of(&self, connection: &str) -> Option<Standing> {
        self.streams.0.lock().unwrap_or_else(PoisonError::into_inner).get(connection).cloned()
    }
}

/// Keeps all long connections open until the hub stops.
pub(crate) async fn run(hub: Arc<Hub>) {
    let mut open = JoinSet::new();
    for connection in hub.registry().connections.values().filter(|connection| connection.streams()) {
        open.spawn(keep_open(Arc::clone(&hub), Arc::clone(connection)));
    }
    let _ = hub.stopping().wait_for(|stop| *stop).await;
    while open.join_next().await.is_some() {}
}

async fn keep_open(hub: Arc<Hub>, connection: Arc<Connection>) {
    let (Some(rule), Some(driver)) = (&connection.manifest.stream, hub.driver(&connection.manifest.driver)) else {
        return;
    };
    let line = Line { hub: &hub, connection: &connection, rule, driver: driver.as_ref() };
    let mut stopping = hub.stopping();
    let mut gap = FIRST_GAP;
    while !hub.stops() {
        let begun = Instant::now();
        let ended = line.hold(&mut stopping).await;
        let why = match ended {
            Ended::Stopped => return,
            // The vendor wants us elsewhere: at once, but not all edges in the same moment.
            Ended::Asked => {
                gap = Duration::ZERO;
                "the vendor asked for another connection".to_owned()
            }
            Ended::Broken(why) => {
                tracing::warn!(connection.id = %connection.id, reason = why, "a long connection is not open");
                why
            }
        };
        hub.streams.note(&connection.id, Standing { open: false, since: hub.clock.now(), why });
        if begun.elapsed() > GOOD {
            gap = FIRST_GAP;
        }
        let half = u64::try_from(gap.as_millis() / 2).unwrap_or(0);
        let wait = Duration::from_millis(half + random::below(half.max(250)));
        gap = (gap * 2).clamp(FIRST_GAP, LONGEST_GAP);
        let _ = tokio::time::timeout(wait, stopping.wait_for(|stop| *stop)).await;
    }
}

/// How a long connection ended.
enum Ended {
    Stopped,
    Asked,
    Broken(String),
}

/// What one long connection needs.
struct Line<'l> {
    hub: &'l Arc<Hub>,
    connection: &'l Arc<Connection>,
    rule: &'l StreamRule,
    driver: &'l dyn Driver,
}

impl Line<'_> {
    /// Opens the connection and takes what comes, until it ends.
    async fn hold(&self, stopping: &mut watch::Receiver<bool>) -> Ended {
        let opening = tokio::select! {
            opened = self.open() => opened,
            _ = stopping.wait_for(|stop| *stop) => return Ended::Stopped,
        };
        let mut socket = match opening {
            Ok(socket) => socket,
            Err(why) => return Ended::Broken(why),
        };
        tracing::info!(connection.id = %self.connection.id, "a long connection is open");
        let now = self.hub.clock.now();
        self.hub.streams.note(&self.connection.id, Standing { open: true, since: now, why: String::new() });
        let ended = tokio::select! {
            ended = self.listen(&mut socket) => ended,
            _ = stopping.wait_for(|stop| *stop) => Ended::Stopped,
        };
        // What was not answered comes again, here or elsewhere.
        if !matches!(ended, Ended::Broken(_)) {
            socket.close().await;
        }
        ended
    }

    async fn open(&self) -> Result<Socket, String> {
        let (hub, held) = (self.hub, || true);
        let call_id = hub.ids.next().to_string();
        let cx = CallContext {
            connection: self.connection,
            client: &hub.client,
            tokens: &hub.tokens,
            trace: TraceContext::begin(),
            call_id: &call_id,
            leave: Leave { until: Instant::now() + ASKING, held: &held },
            spools: false,
            clock: &hub.clock,
        };
        let address = self.rule.address(self.driver, &cx).await.map_err(|error| error.to_string())?;
        let largest = self.connection.max_body_bytes(hub.max_body_bytes).saturating_mul(FRAME_OVER_BODY);
        hub.client.socket(&address, &self.connection.egress, largest).await.map_err(|error| error.to_string())
    }

    /// Hears frames and answers them; events are made durable side by side.
    async fn listen(&self, socket: &mut Socket) -> Ended {
        let mut under_way = FuturesUnordered::new();
        let mut ask = tokio::time::interval(ASK_EVERY);
        let mut heard = Instant::now();
        loop {
            let said = tokio::select! {
                Some(answer) = under_way.next(), if !under_way.is_empty() => socket.say(answer).await,
                word = socket.hear(), if under_way.len() < AT_ONCE => {
                    heard = Instant::now();
                    let frame = match word {
                        Ok(Word::Text(text)) => self.driver.read_frame(&text),
                        Ok(Word::Alive) => Frame::Nothing,
                        Ok(Word::Closed) => return Ended::Broken("the vendor closed it".to_owned()),
                        Err(error) => return Ended::Broken(error.to_string()),
                    };
                    match frame {
                        Frame::Event { id, body } => {
                            under_way.push(self.take(id, body));
                            Ok(())
                        }
                        Frame::Answered(answer) => socket.say(answer).await,
                        Frame::Leave(answer) => {
                            if let Some(answer) = answer {
                                let _ = socket.say(answer).await;
                            }
                            // What is under way is answered here.
                            while let Some(answer) = under_way.next().await {
                                let _ = socket.say(answer).await;
                            }
                            return Ended::Asked;
                        }
                        Frame::Nothing => Ok(()),
                    }
                }
                _ = ask.tick() => {
                    if heard.elapsed() > SILENCE {
                        return Ended::Broken("nothing was heard for a while".to_owned());
                    }
                    socket.ping().await
                }
            };
            if let Err(error) = said {
                return Ended::Broken(error.to_string());
            }
        }
    }

    /// Makes an event durable; gives the answer to its frame.
    async fn take(&self, id: String, body: Vec<u8>) -> String {
        let taken = match self.hub.admission.enter(body.len()) {
            Ok(_room) => self.hub.receive_event(self.connection, body).await.is_ok(),
            Err(_) => false,
        };
        self.driver.answer_frame(&id, taken)
    }
}
