//! `schedules/<name>.yaml` and `calendars/<name>.yaml`: read, and checked against the connections.

use super::calendar::Calendar;
use super::cron::Cron;
use super::plan::{NoTime, Only, Plan, When};
use crate::registry::{Registry, Sources};
use hub_expr::{Located, Scope, Type};
use hub_tree::duration;
use hub_tree::jiff::tz::TimeZone;
use hub_tree::jiff::{SignedDuration, Timestamp};
use hub_tree::yaml::{self, Context, Fields, Node};
use hub_tree::{Findings, Source, Span};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A call that is made again and again.
#[derive(Debug)]
pub struct Schedule {
    /// Its name.
    pub name: String,
    /// When it is made.
    pub plan: Plan,
    /// The name of the zone that times are shown in.
    pub zone: String,
    /// When it is made, in the words of its file.
    pub words: String,
    /// The tenant of its connection.
    pub tenant: String,
    /// Connection.
    pub connection: String,
    /// Operation.
    pub operation: String,
    pub(crate) misfire: Misfire,
    pub(crate) with: Vec<(String, Located)>,
    /// Changes when the planned times may change.
    pub(crate) fingerprint: String,
    pub(crate) source: Arc<Source>,
    /// Where the calendar is named.
    calendar_at: Span,
}

/// What becomes of a time that passed while no hub ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Misfire {
    /// It is made up for, once for all that passed.
    Fire,
    Skip,
}

/// The schedules and the calendars of a configuration.
pub(crate) fn load(sources: &Sources<'_>, registry: &Registry, findings: &Findings) -> BTreeMap<String, Arc<Schedule>> {
    let mut calendars = BTreeMap::new();
    let mut known = Vec::new();
    for (place, source) in sources.catalog.below("calendars/") {
        let Some(name) = name_of(place, "calendars/") else { continue };
        known.push(name);
        if let Some(calendar) = Calendar::compile(name, source, findings) {
            calendars.insert(name.to_owned(), Arc::new(calendar));
        }
    }
    let mut schedules = BTreeMap::new();
    for (place, source) in sources.catalog.below("schedules/") {
        let Some(name) = name_of(place, "schedules/") else { continue };
        let reading = Reading { calendars: &calendars, known: &known, registry };
        if let Some(schedule) = reading.schedule(name, source, findings) {
            schedules.insert(name.to_owned(), Arc::new(schedule));
        }
    }
    schedules
}

fn name_of<'p>(place: &'p str, folder: &str) -> Option<&'p str> {
    place.strip_prefix(folder)?.strip_suffix(".yaml").filter(|name| !name.contains('/'))
}

/// The key that repeats the file's name.
pub(super) fn named(fields: &mut Fields<'_, '_>, key: &'static str, name: &str, cx: &Context<'_>) {
    if let Some(node) = fields.required(key)
        && let Some(text) = node.text(cx)
        && text != name
    {
        cx.error(node.span, format!("this file is `{name}.yaml`; `{key}` says `{text}`"));
    }
}

struct Reading<'r> {
    calendars: &'r BTreeMap<String, Arc<Calendar>>,
    /// The names of all calendars, broken ones too.
    known: &'r [&'r str],
    registry: &'r Registry,
}

/// What the expressions of a schedule read.
fn scope() -> Scope {
    let schedule = Type::record(
        "schedule",
        [("name", Type::Text), ("planned_at", Type::DateTime), ("previous_at", Type::DateTime), ("day", Type::Date)],
    );
    Scope::new([("schedule", schedule)])
}

