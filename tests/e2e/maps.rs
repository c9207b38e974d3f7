//! Mapping files, from the command line.

use hub_support::{hrhub, project_root, said, wait_for};
use serde_json::Value;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;
use tempfile::TempDir;

const MAPPING: &str = r#"version: 1
from: kestrel/application
let: { app: payload.application }
emit:
  - to: candidate
    key: app.candidate.id
    fields:
      name: { person_name: { given: app.candidate.first, family: app.candidate.last } }
      emails: { each: app.candidate.emails, email: item }
      headline: { expr: 'upper(app.title) & "!"' }
  - to: application
    key: app.id
    fields:
      candidate: { ref: candidate, key: app.candidate.id }
      outcome: { path: app.status, enum: { active: PENDING, hired: HIRED }, unknown: park }
"#;

const INPUT: &str = r#"{ "application": { "id": 7, "status": "hired", "title": "baker", "stage_name": "Screening",
  "candidate": { "id": 3, "first": "Mira", "last": "Lindqvist", "emails": ["mira@example.org", "m@example.org"] } } }
"#;

/// A folder with one mapping, one case, and what is written into it.
struct Folder(TempDir);

impl Folder {
    /// With a case whose expectation holds.
    fn new() -> Self {
        let folder = Self::bare();
        folder.write("mappings/kestrel/cases/application.in/hired.input.json", INPUT);
        let made = folder.run(&["map", "test", "--bless"]);
        assert!(made.status.success(), "{:?}", said(&made));
        folder
    }

    /// Without a case.
    fn bare() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.write("mappings/kestrel/application.in.yaml", MAPPING);
        folder
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.0.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.0.path().join(file)).unwrap()
    }

    fn edit(&self, file: &str, from: &str, to: &str) {
        let text = self.read(file);
        assert!(text.contains(from), "`{from}` is not in {file}:\n{text}");
        self.write(file, &text.replace(from, to));
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(hrhub());
        command.args(args).current_dir(self.0.path());
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Runs `hrhub map` with arguments; exit code, output and what stood beside it.
    fn map(&self, args: &[&str]) -> (Option<i32>, String, String) {
        let output = self.run(&[&["map"], args].concat());
        let (out, err) = said(&output);
        (output.status.code(), out, err)
    }

    /// The same with something on standard input.
    fn map_reading(&self, args: &[&str], input: &str) -> (Option<i32>, String, String) {
        let mut command = self.command(&[&["map"], args].concat());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let (out, err) = said(&output);
        (output.status.code(), out, err)
    }
}

const FILE: &str = "mappings/kestrel/application.in.yaml";
const CASES: &str = "mappings/kestrel/cases/application.in";

fn case(name: &str) -> String {
    format!("{CASES}/{name}")
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in:\n{text}"))
}

const DIFFERENCE: &str = r#"mappings/kestrel/cases/application.in/hired.expect.json:19: error: kestrel/application.in/hired gives another result
- expected, + found
@@ -16,7 +16,7 @@
           "address": "m@example.org"
         }
       ],
