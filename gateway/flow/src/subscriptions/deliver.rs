//! One try to tell a subscriber of an event.
//!
//! Whatever the subscriber answers but 2xx and 410 is a failure that is tried again: nobody here can mend what it lacks,
//! and a repetition does no harm, because it comes under the same id. 410 says that it wants no more.

use super::{CONNECTION, Endpoint, event_of};
use crate::hub::Hub;
use crate::send::destination::{Attempt, Destination, Repeat, Tried};
use async_trait::async_trait;
use hub_kit::client::{Heard, SendError};
use hub_kit::pace::{RetryPlan, Waits};
use hub_kit::{CallError, Pace, Reply};
use hub_store::{Call, CallState, StoreError, Subscription, Tx, job};
use std::sync::{LazyLock, OnceLock};
use std::time::Duration;
use tokio::time::Instant;

/// How long a subscriber may take to answer.
const TIME: Duration = Duration::from_secs(15);
/// How long to wait after the first try, after the second …: about three days in all.
const WAITS_SECS: [u64; 11] = [5, 30, 120, 600, 3_600, 10_800, 21_600, 43_200, 43_200, 43_200, 86_400];

/// Events of different records that are under way to one subscriber at once, and when they are tried again.
static PACE: LazyLock<Pace> = LazyLock::new(|| {
    let waits = Waits::Listed(WAITS_SECS.map(Duration::from_secs).into());
    let retry = RetryPlan { waits, tries: 12, ..RetryPlan::default() };
    Pace { concurrency: 8, retry, ..Pace::default() }
});

/// A subscriber, for one try.
#[derive(Default)]
pub(crate) struct Subscriber(OnceLock<(i64, Noted)>);

/// What to note beside the subscription when the try ends, and since when (µs) it is so.
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
        &PACE
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
        let failed = match send(attempt, &endpoint).await {
            Ok(Heard { status: status @ 200..=299, .. }) => {
                if found.failing_since.is_some() {
                    self.note(hub, Noted::Well);
                }
                return Tried::Done(Some(Reply::new(status, Vec::new())));
            }
            Ok(Heard { status: 410, .. }) => {
                self.note(hub, Noted::Gone);
                return disabled(GONE);
            }
            Ok(Heard { status: status @ (429 | 503), retry_after }) if status == 429 || retry_after.is_some() => {
                CallError::Wait { status, retry_after }
            }
            Ok(Heard { status: status @ 500.., .. }) => CallError::Trouble { status, code: None },
            Ok(Heard { status, .. }) => CallError::refused(status, None),
            Err(error) => error.into(),
        };
        self.note(hub, Noted::Failed(failed.to_string()));
        Tried::Failed(failed, Repeat::Freely)
    }

    async fn conclude(&self, tx: &mut Tx, call: &Call, _: CallState, _: Option<&str>) -> Result<(), StoreError> {
        let id = subscription_of(call);
        let Some((at, noted)) = self.0.get() else { return Ok(()) };
        match noted {
            Noted::Well => tx.note_subscriber(id, *at, None).await,
            Noted::Failed(why) => tx.note_subscriber(id, *at, Some(why.clone())).await,
            Noted::Gone => tx.disable_subscription(id, *at, GONE).await.map(drop),
        }
    }
}

impl Subscriber {
    fn note(&self, hub: &Hub, noted: Noted) {
        // There is one try, and it ends once.
        let _ = self.0.set((hub.clock.micros(), noted));
    }
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

async fn send(attempt: &Attempt<'_>, endpoint: &Endpoint) -> Result<Heard, SendError> {
    if !(attempt.leave.held)() {
        return Err(SendError::ClaimLost);
    }
    let hub = attempt.hub;
    let id = event_of(&attempt.call.new.key);
    let now = hub.clock.now();
    let timestamp = now.as_second();
    let signature = endpoint.sign(now.as_microsecond(), id, timestamp, attempt.args);
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
