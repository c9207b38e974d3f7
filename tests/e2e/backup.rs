//! Backups: taken under load, checked, damaged, and restored into what is new and empty, on both kinds of backends and
//! from one kind to the other.

use crate::road::journey_with_calls;
use hub_support::{
    Backends, Candidate, Place, RabbitMq, postgres, project_root, rabbitmq, run_hrhub, said, unique, wait_until,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(240);

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn take(place: &Place, into: &Path) -> Output {
    run_hrhub(["backup", "--config", text(&place.config()), "--into", text(into)])
}

fn restore(place: &Place, from: &Path) -> Output {
    run_hrhub(["restore", "--from", text(from), "--config", text(&place.config())])
}

fn data(place: &Place) -> PathBuf {
    place.config().join("data")
}

/// Everything that the hub wrote is gone; only the master key was kept elsewhere. The hub gets empty backends.
fn lose_everything(place: &Place, to: Backends) {
    let lost = place.folder().join(unique("lost"));
    fs::rename(data(place), &lost).unwrap();
    fs::create_dir(data(place)).unwrap();
    fs::set_permissions(data(place), fs::Permissions::from_mode(0o700)).unwrap();
    if lost.join("master.key").exists() {
        fs::copy(lost.join("master.key"), data(place).join("master.key")).unwrap();
    }
    let (bus, store) = match to {
        Backends::Embedded => ("bus: { kind: embedded }".to_owned(), "store: { kind: sqlite }".to_owned()),
        Backends::Servers => (
            format!(
                "bus: {{ kind: rabbitmq, url: \"{}\", prefix: {} }}",
                RabbitMq::url(rabbitmq().port),
                unique("hub")
            ),
            format!("store: {{ kind: postgres, url: \"{}\" }}", postgres().new_database()),
        ),
    };
    let path = place.config().join("hub.yaml");
    let line = |line: &str| match line {
        line if line.starts_with("bus:") => bus.clone(),
        line if line.starts_with("store:") => store.clone(),
        line => line.to_owned(),
    };
    let changed: String = fs::read_to_string(&path).unwrap().lines().map(|l| line(l) + "\n").collect();
    fs::write(path, changed).unwrap();
}

/// A web hook about an application that no flow waits for.
fn small_hook(number: u32) -> Vec<u8> {
    let golden =
        fs::read_to_string(project_root().join("tests/golden/payloads/greenhouse/candidate_stage_change.json"));
    golden.unwrap().replace("55120034", &number.to_string()).replace("55100871", &(number + 500_000).to_string()).into()
}

fn applications(place: &Place, number: u32) -> Vec<Value> {
    let found = place.get(&format!("/v1/applications?connection=greenhouse-main&remote_id={number}"));
    found["data"].as_array().unwrap().clone()
}

fn counts(place: &Place) -> BTreeMap<String, u64> {
    place.effects().into_iter().collect()
}

/// The drill: a hub at work is backed up, killed, and everything it wrote thrown away.
fn a_restored_hub_goes_on(from: Backends, to: Backends) {
    let place = Place::new(from);
    let _sandbox = place.sandbox();
    let hub = place.serve();
    let config = place.config();
    let made = run_hrhub(["keys", "create", "--name", "ops", "--scopes", "ops,read", "--config", text(&config)]);
    let key = said(&made).0.trim().to_owned();

    // One candidate has gone the whole road.
    let done = Candidate::new(31_001, "strong.example");
    place.move_candidate(&done);
    journey_with_calls(&place, done.number, 5);
    // The vendor tells of the move that the hub asked for.
    let application = wait_until(LIMIT, || {
        let found = applications(&place, done.number).remove(0);
        if found["stage"]["display"] == "AI interview" { Err("the move's web hook".to_owned()) } else { Ok(found) }
    });
    let done_before = counts(&place);

    // Of another one the vendors have been told, and have not answered yet.
    place.turn(&json!({ "slow_ms": 2500 }));
    let under_way = Candidate::new(31_002, "weak.example");
    let message = format!("dingtalk message petra.osei: {} {}", under_way.first, under_way.last);
    place.move_candidate(&under_way);

    // And web hooks pour in, before the backup and during it.
    let (accepted, stop) = (Mutex::new(Vec::new()), AtomicBool::new(false));
    let folder = place.folder().join("backup");
    let (must, output) = std::thread::scope(|scope| {
        for thread in 0..2_u32 {
            let (accepted, stop, place) = (&accepted, &stop, &place);
            scope.spawn(move || {
                for number in (40_000 + thread * 10_000).. {
                    if stop.load(Ordering::SeqCst) {
                        break;
                    }
                    let answer = place.greenhouse_hook(&format!("evt-{number}"), &small_hook(number));
                    if answer.status().is_success() {
                        accepted.lock().unwrap().push(number);
                    }
                    // Enough for the backup to meet work of every state, and not so much that all else waits.
                    std::thread::sleep(Duration::from_millis(60));
                }
            });
        }
        wait_until(LIMIT, || {
            let enough = accepted.lock().unwrap().len() >= 40;
            let told = place.effects().iter().any(|(name, _)| name.starts_with(&message));
            if enough && told { Ok(()) } else { Err(format!("enough hooks: {enough}, message under way: {told}")) }
        });
        let must = accepted.lock().unwrap().clone();
        let output = take(&place, &folder);
        stop.store(true, Ordering::SeqCst);
        (must, output)
    });
    assert!(output.status.success(), "{:?}", said(&output));
    assert!(!said(&output).1.contains("warning"), "{:?}", said(&output));
    hub.kill();
    let verified = run_hrhub(["backup", "verify", text(&folder), "--config", text(&config)]);
    assert!(verified.status.success() && said(&verified).0.contains("it is yours"), "{:?}", said(&verified));

    lose_everything(&place, to);
    let restored = restore(&place, &folder);
    assert!(restored.status.success(), "{:?}", said(&restored));
    place.turn(&json!({ "slow_ms": 0 }));
    let hub = place.serve();

    // What was accepted before the backup began is processed, once.
    let mut left = must;
    wait_until(LIMIT, || {
        assert!(!hub.has_ended(), "{}", hub.log());
        while let Some(number) = left.last() {
            match applications(&place, *number).len() {
                1 => left.pop(),
                0 => return Err(format!("application {number} and up to {} others", left.len() - 1)),
                more => panic!("application {number} is there {more} times"),
            };
        }
        Ok(())
    });
    // The candidate under way arrives; a call that may have been made waits for a person, if nobody can know.
    wait_until(LIMIT, || {
        let effects = counts(&place);
        let parked = place.get("/v1/parked?limit=200")["data"].as_array().unwrap().clone();
        for item in &parked {
            assert_eq!(
                (&item["code"], &item["connection"]),
                (&json!("OUTCOME_UNKNOWN"), &json!("dingtalk-main")),
                "{item:#}"
            );
        }
        for wanted in [
            format!("greenhouse note candidate/{}", 900_000 + under_way.number),
            format!("greenhouse score application/{}", under_way.number),
            message.clone(),
        ] {
            if !effects.keys().any(|name| name.starts_with(&wanted)) {
                return Err(wanted);
            }
        }
        let id = applications(&place, under_way.number)[0]["id"].as_str().unwrap().to_owned();
        let about = place.get(&format!("/v1/journeys?about=application/{id}"));
        let trace = about["data"].as_array().unwrap().last().unwrap()["trace_id"].as_str().unwrap().to_owned();
        let journey = place.get(&format!("/v1/journeys/{trace}"));
        let ended =
            journey["steps"].as_array().unwrap().iter().filter(|step| {
                step["step"] == "call" && ["ok", "parked"].iter().any(|result| step["result"] == *result)
            });
        if ended.count() < 4 { Err(format!("the end of four calls in {journey:#}")) } else { Ok(()) }
    });
    // Nothing that was done was done again.
    let effects = counts(&place);
    assert!(effects.values().all(|count| *count == 1), "{effects:#?}");
    assert!(done_before.keys().all(|name| effects.contains_key(name)), "{effects:#?}");
    assert_eq!(applications(&place, done.number), std::slice::from_ref(&application));

    // The past can be explained, keys open what they did, and new candidates go the whole road.
    let id = application["id"].as_str().unwrap();
    let why = place.get(&format!("/v1/applications/{id}/explain?field=stage"));
    assert!(why.to_string().contains("current_stage"), "{why:#}");
    assert_eq!(place.get_as(&key, &format!("/v1/applications/{id}")).0, 200);
    let login = place.http().post(place.url("/console/login")).form(&[("key", &key)]).send().unwrap();
    assert_eq!(login.status(), 303);
    let new = Candidate::new(31_003, "strong.example");
    place.move_candidate(&new);
    journey_with_calls(&place, new.number, 5);
    assert!(counts(&place).values().all(|count| *count == 1), "{:#?}", place.effects());
    assert!(hub.stop().success(), "{}", hub.log());
}

#[test]
fn a_restored_hub_goes_on_on_the_embedded_default() {
    a_restored_hub_goes_on(Backends::Embedded, Backends::Embedded);
}

#[test]
fn a_restored_hub_goes_on_on_rabbitmq_and_postgresql() {
    a_restored_hub_goes_on(Backends::Servers, Backends::Servers);
}

#[test]
fn a_hub_that_has_outgrown_the_embedded_default_moves_to_servers_by_backup_and_restore() {
    a_restored_hub_goes_on(Backends::Embedded, Backends::Servers);
}

#[test]
fn a_backup_of_servers_restores_onto_the_embedded_default() {
    a_restored_hub_goes_on(Backends::Servers, Backends::Embedded);
}

/// A hub with one application, its backup, and an empty data folder.
fn backed_up() -> (Place, PathBuf) {
    let place = Place::new(Backends::Embedded);
    let hub = place.serve();
    place.greenhouse_sends("evt-1", &small_hook(40_000));
    wait_until(LIMIT, || if applications(&place, 40_000).len() == 1 { Ok(()) } else { Err("it".to_owned()) });
    let folder = place.folder().join("backup");
    let output = take(&place, &folder);
    assert!(output.status.success(), "{:?}", said(&output));
    assert!(hub.stop().success());
    lose_everything(&place, Backends::Embedded);
    (place, folder)
}

fn copy_of(folder: &Path) -> PathBuf {
    let copy = folder.with_file_name(unique("copy"));
    fs::create_dir(&copy).unwrap();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        fs::copy(entry.path(), copy.join(entry.file_name())).unwrap();
    }
    copy
}