-      "headline": "baker"
+      "headline": "BAKER!"
     },
     {
       "entity": "application",
@@ -30,7 +30,7 @@
       },
       "outcome": {
         "value": "HIRED",
-        "raw": "Hired"
+        "raw": "hired"
       },
       "ext": {
         "stage_name": "Screening"

"#;

#[test]
fn a_case_that_differs_is_shown_by_its_differing_lines() {
    let folder = Folder::new();
    let (code, out, _) = folder.map(&["test"]);
    assert_eq!(code, Some(0), "{out}");
    assert!(out.starts_with("1 case of 1 mapping: 1 passed, 0 failed ("), "{out}");
    let expect = case("hired.expect.json");
    folder.edit(&expect, "\"BAKER!\"", "\"baker\"");
    folder.edit(&expect, "\"raw\": \"hired\"", "\"raw\": \"Hired\"");
    let (code, out, _) = folder.map(&["test"]);
    let (shown, summary) = out.rsplit_once("1 case of").unwrap();
    assert_eq!(shown, DIFFERENCE);
    assert!(summary.starts_with(" 1 mapping: 0 passed, 1 failed ("), "{summary}");
    assert_eq!(code, Some(1));
    let (code, out, _) = folder.map(&["test", "--format", "json"]);
    let report = json(&out);
    assert_eq!((code, report["failed"].as_u64(), report["passed"].as_u64()), (Some(1), Some(1), Some(0)));
    let problem = &report["problems"][0];
    assert_eq!((problem["file"].as_str(), problem["line"].as_u64()), (Some(expect.as_str()), Some(19)));
    assert!(problem["diff"].as_str().unwrap().contains("+      \"headline\": \"BAKER!\""), "{problem}");
}

#[test]
fn bless_writes_what_differs_and_nothing_for_a_mapping_with_errors() {
    let folder = Folder::new();
    let expect = case("hired.expect.json");
    let good = folder.read(&expect);
    folder.edit(&expect, "BAKER", "COOK");
    folder.write(&case("again.input.json"), INPUT);
    let (code, out, _) = folder.map(&["test"]);
    assert_eq!(code, Some(1));
    assert!(out.contains("again.input.json:1: error: kestrel/application.in/again: the case has no expectation"));
    assert!(out.contains("`--bless` writes mappings/kestrel/cases/application.in/again.expect.json"), "{out}");
    let (code, out, _) = folder.map(&["test", "--bless"]);
    assert_eq!(code, Some(0), "{out}");
    assert!(out.contains(&format!("written: {expect}\n")) && out.contains("again.expect.json\n"), "{out}");
    assert!(out.contains("2 cases of 1 mapping: 0 passed, 0 failed, 2 expectations written ("), "{out}");
    assert_eq!((folder.read(&expect), folder.read(&case("again.expect.json"))), (good.clone(), good.clone()));
    let (_, out, _) = folder.map(&["test", "--bless"]);
    assert!(!out.contains("written"), "what holds is left alone: {out}");

    folder.edit(FILE, "headline:", "headlin:");
    folder.edit(&expect, "BAKER", "COOK");
    let before = folder.read(&expect);
    let (code, out, _) = folder.map(&["test", "--bless"]);
    assert_eq!(code, Some(1));
    assert!(out.contains("application.in.yaml:10:7: error: candidate has no field `headlin`"), "{out}");
    assert!(out.contains("2 cases of 1 mapping: 0 passed, 2 failed"), "{out}");
    assert_eq!(folder.read(&expect), before);
}

#[test]
fn files_that_lie_wrong_fail_with_their_path() {
    let folder = Folder::new();
    folder.write(&case("late.inptu.json"), INPUT);
    folder.write(&case("gone.expect.json"), "{}");
    folder.write("mappings/kestrel/cases/aplication.in/x.input.json", INPUT);
    folder.write("mappings/kestrel/candidate.in.yaml", &MAPPING.replace("/application", "/candidate"));
    let (code, out, _) = folder.map(&["test"]);
    assert_eq!(code, Some(1));
    for wanted in [
        "application.in/late.inptu.json: error: this is neither an input nor an expectation\n help: did you mean `late.input.json`?",
        "application.in/gone.expect.json: error: an expectation without an input",
        "cases/aplication.in: error: cases without a mapping: there is no mappings/kestrel/aplication.in.yaml",
        "mappings/kestrel/candidate.in.yaml: error: the mapping has no case",
        "1 case of 2 mappings: 1 passed, 0 failed (",
        "; 4 other problems",
    ] {
        assert!(out.contains(wanted), "`{wanted}` is not in:\n{out}");
    }
    let (code, out, _) = folder.map(&["test", "--format", "json"]);
    assert_eq!((code, json(&out)["problems"].as_array().unwrap().len()), (Some(1), 4));
    folder.write(&case("broken.input.json"), "{\n  \"a\": ");
    let (_, out, _) = folder.map(&["test", "application.in/broken"]);
    assert!(out.contains("broken.input.json:2: error: kestrel/application.in/broken: the input is no JSON: "), "{out}");
}

#[test]
fn a_run_of_nothing_fails() {
    let folder = Folder::bare();
    let (code, out, _) = folder.map(&["test"]);
    assert_eq!(code, Some(1));
    assert!(out.contains("0 cases of 1 mapping: 0 passed, 0 failed"), "{out}");
    let (code, _, err) = folder.map(&["test", "no-such-name"]);
    assert_eq!(code, Some(1));
    assert!(err.contains("`no-such-name` is no file or folder, and no mapping or case below . has it"), "{err}");
    fs::create_dir(folder.0.path().join("empty")).unwrap();
    let (code, _, err) = folder.map(&["test", "empty"]);
    assert!(code == Some(1) && err.contains("there is no mapping file") && err.contains("below empty"), "{err}");
    let (code, _, err) = folder.map(&["check", "empty"]);
    assert!(code == Some(1) && err.contains("there is no mapping file"), "{err}");
    assert_eq!(folder.map(&["test", "one", "two"]).0, Some(2));
}

#[test]
fn folders_files_and_words_choose_what_runs() {
    let folder = Folder::new();
    folder.write(&case("other.input.json"), INPUT);
    folder.map(&["test", "--bless"]);
    let other = case("other.input.json");
    for (args, cases) in [
        (["."], 2),
        (["mappings"], 2),
        (["mappings/kestrel/"], 2),
        ([FILE], 2),
        (["kestrel/application"], 2),
        (["application.in/other"], 1),
        (["hired"], 1),
        ([CASES], 2),
        ([other.as_str()], 1),
    ] {
        let (code, out, err) = folder.map(&["test", args[0], "--format", "json"]);
        assert_eq!((code, json(&out)["cases"].as_u64()), (Some(0), Some(cases)), "{args:?}: {out}{err}");
    }
    let vendor = folder.0.path().join("mappings/kestrel");
    let output = Command::new(hrhub()).args(["map", "test", "hired"]).current_dir(vendor).output().unwrap();
    let (out, err) = said(&output);
    assert!(out.starts_with("1 case of 1 mapping: 1 passed"), "{out}{err}");
    let absolute = folder.0.path().join(CASES);
    for (folder, args) in
        [("mappings/kestrel", "cases"), ("mappings/kestrel", "cases/application.in"), (".", absolute.to_str().unwrap())]
    {
        let root = absolute.ancestors().nth(4).unwrap();
        let output = Command::new(hrhub()).args(["map", "test", args]).current_dir(root.join(folder)).output().unwrap();
        let (out, err) = said(&output);
        assert!(out.starts_with("2 cases of 1 mapping: 2 passed"), "{folder} {args}: {out}{err}");
    }
}

#[test]
fn a_thousand_cases_are_one_run() {
    let folder = Folder::new();
    let expect = folder.read(&case("hired.expect.json"));
    for number in 1..1000 {
        folder.write(&case(&format!("n{number}.input.json")), INPUT);
        let wrong = number == 500;
        let text = if wrong { expect.replace("BAKER", "COOK") } else { expect.clone() };
        folder.write(&case(&format!("n{number}.expect.json")), &text);
    }
    let (code, out, _) = folder.map(&["test"]);
    assert_eq!(code, Some(1));
    assert!(out.contains("1000 cases of 1 mapping: 999 passed, 1 failed ("), "{out}");
    assert!(out.contains("n500.expect.json:19: error"), "{out}");
}

#[test]
fn try_shows_result_findings_and_what_no_rule_reads() {
    let folder = Folder::new();
    let input = case("hired.input.json");
    let (code, out, err) = folder.map(&["try", FILE, &input]);
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(json(&out)[0]["name"]["full"], "Mira Lindqvist");
    assert!(err.contains("no rule reads payload.application.stage_name"), "{err}");
    assert!(err.contains("2 records, 0 errors, 0 warnings, 1 unread path\n"), "{err}");
    folder.write("bad.json", &INPUT.replace("\"hired\"", "\"odd\"").replace("mira@example.org", "nobody"));
    let (code, out, err) = folder.map(&["try", FILE, "bad.json"]);
    assert_eq!(code, Some(1));
    assert_eq!(json(&out).as_array().unwrap().len(), 1);
    for wanted in [
        "application.in.yaml:15:",
        "error: application/outcome: ",
        " 15 |       outcome: { path: app.status",
        "warning: candidate/emails/0: ",
        "[invalid_email]",
        "1 record, 1 error, 1 warning",
    ] {
        assert!(err.contains(wanted), "`{wanted}` is not in:\n{err}");
    }
    assert!(!err.contains("nobody"), "findings quote no values");
    let (code, out, err) = folder.map(&["try", FILE, "bad.json", "--format", "json"]);
    let result = json(&out);
    assert_eq!((code, err.as_str()), (Some(1), ""));
    let finding = result["findings"].as_array().unwrap().iter().find(|f| f["level"] == "error").unwrap();
    assert_eq!((finding["file"].as_str(), finding["line"].as_u64()), (Some(FILE), Some(15)));
    assert_eq!(result["unread"][0], "payload.application.stage_name");
}

#[test]
fn try_reads_standard_input_events_headers_and_full_inputs() {
    let folder = Folder::bare();
    let file = "mappings/kestrel/greeting.in.yaml";
    folder.write(
        file,
        "version: 1\nfrom: kestrel/greeting\nemit:\n  - to: candidate\n    key: payload.id\n    fields:\n      \
         headline: { expr: 'event & \" \" & (headers[\"x-id\"] ?? \"-\") & \" \" & (request.by ?? \"-\")' }\n",
    );
    let headline = |out: &str| json(out)[0]["headline"].as_str().unwrap_or_default().to_owned();
    let (_, out, err) = folder.map_reading(&["try", file, "-", "--event", "hi", "--header", "X-Id: 5"], "{\"id\": 1}");
    assert_eq!(headline(&out), "hi 5 -", "{err}");
    let full = r#"{"payload": {"id": 1}, "event": "then", "headers": {"x-id": "a"}, "request": {"by": "me"}}"#;
    folder.write("x.full.json", full);
    assert_eq!(headline(&folder.map(&["try", file, "x.full.json"]).1), "then a me");
    assert_eq!(headline(&folder.map(&["try", file, "x.full.json", "--event", "now"]).1), "now a me");
    assert_eq!(headline(&folder.map_reading(&["try", file, "-", "--full"], full).1), "then a me");
    let (code, _, err) = folder.map_reading(&["try", file, "-"], "{");
    assert!(code == Some(1) && err.contains("standard input:1:2: this is no JSON"), "{err}");
    let (code, _, err) = folder.map(&["try", file, "nowhere.json"]);
    assert!(code == Some(1) && err.contains("reading nowhere.json"), "{err}");
    assert_eq!(folder.map(&["try", file, "x.full.json", "--header", "nonsense"]).0, Some(2));
    assert_eq!(folder.map(&["try", file, "-", "--watch"]).0, Some(2));
    folder.edit(file, "headline:", "headlin:");
    let (code, out, _) = folder.map(&["try", file, "x.full.json"]);
    assert!(code == Some(1) && out.contains("did you mean `headline`?"), "{out}");
}

/// A program that is killed when the test ends.
struct Watching(Child);

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn watch_runs_again_on_save_and_survives_half_a_file() {
    let folder = Folder::bare();
    folder.write("in.json", INPUT);
    let log = folder.0.path().join("log");
    let out = fs::File::create(&log).unwrap();
    let mut command = folder.command(&["map", "try", FILE, "in.json", "--watch"]);
    command.stdin(Stdio::null()).stdout(out.try_clone().unwrap()).stderr(out);
    let mut watching = Watching(command.spawn().unwrap());
    let wait = |wanted: &str, times: usize| {
        let what = format!("`{wanted}` {times} times");
        wait_for(&what, Duration::from_secs(30), || {
            let text = fs::read_to_string(&log).unwrap();
            (text.matches(wanted).count() >= times && text.matches("waiting for a change").count() >= times)
                .then_some(text)
        })
    };
    assert!(!wait("BAKER!", 1).contains('\u{1b}'), "no colours and no clearing where no screen is");
    folder.write("in.json", &INPUT[..40]);
    wait("in.json:1:", 1);
    folder.write("in.json", &INPUT.replace("baker", "cook"));
    wait("COOK!", 1);
    folder.edit(FILE, "upper(", "lower(");
    wait("cook!", 1);
    assert!(watching.0.try_wait().unwrap().is_none());
}

#[test]
fn explain_names_rule_sources_and_result_however_the_field_is_written() {
    let folder = Folder::new();
    let input = case("hired.input.json");
    let explain = |more: &[&str]| folder.map(&[&["explain", FILE, &input], more].concat());
    let (code, text, err) = explain(&["candidate.name.full"]);
    assert_eq!(code, Some(0), "{err}");
    for wanted in [
        "candidate 3: name.full = \"Mira Lindqvist\"\n",
        "mappings/kestrel/application.in.yaml:8:7\n 8 |       name: { person_name:",
        "app.candidate.first  [payload.application.candidate.first]",
        "\"Mira\"",
    ] {
        assert!(text.contains(wanted), "`{wanted}` is not in:\n{text}");
    }
    for field in ["/name/full", "name.full", "/candidate/name/full"] {
        assert_eq!(explain(&[field]).1, text, "{field}");
    }
    let (_, emails, _) = explain(&["emails[1].address"]);
    assert!(emails.starts_with("candidate 3: emails[1].address = \"m@example.org\"\n"), "{emails}");
    assert!(emails.contains("payload.application.candidate.emails[1]"), "{emails}");
    assert_eq!(explain(&["/emails/1/address"]).1, emails);
    let (_, headline, _) = explain(&["headline"]);
    assert!(headline.contains("\"BAKER\"  ⟵ upper(app.title)") && headline.contains("\"baker\"  ⟵"), "{headline}");
    let (_, out, _) = explain(&["headline", "--format", "json"]);
    assert_eq!(json(&out)["value"], "BAKER!");
    let (_, reference, _) = explain(&["application.candidate"]);
    assert!(reference.starts_with("application 7: candidate = "), "{reference}");
}

#[test]
fn explain_says_what_is_missing_and_what_to_choose() {
    let folder = Folder::new();
    let input = case("hired.input.json");
    let explain = |more: &[&str]| {
        let (code, out, err) = folder.map(&[&["explain", FILE, &input], more].concat());
        (code, out + &err)
    };
    let (code, text) = explain(&["headlin"]);
    assert!(code == Some(1) && text.contains("did you mean `headline`?"), "{text}");
    let (code, text) = explain(&["application.stage_kind"]);
    assert!(code == Some(1) && text.contains("sets `stage_kind` of application"), "{text}");
    let (_, text) = explain(&["candidate.current_title"]);
    assert!(text.contains("the payload has payload.application.title"), "{text}");
    let (code, text) = explain(&["name.full", "--entity", "applicatoin"]);
    assert!(code == Some(1) && text.contains("did you mean `application`?"), "{text}");
    folder.edit(FILE, "  - to: application\n", "  - to: person\n    key: app.candidate.id\n    fields:\n      name: { person_name: app.candidate.first }\n  - to: application\n");
    folder.edit(FILE, "person_name: app.candidate.first }", "person_name: { full: app.candidate.first } }");
    let (code, text) = explain(&["name.full"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("--entity candidate --key 3\n  --entity person --key 3"), "{text}");
    assert_eq!(explain(&["name.full", "--entity", "person"]).0, Some(0));
    assert_eq!(explain(&["person.name.full"]).0, Some(0));
    let (code, text) = explain(&["person.name.full", "--key", "9"]);
    assert!(code == Some(1) && text.contains("has the key `9`; there are:\n  --entity person --key 3"), "{text}");
    folder.write(
        "mappings/kestrel/note.out.yaml",
        "version: 1\nto: kestrel/note\nfields:\n  note.text: { expr: 'upper(payload.a)' }\n",
    );
    folder.write("a.json", "{\"a\": \"x\"}");
    let (code, out, err) = folder.map(&["explain", "mappings/kestrel/note.out.yaml", "a.json", "note.text"]);
    assert!(code == Some(0) && out.starts_with("body: note.text = \"X\"") && out.contains("payload.a"), "{out}{err}");
}

fn payload(name: &str) -> String {
    project_root().join(Path::new("tests/golden/payloads/greenhouse")).join(name).to_str().unwrap().to_owned()
}

#[test]
fn run_does_what_the_hub_would_do_with_a_web_hook() {
    let folder = Folder::bare();
    let file = payload("candidate_stage_change.json");
    let (code, out, err) = folder.map(&["run", "greenhouse", &file, "--header", "Greenhouse-Event-ID: 77"]);
    assert_eq!(code, Some(0), "{err}");
    let result = json(&out);
    assert_eq!(result["mapping"], "greenhouse/application.in");
    assert_eq!((result["event"].as_str(), result["dedupe_id"].as_str()), (Some("candidate_stage_change"), Some("77")));
    assert_eq!((&result["fetch"], &result["retryable"]), (&serde_json::json!([]), &Value::Null));
    let entities: Vec<&str> =
        result["records"].as_array().unwrap().iter().map(|record| record["entity"].as_str().unwrap()).collect();
    assert_eq!(entities, ["candidate", "person", "application"]);
    assert!(result["findings"].is_array() && result["unread"].is_array());
    // Without an id of the vendor's, the body is the id.
    let (_, out, _) = folder.map(&["run", "greenhouse", &file]);
    assert!(json(&out)["dedupe_id"].as_str().unwrap().starts_with("sha256:"));

    let (code, out, err) = folder.map_reading(&["run", "greenhouse", "-"], r#"{"action": "offer_created"}"#);
    let result = json(&out);
    assert_eq!((code, result["mapping"].is_null(), result["event"].as_str()), (Some(0), true, Some("offer_created")));
    assert_eq!(result["findings"][0]["code"], "event_unknown");
    assert!(err.contains("does not know the event `offer_created`"), "{err}");
    let (code, out, _) = folder.map_reading(&["run", "greenhouse", "-"], r#"{"action": "ping"}"#);
    assert_eq!((code, json(&out)["findings"].as_array().unwrap().len()), (Some(0), 0));
    let (code, out, err) = folder.map_reading(&["run", "greenhouse", "-"], "{}");
    assert_eq!((code, json(&out)["findings"][0]["code"].as_str()), (Some(1), Some("event_missing")));
    assert!(err.contains("--event says what it is: new_candidate_application"), "{err}");
    let (code, _, err) = folder.map(&["run", "greenhouze", &file]);
    assert!(code == Some(1) && err.contains("did you mean `greenhouse`?"), "{err}");
    let (code, _, err) = folder.map(&["run", "greenhouse", &file, "--event", "candidate_stage_chnage"]);
    assert!(code == Some(2) && err.contains("did you mean `candidate_stage_change`?"), "{err}");
    assert_eq!(folder.map(&["run", "greenhouse", &file, "--connection", "x"]).0, Some(2), "it needs --config");
}

#[test]
fn run_knows_answers_by_their_shape_or_name() {
    let folder = Folder::bare();
    let run = |vendor: &str, body: &str, more: &[&str]| {
        let (code, out, err) = folder.map_reading(&[&["run", vendor, "-"], more].concat(), body);
        (code, if out.is_empty() { Value::String(err) } else { json(&out) })
    };
    let invited = r#"{"interview_id": "iv-1", "status": "open"}"#;
    let (code, result) = run("ai-interview", invited, &[]);
    assert_eq!((code, result["event"].as_str()), (Some(0), Some("invite")), "{result}");
    assert_eq!((&result["mapping"], &result["dedupe_id"]), (&Value::from("ai-interview/invite.in"), &Value::Null));
    assert_eq!((&result["records"][0]["entity"], &result["retryable"]), (&"assessment_order".into(), &Value::Null));
    assert_eq!(run("ai-interview", invited, &["--event", "invite"]).1, result);
    for (body, retryable) in [
        (r#"{"errcode": 88, "sub_code": "90018"}"#, true),
        (r#"{"errcode": 60011}"#, false),
        // A new token is fetched, and the call is made once more.
        (r#"{"errcode": 40014}"#, true),
        // Busy: worth another try, unless nothing would tell a repetition.
        (r#"{"errcode": -1}"#, true),
    ] {
        let (code, result) = run("dingtalk", body, &[]);
        assert_eq!((code, result["retryable"].as_bool()), (Some(0), Some(retryable)), "{body}: {result}");
        assert_eq!(result["records"], serde_json::json!([]));
    }
    let (_, result) = run("dingtalk", r#"{"errcode": -1}"#, &["--event", "send_message"]);
    assert_eq!(result["retryable"], Value::Bool(false), "the message may have been sent: {result}");
    let (code, result) = run("dingtalk", r#"{"odd": 1}"#, &[]);
    assert_eq!((code, result["findings"][0]["code"].as_str()), (Some(1), Some("event_missing")), "{result}");
    let (_, result) = run("greenhouse", "{}", &["--event", "add_note", "--status", "503"]);
    assert_eq!((&result["retryable"], &result["event"]), (&Value::Bool(true), &"add_note".into()), "{result}");
}

#[test]
fn run_takes_the_connectors_mappings_and_connections_of_a_folder() {
    let folder = Folder::bare();
    let manifest = "version: 1\nvendor: kestrel\nname: Kestrel\nfamily: ats\ndriver: http\n\
        base_url: https://api.kestrel.example\negress: [api.kestrel.example]\n\
        settings: { region: { doc: where } }\nwebhook:\n  \
        verify: { kind: hmac_sha256, header: x-sign }\n  event: payload.kind\n  dedupe: payload.id\n  \
        keep_headers: [x-kept]\n  events: { hello: greeting, lost: nowhere, broken: broken }\n";
    folder.write("connectors/kestrel/manifest.yaml", manifest);
    let mapping = "version: 1\nfrom: kestrel/greeting\nemit:\n  - to: candidate\n    key: payload.id\n    fields:\n      \
        headline: { expr: 'connection.id & \" \" & (connection.settings.region ?? \"-\") & \" \" & \
        (headers[\"x-kept\"] ?? \"-\") & (headers[\"x-other\"] ?? \"-\")' }\n";
    folder.write("mappings/kestrel/greeting.in.yaml", mapping);
    folder.write(
        "mappings/kestrel/broken.in.yaml",
        &mapping.replace("greeting", "broken").replace("headline", "headlin"),
    );
    let body = r#"{"kind": "hello", "id": "d-1"}"#;
    let run = |more: &[&str], body: &str| {
        folder.map_reading(
            &[&["run", "kestrel", "-", "--config", ".", "--header", "X-Kept:k", "--header", "X-Other:o"], more]
                .concat(),
            body,
        )
    };
    let (code, out, err) = run(&[], body);
    assert_eq!(code, Some(0), "{err}");
    let result = json(&out);
    assert_eq!((&result["records"][0]["headline"], &result["dedupe_id"]), (&"kestrel - k-".into(), &"d-1".into()));
    folder.write("connections/one.yaml", "id: k-one\nconnector: kestrel\nsettings: { region: eu }\n");
    assert_eq!(json(&run(&[], body).1)["records"][0]["headline"], "k-one eu k-");
    folder.write("connections/two.yaml", "id: k-two\nconnector: kestrel\nsettings: { region: cn }\n");
    assert_eq!(json(&run(&["--connection", "k-two"], body).1)["records"][0]["headline"], "k-two cn k-");
    let (_, out, err) = run(&[], body);
    assert!(json(&out)["records"][0]["headline"] == "kestrel - k-" && err.contains("--connection names one"), "{err}");
    let (code, _, err) = run(&["--connection", "k-tow"], body);
    assert!(code == Some(1) && err.contains("did you mean `k-two`?"), "{err}");
    let (code, out, err) = run(&["--connection", "k-one"], &body.replace("hello", "lost"));
    let result = json(&out);
    assert_eq!((code, result["findings"][0]["code"].as_str()), (Some(1), Some("mapping_missing")), "{err}");
    assert_eq!((&result["mapping"], &result["event"]), (&Value::Null, &"lost".into()));
    let (code, _, err) = run(&["--connection", "k-one"], &body.replace("hello", "broken"));
    assert!(code == Some(1) && err.contains("candidate has no field `headlin`"), "{err}");
}

const SAMPLE: &str = r#"{"kind":"hired","data":{"candidate":{"id":"c-1","firstName":"Mira","lastName":"Lindqvist",
  "emailAddress":"mira@example.org","mobile":"+34 600 11 22 33","startsOn":"05/06/2026"}}}"#;

#[test]
fn new_proposes_a_mapping_that_checks_and_whose_samples_are_cases() {
    let folder = Folder::bare();
    folder.write("samples/1.json", SAMPLE);
    folder.write("samples/2.json", &SAMPLE.replace("c-1", "c-2").replace("Mira", "Ana").replace("mira@", "ana@"));
    let new = |more: &[&str]| {
        let samples = ["samples/1.json", "samples/2.json"];
        let base = ["new", "--connector", "osprey", "--object", "hired", "--to", "candidate", "--from"];
        folder.map(&[&base[..], &samples[..], more].concat())
    };
    let (code, out, err) = new(&[]);
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("from: osprey/hired") && out.contains("name: { person_name:"), "{out}");
    assert!(out.lines().any(|line| line.contains("emailAddress") && line.contains("# 100: name")), "{out}");
    // Which of two numbers is the month, no sample says: nothing is guessed.
    assert!(out.lines().all(|line| !line.contains("startsOn") || line.trim_start().starts_with('#')), "{out}");
    let (code, out, err) = new(&["--into", "."]);
    assert_eq!((code, out.lines().count()), (Some(0), 5), "{out}{err}");
    assert_eq!(folder.map(&["check", "mappings/osprey"]).0, Some(0));
    assert_eq!(folder.map(&["test", "mappings/osprey"]).0, Some(0));
    let (code, _, err) = new(&["--into", "."]);
    assert!(code == Some(1) && err.contains("is there already"), "{err}");
    let (code, _, err) =
        folder.map(&["new", "--connector", "o", "--object", "h", "--to", "candidat", "--from", "samples/1.json"]);
    assert!(code == Some(2) && err.contains("did you mean `candidate`?"), "{err}");
}

#[test]
fn schemas_reference_and_needs_are_printed_for_tools_and_people() {
    let folder = Folder::bare();
    for (of, title) in [("in", "(*.in.yaml)"), ("out", "(*.out.yaml)"), ("list", "code list"), ("case", "case")] {
        let (code, out, _) = folder.map(&["schema", of]);
        assert_eq!(code, Some(0));
        assert!(json(&out)["title"].as_str().unwrap().contains(title), "{out}");
    }
    let (_, out, _) = folder.map(&["reference"]);
    let reference = fs::read_to_string(project_root().join("mappings/REFERENCE.md")).unwrap();
    assert_eq!(out.trim_end(), reference.trim_end());
    let out_file = "mappings/kestrel/hire.out.yaml";
    folder
        .write(out_file, "version: 1\nto: kestrel/hire\nfields:\n  id: { path: payload.person.id, required: true }\n");
    let (code, out, err) = folder.map(&["needs", out_file]);
    assert_eq!(code, Some(0), "{err}");
    let need = serde_json::json!({ "field": "/id", "reads": ["payload.person.id"], "required": true });
    assert_eq!(json(&out)["needs"], serde_json::json!([need]));
    assert_eq!(folder.map(&["needs", FILE]).0, Some(2));
}

#[test]
fn inputs_and_bodies_may_be_xml() {
    let folder = Folder::bare();
    let mapping = "version: 1\nfrom: heron/worker\nemit:\n  - to: candidate\n    each: payload.Envelope.Body.Worker\n    \
        key: item.@id\n    fields:\n      name.full: { path: item.Name }\n";
    folder.write("mappings/heron/worker.in.yaml", mapping);
    let worker = |id: u32| format!("<Worker id='{id}'><Name>N{id}</Name></Worker>");
    let soap = |body: &str| format!("<s:Envelope xmlns:s='urn:s'><s:Body>{body}</s:Body></s:Envelope>");
    folder.write("mappings/heron/cases/worker.in/one.input.xml", &soap(&worker(1)));
    folder.write("mappings/heron/cases/worker.in/two.input.xml", &soap(&(worker(1) + &worker(2))));
    let out = "version: 1\nto: heron/hire\nformat: xml\nfields:\n  Hire.@id: { path: payload.id }\n  \
        Hire.Name: { path: payload.name }\n";
    folder.write("mappings/heron/hire.out.yaml", out);
    folder.write("mappings/heron/cases/hire.out/a.input.json", r#"{ "id": 7, "name": "A & B" }"#);
    let (code, _, err) = folder.map(&["test", "mappings/heron", "--bless"]);
    assert_eq!(code, Some(0), "{err}");
    let two = json(&folder.read("mappings/heron/cases/worker.in/two.expect.json"));
    assert_eq!((&two["records"][1]["key"], &two["records"][1]["name"]["full"]), (&"2".into(), &"N2".into()));
    let one = json(&folder.read("mappings/heron/cases/worker.in/one.expect.json"));
    assert_eq!((one["records"].as_array().unwrap().len(), &one["unread"]), (1, &serde_json::json!([])));
    let body = json(&folder.read("mappings/heron/cases/hire.out/a.expect.json"));
    let xml = r#"<?xml version="1.0" encoding="UTF-8"?><Hire id="7"><Name>A &amp; B</Name></Hire>"#;
    assert_eq!(body["body"], xml);
}

#[test]
fn an_input_without_a_name_says_what_it_is() {
    let folder = Folder::bare();
    let mapping = "version: 1\nfrom: heron/row\nemit:\n  - to: candidate\n    each: payload\n    key: item.id\n    fields:\n      \
        name.full: { path: item.姓名 }\n";
    folder.write("mappings/heron/row.in.yaml", mapping);
    let (code, out, err) =
        folder.map_reading(&["try", "mappings/heron/row.in.yaml", "-", "--as", "csv"], "id,姓名\n1,李娜\n");
    assert!(code == Some(0) && out.contains("李娜"), "{err}");
    // The same in the encoding of Chinese spreadsheets.
    let gb18030 = b"id,\xD0\xD5\xC3\xFB\n1,\xC0\xEE\xC4\xC8\n";
    fs::write(folder.0.path().join("rows.csv"), gb18030).unwrap();
    let (code, _, err) = folder.map(&["try", "mappings/heron/row.in.yaml", "rows.csv"]);
    assert!(code == Some(1) && err.contains("gb18030"), "{err}");
    let (code, out, err) = folder.map(&["try", "mappings/heron/row.in.yaml", "rows.csv", "--encoding", "gb18030"]);
    assert!(code == Some(0) && out.contains("李娜"), "{err}");
    let (code, _, err) = folder.map(&["try", "mappings/heron/row.in.yaml", "rows.csv", "--encoding", "klingon"]);
    assert!(code == Some(2) && err.contains("no encoding is called `klingon`"), "{err}");
}

#[test]
fn one_file_that_cannot_be_read_keeps_no_other_from_being_checked() {
    let folder = Folder::bare();
    fs::write(folder.0.path().join("mappings/kestrel/odd.in.yaml"), b"\xFF\xFEv\x00").unwrap();
    folder.edit(FILE, "headline:", "headlin:");
    let (code, out, _) = folder.map(&["check", "--format", "json"]);
    let found = json(&out);
    let places: Vec<&str> = found.as_array().unwrap().iter().map(|one| one["file"].as_str().unwrap()).collect();
    assert_eq!((code, places), (Some(1), vec![FILE, "mappings/kestrel/odd.in.yaml"]), "{out}");
}
