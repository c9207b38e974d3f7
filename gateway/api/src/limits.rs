//! What a request may ask of the hub at most, whatever it is about: length of its address and head, number of its
//! parameters, and time. Bodies have their limits where they are read; JSON in them may be 128 levels deep.

use crate::problem::Problem;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use std::time::Duration;

/// Parameters of one request.
const MOST_PARAMETERS: usize = 100;
/// Where files are brought: they take the time that they take, and their bodies have a limit of their own.
const FILES: [&str; 2] = ["/v1/imports", "/console/imports"];

/// What `limits` in `hub.yaml` says about every request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestLimits {
    /// Longest path with its query, in bytes.
    pub max_address_bytes: usize,
    /// Names and values of all headers together, in bytes.
    pub max_header_bytes: usize,
    /// How long an answer may take to begin.
    pub request: Duration,
    /// How long a client may take for the head of a request, and a connection may be idle.
    pub head: Duration,
}

impl Default for RequestLimits {
    fn default() -> Self {
        Self {
            max_address_bytes: 8_192,
            max_header_bytes: 32_768,
            request: Duration::from_secs(120),
            head: Duration::from_secs(60),
        }
    }
}

/// The same routes, within limits.
pub fn limited(router: Router, limits: RequestLimits) -> Router {
    router.layer(from_fn_with_state(limits, check))
}

async fn check(State(limits): State<RequestLimits>, request: Request, next: Next) -> Response {
    if let Err(problem) = fits(&limits, &request) {
        return problem.into_response();
    }
    if request.method() == Method::POST && FILES.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    match tokio::time::timeout(limits.request, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::slow_request().into_response(),
    }
}

fn fits(limits: &RequestLimits, request: &Request) -> Result<(), Problem> {
    let address = request.uri().path_and_query().map_or(0, |address| address.as_str().len());
    if address > limits.max_address_bytes {
        return Err(Problem::long_address(limits.max_address_bytes));
    }
    let head: usize = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if head > limits.max_header_bytes {
        return Err(Problem::large_head(limits.max_header_bytes));
    }
    let query = request.uri().query().unwrap_or_default();
    if query.split('&').count() > MOST_PARAMETERS {
        return Err(Problem::malformed(format!("a request has at most {MOST_PARAMETERS} parameters")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    #[test]
    fn what_is_too_long_is_refused_and_the_longest_is_not() {
        let limits = RequestLimits { max_address_bytes: 20, max_header_bytes: 10, ..RequestLimits::default() };
        let request = |address: &str, header: &str| {
            let request = Request::builder().uri(address).header("x", header).body(Body::empty()).unwrap();
            fits(&limits, &request).map_err(|problem| problem.code())
        };
        assert_eq!(request("/v1/x?limit=12345678", "123456789"), Ok(()));
        assert_eq!(request("/v1/x?limit=123456789", ""), Err("long_address"));
        assert_eq!(request("/", "1234567890"), Err("large_head"));
        let many = |count: usize| {
            let address = format!("/?{}", vec!["a"; count].join("&"));
            let request = Request::builder().uri(address).body(Body::empty()).unwrap();
            fits(&RequestLimits::default(), &request).is_ok()
        };
        assert!(many(MOST_PARAMETERS) && !many(MOST_PARAMETERS + 1));
    }
}
