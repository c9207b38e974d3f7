//! `/soap/{connection}`: where programs that speak SOAP call the hub.
//!
//! A message is read, believed by its WS-Security header or HTTP Basic as the connection's settings say, and handed to
//! [`hub_flow::serve`]. Every refusal is a fault of the version that was spoken. `?wsdl` describes what is offered.

mod faults;

use crate::Api;
use crate::hooks::{BODY_WITHIN, headers, pass_over, pass_over_later, read_body};
use crate::problem::Problem;
use axum::body::HttpBody;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use faults::{busy, detail, fault_of, message, refuse, with_status};
use futures::FutureExt as _;
use hub_flow::Hub;
use hub_flow::serve::{Asked, ServeFault};
use hub_kit::manifest::{QName, SoapAuth};
use hub_kit::{Connection, InboundRequest};
use hub_soap::compose::compose;
use hub_soap::security::{self, Nonces, Policy, SecurityFault};
use hub_soap::write::{FaultAnswer, content_type, envelope};
use hub_soap::wsdl::{Published, PublishedOperation, write};
use hub_soap::{FaultCode, Message, Rules, Version, addressing};
use hub_store::job;
use hub_tree::jiff::{SignedDuration, Timestamp};
use hub_tree::{Arena, Limits, Private, TraceContext, json};
use std::sync::{Arc, Mutex, PoisonError};
use subtle::ConstantTimeEq as _;

/// `GET /soap/{connection}?wsdl`: what is offered, with the address of this hub.
pub(crate) async fn describe(
    State(api): State<Api>,
    Path(connection): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let known = api.hub.connection(&connection).ok_or_else(Problem::unknown_connection)?;
    let serves = known.manifest.serves.as_ref().ok_or_else(Problem::unknown_connection)?;
    let asks = |part: &str| part.split('=').next().is_some_and(|name| name.eq_ignore_ascii_case("wsdl"));
    if !query.as_deref().is_some_and(|query| query.split('&').any(asks)) {
        return Err(Problem::method_not_allowed());
    }
    let address = format!("{}/soap/{connection}", api.hub.public_url().trim_end_matches('/'));
    let described =
        |element: &'_ QName, key: &'_ Option<String>| key.as_ref().map(|key| (element.name.clone(), key.clone()));
    let messages: Vec<_> = serves
        .operations
        .iter()
        .filter_map(|one| Some((one, described(&one.element, &one.message)?, described(&one.reply, &one.reply_type))))
        .collect();
    let operations = messages.iter().map(|(one, (element, key), reply)| PublishedOperation {
        name: &one.name,
        action: &one.action,
        input: (element, key),
        output: reply.as_ref().map(|(element, key)| (element.as_str(), key.as_str())),
    });
    let text = write(&Published {
        name: &serves.name,
        namespace: &serves.namespace,
        types: &known.manifest.types,
        operations: operations.collect(),
        fault: serves.fault.as_deref().map(|key| (key, key)),
        address: &address,
    });
    Ok(([(header::CONTENT_TYPE, "text/xml; charset=utf-8")], text).into_response())
}

/// `POST /soap/{connection}`: a message.
pub(crate) async fn receive(State(api): State<Api>, Path(connection): Path<String>, request: Request) -> Response {
    let hub = &api.hub;
    let (parts, body) = request.into_parts();
    let Some(known) = hub.connection(&connection).filter(|known| known.manifest.serves.is_some()) else {
        hub.metrics.hook("unknown", "unknown_connection");
        pass_over(body).await;
        return Problem::unknown_connection().into_response();
    };
    let headers = headers(&parts.headers);
    let told = Version::of_content_type(find(&headers, "content-type"));
    let most = known.max_body_bytes(hub.max_body_bytes);
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let Ok(mut room) = hub.admission.enter(announced.min(most)) else {
        hub.metrics.hook(&connection, "overloaded");
        pass_over_later(body);
        return with_status(told, StatusCode::SERVICE_UNAVAILABLE, &busy());
    };
    let reading = tokio::time::timeout(BODY_WITHIN, read_body(body, most, &mut room)).await;
    let body = match reading.unwrap_or_else(|_| Err(Problem::slow_body())) {
        Ok(body) => body,
        Err(problem) => {
            let (result, status, fault) = match problem.code() {
                "too_large" => {
                    let message = format!("the message is longer than {most} bytes");
                    ("too_large", StatusCode::PAYLOAD_TOO_LARGE, FaultAnswer::new(FaultCode::Sender, &message))
                }
                "overloaded" => ("overloaded", StatusCode::SERVICE_UNAVAILABLE, busy()),
                _ => {
                    let message = "the message did not come to its end";
                    ("broken_body", StatusCode::BAD_REQUEST, FaultAnswer::new(FaultCode::Sender, message))
                }
            };
            hub.metrics.hook(&connection, result);
            return with_status(told, status, &fault);
        }
    };
    let inbound = InboundRequest { method: "POST".to_owned(), query: Vec::new(), headers, body, now: hub.clock.now() };
    answer(hub, &known, inbound).await
}

