//! Parameters of requests: pages, flags, and what nobody knows.

use crate::problem::Problem;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hub_tree::finding::suggest;

const DEFAULT_LIMIT: i64 = 50;
const MAX_LIMIT: i64 = 500;

/// The parameters of a list; each is taken once, and what nobody takes is an error.
pub(crate) struct Parameters(Vec<(String, String)>);

/// Reads the query of an address.
pub(crate) fn parameters(query: Option<&str>) -> Parameters {
    let pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    Parameters(pairs.map(|(k, v)| (k.into_owned(), v.into_owned())).collect())
}

impl Parameters {
    pub(crate) fn take(&mut self, name: &str) -> Option<String> {
        let index = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(index).1)
    }

    pub(crate) fn limit(&mut self) -> Result<i64, Problem> {
        let Some(text) = self.take("limit") else { return Ok(DEFAULT_LIMIT) };
        let limit = text.parse::<i64>().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
        limit.ok_or_else(|| {
            Problem::bad_parameter("limit", format!("`limit` is a whole number from 1 to {MAX_LIMIT}"), None)
        })
    }

    /// A cursor of this kind of list; cursors are opaque, and only those that were given out are taken.
    pub(crate) fn cursor(&mut self, kind: &str) -> Result<Option<String>, Problem> {
        let Some(text) = self.take("cursor") else { return Ok(None) };
        Self::place(kind, &text).map(Some).ok_or_else(Self::bad_cursor)
    }

    /// The place that a cursor of this kind of list stands for; `None` when it was not given out for it.
    pub(crate) fn place(kind: &str, cursor: &str) -> Option<String> {
        let decoded = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
        let place = decoded.strip_prefix(kind)?.strip_prefix('\0')?;
        (!place.contains('\0')).then(|| place.to_owned())
    }

    /// The cursor for a place.
    pub(crate) fn cursor_of(kind: &str, place: &str) -> String {
        URL_SAFE_NO_PAD.encode(format!("{kind}\0{place}"))
    }

    /// Cuts a list, of which one row more than `limit` was asked for, to its page; gives the cursor of the next one.
    pub(crate) fn page<T>(kind: &str, rows: &mut Vec<T>, limit: i64, place: impl Fn(&T) -> String) -> Option<String> {
        let limit = usize::try_from(limit).unwrap_or(0);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let last = rows.last().filter(|_| more)?;
        Some(Self::cursor_of(kind, &place(last)))
    }

    pub(crate) fn bad_cursor() -> Problem {
        let next = "take `next_cursor` of the page before, as it is".to_owned();
        Problem::bad_parameter("cursor", "this cursor was not given out for this list", Some(next))
    }

    pub(crate) fn flag(&mut self, name: &str) -> Result<bool, Problem> {
        match self.take(name).as_deref() {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(Problem::bad_parameter(name, format!("`{name}` is true or false"), None)),
        }
    }

    /// Refuses what is left.
    pub(crate) fn finish(self, known: &[&str]) -> Result<(), Problem> {
        let Some((name, _)) = self.0.into_iter().next() else { return Ok(()) };
        let all: Vec<&str> = known.iter().copied().chain(["limit", "cursor"]).collect();
        let detail = format!("unknown parameter `{name}`");
        Err(Problem::bad_parameter(&name, detail, suggest(&name, all.iter().copied())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_are_opaque_and_belong_to_their_list() {
        let cursor = |kind: &str| {
            let mut rows = vec!["id-1", "id-2"];
            let next = Parameters::page(kind, &mut rows, 1, |row| (*row).to_owned());
            assert_eq!(rows, ["id-1"]);
            next.unwrap()
        };
        assert_eq!(
            Parameters::page("application", &mut vec!["id-1"], 1, |row| (*row).to_owned()),
            None,
            "the last page"
        );
        let take = |kind: &str, cursor: &str| parameters(Some(&format!("cursor={cursor}"))).cursor(kind);
        assert_eq!(take("application", &cursor("application")).unwrap().as_deref(), Some("id-1"));
        for bad in ["%00", "abc", "!!", &cursor("candidate")] {
            assert!(take("application", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn limits_and_unknown_parameters_are_named() {
        for bad in ["0", "-1", "501", "x", ""] {
            assert!(parameters(Some(&format!("limit={bad}"))).limit().is_err(), "{bad}");
        }
        assert_eq!(parameters(None).limit().unwrap(), DEFAULT_LIMIT);
        assert!(parameters(Some("conection=x")).finish(&["connection"]).is_err());
    }
}
