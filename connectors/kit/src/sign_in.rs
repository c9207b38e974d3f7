//! Signing in with an account at a vendor: OAuth 2.0's code flow (RFC 6749 section 4.1), as a manifest describes it.
//!
//! The person's browser is sent to the vendor's page with `args.state` and `args.redirect_uri`, and comes back with a
//! code. The steps turn the code (`args.code`) into the vendor's id of the person; each may hand something on to those
//! behind it. Nothing of it is kept: not the code, not the person's token, not what the vendor tells of them.

use crate::call::{address, read_reply};
use crate::driver::{CallContext, Driver};
use crate::failure::CallError;
use crate::manifest::{Compiler, Idempotency, Operation};
use hub_expr::Located;
use hub_tree::yaml::{Fields, Node};
use hub_tree::{Arena, Value, json};
use std::time::Duration;
use url::Url;

/// How long one step may take: somebody looks at an empty page meanwhile.
const STEP_TIME: Duration = Duration::from_secs(10);

/// How people sign in with their account at a vendor.
#[derive(Debug)]
pub struct SignIn {
    /// The page where they agree; only its address is used.
    page: Operation,
    /// The parameter of the way back that holds the code.
    pub code: String,
    /// What turns the code into who it is.
    steps: Vec<Step>,
    /// The vendor's id of the person, in the answer of the last step.
    user: Located,
}

/// A request, and what later ones need of its answer.
#[derive(Debug)]
struct Step {
    operation: Operation,
    gives: Vec<(String, Located)>,
}

impl Compiler<'_, '_> {
    /// Reads `sign_in`.
    pub(crate) fn sign_in(&self, node: &Node) -> Option<SignIn> {
        let mut fields = node.fields(self.cx)?;
        let page = fields.required("page").and_then(|node| {
            let mut own = node.fields(self.cx)?;
            let page = self.step("sign_in", &mut own);
            own.finish();
            page
        });
        let code = fields.text("code").unwrap_or_else(|| "code".to_owned());
        let mut steps = Vec::new();
        if let Some(list) = fields.required("steps") {
            for item in list.items(self.cx) {
                let Some(mut own) = item.fields(self.cx) else { continue };
                let gives = own.optional("gives").map(|node| node.entries(self.cx)).unwrap_or_default().iter();
                let gives = gives.filter_map(|(key, value)| Some((key.name.clone(), self.expr(value, &self.answer)?)));
                let gives = gives.collect();
                let operation = self.step("sign_in", &mut own);
                own.finish();
                steps.extend(operation.map(|operation| Step { operation, gives }));
            }
            if steps.is_empty() {
                self.cx.error(list.span, "at least one step turns the code into who it is");
            }
        }
        let user = fields.required("user").and_then(|node| self.expr(node, &self.answer));
        fields.finish();
        Some(SignIn { page: page?, code, steps, user: user? })
    }

    /// A request beside the operations. It changes nothing at the vendor, and nothing of the answer becomes a record.
    pub(crate) fn step(&self, name: &str, fields: &mut Fields<'_, '_>) -> Option<Operation> {
        let anonymous = fields.word("auth", &[("none", true)]).unwrap_or(false);
        let request = self.request(fields, Some("args"))?;
        Some(Operation {
            name: name.to_owned(),
            request,
            token_place: None,
            mapping: None,
            reply: None,
            idempotency: Idempotency::Reads,
            success: None,
            errors: Vec::new(),
            split: None,
            then: Vec::new(),
            auth: None,
            anonymous,
            table: None,
            mail: false,
            rates: None,
            timeout: STEP_TIME,
            span: fields.span,
        })
    }
}

impl SignIn {
    /// Where somebody's browser is sent.
    ///
    /// # Errors
    /// The address cannot be built.
    pub fn page(&self, cx: &CallContext<'_>, state: &str, redirect_uri: &str) -> Result<Url, CallError> {
        let args = [("state".to_owned(), state.to_owned()), ("redirect_uri".to_owned(), redirect_uri.to_owned())];
        address(cx, &self.page, &as_json(&args))
    }

    /// The vendor's id of the person who brought a code. A code is good for one exchange.
    ///
    /// # Errors
    /// The vendor does not accept the code, does not answer, or its answer names nobody.
    pub async fn user(
        &self,
        driver: &dyn Driver,
        cx: &CallContext<'_>,
        code: &str,
        redirect_uri: &str,
    ) -> Result<String, CallError> {
        let mut args = vec![("code".to_owned(), code.to_owned()), ("redirect_uri".to_owned(), redirect_uri.to_owned())];
        let mut found = None;
        for (at, Step { operation, gives }) in self.steps.iter().enumerate() {
            let reply = driver.call(cx, operation, &as_json(&args)).await?;
            let arena = Arena::new();
            let text = |located| -> Result<Option<String>, CallError> {
                let value = read_reply(cx.connection, operation, located, &arena, &reply)?;
                Ok(value.scalar_text(&arena).map(ToOwned::to_owned).filter(|text| !text.is_empty()))
            };
            for (name, located) in gives {
                let missing = || refused(reply.status, &format!("the answer has no `{name}`"));
                args.push((name.clone(), text(located)?.ok_or_else(missing)?));
            }
            if at + 1 == self.steps.len() {
                found = text(&self.user)?;
                found.as_ref().ok_or_else(|| refused(reply.status, "the answer names nobody of the organisation"))?;
            }
        }
        found.ok_or_else(|| refused(0, "nothing was asked"))
    }
}

fn refused(status: u16, why: &str) -> CallError {
    CallError::refused(status, Some(why.to_owned()))
}

fn as_json(args: &[(String, String)]) -> Vec<u8> {
    let arena = Arena::new();
    let entries: Vec<(&str, Value<'_>)> = args.iter().map(|(name, text)| (name.as_str(), Value::Text(text))).collect();
    json::to_string(&arena.map(&entries)).into_bytes()
}
