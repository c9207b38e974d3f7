//! The bus alone: messages per second that are durable while so many publishers each wait for theirs. The embedded log
//! beside threads that hand records of the same size to one appending writer; RabbitMQ beside tasks that publish records
//! of the same size over one channel. What a broker does not confirm in time goes into the spool and counts: the hub
//! would have answered.

use crate::by_hand;
use crate::load::PAYLOAD;
use crate::program::{Backends, fresh_folder};
use crate::report::Report;
use anyhow::ensure;
use hub_bus::{Bus, Consumer, Embedded, Message, Rabbit, RabbitOptions};
use hub_support::{RabbitMq, rabbitmq, unique};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const PUBLISHERS: [usize; 4] = [1, 16, 64, 256];
const READY_WITHIN: Duration = Duration::from_secs(60);

pub fn run(rounds: usize, seconds: u64) -> anyhow::Result<Report> {
    let time = Duration::from_secs(seconds);
    let mut report = Report::new("bus", "durable/s");
    for _ in 0..rounds {
        for publishers in PUBLISHERS {
            for backends in [Backends::Embedded, Backends::Servers] {
                let ours = format!("hub, {backends}, {publishers} publishers");
                let limit = format!("hand, {backends}, {publishers} writers");
                report.row(&ours).values.push(published(backends, publishers, time)?);
                let by_hand = match backends {
                    Backends::Embedded => by_hand::appended(&fresh_folder("hand")?, publishers, time)?,
                    Backends::Servers => by_hand::confirmed(rabbitmq(), publishers, time)?,
                };
                report.row(&limit).values.push(by_hand);
                report.pair(ours, limit);
            }
        }
    }
    Ok(report)
}

fn published(backends: Backends, publishers: usize, time: Duration) -> anyhow::Result<f64> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let (folder, consumers) = (fresh_folder("bus")?, vec![Consumer::new("intake", &["raw.#"])]);
        let bus: Arc<dyn Bus> = match backends {
            Backends::Embedded => Arc::new(Embedded::open(&folder, consumers)?),
            Backends::Servers => {
                let url = RabbitMq::url(rabbitmq().port);
                let options = RabbitOptions { url, prefix: unique("bench"), partitions: 8, spool: folder };
                Arc::new(Rabbit::open(options, consumers)?)
            }
        };
        let opened = Instant::now();
        while !bus.health().connected {
            ensure!(opened.elapsed() < READY_WITHIN, "the broker does not get ready");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let count = Arc::new(AtomicU64::new(0));
        let start = Instant::now();
        let sending: Vec<_> = (0..publishers)
            .map(|_| {
                let (bus, count) = (Arc::clone(&bus), Arc::clone(&count));
                tokio::spawn(async move {
                    while start.elapsed() < time {
                        let number = count.fetch_add(1, Ordering::Relaxed);
                        bus.publish(vec![message(number)]).await?;
                    }
                    Ok::<_, hub_bus::BusError>(())
                })
            })
            .collect();
        for task in sending {
            task.await??;
        }
        let rate = count.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64();
        Ok(rate)
    })
}

fn message(number: u64) -> Message {
    Message {
        id: number.to_string(),
        topic: "raw.greenhouse-main".to_owned(),
        tenant: "default".to_owned(),
        key: number.to_string(),
        trace: String::new(),
        body: PAYLOAD.as_bytes().to_vec(),
    }
}
