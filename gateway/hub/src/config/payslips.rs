//! The `payslips` section of `hub.yaml`: the font that payslips are printed with.

use hub_payroll::out::payslip::Face;
use hub_tree::yaml::{Context, Node};
use std::path::Path;

/// Fonts that a collection has at most.
const MOST_FONTS: i64 = 1_000;
/// No font is larger, bytes; some other file is not read.
const LARGEST: u64 = 100 << 20;

/// Reads the section and the font; a path that is not absolute begins in the folder of `hub.yaml`.
pub(super) fn face(node: &Node, folder: &Path, cx: &Context<'_>) -> Option<Face> {
    let mut own = node.fields(cx)?;
    let font = own.required("font");
    let index = own.integer("font_index", 0, MOST_FONTS).and_then(|index| u32::try_from(index).ok()).unwrap_or(0);
    own.finish();
    let font = font?;
    let path = folder.join(font.text(cx)?);
    let help = || Some("name a .ttf, .otf or .ttc file; `font_index` chooses one of a .ttc".to_owned());
    let read = std::fs::metadata(&path).and_then(|known| {
        let too_large = || std::io::Error::other("it is larger than any font");
        if known.len() > LARGEST { Err(too_large()) } else { std::fs::read(&path) }
    });
    match read.map_err(|error| error.to_string()).and_then(|bytes| Face::new(bytes, index)) {
        Ok(face) => Some(face),
        Err(reason) => {
            cx.error_with(font.span, format!("{} cannot be used as a font: {reason}", path.display()), help());
            None
        }
    }
}
