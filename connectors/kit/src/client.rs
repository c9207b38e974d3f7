//! The guarded HTTP client: the only way out.
//!
//! A request goes only to hosts that the connection may reach, never to private addresses unless the hub's
//! configuration allows them, never along a redirect, and ends within its time and size limits. The address is
//! checked where the connection is made, so that a name cannot change its mind between check and use.

mod names;
mod notify;
mod own;
mod reach;
mod socket;

pub use notify::{Heard, Refusal, Target};
pub use reach::Reached;
pub use socket::{Socket, Word};

use futures::StreamExt;
use ipnet::IpNet;
pub(crate) use own::TlsFiles;

use names::{Guarded, Names, SystemNames};
use own::OwnTls;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncSeekExt, AsyncWriteExt};
use url::{Host, Url};

/// Networks of private addresses that may be reached.
#[derive(Clone, Debug, Default)]
pub struct AllowPrivate(Arc<[IpNet]>);

impl AllowPrivate {
    /// Allows these networks.
    #[must_use]
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks.into())
    }

    /// Whether an address may be reached.
    #[must_use]
    pub fn permits(&self, address: IpAddr) -> bool {
        let address = match address {
            IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
            IpAddr::V4(_) => address,
        };
        !is_private(address) || self.0.iter().any(|network| network.contains(&address))
    }
}

/// Addresses that the internet does not route: loopback, private, link-local, metadata services, multicast …
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_broadcast()
                || v4.is_documentation()
                || v4.is_multicast()
                || a == 0
                || a >= 240
                || (a == 100 && (64..128).contains(&b))
                || (a == 192 && b == 0 && c == 0)
                || (a == 198 && (18..20).contains(&b))
        }
        IpAddr::V6(v6) => {
            let segments = v6.segments();
            v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_multicast()
                || (segments[0] & 0xFE00) == 0xFC00
                || (segments[0] & 0xFFC0) == 0xFE80
                || (segments[0] == 0x2001 && segments[1] == 0x0DB8)
                || (segments[0] & 0xFFC0) == 0xFEC0
                // NAT64, 6to4, Teredo and the old form `::a.b.c.d` carry IPv4 addresses inside.
                || (segments[0] == 0x0064 && segments[1] == 0xFF9B)
                || segments[0] == 0x2002
                || (segments[0] == 0x2001 && segments[1] == 0)
                || segments[..6] == [0; 6]
        }
    }
}

/// An outgoing request.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET`, `POST` …
    pub method: String,
    /// The whole address.
    pub url: Url,
    /// Headers; values may be secret.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What came back, where it may be too much for memory.
#[derive(Debug)]
pub enum Arrived {
    /// All of it.
    Whole(Response),
    /// What is before the body, and the body in a file of its own that has no name.
    Spooled(Response, std::fs::File),
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Headers by lower-case name.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The host is not one that the connection may reach.
    #[error("HUB-C110 the host `{0}` is not in the connection's egress list")]
    HostNotAllowed(String),
    /// The address is private.
    #[error("HUB-C111 the address is private; `egress.allow_private` in hub.yaml can allow it")]
    PrivateAddress,
    /// The request cannot be made.
    #[error("HUB-C112 the request is not valid: {0}")]
    Invalid(&'static str),
    /// Nothing was sent.
    #[error("HUB-C120 no connection: {0}")]
    NotSent(String),
    /// Nothing was sent: what came before has used up the attempt's time.
    #[error("HUB-C121 nothing was sent: the attempt's time is used up")]
    NoTime,
    /// Nothing was sent: another worker may have the call now.
    #[error("HUB-C122 nothing was sent: the claim of the call has run out")]
    ClaimLost,
    /// It may have arrived.
    #[error("HUB-C201 no answer: {0}")]
    NoAnswer(String),
    /// It arrived, but the answer is too large.
    #[error("HUB-C203 the answer is larger than {0} bytes")]
    TooLarge(usize),
}

/// How long a request may take that is part of no call.
const DEFAULT_TIME: Duration = Duration::from_secs(30);
/// How long to wait for a connection: so long with much time left, so long with little. It ends before the request's
/// own time does, so that nothing-was-sent is told from no-answer.
const CONNECT: Duration = Duration::from_secs(5);
const CONNECT_QUICKLY: Duration = Duration::from_secs(1);
/// The longest answer that is kept in a file, bytes.
pub const MAX_SPOOLED: usize = 1 << 30;
/// With less time than this left, a request is not begun.
const LEAST_TIME: Duration = Duration::from_millis(200);

/// The client; cheap to clone.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    /// For requests with little time left.
    quick: reqwest::Client,
    /// For connections that become something else than HTTP.
    upgrade: reqwest::Client,
    names: Arc<dyn Names>,
    allow: AllowPrivate,
    max_answer_bytes: usize,
    /// Those of connections with certificates of their own, by the names of their files.
    own: Arc<Mutex<BTreeMap<TlsFiles, Client>>>,
}

