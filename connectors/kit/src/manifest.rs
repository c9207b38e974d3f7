//! A vendor's manifest: what the hub knows of it, as data.
//!
//! Strings that compute hold expressions in braces; fields that are expressions by nature (`event`, `dedupe`,
//! `success` …) hold them bare. All are checked when the manifest is read, against the names that they can use:
//! `settings` and `base_url` everywhere, `args` in requests, `status`, `payload` and `headers` in answers, `payload`
//! and `headers` in webhooks.

use crate::follow::{FollowUp, Poll};
use crate::pace::Pace;
use crate::verify::{Encoding, Verifier};
use hub_expr::{Located, Scope, Segment, Templated, Type};
use hub_tree::yaml::{self, Context, Fields, Kind, Node};
use hub_tree::{Findings, Source, Span};
use std::sync::Arc;
use std::time::Duration;

/// Settings that every connector understands, whether its manifest names them or not.
pub const COMMON_SETTINGS: [&str; 10] = [
    "base_url",
    "webhook_secret",
    "encrypt_key",
    "api_key",
    "client_id",
    "client_secret",
    "username",
    "password",
    "max_skew_secs",
    "token_url",
];

/// Those of them that are secret.
pub const COMMON_SECRETS: [&str; 6] =
    ["webhook_secret", "encrypt_key", "api_key", "client_secret", "password", "client_id"];

/// How long one attempt may take, unless its operation says otherwise.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// A vendor's manifest, checked.
#[derive(Debug)]
pub struct Manifest {
    /// The vendor's id, equal to its folder.
    pub vendor: String,
    /// What people call it.
    pub name: String,
    /// What kind of system it is: `ats`, `interview`, `chat` …
    pub family: String,
    /// The driver that speaks its wire.
    pub driver: String,
    /// Where its API lives, unless a connection says otherwise.
    pub base_url: Option<String>,
    /// Hosts that its connections may reach.
    pub egress: Vec<String>,
    /// The settings of a connection.
    pub settings: Vec<Setting>,
    /// How requests authenticate.
    pub auth: Auth,
    /// What it sends us.
    pub webhook: Option<Webhook>,
    /// What we can ask it.
    pub operations: Vec<Operation>,
    /// What can be read again and again; a connection says which of them are.
    pub polls: Vec<Poll>,
    /// How its calls are paced, unless a connection says otherwise.
    pub pace: Pace,
    /// The file.
    pub source: Arc<Source>,
}

/// A setting of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its name.
    pub name: String,
    /// Whether it must be given.
    pub required: bool,
    /// Whether it must not be shown.
    pub secret: bool,
    /// What it is.
    pub doc: String,
}

/// How requests authenticate.
#[derive(Debug)]
pub enum Auth {
    /// Not at all.
    None,
    /// Headers with fixed values, such as an API key.
    Headers(Vec<(String, Templated)>),
    /// HTTP Basic.
    Basic {
        /// User name.
        username: Templated,
        /// Password.
        password: Templated,
    },
    /// A token that is fetched, kept and renewed.
    Token(Box<TokenAuth>),
}

/// How a token is fetched and shown.
#[derive(Debug)]
pub struct TokenAuth {
    /// The request that fetches it.
    pub request: RequestTemplate,
    /// HTTP Basic credentials of that request.
    pub basic: Option<(Templated, Templated)>,
    /// Where it stands in the answer.
    pub token: Located,
    /// How many seconds it lives.
    pub expires_in: Option<Located>,
    /// Where it is shown.
    pub place: TokenPlace,
}

/// Where a request shows its token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenPlace {
    /// In a header, behind a prefix such as `Bearer `.
    Header {
        /// Name.
        name: String,
        /// What stands before the token.
        prefix: String,
    },
    /// In the query.
    Query(String),
}

