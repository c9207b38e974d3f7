//! How a vendor treats a web hook that is not taken.

use hub_tree::yaml::{Context, Node};

/// The gap after a failed delivery grows from the first to the second, where the profile says nothing.
const FIRST_GAP_MS: i64 = 200;
const LONGEST_GAP_MS: i64 = 10_000;

/// `callbacks: { within_ms, gaps_secs }`: how long an answer may take, and after which gaps a delivery is repeated.
#[derive(Debug, Default)]
pub(crate) struct Callbacks {
    /// A later answer does not count.
    pub(crate) within_ms: Option<u64>,
    /// Behind the last one the vendor gives up; without any it never does.
    gaps_ms: Vec<i64>,
}

impl Callbacks {
    pub(crate) fn read(node: &Node, cx: &Context<'_>) -> Self {
        let Some(mut fields) = node.fields(cx) else { return Self::default() };
        let within_ms = fields.integer("within_ms", 1, 600_000).and_then(|ms| u64::try_from(ms).ok());
        let mut gaps_ms = Vec::new();
        for node in fields.optional("gaps_secs").map(|node| node.items(cx)).unwrap_or_default() {
            match node.scalar().and_then(|text| text.parse::<i64>().ok()) {
                Some(secs @ 0..=604_800) => gaps_ms.push(secs * 1000),
                _ => cx.error(node.span, "a gap is a whole number of seconds"),
            }
        }
        fields.finish();
        Self { within_ms, gaps_ms }
    }

    /// The gap behind the failed try of this number, counted from 0; `None` when the vendor gives up.
    pub(crate) fn gap_ms(&self, tries: u32, hurry: u32) -> Option<i64> {
        if self.gaps_ms.is_empty() {
            return Some((FIRST_GAP_MS << tries.min(10)).min(LONGEST_GAP_MS));
        }
        let gap = self.gaps_ms.get(usize::try_from(tries).unwrap_or(usize::MAX))?;
        Some(gap / i64::from(hurry.max(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_ends_and_can_be_hurried() {
        let two = Callbacks { within_ms: None, gaps_ms: vec![10_000, 30_000] };
        let gaps = |hurry| (0..3).map(|tries| two.gap_ms(tries, hurry)).collect::<Vec<_>>();
        assert_eq!(gaps(0), [Some(10_000), Some(30_000), None]);
        assert_eq!(gaps(100), [Some(100), Some(300), None]);
        let plain = Callbacks::default();
        assert_eq!([plain.gap_ms(0, 0), plain.gap_ms(2, 9), plain.gap_ms(40, 0)], [Some(200), Some(800), Some(10_000)]);
    }
}
