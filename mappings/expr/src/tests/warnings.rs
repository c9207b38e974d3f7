//! What compiles but cannot be meant.

use super::world;
use crate::Expr;

/// The warnings as `text: message`.
fn warnings(text: &str) -> Vec<String> {
    let expr = Expr::compile(text, &world::scope()).unwrap_or_else(|problems| panic!("{text}: {problems:?}"));
    let chars: Vec<char> = text.chars().collect();
    let place = |start: usize, len: usize| chars.iter().skip(start).take(len).collect::<String>();
    expr.warnings().iter().map(|w| format!("{}: {}", place(w.start, w.len), w.message)).collect()
}

#[test]
fn what_cannot_be_meant_is_named_with_its_place() {
    for (text, wanted) in [
        ("if(true, 1, 2)", "2: this branch is never reached: the condition is always true"),
        ("if(1 > 2, word, 'b')", "word: this branch is never reached: the condition is never true"),
        ("false and payload.b", "payload.b: this branch is never reached: the left side is never true"),
        ("true or payload.b", "payload.b: this branch is never reached: the left side is always true"),
        ("'a' ?? word", "word: this branch is never reached: the left side is never absent"),
        ("(payload.n ?? 0) ?? 1", "1: this branch is never reached: the left side is never absent"),
        ("(word == 'a') ?? true", "true: this branch is never reached"),
        ("null ?? word", "null: this is always absent"),
        ("word in ['a', 'b', 'a']", "'a': this value stands in the list twice"),
        ("payload.n in [1, 1.0]", "1.0: this value stands in the list twice"),
        (
            "if(record.stage == 'OFFER', 1, if(record.stage == 'OFFER', 2, 3))",
            "2: this branch is never reached: the condition is never true",
        ),
        (
            "if(record.stage in ['OFFER', 'HIRED'], 1, if(record.stage == 'HIRED', 2, 3))",
            "2: this branch is never reached",
        ),
        ("if(record.stage == 'OFFER', if(record.stage != 'OFFER', 1, 2), 3)", "1: this branch is never reached"),
        (
            "if(record.stage in ['OFFER'], if(record.stage == 'OFFER', 1, 2), 3)",
            "2: this branch is never reached: the condition is always true",
        ),
        ("if(not (word == 'a' or word == 'b'), if(word == 'b', 1, 2), 3)", "1: this branch is never reached"),
        ("word == 'a' and word == 'b'", "word == 'b': this condition is never true here"),
        ("word == 'a' or word == 'a'", "word == 'a': this condition is never true here"),
        ("where(payload.list, item.t == 'a' and item.t == 'b')", "item.t == 'b': this condition is never true here"),
        ("where(payload.list, 1 == 1)", "1 == 1: this condition is always true"),
        ("day > date('2026-02-30')", "date('2026-02-30'): this always fails: `date`: the text is no ISO date"),
        ("payload.n + 1 / 0", "0: this always fails: division by zero"),
        ("map(payload.list, item.n * (1 / 0))", "0: this always fails: division by zero"),
    ] {
        let found = warnings(text);
        assert!(found.len() == 1 && found[0].starts_with(wanted), "{text}: {found:?}");
    }
}

#[test]
fn what_may_be_meant_is_left_alone() {
    for text in [
        "if(payload.b, 1, 2)",
        "payload.n ?? 0",
        "first(['a', payload.t]) ?? 'b'",
        "payload.list[0] ?? null",
        "date('2026-02-28')",
        "word in ['a', 'b']",
        "if(record.stage == 'OFFER', 1, if(record.stage == 'HIRED', 2, 3))",
        "if(word == 'a', 1, if(payload.t == 'a', 2, 3))",
        "where(payload.list, any(item.list, item.t == 'a') and item.t == 'b')",
        "if(word == 'a', any(payload.list, item.t == 'a'), false)",
        "word == 'a' or word == 'b'",
        "word != 'a' and word != 'b'",
        "if(word in ['a', 'b'], if(word == 'a', 1, 2), 3)",
        "sum(map([1, 2], item * 2))",
        "if(word == null, 1, if(payload.t == null, 2, 3))",
    ] {
        assert_eq!(warnings(text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn a_constant_that_takes_long_is_left_to_the_run() {
    let long = "any([1, 2, 3], ".repeat(14) + "true" + &")".repeat(14);
    assert!(warnings(&format!("if({long}, 1, 2)")).iter().all(|warning| !warning.contains("always fails")));
}
