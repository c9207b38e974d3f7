//! Imports: spreadsheets and CSV files that people bring become records, all good rows of a file or none.
//!
//! [`begin`] takes a file in and says what its columns seem to mean; [`check`] has every row looked at; [`apply`] turns
//! good rows into payloads of a source called [`SOURCE`], which are mapped like those of any vendor; [`undo`] brings back
//! what was there before. Checking, applying and undoing are done by workers, a portion at a time, each portion one
//! transaction together with the place that was reached: a process that dies leaves each row applied once or not at all.
//!
//! An import may be tried on a tenant of its own first ([`trial_of`]): its records are there to be compared
//! ([`compare`]), and nobody is told of them.

pub mod about;
mod apply;
mod bind;
mod checking;
pub mod compare;
mod deeds;
mod mapping;
mod restore;
mod run;
pub mod sheet;
mod undo;

pub use about::{About, Column, Finding, RowBody};
pub(crate) use apply::place_of;
pub use deeds::{apply, approve, discard, undo};
pub(crate) use run::run;

use mapping::{mapping_of, mapping_text};

use crate::access::Principal;
use crate::audit::Entry;
use crate::hub::Hub;
use crate::restricted;
use hub_files::FileProblem;
use hub_model::Class;
use hub_store::{
    Import, ImportChange, ImportCounts, ImportRow, ImportRowFilter, ImportState, ImportStep, NewAudit, NewImport,
    StoreError, job,
};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// The connection that imported rows come from, in `sources[]` of records.
pub const SOURCE: &str = "import";

/// What is configured about imports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Whether a second person has to agree before an import is applied.
    pub review: bool,
    /// Largest file.
    pub max_bytes: usize,
}

impl Default for Rules {
    fn default() -> Self {
        Self { review: false, max_bytes: 20 << 20 }
    }
}

