//! Properties that hold for every well-typed program and every input.

use super::generate::{Choices, Generator};
use super::printed::print;
use super::{cases, replay, world};
use crate::{Expr, Type};
use hub_tree::{Arena, Value, json};
use proptest::prelude::*;
use std::fmt::Write as _;

/// A program and an input, as rows of choices.
pub(super) fn rows() -> impl Strategy<Value = (Vec<u16>, Vec<u16>)> {
    (proptest::collection::vec(any::<u16>(), 0..160), proptest::collection::vec(any::<u16>(), 0..120))
}

fn program(row: &[u16]) -> String {
    let choices = &mut Choices::new(row);
    let ast = Generator::new(choices).program();
    print(&ast, choices)
}

/// Whether a static type admits a value; absent is admitted everywhere.
fn admits(ty: &Type, value: Value<'_>) -> bool {
    value.is_absent()
        || match (ty, value) {
            (Type::Any, _)
            | (Type::Bool, Value::Bool(_))
            | (Type::Number, Value::Number(_) | Value::Decimal(_))
            | (Type::Text, Value::Text(_))
            | (Type::Date, Value::Date(_))
            | (Type::DateTime, Value::DateTime(_)) => true,
            (Type::List(item), Value::List(items)) => items.iter().all(|value| admits(item, *value)),
            (Type::Record(record), Value::Map(map)) => {
                map.entries().iter().all(|(key, value)| record.fields.get(*key).is_some_and(|ty| admits(ty, *value)))
            }
            (Type::Enum(of), Value::Map(map)) => {
                map.get("value").as_text().is_some_and(|text| of.values.iter().any(|value| value == text))
            }
            _ => false,
        }
}

/// The static type, or `Any` where the program mixes in what only the payload knows.
fn sound(expr: &Expr, value: Value<'_>) -> bool {
    admits(expr.ty(), value)
}

/// Runs a program on an input and checks everything that must hold. `true` when it came to a present value.
pub(super) fn check(text: &str, input: &[u16]) -> Result<bool, TestCaseError> {
    let expr = match Expr::compile(text, &world::scope()) {
        Ok(expr) => expr,
        Err(problems) => {
            let limit = problems.iter().any(|p| p.message.contains("nested deeper") || p.message.contains("4000"));
            prop_assert!(limit, "`{text}` is not well typed: {}", problems[0].message);
            return Ok(false);
        }
    };
    let arena = Arena::new();
    let slots = world::slots(&mut Choices::new(input), &arena);
    let fast = expr.eval(&mut world::cx(&arena, &slots));
    let slow = expr.explain(&mut world::cx(&arena, &slots));
    let (value, why) = match (fast, slow) {
        (Ok(value), Ok((explained, why))) => {
            prop_assert!(replay::same(value, explained), "`{text}`: explained otherwise");
            (value, why)
        }
        (Err(error), Err(explained)) => {
            prop_assert_eq!(&error, &explained, "`{}`", text);
            let count = text.chars().count();
            prop_assert!(error.len > 0 && error.start + error.len <= count, "`{text}`: the error has no place");
            return Ok(false);
        }
        (fast, slow) => {
            let told = |failed: Option<String>| failed.unwrap_or_else(|| "a value".to_owned());
            let (fast, slow) = (told(fast.err().map(|e| e.message)), told(slow.err().map(|e| e.message)));
            return Err(TestCaseError::fail(format!("`{text}`: evaluated to {fast}, explained {slow}")));
        }
    };
    prop_assert!(sound(&expr, value), "`{text}` is {} and its value {}", expr.ty(), json::to_string(&value));
    let again = expr.eval(&mut world::cx(&arena, &slots)).map_err(|e| TestCaseError::fail(e.message))?;
    prop_assert_eq!(json::to_string(&value), json::to_string(&again));
    let (_, why_again) = expr.explain(&mut world::cx(&arena, &slots)).map_err(|e| TestCaseError::fail(e.message))?;
    prop_assert_eq!(serde_json::to_string(&why).unwrap(), serde_json::to_string(&why_again).unwrap());
    replay::check(&expr, value, &why, &slots, &arena)?;
    Ok(!value.is_absent())
}

proptest! {
    #![proptest_config(cases())]
    #[test]
    fn programs_are_sound_repeatable_and_explained_exactly((row, input) in rows()) {
        let text = program(&row);
        check(&text, &input).map_err(|error| {
            let mut message = String::new();
            let _ = write!(message, "{error}\nprogram: {text}");
            TestCaseError::fail(message)
        })?;
    }

    #[test]
    fn any_text_compiles_or_is_refused_and_runs_to_its_end(
        text in "[a-z0-9#@%^~$;:_中，()\\[\\].,|&+*/<>=!?'\" \\-{}]{0,60}",
        words in proptest::collection::vec(proptest::sample::select(WORDS), 0..40),
    ) {
        for text in [text, words.concat(), words.join(" ")] {
            if let Ok(expr) = Expr::compile(&text, &world::scope()) {
                let arena = Arena::new();
                let slots = world::slots(&mut Choices::new(&[]), &arena);
                let fast = expr.eval(&mut world::cx(&arena, &slots));
                prop_assert_eq!(fast.is_ok(), expr.explain(&mut world::cx(&arena, &slots)).is_ok());
            }
        }
    }

    #[test]
    fn bytes_of_any_kind_are_text_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Expr::compile(&String::from_utf8_lossy(&bytes), &world::scope());
        let _ = crate::Template::compile(&String::from_utf8_lossy(&bytes), &world::scope());
    }
}

/// Pieces of programs, so that random text is a program now and then.
const WORDS: &[&str] = &[
    "payload", ".", "n", "t", "list", "[", "]", "(", ")", "0", "1", "'a'", "\"", "+", "-", "*", "/", "&", "|", "??",
    "==", "<", "in", "and", "or", "not", "if", "map", "where", "any", "item", ",", "first", "upper", "null", "true",
    "基数", "1e5", "\\", "，", "\u{0}", "text", "unique", "sum", "record", "stage", " ",
];

/// The generator is worth something: most programs compile, run and give a value, and nearly every function is called.
#[test]
fn generated_programs_reach_values_and_nearly_every_function() {
    let mut values = 0;
    let mut texts = String::new();
    // A row of numbers without pattern; the same on every run.
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut row = |length: usize| -> Vec<u16> {
        (0..length)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                u16::try_from(state >> 48).unwrap_or(0)
            })
            .collect()
    };
    let count = 2_500;
    for _ in 0..count {
        let text = program(&row(160));
        values += usize::from(check(&text, &row(120)).unwrap_or_else(|error| panic!("{error}\nprogram: {text}")));
        texts.push_str(&text);
        texts.push('\n');
    }
    assert!(values * 3 > count, "only {values} of {count} came to a value");
    let called = |name: &str| texts.contains(&format!("{name}(")) || texts.contains(&format!("| {name}"));
    let all = crate::functions::all().count();
    let missing: Vec<&str> =
        crate::functions::all().map(|function| function.name).filter(|name| !called(name)).collect();
    assert!(missing.len() * 10 < all, "of {all} functions these are never called: {missing:?}");
}
