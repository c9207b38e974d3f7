//! Programs written to do harm: each ends soon, in little memory, with an error that has a place.

use super::generate::Choices;
use super::{cases, few_cases, replay, world};
use crate::{Cx, Expr, Scope, Type};
use hub_tree::{Arena, Limits, Value, json};
use proptest::prelude::*;

/// What a program comes to: its JSON, or the message of its error. Runs on a stack of 1.5 MiB; worker
/// threads have 2 MiB.
fn outcome(program: &str) -> String {
    let program = program.to_owned();
    let run = move || {
        let expr = match Expr::compile(&program, &world::scope()) {
            Ok(expr) => expr,
            Err(problems) => {
                let chars = program.chars().count();
                assert!(problems.iter().all(|p| p.len > 0 && p.start <= chars), "a problem without a place");
                return format!("check: {}", problems[0].message);
            }
        };
        let arena = Arena::new();
        // The simplest input, and one with something in it.
        let slots = world::slots(&mut Choices::new(&[0, 30_000, 30_000, 30_000, 60_000, 20_000, 20_000]), &arena);
        let fast = expr.eval(&mut world::cx(&arena, &slots)).map(|value| json::to_string(&value));
        let memory = arena.allocated_bytes();
        assert!(memory < 256 << 20, "{memory} bytes");
        let slow = expr.explain(&mut world::cx(&arena, &slots));
        let slow = slow.map(|(value, why)| (json::to_string(&value), serde_json::to_string(&why).unwrap().len()));
        match (fast, slow) {
            (Ok(fast), Ok((slow, size))) => {
                assert_eq!(fast, slow);
                assert!(size < 64 << 20, "an explanation of {size} bytes");
                fast
            }
            (Err(fast), Err(slow)) => {
                assert_eq!(fast, slow);
                assert!(fast.len > 0);
                fast.message
            }
            _ => panic!("evaluated and explained differ"),
        }
    };
    let thread = std::thread::Builder::new().stack_size(3 << 19).spawn(run).unwrap();
    thread.join().unwrap()
}

#[test]
fn deep_programs_are_refused_before_the_stack_ends() {
    let wrapped = |open: &str, inner: &str, close: &str| {
        let count = (3_900 - inner.len()) / (open.len() + close.len());
        format!("{}{inner}{}", open.repeat(count), close.repeat(count))
    };
    for program in [
        wrapped("(", "1", ")"),
        wrapped("[", "1", "]"),
        wrapped("-", "1", ""),
        wrapped("not ", "true", ""),
        wrapped("f(", "1", ")"),
        wrapped("if(true,", "1", ",2)"),
        wrapped("map([1],", "item", ")"),
        wrapped("any([1],", "true", ")"),
        wrapped("payload[", "0", "]"),
        wrapped("(not ", "true", ")"),
        wrapped("-(", "1", ")"),
        wrapped("", "1", "+1"),
        wrapped("1+(", "1", ")"),
        wrapped("", "payload", ".n"),
        wrapped("", "payload", "[0]"),
        wrapped("", "'a'", "&'a'"),
        wrapped("", "payload.n", "??1"),
        wrapped("", "true", " and true"),
        wrapped("", "word", "|trim"),
        wrapped("", "word", "|f"),
        wrapped("", "1", "|f(1)"),
        wrapped("{", "", "}"),
        "1".repeat(5_000),
        "=".repeat(3_000),
        "\\".repeat(3_000),
        "'".repeat(3_001),
    ] {
        let found = outcome(&program);
        assert!(found.starts_with("check: "), "{found} of {}", &program[..20]);
    }
    // What is just allowed runs on that stack, too.
    for (open, inner, close, count) in [
        ("(", "1", ")", 60),
        ("[", "1", "]", 60),
        ("if(true,", "1", ",2)", 30),
        ("map([1],", "item", ")", 30),
        ("any([1],", "true", ")", 30),
        ("(not ", "true", ")", 30),
        ("-(", "1", ")", 30),
        ("", "1", "+1", 190),
        ("", "payload", ".deep", 190),
        ("", "payload", "[0]", 190),
        ("", "'a'", "&'a'", 190),
        ("", "payload.n", "??1", 190),
        ("", "true", " and true", 190),
        ("", "word", "|trim", 190),
        ("", "[1]", "|map([item])", 190),
        ("", "record.stage", "??record.stage", 190),
    ] {
        let program = format!("{}{inner}{}", open.repeat(count), close.repeat(count));
        let found = outcome(&program);
        assert!(!found.starts_with("check: "), "{found} of {program}");
    }
}

