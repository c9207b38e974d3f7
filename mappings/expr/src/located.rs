//! Expressions that stand in files: compiled from a YAML node, problems reported at their exact place.

use crate::check::Expr;
use crate::scope::{Problem, Scope};
use crate::template::Template;
use crate::types::Type;
use hub_tree::yaml::{Context, Node};
use hub_tree::{Position, Span};

/// An expression and where it stands in its file.
#[derive(Clone, Debug)]
pub struct Located {
    /// The expression; what is compiled of it is large.
    pub expr: Box<Expr>,
    /// Its place.
    pub span: Span,
    /// Where its first character stands, when the file holds it letter by letter.
    text_at: Option<Position>,
}

impl Located {
    /// Compiles the text of a node; problems go to the context.
    #[must_use]
    pub fn compile(node: &Node, scope: &Scope, cx: &Context<'_>) -> Option<Self> {
        let text = scalar(node, "an expression", cx)?;
        let expr = Expr::compile(text, scope).map_err(|problems| report(problems, node, cx)).ok()?;
        for warning in expr.warnings() {
            let span = node.locate(&cx.source, warning.start, warning.len);
            cx.warning(span, warning.message.clone(), warning.suggestion.clone());
        }
        let verbatim = node.locate(&cx.source, 0, 1);
        Some(Self { expr: Box::new(expr), span: node.span, text_at: (verbatim != node.span).then_some(verbatim.start) })
    }

    /// Compiles an expression whose value must be of a type; `what` it is for stands in the message.
    #[must_use]
    pub fn typed(node: &Node, scope: &Scope, cx: &Context<'_>, wanted: &Type, what: &str) -> Option<Self> {
        let located = Self::compile(node, scope, cx)?;
        if !located.expr.ty().may_be(wanted) {
            cx.error(node.span, format!("{what} is {wanted}, this is {}", located.expr.ty()));
        }
        Some(located)
    }

    /// Compiles an expression that is true or false.
    #[must_use]
    pub fn condition(node: &Node, scope: &Scope, cx: &Context<'_>) -> Option<Self> {
        Self::typed(node, scope, cx, &Type::Bool, "a condition")
    }

    /// An expression of our own, as if it stood at `span`.
    #[must_use]
    pub fn fixed(text: &str, scope: &Scope, span: Span) -> Option<Self> {
        Expr::compile(text, scope).ok().map(|expr| Self { expr: Box::new(expr), span, text_at: None })
    }

    /// The place of a part of the expression, `start` characters behind its beginning.
    #[must_use]
    pub fn place(&self, start: usize) -> Position {
        match self.text_at {
            Some(at) => Position { line: at.line, column: at.column + start },
            None => self.span.start,
        }
    }
}

/// A template and where it stands in its file.
#[derive(Clone, Debug)]
pub struct Templated {
    /// The template.
    pub template: Template,
    /// Its place.
    pub span: Span,
}

impl Templated {
    /// Compiles the text of a node; problems go to the context.
    #[must_use]
    pub fn compile(node: &Node, scope: &Scope, cx: &Context<'_>) -> Option<Self> {
        let text = scalar(node, "text", cx)?;
        let template = Template::compile(text, scope).map_err(|problems| report(problems, node, cx)).ok()?;
        Some(Self { template, span: node.span })
    }

    /// A template of our own, as if it stood at `span`.
    #[must_use]
    pub fn fixed(text: &str, scope: &Scope, span: Span) -> Option<Self> {
        Template::compile(text, scope).ok().map(|template| Self { template, span })
    }
}

fn scalar<'n>(node: &'n Node, wanted: &str, cx: &Context<'_>) -> Option<&'n str> {
    let text = node.scalar();
    if text.is_none() {
        node.expected(wanted, cx);
    }
    text
}

/// Reports the problems of an expression at their places in the node that holds it.
pub fn report(problems: Vec<Problem>, node: &Node, cx: &Context<'_>) {
    for problem in problems {
        let span = node.locate(&cx.source, problem.start, problem.len);
        cx.error_with(span, problem.message, problem.suggestion);
    }
}
