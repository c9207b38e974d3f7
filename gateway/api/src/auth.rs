//! API keys in requests.

use crate::Api;
use crate::problem::Problem;
use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use hub_flow::access::{Denied, Principal};

/// Who sent the request: `Authorization: Bearer <key>`.
#[derive(Clone, Debug)]
pub(crate) struct Caller(pub(crate) Principal);

impl FromRequestParts<Api> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let key =
            header.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let (_, key) = key.ok_or_else(Problem::unauthorized)?;
        let who = api.keys.identify(key.trim()).await?;
        hub_flow::restricted::asks(&who);
        Ok(Self(who))
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Unknown => Self::unauthorized(),
            Denied::Lacks(scope) => Self::forbidden(&scope),
            Denied::Limited => Self::limited(),
            Denied::Store(error) => error.into(),
        }
    }
}
