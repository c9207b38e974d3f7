//! `driver: staging`: tables of another system's database, which both sides have agreed on.
//!
//! Inbound rows are taken with a claim and written back when they were processed, or read behind a mark; outbound rows
//! are written once by their key. PostgreSQL and MySQL (MariaDB) are spoken. Names of tables and columns are quoted,
//! values travel as parameters and as text, so that nothing of a number or date is lost.
//!
//! Nothing is ever deleted, and no table is locked; statements and locks have limits of a few seconds.

mod back;
mod columns;
mod dsn;
mod errors;
mod look;
mod rows;
mod session;
mod statement;
mod take;
mod write;

use async_trait::async_trait;
use dsn::Dsn;
use hub_kit::call::row_of;
use hub_kit::manifest::Table;
use hub_kit::tables::{Looked, RowEnd, Since, TableRow, TableSession, Tables, WroteBack};
use hub_kit::{
    CallContext, CallError, Connection, Driver, InboundRequest, Manifest, Opened, Operation, Reply, WebhookError,
};
use hub_tree::jiff::tz::TimeZone;
use hub_tree::{Findings, Span};
use session::Session;

#[cfg(test)]
mod tests;

/// The driver.
#[derive(Debug, Default)]
pub struct Staging;

#[async_trait]
impl Driver for Staging {
    fn name(&self) -> &'static str {
        "staging"
    }

    fn check(&self, manifest: &Manifest, findings: &Findings) {
        let error = |span: Span, message: &str, help: &str| {
            findings.error(&manifest.source, span, message, Some(help.to_owned()));
        };
        if manifest.tables.is_empty() && manifest.operations.is_empty() {
            error(Span::default(), "a database without `tables` and `operations` has nothing to do", "name some");
        }
        if let Some(webhook) = &manifest.webhook {
            error(webhook.span, "a database sends nothing", "leave `webhook` out");
        }
        for operation in manifest.operations.iter().filter(|operation| operation.table.is_none()) {
            let message = format!("`{}` names no table that it writes", operation.name);
            error(operation.span, &message, "say `insert: TABLE` and `key: COLUMN`");
        }
    }

    fn check_connection(&self, connection: &Connection, findings: &Findings) {
        let error = |name: &str, message: String| {
            findings.error(&connection.source, connection.setting_span(name), message, None);
        };
        if let Err(reason) = Dsn::parse(&connection.setting("dsn").unwrap_or_default()) {
            error("dsn", reason);
        }
        if let Some(zone) = connection.setting("time_zone")
            && TimeZone::get(&zone).is_err()
        {
            error("time_zone", "`time_zone` is no time zone such as Asia/Shanghai".to_owned());
        }
    }

    async fn call(&self, cx: &CallContext<'_>, operation: &Operation, args: &[u8]) -> Result<Reply, CallError> {
        let write = operation.table.as_ref().ok_or_else(|| CallError::NoOperation(operation.name.clone()))?;
        let row = row_of(cx, operation, write, args)?;
        let mut session = Session::open(cx).await?;
        let reply = session.write_out(write, &row).await;
        if reply.is_ok() {
            session.say_good_bye().await;
        }
        reply
    }

    fn tables(&self) -> Option<&dyn Tables> {
        Some(self)
    }

    async fn look(&self, cx: &CallContext<'_>) -> Vec<Looked> {
        look::look(cx).await
    }

    fn open_webhook(&self, _: &Connection, _: &InboundRequest) -> Result<Opened, WebhookError> {
        Err(WebhookError::Unsupported)
    }
}

#[async_trait]
impl Tables for Staging {
    async fn open(&self, cx: &CallContext<'_>) -> Result<Box<dyn TableSession>, CallError> {
        Ok(Box::new(Session::open(cx).await?))
    }
}

#[async_trait]
impl TableSession for Session {
    async fn columns(&mut self, table: &Table) -> Result<Vec<(String, String)>, CallError> {
        let columns = self.columns_of(&table.table).await?;
        rows::Shape::of(table, &columns)?;
        Ok(columns.iter().map(|column| (column.name.clone(), column.type_name.clone())).collect())
    }

    async fn take(&mut self, table: &Table, by: &str) -> Result<Vec<TableRow>, CallError> {
        self.take_rows(table, by).await
    }

    async fn read(&mut self, table: &Table, since: Since<'_>) -> Result<Vec<TableRow>, CallError> {
        self.read_rows(table, since).await
    }

    async fn write_back(&mut self, table: &Table, end: &RowEnd) -> Result<WroteBack, CallError> {
        self.write_row_back(table, end).await
    }

    async fn close(self: Box<Self>) {
        self.say_good_bye().await;
    }
}
