//! Presets of industries: how people there usually work and are appraised, as a beginning that an enterprise changes.

use crate::scheme::Weights;
use hub_calc::Exact;
use hub_tree::jiff::civil::Time;
use hub_tree::value::parse_decimal;
use hub_tree::yaml::{self, Context, Fields, Kind, Node};
use hub_tree::{Findings, Source};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The longest shift, in minutes of work: half a day. Longer presence is duty, and no shift.
const LONGEST_SHIFT: i64 = 12 * 60;
const DAY: i64 = 24 * 60;

/// A preset.
#[derive(Debug)]
pub struct Preset {
    /// Its id, equal to its file's name.
    pub id: String,
    /// What people call the industry, by language.
    pub name: BTreeMap<String, String>,
    /// The shifts.
    pub shifts: Vec<ShiftTemplate>,
    /// Who begins and ends when they like; `None` where shifts are fixed.
    pub flexible: Option<Flexible>,
    /// When people rest.
    pub rest: Rest,
    /// How overtime is treated.
    pub overtime: Overtime,
    /// How people are appraised.
    pub appraisal: AppraisalDefaults,
    /// The file.
    pub source: Arc<Source>,
}

/// A shift.
#[derive(Debug)]
pub struct ShiftTemplate {
    /// Its id.
    pub id: String,
    /// Its name in English.
    pub english: String,
    /// When it begins.
    pub start: Time,
    /// When it ends; on the next day when `crosses_midnight`.
    pub end: Time,
    /// Breaks that are not work, in minutes.
    pub break_minutes: i64,
    /// Whether it ends on the day after it began.
    pub crosses_midnight: bool,
}

impl ShiftTemplate {
    /// Minutes of work: from begin to end, without breaks.
    #[must_use]
    pub fn work_minutes(&self) -> i64 {
        let minutes = |time: Time| i64::from(time.hour()) * 60 + i64::from(time.minute());
        let next_day = if self.crosses_midnight { DAY } else { 0 };
        minutes(self.end) + next_day - minutes(self.start) - self.break_minutes
    }
}

/// Flexible hours.
#[derive(Debug)]
pub struct Flexible {
    /// When everybody is there: from, until.
    pub core: (Time, Time),
    /// Within which work counts: from, until.
    pub window: (Time, Time),
}

/// When people rest.
#[derive(Debug)]
pub struct Rest {
    /// Days off in a week.
    pub days_per_week: i64,
    /// Which, `MON` to `SUN`; empty where they rotate.
    pub fixed: Vec<String>,
}

/// The systems of working time of China's labour law.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hours {
    /// 标准工时: each day and week is counted.
    Standard,
    /// 综合计算工时: hours are counted over a period; the labour office must approve it.
    Comprehensive,
    /// 不定时工时: hours are not counted; the labour office must approve it.
    Irregular,
}

/// How overtime is treated.
#[derive(Debug)]
pub struct Overtime {
    /// The system of working time.
    pub hours: Hours,
    /// Over which period comprehensive hours are counted.
    pub period: Option<String>,
    /// Whether rest days that were worked are given back before they are paid.
    pub time_off_first: bool,
    /// Whether overtime counts only when somebody has agreed to it before.
    pub approval: bool,
}

/// How people are appraised.
#[derive(Debug)]
pub struct AppraisalDefaults {
    /// The scheme.
    pub scheme: String,
    /// What its two parts weigh here.
    pub weights: Weights,
}

impl Preset {
    /// Reads and checks a preset. All problems go to `findings`, each with its place; `None` when one is an error.
    #[must_use]
    pub fn compile(source: &Arc<Source>, findings: &Findings) -> Option<Self> {
        let before = findings.error_count();
        let root = yaml::read(source, findings)?;
        let cx = Context::new(source, findings);
        let preset = read(&root, &cx);
        preset.filter(|_| findings.error_count() == before)
    }

