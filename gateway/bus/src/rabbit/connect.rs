//! Connections to the broker, or to the first node of a cluster that answers.

use crate::error::BusError;
use lapin::uri::AMQPUri;
use lapin::{Connection, ConnectionProperties};
use std::fmt;
use std::time::Duration;

/// How long the broker may take for an answer to one request.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Seconds. A peer that is silent for two of them is taken for gone: a half-open connection shows in no other way.
const HEARTBEAT: u16 = 10;

/// The addresses in `amqp://user:password@host:port,host:port/vhost`: one for each node. The answer to a bad one never
/// quotes it: it holds a password.
pub(crate) fn addresses(url: &str) -> Result<Vec<AMQPUri>, BusError> {
    let bad = |why: &str| BusError::Address(why.to_owned());
    let (scheme, rest) = url.split_once("://").ok_or_else(|| bad("it must begin with amqp:// or amqps://"))?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let (user, hosts) = match authority.rsplit_once('@') {
        Some((user, hosts)) => (format!("{user}@"), hosts),
        None => (String::new(), authority),
    };
    let mut addresses = Vec::new();
    for host in hosts.split(',').map(str::trim) {
        let address = format!("{scheme}://{user}{host}{tail}");
        let mut address: AMQPUri = address.parse().map_err(|why: String| bad(&why))?;
        address.query.heartbeat.get_or_insert(HEARTBEAT);
        addresses.push(address);
    }
    Ok(addresses)
}

/// Connects to the first node that answers; `purpose` is what operators of the broker see as its name.
pub(crate) async fn connect(addresses: &[AMQPUri], purpose: &str) -> Result<Connection, BusError> {
    let mut last = BusError::Away("no address".to_owned());
    for address in addresses {
        let properties = ConnectionProperties::default().with_connection_name(format!("hrhub {purpose}").into());
        let doing = format!("connecting to {}:{}", address.authority.host, address.authority.port);
        match within(doing, Connection::connect_uri(address.clone(), properties)).await {
            Ok(connection) => return Ok(connection),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Waits for one answer of the broker, but not for ever. An error says what was being done: `declaring queue …`.
pub(crate) async fn within<T>(
    doing: impl fmt::Display,
    answer: impl Future<Output = lapin::Result<T>>,
) -> Result<T, BusError> {
    match tokio::time::timeout(ANSWER_WITHIN, answer).await {
        Ok(answer) => answer.map_err(|error| failed(&error, doing)),
        Err(_) => Err(BusError::Away(format!("no answer within {} s while {doing}", ANSWER_WITHIN.as_secs()))),
    }
}

pub(crate) fn failed(error: &lapin::Error, doing: impl fmt::Display) -> BusError {
    BusError::Away(format!("{error} while {doing}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_may_name_all_nodes_of_a_cluster() {
        let all = addresses("amqp://u:p%40ss@one:5672,two:5673,three/%2f?channel_max=9").unwrap();
        let hosts: Vec<_> = all.iter().map(|one| (one.authority.host.as_str(), one.authority.port)).collect();
        assert_eq!(hosts, [("one", 5672), ("two", 5673), ("three", 5672)]);
        assert!(all.iter().all(|one| one.vhost == "/" && one.authority.userinfo.password == "p@ss"));
        assert!(all.iter().all(|one| one.query.heartbeat == Some(HEARTBEAT) && one.query.channel_max == Some(9)));
        let own = addresses("amqp://localhost?heartbeat=30").unwrap();
        assert_eq!(own[0].query.heartbeat, Some(30));
    }

    #[test]
    fn a_bad_url_is_refused_without_its_password() {
        for url in ["localhost", "amqp://u:secret@host:port", "http://u:secret@host"] {
            let error = addresses(url).unwrap_err();
            assert!(matches!(error, BusError::Address(_)) && !error.to_string().contains("secret"), "{error}");
        }
    }
}
