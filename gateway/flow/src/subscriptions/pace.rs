//! How the deliveries of each subscription are paced, at hand for every claim. Another process may have changed it: what
//! is here is a few seconds old at most.

use super::options::Options;
use hub_kit::Pace;
use hub_store::{Store, StoreError, job};
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

static USUAL: LazyLock<Arc<Pace>> = LazyLock::new(|| Arc::new(Options::default().pace()));

/// The paces of subscriptions whose makers wish something, by id.
#[derive(Default)]
pub(crate) struct Paces(RwLock<BTreeMap<String, Arc<Pace>>>);

impl Paces {
    pub(crate) fn of(&self, id: &str) -> Arc<Pace> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned();
        known.unwrap_or_else(|| Arc::clone(&USUAL))
    }

    /// Notes what was read of one.
    pub(crate) fn note(&self, id: &str, options: &Options) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), Arc::new(options.pace()));
    }

    /// Reads all of them again.
    pub(crate) async fn read_again(&self, store: &Store) -> Result<(), StoreError> {
        let all = store.read(job!(|tx| { tx.subscription_options().await })).await?;
        let paces = all.into_iter().map(|(id, options)| (id, Arc::new(Options::read(&options).pace())));
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = paces.collect();
        Ok(())
    }
}
