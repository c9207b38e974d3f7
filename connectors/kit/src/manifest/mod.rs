//! A vendor's manifest: what the hub knows of it, as data.
//!
//! Strings that compute hold expressions in braces; fields that are expressions by nature (`event`, `dedupe`,
//! `success` …) hold them bare. All are checked when the manifest is read, against the names that they can use:
//! `settings` and `base_url` everywhere, `args` in requests, `status`, `payload` and `headers` in answers, `payload`
//! and `headers` in webhooks.

mod read;
mod soap;
mod tables;
mod webhook;

pub(crate) use read::Compiler;
pub use soap::{QName, SoapAuth, SoapRequest, SoapRules, SoapStyle};
pub use tables::{Batch, Child, ChildWrite, Condition, ErrorColumns, Find, RowAgain, Status, Table, TableWrite, Taken};
pub use webhook::{DEFAULT_SKEW_SECS, EventRule, HOOK_HEADERS, VerifyRule, Webhook};

use crate::follow::{FollowUp, Poll};
use crate::pace::Pace;
use crate::parts;
use crate::probe::Codes;
use crate::rate::Rate;
use crate::serves::Serves;
use crate::sign_in::SignIn;
use crate::signed::Signing;
use crate::stream::StreamRule;
use crate::types::Types;
use hub_expr::{Located, Templated};
use hub_tree::yaml::{self, Context, Node};
use hub_tree::{Findings, Source, Span};
use std::sync::Arc;
use std::time::Duration;

/// Settings that every connector understands, whether its manifest names them or not.
pub const COMMON_SETTINGS: [&str; 15] = [
    "time_zone",
    "base_url",
    "dsn",
    "webhook_secret",
    "encrypt_key",
    "api_key",
    "client_id",
    "client_secret",
    "username",
    "password",
    "max_skew_secs",
    "token_url",
    "ca_file",
    "client_cert_file",
    "client_key_file",
];

/// Those of them that are secret.
pub const COMMON_SECRETS: [&str; 7] =
    ["webhook_secret", "encrypt_key", "api_key", "client_secret", "password", "client_id", "dsn"];

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
    /// Other ways, by name, for operations that ask for one: a vendor's API families may differ in it.
    pub auths: Vec<(String, Auth)>,
    /// What it sends us.
    pub webhook: Option<Webhook>,
    /// What we can ask it.
    pub operations: Vec<Operation>,
    /// Answers that mean something else than their status, of every operation and of the request for a token. An operation's
    /// own rules come before them.
    pub errors: Vec<ErrorRule>,
    /// What can be read again and again; a connection says which of them are.
    pub polls: Vec<Poll>,
    /// Tables of its database that the hub reads.
    pub tables: Vec<Table>,
    /// How often they are looked at, seconds.
    pub table_poll_secs: i64,
    /// Harmless questions that tell whether the connection may ask them.
    pub checks: Vec<FollowUp>,
    /// What the vendor's codes mean for people.
    pub codes: Codes,
    /// The long connection that events may come over.
    pub stream: Option<StreamRule>,
    /// How people sign in with their account there.
    pub sign_in: Option<SignIn>,
    /// What its messages look like, where its wire has a schema.
    pub types: Types,
    /// What its connections offer to be called.
    pub serves: Option<Serves>,
    /// What holds for all its SOAP messages.
    pub soap: SoapRules,
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
    /// A proof that is made for each request.
    Signed(Box<Signing>),
    /// The first whose condition, over the settings, holds or is not there.
    OneOf(Vec<(Option<Located>, Auth)>),
}

impl Auth {
    /// Whether some of its requests show a token.
    #[must_use]
    pub fn has_token(&self) -> bool {
        match self {
            Self::Token(_) => true,
            Self::OneOf(kinds) => kinds.iter().any(|(_, auth)| auth.has_token()),
            _ => false,
        }
    }
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
    /// How the request that fetches it is signed.
    pub signed: Option<Signing>,
    /// How requests that show it are signed beside it.
    pub calls: Option<Signing>,
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
    /// What the body of its answer is.
    pub answer: AnswerForm,
    /// How it is a SOAP message, if it is one.
    pub soap: Option<Box<SoapRequest>>,
}

