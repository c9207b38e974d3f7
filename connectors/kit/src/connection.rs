//! A tenant's configured instance of a connector.

use crate::client::TlsFiles;
use crate::hook::{HookAnswer, Opened};
use crate::inbound::InboundRequest;
use crate::manifest::{COMMON_SECRETS, COMMON_SETTINGS, DEFAULT_SKEW_SECS, Manifest, VerifyRule};
use crate::pace::Pace;
use crate::verify::{Verifier, WebhookError, shown, standard_key};
use hub_expr::{Cx, Located};
use hub_tree::env::Environment;
use hub_tree::jiff::Timestamp;
use hub_tree::yaml::{self, Context, Key, Kind, Node};
use hub_tree::{Arena, Findings, Limits, Private, Source, Span, Value, json};
use std::sync::Arc;
use url::Url;

/// A connection, checked against its connector's manifest.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Its id, unique in the hub; hooks arrive at `/hooks/{id}`.
    pub id: String,
    /// Its tenant.
    pub tenant: String,
    /// What the hub knows of the vendor.
    pub manifest: Arc<Manifest>,
    /// Where the vendor's API lives for this connection.
    pub base_url: String,
    /// Hosts that it may reach: the manifest's, and that of its `base_url`.
    pub egress: Vec<String>,
    /// How its calls are paced.
    pub pace: Pace,
    /// The manifest's polls that it uses, and how often, µs.
    pub polls: Vec<(String, i64)>,
    /// Largest body of a web hook, if this connection says its own.
    own_max_body: Option<usize>,
    /// Certificates of its own, which every call asks for.
    pub(crate) tls_files: TlsFiles,
    /// Its settings as JSON.
    settings: Private<String>,
    /// Where its settings stand in the file, all of them and each.
    spans: (Span, Vec<(String, Span)>),
    /// The file.
    pub source: Arc<Source>,
}

