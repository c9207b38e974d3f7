//! Callbacks accepted per second: proved, opened, sealed and durable before the platform gets its answer, in each family
//! of ciphers, beside web hooks of the same size that are only signed. The road behind the door is the same.

use crate::intake::measure;
use crate::load::Form;
use crate::program::{Backends, Hubs, Role, build};
use crate::report::Report;
use std::time::Duration;

const CONNECTIONS: [usize; 3] = [1, 16, 64];

pub fn run(rounds: usize, seconds: u64) -> anyhow::Result<Report> {
    let program = build()?;
    let time = Duration::from_secs(seconds);
    let mut report = Report::new("callbacks", "accepted/s");
    for _ in 0..rounds {
        for connections in CONNECTIONS {
            let plain = format!("hub, signed only, {connections} connections");
            for form in [Form::Signed, Form::Envelope, Form::Hashed] {
                let name = format!("hub, {form}, {connections} connections");
                let prepare = |config: &std::path::Path| form.configure(config);
                let hubs = Hubs::prepared(&program, Backends::Embedded, &[Role::All], None, &prepare)?;
                let target = hubs.target().with(form);
                measure(&mut report, &name, &target, connections, time)?;
                drop(hubs);
                if form != Form::Signed {
                    report.pair(name, plain.clone());
                }
            }
        }
    }
    Ok(report)
}
