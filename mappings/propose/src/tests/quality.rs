//! How often proposals are right, measured on the fixtures.

use super::{Fixture, fixtures, of};
use hub_tree::yaml::{self, Kind, Node};
use hub_tree::{Findings, Source};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// The `enum` tables of a proposal, by entity and target.
fn tables(text: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    fn find(node: &Node, key: &str) -> Option<Node> {
        match &node.kind {
            Kind::Map(entries) => entries.iter().find(|(k, _)| k.name == key).map(|(_, node)| node.clone()),
            _ => None,
        }
    }
    let findings = Findings::new();
    let root = yaml::read(&Source::new("proposal", text), &findings).unwrap();
    let mut all = BTreeMap::new();
    let Some(Kind::List(emits)) = find(&root, "emit").map(|node| node.kind) else { return all };
    for emit in emits {
        let entity = find(&emit, "to").unwrap().scalar().unwrap().to_owned();
        let Some(Kind::Map(fields)) = find(&emit, "fields").map(|node| node.kind) else { continue };
        for (target, rule) in fields {
            if let Some(Kind::Map(rows)) = find(&rule, "enum").map(|node| node.kind) {
                let rows = rows.iter().map(|(raw, ours)| (raw.name.clone(), ours.scalar().unwrap().to_owned()));
                all.insert(format!("{entity}.{}", target.name), rows.collect());
            }
        }
    }
    all
}

#[derive(Default)]
struct Score {
    right: usize,
    wrong: usize,
    all: usize,
    report: String,
}

fn measure(fixture: &Fixture, score: &mut Score) {
    let proposal = of(fixture);
    let mut hit = BTreeSet::new();
    for line in proposal.lines.iter().filter(|line| line.taken) {
        if fixture.truth.get(&line.target).is_some_and(|sources| sources.contains(&line.source)) {
            score.right += 1;
            hit.insert(line.target.clone());
        } else {
            score.wrong += 1;
            let _ = writeln!(
                score.report,
                "  wrong   {}: {} from {} ({}: {})",
                fixture.name, line.target, line.source, line.confidence, line.reason
            );
        }
    }
    for (target, rows) in tables(&proposal.text) {
        for (raw, ours) in rows {
            if fixture.enums.get(&target).and_then(|known| known.get(&raw)) == Some(&ours) {
                score.right += 1;
                hit.insert(format!("{target}={raw}"));
            } else {
                score.wrong += 1;
                let _ = writeln!(score.report, "  wrong   {}: {target} says {raw} is {ours}", fixture.name);
            }
        }
    }
    for target in fixture.truth.keys().filter(|target| !hit.contains(*target)) {
        let _ = writeln!(score.report, "  missing {}: {target}", fixture.name);
    }
    let rows: usize = fixture.enums.values().map(BTreeMap::len).sum();
    score.all += fixture.truth.len() + rows;
}

/// The share of `part` in `whole`, in hundredths.
fn percent(part: usize, whole: usize) -> usize {
    part * 100 / whole.max(1)
}

#[test]
fn taken_lines_are_right_on_systems_that_nothing_was_tuned_with() {
    for held_out in [false, true] {
        let mut score = Score::default();
        let chosen: Vec<Fixture> = fixtures().into_iter().filter(|fixture| fixture.held_out == held_out).collect();
        assert!(chosen.len() >= 4, "the path is wrong");
        chosen.iter().for_each(|fixture| measure(fixture, &mut score));
        let (precision, recall) = (percent(score.right, score.right + score.wrong), percent(score.right, score.all));
        let which = if held_out { "held out" } else { "tuned with" };
        println!(
            "{which}: precision {precision} %, recall {recall} % of {} facts in {} systems",
            score.all,
            chosen.len()
        );
        // What the held-out systems miss stays unseen, so that nobody tunes with it.
        if !held_out {
            println!("{}", score.report);
        }
        assert!(precision >= 95, "{which}: a wrong line is the worst outcome: {precision} %, {} wrong", score.wrong);
        assert!(recall >= if held_out { 60 } else { 80 }, "{which}: {recall} % found");
    }
}
