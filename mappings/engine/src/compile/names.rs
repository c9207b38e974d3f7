//! The names that a file's expressions know: `let`, the item of an `each`, code lists.

use super::Compiler;
use crate::mapping::{LISTS, Let};
use hub_expr::{Expr, Located, Read, Segment, Type as ExprType};
use hub_tree::Span;
use hub_tree::yaml::{Key, Node};

impl Compiler<'_, '_> {
    /// Names are computed in order; one may use those above it.
    pub(super) fn lets(&mut self, node: &Node) {
        let entries = node.entries(self.cx);
        for (index, (key, value)) in entries.iter().enumerate() {
            if self.scope.find(&key.name).is_some() {
                self.cx.error(key.span, format!("the name `{}` is taken", key.name));
            }
            self.let_slots.push((self.scope.len(), key.span));
            if self.reaches_ahead(entries, index) {
                self.push_slot(&key.name, ExprType::Any, None);
                continue;
            }
            let logged = self.read_log.len();
            let Some(expr) = self.expr(value, false) else {
                self.push_slot(&key.name, ExprType::Any, None);
                continue;
            };
            let place = self.place_of(&expr);
            self.reads_of_slots.insert(self.scope.len(), self.read_log.split_off(logged));
            self.push_slot(&key.name, expr.expr.ty().clone(), place);
            self.lets.push(Let { name: key.name.clone(), expr });
        }
    }

    /// Reports a name that uses itself or one below it.
    fn reaches_ahead(&self, entries: &[(Key, Node)], index: usize) -> bool {
        let uses = |index: usize| -> Vec<usize> {
            let mut scope = self.scope.clone();
            let known = scope.len();
            for (key, _) in entries.iter().skip(index) {
                scope.push(&key.name, ExprType::Any);
            }
            let Some(Ok(expr)) = entries[index].1.scalar().map(|text| Expr::compile(text, &scope)) else {
                return Vec::new();
            };
            let slots = expr.reads().iter().chain(expr.source()).map(|read| read.slot);
            slots.filter(|slot| *slot >= known).map(|slot| slot - known + index).collect()
        };
        let (key, node) = &entries[index];
        // A name above with the same spelling is meant by what follows it; that it is taken was said.
        let Some(ahead) = uses(index).into_iter().next() else { return false };
        let other = &entries[ahead].0;
        let line = self.cx.source.locate(other.span.start).1.line;
        if ahead == index {
            self.cx.error(node.span, format!("`{}` is defined by itself", key.name));
        } else if self.needs(entries, ahead, &key.name) {
            let message = format!("`{}` and `{}` (line {line}) need each other", key.name, other.name);
            self.cx.error(node.span, message);
        } else {
            let help = format!("names are computed in order: move `{}` above `{}`", other.name, key.name);
            let message = format!("`{}` is used before it is defined, in line {line}", other.name);
            self.cx.error_with(node.span, message, Some(help));
        }
        true
    }

    /// Whether the name at `from` needs `wanted`, directly or through other names of the file.
    fn needs(&self, entries: &[(Key, Node)], from: usize, wanted: &str) -> bool {
        let mut scope = self.scope.clone();
        let known = scope.len();
        for (key, _) in entries {
            scope.push(&key.name, ExprType::Any);
        }
        let (mut open, mut seen) = (vec![from], vec![false; entries.len()]);
        while let Some(index) = open.pop() {
            if std::mem::replace(&mut seen[index], true) {
                continue;
            }
            let Some(Ok(expr)) = entries[index].1.scalar().map(|text| Expr::compile(text, &scope)) else { continue };
            for read in expr.reads().iter().chain(expr.source()).filter(|read| read.slot >= known) {
                let next = read.slot - known;
                if entries[next].0.name == wanted {
                    return true;
                }
                open.push(next);
            }
        }
        false
    }

    pub(super) fn push_slot(&mut self, name: &str, ty: ExprType, place: Option<Vec<Segment>>) {
        self.scope.push(name, ty);
        self.places.push(place);
    }

    /// The `item` of a list; of one that could not be compiled, anything, so that its rules are still checked.
    pub(super) fn push_item(&mut self, list: Option<&Located>) {
        let place = list.and_then(|list| self.place_of(list)).map(|mut place| {
            place.push(Segment::Items);
            place
        });
        let ty = list.map_or(ExprType::Any, |list| list.expr.ty().item());
        self.push_slot("item", ty, place);
    }

    pub(super) fn pop_slot(&mut self) {
        self.used_slots.remove(&(self.scope.len() - 1));
        self.scope.pop();
        self.places.pop();
    }

    /// Notes which code list an expression reads as a value.
    pub(super) fn use_list(&mut self, read: &Read) {
        if read.slot != LISTS {
            return;
        }
        self.reads_lists = true;
        match read.path.first() {
            Some(Segment::Key(name)) => {
                self.used_lists.insert(name.to_string());
            }
            _ => self.used_lists.extend(self.lists.iter().map(|list| list.name.clone())),
        }
    }

    /// The number of the code list called `name`, or an error.
    pub(super) fn list(&mut self, name: &str, span: Span) -> Option<usize> {
        let found = self.lists.iter().position(|list| list.name == name);
        if found.is_some() {
            self.used_lists.insert(name.to_owned());
        } else if self.lists.is_empty() {
            let help = "write it to `lists/<name>.yaml` beside the mapping, or to `mappings/lists/` for all vendors";
            self.cx.error_with(span, format!("there is no code list `{name}`"), Some(help.to_owned()));
        } else {
            self.cx.unknown(span, "code list", name, self.lists.iter().map(|list| list.name.as_str()));
        }
        found
    }
}