/// A request to be filled in.
#[derive(Debug)]
pub struct RequestTemplate {
    /// `GET`, `POST` …
    pub method: &'static str,
    /// A path below `base_url`, or a whole address.
    pub url: Templated,
    /// Query parameters; absent values are left out.
    pub query: Vec<(String, Templated)>,
    /// Headers; absent values are left out.
    pub headers: Vec<(String, Templated)>,
    /// The body.
    pub body: Body,
}

/// The body of a request.
#[derive(Debug)]
pub enum Body {
    /// None.
    None,
    /// The value of an expression as JSON.
    Json(Located),
    /// An object of templates as JSON.
    JsonFields(Vec<(String, Templated)>),
    /// Form fields.
    Form(Vec<(String, Templated)>),
}

/// What we can ask a vendor.
#[derive(Debug)]
pub struct Operation {
    /// Its name.
    pub name: String,
    /// The request.
    pub request: RequestTemplate,
    /// The out mapping that makes its arguments from canonical records.
    pub mapping: Option<String>,
    /// The in mapping that reads its answer.
    pub reply: Option<String>,
    /// What protects it from being carried out twice.
    pub idempotency: Idempotency,
    /// Says whether an answer with a good status is a success.
    pub success: Option<Located>,
    /// Answers that mean something else than their status.
    pub errors: Vec<ErrorRule>,
    /// What a good answer leads to: the next page, the branches of a tree.
    pub then: Vec<FollowUp>,
    /// How long one attempt may take: token, look-up and call together.
    pub timeout: Duration,
    /// The business reference of a call, for people and for the sandbox's count.
    pub span: Span,
}

impl Operation {
    /// Whether it changes something at the vendor.
    #[must_use]
    pub fn writes(&self) -> bool {
        !matches!(self.idempotency, Idempotency::Reads)
    }
}

/// What protects an operation from being carried out twice.
#[derive(Debug)]
pub enum Idempotency {
    /// It changes nothing.
    Reads,
    /// The vendor knows a repetition by a header.
    Key {
        /// The header.
        header: String,
    },
    /// Before a repetition we look whether it was carried out.
    Lookup {
        /// The operation that looks.
        operation: String,
        /// Its arguments.
        args: Vec<(String, Located)>,
        /// Says, of its answer, whether the first try was carried out.
        found: Box<Located>,
    },
    /// Nothing: an attempt that may have arrived is not repeated.
    None,
}

/// An answer that means something special.
#[derive(Debug)]
pub struct ErrorRule {
    /// When it applies.
    pub when: Located,
    /// What it means.
    pub verdict: ErrorVerdict,
    /// The vendor's code.
    pub code: Option<Located>,
}

/// What an answer means for trying again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorVerdict {
    /// The token is not accepted: fetch one, repeat once.
    Token,
    /// Too fast: wait, then repeat; nothing was done.
    Wait,
    /// The vendor had trouble; it may have been done.
    Retry,
    /// What was asked for is not there, and never will be: nothing to do, and nobody's fault.
    Absent,
    /// No.
    Refused,
}

/// What a vendor sends us.
#[derive(Debug)]
pub struct Webhook {
    /// The proofs that it may use; the first whose condition holds counts.
    pub verify: Vec<VerifyRule>,
    /// The setting that holds the secret.
    pub secret: String,
    /// Media types that it uses.
    pub content_types: Vec<String>,
    /// The name of the event.
    pub event: Located,
    /// The vendor's id of the delivery; else a hash of the body within the retry horizon.
    pub dedupe: Option<Located>,
    /// Payloads with one order key are handled in order; else all of a connection.
    pub order_key: Option<Located>,
    /// The vendor's own time of the change.
    pub updated_at: Option<Located>,
    /// Headers that mappings may read.
    pub keep_headers: Vec<String>,
    /// For how long the vendor may repeat a delivery.
    pub retry_horizon_hours: i64,
    /// Events and the mappings that read them.
    pub events: Vec<EventRule>,
    /// Events that say nothing about records, such as a ping.
    pub ignore: Vec<String>,
    /// The status of the answer.
    pub answer_status: u16,
    /// Where the webhook is described, for messages.
    pub span: Span,
}

