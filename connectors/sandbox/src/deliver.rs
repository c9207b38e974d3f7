//! Delivers webhooks, signed, until they are taken.

use crate::Sandbox;
use crate::sealed::{Dressed, Wants};
use crate::sign::Sign;
use crate::state::Delivery;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::stream::{FuturesUnordered, StreamExt};
use hub_kit::client::Request;
use hub_kit::verify::{hmac_sha256, sign_standard_webhooks};
use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// Deliveries under way at once.
const AT_ONCE: usize = 16;

impl Sandbox {
    /// Delivers webhooks until the future is dropped.
    pub async fn run(self: Arc<Self>) {
        let mut under_way: BTreeSet<String> = BTreeSet::new();
        let mut running = FuturesUnordered::new();
        loop {
            let now = self.clock.micros();
            let disorder = i64::from(self.dial.lock().unwrap_or_else(PoisonError::into_inner).disorder_ms) * 1000;
            let due: Vec<Delivery> = {
                let state = self.state();
                let held = |delivery: &Delivery| if delivery.is_second() { disorder } else { 0 };
                let due = state.pending().filter(|delivery| delivery.due_at + held(delivery) <= now);
                let free = due.filter(|delivery| !under_way.contains(&delivery.id));
                free.take(AT_ONCE - under_way.len().min(AT_ONCE)).cloned().collect()
            };
            for delivery in due {
                under_way.insert(delivery.id.clone());
                running.push(self.deliver(delivery));
            }
            tokio::select! {
                Some(id) = running.next(), if !running.is_empty() => {
                    under_way.remove(&id);
                }
                () = self.wake.notified() => {}
                () = tokio::time::sleep(Duration::from_millis(50)) => {}
            }
        }
    }

    async fn deliver(&self, delivery: Delivery) -> String {
        if self.streams(&delivery.vendor) {
            return self.hand_over(delivery).await;
        }
        let (again, hurry) = {
            let dial = self.dial.lock().unwrap_or_else(PoisonError::into_inner);
            (dial.duplicates, dial.hurry)
        };
        let callbacks = self.profiles.get(&delivery.vendor).map(|profile| &profile.callbacks);
        let within = callbacks.and_then(|callbacks| callbacks.within_ms);
        let mut taken = true;
        for _ in 0..=again {
            let tried = self.try_once(&delivery);
            taken &= match within {
                Some(ms) => tokio::time::timeout(Duration::from_millis(ms), tried).await.unwrap_or(false),
                None => tried.await,
            };
        }
        let gap = callbacks.and_then(|callbacks| callbacks.gap_ms(delivery.tries, hurry));
        match gap {
            _ if taken => self.delivered(&delivery),
            Some(gap) => self.state().put_off(&delivery.id, self.clock.micros() + gap * 1000),
            None => self.given_up(&delivery),
        }
        delivery.id
    }

    async fn try_once(&self, delivery: &Delivery) -> bool {
        let Ok(mut url) = url::Url::parse(&delivery.url) else { return true };
        let Some(dressed) = self.dressed(delivery) else {
            tracing::error!(vendor.id = %delivery.vendor, "the secrets are not usable: nothing can be sealed");
            return false;
        };
        for (name, value) in &dressed.query {
            url.query_pairs_mut().append_pair(name, value);
        }
        let mut headers = delivery.headers.clone();
        headers.extend(dressed.headers);
        if dressed.method != "GET" && !headers.iter().any(|(name, _)| name == "content-type") {
            headers.insert(0, ("content-type".to_owned(), dressed.content_type.to_owned()));
        }
        let egress: Vec<String> = url.host_str().map(str::to_owned).into_iter().collect();
        let request = Request { method: dressed.method.to_owned(), url, headers, body: dressed.body };
        match self.client.send(request, &egress).await {
            Ok(response) if response.status < 300 => {
                let missing = dressed.wants.missing(&response.body);
                if let Some(missing) = missing {
                    tracing::info!(vendor.id = %delivery.vendor, missing, "the answer to a callback does not count");
                }
                missing.is_none()
            }
            Ok(response) => {
                tracing::info!(vendor.id = %delivery.vendor, status = response.status, "a webhook was not taken");
                false
            }
            Err(error) => {
                tracing::info!(vendor.id = %delivery.vendor, error = %error, "a webhook could not be delivered");
                false
            }
        }
    }

    /// The request of one try; `None` when it cannot be sealed.
    fn dressed(&self, delivery: &Delivery) -> Option<Dressed> {
        match &delivery.sign {
            Some(Sign::Sealed(seal)) => self.dress(delivery, seal),
            sign => Some(Dressed {
                method: "POST",
                query: Vec::new(),
                headers: sign.as_ref().map(|sign| self.signature(delivery, sign)).unwrap_or_default(),
                content_type: "application/json",
                body: delivery.body.clone().into_bytes(),
                wants: delivery.wants.clone().map_or(Wants::Status, Wants::Text),
            }),
        }
    }

    fn signature(&self, delivery: &Delivery, sign: &Sign) -> Vec<(String, String)> {
        let body = delivery.body.as_bytes();
        match sign {
            Sign::Sealed(_) => Vec::new(),
            Sign::StandardWebhooks { secret } => {
                let secret = self.setting(&delivery.vendor, secret).unwrap_or_default();
                let timestamp = self.clock.now().as_second();
                let Some(signature) = sign_standard_webhooks(&secret, &delivery.id, timestamp, body) else {
                    tracing::error!(vendor.id = %delivery.vendor, "the secret is not base64: nothing can be signed");
                    return Vec::new();
                };
                vec![
                    ("webhook-id".to_owned(), delivery.id.clone()),
                    ("webhook-timestamp".to_owned(), timestamp.to_string()),
                    ("webhook-signature".to_owned(), signature),
                ]
            }
            Sign::HmacSha256 { secret, header, prefix, base64 } => {
                let secret = self.setting(&delivery.vendor, secret).unwrap_or_default();
                let digest = hmac_sha256(secret.as_bytes(), &[body]);
                let text = if *base64 { STANDARD.encode(digest) } else { hex::encode(digest) };
                vec![(header.clone(), format!("{prefix}{text}"))]
            }
        }
    }
}
