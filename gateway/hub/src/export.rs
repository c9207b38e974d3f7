//! `hrhub export`: a collection of a running hub as a file.

use crate::running::RunningHub;
use crate::say;
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::process::ExitCode;
use url::form_urlencoded::Serializer;

#[derive(Args)]
pub(crate) struct ExportArgs {
    /// The collection, such as `employees`.
    pub(crate) collection: String,
    /// The form of the file; else the end of its name says.
    #[arg(long, value_enum)]
    pub(crate) format: Option<ExportFormat>,
    /// Only these fields, separated by commas, such as `employee_number,display_name`.
    #[arg(long)]
    pub(crate) fields: Option<String>,
    /// Only records that fit, as in the API: NAME=VALUE, such as `status=ACTIVE` or `updated_after=2026-01-01T00:00:00Z`.
    #[arg(long = "where", value_name = "NAME=VALUE")]
    pub(crate) filters: Vec<String>,
    /// What restricted fields are read for, for the audit log; without it they are left out.
    #[arg(long, value_name = "TEXT")]
    pub(crate) purpose: Option<String>,
    /// The file to write.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// The hub that runs. Its key: HRHUB_KEY, else the folder's HRHUB_ADMIN_KEY; fields that the key may not read are
    /// left out.
    #[arg(long, value_name = "URL", env = "HRHUB_URL")]
    pub(crate) hub: String,
    /// The configuration folder.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) config: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum ExportFormat {
    Csv,
    Xlsx,
    Parquet,
}

impl ExportFormat {
    const fn word(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
            Self::Parquet => "parquet",
        }
    }
}

pub(crate) async fn run(args: ExportArgs) -> anyhow::Result<ExitCode> {
    let ending = args.out.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
    let format: &str = match args.format {
        Some(format) => format.word(),
        None => &ending,
    };
    let mut query = Serializer::new(String::new());
    query.append_pair("format", if format.is_empty() { "csv" } else { format });
    query.extend_pairs(args.fields.iter().map(|fields| ("fields", fields)));
    for filter in &args.filters {
        let Some((name, value)) = filter.split_once('=') else {
            anyhow::bail!("`{filter}` is no NAME=VALUE, such as `status=ACTIVE`");
        };
        query.append_pair(name, value);
    }
    let hub = RunningHub::at(&args.hub, &args.config)?.with_purpose(args.purpose);
    let path = format!("/v1/{}:export?{}", args.collection, query.finish());
    hub.fetch(&path).await?.save(&args.out)?;
    say::note(format!("{} is written.", args.out.display()));
    Ok(ExitCode::SUCCESS)
}
