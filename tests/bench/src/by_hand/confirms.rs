//! Messages into a quorum queue over one channel; whoever sent one waits for its confirm, all of them at once.

use crate::load::PAYLOAD;
use anyhow::ensure;
use hub_support::RabbitMq;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Connection, ConnectionProperties};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const QUEUE: &str = "bench.hand";
const PERSISTENT: u8 = 2;

/// How many messages per second are confirmed when so many tasks each wait for theirs.
pub fn confirmed(broker: &RabbitMq, tasks: usize, time: Duration) -> anyhow::Result<f64> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let connection = Connection::connect(&RabbitMq::url(broker.port), ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        let mut arguments = FieldTable::default();
        arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
        let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        channel.queue_declare(QUEUE.into(), durable, arguments).await?;
        let count = Arc::new(AtomicU64::new(0));
        let start = Instant::now();
        let sending: Vec<_> = (0..tasks)
            .map(|_| {
                let (channel, count) = (channel.clone(), Arc::clone(&count));
                tokio::spawn(async move {
                    while start.elapsed() < time {
                        let properties = BasicProperties::default().with_delivery_mode(PERSISTENT);
                        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
                        let confirm = channel
                            .basic_publish("".into(), QUEUE.into(), options, PAYLOAD.as_bytes(), properties)
                            .await?;
                        ensure!(confirm.await?.is_ack(), "the broker did not take a message");
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                    Ok(())
                })
            })
            .collect();
        for task in sending {
            task.await??;
        }
        let rate = count.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64();
        channel.queue_delete(QUEUE.into(), QueueDeleteOptions::default()).await?;
        connection.close(200, "done".into()).await?;
        Ok(rate)
    })
}
