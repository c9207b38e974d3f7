//! Text with expressions in braces, as manifests use it: `/v3/applications/{args.id}/move`.

use crate::check::Expr;
use crate::eval::{Cx, EvalError};
use crate::scope::{Problem, Scope};
use hub_tree::Value;

/// A checked template. `{{` and `}}` stand for braces themselves.
#[derive(Clone, Debug)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    /// The expression and where its text begins in the template, in characters.
    Hole(Expr, usize),
}

impl Template {
    /// Parses and checks `text`.
    ///
    /// # Errors
    /// Problems with places in the template's own text.
    pub fn compile(text: &str, scope: &Scope) -> Result<Self, Vec<Problem>> {
        let mut parts = Vec::new();
        let mut problems = Vec::new();
        let mut plain = String::new();
        let chars: Vec<char> = text.chars().collect();
        let mut at = 0;
        while let Some(&c) = chars.get(at) {
            let doubled = chars.get(at + 1) == Some(&c);
            match c {
                '{' | '}' if doubled => {
                    plain.push(c);
                    at += 2;
                }
                '{' => {
                    let Some(end) = closing_brace(&chars, at) else {
                        return Err(vec![
                            Problem::new(at, 1, "a brace is not closed")
                                .with_suggestion("write `{{` for the brace itself"),
                        ]);
                    };
                    if !plain.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut plain)));
                    }
                    let inner: String = chars[at + 1..end].iter().collect();
                    match Expr::compile(&inner, scope) {
                        Ok(expr) => parts.push(Part::Hole(expr, at + 1)),
                        Err(found) => problems.extend(
                            found.into_iter().map(|problem| Problem { start: problem.start + at + 1, ..problem }),
                        ),
                    }
                    at = end + 1;
                }
                '}' => {
                    return Err(vec![
                        Problem::new(at, 1, "a brace was not opened")
                            .with_suggestion("write `}}` for the brace itself"),
                    ]);
                }
                c => {
                    plain.push(c);
                    at += 1;
                }
            }
        }
        if !plain.is_empty() || parts.is_empty() {
            parts.push(Part::Text(plain));
        }
        if problems.is_empty() { Ok(Self { parts }) } else { Err(problems) }
    }

    /// The text, when it holds no expression.
    #[must_use]
    pub fn as_plain(&self) -> Option<&str> {
        match &self.parts[..] {
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The value: of the expression itself when the template is nothing but one, else text with every hole filled.
    /// `fill` writes a hole's text, so that a caller can escape it for where it goes.
    ///
    /// # Errors
    /// An expression that fails, or one whose value is absent or no scalar.
    pub fn render<'a>(&'a self, cx: &mut Cx<'a>, fill: &dyn Fn(&str, &mut String)) -> Result<Value<'a>, EvalError> {
        if let [Part::Hole(expr, offset)] = &self.parts[..] {
            return expr.eval(cx).map_err(|error| EvalError { start: error.start + offset, ..error });
        }
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Hole(expr, offset) => {
                    let fail =
                        |message: String| EvalError { start: *offset, len: expr.text().chars().count(), message };
                    let value = expr.eval(cx).map_err(|error| EvalError { start: error.start + offset, ..error })?;
                    match value.scalar_text(cx.arena) {
                        Some(text) => fill(text, &mut out),
                        None if value.is_absent() => return Err(fail(format!("`{}` is absent", expr.text()))),
                        None => return Err(fail(format!("`{}` is {}, not text", expr.text(), value.kind()))),
                    }
                }
            }
        }
        Ok(Value::Text(cx.arena.text(&out)))
    }
}

/// The brace that closes the one at `open`; braces inside quotes do not count.
fn closing_brace(chars: &[char], open: usize) -> Option<usize> {
    let mut quote = None;
    for (at, &c) in chars.iter().enumerate().skip(open + 1) {
        match (quote, c) {
            (None, '}') => return Some(at),
            (None, '"' | '\'') => quote = Some(c),
            (Some(q), c) if c == q && chars[at - 1] != '\\' => quote = None,
            _ => {}
        }
    }
    None
}
