//! Tables that the hub writes into.

use super::{BOTH, Bench};
use hub_kit::Party;
use hub_kit::{CallError, Reply};

const SETUP: &str = "
CREATE TABLE hr_in (ext_id varchar(40) PRIMARY KEY, id_number varchar(18) UNIQUE, name varchar(10), hired date,
    pay decimal(12,2), active int, batch_id varchar(20), status char(1) DEFAULT 'N');
CREATE TABLE hr_in_line (ext_id varchar(40), line_no int, amount decimal(12,2), PRIMARY KEY (ext_id, line_no))";

const MANIFEST: &str = "operations:
  push: { insert: hr_in, key: ext_id, set: { batch_id: hub, status: N },
    children: { lines: { table: hr_in_line, key: [ext_id, line_no], on: ext_id } } }
  change: { insert: hr_in, key: ext_id, again: { update_while: { status: N } },
    children: { lines: { table: hr_in_line, key: [ext_id, line_no], on: ext_id } } }
";

fn said(reply: Result<Reply, CallError>) -> String {
    reply.map_or_else(|error| error.to_string(), |reply| String::from_utf8(reply.body).unwrap())
}

const ROW: &str = r#"{"ext_id":"E1","id_number":"11010519491231002X","name":"李小龙","hired":"2026-03-01","pay":15000.10,
    "active":true,"lines":[{"line_no":1,"amount":"0.10"},{"line_no":2,"amount":"120.50"}]}"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_and_its_lines_are_written_once_however_often_they_are_sent() {
    for kind in BOTH {
        let bench = Bench::new(kind, SETUP, MANIFEST).await;
        assert_eq!(said(bench.call("push", ROW).await), r#"{"row":"inserted","children":2}"#, "{kind}");
        assert_eq!(said(bench.call("push", ROW).await), r#"{"row":"kept","children":0}"#, "{kind}");
        let rows = bench.sql("SELECT ext_id, name, hired, pay, active, batch_id, status FROM hr_in").await;
        assert_eq!(rows, ["E1|李小龙|2026-03-01|15000.10|1|hub|N"], "{kind}");
        assert_eq!(bench.sql("SELECT line_no, amount FROM hr_in_line ORDER BY 1").await, ["1|0.10", "2|120.50"]);
        let looked = bench.look().await;
        assert!(looked.iter().all(|part| part.good == Some(true)), "{looked:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_the_other_side_has_begun_with_is_not_overwritten() {
    for kind in BOTH {
        let bench = Bench::new(kind, SETUP, MANIFEST).await;
        bench.call("push", ROW).await.unwrap();
        let change = r#"{"ext_id":"E1","name":"李","lines":[{"line_no":2,"amount":"99"},{"line_no":3,"amount":"1"}]}"#;
        assert_eq!(said(bench.call("change", change).await), r#"{"row":"updated","children":2}"#, "{kind}");
        assert_eq!(bench.sql("SELECT name, pay FROM hr_in").await, ["李|15000.10"], "{kind}");
        let lines = bench.sql("SELECT line_no, amount FROM hr_in_line ORDER BY 1").await;
        assert_eq!(lines, ["1|0.10", "2|99.00", "3|1.00"], "{kind}");
        bench.sql("UPDATE hr_in SET status = 'P'").await;
        let late = change.replace('李', "王");
        assert_eq!(said(bench.call("change", &late).await), r#"{"row":"kept","children":0}"#, "{kind}");
        assert_eq!(bench.sql("SELECT name FROM hr_in").await, ["李"], "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_table_refuses_is_the_callers_and_leaves_nothing_behind() {
    for kind in BOTH {
        let bench = Bench::new(kind, SETUP, MANIFEST).await;
        bench.call("push", ROW).await.unwrap();
        for (what, args) in [
            ("another's identity number", ROW.replace("E1", "E2")),
            ("a day that is none", ROW.replace("E1", "E2").replace("002X", "0038").replace("2026-03-01", "2026-02-30")),
            (
                "a name that is too long",
                ROW.replace("E1", "E2").replace("002X", "0038").replace("李小龙", &"李".repeat(11)),
            ),
            ("a bad line", ROW.replace("E1", "E2").replace("002X", "0038").replace("120.50", "12O")),
            ("no key", ROW.replace("\"ext_id\":\"E1\"", "\"ext_id\":null").replace("002X", "0038")),
        ] {
            let error = bench.call("push", &args).await.unwrap_err();
            assert_eq!(error.party(), Party::Caller, "{kind}, {what}: {error}");
            let text = error.to_string();
            assert!(!text.contains("李") && !text.contains("1101"), "values are not told: {text}");
        }
        assert_eq!(bench.sql("SELECT count(*) FROM hr_in").await, ["1"], "{kind}: header and lines are one");
        assert_eq!(bench.sql("SELECT count(*) FROM hr_in_line").await, ["2"], "{kind}");
        let unknown = bench.call("push", &ROW.replace("\"pay\"", "\"pey\"")).await.unwrap_err();
        assert!(unknown.to_string().contains("no column `pey`; did you mean `pay`?"), "{unknown}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_away_or_shut_is_no_fault_of_the_caller() {
    for kind in BOTH {
        let bench = Bench::new(kind, SETUP, MANIFEST).await;
        let with = |url: String| {
            let text = format!("id: heron-main\nconnector: heron\nsettings: {{ dsn: \"{url}\" }}\n");
            let manifest = std::sync::Arc::clone(&bench.connection.manifest);
            let source = hub_tree::Source::new("c.yaml", text);
            let findings = hub_tree::Findings::new();
            let environment = hub_tree::env::Environment::of([]);
            hub_kit::Connection::compile(&source, &environment, |_| Some(manifest.clone()), &["heron"], &findings)
                .unwrap()
        };
        let port = hub_support::free_port();
        let scheme = bench.url.split(':').next().unwrap();
        let away = Bench { connection: with(format!("{scheme}://u:p@127.0.0.1:{port}/d")), ..bench };
        let error = away.call("push", ROW).await.unwrap_err();
        assert!(matches!(error, CallError::NotSent(_)) && error.party() == Party::Network, "{kind}: {error}");
        let looked = away.look().await;
        assert_eq!((looked.len(), looked[0].good), (1, Some(false)), "{looked:?}");
        let outside = Bench { client: hub_kit::Client::new(hub_kit::AllowPrivate::default()).unwrap(), ..away };
        let error = outside.call("push", ROW).await.unwrap_err().to_string();
        assert!(error.starts_with("HUB-C111"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_is_told_as_such_and_quoted_nowhere() {
    // PostgreSQL of the tests lets everybody in.
    let bench = Bench::new("mysql", SETUP, MANIFEST).await;
    let text = format!(
        "id: heron-main\nconnector: heron\nsettings: {{ dsn: \"{}\" }}\n",
        bench.url.replace("secret", "wrong-s3cret")
    );
    let manifest = std::sync::Arc::clone(&bench.connection.manifest);
    let (source, findings) = (hub_tree::Source::new("c.yaml", text), hub_tree::Findings::new());
    let environment = hub_tree::env::Environment::of([]);
    let connection =
        hub_kit::Connection::compile(&source, &environment, |_| Some(manifest.clone()), &["heron"], &findings).unwrap();
    let bench = Bench { connection, ..bench };
    let error = bench.call("push", ROW).await.unwrap_err();
    assert_eq!(error.party(), Party::Credential, "{error}");
    let told = format!("{error} {:?}", bench.look().await);
    assert!(!told.contains("s3cret"), "{told}");
}
