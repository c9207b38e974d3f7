//! Good rows become records: a portion of them in one transaction, with the place that was reached.

use super::{About, Finding, RowBody, SOURCE, Shown, bind, mapping_of, open_row, own_step, row_as};
use crate::effects::Failure;
use crate::hub::Hub;
use crate::journey::{Steps, Went};
use crate::map_in::{self, Mapped};
use crate::records::{self, Became, NotApplied, SourceOf, Write};
use hub_engine::{Input, Mapping};
use hub_kit::RawEnvelope;
use hub_store::{
    Import, ImportChange, ImportRow, ImportRowFilter, ImportState, MappingText, NewRaw, RowEnd, Sealed, StoreError, Tx,
    Written, job,
};
use hub_tree::{Arena, Limits, TraceContext, json};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Rows of one transaction: others wait for the writer meanwhile.
const PORTION: i64 = 50;

/// How a row's payload is known: the import and the row.
fn dedupe_id(import: &str, number: i64) -> String {
    format!("{SOURCE}:{import}:{number}")
}

/// The import and the row that a payload was, by its dedupe id.
pub(crate) fn place_of(connection: &str, dedupe_id: &str) -> Option<(String, i64)> {
    let rest = dedupe_id.strip_prefix(SOURCE).filter(|_| connection == SOURCE)?.strip_prefix(':')?;
    let (import, number) = rest.rsplit_once(':')?;
    Some((import.to_owned(), number.parse().ok()?))
}

/// A row that is ready to be written, and one that turned out not to be.
struct Prepared {
    number: i64,
    trace: TraceContext,
    raw: NewRaw,
    body: RowBody,
    mapped: Result<Vec<Write>, String>,
}

/// What a row says.
pub(super) fn map_row(mapping: &Arc<Mapping>, target: &str, record: &str, source: &SourceOf) -> Mapped {
    let arena = Arena::new();
    let payload = json::read(&arena, record.as_bytes(), Limits::default()).unwrap_or_default();
    let input = Input { event: target, ..Input::of(payload, SOURCE) };
    map_in::run(&arena, mapping, &input, source)
}

/// Where the records of a row come from.
pub(super) fn source_of(hub: &Hub, import: &Import, mapping: &Mapping, now: i64) -> SourceOf {
    SourceOf {
        connection: SOURCE.to_owned(),
        system: SOURCE.to_owned(),
        url: Some(format!("{}/console/imports/{}", hub.public_url(), import.id)),
        vendor_time: None,
        received_at: now,
        raw: String::new(),
        raw_sha256: String::new(),
        mapping: mapping.id.clone(),
        mapping_version: mapping.version.clone(),
    }
}

/// Why a row cannot become records; `None` when it can.
pub(super) fn objection(mapped: &Mapped) -> Option<String> {
    match &mapped.error {
        Some(Failure::Park { reason, .. } | Failure::Retry(reason)) => Some(reason.clone()),
        None if mapped.writes.is_empty() => Some("the mapping makes no record of it".to_owned()),
        None => None,
    }
}

/// Applies the next rows of an import.
pub(super) async fn portion(hub: &Arc<Hub>, shown: Shown) -> Result<(), StoreError> {
    let Shown { import, about } = shown;
    let mapping = match mapping_of(hub, &import.target, &about) {
        Ok(mapping) => mapping,
        Err(why) => return give_up(hub, &import, why).await,
    };
    let filter = ImportRowFilter { state: "good".to_owned(), after: import.place, limit: PORTION };
    let wanted = import.id.clone();
    let rows = hub.store.read(job!(|tx| { tx.import_rows(&wanted, filter).await })).await?;
    if rows.is_empty() {
        return finish(hub, &import).await;
    }
    let now = hub.clock.micros();
    let source = source_of(hub, &import, &mapping, now);
    let prepared: Result<Vec<Prepared>, StoreError> =
        rows.iter().map(|row| prepare(hub, &import, &mapping, &source, row, now)).collect();
    let prepared = prepared?;
    let text = MappingText {
        version: mapping.version.clone(),
        id: mapping.id.clone(),
        path: mapping.source.path.clone(),
        text: mapping.text.clone(),
    };
    let inner = Arc::clone(hub);
    let keeping = hub.store.write(job!(|tx| { keep(&inner, tx, import, &about, text, prepared).await }));
    keeping.await?;
    hub.wake.events.notify_one();
    Ok(())
}