impl Client {
    /// A client that may reach the private networks in `allow`.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn new(allow: AllowPrivate) -> Result<Self, SendError> {
        Self::with_names(allow, Arc::new(SystemNames))
    }

    /// A client that asks somebody else where names lead.
    pub(crate) fn with_names(allow: AllowPrivate, names: Arc<dyn Names>) -> Result<Self, SendError> {
        Self::build(allow, names, &OwnTls::default())
    }

    #[allow(clippy::disallowed_methods, reason = "this is the one place")]
    fn build(allow: AllowPrivate, names: Arc<dyn Names>, own: &OwnTls) -> Result<Self, SendError> {
        let builder = |connect: Duration| {
            let builder = reqwest::Client::builder()
                .dns_resolver(Arc::new(Guarded { names: Arc::clone(&names), allow: allow.clone() }))
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(connect)
                .pool_idle_timeout(Duration::from_secs(60))
                .user_agent(concat!("hrhub/", env!("CARGO_PKG_VERSION")))
                .no_proxy();
            // Merging none would ask the platform all the same.
            let builder = if own.authorities.is_empty() {
                builder
            } else {
                builder.tls_certs_merge(own.authorities.iter().cloned())
            };
            match &own.identity {
                Some(identity) => builder.identity(identity.clone()),
                None => builder,
            }
        };
        let client =
            |builder: reqwest::ClientBuilder| builder.build().map_err(|_| SendError::Invalid("TLS cannot be set up"));
        let (http, quick) = (client(builder(CONNECT))?, client(builder(CONNECT_QUICKLY))?);
        let upgrade = client(builder(CONNECT).http1_only())?;
        Ok(Self { http, quick, upgrade, names, allow, max_answer_bytes: 32 << 20, own: Arc::default() })
    }

    /// Whether a URL may be called at all: http or https, a host of `egress`, no private address.
    ///
    /// # Errors
    /// Why not.
    pub fn permit(&self, url: &Url, egress: &[String]) -> Result<(), SendError> {
        if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() || url.password().is_some() {
            return Err(SendError::Invalid("only http and https addresses without credentials"));
        }
        let host = url.host().ok_or(SendError::Invalid("the address has no host"))?;
        let text = host.to_string();
        if !egress.iter().any(|allowed| host_matches(allowed, &text)) {
            return Err(SendError::HostNotAllowed(text));
        }
        let literal = match host {
            Host::Ipv4(v4) => Some(IpAddr::V4(v4)),
            Host::Ipv6(v6) => Some(IpAddr::V6(v6)),
            Host::Domain(_) => None,
        };
        match literal {
            Some(address) if !self.allow.permits(address) => Err(SendError::PrivateAddress),
            _ => Ok(()),
        }
    }

    /// Sends a request that [`Client::permit`] permits.
    ///
    /// # Errors
    /// Whether anything may have arrived, and why there is no answer.
    pub async fn send(&self, request: Request, egress: &[String]) -> Result<Response, SendError> {
        self.send_within(request, egress, DEFAULT_TIME).await
    }

    /// Sends a request that [`Client::permit`] permits. Connecting, sending and reading the whole answer end within
    /// `left`; nothing is sent when that is too little to begin with.
    ///
    /// # Errors
    /// Whether anything may have arrived, and why there is no answer.
    pub async fn send_within(
        &self,
        request: Request,
        egress: &[String],
        left: Duration,
    ) -> Result<Response, SendError> {
        let (mut response, mut stream) = self.begin(request, egress, left).await?;
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|error| failed(&error))?;
            let chunk = chunk.as_ref();
            if response.body.len() + chunk.len() > self.max_answer_bytes {
                return Err(SendError::TooLarge(self.max_answer_bytes));
            }
            response.body.extend_from_slice(chunk);
        }
        Ok(response)
    }

    /// As [`Client::send_within`]; an answer that is longer than `in_memory` bytes goes into a file, up to
    /// [`MAX_SPOOLED`].
    ///
    /// # Errors
    /// Whether anything may have arrived, and why there is no answer.
    pub async fn send_spooling(
        &self,
        request: Request,
        egress: &[String],
        left: Duration,
        in_memory: usize,
    ) -> Result<Arrived, SendError> {
        let (mut response, mut stream) = self.begin(request, egress, left).await?;
        let no_room = |error: std::io::Error| SendError::NoAnswer(format!("no room for a large answer: {error}"));
        let (mut spool, mut length) = (None, 0);
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|error| failed(&error))?;
            let chunk = chunk.as_ref();
            length += chunk.len();
            if length > MAX_SPOOLED {
                return Err(SendError::TooLarge(MAX_SPOOLED));
            }
            if spool.is_none() && length > in_memory {
                spool = Some(tokio::fs::File::from_std(tempfile::tempfile().map_err(no_room)?));
            }
            match &mut spool {
                None => response.body.extend_from_slice(chunk),
                Some(file) => {
                    let head = std::mem::take(&mut response.body);
                    file.write_all(&head).await.map_err(no_room)?;
                    file.write_all(chunk).await.map_err(no_room)?;
                }
            }
        }
        let Some(mut file) = spool else { return Ok(Arrived::Whole(response)) };
        file.rewind().await.map_err(no_room)?;
        Ok(Arrived::Spooled(response, file.into_std().await))
    }

    /// Sends a request; its answer without the body, and the body as it comes.
    async fn begin(
        &self,
        request: Request,
        egress: &[String],
        left: Duration,
    ) -> Result<(Response, impl futures::Stream<Item = reqwest::Result<impl AsRef<[u8]>>> + Unpin), SendError> {
        self.permit(&request.url, egress)?;
        if left < LEAST_TIME {
            return Err(SendError::NoTime);
        }
        let method = request.method.parse::<reqwest::Method>().map_err(|_| SendError::Invalid("the method"))?;
        let http = if left > CONNECT { &self.http } else { &self.quick };
        let mut builder = http.request(method, request.url).timeout(left);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        let built = builder.body(request.body).build().map_err(|_| SendError::Invalid("a header"))?;
        let answer = self.http.execute(built).await.map_err(|error| failed(&error))?;
        let status = answer.status().as_u16();
        let headers = answer
            .headers()
            .iter()
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
            .collect();
        Ok((Response { status, headers, body: Vec::new() }, answer.bytes_stream()))
    }
}

