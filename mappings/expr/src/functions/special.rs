//! The forms that compute an argument only when it is needed, or once per item. The checker and the evaluator know
//! them by name; this is what a reader needs to know.

use super::{FUNCTION, Function, Kind, Parameter, required};
use crate::types::Type;

const ABSENT: &str = "The condition is absent: give what it reads a default with `??`.";

const CONDITION: &[Parameter] = &[required("list", Kind::List), required("condition", Kind::Any)];
const EACH: &[Parameter] = &[required("list", Kind::List), required("each", Kind::Any)];

const BASE: Function = Function {
    topic: "Each item",
    parameters: EACH,
    returns: |types| types.first().map_or(Type::Any, |list| Type::list(list.item())),
    ..FUNCTION
};

const TEST: Function = Function { parameters: CONDITION, returns: |_| Type::Bool, errors: &[ABSENT], ..BASE };

pub(super) const ALL: &[Function] = &[
    Function {
        name: "if",
        topic: "Choice",
        parameters: &[required("condition", Kind::Any), required("then", Kind::Any), required("otherwise", Kind::Any)],
        returns: |types| match types {
            [_, then, otherwise] => then.unify(otherwise).unwrap_or(Type::Any),
            _ => Type::Any,
        },
        doc: "One of two values of one type; only the one that is needed is computed.",
        example: ("if(80 >= 75, 'pass', 'fail')", "\"pass\""),
        errors: &[ABSENT],
        ..BASE
    },
    Function {
        name: "map",
        returns: |types| types.get(1).map_or(Type::Any, |each| Type::list(each.clone())),
        doc: "What each item becomes; the item is called `item`.",
        example: ("map([1, 2], item * 10)", "[10,20]"),
        ..BASE
    },
    Function {
        name: "where",
        parameters: CONDITION,
        doc: "The items for which the condition is true.",
        example: ("where([1, 2, 3], item > 1)", "[2,3]"),
        errors: &[ABSENT],
        ..BASE
    },
    Function {
        name: "any",
        doc: "Whether the condition is true for one item; false for an empty list.",
        example: ("any([1, 2], item > 1)", "true"),
        ..TEST
    },
    Function {
        name: "all",
        doc: "Whether the condition is true for every item; true for an empty list.",
        example: ("all([1, 2], item > 1)", "false"),
        ..TEST
    },
    Function {
        name: "sort_by",
        doc: "The items in the rising order of what is computed for each; equal ones stay in their order, those without come last.",
        example: ("sort_by(['ccc', 'a', 'bb'], length(item))", "[\"a\",\"bb\",\"ccc\"]"),
        errors: &["The values are not of one kind, or of one that has no order."],
        ..BASE
    },
    Function {
        name: "unique_by",
        doc: "The first of the items for which the same is computed.",
        example: ("unique_by(['HX-1', 'HX-2', 'SZ-1'], left(item, 2))", "[\"HX-1\",\"SZ-1\"]"),
        errors: &["What is computed is too large to be compared."],
        ..BASE
    },
    Function {
        name: "group_by",
        returns: |_| Type::list(Type::Any),
        doc: "Objects of `key`, what is computed, and `items`, those for which it is the same, in the order of their first occurrence.",
        example: (
            "group_by(['HX-1', 'SZ-1', 'HX-2'], left(item, 2))",
            "[{\"key\":\"HX\",\"items\":[\"HX-1\",\"HX-2\"]},{\"key\":\"SZ\",\"items\":[\"SZ-1\"]}]",
        ),
        errors: &["What is computed is too large to be compared."],
        ..BASE
    },
];
