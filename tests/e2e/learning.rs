//! A learning system that is read round by round: courses, who takes them, how far they are.

use crate::trust::send;
use hub_support::{Backends, Place, wait_until};
use serde_json::{Value, json};
use std::fs;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(240);

fn found(place: &Place, path: &str, fits: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    wait_until(LIMIT, || {
        let all = place.get(path);
        match all["data"].as_array() {
            Some(data) if fits(data) => Ok(data.clone()),
            _ => Err(format!("{all:#} {:#}", place.get("/v1/parked"))),
        }
    })
}

#[test]
fn courses_are_read_with_who_takes_them_and_how_far_they_are() {
    let place = Place::new(Backends::Embedded);
    let base = format!("http://127.0.0.1:{}/moodle", place.sandbox_port);
    let text = format!(
        "id: moodle-main\nconnector: moodle\npolls: [learning]\nsettings: {{ base_url: \"{base}\", token: sandbox-moodle-token }}\n"
    );
    fs::write(place.config().join("connections/moodle-main.yaml"), text).unwrap();
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    let (status, begun) = send(&place, "POST", "/v1/connections/moodle-main/polls/learning:run", &json!({}));
    assert!((200..300).contains(&status), "{begun}");
    let courses = found(&place, "/v1/courses", |all| all.len() == 2);
    assert!(courses.iter().any(|one| one["title"] == "客服话术基础" && one["code"] == "CS-101"), "{courses:#?}");
    let of = |remote: &str| {
        let all =
            found(&place, &format!("/v1/enrolments?connection=moodle-main&remote_id={remote}"), |all| all.len() == 1);
        all[0].clone()
    };
    let done = of("12/77");
    assert_eq!((&done["status"]["value"], &done["progress"]), (&json!("COMPLETED"), &json!("1")), "{done:#}");
    let half = of("12/78");
    assert_eq!((&half["status"]["value"], &half["progress"]), (&json!("IN_PROGRESS"), &json!("0.5")), "{half:#}");
    let results = found(&place, "/v1/learning-results", |all| all.len() == 2);
    let score = |remote: &str| {
        let own = results.iter().find(|one| one["sources"][0]["remote_id"] == remote).unwrap();
        (own["score"]["value"].clone(), own["score"]["max"].clone())
    };
    assert_eq!((score("12/77"), score("12/78")), ((json!("46"), json!("50")), (json!("21.5"), json!("50"))));
    let people = found(&place, "/v1/employees?connection=moodle-main", |all| all.len() == 2);
    assert!(people.iter().any(|one| one["employee_number"] == "E-10045"), "{people:#?}");

    // Somebody is put into a course that tracks from now on.
    let asked = json!({ "user_id": 78, "course_id": 13 });
    // The round may have used up what the vendor takes in a second.
    wait_until(LIMIT, || match send(&place, "POST", "/v1/passthrough/moodle-main/enrol", &asked) {
        (200, _) => Ok(()),
        (_, answer) => Err(answer.to_string()),
    });
    assert_eq!(place.effects().iter().filter(|(name, _)| name == "moodle enrol 13/78").count(), 1);
    assert_eq!(place.get("/v1/parked")["data"], json!([]));
}
