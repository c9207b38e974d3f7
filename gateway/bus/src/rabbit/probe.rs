//! Looking at a broker as an operator would. Nothing is declared and nothing stays.

use super::connect::{addresses, connect};
use crate::error::BusError;
use lapin::BasicProperties;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::uri::AMQPScheme;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long each answer may take.
const WITHIN: Duration = Duration::from_secs(5);
/// Largest first frame that is read: server properties are a few hundred bytes.
const MAX_FRAME: usize = 64 << 10;

/// What a broker says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Broker {
    /// Such as `RabbitMQ`; unknown over TLS.
    pub product: Option<String>,
    /// Such as `3.10.8`; unknown over TLS.
    pub version: Option<String>,
    /// Whether it takes messages now: not while its disk or memory alarm is on.
    pub takes_messages: bool,
}

/// Connects and looks.
///
/// # Errors
/// The broker cannot be reached or lets nobody in.
pub async fn probe(url: &str, prefix: &str) -> Result<Broker, BusError> {
    let nodes = addresses(url)?;
    let mut broker = Broker::default();
    let connection = connect(&nodes, "doctor").await?;
    for node in nodes.iter().filter(|node| node.scheme == AMQPScheme::AMQP) {
        let greeted = tokio::time::timeout(WITHIN, greeting(&node.authority.host, node.authority.port)).await;
        if let Ok(Ok(properties)) = greeted {
            broker.product = find_text(&properties, "product");
            broker.version = find_text(&properties, "version");
            break;
        }
    }
    let channel = connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    // It finds no queue, and is confirmed all the same, unless an alarm holds publishers up.
    let key = format!("{prefix}.no-such-queue");
    let sent = async {
        let options = BasicPublishOptions::default();
        let confirm = channel.basic_publish("".into(), key.into(), options, b"", BasicProperties::default()).await?;
        confirm.await
    };
    broker.takes_messages = tokio::time::timeout(WITHIN, sent).await.is_ok_and(|confirmed| confirmed.is_ok());
    let _ = tokio::time::timeout(WITHIN, connection.close(200, "looked".into())).await;
    Ok(broker)
}

/// The first frame that a broker sends: method `connection.start` with its properties.
async fn greeting(host: &str, port: u16) -> Result<Vec<u8>, BusError> {
    let mut stream = TcpStream::connect((host, port)).await.map_err(|error| BusError::Away(error.to_string()))?;
    stream.write_all(b"AMQP\x00\x00\x09\x01").await?;
    let mut head = [0; 7];
    stream.read_exact(&mut head).await?;
    let size = u32::from_be_bytes([head[3], head[4], head[5], head[6]]);
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    if head[0] != 1 || size > MAX_FRAME {
        return Err(BusError::Away("it does not speak AMQP 0-9-1".to_owned()));
    }
    let mut frame = vec![0; size];
    stream.read_exact(&mut frame).await?;
    Ok(frame)
}

/// The text under a name in a field table: length and name, `S`, length and text.
fn find_text(frame: &[u8], name: &str) -> Option<String> {
    let mut wanted = vec![u8::try_from(name.len()).ok()?];
    wanted.extend_from_slice(name.as_bytes());
    wanted.push(b'S');
    let at = frame.windows(wanted.len()).position(|window| window == wanted)?;
    let (length, rest) = frame.get(at + wanted.len()..)?.split_first_chunk::<4>()?;
    let text = rest.get(..usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    String::from_utf8(text.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_found_among_properties_and_half_a_frame_is_no_version() {
        let frame = b"\x00\x0a\x00\x0a\x07productS\x00\x00\x00\x08RabbitMQ\x07versionS\x00\x00\x00\x063.10.8";
        assert_eq!(find_text(frame, "version").as_deref(), Some("3.10.8"));
        assert_eq!(find_text(frame, "product").as_deref(), Some("RabbitMQ"));
        assert_eq!(find_text(&frame[..frame.len() - 1], "version"), None);
        assert_eq!(find_text(frame, "platform"), None);
    }
}
