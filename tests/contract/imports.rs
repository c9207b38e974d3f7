//! Imports in the store, on SQLite and on PostgreSQL.

use crate::backend::{Backend, id, record};
use hub_store::{
    Import, ImportChange, ImportCounts, ImportRowFilter, ImportState, ImportStep, IndexEntry, NewImport, NewImportRow,
    NewVersion, RecordRow, RowEnd, Sealed, Written, job,
};

fn step(name: &str, by: &str) -> ImportStep {
    ImportStep { at: 5, step: name.into(), by: by.into(), handle: format!("key-{by}"), note: String::new() }
}

async fn import(backend: &Backend, tenant: &str, state: ImportState) -> String {
    let import = id();
    let new = NewImport {
        id: import.clone(),
        tenant: tenant.into(),
        target: "employee".into(),
        state,
        uploaded_at: 10,
        bytes: 3,
        sha256: "s".into(),
        about: Sealed(vec![1]),
        body: Sealed(vec![2, 3]),
    };
    backend.store.write(job!(|tx| { tx.insert_import(new, step("uploaded", "li")).await })).await.unwrap();
    import
}

fn row(number: i64, state: &'static str, warned: bool) -> NewImportRow {
    NewImportRow { number, state, warned, body: Sealed(vec![number as u8]) }
}

fn written(id: &str, number: i64, before: i64, after: i64) -> Written {
    Written { entity: "employee".into(), id: id.into(), number, before, after, state: String::new() }
}

async fn numbers(backend: &Backend, import: &str, state: &str, after: i64) -> Vec<i64> {
    let (import, filter) = (import.to_owned(), ImportRowFilter { state: state.into(), after, limit: 2 });
    let found = backend.store.read(job!(|tx| { tx.import_rows(&import, filter).await })).await.unwrap();
    found.into_iter().map(|row| row.number).collect()
}

mod contract {
    use super::*;

    /// What a worker has read it moves on only as long as nobody else has.
    pub(super) async fn an_import_goes_from_state_to_state_once(backend: Backend) {
        let own = import(&backend, "default", ImportState::Checked).await;
        let turn = async |tenant: &str, from: ImportState, to: ImportState| -> Option<Import> {
            let (tenant, own) = (tenant.to_owned(), own.clone());
            let change = ImportChange { error: "why".into(), ..ImportChange::default() };
            let turning = backend.store.write(job!(|tx| {
                tx.turn_import((&tenant, &own), &[from, ImportState::Failed], to, change, 20).await
            }));
            turning.await.unwrap()
        };
        assert!(turn("other", ImportState::Checked, ImportState::Applying).await.is_none(), "another tenant's");
        assert!(turn("default", ImportState::Uploaded, ImportState::Applying).await.is_none());
        let turned = turn("default", ImportState::Checked, ImportState::Applying).await.unwrap();
        assert_eq!((turned.state, turned.changed_at, turned.error.as_str()), (ImportState::Applying, 20, "why"));
        assert!(turn("default", ImportState::Checked, ImportState::Applying).await.is_none(), "it has gone on");
        let wanted = own.clone();
        let moved = backend.store.write(job!(|tx| {
            let (next, due) = tx.next_import().await?.unwrap();
            assert_eq!((next.id.as_str(), due), (wanted.as_str(), 20));
            let counts = ImportCounts { done: 50, created: 70, ..next.counts };
            assert!(tx.lock_import(&wanted, ImportState::Applying, 7).await?.is_none(), "another place");
            assert!(tx.lock_import(&wanted, ImportState::Checked, 0).await?.is_none(), "another state");
            assert!(tx.lock_import(&wanted, ImportState::Applying, 0).await?.is_some());
            tx.move_import(&wanted, counts, 51, 30).await?;
            tx.note_import(&wanted, step("applied", "")).await?;
            let moved = tx.import("default", &wanted).await?.unwrap();
            Ok((moved, tx.import_steps(&wanted).await?))
        }));
        let (moved, steps) = moved.await.unwrap();
        assert_eq!((moved.place, moved.counts.done, moved.counts.created), (51, 50, 70));
        let told: Vec<(&str, &str)> = steps.iter().map(|step| (step.step.as_str(), step.by.as_str())).collect();
        assert_eq!(told, [("uploaded", "li"), ("applied", "")]);
    }

