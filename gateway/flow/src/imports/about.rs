//! What is known of an import's file and of its rows, as it is kept: sealed JSON.

use hub_model::Class;
use serde::{Deserialize, Serialize};

/// What is known of a file, and how it is to be read and applied.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct About {
    /// Its name, as the person sees it.
    pub file_name: String,
    /// What it is, such as `XLSX`.
    pub kind: String,
    /// How its text is written, of separated text.
    pub encoding: String,
    /// Its sheets that hold data.
    pub sheets: Vec<String>,
    /// The sheet that is read.
    pub sheet: String,
    /// The row of the headings, from 1.
    pub header_row: u32,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Fields that have to have a column and have none.
    pub missing: Vec<String>,
    /// Whether rows may change records that are there.
    pub upsert: bool,
    /// Whether a bad row keeps all others back.
    pub all_or_nothing: bool,
    /// The name of a mapping that reads the rows by their headings; empty for the target's own.
    pub mapping: String,
    /// The text of a mapping that came with the file.
    pub mapping_text: Option<String>,
}

/// A column of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Column {
    /// Its letters, such as `AB`.
    pub letters: String,
    /// Its heading.
    pub heading: String,
    /// The field that it is; `None` for one that is left out.
    pub field: Option<String>,
    /// Whether somebody has said so, or the heading does.
    pub said: bool,
    /// How sensitive its values are: 0 to 3.
    pub class: u8,
}

impl Column {
    /// How sensitive its values are.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self.class {
            0 => Class::S0,
            1 => Class::S1,
            2 => Class::S2,
            _ => Class::S3,
        }
    }
}

/// Something to say about a cell or a row. It never quotes a sensitive value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Finding {
    /// A stable code, such as `ID_CHECKSUM`.
    pub code: String,
    /// Whether the row cannot be applied because of it.
    pub error: bool,
    /// The cell, such as `D5`; empty for the row.
    pub cell: String,
    /// The heading of its column.
    pub heading: String,
    /// What is wrong and what to do, in English.
    pub en: String,
    /// The same in Chinese.
    pub zh: String,
}

/// A row of a file as it is kept.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RowBody {
    /// Its cells as the person sees them, one for each column.
    pub cells: Vec<String>,
    /// What there is to say about it.
    pub findings: Vec<Finding>,
    /// What is made of it, as JSON: what the mapping reads.
    pub record: Option<String>,
}

impl About {
    /// The column that was meant, by its letters or its heading.
    pub(crate) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.letters == name || column.heading == name)
    }

    /// What somebody has said about columns, to be remembered by their headings.
    pub(crate) fn said(&self, said: &[(String, String)]) -> Vec<(String, String)> {
        let kept = said.iter().filter_map(|(name, field)| Some((self.column(name)?, field)));
        kept.filter(|(column, _)| !column.heading.is_empty())
            .map(|(column, field)| (column.heading.clone(), field.clone()))
            .collect()
    }

    /// What its columns mean until somebody says otherwise.
    pub(crate) fn remembered(&self, said: &[(String, String)]) -> Vec<(String, String)> {
        let known = self.columns.iter().filter(|column| column.said && !column.heading.is_empty());
        let known = known.map(|column| (column.heading.clone(), column.field.clone().unwrap_or_default()));
        let own = self.said(said);
        known.filter(|(heading, _)| !own.iter().any(|(new, _)| new == heading)).chain(own.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_says_about_a_column_wins_and_is_remembered_by_its_heading() {
        let column = |letters: &str, heading: &str, field: Option<&str>, said: bool| Column {
            letters: letters.into(),
            heading: heading.into(),
            field: field.map(str::to_owned),
            said,
            class: 0,
        };
        let about = About {
            columns: vec![
                column("A", "工号", Some("employee_number"), false),
                column("B", "名字", Some("display_name"), true),
                column("C", "", None, false),
            ],
            ..About::default()
        };
        let pair = |name: &str, field: &str| (name.to_owned(), field.to_owned());
        let said = [pair("B", "legal_name"), pair("C", "mobile"), pair("工号", "")];
        assert_eq!(about.said(&said), [pair("名字", "legal_name"), pair("工号", "")]);
        assert_eq!(about.remembered(&said), [pair("名字", "legal_name"), pair("工号", "")]);
        assert_eq!(about.remembered(&[]), [pair("名字", "display_name")]);
    }
}
