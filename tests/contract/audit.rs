//! The audit log: whatever is done to its rows is found. It is changed by loading a changed copy into an empty store.

use crate::backend::{Backend, id, open};
use hub_store::backup::{Cell, Load, Snapshot, Table};
use hub_store::{Anchor, AuditEntry, AuditFilter, AuditReport, AuditWho, NewAudit, Store, StoreError, job};
use hub_tree::Clock;
use std::collections::{BTreeMap, BTreeSet};

type Rows = BTreeMap<String, (Table, Vec<Vec<Cell>>)>;

/// What is done to a copy of the rows.
type Change = fn(&mut Rows);

async fn entry(store: &Store, tenant: &str, number: i64) -> NewAudit {
    store.keyring().ensure(store, &Clock::System, tenant).await.unwrap();
    let who = AuditWho { handle: "app-1".into(), name: "Pay roll".into(), kind: "app".into() };
    let about = BTreeSet::from([format!("employee/{number}"), "collection/employees".to_owned()]);
    let entry = AuditEntry {
        id: id(),
        at: number * 1000,
        who,
        action: "restricted.read".into(),
        about,
        purpose: Some("a test".into()),
        outcome: "ok".into(),
        trace: None,
        details: serde_json::Map::new(),
    };
    entry.sealed(store.keyring(), tenant).unwrap()
}

async fn add(store: &Store, tenant: &str, number: i64) {
    let new = entry(store, tenant, number).await;
    store.write(job!(|tx| { tx.append_audit(new).await })).await.unwrap();
}

/// A log of 6 linked entries, and one that is not linked yet.
async fn fill(store: &Store) {
    for number in 1..=6 {
        add(store, "default", number).await;
    }
    assert_eq!(store.link_audit("default").await.unwrap(), 6);
    add(store, "default", 7).await;
}

async fn rows(url: &str) -> (usize, Rows) {
    let mut snapshot = Snapshot::take(url).await.unwrap();
    let mut all = BTreeMap::new();
    for table in snapshot.tables().to_vec() {
        let mut rows = Vec::new();
        snapshot
            .rows(&table, |row| {
                rows.push(row);
                Ok::<_, StoreError>(())
            })
            .await
            .unwrap();
        rows.sort_by_key(|row| format!("{row:?}"));
        all.insert(table.name.clone(), (table, rows));
    }
    (snapshot.schema_version(), all)
}

async fn loaded(url: &str, version: usize, rows: &Rows) -> Store {
    let mut load = Load::begin(url, version).await.unwrap();
    for (table, rows) in rows.values() {
        load.insert(table, rows.clone()).await.unwrap();
        load.set_serial(table).await.unwrap();
    }
    load.commit().await.unwrap();
    open(url).await.unwrap()
}

async fn verified(store: &Store, anchors: &[Anchor]) -> AuditReport {
    store.verify_audit("default", anchors).await.unwrap()
}

fn column(rows: &Rows, table: &str, name: &str) -> usize {
    rows[table].0.columns.iter().position(|(known, _)| known == name).unwrap()
}

/// The row of an entry in the chain.
fn at(rows: &mut Rows, position: i64) -> &mut Vec<Cell> {
    let place = column(rows, "audit", "position");
    let found = rows.get_mut("audit").unwrap().1.iter_mut().find(|row| row[place] == Cell::Integer(position));
    found.unwrap()
}

fn without(rows: &mut Rows, gone: &[i64]) {
    let place = column(rows, "audit", "position");
    rows.get_mut("audit").unwrap().1.retain(|row| !gone.iter().any(|n| row[place] == Cell::Integer(*n)));
}

fn other(cell: &Cell) -> Cell {
    match cell {
        Cell::Null => Cell::Integer(9_000),
        Cell::Integer(number) => Cell::Integer(number + 1_000),
        Cell::Text(text) => Cell::Text(format!("{text}x")),
        Cell::Blob(bytes) => {
            let mut bytes = bytes.clone();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            Cell::Blob(bytes)
        }
    }
}

mod contract {
    use super::*;