impl Connection {
    /// Reads and checks a connection file. `manifest` finds a connector by its id; all problems go to `findings`.
    #[must_use]
    pub fn compile(
        source: &Arc<Source>,
        environment: &Environment,
        manifest: impl Fn(&str) -> Option<Arc<Manifest>>,
        known: &[&str],
        findings: &Findings,
    ) -> Option<Self> {
        let before = findings.error_count();
        let root = yaml::read(source, findings)?;
        let cx = Context::new(source, findings);
        let mut fields = root.fields(&cx)?;
        let id_node = fields.required("id");
        let id = id_node.and_then(|node| node.text(&cx)).unwrap_or_default();
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
        if let Some(node) = id_node
            && (id.is_empty() || id.len() > 64 || !id.chars().all(good))
        {
            cx.error(node.span, "an id has 1 to 64 lower-case letters, digits, `-` and `_`");
        }
        let tenant = fields.text("tenant").unwrap_or_else(|| "default".to_owned());
        let connector = fields.required("connector");
        let manifest = connector.and_then(|node| {
            let name = node.text(&cx)?;
            let found = manifest(&name);
            if found.is_none() && known.contains(&name.as_str()) {
                cx.error(node.span, format!("the connector `{name}` has errors"));
            } else if found.is_none() {
                cx.unknown(node.span, "connector", &name, known.iter().copied());
            }
            found
        });
        let arena = Arena::new();
        let empty = Node { span: fields.span, kind: Kind::Map(Vec::new()) };
        let node = fields.optional("settings").unwrap_or(&empty);
        let entries = node.entries(&cx);
        // What rests on a variable that is not set has been told; that it is no address or secret either is no news.
        let mut unfilled: Vec<&str> = Vec::new();
        let mut filled: Vec<(&Key, Node)> = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let errors = findings.error_count();
            filled.push((key, fill(value, environment, &cx)));
            if findings.error_count() > errors {
                unfilled.push(&key.name);
            }
        }
        // Without a connector there is nothing to lie over, and the keys are checked all the same.
        let standard = manifest.as_ref().map_or_else(Pace::default, |manifest| manifest.pace.clone());
        let pace = Pace::read(&mut fields, &standard);
        let polls = fields.optional("polls");
        let own_max_body = fields.integer("max_body_bytes", 1, 1 << 30).and_then(|n| usize::try_from(n).ok());
        fields.finish();
        let manifest = manifest?;
        let polls = polls.map(|node| polls_of(&manifest, node, &cx)).unwrap_or_default();
        check_settings(&manifest, &filled, node.span, &cx);
        let text = |name: &str| {
            let entry = filled.iter().find(|(key, _)| key.name == name);
            entry.and_then(|(key, value)| Some((value.scalar()?.to_owned(), key.span)))
        };
        let mut egress = manifest.egress.clone();
        let base_url = match manifest.address_setting() {
            "base_url" => {
                let (base_url, span) =
                    text("base_url").or_else(|| Some((manifest.base_url.clone()?, node.span))).unwrap_or_default();
                match Url::parse(&base_url) {
                    Ok(url) if matches!(url.scheme(), "http" | "https") => {
                        egress.extend(url.host_str().map(ToOwned::to_owned));
                    }
                    // A connector that only listens has nobody to call, and one that may listen need not.
                    _ if base_url.is_empty() && manifest.may_only_listen() => {}
                    _ if unfilled.contains(&"base_url") => {}
                    _ if base_url.is_empty() => {
                        cx.error(node.span, "`base_url` is missing; the connector has none of its own");
                    }
                    _ => cx.error(span, "`base_url` must be an http or https address"),
                }
                base_url
            }
            // What else these must say is their driver's to check.
            name => {
                match text(name).as_ref().map(|(value, span)| (host_of(value), span)) {
                    Some((Some(host), _)) => egress.push(host),
                    Some((None, span)) => cx.error(*span, format!("`{name}` names no host")),
                    None => cx.error(node.span, format!("the setting `{name}` is missing")),
                }
                String::new()
            }
        };
        let values: Vec<(&str, Value<'_>)> =
            filled.iter().map(|(key, value)| (arena.text(&key.name), value.to_value(&arena))).collect();
        let settings = arena.map(&values);
        let file = |name: &str| settings.get(name).scalar_text(&arena).map(ToOwned::to_owned);
        let tls_files = ["ca_file", "client_cert_file", "client_key_file"].map(file);
        let settings = Private::new(json::to_string(&settings));
        let base_url = base_url.trim_end_matches('/').to_owned();
        let source = Arc::clone(source);
        let spans = filled.iter().map(|(key, value)| (key.name.clone(), value.span)).collect();
        let spans = (node.span, spans);
        let connection = Self {
            id,
            tenant,
            manifest,
            base_url,
            egress,
            pace,
            polls,
            own_max_body,
            tls_files,
            settings,
            spans,
            source,
        };
        let secret = connection.unusable_secret().filter(|(name, _)| !unfilled.contains(name));
        if let Some((name, help)) = secret {
            let place = filled.iter().find(|(key, _)| key.name == name).map_or(node.span, |(key, _)| key.span);
            cx.error_with(place, format!("`{name}` is no usable secret"), Some(help.to_owned()));
        }
        (findings.error_count() == before).then_some(connection)
    }

    /// A connection with no settings, for trying out what a connector makes of a payload. Nothing can be called or
    /// verified with it.
    #[must_use]
    pub fn without_settings(id: &str, manifest: Arc<Manifest>) -> Self {
        Self {
            id: id.to_owned(),
            tenant: "default".to_owned(),
            base_url: manifest.base_url.clone().unwrap_or_default(),
            egress: Vec::new(),
            pace: manifest.pace.clone(),
            polls: Vec::new(),
            own_max_body: None,
            tls_files: TlsFiles::default(),
            settings: Private::new("{}".to_owned()),
            spans: (Span::default(), Vec::new()),
            source: Arc::clone(&manifest.source),
            manifest,
        }
    }

