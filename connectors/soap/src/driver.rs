//! `driver: soap`: requests as SOAP messages, answers and faults as trees. Requests of a manifest without `soap` go as
//! they are.

use crate::compose::compose;
use crate::fault::Fault;
use crate::names::Version;
use crate::read::{Message, Rules, read};
use crate::security::{self, Proof};
use crate::{addressing, write};
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hub_kit::call::{Answer, Verdict, exchange};
use hub_kit::client::{Request, Response};
use hub_kit::manifest::{ErrorVerdict, QName, RequestTemplate, SoapAuth, SoapRequest};
use hub_kit::{
    CallContext, CallError, Connection, Driver, InboundRequest, Manifest, Opened, Operation, Party, Reply, WebhookError,
};
use hub_tree::jiff::{SignedDuration, Timestamp};
use hub_tree::{Arena, Findings, Limits, Span, Value, json, random, xml};

/// The driver.
#[derive(Debug, Default)]
pub struct Soap;

/// The header under which a token waits for its place in the envelope: `soap.session` of the manifest says where.
const SESSION: &str = "soap-session";
/// How long a message is good.
const LIVES: SignedDuration = SignedDuration::from_secs(300);

#[async_trait]
impl Driver for Soap {
    fn name(&self) -> &'static str {
        "soap"
    }

    fn way_to_payload(&self, template: &RequestTemplate) -> &'static [&'static str] {
        if template.soap.is_some() { &["Envelope", "Body", "*"] } else { &["*"] }
    }

    fn check(&self, manifest: &Manifest, findings: &Findings) {
        let error =
            |span: Span, message: &str, help: Option<String>| findings.error(&manifest.source, span, message, help);
        if manifest.egress.is_empty() && manifest.base_url.is_some() {
            let help = Some("list the hosts of `base_url` and of the token address".to_owned());
            error(Span::default(), "`egress` names no host that calls may reach", help);
        }
        let known: Vec<&str> = manifest.types.iter().map(|one| one.key.as_str()).collect();
        for soap in manifest.operations.iter().filter_map(|operation| operation.request.soap.as_ref()) {
            for (key, span) in [&soap.message, &soap.reply_type].into_iter().flatten() {
                if manifest.types.get(key).is_none() {
                    let help =
                        hub_tree::nearest(key, known.iter().copied()).map(|near| format!("did you mean `{near}`?"));
                    error(*span, &format!("`types` has no `{key}`"), help);
                }
            }
        }
    }

    fn check_connection(&self, connection: &Connection, findings: &Findings) {
        let known = |name: &str, words: &[&str]| {
            if let Some(found) = connection.setting(name)
                && !words.contains(&found.as_str())
            {
                let message = format!("`{name}` is one of {}", words.join(", "));
                findings.error(&connection.source, connection.setting_span(name), message, None);
            }
        };
        known("soap_version", &["1.1", "1.2"]);
        known("auth", &SoapAuth::WORDS.map(|(word, _)| word));
        if auth(connection) != SoapAuth::None && connection.setting("password").is_none() {
            let message = "requests show who asks, and the setting `password` is missing";
            findings.error(&connection.source, connection.setting_span("auth"), message, None);
        }
    }

    fn write_request(
        &self,
        cx: &CallContext<'_>,
        operation: &Operation,
        template: &RequestTemplate,
        request: &mut Request,
    ) -> Result<(), CallError> {
        let Some(soap) = &template.soap else { return Ok(()) };
        let unbuildable = |reason: String| CallError::Build { operation: operation.name.clone(), reason };
        let place = cx.connection.manifest.place(soap.span);
        // The request for a token shows what its body says.
        let authenticates = std::ptr::eq(template, &operation.request) && !operation.anonymous;
        let made =
            make(cx, soap, authenticates, request).map_err(|reason| unbuildable(format!("{place}: {reason}")))?;
        request.body = made.body;
        request.headers.retain(|(name, _)| !matches!(name.as_str(), "content-type" | "accept" | SESSION));
        request.headers.extend(made.headers);
        Ok(())
    }

    fn read_response(
        &self,
        connection: &Connection,
        template: &RequestTemplate,
        response: &mut Response,
    ) -> Result<(), String> {
        let Some(soap) = &template.soap else { return template.answer.read(&mut response.body) };
        if response.body.is_empty() && soap.one_way && (200..300).contains(&response.status) {
            return Ok(());
        }
        let header = |name: &str| response.headers.iter().find(|(known, _)| known == name).map(|(_, v)| v.clone());
        let (content_type, coding) = (header("content-type"), header("content-encoding"));
        let own = |names: &[QName]| names.iter().map(|name| (name.namespace.clone(), name.name.clone())).collect();
        let understood = own(&connection.manifest.soap.understands);
        let rules = Rules { empty_body: soap.one_way, understood, ..Rules::client() };
        let arena = Arena::new();
        let message = Message {
            body: &response.body,
            content_type: content_type.as_deref(),
            content_encoding: coding.as_deref(),
        };
        let envelope =
            read(&arena, &message, &rules).map_err(|refusal| format!("{}: {refusal}", refusal.reason.word()))?;
        let text = if let Some(fault) = &envelope.fault {
            if let Some(wait) = fault.class().retry_after.filter(|_| header("retry-after").is_none()) {
                response.headers.push(("retry-after".to_owned(), wait.to_string()));
            }
            fault_text(fault)
        } else {
            check_element(connection, soap, envelope.element.map(|(_, name)| name))?;
            json::to_string(&envelope.payload)
        };
        response.body = text.into_bytes();
        Ok(())
    }

    async fn call(&self, cx: &CallContext<'_>, operation: &Operation, args: &[u8]) -> Result<Reply, CallError> {
        exchange(cx, operation, args, self).await
    }

    fn read_answer(&self, answer: &Answer<'_>) -> Option<Verdict> {
        let fault = answer.payload.get("Fault");
        let party = fault.get("party").as_text()?;
        let flag = |name: &str| matches!(fault.get(name), Value::Bool(true));
        let verdict = if flag("session") {
            ErrorVerdict::Token
        } else if party == Party::Credential.word() {
            ErrorVerdict::Credentials
        } else if party == Party::Config.word() {
            ErrorVerdict::Config
        } else if party == Party::Remote.word() && flag("retryable") {
            if answer.headers.iter().any(|(name, _)| name == "retry-after") {
                ErrorVerdict::Wait
            } else {
                ErrorVerdict::Retry
            }
        } else {
            ErrorVerdict::Refused
        };
        let code = fault.get("vendor_code").as_text().or_else(|| fault.get("code").as_text());
        Some(Verdict::Bad(verdict, code.map(ToOwned::to_owned)))
    }

    fn make_webhook(&self, connection: &Connection, body: &[u8], now: Timestamp) -> Option<InboundRequest> {
        connection.made_request(body, now)
    }

    fn open_webhook(&self, connection: &Connection, request: &InboundRequest) -> Result<Opened, WebhookError> {
        connection.verify(request)?;
        Ok(Opened::kept(request.body.clone()))
    }
}

