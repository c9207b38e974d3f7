//! What a manifest says of SOAP: `soap` beside a request, and `soap` for all requests of the vendor.
//!
//! ```yaml
//! soap: { version: "1.1", auth: wsse_text, username: "{settings.username}@{settings.tenant}" }
//! operations:
//!   get_employee:
//!     soap: { action: "urn:getEmployee", type: GetEmployee, reply_type: GetEmployeeResponse }
//!     body: "{employeeNo: args.employee_no}"
//!     reads: true
//!   login:
//!     soap: { element: { name: login, namespace: "urn:client" }, style: encoded, reply: loginResponse }
//! ```

use super::{AnswerForm, Body, Compiler, RequestTemplate, Setting};
use crate::connection::Connection;
use hub_expr::{Cx, Located, Templated};
use hub_tree::yaml::{Fields, Node};
use hub_tree::{Arena, Span, Value};

/// A name with its namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QName {
    /// The namespace; empty for none.
    pub namespace: String,
    /// The local name.
    pub name: String,
}

/// How the content of the body's element is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SoapStyle {
    /// As its schema says.
    #[default]
    Document,
    /// An element named like the operation, with unqualified parts.
    Rpc,
    /// The same, and each value says its type.
    Encoded,
}

/// How one request is a SOAP message.
#[derive(Debug)]
pub struct SoapRequest {
    /// What the message asks for, as the transport says it.
    pub action: Option<String>,
    /// The body's element, where no type says it.
    pub element: Option<QName>,
    /// The type of the manifest that describes the body's element.
    pub message: Option<(String, Span)>,
    /// The type that describes that of the answer.
    pub reply_type: Option<(String, Span)>,
    /// The local name of the answer's element, where no type says it.
    pub reply: Option<String>,
    /// How the content is written.
    pub style: SoapStyle,
    /// Whether children of an element without a type are in its namespace.
    pub qualified: bool,
    /// Header blocks: an object of elements, with prefixes that `@xmlns:` binds.
    pub headers: Option<Located>,
    /// Whether the answer may be empty.
    pub one_way: bool,
    /// Whether large binary values stand beside the envelope.
    pub mtom: bool,
    /// Where it is said.
    pub span: Span,
}

/// How requests show who asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SoapAuth {
    /// They do not, or in a way that is no matter of SOAP.
    #[default]
    None,
    /// A UsernameToken with the password.
    WsseText,
    /// A UsernameToken with a digest.
    WsseDigest,
    /// HTTP Basic.
    Basic,
}

impl SoapAuth {
    /// How settings and manifests write it.
    pub const WORDS: [(&'static str, Self); 4] = [
        ("none", Self::None),
        ("wsse_text", Self::WsseText),
        ("wsse_digest", Self::WsseDigest),
        ("basic", Self::Basic),
    ];
}

/// What holds for all SOAP requests of a vendor.
#[derive(Debug, Default)]
pub struct SoapRules {
    /// `1.1` or `1.2`, unless a connection says otherwise.
    pub version: Option<String>,
    /// How requests show who asks, unless a connection says otherwise.
    pub auth: SoapAuth,
    /// The user, where it is more than the setting `username`.
    pub username: Option<Templated>,
    /// Whether requests carry WS-Addressing blocks.
    pub addressing: bool,
    /// The header block that shows the connection's token.
    pub session: Option<QName>,
    /// Header blocks of answers that are understood.
    pub understands: Vec<QName>,
}

impl SoapRules {
    /// The user of a connection.
    #[must_use]
    pub fn username(&self, connection: &Connection) -> Option<String> {
        let Some(templated) = &self.username else { return connection.setting("username") };
        let arena = Arena::new();
        let value =
            templated.template.render(&mut Cx::new(&arena, slots(connection, &arena)), &|text, out| out.push_str(text));
        value.ok()?.scalar_text(&arena).map(ToOwned::to_owned)
    }
}

impl SoapRequest {
    /// The request's own header blocks.
    ///
    /// # Errors
    /// The expression fails; with its place in the manifest.
    pub fn headers<'a>(&'a self, connection: &Connection, arena: &'a Arena) -> Result<Value<'a>, String> {
        let Some(located) = &self.headers else { return Ok(Value::Absent) };
        let value = located.expr.eval(&mut Cx::new(arena, slots(connection, arena)));
        value.map_err(|error| format!("{}: {}", connection.manifest.place(located.span), error.message))
    }
}

/// Header blocks know the connection, but not what a single call is about.
fn slots<'a>(connection: &Connection, arena: &'a Arena) -> Vec<Value<'a>> {
    vec![connection.settings(arena), Value::Text(arena.text(&connection.base_url)), Value::Absent]
}

