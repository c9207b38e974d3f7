//! The only three places where SQLite and PostgreSQL differ.

/// Which database speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    /// 1. The words of the DDL: `{blob}` and `{serial}` in a schema text.
    pub(crate) fn ddl(self, text: &str) -> String {
        // Text is compared by its bytes on both, whatever the database's own collation is.
        let (blob, serial, words) = match self {
            Self::Sqlite => ("BLOB", "INTEGER PRIMARY KEY AUTOINCREMENT", " TEXT"),
            Self::Postgres => ("BYTEA", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY", " TEXT COLLATE \"C\""),
        };
        let text = text.replace("{blob}", blob).replace("{serial}", serial).replace(" TEXT", words);
        match self {
            Self::Sqlite => text,
            // A server changes statement by statement: one that was done before is passed over.
            Self::Postgres => ["CREATE TABLE ", "CREATE INDEX ", "CREATE UNIQUE INDEX ", "ADD COLUMN "]
                .iter()
                .fold(text, |text, words| text.replace(words, &format!("{words}IF NOT EXISTS "))),
        }
    }

    /// 2. Claiming: two workers must not take one row. SQLite has one writer; PostgreSQL locks and passes over what
    ///    is locked. Given as the text behind the candidates' subquery.
    pub(crate) const fn skip_locked(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR UPDATE SKIP LOCKED",
        }
    }

    /// 3. Locking a schema change against other processes until the transaction ends.
    pub(crate) const fn schema_lock(self) -> Option<&'static str> {
        match self {
            // BEGIN IMMEDIATE has locked the file already.
            Self::Sqlite => None,
            Self::Postgres => Some("SELECT pg_advisory_xact_lock(72114893)"),
        }
    }
}