/// The version that a connection speaks.
#[must_use]
pub fn version(connection: &Connection) -> Version {
    let told = connection.setting("soap_version").or_else(|| connection.manifest.soap.version.clone());
    if told.as_deref() == Some("1.2") { Version::V12 } else { Version::V11 }
}

/// How requests of a connection show who asks.
#[must_use]
pub fn auth(connection: &Connection) -> SoapAuth {
    let told = connection.setting("auth");
    let found = told.and_then(|told| SoapAuth::WORDS.into_iter().find(|(word, _)| *word == told));
    found.map_or(connection.manifest.soap.auth, |(_, auth)| auth)
}

/// What a fault is to expressions: `payload.Fault`, the same for both versions.
#[must_use]
pub fn fault_text(fault: &Fault<'_>) -> String {
    let arena = Arena::new();
    let class = fault.class();
    let subcodes: Vec<Value<'_>> = fault.subcodes.iter().map(|text| Value::Text(text)).collect();
    let vendor_code = fault.vendor_code();
    let mut entries = vec![
        ("code", Value::Text(&fault.code)),
        ("subcodes", arena.list(&subcodes)),
        ("vendor_code", vendor_code.as_deref().map_or(Value::Absent, Value::Text)),
        ("reason", Value::Text(&fault.reason)),
        ("actor", fault.actor.as_deref().map_or(Value::Absent, Value::Text)),
        ("party", Value::Text(class.party.word())),
        ("retryable", Value::Bool(class.retryable)),
        ("session", Value::Bool(class.session)),
        ("detail", fault.detail),
    ];
    entries.retain(|(_, value)| !value.is_absent());
    json::to_string(&arena.map(&[("Fault", arena.map(&entries))]))
}

