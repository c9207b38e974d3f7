//! `hrhub serve`.

use crate::assemble::assemble;
use crate::cli::Serve;
use crate::config::Config;
use crate::say;
use crate::server::{Running, address_of, asked_by, bear_limits_on_files, bind, terminated};
use anyhow::bail;
use hub_tree::Findings;
use std::process::ExitCode;

pub(crate) async fn run(args: Serve) -> anyhow::Result<ExitCode> {
    let mut config = Config::at(&args.place)?;
    if let Some(listen) = args.listen {
        config.listen = listen;
    }
    if let Some(role) = args.role {
        config.role = role.into();
    }
    config.check_role()?;
    if let Some(secs) = args.drain_secs {
        config.set_drain_secs(secs);
    }
    let socket = bind(&config.listen, "--listen, or `listen` in hub.yaml").await?;
    config.listen = address_of(&socket)?;
    bear_limits_on_files()?;
    // The first number would wait for the phone library's database.
    std::thread::spawn(hub_standards::contact::warm_up);
    let findings = Findings::new();
    let assembled = assemble(&config, &findings).await?;
    // One broken file must not keep the others from working: what has errors is left out, and said.
    let left_out = findings.error_count();
    say::findings(&findings.into_sorted());
    if left_out > 0 {
        let command = format!("hrhub check {}", args.place.config.display());
        tracing::warn!(left_out, "serving without the parts that have errors; `{command}` lists them");
    }
    let connections = assembled.hub.registry().connections.len();
    // Whoever gets an answer may ask for the end.
    let mut term = terminated()?;
    let mut running = Running::start(assembled, config.time_zone.clone(), socket);
    let listen = &config.listen;
    say::out(if config.role.serves() {
        let role = config.role.word();
        format!(
            "hrhub serves {connections} connections on http://{listen}, role {role}; console at {}/console",
            config.public_url()
        )
    } else {
        format!("hrhub works for {connections} connections; http://{listen} answers /healthz, /readyz and /metrics")
    });
    tokio::select! {
        asked = asked_by(&mut term) => {
            asked?;
            running.drain(config.drain()).await?;
            say::note("stopping: requests under way are answered first");
            running.stop().await;
            Ok(ExitCode::SUCCESS)
        }
        () = running.broken() => bail!("a part of the hub ended; the log says why. What was accepted is kept."),
    }
}
