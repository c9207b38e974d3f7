//! What of the API is on its way out, and how answers say so: `Deprecation` (RFC 9745), `Sunset` (RFC 8594) and a link.

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use hub_tree::jiff::Timestamp;
use hub_tree::jiff::civil::Date;
use hub_tree::jiff::tz::TimeZone;
use std::sync::LazyLock;

/// Where people read about it.
const PAGE: &str = "/docs/deprecations";
const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
const SUNSET: HeaderName = HeaderName::from_static("sunset");

/// Something that is on its way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deprecation {
    /// `GET` …
    pub method: String,
    /// The route, as the router has it.
    pub route: String,
    /// Only this parameter of it.
    pub parameter: Option<String>,
    /// Since when.
    pub since: Timestamp,
    /// From when on it is gone.
    pub sunset: Timestamp,
    /// What to use instead.
    pub instead: String,
}

/// Everything that is on its way out.
pub static DEPRECATIONS: LazyLock<Vec<Deprecation>> =
    LazyLock::new(|| read(include_str!("deprecations.txt")).unwrap_or_default());

/// Reads the table.
///
/// # Errors
/// The line that is none of it.
fn read(text: &str) -> Result<Vec<Deprecation>, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| read_line(line).ok_or_else(|| line.to_owned())).collect()
}

fn read_line(line: &str) -> Option<Deprecation> {
    let mut parts = line.splitn(4, '|').map(str::trim);
    let (method, route) = parts.next()?.split_once(' ')?;
    let mut day = || {
        let date: Date = parts.next()?.parse().ok()?;
        Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
    };
    let (since, sunset) = (day()?, day()?);
    let instead = parts.next().filter(|instead| !instead.is_empty())?;
    let (route, parameter) = route.split_once('?').map_or((route, None), |(route, name)| (route, Some(name)));
    (since < sunset && route.starts_with('/')).then(|| Deprecation {
        method: method.to_owned(),
        route: route.to_owned(),
        parameter: parameter.map(str::to_owned),
        since,
        sunset,
        instead: instead.to_owned(),
    })
}

/// Says in an answer that what was asked for is on its way out.
pub(crate) async fn told(request: Request, next: Next) -> Response {
    if DEPRECATIONS.is_empty() {
        return next.run(request).await;
    }
    let route = request.extensions().get::<MatchedPath>().map(|route| route.as_str().to_owned()).unwrap_or_default();
    let (method, query) = (request.method().to_string(), request.uri().query().unwrap_or_default().to_owned());
    let mut response = next.run(request).await;
    say(&DEPRECATIONS, (&method, &route, &query), response.headers_mut());
    response
}

fn say(all: &[Deprecation], (method, route, query): (&str, &str, &str), headers: &mut HeaderMap) {
    let concerned = all.iter().filter(|one| {
        let named = |name: &str| url::form_urlencoded::parse(query.as_bytes()).any(|(known, _)| known == name);
        one.method == method && one.route == route && one.parameter.as_deref().is_none_or(named)
    });
    // What goes first is what the caller must know.
    let Some(first) = concerned.min_by_key(|one| one.sunset) else { return };
    let sunset = first.sunset.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    for (name, value) in [
        (DEPRECATION, format!("@{}", first.since.as_second())),
        (SUNSET, sunset),
        (header::LINK, format!("<{PAGE}>; rel=\"deprecation\"; type=\"text/html\"")),
    ] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.append(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_say_what_is_on_its_way_out_and_nothing_else() {
        let table = "# a line\nGET /v1/x | 2026-01-01 | 2026-07-01 | use /v1/y\nGET /v1/{c}?old | 2026-03-01 | 2026-06-30 | use `new`\n";
        let all = read(table).unwrap();
        let said = |asked| {
            let mut headers = HeaderMap::new();
            say(&all, asked, &mut headers);
            let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
            (text("deprecation"), text("sunset"), headers.contains_key("link"))
        };
        let told = |deprecation: &str, sunset: &str| (Some(deprecation.to_owned()), Some(sunset.to_owned()), true);
        assert_eq!(said(("GET", "/v1/x", "")), told("@1767225600", "Wed, 01 Jul 2026 00:00:00 GMT"));
        assert_eq!(said(("GET", "/v1/{c}", "a=1&old=2")), told("@1772323200", "Tue, 30 Jun 2026 00:00:00 GMT"));
        for none in [("POST", "/v1/x", ""), ("GET", "/v1/{c}", "older=1"), ("GET", "/v1/z", "")] {
            assert_eq!(said(none), (None, None, false), "{none:?}");
        }
    }

    #[test]
    fn the_table_can_be_read_and_names_routes_that_there_are() {
        let all = read(include_str!("deprecations.txt")).unwrap();
        for one in &all {
            assert!(crate::ROUTES.iter().any(|(route, _)| *route == one.route), "{} is no route", one.route);
        }
        for bad in
            ["GET /v1/x | 2026-01-01 | 2025-01-01 | y", "/v1/x | 2026-01-01 | 2026-07-01 | y", "GET /v1/x | x | y | z"]
        {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
