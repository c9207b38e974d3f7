//! Conversations with the simulators: what each vendor's says to good requests and to those that it must refuse.
//!
//! `exchanges/<vendor>.json` is a list of steps: `ask` (`"POST /path?query"`, with `headers` and `body`) or `act` (an
//! action, with `body`), the `status` and a part of the answer (`answer`) that are expected, and `keep`: names for values
//! of the answer (JSON pointers), which later steps write as `$name`.

use axum::body::{Body, to_bytes};
use axum::http::Request;
use hub_sandbox::{Profile, Sandbox};
use hub_support::project_root;
use hub_tree::{Clock, Findings, Source};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use tower::ServiceExt;

/// Whether `said` holds all that `wanted` does; lists are compared item by item.
fn holds(said: &Value, wanted: &Value) -> bool {
    match (said, wanted) {
        (Value::Object(said), Value::Object(wanted)) => {
            wanted.iter().all(|(key, value)| said.get(key).is_some_and(|said| holds(said, value)))
        }
        (Value::Array(said), Value::Array(wanted)) => {
            said.len() == wanted.len() && said.iter().zip(wanted).all(|(said, wanted)| holds(said, wanted))
        }
        (said, wanted) => said == wanted,
    }
}

fn filled(value: &Value, kept: &BTreeMap<String, String>) -> Value {
    match value {
        Value::String(text) => Value::String(
            kept.iter().fold(text.clone(), |text, (name, value)| text.replace(&format!("${name}"), value)),
        ),
        Value::Array(items) => items.iter().map(|item| filled(item, kept)).collect(),
        Value::Object(entries) => {
            Value::Object(entries.iter().map(|(key, value)| (key.clone(), filled(value, kept))).collect())
        }
        other => other.clone(),
    }
}

async fn ask(sandbox: &Arc<Sandbox>, vendor: &str, step: &Value) -> (u16, Value) {
    let (method, path) = step["ask"].as_str().unwrap().split_once(' ').unwrap();
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in step["headers"].as_object().into_iter().flatten() {
        request = request.header(name, value.as_str().unwrap());
    }
    let body = step.get("body").map(ToString::to_string).unwrap_or_default();
    let router = Arc::clone(sandbox).router(Some(vendor)).unwrap();
    let response = router.oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
    let status = response.status().as_u16();
    let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::String(text)))
}

async fn converse(vendor: &str, steps: &[Value], sandbox: &Arc<Sandbox>) {
    let mut kept = BTreeMap::new();
    for (number, step) in steps.iter().enumerate() {
        let step = filled(step, &kept);
        let (status, answer) = match step["act"].as_str() {
            Some(action) => match sandbox.act(vendor, action, &step["body"].to_string()) {
                Ok(body) => (200, serde_json::from_str(&body).unwrap_or_default()),
                Err(error) => (422, Value::String(error.to_string())),
            },
            None => ask(sandbox, vendor, &step).await,
        };
        let wanted = step["status"].as_u64().unwrap_or(200);
        assert_eq!(u64::from(status), wanted, "{vendor} step {number} {step}\n{answer:#}");
        if let Some(wanted) = step.get("answer") {
            assert!(holds(&answer, wanted), "{vendor} step {number} {step}\n{answer:#}");
        }
        for (name, pointer) in step["keep"].as_object().into_iter().flatten() {
            let value = answer
                .pointer(pointer.as_str().unwrap())
                .unwrap_or_else(|| panic!("{vendor} step {number}: no {pointer} in {answer:#}"));
            kept.insert(name.clone(), value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned));
        }
    }
}

#[tokio::test]
async fn every_simulator_answers_as_its_vendor_does() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("exchanges");
    let mut ran = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let vendor = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let steps: Vec<Value> = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let place = project_root().join(format!("connectors/vendors/{vendor}/sandbox.yaml"));
        let source = Source::new(format!("{vendor}/sandbox.yaml"), std::fs::read_to_string(place).unwrap());
        let findings = Findings::new();
        let profile = Profile::compile(&vendor, &source, &findings);
        let problems: Vec<String> = findings.into_sorted().iter().map(ToString::to_string).collect();
        let profile = profile.unwrap_or_else(|| panic!("{}", problems.join("\n")));
        let sandbox = Sandbox::open(vec![profile], [], None, None, Clock::System).unwrap();
        converse(&vendor, &steps, &sandbox).await;
        ran += steps.len();
    }
    assert!(ran > 0, "no exchange ran");
}
