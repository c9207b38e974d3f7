//! One call over HTTP: build, authenticate, send, understand the answer.

use crate::auth::Fetched;
use crate::client::{Request, Response, SendError};
use crate::connection::Connection;
use crate::driver::{CallContext, CallError, Reply};
use crate::follow::{FollowCall, FollowUp, KnownIds, NoCalls};
use crate::manifest::{
    Auth, Body, ErrorVerdict, Idempotency, KeyPlace, Operation, RequestTemplate, TokenAuth, TokenPlace,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hub_expr::{Cx, Located, Templated};
use hub_tree::jiff::Timestamp;
use hub_tree::jiff::fmt::{rfc2822, strtime::BrokenDownTime};
use hub_tree::{Arena, Limits, Private, Span, Value, json};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use std::time::Duration;
use url::Url;

/// How long to wait when a vendor asks for it in words that nobody understands.
const UNREADABLE_WAIT: Duration = Duration::from_secs(60);
/// The longest wait that a header of the vendor's own can ask for, in seconds.
const LONGEST_OWN_WAIT: u64 = 86_400;

/// What a segment of a path may not hold as it is.
const SEGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'{')
    .add(b'}')
    .add(b'/')
    .add(b'%')
    .add(b'\\');

/// An answer, as classifiers see it.
pub struct Answer<'a> {
    /// HTTP status.
    pub status: u16,
    /// The body as a tree; absent when it is empty or no JSON.
    pub payload: Value<'a>,
    /// Whether the body is JSON, or empty.
    pub readable: bool,
    /// Headers by lower-case name.
    pub headers: &'a [(String, String)],
}

/// What an answer means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was carried out.
    Good,
    /// It was not; what it means for trying again, and the vendor's code.
    Bad(ErrorVerdict, Option<String>),
}

/// A wire's own reading of an answer.
pub type Classify<'c> = dyn Fn(&Answer<'_>) -> Option<Verdict> + Send + Sync + 'c;

/// Makes one call. `classify` gives a wire's own reading of an answer; the manifest's rules come before it, the HTTP
/// status after it.
///
/// # Errors
/// What left the house, whose fault it is, and whether to try again.
pub async fn exchange(
    cx: &CallContext<'_>,
    operation: &Operation,
    args: &[u8],
    classify: &Classify<'_>,
) -> Result<Reply, CallError> {
    let mut rejected = None;
    loop {
        let (request, token) = prepare(cx, operation, args, rejected.as_ref(), classify).await?;
        let response = cx.send(request).await?;
        match judge(cx, operation, args, &response, classify)? {
            Verdict::Good => return Ok(Reply { status: response.status, body: response.body }),
            Verdict::Bad(ErrorVerdict::Token, code) => match token {
                // Fetch a token, repeat once.
                Some(token) if rejected.is_none() => rejected = Some(token),
                _ => return Err(CallError::Refused { status: response.status, code }),
            },
            Verdict::Bad(verdict, code) => {
                let wait = asked_wait(cx, &response.headers);
                return Err(CallError::answered(verdict, code, response.status, wait));
            }
        }
    }
}

