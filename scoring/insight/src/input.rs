//! Rows of a table, as a file gives them: texts by their heads.

use hub_calc::Exact;
use hub_tree::Value;
use hub_tree::finding::suggest;
use hub_tree::jiff::civil::Date;
use hub_tree::value::parse_decimal;

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("row {row}: {detail}")]
pub struct Wrong {
    /// The row, as spreadsheets count: the head is the first.
    pub row: usize,
    /// What is wrong, and what is expected.
    pub detail: String,
}

/// Reads every row.
pub(crate) fn rows<'a, T>(
    table: &[Value<'a>],
    columns: &[&str],
    read: impl Fn(&Cells<'_, 'a>) -> Result<T, String>,
) -> Result<Vec<T>, Wrong> {
    let one = |(index, row): (usize, &Value<'a>)| {
        let cells = Cells { row, columns };
        let unknown =
            row.entries().iter().map(|(name, _)| *name).find(|name| !columns.is_empty() && !columns.contains(name));
        let read = match unknown {
            Some(name) => {
                let near = suggest(name, columns.iter().copied()).map(|near| format!("; {near}")).unwrap_or_default();
                Err(format!("the column `{name}` is not one of {}{near}", columns.join(", ")))
            }
            None => read(&cells),
        };
        read.map_err(|detail| Wrong { row: index + 2, detail })
    };
    table.iter().enumerate().map(one).collect()
}

/// The cells of a row.
pub(crate) struct Cells<'r, 'a> {
    row: &'r Value<'a>,
    columns: &'r [&'r str],
}

impl<'a> Cells<'_, 'a> {
    /// A text, blank ones left out.
    pub(crate) fn optional(&self, name: &str) -> Option<&'a str> {
        debug_assert!(self.columns.is_empty() || self.columns.contains(&name), "`{name}` is no column");
        self.row.get(name).as_text().map(str::trim).filter(|text| !text.is_empty())
    }

    pub(crate) fn text(&self, name: &str) -> Result<&'a str, String> {
        self.optional(name).ok_or_else(|| format!("`{name}` is empty or missing"))
    }

    pub(crate) fn optional_number(&self, name: &str) -> Result<Option<Exact>, String> {
        let read =
            |text| parse_decimal(text).map(Exact::from).ok_or_else(|| format!("`{name}` is `{text}`, no number"));
        self.optional(name).map(read).transpose()
    }

    pub(crate) fn number(&self, name: &str) -> Result<Exact, String> {
        self.optional_number(name)?.ok_or_else(|| format!("`{name}` is empty or missing"))
    }

    pub(crate) fn count(&self, name: &str) -> Result<usize, String> {
        let Some(number) = self.optional_number(name)? else { return Ok(0) };
        let whole = number.to_whole().and_then(|whole| usize::try_from(whole).ok());
        whole.ok_or_else(|| format!("`{name}` is `{number}`, and not a count"))
    }

    pub(crate) fn day(&self, name: &str) -> Result<Option<Date>, String> {
        let read = |text: &str| text.parse().map_err(|_| format!("`{name}` is `{text}`, no day such as 2026-03-01"));
        self.optional(name).map(read).transpose()
    }

    pub(crate) fn yes_or_no(&self, name: &str) -> Result<Option<bool>, String> {
        let read = |text: &str| match text.to_lowercase().as_str() {
            "1" | "yes" | "y" | "true" | "是" => Ok(true),
            "0" | "no" | "n" | "false" | "否" => Ok(false),
            _ => Err(format!("`{name}` is `{text}`, and not yes or no")),
        };
        self.optional(name).map(read).transpose()
    }

    /// Several words, separated by `;`, `,` or their Chinese forms.
    pub(crate) fn words(&self, name: &str) -> Vec<String> {
        let text = self.optional(name).unwrap_or_default();
        let words = text.split([';', ',', '；', '，', '、']).map(str::trim).filter(|word| !word.is_empty());
        words.map(str::to_owned).collect()
    }
}
