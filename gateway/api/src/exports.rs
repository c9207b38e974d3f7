//! `GET /v1/<collection>:export`: a collection as NDJSON, CSV, XLSX or Parquet, written as it is read; fields that the
//! key may not read are left out.

mod columns;
mod lines;

use crate::Api;
use crate::problem::Problem;
use crate::query::parameters;
use crate::records::{View, entity_of, filter_of, seen};
use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use columns::{Column, Said, cells, columns_of};
use futures::stream;
use hub_files::{Datum, TableWriter, WriteColumn, WriteFormat, WriteOptions};
use hub_flow::access::Principal;
use hub_flow::audit::Entry;
use hub_flow::restricted;
use hub_model::{Class, EntityType};
use hub_store::{Page, RecordFilter, job};
use hub_tree::Arena;
use std::io::{self, Write};
use tokio::sync::mpsc;

/// Records that are read at once.
const PAGE: i64 = 500;
/// Pages that wait for the writer, and pieces that wait for the reader: who is slow holds the others up.
const PAGES: usize = 2;
const PIECES: usize = 8;
/// Bytes of a piece.
const PIECE: usize = 64 << 10;

/// What a row says in each column.
type Cells = Vec<Said>;

/// A collection as a file.
pub(crate) async fn export(
    api: &Api,
    who: Principal,
    collection: &str,
    query: Option<&str>,
) -> Result<Response, Problem> {
    let entity = entity_of(collection)?;
    let allowed = who.reads(entity.name)?;
    let action = if allowed == Class::S3 { "restricted.exported" } else { "records.exported" };
    let told = Entry::by(&who, action).about("collection", entity.collection).purpose(restricted::purpose().as_deref());
    api.hub.audit(told).await?;
    let mut given = parameters(query);
    let word = given.take("format").unwrap_or_else(|| "csv".to_owned());
    if word == "ndjson" {
        let view = View::take(entity, allowed, &mut given)?;
        let (filter, names) = filter_of(api, &who, entity, allowed, &mut given)?;
        given.finish(&names.into_iter().chain(View::NAMES).chain(["format"]).collect::<Vec<_>>())?;
        return lines::export(api, who, entity, view, filter).await;
    }
    let format = WriteFormat::named(&word);
    let detail = "`format` is ndjson, csv, xlsx or parquet";
    let format = format.ok_or_else(|| Problem::bad_parameter("format", detail, None))?;
    let columns = columns_of(entity, allowed, given.take("fields").as_deref())?;
    let (filter, names) = filter_of(api, &who, entity, allowed, &mut given)?;
    given.finish(&names.into_iter().chain(["format", "fields"]).collect::<Vec<_>>())?;
    let (rows_in, rows_out) = mpsc::channel(PAGES);
    let (pieces_in, mut pieces_out) = mpsc::channel::<io::Result<Bytes>>(PIECES);
    let reading = read(api.clone(), who.tenant, entity, filter, allowed, columns.clone(), rows_in);
    tokio::spawn(reading);
    // What ends before its time must not look whole: the connection breaks off.
    tokio::task::spawn_blocking(move || {
        let out = Pieces { to: pieces_in.clone(), held: Vec::with_capacity(PIECE) };
        if let Err(error) = write(format, entity.collection, &columns, rows_out, out) {
            let _ = pieces_in.blocking_send(Err(error));
        }
    });
    // The first piece tells whether there is anything to answer with.
    let first = pieces_out.recv().await.unwrap_or_else(|| Ok(Bytes::new()));
    let first = first.map_err(|_| Problem::unavailable("the store is not available now"))?;
    let rest = stream::unfold(pieces_out, |mut pieces| async move { Some((pieces.recv().await?, pieces)) });
    let body = Body::from_stream(stream::StreamExt::chain(stream::iter([Ok::<_, io::Error>(first)]), rest));
    let name = format!("attachment; filename=\"{}.{word}\"", entity.collection);
    let head = [(header::CONTENT_TYPE, format.content_type().to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((head, body).into_response())
}

/// Reads records page by page, as the key may see them.
async fn read(
    api: Api,
    tenant: String,
    entity: &'static EntityType,
    filter: RecordFilter,
    allowed: Class,
    columns: Vec<Column>,
    rows: mpsc::Sender<io::Result<Vec<Cells>>>,
) {
    let mut after = String::new();
    loop {
        let (owner, filter, page) = (tenant.clone(), filter.clone(), Page { after: after.clone(), limit: PAGE });
        let found = api.hub.store.read(job!(|tx| { tx.records(&owner, entity.name, filter, page).await })).await;
        let read = found.and_then(|found| {
            let mut page = Vec::with_capacity(found.len());
            for row in &found {
                let arena = Arena::new();
                page.push(cells(&columns, seen(&api, entity, row, None, &arena, allowed)?));
            }
            Ok((found.last().map(|row| row.id.clone()), page))
        });
        match read {
            Ok((None, _)) => return,
            Ok((Some(last), page)) => {
                after = last;
                if rows.send(Ok(page)).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                tracing::warn!(error = %error, "an export breaks off");
                let _ = rows.send(Err(io::Error::other("the store does not answer"))).await;
                return;
            }
        }
    }
}

/// Writes rows into a file that is sent while it is written.
fn write(
    format: WriteFormat,
    sheet: &str,
    columns: &[Column],
    mut rows: mpsc::Receiver<io::Result<Vec<Cells>>>,
    out: Pieces,
) -> io::Result<()> {
    let options = WriteOptions { sheet: sheet.to_owned(), ..WriteOptions::default() };
    let named = columns.iter().map(|column| WriteColumn { name: column.name.clone(), kind: column.kind });
    let mut table = TableWriter::new(out, format, named.collect(), &options)?;
    while let Some(page) = rows.blocking_recv() {
        for row in page? {
            let data: Vec<Datum<'_>> = row.iter().map(Said::as_datum).collect();
            table.row(&data)?;
        }
    }
    table.finish()?.flush()
}

/// Sends what is written in pieces.
struct Pieces {
    to: mpsc::Sender<io::Result<Bytes>>,
    held: Vec<u8>,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.held.extend_from_slice(bytes);
        if self.held.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.held.is_empty() {
            return Ok(());
        }
        let piece = Bytes::from(std::mem::replace(&mut self.held, Vec::with_capacity(PIECE)));
        self.to.blocking_send(Ok(piece)).map_err(|_| io::Error::other("nobody reads any more"))
    }
}