    /// The settings as a value for expressions.
    pub fn settings<'a>(&self, arena: &'a Arena) -> Value<'a> {
        let text = arena.bytes(self.settings.expose().as_bytes());
        json::read(arena, text, Limits::default()).unwrap_or_default()
    }

    /// A setting as text.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<String> {
        let arena = Arena::new();
        self.settings(&arena).get(name).scalar_text(&arena).map(ToOwned::to_owned)
    }

    /// A setting that may be one text or a list of them.
    #[must_use]
    pub fn setting_list(&self, name: &str) -> Vec<String> {
        let arena = Arena::new();
        let value = self.settings(&arena).get(name);
        let single = [value];
        let items = if let Value::List(items) = value { items } else { &single };
        items.iter().filter_map(|item| item.scalar_text(&arena).map(ToOwned::to_owned)).collect()
    }

    /// Where a setting stands in the file; where all of them stand if it is not there.
    #[must_use]
    pub fn setting_span(&self, name: &str) -> Span {
        let (all, each) = &self.spans;
        each.iter().find(|(known, _)| known == name).map_or(*all, |(_, span)| *span)
    }

    /// Largest body of a web hook in bytes: what the connection says, else its manifest; never more than `most`, which
    /// is the hub's own limit.
    #[must_use]
    pub fn max_body_bytes(&self, most: usize) -> usize {
        let of_manifest = || self.manifest.webhook.as_ref()?.max_body_bytes;
        self.own_max_body.or_else(of_manifest).map_or(most, |own| own.min(most))
    }

    /// How far the time in a proof may lie from ours, in seconds: what the connection says, else its manifest.
    #[must_use]
    pub fn max_skew_secs(&self) -> i64 {
        let own = self.setting("max_skew_secs").and_then(|text| text.parse::<u32>().ok());
        let of_manifest = || self.manifest.webhook.as_ref().map_or(DEFAULT_SKEW_SECS, |webhook| webhook.max_skew_secs);
        i64::from(own.unwrap_or_else(of_manifest))
    }

    /// The proof that this connection asks for: the manifest's first whose condition holds.
    fn proof(&self) -> Option<&VerifyRule> {
        let arena = Arena::new();
        let settings = self.settings(&arena);
        self.manifest.webhook.as_ref()?.verify.iter().find(|rule| {
            rule.when.as_ref().is_none_or(|when| {
                let mut cx = Cx::new(&arena, vec![settings]);
                matches!(when.expr.eval(&mut cx), Ok(Value::Bool(true)))
            })
        })
    }

    /// The setting whose secret nothing can be verified with.
    fn unusable_secret(&self) -> Option<(&str, &'static str)> {
        let name = self.manifest.webhook.as_ref()?.secret.as_str();
        let standard = matches!(self.proof()?.verifier, Verifier::StandardWebhooks);
        let why = |secret: String| match secret.as_str() {
            "" => Some("it is empty"),
            secret if standard && standard_key(secret).is_none() => {
                Some("Standard Webhooks secrets are `whsec_` and base64")
            }
            _ => None,
        };
        self.setting_list(name).into_iter().find_map(why).map(|why| (name, why))
    }

    /// Whether its events come over a long connection that the hub opens.
    #[must_use]
    pub fn streams(&self) -> bool {
        self.manifest.stream.as_ref().is_some_and(|stream| stream.is_for(self))
    }

    /// A request as the vendor would make it, by the proof that this connection asks for; `None` without a secret, or
    /// where a body alone is no payload.
    #[must_use]
    pub fn made_request(&self, body: &[u8], now: Timestamp) -> Option<InboundRequest> {
        let webhook = self.manifest.webhook.as_ref().filter(|webhook| webhook.open.is_none())?;
        let secret = self.setting_list(&webhook.secret).into_iter().next()?;
        let headers = self.proof()?.verifier.prove(&secret, body, now)?;
        Some(InboundRequest { method: "POST".to_owned(), query: Vec::new(), headers, body: body.to_vec(), now })
    }

    /// The answer to a vendor that asks whether somebody takes its web hooks here, before it signs any: the header that
    /// the manifest names, as it came. A request with a body is none such.
    #[must_use]
    pub fn handshake(&self, request: &InboundRequest) -> Option<HookAnswer> {
        let name = self.manifest.webhook.as_ref()?.handshake.as_ref()?;
        let value = request.header(name).filter(|_| request.body.is_empty())?;
        let readable = value.len() <= 256 && value.bytes().all(|byte| byte.is_ascii_graphic());
        let headers = vec![(name.clone(), value.to_owned())];
        readable.then(|| HookAnswer { headers, ..HookAnswer::text(Vec::new()) })
    }

    /// Verifies a request by the manifest's proofs: the first whose condition holds.
    ///
    /// # Errors
    /// Why the request is not believed.
    pub fn verify(&self, request: &InboundRequest) -> Result<(), WebhookError> {
        let webhook = self.manifest.webhook.as_ref().ok_or(WebhookError::Unsupported)?;
        let rule = self.proof();
        let secrets = self.setting_list(&webhook.secret);
        let arena = Arena::new();
        let (settings, skew) = (self.settings(&arena), self.max_skew_secs());
        rule.ok_or(WebhookError::Unsupported)?.verifier.check(request, &secrets, settings, skew)
    }

    /// Verifies a request and takes the payload out of it, with the answer that the vendor waits for.
    ///
    /// # Errors
    /// Why the request is not believed, or that it holds no payload.
    pub fn open(&self, request: &InboundRequest) -> Result<Opened, WebhookError> {
        self.verify(request)?;
        let webhook = self.manifest.webhook.as_ref().ok_or(WebhookError::Unsupported)?;
        let body = match &webhook.open {
            None => request.body.clone(),
            Some(open) => self.payload_of(open, request)?,
        };
        let answer = webhook.answer_text.as_ref().map(|text| {
            let body = text.clone().into_bytes();
            HookAnswer { status: webhook.answer_status, ..HookAnswer::text(body) }
        });
        Ok(Opened { body: Some(body), answer })
    }
}

