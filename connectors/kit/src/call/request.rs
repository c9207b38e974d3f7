//! The request of a call: what the manifest says, filled in.

use crate::client::Request;
use crate::connection::Connection;
use crate::driver::CallContext;
use crate::failure::CallError;
use crate::manifest::{Body, KeyPlace, Operation, RequestTemplate};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hub_expr::{Cx, Located, Templated};
use hub_tree::{Arena, Limits, Span, Value, json, xml};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use url::Url;

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

/// Fills in a request.
pub(super) fn build(
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
    let mut headers = vec![("accept".to_owned(), template.answer.media_types().to_owned())];
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
        Body::Xml(located) => {
            let value = eval(cx.connection, operation, located, &mut Cx::new(&arena, slots.clone()))?;
            let text = xml::write(&value, true);
            let text = text.map_err(|e| unbuildable(cx.connection, operation, located.span, &e.to_string()))?;
            (Some("application/xml; charset=utf-8"), text.into_bytes())
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

/// Puts the id of the call where the vendor looks for it. A key that the mapping has put into the body stays.
pub(super) fn show_key(request: &mut Request, place: &KeyPlace, key: &str) {
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

pub(super) fn basic((username, password): &(String, String)) -> (String, String) {
    ("authorization".to_owned(), format!("Basic {}", STANDARD.encode(format!("{username}:{password}"))))
}

pub(crate) fn unbuildable(connection: &Connection, operation: &Operation, span: Span, message: &str) -> CallError {
    let place = connection.manifest.place(span);
    CallError::Build { operation: operation.name.clone(), reason: format!("{place}: {message}") }
}

pub(super) fn eval<'a>(
    connection: &Connection,
    operation: &Operation,
    located: &'a Located,
    values: &mut Cx<'a>,
) -> Result<Value<'a>, CallError> {
    located.expr.eval(values).map_err(|error| unbuildable(connection, operation, located.span, &error.message))
}

pub(crate) fn request_slots<'a>(connection: &Connection, arena: &'a Arena, args: Value<'a>) -> Vec<Value<'a>> {
    vec![connection.settings(arena), Value::Text(arena.text(&connection.base_url)), args]
}

pub(super) fn answer_slots<'a>(
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

pub(super) fn text_of(cx: &CallContext<'_>, operation: &Operation, templated: &Templated) -> Result<String, CallError> {
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
}
