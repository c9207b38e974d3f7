//! The names that formulas may use: inputs, tables, `period`, items and what else has a value.

use hub_expr::{Expr, Scope, Type};
use hub_tree::Span;
use hub_tree::yaml::Context;
use std::collections::BTreeMap;

/// Names that are not for inputs, tables and items.
const RESERVED: [&str; 4] = ["period", "item", "legal_entity", "pay_group"];

/// The names of a file while it is read.
pub(super) struct Names {
    pub(super) scope: Scope,
    /// Where each was declared.
    declared: BTreeMap<String, (usize, Span)>,
}

impl Names {
    pub(super) fn new() -> Self {
        Self { scope: Scope::default(), declared: BTreeMap::new() }
    }

    /// Declares a name; its slot, or an error where it stands for something else already or cannot stand in a formula.
    pub(super) fn declare(&mut self, name: &str, ty: Type, span: Span, cx: &Context<'_>) -> Option<usize> {
        if RESERVED.contains(&name) {
            cx.error(span, format!("`{name}` has a meaning of its own: choose another name"));
            return None;
        }
        if let Some((_, first)) = self.declared.get(name) {
            let place = cx.source.place(first.start);
            cx.error(span, format!("`{name}` stands for something else already, at {place}"));
            return None;
        }
        let scope = Scope::new([(name, Type::Any)]);
        if !Expr::compile(name, &scope).is_ok_and(|expr| expr.is_path()) {
            let help = "use letters, digits and `_`, beginning with a letter: `绩效奖金`, `bonus_base`";
            cx.error_with(span, format!("formulas cannot use the name `{name}`"), Some(help.to_owned()));
            return None;
        }
        let slot = self.scope.push(name, ty);
        self.declared.insert(name.to_owned(), (slot, span));
        Some(slot)
    }

    /// The slot of a name.
    pub(super) fn slot(&self, name: &str) -> Option<usize> {
        self.declared.get(name).map(|(slot, _)| *slot)
    }
}