/// An answer of another kind than was asked for is no answer.
fn check_element(connection: &Connection, soap: &SoapRequest, found: Option<&str>) -> Result<(), String> {
    let types = &connection.manifest.types;
    let described = soap.reply_type.as_ref().and_then(|(key, _)| types.get(key)).map(|one| one.name.as_str());
    match (soap.reply.as_deref().or(described), found) {
        (Some(wanted), Some(found)) if wanted != found => {
            let found: String = found.chars().take(60).collect();
            Err(format!("wrong_element: the answer is `{found}`, not `{wanted}`"))
        }
        _ => Ok(()),
    }
}

/// A message, ready to be sent.
struct Made {
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

fn make(cx: &CallContext<'_>, soap: &SoapRequest, authenticates: bool, request: &Request) -> Result<Made, String> {
    let (connection, manifest) = (cx.connection, &cx.connection.manifest);
    let version = version(connection);
    let arena = Arena::new();
    let content = json::read(&arena, &request.body, Limits::default()).map_err(|error| error.to_string())?;
    let composed = compose(version, soap, &manifest.types, &content)?;
    let mut headers = vec![
        ("accept".to_owned(), "text/xml, application/soap+xml, multipart/related".to_owned()),
        ("accept-encoding".to_owned(), "gzip, deflate".to_owned()),
    ];
    let mut blocks = Vec::new();
    if authenticates {
        let proof = match auth(connection) {
            SoapAuth::WsseText => Some(Proof::Text),
            SoapAuth::WsseDigest => Some(Proof::Digest),
            SoapAuth::Basic => {
                let (username, password) = credentials(connection)?;
                let pair = STANDARD.encode(format!("{username}:{password}"));
                headers.push(("authorization".to_owned(), format!("Basic {pair}")));
                None
            }
            SoapAuth::None => None,
        };
        if let Some(proof) = proof {
            let (username, password) = credentials(connection)?;
            let nonce = random::bytes::<16>();
            blocks.push(security::header(version, proof, &username, &password, &nonce, cx.clock.now(), LIVES));
        }
    }
    if let Some((_, token)) = request.headers.iter().find(|(name, _)| name == SESSION) {
        blocks.push(session(manifest, token)?);
    }
    if manifest.soap.addressing {
        let id = format!("urn:uuid:{}", uuid());
        blocks.extend(addressing::request(soap.action.as_deref().unwrap_or_default(), request.url.as_str(), &id));
    }
    let own = soap.headers(connection, &arena)?;
    for (name, value) in own.entries() {
        let block = xml::write(&arena.map(&[(name, *value)]), false);
        blocks.push(block.map_err(|error| error.to_string())?);
    }
    let text = write::envelope(version, &blocks, &composed.xml);
    if version == Version::V11 {
        headers.push(("soapaction".to_owned(), write::quoted(soap.action.as_deref().unwrap_or_default())));
    }
    let (content_type, body) = if composed.attachments.is_empty() {
        (write::content_type(version, soap.action.as_deref()), text.into_bytes())
    } else {
        let boundary = format!("hub-{}", random::token(32));
        write::multipart(version, soap.action.as_deref(), &text, &composed.attachments, &boundary)
    };
    headers.push(("content-type".to_owned(), content_type));
    Ok(Made { headers, body })
}

fn credentials(connection: &Connection) -> Result<(String, String), String> {
    let username = connection.manifest.soap.username(connection);
    let missing = |name: &str| format!("the setting `{name}` is missing");
    Ok((
        username.ok_or_else(|| missing("username"))?,
        connection.setting("password").ok_or_else(|| missing("password"))?,
    ))
}

/// The header block that shows a token.
fn session(manifest: &Manifest, token: &str) -> Result<String, String> {
    let Some(QName { namespace, name }) = &manifest.soap.session else {
        return Err(format!("the token is shown in `{SESSION}`, and `soap.session` does not say as what"));
    };
    let arena = Arena::new();
    let block = arena.map(&[("@xmlns", Value::Text(namespace)), ("#text", Value::Text(token))]);
    xml::write(&arena.map(&[(name, block)]), false).map_err(|error| error.to_string())
}

/// A random UUID (version 4).
fn uuid() -> String {
    let mut bytes = random::bytes::<16>();
    bytes[6] = bytes[6] & 0x0F | 0x40;
    bytes[8] = bytes[8] & 0x3F | 0x80;
    let digits = hex::encode(bytes);
    let parts = [(0, 8), (8, 12), (12, 16), (16, 20), (20, 32)];
    parts.map(|(from, to)| digits.get(from..to).unwrap_or_default()).join("-")
}
