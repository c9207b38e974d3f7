//! The documentation that the program serves: `/openapi.json` for programs, `/docs` for people, a page for every code of
//! a problem, the guides as they are written, and `/llms.txt`. Nothing comes from elsewhere, and none of it holds data.

mod page;

use crate::problem::{self, Problem};
use crate::spec;
use axum::extract::{Path, RawQuery};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use page::Lang;
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

#[derive(RustEmbed)]
#[folder = "../../docs"]
#[include = "*.md"]
struct Guides;

static TAG: LazyLock<String> = LazyLock::new(|| {
    let digest = hex::encode(Sha256::digest(spec::text().as_bytes()));
    format!("\"{}\"", digest.get(..32).unwrap_or(&digest))
});

/// The description as OpenAPI 3.1; it holds no data, so anybody may read it.
pub(crate) async fn openapi(headers: HeaderMap) -> Response {
    let kind = (header::CONTENT_TYPE, "application/json".to_owned());
    let (tag, fresh) = ((header::ETAG, TAG.clone()), (header::CACHE_CONTROL, "no-cache".to_owned()));
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if known.split(',').any(|one| one.trim().trim_start_matches("W/") == TAG.as_str()) {
        return (StatusCode::NOT_MODIFIED, [tag, fresh]).into_response();
    }
    ([kind, tag, fresh], spec::text()).into_response()
}

/// Pages run only their own script, which asks only this hub; they are embedded nowhere.
fn guarded(mut response: Response) -> Response {
    let rules = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
                 form-action 'none'; base-uri 'none'; frame-ancestors 'none'";
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, rules),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn file(kind: &'static str, text: impl IntoResponse) -> Response {
    guarded(([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-cache")], text).into_response())
}

/// The reference, where calls can be tried.
pub(crate) async fn reference(RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    file("text/html; charset=utf-8", page::reference(Lang::of(query.as_deref(), &headers)))
}

/// The style of the pages.
pub(crate) async fn style() -> Response {
    file("text/css; charset=utf-8", include_str!("../assets/docs.css"))
}

/// The script of the reference: it sends the calls that are tried.
pub(crate) async fn script() -> Response {
    file("text/javascript; charset=utf-8", include_str!("../assets/docs.js"))
}

/// The page of a code.
pub(crate) async fn problem(
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let code = problem::code(&name).ok_or_else(|| Problem::not_found("no problem has this code"))?;
    let page = page::problem(Lang::of(query.as_deref(), &headers), &name, &code);
    Ok(file("text/html; charset=utf-8", page))
}

/// A guide, as it is written: Markdown.
pub(crate) async fn guide(Path(name): Path<String>) -> Result<Response, Problem> {
    let text = Guides::get(&name).and_then(|file| String::from_utf8(file.data.into_owned()).ok());
    let text = text.ok_or_else(|| Problem::not_found("there is no guide of this name"))?;
    Ok(file("text/plain; charset=utf-8", text))
}

/// The guides: file name and title.
fn guides() -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = Guides::iter()
        .filter_map(|name| {
            let file = Guides::get(&name)?;
            let text = std::str::from_utf8(&file.data).ok()?;
            Some((name.into_owned(), text.lines().next()?.trim_start_matches("# ").to_owned()))
        })
        .collect();
    all.sort();
    all
}

/// A plain index, for programs that read documentation.
pub(crate) async fn index() -> Response {
    let mut text = "# HR Hub\n\n> One API over every connected HR system.\n\n\
                    - [OpenAPI 3.1](/openapi.json)\n- [Reference](/docs)\n\n## Guides\n\n"
        .to_owned();
    for (name, title) in guides() {
        text.push_str(&format!("- [{title}](/docs/guides/{name})\n"));
    }
    file("text/plain; charset=utf-8", text)
}
