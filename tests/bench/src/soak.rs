//! Memory of one process on the embedded default: idle after its start, and while web hooks come at an even rate and
//! each goes the whole road.

use crate::load::{self, Until};
use crate::program::{Backends, Hubs, Role, build};
use crate::report::Report;
use crate::road::STAGE;
use crate::sink::Sink;
use std::thread;
use std::time::{Duration, Instant};

const PER_SECOND: u64 = 100;
const SETTLED: Duration = Duration::from_secs(10);

pub fn run(seconds: u64) -> anyhow::Result<Report> {
    let program = build()?;
    let sink = Sink::start()?;
    let hubs = Hubs::start(&program, Backends::Embedded, &[Role::All], Some(&sink.address))?;
    thread::sleep(SETTLED.min(Duration::from_secs(seconds)));
    let mut report = Report::new("soak", "MB resident");
    let note = |report: &mut Report, name: &str, bytes: u64| report.row(name).values.push(bytes as f64 / 1e6);
    note(&mut report, "hub, idle", hubs.resident()?);
    let count = PER_SECOND * seconds;
    let target = hubs.target();
    let start = Instant::now();
    let sending = thread::spawn(move || {
        load::run(&target, 8, Until::Paced(count, Duration::from_micros(1_000_000 / PER_SECOND)), STAGE, &|_| {})
    });
    while !sending.is_finished() {
        thread::sleep(Duration::from_millis(500));
        let quarter = 4 * start.elapsed().as_secs() / seconds.max(1);
        note(&mut report, &format!("hub, quarter {}", (quarter + 1).min(4)), hubs.resident()?);
    }
    let sent = sending.join().map_err(|_| anyhow::anyhow!("the load died"))??;
    sink.wait_for(usize::try_from(sent.accepted)?)?;
    note(&mut report, "hub, all done", hubs.resident()?);
    report.pair("hub, quarter 4".to_owned(), "hub, quarter 2".to_owned());
    Ok(report)
}
