//! Requests that prove who sends them: what the proof is made of, and where it is shown, is data of the manifest.
//!
//! Signing is the last step before a request is sent, after the driver has put the body onto the wire, and is done anew
//! for each attempt: time and nonce are never those of another one.

use crate::call::{request_slots, unbuildable};
use crate::client::Request;
use crate::connection::Connection;
use crate::driver::CallContext;
use crate::failure::CallError;
use crate::manifest::{Compiler, Operation};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, Pkcs1PublicEncryptingKey, PublicEncryptingKey};
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hub_expr::{Cx, Located, Scope, Templated, Type};
use hub_tree::jiff::Timestamp;
use hub_tree::yaml::{Fields, Node};
use hub_tree::{Arena, Span, Value, random};

/// How requests are signed.
#[derive(Debug)]
pub struct Signing {
    /// Values with names, computed in order.
    values: Vec<(String, Step)>,
    /// Headers that are added to a request, or take the place of its own.
    headers: Vec<(String, Templated)>,
    /// Parameters that are added to its query.
    query: Vec<(String, Templated)>,
    /// Fields that are added to its body, a form.
    form: Vec<(String, Templated)>,
}

/// How a named value is made.
#[derive(Debug)]
enum Step {
    /// By an expression.
    Value(Located),
    /// Text under an RSA key, in base64. It comes out otherwise every time, which is why no function does it.
    Sealed { text: Located, key: Located, padding: Located, span: Span },
    /// The signature of text by a private RSA key (RSASSA-PKCS1-v1_5 with SHA-256), in base64.
    Signed { text: Located, key: Located, span: Span },
}

/// What differs from one request to the next.
#[derive(Clone, Debug)]
pub(crate) struct Moment {
    now: Timestamp,
    nonce: String,
    /// Whether sealed text stays as it is, so that the same words come out every time.
    plain: bool,
}

impl Moment {
    /// That of an attempt.
    pub(crate) fn of(cx: &CallContext<'_>) -> Self {
        Self { now: cx.clock.now(), nonce: random::token(32), plain: false }
    }

    /// One that is always the same: what a request is called by must not change with time.
    pub(crate) const fn fixed() -> Self {
        Self { now: Timestamp::UNIX_EPOCH, nonce: String::new(), plain: true }
    }
}

impl Signing {
    /// Signs a request. `token` is the one that it shows, if it shows one.
    ///
    /// # Errors
    /// A value cannot be computed, with the manifest's place.
    pub(crate) fn apply(
        &self,
        connection: &Connection,
        operation: &Operation,
        token: Option<&str>,
        moment: &Moment,
        request: &mut Request,
    ) -> Result<(), CallError> {
        let arena = Arena::new();
        let fail = |span: Span, message: &str| unbuildable(connection, operation, span, message);
        let mut slots = request_slots(connection, &arena, Value::Absent);
        slots.pop();
        let shown = describe(&arena, request).map_err(|message| fail(operation.span, message))?;
        slots.push(shown);
        slots.push(Value::DateTime(moment.now));
        slots.push(Value::Text(arena.text(&moment.nonce)));
        slots.push(token.map_or(Value::Absent, |token| Value::Text(arena.text(token))));
        let value = |located: &Located, slots: &[Value<'_>]| -> Result<String, CallError> {
            let arena = Arena::new();
            let slots = slots.iter().map(|value| value.copy_into(&arena)).collect();
            let value = located.expr.eval(&mut Cx::new(&arena, slots));
            let value = value.map_err(|error| fail(located.span, &error.message))?;
            value.scalar_text(&arena).map(ToOwned::to_owned).ok_or_else(|| fail(located.span, "the value is no text"))
        };
        for (_, step) in &self.values {
            let made = match step {
                Step::Value(located) => {
                    let mut cx = Cx::new(&arena, slots.clone());
                    located.expr.eval(&mut cx).map_err(|error| fail(located.span, &error.message))?
                }
                Step::Sealed { text, key, padding, span } => {
                    let (text, key, padding) = (value(text, &slots)?, value(key, &slots)?, value(padding, &slots)?);
                    let sealed =
                        if moment.plain { Ok(format!("{padding} {key} {text}")) } else { seal(&text, &key, &padding) };
                    Value::Text(arena.text(&sealed.map_err(|message| fail(*span, message))?))
                }
                Step::Signed { text, key, span } => {
                    let (text, key) = (value(text, &slots)?, value(key, &slots)?);
                    Value::Text(arena.text(&sign(&text, &key).map_err(|message| fail(*span, message))?))
                }
            };
            slots.push(made);
        }
        let render = |templated: &Templated| -> Result<Option<String>, CallError> {
            let mut values = Cx::new(&arena, slots.clone());
            let value = templated.template.render(&mut values, &|text, out| out.push_str(text));
            let value = value.map_err(|error| fail(templated.span, &error.message))?;
            if value.is_absent() {
                return Ok(None);
            }
            value
                .scalar_text(&arena)
                .map(|text| Some(text.to_owned()))
                .ok_or_else(|| fail(templated.span, "the value is no text"))
        };
        for (name, templated) in &self.headers {
            if let Some(text) = render(templated)? {
                request.headers.retain(|(known, _)| known != name);
                request.headers.push((name.clone(), text));
            }
        }
        for (name, templated) in &self.query {
            if let Some(text) = render(templated)? {
                request.url.query_pairs_mut().append_pair(name, &text);
            }
        }
        for (name, templated) in &self.form {
            if let Some(text) = render(templated)? {
                let pair = url::form_urlencoded::Serializer::new(String::new()).append_pair(name, &text).finish();
                if !request.body.is_empty() {
                    request.body.push(b'&');
                }
                request.body.extend_from_slice(pair.as_bytes());
            }
        }
        Ok(())
    }
}