fn prepare(
    hub: &Hub,
    import: &Import,
    mapping: &Arc<Mapping>,
    source: &SourceOf,
    row: &ImportRow,
    now: i64,
) -> Result<Prepared, StoreError> {
    let body = open_row(hub, import, row)?;
    let record = body.record.clone().unwrap_or_default();
    let (trace, id) = (TraceContext::begin(), hub.ids.next().to_string());
    let sha256 = hex::encode(Sha256::digest(record.as_bytes()));
    let source = SourceOf { raw: id.clone(), raw_sha256: sha256.clone(), ..source.clone() };
    let mapping = Arc::clone(mapping);
    let (target, text) = (import.target.clone(), record.clone());
    let map = move || map_row(&mapping, &target, &text, &source);
    // If that ever panics, it costs this row only.
    let mapped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(map));
    let mapped = mapped.map_err(|_| "reading it broke off: this is a defect".to_owned());
    let mapped = mapped.and_then(|mapped| objection(&mapped).map_or(Ok(mapped.writes), Err));
    let envelope = RawEnvelope { received_at: now, headers: Vec::new(), body: record.into_bytes() };
    let raw = NewRaw {
        id: id.clone(),
        tenant: import.into.clone(),
        connection: SOURCE.to_owned(),
        dedupe_id: dedupe_id(&import.id, row.number),
        parent: None,
        received_at: now,
        trace: trace.to_string(),
        sha256,
        body: hub.store.keyring().seal(&import.into, &format!("raw:{id}"), &envelope.encode())?,
    };
    Ok(Prepared { number: row.number, trace, raw, body, mapped })
}

/// Writes rows, in the transaction that also moves their import on.
async fn keep(
    hub: &Arc<Hub>,
    tx: &mut Tx,
    import: Import,
    about: &About,
    mapping: MappingText,
    mut rows: Vec<Prepared>,
) -> Result<(), StoreError> {
    // Another worker may have done them; somebody may have rolled the trial back.
    let Some(import) = tx.lock_import(&import.id, ImportState::Applying, import.place).await? else { return Ok(()) };
    let now = hub.clock.micros();
    let version = mapping.version.clone();
    tx.keep_mapping(mapping, now).await?;
    let writes = rows.iter_mut().filter_map(|row| row.mapped.as_mut().ok()).collect();
    bind::bind(hub, tx, &import.into, writes).await?;
    let mut counts = import.counts;
    let (mut ends, mut written, mut events, mut steps) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let place = rows.last().map_or(import.place, |row| row.number);
    let mut broken = None;
    for row in rows {
        let Prepared { number, trace, raw, body, mapped } = row;
        let applied = match mapped {
            Ok(writes) => records::apply(hub, tx, &import.into, &trace, writes).await?.map_err(|why| match why {
                NotApplied::UnknownHubId { entity } => {
                    format!("the row means a {entity} that another one means already")
                }
                broken => broken.reason(),
            }),
            Err(why) => Err(why),
        };
        let applied = match applied {
            Ok(applied) => applied,
            Err(why) if about.all_or_nothing => {
                // What was written of it so far is noted below, and undone.
                broken = Some(format!("row {number}: {why}"));
                break;
            }
            Err(why) => {
                counts.failed += 1;
                counts.good -= 1;
                ends.push(failed(hub, &import, number, body, &why)?);
                continue;
            }
        };
        let raw_id = raw.id.clone();
        tx.insert_raws(vec![raw]).await?;
        tx.finish_raw(&raw_id, "done", Some(import.target.clone()), Some(version.clone())).await?;
        let mut told = Steps::of(&trace, &import.into);
        let detail = format!("row {number} of import {}", import.id);
        told.add(&hub.ids, now, ("receive", Went::Ok), SOURCE, &format!("raw/{raw_id}"), detail);
        for record in applied {
            let before = record.version - 1;
            match record.became {
                Became::Created => counts.created += 1,
                Became::Updated => counts.updated += 1,
                Became::Unchanged | Became::Outdated => {
                    counts.unchanged += 1;
                    continue;
                }
            }
            hub.metrics.record(record.entity.name, record.became.word());
            let subject = format!("{}/{}", record.entity.name, record.id);
            let detail = format!("{} {}, version {}", record.entity.name, record.became.word(), record.version);
            told.add(&hub.ids, now, ("map", Went::Ok), SOURCE, &subject, detail);
            let (entity, id, state) = (record.entity.name.to_owned(), record.id, String::new());
            written.push(Written { entity, id, number, before, after: record.version, state });
            events.extend(record.events);
        }
        counts.done += 1;
        steps.extend(told.into_vec());
        ends.push(RowEnd { number, state: "applied", trace: trace.id(), body: None });
    }
    // A trial tells nobody.
    if !import.is_trial() {
        tx.insert_events(events).await?;
        tx.add_steps(steps).await?;
    }
    tx.note_written(&import.id, written).await?;
    tx.end_import_rows(&import.id, ends).await?;
    tx.move_import(&import.id, counts, place, hub.store_now()).await?;
    match broken {
        Some(why) => turn_back(tx, &import, why, now).await,
        None => Ok(()),
    }
}

