//! Boxes in rows and columns, such as the nine of performance and potential.

use super::{Picture, WIDTH, fitted};
use maud::html;

const LEFT: i64 = 12;
const TOP: i64 = 26;
const BOX: i64 = 64;

/// Boxes with counts.
#[derive(Clone, Debug)]
pub struct Grid {
    /// What the chart shows.
    pub title: String,
    /// What grows to the right.
    pub x: String,
    /// What grows upwards.
    pub y: String,
    /// Counts from the bottom row upwards, each row from left to right; `None` for one that is not shown.
    pub rows: Vec<Vec<Option<u64>>>,
    /// What the boxes are called, in the same order.
    pub names: Vec<Vec<String>>,
}

impl Grid {
    /// Draws it.
    #[must_use]
    pub fn draw(&self) -> Picture {
        let columns =
            self.rows.iter().map(Vec::len).max().and_then(|most| i64::try_from(most).ok()).unwrap_or(1).max(1);
        let width = (WIDTH - 2 * LEFT) / columns;
        let none = Vec::new();
        let rows: Vec<_> = self.rows.iter().enumerate().rev().zip(0_i64..).collect();
        let bottom = TOP + BOX * rows.last().map_or(0, |(_, at)| at + 1);
        let body = html! {
            text x=(LEFT) y="14" { "↑ " (fitted(&self.y, WIDTH - 40)) }
            @for ((index, counts), row) in &rows {
                @let names = self.names.get(*index).unwrap_or(&none);
                @for (column, count) in (0_i64..).zip(counts.iter()) {
                    @let (x, y) = (LEFT + width * column, TOP + BOX * row);
                    @let name = usize::try_from(column).ok().and_then(|column| names.get(column)).map_or("", String::as_str);
                    rect .(if count.is_some_and(|count| count > 0) { "filled" } else { "box" })
                        x=(x) y=(y) width=(width) height=(BOX) {}
                    text x=(x + width / 2) y=(y + 18) text-anchor="middle" { (fitted(name, width - 8)) }
                    text .big x=(x + width / 2) y=(y + 46) text-anchor="middle" {
                        @match count { Some(count) => (count), None => "<5" }
                    }
                }
            }
            text x=(WIDTH - LEFT) y=(bottom + 16) text-anchor="end" { (fitted(&self.x, WIDTH - 40)) " →" }
        };
        Picture { title: self.title.clone(), height: bottom + 24, body }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_row_stands_at_the_bottom_and_hidden_counts_are_no_numbers() {
        let rows = vec![vec![Some(11), None], vec![Some(0), Some(7)]];
        let names = vec![vec!["a".into(), "b".into()], vec!["c".into(), "d".into()]];
        let text =
            Grid { title: String::new(), x: "x".into(), y: "y".into(), rows, names }.draw().inline().into_string();
        let place = |name: &str| text.find(&format!(">{name}<")).unwrap();
        assert!(place("c") < place("a"), "rows are drawn from the top: {text}");
        assert!(text.contains("&lt;5") && text.matches("filled").count() == 2, "{text}");
    }
}
