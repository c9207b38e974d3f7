//! Effects become rows, in the transaction that marks what led to them as done.

use crate::effects::{CallRequest, Effects, Failure};
use crate::event::EventMessage;
use crate::hub::Hub;
use crate::journey::Went;
use crate::records;
use hub_store::{Again, NewCall, StoreError, Tx};
use hub_tree::TraceContext;
use std::sync::Arc;

/// Effects whose calls are sealed.
pub(crate) struct Prepared {
    effects: Effects,
    calls: Vec<NewCall>,
}

impl Prepared {
    pub(crate) fn of(hub: &Hub, event: &EventMessage, mut effects: Effects) -> Result<Self, Failure> {
        let calls = std::mem::take(&mut effects.calls);
        let row = |call| call_row(hub, &event.tenant, &event.trace, call);
        let calls = calls.into_iter().map(row).collect::<Result<_, _>>()?;
        Ok(Self { effects, calls })
    }
}

/// Writes down what an event led to, in the transaction `tx` that also marks it as done. A failure has written nothing.
pub(crate) async fn keep_effects(
    hub: &Arc<Hub>,
    tx: &mut Tx,
    event: &EventMessage,
    prepared: Prepared,
) -> Result<Result<(), Failure>, StoreError> {
    let now = hub.clock.micros();
    let Prepared { effects: Effects { writes, timers, redrives, mut steps, .. }, calls } = prepared;
    let applied = match records::apply(hub, tx, &event.tenant, &event.trace, writes).await? {
        Ok(applied) => applied,
        Err(why) => return Ok(Err(why.parked(""))),
    };
    let mut events = Vec::new();
    for record in applied {
        hub.metrics.record(record.entity.name, record.became.word());
        events.extend(record.events);
    }
    tx.insert_events(events).await?;
    for call in calls {
        let (connection, subject, key) = (call.connection.clone(), call.subject.clone(), call.key.clone());
        if !tx.insert_call(call).await? {
            steps.add(&hub.ids, now, ("call", Went::Ok), &connection, &subject, format!("{key}: asked for before"));
        }
    }
    for timer in timers {
        tx.set_timer(timer, Again::Keep).await?;
    }
    for redrive in redrives {
        tx.insert_redrive(redrive).await?;
    }
    tx.add_steps(steps.into_vec()).await?;
    Ok(Ok(()))
}

/// The row of a call, its arguments sealed.
pub(crate) fn call_row(
    hub: &Hub,
    tenant: &str,
    trace: &TraceContext,
    call: CallRequest,
) -> Result<NewCall, StoreError> {
    let id = hub.ids.next().to_string();
    let body = hub.store.keyring().seal(tenant, &format!("call:{id}"), call.args.as_bytes())?;
    Ok(NewCall {
        id,
        tenant: tenant.to_owned(),
        connection: call.connection,
        operation: call.operation,
        key: call.key,
        order_key: call.order_key,
        created_at: hub.store_now(),
        trace: trace.to_string(),
        subject: call.subject,
        body,
    })
}
