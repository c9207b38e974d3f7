//! Writing back what became of a row: status, code and text in one transaction, and only if the row is still ours and
//! still says what was processed.

use crate::columns::Column;
use crate::dsn::Kind;
use crate::rows::Shape;
use crate::session::Session;
use crate::statement::{Statement, quoted, quoted_table};
use hub_kit::CallError;
use hub_kit::manifest::{Status, Table};
use hub_kit::tables::{RowEnd, WroteBack};

impl Session {
    pub(crate) async fn write_row_back(&mut self, table: &Table, end: &RowEnd) -> Result<WroteBack, CallError> {
        let Some(status) = table.status() else { return Ok(WroteBack::NotOurs) };
        let columns = self.columns_of(&table.table).await?;
        let shape = Shape::of(table, &columns)?;
        self.begin().await?;
        let wrote = match self.write_in(&shape, status, end, true).await {
            // A character set that cannot hold the text must not keep the status from being told.
            Err(CallError::Refused { .. }) if end.failed.is_some() => {
                self.roll_back().await;
                self.begin().await?;
                self.write_in(&shape, status, end, false).await
            }
            other => other,
        };
        match wrote {
            Ok(wrote) => {
                self.commit().await?;
                Ok(wrote)
            }
            Err(error) => {
                self.roll_back().await;
                Err(error)
            }
        }
    }

    async fn write_in(
        &mut self,
        shape: &Shape<'_>,
        status: &Status,
        end: &RowEnd,
        with_text: bool,
    ) -> Result<WroteBack, CallError> {
        let kind = self.kind;
        let mut statement = shape.select(self);
        statement.push(" WHERE ");
        self.is_ours(shape, status, end, &mut statement)?;
        statement.push(if kind == Kind::Postgres { " FOR UPDATE OF t" } else { " FOR UPDATE" });
        let Some(values) = self.rows(&statement).await?.into_iter().next() else { return Ok(WroteBack::NotOurs) };
        if shape.hash(&values) != end.hash {
            return Ok(WroteBack::Changed);
        }
        let letter = if end.failed.is_some() { &status.failed } else { &status.done };
        let table = quoted_table(kind, &shape.table.table);
        let mut update = Statement::new(kind, format!("UPDATE {table} SET {} = ", quoted(kind, &status.column)));
        update.stored(shape.column(&status.column)?, Some(letter.clone()));
        let error = &shape.table.error;
        let (code, text) = end.failed.as_ref().map_or((None, None), |(code, text)| (Some(code), Some(text)));
        for (name, value) in [(&error.code, code), (&error.text, text.filter(|_| with_text))] {
            let Some(name) = name else { continue };
            let column = shape.column(name)?;
            update.push(&format!(", {} = ", quoted(kind, name))).stored(column, told(column, value));
        }
        if let Some(at) = &error.at {
            update.push(&format!(", {} = ", quoted(kind, at))).push(shape.column(at)?.now(kind));
        }
        update.push(" WHERE ");
        self.is_row(shape, &end.key, &mut update)?;
        self.run(&update).await?;
        Ok(WroteBack::Written)
    }

    /// The row, as it must stand if it is still ours.
    fn is_ours(
        &self,
        shape: &Shape<'_>,
        status: &Status,
        end: &RowEnd,
        statement: &mut Statement,
    ) -> Result<(), CallError> {
        let kind = self.kind;
        for (name, value) in shape.table.key.iter().zip(&end.key) {
            statement.push(&format!("t.{} = ", quoted(kind, name))).compared(shape.column(name)?, value).push(" AND ");
        }
        let column = shape.column(&status.column)?;
        let held = status.taken.as_ref().map_or(&status.new, |taken| &taken.status);
        statement.push(&format!("t.{} IN (", quoted(kind, &status.column))).compared(column, held);
        if end.again {
            statement.push(", ").compared(column, &status.failed);
        }
        statement.push(")");
        if let Some(taken) = &status.taken {
            let by = shape.column(&taken.by)?;
            statement.push(&format!(" AND t.{} = ", quoted(kind, &taken.by))).compared(by, &end.by);
        }
        Ok(())
    }
}

/// What a column for errors is told: as much as it holds, nothing when nothing is wrong.
fn told(column: &Column, value: Option<&String>) -> Option<String> {
    match value {
        Some(value) => Some(column.cut(value)),
        None if column.nullable => None,
        None => Some(String::new()),
    }
}
