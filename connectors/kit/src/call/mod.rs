//! One call over HTTP: build, authenticate, send, understand the answer.

mod request;
mod rows;
mod token;
mod wait;

pub use rows::{OutRow, RowValues, row_of};
pub use token::renew_token;
pub(crate) use wait::retry_after;

use crate::client::{Arrived, Request, Response, SendError};
use crate::connection::Connection;
use crate::driver::{CallContext, Driver, Reply};
use crate::failure::CallError;
use crate::follow::{FollowCall, FollowUp, KnownIds, NoCalls};
use crate::manifest::{Auth, ErrorRule, ErrorVerdict, Idempotency, Operation, Split, TokenPlace};
use crate::parts::Spool;
use crate::signed::Moment;
use hub_expr::{Cx, Located};
use hub_tree::{Arena, Limits, Private, ReadError, Value, json};
use request::{answer_slots, basic, build, eval, show_key, text_of};
pub(crate) use request::{request_slots, unbuildable};
use token::{fetch_token, name_of, token_request};
use url::Url;
use wait::{asked_wait, asks_to_wait};

/// An answer, as classifiers see it.
pub struct Answer<'a> {
    /// HTTP status.
    pub status: u16,
    /// The body as a tree; absent when it is empty, the beginning of its text when it cannot be read.
    pub payload: Value<'a>,
    /// Why the body cannot be read, if it cannot: a place, never its words.
    pub unreadable: Option<String>,
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

/// Makes one call. The driver puts bodies on its wire and takes them from it; what it says of an answer comes after the
/// manifest's rules and before the HTTP status.
///
/// # Errors
/// What left the house, whose fault it is, and whether to try again.
pub async fn exchange(
    cx: &CallContext<'_>,
    operation: &Operation,
    args: &[u8],
    driver: &dyn Driver,
) -> Result<Reply, CallError> {
    let mut rejected = None;
    loop {
        let (request, token) = prepare(cx, operation, args, rejected.as_ref(), driver).await?;
        let (mut response, spooled) = match operation.split.as_ref().filter(|_| cx.spools) {
            Some(split) => spooling(cx, (operation, split), request, driver).await?,
            None => (cx.send(request).await?, Ok(None)),
        };
        let read = driver.read_response(cx.connection, &operation.request, &mut response);
        let (unreadable, spool) = match spooled {
            Ok(spool) => (read.err(), spool),
            Err(why) => (Some(why), None),
        };
        match judge(cx, operation, args, &response, unreadable, driver)? {
            Verdict::Good => return Ok(Reply { spool, ..Reply::new(response.status, response.body) }),
            Verdict::Bad(ErrorVerdict::Token, code) => match token {
                // Fetch a token, repeat once.
                Some(token) if rejected.is_none() => rejected = Some(token),
                _ => return Err(CallError::answered(ErrorVerdict::Token, code, response.status, None)),
            },
            Verdict::Bad(verdict, code) => {
                let wait = asked_wait(cx, &response.headers);
                return Err(CallError::answered(verdict, code, response.status, wait));
            }
        }
    }
}

/// Sends a request whose answer may be too large for memory: the answer without its records then, and where they are,
/// or why they cannot be read.
async fn spooling(
    cx: &CallContext<'_>,
    (operation, split): (&Operation, &Split),
    request: Request,
    driver: &dyn Driver,
) -> Result<(Response, Result<Option<Spool>, String>), CallError> {
    match cx.send_spooling(request).await? {
        Arrived::Whole(response) => Ok((response, Ok(None))),
        Arrived::Spooled(mut response, file) => {
            let opened = Spool::open(driver.way_to_payload(&operation.request), split, &response, file).await;
            let spooled = opened.map(|(spool, rest)| {
                response.body = rest;
                // It is UTF-8, whatever the whole answer was.
                for (_, value) in response.headers.iter_mut().filter(|(name, _)| name == "content-type") {
                    value.truncate(value.find(';').unwrap_or(value.len()));
                }
                Some(spool)
            });
            Ok((response, spooled))
        }
    }
}

