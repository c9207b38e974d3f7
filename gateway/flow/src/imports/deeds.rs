//! What people do with an import that was checked: apply it, agree to it, undo it, throw it away.

use super::{About, Refused, Shown, find, open, seal_about, stands, step_of, told, trial_of};
use crate::access::Principal;
use crate::hub::Hub;
use hub_store::{Import, ImportChange, ImportCounts, ImportState, ImportStep, StoreError, Tx, job};
use std::sync::Arc;

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
    let (step, told) = (step_of(hub, who, word, ""), told(hub, who, word, id)?);
    let turned = hub.store.write(job!(|tx| {
        let turned = tx.turn_import((&tenant, &wanted), from, to, change, now).await?;
        if turned.is_some() {
            tx.append_audit(told).await?;
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
    let (step, told) = (step_of(hub, who, "discarded", ""), told(hub, who, "discarded", id)?);
    let turned = hub.store.write(job!(|tx| {
        let gone = throw_away(tx, &tenant, &wanted, &[import.state], step, now).await?;
        if gone.is_some() {
            tx.append_audit(told).await?;
        }
        Ok(gone)
    }));
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
    let told = told(hub, who, "rolled_back", &import.id)?;
    let rolling = hub.store.write(job!(|tx| {
        tx.append_audit(told).await?;
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