/// An event and the mapping that reads it.
#[derive(Clone, Debug)]
pub struct EventRule {
    /// The vendor's name.
    pub name: String,
    /// The object of the mapping; none when the payload only says what to fetch.
    pub mapping: Option<String>,
    /// What the payload leaves out.
    pub fetch: Vec<FollowUp>,
    /// Where the rule stands.
    pub span: Span,
}

/// A proof and when it is used.
#[derive(Debug)]
pub struct VerifyRule {
    /// The proof.
    pub verifier: Verifier,
    /// When; always, if nothing is said.
    pub when: Option<Located>,
}

impl Manifest {
    /// Reads and checks the manifest of `vendor`. All problems go to `findings`; `None` when one is an error.
    #[must_use]
    pub fn compile(vendor: &str, source: &Arc<Source>, findings: &Findings) -> Option<Self> {
        let before = findings.error_count();
        let root = yaml::read(source, findings)?;
        let cx = Context::new(source, findings);
        let mut fields = root.fields(&cx)?;
        fields.version(1);
        if let Some(node) = fields.required("vendor")
            && let Some(text) = node.text(&cx)
            && text != vendor
        {
            cx.error(node.span, format!("this folder is `{vendor}`; `vendor` says `{text}`"));
        }
        let name = fields.required_text("name").unwrap_or_default();
        let family = fields.required_text("family").unwrap_or_default();
        let driver = fields.required_text("driver").unwrap_or_default();
        let base_url = fields.text("base_url");
        let egress = fields.texts("egress");
        let settings = fields.optional("settings").map(|node| settings(node, &cx)).unwrap_or_default();
        let compiler = Compiler::new(&cx, &settings);
        let auth = fields.optional("auth").map_or(Some(Auth::None), |node| compiler.auth(node));
        let webhook = fields.optional("webhook").map(|node| compiler.webhook(node));
        let operations = fields.optional("operations").map(|node| compiler.operations(node)).unwrap_or_default();
        let polls = fields.optional("polls").map(|node| Poll::compile_all(node, &compiler.settings, &cx));
        let polls = polls.unwrap_or_default();
        let pace = Pace::read(&mut fields, &Pace::default());
        fields.finish();
        let hooks = webhook.iter().flatten().flat_map(|webhook| &webhook.events).flat_map(|rule| &rule.fetch);
        let follow = hooks.chain(operations.iter().flat_map(|operation| &operation.then));
        for follow in follow.chain(polls.iter().flat_map(|poll| &poll.begin)) {
            if !operations.iter().any(|known| known.name == follow.operation) {
                cx.unknown(follow.span, "operation", &follow.operation, operations.iter().map(|o| o.name.as_str()));
            }
        }
        for operation in &operations {
            if let Idempotency::Lookup { operation: lookup, .. } = &operation.idempotency
                && !operations.iter().any(|known| known.name == *lookup)
            {
                cx.unknown(operation.span, "operation", lookup, operations.iter().map(|o| o.name.as_str()));
            }
        }
        (findings.error_count() == before).then_some(Self {
            vendor: vendor.to_owned(),
            name,
            family,
            driver,
            base_url,
            egress,
            settings,
            auth: auth?,
            webhook: webhook.flatten(),
            operations,
            polls,
            pace,
            source: Arc::clone(source),
        })
    }

    /// The operation called `name`.
    #[must_use]
    pub fn operation(&self, name: &str) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.name == name)
    }

    /// A place in the manifest, for messages.
    #[must_use]
    pub fn place(&self, span: Span) -> String {
        format!("{}:{}", self.source.path, span.start)
    }
}

fn settings(node: &Node, cx: &Context<'_>) -> Vec<Setting> {
    let mut settings = Vec::new();
    for (key, value) in node.entries(cx) {
        let Some(mut fields) = value.fields(cx) else { continue };
        settings.push(Setting {
            name: key.name.clone(),
            required: fields.bool("required").unwrap_or(false),
            secret: fields.bool("secret").unwrap_or(false),
            doc: fields.text("doc").unwrap_or_default(),
        });
        fields.finish();
    }
    settings
}

