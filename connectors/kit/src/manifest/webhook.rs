//! The `webhook` section of a manifest.

use super::read::Compiler;
use crate::follow::FollowUp;
use crate::hook::{is_xml, read_opened};
use crate::verify::{Computed, Encoding, Verifier, shown};
use hub_expr::{Located, Segment, Type};
use hub_tree::yaml::{Kind, Node};
use hub_tree::{Arena, Limits, ReadError, Span, Value, json};

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
    /// The text in a proved request that is the payload; its body, if nothing is said.
    pub open: Option<Located>,
    /// The status of the answer.
    pub answer_status: u16,
    /// The text of the answer, where the vendor waits for one.
    pub answer_text: Option<String>,
    /// Largest body that it takes; the hub's own limit holds beside it.
    pub max_body_bytes: Option<usize>,
    /// How far the time in a proof may lie from ours, unless a connection says otherwise.
    pub max_skew_secs: u32,
    /// The header by which the vendor asks, before it sends anything, whether somebody takes it here: it is sent back.
    pub handshake: Option<String>,
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

impl Webhook {
    /// Whether its driver itself proves and opens its requests.
    #[must_use]
    pub fn is_opened_by_driver(&self) -> bool {
        self.verify.iter().any(|rule| matches!(rule.verifier, Verifier::Driver))
    }

    /// Reads an opened body: JSON, or XML where the vendor sends it.
    ///
    /// # Errors
    /// What it should be, and the first place where it is not.
    pub fn read<'a>(&self, arena: &'a Arena, body: &'a [u8]) -> Result<Value<'a>, (&'static str, ReadError)> {
        let xml = self.is_opened_by_driver() || self.content_types.iter().any(|known| known.ends_with("xml"));
        if xml && is_xml(body) {
            return read_opened(arena, body).map_err(|error| ("XML", error));
        }
        json::read(arena, body, Limits::default()).map_err(|error| ("JSON", error))
    }
}

/// How far the time in a proof may lie from ours, where nothing else is said.
pub const DEFAULT_SKEW_SECS: u32 = 300;

/// The slot of `headers` in the expressions of a webhook; `settings` and `payload` come before it.
pub const HOOK_HEADERS: usize = 2;

impl Compiler<'_, '_> {
    pub(super) fn webhook(&self, node: &Node) -> Option<Webhook> {
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
        let open = fields.optional("open").and_then(|node| {
            Located::typed(node, &shown::scope(self.settings.clone()), self.cx, &Type::Text, "`open`")
        });
        let answer_text = fields.text("answer_text");
        let answer_status = fields.integer("answer_status", 200, 299).and_then(|n| u16::try_from(n).ok());
        let max_body_bytes = fields.integer("max_body_bytes", 1, 1 << 30).and_then(|n| usize::try_from(n).ok());
        let max_skew_secs = fields.integer("max_skew_secs", 0, 86_400).and_then(|n| u32::try_from(n).ok());
        let handshake = fields.optional("handshake").and_then(|node| self.handshake(node));
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
            open,
            answer_status: answer_status.unwrap_or(200),
            answer_text,
            max_body_bytes,
            max_skew_secs: max_skew_secs.unwrap_or(DEFAULT_SKEW_SECS),
            handshake,
            span,
        })
    }

    /// `{ header: x-hook-secret }`.
    fn handshake(&self, node: &Node) -> Option<String> {
        let mut fields = node.fields(self.cx)?;
        let header = fields.required_text("header").map(|name| name.to_lowercase());
        fields.finish();
        header
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
            "basic" => Some(Verifier::Basic),
            "computed" => {
                let shown = shown::scope(self.settings.clone());
                let mut made = shown.clone();
                made.push("secret", Type::Text);
                let given = fields.required("given").and_then(|node| self.expr(node, &shown));
                let wanted = fields
                    .required("wanted")
                    .and_then(|node| Located::typed(node, &made, self.cx, &Type::Text, "`wanted`"));
                let at = fields.optional("at").and_then(|node| self.expr(node, &shown));
                given.zip(wanted).map(|(given, wanted)| Verifier::Computed(Box::new(Computed { given, wanted, at })))
            }
            "driver" => Some(Verifier::Driver),
            other => {
                let kinds = ["basic", "computed", "driver", "hmac_sha256", "standard_webhooks"];
                self.cx.unknown(node.span, "kind of proof", other, kinds);
                return None;
            }
        };
        fields.finish();
        verifier.map(|verifier| VerifyRule { verifier, when })
    }
}
