//! Documents with expressions in braces.

use hub_expr::{Cx, EvalError, Scope, Templated};
use hub_tree::yaml::{Context, Kind, Node};
use hub_tree::{Span, Value};

/// A document whose texts are templates. What is absent is left out.
#[derive(Debug)]
pub(crate) enum Shape {
    Text(Templated),
    /// A number, true, false or null as written.
    Fixed(Fixed),
    List(Vec<Shape>),
    Map(Vec<(Templated, Shape)>),
}

#[derive(Debug)]
pub(crate) enum Fixed {
    Null,
    Bool(bool),
    Number(String),
}

impl Shape {
    pub(crate) fn compile(node: &Node, scope: &Scope, cx: &Context<'_>) -> Option<Self> {
        Some(match &node.kind {
            Kind::Null => Self::Fixed(Fixed::Null),
            Kind::Bool(value) => Self::Fixed(Fixed::Bool(*value)),
            Kind::Number(text) => Self::Fixed(Fixed::Number(text.clone())),
            Kind::Text(_) => Self::Text(Templated::compile(node, scope, cx)?),
            Kind::List(items) => Self::List(items.iter().filter_map(|item| Self::compile(item, scope, cx)).collect()),
            Kind::Map(entries) => Self::Map(
                entries
                    .iter()
                    .filter_map(|(key, value)| {
                        let name = Node { span: key.span, kind: Kind::Text(key.name.clone()) };
                        Some((Templated::compile(&name, scope, cx)?, Self::compile(value, scope, cx)?))
                    })
                    .collect(),
            ),
        })
    }

    /// The document; the place of the template goes with an error.
    pub(crate) fn render<'a>(&'a self, cx: &mut Cx<'a>) -> Result<Value<'a>, (Span, EvalError)> {
        Ok(match self {
            Self::Text(templated) => render(templated, cx)?,
            Self::Fixed(Fixed::Null) => Value::Null,
            Self::Fixed(Fixed::Bool(value)) => Value::Bool(*value),
            Self::Fixed(Fixed::Number(text)) => Value::Number(text),
            Self::List(items) => {
                let mut out = Vec::with_capacity(items.len());
                for item in items {
                    let value = item.render(cx)?;
                    if !matches!(value, Value::Absent) {
                        out.push(value);
                    }
                }
                cx.arena.list(&out)
            }
            Self::Map(entries) => {
                let mut out = Vec::with_capacity(entries.len());
                for (key, value) in entries {
                    let name = render(key, cx)?.scalar_text(cx.arena).unwrap_or_default();
                    let value = value.render(cx)?;
                    if !matches!(value, Value::Absent) {
                        out.push((name, value));
                    }
                }
                cx.arena.map(&out)
            }
        })
    }
}

/// The value of a template.
pub(crate) fn render<'a>(templated: &'a Templated, cx: &mut Cx<'a>) -> Result<Value<'a>, (Span, EvalError)> {
    templated.template.render(cx, &|text, out| out.push_str(text)).map_err(|error| (templated.span, error))
}