/// The slot of `headers` in the expressions of a webhook; `settings` and `payload` come before it.
pub const HOOK_HEADERS: usize = 2;

/// Slots of requests: `settings`, `base_url`, `args`; answers add `status`, `payload`, `headers`.
struct Compiler<'c, 'f> {
    cx: &'c Context<'f>,
    settings: Type,
    request: Scope,
    answer: Scope,
    hook: Scope,
    /// What is known before a web hook is believed: `settings`.
    proof: Scope,
}

impl<'c, 'f> Compiler<'c, 'f> {
    fn new(cx: &'c Context<'f>, settings: &[Setting]) -> Self {
        let known = settings.iter().map(|setting| setting.name.as_str()).chain(COMMON_SETTINGS);
        let settings = Type::record("settings", known.map(|name| (name, Type::Any)));
        let request = Scope::new([("settings", settings.clone()), ("base_url", Type::Text), ("args", Type::Any)]);
        let mut answer = request.clone();
        answer.push("status", Type::Number);
        answer.push("payload", Type::Any);
        answer.push("headers", Type::Any);
        let proof = Scope::new([("settings", settings.clone())]);
        let hook = Scope::new([("settings", settings.clone()), ("payload", Type::Any), ("headers", Type::Any)]);
        Self { cx, settings, request, answer, hook, proof }
    }

    fn expr(&self, node: &Node, scope: &Scope) -> Option<Located> {
        Located::compile(node, scope, self.cx)
    }

    fn condition(&self, node: &Node, scope: &Scope) -> Option<Located> {
        Located::condition(node, scope, self.cx)
    }

    fn template(&self, node: &Node) -> Option<Templated> {
        Templated::compile(node, &self.request, self.cx)
    }

    fn templates(&self, node: Option<&Node>) -> Vec<(String, Templated)> {
        let Some(node) = node else { return Vec::new() };
        let entries = node.entries(self.cx).iter();
        entries.filter_map(|(key, value)| Some((key.name.clone(), self.template(value)?))).collect()
    }

    fn auth(&self, node: &Node) -> Option<Auth> {
        let mut fields = node.fields(self.cx)?;
        let kind = fields.required_text("kind")?;
        let auth = match kind.as_str() {
            "none" => Some(Auth::None),
            "header" => {
                let headers = self.templates(fields.required("headers"));
                Some(Auth::Headers(headers))
            }
            "basic" => {
                let username = fields.required("username").and_then(|node| self.template(node));
                let password = fields.required("password").and_then(|node| self.template(node));
                username.zip(password).map(|(username, password)| Auth::Basic { username, password })
            }
            "oauth2_client_credentials" => self.oauth2(&mut fields),
            "token" => self.token(&mut fields),
            other => {
                let known = ["none", "header", "basic", "oauth2_client_credentials", "token"];
                self.cx.unknown(node.span, "auth kind", other, known);
                return None;
            }
        };
        fields.finish();
        auth
    }

    /// OAuth 2.0 client credentials (RFC 6749 §4.4): the client authenticates by HTTP Basic or in the body.
    fn oauth2(&self, fields: &mut Fields<'_, '_>) -> Option<Auth> {
        let url = fields.required("token_url").and_then(|node| self.template(node));
        let in_body = fields.word("client_auth", &[("basic", false), ("body", true)]).unwrap_or(false);
        let mut form = self.templates(fields.optional("form"));
        let span = fields.span;
        let fixed = |text: &str| Templated::fixed(text, &self.request, span);
        form.push(("grant_type".to_owned(), fixed("client_credentials")?));
        let client = (fixed("{settings.client_id}")?, fixed("{settings.client_secret}")?);
        let mut basic = Some(client);
        if in_body && let Some((id, secret)) = basic.take() {
            form.push(("client_id".to_owned(), id));
            form.push(("client_secret".to_owned(), secret));
        }
        let path = |text: &str| Located::fixed(text, &self.answer, span);
        Some(Auth::Token(Box::new(TokenAuth {
            request: RequestTemplate {
                method: "POST",
                url: url?,
                query: Vec::new(),
                headers: Vec::new(),
                body: Body::Form(form),
            },
            basic,
            token: path("payload.access_token")?,
            expires_in: path("payload.expires_in"),
            place: TokenPlace::Header { name: "authorization".to_owned(), prefix: "Bearer ".to_owned() },
        })))
    }

