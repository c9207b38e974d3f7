//! A conversation with a relay. Until the mail itself is sent nothing can have gone out, so that each failure says
//! truly whether it may have.

use crate::letter::Letter;
use hub_kit::Party;
use hub_kit::client::SendError;
use hub_kit::tables::Looked;
use hub_kit::{CallContext, CallError, Connection};
use hub_tree::Private;
use lettre::message::Mailbox;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(10);
/// Addresses of one host that are tried.
const ADDRESSES: usize = 3;

/// How a conversation is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Security {
    /// It begins in clear and goes on encrypted, or not at all.
    StartTls,
    /// Encrypted from the first byte.
    Tls,
    /// In clear, for relays in the own network.
    None,
}

/// What the settings of a connection say.
#[derive(Clone, Debug)]
pub(crate) struct RelaySettings {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) security: Security,
    pub(crate) credentials: Option<(String, Private<String>)>,
    pub(crate) from: Mailbox,
    pub(crate) reply_to: Option<Mailbox>,
    pub(crate) authorities: Option<String>,
}

impl RelaySettings {
    /// Reads them; `Err` names the setting and what is wrong with it.
    pub(crate) fn of(connection: &Connection) -> Result<Self, (&'static str, String)> {
        let setting = |name: &str| connection.setting(name).filter(|text| !text.is_empty());
        let security = match setting("security").as_deref() {
            None | Some("starttls") => Security::StartTls,
            Some("tls") => Security::Tls,
            Some("none") => Security::None,
            Some(_) => return Err(("security", "`security` is `starttls`, `tls` or `none`".to_owned())),
        };
        let standard = match security {
            Security::StartTls => 587,
            Security::Tls => 465,
            Security::None => 25,
        };
        let port = match setting("port") {
            None => standard,
            Some(text) => text.parse().map_err(|_| ("port", "`port` is a number up to 65535".to_owned()))?,
        };
        let host = setting("host").ok_or(("host", "the setting `host` is missing".to_owned()))?.to_lowercase();
        if host.contains([':', '/', '@', ' ']) && !host.contains("::") {
            return Err(("host", "`host` is the name of the relay; its port is the setting `port`".to_owned()));
        }
        let mailbox = |name: &'static str| {
            let text = setting(name);
            let read = text.map(|text| text.parse::<Mailbox>()).transpose();
            read.map_err(|_| (name, format!("`{name}` is no mail address such as HR <hr@example.com>")))
        };
        let from = mailbox("from")?.ok_or(("from", "the setting `from` is missing".to_owned()))?;
        let credentials = match (setting("username"), setting("password")) {
            (Some(user), Some(password)) => Some((user, Private::new(password))),
            (None, None) => None,
            _ => return Err(("username", "`username` and `password` go together".to_owned())),
        };
        if credentials.is_some() && security == Security::None {
            return Err(("security", "a password is not sent in clear: `security` is `starttls` or `tls`".to_owned()));
        }
        let (reply_to, authorities) = (mailbox("reply_to")?, setting("ca_file"));
        Ok(Self { host, port, security, credentials, from, reply_to, authorities })
    }

    /// How the server proves its name.
    fn tls(&self) -> Result<TlsParameters, CallError> {
        let config = |code: &str| refused(code, Party::Config);
        let mut builder = TlsParameters::builder(self.host.clone());
        if let Some(path) = &self.authorities {
            let bytes = std::fs::read(path).map_err(|_| config("CA_FILE_NOT_READ"))?;
            let certificate = Certificate::from_pem(&bytes).map_err(|_| config("CA_FILE_NO_PEM"))?;
            // Whoever names an authority trusts that one alone.
            builder = builder.certificate_store(CertificateStore::None).add_root_certificate(certificate);
        }
        builder.build_rustls().map_err(|_| config("TLS"))
    }
}

fn refused(code: &str, party: Party) -> CallError {
    CallError::Refused { status: 0, code: Some(code.to_owned()), party }
}

/// A relay that has let us in.
pub(crate) struct Relay {
    connection: AsyncSmtpConnection,
    until: Instant,
}

impl Relay {
    /// Connects as far as the guard of outgoing connections lets us, encrypts, and shows who we are.
    pub(crate) async fn open(cx: &CallContext<'_>, settings: &RelaySettings) -> Result<Self, CallError> {
        if !(cx.leave.held)() {
            return Err(CallError::NotSent(SendError::ClaimLost));
        }
        let reached = cx.client.reach(&settings.host, settings.port, &cx.connection.egress).await;
        let reached = reached.map_err(CallError::NotSent)?;
        let hello = ClientId::Domain(settings.from.email.domain().to_owned());
        let wrapped = if settings.security == Security::Tls { Some(settings.tls()?) } else { None };
        let mut last = None;
        for address in reached.addresses.iter().take(ADDRESSES) {
            let until = cx.leave.until.min(Instant::now() + CONNECT);
            let connecting =
                AsyncSmtpConnection::connect_tokio1(*address, Some(CONNECT), &hello, wrapped.clone(), None);
            match timeout_at(until, connecting).await {
                Ok(Ok(connection)) => {
                    let mut relay = Self { connection, until: cx.leave.until };
                    relay.enter(settings, &hello).await?;
                    return Ok(relay);
                }
                Ok(Err(error)) => last = Some(before(&error)),
                Err(_) => last = Some(CallError::NotSent(SendError::NotSent("no connection in time".to_owned()))),
            }
        }
        Err(last.unwrap_or(CallError::NotSent(SendError::NoTime)))
    }

