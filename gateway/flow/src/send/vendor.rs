//! Calls to a vendor's connection: the driver makes them, the manifest says what protects them from being carried out
//! twice, and the answer is kept and mapped.

use super::destination::{Attempt, Destination, Repeat, Tried};
use super::parts;
use super::settle::{Said, Understood};
use crate::effects::Failure;
use crate::hub::Hub;
use crate::map_in::map_reply;
use crate::poll::{self, Origin};
use crate::records::SourceOf;
use async_trait::async_trait;
use hub_engine::Direction;
use hub_kit::call::{following, following_nothing, lookup_args, lookup_found};
use hub_kit::follow::{FollowCall, NoCalls};
use hub_kit::manifest::DEFAULT_TIMEOUT;
use hub_kit::parts::{is_part, unpack};
use hub_kit::{CallContext, CallError, Connection, Driver, Idempotency, Operation, Pace, Rate, Reply};
use hub_store::{NewCall, NewRaw, Sealed};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;

/// A vendor's connection.
pub(super) struct Vendor(pub(super) Arc<Connection>);

#[async_trait]
impl Destination for Vendor {
    fn pace(&self) -> &Pace {
        &self.0.pace
    }

    fn rates_of(&self, operation: &str) -> Vec<Rate> {
        let own = self.0.manifest.operation(operation).and_then(|operation| operation.rates.clone());
        own.unwrap_or_else(|| self.0.pace.each.clone())
    }

    fn time_for(&self, operation: &str) -> Duration {
        self.0.manifest.operation(operation).map_or(DEFAULT_TIMEOUT, |operation| operation.timeout)
    }

    fn longest(&self) -> Duration {
        self.0.manifest.operations.iter().map(|operation| operation.timeout).max().unwrap_or(DEFAULT_TIMEOUT)
    }

    async fn attempt(&self, attempt: &Attempt<'_>) -> Tried {
        let (hub, call) = (attempt.hub, attempt.call);
        let manifest = &self.0.manifest;
        let (Some(operation), Some(driver)) = (manifest.operation(&call.new.operation), hub.driver(&manifest.driver))
        else {
            let error = CallError::NoOperation(call.new.operation.clone());
            return Tried::Impossible(error.code(), error.to_string());
        };
        if is_part(&call.new.operation) {
            let part = unpack(attempt.args).map(|(_, body)| Reply::new(200, body));
            return match part {
                Some(part) => Tried::Done(Some(part)),
                None => Tried::Impossible("UNREADABLE_CALL", "the part of an answer is not what was kept".to_owned()),
            };
        }
        let cx = CallContext {
            connection: &self.0,
            client: &hub.client,
            tokens: &hub.tokens,
            trace: attempt.trace,
            call_id: &call.new.id,
            leave: attempt.leave,
            spools: true,
            clock: &hub.clock,
        };
        if call.unsure || matches!(operation.idempotency, Idempotency::Lookup { first: true, .. }) {
            match carried_out(driver, &cx, operation, attempt.args).await {
                Ok(Before::No) => {}
                Ok(Before::Yes(reply)) => return Tried::Done(Some(Reply { looked_up: true, ..reply })),
                Ok(Before::Unknown) => {
                    let cause = call.error.as_deref().unwrap_or("the hub was stopped in the middle of it");
                    return Tried::Unknown(cause.to_owned());
                }
                Err(error) => return Tried::Failed(error, Repeat::LookUp),
            }
        }
        let repeat = match operation.idempotency {
            Idempotency::None => Repeat::Never,
            Idempotency::Key(_) | Idempotency::Repeatable | Idempotency::Lookup { .. } | Idempotency::Reads => {
                Repeat::Checked
            }
        };
        match driver.call(&cx, operation, attempt.args).await {
            Ok(reply) => {
                let kept = match &reply.spool {
                    Some(spool) => parts::keep(attempt, &self.0, operation, spool).await,
                    None => Ok(()),
                };
                match kept {
                    Ok(()) => Tried::Done(Some(reply)),
                    Err(why) => {
                        let code = Some(format!("the parts of its answer cannot be kept: {why}"));
                        Tried::Failed(CallError::Trouble { status: reply.status, code }, repeat)
                    }
                }
            }
            Err(error) => Tried::Failed(error, repeat),
        }
    }

    fn understand(&self, attempt: &Attempt<'_>, reply: Reply) -> Understood {
        understand(attempt, &self.0, reply)
    }

    fn nothing_there(&self, attempt: &Attempt<'_>) -> Understood {
        let operation = self.0.manifest.operation(&attempt.call.new.operation);
        let calls = operation.map_or(Ok(Vec::new()), |known| following_nothing(&self.0, known, attempt.args));
        match rows(attempt, &self.0, calls) {
            Ok(follow) => Understood { follow, ..Understood::default() },
            Err(failure) => Understood { failure: Some(failure), ..Understood::default() },
        }
    }
}

/// Whether an earlier try was carried out, as far as that matters.
enum Before {
    No,
    /// By the answer of the look-up.
    Yes(Reply),
    Unknown,
}

