//! Lists and what is there.

use super::{Function, Kind, required};
use crate::types::Type;
use hub_tree::Value;

const BASE: Function = Function {
    name: "",
    parameters: &[required("list", Kind::List)],
    repeats: false,
    returns: |arguments| arguments.first().map_or(Type::Any, Type::item),
    sees_absent: false,
    picks_item: false,
    doc: "",
    example: ("", ""),
    run: |_| Ok(Value::Absent),
};

pub(super) const ALL: &[Function] = &[
    Function {
        name: "first",
        picks_item: true,
        doc: "The first item; absent when the list is empty.",
        example: ("first(['a', 'b'])", "\"a\""),
        run: |call| Ok(call.list(0)?.first().copied().unwrap_or_default()),
        ..BASE
    },
    Function {
        name: "last",
        picks_item: true,
        doc: "The last item; absent when the list is empty.",
        example: ("last(['a', 'b'])", "\"b\""),
        run: |call| Ok(call.list(0)?.last().copied().unwrap_or_default()),
        ..BASE
    },
    Function {
        name: "count",
        returns: |_| Type::Number,
        doc: "How many items the list has.",
        example: ("count(['a', 'b'])", "2"),
        run: |call| Ok(Value::Decimal(call.list(0)?.len().into())),
        ..BASE
    },
    Function {
        name: "unique",
        returns: |arguments| arguments.first().cloned().unwrap_or(Type::Any),
        doc: "The items without repetitions, in the order of their first occurrence.",
        example: ("unique(['a', 'b', 'a'])", "[\"a\",\"b\"]"),
        run: |call| {
            let items = call.list(0)?;
            if items.len() > 10_000 {
                return Err("the list has more than 10000 items".to_owned());
            }
            let mut kept: Vec<Value<'_>> = Vec::new();
            for item in items {
                if !kept.contains(item) {
                    kept.push(*item);
                }
            }
            Ok(call.arena.list(&kept))
        },
        ..BASE
    },
    Function {
        name: "get",
        parameters: &[required("object", Kind::Any), required("key", Kind::Text)],
        returns: |_| Type::Any,
        doc: "The value under a key that is computed; absent when there is none.",
        example: ("get(null, 'x')", "absent"),
        run: |call| match call.value(0) {
            Value::Map(map) => Ok(map.get(call.text(1)?)),
            _ => call.wrong(0, "an object"),
        },
        ..BASE
    },
    Function {
        name: "exists",
        parameters: &[required("value", Kind::Any)],
        returns: |_| Type::Bool,
        sees_absent: true,
        doc: "Whether there is a value: not missing and not null.",
        example: ("exists(null)", "false"),
        run: |call| Ok(Value::Bool(!call.value(0).is_absent())),
        ..BASE
    },
    Function {
        name: "is_null",
        parameters: &[required("value", Kind::Any)],
        returns: |_| Type::Bool,
        sees_absent: true,
        doc: "Whether the source says null outright; a missing value is not null.",
        example: ("is_null(null)", "true"),
        run: |call| Ok(Value::Bool(matches!(call.value(0), Value::Null))),
        ..BASE
    },
];
