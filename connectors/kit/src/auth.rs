//! Vendors' access tokens: one for all connections of a tenant that ask for it in the same words (same address, same
//! credentials), fetched by one process at a time, renewed before they end. So two apps never share a token, and two
//! connections of one app never knock each other's out.
//!
//! A token that a vendor does not accept is thrown away only if it is still the one that was used: the loser of a
//! race must not throw away the winner's.

use crate::failure::CallError;
use async_trait::async_trait;
use hub_tree::{Clock, Private};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Where tokens are kept so that all nodes share them.
#[async_trait]
pub trait TokenStore: Send + Sync {
    /// A name for what is asked for in these words; it tells nobody the words.
    fn name(&self, tenant: &str, words: &[u8]) -> String;
    /// The token called `name` and until when it may be used (µs).
    async fn get(&self, tenant: &str, name: &str) -> Option<(Private<String>, i64)>;
    /// Keeps a token.
    async fn put(&self, tenant: &str, name: &str, token: &Private<String>, expires_at: i64);
    /// Takes or keeps the right to fetch a token; `false` while another node has it. It ends by itself, so that a node
    /// that died while fetching keeps nobody waiting for ever.
    async fn lock(&self, name: &str) -> bool;
    /// Gives the right to fetch a token back.
    async fn unlock(&self, name: &str);
}

/// A token that was fetched.
pub struct Fetched {
    /// The token.
    pub token: Private<String>,
    /// How long it lives.
    pub expires_in: Option<Duration>,
}

/// The vendors' tokens.
pub struct Tokens {
    store: Arc<dyn TokenStore>,
    clock: Clock,
    known: Mutex<BTreeMap<String, (Private<String>, i64)>>,
    fetching: Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

/// Tokens without a stated life are renewed after this.
const DEFAULT_LIFE: Duration = Duration::from_secs(1800);
/// How long to wait for another node that is fetching the token: longer than it may keep the right to.
const OTHER_NODE: Duration = Duration::from_secs(20);

impl Tokens {
    /// Tokens kept in `store`.
    #[must_use]
    pub fn new(store: Arc<dyn TokenStore>, clock: Clock) -> Self {
        Self { store, clock, known: Mutex::default(), fetching: Mutex::default() }
    }

    /// The name of the token that is asked for in these words.
    #[must_use]
    pub fn name(&self, tenant: &str, words: &[u8]) -> String {
        self.store.name(tenant, words)
    }

    /// The token called `name`, if there is one that has not run out.
    pub async fn known(&self, tenant: &str, name: &str) -> Option<Private<String>> {
        match self.usable(name, None) {
            Some(token) => Some(token),
            None => self.store.get(tenant, name).await.map(|(token, _)| token),
        }
    }

    /// The token called `name`. `rejected` is one that the vendor has just refused. When there is no other, `fetch` is
    /// called, by one task of one node at a time.
    ///
    /// # Errors
    /// What `fetch` returned.
    pub async fn get<F>(
        &self,
        tenant: &str,
        name: &str,
        rejected: Option<&Private<String>>,
        fetch: F,
    ) -> Result<Private<String>, CallError>
    where
        F: AsyncFnOnce() -> Result<Fetched, CallError>,
    {
        if let Some(token) = self.usable(name, rejected) {
            return Ok(token);
        }
        let turn = {
            let mut fetching = self.fetching.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(fetching.entry(name.to_owned()).or_default())
        };
        let _turn = turn.lock().await;
        // Whoever was here before may have fetched it, and another node too.
        if let Some(token) = self.usable(name, rejected) {
            return Ok(token);
        }
        let right = format!("token:{tenant}:{name}");
        let step = Duration::from_millis(100);
        for _ in 0..OTHER_NODE.as_millis() / step.as_millis() {
            // In this order: what another node fetched before it gave the right back is seen.
            let ours = self.store.lock(&right).await;
            if let Some((token, expires_at)) = self.store.get(tenant, name).await {
                self.remember(name, &token, expires_at);
                if let Some(token) = self.usable(name, rejected) {
                    if ours {
                        self.store.unlock(&right).await;
                    }
                    return Ok(token);
                }
            }
            if ours {
                break;
            }
            tokio::time::sleep(step).await;
        }
        let fetched = self.fetch(tenant, name, fetch).await;
        self.store.unlock(&right).await;
        fetched
    }

    /// Fetches the token and keeps it until nine tenths of its life are over.
    async fn fetch<F>(&self, tenant: &str, name: &str, fetch: F) -> Result<Private<String>, CallError>
    where
        F: AsyncFnOnce() -> Result<Fetched, CallError>,
    {
        let fetched = fetch().await.map_err(|error| CallError::Token(Box::new(error)))?;
        let life = fetched.expires_in.unwrap_or(DEFAULT_LIFE) / 10 * 9;
        let expires_at = self.clock.micros().saturating_add(i64::try_from(life.as_micros()).unwrap_or(i64::MAX));
        self.store.put(tenant, name, &fetched.token, expires_at).await;
        self.remember(name, &fetched.token, expires_at);
        Ok(fetched.token)
    }

    fn remember(&self, name: &str, token: &Private<String>, expires_at: i64) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(name.to_owned(), (token.clone(), expires_at));
    }