/// The request, authenticated, and the token that it shows.
async fn prepare(
    cx: &CallContext<'_>,
    operation: &Operation,
    args: &[u8],
    rejected: Option<&Private<String>>,
    driver: &dyn Driver,
) -> Result<(Request, Option<Private<String>>), CallError> {
    let mut request = build(cx, operation, &operation.request, args)?;
    if let Idempotency::Key(place) = &operation.idempotency {
        show_key(&mut request, place, cx.call_id);
    }
    request.headers.push(("traceparent".to_owned(), cx.trace.to_string()));
    let mut used = None;
    let auth = if operation.anonymous {
        &Auth::None
    } else {
        chosen(cx, operation, cx.connection.manifest.auth_of(operation))?
    };
    match auth {
        // The last step is to sign.
        Auth::None | Auth::Signed(_) | Auth::OneOf(_) => {}
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
            let name = &name_of(cx, operation, auth, &asking)?;
            let fetch = async || fetch_token(cx, operation, auth, asking, driver).await;
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
    driver.write_request(cx, operation, &operation.request, &mut request)?;
    let signing = match auth {
        Auth::Signed(signing) => Some(signing.as_ref()),
        Auth::Token(auth) => auth.calls.as_ref(),
        _ => None,
    };
    if let Some(signing) = signing {
        let token = used.as_ref().map(|token| token.expose().as_str());
        signing.apply(cx.connection, operation, token, &Moment::of(cx), &mut request)?;
    }
    Ok((request, used))
}

/// The way of authenticating that the connection's settings ask for.
fn chosen<'c>(cx: &CallContext<'c>, operation: &Operation, auth: &'c Auth) -> Result<&'c Auth, CallError> {
    let Auth::OneOf(kinds) = auth else { return Ok(auth) };
    for (when, auth) in kinds {
        let Some(when) = when else { return chosen(cx, operation, auth) };
        let arena = Arena::new();
        let mut values = Cx::new(&arena, vec![cx.connection.settings(&arena)]);
        if eval(cx.connection, operation, when, &mut values)? == Value::Bool(true) {
            return chosen(cx, operation, auth);
        }
    }
    Ok(&Auth::None)
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

/// What a received answer means.
fn judge(
    cx: &CallContext<'_>,
    operation: &Operation,
    args: &[u8],
    response: &Response,
    unreadable: Option<String>,
    driver: &dyn Driver,
) -> Result<Verdict, CallError> {
    let arena = Arena::new();
    let parsed = json::read(&arena, &response.body, Limits::default());
    let unreadable = unreadable.or_else(|| no_json(&parsed, &response.body));
    let args = json::read(&arena, args, Limits::default()).unwrap_or_default();
    let payload = parsed.unwrap_or_else(|_| excerpt(&arena, &response.body));
    let answer = Answer { status: response.status, payload, unreadable, headers: &response.headers };
    verdict(cx.connection, operation, &arena, args, &answer, driver)
}

/// The most of an unreadable body that rules see.
const EXCERPT: usize = 4096;

/// The beginning of a body that cannot be read, as text: some vendors say in plain words what is wrong.
fn excerpt<'a>(arena: &'a Arena, body: &[u8]) -> Value<'a> {
    match body.get(..EXCERPT.min(body.len())) {
        Some([]) | None => Value::Absent,
        Some(start) => Value::Text(arena.text(&String::from_utf8_lossy(start))),
    }
}

/// Why a body that should be JSON is none; an empty one is well.
fn no_json(parsed: &Result<Value<'_>, ReadError>, body: &[u8]) -> Option<String> {
    (parsed.is_err() && !body.is_empty()).then(|| "it is no JSON".to_owned())
}