#[test]
fn programs_that_grow_end_at_a_limit() {
    let chain = |start: &str, step: &str, count: usize| format!("{start}{}", step.repeat(count));
    for (program, wanted) in [
        (chain("'ab'", " | replace('a','abababababababab')", 100), "longer than"),
        (chain("['aaaaaaaaaaaaaaaa']", " | map(item & item & item & item)", 100), "longer than"),
        // Every step doubles the tree and takes no memory: its parts are shared.
        (chain("[0]", " | map([item, item])", 100), "steps"),
        (chain("[payload]", " | map([item, item, item, item])", 60), "steps"),
        (chain("[['a']]", " | map([item, [item, item]])", 100), "steps"),
        (chain("['aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa']", " | map(join([item, item, item, item]))", 60), "longer than"),
        (chain("[[1]]", " | map(map([item, item], item))", 90), "steps"),
        (format!("{}true{}", "any([1, 2, 3, 4], ".repeat(30), ")".repeat(30)), "steps"),
        (format!("{}item{}", "map([1, 2, 3, 4, 5, 6, 7, 8], ".repeat(30), ")".repeat(30)), "steps"),
        (
            format!("count({}[1,2,3,4,5,6,7,8,9]{})", "unique(map([1,2,3,4,5,6,7,8,9], ".repeat(15), "))".repeat(15)),
            "steps",
        ),
    ] {
        let found = outcome(&program);
        assert!(found.contains(wanted), "{} of {program}", &found[..found.len().min(200)]);
    }
}

/// A list of many texts, one long text, an object of many keys.
fn large(arena: &Arena) -> Vec<Value<'_>> {
    let many: Vec<Value<'_>> = (0..10_000).map(|n| Value::Text(arena.format(format_args!("text {n}")))).collect();
    let rows: Vec<Value<'_>> = many.iter().map(|text| arena.map(&[("id", *text), ("n", Value::Number("1"))])).collect();
    let keys: Vec<(&str, Value<'_>)> = many.iter().map(|text| (text.as_text().unwrap(), Value::Number("1"))).collect();
    let payload = arena.map(&[
        ("many", arena.list(&many)),
        ("rows", arena.list(&rows)),
        ("long", Value::Text(arena.text(&"长 text, ".repeat(100_000)))),
        ("keys", arena.map(&keys)),
    ]);
    vec![payload]
}

/// Work on large inputs is paid for: none of these may take long, whatever it comes to.
#[test]
fn work_on_large_inputs_counts() {
    let arena = Arena::new();
    let slots = large(&arena);
    let scope = Scope::new([("payload", Type::Any)]);
    let began = arena.allocated_bytes();
    for (program, ends) in [
        ("map(payload.many, unique(payload.many))", false),
        ("unique(map(payload.many, payload.rows))", false),
        ("count(where(payload.many, item in payload.many))", false),
        ("map(payload.many, payload == payload)", false),
        ("map(payload.many, payload.rows == payload.rows)", false),
        ("map(payload.many, payload.long == payload.long)", false),
        ("map(payload.many, contains(payload.long, 'zzz'))", false),
        ("map(payload.many, lower(payload.long))", false),
        ("map(payload.many, length(payload.long))", false),
        ("join(map(payload.many, payload.long))", false),
        ("map(payload.many, split(payload.long, ','))", false),
        ("map(payload.many, sum(map(payload.many, 1)))", false),
        ("get(payload.keys, 'text 9999')", true),
        ("map(payload.many, map(payload.many, payload.keys.'text 9999'))", false),
        ("all(payload.many, all(payload.many, item == 'x'))", false),
        ("count(unique(payload.many))", true),
        ("count(where(payload.rows, item.id == 'text 5000'))", true),
        ("first(where(payload.rows, item.id == 'text 5000')).n", true),
        ("map(payload.rows, item)", true),
        ("map(payload.rows, item.id & '!')", true),
        ("payload == payload", true),
        ("'text 9999' in payload.many", true),
    ] {
        let expr = Expr::compile(program, &scope).unwrap_or_else(|p| panic!("{program}: {}", p[0].message));
        let found = expr.eval(&mut Cx::new(&arena, slots.clone()));
        match found {
            Ok(_) => assert!(ends, "{program} came to an end"),
            Err(error) => assert!(
                !ends && error.message.contains("steps") || error.message.contains("longer"),
                "{program}: {error}"
            ),
        }
    }
    let taken = arena.allocated_bytes() - began;
    assert!(taken < 1 << 30, "{taken} bytes for all of them");
}