/// The request, authenticated, and the token that it shows.
async fn prepare(
    cx: &CallContext<'_>,
    operation: &Operation,
    args: &[u8],
    rejected: Option<&Private<String>>,
    classify: &Classify<'_>,
) -> Result<(Request, Option<Private<String>>), CallError> {
    let mut request = build(cx, operation, &operation.request, args)?;
    if let Idempotency::Key(place) = &operation.idempotency {
        show_key(&mut request, place, cx.call_id);
    }
    request.headers.push(("traceparent".to_owned(), cx.trace.to_string()));
    let mut used = None;
    match &cx.connection.manifest.auth {
        _ if operation.anonymous => {}
        Auth::None => {}
        Auth::Headers(headers) => {
            for (name, value) in headers {
                request.headers.push((name.to_lowercase(), text_of(cx, operation, value)?));
            }
        }
        Auth::Basic { username, password } => {
            let pair = (text_of(cx, operation, username)?, text_of(cx, operation, password)?);
            request.headers.push(basic(&pair));
        }
        Auth::Token(auth) => {
            let asking = token_request(cx, operation, auth)?;
            let name = &cx.tokens.name(&cx.connection.tenant, &words(&asking));
            let fetch = async || fetch_token(cx, operation, auth, asking, classify).await;
            // Another task or node may be fetching it; that takes of this attempt's time too.
            let getting = cx.tokens.get(&cx.connection.tenant, name, rejected, fetch);
            let got = tokio::time::timeout_at(cx.leave.until, getting).await;
            let token = got.unwrap_or_else(|_| Err(CallError::Token(Box::new(SendError::NoTime.into()))))?;
            match operation.token_place.as_ref().unwrap_or(&auth.place) {
                TokenPlace::Header { name, prefix } => {
                    request.headers.push((name.clone(), format!("{prefix}{}", token.expose())));
                }
                TokenPlace::Query(name) => {
                    request.url.query_pairs_mut().append_pair(name, token.expose());
                }
            }
            used = Some(token);
        }
    }
    Ok((request, used))
}

/// Puts the id of the call where the vendor looks for it. A key that the mapping has put into the body stays.
fn show_key(request: &mut Request, place: &KeyPlace, key: &str) {
    match place {
        KeyPlace::Header(name) => request.headers.push((name.clone(), key.to_owned())),
        KeyPlace::Query(name) => {
            request.url.query_pairs_mut().append_pair(name, key);
        }
        KeyPlace::Body(name) => {
            let arena = Arena::new();
            // The body is ours; only an object has names.
            let Ok(body @ Value::Map(_)) = json::read(&arena, &request.body, Limits::default()) else { return };
            if body.get(name).is_absent() {
                let mut entries = body.entries().to_vec();
                entries.push((name, Value::Text(key)));
                request.body = json::to_string(&arena.map(&entries)).into_bytes();
            }
        }
    }
}

fn basic((username, password): &(String, String)) -> (String, String) {
    ("authorization".to_owned(), format!("Basic {}", STANDARD.encode(format!("{username}:{password}"))))
}

