//! The live check of a connection: whether its credentials give a token, whether its own settings open a callback, and
//! what it may ask. It changes nothing at the vendor and tells no secrets.

use crate::hub::Hub;
use crate::staging::TableStanding;
use crate::streams::Standing;
use hub_kit::call::renew_token;
use hub_kit::probe::Meaning;
use hub_kit::tables::Looked;
use hub_kit::{CallContext, CallError, Client, Connection, Driver, FollowUp, InboundRequest, KnownIds, Leave, Tokens};
use hub_tree::clock::rfc3339;
use hub_tree::jiff::Timestamp;
use hub_tree::{Arena, Clock, TraceContext};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long each question may take.
const EACH: Duration = Duration::from_secs(20);
/// Questions that one check asks at most.
const MOST: usize = 20;

/// How a part of the check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It works.
    Good,
    /// It does not.
    Bad,
    /// There was nothing to try, or no sense in trying.
    Skipped,
}

impl Outcome {
    /// How it is written.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Skipped => "skipped",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// `token`, `callback`, or the operation that was tried.
    pub name: String,
    /// How it went.
    pub outcome: Outcome,
    /// The vendor's code, or the reason of a refused callback.
    pub code: Option<String>,
    /// What the code means: `credentials`, `address`, `permission`, `quota`, `pace`.
    pub meaning: Option<&'static str>,
    /// What was found, in words.
    pub detail: String,
    /// What to do.
    pub next: Option<String>,
}

impl Part {
    fn new(name: &str, outcome: Outcome, detail: impl Into<String>) -> Self {
        Self { name: name.to_owned(), outcome, code: None, meaning: None, detail: detail.into(), next: None }
    }

    fn next(self, next: impl Into<String>) -> Self {
        Self { next: Some(next.into()), ..self }
    }

    fn to_json(&self) -> Value {
        json!({
            "name": self.name, "result": self.outcome.word(), "code": self.code, "meaning": self.meaning,
            "detail": self.detail, "next": self.next,
        })
    }
}

/// What the live check of a connection found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tested {
    /// The connection.
    pub connection: String,
    /// What people call the vendor.
    pub vendor: String,
    /// Whether its credentials give a token.
    pub token: Part,
    /// Whether callbacks open.
    pub callback: Part,
    /// What it may ask.
    pub permissions: Vec<Part>,
}

impl Tested {
    /// Whether nothing is bad.
    #[must_use]
    pub fn is_good(&self) -> bool {
        [&self.token, &self.callback].into_iter().chain(&self.permissions).all(|part| part.outcome != Outcome::Bad)
    }

    /// As programs read it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "connection": self.connection, "vendor": self.vendor, "ok": self.is_good(),
            "token": self.token.to_json(), "callback": self.callback.to_json(),
            "permissions": self.permissions.iter().map(Part::to_json).collect::<Vec<_>>(),
        })
    }
}

/// What a running hub knows of the callbacks that came.
#[derive(Clone, Debug, Default)]
pub struct Came {
    /// When one was last believed.
    pub good: Option<Timestamp>,
    /// When one was last refused, why, and what to do.
    pub refused: Option<(Timestamp, String, String)>,
}

/// What a check needs.
pub struct Check<'c> {
    /// Whom to look at.
    pub connection: &'c Arc<Connection>,
    /// What speaks its wire.
    pub driver: &'c dyn Driver,
    /// The way out.
    pub client: &'c Client,
    /// The vendors' tokens.
    pub tokens: &'c Tokens,
    /// The clock.
    pub clock: &'c Clock,
    /// What came to the running hub; `None` when it cannot be asked.
    pub came: Option<Came>,
    /// How the running hub's long connection stands.
    pub stream: Option<Standing>,
    /// How the running hub's tables stand.
    pub tables: Option<TableStanding>,
}

impl Hub {
    /// Looks at a connection as it is now; `None` when there is no such connection or nothing speaks its wire.
    pub async fn test_connection(&self, id: &str) -> Option<Tested> {
        let connection = self.connection(id)?;
        let driver = self.driver(&connection.manifest.driver)?;
        let check = Check {
            connection: &connection,
            driver: driver.as_ref(),
            client: &self.client,
            tokens: &self.tokens,
            clock: &self.clock,
            came: Some(self.came(id)),
            stream: self.stream_of(id),
            tables: self.tables_of(id),
        };
        Some(check.run().await)
    }