    pub(super) async fn an_untouched_log_is_sound_and_can_be_asked(b: Backend) {
        fill(&b.store).await;
        let report = verified(&b.store, &[]).await;
        assert_eq!((report.bad, report.entries, report.unlinked), (None, 6, 1));
        let ask = async |filter: AuditFilter| {
            let rows = b.store.read(job!(|tx| { tx.audit("default", filter, 10).await })).await.unwrap();
            let opened = rows.iter().map(|row| row.open(b.store.keyring(), "default").unwrap().at / 1000);
            (opened.collect::<Vec<_>>(), rows.last().cloned())
        };
        assert_eq!(ask(AuditFilter::default()).await.0, [7, 6, 5, 4, 3, 2, 1]);
        let about = AuditFilter { about: Some("employee/3".into()), ..AuditFilter::default() };
        assert_eq!(ask(about).await.0, [3]);
        let times = AuditFilter { since: Some(2000), until: Some(4000), oldest_first: true, ..AuditFilter::default() };
        let (found, last) = ask(times.clone()).await;
        assert_eq!(found, [2, 3]);
        let behind = hub_store::AuditRow::read_place(&last.unwrap().place());
        assert!(ask(AuditFilter { behind, ..times }).await.0.is_empty());
        let nobody =
            AuditFilter { who: Some("app-2".into()), action: Some("restricted.read".into()), ..AuditFilter::default() };
        assert!(ask(nobody).await.0.is_empty());
        let other = b.store.read(job!(|tx| { tx.audit("north", AuditFilter::default(), 10).await })).await.unwrap();
        assert!(other.is_empty());
    }

    pub(super) async fn many_writers_make_one_chain(b: Backend) {
        let mut news = Vec::new();
        for number in 0..60 {
            news.push(entry(&b.store, "default", number).await);
        }
        let writing = news.into_iter().enumerate().map(|(number, new)| {
            let store = b.store.clone();
            tokio::spawn(async move {
                store.write(job!(|tx| { tx.append_audit(new).await })).await.unwrap();
                if number % 3 == 0 {
                    store.link_audit("default").await.unwrap();
                }
            })
        });
        for written in writing.collect::<Vec<_>>() {
            written.await.unwrap();
        }
        while b.store.link_audit("default").await.unwrap() > 0 {}
        let report = verified(&b.store, &[]).await;
        assert_eq!((report.bad, report.entries, report.head.position), (None, 60, 60));
    }

    pub(super) async fn old_entries_go_from_the_front_and_the_rest_is_sound(b: Backend) {
        fill(&b.store).await;
        let early = verified(&b.store, &[]).await.head;
        let told = entry(&b.store, "default", 8).await;
        assert_eq!(b.store.forget_audit("default", 3500, told).await.unwrap(), 3);
        let report = verified(&b.store, std::slice::from_ref(&early)).await;
        assert_eq!((report.bad, report.floor, report.entries, report.unlinked), (None, 3, 3, 2));
        while b.store.link_audit("default").await.unwrap() > 0 {}
        let report = verified(&b.store, &[early]).await;
        assert_eq!((report.bad, report.entries, report.head.position), (None, 5, 8));
        let told = entry(&b.store, "default", 9).await;
        assert_eq!(b.store.forget_audit("default", 3500, told).await.unwrap(), 0, "nothing is left that is so old");
    }

    /// Every value of every row is changed, one after the other.
    pub(super) async fn a_change_of_any_value_is_found(b: Backend) {
        fill(&b.store).await;
        let (version, whole) = rows(&b.url).await;
        let mut changes: Vec<(String, Rows)> = Vec::new();
        for table in ["audit", "audit_about", "audit_heads"] {
            let picked = match table {
                "audit" => vec![0, whole[table].1.len() - 1],
                _ => vec![0],
            };
            for index in picked {
                for (column, (name, _)) in whole[table].0.columns.iter().enumerate() {
                    if name == "link" && whole[table].1[index][column] == Cell::Null {
                        // It is written anew when the entry is linked.
                        continue;
                    }
                    let mut changed = whole.clone();
                    let cell = &mut changed.get_mut(table).unwrap().1[index][column];
                    *cell = other(cell);
                    changes.push((format!("{table}.{name} of row {index}"), changed));
                }
            }
        }
        for (what, changed) in changes {
            let copy = tempfile::tempdir().unwrap();
            let url = format!("sqlite://{}?mode=rwc", copy.path().join("hub.db").display());
            let store = loaded(&url, version, &changed).await;
            // A hub that runs on would link what it finds.
            let _ = store.link_audit("default").await;
            let tenants = store.read(job!(|tx| { tx.audit_tenants().await })).await.unwrap();
            let mut found = false;
            for tenant in tenants {
                found |= store.verify_audit(&tenant, &[]).await.map_or(true, |report| report.bad.is_some());
            }
            assert!(found, "{what} was changed, and nobody found it");
        }
    }