/// The request for a token.
fn token_request(cx: &CallContext<'_>, operation: &Operation, auth: &TokenAuth) -> Result<Request, CallError> {
    let mut request = build(cx, operation, &auth.request, b"null")?;
    if let Some((username, password)) = &auth.basic {
        request.headers.push(basic(&(text_of(cx, operation, username)?, text_of(cx, operation, password)?)));
    }
    Ok(request)
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

async fn fetch_token(
    cx: &CallContext<'_>,
    operation: &Operation,
    auth: &TokenAuth,
    request: Request,
    classify: &Classify<'_>,
) -> Result<Fetched, CallError> {
    let response = cx.send(request).await?;
    let status = response.status;
    let arena = Arena::new();
    let parsed = json::read(&arena, &response.body, Limits::default());
    let readable = parsed.is_ok() || response.body.is_empty();
    let payload = parsed.unwrap_or_default();
    // Vendors that answer 200 with an error body say in it what is wrong.
    let answer = Answer { status, payload, readable, headers: &response.headers };
    if let Some(Verdict::Bad(verdict, code)) = classify(&answer) {
        return Err(CallError::answered(verdict, code, status, asked_wait(cx, &response.headers)));
    }
    match status {
        200..=299 => {}
        429 | 503 if status == 429 || asks_to_wait(&response.headers) => {
            let retry_after = asked_wait(cx, &response.headers);
            return Err(CallError::Wait { status, retry_after });
        }
        500.. => return Err(CallError::Trouble { status, code: None }),
        _ => return Err(CallError::Refused { status, code: oauth_error(payload) }),
    }
    if !readable || payload.is_absent() {
        return Err(CallError::Trouble { status, code: Some("the token answer is no JSON".to_owned()) });
    }
    let slots = answer_slots(cx.connection, &arena, Value::Absent, status, payload, &response.headers);
    let token = eval(cx.connection, operation, &auth.token, &mut Cx::new(&arena, slots.clone()))?;
    let Some(token) = token.as_text().filter(|token| !token.is_empty()) else {
        // Wrong credentials, most of the time.
        return Err(CallError::Refused { status, code: Some("no token in the answer".to_owned()) });
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
pub async fn renew_token(cx: &CallContext<'_>, classify: &Classify<'_>) -> Result<bool, CallError> {
    let manifest = &cx.connection.manifest;
    let (Auth::Token(auth), Some(operation)) = (&manifest.auth, manifest.operations.first()) else { return Ok(false) };
    let asking = token_request(cx, operation, auth)?;
    let (tenant, name) = (&cx.connection.tenant, &cx.tokens.name(&cx.connection.tenant, &words(&asking)));
    let known = cx.tokens.known(tenant, name).await;
    let fetch = async || fetch_token(cx, operation, auth, asking, classify).await;
    let getting = cx.tokens.get(tenant, name, known.as_ref(), fetch);
    let got = tokio::time::timeout_at(cx.leave.until, getting).await;
    got.unwrap_or_else(|_| Err(CallError::Token(Box::new(SendError::NoTime.into()))))?;
    Ok(true)
}

/// The address that a request would go to, for who is sent there without the hub's help.
///
/// # Errors
/// The request cannot be built.
pub fn address(cx: &CallContext<'_>, operation: &Operation, args: &[u8]) -> Result<Url, CallError> {
    Ok(build(cx, operation, &operation.request, args)?.url)
}

/// What an expression says of a good reply.
///
/// # Errors
/// The expression fails.
pub fn read_reply<'a>(
    connection: &Connection,
    operation: &Operation,
    located: &'a Located,
    arena: &'a Arena,
    reply: &'a Reply,
) -> Result<Value<'a>, CallError> {
    let payload = json::read(arena, &reply.body, Limits::default()).unwrap_or_default();
    let slots = answer_slots(connection, arena, Value::Absent, reply.status, payload, &[]);
    eval(connection, operation, located, &mut Cx::new(arena, slots))
}

fn unbuildable(connection: &Connection, operation: &Operation, span: Span, message: &str) -> CallError {
    let place = connection.manifest.place(span);
    CallError::Build { operation: operation.name.clone(), reason: format!("{place}: {message}") }
}

fn eval<'a>(
    connection: &Connection,
    operation: &Operation,
    located: &'a Located,
    values: &mut Cx<'a>,
) -> Result<Value<'a>, CallError> {
    located.expr.eval(values).map_err(|error| unbuildable(connection, operation, located.span, &error.message))
}

fn request_slots<'a>(connection: &Connection, arena: &'a Arena, args: Value<'a>) -> Vec<Value<'a>> {
    vec![connection.settings(arena), Value::Text(arena.text(&connection.base_url)), args]
}

fn answer_slots<'a>(
    connection: &Connection,
    arena: &'a Arena,
    args: Value<'a>,
    status: u16,
    payload: Value<'a>,
    headers: &[(String, String)],
) -> Vec<Value<'a>> {
    let headers: Vec<(&str, Value<'a>)> =
        headers.iter().map(|(k, v)| (arena.text(k), Value::Text(arena.text(v)))).collect();
    let mut slots = request_slots(connection, arena, args);
    slots.extend([Value::Decimal(status.into()), payload, arena.map(&headers)]);
    slots
}

