//! The live check of a connection: whether the database lets us in, has the tables and columns that the manifest names,
//! and gives us the rights that they need. It changes nothing.

use crate::columns::{Column, named};
use crate::dsn::Kind;
use crate::session::Session;
use crate::statement::{Statement, quoted, quoted_table};
use hub_kit::Party;
use hub_kit::manifest::{Find, RowAgain, Table, TableWrite};
use hub_kit::tables::Looked;
use hub_kit::{CallContext, CallError, Connection};
use std::collections::BTreeSet;

/// Letters and digits of the name under which rows are taken.
pub(crate) const BY_LENGTH: usize = 16;

/// Looks at everything.
pub(crate) async fn look(cx: &CallContext<'_>) -> Vec<Looked> {
    let mut session = match Session::open(cx).await {
        Ok(session) => session,
        Err(error) => return vec![failed("database", &error)],
    };
    let mut found = vec![good("database", format!("connected to {}", session.server))];
    found.extend(take_part(&session, cx.connection));
    for table in &cx.connection.manifest.tables {
        found.push(inbound(&mut session, table).await);
    }
    for operation in &cx.connection.manifest.operations {
        if let Some(write) = &operation.table {
            found.push(outbound(&mut session, &operation.name, write).await);
        }
    }
    session.say_good_bye().await;
    found
}

fn good(name: &str, detail: String) -> Looked {
    Looked { name: name.to_owned(), good: Some(true), code: None, detail, next: None }
}

fn bad(name: &str, detail: String, next: &str) -> Looked {
    Looked { name: name.to_owned(), good: Some(false), code: None, detail, next: Some(next.to_owned()) }
}

fn failed(name: &str, error: &CallError) -> Looked {
    let next = match (error, error.party()) {
        (CallError::NotSent(_), Party::Config) => {
            "add the network to `egress.allow_private` of hub.yaml, or correct `dsn`"
        }
        (_, Party::Credential) => "compare user and password of `dsn` with the database",
        (_, Party::Network) => "look at host and port of `dsn`, and at what stands between",
        (_, Party::Config) => "compare the manifest with the database",
        _ => "look at the database",
    };
    Looked { code: error.vendor_code().map(ToOwned::to_owned), ..bad(name, error.to_string(), next) }
}

/// Whether rows that others hold are passed over.
fn take_part(session: &Session, connection: &Connection) -> Option<Looked> {
    let takes = |table: &Table| table.status().is_some_and(|status| status.taken.is_some());
    if !connection.manifest.tables.iter().any(takes) {
        return None;
    }
    let how = if session.skips_locked {
        "rows that others hold are passed over (SKIP LOCKED)"
    } else {
        "the server cannot pass over rows that others hold: they are taken by a token, one worker after the other"
    };
    Some(good("claims", how.to_owned()))
}

async fn inbound(session: &mut Session, table: &Table) -> Looked {
    let name = format!("table {}", table.name);
    match inbound_problem(session, table).await {
        Ok(None) => match waiting(session, table).await {
            Ok(detail) => good(&name, detail),
            Err(error) => failed(&name, &error),
        },
        Ok(Some(problem)) => bad(&name, problem, "grant the right, or correct the manifest"),
        Err(error) => failed(&name, &error),
    }
}

/// What keeps a table from being read or written back.
async fn inbound_problem(session: &mut Session, table: &Table) -> Result<Option<String>, CallError> {
    let columns = session.columns_of(&table.table).await?;
    for name in table.columns() {
        named(&columns, &table.table, name)?;
    }
    if let Some(column) = columns.iter().find(|column| !column.may_read) {
        return Ok(Some(format!("no right to read the column `{}`", column.name)));
    }
    let keys: BTreeSet<&str> = table.key.iter().chain(&table.record).map(String::as_str).collect();
    let writes = table.aside().into_iter().filter(|name| !keys.contains(name));
    if let Find::Status(status) = &table.find {
        for name in writes {
            if !named(&columns, &table.table, name)?.may_write {
                return Ok(Some(format!("no right to update the column `{name}`")));
            }
        }
        if let Some(taken) = &status.taken {
            let by = named(&columns, &table.table, &taken.by)?;
            if by.max_chars.is_some_and(|most| most < BY_LENGTH) {
                return Ok(Some(format!("the column `{}` must hold {BY_LENGTH} characters", taken.by)));
            }
            if by.cast != "bpchar" && !by.is_text {
                return Ok(Some(format!("the column `{}` must hold text", taken.by)));
            }
        }
    }
    if let Some(batch) = &table.batch {
        let theirs = session.columns_of(&batch.table).await?;
        let names = batch.on.iter().map(|(theirs, _)| theirs).chain(batch.ready.iter().map(|(state, _)| state));
        for name in names.chain(&batch.expected) {
            named(&theirs, &batch.table, name)?;
        }
    }
    for child in &table.children {
        let theirs = session.columns_of(&child.table).await?;
        for name in child.on.iter().map(|(theirs, _)| theirs).chain(&child.order) {
            named(&theirs, &child.table, name)?;
        }
    }
    Ok(None)
}

