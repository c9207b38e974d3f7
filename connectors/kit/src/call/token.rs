//! The token that a request shows: asked for once by all that ask in the same words.

use super::request::{answer_slots, basic, build, eval, text_of};
use super::wait::{asked_wait, asks_to_wait};
use super::{Answer, Verdict, chosen, excerpt, first_rule, no_json};
use crate::auth::Fetched;
use crate::client::{Request, SendError};
use crate::driver::{CallContext, Driver};
use crate::failure::CallError;
use crate::manifest::{Auth, Operation, TokenAuth};
use crate::signed::Moment;
use hub_expr::Cx;
use hub_tree::{Arena, Limits, Private, Value, json};
use std::time::Duration;

/// The request for a token.
pub(super) fn token_request(
    cx: &CallContext<'_>,
    operation: &Operation,
    auth: &TokenAuth,
) -> Result<Request, CallError> {
    let mut request = build(cx, operation, &auth.request, b"null")?;
    if let Some((username, password)) = &auth.basic {
        request.headers.push(basic(&(text_of(cx, operation, username)?, text_of(cx, operation, password)?)));
    }
    Ok(request)
}

/// What a token is called that is asked for by this request. A signature changes with the time; its name is as if it were
/// always the same moment.
pub(super) fn name_of(
    cx: &CallContext<'_>,
    operation: &Operation,
    auth: &TokenAuth,
    request: &Request,
) -> Result<String, CallError> {
    let mut named = request.clone();
    if let Some(signing) = &auth.signed {
        signing.apply(cx.connection, operation, None, &Moment::fixed(), &mut named)?;
    }
    Ok(cx.tokens.name(&cx.connection.tenant, &words(&named)))
}

/// All that tells one request from another.
fn words(request: &Request) -> Vec<u8> {
    let mut words = format!("{} {}\n", request.method, request.url).into_bytes();
    for (name, value) in &request.headers {
        words.extend_from_slice(format!("{name}: {value}\n").as_bytes());
    }
    words.extend_from_slice(&request.body);
    words
}

pub(super) async fn fetch_token(
    cx: &CallContext<'_>,
    operation: &Operation,
    auth: &TokenAuth,
    mut request: Request,
    driver: &dyn Driver,
) -> Result<Fetched, CallError> {
    driver.write_request(cx, operation, &auth.request, &mut request)?;
    if let Some(signing) = &auth.signed {
        signing.apply(cx.connection, operation, None, &Moment::of(cx), &mut request)?;
    }
    let mut response = cx.send(request).await?;
    let read = driver.read_response(cx.connection, &auth.request, &mut response);
    let status = response.status;
    let arena = Arena::new();
    let parsed = json::read(&arena, &response.body, Limits::default());
    let unreadable = read.err().or_else(|| no_json(&parsed, &response.body));
    let readable = unreadable.is_none();
    let payload = parsed.unwrap_or_else(|_| excerpt(&arena, &response.body));
    // Vendors that answer 200 with an error body say in it what is wrong.
    let answer = Answer { status, payload, unreadable, headers: &response.headers };
    let ruled = first_rule(cx.connection, cx.connection.manifest.errors.iter(), &arena, Value::Absent, &answer);
    if let Some(Verdict::Bad(verdict, code)) = ruled.or_else(|| driver.read_answer(&answer)) {
        return Err(CallError::answered(verdict, code, status, asked_wait(cx, &response.headers)));
    }
    match status {
        200..=299 => {}
        429 | 503 if status == 429 || asks_to_wait(&response.headers) => {
            let retry_after = asked_wait(cx, &response.headers);
            return Err(CallError::Wait { status, retry_after });
        }
        500.. => return Err(CallError::Trouble { status, code: None }),
        _ => return Err(CallError::refused(status, oauth_error(payload))),
    }
    if !readable || payload.is_absent() {
        return Err(CallError::Trouble { status, code: Some("the token answer cannot be read".to_owned()) });
    }
    let slots = answer_slots(cx.connection, &arena, Value::Absent, status, payload, &response.headers);
    let token = eval(cx.connection, operation, &auth.token, &mut Cx::new(&arena, slots.clone()))?;
    let Some(token) = token.as_text().filter(|token| !token.is_empty()) else {
        // Wrong credentials, most of the time.
        return Err(CallError::refused(status, Some("no token in the answer".to_owned())));
    };
    let expires_in = match &auth.expires_in {
        Some(located) => {
            let value = eval(cx.connection, operation, located, &mut Cx::new(&arena, slots))?;
            value.as_decimal().and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs)
        }
        None => None,
    };
    Ok(Fetched { token: Private::new(token.to_owned()), expires_in })
}

/// The error code of an answer of OAuth 2.0 (RFC 6749 section 5.2); what is longer than a code is none.
fn oauth_error(payload: Value<'_>) -> Option<String> {
    let code = payload.get("error").as_text()?;
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    (!code.is_empty() && code.len() <= 64 && code.chars().all(good)).then(|| code.to_owned())
}

/// Fetches the connection's token anew, whatever is kept, and keeps it. Says whether the connection has one at all.
///
/// # Errors
/// Why there is none.
pub async fn renew_token(cx: &CallContext<'_>, driver: &dyn Driver) -> Result<bool, CallError> {
    let manifest = &cx.connection.manifest;
    let Some(operation) = manifest.operations.first() else { return Ok(false) };
    let Auth::Token(auth) = chosen(cx, operation, &manifest.auth)? else { return Ok(false) };
    let asking = token_request(cx, operation, auth)?;
    let (tenant, name) = (&cx.connection.tenant, &name_of(cx, operation, auth, &asking)?);
    let known = cx.tokens.known(tenant, name).await;
    let fetch = async || fetch_token(cx, operation, auth, asking, driver).await;
    let getting = cx.tokens.get(tenant, name, known.as_ref(), fetch);
    let got = tokio::time::timeout_at(cx.leave.until, getting).await;
    got.unwrap_or_else(|_| Err(CallError::Token(Box::new(SendError::NoTime.into()))))?;
    Ok(true)
}
