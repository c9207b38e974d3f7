//! The services against peers: libraries of statistics, and the same law written twice. Each script prints JSON lines of
//! `given` and `answer`, drawn by a seed; text is compared to the letter, a float to the places that ours is written with.

use crate::{read, run};
use hub_support::project_root;
use hub_tree::{Arena, Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn output(command: &mut Command) -> String {
    let done = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

/// A Python with the peers, made again when the list of them changes.
fn python(peers: &Path) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("services-peers");
    fs::create_dir_all(&folder).unwrap();
    // Tests run side by side, and one of them makes it.
    let lock = fs::File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    let (list, venv, done) = (peers.join("requirements.txt"), folder.join("venv"), folder.join("done.txt"));
    let python = venv.join("bin/python");
    let wanted = fs::read_to_string(&list).unwrap();
    if fs::read_to_string(&done).unwrap_or_default() != wanted {
        output(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv));
        output(Command::new(&python).args(["-m", "pip", "install", "--quiet", "-r"]).arg(&list));
        fs::write(&done, wanted).unwrap();
    }
    python
}

/// Compares what a peer says with the answer; gives how many values there were.
fn compare(at: &str, peer: Value<'_>, ours: Value<'_>, wrong: &mut Vec<String>) -> usize {
    let same = match (peer, ours) {
        (Value::Map(_), _) => {
            let fields = peer.entries().iter();
            return fields.map(|(key, peer)| compare(&format!("{at}.{key}"), *peer, ours.get(key), wrong)).sum();
        }
        (Value::List(items), _) if items.len() == ours.items().len() => {
            let items = items.iter().enumerate();
            return items.map(|(index, peer)| compare(&format!("{at}[{index}]"), *peer, ours.at(index), wrong)).sum();
        }
        (Value::Number(number), Value::Text(text)) => is_rounded(number, text),
        _ => json::to_string(&peer) == json::to_string(&ours),
    };
    if !same {
        wrong.push(format!("{at}: peer {}, ours {}", json::to_string(&peer), json::to_string(&ours)));
    }
    1
}

/// Whether a text is a float rounded to the places that it is written with.
#[allow(clippy::float_arithmetic, reason = "peers use floats")]
fn is_rounded(float: &str, text: &str) -> bool {
    let places = text.split_once('.').map_or(0, |(_, places)| places.len());
    let half = 0.5 * 0.1_f64.powi(i32::try_from(places).unwrap()) + 1e-8;
    let (float, ours): (Option<f64>, Option<f64>) = (float.parse().ok(), text.parse().ok());
    float.zip(ours).is_some_and(|(float, ours)| (float - ours).abs() <= half)
}

fn drawn_requests_are_answered_alike(service: &str, script: &str, arguments: &[&str], wanted: (usize, usize)) {
    let peers = project_root().join("tests/services/peers");
    let said = output(Command::new(python(&peers)).arg(peers.join(script)).args(arguments));
    let (mut draws, mut values, mut wrong) = (0, 0, Vec::new());
    for line in said.lines() {
        let arena = Arena::new();
        let draw = read(&arena, line);
        let got = run(service, &arena, draw.get("given")).unwrap_or_else(|error| panic!("{error}: {line}"));
        let before = wrong.len();
        values += compare(&format!("draw {draws}"), draw.get("answer"), got, &mut wrong);
        if wrong.len() > before && line.len() < 400 {
            wrong.push(line.to_owned());
        }
        draws += 1;
    }
    let (all, least) = wanted;
    assert!(draws == all && values > least, "{draws} draws with {values} values");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn trust_is_as_fairlearn_and_scipy_have_it() {
    drawn_requests_are_answered_alike("trust", "fairness.py", &[], (1_000, 5_000));
}

#[test]
fn payroll_of_china_is_as_a_second_hand_wrote_it() {
    drawn_requests_are_answered_alike("payroll", "china.py", &["20261123", "1000"], (1_000, 5_000));
}

#[test]
fn interviews_are_as_scipy_and_statsmodels_have_them() {
    drawn_requests_are_answered_alike("interview", "interviews.py", &[], (1_400, 5_000));
}

#[test]
fn what_is_learnt_of_leavers_is_what_statsmodels_and_scipy_learn() {
    drawn_requests_are_answered_alike("appraisal", "logit.py", &[], (300, 1_000));
}
