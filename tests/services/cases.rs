//! Requests and their answers. `cases/<service>.json`: a list of `name`, `given` and `answer`, where null stands for nothing
//! (`bare`: there is nothing to explain);
//! or, of what is refused, `pointer` and the words that the detail `says`. They were worked out by hand or with Python's
//! fractions, not with these programs.

use crate::{read, run};
use hub_service::SERVICES;
use hub_support::project_root;
use hub_tree::{Arena, Value, json};
use std::fs;

fn text(path: &str) -> String {
    fs::read_to_string(project_root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// What of `wanted` is not in `got`: more may stand beside it.
fn differences(at: &str, wanted: Value<'_>, got: Value<'_>, found: &mut Vec<String>) {
    match wanted {
        Value::Map(_) => {
            for (key, wanted) in wanted.entries() {
                differences(&format!("{at}/{key}"), *wanted, got.get(key), found);
            }
        }
        Value::List(_) if got.items().len() == wanted.items().len() => {
            for (index, wanted) in wanted.items().iter().enumerate() {
                differences(&format!("{at}/{index}"), *wanted, got.at(index), found);
            }
        }
        Value::Null if got.is_absent() => {}
        _ if json::to_string(&wanted) == json::to_string(&got) => {}
        _ => found.push(format!("{at}: wanted {}, got {}", json::to_string(&wanted), json::to_string(&got))),
    }
}

/// Whether an answer has the kind of value that a published shape names.
fn fits(shape: Value<'_>, found: Value<'_>) -> bool {
    match shape {
        Value::Text("text") => matches!(found, Value::Text(_)),
        Value::Text("integer") => found.as_decimal().is_some_and(|number| number.is_integer()),
        Value::Text("true|false") => matches!(found, Value::Bool(_)),
        shape => shape.kind() == found.kind(),
    }
}

#[test]
fn published_examples_are_answered_to_the_letter_and_shapes_field_by_field() {
    let (published, arena) = (text("tests/golden/services.json"), Arena::new());
    let published = read(&arena, &published);
    let (mut wrong, mut examples) = (Vec::new(), 0);
    for (service, types) in published.get("services").entries() {
        let own = text(&format!("tests/services/cases/{service}.json"));
        let own = read(&arena, arena.text(&own));
        for (name, one) in types.entries() {
            let at = format!("{service} {name}");
            let example = one.get("example");
            if !example.is_absent() {
                examples += 1;
                match run(service, &arena, example.get("given")) {
                    Ok(got) => {
                        differences(&at, example.get("answer"), got, &mut wrong);
                        if got.get("explain").items().is_empty() || !got.get("warnings").is_absent() {
                            wrong.push(format!("{at}: explains nothing, or warns: {}", json::to_string(&got)));
                        }
                    }
                    Err(refused) => wrong.push(format!("{at}: {refused}")),
                }
            }
            let shape = one.path("shape.answer").entries();
            let of_type = own.items().iter().filter(|case| case.path("given.type") == Value::Text(name));
            let answers: Vec<Value<'_>> =
                of_type.filter_map(|case| run(service, &arena, case.get("given")).ok()).collect();
            let has_all = |answer: &Value<'_>| shape.iter().all(|(field, kind)| fits(*kind, answer.get(field)));
            if !shape.is_empty() && !answers.iter().any(has_all) {
                wrong.push(format!("{at}: no case of `{service}.json` is answered with all fields of its shape"));
            }
        }
    }
    assert!(examples > 50, "{examples} examples");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn cases_of_our_own_are_answered_as_worked_out() {
    let (mut wrong, mut ran) = (Vec::new(), 0);
    for service in SERVICES {
        let (cases, arena) = (text(&format!("tests/services/cases/{}.json", service.name)), Arena::new());
        for case in read(&arena, &cases).items() {
            let name = format!("{} {}", service.name, case.get("name").as_text().unwrap());
            ran += 1;
            match (run(service.name, &arena, case.get("given")), case.get("pointer").as_text()) {
                (Ok(got), None) => {
                    differences(&name, case.get("answer"), got, &mut wrong);
                    let bare = case.get("bare") == Value::Bool(true);
                    if got.get("explain").items().is_empty() != bare {
                        wrong.push(format!("{name}: explains nothing, or was not to"));
                    }
                }
                (Err(refused), Some(pointer)) => {
                    let words = case.get("says");
                    let words = if words.as_text().is_some() { vec![words] } else { words.items().to_vec() };
                    let said = words.iter().all(|word| refused.detail.contains(word.as_text().unwrap()));
                    if refused.pointer != pointer || !said {
                        wrong.push(format!("{name}: {refused}"));
                    }
                }
                (got, _) => wrong.push(format!("{name}: {:?}", got.map(|got| json::to_string(&got)))),
            }
        }
    }
    assert!(ran > 300, "too few cases ran: {ran}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
