//! Addresses for wires that are not HTTP, such as databases and mail relays: the same guard, one connection's worth.

use super::{Client, SendError, host_matches, is_private};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// How long resolving a name may take.
const RESOLVING: Duration = Duration::from_secs(5);

/// Addresses that a connection may open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    /// Where the host lies; at least one.
    pub addresses: Vec<SocketAddr>,
    /// Whether it lies in a private network.
    pub private: bool,
}

impl Client {
    /// Resolves a host that a connection may reach: it is in `egress`, and none of the addresses is private unless the
    /// hub allows it. The caller connects to these addresses, or has the other end prove its name.
    ///
    /// # Errors
    /// Why it may not be reached, or that it is not found.
    pub async fn reach(&self, host: &str, port: u16, egress: &[String]) -> Result<Reached, SendError> {
        if !egress.iter().any(|allowed| host_matches(allowed, host)) {
            return Err(SendError::HostNotAllowed(host.to_owned()));
        }
        let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().ok();
        let found: Vec<SocketAddr> = match literal {
            Some(address) => vec![SocketAddr::new(address, port)],
            None => {
                let looking = tokio::time::timeout(RESOLVING, self.names.look_up(host));
                let found =
                    looking.await.map_err(|_| SendError::NotSent("the name is not resolved in time".to_owned()))?;
                let found = found.map_err(|_| SendError::NotSent("the name is not known".to_owned()))?;
                found.into_iter().map(|address| SocketAddr::new(address, port)).collect()
            }
        };
        let addresses: Vec<SocketAddr> =
            found.iter().copied().filter(|address| self.allow.permits(address.ip())).collect();
        if addresses.is_empty() {
            return Err(if found.is_empty() {
                SendError::NotSent("the name has no address".to_owned())
            } else {
                SendError::PrivateAddress
            });
        }
        let private = addresses.iter().all(|address| is_private(address.ip()));
        Ok(Reached { addresses, private })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{AllowPrivate, loopback};
    use super::*;

    #[tokio::test]
    async fn a_database_is_reached_by_the_rules_of_every_other_host() {
        let strict = Client::new(AllowPrivate::default()).unwrap();
        let open = Client::new(AllowPrivate::new(loopback())).unwrap();
        let egress = ["127.0.0.1".to_owned(), "localhost".to_owned()];
        assert!(matches!(strict.reach("127.0.0.1", 5432, &egress).await, Err(SendError::PrivateAddress)));
        assert!(matches!(strict.reach("localhost", 5432, &egress).await, Err(SendError::PrivateAddress)));
        assert!(matches!(open.reach("10.0.0.1", 5432, &egress).await, Err(SendError::HostNotAllowed(_))));
        let reached = open.reach("127.0.0.1", 5432, &egress).await.unwrap();
        assert_eq!(reached, Reached { addresses: vec!["127.0.0.1:5432".parse().unwrap()], private: true });
        assert!(open.reach("localhost", 3306, &egress).await.unwrap().private);
    }
}