impl Connection {
    /// What `open` of a manifest gives. That it gives nothing looks like a bad proof to the outside.
    fn payload_of(&self, open: &Located, request: &InboundRequest) -> Result<Vec<u8>, WebhookError> {
        let arena = Arena::new();
        let slots = shown::slots(&arena, request, self.settings(&arena), &[open]);
        let refused = |reason, hint: &str| WebhookError::Wire { reason, hint: hint.to_owned(), proved: None };
        match open.expr.eval(&mut Cx::new(&arena, slots)) {
            Ok(Value::Text(text)) if !text.is_empty() => Ok(text.as_bytes().to_vec()),
            Ok(_) => {
                let hint = "the request does not hold what this vendor sends: is it from another interface of it?";
                Err(refused("payload_missing", hint))
            }
            Err(_) => Err(refused("decrypt_failed", "the key that the vendor seals with is not the connection's")),
        }
    }
}

/// `polls: [directory]`, or `polls: { directory: { every: 12h } }`: a poll asks the vendor's quota, so a connection
/// names those that it wants.
fn polls_of(manifest: &Manifest, node: &Node, cx: &Context<'_>) -> Vec<(String, i64)> {
    let find = |name: &str, span: Span| {
        let found = manifest.polls.iter().find(|poll| poll.name == name);
        if found.is_none() {
            let known = manifest.polls.iter().map(|poll| poll.name.as_str());
            cx.unknown(span, &format!("poll of {}", manifest.vendor), name, known);
        }
        found
    };
    let mut polls = Vec::new();
    if let Kind::List(items) = &node.kind {
        for item in items {
            let found = item.text(cx).and_then(|name| find(&name, item.span));
            polls.extend(found.map(|poll| (poll.name.clone(), poll.every)));
        }
        return polls;
    }
    for (key, node) in node.entries(cx) {
        let (Some(poll), Some(mut fields)) = (find(&key.name, key.span), node.fields(cx)) else { continue };
        let every = fields.optional("every").map(|node| hub_tree::duration::read(node, cx));
        fields.finish();
        if let Some(every) = every.unwrap_or(Some(poll.every)) {
            polls.push((poll.name.clone(), every));
        }
    }
    polls
}

/// Replaces every `${NAME}` in the texts of a node; a variable that is not set is an error at its place.
fn fill(node: &Node, environment: &Environment, cx: &Context<'_>) -> Node {
    let kind = match &node.kind {
        Kind::Text(text) => Kind::Text(fill_text(text, node, environment, cx)),
        Kind::List(items) => Kind::List(items.iter().map(|item| fill(item, environment, cx)).collect()),
        Kind::Map(entries) => {
            Kind::Map(entries.iter().map(|(key, value)| (key.clone(), fill(value, environment, cx))).collect())
        }
        other => other.clone(),
    };
    Node { span: node.span, kind }
}

