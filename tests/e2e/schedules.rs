//! Schedules and delayed actions, as people write them: two workers on one database, killed in the middle.

use hub_support::{Backends, Candidate, Place, run_hrhub, said, wait_for, wait_until};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(240);

const MANIFEST: &str = "version: 1
vendor: bell
name: A bell
family: other
driver: http
settings: { base_url: { required: true, doc: where the bell hangs } }
operations:
  ring: { post: /ring, body: args, idempotency: { key: idempotency-key } }
";
/// It knows a call that a dead worker had begun by its key; two calls for one time are two rings.
const SIMULATOR: &str = "version: 1
vendor: bell
routes:
  - post: /ring
    repeat: headers[\"idempotency-key\"]
    effect: { ring: 'body.name & \" \" & body.at' }
    answer: { body: { ok: true } }
";

fn write(folder: &Path, file: &str, text: &str) {
    let path = folder.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// A configuration with a bell to ring.
fn with_a_bell(backends: Backends) -> Place {
    let place = Place::new(backends);
    write(&place.config(), "connectors/bell/manifest.yaml", MANIFEST);
    write(&place.config(), "connectors/bell/sandbox.yaml", SIMULATOR);
    let url = place.sandbox_url("/bell");
    let connection = format!("id: bell-main\nconnector: bell\nsettings: {{ base_url: \"{url}\" }}\n");
    write(&place.config(), "connections/bell-main.yaml", &connection);
    place
}

/// What was rung, by name and time.
fn rung(place: &Place) -> BTreeMap<String, u64> {
    let effects = place.effects().into_iter();
    effects.filter_map(|(name, count)| Some((name.strip_prefix("bell ring ")?.to_owned(), count))).collect()
}

/// Another hub on the same database and broker, with a folder and a port of its own.
fn beside(first: &Place) -> Place {
    let other = Place::new(Backends::Embedded);
    for folder in ["connectors/bell", "connections", "schedules"] {
        for entry in fs::read_dir(first.config().join(folder)).unwrap().flatten() {
            let name = entry.file_name().into_string().unwrap();
            let text = fs::read_to_string(entry.path()).unwrap();
            write(&other.config(), &format!("{folder}/{name}"), &text);
        }
    }
    let text = fs::read_to_string(first.config().join("hub.yaml")).unwrap();
    let text = text.replace(&first.port.to_string(), &other.port.to_string());
    write(&other.config(), "hub.yaml", &text);
    other
}

const MASTER: (&str, &str) = ("HRHUB_MASTER_KEY", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");

/// The whole seconds of the times at which something was rung.
fn seconds(rung: &BTreeMap<String, u64>) -> Vec<i64> {
    let at = |name: &String| name.strip_prefix("tick ").unwrap().parse::<hub_tree::jiff::Timestamp>().unwrap();
    rung.keys().map(|name| at(name).as_second()).collect()
}

#[test]
fn every_planned_time_fires_once_while_workers_are_killed() {
    let first = with_a_bell(Backends::Servers);
    write(
        &first.config(),
        "schedules/tick.yaml",
        "version: 1\nschedule: tick\nevery: 1s\nconnection: bell-main\noperation: ring\nwith: { name: schedule.name, at: text(schedule.planned_at) }\n",
    );
    let second = beside(&first);
    let _sandbox = first.sandbox();
    let stays = first.serve_with(&[MASTER]);
    for _ in 0..3 {
        let before = rung(&first).len();
        let dies = second.serve_with(&[MASTER]);
        wait_for("some more rings", LIMIT, || (rung(&first).len() >= before + 3).then_some(()));
        dies.kill();
    }
    let _returns = second.serve_with(&[MASTER]);
    // What the dead one held is taken over; then no second lacks.
    let rung = wait_until(LIMIT, || {
        assert!(!stays.has_ended(), "{}", stays.log());
        let rung = rung(&first);
        let seconds = seconds(&rung);
        let lacks = seconds.windows(2).find(|pair| pair[1] != pair[0] + 1);
        match lacks {
            Some(pair) => Err(format!("the seconds between {} and {}", pair[0], pair[1])),
            None if seconds.len() < 20 => Err("twenty rings".to_owned()),
            None => Ok(rung),
        }
    });
    assert!(rung.values().all(|count| *count == 1), "{rung:#?}");
    assert!(stays.stop().success());
}

const FLOW: &str = r#"
version: 1
flow: nudge
settings:
  bell: { type: connection, required: true, doc: what rings }
rules:
  - id: interview
    on: application.stage_changed
    do:
      - id: remind
        after: 4s
        unless: (record.stage.display ?? "") == "Offer"
        call: settings.bell
        operation: ring
        key: '"remind:" & record.id'
        with: { name: '"remind"', at: record.id }
"#;

#[test]
fn a_reminder_outlives_the_hub_that_set_it_and_its_journey_tells_of_it() {
    let place = with_a_bell(Backends::Embedded);
    write(&place.config(), "flows/nudge.yaml", FLOW);
    place.edit("hub.yaml", |text| text.replace("flows:\n", "flows:\n  nudge: { bell: bell-main }\n"));
    let _sandbox = place.sandbox();
    let hub = place.serve();
    place.move_candidate(&Candidate::new(7301, "middling.example"));
    let id = wait_for("the reminder to wait", LIMIT, || {
        let found = place.get("/v1/applications?connection=greenhouse-main&remote_id=7301");
        let id = found["data"][0]["id"].as_str()?.to_owned();
        journey_says(&place, &id, "nudge/interview/remind waits until ").then_some(id)
    });
    hub.kill();
    let _hub = place.serve();
    wait_for("the reminder", LIMIT, || rung(&place).contains_key(&format!("remind {id}")).then_some(()));
    wait_for("its journey", LIMIT, || journey_says(&place, &id, "nudge/interview/remind: due since ").then_some(()));
    assert_eq!(rung(&place).values().sum::<u64>(), 1);
}

/// Whether a step of the application's journeys begins so.
fn journey_says(place: &Place, id: &str, wanted: &str) -> bool {
    let about = place.get(&format!("/v1/journeys?about=application/{id}"));
    let traces = about["data"].as_array().unwrap().iter().map(|journey| journey["trace_id"].as_str().unwrap());
    let says = |step: &Value| step["detail"].as_str().unwrap().starts_with(wanted);
    traces
        .into_iter()
        .any(|trace| place.get(&format!("/v1/journeys/{trace}"))["steps"].as_array().unwrap().iter().any(says))
}

#[test]
fn schedules_are_checked_listed_and_run_by_hand() {
    let place = with_a_bell(Backends::Embedded);
    let config = place.config().to_str().unwrap().to_owned();
    let yearly = "version: 1\nschedule: yearly\ncron: \"30 2 * mar sun\"\nzone: Europe/Berlin\nconnection: bell-main\noperation: ring\nwith: { name: schedule.name, at: '\"now\"' }\n";
    write(
        &place.config(),
        "schedules/yearly.yaml",
        &yearly.replace("mar sun", "marz sun").replace("bell-main", "bell-mian"),
    );
    let (out, _) = said(&run_hrhub(["check", &config]));
    for wanted in [
        "schedules/yearly.yaml:3:15: error: `marz` is no month: it is 1 to 12",
        "did you mean `mar`?",
        "schedules/yearly.yaml:5:13: error: unknown connection `bell-mian`",
        "did you mean `bell-main`?",
    ] {
        assert!(out.contains(wanted), "no `{wanted}` in {out}");
    }
    write(&place.config(), "schedules/yearly.yaml", yearly);
    let (out, _) = said(&run_hrhub(["check", &config]));
    assert!(out.contains("1 schedule,") && !out.contains("yearly.yaml"), "{out}");
    let (out, _) = said(&run_hrhub(["schedules", "list", "--next", "6", "--config", &config]));
    assert_eq!(out.matches("\n  next  Sun ").count(), 6, "{out}");
    // On the last Sunday of March there is no 02:30.
    assert!(out.contains(" 03:00:00 +02:00") && out.contains(" 02:30:00 +01:00"), "{out}");

    let unknown = run_hrhub(["schedules", "run", "yearli", "--config", &config]);
    assert!(!unknown.status.success() && said(&unknown).1.contains("did you mean `yearly`?"), "{:?}", said(&unknown));
    // Asked for while no hub runs; done once one does.
    let asked = run_hrhub(["schedules", "run", "yearly", "--config", &config]);
    let (out, err) = said(&asked);
    assert!(asked.status.success(), "{out}{err}");
    let trace = out.trim().rsplit(' ').next().unwrap().to_owned();
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    wait_for("the bell", LIMIT, || (rung(&place) == BTreeMap::from([("yearly now".to_owned(), 1)])).then_some(()));
    let steps = wait_for("the journey", LIMIT, || {
        let journey = place.get(&format!("/v1/journeys/{trace}"));
        (journey["steps"].as_array().unwrap().len() == 2).then_some(journey["steps"].clone())
    });
    let told: Vec<&Value> = steps.as_array().unwrap().iter().map(|step| &step["step"]).collect();
    assert_eq!(told, [&json!("schedule"), &json!("call")]);
}
