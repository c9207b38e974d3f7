//! What kind of file it is, by its first bytes and never by its name alone, and its sheets.

use crate::csv;
use crate::grid::{Grid, Limits};
use crate::html;
use crate::ods::Ods;
use crate::package::Package;
use crate::problem::FileProblem;
use crate::xls::Xls;
use crate::xlsx::Xlsx;

/// The kinds of file that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// An Office Open XML workbook.
    Xlsx,
    /// A workbook of Excel 97 to 2003.
    Xls,
    /// An OpenDocument spreadsheet.
    Ods,
    /// A table of a web page, as some systems export it under the name of a workbook.
    Html,
    /// Separated text.
    Csv,
}

impl FileKind {
    /// Its name for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Xlsx => "XLSX",
            Self::Xls => "XLS",
            Self::Ods => "ODS",
            Self::Html => "HTML",
            Self::Csv => "CSV",
        }
    }
}

/// What is known of a sheet before it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SheetInfo {
    /// Its name; empty for a CSV file.
    pub name: String,
    /// Whether people see it. Hidden sheets are no data unless somebody names them.
    pub visible: bool,
    /// Whether it is the one that opens.
    pub active: bool,
    /// Whether it has cells; charts have none.
    pub is_data: bool,
}

impl SheetInfo {
    pub(crate) fn only() -> Self {
        Self { name: String::new(), visible: true, active: true, is_data: true }
    }
}

enum Inner<'b> {
    Xlsx(Box<Xlsx<'b>>),
    Xls(Box<Xls>),
    Ods(Box<Ods<'b>>),
    Html(String),
    Text { text: String, separator: u8 },
}

/// A file that was opened. Its sheets are read when asked for.
pub struct Workbook<'b> {
    kind: FileKind,
    encoding: Option<&'static str>,
    sheets: Vec<SheetInfo>,
    limits: Limits,
    inner: Inner<'b>,
}

impl std::fmt::Debug for Workbook<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a workbook of {} sheets ({})", self.sheets.len(), self.kind.name())
    }
}

/// Opens a file. What it is is decided by its bytes; `file_name` only words the messages.
///
/// # Errors
/// What makes all of it unusable: encrypted, with macros, damaged, too large, of an unknown kind or encoding.
pub fn open<'b>(bytes: &'b [u8], file_name: &str, limits: Limits) -> Result<Workbook<'b>, FileProblem> {
    if bytes.len() > limits.max_bytes {
        let most = limits.max_bytes >> 20;
        return Err(FileProblem::new(
            "FILE_TOO_LARGE",
            format!("the file is larger than {most} MiB; split it"),
            format!("文件超过 {most} MiB；请拆分"),
        ));
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(FileProblem::new("FILE_EMPTY", "the file is empty", "文件为空"));
    }
    match bytes {
        [b'P', b'K', 3 | 5, ..] => packed(bytes, limits),
        [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1, ..] => compound(bytes, limits),
        [b'%', b'P', b'D', b'F', ..] => Err(unknown("PDF")),
        _ => text(bytes, file_name, limits),
    }
}

fn unknown(what: &str) -> FileProblem {
    FileProblem::new(
        "FILE_KIND",
        format!("{what} files are not read; save it as XLSX or CSV"),
        format!("不支持 {what} 文件；请另存为 XLSX 或 CSV"),
    )
}

fn packed(bytes: &[u8], limits: Limits) -> Result<Workbook<'_>, FileProblem> {
    let mut package = Package::open(bytes, limits.max_unpacked)?;
    if package.has("[Content_Types].xml") {
        if !package.any(|name| name.starts_with("xl/") || name.starts_with("/xl/")) {
            return Err(unknown("Word and PowerPoint"));
        }
        let xlsx = Xlsx::open(package)?;
        let sheets = xlsx.sheets.clone();
        return Ok(Workbook {
            kind: FileKind::Xlsx,
            encoding: None,
            sheets,
            limits,
            inner: Inner::Xlsx(Box::new(xlsx)),
        });
    }
    if let Some(kind) = package.text("mimetype", 200).filter(|kind| kind.contains("opendocument")) {
        if !kind.contains("spreadsheet") {
            return Err(unknown("OpenDocument text and presentation"));
        }
        let ods = Ods::open(package)?;
        let sheets = ods.sheets.clone();
        return Ok(Workbook { kind: FileKind::Ods, encoding: None, sheets, limits, inner: Inner::Ods(Box::new(ods)) });
    }
    Err(unknown("zip"))
}

/// The containers of Office 97 hold old workbooks, and encrypted new ones.
fn compound<'b>(bytes: &[u8], limits: Limits) -> Result<Workbook<'b>, FileProblem> {
    let xls = Xls::open(bytes)?;
    let sheets = xls.sheets.clone();
    Ok(Workbook { kind: FileKind::Xls, encoding: None, sheets, limits, inner: Inner::Xls(Box::new(xls)) })
}

fn text<'b>(bytes: &[u8], file_name: &str, limits: Limits) -> Result<Workbook<'b>, FileProblem> {
    let decoded = csv::decode(bytes)?;
    let encoding = Some(decoded.encoding);
    let text = decoded.text.into_owned();
    if html::is_page(&text) {
        let sheets = vec![SheetInfo::only()];
        return Ok(Workbook { kind: FileKind::Html, encoding, sheets, limits, inner: Inner::Html(text) });
    }
    let start = text.trim_start();
    let is_named = |ending: &str| file_name.to_ascii_lowercase().ends_with(ending);
    if start.starts_with("<?xml") || (start.starts_with(['{', '[']) && is_named(".json")) {
        return Err(unknown("XML and JSON"));
    }
    let separator = csv::separator(&text);
    Ok(Workbook {
        kind: FileKind::Csv,
        encoding,
        sheets: vec![SheetInfo::only()],
        limits,
        inner: Inner::Text { text, separator },
    })
}

impl Workbook<'_> {
    /// What kind of file it is.
    #[must_use]
    pub fn kind(&self) -> FileKind {
        self.kind
    }

    /// The encoding of separated text.
    #[must_use]
    pub fn encoding(&self) -> Option<&'static str> {
        self.encoding
    }

    /// The sheets in order, hidden ones included.
    #[must_use]
    pub fn sheets(&self) -> &[SheetInfo] {
        &self.sheets
    }

    /// The rows of a sheet, counted from 0.
    ///
    /// # Errors
    /// The sheet is damaged or beyond the limits.
    pub fn grid(&mut self, sheet: usize) -> Result<Grid, FileProblem> {
        self.read(sheet, None)
    }

    /// The first rows of a sheet that hold something.
    ///
    /// # Errors
    /// As [`Self::grid`], as far as it is read.
    pub fn head(&mut self, sheet: usize, rows: usize) -> Result<Grid, FileProblem> {
        self.read(sheet, Some(rows))
    }

    fn read(&mut self, sheet: usize, wanted: Option<usize>) -> Result<Grid, FileProblem> {
        match &mut self.inner {
            Inner::Xlsx(xlsx) => xlsx.grid(sheet, self.limits, wanted),
            Inner::Xls(xls) => xls.grid(sheet, self.limits, wanted),
            Inner::Ods(ods) => ods.grid(sheet, self.limits, wanted),
            Inner::Html(text) => html::grid(text, self.limits),
            Inner::Text { text, separator } => csv::grid(text, *separator, self.limits, wanted),
        }
    }
}
