//! How two texts differ, line by line: what a person needs to see of an expectation that does not hold.

use std::fmt;

/// Lines around a difference that are shown with it.
const CONTEXT: usize = 3;
/// The largest table of pairs of lines that is compared line by line; above it the differing part is one block.
const MAX_PAIRS: usize = 4_000_000;

/// Where a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// In both texts.
    Same,
    /// Expected and not found.
    Removed,
    /// Found and not expected.
    Added,
}

impl Mark {
    /// The sign before the line.
    #[must_use]
    pub const fn sign(self) -> char {
        match self {
            Self::Same => ' ',
            Self::Removed => '-',
            Self::Added => '+',
        }
    }
}

/// Differences that lie near each other, with the lines around them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hunk {
    /// `@@ -first,lines +first,lines @@`, as in unified diffs.
    pub header: String,
    /// The lines in order, without line breaks.
    pub lines: Vec<(Mark, String)>,
}

/// The difference between an expectation and what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diff {
    /// The line of the expectation, from 1, where the two begin to differ.
    pub line: usize,
    /// The differing parts; what lies between them is equal.
    pub hunks: Vec<Hunk>,
}

/// The hunks of a unified diff, without the two lines that name the files.
impl fmt::Display for Diff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for hunk in &self.hunks {
            writeln!(f, "{}", hunk.header)?;
            for (mark, text) in &hunk.lines {
                writeln!(f, "{}{text}", mark.sign())?;
            }
        }
        Ok(())
    }
}

/// The lines by which two texts differ: `-` expected, `+` found. `None` when all lines are equal; how lines end, and
/// whether the last one does, is no difference.
#[must_use]
pub fn diff(expected: &str, found: &str) -> Option<Diff> {
    let (a, b): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), found.lines().collect());
    if a == b {
        return None;
    }
    let edits = edits(&a, &b);
    let line = 1 + edits.iter().take_while(|(mark, _)| *mark == Mark::Same).count();
    Some(Diff { line: line.min(a.len().max(1)), hunks: hunks(&edits) })
}

/// Every line of both texts in order, with where it is.
fn edits<'t>(a: &[&'t str], b: &[&'t str]) -> Vec<(Mark, &'t str)> {
    let start = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (left, right) = (a.get(start..).unwrap_or_default(), b.get(start..).unwrap_or_default());
    let end = left.iter().rev().zip(right.iter().rev()).take_while(|(x, y)| x == y).count();
    let (left, tail) = left.split_at(left.len() - end);
    let right = right.get(..right.len() - end).unwrap_or_default();
    let mut out: Vec<(Mark, &str)> = a.iter().take(start).map(|line| (Mark::Same, *line)).collect();
    middle(left, right, &mut out);
    out.extend(tail.iter().map(|line| (Mark::Same, *line)));
    out
}

/// The differing part: keeps the longest common run of lines.
fn middle<'t>(a: &[&'t str], b: &[&'t str], out: &mut Vec<(Mark, &'t str)>) {
    let pairs = a.len().saturating_mul(b.len());
    let common = if pairs <= MAX_PAIRS { lengths(a, b) } else { Vec::new() };
    let width = b.len() + 1;
    // How many lines the rest from (i, j) has in common; nothing where there is no table.
    let rest = |i: usize, j: usize| common.get(i * width + j).copied().unwrap_or(0);
    let (mut i, mut j) = (0, 0);
    loop {
        match (a.get(i), b.get(j)) {
            (Some(x), Some(y)) if x == y && !common.is_empty() => {
                out.push((Mark::Same, x));
                (i, j) = (i + 1, j + 1);
            }
            (Some(x), y) if y.is_none() || rest(i + 1, j) >= rest(i, j + 1) => {
                out.push((Mark::Removed, x));
                i += 1;
            }
            (_, Some(y)) => {
                out.push((Mark::Added, y));
                j += 1;
            }
            _ => return,
        }
    }
}

/// For every pair of rests of the two texts, how many lines they have in common; row by row, one column more than `b`
/// has lines.
fn lengths(a: &[&str], b: &[&str]) -> Vec<u32> {
    let width = b.len() + 1;
    let mut table = vec![0_u32; (a.len() + 1) * width];
    for (i, x) in a.iter().enumerate().rev() {
        for (j, y) in b.iter().enumerate().rev() {
            let here = i * width + j;
            let of = |at: usize| table.get(at).copied().unwrap_or(0);
            let best = if x == y { of(here + width + 1) + 1 } else { of(here + width).max(of(here + 1)) };
            if let Some(cell) = table.get_mut(here) {
                *cell = best;
            }
        }
    }
    table
}