    fn token(&self, fields: &mut Fields<'_, '_>) -> Option<Auth> {
        let request = self.request(fields, None);
        let token = fields.required("token").and_then(|node| self.expr(node, &self.answer));
        let expires_in = fields.optional("expires_in").and_then(|node| self.expr(node, &self.answer));
        let header = fields.text("header");
        let prefix = fields.text("prefix").unwrap_or_default();
        let query = fields.text("query_name");
        let place = match (header, query) {
            (Some(name), None) => TokenPlace::Header { name: name.to_lowercase(), prefix },
            (None, Some(name)) => TokenPlace::Query(name),
            _ => {
                self.cx.error(fields.span, "a token is shown either in a `header` or under a `query_name`");
                return None;
            }
        };
        Some(Auth::Token(Box::new(TokenAuth { request: request?, basic: None, token: token?, expires_in, place })))
    }

    /// `get: PATH` or `post: PATH` …, `query`, `headers`, and one of `body`, `json`, `form`.
    fn request(&self, fields: &mut Fields<'_, '_>, default_body: Option<&str>) -> Option<RequestTemplate> {
        let mut found = None;
        for (key, method) in
            [("get", "GET"), ("post", "POST"), ("put", "PUT"), ("patch", "PATCH"), ("delete", "DELETE")]
        {
            if let Some(node) = fields.optional(key) {
                if found.is_some() {
                    self.cx.error(node.span, "a request has one method");
                }
                found = Some((method, self.template(node)));
            }
        }
        let query = self.templates(fields.optional("query"));
        let headers = self.templates(fields.optional("headers"));
        let body = fields.optional("body");
        let json = fields.optional("json");
        let form = fields.optional("form");
        if [body, json, form].iter().flatten().count() > 1 {
            self.cx.error(fields.span, "a request has one of `body`, `json` and `form`");
        }
        let Some((method, url)) = found else {
            self.cx.error(fields.span, "a request names its method and path: `get: /path` or `post: /path`");
            return None;
        };
        let body = if let Some(node) = body {
            Body::Json(self.expr(node, &self.request)?)
        } else if json.is_some() {
            Body::JsonFields(self.templates(json))
        } else if form.is_some() {
            Body::Form(self.templates(form))
        } else if let (Some(text), "POST" | "PUT" | "PATCH") = (default_body, method) {
            Body::Json(Located::fixed(text, &self.request, fields.span)?)
        } else {
            Body::None
        };
        let headers = headers.into_iter().map(|(name, value)| (name.to_lowercase(), value)).collect();
        Some(RequestTemplate { method, url: url?, query, headers, body })
    }

    fn operations(&self, node: &Node) -> Vec<Operation> {
        let entries = node.entries(self.cx).iter();
        entries.filter_map(|(key, value)| self.operation(&key.name, key.span, value)).collect()
    }