fn text_of(cx: &CallContext<'_>, operation: &Operation, templated: &Templated) -> Result<String, CallError> {
    let arena = Arena::new();
    let slots = request_slots(cx.connection, &arena, Value::Absent);
    let mut values = Cx::new(&arena, slots);
    let value = templated.template.render(&mut values, &|text, out| out.push_str(text));
    let value = value.map_err(|error| unbuildable(cx.connection, operation, templated.span, &error.message))?;
    match value.scalar_text(&arena) {
        Some(text) => Ok(text.to_owned()),
        None => Err(unbuildable(cx.connection, operation, templated.span, "the value is absent")),
    }
}

/// Fills in a request.
fn build(
    cx: &CallContext<'_>,
    operation: &Operation,
    template: &RequestTemplate,
    args: &[u8],
) -> Result<Request, CallError> {
    let arena = Arena::new();
    let args = json::read(&arena, args, Limits::default()).map_err(|error| {
        unbuildable(cx.connection, operation, operation.span, &format!("the arguments are no JSON: {error}"))
    })?;
    let slots = request_slots(cx.connection, &arena, args);
    let render = |templated: &Templated, fill: &dyn Fn(&str, &mut String)| -> Result<Option<String>, CallError> {
        let fail = |message: &str| unbuildable(cx.connection, operation, templated.span, message);
        let mut values = Cx::new(&arena, slots.clone());
        // The expressions live as long as the manifest, their values as long as this arena.
        let value = templated.template.render(&mut values, fill).map_err(|error| fail(&error.message))?;
        if value.is_absent() {
            return Ok(None);
        }
        value.scalar_text(&arena).map(|text| Some(text.to_owned())).ok_or_else(|| fail("the value is no text"))
    };
    let plain: &dyn Fn(&str, &mut String) = &|text, out| out.push_str(text);
    let in_path: &dyn Fn(&str, &mut String) = &|text, out| out.extend(utf8_percent_encode(text, SEGMENT));
    let path = render(&template.url, in_path)?.unwrap_or_default();
    let address = if path.contains("://") { path } else { format!("{}{path}", cx.connection.base_url) };
    let mut url = Url::parse(&address)
        .map_err(|_| unbuildable(cx.connection, operation, template.url.span, "the address is not valid"))?;
    for (name, value) in &template.query {
        if let Some(value) = render(value, plain)? {
            url.query_pairs_mut().append_pair(name, &value);
        }
    }
    let mut headers = vec![("accept".to_owned(), "application/json".to_owned())];
    for (name, value) in &template.headers {
        if let Some(value) = render(value, plain)? {
            headers.retain(|(known, _)| known != name);
            headers.push((name.clone(), value));
        }
    }
    let (media_type, body) = match &template.body {
        Body::None => (None, Vec::new()),
        Body::Json(located) => {
            let value = eval(cx.connection, operation, located, &mut Cx::new(&arena, slots.clone()))?;
            (Some("application/json"), json::to_string(&value).into_bytes())
        }
        Body::JsonFields(fields) => {
            let mut entries = Vec::new();
            for (name, templated) in fields {
                let mut values = Cx::new(&arena, slots.clone());
                let value = templated.template.render(&mut values, plain);
                let value =
                    value.map_err(|error| unbuildable(cx.connection, operation, templated.span, &error.message))?;
                entries.push((name.as_str(), value));
            }
            (Some("application/json"), json::to_string(&arena.map(&entries)).into_bytes())
        }
        Body::Form(fields) => {
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            for (name, value) in fields {
                if let Some(value) = render(value, plain)? {
                    form.append_pair(name, &value);
                }
            }
            (Some("application/x-www-form-urlencoded"), form.finish().into_bytes())
        }
    };
    if let Some(media_type) = media_type
        && !headers.iter().any(|(name, _)| name == "content-type")
    {
        headers.push(("content-type".to_owned(), media_type.to_owned()));
    }
    Ok(Request { method: template.method.to_owned(), url, headers, body })
}