/// Replaces every `${NAME}` of a text with the variable of that name.
pub fn fill_text(text: &str, node: &Node, environment: &Environment, cx: &Context<'_>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let Some(length) = rest[start..].find('}') else { break };
        let name = &rest[start + 2..start + length];
        out.push_str(&rest[..start]);
        let offset = text.len() - rest.len() + start;
        let at = node.locate(&cx.source, text[..offset].chars().count(), name.chars().count() + 3);
        match environment.get(name) {
            Some(value) => out.push_str(&value),
            None => {
                let help =
                    format!("set it in the environment, or add a line `{name}=…` to the `.env` file of the folder");
                cx.error_with(at, format!("the environment variable {name} is not set"), Some(help));
            }
        }
        rest = &rest[start + length + 1..];
    }
    out.push_str(rest);
    out
}

fn check_settings(manifest: &Manifest, filled: &[(&Key, Node)], span: Span, cx: &Context<'_>) {
    let declared = || manifest.settings.iter().map(|setting| setting.name.as_str());
    for (key, value) in filled {
        if !declared().chain(COMMON_SETTINGS).any(|name| name == key.name) {
            cx.unknown(
                key.span,
                &format!("setting of {}", manifest.vendor),
                &key.name,
                declared().chain(["base_url"]).collect::<Vec<_>>(),
            );
        }
        if matches!(value.kind, Kind::Map(_)) {
            value.expected("text", cx);
        }
        if value.kind == Kind::List(Vec::new()) {
            cx.error(value.span, format!("`{}` is empty", key.name));
        }
        let skew = value.scalar().and_then(|text| text.parse::<u32>().ok());
        if key.name == "max_skew_secs" && skew.is_none_or(|skew| skew > 86_400) {
            value.expected("a whole number of seconds, at most a day", cx);
        }
    }
    for setting in manifest.settings.iter().filter(|setting| setting.required) {
        let given = filled.iter().any(|(key, value)| key.name == setting.name && value.kind != Kind::Null);
        if !given {
            let help = (!setting.doc.is_empty()).then(|| setting.doc.clone());
            cx.error_with(span, format!("{} needs the setting `{}`", manifest.vendor, setting.name), help);
        }
    }
}

/// The host of an address of any kind, or of a bare `host` or `host:port`.
fn host_of(address: &str) -> Option<String> {
    let bare = if address.contains("://") { address.to_owned() } else { format!("none://{address}") };
    // Of an IPv6 address the brackets are no part.
    let host = Url::parse(&bare).ok()?.host_str()?.trim_matches(['[', ']']).to_lowercase();
    (!host.is_empty()).then_some(host)
}

/// Whether a setting must not be shown.
#[must_use]
pub fn is_secret(manifest: &Manifest, name: &str) -> bool {
    COMMON_SECRETS.contains(&name) || manifest.settings.iter().any(|setting| setting.name == name && setting.secret)
}

/// The files of a `connections` folder, in order.
///
/// # Errors
/// A folder or file that cannot be read, with its path.
pub fn files(folder: &std::path::Path) -> Result<Vec<Arc<Source>>, (String, std::io::Error)> {
    let mut sources = Vec::new();
    let shown = folder.display().to_string();
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(sources),
        Err(error) => return Err((shown, error)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(|error| (shown.clone(), error))?.path());
    }
    paths.sort();
    for path in paths.into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "yaml")) {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(&path).map_err(|error| (shown.clone(), error))?;
        sources.push(Source::new(shown, text));
    }
    Ok(sources)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"version: 1
vendor: kestrel
name: Kestrel
family: ats
driver: http
base_url: https://api.kestrel.example
egress: [login.kestrel.example]
settings:
  region: { required: true, doc: which data centre }
webhook:
  verify: { kind: hmac_sha256, header: X-Sign }
  event: payload.event
  events: { hired: candidate }
