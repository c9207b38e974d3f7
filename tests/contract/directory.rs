//! What identity providers keep at the hub, on SQLite and on PostgreSQL: their names for records, who is in their groups,
//! pages by number, and records by a name in any case.

use crate::backend::{Backend, record};
use hub_store::{IndexEntry, MemberChange, NewVersion, RecordRow, job};
use std::collections::BTreeMap;
use std::time::Duration;

fn texts(all: &[&str]) -> Vec<String> {
    all.iter().map(|text| (*text).to_owned()).collect()
}

async fn call(b: &Backend, (tenant, client): (&'static str, &'static str), id: &'static str, name: Option<&str>) {
    let name = name.map(str::to_owned);
    let said = b.store.write(job!(|tx| { tx.put_directory_id(tenant, client, ("employee", id), name).await }));
    said.await.unwrap();
}

async fn names(b: &Backend, client: &'static str, ids: Vec<String>) -> BTreeMap<String, String> {
    b.store.read(job!(|tx| { tx.directory_ids("default", client, "employee", ids).await })).await.unwrap()
}

async fn called(b: &Backend, client: &'static str, name: &'static str) -> Vec<String> {
    b.store.read(job!(|tx| { tx.directory_called("default", client, "employee", name).await })).await.unwrap()
}

async fn change(b: &Backend, tenant: &'static str, group: &'static str, new: &[&str], gone: &[&str]) {
    let change = MemberChange { new: texts(new), gone: texts(gone) };
    let changed = b.store.write(job!(|tx| { tx.change_directory_members(tenant, group, change).await }));
    changed.await.unwrap();
}

async fn members(b: &Backend, tenant: &'static str, groups: &[&str]) -> Vec<(String, String)> {
    let groups = texts(groups);
    b.store.read(job!(|tx| { tx.directory_members(tenant, groups).await })).await.unwrap()
}

fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(group, member)| ((*group).to_owned(), (*member).to_owned())).collect()
}

/// Fields and their values.
type Values<'v> = &'v [(&'v str, &'v str)];
/// A tenant, the id of a record, and the values to find it by.
type Kept<'v> = (&'v str, &'v str, Values<'v>);

/// Keeps employees; those whose id begins with `gone` are deleted.
async fn keep(b: &Backend, all: &[Kept<'_>]) {
    let version = |(tenant, id, values): &Kept<'_>| {
        let row = RecordRow { tenant: (*tenant).into(), entity: "employee".into(), ..record(id, 1) };
        let deleted_at = id.starts_with("gone").then_some(9);
        let entry = |(field, value): &(&str, &str)| IndexEntry { field: (*field).into(), value: (*value).into() };
        let index = Some(values.iter().map(entry).collect());
        NewVersion { row: RecordRow { deleted_at, ..row }, raw: None, index }
    };
    let versions = all.iter().map(version).collect();
    b.store.write(job!(|tx| { tx.put_records("t", versions).await })).await.unwrap();
}

fn ids(rows: Vec<RecordRow>) -> Vec<String> {
    rows.into_iter().map(|row| row.id).collect()
}

mod contract {
    use super::*;

    pub(super) async fn every_provider_has_names_of_its_own_for_records(b: Backend) {
        call(&b, ("default", "entra"), "e1", Some("x1")).await;
        call(&b, ("default", "entra"), "e2", Some("x2")).await;
        call(&b, ("default", "okta"), "e1", Some("x2")).await;
        call(&b, ("other", "entra"), "e3", Some("x1")).await;
        let map = |all: &[(&str, &str)]| pairs(all).into_iter().collect::<BTreeMap<_, _>>();
        assert_eq!(names(&b, "entra", texts(&["e1", "e2", "e3"])).await, map(&[("e1", "x1"), ("e2", "x2")]));
        assert_eq!(names(&b, "okta", texts(&["e1", "e2"])).await, map(&[("e1", "x2")]));
        assert_eq!(called(&b, "entra", "x1").await, ["e1"]);
        assert_eq!(called(&b, "okta", "x2").await, ["e1"]);
        // A provider may change its mind, call two records alike, and have no name any more.
        call(&b, ("default", "entra"), "e1", Some("x2")).await;
        assert_eq!(called(&b, "entra", "x2").await, ["e1", "e2"]);
        assert_eq!(called(&b, "entra", "x1").await, [""; 0]);
        call(&b, ("default", "entra"), "e1", None).await;
        assert_eq!(called(&b, "entra", "x2").await, ["e2"]);
        assert_eq!(names(&b, "okta", texts(&["e1"])).await, map(&[("e1", "x2")]), "the other one's stays");
        // More than one statement asks for.
        let many: Vec<String> = (0..250).map(|n| format!("e{n}")).collect();
        assert_eq!(names(&b, "entra", many).await, map(&[("e2", "x2")]));
        assert!(names(&b, "entra", Vec::new()).await.is_empty());
    }