    fn operation(&self, name: &str, span: Span, node: &Node) -> Option<Operation> {
        let mut fields = node.fields(self.cx)?;
        let request = self.request(&mut fields, Some("args"));
        let mapping = fields.text("mapping");
        let reply = fields.text("reply");
        let success = fields.optional("success").and_then(|node| self.condition(node, &self.answer));
        let errors = fields.optional("errors").map(|node| self.errors(node)).unwrap_or_default();
        let then = fields.optional("then").map(|node| FollowUp::compile(node, &self.answer, false, self.cx));
        let idempotency = fields.optional("idempotency").map(|node| self.idempotency(node));
        let reads = fields.bool("reads").unwrap_or(false);
        let timeout = fields.integer("timeout_secs", 2, 300).and_then(|secs| u64::try_from(secs).ok());
        let timeout = timeout.map_or(DEFAULT_TIMEOUT, Duration::from_secs);
        fields.finish();
        let request = request?;
        let reads = reads || request.method == "GET";
        let idempotency = match idempotency {
            Some(found) => found?,
            None if reads => Idempotency::Reads,
            None => {
                let help = "`idempotency: none` says that an attempt which may have arrived is not repeated";
                self.cx.error_with(
                    span,
                    format!(
                        "`{name}` changes something: say `idempotency: {{ key: HEADER }}`, `{{ lookup: … }}` or `none`"
                    ),
                    Some(help.to_owned()),
                );
                return None;
            }
        };
        let (name, then) = (name.to_owned(), then.unwrap_or_default());
        Some(Operation { name, request, mapping, reply, idempotency, success, errors, then, timeout, span })
    }

    fn idempotency(&self, node: &Node) -> Option<Idempotency> {
        if node.scalar() == Some("none") {
            return Some(Idempotency::None);
        }
        if node.scalar() == Some("key") {
            return Some(Idempotency::Key { header: "idempotency-key".to_owned() });
        }
        let mut fields = node.fields(self.cx)?;
        let key = fields.text("key");
        let lookup = fields.text("lookup");
        let found = match (key, lookup) {
            (Some(header), None) => Some(Idempotency::Key { header: header.to_lowercase() }),
            (None, Some(operation)) => {
                let args = fields.optional("args").map(|node| {
                    let entries = node.entries(self.cx).iter();
                    entries.filter_map(|(k, v)| Some((k.name.clone(), self.expr(v, &self.request)?))).collect()
                });
                let found = fields.required("found").and_then(|node| self.condition(node, &self.answer));
                let args = args.unwrap_or_default();
                found.map(|found| Idempotency::Lookup { operation, args, found: Box::new(found) })
            }
            _ => {
                self.cx.error(node.span, "either `key: HEADER` or `lookup: OPERATION`");
                None
            }
        };
        fields.finish();
        found
    }

    fn errors(&self, node: &Node) -> Vec<ErrorRule> {
        let mut rules = Vec::new();
        for item in node.items(self.cx) {
            let Some(mut fields) = item.fields(self.cx) else { continue };
            let when = fields.required("when").and_then(|node| self.condition(node, &self.answer));
            let verdicts = [
                ("token", ErrorVerdict::Token),
                ("wait", ErrorVerdict::Wait),
                ("retry", ErrorVerdict::Retry),
                ("absent", ErrorVerdict::Absent),
                ("refused", ErrorVerdict::Refused),
            ];
            let verdict = fields.word("means", &verdicts);
            let code = fields.optional("code").and_then(|node| self.expr(node, &self.answer));
            if verdict.is_none() {
                self.cx.error(
                    fields.span,
                    "`means` says what such an answer means: token, wait, retry, absent or refused",
                );
            }
            if let (Some(when), Some(verdict)) = (when, verdict) {
                rules.push(ErrorRule { when, verdict, code });
            }
            fields.finish();
        }
        rules
    }

