//! The number formats of a workbook.

use crate::number::Shape;
use crate::package::{Budget, Package, Step};
use crate::problem::FileProblem;
use std::collections::BTreeMap;

/// The shape of each cell format, by its number.
pub(super) fn read(package: &mut Package<'_>, part: &str, budget: &mut Budget) -> Result<Vec<Shape>, FileProblem> {
    let mut shapes = Vec::new();
    let Some(mut part) = package.part(part, budget)? else { return Ok(shapes) };
    let mut codes: BTreeMap<u32, Shape> = BTreeMap::new();
    let (mut in_cells, mut ended) = (false, false);
    while !ended {
        part.step(|step| {
            match step {
                Step::Start(tag) => match tag.name() {
                    "numFmt" => {
                        let id = tag.attribute("numFmtId").and_then(|id| id.parse().ok());
                        if let (Some(id), Some(code)) = (id, tag.attribute("formatCode"))
                            && codes.len() < 10_000
                        {
                            codes.insert(id, Shape::of_code(&code));
                        }
                    }
                    "cellXfs" => in_cells = true,
                    "xf" if in_cells && shapes.len() < 100_000 => {
                        let id = tag.attribute("numFmtId").and_then(|id| id.parse().ok()).unwrap_or(0);
                        let own = codes.get(&id).cloned();
                        shapes.push(own.or_else(|| Shape::built_in(id)).unwrap_or_default());
                    }
                    _ => {}
                },
                Step::End("cellXfs") => in_cells = false,
                Step::Finished => ended = true,
                _ => {}
            }
            Ok(())
        })?;
    }
    Ok(shapes)
}
