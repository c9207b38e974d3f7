//! How far a table was read, and how far it had been read when the overlap began: a transaction that commits late brings
//! rows whose mark lies before what was reached meanwhile.

use hub_tree::{Arena, Limits, Value, json};

/// Marks with the times at which reading up to them began, µs, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Marks {
    reached: Vec<(i64, Vec<String>)>,
    overlap: i64,
}

impl Marks {
    /// Reads what [`Marks::write`] wrote; what cannot be read is no mark, and the table is read from its beginning.
    pub(super) fn read(text: &str, overlap_secs: i64) -> Self {
        let arena = Arena::new();
        let value = json::read(&arena, text.as_bytes(), Limits::default()).unwrap_or_default();
        let one = |item: &Value<'_>| {
            let at = i64::try_from(item.at(0).as_decimal()?).ok()?;
            let mark: Vec<String> = item.at(1).items().iter().filter_map(|v| v.as_text().map(str::to_owned)).collect();
            (!mark.is_empty()).then_some((at, mark))
        };
        let reached = value.items().iter().filter_map(one).collect();
        Self { reached, overlap: overlap_secs.saturating_mul(1_000_000) }
    }

    pub(super) fn write(&self) -> String {
        let arena = Arena::new();
        let one = |(at, mark): &(i64, Vec<String>)| {
            let mark: Vec<Value<'_>> = mark.iter().map(|text| Value::Text(arena.text(text))).collect();
            arena.list(&[Value::Decimal((*at).into()), arena.list(&mark)])
        };
        let all: Vec<Value<'_>> = self.reached.iter().map(one).collect();
        json::to_string(&arena.list(&all))
    }

    /// The mark.
    pub(super) fn latest(&self) -> Option<&[String]> {
        self.reached.last().map(|(_, mark)| mark.as_slice())
    }

    /// The mark that had been reached when the overlap before `now` began.
    pub(super) fn former(&self, now: i64) -> Option<Vec<String>> {
        let old = self.reached.iter().rev().find(|(at, _)| *at <= now - self.overlap);
        old.map(|(_, mark)| mark.clone())
    }

    /// Notes a mark that a look which began at `at` has reached.
    pub(super) fn reach(&mut self, mark: Vec<String>, at: i64) {
        // Of marks close to each other the newest and the oldest are enough.
        if let [.., (before, _), (last, _)] = self.reached.as_slice()
            && last - before < self.overlap / 10
        {
            self.reached.pop();
        }
        if self.reached.last().is_some_and(|(last, _)| *last == at) {
            self.reached.pop();
        }
        self.reached.push((at, mark));
        let old = self.reached.iter().rposition(|(then, _)| *then <= at - self.overlap).unwrap_or(0);
        self.reached.drain(..old);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEC: i64 = 1_000_000;

    fn mark(text: &str) -> Vec<String> {
        vec![text.to_owned(), "k".to_owned()]
    }

    #[test]
    fn what_was_reached_before_the_overlap_is_remembered_and_little_else() {
        let mut marks = Marks::read("", 300);
        assert_eq!((marks.latest(), marks.former(0)), (None, None));
        for second in 0..2_000 {
            marks.reach(mark(&second.to_string()), second * SEC);
        }
        assert_eq!(marks.latest(), Some(mark("1999").as_slice()));
        let former: i64 = marks.former(1_999 * SEC).unwrap()[0].parse().unwrap();
        assert!((1_600..=1_699).contains(&former), "{former}");
        assert!(marks.reached.len() < 30, "{}", marks.reached.len());
        assert_eq!(Marks::read(&marks.write(), 300), marks);
    }

    #[test]
    fn a_table_that_was_not_read_for_long_goes_on_from_its_mark() {
        let mut marks = Marks::read("", 300);
        marks.reach(mark("a"), 0);
        assert_eq!(marks.former(100 * SEC), None, "too young: the table is read from its beginning once more");
        assert_eq!(marks.former(10_000 * SEC), Some(mark("a")));
        marks.reach(mark("b"), 10_000 * SEC);
        assert_eq!(marks.former(10_100 * SEC), Some(mark("a")));
        assert_eq!(Marks::read("{", 300).latest(), None);
    }
}
