//! Step 2b: a payload becomes records and events, in one transaction with the mark that it was done.

use crate::effects::Failure;
use crate::fault;
use crate::hub::Hub;
use crate::journey::{Steps, Went};
use crate::payload::Received;
use crate::poll::{self, Origin};
use crate::records::{self, SourceOf, Target, Write};
use crate::replay;
use crate::staging::{map_row, table_of};
use hub_engine::{Direction, Input, Level, Mapping, Record};
use hub_kit::{Connection, FollowCall, RawEnvelope};
use hub_store::{Claimed, MappingText, Raw, RemoteId, job};
use hub_telemetry::{context_of, within};
use hub_tree::{Arena, Limits, TraceContext, Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use tracing::Instrument;

/// A vendor's time that lies further ahead of the receipt than this orders nothing: a day.
const FAR_AHEAD_MICROS: i64 = 86_400_000_000;

/// What a payload says.
#[derive(Clone)]
pub(crate) struct Mapped {
    event: String,
    pub(crate) mapping: Option<MappingText>,
    pub(crate) writes: Vec<Write>,
    /// Findings that do not stop the records: how many.
    pub(crate) warnings: usize,
    /// The first error: then the good records are kept, and the payload is parked.
    pub(crate) error: Option<Failure>,
    /// What the payload leaves out and a call brings.
    pub(crate) fetch: Vec<FollowCall>,
}

impl Mapped {
    /// Of an event that is not mapped.
    fn nothing(event: &str) -> Self {
        let event = event.to_owned();
        Self { event, mapping: None, writes: Vec::new(), warnings: 0, error: None, fetch: Vec::new() }
    }

    /// The vendor's ids that it names, by entity.
    pub(crate) fn named(&self) -> Vec<(String, String)> {
        let named = self.writes.iter().filter_map(|write| match &write.target {
            Target::Remote { key: Some(key), .. } | Target::Renamed { key, .. } => {
                Some((write.entity.name.to_owned(), key.clone()))
            }
            _ => None,
        });
        let named: BTreeSet<_> = named.collect();
        named.into_iter().collect()
    }

    /// What there is to tell of fields that could not be read; `None` when all could.
    pub(crate) fn left_out(warnings: usize) -> Option<String> {
        let fields = if warnings == 1 { "field" } else { "fields" };
        (warnings > 0).then(|| format!("{warnings} {fields} left out or kept raw"))
    }
}

/// Payloads that are mapped at once, in bytes of their bodies: a tree in memory is several times as large.
const ROOM_BYTES: u32 = 16 << 20;
/// What room is counted in, bytes.
pub(crate) const UNIT: u32 = 1 << 10;
/// All the room there is.
pub(crate) const ROOM: u32 = ROOM_BYTES / UNIT;

/// Maps one payload. `Err` parks it or tries again; the loop marks it as done otherwise.
pub(crate) async fn handle(hub: &Arc<Hub>, work: &Claimed) -> Result<(), Failure> {
    let (tenant, id) = (work.new.tenant.clone(), replay::original(&work.new.message).to_owned());
    // Small ones pass by; large ones wait for each other. The largest gets all the room there is.
    let room = work.new.body.parse::<u32>().unwrap_or(0) / UNIT + 1;
    let _room = hub.mapping.acquire_many(room.min(ROOM)).await;
    let raw = hub.store.read(job!(|tx| { tx.raw(&tenant, &id).await })).await?;
    let raw = raw.ok_or_else(|| Failure::park("RAW_MISSING", "the payload is not in the store"))?;
    let connection = hub.connection(&raw.new.connection).ok_or_else(|| {
        Failure::park("CONNECTION_MISSING", format!("there is no connection `{}` any more", raw.new.connection))
    })?;
    let context: TraceContext = raw.new.trace.parse().unwrap_or_else(|_| TraceContext::begin());
    let span = within(&context, tracing::info_span!("map", connection.id = %connection.id, raw.id = %raw.new.id));
    let context = context_of(&span, &context);
    let mapped = match replay::call_behind(hub, &raw).await? {
        Some(call) => span.in_scope(|| replay::map_answer(hub, &connection, &raw, &call))?,
        None => span.in_scope(|| match table_of(&connection, &raw) {
            Some(table) => map_row(hub, &connection, &raw, table),
            None => map(hub, &connection, &raw),
        })?,
    };
    if is_being_begun(hub, &connection, &mapped, raw.new.received_at).await? {
        return Err(Failure::Retry("the call that begins what this is about is not answered yet".to_owned()));
    }
    commit(hub, work, &connection, raw, mapped, context).instrument(span).await
}

/// What the hub itself begins in a system, beside what a `create_<entity>` makes there: that system may tell of it before it answers the call, and only the answer
/// says which record it is.
const BEGUN_HERE: [(&str, &str); 3] =
    [("approval", "start_approval"), ("calendar_event", "create_event"), ("message", "send_message")];

/// Clocks of an edge and of the store may differ by so much here; then a call that began a little later is waited for,
/// too, and no more than those, so that a connection which is always busy holds nothing up.
const CLOCKS_APART: i64 = 1_000_000;

async fn is_being_begun(
    hub: &Hub,
    connection: &Arc<Connection>,
    mapped: &Mapped,
    received_at: i64,
) -> Result<bool, Failure> {
    let begun = |entity: &str| {
        BEGUN_HERE
            .iter()
            .any(|(known, operation)| *known == entity && connection.manifest.operation(operation).is_some())
            || connection.manifest.operation(&format!("create_{entity}")).is_some()
    };
    let asked: Vec<RemoteId> = mapped
        .named()
        .into_iter()
        .filter(|(entity, _)| begun(entity))
        .map(|(entity, remote_id)| RemoteId { connection: connection.id.clone(), entity, remote_id })
        .collect();
    if asked.is_empty() {
        return Ok(false);
    }
    let (tenant, id) = (connection.tenant.clone(), connection.id.clone());
    let reading = hub.store.read(job!(|tx| {
        let known = tx.identities(&tenant, asked.clone()).await?;
        for new in asked.iter().filter(|asked| !known.contains_key(asked)) {
            if tx.is_asking(&id, &new.entity, received_at + CLOCKS_APART).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }));
    Ok(reading.await?)
}

fn map(hub: &Hub, connection: &Connection, raw: &Raw) -> Result<Mapped, Failure> {
    let opened = hub.open(&raw.new.tenant, &format!("raw:{}", raw.new.id), &raw.new.body.0);
    let opened = opened.map_err(|error| Failure::park("UNREADABLE_MESSAGE", error.to_string()))?;
    let envelope = RawEnvelope::decode(&opened)
        .ok_or_else(|| Failure::park("UNREADABLE_MESSAGE", "the payload is not in a form this program knows"))?;
    fault::reach("map", &envelope.body);
    let webhook = connection.manifest.webhook.as_ref();
    let no_webhook = || Failure::park("NO_WEBHOOK", "the connector describes no webhook any more");
    let webhook = webhook.ok_or_else(no_webhook)?;
    let place = |span| connection.manifest.place(span);
    let arena = Arena::new();
    let payload = webhook.read(&arena, &envelope.body).map_err(|(kind, error)| Failure::Park {
        code: "MALFORMED_BODY".to_owned(),
        reason: format!("the body is no {kind}: {error}; {} cannot read its event", place(webhook.event.span)),
        place: place(webhook.event.span),
    })?;
    let headers = envelope.headers_value(&arena);
    let received = Received::new(connection, &arena, payload, headers).ok_or_else(no_webhook)?;
    let event = received.event()?;
    let Some(rule) = received.rule(event) else { return Ok(Mapped::nothing(event)) };
    let mapping =
        received.mapping(rule, |object| hub.registry().mapping(connection, object, Direction::In).cloned())?;
    let fetch = received.fetch(rule).map_err(poll::no_calls)?;
    let Some(mapping) = mapping else { return Ok(Mapped { fetch, ..Mapped::nothing(event) }) };
    // A time that lies well ahead would win over every later word.
    let vendor_time = received.updated_at().filter(|at| *at <= raw.new.received_at + FAR_AHEAD_MICROS);
    let input = received.input(event);
    let source = SourceOf {
        connection: connection.id.clone(),
        system: connection.manifest.vendor.clone(),
        url: None,
        vendor_time,
        received_at: raw.new.received_at,
        raw: raw.new.id.clone(),
        raw_sha256: raw.new.sha256.clone(),
        mapping: mapping.id.clone(),
        mapping_version: mapping.version.clone(),
    };
    Ok(Mapped { fetch, ..run(&arena, &mapping, &input, &source) })
}

/// Runs an in mapping; also for the answers of calls.
pub(crate) fn run<'a>(arena: &'a Arena, mapping: &'a Arc<Mapping>, input: &Input<'a>, source: &SourceOf) -> Mapped {
    let outcome = mapping.run_in(arena, input);
    let error = outcome.first_error().map(|issue| Failure::Park {
        code: issue.code.to_uppercase(),
        reason: issue.to_string(),
        place: format!("{}:{}:{}", issue.file, issue.line, issue.column),
    });
    let warnings = outcome.issues.iter().filter(|issue| issue.level == Level::Warning).count();
    Mapped {
        event: input.event.to_owned(),
        mapping: Some(MappingText {
            version: mapping.version.clone(),
            id: mapping.id.clone(),
            path: mapping.source.path.clone(),
            text: mapping.text.clone(),
        }),
        writes: outcome.records.iter().map(|record| write_of(record, source)).collect(),
        warnings,
        error,
        fetch: Vec::new(),
    }
}

fn write_of(record: &Record<'_>, source: &SourceOf) -> Write {
    let target = match (record.key, record.formerly) {
        (Some(key), Some(formerly)) => Target::Renamed { key: key.to_owned(), formerly: formerly.to_owned() },
        (key, _) => Target::Remote { key: key.map(str::to_owned), hub_id: record.hub_id.map(str::to_owned) },
    };
    Write {
        entity: record.entity,
        target,
        fields: json::to_string(&record.fields),
        ext: (!record.ext.is_absent()).then(|| json::to_string(&record.ext)),
        deleted: record.deleted,
        rules: record.rules.iter().map(|(pointer, rule)| ((*pointer).to_owned(), (*rule).to_owned())).collect(),
        source: Some(SourceOf { url: record.url.map(str::to_owned), ..source.clone() }),
    }
}

async fn commit(
    hub: &Arc<Hub>,
    work: &Claimed,
    connection: &Arc<Connection>,
    raw: Raw,
    mapped: Mapped,
    context: TraceContext,
) -> Result<(), Failure> {
    let Mapped { event, mapping, writes, warnings, error, fetch } = mapped;
    let ignored = mapping.is_none() && fetch.is_empty();
    let about = format!("raw/{}", raw.new.id);
    let origin = Origin { connection: &connection.id, subject: &about, key: format!("fetch:{about}"), order_key: None };
    let fetch = poll::rows(hub, &raw.new.tenant, &context, &origin, fetch)?;
    let fetches = !fetch.is_empty();
    let listed = connection.manifest.webhook.iter().any(|webhook| webhook.ignore.contains(&event));
    let why = if listed { "the manifest ignores it" } else { "the manifest does not know this event" };
    let state = if ignored {
        "ignored"
    } else if error.is_some() {
        "parked"
    } else {
        "done"
    };
    let (inner, seq, tenant) = (Arc::clone(hub), work.seq, raw.new.tenant.clone());
    let (system, raw_id) = (connection.id.clone(), raw.new.id.clone());
    let parks = error.is_some();
    let by = mapping.as_ref().map(|mapping| mapping.path.clone()).unwrap_or_default();
    let began = hub.clock.micros();
    let used = mapping.as_ref().map(|mapping| mapping.version.clone());
    let mapping = mapping.filter(|new| !hub.kept_mappings.has(&new.version, began));
    let kept = mapping.as_ref().map(|mapping| mapping.version.clone());
    let committed = hub.store.write(job!(|tx| {
        let hub = inner;
        let now = hub.clock.micros();
        if let Some(mapping) = mapping {
            tx.keep_mapping(mapping, now).await?;
        }
        let mut steps = Steps::of(&context, &tenant);
        if ignored {
            let detail = format!("{event}: {why}");
            steps.add(&hub.ids, now, ("ignore", Went::Ok), &system, &format!("raw/{raw_id}"), detail);
        }
        let applied = match records::apply(&hub, tx, &tenant, &context, writes).await? {
            Ok(applied) => applied,
            Err(why) => return Ok(Err(why.parked(&by))),
        };
        let mut events = Vec::new();
        for record in applied {
            hub.metrics.record(record.entity.name, record.became.word());
            let subject = format!("{}/{}", record.entity.name, record.id);
            let detail =
                format!("{event}: {} {}, version {}", record.entity.name, record.became.word(), record.version);
            steps.add(&hub.ids, now, ("map", Went::Ok), &system, &subject, detail);
            events.extend(record.events);
        }
        if let Some(detail) = Mapped::left_out(warnings) {
            steps.add(&hub.ids, now, ("finding", Went::Ok), &system, &format!("raw/{raw_id}"), detail);
        }
        tx.insert_events(events).await?;
        for call in fetch {
            let operation = call.operation.clone();
            if tx.insert_call(call).await? {
                let detail = format!("{event}: what it leaves out is read by {operation}");
                steps.add(&hub.ids, now, ("fetch", Went::Ok), &system, &about, detail);
            }
        }
        tx.finish_raw(&raw_id, state, Some(event), used).await?;
        tx.add_steps(steps.into_vec()).await?;
        // Parking is the loop's business; it ends the work too.
        let held = parks || tx.finish_work(seq, &hub.node, "done").await?;
        if held { Ok(Ok(())) } else { Err(hub_store::StoreError::Broken) }
    }));
    committed.await??;
    if let Some(version) = kept {
        hub.kept_mappings.note(version, began);
    }
    hub.wake.events.notify_one();
    if fetches {
        hub.wake.calls.notify_one();
    }
    match error {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// What the answer of a call says about records.
pub(crate) fn map_reply(
    connection: &Connection,
    mapping: &Arc<Mapping>,
    operation: &str,
    (args, reply): (&[u8], &[u8]),
    source: &SourceOf,
) -> Mapped {
    fault::reach("reply", args);
    let arena = Arena::new();
    let read = |bytes| json::read(&arena, bytes, Limits::default()).unwrap_or_default();
    let input = Input {
        payload: read(reply),
        headers: Value::Absent,
        event: operation,
        connection: &connection.id,
        settings: Hub::public_settings(connection, &arena),
        request: read(args),
    };
    run(&arena, mapping, &input, source)
}
