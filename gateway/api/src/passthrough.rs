//! `POST /v1/passthrough/{connection}/{operation}`: one call of a connection's operation, with the hub's authentication,
//! rates and circuit. JSON arguments in, the reply's tree out; it is never repeated.

use crate::Api;
use crate::auth::Caller;
use crate::body::{bytes, idempotency_key};
use crate::connections::find;
use crate::problem::Problem;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName};
use axum::response::{IntoResponse, Response};
use hub_flow::access::Scope;
use hub_flow::audit::Entry;
use hub_flow::send::passthrough::{NotPassed, Passing};
use hub_kit::{CallError, Operation, Party};
use hub_tree::finding::suggest;
use hub_tree::{Arena, Limits, TraceContext, Value, json};

/// Makes the call.
pub(crate) async fn call(
    State(api): State<Api>,
    Caller(who): Caller,
    Path((id, name)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    who.need(Scope::Passthrough)?;
    let connection = find(&api, &who.tenant, &id)?;
    let Some(operation) = connection.manifest.operation(&name) else {
        let near = suggest(&name, connection.manifest.operations.iter().map(|known| known.name.as_str()));
        let near = near.map(|near| format!("; {near}")).unwrap_or_default();
        return Err(Problem::not_found(format!("this connection has no operation `{name}`{near}")));
    };
    let args = bytes(body).await?;
    let args = if args.is_empty() { b"{}".as_slice() } else { &args };
    {
        let arena = Arena::new();
        match json::read(&arena, args, Limits::default()) {
            Ok(Value::Map(_)) => {}
            Ok(_) => return Err(Problem::malformed("the arguments are no JSON object")),
            Err(error) => return Err(Problem::malformed(format!("the arguments are no JSON: {error}"))),
        }
    }
    let trace = TraceContext::begin();
    let told = Entry::by(&who, "passthrough.called").about("connection", &id).detail("operation", name.as_str());
    api.hub.audit(told.trace(&trace.id())).await?;
    let passing =
        Passing { connection: &connection, operation, args, key: idempotency_key(&headers)?, by: &who.name, trace };
    let passed = api.hub.pass_through(passing).await;
    let reply = passed.map_err(|why| problem(why, operation).with_trace(trace.id()))?;
    let body = if reply.body.is_empty() { b"null".to_vec() } else { reply.body };
    let trace_header = HeaderName::from_static("hub-trace-id");
    Ok(([(CONTENT_TYPE, "application/json".to_owned()), (trace_header, trace.id())], body).into_response())
}

fn problem(why: NotPassed, operation: &Operation) -> Problem {
    let retryable = why.retryable(operation);
    let told = match &why {
        NotPassed::Failed(error) => (error.vendor_code().map(ToOwned::to_owned), error.party()),
        _ => (None, Party::Remote),
    };
    let problem = match why {
        NotPassed::Store(error) => return error.into(),
        NotPassed::Consent(purposes) => return Problem::consent_missing(&purposes),
        NotPassed::Circuit(reason) => {
            let reason = if reason.is_empty() { String::new() } else { format!(": {reason}") };
            Problem::vendor_unwell(format!("no calls are made to this connection now{reason}"))
        }
        NotPassed::Rate(wait) => Problem::vendor_busy("the vendor's rate is used up; nothing was sent", Some(wait)),
        NotPassed::Failed(error) => match &error {
            CallError::Wait { retry_after, .. } => Problem::vendor_busy(error.to_string(), *retry_after),
            CallError::Absent { .. } => Problem::vendor_absent(error.to_string()),
            CallError::Trouble { .. } => Problem::vendor_trouble(error.to_string()),
            CallError::NoAnswer(_) => Problem::no_vendor_answer(error.to_string()),
            _ if told.1 == Party::Caller => Problem::vendor_refused(error.to_string()),
            _ => Problem::connection_fault(error.to_string()),
        },
    };
    problem.of_vendor(told.0, told.1.word(), retryable)
}
