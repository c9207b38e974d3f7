//! Rows become payloads: sealed, with the work that maps them, in one transaction with the mark of the table.

use crate::hub::Hub;
use crate::intake::MAP;
use crate::journey::{Steps, Went};
use hub_kit::RawEnvelope;
use hub_kit::manifest::Table;
use hub_kit::tables::TableRow;
use hub_store::{NewRaw, NewStaged, NewWork, Staged, StagedTable, StoreError, job};
use hub_tree::{Arena, Limits, TraceContext, Value, json};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;

/// What stands before the name of the table in the dedupe id of its rows.
pub(super) const PREFIX: &str = "table:";
/// How long a store that is away is waited for; then the rows stay taken there, and come back when they are stale.
const TRIES: u32 = 40;
const BETWEEN: Duration = Duration::from_millis(500);

/// A row that can be kept.
#[derive(Clone)]
struct Ready {
    staged: NewStaged,
    raw: NewRaw,
    work: NewWork,
    steps: Steps,
}

/// Keeps rows; how many of them were news.
pub(super) async fn keep(
    hub: &Arc<Hub>,
    table: &Table,
    staged: &StagedTable,
    rows: Vec<TableRow>,
    by: &str,
    marks: Option<String>,
) -> Result<usize, StoreError> {
    let base = hub.clock.micros();
    let mut ready = Vec::with_capacity(rows.len());
    for (row, at) in rows.into_iter().zip(base..) {
        // Each is a little younger than the one before it: of two about one record the later one counts.
        ready.push(prepare(hub, table, staged, row, by, at)?);
    }
    let mut tries = 0;
    loop {
        let (of, ready, marks) = (staged.clone(), ready.clone(), marks.clone());
        let written = hub.store.write(job!(|tx| {
            let (mut raws, mut work, mut steps) = (Vec::new(), Vec::new(), Vec::new());
            for one in ready {
                match tx.stage(&of, one.staged).await? {
                    Staged::Known => {}
                    Staged::News(former) => {
                        if let Some(former) = former {
                            tx.supersede_raw(&of.tenant, &former, base).await?;
                        }
                        raws.push(one.raw);
                        work.push(one.work);
                        steps.extend(one.steps.into_vec());
                    }
                }
            }
            let news = raws.len();
            tx.insert_raws(raws).await?;
            tx.insert_work(work).await?;
            tx.add_steps(steps).await?;
            if let Some(marks) = marks {
                tx.keep_staged_marks(&of, marks, base).await?;
            }
            Ok(news)
        }));
        match written.await {
            Err(error) if error.is_temporary() && tries < TRIES && !hub.stops() => {
                tries += 1;
                tokio::time::sleep(BETWEEN).await;
            }
            other => return other,
        }
    }
}

fn prepare(
    hub: &Hub,
    table: &Table,
    staged: &StagedTable,
    row: TableRow,
    by: &str,
    at: i64,
) -> Result<Ready, StoreError> {
    let (tenant, keyring) = (staged.tenant.as_str(), hub.store.keyring());
    let context = TraceContext::begin();
    let id = hub.ids.next().to_string();
    let key_text = write_key(&row.key);
    let field = format!("staged/{}/{}", staged.connection, staged.name);
    let key = keyring.match_key(tenant, &field, &key_text)?;
    let record = keyring.match_key(tenant, &field, &write_key(&row.record))?;
    let body = row.payload.into_bytes();
    let (size, sha256) = (body.len(), hex::encode(Sha256::digest(&body)));
    let envelope = RawEnvelope { received_at: at, headers: Vec::new(), body };
    let mut steps = Steps::of(&context, tenant);
    let subject = format!("raw/{id}");
    let mut step = |step, detail: String| {
        steps.add(&hub.ids, at, (step, Went::Ok), &staged.connection, &subject, detail);
    };
    step("receive", format!("a row of `{}`, {size} bytes", staged.name));
    if !row.suspicious.is_empty() {
        let columns = row.suspicious.join("`, `");
        let detail = format!("letters may be lost in `{columns}`: there is `?` where the character set has no room");
        tracing::warn!(connection.id = %staged.connection, table = %staged.name, columns, "letters may be lost");
        step("finding", detail);
    }
    Ok(Ready {
        staged: NewStaged {
            sealed: keyring.seal(tenant, &format!("staged:{key}"), key_text.as_bytes())?,
            key,
            hash: row.hash,
            children: row.children_hash,
            raw: id.clone(),
            claim: by.to_owned(),
            tells: table.status().is_some(),
            at,
        },
        raw: NewRaw {
            id: id.clone(),
            tenant: tenant.to_owned(),
            connection: staged.connection.clone(),
            dedupe_id: format!("{PREFIX}{}:{id}", staged.name),
            parent: None,
            received_at: at,
            trace: context.to_string(),
            sha256,
            body: keyring.seal(tenant, &format!("raw:{id}"), &envelope.encode())?,
        },
        work: NewWork {
            consumer: MAP.to_owned(),
            message: id,
            tenant: tenant.to_owned(),
            connection: staged.connection.clone(),
            order_key: format!("{}/{}/{record}", staged.connection, staged.name),
            trace: context.to_string(),
            body: size.to_string(),
            received_at: at,
        },
        steps,
    })
}

/// The values of a key as one text.
fn write_key(values: &[String]) -> String {
    let arena = Arena::new();
    let values: Vec<Value<'_>> = values.iter().map(|value| Value::Text(arena.text(value))).collect();
    json::to_string(&arena.list(&values))
}

/// The values of a key that [`write_key`] wrote.
pub(super) fn read_key(text: &[u8]) -> Vec<String> {
    let arena = Arena::new();
    let value = json::read(&arena, text, Limits::default()).unwrap_or_default();
    value.items().iter().filter_map(|value| value.as_text().map(str::to_owned)).collect()
}