    fn usable(&self, name: &str, rejected: Option<&Private<String>>) -> Option<Private<String>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (token, expires_at) = known.get(name)?;
        (*expires_at > self.clock.micros() && rejected != Some(token)).then(|| token.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// What nodes share: the token and who may fetch it.
    #[derive(Default)]
    struct Shared {
        token: Mutex<Option<(Private<String>, i64)>>,
        fetching: Mutex<Option<&'static str>>,
    }

    /// One node's view of it.
    struct Node(&'static str, Arc<Shared>);

    #[async_trait]
    impl TokenStore for Node {
        fn name(&self, _: &str, words: &[u8]) -> String {
            hex::encode(words)
        }
        async fn get(&self, _: &str, _: &str) -> Option<(Private<String>, i64)> {
            self.1.token.lock().unwrap().clone()
        }
        async fn put(&self, _: &str, _: &str, token: &Private<String>, expires_at: i64) {
            *self.1.token.lock().unwrap() = Some((token.clone(), expires_at));
        }
        async fn lock(&self, _: &str) -> bool {
            *self.1.fetching.lock().unwrap().get_or_insert(self.0) == self.0
        }
        async fn unlock(&self, _: &str) {
            let mut fetching = self.1.fetching.lock().unwrap();
            if *fetching == Some(self.0) {
                *fetching = None;
            }
        }
    }

    fn node(name: &'static str, shared: &Arc<Shared>, clock: &Clock) -> Arc<Tokens> {
        Arc::new(Tokens::new(Arc::new(Node(name, Arc::clone(shared))), clock.clone()))
    }

    fn text(token: &Private<String>) -> &str {
        token.expose()
    }

    #[tokio::test]
    async fn many_callers_fetch_once_and_a_rejected_token_is_replaced_once() {
        let clock = Clock::fixed("2026-03-01T00:00:00Z".parse().unwrap());
        let store = Arc::new(Shared::default());
        let tokens = node("a", &store, &clock);
        let fetches = Arc::new(AtomicUsize::new(0));
        let get = |tokens: &Arc<Tokens>, rejected: Option<Private<String>>| {
            let (tokens, fetches) = (Arc::clone(tokens), Arc::clone(&fetches));
            tokio::spawn(async move {
                let fetch = async || {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    let token = Private::new(format!("t{}", fetches.fetch_add(1, Ordering::SeqCst)));
                    Ok(Fetched { token, expires_in: Some(Duration::from_secs(100)) })
                };
                tokens.get("default", "c", rejected.as_ref(), fetch).await.unwrap()
            })
        };
        let first: Vec<_> = (0..50).map(|_| get(&tokens, None)).collect();
        for task in first {
            assert_eq!(text(&task.await.unwrap()), "t0");
        }
        // All callers were refused with t0: one fetch serves them all.
        let again: Vec<_> = (0..50).map(|_| get(&tokens, Some(Private::new("t0".into())))).collect();
        for task in again {
            assert_eq!(text(&task.await.unwrap()), "t1");
        }
        // A late refusal of the old token does not throw the new one away.
        assert_eq!(text(&get(&tokens, Some(Private::new("t0".into()))).await.unwrap()), "t1");
        // Another node finds what this one has kept.
        let other = node("b", &store, &clock);
        assert_eq!(text(&get(&other, None).await.unwrap()), "t1");
        // Renewed before its life ends.
        clock.set("2026-03-01T00:01:31Z".parse().unwrap());
        assert_eq!(text(&get(&tokens, None).await.unwrap()), "t2");
        assert_eq!(fetches.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn a_node_that_fetched_leaves_the_next_fetch_to_any_other_at_once() {
        let clock = Clock::fixed("2026-03-01T00:00:00Z".parse().unwrap());
        let store = Arc::new(Shared::default());
        let nodes = ["a", "b", "c"].map(|name| node(name, &store, &clock));
        let fetches = Arc::new(AtomicUsize::new(0));
        let get = |node: usize, rejected: Option<&str>| {
            let (tokens, fetches) = (Arc::clone(&nodes[node]), Arc::clone(&fetches));
            let rejected = rejected.map(|token| Private::new(token.to_owned()));
            tokio::spawn(async move {
                let fetch = async || {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    let count = fetches.fetch_add(1, Ordering::SeqCst);
                    match count {
                        1 => Err(CallError::Trouble { status: 500, code: None }),
                        _ => Ok(Fetched { token: Private::new(format!("t{count}")), expires_in: None }),
                    }
                };
                tokens.get("default", "c", rejected.as_ref(), fetch).await
            })
        };
        let free = || store.fetching.lock().unwrap().is_none();
        assert_eq!(text(&get(0, None).await.unwrap().unwrap()), "t0");
        assert!(free());
        // The first node hears nothing of the refusal; one that could not fetch leaves it to the next.
        assert!(get(1, Some("t0")).await.unwrap().is_err());
        assert!(free());
        let both = [get(1, Some("t0")), get(2, Some("t0"))];
        for task in both {
            assert_eq!(text(&task.await.unwrap().unwrap()), "t2");
        }
        assert_eq!(fetches.load(Ordering::SeqCst), 3);
        assert!(free());
    }
}