fn failed(hub: &Hub, import: &Import, number: i64, mut body: RowBody, why: &str) -> Result<RowEnd, StoreError> {
    body.findings.push(Finding {
        code: "NOT_APPLIED".to_owned(),
        error: true,
        en: why.to_owned(),
        zh: format!("无法写入：{why}"),
        ..Finding::default()
    });
    let sealed = seal_row(hub, import, number, &body)?;
    Ok(RowEnd { number, state: "failed", trace: String::new(), body: Some(sealed) })
}

pub(super) fn seal_row(hub: &Hub, import: &Import, number: i64, body: &RowBody) -> Result<Sealed, StoreError> {
    let text = serde_json::to_vec(body).map_err(|_| StoreError::Sealed("a row of an import cannot be written"))?;
    hub.store.keyring().seal(&import.tenant, &row_as(&import.id, number), &text)
}

/// Begins to undo what was applied of an import that was to be applied whole.
async fn turn_back(tx: &mut Tx, import: &Import, why: String, now: i64) -> Result<(), StoreError> {
    let change = ImportChange { error: why, ..ImportChange::default() };
    let from = [ImportState::Applying];
    tx.turn_import((&import.tenant, &import.id), &from, ImportState::Undoing, change, now).await.map(drop)
}

/// Undoes what was applied of an import that cannot go on.
pub(super) async fn give_up(hub: &Arc<Hub>, import: &Import, why: String) -> Result<(), StoreError> {
    let (import, now) = (import.clone(), hub.clock.micros());
    hub.store.write(job!(|tx| { turn_back(tx, &import, why, now).await })).await
}

async fn finish(hub: &Arc<Hub>, import: &Import) -> Result<(), StoreError> {
    let (import, now) = (import.clone(), hub.clock.micros());
    let step = own_step(hub, if import.is_trial() { "tried" } else { "applied" }, "");
    let turning = hub.store.write(job!(|tx| {
        if tx.lock_import(&import.id, ImportState::Applying, import.place).await?.is_none() {
            return Ok(());
        }
        let of = (import.tenant.as_str(), import.id.as_str());
        let from = [ImportState::Applying];
        tx.turn_import(of, &from, ImportState::Applied, ImportChange::default(), now).await?;
        tx.note_import(&import.id, step).await
    }));
    turning.await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_tells_its_import_and_row() {
        let id = "0198f0aa-0000-7000-8000-000000000001";
        assert_eq!(place_of(SOURCE, &dedupe_id(id, 17)), Some((id.to_owned(), 17)));
        assert_eq!(place_of("greenhouse", &dedupe_id(id, 17)), None, "a vendor may send ids of this form");
        assert_eq!(place_of(SOURCE, "sha256:aa:1"), None);
    }
}
