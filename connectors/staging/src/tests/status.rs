//! Tables in which both sides write a status.

use super::{BOTH, Bench};
use hub_kit::tables::{RowEnd, TableRow, WroteBack};
use std::collections::BTreeMap;
use std::time::Duration;

const FLAGS: &str = "
CREATE TABLE hr_out (seq bigint PRIMARY KEY, batch_id varchar(20), person varchar(20) NOT NULL, name varchar(50),
    pay decimal(19,4), born char(10), status char(1) NOT NULL DEFAULT 'N' CHECK (status IN ('N','P','S','E')),
    retry_cnt int, err_code varchar(20), err_text varchar(12), locked_by varchar(40), locked_at {stamp},
    changed_at {stamp});
CREATE TABLE hr_batch (batch_id varchar(20) PRIMARY KEY, state varchar(10), expected_rows int)";

const MANIFEST: &str = "tables:
  staff:
    table: hr_out
    key: [seq]
    record: [person]
    status: { column: status, new: N, taken: P, done: S, failed: E }
    claim: { by: locked_by, at: locked_at, stale_after_secs: 60 }
    error: { code: err_code, text: err_text, tries: retry_cnt, at: changed_at }
    mapping: staff
";

fn done(row: &TableRow, by: &str) -> RowEnd {
    RowEnd { key: row.key.clone(), by: by.to_owned(), hash: row.hash.clone(), failed: None, again: false }
}