fn hunks(edits: &[(Mark, &str)]) -> Vec<Hunk> {
    let mut found = Vec::new();
    let mut at = 0;
    // Lines of either text that lie before `at`.
    let (mut left, mut right) = (0, 0);
    while let Some(next) = edits.iter().skip(at).position(|(mark, _)| *mark != Mark::Same) {
        let begin = (at + next).saturating_sub(CONTEXT).max(at);
        left += begin - at;
        right += begin - at;
        let mut end = at + next;
        let mut equal = 0;
        for (offset, (mark, _)) in edits.iter().enumerate().skip(at + next) {
            equal = if *mark == Mark::Same { equal + 1 } else { 0 };
            if equal > 2 * CONTEXT {
                break;
            }
            if equal <= CONTEXT || *mark != Mark::Same {
                end = end.max(offset + 1);
            }
            if equal == 0 {
                end = offset + 1;
            }
        }
        let part = edits.get(begin..end).unwrap_or_default();
        let removed = part.iter().filter(|(mark, _)| *mark != Mark::Added).count();
        let added = part.iter().filter(|(mark, _)| *mark != Mark::Removed).count();
        let first = |before: usize, count: usize| if count == 0 { before } else { before + 1 };
        found.push(Hunk {
            header: format!("@@ -{},{removed} +{},{added} @@", first(left, removed), first(right, added)),
            lines: part.iter().map(|(mark, text)| (*mark, (*text).to_owned())).collect(),
        });
        left += removed;
        right += added;
        at = end;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(expected: &str, found: &str) -> String {
        diff(&expected.replace(' ', "\n"), &found.replace(' ', "\n")).map(|d| d.to_string()).unwrap_or_default()
    }

    #[test]
    fn only_what_differs_is_shown_with_three_lines_around_it() {
        let found = shown("a b c d e f g h i j k l m n o p", "a b c d E f g h i j k l m n o q p");
        assert_eq!(found, "@@ -2,7 +2,7 @@\n b\n c\n d\n-e\n+E\n f\n g\n h\n@@ -13,4 +13,5 @@\n m\n n\n o\n+q\n p\n");
        assert_eq!(shown("a b c d e f", "A b c d e F"), "@@ -1,6 +1,6 @@\n-a\n+A\n b\n c\n d\n e\n-f\n+F\n");
        assert_eq!(shown("", "a"), "@@ -0,0 +1,1 @@\n+a\n");
    }

    #[test]
    fn the_first_differing_line_is_named_and_line_ends_are_no_difference() {
        assert_eq!(diff("a\nb\nc\n", "a\nb\nC\n").map(|diff| diff.line), Some(3));
        assert_eq!(diff("a\nb\n", "a\nb\nc\n").map(|diff| diff.line), Some(2));
        assert_eq!(diff("a\r\nb", "a\nb\n"), None);
    }

    #[test]
    fn two_long_texts_with_nothing_in_common_are_one_block() {
        let text = |word: &str| (0..2_500).map(|n| format!("{word}{n}\n")).collect::<String>();
        let diff = diff(&text("a"), &text("b")).unwrap();
        assert_eq!((diff.hunks.len(), diff.hunks[0].lines.len()), (1, 5_000));
    }

    /// Applies the hunks by their headers, as `patch` does.
    fn patched(expected: &[&str], diff: &Diff) -> Vec<String> {
        let (mut out, mut at) = (Vec::new(), 0);
        for hunk in &diff.hunks {
            let first: usize = hunk.header[4..].split(',').next().unwrap().parse().unwrap();
            let count: usize = hunk.header.split([',', ' ']).nth(2).unwrap().parse().unwrap();
            let first = if count == 0 { first } else { first - 1 };
            out.extend(expected[at..first].iter().map(|line| (*line).to_owned()));
            at = first;
            for (mark, text) in &hunk.lines {
                if *mark != Mark::Added {
                    assert_eq!(expected[at], text);
                    at += 1;
                }
                if *mark != Mark::Removed {
                    out.push(text.clone());
                }
            }
        }
        out.extend(expected[at..].iter().map(|line| (*line).to_owned()));
        out
    }

    proptest! {
        #[test]
        fn following_the_hunks_gives_what_was_found(
            expected in proptest::collection::vec("[ab]", 0..40), found in proptest::collection::vec("[ab]", 0..40),
        ) {
            let result = diff(&expected.join("\n"), &found.join("\n"));
            let lines: Vec<&str> = expected.iter().map(String::as_str).collect();
            match result {
                None => prop_assert_eq!(expected, found),
                Some(diff) => prop_assert_eq!(patched(&lines, &diff), found),
            }
        }
    }
}
