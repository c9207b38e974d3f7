//! Which sheet, which header, which column means what, and which rows are data.

use crate::clean;
use crate::grid::{Cell, Grid, Row, column_letters, column_of};
use crate::header::{HEAD_ROWS, find_header, heading, named_header, widest};
use crate::open::Workbook;
use crate::problem::FileProblem;
use crate::target::Target;
use std::collections::{BTreeMap, BTreeSet};

/// What somebody has decided about a file; all of it may be left to the program.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// The sheet, by name.
    pub sheet: Option<String>,
    /// The row of the header, from 1; the lower one of two.
    pub header_row: Option<u32>,
    /// Heading, or letters of a column → field; `None` for a column that is not imported.
    pub columns: BTreeMap<String, Option<String>>,
}

/// A column with a heading or with data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its place, from 0.
    pub index: usize,
    /// Its heading on one line; its letters where it has none.
    pub heading: String,
    /// Whether a star marks it as required.
    pub starred: bool,
    /// The field of the target that it fills, by place.
    pub field: Option<usize>,
}

/// Why a row is passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ignored {
    /// Nothing stands in it.
    Blank,
    /// It shows how to fill the sheet in.
    Example,
    /// It sums the rows above.
    Total,
}

impl Ignored {
    /// A stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Blank => "BLANK",
            Self::Example => "EXAMPLE",
            Self::Total => "TOTAL",
        }
    }
}

/// Rows below a header.
#[derive(Clone, Debug)]
pub struct Table {
    /// The sheet's name; empty for a CSV file.
    pub sheet: String,
    /// The row of the header, from 1; the lower one of two.
    pub header_row: u32,
    /// The columns in order.
    pub columns: Vec<Column>,
    /// The rows that are data, in order.
    pub rows: Vec<Row>,
    /// First and last number of rows below the header that are passed over.
    pub ignored: Vec<(u32, u32, Ignored)>,
    /// The rows that are no data, in order: titles, header, examples, totals.
    pub around: Vec<Row>,
    /// Whether serial numbers of days count from 1904.
    pub from_1904: bool,
}

impl Table {
    /// The column that fills a field.
    #[must_use]
    pub fn column_of_field(&self, field: usize) -> Option<&Column> {
        self.columns.iter().find(|column| column.field == Some(field))
    }

    /// A row as headings and texts, as a mapping file reads it; empty cells are left out.
    #[must_use]
    pub fn texts<'t>(&'t self, row: &'t Row) -> Vec<(&'t str, &'t str)> {
        let cells = self.columns.iter().map(|column| (column.heading.as_str(), row.cell(column.index)));
        cells.filter(|(_, cell)| !cell.is_blank()).map(|(heading, cell)| (heading, cell.text())).collect()
    }
}

/// Finds the table of a file: in the sheet and below the header that `choice` names, else in the visible sheet whose
/// first rows know most headings of the target.
///
/// # Errors
/// There is no such sheet or no header, a column is named that is not there, or the sheet cannot be read.
pub fn table(book: &mut Workbook<'_>, target: Option<&Target>, choice: &Choice) -> Result<Table, FileProblem> {
    let sheet = sheet(book, target, choice)?;
    from_grid(book.grid(sheet)?, target, choice)
}

/// The place of the sheet that is to be read.
fn sheet(book: &mut Workbook<'_>, target: Option<&Target>, choice: &Choice) -> Result<usize, FileProblem> {
    if let Some(wanted) = &choice.sheet {
        let found = book.sheets().iter().position(|sheet| sheet.name == *wanted && sheet.is_data);
        return found.ok_or_else(|| {
            let known: Vec<&str> = book.sheets().iter().map(|sheet| sheet.name.as_str()).collect();
            let known = known.join(", ");
            FileProblem::new(
                "SHEET_UNKNOWN",
                format!("there is no sheet of this name; the file has: {known}"),
                format!("没有这个工作表；文件内有：{known}"),
            )
        });
    }
    let candidates: Vec<(usize, bool)> = book
        .sheets()
        .iter()
        .enumerate()
        .filter(|(_, sheet)| sheet.visible && sheet.is_data)
        .map(|(at, sheet)| (at, sheet.active))
        .collect();
    if let [(only, _)] = candidates.as_slice() {
        return Ok(*only);
    }
    // The most headings, then the one that opens, then the first.
    let mut best: Option<(usize, bool, usize)> = None;
    for (at, active) in candidates.into_iter().take(50) {
        let head = book.head(at, HEAD_ROWS)?;
        if head.rows.is_empty() {
            continue;
        }
        let known = target.and_then(|target| find_header(&head, target)).map_or(0, |header| header.known);
        if best.is_none_or(|(most, was_active, _)| (known, active) > (most, was_active)) {
            best = Some((known, active, at));
        }
    }
    best.map(|(_, _, at)| at).ok_or_else(|| {
        FileProblem::new("SHEET_EMPTY", "no visible sheet has anything in it", "没有可见的、有内容的工作表")
    })
}

