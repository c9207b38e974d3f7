//! One try to tell a subscriber of an event.
//!
//! Whatever the subscriber answers but 2xx and 410 is a failure that is tried again: nobody here can mend what it lacks,
//! and a repetition does no harm, because it comes under the same id. 410 says that it wants no more.

use super::options::{Options, Signing};
use super::stand::Outcome;
use super::{CONNECTION, Endpoint, event_of};
use crate::hub::Hub;
use crate::send::destination::{Attempt, Destination, Repeat, Tried};
use async_trait::async_trait;
use hub_kit::client::{Heard, SendError};
use hub_kit::{CallError, Pace, Reply};
use hub_store::{Call, CallState, DeliveryAttempt, StoreError, Subscription, Tx, job};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::time::Instant;

/// How long a subscriber may take to answer.
const TIME: Duration = Duration::from_secs(15);
/// A subscriber, for one try.
pub(crate) struct Subscriber {
    /// As it was known before the try.
    pace: Arc<Pace>,
    tried: OnceLock<Note>,
}

/// What to note when the try ends.
struct Note {
    hub: Arc<Hub>,
    options: Options,
    pace: Pace,
    attempt: DeliveryAttempt,
    noted: Option<Noted>,
    /// When it ended, µs.
    at: i64,
}

/// What to note beside the subscription.
enum Noted {
    /// It arrived, after a time when nothing did.
    Well,
    /// Why it did not.
    Failed(String),
    /// The subscriber wants no more.
    Gone,
}

const GONE: &str = "the subscriber answered 410: it wants no more";

/// Why a subscription gets nothing.
fn disabled(why: &str) -> Tried {
    let reason = format!("{why}; it can be sent again once the subscription is enabled");
    Tried::Impossible("SUBSCRIPTION_DISABLED", reason)
}

#[async_trait]
impl Destination for Subscriber {
    fn pace(&self) -> &Pace {
        self.tried.get().map_or(&self.pace, |note| &note.pace)
    }

    fn time_for(&self, _: &str) -> Duration {
        TIME
    }

    async fn attempt(&self, attempt: &Attempt<'_>) -> Tried {
        let (hub, call) = (attempt.hub, attempt.call);
        let found = match find(hub, call).await {
            Ok(Some(found)) => found,
            Ok(None) => {
                let reason = "there is no such subscription any more".to_owned();
                return Tried::Impossible("SUBSCRIPTION_MISSING", reason);
            }
            Err(error) => return Tried::Failed(SendError::NotSent(error.to_string()).into(), Repeat::Freely),
        };
        if found.disabled_at.is_some() {
            return disabled(&found.disabled_why);
        }
        if found.orphaned {
            return disabled("the key of the app that made the subscription is void");
        }
        let endpoint = match open(hub, &found).await {
            Ok(endpoint) => endpoint,
            Err(error) => return Tried::Impossible("SUBSCRIPTION_UNREADABLE", error.to_string()),
        };
        let options = Options::read(&found.new.options);
        hub.subscribed.note(&found.new.id, &options);
        let (began, begun) = (hub.clock.micros(), Instant::now());
        let heard = send(attempt, &endpoint, options.signing).await;
        let status = heard.as_ref().ok().map(|heard| i64::from(heard.status));
        let (noted, tried) = judge(heard, found.failing_since.is_some());
        let error = match &noted {
            Some(Noted::Failed(why)) => why.clone(),
            Some(Noted::Gone) => GONE.to_owned(),
            Some(Noted::Well) | None => String::new(),
        };
        let took_ms = i64::try_from(begun.elapsed().as_millis()).unwrap_or(i64::MAX);
        let attempt = DeliveryAttempt { number: call.tries, at: began, took_ms, status, error };
        let (pace, at) = (options.pace(), hub.clock.micros());
        // There is one try, and it ends once.
        let _ = self.tried.set(Note { hub: Arc::clone(hub), options, pace, attempt, noted, at });
        tried
    }

    async fn conclude(&self, tx: &mut Tx, call: &Call, _: CallState, _: Option<&str>) -> Result<(), StoreError> {
        let id = subscription_of(call);
        let Some(Note { hub, options, attempt, noted, at, .. }) = self.tried.get() else { return Ok(()) };
        tx.note_attempt(&call.new.id, attempt.clone()).await?;
        let outcome = Outcome { hub, call, options, at: *at };
        match noted {
            None => Ok(()),
            Some(Noted::Well) => outcome.well(tx, id).await,
            Some(Noted::Failed(why)) => outcome.failed(tx, id, why).await,
            Some(Noted::Gone) => outcome.disabled(tx, id, GONE).await,
        }
    }
}

impl Subscriber {
    pub(crate) fn new(pace: Arc<Pace>) -> Self {
        Self { pace, tried: OnceLock::new() }
    }
}

/// What an answer means, for the subscription and for the delivery.
fn judge(heard: Result<Heard, SendError>, was_failing: bool) -> (Option<Noted>, Tried) {
    let failed = match heard {
        Ok(Heard { status: status @ 200..=299, .. }) => {
            return (was_failing.then_some(Noted::Well), Tried::Done(Some(Reply::new(status, Vec::new()))));
        }
        Ok(Heard { status: 410, .. }) => return (Some(Noted::Gone), disabled(GONE)),
        Ok(Heard { status: status @ (429 | 503), retry_after }) if status == 429 || retry_after.is_some() => {
            CallError::Wait { status, retry_after }
        }
        Ok(Heard { status: status @ 500.., .. }) => CallError::Trouble { status, code: None },
        Ok(Heard { status, .. }) => CallError::refused(status, None),
        Err(error) => error.into(),
    };
    (Some(Noted::Failed(failed.to_string())), Tried::Failed(failed, Repeat::Freely))
}

fn subscription_of(call: &Call) -> &str {
    call.new.connection.strip_prefix(CONNECTION).unwrap_or_default()
}

async fn find(hub: &Hub, call: &Call) -> Result<Option<Subscription>, StoreError> {
    let (tenant, id) = (call.new.tenant.clone(), subscription_of(call).to_owned());
    hub.store.read(job!(|tx| { tx.subscription(&tenant, &id).await })).await
}

async fn open(hub: &Hub, found: &Subscription) -> Result<Endpoint, StoreError> {
    let (keyring, of) = (hub.store.keyring(), &found.new);
    match Endpoint::open(keyring, &of.tenant, &of.id, &of.sealed) {
        Ok(endpoint) => Ok(endpoint),
        Err(_) => {
            // Another process may have made the key that it was sealed with.
            keyring.reload(&hub.store).await?;
            Endpoint::open(keyring, &of.tenant, &of.id, &of.sealed)
        }
    }
}

async fn send(attempt: &Attempt<'_>, endpoint: &Endpoint, signing: Signing) -> Result<Heard, SendError> {
    if !(attempt.leave.held)() {
        return Err(SendError::ClaimLost);
    }
    let hub = attempt.hub;
    let id = event_of(&attempt.call.new.key);
    let now = hub.clock.now();
    let timestamp = now.as_second();
    let signature = endpoint.sign(signing, now.as_microsecond(), id, timestamp, attempt.args);
    let headers = [
        ("content-type", "application/cloudevents+json; charset=utf-8".to_owned()),
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", timestamp.to_string()),
        ("webhook-signature", signature),
        ("traceparent", attempt.trace.to_string()),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value)).into();
    let left = attempt.leave.until.saturating_duration_since(Instant::now());
    hub.client.notify(endpoint.url.expose(), headers, attempt.args.to_vec(), (now, left)).await
}