/// What a received answer means.
fn judge(
    cx: &CallContext<'_>,
    operation: &Operation,
    args: &[u8],
    response: &Response,
    classify: &(dyn Fn(&Answer<'_>) -> Option<Verdict> + Send + Sync),
) -> Result<Verdict, CallError> {
    let arena = Arena::new();
    let parsed = json::read(&arena, &response.body, Limits::default());
    let readable = parsed.is_ok() || response.body.is_empty();
    let args = json::read(&arena, args, Limits::default()).unwrap_or_default();
    let payload = parsed.unwrap_or_default();
    let answer = Answer { status: response.status, payload, readable, headers: &response.headers };
    verdict(cx.connection, operation, &arena, args, &answer, classify)
}

/// What an answer means: the manifest's rules, then the wire's own reading, then the HTTP status, then `success`.
///
/// # Errors
/// `success` of the manifest fails.
pub fn verdict<'a>(
    connection: &Connection,
    operation: &'a Operation,
    arena: &'a Arena,
    args: Value<'a>,
    answer: &Answer<'a>,
    classify: &dyn Fn(&Answer<'_>) -> Option<Verdict>,
) -> Result<Verdict, CallError> {
    if let Some(verdict) = error_rule(connection, operation, arena, args, answer) {
        return Ok(verdict);
    }
    if let Some(verdict) = classify(answer) {
        return Ok(verdict);
    }
    let verdict = match answer.status {
        200..=299 if !answer.readable => Verdict::Bad(ErrorVerdict::Retry, Some("the answer is no JSON".to_owned())),
        200..=299 => Verdict::Good,
        401 => Verdict::Bad(ErrorVerdict::Token, None),
        429 => Verdict::Bad(ErrorVerdict::Wait, None),
        // A vendor that asks to wait has not begun; a bare 503 may come from a proxy that has passed the request on.
        503 if asks_to_wait(answer.headers) => Verdict::Bad(ErrorVerdict::Wait, None),
        408 | 500.. => Verdict::Bad(ErrorVerdict::Retry, None),
        _ => Verdict::Bad(ErrorVerdict::Refused, None),
    };
    match (&verdict, &operation.success) {
        (Verdict::Good, Some(success)) => {
            let slots = answer_slots(connection, arena, args, answer.status, answer.payload, answer.headers);
            let good = eval(connection, operation, success, &mut Cx::new(arena, slots))?;
            Ok(if matches!(good, Value::Bool(true)) { verdict } else { Verdict::Bad(ErrorVerdict::Refused, None) })
        }
        _ => Ok(verdict),
    }
}

/// What the first of the manifest's `errors` that holds says of an answer.
pub fn error_rule<'a>(
    connection: &Connection,
    operation: &'a Operation,
    arena: &'a Arena,
    args: Value<'a>,
    answer: &Answer<'a>,
) -> Option<Verdict> {
    let slots = answer_slots(connection, arena, args, answer.status, answer.payload, answer.headers);
    let value = |located: &'a Located| located.expr.eval(&mut Cx::new(arena, slots.clone()));
    let rule = operation.errors.iter().find(|rule| matches!(value(&rule.when), Ok(Value::Bool(true))))?;
    let code = rule.code.as_ref().and_then(|code| value(code).ok());
    let code = code.and_then(|code| code.scalar_text(arena)).map(ToOwned::to_owned);
    Some(Verdict::Bad(rule.verdict, code))
}

fn header<'h>(headers: &'h [(String, String)], wanted: &str) -> Option<&'h str> {
    headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.trim())
}

fn asks_to_wait(headers: &[(String, String)]) -> bool {
    header(headers, "retry-after").is_some()
}

/// How long an answer asks to wait: by `Retry-After`, else by the vendor's own header, in seconds.
fn asked_wait(cx: &CallContext<'_>, headers: &[(String, String)]) -> Option<Duration> {
    retry_after(headers, cx.clock.now()).or_else(|| own_wait(cx.connection.pace.wait_header.as_deref()?, headers))
}

