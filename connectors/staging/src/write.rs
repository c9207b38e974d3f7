//! Rows that the hub writes into tables of others, each once: a row is known by the key that the manifest names. A row
//! and those that belong to it are one transaction.

use crate::columns::{Column, named};
use crate::dsn::Kind;
use crate::session::Session;
use crate::statement::{Statement, quoted, quoted_table};
use hub_kit::Party;
use hub_kit::call::{OutRow, RowValues};
use hub_kit::manifest::{RowAgain, TableWrite};
use hub_kit::{CallError, Reply};
use std::sync::Arc;

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Became {
    Inserted,
    Updated,
    /// It was there, and stays as it is.
    Kept,
}

impl Became {
    const fn word(self) -> &'static str {
        match self {
            Self::Inserted => "inserted",
            Self::Updated => "updated",
            Self::Kept => "kept",
        }
    }
}

impl Session {
    /// Writes a row with its children.
    pub(crate) async fn write_out(&mut self, write: &TableWrite, row: &OutRow) -> Result<Reply, CallError> {
        self.begin().await?;
        match self.write_all(write, row).await {
            Ok((became, children)) => {
                self.commit().await?;
                let body = format!(r#"{{"row":"{}","children":{children}}}"#, became.word());
                Ok(Reply::new(0, body.into_bytes()))
            }
            Err(error) => {
                self.roll_back().await;
                Err(error)
            }
        }
    }

    async fn write_all(&mut self, write: &TableWrite, row: &OutRow) -> Result<(Became, usize), CallError> {
        let became = self.write_one(&write.table, &write.key, &row.values, &write.again).await?;
        let mut count = 0;
        if became == Became::Kept {
            return Ok((became, count));
        }
        for (child, rows) in write.children.iter().zip(&row.children) {
            // They belong to a row that is new, or that is overwritten as a whole.
            let again = if became == Became::Updated { RowAgain::Update(Vec::new()) } else { RowAgain::Keep };
            for values in rows {
                self.write_one(&child.table, &child.key, values, &again).await?;
                count += 1;
            }
        }
        Ok((became, count))
    }

    /// Inserts a row, or does with the one that is there what the manifest says.
    async fn write_one(
        &mut self,
        table: &str,
        key: &[String],
        values: &RowValues,
        again: &RowAgain,
    ) -> Result<Became, CallError> {
        let kind = self.kind;
        let columns = self.columns_of(table).await?;
        let fields = self.fields(table, &columns, values)?;
        let names: Vec<String> = fields.iter().map(|(column, _)| quoted(kind, &column.name)).collect();
        let mut insert =
            Statement::new(kind, format!("INSERT INTO {} ({}) VALUES (", quoted_table(kind, table), names.join(", ")));
        for (index, (column, value)) in fields.iter().enumerate() {
            insert.push(if index > 0 { ", " } else { "" }).stored(column, value.clone());
        }
        insert.push(")");
        let inserted = match kind {
            Kind::Postgres => {
                let names: Vec<String> = key.iter().map(|name| quoted(kind, name)).collect();
                insert.push(&format!(" ON CONFLICT ({}) DO NOTHING", names.join(", ")));
                self.run(&insert).await? == 1
            }
            // MySQL would take any unique key for the conflict, also one that belongs to another row.
            Kind::MySql => match self.run(&insert).await {
                Ok(count) => count == 1,
                Err(CallError::Refused { code: Some(code), .. }) if code == "1062" => {
                    if !self.is_there(table, &columns, key, values).await? {
                        return Err(CallError::Refused { status: 0, code: Some(code), party: Party::Caller });
                    }
                    false
                }
                Err(error) => return Err(error),
            },
        };
        if inserted {
            return Ok(Became::Inserted);
        }
        let RowAgain::Update(conditions) = again else { return Ok(Became::Kept) };
        let mut update = Statement::new(kind, format!("UPDATE {} SET ", quoted_table(kind, table)));
        let others: Vec<_> = fields.iter().filter(|(column, _)| !key.contains(&column.name)).collect();
        if others.is_empty() {
            return Ok(Became::Kept);
        }
        for (index, (column, value)) in others.into_iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            update.push(&format!("{comma}{} = ", quoted(kind, &column.name))).stored(column, value.clone());
        }
        update.push(" WHERE ");
        is_key(kind, table, &columns, key, values, &mut update)?;
        for condition in conditions {
            let column = named(&columns, table, &condition.column)?;
            update.push(&format!(" AND {} IN (", quoted(kind, &condition.column)));
            for (index, value) in condition.values.iter().enumerate() {
                update.push(if index > 0 { ", " } else { "" }).compared(column, value);
            }
            update.push(")");
        }
        // MySQL counts rows that have changed, PostgreSQL those that were found; both mean that nothing else holds it.
        let changed = self.run(&update).await?;
        Ok(if changed > 0 { Became::Updated } else { Became::Kept })
    }

    async fn is_there(
        &mut self,
        table: &str,
        columns: &[Column],
        key: &[String],
        values: &RowValues,
    ) -> Result<bool, CallError> {
        let mut statement =
            Statement::new(self.kind, format!("SELECT 'x' FROM {} WHERE ", quoted_table(self.kind, table)));
        is_key(self.kind, table, columns, key, values, &mut statement)?;
        Ok(!self.rows(&statement).await?.is_empty())
    }

    /// The columns of the values; texts of yes and no in the database's words.
    fn fields(
        &self,
        table: &str,
        columns: &Arc<Vec<Column>>,
        values: &RowValues,
    ) -> Result<Vec<(Column, Option<String>)>, CallError> {
        let mut fields = Vec::with_capacity(values.len());
        for (name, value) in values {
            let column = named(columns, table, name)?.clone();
            let number = !column.is_text && column.cast != "boolean";
            let value = match value.as_deref() {
                Some("true") if number => Some("1".to_owned()),
                Some("false") if number => Some("0".to_owned()),
                other => other.map(ToOwned::to_owned),
            };
            fields.push((column, value));
        }
        Ok(fields)
    }
}

fn is_key(
    kind: Kind,
    table: &str,
    columns: &[Column],
    key: &[String],
    values: &RowValues,
    statement: &mut Statement,
) -> Result<(), CallError> {
    for (index, name) in key.iter().enumerate() {
        let value = values.iter().find(|(known, _)| known == name).and_then(|(_, value)| value.as_deref());
        let and = if index > 0 { " AND " } else { "" };
        statement.push(&format!("{and}{} = ", quoted(kind, name)));
        statement.compared(named(columns, table, name)?, value.unwrap_or_default());
    }
    Ok(())
}
