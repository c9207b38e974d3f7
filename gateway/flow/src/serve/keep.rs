//! A push becomes payloads: the good rows in portions, in one transaction with the name of the batch.

use super::judge::{Judged, Rejected, without_rows};
use super::{Asked, OPERATION_HEADER, ServeFault, read};
use crate::hub::Hub;
use crate::intake::MAP;
use crate::journey::{Steps, Went};
use hub_kit::serves::{Push, Served};
use hub_kit::{Connection, RawEnvelope, Types};
use hub_store::{NewRaw, NewWork, Push as Batch, Pushed, job};
use hub_telemetry::{context_of, within};
use hub_tree::{Arena, Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use tracing::Instrument;

/// Rows of one payload: mapped in one transaction, parked as one.
const PORTION: usize = 100;

impl Hub {
    /// Takes a push; gives what there is to tell of it, as JSON text.
    pub(super) async fn push(
        &self,
        connection: &Connection,
        served: &Served,
        push: &Push,
        asked: &Asked,
    ) -> Result<String, ServeFault> {
        let mut judged = self.judge(connection, served, push, asked)?;
        self.look_up(connection, push, &mut judged).await?;
        let span = within(&asked.trace, tracing::info_span!("receive", connection.id = %connection.id));
        let context = context_of(&span, &asked.trace);
        let received_at = asked.request.now.as_microsecond();
        let mark = hex::encode(
            &Sha256::digest(format!("{}\0{}\0{}", connection.id, judged.source, judged.batch).as_bytes())[..16],
        );
        let payloads = format!("push:{mark}");
        let mut steps = Steps::of(&context, &connection.tenant);
        let (mut raws, mut work) = (Vec::new(), Vec::new());
        for (number, portion) in portions(&asked.payload, push, &judged).into_iter().enumerate() {
            let id = self.ids.next().to_string();
            let rows = portion.rows;
            let headers = vec![(OPERATION_HEADER.to_owned(), served.name.clone())];
            let envelope = RawEnvelope { received_at, headers, body: portion.body };
            let body = self.store.keyring().seal(&connection.tenant, &format!("raw:{id}"), &envelope.encode())?;
            let detail = format!("{rows} rows of a push, verified and kept");
            steps.add(&self.ids, received_at, ("receive", Went::Ok), &connection.id, &format!("raw/{id}"), detail);
            work.push(NewWork {
                consumer: MAP.to_owned(),
                message: id.clone(),
                tenant: connection.tenant.clone(),
                connection: connection.id.clone(),
                order_key: connection.id.clone(),
                trace: context.to_string(),
                body: envelope.body.len().to_string(),
                received_at,
            });
            raws.push(NewRaw {
                id,
                tenant: connection.tenant.clone(),
                connection: connection.id.clone(),
                dedupe_id: format!("{payloads}:{number:06}"),
                parent: None,
                received_at,
                trace: context.to_string(),
                sha256: hex::encode(Sha256::digest(&envelope.body)),
                body,
            });
        }
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let accepted = judged.rows.saturating_sub(judged.rejected.len());
        let told = told(&judged.batch, accepted, &judged.rejected);
        let row = Batch {
            tenant: connection.tenant.clone(),
            connection: connection.id.clone(),
            source: judged.source,
            batch: judged.batch,
            sha256: judged.sha256.clone(),
            payloads: payloads.clone(),
            received_at,
            trace: context.to_string(),
            accepted: count(accepted),
            rejected: count(judged.rejected.len()),
            answer: self.store.keyring().seal(&connection.tenant, &payloads, told.as_bytes())?,
        };
        let steps = steps.into_vec();
        let writing = self.store.write(job!(|tx| { tx.push(row, raws, work, steps).await }));
        let told = match writing.instrument(span).await? {
            Pushed::New => {
                self.metrics.hook(&connection.id, "accepted");
                self.wake.work.notify_one();
                return Ok(with_duplicate(&told, false));
            }
            Pushed::Known(known) if known.sha256 == judged.sha256 => {
                self.open(&connection.tenant, &payloads, &known.answer.0)?
            }
            Pushed::Known(_) => {
                self.metrics.hook(&connection.id, "conflict");
                let message = "a batch of this name came before with other content; give the new one a name of its own";
                return Err(ServeFault::caller("BATCH_CONFLICT", message));
            }
        };
        self.metrics.hook(&connection.id, "duplicate");
        Ok(with_duplicate(&String::from_utf8_lossy(&told), true))
    }
}

/// Good rows that are mapped together.
struct Portion {
    rows: usize,
    body: Vec<u8>,
}

fn portions(payload: &[u8], push: &Push, judged: &Judged) -> Vec<Portion> {
    let arena = Arena::new();
    let payload = read(&arena, payload);
    let bad: BTreeSet<usize> = judged.rejected.iter().map(|rejected| rejected.index).collect();
    let rows = Types::rows(&payload.get(&push.rows));
    let good: Vec<Value<'_>> =
        rows.into_iter().enumerate().filter(|(index, _)| !bad.contains(index)).map(|(_, row)| row).collect();
    good.chunks(PORTION)
        .map(|rows| {
            let one = Arena::new();
            let copied: Vec<Value<'_>> = rows.iter().map(|row| row.copy_into(&one)).collect();
            let tree = without_rows(&one, &payload, &push.rows, one.list(&copied));
            Portion { rows: rows.len(), body: json::to_string(&tree).into_bytes() }
        })
        .collect()
}

/// What there is to tell of a push: the same for every copy of it.
fn told(batch: &str, accepted: usize, rejected: &[Rejected]) -> String {
    let arena = Arena::new();
    let number = |number: usize| Value::Decimal(number.into());
    let rejected: Vec<Value<'_>> = rejected
        .iter()
        .map(|row| {
            arena.map(&[
                ("index", number(row.index)),
                ("name", Value::Text(&row.name)),
                ("code", Value::Text(&row.code)),
                ("message", Value::Text(&row.message)),
            ])
        })
        .collect();
    let tree = arena.map(&[
        ("batch", Value::Text(batch)),
        ("accepted", number(accepted)),
        ("rejected", arena.list(&rejected)),
    ]);
    json::to_string(&tree)
}

fn with_duplicate(told: &str, duplicate: bool) -> String {
    let arena = Arena::new();
    let tree = read(&arena, told.as_bytes());
    let mut entries = tree.entries().to_vec();
    entries.push(("duplicate", Value::Bool(duplicate)));
    json::to_string(&arena.map(&entries))
}
