//! `hrhub topology`: what stands at the message broker, compared with what must.

use crate::assemble::{PARTITIONS, consumers};
use crate::cli::{Place, TopologyCommand};
use crate::config::{BusKind, Config};
use crate::say;
use anyhow::Context as _;
use hub_bus::{Topology, apply, plan};
use hub_tree::Findings;
use std::process::ExitCode;

pub(crate) async fn run(command: TopologyCommand, place: &Place) -> anyhow::Result<ExitCode> {
    let config = Config::at(place)?;
    let BusKind::RabbitMq { url, prefix } = &config.bus else {
        say::out("The bus is embedded: there is no broker, and nothing to do.");
        return Ok(ExitCode::SUCCESS);
    };
    // What is wrong with models is said by `hrhub check`; queues do not depend on it.
    let queues = hub_flow::queues(&consumers(&config, &Findings::new()));
    let topology = Topology::new(prefix, &queues, PARTITIONS);
    if let TopologyCommand::Apply = command {
        let moved = apply(url, &topology, |line| say::note(line)).await.context("changing the broker's topology")?;
        for line in &moved.done {
            say::out(format!("done: {line}"));
        }
        if moved.done.is_empty() {
            say::out("Nothing had to be changed.");
        }
        tell_dead(moved.dead, &topology);
        return Ok(ExitCode::SUCCESS);
    }
    let (drift, dead) = plan(url, &topology).await.context("asking the broker for its topology")?;
    for one in &drift {
        say::out(one.to_string());
    }
    if drift.is_empty() {
        say::out("The broker's topology is as it must be.");
    }
    tell_dead(dead, &topology);
    let drifted = matches!(command, TopologyCommand::Check) && !drift.is_empty();
    Ok(if drifted { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn tell_dead(dead: u64, topology: &Topology) {
    if dead > 0 {
        let count = say::number(usize::try_from(dead).unwrap_or(usize::MAX), "message");
        say::out(format!(
            "{count} in {}: no consumer could take them; docs/rabbitmq.md says what to do",
            topology.dead()
        ));
    }
}