impl Signing {
    /// Signs a request as of an instant and with a given nonce, as published examples are signed. `token` is the one that
    /// it shows, if it shows one.
    ///
    /// # Errors
    /// A value cannot be computed, with the manifest's place.
    pub fn sign_at(
        &self,
        connection: &Connection,
        token: Option<&str>,
        (now, nonce): (Timestamp, &str),
        request: &mut Request,
    ) -> Result<(), CallError> {
        let moment = Moment { now, nonce: nonce.to_owned(), plain: false };
        match connection.manifest.operations.first() {
            Some(operation) => self.apply(connection, operation, token, &moment, request),
            None => Ok(()),
        }
    }
}

/// What expressions see of a request: `method`, `host` (with a port that is not the usual one), `path` as it is sent,
/// `query` and `headers` by name, and `body` as text.
fn describe<'a>(arena: &'a Arena, request: &Request) -> Result<Value<'a>, &'static str> {
    let text = |text: &str| Value::Text(arena.text(text));
    let body = std::str::from_utf8(&request.body).map_err(|_| "a body that is no UTF-8 text cannot be signed")?;
    let mut query: Vec<(&str, Value<'a>)> = Vec::new();
    for (name, value) in request.url.query_pairs() {
        if !query.iter().any(|(known, _)| *known == name) {
            query.push((arena.text(&name), text(&value)));
        }
    }
    let mut headers: Vec<(&str, Value<'a>)> = Vec::new();
    for (name, value) in &request.headers {
        headers.retain(|(known, _)| known != name);
        headers.push((arena.text(name), text(value)));
    }
    let host = request.url.host_str().unwrap_or_default();
    let host = request.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    Ok(arena.map(&[
        ("method", text(&request.method)),
        ("host", text(&host)),
        ("path", text(request.url.path())),
        ("query", arena.map(&query)),
        ("headers", arena.map(&headers)),
        ("body", text(body)),
    ]))
}

/// What a key in base64 or PEM stands for.
fn der_of(key: &str) -> Option<Vec<u8>> {
    let body: String = key.lines().filter(|line| !line.starts_with("-----")).flat_map(str::split_whitespace).collect();
    STANDARD.decode(body).ok()
}

/// The signature of text by a private RSA key (PKCS#8 or PKCS#1, in base64 or PEM), in base64.
fn sign(text: &str, key: &str) -> Result<String, &'static str> {
    let der = der_of(key).ok_or("the private key is no base64")?;
    let pair = RsaKeyPair::from_pkcs8(&der).or_else(|_| RsaKeyPair::from_der(&der));
    let pair = pair.map_err(|_| "the private key is no RSA key of 2048 bits or more")?;
    let mut signature = vec![0; pair.public_modulus_len()];
    let signed = pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature);
    signed.map_err(|_| "the private key cannot be used")?;
    Ok(STANDARD.encode(signature))
}

