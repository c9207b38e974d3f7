//! Without a hub: the file is read, every row checked and mapped, and nothing is kept.

use super::{ImportArgs, ImportMode, show};
use crate::cli::Format;
use crate::maps::files;
use crate::{assets, say};
use anyhow::{Context as _, bail};
use hub_engine::{Direction, Input, Level as Gravity, Mapping, Parts};
use hub_files::{
    Choice, Context, FileKind, FileProblem, Known, Level, Limits, Match, Mode, Names, ReportOptions, RowResult, Table,
    Target,
};
use hub_tree::jiff::tz::{TimeZone, offset};
use hub_tree::{Arena, Clock, Findings, Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::process::ExitCode;

/// What the mappings of imports are filed under.
const SOURCE: &str = "import";

/// What is known without a hub: what the command line names.
struct Told {
    departments: Option<Names>,
    positions: Option<Names>,
}

impl Known for Told {
    fn department(&self, text: &str) -> Match {
        self.departments.as_ref().map_or(Match::Untold, |names| names.find(text))
    }

    fn position(&self, text: &str) -> Match {
        self.positions.as_ref().map_or(Match::Untold, |names| names.find(text))
    }
}

fn names(words: &[String]) -> Option<Names> {
    let mut names = Names::new();
    words.iter().for_each(|word| names.add(word, None));
    (!words.is_empty()).then_some(names)
}

/// A file whose rows were looked at.
pub(super) struct Looked<'t> {
    pub(super) kind: FileKind,
    pub(super) encoding: Option<&'static str>,
    pub(super) table: Table,
    /// What the columns mean; nothing where a mapping reads them by their headings.
    pub(super) target: Option<&'t Target>,
    pub(super) rows: Vec<LookedRow>,
}

/// What came of a row.
pub(super) struct LookedRow {
    pub(super) number: u32,
    pub(super) accepted: bool,
    /// What it says, as JSON text.
    pub(super) tree: String,
    pub(super) remarks: Vec<Remark>,
    /// How many records of which entity the mapping makes of it.
    pub(super) records: BTreeMap<&'static str, usize>,
}

/// Something about a cell, or about a row.
pub(super) struct Remark {
    /// Such as `D5`; the number of the row for a row as a whole.
    pub(super) cell: String,
    pub(super) heading: String,
    pub(super) code: String,
    pub(super) error: bool,
    pub(super) message: String,
}

