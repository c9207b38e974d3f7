//! Answers that are longer than memory should be become rows: each part of one is a call whose answer is there already.
//! So it is mapped, counted by its round and parked like any other answer. The call that was answered ends only when
//! all its parts are kept; if it is made again, what the new answer has in common with the old one is there once.

use super::destination::Attempt;
use crate::poll::{self, Origin};
use hub_kit::parts::{Spool, name, pack};
use hub_kit::{Connection, FollowCall, Operation};
use hub_store::job;
use std::time::Duration;

/// What is kept in one transaction, bytes.
const BATCH_BYTES: usize = 1 << 20;
/// How often a store that is away is asked again, and how long it is waited for in between.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(500);

/// Keeps all parts of an answer.
///
/// # Errors
/// Why not all are kept.
pub(super) async fn keep(
    attempt: &Attempt<'_>,
    connection: &Connection,
    operation: &Operation,
    spool: &Spool,
) -> Result<(), String> {
    let (hub, new) = (attempt.hub, &attempt.call.new);
    let key = format!("part:{}", new.id);
    let origin = Origin { connection: &connection.id, subject: &new.subject, key, order_key: None };
    let round = poll::round_of(&new.subject);
    let mut parts = spool.parts().map_err(|error| error.to_string())?;
    loop {
        let (mut calls, mut bytes) = (Vec::new(), 0);
        while bytes < BATCH_BYTES {
            let Some(part) = parts.next_part().map_err(|error| error.to_string())? else { break };
            bytes += part.len();
            calls.push(FollowCall { operation: name(&operation.name), args: pack(attempt.args, &part), after_secs: 0 });
        }
        if calls.is_empty() {
            return Ok(());
        }
        let rows = poll::rows(hub, &new.tenant, &attempt.trace, &origin, calls).map_err(|error| error.to_string())?;
        let mut tries = 0;
        loop {
            let (rows, round) = (rows.clone(), round.map(ToOwned::to_owned));
            let kept = hub.store.write(job!(|tx| {
                let mut more = 0;
                for row in rows {
                    more += i64::from(tx.insert_call(row).await?);
                }
                match round {
                    Some(round) => tx.lengthen_round(&round, more).await,
                    None => Ok(()),
                }
            }));
            let Err(error) = kept.await else { break };
            tries += 1;
            if !error.is_temporary() || tries == TRIES {
                return Err(error.to_string());
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}