    /// The text of a scheme with this preset's weights in place of its own; `None` when it has no line of weights.
    #[must_use]
    pub fn weigh(&self, scheme: &str) -> Option<String> {
        let Weights { kpi, behaviour } = &self.appraisal.weights;
        let own = scheme.lines().find(|line| line.starts_with("weights:"))?;
        Some(scheme.replacen(own, &format!("weights: {{ kpi: {kpi}, behaviour: {behaviour} }}"), 1))
    }
}

fn read(root: &Node, cx: &Context<'_>) -> Option<Preset> {
    let mut fields = root.fields(cx)?;
    let id = fields.required("preset").and_then(|node| {
        let file = cx.source.path.rsplit('/').next().unwrap_or_default().trim_end_matches(".yaml");
        let id = node.text(cx)?;
        if id != file {
            cx.error(node.span, format!("this file is `{file}.yaml`; `preset` says `{id}`"));
        }
        Some(id)
    });
    fields.version(1);
    let name = fields.required("name").map(|node| {
        let entries = node.entries(cx).iter();
        entries.filter_map(|(key, value)| Some((key.name.clone(), value.text(cx)?))).collect()
    });
    let mut shifts: Vec<ShiftTemplate> = Vec::new();
    for item in fields.required("shifts").map(|node| node.items(cx)).unwrap_or_default() {
        if let Some(shift) = shift(item, cx) {
            if shifts.iter().any(|known| known.id == shift.id) {
                cx.error(item.span, format!("the shift `{}` stands twice", shift.id));
            }
            shifts.push(shift);
        }
    }
    let flexible = fields.optional("flexible").and_then(|node| flexible(node, cx));
    if shifts.is_empty() {
        cx.error(fields.span, "at least one shift is needed");
    }
    let rest = fields.required("rest").and_then(|node| rest(node, cx));
    let overtime = fields.required("overtime").and_then(|node| overtime(node, cx));
    let appraisal = fields.required("appraisal").and_then(|node| appraisal(node, cx));
    fields.finish();
    let (rest, overtime, appraisal) = (rest?, overtime?, appraisal?);
    let source = Arc::clone(&cx.source);
    Some(Preset { id: id?, name: name.unwrap_or_default(), shifts, flexible, rest, overtime, appraisal, source })
}

/// A time such as `"08:30"`.
fn time(node: &Node, cx: &Context<'_>) -> Option<Time> {
    let text = node.scalar().unwrap_or_default();
    let parts = text.split_once(':').filter(|(hour, minute)| hour.len() == 2 && minute.len() == 2);
    let read = parts.and_then(|(hour, minute)| Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok());
    if read.is_none() {
        cx.error(node.span, "expected a time such as \"08:30\", from \"00:00\" to \"23:59\"");
    }
    read
}

fn shift(node: &Node, cx: &Context<'_>) -> Option<ShiftTemplate> {
    let mut fields = node.fields(cx)?;
    let (id, english) = (fields.required_text("id"), fields.text("english"));
    let start = fields.required("start").and_then(|node| time(node, cx));
    let end = fields.required("end").and_then(|node| time(node, cx));
    let break_minutes = fields.integer("break_minutes", 0, DAY).unwrap_or(0);
    let crosses_midnight = fields.bool("crosses_midnight").unwrap_or(false);
    fields.finish();
    let (id, start, end) = (id?, start?, end?);
    let english = english.unwrap_or_else(|| id.clone());
    if (end <= start) != crosses_midnight {
        let text = if crosses_midnight {
            "the shift ends after it began on the same day; it does not cross midnight"
        } else {
            "the shift ends before it began; one that ends on the next day says `crosses_midnight: true`"
        };
        cx.error(node.span, text);
        return None;
    }
    let shift = ShiftTemplate { id, english, start, end, break_minutes, crosses_midnight };
    let minutes = shift.work_minutes();
    if minutes <= 0 || minutes > LONGEST_SHIFT {
        cx.error(node.span, format!("`{}` is {minutes} minutes of work; 1 to {LONGEST_SHIFT} can be", shift.id));
    }
    Some(shift)
}