    pub(super) async fn what_is_taken_out_moved_or_put_in_is_found(b: Backend) {
        fill(&b.store).await;
        let (version, whole) = rows(&b.url).await;
        let changes: [(&str, Option<i64>, Change); 7] = [
            ("one from the middle is gone", Some(3), |rows| without(rows, &[3])),
            ("the first is gone", Some(1), |rows| without(rows, &[1])),
            ("the last two are gone", Some(5), |rows| without(rows, &[5, 6])),
            ("two have changed places", Some(2), |rows| {
                let (position, link) = (column(rows, "audit", "position"), column(rows, "audit", "link"));
                let (one, two) = (at(rows, 2).clone(), at(rows, 5).clone());
                *at(rows, 2) = two.clone();
                let moved = rows.get_mut("audit").unwrap().1.iter_mut().filter(|row| **row == two).last().unwrap();
                *moved = one.clone();
                moved[position] = two[position].clone();
                moved[link] = two[link].clone();
                let first = rows.get_mut("audit").unwrap().1.iter_mut().find(|row| **row == two).unwrap();
                first[position] = one[position].clone();
                first[link] = one[link].clone();
            }),
            ("one was taken out of the chain", Some(4), |rows| {
                let (position, link) = (column(rows, "audit", "position"), column(rows, "audit", "link"));
                let row = at(rows, 4);
                row[position] = Cell::Null;
                row[link] = Cell::Null;
            }),
            ("a copy was put behind the end", None, |rows| {
                let (position, id) = (column(rows, "audit", "position"), column(rows, "audit", "id"));
                let mut copy = at(rows, 6).clone();
                copy[position] = Cell::Integer(7);
                copy[id] = Cell::Text("0".repeat(36));
                rows.get_mut("audit").unwrap().1.push(copy);
            }),
            ("the end is gone with its entries", None, |rows| {
                without(rows, &[4, 5, 6]);
                rows.get_mut("audit_heads").unwrap().1.clear();
            }),
        ];
        for (what, position, change) in changes {
            let mut changed = whole.clone();
            change(&mut changed);
            let copy = tempfile::tempdir().unwrap();
            let url = format!("sqlite://{}?mode=rwc", copy.path().join("hub.db").display());
            let store = loaded(&url, version, &changed).await;
            let _ = store.link_audit("default").await;
            let bad = verified(&store, &[]).await.bad;
            let bad = bad.unwrap_or_else(|| panic!("{what}, and nobody found it"));
            if let Some(position) = position {
                assert_eq!(bad.position, Some(position), "{what}: {bad:?}");
            }
        }
    }

    pub(super) async fn a_chain_that_was_put_back_to_an_earlier_end_is_found_by_its_anchor(b: Backend) {
        fill(&b.store).await;
        let (version, early) = rows(&b.url).await;
        while b.store.link_audit("default").await.unwrap() > 0 {}
        let anchor = verified(&b.store, &[]).await.head;
        assert_eq!(anchor.position, 7);
        let copy = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}?mode=rwc", copy.path().join("hub.db").display());
        let store = loaded(&url, version, &early).await;
        assert_eq!(verified(&store, &[]).await.bad, None, "alone it is sound");
        assert_eq!(verified(&store, std::slice::from_ref(&anchor)).await.bad.unwrap().position, Some(7));
        // Another entry in the place of the one that is gone.
        let mut emptied = early.clone();
        let place = column(&emptied, "audit", "position");
        emptied.get_mut("audit").unwrap().1.retain(|row| row[place] != Cell::Null);
        let about = column(&emptied, "audit_about", "about");
        let gone = Cell::Text("employee/7".into());
        let id = column(&emptied, "audit_about", "id");
        let gone = emptied["audit_about"].1.iter().find(|row| row[about] == gone).unwrap()[id].clone();
        emptied.get_mut("audit_about").unwrap().1.retain(|row| row[id] != gone);
        let copy = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}?mode=rwc", copy.path().join("hub.db").display());
        let store = loaded(&url, version, &emptied).await;
        add(&store, "default", 7).await;
        assert_eq!(store.link_audit("default").await.unwrap(), 1);
        assert_eq!(verified(&store, &[]).await.bad, None, "alone it is sound");
        let bad = verified(&store, &[anchor]).await.bad.unwrap();
        assert_eq!((bad.position, bad.what), (Some(7), "the anchor says another link: the chain was made anew"));
    }
}

on_both_stores!(
    an_untouched_log_is_sound_and_can_be_asked,
    many_writers_make_one_chain,
    old_entries_go_from_the_front_and_the_rest_is_sound,
    a_change_of_any_value_is_found,
    what_is_taken_out_moved_or_put_in_is_found,
    a_chain_that_was_put_back_to_an_earlier_end_is_found_by_its_anchor,
);
