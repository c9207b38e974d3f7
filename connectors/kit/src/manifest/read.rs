//! Reads a manifest: every section but that of web hooks, and the names that each expression may use.

use super::{
    AnswerForm, Auth, Body, COMMON_SETTINGS, DEFAULT_TIMEOUT, ErrorRule, ErrorVerdict, Idempotency, KeyPlace,
    Operation, RequestTemplate, Setting, Split, TokenAuth, TokenPlace,
};
use crate::follow::FollowUp;
use crate::rate::Rate;
use hub_expr::{Located, Scope, Templated, Type};
use hub_tree::Span;
use hub_tree::yaml::{Context, Fields, Kind, Node};
use std::time::Duration;

/// Slots of requests: `settings`, `base_url`, `args`; answers add `status`, `payload`, `headers`.
pub(crate) struct Compiler<'c, 'f> {
    pub(crate) cx: &'c Context<'f>,
    pub(crate) settings: Type,
    pub(super) request: Scope,
    pub(crate) answer: Scope,
    pub(super) hook: Scope,
    /// What is known before a web hook is believed: `settings`.
    pub(super) proof: Scope,
}

impl<'c, 'f> Compiler<'c, 'f> {
    pub(crate) fn new(cx: &'c Context<'f>, settings: &[Setting]) -> Self {
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

    pub(crate) fn expr(&self, node: &Node, scope: &Scope) -> Option<Located> {
        Located::compile(node, scope, self.cx)
    }

    pub(crate) fn condition(&self, node: &Node, scope: &Scope) -> Option<Located> {
        Located::condition(node, scope, self.cx)
    }

    pub(super) fn template(&self, node: &Node) -> Option<Templated> {
        Templated::compile(node, &self.request, self.cx)
    }

    pub(super) fn templates(&self, node: Option<&Node>) -> Vec<(String, Templated)> {
        self.templates_in(node, &self.request)
    }

    pub(crate) fn templates_in(&self, node: Option<&Node>, scope: &Scope) -> Vec<(String, Templated)> {
        let Some(node) = node else { return Vec::new() };
        let entries = node.entries(self.cx).iter();
        entries
            .filter_map(|(key, value)| Some((key.name.clone(), Templated::compile(value, scope, self.cx)?)))
            .collect()
    }

    /// One kind, or a list of kinds with a `when` each.
    pub(super) fn auth(&self, node: &Node) -> Option<Auth> {
        if !matches!(node.kind, Kind::List(_)) {
            let mut fields = node.fields(self.cx)?;
            let auth = self.auth_kind(&mut fields);
            fields.finish();
            return auth;
        }
        let mut kinds = Vec::new();
        for item in node.items(self.cx) {
            let mut fields = item.fields(self.cx)?;
            let when = fields.optional("when").map(|node| self.condition(node, &self.proof));
            let auth = self.auth_kind(&mut fields);
            fields.finish();
            kinds.push((when.map_or(Some(None), |when| when.map(Some))?, auth?));
        }
        Some(Auth::OneOf(kinds))
    }

    /// Ways to authenticate by name.
    pub(super) fn auths(&self, node: &Node) -> Vec<(String, Auth)> {
        let entries = node.entries(self.cx).iter();
        entries.filter_map(|(key, node)| Some((key.name.clone(), self.auth(node)?))).collect()
    }

    fn auth_kind(&self, fields: &mut Fields<'_, '_>) -> Option<Auth> {
        let kind = fields.required_text("kind")?;
        match kind.as_str() {
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
            "oauth2_client_credentials" => self.oauth2(fields),
            "token" => self.token(fields),
            "signed" => self.signing(fields).map(|signing| Auth::Signed(Box::new(signing))),
            other => {
                let known = ["none", "header", "basic", "oauth2_client_credentials", "token", "signed"];
                self.cx.unknown(fields.span, "auth kind", other, known);
                None
            }
        }
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
                answer: AnswerForm::Json,
                soap: None,
            },
            basic,
            token: path("payload.access_token")?,
            expires_in: path("payload.expires_in"),
            place: TokenPlace::Header { name: "authorization".to_owned(), prefix: "Bearer ".to_owned() },
            signed: None,
            calls: None,
        })))
    }

    fn token(&self, fields: &mut Fields<'_, '_>) -> Option<Auth> {
        let request = self.request(fields, None);
        let signed = fields.optional("signed").map(|node| self.signing_node(node));
        let calls = fields.optional("sign_calls").map(|node| self.signing_node(node));
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
        // One that cannot be read is an error that has been told; requests are not made without it.
        let (signed, calls) = (signed.map_or(Some(None), |s| s.map(Some))?, calls.map_or(Some(None), |s| s.map(Some))?);
        let (request, token) = (request?, token?);
        Some(Auth::Token(Box::new(TokenAuth { request, basic: None, token, expires_in, place, signed, calls })))
    }

    /// `get: PATH` or `post: PATH` …, `query`, `headers`, and one of `body`, `json`, `form`, `xml`;
    /// `answer` says what the body of the answer is, unless it is of the same kind.
    pub(crate) fn request(&self, fields: &mut Fields<'_, '_>, default_body: Option<&str>) -> Option<RequestTemplate> {
        if let Some(node) = fields.optional("soap") {
            return self.soap_request(node, fields, default_body);
        }
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
        let xml = fields.optional("xml");
        if [body, json, form, xml].iter().flatten().count() > 1 {
            self.cx.error(fields.span, "a request has one of `body`, `json`, `form` and `xml`");
        }
        let forms = [("json", AnswerForm::Json), ("xml", AnswerForm::Xml), ("text", AnswerForm::Text)];
        let answer = fields.word("answer", &forms);
        let answer = answer.unwrap_or(if xml.is_some() { AnswerForm::Xml } else { AnswerForm::Json });
        let Some((method, url)) = found else {
            self.cx.error(fields.span, "a request names its method and path: `get: /path` or `post: /path`");
            return None;
        };
        let body = if let Some(node) = body {
            Body::Json(self.expr(node, &self.request)?)
        } else if let Some(node) = xml {
            Body::Xml(self.expr(node, &self.request)?)
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
        Some(RequestTemplate { method, url: url?, query, headers, body, answer, soap: None })
    }

    pub(super) fn operations(&self, node: &Node) -> Vec<Operation> {
        let entries = node.entries(self.cx).iter();
        entries.filter_map(|(key, value)| self.operation(&key.name, key.span, value)).collect()
    }

    fn operation(&self, name: &str, span: Span, node: &Node) -> Option<Operation> {
        let mut fields = node.fields(self.cx)?;
        let table = self.table_write(&mut fields);
        let mail = fields.bool("mail").unwrap_or(false);
        let request = if table.is_some() || mail {
            RequestTemplate::none(&self.request, span)
        } else {
            self.request(&mut fields, Some("args"))
        };
        let auth = fields.text("auth");
        let token_place = fields
            .text("token_header")
            .map(|name| TokenPlace::Header { name: name.to_lowercase(), prefix: String::new() });
        let mapping = fields.text("mapping");
        let reply = fields.text("reply");
        let success = fields.optional("success").and_then(|node| self.condition(node, &self.answer));
        let errors = fields.optional("errors").map(|node| self.errors(node)).unwrap_or_default();
        let then = fields.optional("then").map(|node| FollowUp::compile(node, &self.answer, false, self.cx));
        let idempotency = fields.optional("idempotency").map(|node| self.idempotency(node));
        let reads = fields.bool("reads").unwrap_or(false);
        let split = fields.optional("split").and_then(|node| self.split(node));
        let rates = fields.optional("limits").and_then(|node| node.fields(self.cx)).map(|mut limits| {
            let rates = Rate::read(&mut limits);
            limits.finish();
            rates
        });
        let timeout = fields.integer("timeout_secs", 2, 300).and_then(|secs| u64::try_from(secs).ok());
        let timeout = timeout.map_or(DEFAULT_TIMEOUT, Duration::from_secs);
        fields.finish();
        let request = request?;
        let reads = reads || request.method == "GET";
        let idempotency = match idempotency {
            Some(found) => found?,
            None if reads => Idempotency::Reads,
            // A row is known by its key.
            None if table.is_some() => Idempotency::Repeatable,
            None => {
                let help = "`none` says that an attempt which may have arrived is not repeated, `repeatable` that twice \
                            is the same as once";
                self.cx.error_with(
                    span,
                    format!(
                        "`{name}` changes something: say `idempotency: {{ key: HEADER }}`, `{{ lookup: … }}`, `repeatable` or `none`"
                    ),
                    Some(help.to_owned()),
                );
                return None;
            }
        };
        if split.is_some() && !matches!(idempotency, Idempotency::Reads) {
            self.cx.error(span, format!("`split` is for operations that read, and `{name}` changes something"));
        }
        if matches!(idempotency, Idempotency::Key(KeyPlace::Body(_)))
            && !matches!(request.body, Body::Json(_) | Body::JsonFields(_))
        {
            self.cx.error(span, format!("`key_in_body` puts a key into a JSON object, and `{name}` sends none"));
        }
        let (name, then) = (name.to_owned(), then.unwrap_or_default());
        Some(Operation {
            name,
            request,
            auth,
            token_place,
            mapping,
            reply,
            idempotency,
            success,
            errors,
            then,
            split,
            anonymous: false,
            table,
            mail,
            rates,
            timeout,
            span,
        })
    }

    fn split(&self, node: &Node) -> Option<Split> {
        let mut fields = node.fields(self.cx)?;
        let list = fields.required_text("list");
        let size = fields.integer("size", 1, 1000).and_then(|size| usize::try_from(size).ok()).unwrap_or(100);
        fields.finish();
        let list: Vec<String> = list?.split('.').map(str::to_owned).collect();
        if list.iter().any(String::is_empty) {
            self.cx.error(node.span, "`list` names the way to the records: `Response_Data.Worker`");
            return None;
        }
        Some(Split { list, size })
    }

    fn idempotency(&self, node: &Node) -> Option<Idempotency> {
        match node.scalar() {
            Some("none") => return Some(Idempotency::None),
            Some("repeatable") => return Some(Idempotency::Repeatable),
            Some("key") => return Some(Idempotency::Key(KeyPlace::Header("idempotency-key".to_owned()))),
            _ => {}
        }
        let mut fields = node.fields(self.cx)?;
        let header = fields.text("key").map(|name| KeyPlace::Header(name.to_lowercase()));
        let in_body = fields.text("key_in_body").map(KeyPlace::Body);
        let in_query = fields.text("key_in_query").map(KeyPlace::Query);
        let mut places = [header, in_body, in_query].into_iter().flatten();
        let lookup = fields.text("lookup");
        let found = match (places.next(), places.next().is_some(), lookup) {
            (Some(place), false, None) => Some(Idempotency::Key(place)),
            (None, false, Some(operation)) => {
                let args = fields.optional("args").map(|node| {
                    let entries = node.entries(self.cx).iter();
                    entries.filter_map(|(k, v)| Some((k.name.clone(), self.expr(v, &self.request)?))).collect()
                });
                let found = fields.required("found").and_then(|node| self.condition(node, &self.answer));
                let args = args.unwrap_or_default();
                let then = fields.optional("then").map(|node| FollowUp::compile(node, &self.answer, false, self.cx));
                let then = then.unwrap_or_default();
                let first = fields.bool("first").unwrap_or(false);
                found.map(|found| Idempotency::Lookup { first, operation, args, found: Box::new(found), then })
            }
            _ => {
                let message = "one of `key: HEADER`, `key_in_body: NAME`, `key_in_query: NAME` and `lookup: OPERATION`";
                self.cx.error(node.span, message);
                None
            }
        };
        fields.finish();
        found
    }

    pub(super) fn errors(&self, node: &Node) -> Vec<ErrorRule> {
        let mut rules = Vec::new();
        for item in node.items(self.cx) {
            let Some(mut fields) = item.fields(self.cx) else { continue };
            let when = fields.required("when").and_then(|node| self.condition(node, &self.answer));
            let verdicts = [
                ("token", ErrorVerdict::Token),
                ("wait", ErrorVerdict::Wait),
                ("retry", ErrorVerdict::Retry),
                ("absent", ErrorVerdict::Absent),
                ("credentials", ErrorVerdict::Credentials),
                ("config", ErrorVerdict::Config),
                ("refused", ErrorVerdict::Refused),
            ];
            let verdict = fields.word("means", &verdicts);
            let code = fields.optional("code").and_then(|node| self.expr(node, &self.answer));
            if verdict.is_none() {
                self.cx.error(
                    fields.span,
                    "`means` says what such an answer means: token, wait, retry, absent, credentials, config or refused",
                );
            }
            if let (Some(when), Some(verdict)) = (when, verdict) {
                rules.push(ErrorRule { when, verdict, code });
            }
            fields.finish();
        }
        rules
    }
}
