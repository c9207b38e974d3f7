//! One candidate's whole road, on both kinds of backends: web hook, records, invitation, result, decision, message,
//! write-back; the same journey in API, console and traces.

use crate::collector::Collector;
use hub_support::{Backends, Candidate, Place, wait_for};
use serde_json::Value;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(240);

/// The journey of an application, once it holds `count` calls.
pub(crate) fn journey_with_calls(place: &Place, number: u32, count: usize) -> Value {
    wait_for("the journey to be complete", LIMIT, || {
        let found = place.get(&format!("/v1/applications?connection=greenhouse-main&remote_id={number}"));
        let id = found["data"][0]["id"].as_str()?;
        let about = place.get(&format!("/v1/journeys?about=application/{id}"));
        let trace = about["data"].as_array()?.last()?["trace_id"].as_str()?;
        let journey = place.get(&format!("/v1/journeys/{trace}"));
        let calls = journey["steps"].as_array()?.iter().filter(|s| s["step"] == "call" && s["result"] == "ok").count();
        assert!(calls <= count, "{journey:#}");
        (calls == count).then_some(journey)
    })
}

fn a_candidate_goes_the_whole_road(backends: Backends) {
    let collector = Collector::start();
    let place = Place::new(backends);
    let _sandbox = place.sandbox();
    let hub = place.serve_with(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.endpoint)]);
    let strong = Candidate::new(7001, "strong.example");
    let weak = Candidate::new(7002, "weak.example");
    place.move_candidate(&strong);
    place.move_candidate(&weak);
    let journey = journey_with_calls(&place, strong.number, 5);
    let other = journey_with_calls(&place, weak.number, 4);
    // The interview vendor knows applications by the hub's id.
    let hub_id = |journey: &Value| {
        let subjects = journey["steps"].as_array().unwrap().iter().filter_map(|step| step["subject"].as_str());
        subjects.filter_map(|subject| subject.strip_prefix("application/")).next().unwrap().to_owned()
    };
    let mut expected: Vec<(String, u64)> = [
        format!("ai-interview invite application/{}", hub_id(&journey)),
        format!("ai-interview invite application/{}", hub_id(&other)),
        "dingtalk message petra.osei: First7001 Last7001（客服专员）AI 面试".to_owned(),
        "dingtalk message petra.osei: First7002 Last7002（客服专员）AI 面试".to_owned(),
        "greenhouse move application/7001".to_owned(),
        "greenhouse note candidate/907001".to_owned(),
        "greenhouse note candidate/907002".to_owned(),
        "greenhouse score application/7001".to_owned(),
        "greenhouse score application/7002".to_owned(),
    ]
    .map(|name| (name, 1))
    .into();
    expected.sort();
    let mut effects = place.effects();
    effects.sort();
    assert_eq!(effects, expected);

    // The records say the same.
    let application = place.get("/v1/applications?connection=greenhouse-main&remote_id=7001");
    let id = application["data"][0]["id"].as_str().unwrap();
    let decision = place.get(&format!("/v1/decisions?application={id}"));
    let decision = &decision["data"][0];
    assert_eq!(
        (decision["label"]["value"].as_str(), decision["kind"]["value"].as_str()),
        (Some("RECOMMENDED"), Some("ADVANCE"))
    );
    assert!(!decision["reasons"].as_array().unwrap().is_empty(), "{decision:#}");
    let why = place.get(&format!("/v1/decisions/{}/explain?field=label", decision["id"].as_str().unwrap()));
    assert!(why["steps"].to_string().contains("9.2"), "the vendor's own score is at the root of it: {why:#}");
    let message = place.get("/v1/messages");
    assert_eq!(message["data"].as_array().unwrap().len(), 2);
    assert!(message["data"].as_array().unwrap().iter().all(|m| m["status"]["value"] == "SENT"), "{message:#}");

    // The console shows the same steps.
    let trace = journey["trace_id"].as_str().unwrap();
    let cookie = sign_in(&place);
    let page =
        place.http().get(place.url(&format!("/console/journeys/{trace}"))).header("cookie", &cookie).send().unwrap();
    let page = page.text().unwrap();
    let steps = journey["steps"].as_array().unwrap();
    assert_eq!(page.matches("<li class").count(), steps.len());
    for step in steps {
        let detail = step["detail"].as_str().unwrap();
        assert!(page.contains(detail), "`{detail}` is not on the page");
    }
    let list = place.http().get(place.url("/console/journeys?lang=zh")).header("cookie", &cookie).send().unwrap();
    let list = list.text().unwrap();
    assert!(list.contains(trace) && list.contains("流转记录") && list.contains(other["trace_id"].as_str().unwrap()));

    // Stopping sends the last spans: one trace per journey, across the bus, every parent known.
    assert!(hub.stop().success(), "{}", hub.log());
    let spans = collector.spans();
    let own: Vec<_> = spans.iter().filter(|span| span.trace == trace).collect();
    let names: Vec<&str> = own.iter().map(|span| span.name.as_str()).collect();
    for wanted in ["receive", "map", "publish", "consume", "call"] {
        assert!(names.contains(&wanted), "no span `{wanted}` in {names:?}");
    }
    let roots = own.iter().filter(|span| !own.iter().any(|other| other.id == span.parent)).count();
    assert!(roots < own.len() / 2, "the spans hang together: {own:#?}");
}

/// Signs in at the console; gives the cookie.
pub(crate) fn sign_in(place: &Place) -> String {
    let stranger = place.http().get(place.url("/console/journeys")).send().unwrap();
    assert_eq!(
        (stranger.status().as_u16(), &stranger.headers()["location"]),
        (303, &"/console/login".parse().unwrap())
    );
    let login = |key: &str| place.http().post(place.url("/console/login")).form(&[("key", key)]).send().unwrap();
    assert_eq!(login("wrong").status(), 401);
    let signed = login(&place.secret("HRHUB_ADMIN_KEY"));
    assert_eq!(signed.status(), 303);
    signed.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned()
}

#[test]
fn a_candidate_goes_the_whole_road_on_the_embedded_default() {
    a_candidate_goes_the_whole_road(Backends::Embedded);
}

#[test]
fn a_candidate_goes_the_whole_road_on_rabbitmq_and_postgresql() {
    a_candidate_goes_the_whole_road(Backends::Servers);
}
