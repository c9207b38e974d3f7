use super::*;
use crate::scheme::Scheme;
use std::fs;
use std::path::PathBuf;

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../models").join(name)
}

fn compile(id: &str, text: &str) -> (Option<Preset>, Vec<String>) {
    let findings = Findings::new();
    let preset = Preset::compile(&Source::new(format!("models/presets/{id}.yaml"), text), &findings);
    (preset, findings.into_sorted().iter().map(ToString::to_string).collect())
}

#[test]
fn every_shipped_preset_is_sound_and_its_scheme_holds_with_its_weights() {
    let mut count = 0;
    for entry in fs::read_dir(folder("presets")).unwrap() {
        let path = entry.unwrap().path();
        let id = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let (preset, said) = compile(&id, &fs::read_to_string(&path).unwrap());
        let preset = preset.unwrap_or_else(|| panic!("{id}: {said:?}"));
        assert!(["zh-CN", "en"].iter().all(|language| preset.name.contains_key(*language)), "{id}");
        let file = format!("{}.yaml", preset.appraisal.scheme);
        let scheme = fs::read_to_string(folder("appraisal").join(&file)).unwrap_or_else(|_| panic!("{id}: {file}"));
        let findings = Findings::new();
        let weighed = preset.weigh(&scheme).unwrap();
        let scheme = Scheme::compile(&Source::new(file, weighed), &findings);
        let scheme = scheme.unwrap_or_else(|| panic!("{id}: {:?}", findings.into_sorted()));
        assert_eq!(scheme.weights, preset.appraisal.weights, "{id}");
        count += 1;
    }
    assert!(count >= 20, "{count} presets");
}

const SHOP: &str = "preset: shop
version: 1
name: { zh-CN: 店, en: Shop }
shifts:
  - { id: 早班, start: \"08:00\", end: \"16:00\", break_minutes: 60 }
  - { id: 夜班, start: \"22:00\", end: \"06:30\", break_minutes: 30, crosses_midnight: true }
flexible: { core: [\"10:00\", \"16:00\"], window: [\"08:00\", \"20:00\"] }
rest: { days_per_week: 2, fixed: [SAT, SUN] }
overtime: { hours: comprehensive, period: MONTH }
appraisal: { scheme: sales-monthly, weights: { kpi: 70, behaviour: 30 } }
";

#[test]
fn minutes_of_work_leave_breaks_out_also_over_midnight() {
    let (preset, said) = compile("shop", SHOP);
    let preset = preset.unwrap_or_else(|| panic!("{said:?}"));
    let minutes: Vec<i64> = preset.shifts.iter().map(ShiftTemplate::work_minutes).collect();
    assert_eq!(minutes, [420, 480]);
}

#[test]
fn what_cannot_be_is_told_with_its_place() {
    for (part, other, wanted) in [
        (", crosses_midnight: true", "", "shop.yaml:6:"),
        ("end: \"16:00\"", "end: \"16:00\", crosses_midnight: true", "does not cross midnight"),
        ("\"16:00\", break_minutes: 60", "\"21:00\", break_minutes: 30", "750 minutes of work"),
        ("end: \"16:00\"", "end: \"24:00\"", "expected a time"),
        ("core: [\"10:00\"", "core: [\"07:00\"", "within the `window`"),
        ("fixed: [SAT, SUN]", "fixed: [SAT]", "1 days are fixed"),
        ("fixed: [SAT, SUN]", "fixed: [SAT, SUNN]", "did you mean `SUN`"),
        (", period: MONTH", "", "counted over a `period`"),
        ("kpi: 70", "kpi: 71", "101, not to 100"),
        ("rest:", "rests:", "did you mean `rest`"),
    ] {
        assert!(SHOP.contains(part), "{part}");
        let (preset, said) = compile("shop", &SHOP.replacen(part, other, 1));
        assert!(preset.is_none() && said.join("\n").contains(wanted), "{other}: {said:?}");
    }
}
