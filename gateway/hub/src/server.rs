//! A hub that listens.

use crate::assemble::Assembled;
use anyhow::Context as _;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Version, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use hub_api::Api;
use hub_console::Console;
use hub_flow::Hub;
use hub_tree::jiff::tz::TimeZone;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tower::ServiceExt;

/// How long requests may take to end when the program stops.
const LAST_REQUESTS: Duration = Duration::from_secs(10);
/// How often a quiet HTTP/2 client is asked whether it is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(60);

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
    task: JoinHandle<()>,
}

impl Served {
    /// Begins to answer; `head` is how long a client may take for the head of a request, and a connection may be idle.
    pub(crate) fn start(socket: TcpListener, router: Router, head: Duration) -> Self {
        let stop = watch::Sender::new(false);
        let task = tokio::spawn(accept(socket, router, head, stop.subscribe()));
        Self { stop, task }
    }

    /// Takes no more requests and waits for those under way.
    pub(crate) async fn stop(self) {
        self.stop.send_replace(true);
        let _ = self.task.await;
    }
}

/// Answers connections until told to stop; then those under way may end.
async fn accept(socket: TcpListener, router: Router, head: Duration, mut stopped: watch::Receiver<bool>) {
    let mut server = auto::Builder::new(TokioExecutor::new());
    server.http1().timer(TokioTimer::new()).header_read_timeout(head);
    server.http2().timer(TokioTimer::new()).keep_alive_interval(KEEP_ALIVE);
    let graceful = GracefulShutdown::new();
    loop {
        let stream = tokio::select! {
            accepted = socket.accept() => accepted,
            _ = stopped.wait_for(|stop| *stop) => break,
        };
        match stream {
            Ok((stream, _)) => {
                let _ = stream.set_nodelay(true);
                let heard = Arc::new(AtomicBool::new(false));
                let hears = Arc::clone(&heard);
                let service = TowerToHyperService::new(router.clone().map_request(move |request| {
                    hears.store(true, Ordering::Relaxed);
                    request
                }));
                let connection = server.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned();
                let connection = graceful.watch(connection);
                tokio::spawn(async move {
                    tokio::pin!(connection);
                    // Which HTTP a client speaks is told by its first bytes, for which nothing else waits in vain: a
                    // connection that has brought no request until now is closed, whatever it has sent. What breaks a
                    // connection off is the peer's business.
                    if tokio::time::timeout(head, &mut connection).await.is_err() && heard.load(Ordering::Relaxed) {
                        let _ = connection.await;
                    }
                });
            }
            Err(error) => {
                // Such as too many open files: it passes.
                tracing::warn!(error = %error, "a connection could not be taken");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(socket);
    let _ = tokio::time::timeout(LAST_REQUESTS, graceful.shutdown()).await;
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
        let Assembled { hub, keys, limits, payout, presets, portraits } = assembled;
        let console = Console::new(Arc::clone(&hub), Arc::clone(&keys), zone.clone(), payout.face.clone());
        let mut router = hub_api::router(Api { hub: Arc::clone(&hub), keys, zone, payout, presets, portraits });
        if hub.role.serves() {
            router = router.merge(console.clone().router());
        }
        let head = limits.head;
        let router = hub_api::limits::limited(router, limits);
        let router = router.layer(from_fn_with_state(Arc::clone(&hub), close_while_draining));
        let loops = tokio::spawn(Arc::clone(&hub).run());
        Self { hub, console, served: Served::start(socket, router, head), loops }
    }

    /// Waits for a loop to end by a defect; what was accepted is durable, so another start goes on with it.
    pub(crate) async fn broken(&mut self) {
        let _ = (&mut self.loops).await;
    }

    /// Lets load balancers see that it will stop, and answers what still comes, for a while or until asked again.
    pub(crate) async fn drain(&self, lasts: Duration) -> anyhow::Result<()> {
        if lasts.is_zero() {
            return Ok(());
        }
        self.hub.drain();
        tracing::info!(drain_secs = lasts.as_secs(), "asked to stop: no more requests should come");
        tokio::select! {
            () = tokio::time::sleep(lasts) => Ok(()),
            again = asked_to_stop() => again,
        }
    }

    /// Stops: first no more requests, then the loops, then the store.
    pub(crate) async fn stop(self) {
        self.served.stop().await;
        self.hub.stop();
        let _ = self.loops.await;
        self.hub.store.close().await;
    }
}

/// A limit on the size of files is met like a full disk; without a handler, the signal would end the program.
pub(crate) fn bear_limits_on_files() -> anyhow::Result<()> {
    let kind = SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw());
    signal(kind).map(drop).context("listening for SIGXFSZ")
}

/// Connections end with the answer under way while the hub drains: their next request goes elsewhere.
async fn close_while_draining(State(hub): State<Arc<Hub>>, request: Request, next: Next) -> Response {
    let version = request.version();
    let mut response = next.run(request).await;
    if hub.is_draining() && version < Version::HTTP_2 {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Waits for Ctrl-C or SIGTERM.
pub(crate) async fn asked_to_stop() -> anyhow::Result<()> {
    asked_by(&mut terminated()?).await
}

/// Hears SIGTERM from now on; before, it ends the program.
pub(crate) fn terminated() -> anyhow::Result<Signal> {
    signal(SignalKind::terminate()).context("listening for SIGTERM")
}

/// Waits for Ctrl-C, or for a SIGTERM since `term` was made.
pub(crate) async fn asked_by(term: &mut Signal) -> anyhow::Result<()> {
    tokio::select! {
        _ = term.recv() => Ok(()),
        pressed = tokio::signal::ctrl_c() => pressed.context("listening for Ctrl-C"),
    }
}
