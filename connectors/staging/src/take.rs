//! Rows that wait: which are open, how they are taken, and how a table with a mark is read.

use crate::columns::Column;
use crate::dsn::Kind;
use crate::rows::{Shape, Values};
use crate::session::Session;
use crate::statement::{Statement, listed, quoted, quoted_table};
use hub_kit::CallError;
use hub_kit::manifest::{Condition, Find, Status, Table, Taken};
use hub_kit::tables::{PAGE, Since, TableRow};

impl Session {
    /// Takes rows; when it returns, that is committed.
    pub(crate) async fn take_rows(&mut self, table: &Table, by: &str) -> Result<Vec<TableRow>, CallError> {
        let columns = self.columns_of(&table.table).await?;
        let shape = Shape::of(table, &columns)?;
        let Some(status) = table.status() else { return Ok(Vec::new()) };
        let Some(taken) = &status.taken else {
            let mut statement = shape.select(self);
            self.that_wait(&shape, status, &mut statement).await?;
            self.ordered(&shape, &mut statement);
            return self.with_children(&shape, statement).await;
        };
        self.begin().await?;
        let result = if self.skips_locked {
            self.take_unlocked(&shape, status, taken, by).await
        } else {
            self.take_by_token(&shape, status, taken, by).await
        };
        match result {
            Ok(rows) => {
                self.commit().await?;
                Ok(rows)
            }
            Err(error) => {
                self.roll_back().await;
                Err(error)
            }
        }
    }

    /// Locks rows that nobody holds, then marks them.
    async fn take_unlocked(
        &mut self,
        shape: &Shape<'_>,
        status: &Status,
        taken: &Taken,
        by: &str,
    ) -> Result<Vec<TableRow>, CallError> {
        let mut statement = shape.select(self);
        self.that_wait(shape, status, &mut statement).await?;
        self.ordered(shape, &mut statement);
        // Only MySQL would lock the tables of conditions, too, and it does so only where they say it.
        statement.push(if self.kind == Kind::Postgres {
            " FOR UPDATE OF t SKIP LOCKED"
        } else {
            " FOR UPDATE SKIP LOCKED"
        });
        let rows = self.with_children(shape, statement).await?;
        for row in &rows {
            let mut update = self.marking(shape, status, taken, by)?;
            update.push(" WHERE ");
            self.is_row(shape, &row.key, &mut update)?;
            self.run(&update).await?;
        }
        Ok(rows)
    }

    /// For servers that cannot pass over locked rows: one update writes a token, by which the rows are read then.
    /// Who comes second waits for the first, and finds the rows taken.
    async fn take_by_token(
        &mut self,
        shape: &Shape<'_>,
        status: &Status,
        taken: &Taken,
        by: &str,
    ) -> Result<Vec<TableRow>, CallError> {
        let kind = self.kind;
        let keys = listed(kind, "t", &shape.table.key);
        let mut update = self.marking(shape, status, taken, by)?;
        update.push(&format!(
            " WHERE ({}) IN (SELECT ",
            listed(kind, &quoted_table(kind, &shape.table.table), &shape.table.key)
        ));
        // MySQL reads a table that it changes only through one that it has made of it.
        let inner: Vec<String> = shape.table.key.iter().map(|name| format!("p.{}", quoted(kind, name))).collect();
        update.push(&format!(
            "{} FROM (SELECT {keys} FROM {} t",
            inner.join(", "),
            quoted_table(kind, &shape.table.table)
        ));
        self.that_wait(shape, status, &mut update).await?;
        self.ordered(shape, &mut update);
        update.push(") AS p) AND (");
        let own = quoted_table(kind, &shape.table.table);
        self.is_open(shape, status, &own, &mut update)?;
        update.push(")");
        self.run(&update).await?;
        let mut statement = shape.select(self);
        statement.push(&format!(" WHERE t.{} = ", quoted(kind, &taken.by)));
        statement
            .compared(shape.column(&taken.by)?, by)
            .push(" AND t.")
            .push(&quoted(kind, &status.column))
            .push(" = ");
        statement.compared(shape.column(&status.column)?, &taken.status);
        self.ordered(shape, &mut statement);
        self.with_children(shape, statement).await
    }

    /// `UPDATE … SET` taken, by whom and when, one more try.
    fn marking(&self, shape: &Shape<'_>, status: &Status, taken: &Taken, by: &str) -> Result<Statement, CallError> {
        let kind = self.kind;
        let mut update = Statement::new(kind, format!("UPDATE {} SET ", quoted_table(kind, &shape.table.table)));
        let set = |name: &str| format!("{} = ", quoted(kind, name));
        update.push(&set(&status.column)).stored(shape.column(&status.column)?, Some(taken.status.clone()));
        update.push(", ").push(&set(&taken.by)).stored(shape.column(&taken.by)?, Some(by.to_owned()));
        update.push(", ").push(&set(&taken.at)).push(shape.column(&taken.at)?.now(kind));
        if let Some(tries) = &shape.table.error.tries {
            let name = quoted(kind, tries);
            update.push(&format!(", {name} = COALESCE({name}, 0) + 1"));
        }
        Ok(update)
    }

