//! What the processes of a hub tell each other by the store: the keys of tenants that another one has met first, so
//! that an edge can seal for them, and where vendors reach the edges.

use crate::hub::Hub;
use std::sync::Arc;
use std::time::Duration;

const EVERY: Duration = Duration::from_secs(5);

pub(crate) async fn keep(hub: Arc<Hub>) {
    loop {
        if let Err(error) = hub.subscribed.read_again(&hub.store).await {
            tracing::warn!(error = %error, "the rates of subscriptions could not be read again");
        }
        tokio::time::sleep(EVERY).await;
        if let Err(error) = hub.store.keyring().reload(&hub.store).await {
            tracing::warn!(error = %error, "tenants' keys could not be read again");
        }
        if let Err(error) = hub.agree_on_public_url().await {
            tracing::warn!(error = %error, "the address of the hub could not be agreed on");
        }
        if !hub.role.works() {
            hub.metrics.spooled(hub.bus.health().spooled);
        }
    }
}
