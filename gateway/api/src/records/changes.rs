//! What changed since a list was read. Times do not tell it for sure: a change may be committed after others that are
//! younger. The place in the change feed does, since it is given after the commit; a list says at which place it was
//! begun, and that place is what the next one is asked with.

use crate::Api;
use crate::problem::Problem;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hub_store::{RecordFilter, job};

/// What `updated_after` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Since {
    /// A time, µs.
    Time(i64),
    /// `next_updated_after` of an earlier list.
    Place(i64),
}

/// What places begin with.
const PLACE: &str = "changes\0";

impl Since {
    /// Reads the parameter.
    pub(crate) fn read(text: &str) -> Result<Self, Problem> {
        let decoded = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let place = decoded.as_deref().and_then(|text| text.strip_prefix(PLACE)?.parse::<i64>().ok());
        if let Some(place) = place.filter(|place| *place >= 0) {
            return Ok(Self::Place(place));
        }
        super::instant("updated_after", text).map(Self::Time).map_err(|_| {
            let detail = "`updated_after` is an RFC 3339 time, or `next_updated_after` of an earlier list";
            Problem::bad_parameter("updated_after", detail, None)
        })
    }
}

/// How a place is told.
pub(crate) fn told(place: i64) -> String {
    URL_SAFE_NO_PAD.encode(format!("{PLACE}{place}"))
}

/// Where the change feed ends now, before anything is read.
///
/// # Errors
/// The changes that the filter asks for are not kept any more.
pub(crate) async fn end_of_feed(api: &Api, tenant: &str, filter: &RecordFilter) -> Result<i64, Problem> {
    let (tenant, bounded) = (tenant.to_owned(), filter.changed_after.is_some());
    let ends = api.hub.store.read(job!(|tx| {
        let floor = if bounded { tx.feed_floor(&tenant).await? } else { 0 };
        Ok((floor, tx.feed_end().await?))
    }));
    let (floor, last) = ends.await?;
    match filter.changed_after {
        Some(place) if place > last => {
            let detail = "this `updated_after` was not given out by this hub";
            Err(Problem::bad_parameter("updated_after", detail, None))
        }
        Some(place) if place < floor => Err(Problem::gone("what changed since then")
            .next("list everything once, and go on with `next_updated_after` of that list")),
        _ => Ok(last),
    }
}

/// A place between pages: where the feed ended at the first page, and the last record.
pub(crate) fn cursor_at(place: i64, id: &str) -> String {
    format!("{place}/{id}")
}

/// Reads what [`cursor_at`] wrote.
pub(crate) fn read_cursor(text: &str) -> Option<(i64, String)> {
    let (place, id) = text.split_once('/')?;
    Some((place.parse().ok()?, id.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn updated_after_is_a_time_or_what_an_earlier_list_gave() {
        assert_eq!(Since::read(&told(42)).unwrap(), Since::Place(42));
        assert_eq!(Since::read("1970-01-01T00:00:01Z").unwrap(), Since::Time(1_000_000));
        let other = URL_SAFE_NO_PAD.encode("application\0id");
        for bad in ["", "42", "tomorrow", &other, &URL_SAFE_NO_PAD.encode("changes\0-1")] {
            assert!(Since::read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_cursor_remembers_where_the_feed_ended_at_the_first_page() {
        assert_eq!(read_cursor(&cursor_at(7, "id-1")), Some((7, "id-1".to_owned())));
        assert_eq!((read_cursor("id-1"), read_cursor("x/id-1")), (None, None));
    }
}