/// Why something is not done with an import.
#[derive(Debug)]
pub enum Refused {
    /// There is no such import.
    Unknown,
    /// The file cannot be used.
    File(Box<FileProblem>),
    /// What was asked for makes no sense: the name of the part, and why.
    Asked(&'static str, String),
    /// The import does not stand so that this could be done.
    State(String),
    /// A second person has to agree, and this is the first.
    SecondPerson,
    /// The store fails.
    Store(StoreError),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<FileProblem> for Refused {
    fn from(problem: FileProblem) -> Self {
        Self::File(Box::new(problem))
    }
}

/// A file that somebody brings.
pub struct Brought {
    /// Its name, as the person sees it.
    pub file_name: String,
    /// The file.
    pub bytes: Vec<u8>,
    /// What its rows are, such as `employee`.
    pub target: String,
    /// The name of a mapping of [`SOURCE`] that reads the rows by their headings.
    pub mapping: String,
    /// The text of a mapping file of its own, in place of a name.
    pub mapping_text: Option<String>,
    /// What was said about how.
    pub wanted: Wanted,
    /// Whether somebody looks at the columns before rows are checked.
    pub hold: bool,
}

/// How an import is to be read and applied; what is left out stays as it is.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// The sheet.
    pub sheet: Option<String>,
    /// The row of the headings, from 1.
    pub header_row: Option<u32>,
    /// What columns mean: letters or heading, and the field; an empty field leaves a column out.
    pub columns: Vec<(String, String)>,
    /// Whether rows may change records that are there.
    pub upsert: Option<bool>,
    /// Whether a bad row keeps all others back.
    pub all_or_nothing: Option<bool>,
}

/// What the name of a tenant on which imports are tried ends with.
const TRIAL: &str = "-trial";

/// The tenant on which a tenant's imports are tried.
#[must_use]
pub fn trial_of(tenant: &str) -> String {
    format!("{tenant}{TRIAL}")
}

/// Whether a tenant is one that imports are tried on: no vendor is connected for it.
pub(crate) fn is_trial(tenant: &str) -> bool {
    tenant.ends_with(TRIAL)
}

/// An opened import: what the store holds, and what is known of the file.
#[derive(Clone, Debug)]
pub struct Shown {
    /// What the store holds.
    pub import: Import,
    /// What is known of the file.
    pub about: About,
}

pub(crate) fn sealed_as(id: &str) -> String {
    format!("import:{id}")
}

pub(crate) fn about_as(id: &str) -> String {
    format!("import:{id}:about")
}

pub(crate) fn row_as(id: &str, number: i64) -> String {
    format!("import:{id}:{number}")
}

/// Opens what is known of an import.
///
/// # Errors
/// It cannot be opened.
pub fn open(hub: &Hub, import: Import) -> Result<Shown, StoreError> {
    let opened = hub.open(&import.tenant, &about_as(&import.id), &import.about.0)?;
    let about = serde_json::from_slice(&opened).map_err(|_| StoreError::Sealed("an import is no JSON"))?;
    Ok(Shown { import, about })
}

/// One import.
///
/// # Errors
/// There is none, or the store fails.
pub async fn find(hub: &Hub, tenant: &str, id: &str) -> Result<Shown, Refused> {
    let (owner, wanted) = (tenant.to_owned(), id.to_owned());
    let found = hub.store.read(job!(|tx| { tx.import(&owner, &wanted).await })).await?;
    Ok(open(hub, found.ok_or(Refused::Unknown)?)?)
}

/// The import whose rows the records of a tenant come from, which may be a trial.
pub(crate) async fn of_row(hub: &Hub, tenant: &str, id: &str) -> Result<Option<Shown>, StoreError> {
    let owner = tenant.strip_suffix(TRIAL).unwrap_or(tenant).to_owned();
    let (own, wanted) = (tenant.to_owned(), id.to_owned());
    let found = hub.store.read(job!(|tx| {
        match tx.import(&own, &wanted).await? {
            Some(found) => Ok(Some(found)),
            None => tx.import(&owner, &wanted).await,
        }
    }));
    found.await?.filter(|import| import.into == tenant).map(|import| open(hub, import)).transpose()
}

/// What the audit log says of it.
fn told(hub: &Hub, who: &Principal, word: &str, id: &str) -> Result<NewAudit, StoreError> {
    Entry::by(who, format!("import.{word}")).about("import", id).sealed_now(&hub.store, &hub.clock)
}

/// A step of somebody's.
fn step_of(hub: &Hub, who: &Principal, step: &str, note: &str) -> ImportStep {
    ImportStep {
        at: hub.clock.micros(),
        step: step.to_owned(),
        by: who.name.clone(),
        handle: who.handle.clone(),
        note: note.to_owned(),
    }
}

/// A step of the hub's own.
fn own_step(hub: &Hub, step: &str, note: impl Into<String>) -> ImportStep {
    let text = String::new;
    ImportStep { at: hub.clock.micros(), step: step.to_owned(), by: text(), handle: text(), note: note.into() }
}

/// Takes a file in. What cannot be read at all is refused at once; what can is kept, and its rows are checked by a
/// worker, unless somebody wants to look at the columns first.
///
/// # Errors
/// Why not.
pub async fn begin(hub: &Arc<Hub>, who: &Principal, brought: Brought) -> Result<Shown, Refused> {
    if sheet::target(&brought.target).is_none() {
        return Err(Refused::Asked("as", format!("there is no target `{}`: {}", brought.target, sheet::targets())));
    }
    let mapping = mapping_text(hub, &brought)?;
    let tenant = who.tenant.clone();
    hub.store.keyring().ensure(&hub.store, &hub.clock, &tenant).await?;
    let (owner, target) = (tenant.clone(), brought.target.clone());
    let kept = hub.store.read(job!(|tx| { tx.import_columns(&owner, &target).await })).await?;
    let Brought { file_name, bytes, target, mapping: name, wanted, hold, .. } = brought;
    let sha256 = hex::encode(Sha256::digest(&bytes));
    let length = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
    let asked = About {
        file_name,
        upsert: wanted.upsert.unwrap_or(true),
        all_or_nothing: wanted.all_or_nothing.unwrap_or(false),
        mapping: name,
        mapping_text: mapping,
        ..About::default()
    };
    let of = target.clone();
    let (bytes, about) = aside(move || {
        let about = sheet::propose(&bytes, &of, asked, &wanted, &kept)?;
        Ok((bytes, about))
    })
    .await?;
    let id = hub.ids.next().to_string();
    let now = hub.clock.micros();
    let state = if hold { ImportState::Uploaded } else { ImportState::Checking };
    let new = NewImport {
        id: id.clone(),
        tenant: tenant.clone(),
        target,
        state,
        uploaded_at: now,
        bytes: length,
        sha256,
        about: seal_about(hub, &tenant, &id, &about)?,
        body: hub.store.keyring().seal(&tenant, &sealed_as(&id), &bytes)?,
    };
    let step = step_of(hub, who, "uploaded", "");
    let told = told(hub, who, "uploaded", &id)?;
    let taken = hub.store.write(job!(|tx| {
        tx.append_audit(told).await?;
        tx.insert_import(new, step).await
    }));
    taken.await?;
    hub.wake.imports.notify_one();
    find(hub, &tenant, &id).await
}

fn seal_about(hub: &Hub, tenant: &str, id: &str, about: &About) -> Result<hub_store::Sealed, StoreError> {
    let text = serde_json::to_vec(about).map_err(|_| StoreError::Sealed("an import cannot be written"))?;
    hub.store.keyring().seal(tenant, &about_as(id), &text)
}

/// Does what takes long on a thread of its own.
pub(crate) async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refused> + Send + 'static,
) -> Result<T, Refused> {
    let broken = || Refused::State("reading the file broke off: this is a defect".to_owned());
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(broken()))
}

