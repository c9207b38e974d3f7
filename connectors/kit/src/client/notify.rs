//! Telling subscribers: addresses that a third party has named, of which nobody in the house knows anything. Nothing of
//! what they answer is kept but status and `Retry-After`.

use super::{Client, SendError, failed, is_private};
use crate::call::retry_after;
use futures::StreamExt;
use hub_tree::jiff::Timestamp;
use std::net::IpAddr;
use std::time::Duration;
use url::{Host, Url};

/// How much of an answer is read, so that the connection can be used again; of a longer one nothing more is read.
const ANSWER_BYTES: usize = 64 << 10;
/// How long a name may take to resolve.
const RESOLVE_WITHIN: Duration = Duration::from_secs(5);
/// Longest address.
const ADDRESS_BYTES: usize = 2_000;

/// A subscriber's address that may be called.
#[derive(Clone, Debug)]
pub struct Target {
    /// The address.
    pub url: Url,
    /// Whether its name leads somewhere now.
    pub resolved: bool,
}

/// What a subscriber answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    /// HTTP status.
    pub status: u16,
    /// How long it asks to wait.
    pub retry_after: Option<Duration>,
}

/// Why a subscriber's address may not be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is no address that can be called.
    #[error("the address is not a URL such as https://app.example.com/hooks, without user, password and fragment")]
    Malformed,
    /// It leads to a private network.
    #[error("the address is private; `egress.allow_private` in hub.yaml can allow it")]
    Private,
    /// It leads over the internet without encryption.
    #[error("the address needs https; http is for private networks that `egress.allow_private` allows")]
    NotEncrypted,
}

impl From<Refusal> for SendError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Private => Self::PrivateAddress,
            Refusal::Malformed => Self::Invalid("the address"),
            Refusal::NotEncrypted => Self::Invalid("the address needs https"),
        }
    }
}

impl Client {
    /// Whether a subscriber's address may be called: https, or http within a private network that is allowed, and none
    /// of the addresses behind its name is a private one that is not. Sending looks again.
    ///
    /// # Errors
    /// Why it may not be called.
    pub async fn check_target(&self, address: &str) -> Result<Target, Refusal> {
        let url = Url::parse(address).map_err(|_| Refusal::Malformed)?;
        let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        if address.len() > ADDRESS_BYTES || !matches!(url.scheme(), "http" | "https") || !plain {
            return Err(Refusal::Malformed);
        }
        let addresses: Vec<IpAddr> = match url.host().ok_or(Refusal::Malformed)? {
            Host::Ipv4(v4) => vec![v4.into()],
            Host::Ipv6(v6) => vec![v6.into()],
            Host::Domain(name) => {
                let looking = tokio::time::timeout(RESOLVE_WITHIN, self.names.look_up(name));
                looking.await.ok().and_then(Result::ok).unwrap_or_default()
            }
        };
        if addresses.iter().any(|address| !self.allow.permits(*address)) {
            return Err(Refusal::Private);
        }
        let inside = !addresses.is_empty() && addresses.iter().all(|address| is_private(canonical(*address)));
        if url.scheme() == "http" && !inside {
            return Err(Refusal::NotEncrypted);
        }
        Ok(Target { url, resolved: !addresses.is_empty() })
    }