/// Tells nothing-was-sent from it-may-have-arrived. The message names no address: queries can hold secrets.
fn failed(error: &reqwest::Error) -> SendError {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    let cause = cause.to_string();
    if error.is_connect() {
        if cause.contains("private addresses only") { SendError::PrivateAddress } else { SendError::NotSent(cause) }
    } else if error.is_timeout() {
        SendError::NoAnswer("timed out".to_owned())
    } else {
        SendError::NoAnswer(cause)
    }
}

/// `api.example.com`, or `*.example.com` for every name below it.
fn host_matches(allowed: &str, host: &str) -> bool {
    match allowed.strip_prefix("*.") {
        Some(domain) => host.strip_suffix(domain).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
        None => allowed.eq_ignore_ascii_case(host),
    }
}

/// Loopback as the demo and the sandbox use it.
#[must_use]
pub fn loopback() -> Vec<IpNet> {
    let v4 = IpNet::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), 8);
    let v6 = IpNet::new(IpAddr::V6(Ipv6Addr::LOCALHOST), 128);
    v4.into_iter().chain(v6).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_recognised_in_every_dress() {
        let allow = AllowPrivate::default();
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "::1",
            "::ffff:127.0.0.1",
            "fe80::1",
            "fd00::1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "::127.0.0.1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "fec0::1",
            // Metadata services, as they are and inside others.
            "100.100.100.200",
            "fd00:ec2::254",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::a9fe:a9fe",
            "2002:a9fe:a9fe::",
            "255.255.255.255",
        ] {
            assert!(!allow.permits(private.parse().unwrap()), "{private}");
        }
        for public in ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:93.184.216.34"] {
            assert!(allow.permits(public.parse().unwrap()), "{public}");
        }
        let loopback = AllowPrivate::new(loopback());
        assert!(loopback.permits("127.0.0.1".parse().unwrap()));
        assert!(loopback.permits("::ffff:127.0.0.1".parse().unwrap()));
        assert!(!loopback.permits("10.0.0.1".parse().unwrap()));
    }

    #[tokio::test]
    async fn only_hosts_of_the_list_are_called() {
        let client = Client::new(AllowPrivate::default()).unwrap();
        let egress = ["api.example.com".to_owned(), "*.example.org".to_owned(), "127.0.0.1".to_owned()];
        let permit = |url: &str| client.permit(&url.parse().unwrap(), &egress);
        assert!(permit("https://api.example.com/x").is_ok());
        assert!(permit("https://a.example.org").is_ok());
        for (url, wanted) in [
            ("https://evil.example.com", "HUB-C110"),
            ("https://example.org", "HUB-C110"),
            ("https://xexample.org", "HUB-C110"),
            ("https://api.example.com@evil.example", "HUB-C112"),
            ("file:///etc/passwd", "HUB-C112"),
            ("http://127.0.0.1:8080", "HUB-C111"),
            ("http://2130706433/", "HUB-C111"),
        ] {
            let error = permit(url).unwrap_err().to_string();
            assert!(error.starts_with(wanted), "{url}: {error}");
        }
        // A name that leads to a private address is refused where the connection is made.
        let request = Request {
            method: "GET".into(),
            url: "http://localhost:9/".parse().unwrap(),
            headers: vec![],
            body: vec![],
        };
        let error = client.send(request, &["localhost".to_owned()]).await.unwrap_err();
        assert!(matches!(error, SendError::PrivateAddress), "{error}");
    }

    #[tokio::test]
    async fn a_refused_connection_is_nothing_sent() {
        let client = Client::new(AllowPrivate::new(loopback())).unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let url = format!("http://127.0.0.1:{port}/").parse().unwrap();
        let request = Request { method: "POST".into(), url, headers: vec![], body: vec![] };
        let error = client.send(request, &["127.0.0.1".to_owned()]).await.unwrap_err();
        assert!(matches!(error, SendError::NotSent(_)), "{error}");
    }

    /// A server that answers its first client with a head, then with one byte after the other.
    async fn trickling() -> (Url, tokio::task::JoinHandle<()>) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        let serving = tokio::spawn(async move {
            use tokio::io::AsyncWriteExt;
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n").await;
            while stream.write_all(b"x").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        (url, serving)
    }

    #[tokio::test]
    async fn an_answer_that_trickles_ends_with_the_time_and_without_time_nothing_is_sent() {
        let client = Client::new(AllowPrivate::new(loopback())).unwrap();
        let (url, serving) = trickling().await;
        let request = Request { method: "POST".into(), url, headers: vec![], body: vec![] };
        let egress = ["127.0.0.1".to_owned()];
        let none = client.send_within(request.clone(), &egress, Duration::from_millis(10)).await.unwrap_err();
        assert!(matches!(none, SendError::NoTime), "{none}");
        assert!(!serving.is_finished(), "nobody has come yet");
        let cut = client.send_within(request, &egress, Duration::from_millis(600)).await.unwrap_err();
        assert!(matches!(cut, SendError::NoAnswer(_)), "it may have been carried out: {cut}");
        // The server sees the connection close.
        tokio::time::timeout(Duration::from_secs(60), serving).await.unwrap().unwrap();
    }
}