/// What lies there: how many rows wait, and what the hub will never see.
async fn waiting(session: &mut Session, table: &Table) -> Result<String, CallError> {
    let kind = session.kind;
    let own = quoted_table(kind, &table.table);
    let columns = session.columns_of(&table.table).await?;
    let text = if kind == Kind::Postgres { "SELECT COUNT(*)::text" } else { "SELECT CAST(COUNT(*) AS CHAR)" };
    let count = |condition: &str| Statement::new(kind, format!("{text} FROM {own} WHERE {condition}"));
    let first = |rows: Vec<Vec<Option<String>>>| rows.into_iter().flatten().flatten().next().unwrap_or_default();
    match &table.find {
        Find::Status(status) => {
            let column = named(&columns, &table.table, &status.column)?;
            let mut counts = Vec::new();
            for (letter, what) in [(&status.new, "new"), (&status.failed, "failed")] {
                let mut statement = count(&format!("{} = ", quoted(kind, &status.column)));
                statement.compared(column, letter);
                let number = first(session.rows(&statement).await?);
                counts.push(format!("{number} {what}"));
            }
            Ok(format!("{} rows", counts.join(", ")))
        }
        Find::Mark { columns: marks, .. } => {
            let lost: Vec<String> = marks.iter().map(|name| format!("{} IS NULL", quoted(kind, name))).collect();
            let rows = session.rows(&count(&lost.join(" OR "))).await?;
            Ok(match first(rows).as_str() {
                "0" => "it can be read".to_owned(),
                some => format!("it can be read; {some} rows without a mark are never seen"),
            })
        }
    }
}

async fn outbound(session: &mut Session, operation: &str, write: &TableWrite) -> Looked {
    match outbound_problem(session, write).await {
        Ok(None) => good(operation, format!("`{}` takes rows", write.table)),
        Ok(Some(problem)) => bad(operation, problem, "grant the right, or correct the manifest"),
        Err(error) => failed(operation, &error),
    }
}

/// What keeps rows from being written.
async fn outbound_problem(session: &mut Session, write: &TableWrite) -> Result<Option<String>, CallError> {
    let all = std::iter::once((&write.table, &write.key, matches!(write.again, RowAgain::Update(_))));
    let children = write.children.iter().map(|child| (&child.table, &child.key, false));
    for (table, key, updates) in all.chain(children) {
        let columns = session.columns_of(table).await?;
        for name in key {
            let column: &Column = named(&columns, table, name)?;
            if updates && !column.may_read {
                return Ok(Some(format!("no right to read the column `{name}` of `{table}`")));
            }
        }
        if !session.is_unique(table, key).await? {
            let key = key.join("`, `");
            return Ok(Some(format!("`{table}` has no unique index on `{key}`: a repetition would not be known")));
        }
        if session.kind == Kind::Postgres {
            let mut statement = Statement::new(session.kind, "SELECT has_table_privilege(CAST(");
            statement.value(quoted_table(session.kind, table)).push(" AS regclass), 'INSERT')::text");
            let may = session.rows(&statement).await?.into_iter().flatten().flatten().next();
            if may.as_deref() != Some("true") {
                return Ok(Some(format!("no right to insert into `{table}`")));
            }
        }
    }
    Ok(None)
}

const POSTGRES_INDEXES: &str = "
SELECT string_agg(a.attname::text, chr(10) ORDER BY a.attname::text)
FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)
WHERE i.indisunique AND i.indpred IS NULL AND i.indrelid = CAST($1::text AS regclass) GROUP BY i.indexrelid";

const MYSQL_INDEXES: &str = "
SELECT CAST(GROUP_CONCAT(COLUMN_NAME ORDER BY COLUMN_NAME SEPARATOR '\\n') AS CHAR) FROM information_schema.STATISTICS
WHERE NON_UNIQUE = 0 AND TABLE_SCHEMA = COALESCE(?, DATABASE()) AND TABLE_NAME = ? GROUP BY INDEX_NAME";

impl Session {
    /// Whether no two rows of a table can have the same values in these columns.
    async fn is_unique(&mut self, table: &str, key: &[String]) -> Result<bool, CallError> {
        let mut statement = Statement::new(self.kind, "");
        match self.kind {
            Kind::Postgres => {
                statement.text = POSTGRES_INDEXES.to_owned();
                statement.values.push(Some(quoted_table(self.kind, table)));
            }
            Kind::MySql => {
                statement.text = MYSQL_INDEXES.to_owned();
                let (schema, name) = table.split_once('.').map_or((None, table), |(s, t)| (Some(s.to_owned()), t));
                statement.values.extend([schema, Some(name.to_owned())]);
            }
        }
        let wanted: BTreeSet<&str> = key.iter().map(String::as_str).collect();
        let rows = self.rows(&statement).await?;
        let mut indexes = rows.iter().flatten().flatten();
        Ok(indexes.any(|index| index.split('\n').collect::<BTreeSet<_>>() == wanted))
    }
}
