//! How fast the hub is, beside what the machine allows.
//!
//! `cargo run --release --manifest-path tests/bench/Cargo.toml -- NAME [--json]`. Contestants take turns within one
//! run, so that a noisy machine disturbs all of them; ratios between rows of one run mean something, numbers of
//! different runs do not. Rows that begin with `hub` are ours, `hand` is the limit: the same durable work by hand.

mod allocations;
mod api;
mod bus;
mod by_hand;
mod callbacks;
mod intake;
mod load;
mod mapping;
mod pay;
mod program;
mod report;
mod road;
mod scoring;
mod sink;
mod soak;
mod soap;
mod stream;

use clap::{Parser, ValueEnum};

/// Times the hub beside what the machine allows.
#[derive(Parser)]
struct Cli {
    /// What to time.
    name: Bench,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
    /// How often each contestant runs.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// How long each runs, seconds.
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// How many records `api` reads from (1,000,000 for the real thing).
    #[arg(long, default_value_t = 50_000)]
    records: usize,
    /// How many people `pay` pays in a round, or `bias` looks at (1,000,000 for the real thing).
    #[arg(long, default_value_t = 50_000)]
    people: usize,
    /// Which other mapping languages take part in `mapping`.
    #[arg(long, value_enum, default_value_t = mapping::Peers::Found)]
    peers: mapping::Peers,
    /// Run one contestant of ours in `mapping` alone, once, for a profiler: `hub`, `hand`, `hub, no phones`.
    #[arg(long)]
    only: Option<String>,
    /// Print what one contestant of `mapping` makes of the document.
    #[arg(long)]
    show: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Bench {
    /// Web hooks accepted per second at 1, 16, 64 and 256 connections, on the embedded default and on RabbitMQ.
    Intake,
    /// Sealed callbacks accepted per second at 1, 16 and 64 connections, beside web hooks that are only signed.
    Callbacks,
    /// Messages made durable per second by the bus alone, with 1, 16, 64 and 256 publishers, on both backends.
    Bus,
    /// From web hook to the call at a vendor: messages per second and latency, on both backends, with 1 and 2 workers.
    Road,
    /// Memory: idle, and under an even load for `--seconds` (600 for the real thing).
    Soak,
    /// Documents mapped per second on one core, from raw bytes to canonical bytes.
    Mapping,
    /// A SOAP answer of 1 MiB to a tree and to records, in MB per second, beside lxml and zeep.
    Soap,
    /// Records listed and got through the API, of `--records`, on both stores, beside bare axum answering the same bytes.
    Api,
    /// Interviews scored per second on one core.
    Score,
    /// A bias audit of `--people`, in people per second, beside pandas with fairlearn.
    Bias,
    /// Payslips made per second on one core, with and without explanations, beside the same rules by hand.
    Pay,
    /// Reading 25,000 records out of 50 MB of XML, in MB per second, and the memory that it takes.
    Stream,
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    if let Some(name) = &cli.show {
        println!("{}", mapping::show(name)?);
        return Ok(());
    }
    let report = match cli.name {
        Bench::Intake => intake::run(cli.rounds, cli.seconds)?,
        Bench::Callbacks => callbacks::run(cli.rounds, cli.seconds)?,
        Bench::Bus => bus::run(cli.rounds, cli.seconds)?,
        Bench::Road => road::run(cli.rounds)?,
        Bench::Soak => soak::run(cli.seconds)?,
        Bench::Mapping => match &cli.only {
            Some(name) => mapping::only(name, cli.seconds)?,
            None => mapping::run(cli.rounds, cli.seconds, cli.peers)?,
        },
        Bench::Api => api::run(cli.rounds, cli.seconds, cli.records)?,
        Bench::Soap => soap::run(cli.rounds)?,
        Bench::Score => scoring::scorecards(cli.rounds, cli.seconds)?,
        Bench::Bias => scoring::bias(cli.rounds, cli.people)?,
        Bench::Pay => pay::run(cli.rounds, cli.people, cli.only.as_deref())?,
        Bench::Stream => match &cli.only {
            Some(name) => return stream::only(name),
            None => stream::run(cli.rounds)?,
        },
    };
    if cli.json {
        println!("{}", report.to_json());
    } else {
        print!("{report}");
    }
    Ok(())
}
