//! Every row of a file gets its findings: those of its cells, and whether the mapping can make records of it.

use super::apply::{map_row, objection, seal_row, source_of};
use super::bind::known_by;
use super::{Finding, RowBody, Shown, aside, file, mapping_of, own_step, sheet};
use crate::hub::Hub;
use crate::imports::Refused;
use crate::records::sealed_as;
use hub_store::{Import, ImportChange, ImportCounts, ImportState, NewImportRow, Page, RecordFilter, StoreError, job};
use hub_tree::jiff::tz::{TimeZone, offset};
use hub_tree::{Arena, Limits, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How long a worker may take; another begins anew then, and what is written is the same.
const LEASE_MICROS: i64 = 600_000_000;
/// How long to leave an import to the worker that is at it.
const LOOK_AGAIN: i64 = 2_000_000;
/// Rows that one transaction keeps.
const ROWS: usize = 500;
/// Records that are read at once.
const PAGE: i64 = 500;

/// Checks the rows of an import; `false` when another worker is at it.
pub(super) async fn check(hub: &Arc<Hub>, shown: Shown) -> Result<bool, StoreError> {
    let (name, node, now) = (format!("import:{}", shown.import.id), hub.node.clone(), hub.store_now());
    let (id, later) = (shown.import.id.clone(), now + LOOK_AGAIN);
    let ours = hub.store.write(job!(|tx| {
        let ours = tx.lease(&name, &node, now, now + LEASE_MICROS).await?;
        if !ours {
            tx.delay_import(&id, later).await?;
        }
        Ok(ours)
    }));
    if !ours.await? {
        return Ok(false);
    }
    let import = shown.import.clone();
    match look(hub, shown).await {
        Ok((rows, counts)) => keep(hub, &import, rows, counts).await?,
        Err(Refused::Store(error)) => return Err(error),
        Err(other) => {
            let why = match other {
                Refused::File(problem) => problem.to_string(),
                Refused::Asked(_, why) | Refused::State(why) => why,
                Refused::Unknown | Refused::SecondPerson | Refused::Store(_) => "it is gone".to_owned(),
            };
            fail(hub, &import, why).await?;
        }
    }
    Ok(true)
}

async fn fail(hub: &Arc<Hub>, import: &Import, why: String) -> Result<(), StoreError> {
    let (import, now) = (import.clone(), hub.clock.micros());
    let step = own_step(hub, "failed", why.clone());
    let failing = hub.store.write(job!(|tx| {
        let of = (import.tenant.as_str(), import.id.as_str());
        let change = ImportChange { error: why, ..ImportChange::default() };
        if tx.turn_import(of, &[ImportState::Checking], ImportState::Failed, change, now).await?.is_some() {
            tx.note_import(&import.id, step).await?;
        }
        Ok(())
    }));
    failing.await
}

/// A row with what was found, ready to be kept.
struct Looked {
    number: i64,
    state: &'static str,
    warned: bool,
    body: RowBody,
}

async fn look(hub: &Arc<Hub>, shown: Shown) -> Result<(Vec<NewImportRow>, ImportCounts), Refused> {
    let Shown { import, about } = shown;
    let bytes = file(hub, &import.tenant, &import.id).await?;
    let known = known(hub, &import.tenant, &import.target).await?;
    let mapping = mapping_of(hub, &import.target, &about).map_err(|why| Refused::Asked("mapping", why))?;
    let now = hub.clock.micros();
    // People fill sheets in on both sides of the date line; a day that has begun nowhere is in the future.
    let today = hub.clock.now().to_zoned(TimeZone::fixed(offset(14))).date();
    let inner = Arc::clone(hub);
    aside(move || {
        let hub = inner;
        let source = source_of(&hub, &import, &mapping, now);
        let mut counts = ImportCounts::default();
        let checked = sheet::check(&bytes, &import.target, &about, &known, today)?;
        let mut rows = Vec::with_capacity(checked.len());
        for sheet::Checked { number, ignored, body } in checked {
            let mut row = Looked { number: number.into(), state: "good", warned: false, body };
            if ignored {
                row.state = "ignored";
                counts.ignored += 1;
            } else {
                counts.total += 1;
                let errors = row.body.findings.iter().any(|finding| finding.error);
                let record = row.body.record.clone().filter(|_| !errors);
                if let Some(why) =
                    record.and_then(|record| objection(&map_row(&mapping, &import.target, &record, &source)))
                {
                    row.body.findings.push(unmapped(&why));
                }
                row.warned = row.body.findings.iter().any(|finding| !finding.error);
                if row.body.findings.iter().any(|finding| finding.error) || row.body.record.is_none() {
                    row.state = "bad";
                    row.warned = false;
                    row.body.record = None;
                    counts.bad += 1;
                } else {
                    counts.good += 1;
                    counts.warned += i64::from(row.warned);
                }
            }
            let Looked { number, state, warned, body } = row;
            rows.push(NewImportRow { number, state, warned, body: seal_row(&hub, &import, number, &body)? });
        }
        Ok((rows, counts))
    })
    .await
}

fn unmapped(why: &str) -> Finding {
    Finding {
        code: "NOT_MAPPED".to_owned(),
        error: true,
        en: format!("the mapping cannot make a record of the row: {why}"),
        zh: format!("映射无法处理此行：{why}"),
        ..Finding::default()
    }
}

async fn keep(
    hub: &Arc<Hub>,
    import: &Import,
    rows: Vec<NewImportRow>,
    counts: ImportCounts,
) -> Result<(), StoreError> {
    let id = import.id.clone();
    hub.store.write(job!(|tx| { tx.clear_import_rows(&id).await })).await?;
    let mut left = rows.into_iter();
    loop {
        let part: Vec<NewImportRow> = left.by_ref().take(ROWS).collect();
        if part.is_empty() {
            break;
        }
        let id = import.id.clone();
        hub.store.write(job!(|tx| { tx.insert_import_rows(&id, part).await })).await?;
    }
    let (import, now) = (import.clone(), hub.clock.micros());
    let turning = hub.store.write(job!(|tx| {
        let of = (import.tenant.as_str(), import.id.as_str());
        // Somebody may have said something else about the columns meanwhile: then it is checked anew.
        let stands = tx.import(of.0, of.1).await?;
        if stands.is_some_and(|stands| stands.changed_at == import.changed_at) {
            let change = ImportChange { counts: Some(counts), ..ImportChange::default() };
            tx.turn_import(of, &[ImportState::Checking], ImportState::Checked, change, now).await?;
        }
        Ok(())
    }));
    turning.await
}

/// What rows are compared with: what the tenant has.
#[derive(Default)]
pub(super) struct Known {
    /// Numbers of employees.
    pub(super) employees: BTreeMap<String, Vec<String>>,
    /// Numbers or codes of what the rows are.
    pub(super) codes: BTreeMap<String, Vec<String>>,
    /// Departments.
    pub(super) departments: Vec<Named>,
    /// Positions.
    pub(super) positions: Vec<Named>,
}

/// A record that people call by a name or a code.
#[derive(Clone, Debug, Default)]
pub(super) struct Named {
    /// Its hub id.
    pub(super) id: String,
    /// Its code.
    pub(super) code: String,
    /// Its name, in every language.
    pub(super) names: Vec<String>,
    /// The hub id of the one above it.
    pub(super) parent: String,
}

async fn known(hub: &Arc<Hub>, tenant: &str, target: &str) -> Result<Known, StoreError> {
    let (owner, of) = (tenant.to_owned(), target.to_owned());
    let values = hub.store.read(job!(|tx| {
        let employees = tx.index_values((&owner, "employee", "employee_number")).await?;
        let codes = match known_by(&of) {
            Some(field) => tx.index_values((&owner, &of, field)).await?,
            None => BTreeMap::new(),
        };
        Ok((employees, codes))
    }));
    let (employees, codes) = values.await?;
    Ok(Known {
        employees,
        codes,
        departments: named(hub, tenant, "department", "name").await?,
        positions: named(hub, tenant, "position", "title").await?,
    })
}

async fn named(hub: &Arc<Hub>, tenant: &str, entity: &'static str, name: &str) -> Result<Vec<Named>, StoreError> {
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let (owner, page) = (tenant.to_owned(), Page { after: after.clone(), limit: PAGE });
        let found = hub.store.read(job!(|tx| { tx.records(&owner, entity, RecordFilter::default(), page).await }));
        let found = found.await?;
        let Some(last) = found.last() else { return Ok(all) };
        after.clone_from(&last.id);
        for row in found {
            let opened = hub.open(tenant, &sealed_as(entity, &row.id), &row.body.0)?;
            let arena = Arena::new();
            let document = json::read(&arena, &opened, Limits::default()).unwrap_or_default();
            let text = |value: Value<'_>| value.as_text().map(str::to_owned);
            let names = match document.get(name) {
                Value::Map(map) => map.entries().iter().filter_map(|(_, value)| text(*value)).collect(),
                value => text(value).into_iter().collect(),
            };
            all.push(Named {
                id: row.id,
                code: text(document.get("code")).unwrap_or_default(),
                names,
                parent: text(document.get("parent").get("id")).unwrap_or_default(),
            });
        }
    }
}
