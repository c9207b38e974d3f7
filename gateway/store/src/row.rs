//! What goes into a statement and comes out of it, the same for both databases: whole numbers, text, bytes and NULL.

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use sqlx::postgres::{PgRow, PgTypeInfo};
use sqlx::{Row as _, TypeInfo, ValueRef as _};

/// The value of a parameter. NULL has the type of its column, because PostgreSQL wants to know.
#[derive(Clone, Debug)]
pub(crate) enum Parameter {
    Integer(Option<i64>),
    Text(Option<String>),
    Blob(Option<Vec<u8>>),
}

macro_rules! parameter {
    ($kind:ident, $type:ty) => {
        impl From<$type> for Parameter {
            fn from(value: $type) -> Self {
                Self::$kind(Some(value.into()))
            }
        }

        impl From<Option<$type>> for Parameter {
            fn from(value: Option<$type>) -> Self {
                Self::$kind(value.map(Into::into))
            }
        }
    };
}

parameter!(Integer, i64);
parameter!(Text, String);
parameter!(Text, &'static str);
parameter!(Blob, Vec<u8>);

impl ToSql for Parameter {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let value = match self {
            Self::Integer(value) => value.map(ValueRef::Integer),
            Self::Text(value) => value.as_ref().map(|text| ValueRef::Text(text.as_bytes())),
            Self::Blob(value) => value.as_deref().map(ValueRef::Blob),
        };
        Ok(ToSqlOutput::Borrowed(value.unwrap_or(ValueRef::Null)))
    }
}

/// A row of an answer.
pub(crate) enum Row<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
    Postgres(&'r PgRow),
}

/// A column is not there, or holds what it must not hold.
#[derive(Debug, thiserror::Error)]
#[error("column {column}: {what}")]
pub struct ColumnError {
    column: String,
    what: String,
}

/// A column by its name, or by its place.
pub(crate) trait Place: Copy + std::fmt::Display + rusqlite::RowIndex + sqlx::ColumnIndex<PgRow> {}

impl Place for usize {}
impl Place for &str {}

impl Row<'_> {
    /// The value of a column.
    pub(crate) fn try_get<T: Value, P: Place>(&self, place: P) -> Result<T, ColumnError> {
        let read = match self {
            Self::Sqlite(row) => row
                .get_ref(place)
                .map_err(|error| error.to_string())
                .and_then(|value| T::of_sqlite(value).ok_or_else(|| format!("holds {}", value.data_type()))),
            Self::Postgres(row) => row.try_get_raw(place).map_err(|error| error.to_string()).and_then(|value| {
                let (null, kind) = (value.is_null(), value.type_info().into_owned());
                let value = if null { Ok(T::null()) } else { T::of_postgres(row, place, &kind).map(Some) };
                value.map_err(|error| error.to_string())?.ok_or_else(|| "holds NULL".to_owned())
            }),
        };
        read.map_err(|what| ColumnError { column: place.to_string(), what })
    }
}

/// What a column can hold.
pub(crate) trait Value: Sized {
    /// What stands for NULL, if it may be.
    fn null() -> Option<Self>;
    fn of_sqlite(value: ValueRef<'_>) -> Option<Self>;
    /// Of a value that is not NULL.
    fn of_postgres(row: &PgRow, place: impl Place, kind: &PgTypeInfo) -> Result<Self, sqlx::Error>;
}

impl Value for i64 {
    fn null() -> Option<Self> {
        None
    }

    fn of_sqlite(value: ValueRef<'_>) -> Option<Self> {
        value.as_i64().ok()
    }

    fn of_postgres(row: &PgRow, place: impl Place, kind: &PgTypeInfo) -> Result<Self, sqlx::Error> {
        match kind.name() {
            "INT4" => row.try_get::<i32, _>(place).map(Self::from),
            "INT2" => row.try_get::<i16, _>(place).map(Self::from),
            _ => row.try_get(place),
        }
    }
}

impl Value for String {
    fn null() -> Option<Self> {
        None
    }

    fn of_sqlite(value: ValueRef<'_>) -> Option<Self> {
        value.as_str().ok().map(str::to_owned)
    }

    fn of_postgres(row: &PgRow, place: impl Place, _: &PgTypeInfo) -> Result<Self, sqlx::Error> {
        row.try_get(place)
    }
}

impl Value for Vec<u8> {
    fn null() -> Option<Self> {
        None
    }

    fn of_sqlite(value: ValueRef<'_>) -> Option<Self> {
        value.as_blob().ok().map(<[u8]>::to_vec)
    }

    fn of_postgres(row: &PgRow, place: impl Place, _: &PgTypeInfo) -> Result<Self, sqlx::Error> {
        row.try_get(place)
    }
}

impl<T: Value> Value for Option<T> {
    fn null() -> Option<Self> {
        Some(None)
    }

    fn of_sqlite(value: ValueRef<'_>) -> Option<Self> {
        match value {
            ValueRef::Null => Some(None),
            value => T::of_sqlite(value).map(Some),
        }
    }

    fn of_postgres(row: &PgRow, place: impl Place, kind: &PgTypeInfo) -> Result<Self, sqlx::Error> {
        T::of_postgres(row, place, kind).map(Some)
    }
}
