//! What an edge does beside answering: it learns the keys of tenants that others have met first, so that it can seal
//! for them, and counts what waits on its disk.

use crate::hub::Hub;
use std::sync::Arc;
use std::time::Duration;

const EVERY: Duration = Duration::from_secs(5);

pub(crate) async fn keep(hub: Arc<Hub>) {
    loop {
        if let Err(error) = hub.store.keyring().reload(&hub.store).await {
            tracing::warn!(error = %error, "tenants' keys could not be read again");
        }
        hub.metrics.spooled(hub.bus.health().spooled);
        tokio::time::sleep(EVERY).await;
    }
}
