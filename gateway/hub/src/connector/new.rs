//! `hrhub connector new`: the beginning of a connector, sound from the first moment.

use super::is_name;
use crate::say;
use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Args)]
pub(crate) struct New {
    /// The connector's name, such as `our-ats`.
    name: String,
    /// The wire. For SOAP there is `import-wsdl`.
    #[arg(long, value_enum, default_value_t = Wire::Http)]
    driver: Wire,
    /// What kind of system it is, such as `ats`.
    #[arg(long, default_value = "ats")]
    family: String,
    /// The configuration folder.
    #[arg(long, value_name = "DIR", default_value = ".")]
    config: PathBuf,
}

/// The wires that a connector can begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Wire {
    /// JSON over HTTP.
    Http,
}

/// Where each file goes below the folder, and what it begins with; `@name` and `@family` are filled in.
const FILES: [(&str, &str); 5] = [
    ("connectors/@name/manifest.yaml", include_str!("new/manifest.yaml")),
    ("connectors/@name/sandbox.yaml", include_str!("new/sandbox.yaml")),
    ("mappings/@name/applicant.in.yaml", include_str!("new/applicant.in.yaml")),
    ("mappings/@name/cases/applicant.in/moved.input.json", include_str!("new/moved.input.json")),
    ("mappings/@name/cases/applicant.in/moved.expect.json", include_str!("new/moved.expect.json")),
];

pub(super) fn run(args: &New) -> anyhow::Result<ExitCode> {
    let Wire::Http = args.driver;
    if !is_name(&args.name) || !is_name(&args.family) {
        let bad = if is_name(&args.name) { &args.family } else { &args.name };
        return Ok(say::usage(format!("a name has small letters, digits and `-`, not `{bad}`")));
    }
    if !args.config.join("hub.yaml").is_file() {
        bail!("{} holds no hub.yaml: begin with `hrhub init`", args.config.display());
    }
    let fill = |text: &str| text.replace("@name", &args.name).replace("@family", &args.family);
    let files = FILES.map(|(path, text)| (args.config.join(fill(path)), fill(text)));
    if let Some((there, _)) = files.iter().find(|(path, _)| path.exists()) {
        bail!("{} is there already; nothing was written", there.display());
    }
    for (path, text) in &files {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        }
        fs::write(path, text).with_context(|| format!("writing {}", path.display()))?;
        say::out(format!("wrote {}", path.display()));
    }
    let shown = args.config.display();
    say::out(format!(
        "\nNext:\n  hrhub check {shown}\n  hrhub map test {shown}\n  hrhub init {shown} --with {}   # a connection to fill in\ndocs/connectors.md says what manifests can say.",
        args.name
    ));
    Ok(ExitCode::SUCCESS)
}