    /// Sends a body to a subscriber's address by POST and hears the answer, all within `limit`. `now` is for one that
    /// asks to wait until an instant.
    ///
    /// # Errors
    /// Whether anything may have arrived, and why there is no answer.
    pub async fn notify(
        &self,
        address: &str,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
        (now, limit): (Timestamp, Duration),
    ) -> Result<Heard, SendError> {
        let sending = async {
            let target = self.check_target(address).await?;
            let mut builder = self.http.post(target.url);
            for (name, value) in &headers {
                builder = builder.header(name, value);
            }
            let built = builder.body(body).build().map_err(|_| SendError::Invalid("a header"))?;
            let answer = self.http.execute(built).await.map_err(|error| failed(&error))?;
            let status = answer.status().as_u16();
            let text = |name: &str| Some((name.to_owned(), answer.headers().get(name)?.to_str().ok()?.to_owned()));
            let headers: Vec<(String, String)> = ["retry-after", "date"].into_iter().filter_map(text).collect();
            let mut stream = answer.bytes_stream();
            let mut read = 0;
            // It has said how it went; what else it says is only read to keep the connection.
            let reading = async {
                while let Some(Ok(chunk)) = stream.next().await {
                    read += chunk.len();
                    if read > ANSWER_BYTES {
                        break;
                    }
                }
            };
            let _ = tokio::time::timeout(Duration::from_secs(1), reading).await;
            Ok(Heard { status, retry_after: retry_after(&headers, now) })
        };
        match tokio::time::timeout(limit, sending).await {
            Ok(ended) => ended,
            Err(_) => Err(SendError::NoAnswer("timed out".to_owned())),
        }
    }
}

/// An IPv4 address in its own dress.
fn canonical(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{AllowPrivate, loopback};

    async fn refused(client: &Client, address: &str) -> Option<Refusal> {
        client.check_target(address).await.err()
    }

    #[tokio::test]
    async fn a_subscriber_is_outside_and_encrypted_unless_the_network_is_allowed() {
        let client = Client::new(AllowPrivate::default()).unwrap();
        for address in ["https://93.184.216.34/hooks", "https://93.184.216.34:8443/hooks?key=1"] {
            assert_eq!(refused(&client, address).await, None, "{address}");
        }
        for (address, wanted) in [
            ("https://127.0.0.1/hooks", Refusal::Private),
            ("http://127.0.0.1/hooks", Refusal::Private),
            ("https://localhost/hooks", Refusal::Private),
            ("https://[::1]/hooks", Refusal::Private),
            ("https://[::ffff:10.0.0.1]/hooks", Refusal::Private),
            ("https://2130706433/hooks", Refusal::Private),
            ("https://0x7f.1/hooks", Refusal::Private),
            ("https://169.254.169.254/latest/meta-data", Refusal::Private),
            ("http://93.184.216.34/hooks", Refusal::NotEncrypted),
            ("https://user:secret@93.184.216.34/", Refusal::Malformed),
            ("https://93.184.216.34/#part", Refusal::Malformed),
            ("ftp://93.184.216.34/", Refusal::Malformed),
            ("file:///etc/passwd", Refusal::Malformed),
            ("app.example.com/hooks", Refusal::Malformed),
            ("", Refusal::Malformed),
        ] {
            assert_eq!(refused(&client, address).await, Some(wanted), "{address}");
        }
        let inside = Client::new(AllowPrivate::new(loopback())).unwrap();
        for address in ["http://127.0.0.1:8090/hooks", "https://[::ffff:127.0.0.1]/", "http://localhost:8090/"] {
            assert_eq!(refused(&inside, address).await, None, "{address}");
        }
        assert_eq!(refused(&inside, "http://10.0.0.1/").await, Some(Refusal::Private));
    }

    #[tokio::test]
    async fn a_name_that_leads_nowhere_yet_is_taken_only_with_https() {
        let client = Client::new(AllowPrivate::default()).unwrap();
        assert!(!client.check_target("https://app.invalid/hooks").await.unwrap().resolved);
        assert_eq!(refused(&client, "http://app.invalid/hooks").await, Some(Refusal::NotEncrypted));
    }

    #[tokio::test]
    async fn sending_looks_at_the_address_again() {
        let client = Client::new(AllowPrivate::default()).unwrap();
        let sent = client
            .notify("https://localhost:9/", Vec::new(), Vec::new(), (Timestamp::UNIX_EPOCH, Duration::from_secs(5)))
            .await;
        assert!(matches!(sent.unwrap_err(), SendError::PrivateAddress));
    }
}