pub(super) fn run(args: &ImportArgs) -> anyhow::Result<ExitCode> {
    let Some(target) = Target::built_in(&args.target) else {
        let known: Vec<&str> = Target::all_built_in().iter().map(|target| target.id.as_str()).collect();
        let known = known.join(", ");
        return Ok(say::usage(format!("rows cannot be imported as `{}`; they can as {known}", args.target)));
    };
    let findings = Findings::new();
    let mapping = match &args.mapping {
        Some(path) => files::mapping(path, &findings)?,
        None => built_in(&target.id, &findings),
    };
    say::findings(&findings.into_sorted());
    let Some(mapping) = mapping else { bail!("the mapping cannot be used as it is") };
    if mapping.direction != Direction::In {
        return Ok(say::usage("the mapping must be an .in.yaml file: it reads rows"));
    }
    let bytes = fs::read(&args.file).with_context(|| format!("reading {}", args.file.display()))?;
    let target = args.mapping.is_none().then_some(target);
    let (kind, encoding, table) = match read(args, &bytes, target)? {
        Ok(read) => read,
        Err(problem) => return Ok(show::refused(args, &problem)),
    };
    let rows = match target {
        Some(target) => checked(args, &table, target, &mapping),
        None => by_headings(&table, &mapping),
    };
    let looked = Looked { kind, encoding, table, target, rows };
    write_report(args, &looked)?;
    match args.format {
        Format::Json => show::as_json(args, &looked),
        Format::Text => show::as_text(args, &looked),
    }
    Ok(if looked.rows.iter().all(|row| row.accepted) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn built_in(target: &str, findings: &Findings) -> Option<Mapping> {
    let catalog = assets::catalog();
    let files = catalog.mapping_layers(SOURCE, &format!("{target}.in.yaml"), None);
    Mapping::assemble(SOURCE, &Parts { files, lists: catalog.code_lists(SOURCE) }, findings)
}

type Read = (FileKind, Option<&'static str>, Table);

fn read(args: &ImportArgs, bytes: &[u8], target: Option<&Target>) -> anyhow::Result<Result<Read, FileProblem>> {
    let mut columns = BTreeMap::new();
    for column in &args.columns {
        let Some((column, field)) = column.split_once('=') else {
            bail!("--column takes HEADING=FIELD, not `{column}`");
        };
        columns.insert(column.to_owned(), Some(field.to_owned()).filter(|field| !field.is_empty()));
    }
    let choice = Choice { sheet: args.sheet.clone(), header_row: args.header_row, columns };
    let name = args.file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let read = || {
        let mut book = hub_files::open(bytes, name, Limits::default())?;
        let (kind, encoding) = (book.kind(), book.encoding());
        Ok((kind, encoding, hub_files::table(&mut book, target, &choice)?))
    };
    Ok(read())
}

/// Rows as their target understands them.
fn checked(args: &ImportArgs, table: &Table, target: &Target, mapping: &Mapping) -> Vec<LookedRow> {
    let told = Told { departments: names(&args.departments), positions: names(&args.positions) };
    let mode = match args.mode {
        ImportMode::Insert => Mode::Insert,
        ImportMode::Upsert => Mode::Upsert,
    };
    // People fill sheets in on both sides of the date line; a day that has begun nowhere is in the future.
    let today = Clock::System.now().to_zoned(TimeZone::fixed(offset(14))).date();
    let checked = hub_files::check(table, target, &Context::new(today, mode, &told));
    let mut arena = Arena::new();
    let mut rows = Vec::with_capacity(checked.rows.len());
    for row in &checked.rows {
        arena.reset();
        let tree = checked.tree(row, &arena);
        let remarks = row.findings.iter().map(|finding| Remark {
            cell: finding.cell(table),
            heading: finding.heading(table).to_owned(),
            code: finding.code.to_owned(),
            error: finding.level == Level::Error,
            message: finding.said.in_language(&args.language).to_owned(),
        });
        let mut looked = LookedRow {
            number: row.number,
            accepted: row.is_accepted(),
            tree: json::to_string(&tree),
            remarks: remarks.collect(),
            records: BTreeMap::new(),
        };
        if looked.accepted {
            map(&mut looked, mapping, &arena, tree);
        }
        rows.push(looked);
    }
    rows
}

/// Rows as a mapping reads them by their headings.
fn by_headings(table: &Table, mapping: &Mapping) -> Vec<LookedRow> {
    let mut arena = Arena::new();
    let mut rows = Vec::with_capacity(table.rows.len());
    for row in &table.rows {
        arena.reset();
        let texts = table.texts(row);
        let texts: Vec<(&str, Value<'_>)> = texts.into_iter().map(|(name, text)| (name, Value::Text(text))).collect();
        let tree = arena.map(&texts);
        let mut looked = LookedRow {
            number: row.number,
            accepted: true,
            tree: json::to_string(&tree),
            remarks: Vec::new(),
            records: BTreeMap::new(),
        };
        map(&mut looked, mapping, &arena, tree);
        rows.push(looked);
    }
    rows
}

/// Counts the records of a row, or notes why there are none.
fn map<'a>(row: &mut LookedRow, mapping: &'a Mapping, arena: &'a Arena, tree: Value<'a>) {
    let outcome = mapping.run_in(arena, &Input::of(tree, SOURCE));
    for record in &outcome.records {
        *row.records.entry(record.entity.name).or_default() += 1;
    }
    for issue in &outcome.issues {
        row.remarks.push(Remark {
            cell: row.number.to_string(),
            heading: issue.place(),
            code: issue.code.to_uppercase(),
            error: issue.level == Gravity::Error,
            message: format!("{}:{}: {}", issue.file, issue.line, issue.message),
        });
    }
    row.accepted = outcome.first_error().is_none();
}

fn write_report(args: &ImportArgs, looked: &Looked<'_>) -> anyhow::Result<()> {
    let Some(path) = &args.report else { return Ok(()) };
    let results = looked.rows.iter().map(|row| (row.number, result(row)));
    let options = ReportOptions { language: &args.language, ..ReportOptions::default() };
    let writing = || format!("writing {}", path.display());
    let file = fs::File::create(path).with_context(writing)?;
    hub_files::report(std::io::BufWriter::new(file), &looked.table, &results.collect(), &options)
        .with_context(writing)?;
    Ok(())
}

fn result(row: &LookedRow) -> RowResult {
    let said = row.remarks.iter().map(|remark| match remark.heading.as_str() {
        "" => remark.message.clone(),
        heading => format!("{} {heading}: {}", remark.cell, remark.message),
    });
    let level = |error| if error { Level::Error } else { Level::Warning };
    let place = |remark: &Remark| Some((hub_files::place_of(&remark.cell)?.1, level(remark.error)));
    RowResult {
        accepted: row.accepted,
        reason: said.collect::<Vec<_>>().join("; "),
        marks: row.remarks.iter().filter_map(place).collect(),
    }
}