    pub(super) async fn rows_are_listed_by_their_state_and_go_with_the_file(backend: Backend) {
        let own = import(&backend, "default", ImportState::Checked).await;
        let rows = vec![row(3, "good", false), row(4, "bad", false), row(5, "good", true), row(6, "ignored", false)];
        let again = vec![row(4, "good", false)];
        let wanted = own.clone();
        let writing = backend.store.write(job!(|tx| {
            tx.insert_import_rows(&wanted, rows).await?;
            tx.insert_import_rows(&wanted, again).await?;
            let end = |number, state| RowEnd { number, state, trace: "t".into(), body: None };
            tx.end_import_rows(&wanted, vec![end(3, "applied"), end(4, "failed")]).await
        }));
        writing.await.unwrap();
        assert_eq!(numbers(&backend, &own, "", 0).await, [3, 4]);
        assert_eq!(numbers(&backend, &own, "", 4).await, [5]);
        assert_eq!(numbers(&backend, &own, "good", 0).await, [5]);
        assert_eq!(numbers(&backend, &own, "warned", 0).await, [5]);
        assert_eq!(numbers(&backend, &own, "failed", 0).await, [4]);
        let wanted = own.clone();
        let gone = backend.store.write(job!(|tx| {
            tx.reopen_import_rows(&wanted).await?;
            let reopened = tx.import_row(&wanted, 3).await?.unwrap();
            assert_eq!((reopened.state.as_str(), reopened.trace.as_str()), ("good", ""));
            assert!(tx.import_file("default", &wanted).await?.is_some());
            tx.forget_import_file(&wanted).await?;
            Ok((tx.import_file("default", &wanted).await?.is_none(), tx.import("default", &wanted).await?.is_some()))
        }));
        assert_eq!(gone.await.unwrap(), (true, true), "who did what stays");
        assert!(numbers(&backend, &own, "", 0).await.is_empty());
    }

    /// Of a record that several rows touched, the version before the first of them is the one to go back to.
    pub(super) async fn what_was_written_is_undone_from_its_end(backend: Backend) {
        let own = import(&backend, "default", ImportState::Applied).await;
        let wanted = own.clone();
        let undone = backend.store.write(job!(|tx| {
            let twice = vec![written("a", 3, 0, 1), written("b", 3, 4, 5), written("a", 4, 1, 2)];
            tx.note_written(&wanted, twice).await?;
            tx.note_written(&wanted, vec![written("b", 9, 5, 6), written("c", 9, 0, 1)]).await?;
            let all = tx.written(&wanted, "", 10).await?;
            tx.end_written(&wanted, vec![("employee".into(), "c".into(), "kept")]).await?;
            let kept = tx.written(&wanted, "kept", 10).await?;
            assert_eq!(kept.len(), 1);
            assert_eq!(tx.written_counts(&wanted).await?, [("employee".to_owned(), 2, 1)]);
            Ok((all, tx.written(&wanted, "", 10).await?.len()))
        }));
        let (all, left) = undone.await.unwrap();
        let told: Vec<(&str, i64, i64)> = all.iter().map(|one| (one.id.as_str(), one.before, one.after)).collect();
        assert_eq!(told, [("c", 0, 1), ("a", 0, 2), ("b", 4, 6)]);
        assert_eq!(left, 2);
    }

    /// A trial goes as a whole, and nothing of anybody else's.
    pub(super) async fn a_trial_is_forgotten_and_its_tenant_is_not(backend: Backend) {
        let version = |tenant: &str, deleted: bool| NewVersion {
            row: RecordRow {
                tenant: tenant.into(),
                entity: "employee".into(),
                deleted_at: deleted.then_some(9),
                ..record(&id(), 1)
            },
            raw: None,
            index: Some(vec![IndexEntry { field: "employee_number".into(), value: "A1".into() }]),
        };
        let (real, gone, tried) =
            (version("default", false), version("default", true), version("default-trial", false));
        let own = real.row.id.clone();
        let found = backend.store.write(job!(|tx| {
            for version in [real, gone, tried] {
                tx.put_records("t", vec![version]).await?;
            }
            let of = |tenant| (tenant, "employee", "employee_number");
            let before = tx.records_by_values(of("default"), vec!["A1".into(), "A2".into()]).await?;
            assert_eq!(tx.index_values(of("default")).await?, before, "a record that is deleted means nobody");
            assert_eq!(tx.count_records("default-trial", "employee").await?, 1);
            tx.forget_trial("default-trial").await?;
            assert_eq!(tx.count_records("default-trial", "employee").await?, 0);
            assert!(tx.index_values(of("default-trial")).await?.is_empty());
            assert_eq!(tx.count_records("default", "employee").await?, 1);
            Ok(before)
        }));
        assert_eq!(found.await.unwrap().into_iter().collect::<Vec<_>>(), [("A1".to_owned(), vec![own])]);
    }

    pub(super) async fn what_columns_mean_is_remembered_for_each_tenant(backend: Backend) {
        let said = |heading: &str, field: &str| (heading.to_owned(), field.to_owned());
        let found = backend.store.write(job!(|tx| {
            tx.keep_import_columns("default", "employee", vec![said("归属", "position"), said("备注", "")]).await?;
            tx.keep_import_columns("default", "employee", vec![said("归属", "department")]).await?;
            tx.keep_import_columns("north", "employee", vec![said("归属", "company")]).await?;
            tx.import_columns("default", "employee").await
        }));
        let mut found = found.await.unwrap();
        found.sort();
        assert_eq!(found, [said("备注", ""), said("归属", "department")]);
    }
}

on_both_stores!(
    an_import_goes_from_state_to_state_once,
    rows_are_listed_by_their_state_and_go_with_the_file,
    what_was_written_is_undone_from_its_end,
    a_trial_is_forgotten_and_its_tenant_is_not,
    what_columns_mean_is_remembered_for_each_tenant,
);
