//! Tables and views that are only read.

use super::{BOTH, Bench};
use hub_kit::tables::{PAGE, Since, TableRow};

const SETUP: &str = "
CREATE TABLE dept (code varchar(20) PRIMARY KEY, name varchar(50), deleted int, modified {stamp}, version bigint);
CREATE VIEW v_dept AS SELECT code, name, deleted, modified, version FROM dept";

const BY_TIME: &str = "tables:
  departments: { table: v_dept, key: [code], mark: [modified, code], overlap_secs: 300, when: { deleted: 0 }, mapping: d }
";

const BY_NUMBER: &str = "tables:
  departments: { table: v_dept, key: [code], mark: [version], mapping: d }
";

fn codes(rows: &[TableRow]) -> Vec<String> {
    rows.iter().map(|row| row.key[0].clone()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn equal_times_are_told_apart_by_the_pair_and_pages_lose_nothing() {
    for kind in BOTH {
        let rows: Vec<String> =
            (0..250).map(|n| format!("('d{n:03}', 'n', 0, '2026-03-01 10:00:0{}.000001', {n})", n / 200)).collect();
        let setup = format!("{SETUP};\nINSERT INTO dept VALUES {}", rows.join(", "));
        let bench = Bench::new(kind, &setup, BY_TIME).await;
        let mut session = bench.session().await;
        let mut seen = Vec::new();
        let mut page = session.read_rows(bench.table(), Since::Beginning).await.unwrap();
        while !page.is_empty() {
            assert!(page.len() == PAGE || seen.len() == 200);
            seen.extend(codes(&page));
            let mark = page.last().unwrap().mark.clone();
            page = session.read_rows(bench.table(), Since::Behind(&mark)).await.unwrap();
        }
        let wanted: Vec<String> = (0..250).map(|n| format!("d{n:03}")).collect();
        assert_eq!(seen, wanted, "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_commit_with_an_older_mark_is_found_by_the_overlap() {
    for kind in BOTH {
        let setup = format!(
            "{SETUP};\nINSERT INTO dept VALUES ('a', 'A', 0, '2026-03-01 10:00:00', 10), ('z', 'Z', 0, '2026-03-01 09:00:00', 1)"
        );
        let bench = Bench::new(kind, &setup, BY_TIME).await;
        let mut session = bench.session().await;
        let mark = session.read_rows(bench.table(), Since::Beginning).await.unwrap().pop().unwrap().mark;
        assert_eq!(mark[1], "a");
        // It was changed before the mark, and committed after it was read.
        bench.sql("INSERT INTO dept VALUES ('b', 'B', 0, '2026-03-01 09:57:00', 9), ('gone', '', 1, '2026-03-01 11:00:00', 99)").await;
        let behind = session.read_rows(bench.table(), Since::Behind(&mark)).await.unwrap();
        assert_eq!(codes(&behind), Vec::<String>::new(), "{kind}");
        let again = session.read_rows(bench.table(), Since::Again { latest: &mark, former: None }).await.unwrap();
        assert_eq!(codes(&again), ["b", "a"], "{kind}: not the one that is long past, not what `when` leaves out");

        let by_number = Bench::new(kind, &setup, BY_NUMBER).await;
        let mut session = by_number.session().await;
        let latest = session.read_rows(by_number.table(), Since::Beginning).await.unwrap().pop().unwrap().mark;
        assert_eq!(latest, ["10", "a"], "the key tells rows with one mark apart");
        by_number.sql("INSERT INTO dept VALUES ('b', 'B', 0, NULL, 9)").await;
        let former = ["1".to_owned(), "z".to_owned()];
        let again = Since::Again { latest: &latest, former: Some(&former) };
        assert_eq!(codes(&session.read_rows(by_number.table(), again).await.unwrap()), ["b", "a"], "{kind}");
        let all = Since::Again { latest: &latest, former: None };
        assert_eq!(codes(&session.read_rows(by_number.table(), all).await.unwrap()), ["z", "b", "a"], "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mark_that_a_trigger_moves_is_no_news() {
    for kind in BOTH {
        let setup = format!("{SETUP};\nINSERT INTO dept VALUES ('a', 'A', 0, '2026-03-01 10:00:00', 10)");
        let bench = Bench::new(kind, &setup, BY_TIME).await;
        let mut session = bench.session().await;
        let first = session.read_rows(bench.table(), Since::Beginning).await.unwrap();
        bench.sql("UPDATE dept SET modified = '2026-03-01 12:00:00'").await;
        let moved = session.read_rows(bench.table(), Since::Beginning).await.unwrap();
        assert_eq!(moved[0].hash, first[0].hash, "{kind}");
        assert_ne!(moved[0].mark, first[0].mark);
        bench.sql("UPDATE dept SET name = 'B'").await;
        let changed = session.read_rows(bench.table(), Since::Beginning).await.unwrap();
        assert_ne!(changed[0].hash, first[0].hash, "{kind}");
        let looked = bench.look().await;
        assert!(looked.iter().all(|part| part.good == Some(true)), "{looked:?}");
    }
}
