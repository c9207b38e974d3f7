//! Collections as files: what the key may read, and nothing else.

use super::{Caller, STAFF, csv, id};
use hub_support::{Backends, Place, hrhub, said};
use std::fs;
use std::process::Command;

/// A file that the API gives: its status, its media type, its bytes.
fn file(caller: &Caller<'_>, path: &str) -> (u16, String, Vec<u8>) {
    let answer = caller.place.http().get(caller.place.url(path)).bearer_auth(&caller.key).header("purpose", "to look");
    let answer = answer.send().unwrap();
    let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
    (answer.status().as_u16(), kind, answer.bytes().unwrap().to_vec())
}

fn text(caller: &Caller<'_>, path: &str) -> String {
    let (status, _, bytes) = file(caller, path);
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!(status, 200, "{path}: {text}");
    text.trim_start_matches('\u{feff}').to_owned()
}

#[test]
fn a_collection_is_a_file_of_what_the_key_may_read() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    let admin = Caller::admin(&place);
    let import = admin.brings("as=employee", &csv(STAFF));
    admin.applies(id(&import));
    let table = text(&admin, "/v1/employees:export?fields=employee_number,display_name,status");
    let mut lines = table.lines();
    assert_eq!(lines.next(), Some("employee_number,display_name,status"));
    assert_eq!(lines.clone().count(), 3);
    assert!(lines.any(|line| line.starts_with("A0102,李娜")), "{table}");
    let one = text(&admin, "/v1/employees:export?fields=employee_number&employee_number=A0103");
    assert_eq!(one.lines().collect::<Vec<_>>(), ["employee_number", "A0103"]);
    for (format, magic) in [("xlsx", b"PK".as_slice()), ("parquet", b"PAR1")] {
        let (status, kind, bytes) = file(&admin, &format!("/v1/people:export?format={format}"));
        assert!(status == 200 && bytes.starts_with(magic) && !kind.starts_with("text"), "{format}: {kind}");
    }
    // Restricted and personal fields are left out for those who may not read them.
    let all = text(&admin, "/v1/people:export");
    assert!(all.contains("11019919910101000X") && all.lines().next().unwrap().contains("national_ids"));
    let reader = Caller::with(&place, "reader", "read");
    let seen = text(&reader, "/v1/people:export");
    assert!(seen.contains("刘洋") && !seen.contains("11019919910101000X") && !seen.contains("national_ids"), "{seen}");
    let structure = Caller::with(&place, "structure", "read:structure");
    assert!(!text(&structure, "/v1/people:export").contains("刘洋"));
    assert_eq!(reader.get("/v1/people:export?fields=national_ids").0, 403);
    assert_eq!(reader.get("/v1/people:export?fields=nmae").0, 400);
    assert_eq!(reader.get("/v1/people:export?format=pdf").0, 400);
    assert_eq!(reader.get("/v1/people:export?limit=5").0, 400);
    assert_eq!(reader.get("/v1/persons:export").0, 404);
    assert_eq!(Caller::with(&place, "clerk", "import").get("/v1/people:export").0, 403);

    let out = place.folder().join("people.csv");
    let mut command = Command::new(hrhub());
    command.args(["export", "people", "--fields", "name.full", "--hub", &place.url(""), "--out"]).arg(&out);
    let output = command.arg("--config").arg(place.config()).output().unwrap();
    assert!(output.status.success(), "{:?}", said(&output));
    assert!(fs::read_to_string(&out).unwrap().contains("张伟"));
}