/// The table of a sheet that was read.
///
/// # Errors
/// As [`table`].
pub fn from_grid(mut grid: Grid, target: Option<&Target>, choice: &Choice) -> Result<Table, FileProblem> {
    let header = match (choice.header_row, target) {
        (Some(number), target) => {
            let at = grid.rows.iter().position(|row| row.number == number);
            at.map(|at| named_header(&grid, at, target))
        }
        (None, Some(target)) => find_header(&grid, target),
        (None, None) => widest(&grid),
    };
    let Some(header) = header else {
        return Err(FileProblem::new(
            "HEADER_NOT_FOUND",
            "no row has the headings of a table; name the row of the header, or download the template and copy the \
             data into it",
            "没有找到表头；请指定表头所在行，或下载模板后将数据粘贴进去",
        ));
    };
    let header_row = grid.rows.get(header.last).map_or(0, |row| row.number);
    let rows = grid.rows.split_off((header.last + 1).min(grid.rows.len()));
    let width = rows.iter().map(|row| row.cells.len()).max().unwrap_or(0).max(header.headings.len());
    let columns = columns(&header.headings, width, &rows, target, choice)?;
    let mut table = Table {
        sheet: grid.name,
        header_row,
        columns,
        rows: Vec::new(),
        ignored: Vec::new(),
        around: grid.rows,
        from_1904: grid.from_1904,
    };
    sort_out(&mut table, rows, target);
    Ok(table)
}

/// Which column means what.
fn columns(
    headings: &[(String, bool)],
    width: usize,
    rows: &[Row],
    target: Option<&Target>,
    choice: &Choice,
) -> Result<Vec<Column>, FileProblem> {
    let mut columns = Vec::new();
    let mut taken = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for index in 0..width {
        let (text, starred) = headings.get(index).cloned().unwrap_or_default();
        if text.is_empty() && rows.iter().all(|row| row.cell(index).is_blank()) {
            continue;
        }
        let mut heading = if text.is_empty() { column_letters(index) } else { text };
        if !seen.insert(heading.clone()) {
            heading = format!("{heading} ({})", column_letters(index));
            seen.insert(heading.clone());
        }
        columns.push(Column { index, heading, starred, field: None });
    }
    let mut decided = BTreeSet::new();
    for (name, field) in &choice.columns {
        let wanted = heading(name).0;
        let by_heading = columns.iter().position(|column| column.heading == wanted);
        let by_letters = || column_of(name).and_then(|index| columns.iter().position(|column| column.index == index));
        let Some(at) = by_heading.or_else(by_letters) else {
            return Err(FileProblem::new(
                "COLUMN_UNKNOWN",
                format!("there is no column {name}"),
                format!("没有名为“{name}”的列"),
            ));
        };
        decided.insert(at);
        let Some(field) = field else { continue };
        let Some(place) = target.and_then(|target| target.place(field)) else {
            return Err(FileProblem::new(
                "FIELD_UNKNOWN",
                format!("there is no field {field} to import into"),
                format!("没有可导入的字段 {field}"),
            ));
        };
        if taken.insert(place)
            && let Some(column) = columns.get_mut(at)
        {
            column.field = Some(place);
        }
    }
    let Some(target) = target else { return Ok(columns) };
    for (at, column) in columns.iter_mut().enumerate() {
        if decided.contains(&at) {
            continue;
        }
        if let Some(place) = target.field_of_heading(&column.heading)
            && taken.insert(place)
        {
            column.field = Some(place);
        }
    }
    Ok(columns)
}

/// Parts data from blank rows, examples and totals.
fn sort_out(table: &mut Table, rows: Vec<Row>, target: Option<&Target>) {
    let key = target.and_then(|target| target.key.first()).and_then(|key| table.column_of_field(*key));
    let key = key.map(|column| column.index);
    let name = target.and_then(|target| target.place("legal_name")).and_then(|name| table.column_of_field(name));
    let name = name.map(|column| column.index);
    let mut next = table.header_row.saturating_add(1);
    for row in rows {
        if row.number > next {
            table.ignored.push((next, row.number - 1, Ignored::Blank));
        }
        next = row.number.saturating_add(1);
        match passed_over(&row, key, name) {
            Some(why) => {
                table.ignored.push((row.number, row.number, why));
                table.around.push(row);
            }
            None => table.rows.push(row),
        }
    }
}

