//! What is there and what is not.

use super::{FUNCTION, Function, Kind, required};
use crate::types::Type;
use hub_tree::Value;

const BASE: Function = Function {
    topic: "Presence",
    parameters: &[required("value", Kind::Any)],
    returns: |_| Type::Bool,
    sees_absent: true,
    ..FUNCTION
};

pub(super) const ALL: &[Function] = &[
    Function {
        name: "exists",
        doc: "Whether there is a value: not missing and not null.",
        example: ("exists(null)", "false"),
        run: |call| Ok(Value::Bool(!call.value(0).is_absent())),
        ..BASE
    },
    Function {
        name: "is_null",
        doc: "Whether the source says null outright; a missing value is not null.",
        example: ("is_null(null)", "true"),
        run: |call| Ok(Value::Bool(matches!(call.value(0), Value::Null))),
        ..BASE
    },
    Function {
        name: "is_empty",
        doc: "Whether there is no value, or text of white space only, or a list or an object with nothing in it.",
        example: ("is_empty('  ')", "true"),
        run: |call| {
            Ok(Value::Bool(match call.value(0) {
                Value::Text(text) => text.trim().is_empty(),
                Value::List(items) => items.is_empty(),
                Value::Map(map) => map.entries().is_empty(),
                value => value.is_absent(),
            }))
        },
        ..BASE
    },
    Function {
        name: "coalesce",
        parameters: &[required("values", Kind::Any)],
        repeats: true,
        returns: |types| {
            let all = types.iter().cloned().map(Some).reduce(|one, other| one?.unify(&other?));
            all.flatten().unwrap_or(Type::Any)
        },
        doc: "The first of the values that is there; absent when none is.",
        example: ("coalesce(null, 'b', 'c')", "\"b\""),
        run: |call| Ok(call.arguments.iter().find(|value| !value.is_absent()).copied().unwrap_or_default()),
        ..BASE
    },
    Function {
        name: "first_filled",
        parameters: &[required("values", Kind::Any)],
        repeats: true,
        returns: |types| {
            let all = types.iter().cloned().map(Some).reduce(|one, other| one?.unify(&other?));
            all.flatten().unwrap_or(Type::Any)
        },
        doc: "The first of the values that is there and not empty text; absent when none is.",
        example: ("first_filled('', ' ', 'c')", "\"c\""),
        run: |call| {
            let filled =
                |value: &&Value<'_>| !value.is_absent() && value.as_text().is_none_or(|text| !text.trim().is_empty());
            Ok(call.arguments.iter().find(filled).copied().unwrap_or_default())
        },
        ..BASE
    },
    Function {
        name: "fail",
        parameters: &[required("reason", Kind::Text)],
        returns: |_| Type::Any,
        sees_absent: false,
        doc: "Ends the computation with an error that says why, such as for a value that must not become part of a query. The reason is a text of the mapping or manifest, never one of the payload.",
        example: ("if(matches('A01', '[A-Z0-9]+'), 'A01', fail('codes are letters and digits'))", "\"A01\""),
        errors: &["Always."],
        run: |call| Err(call.text(0)?.to_owned()),
        ..BASE
    },
];
