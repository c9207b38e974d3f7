//! Office Open XML workbooks (ECMA-376), as far as data goes: sheets, shared texts, number formats.
//!
//! Cells keep the digits of the file: nothing passes through a binary float. Formulas are never computed, links to
//! other files never followed.

mod sheet;
mod styles;

use crate::grid::{Grid, Limits};
use crate::number::Shape;
use crate::open::SheetInfo;
use crate::package::{Budget, Package, Step};
use crate::problem::FileProblem;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A workbook whose sheets are read when asked for.
pub(crate) struct Xlsx<'b> {
    package: Package<'b>,
    /// Beside each sheet the name of its part.
    pub(crate) sheets: Vec<SheetInfo>,
    parts: Vec<String>,
    shapes: Vec<Shape>,
    strings_part: Option<String>,
    strings: Option<Vec<Option<Arc<str>>>>,
    from_1904: bool,
    /// Whether the program that wrote the file left the computing of formulas to the next one.
    uncomputed: bool,
}

/// What relates the parts of a workbook: id → (kind, part).
type Relations = BTreeMap<String, (String, String)>;

impl<'b> Xlsx<'b> {
    pub(crate) fn open(mut package: Package<'b>) -> Result<Self, FileProblem> {
        let macros = package.any(|name| name.to_ascii_lowercase().ends_with("vbaproject.bin"))
            || package.text("[Content_Types].xml", 1 << 20).is_some_and(|types| types.contains("macroEnabled"));
        if macros {
            return Err(FileProblem::new(
                "FILE_MACROS",
                "the workbook has macros, which are not accepted; save it as .xlsx",
                "工作簿含有宏，不予接受；请另存为 .xlsx",
            ));
        }
        let mut budget = package.budget();
        let book = related(&mut package, "", &mut budget)?
            .into_values()
            .find(|(kind, _)| kind.ends_with("/officeDocument"))
            .map_or_else(|| "xl/workbook.xml".to_owned(), |(_, part)| part);
        if book.ends_with(".bin") {
            return Err(FileProblem::new(
                "FILE_KIND",
                "binary workbooks (.xlsb) are not read; save it as .xlsx",
                "不支持二进制工作簿 (.xlsb)；请另存为 .xlsx",
            ));
        }
        let relations = related(&mut package, &book, &mut budget)?;
        let mut this = Self {
            package,
            sheets: Vec::new(),
            parts: Vec::new(),
            shapes: Vec::new(),
            strings_part: None,
            strings: None,
            from_1904: false,
            uncomputed: false,
        };
        this.read_book(&book, &relations, &mut budget)?;
        let of_kind =
            |kind: &str| relations.values().find(|(found, _)| found.ends_with(kind)).map(|(_, part)| part.clone());
        this.strings_part = of_kind("/sharedStrings");
        if let Some(part) = of_kind("/styles") {
            this.shapes = styles::read(&mut this.package, &part, &mut budget)?;
        }
        Ok(this)
    }

    fn read_book(&mut self, book: &str, relations: &Relations, budget: &mut Budget) -> Result<(), FileProblem> {
        let Some(mut part) = self.package.part(book, budget)? else {
            return Err(FileProblem::broken("there is no workbook in the package", "压缩包内没有工作簿"));
        };
        let (mut active, mut ended) = (0_usize, false);
        while !ended {
            part.step(|step| {
                match step {
                    Step::Start(tag) if tag.name() == "workbookPr" => self.from_1904 = tag.flag("date1904"),
                    Step::Start(tag) if tag.name() == "calcPr" => self.uncomputed = tag.flag("fullCalcOnLoad"),
                    Step::Start(tag) if tag.name() == "workbookView" => {
                        active = tag.attribute("activeTab").and_then(|tab| tab.parse().ok()).unwrap_or(0);
                    }
                    Step::Start(tag) if tag.name() == "sheet" && self.sheets.len() < 1_000 => {
                        // The sheet's own `id` is `sheetId`; the relation's has a prefix.
                        let relation = tag.attribute("id").and_then(|id| relations.get(&id));
                        let (kind, part) = relation.cloned().unwrap_or_default();
                        let state = tag.attribute("state").unwrap_or_default();
                        self.sheets.push(SheetInfo {
                            name: tag.attribute("name").unwrap_or_default(),
                            visible: state.is_empty() || state == "visible",
                            active: false,
                            is_data: kind.ends_with("/worksheet"),
                        });
                        self.parts.push(part);
                    }
                    Step::Finished => ended = true,
                    _ => {}
                }
                Ok(())
            })?;
        }
        if let Some(sheet) = self.sheets.get_mut(active) {
            sheet.active = true;
        }
        Ok(())
    }

    /// A sheet, or as many of its first rows as are wanted.
    pub(crate) fn grid(&mut self, index: usize, limits: Limits, wanted: Option<usize>) -> Result<Grid, FileProblem> {
        let (Some(info), Some(part)) = (self.sheets.get(index), self.parts.get(index)) else {
            return Ok(Grid::default());
        };
        let mut budget = self.package.budget();
        if self.strings.is_none() {
            let strings = match &self.strings_part {
                Some(part) => sheet::strings(&mut self.package, part, &mut budget)?,
                None => Vec::new(),
            };
            self.strings = Some(strings);
        }
        let book = sheet::Book {
            shapes: &self.shapes,
            strings: self.strings.as_deref().unwrap_or_default(),
            from_1904: self.from_1904,
            uncomputed: self.uncomputed,
        };
        sheet::read(&mut self.package, part, &info.name, &book, limits, wanted, &mut budget)
    }
}

/// What a part is related to; parts outside of the package are left out.
fn related(package: &mut Package<'_>, part: &str, budget: &mut Budget) -> Result<Relations, FileProblem> {
    let (folder, name) = part.rsplit_once('/').unwrap_or(("", part));
    let path = if folder.is_empty() { format!("_rels/{name}.rels") } else { format!("{folder}/_rels/{name}.rels") };
    let mut relations = Relations::new();
    let Some(mut part) = package.part(&path, budget)? else { return Ok(relations) };
    let mut ended = false;
    while !ended {
        part.step(|step| {
            match step {
                Step::Start(tag) if tag.name() == "Relationship" && relations.len() < 10_000 => {
                    let outside = tag.attribute("TargetMode").is_some_and(|mode| mode == "External");
                    if let (Some(id), Some(kind), Some(target), false) =
                        (tag.attribute("Id"), tag.attribute("Type"), tag.attribute("Target"), outside)
                    {
                        relations.insert(id, (kind, inside(folder, &target)));
                    }
                }
                Step::Finished => ended = true,
                _ => {}
            }
            Ok(())
        })?;
    }
    Ok(relations)
}

/// The name of a part that is written from its folder, or from the root.
fn inside(folder: &str, target: &str) -> String {
    let whole = match target.strip_prefix('/') {
        Some(rooted) => rooted.to_owned(),
        None => format!("{folder}/{target}"),
    };
    let mut way: Vec<&str> = Vec::new();
    for step in whole.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                way.pop();
            }
            step => way.push(step),
        }
    }
    way.join("/")
}