    pub(super) async fn members_come_and_go_and_the_others_stay(b: Backend) {
        change(&b, "default", "g1", &["m2", "m1", "m3", "m1"], &[]).await;
        change(&b, "default", "g2", &["m1"], &[]).await;
        change(&b, "other", "g1", &["m9"], &[]).await;
        change(&b, "default", "g1", &["m4", "m2"], &["m3", "m8"]).await;
        let wanted = pairs(&[("g1", "m1"), ("g1", "m2"), ("g1", "m4"), ("g2", "m1")]);
        assert_eq!(members(&b, "default", &["g2", "g1", "g3"]).await, wanted);
        let groups = |members: &[&str]| {
            let members = texts(members);
            b.store.read(job!(|tx| { tx.directory_groups("default", members).await }))
        };
        assert_eq!(groups(&["m1", "m4", "m9"]).await.unwrap(), pairs(&[("g1", "m1"), ("g1", "m4"), ("g2", "m1")]));
        b.store.write(job!(|tx| { tx.leave_directory_groups("default", "m1").await })).await.unwrap();
        assert_eq!(members(&b, "default", &["g1", "g2"]).await, pairs(&[("g1", "m2"), ("g1", "m4")]));
        b.store.write(job!(|tx| { tx.empty_directory_group("default", "g1").await })).await.unwrap();
        assert_eq!(members(&b, "default", &["g1", "g2"]).await, pairs(&[]));
        assert_eq!(members(&b, "other", &["g1"]).await, pairs(&[("g1", "m9")]), "another tenant's group");
        assert_eq!(members(&b, "default", &[]).await, pairs(&[]));
    }

    pub(super) async fn large_groups_are_changed_whole(b: Backend) {
        let all: Vec<String> = (0..333).map(|n| format!("m{n:03}")).collect();
        let names: Vec<&str> = all.iter().map(String::as_str).collect();
        change(&b, "default", "g", &names, &[]).await;
        assert_eq!(members(&b, "default", &["g"]).await.len(), 333);
        change(&b, "default", "g", &["new"], &names[1..]).await;
        assert_eq!(members(&b, "default", &["g"]).await, pairs(&[("g", "m000"), ("g", "new")]));
    }

    pub(super) async fn pages_by_number_leave_nothing_out_and_nothing_deleted_in(b: Backend) {
        let made: Vec<String> = (0..7).map(|n| format!("e{n}")).collect();
        let mut all: Vec<Kept<'_>> = made.iter().map(|id| ("default", id.as_str(), &[][..])).collect();
        all.extend([("default", "gone1", &[][..]), ("other", "e9", &[][..])]);
        keep(&b, &all).await;
        let page = |first: i64, limit: i64| {
            b.store.read(job!(|tx| { tx.records_from("default", "employee", first, limit).await }))
        };
        let mut seen = Vec::new();
        for first in [0, 3, 6, 9] {
            seen.extend(ids(page(first, 3).await.unwrap()));
        }
        assert_eq!(seen, made);
        assert_eq!(ids(page(2, 0).await.unwrap()), [""; 0]);
    }

    pub(super) async fn a_name_is_found_as_written_at_once_and_in_any_case_when_asked(b: Backend) {
        keep(
            &b,
            &[
                ("default", "e1", &[("username", "Mei.Lin")]),
                ("default", "e2", &[("work_email", "mei.lin"), ("username", "other")]),
                ("default", "e3", &[("username", "ÄNNE")]),
                ("default", "e6", &[("username", "100%_!")]),
                ("default", "e4", &[("note", "mei.lin")]),
                ("default", "gone1", &[("username", "mei.lin")]),
                ("other", "e5", &[("username", "mei.lin")]),
            ],
        )
        .await;
        let find = |fields: &'static [&'static str], name: &'static str, any: bool| {
            b.store.read(job!(|tx| { tx.records_called("default", "employee", fields, name, any).await }))
        };
        let both = &["username", "work_email"];
        assert_eq!(ids(find(&["username"], "Mei.Lin", false).await.unwrap()), ["e1"]);
        assert_eq!(ids(find(both, "Mei.Lin", false).await.unwrap()), ["e1", "e2"], "as written, and in lower case");
        assert_eq!(ids(find(both, "mei.lin", false).await.unwrap()), ["e2"]);
        assert_eq!(ids(find(both, "mEI.lIN", true).await.unwrap()), ["e1", "e2"]);
        assert_eq!(ids(find(&["username"], "mEI.lIN", true).await.unwrap()), ["e1"]);
        // Letters beyond ASCII are the caller's to compare.
        assert_eq!(ids(find(both, "änne", false).await.unwrap()), [""; 0]);
        assert_eq!(ids(find(both, "änne", true).await.unwrap()), ["e3"]);
        assert_eq!(ids(find(both, "önne", true).await.unwrap()), ["e3"]);
        for no_pattern in ["mei.li_", "mei%", "%", "mei.lin!", "änn_"] {
            assert_eq!(ids(find(both, no_pattern, true).await.unwrap()), [""; 0], "{no_pattern}");
        }
        assert_eq!(ids(find(both, "100%_!", true).await.unwrap()), ["e6"]);
    }

    /// Each looks and then writes what it saw plus one: without turns, some would see the same.
    pub(super) async fn who_takes_a_turn_sees_what_all_before_have_done(b: Backend) {
        let mut all = Vec::new();
        for _ in 0..12 {
            let store = b.store.clone();
            all.push(tokio::spawn(async move {
                let writing = store.write(job!(|tx| {
                    tx.take_turn("count").await?;
                    let seen = tx.directory_members("default", vec!["g".into()]).await?.len();
                    tokio::time::sleep(Duration::from_millis(2)).await;
                    let new = vec![format!("m{seen}")];
                    tx.change_directory_members("default", "g", MemberChange { new, gone: Vec::new() }).await
                }));
                writing.await
            }));
        }
        for one in all {
            one.await.unwrap().unwrap();
        }
        assert_eq!(members(&b, "default", &["g"]).await.len(), 12);
    }
}

on_both_stores!(
    every_provider_has_names_of_its_own_for_records,
    members_come_and_go_and_the_others_stay,
    large_groups_are_changed_whole,
    pages_by_number_leave_nothing_out_and_nothing_deleted_in,
    a_name_is_found_as_written_at_once_and_in_any_case_when_asked,
    who_takes_a_turn_sees_what_all_before_have_done,
);