/// Settings of every connection that speaks SOAP.
pub(super) fn add_settings(settings: &mut Vec<Setting>) {
    let own = [
        ("soap_version", "`1.1` or `1.2`, where the vendor takes either"),
        ("auth", "how requests show who asks: none, wsse_text, wsse_digest or basic"),
    ];
    for (name, doc) in own {
        if !settings.iter().any(|known| known.name == name) {
            settings.push(Setting { name: name.to_owned(), required: false, secret: false, doc: doc.to_owned() });
        }
    }
}

impl Compiler<'_, '_> {
    /// `soap` of the vendor.
    pub(super) fn soap_rules(&self, node: &Node) -> Option<SoapRules> {
        let mut fields = node.fields(self.cx)?;
        let version = fields.word("version", &[("1.1", "1.1"), ("1.2", "1.2")]).map(ToOwned::to_owned);
        let auth = fields.word("auth", &SoapAuth::WORDS).unwrap_or_default();
        let username = fields.optional("username").and_then(|node| self.template(node));
        let addressing = fields.bool("addressing").unwrap_or(false);
        let session = fields.optional("session").and_then(|node| self.qname(node));
        let understands = fields.optional("understands").map(|node| node.items(self.cx)).unwrap_or_default();
        let understands = understands.iter().filter_map(|node| self.qname(node)).collect();
        fields.finish();
        Some(SoapRules { version, auth, username, addressing, session, understands })
    }

    /// A request that is a SOAP message: it needs no path, and is posted.
    pub(super) fn soap_request(
        &self,
        node: &Node,
        fields: &mut Fields<'_, '_>,
        default_body: Option<&str>,
    ) -> Option<RequestTemplate> {
        let soap = self.soap(node)?;
        let url = match fields.optional("post") {
            Some(node) => self.template(node),
            None => Templated::fixed("", &self.request, node.span),
        };
        for key in ["get", "put", "patch", "delete", "json", "form", "xml", "answer"] {
            if let Some(node) = fields.optional(key) {
                self.cx.error(
                    node.span,
                    format!("`{key}` does not go with `soap`: a SOAP message is posted, its content is `body`"),
                );
            }
        }
        let query = self.templates(fields.optional("query"));
        let headers = self.templates(fields.optional("headers"));
        let headers = headers.into_iter().map(|(name, value)| (name.to_lowercase(), value)).collect();
        let body = match (fields.optional("body"), default_body) {
            (Some(node), _) => Body::Json(Located::compile(node, &self.request, self.cx)?),
            (None, Some(text)) => Body::Json(Located::fixed(text, &self.request, node.span)?),
            (None, None) => {
                self.cx.error(node.span, "`body` says what the message holds");
                return None;
            }
        };
        let soap = Some(Box::new(soap));
        Some(RequestTemplate { method: "POST", url: url?, query, headers, body, answer: AnswerForm::Xml, soap })
    }

    fn soap(&self, node: &Node) -> Option<SoapRequest> {
        let mut fields = node.fields(self.cx)?;
        let named = |node: Option<&Node>| node.and_then(|node| Some((node.text(self.cx)?, node.span)));
        let styles = [("document", SoapStyle::Document), ("rpc", SoapStyle::Rpc), ("encoded", SoapStyle::Encoded)];
        let action = fields.text("action");
        let element = fields.optional("element").and_then(|node| self.qname(node));
        let message = named(fields.optional("type"));
        let reply_type = named(fields.optional("reply_type"));
        let reply = fields.text("reply");
        let style = fields.word("style", &styles).unwrap_or_default();
        let qualified = fields.bool("qualified").unwrap_or(style == SoapStyle::Document);
        let headers = fields.optional("headers").and_then(|node| Located::compile(node, &self.request, self.cx));
        let one_way = fields.bool("one_way").unwrap_or(false);
        let mtom = fields.bool("mtom").unwrap_or(false);
        fields.finish();
        if element.is_none() && message.is_none() {
            let message = "a SOAP message needs the body's element: `element: { name, namespace }`, or `type`";
            self.cx.error(node.span, message);
        }
        Some(SoapRequest {
            action,
            element,
            message,
            reply_type,
            reply,
            style,
            qualified,
            headers,
            one_way,
            mtom,
            span: node.span,
        })
    }

    /// `{ name: NAME, namespace: ADDRESS }`.
    pub(crate) fn qname(&self, node: &Node) -> Option<QName> {
        let mut fields = node.fields(self.cx)?;
        let name = fields.required_text("name");
        let namespace = fields.text("namespace").unwrap_or_default();
        fields.finish();
        Some(QName { namespace, name: name? })
    }
}
