//! What a table looks like: its columns, their types, and what the hub may do with them.

use crate::dsn::Kind;
use crate::session::Session;
use crate::statement::{Statement, quoted, quoted_table};
use hub_kit::CallError;
use hub_tree::finding::suggest;
use std::sync::Arc;

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// Its type in words of the database.
    pub(crate) type_name: String,
    /// What a text is cast to that is compared with it; empty for texts.
    pub(crate) cast: String,
    pub(crate) is_text: bool,
    pub(crate) is_binary: bool,
    /// Whether it holds points in time, or days.
    pub(crate) is_time: bool,
    pub(crate) nullable: bool,
    pub(crate) max_chars: Option<usize>,
    pub(crate) max_bytes: Option<usize>,
    pub(crate) may_read: bool,
    pub(crate) may_write: bool,
}

impl Column {
    /// The expression that gives its value as text, exactly.
    pub(crate) fn as_text(&self, kind: Kind, alias: &str) -> String {
        let name = format!("{alias}.{}", quoted(kind, &self.name));
        match kind {
            Kind::Postgres if self.is_binary => format!("encode({name}, 'hex')"),
            Kind::Postgres => format!("{name}::text"),
            Kind::MySql if self.is_binary => format!("HEX({name})"),
            Kind::MySql if self.type_name.starts_with("bit") => format!("CAST({name} + 0 AS CHAR)"),
            Kind::MySql => format!("CAST({name} AS CHAR)"),
        }
    }

    /// The database's own clock, in the form of the column.
    pub(crate) fn now(&self, kind: Kind) -> &'static str {
        match (kind, self.is_text) {
            (Kind::Postgres, false) => "localtimestamp",
            (Kind::Postgres, true) => "to_char(localtimestamp, 'YYYY-MM-DD HH24:MI:SS')",
            (Kind::MySql, false) => "NOW(6)",
            (Kind::MySql, true) => "DATE_FORMAT(NOW(), '%Y-%m-%d %H:%i:%s')",
        }
    }

    /// The same, so many seconds ago.
    pub(crate) fn ago(&self, kind: Kind, secs: i64) -> String {
        match (kind, self.is_text) {
            (Kind::Postgres, false) => format!("localtimestamp - interval '{secs} seconds'"),
            (Kind::Postgres, true) => {
                format!("to_char(localtimestamp - interval '{secs} seconds', 'YYYY-MM-DD HH24:MI:SS')")
            }
            (Kind::MySql, false) => format!("NOW(6) - INTERVAL {secs} SECOND"),
            (Kind::MySql, true) => format!("DATE_FORMAT(NOW() - INTERVAL {secs} SECOND, '%Y-%m-%d %H:%i:%s')"),
        }
    }

    /// As much of a text as it holds, cut between characters.
    pub(crate) fn cut(&self, text: &str) -> String {
        let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let (chars, bytes) = (self.max_chars.unwrap_or(usize::MAX), self.max_bytes.unwrap_or(usize::MAX));
        let fits = |text: &str| text.chars().count() <= chars && text.len() <= bytes;
        if fits(&clean) {
            return clean;
        }
        let mut out = String::new();
        for (count, c) in clean.chars().enumerate() {
            // Room for the mark that something was cut off.
            if count + 2 > chars || out.len() + c.len_utf8() + '…'.len_utf8() > bytes {
                break;
            }
            out.push(c);
        }
        if fits(&format!("{out}…")) { out + "…" } else { out }
    }
}

/// The column of a table that is called so.
pub(crate) fn named<'c>(columns: &'c [Column], table: &str, name: &str) -> Result<&'c Column, CallError> {
    columns.iter().find(|column| column.name == name).ok_or_else(|| {
        let known: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let near = suggest(name, known.iter().copied()).map(|near| format!("; {near}")).unwrap_or_default();
        CallError::Build {
            operation: table.to_owned(),
            reason: format!("the table has no column `{name}`{near}: the table or the manifest has changed"),
        }
    })
}

const POSTGRES: &str = "
SELECT a.attname::text, format_type(a.atttypid, a.atttypmod),
    CASE WHEN b.typname = 'bpchar' THEN 'bpchar' WHEN b.typname = 'bit' THEN 'varbit'
         ELSE format_type(b.oid, NULL) END,
    b.typcategory::text, (b.typname = 'bytea')::text, a.attnotnull::text,
    CASE WHEN b.typcategory = 'S' AND a.atttypmod > 4 THEN (a.atttypmod - 4)::text END, NULL,
    has_column_privilege(a.attrelid, a.attnum, 'SELECT')::text,
    has_column_privilege(a.attrelid, a.attnum, 'UPDATE')::text
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
WHERE a.attrelid = CAST($1::text AS regclass) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";

const MYSQL: &str = "
SELECT CAST(COLUMN_NAME AS CHAR), CAST(COLUMN_TYPE AS CHAR), CAST(DATA_TYPE AS CHAR), CAST(COLUMN_TYPE AS CHAR),
    'false', IF(IS_NULLABLE = 'NO', 'true', 'false'), CAST(CHARACTER_MAXIMUM_LENGTH AS CHAR),
    CAST(CHARACTER_OCTET_LENGTH AS CHAR), CAST(PRIVILEGES AS CHAR), CAST(PRIVILEGES AS CHAR)
FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = COALESCE(?, DATABASE()) AND TABLE_NAME = ?
ORDER BY ORDINAL_POSITION";

impl Session {
    /// The columns of a table; read once in a session.
    pub(crate) async fn columns_of(&mut self, table: &str) -> Result<Arc<Vec<Column>>, CallError> {
        if let Some(known) = self.known.get(table) {
            return Ok(Arc::clone(known));
        }
        let kind = self.kind;
        let mut statement = Statement::new(kind, "");
        match kind {
            Kind::Postgres => {
                statement.text = POSTGRES.to_owned();
                statement.values.push(Some(quoted_table(kind, table)));
            }
            Kind::MySql => {
                statement.text = MYSQL.to_owned();
                let (schema, name) = table.split_once('.').map_or((None, table), |(s, t)| (Some(s.to_owned()), t));
                statement.values.extend([schema, Some(name.to_owned())]);
            }
        }
        let missing = || CallError::Build {
            operation: table.to_owned(),
            reason: "there is no such table or view, or no right to see it".to_owned(),
        };
        let rows = match self.rows(&statement).await {
            Ok(rows) => rows,
            // The name does not lead to a table, or its schema is not ours to see.
            Err(CallError::Refused { code: Some(code), .. })
                if matches!(code.as_str(), "42P01" | "3F000" | "42501") =>
            {
                return Err(missing());
            }
            Err(error) => return Err(error),
        };
        if rows.is_empty() {
            return Err(missing());
        }
        let columns = rows.into_iter().map(|row| match kind {
            Kind::Postgres => of_postgres(row),
            Kind::MySql => of_mysql(row),
        });
        let columns = Arc::new(columns.collect::<Vec<_>>());
        self.known.insert(table.to_owned(), Arc::clone(&columns));
        Ok(columns)
    }
}

/// The texts of one row of the catalogue, in the order of its query.
fn texts(row: Vec<Option<String>>) -> [String; 10] {
    let mut values = row.into_iter().map(Option::unwrap_or_default);
    std::array::from_fn(|_| values.next().unwrap_or_default())
}

fn of_postgres(row: Vec<Option<String>>) -> Column {
    let [name, type_name, cast, category, binary, not_null, chars, _, read, write] = texts(row);
    let is_text = category == "S";
    // What is longer must be refused, not cut off: texts are compared and stored as they are.
    let cast = if is_text && cast != "bpchar" { String::new() } else { cast };
    Column {
        name,
        cast,
        is_text,
        is_binary: binary == "true",
        is_time: category == "D" && type_name != "interval" && !type_name.starts_with("time "),
        nullable: not_null != "true",
        max_chars: chars.parse().ok(),
        max_bytes: None,
        may_read: read == "true",
        may_write: write == "true",
        type_name,
    }
}

fn of_mysql(row: Vec<Option<String>>) -> Column {
    let [name, type_name, data_type, full_type, _, not_null, chars, octets, read, write] = texts(row);
    let cast = match data_type.as_str() {
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "year" if full_type.contains("unsigned") => {
            "UNSIGNED"
        }
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "year" | "bit" => "SIGNED",
        "decimal" | "float" | "double" => "DECIMAL(65, 30)",
        "date" => "DATE",
        "datetime" | "timestamp" => "DATETIME(6)",
        "time" => "TIME(6)",
        _ => "",
    };
    let is_binary = data_type.contains("binary") || data_type.ends_with("blob");
    Column {
        name,
        cast: cast.to_owned(),
        is_text: !is_binary && (data_type.contains("char") || data_type.contains("text")),
        is_binary,
        is_time: matches!(data_type.as_str(), "date" | "datetime" | "timestamp"),
        nullable: not_null != "true",
        max_chars: chars.parse().ok(),
        max_bytes: octets.parse().ok(),
        may_read: read.contains("select"),
        may_write: write.contains("update"),
        type_name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_column(max_chars: Option<usize>, max_bytes: Option<usize>) -> Column {
        let (name, type_name, cast) = Default::default();
        let (is_text, is_binary, is_time, nullable, may_read, may_write) = (true, false, false, true, true, true);
        Column {
            name,
            type_name,
            cast,
            is_text,
            is_binary,
            is_time,
            nullable,
            max_chars,
            max_bytes,
            may_read,
            may_write,
        }
    }

    #[test]
    fn an_error_is_cut_between_characters_so_that_it_fits_in_characters_and_bytes() {
        let column = text_column(Some(6), None);
        assert_eq!(column.cut("身份证号"), "身份证号");
        assert_eq!(column.cut("身份证号码不对"), "身份证号码…");
        let column = text_column(Some(60), Some(10));
        assert_eq!(column.cut("身份证号码"), "身份…");
        assert_eq!(column.cut("𠮷𠮷𠮷"), "𠮷…");
        assert_eq!(text_column(Some(1), Some(2)).cut("身份"), "", "not even the mark has room");
        assert_eq!(text_column(None, None).cut("a\tb\n"), "a b ");
    }
}
