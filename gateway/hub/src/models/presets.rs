//! `hrhub model presets` and `hrhub model preset`: how industries usually work and appraise, as files to begin with.

use crate::assets::catalog;
use crate::say;
use anyhow::{Context as _, bail};
use hub_appraisal::preset::{Flexible, Hours, Overtime, Preset};
use hub_service::presets::{Presets, clock, load_presets};
use hub_tree::Findings;
use hub_tree::finding::suggest;
use hub_tree::jiff::civil::Time;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

fn find<'p>(presets: &'p Presets, name: &str) -> anyhow::Result<&'p Preset> {
    if let Some(preset) = presets.get(name) {
        return Ok(preset);
    }
    let help = suggest(name, presets.keys().map(String::as_str)).unwrap_or_default();
    bail!("there is no preset `{name}`; {help} (`hrhub model presets` lists them)")
}

/// Lists the presets, or shows one.
pub(super) fn list(name: Option<&str>) -> anyhow::Result<ExitCode> {
    let findings = Findings::new();
    let presets = load_presets(&catalog(), &findings);
    say::findings(&findings.into_sorted());
    match name {
        Some(name) => show(find(&presets, name)?),
        None => {
            for (id, preset) in &presets {
                let called = |language: &str| preset.name.get(language).map_or("", String::as_str);
                say::out(format!("{id}  {}  {}", called("zh-CN"), called("en")));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn show(preset: &Preset) {
    for shift in &preset.shifts {
        let next_day = if shift.crosses_midnight { " of the next day" } else { "" };
        let (hours, minutes) = (shift.work_minutes() / 60, shift.work_minutes() % 60);
        say::out(format!(
            "shift  {} ({})  {}-{}{next_day}, {} min break, {hours} h {minutes:02} of work",
            shift.id,
            shift.english,
            clock(shift.start),
            clock(shift.end),
            shift.break_minutes
        ));
    }
    if let Some(Flexible { core, window }) = &preset.flexible {
        let span = |(from, until): &(Time, Time)| format!("{}-{}", clock(*from), clock(*until));
        say::out(format!("flexible  within {}, all there {}", span(window), span(core)));
    }
    let fixed = if preset.rest.fixed.is_empty() { "in turn".to_owned() } else { preset.rest.fixed.join(", ") };
    say::out(format!("rest  {} a week, {fixed}", say::number(usize_of(preset.rest.days_per_week), "day")));
    say::out(format!("overtime  {}", overtime(&preset.overtime)));
    let weights = &preset.appraisal.weights;
    say::out(format!(
        "appraisal  {}, indicators {} %, behaviour {} %",
        preset.appraisal.scheme, weights.kpi, weights.behaviour
    ));
}

fn usize_of(number: i64) -> usize {
    usize::try_from(number).unwrap_or_default()
}

fn overtime(overtime: &Overtime) -> String {
    let hours = match overtime.hours {
        Hours::Standard => "standard hours (标准工时)".to_owned(),
        Hours::Comprehensive => {
            let period = overtime.period.as_deref().unwrap_or_default().to_lowercase();
            format!("hours counted over a {period} (综合计算工时); the labour office must have approved it")
        }
        Hours::Irregular => "hours not counted (不定时工时); the labour office must have approved it".to_owned(),
    };
    let approval = if overtime.approval { "agreed to before" } else { "not asked for before" };
    let first = if overtime.time_off_first { ", rest days given back first" } else { "" };
    format!("{hours}, {approval}{first}")
}

/// Writes the files of a preset into a configuration folder. What is there is never overwritten.
pub(super) fn apply(name: &str, into: &Path) -> anyhow::Result<ExitCode> {
    let findings = Findings::new();
    let catalog = catalog();
    let presets = load_presets(&catalog, &findings);
    let preset = find(&presets, name)?;
    let place = format!("models/appraisal/{}.yaml", preset.appraisal.scheme);
    let shipped = catalog.file(&place).with_context(|| format!("the preset's scheme {place} does not ship"))?;
    let scheme = preset.weigh(&shipped.text).with_context(|| format!("{place} has no line of weights"))?;
    if !into.join("hub.yaml").is_file() {
        bail!("{} is no configuration folder: it has no hub.yaml; `hrhub init` makes one", into.display());
    }
    let files = [(format!("models/presets/{name}.yaml"), preset.source.text.to_string()), (place, scheme)];
    let there: Vec<String> =
        files.iter().map(|(file, _)| file.clone()).filter(|file| into.join(file).exists()).collect();
    if !there.is_empty() {
        bail!("{} is there already; move it away to begin anew", there.join(" and "));
    }
    for (file, text) in files {
        let path = into.join(&file);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        }
        fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
        say::out(path.display().to_string());
    }
    Ok(ExitCode::SUCCESS)
}