/// Whole seconds, and not past a day: a time of day or a count in such a header is no wait.
fn own_wait(name: &str, headers: &[(String, String)]) -> Option<Duration> {
    let seconds: u64 = header(headers, name)?.parse().ok()?;
    (seconds <= LONGEST_OWN_WAIT).then(|| Duration::from_secs(seconds))
}

/// How long `Retry-After` asks to wait (RFC 9110 §10.2.3): seconds, or an HTTP date. The date is compared with the
/// answer's own `Date`, so that clocks need not agree. What cannot be read counts as a minute.
pub(crate) fn retry_after(headers: &[(String, String)], now: Timestamp) -> Option<Duration> {
    let value = header(headers, "retry-after")?;
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let Some(until) = http_date(value) else { return Some(UNREADABLE_WAIT) };
    let sent = header(headers, "date").and_then(http_date).unwrap_or(now);
    // A date that has passed asks for nothing.
    Some(Duration::try_from(until.duration_since(sent)).unwrap_or_default())
}

/// An HTTP date (RFC 9110 §5.6.7): the form of today, and the two old ones.
fn http_date(text: &str) -> Option<Timestamp> {
    if let Ok(zoned) = rfc2822::parse(text) {
        return Some(zoned.timestamp());
    }
    ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"].iter().find_map(|form| {
        let read = BrokenDownTime::parse(form, text).ok()?;
        Some(read.to_datetime().ok()?.in_tz("UTC").ok()?.timestamp())
    })
}

/// The calls that a good answer leads to.
///
/// # Errors
/// A rule of the manifest that fails on this answer.
pub fn following(
    connection: &Connection,
    operation: &Operation,
    args: &[u8],
    reply: &Reply,
) -> Result<Vec<FollowCall>, NoCalls> {
    if operation.then.is_empty() {
        return Ok(Vec::new());
    }
    let arena = Arena::new();
    let args = json::read(&arena, args, Limits::default()).unwrap_or_default();
    let payload = json::read(&arena, &reply.body, Limits::default()).unwrap_or_default();
    let slots = answer_slots(connection, &arena, args, reply.status, payload, &[]);
    FollowUp::calls(&operation.then, connection, &arena, &slots, &KnownIds::new())
}

/// The arguments of a lookup, and whether its answer says that the first try was carried out.
///
/// # Errors
/// An expression of the manifest that fails.
pub fn lookup_args(cx: &CallContext<'_>, operation: &Operation, args: &[u8]) -> Result<Vec<u8>, CallError> {
    let Idempotency::Lookup { args: wanted, .. } = &operation.idempotency else { return Ok(b"null".to_vec()) };
    let arena = Arena::new();
    let args = json::read(&arena, args, Limits::default()).unwrap_or_default();
    let slots = request_slots(cx.connection, &arena, args);
    let mut entries = Vec::new();
    for (name, located) in wanted {
        entries.push((name.as_str(), eval(cx.connection, operation, located, &mut Cx::new(&arena, slots.clone()))?));
    }
    Ok(json::to_string(&arena.map(&entries)).into_bytes())
}

