//! A hub that listens.

use crate::assemble::Assembled;
use anyhow::Context as _;
use axum::Router;
use hub_api::Api;
use hub_console::Console;
use hub_flow::Hub;
use hub_tree::jiff::tz::TimeZone;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How long requests may take to end when the program stops.
const LAST_REQUESTS: Duration = Duration::from_secs(10);

/// Takes an address; `flag` is what a person changes when it cannot be taken.
pub(crate) async fn bind(address: &str, flag: &str) -> anyhow::Result<TcpListener> {
    let bound = TcpListener::bind(address).await;
    bound.with_context(|| format!("cannot listen on {address}; name another address with {flag}"))
}

/// The address that was bound, as it stands in a URL.
pub(crate) fn address_of(socket: &TcpListener) -> anyhow::Result<String> {
    Ok(socket.local_addr()?.to_string())
}

/// A router that answers on a socket.
pub(crate) struct Served {
    stop: watch::Sender<bool>,
    task: JoinHandle<std::io::Result<()>>,
}

impl Served {
    pub(crate) fn start(socket: TcpListener, router: Router) -> Self {
        let stop = watch::Sender::new(false);
        let mut stopped = stop.subscribe();
        let serve = axum::serve(socket, router).with_graceful_shutdown(async move {
            let _ = stopped.wait_for(|stop| *stop).await;
        });
        Self { stop, task: tokio::spawn(async move { serve.await }) }
    }

    /// Takes no more requests and waits for those under way.
    pub(crate) async fn stop(mut self) {
        self.stop.send_replace(true);
        if tokio::time::timeout(LAST_REQUESTS, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}

/// A hub at work: its loops, its API and its console.
pub(crate) struct Running {
    pub(crate) hub: Arc<Hub>,
    pub(crate) console: Console,
    served: Served,
    loops: JoinHandle<()>,
}

impl Running {
    pub(crate) fn start(assembled: Assembled, zone: TimeZone, socket: TcpListener) -> Self {
        let Assembled { hub, keys } = assembled;
        let console = Console::new(Arc::clone(&hub), Arc::clone(&keys), zone);
        let router = hub_api::router(Api { hub: Arc::clone(&hub), keys }).merge(console.clone().router());
        let loops = tokio::spawn(Arc::clone(&hub).run());
        Self { hub, console, served: Served::start(socket, router), loops }
    }

    /// Waits for a loop to end by a defect; what was accepted is durable, so another start goes on with it.
    pub(crate) async fn broken(&mut self) {
        let _ = (&mut self.loops).await;
    }

    /// Stops: first no more requests, then the loops, then the store.
    pub(crate) async fn stop(self) {
        self.served.stop().await;
        self.hub.stop();
        let _ = self.loops.await;
        self.hub.store.close().await;
    }
}

/// Waits for Ctrl-C or SIGTERM.
pub(crate) async fn asked_to_stop() -> anyhow::Result<()> {
    let mut term = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    tokio::select! {
        _ = term.recv() => Ok(()),
        pressed = tokio::signal::ctrl_c() => pressed.context("listening for Ctrl-C"),
    }
}
