//! Programs as text: a printer with as few brackets as the grammar allows, and the round trip through the parser.

use super::cases;
use super::generate::{Choices, Generator};
use crate::ast::{Ast, AstKind, Operator};
use crate::lex::is_name;
use crate::parse::parse;
use proptest::prelude::*;

/// Writes the text of a tree; `choices` vary what the grammar leaves open (pipes, quotes, space).
pub(super) fn print(ast: &Ast, choices: &mut Choices) -> String {
    let mut out = String::new();
    pipe(ast, choices, &mut out);
    out
}

/// Where a pipe may stand: at the top, in brackets, as an argument.
fn pipe(ast: &Ast, choices: &mut Choices, out: &mut String) {
    if let AstKind::Call(name, _, arguments) = &ast.kind
        && let Some((first, rest)) = arguments.split_first()
        && choices.one_in(4)
    {
        pipe(first, choices, out);
        out.push_str(" | ");
        out.push_str(name);
        if !rest.is_empty() || choices.one_in(2) {
            list('(', rest, ')', choices, out);
        }
        return;
    }
    operand(ast, 0, choices, out);
}

fn list(open: char, items: &[Ast], close: char, choices: &mut Choices, out: &mut String) {
    out.push(open);
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push_str(if choices.one_in(3) { "," } else { ", " });
        }
        pipe(item, choices, out);
    }
    out.push(close);
}

const NOT: u8 = 4;

fn operand(ast: &Ast, least: u8, choices: &mut Choices, out: &mut String) {
    let brackets = match &ast.kind {
        AstKind::Binary(operator, ..) => operator.precedence() < least,
        AstKind::Not(_) => least > NOT,
        _ => false,
    };
    if brackets || choices.one_in(12) {
        out.push('(');
        pipe(ast, choices, out);
        out.push(')');
        return;
    }
    match &ast.kind {
        AstKind::Null => out.push_str("null"),
        AstKind::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        AstKind::Number(text) | AstKind::Name(text) => out.push_str(text),
        AstKind::Text(text) => quoted(text, if choices.one_in(2) { '"' } else { '\'' }, out),
        AstKind::List(items) => list('[', items, ']', choices, out),
        AstKind::Call(name, _, arguments) => {
            out.push_str(name);
            list('(', arguments, ')', choices, out);
        }
        AstKind::Not(inner) => {
            out.push_str("not ");
            operand(inner, NOT, choices, out);
        }
        AstKind::Minus(inner) => {
            out.push('-');
            operand(inner, u8::MAX, choices, out);
        }
        AstKind::Binary(operator, left, right) => {
            let own = operator.precedence();
            // Comparisons cannot be chained; all else groups from the left.
            let comparison = own == Operator::Equal.precedence();
            operand(left, if comparison { own + 1 } else { own }, choices, out);
            let word = operator.sign().starts_with(char::is_alphabetic);
            let space = if word || choices.below(3) < 2 { " " } else { "" };
            out.extend([space, operator.sign(), space]);
            operand(right, own + 1, choices, out);
        }
        AstKind::Key(base, key, _) => {
            postfix_base(base, choices, out);
            if is_name(key) && !choices.one_in(4) {
                out.extend([".", key.as_str()]);
            } else if choices.one_in(3) {
                out.push('.');
                quoted(key, '"', out);
            } else {
                out.push('[');
                quoted(key, '"', out);
                out.push(']');
            }
        }
        AstKind::Index(base, index) => {
            postfix_base(base, choices, out);
            out.push('[');
            pipe(index, choices, out);
            out.push(']');
        }
    }
}

fn postfix_base(base: &Ast, choices: &mut Choices, out: &mut String) {
    if matches!(base.kind, AstKind::Binary(..) | AstKind::Not(_) | AstKind::Minus(_)) {
        out.push('(');
        pipe(base, choices, out);
        out.push(')');
    } else {
        operand(base, u8::MAX, choices, out);
    }
}

fn quoted(text: &str, quote: char, out: &mut String) {
    out.push(quote);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            c if c == quote => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out.push(quote);
}

/// The tree without places.
pub(super) fn shape(ast: &Ast) -> String {
    let all = |items: &[Ast]| items.iter().map(shape).collect::<Vec<_>>().join(" ");
    match &ast.kind {
        AstKind::Null => "null".to_owned(),
        AstKind::Bool(value) => value.to_string(),
        AstKind::Number(text) => text.clone(),
        AstKind::Text(text) => format!("{text:?}"),
        AstKind::Name(name) => format!("${name}"),
        AstKind::List(items) => format!("[{}]", all(items)),
        AstKind::Key(base, key, _) => format!("(. {} {key:?})", shape(base)),
        AstKind::Index(base, index) => format!("(at {} {})", shape(base), shape(index)),
        AstKind::Not(inner) => format!("(not {})", shape(inner)),
        AstKind::Minus(inner) => format!("(- {})", shape(inner)),
        AstKind::Binary(operator, a, b) => format!("({} {} {})", operator.sign(), shape(a), shape(b)),
        AstKind::Call(name, _, arguments) => format!("({name} {})", all(arguments)),
    }
}

/// Every part's place holds text that parses to that part.
fn places_hold(ast: &Ast, text: &[char]) -> Result<(), TestCaseError> {
    let own: String = text[ast.at.start..ast.at.start + ast.at.len].iter().collect();
    let again = parse(&own).map_err(|problem| TestCaseError::fail(format!("`{own}`: {}", problem.message)))?;
    prop_assert_eq!(shape(&again), shape(ast), "the place of `{}`", own);
    let parts: Vec<&Ast> = match &ast.kind {
        AstKind::List(items) | AstKind::Call(_, _, items) => items.iter().collect(),
        AstKind::Key(inner, ..) | AstKind::Not(inner) | AstKind::Minus(inner) => vec![inner],
        AstKind::Index(a, b) | AstKind::Binary(_, a, b) => vec![a, b],
        _ => Vec::new(),
    };
    parts.into_iter().try_for_each(|part| places_hold(part, text))
}

proptest! {
    #![proptest_config(cases())]
    #[test]
    fn what_is_printed_parses_to_the_same_tree_and_every_place_is_right(
        row in proptest::collection::vec(any::<u16>(), 0..200),
        style in proptest::collection::vec(any::<u16>(), 0..200),
    ) {
        let ast = Generator::new(&mut Choices::new(&row)).program();
        let text = print(&ast, &mut Choices::new(&style));
        if text.chars().count() > 4_000 {
            return Ok(());
        }
        match parse(&text) {
            Ok(parsed) => {
                prop_assert_eq!(shape(&parsed), shape(&ast), "{}", &text);
                places_hold(&parsed, &text.chars().collect::<Vec<_>>())?;
            }
            Err(problem) => prop_assert!(problem.message.contains("nested deeper"), "{text}: {}", problem.message),
        }
    }
}
