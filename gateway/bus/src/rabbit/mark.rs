//! Marks in a consumer's queues at the broker: when a mark has been read, everything that lay before it has been, too.

use super::connect::{addresses, connect};
use crate::error::BusError;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Confirmation};
use std::time::Duration;

/// The topic of marks: payloads have a connection behind it.
pub const MARK_TOPIC: &str = "raw";
const WITHIN: Duration = Duration::from_secs(10);
const PERSISTENT: u8 = 2;

/// The name of the mark in a partition.
#[must_use]
pub fn mark_name(id: &str, partition: u16) -> String {
    format!("mark/{id}/{partition}")
}

/// Puts a mark behind all payloads of every partition.
///
/// # Errors
/// The broker cannot be reached, or has no queue for payloads.
pub async fn mark(url: &str, prefix: &str, partitions: u16, id: &str) -> Result<(), BusError> {
    let late = |_| BusError::Away("no answer in time".to_owned());
    let marking = async {
        let connection = connect(&addresses(url)?, "backup").await?;
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        for partition in 0..partitions {
            let name = mark_name(id, partition);
            let mut headers = FieldTable::default();
            for (header, value) in [("tenant", ""), ("key", ""), ("topic", MARK_TOPIC), ("traceparent", "")] {
                headers.insert(header.into(), AMQPValue::LongString(value.into()));
            }
            let properties = BasicProperties::default()
                .with_delivery_mode(PERSISTENT)
                .with_message_id(name.as_str().into())
                .with_headers(headers);
            let key = format!("{partition}.{MARK_TOPIC}");
            let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
            let exchange = format!("{prefix}.publish");
            let sent = channel.basic_publish(exchange.as_str().into(), key.into(), options, b"", properties).await?;
            if !matches!(sent.await?, Confirmation::Ack(None)) {
                return Err(BusError::Topology("a mark found no queue".to_owned()));
            }
        }
        let _ = connection.close(200, "marked".into()).await;
        Ok(())
    };
    tokio::time::timeout(WITHIN, marking).await.map_err(late)?
}
