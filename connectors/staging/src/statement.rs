//! Statements in the words of a database. Names are quoted, values travel as parameters, always as text that the
//! database itself turns into the column's type.

use crate::columns::Column;
use crate::dsn::Kind;

/// A statement under construction; values go in the order of their places.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    pub(crate) kind: Kind,
    pub(crate) text: String,
    pub(crate) values: Vec<Option<String>>,
}

impl Statement {
    pub(crate) fn new(kind: Kind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into(), values: Vec::new() }
    }

    /// Adds text that was put together from fixed parts and quoted names.
    pub(crate) fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Adds a value as text.
    pub(crate) fn value(&mut self, value: impl Into<Option<String>>) -> &mut Self {
        self.values.push(value.into());
        let place = match self.kind {
            Kind::Postgres => format!("${}::text", self.values.len()),
            Kind::MySql => "?".to_owned(),
        };
        self.push(&place)
    }

    /// Adds a value that is compared with a column.
    pub(crate) fn compared(&mut self, column: &Column, value: &str) -> &mut Self {
        match (self.kind, column.cast.as_str()) {
            (_, "") => self.value(value.to_owned()),
            (Kind::Postgres, cast) => {
                let cast = format!("::{cast}");
                self.value(value.to_owned()).push(&cast)
            }
            (Kind::MySql, cast) => {
                let cast = format!(" AS {cast})");
                self.push("CAST(").value(value.to_owned()).push(&cast)
            }
        }
    }

    /// Adds a value that a column gets; the database refuses what does not fit.
    pub(crate) fn stored(&mut self, column: &Column, value: Option<String>) -> &mut Self {
        self.value(value);
        if self.kind == Kind::Postgres && !column.is_text && !column.cast.is_empty() {
            let cast = format!("::{}", column.cast);
            self.push(&cast);
        }
        self
    }
}

/// A name as the database reads it, whatever letters it has.
pub(crate) fn quoted(kind: Kind, name: &str) -> String {
    match kind {
        Kind::Postgres => format!("\"{}\"", name.replace('"', "\"\"")),
        Kind::MySql => format!("`{}`", name.replace('`', "``")),
    }
}

/// The name of a table: `table` or `schema.table`.
pub(crate) fn quoted_table(kind: Kind, table: &str) -> String {
    match table.split_once('.') {
        Some((schema, table)) => format!("{}.{}", quoted(kind, schema), quoted(kind, table)),
        None => quoted(kind, table),
    }
}

/// Names of columns of a table under an alias, with commas between.
pub(crate) fn listed(kind: Kind, alias: &str, names: &[String]) -> String {
    names.iter().map(|name| format!("{alias}.{}", quoted(kind, name))).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_end_their_quotes() {
        assert_eq!(quoted(Kind::Postgres, "a\"; DROP TABLE x; --"), "\"a\"\"; DROP TABLE x; --\"");
        assert_eq!(quoted(Kind::MySql, "a`b"), "`a``b`");
        assert_eq!(quoted_table(Kind::Postgres, "hr.人员表"), "\"hr\".\"人员表\"");
        assert_eq!(listed(Kind::MySql, "t", &["工号".into(), "seq".into()]), "t.`工号`, t.`seq`");
    }
}
