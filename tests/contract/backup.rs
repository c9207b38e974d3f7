//! What was read from one kind of store can be loaded into the other, cell by cell.

use crate::backend::take;
use hub_store::backup::{Cell, Load, Reopening, Snapshot, Table};
use hub_store::{MasterKey, NewCall, NewEvent, NewWork, Options, Probe, Sealed, Store, StoreError, Turns, job};
use hub_tree::Clock;
use std::collections::BTreeMap;

const MASTER: [u8; 32] = [7; 32];

struct Database {
    url: String,
    _folder: Option<tempfile::TempDir>,
}

fn sqlite() -> Database {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}?mode=rwc", folder.path().join("hub.db").display());
    Database { url, _folder: Some(folder) }
}

async fn postgres() -> Database {
    let url = tokio::task::spawn_blocking(|| hub_support::postgres().new_database()).await.unwrap();
    Database { url, _folder: None }
}

async fn open(url: &str) -> Store {
    let options = Options { url: url.to_owned(), ..Options::default() };
    Store::open(&options, MasterKey::new(MASTER), &Clock::System).await.unwrap()
}

fn work(message: &str) -> NewWork {
    NewWork {
        consumer: "flow".into(),
        message: message.into(),
        tenant: "default".into(),
        connection: String::new(),
        order_key: message.into(),
        trace: "00-t-s-01".into(),
        body: "{\"quoted\": \"\\\"\", \"名\": \"线\\n\"}".into(),
        received_at: 1,
    }
}

fn call(key: &str) -> NewCall {
    NewCall {
        id: format!("id-{key}"),
        tenant: "default".into(),
        connection: "c".into(),
        operation: "send".into(),
        key: key.into(),
        order_key: key.into(),
        created_at: 1,
        trace: format!("00-{}-s-01", "a".repeat(32)),
        subject: "message/1".into(),
        body: Sealed((0..=255).collect()),
    }
}

fn event(id: &str) -> NewEvent {
    NewEvent {
        id: id.into(),
        tenant: "default".into(),
        kind: "application.created".into(),
        entity: "application".into(),
        record: "r".into(),
        version: 1,
        connection: None,
        at: 1_000,
        trace: "t".into(),
        changed: "stage\tname, 'quoted' \u{7f}\u{1}".into(),
    }
}

/// A store with rows of every kind: open, running and done work, bytes, NULL, odd text.
async fn fill(store: &Store) {
    let filled = store.write(job!(|tx| {
        tx.insert_work(vec![work("handled"), work("running"), work("open")]).await?;
        tx.insert_call(call("done")).await?;
        tx.insert_events(vec![event("handled"), event("lost"), event("waiting")]).await?;
        tx.position_events(vec![1, 2]).await
    }));
    filled.await.unwrap();
    let claimed = store.write(job!(|tx| {
        let work = tx.claim_work(&["flow"], "dead", 10, 20, 2, &mut Turns::default()).await?;
        tx.finish_work(work[0].seq, "dead", "done").await?;
        let calls = tx.claim_calls("dead", 10, 20, vec![take("c", 1)]).await?;
        tx.settle_call(calls[0].seq, "dead", hub_store::CallState::Done, 11, false, None).await?;
        tx.insert_call(call("running")).await?;
        tx.claim_calls("dead", 10, 20, vec![take("c", 1)]).await?;
        tx.insert_call(call("open")).await
    }));
    claimed.await.unwrap();
}