#[test]
fn a_backup_can_be_read_by_its_owner_only_and_holds_no_key_and_no_name() {
    let (place, folder) = backed_up();
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    let key = fs::read_to_string(data(&place).join("master.key")).unwrap();
    let mut files = 0;
    for entry in fs::read_dir(&folder).unwrap().flatten() {
        files += 1;
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.path());
        let text = fs::read_to_string(entry.path()).unwrap();
        assert!(!text.contains(key.trim()) && !text.contains("Marisol"), "{:?}", entry.path());
    }
    assert!(files > 10);
    // The sums are those of the tool that every system has.
    let mut check = std::process::Command::new("sha256sum");
    check.args(["--check", "--quiet", "SHA256SUMS"]).current_dir(&folder);
    assert!(check.status().unwrap().success());
    // A folder that holds something is not written over.
    let again = take(&place, &folder);
    assert!(!again.status.success() && said(&again).1.contains("holds something already"), "{:?}", said(&again));
}

#[test]
fn a_damaged_backup_is_refused_with_the_file_and_nothing_is_written() {
    let (place, folder) = backed_up();
    let before = fs::read_dir(data(&place)).unwrap().count();
    let refused = |damaged: &Path, wanted: &str| {
        for output in [
            restore(&place, damaged),
            run_hrhub(["backup", "verify", text(damaged), "--config", text(&place.config())]),
        ] {
            let (_, err) = said(&output);
            assert!(!output.status.success() && err.contains(wanted), "`{wanted}` is not in: {err}");
        }
        assert_eq!(fs::read_dir(data(&place)).unwrap().count(), before, "something was written");
    };
    let missing = copy_of(&folder);
    fs::remove_file(missing.join("raws.rows.jsonl")).unwrap();
    refused(&missing, "raws.rows.jsonl: is missing");

    let short = copy_of(&folder);
    let file = short.join("records.rows.jsonl");
    let bytes = fs::read(&file).unwrap();
    fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    refused(&short, "records.rows.jsonl: is cut short");

    let changed = copy_of(&folder);
    let file = changed.join("events.rows.jsonl");
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes).unwrap();
    refused(&changed, "events.rows.jsonl: was changed");

    let manifest = copy_of(&folder);
    let file = manifest.join("manifest.json");
    let text_of = |file: &Path| fs::read_to_string(file).unwrap();
    fs::write(&file, text_of(&file).replace("\"schema\": ", "\"schema\": 9")).unwrap();
    refused(&manifest, "manifest.json is not as SHA256SUMS says");
    // Somebody who mends the sums as well still does not hold the key.
    let sum_of_manifest = |folder: &Path| {
        let sum = std::process::Command::new("sha256sum").arg("manifest.json").current_dir(folder).output().unwrap();
        let sums = text_of(&folder.join("SHA256SUMS"));
        let kept: String =
            sums.lines().filter(|line| !line.ends_with("manifest.json")).map(|l| format!("{l}\n")).collect();
        fs::write(folder.join("SHA256SUMS"), kept + &said(&sum).0).unwrap();
    };
    sum_of_manifest(&manifest);
    refused(&manifest, "does not hold the master key");

    let newer = copy_of(&folder);
    let file = newer.join("manifest.json");
    fs::write(&file, text_of(&file).replace("\"format\": 1", "\"format\": 2")).unwrap();
    sum_of_manifest(&newer);
    refused(&newer, "use a newer hrhub");

    let half = copy_of(&folder);
    fs::remove_file(half.join("manifest.json")).unwrap();
    refused(&half, "no whole backup");

    // Another master key, and none.
    let own = data(&place).join("master.key");
    let key = text_of(&own);
    fs::write(&own, "ab".repeat(32)).unwrap();
    refused(&folder, "the backup belongs to the master key");
    fs::rename(&own, place.folder().join("kept.key")).unwrap();
    let output = restore(&place, &folder);
    assert!(said(&output).1.contains("there is no master key"), "{:?}", said(&output));
    fs::write(&own, key).unwrap();

    // What is whole restores, once.
    let output = restore(&place, &folder);
    assert!(output.status.success(), "{:?}", said(&output));
    let again = restore(&place, &folder);
    let (_, err) = said(&again);
    assert!(!again.status.success() && err.contains("empty") && err.contains("--data"), "{err}");
}