    fn webhook(&self, node: &Node) -> Option<Webhook> {
        let mut fields = node.fields(self.cx)?;
        let verify = fields.required("verify").map(|node| match &node.kind {
            Kind::List(items) => items.iter().filter_map(|item| self.verify(item)).collect(),
            _ => self.verify(node).into_iter().collect::<Vec<_>>(),
        });
        let mut named = |key| fields.optional(key).and_then(|node| self.expr(node, &self.hook));
        let (dedupe, order_key, updated_at) = (named("dedupe"), named("order_key"), named("updated_at"));
        let event = fields.required("event").and_then(|node| self.expr(node, &self.hook));
        let content_types = match fields.optional("content_types") {
            Some(_) => fields.texts("content_types"),
            None => vec!["application/json".to_owned()],
        };
        let keep_headers: Vec<String> =
            fields.texts("keep_headers").into_iter().map(|name| name.to_lowercase()).collect();
        for located in [&event, &dedupe, &order_key, &updated_at].into_iter().flatten() {
            self.check_headers(located, &keep_headers);
        }
        let retry_horizon_hours = fields.integer("retry_horizon_hours", 1, 24 * 31).unwrap_or(24);
        let secret = fields.text("secret").unwrap_or_else(|| "webhook_secret".to_owned());
        let answer_status = fields.integer("answer_status", 200, 299).and_then(|n| u16::try_from(n).ok());
        let ignore = fields.texts("ignore");
        let mut events = Vec::new();
        if let Some(node) = fields.required("events") {
            for (key, value) in node.entries(self.cx) {
                events.extend(self.event(&key.name, value));
            }
        }
        let span = fields.span;
        fields.finish();
        Some(Webhook {
            verify: verify?,
            secret,
            content_types,
            event: event?,
            dedupe,
            order_key,
            updated_at,
            keep_headers,
            retry_horizon_hours,
            events,
            ignore,
            answer_status: answer_status.unwrap_or(200),
            span,
        })
    }

    /// `EVENT: OBJECT`, or `EVENT: { mapping: OBJECT, fetch: […] }`.
    fn event(&self, name: &str, node: &Node) -> Option<EventRule> {
        let name = name.to_owned();
        if !matches!(node.kind, Kind::Map(_)) {
            let mapping = Some(node.text(self.cx)?);
            return Some(EventRule { name, mapping, fetch: Vec::new(), span: node.span });
        }
        let mut fields = node.fields(self.cx)?;
        let mapping = fields.text("mapping");
        let fetch = fields.optional("fetch").map(|node| FollowUp::compile(node, &self.hook, false, self.cx));
        let (fetch, span) = (fetch.unwrap_or_default(), fields.span);
        fields.finish();
        if mapping.is_none() && fetch.is_empty() {
            self.cx.error(span, "an event has a `mapping`, something to `fetch`, or both");
        }
        Some(EventRule { name, mapping, fetch, span })
    }

    /// Only the headers that are kept can be read when a payload is taken in.
    fn check_headers(&self, located: &Located, kept: &[String]) {
        for read in located.expr.reads().iter().chain(located.expr.source()) {
            let (HOOK_HEADERS, Some(Segment::Key(name))) = (read.slot, read.path.first()) else { continue };
            if !kept.iter().any(|known| **known == **name) {
                let help = format!("add `{name}` to `keep_headers`");
                self.cx.error_with(located.span, format!("the header `{name}` is read here and not kept"), Some(help));
            }
        }
    }

    fn verify(&self, node: &Node) -> Option<VerifyRule> {
        let mut fields = node.fields(self.cx)?;
        let kind = fields.required_text("kind")?;
        let when = fields.optional("when").and_then(|node| self.condition(node, &self.proof));
        let verifier = match kind.as_str() {
            "hmac_sha256" => {
                let header = fields.required_text("header").map(|name| name.to_lowercase());
                let prefix = fields.text("prefix").unwrap_or_default();
                let encodings = [("hex", Encoding::Hex), ("base64", Encoding::Base64)];
                let encoding = fields.word("encoding", &encodings).unwrap_or(Encoding::Hex);
                header.map(|header| Verifier::HmacSha256 { header, prefix, encoding })
            }
            "standard_webhooks" => Some(Verifier::StandardWebhooks),
            other => {
                self.cx.unknown(node.span, "kind of proof", other, ["hmac_sha256", "standard_webhooks"]);
                return None;
            }
        };
        fields.finish();
        verifier.map(|verifier| VerifyRule { verifier, when })
    }
}