async fn carried_out(
    driver: &Arc<dyn Driver>,
    cx: &CallContext<'_>,
    operation: &Operation,
    args: &[u8],
) -> Result<Before, CallError> {
    match &operation.idempotency {
        // The vendor itself knows a repetition, or it does no harm.
        Idempotency::Key(_) | Idempotency::Repeatable | Idempotency::Reads => Ok(Before::No),
        Idempotency::None => Ok(Before::Unknown),
        Idempotency::Lookup { operation: name, .. } => {
            let lookup = cx.connection.manifest.operation(name).ok_or_else(|| CallError::NoOperation(name.clone()))?;
            let wanted = lookup_args(cx, operation, args)?;
            let reply = driver.call(cx, lookup, &wanted).await?;
            Ok(if lookup_found(cx, operation, args, &reply)? { Before::Yes(reply) } else { Before::No })
        }
    }
}

/// What an answer says: about records, and about calls that it leads to.
fn understand(attempt: &Attempt<'_>, connection: &Arc<Connection>, reply: Reply) -> Understood {
    let Some(operation) = connection.manifest.operation(&attempt.call.new.operation) else {
        return Understood::default();
    };
    // A part knows the arguments of the call that was answered; what follows from the answer follows from its rest.
    let packed = is_part(&attempt.call.new.operation).then(|| unpack(attempt.args)).flatten();
    let (follow, failure) = match packed.is_none().then(|| follow(attempt, connection, operation, &reply)) {
        None => (Vec::new(), None),
        Some(Ok(follow)) => (follow, None),
        Some(Err(failure)) => (Vec::new(), Some(failure)),
    };
    // What a look-up says is not what `reply` reads.
    let args = packed.as_ref().map_or(attempt.args, |(args, _)| args);
    let said = if reply.looked_up { None } else { said(attempt, connection, operation, args, reply) };
    let failure = said.as_ref().and_then(|said| said.mapped.error.clone()).or(failure);
    Understood { said, follow, failure }
}

/// The calls that an answer leads to.
fn follow(
    attempt: &Attempt<'_>,
    connection: &Connection,
    operation: &Operation,
    reply: &Reply,
) -> Result<Vec<NewCall>, Failure> {
    rows(attempt, connection, following(connection, operation, attempt.args, reply))
}

/// Calls that follow, as they are kept.
fn rows(
    attempt: &Attempt<'_>,
    connection: &Connection,
    calls: Result<Vec<FollowCall>, NoCalls>,
) -> Result<Vec<NewCall>, Failure> {
    let (hub, new) = (attempt.hub, &attempt.call.new);
    let calls = calls.map_err(poll::no_calls)?;
    // In a round a page is read once, however often it is named; else what follows is the call's own.
    let round = poll::round_of(&new.subject).is_some();
    let origin = Origin {
        connection: &connection.id,
        subject: &new.subject,
        key: if round { new.subject.clone() } else { format!("then:{}", new.id) },
        order_key: (!round).then_some(&new.order_key),
    };
    Ok(poll::rows(hub, &new.tenant, &attempt.trace, &origin, calls)?)
}

/// What an answer says about records.
fn said(
    attempt: &Attempt<'_>,
    connection: &Arc<Connection>,
    operation: &Operation,
    args: &[u8],
    reply: Reply,
) -> Option<Said> {
    let (hub, call): (&Hub, _) = (attempt.hub, attempt.call);
    let object = operation.reply.as_ref()?;
    let mapping = hub.registry().mapping(connection, object, Direction::In).cloned()?;
    // The vendor may tell what came next before this answer is read: it must not count as older.
    let at = attempt.began_at;
    let (id, sha256) = (hub.ids.next().to_string(), hex::encode(Sha256::digest(&reply.body)));
    let source = SourceOf {
        connection: connection.id.clone(),
        system: connection.manifest.vendor.clone(),
        url: None,
        vendor_time: None,
        // A vendor that knows a repetition gives its first answer again: it is as old as the first try.
        received_at: if call.tries > 1 || call.unsure { call.new.created_at } else { at },
        raw: id.clone(),
        raw_sha256: sha256.clone(),
        mapping: mapping.id.clone(),
        mapping_version: mapping.version.clone(),
    };
    let mapped = map_reply(connection, &mapping, &operation.name, (args, &reply.body), &source);
    // The answer is kept like any payload, so that what it said can be explained.
    let envelope = hub_kit::RawEnvelope { received_at: at, headers: Vec::new(), body: reply.body };
    let sealed = hub.store.keyring().seal(&call.new.tenant, &format!("raw:{id}"), &envelope.encode()).ok()?;
    let raw = NewRaw {
        id,
        tenant: call.new.tenant.clone(),
        connection: connection.id.clone(),
        dedupe_id: format!("call:{}", call.new.id),
        parent: None,
        received_at: at,
        trace: call.new.trace.clone(),
        sha256,
        body: Sealed(sealed.0),
    };
    Some(Said { raw, mapped })
}
