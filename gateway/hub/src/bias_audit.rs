//! `hrhub bias-audit`: the public page of a bias audit, from rows of people assessed.

use crate::say;
use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use hub_tree::csv::{self, Delimiter, Options};
use hub_tree::jiff::civil::Date;
use hub_tree::jiff::tz::TimeZone;
use hub_tree::value::parse_decimal;
use hub_tree::{Arena, Clock, Limits, Value};
use hub_trust::audit::{About, Exclusion, Language, Row, audit, page};
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

/// Longest file: some millions of people.
const MAX_BYTES: usize = 512 << 20;
/// Columns that are read.
const COLUMNS: [&str; 4] = ["sex", "race", "selected", "score"];

#[derive(Args)]
pub(crate) struct BiasAudit {
    /// A CSV file with a row for each person assessed: `sex` and `race` as the person said (empty if not), `selected`
    /// (yes or no) where the tool selects, `score` where it scores.
    rows: PathBuf,
    /// What is audited.
    #[arg(long)]
    tool: String,
    /// Its version.
    #[arg(long)]
    tool_version: String,
    /// Who audits: an independent person or body.
    #[arg(long)]
    auditor: String,
    /// Where the rows come from.
    #[arg(long)]
    data_source: String,
    /// The first day of the data.
    #[arg(long, value_name = "DAY")]
    since: Date,
    /// The last day of the data.
    #[arg(long, value_name = "DAY")]
    until: Date,
    /// When the tool was first used.
    #[arg(long, value_name = "DAY")]
    first_used: Option<Date>,
    /// The day of the audit; today if absent.
    #[arg(long, value_name = "DAY")]
    audited: Option<Date>,
    /// Leave categories under 2 % of all people out of the ratios, for this reason.
    #[arg(long, value_name = "REASON")]
    exclude_small: Option<String>,
    /// The page's language.
    #[arg(long, value_enum, default_value_t = PageLanguage::En)]
    language: PageLanguage,
    /// The page to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum PageLanguage {
    En,
    Zh,
}

pub(crate) fn run(args: &BiasAudit) -> anyhow::Result<ExitCode> {
    if args.until < args.since {
        bail!("the data ends on {} before it begins on {}", args.until, args.since);
    }
    let bytes = fs::read(&args.rows).with_context(|| format!("reading {}", args.rows.display()))?;
    let arena = Arena::new();
    let limits = Limits { max_bytes: MAX_BYTES, max_nodes: 64_000_000, ..Limits::default() };
    let options = Options { delimiter: Delimiter::Detect, encoding: None };
    let read = csv::read(&arena, &bytes, options, limits);
    let table = read.with_context(|| format!("{} is no table of people", args.rows.display()))?;
    let rows = table.items().iter().enumerate().map(|(index, row)| {
        // Rows are counted as spreadsheets count them: the header is the first.
        read_row(row).with_context(|| format!("{}, row {}", args.rows.display(), index + 2))
    });
    let rows = rows.collect::<anyhow::Result<Vec<Row<'_>>>>()?;
    if rows.is_empty() {
        bail!("{} has no people in it", args.rows.display());
    }
    let about = About {
        tool: args.tool.clone(),
        version: args.tool_version.clone(),
        audited: args.audited.unwrap_or_else(|| Clock::System.now().to_zoned(TimeZone::UTC).date()),
        auditor: args.auditor.clone(),
        data_source: args.data_source.clone(),
        period: (args.since, args.until),
        first_used: args.first_used,
    };
    let exclusion = args.exclude_small.as_deref().map(Exclusion::two_percent);
    let made = audit(rows, about, exclusion);
    if made.selection.is_none() && made.scoring.is_none() {
        bail!("no row has `selected` or `score`: there is nothing to compare");
    }
    let language = match args.language {
        PageLanguage::En => Language::English,
        PageLanguage::Zh => Language::Chinese,
    };
    fs::write(&args.out, page(&made, language)).with_context(|| format!("writing {}", args.out.display()))?;
    say::note(format!("{} is written: {} people.", args.out.display(), made.people.assessed));
    Ok(ExitCode::SUCCESS)
}

fn read_row<'a>(row: &Value<'a>) -> anyhow::Result<Row<'a>> {
    if let Some((unknown, _)) = row.entries().iter().find(|(name, _)| !COLUMNS.contains(name)) {
        bail!("the column `{unknown}` is not one of {}", COLUMNS.join(", "));
    }
    let cell = |name: &str| row.get(name).as_text().map(str::trim).filter(|text| !text.is_empty());
    let selected = cell("selected").map(|text| match text.to_lowercase().as_str() {
        "1" | "yes" | "y" | "true" | "是" => Ok(true),
        "0" | "no" | "n" | "false" | "否" => Ok(false),
        _ => bail!("`selected` is `{text}`, and not yes or no"),
    });
    let score =
        cell("score").map(|text| parse_decimal(text).with_context(|| format!("`score` is `{text}`, no number")));
    Ok(Row { sex: cell("sex"), race: cell("race"), selected: selected.transpose()?, score: score.transpose()? })
}