fn span_of_day(fields: &mut Fields<'_, '_>, key: &'static str, cx: &Context<'_>) -> Option<(Time, Time)> {
    let node = fields.required(key)?;
    let [from, until] = node.items(cx) else {
        cx.error(node.span, format!("`{key}` holds two times, from and until"));
        return None;
    };
    let (from, until) = (time(from, cx)?, time(until, cx)?);
    if from >= until {
        cx.error(node.span, format!("`{key}` ends before it began"));
    }
    Some((from, until))
}

fn flexible(node: &Node, cx: &Context<'_>) -> Option<Flexible> {
    let mut fields = node.fields(cx)?;
    let (core, window) = (span_of_day(&mut fields, "core", cx), span_of_day(&mut fields, "window", cx));
    fields.finish();
    let (core, window) = (core?, window?);
    if core.0 < window.0 || core.1 > window.1 {
        cx.error(node.span, "the `core` lies within the `window`");
    }
    Some(Flexible { core, window })
}

fn rest(node: &Node, cx: &Context<'_>) -> Option<Rest> {
    let mut fields = node.fields(cx)?;
    fields.required("days_per_week");
    let days_per_week = fields.integer("days_per_week", 1, 6);
    let fixed = fields.texts("fixed");
    fields.finish();
    let known = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"];
    for day in fixed.iter().filter(|day| !known.contains(&day.as_str())) {
        cx.unknown(node.span, "weekday", day, known);
    }
    let days_per_week = days_per_week?;
    if !fixed.is_empty() && i64::try_from(fixed.len()).ok() != Some(days_per_week) {
        cx.error(node.span, format!("{} days are fixed, and `days_per_week` is {days_per_week}", fixed.len()));
    }
    Some(Rest { days_per_week, fixed })
}

fn overtime(node: &Node, cx: &Context<'_>) -> Option<Overtime> {
    let mut fields = node.fields(cx)?;
    let systems =
        [("standard", Hours::Standard), ("comprehensive", Hours::Comprehensive), ("irregular", Hours::Irregular)];
    fields.required("hours");
    let hours = fields.word("hours", &systems);
    let periods = [("WEEK", "WEEK"), ("MONTH", "MONTH"), ("QUARTER", "QUARTER"), ("YEAR", "YEAR")];
    let period = fields.word("period", &periods).map(str::to_owned);
    let time_off_first = fields.bool("time_off_first").unwrap_or(false);
    let approval = fields.bool("approval").unwrap_or(true);
    fields.finish();
    let hours = hours?;
    if (hours == Hours::Comprehensive) != period.is_some() {
        cx.error(node.span, "comprehensive hours, and no others, are counted over a `period`");
    }
    Some(Overtime { hours, period, time_off_first, approval })
}

fn appraisal(node: &Node, cx: &Context<'_>) -> Option<AppraisalDefaults> {
    let mut fields = node.fields(cx)?;
    let scheme = fields.required_text("scheme");
    let weights = fields.required("weights").and_then(|node| {
        let mut fields = node.fields(cx)?;
        let mut weight = |key: &'static str| {
            let node = fields.required(key)?;
            let number = match &node.kind {
                Kind::Number(text) => parse_decimal(text).map(Exact::from).filter(|number| !number.is_negative()),
                _ => None,
            };
            if number.is_none() {
                node.expected("a number that is not negative", cx);
            }
            number
        };
        let (kpi, behaviour) = (weight("kpi"), weight("behaviour"));
        fields.finish();
        let weights = Weights { kpi: kpi?, behaviour: behaviour? };
        let sum = &weights.kpi + &weights.behaviour;
        if sum != Exact::hundred() {
            cx.error(node.span, format!("the weights sum to {sum}, not to 100"));
        }
        Some(weights)
    });
    fields.finish();
    Some(AppraisalDefaults { scheme: scheme?, weights: weights? })
}

#[cfg(test)]
mod tests;
