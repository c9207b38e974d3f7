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
mod restore;
mod run;
pub mod sheet;
mod undo;

pub use about::{About, Column, Finding, RowBody};
pub(crate) use apply::place_of;
pub(crate) use run::run;

use crate::access::Principal;
use crate::hub::Hub;
use hub_engine::{Mapping, Parts};
use hub_files::FileProblem;
use hub_model::Class;
use hub_store::{
    Import, ImportChange, ImportCounts, ImportRow, ImportRowFilter, ImportState, ImportStep, NewImport, StoreError, Tx,
    job,
};
use hub_tree::{Findings, Source};
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
    hub.store.write(job!(|tx| { tx.insert_import(new, step).await })).await?;
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

/// The text of a mapping that came with the file, checked.
fn mapping_text(hub: &Hub, brought: &Brought) -> Result<Option<String>, Refused> {
    if let Some(text) = &brought.mapping_text {
        compile(text).map_err(|why| Refused::Asked("mapping", why))?;
        return Ok(Some(text.clone()));
    }
    let name = &brought.mapping;
    if !name.is_empty() && !hub.registry().mappings.contains_key(&format!("{SOURCE}/{name}.in")) {
        let why = format!("there is no mapping `{SOURCE}/{name}.in` without errors: `hrhub check` names them");
        return Err(Refused::Asked("mapping", why));
    }
    Ok(None)
}

/// Reads a mapping file that came with an import. Its first error, with its place, where it is none.
fn compile(text: &str) -> Result<Arc<Mapping>, String> {
    let findings = Findings::new();
    let source = Source::new(format!("mappings/{SOURCE}/own.in.yaml"), text);
    // A file says in `from` what it is; whatever it says, it is this one here.
    let mapping = Mapping::assemble(SOURCE, &Parts::of(&source), &findings);
    match mapping {
        Some(mapping) if !findings.has_errors() => Ok(Arc::new(mapping)),
        _ => Err(findings.into_sorted().first().map_or_else(|| "it is no mapping".to_owned(), ToString::to_string)),
    }
}

