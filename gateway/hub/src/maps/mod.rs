//! `hrhub map`: work on mapping files.
//!
//! Results go to standard output, what there is to say about them beside it. Exit codes: 0 fine, 1 problems, 2 a
//! command line that cannot be followed.

mod check;
mod explain;
mod files;
mod run;
mod show;
mod test;
mod trial;
mod watch;

use crate::cli::MapCommand;
use std::process::ExitCode;

pub(crate) fn run(command: &MapCommand) -> anyhow::Result<ExitCode> {
    match command {
        MapCommand::Check { path, format } => check::run(path, *format),
        MapCommand::Test(args) => test::run(args),
        MapCommand::Try(args) => trial::run(args),
        MapCommand::Explain(args) => explain::run(args),
        MapCommand::Run(args) => run::run(args),
    }
}
