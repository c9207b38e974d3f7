//! Events over a long connection that the hub opens, instead of callbacks: how it is opened is data of the manifest, what
//! its frames say is the driver's.

use crate::call::read_reply;
use crate::connection::Connection;
use crate::driver::{CallContext, Driver};
use crate::failure::CallError;
use crate::manifest::{Compiler, Operation};
use hub_expr::{Cx, Located, Scope};
use hub_tree::yaml::Node;
use hub_tree::{Arena, Span, Value};
use url::Url;

/// How a vendor's long connection is opened.
#[derive(Debug)]
pub struct StreamRule {
    /// Which connections use it; all, if nothing is said.
    when: Option<Located>,
    /// Asks for a place to connect to.
    open: Operation,
    /// The address, in its answer.
    address: Located,
    /// Where it stands.
    pub span: Span,
}

/// What a frame says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// An event, as a callback would bring it; its frame is answered by this id.
    Event {
        /// What the answer names.
        id: String,
        /// The body.
        body: Vec<u8>,
    },
    /// Something that is answered at once.
    Answered(String),
    /// The vendor asks to open another connection, after this answer.
    Leave(Option<String>),
    /// Nothing to do.
    Nothing,
}

impl Compiler<'_, '_> {
    /// Reads `stream`.
    pub(crate) fn stream(&self, node: &Node) -> Option<StreamRule> {
        let mut fields = node.fields(self.cx)?;
        let scope = Scope::new([("settings", self.settings.clone())]);
        let when = fields.optional("when").and_then(|node| Located::condition(node, &scope, self.cx));
        let open = fields.required("open").and_then(|node| {
            let mut own = node.fields(self.cx)?;
            let open = self.step("open_stream", &mut own);
            own.finish();
            open
        });
        let address = fields.required("address").and_then(|node| self.expr(node, &self.answer));
        let span = fields.span;
        fields.finish();
        Some(StreamRule { when, open: open?, address: address?, span })
    }
}

impl StreamRule {
    /// Whether a connection uses it.
    #[must_use]
    pub fn is_for(&self, connection: &Connection) -> bool {
        let arena = Arena::new();
        let settings = connection.settings(&arena);
        self.when
            .as_ref()
            .is_none_or(|when| matches!(when.expr.eval(&mut Cx::new(&arena, vec![settings])), Ok(Value::Bool(true))))
    }

    /// Asks for a place to connect to. The address holds a secret, and is good for one connection.
    ///
    /// # Errors
    /// The vendor does not give one.
    pub async fn address(&self, driver: &dyn Driver, cx: &CallContext<'_>) -> Result<Url, CallError> {
        let reply = driver.call(cx, &self.open, b"{}").await?;
        let arena = Arena::new();
        let value = read_reply(cx.connection, &self.open, &self.address, &arena, &reply)?;
        let url = value.scalar_text(&arena).and_then(|text| Url::parse(text).ok());
        url.ok_or_else(|| CallError::Trouble {
            status: reply.status,
            code: Some("the answer has no address to connect to".to_owned()),
        })
    }
}