    /// What came to this process for a connection.
    fn came(&self, id: &str) -> Came {
        let proofs = self.refusals(id);
        let refused = proofs.refusals.into_iter().next();
        Came { good: proofs.last_good, refused: refused.map(|last| (last.at, last.reason, last.hint)) }
    }
}

impl Check<'_> {
    /// Looks at token, callback and permissions, in this order.
    pub async fn run(self) -> Tested {
        let token = self.token().await;
        let callback = self.callback();
        let mut permissions = if token.outcome == Outcome::Bad { self.not_tried() } else { self.permissions().await };
        if token.outcome != Outcome::Bad {
            permissions.extend(self.looked().await);
        }
        Tested {
            connection: self.connection.id.clone(),
            vendor: self.connection.manifest.name.clone(),
            token,
            callback,
            permissions,
        }
    }

    fn context<'x>(&'x self, held: &'x (dyn Fn() -> bool + Send + Sync)) -> CallContext<'x> {
        CallContext {
            connection: self.connection,
            client: self.client,
            tokens: self.tokens,
            trace: TraceContext::begin(),
            call_id: "connection-test",
            leave: Leave { until: Instant::now() + EACH, held },
            spools: false,
            clock: self.clock,
        }
    }

    async fn token(&self) -> Part {
        let held = || true;
        let cx = self.context(&held);
        match renew_token(&cx, self.driver).await {
            Ok(true) => Part::new("token", Outcome::Good, "the vendor gave one"),
            Ok(false) => Part::new("token", Outcome::Skipped, "this vendor has none to fetch"),
            Err(error) => self.failed("token", &error),
        }
    }

    fn callback(&self) -> Part {
        let part = |outcome, detail: &str| Part::new("callback", outcome, detail);
        let Some(webhook) = &self.connection.manifest.webhook else {
            return part(Outcome::Skipped, "this vendor sends nothing");
        };
        if self.connection.streams() {
            return self.stream();
        }
        let now = self.clock.now();
        let open = |request: &InboundRequest| self.driver.open_webhook(self.connection, request).err();
        let Some(request) = self.driver.make_webhook(self.connection, b"{}", now) else {
            let empty = InboundRequest {
                method: "POST".to_owned(),
                query: Vec::new(),
                headers: Vec::new(),
                body: b"{}".to_vec(),
                now,
            };
            let set = !webhook.is_opened_by_driver() && !self.connection.setting_list(&webhook.secret).is_empty();
            // Some vendors need no secret for what is only called.
            return match open(&empty) {
                None => part(Outcome::Good, "callbacks need no proof"),
                Some(_) if set => {
                    self.came(Outcome::Skipped, "its secret is set; only the vendor makes requests with it")
                }
                Some(_) => part(Outcome::Skipped, "its secrets are not set: every callback is refused")
                    .next("set what the vendor signs and seals with, if it is to send anything"),
            };
        };
        if let Some(reason) = open(&request) {
            return Part {
                code: Some(reason.to_string()),
                ..part(Outcome::Bad, "a request made with the connection's own settings does not open")
            }
            .next(reason.hint());
        }
        self.came(Outcome::Good, "a request made with the connection's own settings opens")
    }

    /// What the running hub knows of the vendor's own requests; `own` and its outcome are what is known without them.
    fn came(&self, outcome: Outcome, own: &str) -> Part {
        let part = |outcome, detail: &str| Part::new("callback", outcome, detail);
        let at = |time: Timestamp| rfc3339(time);
        match &self.came {
            None => part(outcome, own).next("ask the running hub (--hub) whether the vendor's own requests open"),
            Some(Came { good, refused: Some((when, reason, hint)) }) if good.is_none_or(|good| good < *when) => Part {
                code: Some(reason.clone()),
                ..part(Outcome::Bad, &format!("{own}, but the last one that came, at {}, was refused", at(*when)))
            }
            .next(hint.clone()),
            Some(Came { good: Some(good), .. }) => {
                part(Outcome::Good, &format!("{own}; the last one that came, at {}, opened", at(*good)))
            }
            Some(_) => part(outcome, &format!("{own}; none has come from the vendor since the hub began")),
        }
    }

    /// Events come over a long connection that the hub opens.
    fn stream(&self) -> Part {
        let part = |outcome, detail: &str| Part::new("callback", outcome, detail);
        match &self.stream {
            Some(Standing { open: true, since, .. }) => {
                part(Outcome::Good, &format!("the long connection is open since {}", rfc3339(*since)))
            }
            Some(Standing { open: false, since, why }) => {
                part(Outcome::Bad, &format!("the long connection is closed since {}: {why}", rfc3339(*since)))
                    .next("the hub tries again by itself; if the token is good, look at the way out to the vendor")
            }
            None => part(Outcome::Skipped, "events come over a long connection of the running hub")
                .next("ask the running hub (--hub) whether it is open"),
        }
    }

    /// What the driver finds by looking itself, and what the running hub says of tables.
    async fn looked(&self) -> Vec<Part> {
        let held = || true;
        let part = |looked: Looked| {
            let outcome = match looked.good {
                Some(true) => Outcome::Good,
                Some(false) => Outcome::Bad,
                None => Outcome::Skipped,
            };
            Part { code: looked.code, next: looked.next, ..Part::new(&looked.name, outcome, looked.detail) }
        };
        let mut parts: Vec<Part> = self.driver.look(&self.context(&held)).await.into_iter().map(part).collect();
        if let Some(TableStanding { at, trouble: Some(trouble) }) = &self.tables {
            let detail = format!("at {}: {trouble}", rfc3339(*at));
            parts.push(Part::new("polling", Outcome::Bad, detail).next("the hub tries again by itself"));
        }
        parts
    }

    fn not_tried(&self) -> Vec<Part> {
        let checks = self.connection.manifest.checks.iter();
        checks.map(|check| Part::new(&check.operation, Outcome::Skipped, "not tried without a token")).collect()
    }

    async fn permissions(&self) -> Vec<Part> {
        let manifest = &self.connection.manifest;
        let asked = {
            let arena = Arena::new();
            let slots = [self.connection.settings(&arena)];
            FollowUp::calls(&manifest.checks, self.connection, &arena, &slots, &KnownIds::new())
        };
        let asked = match asked {
            Ok(asked) => asked,
            Err(wrong) => return vec![Part::new("checks", Outcome::Bad, format!("{}: {}", wrong.place, wrong.reason))],
        };
        let mut parts = Vec::new();
        for call in asked.into_iter().take(MOST) {
            let Some(operation) = manifest.operation(&call.operation) else { continue };
            let held = || true;
            let cx = self.context(&held);
            parts.push(match self.driver.call(&cx, operation, call.args.as_bytes()).await {
                // What is not there may be asked for.
                Ok(_) | Err(CallError::Absent { .. }) => Part::new(&operation.name, Outcome::Good, "answered"),
                Err(error) => self.failed(&operation.name, &error),
            });
        }
        parts
    }

    /// A question that failed: the vendor's code and what it means.
    fn failed(&self, name: &str, error: &CallError) -> Part {
        let meaning = self.connection.manifest.codes.of_error(error);
        let (detail, next) = match meaning {
            Some(Meaning::Credentials) => (
                "the vendor does not accept the id or the secret",
                "compare them with the vendor's console; a secret that was changed there must be changed here",
            ),
            Some(Meaning::Address) => (
                "the vendor takes calls from listed addresses only",
                "add the address that this hub calls from to the app's list",
            ),
            Some(Meaning::Permission) => {
                ("the app has no right to do this", "grant it in the vendor's console and publish the app again")
            }
            Some(Meaning::Quota) => ("the quota is used up", "wait for the next period, or buy more calls"),
            Some(Meaning::Pace) => ("the vendor asks to wait", "try again in a minute"),
            Some(Meaning::Absent) => ("what was asked for is not there", "look at the settings of the connection"),
            None => ("the call failed", "the code is the vendor's: its documentation explains it"),
        };
        let code = error.vendor_code().map(ToOwned::to_owned);
        let detail = if meaning.is_some() { detail.to_owned() } else { error.to_string() };
        let next = (meaning.is_some() || code.is_some()).then(|| next.to_owned());
        Part { code, meaning: meaning.map(Meaning::word), next, ..Part::new(name, Outcome::Bad, detail) }
    }
}