#[test]
fn a_restore_that_was_broken_off_keeps_the_hub_from_starting_and_can_be_done_again() {
    let (place, folder) = backed_up();
    let manifest: Value = serde_json::from_slice(&fs::read(folder.join("manifest.json")).unwrap()).unwrap();
    let mark = data(&place).join("restore.unfinished");
    fs::write(&mark, manifest["id"].as_str().unwrap()).unwrap();
    fs::create_dir(data(&place).join("bus")).unwrap();
    fs::write(data(&place).join("bus/000000000001.log"), "half a segment").unwrap();
    let served = run_hrhub(["serve", "--config", text(&place.config())]);
    let (_, err) = said(&served);
    assert!(!served.status.success() && err.contains("restore was broken off"), "{err}");
    let (out, _) = said(&run_hrhub(["doctor", "--config", text(&place.config())]));
    assert!(out.contains("restore was broken off") && out.contains("hrhub restore"), "{out}");
    // Another backup must not be mixed into it.
    fs::write(&mark, "another").unwrap();
    assert!(said(&restore(&place, &folder)).1.contains("another backup"));
    fs::write(&mark, manifest["id"].as_str().unwrap()).unwrap();
    let output = restore(&place, &folder);
    assert!(output.status.success() && !mark.exists(), "{:?}", said(&output));
    let _hub = place.serve();
    assert_eq!(applications(&place, 40_000).len(), 1);
}

#[test]
fn a_backup_that_cannot_be_taken_leaves_nothing_behind() {
    let place = Place::new(Backends::Embedded);
    let into = place.folder().join("backups/first");
    let output = take(&place, &into);
    assert!(!output.status.success() && said(&output).1.contains("no master key"), "{:?}", said(&output));
    fs::create_dir(data(&place)).unwrap();
    fs::write(data(&place).join("master.key"), "ab".repeat(32)).unwrap();
    let output = take(&place, &into);
    assert!(!output.status.success(), "{:?}", said(&output));
    assert_eq!(fs::read_dir(place.folder().join("backups")).unwrap().count(), 0);
}