/// What the body of an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerForm {
    /// JSON.
    Json,
    /// XML, of which the payload is the content of the root element.
    Xml,
    /// Text, which is the payload.
    Text,
}

impl AnswerForm {
    /// What a request says that it accepts.
    #[must_use]
    pub const fn media_types(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Xml => "text/xml, application/xml",
            Self::Text => "*/*",
        }
    }
}

/// The body of a request.
#[derive(Debug)]
pub enum Body {
    /// None.
    None,
    /// The value of an expression as JSON.
    Json(Located),
    /// The value of an expression, an object with one key, as XML.
    Xml(Located),
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
    /// How it authenticates, if not as `auth` says: a name of `auths`.
    pub auth: Option<String>,
    /// Where it shows the token, if not where `auth` says: a vendor's API families may differ in it.
    pub token_place: Option<TokenPlace>,
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
    /// How an answer is taken apart that is too large to be read at once.
    pub split: Option<Split>,
    /// Whether the request goes without the connection's own authentication.
    pub anonymous: bool,
    /// The rows that it writes, in place of a request.
    pub table: Option<TableWrite>,
    /// Whether it sends a mail, in place of a request.
    pub mail: bool,
    /// How many calls of it the vendor takes in a time, if it says so of this operation.
    pub rates: Option<Vec<Rate>>,
    /// How long one attempt may take: token, look-up and call together.
    pub timeout: Duration,
    /// The business reference of a call, for people and for the sandbox's count.
    pub span: Span,
}

/// How a large answer is taken apart: its records are read one by one, and each part looks like an answer with some of
/// them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// The names that lead from the payload to the records, which are a list.
    pub list: Vec<String>,
    /// Records in a part, at most.
    pub size: usize,
}

impl Operation {
    /// All rules for calls that follow from it.
    pub fn follow_ups(&self) -> impl Iterator<Item = &FollowUp> {
        let looked_up = match &self.idempotency {
            Idempotency::Lookup { then, .. } => then.as_slice(),
            _ => &[],
        };
        self.then.iter().chain(looked_up)
    }

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
    /// The vendor knows a repetition by a key that the request carries.
    Key(KeyPlace),
    /// Twice is the same as once: a state is set, something is removed.
    Repeatable,
    /// Before a repetition we look whether it was carried out.
    Lookup {
        /// Whether we look before the first try too: what somebody else asked for under the same name counts.
        first: bool,
        /// The operation that looks.
        operation: String,
        /// Its arguments.
        args: Vec<(String, Located)>,
        /// Says, of its answer, whether the first try was carried out.
        found: Box<Located>,
        /// What its answer leads to then, in place of what the call's own would.
        then: Vec<FollowUp>,
    },
    /// Nothing: an attempt that may have arrived is not repeated.
    None,
}

/// Where a request carries the key by which the vendor knows a repetition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyPlace {
    /// In this header.
    Header(String),
    /// Under this name of its JSON object, unless the mapping has put a key of its own there.
    Body(String),
    /// Under this name of its query.
    Query(String),
}

