//! What a manifest says of a payload that was received: its event, the mapping that reads it, its ids.
//!
//! Nothing here is kept, written or sent; where payloads are mapped and where somebody only asks what would become of
//! one, the answer is the same.

use crate::effects::Failure;
use crate::hub::Hub;
use hub_engine::{Input, Mapping};
use hub_expr::{Cx, Located};
use hub_kit::hook::instant;
use hub_kit::manifest::{EventRule, Webhook};
use hub_kit::{Connection, FollowCall, FollowUp, KnownIds, NoCalls};
use hub_tree::{Arena, Value};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// A payload as it came in, opened, with the headers that were kept.
#[derive(Clone, Copy)]
pub struct Received<'a> {
    connection: &'a Connection,
    webhook: &'a Webhook,
    arena: &'a Arena,
    payload: Value<'a>,
    headers: Value<'a>,
}

impl<'a> Received<'a> {
    /// A payload for a connection; `None` when its connector describes no web hook.
    #[must_use]
    pub fn new(connection: &'a Connection, arena: &'a Arena, payload: Value<'a>, headers: Value<'a>) -> Option<Self> {
        let webhook = connection.manifest.webhook.as_ref()?;
        Some(Self { connection, webhook, arena, payload, headers })
    }

    fn value(&self, located: &'a Located) -> Option<Value<'a>> {
        hook_value(self.connection, self.arena, self.payload, self.headers, located).ok()
    }

    fn text(&self, located: &'a Located) -> Option<&'a str> {
        self.value(located)?.scalar_text(self.arena)
    }

    /// The name of the event.
    ///
    /// # Errors
    /// The payload does not name it.
    pub fn event(&self) -> Result<&'a str, Failure> {
        self.text(&self.webhook.event).ok_or_else(|| Failure::Park {
            code: "EVENT_MISSING".to_owned(),
            reason: "the payload does not name its event".to_owned(),
            place: self.connection.manifest.place(self.webhook.event.span),
        })
    }

    /// What the manifest says of an event; `None` when nothing is mapped.
    #[must_use]
    pub fn rule(&self, event: &str) -> Option<&'a EventRule> {
        self.webhook.events.iter().find(|rule| rule.name == event)
    }

    /// Whether the manifest says that an event has nothing to do with records.
    #[must_use]
    pub fn ignores(&self, event: &str) -> bool {
        self.webhook.ignore.iter().any(|known| known == event)
    }

    /// The mapping of an event, if it has one; `find` knows the in mappings of the connection by their object.
    ///
    /// # Errors
    /// It is not there, or broken.
    pub fn mapping(
        &self,
        rule: &EventRule,
        find: impl Fn(&str) -> Option<Arc<Mapping>>,
    ) -> Result<Option<Arc<Mapping>>, Failure> {
        let Some(object) = &rule.mapping else { return Ok(None) };
        find(object).map(Some).ok_or_else(|| Failure::Park {
            code: "MAPPING_MISSING".to_owned(),
            reason: format!(
                "there is no mapping `{}/{object}.in` without errors: `hrhub check` names them",
                self.connection.manifest.vendor
            ),
            place: self.connection.manifest.place(rule.span),
        })
    }

    /// The calls that fetch what the payload leaves out.
    ///
    /// # Errors
    /// A rule of the manifest that fails on this payload.
    pub fn fetch(&self, rule: &'a EventRule) -> Result<Vec<FollowCall>, NoCalls> {
        if rule.fetch.is_empty() {
            return Ok(Vec::new());
        }
        let slots = [self.connection.settings(self.arena), self.payload, self.headers];
        FollowUp::calls(&rule.fetch, self.connection, self.arena, &slots, &KnownIds::new())
    }

    /// The vendor's id of the delivery, fit to be a key; `None` when it sends none.
    #[must_use]
    pub fn dedupe_id(&self) -> Option<String> {
        self.key(self.webhook.dedupe.as_ref())
    }

    /// What payloads that must stay in order have in common; `None` for all of a connection.
    #[must_use]
    pub fn order_key(&self) -> Option<String> {
        self.key(self.webhook.order_key.as_ref())
    }

    fn key(&self, located: Option<&'a Located>) -> Option<String> {
        self.text(located?).filter(|text| !text.is_empty()).map(|text| bounded(text.to_owned()))
    }

    /// The vendor's time of the change, in microseconds since 1970.
    #[must_use]
    pub fn updated_at(&self) -> Option<i64> {
        instant(self.value(self.webhook.updated_at.as_ref()?)?)
    }

    /// What the mapping reads.
    #[must_use]
    pub fn input(&self, event: &'a str) -> Input<'a> {
        Input {
            payload: self.payload,
            headers: self.headers,
            event,
            connection: &self.connection.id,
            settings: Hub::public_settings(self.connection, self.arena),
            request: Value::Absent,
        }
    }
}

/// A key that every store's index takes: a vendor's text may be long, or hold characters that PostgreSQL refuses.
fn bounded(key: String) -> String {
    if key.len() <= 200 && !key.chars().any(char::is_control) {
        return key;
    }
    format!("sha256:{}", hex::encode(Sha256::digest(key.as_bytes())))
}

/// What a webhook's expressions say of an opened payload.
pub(crate) fn hook_value<'a>(
    connection: &Connection,
    arena: &'a Arena,
    payload: Value<'a>,
    headers: Value<'a>,
    located: &'a Located,
) -> Result<Value<'a>, hub_expr::EvalError> {
    located.expr.eval(&mut Cx::new(arena, vec![connection.settings(arena), payload, headers]))
}
