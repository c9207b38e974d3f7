//! Presets of industries as the hub knows them: the shipped ones and those of the deployment.

use hub_appraisal::preset::{Flexible, Hours, Preset};
use hub_kit::Catalog;
use hub_tree::Findings;
use hub_tree::jiff::civil::Time;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Presets by their ids.
pub type Presets = BTreeMap<String, Preset>;

/// Reads the presets of a catalog. Problems go to `findings`; what has errors is left out.
#[must_use]
pub fn load_presets(catalog: &Catalog, findings: &Findings) -> Presets {
    let files = catalog.below("models/presets/").filter(|(place, _)| place.ends_with(".yaml"));
    let presets = files.filter_map(|(_, source)| Preset::compile(source, findings));
    presets.map(|preset| (preset.id.clone(), preset)).collect()
}

/// A time of day as people write it: `08:30`.
#[must_use]
pub fn clock(time: Time) -> String {
    format!("{:02}:{:02}", time.hour(), time.minute())
}

/// A preset as JSON, by the names that its file has.
#[must_use]
pub fn preset_json(preset: &Preset) -> Value {
    let shifts = preset.shifts.iter().map(|shift| {
        json!({
            "id": shift.id, "english": shift.english, "start": clock(shift.start), "end": clock(shift.end),
            "break_minutes": shift.break_minutes, "crosses_midnight": shift.crosses_midnight,
            "work_minutes": shift.work_minutes(),
        })
    });
    let hours = match preset.overtime.hours {
        Hours::Standard => "standard",
        Hours::Comprehensive => "comprehensive",
        Hours::Irregular => "irregular",
    };
    let mut shown = json!({
        "id": preset.id, "name": preset.name, "shifts": shifts.collect::<Vec<_>>(),
        "rest": { "days_per_week": preset.rest.days_per_week, "fixed": preset.rest.fixed },
        "overtime": {
            "hours": hours, "time_off_first": preset.overtime.time_off_first, "approval": preset.overtime.approval,
        },
        "appraisal": {
            "scheme": preset.appraisal.scheme,
            "weights": {
                "kpi": preset.appraisal.weights.kpi.to_string(),
                "behaviour": preset.appraisal.weights.behaviour.to_string(),
            },
        },
    });
    if let Some(Flexible { core, window }) = &preset.flexible {
        let span = |(from, until): &(Time, Time)| json!([clock(*from), clock(*until)]);
        shown["flexible"] = json!({ "core": span(core), "window": span(window) });
    }
    if let Some(period) = &preset.overtime.period {
        shown["overtime"]["period"] = json!(period);
    }
    shown
}
