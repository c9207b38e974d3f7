//! Looks after connection and topology.

use super::connect::connect;
use super::control::Control;
use super::suspects::Suspects;
use super::{Shared, View};
use crate::error::BusError;
use lapin::Connection;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How often it looks whether a move has begun. The mover waits longer before it touches anything.
pub(crate) const LOOK: Duration = Duration::from_secs(1);
/// How often it declares everything again without being asked to.
const DECLARE_AGAIN: Duration = Duration::from_secs(30);
/// How soon it sees that a connection has ended.
const TICK: Duration = Duration::from_millis(50);

/// Connects, declares the topology, and does it again whenever the connection ends.
pub(super) async fn keep(shared: Arc<Shared>) {
    let mut wait = Duration::from_millis(100);
    let mut suspects = Suspects::default();
    loop {
        match connect(&shared.addresses, "consumer").await {
            Ok(connection) => {
                let connection = Arc::new(connection);
                if let Err(error) = look_after(&shared, &connection, &mut suspects, &mut wait).await {
                    tracing::warn!(error = %error, "the connection to the message broker ended");
                }
                shared.view.send_modify(|view| view.connection = None);
                shared.reading().clear();
                // One that hangs is not waited for.
                tokio::spawn(async move { super::connect::within("closing", connection.close(200, "".into())).await });
            }
            Err(error) => {
                tracing::warn!(error = %error, wait_ms = wait.as_millis(), "cannot connect to the message broker");
            }
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(Duration::from_secs(3));
    }
}

/// Works until the connection ends.
async fn look_after(
    shared: &Shared,
    connection: &Arc<Connection>,
    suspects: &mut Suspects,
    wait: &mut Duration,
) -> Result<(), BusError> {
    let mut control = Control::new(Arc::clone(connection));
    let mut declared: Option<Instant> = None;
    let mut told = None;
    loop {
        let mut view = shared.view.borrow().clone();
        view.moving = control.moving(&shared.topology).await?;
        let due = declared.is_none_or(|at| at.elapsed() > DECLARE_AGAIN);
        if !view.moving && (due || view.moving != shared.view.borrow().moving || !view.drift.is_empty()) {
            match control.ensure(&shared.topology, &shared.addresses, suspects).await? {
                Some(drift) => {
                    view.drift = Arc::new(drift);
                    declared = Some(Instant::now());
                }
                None => view.moving = true,
            }
        }
        let dead = control.queue(&shared.topology.dead()).await?.map_or(0, |counts| u64::from(counts.messages));
        if dead > view.dead {
            let queue = shared.topology.dead();
            tracing::warn!(dead, queue, "messages that no consumer could take lie in the dead-letter queue");
        }
        view.dead = dead;
        if view.connection.is_none() {
            tracing::info!("connected to the message broker");
            *wait = Duration::from_millis(100);
        }
        view.connection = Some(Arc::clone(connection));
        let trouble = view.trouble();
        if told != trouble {
            match &trouble {
                Some(trouble) => tracing::error!("HUB-B307 {trouble}"),
                None => tracing::info!("the broker's topology is as it must be"),
            }
            told = trouble;
        }
        show(shared, view).await;
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = shared.look.notified() => declared = None,
            () = ended(connection) => return Err(BusError::Away("the broker or the network closed it".to_owned())),
        }
    }
}

/// Lets all parts know how the broker is. Consumers let go of their queues when these are moved or are not ours.
async fn show(shared: &Shared, view: View) {
    let (was_moving, old_drift) = {
        let old = shared.view.borrow();
        (old.moving, Arc::clone(&old.drift))
    };
    let let_go = (view.moving && !was_moving) || view.drift != old_drift;
    shared.view.send_replace(view);
    if let_go {
        let channels = std::mem::take(&mut *shared.reading());
        for channel in channels {
            let _ = super::connect::within("closing a channel", channel.close(200, "queues are moved".into())).await;
        }
    }
}

async fn ended(connection: &Connection) {
    while connection.status().connected() {
        tokio::time::sleep(TICK).await;
    }
}