/// What an answer means: the manifest's rules, then the wire's own reading, then the HTTP status, then `success`.
///
/// # Errors
/// `success` of the manifest fails.
pub fn verdict<'a>(
    connection: &'a Connection,
    operation: &'a Operation,
    arena: &'a Arena,
    args: Value<'a>,
    answer: &Answer<'a>,
    driver: &dyn Driver,
) -> Result<Verdict, CallError> {
    if let Some(verdict) = error_rule(connection, operation, arena, args, answer) {
        return Ok(verdict);
    }
    if let Some(verdict) = driver.read_answer(answer) {
        return Ok(verdict);
    }
    let verdict = match (answer.status, &answer.unreadable) {
        (200..=299, Some(why)) => Verdict::Bad(ErrorVerdict::Retry, Some(format!("the answer cannot be read: {why}"))),
        (200..=299, None) => Verdict::Good,
        (401, _) => Verdict::Bad(ErrorVerdict::Token, None),
        (429, _) => Verdict::Bad(ErrorVerdict::Wait, None),
        // A vendor that asks to wait has not begun; a bare 503 may come from a proxy that has passed the request on.
        (503, _) if asks_to_wait(answer.headers) => Verdict::Bad(ErrorVerdict::Wait, None),
        (408 | 500.., _) => Verdict::Bad(ErrorVerdict::Retry, None),
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

/// What the first of the manifest's `errors` that holds says of an answer: those of the operation, then those of all.
pub fn error_rule<'a>(
    connection: &'a Connection,
    operation: &'a Operation,
    arena: &'a Arena,
    args: Value<'a>,
    answer: &Answer<'a>,
) -> Option<Verdict> {
    first_rule(connection, operation.errors.iter().chain(&connection.manifest.errors), arena, args, answer)
}

fn first_rule<'a>(
    connection: &Connection,
    mut rules: impl Iterator<Item = &'a ErrorRule>,
    arena: &'a Arena,
    args: Value<'a>,
    answer: &Answer<'a>,
) -> Option<Verdict> {
    let slots = answer_slots(connection, arena, args, answer.status, answer.payload, answer.headers);
    let value = |located: &'a Located| located.expr.eval(&mut Cx::new(arena, slots.clone()));
    let rule = rules.find(|rule| matches!(value(&rule.when), Ok(Value::Bool(true))))?;
    let code = rule.code.as_ref().and_then(|code| value(code).ok());
    let code = code.and_then(|code| code.scalar_text(arena)).map(ToOwned::to_owned);
    Some(Verdict::Bad(rule.verdict, code))
}

/// The calls that a good answer leads to; that of a look-up, those that its own `then` names.
///
/// # Errors
/// A rule of the manifest that fails on this answer.
pub fn following(
    connection: &Connection,
    operation: &Operation,
    args: &[u8],
    reply: &Reply,
) -> Result<Vec<FollowCall>, NoCalls> {
    let rules = match &operation.idempotency {
        Idempotency::Lookup { then, .. } if reply.looked_up => then,
        _ if reply.looked_up => return Ok(Vec::new()),
        _ => &operation.then,
    };
    follow(connection, rules, args, Some(reply))
}

/// The calls that it leads to when an answer says that nothing is there: rules with `on: absent`, which see the
/// arguments and no payload.
///
/// # Errors
/// A rule of the manifest that fails.
pub fn following_nothing(
    connection: &Connection,
    operation: &Operation,
    args: &[u8],
) -> Result<Vec<FollowCall>, NoCalls> {
    follow(connection, &operation.then, args, None)
}

fn follow(
    connection: &Connection,
    rules: &[FollowUp],
    args: &[u8],
    reply: Option<&Reply>,
) -> Result<Vec<FollowCall>, NoCalls> {
    if !rules.iter().any(|rule| rule.when_absent == reply.is_none()) {
        return Ok(Vec::new());
    }
    let arena = Arena::new();
    let args = json::read(&arena, args, Limits::default()).unwrap_or_default();
    let (status, body) = reply.map_or((0, &[][..]), |reply| (reply.status, &reply.body));
    let payload = json::read(&arena, body, Limits::default()).unwrap_or_default();
    let slots = answer_slots(connection, &arena, args, status, payload, &[]);
    let rules = rules.iter().filter(|rule| rule.when_absent == reply.is_none());
    FollowUp::calls(rules, connection, &arena, &slots, &KnownIds::new())
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
