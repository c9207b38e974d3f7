//! Lengths of time as people write them in files.

use crate::yaml::{Context, Node};
use jiff::{Span, SpanRelativeTo};

/// Ten years: what is longer is a slip of the pen.
const LONGEST_MICROS: i64 = 3_653 * 86_400 * 1_000_000;

/// Reads `90s`, `15m`, `36h`, `3d`, `2w`, `1d 12h`, or ISO 8601 (`PT48H`, `P3D`), in microseconds. A day is 24 hours and
/// a week seven days; months and years have no fixed length and are refused.
#[must_use]
pub fn read(node: &Node, cx: &Context<'_>) -> Option<i64> {
    let text = node.scalar().unwrap_or_default();
    let micros = parse(text);
    if micros.is_none() {
        let help = "such as 90s, 15m, 36h, 3d, 2w or PT48H; at most 10 years, and no months or years";
        cx.error_with(node.span, format!("`{text}` is no length of time"), Some(help.to_owned()));
    }
    micros
}

fn parse(text: &str) -> Option<i64> {
    let span: Span = text.parse().ok()?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    let micros = i64::try_from(duration.as_micros()).ok()?;
    (1..=LONGEST_MICROS).contains(&micros).then_some(micros)
}

/// A length of time in words: the two largest units that it has, `3 d 4 h`.
#[must_use]
pub fn in_words(micros: i64) -> String {
    let seconds = micros.max(0) / 1_000_000;
    let units = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let mut left = seconds;
    let mut words = Vec::new();
    for (length, unit) in units {
        if left >= length && words.len() < 2 {
            words.push(format!("{} {unit}", left / length));
        }
        left %= length;
    }
    if words.is_empty() { "0 s".to_owned() } else { words.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_and_iso_8601_write_lengths_of_time() {
        for (text, seconds) in [
            ("90s", 90),
            ("15m", 900),
            ("36h", 129_600),
            ("3d", 259_200),
            ("2w", 1_209_600),
            ("1d 12h", 129_600),
            ("PT48H", 172_800),
            ("P3D", 259_200),
            ("P1DT12H", 129_600),
        ] {
            assert_eq!(parse(text), Some(seconds * 1_000_000), "{text}");
        }
        for text in ["", "3", "3 days ago", "-3d", "1mo", "P1M", "1y", "P20Y", "4000d", "0s", "soon"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn lengths_of_time_are_told_in_their_two_largest_units() {
        let told = [0, 61, 3_600, 90_061, 259_200].map(|seconds| in_words(seconds * 1_000_000));
        assert_eq!(told, ["0 s", "1 min 1 s", "1 h", "1 d 1 h", "3 d"]);
    }
}