/// An answer that means something special.
#[derive(Clone, Debug)]
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
    /// No: the credentials are not accepted.
    Credentials,
    /// No: the vendor has no such thing to ask for, or not in this way.
    Config,
    /// No.
    Refused,
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
        let mut settings = fields.optional("settings").map(|node| settings(node, &cx)).unwrap_or_default();
        if driver == "soap" {
            soap::add_settings(&mut settings);
        }
        let compiler = Compiler::new(&cx, &settings);
        let auth = fields.optional("auth").map_or(Some(Auth::None), |node| compiler.auth(node));
        let auths = fields.optional("auths").map(|node| compiler.auths(node)).unwrap_or_default();
        let webhook = fields.optional("webhook").map(|node| compiler.webhook(node));
        let soap = fields.optional("soap").and_then(|node| compiler.soap_rules(node)).unwrap_or_default();
        let types = Types::read(fields.optional("namespaces"), fields.optional("types"), &cx);
        let serves = fields.optional("serves").map(|node| compiler.serves(node, &types));
        let operations = fields.optional("operations").map(|node| compiler.operations(node)).unwrap_or_default();
        let errors = fields.optional("errors").map(|node| compiler.errors(node)).unwrap_or_default();
        let polls = fields.optional("polls").map(|node| Poll::compile_all(node, &compiler.settings, &cx));
        let polls = polls.unwrap_or_default();
        let tables = fields.optional("tables").map(|node| compiler.tables(node)).unwrap_or_default();
        let table_poll_secs = compiler.table_poll(fields.optional("poll"));
        let checks = fields.optional("checks").map(|node| compiler.checks(node)).unwrap_or_default();
        let codes = fields.optional("codes").map(|node| Codes::read(node, &cx)).unwrap_or_default();
        let stream = fields.optional("stream").map(|node| compiler.stream(node));
        let sign_in = fields.optional("sign_in").map(|node| compiler.sign_in(node));
        let pace = Pace::read(&mut fields, &Pace::default());
        fields.finish();
        let hooks = webhook.iter().flatten().flat_map(|webhook| &webhook.events).flat_map(|rule| &rule.fetch);
        let follow = hooks.chain(operations.iter().flat_map(Operation::follow_ups));
        for follow in follow.chain(polls.iter().flat_map(|poll| &poll.begin)).chain(&checks) {
            if !operations.iter().any(|known| known.name == follow.operation) {
                cx.unknown(follow.span, "operation", &follow.operation, operations.iter().map(|o| o.name.as_str()));
            }
        }
        for operation in &operations {
            if let Some(name) = operation.auth.as_ref().filter(|name| !auths.iter().any(|(known, _)| known == *name)) {
                cx.unknown(operation.span, "way to authenticate", name, auths.iter().map(|(name, _)| name.as_str()));
            }
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
            auths,
            webhook: webhook.flatten(),
            operations,
            errors,
            polls,
            tables,
            table_poll_secs,
            checks,
            codes,
            stream: stream.flatten(),
            sign_in: sign_in.flatten(),
            types,
            serves: serves.flatten(),
            soap,
            pace,
            source: Arc::clone(source),
        })
    }

    /// How an operation authenticates.
    #[must_use]
    pub fn auth_of(&self, operation: &Operation) -> &Auth {
        let named = operation.auth.as_ref().and_then(|name| self.auths.iter().find(|(known, _)| known == name));
        named.map_or(&self.auth, |(_, auth)| auth)
    }

    /// The operation called `name`.
    #[must_use]
    pub fn operation(&self, name: &str) -> Option<&Operation> {
        let name = parts::whole(name);
        self.operations.iter().find(|operation| operation.name == name)
    }

    /// The table called `name`.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.name == name)
    }

    /// The setting that says where its connections lead: an address for HTTP, a database, or a host.
    #[must_use]
    pub fn address_setting(&self) -> &'static str {
        if !self.tables.is_empty() || self.operations.iter().any(|operation| operation.table.is_some()) {
            "dsn"
        } else if self.operations.iter().any(|operation| operation.mail) {
            "host"
        } else {
            "base_url"
        }
    }

    /// Whether a connection may take things in without an address to call: there is nothing to ask, or the connector offers
    /// the address as a setting that need not be given.
    #[must_use]
    pub fn may_only_listen(&self) -> bool {
        let optional = self.settings.iter().any(|setting| setting.name == "base_url" && !setting.required);
        (self.operations.is_empty() && self.serves.is_some()) || (optional && self.webhook.is_some())
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
