//! Large bodies do not travel over the broker: they wait in the store, and the message holds a reference.
//!
//! The broker keeps every message several times and hands it on whole, which large ones make slow for all. Whether a
//! body travels or waits, a vendor is answered when it is durable: what the store does not take at once travels.

use crate::hub::Hub;
use hub_bus::{Delivery, Message};
use hub_store::{Blobs, Sealed, StoreError, job};
use std::sync::Arc;
use std::time::Duration;

/// Larger sealed bodies wait in the store, bytes.
const INLINE: usize = 256 * 1024;
/// How long the store may take to keep a body before it travels.
const KEPT_WITHIN: Duration = Duration::from_secs(1);
/// A message's body that begins so is a reference; the length of the body in the store follows, decimal. A sealed body
/// begins with its version, a byte of 1, so that neither bus knows the difference.
const REFERENCE: &str = "BLOB:";

/// Whether a sealed body waits in the store while its message travels, if it can.
pub(crate) const fn is_large(body: &Sealed) -> bool {
    body.0.len() > INLINE
}

/// How long the body is that a message refers to; `None` when it holds its body.
pub(crate) fn referred(message: &Message) -> Option<usize> {
    let length = message.body.strip_prefix(REFERENCE.as_bytes())?;
    std::str::from_utf8(length).ok()?.parse().ok()
}

/// What a message brings with it or refers to, bytes.
pub(crate) fn size(message: &Message) -> usize {
    referred(message).unwrap_or(message.body.len())
}

/// What the message `id` has to carry for a body: the body, or a reference to it in the store.
pub(crate) async fn carried(hub: &Hub, id: &str, tenant: &str, body: Sealed) -> Vec<u8> {
    // A log on this disk may as well hold it; there, what waits for the broker needs no store to be whole.
    let bus = if is_large(&body) { hub.bus.health() } else { return body.0 };
    if bus.kind == "embedded" || !bus.connected || bus.spooled > 0 {
        return body.0;
    }
    let (id, tenant, at, copy) = (id.to_owned(), tenant.to_owned(), hub.store_now(), body.clone());
    let keeping = hub.store.write(job!(|tx| { tx.keep_blob(id, tenant, at, copy).await }));
    match tokio::time::timeout(KEPT_WITHIN, keeping).await {
        Ok(Ok(())) => format!("{REFERENCE}{}", body.0.len()).into_bytes(),
        Ok(Err(error)) => {
            tracing::warn!(error = %error, "a large body travels over the broker");
            body.0
        }
        Err(_) => {
            tracing::warn!("a large body travels over the broker: the store is slow");
            body.0
        }
    }
}

/// Puts bodies from the store into the messages that refer to them, and leaves messages out that were taken in before.
/// A reference to nothing stays one. Waits for a store that is away.
pub(crate) async fn resolve(hub: &Arc<Hub>, mut deliveries: Vec<Delivery>) -> Vec<Delivery> {
    let references = deliveries.iter().filter(|delivery| referred(&delivery.message).is_some());
    let ids: Vec<String> = references.map(|delivery| delivery.message.id.clone()).collect();
    if ids.is_empty() {
        return deliveries;
    }
    let Blobs { mut waiting, taken } = loop {
        let ids = ids.clone();
        match hub.store.read(job!(|tx| { tx.blobs(ids).await })).await {
            Ok(found) => break found,
            Err(error) => away(&error).await,
        }
    };
    deliveries.retain_mut(|Delivery { message, .. }| {
        if referred(message).is_none() {
            return true;
        }
        if let Some(body) = waiting.remove(&message.id) {
            message.body = body.0;
            return true;
        }
        !taken.contains(&message.id)
    });
    deliveries
}

async fn away(error: &StoreError) {
    tracing::warn!(error = %error, "the store does not give large bodies");
    tokio::time::sleep(Duration::from_millis(500)).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(body: &[u8]) -> Message {
        let text = String::new;
        Message { id: text(), topic: text(), tenant: text(), key: text(), trace: text(), body: body.to_vec() }
    }

    #[test]
    fn a_reference_counts_as_much_as_what_it_refers_to() {
        assert_eq!(size(&message(b"BLOB:1048576")), 1_048_576);
        assert_eq!(referred(&message(b"BLOB:1048576")), Some(1_048_576));
        for body in [&b"BLOB:"[..], b"BLOB:x", b"BLOB:\xff", b"\x01BLOB:12"] {
            assert_eq!(referred(&message(body)), None, "{body:?}");
            assert_eq!(size(&message(body)), body.len());
        }
    }
}
