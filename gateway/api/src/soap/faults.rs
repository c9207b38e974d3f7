//! What is answered when a message is not handled: faults of either version.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use hub_flow::serve::ServeFault;
use hub_kit::Connection;
use hub_kit::manifest::{QName, SoapRequest, SoapStyle};
use hub_kit::serves::Serves;
use hub_soap::compose::compose;
use hub_soap::write::{FaultAnswer, content_type};
use hub_soap::{FaultCode, Version};
use hub_tree::{Arena, Span, TraceContext, Value};

/// A message by its element and type.
pub(super) fn message(element: &QName, type_key: Option<&str>) -> SoapRequest {
    SoapRequest {
        action: None,
        element: Some(element.clone()),
        message: type_key.map(|key| (key.to_owned(), Span::default())),
        reply_type: None,
        reply: None,
        style: SoapStyle::Document,
        qualified: true,
        headers: None,
        one_way: false,
        mtom: false,
        span: Span::default(),
    }
}

/// A fault with the connector's own detail: `code`, `message`, `retryable`, `correlationId`, as far as its type has them.
pub(super) fn fault_of(
    connection: &Connection,
    serves: &Serves,
    version: Version,
    fault: &ServeFault,
    trace: &TraceContext,
) -> FaultAnswer {
    let (code, own, text, retryable) = match fault {
        ServeFault::Caller { code, message } => (FaultCode::Sender, *code, message.as_str(), false),
        ServeFault::Unavailable => {
            (FaultCode::Receiver, "UNAVAILABLE", "nothing can be accepted now: send it again later", true)
        }
        ServeFault::Broken => (FaultCode::Receiver, "INTERNAL", "the hub cannot handle this message", false),
    };
    let detail = detail(connection, serves, version, (own, text, retryable), trace);
    FaultAnswer { detail, ..FaultAnswer::new(code, text) }
}

/// The connector's own detail of a fault; none where it has no type for it.
pub(super) fn detail(
    connection: &Connection,
    serves: &Serves,
    version: Version,
    (code, text, retryable): (&str, &str, bool),
    trace: &TraceContext,
) -> Option<String> {
    let key = serves.fault.as_ref()?;
    let types = &connection.manifest.types;
    let id = trace.id();
    let all = [
        ("code", Value::Text(code)),
        ("message", Value::Text(text)),
        ("retryable", Value::Bool(retryable)),
        ("correlationId", Value::Text(&id)),
    ];
    let fields = types.fields(key);
    let known: Vec<_> = all.into_iter().filter(|(name, _)| fields.iter().any(|field| field.name == *name)).collect();
    let arena = Arena::new();
    let element = QName { namespace: serves.namespace.clone(), name: key.clone() };
    compose(version, &message(&element, Some(key)), types, &arena.map(&known)).ok().map(|composed| composed.xml)
}

pub(super) fn busy() -> FaultAnswer {
    FaultAnswer::new(FaultCode::Receiver, "nothing can be accepted now: send it again later")
}

/// A fault with the status of its version.
pub(super) fn refuse(version: Version, blocks: &[String], fault: &FaultAnswer) -> Response {
    let status = StatusCode::from_u16(fault.status(version)).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let text = fault.write(version, blocks);
    (status, [(header::CONTENT_TYPE, content_type(version, None))], text).into_response()
}

/// A fault with a status that says more to those between.
pub(super) fn with_status(version: Version, status: StatusCode, fault: &FaultAnswer) -> Response {
    let mut response = refuse(version, &[], fault);
    *response.status_mut() = status;
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("5"));
    }
    response
}