/// Has the rows of an import checked, anew if they were, after somebody has said what its columns mean.
///
/// # Errors
/// Why not.
pub async fn check(hub: &Arc<Hub>, who: &Principal, id: &str, wanted: Wanted) -> Result<Shown, Refused> {
    let Shown { import, about } = find(hub, &who.tenant, id).await?;
    let tenant = who.tenant.clone();
    let file = file(hub, &tenant, id).await?;
    let said: Vec<(String, String)> = wanted.columns.clone();
    let target = import.target.clone();
    let remembered = about.remembered(&said);
    let about = aside(move || {
        let asked = About {
            upsert: wanted.upsert.unwrap_or(about.upsert),
            all_or_nothing: wanted.all_or_nothing.unwrap_or(about.all_or_nothing),
            ..about
        };
        sheet::propose(&file, &target, asked, &wanted, &remembered)
    })
    .await?;
    let sealed = seal_about(hub, &tenant, id, &about)?;
    let (wanted, target) = (id.to_owned(), import.target.clone());
    let (kept, step) = (about.said(&said), step_of(hub, who, "checked", ""));
    let now = hub.clock.micros();
    let turned = hub.store.write(job!(|tx| {
        let from = [ImportState::Uploaded, ImportState::Checked, ImportState::Checking];
        let change =
            ImportChange { about: Some(sealed), counts: Some(ImportCounts::default()), ..ImportChange::default() };
        let turned = tx.turn_import((&tenant, &wanted), &from, ImportState::Checking, change, now).await?;
        if turned.is_some() {
            tx.keep_import_columns(&tenant, &target, kept).await?;
            tx.note_import(&wanted, step).await?;
        }
        Ok(turned)
    }));
    let turned = turned.await?;
    hub.wake.imports.notify_one();
    Ok(open(hub, turned.ok_or_else(|| stands(import.state, "checked"))?)?)
}

/// The file of an import.
///
/// # Errors
/// It is gone, or the store fails.
pub async fn file(hub: &Hub, tenant: &str, id: &str) -> Result<Vec<u8>, Refused> {
    let (owner, wanted) = (tenant.to_owned(), id.to_owned());
    let sealed = hub.store.read(job!(|tx| { tx.import_file(&owner, &wanted).await })).await?;
    let gone = || Refused::State("the file of this import is not kept any more".to_owned());
    Ok(hub.open(tenant, &sealed_as(id), &sealed.ok_or_else(gone)?.0)?)
}

fn stands(state: ImportState, what: &str) -> Refused {
    Refused::State(format!("the import is {} and cannot be {what}", state.word()))
}

/// The most sensitive class of a cell that somebody may see in a preview: never a restricted one.
#[must_use]
pub fn previewed(who: &Principal) -> Class {
    who.reads_everything().unwrap_or(Class::S1).min(Class::S2)
}

/// Opens a row of an import.
///
/// # Errors
/// It cannot be opened.
pub fn open_row(hub: &Hub, import: &Import, row: &ImportRow) -> Result<RowBody, StoreError> {
    let opened = hub.open(&import.tenant, &row_as(&import.id, row.number), &row.body.0)?;
    serde_json::from_slice(&opened).map_err(|_| StoreError::Sealed("a row of an import is no JSON"))
}

/// Rows that are read at once.
const ROWS: i64 = 500;

/// The workbook that came with an import, with what is wrong in two columns of its own. Who neither brought the file nor
/// may read restricted fields gets it without the values that they may not see.
///
/// # Errors
/// The file is gone, or the store fails.
pub async fn report(
    hub: &Arc<Hub>,
    who: &Principal,
    id: &str,
    only_refused: bool,
    language: &str,
) -> Result<Vec<u8>, Refused> {
    let Shown { import, about } = find(hub, &who.tenant, id).await?;
    let bytes = file(hub, &who.tenant, id).await?;
    let wanted = id.to_owned();
    let steps = hub.store.read(job!(|tx| { tx.import_steps(&wanted).await })).await?;
    let own = steps.first().is_some_and(|step| step.handle == who.handle);
    let allowed = if own { Class::S3 } else { who.reads_everything().unwrap_or(Class::S1) };
    let (mut rows, mut after) = (Vec::new(), 0);
    loop {
        let filter = ImportRowFilter { state: String::new(), after, limit: ROWS };
        let wanted = id.to_owned();
        let found = hub.store.read(job!(|tx| { tx.import_rows(&wanted, filter).await })).await?;
        let Some(last) = found.last() else { break };
        after = last.number;
        for row in &found {
            rows.push((row.number, row.state.clone(), open_row(hub, &import, row)?));
        }
    }
    let language = language.to_owned();
    let how = move || sheet::report(&bytes, &import.target, &about, &rows, (allowed, only_refused, &language));
    let report = aside(how).await?;
    hub.audit(Entry::by(who, "import.read").about("import", id).purpose(restricted::purpose().as_deref())).await?;
    Ok(report)
}