async fn rows(url: &str) -> (usize, BTreeMap<String, (Table, Vec<Vec<Cell>>)>) {
    let mut snapshot = Snapshot::take(url).await.unwrap();
    snapshot.check_key(&MasterKey::new(MASTER)).await.unwrap();
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

async fn load(url: &str, version: usize, all: &BTreeMap<String, (Table, Vec<Vec<Cell>>)>, lost: &[&str]) {
    let mut load = Load::begin(url, version).await.unwrap();
    for (table, rows) in all.values() {
        load.insert(table, rows.clone()).await.unwrap();
        load.set_serial(table).await.unwrap();
        assert_eq!(load.count(&table.name).await.unwrap(), rows.len() as u64, "{}", table.name);
    }
    assert_eq!(load.published_types(0).await.unwrap(), ["application.created"]);
    let lost = lost.iter().map(|name| ((*name).to_owned(), vec!["application.created".to_owned()])).collect();
    let reopened = load.reopen(&Reopening { from: "copy", now: 1_000_000, lost, since: 0 }).await.unwrap();
    assert_eq!(reopened.unsure_calls, 2, "the one that was running, and the one that waited");
    load.commit().await.unwrap();
}

/// The value of a column in the row whose `by` is `is`.
fn value(all: &BTreeMap<String, (Table, Vec<Vec<Cell>>)>, table: &str, by: (&str, &str), column: &str) -> Cell {
    let (table, rows) = &all[table];
    let at = |name: &str| table.columns.iter().position(|(known, _)| known == name).unwrap();
    let row = rows.iter().find(|row| row[at(by.0)] == Cell::Text(by.1.into())).unwrap();
    row[at(column)].clone()
}

async fn goes_from_one_to_the_other(from: Database, to: Database) {
    let store = open(&from.url).await;
    fill(&store).await;
    let (version, before) = rows(&from.url).await;
    load(&to.url, version, &before, &["flow"]).await;
    let (_, after) = rows(&to.url).await;
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    for (name, (table, rows)) in &before {
        let (loaded, loaded_rows) = &after[name];
        assert_eq!(table.columns, loaded.columns, "{name}");
        assert_eq!(table.last_serial, loaded.last_serial, "{name}");
        // These are opened again, as looked at below.
        if !["inbox", "calls", "events", "leases", "meta"].contains(&name.as_str()) {
            assert_eq!(rows, loaded_rows, "{name}");
        }
    }
    let text = |text: &str| Cell::Text(text.to_owned());
    for (message, state) in [("handled", "done"), ("running", "ready"), ("open", "ready")] {
        assert_eq!(value(&after, "inbox", ("message", message), "state"), text(state), "{message}");
    }
    for (key, state, unsure) in [("done", "done", 0), ("running", "ready", 1), ("open", "ready", 1)] {
        assert_eq!(value(&after, "calls", ("key", key), "state"), text(state), "{key}");
        assert_eq!(value(&after, "calls", ("key", key), "unsure"), Cell::Integer(unsure), "{key}");
    }
    assert_eq!(value(&after, "calls", ("key", "open"), "body"), Cell::Blob((0..=255).collect()));
    // The consumer has a mark of the first, not of the second; the third was never published.
    assert_eq!(value(&after, "events", ("id", "handled"), "position"), Cell::Integer(1));
    assert_eq!(value(&after, "events", ("id", "lost"), "position"), Cell::Null);
    assert_eq!(value(&after, "events", ("id", "waiting"), "position"), Cell::Null);
    assert_eq!(value(&after, "events", ("id", "lost"), "changed"), text(&event("lost").changed));

    // Counters go on behind the old rows, and what a journey from before leads to is not known to be new.
    let store = open(&to.url).await;
    let step = |trace: String, at| hub_store::Step {
        trace,
        id: format!("s{at}"),
        tenant: "default".into(),
        at,
        step: "receive".into(),
        system: "c".into(),
        result: "ok".into(),
        subject: "raw/1".into(),
        detail: String::new(),
    };
    let steps = vec![step("a".repeat(32), 5), step("b".repeat(32), 2_000_000)];
    let made = store.write(job!(|tx| {
        tx.add_steps(steps).await?;
        tx.insert_work(vec![work("new")]).await?;
        tx.insert_call(call("old journey")).await?;
        tx.insert_call(NewCall { trace: format!("00-{}-s-01", "b".repeat(32)), ..call("new journey") }).await
    }));
    assert!(made.await.unwrap());
    let unsure = |key: &'static str| store.read(job!(|tx| { tx.call("default", "c", key).await }));
    assert!(unsure("old journey").await.unwrap().unwrap().unsure);
    assert!(!unsure("new journey").await.unwrap().unwrap().unsure);
    let Cell::Integer(seq) = value(&rows(&to.url).await.1, "inbox", ("message", "new"), "seq") else { panic!() };
    assert_eq!(seq, 4);

    // What holds something is not loaded into, and says which copy it holds.
    assert!(matches!(Load::begin(&to.url, version).await.err(), Some(StoreError::NotEmpty(_))));
    assert_eq!(Load::loaded(&to.url).await.unwrap().as_deref(), Some("copy"));
    let waiting = Probe::open(&to.url).await.unwrap().waiting(3_000_000).await.unwrap();
    assert_eq!((waiting.ready, waiting.unpublished, waiting.stuck), (7, 2, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_of_sqlite_goes_into_postgresql() {
    goes_from_one_to_the_other(sqlite(), postgres().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_of_postgresql_goes_into_sqlite() {
    goes_from_one_to_the_other(postgres().await, sqlite()).await;
}

async fn an_older_copy_is_brought_up_to_date_and_a_newer_one_refused(database: Database) {
    let error = Load::begin(&database.url, 99).await.err().unwrap();
    assert!(error.to_string().contains("use a newer hrhub"), "{error}");
    // Broken off before the end: nothing is there.
    drop(Load::begin(&database.url, 1).await.unwrap());
    assert!(Snapshot::take(&database.url).await.is_err());
    let mut load = Load::begin(&database.url, 1).await.unwrap();
    load.reopen(&Reopening { from: "old", now: 1, lost: Vec::new(), since: 0 }).await.unwrap();
    load.commit().await.unwrap();
    let (there, known) = Probe::open(&database.url).await.unwrap().schema().await.unwrap();
    assert_eq!(there, Some(known));
    open(&database.url).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_copy_is_brought_up_to_date_and_a_newer_one_refused_on_sqlite() {
    an_older_copy_is_brought_up_to_date_and_a_newer_one_refused(sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_copy_is_brought_up_to_date_and_a_newer_one_refused_on_postgresql() {
    an_older_copy_is_brought_up_to_date_and_a_newer_one_refused(postgres().await).await;
}