"#;

    fn manifest() -> Arc<Manifest> {
        let source = Source::new("m.yaml", MANIFEST);
        let findings = Findings::new();
        let manifest = Manifest::compile("kestrel", &source, &findings);
        Arc::new(manifest.unwrap_or_else(|| panic!("{:?}", findings.into_sorted())))
    }

    fn compile(text: &str) -> (Option<Connection>, String) {
        let source = Source::new("connections/k.yaml", text);
        let findings = Findings::new();
        let environment = Environment::of([("SECRET", "s3cret"), ("EMPTY", "")]);
        let manifest = manifest();
        let find = |name: &str| (name == "kestrel").then(|| Arc::clone(&manifest));
        let connection = Connection::compile(&source, &environment, find, &["kestrel"], &findings);
        let lines: Vec<String> = findings.into_sorted().iter().map(ToString::to_string).collect();
        (connection, lines.join("\n"))
    }

    #[test]
    fn a_connection_takes_its_settings_from_file_and_environment() {
        let text = "id: k-main\nconnector: kestrel\nsettings: { region: eu, webhook_secret: [\"${SECRET}\", old], base_url: \"http://127.0.0.1:81/k/\" }\n";
        let (connection, problems) = compile(text);
        let connection = connection.unwrap_or_else(|| panic!("{problems}"));
        assert_eq!(connection.base_url, "http://127.0.0.1:81/k");
        assert_eq!(connection.egress, ["login.kestrel.example", "127.0.0.1"]);
        assert_eq!(connection.setting_list("webhook_secret"), ["s3cret", "old"]);
        assert_eq!(connection.tenant, "default");
        assert!(!format!("{connection:?}").contains("s3cret"));
    }

    #[test]
    fn problems_name_file_line_and_remedy() {
        let (connection, problems) = compile(
            "id: K main\nconnector: kestral\nsettings:\n  regoin: eu\n  webhook_secret: \"a-${NOPE}-${EMPTY}\"\n",
        );
        assert!(connection.is_none());
        for wanted in [
            "k.yaml:1:5: error: an id has",
            "k.yaml:2:12: error: unknown connector `kestral`",
            "did you mean `kestrel`?",
            "k.yaml:5:22: error: the environment variable NOPE is not set",
            "k.yaml:5:30: error: the environment variable EMPTY is not set",
        ] {
            assert!(problems.contains(wanted), "missing {wanted} in\n{problems}");
        }
        let (_, problems) = compile("id: k\nconnector: kestrel\nsettings: { regoin: eu, base_url: nowhere }\n");
        for wanted in
            ["unknown setting of kestrel `regoin`", "needs the setting `region`", "`base_url` must be an http"]
        {
            assert!(problems.contains(wanted), "missing {wanted} in\n{problems}");
        }
        let (_, problems) = compile("id: k\nconnector: kestrel\nsettings: { region: eu, webhook_secret: \"\" }\n");
        assert!(
            problems.contains("`webhook_secret` is no usable secret") && problems.contains("it is empty"),
            "{problems}"
        );
        // One cause is told once.
        let unset =
            "id: k\nconnector: kestrel\nsettings: { region: eu, base_url: \"${NOPE}\", webhook_secret: \"${NOPE}\" }\n";
        let (connection, problems) = compile(unset);
        assert!(connection.is_none());
        assert_eq!(problems.matches("error:").count(), 2, "{problems}");
        assert_eq!(problems.matches("NOPE is not set").count(), 2, "{problems}");
    }

    #[test]
    fn a_manifest_reads_only_the_headers_that_it_keeps_and_proves_by_settings_alone() {
        let problems = |from: &str, to: &str| {
            let findings = Findings::new();
            assert!(MANIFEST.contains(from));
            let _ = Manifest::compile("kestrel", &Source::new("m.yaml", MANIFEST.replace(from, to)), &findings);
            findings.into_sorted().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        };
        let event = "  event: payload.event\n";
        let with_header = "  event: payload.event\n  dedupe: headers[\"x-id\"]\n";
        assert!(problems(event, with_header).contains("the header `x-id` is read here and not kept"));
        assert_eq!(problems(event, &format!("{with_header}  keep_headers: [X-Id]\n")), "");
        let conditional = |when: &str| problems("header: X-Sign }", &format!("header: X-Sign, when: {when} }}"));
        assert!(conditional("payload.a == 1").contains("unknown name `payload`"));
        assert_eq!(conditional("settings.region == \"eu\""), "");
    }
}
