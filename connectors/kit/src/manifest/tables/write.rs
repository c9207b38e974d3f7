//! What operations write into tables, in place of a request.

use super::Condition;
use super::names::{check_name, columns, conditions, name_of, pairs};
use crate::manifest::{AnswerForm, Body, Compiler, RequestTemplate};
use hub_expr::{Scope, Templated};
use hub_tree::Span;
use hub_tree::yaml::{Fields, Key, Node};

/// What an operation writes into a table.
#[derive(Debug)]
pub struct TableWrite {
    /// The table.
    pub table: String,
    /// The columns by which a repetition is known.
    pub key: Vec<String>,
    /// What becomes of a row that is there.
    pub again: RowAgain,
    /// Columns with values that the manifest knows.
    pub set: Vec<(String, Templated)>,
    /// Lists of the arguments that go into tables of their own.
    pub children: Vec<ChildWrite>,
    /// Where it stands.
    pub span: Span,
}

/// What becomes of a row that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowAgain {
    /// It stays as it is.
    Keep,
    /// It gets the new values, as long as it has these.
    Update(Vec<Condition>),
}

/// A list of the arguments that goes into a table of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChildWrite {
    /// The argument.
    pub name: String,
    /// The table.
    pub table: String,
    /// The columns by which a repetition is known.
    pub key: Vec<String>,
    /// Columns of the child that have the value of a column of the row.
    pub on: Vec<(String, String)>,
}

impl RequestTemplate {
    /// That of an operation which sends no request.
    pub(in crate::manifest) fn none(scope: &Scope, span: Span) -> Option<Self> {
        let url = Templated::fixed("", scope, span)?;
        let (query, headers) = (Vec::new(), Vec::new());
        Some(Self { method: "NONE", url, query, headers, body: Body::None, answer: AnswerForm::Json, soap: None })
    }
}

impl Compiler<'_, '_> {
    /// What an operation writes into a table: `insert: TABLE`, `key`, `again`, `set`, `children`. `None` when it has
    /// no `insert`.
    pub(in crate::manifest) fn table_write(&self, fields: &mut Fields<'_, '_>) -> Option<TableWrite> {
        let node = fields.optional("insert")?;
        let table = node.text(self.cx);
        check_name(table.as_deref().unwrap_or_default(), node.span, self.cx);
        let key = columns(fields, "key");
        if key.is_empty() {
            let help = "an external id, unique there, under which the row is written once";
            self.cx.error_with(fields.span, "`key` names the columns that tell a repetition", Some(help.to_owned()));
        }
        let again = match fields.optional("again") {
            None => RowAgain::Keep,
            Some(node) if node.scalar() == Some("keep") => RowAgain::Keep,
            Some(node) if node.scalar() == Some("update") => RowAgain::Update(Vec::new()),
            Some(node) => {
                let mut inner = node.fields(self.cx)?;
                let while_it_has = inner.required("update_while").map(|node| conditions(node, self.cx));
                inner.finish();
                RowAgain::Update(while_it_has.unwrap_or_default())
            }
        };
        let set = self.templates(fields.optional("set"));
        let mut children = Vec::new();
        if let Some(node) = fields.optional("children") {
            children.extend(node.entries(self.cx).iter().filter_map(|(key, node)| self.child_write(key, node)));
        }
        Some(TableWrite { table: table?, key, again, set, children, span: fields.span })
    }

    fn child_write(&self, key: &Key, node: &Node) -> Option<ChildWrite> {
        let mut fields = node.fields(self.cx)?;
        let table = name_of(&mut fields, "table");
        let own_key = columns(&mut fields, "key");
        let on = fields.optional("on").map(|node| pairs(node, self.cx)).unwrap_or_default();
        let span = fields.span;
        fields.finish();
        if own_key.is_empty() {
            self.cx.error(span, "`key` names the columns that tell a repetition");
        }
        Some(ChildWrite { name: key.name.clone(), table: table?, key: own_key, on })
    }
}