    /// The conditions under which a row is processed now.
    async fn that_wait(
        &mut self,
        shape: &Shape<'_>,
        status: &Status,
        statement: &mut Statement,
    ) -> Result<(), CallError> {
        let (kind, table) = (self.kind, shape.table);
        statement.push(" WHERE (");
        self.is_open(shape, status, "t", statement)?;
        statement.push(")");
        self.conditions(shape, &table.when, statement)?;
        if let Some(batch) = &table.batch {
            let columns = self.columns_of(&batch.table).await?;
            let named = |name: &str| crate::columns::named(&columns, &batch.table, name);
            statement.push(&format!(" AND EXISTS (SELECT 1 FROM {} b WHERE ", quoted_table(kind, &batch.table)));
            statement.push(&equal(kind, "b", "t", &batch.on));
            if let Some((state, ready)) = &batch.ready {
                statement.push(&format!(" AND b.{} = ", quoted(kind, state))).compared(named(state)?, ready);
            }
            if let Some(expected) = &batch.expected {
                named(expected)?;
                let own: Vec<(String, String)> =
                    batch.on.iter().map(|(theirs, ours)| (ours.clone(), theirs.clone())).collect();
                statement.push(&format!(
                    " AND b.{} = (SELECT COUNT(*) FROM {} x WHERE {})",
                    quoted(kind, expected),
                    quoted_table(kind, &table.table),
                    equal(kind, "x", "b", &own)
                ));
            }
            statement.push(")");
        }
        for child in &table.children {
            let Some(expected) = &child.expected else { continue };
            statement.push(&format!(
                " AND t.{} = (SELECT COUNT(*) FROM {} c WHERE {})",
                quoted(kind, expected),
                quoted_table(kind, &child.table),
                equal(kind, "c", "t", &child.on)
            ));
        }
        if !table.record.is_empty() {
            let same: Vec<(String, String)> = table.record.iter().map(|name| (name.clone(), name.clone())).collect();
            statement.push(&format!(
                " AND NOT EXISTS (SELECT 1 FROM {} o WHERE {} AND ({}) < ({}) AND o.{} IN (",
                quoted_table(kind, &table.table),
                equal(kind, "o", "t", &same),
                listed(kind, "o", &table.order),
                listed(kind, "t", &table.order),
                quoted(kind, &status.column)
            ));
            let column = shape.column(&status.column)?;
            statement.compared(column, &status.new);
            if let Some(taken) = &status.taken {
                statement.push(", ").compared(column, &taken.status);
            }
            statement.push(")");
            self.conditions_of("o", shape, &table.when, statement)?;
            statement.push(")");
        }
        Ok(())
    }

    /// New, or taken so long ago that who took it is dead.
    fn is_open(
        &self,
        shape: &Shape<'_>,
        status: &Status,
        alias: &str,
        statement: &mut Statement,
    ) -> Result<(), CallError> {
        let kind = self.kind;
        let column = shape.column(&status.column)?;
        statement.push(&format!("{alias}.{} = ", quoted(kind, &status.column))).compared(column, &status.new);
        if let Some(taken) = &status.taken {
            let at = shape.column(&taken.at)?;
            statement
                .push(&format!(" OR ({alias}.{} = ", quoted(kind, &status.column)))
                .compared(column, &taken.status);
            let (name, ago) = (quoted(kind, &taken.at), at.ago(kind, taken.stale_after_secs));
            statement.push(&format!(" AND ({alias}.{name} IS NULL OR {alias}.{name} < {ago}))"));
        }
        Ok(())
    }

    fn conditions(&self, shape: &Shape<'_>, when: &[Condition], statement: &mut Statement) -> Result<(), CallError> {
        self.conditions_of("t", shape, when, statement)
    }

    fn conditions_of(
        &self,
        alias: &str,
        shape: &Shape<'_>,
        when: &[Condition],
        statement: &mut Statement,
    ) -> Result<(), CallError> {
        for condition in when {
            let column = shape.column(&condition.column)?;
            statement.push(&format!(" AND {alias}.{} IN (", quoted(self.kind, &condition.column)));
            for (index, value) in condition.values.iter().enumerate() {
                statement.push(if index > 0 { ", " } else { "" }).compared(column, value);
            }
            statement.push(")");
        }
        Ok(())
    }

