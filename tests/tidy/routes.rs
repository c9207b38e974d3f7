//! What answers strangers is a reviewed list.

use crate::{check_list, files_with};
use hub_support::{Backends, Place};
use std::collections::{BTreeMap, BTreeSet};

fn routes() -> Vec<(&'static str, &'static str)> {
    hub_api::ROUTES.iter().chain(hub_console::ROUTES).copied().collect()
}

#[test]
fn routes_that_are_open_to_strangers_are_a_reviewed_list() {
    let open: String = routes()
        .iter()
        .filter(|(_, needs)| needs.starts_with("open"))
        .map(|(route, needs)| format!("{route}: {needs}\n"))
        .collect();
    check_list("routes-open-to-strangers.txt", &open);
}

/// The routes of the router, as its source has them, with their methods.
fn served() -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for (_, text) in files_with(".rs").into_iter().filter(|(path, _)| path.starts_with("gateway/api/src/")) {
        for call in text.split(".route(").skip(1) {
            let Some(route) = call.split('"').nth(1).filter(|route| route.starts_with('/') && !route.contains('*'))
            else {
                continue;
            };
            let mut depth = 1;
            let end = call.find(|c: char| {
                depth += i32::from(c == '(') - i32::from(c == ')');
                depth == 0
            });
            let handlers = &call[..end.unwrap()];
            for (word, method) in [
                ("get(", "GET"),
                ("post(", "POST"),
                ("put(", "PUT"),
                ("patch(", "PATCH"),
                ("delete(", "DELETE"),
                ("any(", "POST"),
            ] {
                let named = handlers.match_indices(word).any(|(at, _)| {
                    let before = handlers[..at].chars().next_back().unwrap();
                    !before.is_alphanumeric() && before != '_' && before != ':'
                });
                // A collection with handlers of its own is described among the collections.
                let route = route.replace("/v1/identity-links", "/v1/{collection}");
                if named {
                    found.insert((route, method.to_owned()));
                }
            }
        }
    }
    assert!(found.len() > 40, "{found:?}");
    found
}

#[test]
fn every_route_is_described_and_every_description_is_served() {
    let described: BTreeSet<(String, String)> =
        hub_api::spec::routes().into_iter().map(|(route, method, _)| (route.to_owned(), method.to_owned())).collect();
    // Files of a collection are served by its route.
    let described: BTreeSet<_> = described
        .into_iter()
        .filter(|(route, _)| !route.contains('*'))
        .map(|(route, method)| (route.replace("{collection}:export", "{collection}"), method))
        .collect();
    let served = served();
    let missing: Vec<_> = served.difference(&described).collect();
    assert!(missing.is_empty(), "gateway/api/src/spec says nothing of {missing:?}");
    let unserved: Vec<_> = described.difference(&served).collect();
    assert!(unserved.is_empty(), "nobody serves {unserved:?}");
}

#[test]
fn what_a_route_needs_is_told_alike_everywhere() {
    let listed: BTreeMap<&str, &str> = hub_api::ROUTES.iter().copied().collect();
    let mut wrong = Vec::new();
    for (route, method, needs) in hub_api::spec::routes() {
        let route = route.replace("{collection}:export", "{collection}");
        let Some(listed) = listed.get(route.as_str()) else {
            wrong.push(format!("{route} is not in ROUTES"));
            continue;
        };
        if needs.is_empty() != listed.starts_with("open") {
            wrong.push(format!("{method} {route}: ROUTES says `{listed}`, the description {needs:?}"));
        }
        let known: Vec<&str> = listed.split([',', ' ', ':']).collect();
        let whole = needs.contains(listed);
        if !whole && !needs.is_empty() && !needs.iter().any(|need| known.contains(&need.split(':').next().unwrap())) {
            wrong.push(format!("{method} {route}: ROUTES says `{listed}`, the description {needs:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn strangers_are_refused_everywhere_else() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    let mut asked = 0;
    for (route, needs) in routes() {
        let path = route
            .replace("{collection}", "applications")
            .replace("{trace_id}", &"a".repeat(32))
            .replace("{id}", "x")
            .replace("{poll}", "y")
            .replace("{delivery}", "y")
            .replace("{code}", "not_found")
            .replace("{name}", "api.md");
        let Ok(mut answer) = place.http().get(place.url(&path)).send() else { panic!("{route} does not answer") };
        if answer.status() == 405 && !needs.starts_with("open") {
            answer = place.http().post(place.url(&path)).send().unwrap();
        }
        let (status, location) = (answer.status().as_u16(), answer.headers().get("location").cloned());
        if needs.starts_with("open") {
            assert_ne!(location.as_ref().map(|l| l.to_str().unwrap()), Some("/console/login"), "{route}");
        } else if route.starts_with("/console") {
            let target = location.unwrap();
            assert!(status == 303 && target.to_str().unwrap().starts_with("/console/"), "{route}: {status}");
        } else {
            assert_eq!(status, 401, "{route}");
        }
        asked += 1;
    }
    assert!(asked >= 15, "only {asked} routes were asked");
}
