//! The API that clients rely on is reviewed: `expect/api.txt` has it in short. `BLESS=1` takes in what was added;
//! what breaks clients needs `BLESS=breaking`.

use hub_support::project_root;
use hub_tree::env;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

type Outline = BTreeMap<String, Vec<String>>;

fn written(outline: &Outline) -> String {
    outline.iter().map(|(of, facts)| format!("{of}: {}\n", facts.join(", "))).collect()
}

fn read(text: &str) -> Outline {
    let lines = text.lines().filter_map(|line| line.split_once(": "));
    lines.map(|(of, facts)| (of.to_owned(), facts.split(", ").map(str::to_owned).collect())).collect()
}

/// What of a change breaks clients that were made before it.
fn broken(before: &Outline, now: &Outline) -> Vec<String> {
    let mut broken = Vec::new();
    for (of, facts) in before {
        let Some(left) = now.get(of) else {
            broken.push(format!("{of} is gone"));
            continue;
        };
        let (had, has): (BTreeSet<&String>, BTreeSet<&String>) = (facts.iter().collect(), left.iter().collect());
        let lost = had.difference(&has).filter(|fact| !fact.starts_with("must "));
        let asked = has.difference(&had).filter(|fact| fact.starts_with("must "));
        broken.extend(lost.map(|fact| format!("{of}: `{fact}` is gone")));
        broken.extend(asked.map(|fact| format!("{of}: `{fact}` is new")));
    }
    broken
}

#[test]
fn what_clients_rely_on_changes_only_by_decision() {
    let path = project_root().join("tests/tidy/expect/api.txt");
    let before = read(&fs::read_to_string(&path).unwrap_or_default());
    let now = hub_api::spec::outline();
    let breaks = broken(&before, &now);
    let bless = env::read("BLESS");
    let asked = bless.as_deref().unwrap_or_default();
    if asked == "breaking" || asked == "1" && breaks.is_empty() {
        fs::write(&path, written(&now)).unwrap();
        return;
    }
    assert!(breaks.is_empty(), "this breaks clients (BLESS=breaking accepts it):\n{}", breaks.join("\n"));
    let same = written(&now) == written(&before);
    assert!(same, "the API has grown: review it and take it in with BLESS=1");
}

#[test]
fn what_goes_away_or_is_asked_for_anew_breaks_clients() {
    let before = read("GET /v1/x x: query limit integer, answers 200\nschema X: a string, always a, must have b\n");
    assert!(broken(&before, &before).is_empty());
    let told = |text: &str| broken(&before, &read(text));
    assert_eq!(told("schema X: a string, always a, must have b\n"), ["GET /v1/x x is gone"]);
    let looser = "GET /v1/x x: query limit integer, query more string, answers 200\nschema X: a string, always a\n";
    assert!(told(looser).is_empty(), "{:?}", told(looser));
    let narrower = "GET /v1/x x: answers 200, must have more\nschema X: a integer, always a, must have b\n";
    assert_eq!(told(narrower).len(), 3, "{:?}", told(narrower));
}