fn passed_over(row: &Row, key: Option<usize>, name: Option<usize>) -> Option<Ignored> {
    if row.is_blank() {
        return Some(Ignored::Blank);
    }
    // The words that are looked for are short.
    let short = |text: &str| if text.len() > 400 { String::new() } else { clean::plain(text) };
    let text = |column: Option<usize>| column.map(|column| short(row.cell(column).text())).unwrap_or_default();
    let (key, name) = (text(key), text(name));
    let is_total = |text: &str| {
        let bare: String = text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_lowercase();
        let bare = bare.trim_end_matches([':', ':']);
        ["合计", "总计", "小计", "total", "subtotal", "grandtotal", "sum"].contains(&bare)
    };
    let first = row.cells.iter().find(|cell| !cell.is_blank()).map(Cell::text).unwrap_or_default();
    if is_total(&key) || (key.is_empty() && (is_total(&name) || is_total(&short(first)))) {
        return Some(Ignored::Total);
    }
    let is_example = |text: &str| {
        let text = text.trim_start_matches(['(', '[', '【', '<']).to_lowercase();
        text == "例"
            || ["示例", "样例", "范例", "例:", "例如", "example", "必填", "选填", "(必填", "填写"]
                .iter()
                .any(|word| text.starts_with(word))
    };
    (is_example(&key) || is_example(&name)).then_some(Ignored::Example)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grid::Limits;

    fn read(text: &str, choice: &Choice) -> Result<Table, FileProblem> {
        let mut book = crate::open(text.as_bytes(), "staff.csv", Limits::default())?;
        table(&mut book, Target::built_in("employee"), choice)
    }

    fn fields(table: &Table) -> Vec<(&str, Option<&str>)> {
        let target = Target::built_in("employee").unwrap();
        let id = |column: &Column| column.field.map(|at| target.fields[at].id.as_str());
        // The target lives as long as the program.
        table.columns.iter().map(|column| (column.heading.as_str(), id(column))).collect()
    }

    #[test]
    fn titles_examples_totals_and_blank_rows_are_passed_over() {
        let table = read(
            "花名册,,,\n\n*工号,*姓名,部门,入职日期\n示例,王小明,,\n,,,\nA1,李娜,研发部,2020-01-02\n,,,\n 合 计 ：,,,\n",
            &Choice::default(),
        )
        .unwrap();
        assert_eq!(table.header_row, 3);
        assert_eq!(table.around.iter().map(|row| row.number).collect::<Vec<_>>(), [1, 3, 4, 8]);
        assert_eq!(table.rows.iter().map(|row| row.number).collect::<Vec<_>>(), [6]);
        assert_eq!(
            table.ignored,
            [(4, 4, Ignored::Example), (5, 5, Ignored::Blank), (7, 7, Ignored::Blank), (8, 8, Ignored::Total)]
        );
        assert!(table.columns[0].starred && !table.columns[2].starred);
    }

    #[test]
    fn headings_over_two_rows_are_one() {
        let table = read(
            "工号,姓名,部门,合同,,紧急联系人,\n,,,起始日,终止日,姓名,电话\nA1,李娜,研发部,2020-01-02,,王芳,1\n",
            &Choice::default(),
        )
        .unwrap();
        assert_eq!(table.header_row, 2);
        let found: Vec<_> = fields(&table).into_iter().map(|(_, field)| field).collect();
        assert_eq!(
            found,
            [
                Some("employee_number"),
                Some("legal_name"),
                Some("department"),
                Some("contract_start_date"),
                Some("contract_end_date"),
                Some("emergency_contact"),
                Some("emergency_phone"),
            ]
        );
        let titled =
            read("基本信息,,,\n工号,姓名,部门,入职日期\nA1,李娜,研发部,2020-01-02\n", &Choice::default()).unwrap();
        assert_eq!(titled.header_row, 2);
    }

    #[test]
    fn people_decide_what_columns_mean() {
        let mut choice = Choice::default();
        choice.columns.insert("备注".to_owned(), Some("cost_center".to_owned()));
        choice.columns.insert("C".to_owned(), None);
        let table = read("工号,姓名,部门,备注,入职日期\nA1,李娜,研发部,x,2020-01-02\n", &choice).unwrap();
        assert_eq!(
            fields(&table),
            [
                ("工号", Some("employee_number")),
                ("姓名", Some("legal_name")),
                ("部门", None),
                ("备注", Some("cost_center")),
                ("入职日期", Some("hire_date")),
            ]
        );
        choice.columns.insert("月份".to_owned(), None);
        assert_eq!(read("工号,姓名\nA1,李娜\n", &choice).unwrap_err().code, "COLUMN_UNKNOWN");
        choice.columns.clear();
        assert_eq!(read("a,b\n1,2\n", &choice).unwrap_err().code, "HEADER_NOT_FOUND");
        choice.header_row = Some(1);
        assert_eq!(read("工号,b\n1,2\n", &choice).unwrap().columns.len(), 2);
    }
}
