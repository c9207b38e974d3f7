//! `hrhub report`: what records say, as a page, JSON or a picture; over a running hub, or over the rows of a file.

use crate::running::RunningHub;
use crate::say;
use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use hub_calc::Exact;
use hub_insight::{Asked, Language, REPORTS, ReportKind, Text, find, json, page, picture};
use hub_tree::csv::{self, Delimiter, Options};
use hub_tree::finding::suggest;
use hub_tree::jiff::civil::Date;
use hub_tree::jiff::tz::TimeZone;
use hub_tree::{Arena, Clock, Decimal, Limits};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use url::form_urlencoded::Serializer;

/// Longest file: some millions of rows.
const MAX_BYTES: usize = 512 << 20;

#[derive(Args)]
pub(crate) struct ReportArgs {
    /// Which report, such as `thresholds`; without it, they are listed.
    name: Option<String>,
    /// A CSV file with the rows of the report; without it, a hub that runs is asked.
    rows: Option<PathBuf>,
    /// The file to write: its end says whether it is a page (.html), JSON (.json) or one chart (.svg).
    #[arg(long, value_name = "FILE", required_unless_present = "list")]
    out: Option<PathBuf>,
    /// List the reports and the columns of their rows.
    #[arg(long, conflicts_with_all = ["name", "hub"])]
    list: bool,
    /// From this day on.
    #[arg(long, value_name = "DAY")]
    since: Option<Date>,
    /// Up to this day.
    #[arg(long, value_name = "DAY")]
    until: Option<Date>,
    /// A score to compare with, from 0 to 100: below it is low; of `thresholds`, the one in force.
    #[arg(long, value_name = "SCORE")]
    mark: Option<Decimal>,
    /// Of `keyword-gaps`: words that should stand together, as WORD:COMPANION.
    #[arg(long = "pair", value_name = "WORD:COMPANION")]
    pairs: Vec<String>,
    /// Which chart, where a picture is written.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    chart: usize,
    /// The language of a page or a picture.
    #[arg(long, value_enum, default_value_t = ReportLanguage::En)]
    language: ReportLanguage,
    /// A hub that runs. Its key: HRHUB_KEY, else the folder's HRHUB_ADMIN_KEY; what the key may not read is in no report.
    #[arg(long, value_name = "URL", env = "HRHUB_URL")]
    hub: Option<String>,
    /// Of a hub: other parameters as in the API, NAME=VALUE, such as `requisition=…`, `groups=sex` or `stage=INTERVIEW`.
    #[arg(long = "where", value_name = "NAME=VALUE", requires = "hub")]
    filters: Vec<String>,
    /// Of a hub: what restricted fields are read for, for the audit log.
    #[arg(long, value_name = "TEXT")]
    purpose: Option<String>,
    /// The configuration folder.
    #[arg(long, value_name = "DIR", default_value = ".")]
    config: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum ReportLanguage {
    En,
    Zh,
}

impl ReportLanguage {
    const fn word(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh",
        }
    }

    const fn language(self) -> Language {
        match self {
            Self::En => Language::English,
            Self::Zh => Language::Chinese,
        }
    }
}

pub(crate) async fn run(args: ReportArgs) -> anyhow::Result<ExitCode> {
    let (Some(name), Some(out), false) = (&args.name, &args.out, args.list) else {
        list();
        return Ok(ExitCode::SUCCESS);
    };
    let format = match out.extension().and_then(|ending| ending.to_str()) {
        Some("html" | "htm") => "html",
        Some("json") => "json",
        Some("svg") => "svg",
        _ => bail!("{} ends with neither .html nor .json nor .svg", out.display()),
    };
    match &args.rows {
        Some(rows) => offline(&args, name, rows, (format, out))?,
        None => online(&args, name, (format, out)).await?,
    }
    say::note(format!("{} is written.", out.display()));
    Ok(ExitCode::SUCCESS)
}

fn list() {
    for kind in REPORTS {
        say::out(format!("{}  {}", kind.name, kind.about));
        let columns = if kind.columns.is_empty() {
            "person, period, left, and features".to_owned()
        } else {
            kind.columns.join(", ")
        };
        say::out(format!("    columns: {columns}"));
    }
    say::out("bias-audit  Of a hub alone; from a file, see `hrhub bias-audit`.");
}

async fn online(args: &ReportArgs, name: &str, (format, out): (&str, &Path)) -> anyhow::Result<()> {
    let Some(hub) = &args.hub else { bail!("name a file of rows, or a hub that runs: --hub URL") };
    let mut query = Serializer::new(String::new());
    query.append_pair("format", format).append_pair("language", args.language.word());
    let days = [("since", args.since), ("until", args.until)];
    query.extend_pairs(days.iter().filter_map(|(name, day)| Some((name, day.as_ref()?.to_string()))));
    query.extend_pairs(args.mark.iter().map(|mark| ("mark", mark.to_string())));
    query.extend_pairs(args.pairs.iter().map(|pair| ("pair", pair)));
    if format == "svg" {
        query.append_pair("chart", &args.chart.to_string());
    }
    for filter in &args.filters {
        let (name, value) = filter.split_once('=').with_context(|| format!("`{filter}` is no NAME=VALUE"))?;
        query.append_pair(name, value);
    }
    let hub = RunningHub::at(hub, &args.config)?.with_purpose(args.purpose.clone());
    hub.fetch(&format!("/v1/reports/{name}?{}", query.finish())).await?.save(out)
}

fn offline(args: &ReportArgs, name: &str, rows: &Path, (format, out): (&str, &Path)) -> anyhow::Result<()> {
    let kind: &ReportKind = find(name).with_context(|| {
        let near = suggest(name, REPORTS.iter().map(|kind| kind.name)).map(|near| format!("; {near}"));
        format!("there is no report `{name}` of rows{}", near.unwrap_or_default())
    })?;
    let pair = |text: &String| {
        let parts = text.split_once([':', '：']).with_context(|| format!("`{text}` is no WORD:COMPANION"))?;
        Ok((parts.0.trim().to_owned(), parts.1.trim().to_owned()))
    };
    let source =
        rows.file_name().map_or_else(|| rows.display().to_string(), |name| name.to_string_lossy().into_owned());
    let asked = Asked {
        window: (args.since, args.until),
        source: Text::same(source),
        made: Clock::System.now().to_zoned(TimeZone::UTC).date(),
        mark: args.mark.map(Exact::from),
        pairs: args.pairs.iter().map(pair).collect::<anyhow::Result<_>>()?,
    };
    let bytes = fs::read(rows).with_context(|| format!("reading {}", rows.display()))?;
    let arena = Arena::new();
    let limits = Limits { max_bytes: MAX_BYTES, max_nodes: 64_000_000, ..Limits::default() };
    let options = Options { delimiter: Delimiter::Detect, encoding: None };
    let table =
        csv::read(&arena, &bytes, options, limits).with_context(|| format!("{} is no table", rows.display()))?;
    let report = (kind.make)(table.items(), &asked).with_context(|| rows.display().to_string())?;
    let language = args.language.language();
    let text = match format {
        "html" => page(&report, language),
        "json" => format!("{:#}\n", json(&report)),
        _ => {
            let chart = args.chart.checked_sub(1).and_then(|at| report.charts.get(at));
            chart
                .map(|chart| picture(chart, language).file())
                .with_context(|| format!("the report has {} charts", report.charts.len()))?
        }
    };
    fs::write(out, text).with_context(|| format!("writing {}", out.display()))
}
