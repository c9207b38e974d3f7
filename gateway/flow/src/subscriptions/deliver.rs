//! One try to tell a subscriber of an event.
//!
//! Whatever the subscriber answers but 2xx and 410 is a failure that is tried again: nobody here can mend what it lacks,
//! and a repetition does no harm, because it comes under the same id. 410 says that it wants no more.

use super::{CONNECTION, Endpoint, event_of};
use crate::hub::Hub;
use hub_kit::CallError;
use hub_kit::client::{Heard, SendError};
use hub_store::{Call, StoreError, Subscription, job};
use hub_tree::TraceContext;
use std::time::Duration;

/// How long a subscriber may take to answer.
pub(crate) const TIME: Duration = Duration::from_secs(15);
/// Events of different records that are under way to one subscriber at once.
pub(crate) const CONCURRENCY: usize = 8;
/// How long to wait after the first try, after the second …: about three days in all.
pub(crate) const WAITS_SECS: [u64; 11] = [5, 30, 120, 600, 3_600, 10_800, 21_600, 43_200, 43_200, 43_200, 86_400];
/// Tries before a delivery is parked.
pub(crate) const TRIES: i64 = 12;

/// How a try ended.
pub(crate) enum Delivered {
    /// It arrived; the status.
    Arrived(u16),
    /// It did not; another try may do.
    Failed(CallError),
    /// No other try will do, until somebody changes something.
    Stopped {
        /// A stable code to group by.
        code: &'static str,
        /// In words.
        reason: String,
    },
}

/// The journey's and the log's words for why a subscription gets nothing.
fn disabled(why: &str) -> Delivered {
    let reason = format!("{why}; it can be sent again once the subscription is enabled");
    Delivered::Stopped { code: "SUBSCRIPTION_DISABLED", reason }
}

/// Tells a subscriber once, within `limit`.
pub(crate) async fn attempt(hub: &Hub, call: &Call, body: &[u8], trace: TraceContext, limit: Duration) -> Delivered {
    let id = call.new.connection.strip_prefix(CONNECTION).unwrap_or_default();
    let found = match find(hub, &call.new.tenant, id).await {
        Ok(Some(found)) => found,
        Ok(None) => {
            let reason = "there is no such subscription any more".to_owned();
            return Delivered::Stopped { code: "SUBSCRIPTION_MISSING", reason };
        }
        Err(error) => return Delivered::Failed(SendError::NotSent(error.to_string()).into()),
    };
    if found.disabled_at.is_some() {
        return disabled(&found.disabled_why);
    }
    if found.orphaned {
        return disabled("the key of the app that made the subscription is void");
    }
    let endpoint = match open(hub, &found).await {
        Ok(endpoint) => endpoint,
        Err(error) => {
            return Delivered::Stopped { code: "SUBSCRIPTION_UNREADABLE", reason: error.to_string() };
        }
    };
    let result = send(hub, &endpoint, event_of(&call.new.key), body, trace, limit).await;
    let failed = match result {
        Ok(Heard { status: status @ 200..=299, .. }) => {
            if found.failing_since.is_some() {
                note(hub, id, None).await;
            }
            return Delivered::Arrived(status);
        }
        Ok(Heard { status: 410, .. }) => {
            let why = "the subscriber answered 410: it wants no more";
            let (id, now) = (id.to_owned(), hub.clock.micros());
            let written = hub.store.write(job!(|tx| { tx.disable_subscription(&id, now, why).await })).await;
            match written {
                Ok(_) => return disabled(why),
                Err(error) => SendError::NoAnswer(error.to_string()).into(),
            }
        }
        Ok(Heard { status: status @ (429 | 503), retry_after: wait @ Some(_) }) => {
            CallError::Wait { status, retry_after: wait }
        }
        Ok(Heard { status: 429, retry_after }) => CallError::Wait { status: 429, retry_after },
        Ok(Heard { status: status @ 500.., .. }) => CallError::Trouble { status, code: None },
        Ok(Heard { status, .. }) => CallError::Refused { status, code: None },
        Err(error) => error.into(),
    };
    note(hub, id, Some(failed.to_string())).await;
    Delivered::Failed(failed)
}

async fn find(hub: &Hub, tenant: &str, id: &str) -> Result<Option<Subscription>, StoreError> {
    let (tenant, id) = (tenant.to_owned(), id.to_owned());
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

async fn send(
    hub: &Hub,
    endpoint: &Endpoint,
    id: &str,
    body: &[u8],
    trace: TraceContext,
    limit: Duration,
) -> Result<Heard, SendError> {
    let now = hub.clock.now();
    let timestamp = now.as_second();
    let signature = endpoint.sign(now.as_microsecond(), id, timestamp, body);
    let headers = [
        ("content-type", "application/cloudevents+json; charset=utf-8".to_owned()),
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", timestamp.to_string()),
        ("webhook-signature", signature),
        ("traceparent", trace.to_string()),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value)).into();
    hub.client.notify(endpoint.url.expose(), headers, body.to_vec(), limit).await
}

/// Notes how it went beside the subscription; what that fails by is of no weight.
async fn note(hub: &Hub, id: &str, failed: Option<String>) {
    let (id, now) = (id.to_owned(), hub.clock.micros());
    if let Err(error) = hub.store.write(job!(|tx| { tx.note_subscriber(&id, now, failed).await })).await {
        tracing::warn!(error = %error, "how a subscriber is cannot be noted");
    }
}
