//! Rows of one message in as few statements as there can be: most messages bring less than ten of each kind.

/// Up to this many rows go together, whatever their number.
const AS_THEY_ARE: usize = 8;
const MOST: usize = 32;

/// Rows in batches: up to 8 as they are, more in portions of 32 and 16 first. That makes ten texts of each statement,
/// which stay prepared.
pub(crate) fn batches<T>(items: Vec<T>) -> impl Iterator<Item = Vec<T>> {
    let mut left = items.into_iter();
    std::iter::from_fn(move || {
        let size = match left.len() {
            0 => return None,
            few if few <= AS_THEY_ARE => few,
            many => (1 << many.ilog2()).min(MOST),
        };
        Some(left.by_ref().take(size).collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_rows_go_together_and_many_in_few_sizes() {
        let sizes = |count: usize| batches((0..count).collect()).map(|batch| batch.len()).collect::<Vec<_>>();
        assert_eq!(sizes(0), [0_usize; 0]);
        assert_eq!(sizes(7), [7]);
        assert_eq!(sizes(8), [8]);
        assert_eq!(sizes(13), [8, 5]);
        assert_eq!(sizes(31), [16, 8, 7]);
        assert_eq!(sizes(70), [32, 32, 6]);
        assert_eq!(batches((0..70).collect()).flatten().collect::<Vec<_>>(), (0..70).collect::<Vec<_>>());
    }
}