/// Text under a public RSA key (X.509, in base64 or PEM), block by block, in base64.
fn seal(text: &str, key: &str, padding: &str) -> Result<String, &'static str> {
    let der = der_of(key).ok_or("the public key is no base64")?;
    let key = PublicEncryptingKey::from_der(&der).map_err(|_| "the public key is no RSA key of 2048 bits or more")?;
    let size = key.key_size_bytes();
    let mut sealed = Vec::new();
    match padding {
        "oaep_sha256" => {
            let key = OaepPublicEncryptingKey::new(key).map_err(|_| "the public key cannot be used")?;
            for block in text.as_bytes().chunks(key.max_plaintext_size(&OAEP_SHA256_MGF1SHA256)) {
                let mut out = vec![0; size];
                let part = key.encrypt(&OAEP_SHA256_MGF1SHA256, block, &mut out, None);
                sealed.extend_from_slice(part.map_err(|_| "the public key cannot be used")?);
            }
        }
        "pkcs1" => {
            let key = Pkcs1PublicEncryptingKey::new(key).map_err(|_| "the public key cannot be used")?;
            for block in text.as_bytes().chunks(key.max_plaintext_size()) {
                let mut out = vec![0; size];
                let part = key.encrypt(block, &mut out);
                sealed.extend_from_slice(part.map_err(|_| "the public key cannot be used")?);
            }
        }
        _ => return Err("`padding` is neither `oaep_sha256` nor `pkcs1`"),
    }
    Ok(STANDARD.encode(sealed))
}

impl Compiler<'_, '_> {
    /// Reads `let`, `headers`, `query` and `form` of a signing out of `fields`. Expressions see `settings`, `base_url`,
    /// `request`, `now`, `nonce`, `token` and the names above them.
    pub(crate) fn signing(&self, fields: &mut Fields<'_, '_>) -> Option<Signing> {
        let part = |names: [&'static str; 6]| Type::record("request", names.map(|name| (name, Type::Any)));
        let mut scope = Scope::new([
            ("settings", self.settings.clone()),
            ("base_url", Type::Text),
            ("request", part(["method", "host", "path", "query", "headers", "body"])),
            ("now", Type::DateTime),
            ("nonce", Type::Text),
            ("token", Type::Text),
        ]);
        let mut values = Vec::new();
        for (key, node) in fields.optional("let").map(|node| node.entries(self.cx)).unwrap_or_default() {
            values.push(self.signing_step(node, &scope).map(|step| (key.name.clone(), step)));
            scope.push(&key.name, Type::Any);
        }
        let headers = self.templates_in(fields.optional("headers"), &scope);
        let headers: Vec<_> = headers.into_iter().map(|(name, value)| (name.to_lowercase(), value)).collect();
        let query = self.templates_in(fields.optional("query"), &scope);
        let form = self.templates_in(fields.optional("form"), &scope);
        if headers.is_empty() && query.is_empty() && form.is_empty() {
            self.cx.error(fields.span, "a signature is shown in `headers`, in the `query` or in the `form`");
            return None;
        }
        Some(Signing { values: values.into_iter().collect::<Option<_>>()?, headers, query, form })
    }

    /// Reads `signed: { let, headers, query }` and the like.
    pub(crate) fn signing_node(&self, node: &Node) -> Option<Signing> {
        let mut fields = node.fields(self.cx)?;
        let signing = self.signing(&mut fields);
        fields.finish();
        signing
    }

    fn signing_step(&self, node: &Node, scope: &Scope) -> Option<Step> {
        if node.scalar().is_some() {
            return self.expr(node, scope).map(Step::Value);
        }
        let mut fields = node.fields(self.cx)?;
        let expr = |node: Option<&Node>| node.and_then(|node| self.expr(node, scope));
        if let Some(node) = fields.optional("rsa_sha256") {
            let (text, key, span) = (expr(Some(node)), expr(fields.required("key")), fields.span);
            fields.finish();
            return Some(Step::Signed { text: text?, key: key?, span });
        }
        let text = expr(fields.required("rsa"));
        let key = expr(fields.required("key"));
        let padding = expr(fields.required("padding"));
        let span = fields.span;
        fields.finish();
        Some(Step::Sealed { text: text?, key: key?, padding: padding?, span })
    }
}

#[cfg(test)]
mod tests;
