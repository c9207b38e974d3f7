//! The scope that generated programs run in, and random inputs for it.

use super::generate::Choices;
use crate::{Cx, EnumType, Scope, Type};
use hub_tree::jiff::Timestamp;
use hub_tree::jiff::civil::date;
use hub_tree::{Arena, Value};
use std::sync::Arc;

pub(super) const STAGES: &[&str] = &["OFFER", "INTERVIEW", "HIRED"];
pub(super) const TEXTS: &[&str] = &[
    "",
    "a",
    "b",
    "李娜",
    "work",
    "OFFER",
    "1",
    "12,000.50",
    "2026-02-28",
    "2024-02-29",
    "2026-03-01T09:30:00Z",
    "2026-03-01 17:30:00",
    "Asia/Shanghai",
    "%Y-%m-%d",
    ",",
    " Marisol  Quintana ",
    "\"'\\\n",
    "n",
    "t",
    "\u{3000}",
];
pub(super) const NUMBERS: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "0.5",
    "1.50",
    "-1",
    "1e-7",
    "1E3",
    "-0",
    "0.085",
    "5000",
    "79228162514264337593543950335",
    "0.0000000000000000000000000001",
    "123456789012345678901234567890",
    "1e400",
];
/// Keys of payloads, and what lies under them most of the time.
pub(super) const KEYS: &[(&str, char)] = &[
    ("n", 'n'),
    ("t", 't'),
    ("b", 'b'),
    ("list", 'l'),
    ("nums", 'N'),
    ("deep", 'm'),
    ("基本工资", 'n'),
    ("odd key", 't'),
    ("q\"\\", 'n'),
    ("and", 't'),
    ("#text", 't'),
    ("0", 'n'),
    ("", 'n'),
    ("words", 'T'),
];

fn stage() -> Type {
    let values = STAGES.iter().map(|value| (*value).to_owned()).collect();
    Type::Enum(Arc::new(EnumType { name: "stage".into(), values }))
}

/// A record of a list.
pub(super) fn email() -> Type {
    Type::record("email", [("type", Type::Text), ("no", Type::Number), ("stage", stage()), ("since", Type::Date)])
}

/// The names of the scope and their types; `alias` is a name for `payload.deep`.
pub(super) fn names() -> Vec<(&'static str, Type)> {
    let record = Type::record(
        "record",
        [
            ("stage", stage()),
            ("score", Type::Number),
            ("name", Type::Text),
            ("flag", Type::Bool),
            ("on", Type::Date),
            ("at", Type::DateTime),
            ("tags", Type::list(Type::Text)),
            ("stages", Type::list(stage())),
            ("emails", Type::list(email())),
        ],
    );
    vec![
        ("payload", Type::Any),
        ("record", record),
        ("基数", Type::Number),
        ("word", Type::Text),
        ("day", Type::Date),
        ("at", Type::DateTime),
        ("numbers", Type::list(Type::Number)),
        ("days", Type::list(Type::Date)),
        ("alias", Type::Any),
    ]
}

pub(super) fn scope() -> Scope {
    Scope::new(names())
}

/// Values for the scope.
pub(super) fn slots<'a>(choices: &mut Choices, arena: &'a Arena) -> Vec<Value<'a>> {
    let names = names();
    let mut slots: Vec<Value<'a>> = names.iter().map(|(_, ty)| typed(choices, ty, arena, 0)).collect();
    if let (Some(payload), Some(alias)) = (slots.first().copied(), slots.last_mut()) {
        *alias = payload.get("deep");
    }
    slots
}

pub(super) fn cx<'a>(arena: &'a Arena, slots: &[Value<'a>]) -> Cx<'a> {
    let mut cx = Cx::new(arena, slots.to_vec());
    cx.slot_paths = vec![None; names().len()];
    if let Some(alias) = cx.slot_paths.last_mut() {
        *alias = Some("payload.deep".to_owned());
    }
    cx
}

fn pick<'t>(choices: &mut Choices, from: &[&'t str]) -> &'t str {
    from[choices.below(from.len())]
}

fn typed<'a>(choices: &mut Choices, ty: &Type, arena: &'a Arena, depth: usize) -> Value<'a> {
    if depth > 0 && choices.one_in(8) {
        return if choices.one_in(2) { Value::Null } else { Value::Absent };
    }
    match ty {
        Type::Any | Type::Nothing => map(choices, arena, depth),
        Type::Bool => Value::Bool(choices.one_in(2)),
        Type::Number => number(choices, arena),
        Type::Text => Value::Text(arena.text(pick(choices, TEXTS))),
        Type::Date => Value::Date(day(choices)),
        Type::DateTime => {
            let second = i64::try_from(choices.below(4_000_000)).unwrap_or(0) * 1_000 - 1_000_000_000;
            let nanos = [0, 250_000_000, 123_456_789][choices.below(3)];
            Value::DateTime(Timestamp::new(second, nanos).unwrap_or_default())
        }
        Type::List(item) => {
            let items: Vec<Value<'a>> = (0..choices.below(4)).map(|_| typed(choices, item, arena, depth + 1)).collect();
            arena.list(&items)
        }
        Type::Record(record) => {
            let entries: Vec<(&'a str, Value<'a>)> = record
                .fields
                .iter()
                .map(|(key, ty)| (arena.text(key), typed(choices, ty, arena, depth + 1)))
                .filter(|(_, value)| !matches!(value, Value::Absent))
                .collect();
            arena.map(&entries)
        }
        Type::Enum(of) => {
            let value = arena.text(&of.values[choices.below(of.values.len())]);
            arena.map(&[("value", Value::Text(value)), ("raw", Value::Text(arena.text("raw word")))])
        }
    }
}

pub(super) fn day(choices: &mut Choices) -> hub_tree::jiff::civil::Date {
    let month = i8::try_from(choices.below(12) + 1).unwrap_or(1);
    let of_month = i8::try_from(choices.below(28) + 1).unwrap_or(1);
    date(i16::try_from(1990 + choices.below(60)).unwrap_or(2000), month, of_month)
}

fn number<'a>(choices: &mut Choices, arena: &'a Arena) -> Value<'a> {
    // Long and exponent spellings are rare, so that most programs come to a value.
    let text = if choices.one_in(6) { pick(choices, NUMBERS) } else { NUMBERS[choices.below(7)] };
    Value::Number(arena.text(text))
}

fn map<'a>(choices: &mut Choices, arena: &'a Arena, depth: usize) -> Value<'a> {
    let mut entries = Vec::new();
    for (key, kind) in KEYS {
        if choices.one_in(4) {
            continue;
        }
        // Sometimes a key holds what nobody expects there.
        let kind = if choices.one_in(12) { ['n', 't', 'b', 'l', 'N', 'm', '0'][choices.below(7)] } else { *kind };
        let value = match kind {
            'n' => number(choices, arena),
            't' => Value::Text(arena.text(pick(choices, TEXTS))),
            'b' => Value::Bool(choices.one_in(2)),
            'N' => typed(choices, &Type::list(Type::Number), arena, 1),
            'T' => typed(choices, &Type::list(Type::Text), arena, 1),
            'l' if depth < 2 => {
                let items: Vec<Value<'a>> = (0..choices.below(4)).map(|_| map(choices, arena, depth + 1)).collect();
                arena.list(&items)
            }
            'm' if depth < 2 => map(choices, arena, depth + 1),
            _ => Value::Null,
        };
        entries.push((*key, value));
    }
    arena.map(&entries)
}
