//! What the broker says.

use super::Report;
use crate::assemble::{PARTITIONS, queues};
use crate::config::{BusKind, Config};
use hub_bus::{Broker, Topology};

/// The oldest version whose quorum queues do what is needed: dead-lettering that loses nothing.
const OLDEST: (u32, u32) = (3, 10);

pub(super) async fn look(config: &Config, report: &mut Report) {
    let BusKind::RabbitMq { url, prefix } = &config.bus else {
        report.looked_at("bus (embedded)");
        return;
    };
    let rest = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
    let place = format!("amqp://{}", rest.rsplit_once('@').map_or(rest, |(_, host)| host));
    match hub_bus::probe(url, prefix).await {
        Ok(broker) => {
            judge(&broker, &place, report);
            topology(config, url, prefix, &place, report).await;
            report.looked_at("broker");
        }
        Err(error) => {
            let fix = "start the broker, or mend `bus.url` in hub.yaml; messages wait on disk until then";
            report.error(place, error.to_string(), fix);
            report.looked_at("broker (away)");
        }
    }
}

/// What stands at the broker, and what nobody could take.
async fn topology(config: &Config, url: &str, prefix: &str, place: &str, report: &mut Report) {
    let topology = Topology::new(prefix, &queues(config), PARTITIONS);
    match hub_bus::plan(url, &topology).await {
        Ok((drift, dead)) => {
            if let Some(first) = drift.first() {
                let what = match drift.len() {
                    1 => first.to_string(),
                    count => format!("{count} things at the broker are not as they must be, such as: {first}"),
                };
                report.warning(
                    place,
                    what,
                    "hrhub topology plan, then hrhub topology apply; a hub adds what is missing",
                );
            }
            if dead > 0 {
                let what = format!("{dead} messages that no consumer could take lie in {}", topology.dead());
                report.warning(place, what, "docs/rabbitmq.md says what to do; the hub's log says why they failed");
            }
        }
        Err(error) => report.warning(place, error.to_string(), "hrhub topology check, once the broker answers"),
    }
}

fn judge(broker: &Broker, place: &str, report: &mut Report) {
    if let Some(version) = &broker.version {
        let mut parts = version.split(['.', '-', '+']).map(|part| part.parse::<u32>().unwrap_or(0));
        let number = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
        if number < OLDEST {
            let what = format!("RabbitMQ {version} is older than {}.{}", OLDEST.0, OLDEST.1);
            report.error(place, what, "upgrade the broker: quorum queues lose no dead letters from 3.10 on");
        }
    }
    if !broker.takes_messages {
        let what = "the broker takes no messages: its disk or memory alarm is on";
        report.error(place, what, "rabbitmq-diagnostics alarms, then free disk or memory of that node");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(broker: &Broker) -> Vec<(&'static str, String)> {
        let mut report = Report::default();
        judge(broker, "broker", &mut report);
        report.findings.into_iter().map(|finding| (finding.level.word(), finding.what)).collect()
    }

    #[test]
    fn old_and_full_brokers_are_found() {
        let good = Broker { version: Some("3.10.0".into()), takes_messages: true, product: None };
        assert_eq!(found(&good), []);
        assert_eq!(found(&Broker { version: Some("4.1.2".into()), ..good.clone() }), []);
        for (broker, level, word) in [
            (Broker { version: Some("3.9.29".into()), ..good.clone() }, "error", "older"),
            (Broker { takes_messages: false, ..good.clone() }, "error", "alarm"),
        ] {
            let found = found(&broker);
            assert!(found.len() == 1 && found[0].0 == level && found[0].1.contains(word), "{found:?}");
        }
    }
}
