//! Charts in SVG: bars with intervals, histograms, points with a fitted line, a line over time, and grids of boxes.
//!
//! A chart is drawn 360 units wide, which is the width of a narrow phone: nothing is shrunk there, and texts keep their
//! size. Places are calculated from exact numbers. Whatever colour says is also said by shape or by a word, so that a
//! chart survives a grey printer. There are no scripts in it, and nothing is loaded.
//!
//! Written here because no crate gave this without a price: one wants a JavaScript engine to draw, the others fix
//! colours inside the picture, where no style sheet and no paper can change them, and guess the widths of Chinese text.

mod bars;
mod grid;
mod plane;
mod scale;

pub use bars::{Bar, Bars};
pub use grid::Grid;
pub use plane::{Histogram, Line, Scatter};

use maud::{Markup, PreEscaped, html};

/// How charts look; it needs the colours of [`crate::page::STYLE`].
pub const STYLE: &str = "
svg { display: block; width: 100%; max-width: 30rem; margin: .75rem 0; }
svg text { font-size: 11px; fill: var(--soft); } svg .name, svg .value { fill: var(--ink); }
svg .big { font-size: 20px; fill: var(--ink); }
svg .bar { fill: var(--bar); } svg .below { fill: #fff; stroke: var(--below); stroke-width: 2px; }
svg .grid { stroke: var(--line); fill: none; } svg .axis { stroke: var(--ink); }
svg .mark { stroke: var(--ink); stroke-dasharray: 4 3; }
svg .whisker { stroke: var(--ink); stroke-width: 1.5px; }
svg .point { fill: var(--bar); fill-opacity: .55; stroke: #fff; stroke-width: .5px; }
svg .fit { stroke: var(--below); stroke-width: 2px; fill: none; }
svg .box { fill: #fff; stroke: var(--soft); } svg .filled { fill: #e3ebf2; stroke: var(--ink); }
@media print { svg { break-inside: avoid; max-width: 12cm; print-color-adjust: exact;
  -webkit-print-color-adjust: exact; } }
";

/// The width of every chart.
const WIDTH: i64 = 360;

/// A chart that is drawn.
#[derive(Clone, Debug)]
pub struct Picture {
    title: String,
    height: i64,
    body: Markup,
}

impl Picture {
    /// As a part of a page that has [`STYLE`].
    #[must_use]
    pub fn inline(&self) -> Markup {
        self.with(&html! {})
    }

    /// As a file of its own.
    #[must_use]
    pub fn file(&self) -> String {
        let style = html! { style { (PreEscaped(crate::page::STYLE)) (PreEscaped(STYLE)) } };
        self.with(&style).into_string()
    }

    fn with(&self, style: &Markup) -> Markup {
        html! {
            svg viewBox=(format!("0 0 {WIDTH} {}", self.height)) role="img" xmlns="http://www.w3.org/2000/svg" {
                title { (self.title) }
                (style)
                (self.body)
            }
        }
    }
}

/// Whether a character is as wide as it is high.
const fn is_wide(character: char) -> bool {
    character as u32 >= 0x2E80
}

/// A text that is cut with an ellipsis where it would be wider than `width`.
fn fitted(text: &str, width: i64) -> String {
    let of = |character| if is_wide(character) { 11 } else { 6 };
    let whole: i64 = text.chars().map(of).sum();
    if whole <= width {
        return text.to_owned();
    }
    let mut left = width - 11;
    let kept = text.chars().take_while(|character| {
        left -= of(*character);
        left >= 0
    });
    kept.chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_cut_to_their_width() {
        assert_eq!(fitted("客户导向", 44), "客户导向");
        assert_eq!(fitted("客户导向", 43), "客户…");
        assert_eq!(fitted("sales", 30), "sales");
    }

    #[test]
    fn a_file_carries_its_style_and_its_title() {
        let picture = Picture { title: "a < b".to_owned(), height: 10, body: html! {} };
        let file = picture.file();
        assert!(file.starts_with("<svg ") && file.contains("--ink") && file.contains("a &lt; b"), "{file}");
        assert!(!picture.inline().into_string().contains("--ink"));
    }
}
