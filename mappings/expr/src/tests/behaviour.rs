//! Behaviour of the language, end to end.

use crate::{Cx, EnumType, Expr, Scope, Segment, Template, Type, functions};
use hub_tree::{Arena, Limits, json};
use std::sync::Arc;

const PAYLOAD: &str = r#"{
  "name": "李娜", "rating": 4.5, "big": 123456789012345678901234567890, "none": null, "empty": "",
  "emails": [{"type": "home", "value": "a@example.org"}, {"type": "work", "value": "b@example.org"}],
  "pay": {"基本工资": 5000, "奖金基数": 1500.10}
}"#;

fn scope() -> Scope {
    let stage = EnumType { name: "stage".into(), values: vec!["OFFER".into(), "INTERVIEW".into()] };
    let record = Type::record(
        "application",
        [
            ("stage", Type::Enum(Arc::new(stage))),
            ("score", Type::Number),
            ("applied_on", Type::Date),
            ("note", Type::Text),
            ("emails", Type::list(Type::record("email", [("type", Type::Text)]))),
        ],
    );
    Scope::new([("payload", Type::Any), ("record", record)])
}

/// The value as JSON, `absent`, or the error's message.
pub(crate) fn eval(text: &str) -> String {
    let arena = Arena::new();
    let payload = json::read(&arena, PAYLOAD.as_bytes(), Limits::default()).unwrap();
    let record = json::read(&arena, br#"{"stage":{"value":"OFFER","raw":"Offer sent"}}"#, Limits::default()).unwrap();
    let expr = match Expr::compile(text, &scope()) {
        Ok(expr) => expr,
        Err(problems) => return format!("check: {}", problems[0].message),
    };
    let mut cx = Cx::new(&arena, vec![payload, record]);
    let fast = expr.eval(&mut cx);
    let explained = expr.explain(&mut Cx::new(&arena, cx.slots.clone()));
    match fast {
        Ok(value) => {
            assert_eq!(value, explained.unwrap().0, "both paths agree on {text}");
            if value.is_absent() { "absent".into() } else { json::to_string(&value) }
        }
        Err(error) => {
            assert_eq!(error, explained.unwrap_err());
            error.message
        }
    }
}

#[test]
fn operators_and_precedence() {
    for (text, wanted) in [
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3", "9"),
        ("-payload.rating * 2", "-9.0"),
        ("0.1 + 0.2 == 0.3", "true"),
        ("1 / 3", "0.3333333333333333333333333333"),
        ("2 / 3", "0.6666666666666666666666666667"),
        ("not 1 == 2 and true", "true"),
        ("1 < 2 or 1 / 0 == 1", "true"),
        ("payload.name & '/' & payload.rating", "\"李娜/4.5\""),
        ("'b' in ['a', 'b']", "true"),
        ("payload.pay.基本工资 + payload.pay.奖金基数 * 1.5", "7250.150"),
        ("payload.emails[1].value | upper", "\"B@EXAMPLE.ORG\""),
        ("payload[\"name\"]", "\"李娜\""),
        ("payload.name | left(1) | text", "\"李\""),
        ("if(payload.rating >= 4.5, 'high', 'low')", "\"high\""),
        ("where(payload.emails, item.type == 'work') | first", r#"{"type":"work","value":"b@example.org"}"#),
        ("first(where(payload.emails, item.type == 'work')).value", "\"b@example.org\""),
        ("map(payload.emails, item.value) | join('; ')", "\"a@example.org; b@example.org\""),
        ("any(payload.emails, item.type == 'home') and not all(payload.emails, item.type == 'home')", "true"),
        ("record.stage == 'OFFER'", "true"),
        ("record.stage & '!'", "\"OFFER!\""),
        ("record.stage in ['OFFER']", "true"),
        ("record.stage.raw", "\"Offer sent\""),
        ("payload.big", "123456789012345678901234567890"),
        ("get(payload.pay, '基本' & '工资')", "5000"),
        ("sum(map(payload.emails, 1))", "2"),
    ] {
        assert_eq!(eval(text), wanted, "{text}");
    }
}

/// The truth table of what is not there.
#[test]
fn absent_is_absent_and_never_zero() {
    for (text, wanted) in [
        ("payload.missing", "absent"),
        ("payload.none", "absent"),
        ("payload.empty", "\"\""),
        ("payload.missing + 1", "absent"),
        ("payload.name & payload.missing", "absent"),
        ("payload.missing > 1", "absent"),
        ("payload.missing == null", "true"),
        ("payload.none == null", "true"),
        ("payload.missing == 'x'", "false"),
        ("payload.missing != 'x'", "true"),
        ("payload.missing ?? 'x'", "\"x\""),
        ("payload.none ?? 'x'", "\"x\""),
        ("payload.empty ?? 'x'", "\"\""),
        ("upper(payload.missing)", "absent"),
        ("exists(payload.none)", "false"),
        ("is_null(payload.none)", "true"),
        ("is_null(payload.missing)", "false"),
        ("payload.missing.deeper[3].still", "absent"),
        ("map(payload.missing, item)", "absent"),
        ("count(payload.missing)", "absent"),
        ("true or payload.missing > 1", "true"),
        ("payload.missing > 1 or true", "true"),
        ("false or payload.missing > 1", "absent"),
        ("payload.missing > 1 and false", "false"),
        ("first([])", "absent"),
    ] {
        assert_eq!(eval(text), wanted, "{text}");
    }
    for text in ["if(payload.missing > 1, 'a', 'b')", "where(payload.emails, item.no > 1)"] {
        assert!(eval(text).contains("condition is absent"), "{text}: {}", eval(text));
    }
    assert!(eval("sum([1, payload.missing])").contains("number 2 is absent"));
}

#[test]
fn errors_at_run_time_name_kinds_never_values() {
    for (text, wanted) in [
        ("payload.name + 1", "needs a number, this is text: write `number(…)`"),
        ("payload.name == 1", "text is never equal to a number"),
        ("payload.name < payload.rating", "text cannot be compared with a number"),
        ("payload.rating / 0", "division by zero"),
        ("payload.big + 1", "more than 28 digits"),
        ("payload.emails & ''", "`&` joins text, this is a list"),
        ("number(payload.name)", "`number`: the text is no number"),
        ("payload.emails['x']", "absent"),
        ("payload.emails[0.5]", "whole number from 0"),
        ("if(payload.name, 1, 2)", "a condition is true or false, this is text"),
        ("date('2026-02-30')", "no ISO date"),
        ("datetime('2026-03-29 02:30:00', 'Europe/Berlin')", "does not exist, or exists twice"),
        ("79228162514264337593543950335 * 2", "more than 28 digits"),
    ] {
        let message = eval(text);
        assert!(message.contains(wanted), "{text}: {message}");
        assert!(!message.contains("李娜"), "{text}: {message}");
    }
}

fn check(text: &str) -> (usize, String, String) {
    let problems = Expr::compile(text, &scope()).expect_err(text);
    (problems[0].start, problems[0].message.clone(), problems[0].suggestion.clone().unwrap_or_default())
}

#[test]
fn the_checker_names_place_problem_and_remedy() {
    for (text, start, message, suggestion) in [
        ("paylod.name", 0, "unknown name `paylod`", "did you mean `payload`?"),
        ("payload.name | uper", 15, "unknown function `uper`", "did you mean `upper`?"),
        ("record.stag == 'OFFER'", 7, "application has no `stag`", "did you mean `stage`?"),
        ("record.stage == 'OFER'", 16, "stage has no value `OFER`", "did you mean `OFFER`?"),
        ("record.stage in ['OFFER', 'INTERVEIW']", 26, "stage has no value", "INTERVIEW"),
        ("record.score == 'x'", 0, "number is never equal to text", ""),
        ("record.note + 1", 0, "needs number, this is text", "write `number(…)`"),
        ("record.applied_on > 5", 0, "date cannot be compared with number", ""),
        ("record.emails.type", 14, "a list has no key `type`", "first(…).type"),
        ("if(record.score, 1, 2)", 3, "a condition needs true/false, this is number", ""),
        ("if(true, 1, 'a')", 0, "one side is number, the other text", ""),
        ("round(1, 2, 3)", 0, "`round` is called as `round(number, [digits])`", ""),
        ("round", 0, "unknown name `round`", "is a function"),
        ("a = 1", 2, "`=` is not an operator here", "equality is written `==`"),
        ("a && b", 2, "`&&` is not an operator here", "write `and`"),
        ("1 < 2 < 3", 6, "cannot be chained", "a < b and b < c"),
        ("payload.", 8, "expected a key after `.`", ""),
        ("payload.0", 8, "a key cannot be a number", "[0]"),
        ("'open", 0, "without a closing quote", ""),
        ("(1 + 2", 6, "expected `)`, found the end", ""),
        ("", 0, "the expression is empty", ""),
        ("1 2", 2, "expected an operator, found `2`", ""),
        ("upper(1)", 6, "`upper` needs text, this is number", "write `text(…)`"),
        ("99999999999999999999999999999999", 0, "at most 28 digits", ""),
    ] {
        let (at, found, help) = check(text);
        assert!(found.contains(message), "{text}: {found}");
        assert!(help.contains(suggestion), "{text}: {help}");
        assert_eq!(at, start, "{text}: {found}");
    }
}

#[test]
fn hostile_programs_end_with_an_error() {
    let deep = format!("{}1{}", "(".repeat(5_000), ")".repeat(5_000));
    assert!(Expr::compile(&deep, &scope()).is_err());
    let nots = format!("{}true", "not ".repeat(900));
    assert!(Expr::compile(&nots, &scope()).is_err());
    let minus = format!("{}1", "-".repeat(3_000));
    assert!(Expr::compile(&minus, &scope()).is_err());
    let chain = format!("1{}", "+1".repeat(1_500));
    assert!(Expr::compile(&chain, &scope()).is_err());
    // Doubling a text ends at the size limit, not with the memory.
    let double = format!("payload.name{}", " | replace('李', '李李李李李李李李')".repeat(60));
    assert!(eval(&double).contains("too long") || eval(&double).contains("longer than"), "{}", eval(&double));
    let nested = "any(payload.emails, ".repeat(22) + "true" + &")".repeat(22);
    assert!(eval(&nested).contains("more than 2000000 steps"), "{}", eval(&nested));
}

#[test]
fn explanations_show_steps_values_and_source_paths() {
    let arena = Arena::new();
    let payload = json::read(&arena, PAYLOAD.as_bytes(), Limits::default()).unwrap();
    let expr = Expr::compile("upper(first(where(payload.emails, item.type == 'work')).value) & payload.none", &scope())
        .unwrap();
    let (value, why) = expr.explain(&mut Cx::new(&arena, vec![payload])).unwrap();
    assert!(value.is_absent());
    let lines = why.to_lines();
    assert!(
        lines.contains(
            "\"b@example.org\"  ⟵ first(where(payload.emails, item.type == 'work')).value  [payload.emails[1].value]"
        ),
        "{lines}"
    );
    assert!(lines.contains("\"home\"  ⟵ item.type  [payload.emails[0].type]"), "{lines}");
    assert!(lines.contains("(null)  ⟵ payload.none"), "{lines}");
}

#[test]
fn reads_are_known_before_it_runs() {
    let reads = |text: &str| {
        let expr = Expr::compile(text, &scope()).unwrap();
        let mut all: Vec<String> = expr
            .reads()
            .iter()
            .chain(expr.source())
            .map(|read| {
                read.path.iter().fold(format!("${}", read.slot), |path, segment| match segment {
                    Segment::Key(key) => format!("{path}.{key}"),
                    Segment::Items => format!("{path}[]"),
                    Segment::Item(index) => format!("{path}[{index}]"),
                })
            })
            .collect();
        all.sort();
        all.join(" ")
    };
    assert_eq!(reads("payload.a.b & payload.c"), "$0.a.b $0.c");
    assert_eq!(reads("first(where(payload.emails, item.type == 'w')).value"), "$0.emails[].type $0.emails[].value");
    assert_eq!(reads("map(payload.emails, item.value)"), "$0.emails[].value");
    assert_eq!(reads("payload.list[payload.index].x"), "$0.index $0.list[].x");
    assert_eq!(reads("count(payload.list)"), "$0.list");
}

#[test]
fn every_function_has_a_doc_and_an_example_that_holds() {
    let mut wrong = Vec::new();
    for function in functions::all().chain(functions::special()) {
        assert!(function.doc.ends_with('.'), "{} has no doc", function.name);
        assert!(!function.topic.is_empty(), "{} has no topic", function.name);
        assert!(
            function.errors.iter().all(|error| error.ends_with('.')),
            "{} has an error without a stop",
            function.name
        );
        let found = eval(function.example.0);
        if found != function.example.1 {
            wrong.push(format!("{}: {} is {found}", function.name, function.example.0));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn templates_fill_holes_and_keep_a_lone_value_as_it_is() {
    let arena = Arena::new();
    let payload = json::read(&arena, PAYLOAD.as_bytes(), Limits::default()).unwrap();
    let render = |text: &str| {
        let template = Template::compile(text, &scope()).map_err(|p| p[0].message.clone())?;
        let template = Box::leak(Box::new(template));
        let mut cx =
            Cx::new(Box::leak(Box::new(Arena::new())), vec![payload.copy_into(Box::leak(Box::new(Arena::new())))]);
        template.render(&mut cx, &|text, out| out.push_str(text)).map(|v| json::to_string(&v)).map_err(|e| e.message)
    };
    assert_eq!(render("/a/{payload.name}/{payload.rating}").unwrap(), "\"/a/李娜/4.5\"");
    assert_eq!(render("{payload.rating}").unwrap(), "4.5");
    assert_eq!(render("{{literal}} {'}'}").unwrap(), "\"{literal} }\"");
    assert_eq!(render("plain").unwrap(), "\"plain\"");
    assert!(render("/a/{payload.missing}").unwrap_err().contains("`payload.missing` is absent"));
    assert!(render("/a/{payload.emails}").unwrap_err().contains("a list"));
    assert!(render("/a/{payload.name").unwrap_err().contains("not closed"));
    assert!(render("/a/{paylod}").unwrap_err().contains("unknown name"));
}

#[test]
fn the_text_of_an_xml_element_is_a_name_of_its_own() {
    let arena = hub_tree::Arena::new();
    let scope = Scope::new([("payload", Type::Any)]);
    let expr = Expr::compile("payload.#text", &scope).unwrap();
    let text = [("#text", hub_tree::Value::Text("x"))];
    let found = expr.eval(&mut Cx::new(&arena, vec![arena.map(&text)])).unwrap();
    assert_eq!(found.as_text(), Some("x"));
}