/// Past its limits an explanation leaves steps out, but nothing that the value rests on, and stays of bounded size.
#[test]
fn an_explanation_that_is_cut_short_still_replays() {
    let arena = Arena::new();
    let long: Vec<Value<'_>> = (0..3_000)
        .map(|n| {
            let id = Value::Number(arena.format(format_args!("{n}")));
            arena.map(&[("n", id), ("t", Value::Text(arena.text("work")))])
        })
        .collect();
    let input = arena.map(&[
        ("list", arena.list(&long)),
        ("n", Value::Number("7")),
        ("t", Value::Text("a")),
        ("deep", arena.map(&[("n", Value::Number("2999")), ("t", Value::Null)])),
    ]);
    let mut slots = world::slots(&mut Choices::new(&[]), &arena);
    slots[0] = input;
    slots[8] = input.get("deep");
    for program in [
        "sum(map(payload.list, item.n * payload.n)) + alias.n",
        "first(where(payload.list, item.n == payload.deep.n and is_null(alias.t) and exists(payload.n))).t",
        "count(where(payload.list, payload.list[item.n].t == 'work' and payload[\"t\"] == 'a'))",
        "join(map(payload.list, get(payload, 't') & payload.list[0].t))",
        "count(map(payload.list, count(payload.list)))",
        "payload.list[count(where(payload.list, item.n < 2500))].n & (payload.deep.t ?? payload.t)",
    ] {
        let expr = Expr::compile(program, &world::scope()).unwrap();
        let (value, why) = expr.explain(&mut world::cx(&arena, &slots)).unwrap();
        assert!(replay::replays(&expr, value, &why, &arena), "{program}");
        let size = serde_json::to_string(&why).unwrap().len();
        assert!(size < 8 << 20, "{program}: an explanation of {size} bytes");
    }
}

proptest! {
    #![proptest_config(few_cases())]
    /// Pieces that grow, nested at random.
    #[test]
    fn growing_programs_end(
        start in proptest::sample::select(&["[1, 2]", "['a']", "payload.list", "[payload]", "[[1], [2]]"][..]),
        steps in proptest::collection::vec(proptest::sample::select(STEPS), 0..100),
    ) {
        let program: String = std::iter::once(start).chain(steps).collect();
        let Ok(expr) = Expr::compile(&program, &world::scope()) else { return Ok(()) };
        let arena = Arena::new();
        let slots = world::slots(&mut Choices::new(&[0, 40_000, 40_000, 40_000]), &arena);
        let fast = expr.eval(&mut world::cx(&arena, &slots));
        let slow = expr.explain(&mut world::cx(&arena, &slots));
        prop_assert_eq!(fast.is_ok(), slow.is_ok());
        prop_assert!(arena.allocated_bytes() < 512 << 20);
        if let Ok(value) = fast {
            prop_assert!(json::to_string(&value).len() < 256 << 20);
        }
    }
}

proptest! {
    #![proptest_config(cases())]
    /// The same tree read from JSON text: payloads of any shape never stop the machine.
    #[test]
    fn any_payload_is_met(text in "[\\[\\]{}\",:0-9a-ntrulefs .-]{0,60}", row in proptest::collection::vec(any::<u16>(), 0..100)) {
        let arena = Arena::new();
        let Ok(payload) = json::read(&arena, text.as_bytes(), Limits::default()) else { return Ok(()) };
        let ast = super::generate::Generator::new(&mut Choices::new(&row)).program();
        let program = super::printed::print(&ast, &mut Choices::new(&[]));
        let Ok(expr) = Expr::compile(&program, &world::scope()) else { return Ok(()) };
        let slots = vec![payload; 9];
        let fast = expr.eval(&mut Cx::new(&arena, slots.clone()));
        let slow = expr.explain(&mut Cx::new(&arena, slots)).map(|(value, _)| value);
        prop_assert_eq!(fast, slow);
    }
}

const STEPS: &[&str] = &[
    " | map([item, item])",
    " | map([item, payload])",
    " | where(true)",
    " | unique",
    " | map(item ?? 1)",
    " | map([item])",
    " | map(first([item]))",
    " | map(item[0])",
    " | where(item == item)",
    " | map(text(item))",
    " | map(item & item)",
    " | map([item] | map([item, item]))",
    " | map(count([item]))",
    " | map(if(item == null, 1, item))",
];