impl Reading<'_> {
    fn schedule(&self, name: &str, source: &Arc<Source>, findings: &Findings) -> Option<Schedule> {
        let before = findings.error_count();
        let root = yaml::read(source, findings)?;
        let cx = Context::new(source, findings);
        let mut fields = root.fields(&cx)?;
        fields.version(1);
        named(&mut fields, "schedule", name, &cx);
        fields.text("doc");
        let (when, words) = when(&mut fields, &cx).unzip();
        let zone = fields.text("zone");
        let zone_node = fields.optional("zone");
        let only = [("all", Only::All), ("workdays", Only::Workdays), ("holidays", Only::Holidays)];
        let only = fields.word("only", &only).unwrap_or(Only::All);
        let calendar_node = fields.optional("calendar");
        let calendar = calendar_node.and_then(|node| self.calendar(node, &cx));
        let misfire = [("fire", Misfire::Fire), ("skip", Misfire::Skip)];
        let misfire = fields.word("misfire", &misfire).unwrap_or(Misfire::Fire);
        if only != Only::All && calendar_node.is_none() {
            let help = hub_tree::finding::suggest("", self.known.iter().copied());
            let help = help.unwrap_or_else(|| "write calendars/<name>.yaml".to_owned());
            cx.error_with(fields.span, "`only` needs a `calendar`", Some(help));
        }
        if let (Only::All, Some(node)) = (only, calendar_node) {
            let help = Some("add `only: workdays` or `only: holidays`".to_owned());
            cx.warning(node.span, "the calendar changes nothing", help);
        }
        if zone.is_none() && (matches!(when, Some(When::Cron(_))) || only != Only::All) {
            let help = "an IANA name, such as `zone: Asia/Shanghai`".to_owned();
            cx.error_with(fields.span, "`zone` is missing: clocks differ", Some(help));
        }
        let zone = zone.unwrap_or_else(|| "UTC".to_owned());
        let time_zone = TimeZone::get(&zone).ok();
        if let (None, Some(node)) = (&time_zone, zone_node) {
            let help = Some("an IANA name, such as Asia/Shanghai or Europe/Berlin".to_owned());
            cx.error_with(node.span, format!("`{zone}` is no time zone"), help);
        }
        let target = self.target(&mut fields, &cx);
        let with = fields.optional("with").map(|node| {
            let scope = scope();
            let entries = node.entries(&cx).iter();
            entries.filter_map(|(key, node)| Some((key.name.clone(), Located::compile(node, &scope, &cx)?))).collect()
        });
        fields.finish();
        let words = words.unwrap_or_default();
        let plan = Plan { when: when?, zone: time_zone?, only, calendar: calendar.flatten() };
        if findings.error_count() != before {
            return None;
        }
        let (connection, operation, tenant) = target?;
        Some(Schedule {
            name: name.to_owned(),
            fingerprint: fingerprint(&plan, &words, &zone),
            plan,
            zone,
            words,
            tenant,
            connection,
            operation,
            misfire,
            with: with.unwrap_or_default(),
            source: Arc::clone(source),
            calendar_at: calendar_node.map(|node| node.span).unwrap_or_default(),
        })
    }

    /// The calendar that is named; `None` inside when that one is broken, which its own findings say.
    fn calendar(&self, node: &Node, cx: &Context<'_>) -> Option<Option<Arc<Calendar>>> {
        let name = node.text(cx)?;
        if let Some(calendar) = self.calendars.get(&name) {
            return Some(Some(Arc::clone(calendar)));
        }
        if self.known.contains(&name.as_str()) {
            cx.error(node.span, format!("the calendar `{name}` has errors"));
        } else {
            cx.unknown(node.span, "calendar", &name, self.known.iter().copied());
        }
        None
    }

    /// The connection, the operation and the tenant.
    fn target(&self, fields: &mut Fields<'_, '_>, cx: &Context<'_>) -> Option<(String, String, String)> {
        let connections = &self.registry.connections;
        let (node, operation_node) = (fields.required("connection"), fields.required("operation"));
        let (id, operation) = (fields.text("connection"), fields.text("operation"));
        let tenant_node = fields.optional("tenant");
        let tenant = fields.text("tenant");
        let (id, operation) = (id?, operation?);
        let Some(connection) = connections.get(&id) else {
            cx.unknown(node?.span, "connection", &id, connections.keys().map(String::as_str).collect::<Vec<_>>());
            return None;
        };
        let manifest = &connection.manifest;
        if manifest.operation(&operation).is_none() {
            let known: Vec<&str> = manifest.operations.iter().map(|operation| operation.name.as_str()).collect();
            cx.unknown(operation_node?.span, &format!("operation of {}", manifest.vendor), &operation, known);
            return None;
        }
        if let (Some(tenant), Some(node)) = (tenant, tenant_node)
            && tenant != connection.tenant
        {
            cx.error(node.span, format!("the connection `{id}` belongs to the tenant `{}`", connection.tenant));
        }
        Some((id, operation, connection.tenant.clone()))
    }
}

/// `cron` or `every`, and its words.
fn when(fields: &mut Fields<'_, '_>, cx: &Context<'_>) -> Option<(When, String)> {
    match (fields.optional("cron"), fields.optional("every")) {
        (Some(node), None) => {
            let text = node.text(cx)?;
            match Cron::parse(&text) {
                Ok(cron) => {
                    if cron.takes_either_day() {
                        let message = "a day of the month and a day of the week: either will do, not only both";
                        cx.warning(node.span, message, Some("make one of them `*`".to_owned()));
                    }
                    Some((When::Cron(cron), text))
                }
                Err(error) => {
                    let span = node.locate(&cx.source, error.start, error.len);
                    cx.error_with(span, error.message, error.suggestion);
                    None
                }
            }
        }
        (None, Some(node)) => {
            let seconds = duration::read(node, cx)? / 1_000_000;
            if !(1..=86_400).contains(&seconds) {
                let help = "a cron line says which days".to_owned();
                cx.error_with(node.span, "`every` is 1s to 24h", Some(help));
                return None;
            }
            Some((When::Every(seconds), format!("every {}", node.scalar().unwrap_or_default())))
        }
        (Some(_), Some(node)) => {
            cx.error(node.span, "a schedule has either `cron` or `every`");
            None
        }
        (None, None) => {
            let help = "such as `cron: \"0 9 * * mon-fri\"` or `every: 15m`".to_owned();
            cx.error_with(fields.span, "`cron` or `every` is missing", Some(help));
            None
        }
    }
}

fn fingerprint(plan: &Plan, words: &str, zone: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(format!("{words}\n{zone}\n{:?}\n", plan.only));
    if let Some(calendar) = &plan.calendar {
        hash.update(&calendar.source.text);
    }
    hex::encode(&hash.finalize()[..8])
}

/// How long before a calendar ends somebody is told, days.
const TOLD_BEFORE: i64 = 45;

/// Reports schedules that will not know their next time for long, or do not know it now.
pub fn check_outlook(registry: &Registry, now: Timestamp, findings: &Findings) {
    for schedule in registry.schedules.values() {
        let soon = now.checked_add(SignedDuration::from_hours(24 * TOLD_BEFORE)).unwrap_or(now);
        match (schedule.plan.next(now), schedule.plan.next(soon)) {
            (Err(error @ NoTime::CalendarEnds { .. }), _) => {
                findings.error(&schedule.source, schedule.calendar_at, error.to_string(), None);
            }
            (Err(error @ NoTime::Never), _) => {
                findings.error(&schedule.source, Span::default(), error.to_string(), None);
            }
            (Ok(_), Err(error @ NoTime::CalendarEnds { .. })) => {
                findings.warning(&schedule.source, schedule.calendar_at, error.to_string(), None);
            }
            (Ok(_), _) => {}
        }
    }
}
