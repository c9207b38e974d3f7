//! Web hooks accepted per second: verified, sealed and durable before the vendor gets its answer. On the embedded
//! default beside threads that hand records of the same size to one writer, which appends what has gathered and syncs
//! once for all of it, and beside a bare HTTP server in front of that writer; on RabbitMQ beside tasks that publish records of the same size over one channel and each wait
//! for the confirm.

use crate::by_hand;
use crate::load::{self, Target, Until, percentile};
use crate::program::{Backends, Hubs, Role, build, fresh_folder};
use crate::report::Report;
use hub_support::rabbitmq;
use std::time::Duration;

const CONNECTIONS: [usize; 4] = [1, 16, 64, 256];

pub fn run(rounds: usize, seconds: u64) -> anyhow::Result<Report> {
    let program = build()?;
    let time = Duration::from_secs(seconds);
    let mut report = Report::new("intake", "accepted/s");
    for _ in 0..rounds {
        for connections in CONNECTIONS {
            for backends in [Backends::Embedded, Backends::Servers] {
                let ours = format!("hub, {backends}, {connections} connections");
                let limit = format!("hand, {backends}, {connections} writers");
                // A new hub each time: what one round leaves to be mapped must not slow the next contestant.
                let role = if backends == Backends::Embedded { Role::All } else { Role::Edge };
                let hubs = Hubs::start(&program, backends, &[role], None)?;
                measure(&mut report, &ours, &hubs.target(), connections, time)?;
                drop(hubs);
                let by_hand = match backends {
                    Backends::Embedded => by_hand::appended(&fresh_folder("hand")?, connections, time)?,
                    Backends::Servers => by_hand::confirmed(rabbitmq(), connections, time)?,
                };
                report.row(&limit).values.push(by_hand);
                report.pair(ours.clone(), limit);
                if backends == Backends::Embedded {
                    let bare = format!("hand, HTTP, {connections} connections");
                    let target = by_hand::served(&fresh_folder("hand-http")?, connections)?;
                    measure(&mut report, &bare, &target, connections, time)?;
                    report.pair(ours, bare);
                }
            }
        }
    }
    Ok(report)
}

pub fn measure(
    report: &mut Report,
    name: &str,
    target: &Target,
    connections: usize,
    time: Duration,
) -> anyhow::Result<()> {
    let mut sent = load::run(target, connections, Until::Time(time), "Assessment", &|_| {})?;
    let row = report.row(name);
    row.values.push(sent.per_second());
    row.beside = vec![(percentile(&mut sent.micros, 50), "µs p50"), (percentile(&mut sent.micros, 99), "µs p99")];
    Ok(())
}
