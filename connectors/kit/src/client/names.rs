//! Where names lead. Every look-up of the guarded client goes through here, so that what is checked and what is
//! connected to come from the same place, and tests can give names that change their minds.

use super::AllowPrivate;
use futures::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// Tells which addresses a name has now.
pub(crate) trait Names: Send + Sync {
    /// All addresses of a name, as it is answered at this moment.
    fn look_up<'n>(&'n self, name: &'n str) -> BoxFuture<'n, io::Result<Vec<IpAddr>>>;
}

/// The names of the system: its files, then DNS.
pub(super) struct SystemNames;

impl Names for SystemNames {
    fn look_up<'n>(&'n self, name: &'n str) -> BoxFuture<'n, io::Result<Vec<IpAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect()) })
    }
}

/// What a connection is made with: of the addresses of a name only those that may be reached. A name can have changed
/// since it was checked, so this check is the one that counts.
pub(super) struct Guarded {
    pub(super) names: Arc<dyn Names>,
    pub(super) allow: AllowPrivate,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let (names, allow) = (Arc::clone(&self.names), self.allow.clone());
        Box::pin(async move {
            let found = names.look_up(name.as_str()).await?.into_iter();
            let permitted: Vec<SocketAddr> =
                found.filter(|address| allow.permits(*address)).map(|address| SocketAddr::new(address, 0)).collect();
            if permitted.is_empty() {
                return Err("the name leads to private addresses only".into());
            }
            Ok(Box::new(permitted.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{AllowPrivate, Client, Request, SendError};
    use super::*;
    use hub_tree::jiff::Timestamp;
    use std::sync::Mutex;
    use std::time::Duration;
    use tokio::net::TcpListener;

    const PUBLIC: &str = "93.184.216.34";
    const NAME: &str = "hooks.heron.example";

    /// A name whose owner answers every question in another way; at the end always in the same.
    struct Fickle {
        answers: Vec<Vec<IpAddr>>,
        asked: Mutex<usize>,
    }

    impl Fickle {
        fn new(answers: &[&[&str]]) -> Arc<Self> {
            let read = |all: &&[&str]| all.iter().map(|one| one.parse().unwrap()).collect();
            Arc::new(Self { answers: answers.iter().map(read).collect(), asked: Mutex::new(0) })
        }

        fn asked(&self) -> usize {
            *self.asked.lock().unwrap()
        }
    }

    impl Names for Fickle {
        fn look_up<'n>(&'n self, name: &'n str) -> BoxFuture<'n, io::Result<Vec<IpAddr>>> {
            assert_eq!(name, NAME);
            let mut asked = self.asked.lock().unwrap();
            let answer = self.answers[(*asked).min(self.answers.len() - 1)].clone();
            *asked += 1;
            Box::pin(async move { Ok(answer) })
        }
    }

    fn client(names: &Arc<Fickle>) -> Client {
        Client::with_names(AllowPrivate::default(), Arc::clone(names) as Arc<dyn Names>).unwrap()
    }

    async fn tell(client: &Client, port: u16) -> SendError {
        let within = (Timestamp::UNIX_EPOCH, Duration::from_secs(5));
        client.notify(&format!("https://{NAME}:{port}/hooks"), Vec::new(), b"{}".to_vec(), within).await.unwrap_err()
    }

    /// Somebody who must never be called: its port, and whether somebody has called.
    async fn inside() -> (u16, tokio::task::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        (port, tokio::spawn(async move { drop(listener.accept().await) }))
    }

    #[tokio::test]
    async fn a_subscriber_that_was_public_when_it_was_named_is_refused_when_it_is_private_at_sending() {
        for private in ["127.0.0.1", "169.254.169.254", "::1", "::ffff:169.254.169.254", "fd00:ec2::254"] {
            let names = Fickle::new(&[&[PUBLIC], &[private]]);
            let client = client(&names);
            assert!(client.check_target(&format!("https://{NAME}/hooks")).await.unwrap().resolved);
            let refused = tell(&client, 443).await;
            assert!(matches!(refused, SendError::PrivateAddress), "{private}: {refused}");
        }
    }

    #[tokio::test]
    async fn a_name_that_turns_private_between_the_check_and_the_connection_is_not_connected_to() {
        let (port, called) = inside().await;
        for private in ["127.0.0.1", "169.254.169.254"] {
            // Public when it is made, and when sending looks at it; private when the connection is made.
            let names = Fickle::new(&[&[PUBLIC], &[PUBLIC], &[private]]);
            let client = client(&names);
            client.check_target(&format!("https://{NAME}:{port}/hooks")).await.unwrap();
            let refused = tell(&client, port).await;
            assert!(matches!(refused, SendError::PrivateAddress), "{private}: {refused}");
            assert_eq!(names.asked(), 3, "the connection asks for itself");
        }
        assert!(!called.is_finished(), "somebody inside was called");
    }

    #[tokio::test]
    async fn calls_to_vendors_are_guarded_where_the_connection_is_made() {
        let (port, called) = inside().await;
        let egress = [NAME.to_owned()];
        for private in ["127.0.0.1", "169.254.169.254"] {
            let client = client(&Fickle::new(&[&[private]]));
            let url = format!("http://{NAME}:{port}/").parse().unwrap();
            let request = Request { method: "GET".into(), url, headers: Vec::new(), body: Vec::new() };
            let refused = client.send(request, &egress).await.unwrap_err();
            assert!(matches!(refused, SendError::PrivateAddress), "{private}: {refused}");
            let refused = client.reach(NAME, port, &egress).await.unwrap_err();
            assert!(matches!(refused, SendError::PrivateAddress), "{private}: {refused}");
        }
        assert!(!called.is_finished(), "somebody inside was called");
    }

    #[tokio::test]
    async fn of_several_addresses_only_those_outside_are_connected_to() {
        let mixed: &[&str] = &["127.0.0.1", PUBLIC, "169.254.169.254"];
        let guarded = Guarded { names: Fickle::new(&[mixed]), allow: AllowPrivate::default() };
        let found: Vec<SocketAddr> = guarded.resolve(NAME.parse().unwrap()).await.unwrap().collect();
        assert_eq!(found, [SocketAddr::new(PUBLIC.parse().unwrap(), 0)]);
        let client = client(&Fickle::new(&[mixed]));
        let reached = client.reach(NAME, 5432, &[NAME.to_owned()]).await.unwrap();
        assert_eq!(reached.addresses, [SocketAddr::new(PUBLIC.parse().unwrap(), 5432)]);
        assert!(client.check_target(&format!("https://{NAME}/")).await.is_err(), "subscribers must be outside wholly");
    }
}
