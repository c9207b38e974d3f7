//! Personal values leave no trace in logs, spans, journeys, the bus's files or the store's.

use crate::collector::Collector;
use crate::road::journey_with_calls;
use hub_support::{Backends, Candidate, Place};
use std::fs;
use std::path::{Path, PathBuf};

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

fn holds(bytes: &[u8], wanted: &str) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted.as_bytes())
}

#[test]
fn personal_values_are_nowhere_but_sealed() {
    let collector = Collector::start();
    let place = Place::new(Backends::Embedded);
    let _sandbox = place.sandbox();
    let environment =
        [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint.as_str()), ("HRHUB_LOG", "trace,h2=off,hyper=info")];
    let hub = place.serve_with(&environment);
    let candidate = Candidate {
        number: 7100,
        first: "Canarygiven".into(),
        last: "Canaryfamily".into(),
        email: "canary.mail@strong.example".into(),
        phone: "+86 139 0000 7100".into(),
    };
    place.move_candidate(&candidate);
    let journey = journey_with_calls(&place, candidate.number, 5);
    // What they said in the interview and how they were scored are as personal as their names.
    let canaries = [
        "Canarygiven",
        "Canaryfamily",
        "canary.mail",
        "13900007100",
        "139 0000 7100",
        "跟进到他满意为止",
        "RECOMMENDED",
    ];
    let seen = place.get("/v1/candidates").to_string() + &place.get("/v1/decisions").to_string();
    let known = canaries.iter().filter(|canary| seen.contains(**canary)).count();
    assert!(known >= 4, "the canaries are in the records, where they belong: {seen}");
    // A message that is parked with personal values in it tells nothing about them either.
    let broken = r#"{"action":"candidate_stage_change","payload":{"application":{"id":7101,"last_activity_at":"Canarygiven","candidate":"Canaryfamily"}}}"#;
    place.greenhouse_sends("broken", broken.as_bytes());
    hub_support::wait_for("the parked message", std::time::Duration::from_secs(30), || {
        let parked = place.get("/v1/parked");
        let first = parked["data"].get(0)?.to_string();
        assert!(!first.contains("Canary"), "{first}");
        Some(())
    });
    assert!(hub.stop().success());
    let mut found = Vec::new();
    files(&place.config().join("data"), &mut found);
    found.push(place.folder().join("hub.log"));
    assert!(found.len() > 4, "{found:?}");
    for path in &found {
        let bytes = fs::read(path).unwrap();
        for canary in canaries {
            assert!(!holds(&bytes, canary), "`{canary}` is in {}", path.display());
        }
    }
    assert!(hub.log().len() > 1000, "nothing was logged");
    let spans = collector.spans();
    assert!(spans.len() > 10);
    for canary in canaries {
        assert!(!spans.iter().any(|span| span.all.contains(canary)), "`{canary}` is in a span");
        assert!(!journey.to_string().contains(canary), "`{canary}` is in the journey");
    }
}