/// The mapping that reads the rows of an import.
pub(crate) fn mapping_of(hub: &Hub, target: &str, about: &About) -> Result<Arc<Mapping>, String> {
    if let Some(text) = &about.mapping_text {
        return compile(text);
    }
    let name = if about.mapping.is_empty() { target } else { &about.mapping };
    let id = format!("{SOURCE}/{name}.in");
    hub.registry().mappings.get(&id).cloned().ok_or_else(|| format!("there is no mapping `{id}` without errors"))
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

/// Has an import applied: to the records, or to a trial. Where a second person has to agree, it waits for that.
///
/// # Errors
/// Why not.
pub async fn apply(
    hub: &Arc<Hub>,
    who: &Principal,
    id: &str,
    trial: bool,
    all_or_nothing: Option<bool>,
) -> Result<Shown, Refused> {
    let Shown { import, about } = find(hub, &who.tenant, id).await?;
    let about = About { all_or_nothing: all_or_nothing.unwrap_or(about.all_or_nothing), ..about };
    if import.state != ImportState::Checked {
        return Err(stands(import.state, "applied"));
    }
    let counts = import.counts;
    if about.all_or_nothing && counts.bad > 0 {
        let bad = counts.bad;
        return Err(Refused::State(format!("{bad} rows are bad, and the import is to be applied whole or not at all")));
    }
    if counts.good == 0 {
        return Err(Refused::State("there is no row that could be applied".to_owned()));
    }
    let into = if trial { trial_of(&import.tenant) } else { import.tenant.clone() };
    hub.store.keyring().ensure(&hub.store, &hub.clock, &into).await?;
    // A trial tells nobody and goes away again: it needs nobody's consent.
    let waits = hub.imports.review && !trial;
    let (to, word) = match (waits, trial) {
        (true, _) => (ImportState::AwaitingReview, "asked"),
        (_, true) => (ImportState::Applying, "tried"),
        _ => (ImportState::Applying, "applying"),
    };
    let about = seal_about(hub, &import.tenant, id, &about)?;
    let change = ImportChange { about: Some(about), into: Some(into), ..ImportChange::default() };
    turn(hub, who, id, &[ImportState::Checked], to, change, word).await
}

async fn turn(
    hub: &Arc<Hub>,
    who: &Principal,
    id: &str,
    from: &'static [ImportState],
    to: ImportState,
    change: ImportChange,
    word: &str,
) -> Result<Shown, Refused> {
    let (tenant, wanted, now) = (who.tenant.clone(), id.to_owned(), hub.clock.micros());
    let step = step_of(hub, who, word, "");
    let turned = hub.store.write(job!(|tx| {
        let turned = tx.turn_import((&tenant, &wanted), from, to, change, now).await?;
        if turned.is_some() {
            tx.note_import(&wanted, step).await?;
        }
        Ok(turned)
    }));
    let turned = turned.await?;
    hub.wake.imports.notify_one();
    match turned {
        Some(import) => Ok(open(hub, import)?),
        None => Err(stands(find(hub, &who.tenant, id).await?.import.state, word)),
    }
}

/// Agrees to an import that somebody else wants applied.
///
/// # Errors
/// Why not.
pub async fn approve(hub: &Arc<Hub>, who: &Principal, id: &str) -> Result<Shown, Refused> {
    let import = find(hub, &who.tenant, id).await?.import;
    if import.state != ImportState::AwaitingReview {
        return Err(stands(import.state, "approved"));
    }
    let wanted = id.to_owned();
    let steps = hub.store.read(job!(|tx| { tx.import_steps(&wanted).await })).await?;
    if steps.iter().any(|step| step.handle == who.handle) {
        return Err(Refused::SecondPerson);
    }
    let from = &[ImportState::AwaitingReview];
    turn(hub, who, id, from, ImportState::Applying, ImportChange::default(), "approved").await
}

/// Undoes an import; of a trial, all of it is rolled back, and its imports can be applied again.
///
/// # Errors
/// Why not.
pub async fn undo(hub: &Arc<Hub>, who: &Principal, id: &str) -> Result<Shown, Refused> {
    let import = find(hub, &who.tenant, id).await?.import;
    if import.is_trial() && matches!(import.state, ImportState::Applied | ImportState::Applying) {
        roll_back(hub, who, &import, None).await?;
        return find(hub, &who.tenant, id).await;
    }
    if import.state != ImportState::Applied {
        return Err(stands(import.state, "undone"));
    }
    turn(hub, who, id, &[ImportState::Applied], ImportState::Undoing, ImportChange::default(), "undo").await
}

/// Throws an import away that was not applied, with its file; one that was tried is rolled back first.
///
/// # Errors
/// Why not.
pub async fn discard(hub: &Arc<Hub>, who: &Principal, id: &str) -> Result<Shown, Refused> {
    let import = find(hub, &who.tenant, id).await?.import;
    let tried = import.is_trial() && matches!(import.state, ImportState::Applied | ImportState::Applying);
    if !tried && matches!(import.state, ImportState::Applied | ImportState::Applying | ImportState::Undoing) {
        return Err(stands(import.state, "discarded: undo it first"));
    }
    if import.state == ImportState::Discarded {
        return Err(stands(import.state, "discarded again"));
    }
    if tried {
        roll_back(hub, who, &import, Some(id)).await?;
        return find(hub, &who.tenant, id).await;
    }
    let (tenant, wanted, now) = (who.tenant.clone(), id.to_owned(), hub.clock.micros());
    let step = step_of(hub, who, "discarded", "");
    let turned = hub.store.write(job!(|tx| { throw_away(tx, &tenant, &wanted, &[import.state], step, now).await }));
    match turned.await? {
        Some(import) => Ok(open(hub, import)?),
        None => Err(Refused::State("the import has gone on meanwhile: look again".to_owned())),
    }
}

async fn throw_away(
    tx: &mut Tx,
    tenant: &str,
    id: &str,
    from: &[ImportState],
    step: ImportStep,
    now: i64,
) -> Result<Option<Import>, StoreError> {
    let turned = tx.turn_import((tenant, id), from, ImportState::Discarded, ImportChange::default(), now).await?;
    if turned.is_some() {
        tx.forget_import_file(id).await?;
        tx.note_import(id, step).await?;
    }
    Ok(turned)
}

/// Removes all that was tried on the trial that an import was applied to; its imports stand where they stood before.
async fn roll_back(hub: &Arc<Hub>, who: &Principal, import: &Import, gone: Option<&str>) -> Result<(), StoreError> {
    let (tenant, trial, now) = (import.tenant.clone(), import.into.clone(), hub.clock.micros());
    let (back, discarded) = (step_of(hub, who, "rolled_back", ""), step_of(hub, who, "discarded", ""));
    let gone = gone.map(str::to_owned);
    let rolling = hub.store.write(job!(|tx| {
        let from = [ImportState::Applying, ImportState::Applied];
        for id in tx.imports_into(&tenant, &trial).await? {
            let Some(import) = tx.import(&tenant, &id).await? else { continue };
            let counts = ImportCounts {
                total: import.counts.total,
                good: import.counts.good,
                bad: import.counts.bad,
                warned: import.counts.warned,
                ignored: import.counts.ignored,
                ..ImportCounts::default()
            };
            let change = ImportChange { into: Some(tenant.clone()), counts: Some(counts), ..ImportChange::default() };
            if tx.turn_import((&tenant, &id), &from, ImportState::Checked, change, now).await?.is_none() {
                continue;
            }
            tx.forget_written(&id).await?;
            tx.reopen_import_rows(&id).await?;
            tx.note_import(&id, back.clone()).await?;
            if gone.as_deref() == Some(id.as_str()) {
                throw_away(tx, &tenant, &id, &[ImportState::Checked], discarded.clone(), now).await?;
            }
        }
        // Behind the imports: who is applying one of them has ended, or meets it in another state.
        tx.forget_trial(&trial).await
    }));
    rolling.await
}

/// The most sensitive class of a cell that somebody may see in a preview: never a restricted one.
#[must_use]
pub fn previewed(who: &Principal) -> Class {
    who.readable().unwrap_or(Class::S1).min(Class::S2)
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
    let allowed = if own { Class::S3 } else { who.readable().unwrap_or(Class::S1) };
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
    aside(how).await
}