fn failed(row: &TableRow, by: &str, text: &str) -> RowEnd {
    RowEnd { failed: Some(("REQUIRED".to_owned(), text.to_owned())), ..done(row, by) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn three_pollers_at_once_never_take_a_row_twice_and_all_are_taken() {
    for kind in BOTH {
        for skips in [true, false] {
            let rows: Vec<String> = (1..=300).map(|n| format!("({n}, 'p{n}')")).collect();
            let setup = format!("{FLAGS};\nINSERT INTO hr_out (seq, person) VALUES {}", rows.join(", "));
            let bench = std::sync::Arc::new(Bench::new(kind, &setup, MANIFEST).await);
            let pollers = (0..3).map(|poller| {
                let bench = std::sync::Arc::clone(&bench);
                tokio::spawn(async move {
                    let (mut session, mut taken) = (bench.session().await, Vec::new());
                    session.skips_locked = skips;
                    let mut empty = 0;
                    for page in 0.. {
                        let rows = match session.take_rows(bench.table(), &format!("poller-{poller}-{page:03}")).await {
                            Ok(rows) => rows,
                            // Of two that lock in different orders the server gives one up; it has taken nothing.
                            Err(error) => {
                                assert!(!skips && error.code() == "VENDOR_TROUBLE", "{error}");
                                continue;
                            }
                        };
                        // Others may hold all that is left for a moment.
                        empty = if rows.is_empty() { empty + 1 } else { 0 };
                        taken.extend(rows.into_iter().map(|row| row.key[0].clone()));
                        if empty == 3 {
                            return taken;
                        }
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                    unreachable!()
                })
            });
            let mut counts: BTreeMap<String, u32> = BTreeMap::new();
            for poller in pollers.collect::<Vec<_>>() {
                for key in poller.await.unwrap() {
                    *counts.entry(key).or_default() += 1;
                }
            }
            assert_eq!(counts.len(), 300, "{kind}, {skips}");
            assert!(counts.values().all(|count| *count == 1), "{kind}, {skips}: {counts:?}");
            assert_eq!(bench.sql("SELECT min(retry_cnt), max(retry_cnt) FROM hr_out").await, ["1|1"]);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_later_row_of_a_person_waits_for_the_earlier_one() {
    for kind in BOTH {
        let setup = format!(
            "{FLAGS};\nINSERT INTO hr_out (seq, person, name) VALUES (1, 'A1', '李'), (2, 'A1', '李小龙'), (3, 'B1', '王')"
        );
        let bench = Bench::new(kind, &setup, MANIFEST).await;
        let mut session = bench.session().await;
        let keys = |rows: &[TableRow]| rows.iter().map(|row| row.key[0].clone()).collect::<Vec<_>>();
        let first = session.take_rows(bench.table(), "one").await.unwrap();
        assert_eq!(keys(&first), ["1", "3"], "{kind}");
        assert_eq!(keys(&session.take_rows(bench.table(), "two").await.unwrap()), Vec::<String>::new());
        assert_eq!(session.write_row_back(bench.table(), &done(&first[0], "one")).await.unwrap(), WroteBack::Written);
        let second = session.take_rows(bench.table(), "three").await.unwrap();
        assert_eq!(keys(&second), ["2"], "{kind}");
        assert!(second[0].payload.contains("李小龙"), "{}", second[0].payload);
        assert_eq!(second[0].record, ["A1"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_dead_worker_held_is_taken_over_and_the_dead_one_writes_nothing_any_more() {
    for kind in BOTH {
        let bench =
            Bench::new(kind, &format!("{FLAGS};\nINSERT INTO hr_out (seq, person) VALUES (1, 'A1')"), MANIFEST).await;
        let mut session = bench.session().await;
        let first = session.take_rows(bench.table(), "dead").await.unwrap();
        assert!(session.take_rows(bench.table(), "alive").await.unwrap().is_empty(), "the first may live");
        let ago =
            if kind == "postgres" { "localtimestamp - interval '2 minutes'" } else { "NOW() - INTERVAL 2 MINUTE" };
        // The session's zone is that of the other side; the server's own is another.
        let zone = if kind == "postgres" { "SET TIME ZONE 'Asia/Shanghai'" } else { "SET time_zone = '+08:00'" };
        bench.sql(&format!("{zone}; UPDATE hr_out SET locked_at = {ago}")).await;
        let again = session.take_rows(bench.table(), "alive").await.unwrap();
        assert_eq!(again.len(), 1, "{kind}");
        assert_eq!(again[0].hash, first[0].hash, "what the hub writes is no part of what the row says");
        assert_eq!(session.write_row_back(bench.table(), &done(&first[0], "dead")).await.unwrap(), WroteBack::NotOurs);
        assert_eq!(session.write_row_back(bench.table(), &done(&again[0], "alive")).await.unwrap(), WroteBack::Written);
        assert_eq!(bench.sql("SELECT status, retry_cnt, locked_by FROM hr_out").await, ["S|2|alive"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_is_told_as_far_as_its_column_goes_and_a_later_success_clears_it() {
    for kind in BOTH {
        let bench = Bench::new(
            kind,
            &format!("{FLAGS};\nINSERT INTO hr_out (seq, person) VALUES (1, 'A1'), (2, 'B1')"),
            MANIFEST,
        )
        .await;
        let mut session = bench.session().await;
        let rows = session.take_rows(bench.table(), "one").await.unwrap();
        let reason = "身份证号码的校验位不对，请在源系统中更正后重新提交";
        let wrote = session.write_row_back(bench.table(), &failed(&rows[0], "one", reason)).await.unwrap();
        assert_eq!(wrote, WroteBack::Written);
        let told =
            bench.sql("SELECT status, err_code, err_text, changed_at IS NOT NULL FROM hr_out WHERE seq = 1").await;
        let yes = if kind == "postgres" { "t" } else { "1" };
        assert_eq!(told, [format!("E|REQUIRED|身份证号码的校验位不对…|{yes}")]);
        // A re-drive that succeeds days later.
        let end = RowEnd { again: true, ..done(&rows[0], "one") };
        assert_eq!(session.write_row_back(bench.table(), &end).await.unwrap(), WroteBack::Written);
        let told = bench.sql("SELECT status FROM hr_out WHERE seq = 1 AND err_code IS NULL AND err_text IS NULL").await;
        assert_eq!(told, ["S"]);
        // What says something else meanwhile is not told that it is done.
        bench.sql("UPDATE hr_out SET name = '改' WHERE seq = 2").await;
        let wrote = session.write_row_back(bench.table(), &done(&rows[1], "one")).await.unwrap();
        assert_eq!(wrote, WroteBack::Changed);
        assert_eq!(bench.sql("SELECT status FROM hr_out WHERE seq = 2").await, ["P"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_are_texts_to_the_last_digit_and_nothing_is_nothing() {
    for kind in BOTH {
        let setup = format!(
            "{FLAGS};\nINSERT INTO hr_out (seq, person, name, pay, born, batch_id) VALUES
             (9007199254740993, 'A1', '𠮷野 小雨', 15000.0000, '20240305', NULL), (2, 'B1', '?野', 0.1000, NULL, '')"
        );
        let bench = Bench::new(kind, &setup, MANIFEST).await;
        let rows = bench.session().await.take_rows(bench.table(), "one").await.unwrap();
        assert_eq!(
            rows[1].payload,
            r#"{"seq":"9007199254740993","batch_id":null,"person":"A1","name":"𠮷野 小雨","pay":"15000.0000","born":"20240305"}"#,
            "{kind}"
        );
        assert_eq!(rows[1].suspicious, Vec::<String>::new());
        assert_eq!(
            rows[0].payload, r#"{"seq":"2","batch_id":"","person":"B1","name":"?野","pay":"0.1000","born":null}"#,
            "{kind}"
        );
        assert_eq!(rows[0].suspicious, ["name"], "a letter that the other side's character set has lost");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_is_read_when_it_is_ready_and_whole() {
    let manifest = format!(
        "{MANIFEST}    batch: {{ table: hr_batch, on: batch_id, state: state, ready: READY, expected: expected_rows }}\n"
    );
    for kind in BOTH {
        let setup = format!(
            "{FLAGS};\nINSERT INTO hr_batch VALUES ('b1', 'LOADING', 2), ('b2', 'READY', 1);\n\
             INSERT INTO hr_out (seq, batch_id, person) VALUES (1, 'b1', 'A1'), (2, 'b2', 'B1'), (3, 'b2', 'C1')"
        );
        let bench = Bench::new(kind, &setup, &manifest).await;
        let mut session = bench.session().await;
        let keys = |rows: Vec<TableRow>| rows.into_iter().map(|row| row.key[0].clone()).collect::<Vec<_>>();
        assert!(session.take_rows(bench.table(), "one").await.unwrap().is_empty(), "{kind}: loading, or one too many");
        bench.sql("UPDATE hr_batch SET expected_rows = 2 WHERE batch_id = 'b2'").await;
        assert_eq!(keys(session.take_rows(bench.table(), "two").await.unwrap()), ["2", "3"], "{kind}");
        bench.sql("UPDATE hr_batch SET state = 'READY' WHERE batch_id = 'b1'").await;
        assert!(session.take_rows(bench.table(), "three").await.unwrap().is_empty(), "{kind}: one is missing");
        bench.sql("INSERT INTO hr_out (seq, batch_id, person) VALUES (4, 'b1', 'D1')").await;
        assert_eq!(keys(session.take_rows(bench.table(), "four").await.unwrap()), ["1", "4"], "{kind}");
    }
}

const CHINESE: &str = "
CREATE TABLE \"人员中间表\" (\"序号\" int PRIMARY KEY, \"工号\" varchar(20), \"姓名\" varchar(20), \"行数\" int,
    \"处理标志\" varchar(2) NOT NULL, \"处理时间\" varchar(20), \"错误信息\" varchar(10) NOT NULL DEFAULT '');
CREATE TABLE \"薪资行\" (\"上级\" int, \"行号\" int, \"金额\" varchar(20));
INSERT INTO \"人员中间表\" VALUES (1, 'A01', '李小龙', 2, '0', NULL, '旧'), (2, 'A02', '王小明', 0, '0', NULL, '');
INSERT INTO \"薪资行\" VALUES (1, 2, '120.50-')";

const CHINESE_MANIFEST: &str = "tables:
  staff:
    table: 人员中间表
    key: [序号]
    status: { column: 处理标志, new: 0, done: 2, failed: 9 }
    error: { text: 错误信息, at: 处理时间 }
    children: { lines: { table: 薪资行, on: { 上级: 序号 }, order: [行号], expected: 行数 } }
    mapping: staff
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chinese_tables_of_texts_are_read_with_their_lines_once_all_lines_are_there() {
    for kind in BOTH {
        let bench = Bench::new(kind, CHINESE, CHINESE_MANIFEST).await;
        let mut session = bench.session().await;
        let rows = session.take_rows(bench.table(), "").await.unwrap();
        assert_eq!(rows.len(), 1, "{kind}: a line of the first is missing");
        assert_eq!(rows[0].payload, r#"{"序号":"2","工号":"A02","姓名":"王小明","行数":"0","lines":[]}"#);
        bench.sql("INSERT INTO \"薪资行\" VALUES (1, 1, '8,500.00')").await;
        let rows = session.take_rows(bench.table(), "").await.unwrap();
        assert_eq!(rows.len(), 2, "rows that are not taken are read until they are told");
        let lines = r#""lines":[{"上级":"1","行号":"1","金额":"8,500.00"},{"上级":"1","行号":"2","金额":"120.50-"}]"#;
        assert!(rows[0].payload.contains(lines), "{kind}: {}", rows[0].payload);
        assert!(!rows[0].children_hash.is_empty());
        for (row, end) in [(&rows[0], done(&rows[0], "")), (&rows[1], failed(&rows[1], "", "工号重复"))] {
            assert_eq!(
                session.write_row_back(bench.table(), &end).await.unwrap(),
                WroteBack::Written,
                "{}",
                row.payload
            );
        }
        let told =
            bench.sql("SELECT \"处理标志\", \"错误信息\", length(\"处理时间\") FROM \"人员中间表\" ORDER BY 1").await;
        assert_eq!(told, ["2||19", "9|工号重复|19"], "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_column_that_is_not_there_is_named_and_a_look_tells_what_is_missing() {
    for kind in BOTH {
        let bench = Bench::new(kind, FLAGS, &MANIFEST.replace("err_code", "err_cod")).await;
        let error = bench.session().await.take_rows(bench.table(), "one").await.unwrap_err().to_string();
        assert!(error.contains("no column `err_cod`; did you mean `err_code`?"), "{kind}: {error}");
        let looked = bench.look().await;
        let staff = looked.iter().find(|part| part.name == "table staff").unwrap();
        assert_eq!(staff.good, Some(false), "{looked:?}");
        let missing = Bench::new(kind, FLAGS, &MANIFEST.replace("table: hr_out", "table: hr_uot")).await;
        let error = missing.session().await.take_rows(missing.table(), "one").await.unwrap_err().to_string();
        assert!(error.contains("there is no such table or view"), "{kind}: {error}");
        let sound = Bench::new(kind, FLAGS, MANIFEST).await;
        let looked = sound.look().await;
        assert!(looked.iter().all(|part| part.good == Some(true)), "{looked:?}");
        assert!(looked.iter().any(|part| part.detail.contains("SKIP LOCKED")), "{looked:?}");
        assert!(looked.iter().any(|part| part.detail == "0 new, 0 failed rows"), "{looked:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rights_on_the_columns_of_the_status_are_enough_and_what_lacks_is_found_by_looking() {
    let columns = "(status, retry_cnt, err_code, err_text, locked_by, locked_at, changed_at)";
    for kind in BOTH {
        let user = hub_support::unique("u");
        let (make, name) = if kind == "postgres" {
            (format!("CREATE ROLE {user} LOGIN PASSWORD 'p'"), user.clone())
        } else {
            (format!("CREATE USER {user}@'127.0.0.1' IDENTIFIED BY 'p'"), format!("{user}@'127.0.0.1'"))
        };
        let grant = format!("GRANT SELECT, UPDATE {columns} ON hr_out TO {name}");
        let setup = format!("{FLAGS};\nINSERT INTO hr_out (seq, person) VALUES (1, 'A1');\n{make};\n{grant}");
        let credentials = format!("{user}:p");
        let kind_of = kind.to_owned();
        let bench =
            tokio::task::spawn_blocking(move || Bench::make(&kind_of, &setup, MANIFEST, &credentials)).await.unwrap();
        let looked = bench.look().await;
        assert!(looked.iter().all(|part| part.good == Some(true)), "{kind}: {looked:?}");
        let mut session = bench.session().await;
        let rows = session.take_rows(bench.table(), "one").await.unwrap();
        assert_eq!(session.write_row_back(bench.table(), &done(&rows[0], "one")).await.unwrap(), WroteBack::Written);
        bench.sql(&format!("REVOKE UPDATE (err_text) ON hr_out FROM {name}")).await;
        let looked = bench.look().await;
        let told = looked.iter().find(|part| part.good == Some(false)).unwrap_or_else(|| panic!("{kind}: {looked:?}"));
        assert!(told.detail.contains("no right to update the column `err_text`"), "{told:?}");
    }
}