    async fn enter(&mut self, settings: &RelaySettings, hello: &ClientId) -> Result<(), CallError> {
        let (until, late) = (self.until, || CallError::NotSent(SendError::NotSent("timed out".to_owned())));
        if settings.security == Security::StartTls {
            if !self.connection.can_starttls() {
                return Err(refused("NO_STARTTLS", Party::Config));
            }
            let encrypting = self.connection.starttls(settings.tls()?, hello);
            timeout_at(until, encrypting).await.map_err(|_| late())?.map_err(|error| before(&error))?;
        }
        if let Some((user, password)) = &settings.credentials {
            let credentials = Credentials::new(user.clone(), password.expose().clone());
            let mechanisms = [Mechanism::Plain, Mechanism::Login];
            let showing = self.connection.auth(&mechanisms, &credentials);
            let shown = timeout_at(until, showing).await.map_err(|_| late())?;
            shown.map_err(|error| match before(&error) {
                CallError::Refused { status, code, .. } => {
                    CallError::Refused { status, code, party: Party::Credential }
                }
                other => other,
            })?;
        }
        Ok(())
    }

    /// Sends a mail.
    pub(crate) async fn send(&mut self, letter: &Letter) -> Result<(), CallError> {
        let sending = self.connection.send(&letter.envelope, &letter.bytes);
        match timeout_at(self.until, sending).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(during(&error)),
            Err(_) => Err(CallError::NoAnswer(SendError::NoAnswer("timed out".to_owned()))),
        }
    }

    /// Says good-bye.
    pub(crate) async fn quit(mut self) {
        let _ = tokio::time::timeout(Duration::from_secs(2), self.connection.quit()).await;
    }
}

/// The relay's code, with its class.
fn answered(error: &Error) -> Option<CallError> {
    let code = error.status().map(u16::from)?;
    let text = code.to_string();
    if error.is_transient() {
        return Some(CallError::Trouble { status: 0, code: Some(text) });
    }
    let party = match code {
        530 | 534 | 535 | 538 => Party::Credential,
        500..=504 | 521 | 523 => Party::Config,
        _ => Party::Caller,
    };
    Some(refused(&text, party))
}

/// Whether what came was no good TLS, such as a certificate of an authority that nobody knows.
fn is_bad_certificate(error: &Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if cause.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == std::io::ErrorKind::InvalidData) {
            return true;
        }
        source = cause.source();
    }
    false
}

/// An error before the mail was sent.
fn before(error: &Error) -> CallError {
    if error.is_tls() || is_bad_certificate(error) {
        return refused("TLS", Party::Config);
    }
    match answered(error) {
        // Nothing was asked for yet: trying again harms nobody.
        Some(CallError::Trouble { code, .. }) => {
            let code = code.unwrap_or_default();
            CallError::NotSent(SendError::NotSent(format!("the relay is not ready, code {code}")))
        }
        Some(other) => other,
        None if error.is_client() => refused("NOT_OFFERED", Party::Config),
        None => CallError::NotSent(SendError::NotSent("no conversation with the relay".to_owned())),
    }
}

/// An error while the mail was on its way.
fn during(error: &Error) -> CallError {
    if let Some(answered) = answered(error) {
        return answered;
    }
    // The client has found it before it spoke, such as an address that the relay's extensions do not allow.
    if error.is_client() {
        return refused("NOT_OFFERED", Party::Caller);
    }
    CallError::NoAnswer(SendError::NoAnswer("the conversation broke off".to_owned()))
}

/// The live check: as far as a mail would go, without one.
pub(crate) async fn look(cx: &CallContext<'_>) -> Vec<Looked> {
    let part = |good: bool, code: Option<String>, detail: String, next: Option<&str>| {
        vec![Looked { name: "relay".to_owned(), good: Some(good), code, detail, next: next.map(str::to_owned) }]
    };
    let settings = match RelaySettings::of(cx.connection) {
        Ok(settings) => settings,
        Err((_, reason)) => return part(false, None, reason, Some("correct the settings of the connection")),
    };
    match Relay::open(cx, &settings).await {
        Ok(relay) => {
            let how = if relay.connection.is_encrypted() { "encrypted" } else { "in clear" };
            let who =
                if settings.credentials.is_some() { "it takes our name and password" } else { "it asks for no name" };
            relay.quit().await;
            part(true, None, format!("the relay answers, {how}; {who}"), None)
        }
        Err(error) => {
            let next = match error.party() {
                Party::Credential => "compare `username` and `password` with the relay",
                Party::Network => "look at `host` and `port`, and at what stands between",
                _ => "compare `security`, `host` and `ca_file` with the relay",
            };
            part(false, error.vendor_code().map(ToOwned::to_owned), error.to_string(), Some(next))
        }
    }
}
