//! `hrhub map`: work on mapping files.
//!
//! Results go to standard output, what there is to say about them beside it. Exit codes: 0 fine, 1 problems, 2 a
//! command line that cannot be followed.

mod check;
mod explain;
pub(crate) mod files;
mod new;
mod run;
mod show;
mod test;
mod trial;
mod watch;

use crate::cli::{MapCommand, SchemaOf};
use crate::say;
use hub_engine::{Direction, language};
use hub_tree::Findings;
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;

pub(crate) fn run(command: &MapCommand) -> anyhow::Result<ExitCode> {
    match command {
        MapCommand::Check { path, format } => check::run(path, *format),
        MapCommand::Test(args) => test::run(args),
        MapCommand::Try(args) => trial::run(args),
        MapCommand::Explain(args) => explain::run(args),
        MapCommand::Run(args) => run::run(args),
        MapCommand::New(args) => new::run(args),
        MapCommand::Effective { file } => effective(file),
        MapCommand::Needs { file } => needs(file),
        MapCommand::Schema { of } => {
            let schema = match of {
                SchemaOf::In => language::mapping_schema(Direction::In),
                SchemaOf::Out => language::mapping_schema(Direction::Out),
                SchemaOf::List => language::list_schema(),
                SchemaOf::Case => language::case_schema(),
            };
            say::out(format!("{schema:#}"));
            Ok(ExitCode::SUCCESS)
        }
        MapCommand::Reference => {
            say::out(language::reference().trim_end());
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// What an out mapping needs, as JSON.
fn needs(file: &Path) -> anyhow::Result<ExitCode> {
    let findings = Findings::new();
    let Some(mapping) = files::mapping(file, &findings)? else {
        say::findings(&findings.into_sorted());
        return Ok(ExitCode::FAILURE);
    };
    if mapping.direction == Direction::In {
        return Ok(say::usage("an in mapping takes what the vendor sends; `needs` is for *.out.yaml"));
    }
    let needs = mapping.needs().into_iter().map(|need| {
        let mut one = json!({ "field": need.pointer, "reads": need.reads, "required": need.required });
        if let Some(values) = need.values {
            one["values"] = json!(values);
        }
        one
    });
    say::out(format!("{:#}", json!({ "mapping": mapping.id, "needs": needs.collect::<Vec<_>>() })));
    Ok(ExitCode::SUCCESS)
}

/// All layers of a mapping as one file.
fn effective(file: &Path) -> anyhow::Result<ExitCode> {
    let place = files::Place::read(file)?;
    let findings = Findings::new();
    let text = place.parts.effective(&findings, &|path| place.layer(path).to_owned());
    if let Some(text) = &text {
        // What the layers make together may still be wrong.
        place.compile(&findings);
        say::out(text.trim_end());
    }
    say::findings(&findings.into_sorted());
    Ok(if text.is_some() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