/// Whether the answer of a lookup says that the first try was carried out.
///
/// # Errors
/// An expression of the manifest that fails, or that does not say yes or no.
pub fn lookup_found(
    cx: &CallContext<'_>,
    operation: &Operation,
    args: &[u8],
    reply: &Reply,
) -> Result<bool, CallError> {
    let Idempotency::Lookup { found, .. } = &operation.idempotency else { return Ok(false) };
    let arena = Arena::new();
    let args = json::read(&arena, args, Limits::default()).unwrap_or_default();
    let payload = json::read(&arena, &reply.body, Limits::default()).unwrap_or_default();
    let slots = answer_slots(cx.connection, &arena, args, reply.status, payload, &[]);
    if payload.is_absent() {
        // An empty answer says neither yes nor no.
        return Err(CallError::Trouble {
            status: reply.status,
            code: Some("the look-up's answer is empty".to_owned()),
        });
    }
    match eval(cx.connection, operation, found, &mut Cx::new(&arena, slots))? {
        Value::Bool(found) => Ok(found),
        other => Err(unbuildable(cx.connection, operation, found.span, &format!("`found` gave {}", other.kind()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_stands_where_the_vendor_looks_for_it_and_a_mappings_own_key_stays() {
        let shown = |place: KeyPlace, body: &str| {
            let url = Url::parse("https://api.example/things?a=1").unwrap();
            let body = body.as_bytes().to_vec();
            let mut request = Request { method: "POST".to_owned(), url, headers: Vec::new(), body };
            show_key(&mut request, &place, "call-7");
            (request.url.query().unwrap().to_owned(), request.headers, String::from_utf8(request.body).unwrap())
        };
        let name = |name: &str| name.to_owned();
        let (query, headers, body) = shown(KeyPlace::Header(name("x-key")), r#"{"n":1.50}"#);
        assert_eq!((query.as_str(), body.as_str()), ("a=1", r#"{"n":1.50}"#));
        assert_eq!(headers, [(name("x-key"), name("call-7"))]);
        let (query, headers, body) = shown(KeyPlace::Query(name("key")), "{}");
        assert_eq!((query.as_str(), headers.len(), body.as_str()), ("a=1&key=call-7", 0, "{}"));
        let in_body = |body: &str| shown(KeyPlace::Body(name("uuid")), body).2;
        assert_eq!(in_body(r#"{"n":1.50}"#), r#"{"n":1.50,"uuid":"call-7"}"#);
        assert_eq!(in_body(r#"{"uuid":"ours"}"#), r#"{"uuid":"ours"}"#);
        assert_eq!(in_body("[1]"), "[1]");
    }

    #[test]
    fn a_vendors_own_header_says_how_many_seconds_to_wait() {
        let wait = |value: &str| {
            let headers = [("x-limit-reset".to_owned(), value.to_owned())];
            own_wait("x-limit-reset", &headers).map(|wait| wait.as_secs())
        };
        assert_eq!((wait("7"), wait(" 0 "), wait("86400")), (Some(7), Some(0), Some(86_400)));
        assert_eq!((wait("1795244400"), wait("soon"), wait("-1"), wait("")), (None, None, None, None));
        assert_eq!(own_wait("x-other", &[("x-limit-reset".to_owned(), "7".to_owned())]), None);
    }

    #[test]
    fn a_wait_is_read_in_seconds_and_as_every_form_of_http_date() {
        let now = "1994-11-06T08:00:00Z".parse().unwrap();
        let wait = |value: &str, date: Option<&str>| {
            let mut headers = vec![("retry-after".to_owned(), value.to_owned())];
            headers.extend(date.map(|date| ("date".to_owned(), date.to_owned())));
            retry_after(&headers, now).map(|wait| wait.as_secs())
        };
        assert_eq!(wait("120", None), Some(120));
        assert_eq!(wait(" 0 ", None), Some(0));
        assert_eq!(wait("99999999999999999999999", None), Some(u64::MAX));
        for same in ["Sun, 06 Nov 1994 08:02:30 GMT", "Sunday, 06-Nov-94 08:02:30 GMT", "Sun Nov  6 08:02:30 1994"] {
            assert_eq!(wait(same, None), Some(150), "{same}");
            // The vendor's clock is an hour behind ours: only the difference counts.
            assert_eq!(wait(same, Some("Sun, 06 Nov 1994 08:02:00 GMT")), Some(30), "{same}");
        }
        assert_eq!(wait("Sun, 06 Nov 1994 07:00:00 GMT", None), Some(0));
        assert_eq!(wait("tomorrow", None), Some(60));
        assert_eq!(wait("-5", None), Some(60));
        assert_eq!(retry_after(&[], now), None);
    }
}