    /// `key = value AND …` of one row of the table itself.
    pub(crate) fn is_row(&self, shape: &Shape<'_>, key: &[String], statement: &mut Statement) -> Result<(), CallError> {
        for (index, (name, value)) in shape.table.key.iter().zip(key).enumerate() {
            let and = if index > 0 { " AND " } else { "" };
            statement.push(&format!("{and}{} = ", quoted(self.kind, name))).compared(shape.column(name)?, value);
        }
        Ok(())
    }

    fn ordered(&self, shape: &Shape<'_>, statement: &mut Statement) {
        statement.push(" ORDER BY ").push(&listed(self.kind, "t", &shape.table.order)).push(&format!(" LIMIT {PAGE}"));
    }

    async fn with_children(&mut self, shape: &Shape<'_>, statement: Statement) -> Result<Vec<TableRow>, CallError> {
        let found: Vec<Values> = self.rows(&statement).await?;
        let mut rows = Vec::with_capacity(found.len());
        for values in found {
            rows.push(shape.row(self, values).await?);
        }
        Ok(rows)
    }

    /// Reads a page of a table with a mark.
    pub(crate) async fn read_rows(&mut self, table: &Table, since: Since<'_>) -> Result<Vec<TableRow>, CallError> {
        let columns = self.columns_of(&table.table).await?;
        let shape = Shape::of(table, &columns)?;
        let Find::Mark { overlap_secs, .. } = &table.find else { return Ok(Vec::new()) };
        let marks = shape.mark_columns();
        let mut statement = shape.select(self);
        let mut given = Vec::new();
        for name in &marks {
            given.push(format!("t.{} IS NOT NULL", quoted(self.kind, name)));
        }
        statement.push(" WHERE ").push(&given.join(" AND "));
        let first = marks.first().map(|name| shape.column(name)).transpose()?;
        match since {
            Since::Beginning => {}
            Since::Behind(mark) => self.behind(&shape, &marks, mark, &mut statement)?,
            Since::Again { latest, former } => match first.filter(|first| first.is_time) {
                Some(first) => self.not_long_before(first, latest, *overlap_secs, &mut statement),
                None => former.map_or(Ok(()), |mark| self.behind(&shape, &marks, mark, &mut statement))?,
            },
        }
        self.conditions(&shape, &table.when, &mut statement)?;
        statement.push(" ORDER BY ").push(&listed(self.kind, "t", &marks)).push(&format!(" LIMIT {PAGE}"));
        self.with_children(&shape, statement).await
    }

    /// `(a, b) > (mark)`, written out so that an index on `a` helps.
    fn behind(
        &self,
        shape: &Shape<'_>,
        names: &[String],
        mark: &[String],
        statement: &mut Statement,
    ) -> Result<(), CallError> {
        let pairs: Vec<(&String, &String)> = names.iter().zip(mark).collect();
        let Some((first, rest)) = pairs.split_first() else { return Ok(()) };
        let column = |name: &str| Ok::<_, CallError>((format!("t.{}", quoted(self.kind, name)), shape.column(name)?));
        let (name, found) = column(first.0)?;
        statement.push(&format!(" AND {name} >= ")).compared(found, first.1);
        statement.push(&format!(" AND ({name} > ")).compared(found, first.1);
        let mut equal = vec![*first];
        for pair in rest {
            statement.push(" OR (");
            for (own, value) in &equal {
                let (name, found) = column(own)?;
                statement.push(&format!("{name} = ")).compared(found, value).push(" AND ");
            }
            let (name, found) = column(pair.0)?;
            statement.push(&format!("{name} > ")).compared(found, pair.1).push(")");
            equal.push(*pair);
        }
        statement.push(")");
        Ok(())
    }

    /// From a while before a time on.
    fn not_long_before(&self, first: &Column, latest: &[String], secs: i64, statement: &mut Statement) {
        let Some(mark) = latest.first() else { return };
        statement.push(&format!(" AND t.{} >= ", quoted(self.kind, &first.name))).compared(first, mark);
        statement.push(&match (self.kind, first.type_name.as_str()) {
            // A day less some minutes is the day before.
            (Kind::Postgres, "date") => format!(" - {}", secs.div_euclid(86_400) + 1),
            (Kind::Postgres, _) => format!(" - interval '{secs} seconds'"),
            (Kind::MySql, _) => format!(" - INTERVAL {secs} SECOND"),
        });
    }
}

/// `a.x = b.y AND …`.
fn equal(kind: Kind, one: &str, other: &str, on: &[(String, String)]) -> String {
    let pair =
        |(theirs, ours): &(String, String)| format!("{one}.{} = {other}.{}", quoted(kind, theirs), quoted(kind, ours));
    on.iter().map(pair).collect::<Vec<_>>().join(" AND ")
}
