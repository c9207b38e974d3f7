//! What answers strangers is a reviewed list.

use crate::check_list;
use hub_support::{Backends, Place};

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
            .replace("{poll}", "y");
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