/// What a message says, without the memory that it was read in.
struct Opened {
    version: Version,
    element: (String, String),
    payload: Vec<u8>,
    addressing: Option<addressing::Addressing>,
    /// What its WS-Security header proves, and what must not come again.
    proof: Result<Option<(String, Timestamp)>, SecurityFault>,
}

/// Reads and answers a message.
async fn answer(hub: &Arc<Hub>, connection: &Arc<Connection>, mut inbound: InboundRequest) -> Response {
    let Some(serves) = &connection.manifest.serves else { return Problem::unknown_connection().into_response() };
    let body = std::mem::take(&mut inbound.body);
    let opened = match open(hub, connection, &inbound, &body) {
        Ok(opened) => opened,
        Err(refused) => {
            let (version, fault) = *refused;
            hub.metrics.hook(&connection.id, "unreadable");
            return refuse(version, &[], &fault);
        }
    };
    drop(body);
    let version = opened.version;
    let related = opened.addressing.as_ref();
    let blocks = |action: &str| {
        let id = || format!("urn:uuid:{}", hub.ids.next());
        related.map(|asked| addressing::answer(asked, action, &id())).unwrap_or_default()
    };
    match believe(hub, connection, &inbound, opened.proof).await {
        Ok(()) => {}
        Err(Disbelief::Fault(fault)) => {
            tracing::warn!(connection.id = %connection.id, reason = fault.word(), "a message was not believed");
            hub.metrics.hook(&connection.id, "unauthorized");
            return refuse(version, &blocks("fault"), &fault.answer());
        }
        Err(Disbelief::Basic) => {
            tracing::warn!(connection.id = %connection.id, reason = "basic", "a message was not believed");
            hub.metrics.hook(&connection.id, "unauthorized");
            let fault = SecurityFault::FailedAuthentication.answer();
            let mut response = with_status(version, StatusCode::UNAUTHORIZED, &fault);
            let value = header::HeaderValue::from_static("Basic realm=\"hub\", charset=\"UTF-8\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
            return response;
        }
        Err(Disbelief::Unavailable) => return with_status(version, StatusCode::SERVICE_UNAVAILABLE, &busy()),
    }
    // Only who has proved itself may say which journey its message belongs to.
    let parent = inbound.header("traceparent").and_then(|text| text.parse().ok());
    let trace: TraceContext = parent.unwrap_or_else(TraceContext::begin);
    let (namespace, name) = &opened.element;
    let Some(served) = serves.of_element(namespace, name) else {
        hub.metrics.hook(&connection.id, "unknown_operation");
        let fault = ServeFault::Caller {
            code: "UNKNOWN_OPERATION",
            message: format!("nothing is offered under the element `{}`", shown(name)),
        };
        return refuse(version, &blocks("fault"), &fault_of(connection, serves, version, &fault, &trace));
    };
    let asked = Asked { payload: opened.payload, request: inbound, trace };
    let done = hub.serve(connection, served, asked).await;
    let written = done.and_then(|content| {
        let arena = Arena::new();
        let tree = json::read(&arena, &content, Limits::default()).unwrap_or_default();
        let request = message(&served.reply, served.reply_type.as_deref());
        compose(version, &request, &connection.manifest.types, &tree).map_err(|error| {
            let place = connection.manifest.place(served.span);
            tracing::error!(connection.id = %connection.id, place, error, "an answer cannot be written");
            ServeFault::Broken
        })
    });
    match written {
        Ok(composed) => {
            let text = envelope(version, &blocks(&format!("{}Response", served.action)), &composed.xml);
            ([(header::CONTENT_TYPE, content_type(version, None))], text).into_response()
        }
        Err(fault) => {
            hub.metrics.hook(&connection.id, "refused");
            refuse(version, &blocks("fault"), &fault_of(connection, serves, version, &fault, &trace))
        }
    }
}

/// Reads a message, and what its header proves; the fault is of the version that it seems to be of.
fn open(
    hub: &Hub,
    connection: &Connection,
    inbound: &InboundRequest,
    body: &[u8],
) -> Result<Opened, Box<(Version, FaultAnswer)>> {
    let arena = Arena::new();
    let message = Message {
        body,
        content_type: inbound.header("content-type"),
        content_encoding: inbound.header("content-encoding"),
    };
    let read = hub_soap::read(&arena, &message, &Rules::server()).map_err(|refusal| {
        tracing::info!(connection.id = %connection.id, reason = refusal.reason.word(), "a message cannot be read");
        let answer = FaultAnswer::new(refusal.fault_code(), &refusal.message);
        // Of what is wrong with the envelope or a header block a detail says nothing (SOAP 1.1, section 4.4).
        let of_body = answer.code == FaultCode::Sender;
        let word = refusal.reason.word().to_uppercase();
        let told = (word.as_str(), refusal.message.as_str(), false);
        let serves = connection.manifest.serves.as_ref().filter(|_| of_body);
        let own = serves.and_then(|serves| detail(connection, serves, refusal.version, told, &TraceContext::begin()));
        Box::new((refusal.version, FaultAnswer { detail: own, ..answer }))
    })?;
    let Some((namespace, name)) = read.element else {
        return Err(Box::new((read.version, FaultAnswer::new(FaultCode::Sender, "the body is empty"))));
    };
    let remembered = Remembered::default();
    let proof = match policy(hub, connection) {
        Some(policy) => {
            // Nothing in it waits: what must not come again is only noted here, and asked of the store later.
            let verified = security::verify(&read, &policy, inbound.now, &remembered).now_or_never();
            verified.unwrap_or(Err(SecurityFault::InvalidSecurity)).map(|()| remembered.take())
        }
        None => Ok(None),
    };
    Ok(Opened {
        version: read.version,
        element: (namespace.to_owned(), name.to_owned()),
        payload: json::to_string(&read.payload).into_bytes(),
        addressing: addressing::read(&read),
        proof,
    })
}

/// Notes the nonce of a message.
#[derive(Default)]
struct Remembered(Mutex<Option<(String, Timestamp)>>);

impl Remembered {
    fn take(&self) -> Option<(String, Timestamp)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[async_trait::async_trait]
impl Nonces for Remembered {
    async fn is_new(&self, nonce: &str, until: Timestamp) -> bool {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((nonce.to_owned(), until));
        true
    }
}

/// How callers of a connection prove themselves: its setting `auth`, else what the connector says for both ways.
fn auth(connection: &Connection) -> String {
    let of_manifest = || SoapAuth::WORDS.iter().find(|(_, auth)| *auth == connection.manifest.soap.auth);
    connection.setting("auth").unwrap_or_else(|| match of_manifest() {
        Some((word, auth)) if *auth != SoapAuth::None => (*word).to_owned(),
        _ => "wsse".to_owned(),
    })
}

/// Who is believed by a WS-Security header; none where something else proves it.
fn policy(hub: &Hub, connection: &Connection) -> Option<Policy> {
    let auth = auth(connection);
    if matches!(auth.as_str(), "none" | "basic") {
        return None;
    }
    let encrypted = hub.public_url().starts_with("https://");
    let skew = connection.setting("max_skew_secs").and_then(|text| text.parse().ok()).unwrap_or(300);
    Some(Policy {
        username: connection.setting("username").unwrap_or_default(),
        password: Private::new(connection.setting("password").unwrap_or_default()),
        // A password as it is may be read by everybody on the way, unless that is encrypted or somebody has decided so.
        text: auth == "wsse_text" || (auth != "wsse_digest" && encrypted),
        digest: true,
        window: SignedDuration::from_secs(skew),
    })
}

/// Why a message is not believed.
enum Disbelief {
    Fault(SecurityFault),
    Basic,
    Unavailable,
}

async fn believe(
    hub: &Hub,
    connection: &Connection,
    inbound: &InboundRequest,
    proof: Result<Option<(String, Timestamp)>, SecurityFault>,
) -> Result<(), Disbelief> {
    let auth = auth(connection);
    if auth == "none" {
        return Ok(());
    }
    let (username, password) = (connection.setting("username"), connection.setting("password"));
    let (Some(username), Some(password)) = (username, password.filter(|password| !password.is_empty())) else {
        tracing::error!(connection.id = %connection.id, "the connection has no `username` and `password`: nobody is believed");
        return Err(Disbelief::Fault(SecurityFault::FailedAuthentication));
    };
    if auth == "basic" {
        let given = inbound.header("authorization").and_then(|text| text.split_once(' '));
        let given = given.filter(|(kind, _)| kind.eq_ignore_ascii_case("basic"));
        let given = given.and_then(|(_, code)| STANDARD.decode(code.trim()).ok()).unwrap_or_default();
        let wanted = format!("{username}:{password}");
        return if bool::from(given.ct_eq(wanted.as_bytes())) { Ok(()) } else { Err(Disbelief::Basic) };
    }
    let Some((nonce, until)) = proof.map_err(Disbelief::Fault)? else { return Ok(()) };
    let (name, now) = (format!("wsse/{}/{nonce}", connection.id), inbound.now.as_microsecond());
    let until = until.as_microsecond();
    match hub.store.write(job!(|tx| { tx.use_once(&name, now, until).await })).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(Disbelief::Fault(SecurityFault::InvalidSecurityToken)),
        Err(error) => {
            tracing::error!(error = %error, connection.id = %connection.id, "nonces cannot be remembered");
            Err(Disbelief::Unavailable)
        }
    }
}

fn find<'h>(headers: &'h [(String, String)], name: &str) -> Option<&'h str> {
    headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// A name that is safe to show.
fn shown(name: &str) -> String {
    name.chars().take(60).collect()
}
